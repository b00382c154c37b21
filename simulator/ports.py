"""What both doors need from the trading floor behind them; everything is synchronous and pure of I/O."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from bot.domain.instrument import Instrument
from simulator.listing import ContractQuery, Listing
from simulator.venue import (
    AccountChanged,
    Charged,
    DailyBar,
    Executed,
    OrderChanged,
    PositionChanged,
    Preview,
    VenueEvent,
    VenueOrder,
    VenueQuote,
)

Listener = Callable[[VenueEvent | VenueQuote], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionParameters:
    """One row of an option chain: a class on one exchange with its last trading days and strikes."""

    exchange: str
    underlying_con_id: int
    trading_class: str
    multiplier: str
    expirations: tuple[str, ...]  # YYYYMMDD, last trading days, ascending
    strikes: tuple[float, ...]  # ascending


class TradingFloor(Protocol):
    """The exchange, the market and the account as a door sees them."""

    account: str

    def now(self) -> datetime:
        """The floor's own time, aware UTC."""
        ...

    def matching(self, query: ContractQuery) -> tuple[Listing, ...]:
        """All contracts that a query names; empty when none does."""
        ...

    def listing(self, instrument: Instrument) -> Listing:
        """The listing of a known instrument."""
        ...

    def option_parameters(self, symbol: str, sec_type: str, con_id: int) -> tuple[OptionParameters, ...]:
        """The chain of one underlying, one row per exchange and class."""
        ...

    def market_rule(self, rule_id: int) -> tuple[tuple[Decimal, Decimal], ...]:
        """Rows (low edge, increment) of a market rule, ascending; empty when unknown."""
        ...

    def watch(self, instrument: Instrument) -> VenueQuote:
        """Count one more watcher of an instrument and return its present quote."""
        ...

    def unwatch(self, instrument: Instrument) -> None:
        """Count one watcher less; an instrument without watchers is no longer priced on each step."""
        ...

    def quote(self, instrument: Instrument) -> VenueQuote:
        """The present quote, without watching."""
        ...

    def daily_bars(self, instrument: Instrument, end: datetime, count: int) -> tuple[DailyBar, ...]:
        """The last ``count`` finished sessions up to ``end``, oldest first; empty when there is no history."""
        ...

    def place(self, order: VenueOrder) -> None:
        """Accept a new order or modify a working one (same client and order id); tells the listeners."""
        ...

    def cancel(self, client_id: int, order_id: int) -> None:
        """Cancel a working order or say why not; tells the listeners."""
        ...

    def preview(self, order: VenueOrder) -> Preview:
        """What the order would cost and how the account would stand after it; nothing is placed."""
        ...

    def next_order_id(self, client_id: int) -> int:
        """An order id above every id that this client ever used."""
        ...

    def open_orders(self) -> tuple[OrderChanged, ...]:
        """The working orders of all clients."""
        ...

    def completed_orders(self) -> tuple[OrderChanged, ...]:
        """The orders of the present day that are filled, cancelled or rejected."""
        ...

    def executions(self) -> tuple[tuple[Executed, Charged], ...]:
        """The executions of the present day, oldest first, each with its commission."""
        ...

    def positions(self) -> tuple[PositionChanged, ...]:
        """All positions of the account, without flat ones."""
        ...

    def account_state(self) -> AccountChanged:
        """The present account values."""
        ...

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Add a listener for venue events and watched quotes; the returned function removes it."""
        ...
