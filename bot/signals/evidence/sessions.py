"""Joins daily values by date, so that all parts of a formula speak of the same sessions; or says why that cannot be.

How it works: rows up to the day of the reading are looked at, those on days that are no session are left out, and the
newest sessions that all series have make the window. What always holds: a window is as long as was asked for, fresh,
and lacks no more sessions than allowed; older rows than the window change nothing.
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import numpy as np

from bot.domain.errors import InvalidValueError
from bot.domain.evidence import Abstention, ConfirmationName, DailyValue, EvidenceInputs
from bot.domain.schedule import FIRST_YEAR, SessionCalendar
from bot.signals.evidence.indicators import FloatArray

_CALENDAR: Final = SessionCalendar()


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """What one confirmation asks of its series: a number of sessions, their freshness, and what may be missing."""

    name: ConfirmationName
    sessions: int
    max_age_days: int
    max_missing: int

    def abstain(self, why: str) -> Abstention:
        """Return the abstention of this confirmation."""
        return Abstention(name=self.name, why=why)


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The newest common sessions, oldest first; one column of values per series, shape (sessions,)."""

    days: tuple[date, ...]
    columns: Mapping[str, FloatArray]

    @property
    def as_of(self) -> date:
        """The newest session."""
        return self.days[-1]


def closes_on_common_sessions(
    symbols: Iterable[str], inputs: EvidenceInputs, today: date, need: Need
) -> Window | Abstention:
    """Return the window of the closes of some symbols, see `closes_of` and `window_of`."""
    series: dict[str, Sequence[DailyValue]] = {}
    for symbol in symbols:
        rows = closes_of(symbol, inputs, today, need)
        if isinstance(rows, Abstention):
            return rows
        series[symbol] = rows
    return window_of(series, today, need)


def closes_of(symbol: str, inputs: EvidenceInputs, today: date, need: Need) -> Sequence[DailyValue] | Abstention:
    """Return the closes of a symbol up to today, with the live level as today's where there is no close yet."""
    series = inputs.histories.get(symbol)
    rows: Sequence[DailyValue] = () if series is None else series.rows
    rows = rows[: bisect_right(rows, today, key=_day_of)]
    level = inputs.live.get(symbol) if inputs.live_on == today else None
    if level is not None and not (math.isfinite(level) and level > 0.0):
        return need.abstain(f"the live level of {symbol} is {level}, expected a finite level above 0")
    if level is not None and (not rows or rows[-1][0] < today):
        return (*rows, (today, level))
    if not rows:
        return need.abstain(
            f"no close of {symbol} up to {today}; import its history or wait until the bot's own store has grown"
        )
    return rows


def window_of(series: Mapping[str, Sequence[DailyValue]], today: date, need: Need) -> Window | Abstention:
    """Return the newest ``need.sessions`` sessions that all series have.

    Args:
        series: Rows by name, each ascending, none empty and none after today.
        today: New York date of the reading.
        need: What is asked for.

    Source: docs/methodology.md, M1 (joined by date, never by position) and M3.
    """
    names = " and ".join(sorted(series))
    newest = min(rows[-1][0] for rows in series.values())
    if _is_stale(newest, today, need):
        return need.abstain(_stale(names, newest, today, need))
    by_day = [dict(_recent(rows, newest, need)) for rows in series.values()]
    common = set(by_day[0]).intersection(*by_day[1:])
    days = tuple(sorted(day for day in common if _CALENDAR.session(day) is not None)[-need.sessions :])
    if len(days) < need.sessions:
        return need.abstain(
            f"{names} have {len(days)} common sessions up to {newest}, expected {need.sessions}; import earlier rows"
        )
    if _is_stale(days[-1], today, need):
        return need.abstain(_stale(names, days[-1], today, need))
    missing = sum(1 for _ in _CALENDAR.sessions(days[0], days[-1])) - len(days)
    if missing > need.max_missing:
        return need.abstain(
            f"{names} lack {missing} sessions between {days[0]} and {days[-1]}, expected at most {need.max_missing}; "
            "import the missing rows"
        )
    columns = {name: np.array([values[day] for day in days]) for name, values in zip(series, by_day, strict=True)}
    return Window(days=days, columns=columns)


def clipped(evidence: float) -> float:
    """Return an evidence within [-1, 1].

    Raises:
        InvalidValueError: No number; a reading would hide it.
    """
    if not math.isfinite(evidence):
        raise InvalidValueError(f"evidence must be finite, was {evidence}")
    return min(1.0, max(-1.0, evidence))


def _is_stale(newest: date, today: date, need: Need) -> bool:
    return (today - newest).days > need.max_age_days


def _stale(names: str, newest: date, today: date, need: Need) -> str:
    age = (today - newest).days
    return (
        f"{names}: the last common row is of {newest}, {age} days before {today}, expected at most {need.max_age_days}"
    )


def _recent(rows: Sequence[DailyValue], newest: date, need: Need) -> Sequence[DailyValue]:
    """Rows that may belong to the window; two calendar days hold more than one session at any length asked for."""
    reach = timedelta(days=2 * (need.sessions + need.max_missing))
    oldest = max(newest - reach, date(FIRST_YEAR, 1, 1))
    return rows[bisect_left(rows, oldest, key=_day_of) : bisect_right(rows, newest, key=_day_of)]


def _day_of(row: DailyValue) -> date:
    return row[0]
