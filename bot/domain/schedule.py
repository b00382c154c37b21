"""Trading sessions: when index options trade and volatility indices are calculated, with holidays and early closes.

How it works: the holidays of the United States stock market follow rules; closures that follow none are listed with
their date. What always holds: a session is given in aware UTC times, and a day outside the years that the rules are
known for is refused instead of guessed.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo

from bot.domain.checks import require_aware
from bot.domain.errors import InvalidValueError

NEW_YORK: Final = ZoneInfo("America/New_York")
OPENS: Final = time(9, 30)
CLOSES: Final = time(16, 15)
"""Index options trade fifteen minutes longer than shares; VIX and RVX are calculated as long."""
CLOSES_EARLY: Final = time(13, 15)
SHARES_CLOSE_BEFORE: Final = timedelta(minutes=15)
"""On early closes as well: 13:00."""

FIRST_YEAR: Final = 1998
LAST_YEAR: Final = 2035
_JUNETEENTH_SINCE: Final = 2022

UNSCHEDULED_CLOSURES: Final = frozenset(
    {
        date(2001, 9, 11),  # attacks of September 11
        date(2001, 9, 12),
        date(2001, 9, 13),
        date(2001, 9, 14),
        date(2004, 6, 11),  # mourning for R. Reagan
        date(2007, 1, 2),  # mourning for G. Ford
        date(2012, 10, 29),  # hurricane Sandy
        date(2012, 10, 30),
        date(2018, 12, 5),  # mourning for G. H. W. Bush
        date(2025, 1, 9),  # mourning for J. Carter
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One trading day, from the open to the close of index options, in aware times; both ends belong to it."""

    day: date
    opens_at: datetime
    closes_at: datetime

    def __post_init__(self) -> None:
        """Reject naive times and a session that ends before it begins."""
        require_aware(opens_at=self.opens_at, closes_at=self.closes_at)
        if self.closes_at <= self.opens_at:
            raise InvalidValueError(f"session of {self.day}: closes {self.closes_at}, not after {self.opens_at}")

    @property
    def shares_close_at(self) -> datetime:
        """When shares and funds stop trading: a quarter of an hour before index options."""
        return self.closes_at - SHARES_CLOSE_BEFORE


@dataclass(frozen=True, slots=True)
class SessionCalendar:
    """The sessions of the years from `FIRST_YEAR` to `LAST_YEAR`, by rule."""

    def session(self, day: date) -> Session | None:
        """Return the session of a day, None on a weekend or holiday.

        >>> SessionCalendar().session(date(2026, 11, 27)).closes_at.isoformat()  # the day after Thanksgiving
        '2026-11-27T18:15:00+00:00'
        >>> SessionCalendar().session(date(2026, 11, 26)) is None
        True

        Raises:
            InvalidValueError: The year is outside the range for which the rules are known.
        """
        return _session(day)

    def sessions(self, start: date, end: date) -> Iterator[Session]:
        """Yield the sessions from ``start`` to ``end``, both included."""
        for ordinal in range(start.toordinal(), end.toordinal() + 1):
            session = _session(date.fromordinal(ordinal))
            if session is not None:
                yield session

    def next_session(self, day: date) -> Session:
        """Return the first session after a day."""
        return self._seek(day, 1)

    def previous_session(self, day: date) -> Session:
        """Return the last session before a day."""
        return self._seek(day, -1)

    @staticmethod
    def _seek(day: date, direction: int) -> Session:
        session = None
        while session is None:
            day += timedelta(days=direction)
            session = _session(day)
        return session


@cache
def _session(day: date) -> Session | None:
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise InvalidValueError(f"the session calendar knows {FIRST_YEAR} to {LAST_YEAR}, was asked for {day}")
    if day.weekday() >= 5 or day in UNSCHEDULED_CLOSURES or day in holidays(day.year):
        return None
    closes = CLOSES_EARLY if _closes_early(day) else CLOSES
    return Session(
        day=day,
        opens_at=datetime.combine(day, OPENS, tzinfo=NEW_YORK).astimezone(UTC),
        closes_at=datetime.combine(day, closes, tzinfo=NEW_YORK).astimezone(UTC),
    )


@cache
def holidays(year: int) -> frozenset[date]:
    """Return the scheduled full-day closures of a year: nine holidays, ten since Juneteenth became one in 2022."""
    days = {
        _nth_weekday(year, 1, 0, 3),  # Martin Luther King
        _nth_weekday(year, 2, 0, 3),  # Washington's birthday
        easter_sunday(year) - timedelta(days=2),  # Good Friday
        _last_monday_of_may(year),  # Memorial Day
        _observed(date(year, 7, 4)),
        _nth_weekday(year, 9, 0, 1),  # Labor Day
        _nth_weekday(year, 11, 3, 4),  # Thanksgiving
        _observed(date(year, 12, 25)),
    }
    if date(year, 1, 1).weekday() != 5:  # on a Saturday it is not observed: the Friday closes the year's books
        days.add(_observed(date(year, 1, 1)))
    if year >= _JUNETEENTH_SINCE:
        days.add(_observed(date(year, 6, 19)))
    return frozenset(days)


def easter_sunday(year: int) -> date:
    """Return the date of Easter in the Gregorian calendar.

    >>> easter_sunday(2027)
    datetime.date(2027, 3, 28)

    Source: the anonymous Gregorian algorithm (Meeus, Astronomical Algorithms, chapter 8).
    """
    a, (b, c) = year % 19, divmod(year, 100)
    d, e = divmod(b, 4)
    g = (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    m = (32 + 2 * e + 2 * i - h - k) % 7
    n = (a + 11 * h + 22 * m) // 451
    month, day = divmod(h + m - 7 * n + 114, 31)
    return date(year, month, day + 1)


def _closes_early(day: date) -> bool:
    """The day after Thanksgiving, Christmas Eve, and 3 July where 4 July is a weekday other than Monday."""
    if (day.month, day.day) in {(12, 24), (7, 3)}:
        return day.weekday() < 4
    return day.month == 11 and day - timedelta(days=1) == _nth_weekday(day.year, 11, 3, 4)


def _observed(day: date) -> date:
    """A holiday on a Saturday closes the Friday before it, one on a Sunday the Monday after."""
    shift = {5: -1, 6: 1}.get(day.weekday(), 0)
    return day + timedelta(days=shift)


def _nth_weekday(year: int, month: int, weekday: int, n: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (n - 1))


def _last_monday_of_may(year: int) -> date:
    last = date(year, 5, 31)
    return last - timedelta(days=last.weekday())
