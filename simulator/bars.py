"""The daily record of the indices: what was there before the run, and each session as it ends."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from bot.domain.schedule import SessionCalendar
from simulator.venue import DailyBar
from simulator.world.levels import DailyLevel

_NEW_YORK: Final = ZoneInfo("America/New_York")


class DailyRecord:
    """Finished days per symbol, ascending; grows by `add`."""

    def __init__(self, calendar: SessionCalendar, prior: Mapping[str, Sequence[DailyLevel]]) -> None:
        """Begin with the days before a run."""
        self._calendar = calendar
        self._days = {symbol: list(days) for symbol, days in prior.items()}

    def add(self, symbol: str, day: DailyLevel) -> None:
        """Append a day that has ended."""
        self._days.setdefault(symbol, []).append(day)

    def bars(self, symbol: str, end: datetime, count: int) -> tuple[DailyBar, ...]:
        """Return the last ``count`` days that had ended at ``end`` (aware), oldest first.

        A day whose history holds only a close is a bar of that one level.
        """
        last = self._last_finished(end)
        finished = [day for day in self._days.get(symbol, ()) if day.day <= last]
        return tuple(_bar(day) for day in finished[-count:]) if count > 0 else ()

    def _last_finished(self, end: datetime) -> date:
        """Return the last calendar day that is over: today only once its session has closed."""
        today = end.astimezone(_NEW_YORK).date()
        session = self._calendar.session(today)
        return today if session is None or end >= session.closes_at else today - timedelta(days=1)


def _bar(day: DailyLevel) -> DailyBar:
    return DailyBar(
        day=f"{day.day:%Y%m%d}",
        open=day.close if day.open is None else day.open,
        high=day.close if day.high is None else day.high,
        low=day.close if day.low is None else day.low,
        close=day.close,
    )
