"""How volatility products answer VIX and SPX: slopes found back, and what is too little to say anything."""

import random
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.errors import InvalidValueError
from bot.domain.products import ProductBeta, UnmeasuredProduct
from bot.hedging.sensitivities.products import Closes, measured_beta
from bot.hedging.sensitivities.settings import SensitivitySettings

SETTINGS = SensitivitySettings()
FIRST = date(2025, 1, 2)


def a_history(
    moves: int = 300, *, per_point: float = 0.04, noise: float = 0.0, vix_per_percent: float = -1.4
) -> tuple[Closes, Closes, Closes]:
    """Closes of a product, VIX and SPX: VIX answers SPX, and the product answers VIX."""
    chance = random.Random(3)
    own, vix, spx = {FIRST: 30.0}, {FIRST: 18.0}, {FIRST: 6000.0}
    for place in range(1, moves + 1):
        day, before = FIRST + timedelta(days=place), FIRST + timedelta(days=place - 1)
        percent = chance.gauss(0.0, 0.8)
        points = max(-0.3 * vix[before], vix_per_percent * percent + 0.1 * (18.0 - vix[before]))
        spx[day], vix[day] = spx[before] * (1 + percent / 100), vix[before] + points
        own[day] = own[before] * (1 + per_point * points + chance.gauss(0.0, noise))
    return own, vix, spx


@given(per_point=st.floats(-0.05, 0.06).filter(lambda slope: abs(slope) > 0.002))
def test_a_slope_without_noise_is_found_back(per_point: float) -> None:
    """Long, leveraged and short products alike: the slope that made the prices comes out, and the sign on SPX too."""
    found = measured_beta("VXX", *a_history(per_point=per_point), SETTINGS)
    assert isinstance(found, ProductBeta)
    assert found.per_vix_point == pytest.approx(per_point, rel=1e-6)
    assert found.per_spx_percent * per_point < 0
    assert found.fit == pytest.approx(1.0)


def test_noise_lowers_the_fit_and_hardly_moves_the_slope() -> None:
    """Noise of half the product's own moves leaves the slope within a tenth."""
    found = measured_beta("VXX", *a_history(noise=0.02), SETTINGS)
    assert isinstance(found, ProductBeta)
    assert found.per_vix_point == pytest.approx(0.04, rel=0.1)
    assert 0.6 < found.fit < 0.95


def test_only_the_last_year_counts() -> None:
    """252 moves of 300 are read: what came before them changes nothing."""
    own, vix, spx = a_history()
    days = sorted(own)
    changed = {day: close * (2.0 if day < days[-253] else 1.0) for day, close in own.items()}
    found = measured_beta("VXX", own, vix, spx, SETTINGS)
    assert isinstance(found, ProductBeta)
    assert found.moves == 252
    assert measured_beta("VXX", changed, vix, spx, SETTINGS) == found


@pytest.mark.parametrize("count", [0, 1, 90])
def test_too_few_sessions_are_unknown(count: int) -> None:
    """Ninety closes give eighty-nine moves: there is no answer and no default for it."""
    own, vix, spx = a_history()
    young = {day: own[day] for day in sorted(own)[-count:]} if count else {}
    found = measured_beta("VXX", young, vix, spx, SETTINGS)
    had = max(0, count - 1)
    assert found == UnmeasuredProduct(
        symbol="VXX", why=f"its answer to VIX needs 90 moves of common sessions, has {had}"
    )
    enough = {day: own[day] for day in sorted(own)[-91:]}
    assert isinstance(measured_beta("VXX", enough, vix, spx, SETTINGS), ProductBeta)


def test_days_without_vix_or_spx_are_left_out() -> None:
    """A holiday on which one index has a level and the other none gives no move of its own."""
    own, vix, spx = a_history(200)
    days = sorted(own)
    found = measured_beta(
        "VXX",
        own,
        {day: vix[day] for day in days if day != days[150]},
        {day: spx[day] for day in days if day != days[120]},
        SETTINGS,
    )
    assert isinstance(found, ProductBeta)
    assert found.moves == 198


def test_a_product_that_vix_does_not_explain_is_unknown() -> None:
    """Pure noise, a product that stands still, and a split that was not undone: no answer to count on."""
    own, vix, spx = a_history()
    days = sorted(own)
    split = {day: close * (4.0 if day >= days[200] else 1.0) for day, close in own.items()}
    for closes in (a_history(per_point=0.0, noise=0.03)[0], dict.fromkeys(days, 30.0), split):
        found = measured_beta("UVXY", closes, vix, spx, SETTINGS)
        assert isinstance(found, UnmeasuredProduct)
        assert found.why.endswith("of its moves, less than 25%: no answer to count on")


def test_an_index_that_stood_still_says_nothing() -> None:
    """Without a move of VIX or of SPX there is no slope."""
    own, vix, spx = a_history()
    for still in ((dict.fromkeys(vix, 18.0), spx), (vix, dict.fromkeys(spx, 6000.0))):
        assert measured_beta("VXX", own, *still, SETTINGS) == UnmeasuredProduct(
            symbol="VXX", why="its answer to VIX is unknown: VIX or SPX stood still"
        )


@pytest.mark.parametrize(
    "settings", [{"least_product_moves": 2}, {"least_product_moves": 253}, {"least_product_fit": 1.5}]
)
def test_settings_that_could_say_nothing_are_refused(settings: dict[str, object]) -> None:
    """A slope needs three points, no more than are read, and a fit is a share."""
    with pytest.raises(InvalidValueError, match="least_product"):
        SensitivitySettings(**settings)  # type: ignore[arg-type]  # wrong values on purpose
