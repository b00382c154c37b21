"""Orders against the client library's own encoder and decoder, with every block present and with none."""

import dataclasses
from typing import Any

import ib_async
import pytest
from ib_async.order import (
    ExecutionCondition,
    MarginCondition,
    OrderComboLeg,
    PercentChangeCondition,
    PriceCondition,
    TimeCondition,
    VolumeCondition,
)
from library_orders import (
    BAG,
    BROKERS_OWN,
    CLEARED_BY_THE_LIBRARY,
    DONE,
    IN_ONLY,
    NOT_IN_DONE,
    STATE,
    VERSION,
    a_bag,
    decoded,
    differences,
    encoded,
    taken,
)

from simulator.tws.fields import Cursor
from simulator.tws.order_in import order_texts, read_order
from simulator.tws.order_out import completed_order, open_order


def a_full_order(**changes: Any) -> ib_async.Order:
    """Return an order with a distinct value in every field."""
    values: dict[str, Any] = {}
    for position, field in enumerate(dataclasses.fields(ib_async.Order), start=100):
        default = field.default
        if isinstance(default, bool):
            values[field.name] = True
        elif isinstance(default, int):
            values[field.name] = position
        elif isinstance(default, float):
            values[field.name] = position + 0.25
        elif isinstance(default, str):
            values[field.name] = f"text {position}"
    values |= {
        "action": "BUY",
        "orderType": "PEG BENCH",
        "algoParams": [ib_async.TagValue("speed", "Normal"), ib_async.TagValue("cap", "0.1")],
        "smartComboRoutingParams": [ib_async.TagValue("NonGuaranteed", "1")],
        "orderComboLegs": [OrderComboLeg(1.25), OrderComboLeg(2.5)],
        "softDollarTier": ib_async.SoftDollarTier("tier", "value", ""),
        "conditions": [
            PriceCondition(price=1.5, conId=4, exch="CBOE", triggerMethod=2),
            TimeCondition(time="20261019 10:00:00 US/Eastern", conjunction="o"),
            MarginCondition(percent=30),
            ExecutionCondition(secType="OPT", exch="CBOE", symbol="VIX"),
            VolumeCondition(volume=1000, conId=4, exch="CBOE"),
            PercentChangeCondition(changePercent=1.5, conId=4, exch="CBOE"),
        ],
    }
    return ib_async.Order(**(values | changes))


def test_an_order_with_every_block_is_read_to_its_end() -> None:
    """No field is left over, and lists have their entries."""
    sent = taken(a_bag(), a_full_order())

    assert sent.surplus == 0
    assert [leg[:3] for leg in sent.legs] == [("11", "1", "BUY"), ("12", "2", "SELL")]
    assert sent.leg_prices == ("1.25", "2.5")
    assert sent.routing == (("NonGuaranteed", "1"),)
    assert sent.algo_params == (("speed", "Normal"), ("cap", "0.1"))
    assert [condition[0] for condition in sent.conditions] == ["1", "3", "4", "5", "6", "7"]
    assert sent.value("referenceExchangeId") == "text " + str(
        100 + [field.name for field in dataclasses.fields(ib_async.Order)].index("referenceExchangeId")
    )


@pytest.mark.parametrize("order_type", ["PEG BENCH", "VOL", "PEG MID"])
def test_every_field_of_an_open_order_comes_back_as_it_was_sent(order_type: str) -> None:
    """The library decodes openOrder to the order that it encoded, attribute by attribute."""
    order = a_full_order(orderType=order_type)
    plain = (
        set()
        if order_type == "PEG BENCH"
        else {
            *("referenceContractId", "isPeggedChangeAmountDecrease", "peggedChangeAmount"),
            *("referenceChangeAmount", "referenceExchangeId"),
        }
    )
    tails = {"minTradeQty", "minCompeteSize", "competeAgainstBestOffset"}
    plain |= set() if order_type == "VOL" else CLEARED_BY_THE_LIBRARY
    tails |= set() if order_type == "PEG MID" else {"midOffsetAtWhole", "midOffsetAtHalf"}

    contract, back, state = decoded(open_order(taken(a_bag(), order), BAG, STATE, VERSION))

    assert differences(back, order, IN_ONLY | BROKERS_OWN | plain | tails) == {}
    assert [(leg.conId, leg.ratio, leg.action) for leg in contract.comboLegs] == [(11, 1, "BUY"), (12, 2, "SELL")]
    assert (back.permId, back.clientId, back.orderId, state.status) == (123, 7, 9, "Submitted")


def test_every_field_of_a_completed_order_comes_back_as_it_was_sent() -> None:
    """The library decodes completedOrder to the order that it encoded, but for what that message leaves out."""
    order = a_full_order()
    tails = {"minTradeQty", "minCompeteSize", "competeAgainstBestOffset", "midOffsetAtWhole", "midOffsetAtHalf"}

    contract, back, state = decoded(completed_order(taken(a_bag(), order), BAG, DONE, VERSION))

    assert differences(back, order, IN_ONLY | NOT_IN_DONE | BROKERS_OWN | CLEARED_BY_THE_LIBRARY | tails) == {}
    assert contract.comboLegsDescrip == "11|1,12|-2"
    assert (back.permId, back.filledQuantity, state.status) == (123, 2.0, "Submitted")
    assert (state.completedTime, state.completedStatus) == ("20261019 10:00:00 US/Eastern", "Filled")


def test_an_order_without_optional_blocks_comes_back_plain() -> None:
    """Unset fields stay unset, and the text "None" stands for no delta-neutral order."""
    order = ib_async.LimitOrder("SELL", 3, 1.5, tif="DAY", orderRef="plain", account="DU1")

    _, back, _ = decoded(open_order(taken(ib_async.Contract(secType="FUT", conId=5), order), BAG, STATE, VERSION))

    assert (back.action, back.totalQuantity, back.lmtPrice, back.orderRef) == ("SELL", 3.0, 1.5, "plain")
    assert back.deltaNeutralOrderType == "None"
    unset = ib_async.Order()
    for name in ("trailStopPrice", "percentOffset", "cashQty", "minQty", "scalePriceIncrement", "duration"):
        assert getattr(back, name) == getattr(unset, name), name


@pytest.mark.parametrize(
    ("order_type", "offset", "count"), [("PEG BEST", 0.02, 2), ("PEG BEST", float("inf"), 4), ("PEG MID", 0.02, 2)]
)
def test_the_tail_of_pegged_orders_is_read(order_type: str, offset: float, count: int) -> None:
    """Offsets stand at the end for some order types only, two more where the client says Infinite."""
    order = ib_async.Order(
        action="BUY",
        totalQuantity=1,
        orderType=order_type,
        minCompeteSize=4,
        competeAgainstBestOffset=offset,
        midOffsetAtWhole=1.0,
        midOffsetAtHalf=2.0,
    )

    sent = taken(ib_async.Contract(secType="FUT", conId=5), order)

    assert sent.surplus == 0
    tail = ("minCompeteSize", "competeAgainstBestOffset", "midOffsetAtWhole", "midOffsetAtHalf")
    assert sum(name in sent.values for name in tail) == count


@pytest.mark.parametrize(("order_type", "count"), [("LMT", 0), ("PEG BENCH", 5)])
def test_a_placed_order_is_written_back_field_by_field(order_type: str, count: int) -> None:
    """What the library wrote is what the plan writes, with every block present, at the library's version."""
    fields = encoded(a_bag(), a_full_order(orderType=order_type))

    again = order_texts(read_order(Cursor(fields, 1), VERSION), VERSION)

    normal = {"True": "1", "False": "0"}
    assert [_number(text) for text in again] == [_number(normal.get(text, text)) for text in fields]
    assert len(again) == len(encoded(a_bag(), a_full_order(orderType="LMT"))) + count


def _number(text: str) -> str | float:
    """Return a number by its value: two spellings of unset, or of a whole number, are the same."""
    try:
        return 0.0 if text in {"", "0", "1.7976931348623157e+308", "2147483647"} else float(text)
    except ValueError:
        return text


def test_the_layout_below_158_has_no_tail() -> None:
    """At 157 a plain order has 110 fields and is read to its end: the gates are in the table."""
    fields = encoded(ib_async.Contract(secType="FUT", conId=5), ib_async.LimitOrder("BUY", 1, 1.0))
    assert len(fields) == 115

    sent = read_order(Cursor(fields[:-5], 1), 157)

    assert sent.surplus == 0
    assert "duration" not in sent.values


@pytest.mark.parametrize(("version", "length"), [(157, 128), (163, 131), (176, 136), (177, 135)])
def test_an_open_order_has_the_length_of_its_version(version: int, length: int) -> None:
    """128 fields at 157, 136 at 176; the obsolete profile is gone at 177."""
    sent = taken(ib_async.Contract(secType="FUT", conId=5), ib_async.LimitOrder("BUY", 1, 1.0))

    frame = open_order(sent, BAG, STATE, version)

    assert len(frame[4:].split(b"\0")) - 1 == length
