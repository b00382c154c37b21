"""Sessions that a history lacks: they are told to the operator and never filled."""

from collections.abc import Iterable
from datetime import date

from adapters.history.daily_row import DailyRow
from bot.domain.schedule import FIRST_YEAR, LAST_YEAR, SessionCalendar


def gaps_of(rows: Iterable[DailyRow], calendar: SessionCalendar) -> tuple[date, ...]:
    """Return the sessions between the first and the last row for which there is none, ascending.

    RVX really lacks five: 2018-05-01, 2018-12-03, 2019-02-20, 2019-07-05 and 2020-10-16. The signal copes, because
    it counts sessions that both indices have. Years that the calendar does not know are not looked at.
    """
    days = {row.day for row in rows}
    if not days:
        return ()
    first = max(min(days), date(FIRST_YEAR, 1, 1))
    last = min(max(days), date(LAST_YEAR, 12, 31))
    return tuple(session.day for session in calendar.sessions(first, last) if session.day not in days)
