"""Reads releases from a calendar file that an operator supplies, in the form of the feed of the BLS.

How it works: rows are recognised by their titles, which must be exactly those of a CPI, PPI or FOMC release; every
other row is counted and left alone. What always holds: a recognised row has one moment, or the file is refused with
one line: a time without a zone, a whole day, a recurrence and an unknown zone name no moment.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import icalendar

from adapters.text_files import read_text, shortened
from bot.domain.errors import ConfigError, InvalidValueError
from bot.domain.releases import Confidence, Coverage, Release, ReleaseKind, ReleaseTable
from bot.domain.schedule import NEW_YORK

LARGEST_FILE_BYTES: Final = 1_000_000
"""Several times a feed of two years; a larger file is something else."""
_MONTH: Final = r"( for [a-z]+ \d{4})?"
_TITLES: Final = {
    ReleaseKind.CPI: re.compile(rf"(consumer price index|cpi){_MONTH}"),
    ReleaseKind.PPI: re.compile(rf"(producer price index|ppi){_MONTH}"),
    ReleaseKind.FOMC: re.compile(r"fomc (rate )?(decision|statement)"),
}
_SIMILAR: Final = re.compile(r"consumer price|producer price|\bcpi\b|\bppi\b|\bfomc\b|federal open market")
_ZONES_BY_NAME: Final = {"US-Eastern": NEW_YORK}
"""The name that the BLS gives to New York's zone; its files define it as well."""
_TWO_ZONES: Final = re.compile(r"^DTSTART[^:\r\n]*;TZID=[^:\r\n]*:\d{8}T\d{6}Z", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarImport:
    """What a calendar file says.

    Attributes:
        name: Of the file, without its folder.
        table: The releases; each kind is covered from the day of its first row to the day of its last.
        cancelled: Rows that the file marks as cancelled.
        ignored: How many rows are about something else.
        similar: Titles among those that mention one of the kinds and yet name no release of it, each once.
    """

    name: str
    table: ReleaseTable
    cancelled: tuple[Release, ...]
    ignored: int
    similar: tuple[str, ...]

    def renewing(self, table: ReleaseTable) -> ReleaseTable:
        """Return a table without the cancelled releases, and with the imported ones for all those of their months."""
        return table.without(self.cancelled).merged(self.table)

    def __str__(self) -> str:
        spans = ", ".join(f"{one.kind} {one.covered_from} to {one.covered_to}" for one in self.table.coverage)
        similar = f"; not read although similar: {', '.join(map(repr, self.similar))}" if self.similar else ""
        return (
            f"{self.name}: {len(self.table.releases)} releases ({spans}), {len(self.cancelled)} cancelled, "
            f"{self.ignored} other rows ignored{similar}"
        )


def read_calendar(path: Path) -> CalendarImport:
    """Return the releases of a calendar file.

    Raises:
        ConfigError: The file is missing, too large, no calendar or truncated, holds no release, or a release in it has
            no one moment; the one line names file, row, what was found, what was expected, and the cure.
    """
    calendar = _parsed(path, _text(path))
    zones = _zones_of(path, calendar)
    releases: dict[tuple[ReleaseKind, datetime], Release] = {}
    cancelled: list[Release] = []
    others: list[str] = []
    for number, event in enumerate(calendar.walk("VEVENT"), start=1):
        row = _Row(path=path, number=number, event=event, zones=zones)
        title = row.title()
        kind = _kind_of(title)
        if kind is None:
            others.append(title)
        elif row.is_cancelled():
            cancelled.append(row.release(kind))
        else:
            release = row.release(kind)
            releases[kind, release.at] = release  # the same row twice says nothing new
    return CalendarImport(
        name=path.name,
        table=_table(path, [*releases.values()], len(others)),
        cancelled=tuple(cancelled),
        ignored=len(others),
        similar=tuple(dict.fromkeys(_short(title) for title in others if _SIMILAR.search(title.casefold()))),
    )


def _text(path: Path) -> str:
    text = read_text(
        path,
        what="a calendar file (.ics)",
        cure="export the releases alone, in UTF-8",
        largest_bytes=LARGEST_FILE_BYTES,
    )
    if not text.strip():
        raise ConfigError(f"{path}: is empty, expected a calendar file (.ics); download it again")
    return text


def _parsed(path: Path, text: str) -> icalendar.Calendar:
    lines = text.split()
    if lines[0].upper() != "BEGIN:VCALENDAR":
        raise ConfigError(
            f"{path}: begins with {_short(lines[0])!r}, expected BEGIN:VCALENDAR; save the calendar file, not a page"
        )
    if lines[-1].upper() != "END:VCALENDAR":
        raise ConfigError(
            f"{path}: ends with {_short(lines[-1])!r}, expected END:VCALENDAR, it was cut off; download it again"
        )
    twice = _TWO_ZONES.search(text)
    if twice is not None:
        raise ConfigError(
            f"{path}: found {_short(twice.group())!r}, a zone and a Z for UTC at once, expected one of them; remove one"
        )
    try:
        calendar = icalendar.Calendar.from_ical(text)
    except Exception as error:  # whatever a foreign parser raises, the file is no calendar
        raise ConfigError(f"{path}: is no valid calendar file: {_short(str(error))}; download it again") from error
    if not isinstance(calendar, icalendar.Calendar):
        raise ConfigError(f"{path}: holds no calendar, expected one VCALENDAR; download it again")
    if str(calendar.get("METHOD", "")).upper() == "CANCEL":
        raise ConfigError(f"{path}: cancels its rows (METHOD:CANCEL), expected a list of dates; download the feed")
    return calendar


def _zones_of(path: Path, calendar: icalendar.Calendar) -> Mapping[str, tzinfo]:
    """The zones that the file defines itself, by name; they take precedence over known ones (RFC 5545, 3.6.5)."""
    zones: dict[str, tzinfo] = {}
    for component in calendar.walk("VTIMEZONE"):
        if not isinstance(component, icalendar.Timezone):
            continue
        name = str(component.get("TZID", ""))
        try:
            zones[name] = component.to_tz(lookup_tzid=False)
        except Exception as error:  # as above
            raise ConfigError(
                f"{path}: the zone {_short(name)!r} has no valid rules ({_short(str(error))}), expected STANDARD and "
                "DAYLIGHT with their offsets; download the file again"
            ) from error
    return zones


def _kind_of(title: str) -> ReleaseKind | None:
    folded = " ".join(title.casefold().split())
    return next((kind for kind, form in _TITLES.items() if form.fullmatch(folded)), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """One event of the file, counted from 1."""

    path: Path
    number: int
    event: Any  # icalendar leaves the values of properties untyped
    zones: Mapping[str, tzinfo]

    def title(self) -> str:
        """The title, empty where there is none; a row that cannot be read whole is refused."""
        if self.event.errors:
            _, fault = self.event.errors[0]
            raise self._wrong(_short(fault), "properties of the calendar form", "correct the row or remove it")
        found = self.event.get("SUMMARY", "")
        if isinstance(found, list):
            raise self._wrong(f"{len(found)} titles", "one", "remove all but one")
        return str(found)

    def is_cancelled(self) -> bool:
        """The file says that it will not happen."""
        return str(self.event.get("STATUS", "")).upper() == "CANCELLED"

    def release(self, kind: ReleaseKind) -> Release:
        """The release of a recognised row."""
        for name in ("RRULE", "RDATE", "EXDATE", "RECURRENCE-ID"):
            if name in self.event:
                raise self._wrong(f"the recurrence {name}", "one date a row", "write each date as a row of its own")
        return Release(
            kind=kind, at=self._moment(), source=f"calendar file {self.path.name}", confidence=Confidence.OPERATOR
        )

    def _moment(self) -> datetime:
        start = self.event.get("DTSTART")
        if start is None or isinstance(start, list):
            found = "no DTSTART" if start is None else f"{len(start)} times DTSTART"
            raise self._wrong(found, "one time", "state when it is released")
        moment = getattr(start, "dt", None)
        if not isinstance(moment, datetime):
            raise self._wrong(f"the whole day {moment}", "a time of day", "state the time of the release")
        zone = str(start.params.get("TZID", ""))
        if zone:
            return moment.replace(tzinfo=self._zone(zone)).astimezone(UTC)
        if moment.tzinfo is None:
            raise self._wrong(
                f"the time {moment:%Y-%m-%d %H:%M} without a zone",
                "one with TZID or in UTC",
                "write DTSTART;TZID=America/New_York: or end the time with Z",
            )
        return moment.astimezone(UTC)

    def _zone(self, name: str) -> tzinfo:
        zone = self.zones.get(name) or _ZONES_BY_NAME.get(name)
        if zone is not None:
            return zone
        try:
            return ZoneInfo(name)
        except (KeyError, ValueError, OSError):  # not found, no name at all, or the name of a folder
            raise self._wrong(
                f"the zone {_short(name)!r}",
                "one that the file defines or a name such as America/New_York",
                "correct it",
            ) from None

    def _wrong(self, found: str, expected: str, cure: str) -> ConfigError:
        title = _short(str(self.event.get("SUMMARY", "without a title")))  # of a foreign hand, like all that is quoted
        return ConfigError(f"{self.path} row {self.number} ({title}): found {found}, expected {expected}; {cure}")


def _table(path: Path, releases: Sequence[Release], ignored: int) -> ReleaseTable:
    if not releases:
        raise ConfigError(
            f"{path}: found no release among {ignored} other rows, expected titles such as 'Consumer Price Index', "
            "'Producer Price Index' or 'FOMC Decision'; export a calendar that holds them"
        )
    try:
        return ReleaseTable.of(releases, _coverage(releases))
    except InvalidValueError as error:
        raise ConfigError(f"{path}: {error}") from error


def _coverage(releases: Sequence[Release]) -> Iterator[Coverage]:
    for kind in ReleaseKind:
        days = [release.day for release in releases if release.kind is kind]
        if days:
            yield Coverage(kind=kind, covered_from=min(days), covered_to=max(days))


def _short(text: str) -> str:
    line = "".join(sign if sign.isprintable() else "?" for sign in " ".join(text.split()))
    return shortened(line)
