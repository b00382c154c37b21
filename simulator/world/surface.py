"""Volatility surfaces of the simulated world: VIX options on the VIX forward, SPX options tied to spot VIX.

Both are smooth stand-ins, shaped so that the reference book of docs/methodology.md (M2) comes out within 15 %: ten
condors of 16 delta at SPX 6800 and VIX 18 for about 6,800 USD, the base calls for about 2,360 USD.
"""

import math
from typing import Final

_VIX_FAR_VOL: Final = 0.60  # of a distant VIX forward, at the money
_VIX_NEAR_EXTRA: Final = 0.45  # on top of it for the forward that settles now
_VIX_FADE_DAYS: Final = 55.0
_VIX_SKEW: Final = 0.50  # calls far above the forward trade up to this fraction higher in volatility
_VIX_SKEW_WIDTH: Final = 0.50  # in log-moneyness
_VIX_LEVEL_SLOPE: Final = 0.30  # M11: spot VIX down a quarter goes with volatility x 0.9
_VIX_LEVEL_CENTRE: Final = 18.0

_SPX_AT_THE_MONEY: Final = 0.84  # of VIX, which also carries the expensive wings
_SPX_SKEW: Final = 0.12  # per standard deviation of log-moneyness, downward
_SPX_SMILE: Final = 0.03
_SPX_REVERSION_DAYS: Final = 120.0


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


def spx_at_the_money_vol(*, days: float, vix: float, long_run: float) -> float:
    """Return the volatility of an at-the-money SPX option, a fraction per year.

    Up to 30 days it stands at a fixed share of VIX; later ones lean towards the long-run level.
    """
    lean = math.exp(-max(0.0, days - 30.0) / _SPX_REVERSION_DAYS)
    return _SPX_AT_THE_MONEY * (long_run + (vix - long_run) * lean) / 100.0


def spx_option_vol(*, strike: float, forward: float, years: float, at_the_money: float) -> float:
    """Return the volatility of an SPX option: downward skew in standard deviations of log-moneyness.

    Beyond four deviations below and three above the forward the skew is flat.
    """
    deviation = at_the_money * math.sqrt(years)
    if deviation <= 0.0:
        return at_the_money
    x = min(3.0, max(-4.0, math.log(strike / forward) / deviation))
    return at_the_money * max(0.5, 1.0 - _SPX_SKEW * x + _SPX_SMILE * x * x)
