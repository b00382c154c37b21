"""The nights of a floor: which moments they have, and their paths, worked out from the closes and the next opening."""

from collections import OrderedDict
from datetime import date, datetime, time
from typing import Final

from simulator.hours import NEW_YORK, day_ends, moments_open
from simulator.records import Paths
from simulator.world.night import NightPath, night_path

_NIGHTS_KEPT: Final = 4


class Nights:
    """The nights before sessions, those of the run and those before it; the last few are kept."""

    def __init__(self, paths: Paths, step_s: int, seed: int) -> None:
        """Play nights in steps of ``step_s`` seconds between the sessions of some paths."""
        self._paths = paths
        self.step_s = step_s
        self._seed = seed
        self._kept: OrderedDict[date, NightPath] = OrderedDict()

    def begun(self, day: date) -> "Night | None":
        """Return the night before the session of a day, to be played from its beginning; as `before`."""
        path = self.before(day)
        if path is None or not path.steps:
            return None
        ends = day_ends(path.moments[0], path.moments[-1], self._paths.record.calendar)
        return Night(path, ends)

    def before(self, day: date) -> NightPath | None:
        """Return the night before the session of a day, None where that session is not known; the same each time.

        The session before it must have ended.
        """
        found = self._kept.get(day)
        if found is not None:
            return found
        path = self._paths.of(day)
        if path is None:
            return None
        calendar, record = self._paths.record.calendar, self._paths.record
        start, end = calendar.previous_session(day).closes_at, path.session.opens_at
        fresh = self._kept[day] = night_path(
            day=day,
            calendar=calendar,
            moments=moments_open(start, end, self.step_s, calendar),
            closes=record.closes_before(day),
            opening=path.of(0),
            seed=self._seed,
        )
        if len(self._kept) > _NIGHTS_KEPT:
            self._kept.popitem(last=False)
        return fresh


class Night:
    """A night that is being played: its path, how far it has come, and what belongs to its moments."""

    def __init__(self, path: NightPath, day_ends: frozenset[datetime]) -> None:
        """Stand before the first step."""
        self.path = path
        self.step = 0
        self._day_ends = day_ends
        self._begins_at = datetime.combine(path.day, time(), tzinfo=NEW_YORK)
        self._is_new_day = False

    def next_at(self) -> datetime | None:
        """Return the moment of the next step, None after the last one."""
        return self.path.at(self.step) if self.step < self.path.steps else None

    def ends_a_day(self, at: datetime) -> bool:
        """Return whether the trading day of some class is over at a moment."""
        return at in self._day_ends

    def begins_the_day(self, at: datetime) -> bool:
        """Return, once, whether it is midnight in New York or later on the day of the session that follows."""
        if self._is_new_day or at < self._begins_at:
            return False
        self._is_new_day = True
        return True
