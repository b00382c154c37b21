"""A recording as a world to play: its sessions and levels, and the quotes that were told along its moments.

How it works. The levels of a session are those of its moments; between two known ones an index stands still, before
the first one it stands there already. The quotes move along with the floor's time and never back.
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from bot.domain.errors import InvalidValueError
from bot.domain.instrument import InstrumentKey
from bot.domain.recording import (
    RecordedDay,
    RecordedMoments,
    RecordedQuote,
    RecordingHead,
    Told,
    microseconds,
)
from bot.domain.schedule import NEW_YORK, Session, SessionCalendar
from simulator.world.curve import LONG_RUN_VIX
from simulator.world.levels import SYMBOLS, UNPUBLISHED_RVX, DailyLevel, SessionPath
from simulator.world.related import REFERENCE_RUT, REFERENCE_SPX

_STAND_INS: Final = {"SPX": REFERENCE_SPX, "RUT": REFERENCE_RUT, "VIX": LONG_RUN_VIX, "RVX": LONG_RUN_VIX}
"""What an index that was never recorded is taken for inside the simulator; nobody is told it."""
_STRIKES_WITHIN: Final = 0.5  # of the level: recorded strikes further away do not widen what is listed
_SPX_CLASSES: Final = frozenset({"SPX", "SPXW"})

Span = tuple[Session, int, int]
"""A session with its first moment and the one after its last."""


class Recording(Protocol):
    """What is played: `adapters.recordings` reads it from its files."""

    @property
    def head(self) -> RecordingHead:
        """Where and when it began."""
        ...

    @property
    def moments(self) -> RecordedMoments:
        """All moments."""
        ...

    @property
    def days(self) -> Sequence[RecordedDay]:
        """Finished sessions before it."""
        ...

    @property
    def keys(self) -> frozenset[InstrumentKey]:
        """Everything that is quoted in it."""
        ...

    def quotes(self) -> Iterator[RecordedQuote]:
        """All quotes from the first one on, by moment, in the order of telling."""
        ...


def recorded_sessions(recording: Recording, calendar: SessionCalendar) -> tuple[Session, ...]:
    """Return the sessions in which a recording has moments, ascending.

    Raises:
        InvalidValueError: There is none, or its moments do not ascend.
    """
    return tuple(session for session, _, _ in _spans(recording.moments, calendar))


def missing_indices(recording: Recording) -> tuple[str, ...]:
    """Return the indices of the world that a recording never tells; without one of them nothing can be modelled."""
    moments, days = recording.moments, {row.symbol for row in recording.days}
    return tuple(symbol for symbol in SYMBOLS if symbol not in days and all(map(math.isnan, moments.levels[symbol])))


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedSource:
    """A `simulator.world.levels.LevelSource` over a recording."""

    recording: Recording
    calendar: SessionCalendar
    sessions: tuple[Session, ...] = field(init=False)
    prior: Mapping[str, tuple[DailyLevel, ...]] = field(init=False, repr=False)
    _spans: tuple[Span, ...] = field(init=False, repr=False)
    _levels: Mapping[str, NDArray[np.float64]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Find the sessions and fill what was not known at a moment."""
        moments = self.recording.moments
        spans = _spans(moments, self.calendar)
        prior = _prior(self.recording.days, spans[0][0])
        levels = {symbol: np.array(moments.levels[symbol]) for symbol in (*SYMBOLS, UNPUBLISHED_RVX)}
        for symbol in ("SPX", "RUT", "VIX"):
            before = prior[symbol][-1].close if prior[symbol] else _STAND_INS[symbol]
            levels[symbol] = _filled(levels[symbol], before)
        day = self.calendar.previous_session(spans[0][0].day).day
        for symbol in SYMBOLS:
            if not prior[symbol]:
                known = levels[symbol][~np.isnan(levels[symbol])]
                close = float(known[0]) if len(known) else _STAND_INS[symbol]
                prior[symbol] = (DailyLevel(day=day, close=close),)
        object.__setattr__(self, "_spans", spans)
        object.__setattr__(self, "_levels", levels)
        object.__setattr__(self, "prior", prior)
        object.__setattr__(self, "sessions", tuple(session for session, _, _ in spans))

    @property
    def spx_bounds(self) -> tuple[float, float]:
        """The lowest and highest SPX level of the recording, widened to the strikes of recorded options."""
        world = self.recording.head.world
        if world is not None:
            return world.spx
        low, high = _range(self._levels["SPX"])
        strikes = [strike for strike in _spx_strikes(self.recording.keys) if abs(strike / low - 1.0) < _STRIKES_WITHIN]
        return min([low, *strikes]), max([high, *strikes])

    @property
    def rut_bounds(self) -> tuple[float, float]:
        """The lowest and highest RUT level of the recording."""
        world = self.recording.head.world
        return _range(self._levels["RUT"]) if world is None else world.rut

    def path(self, index: int) -> SessionPath:
        """Return a session with the recorded moments; where the recording ended earlier the last levels stand on.

        What was recorded at a floor goes on in the floor's steps up to the close; else a moment at the close is added.
        """
        session, first, end = self._spans[index]
        moments = self.recording.moments
        at = [moments.at(number) for number in range(first, end)]
        series = {symbol: list(map(float, values[first:end])) for symbol, values in self._levels.items()}
        for symbol in ("RVX", UNPUBLISHED_RVX):
            series[symbol] = _held(series[symbol])
        if all(map(math.isnan, series[UNPUBLISHED_RVX])):
            del series[UNPUBLISHED_RVX]
        world = self.recording.head.world
        step_s = 1 if world is None else world.step_s
        if world is not None:
            at += [moment for moment in _grid(session, step_s) if moment > at[-1]]
        elif at[-1] < session.closes_at:
            at.append(session.closes_at)
        for values in series.values():
            values.extend([values[-1]] * (len(at) - len(values)))
        return SessionPath(
            session=session,
            step_s=step_s,
            levels={symbol: tuple(values) for symbol, values in series.items()},
            halts=tuple(_halts(at, moments.is_halted[first:end])),
            moments=tuple(at),
        )


class RecordedQuotes:
    """The quotes of a recording at the floor's present moment; `turn` alone moves it."""

    def __init__(self, recording: Recording) -> None:
        """Begin before the first moment."""
        self._at_us = recording.moments.at_us
        self._rows = recording.quotes()
        self._next = next(self._rows, None)
        self._turned_us = -1
        self._passing: set[InstrumentKey] = set()  # hold at this moment alone
        self.known: dict[InstrumentKey, RecordedQuote] = {}
        self.offered: dict[InstrumentKey, RecordedQuote] = {}  # the last with an ask, whether it holds or not
        self.streamed: set[InstrumentKey] = set()

    def turn(self, at: datetime) -> None:
        """Go to a moment: what was told once before it is no longer known, what was streamed at it is news."""
        at_us = microseconds(at)
        if at_us <= self._turned_us:
            return
        self._turned_us = at_us
        self.streamed.clear()
        for key in self._passing:
            self.known.pop(key, None)
        self._passing.clear()
        while self._next is not None and self._at_us[self._next.moment] <= at_us:
            self._take(self._next, is_now=self._at_us[self._next.moment] == at_us)
            self._next = next(self._rows, None)

    def _take(self, row: RecordedQuote, *, is_now: bool) -> None:
        self._passing.discard(row.key)
        if row.ask is not None:
            self.offered[row.key] = row
        if row.told is Told.ONCE:
            if not is_now:
                self.known.pop(row.key, None)
                return
            self._passing.add(row.key)
        elif row.told is Told.STREAMED and is_now:
            self.streamed.add(row.key)
        self.known[row.key] = row

    def forget(self) -> None:
        """Know nothing until it is told again: a session is over."""
        self.known.clear()
        self.streamed.clear()
        self._passing.clear()


def _spans(moments: RecordedMoments, calendar: SessionCalendar) -> tuple[Span, ...]:
    if any(before >= after for before, after in pairwise(moments.at_us)):
        raise InvalidValueError("the moments of the recording do not ascend; record again")
    first, last = (moments.at(number).astimezone(NEW_YORK).date() for number in (0, len(moments) - 1))
    found = []
    for session in calendar.sessions(first, last):
        start = bisect_left(moments.at_us, microseconds(session.opens_at))
        end = bisect_right(moments.at_us, microseconds(session.closes_at))
        if start < end:
            found.append((session, start, end))
    if not found:
        raise InvalidValueError(
            f"the recording goes from {moments.at(0):%Y-%m-%d %H:%M} to {moments.at(len(moments) - 1):%Y-%m-%d %H:%M} "
            "UTC, in which there is no session; record while index options trade"
        )
    return tuple(found)


def _prior(days: Sequence[RecordedDay], first: Session) -> dict[str, tuple[DailyLevel, ...]]:
    """Return the recorded days before the first session, per symbol, ascending, each once."""
    by_symbol: dict[str, dict[object, DailyLevel]] = {symbol: {} for symbol in SYMBOLS}
    for row in sorted(days, key=lambda row: row.day):
        if row.symbol in by_symbol and row.day < first.day:
            by_symbol[row.symbol][row.day] = DailyLevel(
                day=row.day, close=row.close, open=row.open, high=row.high, low=row.low
            )
    return {symbol: tuple(rows.values()) for symbol, rows in by_symbol.items()}


def _grid(session: Session, step_s: int) -> Iterator[datetime]:
    """Yield the moments of a simulated session, the close included."""
    at = session.opens_at
    while at < session.closes_at:
        yield at
        at += timedelta(seconds=step_s)
    yield session.closes_at


def _filled(series: NDArray[np.float64], before: float) -> NDArray[np.float64]:
    """Return a series in which each hole has the value before it; at the beginning the first one there is."""
    known = ~np.isnan(series)
    if not known.any():
        return np.full(len(series), before)
    places = np.maximum.accumulate(np.where(known, np.arange(len(series)), -1))
    filled: NDArray[np.float64] = np.where(places < 0, series[known][0], series[np.maximum(places, 0)])
    return filled


def _held(series: Sequence[float]) -> list[float]:
    """Return one session's series filled as `_filled` does; one without any value stays as it is."""
    values = np.array(series)
    return list(map(float, values)) if np.isnan(values).all() else list(map(float, _filled(values, math.nan)))


def _range(series: NDArray[np.float64]) -> tuple[float, float]:
    return float(series.min()), float(series.max())


def _halts(at: Sequence[datetime], is_halted: Sequence[int]) -> Iterator[tuple[datetime, datetime]]:
    """Yield the stretches of moments at which nothing traded, up to the first one at which something did."""
    began: datetime | None = None
    for moment, halted in zip(at, is_halted, strict=False):
        if halted and began is None:
            began = moment
        elif not halted and began is not None:
            yield began, moment
            began = None
    if began is not None:
        yield began, at[-1] + timedelta(microseconds=1)


def _spx_strikes(keys: frozenset[InstrumentKey]) -> Iterator[float]:
    for key in keys:
        parts = key.split(":")
        if len(parts) == 5 and parts[1] in _SPX_CLASSES:
            yield float(parts[3])
