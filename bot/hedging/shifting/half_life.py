"""How fast a spread returns to its mean: the half-life of a first-order autoregression."""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from bot.domain.checks import require_finite

LEAST_SESSIONS: Final = 3
"""Two pairs: a line through one pair fits whatever it is."""
SLOPE_ROUNDING: Final = 1e-9
"""A slope nearer than this to 0 or to 1 is one of them: sums of two decimals miss by less."""


def half_life_sessions(spreads: Sequence[float]) -> float | None:
    """Return the number of sessions after which half of the spread's deviation from its mean is expected to be left.

    The spread is read as AR(1): ``s[t] = a + b * s[t-1] + noise``, with b the least-squares slope of today's spread on
    yesterday's. A deviation then shrinks by b each session, and half of it is left after ``h = ln(1/2) / ln(b)``.
    Least squares finds b a little too small in short samples, so that h is rather too short than too long.

    Args:
        spreads: One closing spread per session, oldest first, volatility points; every session of the window counts.

    Returns:
        Sessions, above 0. None where no mean reversion is measurable: fewer than three spreads, a constant spread,
        b of 1 or more (a deviation stays or grows), or b of 0 or less (nothing of it is left to halve).

    Raises:
        InvalidValueError: A spread that is not finite.

    >>> round(half_life_sessions([16.0, 8.0, 4.0, 2.0, 1.0]), 12)
    1.0

    Source: docs/methodology.md, M6; the estimator is ordinary least squares (J. Hamilton, Time Series Analysis, 1994,
    chapter 8.2), the half-life solves b^h = 1/2.
    """
    require_finite(**{f"spread {number}": spread for number, spread in enumerate(spreads)})
    if len(spreads) < LEAST_SESSIONS:
        return None
    before, after = zip(*pairwise(spreads), strict=True)
    mean_before, mean_after = math.fsum(before) / len(before), math.fsum(after) / len(after)
    variance = math.fsum((x - mean_before) ** 2 for x in before)
    if min(before) == max(before) or not variance > 0.0:  # the mean of equal numbers may miss them by a rounding
        return None
    slope = math.fsum((x - mean_before) * (y - mean_after) for x, y in zip(before, after, strict=True)) / variance
    if not SLOPE_ROUNDING < slope < 1.0 - SLOPE_ROUNDING:
        return None
    return math.log(0.5) / math.log(slope)
