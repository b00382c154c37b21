"""The fields of an order on the wire, block by block: one table for what comes in, one each for what goes out.

A name stands for the same value in every table, so that an order is echoed from what was read. ``name:n`` is a number,
``name:b`` a flag, a bare name is text; ``name>=158`` is there from that version on, ``name<177`` below it.
Source: docs/ib/wire.md, sections 3.3, 4.2 and 4.3.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from simulator.listing import ContractQuery


class FieldKind(Enum):
    """How a field is read: text as it stands, a number in its normal form, a flag as 0 or 1."""

    TEXT = ""
    NUMBER = "n"
    FLAG = "b"


@dataclass(frozen=True, slots=True)
class OrderField:
    """One field: its name, its kind, and the versions that carry it (``since`` included, ``until`` not)."""

    name: str
    kind: FieldKind
    since: int = 0
    until: int = 1 << 30

    def exists_at(self, version: int) -> bool:
        """Return whether a version carries the field."""
        return self.since <= version < self.until


Block = tuple[OrderField, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WireOrder:
    """An order as a client sent it; ``values`` by field name, unset numbers empty, flags 0 or 1."""

    order_id: int
    contract: ContractQuery
    values: Mapping[str, str]
    legs: tuple[tuple[str, ...], ...] = ()  # conId, ratio, action, exchange, openClose, slot, location, exemptCode
    leg_prices: tuple[str, ...] = ()
    routing: tuple[tuple[str, str], ...] = ()
    algo_params: tuple[tuple[str, str], ...] = ()
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


def _field(text: str) -> OrderField:
    name, _, since = text.partition(">=")
    name, _, until = name.partition("<")
    name, _, kind = name.partition(":")
    return OrderField(name, FieldKind(kind), int(since or 0), int(until or 1 << 30))


def _block(text: str) -> Block:
    return tuple(_field(each) for each in text.split())


IN_MAIN: Final = _block("""
    action totalQuantity:n orderType lmtPrice:n auxPrice:n tif ocaGroup account openClose origin:n orderRef transmit:b
    parentId:n blockOrder:b sweepToFill:b displaySize:n triggerMethod:n outsideRth:b hidden:b
""")
IN_AFTER_LEGS: Final = _block("""
    sharesAllocation discretionaryAmt:n goodAfterTime goodTillDate faGroup faMethod faPercentage faProfile<177
    modelCode shortSaleSlot:n designatedLocation exemptCode:n ocaType:n rule80A settlingFirm allOrNone:b minQty:n
    percentOffset:n eTradeOnly firmQuoteOnly nbboPriceCap:n auctionStrategy:n startingPrice:n stockRefPrice:n delta:n
    stockRangeLower:n stockRangeUpper:n overridePercentageConstraints:b volatility:n volatilityType:n
    deltaNeutralOrderType deltaNeutralAuxPrice:n
""")
IN_DELTA_NEUTRAL: Final = _block("""
    deltaNeutralConId:n deltaNeutralSettlingFirm deltaNeutralClearingAccount deltaNeutralClearingIntent
    deltaNeutralOpenClose deltaNeutralShortSale:b deltaNeutralShortSaleSlot:n deltaNeutralDesignatedLocation
""")
IN_SCALE: Final = _block("""
    continuousUpdate:b referencePriceType:n trailStopPrice:n trailingPercent:n scaleInitLevelSize:n
    scaleSubsLevelSize:n scalePriceIncrement:n
""")
SCALE_DETAILS: Final = _block("""
    scalePriceAdjustValue:n scalePriceAdjustInterval:n scaleProfitOffset:n scaleAutoReset:b scaleInitPosition:n
    scaleInitFillQty:n scaleRandomPercent:b
""")
IN_HEDGE: Final = _block("scaleTable activeStartTime activeStopTime hedgeType")
HEDGE_PARAM: Final = _block("hedgeParam")
IN_CLEARING: Final = _block("optOutSmartRouting:b clearingAccount clearingIntent notHeld:b")
IN_OPTIONS: Final = _block("algoId whatIf:b orderMiscOptions solicited:b randomizeSize:b randomizePrice:b")
PEG_BENCH: Final = _block("""
    referenceContractId:n isPeggedChangeAmountDecrease:b peggedChangeAmount:n referenceChangeAmount:n
    referenceExchangeId
""")
CONDITION_RULES: Final = _block("conditionsIgnoreRth:b conditionsCancelOrder:b")
IN_TAIL: Final = _block("""
    adjustedOrderType triggerPrice:n lmtPriceOffset:n adjustedStopPrice:n adjustedStopLimitPrice:n
    adjustedTrailingAmount:n adjustableTrailingUnit:n extOperator softDollarTier.name softDollarTier.value cashQty:n
    mifid2DecisionMaker mifid2DecisionAlgo mifid2ExecutionTrader mifid2ExecutionAlgo dontUseAutoPriceForHedge:b
    isOmsContainer:b discretionaryUpToLimitPrice:b usePriceMgmtAlgo duration:n>=158 postToAts:n>=160
    autoCancelParent:b>=162 advancedErrorOverride>=166 manualOrderTime>=169
""")
MIN_TRADE: Final = _block("minTradeQty:n")
PEG_BEST: Final = _block("minCompeteSize:n competeAgainstBestOffset:n")
PEG_MID: Final = _block("midOffsetAtWhole:n midOffsetAtHalf:n")

CONDITION_LENGTHS: Final = {1: 6, 3: 3, 4: 3, 5: 4, 6: 5, 7: 5}
"""Fields after the type, by condition type."""

OPEN_MAIN: Final = _block("""
    action totalQuantity orderType lmtPrice auxPrice tif ocaGroup account openClose origin orderRef clientId permId
    outsideRth hidden discretionaryAmt goodAfterTime sharesAllocation faGroup faMethod faPercentage faProfile<177
    modelCode goodTillDate rule80A percentOffset settlingFirm shortSaleSlot designatedLocation exemptCode
    auctionStrategy startingPrice stockRefPrice delta stockRangeLower stockRangeUpper displaySize blockOrder
    sweepToFill allOrNone minQty ocaType eTradeOnly firmQuoteOnly nbboPriceCap parentId triggerMethod volatility
    volatilityType deltaNeutralOrderType deltaNeutralAuxPrice
""")
OPEN_DELTA_NEUTRAL: Final = IN_DELTA_NEUTRAL
OPEN_COMBO: Final = _block("""
    continuousUpdate referencePriceType trailStopPrice trailingPercent basisPoints basisPointsType comboLegsDescrip
""")
OUT_SCALE: Final = _block("scaleInitLevelSize scaleSubsLevelSize scalePriceIncrement")
OUT_HEDGE: Final = _block("hedgeType")
OPEN_CLEARING: Final = _block("optOutSmartRouting clearingAccount clearingIntent notHeld")
OPEN_STATE: Final = _block("""
    solicited whatIf status initMarginBefore maintMarginBefore equityWithLoanBefore initMarginChange maintMarginChange
    equityWithLoanChange initMarginAfter maintMarginAfter equityWithLoanAfter commission minCommission maxCommission
    commissionCurrency warningText randomizeSize randomizePrice
""")
OPEN_TAIL: Final = _block("""
    adjustedOrderType triggerPrice trailStopPrice lmtPriceOffset adjustedStopPrice adjustedStopLimitPrice
    adjustedTrailingAmount adjustableTrailingUnit softDollarTier.name softDollarTier.value softDollarTier.displayName
    cashQty dontUseAutoPriceForHedge isOmsContainer discretionaryUpToLimitPrice usePriceMgmtAlgo duration>=158
    postToAts>=160 autoCancelParent>=162 minTradeQty>=170 minCompeteSize>=170 competeAgainstBestOffset>=170
    midOffsetAtWhole>=170 midOffsetAtHalf>=170
""")

DONE_MAIN: Final = _block("""
    action totalQuantity orderType lmtPrice auxPrice tif ocaGroup account openClose origin orderRef permId outsideRth
    hidden discretionaryAmt goodAfterTime faGroup faMethod faPercentage faProfile<177 modelCode goodTillDate rule80A
    percentOffset settlingFirm shortSaleSlot designatedLocation exemptCode startingPrice stockRefPrice delta
    stockRangeLower stockRangeUpper displaySize sweepToFill allOrNone minQty ocaType triggerMethod volatility
    volatilityType deltaNeutralOrderType deltaNeutralAuxPrice
""")
DONE_DELTA_NEUTRAL: Final = _block("""
    deltaNeutralConId deltaNeutralShortSale deltaNeutralShortSaleSlot deltaNeutralDesignatedLocation
""")
DONE_COMBO: Final = _block("continuousUpdate referencePriceType trailStopPrice trailingPercent comboLegsDescrip")
DONE_CLEARING: Final = _block("clearingAccount clearingIntent notHeld")
DONE_STATE: Final = _block("solicited status randomizeSize randomizePrice")
DONE_TAIL: Final = _block("""
    trailStopPrice lmtPriceOffset cashQty dontUseAutoPriceForHedge isOmsContainer autoCancelDate filledQuantity
    refFuturesConId autoCancelParent shareholder imbalanceOnly routeMarketableToBbo parentPermId completedTime
    completedStatus minTradeQty>=170 minCompeteSize>=170 competeAgainstBestOffset>=170 midOffsetAtWhole>=170
    midOffsetAtHalf>=170
""")
