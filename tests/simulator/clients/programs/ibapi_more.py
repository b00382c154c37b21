"""Asks with the official client, old or new, for what `ibapi_walk.py` leaves out; one JSON line a step.

Run as ``python ibapi_more.py PORT``; 99 is the gateway's master id and its book holds SPY.
"""

import datetime
import time
import zoneinfo

from ibapi.contract import ComboLeg
from ibapi.execution import ExecutionFilter
from ibapi_program import cancel, cancel_all, contract, order, started, status, told

NEW_YORK = zoneinfo.ZoneInfo("America/New_York")


def clock(app, spy):
    app.reqCurrentTime()
    (seconds,) = app.wait("currentTime")
    now = datetime.datetime.fromtimestamp(seconds, NEW_YORK)
    app.reqContractDetails(1, spy)
    app.wait("contractDetailsEnd", 1)
    [(_, details)] = app.of("contractDetails", 1)
    app.reqHistoricalData(2, spy, "", "600 S", "1 min", "TRADES", 1, 2, False, [])
    app.wait("historicalDataEnd", 2)
    last = int(app.of("historicalData", 2)[-1][1].date)
    [session] = [each for each in details.liquidHours.split(";") if each.startswith(f"{now:%Y%m%d}")]
    told("clock", local=f"{now:%Y-%m-%d %H}", session=session, bar_age_s=seconds - last, zone=details.timeZoneId)
    return now


def streams(app, spy):
    app.reqHistoricalData(10, spy, "", "300 S", "5 secs", "TRADES", 1, 1, True, [])
    app.wait("historicalDataEnd", 10)
    app.reqMktDepth(11, spy, 5, True, [])
    app.reqMktDepthExchanges()
    for number, kind in enumerate(("Last", "AllLast", "MidPoint"), 12):
        app.reqTickByTickData(number, spy, kind, 0, False)
    bids = app.wait("updateMktDepthL2", 11, so=lambda args: args[4] == 1)
    trades = [app.wait("tickByTickAllLast", number) for number in (12, 13)]
    middle = app.wait("tickByTickMidPoint", 14)
    told(
        "streams",
        first=len(app.of("historicalData", 10)),
        updated=bool(app.wait("historicalDataUpdate", 10)),
        depth=bool(bids),
        exchanges=bool(app.wait("mktDepthExchanges")),
        ticks=[bool(each) for each in (*trades, middle)],
    )
    app.cancelHistoricalData(10)
    app.cancelMktDepth(11, True)
    for number in (12, 13, 14):
        app.cancelTickByTickData(number)


def samples(app, spy):
    """As the official samples do: a regulatory snapshot, the rules of shares and pairs, and what no account has."""
    app.reqMktData(70, spy, "", False, True, [])
    for rule in (26, 239):
        app.reqMarketRule(rule)
    app.reqContractDetails(71, contract("EUR", "CASH", "IDEALPRO", currency="GBP"))
    app.reqHistogramData(72, spy, False, "3 days")
    app.reqHistoricalNews(73, 8314, "BRFG", "", "", 10, [])
    told(
        "samples",
        snapshot=bool(app.wait("tickSnapshotEnd", 70)),
        rules=[bool(app.wait("marketRule", rule)) for rule in (26, 239)],
        pair=bool(app.wait("contractDetailsEnd", 71)),
        refused=[app.wait("error", number) is not None and app.codes(number) for number in (72, 73)],
    )


def past(app, spy, now):
    app.reqHeadTimeStamp(20, spy, "TRADES", 1, 1)
    for number, what in enumerate(("TRADES", "BID_ASK", "MIDPOINT"), 21):
        app.reqHistoricalTicks(number, spy, "", f"{now:%Y%m%d %H:%M:%S} US/Eastern", 20, what, 1, False, [])
    found = [
        app.wait(name, number)
        for number, name in ((21, "historicalTicksLast"), (22, "historicalTicksBidAsk"), (23, "historicalTicks"))
    ]
    head = app.wait("headTimestamp", 20)
    told("past", counts=[len(each[1]) if each else 0 for each in found], head=bool(head and head[1]))


def options(app):
    app.reqContractDetails(30, contract("SPX", "IND", "CBOE"))
    app.wait("contractDetailsEnd", 30)
    [(_, spx)] = app.of("contractDetails", 30)
    app.reqMktData(31, spx.contract, "", False, False, [])
    level = app.wait("tickPrice", 31, so=lambda args: args[1] == 4)[2]
    app.reqSecDefOptParams(32, "SPX", "", "IND", spx.contract.conId)
    app.wait("securityDefinitionOptionParameterEnd", 32)
    chain = next(args for args in app.of("securityDefinitionOptionParameter", 32) if args[3] == "SPXW")
    expiry = sorted(chain[5])[2]
    legs = []
    for number, strike in enumerate(sorted(chain[6], key=lambda each: abs(each - level))[:2], 33):
        wanted = contract(
            "SPX", "OPT", lastTradeDateOrContractMonth=expiry, strike=strike, right="P", tradingClass="SPXW"
        )
        app.reqContractDetails(number, wanted)
        app.wait("contractDetailsEnd", number)
        legs.append(app.of("contractDetails", number)[0][1].contract)
    app.reqMktData(40, legs[0], "100,101,106", False, False, [])
    model = app.wait("tickOptionComputation", 40, so=lambda args: args[1] == 13)
    interest = app.wait("tickSize", 40, so=lambda args: args[1] == 28)
    app.reqMktData(41, legs[1], "", True, False, [])
    app.calculateImpliedVolatility(42, legs[0], 20.0, level, [])
    told(
        "options",
        model=[each for each in model if isinstance(each, float)],
        interest=bool(interest),
        snapshot=bool(app.wait("tickSnapshotEnd", 41)),
        snapshot_greeks=bool(app.of("tickOptionComputation", 41)),
        implied=bool(app.wait("tickOptionComputation", 42, so=lambda args: args[1] == 53)),
    )
    app.cancelMktData(31)
    app.cancelMktData(40)
    return legs


def combo(app, order_id, legs):
    bag = contract("SPX", "BAG")
    bag.comboLegs = []
    for leg, action in zip(legs, ("BUY", "SELL")):  # noqa: B905 - Python 3.9 and later
        one = ComboLeg()
        one.conId, one.ratio, one.action, one.exchange = leg.conId, 1, action, "SMART"
        bag.comboLegs.append(one)
    app.placeOrder(order_id, bag, order("BUY", 1, "MKT"))
    filled = status(app, order_id, {"Filled"})
    app.wait("execDetails", so=lambda args: args[1].secType == "BAG")
    time.sleep(0.3)
    told("combo", status=filled, kinds=sorted(args[1].secType for args in app.of("execDetails")))


def executions(app, order_id, spy, now):
    app.placeOrder(order_id, spy, order("BUY", 3, "MKT", orderRef="filtered"))
    status(app, order_id, {"Filled"})
    app.placeOrder(order_id + 1, spy, order("BUY", 3, limit=500.0))
    later = now + datetime.timedelta(hours=1)
    filters = {
        "symbol": {"symbol": "SPY", "side": "BUY"},
        "side": {"symbol": "SPY", "side": "SELL"},
        "client": {"clientId": 77},
        "time": {"time": f"{later:%Y%m%d-%H:%M:%S}"},
    }
    counts = {}
    for number, (name, values) in enumerate(filters.items(), 50):
        wanted = ExecutionFilter()
        for field, value in values.items():
            setattr(wanted, field, value)
        app.reqExecutions(number, wanted)
        app.wait("execDetailsEnd", number)
        counts[name] = len(app.of("execDetails", number))
    [(_, _, execution)] = app.of("execDetails", 50)
    told(
        "executions",
        counts=counts,
        time=execution.time[:11],
        reference=execution.orderRef,
        resting=status(app, order_id + 1, {"Submitted"}),
    )
    cancel(app, order_id + 1)


def account(app, name):
    app.reqAccountUpdates(True, name)
    app.wait("accountDownloadEnd")
    app.reqPositionsMulti(60, name, "")
    app.reqAccountUpdatesMulti(61, name, "", False)
    app.wait("positionMultiEnd", 60)
    app.wait("accountUpdateMultiEnd", 61)
    portfolio = {args[0].symbol + args[0].secType for args in app.of("updatePortfolio")}
    told(
        "account",
        spy="SPYSTK" in portfolio,
        ready=("AccountReady", "true") in {args[:2] for args in app.of("updateAccountValue")},
        same=portfolio == {args[3].symbol + args[3].secType for args in app.of("positionMulti", 60)},
        values=len(app.of("accountUpdateMulti", 61)) > 10,
    )
    app.reqAccountUpdates(False, name)


def ids(app, order_id, spy):
    others = {name: started(number) for name, number in (("master", 99), ("other", 12), ("zero", 0))}
    for each in others.values():
        each.wait("nextValidId")
    others["zero"].reqAutoOpenOrders(True)
    app.placeOrder(order_id, spy, order("BUY", 2, limit=100.0, orderRef="watched"))
    status(app, order_id, {"Submitted"})
    others["master"].wait("openOrder")
    time.sleep(0.5)
    heard = {name: [args[2].orderRef for args in each.of("openOrder")] for name, each in others.items()}
    cancel(others["other"], order_id)
    others["other"].wait("error", order_id)
    told("ids", **{name: sorted(set(found)) for name, found in heard.items()}, codes=others["other"].codes(order_id))
    cancel_all(others["zero"])
    told("global_cancel", status=status(app, order_id, {"Cancelled"}))
    for each in others.values():
        each.disconnect()


def main():
    app = started(11)
    (first,) = app.wait("nextValidId")
    (name,) = app.wait("managedAccounts")
    spy = contract("SPY", "STK")
    now = clock(app, spy)
    streams(app, spy)
    samples(app, spy)
    past(app, spy, now)
    combo(app, first, options(app))
    executions(app, first + 1, spy, now)
    account(app, name)
    ids(app, first + 3, spy)
    app.disconnect()
    told("done")


main()
