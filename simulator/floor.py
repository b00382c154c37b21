"""The trading floor: joins a level source, the universe and the exchange, and moves them along in steps.

How it works. `advance` plays every step up to a moment: it makes the market of that step, tells the listeners each
watched quote that changed, then lets the exchange match resting orders against the same quotes. The last step of a
session is its close: orders for the day end there and the day becomes a daily bar. Between sessions contracts have no
sides, orders rest, and time passes without prices, unless nights are played: then the steps go on between two sessions,
and what trades outside regular hours trades by its own hours.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from bot.domain.instrument import Instrument, InstrumentKey
from simulator.account import Account
from simulator.bars import Past
from simulator.board import Board, PhaseOf
from simulator.books import OpeningBook
from simulator.depth import depth_of
from simulator.details import market_rule
from simulator.exchange import Exchange
from simulator.expiry import is_due, settlement_value
from simulator.hours import Phases, trading_hours
from simulator.listing import ContractQuery, Listing
from simulator.nights import Night, Nights
from simulator.option_models import option_at_price, option_at_vol
from simulator.orders.view import Venue
from simulator.ports import Heard, Listener, OptionParameters
from simulator.profits import Profits
from simulator.records import DailyRecord, Paths
from simulator.universe import Universe
from simulator.venue import (
    AccountChanged,
    Bar,
    BarRequest,
    Charged,
    Depth,
    Executed,
    OrderChanged,
    PastQuote,
    Phase,
    PositionChanged,
    Preview,
    PriceKind,
    ProfitAndLoss,
    StepPlayed,
    TradingHours,
    VenueOrder,
    VenueQuote,
)
from simulator.venue_models import VenueModels
from simulator.watched import Stage
from simulator.world.levels import EQUITY_CLOSE_LEAD, SYMBOLS, Levels, LevelSource, SessionPath
from simulator.world.market import Market, WorldModel

NEW_YORK: Final = ZoneInfo("America/New_York")
BEFORE_OPEN: Final = timedelta(minutes=30)
"""A floor that has not moved yet stands this long before its first open."""
ACCOUNT_EVERY_S: Final = 180
"""The account's values are told after fills and every three minutes, as the broker does."""
_INSTANT: Final = timedelta(microseconds=1)


class Floor:
    """A `simulator.ports.TradingFloor` over a simulated market; moved by `advance` alone."""

    def __init__(
        self,
        *,
        source: LevelSource,
        universe: Universe,
        model: WorldModel,
        book: OpeningBook,
        account: str,
        models: VenueModels | None = None,
        clock: Callable[[], datetime] | None = None,
        board: Callable[[PhaseOf], Board] = Board,
    ) -> None:
        """Set the floor up before its first session.

        Args:
            source: Where the indices go.
            universe: What is listed.
            model: The constants behind the prices.
            book: What the account holds.
            account: Its name.
            models: Fills and fees; displayed sizes and the venue's fees unless stated.
            clock: Aware time of the outside, for what happens between two steps; the last step's time without it.
            board: Where quotes come from; the model unless stated.
        """
        models = models or VenueModels()
        self.account = account
        self._source = source
        self._universe = universe
        self._model = model
        self._clock = clock
        self._phases = Phases(universe.calendar)
        self._record = DailyRecord(universe.calendar, source.prior)
        paths = Paths(source, self._record)
        self._nights = None if model.night_step_s is None else Nights(paths, model.night_step_s, model.noise_seed)
        self._past = Past(paths, model, self._nights)
        self._exchange = Exchange(
            account=Account(account, book.cash_usd, book.positions),
            fills=models.fills,
            fees=models.fees,
            is_listed=lambda instrument: universe.is_listed(instrument, self._today()),
            marks=self._marks,
        )
        self._board = board(self.phase)
        self._listeners: list[Listener] = []
        self._session = 0
        self._step = 0
        self._is_open = False
        self._has_settled_afternoon = False
        self._path: SessionPath | None = None
        self._closes = self._record.closes_before(source.sessions[0].day)
        self._night = self._next_night()
        self._now = self._beginning()
        self._begin_day(self._now, source.sessions[0].day)
        self._profits = Profits(self._exchange.account, self._board.mark, self._net_liquidation)

    def __repr__(self) -> str:
        """Time, session, step and exchange, for failing tests."""
        state = "open" if self._is_open else "closed"
        return f"Floor({self._now.isoformat()} {state}, session {self._session}, step {self._step}, {self._exchange!r})"

    # Time

    def now(self) -> datetime:
        """The floor's own time, aware UTC: the outside clock's where there is one, never before the last step."""
        outside = self._now if self._clock is None else self._clock()
        return max(outside, self._now).astimezone(UTC)

    def next_step_at(self) -> datetime | None:
        """The moment of the next step, or None when the source is played out."""
        if self._session == len(self._source.sessions):
            return None
        at_night = None if self._night is None else self._night.next_at()
        return self._present_path().at(self._step) if at_night is None else at_night

    def advance(self, to: datetime) -> None:
        """Play every step up to a moment, that moment included."""
        at = self.next_step_at()
        while at is not None and at <= to:
            if self._night is None or self._night.next_at() is None:
                self._play(at)
            else:
                self._play_at_night(self._night, at)
            at = self.next_step_at()
        self._now = max(self._now, to)

    def prepare(self, most: int) -> bool:
        """Price at most so many watched contracts at the next step of a session; False when nothing is left to do.

        For whoever has time to spare before that step is due; the step is the same without it.
        """
        path, step = self._path, self._step
        if not self._is_open or path is None:
            return False
        market, stage = self._market_of(path.at(step), path.of(step)), Stage(day=path.session.day, path=path, step=step)
        return self._board.prepare(market, stage, most)

    @property
    def is_open(self) -> bool:
        """Whether a session is on: contracts have two sides and orders can fill."""
        return self._is_open

    @property
    def shows_a_step(self) -> bool:
        """Whether the prices of a step hold, of a session or of a night; none do from a close to the step after it."""
        return self._board.is_on

    @property
    def market(self) -> Market:
        """All prices of the last step."""
        return self._board.market

    def phase(self, instrument: Instrument) -> Phase:
        """Whether a contract trades now; between sessions nothing does where no nights are played."""
        if not self._is_open:
            return Phase.CLOSED if self._night is None else self._phases.at(instrument, self._now)
        path = self._present_path()
        at = min(self._now, path.session.closes_at - _INSTANT)
        phase = self._phases.at(instrument, at)
        return Phase.HALTED if phase is not Phase.CLOSED and path.is_halted(at) else phase

    def hours(self, instrument: Instrument, first: date, days: int, *, regular_only: bool) -> tuple[TradingHours, ...]:
        """The stretches of trading of ``days`` calendar days from ``first`` on, ascending."""
        return trading_hours(instrument, first, days, self._universe.calendar, regular_only=regular_only)

    # What is listed

    def matching(self, query: ContractQuery) -> tuple[Listing, ...]:
        """All contracts that a query names; empty when none does."""
        return self._universe.matching(query, self._today())

    def listing(self, instrument: Instrument) -> Listing:
        """The listing of a known instrument."""
        return self._universe.listing(instrument, self._today())

    def option_parameters(self, symbol: str, sec_type: str, con_id: int) -> tuple[OptionParameters, ...]:
        """The chain of one underlying, one row per exchange and class."""
        return self._universe.option_parameters(symbol, sec_type, con_id, self._today())

    def market_rule(self, rule_id: int) -> tuple[tuple[Decimal, Decimal], ...]:
        """Rows (low edge, increment) of a market rule, ascending; empty when unknown."""
        return market_rule(rule_id)

    def search(self, pattern: str) -> tuple[Listing, ...]:
        """Contracts with a symbol or a name that holds the pattern; indices, shares, currencies and no derivatives."""
        return self._universe.search(pattern, self._today())

    def derivative_kinds(self, instrument: Instrument) -> tuple[str, ...]:
        """The security types listed on an underlying: OPT, FUT, BAG."""
        return self._universe.derivative_kinds(instrument)

    # Quotes and bars

    def watch(self, instrument: Instrument) -> VenueQuote:
        """Count one more watcher of an instrument and return its present quote."""
        return self._board.watch(instrument)

    def unwatch(self, instrument: Instrument) -> None:
        """Count one watcher less; an instrument without watchers is no longer priced on each step."""
        self._board.unwatch(instrument)

    def quote(self, instrument: Instrument) -> VenueQuote:
        """The present quote, without watching; kept until the next step."""
        return self._board.quote(instrument)

    @property
    def watched(self) -> frozenset[InstrumentKey]:
        """What is priced on each step."""
        return self._board.watched

    def depth(self, instrument: Instrument, rows: int) -> Depth:
        """The present book, at most ``rows`` prices a side; empty sides outside trading hours."""
        return depth_of(instrument, self.quote(instrument), rows)

    def bars(self, instrument: Instrument, request: BarRequest) -> tuple[Bar, ...]:
        """Bars up to ``request.end`` and not beyond now, oldest first, the last one perhaps unfinished; empty: none."""
        return self._past.bars(instrument, request, self._seen())

    def first_bar_at(self, instrument: Instrument, what: PriceKind) -> datetime | None:
        """The beginning of the oldest bar there is, or None."""
        return self._past.first_bar_at(instrument, what)

    def past_quotes(
        self,
        instrument: Instrument,
        what: PriceKind,
        *,
        start: datetime | None,
        end: datetime | None,
        count: int,
        regular_only: bool = True,
    ) -> tuple[PastQuote, ...]:
        """At most ``count`` past ticks, oldest first: the first from ``start`` on, or the last up to ``end``."""
        window = start, self._seen() if end is None else min(end, self._seen())
        return self._past.ticks(instrument, what, window, count, regular_only=regular_only)

    def option_price(self, instrument: Instrument, vol: float, underlying: float) -> VenueQuote | None:
        """The model's price and greeks of an option at a volatility and a level; None for anything else."""
        return option_at_vol(instrument, vol, underlying, self.market)

    def option_vol(self, instrument: Instrument, price: float, underlying: float) -> VenueQuote | None:
        """The volatility and greeks of an option at a price; None for anything else, or a price without one."""
        return option_at_price(instrument, price, underlying, self.market)

    # Orders and the account

    def place(self, order: VenueOrder) -> None:
        """Accept a new order or modify a working one (same client and order id); tells the listeners."""
        self._tell(self._exchange.place(order, self._venue()))

    def cancel(self, client_id: int, order_id: int) -> None:
        """Cancel a working order or say why not; tells the listeners."""
        self._tell(self._exchange.cancel(client_id, order_id))

    def preview(self, order: VenueOrder) -> Preview:
        """What the order would cost and how the account would stand after it; nothing is placed."""
        return self._exchange.preview(order, self._venue(), self._board.mark)

    def next_order_id(self, client_id: int) -> int:
        """An order id above every id that this client ever used."""
        return self._exchange.next_order_id(client_id)

    def open_orders(self) -> tuple[OrderChanged, ...]:
        """The working orders of all clients."""
        return self._exchange.open_orders()

    def completed_orders(self) -> tuple[OrderChanged, ...]:
        """The orders of the present day that are filled, cancelled or rejected."""
        return self._exchange.completed_orders()

    def executions(self) -> tuple[tuple[Executed, Charged], ...]:
        """The executions of the present day, oldest first, each with its commission."""
        return self._exchange.executions()

    def positions(self) -> tuple[PositionChanged, ...]:
        """All positions of the account, without flat ones."""
        return self._exchange.account.positions()

    def account_state(self) -> AccountChanged:
        """The present account values."""
        return self._exchange.account_state()

    def profit(self) -> ProfitAndLoss:
        """The account's profit."""
        return self._profits.of_account(self.executions())

    def profit_of(self, instrument: Instrument) -> ProfitAndLoss | None:
        """The profit of one position, or None where none is held."""
        return self._profits.of_position(instrument, self.executions())

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Add a listener for venue events and watched quotes; the returned function removes it."""
        self._listeners.append(listener)

        def remove() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return remove

    # Steps

    def _play(self, at: datetime) -> None:
        """Carry out one step: prices, settlements, quotes, matching; at a session's ends also what belongs there."""
        path, step = self._present_path(), self._step
        self._now = at
        if step == 0:
            self._open()
        self._step += 1
        self._turn(at, path.of(step), Stage(day=path.session.day, path=path, step=step))
        if step == 0:
            self._settle(path, afternoon=False)
        self._tell(self._board.changed())
        self._tell(self._exchange.match(self._venue(at)))
        if not self._has_settled_afternoon and at >= path.session.closes_at - EQUITY_CLOSE_LEAD:
            self._has_settled_afternoon = True
            self._settle(path, afternoon=True)
        if step * path.step_s % ACCOUNT_EVERY_S == 0 and self._listeners:
            self._tell((self.account_state(),))
        if step == path.steps - 1:
            self._close(path)
        self._tell((StepPlayed(at=at, levels=path.of(step), is_halted=path.is_halted(at)),))

    def _open(self) -> None:
        """Begin a session: yesterday's lists of orders and executions are emptied, where no night has done so."""
        self._is_open = True
        self._has_settled_afternoon = False
        if self._night is None:
            self._exchange.begin_session(self._venue(self._now))
        else:
            self._board.begin_marks()
            self._night = None

    def _play_at_night(self, night: Night, at: datetime) -> None:
        """Carry out one step between two sessions: prices, quotes, matching; at the ends of days what belongs there."""
        path, step = night.path, night.step
        self._now = at
        if night.begins_the_day(at):
            self._exchange.begin_session(self._venue(at))
        night.step += 1
        self._turn(at, path.of(step), Stage(day=path.day, path=path, step=step))
        self._tell(self._board.changed())
        self._tell(self._exchange.match(self._venue(at)))
        if night.ends_a_day(at):
            self._tell(self._exchange.end_session(self._venue(at)))
        if int(at.timestamp()) % ACCOUNT_EVERY_S == 0 and self._listeners:
            self._tell((self.account_state(),))
        self._tell((StepPlayed(at=at, levels=path.of(step)),))

    def _settle(self, path: SessionPath, *, afternoon: bool) -> None:
        """Settle what is held or ordered and due at this end of the day."""
        ordered = [leg.instrument for each in self._exchange.open_orders() for leg in each.order.legs]
        for instrument in dict.fromkeys((*self._exchange.account.instruments, *ordered)):
            if is_due(instrument, path.session.day, afternoon=afternoon):
                value = settlement_value(instrument, self.market)
                self._tell(self._exchange.settle(instrument, value, self._now))

    def _close(self, path: SessionPath) -> None:
        """End the session: the day's orders, its bar, and the closes against which the next day is shown."""
        self._profits.close_day()
        for symbol in SYMBOLS:
            day = path.daily(symbol)
            if day is not None:
                self._record.add(symbol, day)
        self._closes = self._record.closes_of(path.session.day)
        self._session += 1
        self._step = 0
        self._path = None
        self._is_open = False
        self._night = self._next_night()
        self._board.clear()
        self._tell(self._exchange.end_session(self._venue(path.session.closes_at)))
        self._begin_day(path.session.closes_at, self._next_day(path.session.day))
        if self._nights is not None and self._night is None:  # no step follows that would tell that sides are gone
            self._tell(self._board.changed())

    def _next_night(self) -> Night | None:
        """Return the night before the present session; none after the last one, and where no nights are played."""
        if self._nights is None or self._session == len(self._source.sessions):
            return None
        return self._nights.begun(self._source.sessions[self._session].day)

    def _beginning(self) -> datetime:
        """Return where the floor stands at first: half an hour before the open, or at the close before it."""
        first = self._source.sessions[0]
        if self._night is None:
            return first.opens_at - BEFORE_OPEN
        return self._universe.calendar.previous_session(first.day).closes_at

    def _begin_day(self, at: datetime, day: date) -> None:
        """Stand closed at the last closes, before the session of a day."""
        self._turn(at, self._closes, Stage(day=day, path=None, step=0))
        self._board.begin_day(self.market)

    def _next_day(self, day: date) -> date:
        sessions = self._source.sessions
        return sessions[self._session].day if self._session < len(sessions) else day

    def _turn(self, at: datetime, levels: Levels, stage: Stage) -> None:
        self._board.turn(self._market_of(at, levels), stage)

    def _market_of(self, at: datetime, levels: Levels) -> Market:
        return Market(at=at, levels=levels, model=self._model, closes=self._closes)

    def _present_path(self) -> SessionPath:
        if self._path is None:
            self._path = self._source.path(self._session)
        return self._path

    def _tell(self, events: Iterable[Heard]) -> None:
        for event in events:
            for listener in tuple(self._listeners):
                listener(event)

    def _marks(self) -> Mapping[Instrument, Decimal]:
        """Return the mids of everything held, also while the market is closed."""
        return {instrument: self._board.mark(instrument) for instrument in self._exchange.account.instruments}

    def _net_liquidation(self) -> Decimal:
        return self._exchange.account_state().net_liquidation_usd

    def _venue(self, at: datetime | None = None) -> Venue:
        """Return what the exchange sees: at a step, or at the present moment between two."""
        return Venue(at=self.now() if at is None else at.astimezone(UTC), quotes=self.quote, phase_of=self.phase)

    def _seen(self) -> datetime:
        """Return the moment up to which there is a past: the last step's, for the next one is not played yet."""
        return self._now

    def _today(self) -> date:
        return self.now().astimezone(NEW_YORK).date()
