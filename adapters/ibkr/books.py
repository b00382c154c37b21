"""The broker's truth at one moment: open and completed orders, executions, positions, account values.

What always holds: either every part came in time and nothing was lost on the way, or `ConnectivityError`; never a
smaller answer. Executions and positions are asked again while fills arrive between the two questions.
"""

import asyncio
import math
from decimal import Decimal
from typing import Any, Final

from adapters.ibkr.account import AccountFeed
from adapters.ibkr.contract_book import ContractBook
from adapters.ibkr.contracts import BAG
from adapters.ibkr.executions import Report
from adapters.ibkr.library import Contract, Execution, ExecutionFilter, Order, OrderState
from adapters.ibkr.library import Position as TheirPosition
from adapters.ibkr.order_table import ENDED, INACTIVE, STATUSES, OrderRow, units_of
from adapters.ibkr.orders import Orders
from adapters.ibkr.requests import Requests
from adapters.ibkr.tap import TappedIB
from bot.domain.errors import BrokerRejectedError, ConnectivityError
from bot.domain.orders import BrokerOrder, BrokerStatus, Fill
from bot.domain.portfolio import Position
from bot.ports import BrokerBooks, Clock

BOOK_MESSAGES: Final = frozenset({3, 4, 5, 6, 11, 53, 54, 55, 59, 61, 62, 101, 102})
"""Messages whose loss leaves the books in doubt (docs/ib/wire.md, section 4)."""
_TRIES: Final = 5


class Books:
    """Asks for all parts, one after the other; one asker at a time."""

    def __init__(
        self,
        *,
        account: str,
        ib: TappedIB,
        requests: Requests,
        contracts: ContractBook,
        orders: Orders,
        feed: AccountFeed,
        clock: Clock,
    ) -> None:
        """Take the parts that collect the answers."""
        self._account = account
        self._ib = ib
        self._requests = requests
        self._contracts = contracts
        self._orders = orders
        self._feed = feed
        self._clock = clock
        self._lock = asyncio.Lock()
        self._open: list[OrderRow] | None = None
        self._completed: list[BrokerOrder] | None = None
        self._executions: list[Report] | None = None
        self._lost = ""

    async def read(self) -> BrokerBooks:
        """Return the complete books.

        Raises:
            ConnectivityError: A part did not come in time, was refused, or could not be read.
        """
        async with self._lock:
            try:
                return await self._read()
            except BrokerRejectedError as error:
                raise ConnectivityError(f"books incomplete: {error}") from error
            finally:
                self._open = self._completed = self._executions = None

    async def subscribe(self) -> None:
        """After a connect: have this client's orders told again, and account and positions from now on.

        Raises:
            ConnectivityError: A part did not come in time.
        """
        async with self._lock:
            client = self._ib.client
            await self._requests.ask(
                "own open orders", lambda _id: client.reqOpenOrders(), key="openOrders", is_vital=True
            )
        await self.read()

    def opened(self, row: OrderRow) -> None:
        """Take a row of the open orders while they are asked for."""
        if self._open is not None and row not in self._open:
            self._open.append(row)

    def completed(self, contract: Contract, order: Order, state: OrderState) -> None:
        """Take a completed order while they are asked for."""
        if contract.secType == BAG:
            self._orders.combo_seen(order.permId)
        if self._completed is not None and order.account in {"", self._account}:
            self._completed.append(completed_order(order, state))

    def executed(self, contract: Contract, execution: Execution) -> None:
        """Take an execution of the answer."""
        if self._executions is not None:
            self._executions.append(Report(contract=contract, execution=execution))

    def lost(self, message_id: int, text: str) -> bool:
        """Take that a message could not be read; False when it has nothing to do with the books."""
        if message_id not in BOOK_MESSAGES:
            return False
        self._lost = text[:300]
        return True

    async def _read(self) -> BrokerBooks:
        client, ask = self._ib.client, self._requests.ask
        self._lost = ""
        self._orders.table.forget_ended()
        self._open, self._completed = [], []
        await ask("open orders", lambda _id: client.reqAllOpenOrders(), key="openOrders", is_vital=True)
        await ask("completed orders", lambda _id: client.reqCompletedOrders(False), key="completedOrders")
        fills, positions = await self._fills_and_positions()
        self._feed.forget()
        await ask("account values", lambda _id: client.reqAccountUpdates(True, self._account), key="accountValues")
        account = self._feed.values()
        if account is None:
            raise ConnectivityError("books incomplete: net liquidation and cash were not told")
        if self._lost:
            raise ConnectivityError(f"books incomplete: a message could not be read: {self._lost}")
        rows = [row for row in self._open if row.account in {"", self._account}]
        ended = tuple(row.report() for row in rows if row.status in ENDED)
        known = self._orders.commissions_usd
        return BrokerBooks(
            open_orders=tuple(row.report() for row in rows if row.status not in ENDED),
            completed_orders=(*self._completed, *ended),
            fills=fills,
            positions=positions,
            account=account,
            commissions_usd={fill.exec_id: str(known[fill.exec_id]) for fill in fills if fill.exec_id in known},
        )

    async def _fills_and_positions(self) -> tuple[tuple[Fill, ...], tuple[Position, ...]]:
        """Return both from one moment: asked again when an execution arrived between the two."""
        client, ask = self._ib.client, self._requests.ask
        for _ in range(_TRIES):
            self._executions = []
            before = self._orders.live_count
            await ask("executions", lambda req_id: client.reqExecutions(req_id, ExecutionFilter()), is_vital=True)
            rows = await ask("positions", lambda _id: client.reqPositions(), key="positions", is_vital=True)
            reports = [one for one in self._executions if one.execution.acctNumber == self._account]
            if self._orders.live_count == before:
                return await self._fills(reports), await self._positions(rows)
        raise ConnectivityError(f"books incomplete: executions kept arriving through {_TRIES} tries")

    async def _fills(self, reports: list[Report]) -> tuple[Fill, ...]:
        for report in reports:  # all first: a combo is known by its own execution
            if report.contract.secType == BAG:
                self._orders.combo_seen(report.execution.permId)
        fills = [await self._orders.fill_of(report) for report in reports]
        return tuple({fill.exec_id: fill for fill in fills}.values())

    async def _positions(self, rows: list[Any]) -> tuple[Position, ...]:
        latest: dict[int, TheirPosition] = {row.contract.conId: row for row in rows if row.account == self._account}
        positions = [
            Position(
                instrument=await self._contracts.resolve(row.contract),
                quantity=whole_quantity(row.position),
                average_cost_usd=Decimal(str(row.avgCost)) if math.isfinite(row.avgCost) else None,
            )
            for row in latest.values()
            if row.position
        ]
        return tuple(positions)


def completed_order(order: Order, state: OrderState) -> BrokerOrder:
    """Return a completed order; the message carries neither order id nor client id."""
    status = STATUSES.get(state.status, BrokerStatus.UNCLEAR)
    filled = units_of(order.filledQuantity)
    return BrokerOrder(
        order_ref=order.orderRef,
        perm_id=order.permId,
        order_id=0,
        client_id=0,
        status=BrokerStatus.REJECTED if state.status == INACTIVE else status,
        filled=filled,
        remaining=max(0, units_of(order.totalQuantity) - filled),
        account=order.account,
        text=state.completedStatus[:300],
    )


def whole_quantity(quantity: float) -> int:
    """Return a position in whole contracts, away from zero: part of a share is still a position."""
    return int(math.copysign(math.ceil(abs(quantity)), quantity))
