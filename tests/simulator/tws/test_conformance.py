"""The real client library against the server, over in-memory connections in virtual time."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import ib_async
import pytest
from floors import DAY, OPENS_AT, a_call

from bot.domain.schedule import SessionCalendar
from simulator.gateway import FloorTime, Gateway
from simulator.opening import OpenedFloor, open_floor
from simulator.settings import SimulatorSettings
from simulator.troubles.kinds import trouble
from simulator.tws.desk import Told
from simulator.virtual_time import run_virtual

PORT = 4002
START = OPENS_AT + timedelta(minutes=5)


class Venue:
    """A gateway at work and a client of the library, not yet connected."""

    def __init__(self, gateway: Gateway, opened: OpenedFloor) -> None:
        """Make the client without its throttle, which would wait on real time."""
        self.gateway = gateway
        self.opened = opened
        self.ib = a_library_client()

    async def connect(self, client_id: int = 1) -> ib_async.IB:
        """Connect the client; a start-up request without an answer is an error."""
        await self.ib.connectAsync("127.0.0.1", PORT, clientId=client_id, raiseSyncErrors=True)
        return self.ib

    async def future(self) -> ib_async.Contract:
        """Return a micro future that trades, as the library looks it up."""
        query = ib_async.Future("VIX", exchange="CFE", tradingClass="VXM", lastTradeDateOrContractMonth="202611")
        [details] = await self.ib.reqContractDetailsAsync(query)
        assert details.contract is not None
        return details.contract

    async def spread(self) -> ib_async.Bag:
        """Return a call spread as one combo."""
        calls = [ib_async.Option("VIX", "20261117", strike, "C", "SMART", tradingClass="VIX") for strike in (20, 25)]
        await self.ib.qualifyContractsAsync(*calls)
        legs = [
            ib_async.ComboLeg(conId=call.conId, ratio=1, action=action, exchange="SMART")
            for call, action in zip(calls, ("BUY", "SELL"), strict=True)
        ]
        return ib_async.Bag(symbol="VIX", exchange="SMART", currency="USD", comboLegs=legs)


def a_library_client() -> ib_async.IB:
    """Return a client whose sends leave at once."""
    ib = ib_async.IB()
    ib.client.MaxRequests = 0
    return ib


def played(story: Callable[[Venue], Awaitable[None]], *, seed: int | None = None) -> None:
    """Run a story against a gateway five minutes into a session; a decoding error of the library fails it."""
    errors: list[str] = []

    class Collector(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.exc_info or "Unknown reqId" in record.getMessage():
                errors.append(record.getMessage())

    async def main() -> None:
        time = FloorTime(asyncio.get_running_loop().time, START)
        settings = SimulatorSettings(scenario="calm", start=DAY, sessions=1)
        opened = open_floor(settings, SessionCalendar(), clock=time.now)
        gateway = Gateway(opened.floor, port=PORT, time=time)
        await gateway.start()
        gateway.advance(START)
        running = asyncio.create_task(gateway.run())
        venue = Venue(gateway, opened)
        try:
            await story(venue)
        finally:
            venue.ib.disconnect()
            await asyncio.sleep(1)
            running.cancel()
            await gateway.stop()

    handler = Collector()
    logger = logging.getLogger("ib_async")
    logger.addHandler(handler)
    try:
        run_virtual(main(), start=START, seed=seed)
    finally:
        logger.removeHandler(handler)
    assert errors == []


@pytest.mark.parametrize("seed", [None, 1, 2])
def test_the_library_connects_and_synchronises(seed: int | None) -> None:
    """All start-up requests are answered in any order of callbacks: accounts, positions, values, holdings."""

    async def story(venue: Venue) -> None:
        ib = await venue.connect()
        assert ib.client.serverVersion() == 176
        assert ib.managedAccounts() == ["DU1234567"]
        assert {each.contract.conId for each in ib.positions()} == {
            venue.opened.floor.listing(each.instrument).con_id for each in venue.opened.floor.positions()
        }
        values = {each.tag: each.value for each in ib.accountValues() if each.currency == "USD"}
        assert float(values["NetLiquidation"]) == float(venue.opened.floor.account_state().net_liquidation_usd)
        assert len(ib.portfolio()) == len(ib.positions())

    played(story, seed=seed)


def test_contracts_are_qualified() -> None:
    """Indices, futures and options are found; an unknown strike is none."""

    async def story(venue: Venue) -> None:
        ib = await venue.connect()
        contracts = [
            ib_async.Index("VIX", "CBOE", "USD"),
            ib_async.Index("RVX", "CBOE", "USD"),
            ib_async.Future("VIX", "202611", "CFE", localSymbol="VXX6"),
            ib_async.Option("VIX", "20261117", 20, "C", "SMART", tradingClass="VIX"),
            ib_async.Option("SPX", "20261204", 6500, "P", "SMART", tradingClass="SPXW"),
            ib_async.Option("VIX", "20261117", 20.25, "C", "SMART", tradingClass="VIX"),
        ]
        found = await ib.qualifyContractsAsync(*contracts)
        assert [None if each is None else each.secType for each in found] == ["IND", "IND", "FUT", "OPT", "OPT", None]
        assert all(each.conId for each in found if each is not None)
        [details] = await ib.reqContractDetailsAsync(contracts[3])
        assert details.realExpirationDate == "20261118"
        assert details.minTick == 0.01
        assert details.liquidSessions()[0].start.astimezone(UTC) == OPENS_AT

    played(story)


def test_chains_rules_and_time_are_answered() -> None:
    """Option parameters, a market rule and the current time come back as the library's values."""

    async def story(venue: Venue) -> None:
        ib = await venue.connect()
        chains = await ib.reqSecDefOptParamsAsync("VIX", "", "IND", 13455763)
        assert {chain.exchange for chain in chains} == {"SMART", "CBOE"}
        assert "20261117" in chains[0].expirations
        assert 20.0 in chains[0].strikes
        rule = await ib.reqMarketRuleAsync(501)
        assert rule is not None
        assert [each.increment for each in rule] == [0.01, 0.05]
        assert await ib.reqCurrentTimeAsync() == venue.opened.floor.now().replace(microsecond=0)

    played(story)


def test_streams_deliver_every_quote() -> None:
    """An index moves by its last, an option by both sides and the model's greeks; each step is one update."""

    async def story(venue: Venue) -> None:
        ib = await venue.connect()
        vix, call = ib_async.Index("VIX", "CBOE", "USD"), ib_async.Option("VIX", "20261117", 20, "C", "SMART")
        await ib.qualifyContractsAsync(vix, call)
        tickers = ib.reqMktData(vix), ib.reqMktData(call)
        levels: list[float] = []
        tickers[0].updateEvent += lambda ticker: levels.append(ticker.last)
        await asyncio.sleep(1800)
        quote = venue.opened.floor.quote(a_call(venue.opened))
        assert (tickers[1].bid, tickers[1].ask) == (float(quote.bid or -1), float(quote.ask or -1))
        assert tickers[1].bidSize == quote.bid_size
        assert tickers[1].modelGreeks is not None
        assert tickers[1].modelGreeks.impliedVol == pytest.approx(quote.model_iv, rel=0.02)
        assert tickers[0].marketDataType == 1
        assert levels[-1] == venue.opened.floor.market.levels.vix
        assert len(levels) > 60
        ib.cancelMktData(vix)
        seen = len(levels)
        await asyncio.sleep(600)
        assert len(levels) == seen

    played(story)


def test_snapshots_and_bars_are_answered() -> None:
    """A snapshot has both sides; daily bars are dates with the levels of the record."""

    async def story(venue: Venue) -> None:
        ib = await venue.connect()
        [ticker] = await ib.reqTickersAsync(await venue.future())
        assert 0 < ticker.bid < ticker.ask
        [vix] = await ib.qualifyContractsAsync(ib_async.Index("VIX", "CBOE", "USD"))
        assert vix is not None
        bars = await ib.reqHistoricalDataAsync(vix, "", "5 D", "1 day", "TRADES", useRTH=True)
        assert [f"{bar.date:%Y%m%d}" for bar in bars][-2:] == ["20261016", "20261019"]
        assert len(bars) == 5

    played(story)


def test_a_future_is_bought_and_everything_about_it_is_told() -> None:
    """Status, fill with its commission, position, and the reference on order and execution."""

    async def story(venue: Venue) -> None:
        ib = await venue.connect()
        contract = await venue.future()
        [ticker] = await ib.reqTickersAsync(contract)
        trade = ib.placeOrder(contract, ib_async.LimitOrder("BUY", 2, ticker.ask, tif="DAY", orderRef="mine"))
        await asyncio.sleep(5)
        assert trade.orderStatus.status == "Filled"
        assert trade.isDone()
        [fill] = trade.fills
        assert (fill.execution.side, fill.execution.shares, fill.execution.price) == ("BOT", 2.0, ticker.ask)
        assert fill.execution.orderRef == "mine"
        assert fill.execution.time == START
        assert fill.commissionReport.commission == 2.3
        assert fill.contract == contract
        held = {each.contract.conId: each.position for each in ib.positions()}
        assert held[contract.conId] == 2.0

    played(story)


def test_a_combo_fills_by_its_legs() -> None:
    """One fill of the combo and one of each leg; legs carry the commissions and move the positions."""

    async def story(venue: Venue) -> None:
        ib = await venue.connect()
        bag = await venue.spread()
        before = {each.contract.conId: each.position for each in ib.positions()}
        trade = ib.placeOrder(bag, ib_async.LimitOrder("BUY", 3, 3.0, tif="DAY", orderRef="combo"))
        await asyncio.sleep(5)
        assert trade.orderStatus.status == "Filled"
        assert [fill.contract.secType for fill in trade.fills] == ["BAG", "OPT", "OPT"]
        net, bought, sold = (fill.execution.price for fill in trade.fills)
        assert bought - sold == pytest.approx(net)
        assert [fill.commissionReport.commission > 0 for fill in trade.fills] == [False, True, True]
        after = {each.contract.conId: each.position for each in ib.positions()}
        moved = [after.get(leg.conId, 0) - before.get(leg.conId, 0) for leg in bag.comboLegs]
        assert moved == [3.0, -3.0]

    played(story)


def test_what_if_returns_margin() -> None:
    """The preview of a future is a number, and the next order's id is not the preview's."""

    async def story(venue: Venue) -> None:
        ib = await venue.connect()
        contract = await venue.future()
        state = await asyncio.wait_for(ib.whatIfOrderAsync(contract, ib_async.LimitOrder("BUY", 1, 18.0)), 5)
        assert float(state.initMarginChange) > 0
        assert state.commission == 1.15
        bag = await venue.spread()
        combo = await asyncio.wait_for(ib.whatIfOrderAsync(bag, ib_async.LimitOrder("BUY", 1, 1.0)), 5)
        assert combo.commission > 0
        assert ib.openTrades() == []

    played(story)


def test_a_resting_order_survives_a_reconnect_and_is_cancelled() -> None:
    """The order comes back under the same permanent id, the next id is above it, and the cancel arrives."""

    async def story(venue: Venue) -> None:
        ib = await venue.connect()
        trade = ib.placeOrder(await venue.spread(), ib_async.LimitOrder("BUY", 1, 0.05, tif="DAY", orderRef="rest"))
        await asyncio.sleep(1)
        perm_id, order_id = trade.order.permId, trade.order.orderId
        ib.disconnect()
        await asyncio.sleep(1)

        await venue.connect()
        [back] = ib.openTrades()
        assert (back.order.permId, back.order.orderRef, back.orderStatus.status) == (perm_id, "rest", "Submitted")
        assert [leg.action for leg in back.contract.comboLegs] == ["BUY", "SELL"]
        assert ib.client.getReqId() > order_id
        ib.cancelOrder(back.order)
        await asyncio.sleep(1)
        assert back.orderStatus.status == "Cancelled"
        assert [row.told for row in venue.gateway.ledger()] == [Told.PLACE, Told.CANCEL]

    played(story)


def test_executions_and_completed_orders_are_told_after_a_reconnect() -> None:
    """A client that was away finds today's fills, commissions and completed orders."""

    async def story(venue: Venue) -> None:
        ib = await venue.connect()
        ib.placeOrder(await venue.spread(), ib_async.LimitOrder("BUY", 1, 3.0, tif="DAY", orderRef="combo"))
        await asyncio.sleep(1)
        ib.disconnect()
        await asyncio.sleep(1)

        await venue.connect()
        assert [fill.contract.secType for fill in ib.fills()] == ["BAG", "OPT", "OPT"]
        assert all(fill.commissionReport.execId for fill in ib.fills())
        [done] = await ib.reqCompletedOrdersAsync(apiOnly=False)
        assert (done.order.orderRef, done.orderStatus.status) == ("combo", "Filled")
        assert done.order.filledQuantity == 1.0

    played(story)


def test_a_used_client_id_is_refused() -> None:
    """The second client is told 326 and cannot connect; the first is not disturbed."""

    async def story(venue: Venue) -> None:
        ib = await venue.connect()
        second = a_library_client()
        codes: list[int] = []
        second.errorEvent += lambda _req_id, code, _text, _contract: codes.append(code)
        with pytest.raises(TimeoutError):
            await second.connectAsync("127.0.0.1", PORT, clientId=1, timeout=2)
        assert codes[0] == 326
        assert await ib.reqCurrentTimeAsync() is not None
        other = a_library_client()
        await other.connectAsync("127.0.0.1", PORT, clientId=2, raiseSyncErrors=True)
        other.disconnect()

    played(story)


def test_a_held_client_id_keeps_its_owner_out_until_it_is_released() -> None:
    """A cut connection that keeps its id makes the return fail; releasing it lets the client in."""

    async def story(venue: Venue) -> None:
        ib = await venue.connect()
        gone = asyncio.Event()
        ib.disconnectedEvent += gone.set
        venue.gateway.inject(trouble("hold_id", client=1))
        await asyncio.wait_for(gone.wait(), 5)
        with pytest.raises(TimeoutError):
            await ib.connectAsync("127.0.0.1", PORT, clientId=1, timeout=2)
        venue.gateway.inject(trouble("release_id", client=1))
        await venue.connect()
        assert ib.isConnected()

    played(story)


def test_notices_and_order_faults_reach_the_library() -> None:
    """1100 and 1102 are heard; a rejected, a muted and a dropped order each behave as named."""

    async def story(venue: Venue) -> None:
        ib = await venue.connect()
        contract = await venue.future()
        codes: list[int] = []
        ib.errorEvent += lambda _req_id, code, _text, _contract: codes.append(code)
        for code in (1100, 1102):
            venue.gateway.inject(trouble("code", code=code))
        trades = []
        for name in ("reject", "lose_answers", "drop"):
            venue.gateway.inject(trouble(name))
            trades.append(ib.placeOrder(contract, ib_async.LimitOrder("BUY", 1, 10.0, orderRef=name, tif="DAY")))
            await asyncio.sleep(1)
        assert codes == [1100, 1102, 201]
        assert [trade.orderStatus.status for trade in trades] == ["Inactive", "PendingSubmit", "PendingSubmit"]
        alive = await ib.reqAllOpenOrdersAsync()
        assert [trade.order.orderRef for trade in alive] == ["lose_answers"]
        assert len(venue.gateway.ledger()) == 3

    played(story)


def test_after_the_last_session_the_gateway_answers_with_the_market_closed() -> None:
    """When the source is played out clients still get answers, quotes have no sides, and orders rest."""

    async def story(venue: Venue) -> None:
        ib = await venue.connect()
        contract = await venue.future()
        await asyncio.sleep(24 * 3600)
        assert venue.opened.floor.next_step_at() is None
        [ticker] = await ib.reqTickersAsync(contract)
        assert not ticker.hasBidAsk()
        now: datetime = await ib.reqCurrentTimeAsync()
        assert now == venue.opened.floor.now().replace(microsecond=0)
        trade = ib.placeOrder(contract, ib_async.LimitOrder("BUY", 1, 99.0, tif="DAY"))
        await asyncio.sleep(1)
        assert [entry.status for entry in trade.log][:2] == ["PendingSubmit", "PreSubmitted"]

    played(story)
