"""Conviction: the weighted mean of the confirmations that did not abstain, and the stance that follows from it."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Final

from bot.domain.evidence import (
    PRICE_BASED,
    Confirmation,
    ConfirmationName,
    Conviction,
    EvidenceInputs,
    Stance,
)
from bot.signals.evidence.acid_test import read_acid_test
from bot.signals.evidence.breadth import read_breadth
from bot.signals.evidence.capital import read_capital
from bot.signals.evidence.cash_flow import read_cash_flow
from bot.signals.evidence.momentum import read_momentum
from bot.signals.evidence.settings import EvidenceSettings
from bot.signals.evidence.strength import read_strength

READERS: Final = (read_strength, read_momentum, read_breadth, read_capital, read_cash_flow, read_acid_test)
TIE: Final = 1e-12
"""Sums of doubles that are equal on paper differ by less: a conviction of exactly 0.2 supports."""


def read_conviction(inputs: EvidenceInputs, settings: EvidenceSettings, today: date) -> Conviction:
    """Return the conviction of a day with every reading that it rests on.

    It is meant to be read at the onset of an episode and at most once a day after that; nothing is remembered here.

    Args:
        inputs: What was known when they were delivered; rows and figures after ``today`` count for nothing.
        settings: Windows, weights and thresholds.
        today: New York date of the reading.

    Source: docs/methodology.md, M3 and M12.
    """
    readings = tuple(read(inputs, settings, today) for read in READERS)
    given = {one.name: one.evidence for one in readings if isinstance(one, Confirmation)}
    prices = len(PRICE_BASED.intersection(given))
    if prices < settings.least_price_based:
        return Conviction(
            read_on=today,
            value=None,
            stance=Stance.UNKNOWN,
            readings=readings,
            words=f"conviction unknown: {prices} of {len(PRICE_BASED)} price-based confirmations could be read, "
            f"expected {settings.least_price_based}",
        )
    shares = shares_of(given, settings)
    value = min(1.0, max(-1.0, sum(shares[name] * evidence for name, evidence in given.items())))
    stance = stance_of(value, settings)
    parts = ", ".join(f"{name} {evidence:+.2f} x {shares[name]:.0%}" for name, evidence in given.items())
    return Conviction(
        read_on=today,
        value=value,
        stance=stance,
        readings=readings,
        words=f"conviction {value:+.2f} {stance.value}: {parts}",
    )


def shares_of(names: Iterable[ConfirmationName], settings: EvidenceSettings) -> Mapping[ConfirmationName, float]:
    """Return each name's share of the conviction, adding up to 1; slow sources share at most 30 %.

    >>> shares = shares_of((ConfirmationName.RELATIVE_STRENGTH, ConfirmationName.ACID_TEST), EvidenceSettings())
    >>> [round(shares[name], 3) for name in sorted(shares)]
    [0.231, 0.769]

    Args:
        names: Those that did not abstain, one from prices among them.
        settings: Weights and the slow sources' cap.

    Source: docs/methodology.md, M3.
    """
    by_name = settings.weights.by_name()
    weights = {name: by_name[name] for name in names}
    fast = sum(weight for name, weight in weights.items() if name in PRICE_BASED)
    slow = sum(weight for name, weight in weights.items() if name not in PRICE_BASED)
    slow_share = min(slow / (fast + slow), settings.max_slow_share)
    return {
        name: weight / fast * (1.0 - slow_share) if name in PRICE_BASED else _part(weight, slow) * slow_share
        for name, weight in weights.items()
    }


def stance_of(value: float, settings: EvidenceSettings) -> Stance:
    """Return what a conviction says; the thresholds themselves belong to the stronger stance.

    >>> [stance_of(value, EvidenceSettings()).value for value in (0.2, 0.19, -0.19, -0.2)]
    ['supports', 'weak', 'weak', 'contradicts']

    Source: docs/methodology.md, M3.
    """
    if value >= settings.supports_at - TIE:
        return Stance.SUPPORTS
    return Stance.CONTRADICTS if value <= settings.contradicts_at + TIE else Stance.WEAK


def _part(weight: float, total: float) -> float:
    """A slow source's part of their share; none at all where all of them are weighed away."""
    return weight / total if total > 0.0 else 0.0
