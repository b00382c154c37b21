"""When VIX options and VX futures settle: a rule on the SPX expiry of the month that follows."""

from collections.abc import Iterator
from datetime import date, timedelta

from bot.domain.schedule import SessionCalendar


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


def _on_session(day: date, calendar: SessionCalendar) -> date:
    return day if calendar.session(day) is not None else calendar.previous_session(day).day
