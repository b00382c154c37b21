"""The ledger: positions and lots follow from executions alone."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.fees import FeeSchedule
from bot.domain.instrument import Instrument, Side
from bot.domain.layer import Layer
from bot.domain.ledger import lots_of, positions_after, positions_before, trade_date, units_filled
from bot.domain.orders import Fill, FillPart, IntentId, Leg, Order, Purpose
from bot.domain.portfolio import Lot, Position
from tests.builders import (
    FEES,
    NOON,
    NOVEMBER,
    TODAY,
    a_future,
    a_lot,
    an_intent,
    an_order,
    buys,
    mirrored,
    spread_legs,
    vix_call,
)


def a_fill(
    exec_id: str = "x-1",
    *,
    ref: str = "i-1",
    part: FillPart = FillPart.WHOLE,
    instrument: Instrument | None = None,
    side: Side = Side.BUY,
    quantity: int = 1,
    price: str = "1.00",
    minute: int = 0,
) -> Fill:
    """An execution after noon."""
    return Fill(
        exec_id=exec_id,
        order_ref=ref,
        perm_id=7,
        account="DU1234567",
        part=part,
        instrument=None if part is FillPart.COMBO else instrument or vix_call(20),
        side=side,
        quantity=quantity,
        price=Decimal(price),
        at=NOON + timedelta(minutes=minute),
    )


def spread_fills(
    ref: str, quantity: int, net: str, *, legs: tuple[Leg, ...] | None = None, side: Side = Side.BUY, minute: int = 0
) -> list[Fill]:
    """The net fill of a combo and its two legs."""
    made = [a_fill(f"{ref}-n", ref=ref, part=FillPart.COMBO, side=side, quantity=quantity, price=net, minute=minute)]
    for leg in legs or spread_legs():
        own = leg.side if side is Side.BUY else leg.side.opposite
        made.append(
            a_fill(
                f"{ref}-{leg.instrument.strike}",
                ref=ref,
                part=FillPart.LEG,
                instrument=leg.instrument,
                side=own,
                quantity=quantity,
                minute=minute,
            )
        )
    return made


def an_own_order(ref: str, *, quantity: int, purpose: Purpose = Purpose.OVERLAY_BUILD, legs: tuple[Leg, ...]) -> Order:
    """An order of ours, whose state does not matter here."""
    return an_order(an_intent(legs, quantity=quantity, intent_id=ref, purpose=purpose, exposure=12.5))


def test_a_trade_belongs_to_its_day_in_new_york() -> None:
    """Half past one in the morning in Greenwich is the evening before."""
    assert trade_date(datetime(2026, 10, 21, 1, 30, tzinfo=UTC)) == TODAY


def test_positions_follow_from_executions() -> None:
    """Legs move positions, the net of a combo none; flat ones are left out; costs of the broker are kept."""
    start = [
        Position(instrument=vix_call(21), quantity=1, average_cost_usd=Decimal(150)),
        Position(instrument=vix_call(30), quantity=2),
    ]
    fills = [*spread_fills("i-1", 2, "0.80"), a_fill(instrument=vix_call(30), side=Side.SELL, quantity=2)]
    after = positions_after(start, fills)
    assert {key: position.quantity for key, position in after.items()} == {
        vix_call(21).key: 3,
        vix_call(26).key: -2,
    }
    assert after[vix_call(21).key].average_cost_usd == 150
    before = {position.instrument.key: position.quantity for position in positions_before(after.values(), fills)}
    assert before == {vix_call(21).key: 1, vix_call(30).key: 2}


@given(st.permutations(spread_fills("i-1", 2, "0.80") + spread_fills("i-2", 1, "0.90", minute=1)))
def test_the_order_of_arrival_does_not_matter(fills: list[Fill]) -> None:
    """Positions and lots are functions of the set of executions."""
    legs = spread_legs()
    orders = [an_own_order("i-1", quantity=2, legs=legs), an_own_order("i-2", quantity=1, legs=legs)]
    lots = lots_of(orders, fills, {}, FEES)
    assert [(lot.lot_id, lot.units_open, lot.cost_usd) for lot in lots] == [
        ("i-1", 2, Decimal("165.20")),
        ("i-2", 1, Decimal("92.60")),
    ]
    assert units_filled(IntentId("i-1"), fills) == 2


def test_a_lot_remembers_what_it_was_bought_for() -> None:
    """Average price, exposure when planned, expiry, and fees as reported where they are."""
    fills = [
        *spread_fills("i-1", 1, "0.80"),
        a_fill("i-1-more", ref="i-1", part=FillPart.COMBO, price="0.90", minute=1),
    ]
    order = an_own_order("i-1", quantity=2, legs=spread_legs())
    known = {"i-1-21": Decimal("0.70"), "i-1-26": Decimal("0.71")}
    (lot,) = lots_of([order], fills, known, FEES)
    assert (lot.entry_price, lot.exposure_usd_per_point, lot.expires_on) == (Decimal("0.85"), 12.5, NOVEMBER)
    assert lot.cost_usd == Decimal(170) + Decimal("1.41")


def test_a_combo_whose_legs_are_under_way_is_charged_by_the_schedule() -> None:
    """The net fill came first: the fees of both legs are expected."""
    order = an_own_order("i-1", quantity=1, legs=spread_legs())
    (lot,) = lots_of([order], spread_fills("i-1", 1, "0.80")[:1], {}, FEES)
    assert lot.cost_usd == Decimal("82.60")


def test_legs_without_their_net_make_no_lot_yet() -> None:
    """The order moves by its net alone; the same holds for a sale."""
    order = an_own_order("i-1", quantity=1, legs=spread_legs())
    sale = an_own_order("i-2", quantity=1, legs=mirrored(spread_legs()), purpose=Purpose.OVERLAY_UNWIND)
    assert lots_of([order], spread_fills("i-1", 1, "0.80")[1:], {}, FEES) == ()
    fills = [
        *spread_fills("i-1", 1, "0.80"),
        *spread_fills("i-2", 1, "-0.70", legs=mirrored(spread_legs()), minute=1)[1:],
    ]
    assert lots_of([order, sale], fills, {}, FEES)[0].units_open == 1


def test_a_lot_stays_in_the_layer_it_was_bought_for_and_is_sold_from_there() -> None:
    """The same contracts in two layers: a sale for one leaves the other alone, and the roll of a wing makes no lot."""
    overlay = an_own_order("i-1", quantity=2, legs=spread_legs())
    base = an_own_order("i-2", quantity=3, legs=spread_legs(), purpose=Purpose.BASE_BUILD)
    base = replace(base, intent=replace(base.intent, layer=Layer.MEDIUM))
    sale = an_own_order("i-3", quantity=1, legs=mirrored(spread_legs()), purpose=Purpose.BASE_EXIT)
    sale = replace(sale, intent=replace(sale.intent, layer=Layer.MEDIUM))
    roll = an_own_order("i-4", quantity=1, legs=spread_legs(), purpose=Purpose.WING_ROLL)
    fills = [
        *spread_fills("i-1", 2, "0.80"),
        *spread_fills("i-2", 3, "0.80", minute=1),
        *spread_fills("i-3", 1, "-0.70", legs=mirrored(spread_legs()), minute=2),
        *spread_fills("i-4", 1, "0.80", minute=3),
    ]
    lots = lots_of([overlay, base, sale, roll], fills, {}, FEES)
    assert [(lot.layer, lot.units_open) for lot in lots] == [(Layer.OVERLAY, 2), (Layer.MEDIUM, 2)]


def test_foreign_executions_make_no_lot() -> None:
    """A fill whose order is not ours is no hedge purchase."""
    assert lots_of([], [a_fill()], {}, FEES) == ()


def _sold(units: int, price: str, legs: tuple[Leg, ...] | None = None) -> tuple[Lot, ...]:
    """Two lots of two spreads at 0.80 and 0.90, then a sale."""
    own, sold = spread_legs(), legs or spread_legs()
    orders = [
        an_own_order("i-1", quantity=2, legs=own),
        an_own_order("i-2", quantity=2, legs=own),
        an_own_order("u-1", quantity=units, legs=mirrored(sold), purpose=Purpose.OVERLAY_UNWIND),
    ]
    fills = [
        *spread_fills("i-1", 2, "0.80"),
        *spread_fills("i-2", 2, "0.90", minute=1),
        *spread_fills("u-1", units, price, legs=mirrored(sold), minute=2),
    ]
    return lots_of(orders, fills, {}, FEES)


def test_a_sale_takes_the_oldest_lots_first() -> None:
    """Three of four sold at 1.00: the first lot whole, one unit of the second; proceeds less fees are recovered."""
    first, second = _sold(3, "-1.00")
    assert (first.units_open, second.units_open) == (0, 1)
    assert first.recovered_usd == 2 * (Decimal(100) - Decimal("2.60"))
    assert second.recovered_usd == Decimal(100) - Decimal("2.60")
    assert (first.closed_on, second.last_sold_on) == (TODAY, TODAY)


def test_a_sale_is_booked_against_an_overlay_that_was_found() -> None:
    """Two of three stated spreads are sold: one is left; a base lot with the same contracts is nobody's to sell."""
    stated = a_lot(spread_legs(), units=3, layer=Layer.OVERLAY, lot_id="stated")
    base = a_lot(spread_legs(), units=3, layer=Layer.SHORT, lot_id="base")
    order = an_own_order("u-1", quantity=2, legs=mirrored(spread_legs()), purpose=Purpose.OVERLAY_UNWIND)
    fills = spread_fills("u-1", 2, "-1.00", legs=mirrored(spread_legs()))
    lots = lots_of([order], fills, {}, FEES, (base, stated))
    assert {lot.lot_id: lot.units_open for lot in lots} == {"base": 3, "stated": 1}


def test_a_sale_of_other_contracts_touches_no_lot() -> None:
    """A lot is only reduced by its own mirrored legs."""
    assert [lot.units_open for lot in _sold(2, "-1.00", spread_legs(22, 27))] == [2, 2]


def test_a_future_recovers_its_price_change() -> None:
    """Bought at 19.00, sold at 18.50: fees as cost, the loss as negative recovery."""
    mini = a_future("VXM")
    buy = an_own_order("i-1", quantity=1, legs=(buys(mini),))
    sale = an_own_order("u-1", quantity=1, legs=mirrored((buys(mini),)), purpose=Purpose.OVERLAY_UNWIND)
    fills = [
        a_fill("a", ref="i-1", instrument=mini, price="19.00"),
        a_fill("b", ref="u-1", instrument=mini, side=Side.SELL, price="18.50", minute=1),
    ]
    (lot,) = lots_of([buy, sale], fills, {}, FeeSchedule())
    assert (lot.cost_usd, lot.recovered_usd) == (Decimal("1.20"), Decimal("-51.20"))
    assert lot.net_cost_usd == Decimal("52.40")
