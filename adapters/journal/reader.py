"""What the journal remembers at start: our orders, executions and commissions, the adopted book, the episode."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

from adapters.journal.codec import value_of
from adapters.journal.store import WrittenRow, read_rows
from bot.domain.corrections import ExecutionSet, Taken
from bot.domain.errors import JournalError, RefusedStartError
from bot.domain.events import Restored
from bot.domain.evidence import Conviction
from bot.domain.instrument import InstrumentKey
from bot.domain.ledger import first_seen, positions_after, positions_before, trade_date, units_filled
from bot.domain.locks import Lock, Locks
from bot.domain.mode import RESTRAINTS, DemandSource, TradingMode
from bot.domain.orders import (
    Cancelled,
    DecisionId,
    Fill,
    Filled,
    FillPart,
    IntentId,
    Order,
    OrderIntent,
    OrderState,
    Partial,
    Prepared,
    Rejected,
    Sent,
    Unknown,
    Working,
)
from bot.domain.portfolio import Position
from bot.domain.proposal import Proposal, Proposals, ProposalState
from bot.domain.readings import Episode, Signal, SignalState
from bot.domain.restraints import Restraint, Restraints
from bot.domain.worth import Transfer, Worth, moved

MOVES = (
    *("order_sent", "order_acknowledged", "order_partly_filled", "order_completed"),
    *("order_cancelled", "order_rejected", "order_doubted"),
)
LOCKING = ("lock_taken", "lock_escalated", "lock_cleared", "lock_lifted")
PROPOSALS = {
    "proposal_made": ProposalState.OPEN,
    "proposal_approved": ProposalState.APPROVED,
    "proposal_vetoed": ProposalState.VETOED,
}
REMEMBERED = (
    *PROPOSALS,
    *(
        "order_prepared",
        "order_filled",
        "commission_booked",
        "credit_changed",
        "books_reconciled",
        "hedge_planned",
        "limits_set",
        "limit_changed",
        "mode_demanded",
        "restraints_lifted",
        "sample_taken",
    ),
    *LOCKING,
    *MOVES,
)


RECONCILED_PREFIX = "reconciled: "
"""How a row says that the broker's books settled the order; it is no part of the reason."""


@dataclass(slots=True)
class _Memory:
    """What has been read so far."""

    orders: dict[IntentId, Order] = field(default_factory=dict)
    executions: ExecutionSet = field(default_factory=ExecutionSet)
    commissions: dict[str, Decimal] = field(default_factory=dict)
    start: tuple[Position, ...] | None = None
    found_on: dict[InstrumentKey, date] = field(default_factory=dict)
    base: float | None = None
    episode: Episode | None = None
    latch_mode: TradingMode | None = None
    restraints: Restraints = field(default_factory=Restraints)
    worth: Worth | None = None
    transfers: tuple[Transfer, ...] = ()
    proposals: Proposals = field(default_factory=Proposals)
    conviction: Conviction | None = None
    credits: dict[str, str] = field(default_factory=dict)
    limits: dict[str, str] = field(default_factory=dict)
    configured: dict[str, str] = field(default_factory=dict)
    locks: Locks = field(default_factory=Locks)


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """The event that restores the state, the mode that the latch showed last, and the limits as written down last.

    ``limits`` were in force last, ``configured`` at the last start; they differ by what commands have changed.
    """

    restored: Restored
    latch_mode: TradingMode | None
    limits: Mapping[str, str] = field(default_factory=dict)
    configured: Mapping[str, str] = field(default_factory=dict)


def remembered(path: Path, at: datetime, transfers: tuple[Transfer, ...] = ()) -> Remembered:
    """Read a journal from its beginning.

    Orders that may be live come back as UNKNOWN: only the broker's books can tell what became of them.

    Args:
        path: The journal.
        at: Now; aware.
        transfers: Money paid in and taken out, as stated today: losses are measured from the figures of old with it.

    Raises:
        RefusedStartError: It cannot be read, or a row describes something impossible.
    """
    try:
        return remembered_of(read_rows(path, REMEMBERED), at, transfers)
    except JournalError as error:
        raise RefusedStartError(f"{path}: {error}; restore a backup, or reconcile by hand with a new one") from error


def remembered_of(rows: Iterable[WrittenRow], at: datetime, transfers: tuple[Transfer, ...] = ()) -> Remembered:
    """Read rows in the order of their writing; those of other kinds than `REMEMBERED` say nothing.

    Raises:
        JournalError: A row lacks a fact, or describes something impossible.
    """
    memory = _Memory(transfers=transfers)
    for row in rows:
        if row.kind in REMEMBERED:
            _remember(memory, row)
    restored = Restored(
        at=at,
        orders=tuple(_doubted(order) for order in memory.orders.values()),
        fills=tuple(memory.executions.told.values()),
        commissions=memory.commissions,
        positions=memory.start,
        found_on=memory.found_on,
        frozen_base_usd_per_point=memory.base,
        episode=memory.episode,
        proposals=memory.proposals,
        conviction=memory.conviction,
        credits=memory.credits,
        worth=memory.worth,
        restraints=memory.restraints,
        locks=memory.locks.begun_anew(at),
    )
    return Remembered(
        restored=restored, latch_mode=memory.latch_mode, limits=memory.limits, configured=memory.configured
    )


def _remember(memory: _Memory, row: WrittenRow) -> None:
    """Take one row in.

    Raises:
        JournalError: It lacks a fact, or describes something impossible.
    """
    try:
        facts = json.loads(row.payload)
        if row.kind in LOCKING:
            memory.locks = _locks_after(memory.locks, row, facts)
        else:
            _take_in(memory, row, facts)
    except (KeyError, TypeError, ValueError, ArithmeticError) as error:
        what = f"{type(error).__name__} {error}"
        raise JournalError(f"row {row.seq} ({row.kind}) cannot be understood: {what}") from error


def _take_in(memory: _Memory, row: WrittenRow, facts: Mapping[str, object]) -> None:
    match row.kind:
        case "order_prepared":
            intent = value_of(OrderIntent, facts["intent"])
            memory.orders[intent.intent_id] = Order(intent=intent, state=Prepared(), prepared_at=row.at)
            memory.proposals = memory.proposals.used_by((intent,), row.at)
        case "order_filled":
            fill = value_of(Fill, facts["fill"])
            _count_fill(memory, fill, memory.executions.take(fill))
        case "commission_booked":
            memory.commissions[str(facts["exec_id"])] = Decimal(str(facts["commission_usd"]))
        case "credit_changed":
            memory.credits[str(facts["cohort"])] = str(facts["words"])
        case "limits_set" | "limit_changed":
            _remember_limits(memory, facts)
        case "books_reconciled":
            _adopt(memory, facts, trade_date(row.at))
            _take_worth(memory, facts, row.at)
        case "sample_taken":
            _take_worth(memory, facts, row.at)
        case "mode_demanded":
            _remember_demand(memory, facts, row.at)
        case "restraints_lifted":
            _remember_lift(memory, facts, row.at)
        case "hedge_planned":
            _remember_plan(memory, facts)
        case kind if kind in PROPOSALS:
            _remember_proposal(memory, facts, PROPOSALS[kind])
        case _:
            _move(memory, row, facts)


def _remember_limits(memory: _Memory, facts: Mapping[str, object]) -> None:
    """A whole set at a start, or one limit that a command has changed since."""
    if "limits" in facts:
        memory.limits = value_of(dict, facts["limits"])
        memory.configured = value_of(dict, facts.get("configured", facts["limits"]))  # older rows tell one set
    else:
        memory.limits = {**memory.limits, str(facts["name"]): str(facts["after"])}


def _take_worth(memory: _Memory, facts: Mapping[str, object], at: datetime) -> None:
    worth = facts.get("net_liquidation_usd")
    if worth is not None:
        memory.worth = moved(memory.worth, Decimal(str(worth)), at, memory.transfers)


def _locks_after(locks: Locks, row: WrittenRow, facts: Mapping[str, object]) -> Locks:
    """What holds after a row about a lock."""
    name = str(facts["lock"])
    if row.kind in {"lock_cleared", "lock_lifted"}:
        return locks.lifted(name)
    is_latched = row.kind == "lock_escalated" or facts["latched"] is True
    return locks.taken(Lock(name=name, why=str(facts["why"]), since=row.at, latched=is_latched))


def _remember_demand(memory: _Memory, facts: Mapping[str, object], at: datetime) -> None:
    source, mode = DemandSource(str(facts["source"])), TradingMode[str(facts["mode"])]
    if source is DemandSource.LATCH:
        memory.latch_mode = mode
    elif source in RESTRAINTS:
        asked = Restraint(source=source, mode=mode, since=at, cause=str(facts["cause"]))
        memory.restraints = memory.restraints.asked(asked)


def _remember_lift(memory: _Memory, facts: Mapping[str, object], at: datetime) -> None:
    written = facts["sources"]
    if not isinstance(written, list):
        raise JournalError(f"the journal's sources are no list: {written!r}")
    sources = tuple(DemandSource(str(source)) for source in written)
    memory.restraints = memory.restraints.lifted(sources, at)
    if DemandSource.LOSSES in sources and memory.worth is not None:
        memory.worth = memory.worth.anew()


def _positions(written: object) -> tuple[Position, ...]:
    if not isinstance(written, list):
        raise JournalError(f"the journal's positions are no list: {written!r}")
    return tuple(value_of(Position, position) for position in written)


def _table(written: object) -> dict[str, object]:
    if not isinstance(written, dict):
        raise JournalError(f"the journal holds no table where one belongs: {written!r}")
    return written


def _adopt(memory: _Memory, facts: Mapping[str, object], today: date) -> None:
    """The broker's positions, but ours where they differed unexplained, as the living state takes them."""
    differing = _table(facts["differences"])
    for exec_id, commission in _table(facts.get("commissions", {})).items():
        memory.commissions[exec_id] = Decimal(str(commission))
    counting = memory.executions.counting.values()
    ours = positions_after(memory.start or (), counting)
    held = [position for position in _positions(facts["positions"]) if position.instrument.key not in differing]
    held += [ours[InstrumentKey(key)] for key in differing if key in ours]
    memory.start = positions_before(held, counting)
    memory.found_on = first_seen(memory.found_on, memory.start, today)


def _count_fill(memory: _Memory, fill: Fill, taken: Taken | None) -> None:
    """A fill moves its order even where the row about the order was not written before a crash."""
    order = memory.orders.get(IntentId(fill.order_ref))
    if order is None or fill.part is FillPart.LEG or taken is None or not taken.counts:
        return
    counting = memory.executions.counting.values()
    filled = min(units_filled(order.intent.intent_id, counting), order.intent.quantity)
    if taken.instead_of is not None:
        memory.orders[order.intent.intent_id] = order if filled == order.filled else order.corrected(filled)
        return
    state: OrderState = Filled() if filled == order.intent.quantity else Partial()
    if isinstance(order.state, Cancelled) and not isinstance(state, Filled):
        state = order.state  # a late part of a cancelled order: booked, still dead
    memory.orders[order.intent.intent_id] = replace(order, filled=filled, state=state)


def _remember_plan(memory: _Memory, facts: Mapping[str, object]) -> None:
    signal = value_of(Signal, facts["signal"])
    base = float(str(facts["base_usd_per_point"]))
    memory.conviction = signal.conviction
    if signal.state is SignalState.BLOWOUT:
        memory.base = memory.base or (base if base > 0 else None)
        if signal.episode_began_on is not None:
            memory.episode = Episode(began_on=signal.episode_began_on, peak_excess=signal.peak_excess)
    elif signal.state is SignalState.CALM:
        memory.episode, memory.base = None, None


def _remember_proposal(memory: _Memory, facts: Mapping[str, object], state: ProposalState) -> None:
    if state is ProposalState.OPEN:
        memory.proposals = memory.proposals.making(value_of(Proposal, facts["proposal"]))
    else:
        memory.proposals = memory.proposals.answered(DecisionId(str(facts["proposal_id"])), state)


def _move(memory: _Memory, row: WrittenRow, facts: Mapping[str, object]) -> None:
    order = memory.orders.get(IntentId(str(facts["intent_id"])))
    if order is None:
        raise JournalError(f"row {row.seq}: {row.kind} of an order that was never prepared")
    if isinstance(order.state, Filled):
        return
    memory.orders[order.intent.intent_id] = replace(
        order,
        state=_state(row.kind, str(facts["why"]).removeprefix(RECONCILED_PREFIX)),
        sent_at=row.at if row.kind == "order_sent" else order.sent_at,
        filled=max(order.filled, int(str(facts["filled"]))),
        perm_id=int(str(facts["perm_id"])) or order.perm_id,
    )


def _state(kind: str, why: str) -> OrderState:
    states: dict[str, OrderState] = {
        "order_sent": Sent(),
        "order_acknowledged": Working(),
        "order_partly_filled": Partial(),
        "order_completed": Filled(),
        "order_cancelled": Cancelled(reason=why),
        "order_rejected": Rejected(reason=why),
        "order_doubted": Unknown(why=why),
    }
    return states[kind]


def _doubted(order: Order) -> Order:
    return replace(order, state=Unknown(why="found at start")) if order.may_fill else order
