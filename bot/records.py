"""What happened, as journal rows: one kind per thing, in the past tense, bound to the decision that caused it."""

from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from datetime import datetime

from bot.domain.corrections import number_of
from bot.domain.decision import Approved, Checked, Refused
from bot.domain.events import (
    AccountMismatched,
    BooksReconciled,
    CancelSent,
    CommissionReported,
    DataFeedChanged,
    Decided,
    Event,
    EvidenceDelivered,
    FillReported,
    FlattenEnded,
    FlattenSigned,
    LimitChanged,
    LinkLost,
    LinkRestored,
    LockEscalated,
    LockLifted,
    MarginPreviewed,
    ModeDemanded,
    OrderDoubted,
    OrderDropped,
    OrderReported,
    OrderSent,
    OverrideGranted,
    OwnIndexRead,
    ProductsMeasured,
    ProposalAnswered,
    Restored,
    RestraintsLifted,
    SensitivityMeasured,
    SessionClosed,
    SessionOpened,
    SubmissionFrozen,
    TwinsFound,
)
from bot.domain.fees import up_to_cent
from bot.domain.locks import Lock, Locks, steps_between
from bot.domain.orders import (
    Cancelled,
    Fill,
    Filled,
    FillPart,
    Order,
    OrderState,
    Partial,
    Prepared,
    Rejected,
    Sent,
    Unknown,
    Working,
)
from bot.domain.overrides import Override
from bot.ports import JournalRow

STATE_KINDS: dict[type[OrderState], str] = {
    Prepared: "order_prepared",
    Sent: "order_sent",
    Working: "order_acknowledged",
    Partial: "order_partly_filled",
    Filled: "order_completed",
    Cancelled: "order_cancelled",
    Rejected: "order_rejected",
    Unknown: "order_doubted",
}


def rows_of(event: Event, order: Order | None) -> tuple[JournalRow, ...]:
    """Return the rows of one event after it was applied; ticks, quotes, timers and account values have none.

    Args:
        event: What happened.
        order: Our order that the event is about, as it stands now, if there is one.
    """
    decision = order.intent.decision_id if order is not None else ""
    match event:
        case Decided():
            return decided_rows(event)
        case FillReported():
            return _fill_rows(event, order, decision)
        case CommissionReported():
            facts = {"exec_id": event.exec_id, "commission_usd": event.commission_usd}
            return (JournalRow(kind="commission_booked", decision_id=decision, at=event.at, payload=facts),)
        case TwinsFound():
            facts = {"intent_id": event.intent_id, "perm_ids": list(event.perm_ids), "order_ids": list(event.order_ids)}
            return (JournalRow(kind="twins_found", decision_id=decision, at=event.at, payload=facts),)
        case OrderSent() | OrderDropped() | OrderReported() | OrderDoubted() | CancelSent():
            return _order_rows(event, order)
        case _:
            rows = _market_rows(event) or _standing_rows(event)
            return rows or _command_rows(event) or _locking_rows(event)


def _fill_rows(event: FillReported, order: Order | None, decision: str) -> tuple[JournalRow, ...]:
    """The execution, and the order's own step where this execution moved it."""
    fill = event.fill
    rows = _execution_rows(fill, event.at, decision)
    if order is not None and fill.part is not FillPart.LEG:
        rows.append(_order_row(STATE_KINDS[type(order.state)], order, event.at))
    return tuple(rows)


def _execution_rows(fill: Fill, at: datetime, decision: str = "") -> list[JournalRow]:
    """The execution, and once more under a name that calls a person where it corrects another."""
    rows = [JournalRow(kind="order_filled", decision_id=decision, at=at, payload={"fill": fill})]
    if number_of(fill.exec_id) > 1:
        facts = {"exec_id": fill.exec_id, "order_ref": fill.order_ref, "quantity": fill.quantity, "price": fill.price}
        rows.append(JournalRow(kind="execution_corrected", decision_id=decision, at=at, payload=facts))
    return rows


def _order_rows(
    event: OrderSent | OrderDropped | OrderReported | OrderDoubted | CancelSent, order: Order | None
) -> tuple[JournalRow, ...]:
    if order is None:
        return ()  # a foreign order: the reconciliation lists it
    kind = "cancel_sent" if isinstance(event, CancelSent) else STATE_KINDS[type(order.state)]
    return (_order_row(kind, order, event.at),)


def _order_row(kind: str, order: Order, at: datetime, prefix: str = "") -> JournalRow:
    why = getattr(order.state, "reason", "") or getattr(order.state, "why", "")
    facts: dict[str, object] = {
        "intent_id": order.intent.intent_id,
        "filled": order.filled,
        "remaining": order.remaining,
        "perm_id": order.perm_id,
        "why": f"{prefix}{why}",
    }
    return JournalRow(kind=kind, decision_id=order.intent.decision_id, at=at, payload=facts)


def _market_rows(event: Event) -> tuple[JournalRow, ...]:
    """Rows of what the market and its calendar say."""
    match event:
        case SessionOpened():
            facts: dict[str, object] = {"day": event.session.day, "baseline_sessions": len(event.baseline)}
            return (JournalRow(kind="session_opened", decision_id="", at=event.at, payload=facts),)
        case SessionClosed():
            return (JournalRow(kind="session_closed", decision_id="", at=event.at, payload={"day": event.session.day}),)
        case SensitivityMeasured():
            facts = {"scale": event.scale, "words": event.words}
            return (JournalRow(kind="sensitivity_measured", decision_id="", at=event.at, payload=facts),)
        case ProductsMeasured():
            facts = {"products": event.readings, "words": [one.words for one in event.readings]}
            return (JournalRow(kind="products_measured", decision_id="", at=event.at, payload=facts),)
        case OwnIndexRead():
            facts = {"index": event.key, "level": event.level, "words": event.words}
            return (JournalRow(kind="own_index_read", decision_id="", at=event.at, payload=facts),)
        case MarginPreviewed():
            return (_previewed_row(event),)
        case EvidenceDelivered():
            facts = {
                "closes": {symbol: len(series.rows) for symbol, series in event.inputs.histories.items()},
                "breadth": 0 if event.inputs.breadth is None else len(event.inputs.breadth.rows),
                "missing": dict(event.missing),
            }
            return (JournalRow(kind="evidence_delivered", decision_id="", at=event.at, payload=facts),)
        case DataFeedChanged():
            facts = {"usable": event.usable, "why": event.why}
            return (JournalRow(kind="data_feed_changed", decision_id="", at=event.at, payload=facts),)
        case _:
            return ()


def _previewed_row(event: MarginPreviewed) -> JournalRow:
    """What was asked, in words, and what the broker said."""
    preview, figures = event.preview, event.preview.figures
    facts: dict[str, object] = {
        "order": ", ".join(f"{ratio:+d} {key}" for key, ratio in preview.shape),
        "quantity": preview.quantity,
        **{
            field.name: None if amount is None else up_to_cent(amount)
            for field in fields(figures)
            for amount in (getattr(figures, field.name),)
        },
    }
    return JournalRow(kind="margin_previewed", decision_id="", at=event.at, payload=facts)


def _standing_rows(event: Event) -> tuple[JournalRow, ...]:
    """Rows of the link, the books and the mode."""
    match event:
        case LinkLost():
            return (JournalRow(kind="link_lost", decision_id="", at=event.at, payload={"why": event.why}),)
        case LinkRestored():
            return (JournalRow(kind="link_restored", decision_id="", at=event.at, payload={"why": event.why}),)
        case SubmissionFrozen():
            facts: dict[str, object] = {"restarts_at": event.freeze.restarts_at, "until": event.freeze.ends_at}
            return (JournalRow(kind="submission_frozen", decision_id="", at=event.at, payload=facts),)
        case BooksReconciled():
            return _reconciled_rows(event)
        case ModeDemanded():
            facts = {
                "source": event.source,
                "mode": event.mode.name,
                "cause": event.cause,
                "epoch": event.epoch,
            }
            return (JournalRow(kind="mode_demanded", decision_id="", at=event.at, payload=facts),)
        case Restored():
            facts = {"orders": len(event.orders), "fills": len(event.fills)}
            return (JournalRow(kind="journal_restored", decision_id="", at=event.at, payload=facts),)
        case _:
            return ()


def _command_rows(event: Event) -> tuple[JournalRow, ...]:
    """Rows of what an operator has said."""
    match event:
        case RestraintsLifted():
            facts: dict[str, object] = {"sources": event.sources, "key_id": event.key_id, "reason": event.reason}
            return (JournalRow(kind="restraints_lifted", decision_id="", at=event.at, payload=facts),)
        case ProposalAnswered():
            facts = {"proposal_id": event.proposal_id, "key_id": event.key_id, "reason": event.reason}
            kind = "proposal_approved" if event.approved else "proposal_vetoed"
            return (JournalRow(kind=kind, decision_id=event.proposal_id, at=event.at, payload=facts),)
        case LimitChanged():
            facts = {
                "name": event.name,
                "before": event.before,
                "after": event.after,
                "looser": event.is_looser,
                "key_id": event.key_id,
                "reason": event.reason,
                "hash": event.hash,
            }
            return (JournalRow(kind="limit_changed", decision_id="", at=event.at, payload=facts),)
        case OverrideGranted():
            refused = event.override.refusal.refused
            facts = {"intent": refused.intent, "refused_because": list(refused.reasons)}
            return (_override_row(kind="override_granted", override=event.override, at=event.at, **facts),)
        case FlattenSigned():
            plan = event.mandate.plan
            facts = {"digest": plan.digest, "key_id": event.mandate.key_id, "reason": event.reason}
            return (JournalRow(kind="flatten_signed", decision_id="", at=event.at, payload=facts),)
        case FlattenEnded():
            facts = {"digest": event.digest, "left": list(event.left), "why": event.why}
            return (JournalRow(kind="flatten_ended", decision_id="", at=event.at, payload=facts),)
        case _:
            return ()


def _locking_rows(event: Event) -> tuple[JournalRow, ...]:
    """Rows of what locks, and of what should never be."""
    match event:
        case LockLifted():
            facts = {"lock": event.lock, "key_id": event.key_id, "reason": event.reason}
            return (JournalRow(kind="lock_lifted", decision_id="", at=event.at, payload=facts),)
        case LockEscalated():
            facts = {"lock": event.lock, "why": event.why}
            return (JournalRow(kind="lock_escalated", decision_id="", at=event.at, payload=facts),)
        case AccountMismatched():
            return (JournalRow(kind="account_mismatched", decision_id="", at=event.at, payload={"why": event.why}),)
        case _:
            return ()


def _reconciled_rows(event: BooksReconciled) -> tuple[JournalRow, ...]:
    """One row for each fill that it found and each order that it settled, in this order, and one for the outcome."""
    rows = [row for fill in event.fills for row in _execution_rows(fill, event.at)]
    rows += [_order_row(STATE_KINDS[type(order.state)], order, event.at, "reconciled: ") for order in event.orders]
    facts = {
        "positions": [{"instrument": p.instrument, "quantity": p.quantity} for p in event.positions],
        "differences": dict(event.differences),
        "commissions": dict(event.commissions),
        "net_liquidation_usd": event.account.net_liquidation_usd,
    }
    rows.append(JournalRow(kind="books_reconciled", decision_id="", at=event.at, payload=facts))
    return tuple(rows)


def lock_rows(before: Locks, after: Locks, event: Event, at: datetime) -> tuple[JournalRow, ...]:
    """Return what an event did to the locks; a lift and an escalation have rows of their own."""
    if isinstance(event, LockLifted | LockEscalated | Restored):
        return ()
    steps = steps_between(before, after)
    rows = [
        JournalRow(kind="lock_taken", decision_id="", at=at, payload={**_facts_of(lock), "latched": lock.latched})
        for lock in steps.taken
    ]
    rows += [JournalRow(kind="lock_cleared", decision_id="", at=at, payload=_facts_of(lock)) for lock in steps.cleared]
    return tuple(rows)


def _facts_of(lock: Lock) -> Mapping[str, object]:
    return {"lock": lock.name, "why": lock.why}


def decided_rows(event: Decided) -> tuple[JournalRow, ...]:
    """One row for signal and plan, one for each verdict; an approval is the order's PREPARED row."""
    rows = [
        JournalRow(
            kind="hedge_planned",
            decision_id=event.decision_id,
            at=event.at,
            payload={
                "trigger": event.trigger,
                "signal": event.signal,
                "action": event.plan.action,
                "reason": event.plan.reason,
                "increment_frac": event.plan.increment_frac,
                "base_usd_per_point": event.plan.base_usd_per_point,
                "target_usd_per_point": event.plan.target_usd_per_point,
                "held_usd_per_point": event.plan.held_usd_per_point,
                "working_usd_per_point": event.plan.working_usd_per_point,
                "candidates": event.plan.candidates,
                "notes": event.plan.notes,
                "sizing": event.plan.sizing,
                "besides": event.plan.besides,
                "shift": event.plan.shift,
                "withheld": event.plan.withheld,
                "withheld_intents": event.plan.withheld_intents,
            },
        )
    ]
    if event.plan.proposal is not None:
        facts = {"proposal": event.plan.proposal}
        rows.append(JournalRow(kind="proposal_made", decision_id=event.decision_id, at=event.at, payload=facts))
    verdicts = (_verdict_row(event, verdict) for verdict in event.verdicts)
    return (*rows, *_used_rows(event), *verdicts)


def _used_rows(event: Decided) -> tuple[JournalRow, ...]:
    """What became of the override under which a decision was made: written before the verdict that it bears on."""
    if event.override is None:
        return ()
    approved = any(isinstance(verdict, Approved) for verdict in event.verdicts)
    waived = [checked.rule.value for verdict in event.verdicts for checked in verdict.checks if checked.overridden]
    row = _override_row(kind="override_used", override=event.override, at=event.at, approved=approved, waived=waived)
    return (replace(row, decision_id=event.decision_id),)


def expired_row(override: Override, at: datetime, why: str) -> JournalRow:
    """Return the row of an override that ended before any decision used it."""
    return _override_row(kind="override_expired", override=override, at=at, why=why)


def _override_row(*, kind: str, override: Override, at: datetime, **further: object) -> JournalRow:
    facts: dict[str, object] = {
        "intent_id": override.intent_id,
        "digest": override.digest,
        "rules": sorted(rule.value for rule in override.rules),
        "key_id": override.key_id,
        "reason": override.reason,
        "until": override.until,
        **further,
    }
    return JournalRow(kind=kind, decision_id=override.refusal.intent.decision_id, at=at, payload=facts)


def _verdict_row(event: Decided, verdict: Approved | Refused) -> JournalRow:
    facts: dict[str, object] = {"intent": verdict.intent, "checks": _plain_checks(verdict.checks)}
    if isinstance(verdict, Refused):
        facts["largest_quantity"] = verdict.largest_quantity
        kind = "order_refused"
    else:
        facts["book_version"] = verdict.book_version
        facts["kill_epoch"] = verdict.kill_epoch
        kind = "order_prepared"
    return JournalRow(kind=kind, decision_id=event.decision_id, at=event.at, payload=facts)


def _plain_checks(checks: Iterable[Checked]) -> list[Checked]:
    return list(checks)
