"""From a volatility index to the volatility at the money: what one smile is worth as a whole.

The index of docs/methodology.md (M18) is the fair strike of a variance swap: twice the sum of out-of-the-money prices
over squared strikes. For a smile that depends on standard deviations alone, its ratio to the volatility at the money
depends on one number, the total deviation (volatility times root of time), so that one table serves every moment.
"""

import math
from bisect import bisect_left
from functools import cache
from typing import Final

from bot.pricing import normal_cdf

SKEW: Final = 0.12  # per standard deviation of log-moneyness, downward
SMILE: Final = 0.04
LOWEST_DEVIATION: Final = -2.5
HIGHEST_DEVIATION: Final = 2.0
"""Between these the factor is a parabola; beyond them its square goes on in a straight line."""

_TABLE_STEPS: Final = 48
_LEAST_TOTAL: Final = 0.002
_MOST_TOTAL: Final = 1.6
_STRIKES: Final = 400
_REACH: Final = 12.0  # deviations of log-strike on either side


def smile_factor(deviations: float) -> float:
    """Return an option's volatility over that at the money at so many ``deviations`` of log-moneyness.

    ``1 - 0.12 x + 0.04 x^2`` between the two bounds; beyond, variance grows in a straight line with the slope that it
    has there, so that no put is worth less than a lower one and no butterfly less than nothing.

    >>> smile_factor(0.0), round(smile_factor(-1.0), 9)
    (1.0, 1.16)
    """
    x = min(HIGHEST_DEVIATION, max(LOWEST_DEVIATION, deviations))
    factor = 1.0 - SKEW * x + SMILE * x * x
    if x == deviations:
        return factor
    return math.sqrt(factor * (factor + 2.0 * (2.0 * SMILE * x - SKEW) * (deviations - x)))


def swap_total(at_the_money_total: float) -> float:
    """Return the total deviation of the variance swap for one at the money, both volatility times root of time.

    Midpoint sum of ``2 Q(K) / K^2`` over log-strikes, Q the out-of-the-money price at the smile's volatility.
    """
    if at_the_money_total <= 0.0:
        return 0.0
    width = 2.0 * _REACH * at_the_money_total / _STRIKES
    total = 0.0
    for step in range(_STRIKES):
        log_strike = -_REACH * at_the_money_total + (step + 0.5) * width
        deviation = at_the_money_total * smile_factor(log_strike / at_the_money_total)
        strike = math.exp(log_strike)
        sign = 1.0 if log_strike > 0.0 else -1.0
        d1 = -log_strike / deviation + 0.5 * deviation
        price = sign * (normal_cdf(sign * d1) - strike * normal_cdf(sign * (d1 - deviation)))
        total += 2.0 * price / strike * width
    return math.sqrt(total)


def at_the_money_total(wanted: float) -> float:
    """Return the total deviation at the money whose whole smile is worth ``wanted``; interpolated, within 1e-4 of it.

    >>> round(swap_total(at_the_money_total(0.0516)), 4)
    0.0516
    """
    swaps, moneys = _table()
    position = min(max(1, bisect_left(swaps, wanted)), len(swaps) - 1)
    left, right = swaps[position - 1], swaps[position]
    share = (wanted - left) / (right - left)
    return moneys[position - 1] + share * (moneys[position] - moneys[position - 1])


@cache
def _table() -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return swaps and deviations at the money, both ascending, evenly spaced in their logarithm."""
    growth = (_MOST_TOTAL / _LEAST_TOTAL) ** (1.0 / (_TABLE_STEPS - 1))
    moneys = tuple(_LEAST_TOTAL * growth**step for step in range(_TABLE_STEPS))
    return (0.0, *map(swap_total, moneys)), (0.0, *moneys)
