"""A pit: an exchange over quotes made by hand, for tests of single orders."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from floors import an_order

from bot.domain.instrument import Instrument, Kind, Right
from simulator.account import Account
from simulator.exchange import Exchange
from simulator.fees import FeeModel, NoFees
from simulator.fills import DisplayedSizeFills, FillModel
from simulator.orders.view import Venue
from simulator.venue import Executed, OrderChanged, Phase, VenueQuote, VenueStatus

AT = datetime(2026, 10, 19, 14, 0, tzinfo=UTC)


def a_call(strike: int) -> Instrument:
    """Return a VIX call of November."""
    return Instrument(
        kind=Kind.OPTION,
        symbol="VIX",
        trading_class="VIX",
        exchange="CBOE",
        multiplier=100,
        settlement=date(2026, 11, 18),
        last_trade=date(2026, 11, 17),
        strike=Decimal(strike),
        right=Right.CALL,
    )


def a_future(trading_class: str = "VX") -> Instrument:
    """Return a future of November."""
    return Instrument(
        kind=Kind.FUTURE,
        symbol="VIX",
        trading_class=trading_class,
        exchange="CFE",
        multiplier=1000 if trading_class == "VX" else 100,
        settlement=date(2026, 11, 18),
        last_trade=date(2026, 11, 18),
    )


LOW, HIGH, FUTURE = a_call(20), a_call(25), a_future()


def quoted(instrument: Instrument, bid: str | None, ask: str | None, size: int = 10) -> VenueQuote:
    """Return both sides with the same size."""
    return VenueQuote(
        instrument=instrument,
        at=AT,
        bid=None if bid is None else Decimal(bid),
        ask=None if ask is None else Decimal(ask),
        bid_size=size,
        ask_size=size,
    )


class Pit:
    """An exchange with quotes, hours and a time that a test moves."""

    def __init__(self, *, fills: FillModel | None = None, fees: FeeModel | None = None, cash: int = 1_000_000) -> None:
        """Open in regular hours with three contracts on the board."""
        self.board: dict[Instrument, VenueQuote] = {}
        self.at = AT
        self.phase = Phase.REGULAR
        self.show(LOW, "1.30", "1.35")
        self.show(HIGH, "0.50", "0.55")
        self.show(FUTURE, "19.50", "19.55")
        self.account = Account("DU1", Decimal(cash))
        self.exchange = Exchange(
            account=self.account,
            fills=fills or DisplayedSizeFills(),
            fees=fees or NoFees(),
            is_listed=lambda instrument: instrument in self.board,
            marks=self.marks,
        )

    def show(self, instrument: Instrument, bid: str | None, ask: str | None, size: int = 10, **more: object) -> None:
        """Put a quote on the board; ``more`` are fields of `VenueQuote`."""
        self.board[instrument] = replace(quoted(instrument, bid, ask, size), **more)  # type: ignore[arg-type]

    def marks(self) -> Mapping[Instrument, Decimal]:
        """Return the mids."""
        return {key: ((quote.bid or Decimal(0)) + (quote.ask or Decimal(0))) / 2 for key, quote in self.board.items()}

    @property
    def venue(self) -> Venue:
        """The world as it is now."""
        return Venue(at=self.at, quotes=self.board.__getitem__, phase_of=lambda _instrument: self.phase)

    def place(self, *legs: object, **changes: object) -> tuple[object, ...]:
        """Place an order."""
        return self.exchange.place(an_order(*legs, **changes), self.venue)  # type: ignore[arg-type]

    def step(self, seconds: float = 0) -> tuple[object, ...]:
        """Let time pass and the exchange match once more."""
        self.at += timedelta(seconds=seconds)
        return self.exchange.match(self.venue)

    def close(self, phase: Phase = Phase.CLOSED) -> tuple[object, ...]:
        """End the session."""
        self.phase = phase
        return self.exchange.end_session(self.venue)

    def open(self) -> tuple[object, ...]:
        """Begin the next session and match once."""
        self.phase = Phase.REGULAR
        self.exchange.begin_session(self.venue)
        return self.step()


def standings(events: tuple[object, ...]) -> list[tuple[VenueStatus, int]]:
    """Return status and filled quantity of each standing told."""
    return [(event.status, event.filled) for event in events if isinstance(event, OrderChanged)]


def told_of(events: tuple[object, ...], order_id: int) -> list[OrderChanged]:
    """Return the standings of one order."""
    return [event for event in events if isinstance(event, OrderChanged) and event.order.order_id == order_id]


def executions(events: tuple[object, ...]) -> list[Executed]:
    """Return the executions told."""
    return [event for event in events if isinstance(event, Executed)]


def fills_of(events: tuple[object, ...]) -> list[tuple[int, int, str]]:
    """Return order id, quantity and price of each execution."""
    return [(event.order.order_id, event.quantity, str(event.price)) for event in executions(events)]
