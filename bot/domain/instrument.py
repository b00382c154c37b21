"""What is traded or watched: an instrument is named by what it is, never by a broker's number."""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import NewType

from bot.domain.checks import require_positive, require_text
from bot.domain.errors import InvalidValueError

InstrumentKey = NewType("InstrumentKey", str)
"""Canonical name: ``IND:RVX``, ``FUT:VXM:2015-06-17``, ``OPT:VIX:2015-06-17:20:C`` (date = settlement)."""


class Kind(StrEnum):
    """The security types that the project knows; the value is the broker's own word."""

    INDEX = "IND"
    OPTION = "OPT"
    FUTURE = "FUT"
    STOCK = "STK"
    CASH = "CASH"  # a currency pair: symbol is the base currency, trading class the pair, one unit is one of the base

    __hash__ = str.__hash__  # equal to its word, so hashed as it; and many times faster than an enum's own


class Right(StrEnum):
    """The right of an option."""

    CALL = "C"
    PUT = "P"

    __hash__ = str.__hash__  # as that of `Kind`


class Side(StrEnum):
    """The direction of an order or a leg."""

    BUY = "BUY"
    SELL = "SELL"

    @property
    def sign(self) -> int:
        """+1 for a purchase, -1 for a sale."""
        return 1 if self is Side.BUY else -1

    @property
    def opposite(self) -> "Side":
        """The other direction."""
        return Side.SELL if self is Side.BUY else Side.BUY


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument:
    """One contract or index.

    ``settlement`` is the day on which the contract settles; ``last_trade`` the last day on which it trades, which
    for AM-settled classes (SPX, VIX options) is the day before. ``multiplier`` is USD per point (VX 1000, VXM 100,
    options 100, indices 1). ``trading_class`` tells SPX from SPXW, VIX from VIXW, VX from VXM.
    """

    kind: Kind
    symbol: str
    trading_class: str
    exchange: str
    multiplier: int = 1
    currency: str = "USD"
    settlement: date | None = None
    last_trade: date | None = None
    strike: Decimal | None = None
    right: Right | None = None
    key: InstrumentKey = field(init=False, compare=False)

    def __post_init__(self) -> None:
        """Reject a contract that could not exist and give it its canonical name."""
        require_text(symbol=self.symbol, trading_class=self.trading_class, exchange=self.exchange)
        require_positive(multiplier=self.multiplier)
        dated = self.kind in (Kind.OPTION, Kind.FUTURE)
        if dated != (self.settlement is not None) or dated != (self.last_trade is not None):
            raise InvalidValueError(f"{self.kind} {self.symbol}: options and futures carry both dates, others none")
        is_option = self.kind is Kind.OPTION
        if is_option != (self.strike is not None) or is_option != (self.right is not None):
            raise InvalidValueError(f"{self.kind} {self.symbol}: options carry strike and right, others neither")
        if self.strike is not None:
            require_positive(strike=self.strike)
            object.__setattr__(self, "strike", _plain(self.strike))
        if self.settlement is not None and self.last_trade is not None and self.last_trade > self.settlement:
            raise InvalidValueError(f"{self.symbol} trades until {self.last_trade}, after settling {self.settlement}")
        object.__setattr__(self, "key", _key_of(self))


def _plain(strike: Decimal) -> Decimal:
    """One strike has one spelling: 19 and not 19.0, whoever named it."""
    return Decimal(int(strike)) if strike == int(strike) else strike.normalize()


def _key_of(instrument: Instrument) -> InstrumentKey:
    parts = [instrument.kind.value, instrument.trading_class]
    if instrument.settlement is not None:
        parts.append(instrument.settlement.isoformat())
    if instrument.strike is not None and instrument.right is not None:
        parts += [f"{instrument.strike.normalize():f}", instrument.right.value]
    return InstrumentKey(":".join(parts))


def index(symbol: str, exchange: str = "CBOE") -> Instrument:
    """Return an index, for example ``index("RVX")``."""
    return Instrument(kind=Kind.INDEX, symbol=symbol, trading_class=symbol, exchange=exchange)


SPX = index("SPX")
RUT = index("RUT", "RUSSELL")
VIX = index("VIX")
RVX = index("RVX")
AD_NYSE = index("AD-NYSE", "NYSE")
"""Breadth of the New York exchange: it has no level, but advancing issues as bid and declining ones as ask."""


def share(symbol: str, exchange: str) -> Instrument:
    """Return a share or fund of the United States on its listing exchange, for example ``share("IWM", "ARCA")``."""
    return Instrument(kind=Kind.STOCK, symbol=symbol, trading_class=symbol, exchange=exchange)


def vix_future(trading_class: str, settlement: date, multiplier: int = 1000) -> Instrument:
    """Return the VX or VXM future of a settlement; it trades until the morning of that day."""
    return Instrument(
        kind=Kind.FUTURE,
        symbol="VIX",
        trading_class=trading_class,
        exchange="CFE",
        multiplier=multiplier,
        settlement=settlement,
        last_trade=settlement,
    )


SPY = share("SPY", "ARCA")
IWM = share("IWM", "ARCA")
VXX = share("VXX", "BATS")
"""Long the front of the VIX futures curve."""
