"""When contracts settle: the days of VIX by a rule on the SPX expiry of the month that follows, the hours by class."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Final

from bot.domain.errors import InvalidValueError
from bot.domain.instrument import Instrument
from bot.domain.schedule import NEW_YORK, SessionCalendar

AFTERNOON_CLASSES: Final = frozenset({"SPXW", "RUTW"})
"""Classes that settle on the close of the stock market; all others settle on its open."""
_MORNING: Final = time(9, 30)
_AFTERNOON: Final = time(16, 0)


def third_friday(year: int, month: int) -> date:
    """Return the third Friday of a month.

    >>> third_friday(2026, 12)
    datetime.date(2026, 12, 18)
    """
    first = date(year, month, 1)
    return first + timedelta(days=(4 - first.weekday()) % 7 + 14)


def vix_settlement(year: int, month: int, calendar: SessionCalendar) -> date:
    """Return the monthly settlement: 30 days before the third Friday of the following month.

    Where that Friday is a holiday the 30 days count from the session before it; where the resulting day is one, the
    settlement is on the session before.

    >>> vix_settlement(2027, 5, SessionCalendar())  # 18 June 2027 is the observed holiday
    datetime.date(2027, 5, 18)

    Source: docs/contracts.md, the settlement rule.
    """
    following = date(year + month // 12, month % 12 + 1, 1)
    reference = _on_session(third_friday(following.year, following.month), calendar)
    return _on_session(reference - timedelta(days=30), calendar)


def vix_monthlies(start: date, end: date, calendar: SessionCalendar) -> Iterator[date]:
    """Yield the monthly settlements from ``start`` to ``end``, both included, ascending."""
    year, month = start.year, start.month
    while (year, month) <= (end.year, end.month):
        settlement = vix_settlement(year, month, calendar)
        if start <= settlement <= end:
            yield settlement
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)


def settles_at(instrument: Instrument) -> datetime:
    """Return the moment at which a contract settles, in New York's time; from then on it is worth cash alone.

    Raises:
        InvalidValueError: It does not settle.

    Source: docs/contracts.md, the settlement rules.
    """
    if instrument.settlement is None:
        raise InvalidValueError(f"{instrument.key} does not settle")
    return class_settles_at(instrument.trading_class, instrument.settlement)


def class_settles_at(trading_class: str, day: date) -> datetime:
    """Return the moment at which the contracts of a class and settlement day settle, in New York's time.

    >>> [class_settles_at(name, date(2026, 11, 20)).hour for name in ("SPX", "SPXW", "VIXW")]
    [9, 16, 9]
    """
    return datetime.combine(day, _AFTERNOON if trading_class in AFTERNOON_CLASSES else _MORNING, tzinfo=NEW_YORK)


def has_settled(instrument: Instrument, now: datetime) -> bool:
    """Return whether a contract is no more: its settlement is past. A share or an index never settles.

    Args:
        instrument: Any.
        now: Aware.
    """
    day = instrument.settlement
    return day is not None and now >= _settles_at_utc(instrument.trading_class, day)


@cache
def _settles_at_utc(trading_class: str, day: date) -> datetime:
    """The same moment in UTC: it is asked for every contract of every order, and times of one zone compare fast."""
    return class_settles_at(trading_class, day).astimezone(UTC)


def _on_session(day: date, calendar: SessionCalendar) -> date:
    return day if calendar.session(day) is not None else calendar.previous_session(day).day
