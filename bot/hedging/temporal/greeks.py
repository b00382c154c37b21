"""Holds our model's greeks against the broker's, because both look at the same quotes and should say the same (M7)."""

from collections.abc import Iterable, Iterator, Mapping

from bot.domain.instrument import Instrument, InstrumentKey
from bot.domain.market import ModelGreeks
from bot.valuation import Unvalued, Valuer

LEAST_DELTA = 0.05
LEAST_THETA_POINTS = 0.01
"""Of so small a figure a fifth is rounding: a gap is measured against this at least."""


def greeks_gaps(
    contracts: Iterable[Instrument], told: Mapping[InstrumentKey, ModelGreeks], valuer: Valuer, most_frac: float
) -> Iterator[str]:
    """Yield each greek of an option in which the broker's model is farther from ours than a fraction of ours, in words.

    Args:
        contracts: Options.
        told: What the broker says of them; one without a word is left out, and so is one that we cannot value.
        valuer: Ours.
        most_frac: Of our own figure.

    Source: docs/methodology.md, M7.
    """
    for contract in contracts:
        theirs, ours = told.get(contract.key), valuer.value(contract)
        if theirs is None or isinstance(ours, Unvalued):
            continue
        theta = ours.theta_usd_per_day / contract.multiplier
        figures = (
            ("delta", ours.delta, theirs.delta, LEAST_DELTA),
            ("theta a day", theta, theirs.theta, LEAST_THETA_POINTS),
        )
        for name, own, other, least in figures:
            gap = abs(other - own) / max(abs(own), least)
            if gap > most_frac:
                yield f"{contract.key}: {name} {own:.4f} by our model, {other:.4f} by the broker's, {gap:.0%} apart"
