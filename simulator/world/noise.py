"""Seeded noise for intraday paths: bridges that start and end at nothing."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

Series = NDArray[np.float64]
"""One number per step of a session."""

DECIMALS: Final = 2
"""Indices are published in hundredths of a point."""


def bridge(rng: np.random.Generator, steps: int) -> Series:
    """Return a Brownian bridge over ``steps`` moments: zero at both ends, variance 1 of the free walk at the end.

    Its standard deviation at the middle is one half.
    """
    if steps == 1:
        return np.zeros(1)
    walk = np.concatenate(([0.0], rng.standard_normal(steps - 1).cumsum())) / np.sqrt(steps - 1)
    tied: Series = walk - np.linspace(0.0, 1.0, steps) * walk[-1]
    return tied


def blended(common: Series, own: Series, correlation: float) -> Series:
    """Return noise that has the stated correlation with ``common`` and the same size; ``own`` is independent."""
    mixed: Series = correlation * common + np.sqrt(1.0 - correlation * correlation) * own
    return mixed


def published(series: Series) -> tuple[float, ...]:
    """Return levels as an exchange publishes them: two decimals, plain floats."""
    return tuple(np.round(series, DECIMALS).tolist())


def frozen_after(series: Series, step: int) -> Series:
    """Return the series with everything after ``step`` held at its level there."""
    held = series.copy()
    held[step:] = held[min(step, len(held) - 1)]
    return held
