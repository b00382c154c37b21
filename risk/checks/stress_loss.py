"""What the sleeve may lose in mean reversion, and how far a plan may worsen the losses of the book (C31, M11)."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from operator import add

from bot.domain.decision import Checked, Rule
from bot.domain.orders import Leg, OrderIntent
from bot.valuation import Unvalued
from risk.scene import CLOSES_ONLY, Scene
from risk.stress import (
    GRID,
    MEAN_REVERSION,
    MEAN_REVERSION_AT,
    NO_STRESS,
    PlanStress,
    Revaluer,
    StressReport,
    StressSettings,
    book_stress,
)
from risk.wings import is_roll

LEAST_USD = 0.01
"""A loss below a cent is rounding, not something that an order worsens."""
SETTINGS = StressSettings()
"""The grid is the project's, not the operator's: whoever could soften it could lift the limits without raising them."""


@dataclass(frozen=True, slots=True)
class MeanReversionLoss:
    """C31: fails when the sleeve's loss in mean reversion is above a fraction of net liquidation.

    The loss counts the sleeve as held, every order on its way that adds to it, this order, and what the rest of its
    plan adds to it. A smaller order can cure it: that is how the overlay is clipped to the largest size that fits. An
    order that does not add to the loss passes, whatever the sleeve itself would lose, and so does one that only closes.

    Source: docs/methodology.md, M11.

    Control: C31, M11.
    Standard: RTS 6 17(4); methodology M11.
    Unit: USD.
    Limits: max_mean_reversion_loss_frac.
    """

    rule: Rule = Rule.MEAN_REVERSION_LOSS

    def check(self, intent: OrderIntent, scene: Scene) -> Checked:
        """Judge the sleeve with the whole plan."""
        limit = worth_frac_usd(scene, scene.limits.max_mean_reversion_loss_frac)
        if scene.closes_only(intent):
            return Checked.holds(rule=self.rule, passed=True, found=CLOSES_ONLY, limit=limit, note=CLOSES_ONLY)
        stress = plan_stress(intent, scene)
        if isinstance(stress, Unvalued) or limit is None:
            return _unknown(self.rule, stress)
        held, unit, rest = (
            report.sleeve_usd[MEAN_REVERSION_AT] for report in (stress.before, stress.unit, stress.rest)
        )
        own = intent.quantity * unit
        loss = _cents(-(held + own + min(0.0, rest)))
        if own > -LEAST_USD:
            note = "the order adds nothing to the loss"
            return Checked.holds(rule=self.rule, passed=True, found=loss, limit=limit, note=note)
        note = MEAN_REVERSION.name
        return Checked.at_most(rule=self.rule, found=loss, limit=limit, note=note, size_can_cure=True)


@dataclass(frozen=True, slots=True)
class WorstLoss:
    """C31: fails when an order, or its plan, worsens a scenario and the book then loses more there than is allowed.

    The book is what is held, with every order on its way filled where that loses. A scenario that is beyond the limit
    already permits whatever does not worsen it by more than the premium that the plan itself pays: a premium is the
    cost cap's matter, and a book that is too large for its account must not lose its protection for it. So the rule
    binds wings and futures, whose losses no premium bounds. An order that only closes passes. The record shows the
    worsened scenario with the largest loss.

    Source: docs/methodology.md, M11; docs/risk-controls.md, section 2.3.

    Control: C31, M11.
    Standard: RTS 6 17(4); methodology M11.
    Unit: USD.
    Limits: max_worst_loss_frac.
    """

    rule: Rule = Rule.WORST_LOSS

    def check(self, intent: OrderIntent, scene: Scene) -> Checked:
        """Judge the step and the end of its plan in every scenario."""
        limit, limit_usd = scene.once(_worst_limit)
        if scene.closes_only(intent):
            return Checked.holds(rule=self.rule, passed=True, found=CLOSES_ONLY, limit=limit, note=CLOSES_ONLY)
        stress = plan_stress(intent, scene)
        if isinstance(stress, Unvalued) or limit is None:
            return _unknown(self.rule, stress)
        loss, name = _worst_worsened(stress, intent, scene, limit_usd)
        if not name:
            note = "the plan worsens no scenario by more than its premium allows"
            return Checked.holds(rule=self.rule, passed=True, found=Decimal(0), limit=limit, note=note)
        return Checked.at_most(rule=self.rule, found=_cents(loss), limit=limit, note=name, size_can_cure=True)


def _worst_limit(scene: Scene) -> tuple[Decimal | None, float]:
    """The limit, USD, exact and as a float; None and infinity while net liquidation was not reported."""
    limit = worth_frac_usd(scene, scene.limits.max_worst_loss_frac)
    return limit, math.inf if limit is None else float(limit)


def _worst_worsened(stress: PlanStress, intent: OrderIntent, scene: Scene, limit_usd: float) -> tuple[float, str]:
    """Return the largest loss, USD, and its scenario among those that the step or its plan worsens; no name: none."""
    before, plan = stress.before.book_usd, (intent, *scene.later)
    may_pay = min(before) < -limit_usd  # only what is beyond the limit already permits a premium
    paid = [premium_usd(one, scene) for one in plan] if may_pay else [0.0]
    step = [intent.quantity * unit for unit in stress.unit.book_usd]
    found = _worsened(before, step, paid[0], limit_usd)
    if scene.later:
        found += _worsened(before, [*map(add, step, stress.rest.book_usd)], sum(paid), limit_usd)
    if not found:
        return 0.0, ""
    loss, place = max(found)
    return loss, GRID[-place].name


def _worsened(
    before: Sequence[float], moves: Sequence[float], premium: float, limit_usd: float
) -> list[tuple[float, int]]:
    """The loss in each scenario that is worsened by more than is allowed, and its place, negative: the first of equals.

    All figures in USD. What is beyond the limit already permits the premium, everything else nothing.
    """
    found = []
    for place, move in enumerate(moves):
        if move <= -LEAST_USD:
            held = before[place]
            allowed = premium if -held > limit_usd else 0.0
            if -move >= allowed + LEAST_USD:
                found.append((-(held + move), -place))
    return found


def premium_usd(intent: OrderIntent, scene: Scene) -> float:
    """What a hedge pays at its limit or at the middle, whichever is more, USD; a future, shares and a wing pay none."""
    middle = 0.0
    for leg in intent.legs:
        valued = scene.valuer.value(leg.instrument)
        if isinstance(valued, Unvalued):
            return 0.0
        middle += leg.signed_ratio * valued.price
    if intent.carries_reserve or is_roll(intent):
        return 0.0
    return max(0.0, float(intent.limit), middle) * intent.multiplier * intent.quantity


def plan_stress(intent: OrderIntent, scene: Scene) -> PlanStress | Unvalued:
    """Return what an intent of any size is judged on, worked out once in a scene."""
    return scene.kept(_stressed, intent.legs)


def stress_before(scene: Scene) -> StressReport | Unvalued:
    """Return the report of what is held with everything on its way filled where that loses, or why it is unknown."""
    before = scene.once(_held_stress)
    if isinstance(before, Unvalued):
        return before
    for pending, units in scene.pending():
        filled = scene.once(_revaluer).units_report(((pending.legs, units),))
        if isinstance(filled, Unvalued):
            return filled
        before = before.plus(filled.losses_alone())
    return before


def _held_stress(scene: Scene) -> StressReport | Unvalued:
    return book_stress(scene.snapshot.book.positions, scene.valuer, SETTINGS)


def _stressed(legs: tuple[Leg, ...], scene: Scene) -> PlanStress | Unvalued:
    before = stress_before(scene)
    if isinstance(before, Unvalued):
        return before
    revaluer = scene.once(_revaluer)
    unit = revaluer.units_report(((legs, 1),))
    rest = revaluer.units_report([(one.legs, one.quantity) for one in scene.later]) if scene.later else NO_STRESS
    if isinstance(unit, Unvalued):
        return unit
    if isinstance(rest, Unvalued):
        return rest
    return PlanStress(before, unit, rest)


def _revaluer(scene: Scene) -> Revaluer:
    return Revaluer(scene.valuer, SETTINGS)


def worth_frac_usd(scene: Scene, frac: Decimal) -> Decimal | None:
    """A fraction of net liquidation, USD; None while the account has not been reported."""
    account = scene.snapshot.book.account
    return None if account is None else frac * account.net_liquidation_usd


def _unknown(rule: Rule, stress: PlanStress | Unvalued) -> Checked:
    why = stress.reason if isinstance(stress, Unvalued) else "net liquidation was not reported"
    return Checked.failed(rule=rule, note=f"the loss under stress is unknown: {why}")


def _cents(amount_usd: float) -> Decimal:
    return Decimal(repr(round(amount_usd, 2)))
