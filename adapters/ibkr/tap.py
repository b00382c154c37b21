"""The client library with our ear at its decoder: what the broker said reaches us before the library judges it.

How it works: `Wrapper` is the class whose methods the library's decoder calls, one for each message. We subclass it
by plain inheritance, and give the library's `IB` a client that was made with our subclass. Nothing is patched, both
libraries work the same way, and it does not matter when a decoder looks a method up. Messages on orders, executions,
commissions, errors and ticks are handed to our parts and not passed on: the library then holds no orders at all, so
it cannot show a live one as cancelled after an error code, keeps no list that grows, and its two answers to an empty
price never arise. Messages that answer a request are passed on, because the library's request table is used.

What always holds: a message that the decoder could not read is told to `Ear.undecoded` instead of being logged only.
"""

# ruff: noqa: N802, N803 - the method and argument names are the client library's

import logging
from typing import Any, Protocol

from adapters.ibkr.library import (
    IB,
    Client,
    CommissionReport,
    Contract,
    Decoder,
    Execution,
    Order,
    OrderState,
    Wrapper,
)
from adapters.ibkr.pacing import FrameBudget
from adapters.ibkr.provenance import Provenance

MODEL_OPTION = 13
"""Kind of an option computation that is the broker's model and not of a bid, an ask or a trade."""
DELTA_AT, THETA_AT = 2, 7
"""Places behind attribute and volatility: delta, price, dividends, gamma, vega, theta, price of the underlying."""


class Ear(Protocol):
    """Who listens to the raw messages; ids and texts as they came, nothing judged."""

    def order_opened(self, contract: Contract, order: Order, state: OrderState) -> None:
        """Message 5: an order as the broker holds it."""

    def previewed(self, order_id: int, state: OrderState) -> None:
        """Message 5 with the what-if flag: what an order would bind; no order is behind it."""

    def order_completed(self, contract: Contract, order: Order, state: OrderState) -> None:
        """Message 101: an order of today that is done."""

    def order_status(
        self, *, client_id: int, order_id: int, perm_id: int, status: str, filled: float, remaining: float
    ) -> None:
        """Message 3: an order's status."""

    def executed(self, contract: Contract, execution: Execution, *, is_live: bool) -> None:
        """Message 11: an execution, live or in answer to a request."""

    def charged(self, report: CommissionReport) -> None:
        """Message 59: what an execution cost."""

    def failed(self, req_id: int, code: int, text: str) -> None:
        """Message 4: an error or notice about a request, an order, or (-1) the session."""

    def price_ticked(self, req_id: int, tick_type: int, price: float, size: float) -> None:
        """Message 1: a price with its size."""

    def size_ticked(self, req_id: int, tick_type: int, size: float) -> None:
        """Message 2: a size."""

    def model_told(self, req_id: int, delta: float, theta: float) -> None:
        """Message 21 of kind 13: the greeks of the broker's model; absurd where it has none."""

    def data_type_told(self, req_id: int, data_type: int) -> None:
        """Message 58: which kind of data a line carries."""

    def snapshot_ended(self, req_id: int) -> None:
        """Message 57: all that a snapshot has was sent."""

    def account_value(self, account: str, tag: str, value: str, currency: str) -> None:
        """Message 6: one value of the account."""

    def order_id_told(self, order_id: int) -> None:
        """Message 9: the next valid order id."""

    def accounts_told(self, accounts: tuple[str, ...]) -> None:
        """Message 15: the accounts that the gateway manages."""

    def processed(self) -> None:
        """All messages of one read of the socket were handed over."""

    def undecoded(self, message_id: int, text: str) -> None:
        """A message could not be read, or one of our parts failed on it."""


class TappedWrapper(Wrapper):
    """Receives each decoded message; see the module."""

    ear: Ear | None = None

    def __init__(self, ib: IB) -> None:
        super().__init__(ib)

    def openOrder(self, orderId: int, contract: Contract, order: Order, orderState: OrderState) -> None:
        """Hand over an open order, or the answer to a what-if, of which the library's own judgement may never come."""
        if self.ear is None:
            return
        if order.whatIf:
            self.ear.previewed(orderId, orderState)
        else:
            self.ear.order_opened(contract, order, orderState)

    def completedOrder(self, contract: Contract, order: Order, orderState: OrderState) -> None:
        """Hand over a completed order."""
        if self.ear is not None:
            self.ear.order_completed(contract, order, orderState)

    def orderStatus(  # noqa: PLR0913, PLR0917 - the signature is the library's
        self,
        orderId: int,
        status: str,
        filled: float,
        remaining: float,
        avgFillPrice: float,  # noqa: ARG002 - the signature is the library's
        permId: int,
        parentId: int,  # noqa: ARG002 - likewise
        lastFillPrice: float,  # noqa: ARG002 - likewise
        clientId: int,
        whyHeld: str,  # noqa: ARG002 - likewise
        mktCapPrice: float = 0.0,  # noqa: ARG002 - likewise
    ) -> None:
        """Hand over a status."""
        if self.ear is not None:
            self.ear.order_status(
                client_id=clientId, order_id=orderId, perm_id=permId, status=status, filled=filled, remaining=remaining
            )

    def execDetails(self, reqId: int, contract: Contract, execution: Execution) -> None:
        """Hand over an execution; it is live when no request of ours asked for it."""
        if self.ear is not None:
            self.ear.executed(contract, execution, is_live=reqId not in self._futures)

    def commissionReport(self, commissionReport: CommissionReport) -> None:
        """Hand over a commission."""
        if self.ear is not None:
            self.ear.charged(commissionReport)

    def error(self, reqId: int, errorCode: int, errorString: str, advancedOrderRejectJson: str) -> None:  # noqa: ARG002
        """Hand over an error; ours ends the request that it names, in both libraries alike."""
        if self.ear is not None:
            self.ear.failed(reqId, errorCode, errorString)

    def priceSizeTick(self, reqId: int, tickType: int, price: float, size: float) -> None:
        """Hand over a price tick."""
        if self.ear is not None:
            self.ear.price_ticked(reqId, tickType, price, size)

    def tickSize(self, reqId: int, tickType: int, size: float) -> None:
        """Hand over a size tick."""
        if self.ear is not None:
            self.ear.size_ticked(reqId, tickType, size)

    def tickGeneric(self, reqId: int, tickType: int, value: float) -> None:
        """Drop: nothing of it is used, and an unknown id would raise in the library."""

    def tickString(self, reqId: int, tickType: int, value: str) -> None:
        """Drop, likewise."""

    def tickOptionComputation(self, reqId: int, tickType: int, *greeks: float) -> None:
        """Hand over what the model says, of bids and asks nothing: the greeks that decisions use are our own."""
        if self.ear is not None and tickType == MODEL_OPTION:
            self.ear.model_told(reqId, greeks[DELTA_AT], greeks[THETA_AT])

    def marketDataType(self, reqId: int, marketDataId: int) -> None:
        """Hand over the kind of data of a line."""
        if self.ear is not None:
            self.ear.data_type_told(reqId, marketDataId)

    def tickSnapshotEnd(self, reqId: int) -> None:
        """Hand over the end of a snapshot."""
        if self.ear is not None:
            self.ear.snapshot_ended(reqId)

    def updateAccountValue(self, tag: str, val: str, currency: str, account: str) -> None:
        """Hand over one value of the account."""
        if self.ear is not None:
            self.ear.account_value(account, tag, val, currency)

    def nextValidId(self, reqId: int) -> None:
        """Hand over the next order id, which the library reads while connecting only."""
        if self.ear is not None:
            self.ear.order_id_told(reqId)

    def managedAccounts(self, accountsList: str) -> None:
        """Hand over the accounts, which the library keeps as well."""
        super().managedAccounts(accountsList)
        if self.ear is not None:
            self.ear.accounts_told(tuple(name for name in accountsList.split(",") if name))

    def tcpDataProcessed(self) -> None:
        """Tell the end of one read."""
        super().tcpDataProcessed()  # type: ignore[no-untyped-call]  # the library's lower half carries no types
        if self.ear is not None:
            self.ear.processed()


class _ToldLogger(logging.LoggerAdapter[logging.Logger]):
    """The decoder's logger; it tells us what the decoder only logs."""

    def __init__(self, logger: logging.Logger, decoder: "ToldDecoder") -> None:
        super().__init__(logger, {})
        self._decoder = decoder

    def exception(self, msg: object, *args: object, **options: Any) -> None:
        """Log as before, then tell."""
        super().exception(msg, *args, **options)
        self._decoder.tell(str(msg))


class ToldDecoder(Decoder):
    """The library's decoder; messages that it loses are told to the ear with their number."""

    def __init__(self, wrapper: TappedWrapper, serverVersion: int) -> None:
        super().__init__(wrapper, serverVersion)
        self._wrapper = wrapper
        self._under_way = ""
        self.logger = _ToldLogger(self.logger, self)  # type: ignore[assignment]  # an adapter logs like a logger

    def interpret(self, fields: list[str]) -> None:
        """Remember which message is under way, then decode it."""
        self._under_way = fields[0] if fields else ""
        super().interpret(fields)  # type: ignore[no-untyped-call]  # likewise

    def tell(self, text: str) -> None:
        """Tell the ear of a lost message."""
        if self._wrapper.ear is not None:
            number = int(self._under_way) if self._under_way.isascii() and self._under_way.isdigit() else -1
            self._wrapper.ear.undecoded(number, text)


class MeteredClient(Client):
    """The library's socket client without its throttle; each frame is judged, and counted in our budget."""

    MaxRequests = 0

    def __init__(self, wrapper: TappedWrapper, budget: FrameBudget, provenance: Provenance) -> None:
        super().__init__(wrapper)  # type: ignore[no-untyped-call]  # likewise
        self.decoder = ToldDecoder(wrapper, 0)
        self._budget = budget
        self._provenance = provenance

    def sendMsg(self, msg: str) -> None:
        """Judge, count and write one frame; with the throttle off it is written before this returns.

        Raises:
            ProvenanceError: The frame changes orders, and it is not what was approved: it is not written.
        """
        self._provenance.judge(msg)
        self._budget.note()
        super().sendMsg(msg)


class TappedIB(IB):
    """The library's session object, made of our wrapper and our client."""

    def __init__(self, budget: FrameBudget) -> None:
        super().__init__()
        self.provenance = Provenance()
        self.wrapper: TappedWrapper = TappedWrapper(self)
        self.client: MeteredClient = MeteredClient(self.wrapper, budget, self.provenance)
        self.client.apiEnd += self.disconnectedEvent

    def __del__(self) -> None:
        """Close nothing: the link is closed on purpose, or with its loop."""

    def _onError(self, *_told: object) -> None:
        """Ask for nothing on 1102: the library would request an account summary that nobody awaits."""
