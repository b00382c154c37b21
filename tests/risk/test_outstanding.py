"""The outstanding exposure of what is held: the four figures of status, signed, and unknown where nobody can know."""

from dataclasses import replace
from decimal import Decimal

import pytest

from bot.domain.portfolio import Position
from bot.valuation import Unvalued
from risk.headroom import rooms
from risk.outstanding import Exposure, exposures
from risk.room import Room
from risk.scene import Scene
from tests.builders import an_order, vix_call
from tests.risk.scenes import LONG, a_build, calm_noon, holding, scene_of, with_book

UNITS = {
    "SPX delta": "USD per +1 % SPX",
    "vega": "USD per volatility point",
    "VIX delta": "USD per point of VIX",
    "margin used": "USD",
}
LIMIT_OF = {
    "SPX delta": "neutrality_band_frac",
    "vega": "max_vega_frac",
    "VIX delta": "max_vix_delta_frac",
    "margin used": "max_margin_frac",
}
"""The limit whose use is the same quantity, while no order works."""


def by_name(scene: Scene) -> dict[str, Exposure]:
    """The exposures of a scene."""
    return {one.name: one for one in exposures(scene)}


def room_of(name: str, scene: Scene) -> Room:
    """The row of the limit on the same quantity."""
    return next(one for one in rooms(scene) if one.name == LIMIT_OF[name])


@pytest.mark.control("C30")
def test_exposure_is_what_is_held_orders_left_out() -> None:
    """Delta, vega, USD per VIX point and margin; signed, and the same whatever works or is wanted."""
    order = a_build(3)
    busy = with_book(holding(2), orders={order.intent_id: an_order(order)})
    quiet = exposures(scene_of(holding(2)))
    assert quiet == exposures(scene_of(busy))
    assert quiet == exposures(scene_of(busy, earlier=(a_build(4, intent_id="e"),), later=(a_build(5, intent_id="l"),)))
    assert {one.name: one.unit for one in quiet} == UNITS
    assert [one.amount is not None and one.amount != 0 for one in quiet] == [True] * 4


@pytest.mark.control("C30")
@pytest.mark.parametrize("name", UNITS)
def test_exposure_is_the_use_of_its_limit_while_nothing_works(name: str) -> None:
    """Each measure to the cent as its limit counts it; the delta of the book leans to the short side, and says so."""
    scene = scene_of(holding(2))
    row, found = room_of(name, scene), by_name(scene)[name]
    assert row.use is not None
    assert (found.amount, found.unit) == (-row.use if name == "SPX delta" else row.use, row.unit)
    assert found.unknown == ""


@pytest.mark.parametrize("name", ["vega", "VIX delta"])
def test_exposure_of_a_short_sleeve_is_below_zero(name: str) -> None:
    """A call sold and nothing else: its vega and its delta are those of a bought one with the other sign."""
    call = vix_call(LONG)
    long, short = (
        by_name(scene_of(with_book(calm_noon(), positions={call.key: Position(instrument=call, quantity=quantity)})))
        for quantity in (3, -3)
    )
    amount = long[name].amount
    assert amount is not None
    assert amount > 0
    assert short[name].amount == -amount


def test_exposure_that_cannot_be_known_says_why() -> None:
    """No quotes and no account: each measure in its unit, with the words of its limit, never zero."""
    scene = scene_of(with_book(replace(holding(2), quotes={}), account=None))
    for name, one in by_name(scene).items():
        assert (one.name, one.unit, one.amount) == (name, UNITS[name], None)
        assert one.unknown
        assert one.unknown == room_of(name, scene).unknown


def test_exposure_survives_a_model_that_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    """The other measures stand."""

    def broken(_scene: Scene) -> Unvalued:
        raise ZeroDivisionError("test")

    monkeypatch.setattr("risk.outstanding.farthest_deltas", broken)
    found = by_name(scene_of())
    assert found["SPX delta"] == Exposure(
        name="SPX delta", unit=UNITS["SPX delta"], amount=None, unknown="ZeroDivisionError: test"
    )
    assert found["vega"].amount is not None


def test_a_delta_is_told_to_the_cent() -> None:
    """Status shows money, whatever digits a model has."""
    delta = by_name(scene_of())["SPX delta"].amount
    assert delta is not None
    assert delta == delta.quantize(Decimal("0.01"))
