"""Orders as the client library writes them and reads them, at any version; what a message leaves out by design."""

import dataclasses
from typing import Any

import ib_async
from ib_async.client import Client
from ib_async.decoder import Decoder

from simulator.tws.fields import Cursor
from simulator.tws.framing import fields_of
from simulator.tws.order_fields import WireOrder
from simulator.tws.order_in import read_order
from simulator.tws.resolved import Resolved

VERSION = 176
BAG = Resolved(con_id=28812380, symbol="VIX", sec_type="BAG", exchange="SMART", currency="USD")
STATE = {"clientId": "7", "permId": "123", "status": "Submitted"}
DONE = {**STATE, "filledQuantity": "2.0", "completedTime": "20261019 10:00:00 US/Eastern", "completedStatus": "Filled"}

IN_ONLY = {
    *("transmit", "overridePercentageConstraints", "scaleTable", "activeStartTime", "activeStopTime", "algoId"),
    *("orderMiscOptions", "extOperator", "mifid2DecisionMaker", "mifid2DecisionAlgo", "mifid2ExecutionTrader"),
    *("mifid2ExecutionAlgo", "advancedErrorOverride", "manualOrderTime", "eTradeOnly", "firmQuoteOnly"),
    *("nbboPriceCap", "faProfile"),
}
"""Fields that a client sends and the broker never tells back."""
NOT_IN_DONE = {
    *("orderId", "clientId", "auctionStrategy", "blockOrder", "parentId", "optOutSmartRouting", "whatIf"),
    *("deltaNeutralSettlingFirm", "deltaNeutralClearingAccount", "deltaNeutralClearingIntent"),
    *("deltaNeutralOpenClose", "adjustedOrderType", "triggerPrice", "adjustedStopPrice", "adjustedStopLimitPrice"),
    *("adjustedTrailingAmount", "adjustableTrailingUnit", "softDollarTier", "discretionaryUpToLimitPrice"),
    *("usePriceMgmtAlgo", "duration", "postToAts"),
}
CLEARED_BY_THE_LIBRARY = {"volatility"}
"""Set to None in place before an order is sent that is none of volatility."""
BROKERS_OWN = {
    *("permId", "clientId", "orderId", "autoCancelDate", "filledQuantity", "refFuturesConId", "shareholder"),
    *("imbalanceOnly", "routeMarketableToBbo", "parentPermId", "basisPoints", "basisPointsType"),
}


def encoded(contract: ib_async.Contract, order: ib_async.Order, version: int = VERSION) -> tuple[str, ...]:
    """Return the fields of placeOrder as the library writes them."""
    sent: list[bytes] = []
    client = Client(_Seen())
    client.isConnected = lambda: True
    client.serverVersion = lambda: version
    client.sendMsg = lambda message: sent.append(message.encode())
    client.placeOrder(9, contract, order)
    return fields_of(sent[0])


def taken(contract: ib_async.Contract, order: ib_async.Order, version: int = VERSION) -> WireOrder:
    """Return the order as the simulator reads it."""
    return read_order(Cursor(encoded(contract, order, version), 1), version)


class _Seen:
    """Stands where the library's wrapper stands and keeps what the decoder hands it."""

    def __init__(self) -> None:
        self.orders: list[tuple[ib_async.Contract, ib_async.Order, Any]] = []

    def openOrder(self, _order_id: int, contract: Any, order: Any, state: Any) -> None:  # noqa: N802 - the library's name
        self.orders.append((contract, order, state))

    def completedOrder(self, contract: Any, order: Any, state: Any) -> None:  # noqa: N802 - the library's name
        self.orders.append((contract, order, state))


def decoded(frame: bytes, version: int = VERSION) -> tuple[ib_async.Contract, ib_async.Order, Any]:
    """Return what the library makes of a frame; a decoding error leaves nothing and fails here."""
    seen = _Seen()
    decoder = Decoder(seen, version)
    decoder.interpret(list(frame[4:].decode("ascii").split("\0")[:-1]))
    [found] = seen.orders
    return found


def a_bag(**changes: Any) -> ib_async.Bag:
    """Return a combo with two legs."""
    legs = [
        ib_async.ComboLeg(conId=con_id, ratio=ratio, action=action, exchange="SMART", openClose=1, exemptCode=-1)
        for con_id, ratio, action in ((11, 1, "BUY"), (12, 2, "SELL"))
    ]
    return ib_async.Bag(**({"symbol": "VIX", "exchange": "SMART", "currency": "USD", "comboLegs": legs} | changes))


def differences(one: ib_async.Order, other: ib_async.Order, without: set[str]) -> dict[str, tuple[Any, Any]]:
    """Return the attributes in which two orders differ."""
    names = [field.name for field in dataclasses.fields(ib_async.Order) if field.name not in without]
    return {
        name: (getattr(one, name), getattr(other, name)) for name in names if getattr(one, name) != getattr(other, name)
    }
