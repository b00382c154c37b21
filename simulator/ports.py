"""What both doors need from the trading floor behind them; everything is synchronous and pure of I/O."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Protocol

from bot.domain.instrument import Instrument
from simulator.listing import ContractQuery, Listing
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
    VenueEvent,
    VenueOrder,
    VenueQuote,
)

Heard = VenueEvent | VenueQuote | StepPlayed
Listener = Callable[[Heard], None]


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

    def bars(self, instrument: Instrument, request: BarRequest) -> tuple[Bar, ...]:
        """Bars up to ``request.end`` and not beyond now, oldest first, the last one perhaps unfinished; empty: none."""
        ...

    def first_bar_at(self, instrument: Instrument, what: PriceKind) -> datetime | None:
        """The beginning of the oldest bar there is, or None."""
        ...

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
        """At most ``count`` past ticks, oldest first: the first from ``start`` on, or the last up to ``end``.

        ``what`` is TRADES, BID_ASK or MIDPOINT; ``regular_only`` leaves out what fell outside regular hours.
        """
        ...

    def depth(self, instrument: Instrument, rows: int) -> Depth:
        """The present book, at most ``rows`` prices a side; empty sides outside trading hours."""
        ...

    def phase(self, instrument: Instrument) -> Phase:
        """Whether a contract trades now."""
        ...

    def hours(self, instrument: Instrument, first: date, days: int, *, regular_only: bool) -> tuple[TradingHours, ...]:
        """The stretches of trading of ``days`` calendar days from ``first`` on, ascending."""
        ...

    def search(self, pattern: str) -> tuple[Listing, ...]:
        """Contracts with a symbol or a name that holds the pattern; indices, shares, currencies and no derivatives."""
        ...

    def derivative_kinds(self, instrument: Instrument) -> tuple[str, ...]:
        """The security types listed on an underlying: OPT, FUT, BAG."""
        ...

    def option_price(self, instrument: Instrument, vol: float, underlying: float) -> VenueQuote | None:
        """The model's price and greeks of an option at a volatility and a level; None for anything else."""
        ...

    def option_vol(self, instrument: Instrument, price: float, underlying: float) -> VenueQuote | None:
        """The volatility and greeks of an option at a price; None for anything else, or a price without one."""
        ...

    def profit(self) -> ProfitAndLoss:
        """The account's profit."""
        ...

    def profit_of(self, instrument: Instrument) -> ProfitAndLoss | None:
        """The profit of one position, or None where none is held."""
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
