"""What a client asks, each message once: a frozen class whose fields stand in the order of the wire.

`REQUESTS` is the table from message id to class; orders have their own module. A field with a default may be absent at
the end of a message. Source: docs/ib/wire.md, section 3.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Annotated, Any, ClassVar, Final

from simulator.listing import ContractQuery
from simulator.tws.fields import BadFieldError, Cursor
from simulator.tws.framing import text_of
from simulator.tws.layout import Counted, Flagged, Gate, Head, Record, Texts, When

MOST_LEGS: Final = 32
"""More legs than any exchange takes; it bounds what a wrong count can ask for."""


@dataclass(frozen=True, slots=True)
class ContractCodec:
    """The twelve contract fields, conId to tradingClass."""

    def read(self, cursor: Cursor, name: str, version: int) -> ContractQuery:  # noqa: ARG002 - the same in every version
        """Return what the client says of a contract."""
        return ContractQuery(
            con_id=cursor.integer("conId"),
            symbol=cursor.text("symbol"),
            sec_type=cursor.text("secType"),
            expiry=cursor.text("lastTradeDateOrContractMonth")[:8],
            strike=cursor.real("strike"),
            right=right_of(cursor.text("right")),
            multiplier=cursor.text("multiplier"),
            exchange=cursor.text("exchange"),
            primary_exchange=cursor.text("primaryExchange"),
            currency=cursor.text("currency"),
            local_symbol=cursor.text("localSymbol"),
            trading_class=cursor.text("tradingClass"),
        )

    def write(self, value: ContractQuery, texts: list[str], version: int) -> None:  # noqa: ARG002 - the same in every version
        """Append the twelve fields."""
        texts += [str(value.con_id), value.symbol, value.sec_type, value.expiry, text_of(value.strike), value.right]
        texts += [value.multiplier, value.exchange, value.primary_exchange, value.currency]
        texts += [value.local_symbol, value.trading_class]


def right_of(text: str) -> str:
    """Return C, P or nothing; ``?`` and ``0`` mean none.

    Raises:
        BadFieldError: Anything else.
    """
    first = text[:1].upper()
    if first in {"C", "P"}:
        return first
    if first in {"", "?", "0"}:
        return ""
    raise BadFieldError(f"right: expected C, P or nothing, found {text[:40]!r}")


def is_combo(values: Mapping[str, Any]) -> bool:
    """Return whether the contract read so far is a combo, whose legs follow."""
    query: ContractQuery = values["contract"]
    return query.sec_type == "BAG"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShortLeg:
    """A leg of a combo outside orders."""

    con_id: int
    ratio: int
    action: str
    exchange: str


Contract = Annotated[ContractQuery, ContractCodec()]
ShortLegs = Annotated[tuple[ShortLeg, ...], Counted(Record(ShortLeg), most=MOST_LEGS), When(is_combo)]

DeltaNeutral = Annotated[tuple[str, ...], Flagged(Texts(("conId", "delta", "price")))]


def contract_of(contract: ContractQuery, legs: tuple[ShortLeg, ...]) -> ContractQuery:
    """Return a contract with its legs."""
    return replace(contract, legs=tuple((leg.con_id, leg.ratio, leg.action, leg.exchange) for leg in legs))


@dataclass(frozen=True, slots=True, kw_only=True)
class StartApi:
    """71: the client names itself."""

    HEAD: ClassVar = Head(71, 2)
    client_id: int
    capabilities: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqIds:
    """8: the next order id, please."""

    HEAD: ClassVar = Head(8, 1)
    count: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqCurrentTime:
    """49: the time."""

    HEAD: ClassVar = Head(49, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqPositions:
    """61: all positions, and every change from now on."""

    HEAD: ClassVar = Head(61, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelPositions:
    """64: no more changes of positions."""

    HEAD: ClassVar = Head(64, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqOpenOrders:
    """5: the working orders of this client id."""

    HEAD: ClassVar = Head(5, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqAllOpenOrders:
    """16: the working orders of everybody."""

    HEAD: ClassVar = Head(16, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqAutoOpenOrders:
    """15: bind manual orders to this client."""

    HEAD: ClassVar = Head(15, 1)
    auto_bind: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqCompletedOrders:
    """99: today's orders that are done."""

    HEAD: ClassVar = Head(99)
    api_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqManagedAccounts:
    """17: the accounts."""

    HEAD: ClassVar = Head(17, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class SetServerLogLevel:
    """14: without effect."""

    HEAD: ClassVar = Head(14, 1)
    level: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqAccountUpdates:
    """6: account values and positions with their worth, on or off."""

    HEAD: ClassVar = Head(6, 2)
    subscribe: bool
    account: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqAccountUpdatesMulti:
    """76: account values under a request id."""

    HEAD: ClassVar = Head(76, 1)
    req_id: int
    account: str = ""
    model: str = ""
    ledger_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelAccountUpdatesMulti:
    """77: no more values under this id."""

    HEAD: ClassVar = Head(77, 1)
    req_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqPositionsMulti:
    """74: positions under a request id."""

    HEAD: ClassVar = Head(74, 1)
    req_id: int
    account: str = ""
    model: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelPositionsMulti:
    """75: no more positions under this id."""

    HEAD: ClassVar = Head(75, 1)
    req_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqAccountSummary:
    """62: chosen values, by name."""

    HEAD: ClassVar = Head(62, 1)
    req_id: int
    group: str
    tags: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelAccountSummary:
    """63: no more values under this id."""

    HEAD: ClassVar = Head(63, 1)
    req_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqProfit:
    """92: the account's profit, until cancelled."""

    HEAD: ClassVar = Head(92)
    req_id: int
    account: str = ""
    model: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelProfit:
    """93: no more profit under this id."""

    HEAD: ClassVar = Head(93)
    req_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqPositionProfit:
    """94: one position's profit, until cancelled."""

    HEAD: ClassVar = Head(94)
    req_id: int
    account: str
    model: str
    con_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelPositionProfit:
    """95: no more profit of a position under this id."""

    HEAD: ClassVar = Head(95)
    req_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqExecutions:
    """7: today's executions that fit the filter; empty fields and client 0 mean any."""

    HEAD: ClassVar = Head(7, 3)
    req_id: int
    client_id: int = 0
    account: str = ""
    time: str = ""
    symbol: str = ""
    sec_type: str = ""
    exchange: str = ""
    side: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelOrder:
    """4: cancel one order of this client."""

    HEAD: ClassVar = Head(4, 1)
    order_id: int
    manual_time: Annotated[str, Gate(since=169)] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GlobalCancel:
    """58: cancel everything, of all clients."""

    HEAD: ClassVar = Head(58, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqContractDetails:
    """9: everything about the contracts that fit."""

    HEAD: ClassVar = Head(9, 8)
    req_id: int
    contract: Contract
    include_expired: bool = False
    sec_id_type: str = ""
    sec_id: str = ""
    issuer_id: Annotated[str, Gate(since=176)] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqOptionParameters:
    """78: an underlying's option chain."""

    HEAD: ClassVar = Head(78)
    req_id: int
    symbol: str
    fut_fop_exchange: str
    sec_type: str
    con_id: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqMatchingSymbols:
    """81: contracts whose symbol or name holds a pattern."""

    HEAD: ClassVar = Head(81)
    req_id: int
    pattern: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqMarketRule:
    """91: the increments of a rule."""

    HEAD: ClassVar = Head(91)
    rule_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqMarketDataType:
    """59: 1 live, 2 frozen, 3 delayed, 4 delayed and frozen."""

    HEAD: ClassVar = Head(59, 1)
    data_type: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqMarketData:
    """1: ticks of a contract until cancelled, or one snapshot."""

    HEAD: ClassVar = Head(1, 11)
    req_id: int
    contract: Contract
    legs: ShortLegs = ()
    delta_neutral: DeltaNeutral = ()
    generic_ticks: str
    snapshot: bool
    regulatory: bool = False
    options: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelMarketData:
    """2: no more ticks."""

    HEAD: ClassVar = Head(2, 2)
    req_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqTickByTick:
    """97: every tick of one kind."""

    HEAD: ClassVar = Head(97)
    req_id: int
    contract: Contract
    kind: str
    count: int = 0
    ignore_size: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelTickByTick:
    """98: no more ticks of one kind."""

    HEAD: ClassVar = Head(98)
    req_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqRealTimeBars:
    """50: a bar every five seconds."""

    HEAD: ClassVar = Head(50, 3)
    req_id: int
    contract: Contract
    width_s: int
    what: str
    regular_hours: bool = False
    options: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelRealTimeBars:
    """51: no more bars."""

    HEAD: ClassVar = Head(51, 1)
    req_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqDepth:
    """10: the book."""

    HEAD: ClassVar = Head(10, 5)
    req_id: int
    contract: Contract
    rows: int
    is_smart: bool = False
    options: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelDepth:
    """11: no more of the book."""

    HEAD: ClassVar = Head(11, 1)
    req_id: int
    is_smart: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqHistoricalData:
    """20: bars."""

    HEAD: ClassVar = Head(20)
    req_id: int
    contract: Contract
    include_expired: bool
    end: str
    bar_size: str
    duration: str
    regular_hours: bool
    what: str
    format_date: int
    legs: ShortLegs = ()
    keep_up_to_date: bool = False
    options: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelHistoricalData:
    """25: no more bars."""

    HEAD: ClassVar = Head(25, 1)
    req_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqHeadTimestamp:
    """87: when the oldest bar begins."""

    HEAD: ClassVar = Head(87)
    req_id: int
    contract: Contract
    include_expired: bool
    regular_hours: bool
    what: str
    format_date: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelHeadTimestamp:
    """90: no answer is wanted any more."""

    HEAD: ClassVar = Head(90)
    req_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqHistoricalTicks:
    """96: past ticks."""

    HEAD: ClassVar = Head(96)
    req_id: int
    contract: Contract
    include_expired: bool
    start: str
    end: str
    count: int
    what: str
    regular_hours: bool
    ignore_size: bool = False
    options: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CalcImpliedVol:
    """54: the volatility behind an option's price; some clients leave out the number of options."""

    HEAD: ClassVar = Head(54, 3)
    req_id: int
    contract: Contract
    price: float
    underlying: float
    option_count: str = ""
    options: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CalcOptionPrice:
    """55: an option's price at a volatility."""

    HEAD: ClassVar = Head(55, 3)
    req_id: int
    contract: Contract
    volatility: float
    underlying: float
    option_count: str = ""
    options: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelCalcImpliedVol:
    """56: no answer is wanted any more."""

    HEAD: ClassVar = Head(56, 1)
    req_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelCalcOptionPrice:
    """57: no answer is wanted any more."""

    HEAD: ClassVar = Head(57, 1)
    req_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqSoftDollarTiers:
    """79: the account's soft dollar tiers."""

    HEAD: ClassVar = Head(79)
    req_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqFamilyCodes:
    """80: the account's family."""

    HEAD: ClassVar = Head(80)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqDepthExchanges:
    """82: who shows a book."""

    HEAD: ClassVar = Head(82)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqNewsProviders:
    """85: who sells news."""

    HEAD: ClassVar = Head(85)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqUserInfo:
    """104: the user's branding."""

    HEAD: ClassVar = Head(104)
    req_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqScannerParameters:
    """24: what scanners could look for."""

    HEAD: ClassVar = Head(24, 1)


REQUESTS: Final[Mapping[int, type[Any]]] = {
    each.HEAD.number: each
    for each in (
        ReqMarketData,
        CancelMarketData,
        CancelOrder,
        ReqOpenOrders,
        ReqAccountUpdates,
        ReqExecutions,
        ReqIds,
        ReqContractDetails,
        ReqDepth,
        CancelDepth,
        SetServerLogLevel,
        ReqAutoOpenOrders,
        ReqAllOpenOrders,
        ReqManagedAccounts,
        ReqHistoricalData,
        ReqScannerParameters,
        CancelHistoricalData,
        ReqCurrentTime,
        ReqRealTimeBars,
        CancelRealTimeBars,
        CalcImpliedVol,
        CalcOptionPrice,
        CancelCalcImpliedVol,
        CancelCalcOptionPrice,
        GlobalCancel,
        ReqMarketDataType,
        ReqPositions,
        ReqAccountSummary,
        CancelAccountSummary,
        CancelPositions,
        StartApi,
        ReqPositionsMulti,
        CancelPositionsMulti,
        ReqAccountUpdatesMulti,
        CancelAccountUpdatesMulti,
        ReqOptionParameters,
        ReqSoftDollarTiers,
        ReqFamilyCodes,
        ReqMatchingSymbols,
        ReqDepthExchanges,
        ReqNewsProviders,
        ReqHeadTimestamp,
        CancelHeadTimestamp,
        ReqMarketRule,
        ReqProfit,
        CancelProfit,
        ReqPositionProfit,
        CancelPositionProfit,
        ReqHistoricalTicks,
        ReqTickByTick,
        CancelTickByTick,
        ReqCompletedOrders,
        ReqUserInfo,
    )
}
"""By message id; `simulator.tws.order_in` reads 3."""

UNSERVED: Final[Mapping[int, tuple[str, int | None]]] = {
    12: ("news bulletins", None),
    13: ("news bulletins", None),
    18: ("financial advisor settings", None),
    19: ("financial advisor settings", None),
    21: ("exercise of options", 2),
    22: ("market scanners", 1),
    23: ("market scanners", 2),
    52: ("fundamental data", 2),
    53: ("fundamental data", 2),
    65: ("verification", None),
    66: ("verification", None),
    67: ("display groups", 2),
    68: ("display groups", 2),
    69: ("display groups", 2),
    70: ("display groups", 2),
    72: ("verification", None),
    73: ("verification", None),
    83: ("smart components", 1),
    84: ("news articles", 1),
    86: ("historical news", 1),
    88: ("histograms", 1),
    89: ("histograms", 1),
    100: ("calendar events", 1),
    101: ("calendar events", 1),
    102: ("calendar events", 1),
    103: ("calendar events", 1),
}
"""Known and not served: the words for the refusal, and where the message carries its request id."""
_NEVER_AN_ID: Final = -1
_PLACE_ORDER: Final = 3
_IDS: Final = frozenset({"req_id", "order_id"})


def id_of(number: int, texts: Sequence[str]) -> int:
    """Return the id to which an error about a message belongs, -1 when it carries none that can be read."""
    position = _id_position(number)
    if position is None or position >= len(texts):
        return _NEVER_AN_ID
    try:
        return Cursor(texts, position).integer("id")
    except BadFieldError:
        return _NEVER_AN_ID


def _id_position(number: int) -> int | None:
    """Return which field of a message is its id: the first one behind the number and the version, where it is one."""
    if number == _PLACE_ORDER:
        return 1
    if number in UNSERVED:
        return UNSERVED[number][1]
    kind = REQUESTS.get(number)
    names = [] if kind is None else [each.name for each in fields(kind)]
    if kind is None or not names or names[0] not in _IDS:
        return None
    head: Head = kind.HEAD
    return 1 if head.version is None else 2
