"""The signal on closes: exact comparisons, the yardstick of the real history, the rows of `alvh signal`."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.history.csv_files import load_symbol
from bot.domain.errors import HistoryError
from bot.domain.readings import SignalState
from bot.domain.schedule import SessionCalendar
from bot.signals.daily import (
    CSV_HEADER,
    DailyDispersion,
    DailyRule,
    common_sessions,
    episodes_of,
    evaluate_daily,
    signal_rows_as_csv,
)
from bot.signals.settings import DispersionSettings

CALENDAR = SessionCalendar()
SESSIONS = [session.day for session in CALENDAR.sessions(date(2014, 1, 2), date(2016, 12, 30))]
HISTORY = Path(__file__).parents[3] / ".." / "shared" / "data" / "history"
SHORT = DispersionSettings(baseline_sessions=5)

needs_history = pytest.mark.skipif(not HISTORY.is_dir(), reason="the shared real history is not on this machine")


@dataclass(frozen=True)
class Bar:
    """A close of one day."""

    day: date
    close: float


def closes(spreads: Sequence[float], vix: float = 15.0) -> tuple[list[Bar], list[Bar]]:
    """Return RVX and VIX closes on consecutive sessions with these spreads."""
    days = SESSIONS[: len(spreads)]
    rvx = [Bar(day, round(vix + spread, 2)) for day, spread in zip(days, spreads, strict=True)]
    return rvx, [Bar(day, vix) for day in days]


def states(spreads: Sequence[float], rule: DailyRule = DailyRule.LIVE) -> str:
    """Return the states after the first five closes, one letter each."""
    rows = evaluate_daily(*closes(spreads), SHORT, rule)
    return "".join(row.state.value[0] for row in rows[5:])


@needs_history
def test_the_raw_rule_meets_the_yardstick() -> None:
    """On the real closes: 3,949 common sessions, 3,859 evaluated, 762 flagged, 138 episodes."""
    rows = real_rows(DailyRule.RAW)
    evaluated = [row for row in rows if row.baseline is not None]
    assert (len(rows), len(evaluated), sum(row.flag for row in rows)) == (3949, 3859, 762)
    assert (evaluated[0].day, evaluated[-1].day) == (date(2010, 1, 26), date(2025, 6, 4))
    assert len(episodes_of(rows)) == 138


@needs_history
def test_the_live_rule_on_closes_has_sixty_two_episodes() -> None:
    """62 episodes on 905 days; one begins at the close of 2015-04-27 and is over at that of 2015-05-11."""
    rows = real_rows(DailyRule.LIVE)
    by_day = {row.day: row.state for row in rows}
    assert len(episodes_of(rows)) == 62
    assert sum(row.state is SignalState.BLOWOUT for row in rows) == 905
    assert [by_day[date(2015, 4, day)] for day in (24, 27)] == [SignalState.CALM, SignalState.BLOWOUT]
    assert [by_day[date(2015, 5, day)] for day in (8, 11)] == [SignalState.BLOWOUT, SignalState.CALM]


@needs_history
def test_an_exact_tie_of_the_real_history_is_not_flagged() -> None:
    """On 2024-02-26 the spread is 9.80 and the baseline 7.84."""
    row = next(row for row in real_rows(DailyRule.RAW) if row.day == date(2024, 2, 26))
    assert (row.spread, row.baseline, row.flag) == (9.8, 7.84, False)


def real_rows(rule: DailyRule) -> tuple[DailyDispersion, ...]:
    """Evaluate the shared history."""
    return evaluate_daily(load_symbol(HISTORY, "RVX"), load_symbol(HISTORY, "VIX"), DispersionSettings(), rule)


@pytest.mark.parametrize(
    ("spreads", "expected"),
    [
        ([4.0] * 5 + [5.0], "c"),  # exactly 1.25 times: no
        ([4.0] * 5 + [5.01], "b"),
        ([2.0] * 5 + [2.99], "c"),  # wide enough in relation, not in points
        ([2.0] * 5 + [3.0], "b"),
        ([4.0] * 5 + [6.0, 4.85, 4.0], "bbc"),  # baselines 4, 4.4, 4.57: 4.84 and 5.03 are where it ends
        ([4.0] * 5 + [6.0, 4.84], "bb"),  # exactly 1.10 times is not below it
        ([4.0] * 5 + [6.0, 4.83], "bc"),
        ([0.99] * 5 + [9.0], "u"),
        ([1.0] * 5 + [2.0], "b"),  # the floor itself is defined, one whole point more enters
        ([4.0] * 5 + [6.0, -20.0, 9.0, 9.0, 9.0, 30.0], "bcuubb"),
        ([4.0] * 5 + [9.0, 6.0, -30.0], "bbc"),
    ],
)
def test_the_live_rule_at_its_edges(spreads: list[float], expected: str) -> None:
    """Strict and exact in hundredths of a point, with hysteresis and a floor for the baseline."""
    assert states(spreads) == expected


def test_an_undefined_baseline_only_interrupts_an_episode() -> None:
    """While the baseline is below its floor the state is UNDEFINED; the blowout before it is still there after it."""
    held = DispersionSettings(baseline_sessions=2, baseline_floor_points=4.5, leave_excess=-0.9)
    rows = evaluate_daily(*closes([5.0, 5.0, 7.0, 1.5, 1.5, 8.0, 8.0, 8.0]), held, DailyRule.LIVE)
    assert "".join(row.state.value[0] for row in rows) == "uubbuubb"
    assert episodes_of(rows) == ((SESSIONS[2], SESSIONS[7]),)


@given(st.lists(st.integers(-300, 900), min_size=5, max_size=60))
def test_the_raw_rule_equals_a_naive_one(cents: list[int]) -> None:
    """Fractions, a fresh mean for each session and no state: the flags are the same."""
    rows = evaluate_daily(*closes([c / 100 for c in cents]), SHORT, DailyRule.RAW)
    for i, row in enumerate(rows):
        mean = Fraction(sum(cents[i - 5 : i]), 5) if i >= 5 else None
        assert row.flag == (mean is not None and mean > 0 and cents[i] > Fraction(5, 4) * mean)
        assert (row.state is SignalState.BLOWOUT) == row.flag
        assert (row.state is SignalState.UNDEFINED) == (mean is None or mean <= 0)
        assert row.baseline == (None if mean is None else pytest.approx(float(mean) / 100))


@settings(max_examples=30)
@given(st.lists(st.integers(455, 497), max_size=30), st.booleans())
def test_on_closes_the_state_never_flips_within_the_band(cents: list[int], starts_wide: bool) -> None:  # noqa: FBT001 - drawn
    """Spreads between leaving and entering threshold of a steady baseline change nothing."""
    patient = DispersionSettings(baseline_sessions=400)
    start = [9.0] if starts_wide else [4.0]
    rows = evaluate_daily(*closes([4.0] * 400 + start + [c / 100 for c in cents]), patient, DailyRule.LIVE)
    assert {row.state for row in rows[401:]} <= {rows[400].state}
    assert rows[400].state is (SignalState.BLOWOUT if starts_wide else SignalState.CALM)


def test_histories_are_joined_by_date_on_sessions_only() -> None:
    """A holiday row of VIX, a Saturday, and sessions that one file lacks drop out; order does not matter."""
    rvx = [
        Bar(date(2022, 7, 6), 30.0),
        Bar(date(2022, 7, 1), 31.0),
        Bar(date(2022, 7, 4), 29.0),
        Bar(date(2022, 7, 2), 1.0),
    ]
    vix = [Bar(date(2022, 7, day), 20.0 + day) for day in (1, 2, 4, 5, 6)]
    assert common_sessions(rvx, vix, CALENDAR) == (
        (date(2022, 7, 1), 31.0, 21.0),
        (date(2022, 7, 6), 30.0, 26.0),
    )


@pytest.mark.parametrize(
    ("count", "found"),
    [(4, "found 4 common sessions, 2014-01-02 to 2014-01-07, expected at least 5"), (0, "found 0 common sessions,")],
)
def test_too_few_common_sessions_are_refused(count: int, found: str) -> None:
    """One line says how many there are, how many are needed and what to do."""
    with pytest.raises(HistoryError, match=found) as refusal:
        evaluate_daily(*closes([4.0] * count), SHORT, DailyRule.RAW)
    assert "add earlier rows to both files" in str(refusal.value)


def test_the_rows_of_the_command_are_csv() -> None:
    """Header, then a line per session; what does not exist is empty."""
    lines = list(signal_rows_as_csv(evaluate_daily(*closes([4.0, 4.0, 4.0, 4.0, 4.01, 5.25]), SHORT, DailyRule.LIVE)))
    assert lines[0] == CSV_HEADER == "date,rvx,vix,spread,baseline,threshold,flag,state"
    assert lines[1] == "2014-01-02,19.00,15.00,4.00,,,0,undefined"
    assert lines[6] == "2014-01-09,20.25,15.00,5.25,4.002000,5.002500,1,blowout"
    assert {len(row) for row in csv.reader(lines)} == {8}


def test_adjacent_days_without_a_blowout_end_an_episode() -> None:
    """Two runs with a calm day between them are two episodes."""
    rows = evaluate_daily(*closes([4.0] * 5 + [6.0, 4.0, 6.0, 6.5]), SHORT, DailyRule.RAW)
    first = SESSIONS[5]
    assert episodes_of(rows) == ((first, first), (SESSIONS[7], SESSIONS[8]))
    assert SESSIONS[8] - SESSIONS[7] == timedelta(days=1)
