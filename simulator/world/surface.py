"""Volatility surfaces: VIX options on the VIX forward, equity options tied to the index computed from them.

Both are smooth stand-ins, shaped so that the reference book of docs/methodology.md (M2) comes out within 15 %: ten
condors of 16 delta at SPX 6800 and VIX 18 for about 6,800 USD, the base calls for about 2,360 USD.
"""

import math
from typing import Final

from bot.pricing import DAYS_PER_YEAR
from simulator.world.variance import at_the_money_total, smile_factor

_LEAST_DAYS: Final = 0.01  # keeps the last minutes of an option finite
_VIX_FAR_VOL: Final = 0.60  # of a distant VIX forward, at the money
_VIX_NEAR_EXTRA: Final = 0.45  # on top of it for the forward that settles now
_VIX_FADE_DAYS: Final = 55.0
_VIX_SKEW: Final = 0.50  # calls far above the forward trade up to this fraction higher in volatility
_VIX_SKEW_WIDTH: Final = 0.50  # in log-moneyness
_VIX_LEVEL_SLOPE: Final = 0.30  # M11: spot VIX down a quarter goes with volatility x 0.9
_VIX_LEVEL_CENTRE: Final = 18.0

_REVERSION_DAYS: Final = 120.0
_INDEX_DAYS: Final = 37.0  # docs/methodology.md, M18: the later term of the index lies at most so far away


def vix_at_the_money_vol(*, days: float, vix: float) -> float:
    """Return the volatility of an at-the-money VIX option, a fraction per year.

    It falls with the time to settlement and rises with spot VIX.

    Args:
        days: Calendar days to settlement.
        vix: Spot VIX, points.
    """
    stress = min(2.0, max(0.5, 1.0 + _VIX_LEVEL_SLOPE * math.log(vix / _VIX_LEVEL_CENTRE)))
    return (_VIX_FAR_VOL + _VIX_NEAR_EXTRA * math.exp(-days / _VIX_FADE_DAYS)) * stress


def vix_option_vol(*, strike: float, forward: float, at_the_money: float) -> float:
    """Return the volatility of a VIX option: upward skew in the strike, bounded on both sides."""
    return at_the_money * (1.0 + _VIX_SKEW * math.tanh(math.log(strike / forward) / _VIX_SKEW_WIDTH))


def equity_at_the_money_vol(*, days: float, index: float, long_run: float) -> float:
    """Return the volatility at the money of equity index options, a fraction per year.

    It is such that the whole smile is worth the volatility index: at every term up to 37 days the index itself, beyond
    it a level that leans towards the long run.

    Args:
        days: Calendar days to settlement.
        index: The volatility index of these options, points (VIX for SPX, RVX for RUT).
        long_run: The level that distant terms lean to, points.

    Source: docs/methodology.md, M18.
    """
    lean = math.exp(-max(0.0, days - _INDEX_DAYS) / _REVERSION_DAYS)
    whole = (long_run + (index - long_run) * lean) / 100.0
    root = math.sqrt(max(days, _LEAST_DAYS) / DAYS_PER_YEAR)
    return at_the_money_total(whole * root) / root


def equity_option_vol(*, strike: float, forward: float, years: float, at_the_money: float) -> float:
    """Return the volatility of an equity index option: downward skew in standard deviations of log-moneyness."""
    deviation = at_the_money * math.sqrt(years)
    if deviation <= 0.0:
        return at_the_money
    return at_the_money * smile_factor(math.log(strike / forward) / deviation)
