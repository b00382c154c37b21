"""Our model's greeks against the broker's: what is a gap, and what cannot be compared (M7)."""

import pytest

from bot.domain.errors import InvalidValueError
from bot.domain.market import ModelGreeks
from bot.hedging.temporal.greeks import greeks_gaps
from bot.valuation import ValuationSettings, Valued, Valuer
from tests.bot.hedging.planned import TEN
from tests.builders import a_quote, vix_call

CALL, UNQUOTED = vix_call(21), vix_call(24)
SNAPSHOT = TEN.snapshot(quotes={UNQUOTED.key: a_quote(UNQUOTED, None, None)})
VALUER = Valuer(SNAPSHOT, ValuationSettings())


def _ours() -> tuple[float, float]:
    valued = VALUER.value(CALL)
    assert isinstance(valued, Valued)
    return valued.delta, valued.theta_usd_per_day / CALL.multiplier


def _gaps(delta: float, theta: float) -> list[str]:
    told = {one.key: ModelGreeks(delta=delta, theta=theta) for one in (CALL, UNQUOTED)}
    return list(greeks_gaps((CALL, UNQUOTED, vix_call(22)), told, VALUER, 0.20))


@pytest.mark.parametrize(("factor", "found"), [(1.0, 0), (1.199, 0), (0.801, 0), (1.201, 2), (0.799, 2), (-1.0, 2)])
def test_a_gap_is_measured_on_our_own_figure(factor: float, found: int) -> None:
    """Up to a fifth in either direction is none; what is not told or not valued is left out."""
    delta, theta = _ours()
    assert len(_gaps(delta * factor, theta * factor)) == found


def test_a_gap_has_words_with_both_figures() -> None:
    """Contract, greek, both figures and the distance."""
    delta, theta = _ours()
    (words,) = _gaps(delta, 2 * theta)
    assert words == f"{CALL.key}: theta a day {theta:.4f} by our model, {2 * theta:.4f} by the broker's, 100% apart"


def test_of_next_to_nothing_no_gap_is_made() -> None:
    """A far call's delta of a hundredth against a fiftieth is rounding."""
    far = vix_call(60)
    snapshot = TEN.snapshot(quotes={far.key: a_quote(far, 0.03, 0.04)})
    valuer = Valuer(snapshot, ValuationSettings())
    ours = valuer.value(far)
    assert isinstance(ours, Valued)
    told = {far.key: ModelGreeks(delta=ours.delta + 0.009, theta=ours.theta_usd_per_day / 100 - 0.0019)}
    assert list(greeks_gaps((far,), told, valuer, 0.20)) == []


def test_greeks_are_numbers() -> None:
    """What is not finite is no word of a model."""
    with pytest.raises(InvalidValueError, match="theta"):
        ModelGreeks(delta=0.5, theta=float("nan"))
