"""The broker's own words on orders, kept by order: the only source of an order's status.

How it works: openOrder brings identity, reference and status, orderStatus brings status and quantities, and a code of
the table in `errors` can refuse a new order or doubt any. A row is found by client id and order id, for manual orders
(no order id) by the permanent id. What always holds: no code cancels a row; a status text that is not listed is
UNCLEAR; a row that the broker has ended stays ended.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from adapters.ibkr.contracts import BAG
from adapters.ibkr.errors import OrderMeaning, meaning_of
from adapters.ibkr.library import UNSET_DOUBLE, UNSET_INTEGER, Contract, Order
from bot.domain.orders import BrokerOrder, BrokerStatus

STATUSES: Final[Mapping[str, BrokerStatus]] = MappingProxyType(
    {
        "ApiPending": BrokerStatus.WORKING,
        "PendingSubmit": BrokerStatus.WORKING,
        "PreSubmitted": BrokerStatus.WORKING,
        "Submitted": BrokerStatus.WORKING,
        "PendingCancel": BrokerStatus.WORKING,  # until the cancel is confirmed it may fill
        "ApiUpdate": BrokerStatus.WORKING,
        "Filled": BrokerStatus.FILLED,
        "Cancelled": BrokerStatus.CANCELLED,
        "ApiCancelled": BrokerStatus.CANCELLED,
    }
)
"""The broker's status texts; ``Inactive`` is not among them, since it means refused as well as held."""
INACTIVE: Final = "Inactive"
ENDED: Final = frozenset({BrokerStatus.FILLED, BrokerStatus.CANCELLED, BrokerStatus.REJECTED})
_TEXT_LENGTH: Final = 300

RowKey = tuple[int, int]


@dataclass(slots=True, kw_only=True, eq=False)
class OrderRow:
    """What the broker said of one order so far; quantities in units of the order."""

    client_id: int
    order_id: int
    perm_id: int = 0
    order_ref: str = ""
    account: str = ""
    is_combo: bool = False
    quantity: int = 0
    filled: int = 0
    remaining: int = 0
    status: BrokerStatus = BrokerStatus.UNCLEAR
    acknowledged: bool = False  # an order message about it came, not only a code
    is_inactive: bool = False
    refusal: str = ""  # the text of a code that refused it
    text: str = ""
    reported: tuple[object, ...] | None = None  # what was last told to the bot

    def report(self) -> BrokerOrder:
        """Return the row as a value."""
        return BrokerOrder(
            order_ref=self.order_ref,
            perm_id=self.perm_id,
            order_id=self.order_id,
            client_id=self.client_id,
            status=self.status,
            filled=self.filled,
            remaining=self.remaining,
            account=self.account,
            text=self.refusal or self.text,
        )

    def news(self) -> BrokerOrder | None:
        """Return the row as a value when it says something that was not told yet."""
        told = (self.status, self.filled, self.remaining, self.perm_id)
        if told == self.reported:
            return None
        self.reported = told
        return self.report()


class OrderTable:
    """All orders that the broker spoke of since the connect, and those that we wrote."""

    def __init__(self) -> None:
        """Start empty."""
        self._rows: dict[RowKey, OrderRow] = {}
        self._by_perm_id: dict[int, OrderRow] = {}

    def written(
        self, *, client_id: int, order_id: int, order_ref: str, account: str, is_combo: bool, quantity: int
    ) -> None:
        """Keep an order whose frame is about to be written."""
        self._rows[client_id, order_id] = OrderRow(
            client_id=client_id,
            order_id=order_id,
            order_ref=order_ref,
            account=account,
            is_combo=is_combo,
            quantity=quantity,
            remaining=quantity,
        )

    def opened(self, contract: Contract, order: Order, status: str, warning: str = "") -> OrderRow:
        """Take an openOrder message with the broker's warning, if any; return its row."""
        row = self._row(order.clientId, order.orderId, order.permId)
        row.order_ref = order.orderRef or row.order_ref
        row.account = order.account or row.account
        row.is_combo = row.is_combo or contract.secType == BAG
        row.text = warning[:_TEXT_LENGTH] or row.text
        row.quantity = units_of(order.totalQuantity) or row.quantity
        row.remaining = max(0, row.quantity - row.filled)
        self._take_status(row, status)
        if row.status is BrokerStatus.FILLED:
            row.filled, row.remaining = row.quantity, 0
        return row

    def status_told(
        self, *, client_id: int, order_id: int, perm_id: int, status: str, filled: float, remaining: float
    ) -> OrderRow:
        """Take an orderStatus message; return its row."""
        row = self._row(client_id, order_id, perm_id)
        row.filled = max(row.filled, units_of(filled))
        row.remaining = units_of(remaining)
        row.quantity = row.quantity or row.filled + row.remaining
        self._take_status(row, status)
        return row

    def judged(self, row: OrderRow, code: int, text: str) -> OrderMeaning:
        """Take an error or notice on a row's order; return what it means, DOUBT only while the row is not ended."""
        meaning = meaning_of(code)
        judged = meaning.working if row.acknowledged else meaning.new
        words = f"{code}: {text}"[:_TEXT_LENGTH]
        if row.status in ENDED:
            return OrderMeaning.NOTICE  # said of an order that the broker has ended: nothing is left to doubt
        if meaning.new is OrderMeaning.REJECTED:
            row.refusal = words
            if row.is_inactive:
                judged = OrderMeaning.REJECTED  # inactive and refused: the two together are the broker's word
        row.text = words
        if judged is OrderMeaning.REJECTED:
            row.status = BrokerStatus.REJECTED
        elif judged is OrderMeaning.DOUBT:
            row.reported = None  # whatever the broker says next of it is news again
        return judged

    def own(self, client_id: int, order_id: int) -> OrderRow | None:
        """Return the row of one client's order id, None when nothing is known of it."""
        return self._rows.get((client_id, order_id))

    def of_ref(self, client_id: int, order_ref: str) -> OrderRow | None:
        """Return one client's row of an order reference, the newest if there are several."""
        found = (row for row in reversed(self._rows.values()) if row.client_id == client_id)
        return next((row for row in found if row.order_ref == order_ref), None)

    def of_perm_id(self, perm_id: int) -> OrderRow | None:
        """Return the row of a permanent id."""
        return self._by_perm_id.get(perm_id)

    def unanswered(self, client_id: int) -> tuple[OrderRow, ...]:
        """Return the rows that we wrote and the broker has not spoken of."""
        own = (row for row in self._rows.values() if row.client_id == client_id)
        return tuple(row for row in own if not row.acknowledged and row.status not in ENDED)

    def forget_ended(self) -> None:
        """Drop the rows that the broker ended, so that nothing grows over the weeks."""
        self._rows = {key: row for key, row in self._rows.items() if row.status not in ENDED}
        self._by_perm_id = {key: row for key, row in self._by_perm_id.items() if row.status not in ENDED}

    def _row(self, client_id: int, order_id: int, perm_id: int) -> OrderRow:
        """Return the row of an order, made when it is new; orders placed by hand have no order id."""
        key = (client_id, order_id) if order_id > 0 else (-1, perm_id)
        row = self._rows.get(key)
        if row is None:
            row = self._rows[key] = OrderRow(client_id=client_id, order_id=max(0, order_id))
        row.acknowledged = True
        row.perm_id = perm_id or row.perm_id
        if row.perm_id:
            self._by_perm_id[row.perm_id] = row
        return row

    @staticmethod
    def _take_status(row: OrderRow, status: str) -> None:
        if row.status is BrokerStatus.FILLED:
            return
        said = STATUSES.get(status, BrokerStatus.UNCLEAR)
        row.is_inactive = status == INACTIVE
        if row.is_inactive and row.refusal:
            said = BrokerStatus.REJECTED
        if row.status in ENDED and said not in ENDED:
            return  # a late message from before the end
        row.status = said
        if said is BrokerStatus.UNCLEAR:
            row.text = f"status {status!r}"


def units_of(quantity: object) -> int:
    """Return an order quantity in whole units, 0 where it is unset or not a number."""
    if not isinstance(quantity, int | float) or not 0 <= quantity < UNSET_INTEGER or quantity >= UNSET_DOUBLE:
        return 0
    return int(quantity)
