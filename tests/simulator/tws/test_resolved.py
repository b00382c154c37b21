"""From an order on the wire to an order for the exchange: what is understood and what is refused."""

from dataclasses import replace
from decimal import Decimal

import pytest
from floors import a_call, a_future, an_open_floor

from bot.domain.instrument import Side
from simulator.listing import ContractQuery
from simulator.tws.fields import BadFieldError
from simulator.tws.order_fields import WireOrder
from simulator.tws.resolved import COMBO_CON_ID, NotPlaced, Resolved, resolve, venue_order
from simulator.venue import VenueOrder

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
    resolved = resolve(sent.contract, FLOOR)
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
    "values",
    [
        {"transmit": "0"},
        {"parentId": "3"},
        {"ocaGroup": "group"},
        {"allOrNone": "1"},
        {"minQty": "2"},
        {"goodAfterTime": "20261019 12:00:00"},
    ],
)
def test_what_would_change_how_an_order_trades_is_refused_not_ignored(values: dict[str, str]) -> None:
    """An attribute that this exchange does not know ends the order with 201 and its name."""
    refused = understood(a_sent(FUTURE, values=values))

    assert isinstance(refused, NotPlaced)
    assert refused.code == 201
    assert next(iter(values)) in refused.text


def test_conditions_and_leg_prices_are_refused() -> None:
    """Neither is known here."""
    conditional = understood(a_sent(FUTURE, conditions=(("4", "a", "1", "30"),)))
    priced = understood(a_sent(BAG, legs=(leg(20, "BUY"), leg(25, "SELL")), leg_prices=("1.0", "")))

    assert isinstance(conditional, NotPlaced)
    assert isinstance(priced, NotPlaced)


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
