"""How a strike's volatility moves with SPX and VIX: along the smile, with the term, from the quotes that are there."""

import math
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.instrument import Right
from bot.valuation import ValuationSettings, Valued, Valuer
from risk.smile import Smile, level_factor, smile_of
from tests.builders import a_book, a_quote, an_option
from tests.risk.scenes import calm_noon, scenery

STEEP = Smile(curve=((-0.10, 0.24), (0.0, 0.16), (0.05, 0.12)))


@pytest.mark.parametrize(
    ("days", "factor"), [(5.0, 2.0), (30.0, 2.0), (120.0, 2.0**0.5), (270.0, 2.0 ** (1 / 3)), (480.0, 2.0**0.25)]
)
def test_longer_options_follow_vix_less(days: float, factor: float) -> None:
    """When VIX doubles, options up to its own term double as well, longer ones by the square-root rule."""
    assert level_factor(vix_before=20.0, vix_after=40.0, days=days, tenor_days=30.0) == pytest.approx(factor)


@pytest.mark.parametrize(
    ("after", "level", "factor"),
    [
        (100.0, 1.0, 1.0),
        (100.0 * math.exp(-0.10), 1.0, 0.16 / 0.24),
        (100.0 * math.exp(-0.05), 1.0, 0.20 / 0.24),
        (100.0 * math.exp(-0.20), 1.0, 0.12 / 0.24),
        (100.0 * math.exp(0.10), 1.0, 1.0),
        (100.0, 2.0, 2 * 0.20 / 0.24),
        (100.0 * math.exp(-0.20), 2.0, 2 * 0.12 / 0.24),
    ],
)
def test_a_strike_takes_the_volatility_of_the_place_it_comes_to(after: float, level: float, factor: float) -> None:
    """A put ten percent out comes to the money, to the other wing, or nearer in standard deviations."""
    found = STEEP.factor(strike=100.0 * math.exp(-0.10), forward=100.0, forward_after=after, level=level)
    assert found == pytest.approx(factor)


@pytest.mark.parametrize("curve", [(), ((-0.05, 0.2),)])
def test_without_a_shape_a_strike_keeps_its_own_volatility(curve: tuple[tuple[float, float], ...]) -> None:
    """One strike alone shows no smile: only the level moves."""
    assert Smile(curve=curve).factor(strike=90.0, forward=100.0, forward_after=80.0, level=1.5) == 1.5


def test_two_strikes_show_a_smile() -> None:
    """A put that comes to the money loses its skew."""
    two = Smile(curve=STEEP.curve[:2])
    place = 100.0 * math.exp(-0.10)
    assert two.factor(strike=place, forward=100.0, forward_after=place, level=1.0) == pytest.approx(0.16 / 0.24)


@given(strike=st.floats(50, 200), after=st.floats(50, 200), level=st.floats(0.3, 4.0))
def test_a_volatility_stays_within_the_smile(strike: float, after: float, level: float) -> None:
    """Whatever the move, a strike ends between the lowest and the highest volatility of the moved smile."""
    before = STEEP.factor(strike=strike, forward=100.0, forward_after=100.0, level=1.0)
    found = STEEP.factor(strike=strike, forward=100.0, forward_after=after, level=level)
    assert before == pytest.approx(1.0)
    assert 0.12 / 0.24 * level * 0.999 <= found <= 0.24 / 0.12 * level * 1.001


def test_the_smile_of_the_condors_is_read_from_their_own_quotes() -> None:
    """Four legs, four strikes, each with its own implied volatility, the puts above the calls."""
    condor = scenery().opening.condors[0]
    valuer = Valuer(calm_noon(), ValuationSettings())
    smile = smile_of("SPXW", condor.settlement, valuer)
    assert [vol for _, vol in smile.curve] == [
        valued.vol for valued in map(valuer.value, condor.legs) if isinstance(valued, Valued)
    ]
    assert smile.curve[0][1] > smile.curve[-1][1]
    assert smile_of("SPX", condor.settlement, valuer).curve == ()


def test_only_options_out_of_the_money_with_a_good_quote_make_the_smile() -> None:
    """A put above the forward, a call below it, and a strike without a quote leave no point."""
    expiry = date(2026, 12, 4)
    good = an_option(6500, expiry, trading_class="SPXW", right=Right.PUT)
    deep_put = an_option(7200, expiry, trading_class="SPXW", right=Right.PUT)
    deep_call = an_option(6300, expiry, trading_class="SPXW")
    unquoted = an_option(7100, expiry, trading_class="SPXW")
    quotes = {
        one.key: a_quote(one, price - 0.5, price + 0.5)
        for one, price in ((good, 62.0), (deep_put, 430.0), (deep_call, 560.0))
    }
    book = a_book(positions=dict.fromkeys((good, deep_put, deep_call, unquoted), 1))
    snapshot = replace(calm_noon(), book=book, universe={}, quotes=quotes)
    (point,) = smile_of("SPXW", expiry, Valuer(snapshot, ValuationSettings())).curve
    assert point[0] == pytest.approx(math.log(6500 / 6800), abs=0.01)
