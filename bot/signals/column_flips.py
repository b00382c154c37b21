"""Dwell, hysteresis and peak over masks: looks only at the ticks at which something begins or ends."""

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from bot.signals.column_ticks import Bools, Floats, Freshness, Ints, Standing
from bot.signals.dispersion import PEAK_STEP

_ROUNDING: Final = 1e-12  # of an excess divided by a step


class Flip(NamedTuple):
    """An episode begins or ends at the tick at ``position``."""

    position: int
    to_blowout: bool


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Crossings:
    """At which ticks the smoothed spread is beyond a threshold, and for how long it must stay there."""

    enters: Bools
    leaves: Bools
    dwell_ns: int
    restart_ns: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rises:
    """At which ticks the peak reached a new step, and the episode after the last tick."""

    stepped: Bools
    in_blowout: bool
    peak: float


def flips_of(at: Ints, freshness: Freshness, crossings: Crossings, standing: Standing) -> tuple[Flip, ...]:
    """Return where episodes begin and end, in order."""
    fresh = np.flatnonzero(freshness.fresh)
    weighed = freshness.fresh.copy()
    weighed[1:] |= freshness.fresh[:-1]  # the first tick after freshness ended closes the time that was fresh
    restarts = _restarts(at, fresh, freshness.onsets, crossings.restart_ns)
    ran = np.cumsum(_fresh_time(at, freshness))
    crossed = {False: crossings.enters, True: crossings.leaves}
    begins = {state: np.flatnonzero(freshness.fresh & mask) for state, mask in crossed.items()}
    breaks = {state: _with(np.flatnonzero(weighed & ~mask), restarts) for state, mask in crossed.items()}
    flips: list[Flip] = []
    in_blowout = standing.in_blowout
    begin = _at_or_after(begins[in_blowout], 0)
    while begin is not None:
        end = _at_or_after(breaks[in_blowout], begin + 1)
        held = max(begin, int(np.searchsorted(ran, ran[begin] + crossings.dwell_ns)))
        reached = _at_or_after(fresh, held)
        next_begin = end
        if reached is not None and (end is None or reached < end):
            in_blowout = not in_blowout
            flips.append(Flip(reached, in_blowout))
            next_begin = reached + 1
        begin = None if next_begin is None else _at_or_after(begins[in_blowout], next_begin)
    return tuple(flips)


def peak_rises(
    excess: Floats, margin: float, fresh: Bools, flips: tuple[Flip, ...], standing: Standing
) -> Rises | None:
    """Return where the peak excess reached a new step; None when a step is nearer than the margin."""
    stepped = np.zeros(len(fresh), dtype=np.bool_)
    in_blowout, peak, since = standing.in_blowout, standing.peak, 0
    for flip in (*flips, Flip(len(fresh), to_blowout=False)):
        if in_blowout:
            positions = since + np.flatnonzero(fresh[since : flip.position])
            seen = excess[positions]
            steps = seen / PEAK_STEP
            may_rise = seen >= peak - margin
            if (np.abs(steps - np.rint(steps))[may_rise] <= margin / PEAK_STEP + _ROUNDING).any():
                return None
            peaks = np.maximum.accumulate(np.concatenate(([peak], seen)))
            stepped[positions] = np.diff(np.floor(peaks / PEAK_STEP)) > 0
            peak = float(peaks[-1])
        if flip.position < len(fresh):
            in_blowout, since = flip.to_blowout, flip.position
            peak = float(excess[since]) if in_blowout else 0.0
    return Rises(stepped=stepped, in_blowout=in_blowout, peak=peak)


def _fresh_time(at: Ints, freshness: Freshness) -> Ints:
    """The fresh nanoseconds between the tick before and each tick."""
    passed = np.zeros(len(at), dtype=np.int64)
    passed[1:] = np.where(freshness.fresh[:-1], np.diff(at), 0)
    for position, moment in freshness.onsets:
        passed[position] = min(int(passed[position]), moment - int(at[position - 1]))
    return passed


def _restarts(at: Ints, fresh: Ints, onsets: tuple[tuple[int, int], ...], restart_ns: int) -> Ints:
    """The ticks at which freshness came back after so long that the dwell begins anew."""
    returns = [(_at_or_after(fresh, position), moment) for position, moment in onsets]
    long = [position for position, moment in returns if position is not None and at[position] - moment >= restart_ns]
    return np.array(long, dtype=np.int64)


def _with(positions: Ints, more: Ints) -> Ints:
    merged: Ints = np.sort(np.concatenate((positions, more))) if len(more) else positions
    return merged


def _at_or_after(positions: Ints, position: int) -> int | None:
    index = int(np.searchsorted(positions, position))
    return int(positions[index]) if index < len(positions) else None
