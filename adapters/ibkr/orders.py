"""Our orders to the broker, and what the broker says of orders, as events.

What always holds: a frame is written before `submit` returns or it raises; order ids only grow; a status comes from
the broker's order messages or from the table of codes, never from the client library's own opinion, which does not
exist here (`adapters.ibkr.tap`).
"""

import asyncio
import logging
import math
from collections.abc import Callable
from decimal import Decimal

from adapters.ibkr.contract_book import ContractBook
from adapters.ibkr.contracts import BAG, combo, traded
from adapters.ibkr.errors import OrderMeaning, meaning_of
from adapters.ibkr.executions import Report, fill_from
from adapters.ibkr.library import UNSET_DOUBLE, CommissionReport, Contract, Execution, Order, OrderState
from adapters.ibkr.order_table import OrderRow, OrderTable
from adapters.ibkr.pacing import FrameBudget, Share
from adapters.ibkr.provenance import Frame, Route, cancel_frame, global_cancel_frame, order_frame
from adapters.ibkr.settings import BrokerSettings
from adapters.ibkr.tap import TappedIB
from bot.domain.decision import Approved
from bot.domain.errors import ConnectivityError, InvariantError
from bot.domain.events import CommissionReported, FillReported, OrderDoubted, OrderReported
from bot.domain.orders import Fill, FillPart, OrderIntent
from bot.domain.orders import Order as OwnOrder
from bot.ports import Clock, Sink

DUPLICATE_ORDER_ID = 103

_log = logging.getLogger(__name__)


def order_from(intent: OrderIntent, *, account: str, what_if: bool = False) -> Order:
    """Return the broker's order for an intent, every field that a preset could change set on purpose.

    A combo is a BUY of the BAG whose legs carry their own sides, at the intent's limit; a single leg goes out on its
    own side, its price positive whichever side that is. A combo is guaranteed: all legs or none. With ``what_if`` it is
    the question what the order would bind, and places nothing.

    Raises:
        InvariantError: A single leg with a ratio; its units would not be contracts.
    """
    action, price = "BUY", intent.limit
    if not intent.is_combo:
        leg = intent.legs[0]
        if leg.ratio != 1:
            raise InvariantError(f"intent {intent.intent_id}: a single leg has ratio 1, was {leg.ratio}")
        action, price = leg.side.value, intent.limit * leg.side.sign
    return Order(
        action=action,
        totalQuantity=intent.quantity,
        orderType="LMT",
        lmtPrice=float(price),
        tif="DAY",
        orderRef=intent.intent_id,
        account=account,
        transmit=True,
        outsideRth=False,
        whatIf=what_if,
    )


class Orders:
    """Writes orders and cancels, and turns order messages into events."""

    def __init__(
        self,
        *,
        settings: BrokerSettings,
        ib: TappedIB,
        budget: FrameBudget,
        contracts: ContractBook,
        clock: Clock,
        sink: Sink,
        is_open: Callable[[], bool],
        on_lost_fill: Callable[[str], None],
    ) -> None:
        """Start with no orders.

        Args:
            settings: Client id, account, route.
            ib: The session, which writes no frame of an order that is not stated here first.
            budget: The message budget.
            contracts: Numbers of contracts.
            clock: Times of events.
            sink: Where events go.
            is_open: Whether the transport takes bytes.
            on_lost_fill: Called with the reason when an execution could not be told: the books must be compared.
        """
        self._settings = settings
        self._ib = ib
        self._budget = budget
        self._contracts = contracts
        self._clock = clock
        self._sink = sink
        self._is_open = is_open
        self._on_lost_fill = on_lost_fill
        self._highest_id = 0
        self._lookups: set[asyncio.Task[None]] = set()
        self.table = OrderTable()
        self._combos: set[int] = set()  # permanent ids of orders with legs
        self.commissions_usd: dict[str, Decimal] = {}
        self.live_count = 0  # executions that arrived unasked

    # writing -------------------------------------------------------------------------------------------------------

    def submit(self, approved: Approved) -> None:
        """Write one order frame before returning.

        Raises:
            ConnectivityError: Not written: no transport, no room in the message budget, or a contract whose number is
                not known. Or written to a transport that closed meanwhile: it may have left.
            InvariantError: This intent was written before.
            ProvenanceError: The library's frame is not what was approved; it was not written.
        """
        intent = approved.intent
        self._require_open(f"order {intent.intent_id} was not written")
        if self._budget.wait_s(Share.ORDER) > 0:
            raise ConnectivityError(f"order {intent.intent_id} was not written: the message budget is used up")
        if self.table.of_ref(self._settings.client_id, intent.intent_id) is not None:
            raise InvariantError(f"intent {intent.intent_id} was written before")
        contract = self._contract_of(intent)
        order = order_from(intent, account=self._settings.account)
        order_id = self._next_order_id()
        self.table.written(
            client_id=self._settings.client_id,
            order_id=order_id,
            order_ref=intent.intent_id,
            account=self._settings.account,
            is_combo=intent.is_combo,
            quantity=intent.quantity,
        )
        with self._ib.provenance.stating(self._frame_of(intent, order_id)):
            self._write(f"order {intent.intent_id}", lambda: self._ib.client.placeOrder(order_id, contract, order))

    def ask(self, intent: OrderIntent) -> int:
        """Write the what-if of an order of one contract before returning; return the number that it used up.

        Raises:
            ConnectivityError: Not written: no transport, no room for a question, or a contract whose number is not
                known. Or written to a transport that closed meanwhile.
            InvariantError: The order has several legs: the broker answers no what-if for those.
            ProvenanceError: The library's frame is not that question; it was not written.
        """
        what = f"the what-if of {intent.intent_id}"
        if intent.is_combo:
            raise InvariantError(f"{what}: a combo cannot be asked about")
        self._require_open(f"{what} was not written")
        if self._budget.wait_s(Share.LOOKUP) > 0:
            raise ConnectivityError(f"{what} was not written: the message budget is used up")
        contract = self._contract_of(intent)
        order = order_from(intent, account=self._settings.account, what_if=True)
        order_id = self._next_order_id()
        with self._ib.provenance.stating(self._frame_of(intent, order_id, what_if=True)):
            self._write(what, lambda: self._ib.client.placeOrder(order_id, contract, order))
        return order_id

    def cancel(self, order: OwnOrder) -> None:
        """Write one cancel frame; it never waits for the message budget.

        Raises:
            ConnectivityError: No transport, or no order id of it is known: the books tell it.
        """
        intent_id = order.intent.intent_id
        self._require_open(f"cancel of {intent_id} was not written")
        named = self.table.own(self._settings.client_id, order.broker_order_id)
        is_known = named is not None and named.order_ref == intent_id  # of several live ones exactly this
        row = named if is_known else self.table.of_ref(self._settings.client_id, intent_id)
        order_id = order.broker_order_id if row is None else row.order_id
        if order_id <= 0:
            raise ConnectivityError(f"cancel of {intent_id} was not written: the broker's order id is not known")
        with self._ib.provenance.stating(cancel_frame(order_id, version=self._ib.client.serverVersion())):
            self._write(f"cancel of {intent_id}", lambda: self._ib.client.cancelOrder(order_id, ""))

    def cancel_everything(self) -> None:
        """Write the frame that cancels the orders of all clients of this gateway, manual ones among them.

        Raises:
            ConnectivityError: No transport.
        """
        self._require_open("a global cancel was not written")
        with self._ib.provenance.stating(global_cancel_frame()):
            self._write("global cancel", self._ib.client.reqGlobalCancel)

    def raise_ids_above(self, order_id: int) -> None:
        """Keep all later order ids above one: the broker's next id was seen to fall after a restart."""
        self._highest_id = max(self._highest_id, order_id)
        self._ib.client.updateReqId(self._highest_id + 1)

    def _next_order_id(self) -> int:
        order_id = max(self._highest_id + 1, self._ib.client.getReqId())
        self.raise_ids_above(order_id)
        return order_id

    def _write(self, what: str, write: Callable[[], object]) -> None:
        try:
            write()
        except ConnectionError as error:
            raise ConnectivityError(f"{what} was not written: not connected") from error
        self._require_open(f"{what} may not have left: the transport closed while it was written")

    def _require_open(self, consequence: str) -> None:
        if not self._is_open():
            raise ConnectivityError(f"{consequence}: the transport is closed")

    def _frame_of(self, intent: OrderIntent, order_id: int, *, what_if: bool = False) -> Frame:
        """The frame that must leave, from the intent and the numbers of its contracts alone."""
        known, at = self._contracts.by_key, self._settings.option_exchange
        routes = {}
        for leg in intent.legs:
            listed = known[leg.instrument.key]
            routes[leg.instrument.key] = Route(
                con_id=listed.con_id, exchange=at if intent.is_combo else listed.exchange
            )
        return order_frame(
            intent,
            order_id=order_id,
            account=self._settings.account,
            routes=routes,
            version=self._ib.client.serverVersion(),
            what_if=what_if,
        )

    def _contract_of(self, intent: OrderIntent) -> Contract:
        known = self._contracts.by_key
        for leg in intent.legs:
            if leg.instrument.key not in known:
                raise ConnectivityError(
                    f"order {intent.intent_id} was not written: no contract number of {leg.instrument.key} is known"
                )
        if intent.is_combo:
            return combo(intent.legs, known, self._settings.option_exchange)
        return traded(known[intent.legs[0].instrument.key])

    # what the broker says ------------------------------------------------------------------------------------------

    def opened(self, contract: Contract, order: Order, state: OrderState) -> OrderRow:
        """Take an open order; return its row."""
        row = self.table.opened(contract, order, state.status, state.warningText)
        if order.clientId == self._settings.client_id:
            self.raise_ids_above(order.orderId)
        if row.is_combo and row.perm_id:
            self.combo_seen(row.perm_id)
        self._report(row)
        return row

    def status_told(
        self, *, client_id: int, order_id: int, perm_id: int, status: str, filled: float, remaining: float
    ) -> None:
        """Take a status."""
        self._report(
            self.table.status_told(
                client_id=client_id,
                order_id=order_id,
                perm_id=perm_id,
                status=status,
                filled=filled,
                remaining=remaining,
            )
        )

    def has_no_order(self, client_id: int, order_id: int) -> bool:
        """Return whether a number is one of ours under which no order was written or heard of."""
        return client_id == self._settings.client_id and self.table.own(client_id, order_id) is None

    def failed(self, order_id: int, code: int, text: str) -> bool:
        """Take an error or notice; False when it names no order of ours."""
        row = self.table.own(self._settings.client_id, order_id)
        if row is None:
            return False
        judged = self.table.judged(row, code, text)
        level = logging.ERROR if meaning_of(code).alert else logging.INFO
        _log.log(level, "order %s (%s): the broker says %s: %.300r", order_id, judged.value, code, text)
        if judged is OrderMeaning.REJECTED:
            self._report(row)
        elif judged is OrderMeaning.DOUBT:
            self._doubt(row, code, text)
        if code == DUPLICATE_ORDER_ID:
            self._ib.client.reqIds(1)
        return True

    def doubt_unanswered(self, code: int, text: str) -> None:
        """Doubt every order that the broker has not spoken of: something happened to the session."""
        for row in self.table.unanswered(self._settings.client_id):
            self._doubt(row, code, text)

    def executed(self, contract: Contract, execution: Execution) -> None:
        """Take a live execution; its contract is looked up first when it is not known."""
        self.live_count += 1
        report = Report(contract=contract, execution=execution)
        if contract.secType == BAG:
            self.combo_seen(execution.permId)
        if contract.secType == BAG or self._contracts.instrument(contract.conId) is not None:
            self._sink(FillReported(at=self._clock.now(), fill=self._known_fill(report)))
            return
        task = asyncio.get_running_loop().create_task(self._look_up_and_report(report))
        self._lookups.add(task)
        task.add_done_callback(self._lookups.discard)

    def charged(self, report: CommissionReport) -> None:
        """Take a commission; an unset one, or one in another currency, leaves the fee schedule in force."""
        if not math.isfinite(report.commission) or abs(report.commission) >= UNSET_DOUBLE:
            return
        if report.currency not in {"", "USD"}:
            _log.error("commission of %s is in %s, expected USD", report.execId, report.currency)
            return
        amount = Decimal(str(report.commission))
        if self.commissions_usd.get(report.execId) != amount:
            self.commissions_usd[report.execId] = amount
            self._sink(CommissionReported(at=self._clock.now(), exec_id=report.execId, commission_usd=amount))

    async def fill_of(self, report: Report) -> Fill:
        """Return an execution of the books as a fill.

        Raises:
            ConnectivityError: Its contract cannot be named now.
        """
        if report.contract.secType != BAG:
            await self._contracts.resolve(report.contract)
        return self._known_fill(report)

    def combo_seen(self, perm_id: int) -> None:
        """Keep that an order is a combo: its executions come as a whole and leg by leg."""
        self._combos.add(perm_id)

    def _known_fill(self, report: Report) -> Fill:
        row = self._row_of(report.execution)
        if not report.execution.orderRef and row is not None:
            report.execution.orderRef = row.order_ref
        if report.contract.secType == BAG:
            return fill_from(report, None, FillPart.COMBO)
        is_combo = report.execution.permId in self._combos or (row is not None and row.is_combo)
        part = FillPart.LEG if is_combo else FillPart.WHOLE
        return fill_from(report, self._contracts.instrument(report.contract.conId), part)

    def _row_of(self, execution: Execution) -> OrderRow | None:
        row = self.table.of_perm_id(execution.permId) if execution.permId else None
        return row or self.table.own(execution.clientId, execution.orderId)

    async def _look_up_and_report(self, report: Report) -> None:
        try:
            await self._contracts.resolve(report.contract)
        except ConnectivityError as error:
            self._on_lost_fill(f"execution {report.execution.execId}: {error}")
            return
        self._sink(FillReported(at=self._clock.now(), fill=self._known_fill(report)))

    def _report(self, row: OrderRow) -> None:
        news = row.news()
        if news is not None:
            self._sink(OrderReported(at=self._clock.now(), report=news))

    def _doubt(self, row: OrderRow, code: int, text: str) -> None:
        if row.order_ref:
            self._sink(OrderDoubted(at=self._clock.now(), order_ref=row.order_ref, code=code, text=text[:300]))
