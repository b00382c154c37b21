"""The sink of all adapters, the journal that announces, and complaints that repeat."""

import asyncio
from datetime import timedelta

import pytest

from bot.app.announced import AnnouncedJournal
from bot.app.pump import Pump
from bot.app.settings import AppSettings
from bot.app.sparing import Sparing
from bot.domain.errors import InvalidValueError, InvariantError, JournalError
from bot.domain.events import DataFeedChanged, TimerElapsed
from bot.domain.mode import TradingMode
from bot.domain.orders import Working
from bot.ports import JournalRow
from tests.bot.engine_parts import Rig, a_fill, books_agree, call_order, filled, restored
from tests.builders import NOON
from tests.fakes import ListJournal

ROW = JournalRow(kind="thing_happened", decision_id="", at=NOON, payload={})


async def test_a_failure_ends_the_run_and_later_events_are_still_applied() -> None:
    """The first failure is the one that is raised; nothing is raised into the caller."""
    rig = Rig()
    pump = Pump(rig.engine)
    pump(restored(call_order(1, Working())))
    pump(books_agree(orders=(call_order(1, Working()),)))
    pump(filled(a_fill(quantity=2)))
    pump(filled(a_fill("e-2", quantity=2)))
    pump(DataFeedChanged(at=NOON, usable=False, why="x"))
    with pytest.raises(InvariantError, match="2 filled of 1 ordered"):
        await asyncio.wait_for(pump.run(), 5)
    assert rig.state.mode is TradingMode.REDUCE_ONLY


async def test_hearers_hear_after_the_event_was_applied_and_only_their_kind() -> None:
    """What they read is the new state."""
    rig = Rig()
    pump = Pump(rig.engine)
    heard: list[TradingMode] = []
    pump.hear(DataFeedChanged, lambda _event: heard.append(rig.state.mode))
    pump(TimerElapsed(at=NOON))
    pump(DataFeedChanged(at=NOON, usable=False, why="x"))
    assert heard == [TradingMode.REDUCE_ONLY]


async def test_rows_are_announced_after_their_commit_and_never_without_it() -> None:
    """Logs and telemetry hear of committed rows only."""
    journal, heard = ListJournal(), []
    announced = AnnouncedJournal(journal, [lambda row: heard.append((row.kind, journal.commits))])
    await announced.commit([ROW, ROW])
    assert heard == [("thing_happened", 1), ("thing_happened", 1)]
    journal.failure = JournalError("full")
    with pytest.raises(JournalError):
        await announced.commit([ROW])
    assert len(heard) == 2


@pytest.mark.control("C26")
def test_the_same_complaint_is_let_through_once_in_a_while() -> None:
    """Another cause is told at once; the same one after its time."""
    sparing = Sparing(900)
    later = NOON + timedelta(seconds=899)
    assert [sparing.lets("k", "a", NOON), sparing.lets("k", "a", later), sparing.lets("k", "b", later)] == [
        True,
        False,
        True,
    ]
    assert sparing.lets("k", "a", NOON + timedelta(seconds=900))


def test_periods_that_make_no_sense_are_refused() -> None:
    """Zero, and a back-off that shrinks."""
    for wrong in ({"tend_every_s": 0}, {"reconnect_first_s": 90.0}):
        with pytest.raises(InvalidValueError):
            AppSettings(**wrong)
