"""The live rule on ticks: validity, seeding, smoothing, freshness, dwell, hysteresis, episodes."""

import math
import re
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from signal_builders import BY_NAME, DAY, At, a_baseline, a_session, fed, ns_at, opened, steady

from bot.domain.errors import InvalidValueError
from bot.domain.instrument import RUT, RVX, SPX, VIX, InstrumentKey
from bot.domain.market import DataType
from bot.domain.readings import Episode, Signal, SignalState
from bot.signals.dispersion import DispersionTracker
from bot.signals.evidence.settings import EvidenceSettings
from bot.signals.reading import read_signal
from bot.signals.settings import DispersionSettings
from tests.builders import Scenery

WIDE = 21.0  # RVX, with VIX at 15 and a baseline of 4: an excess of 0.5
CALM = 19.0
EPISODE = Episode(began_on=date(2015, 4, 20), peak_excess=0.4)


def state_at(tracker: DispersionTracker, at_s: float) -> SignalState:
    """Return the state of the reading at a moment of the session."""
    return tracker.reading(ns_at(at_s)).state


def in_blowout(at_s: float = 900.0) -> DispersionTracker:
    """Return a tracker that has just been fed a wide spread up to a moment."""
    tracker = opened()
    fed(tracker, steady(0.0, at_s, rvx=WIDE))
    return tracker


def test_a_wide_spread_becomes_a_blowout_after_ten_fresh_minutes() -> None:
    """Seeded at 09:31 above the threshold, the state changes at the first tick at which 600 s have passed."""
    tracker = opened()
    fed(tracker, steady(0.0, 660.0, rvx=WIDE))
    before = tracker.state
    answers = fed(tracker, steady(660.0, 675.0, rvx=WIDE))
    assert (before, answers, tracker.state) == (SignalState.CALM, [True, False, False, False], SignalState.BLOWOUT)
    assert tracker.episode is not None
    assert (tracker.episode.began_on, tracker.episode.peak_excess) == (DAY, pytest.approx(0.5, abs=0.01))


def test_the_smoothing_has_its_half_life() -> None:
    """One half-life after the spread moved from 4 to 6 points, the smoothed spread is 5."""
    tracker = opened()
    fed(tracker, [*steady(0.0, 76.0, rvx=CALM, every_s=75.0), At("RVX", WIDE, 80.0)])
    spread = tracker.reading(ns_at(80.0 + 180.0)).spread
    assert spread == pytest.approx(5.0, abs=0.01)


def test_ticks_before_0931_set_levels_but_do_not_feed_the_smoothing() -> None:
    """A wild first minute leaves no trace in the smoothed spread."""
    tracker = opened()
    fed(tracker, steady(0.0, 59.0, rvx=24.0))
    before = tracker.reading(ns_at(59.0))
    fed(tracker, [At("RVX", CALM, 60.0), At("VIX", 15.0, 60.0), At("SPX", 2100.0, 60.0)])
    after = tracker.reading(ns_at(60.0))
    assert (before.rvx, before.spread, before.state) == (24.01, None, SignalState.UNDEFINED)
    assert (after.spread, after.state) == (4.0, SignalState.CALM)


def test_a_session_is_seeded_anew() -> None:
    """Levels and smoothed spread of the session before do not reach into the next one; the episode does."""
    tracker = in_blowout()
    tracker.close_session(a_session())
    closed = tracker.reading(ns_at(30_000.0))
    next_day = date(2015, 4, 28)
    tracker.open_session(a_session(next_day), a_baseline(4.0, day=next_day))
    reading = tracker.reading(ns_at(0.0, a_session(next_day)))
    assert (closed.why, closed.rvx) == ("no session is open", 21.01)
    assert (reading.rvx, reading.spread, dict(tracker.levels())) == (None, None, {})
    assert reading.episode is not None
    assert reading.episode == tracker.episode


def test_closing_another_session_changes_nothing() -> None:
    """Only the session that is open can be closed."""
    tracker = in_blowout()
    tracker.close_session(a_session(date(2015, 4, 28)))
    assert tracker.state is SignalState.BLOWOUT


@pytest.mark.parametrize(
    ("rvx", "expected"),
    [
        (20.0, SignalState.CALM),  # exactly 1.25 times the baseline: a tie is no blowout
        (20.01, SignalState.BLOWOUT),
        (20.02, SignalState.BLOWOUT),
    ],
)
def test_entering_compares_strictly_and_exactly(rvx: float, expected: SignalState) -> None:
    """A spread held at 1.25 times the baseline to the hundredth is a tie, whatever doubles make of it."""
    tracker = opened(DispersionSettings(last_change_s=4000.0))
    held = [
        At(name, level, at_s)
        for at_s in range(0, 900, 15)
        for name, level in (("VIX", 15.0), ("RVX", rvx), ("SPX", 1.0))
    ]
    fed(tracker, held)
    assert tracker.state is expected


@pytest.mark.parametrize(("rvx", "expected"), [(17.99, SignalState.CALM), (18.0, SignalState.BLOWOUT)])
def test_a_small_baseline_needs_a_whole_point(rvx: float, expected: SignalState) -> None:
    """Above a baseline of two points 25 % would be half a point: one whole point is wanted, exactly that passes."""
    tracker = opened(DispersionSettings(last_change_s=4000.0), spread=2.0)
    held = [
        At(name, level, at_s)
        for at_s in range(0, 900, 15)
        for name, level in (("VIX", 15.0), ("RVX", rvx), ("SPX", 1.0))
    ]
    fed(tracker, held)
    assert tracker.state is expected


@pytest.mark.parametrize(
    ("rvx", "expected"),
    [(19.45, SignalState.BLOWOUT), (19.4, SignalState.BLOWOUT), (19.35, SignalState.CALM)],
)
def test_leaving_needs_less_than_a_tenth_over_the_baseline(rvx: float, expected: SignalState) -> None:
    """Between 1.10 and 1.25 times the baseline an episode goes on."""
    tracker = in_blowout()
    fed(tracker, steady(900.0, 6000.0, rvx=rvx))
    assert tracker.state is expected


@settings(max_examples=60)
@given(moves=st.lists(st.floats(19.42, 19.97), min_size=1, max_size=80), starts_wide=st.booleans())
def test_the_state_never_flips_within_the_band(moves: list[float], starts_wide: bool) -> None:  # noqa: FBT001 - drawn
    """However the spread moves between leaving and entering threshold, the state stays what it was."""
    tracker = opened(DispersionSettings(dwell_s=0.0, last_change_s=4000.0))
    tracker.restore(EPISODE if starts_wide else None)
    ticks = [At(n, v, 30.0 * i) for i, rvx in enumerate(moves) for n, v in (("SPX", 1.0), ("VIX", 15.0), ("RVX", rvx))]
    fed(tracker, [t for t in ticks if math.isfinite(t.level)])
    allowed = {SignalState.UNDEFINED, SignalState.BLOWOUT if starts_wide else SignalState.CALM}
    assert tracker.state in allowed
    assert (tracker.episode is not None) == starts_wide


def test_a_dip_within_the_dwell_starts_it_again() -> None:
    """Ten minutes must be one stretch: after a dip below the threshold the count begins at zero."""
    settings = DispersionSettings(half_life_s=1.0)
    tracker = opened(settings)
    fed(tracker, [*steady(0.0, 600.0, rvx=WIDE), *steady(600.0, 630.0, rvx=CALM), *steady(630.0, 1200.0, rvx=WIDE)])
    early = tracker.state
    fed(tracker, steady(1200.0, 1275.0, rvx=WIDE))
    assert (early, tracker.state) == (SignalState.CALM, SignalState.BLOWOUT)


@pytest.mark.parametrize(
    ("silence_s", "fresh_needed_s"),
    [(100.0, 300.0 - 40.0), (339.0, 300.0 - 40.0), (341.0, 600.0), (900.0, 600.0)],
)
def test_the_dwell_pauses_while_stale_and_restarts_after_five_minutes(silence_s: float, fresh_needed_s: float) -> None:
    """Five minutes in, SPX falls silent; freshness ends 40 s later, a pause of 300 s more forgets what was held."""
    tracker = opened(DispersionSettings(last_change_s=5000.0))
    fed(tracker, steady(60.0, 361.0, rvx=WIDE))  # the last tick of SPX is at 360 s, 285 s after the dwell began
    back_s = 360.0 + silence_s
    fed(tracker, [At("VIX", 15.02, back_s - 0.5)])
    stale = tracker.state
    held_before = 285.0 + 15.0  # the first ticks wait to be confirmed; the dwell begins with the second round
    needed = 600.0 if fresh_needed_s == 600.0 else 600.0 - (held_before - 15.0) - 40.0
    fed(tracker, [At("SPX", 2100.0, back_s + s) for s in range(0, int(needed), 5)])
    before = tracker.state
    fed(tracker, [At("SPX", 2100.0, back_s + needed)])
    assert (stale, before, tracker.state) == (SignalState.UNDEFINED, SignalState.CALM, SignalState.BLOWOUT)


def test_a_pause_without_any_tick_counts_like_one_with_ticks() -> None:
    """Staleness that begins and ends between two ticks is known at the second one."""
    tracker = opened(DispersionSettings(last_change_s=5000.0))
    fed(tracker, steady(60.0, 600.0, rvx=WIDE))
    fed(tracker, [At("SPX", 2100.0, 1200.0)])
    resumed = tracker.state
    fed(tracker, [At("SPX", 2100.0, 1200.0 + s) for s in range(5, 600, 5)])
    before = tracker.state
    fed(tracker, [At("SPX", 2100.0, 1800.0)])
    assert (resumed, before, tracker.state) == (SignalState.CALM, SignalState.CALM, SignalState.BLOWOUT)


def test_the_first_stale_tick_ends_a_crossing_that_is_over() -> None:
    """Fresh time counts only up to a crossing that still holds when freshness has ended."""
    tracker = opened(DispersionSettings(half_life_s=1.0, last_change_s=5000.0, dwell_s=60.0))
    fed(tracker, steady(60.0, 121.0, rvx=WIDE))  # the dwell began at 75 s
    fed(tracker, [At("RVX", CALM, 121.0), At("RVX", WIDE, 170.0), At("SPX", 2100.0, 175.0)])
    fed(tracker, [At("SPX", 2100.0, 176.0)])
    assert tracker.state is SignalState.CALM


def test_staleness_shows_in_the_reading_without_any_tick() -> None:
    """Nobody ticks, time passes: the reading says which limit was passed, the episode stays."""
    tracker = in_blowout()  # last ticks at 885 s
    fresh, stale = tracker.reading(ns_at(925.0)), tracker.reading(ns_at(925.1))
    assert (fresh.state, fresh.why) == (SignalState.BLOWOUT, "")
    assert (stale.state, stale.why) == (SignalState.UNDEFINED, "no tick of SPX within 40 s: the feed is not alive")
    assert stale.episode == fresh.episode


@pytest.mark.parametrize("name", ["RVX", "VIX"])
def test_an_index_that_does_not_change_becomes_stale(name: str) -> None:
    """Repeated values do not keep an index fresh beyond 300 s, the other one's changes do not help."""
    tracker = opened()
    level = {"RVX": CALM, "VIX": 15.0}[name]
    frozen = [At(t.name, level if t.name == name else t.level, t.at_s) for t in steady(0.0, 420.0, rvx=CALM)]
    fed(tracker, frozen)  # its first good tick, at 15 s, is its last change
    assert state_at(tracker, 405.0) is SignalState.UNDEFINED
    assert tracker.reading(ns_at(405.0)).why == f"{name} has not changed within 300 s"


def test_stale_indices_neither_begin_nor_end_an_episode() -> None:
    """With SPX silent the spread may fall as it likes: BLOWOUT is only interrupted."""
    tracker = in_blowout()
    answers = fed(tracker, steady(926.0, 5000.0, rvx=CALM, without=("SPX",)))
    assert (tracker.state, answers.count(True)) == (SignalState.UNDEFINED, 1)
    assert tracker.episode is not None


INVALID = [
    At("VIX", math.nan, 100.0),
    At("VIX", math.inf, 100.0),
    At("RVX", 0.0, 100.0),
    At("RVX", -1.0, 100.0),
    At("RVX", 200.01, 100.0),
    At("SPX", math.inf, 100.0),
    At("SPX", math.nan, 100.0),
    At("RUT", 0.0, 100.0),
    *(At("RVX", CALM, 100.0, kind) for kind in DataType if kind is not DataType.LIVE),
    At("RVX", WIDE, 10.0),  # older than the ticks before it
    At("RVX", WIDE, 27_000.0),  # after the close
]


@settings(max_examples=40, deadline=None)
@given(
    bad=st.lists(st.tuples(st.integers(0, 200), st.sampled_from(INVALID)), max_size=20),
    rvx=st.sampled_from([CALM, WIDE]),
)
def test_an_invalid_tick_changes_nothing(bad: list[tuple[int, At]], rvx: float) -> None:
    """A stream with invalid ticks in it gives the readings of the stream without them."""
    good = steady(0.0, 900.0, rvx=rvx)
    clean, dirty = opened(), opened()
    for i, tick in enumerate(good):
        for where, worse in bad:
            if where == i and i > 8:
                at_s = worse.at_s if worse.at_s in {10.0, 27_000.0} else tick.at_s
                assert fed(dirty, [At(worse.name, worse.level, at_s, worse.data_type)]) == [False]
        assert fed(dirty, [tick]) == fed(clean, [tick])
        assert dirty.reading(ns_at(tick.at_s)) == clean.reading(ns_at(tick.at_s))
    assert dirty.levels() == clean.levels()


def test_another_instrument_is_ignored() -> None:
    """Only the four indices are followed."""
    tracker = opened()
    assert not tracker.on_tick(InstrumentKey("IND:NDX"), 15.0, ns_at(61.0), DataType.LIVE)
    assert dict(tracker.levels()) == {}


def test_the_first_tick_of_a_session_needs_a_second_one() -> None:
    """One tick is no level, a second within ten percent of it is."""
    tracker = opened()
    fed(tracker, [At("VIX", 15.0, 1.0)])
    first = dict(tracker.levels())
    fed(tracker, [At("VIX", 16.6, 2.0)])
    second = dict(tracker.levels())
    fed(tracker, [At("VIX", 16.0, 3.0)])
    assert (first, second, dict(tracker.levels())) == ({}, {}, {VIX.key: 16.0})


@pytest.mark.parametrize(
    ("levels", "expected"),
    [
        ([26.0], 26.0),  # exactly 30 %: no jump
        ([26.1], 20.0),  # a jump waits
        ([26.1, 26.2], 26.2),  # and is confirmed
        ([26.1, 30.0], 20.0),  # the second is not within 10 % of the first: it waits in its turn
        ([26.1, 30.0, 31.0], 31.0),
        ([26.1, 20.1], 20.1),  # back to the old level: the jump was a bad print
        ([26.1, 20.1, 26.1], 26.1),  # 29.9 % above 20.1 is no jump
        ([27.0, 20.1, 27.0], 20.1),  # a tick between them: the second is no second one
        ([13.9], 20.0),
        ([13.9, 13.8], 13.8),
    ],
)
def test_a_jump_needs_a_second_tick(levels: list[float], expected: float) -> None:
    """More than 30 % against the last good tick counts only with a second tick within 10 % of it."""
    tracker = opened()
    fed(tracker, [At("RVX", 20.0, 1.0), At("RVX", 20.0, 2.0)])
    fed(tracker, [At("RVX", level, 3.0 + i) for i, level in enumerate(levels)])
    assert tracker.levels()[RVX.key] == expected


def test_a_waiting_tick_of_spx_shows_a_living_feed() -> None:
    """The level of SPX is in doubt, its feed is not."""
    tracker = opened()
    fed(tracker, steady(60.0, 90.0, rvx=CALM))
    fed(tracker, [At("SPX", 900.0, 110.0)])
    assert (state_at(tracker, 140.0), tracker.levels()[SPX.key]) == (SignalState.CALM, 2100.0)


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ((), "the baseline needs 90 common sessions, has 0"),
        (a_baseline(4.0, sessions=89), "the baseline needs 90 common sessions, has 89"),
        (a_baseline(0.99), "the baseline is 0.9900 points, below its floor of 1"),
    ],
)
def test_without_a_usable_baseline_the_signal_is_undefined(
    rows: tuple[tuple[int, float, float], ...], why: str
) -> None:
    """Too short a history and too low a baseline hold whatever the spread does; the reading says why."""
    tracker = DispersionTracker(DispersionSettings())
    tracker.restore(EPISODE)
    tracker.open_session(a_session(), rows)
    answers = fed(tracker, steady(0.0, 3000.0, rvx=40.0))
    reading = tracker.reading(ns_at(2985.0))
    assert (reading.state, reading.why, reading.excess, any(answers)) == (SignalState.UNDEFINED, why, None, False)
    assert (reading.episode, reading.baseline_sessions) == (EPISODE, len(rows))
    assert reading.spread == pytest.approx(25.0, abs=0.02)


def test_a_baseline_on_the_floor_is_defined() -> None:
    """One point exactly is enough."""
    tracker = opened(spread=1.0)
    fed(tracker, steady(0.0, 120.0, rvx=16.0))
    assert tracker.state is SignalState.CALM


def test_a_rising_peak_makes_planning_due_at_each_step() -> None:
    """Within a blowout the answer is True once for each 0.05 that the peak excess gains, and never when it falls."""
    tracker = in_blowout()  # an excess of about 0.50
    rising = fed(tracker, steady(900.0, 6000.0, rvx=21.9))  # to about 0.725
    falling = fed(tracker, steady(6000.0, 9000.0, rvx=20.8))
    again = fed(tracker, steady(9000.0, 12_000.0, rvx=21.8))
    assert (sum(rising), sum(falling), sum(again)) == (4, 0, 0)
    assert tracker.episode is not None
    assert tracker.episode.peak_excess == pytest.approx(0.725, abs=0.005)


def signal_at(tracker: DispersionTracker) -> Signal:
    """What planning reads of the tracker a hundred minutes into the session."""
    reading = tracker.reading(ns_at(105.0))
    return read_signal(replace(Scenery(condors=10).snapshot(), dispersion=reading), EvidenceSettings())


def test_a_restored_episode_goes_on() -> None:
    """After a restart the bot is in the blowout that it left, with its first day and its peak."""
    tracker = opened()
    tracker.restore(EPISODE)
    fed(tracker, steady(0.0, 120.0, rvx=19.8))
    signal = signal_at(tracker)
    assert (signal.state, signal.peak_excess, signal.episode_began_on) == (SignalState.BLOWOUT, 0.4, EPISODE.began_on)
    tracker.restore(None)
    assert signal_at(tracker).peak_excess == 0.0


def test_a_reading_before_the_last_tick_is_one_at_it() -> None:
    """A caller whose clock lags gets no younger reading than the ticks."""
    tracker = in_blowout()
    assert tracker.reading(ns_at(10.0)) == tracker.reading(ns_at(885.0))


@pytest.mark.parametrize(
    ("ticks", "why"),
    [
        ([], "no good tick of RVX and VIX since the smoothing of the session began"),
        (steady(0.0, 90.0, rvx=CALM, without=("RVX",)), "no good tick of RVX since the smoothing of the session began"),
    ],
)
def test_a_reading_before_the_seed_names_what_is_missing(ticks: list[At], why: str) -> None:
    """The state is UNDEFINED until both indices have ticked since 09:31."""
    tracker = opened()
    fed(tracker, ticks)
    assert tracker.reading(ns_at(90.0)).why == why


def test_after_the_close_there_is_no_state() -> None:
    """Both ends belong to the session; a moment later it is over, closed or not."""
    tracker = opened()
    close_s = 24_300.0
    fed(tracker, steady(close_s - 120.0, close_s + 1.0, rvx=CALM))
    assert state_at(tracker, close_s) is SignalState.CALM
    assert tracker.reading(ns_at(close_s + 1.0)).why == f"the session of {DAY} is over"


def test_on_an_early_close_later_ticks_do_not_count() -> None:
    """The day after Thanksgiving ends at 13:15 New York."""
    day = date(2015, 11, 27)
    session = a_session(day)
    tracker = DispersionTracker(DispersionSettings())
    tracker.open_session(session, a_baseline(4.0, day=day))
    for at_s in (13_499.0, 13_500.0, 13_501.0):
        tracker.on_tick(BY_NAME["VIX"], 15.0 + (at_s - 13_500.0) / 100.0, ns_at(at_s, session), DataType.LIVE)
    assert tracker.levels()[VIX.key] == 15.0


def test_levels_follow_every_index() -> None:
    """Quiet ticks of SPX and RUT move their levels and nothing else."""
    tracker = opened()
    fed(tracker, steady(0.0, 90.0, rvx=CALM))
    before = tracker.reading(ns_at(100.0))
    answers = fed(tracker, [At("SPX", 2101.0, 91.0), At("RUT", 1261.5, 92.0)])
    assert answers == [False, False]
    assert dict(tracker.levels()) == {SPX.key: 2101.0, RUT.key: 1261.5, VIX.key: 15.01, RVX.key: 19.01}
    assert tracker.reading(ns_at(100.0)) == before


def test_rows_of_today_and_impossible_closes_are_no_part_of_the_baseline() -> None:
    """Today never counts, a close that no index could have is no usable pair; the last ninety of the rest count."""
    old = tuple((DAY.toordinal() - 1000 - i, 99.0, 15.0) for i in range(5, 0, -1))
    bad = tuple((DAY.toordinal() - 900 + i, rvx, 15.0) for i, rvx in enumerate((math.nan, -1.0, 0.0, 201.0)))
    today = ((DAY.toordinal(), 99.0, 15.0),)
    tracker = DispersionTracker(DispersionSettings())
    tracker.open_session(a_session(), (*old, *bad, *a_baseline(4.0), *today))
    reading = tracker.reading(ns_at(0.0))
    assert (reading.baseline, reading.baseline_sessions) == (4.0, 90)


def test_a_baseline_out_of_order_is_not_used() -> None:
    """Rows that do not ascend could be anything: UNDEFINED, and the reading says what to do."""
    tracker = DispersionTracker(DispersionSettings())
    tracker.open_session(a_session(), (*a_baseline(4.0), a_baseline(4.0)[-1]))
    assert (
        tracker.reading(ns_at(0.0)).why == "the baseline's rows do not ascend at 2015-04-24: sort them, each day once"
    )


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"baseline_sessions": 0}, "baseline_sessions must be positive, was 0"),
        ({"half_life_s": 0.0}, "half_life_s must be positive"),
        ({"dwell_s": -1.0}, "dwell_s must not be negative"),
        ({"enter_excess": math.nan}, "enter_excess must be finite"),
        ({"leave_excess": math.inf}, "leave_excess must be finite"),
        ({"leave_excess": 0.25}, "leave_excess must lie above -1 and below enter_excess 0.25, was 0.25"),
        ({"leave_excess": -1.0}, "leave_excess must lie above -1"),
        ({"jump_frac": 0.05}, "jump_frac must lie between confirm_frac 0.1 and 1, was 0.05"),
        ({"jump_frac": 1.0}, "jump_frac must lie between confirm_frac 0.1 and 1, was 1.0"),
        ({"feed_alive_s": 301.0}, "feed_alive_s must not exceed last_change_s 300.0, was 301.0"),
    ],
)
def test_settings_without_a_meaning_are_refused(wrong: dict[str, float], message: str) -> None:
    """A number out of its range, or out of order with another, is named with both values."""
    with pytest.raises(InvalidValueError, match=re.escape(message)):
        DispersionSettings(**wrong)  # type: ignore[arg-type]  # a table of one number each


def test_a_quiet_stretch_ends_with_the_tick_that_makes_it_interesting() -> None:
    """The crossing after a calm stretch is seen at the first tick behind it, not when freshness is looked at again."""
    tracker = opened(DispersionSettings(half_life_s=1.0, dwell_s=60.0))
    fed(tracker, [*steady(0.0, 300.0, rvx=CALM), At("RVX", WIDE, 301.0)])
    answers = fed(tracker, [At("SPX", 2100.0, 301.0 + s) for s in range(1, 64)])
    assert [302 + i for i, due in enumerate(answers) if due] == [363]  # 5.0 points at 302 s are a tie, 5.5 at 303 s not


@pytest.mark.parametrize(
    ("levels", "expected"),
    [
        ([20.0, 17.0, 15.0, 20.0], 15.0),  # 33 % above the last good one, though no 30 % from any before
        ([20.0, 22.0, 20.0, 25.9], 25.9),
        ([150.0, 150.0, 190.0, 191.0, 201.0], 191.0),
        ([20.0, 20.0, math.nan], 20.0),
    ],
)
def test_quiet_ticks_are_judged_like_all_others(levels: list[float], expected: float) -> None:
    """Where nothing can happen to the state, jumps and impossible levels are still told from good ones."""
    tracker = opened(spread=0.5)  # no usable baseline: every tick after the seed is quiet
    fed(tracker, steady(0.0, 90.0, rvx=levels[0]))
    fed(tracker, [At("RVX", level, 100.0 + i) for i, level in enumerate(levels)])
    assert tracker.levels()[RVX.key] == expected
