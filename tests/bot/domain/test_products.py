"""Volatility products: which shares are some, and what their measurement says."""

import pytest

from bot.domain.errors import InvalidValueError
from bot.domain.instrument import share
from bot.domain.products import ProductBeta, UnmeasuredProduct, is_volatility_product
from tests.builders import a_future, vix_call

VXX = ProductBeta(symbol="VXX", per_vix_point=0.0412, per_spx_percent=-0.052, moves=252, fit=0.71)


def test_three_shares_are_volatility_products() -> None:
    """VXX, UVXY and SVXY as shares; other shares, options and futures are none."""
    found = [name for name in ("VXX", "UVXY", "SVXY", "SPY") if is_volatility_product(share(name, "BATS"))]
    assert found == ["VXX", "UVXY", "SVXY"]
    assert not is_volatility_product(vix_call(20))
    assert not is_volatility_product(a_future())


def test_a_measurement_tells_its_figures() -> None:
    """Both slopes, how many sessions, how much VIX explains; an unknown tells why."""
    assert VXX.words == (
        "VXX moved by +4.12% per point of VIX and by -5.20% per +1 % SPX over 252 sessions, of which VIX explains 71%"
    )
    assert UnmeasuredProduct(symbol="UVXY", why="too young").words == "UVXY: too young"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("symbol", ""),
        ("per_vix_point", float("nan")),
        ("per_spx_percent", float("inf")),
        ("moves", 0),
        ("fit", 1.01),
        ("fit", float("nan")),
    ],
)
def test_a_measurement_that_is_none_is_refused(name: str, value: object) -> None:
    """Slopes are finite, a fit lies between 0 and 1, and sessions were counted."""
    known = {"symbol": "VXX", "per_vix_point": 0.04, "per_spx_percent": -0.05, "moves": 252, "fit": 0.7}
    with pytest.raises(InvalidValueError):
        ProductBeta(**{**known, name: value})  # type: ignore[arg-type]  # wrong values on purpose


def test_an_unknown_has_its_reason() -> None:
    """Neither the product nor the reason may be missing."""
    for symbol, why in (("", "too young"), ("VXX", "")):
        with pytest.raises(InvalidValueError):
            UnmeasuredProduct(symbol=symbol, why=why)
