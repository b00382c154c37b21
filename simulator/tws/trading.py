"""The conversation about orders: place, change, what-if, cancel; who hears what, and in which order.

Source: docs/ib/wire.md, sections 5.3 to 5.5 and 5.9.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from simulator.admission import DUPLICATE_ID
from simulator.tws.answers.login import NextValidId
from simulator.tws.answers.orders import CompletedOrdersEnd, ExecutionsEnd, OpenOrderEnd, OrderStatus
from simulator.tws.contract_out import commission, execution
from simulator.tws.desk import Desk, KnownOrder, LedgerRow, Told
from simulator.tws.framing import text_of
from simulator.tws.layout import encode
from simulator.tws.line import Line
from simulator.tws.moments import told
from simulator.tws.order_fields import WireOrder
from simulator.tws.order_out import MarginPreview, completed_order, open_order
from simulator.tws.order_terms import query_of, venue_order
from simulator.tws.requests.orders import (
    CancelOrder,
    GlobalCancel,
    ReqAllOpenOrders,
    ReqAutoOpenOrders,
    ReqCompletedOrders,
    ReqExecutions,
    ReqIds,
    ReqOpenOrders,
)
from simulator.tws.resolved import NotPlaced, Resolved, of_listing, resolve
from simulator.venue import (
    AccountChanged,
    CancelRefused,
    Charged,
    Executed,
    OrderChanged,
    VenueOrder,
    VenueStatus,
)

_REJECTED: Final = 201
_CANCELLED: Final = 202
_NEW_YORK: Final = ZoneInfo("US/Eastern")
_WORKING: Final = frozenset({VenueStatus.PRE_SUBMITTED, VenueStatus.SUBMITTED})
_NEW_CANCEL_CODES: Final = {135: 10147, 161: 10148}
_SIDE_NAMES: Final = {"BOT": 1, "BUY": 1, "SLD": -1, "SELL": -1, "SSHORT": -1}


class OrderDesk:
    """One client's orders."""

    def __init__(self, line: Line, desk: Desk) -> None:
        """Write to ``line`` what happens to this client's orders."""
        self._line = line
        self._desk = desk
        self._hears_manual = False  # client 0 once it has asked to bind manual orders
        self._executed: set[str] = set()  # executions told on this connection, whose commissions follow

    # Requests

    def place(self, sent: WireOrder) -> None:
        """Take an order, a change of one, or a what-if."""
        line, desk = self._line, self._desk
        desk.use_id(line.client_id, sent.order_id)
        resolved = resolve(query_of(sent), desk.floor)
        if isinstance(resolved, NotPlaced):
            self._refuse(sent, resolved)
            return
        order = venue_order(sent, resolved, line.client_id, desk.floor)
        if isinstance(order, NotPlaced):
            self._refuse(sent, order)
        elif sent.is_what_if:
            self._record(sent, order, "taken")
            self._answer_what_if(sent, resolved, order)
        else:
            self._place(sent, resolved, order)

    def unreadable(self, order_id: int, why: str) -> None:
        """Keep in the ledger that an order arrived which could not be read."""
        desk, client_id = self._desk, self._line.client_id
        desk.record(LedgerRow(at=desk.floor.now(), client_id=client_id, order_id=order_id, told=Told.PLACE, fate=why))

    def cancel(self, request: CancelOrder) -> None:
        """Cancel an order of this client, or say why not."""
        client_id, desk = self._line.client_id, self._desk
        desk.record(LedgerRow(at=desk.floor.now(), client_id=client_id, order_id=request.order_id, told=Told.CANCEL))
        desk.floor.cancel(client_id, request.order_id)

    def cancel_all(self, _request: GlobalCancel) -> None:
        """Cancel the orders of all clients."""
        floor = self._desk.floor
        self._desk.record(
            LedgerRow(at=floor.now(), client_id=self._line.client_id, order_id=0, told=Told.GLOBAL_CANCEL)
        )
        for standing in floor.open_orders():
            floor.cancel(standing.order.client_id, standing.order.order_id)

    def next_id(self, _request: ReqIds) -> None:
        """Tell the next order id."""
        self._line.tell(NextValidId(order_id=self._desk.next_order_id(self._line.client_id)))

    def own_open_orders(self, _request: ReqOpenOrders) -> None:
        """Tell the working orders of this client; client 0 also hears of manual ones."""
        self._tell_open(each for each in self._working() if self._owns(each.order))

    def all_open_orders(self, _request: ReqAllOpenOrders) -> None:
        """Tell the working orders of everybody."""
        self._tell_open(self._working())

    def bind_manual_orders(self, request: ReqAutoOpenOrders) -> None:
        """Client 0 hears of manual orders from now on; another client may not."""
        if self._line.client_id == 0:
            self._hears_manual = request.auto_bind
        elif request.auto_bind:
            self._line.error(-1, 321, "Error validating request: only client id 0 may bind manual orders")

    def completed_orders(self, _request: ReqCompletedOrders) -> None:
        """Tell today's orders that are done, of everybody."""
        rows = (self._completed_frame(each) for each in self._desk.floor.completed_orders())
        self._line.send(*rows, self._encoded(CompletedOrdersEnd()))

    def executions(self, request: ReqExecutions) -> None:
        """Tell today's executions that fit: all of them first, then their commissions, then the end."""
        found = [pair for pair in self._desk.floor.executions() if self._fits(request, pair[0])]
        rows = [execution(request.req_id, executed, self._resolved(executed)) for executed, _ in found]
        fees = [commission(charged) for _, charged in found]
        self._line.tell(*rows, *fees, ExecutionsEnd(req_id=request.req_id))

    # What happens

    def order_changed(self, event: OrderChanged) -> None:
        """Tell the owner where its order stands; an order that is not transmitted is not told as working."""
        if not self._hears(event.order):
            return
        if event.code and event.status in _WORKING:
            self._line.error(event.order.order_id, event.code, _told(event.code, event.reason))
        elif event.status is VenueStatus.REJECTED:
            self._tell_rejected(event)
        elif event.status is VenueStatus.CANCELLED:
            self._line.send(self._status_frame(event))
            self._line.error(event.order.order_id, _CANCELLED, event.reason or "Order Canceled - reason:")
        elif _is_shown(event):
            self._line.send(self._open_frame(event))
            self._line.send(self._status_frame(event))
            if event.warning is not None:
                self._line.error(event.order.order_id, *event.warning)

    def executed(self, event: Executed) -> None:
        """Tell the owner of an execution."""
        if self._hears(event.order):
            self._executed.add(event.exec_id)
            self._line.tell(execution(-1, event, self._resolved(event)))

    def charged(self, event: Charged) -> None:
        """Tell the commission of an execution that this client was told of."""
        if event.exec_id in self._executed:
            self._executed.remove(event.exec_id)
            self._line.tell(commission(event))

    def cancel_refused(self, event: CancelRefused) -> None:
        """Tell why an order was not cancelled."""
        if event.client_id == self._line.client_id:
            codes = {} if self._desk.rules.old_cancel_codes else _NEW_CANCEL_CODES
            self._line.error(event.order_id, codes.get(event.code, event.code), event.text)

    # Parts

    def _tell_rejected(self, event: OrderChanged) -> None:
        code = event.code or _REJECTED
        self._line.error(event.order.order_id, code, _told(code, event.reason))
        if event.code != DUPLICATE_ID:  # the id names another order, whose standing has not changed
            self._line.send(self._status_frame(event))

    def _tell_open(self, standings: Iterable[OrderChanged]) -> None:
        self._line.send(*map(self._standing_frames, standings), self._encoded(OpenOrderEnd()))

    def _working(self) -> tuple[OrderChanged, ...]:
        return tuple(each for each in self._desk.floor.open_orders() if _is_shown(each))

    def _place(self, sent: WireOrder, resolved: Resolved, order: VenueOrder) -> None:
        """Hand an order to the exchange; it answers through the events."""
        key = (self._line.client_id, sent.order_id)
        is_change = any((each.order.client_id, each.order.order_id) == key for each in self._desk.floor.open_orders())
        self._desk.learn(self._line.client_id, KnownOrder(sent=sent, resolved=resolved))
        self._record(sent, order, "taken", is_change=is_change)
        self._desk.floor.place(order)

    def _refuse(self, sent: WireOrder, why: NotPlaced) -> None:
        """Answer an order that does not reach the exchange."""
        self._record(sent, None, why.text)
        self._line.error(sent.order_id, why.code, why.text)

    def _record(self, sent: WireOrder, order: VenueOrder | None, fate: str, *, is_change: bool = False) -> None:
        told = Told.WHAT_IF if sent.is_what_if else Told.MODIFY if is_change else Told.PLACE
        self._desk.record(
            LedgerRow(
                at=self._desk.floor.now(),
                client_id=self._line.client_id,
                order_id=sent.order_id,
                told=told,
                order_ref=sent.value("orderRef"),
                order=order,
                fate=fate,
            )
        )

    def _answer_what_if(self, sent: WireOrder, resolved: Resolved, order: VenueOrder) -> None:
        preview = self._desk.floor.preview(order)
        if preview.reason:
            self._line.error(sent.order_id, preview.code, _told(preview.code, preview.reason))
            return
        margin = MarginPreview(
            before=_margin(preview.before), after=_margin(preview.after), commission_usd=preview.commission_usd
        )
        state = {**self._identity(0), **margin.values(), "status": "PreSubmitted"}
        self._line.send(open_order(sent, resolved, state, self._line.version))

    def _owns(self, order: VenueOrder) -> bool:
        """Return whether an order is this client's, or a manual one that client 0 asked for."""
        is_manual = order.order_id <= 0 and self._hears_manual
        return order.client_id == self._line.client_id or is_manual

    def _hears(self, order: VenueOrder) -> bool:
        """Return whether this client is told of an order: its owner, and the master of all."""
        return self._owns(order) or self._desk.rules.master_id == self._line.client_id

    def _fits(self, request: ReqExecutions, executed: Executed) -> bool:
        order = executed.order
        resolved = self._resolved(executed)
        side = _SIDE_NAMES.get(request.side.upper())
        return (
            request.client_id in {0, order.client_id}
            and request.account in {"", order.account or self._desk.floor.account}
            and request.symbol in {"", resolved.symbol}
            and request.sec_type in {"", resolved.sec_type}
            and request.exchange in {"", resolved.exchange}
            and (side is None or side == executed.side.sign)
            and _time_key(request.time) <= f"{executed.at.astimezone(_NEW_YORK):%Y%m%d%H:%M:%S}"
        )

    def _resolved(self, executed: Executed) -> Resolved:
        """Return the contract of an execution: the order's own, a leg's listing for a leg."""
        if executed.is_leg and executed.instrument is not None:
            return of_listing(self._desk.listing(executed.instrument))
        return self._desk.known(executed.order).resolved

    def _encoded(self, message: Any) -> bytes:
        return encode(message, self._line.version)

    def _standing_frames(self, event: OrderChanged) -> bytes:
        return self._open_frame(event) + self._status_frame(event)

    def _open_frame(self, event: OrderChanged) -> bytes:
        known = self._desk.known(event.order)
        return open_order(known.sent, known.resolved, self._state(event), self._line.version)

    def _completed_frame(self, event: OrderChanged) -> bytes:
        """Return 101; a rejected order is told as cancelled with its reason: to one library Inactive means open."""
        known = self._desk.known(event.order)
        is_rejected = event.status is VenueStatus.REJECTED
        state = {
            **self._state(event),
            "status": VenueStatus.CANCELLED.value if is_rejected else event.status.value,
            "filledQuantity": text_of(float(event.filled)),
            "completedTime": told(self._desk.done_at(event.perm_id)),
            "completedStatus": event.reason or f"{event.status.value} Size: {event.filled}",
            "parentPermId": "0",
        }
        return completed_order(known.sent, known.resolved, state, self._line.version)

    def _status_frame(self, event: OrderChanged) -> bytes:
        """Return 3."""
        order = event.order
        return self._encoded(
            OrderStatus(
                order_id=order.order_id,
                status=event.status.value,
                filled=event.filled,
                remaining=order.quantity - event.filled,
                average_price=event.average_price,
                perm_id=event.perm_id,
                parent_id=order.parent_id,
                last_price=event.last_price,
                client_id=order.client_id,
                why_held=event.why_held,
                cap_price=event.cap_price or Decimal(0),
            )
        )

    def _state(self, event: OrderChanged) -> Mapping[str, str]:
        """Return what differs from the order as sent; prices and size are the exchange's own."""
        order = event.order
        state = {
            **self._identity(event.perm_id),
            "clientId": str(order.client_id),
            "status": event.status.value,
            "account": order.account or self._desk.floor.account,
            "totalQuantity": text_of(float(order.quantity)),
            "warningText": "" if event.warning is None else event.warning[1],
        }
        moved = {"lmtPrice": order.limit, "auxPrice": order.auxiliary, "trailStopPrice": order.trail_stop}
        return state | {name: text_of(price) for name, price in moved.items() if price is not None}

    def _identity(self, perm_id: int) -> dict[str, str]:
        return {"clientId": str(self._line.client_id), "permId": str(perm_id), "account": self._desk.floor.account}


def _told(code: int, reason: str) -> str:
    """Return the text of a refusal: a rejection opens with the broker's words, any other code speaks for itself."""
    return f"Order rejected - reason: {reason}" if code == _REJECTED else reason


def _is_shown(event: OrderChanged) -> bool:
    """Return whether an order is told as working: not while it waits to be transmitted."""
    return event.order.transmit or event.status is not VenueStatus.PRE_SUBMITTED


def _margin(state: AccountChanged) -> tuple[Decimal, Decimal, Decimal]:
    return state.init_margin_usd, state.maint_margin_usd, state.net_liquidation_usd


def _time_key(text: str) -> str:
    """Return ``YYYYMMDD HH:MM:SS`` or ``YYYYMMDD-HH:MM:SS`` without what divides it; a zone is ignored."""
    return text.replace("-", " ", 1).replace(" ", "", 1).split(" ")[0]
