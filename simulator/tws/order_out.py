"""Writing openOrder (5) and completedOrder (101) from what a client sent and where the order stands."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from simulator.tws.contract_out import contract_fields
from simulator.tws.fields import UNSET_TEXT
from simulator.tws.framing import frame_of, text_of
from simulator.tws.layout import write_plan
from simulator.tws.order_fields import COMPLETED_ORDER, CONTRACT, OPEN_ORDER, WireOrder
from simulator.tws.order_in import values_of
from simulator.tws.resolved import Resolved

_OPEN_ORDER: Final = "5"
_COMPLETED_ORDER: Final = "101"

_DEFAULTS: Final = {
    "lmtPrice": "0.0",
    "auxPrice": "0.0",
    "origin": "0",
    "outsideRth": "0",
    "hidden": "0",
    "discretionaryAmt": "0.0",
    "percentOffset": UNSET_TEXT,
    "shortSaleSlot": "0",
    "exemptCode": "-1",
    "auctionStrategy": "0",
    "displaySize": "0",
    "blockOrder": "0",
    "sweepToFill": "0",
    "allOrNone": "0",
    "ocaType": "0",
    "eTradeOnly": "0",
    "firmQuoteOnly": "0",
    "parentId": "0",
    "triggerMethod": "0",
    "volatilityType": "0",
    "deltaNeutralOrderType": "None",
    "deltaNeutralConId": "0",
    "deltaNeutralOpenClose": "?",
    "deltaNeutralShortSale": "0",
    "deltaNeutralShortSaleSlot": "0",
    "continuousUpdate": "0",
    "referencePriceType": "0",
    "optOutSmartRouting": "0",
    "notHeld": "0",
    "solicited": "0",
    "whatIf": "0",
    "randomizeSize": "0",
    "randomizePrice": "0",
    "adjustedOrderType": "None",
    "adjustableTrailingUnit": "0",
    "dontUseAutoPriceForHedge": "0",
    "isOmsContainer": "0",
    "discretionaryUpToLimitPrice": "0",
    "usePriceMgmtAlgo": "0",
    "autoCancelParent": "0",
    "refFuturesConId": "0",
    "imbalanceOnly": "0",
    "routeMarketableToBbo": "0",
    "shareholder": "Not an insider or substantial shareholder",
    "conditionsIgnoreRth": "0",
    "conditionsCancelOrder": "0",
}
"""What stands where the client left a field empty; every other field stays empty."""

_MARGIN_NAMES: Final = ("Before", "Change", "After")


@dataclass(frozen=True, slots=True, kw_only=True)
class MarginPreview:
    """A what-if answer: (initial, maintenance, equity) before, change and after, and the commission, in USD."""

    before: tuple[Decimal, Decimal, Decimal]
    after: tuple[Decimal, Decimal, Decimal]
    commission_usd: Decimal

    def values(self) -> Mapping[str, str]:
        """Return the fields of the order's state."""
        change = tuple(late - early for early, late in zip(self.before, self.after, strict=True))
        rows = zip(_MARGIN_NAMES, (self.before, change, self.after), strict=True)
        found = {f"{kind}{name}": text_of(amount) for name, row in rows for kind, amount in _margin_row(row)}
        return {**found, "commission": text_of(self.commission_usd), "commissionCurrency": "USD"}


def open_order(sent: WireOrder, resolved: Resolved, state: Mapping[str, str], version: int) -> bytes:
    """Return openOrder.

    Args:
        sent: The order as its client sent it.
        resolved: What its contract turned out to be.
        state: Texts of ``clientId``, ``permId``, ``status`` and what else differs from what was sent.
        version: The layout.
    """
    values = {**_no_margin(), **_told(sent, resolved, state), "orderId": str(sent.order_id)}
    texts = [_OPEN_ORDER]
    write_plan(OPEN_ORDER, values, texts, version)
    return frame_of(texts)


def completed_order(sent: WireOrder, resolved: Resolved, state: Mapping[str, str], version: int) -> bytes:
    """Return completedOrder; ``state`` as for `open_order`, with ``filledQuantity`` and the completion's texts."""
    texts = [_COMPLETED_ORDER]
    write_plan(COMPLETED_ORDER, _told(sent, resolved, state), texts, version)
    return frame_of(texts)


def _told(sent: WireOrder, resolved: Resolved, state: Mapping[str, str]) -> dict[str, Any]:
    """Return the values of an order as they are told back."""
    contract = dict(zip((field.name for field in CONTRACT), contract_fields(resolved), strict=True))
    return {**_filled(values_of(sent)), **contract, **state, "comboLegsDescrip": _legs_text(sent)}


def _filled(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of an order with the defaults where the client left a field empty."""
    groups = {name: value for name, value in values.items() if not isinstance(value, str)}
    return {**_DEFAULTS, **groups, **{name: text for name, text in values.items() if text}}


def _no_margin() -> dict[str, str]:
    names = ("initMargin", "maintMargin", "equityWithLoan")
    return {f"{kind}{when}": UNSET_TEXT for when in _MARGIN_NAMES for kind in names}


def _margin_row(row: tuple[Decimal, ...]) -> tuple[tuple[str, Decimal], ...]:
    return tuple(zip(("initMargin", "maintMargin", "equityWithLoan"), row, strict=True))


def _legs_text(sent: WireOrder) -> str:
    """Return ``conId|ratio`` per leg, a sold one with a minus."""
    return ",".join(f"{leg[0]}|{'-' if leg[2] == 'SELL' else ''}{leg[1]}" for leg in sent.legs)
