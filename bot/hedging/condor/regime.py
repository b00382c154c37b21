"""The regime of VIX in which new condors are opened: told to the operator, and no gate for anything (M8)."""

from enum import StrEnum

from bot.hedging.condor.settings import CondorSettings


class Regime(StrEnum):
    """What the operator's own rule says of new condors."""

    ALL_TIERS = "all tiers"
    BALANCED = "balanced"
    NO_NEW_CONDORS = "no new condors"


def regime_of(vix: float, settings: CondorSettings) -> Regime:
    """Return the regime of a level of VIX, in points.

    >>> [regime_of(vix, CondorSettings()).value for vix in (14.99, 15.0, 20.0, 20.01)]
    ['all tiers', 'balanced', 'balanced', 'no new condors']

    Source: docs/methodology.md, M8.
    """
    if vix < settings.calm_vix:
        return Regime.ALL_TIERS
    return Regime.BALANCED if vix <= settings.tense_vix else Regime.NO_NEW_CONDORS
