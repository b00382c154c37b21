"""The schedule of releases of a run: the table, and the operator's calendar file over it."""

from pathlib import Path

from adapters.calendar.ics import read_calendar
from adapters.calendar.settings import EventSettings
from adapters.calendar.toml_events import read_events
from bot.domain.releases import ReleaseTable
from config.loader import PROFILE_FOLDER

BUILT_IN = "events.toml"


def releases_of(settings: EventSettings) -> ReleaseTable:
    """Return the releases that a run knows of.

    Raises:
        ConfigError: A file is missing, or a row in it is not what it should be.
    """
    table = read_events(Path(settings.table).expanduser() if settings.table else PROFILE_FOLDER / BUILT_IN)
    if not settings.ics:
        return table
    return read_calendar(Path(settings.ics).expanduser()).renewing(table)
