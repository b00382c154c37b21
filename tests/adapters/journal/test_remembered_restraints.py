"""A restart knows what losses are measured from, and what the bot has asked of itself."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from adapters.journal.reader import remembered
from adapters.journal.store import Owner, open_journal
from bot.domain.errors import RefusedStartError
from bot.domain.events import (
    AccountReported,
    BooksReconciled,
    Event,
    ModeDemanded,
    Restored,
    RestraintsLifted,
)
from bot.domain.mode import DemandSource, TradingMode
from bot.domain.worth import Transfer, Worth
from bot.ports import JournalRow
from bot.records import rows_of
from bot.signals.dispersion import DispersionTracker
from bot.signals.settings import DispersionSettings
from bot.state import BotState
from tests.builders import ACCOUNT, NOON, an_account

OWNER = Owner(bot="b", profile="sim", account=ACCOUNT)
DAY = timedelta(days=1)
LOSSES, SLIPPAGE, REPEATS = DemandSource.LOSSES, DemandSource.SLIPPAGE, DemandSource.REPEATS


def a_row(kind: str, at: datetime, facts: Mapping[str, object]) -> JournalRow:
    """One row of nobody's decision."""
    return JournalRow(kind=kind, decision_id="", at=at, payload=facts)


def sampled(at: datetime, usd: int) -> JournalRow:
    """A sample that shows the account."""
    return a_row("sample_taken", at, {"net_liquidation_usd": Decimal(usd)})


def read(folder: Path, rows: list[JournalRow], *, at: datetime, transfers: tuple[Transfer, ...] = ()) -> Restored:
    """Write rows and read what they say."""
    journal = open_journal(folder / "journal.db", OWNER)
    journal.write(rows)
    journal.close()
    return remembered(folder / "journal.db", at, transfers).restored


def demand(source: DemandSource, mode: TradingMode, at: datetime = NOON) -> ModeDemanded:
    """A demand as an event."""
    return ModeDemanded(at=at, source=source, mode=mode, cause="test")


def test_day_week_and_highest_come_back_from_samples_and_comparisons(tmp_path: Path) -> None:
    """The same measures as a bot has that was there all the time; samples without a figure say nothing."""
    books = BooksReconciled(at=NOON, positions=(), account=an_account(500_000), orders=())
    rows = [
        *rows_of(books, None),
        sampled(NOON + timedelta(hours=1), 520_000),
        a_row("sample_taken", NOON + timedelta(hours=2), {"net_liquidation_usd": None}),
        sampled(NOON + DAY, 515_000),
    ]
    state = BotState(tracker=DispersionTracker(DispersionSettings()))
    state.apply(books)
    for at, usd in ((NOON + timedelta(hours=1), 520_000), (NOON + DAY, 515_000)):
        state.apply(AccountReported(at=at, values=replace(an_account(usd), at=at)))
    restored = read(tmp_path, rows, at=NOON + DAY)
    assert restored.worth == state.snapshot(NOON + DAY).worth
    assert restored.worth is not None
    figures = (restored.worth.now_usd, restored.worth.day_usd, restored.worth.week_usd, restored.worth.peak_usd)
    assert figures == (515_000, 520_000, 500_000, 520_000)


def test_a_transfer_that_is_stated_later_corrects_what_was_measured(tmp_path: Path) -> None:
    """The figures of old are read with it: 100,000 USD taken out yesterday are no loss of the week."""
    rows = [sampled(NOON, 500_000), sampled(NOON + DAY, 400_000)]
    stated = (Transfer(on=(NOON + DAY).date(), amount_usd=Decimal(-100_000)),)
    worth = read(tmp_path, rows, at=NOON + DAY, transfers=stated).worth
    assert worth is not None
    assert (worth.day_usd, worth.week_usd, worth.peak_usd) == (400_000,) * 3


def test_restraints_come_back_and_the_same_events_leave_the_same(tmp_path: Path) -> None:
    """What was asked, ended and lifted is what a restarted state holds, with the moments from which it counts."""
    events: list[Event] = [
        demand(LOSSES, TradingMode.REDUCE_ONLY),
        demand(REPEATS, TradingMode.HALT),
        demand(SLIPPAGE, TradingMode.REDUCE_ONLY),
        demand(DemandSource.COMMAND_LINK, TradingMode.REDUCE_ONLY),
        RestraintsLifted(at=NOON + DAY, sources=(REPEATS,), key_id="k", reason="looked"),
        demand(SLIPPAGE, TradingMode.NORMAL, NOON + DAY),
    ]
    state = BotState(tracker=DispersionTracker(DispersionSettings()))
    rows = []
    for event in events:
        state.apply(event)
        rows += rows_of(event, None)
    restored = read(tmp_path, rows, at=NOON + DAY)
    assert restored.restraints == state.restraints
    assert [one.source for one in restored.restraints.held] == [LOSSES]
    assert restored.restraints.counted.repeats_after == NOON + DAY
    again = BotState(tracker=DispersionTracker(DispersionSettings()))
    again.apply(restored)
    assert (again.mode, again.restraints) == (TradingMode.REDUCE_ONLY, state.restraints)


def test_a_repeated_pattern_stays_disabled_over_a_restart(tmp_path: Path) -> None:
    """HALT comes back from the journal alone."""
    state = BotState(tracker=DispersionTracker(DispersionSettings()))
    state.apply(read(tmp_path, list(rows_of(demand(REPEATS, TradingMode.HALT), None)), at=NOON))
    assert state.mode is TradingMode.HALT


def test_a_loss_that_was_lifted_is_measured_from_what_was_left(tmp_path: Path) -> None:
    """After the resume the highest is the figure at which a person looked."""
    lifted = RestraintsLifted(at=NOON + DAY, sources=(LOSSES,), key_id="k", reason="looked")
    rows = [sampled(NOON, 500_000), sampled(NOON + DAY, 440_000), *rows_of(lifted, None)]
    assert read(tmp_path, rows, at=NOON + DAY).worth == Worth.begun(Decimal(440_000), NOON + DAY)


def test_a_lift_before_any_figure_measures_nothing(tmp_path: Path) -> None:
    """There is nothing to begin anew with."""
    lifted = RestraintsLifted(at=NOON, sources=(LOSSES,), key_id="k", reason="looked")
    assert read(tmp_path, list(rows_of(lifted, None)), at=NOON).worth is None


def test_a_lift_without_its_list_refuses_the_start(tmp_path: Path) -> None:
    """A row that names no list of sources is not guessed at."""
    row = a_row("restraints_lifted", NOON, {"sources": "losses", "key_id": "k", "reason": "r"})
    with pytest.raises(RefusedStartError, match="sources are no list"):
        read(tmp_path, [row], at=NOON)
