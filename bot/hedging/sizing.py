"""How much to add: from the widest excess of an episode to a target, and from a gap to whole contracts."""

import math
from dataclasses import dataclass

from bot.domain.evidence import Stance, WeakConviction
from bot.domain.readings import Signal
from bot.hedging.settings import HedgeSettings


def increment_frac(peak_excess: float, settings: HedgeSettings) -> float:
    """Return f: the overlay's share of the base for the widest excess that the episode has seen.

    10 % at an excess of 0.25, rising linearly to 20 % at 0.75, flat beyond. Because the peak never falls within an
    episode, neither does f.

    >>> [round(increment_frac(excess, HedgeSettings()), 3) for excess in (0.25, 0.5, 0.75, 3.0)]
    [0.1, 0.15, 0.2, 0.2]

    Source: docs/methodology.md, M2.
    """
    least, most = settings.least_increment_frac, settings.most_increment_frac
    share = (peak_excess - settings.least_excess) / (settings.most_excess - settings.least_excess)
    return least + (most - least) * min(1.0, max(0.0, share))


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """How large the overlay should be as a share of the base, and why a person should decide it; empty: nobody need."""

    frac: float
    asks: str = ""


def wish_of(signal: Signal, weak: WeakConviction, settings: HedgeSettings) -> Wish:
    """Return what a blowout asks for, in the light of its confirmations.

    Supported, it is f. Weak or unknown, it is the least increment, or that as a proposal. Contradicted, nothing is
    done without a person, who is asked for the least increment.

    Args:
        signal: Of a blowout; without a conviction it counts as unknown.
        weak: What is configured for a weak or unknown one.
        settings: The increments.

    Source: docs/methodology.md, M2 and M3.
    """
    full = increment_frac(signal.peak_excess, settings)
    stance = Stance.UNKNOWN if signal.conviction is None else signal.conviction.stance
    if stance is Stance.SUPPORTS:
        return Wish(frac=full)
    least = min(full, settings.least_increment_frac)
    if stance is Stance.CONTRADICTS:
        return Wish(frac=least, asks="the confirmations contradict the blowout")
    if weak is WeakConviction.PROPOSE:
        return Wish(frac=least, asks=f"the conviction is {stance.value}")
    return Wish(frac=least)


def contracts_for(*, gap: float, room: float, each: float) -> int:
    """Return the nearest whole number of contracts for a gap, reduced until they fit into the room; never below zero.

    Less than half a contract is none: that is M2's no-trade band in contracts.

    Args:
        gap: Exposure still wanted, USD per point.
        room: Exposure that may be added at all, USD per point.
        each: Exposure of one contract, positive.

    >>> contracts_for(gap=20.0, room=34.0, each=13.0), contracts_for(gap=6.0, room=34.0, each=13.0)
    (2, 0)
    >>> contracts_for(gap=20.0, room=25.0, each=13.0)
    1

    Source: docs/methodology.md, M2.
    """
    if not each > 0.0 or not gap > 0.0 or not room > 0.0:
        return 0
    return min(math.floor(gap / each + 0.5), math.floor(room / each + 1e-9))


def is_within_band(*, gap: float, base: float, settings: HedgeSettings) -> bool:
    """Return whether a gap is too small to trade, measured on the base.

    Source: docs/methodology.md, M2 and M16.
    """
    return gap <= settings.no_trade_band_frac * base
