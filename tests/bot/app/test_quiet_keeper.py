"""The quiet keeper: quotes that have stood still are asked for anew, so that a far option does not grow stale."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from bot.app.quiet import QuietKeeper, quiet_contracts
from bot.app.snapshots import BATCH
from bot.domain.errors import ConnectivityError
from bot.domain.events import CandidatesListed, SessionOpened
from bot.domain.instrument import SPY, Instrument, InstrumentKey
from bot.domain.market import Quote
from bot.valuation import quote_age_s
from tests.bot.app.app_parts import Bot, played
from tests.builders import NOON, Scenery, a_quote, vix_call
from tests.simulator.floors import OPENS_AT, first_session

FAR, NEAR, UNSEEN = vix_call(30), vix_call(20), vix_call(25)


class Answers:
    """A market that answers snapshots with the same quotes, now, and counts what it was asked for."""

    def __init__(self, bot: Bot) -> None:
        """Be reachable."""
        self._bot = bot
        self.asked: list[list[InstrumentKey]] = []
        self.error: Exception | None = None

    async def snapshot(self, instruments: Sequence[Instrument]) -> Mapping[InstrumentKey, Quote]:
        """Answer for all of them, or raise what was scripted."""
        self.asked.append([one.key for one in instruments])
        if self.error is not None:
            raise self.error
        return {one.key: a_quote(one, 1.0, 1.1, at=self._bot.clock.now()) for one in instruments}


def told(story: Any, *, session: bool = True) -> None:
    """Play a story in an open session in which two candidates were quoted once."""

    async def all_of_it() -> None:
        bot = Bot()
        data = Answers(bot)
        keeper = QuietKeeper(shell=bot.shell, data=data, link=bot.keeper)  # type: ignore[arg-type]  # snapshots alone
        bot.start(keeper.run())
        bot.keeper.ready.set()
        now = bot.clock.now()
        if session:
            bot.pump(SessionOpened(at=now, session=first_session(), baseline=()))
        bot.pump(CandidatesListed(at=now, instruments=(FAR, NEAR, UNSEEN)))
        for option in (FAR, NEAR):
            bot.pump(a_quote(option, 1.0, 1.1, at=now))
        await story(bot, data)
        await bot.end()

    played(all_of_it(), start=OPENS_AT + timedelta(minutes=30))


def test_a_quote_that_stands_still_is_asked_for_before_it_is_stale() -> None:
    """Nothing in the first five minutes; then each quiet one, and again when its answer is five minutes old."""

    async def story(bot: Bot, data: Answers) -> None:
        for _ in range(5):
            bot.pump(a_quote(NEAR, 1.0, 1.1, at=bot.clock.now()))
            await bot.pass_s(60.0)
        assert data.asked == []
        bot.pump(a_quote(NEAR, 1.0, 1.1, at=bot.clock.now()))
        await bot.pass_s(61.0)
        assert data.asked == [[FAR.key]]
        await bot.pass_s(600.0)
        assert data.asked == [[FAR.key], [NEAR.key], [FAR.key]]
        snapshot = bot.state.snapshot(bot.clock.now())
        assert max(quote_age_s(quote, snapshot.now) for quote in snapshot.quotes.values()) < 360.0

    told(story)


def test_without_a_session_or_a_link_nothing_is_asked() -> None:
    """Half an hour passes, nobody is asked."""

    async def without_link(bot: Bot, data: Answers) -> None:
        bot.keeper.ready.clear()
        await bot.pass_s(1800.0)
        assert data.asked == []

    async def without_session(bot: Bot, data: Answers) -> None:
        await bot.pass_s(1800.0)
        assert data.asked == []

    told(without_link)
    told(without_session, session=False)


def test_a_broken_link_is_told_and_the_keeper_goes_on() -> None:
    """One row for the failure, and the next look asks again."""

    async def story(bot: Bot, data: Answers) -> None:
        data.error = ConnectivityError("gone")
        await bot.pass_s(361.0)
        data.error = None
        await bot.pass_s(60.0)
        rows = [row.payload for row in bot.journal.rows if row.kind == "quotes_stay_quiet"]
        assert [(row["contracts"], row["why"]) for row in rows] == [(2, "gone")]
        assert [sorted(asked) for asked in data.asked] == [sorted((FAR.key, NEAR.key))] * 2

    told(story)


def test_the_oldest_come_first_and_what_has_no_model_or_no_quote_is_left_out() -> None:
    """Of a whole book the contracts with quotes older than asked, from the oldest on; a share is none of them."""
    snapshot = Scenery(condors=10).snapshot()
    held = [position.instrument for position in snapshot.book.positions.values()]
    ages = {one.key: 400.0 + number for number, one in enumerate(held)}
    quotes = {one.key: a_quote(one, 1.0, 1.1, at=NOON - timedelta(seconds=ages[one.key])) for one in held}
    quotes[SPY.key] = a_quote(SPY, 600.0, 600.1, at=NOON - timedelta(hours=1))
    fresh = held[0]
    quotes[fresh.key] = a_quote(fresh, 1.0, 1.1, at=NOON - timedelta(seconds=300))
    del quotes[held[1].key]
    found = quiet_contracts(Scenery(condors=10).snapshot(quotes=quotes), 300.0)
    assert [one.key for one in found if one in held] == [one.key for one in reversed(held[2:])]
    assert SPY not in found
    assert len(held) < BATCH
