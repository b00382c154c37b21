"""The ticks of one session as columns: which count, when the spread changed, and when the indices were fresh."""

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bot.domain.market import DataType
from bot.signals.settings import DispersionSettings

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

SPX_CODE: Final = 0
VIX_CODE: Final = 2
RVX_CODE: Final = 3
"""VIX and RVX have the two highest codes: one comparison finds both."""


class Columns(NamedTuple):
    """Index code, level, time and data type of ticks, shape (n,) each."""

    code: NDArray[np.int8]
    level: Floats
    at: Ints
    data_type: NDArray[np.int8]

    def where(self, ok: Bools) -> "Columns":
        """Return the ticks that a mask names."""
        return Columns(self.code[ok], self.level[ok], self.at[ok], self.data_type[ok])


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """When ticks of a session count, and when the smoothing begins; nanoseconds since 1970 UTC."""

    opens_ns: int
    start_ns: int
    closes_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """The episode before or after a session; ``is_new``: it began in it."""

    in_blowout: bool
    peak: float
    is_new: bool


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pair:
    """The ticks of RVX and VIX: positions in order of arrival, and positions and levels of each."""

    both: Ints
    is_rvx: Bools
    rvx: Ints
    vix: Ints
    rvx_level: Floats
    vix_level: Floats


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Spreads:
    """The spread held from each tick of RVX or VIX on, the seed of the smoothing first; positions of ticks."""

    at_positions: Ints
    spread: Floats
    rvx_changes: Ints  # positions at which the good level changed
    vix_changes: Ints

    @property
    def seed(self) -> int:
        """The position of the tick that seeds the smoothing."""
        return int(self.at_positions[0])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Freshness:
    """When the indices were fresh."""

    fresh: Bools  # after each tick
    onsets: tuple[tuple[int, int], ...]
    """Where freshness ended: the position of the first tick after it, and the moment in nanoseconds."""


def counted(ticks: Columns, window: Window, settings: DispersionSettings) -> Bools:
    """Return which ticks count; the order of their times is not looked at."""
    is_volatility = ticks.code >= VIX_CODE
    ok: Bools = ticks.data_type == DataType.LIVE.value
    ok &= (ticks.code >= SPX_CODE) & (ticks.code <= RVX_CODE)
    ok &= (ticks.at >= window.opens_ns) & (ticks.at <= window.closes_ns)
    ok &= (ticks.level > 0.0) & (ticks.level < np.inf)
    ok &= ~is_volatility | (ticks.level <= settings.max_level)
    return ok


def good_levels(levels: Floats, settings: DispersionSettings) -> bool:
    """The second tick confirms the first and no later one is a jump: all but the first are good."""
    moves = np.abs(np.diff(levels))
    second = bool(moves[0] <= settings.confirm_frac * levels[0])
    return second and bool((moves[1:] <= settings.jump_frac * levels[1:-1]).all())


def pair_of(ticks: Columns) -> Pair:
    """Return the ticks of RVX and of VIX, each alone and in the order in which both came."""
    both = np.flatnonzero(ticks.code >= VIX_CODE)
    level = ticks.level[both]
    is_rvx = ticks.code[both] == RVX_CODE
    return Pair(
        both=both, is_rvx=is_rvx, rvx=both[is_rvx], vix=both[~is_rvx], rvx_level=level[is_rvx], vix_level=level[~is_rvx]
    )


def spreads_of(pair: Pair, start: int) -> Spreads | None:
    """Return the spread held after each tick from the seed on; None when there is no seed.

    All ticks of the pair but the first of each index are good; ``start`` is the position of the first tick that may
    feed the smoothing.
    """
    fed = [_first_from(lane[1:], start) for lane in (pair.rvx, pair.vix)]
    if None in fed:
        return None
    seed = int(np.searchsorted(pair.both, max(one for one in fed if one is not None)))
    rvx_seen = np.cumsum(pair.is_rvx)
    vix_seen = np.arange(1, len(pair.both) + 1) - rvx_seen
    return Spreads(
        at_positions=pair.both[seed:],
        spread=pair.rvx_level[rvx_seen[seed:] - 1] - pair.vix_level[vix_seen[seed:] - 1],
        rvx_changes=_changes(pair.rvx, pair.rvx_level),
        vix_changes=_changes(pair.vix, pair.vix_level),
    )


def freshness_of(at: Ints, spx: Ints, spreads: Spreads, feed_ns: int, last_change_ns: int) -> Freshness:
    """Return when the feed was alive and neither index had stood unchanged for too long."""
    fresh = np.zeros(len(at), dtype=np.bool_)
    if not len(spx):
        return Freshness(fresh=fresh, onsets=())
    fresh[max(spreads.seed, int(spx[0])) :] = True
    gaps = [
        *_gaps(at, spx, feed_ns),
        *_gaps(at, spreads.rvx_changes, last_change_ns),
        *_gaps(at, spreads.vix_changes, last_change_ns),
    ]
    for begin, end, _ in gaps:
        fresh[begin:end] = False
    onsets: dict[int, int] = {}
    for begin, _, moment in gaps:
        if 0 < begin < len(at) and fresh[begin - 1]:
            onsets[begin] = min(moment, onsets.get(begin, moment))
    return Freshness(fresh=fresh, onsets=tuple(sorted(onsets.items())))


def _gaps(at: Ints, positions: Ints, limit_ns: int) -> list[tuple[int, int, int]]:
    """Return the stale stretches after ticks at ``positions``: first stale tick, the tick that ends it, the moment."""
    times = at[positions]
    long = np.flatnonzero(np.diff(times) > limit_ns)
    moments = np.append(times[long], times[-1]) + limit_ns
    ends = np.append(positions[long + 1], len(at))
    begins = np.searchsorted(at, moments, side="right")
    return list(zip(begins.tolist(), ends.tolist(), moments.tolist(), strict=True))


def _changes(positions: Ints, levels: Floats) -> Ints:
    """The first good tick of a session, its second tick, is a change as well."""
    changed = levels[1:] != levels[:-1]
    changed[0] = True
    changes: Ints = positions[1:][changed]
    return changes


def _first_from(positions: Ints, start: int) -> int | None:
    at = int(np.searchsorted(positions, start))
    return int(positions[at]) if at < len(positions) else None
