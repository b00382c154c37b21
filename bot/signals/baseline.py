"""The average spread of the sessions before today, and the levels at which the live rule changes its mind."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Final

from bot.signals.settings import DispersionSettings

BaselineRow = tuple[int, float, float]
"""Day as ordinal, RVX close, VIX close; closes in volatility points."""

CENTS: Final = 100  # closes are published in hundredths of a point; counted as integers they compare exactly
TIE_POINTS: Final = 1e-9
"""Doubles of two-decimal levels differ by less than this when the levels are equal: a tie stays a tie."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """What one session compares its smoothed spread with; all in volatility points.

    ``why`` is empty where the rule is defined. Otherwise it says what is missing, and ``enter_at`` and ``leave_at``
    can never be reached.
    """

    baseline: float | None
    sessions: int
    enter_at: float  # a smoothed spread above this enters
    leave_at: float  # one below this leaves
    why: str


def in_hundredths(level: float) -> int:
    """Return a level as whole hundredths of a point, the resolution in which closes are published.

    >>> in_hundredths(28.86) - in_hundredths(23.69)
    517
    """
    return round(level * CENTS)


def thresholds_of(rows: Iterable[BaselineRow], today: date, settings: DispersionSettings) -> Thresholds:
    """Return the baseline of today and its thresholds.

    Args:
        rows: Closes of common sessions, oldest first. Rows of today or later and rows with a close that no index
            could have are left out; of the rest the last ``baseline_sessions`` count.
        today: The session under way, never part of its own baseline.
        settings: The numbers of the rule.

    Source: docs/methodology.md, M1.
    """
    usable = [row for row in rows if row[0] < today.toordinal() and _is_usable(row, settings.max_level)]
    unordered = next((b for a, b in pairwise(usable) if b[0] <= a[0]), None)
    if unordered is not None:
        day = date.fromordinal(unordered[0])
        return _undefined(None, len(usable), f"the baseline's rows do not ascend at {day}: sort them, each day once")
    last = usable[-settings.baseline_sessions :]
    count = len(last)
    if count < settings.baseline_sessions:
        return _undefined(None, count, f"the baseline needs {settings.baseline_sessions} common sessions, has {count}")
    total = sum(in_hundredths(rvx) - in_hundredths(vix) for _, rvx, vix in last)
    baseline = total / (CENTS * count)
    floor = settings.baseline_floor_points
    if baseline < floor:
        return _undefined(baseline, count, f"the baseline is {baseline:.4f} points, below its floor of {floor:g}")
    return Thresholds(
        baseline=baseline,
        sessions=count,
        enter_at=max(
            baseline * (1.0 + settings.enter_excess) + TIE_POINTS, baseline + settings.enter_points - TIE_POINTS
        ),
        leave_at=baseline * (1.0 + settings.leave_excess) - TIE_POINTS,
        why="",
    )


def _undefined(baseline: float | None, sessions: int, why: str) -> Thresholds:
    return Thresholds(baseline=baseline, sessions=sessions, enter_at=math.inf, leave_at=-math.inf, why=why)


def _is_usable(row: BaselineRow, max_level: float) -> bool:
    """Both closes are levels that the rule would believe; a NaN is not."""
    return 0.0 < row[1] <= max_level and 0.0 < row[2] <= max_level
