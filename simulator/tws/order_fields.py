"""The fields of an order on the wire: one plan each for placeOrder, openOrder and completedOrder, for both directions.

A name stands for the same value in every plan, so that an order is echoed from what was read. Values are kept as
texts: numbers in their normal form, flags 0 or 1. Source: docs/ib/wire.md, sections 3.3, 3.4, 4.2 and 4.3.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from simulator.listing import ContractQuery
from simulator.tws.fields import INFINITY_TEXT, BadFieldError, Cursor
from simulator.tws.layout import INTEGER, NUMBER_TEXT, TEXT, Counted, Field, Flagged, Gate, Plan, Texts, Values, block
from simulator.tws.requests.contract import MOST_LEGS, ContractCodec, is_combo

CONDITION_LENGTHS: Final = {1: 6, 3: 3, 4: 3, 5: 4, 6: 5, 7: 5}
"""Fields after the type, by condition type."""
_MOST_PAIRS: Final = 64  # tag values of an algorithm or a route
_MOST_CONDITIONS: Final = 64
_PEG_BENCH: Final = frozenset({"PEG BENCH", "PEGBENCH"})
_PEG_BEST: Final = frozenset({"PEG BEST", "PEGBEST"})
_PEG_MID: Final = frozenset({"PEG MID", "PEGMID"})


@dataclass(frozen=True, slots=True, kw_only=True)
class WireOrder:
    """An order as a client sent it; ``values`` by field name, unset numbers empty, flags 0 or 1."""

    order_id: int
    contract: ContractQuery
    values: Mapping[str, str]
    legs: tuple[tuple[str, ...], ...] = ()  # conId, ratio, action, exchange, openClose, slot, location, exemptCode
    leg_prices: tuple[str, ...] = ()
    routing: tuple[tuple[str, ...], ...] = ()
    algo_params: tuple[tuple[str, ...], ...] = ()
    conditions: tuple[tuple[str, ...], ...] = ()
    under_component: tuple[str, ...] = ()  # conId, delta, price
    surplus: int = 0  # fields left over at the end

    def value(self, name: str) -> str:
        """Return one field, empty where the message had none."""
        return self.values.get(name, "")

    @property
    def is_what_if(self) -> bool:
        """A question about margin, not an order."""
        return self.value("whatIf") == "1"


@dataclass(frozen=True, slots=True)
class ConditionCodec:
    """A condition: its type, then the fields of that type."""

    def read(self, cursor: Cursor, name: str, version: int) -> tuple[str, ...]:  # noqa: ARG002 - the same in every version
        """Return type and fields; raises BadFieldError for a type that there is not."""
        kind = cursor.integer("condition type")
        length = CONDITION_LENGTHS.get(kind)
        if length is None:
            known = ", ".join(map(str, CONDITION_LENGTHS))
            raise BadFieldError(f"condition type: expected one of {known}, found {kind}")
        return (str(kind), *(cursor.text(f"condition of type {kind}") for _ in range(length)))

    def write(self, value: Any, texts: list[str], version: int) -> None:  # noqa: ARG002 - the same in every version
        """Append type and fields."""
        texts += value


def is_positive(text: str) -> bool:
    """Return whether a number text is set and above zero."""
    return bool(text) and float(text) > 0


def _has(name: str, values: Values) -> bool:
    return bool(values.get(name))


def _is_delta_neutral(values: Values) -> bool:
    return _has("deltaNeutralOrderType", values)


def _is_scaled(values: Values) -> bool:
    return is_positive(values.get("scalePriceIncrement", ""))


def _is_hedge(values: Values) -> bool:
    return _has("hedgeType", values)


def _is_algorithm(values: Values) -> bool:
    return _has("algoStrategy", values)


def _is_conditional(values: Values) -> bool:
    return _has("conditions", values)


def _is_benchmark(values: Values) -> bool:
    return values.get("orderType") in _PEG_BENCH


def _is_at_ats(values: Values) -> bool:
    query: ContractQuery = values["contract"]
    return query.exchange == "IBKRATS"


def _is_pegged_best(values: Values) -> bool:
    return values.get("orderType") in _PEG_BEST


def _is_pegged_middle(values: Values) -> bool:
    by_the_middle = _is_pegged_best(values) and values.get("competeAgainstBestOffset") == INFINITY_TEXT
    return by_the_middle or values.get("orderType") in _PEG_MID


_LEG: Final = Texts(
    ("conId", "ratio", "action", "exchange", "openClose", "shortSaleSlot", "designatedLocation", "exemptCode")
)
_PAIRS: Final = Counted(Texts(("tag", "value")), most=_MOST_PAIRS)
_LEGS: Final = Counted(_LEG, most=MOST_LEGS)
_LEG_PRICES: Final = Counted(NUMBER_TEXT, most=MOST_LEGS)
_SINCE_OFFSETS: Final = Gate(since=170)

COMBO: Final = (Field("legs", _LEGS), Field("leg prices", _LEG_PRICES), Field("routing", _PAIRS))
UNDER: Final = (Field("delta-neutral contract", Flagged(Texts(("conId", "delta", "price")))),)
ALGORITHM: Final = (Field("algoStrategy", TEXT), Field("algorithm parameters", _PAIRS, applies=_is_algorithm))
CONDITIONS: Final = (
    Field("conditions", Counted(ConditionCodec(), most=_MOST_CONDITIONS)),
    *block("conditionsIgnoreRth:b conditionsCancelOrder:b", when=_is_conditional),
)
SCALE: Final = (
    *block("scaleInitLevelSize:n scaleSubsLevelSize:n scalePriceIncrement:n"),
    *block(
        """
        scalePriceAdjustValue:n scalePriceAdjustInterval:n scaleProfitOffset:n scaleAutoReset:b scaleInitPosition:n
        scaleInitFillQty:n scaleRandomPercent:b
        """,
        when=_is_scaled,
    ),
)
HEDGE: Final = (*block("hedgeType"), *block("hedgeParam", when=_is_hedge))
DELTA_NEUTRAL: Final = block(
    """
    deltaNeutralConId:n deltaNeutralSettlingFirm deltaNeutralClearingAccount deltaNeutralClearingIntent
    deltaNeutralOpenClose deltaNeutralShortSale:b deltaNeutralShortSaleSlot:n deltaNeutralDesignatedLocation
    """,
    when=_is_delta_neutral,
)
BENCHMARK: Final = block(
    """
    referenceContractId:n isPeggedChangeAmountDecrease:b peggedChangeAmount:n referenceChangeAmount:n
    referenceExchangeId
    """,
    when=_is_benchmark,
)

PLACE_ORDER: Final[Plan] = (
    Field("orderId", INTEGER),
    Field("contract", ContractCodec()),
    *block("""
        secIdType secId action totalQuantity:n orderType lmtPrice:n auxPrice:n tif ocaGroup account openClose origin:n
        orderRef transmit:b parentId:n blockOrder:b sweepToFill:b displaySize:n triggerMethod:n outsideRth:b hidden:b
    """),
    *(Field(each.name, each.codec, applies=is_combo) for each in COMBO),
    *block("""
        sharesAllocation discretionaryAmt:n goodAfterTime goodTillDate faGroup faMethod faPercentage faProfile<177
        modelCode shortSaleSlot:n designatedLocation exemptCode:n ocaType:n rule80A settlingFirm allOrNone:b minQty:n
        percentOffset:n eTradeOnly firmQuoteOnly nbboPriceCap:n auctionStrategy:n startingPrice:n stockRefPrice:n
        delta:n stockRangeLower:n stockRangeUpper:n overridePercentageConstraints:b volatility:n volatilityType:n
        deltaNeutralOrderType deltaNeutralAuxPrice:n
    """),
    *DELTA_NEUTRAL,
    *block("continuousUpdate:b referencePriceType:n trailStopPrice:n trailingPercent:n"),
    *SCALE,
    *block("scaleTable activeStartTime activeStopTime"),
    *HEDGE,
    *block("optOutSmartRouting:b clearingAccount clearingIntent notHeld:b"),
    *UNDER,
    *ALGORITHM,
    *block("algoId whatIf:b orderMiscOptions solicited:b randomizeSize:b randomizePrice:b"),
    *BENCHMARK,
    *CONDITIONS,
    *block("""
        adjustedOrderType triggerPrice:n lmtPriceOffset:n adjustedStopPrice:n adjustedStopLimitPrice:n
        adjustedTrailingAmount:n adjustableTrailingUnit:n extOperator softDollarTier.name softDollarTier.value
        cashQty:n mifid2DecisionMaker mifid2DecisionAlgo mifid2ExecutionTrader mifid2ExecutionAlgo
        dontUseAutoPriceForHedge:b isOmsContainer:b discretionaryUpToLimitPrice:b usePriceMgmtAlgo duration:n>=158
        postToAts:n>=160 autoCancelParent:b>=162 advancedErrorOverride>=166 manualOrderTime>=169
    """),
    Field("minTradeQty", NUMBER_TEXT, _SINCE_OFFSETS, _is_at_ats),
    Field("minCompeteSize", NUMBER_TEXT, _SINCE_OFFSETS, _is_pegged_best),
    Field("competeAgainstBestOffset", NUMBER_TEXT, _SINCE_OFFSETS, _is_pegged_best),
    Field("midOffsetAtWhole", NUMBER_TEXT, _SINCE_OFFSETS, _is_pegged_middle),
    Field("midOffsetAtHalf", NUMBER_TEXT, _SINCE_OFFSETS, _is_pegged_middle),
)

CONTRACT: Final = block(
    "conId symbol secType expiry strike right multiplier exchange currency localSymbol tradingClass"
)
_OFFSETS: Final = block("""
    minTradeQty>=170 minCompeteSize>=170 competeAgainstBestOffset>=170 midOffsetAtWhole>=170 midOffsetAtHalf>=170
""")

OPEN_ORDER: Final[Plan] = (
    *block("orderId"),
    *CONTRACT,
    *block("""
        action totalQuantity orderType lmtPrice auxPrice tif ocaGroup account openClose origin orderRef clientId permId
        outsideRth hidden discretionaryAmt goodAfterTime sharesAllocation faGroup faMethod faPercentage faProfile<177
        modelCode goodTillDate rule80A percentOffset settlingFirm shortSaleSlot designatedLocation exemptCode
        auctionStrategy startingPrice stockRefPrice delta stockRangeLower stockRangeUpper displaySize blockOrder
        sweepToFill allOrNone minQty ocaType eTradeOnly firmQuoteOnly nbboPriceCap parentId triggerMethod volatility
        volatilityType deltaNeutralOrderType deltaNeutralAuxPrice
    """),
    *DELTA_NEUTRAL,
    *block("""
        continuousUpdate referencePriceType trailStopPrice trailingPercent basisPoints basisPointsType comboLegsDescrip
    """),
    *COMBO,
    *SCALE,
    *HEDGE,
    *block("optOutSmartRouting clearingAccount clearingIntent notHeld"),
    *UNDER,
    *ALGORITHM,
    *block("""
        solicited whatIf status initMarginBefore maintMarginBefore equityWithLoanBefore initMarginChange
        maintMarginChange equityWithLoanChange initMarginAfter maintMarginAfter equityWithLoanAfter commission
        minCommission maxCommission commissionCurrency warningText randomizeSize randomizePrice
    """),
    *BENCHMARK,
    *CONDITIONS,
    *block("""
        adjustedOrderType triggerPrice trailStopPrice lmtPriceOffset adjustedStopPrice adjustedStopLimitPrice
        adjustedTrailingAmount adjustableTrailingUnit softDollarTier.name softDollarTier.value
        softDollarTier.displayName cashQty dontUseAutoPriceForHedge isOmsContainer discretionaryUpToLimitPrice
        usePriceMgmtAlgo duration>=158 postToAts>=160 autoCancelParent>=162
    """),
    *_OFFSETS,
)

COMPLETED_ORDER: Final[Plan] = (
    *CONTRACT,
    *block("""
        action totalQuantity orderType lmtPrice auxPrice tif ocaGroup account openClose origin orderRef permId
        outsideRth hidden discretionaryAmt goodAfterTime faGroup faMethod faPercentage faProfile<177 modelCode
        goodTillDate rule80A percentOffset settlingFirm shortSaleSlot designatedLocation exemptCode startingPrice
        stockRefPrice delta stockRangeLower stockRangeUpper displaySize sweepToFill allOrNone minQty ocaType
        triggerMethod volatility volatilityType deltaNeutralOrderType deltaNeutralAuxPrice
    """),
    *block(
        """
        deltaNeutralConId:n deltaNeutralShortSale:b deltaNeutralShortSaleSlot:n deltaNeutralDesignatedLocation
        """,
        when=_is_delta_neutral,
    ),
    *block("continuousUpdate referencePriceType trailStopPrice trailingPercent comboLegsDescrip"),
    *COMBO,
    *SCALE,
    *HEDGE,
    *block("clearingAccount clearingIntent notHeld"),
    *UNDER,
    *ALGORITHM,
    *block("solicited status randomizeSize randomizePrice"),
    *BENCHMARK,
    *CONDITIONS,
    *block("""
        trailStopPrice lmtPriceOffset cashQty dontUseAutoPriceForHedge isOmsContainer autoCancelDate filledQuantity
        refFuturesConId autoCancelParent shareholder imbalanceOnly routeMarketableToBbo parentPermId completedTime
        completedStatus
    """),
    *_OFFSETS,
)
