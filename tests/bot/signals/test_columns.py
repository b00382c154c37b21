"""The columnar form says of every tick what the tracker says."""

import math

import numpy as np
import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from signal_builders import BY_NAME, CALENDAR, DAY, At, a_baseline, a_session, columns_of, ns_at, steady

from bot.domain.errors import InvalidValueError
from bot.domain.market import DataType
from bot.domain.readings import Episode, SignalState
from bot.domain.schedule import Session
from bot.signals.columns import (
    STATE_CODES,
    ColumnarDispersion,
    TickColumns,
    scan_sessions,
)
from bot.signals.dispersion import DispersionTracker
from bot.signals.settings import DispersionSettings

QUICK = DispersionSettings(
    dwell_s=60.0, half_life_s=20.0, stale_restart_s=90.0, start_delay_s=20.0, last_change_s=120.0
)
"""Short times, so that a random session of some hundred ticks sees everything happen."""


def followed(
    tracker: DispersionTracker, session: Session, baseline: tuple[tuple[int, float, float], ...], ticks: list[At]
) -> tuple[list[int], list[bool]]:
    """Return states and dues of the tracker itself."""
    tracker.open_session(session, baseline)
    states, due = [], []
    for tick in ticks:
        due.append(tracker.on_tick(BY_NAME[tick.name], tick.level, ns_at(tick.at_s, session), tick.data_type))
        states.append(STATE_CODES[tracker.state])
    return states, due


@st.composite
def tick_streams(draw: st.DrawFn) -> list[At]:
    """A session in phases: each holds RVX for a while, ticks at its own rhythm, and may lose an index or go bad."""
    ticks: list[At] = []
    at_s = draw(st.sampled_from([-5.0, 0.0, 19.0, 100.0]))
    rough = draw(st.booleans())
    for _ in range(draw(st.integers(1, 8))):
        rvx = draw(st.sampled_from([17.0, 18.9, 19.39, 19.41, 20.0, 20.3, 21.0, 23.0]))
        every_s = draw(st.sampled_from([1.0, 5.0, 15.0, 39.0]))
        length_s = draw(st.sampled_from([10.0, 40.0, 70.0, 150.0]))
        without = draw(st.sampled_from([(), (), (), ("SPX",), ("VIX",), ("RVX",), ("SPX", "RUT", "VIX")]))
        phase = steady(at_s, at_s + length_s, rvx=rvx, every_s=every_s, without=without)
        ticks += phase
        at_s += length_s + draw(st.sampled_from([0.0, 0.0, 41.0, 89.0, 95.0, 130.0]))
    if rough:
        bad = st.tuples(
            st.integers(0, len(ticks)),
            st.sampled_from(["SPX", "RUT", "VIX", "RVX"]),
            st.sampled_from([math.nan, math.inf, -1.0, 0.0, 5.0, 15.0, 19.0, 26.0, 90.0, 201.0, 2100.0]),
            st.floats(-60.0, 5.0),
            st.sampled_from([*DataType, DataType.LIVE, DataType.LIVE]),
        )
        for position, name, level, shift_s, kind in draw(st.lists(bad, max_size=6)):
            near = ticks[min(position, len(ticks) - 1)].at_s if ticks else 0.0
            ticks.insert(position, At(name, level, near + min(shift_s, 0.0), kind))
    return ticks


@given(
    streams=st.lists(tick_streams(), min_size=1, max_size=3),
    spread=st.sampled_from([4.0, 4.0, 4.0, 3.99, 0.5]),
    episode=st.sampled_from([None, Episode(began_on=DAY, peak_excess=0.3), Episode(began_on=DAY, peak_excess=0.52)]),
)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_the_columnar_form_gives_the_states_of_the_tracker(
    streams: list[list[At]], spread: float, episode: Episode | None
) -> None:
    """States and dues are equal tick by tick, over sessions with gaps, bad ticks, jumps and stale stretches."""
    tracker = DispersionTracker(QUICK)
    tracker.restore(episode)
    scanner = ColumnarDispersion(QUICK)
    scanner.restore(episode)
    day = DAY
    for ticks in streams:
        session, baseline = a_session(day), a_baseline(spread, day=day)
        states, due = followed(tracker, session, baseline, ticks)
        found = scanner.scan(session, baseline, columns_of(ticks, session))
        assert found.states.tolist() == states
        assert found.due.tolist() == due
        event(f"tick by tick: {found.sessions_by_tick}, states {sorted(set(states))}, dues {sum(due)}")
        _assert_same_episode(scanner.episode, tracker.episode)
        day = CALENDAR.next_session(day).day


def _assert_same_episode(found: Episode | None, expected: Episode | None) -> None:
    if found is None or expected is None:
        assert found is expected
        return
    assert found.began_on == expected.began_on
    assert found.peak_excess == pytest.approx(expected.peak_excess, abs=1e-9)


def a_day_of_ticks(rvx: float, length_s: float = 1500.0) -> list[At]:
    """Return a session's first minutes with one level of RVX, ticking every five seconds."""
    return steady(0.0, length_s, rvx=rvx, every_s=5.0)


@pytest.mark.parametrize(
    ("ticks", "by_tick"),
    [
        (a_day_of_ticks(19.0), 0),  # nothing happens
        (a_day_of_ticks(21.1), 0),  # a blowout begins: still certain
        ([*a_day_of_ticks(19.0), At("VIX", math.nan, 1500.0), At("RUT", 1.0, 1501.0)], 0),
        ([*a_day_of_ticks(19.0), At("VIX", 25.0, 1500.0)], 1),  # a jump
        ([At("VIX", 12.0, 0.0), *a_day_of_ticks(19.0)], 1),  # the second tick does not confirm the first
        ([*a_day_of_ticks(19.0), At("SPX", 2100.0, 3.0)], 1),  # out of order
        ([At("RVX", 18.0, 0.0), *a_day_of_ticks(19.0, 15.0)], 0),  # over before the smoothing begins
        ([tick for tick in a_day_of_ticks(19.0) if tick.name != "SPX"], 0),
        (a_day_of_ticks(19.0)[:3], 0),
        ([], 0),
    ],
)
def test_only_uncertain_sessions_are_followed_tick_by_tick(ticks: list[At], by_tick: int) -> None:
    """The scan answers wherever it can; jumps and disorder are left to the tracker."""
    found = ColumnarDispersion(QUICK).scan(a_session(), a_baseline(4.0), columns_of(ticks))
    states, due = followed(DispersionTracker(QUICK), a_session(), a_baseline(4.0), ticks)
    assert found.sessions_by_tick == by_tick
    assert (found.states.tolist(), found.due.tolist()) == (states, due)


@pytest.mark.parametrize("rvx", [20.0, 19.4])
def test_a_spread_on_a_threshold_is_left_to_the_tracker(rvx: float) -> None:
    """A comparison nearer than the rounding of the scan is not decided by the scan."""
    patient = DispersionSettings(last_change_s=9000.0)
    levels = (("SPX", 2100.0), ("VIX", 15.0), ("RVX", rvx))
    ticks = [At(name, level, at_s) for at_s in range(0, 1500, 15) for name, level in levels]
    ticks.append(At("RVX", 21.0, 1500.0))  # so that the spread does not stay within the thresholds
    ticks.append(At("RVX", 21.0, 1515.0))
    found = ColumnarDispersion(patient).scan(a_session(), a_baseline(4.0), columns_of(ticks))
    states, due = followed(DispersionTracker(patient), a_session(), a_baseline(4.0), ticks)
    assert (found.states.tolist(), found.due.tolist()) == (states, due)
    assert found.sessions_by_tick == 1


def test_a_peak_on_a_step_is_left_to_the_tracker() -> None:
    """An excess of exactly 0.50 is a step; rounding decides on which side it falls, so the tracker does."""
    ticks = [tick for tick in steady(0.0, 1500.0, rvx=21.0) if tick.name != "VIX"]
    ticks = [At(t.name, 21.0 if t.name == "RVX" else t.level, t.at_s) for t in ticks]
    patient = DispersionSettings(last_change_s=9000.0)
    ticks += [At("VIX", 15.0, t.at_s) for t in ticks if t.name == "RVX"]
    ticks.sort(key=lambda tick: tick.at_s)
    found = ColumnarDispersion(patient).scan(a_session(), a_baseline(4.0), columns_of(ticks))
    states, due = followed(DispersionTracker(patient), a_session(), a_baseline(4.0), ticks)
    assert (found.states.tolist(), found.due.tolist(), found.sessions_by_tick) == (states, due, 1)


def test_a_half_life_too_short_for_doubles_is_left_to_the_tracker() -> None:
    """Weights of 2 to the power of more than 900 half-lives would overflow."""
    hasty = DispersionSettings(half_life_s=1.0)
    ticks = steady(0.0, 1500.0, rvx=21.0)
    found = ColumnarDispersion(hasty).scan(a_session(), a_baseline(4.0), columns_of(ticks))
    states, _ = followed(DispersionTracker(hasty), a_session(), a_baseline(4.0), ticks)
    assert (found.states.tolist(), found.sessions_by_tick) == (states, 1)


def test_the_first_stale_tick_ends_a_crossing_that_is_over() -> None:
    """A dip that only the first stale tick sees starts the dwell again, in both forms."""
    rule = DispersionSettings(half_life_s=2.0, last_change_s=5000.0, dwell_s=60.0)
    ticks = [
        *steady(60.0, 121.0, rvx=21.1),
        At("RVX", 19.0, 121.0),
        At("RVX", 21.1, 170.0),
        *(At("SPX", 2100.0, at_s) for at_s in (175.0, 200.0, 230.0, 234.0, 236.0)),
    ]
    found = ColumnarDispersion(rule).scan(a_session(), a_baseline(4.0), columns_of(ticks))
    states, due = followed(DispersionTracker(rule), a_session(), a_baseline(4.0), ticks)
    assert (found.states.tolist(), found.due.tolist(), found.sessions_by_tick) == (states, due, 0)
    assert states[-5:] == [1, 1, 1, 1, 2]


def test_ticks_of_foreign_indices_and_unknown_kinds_count_for_nothing() -> None:
    """A code that is no index and a data type that nobody knows are carried along with the state before them."""
    ticks = columns_of(a_day_of_ticks(19.0, 300.0))
    ticks.key_code[100] = 9
    ticks.data_type[101] = 77
    jump = columns_of([At("VIX", 25.0, 300.0)])  # makes the tracker look as well
    for part in (ticks, _joined(ticks, jump)):
        found = ColumnarDispersion(QUICK).scan(a_session(), a_baseline(4.0), part)
        assert found.states[100:102].tolist() == [STATE_CODES[SignalState.CALM]] * 2


def _joined(one: TickColumns, other: TickColumns) -> TickColumns:
    names = ("key_code", "level", "at_ns", "data_type")
    return TickColumns(**{name: np.concatenate((getattr(one, name), getattr(other, name))) for name in names})


def test_many_sessions_are_scanned_in_one_go() -> None:
    """The episode of one session goes on in the next; ticks before the first session and between count for nothing."""
    days = (DAY, CALENDAR.next_session(DAY).day)
    openings = [(a_session(day), a_baseline(4.0, day=day)) for day in days]
    streams = [a_day_of_ticks(21.1), a_day_of_ticks(19.6)]
    parts = [columns_of(ticks, session) for ticks, (session, _) in zip(streams, openings, strict=True)]
    early = columns_of([At("VIX", 15.0, -60.0)], openings[0][0])
    scanner = ColumnarDispersion(QUICK)
    found = scan_sessions(scanner, openings, _joined(_joined(early, parts[0]), parts[1]))
    tracker = DispersionTracker(QUICK)
    expected: list[int] = [0]
    for (session, baseline), ticks in zip(openings, streams, strict=True):
        expected += followed(tracker, session, baseline, ticks)[0]
    assert found.states.tolist() == expected
    assert (found.sessions_by_tick, scanner.episode is not None, int(found.due.sum())) == (0, True, 3)


def test_sessions_out_of_order_are_refused() -> None:
    """A session cannot open before the one before it."""
    opening = (a_session(), a_baseline(4.0))
    with pytest.raises(InvalidValueError, match="sessions must ascend"):
        scan_sessions(ColumnarDispersion(QUICK), [opening, opening], columns_of([]))


def test_columns_of_different_lengths_are_refused() -> None:
    """A column that is too short or of another kind is named."""
    ticks = columns_of(a_day_of_ticks(19.0, 60.0))
    with pytest.raises(InvalidValueError, match=r"at_ns must be int64 of shape \(48,\), was int64 of shape \(3,\)"):
        TickColumns(key_code=ticks.key_code, level=ticks.level, at_ns=ticks.at_ns[:3], data_type=ticks.data_type)
