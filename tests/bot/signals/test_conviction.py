"""Conviction: who is heard, with what weight, what follows, and what the real closes say at the onsets of episodes."""

import doctest
import math
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.history.csv_files import load_symbol
from bot.domain.errors import InvalidValueError
from bot.domain.evidence import (
    PRICE_BASED,
    Abstention,
    Confirmation,
    ConfirmationName,
    DailySeries,
    EvidenceInputs,
    Stance,
    WeakConviction,
)
from bot.signals.daily import DailyRule, episodes_of, evaluate_daily
from bot.signals.evidence import capital, conviction, indicators
from bot.signals.evidence.conviction import read_conviction, shares_of, stance_of
from bot.signals.evidence.settings import (
    AcidTestSettings,
    BreadthSettings,
    CapitalSettings,
    CashFlowSettings,
    ConfirmationWeights,
    EvidenceSettings,
    MomentumSettings,
    StrengthSettings,
)
from bot.signals.settings import DispersionSettings
from tests.bot.signals.evidence_builders import MARKET, SETTINGS, TODAY, a_delivery, without_history

HISTORY = Path(__file__).parents[3] / ".." / "shared" / "data" / "history"
needs_history = pytest.mark.skipif(not HISTORY.is_dir(), reason="the shared real history is not on this machine")

STRENGTH, MOMENTUM, BREADTH, CAPITAL, CASH_FLOW, ACID = ConfirmationName
HEARD = st.sets(st.sampled_from(ConfirmationName)).filter(lambda names: bool(PRICE_BASED & names))
WEIGHTS = st.builds(
    ConfirmationWeights,
    **{name.value: st.floats(0.01 if name in PRICE_BASED else 0.0, 9.0) for name in ConfirmationName},
)


def test_doctests_hold() -> None:
    """Every worked number in the docstrings is true."""
    results = [doctest.testmod(module) for module in (indicators, capital, conviction)]
    assert [result.failed for result in results] == [0, 0, 0]
    assert min(result.attempted for result in results) >= 1


# shares -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ((STRENGTH, MOMENTUM), (0.5, 0.5)),
        ((STRENGTH, MOMENTUM, BREADTH), (1 / 3, 1 / 3, 1 / 3)),
        ((STRENGTH, MOMENTUM, CAPITAL), (1 / 2.3, 1 / 2.3, 0.3 / 2.3)),
        (tuple(ConfirmationName), (1 / 3.9, 1 / 3.9, 1 / 3.9, 0.3 / 3.9, 0.3 / 3.9, 0.3 / 3.9)),
        ((STRENGTH, MOMENTUM, CAPITAL, CASH_FLOW, ACID), (0.35, 0.35, 0.1, 0.1, 0.1)),  # 0.9 of 2.9 is more than 30 %
    ],
)
def test_weights_become_shares(names: tuple[ConfirmationName, ...], expected: tuple[float, ...]) -> None:
    """Prices weigh 1 and slow sources 0.3, their cap at 30 % together."""
    shares = shares_of(names, SETTINGS)
    assert [shares[name] for name in names] == pytest.approx(expected)


@given(names=HEARD, weights=WEIGHTS)
def test_slow_sources_never_weigh_more_than_thirty_percent(
    names: set[ConfirmationName], weights: ConfirmationWeights
) -> None:
    """Whatever the weights and whoever abstains, and all shares add up to one."""
    shares = shares_of(names, replace(SETTINGS, weights=weights))
    assert sum(share for name, share in shares.items() if name not in PRICE_BASED) <= 0.30 + 1e-12
    assert sum(shares.values()) == pytest.approx(1.0)
    assert min(shares.values()) >= 0.0


def test_a_lower_cap_holds() -> None:
    """With nothing allowed the slow sources are heard and do not count."""
    shares = shares_of((STRENGTH, CAPITAL), replace(SETTINGS, max_slow_share=0.0))
    assert shares == {STRENGTH: 1.0, CAPITAL: 0.0}


# stance -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "stance"),
    [
        (1.0, Stance.SUPPORTS),
        (0.2, Stance.SUPPORTS),
        (0.1 + 0.1, Stance.SUPPORTS),
        (0.5 * 0.1 + 0.5 * 0.3 - 1e-15, Stance.SUPPORTS),  # 0.2 on paper
        (0.1999, Stance.WEAK),
        (0.0, Stance.WEAK),
        (-0.1999, Stance.WEAK),
        (-0.2, Stance.CONTRADICTS),
        (-0.2 + 1e-15, Stance.CONTRADICTS),
        (-1.0, Stance.CONTRADICTS),
    ],
)
def test_a_conviction_takes_a_stance(value: float, stance: Stance) -> None:
    """The thresholds of 0.2 and -0.2 belong to the stronger stance (M3)."""
    assert stance_of(value, SETTINGS) is stance


# conviction -------------------------------------------------------------------------------------------------------


def test_conviction_is_the_weighted_mean_of_those_that_answered() -> None:
    """Recomputed from the six readings of a whole delivery."""
    found = read_conviction(a_delivery(), SETTINGS, TODAY)
    weights = {name: 1.0 if name in PRICE_BASED else 0.3 for name in ConfirmationName}
    evidence = {one.name: one.evidence for one in found.readings if isinstance(one, Confirmation)}
    expected = sum(weights[name] * one for name, one in evidence.items()) / 3.9
    assert found.value == pytest.approx(expected)
    assert (len(evidence), found.read_on) == (6, TODAY)
    assert found.stance is stance_of(expected, SETTINGS)
    assert found.words.startswith(f"conviction {expected:+.2f} {found.stance.value}: relative_strength")


@pytest.mark.parametrize("missing", [*combinations(MARKET, 1), *combinations(MARKET, 2), MARKET])
def test_two_confirmations_from_prices_are_the_least(missing: tuple[str, ...]) -> None:
    """Slow ones alone, or with one from prices, give no conviction; the abstentions say why."""
    inputs = a_delivery()
    for symbol in missing:
        inputs = without_history(inputs, symbol)
    found = read_conviction(inputs, SETTINGS, TODAY)
    prices = sum(isinstance(one, Confirmation) and one.name in PRICE_BASED for one in found.readings)
    assert (found.value is None) is (prices < 2)
    assert (found.stance is Stance.UNKNOWN) is (prices < 2)
    assert {one.name for one in found.readings} == set(ConfirmationName)
    if prices < 2:
        assert f"{prices} of 3 price-based confirmations could be read, expected 2" in found.words


def test_with_nothing_delivered_conviction_is_unknown() -> None:
    """Six abstentions, none of them silent."""
    found = read_conviction(EvidenceInputs(), SETTINGS, TODAY)
    assert (found.value, found.stance) == (None, Stance.UNKNOWN)
    assert all(isinstance(one, Abstention) and one.why for one in found.readings)


def test_an_abstention_does_not_pull_towards_zero() -> None:
    """Without breadth the others share its weight."""
    whole, lacking = a_delivery(), replace(a_delivery(), breadth=None, capital=None, satellite_names=frozenset())
    settings = replace(SETTINGS, cash_flow=CashFlowSettings())
    evidence = [
        one.evidence for one in read_conviction(whole, SETTINGS, TODAY).readings[:2] if hasattr(one, "evidence")
    ]
    assert read_conviction(lacking, settings, TODAY).value == pytest.approx(sum(evidence) / 2)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), weights=WEIGHTS)
def test_a_conviction_lies_between_its_readings(seed: int, weights: ConfirmationWeights) -> None:
    """It is a weighted mean, so that no weights can make it stronger than the strongest evidence."""
    found = read_conviction(a_delivery(seed), replace(SETTINGS, weights=weights), TODAY)
    evidence = [one.evidence for one in found.readings if isinstance(one, Confirmation)]
    assert found.value is not None
    assert min(evidence) - 1e-9 <= found.value <= max(evidence) + 1e-9


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_reading_twice_gives_the_same(seed: int) -> None:
    """Nothing is remembered between two readings."""
    assert read_conviction(a_delivery(seed), SETTINGS, TODAY) == read_conviction(a_delivery(seed), SETTINGS, TODAY)


# settings ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: EvidenceSettings(max_slow_share=0.31), "may be lowered below 0.3, never raised, was 0.31"),
        (lambda: EvidenceSettings(max_slow_share=-0.1), "max_slow_share must lie between 0 and 1"),
        (lambda: EvidenceSettings(supports_at=-0.2), "contradicts_at must lie below supports_at"),
        (lambda: EvidenceSettings(supports_at=1.1), "within -1..1"),
        (lambda: EvidenceSettings(contradicts_at=-1.1), "within -1..1"),
        (lambda: EvidenceSettings(contradicts_at=math.nan), "contradicts_at must be finite"),
        (lambda: EvidenceSettings(least_price_based=0), "least_price_based must be positive"),
        (lambda: EvidenceSettings(least_price_based=4), "least_price_based must be at most 3, was 4"),
        (lambda: EvidenceSettings(warm_up_sessions=-1), "warm_up_sessions must not be negative"),
        (lambda: EvidenceSettings(max_missing_sessions=-1), "max_missing_sessions must not be negative"),
        (lambda: EvidenceSettings(price_max_age_days=0), "price_max_age_days must be positive"),
        (lambda: ConfirmationWeights(relative_strength=0.0), "relative_strength must be positive"),
        (lambda: ConfirmationWeights(momentum_divergence=-1.0), "momentum_divergence must be positive"),
        (lambda: ConfirmationWeights(cost_of_capital=-1.0), "cost_of_capital must not be negative"),
        (lambda: StrengthSettings(period=0), "period must be positive"),
        (lambda: StrengthSettings(full_scale_points=0.0), "full_scale_points must be positive"),
        (lambda: MomentumSettings(fast_span=26), "slow_span must exceed fast_span 26, was 26"),
        (lambda: MomentumSettings(signal_span=0), "signal_span must be positive"),
        (lambda: MomentumSettings(deviation_sessions=1), "deviation_sessions must be at least 2"),
        (lambda: BreadthSettings(deviation_sessions=1), "deviation_sessions must be at least 2"),
        (lambda: BreadthSettings(change_sessions=0), "change_sessions must be positive"),
        (lambda: CapitalSettings(equity_weight=1.01), "equity_weight must lie between 0 and 1"),
        (lambda: CapitalSettings(tax_frac=-0.01), "tax_frac must lie between 0 and 1"),
        (lambda: CapitalSettings(beta=-1.0), "beta must not be negative"),
        (lambda: CapitalSettings(full_scale_bp=0.0), "full_scale_bp must be positive"),
        (lambda: CashFlowSettings(names=("O", "O")), "names must each stand once, were O, O"),
        (lambda: CashFlowSettings(names=("",)), "name must not be empty"),
        (lambda: CashFlowSettings(least_names=0), "least_names must be positive"),
        (lambda: AcidTestSettings(least_covered_frac=1.5), "least_covered_frac must lie between 0 and 1"),
        (lambda: AcidTestSettings(year_tolerance_days=-1), "year_tolerance_days must not be negative"),
        (lambda: AcidTestSettings(year_days=0), "year_days must be positive"),
    ],
)
def test_settings_without_a_meaning_are_refused(make: Callable[[], Any], told: str) -> None:
    """Each names the key that is wrong."""
    with pytest.raises(InvalidValueError, match=told):
        make()


def test_a_slow_source_can_be_weighed_away() -> None:
    """A weight of zero is a choice, and the minimum is what is done by default while conviction is weak."""
    settings = EvidenceSettings(weights=ConfirmationWeights(cost_of_capital=0.0))
    assert shares_of((STRENGTH, CAPITAL), settings) == {STRENGTH: 1.0, CAPITAL: 0.0}
    assert settings.weak_conviction is WeakConviction.MINIMUM


# real closes ------------------------------------------------------------------------------------------------------


def real_onsets(rule: DailyRule) -> tuple[date, ...]:
    """Return the first days of the episodes of the shared history."""
    rows = evaluate_daily(load_symbol(HISTORY, "RVX"), load_symbol(HISTORY, "VIX"), DispersionSettings(), rule)
    return tuple(first for first, _ in episodes_of(rows))


def real_inputs() -> EvidenceInputs:
    """Return the real closes; there are no advances and declines and no rates."""
    return EvidenceInputs(
        histories={
            symbol: DailySeries(symbol=symbol, rows=tuple((row.day, row.close) for row in load_symbol(HISTORY, symbol)))
            for symbol in MARKET
        }
    )


@needs_history
@pytest.mark.parametrize(
    ("rule", "episodes", "supporting", "contradicting"), [(DailyRule.LIVE, 62, 32, 16), (DailyRule.RAW, 138, 59, 35)]
)
def test_prices_support_half_and_contradict_a_quarter_of_the_real_episodes(
    rule: DailyRule, episodes: int, supporting: int, contradicting: int
) -> None:
    """At the onsets of the live rule 52 % and 26 %, within 4 points of the 55 % and 23 % of docs/methodology.md, M3."""
    inputs = real_inputs()
    stances = [read_conviction(inputs, EvidenceSettings(), day).stance for day in real_onsets(rule)]
    assert (len(stances), stances.count(Stance.SUPPORTS), stances.count(Stance.CONTRADICTS)) == (
        episodes,
        supporting,
        contradicting,
    )
    assert Stance.UNKNOWN not in stances
    if rule is DailyRule.LIVE:
        assert supporting / episodes == pytest.approx(0.55, abs=0.04)
        assert contradicting / episodes == pytest.approx(0.23, abs=0.04)


@needs_history
def test_the_two_price_based_ones_are_correlated_by_half() -> None:
    """0.5 over every fifth session: two views of much the same thing, and the report says so."""
    inputs, days = real_inputs(), [day for day, _ in real_inputs().histories["SPX"].rows if 2010 <= day.year <= 2024]
    pairs = []
    for day in days[::5]:
        first, second, *_ = read_conviction(inputs, EvidenceSettings(), day).readings
        assert isinstance(first, Confirmation)
        assert isinstance(second, Confirmation)
        pairs.append((first.evidence, second.evidence))
    assert np.corrcoef(np.array(pairs).T)[0, 1] == pytest.approx(0.5, abs=0.05)
