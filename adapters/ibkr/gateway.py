"""The broker as the bot's ports: one object that joins the parts; nothing is opened before `connect`."""

from collections.abc import Awaitable, Mapping, Sequence
from datetime import date, datetime

from adapters.ibkr.account import AccountFeed
from adapters.ibkr.books import Books
from adapters.ibkr.connection import Link
from adapters.ibkr.contract_book import ContractBook
from adapters.ibkr.contracts import RefusedContract
from adapters.ibkr.feed import DataFeed
from adapters.ibkr.history import History
from adapters.ibkr.market_data import Streams
from adapters.ibkr.orders import Orders
from adapters.ibkr.pacing import FrameBudget, loop_time
from adapters.ibkr.previews import Previews
from adapters.ibkr.requests import Requests
from adapters.ibkr.router import Router
from adapters.ibkr.settings import BrokerSettings
from adapters.ibkr.tap import TappedIB
from bot.domain.decision import Approved
from bot.domain.instrument import Instrument, InstrumentKey
from bot.domain.market import ModelGreeks, Quote
from bot.domain.orders import Order, OrderIntent
from bot.domain.previews import MarginFigures
from bot.domain.schedule import SessionCalendar
from bot.domain.terms import ContractTerms
from bot.ports import BrokerBooks, Clock, DailyClose, Sink


class IbkrGateway:
    """Implements `bot.ports.Broker`, `MarketData` and `Connection` on one Interactive Brokers gateway."""

    def __init__(self, *, settings: BrokerSettings, clock: Clock, sink: Sink) -> None:
        """Join the parts; no I/O.

        Args:
            settings: Where the gateway is and who we are.
            clock: Receive times of ticks, times of events, waiting.
            sink: Where everything that happened is delivered.
        """
        self._settings = settings
        self._clock = clock
        self._sink = sink
        self._budget = FrameBudget(loop_time)
        self._ib = TappedIB(self._budget)
        self._feed = DataFeed(clock=clock, sink=sink)
        self._account = AccountFeed(account=settings.account, clock=clock, sink=sink)
        self._requests = Requests(
            ib=self._ib,
            budget=self._budget,
            clock=clock,
            timeout_s=settings.request_timeout_s,
            on_silence=self._fell_silent,
        )
        self._join_lookups()
        self._join_orders()
        self._join_link()

    def _join_lookups(self) -> None:
        """Contracts, histories and streams."""
        calendar = SessionCalendar()
        self._contracts = ContractBook(
            ib=self._ib,
            requests=self._requests,
            clock=self._clock,
            calendar=calendar,
            option_exchange=self._settings.option_exchange,
        )
        self._history = History(
            ib=self._ib, requests=self._requests, contracts=self._contracts, clock=self._clock, calendar=calendar
        )
        self._streams = Streams(
            ib=self._ib,
            budget=self._budget,
            contracts=self._contracts,
            feed=self._feed,
            clock=self._clock,
            sink=self._sink,
            snapshot_timeout_s=self._settings.snapshot_timeout_s,
        )

    def _join_orders(self) -> None:
        """Orders and books; what they need of the link is asked when it is needed."""
        self._orders = Orders(
            settings=self._settings,
            ib=self._ib,
            budget=self._budget,
            contracts=self._contracts,
            clock=self._clock,
            sink=self._sink,
            is_open=self.is_open,
            on_lost_fill=self._doubt_books,
        )
        self._previews = Previews(orders=self._orders, timeout_s=self._settings.request_timeout_s)
        self._books = Books(
            account=self._settings.account,
            ib=self._ib,
            requests=self._requests,
            contracts=self._contracts,
            orders=self._orders,
            feed=self._account,
            clock=self._clock,
        )

    def _join_link(self) -> None:
        """The link, and the router that hands each message to its part."""
        self._link = Link(
            settings=self._settings,
            ib=self._ib,
            books=self._books,
            orders=self._orders,
            clock=self._clock,
            sink=self._sink,
            streams=self._streams,
        )
        self._router = Router(
            requests=self._requests,
            streams=self._streams,
            orders=self._orders,
            previews=self._previews,
            books=self._books,
            account=self._account,
            feed=self._feed,
            link=self._link,
            budget=self._budget,
        )
        self._ib.wrapper.ear = self._router

    def _fell_silent(self) -> None:
        """Requests are made before the link; so they reach it through here."""
        self._link.fell_silent()

    def _doubt_books(self, why: str) -> None:
        """Orders reach the link in the same way."""
        self._link.doubt(why)

    def __repr__(self) -> str:
        settings = self._settings
        state = "open" if self.is_open() else "closed"
        return f"<IbkrGateway {settings.host}:{settings.port} client {settings.client_id} {state}>"

    # Connection

    async def connect(self) -> None:
        """Connect with the fixed client id and synchronise; see `Link.connect`."""
        await self._link.connect()

    def disconnect(self) -> None:
        """Close the link."""
        self._link.disconnect()

    async def gateway_time(self) -> datetime:
        """Return the gateway's own time, aware UTC, to the second: what a rehearsal sets its clock by.

        Raises:
            ConnectivityError: No answer in time.
        """
        return await self._requests.gateway_time()

    # Broker

    def submit(self, approved: Approved) -> None:
        """Write one order frame to the transport before returning; see `Orders.submit`."""
        self._orders.submit(approved)

    def preview(self, intent: OrderIntent) -> Awaitable[MarginFigures]:
        """Write one what-if frame before returning; await the answer; see `Previews.ask`."""
        return self._previews.ask(intent)

    def cancel(self, order: Order) -> None:
        """Write one cancel frame for an own order; cancelling twice is allowed."""
        self._orders.cancel(order)

    def cancel_everything(self) -> None:
        """Write the frame that cancels the orders of all clients of this gateway."""
        self._orders.cancel_everything()

    def is_open(self) -> bool:
        """The transport takes bytes right now."""
        return self._link.is_open()

    async def books(self) -> BrokerBooks:
        """Return the complete books, or raise ConnectivityError."""
        return await self._books.read()

    # MarketData

    def watch(self, instruments: Sequence[Instrument]) -> None:
        """Stream these and no others any more."""
        self._streams.watch(instruments)

    async def daily_closes(self, instrument: Instrument, sessions: int) -> tuple[DailyClose, ...]:
        """Return the last finished sessions, oldest first; see `History.daily_closes`."""
        return await self._history.daily_closes(instrument, sessions)

    async def option_chain(self, symbol: str, settlement_from: date, settlement_to: date) -> tuple[Instrument, ...]:
        """Return all listed options of an underlying that settle in the range and whose dates agree."""
        return await self._contracts.options(symbol, settlement_from, settlement_to)

    async def futures(self, symbol: str, settlement_from: date, settlement_to: date) -> tuple[Instrument, ...]:
        """Return all listed futures of a symbol that settle in the range and whose dates agree."""
        return await self._contracts.futures(symbol, settlement_from, settlement_to)

    async def terms(self, instruments: Sequence[Instrument]) -> Mapping[InstrumentKey, ContractTerms]:
        """Return hours, last trade and ticks of each; see `ContractBook.terms`."""
        return await self._contracts.terms(instruments)

    async def model_greeks(self, instruments: Sequence[Instrument]) -> Mapping[InstrumentKey, ModelGreeks]:
        """Return what the broker's model says of each option, where it says something.

        Raises:
            ConnectivityError: Not connected, or the connection broke.
        """
        return await self._streams.model_greeks(instruments)

    async def snapshot(self, instruments: Sequence[Instrument]) -> Mapping[InstrumentKey, Quote]:
        """Return one quote each, where there is one, without keeping a line open."""
        return await self._streams.snapshot(instruments)

    # for operators and tests

    @property
    def refused_contracts(self) -> tuple[RefusedContract, ...]:
        """Contracts that are not shown because their dates are in doubt."""
        return tuple(self._contracts.refusals.values())

    @property
    def counters(self) -> Mapping[str, int]:
        """What should be zero: messages that could not be read, codes that the table does not know."""
        return {"undecoded": self._router.undecoded_count, "unknown_codes": self._router.unknown_code_count}

    def raise_order_ids_above(self, order_id: int) -> None:
        """Keep order ids above one that the journal remembers; for a start after the broker's counter fell back."""
        self._orders.raise_ids_above(order_id)
