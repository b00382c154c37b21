"""What the gateway tells, each message once: a frozen class whose fields stand in the order of the wire.

Prices are points, sizes contracts or shares, money USD. Orders have plans of their own, in
`simulator.tws.order_fields`, and ticks of a stream are written from prepared pieces, in `simulator.tws.ticks`.
Source: docs/ib/wire.md, section 4.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Final

from simulator.tws.layout import Gate, Head, Size, Unset, When


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A tag and its value."""

    tag: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractText:
    """The eleven contract fields of orders, executions and positions, without a primary exchange."""

    con_id: int
    symbol: str
    sec_type: str
    expiry: str = ""
    strike: float = 0.0
    right: str = "?"
    multiplier: str = ""
    exchange: str = ""
    currency: str = ""
    local_symbol: str = ""
    trading_class: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BarRow:
    """One bar; its date in the form that was asked for."""

    at: str
    open: float
    high: float
    low: float
    close: float
    volume: Size
    average: float
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleRow:
    """One session."""

    start: str
    end: str
    day: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PastMidpoint:
    """One midpoint, in seconds since the epoch."""

    at: int
    unused: int = 0
    price: float
    size: Size = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PastSide:
    """One quote; mask bit 1: ask above the high, bit 2: bid below the low."""

    at: int
    mask: int = 0
    bid: float
    ask: float
    bid_size: Size
    ask_size: Size


@dataclass(frozen=True, slots=True, kw_only=True)
class PastTrade:
    """One trade."""

    at: int
    mask: int = 0
    price: float
    size: Size
    exchange: str
    conditions: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SymbolRow:
    """One contract."""

    con_id: int
    symbol: str
    sec_type: str
    primary_exchange: str
    currency: str
    derivatives: tuple[str, ...]
    description: Annotated[str, Gate(since=176)] = ""
    issuer_id: Annotated[str, Gate(since=176)] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleRow:
    """From a price on, an increment."""

    low_edge: Decimal
    increment: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class TierRow:
    """One tier."""

    name: str
    value: str
    display_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FamilyRow:
    """One account."""

    account: str
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DepthExchange:
    """One exchange."""

    exchange: str
    sec_type: str
    listing: str
    service: str
    group: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderRow:
    """One provider."""

    code: str
    name: str


def _is_trade(values: Mapping[str, Any]) -> bool:
    return values["kind"] in {1, 2}


def _is_quote(values: Mapping[str, Any]) -> bool:
    return bool(values["kind"] == 3)


def _is_midpoint(values: Mapping[str, Any]) -> bool:
    return bool(values["kind"] == 4)


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagedAccounts:
    """15: the accounts, comma separated."""

    HEAD: ClassVar = Head(15, 1)
    accounts: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NextValidId:
    """9: an order id above every used one."""

    HEAD: ClassVar = Head(9, 1)
    order_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorText:
    """4: an error or a notice; -1 for the connection, a request's or an order's own id otherwise."""

    HEAD: ClassVar = Head(4, 2)
    req_id: int
    code: int
    text: str
    advanced: Annotated[str, Gate(since=166)] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrentTime:
    """49: the floor's clock in seconds since the epoch."""

    HEAD: ClassVar = Head(49, 1)
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenOrderEnd:
    """53: no more open orders."""

    HEAD: ClassVar = Head(53, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountDownloadEnd:
    """54: the account is complete."""

    HEAD: ClassVar = Head(54, 1)
    account: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionsEnd:
    """55: no more executions and commissions."""

    HEAD: ClassVar = Head(55, 1)
    req_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractDetailsEnd:
    """52: no more contracts."""

    HEAD: ClassVar = Head(52, 1)
    req_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionsEnd:
    """62: no more positions."""

    HEAD: ClassVar = Head(62, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountSummaryEnd:
    """64: no more values."""

    HEAD: ClassVar = Head(64, 1)
    req_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionsMultiEnd:
    """72: no more positions."""

    HEAD: ClassVar = Head(72, 1)
    req_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountUpdatesMultiEnd:
    """74: no more values."""

    HEAD: ClassVar = Head(74, 1)
    req_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionParametersEnd:
    """76: no more rows of the chain."""

    HEAD: ClassVar = Head(76)
    req_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CompletedOrdersEnd:
    """102: no more completed orders."""

    HEAD: ClassVar = Head(102)


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotEnd:
    """57: the snapshot is complete."""

    HEAD: ClassVar = Head(57, 1)
    req_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountValue:
    """6: one value of the account."""

    HEAD: ClassVar = Head(6, 2)
    key: str
    value: str
    currency: str
    account: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountTime:
    """8: when the values were told, HH:MM."""

    HEAD: ClassVar = Head(8, 1)
    at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SummaryValue:
    """63: one value of a summary."""

    HEAD: ClassVar = Head(63, 1)
    req_id: int
    account: str
    tag: str
    value: str
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MultiValue:
    """73: one value of the account under a request id."""

    HEAD: ClassVar = Head(73, 1)
    req_id: int
    account: str
    model: str
    key: str
    value: str
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Portfolio:
    """7: a position and its worth."""

    HEAD: ClassVar = Head(7, 8)
    con_id: int
    symbol: str
    sec_type: str
    expiry: str
    strike: float
    right: str
    multiplier: str
    primary_exchange: str
    currency: str
    local_symbol: str
    trading_class: str
    quantity: float
    price: Decimal
    worth: Decimal
    average_cost: Decimal
    unrealized: Decimal
    realized: Decimal
    account: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """61: a position; its exchange stays empty."""

    HEAD: ClassVar = Head(61, 3)
    account: str
    contract: ContractText
    quantity: float
    average_cost: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionMulti:
    """71: a position under a request id."""

    HEAD: ClassVar = Head(71, 1)
    req_id: int
    account: str
    contract: ContractText
    quantity: float
    average_cost: Decimal
    model: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profit:
    """94: the account's profit: of the day, open, realised today."""

    HEAD: ClassVar = Head(94)
    req_id: int
    daily: Decimal
    unrealized: Decimal
    realized: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionProfit:
    """95: a position's size, profit and worth."""

    HEAD: ClassVar = Head(95)
    req_id: int
    quantity: Size
    daily: Decimal
    unrealized: Decimal
    realized: Decimal
    worth: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderStatus:
    """3: where an order stands."""

    HEAD: ClassVar = Head(3)
    order_id: int
    status: str
    filled: float
    remaining: float
    average_price: Decimal
    perm_id: int
    parent_id: int
    last_price: Decimal
    client_id: int
    why_held: str = ""
    cap_price: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """11: an execution; the request's id, -1 for what happens now; side BOT or SLD."""

    HEAD: ClassVar = Head(11)
    req_id: int
    order_id: int
    contract: ContractText
    exec_id: str
    at: str
    account: str
    exchange: str
    side: str
    quantity: float
    price: Decimal
    perm_id: int
    client_id: int
    liquidation: int
    cumulative: float
    average_price: Decimal
    order_ref: str
    ev_rule: str = ""
    ev_multiplier: Decimal | None = None
    model: str = ""
    liquidity: int = 2
    price_revision: Annotated[bool, Gate(since=178)] = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Commission:
    """59: what an execution cost, and its realised profit, unset where nothing was closed."""

    HEAD: ClassVar = Head(59, 1)
    exec_id: str
    commission: Decimal
    currency: str
    realized: Unset
    bond_yield: Decimal | None = None
    yield_redemption: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderBound:
    """100: a manual order's new number."""

    HEAD: ClassVar = Head(100)
    perm_id: int
    client_id: int
    order_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketDataType:
    """58: 1 live, 2 frozen, 3 delayed, 4 delayed and frozen."""

    HEAD: ClassVar = Head(58, 1)
    req_id: int
    kind: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TickParameters:
    """81: the increment of a contract's price."""

    HEAD: ClassVar = Head(81)
    req_id: int
    min_tick: Decimal
    bbo_exchange: str
    permissions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TickPrice:
    """1: a price with its size."""

    HEAD: ClassVar = Head(1, 6)
    req_id: int
    kind: int
    price: float
    size: Size
    mask: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TickSize:
    """2: a size."""

    HEAD: ClassVar = Head(2, 6)
    req_id: int
    kind: int
    size: Size


@dataclass(frozen=True, slots=True, kw_only=True)
class TickGeneric:
    """45: a number."""

    HEAD: ClassVar = Head(45, 6)
    req_id: int
    kind: int
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TickString:
    """46: a text."""

    HEAD: ClassVar = Head(46, 6)
    req_id: int
    kind: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TickOption:
    """21: volatility, price and greeks; -1 and -2 stand for what is not computed."""

    HEAD: ClassVar = Head(21)
    req_id: int
    kind: int
    price_based: int
    vol: float
    delta: float
    price: float
    dividends: float
    gamma: float
    vega: float
    theta: float
    underlying: float


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoricalBars:
    """17: all bars of a request."""

    HEAD: ClassVar = Head(17)
    req_id: int
    start: str
    end: str
    bars: tuple[BarRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoricalBarUpdate:
    """90: the newest bar as it stands now."""

    HEAD: ClassVar = Head(90)
    req_id: int
    count: int
    at: str
    open: float
    close: float
    high: float
    low: float
    average: float
    volume: Size


@dataclass(frozen=True, slots=True, kw_only=True)
class RealTimeBar:
    """50: a bar of five seconds, its beginning in seconds since the epoch."""

    HEAD: ClassVar = Head(50, 3)
    req_id: int
    at: int
    open: float
    high: float
    low: float
    close: float
    volume: Size
    average: float
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """106: the sessions of a contract in a zone's time."""

    HEAD: ClassVar = Head(106)
    req_id: int
    start: str
    end: str
    zone: str
    sessions: tuple[ScheduleRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadTimestamp:
    """88: when the oldest bar begins."""

    HEAD: ClassVar = Head(88)
    req_id: int
    at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PastMidpoints:
    """96: past midpoints."""

    HEAD: ClassVar = Head(96)
    req_id: int
    ticks: tuple[PastMidpoint, ...]
    done: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PastSides:
    """97: past quotes."""

    HEAD: ClassVar = Head(97)
    req_id: int
    ticks: tuple[PastSide, ...]
    done: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PastTrades:
    """98: past trades."""

    HEAD: ClassVar = Head(98)
    req_id: int
    ticks: tuple[PastTrade, ...]
    done: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TickByTick:
    """99: one tick: 1 and 2 a trade, 3 the sides, 4 the midpoint; its time in seconds since the epoch."""

    HEAD: ClassVar = Head(99)
    req_id: int
    kind: int
    at: int
    price: Annotated[float, When(_is_trade)] = 0.0
    size: Annotated[Size, When(_is_trade)] = 0
    mask: Annotated[int, When(_is_trade)] = 0
    exchange: Annotated[str, When(_is_trade)] = ""
    conditions: Annotated[str, When(_is_trade)] = ""
    bid: Annotated[float, When(_is_quote)] = 0.0
    ask: Annotated[float, When(_is_quote)] = 0.0
    bid_size: Annotated[Size, When(_is_quote)] = 0
    ask_size: Annotated[Size, When(_is_quote)] = 0
    side_mask: Annotated[int, When(_is_quote)] = 0
    midpoint: Annotated[float, When(_is_midpoint)] = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class BookRow:
    """12: a row of the book: operation 0 insert, 1 update, 2 delete; side 0 ask, 1 bid."""

    HEAD: ClassVar = Head(12, 1)
    req_id: int
    position: int
    operation: int
    side: int
    price: float
    size: Size


@dataclass(frozen=True, slots=True, kw_only=True)
class SmartBookRow:
    """13: a row of the book with who shows it."""

    HEAD: ClassVar = Head(13, 1)
    req_id: int
    position: int
    maker: str
    operation: int
    side: int
    price: float
    size: Size
    is_smart: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionRow:
    """75: a class of options on one exchange."""

    HEAD: ClassVar = Head(75)
    req_id: int
    exchange: str
    con_id: int
    trading_class: str
    multiplier: str
    expirations: tuple[str, ...]
    strikes: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SymbolSamples:
    """79: contracts that a pattern names."""

    HEAD: ClassVar = Head(79)
    req_id: int
    rows: tuple[SymbolRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketRule:
    """93: increments by price."""

    HEAD: ClassVar = Head(93)
    rule_id: int
    rows: tuple[RuleRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SoftDollarTiers:
    """77: soft dollar tiers."""

    HEAD: ClassVar = Head(77)
    req_id: int
    rows: tuple[TierRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FamilyCodes:
    """78: accounts and their family."""

    HEAD: ClassVar = Head(78)
    rows: tuple[FamilyRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DepthExchanges:
    """80: who shows a book."""

    HEAD: ClassVar = Head(80)
    rows: tuple[DepthExchange, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewsProviders:
    """85: who sells news."""

    HEAD: ClassVar = Head(85)
    rows: tuple[ProviderRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class UserInfo:
    """107: the user's branding."""

    HEAD: ClassVar = Head(107)
    req_id: int
    branding: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ScannerParameters:
    """19: what scanners could look for, as a document."""

    HEAD: ClassVar = Head(19, 1)
    document: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractDetails:
    """10: everything about a contract."""

    HEAD: ClassVar = Head(10, 8, until=164)
    req_id: int
    symbol: str
    sec_type: str
    last_trade: str
    strike: float
    right: str
    exchange: str
    currency: str
    local_symbol: str
    market_name: str
    trading_class: str
    con_id: int
    min_tick: Decimal
    lot: Annotated[int, Gate(until=164)] = 100
    multiplier: str
    order_types: str
    valid_exchanges: str
    price_magnifier: int
    under_con_id: int
    long_name: str
    primary_exchange: str
    contract_month: str
    industry: str
    category: str
    subcategory: str
    time_zone: str
    trading_hours: str
    liquid_hours: str
    ev_rule: str
    ev_multiplier: int
    sec_ids: tuple[Pair, ...]
    agg_group: int
    under_symbol: str
    under_sec_type: str
    market_rule_ids: str
    real_expiration: str
    stock_type: str
    size_at_163: Annotated[Decimal, Gate(since=163, until=164)] = Decimal(1)
    min_size: Annotated[Decimal, Gate(since=164)] = Decimal(1)
    size_increment: Annotated[Decimal, Gate(since=164)] = Decimal(1)
    suggested_size: Annotated[Decimal, Gate(since=164)] = Decimal(1)


ANSWERS: Final[Mapping[int, type[Any]]] = {
    each.HEAD.number: each
    for each in (
        TickPrice,
        TickSize,
        OrderStatus,
        ErrorText,
        AccountValue,
        Portfolio,
        AccountTime,
        NextValidId,
        ContractDetails,
        Execution,
        BookRow,
        SmartBookRow,
        ManagedAccounts,
        HistoricalBars,
        ScannerParameters,
        TickOption,
        TickGeneric,
        TickString,
        CurrentTime,
        RealTimeBar,
        ContractDetailsEnd,
        OpenOrderEnd,
        AccountDownloadEnd,
        ExecutionsEnd,
        SnapshotEnd,
        MarketDataType,
        Commission,
        Position,
        PositionsEnd,
        SummaryValue,
        AccountSummaryEnd,
        PositionMulti,
        PositionsMultiEnd,
        MultiValue,
        AccountUpdatesMultiEnd,
        OptionRow,
        OptionParametersEnd,
        SoftDollarTiers,
        FamilyCodes,
        SymbolSamples,
        DepthExchanges,
        TickParameters,
        NewsProviders,
        HeadTimestamp,
        HistoricalBarUpdate,
        MarketRule,
        Profit,
        PositionProfit,
        PastMidpoints,
        PastSides,
        PastTrades,
        TickByTick,
        OrderBound,
        CompletedOrdersEnd,
        Schedule,
        UserInfo,
    )
}
"""By message id; `simulator.tws.order_out` writes 5 and 101."""
