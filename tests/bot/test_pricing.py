"""Claims about option prices, implied volatility and the VIX curves."""

import doctest
import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import pricing
from bot.domain.errors import InvalidValueError
from bot.domain.instrument import Right
from bot.pricing import (
    BETA_POINTS,
    SPX_MOVE_POINTS,
    black76,
    black76_price,
    black_scholes,
    forward_delta,
    future_mean_reversion_loss,
    future_roll_down,
    implied_vol,
    move_per_spx_percent,
    vix_beta,
    vix_exposure,
)

VECTORS = Path(__file__).parents[2] / ".." / "shared" / "data" / "vectors.json"
FORWARDS = st.floats(5.0, 8000.0)
RATIOS = st.floats(0.5, 2.0)
YEARS = st.floats(1 / 365, 1.0)
VOLS = st.floats(0.08, 2.0)
RATES = st.floats(-0.01, 0.08)


def vectors() -> list[dict[str, Any]]:
    """Read the Black-76 vectors, or skip where the data folder is absent."""
    if not VECTORS.exists():
        pytest.skip("the shared data folder with vectors.json is not beside this checkout")
    cases: list[dict[str, Any]] = json.loads(VECTORS.read_text())["black76"]["cases"]
    return cases


def test_doctests_hold() -> None:
    """Every worked number in the docstrings is true."""
    assert doctest.testmod(pricing).failed == 0
    assert doctest.testmod(pricing).attempted >= 10


def test_independent_vectors_agree_to_1e_10() -> None:
    """Price, delta, gamma and vega equal independently computed vectors."""
    for case in vectors():
        found = black76(
            forward=case["F"],
            strike=case["K"],
            years=case["T_days"] / 365,
            vol=case["sigma"],
            rate=case["r"],
            right=Right.CALL,
        )
        assert found.price == pytest.approx(case["price"], abs=1e-10)
        assert found.delta == pytest.approx(case["delta_fut"], abs=1e-10)
        assert found.gamma == pytest.approx(case["gamma"], abs=1e-10)
        assert found.vega == pytest.approx(case["vega_1volpt"], abs=1e-10)


@given(FORWARDS, RATIOS, YEARS, VOLS, RATES)
def test_put_call_parity(forward: float, ratio: float, years: float, vol: float, rate: float) -> None:
    """Call minus put is the discounted forward minus strike, and so is the difference of deltas."""
    strike = forward * ratio
    call = black76(forward=forward, strike=strike, years=years, vol=vol, rate=rate, right=Right.CALL)
    put = black76(forward=forward, strike=strike, years=years, vol=vol, rate=rate, right=Right.PUT)
    discount = math.exp(-rate * years)
    assert call.price - put.price == pytest.approx(discount * (forward - strike), abs=1e-9 * forward)
    assert call.delta - put.delta == pytest.approx(discount, abs=1e-12)
    assert (call.gamma, call.vega) == (put.gamma, put.vega)


@given(FORWARDS, RATIOS, YEARS, VOLS, RATES, st.sampled_from(Right))
def test_sensitivities_are_the_slopes_of_the_price(
    forward: float, ratio: float, years: float, vol: float, rate: float, right: Right
) -> None:
    """Delta, vega and theta agree with central differences of the price."""
    strike = forward * ratio

    def price(f: float = 0.0, v: float = 0.0, t: float = 0.0) -> float:
        return black76_price(forward=forward + f, strike=strike, years=years + t, vol=vol + v, rate=rate, right=right)

    value = black76(forward=forward, strike=strike, years=years, vol=vol, rate=rate, right=right)
    bump, tick, day = forward * 1e-5, 1e-5, years * 1e-4
    assert (price(f=bump) - price(f=-bump)) / (2 * bump) == pytest.approx(value.delta, abs=1e-4)
    assert (price(v=tick) - price(v=-tick)) / (2 * tick) / 100 == pytest.approx(value.vega, abs=1e-6 * forward)
    assert (price(t=-day) - price(t=day)) / (2 * day) / 365 == pytest.approx(value.theta, abs=1e-4 * forward)


@given(FORWARDS, st.floats(0.5, 2.0), st.floats(0.0, 2.0), st.floats(0.0, 2.0), st.sampled_from(Right))
def test_the_fast_price_is_the_price(forward: float, ratio: float, years: float, vol: float, right: Right) -> None:
    """Both forms give the same number, to the last bit."""
    contract = {"forward": forward, "strike": forward * ratio, "years": years, "vol": vol, "rate": 0.04, "right": right}
    assert black76_price(**contract) == black76(**contract).price  # type: ignore[arg-type]  # by name


@given(FORWARDS, st.floats(0.9, 1.1), st.floats(0.05, 1.0), st.floats(0.1, 2.0), st.floats(-1.0, 25.0))
def test_a_volatility_close_by_changes_the_search_and_not_what_it_finds(
    forward: float, ratio: float, years: float, vol: float, near: float
) -> None:
    """Also where it is far off, negative or absurd."""
    contract = {"forward": forward, "strike": forward * ratio, "years": years, "rate": 0.04, "right": Right.CALL}
    price = black76_price(vol=vol, **contract)  # type: ignore[arg-type]  # by name
    usual = implied_vol(price=price, **contract)  # type: ignore[arg-type]  # by name
    started = implied_vol(price=price, near=near, **contract)  # type: ignore[arg-type]  # by name
    assert usual is not None
    assert started == pytest.approx(usual, abs=1e-7)


@given(FORWARDS, st.floats(0.8, 1.25), st.floats(0.05, 1.0), st.floats(0.1, 2.0), st.sampled_from(Right))
def test_implied_volatility_undoes_the_price(
    forward: float, ratio: float, years: float, vol: float, right: Right
) -> None:
    """The volatility found gives the price it was found from."""
    strike = forward * ratio
    price = black76_price(forward=forward, strike=strike, years=years, vol=vol, rate=0.04, right=right)
    found = implied_vol(price=price, forward=forward, strike=strike, years=years, rate=0.04, right=right)
    if found is None:  # the time value is lost below one unit in the last place
        assert price == pytest.approx(math.exp(-0.04 * years) * max(0.0, forward - strike), abs=1e-9 * forward) or (
            price == pytest.approx(math.exp(-0.04 * years) * max(0.0, strike - forward), abs=1e-9 * forward)
        )
        return
    again = black76_price(forward=forward, strike=strike, years=years, vol=found, rate=0.04, right=right)
    assert again == pytest.approx(price, abs=1e-8 * forward)


@pytest.mark.parametrize("price", [0.0, -1.0, 2.0 * math.exp(-0.04 * 0.1), 22.0])
def test_no_volatility_gives_an_impossible_price(price: float) -> None:
    """At or below intrinsic value and above the forward there is no implied volatility."""
    assert implied_vol(price=price, forward=22, strike=20, years=0.1, rate=0.04, right=Right.CALL) is None


def test_an_expired_option_is_worth_its_intrinsic_value() -> None:
    """At expiry price and delta are those of the pay-off, and nothing decays."""
    value = black76(forward=22, strike=20, years=0, vol=0.8, rate=0.04, right=Right.CALL)
    assert (value.price, value.delta, value.gamma, value.vega) == (2.0, 1.0, 0.0, 0.0)
    assert forward_delta(forward=20, strike=20, years=0, vol=0.8, right=Right.PUT) == -0.5
    assert implied_vol(price=2.5, forward=22, strike=20, years=0, rate=0.04, right=Right.CALL) is None


def test_spot_and_forward_forms_price_alike() -> None:
    """Black-Scholes on spot and Black-76 on its forward are one price; a yield lowers the spot delta of a call."""
    spot = black_scholes(
        spot=6800, strike=7000, years=0.25, vol=0.16, rate=0.04, right=Right.CALL, dividend_yield=0.012
    )
    forward = black76(
        forward=6800 * math.exp(0.028 * 0.25), strike=7000, years=0.25, vol=0.16, rate=0.04, right=Right.CALL
    )
    assert spot.price == forward.price
    assert spot.delta == pytest.approx(forward.delta * math.exp(0.028 * 0.25))


@pytest.mark.parametrize(
    "wrong", [{"forward": 0.0}, {"strike": -1.0}, {"years": -0.1}, {"vol": math.nan}, {"rate": math.inf}]
)
def test_inputs_that_make_no_option_are_refused(wrong: dict[str, float]) -> None:
    """A forward of zero, a negative time or a NaN raises and names the numbers."""
    inputs = {"forward": 20.0, "strike": 20.0, "years": 0.1, "vol": 0.8, "rate": 0.04} | wrong
    with pytest.raises(InvalidValueError, match="needs positive forward"):
        black76(**inputs, right=Right.CALL)


@pytest.mark.parametrize("curve", [BETA_POINTS, SPX_MOVE_POINTS])
def test_both_curves_fade_with_time(curve: pricing.Curve) -> None:
    """A longer forward never moves more than a shorter one."""
    sizes = [abs(pricing.interpolated(curve, day / 2)) for day in range(600)]
    assert sizes == sorted(sizes, reverse=True)
    assert [pricing.interpolated(curve, day) for day, _ in curve] == [value for _, value in curve]


def test_reference_exposures() -> None:
    """One VXM at 30 days gains about 53 USD per VIX point, a call about half of that."""
    assert vix_exposure(quantity=1, multiplier=100, delta=1.0, days=30) == pytest.approx(52.67, abs=0.01)
    assert vix_exposure(quantity=-2, multiplier=100, delta=0.5, days=22) == pytest.approx(-56.0)
    assert move_per_spx_percent(26, scale=1.5) == pytest.approx(-1.08)
    assert vix_beta(18) == vix_beta(26) == 0.56


def test_a_future_in_contango_rolls_down() -> None:
    """Above spot a long future loses as it ages, below spot it gains, and rolled at once it loses nothing."""
    loss = future_roll_down(forward=19, vix=18, days=30, days_at_roll=10, multiplier=100)
    gain = future_roll_down(forward=17, vix=18, days=30, days_at_roll=10, multiplier=100)
    assert loss == pytest.approx(-gain)
    assert 0 < loss < 100
    assert future_roll_down(forward=19, vix=18, days=10, days_at_roll=10, multiplier=100) == 0.0
    assert future_mean_reversion_loss(vix=18, days=26, multiplier=1000) == pytest.approx(2520)


def test_sleeve_and_condor_deltas_are_in_usd_per_percent() -> None:
    """A long hedge loses when SPX rises; a short call of 16 delta loses its delta in index terms."""
    assert pricing.sleeve_usd_per_spx_percent(
        quantity=10, multiplier=100, delta=0.5, days=26, scale=1.0
    ) == pytest.approx(-360)
    assert pricing.index_option_usd_per_spx_percent(
        quantity=-10, multiplier=100, delta=0.16, spot=6800
    ) == pytest.approx(-10880)
