"""Door 1: the bot's ports on a trading floor in the same process, without a wire, a loop or a copy of the prices.

How it works. One `InProcessLink` listens to the floor for one client id and hands the sink what an adapter would hand
it: its own orders' reports, fills and commissions, the account, and the quotes of what is watched. What always holds:
everything happens during the call that caused it; one `Tick` per index is reused, as its class allows.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from bot.domain.decision import Approved
from bot.domain.errors import BrokerRejectedError, ConnectivityError, InvalidValueError
from bot.domain.events import (
    AccountReported,
    CommissionReported,
    FillReported,
    LinkLost,
    LinkRestored,
    OpenInterestTold,
    OrderDoubted,
    OrderReported,
)
from bot.domain.instrument import Instrument, InstrumentKey, Kind, Side
from bot.domain.market import ModelGreeks, Quote, Tick
from bot.domain.orders import BrokerOrder, BrokerStatus, Fill, FillPart, Order, OrderIntent
from bot.domain.portfolio import AccountValues, Position
from bot.domain.previews import MarginFigures
from bot.domain.terms import ContractTerms
from bot.ports import BrokerBooks, DailyClose, Sink
from simulator.contract_terms import terms_of
from simulator.listing import ContractQuery
from simulator.ports import Heard, TradingFloor
from simulator.venue import (
    AccountChanged,
    BarRequest,
    CancelRefused,
    Charged,
    Executed,
    OrderChanged,
    OrderType,
    Phase,
    PositionChanged,
    Preview,
    PriceKind,
    Span,
    SpanUnit,
    VenueLeg,
    VenueOrder,
    VenueQuote,
    VenueStatus,
)

DEFAULT_CLIENT_ID: Final = 1
STATUSES: Final[Mapping[VenueStatus, BrokerStatus]] = {
    VenueStatus.PRE_SUBMITTED: BrokerStatus.WORKING,
    VenueStatus.SUBMITTED: BrokerStatus.WORKING,
    VenueStatus.FILLED: BrokerStatus.FILLED,
    VenueStatus.CANCELLED: BrokerStatus.CANCELLED,
    VenueStatus.REJECTED: BrokerStatus.REJECTED,
}
_WITH_INTEREST: Final = frozenset({Kind.OPTION, Kind.FUTURE})
_NEW_YORK: Final = ZoneInfo("America/New_York")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_LAST_TRADE_LEAD: Final = timedelta(days=7)
"""The last trading day lies at most this long before the settlement, weekends and holidays included."""


class InProcessLink:
    """A `Broker` and a `Connection` for one client id."""

    def __init__(self, floor: TradingFloor, sink: Sink, *, client_id: int = DEFAULT_CLIENT_ID) -> None:
        """Take the floor and where events go; nothing is heard before `connect`."""
        self._floor = floor
        self._sink = sink
        self._client_id = client_id
        self._next_id = 0
        self._references: dict[int, str] = {}  # order id -> our own reference
        self._own_executions: set[str] = set()  # whose commissions are still to come
        self._remove: Callable[[], None] | None = None

    def __repr__(self) -> str:
        """Client and state, for failing tests."""
        return f"InProcessLink(client {self._client_id}, {'open' if self.is_open() else 'closed'})"

    # Connection

    async def connect(self) -> None:
        """Listen to the floor; what the account stands at is told first."""
        if self._remove is None:
            self._remove = self._floor.listen(self._hear)
        self._next_id = self._floor.next_order_id(self._client_id)
        self._sink(LinkRestored(at=self._floor.now(), why="connected to the simulated exchange"))
        self._account_changed(self._floor.account_state())

    def disconnect(self) -> None:
        """Stop listening; working orders stay at the exchange."""
        if self._remove is None:
            return
        self._remove()
        self._remove = None
        self._sink(LinkLost(at=self._floor.now(), why="disconnected"))

    def is_open(self) -> bool:
        """Whether orders are taken."""
        return self._remove is not None

    # Broker

    def submit(self, approved: Approved) -> None:
        """Place one order; its reports arrive during the call.

        Raises:
            ConnectivityError: Not connected.
        """
        self._require_open()
        order = venue_order(approved.intent, self._client_id, self._next_id, self._floor.account)
        self._references[order.order_id] = order.order_ref
        self._next_id += 1
        self._floor.place(order)

    def preview(self, intent: OrderIntent) -> Awaitable[MarginFigures]:
        """Ask what an order would bind; the floor is asked now, and its answer waits to be awaited.

        Raises:
            ConnectivityError: Not connected.
            BrokerRejectedError: Awaited: the order would be refused.
        """
        self._require_open()
        order = venue_order(intent, self._client_id, self._next_id, self._floor.account)
        self._next_id += 1
        return _previewed(self._floor.preview(order))

    def cancel(self, order: Order) -> None:
        """Cancel one own order.

        Raises:
            ConnectivityError: Not connected.
        """
        self._require_open()
        self._floor.cancel(self._client_id, order.broker_order_id)

    def cancel_everything(self) -> None:
        """Cancel the orders of all clients.

        Raises:
            ConnectivityError: Not connected.
        """
        self._require_open()
        for standing in self._floor.open_orders():
            self._floor.cancel(standing.order.client_id, standing.order.order_id)

    async def books(self) -> BrokerBooks:
        """Return the exchange's books, complete by nature.

        Raises:
            ConnectivityError: Not connected.
        """
        self._require_open()
        floor = self._floor
        executions = floor.executions()
        return BrokerBooks(
            open_orders=tuple(map(self._report, floor.open_orders())),
            completed_orders=tuple(map(self._report, floor.completed_orders())),
            fills=tuple(self._fill(executed) for executed, _ in executions),
            positions=tuple(map(_position, floor.positions())),
            account=self._values(floor.account_state()),
            commissions_usd={charged.exec_id: str(charged.commission_usd) for _, charged in executions},
        )

    # What happens

    def _hear(self, event: Heard) -> None:
        match event:
            case OrderChanged() if event.order.client_id == self._client_id:
                self._sink(OrderReported(at=self._floor.now(), report=self._report(event)))
            case Executed() if event.order.client_id == self._client_id:
                self._sink(FillReported(at=self._floor.now(), fill=self._fill(event)))
                self._own_executions.add(event.exec_id)
            case Charged() if event.exec_id in self._own_executions:
                self._own_executions.discard(event.exec_id)
                self._charged(event)
            case AccountChanged():
                self._account_changed(event)
            case CancelRefused() if event.client_id == self._client_id:
                self._cancel_refused(event)
            case _:
                pass  # quotes are the market data's, positions follow from fills, and foreign orders are not told

    def _charged(self, event: Charged) -> None:
        self._sink(CommissionReported(at=self._floor.now(), exec_id=event.exec_id, commission_usd=event.commission_usd))

    def _account_changed(self, event: AccountChanged) -> None:
        self._sink(AccountReported(at=self._floor.now(), values=self._values(event)))

    def _cancel_refused(self, event: CancelRefused) -> None:
        """The order may have filled a moment ago: it is in doubt until the books are compared."""
        reference = self._references.get(event.order_id)
        if reference is not None:
            self._sink(OrderDoubted(at=self._floor.now(), order_ref=reference, code=event.code, text=event.text))

    # Values

    def _require_open(self) -> None:
        if self._remove is None:
            raise ConnectivityError(f"client {self._client_id} is not connected to the simulated exchange")

    def _report(self, event: OrderChanged) -> BrokerOrder:
        order = event.order
        return BrokerOrder(
            order_ref=order.order_ref,
            perm_id=event.perm_id,
            order_id=order.order_id,
            client_id=order.client_id,
            status=STATUSES[event.status],
            filled=event.filled,
            remaining=order.quantity - event.filled,
            account=order.account or self._floor.account,
            text=event.reason,
        )

    def _fill(self, executed: Executed) -> Fill:
        part = FillPart.COMBO if executed.instrument is None else FillPart.LEG if executed.is_leg else FillPart.WHOLE
        return Fill(
            exec_id=executed.exec_id,
            order_ref=executed.order.order_ref,
            perm_id=executed.perm_id,
            account=executed.order.account or self._floor.account,
            part=part,
            instrument=executed.instrument,
            side=executed.side,
            quantity=executed.quantity,
            price=executed.price,
            at=executed.at,
            filled_before=executed.cumulative - executed.quantity,
        )

    def _values(self, state: AccountChanged) -> AccountValues:
        return AccountValues(
            account=state.account,
            net_liquidation_usd=state.net_liquidation_usd,
            cash_usd=state.cash_usd,
            at=self._floor.now(),
            initial_margin_usd=state.init_margin_usd,
            maintenance_margin_usd=state.maint_margin_usd,
            excess_liquidity_usd=state.excess_liquidity_usd,
            gross_position_usd=state.gross_position_usd,
        )


class InProcessMarketData:
    """A `MarketData` on a trading floor: streams while it is open, answers at once."""

    def __init__(self, floor: TradingFloor, sink: Sink) -> None:
        """Listen to the floor's quotes; a floor tells all that anybody watches, so others are passed over."""
        self._floor = floor
        self._sink = sink
        self._watched: dict[InstrumentKey, Instrument] = {}
        self._ticks: dict[InstrumentKey, Tick] = {}
        self._shown: dict[InstrumentKey, tuple[object, ...]] = {}
        self._interests: dict[InstrumentKey, tuple[int, date]] = {}
        self._at: datetime = _EPOCH
        self._at_ns = 0
        self._remove = floor.listen(self._hear)

    def close(self) -> None:
        """Watch nothing any more and stop listening."""
        self.watch(())
        self._remove()

    def watch(self, instruments: Sequence[Instrument]) -> None:
        """Stream these and no others any more; each new one is told at once."""
        wanted = {instrument.key: instrument for instrument in instruments}
        gone = [self._watched.pop(key) for key in tuple(self._watched) if key not in wanted]
        for instrument in gone:
            self._floor.unwatch(instrument)
            self._interests.pop(instrument.key, None)
        for key, instrument in wanted.items():
            if key not in self._watched:
                self._watched[key] = instrument
                self._quoted(self._floor.watch(instrument))

    async def daily_closes(self, instrument: Instrument, sessions: int) -> tuple[DailyClose, ...]:
        """Return the last finished sessions, oldest first.

        Raises:
            BrokerRejectedError: There is no history of this contract.
        """
        now, day = self._floor.now(), Span(count=1, unit=SpanUnit.DAY)
        reach = Span(count=sessions + 1, unit=SpanUnit.DAY)
        told = self._floor.bars(instrument, BarRequest(what=PriceKind.TRADES, width=day, reach=reach, end=now))
        today = f"{now.astimezone(_NEW_YORK):%Y%m%d}"
        is_on = self._floor.phase(instrument) is not Phase.CLOSED
        bars = [bar for bar in told if not (is_on and bar.day == today)][-sessions:]
        if not bars:
            raise BrokerRejectedError(f"{instrument.key}: the simulated exchange keeps no daily history of it")
        return tuple(
            DailyClose(day=date(int(bar.day[:4]), int(bar.day[4:6]), int(bar.day[6:])), close=bar.close) for bar in bars
        )

    async def option_chain(self, symbol: str, settlement_from: date, settlement_to: date) -> tuple[Instrument, ...]:
        """Return all listed options of an index that settle in the range, both ends included."""
        rows = self._floor.option_parameters(symbol, Kind.INDEX.value, 0)
        first, last = f"{settlement_from - _LAST_TRADE_LEAD:%Y%m%d}", f"{settlement_to:%Y%m%d}"
        classes = {row.trading_class: row.expirations for row in rows}
        queries = (
            ContractQuery(symbol=symbol, sec_type=Kind.OPTION.value, expiry=expiry, trading_class=trading_class)
            for trading_class, expirations in classes.items()
            for expiry in expirations
            if first <= expiry <= last
        )
        found = (listing.instrument for query in queries for listing in self._floor.matching(query))
        return tuple(each for each in found if _settles_within(each, settlement_from, settlement_to))

    async def futures(self, symbol: str, settlement_from: date, settlement_to: date) -> tuple[Instrument, ...]:
        """Return all listed futures of a symbol that settle in the range, both ends included."""
        query = ContractQuery(symbol=symbol, sec_type=Kind.FUTURE.value)
        found = (listing.instrument for listing in self._floor.matching(query))
        return tuple(each for each in found if _settles_within(each, settlement_from, settlement_to))

    async def terms(self, instruments: Sequence[Instrument]) -> Mapping[InstrumentKey, ContractTerms]:
        """Return what details and market rules say of each, read from the same texts as over the wire."""
        today = self._floor.now().astimezone(_NEW_YORK).date()
        return {each.key: terms_of(self._floor.listing(each), self._floor.market_rule, today) for each in instruments}

    async def model_greeks(self, instruments: Sequence[Instrument]) -> Mapping[InstrumentKey, ModelGreeks]:
        """Return what the exchange's model says of each option that it prices."""
        quotes = (self._floor.quote(each) for each in instruments)
        return {
            quote.instrument.key: ModelGreeks(delta=quote.model_delta, theta=quote.model_theta)
            for quote in quotes
            if quote.model_delta is not None and quote.model_theta is not None
        }

    async def snapshot(self, instruments: Sequence[Instrument]) -> Mapping[InstrumentKey, Quote]:
        """Return one quote for each contract that shows a side; of the indices only breadth does."""
        quotes = (self._floor.quote(each) for each in instruments)
        return {
            quote.instrument.key: self._quote(quote)
            for quote in quotes
            if quote.bid is not None or quote.ask is not None
        }

    def _interest(self, quote: VenueQuote) -> None:
        """Tell a contract's open interest where it is news, and once a day."""
        key, contracts = quote.instrument.key, quote.open_interest
        if contracts is None or quote.instrument.kind not in _WITH_INTEREST:
            return
        told = (contracts, self._floor.now().astimezone(_NEW_YORK).date())
        if self._interests.get(key) != told:
            self._interests[key] = told
            self._sink(OpenInterestTold(at=self._floor.now(), key=key, contracts=contracts))

    def _hear(self, event: Heard) -> None:
        """Pass on what is news in level or sides: a trade between two quotes makes neither side younger."""
        if event.__class__ is not VenueQuote or event.instrument.key not in self._watched:
            return
        if _shown(event) != self._shown.get(event.instrument.key):
            self._quoted(event)

    def _quoted(self, quote: VenueQuote) -> None:
        """Hand a quote to the sink: a level as a tick, two sides as a quote."""
        instrument = quote.instrument
        self._shown[instrument.key] = _shown(quote)
        if instrument.kind is not Kind.INDEX:
            self._interest(quote)
            self._sink(self._quote(quote))
        elif quote.last is not None:
            tick = self._ticks.get(instrument.key)
            if tick is None:
                tick = self._ticks[instrument.key] = Tick(instrument.key, quote.last, 0)
            tick.level = quote.last
            tick.at_ns = self._ns_of(self._floor.now())
            self._sink(tick)

    def _quote(self, quote: VenueQuote) -> Quote:
        return Quote(
            key=quote.instrument.key,
            bid=None if quote.bid is None else float(quote.bid),
            ask=None if quote.ask is None else float(quote.ask),
            bid_size=quote.bid_size,
            ask_size=quote.ask_size,
            at_ns=self._ns_of(self._floor.now()),
        )

    def _ns_of(self, at: datetime) -> int:
        """Return nanoseconds since 1970, exact to the microsecond; one moment is worked out once."""
        if at is not self._at:
            self._at = at
            self._at_ns = (at - _EPOCH) // _MICROSECOND * 1000
        return self._at_ns


def _shown(quote: VenueQuote) -> tuple[object, ...]:
    """Return what a quote shows to the bot."""
    if quote.instrument.kind is Kind.INDEX:
        return (quote.last,)
    return (quote.bid, quote.ask, quote.bid_size, quote.ask_size)


def venue_order(intent: OrderIntent, client_id: int, order_id: int, account: str) -> VenueOrder:
    """Return an intent as the exchange takes it.

    A combo is a BUY of the unit, its legs on their own sides and its limit as the intent's (negative receives). A
    single contract is bought or sold at a positive price: an intent that receives 19.50 has the limit -19.50.

    Raises:
        InvalidValueError: A single contract with a ratio other than one: its unit has no price of its own.
    """
    legs = tuple(VenueLeg(instrument=leg.instrument, side=leg.side, ratio=leg.ratio) for leg in intent.legs)
    side, limit = Side.BUY, intent.limit
    if not intent.is_combo:
        if legs[0].ratio != 1:
            raise InvalidValueError(f"intent {intent.intent_id}: a single contract has ratio 1, was {legs[0].ratio}")
        side, limit = legs[0].side, intent.limit * legs[0].side.sign
        legs = (VenueLeg(instrument=legs[0].instrument, side=Side.BUY),)
    return VenueOrder(
        client_id=client_id,
        order_id=order_id,
        order_ref=intent.intent_id,
        account=account,
        side=side,
        legs=legs,
        quantity=intent.quantity,
        order_type=OrderType.LIMIT,
        limit=limit,
    )


async def _previewed(preview: Preview) -> MarginFigures:
    """Answer with the change from before to after, as a wire would."""
    if preview.reason:
        raise BrokerRejectedError(f"a what-if: the broker says {preview.code}: {preview.reason}")
    return MarginFigures(
        initial_change_usd=preview.after.init_margin_usd - preview.before.init_margin_usd,
        maintenance_change_usd=preview.after.maint_margin_usd - preview.before.maint_margin_usd,
        least_commission_usd=preview.commission_usd,
        most_commission_usd=preview.commission_usd,
    )


def _position(position: PositionChanged) -> Position:
    return Position(
        instrument=position.instrument,
        quantity=position.quantity,
        average_cost_usd=position.average_cost_usd,
    )


def _settles_within(instrument: Instrument, first: date, last: date) -> bool:
    return instrument.settlement is not None and first <= instrument.settlement <= last
