"""How far a wing may be rolled in the cycle of its condors (M8)."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from bot.domain.condors import largest_loss_usd
from bot.domain.decision import Checked, Rule
from bot.domain.instrument import Right
from bot.domain.orders import OrderIntent
from bot.domain.portfolio import Cohort, Condor
from risk.limits import RiskLimits
from risk.scene import Scene
from risk.wings import condors_after, group_of, is_roll, roll_cost_usd


@dataclass(frozen=True, slots=True)
class WingLimits:
    """C14: fails when a roll takes a wing, or the maximum loss, too far from where the condors were opened.

    ``width after <= (1 + max_wing_rise_frac) x width at entry`` of the wing that is moved, and ``maximum loss after <=
    (1 + max_loss_rise_frac) x maximum loss at entry`` of the cohort, its credit lowered by the roll. Rolls on their way
    count as filled, and their costs as paid. Only one roll is on its way at a time. A smaller roll can cure the loss,
    not the width. An order that moves no wing passes.

    Source: docs/methodology.md, M8.

    Control: C14, C31, M8.
    Standard: RTS 6 17(4); methodology M8.
    Unit: points of width, USD of maximum loss.
    Limits: max_wing_rise_frac, max_loss_rise_frac.
    """

    rule: Rule = Rule.WING_LIMITS

    def check(self, intent: OrderIntent, scene: Scene) -> Checked:
        """Judge the wing and the loss; the record shows the loss, unless the width is what fails."""
        if not is_roll(intent):
            return MOVES_NONE
        cohort = next((one for one in scene.snapshot.book.cohorts if one.name == group_of(intent)), None)
        if cohort is None or not cohort.put_wing_points or not cohort.call_wing_points:
            return Checked.failed(rule=self.rule, note="how wide the condors were opened is not known")
        if any(is_roll(pending) for pending, _ in scene.pending()):
            return Checked.failed(rule=self.rule, note="another roll of a wing is on its way")
        after = condors_after(scene.snapshot.book, [(intent, intent.quantity)])
        condors = [condor for condor in after.condors if condor.cohort == cohort.name]
        if after.unmatched or not condors:
            return Checked.failed(rule=self.rule, note="after the roll SPX option positions would fit no condor")
        return self._width_fault(intent, cohort, condors, scene) or self._loss(intent, cohort, condors, scene)

    def _width_fault(self, intent: OrderIntent, cohort: Cohort, condors: list[Condor], scene: Scene) -> Checked | None:
        is_put = intent.legs[0].instrument.right is Right.PUT
        width, entry = wing_width(cohort, condors, is_put=is_put)
        most = entry + wing_rise_limit(entry, scene.limits)
        found = Checked.at_most(rule=self.rule, found=width, limit=most, note="width of the wing in points")
        return None if found.passed else found

    def _loss(self, intent: OrderIntent, cohort: Cohort, condors: list[Condor], scene: Scene) -> Checked:
        cost = roll_cost_usd(intent, intent.quantity, scene.fees)
        return Checked.at_most(
            rule=self.rule,
            found=largest_loss_usd(condors, cohort.credit_usd - cost),
            limit=cohort.maximum_loss_usd + loss_rise_limit_usd(cohort, scene.limits),
            note="maximum loss of the cohort in USD",
            size_can_cure=True,
        )


MOVES_NONE: Final = Checked.holds(
    rule=Rule.WING_LIMITS, passed=True, found="no wing is moved", limit="no wing is moved"
)


def wing_width(cohort: Cohort, condors: Sequence[Condor], *, is_put: bool) -> tuple[Decimal, Decimal]:
    """Return how wide a wing of some condors is and how wide it was at entry, index points."""
    width = max(one.put_wing_points if is_put else one.call_wing_points for one in condors)
    return width, cohort.put_wing_points if is_put else cohort.call_wing_points


def wing_rise_limit(entry_points: Decimal, limits: RiskLimits) -> Decimal:
    """Return by how much a wing may grow, index points."""
    return Decimal(repr(limits.max_wing_rise_frac)) * entry_points


def loss_rise_limit_usd(cohort: Cohort, limits: RiskLimits) -> Decimal:
    """Return by how much the maximum loss of a cohort may grow, USD."""
    return Decimal(repr(limits.max_loss_rise_frac)) * cohort.maximum_loss_usd
