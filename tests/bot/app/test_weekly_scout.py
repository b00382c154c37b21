"""The scout of weekly settlements: when it looks, what it writes down, and what it knows meanwhile (M6)."""

from collections.abc import Coroutine, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from bot.app.weeklies import WeeklyScout
from bot.domain.errors import ConnectivityError
from bot.domain.events import SessionClosed, SessionOpened
from bot.domain.instrument import Instrument, InstrumentKey
from bot.domain.market import Quote
from bot.hedging.settings import HedgeSettings
from bot.hedging.universe import Listed
from tests.bot.app.app_parts import Bot, played
from tests.bot.hedging.planned import TEN
from tests.builders import NOON, a_quote, a_session
from tests.fakes import FakeMarketData

LISTED = Listed(
    options=[one for day in TEN.universe.settlements("VIXW") for one in TEN.universe.options("VIXW", day)], futures=()
)
BASELINE = tuple((NOON.date().toordinal() - back, 23.5, 18.0) for back in range(120, 0, -1))


class Quoting(FakeMarketData):
    """Answers snapshots with the quotes of the simulated exchange, fresh at the moment of the question."""

    def __init__(self, bot: Bot) -> None:
        """Answer everything."""
        super().__init__({})
        self._bot = bot
        self.asked: list[int] = []
        self.silent: set[date] = set()

    async def snapshot(self, instruments: Sequence[Instrument]) -> Mapping[InstrumentKey, Quote]:
        """Both sides of each, but of the settlements that are silent."""
        self._raise_next()
        self.asked.append(len(instruments))
        shown = [TEN.quote(one) for one in instruments if one.settlement not in self.silent]
        sides = zip((one for one in instruments if one.settlement not in self.silent), shown, strict=True)
        return {one.key: a_quote(one, quote.bid, quote.ask, at=self._bot.clock.now()) for one, quote in sides}


class Scouted:
    """A bot in an open session, its scout, and the exchange that it asks."""

    def __init__(self) -> None:
        """At noon, hours after the open."""
        self.bot = Bot()
        self.data = Quoting(self.bot)
        self.scout = WeeklyScout(shell=self.bot.shell, data=self.data, settings=HedgeSettings())
        self.open_session()

    async def looked(self) -> frozenset[date]:
        """What is liquid after a look, where one is due."""
        if self.scout.is_due():
            await self.scout.look(LISTED)
        return self.scout.liquid()

    def open_session(self) -> None:
        """Open the session of the day."""
        now = self.bot.clock.now()
        self.bot.state.apply(SessionOpened(at=now, session=a_session(now.date()), baseline=BASELINE))

    async def told(self, kind: str) -> list[dict[str, Any]]:
        """The facts of the rows of a kind."""
        await self.bot.rig.engine.work()
        return self.bot.journal.of_kind(kind)


def run(story: Coroutine[Any, Any, None]) -> None:
    """Play a story from noon on."""
    played(story)


def test_a_look_is_taken_every_half_hour_and_its_answer_kept() -> None:
    """Twenty-four quotes at once, and none again before thirty minutes have passed."""

    async def story() -> None:
        scouted = Scouted()
        first = await scouted.looked()
        assert first == {day for day in TEN.universe.settlements("VIXW") if 21 <= (day - NOON.date()).days <= 60}
        await scouted.bot.pass_s(1799)
        assert not scouted.scout.is_due()
        assert await scouted.looked() == first
        await scouted.bot.pass_s(1)
        await scouted.looked()
        assert scouted.data.asked == [24, 24]

    run(story())


def test_a_settlement_without_quotes_is_refused_in_writing() -> None:
    """It is left out, and the row names it and the contract without a quote."""

    async def story() -> None:
        scouted = Scouted()
        quiet = date(2026, 11, 25)
        scouted.data.silent = {quiet}
        assert quiet not in await scouted.looked()
        (facts,) = await scouted.told("weekly_refused")
        assert facts["settlement"] == quiet
        assert facts["why"].endswith("no quote")

    run(story())


def test_a_refusal_is_told_once_until_the_settlement_was_liquid_again() -> None:
    """Two looks without quotes make one row; liquid in between, the next refusal is news."""

    async def story() -> None:
        scouted = Scouted()
        quiet = {date(2026, 11, 25)}
        for silent in (quiet, quiet, set(), quiet):
            scouted.data.silent = silent
            await scouted.looked()
            await scouted.bot.pass_s(1800)
        assert len(await scouted.told("weekly_refused")) == 2

    run(story())


def test_a_look_without_an_answer_offers_none() -> None:
    """The link breaks in the middle: nothing is liquid, and the reason is written down."""

    async def story() -> None:
        scouted = Scouted()
        await scouted.looked()
        await scouted.bot.pass_s(1800)
        scouted.data.errors = [ConnectivityError("the link broke")]
        assert await scouted.looked() == frozenset()
        assert await scouted.told("weeklies_unknown") == [{"why": "the link broke"}]

    run(story())


def test_no_look_is_taken_before_quotes_have_settled_or_without_a_session() -> None:
    """In the first five minutes and at night nothing is asked; what was liquid yesterday is not offered today."""

    async def story() -> None:
        scouted = Scouted()
        assert await scouted.looked()
        session = a_session(NOON.date())
        scouted.bot.state.apply(SessionClosed(at=session.closes_at, session=session))
        assert await scouted.looked() == frozenset()
        await scouted.bot.pass_s(
            (session.opens_at + timedelta(days=1, minutes=4) - scouted.bot.clock.now()).total_seconds()
        )
        scouted.open_session()
        assert await scouted.looked() == frozenset()
        assert scouted.data.asked == [24]
        await scouted.bot.pass_s(60)
        assert scouted.scout.is_due()

    run(story())
