"""Trading hours in the broker's words: one parser of its text; what cannot be read for sure is unknown, never guessed.

How it works: the text names days, each closed or with one or more stretches, in the local time of a named zone. A
stretch belongs to the day on which it ends. What always holds: times are aware UTC; a text of which any part cannot be
read, or whose zone is not known, tells nothing at all.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from bot.domain.checks import require_aware
from bot.domain.errors import InvalidValueError

_CLOSED: Final = "CLOSED"
_OLD_NAMES: Final = {
    "EST": "America/New_York",
    "EST5EDT": "America/New_York",
    "CST": "America/Chicago",
    "CST6CDT": "America/Chicago",
}
"""Short names that the broker gives to places with summer time; read as fixed offsets they are an hour off in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """One stretch of trading; the opening belongs to it, the closing does not."""

    opens_at: datetime
    closes_at: datetime

    def __post_init__(self) -> None:
        """Reject naive times and a stretch that ends before it begins."""
        require_aware(opens_at=self.opens_at, closes_at=self.closes_at)
        if self.closes_at <= self.opens_at:
            raise InvalidValueError(f"hours close at {self.closes_at}, not after {self.opens_at}")


@dataclass(frozen=True, slots=True)
class Hours:
    """The days that a text speaks of, ascending, each with its stretches; a closed day has none."""

    days: tuple[tuple[date, tuple[Span, ...]], ...]

    def on(self, day: date) -> tuple[Span, ...] | None:
        """Return the stretches of a day of the contract's zone; None where the text does not speak of it."""
        return next((spans for told, spans in self.days if told == day), None)

    def at(self, moment: datetime) -> Span | None:
        """Return the stretch in which a moment lies, None where the contract does not trade then."""
        inside = (span for _, spans in self.days for span in spans if span.opens_at <= moment < span.closes_at)
        return next(inside, None)


@lru_cache(maxsize=4096)
def hours_told(text: str, zone: str) -> Hours | None:
    """Return the hours that a text tells, None where it is empty or any part of it cannot be read.

    Args:
        text: ``20260105:0930-20260105:1615;20260106:CLOSED``, several stretches of a day joined by commas; or the
            older form ``20260105:0930-1615,1630-1700``, in which a stretch over midnight has no certain meaning.
        zone: As ``US/Central``, ``America/Chicago`` or ``EST``.

    >>> told = hours_told("20260105:0930-20260105:1615;20260106:CLOSED", "US/Eastern")
    >>> told.on(date(2026, 1, 5))[0].closes_at.isoformat(), told.on(date(2026, 1, 6)), told.on(date(2026, 1, 7))
    ('2026-01-05T21:15:00+00:00', (), None)

    Source: docs/ib/wire.md, section 4.4.
    """
    place = zone_named(zone)
    if place is None or not text.strip():
        return None
    closed, found = set[date](), dict[date, list[Span]]()
    try:
        for entry in text.strip().strip(";").split(";"):
            if entry.endswith(f":{_CLOSED}"):
                closed.add(_moment(entry.removesuffix(f":{_CLOSED}"), "0000", place).date())
                continue
            for day, span in _spans(entry, place):
                found.setdefault(day, []).append(span)
    except ValueError:  # InvalidValueError is one
        return None
    if closed & found.keys():
        return None
    days = {**dict.fromkeys(closed, ()), **{day: _ascending(spans) for day, spans in found.items()}}
    return Hours(tuple((day, days[day]) for day in sorted(days)))


def moment_told(day: str, clock: str, zone: str) -> datetime | None:
    """Return a moment told as ``YYYYMMDD``, ``HH:MM`` (or with seconds) and a zone; None where it cannot be read.

    >>> moment_told("20261117", "15:15", "US/Central").isoformat()
    '2026-11-17T21:15:00+00:00'
    >>> moment_told("20261117", "", "US/Central") is None
    True
    """
    place = zone_named(zone)
    if place is None:
        return None
    try:
        return _moment(day, clock[:5].replace(":", ""), place).astimezone(UTC)
    except ValueError:
        return None


def zone_named(name: str) -> ZoneInfo | None:
    """Return the place of a zone's name, None where it is not known; words in brackets behind it are left out."""
    plain = name.split("(", maxsplit=1)[0].strip()
    try:
        return ZoneInfo(_OLD_NAMES.get(plain, plain)) if plain else None
    except (KeyError, ValueError, OSError):  # not in the table; no name of a file; the name of a folder
        return None


def _spans(entry: str, place: ZoneInfo) -> Iterator[tuple[date, Span]]:
    """Yield the stretches of one entry, each with the local day on which it ends."""
    day = ""
    for piece in entry.split(","):
        begin, _, end = piece.strip().partition("-")
        if ":" in begin:
            day, _, begin = begin.partition(":")
        until = day
        if ":" in end:
            until, _, end = end.partition(":")
        closes = _moment(until, end, place)
        span = Span(opens_at=_moment(day, begin, place).astimezone(UTC), closes_at=closes.astimezone(UTC))
        yield closes.date(), span


def _ascending(spans: list[Span]) -> tuple[Span, ...]:
    return tuple(sorted(spans, key=lambda span: span.opens_at))


def _moment(day: str, clock: str, place: ZoneInfo) -> datetime:
    """Return a local moment of YYYYMMDD and HHMM.

    Raises:
        ValueError: It is none.
    """
    if len(day) != 8 or len(clock) != 4 or not (day + clock).isascii() or not (day + clock).isdigit():
        raise InvalidValueError(f"a day YYYYMMDD and a time HHMM were expected, found {day!r} and {clock!r}")
    hour, minute = int(clock[:2]), int(clock[2:])
    return datetime(int(day[:4]), int(day[4:6]), int(day[6:]), hour, minute, tzinfo=place)
