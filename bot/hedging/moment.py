"""One planning step with all that it reads, and the plan that does nothing."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date

from bot.domain.fees import FeeSchedule
from bot.domain.instrument import VIX
from bot.domain.layer import Layer
from bot.domain.ledger import trade_date
from bot.domain.orders import DecisionId, IntentId, OrderIntent, Purpose
from bot.domain.plan import Candidate, HedgePlan, PlanAction
from bot.domain.readings import Signal
from bot.domain.releases import ReleaseTable
from bot.domain.schedule import SessionCalendar
from bot.domain.snapshot import Snapshot
from bot.hedging.settings import HedgeSettings
from bot.hedging.sleeve import Sleeve
from bot.valuation import Unvalued, Valuer, good_level

NewId = Callable[[], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """The snapshot with what is worked out of it once, and what is configured."""

    snapshot: Snapshot
    signal: Signal
    valuer: Valuer
    sleeve: Sleeve
    settings: HedgeSettings
    fees: FeeSchedule
    calendar: SessionCalendar
    releases: ReleaseTable
    decision_id: DecisionId
    new_id: NewId

    @property
    def today(self) -> date:
        """New York's date."""
        return trade_date(self.snapshot.now)

    def hold(self, reason: str, *, frac: float = 0.0, candidates: tuple[Candidate, ...] = ()) -> HedgePlan:
        """Do nothing, and say why."""
        return HedgePlan(
            decision_id=self.decision_id,
            action=PlanAction.HOLD,
            reason=reason,
            increment_frac=frac,
            base_usd_per_point=self.sleeve.known_base,
            target_usd_per_point=frac * self.sleeve.known_base,
            held_usd_per_point=self.sleeve.held_nominal,
            working_usd_per_point=self.sleeve.working,
            candidates=candidates,
        )

    def purchase(self, chosen: Candidate, purpose: Purpose, reason: str, layer: Layer = Layer.OVERLAY) -> OrderIntent:
        """Return the order that buys a candidate in its quantity."""
        return OrderIntent(
            intent_id=IntentId(self.new_id()),
            decision_id=self.decision_id,
            legs=chosen.legs,
            quantity=chosen.quantity,
            limit=chosen.limit,
            worst_cost_usd=chosen.cost_usd * chosen.quantity,
            purpose=purpose,
            reason=reason,
            exposure_usd_per_point=chosen.exposure_usd_per_point,
            half_width_points=chosen.half_width_points,
            middle_points=chosen.middle_points,
            layer=layer,
        )

    def approved(self, candidates: Sequence[Candidate], purpose: Purpose) -> Candidate | None:
        """Return the contracts that a person has approved, if they still pass, and no more of them than was approved.

        Source: docs/methodology.md, M14.
        """
        proposals, now = self.snapshot.proposals, self.snapshot.now
        for candidate in candidates:
            most = 0 if candidate.rejected else proposals.most_of(purpose, candidate.legs, now)
            if most:
                return replace(candidate, quantity=min(candidate.quantity, most))
        return None

    def obstacle_of_vix(self) -> str:
        """Return why nothing may be bought at this level of VIX, empty where it may: above the ceiling, or unknown.

        Source: docs/methodology.md, M17.
        """
        vix, ceiling = good_level(self.snapshot, VIX.key), self.settings.vix_ceiling
        if isinstance(vix, Unvalued):
            return vix.reason
        if vix > ceiling:
            return "VIX stands above the ceiling: nothing is added"
        before = self.snapshot.previous_closes.get(VIX.key)
        if before is None:
            return "the previous close of VIX is unknown"
        return "" if before <= ceiling else "VIX closed above the ceiling: nothing is added"
