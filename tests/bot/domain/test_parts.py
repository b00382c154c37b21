"""Whose profit or loss an order or a contract is (M15)."""

import pytest

from bot.domain.layer import Layer
from bot.domain.orders import Purpose
from bot.domain.parts import Part, part_of_class, part_of_order


@pytest.mark.parametrize("purpose", Purpose)
@pytest.mark.parametrize("layer", Layer)
def test_an_order_trades_for_the_layer_it_names_and_a_wing_for_the_condors(purpose: Purpose, layer: Layer) -> None:
    """A wing belongs to the condors whatever its layer says; every hedge order to the overlay or to the base."""
    expected = Part.OVERLAY if layer is Layer.OVERLAY else Part.BASE
    assert part_of_order(purpose, layer) is (Part.CONDORS if purpose is Purpose.WING_ROLL else expected)


@pytest.mark.parametrize(
    ("trading_class", "part"),
    [
        *((name, Part.CONDORS) for name in ("SPX", "SPXW")),
        *((name, Part.BASE) for name in ("VIX", "VIXW", "VX", "VXM", "VXX", "UVXY", "SVXY")),
        *((name, None) for name in ("SPY", "RUT", "ES")),
    ],
)
def test_a_contract_that_no_order_explains_belongs_by_its_class(trading_class: str, part: Part | None) -> None:
    """SPX options are condors, VIX contracts and shares of volatility products base; everything else is in no part."""
    assert part_of_class(trading_class) is part
