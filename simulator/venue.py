"""What the exchange and its doors say to each other: orders taken, and what happened to them."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import IntEnum, StrEnum

from bot.domain.instrument import Instrument, Side
from simulator.world.levels import Levels


class OrderType(StrEnum):
    """The order types of the exchange; the values are the broker's own words."""

    LIMIT = "LMT"
    MARKET = "MKT"
    STOP = "STP"
    STOP_LIMIT = "STP LMT"
    MIDPRICE = "MIDPRICE"
    RELATIVE = "REL"
    PEG_MID = "PEG MID"
    LIMIT_ON_CLOSE = "LOC"
    MARKET_ON_CLOSE = "MOC"
    TRAIL = "TRAIL"
    TRAIL_LIMIT = "TRAIL LIMIT"


class Tif(StrEnum):
    """How long an order works."""

    DAY = "DAY"
    GTC = "GTC"
    GTD = "GTD"
    IOC = "IOC"
    FOK = "FOK"
    OPG = "OPG"


class OcaType(IntEnum):
    """What a fill does to the other orders of its one-cancels-all group; the values are the broker's."""

    NONE = 0
    CANCEL_WITH_BLOCK = 1
    REDUCE_WITH_BLOCK = 2
    REDUCE = 3


class VenueStatus(StrEnum):
    """An order's standing at the exchange; the values are the broker's own words."""

    PRE_SUBMITTED = "PreSubmitted"  # waits for its parent, its trigger, its condition, its hour or an auction
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
class PriceCondition:
    """True when a contract's last (or mid) is at or beyond a price in points."""

    instrument: Instrument
    is_more: bool
    price: Decimal
    joins_by_and: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeCondition:
    """True from (``is_more``) or until a moment, aware UTC."""

    is_more: bool
    at: datetime
    joins_by_and: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class MarginCondition:
    """True when the cushion (excess liquidity over net liquidation) is at or beyond a percentage."""

    is_more: bool
    percent: int
    joins_by_and: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionCondition:
    """True once any contract of a symbol and security type has traded in the account."""

    symbol: str
    sec_type: str
    joins_by_and: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeCondition:
    """True when a contract's volume of the day is at or beyond a number of contracts."""

    instrument: Instrument
    is_more: bool
    volume: int
    joins_by_and: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeCondition:
    """True when a contract stands at or beyond a change from its previous close, in percent."""

    instrument: Instrument
    is_more: bool
    percent: Decimal
    joins_by_and: bool = True


Condition = PriceCondition | TimeCondition | MarginCondition | ExecutionCondition | VolumeCondition | ChangeCondition
"""``joins_by_and`` joins a condition to the one after it: and, else or; ``and`` binds tighter than ``or``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueOrder:
    """An order as a client placed it; prices in points as on the wire (a combo's limit may be negative).

    ``quantity`` counts units: contracts, shares, combos, or units of the base currency. ``legs`` has one leg with side
    BUY for a single contract.
    """

    client_id: int
    order_id: int
    order_ref: str
    account: str
    side: Side
    legs: tuple[VenueLeg, ...]
    quantity: int
    order_type: OrderType
    limit: Decimal | None
    tif: Tif = Tif.DAY
    exchange: str = "SMART"
    auxiliary: Decimal | None = None  # stop price (STP, STP LMT), offset (REL, PEG MID), trailing amount (TRAIL)
    trail_stop: Decimal | None = None  # TRAIL: the first stop price
    trail_pct: Decimal | None = None  # TRAIL: the trailing amount in percent of the price
    limit_offset: Decimal | None = None  # TRAIL LIMIT: limit = stop less (sale) or plus (purchase) this
    cap: Decimal | None = None  # MIDPRICE, REL: the worst price
    good_till: datetime | None = None  # GTD, aware UTC
    good_after: datetime | None = None
    outside_rth: bool = False
    all_or_none: bool = False
    min_quantity: int = 0
    display_quantity: int = 0  # 0: all of it
    oca_group: str = ""
    oca_type: OcaType = OcaType.NONE
    parent_id: int = 0  # order id of the same client, 0: none
    transmit: bool = True
    leg_prices: tuple[Decimal | None, ...] = ()  # per leg, empty: none given
    non_guaranteed: bool = False  # legs of a combo may fill without each other
    algo: str = ""  # Adaptive, Vwap, Twap, ...
    algo_params: tuple[tuple[str, str], ...] = ()
    conditions: tuple[Condition, ...] = ()
    conditions_cancel: bool = False  # true conditions cancel the order instead of releasing it
    conditions_outside_rth: bool = False
    overrides_constraints: bool = False  # overridePercentageConstraints: waives the price band, not the tick

    @property
    def is_combo(self) -> bool:
        """More than one leg."""
        return len(self.legs) > 1


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderChanged:
    """An order's standing after a step; sent on acceptance, every fill, cancellation and rejection.

    ``code`` and ``reason`` of a rejection, or of a refused change of an order that goes on as it was. ``warning`` is a
    notice (code, text) beside an order that lives, for example 399. ``order`` carries prices as they stand now, also
    where the exchange moved them (a trailing stop, a cap).
    """

    order: VenueOrder
    perm_id: int
    status: VenueStatus
    filled: int
    average_price: Decimal  # net points per unit over the fills so far, 0 without any
    last_price: Decimal
    reason: str = ""
    code: int = 0  # the broker's number for the reason, 0 without one
    why_held: str = ""  # "child", "trigger", "locate", empty
    cap_price: Decimal | None = None  # the price at which the exchange holds a capped order
    warning: tuple[int, str] | None = None


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
    """Cash and values of the account after something moved, in USD; the gross value leaves futures out."""

    account: str
    net_liquidation_usd: Decimal
    cash_usd: Decimal
    init_margin_usd: Decimal
    maint_margin_usd: Decimal
    gross_position_usd: Decimal

    @property
    def excess_liquidity_usd(self) -> Decimal:
        """What net liquidation leaves above the maintenance margin."""
        return self.net_liquidation_usd - self.maint_margin_usd


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


@dataclass(frozen=True, slots=True, kw_only=True)
class StepPlayed:
    """The floor moved to a moment (aware UTC); told last in every step, after quotes and fills.

    ``levels`` are the indices of the step, from which the quotes are made; ``is_halted`` says that nothing trades.
    """

    at: datetime
    levels: Levels
    is_halted: bool = False


VenueEvent = OrderChanged | Executed | Charged | PositionChanged | AccountChanged | CancelRefused


class Phase(StrEnum):
    """Whether a contract trades at a moment."""

    CLOSED = "closed"
    EXTENDED = "extended"  # outside regular hours: global hours, before and after the market
    REGULAR = "regular"
    HALTED = "halted"  # within trading hours, but nothing trades


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueQuote:
    """The two sides of a contract (or an index's level in ``last``) at the exchange, in points and contracts.

    The greeks are the model's: delta and gamma per point of the underlying, vega per volatility point, theta per day,
    all per unit of the multiplier.
    """

    instrument: Instrument
    at: datetime
    bid: Decimal | None = None
    ask: Decimal | None = None
    bid_size: int = 0
    ask_size: int = 0
    last: float | None = None
    last_size: int = 0
    open: float | None = None  # of the present session, as high, low and volume
    high: float | None = None
    low: float | None = None
    volume: int = 0
    close: float | None = None  # the previous session's close
    open_interest: int | None = None  # of options and futures
    is_halted: bool = False
    model_iv: float | None = None  # options: volatility, a fraction per year
    model_delta: float | None = None
    model_gamma: float | None = None
    model_vega: float | None = None
    model_theta: float | None = None
    model_price: float | None = None
    underlying_price: float | None = None
    historical_vol: float | None = None  # of an underlying: 30 sessions, a fraction per year
    implied_vol: float | None = None  # of an underlying: of its 30-day options, a fraction per year


class PriceKind(StrEnum):
    """What a bar or a past tick is made of; the values are the broker's words."""

    TRADES = "TRADES"
    MIDPOINT = "MIDPOINT"
    BID = "BID"
    ASK = "ASK"
    BID_ASK = "BID_ASK"
    ADJUSTED_LAST = "ADJUSTED_LAST"
    HISTORICAL_VOLATILITY = "HISTORICAL_VOLATILITY"
    OPTION_IMPLIED_VOLATILITY = "OPTION_IMPLIED_VOLATILITY"


class SpanUnit(StrEnum):
    """The unit of a bar's size or of a request's reach; days and longer follow sessions and the calendar."""

    SECOND = "S"
    DAY = "D"
    WEEK = "W"
    MONTH = "M"
    YEAR = "Y"


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A length of time as the broker counts it: ``count`` of a unit."""

    count: int
    unit: SpanUnit


@dataclass(frozen=True, slots=True, kw_only=True)
class BarRequest:
    """Which bars: of what, how wide, how far back from ``end`` (aware UTC)."""

    what: PriceKind
    width: Span
    reach: Span
    end: datetime
    regular_only: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """Prices of one span, in points; ``at`` is its beginning (aware UTC), ``day`` its session (YYYYMMDD).

    For BID_ASK open is the average bid, close the average ask, high the highest ask, low the lowest bid.
    """

    at: datetime
    day: str
    open: float
    high: float
    low: float
    close: float
    volume: int = 0
    average: float = 0.0
    count: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PastQuote:
    """One past tick; a trade has ``last`` and ``last_size``, a quote its sides, a midpoint ``last`` alone."""

    at: datetime
    bid: float | None = None
    ask: float | None = None
    bid_size: int = 0
    ask_size: int = 0
    last: float | None = None
    last_size: int = 0
    exchange: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DepthRow:
    """One price of a book: points, contracts, and whose."""

    price: float
    size: int
    maker: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Depth:
    """A book, best price first on each side; the best rows are the present quote."""

    bids: tuple[DepthRow, ...]
    asks: tuple[DepthRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TradingHours:
    """One stretch of trading of a contract, aware UTC, belonging to the session ``day`` (YYYYMMDD)."""

    day: str
    opens_at: datetime
    closes_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfitAndLoss:
    """Profit in USD: of the day against the last session's close, open, and realised today.

    For a single position also its quantity and its worth.
    """

    daily_usd: Decimal
    unrealized_usd: Decimal
    realized_usd: Decimal
    quantity: int = 0
    worth_usd: Decimal = Decimal(0)
