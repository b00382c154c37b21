"""No order brings a break-even of the condors inside the move that is expected until they settle (M8)."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.break_evens import BreakEvens, NoBreakEvens, break_evens, brings_inside, expected_move
from bot.domain.decision import Checked, Rule
from bot.domain.instrument import SPX
from bot.domain.orders import OrderIntent
from bot.domain.portfolio import Condor
from bot.valuation import Unvalued, good_level
from risk.checks.hedge_cost import cost_report, report_with
from risk.cost import CohortCost
from risk.scene import CLOSES_ONLY, Scene
from risk.wings import condors_after, is_roll

STAYS = "no break-even is brought inside"


@dataclass(frozen=True, slots=True)
class BreakEvensKept:
    """Fails when a break-even that stands outside the expected move would stand inside it with this order.

    A break-even is net of what the hedge is charged to the cohort, so every order that costs brings it nearer, and the
    roll of a wing by what it takes from the credit. Without and with the order, what is on its way counts at its worst.
    One that is inside already never blocks a hedge; an order that only closes passes. The move is the straddle's where
    one is quoted, else VIX says it: only where SPX or VIX itself is missing is nothing known, and nothing is added.

    Source: docs/methodology.md, M8.
    """

    rule: Rule = Rule.BREAK_EVENS

    def check(self, intent: OrderIntent, scene: Scene) -> Checked:
        """Judge every cohort."""
        if scene.closes_only(intent):
            return Checked.holds(rule=self.rule, passed=True, found=CLOSES_ONLY, limit=CLOSES_ONLY, note=CLOSES_ONLY)
        spot = good_level(scene.snapshot, SPX.key)
        if isinstance(spot, Unvalued):
            return Checked.failed(rule=self.rule, note=f"the expected move is unknown: {spot.reason}")
        rolls = [(one, units) for one, units in scene.pending() if is_roll(one)]
        held = condors_after(scene.snapshot.book, rolls).condors
        widened = condors_after(scene.snapshot.book, [*rolls, (intent, intent.quantity)]).condors
        moved = widened if is_roll(intent) else held
        for before, after in zip(cost_report(scene).cohorts, report_with(intent, scene).cohorts, strict=True):
            was, becomes = _found(held, before), _found(moved, after)
            if isinstance(was, NoBreakEvens):
                continue
            condor = next(one for one in held if one.cohort == before.cohort)
            move = expected_move(condor, scene.valuer, scene.limits.straddle_reach_frac)
            if isinstance(move, Unvalued):
                return Checked.failed(rule=self.rule, note=f"the expected move is unknown: {move.reason}")
            objection = brings_inside(was, becomes, spot, move, scene.limits.break_even_moves)
            if objection:
                note = f"{before.cohort}: {objection}"
                return Checked(rule=self.rule, passed=False, found=note, limit=STAYS, note="", size_can_cure=True)
        return Checked.holds(rule=self.rule, passed=True, found=STAYS, limit=STAYS)


def _found(condors: Sequence[Condor], cost: CohortCost) -> BreakEvens | NoBreakEvens:
    own = [condor for condor in condors if condor.cohort == cost.cohort]
    return break_evens(own, cost.credit_usd, cost.charge_usd)
