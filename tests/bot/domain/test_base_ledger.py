"""The ledger of the base layers: a lot keeps the layer it was bought for, and a sale takes from its own layer alone."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.instrument import Side
from bot.domain.layer import BASE_LAYERS, Layer
from bot.domain.ledger import lots_of
from bot.domain.orders import Fill, FillPart, Order, Purpose
from bot.domain.portfolio import Lot
from tests.builders import ACCOUNT, FEES, NOON, a_lot, a_plan, an_intent, an_order, buys, sells, vix_call

CALL = vix_call(20)
PER_CALL = Decimal("1.30")


def an_order_of(layer: Layer, quantity: int, purpose: Purpose, ref: str) -> Order:
    """An order in the same call for whichever layer, filled whole."""
    legs = (buys(CALL) if purpose.buys_hedge else sells(CALL),)
    limit = "1.60" if purpose.buys_hedge else "-1.60"
    intent = an_intent(legs, quantity=quantity, limit=limit, purpose=purpose, intent_id=ref, exposure=26.0)
    return an_order(replace(intent, layer=layer), filled=quantity)


def its_fill(order: Order, price: str = "1.60") -> Fill:
    """The execution of all of it."""
    leg = order.intent.legs[0]
    return Fill(
        exec_id=f"e-{order.intent.intent_id}",
        order_ref=order.intent.intent_id,
        perm_id=1,
        account=ACCOUNT,
        part=FillPart.WHOLE,
        instrument=CALL,
        side=Side.BUY if leg.side is Side.BUY else Side.SELL,
        quantity=order.intent.quantity,
        price=Decimal(price),
        at=NOON,
    )


def booked(*orders: Order, found: tuple[Lot, ...] = ()) -> dict[Layer, int]:
    """Calls left by layer after all orders have filled."""
    lots = lots_of(orders, [its_fill(order) for order in orders], {}, FEES, found)
    return {layer: sum(lot.units_open for lot in lots if lot.layer is layer) for layer in Layer}


@pytest.mark.parametrize("layer", BASE_LAYERS)
def test_a_lot_keeps_the_layer_it_was_bought_for(layer: Layer) -> None:
    """With its cost, its fees and the exposure of one call when it was planned."""
    order = an_order_of(layer, 4, Purpose.BASE_BUILD, "b-1")
    (lot,) = lots_of([order], [its_fill(order)], {}, FEES)
    assert (lot.layer, lot.units_open, lot.exposure_usd_per_point) == (layer, 4, 26.0)
    assert lot.cost_usd == 4 * (160 + PER_CALL)


@given(
    bought=st.lists(st.tuples(st.sampled_from(BASE_LAYERS), st.integers(1, 9)), min_size=1, max_size=5),
    sold=st.sampled_from(BASE_LAYERS),
    quantity=st.integers(1, 9),
)
def test_a_sale_takes_from_its_own_layer_alone(bought: list[tuple[Layer, int]], sold: Layer, quantity: int) -> None:
    """All layers hold the same call: only the one that sells has fewer, and never fewer than none."""
    builds = [
        an_order_of(layer, units, Purpose.BASE_BUILD, f"b-{number}") for number, (layer, units) in enumerate(bought)
    ]
    before, after = booked(*builds), booked(*builds, an_order_of(sold, quantity, Purpose.BASE_EXIT, "x-1"))
    for layer in Layer:
        assert after[layer] == (max(0, before[layer] - quantity) if layer is sold else before[layer])


def test_a_found_lot_is_sold_like_one_that_was_bought() -> None:
    """The operator's calls of the layer go first, then the bot's own."""
    found = a_lot((buys(CALL),), units=3, layer=Layer.MEDIUM, lot_id="found", entry_price="1.50")
    own = an_order_of(Layer.MEDIUM, 2, Purpose.BASE_BUILD, "b-1")
    sale = an_order_of(Layer.MEDIUM, 4, Purpose.BASE_EXIT, "x-1")
    lots = lots_of([own, sale], [its_fill(own), its_fill(sale)], {}, FEES, (found,))
    assert [lot.units_open for lot in lots] == [0, 1]


def test_a_wing_makes_and_sells_no_lot() -> None:
    """What is done to the condors is no hedge."""
    order = an_order_of(Layer.OVERLAY, 1, Purpose.WING_ROLL, "w-1")
    assert booked(order, found=(a_lot((buys(CALL),)),))[Layer.OVERLAY] == 1


def test_a_plan_asks_for_something_with_orders_or_a_question() -> None:
    """A plan without either holds."""
    assert a_plan(an_intent()).asks_for_something
    assert not a_plan().asks_for_something
