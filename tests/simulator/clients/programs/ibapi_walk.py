"""Walks through the broker's interface with the official client, old or new, and prints one JSON line a step.

Run as ``python ibapi_walk.py PORT``; it knows nothing of the gateway but its port.
"""

import time

from ibapi.scanner import ScannerSubscription
from ibapi.tag_value import TagValue
from ibapi_program import cancel, cancel_all, contract, order, started, status, told


def walk_asking(app, spy):
    app.reqCurrentTime()
    app.reqAccountSummary(1, "All", "NetLiquidation")
    app.reqPositions()
    app.reqContractDetails(2, spy)
    app.reqContractDetails(3, contract("SPX", "IND", "CBOE"))
    summary = app.wait("accountSummary", 1)
    app.wait("positionEnd")
    app.wait("contractDetailsEnd", 3)
    rules = app.of("contractDetails", 2)[0][1].marketRuleIds
    app.reqMarketRule(int(rules.split(",")[0]))
    [(_, index)] = app.of("contractDetails", 3)
    app.reqSecDefOptParams(4, "SPX", "", "IND", index.contract.conId)
    app.wait("securityDefinitionOptionParameterEnd", 4)
    chains = app.of("securityDefinitionOptionParameter", 4)
    told("account", net=summary and summary[3], now=app.wait("currentTime") is not None)
    told(
        "contracts",
        spy=app.of("contractDetails", 2)[0][1].contract.conId,
        chains=sorted({args[3] for args in chains}),
        rule=bool(app.wait("marketRule")),
    )


def walk_data(app, spy):
    app.reqMktData(10, spy, "", False, False, [])
    bid = app.wait("tickPrice", 10, so=lambda args: args[1] == 1 and args[2] > 0)
    app.reqMktData(11, spy, "", True, False, [])
    snapshot = app.wait("tickSnapshotEnd", 11)
    app.reqHistoricalData(12, spy, "", "10 D", "1 day", "TRADES", 1, 1, False, [])
    app.wait("historicalDataEnd", 12)
    app.reqRealTimeBars(13, spy, 5, "TRADES", False, [])
    app.reqTickByTickData(14, spy, "BidAsk", 0, False)
    bars, ticks = app.wait("realtimeBar", 13), app.wait("tickByTickBidAsk", 14)
    scan = ScannerSubscription()
    scan.scanCode = "TOP_PERC_GAIN"
    app.reqScannerSubscription(15, scan, [], [])
    app.wait("error", 15)
    told(
        "data",
        bid=bid and bid[2],
        snapshot=bool(snapshot),
        days=len(app.of("historicalData", 12)),
        bars=bool(bars),
        ticks=bool(ticks),
        scanner=app.codes(15),
    )
    app.cancelMktData(10)
    app.cancelRealTimeBars(13)
    app.cancelTickByTickData(14)
    return bid[2]


def walk_orders(app, spy, first, bid):
    far = round(bid * 0.98, 2)
    app.placeOrder(first, spy, order("BUY", 10, limit=far, whatIf=True))
    what_if = app.wait("openOrder", first)
    resting = first + 1
    app.placeOrder(resting, spy, order("BUY", 10, limit=far))
    placed = status(app, resting, {"Submitted"})
    app.placeOrder(resting, spy, order("BUY", 10, limit=round(far - 1, 2)))
    changed = app.wait("openOrder", resting, so=lambda args: args[2].lmtPrice == round(far - 1, 2))
    cancel(app, resting)
    told(
        "orders",
        margin=what_if and what_if[3].initMarginChange,
        placed=placed,
        changed=bool(changed),
        cancelled=status(app, resting, {"Cancelled"}),
    )
    app.placeOrder(first + 2, spy, order("BUY", 10, "MKT"))
    filled = status(app, first + 2, {"Filled"})
    told(
        "market",
        status=filled,
        executions=len(app.of("execDetails")),
        commission=bool(app.wait("commissionReport", seconds=3) or app.wait("commissionAndFeesReport", seconds=3)),
    )
    for number, kind in enumerate(("Adaptive", "Vwap"), first + 3):
        tag = TagValue("adaptivePriority", "Normal") if kind == "Adaptive" else TagValue("maxPctVol", "0.1")
        app.placeOrder(number, spy, order("BUY", 5, limit=far, algoStrategy=kind, algoParams=[tag]))
    told("algos", statuses=[status(app, first + n, {"Submitted", "PreSubmitted"}) for n in (3, 4)])
    app.placeOrder(first + 5, spy, order("BUY", 5, limit=far, transmit=False))
    app.placeOrder(first + 6, spy, order("SELL", 5, limit=round(far * 1.2, 2), parentId=first + 5, transmit=False))
    app.placeOrder(first + 7, spy, order("SELL", 5, "STP", auxPrice=round(far * 0.9, 2), parentId=first + 5))
    told("bracket", statuses=[status(app, first + 5, {"Submitted"}), status(app, first + 7, {"PreSubmitted"})])
    app.placeOrder(first + 8, spy, order("BUY", 5, limit=far, ocaGroup="walk", ocaType=1))
    told("oca", status=status(app, first + 8, {"Submitted"}))


def walk_books(app, account, spy_id):
    app.reqPnL(20, account, "")
    app.reqPnLSingle(21, account, "", spy_id)
    pnl, single = app.wait("pnl", 20), app.wait("pnlSingle", 21)
    app.reqCompletedOrders(False)
    app.wait("completedOrdersEnd")
    told("books", pnl=pnl and pnl[1], single=bool(single), completed=len(app.of("completedOrder")))


def walk_clients(app):
    twin = started(11)
    twin.wait("error", so=lambda args: 326 in args, seconds=5)
    other = started(12)
    other.wait("nextValidId")
    other.reqAllOpenOrders()
    other.wait("openOrderEnd")
    seen = {args[2].clientId for args in other.of("openOrder")}
    told("clients", in_use=326 in twin.codes(), seen=sorted(seen))
    other.disconnect()
    app.disconnect()
    time.sleep(0.5)
    back = started(11)
    back.wait("nextValidId")
    back.reqOpenOrders()
    back.wait("openOrderEnd")
    opened = {args[0] for args in back.of("openOrder")}
    cancel_all(back)
    gone = all([status(back, number, {"Cancelled"}) for number in opened])
    told("reconnect", open=len(opened), cancelled=gone)
    back.disconnect()


def main():
    app = started(11)
    (first,) = app.wait("nextValidId")
    (account,) = app.wait("managedAccounts")
    told("connect", version=app.serverVersion(), account=account)
    spy = contract("SPY", "STK")
    walk_asking(app, spy)
    bid = walk_data(app, spy)
    walk_orders(app, spy, first, bid)
    walk_books(app, account, app.of("contractDetails", 2)[0][1].contract.conId)
    walk_clients(app)
    told("done")


main()
