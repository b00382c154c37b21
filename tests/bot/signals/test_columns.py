"""The columnar form says of every tick what the tracker says."""

import math

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from bot.domain.market import DataType
from bot.domain.readings import Episode
from bot.domain.schedule import Session
from bot.signals.columns import (
    STATE_CODES,
    ColumnarDispersion,
)
from bot.signals.dispersion import DispersionTracker
from bot.signals.settings import DispersionSettings
from signal_builders import BY_NAME, CALENDAR, DAY, At, a_baseline, a_session, columns_of, ns_at, steady

QUICK = DispersionSettings(dwell_s=60.0, half_life_s=20.0, stale_restart_s=90.0, start_delay_s=20.0, last_change_s=120.0)
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
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
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
        event(f"exact={found.sessions_by_tick} kinds={sorted(set(states))} due={sum(due)>1} n={len(states)>0}"); _assert_same_episode(scanner.episode, tracker.episode)
        day = CALENDAR.next_session(day).day


def _assert_same_episode(found: Episode | None, expected: Episode | None) -> None:
    if found is None or expected is None:
        assert found is expected
        return
    assert found.began_on == expected.began_on
    assert found.peak_excess == pytest.approx(expected.peak_excess, abs=1e-9)


