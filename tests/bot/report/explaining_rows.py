"""Rows of a decision as a journal gives them back: made from domain values by the code that writes journals."""

import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from adapters.journal.codec import text_of
from bot.domain.decision import Approved, Checked, Refused, Rule, Verdict
from bot.domain.events import CommissionReported, Decided, FillReported, OrderSent, ProposalAnswered
from bot.domain.evidence import Abstention, Confirmation, ConfirmationName, Conviction, Stance
from bot.domain.instrument import Side
from bot.domain.orders import DecisionId, Fill, FillPart, Leg, Order, OrderIntent, OrderState
from bot.domain.plan import Candidate, HedgePlan, PlanAction, Sizing, Withheld
from bot.domain.proposal import Proposal, asked
from bot.domain.readings import Signal, SignalState
from bot.domain.shifts import Direction, Shift
from bot.ports import JournalRow
from bot.records import decided_rows, rows_of
from bot.report.story import Told
from tests.builders import ACCOUNT, NOON, NOVEMBER, TODAY, a_signal, an_intent, spread_legs

FIRST = DecisionId("aaaa1111-0000")
SECOND = DecisionId("bbbb2222-0000")
CHECKS = (
    Checked.holds(rule=Rule.ACCOUNT, passed=True, found="allowed", limit="allowed, ready, above zero"),
    Checked.at_most(rule=Rule.HEDGE_COST_CAP_BOOK, found=Decimal("5090.8"), limit=Decimal("10480.0000"), note="book"),
    Checked.at_most(rule=Rule.DAILY_ORDERS, found=Decimal(1), limit=Decimal(40)),
)
TOO_DEAR = Checked.at_most(
    rule=Rule.HEDGE_COST_CAP_COHORT, found=Decimal("10480.01"), limit=Decimal(10480), note="SPXW", size_can_cure=True
)


def after(minutes: float) -> datetime:
    """A moment so many minutes after the decision."""
    return NOON + timedelta(minutes=minutes)


def told(rows: Iterable[JournalRow]) -> list[Told]:
    """Rows as they come back from the disk."""
    return [
        Told(at=row.at, kind=row.kind, decision_id=row.decision_id, facts=json.loads(text_of(row.payload)))
        for row in rows
    ]


def a_row(kind: str, minutes: float = 0, decision: str = "", **facts: Any) -> Told:
    """One row with the facts as they stand on disk."""
    return Told(at=after(minutes), kind=kind, decision_id=decision, facts=facts)


# signal ---------------------------------------------------------------------------------------------------------


def read_conviction(stance: Stance = Stance.SUPPORTS) -> Conviction:
    """One reading and one abstention."""
    value = {Stance.SUPPORTS: 0.5, Stance.WEAK: 0.1, Stance.CONTRADICTS: -0.5, Stance.UNKNOWN: None}[stance]
    strength = Confirmation(
        name=ConfirmationName.RELATIVE_STRENGTH,
        evidence=value or 0.5,
        as_of=TODAY,
        words="RSI of SPX 45.8, of RUT 20.7",
    )
    breadth = Abstention(name=ConfirmationName.BREADTH_DIVERGENCE, why="no advances and declines are delivered")
    words = f"conviction of {stance.value}: relative_strength x 100%"
    return Conviction(read_on=TODAY, value=value, stance=stance, readings=(strength, breadth), words=words)


def a_blowout(stance: Stance = Stance.SUPPORTS) -> Signal:
    """A spread of 7.00 on a baseline of 5.50, with its confirmations."""
    return replace(a_signal(peak_excess=0.273), conviction=read_conviction(stance))


def calm() -> Signal:
    """No episode."""
    return a_signal(SignalState.CALM, spread=5.61, peak_excess=0.02)


# plans ----------------------------------------------------------------------------------------------------------


def an_order_for(decision: DecisionId = FIRST, intent_id: str = "cccc3333-0000", **changes: Any) -> OrderIntent:
    """Nine 22/27 call spreads at 0.59."""
    usual: dict[str, Any] = {"quantity": 9, "limit": "0.59", "cost": "554.40", "exposure": 9.1}
    intent = an_intent(spread_legs(22, 27), **(usual | changes), intent_id=intent_id)
    return replace(intent, decision_id=decision)


def plan_of(*intents: OrderIntent, action: PlanAction = PlanAction.INCREASE, **changes: Any) -> HedgePlan:
    """A plan for 80.7 USD per point on a base of 707.3."""
    plan = HedgePlan(
        decision_id=FIRST,
        action=action,
        reason="the dispersion is blown out: the overlay grows to its target",
        increment_frac=0.114,
        base_usd_per_point=707.25,
        target_usd_per_point=80.68,
        held_usd_per_point=0.0,
        working_usd_per_point=0.0,
        candidates=(a_candidate(), a_candidate(long=21, rejected="the quotes are too wide")),
        intents=intents,
        sizing=Sizing(
            band_usd_per_point=14.145, ceiling_usd_per_point=141.45, room_usd_per_point=101.45, prefer="spreads"
        ),
        shift=Shift(base=NOVEMBER, settlement=NOVEMBER, direction=Direction.NONE, because="it settles in 29 days"),
    )
    return replace(plan, **changes)


def a_candidate(long: float = 22, rejected: str = "") -> Candidate:
    """A five-wide call spread."""
    return Candidate(
        name=f"VIX {NOVEMBER} {long:g}/{long + 5:g} call spread",
        legs=spread_legs(long, long + 5),
        limit=Decimal("0.59"),
        exposure_usd_per_point=9.149,
        cost_usd=Decimal("61.60"),
        stress_payoff_usd=98.37,
        quantity=9,
        rejected=rejected,
    )


def asking(plan: HedgePlan, minutes: float = 0) -> HedgePlan:
    """The plan held back by a proposal that stands for a quarter of an hour."""
    proposal = Proposal(
        proposal_id=plan.decision_id,
        orders=tuple(asked(intent) for intent in plan.intents),
        because=f"{plan.reason}; the confirmations contradict the blowout",
        made_at=after(minutes),
        expires_at=after(minutes + 15),
    )
    return plan.holding_back(Withheld.PROPOSAL, "proposed: a person is asked", proposal)


def approved(intent: OrderIntent, minutes: float = 0) -> Approved:
    """Leave, as the gate gives it."""
    return Approved(
        intent=intent,
        checks=CHECKS,
        book_version=1,
        kill_epoch=1,
        given_at=after(minutes),
        valid_until=after(minutes + 1),
    )


def refused(intent: OrderIntent, largest: int = 0) -> Refused:
    """A refusal by the cost cap, one cent above it."""
    return Refused(intent=intent, checks=(*CHECKS, TOO_DEAR), largest_quantity=largest)


def decided(
    plan: HedgePlan, *verdicts: Verdict, signal: Signal | None = None, decision: DecisionId = FIRST, minutes: float = 0
) -> list[Told]:
    """The rows of one decision."""
    event = Decided(
        at=after(minutes),
        decision_id=decision,
        trigger="signal_changed",
        signal=signal or a_blowout(),
        plan=plan,
        verdicts=verdicts,
    )
    return told(decided_rows(event))


def answered(yes: bool, decision: DecisionId = FIRST, minutes: float = 5) -> list[Told]:  # noqa: FBT001 - the answer
    """A person's answer."""
    event = ProposalAnswered(
        at=after(minutes), proposal_id=decision, approved=yes, key_id="anna", reason="seen and agreed"
    )
    return told(rows_of(event, None))


# what became of an order ------------------------------------------------------------------------------------------


def step(intent: OrderIntent, state: OrderState, minutes: float = 0, *, filled: int = 0) -> list[Told]:
    """One step of an order's life; the state names the kind of the row."""
    order = Order(intent=intent, state=state, prepared_at=NOON, filled=filled, perm_id=17)
    return told(rows_of(OrderSent(at=after(minutes), intent_id=intent.intent_id), order))


def filled_at(
    price: str,
    intent: OrderIntent,
    *,
    units: int | None = None,
    minutes: float = 0,
    exec_id: str = "e-1",
    leg: Leg | None = None,
) -> list[Told]:
    """An execution of the whole combo, positive where a BUY pays, or of one leg: the broker tells both."""
    fill = Fill(
        exec_id=exec_id,
        order_ref=intent.intent_id,
        perm_id=17,
        account=ACCOUNT,
        part=FillPart.COMBO if leg is None else FillPart.LEG,
        instrument=None if leg is None else leg.instrument,
        side=Side.BUY if leg is None else leg.side,
        quantity=units or intent.quantity,
        price=Decimal(price),
        at=after(minutes),
    )
    return told(rows_of(FillReported(at=after(minutes), fill=fill), None))


def commission(usd: str, exec_id: str = "e-1", minutes: float = 0) -> list[Told]:
    """What an execution cost."""
    event = CommissionReported(at=after(minutes), exec_id=exec_id, commission_usd=Decimal(usd))
    return told(rows_of(event, None))
