"""The one place that computes the right to act: takes a plan, returns it, or the plan without its orders and why.

How it works: an exit passes always, and so does a signed plan to flatten. Everything else passes autonomy; an increase
passes pacing and the churn budget first, a purchase for the base the quiet minutes. Where a person is to decide, the
first plan makes a proposal, those after it wait for the answer, and the plan that follows an approval goes through if
it asks for the same contracts and no more of them. What nobody answered is not asked again in the same session.
"""

from datetime import timedelta
from decimal import Decimal
from typing import Final

from bot.domain.fees import FeeSchedule
from bot.domain.ledger import trade_date
from bot.domain.orders import OrderIntent
from bot.domain.plan import HedgePlan, PlanAction, Withheld
from bot.domain.proposal import Proposal, ProposalState, asked
from bot.domain.snapshot import Snapshot
from bot.hedging.stewardship.pacing import churn_obstacle, pacing_obstacle, quiet_obstacle
from bot.hedging.stewardship.settings import Autonomy, StewardSettings

_UNASKED: Final = frozenset({PlanAction.EXIT, PlanAction.FLATTEN})
"""An exit needs nobody, and what is flattened a person has signed."""
_PATIENT: Final = frozenset({PlanAction.MAINTAIN, PlanAction.WIDEN})
"""What is asked only when nothing else waits for an answer; the overlay's own questions go first."""


class Steward:
    """Judges plans by how often and how freely the bot may act; keeps nothing from one plan to the next."""

    def __init__(self, settings: StewardSettings, fees: FeeSchedule) -> None:
        """Take the numbers."""
        self._settings = settings
        self._fees = fees

    def permit(self, plan: HedgePlan, snapshot: Snapshot) -> HedgePlan:
        """Return the plan as it may be put before the gate.

        Source: docs/methodology.md, M14 and M16.
        """
        if not plan.intents or plan.action in _UNASKED:
            return plan
        if plan.action is PlanAction.MAINTAIN:
            quiet = quiet_obstacle(snapshot.session, snapshot.now, self._settings)
            if quiet:
                return plan.holding_back(Withheld.PACING, quiet)
        if plan.action is PlanAction.INCREASE:
            book = snapshot.book
            paced = pacing_obstacle(book.changes, snapshot.session, snapshot.now, self._settings)
            if paced:
                return plan.holding_back(Withheld.PACING, paced)
            spent = churn_obstacle(book, self._churn_usd(plan.intents), self._settings)
            if spent:
                return plan.holding_back(Withheld.CHURN, spent)
        return self._by_autonomy(plan, snapshot)

    def _by_autonomy(self, plan: HedgePlan, snapshot: Snapshot) -> HedgePlan:
        match self._settings.autonomy:
            case Autonomy.ADVISE:
                return plan.holding_back(Withheld.ADVICE, "advice only: nothing is sent")
            case Autonomy.APPROVE:
                return self._asking(plan, snapshot, plan.asks or "everything is put before a person here")
            case Autonomy.AUTO:
                return self._asking(plan, snapshot, plan.asks) if plan.asks else plan

    def _asking(self, plan: HedgePlan, snapshot: Snapshot, because: str) -> HedgePlan:
        """Let through what was approved; else wait, or ask."""
        last, now = snapshot.proposals.about(plan.intents), snapshot.now
        if last is not None:
            if last.allows(plan.intents, now):
                return plan
            is_todays = trade_date(last.made_at) == trade_date(now)
            if last.state is ProposalState.VETOED and is_todays:
                return plan.holding_back(Withheld.VETO, "vetoed by a person in this session")
            if last.is_open(now):
                return plan.holding_back(Withheld.PROPOSAL, "proposed: waits for a person")
            if is_todays and last.state is not ProposalState.USED and now >= last.expires_at:
                return plan.holding_back(Withheld.PROPOSAL, "proposed: its time is over, asked no more in this session")
        if plan.action in _PATIENT and snapshot.proposals.waiting(now) not in (None, last):
            return plan.holding_back(Withheld.PROPOSAL, "another proposal waits for a person: this one is asked later")
        return plan.holding_back(
            Withheld.PROPOSAL, "proposed: a person is asked", self._proposal(plan, snapshot, because)
        )

    def _proposal(self, plan: HedgePlan, snapshot: Snapshot, because: str) -> Proposal:
        return Proposal(
            proposal_id=plan.decision_id,
            orders=tuple(asked(intent) for intent in plan.intents),
            because=f"{plan.reason}; {because}",
            made_at=snapshot.now,
            expires_at=snapshot.now + timedelta(seconds=self._settings.proposal_life_s),
        )

    def _churn_usd(self, intents: tuple[OrderIntent, ...]) -> Decimal:
        return sum(
            self._fees.of_intent(one, one.quantity) + one.half_width_points * one.multiplier * one.quantity
            for one in intents
        ) + Decimal(0)
