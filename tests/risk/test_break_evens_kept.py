"""No order brings a break-even inside the expected move; one that is inside already never blocks a hedge (M8)."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from bot.break_evens import BreakEvens, ExpectedMove, break_evens, expected_move
from bot.domain.decision import Rule
from bot.domain.instrument import SPX, VIX
from bot.domain.snapshot import Snapshot
from bot.valuation import Unvalued, ValuationSettings, Valuer
from risk.checks.break_evens import harmless_usd, nearest_break_evens
from risk.checks.hedge_cost import cost_report
from risk.limits import RiskLimits
from risk.scene import Scene
from tests.builders import an_order
from tests.risk.scenes import CHECK_OF, LIMITS, a_build, an_unwind, calm_noon, checked_by, holding, scene_of, with_book
from tests.risk.wing_scenes import a_roll, leaning, with_credit

JUST = 1e-9
"""Fractions closer than this are the same level."""
NAME = calm_noon().book.cohorts[0].name
"""The one cohort of the reference book."""


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


def _nearest(scene: Scene, cohort: str = NAME) -> tuple[float, str]:
    """How many expected moves away the nearest break-even of a cohort is told to be, with the words."""
    told = nearest_break_evens(scene)[cohort]
    assert isinstance(told, tuple)
    return told


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


@pytest.mark.parametrize("is_working", [True, False])
@pytest.mark.control("C31")
def test_a_roll_before_an_order_has_spent_its_part_of_the_credit(*, is_working: bool) -> None:
    """At work or approved earlier in the plan: a purchase that fits without it is refused beside what it costs."""
    roll = a_roll(5, limit="0.30")
    snapshot = with_book(leaning(), orders={"roll": an_order(roll)} if is_working else {})
    earlier = () if is_working else (roll,)
    (was, _), (near, _) = _nearest(scene_of(leaning())), _nearest(scene_of(snapshot, earlier=earlier))
    assert near < was
    limits = _asking(near * (1 - JUST))
    assert checked_by(Rule.BREAK_EVENS, a_build(), leaning(), limits=limits).passed
    assert not checked_by(Rule.BREAK_EVENS, a_build(), snapshot, limits=limits, earlier=earlier).passed


@pytest.mark.parametrize("is_working", [True, False])
@pytest.mark.control("C31")
def test_the_condors_are_those_that_a_roll_on_its_way_leaves(*, is_working: bool) -> None:
    """The old wings cannot lose the credit, the rolled one can: its break-even counts before the roll has filled."""
    rich, roll = with_credit("26500"), a_roll(10)
    snapshot = with_book(rich, orders={"roll": an_order(roll)} if is_working else {})
    earlier = () if is_working else (roll,)
    near, words = _nearest(scene_of(snapshot, earlier=earlier))
    assert words.startswith("break-evens 6369.70 and none above")
    assert _nearest(scene_of(rich))[1].startswith("break-evens none below and none above")
    limits = _asking(near * (1 - JUST))
    checked = checked_by(Rule.BREAK_EVENS, a_build(), snapshot, limits=limits, earlier=earlier)
    assert "the lower break-even would come within" in str(checked.found)
    assert checked_by(Rule.BREAK_EVENS, a_build(), rich, limits=limits).passed


def _beside_one_without_condors() -> Snapshot:
    """The reference cohort behind an older one of which no condor is held any more."""
    (cohort,) = calm_noon().book.cohorts
    older = replace(cohort, settlement=cohort.settlement - timedelta(days=7))
    return with_book(calm_noon(), cohorts=(older, cohort))


@pytest.mark.control("C31")
def test_every_cohort_is_looked_at() -> None:
    """One that holds no condor says so, and hides no break-even of the next one."""
    moment = _beside_one_without_condors()
    older, name = (cohort.name for cohort in moment.book.cohorts)
    assert nearest_break_evens(scene_of(moment))[older] == Unvalued(reason="the cohort holds no condor")
    limits = _asking(_nearest(scene_of(moment), name)[0] * (1 - JUST))
    checked = checked_by(Rule.BREAK_EVENS, a_build(), moment, limits=limits)
    assert not checked.passed
    assert str(checked.found).startswith(f"{name}: the ")


def test_without_condors_there_is_no_break_even_to_be_kept() -> None:
    """A cohort whose condors are gone stands in the way of nothing."""
    assert checked_by(Rule.BREAK_EVENS, a_build(), with_book(calm_noon(), positions={})).passed


def test_a_move_of_less_than_a_point_is_one() -> None:
    """As long as SPX is expected to move at all, the nearest break-even is told in its moves."""
    levels = {**calm_noon().levels, VIX.key: 0.01}
    near, words = _nearest(scene_of(replace(calm_noon(), levels=levels)))
    assert words.endswith("expected move 0.19 points (vix)")
    assert near > 1000


@pytest.mark.parametrize("moves", [1.15, 1.16])
def test_a_charge_is_harmless_until_it_brings_a_break_even_to_the_edge(moves: float) -> None:
    """With a dollar beyond the figure a break-even stands just as near as it may."""
    scene = scene_of(calm_noon(), limits=_asking(moves))
    spot, condors = calm_noon().levels[SPX.key], calm_noon().book.condors
    (cost,), (harmless,) = cost_report(scene).cohorts, harmless_usd(spot, scene)
    levels = break_evens(condors, cost.credit_usd, harmless + 1)
    move = expected_move(condors[0], scene.valuer, LIMITS.straddle_reach_frac)
    assert isinstance(levels, BreakEvens)
    assert isinstance(move, ExpectedMove)
    assert moves * move.points == pytest.approx(min(levels.rooms(spot).values()))


def test_only_where_no_wing_moves_one_figure_of_the_moment_answers() -> None:
    """A purchase is compared with the harmless charge; for a roll, or beside one, every break-even is looked at."""
    rolling = with_book(leaning(), orders={"roll": an_order(a_roll())})
    for intent, moment, is_asked in (
        (a_build(), leaning(), True),
        (a_roll(), leaning(), False),
        (a_build(), rolling, False),
    ):
        scene = scene_of(moment)
        assert CHECK_OF[Rule.BREAK_EVENS].check(intent, scene).passed
        assert (harmless_usd in {work for work, _ in scene.moment}) is is_asked


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
