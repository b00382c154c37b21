"""Prices and sensitivities agree with two foreign libraries, which nothing but this file imports."""

import math
import warnings
from collections.abc import Mapping
from itertools import product
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.instrument import Right
from bot.pricing import OptionValue, black76, black76_price, black_scholes, forward_of_spot, implied_vol

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # QuantLib's generated wrapper, on newer interpreters
    import QuantLib

from vollib.black import black as vollib_price
from vollib.black.greeks import analytical as vollib_greeks
from vollib.black_scholes_merton import black_scholes_merton as vollib_spot_price
from vollib.black_scholes_merton.greeks import analytical as vollib_spot_greeks

AGREED: Final = 1e-8  # of the forward, beyond it points or units of the sensitivity
FORWARDS: Final = (12.0, 18.0, 45.0, 2500.0, 6800.0)
RATIOS: Final = (0.5, 0.8, 0.95, 1.0, 1.05, 1.4, 2.0)
DAYS: Final = (1.0, 7.0, 30.0, 110.0, 365.0)
VOLS: Final = (0.08, 0.2, 0.9, 2.0)
RATES: Final = (-0.01, 0.0, 0.04)
GRID: Final = tuple(product(FORWARDS, RATIOS, DAYS, VOLS, RATES))
FLAGS: Final[Mapping[Right, str]] = {Right.CALL: "c", Right.PUT: "p"}
KINDS: Final = {Right.CALL: QuantLib.Option.Call, Right.PUT: QuantLib.Option.Put}

Contract = dict[str, Any]

CONTRACTS: Final = st.fixed_dictionaries(
    {
        "forward": st.floats(5.0, 8000.0),
        "ratio": st.floats(0.5, 2.0),
        "years": st.floats(1 / 365, 1.0),
        "vol": st.floats(0.05, 2.0),
        "rate": st.floats(-0.01, 0.08),
        "right": st.sampled_from(Right),
    }
).map(lambda drawn: _contract(**drawn))


def _contract(*, forward: float, ratio: float, years: float, vol: float, rate: float, right: Right) -> Contract:
    return {
        "forward": forward,
        "strike": forward * ratio,
        "years": years,
        "vol": vol,
        "rate": rate,
        "right": right,
    }


def grid(right: Right) -> list[Contract]:
    """Every combination of the grid, options on VIX forwards and on indices alike."""
    return [
        _contract(forward=forward, ratio=ratio, years=days / 365, vol=vol, rate=rate, right=right)
        for forward, ratio, days, vol, rate in GRID
    ]


def by_quantlib(contract: Contract) -> OptionValue:
    """QuantLib's calculator, its yearly and per-unit figures turned into ours."""
    forward, years, rate = contract["forward"], contract["years"], contract["rate"]
    calculator = QuantLib.BlackCalculator(
        QuantLib.PlainVanillaPayoff(KINDS[contract["right"]], contract["strike"]),
        forward,
        contract["vol"] * math.sqrt(years),
        math.exp(-rate * years),
    )
    return OptionValue(
        price=calculator.value(),
        delta=calculator.deltaForward(),
        gamma=calculator.gammaForward(),
        vega=calculator.vega(years) / 100,
        theta=calculator.theta(forward, years) / 365,  # seen from the forward: it does not drift
    )


def by_vollib(contract: Contract) -> OptionValue:
    """The same from vollib, whose vega and theta are already per point and per day."""
    arguments = (FLAGS[contract["right"]], *(contract[name] for name in ("forward", "strike", "years", "rate", "vol")))
    flag, forward, strike, years, rate, vol = arguments
    return OptionValue(
        price=vollib_price(flag, forward, strike, years, rate, vol),
        delta=vollib_greeks.delta(*arguments),
        gamma=vollib_greeks.gamma(*arguments),
        vega=vollib_greeks.vega(*arguments),
        theta=vollib_greeks.theta(*arguments),
    )


def assert_agrees(ours: OptionValue, theirs: OptionValue, *, scale: float) -> None:
    """Price, vega and theta grow with the forward and are compared as shares of it; delta as it is, gamma times it."""
    assert ours.price == pytest.approx(theirs.price, abs=AGREED * scale)
    assert ours.delta == pytest.approx(theirs.delta, abs=AGREED)
    assert ours.gamma * scale == pytest.approx(theirs.gamma * scale, abs=AGREED)
    assert ours.vega == pytest.approx(theirs.vega, abs=AGREED * scale)
    assert ours.theta == pytest.approx(theirs.theta, abs=AGREED * scale)


@pytest.mark.parametrize("right", Right)
@pytest.mark.parametrize("oracle", [by_quantlib, by_vollib])
def test_the_grid_agrees_with_both_libraries(oracle: Any, right: Right) -> None:
    """2,100 options of each right: price, delta, gamma, vega and theta."""
    for contract in grid(right):
        assert_agrees(black76(**contract), oracle(contract), scale=contract["forward"])


@given(CONTRACTS)
def test_any_option_agrees_with_both_libraries(contract: Contract) -> None:
    """Also off the grid."""
    ours = black76(**contract)
    for oracle in (by_quantlib, by_vollib):
        assert_agrees(ours, oracle(contract), scale=contract["forward"])


@given(CONTRACTS, st.floats(0.0, 0.05))
def test_the_spot_form_agrees_with_both_libraries(contract: Contract, dividend_yield: float) -> None:
    """Price, delta and gamma of the spot with a continuous yield."""
    spot, strike, years = contract["forward"], contract["strike"], contract["years"]
    rate, vol, right = contract["rate"], contract["vol"], contract["right"]
    ours = black_scholes(
        spot=spot, strike=strike, years=years, vol=vol, rate=rate, right=right, dividend_yield=dividend_yield
    )
    forward = forward_of_spot(spot=spot, years=years, rate=rate, dividend_yield=dividend_yield)
    calculator = QuantLib.BlackCalculator(
        QuantLib.PlainVanillaPayoff(KINDS[right], strike), forward, vol * math.sqrt(years), math.exp(-rate * years)
    )
    arguments = (FLAGS[right], spot, strike, years, rate, vol, dividend_yield)
    assert ours.price == pytest.approx(calculator.value(), abs=AGREED * spot)
    assert ours.price == pytest.approx(vollib_spot_price(*arguments), abs=AGREED * spot)
    assert ours.delta == pytest.approx(calculator.delta(spot), abs=AGREED)
    assert ours.delta == pytest.approx(vollib_spot_greeks.delta(*arguments), abs=AGREED)
    assert ours.gamma * spot == pytest.approx(calculator.gamma(spot) * spot, abs=AGREED)
    assert ours.gamma * spot == pytest.approx(vollib_spot_greeks.gamma(*arguments) * spot, abs=AGREED)


@given(CONTRACTS)
def test_the_volatility_of_a_foreign_price_is_found(contract: Contract) -> None:
    """What QuantLib prices, our search takes back to a volatility that prices alike."""
    told = by_quantlib(contract).price
    known = {name: contract[name] for name in ("forward", "strike", "years", "rate", "right")}
    found = implied_vol(price=told, **known)
    if found is None:  # no time value is left in the last digits: the price is the intrinsic one
        assert told == pytest.approx(black76_price(vol=0.0, **known), abs=AGREED * contract["forward"])
        return
    assert black76_price(vol=found, **known) == pytest.approx(told, abs=AGREED * contract["forward"])
