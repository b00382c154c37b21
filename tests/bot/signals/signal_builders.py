"""Builders for sessions, baselines and ticks of the dispersion signal; they show only the numbers that matter."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from bot.domain.instrument import RUT, RVX, SPX, VIX, InstrumentKey
from bot.domain.market import DataType
from bot.domain.schedule import Session, SessionCalendar
from bot.signals.baseline import BaselineRow
from bot.signals.columns import KEY_CODES, TickColumns
from bot.signals.dispersion import NS_PER_S, DispersionTracker, nanoseconds_of
from bot.signals.settings import DispersionSettings

CALENDAR = SessionCalendar()
DAY = date(2015, 4, 27)
BY_NAME = {"SPX": SPX.key, "RUT": RUT.key, "VIX": VIX.key, "RVX": RVX.key}


@dataclass(frozen=True, slots=True)
class At:
    """One tick; ``at_s`` counts from the open of the session."""

    name: str
    level: float
    at_s: float
    data_type: DataType = DataType.LIVE


def a_session(day: date = DAY) -> Session:
    """Return the session of a day that is one."""
    session = CALENDAR.session(day)
    assert session is not None
    return session


def a_baseline(spread: float, sessions: int = 90, day: date = DAY, vix: float = 15.0) -> tuple[BaselineRow, ...]:
    """Return closes of the sessions before a day, all with one spread in points."""
    rows: list[BaselineRow] = []
    while len(rows) < sessions:
        day = CALENDAR.previous_session(day).day
        rows.append((day.toordinal(), vix + spread, vix))
    return tuple(reversed(rows))


def opened(settings: DispersionSettings | None = None, spread: float = 4.0) -> DispersionTracker:
    """Return a tracker in an open session above a baseline of four points."""
    tracker = DispersionTracker(settings or DispersionSettings())
    tracker.open_session(a_session(), a_baseline(spread))
    return tracker


def ns_at(at_s: float, session: Session | None = None) -> int:
    """Return a moment of a session in nanoseconds since 1970."""
    return nanoseconds_of((session or a_session()).opens_at) + round(at_s * NS_PER_S)


def fed(tracker: DispersionTracker, ticks: Iterable[At]) -> list[bool]:
    """Feed ticks and return the answers."""
    return [tracker.on_tick(BY_NAME[tick.name], tick.level, ns_at(tick.at_s), tick.data_type) for tick in ticks]


def steady(
    begin_s: float, end_s: float, *, rvx: float, vix: float = 15.0, every_s: float = 15.0, without: Sequence[str] = ()
) -> list[At]:
    """Return all four indices every ``every_s``, from begin up to end; VIX and RVX move a hair in step each time."""
    ticks: list[At] = []
    at_s = begin_s
    while at_s < end_s:
        hair = 0.01 * (round(at_s / every_s) % 2)
        levels = {"SPX": 2100.0, "RUT": 1260.0, "VIX": vix + hair, "RVX": rvx + hair}
        ticks += [At(name, level, at_s) for name, level in levels.items() if name not in without]
        at_s += every_s
    return ticks


def columns_of(ticks: Sequence[At], session: Session | None = None) -> TickColumns:
    """Return ticks as columns."""
    return TickColumns(
        key_code=np.array([KEY_CODES[InstrumentKey(BY_NAME[t.name])] for t in ticks], dtype=np.int8),
        level=np.array([t.level for t in ticks], dtype=np.float64),
        at_ns=np.array([ns_at(t.at_s, session) for t in ticks], dtype=np.int64),
        data_type=np.array([t.data_type for t in ticks], dtype=np.int8),
    )
