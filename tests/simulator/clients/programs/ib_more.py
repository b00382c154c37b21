"""Asks with ib_async or ib_insync for what `ib_walk.py` leaves out: ticks, bars that go on, depth, books, ids, clocks.

Run as ``python ib_more.py LIBRARY PORT``; 99 is the gateway's master id and its book holds SPY.
"""

import datetime
import importlib
import json
import sys
import zoneinfo

LIBRARY, PORT = sys.argv[1], int(sys.argv[2])
lib = importlib.import_module(LIBRARY)
IB = lib.IB
NEW_YORK = zoneinfo.ZoneInfo("America/New_York")


def told(step, **facts):
    print(json.dumps({"step": step, **facts}, default=str), flush=True)


def wait_for(ib, is_so, seconds=20):
    """Wait until something is so; returns whether it came."""
    for _ in range(int(seconds * 10)):
        if is_so():
            return True
        ib.sleep(0.1)
    return False


def connected(client_id):
    ib = IB()
    ib.connect("127.0.0.1", PORT, clientId=client_id, timeout=20)
    return ib


def clock(ib):
    """Current time, hours and bars stand in one and the same day."""
    now = ib.reqCurrentTime()
    [details] = ib.reqContractDetails(lib.Stock("SPY", "SMART", "USD"))
    minutes = ib.reqHistoricalData(details.contract, "", "600 S", "1 min", "TRADES", useRTH=True, formatDate=2)
    [session] = [
        each for each in details.liquidHours.split(";") if each.startswith(f"{now.astimezone(NEW_YORK):%Y%m%d}")
    ]
    told(
        "clock",
        local=f"{now.astimezone(NEW_YORK):%Y-%m-%d %H}",
        session=session,
        bar_age_s=(now - minutes[-1].date).total_seconds(),
        zone=details.timeZoneId,
    )
    return details.contract


def looking_up(ib):
    """As the libraries' notebooks do: without an exchange, by number alone, what is not listed, and by a word."""
    anywhere = ib.reqContractDetails(lib.Stock("AMD"))
    named, numbered = lib.Stock("AMD", "SMART", "USD"), lib.Contract(conId=4391)
    unknown = lib.Stock("XXX", "SMART", "USD")
    pairs = [lib.Forex(pair) for pair in ("EURUSD", "USDJPY", "GBPUSD", "USDCHF", "USDCAD", "AUDUSD", "EURCHF")]
    qualified = ib.qualifyContracts(named, numbered, unknown, *pairs)
    tickers = [ib.reqMktData(pair) for pair in pairs]
    wait_for(ib, lambda: all(ticker.bid > 0 for ticker in tickers))
    yen = ib.placeOrder(pairs[1], lib.MarketOrder("BUY", 20_000, tif="DAY"))
    wait_for(ib, lambda: yen.isDone())
    told(
        "looking_up",
        anywhere=len(anywhere),
        same=numbered == named,
        unknown=unknown in qualified,
        pairs=[0 < ticker.bid < ticker.ask for ticker in tickers],
        yen=max(entry.errorCode for entry in yen.log),
        found=[match.contract.symbol for match in ib.reqMatchingSymbols("intc")],
    )
    for pair in pairs:
        ib.cancelMktData(pair)


def streams(ib, spy):
    ib.reqMarketDataType(1)
    kept = ib.reqHistoricalData(spy, "", "300 S", "5 secs", "TRADES", useRTH=True, keepUpToDate=True)
    before, updates = len(kept), []
    kept.updateEvent += lambda _bars, is_new: updates.append(is_new)
    depth = ib.reqMktDepth(spy, numRows=5)
    tickers = [ib.reqTickByTickData(spy, kind) for kind in ("Last", "MidPoint")]
    wait_for(ib, lambda: len(kept) > before + 1 and depth.domBids and depth.domAsks)
    kinds = {type(tick).__name__ for ticker in tickers for tick in ticker.tickByTicks}
    wait_for(ib, lambda: kinds.update(type(tick).__name__ for tick in tickers[0].tickByTicks) or len(kinds) > 1)
    bids, asks = [row.price for row in depth.domBids], [row.price for row in depth.domAsks]
    told("updating_bars", first=before, more=len(kept) - before, new=any(updates))
    told("depth", bids=bids, asks=asks, exchanges=len(ib.reqMktDepthExchanges()))
    told("tick_by_tick", kinds=sorted(kinds))
    ib.cancelHistoricalData(kept)
    ib.cancelMktDepth(spy)
    for kind in ("Last", "MidPoint"):
        ib.cancelTickByTickData(spy, kind)


def past(ib, spy):
    end = ib.reqCurrentTime()
    ticks = {
        what: ib.reqHistoricalTicks(spy, "", end, 20, what, useRth=True) for what in ("TRADES", "BID_ASK", "MIDPOINT")
    }
    schedule = ib.reqHistoricalSchedule(spy, 5) if hasattr(ib, "reqHistoricalSchedule") else None
    told(
        "past_ticks",
        counts={what: len(found) for what, found in ticks.items()},
        in_time=all(tick.time <= end for found in ticks.values() for tick in found),
        sessions=len(schedule.sessions) if schedule else 0,
    )


def options(ib):
    [spx] = ib.qualifyContracts(lib.Index("SPX", "CBOE"))
    [level] = ib.reqTickers(spx)
    chain = next(each for each in ib.reqSecDefOptParams("SPX", "", "IND", spx.conId) if each.tradingClass == "SPXW")
    strikes = sorted(chain.strikes, key=lambda each: abs(each - level.last))[:2]
    expiry = sorted(chain.expirations)[2]
    found = ib.qualifyContracts(
        *(lib.Option("SPX", expiry, strike, "P", "SMART", tradingClass="SPXW") for strike in strikes)
    )
    tickers = ib.reqTickers(*found)
    interest = ib.reqMktData(found[0], "100,101,106")
    wait_for(ib, lambda: interest.putOpenInterest == interest.putOpenInterest)
    model = ib.calculateImpliedVolatility(found[0], tickers[0].ask, level.last)
    told(
        "options",
        deltas=[ticker.modelGreeks and ticker.modelGreeks.delta for ticker in tickers],
        sides=[ticker.bid < ticker.ask for ticker in tickers],
        interest=interest.putOpenInterest,
        implied=model and model.impliedVol,
    )
    return found


def combo(ib, legs):
    spread = lib.Bag(
        symbol="SPX",
        exchange="SMART",
        currency="USD",
        comboLegs=[
            lib.ComboLeg(conId=leg.conId, ratio=1, action=action, exchange="SMART")
            for leg, action in zip(legs, ("BUY", "SELL"))  # noqa: B905 - Python 3.9 and later
        ],
    )
    trade = ib.placeOrder(spread, lib.MarketOrder("BUY", 1, tif="DAY"))
    wait_for(ib, lambda: trade.isDone() and len(trade.fills) == 3)
    told("combo", status=trade.orderStatus.status, kinds=sorted(fill.contract.secType for fill in trade.fills))


def executions(ib, spy):
    now = ib.reqCurrentTime().astimezone(NEW_YORK)
    market = ib.placeOrder(spy, lib.MarketOrder("BUY", 3, tif="DAY", orderRef="filtered"))
    wait_for(ib, lambda: market.isDone() and market.fills)
    far = lib.LimitOrder("BUY", 3, round(market.orderStatus.avgFillPrice * 0.9, 2), tif="DAY", orderRef="far")
    resting = ib.placeOrder(spy, far)
    ib.sleep(1)
    later = now + datetime.timedelta(hours=1)
    rows = {
        "symbol": ib.reqExecutions(lib.ExecutionFilter(symbol="SPY", side="BUY")),
        "side": ib.reqExecutions(lib.ExecutionFilter(symbol="SPY", side="SELL")),
        "client": ib.reqExecutions(lib.ExecutionFilter(clientId=77)),
        "time": ib.reqExecutions(lib.ExecutionFilter(time=f"{later:%Y%m%d-%H:%M:%S}")),
    }
    [fill] = rows["symbol"]
    told(
        "executions",
        counts={name: len(found) for name, found in rows.items()},
        age_s=abs((fill.execution.time - market.fills[0].execution.time).total_seconds()),
        time=f"{fill.execution.time.astimezone(NEW_YORK):%Y%m%d %H}",
        commission=sum(each.commissionReport.commission for each in market.fills),
        resting=resting.orderStatus.status,
    )
    ib.cancelOrder(far)


def account(ib):
    name = ib.managedAccounts()[0]
    single = ib.reqPnLSingle(name, "", next(p.contract.conId for p in ib.positions() if p.contract.symbol == "SPY"))
    wait_for(ib, lambda: single.value == single.value)
    told("account", portfolio=len(ib.portfolio()), pnl_single=single.value, position=single.position)


def ids(ib, spy):
    """The master hears of everybody's orders, another id of its own alone, client 0 of manual ones too."""
    master, other, zero = connected(99), connected(12), connected(0)
    order = lib.LimitOrder("BUY", 2, 100.0, tif="DAY", orderRef="watched")
    trade = ib.placeOrder(spy, order)
    wait_for(ib, lambda: trade.orderStatus.status == "Submitted")
    heard = {}
    for name, each in (("master", master), ("other", other), ("zero", zero)):
        wait_for(each, lambda: each.openTrades(), 2)  # noqa: B023 - called at once
        heard[name] = [found.order.orderRef for found in each.openTrades()]
    codes = []
    other.errorEvent += lambda _id, code, _text, _contract: codes.append(code)
    other.client.cancelOrder(order.orderId, *([""] if LIBRARY else []))
    other.sleep(1)
    told("ids", **heard, codes=codes, still=trade.orderStatus.status)
    zero.reqGlobalCancel()
    wait_for(ib, lambda: trade.isDone())
    told("global_cancel", status=trade.orderStatus.status)
    for each in (master, other, zero):
        each.disconnect()


def scanner(ib):
    rows = ib.reqScannerData(lib.ScannerSubscription(instrument="STK", locationCode="STK.US", scanCode="HOT_BY_VOLUME"))
    told("scanner", rows=len(rows), parameters=ib.reqScannerParameters()[:5])


def main():
    ib = connected(11)
    spy = clock(ib)
    looking_up(ib)
    streams(ib, spy)
    past(ib, spy)
    combo(ib, options(ib))
    executions(ib, spy)
    account(ib)
    ids(ib, spy)
    scanner(ib)
    ib.disconnect()
    told("done")


main()
