"""Wilder's RSI, exponential averages, MACD and PPO on closes, without a library; every seeding is stated.

All functions take a window as an array, oldest first, and return arrays whose last entry belongs to the last close.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from bot.domain.errors import InvalidValueError

FloatArray = NDArray[np.float64]


class Seeding(StrEnum):
    """What an exponential average starts from; after some spans both agree."""

    FIRST_VALUE = "first_value"
    """The first value itself: an average exists from the first close on."""
    SIMPLE_MEAN = "simple_mean"
    """The mean of the first ``span`` values: the average begins with the last of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spans:
    """Spans of a moving average convergence divergence, in sessions."""

    fast: int = 12
    slow: int = 26
    signal: int = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class Divergence:
    """Line, its signal and their difference: arrays of one shape (k,), aligned at the last close."""

    line: FloatArray
    signal: FloatArray
    histogram: FloatArray


def wilder_rsi(closes: FloatArray, period: int) -> FloatArray:
    """Return the relative strength index, 0 to 100: ``100 - 100 / (1 + AG / AL)``.

    AG and AL are the averages of gains and losses: at first the mean of the first ``period`` of them, then
    ``A = ((period - 1) A + x) / period``. Without any loss the index is 100; where nothing ever moved it is NaN.

    >>> wilder_rsi(np.array([10.0, 11.0, 10.5, 11.5]), 2).round(2).tolist()
    [66.67, 85.71]

    Args:
        closes: Shape (n,), at least ``period + 1`` of them.
        period: Changes in the first average.

    Returns:
        Shape (n - period,): one value per close from the one that ends the first average.

    Raises:
        InvalidValueError: Too few closes.

    Source: docs/methodology.md, M3; J. W. Wilder, New Concepts in Technical Trading Systems, section VI.
    """
    _require_length(closes, period + 1)
    changes = np.diff(closes)
    gains = _wilder_average(np.maximum(changes, 0.0), period)
    losses = _wilder_average(np.maximum(-changes, 0.0), period)
    total = gains + losses
    # AG / (AG + AL) is the same as the printed form and needs no case for a window without losses
    return 100.0 * np.divide(gains, total, out=np.full_like(total, np.nan), where=total > 0.0)


def exponential_average(values: FloatArray, span: int, seeding: Seeding) -> FloatArray:
    """Return ``E = E + 2 / (span + 1) (x - E)``.

    >>> exponential_average(np.array([1.0, 2.0, 3.0, 6.0]), 3, Seeding.SIMPLE_MEAN).tolist()
    [2.0, 4.0]
    >>> exponential_average(np.array([1.0, 2.0, 3.0, 6.0]), 3, Seeding.FIRST_VALUE).tolist()
    [1.0, 1.5, 2.25, 4.125]

    Args:
        values: Shape (n,), at least one, with `Seeding.SIMPLE_MEAN` at least ``span`` of them.
        span: Sessions; 12 and 26 are common.
        seeding: What the average starts from.

    Returns:
        Shape (n,), with `Seeding.SIMPLE_MEAN` (n - span + 1,).

    Raises:
        InvalidValueError: Too few values.
    """
    lead = 1 if seeding is Seeding.FIRST_VALUE else span
    _require_length(values, lead)
    share = 2.0 / (span + 1.0)
    average = float(np.mean(values[:lead]))
    averages = [average]
    for value in values[lead:].tolist():
        average += share * (value - average)
        averages.append(average)
    return np.array(averages)


def macd(closes: FloatArray, spans: Spans, seeding: Seeding) -> Divergence:
    """Return the fast less the slow average, in points; the signal is the average of that line, seeded alike.

    Raises:
        InvalidValueError: Fewer closes than the seeding of slow average and signal needs.

    Source: docs/methodology.md, M3.
    """
    fast, slow = _fast_and_slow(closes, spans, seeding)
    return _with_signal(fast - slow, spans, seeding)


def ppo(closes: FloatArray, spans: Spans, seeding: Seeding) -> Divergence:
    """Return the percentage price oscillator: ``100 (fast - slow) / slow``, free of the price's scale.

    Raises:
        InvalidValueError: Fewer closes than the seeding of slow average and signal needs.

    Source: docs/methodology.md, M3.
    """
    fast, slow = _fast_and_slow(closes, spans, seeding)
    return _with_signal(100.0 * (fast - slow) / slow, spans, seeding)


def _wilder_average(moves: FloatArray, period: int) -> FloatArray:
    average = float(np.mean(moves[:period]))
    averages = [average]
    for move in moves[period:].tolist():
        average = ((period - 1) * average + move) / period
        averages.append(average)
    return np.array(averages)


def _fast_and_slow(closes: FloatArray, spans: Spans, seeding: Seeding) -> tuple[FloatArray, FloatArray]:
    slow = exponential_average(closes, spans.slow, seeding)
    return exponential_average(closes, spans.fast, seeding)[-len(slow) :], slow


def _with_signal(line: FloatArray, spans: Spans, seeding: Seeding) -> Divergence:
    signal = exponential_average(line, spans.signal, seeding)
    aligned = line[-len(signal) :]
    return Divergence(line=aligned, signal=signal, histogram=aligned - signal)


def _require_length(values: FloatArray, least: int) -> None:
    if len(values) < least:
        raise InvalidValueError(f"an average needs at least {least} values, was given {len(values)}")
