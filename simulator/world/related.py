"""What moves with the four indices: shares and funds, currencies, further indices, and breadth.

How it works. A related price is its reference price times the move of its index to a power (its beta), times noise of
its own that depends on name and time alone. Nothing is remembered: any moment can be looked at again.
"""

import math
from dataclasses import dataclass
from typing import Final

from bot.pricing import normal_cdf
from simulator.world.curve import vix_forward
from simulator.world.levels import Levels
from simulator.world.noise_at import wave

REFERENCE_SPX: Final = 6800.0
REFERENCE_RUT: Final = 2500.0
_HOUR_S: Final = 3_600.0
_DAY_S: Final = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Related:
    """A share or fund: ``price`` in USD at the reference level of its index, ``beta`` its power.

    ``own`` is the reach of its own noise, a fraction; ``vol`` its option volatility over that of the index.
    """

    index: str  # SPX, RUT or VX: the constant-maturity future of 30 days
    price: float
    beta: float
    own: float
    vol: float = 1.0


SHARES: Final = {
    "SPY": Related(index="SPX", price=678.0, beta=1.0, own=0.0002),
    "IWM": Related(index="RUT", price=248.0, beta=1.0, own=0.0003),
    "QQQ": Related(index="SPX", price=612.0, beta=1.18, own=0.006, vol=1.25),
    "AAPL": Related(index="SPX", price=262.0, beta=1.15, own=0.02, vol=1.55),
    "AMZN": Related(index="SPX", price=228.0, beta=1.25, own=0.025, vol=1.8),
    "TSLA": Related(index="SPX", price=430.0, beta=1.9, own=0.05, vol=3.0),
    "AMD": Related(index="SPX", price=215.0, beta=1.8, own=0.04, vol=2.7),
    "INTC": Related(index="SPX", price=37.0, beta=1.3, own=0.04, vol=2.6),
    "MSFT": Related(index="SPX", price=515.0, beta=1.05, own=0.02, vol=1.4),
    "NVDA": Related(index="SPX", price=185.0, beta=1.8, own=0.035, vol=2.3),
    "GOOG": Related(index="SPX", price=250.0, beta=1.1, own=0.025, vol=1.7),
    "META": Related(index="SPX", price=715.0, beta=1.25, own=0.03, vol=1.8),
    "ABNB": Related(index="SPX", price=125.0, beta=1.15, own=0.03, vol=2.0),
    "IBKR": Related(index="SPX", price=68.0, beta=1.2, own=0.03, vol=2.1),
    "IBM": Related(index="SPX", price=285.0, beta=0.7, own=0.02, vol=1.4),
    "MCD": Related(index="SPX", price=305.0, beta=0.5, own=0.015, vol=1.1),
    "BRK B": Related(index="SPX", price=495.0, beta=0.7, own=0.012, vol=1.0),
    "TLT": Related(index="SPX", price=90.0, beta=-0.2, own=0.01, vol=0.8),
    "SGOV": Related(index="SPX", price=100.45, beta=0.0, own=0.00005, vol=0.02),
    "VXX": Related(index="VX", price=33.0, beta=1.0, own=0.0005, vol=3.8),
    "UVXY": Related(index="VX", price=41.0, beta=1.5, own=0.0005, vol=5.5),
    "SVXY": Related(index="VX", price=48.0, beta=-0.5, own=0.0005, vol=1.9),
}
"""SPY and IWM stand to their index as in reality; the betas of the shares are rounded textbook values."""
CURRENCIES: Final = {
    "EUR.USD": 1.16,
    "GBP.USD": 1.34,
    "AUD.USD": 0.65,
    "NZD.USD": 0.58,
    "USD.JPY": 150.0,
    "USD.CHF": 0.80,
    "USD.CAD": 1.40,
    "EUR.GBP": 1.16 / 1.34,
    "EUR.CHF": 1.16 * 0.80,
}
"""Units of the second currency for one of the first, rounded; each pair wanders on its own."""
_CURRENCY_OWN: Final = 0.006
VVIX_AT_17: Final = 95.0
VVIX_POWER: Final = 0.37
"""VVIX at a VIX of 17, and its power in VIX / 17: a line through the logarithms of 2012-01 to 2025-05."""
_VIXMO_LEAN: Final = 0.97
_ISSUES: Final = 2_800
_BREADTH_PER_PERCENT: Final = 0.80  # standard deviations of issues per +1 % of the market
_BREADTH_OWN: Final = 0.15
_TICK_REACH: Final = 900.0
_FUTURE_DAYS: Final = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Breadth:
    """Issues of the New York exchange: higher, lower and unchanged since the last close."""

    advances: int
    declines: int
    unchanged: int


def name_seed(name: str, seed: int) -> int:
    """Return a seed of a name in a run."""
    return seed * 1_000_003 + int.from_bytes(name.encode(), "big") % 1_000_000_007


def share_price(symbol: str, levels: Levels, *, at_s: float, seed: int, long_run: float) -> float:
    """Return the fair price of one of `SHARES`, USD.

    Args:
        symbol: The share or fund.
        levels: The indices at the moment.
        at_s: The moment in seconds since 1970.
        seed: The run's.
        long_run: The level of distant VIX forwards, points.
    """
    share = SHARES[symbol]
    if share.index == "VX":
        move = vix_forward(vix=levels.vix, days=_FUTURE_DAYS, long_run=long_run) / long_run
    else:
        move = levels.spx / REFERENCE_SPX if share.index == "SPX" else levels.rut / REFERENCE_RUT
    return share.price * math.pow(move, share.beta) * (1.0 + share.own * _own_noise(symbol, at_s, seed))


def currency_rate(pair: str, *, at_s: float, seed: int) -> float:
    """Return how many units of the second currency of one of `CURRENCIES` one unit of the first costs."""
    return CURRENCIES[pair] * (1.0 + _CURRENCY_OWN * _own_noise(pair, at_s, seed))


def vvix(levels: Levels, *, at_s: float, seed: int) -> float:
    """Return the volatility index of VIX options, points: a power of VIX with noise of its own."""
    return VVIX_AT_17 * math.pow(levels.vix / 17.0, VVIX_POWER) * (1.0 + 0.02 * _own_noise("VVIX", at_s, seed))


def vixmo(levels: Levels, *, long_run: float) -> float:
    """Return the volatility index of monthly options alone, points: VIX, leaning a little to its long run."""
    return long_run + (levels.vix - long_run) * _VIXMO_LEAN


def tick(levels: Levels, *, at_s: float, seed: int) -> float:
    """Return upticks less downticks of the New York exchange: noise of a minute and less, wider with VIX."""
    reach = _TICK_REACH * math.sqrt(levels.vix / 17.0)
    return float(round(reach * 0.5 * (wave(name_seed("TICK", seed), at_s, 45.0) + _own_noise("TICK-NYSE", at_s, seed))))


def breadth(levels: Levels, closes: Levels, *, at_s: float, seed: int) -> Breadth:
    """Return advances and declines, the normal share of issues above their close at the market's move.

    The market is half large and half small companies; the noise is a few percent of the issues.
    """
    move = 50.0 * (levels.spx / closes.spx - 1.0) + 50.0 * (levels.rut / closes.rut - 1.0)
    share = normal_cdf(_BREADTH_PER_PERCENT * move + _BREADTH_OWN * _own_noise("AD-NYSE", at_s, seed))
    unchanged = 70 + int(20.0 * (1.0 + _own_noise("UNCH", at_s, seed)))
    advances = round((_ISSUES - unchanged) * share)
    return Breadth(advances=advances, declines=_ISSUES - unchanged - advances, unchanged=unchanged)


def _own_noise(name: str, at_s: float, seed: int) -> float:
    """Return noise between -1 and 1 that wanders over days, hours and minutes."""
    own = name_seed(name, seed)
    slow = 0.55 * wave(own, at_s, 3.0 * _DAY_S) + 0.3 * wave(own + 1, at_s, 3.0 * _HOUR_S)
    return slow + 0.15 * wave(own + 2, at_s, 420.0)
