"""Scans one session as columns: states and dues where they are certain, nothing where they are not.

How it works. The smoothed spread is a linear recurrence; multiplied by 2^(t / half-life) it becomes a running sum.
Freshness and crossings are then masks, and only where a mask changes is there anything to decide. Most sessions end
earlier: while every spread held lies between the same two thresholds, so does the smoothed one.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bot.signals.baseline import Thresholds
from bot.signals.column_flips import Crossings, Flip, flips_of, peak_rises
from bot.signals.column_ticks import (
    SPX_CODE,
    Bools,
    Columns,
    Floats,
    Freshness,
    Ints,
    Spreads,
    Standing,
    Window,
    counted,
    freshness_of,
    good_levels,
    pair_of,
    spreads_of,
)
from bot.signals.settings import DispersionSettings

_NS_PER_S: Final = 1_000_000_000
_MOST_HALF_LIVES: Final = 900.0  # 2^1023 is the largest double; a session of 6.75 hours has 135 half-lives of 180 s

_LEAST_MARGIN_POINTS: Final = 1e-9
_TERM_ERROR: Final = 4e-13  # relative error of a weight, whose exponent of up to 900 is rounded twice
_STEP_ERROR: Final = 1e-15  # relative error of one step of the sum, and of one step of the tracker

_UNDEFINED: Final = 0
_CALM: Final = 1
_BLOWOUT: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scan:
    """States and dues after each tick, and the episode after the last one."""

    states: NDArray[np.int8]
    due: Bools
    standing: Standing


def scan_session(
    ticks: Columns, window: Window, thresholds: Thresholds, standing: Standing, settings: DispersionSettings
) -> Scan | None:
    """Return the scan of a session, None when only the tracker itself can tell.

    ``standing`` is the episode before the session; the ticks are in order of arrival.
    """
    ok = counted(ticks, window, settings)
    if ok.all():
        return _scan_counted(ticks, window, thresholds, standing, settings)
    kept = _scan_counted(ticks.where(ok), window, thresholds, standing, settings)
    return None if kept is None else _spread_out(kept, ok)


def _scan_counted(
    ticks: Columns, window: Window, thresholds: Thresholds, standing: Standing, settings: DispersionSettings
) -> Scan | None:
    """Scan ticks that all count."""
    unchanged = _constant(len(ticks.at), _UNDEFINED, standing)
    if thresholds.why:
        return unchanged
    if not (ticks.at[1:] >= ticks.at[:-1]).all():
        return None
    pair = pair_of(ticks)
    if len(pair.rvx) < 2 or len(pair.vix) < 2:
        return unchanged
    if not (good_levels(pair.rvx_level, settings) and good_levels(pair.vix_level, settings)):
        return None
    spreads = spreads_of(pair, int(np.searchsorted(ticks.at, window.start_ns)))
    if spreads is None:
        return unchanged
    limits_ns = (round(settings.feed_alive_s * _NS_PER_S), round(settings.last_change_s * _NS_PER_S))
    freshness = freshness_of(ticks.at, np.flatnonzero(ticks.code == SPX_CODE), spreads, *limits_ns)
    if _stays_within(spreads.spread, thresholds, standing):
        return _framed(freshness, (), np.zeros(len(ticks.at), dtype=np.bool_), standing, standing)
    return _scan_crossings(ticks.at, spreads, freshness, thresholds, standing, settings)


def _scan_crossings(
    at: Ints,
    spreads: Spreads,
    freshness: Freshness,
    thresholds: Thresholds,
    standing: Standing,
    settings: DispersionSettings,
) -> Scan | None:
    """Scan a session in which a threshold may be crossed."""
    seed = spreads.seed
    held = np.repeat(spreads.spread, np.diff(np.append(spreads.at_positions, len(at))))
    half_lives = (at[seed:] - at[seed]) / (settings.half_life_s * _NS_PER_S)
    if half_lives[-1] > _MOST_HALF_LIVES:
        return None
    smoothed = smoothed_spread(held, half_lives)
    margin = _margin(held)
    for limit in (thresholds.enter_at, thresholds.leave_at):
        if (np.abs(smoothed - limit) <= margin).any():
            return None
    full = np.concatenate((np.full(seed, np.nan), smoothed))
    crossings = Crossings(
        enters=full > thresholds.enter_at,
        leaves=full < thresholds.leave_at,
        dwell_ns=round(settings.dwell_s * _NS_PER_S),
        restart_ns=round(settings.stale_restart_s * _NS_PER_S),
    )
    flips = flips_of(at, freshness, crossings, standing)
    baseline = thresholds.baseline or 1.0  # a defined rule has one
    rises = peak_rises(full / baseline - 1.0, margin / baseline, freshness.fresh, flips, standing)
    if rises is None:
        return None
    after = Standing(in_blowout=rises.in_blowout, peak=rises.peak, is_new=rises.in_blowout and bool(flips))
    return _framed(freshness, flips, rises.stepped, standing, after)


def smoothed_spread(held: Floats, half_lives: Floats) -> Floats:
    """Return the smoothed spread at each tick, seeded with the first one.

    Args:
        held: Shape (n,), the spread held from each tick on, in volatility points.
        half_lives: Shape (n,), time since the first tick in half-lives, ascending, at most 900.

    Source: docs/methodology.md, M1; the recurrence s' = x + (s - x) 2^(-dt) summed with weights 2^t.
    """
    weight = np.exp2(half_lives)
    smoothed = np.empty_like(held)
    smoothed[0] = held[0]
    smoothed[1:] = (held[0] + np.cumsum(np.diff(weight) * held[:-1])) / weight[1:]
    return smoothed


def _margin(held: Floats) -> float:
    """A bound for the difference between the running sum and the tracker's steps, in volatility points.

    A wrong weight counts as often as the spread moves, a rounded step once per tick; that old errors fade with the
    half-life is not made use of.
    """
    largest = float(np.abs(held).max())
    moved = float(np.abs(np.diff(held)).sum())
    return _LEAST_MARGIN_POINTS + _TERM_ERROR * (largest + moved) + _STEP_ERROR * len(held) * largest


def _stays_within(spread: Floats, thresholds: Thresholds, standing: Standing) -> bool:
    """Every spread held lies between the thresholds of the state, hence the smoothed one as well."""
    highest = thresholds.enter_at
    if standing.in_blowout:
        highest = (thresholds.baseline or 0.0) * (1.0 + standing.peak)
        if spread.min() <= thresholds.leave_at + _LEAST_MARGIN_POINTS:
            return False
    return bool(spread.max() < highest - _LEAST_MARGIN_POINTS)


def _framed(freshness: Freshness, flips: tuple[Flip, ...], stepped: Bools, before: Standing, after: Standing) -> Scan:
    """Lay the state of the episode over the ticks and UNDEFINED over what is not fresh."""
    states = np.full(len(stepped), _BLOWOUT if before.in_blowout else _CALM, dtype=np.int8)
    for flip in flips:
        states[flip.position :] = _BLOWOUT if flip.to_blowout else _CALM
    states[~freshness.fresh] = _UNDEFINED
    due = stepped
    due[1:] |= states[1:] != states[:-1]
    due[:1] |= states[:1] != _UNDEFINED
    return Scan(states=states, due=due, standing=after)


def _constant(count: int, state: int, standing: Standing) -> Scan:
    return Scan(states=np.full(count, state, dtype=np.int8), due=np.zeros(count, dtype=np.bool_), standing=standing)


def _spread_out(kept: Scan, ok: Bools) -> Scan:
    """Give ticks that do not count the state before them."""
    last = np.cumsum(ok) - 1
    padded = np.concatenate((kept.states, np.zeros(1, dtype=np.int8)))  # position -1: before the first tick
    due = np.zeros(len(ok), dtype=np.bool_)
    due[ok] = kept.due
    return Scan(states=padded[last], due=due, standing=kept.standing)
