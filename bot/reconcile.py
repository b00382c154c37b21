"""The broker's truth against ours at start and at every reconnect: orders settled, fills found, differences named.

How it works: every order of ours that may be live is looked for by its orderRef among open orders, completed orders
and executions. What is found takes the broker's state. What is found nowhere stays UNKNOWN until the settle time has
passed since it was written, because a frame may still have been under way; then it never arrived. An order that left
any trace was at the broker, whatever the books show now. Nothing is ever sent again.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from bot.domain.corrections import ExecutionSet
from bot.domain.events import BooksReconciled, TwinsFound
from bot.domain.expiries import has_settled
from bot.domain.instrument import InstrumentKey
from bot.domain.ledger import positions_after, units_filled
from bot.domain.orders import (
    BrokerOrder,
    BrokerStatus,
    Cancelled,
    Fill,
    Filled,
    IntentId,
    Order,
    OrderState,
    Partial,
    Rejected,
    Unknown,
    Working,
)
from bot.domain.portfolio import Position
from bot.ports import BrokerBooks


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnBooks:
    """What we believe: our orders that may be live, all fills booked, and the positions they led to.

    ``positions`` is None when nothing was ever adopted: then the broker's positions are taken as they are.
    """

    orders: tuple[Order, ...]
    fills: tuple[Fill, ...]
    positions: tuple[Position, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciliation:
    """The outcome: our orders after settling, fills that we had missed, what stays in doubt, what differs."""

    orders: tuple[Order, ...]
    missed_fills: tuple[Fill, ...]
    in_doubt: tuple[Order, ...]
    differences: Mapping[str, str]
    commissions: Mapping[str, Decimal]
    twins: tuple[tuple[BrokerOrder, ...], ...] = ()  # live orders of one intent, where there are several

    def twins_found(self, now: datetime) -> tuple[TwinsFound, ...]:
        """Return one event for each intent that lives more than once at the broker."""
        return tuple(
            TwinsFound(
                at=now,
                intent_id=IntentId(rows[0].order_ref),
                perm_ids=tuple(row.perm_id for row in rows),
                order_ids=tuple(row.order_id for row in rows),
            )
            for rows in self.twins
        )

    def as_event(self, broker: BrokerBooks, now: datetime) -> BooksReconciled:
        """Return the event that carries the outcome of comparing with these books of the broker's."""
        return BooksReconciled(
            at=now,
            positions=broker.positions,
            account=broker.account,
            orders=self.orders,
            fills=self.missed_fills,
            commissions=self.commissions,
            differences=self.differences,
        )


def reconcile(own: OwnBooks, broker: BrokerBooks, *, now: datetime, settled_before: datetime | None) -> Reconciliation:
    """Compare both books; contracts that have settled are compared no more, whichever side still shows them.

    Args:
        own: Our side.
        broker: The broker's complete answer.
        now: Aware; brokers list what has settled until the night after it.
        settled_before: Orders written no later than this and found nowhere never arrived; None: too early for any.

    Returns:
        Orders settled by the broker's word; an order found nowhere is CANCELLED only when it is settled.
    """
    executions = ExecutionSet(own.fills)
    before = dict(executions.counting)
    missed = tuple(fill for fill in broker.fills if executions.take(fill) is not None)
    fills, corrected = tuple(executions.counting.values()), before.keys() - executions.counting.keys()
    rows, doubted = _rows_by_ref(broker), {before[exec_id].order_ref for exec_id in corrected}
    orders = tuple(
        _settle(
            _recounted(order, fills) if order.intent.intent_id in doubted else order,
            rows.get(order.intent.intent_id),
            fills,
            settled=_is_settled(order, settled_before),
        )
        for order in own.orders
    )
    news = [replace(before[exec_id], side=before[exec_id].side.opposite) for exec_id in corrected]
    news += [fill for exec_id, fill in executions.counting.items() if exec_id not in before]
    expected = None if own.positions is None else positions_after(own.positions, news)
    return Reconciliation(
        orders=orders,
        missed_fills=missed,
        in_doubt=tuple(order for order in orders if isinstance(order.state, Unknown)),
        differences={} if expected is None else _differences(expected, broker.positions, now),
        commissions={exec_id: Decimal(text) for exec_id, text in broker.commissions_usd.items()},
        twins=_twins(own.orders, broker),
    )


def _recounted(order: Order, fills: Sequence[Fill]) -> Order:
    """An order of which an execution was corrected: another size makes it a doubtful one."""
    filled = units_filled(order.intent.intent_id, fills)
    return order if filled == order.filled else order.corrected(filled)


def _is_settled(order: Order, before: datetime | None) -> bool:
    return before is not None and (order.sent_at or order.prepared_at) <= before


def _rows_by_ref(broker: BrokerBooks) -> dict[str, BrokerOrder]:
    """The broker's row for each order reference; an open row outweighs a completed one."""
    rows: dict[str, BrokerOrder] = {}
    for row in (*broker.completed_orders, *broker.open_orders):
        if row.order_ref:
            rows[row.order_ref] = row
    return rows


def _twins(orders: Iterable[Order], broker: BrokerBooks) -> tuple[tuple[BrokerOrder, ...], ...]:
    """The live rows of each intent of ours that has several, under permanent ids of their own."""
    rows: dict[str, dict[int, BrokerOrder]] = {order.intent.intent_id: {} for order in orders}
    for row in broker.open_orders:
        if row.order_ref in rows and row.perm_id and row.may_fill:
            rows[row.order_ref][row.perm_id] = row
    return tuple(tuple(found.values()) for found in rows.values() if len(found) > 1)


def _settle(order: Order, row: BrokerOrder | None, fills: Sequence[Fill], *, settled: bool) -> Order:
    """Give one order the state that the broker's books show."""
    filled = max(order.filled, units_filled(order.intent.intent_id, fills))
    if filled >= order.intent.quantity:
        return order if isinstance(order.state, Filled) else order.moved(Filled(), filled=order.intent.quantity)
    if row is None:
        has_executions = any(fill.order_ref == order.intent.intent_id for fill in fills)
        return _found_nowhere(order, filled, settled=settled, has_executions=has_executions)
    return order.moved(_state_from(row, filled), filled=filled, perm_id=row.perm_id, order_id=row.order_id)


def _found_nowhere(order: Order, filled: int, *, settled: bool, has_executions: bool) -> Order:
    """No row names the order; what it left elsewhere says whether it was ever there."""
    if not settled:
        return order.moved(Unknown(why="no trace at the broker yet"), filled=filled)
    if has_executions and filled == 0:
        return order.moved(Unknown(why="its legs traded, the execution of the whole is missing"))
    if filled:
        return order.moved(Cancelled(reason="no longer at the broker, partly filled"), filled=filled)
    why = "no longer at the broker" if order.perm_id else "never reached the broker"
    return order.moved(Cancelled(reason=why))


def _state_from(row: BrokerOrder, filled: int) -> OrderState:
    match row.status:
        case BrokerStatus.WORKING:
            return Partial() if filled else Working()
        case BrokerStatus.FILLED:
            return Unknown(why="filled at the broker, executions are missing")
        case BrokerStatus.CANCELLED if row.filled > filled:
            return Unknown(why=f"cancelled with {row.filled} filled, executions show {filled}")
        case BrokerStatus.CANCELLED:
            return Cancelled(reason=row.text or "cancelled at the broker")
        case BrokerStatus.REJECTED:
            return Rejected(reason=row.text or "rejected by the broker")
        case BrokerStatus.UNCLEAR:
            return Unknown(why=row.text or "unclear at the broker")


def _differences(
    expected: Mapping[InstrumentKey, Position], found: Iterable[Position], now: datetime
) -> dict[str, str]:
    """Positions that our executions do not explain, by instrument key."""
    mine = {key: position for key, position in expected.items() if not has_settled(position.instrument, now)}
    held = {one.instrument.key: one.quantity for one in found if not has_settled(one.instrument, now)}
    differences: dict[str, str] = {}
    for key in sorted(mine.keys() | held.keys()):
        ours = mine[key].quantity if key in mine else 0
        theirs = held.get(key, 0)
        if ours != theirs:
            differences[key] = f"books say {ours}, the broker says {theirs}"
    return differences
