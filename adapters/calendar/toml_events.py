"""Reads the dated table of releases, `events.toml`; whatever is wrong with it is one line.

How it works: one section per kind of release, with the days for which it is complete and one row per release. What
always holds: nothing is filled in, and a key that is not understood stops the reading.
"""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from typing import Final, TypeVar

from adapters.text_files import read_text, shortened
from bot.domain.errors import ConfigError, InvalidValueError
from bot.domain.releases import Confidence, Coverage, Release, ReleaseKind, ReleaseTable
from bot.domain.schedule import NEW_YORK

LARGEST_FILE_BYTES: Final = 1_000_000
"""A century of releases takes less."""
_SECTION_KEYS: Final = ("covered_from", "covered_to", "releases")
_ROW_KEYS: Final = ("day", "time", "confidence", "source")

_Value = TypeVar("_Value", date, time, str, list[object])


def read_events(path: Path) -> ReleaseTable:
    """Return the releases of a table and their coverage.

    Raises:
        ConfigError: The file is missing, no TOML, or a row is wrong; the one line names file, row, what was found, what
            was expected, and the cure.
    """
    raw = _toml(path)
    releases: list[Release] = []
    coverage: list[Coverage] = []
    for name, section in raw.items():
        at = _Place(path=path, where=f"section {_quoted(name)}")
        kind = _member(at, name, ReleaseKind, "name the section after the releases that it lists")
        table = _table(at, section, _SECTION_KEYS)
        covered_from = _value(at, table, "covered_from", date, "a date such as 2026-01-31")
        covered_to = _value(at, table, "covered_to", date, "a date such as 2026-12-31")
        try:
            coverage.append(Coverage(kind=kind, covered_from=covered_from, covered_to=covered_to))
        except InvalidValueError as error:
            raise ConfigError(f"{at}: {error}") from error
        releases.extend(_rows(at, kind, _value(at, table, "releases", list, "a list of rows")))
    try:
        return ReleaseTable.of(releases, coverage)
    except InvalidValueError as error:
        raise ConfigError(f"{path}: {error}") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """Where in the file, for messages."""

    path: Path
    where: str

    def wrong(self, found: str, expected: str, cure: str) -> ConfigError:
        return ConfigError(f"{self}: found {found}, expected {expected}; {cure}")

    def __str__(self) -> str:
        return f"{self.path} {self.where}"


def _toml(path: Path) -> Mapping[str, object]:
    text = read_text(
        path,
        what="a table of releases",
        cure="name the right file, or save it as UTF-8",
        largest_bytes=LARGEST_FILE_BYTES,
    )
    try:
        return tomllib.loads(text)
    except RecursionError as error:
        raise ConfigError(f"{path}: nested far deeper than a table of releases; name the right file") from error
    except ValueError as error:  # tomllib lets those of its numbers and dates through as they are
        raise ConfigError(f"{path}: not valid TOML: {error}; correct this line") from error


def _rows(at: _Place, kind: ReleaseKind, rows: list[object]) -> Iterator[Release]:
    for number, row in enumerate(rows, start=1):
        here = _Place(path=at.path, where=f"{at.where} row {number}")
        table = _table(here, row, _ROW_KEYS)
        day = _value(here, table, "day", date, "a date such as 2026-12-10")
        clock = _value(here, table, "time", time, "a New York time such as 08:30:00")
        confidence = _value(here, table, "confidence", str, "a quoted word")
        source = _value(here, table, "source", str, "a quoted text")
        if not source.strip():
            raise here.wrong("an empty source", "where the date comes from", "state it in a few words")
        yield Release(
            kind=kind,
            at=datetime.combine(day, clock, tzinfo=NEW_YORK),
            source=source,
            confidence=_member(here, confidence, Confidence, "name how far the source can be trusted"),
        )


def _table(at: _Place, found: object, keys: tuple[str, ...]) -> Mapping[str, object]:
    """A table with exactly these keys."""
    if not isinstance(found, dict):
        raise at.wrong(_quoted(found), f"a table with {', '.join(keys)}", "write it as the other rows are")
    unknown = [key for key in found if key not in keys]
    if unknown:
        raise at.wrong(f"the key {_quoted(unknown[0])}", f"only {', '.join(keys)}", "correct or remove the key")
    missing = [key for key in keys if key not in found]
    if missing:
        raise at.wrong(f"no {missing[0]}", f"all of {', '.join(keys)}", "add it")
    return found


def _value(at: _Place, table: Mapping[str, object], key: str, kind: type[_Value], expected: str) -> _Value:
    """The value of a key, of exactly one kind: a date with a time is no date."""
    found = table[key]
    if type(found) is not kind:
        raise at.wrong(f"{key} = {_quoted(found)}", expected, "correct it; dates and times stand without quotes")
    return found


_Kind = TypeVar("_Kind", ReleaseKind, Confidence)


def _member(at: _Place, found: str, kinds: type[_Kind], cure: str) -> _Kind:
    try:
        return kinds(found)
    except ValueError:
        raise at.wrong(_quoted(found), f"one of {', '.join(kinds)}", cure) from None


def _quoted(found: object) -> str:
    text = found.isoformat() if isinstance(found, (date, time)) else str(found)
    return repr(shortened(text))
