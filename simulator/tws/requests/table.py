"""Which message id asks what: what is served, what is known and refused, and whose id an error bears.

A field with a default may be absent at the end of a message.
"""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any, Final

from simulator.tws.fields import BadFieldError, Cursor
from simulator.tws.layout import Head
from simulator.tws.requests import account, history, login, lookup, orders, prices

REQUESTS: Final[Mapping[int, type[Any]]] = {
    each.HEAD.number: each
    for each in (
        prices.ReqMarketData,
        prices.CancelMarketData,
        orders.CancelOrder,
        orders.ReqOpenOrders,
        account.ReqAccountUpdates,
        orders.ReqExecutions,
        orders.ReqIds,
        lookup.ReqContractDetails,
        prices.ReqDepth,
        prices.CancelDepth,
        login.SetServerLogLevel,
        orders.ReqAutoOpenOrders,
        orders.ReqAllOpenOrders,
        login.ReqManagedAccounts,
        history.ReqHistoricalData,
        lookup.ReqScannerParameters,
        history.CancelHistoricalData,
        login.ReqCurrentTime,
        prices.ReqRealTimeBars,
        prices.CancelRealTimeBars,
        prices.CalcImpliedVol,
        prices.CalcOptionPrice,
        prices.CancelCalcImpliedVol,
        prices.CancelCalcOptionPrice,
        orders.GlobalCancel,
        prices.ReqMarketDataType,
        account.ReqPositions,
        account.ReqAccountSummary,
        account.CancelAccountSummary,
        account.CancelPositions,
        login.StartApi,
        account.ReqPositionsMulti,
        account.CancelPositionsMulti,
        account.ReqAccountUpdatesMulti,
        account.CancelAccountUpdatesMulti,
        lookup.ReqOptionParameters,
        account.ReqSoftDollarTiers,
        account.ReqFamilyCodes,
        lookup.ReqMatchingSymbols,
        lookup.ReqDepthExchanges,
        lookup.ReqNewsProviders,
        history.ReqHeadTimestamp,
        history.CancelHeadTimestamp,
        lookup.ReqMarketRule,
        account.ReqProfit,
        account.CancelProfit,
        account.ReqPositionProfit,
        account.CancelPositionProfit,
        history.ReqHistoricalTicks,
        prices.ReqTickByTick,
        prices.CancelTickByTick,
        orders.ReqCompletedOrders,
        login.ReqUserInfo,
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
