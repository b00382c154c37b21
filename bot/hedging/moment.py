"""One planning step with all that it reads, and the plan that does nothing."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from bot.domain.fees import FeeSchedule
from bot.domain.ledger import trade_date
from bot.domain.orders import DecisionId
from bot.domain.plan import Candidate, HedgePlan, PlanAction
from bot.domain.readings import Signal
from bot.domain.releases import ReleaseTable
from bot.domain.schedule import SessionCalendar
from bot.domain.snapshot import Snapshot
from bot.hedging.settings import HedgeSettings
from bot.hedging.sleeve import Sleeve
from bot.valuation import Valuer

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
