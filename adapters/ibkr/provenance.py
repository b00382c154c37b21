"""The last look at the socket: a frame that changes orders leaves only if it is, byte for byte, what was approved.

How it works: whoever writes an order first states the frame that the approved intent means, built here from the intent
alone and not from the client library's objects. The client shows every frame that could change an order before it is
written; one that differs in a single byte, or that nobody has stated, raises and is dropped, and the bot halts. A
what-if is such a frame with one flag: stated as a question it leaves as a question alone, and an order as an order
alone. What always holds: of the broker's order-changing messages only the placing of a plain day limit order, the
question about one, the cancel of one order and, where a person has commanded it, the cancel of everything can be
stated, so that exercising options and modifying leave never.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from bot.domain.errors import ProvenanceError
from bot.domain.instrument import InstrumentKey
from bot.domain.orders import Leg, OrderIntent

PLACE_ORDER, CANCEL_ORDER, GLOBAL_CANCEL = "3", "4", "58"
ORDER_CHANGING: Final[Mapping[str, str]] = {
    PLACE_ORDER: "placeOrder",
    CANCEL_ORDER: "cancelOrder",
    "21": "exerciseOptions",
    GLOBAL_CANCEL: "reqGlobalCancel",
}
"""Messages of a client that change what works at the broker, by number."""

Field = tuple[str, str]
"""Name, and value as it is written."""

WHAT_IF: Final = "whatIf"
"""The field that makes an order frame a question."""

NO_LONGER_FROM: Final = 177
"""Layout from which faProfile is not written any more."""

_BEFORE_LEGS: Final[tuple[Field, ...]] = (
    ("parentId", "0"),
    ("blockOrder", "0"),
    ("sweepToFill", "0"),
    ("displaySize", "0"),
    ("triggerMethod", "0"),
    ("outsideRth", "0"),
    ("hidden", "0"),
)
_AFTER_LEGS: Final[tuple[Field, ...]] = (
    ("sharesAllocation", ""),
    ("discretionaryAmt", "0.0"),
    *((name, "") for name in ("goodAfterTime", "goodTillDate", "faGroup", "faMethod", "faPercentage")),
)
_MIDDLE: Final[tuple[Field, ...]] = (
    ("modelCode", ""),
    ("shortSaleSlot", "0"),
    ("designatedLocation", ""),
    ("exemptCode", "-1"),
    ("ocaType", "0"),
    ("rule80A", ""),
    ("settlingFirm", ""),
    ("allOrNone", "0"),
    ("minQty", ""),
    ("percentOffset", ""),
    ("eTradeOnly", "0"),
    ("firmQuoteOnly", "0"),
    ("nbboPriceCap", ""),
    ("auctionStrategy", "0"),
    *((name, "") for name in ("startingPrice", "stockRefPrice", "delta", "stockRangeLower", "stockRangeUpper")),
    ("overridePercentageConstraints", "0"),
    *((name, "") for name in ("volatility", "volatilityType", "deltaNeutralOrderType", "deltaNeutralAuxPrice")),
    ("continuousUpdate", "0"),
    *((name, "") for name in ("referencePriceType", "trailStopPrice", "trailingPercent")),
    *((name, "") for name in ("scaleInitLevelSize", "scaleSubsLevelSize", "scalePriceIncrement", "scaleTable")),
    *((name, "") for name in ("activeStartTime", "activeStopTime", "hedgeType")),
    ("optOutSmartRouting", "0"),
    ("clearingAccount", ""),
    ("clearingIntent", ""),
    ("notHeld", "0"),
    ("deltaNeutralContract", "0"),
    ("algoStrategy", ""),
    ("algoId", ""),
    (WHAT_IF, "0"),
    ("orderMiscOptions", ""),
    ("solicited", "0"),
    ("randomizeSize", "0"),
    ("randomizePrice", "0"),
    ("conditions", "0"),
    *((name, "") for name in ("adjustedOrderType", "triggerPrice", "lmtPriceOffset", "adjustedStopPrice")),
    *((name, "") for name in ("adjustedStopLimitPrice", "adjustedTrailingAmount")),
    ("adjustableTrailingUnit", "0"),
    *((name, "") for name in ("extOperator", "softDollarTier.name", "softDollarTier.value", "cashQty")),
    *((name, "") for name in ("mifid2DecisionMaker", "mifid2DecisionAlgo")),
    *((name, "") for name in ("mifid2ExecutionTrader", "mifid2ExecutionAlgo")),
    ("dontUseAutoPriceForHedge", "0"),
    ("isOmsContainer", "0"),
    ("discretionaryUpToLimitPrice", "0"),
    ("usePriceMgmtAlgo", "0"),
)
_BY_VERSION: Final[tuple[tuple[int, str, str], ...]] = (
    (158, "duration", ""),
    (160, "postToAts", ""),
    (162, "autoCancelParent", "0"),
    (166, "advancedErrorOverride", ""),
    (169, "manualOrderTime", ""),
)
"""Layout from which a field is written at the end, its name and value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """How a contract is named at the broker: its number and the exchange that it is sent to."""

    con_id: int
    exchange: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A frame as it must leave, field by field."""

    fields: tuple[Field, ...]

    @property
    def text(self) -> str:
        """Every value, each ended by NUL."""
        return "".join(f"{value}\0" for _, value in self.fields)

    def difference(self, text: str) -> str:
        """Return the first field in which a text differs, in words; empty where it is this frame."""
        found = text.split("\0")[:-1]
        for (name, expected), value in zip(self.fields, found, strict=False):
            if value != expected:
                return f"{name}: approved {expected!r}, found {value!r}"
        if len(found) != len(self.fields):
            return f"{len(self.fields)} fields were approved, found {len(found)}"
        return "" if text == self.text else "it does not end as a frame does"


def order_frame(
    intent: OrderIntent,
    *,
    order_id: int,
    account: str,
    routes: Mapping[InstrumentKey, Route],
    version: int,
    what_if: bool = False,
) -> Frame:
    """Return the frame that an approved intent means: a plain day limit order, every other field at rest.

    Args:
        intent: Approved. A combo goes out as the purchase of a BAG at the intent's limit; a single leg on its own side,
            at a price that is positive whichever side that is.
        order_id: The client's number for it.
        account: Where it is to be booked.
        routes: Number and exchange of every leg.
        version: Of the protocol, as negotiated.
        what_if: The order is asked about and not placed; every other field is that of the order.

    Raises:
        KeyError: A leg without a route.

    Source: docs/risk-controls.md, C33; docs/ib/wire.md, message 3.
    """
    first = intent.legs[0]
    route = routes[first.instrument.key]
    action, price = ("BUY", intent.limit) if intent.is_combo else (first.side.value, intent.limit * first.side.sign)
    contract = (
        _bag(first, route.exchange) if intent.is_combo else _contract(con_id=str(route.con_id), exchange=route.exchange)
    )
    fields = (
        ("message", PLACE_ORDER),
        ("orderId", str(order_id)),
        *contract,
        ("secIdType", ""),
        ("secId", ""),
        ("action", action),
        ("totalQuantity", str(intent.quantity)),
        ("orderType", "LMT"),
        ("lmtPrice", str(float(price))),
        ("auxPrice", ""),
        ("tif", "DAY"),
        ("ocaGroup", ""),
        ("account", account),
        ("openClose", "O"),
        ("origin", "0"),
        ("orderRef", intent.intent_id),
        ("transmit", "1"),
        *_BEFORE_LEGS,
        *(_legs(intent.legs, routes) if intent.is_combo else ()),
        *_AFTER_LEGS,
        *((("faProfile", ""),) if version < NO_LONGER_FROM else ()),
        *((name, "1") if what_if and name == WHAT_IF else (name, value) for name, value in _MIDDLE),
        *((name, value) for since, name, value in _BY_VERSION if version >= since),
    )
    return Frame(fields=fields)


def cancel_frame(order_id: int, *, version: int) -> Frame:
    """Return the frame that cancels one order by its number."""
    manual = (("manualCancelOrderTime", ""),) if version >= 169 else ()
    return Frame(fields=(("message", CANCEL_ORDER), ("version", "1"), ("orderId", str(order_id)), *manual))


def global_cancel_frame() -> Frame:
    """Return the frame that cancels the orders of all clients; only a person's twice signed command states it."""
    return Frame(fields=(("message", GLOBAL_CANCEL), ("version", "1")))


class Provenance:
    """Holds the one frame that may leave now, and judges what is about to."""

    def __init__(self) -> None:
        """Let nothing through."""
        self._stated: Frame | None = None

    @contextmanager
    def stating(self, frame: Frame) -> Iterator[None]:
        """Let one frame through, once, for as long as the block lasts."""
        self._stated = frame
        try:
            yield
        finally:
            self._stated = None

    def judge(self, text: str) -> None:
        """Let a frame pass that changes no order, or that is the one stated.

        Raises:
            ProvenanceError: It changes orders, and nobody approved it as it is: it must not be written.
        """
        kind = ORDER_CHANGING.get(text.split("\0", 1)[0])
        if kind is None:
            return
        stated, self._stated = self._stated, None
        if stated is None:
            raise ProvenanceError(f"a {kind} frame was about to leave that nothing approved stands behind")
        difference = stated.difference(text)
        if difference:
            raise ProvenanceError(f"a {kind} frame differs from what was approved, {difference}")


def _contract(*, con_id: str, exchange: str, symbol: str = "", kind: str = "", currency: str = "") -> tuple[Field, ...]:
    return (
        ("conId", con_id),
        ("symbol", symbol),
        ("secType", kind),
        ("lastTradeDate", ""),
        ("strike", "0.0"),
        ("right", ""),
        ("multiplier", ""),
        ("exchange", exchange),
        ("primaryExchange", ""),
        ("currency", currency),
        ("localSymbol", ""),
        ("tradingClass", ""),
    )


def _bag(first: Leg, exchange: str) -> tuple[Field, ...]:
    one = first.instrument
    return _contract(con_id="0", exchange=exchange, symbol=one.symbol, kind="BAG", currency=one.currency)


def _legs(legs: Sequence[Leg], routes: Mapping[InstrumentKey, Route]) -> tuple[Field, ...]:
    fields: list[Field] = [("legs", str(len(legs)))]
    for number, leg in enumerate(legs, start=1):
        route = routes[leg.instrument.key]
        named = {
            "conId": str(route.con_id),
            "ratio": str(leg.ratio),
            "action": leg.side.value,
            "exchange": route.exchange,
            "openClose": "0",
            "shortSaleSlot": "0",
            "designatedLocation": "",
            "exemptCode": "-1",
        }
        fields += [(f"leg {number} {name}", value) for name, value in named.items()]
    return (*fields, ("legPrices", "0"), ("routing", "0"))
