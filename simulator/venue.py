"""What the exchange and its doors say to each other: orders taken, and what happened to them."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from bot.domain.instrument import Instrument, Side


class OrderType(StrEnum):
    """The order types of this version."""

    LIMIT = "LMT"
    MARKET = "MKT"


class VenueStatus(StrEnum):
    """An order's standing at the exchange; the values are the broker's own words."""

    SUBMITTED = "Submitted"
    FILLED = "Filled"
    CANCELLED = "Cancelled"
    REJECTED = "Inactive"


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueLeg:
    """One contract of an order, ``ratio`` contracts per unit; ``side`` as in a BUY of the combo."""

    instrument: Instrument
    side: Side
    ratio: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueOrder:
    """An order as a client placed it; ``limit`` in points as on the wire (a combo's may be negative)."""

    client_id: int
    order_id: int
    order_ref: str
    account: str
    side: Side
    legs: tuple[VenueLeg, ...]
    quantity: int
    order_type: OrderType
    limit: Decimal | None
    tif: str = "DAY"

    @property
    def is_combo(self) -> bool:
        """More than one leg."""
        return len(self.legs) > 1


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderChanged:
    """An order's standing after a step; sent on acceptance, every fill, cancellation and rejection."""

    order: VenueOrder
    perm_id: int
    status: VenueStatus
    filled: int
    average_price: Decimal  # net points per unit over the fills so far, 0 without any
    last_price: Decimal
    reason: str = ""  # of a rejection, or of a refused change of an order that goes on as it was
    code: int = 0  # the broker's number for the reason, 0 without one


@dataclass(frozen=True, slots=True, kw_only=True)
class Executed:
    """One execution: the net of a combo (``instrument`` None), one of its legs, or a single-leg fill."""

    order: VenueOrder
    perm_id: int
    exec_id: str
    instrument: Instrument | None
    is_leg: bool
    side: Side
    quantity: int
    price: Decimal
    cumulative: int  # of the order (or of the leg), in units (or contracts)
    average_price: Decimal
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Charged:
    """The commission of one execution, in USD, positive paid; its realised profit where a position was closed."""

    exec_id: str
    commission_usd: Decimal
    realized_usd: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionChanged:
    """A position after a fill; ``average_cost_usd`` per contract, multiplier and commission included."""

    account: str
    instrument: Instrument
    quantity: int
    average_cost_usd: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountChanged:
    """Cash and values of the account after something moved, in USD."""

    account: str
    net_liquidation_usd: Decimal
    cash_usd: Decimal
    init_margin_usd: Decimal
    maint_margin_usd: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelRefused:
    """A cancel that could not be carried out: unknown id (135) or no longer working (161)."""

    client_id: int
    order_id: int
    code: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What an order would do to the account; ``reason`` and ``code`` tell why it would be refused."""

    before: AccountChanged
    after: AccountChanged
    commission_usd: Decimal
    reason: str = ""
    code: int = 0


VenueEvent = OrderChanged | Executed | Charged | PositionChanged | AccountChanged | CancelRefused


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueQuote:
    """The two sides of a contract (or an index's level in ``last``) at the exchange, in points and contracts."""

    instrument: Instrument
    at: datetime
    bid: Decimal | None = None
    ask: Decimal | None = None
    bid_size: int = 0
    ask_size: int = 0
    last: float | None = None
    close: float | None = None  # the previous session's close
    model_iv: float | None = None  # options: volatility, a fraction per year
    model_delta: float | None = None
    model_price: float | None = None
    underlying_price: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DailyBar:
    """One session of one instrument, in points."""

    day: str  # YYYYMMDD
    open: float
    high: float
    low: float
    close: float
