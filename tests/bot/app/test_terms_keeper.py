"""The terms keeper: what it asks for and when, what everybody reads then, and which contradictions it tells once."""

from collections.abc import Coroutine
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from bot.app.terms import TermsKeeper
from bot.domain.errors import BrokerRejectedError, ConnectivityError
from bot.domain.events import CandidatesListed, SessionClosed, SessionOpened, WingStrikesListed
from bot.domain.hours import hours_told
from bot.domain.instrument import SPX, VXX, Instrument, InstrumentKey, share
from bot.domain.terms import ContractTerms
from bot.domain.ticks import TickTable
from tests.bot.app.app_parts import Bot, played
from tests.bot.engine_parts import books_agree, held
from tests.builders import CALENDAR, NOON, TODAY, a_future, a_session, an_option, vix_call
from tests.fakes import FakeMarketData
from tests.told import terms_at

CALL, OTHER, WING = vix_call(20), vix_call(25), an_option(6000, trading_class="SPXW")


class Unsure(FakeMarketData):
    """Market data that may not answer, and does not know every contract."""

    def __init__(self) -> None:
        """Know everything."""
        super().__init__({})
        self.unknown: set[InstrumentKey] = set()

    async def terms(self, instruments: Any) -> dict[InstrumentKey, ContractTerms]:
        """Raise what was scripted, else leave out what is not known."""
        self._raise_next()
        told = await super().terms(instruments)
        return {key: one for key, one in told.items() if key not in self.unknown}


class Kept:
    """A bot with a terms keeper at a market that tells what the simulated exchange tells."""

    def __init__(self) -> None:
        """A session is open; nothing is listed."""
        self.bot = Bot()
        self.data = Unsure()
        self.keeper = TermsKeeper(
            shell=self.bot.shell,
            data=self.data,  # type: ignore[arg-type]  # a fake port
            link=self.bot.keeper,
            calendar=CALENDAR,
            ticks=TickTable(),
        )
        self.bot.start(self.keeper.run())
        self.bot.keeper.ready.set()

    async def open(self, *listed: Instrument, day: date = TODAY) -> None:
        """Open a day's session with these candidates."""
        self.data.day = day
        self.bot.pump(CandidatesListed(at=self.bot.clock.now(), instruments=listed))
        self.bot.pump(SessionOpened(at=self.bot.clock.now(), session=a_session(day), baseline=()))
        await self.bot.pass_s(1)

    def asked(self) -> list[set[InstrumentKey]]:
        """The contracts of each question."""
        return [{one.key for one in asked} for asked in self.data.terms_asked]

    def known(self) -> dict[InstrumentKey, ContractTerms]:
        """What everybody reads."""
        return dict(self.bot.state.snapshot(self.bot.clock.now()).terms)

    def rows(self, kind: str) -> list[Any]:
        """What was written down of one kind."""
        return [row.payload for row in self.bot.journal.rows if row.kind == kind]


def told(story: Coroutine[Any, Any, None]) -> None:
    """Play a story at noon."""
    played(story)


@pytest.mark.control("C24")
def test_what_may_be_ordered_is_asked_for_once_a_day() -> None:
    """Candidates, what is held, and strikes outside the wings; no index, no share but the products; anew each day."""

    async def story() -> None:
        kept = Kept()
        await kept.open(CALL, SPX)
        assert kept.asked() == [{CALL.key}]
        assert kept.known() == {CALL.key: terms_at(CALL, TODAY)}
        over = vix_call(20, date(2026, 10, 20))  # traded until yesterday, and settles today
        positions = [
            held(OTHER, 3),
            held(over, 1),
            held(VXX, 10),
            held(share("AAPL", "NASDAQ"), 5),
            held(a_future("VX"), 1),
        ]
        kept.bot.pump(books_agree(positions, at=kept.bot.clock.now()))
        kept.bot.pump(WingStrikesListed(at=kept.bot.clock.now(), instruments=(WING,)))
        await kept.bot.pass_s(1)
        assert kept.asked()[1:] == [{OTHER.key, VXX.key, a_future("VX").key, WING.key}]
        kept.bot.pump(SessionClosed(at=kept.bot.clock.now(), session=a_session()))
        assert kept.known() == {}
        await kept.bot.pass_s(86_400)
        await kept.open(CALL, day=TODAY + timedelta(days=1))
        assert kept.asked()[2] == {CALL.key, OTHER.key, VXX.key, a_future("VX").key}
        assert {one.told_on for one in kept.known().values()} == {TODAY + timedelta(days=1)}
        await kept.bot.end()

    told(story())


def test_candidates_are_learned_before_they_are_listed() -> None:
    """Whoever lists contracts awaits their terms; what is known today is not asked for again."""

    async def story() -> None:
        kept = Kept()
        assert await kept.keeper.learn((CALL, OTHER))
        assert kept.known().keys() == {CALL.key, OTHER.key}
        assert await kept.keeper.learn((OTHER, CALL, SPX))
        assert len(kept.asked()) == 1
        await kept.open(CALL)
        assert len(kept.asked()) == 1
        await kept.bot.end()

    told(story())


def test_nothing_is_asked_while_the_link_is_down() -> None:
    """The question waits for the link and its comparison."""

    async def story() -> None:
        kept = Kept()
        kept.bot.keeper.ready.clear()
        await kept.open(CALL)
        assert kept.asked() == []
        kept.bot.keeper.ready.set()
        await kept.bot.pass_s(1)
        assert kept.asked() == [{CALL.key}]
        await kept.bot.end()

    told(story())


@pytest.mark.parametrize("error", [ConnectivityError("no answer"), BrokerRejectedError("not now")])
def test_a_question_without_an_answer_is_asked_again(error: Exception) -> None:
    """It is told once, nothing counts as known, and half a minute later the terms are there."""

    async def story() -> None:
        kept = Kept()
        kept.data.errors = [error]
        await kept.open(CALL)
        assert kept.known() == {}
        assert kept.rows("terms_missing") == [{"why": str(error)}]
        await kept.bot.pass_s(30)
        assert kept.known().keys() == {CALL.key}
        await kept.bot.end()

    told(story())


def test_contracts_without_readable_hours_are_told_once_for_each_class() -> None:
    """Left out by the broker, or told in words that make no sense: one row for two contracts of a class."""

    async def story() -> None:
        kept = Kept()
        kept.data.unknown = {CALL.key}
        kept.data.terms_told[OTHER.key] = replace(terms_at(OTHER, TODAY), liquid=None)
        await kept.open(CALL, OTHER, a_future("VXM"))
        assert [row["trading_class"] for row in kept.rows("terms_missing")] == ["VIX"]
        assert kept.known().keys() == {OTHER.key, a_future("VXM").key}
        await kept.bot.end()

    told(story())


@pytest.mark.control("C24")
def test_a_day_that_differs_is_told_ahead_and_once() -> None:
    """A closure on Thursday that our calendar does not know: one row on Tuesday, however many contracts say it."""
    text = "20261020:0930-20261020:1615;20261021:0930-20261021:1615;20261022:CLOSED"

    async def story() -> None:
        kept = Kept()
        for one in (CALL, OTHER):
            kept.data.terms_told[one.key] = replace(terms_at(one, TODAY), liquid=hours_told(text, "US/Eastern"))
        await kept.open(CALL, OTHER)
        (row,) = kept.rows("hours_disagreed")
        assert row == {
            "trading_class": "VIX",
            "contract": CALL.key,
            "day": date(2026, 10, 22),
            "own": "09:30 to 16:15",
            "told": "closed",
        }
        kept.bot.pump(SessionClosed(at=NOON, session=a_session()))
        await kept.bot.pass_s(86_400)
        for one in (CALL, OTHER):
            told_now = replace(kept.data.terms_told[one.key], told_on=TODAY + timedelta(days=1))
            kept.data.terms_told[one.key] = told_now
        await kept.open(CALL, OTHER, day=TODAY + timedelta(days=1))
        assert len(kept.rows("hours_disagreed")) == 1
        await kept.bot.end()

    told(story())


@pytest.mark.control("C24")
def test_a_last_trade_that_differs_is_told() -> None:
    """The same row names the last trading day and both words."""

    async def story() -> None:
        kept = Kept()
        early = replace(terms_at(CALL, TODAY), last_trade_day=date(2026, 11, 16), last_trade_at=None)
        kept.data.terms_told[CALL.key] = early
        await kept.open(CALL)
        (row,) = kept.rows("hours_disagreed")
        assert (row["day"], row["own"], row["told"]) == (
            date(2026, 11, 17),
            "last trade 2026-11-17 16:15",
            "last trade 2026-11-16",
        )
        await kept.bot.end()

    told(story())


@pytest.mark.control("C7")
def test_a_market_rule_that_differs_is_told_once_for_each_class() -> None:
    """The class, where the two part, and both increments."""
    nickels = ((Decimal(0), Decimal("0.05")), (Decimal(3), Decimal("0.10")))

    async def story() -> None:
        kept = Kept()
        for one in (CALL, OTHER):
            kept.data.terms_told[one.key] = replace(terms_at(one, TODAY), ticks=nickels)
        await kept.open(CALL, OTHER, a_future("VX"))
        (row,) = kept.rows("ticks_disagreed")
        assert (row["trading_class"], row["words"]) == (
            "VIX",
            "from 0 on the broker's increment is 0.05, ours 0.01",
        )
        await kept.bot.end()

    told(story())
