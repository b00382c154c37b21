"""From an order on the wire to an order for the exchange: what is understood and what is refused."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from floors import a_call, a_future, an_open_floor

from bot.domain.instrument import Side
from simulator.listing import ContractQuery
from simulator.tws.fields import BadFieldError
from simulator.tws.order_fields import WireOrder
from simulator.tws.order_terms import query_of, venue_order
from simulator.tws.resolved import COMBO_CON_ID, NotPlaced, Resolved, resolve
from simulator.venue import (
    ChangeCondition,
    ExecutionCondition,
    MarginCondition,
    OcaType,
    OrderType,
    PriceCondition,
    Tif,
    TimeCondition,
    VenueOrder,
    VolumeCondition,
)

_OPENED = an_open_floor()
FLOOR = _OPENED.floor
PLAIN = {
    "action": "SELL",
    "totalQuantity": "3.0",
    "orderType": "LMT",
    "lmtPrice": "19.5",
    "orderRef": "r",
    "transmit": "1",
}
UNTIL = datetime(2026, 10, 20, 19, tzinfo=UTC)
BAG = ContractQuery(symbol="VIX", sec_type="BAG", exchange="SMART", currency="USD")


def number_of(strike: int) -> str:
    """Return a call's contract number."""
    return str(FLOOR.listing(a_call(_OPENED, strike)).con_id)


def leg(strike: int, side: str, ratio: str = "1") -> tuple[str, ...]:
    """Return a leg's eight fields."""
    return (number_of(strike), ratio, side, "SMART", "0", "0", "", "-1")


def a_sent(contract: ContractQuery, **changes: object) -> WireOrder:
    """Return an order as read from the wire; ``values`` are laid over a plain sale."""
    values = {**PLAIN, **dict(changes.pop("values", {}))}
    return replace(WireOrder(order_id=4, contract=contract, values=values), **changes)


def understood(sent: WireOrder) -> VenueOrder | NotPlaced:
    """Return what becomes of an order of client 6."""
    resolved = resolve(query_of(sent), FLOOR)
    return resolved if isinstance(resolved, NotPlaced) else venue_order(sent, resolved, 6, FLOOR)


FUTURE = ContractQuery(con_id=FLOOR.listing(a_future(_OPENED)).con_id, exchange="CFE")


def test_a_single_contract_keeps_the_orders_side() -> None:
    """The leg is bought once per unit and the order's side turns it: a sale is a SELL of one leg."""
    order = understood(a_sent(FUTURE))

    assert isinstance(order, VenueOrder)
    assert (order.side, order.quantity, order.limit, order.client_id) == (Side.SELL, 3, Decimal("19.5"), 6)
    assert [(each.instrument, each.side, each.ratio) for each in order.legs] == [(a_future(_OPENED), Side.BUY, 1)]
    assert (order.account, order.tif, order.order_ref) == ("DU1234567", "DAY", "r")


def test_a_combo_keeps_sides_and_ratios_of_its_legs() -> None:
    """Legs are found by their numbers alone; the combo is told back under its own number."""
    sent = a_sent(BAG, legs=(leg(20, "BUY"), leg(25, "SELL", "2")))

    order = understood(sent)

    assert isinstance(order, VenueOrder)
    assert [(each.side, each.ratio) for each in order.legs] == [(Side.BUY, 1), (Side.SELL, 2)]
    assert resolve(BAG, FLOOR) == Resolved(
        con_id=COMBO_CON_ID, symbol="VIX", sec_type="BAG", exchange="SMART", currency="USD"
    )


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"scaleInitLevelSize": "2"}, 201),
        ({"scalePriceIncrement": "0.05"}, 201),
        ({"scaleTable": "table"}, 201),
        ({"hedgeType": "D"}, 201),
        ({"adjustedOrderType": "STP"}, 201),
        ({"deltaNeutralOrderType": "LMT"}, 201),
        ({"faGroup": "group"}, 201),
        ({"faProfile": "profile"}, 201),
        ({"cashQty": "1000"}, 201),
        ({"discretionaryAmt": "0.05"}, 201),
        ({"percentOffset": "0.02"}, 201),
        ({"hidden": "1"}, 201),
        ({"sweepToFill": "1"}, 201),
        ({"duration": "600"}, 201),
        ({"algoStrategy": "DarkIce"}, 201),
        ({"tif": "GTX"}, 201),
        ({"orderType": "VOL"}, 387),
        ({"orderType": "LIT"}, 387),
        ({"ocaType": "7", "ocaGroup": "g"}, 321),
        ({"tif": "GTD"}, 321),
    ],
)
def test_what_is_not_simulated_is_refused_by_name(values: dict[str, str], code: int) -> None:
    """An attribute that would change how the order trades ends it, and the text says which one."""
    refused = understood(a_sent(FUTURE, values=values))

    assert isinstance(refused, NotPlaced)
    assert refused.code == code
    name, value = next(iter(values.items()))
    assert any(word in refused.text for word in (name, value, "goodTillDate"))


def test_a_delta_neutral_contract_is_refused() -> None:
    """The under-component is no text field, and is refused all the same."""
    refused = understood(a_sent(FUTURE, under_component=("1", "0.5", "20")))

    assert isinstance(refused, NotPlaced)
    assert refused.code == 201


@pytest.mark.parametrize(
    ("values", "terms"),
    [
        ({"orderType": "MKT", "lmtPrice": "19.5"}, {"order_type": OrderType.MARKET, "limit": None}),
        ({"orderType": "STP", "auxPrice": "17.5"}, {"auxiliary": Decimal("17.5"), "limit": None}),
        ({"orderType": "STP LMT", "auxPrice": "17.5"}, {"auxiliary": Decimal("17.5"), "limit": Decimal("19.5")}),
        ({"orderType": "MIDPRICE"}, {"cap": Decimal("19.5"), "limit": None}),
        ({"orderType": "MIDPRICE", "lmtPrice": "0.0"}, {"cap": None}),
        ({"orderType": "REL", "auxPrice": "0.05"}, {"cap": Decimal("19.5"), "auxiliary": Decimal("0.05")}),
        ({"orderType": "PEGMID"}, {"order_type": OrderType.PEG_MID}),
        ({"orderType": "LOC"}, {"order_type": OrderType.LIMIT_ON_CLOSE, "limit": Decimal("19.5")}),
        ({"orderType": "MOC"}, {"order_type": OrderType.MARKET_ON_CLOSE, "limit": None}),
        (
            {"orderType": "TRAIL", "auxPrice": "0", "trailingPercent": "2.5", "trailStopPrice": "18"},
            {"auxiliary": None, "trail_pct": Decimal("2.5"), "trail_stop": Decimal(18)},
        ),
        (
            {"orderType": "TRAIL LIMIT", "auxPrice": "0.5", "lmtPriceOffset": "0.1"},
            {"auxiliary": Decimal("0.5"), "limit_offset": Decimal("0.1")},
        ),
        ({"tif": "GTD", "goodTillDate": "20261020 15:00:00 US/Eastern"}, {"tif": Tif.GTD, "good_till": UNTIL}),
        ({"tif": "GTD", "goodTillDate": "20261020-19:00:00"}, {"good_till": UNTIL}),
        ({"goodAfterTime": "20261020 15:00:00"}, {"good_after": UNTIL}),
        ({"ocaGroup": "g"}, {"oca_group": "g", "oca_type": OcaType.CANCEL_WITH_BLOCK}),
        ({"ocaGroup": "g", "ocaType": "3"}, {"oca_type": OcaType.REDUCE}),
        ({"ocaType": "3"}, {"oca_type": OcaType.NONE}),
        ({"parentId": "3", "transmit": "0"}, {"parent_id": 3, "transmit": False}),
        ({"allOrNone": "1", "minQty": "2", "displaySize": "1"}, {"all_or_none": True, "min_quantity": 2}),
        ({"displaySize": "1"}, {"display_quantity": 1}),
        ({"outsideRth": "1"}, {"outside_rth": True}),
        ({"overridePercentageConstraints": "1"}, {"overrides_constraints": True}),
        ({"algoStrategy": "Adaptive"}, {"algo": "Adaptive"}),
        ({"algoStrategy": "Vwap"}, {"algo": "Vwap"}),
    ],
)
def test_every_term_reaches_the_exchange(values: dict[str, str], terms: dict[str, object]) -> None:
    """Types, prices, times, groups and sizes stand in the exchange's order as the client meant them."""
    order = understood(a_sent(FUTURE, values=values))

    assert isinstance(order, VenueOrder)
    assert {name: getattr(order, name) for name in terms} == terms


def test_leg_prices_and_the_route_of_a_combo_are_taken_over() -> None:
    """A price for one leg leaves the others open; NonGuaranteed lets legs fill without each other."""
    legs = (leg(20, "BUY"), leg(25, "SELL"))

    priced = understood(a_sent(BAG, legs=legs, leg_prices=("1.0", ""), routing=(("NonGuaranteed", "1"),)))
    plain = understood(a_sent(BAG, legs=legs, leg_prices=("", "")))

    assert isinstance(priced, VenueOrder)
    assert isinstance(plain, VenueOrder)
    assert (priced.leg_prices, priced.non_guaranteed) == ((Decimal("1.0"), None), True)
    assert (plain.leg_prices, plain.non_guaranteed) == ((), False)


def test_the_limit_of_a_combo_with_a_price_for_each_leg_is_their_net() -> None:
    """Bought legs less sold ones, by ratio; with a leg left open there is no limit."""
    legs, values = (leg(20, "BUY"), leg(25, "SELL", "2")), {"lmtPrice": ""}

    priced = understood(a_sent(BAG, legs=legs, leg_prices=("3.25", "1.0"), values=values))
    partly = understood(a_sent(BAG, legs=legs, leg_prices=("3.25", ""), values=values))

    assert isinstance(priced, VenueOrder)
    assert isinstance(partly, VenueOrder)
    assert (priced.limit, partly.limit) == (Decimal("1.25"), None)


def test_conditions_of_all_six_types_are_understood() -> None:
    """Each type becomes its own condition, joined as the client said."""
    number, call = number_of(20), a_call(_OPENED, 20)
    conditions = (
        ("1", "a", "1", "1.5", number, "SMART", "0"),
        ("3", "o", "1", "20261020 15:00:00 US/Eastern"),
        ("4", "a", "0", "30"),
        ("5", "o", "OPT", "SMART", "VIX"),
        ("6", "a", "1", "1000", number, "SMART"),
        ("7", "a", "0", "-2.5", number, "SMART"),
    )

    order = understood(
        a_sent(FUTURE, conditions=conditions, values={"conditionsCancelOrder": "1", "conditionsIgnoreRth": "1"})
    )

    assert isinstance(order, VenueOrder)
    assert order.conditions == (
        PriceCondition(instrument=call, is_more=True, price=Decimal("1.5")),
        TimeCondition(is_more=True, at=UNTIL, joins_by_and=False),
        MarginCondition(is_more=False, percent=30),
        ExecutionCondition(symbol="VIX", sec_type="OPT", joins_by_and=False),
        VolumeCondition(instrument=call, is_more=True, volume=1000),
        ChangeCondition(instrument=call, is_more=False, percent=Decimal("-2.5")),
    )
    assert (order.conditions_cancel, order.conditions_outside_rth) == (True, True)


def test_a_condition_on_an_unknown_contract_is_error_200() -> None:
    """Its number names nothing that is listed."""
    refused = understood(a_sent(FUTURE, conditions=(("1", "a", "1", "1.5", "99", "SMART", "0"),)))

    assert isinstance(refused, NotPlaced)
    assert refused.code == 200


@pytest.mark.parametrize(
    "changes",
    [
        {"values": {"goodAfterTime": "soon"}},
        {"values": {"minQty": "1.5"}},
        {"conditions": (("3", "a", "1", "whenever"),)},
        {"conditions": (("4", "x", "1", "30"),)},
    ],
)
def test_a_term_that_cannot_be_read_is_a_bad_field(changes: dict[str, object]) -> None:
    """The session answers it with 321 to the order."""
    with pytest.raises(BadFieldError):
        understood(a_sent(FUTURE, **changes))


@pytest.mark.parametrize(
    ("contract", "legs", "code"),
    [
        (ContractQuery(symbol="VIX", sec_type="FUT", exchange="CFE"), (), 200),
        (ContractQuery(symbol="XYZ", sec_type="FUT"), (), 200),
        (BAG, (), 321),
        (BAG, (("99", "1", "BUY", "SMART", "0", "0", "", "-1"),), 200),
    ],
)
def test_a_contract_that_is_none_or_several_places_nothing(
    contract: ContractQuery, legs: tuple[tuple[str, ...], ...], code: int
) -> None:
    """Ambiguous, unknown, without legs, with a leg that is not listed."""
    refused = understood(a_sent(contract, legs=legs))

    assert isinstance(refused, NotPlaced)
    assert refused.code == code


@pytest.mark.parametrize("fields", [("abc", "1", "BUY"), ("1", "x", "BUY"), ("1", "1", "HOLD"), ("1", "1")])
def test_a_leg_that_cannot_be_read_is_a_bad_field(fields: tuple[str, ...]) -> None:
    """The session answers it with 321 to the order."""
    with pytest.raises(BadFieldError, match="leg"):
        understood(a_sent(BAG, legs=(fields,)))
