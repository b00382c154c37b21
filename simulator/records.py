"""The daily record of the indices and the paths of their sessions, before the run and since."""

from bisect import bisect_left, bisect_right
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from bot.domain.errors import InvalidValueError
from bot.domain.schedule import Session, SessionCalendar
from simulator.world.history import HistorySource
from simulator.world.levels import SYMBOLS, DailyLevel, Levels, LevelSource, SessionPath, levels_of

_NEW_YORK: Final = ZoneInfo("America/New_York")
_PATHS_KEPT: Final = 4


class DailyRecord:
    """Finished days per symbol, ascending; grows by `add`."""

    def __init__(self, calendar: SessionCalendar, prior: Mapping[str, Sequence[DailyLevel]]) -> None:
        """Begin with the days before a run."""
        self.calendar = calendar
        self._rows = {symbol: list(prior.get(symbol, ())) for symbol in SYMBOLS}
        self._days = {symbol: [row.day for row in rows] for symbol, rows in self._rows.items()}

    def add(self, symbol: str, row: DailyLevel) -> None:
        """Append a day that has ended."""
        self._rows[symbol].append(row)
        self._days[symbol].append(row.day)

    def finished(self, end: datetime, count: int) -> list[date]:
        """Return the last ``count`` days with a row of any index that had ended at ``end`` (aware), ascending."""
        if count <= 0:
            return []
        last, found = self._last_finished(end), set[date]()
        for days in self._days.values():
            until = bisect_right(days, last)
            found.update(days[max(0, until - count) : until])
        return sorted(found)[-count:]

    def rows(self, symbol: str) -> Sequence[DailyLevel]:
        """Return all days of a symbol."""
        return tuple(self._rows[symbol])

    def row(self, symbol: str, day: date) -> DailyLevel | None:
        """Return one day of a symbol, None where it was not published."""
        at = bisect_left(self._days[symbol], day)
        found = at < len(self._days[symbol]) and self._days[symbol][at] == day
        return self._rows[symbol][at] if found else None

    def closes_before(self, day: date) -> Levels:
        """Return the last closes before a day; the first known ones where there are none."""
        return self._closes({symbol: bisect_left(days, day) - 1 for symbol, days in self._days.items()})

    def closes_of(self, day: date) -> Levels:
        """Return the closes of a day, or the last ones before it."""
        return self._closes({symbol: bisect_right(days, day) - 1 for symbol, days in self._days.items()})

    def session(self, day: date) -> Session:
        """Return the session of a day, or the one before it."""
        return self.calendar.session(day) or self.calendar.previous_session(day)

    def _closes(self, places: Mapping[str, int]) -> Levels:
        return levels_of({symbol: self._rows[symbol][max(0, at)].close for symbol, at in places.items()})

    def _last_finished(self, end: datetime) -> date:
        """Return the last calendar day that is over: today only once its session has closed."""
        today = end.astimezone(_NEW_YORK).date()
        session = self.calendar.session(today)
        return today if session is None or end >= session.closes_at else today - timedelta(days=1)


class Paths:
    """The paths of sessions, those of the run and those bridged from the days before it; the last few are kept."""

    def __init__(self, source: LevelSource, record: DailyRecord) -> None:
        """Look at the sessions of a source and the days of a record."""
        self.record = record
        self._source = source
        self._numbers = {session.day: number for number, session in enumerate(source.sessions)}
        self._kept: OrderedDict[date, SessionPath] = OrderedDict()

    def of(self, day: date) -> SessionPath | None:
        """Return the path of a session, None where nothing is known of it; the same one each time."""
        found = self._kept.get(day)
        if found is not None:
            return found
        fresh = self._source.path(self._numbers[day]) if day in self._numbers else self._bridged(day)
        if fresh is not None:
            self._kept[day] = fresh
            if len(self._kept) > _PATHS_KEPT:
                self._kept.popitem(last=False)
        return fresh

    def _bridged(self, day: date) -> SessionPath | None:
        rows = {symbol: self.record.rows(symbol) for symbol in SYMBOLS}
        try:
            return HistorySource(history=rows, calendar=self.record.calendar, start=day, end=day, seed=0).path(0)
        except InvalidValueError:  # before the second known day, or a day without a row
            return None
