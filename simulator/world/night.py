"""The night between two sessions: a seeded bridge from the last close to the first levels of the next session.

How it works. The levels behind all prices move from the close to the open in as many steps as something trades; the
hours in which nothing does (weekends, holidays) take no part. SPX draws a bridge, VIX answers it, RUT follows, and the
spread of RVX over VIX goes in a straight line. What is published is another matter: SPX, RUT and RVX stand at their
close until the session opens, VIX is published in its own night hours and stands still outside of them.
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

import numpy as np

from bot.domain.errors import InvalidValueError
from bot.domain.instrument import VIX, Instrument
from bot.domain.schedule import SessionCalendar
from simulator.hours import NEW_YORK, phase_at, trading_hours
from simulator.venue import Phase
from simulator.world.levels import SYMBOLS, UNPUBLISHED_RVX, Levels
from simulator.world.noise import Series, blended, bridge, published
from simulator.world.response import NIGHT_DEVIATION, RUT_CORRELATION, RUT_NOISE_RATIO, VIX_PER_SPX_PERCENT

_NIGHT: Final = 2  # beside the seed of a session, which has one number less
_SESSIONS_PER_YEAR: Final = 252.0


@dataclass(frozen=True, slots=True, kw_only=True)
class NightPath:
    """One night's levels, an entry for each of its moments (aware UTC, ascending), before the session of ``day``.

    ``levels`` stand behind the prices and hold one tuple per symbol, in index points rounded to two decimals;
    ``vix`` is VIX as published, ``closes`` are the published levels of the last close.
    """

    day: date
    calendar: SessionCalendar
    moments: tuple[datetime, ...]
    levels: Mapping[str, tuple[float, ...]]
    vix: tuple[float, ...]
    closes: Levels

    def __post_init__(self) -> None:
        """Reject a path whose series do not fill the night."""
        for symbol in SYMBOLS:
            if len(self.levels.get(symbol, ())) != len(self.moments):
                raise InvalidValueError(f"night before {self.day}: {symbol} needs {len(self.moments)} steps")

    @property
    def steps(self) -> int:
        """How many moments the night has."""
        return len(self.moments)

    def at(self, step: int) -> datetime:
        """Return the moment of a step, aware."""
        return self.moments[step]

    def phase(self, instrument: Instrument, step: int) -> Phase:
        """Return whether a contract trades at a step, by its hours."""
        return phase_at(instrument, self.moments[step], self.calendar)

    def between(self, start: datetime | None, end: datetime) -> range:
        """Return the steps from a moment (from the first one without it) to another, both included."""
        first = 0 if start is None else bisect_left(self.moments, start)
        return range(first, bisect_right(self.moments, end))

    def phases(self, instrument: Instrument) -> tuple[Phase, ...]:
        """Return whether a contract trades, at each step."""
        return _phases(instrument, self.moments, self.day, self.calendar)

    def of(self, step: int) -> Levels:
        """Return the levels behind the prices at a step."""
        spx, rut, vix, rvx = (self.levels[symbol][step] for symbol in SYMBOLS)
        return Levels(spx=spx, rut=rut, vix=vix, rvx=rvx, rut_vol=self.levels[UNPUBLISHED_RVX][step])

    def published(self, symbol: str, step: int) -> float:
        """Return an index as published at a step: its last close, but for VIX."""
        return self.vix[step] if symbol == "VIX" else self.closes.of(symbol)


def night_path(
    *,
    day: date,
    calendar: SessionCalendar,
    moments: tuple[datetime, ...],
    closes: Levels,
    opening: Levels,
    seed: int,
) -> NightPath:
    """Return the night before the session of ``day``; the same for the same seed, day and ends.

    SPX = line x (1 + d), d a bridge with a deviation of 0.5 x VIX / 100 / sqrt(252) for the free walk;
    VIX = line x exp(-1.38 x 100 d / VIX), so that it answers with -1.38 points per +1 % and stays positive; RUT = line
    x (1 + 1.3 d'), d' correlated to d by 0.85.

    Args:
        day: The session that follows.
        calendar: Sessions and holidays, for the hours in which VIX is published.
        moments: Its steps, aware UTC, ascending, between the two ends.
        closes: Levels at the close.
        opening: Levels at the first step of the session.
        seed: The run's.
    """
    rng = np.random.default_rng([seed, day.toordinal(), _NIGHT])
    behind = _behind_the_prices(rng, len(moments), closes, opening)
    levels = {symbol: published(values) for symbol, values in behind.items()}
    shown = _held_between(levels["VIX"], _phases(VIX, moments, day, calendar), closes.vix)
    return NightPath(day=day, calendar=calendar, moments=moments, levels=levels, vix=shown, closes=closes)


def _behind_the_prices(rng: np.random.Generator, count: int, closes: Levels, opening: Levels) -> Mapping[str, Series]:
    """Return the levels of ``count`` steps from a close to an opening; RVX is NaN where either end has none."""
    share = np.arange(1, count + 1) / (count + 1)
    own, rut_own = (bridge(rng, count + 2)[1:-1] for _ in range(2))
    reach = NIGHT_DEVIATION * closes.vix / 100.0 / math.sqrt(_SESSIONS_PER_YEAR)
    vix_line = _line(closes.vix, opening.vix, share)
    vix = vix_line * np.exp(VIX_PER_SPX_PERCENT * 100.0 * reach * own / vix_line)
    small = vix + _line(closes.small_cap_vol - closes.vix, opening.small_cap_vol - opening.vix, share)
    has_rvx = not (math.isnan(closes.rvx) or math.isnan(opening.rvx))
    return {
        "SPX": _line(closes.spx, opening.spx, share) * (1.0 + reach * own),
        "RUT": _line(closes.rut, opening.rut, share)
        * (1.0 + RUT_NOISE_RATIO * reach * blended(own, rut_own, RUT_CORRELATION)),
        "VIX": vix,
        "RVX": small if has_rvx else np.full(count, np.nan),
        UNPUBLISHED_RVX: small,
    }


def _line(start: float, end: float, share: Series) -> Series:
    line: Series = start + (end - start) * share
    return line


def _phases(
    instrument: Instrument, moments: Sequence[datetime], day: date, calendar: SessionCalendar
) -> tuple[Phase, ...]:
    """Return `phase_at` of ascending moments up to the session of a day, from its stretches."""
    found = [Phase.CLOSED] * len(moments)
    if moments:
        first = moments[0].astimezone(NEW_YORK).date()
        for regular_only, phase in ((False, Phase.EXTENDED), (True, Phase.REGULAR)):
            days = (day - first).days + 1
            for told in trading_hours(instrument, first, days, calendar, regular_only=regular_only):
                begins, ends = bisect_left(moments, told.opens_at), bisect_left(moments, told.closes_at)
                found[begins:ends] = [phase] * (ends - begins)
    return tuple(found)


def _held_between(values: Sequence[float], phases: Sequence[Phase], last: float) -> tuple[float, ...]:
    """Return a series that moves while it is published and stands at its last value otherwise."""
    found = []
    for value, phase in zip(values, phases, strict=True):
        last = last if phase is Phase.CLOSED else value
        found.append(last)
    return tuple(found)
