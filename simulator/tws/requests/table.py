"""Which message id asks what: what is served, what is known and refused, and whose id an error bears.

A field with a default may be absent at the end of a message.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
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

VALIDATION: Final = 321
"""Refusals without an id, and of what cannot be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unserved:
    """A request that is known and not served: the words of its refusal, and which of its fields is its id, if one is.

    ``code`` is what the broker answers where it has nothing of the kind for an account. It is never 321 for a request
    with an id: one of the client libraries takes that for a warning and waits for ever.
    """

    what: str
    id_at: int | None = None
    code: int = VALIDATION


_PROCESSING: Final = 322
_NO_HISTORY_SERVICE: Final = 162
_NO_FUNDAMENTALS: Final = 430
_NO_NEWS: Final = 10276

_BULLETINS: Final = Unserved(what="news bulletins")
_ADVISOR: Final = Unserved(what="financial advisor settings")
_VERIFICATION: Final = Unserved(what="verification")
_GROUPS: Final = Unserved(what="display groups", id_at=2, code=_PROCESSING)
_EVENTS: Final = Unserved(what="calendar events", id_at=1, code=_NO_NEWS)
_FUNDAMENTALS: Final = Unserved(what="fundamental data", id_at=2, code=_NO_FUNDAMENTALS)
_HISTOGRAMS: Final = Unserved(what="histograms", id_at=1, code=_NO_HISTORY_SERVICE)

UNSERVED: Final[Mapping[int, Unserved]] = {
    12: _BULLETINS,
    13: _BULLETINS,
    18: _ADVISOR,
    19: _ADVISOR,
    21: Unserved(what="exercise of options", id_at=2, code=_PROCESSING),
    22: Unserved(what="market scanners", id_at=1, code=_NO_HISTORY_SERVICE),
    23: Unserved(what="market scanners", id_at=2, code=_NO_HISTORY_SERVICE),
    52: _FUNDAMENTALS,
    53: _FUNDAMENTALS,
    65: _VERIFICATION,
    66: _VERIFICATION,
    67: _GROUPS,
    68: _GROUPS,
    69: _GROUPS,
    70: _GROUPS,
    72: _VERIFICATION,
    73: _VERIFICATION,
    83: Unserved(what="smart components", id_at=1, code=_PROCESSING),
    84: Unserved(what="news articles", id_at=1, code=_NO_NEWS),
    86: Unserved(what="historical news", id_at=1, code=_NO_NEWS),
    88: _HISTOGRAMS,
    89: _HISTOGRAMS,
    100: _EVENTS,
    101: _EVENTS,
    102: _EVENTS,
    103: _EVENTS,
}
"""By message id."""

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
        return UNSERVED[number].id_at
    kind = REQUESTS.get(number)
    names = [] if kind is None else [each.name for each in fields(kind)]
    if kind is None or not names or names[0] not in _IDS:
        return None
    head: Head = kind.HEAD
    return 1 if head.version is None else 2
