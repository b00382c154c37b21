"""What REDUCE_ONLY lets through: an order that reduces the risk of the whole book, never one that counts contracts.

How it works: condors and sleeve are taken together through the scenarios of M11, with and without the order. Where SPX
falls and VIX rises the worst loss must not grow; in every other scenario the loss may grow by no more than the order
pays in premium and fees, which the cost cap has judged. What always holds: losses are convex in the filled quantity, so
that an order that passes whole passes with every part of it filled; combos go out guaranteed, so that their legs cannot
fill apart; what cannot be valued reduces nothing.
"""

from dataclasses import dataclass
from typing import Final

from bot.domain.decision import Checked
from bot.domain.orders import OrderIntent
from bot.valuation import SPX_OPTION_CLASSES, Unvalued
from risk.checks.stress_loss import LEAST_USD, SETTINGS, plan_stress, premium_usd
from risk.scene import CLOSES_ONLY, Scene
from risk.stress import Outcome, Scenario, book_stress, units_stress
from risk.wings import is_roll

LEAST_FALL_FRAC: Final = 0.03
"""Section 2.3: a fall of SPX by 3 % or more with VIX up is what the hedge is for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reducing:
    """Whether an order reduces, and the words for the record."""

    passed: bool
    why: str


def reducing(intent: OrderIntent, scene: Scene) -> Reducing:
    """Return whether an order reduces the risk of the book for every fill of it.

    Three conditions of the definition are judged elsewhere in the gate, for every order: no short contract without its
    cover, no limit newly breached, and none that is breached worsened by more than premium and fees.

    Source: docs/risk-controls.md, section 2.3.
    """
    if is_roll(intent):
        return Reducing(passed=False, why="the roll of a wing raises what the condors can lose")
    stress = plan_stress(intent, scene)
    if isinstance(stress, Unvalued):
        passed = scene.buys_back(intent) and _sleeve_is_valued(intent, scene)
        also = "; but the sleeve can, and it only buys back what is held short"
        return Reducing(passed=passed, why=f"the book cannot be valued: {stress.reason}{also if passed else ''}")
    paid = premium_usd(intent, scene) + float(scene.fees.of_intent(intent, intent.quantity))
    held = stress.before.outcomes
    after = stress.before.plus(stress.unit.times(intent.quantity)).outcomes
    worst_before, worst_after = worst_in_a_fall(held), worst_in_a_fall(after)
    if worst_after > worst_before + LEAST_USD:
        why = f"in a fall the book would lose {worst_after:.2f} USD at worst instead of {worst_before:.2f}"
        return Reducing(passed=False, why=why)
    for before, then in zip(held, after, strict=True):
        rise = before.book_usd - then.book_usd
        if not is_fall_with_vix_up(before.scenario) and rise > paid + LEAST_USD:
            why = f"{before.scenario.name}: {rise:.2f} USD more would be lost, {paid:.2f} are paid for it"
            return Reducing(passed=False, why=why)
    return Reducing(passed=True, why="reduces: no worse in a fall, elsewhere by its premium and fees at most")


def past(refused: Checked, intent: OrderIntent, scene: Scene) -> Checked:
    """Return what a rule says of an order against which its limit stands: what closes or reduces passes all the same.

    One that closes alone passes also where the limit's use is unknown; one that reduces only where it is known, because
    what nobody can tell is no ground for an exception.
    """
    rule = refused.rule
    if scene.closes_only(intent):
        found, limit = (CLOSES_ONLY if one is None else one for one in (refused.found, refused.limit))
        return Checked.holds(rule=rule, passed=True, found=found, limit=limit, note=CLOSES_ONLY)
    if refused.found is None or refused.limit is None:
        return refused
    judged = reducing(intent, scene)
    if not judged.passed:
        return refused
    return Checked.holds(rule=rule, passed=True, found=refused.found, limit=refused.limit, note=judged.why)


def is_fall_with_vix_up(scenario: Scenario) -> bool:
    """Return whether a scenario is one of those in which the hedge must help.

    >>> from risk.stress import GRID
    >>> [one.name for one in GRID if is_fall_with_vix_up(one)]
    ['crash', 'severe fall', 'sharp fall', 'fall', 'fall, VIX sluggish']
    """
    return scenario.spx_frac <= -LEAST_FALL_FRAC and (scenario.vix_points > 0.0 or scenario.vix_frac > 0.0)


def _sleeve_is_valued(intent: OrderIntent, scene: Scene) -> bool:
    """The condors alone are what cannot be valued: a call bought back loses its premium at most, whatever comes."""
    held = scene.snapshot.book.positions
    sleeve = {key: held[key] for key in held if held[key].instrument.trading_class not in SPX_OPTION_CLASSES}
    known = book_stress(sleeve, scene.valuer, SETTINGS), units_stress(((intent.legs, 1),), scene.valuer, SETTINGS)
    return not any(isinstance(stress, Unvalued) for stress in known)


def worst_in_a_fall(outcomes: tuple[Outcome, ...]) -> float:
    """Return the largest loss over the falls with VIX up (R_down), USD; negative where all of them gain."""
    return max(-outcome.book_usd for outcome in outcomes if is_fall_with_vix_up(outcome.scenario))
