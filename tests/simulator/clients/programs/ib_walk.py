"""Walks through the broker's interface with ib_async or ib_insync and prints what came back, one JSON line a step.

Run as ``python ib_walk.py LIBRARY PORT``; it knows nothing of the gateway but its port.
"""

import importlib
import json
import sys

LIBRARY, PORT = sys.argv[1], int(sys.argv[2])
lib = importlib.import_module(LIBRARY)
IB = lib.IB


def told(step, **facts):
    print(json.dumps({"step": step, **facts}, default=str), flush=True)


def wait_for(ib, is_so, seconds=20):
    """Wait until something is so; returns whether it came."""
    for _ in range(int(seconds * 10)):
        if is_so():
            return True
        ib.sleep(0.1)
    return False


def is_number(value):
    return isinstance(value, (int, float)) and value == value and abs(value) < 1e300


def connected(client_id):
    ib = IB()
    ib.connect("127.0.0.1", PORT, clientId=client_id, timeout=20)
    return ib


def walk_account(ib):
    summary = {row.tag: row.value for row in ib.accountSummary()}
    values = {row.tag for row in ib.accountValues()}
    positions = {p.contract.symbol + p.contract.secType for p in ib.positions()}
    portfolio = {p.contract.symbol + p.contract.secType for p in ib.portfolio()}
    told(
        "account",
        accounts=ib.managedAccounts(),
        net=summary.get("NetLiquidation"),
        values=len(values),
        positions=sorted(positions),
        portfolio=sorted(portfolio),
        now=ib.reqCurrentTime(),
    )


def walk_contracts(ib):
    [vix] = ib.qualifyContracts(lib.Index("VIX", "CBOE"))
    [spy] = ib.qualifyContracts(lib.Stock("SPY", "SMART", "USD"))
    [eur] = ib.qualifyContracts(lib.Forex("EURUSD"))
    futures = ib.reqContractDetails(lib.Future("VIX", exchange="CFE"))
    chains = ib.reqSecDefOptParams("SPX", "", "IND", ib.qualifyContracts(lib.Index("SPX", "CBOE"))[0].conId)
    matches = ib.reqMatchingSymbols("SPY")
    [details] = ib.reqContractDetails(spy)
    rule = ib.reqMarketRule(int(details.marketRuleIds.split(",")[0]))
    told(
        "contracts",
        vix=vix.conId,
        spy=spy.conId,
        eur=eur.conId,
        futures=len(futures),
        hours=bool(details.tradingHours),
        chains=sorted({(c.exchange, c.tradingClass) for c in chains}),
        matches=[m.contract.symbol for m in matches or []],
        rule=[(row.lowEdge, row.increment) for row in rule],
    )
    return vix, spy, chains


def near_option(ib, chains):
    chain = next(c for c in chains if c.tradingClass == "SPXW")
    expiry = sorted(chain.expirations)[3]
    ticker = ib.reqTickers(*ib.qualifyContracts(lib.Index("SPX", "CBOE")))[0]
    level = ticker.marketPrice() if is_number(ticker.marketPrice()) else ticker.last
    for strike in sorted(chain.strikes, key=lambda each: abs(each - level)):
        found = ib.reqContractDetails(lib.Option("SPX", expiry, strike, "C", "SMART", tradingClass="SPXW"))
        if found:
            return found[0].contract
    raise SystemExit("no option is listed near the money")


def walk_data(ib, spy, option):
    ib.reqMarketDataType(1)
    stock, call = ib.reqMktData(spy), ib.reqMktData(option)
    wait_for(ib, lambda: stock.bid > 0 and call.modelGreeks is not None)
    first = stock.bid, stock.bidSize
    moved = wait_for(ib, lambda: (stock.bid, stock.bidSize) != first)
    greeks = call.modelGreeks
    told(
        "stream",
        bid=stock.bid,
        ask=stock.ask,
        moved=moved,
        iv=greeks and greeks.impliedVol,
        delta=greeks and greeks.delta,
        gamma=greeks and greeks.gamma,
        vega=greeks and greeks.vega,
        theta=greeks and greeks.theta,
    )
    [snapshot] = ib.reqTickers(spy)
    told("snapshot", bid=snapshot.bid, ask=snapshot.ask)
    for contract in (spy, option):
        ib.cancelMktData(contract)


def walk_history(ib, spy):
    days = ib.reqHistoricalData(spy, "", "10 D", "1 day", "TRADES", useRTH=True)
    minutes = ib.reqHistoricalData(spy, "", "1800 S", "1 min", "MIDPOINT", useRTH=True)
    head = ib.reqHeadTimeStamp(spy, "TRADES", True)
    told("history", days=len(days), minutes=len(minutes), last=minutes[-1].date if minutes else None, head=bool(head))
    bars = ib.reqRealTimeBars(spy, 5, "TRADES", False)
    came = wait_for(ib, lambda: len(bars) > 0, 15)
    told("realtime_bars", came=came)
    ib.cancelRealTimeBars(bars)
    tape = ib.reqTickByTickData(spy, "BidAsk")
    came = wait_for(ib, lambda: len(tape.tickByTicks) > 0, 15)
    told("tick_by_tick", came=came)
    ib.cancelTickByTickData(spy, "BidAsk")


def walk_scanner(ib, codes):
    codes.clear()
    ib.client.reqScannerSubscription(ib.client.getReqId(), lib.ScannerSubscription(scanCode="TOP_PERC_GAIN"), [], [])
    ib.sleep(1)
    told("scanner", codes=list(codes), alive=ib.reqCurrentTime() is not None)


def walk_orders(ib, spy):
    quote = ib.reqTickers(spy)[0]
    far = round(quote.bid * 0.98, 2)
    state = ib.whatIfOrder(spy, lib.LimitOrder("BUY", 10, far, tif="DAY"))
    told("what_if", commission=getattr(state, "commission", None), margin=getattr(state, "initMarginChange", None))
    resting = ib.placeOrder(spy, lib.LimitOrder("BUY", 10, far, tif="DAY", orderRef="walk"))
    wait_for(ib, lambda: resting.orderStatus.status == "Submitted")
    placed = resting.orderStatus.status
    resting.order.lmtPrice = round(far - 1, 2)
    ib.placeOrder(spy, resting.order)
    ib.sleep(1)
    changed = [t.order.lmtPrice for t in ib.reqAllOpenOrders() if t.order.permId == resting.order.permId]
    ib.cancelOrder(resting.order)
    wait_for(ib, lambda: resting.orderStatus.status == "Cancelled")
    told("modify", placed=placed, changed=changed, cancelled=resting.orderStatus.status)
    market = ib.placeOrder(spy, lib.MarketOrder("BUY", 10, tif="DAY"))
    wait_for(ib, lambda: market.isDone() and all(f.commissionReport.commission for f in market.fills))
    told(
        "market",
        status=market.orderStatus.status,
        filled=market.orderStatus.filled,
        price=market.orderStatus.avgFillPrice,
        commission=sum(f.commissionReport.commission for f in market.fills),
    )
    return far


def walk_groups(ib, spy, far):
    entry, profit, loss = ib.bracketOrder("BUY", 5, far, round(far * 1.2, 2), round(far * 0.9, 2))
    trades = []
    for order in (entry, profit, loss):
        order.tif = "DAY"
        trades.append(ib.placeOrder(spy, order))
    wait_for(ib, lambda: trades[0].orderStatus.status == "Submitted" and trades[2].orderStatus.status == "PreSubmitted")
    statuses = [t.orderStatus.status for t in trades]
    ib.cancelOrder(entry)
    wait_for(ib, lambda: all(t.isDone() for t in trades))
    told("bracket", statuses=statuses, after=[t.orderStatus.status for t in trades])
    pair = [lib.LimitOrder("BUY", 5, far - n, tif="DAY") for n in range(2)]
    legs = [ib.placeOrder(spy, each) for each in ib.oneCancelsAll(pair, "walk", 1)]
    wait_for(ib, lambda: all(t.orderStatus.status == "Submitted" for t in legs))
    statuses = [t.orderStatus.status for t in legs]
    ib.cancelOrder(pair[0])
    wait_for(ib, lambda: all(t.isDone() for t in legs), 5)
    told("oca", statuses=statuses, after=[t.orderStatus.status for t in legs])
    for trade in ib.openTrades():
        ib.cancelOrder(trade.order)


def walk_algos(ib, spy, far):
    adaptive = lib.LimitOrder(
        "BUY", 5, far, tif="DAY", algoStrategy="Adaptive", algoParams=[lib.TagValue("adaptivePriority", "Normal")]
    )
    vwap = lib.LimitOrder("BUY", 5, far, tif="DAY", algoStrategy="Vwap", algoParams=[lib.TagValue("maxPctVol", "0.1")])
    trades = [ib.placeOrder(spy, each) for each in (adaptive, vwap)]
    wait_for(ib, lambda: all(t.orderStatus.status in {"Submitted", "PreSubmitted"} for t in trades))
    told("algos", statuses=[t.orderStatus.status for t in trades])
    for trade in trades:
        ib.cancelOrder(trade.order)
    ib.sleep(1)


def walk_books(ib, account):
    pnl = ib.reqPnL(account)
    wait_for(ib, lambda: is_number(pnl.dailyPnL), 10)
    [spy] = [p for p in ib.positions() if p.contract.symbol == "SPY" and p.contract.secType == "STK"]
    single = ib.reqPnLSingle(account, "", spy.contract.conId)
    wait_for(ib, lambda: is_number(single.value), 10)
    told("pnl", daily=pnl.dailyPnL, unrealized=pnl.unrealizedPnL, single=single.value, spy=spy.position)
    executions = ib.reqExecutions()
    completed = ib.reqCompletedOrders(False)
    told("books", executions=len(executions), completed=sorted({t.orderStatus.status for t in completed}))


def walk_clients(ib, spy, far):
    codes = []
    twin = IB()
    twin.errorEvent += lambda _id, code, _text, _contract: codes.append(code)
    try:
        twin.connect("127.0.0.1", PORT, clientId=11, timeout=3)
    except Exception as error:  # noqa: BLE001 - whatever the library makes of it
        told("id_in_use", codes=codes, error=type(error).__name__)
    other = connected(12)
    resting = ib.placeOrder(spy, lib.LimitOrder("BUY", 7, far, tif="GTC", orderRef="stays"))
    wait_for(ib, lambda: resting.orderStatus.status == "Submitted")
    seen = [t.order.orderRef for t in other.reqAllOpenOrders()]
    own = [t.order.orderRef for t in other.openTrades()]
    told("several_clients", seen=seen, times=[str(other.reqCurrentTime()), str(ib.reqCurrentTime())], own=own)
    other.disconnect()
    ib.disconnect()
    back = connected(11)
    told("reconnect", open=[t.order.orderRef for t in back.openTrades()], fills=len(back.fills()))
    back.reqGlobalCancel()
    back.sleep(1)
    told("global_cancel", open=[t.order.orderRef for t in back.reqAllOpenOrders()])
    back.disconnect()


def main():
    ib = connected(11)
    codes = []
    ib.errorEvent += lambda _id, code, _text, _contract: codes.append(code)
    told("connect", version=ib.client.serverVersion(), ready=ib.isConnected())
    walk_account(ib)
    _, spy, chains = walk_contracts(ib)
    walk_data(ib, spy, near_option(ib, chains))
    walk_history(ib, spy)
    walk_scanner(ib, codes)
    far = walk_orders(ib, spy)
    walk_groups(ib, spy, far)
    walk_algos(ib, spy, far)
    walk_books(ib, ib.managedAccounts()[0])
    walk_clients(ib, spy, far)
    told("done")


main()
