"""Where condors break even net of their hedge, how far SPX is expected to move, and what a plan may not bring."""

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.break_evens import (
    BreakEvens,
    ExpectedMove,
    MoveSource,
    NoBreakEvens,
    break_evens,
    brings_inside,
    expected_move,
    payoff_of,
)
from bot.domain.errors import InvalidValueError
from bot.domain.instrument import SPX, VIX, Right
from bot.domain.portfolio import Condor
from bot.domain.snapshot import Snapshot
from bot.valuation import Unvalued, ValuationSettings, Valuer
from risk.limits import RiskLimits
from tests.builders import Scenery, an_option

LIMITS = RiskLimits()
MOVES = LIMITS.break_even_moves
SCENERY = Scenery(condors=10)
EXPIRY = date(2026, 12, 4)


def a_condor(strikes: Sequence[int] = (6375, 6400, 7100, 7125), count: int = 10, trading_class: str = "SPXW") -> Condor:
    """Iron condors 25 points wide."""
    rights = (Right.PUT, Right.PUT, Right.CALL, Right.CALL)
    long_put, short_put, short_call, long_call = (
        an_option(strike, EXPIRY, trading_class=trading_class, right=right)
        for strike, right in zip(strikes, rights, strict=True)
    )
    return Condor(long_put=long_put, short_put=short_put, short_call=short_call, long_call=long_call, count=count)


def _levels(credit: int | str, cost: int | str = 0, *condors: Condor) -> BreakEvens:
    found = break_evens(condors or (a_condor(),), Decimal(credit), Decimal(cost))
    assert isinstance(found, BreakEvens), found
    return found


def _between(lower: float | None, upper: float | None) -> BreakEvens:
    return BreakEvens(credit_usd=Decimal(1), lower=lower, upper=upper)


def _move(points: float) -> ExpectedMove:
    return ExpectedMove(points=points, source=MoveSource.VIX)


# break-evens ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("credit", "cost", "lower", "upper"),
    [
        (6800, 0, 6393.2, 7106.8),
        (6800, 2720, 6395.92, 7104.08),
        (1000, 0, 6399.0, 7101.0),
        (24_999, 0, 6375.001, 7124.999),
        (25_000, 0, 6375.0, 7125.0),
        (25_001, 0, None, None),
    ],
)
def test_the_credit_per_condor_lies_between_short_strike_and_break_even(
    credit: int, cost: int, lower: float | None, upper: float | None
) -> None:
    """Ten condors: 6,800 USD are 6.80 points each, after 40 % for the hedge 4.08; above the wing there is no end."""
    found = _levels(credit, cost)
    assert found.lower == (None if lower is None else pytest.approx(lower))
    assert found.upper == (None if upper is None else pytest.approx(upper))
    assert found.credit_usd == credit - cost


def test_different_condors_of_a_cohort_break_even_together() -> None:
    """The inner condor loses first; once its wing is gone the outer ones eat the rest of the credit."""
    inner, outer = a_condor((6475, 6500, 7000, 7025), count=1), a_condor((6375, 6400, 7100, 7125), count=1)
    found = _levels(3000, 0, inner, outer)
    assert (found.lower, found.upper) == (pytest.approx(6395.0), pytest.approx(7105.0))
    shallow = _levels(1000, 0, outer, inner)
    assert (shallow.lower, shallow.upper) == (pytest.approx(6490.0), pytest.approx(7010.0))


def test_an_unequal_wing_keeps_its_own_side() -> None:
    """With a wider put wing a credit may end the call side and not the put side."""
    found = _levels(2600, 0, a_condor((6350, 6400, 7100, 7125), count=1))
    assert (found.lower, found.upper) == (pytest.approx(6374.0), None)


@pytest.mark.parametrize(
    ("condors", "credit", "cost", "why"),
    [
        ((), 1000, 0, "the cohort holds no condor"),
        ((a_condor(),), 0, 0, "the hedge costs 0 of 0 USD credit: nothing is left to keep"),
        ((a_condor(),), 1000, 1000, "the hedge costs 1000 of 1000 USD credit: nothing is left to keep"),
        ((a_condor(),), 1000, 1400, "the hedge costs 1400 of 1000 USD credit: nothing is left to keep"),
        (
            (a_condor(), a_condor((7100, 7150, 7300, 7325))),
            1000,
            0,
            "a put is short at 7150 and a call at 7100: the condors overlap",
        ),
        (
            (a_condor(), a_condor((7075, 7100, 7300, 7325))),
            1000,
            0,
            "a put is short at 7100 and a call at 7100: the condors overlap",
        ),
    ],
)
def test_what_breaks_even_nowhere_says_why(condors: tuple[Condor, ...], credit: int, cost: int, why: str) -> None:
    """No condor, no credit left, or condors that overlap: no number stands for that."""
    assert break_evens(condors, Decimal(credit), Decimal(cost)) == NoBreakEvens(why=why)


def test_condors_of_two_cohorts_are_refused() -> None:
    """AM and PM settlement are never mixed."""
    with pytest.raises(InvalidValueError, match="one class and expiry"):
        break_evens((a_condor(), a_condor(trading_class="SPX")), Decimal(1000))


def test_words_name_levels_and_credit() -> None:
    """The line that an operator reads."""
    assert _levels(6800, 0).words == "break-evens 6393.20 and 7106.80 with 6800 USD of credit"
    assert _between(None, None).words == "break-evens none below and none above with 1 USD of credit"


@given(credit=st.integers(1, 24_999), cost=st.integers(0, 24_998), count=st.integers(1, 50), times=st.integers(1, 20))
def test_the_hedge_only_narrows_and_size_does_not_matter(credit: int, cost: int, count: int, times: int) -> None:
    """A cost moves both break-evens inward by the same points; k times condors, credit and cost change nothing."""
    condor = a_condor(count=count)
    if not 0 <= cost < credit or credit > 2_500 * count:
        return
    gross, net = _levels(credit, 0, condor), _levels(credit, cost, condor)
    assert gross.lower is not None
    assert gross.upper is not None
    assert net.lower is not None
    assert net.upper is not None
    shift = cost / (100 * count)
    assert net.lower - gross.lower == pytest.approx(shift, abs=1e-6)
    assert gross.upper - net.upper == pytest.approx(shift, abs=1e-6)
    scaled = _levels(credit * times, cost * times, a_condor(count=count * times))
    assert scaled.lower == pytest.approx(net.lower)
    assert scaled.upper == pytest.approx(net.upper)


@given(
    credit=st.integers(1, 20_000),
    inner=st.integers(1, 10),
    outer=st.integers(1, 10),
    apart=st.integers(0, 40),
)
def test_at_a_break_even_the_loss_is_the_credit(credit: int, inner: int, outer: int, apart: int) -> None:
    """Whatever the mixture of condors, their loss at the level found equals what they took in."""
    condors = (
        a_condor((6475, 6500, 7000, 7025), count=inner),
        a_condor((6475 - 5 * apart, 6500 - 5 * apart, 7000 + 5 * apart, 7025 + 5 * apart), count=outer),
    )
    found = _levels(credit, 0, *condors)
    for level in (found.lower, found.upper):
        if level is not None:
            assert _loss_usd(condors, level) == pytest.approx(credit, abs=0.01)
        else:
            assert credit >= 2_500 * (inner + outer)


def _loss_usd(condors: Sequence[Condor], level: float) -> float:
    total = 0.0
    for condor in condors:
        long_put, short_put, short_call, long_call = (float(leg.strike or 0) for leg in condor.legs)
        put = min(max(short_put - level, 0.0), short_put - long_put)
        call = min(max(level - short_call, 0.0), long_call - short_call)
        total += 100 * condor.count * (put + call)
    return total


# what a plan brings -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after", "blocked"),
    [
        (_between(6400.0, 7200.0), _between(6400.0, 7200.0), ""),
        (_between(6400.0, 7200.0), _between(6500.0, 7100.0), ""),
        (_between(6400.0, 7200.0), _between(6500.1, 7200.0), "lower"),
        (_between(6400.0, 7200.0), _between(6400.0, 7099.9), "upper"),
        (_between(6600.0, 7200.0), _between(6650.0, 7200.0), ""),
        (_between(6600.0, 7200.0), _between(6650.0, 7050.0), "upper"),
        (_between(6900.0, 7200.0), _between(6950.0, 7200.0), ""),
        (_between(None, None), _between(6400.0, None), ""),
        (_between(None, None), _between(6600.0, None), "lower"),
        (_between(None, None), _between(None, None), ""),
        (NoBreakEvens(why="no credit"), _between(6700.0, 6900.0), ""),
        (NoBreakEvens(why="no credit"), NoBreakEvens(why="no credit"), ""),
        (_between(6400.0, 7200.0), NoBreakEvens(why="nothing is left"), "nothing is left"),
    ],
)
def test_a_plan_brings_no_break_even_inside_the_expected_move(
    before: BreakEvens | NoBreakEvens, after: BreakEvens | NoBreakEvens, blocked: str
) -> None:
    """SPX at 6800, 300 points expected: exactly 300 away is outside; what is inside already never blocks."""
    found = brings_inside(before, after, 6800.0, _move(300.0), MOVES)
    assert bool(found) is bool(blocked)
    assert blocked in found


@given(
    credit=st.integers(0, 60_000),
    charges=st.tuples(st.integers(0, 30_000), st.integers(0, 5_000), st.integers(0, 30_000)),
    spot=st.floats(6200.0, 7300.0),
    points=st.floats(0.0, 800.0),
    counts=st.tuples(st.integers(1, 10), st.integers(1, 10)),
)
def test_what_is_harmless_meets_no_objection(
    credit: int, charges: tuple[int, int, int], spot: float, points: float, counts: tuple[int, int]
) -> None:
    """A charge below the harmless one brings nothing inside, whatever of it was there before the order."""
    (charged, before, more), (inner, outer) = charges, counts
    payoff = payoff_of((a_condor((6475, 6500, 7000, 7025), inner), a_condor((6375, 6400, 7100, 7125), outer)))
    harmless = payoff.harmless_usd(Decimal(credit), Decimal(charged), spot, points)
    was = payoff.break_evens(Decimal(credit), Decimal(charged + before))
    for cost in {charged + before + more, int(harmless) - 1}:
        if charged + before <= cost < harmless:
            after = payoff.break_evens(Decimal(credit), Decimal(cost))
            assert brings_inside(was, after, spot, _move(points), 1.0) == ""


def test_harmless_ends_where_a_break_even_is_brought_inside() -> None:
    """Ten condors, 6,800 USD: the lower break-even reaches 6398, 402 points away, once 4,800 USD are charged."""
    payoff = payoff_of((a_condor(),))
    assert payoff.harmless_usd(Decimal(6800), Decimal(0), 6800.0, 402.0) == Decimal(4799)
    assert payoff.harmless_usd(Decimal(6800), Decimal(0), 6800.0, 390.0) == Decimal(6799)
    assert payoff.harmless_usd(Decimal(6800), Decimal(0), 6800.0, 450.0) == Decimal(6799)  # both are inside already
    assert payoff_of(()).harmless_usd(Decimal(6800), Decimal(0), 6800.0, 390.0) < 0


def test_the_objection_has_its_figures() -> None:
    """Which side, how near, and what was expected."""
    found = brings_inside(_between(6400.0, 7200.0), _between(6510.0, 7200.0), 6800.0, _move(300.0), MOVES)
    assert found == (
        "the lower break-even would come within 290.00 points of SPX at 6800.00, "
        "inside the expected move of 300.00 (vix)"
    )


def test_two_moves_may_be_asked_for() -> None:
    """A stricter setting keeps the break-evens farther out."""
    after = _between(6460.0, 7300.0)
    assert brings_inside(_between(6300.0, 7300.0), after, 6800.0, _move(300.0), MOVES) == ""
    assert brings_inside(_between(6300.0, 7300.0), after, 6800.0, _move(300.0), 1.5)


# the expected move ------------------------------------------------------------------------------------------------


def _expected(snapshot: Snapshot) -> ExpectedMove | Unvalued:
    return expected_move(SCENERY.opening.condors[0], Valuer(snapshot, ValuationSettings()), LIMITS.straddle_reach_frac)


def _with_straddle(strike: int, *rights: Right) -> Snapshot:
    """The reference moment with options of one more strike listed and quoted."""
    snapshot = SCENERY.snapshot()
    settlement = SCENERY.opening.condors[0].settlement
    options = [
        one
        for one in SCENERY.universe.options("SPXW", settlement)
        if one.strike == strike and one.right in (rights or (Right.PUT, Right.CALL))
    ]
    return replace(
        snapshot,
        universe={**snapshot.universe, **{one.key: one for one in options}},
        quotes={**snapshot.quotes, **{one.key: SCENERY.quote(one) for one in options}},
    )


def test_without_a_straddle_vix_says_what_is_expected() -> None:
    """At VIX 18 and 45 days a straddle at the money would cost about 343 points, and VIX implies that much."""
    found = _expected(SCENERY.snapshot())
    assert isinstance(found, ExpectedMove)
    days = (SCENERY.opening.condors[0].settlement - SCENERY.at.date()).days
    assert found.source is MoveSource.VIX
    assert found.points == pytest.approx(6800 * 0.18 * math.sqrt(days / 365) * math.sqrt(2 / math.pi), rel=0.01)


def test_a_straddle_at_the_money_is_asked_first() -> None:
    """The one nearest the forward is what its two middles cost, and near to what VIX would have said."""
    snapshot = _with_straddle(6825)
    found = _expected(snapshot)
    by_vix = _expected(SCENERY.snapshot())
    assert isinstance(found, ExpectedMove)
    assert isinstance(by_vix, ExpectedMove)
    settlement = SCENERY.opening.condors[0].settlement
    middles = [
        snapshot.quotes[an_option(6825, settlement, trading_class="SPXW", right=right).key].mid for right in Right
    ]
    assert (found.points, found.source) == (pytest.approx(sum(middles)), MoveSource.STRADDLE)
    assert found.points == pytest.approx(by_vix.points, rel=0.2)


@pytest.mark.parametrize(
    "snapshot",
    [_with_straddle(6825, Right.PUT), _with_straddle(6825, Right.CALL), _with_straddle(6950)],
    ids=["put alone", "call alone", "too far from the money"],
)
def test_half_a_straddle_or_a_far_one_is_none(snapshot: Snapshot) -> None:
    """One side alone, or a strike two percent away, leaves the answer to VIX."""
    found = _expected(snapshot)
    assert isinstance(found, ExpectedMove)
    assert found.source is MoveSource.VIX


@pytest.mark.parametrize("index", [SPX, VIX])
def test_without_levels_nothing_is_expected(index: object) -> None:
    """No SPX, or no VIX where no straddle is quoted: unknown, with the reason."""
    snapshot = SCENERY.snapshot()
    key = getattr(index, "key", "")
    levels = {name: level for name, level in snapshot.levels.items() if name != key}
    assert _expected(replace(snapshot, levels=levels)) == Unvalued(reason=f"{key}: no level")


# values -----------------------------------------------------------------------------------------------------------


def test_values_refuse_what_cannot_be() -> None:
    """Crossed break-evens, a negative distance, an absence without a reason."""
    with pytest.raises(InvalidValueError, match="ascend"):
        _between(7000.0, 6900.0)
    with pytest.raises(InvalidValueError, match="points"):
        _move(-1.0)
    with pytest.raises(InvalidValueError, match="why"):
        NoBreakEvens(why="")
