"""Each raw message to the part that it belongs to; an error goes to whom its id names."""

import logging
from typing import Final

from adapters.ibkr.account import AccountFeed
from adapters.ibkr.books import Books
from adapters.ibkr.connection import CLIENT_ID_IN_USE, Link
from adapters.ibkr.errors import CODES, meaning_of
from adapters.ibkr.feed import DataFeed
from adapters.ibkr.library import Contract, Execution, Order, OrderState
from adapters.ibkr.market_data import Streams
from adapters.ibkr.orders import Orders
from adapters.ibkr.pacing import FrameBudget
from adapters.ibkr.previews import Previews
from adapters.ibkr.requests import Requests

TOO_MANY_MESSAGES: Final = 100
SESSION_BROKEN: Final = frozenset({100, 502, 504, 507, 509})
"""Codes after which orders without an answer are in doubt (docs/ib/hazards.md, section 2.1)."""

_log = logging.getLogger(__name__)


class Router:
    """The ear of `adapters.ibkr.tap`; keeps counters, judges nothing."""

    def __init__(  # noqa: PLR0913 - one argument for each part that hears
        self,
        *,
        requests: Requests,
        streams: Streams,
        orders: Orders,
        previews: Previews,
        books: Books,
        account: AccountFeed,
        feed: DataFeed,
        link: Link,
        budget: FrameBudget,
    ) -> None:
        """Take the parts."""
        self._requests = requests
        self._orders = orders
        self._previews = previews
        self._books = books
        self._account = account
        self._feed = feed
        self._link = link
        self._budget = budget
        self._streams = streams
        self.price_ticked = streams.price_ticked
        self.size_ticked = streams.size_ticked
        self.model_told = streams.model_told
        self.data_type_told = streams.data_type_told
        self.snapshot_ended = streams.snapshot_ended
        self.previewed = previews.told
        self.order_completed = books.completed
        self.charged = orders.charged
        self.account_value = account.told
        self.accounts_told = link.accounts_told
        self.undecoded_count = 0
        self.unknown_code_count = 0

    def order_opened(self, contract: Contract, order: Order, state: OrderState) -> None:
        """An order as the broker holds it, for its row and for books that are being read."""
        self._books.opened(self._orders.opened(contract, order, state))

    def order_status(
        self, *, client_id: int, order_id: int, perm_id: int, status: str, filled: float, remaining: float
    ) -> None:
        """An order's status; one about the number of a what-if is about no order, unless one is there all the same."""
        if self._previews.is_about_one(order_id) and self._orders.has_no_order(client_id, order_id):
            return
        self._orders.status_told(
            client_id=client_id,
            order_id=order_id,
            perm_id=perm_id,
            status=status,
            filled=filled,
            remaining=remaining,
        )

    def executed(self, contract: Contract, execution: Execution, *, is_live: bool) -> None:
        """An execution: live ones become events, those of an answer belong to the books."""
        if is_live:
            self._orders.executed(contract, execution)
        else:
            self._books.executed(contract, execution)

    def failed(self, req_id: int, code: int, text: str) -> None:
        """An error or notice: first what it says of the session, then to the one whom its id names."""
        meaning = meaning_of(code)
        if code not in CODES:
            self.unknown_code_count += 1
        if code == CLIENT_ID_IN_USE:
            self._link.client_id_refused()
        if code == TOO_MANY_MESSAGES:
            self._budget.penalise()
        self._feed.told(meaning.data, text)
        self._link.told(meaning.link, code, text)
        if req_id < 0 and code in SESSION_BROKEN:
            self._orders.doubt_unanswered(code, text)
        named = (
            self._requests.failed(req_id, code, text)
            or self._streams.failed(req_id, code, text)
            or self._orders.failed(req_id, code, text)
            or self._previews.failed(req_id, code, text)
        )
        if not named and meaning.alert:
            _log.error("the broker says %s (id %s): %.300r", code, req_id, text)

    def order_id_told(self, order_id: int) -> None:
        """The next valid order id."""
        self._orders.raise_ids_above(order_id - 1)

    def processed(self) -> None:
        """One read of the socket is over."""
        self._requests.heard()
        self._streams.processed()
        self._account.processed()

    def undecoded(self, message_id: int, text: str) -> None:
        """A message was lost: where it belongs to the books, they must be compared again."""
        self.undecoded_count += 1
        _log.error("message %s could not be read: %.300r", message_id, text)
        if self._books.lost(message_id, text):
            self._link.doubt(f"message {message_id} could not be read")
