"""Orders with any mixture of their conditional blocks, at every version, against the client library's own two ends."""

import dataclasses
import math
from typing import Any

import ib_async
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ib_async.order import (
    ExecutionCondition,
    MarginCondition,
    OrderComboLeg,
    PercentChangeCondition,
    PriceCondition,
    TimeCondition,
    VolumeCondition,
)
from library_orders import BAG, BROKERS_OWN, DONE, IN_ONLY, NOT_IN_DONE, STATE, decoded, differences, encoded, taken

from simulator.tws.fields import BadFieldError, Cursor
from simulator.tws.order_in import read_order
from simulator.tws.order_out import completed_order, open_order

VERSIONS = st.sampled_from([157, 176]) | st.integers(157, 176)
WORDS = st.text("abcdefghijklmnopqrstuvwxyzABCDEF 0123456789:-_", min_size=1, max_size=12).filter(
    lambda text: text == text.strip() and text != "None"
)
COUNTS = st.integers(1, 10**6)
AMOUNTS = st.integers(1, 10**8).map(lambda cents: cents / 100)
ACTIONS = st.sampled_from(["BUY", "SELL"])
JOINS = st.sampled_from(["a", "o"])
ON_CONTRACT = {"conId": COUNTS, "exch": WORDS, "conjunction": JOINS, "isMore": st.booleans()}
CONDITIONS = st.one_of(
    st.builds(PriceCondition, price=AMOUNTS, triggerMethod=st.integers(0, 8), **ON_CONTRACT),
    st.builds(TimeCondition, time=WORDS, conjunction=JOINS, isMore=st.booleans()),
    st.builds(MarginCondition, percent=COUNTS, conjunction=JOINS, isMore=st.booleans()),
    st.builds(ExecutionCondition, secType=WORDS, exch=WORDS, symbol=WORDS, conjunction=JOINS),
    st.builds(VolumeCondition, volume=COUNTS, **ON_CONTRACT),
    st.builds(PercentChangeCondition, changePercent=AMOUNTS, **ON_CONTRACT),
)
LEGS = st.builds(
    ib_async.ComboLeg,
    conId=COUNTS,
    ratio=COUNTS,
    action=ACTIONS,
    exchange=WORDS,
    openClose=st.integers(0, 3),
    shortSaleSlot=st.integers(0, 2),
    designatedLocation=WORDS,
    exemptCode=st.just(-1),
)
TAGS = st.lists(st.builds(ib_async.TagValue, WORDS, WORDS), min_size=1, max_size=4)

BLOCKS = {
    "delta-neutral order": (
        *("deltaNeutralOrderType", "deltaNeutralAuxPrice", "deltaNeutralConId", "deltaNeutralSettlingFirm"),
        *("deltaNeutralClearingAccount", "deltaNeutralClearingIntent", "deltaNeutralOpenClose"),
        *("deltaNeutralShortSale", "deltaNeutralShortSaleSlot", "deltaNeutralDesignatedLocation"),
    ),
    "scale": (
        *("scaleInitLevelSize", "scaleSubsLevelSize", "scalePriceIncrement", "scalePriceAdjustValue"),
        *("scalePriceAdjustInterval", "scaleProfitOffset", "scaleAutoReset", "scaleInitPosition"),
        *("scaleInitFillQty", "scaleRandomPercent"),
    ),
    "hedge": ("hedgeType", "hedgeParam"),
    "algorithm": ("algoStrategy", "algoParams"),
    "benchmark": (
        *("referenceContractId", "isPeggedChangeAmountDecrease", "peggedChangeAmount", "referenceChangeAmount"),
        "referenceExchangeId",
    ),
    "conditions": ("conditions", "conditionsIgnoreRth", "conditionsCancelOrder"),
    "adjusted": (
        *("adjustedOrderType", "triggerPrice", "lmtPriceOffset", "adjustedStopPrice", "adjustedStopLimitPrice"),
        *("adjustedTrailingAmount", "adjustableTrailingUnit"),
    ),
    "trail": ("trailStopPrice", "trailingPercent"),
    "volatility": ("volatility", "volatilityType", "continuousUpdate", "referencePriceType"),
    "range": ("startingPrice", "stockRefPrice", "delta", "stockRangeLower", "stockRangeUpper"),
}
"""What stands and falls together; ``benchmark`` and ``volatility`` are there by the order's type."""
OF_COMBOS = ("orderComboLegs", "smartComboRoutingParams")
OFFSETS = ("minTradeQty", "minCompeteSize", "competeAgainstBestOffset", "midOffsetAtWhole", "midOffsetAtHalf")
OTHERS = (
    *("totalQuantity", "lmtPrice", "auxPrice", "tif", "ocaGroup", "account", "openClose", "orderRef", "parentId"),
    *("blockOrder", "sweepToFill", "displaySize", "triggerMethod", "outsideRth", "hidden", "discretionaryAmt"),
    *("goodAfterTime", "goodTillDate", "faGroup", "faMethod", "faPercentage", "modelCode", "ocaType", "rule80A"),
    *("settlingFirm", "allOrNone", "minQty", "percentOffset", "auctionStrategy", "optOutSmartRouting", "notHeld"),
    *("clearingAccount", "clearingIntent", "whatIf", "solicited", "randomizeSize", "randomizePrice", "cashQty"),
    *("dontUseAutoPriceForHedge", "isOmsContainer", "discretionaryUpToLimitPrice", "duration", "postToAts"),
    *("autoCancelParent", "shortSaleSlot", "designatedLocation", "transmit"),
)
SINCE = {"duration": 159, "postToAts": 160, "autoCancelParent": 162, **dict.fromkeys(OFFSETS, 170)}
"""From which version on the library reads these of an open order; a duration at 158 it sends and does not read."""
ORDER_TYPES = ("LMT", "TRAIL", "VOL", "PEG BENCH", "PEG BEST", "PEG MID")
UNSET = {field.name: getattr(ib_async.Order(), field.name) for field in dataclasses.fields(ib_async.Order)}


def value_of(name: str) -> st.SearchStrategy[Any]:
    """Return what an attribute of the library's order can hold and the wire can tell from its being unset."""
    default = UNSET[name]
    if name == "conditions":
        return st.lists(CONDITIONS, min_size=1, max_size=6)
    if name in {"algoParams", "smartComboRoutingParams"}:
        return TAGS
    if name == "orderComboLegs":
        return st.lists(st.builds(OrderComboLeg, AMOUNTS), min_size=1, max_size=4)
    if isinstance(default, bool):
        return st.booleans()
    if isinstance(default, int):
        return COUNTS
    return AMOUNTS if isinstance(default, float) or default is None else WORDS


@st.composite
def contracts(draw: st.DrawFn) -> ib_async.Contract:
    """Return a combo or a future, with a delta-neutral contract or without."""
    under = draw(st.none() | st.builds(ib_async.DeltaNeutralContract, COUNTS, AMOUNTS, AMOUNTS))
    if draw(st.booleans()):
        legs = draw(st.lists(LEGS, min_size=1, max_size=4))
        return ib_async.Bag(symbol="VIX", exchange="SMART", comboLegs=legs, deltaNeutralContract=under)
    return ib_async.Contract(secType="FUT", conId=5, exchange="CFE", deltaNeutralContract=under)


@st.composite
def orders(draw: st.DrawFn, contract: ib_async.Contract) -> ib_async.Order:
    """Return an order with any of its blocks, and any of its other attributes."""
    order_type = draw(st.sampled_from(ORDER_TYPES))
    chosen = draw(st.sets(st.sampled_from(sorted(set(BLOCKS) - {"benchmark", "volatility"}))))
    chosen |= {"benchmark"} if order_type == "PEG BENCH" else set()
    chosen |= {"volatility"} if order_type == "VOL" else set()
    names = [name for block in sorted(chosen) for name in BLOCKS[block]]
    names += draw(st.lists(st.sampled_from(OTHERS), unique=True))
    names += [name for name in OF_COMBOS if contract.secType == "BAG" and draw(st.booleans())]
    values = {name: draw(value_of(name), name) for name in names}
    if order_type == "PEG BEST":
        values["minCompeteSize"] = draw(COUNTS)
        values["competeAgainstBestOffset"] = draw(AMOUNTS | st.just(math.inf))
    if order_type == "PEG MID" or values.get("competeAgainstBestOffset") == math.inf:
        values |= {"midOffsetAtWhole": draw(AMOUNTS), "midOffsetAtHalf": draw(AMOUNTS)}
    return ib_async.Order(action=draw(ACTIONS), orderType=order_type, **values)


def a_future() -> ib_async.Contract:
    """Return a contract without legs."""
    return ib_async.Contract(secType="FUT", conId=5, exchange="CFE")


def a_plain(order: ib_async.Order) -> ib_async.Order:
    """Return an order of the same type that says nothing else."""
    return ib_async.Order(action=order.action, orderType=order.orderType)


def expected(order: ib_async.Order, plain: ib_async.Order) -> ib_async.Order:
    """Return what is to come back: what an order says, and what is told of an order that says nothing."""
    said = {name: getattr(order, name) for name, unset in UNSET.items() if getattr(order, name) != unset}
    if order.orderType != "VOL":
        said.pop("volatility", None)  # the library takes it away before it sends
    return dataclasses.replace(plain, **said)


CASES = contracts().flatmap(lambda contract: st.tuples(st.just(contract), orders(contract)))


@settings(max_examples=200, deadline=None)
@given(CASES, VERSIONS)
def test_any_mixture_of_blocks_is_told_back_as_it_was_sent(
    case: tuple[ib_async.Contract, ib_async.Order], version: int
) -> None:
    """The library decodes openOrder to the order and the legs that it encoded, whichever blocks they have."""
    contract, order = case

    sent = taken(contract, order, version)
    told, back, state = decoded(open_order(sent, BAG, STATE, version), version)

    assert sent.surplus == 0
    left_out = IN_ONLY | BROKERS_OWN | {name for name, since in SINCE.items() if version < since}
    _, plain, _ = decoded(open_order(taken(a_future(), a_plain(order), version), BAG, STATE, version), version)
    assert differences(back, expected(order, plain), left_out) == {}
    assert told.comboLegs == contract.comboLegs
    assert told.deltaNeutralContract == contract.deltaNeutralContract
    assert state.status == STATE["status"]


@settings(max_examples=100, deadline=None)
@given(CASES, VERSIONS)
def test_any_mixture_of_blocks_is_told_once_it_is_done(
    case: tuple[ib_async.Contract, ib_async.Order], version: int
) -> None:
    """The same of completedOrder, but for what that message leaves out."""
    contract, order = case

    told, back, state = decoded(completed_order(taken(contract, order, version), BAG, DONE, version), version)

    left_out = IN_ONLY | NOT_IN_DONE | BROKERS_OWN | {name for name, since in SINCE.items() if version < since}
    _, plain, _ = decoded(completed_order(taken(a_future(), a_plain(order), version), BAG, DONE, version), version)
    assert differences(back, expected(order, plain), left_out) == {}
    assert told.comboLegs == contract.comboLegs
    assert state.completedStatus == DONE["completedStatus"]


@settings(max_examples=100, deadline=None)
@given(CASES, VERSIONS, st.data())
def test_a_frame_that_is_cut_is_never_taken_for_an_order(
    case: tuple[ib_async.Contract, ib_async.Order], version: int, data: st.DataObject
) -> None:
    """Every field of placeOrder is needed: one less and the order is unreadable, not another order."""
    fields = encoded(*case, version)
    cut = data.draw(st.integers(1, len(fields) - 1))

    with pytest.raises(BadFieldError):
        read_order(Cursor(fields[:cut], 1), version)
