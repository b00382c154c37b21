"""What whoever watches the gateway reads of orders."""

from dataclasses import replace
from decimal import Decimal

from floors import an_order
from pits import HIGH, LOW, quoted

from bot.domain.instrument import Side
from simulator.narration import line_of
from simulator.venue import OrderChanged, OrderType, VenueLeg, VenueStatus


def changed(**changes: object) -> OrderChanged:
    """Return an accepted purchase of one call, changed."""
    order = replace(an_order(LOW, limit="1.50"), client_id=3, order_id=17)
    standing = OrderChanged(
        order=order,
        perm_id=9,
        status=VenueStatus.SUBMITTED,
        filled=0,
        average_price=Decimal(0),
        last_price=Decimal(0),
    )
    return replace(standing, **changes)  # type: ignore[arg-type]  # by name


def test_an_order_is_one_line_with_who_what_and_how_it_stands() -> None:
    """Client and id, side, size, contract, type, limit, time in force, standing."""
    assert line_of(changed()) == f"client 3 order 17: BUY 1 {LOW.key} LMT 1.5 DAY: Submitted"


def test_fills_refusals_and_notices_are_told() -> None:
    """The average without an endless tail; the broker's number beside its reason."""
    filled = line_of(changed(status=VenueStatus.FILLED, filled=1, average_price=Decimal(100) / 3))
    refused = line_of(changed(code=110, reason="off the tick"))
    noted = line_of(changed(warning=(399, "waits for the open")))

    assert filled is not None
    assert filled.endswith(": Filled, 1 filled at 33.333333")
    assert refused is not None
    assert refused.endswith(", 110 off the tick")
    assert noted is not None
    assert noted.endswith(", 399 waits for the open")


def test_a_combo_names_its_legs_and_a_market_order_no_limit() -> None:
    """Each leg with its side and ratio."""
    legs = (VenueLeg(instrument=LOW, side=Side.BUY), VenueLeg(instrument=HIGH, side=Side.SELL, ratio=2))
    order = replace(changed().order, legs=legs, order_type=OrderType.MARKET)

    line = line_of(changed(order=order))

    assert line == f"client 3 order 17: BUY 1 +1 {LOW.key} -2 {HIGH.key} MKT DAY: Submitted"


def test_nothing_else_is_told() -> None:
    """A quote is no line."""
    assert line_of(quoted(LOW, "1", "2")) is None
