"""How the condor book is watched: settings that allow more than the methodology are refused."""

import pytest

from bot.domain.errors import InvalidValueError
from bot.hedging.condor.regime import Regime, regime_of
from bot.hedging.condor.settings import CondorSettings, WingMode


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("most_strikes_out", 4),
        ("most_strikes_out", 0),
        ("least_minutes_between", -1.0),
        ("calm_vix", 0.0),
        ("calm_vix", 20.0),
        ("tense_vix", float("nan")),
    ],
)
def test_settings_that_loosen_the_methodology_are_refused(name: str, value: float) -> None:
    """Three strikes, lowered freely, never raised; regimes ascend."""
    with pytest.raises(InvalidValueError, match=name):
        CondorSettings(**{name: value})  # type: ignore[arg-type]  # wrong values on purpose


def test_a_widening_is_proposed_unless_told_otherwise() -> None:
    """A person decides by default."""
    assert CondorSettings().wings is WingMode.PROPOSE


@pytest.mark.parametrize(
    ("vix", "regime"),
    [(9.0, Regime.ALL_TIERS), (15.0, Regime.BALANCED), (20.0, Regime.BALANCED), (45.0, Regime.NO_NEW_CONDORS)],
)
def test_the_regime_is_told_by_vix(vix: float, regime: Regime) -> None:
    """Below 15 all tiers, from 15 to 20 balanced, above 20 no new condors."""
    assert regime_of(vix, CondorSettings()) is regime
