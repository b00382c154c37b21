"""What the journal remembers at start: our orders, executions and commissions, the adopted book, the episode."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from adapters.journal.codec import value_of
from adapters.journal.store import WrittenRow, read_rows
from bot.domain.errors import JournalError
from bot.domain.events import Restored
from bot.domain.ledger import positions_before
from bot.domain.mode import TradingMode
from bot.domain.orders import (
    Cancelled,
    Fill,
    Filled,
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
from bot.domain.readings import Episode, Signal, SignalState

MOVES = (
    *("order_sent", "order_acknowledged", "order_partly_filled", "order_completed"),
    *("order_cancelled", "order_rejected", "order_doubted"),
)
REMEMBERED = (
    *("order_prepared", "order_filled", "commission_booked", "books_reconciled", "hedge_planned", "mode_demanded"),
    *MOVES,
)


@dataclass(slots=True)
class _Memory:
    """What has been read so far."""

    orders: dict[IntentId, Order] = field(default_factory=dict)
    fills: dict[str, Fill] = field(default_factory=dict)
    commissions: dict[str, Decimal] = field(default_factory=dict)
    start: tuple[Position, ...] | None = None
    base: float | None = None
    episode: Episode | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """The event that restores the state, and the mode that the latch showed last."""

    restored: Restored
    latch_mode: TradingMode | None


def remembered(path: Path, at: datetime) -> Remembered:
    """Read a journal from its beginning.

    Orders that may be live come back as UNKNOWN: only the broker's books can tell what became of them.

    Raises:
        JournalError: It cannot be read, or a row describes something impossible.
    """
    memory = _Memory()
    latch_mode: TradingMode | None = None
    for row in read_rows(path, REMEMBERED):
        facts = json.loads(row.payload)
        if row.kind == "mode_demanded":
            latch_mode = TradingMode[facts["mode"]] if facts["source"] == "latch" else latch_mode
        else:
            _remember(memory, row, facts)
    restored = Restored(
        at=at,
        orders=tuple(_doubted(order) for order in memory.orders.values()),
        fills=tuple(memory.fills.values()),
        commissions=memory.commissions,
        positions=memory.start,
        frozen_base_usd_per_point=memory.base,
        episode=memory.episode,
    )
    return Remembered(restored=restored, latch_mode=latch_mode)


def _remember(memory: _Memory, row: WrittenRow, facts: Mapping[str, object]) -> None:
    match row.kind:
        case "order_prepared":
            intent = value_of(OrderIntent, facts["intent"])
            memory.orders[intent.intent_id] = Order(intent=intent, state=Prepared(), prepared_at=row.at)
        case "order_filled":
            fill = value_of(Fill, facts["fill"])
            memory.fills.setdefault(fill.exec_id, fill)
            _count_fill(memory, fill)
        case "commission_booked":
            memory.commissions[str(facts["exec_id"])] = Decimal(str(facts["commission_usd"]))
        case "books_reconciled":
            held = _positions(facts["positions"])
            memory.start = positions_before(held, memory.fills.values())
        case "hedge_planned":
            _remember_plan(memory, facts)
        case _:
            _move(memory, row, facts)


def _positions(written: object) -> tuple[Position, ...]:
    if not isinstance(written, list):
        raise JournalError(f"the journal's positions are no list: {written!r}")
    return tuple(value_of(Position, position) for position in written)


def _count_fill(memory: _Memory, fill: Fill) -> None:
    """A fill completes or moves its order even where the row about the order was not written before a crash."""
    order = memory.orders.get(IntentId(fill.order_ref))
    if order is None or fill.part.value == "leg":
        return
    filled = sum(
        one.quantity for one in memory.fills.values() if one.order_ref == fill.order_ref and one.part.value != "leg"
    )
    done = filled >= order.intent.quantity
    state: OrderState = Filled() if done else order.state
    memory.orders[order.intent.intent_id] = replace(order, filled=min(filled, order.intent.quantity), state=state)


def _remember_plan(memory: _Memory, facts: Mapping[str, object]) -> None:
    signal = value_of(Signal, facts["signal"])
    base = float(str(facts["base_usd_per_point"]))
    if signal.state is SignalState.BLOWOUT and signal.episode_began_on is not None:
        memory.episode = Episode(began_on=signal.episode_began_on, peak_excess=signal.peak_excess)
        memory.base = memory.base or (base if base > 0 else None)
    elif signal.state is SignalState.CALM:
        memory.episode, memory.base = None, None


def _move(memory: _Memory, row: WrittenRow, facts: Mapping[str, object]) -> None:
    order = memory.orders.get(IntentId(str(facts["intent_id"])))
    if order is None:
        raise JournalError(f"row {row.seq}: {row.kind} of an order that was never prepared")
    if isinstance(order.state, Filled):
        return
    memory.orders[order.intent.intent_id] = replace(
        order,
        state=_state(row.kind, str(facts["why"])),
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
