"""A trading floor that passes every question on to another; what stands before a floor changes single answers of it."""

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal

from bot.domain.instrument import Instrument
from simulator.listing import ContractQuery, Listing
from simulator.ports import Listener, OptionParameters, TradingFloor
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
    TradingHours,
    VenueOrder,
    VenueQuote,
)


class PassingFloor:
    """A `simulator.ports.TradingFloor` with another one's answers; the methods are documented there."""

    def __init__(self, inner: TradingFloor) -> None:
        """Stand before a floor."""
        self._inner = inner
        self.account = inner.account

    def now(self) -> datetime:
        """As the port says."""
        return self._inner.now()

    def matching(self, query: ContractQuery) -> tuple[Listing, ...]:
        """As the port says."""
        return self._inner.matching(query)

    def listing(self, instrument: Instrument) -> Listing:
        """As the port says."""
        return self._inner.listing(instrument)

    def option_parameters(self, symbol: str, sec_type: str, con_id: int) -> tuple[OptionParameters, ...]:
        """As the port says."""
        return self._inner.option_parameters(symbol, sec_type, con_id)

    def market_rule(self, rule_id: int) -> tuple[tuple[Decimal, Decimal], ...]:
        """As the port says."""
        return self._inner.market_rule(rule_id)

    def watch(self, instrument: Instrument) -> VenueQuote:
        """As the port says."""
        return self._inner.watch(instrument)

    def unwatch(self, instrument: Instrument) -> None:
        """As the port says."""
        self._inner.unwatch(instrument)

    def quote(self, instrument: Instrument) -> VenueQuote:
        """As the port says."""
        return self._inner.quote(instrument)

    def bars(self, instrument: Instrument, request: BarRequest) -> tuple[Bar, ...]:
        """As the port says."""
        return self._inner.bars(instrument, request)

    def first_bar_at(self, instrument: Instrument, what: PriceKind) -> datetime | None:
        """As the port says."""
        return self._inner.first_bar_at(instrument, what)

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
        """As the port says."""
        return self._inner.past_quotes(instrument, what, start=start, end=end, count=count, regular_only=regular_only)

    def depth(self, instrument: Instrument, rows: int) -> Depth:
        """As the port says."""
        return self._inner.depth(instrument, rows)

    def phase(self, instrument: Instrument) -> Phase:
        """As the port says."""
        return self._inner.phase(instrument)

    def hours(self, instrument: Instrument, first: date, days: int, *, regular_only: bool) -> tuple[TradingHours, ...]:
        """As the port says."""
        return self._inner.hours(instrument, first, days, regular_only=regular_only)

    def search(self, pattern: str) -> tuple[Listing, ...]:
        """As the port says."""
        return self._inner.search(pattern)

    def derivative_kinds(self, instrument: Instrument) -> tuple[str, ...]:
        """As the port says."""
        return self._inner.derivative_kinds(instrument)

    def option_price(self, instrument: Instrument, vol: float, underlying: float) -> VenueQuote | None:
        """As the port says."""
        return self._inner.option_price(instrument, vol, underlying)

    def option_vol(self, instrument: Instrument, price: float, underlying: float) -> VenueQuote | None:
        """As the port says."""
        return self._inner.option_vol(instrument, price, underlying)

    def profit(self) -> ProfitAndLoss:
        """As the port says."""
        return self._inner.profit()

    def profit_of(self, instrument: Instrument) -> ProfitAndLoss | None:
        """As the port says."""
        return self._inner.profit_of(instrument)

    def place(self, order: VenueOrder) -> None:
        """As the port says."""
        self._inner.place(order)

    def cancel(self, client_id: int, order_id: int) -> None:
        """As the port says."""
        self._inner.cancel(client_id, order_id)

    def preview(self, order: VenueOrder) -> Preview:
        """As the port says."""
        return self._inner.preview(order)

    def next_order_id(self, client_id: int) -> int:
        """As the port says."""
        return self._inner.next_order_id(client_id)

    def open_orders(self) -> tuple[OrderChanged, ...]:
        """As the port says."""
        return self._inner.open_orders()

    def completed_orders(self) -> tuple[OrderChanged, ...]:
        """As the port says."""
        return self._inner.completed_orders()

    def executions(self) -> tuple[tuple[Executed, Charged], ...]:
        """As the port says."""
        return self._inner.executions()

    def positions(self) -> tuple[PositionChanged, ...]:
        """As the port says."""
        return self._inner.positions()

    def account_state(self) -> AccountChanged:
        """As the port says."""
        return self._inner.account_state()

    def listen(self, listener: Listener) -> Callable[[], None]:
        """As the port says."""
        return self._inner.listen(listener)
