"""The broker's spellings of a moment, both ways."""

from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

HOME_ZONE: Final = "US/Eastern"
"""The zone of a moment that names none."""
_END_OF_DAY: Final = "23:59:59"
_WITH_CLOCK: Final = ("%Y%m%d %H:%M:%S", "%Y%m%d %H:%M")


def moment_of(text: str) -> datetime | None:
    """Return an aware moment, None for what is none.

    ``YYYYMMDD HH:MM:SS`` is New York's time unless a zone follows; with ``-`` between day and hour it is UTC; a day
    alone is its end.

    >>> [str(moment_of(text)) for text in ("20261014-21:00:00", "20261014 12:00:00 US/Central", "soon")]
    ['2026-10-14 21:00:00+00:00', '2026-10-14 12:00:00-05:00', 'None']
    """
    day, dash, rest = text.strip().partition("-")
    if not dash:
        day, _, rest = day.partition(" ")
    hour, _, zone_name = (rest.strip() or _END_OF_DAY).partition(" ")
    zone = _zone_of("UTC" if dash else zone_name.strip() or HOME_ZONE)
    if zone is None:
        return None
    for form in _WITH_CLOCK:
        try:
            return datetime.strptime(f"{day} {hour}", form).replace(tzinfo=zone)
        except ValueError:
            continue
    return None


def _zone_of(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo("UTC" if name == "GMT" else name)
    except (ValueError, KeyError, OSError):
        return None


def told(moment: datetime, zone: str = HOME_ZONE) -> str:
    """Return ``YYYYMMDD HH:MM:SS ZONE``."""
    return f"{moment.astimezone(ZoneInfo(zone)):%Y%m%d %H:%M:%S} {zone}"


def told_in_utc(moment: datetime) -> str:
    """Return ``YYYYMMDD-HH:MM:SS`` in UTC."""
    return f"{moment.astimezone(UTC):%Y%m%d-%H:%M:%S}"


def epoch(moment: datetime) -> int:
    """Return whole seconds since the epoch."""
    return int(moment.timestamp())
