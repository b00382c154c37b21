"""Daily history bridged to intraday ticks: one joint seeded bridge per session, exact at open, high, low and close.

How it works. VIX and RVX share their noise and the moments of their highs and lows, so that their spread travels from
one close to the next instead of crossing thresholds by noise. Where a day's range is known, an index moves between its
anchors (open, high, low, close) and its noise fades towards each of the two extremes: the range is touched and never
left. Where only closes are known, the path is a plain bridge from the previous close.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise
from typing import Final

import numpy as np

from bot.domain.checks import require_positive
from bot.domain.errors import InvalidValueError
from bot.domain.schedule import Session, SessionCalendar
from simulator.world.levels import EQUITY_CLOSE_LEAD, SYMBOLS, DailyLevel, SessionPath, last_level, steps_of
from simulator.world.noise import Series, blended, bridge, frozen_after, published
from simulator.world.response import RUT_CORRELATION, SPX_VIX_CORRELATION, VOL_OF_VIX, VOLATILITY_CORRELATION

_SHARE_OF_DAY: Final = 1.0 / np.sqrt(252.0)  # of the yearly volatility
_NOISE_REACH: Final = 0.9  # of the distance to the nearer extreme
_NOISE_GAIN: Final = 1.6
_FLICKER: Final = 0.01  # points: a calculated index hardly ever repeats itself to the hundredth for minutes


@dataclass(frozen=True, slots=True, kw_only=True)
class HistorySource:
    """The sessions from ``start`` to ``end`` of a daily history, bridged to steps of ``tick_s`` seconds.

    ``history`` holds one row per day and symbol, ascending. SPX, RUT and VIX need a row for every session of the
    calendar in the window; RVX may miss some and is then not published on those days.
    """

    history: Mapping[str, Sequence[DailyLevel]]
    calendar: SessionCalendar
    start: date
    end: date
    seed: int
    tick_s: int = 15
    sessions: tuple[Session, ...] = field(init=False)
    prior: Mapping[str, tuple[DailyLevel, ...]] = field(init=False, repr=False)
    _rows: Mapping[str, Mapping[date, DailyLevel]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Reject a window without sessions and a history with holes in it."""
        require_positive(tick_s=self.tick_s)
        rows = {symbol: _by_day(symbol, self.history.get(symbol, ())) for symbol in SYMBOLS}
        sessions = tuple(self.calendar.sessions(self.start, self.end))
        if not sessions:
            raise InvalidValueError(f"no session from {self.start} to {self.end}: choose a wider window")
        for symbol in ("SPX", "RUT", "VIX"):
            _require_every_session(symbol, rows[symbol], sessions)
        first = sessions[0].day
        prior = {s: tuple(row for row in days.values() if row.day < first) for s, days in rows.items()}
        for symbol, before in prior.items():
            last_level(before, symbol)
        object.__setattr__(self, "_rows", rows)
        object.__setattr__(self, "sessions", sessions)
        object.__setattr__(self, "prior", prior)

    @property
    def spx_bounds(self) -> tuple[float, float]:
        """The lowest and highest SPX close of the window and the day before it."""
        return self._bounds("SPX")

    @property
    def rut_bounds(self) -> tuple[float, float]:
        """The same of RUT."""
        return self._bounds("RUT")

    def _bounds(self, symbol: str) -> tuple[float, float]:
        closes = [self._rows[symbol][session.day].close for session in self.sessions]
        closes.append(self.prior[symbol][-1].close)
        return min(closes), max(closes)

    def path(self, index: int) -> SessionPath:
        """Return the bridged session; the same for the same seed and day, whatever the window."""
        session = self.sessions[index]
        steps = steps_of(session, self.tick_s)
        rng = np.random.default_rng([self.seed, session.day.toordinal()])
        common, own_rvx, own_spx, own_rut = (bridge(rng, steps) for _ in range(4))
        vix, rvx = self._volatilities(session, rng, common, blended(common, own_rvx, VOLATILITY_CORRELATION))
        equity_steps = self._equity_steps(session)
        spx_noise = blended(common, own_spx, SPX_VIX_CORRELATION)
        spx = self._equity("SPX", session, equity_steps, spx_noise)
        rut = self._equity("RUT", session, equity_steps, blended(spx_noise, own_rut, RUT_CORRELATION))
        flicker = _FLICKER * rng.choice((-1.0, 0.0, 1.0), steps)  # the same for both: their spread does not flicker
        vix = _flickering(vix, flicker, self._rows["VIX"][session.day])
        rvx = _flickering(rvx, flicker, self._rows["RVX"].get(session.day))
        series = {"SPX": spx, "RUT": rut, "VIX": vix, "RVX": rvx}
        levels = {symbol: published(values) for symbol, values in series.items()}
        return SessionPath(session=session, step_s=self.tick_s, levels=levels)

    def _volatilities(
        self, session: Session, rng: np.random.Generator, vix_noise: Series, rvx_noise: Series
    ) -> tuple[Series, Series]:
        """Return VIX and RVX, which reach their extremes at the same moments."""
        day = self._rows["VIX"][session.day]
        early, late = sorted(rng.choice(np.arange(len(vix_noise) // 20, len(vix_noise) * 19 // 20), 2, replace=False))
        start = day.open if day.open is not None else self._close_before("VIX", session.day)
        low_first = (day.close > start) == (rng.random() < 0.75)
        turns = (int(early), int(late)) if low_first else (int(late), int(early))
        vix = _ranged(day, start, vix_noise, turns)
        other = self._rows["RVX"].get(session.day)
        if other is None:
            return vix, np.full(len(vix), np.nan)
        rvx_start = other.open if other.open is not None else self._close_before("RVX", session.day)
        if other.high is None or other.low is None:
            return vix, _line(rvx_start, other.close, len(vix)) + vix - _line(start, day.close, len(vix))
        return vix, _ranged(other, rvx_start, rvx_noise, turns)

    def _equity(self, symbol: str, session: Session, steps: int, noise: Series) -> Series:
        """Return SPX or RUT, done fifteen minutes before the session ends."""
        row = self._rows[symbol][session.day]
        start = row.open if row.open is not None else self._close_before(symbol, session.day)
        vol = self._rows["VIX"][session.day].close / 100.0 * _SHARE_OF_DAY
        open_hours = noise[:steps] - _line(0.0, noise[steps - 1], steps)
        moving = _line(start, row.close, steps) * (1.0 + vol * open_hours)
        return frozen_after(np.concatenate((moving, np.full(len(noise) - steps, row.close))), steps - 1)

    def _equity_steps(self, session: Session) -> int:
        """Return how many steps there are up to the close of the stock market, both ends counted."""
        open_s = (session.closes_at - EQUITY_CLOSE_LEAD - session.opens_at).total_seconds()
        return int(open_s // self.tick_s) + 1

    def _close_before(self, symbol: str, day: date) -> float:
        """Return the last close before a day."""
        rows = self._rows[symbol]
        return rows[max(other for other in rows if other < day)].close


def _ranged(day: DailyLevel, start: float, noise: Series, turns: tuple[int, int]) -> Series:
    """Return a path from ``start`` to the close that touches low and high at ``turns`` where they are known."""
    steps = len(noise)
    if day.high is None or day.low is None:
        wandering: Series = _line(start, day.close, steps) * np.exp(VOL_OF_VIX * _SHARE_OF_DAY * noise)
        return wandering
    high, low = max(day.high, start, day.close), min(day.low, start, day.close)
    anchors = {0: start, turns[0]: low, turns[1]: high, steps - 1: day.close}
    at = sorted(anchors)
    trend = np.interp(np.arange(steps), at, [anchors[step] for step in at])
    room = np.minimum(trend - low, high - trend)
    bounded: Series = trend + _NOISE_REACH * room * np.tanh(_NOISE_GAIN * noise)
    return bounded


def _flickering(series: Series, flicker: Series, day: DailyLevel | None) -> Series:
    """Return the path moved by a hundredth here and there, as a live index is, within the day's range.

    First and last step stay, so do those that touch the range: open, high, low and close remain exact.
    """
    if day is None:
        return series
    moved: Series = series + flicker
    low, high = (series.min(), series.max()) if day.low is None or day.high is None else (day.low, day.high)
    inside = (moved >= low) & (moved <= high) & (series > low) & (series < high)
    inside[[0, -1]] = False
    return np.where(inside, moved, series)


def _line(start: float, end: float, steps: int) -> Series:
    line: Series = np.linspace(start, end, steps)
    return line


def _by_day(symbol: str, rows: Sequence[DailyLevel]) -> Mapping[date, DailyLevel]:
    """Index a history by day; a day that is not after its predecessor is refused."""
    for before, after in pairwise(rows):
        if after.day <= before.day:
            raise InvalidValueError(f"{symbol}: {after.day} follows {before.day}; days must ascend without repeats")
    return {row.day: row for row in rows}


def _require_every_session(symbol: str, rows: Mapping[date, DailyLevel], sessions: Sequence[Session]) -> None:
    """Raise InvalidValueError at the first session without a row."""
    missing = next((session.day for session in sessions if session.day not in rows), None)
    if missing is not None:
        span = f"{min(rows)} to {max(rows)}" if rows else "no day at all"
        raise InvalidValueError(
            f"{symbol}: no close for the session of {missing}, the history covers {span}; shorten the window or add it"
        )
