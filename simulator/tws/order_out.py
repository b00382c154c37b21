"""Writing openOrder (5) and completedOrder (101) from what a client sent and where the order stands."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from simulator.tws import order_fields as form
from simulator.tws.contract_out import contract_fields
from simulator.tws.fields import UNSET_TEXT
from simulator.tws.framing import frame_of, text_of
from simulator.tws.order_fields import Block, WireOrder
from simulator.tws.order_in import is_peg_bench, is_positive
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
    values = {**_no_margin(), **_filled(sent.values), **state}
    values["comboLegsDescrip"] = _legs_text(sent)
    writer = _Writer(values, version)
    writer.put(form.OPEN_MAIN)
    writer.put_if(form.OPEN_DELTA_NEUTRAL, present=bool(values["deltaNeutralOrderType"]))
    writer.put(form.OPEN_COMBO)
    writer.combo(sent)
    writer.hedge_and_scale()
    writer.put(form.OPEN_CLEARING)
    writer.under_and_algorithm(sent)
    writer.put(form.OPEN_STATE)
    writer.benchmark_and_conditions(sent)
    writer.put(form.OPEN_TAIL)
    return frame_of((_OPEN_ORDER, str(sent.order_id), *contract_fields(resolved), *writer.texts))


def completed_order(sent: WireOrder, resolved: Resolved, state: Mapping[str, str], version: int) -> bytes:
    """Return completedOrder; ``state`` as for `open_order`, with ``filledQuantity`` and the completion's texts."""
    values = {**_filled(sent.values), **state}
    values["comboLegsDescrip"] = _legs_text(sent)
    writer = _Writer(values, version)
    writer.put(form.DONE_MAIN)
    writer.put_if(form.DONE_DELTA_NEUTRAL, present=bool(values["deltaNeutralOrderType"]))
    writer.put(form.DONE_COMBO)
    writer.combo(sent)
    writer.hedge_and_scale()
    writer.put(form.DONE_CLEARING)
    writer.under_and_algorithm(sent)
    writer.put(form.DONE_STATE)
    writer.benchmark_and_conditions(sent)
    writer.put(form.DONE_TAIL)
    return frame_of((_COMPLETED_ORDER, *contract_fields(resolved), *writer.texts))


class _Writer:
    """The texts written so far, and the values they come from."""

    def __init__(self, values: Mapping[str, str], version: int) -> None:
        self._values = values
        self._version = version
        self.texts: list[str] = []

    def put(self, block: Block) -> None:
        """Write the fields of a block that this version has."""
        self.texts += [self._values.get(field.name, "") for field in block if field.exists_at(self._version)]

    def put_if(self, block: Block, *, present: bool) -> None:
        """Write a block that is there only sometimes."""
        if present:
            self.put(block)

    def combo(self, sent: WireOrder) -> None:
        """Write legs, their prices and the routing parameters, each with its count."""
        self.texts.append(str(len(sent.legs)))
        for leg in sent.legs:
            self.texts += leg
        self.texts += [str(len(sent.leg_prices)), *sent.leg_prices]
        self._pairs(sent.routing)

    def hedge_and_scale(self) -> None:
        """Write the scale and hedge blocks with their optional parts."""
        self.put(form.OUT_SCALE)
        self.put_if(form.SCALE_DETAILS, present=is_positive(self._values.get("scalePriceIncrement", "")))
        self.put(form.OUT_HEDGE)
        self.put_if(form.HEDGE_PARAM, present=bool(self._values.get("hedgeType")))

    def under_and_algorithm(self, sent: WireOrder) -> None:
        """Write the delta-neutral contract and the algorithm."""
        self.texts += ["1", *sent.under_component] if sent.under_component else ["0"]
        strategy = self._values.get("algoStrategy", "")
        self.texts.append(strategy)
        if strategy:
            self._pairs(sent.algo_params)

    def benchmark_and_conditions(self, sent: WireOrder) -> None:
        """Write the benchmark block and the conditions."""
        self.put_if(form.PEG_BENCH, present=is_peg_bench(self._values.get("orderType", "")))
        self.texts.append(str(len(sent.conditions)))
        for condition in sent.conditions:
            self.texts += condition
        self.put_if(form.CONDITION_RULES, present=bool(sent.conditions))

    def _pairs(self, pairs: tuple[tuple[str, str], ...]) -> None:
        self.texts.append(str(len(pairs)))
        for pair in pairs:
            self.texts += pair


def _filled(values: Mapping[str, str]) -> dict[str, str]:
    """Return the values of an order with the defaults where the client left a field empty."""
    return {**_DEFAULTS, **{name: text for name, text in values.items() if text}}


def _no_margin() -> dict[str, str]:
    names = ("initMargin", "maintMargin", "equityWithLoan")
    return {f"{kind}{when}": UNSET_TEXT for when in _MARGIN_NAMES for kind in names}


def _margin_row(row: tuple[Decimal, ...]) -> tuple[tuple[str, Decimal], ...]:
    return tuple(zip(("initMargin", "maintMargin", "equityWithLoan"), row, strict=True))


def _legs_text(sent: WireOrder) -> str:
    """Return ``conId|ratio`` per leg, a sold one with a minus."""
    return ",".join(f"{leg[0]}|{'-' if leg[2] == 'SELL' else ''}{leg[1]}" for leg in sent.legs)
