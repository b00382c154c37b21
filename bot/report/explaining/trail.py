"""The rows that belong to one decision: its plan and verdicts, its orders to their end, and the proposals around it.

How it works: the rows of a journal are read once, in their order. Orders are followed by their own id and executions by
theirs, because what a reconciliation found carries no decision. Approvals are followed as the living state follows
them: only the last proposal that still waits can be approved, and the first order that it covers uses it up.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from bot.domain.schedule import NEW_YORK
from bot.report.explaining.figures import moment_of, number_of, text_of
from bot.report.explaining.trades import asked_of
from bot.report.story import Told

Facts = Mapping[str, Any]

PLANNED: Final = "hedge_planned"
VERDICTS: Final = ("order_prepared", "order_refused")
STEPS: Final = (
    *("order_sent", "order_acknowledged", "order_partly_filled", "order_completed"),
    *("order_cancelled", "order_rejected", "order_doubted", "cancel_sent"),
)
OVERRIDES: Final = ("override_granted", "override_used", "override_expired")
KINDS: Final = (
    *(PLANNED, *VERDICTS, *STEPS),
    *("order_filled", "commission_booked", "books_reconciled", "sample_taken", "twins_found"),
    *("proposal_made", "proposal_approved", "proposal_vetoed"),
    *OVERRIDES,
)
"""All that an explanation reads."""


class Answer(StrEnum):
    """What became of a proposal."""

    WAITING = "waiting"
    APPROVED = "approved"
    VETOED = "vetoed"
    USED = "used"


@dataclass(slots=True)
class Asking:
    """One proposal on its way; ``answers`` are those that counted, ``late`` those that came when nothing waited."""

    made: Told
    answers: list[Told] = field(default_factory=list)
    late: list[Told] = field(default_factory=list)
    answer: Answer = Answer.WAITING
    used_by: list[Told] = field(default_factory=list)

    @property
    def facts(self) -> Facts:
        """The proposal as it was written."""
        return self.made.facts.get("proposal") or {}

    @property
    def expires_at(self) -> datetime | None:
        """When it stops waiting; None where the journal does not say."""
        return moment_of(self.facts.get("expires_at"))

    def is_open(self, at: datetime) -> bool:
        """Return whether an approval would count now."""
        return self.answer is Answer.WAITING and self._stands(at)

    def allows(self, intent: Facts, at: datetime) -> bool:
        """Return whether an order is what was approved: the same contracts, no more of them, in time."""
        wanted = asked_of(intent)
        if wanted is None or self.answer is not Answer.APPROVED or not self._stands(at):
            return False
        mine = (self._asked(order) for order in self.facts.get("orders") or ())
        return any(
            purpose == wanted.purpose and legs == wanted.legs and wanted.quantity <= units
            for purpose, legs, units in mine
        )

    def _stands(self, at: datetime) -> bool:
        return self.expires_at is not None and at < self.expires_at

    @staticmethod
    def _asked(order: Facts) -> tuple[str, tuple[tuple[str, int], ...], int]:
        legs = tuple((text_of(key), int(ratio)) for key, ratio in order.get("legs") or ())
        return text_of(order.get("purpose")), legs, int(number_of(order.get("quantity")) or 0)


@dataclass(slots=True)
class OrderTrail:
    """One order that the gate was asked for: the verdict, and for an approved one every later row about it."""

    verdict: Told
    steps: list[Told] = field(default_factory=list)
    commissions: dict[str, list[Told]] = field(default_factory=dict)  # by execution
    twins: list[Told] = field(default_factory=list)  # where it was found to live twice at the broker

    @property
    def intent(self) -> Facts:
        """The order as it was wanted."""
        return self.verdict.facts.get("intent") or {}

    @property
    def is_approved(self) -> bool:
        """The gate let it through."""
        return self.verdict.kind == "order_prepared"


@dataclass(slots=True)
class Trail:
    """Everything that the journal holds of one decision."""

    plan: Told
    sample: Told | None  # the last one before it on the same New York day
    asked_before: Asking | None  # the last proposal made before it
    asked: Asking | None = None  # the proposal that it made
    uses: Asking | None = None  # the approval that its orders used
    orders: dict[str, OrderTrail] = field(default_factory=dict)
    overrides: list[Told] = field(default_factory=list)  # granted for an order of it, or used by it
    reconciled: list[Told] = field(default_factory=list)  # comparisons of the books after it
    following: Told | None = None  # the next decision
    ends_at: datetime | None = None  # the last row read

    @property
    def facts(self) -> Facts:
        """The plan as it was written."""
        return self.plan.facts

    @property
    def signal(self) -> Facts:
        """The signal as it was written."""
        return self.facts.get("signal") or {}

    def rows(self) -> tuple[Told, ...]:
        """Return the rows that belong to it, in the order of time."""
        own: list[Told] = [self.plan, *self.overrides]
        for asking in (self.asked,):
            own += [] if asking is None else [asking.made, *asking.answers, *asking.late]
        for order in self.orders.values():
            own += [
                order.verdict,
                *order.steps,
                *order.twins,
                *(row for rows in order.commissions.values() for row in rows),
            ]
        return tuple(sorted(own, key=lambda row: row.at))


def trail_of(rows: Iterable[Told], decision_id: str) -> Trail | None:
    """Return what belongs to one decision, None where the journal holds no such decision.

    Args:
        rows: Those of `KINDS`, in the order of writing.
        decision_id: The full id.
    """
    reader = _Reader(decision_id)
    for row in rows:
        reader.take(row)
    return reader.trail


class _Reader:
    """Takes rows in their order."""

    def __init__(self, decision_id: str) -> None:
        self.trail: Trail | None = None
        self._decision_id = decision_id
        self._sample: Told | None = None
        self._asking: Asking | None = None  # the last proposal; an answer to an older one changes nothing
        self._all: dict[str, Asking] = {}
        self._executions: dict[str, OrderTrail] = {}

    def take(self, row: Told) -> None:
        """Take one row in."""
        match row.kind:
            case "sample_taken":
                self._sample = row
            case "hedge_planned":
                self._plan(row)
            case "proposal_made" | "proposal_approved" | "proposal_vetoed":
                self._propose(row)
            case "order_prepared" | "order_refused":
                self._judge(row)
        if self.trail is not None:
            self._follow(self.trail, row)
            self.trail.ends_at = row.at

    def _plan(self, row: Told) -> None:
        if self.trail is None and row.decision_id == self._decision_id:
            is_near = self._sample is not None and _day(self._sample.at) == _day(row.at)
            self.trail = Trail(plan=row, sample=self._sample if is_near else None, asked_before=self._asking)
        elif self.trail is not None and self.trail.following is None and row.decision_id != self._decision_id:
            self.trail.following = row

    def _propose(self, row: Told) -> None:
        if row.kind == "proposal_made":
            self._asking = self._all[row.decision_id] = Asking(made=row)
            if self.trail is not None and row.decision_id == self._decision_id:
                self.trail.asked = self._asking
            return
        asking = self._all.get(row.decision_id)
        if asking is None:
            return
        approved = row.kind == "proposal_approved"
        if asking is not self._asking or (approved and not asking.is_open(row.at)):
            asking.late.append(row)
            return
        asking.answers.append(row)
        asking.answer = Answer.APPROVED if approved else Answer.VETOED

    def _judge(self, row: Told) -> None:
        intent = row.facts.get("intent") or {}
        asking = self._asking
        if asking is not None and asking.allows(intent, row.at):
            asking.used_by.append(row)
            if row.decision_id == self._decision_id and self.trail is not None:
                self.trail.uses = asking
            if row.kind == "order_prepared":
                asking.answer = Answer.USED
        if self.trail is not None and row.decision_id == self._decision_id:
            self.trail.orders.setdefault(text_of(intent.get("intent_id")), OrderTrail(verdict=row))

    def _follow(self, trail: Trail, row: Told) -> None:
        """What became of the decision's orders."""
        if row.kind in OVERRIDES:
            if row.decision_id == self._decision_id:
                trail.overrides.append(row)
        elif row.kind in STEPS:
            order = _order_of(trail, row.facts.get("intent_id"))
            if order is not None and row not in order.steps:  # a row may stand twice after a write that failed
                order.steps.append(row)
        elif row.kind == "order_filled":
            self._fill(trail, row)
        elif row.kind == "commission_booked":
            self._commission(row, text_of(row.facts.get("exec_id")), row.facts.get("commission_usd"))
        elif row.kind == "twins_found":
            order = _order_of(trail, row.facts.get("intent_id"))
            if order is not None and row not in order.twins:
                order.twins.append(row)
        elif row.kind == "books_reconciled":
            trail.reconciled.append(row)
            for exec_id, amount in (row.facts.get("commissions") or {}).items():
                self._commission(row, exec_id, amount)

    def _fill(self, trail: Trail, row: Told) -> None:
        fill = row.facts.get("fill") or {}
        order = _order_of(trail, fill.get("order_ref"))
        if order is not None and row not in order.steps:
            order.steps.append(row)
            self._executions[text_of(fill.get("exec_id"))] = order

    def _commission(self, row: Told, exec_id: str, amount: object) -> None:
        order = self._executions.get(exec_id)
        if order is not None:
            facts = {"exec_id": exec_id, "commission_usd": amount}
            told = Told(at=row.at, kind="commission_booked", decision_id=row.decision_id, facts=facts)
            order.commissions.setdefault(exec_id, []).append(told)


def _order_of(trail: Trail, intent_id: object) -> OrderTrail | None:
    """Our order of an id; an execution without a reference is somebody else's."""
    return trail.orders.get(text_of(intent_id)) if intent_id else None


def _day(at: datetime) -> object:
    return at.astimezone(NEW_YORK).date()
