"""Index levels: one finished day's, those of one moment, and a whole session's path as a source hands it out."""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final, Protocol

from bot.domain.checks import require_finite, require_positive
from bot.domain.errors import InvalidValueError
from bot.domain.schedule import Session

SYMBOLS: Final = ("SPX", "RUT", "VIX", "RVX")
"""The indices of the simulated world, in the order in which a step announces them."""

UNPUBLISHED_RVX: Final = "RUT_VOL"
"""Under this name a path may hold what RVX would show while it is not published."""
SMALL_CAP_VOL: Final = 1.30
"""RVX over VIX where nothing else is known: the mean ratio of 2009-09 to 2025-06."""

EQUITY_CLOSE_LEAD: Final = timedelta(minutes=15)
"""SPX and RUT stop with the stock market, fifteen minutes before index options and volatility indices do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DailyLevel:
    """One session of one index in index points; open, high and low are None where the history has only closes."""

    day: date
    close: float
    open: float | None = None
    high: float | None = None
    low: float | None = None

    def __post_init__(self) -> None:
        """Reject levels that no index could have published."""
        for name in ("close", "open", "high", "low"):
            value = getattr(self, name)
            if value is not None:
                require_positive(**{f"{name} of {self.day}": value})


@dataclass(frozen=True, slots=True, kw_only=True)
class Levels:
    """The four indices at one moment, in index points; RVX is NaN on a session for which the history has none.

    ``rut_vol`` is what RVX would show where it is not published, NaN where it is not known either.
    """

    spx: float
    rut: float
    vix: float
    rvx: float
    rut_vol: float = math.nan

    def __post_init__(self) -> None:
        """Reject anything but positive levels; only RVX may be missing."""
        require_positive(spx=self.spx, rut=self.rut, vix=self.vix)
        if not math.isnan(self.rvx):
            require_positive(rvx=self.rvx)

    @property
    def small_cap_vol(self) -> float:
        """The 30-day volatility of RUT options, points: RVX where it is published, else what stands behind it."""
        if not math.isnan(self.rvx):
            return self.rvx
        return self.vix * SMALL_CAP_VOL if math.isnan(self.rut_vol) else self.rut_vol

    def of(self, symbol: str) -> float:
        """Return the level of one of `SYMBOLS`."""
        if symbol not in SYMBOLS:
            raise InvalidValueError(f"no index named {symbol!r} in this world, expected one of {', '.join(SYMBOLS)}")
        return float(getattr(self, symbol.lower()))


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionPath:
    """One session's published levels, one entry per step, from the open to the close inclusive.

    ``levels`` holds one tuple per symbol, all of length `steps`, in index points rounded to two decimals. ``moments``
    are the steps' own where they are not every ``step_s`` seconds from the open on: aware, ascending, in the session.
    """

    session: Session
    step_s: int
    levels: Mapping[str, tuple[float, ...]]
    halts: tuple[tuple[datetime, datetime], ...] = ()  # from, until (aware): nothing trades
    moments: tuple[datetime, ...] = ()

    def __post_init__(self) -> None:
        """Reject a path whose series do not fill the session."""
        expected = len(self.moments) or steps_of(self.session, self.step_s)
        for symbol in SYMBOLS:
            found = len(self.levels.get(symbol, ()))
            if found != expected:
                raise InvalidValueError(
                    f"path of {symbol} on {self.session.day}: expected {expected} steps, found {found}"
                )

    @property
    def steps(self) -> int:
        """How many moments the session has."""
        return len(self.levels["SPX"])

    def at(self, step: int) -> datetime:
        """Return the moment of a step, aware; the last one is the close even where the step does not divide it."""
        if self.moments:
            return self.moments[step]
        return min(self.session.opens_at + timedelta(seconds=step * self.step_s), self.session.closes_at)

    def between(self, start: datetime, end: datetime) -> range:
        """Return the steps from one moment to another, both included."""
        if self.moments:
            return range(bisect_left(self.moments, start), bisect_right(self.moments, end))
        if start > self.session.closes_at:
            return range(self.steps, self.steps)
        opens_at, step = self.session.opens_at, timedelta(seconds=self.step_s)
        first = max(0, -((opens_at - start) // step))
        last = self.steps if end >= self.session.closes_at else max(0, (end - opens_at) // step + 1)
        return range(first, last)

    def of(self, step: int) -> Levels:
        """Return the four levels at a step."""
        spx, rut, vix, rvx = (self.levels[symbol][step] for symbol in SYMBOLS)
        behind = self.levels.get(UNPUBLISHED_RVX)
        return Levels(spx=spx, rut=rut, vix=vix, rvx=rvx, rut_vol=math.nan if behind is None else behind[step])

    def is_halted(self, at: datetime) -> bool:
        """Return whether trading is halted at a moment; the end of a halt does not belong to it."""
        return any(start <= at < end for start, end in self.halts)

    def is_silent(self, symbol: str) -> bool:
        """Return whether an index is not published on this session."""
        return symbol in SYMBOLS and math.isnan(self.levels[symbol][-1])

    def daily(self, symbol: str) -> DailyLevel | None:
        """Return the session as one daily row; None for an index that was not published."""
        series = self.levels[symbol]
        if math.isnan(series[-1]):
            return None
        return DailyLevel(day=self.session.day, open=series[0], high=max(series), low=min(series), close=series[-1])


class LevelSource(Protocol):
    """Where the indices go: a scripted scenario or a bridged history."""

    @property
    def sessions(self) -> tuple[Session, ...]:
        """The sessions of the run, ascending, at least one."""
        ...

    @property
    def prior(self) -> Mapping[str, tuple[DailyLevel, ...]]:
        """The days before the first session, per symbol, oldest first."""
        ...

    @property
    def spx_bounds(self) -> tuple[float, float]:
        """The lowest and highest SPX level of the run, for the choice of strikes."""
        ...

    @property
    def rut_bounds(self) -> tuple[float, float]:
        """The same of RUT."""
        ...

    def path(self, index: int) -> SessionPath:
        """The path of ``sessions[index]``; the same one each time."""
        ...


def levels_of(closes: Mapping[str, float]) -> Levels:
    """Return the levels of four closes by symbol."""
    spx, rut, vix, rvx = (closes[symbol] for symbol in SYMBOLS)
    return Levels(spx=spx, rut=rut, vix=vix, rvx=rvx)


def steps_of(session: Session, step_s: int) -> int:
    """Return how many moments a session has at a step width: 1,621 at 15 s in 09:30-16:15, both ends counted."""
    require_positive(step_s=step_s)
    length_s = (session.closes_at - session.opens_at).total_seconds()
    return math.ceil(length_s / step_s) + 1


def last_level(rows: tuple[DailyLevel, ...], symbol: str) -> float:
    """Return the last close of a history, or say which index has none."""
    if not rows:
        raise InvalidValueError(f"{symbol}: no daily close before the first session; start later or extend the history")
    require_finite(close=rows[-1].close)
    return rows[-1].close
