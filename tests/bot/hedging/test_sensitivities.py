"""How far VX forwards follow VIX and SPX: slopes found back, made monotone, and the table of the methodology."""

import doctest
import math
import random
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.history.csv_files import load_symbol
from adapters.history.vx_settlements import load_vx_settlements
from bot.domain.errors import InvalidValueError
from bot.hedging.sensitivities import estimate
from bot.hedging.sensitivities.estimate import (
    CurveEstimate,
    ForwardMoves,
    NoScale,
    Scale,
    estimate_curves,
    forward_moves,
    pooled,
    rolling_scale,
)
from bot.hedging.sensitivities.settings import SensitivitySettings
from bot.pricing import BETA_POINTS, SPX_MOVE_POINTS, Curve

DATA = Path(__file__).parents[3] / ".." / "shared" / "data"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the shared real history is not on this machine")
SETTINGS = SensitivitySettings()
SMALL = SensitivitySettings(buckets=((1, 10), (11, 20), (21, 30)), least_moves=5)
BETAS = (0.69, 0.65, 0.55, 0.57, 0.46, 0.41, 0.33, 0.31, 0.25, 0.22, 0.19, 0.18, 0.15)
SPX_MOVES = (-1.10, -0.90, -0.81, -0.72, -0.71, -0.58, -0.54, -0.43, -0.41, -0.35, -0.31, -0.28, -0.24)
"""The table of M10 as printed: two decimals, not pooled."""


def real_closes(symbol: str) -> Mapping[date, float]:
    """Closes by day."""
    return {row.day: row.close for row in load_symbol(DATA / "history", symbol)}


def moves_of(*rows: tuple[float, float, float, float]) -> ForwardMoves:
    """Moves from rows of days, forward, VIX and SPX in percent."""
    columns = np.array(rows, dtype=np.float64).reshape(len(rows), 4).T
    return ForwardMoves(days=columns[0], forward=columns[1], vix=columns[2], spx_pct=columns[3])


def a_world(betas: Mapping[int, float], *, noise: float = 0.0, count: int = 60, seed: int = 1) -> ForwardMoves:
    """Moves in which VIX answers SPX with -1.4 points a percent, and a forward of so many days answers VIX."""
    chance, rows = random.Random(seed), []
    for days, beta in betas.items():
        for _ in range(count):
            spx = chance.gauss(0.05, 1.0)
            vix = -1.4 * spx
            rows.append((float(days), beta * vix + chance.gauss(0.0, noise) + 0.01, vix, spx))
    return moves_of(*rows)


# the curves -----------------------------------------------------------------------------------------------------


@needs_data
def test_the_real_settlements_give_the_methodologys_table() -> None:
    """Every beta and g of M10 comes out as printed, to its two decimals (within 0.006), on SPY as the table has it."""
    settlements = load_vx_settlements(DATA / "vx_futures")
    prices = {day: [(row.day, row.price) for row in rows] for day, rows in settlements.items()}

    moves = forward_moves(prices, real_closes("VIX"), real_closes("SPY"))
    found = estimate_curves(moves, SETTINGS)

    assert len(moves.days) == 25_732
    assert [bucket.beta for bucket in found.buckets] == pytest.approx(BETAS, abs=0.006)
    assert [bucket.spx_move for bucket in found.buckets] == pytest.approx(SPX_MOVES, abs=0.006)
    assert found.left_out == ()
    for curve, constants in ((found.beta_curve(), BETA_POINTS), (found.spx_move_curve(), SPX_MOVE_POINTS)):
        assert [day for day, _ in curve] == [day for day, _ in constants]
        assert [value for _, value in curve] == pytest.approx([value for _, value in constants], abs=0.006)


def test_known_slopes_are_found_back() -> None:
    """Without noise every range has its beta exactly, and g is beta times what VIX does on a percent of SPX."""
    found = estimate_curves(a_world({5: 0.7, 15: 0.5, 25: 0.3}), SMALL)

    assert [bucket.beta for bucket in found.buckets] == pytest.approx([0.7, 0.5, 0.3])
    assert [bucket.spx_move for bucket in found.buckets] == pytest.approx([-0.98, -0.7, -0.42])
    assert found.beta_curve() == tuple((bucket.middle, bucket.beta_monotone) for bucket in found.buckets)
    assert [day for day, _ in found.spx_move_curve()] == [5.5, 15.5, 25.5]
    assert [(bucket.first_day, bucket.last_day, bucket.moves) for bucket in found.buckets] == [
        (1, 10, 60),
        (11, 20, 60),
        (21, 30, 60),
    ]


def test_a_range_that_would_rise_is_pooled_with_its_neighbour() -> None:
    """0.5 before 0.6 becomes one slope for both, the least-squares one of their moves together."""
    moves = a_world({5: 0.7, 15: 0.5, 25: 0.6})
    found = estimate_curves(moves, SMALL)
    first, second, third = found.buckets
    assert second.beta_monotone == third.beta_monotone
    assert 0.5 < second.beta_monotone < 0.6
    weights = [
        float(np.square(moves.vix[moves.days == day] - moves.vix[moves.days == day].mean()).sum()) for day in (15, 25)
    ]
    assert second.beta_monotone == pytest.approx((0.5 * weights[0] + 0.6 * weights[1]) / sum(weights))
    assert (second.beta, third.beta) == (pytest.approx(0.5), pytest.approx(0.6))
    assert second.spx_move_monotone == third.spx_move_monotone
    assert first.beta_monotone == pytest.approx(0.7)


@given(st.lists(st.floats(-0.5, 1.5), min_size=3, max_size=3), st.floats(0.0, 2.0), st.integers(0, 1000))
def test_curves_are_monotone_and_bounded_whatever_the_files_say(betas: list[float], noise: float, seed: int) -> None:
    """Towards far settlements beta never rises and g never falls, and neither leaves its bounds."""
    found = estimate_curves(
        a_world(dict(zip((5, 15, 25), betas, strict=True)), noise=noise, count=12, seed=seed), SMALL
    )

    beta, spx_move = ([value for _, value in curve] for curve in (found.beta_curve(), found.spx_move_curve()))
    assert beta == sorted(beta, reverse=True)
    assert spx_move == sorted(spx_move)
    assert all(0.0 <= value <= 1.0 for value in beta)
    assert all(-3.0 <= value <= 0.0 for value in spx_move)


def test_ranges_without_enough_moves_are_left_out_and_told() -> None:
    """Too few, or a VIX that stood still: no slope, and the other ranges keep theirs."""
    still = moves_of(*(((15.0, 0.1 * number, 0.0, 1.0 * number)) for number in range(8)))
    whole = a_world({5: 0.7}, count=8)
    few = a_world({25: 0.3}, count=4)
    columns = (np.concatenate(parts) for parts in zip(*map(_columns, (whole, still, few)), strict=True))
    days, forward, vix, spx_pct = columns

    found = estimate_curves(ForwardMoves(days=days, forward=forward, vix=vix, spx_pct=spx_pct), SMALL)

    assert [(bucket.first_day, bucket.moves) for bucket in found.buckets] == [(1, 8)]
    assert found.left_out == (
        "11-20 days: 8 moves, VIX or SPX stood still",
        "21-30 days: 4 moves, 5 are needed",
    )


def _columns(moves: ForwardMoves) -> tuple[np.ndarray, ...]:
    return moves.days, moves.forward, moves.vix, moves.spx_pct


def test_no_moves_are_no_curve() -> None:
    """Every range says what it lacks."""
    found = estimate_curves(moves_of(), SETTINGS)
    assert found.buckets == ()
    assert found.beta_curve() == found.spx_move_curve() == ()
    assert len(found.left_out) == len(SETTINGS.buckets)


@pytest.mark.parametrize(("days", "count"), [(0.0, 0), (1.0, 8), (10.0, 8), (10.5, 0), (30.0, 8), (31.0, 0)])
def test_a_range_holds_its_first_and_its_last_day(days: float, count: int) -> None:
    """Both edges belong to it."""
    found = estimate_curves(a_world({days: 0.5}, count=8), SMALL)  # type: ignore[dict-item] - a day between two
    assert sum(bucket.moves for bucket in found.buckets) == count


# moves ----------------------------------------------------------------------------------------------------------

MONDAY = date(2026, 3, 2)
DAYS = [MONDAY + timedelta(days=offset) for offset in range(5)]
SPX = dict(zip(DAYS, (5000.0, 5050.0, 5000.0, 4950.0, 5000.0), strict=True))
VIX = dict(zip(DAYS, (20.0, 19.0, 20.5, 22.0, 21.0), strict=True))
SETTLES = date(2026, 3, 18)


def test_a_move_spans_one_session_of_every_contract() -> None:
    """Days count from the later session; forward, VIX and SPX move over the same two."""
    moves = forward_moves({SETTLES: [(DAYS[0], 20.5), (DAYS[1], 20.0), (DAYS[2], 20.75)]}, VIX, SPX)
    assert moves.days.tolist() == [15.0, 14.0]
    assert moves.forward.tolist() == [-0.5, 0.75]
    assert moves.vix.tolist() == [-1.0, 1.5]
    assert moves.spx_pct.tolist() == pytest.approx([1.0, 100 * (5000 / 5050 - 1)])


@pytest.mark.parametrize(
    ("prices", "vix", "spx"),
    [
        ([(DAYS[0], 20.5), (DAYS[2], 20.0)], VIX, SPX),  # the contract skips a session
        ([(DAYS[0], 20.5), (DAYS[1], 20.0)], {DAYS[0]: 20.0}, SPX),
        ([(DAYS[0], 20.5), (DAYS[1], 20.0)], {DAYS[1]: 20.0}, SPX),
        ([(DAYS[0], 20.5), (DAYS[1], 20.0)], VIX, {DAYS[0]: 5000.0, DAYS[2]: 5000.0}),
        ([(DAYS[0], 20.5), (DAYS[1], 20.0)], VIX, {}),
        ([(DAYS[0], 20.5)], VIX, SPX),
        ([], VIX, SPX),
    ],
)
def test_what_is_missing_gives_no_move(
    prices: list[tuple[date, float]], vix: Mapping[date, float], spx: Mapping[date, float]
) -> None:
    """A gap in the contract, in VIX or in SPX is never bridged."""
    assert len(forward_moves({SETTLES: prices}, vix, spx).days) == 0


def test_vix_on_a_holiday_is_no_session() -> None:
    """A day that SPX does not have is passed over: the move goes from the session before to the one after."""
    without = {day: close for day, close in SPX.items() if day != DAYS[1]}
    moves = forward_moves({SETTLES: [(DAYS[0], 20.5), (DAYS[2], 20.0)]}, VIX, without)
    assert (moves.vix.tolist(), moves.spx_pct.tolist()) == ([0.5], [0.0])


@pytest.mark.parametrize(
    "make",
    [
        lambda: moves_of((1.0, math.nan, 0.0, 0.0)),
        lambda: moves_of((1.0, 0.0, math.inf, 0.0)),
        lambda: ForwardMoves(days=np.ones(2), forward=np.ones(1), vix=np.ones(2), spx_pct=np.ones(2)),
        lambda: ForwardMoves(days=np.ones((1, 1)), forward=np.ones(1), vix=np.ones(1), spx_pct=np.ones(1)),
    ],
)
def test_columns_that_are_no_moves_are_refused(make: Callable[[], object]) -> None:
    """NaN, infinity, different lengths."""
    with pytest.raises(InvalidValueError, match="moves must be"):
        make()


# pooling --------------------------------------------------------------------------------------------------------

VALUES = st.lists(st.tuples(st.floats(-10.0, 10.0), st.floats(0.1, 10.0)), min_size=1, max_size=12)


@given(VALUES)
def test_pooling_falls_and_keeps_the_weighted_mean(drawn: list[tuple[float, float]]) -> None:
    """What comes out never rises, has the same mean, and is a fixed point."""
    values, weights = zip(*drawn, strict=True)
    found = pooled(values, weights)
    assert list(found) == sorted(found, reverse=True)
    assert np.average(found, weights=weights) == pytest.approx(np.average(values, weights=weights), abs=1e-9)
    assert pooled(found, weights) == pytest.approx(found)


@given(VALUES, st.lists(st.floats(-10.0, 10.0), min_size=12, max_size=12))
def test_no_other_falling_sequence_is_nearer(drawn: list[tuple[float, float]], other: list[float]) -> None:
    """Least squares: whatever falls lies at least as far from the values."""
    values, weights = (np.array(column) for column in zip(*drawn, strict=True))
    rival = np.array(sorted(other, reverse=True)[: len(values)])

    def distance(candidate: np.ndarray) -> float:
        return float(weights @ np.square(candidate - values))

    assert distance(np.array(pooled(tuple(values), tuple(weights)))) <= distance(rival) + 1e-9


@pytest.mark.parametrize(
    ("values", "weights", "expected"),
    [
        ((), (), ()),
        ((1.0,), (2.0,), (1.0,)),
        ((3.0, 2.0, 1.0), (1.0, 1.0, 1.0), (3.0, 2.0, 1.0)),
        ((1.0, 2.0, 3.0), (1.0, 1.0, 1.0), (2.0, 2.0, 2.0)),
        ((1.0, 2.0), (3.0, 1.0), (1.25, 1.25)),
        ((3.0, 1.0, 2.0, 2.5), (1.0, 1.0, 1.0, 1.0), (3.0, 5.5 / 3, 5.5 / 3, 5.5 / 3)),
    ],
)
def test_pooling_by_hand(values: tuple[float, ...], weights: tuple[float, ...], expected: tuple[float, ...]) -> None:
    """Violators become their weighted mean, backwards as far as needed."""
    assert pooled(values, weights) == pytest.approx(expected)


def test_the_worked_numbers_are_true() -> None:
    """The example in the docstring, which is the table's own pooling."""
    told = doctest.testmod(estimate)
    assert (told.failed, told.attempted) == (0, 1)


@pytest.mark.parametrize(("values", "weights"), [((1.0,), ()), ((1.0,), (0.0,)), ((1.0,), (math.nan,))])
def test_pooling_needs_a_positive_weight_for_each_value(values: tuple[float, ...], weights: tuple[float, ...]) -> None:
    """Anything else is a caller's error."""
    with pytest.raises(InvalidValueError, match="one positive weight a value"):
        pooled(values, weights)


# the scale ------------------------------------------------------------------------------------------------------


def closes(slope: float, *, sessions: int = 252, before: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Closes in which VIX moves by ``slope`` per percent of SPX; ``before`` sessions of the opposite come first."""
    chance = random.Random(7)
    percents = [chance.gauss(0.0, 1.0) for _ in range(before + sessions)]
    vix, spx = [500.0], [5000.0]
    for number, percent in enumerate(percents):
        spx.append(spx[-1] * (1.0 + percent / 100.0))
        vix.append(vix[-1] + (slope if number >= before else -slope) * percent)
    return np.array(vix), np.array(spx)


@pytest.mark.parametrize(
    ("slope", "value"),
    [(-1.38, 1.0), (-2.07, 1.5), (-0.828, 0.6), (-0.5, 0.6), (-2.346, 1.7), (-5.0, 1.7), (1.0, 0.6)],
)
def test_the_scale_is_the_present_slope_over_the_long_run_one(slope: float, value: float) -> None:
    """Clipped to 0.6 and 1.7, also where VIX would rise with SPX; the slope itself is told unclipped."""
    found = rolling_scale(*closes(slope), SETTINGS)
    assert isinstance(found, Scale)
    assert found.value == pytest.approx(value)
    assert found.slope == pytest.approx(slope)
    assert found.sessions == 252


def test_only_the_last_year_counts() -> None:
    """What came before the 252 moves changes nothing."""
    assert rolling_scale(*closes(-1.5, before=300), SETTINGS).value == pytest.approx(1.5 / 1.38)  # type: ignore[union-attr]


@pytest.mark.parametrize(("sessions", "why"), [(251, "has 251"), (0, "has 0")])
def test_a_short_history_has_no_scale(sessions: int, why: str) -> None:
    """One move short of a year is said, not filled."""
    found = rolling_scale(*closes(-1.5, sessions=sessions), SETTINGS)
    assert isinstance(found, NoScale)
    assert found.why == f"the scale needs 252 moves of common sessions, {why}"
    assert isinstance(rolling_scale(np.array([]), np.array([]), SETTINGS), NoScale)


def test_an_index_that_stands_still_has_no_scale() -> None:
    """Without a move of SPX there is no slope."""
    found = rolling_scale(np.linspace(10, 20, 253), np.full(253, 5000.0), SETTINGS)
    assert found == NoScale(why="SPX did not move over the last 252 sessions")


@pytest.mark.parametrize("wrong", [0.0, -1.0, math.nan, math.inf])
def test_closes_that_are_none_are_refused(wrong: float) -> None:
    """Zero, negative, NaN and infinity, in either column; different lengths too."""
    vix, spx = closes(-1.5)
    for column in (vix, spx):
        kept, column[100] = column[100], wrong
        with pytest.raises(InvalidValueError, match="closes must be finite and positive"):
            rolling_scale(vix, spx, SETTINGS)
        column[100] = kept
    with pytest.raises(InvalidValueError, match="of one length"):
        rolling_scale(vix, spx[1:], SETTINGS)


@needs_data
def test_the_real_scale_of_the_long_run_is_one() -> None:
    """The median year since 2010 lies within a tenth of the long-run slope, and no year stands beyond 0.4 to 1.8."""
    vix, spy = real_closes("VIX"), real_closes("SPY")
    days = [day for day in sorted(vix.keys() & spy.keys()) if day >= date(2009, 9, 16)]
    columns = np.array([vix[day] for day in days]), np.array([spy[day] for day in days])
    wide = SensitivitySettings(scale_bounds=(0.01, 10.0))
    values = []
    for end in range(253, len(days) + 1, 21):
        found = rolling_scale(columns[0][:end], columns[1][:end], wide)
        assert isinstance(found, Scale)
        values.append(found.value)
    assert np.median(values) == pytest.approx(1.0, abs=0.1)
    assert 0.4 < min(values) < max(values) < 1.8


# settings -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong",
    [
        {"buckets": ()},
        {"buckets": ((0, 5),)},
        {"buckets": ((5, 1),)},
        {"buckets": ((1, 5), (5, 9))},
        {"buckets": ((6, 9), (1, 5))},
        {"least_moves": 2},
        {"scale_sessions": 2},
        {"long_run_vix_per_percent": 0.0},
        {"long_run_vix_per_percent": math.nan},
        {"beta_bounds": (1.0, 0.0)},
        {"spx_move_bounds": (-math.inf, 0.0)},
        {"scale_bounds": (1.0, 1.0)},
    ],
)
def test_settings_without_a_meaning_are_refused(wrong: dict[str, object]) -> None:
    """Ranges ascend without overlapping, bounds ascend, a slope has three points, VIX falls when SPX rises."""
    with pytest.raises(InvalidValueError):
        SensitivitySettings(**wrong)  # type: ignore[arg-type] - by name


def test_the_ranges_stand_where_the_constants_in_use_stand() -> None:
    """The middles of the default ranges are the days of the curves in the pricing."""
    middles = [(first + last) / 2 for first, last in SETTINGS.buckets]
    curves: tuple[Curve, ...] = (BETA_POINTS, SPX_MOVE_POINTS)
    assert all([day for day, _ in curve] == middles for curve in curves)
    assert CurveEstimate(buckets=(), left_out=()).beta_curve() == ()
