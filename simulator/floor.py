"""The trading floor: joins a level source, the universe and the exchange, and moves them along in steps.

How it works. `advance` plays every step up to a moment: it makes the market of that step, tells the listeners each
watched quote that changed, then lets the exchange match resting orders against the same quotes. The last step of a
session is its close: orders for the day end there and the day becomes a daily bar. Between sessions contracts have no
sides, orders rest, and time passes without prices.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from bot.domain.instrument import Instrument, InstrumentKey, Kind
from simulator.account import Account
from simulator.bars import DailyRecord
from simulator.books import OpeningBook
from simulator.details import market_rule
from simulator.exchange import Exchange, Venue
from simulator.fees import FeeModel, VenueFees
from simulator.fills import DisplayedSizeFills, FillModel
from simulator.listing import ContractQuery, Listing
from simulator.numbering import number_of
from simulator.ports import Listener, OptionParameters
from simulator.universe import Universe
from simulator.venue import (
    AccountChanged,
    Charged,
    DailyBar,
    Executed,
    OrderChanged,
    Phase,
    PositionChanged,
    Preview,
    VenueEvent,
    VenueOrder,
    VenueQuote,
)
from simulator.world.levels import SYMBOLS, Levels, LevelSource, SessionPath, last_level
from simulator.world.market import Market, WorldModel
from simulator.world.quotes import TwoSided, rule_of, traded_quote, two_sided

NEW_YORK: Final = ZoneInfo("America/New_York")
BEFORE_OPEN: Final = timedelta(minutes=30)
"""A floor that has not moved yet stands this long before its first open."""
ACCOUNT_EVERY_S: Final = 180
"""The account's values are told after fills and every three minutes, as the broker does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueModels:
    """How orders fill and what they cost."""

    fills: FillModel = field(default_factory=DisplayedSizeFills)
    fees: FeeModel = field(default_factory=VenueFees)


class _Watched:
    """An instrument on the board: how many watch it and what was shown last. Mutable: it is on the hot path."""

    __slots__ = ("count", "instrument", "level", "sides")

    def __init__(self, instrument: Instrument) -> None:
        self.instrument = instrument
        self.count = 0
        self.level: float | None = None
        self.sides: TwoSided | None = None


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
        """
        models = models or VenueModels()
        self.account = account
        self._source = source
        self._universe = universe
        self._model = model
        self._clock = clock
        self._record = DailyRecord(universe.calendar, source.prior)
        self._exchange = Exchange(
            account=Account(account, book.cash_usd, book.positions),
            fills=models.fills,
            fees=models.fees,
            is_listed=lambda instrument: universe.is_listed(instrument, self._today()),
            marks=self._marks,
        )
        self._watched: dict[InstrumentKey, _Watched] = {}
        self._listeners: list[Listener] = []
        self._session = 0
        self._step = 0
        self._is_open = False
        self._path: SessionPath | None = None
        self._closes: Mapping[str, float] = {symbol: last_level(source.prior[symbol], symbol) for symbol in SYMBOLS}
        self._now = source.sessions[0].opens_at - BEFORE_OPEN
        self._move_market(self._now, _levels(self._closes))

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
        return self._present_path().at(self._step)

    def advance(self, to: datetime) -> None:
        """Play every step up to a moment, that moment included."""
        at = self.next_step_at()
        while at is not None and at <= to:
            self._play(at)
            at = self.next_step_at()
        self._now = max(self._now, to)

    @property
    def is_open(self) -> bool:
        """Whether a session is on: contracts have two sides and orders can fill."""
        return self._is_open

    @property
    def market(self) -> Market:
        """All prices of the last step."""
        return self._market

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

    # Quotes and bars

    def watch(self, instrument: Instrument) -> VenueQuote:
        """Count one more watcher of an instrument and return its present quote."""
        quote = self.quote(instrument)
        watched = self._watched.get(instrument.key)
        if watched is None:
            watched = self._watched[instrument.key] = _Watched(instrument)
            watched.level = quote.last
            watched.sides = None if instrument.kind is Kind.INDEX or not self._is_open else self._sides(instrument)
        watched.count += 1
        return quote

    def unwatch(self, instrument: Instrument) -> None:
        """Count one watcher less; an instrument without watchers is no longer priced on each step."""
        watched = self._watched.get(instrument.key)
        if watched is None:
            return
        watched.count -= 1
        if watched.count == 0:
            del self._watched[instrument.key]

    def quote(self, instrument: Instrument) -> VenueQuote:
        """The present quote, without watching; kept until the next step."""
        found = self._quotes.get(instrument.key)
        if found is None:
            found = self._quotes[instrument.key] = self._fresh_quote(instrument)
        return found

    def phase(self, instrument: Instrument) -> Phase:  # noqa: ARG002 - all contracts share the session's hours
        """Whether a contract trades now."""
        return Phase.REGULAR if self._is_open else Phase.CLOSED

    def daily_bars(self, instrument: Instrument, end: datetime, count: int) -> tuple[DailyBar, ...]:
        """The last ``count`` finished sessions up to ``end``, oldest first; empty when there is no history."""
        if instrument.kind is not Kind.INDEX:
            return ()
        return self._record.bars(instrument.symbol, min(end, self.now()), count)

    # Orders and the account

    def place(self, order: VenueOrder) -> None:
        """Accept a new order or modify a working one (same client and order id); tells the listeners."""
        self._tell(self._exchange.place(order, self._venue()))

    def cancel(self, client_id: int, order_id: int) -> None:
        """Cancel a working order or say why not; tells the listeners."""
        self._tell(self._exchange.cancel(client_id, order_id))

    def preview(self, order: VenueOrder) -> Preview:
        """What the order would cost and how the account would stand after it; nothing is placed."""
        return self._exchange.preview(order, self._venue(), lambda instrument: self._sides(instrument).mid)

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

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Add a listener for venue events and watched quotes; the returned function removes it."""
        self._listeners.append(listener)

        def remove() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return remove

    # Steps

    def _play(self, at: datetime) -> None:
        """Carry out one step: prices, quotes, matching; at a session's ends also what belongs there."""
        path, step = self._present_path(), self._step
        if step == 0:
            self._is_open = True
            self._exchange.begin_session(self._venue())
        self._step += 1
        self._now = at
        self._move_market(at, path.of(step))
        self._publish()
        self._tell(self._exchange.match(self._venue()))
        if step * path.step_s % ACCOUNT_EVERY_S == 0 and self._listeners:
            self._tell((self.account_state(),))
        if step == path.steps - 1:
            self._close(path)

    def _close(self, path: SessionPath) -> None:
        """End the session: the day's orders, its bar, and the closes against which the next day is shown."""
        self._is_open = False
        self._quotes.clear()
        self._tell(self._exchange.end_session(self._venue()))
        for symbol in SYMBOLS:
            day = path.daily(symbol)
            if day is not None:
                self._record.add(symbol, day)
                self._closes = {**self._closes, symbol: day.close}
        self._session += 1
        self._step = 0
        self._path = None

    def _present_path(self) -> SessionPath:
        if self._path is None:
            self._path = self._source.path(self._session)
        return self._path

    def _move_market(self, at: datetime, levels: Levels) -> None:
        self._market = Market(at=at, levels=levels, model=self._model)
        self._quotes: dict[InstrumentKey, VenueQuote] = {}

    def _publish(self) -> None:
        """Tell each watched quote that differs from what was shown last."""
        for watched in tuple(self._watched.values()):
            instrument = watched.instrument
            if instrument.kind is Kind.INDEX:
                level = self._market.levels.of(instrument.symbol)
                if level != watched.level and not math.isnan(level):
                    watched.level = level
                    self._tell((self.quote(instrument),))
                continue
            fair = self._market.fair(instrument)
            sides = self._sides_of(instrument, fair.price)
            if sides != watched.sides:
                watched.sides = sides
                quote = traded_quote(instrument, self._now, sides, fair, None)
                self._quotes[instrument.key] = quote
                self._tell((quote,))

    def _tell(self, events: tuple[VenueEvent | VenueQuote, ...]) -> None:
        for event in events:
            for listener in tuple(self._listeners):
                listener(event)

    # Prices

    def _fresh_quote(self, instrument: Instrument) -> VenueQuote:
        fair = self._market.fair(instrument)
        if instrument.kind is Kind.INDEX:
            last = None if math.isnan(fair.price) else fair.price
            return VenueQuote(instrument=instrument, at=self._now, last=last, close=self._closes[instrument.symbol])
        if not self._is_open:
            return VenueQuote(instrument=instrument, at=self._now)
        return traded_quote(instrument, self._now, self._sides_of(instrument, fair.price), fair, None)

    def _sides(self, instrument: Instrument) -> TwoSided:
        return self._sides_of(instrument, self._market.fair(instrument).price)

    def _sides_of(self, instrument: Instrument, price: float) -> TwoSided:
        return two_sided(rule_of(instrument), price, seed=number_of(instrument), step=self._step)

    def _marks(self) -> Mapping[Instrument, Decimal]:
        """Return the mids of everything held, also while the market is closed."""
        return {instrument: self._sides(instrument).mid for instrument in self._exchange.account.instruments}

    def _venue(self) -> Venue:
        return Venue(at=self.now(), quotes=self.quote, phase_of=self.phase)

    def _today(self) -> date:
        return self.now().astimezone(NEW_YORK).date()


def _levels(closes: Mapping[str, float]) -> Levels:
    spx, rut, vix, rvx = (closes[symbol] for symbol in SYMBOLS)
    return Levels(spx=spx, rut=rut, vix=vix, rvx=rvx)
