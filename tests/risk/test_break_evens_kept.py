"""No order brings a break-even inside the expected move; one that is inside already never blocks a hedge (M8)."""

from dataclasses import replace
from decimal import Decimal

import pytest

from bot.break_evens import BreakEvens, ExpectedMove, break_evens, expected_move
from bot.domain.decision import Rule
from bot.domain.instrument import SPX, VIX
from bot.domain.snapshot import Snapshot
from bot.valuation import ValuationSettings, Valuer
from risk.checks.hedge_cost import cost_report
from risk.limits import RiskLimits
from tests.builders import an_order
from tests.risk.scenes import LIMITS, a_build, an_unwind, calm_noon, checked_by, holding, scene_of, with_book
from tests.risk.wing_scenes import a_roll, leaning, with_credit

JUST = 1e-9
"""Fractions closer than this are the same level."""


def _moves_to_the_break_even(snapshot: Snapshot) -> float:
    """How many expected moves the nearer break-even stands away, with all that is on its way charged."""
    (cost,) = cost_report(scene_of(snapshot)).cohorts
    condors = snapshot.book.condors
    levels = break_evens(condors, cost.credit_usd, cost.charge_usd)
    move = expected_move(condors[0], Valuer(snapshot, ValuationSettings()), LIMITS.straddle_reach_frac)
    assert isinstance(levels, BreakEvens)
    assert isinstance(move, ExpectedMove)
    assert levels.lower is not None
    assert levels.upper is not None
    spot = snapshot.levels[SPX.key]
    return min(spot - levels.lower, levels.upper - spot) / move.points


def _asking(moves: float) -> RiskLimits:
    return replace(LIMITS, break_even_moves=moves)


def test_the_reference_book_has_room() -> None:
    """A purchase of spreads leaves both break-evens outside the expected move."""
    assert _moves_to_the_break_even(calm_noon()) > 1.0
    assert checked_by(Rule.BREAK_EVENS, a_build(2)).passed


@pytest.mark.control("C31")
def test_an_order_that_brings_a_break_even_inside_is_refused_with_the_figures() -> None:
    """It stands just outside; what the hedge costs brings it inside, and the record names cohort, side and points."""
    limits = _asking(_moves_to_the_break_even(calm_noon()) * (1 - JUST))
    checked = checked_by(Rule.BREAK_EVENS, a_build(), limits=limits)
    assert (checked.passed, checked.size_can_cure) == (False, True)
    assert "SPXW:2026-12-04: the " in str(checked.found)
    assert "inside the expected move of" in str(checked.found)


def test_a_break_even_that_is_inside_already_blocks_nothing() -> None:
    """Nobody refuses protection because the condors stand badly."""
    limits = _asking(_moves_to_the_break_even(calm_noon()) * (1 + 1e-6))
    assert checked_by(Rule.BREAK_EVENS, a_build(5), limits=limits).passed


def test_what_is_on_its_way_counts_as_spent() -> None:
    """Beside an order at its worst the next one is what brings the break-even inside."""
    build = a_build(2)
    beside = with_book(calm_noon(), orders={build.intent_id: an_order(build)})
    limits = _asking(_moves_to_the_break_even(beside) * (1 - JUST))
    assert checked_by(Rule.BREAK_EVENS, a_build(intent_id="next"), limits=limits).passed  # without the other
    assert not checked_by(Rule.BREAK_EVENS, a_build(2, intent_id="next"), beside, limits=limits).passed


def test_a_rolls_cost_brings_a_break_even_inside_as_well() -> None:
    """Debit and fees are gone from the credit; the wider wing itself moves no break-even."""
    limits = _asking(_moves_to_the_break_even(leaning()) * (1 - JUST))
    assert not checked_by(Rule.BREAK_EVENS, a_roll(5, limit="0.30"), leaning(), limits=limits).passed
    beside = with_book(leaning(), orders={"roll": an_order(a_roll(5, limit="0.30"))})
    assert checked_by(Rule.BREAK_EVENS, a_build(), beside).passed


def test_a_wider_wing_that_can_lose_the_credit_has_a_break_even_of_its_own() -> None:
    """A credit above the old wing could not be lost on that side; with the wider wing it can, inside the reach."""
    checked = checked_by(Rule.BREAK_EVENS, a_roll(10), with_credit("26500"), limits=_asking(1.3))
    assert not checked.passed
    assert "the lower break-even would come within" in str(checked.found)


def test_an_order_that_only_closes_passes() -> None:
    """Selling the overlay never has to wait for a break-even."""
    limits = _asking(_moves_to_the_break_even(calm_noon()) * (1 - JUST))
    assert checked_by(Rule.BREAK_EVENS, an_unwind(), holding(2), limits=limits).note == "closes only"


def test_a_cohort_without_credit_has_no_break_even_to_be_kept() -> None:
    """Where nothing is left to keep, the rule holds nothing against an order; the cap does."""
    assert checked_by(Rule.BREAK_EVENS, a_build(), with_credit("0")).passed
    assert not checked_by(Rule.HEDGE_COST_CAP_BOOK, a_build(), with_credit("0")).passed


def test_an_order_that_leaves_nothing_to_keep_is_refused() -> None:
    """With the whole credit spent there is no break-even any more."""
    (cost,) = cost_report(scene_of(calm_noon())).cohorts
    almost = with_credit(str(cost.charge_usd + Decimal("0.01")))
    assert "nothing is left to keep" in str(checked_by(Rule.BREAK_EVENS, a_build(), almost).found)


@pytest.mark.parametrize("index", [SPX, VIX])
def test_without_levels_nothing_is_added(index: object) -> None:
    """A missing straddle leaves the answer to VIX; a missing index leaves none, and refuses."""
    key = getattr(index, "key", "")
    levels = {name: level for name, level in calm_noon().levels.items() if name != key}
    checked = checked_by(Rule.BREAK_EVENS, a_build(), replace(calm_noon(), levels=levels))
    assert (checked.passed, checked.note) == (False, f"the expected move is unknown: {key}: no level")
