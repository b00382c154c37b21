"""What has traded and what is open: volumes, prints, open interest, all as functions of contract and time.

How it works. A contract's volume of a day is drawn from its number and the day and spread over the session in a U, as
volumes are. A print falls on steps chosen by the same numbers, alternating between the sides. Nothing is remembered,
so that a tape can be read again, and asked twice it says the same.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final

from bot.domain.instrument import Instrument, Kind
from simulator.world.noise_at import fraction
from simulator.world.quotes import TwoSided

_U_SHAPE: Final = 0.7  # of the average rate: so much more at both ends than on average, so much less in the middle
_NEAR_THE_MONEY: Final = 0.06  # log-moneyness per root of a month at which open interest has fallen to 0.6
_MONTH_DAYS: Final = 30.0
NIGHT_PACE: Final = 0.1
"""Prints and volume of a whole night over those of a session."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turnover:
    """Contracts of a typical day, at the money for options, contracts open, and prints of a session."""

    volume: int
    open_interest: int
    prints: int


_TURNOVERS: Final = {
    "SPX": Turnover(volume=3_000, open_interest=18_000, prints=60),
    "SPXW": Turnover(volume=6_000, open_interest=9_000, prints=120),
    "RUT": Turnover(volume=250, open_interest=3_000, prints=12),
    "RUTW": Turnover(volume=200, open_interest=1_500, prints=12),
    "VIX": Turnover(volume=20_000, open_interest=160_000, prints=80),
    "VIXW": Turnover(volume=1_500, open_interest=8_000, prints=20),
    "VX": Turnover(volume=90_000, open_interest=120_000, prints=1_000),
    "VXM": Turnover(volume=25_000, open_interest=20_000, prints=600),
    "ES": Turnover(volume=1_400_000, open_interest=2_000_000, prints=1_600),
    "MES": Turnover(volume=900_000, open_interest=150_000, prints=1_600),
}
_SHARE: Final = Turnover(volume=45_000_000, open_interest=0, prints=1_600)
_SHARE_OPTION: Final = Turnover(volume=8_000, open_interest=15_000, prints=150)
_OTHER: Final = Turnover(volume=800, open_interest=900, prints=40)


@dataclass(frozen=True, slots=True, kw_only=True)
class Moneyness:
    """How far an option lies from the money: level of its underlying at the last close, days to settlement."""

    level: float
    days: float


def turnover_of(instrument: Instrument) -> Turnover | None:
    """Return the turnover of a class; None for what has no tape: indices and currencies."""
    if instrument.kind is Kind.INDEX or instrument.kind is Kind.CASH:
        return None
    if instrument.kind is Kind.STOCK:
        return _SHARE
    if instrument.kind is Kind.OPTION and instrument.symbol in {"SPY", "QQQ", "AAPL"}:
        return _SHARE_OPTION
    return _TURNOVERS.get(instrument.trading_class, _OTHER)


def weight(instrument: Instrument, moneyness: Moneyness) -> float:
    """Return how much of its class's turnover a contract has: 1 at the money, less away from it and in distant terms.

    A normal curve in log-moneyness whose width grows with the root of time.
    """
    near = math.exp(-moneyness.days / 120.0)
    if instrument.strike is None:
        return near if instrument.kind is Kind.FUTURE else 1.0
    width = _NEAR_THE_MONEY * math.sqrt(max(1.0, moneyness.days) / _MONTH_DAYS) * _breadth_of(instrument.symbol)
    distance = math.log(float(instrument.strike) / moneyness.level) / width
    round_strike = 1.5 if instrument.strike % 50 == 0 else 1.0
    return near * round_strike * math.exp(-0.5 * distance * distance)


def open_interest(instrument: Instrument, moneyness: Moneyness, *, seed: int) -> int | None:
    """Return the contracts open, peaked near the money; None for what has none."""
    turnover = turnover_of(instrument)
    if turnover is None or instrument.kind is Kind.STOCK:
        return None
    spread = 0.6 + 0.8 * fraction(seed, 17)
    return round(turnover.open_interest * weight(instrument, moneyness) * spread)


def day_volume(instrument: Instrument, moneyness: Moneyness, day: date, *, seed: int) -> int:
    """Return the contracts (or shares) of a whole session."""
    turnover = turnover_of(instrument)
    if turnover is None:
        return 0
    return round(turnover.volume * weight(instrument, moneyness) * (0.5 + fraction(seed, day.toordinal(), 3)))


def volume_by(total: int, elapsed: float) -> int:
    """Return how much of a session's volume has traded at a fraction of it: U-shaped, all of it at 1."""
    share = min(1.0, max(0.0, elapsed))
    return int(total * (share + _U_SHAPE * math.sin(2.0 * math.pi * share) / (2.0 * math.pi)))


def volume_between(total: int, start: float, end: float) -> int:
    """Return how much of a session's volume traded between two fractions of it."""
    return volume_by(total, end) - volume_by(total, start)


def prints_at(instrument: Instrument, step: int, steps: int, *, seed: int, pace: float = 1.0) -> bool:
    """Return whether a print falls on a step of a session (``pace`` 1), or of a slower night."""
    return next_print(instrument, step, steps, seed=seed, pace=pace) == step


def next_print(instrument: Instrument, step: int, steps: int, *, seed: int, pace: float = 1.0) -> int:
    """Return the step of the first print at a step or later; ``steps`` or more where none comes."""
    every = _steps_per_print(instrument, steps, pace)
    if not every:
        return steps
    at = _print_in(step // every, every, seed)
    return at if at >= step else _print_in(step // every + 1, every, seed)


def print_steps(instrument: Instrument, step: int, steps: int, *, seed: int, pace: float = 1.0) -> Iterator[int]:
    """Yield the steps of the prints up to a step, the last one first."""
    every = _steps_per_print(instrument, steps, pace)
    for block in range(step // every, -1, -1) if every else ():
        at = _print_in(block, every, seed)
        if at <= step:
            yield at


def _print_in(block: int, every: int, seed: int) -> int:
    """Return the step of the one print of a block of steps."""
    return block * every + int(fraction(seed, block, 5) * every)


def _steps_per_print(instrument: Instrument, steps: int, pace: float) -> int:
    """Return how many steps share one print, 0 for what has no tape."""
    turnover = turnover_of(instrument)
    return 0 if turnover is None else max(1, int(steps / (turnover.prints * pace)))


def print_price(sides: TwoSided, step: int, *, seed: int) -> float:
    """Return the price of a print: the ask for a buyer, the bid for a seller, where there is one."""
    is_buyer = fraction(seed, step, 7) < 0.5
    bid = sides.bid
    return float(sides.ask if is_buyer or bid is None else bid)


def print_size(sides: TwoSided, step: int, *, seed: int) -> int:
    """Return the contracts of a print: mostly small, at most a tenth of the size shown."""
    most = max(1, (sides.ask_size or sides.bid_size) // 10)
    return 1 + int(most * fraction(seed, step, 11) ** 3)


def _breadth_of(symbol: str) -> float:
    """Return how wide a class's interest lies beside that of an index: VIX options far above their forward."""
    return 7.0 if symbol == "VIX" else 1.6 if symbol in {"AAPL", "QQQ"} else 1.0
