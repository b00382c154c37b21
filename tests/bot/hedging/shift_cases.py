"""Releases, settlements and spreads around one day, and the choice made from them."""

from collections.abc import Iterable
from dataclasses import fields
from datetime import date, datetime, time, timedelta
from pathlib import Path

from adapters.calendar.toml_events import read_events
from bot.domain.releases import Confidence, Coverage, Release, ReleaseKind, ReleaseTable
from bot.domain.schedule import NEW_YORK, SessionCalendar
from bot.domain.shifts import Offered, Shift, ShiftInputs
from bot.hedging.shifting.choice import choose_settlement
from bot.hedging.shifting.settings import TimeShiftSettings

FOMC, CPI, PPI = ReleaseKind
CALENDAR = SessionCalendar()
SETTINGS = TimeShiftSettings()
TODAY = date(2026, 10, 20)
DAY = timedelta(days=1)
VECTORS = Path(__file__).parents[3] / ".." / "shared" / "data" / "vectors.json"
DELIVERED = read_events(Path(__file__).parents[3] / "config" / "events.toml")
HOURS = {FOMC: time(14), CPI: time(8, 30), PPI: time(8, 30)}


def noon(day: date) -> datetime:
    """The middle of a New York day."""
    return datetime.combine(day, time(12), tzinfo=NEW_YORK)


def monthly(days: int) -> Offered:
    """A monthly that settles so many days after TODAY."""
    return Offered(day=TODAY + days * DAY, is_monthly=True)


def weekly(days: int) -> Offered:
    """A weekly that settles so many days after TODAY."""
    return Offered(day=TODAY + days * DAY, is_monthly=False)


def a_release(kind: ReleaseKind, days: int, at: time | None = None) -> Release:
    """A release so many days after TODAY, at the hour of its kind."""
    moment = datetime.combine(TODAY + days * DAY, at or HOURS[kind], tzinfo=NEW_YORK)
    return Release(kind=kind, at=moment, source="a list", confidence=Confidence.COPIED)


def knowing(*releases: Release, kinds: Iterable[ReleaseKind] = ReleaseKind, last: int = 100) -> ReleaseTable:
    """A table that covers some kinds from TODAY on."""
    coverage = [Coverage(kind=kind, covered_from=TODAY, covered_to=TODAY + last * DAY) for kind in kinds]
    return ReleaseTable.of(releases, coverage)


def a_decay(half_life: float, sessions: int = 90) -> tuple[float, ...]:
    """Closing spreads whose deviation halves every so many sessions."""
    return tuple(3.0 + 6.0 * 0.5 ** (session / half_life) for session in range(sessions))


HOME_SOON = ShiftInputs(spread=6.0, peak_spread=10.0, closing_spreads=a_decay(3.0))
"""40 % below its peak, half of a deviation gone after 4.2 days."""


def choice(
    *offered: Offered,
    table: ReleaseTable | None = None,
    inputs: ShiftInputs | None = None,
    today: date = TODAY,
    joined: date | None = None,
) -> Shift:
    """The choice at noon, with nothing released and nothing known of the spread where a test does not say."""
    return choose_settlement(
        offered, noon(today), knowing() if table is None else table, inputs or ShiftInputs(), SETTINGS, joined=joined
    )


def days_of(shift: Shift) -> tuple[int | None, int | None]:
    """Base and settlement as days after TODAY."""
    return (
        None if shift.base is None else (shift.base - TODAY).days,
        None if shift.settlement is None else (shift.settlement - TODAY).days,
    )


def changed(**changes: object) -> ShiftInputs:
    """A spread that is on its way home, but for something."""
    named = {field.name: getattr(HOME_SOON, field.name) for field in fields(HOME_SOON)}
    return ShiftInputs(**{**named, **changes})  # type: ignore[arg-type]  # values of any field
