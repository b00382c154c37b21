"""The broker's codes as one table: what each means for the link, the data, an order and a request.

How it works: a code is looked up in `CODES`; what is not there is `UNKNOWN_CODE`, which doubts an order and alerts.
What always holds: no code makes an order cancelled, and only a refusal of an order that the broker has not
acknowledged makes it rejected. Everything else about an order comes from the broker's own order messages.

Source of every row: docs/ib/hazards.md, section 2, unless its comment says otherwise.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from bot.domain.errors import BrokerRejectedError, ConnectivityError


class LinkMeaning(StrEnum):
    """What a code says of the way to the broker's servers."""

    NOTHING = "nothing"
    LOST = "lost"
    RESTORED_EMPTY = "restored_empty"  # subscriptions are gone
    RESTORED = "restored"


class DataMeaning(StrEnum):
    """What a code says of market data."""

    NOTHING = "nothing"
    FARM_DOWN = "farm_down"
    FARM_UP = "farm_up"
    COMPETING = "competing"  # another session holds the data
    NOT_ENTITLED = "not_entitled"  # of one line


class OrderMeaning(StrEnum):
    """What a code says of the order that it names."""

    NOTICE = "notice"  # the order stands as it stood
    REJECTED = "rejected"
    DOUBT = "doubt"  # may be live, may be filled


class RequestMeaning(StrEnum):
    """What a code says of the request that it names."""

    NOTICE = "notice"  # the answer may still come
    REFUSED = "refused"
    RETRY = "retry"


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeMeaning:
    """One row: ``new`` for an order that the broker has not acknowledged, ``working`` for one that it has."""

    text: str
    link: LinkMeaning = LinkMeaning.NOTHING
    data: DataMeaning = DataMeaning.NOTHING
    new: OrderMeaning = OrderMeaning.DOUBT
    working: OrderMeaning = OrderMeaning.DOUBT
    request: RequestMeaning = RequestMeaning.REFUSED
    alert: bool = False


UNKNOWN_CODE: Final = CodeMeaning(text="a code that the table does not know", alert=True)

_N, _R, _D = OrderMeaning.NOTICE, OrderMeaning.REJECTED, OrderMeaning.DOUBT


def _notice(text: str, *, alert: bool = False, data: DataMeaning = DataMeaning.NOTHING) -> CodeMeaning:
    return CodeMeaning(text=text, new=_N, working=_N, request=RequestMeaning.NOTICE, alert=alert, data=data)


def _refusal(text: str, *, alert: bool = True) -> CodeMeaning:
    """A refusal of a new order; of an acknowledged one it may concern a change, and the original may live."""
    return CodeMeaning(text=text, new=_R, working=_D, alert=alert)


def _doubt(text: str, *, request: RequestMeaning = RequestMeaning.REFUSED, alert: bool = True) -> CodeMeaning:
    return CodeMeaning(text=text, request=request, alert=alert)


def _link(text: str, link: LinkMeaning, *, alert: bool = True) -> CodeMeaning:
    return CodeMeaning(text=text, link=link, request=RequestMeaning.RETRY, alert=alert)


CODES: Final[Mapping[int, CodeMeaning]] = MappingProxyType(
    {
        # 2.1 connection and farms
        1100: _link("link between gateway and broker lost", LinkMeaning.LOST),
        1101: _link("link back, subscriptions lost", LinkMeaning.RESTORED_EMPTY),
        1102: _link("link back, subscriptions kept", LinkMeaning.RESTORED),
        1300: _link("the gateway's port changed", LinkMeaning.LOST),
        2110: _link("link between gateway and broker broken, restores itself", LinkMeaning.LOST),
        2103: _notice("market-data farm down", data=DataMeaning.FARM_DOWN, alert=True),
        2105: _notice("history farm down", data=DataMeaning.FARM_DOWN, alert=True),
        2104: _notice("market-data farm up", data=DataMeaning.FARM_UP),
        2106: _notice("history farm up", data=DataMeaning.FARM_UP),
        2158: _notice("contract farm up"),
        2107: _notice("history farm idle, wakes on demand"),
        2108: _notice("market-data farm idle, wakes on demand"),
        326: _doubt("client id in use", request=RequestMeaning.RETRY),
        502: _doubt("cannot connect", request=RequestMeaning.RETRY),
        504: _doubt("not connected", request=RequestMeaning.RETRY),
        507: _doubt("bad message length", request=RequestMeaning.RETRY),
        509: _doubt("exception while reading", request=RequestMeaning.RETRY),
        505: _doubt("unknown message id: version problem"),
        100: _doubt("more than 50 messages a second", request=RequestMeaning.RETRY),
        # 2.2 market data and contracts
        10197: _notice("no data: competing session", data=DataMeaning.COMPETING, alert=True),
        354: CodeMeaning(text="not subscribed", data=DataMeaning.NOT_ENTITLED, alert=True),
        10089: CodeMeaning(text="needs a subscription", data=DataMeaning.NOT_ENTITLED, alert=True),
        10090: _notice("partly subscribed", data=DataMeaning.NOT_ENTITLED, alert=True),
        10167: _notice("delayed data shown", data=DataMeaning.NOT_ENTITLED, alert=True),
        101: CodeMeaning(text="too many market data lines", alert=True),
        200: _refusal("no such contract, or several"),
        162: _doubt("history service message", request=RequestMeaning.RETRY, alert=False),
        165: _notice("history query message"),
        366: _doubt("history request gone", alert=False),
        317: _notice("depth reset"),
        10225: _notice("bars stopped by a bust event"),
        10299: _doubt("wrong kind of data for the instrument"),
        321: CodeMeaning(text="server-side validation failed", new=_D, working=_N, alert=True),
        322: CodeMeaning(text="processing failed", new=_D, working=_N, alert=True),
        478: _refusal("contract fields conflict with the contract number"),
        # 2.3 orders
        103: _doubt("duplicate order id"),
        104: _doubt("cannot modify a filled order"),
        105: CodeMeaning(text="modified fields do not match the order", new=_D, working=_N, alert=True),
        110: CodeMeaning(text="price is not on the tick", new=_R, working=_N, alert=True),
        135: _doubt("order id not found: no proof that nothing is live"),
        10147: _doubt("order id to cancel not found: no proof that nothing is live"),
        161: _doubt("not cancellable; it may be filled"),
        10148: _doubt("not cancellable; it may be filled"),
        201: _refusal("rejected"),
        202: _doubt("cancelled, says the code; only the order's status ends it", alert=False),
        203: _refusal("security not allowed for the account"),
        355: _refusal("order size does not conform to the market rule"),
        387: _refusal("order type unsupported for the exchange"),
        388: _refusal("order size below the minimum"),
        434: _refusal("order size is zero"),
        399: _notice("order message, such as held until the open"),
        404: _notice("held: not shortable", alert=True),
        2109: _notice("outside-hours flag ignored, order processed"),
        2137: _notice("crosses to the other side of the position", alert=True),
        2161: _notice("price capped by the broker", alert=True),
        10349: _notice("time in force taken from a preset", alert=True),
        312: _doubt("combo details invalid"),
        313: _doubt("combo leg details invalid"),
        314: _doubt("combo of this kind must be guaranteed"),
        315: _doubt("combo of this kind not allowed"),
        10002: _doubt("combo price rule"),
        10043: _doubt("combo per-leg price rule"),
        10058: _doubt("combo per-leg price rule"),
        360: _doubt("no preview for smart combo orders"),
        349: _doubt("smart combo: no good-after time"),
        350: _doubt("smart combo: no minimum quantity"),
        356: _doubt("smart combo: no one-cancels-all group"),
        359: _doubt("smart combo: reduce on fill only"),
        460: _refusal("no trading permission"),
        10268: _refusal("deprecated order attribute"),
    }
)

_TEXT_LENGTH: Final = 300
_NO_DATA: Final = "no data"
"""Part of the text of 162 when the answer is that there is nothing (docs/ib/wire.md, section 5.7)."""
_NOTICE_RANGE: Final = range(2100, 2200)
"""Both client libraries treat these as warnings; for a request they never are the answer."""


def meaning_of(code: int) -> CodeMeaning:
    """Return the row of a code, `UNKNOWN_CODE` for one that is not listed."""
    return CODES.get(code, UNKNOWN_CODE)


def request_error(what: str, code: int, text: str) -> BrokerRejectedError | ConnectivityError | None:
    """Return how a request ends by a code; None when the answer may still come.

    Returns:
        BrokerRejectedError when the broker refuses or has nothing, ConnectivityError when asking again may help.
    """
    meaning = meaning_of(code)
    if code in _NOTICE_RANGE or meaning.request is RequestMeaning.NOTICE:
        return None
    message = f"{what}: the broker says {code}: {text[:_TEXT_LENGTH]}"
    if code == 162 and _NO_DATA in text.lower():
        return BrokerRejectedError(message)
    return ConnectivityError(message) if meaning.request is RequestMeaning.RETRY else BrokerRejectedError(message)
