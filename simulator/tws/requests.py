"""What a client asks, each message once: a frozen class whose fields stand in the order of the wire.

`REQUESTS` is the table from message id to class; orders have their own module. A field with a default may be absent at
the end of a message, and one with ``since`` is read from that version on only.
Source: docs/ib/wire.md, section 3.
"""

from collections.abc import Callable
from dataclasses import MISSING, dataclass, field, fields
from typing import Any, Final

from simulator.listing import ContractQuery
from simulator.tws.fields import BadFieldError, Cursor

MOST_LEGS: Final = 32
"""More legs than any exchange takes; it bounds what a wrong count can ask for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StartApi:
    """71: the client names itself."""

    client_id: int
    capabilities: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqIds:
    """8: the next order id, please."""

    count: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqCurrentTime:
    """49."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqPositions:
    """61: all positions, and every change from now on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelPositions:
    """64."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqOpenOrders:
    """5: the working orders of this client id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqAllOpenOrders:
    """16: the working orders of everybody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqAutoOpenOrders:
    """15: bind manual orders to this client; there are none here."""

    auto_bind: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqCompletedOrders:
    """99: today's orders that are done."""

    api_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqManagedAccounts:
    """17."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetServerLogLevel:
    """14: without effect."""

    level: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqAccountUpdates:
    """6: account values and positions with their worth, on or off."""

    subscribe: bool
    account: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqAccountUpdatesMulti:
    """76."""

    req_id: int
    account: str = ""
    model: str = ""
    ledger_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelAccountUpdatesMulti:
    """77."""

    req_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqAccountSummary:
    """62: chosen values, by name."""

    req_id: int
    group: str
    tags: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelAccountSummary:
    """63."""

    req_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqExecutions:
    """7: today's executions that fit the filter; empty fields and client 0 mean any."""

    req_id: int
    client_id: int = 0
    account: str = ""
    time: str = ""
    symbol: str = ""
    sec_type: str = ""
    exchange: str = ""
    side: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqContractDetails:
    """9."""

    req_id: int
    contract: ContractQuery
    include_expired: bool = False
    sec_id_type: str = ""
    sec_id: str = ""
    issuer_id: str = field(default="", metadata={"since": 176})


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqOptionParameters:
    """78."""

    req_id: int
    symbol: str
    fut_fop_exchange: str
    sec_type: str
    con_id: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqMarketRule:
    """91."""

    rule_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqMarketDataType:
    """59: 1 live, 2 frozen, 3 delayed, 4 delayed and frozen."""

    data_type: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqMarketData:
    """1: ticks of a contract until cancelled, or one snapshot."""

    req_id: int
    contract: ContractQuery
    generic_ticks: str
    snapshot: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelMarketData:
    """2."""

    req_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqHistoricalData:
    """20: bars."""

    req_id: int
    contract: ContractQuery
    end: str
    bar_size: str
    duration: str
    regular_hours: bool
    what_to_show: str
    format_date: int
    keep_up_to_date: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelHistoricalData:
    """25."""

    req_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelOrder:
    """4."""

    order_id: int
    manual_time: str = field(default="", metadata={"since": 169})


@dataclass(frozen=True, slots=True, kw_only=True)
class GlobalCancel:
    """58: cancel everything, of all clients."""


Request = (
    StartApi
    | ReqIds
    | ReqCurrentTime
    | ReqPositions
    | CancelPositions
    | ReqOpenOrders
    | ReqAllOpenOrders
    | ReqAutoOpenOrders
    | ReqCompletedOrders
    | ReqManagedAccounts
    | SetServerLogLevel
    | ReqAccountUpdates
    | ReqAccountUpdatesMulti
    | CancelAccountUpdatesMulti
    | ReqAccountSummary
    | CancelAccountSummary
    | ReqExecutions
    | ReqContractDetails
    | ReqOptionParameters
    | ReqMarketRule
    | ReqMarketDataType
    | ReqMarketData
    | CancelMarketData
    | ReqHistoricalData
    | CancelHistoricalData
    | CancelOrder
    | GlobalCancel
)


@dataclass(frozen=True, slots=True)
class Form:
    """How a message is read: its class, whether a version field precedes its fields, and a reader of its own."""

    kind: type[Any]
    versioned: bool = True
    reader: Callable[[Cursor], Any] | None = None

    def read(self, cursor: Cursor, version: int) -> Any:
        """Return the message; the cursor stands behind the message id.

        Raises:
            BadFieldError: A field is missing or unreadable.
        """
        if self.versioned:
            cursor.text("version")
        if self.reader is not None:
            return self.reader(cursor)
        return self.kind(**_values(self.kind, cursor, version))


def read_contract(cursor: Cursor) -> ContractQuery:
    """Read the twelve contract fields."""
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


def _read_legs(cursor: Cursor) -> None:
    """Pass over the short form of a combo's legs: combos have neither ticks nor bars here."""
    for _ in range(cursor.count("number of legs", most=MOST_LEGS)):
        for name in ("leg conId", "leg ratio", "leg action", "leg exchange"):
            cursor.text(name)


def _read_market_data(cursor: Cursor) -> ReqMarketData:
    req_id, contract = cursor.integer("reqId"), read_contract(cursor)
    if contract.sec_type == "BAG":
        _read_legs(cursor)
    if cursor.flag("delta-neutral flag"):
        for name in ("conId", "delta", "price"):
            cursor.text(f"delta-neutral {name}")
    return ReqMarketData(
        req_id=req_id,
        contract=contract,
        generic_ticks=cursor.text("genericTickList"),
        snapshot=cursor.flag("snapshot"),
    )


def _read_historical_data(cursor: Cursor) -> ReqHistoricalData:
    req_id, contract = cursor.integer("reqId"), read_contract(cursor)
    cursor.flag("includeExpired")
    end, bar_size, duration = cursor.text("endDateTime"), cursor.text("barSize"), cursor.text("duration")
    hours, what, form = cursor.flag("useRTH"), cursor.text("whatToShow"), cursor.integer("formatDate")
    if contract.sec_type == "BAG":
        _read_legs(cursor)
    return ReqHistoricalData(
        req_id=req_id,
        contract=contract,
        end=end,
        bar_size=bar_size,
        duration=duration,
        regular_hours=hours,
        what_to_show=what,
        format_date=form,
        keep_up_to_date=cursor.flag("keepUpToDate"),
    )


REQUESTS: Final = {
    1: Form(ReqMarketData, reader=_read_market_data),
    2: Form(CancelMarketData),
    4: Form(CancelOrder),
    5: Form(ReqOpenOrders),
    6: Form(ReqAccountUpdates),
    7: Form(ReqExecutions),
    8: Form(ReqIds),
    9: Form(ReqContractDetails),
    14: Form(SetServerLogLevel),
    15: Form(ReqAutoOpenOrders),
    16: Form(ReqAllOpenOrders),
    17: Form(ReqManagedAccounts),
    20: Form(ReqHistoricalData, versioned=False, reader=_read_historical_data),
    25: Form(CancelHistoricalData),
    49: Form(ReqCurrentTime),
    58: Form(GlobalCancel),
    59: Form(ReqMarketDataType),
    61: Form(ReqPositions),
    62: Form(ReqAccountSummary),
    63: Form(CancelAccountSummary),
    64: Form(CancelPositions),
    71: Form(StartApi),
    76: Form(ReqAccountUpdatesMulti),
    77: Form(CancelAccountUpdatesMulti),
    78: Form(ReqOptionParameters, versioned=False),
    91: Form(ReqMarketRule, versioned=False),
    99: Form(ReqCompletedOrders, versioned=False),
}
"""By message id; `simulator.tws.order_in` reads 3."""

_READERS: Final[dict[Any, Callable[[Cursor, str], Any]]] = {
    int: Cursor.integer,
    float: Cursor.real,
    bool: Cursor.flag,
    str: Cursor.text,
    ContractQuery: lambda cursor, _name: read_contract(cursor),
}


def _values(kind: type[Any], cursor: Cursor, version: int) -> dict[str, Any]:
    """Read a message's fields in the order of its class."""
    values: dict[str, Any] = {}
    for each in fields(kind):
        if version < each.metadata.get("since", 0):
            continue
        if each.default is not MISSING and cursor.left == 0:
            break
        values[each.name] = _READERS[each.type](cursor, each.name)
    return values
