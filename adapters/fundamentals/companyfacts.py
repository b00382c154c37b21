"""Reads the facts of one company from the SEC's companyfacts JSON, as they were known on any day.

The file is what `https://data.sec.gov/api/xbrl/companyfacts/CIK##########.json` gives, with a User-Agent that names
you: ``facts`` by taxonomy, then tag, then unit, then a list of facts with ``end``, ``val``, ``form``, ``filed``,
``accn`` and, for a flow, ``start``. A fact is identified by its own ``start`` and ``end``; ``fy``, ``fp`` and
``frame`` describe the filing or a slot of the calendar and are not read. Later filings repeat and restate a period: as
known on a day, the fact that was filed last by then holds, an amendment before the report of the same day.

What always holds: only annual and interim reports count, a fact filed before its own period ended is a slip of the
filer and left out, and a file that is not of this form is one clear line.
"""

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final, NoReturn

from bot.domain.errors import ConfigError

Tag = tuple[str, str]
"""Taxonomy and tag, such as ("us-gaap", "AssetsCurrent")."""
Period = tuple[date | None, date]
"""First day, None for a figure of a moment, and last day."""

REPORTS: Final = ("10-K", "10-Q", "20-F", "40-F", "6-K")
"""With their variants: 10-K/A, 10-KT, ... Other forms carry pro forma and partial figures."""
DOWNLOAD: Final = "download the company's file from data.sec.gov again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One figure of one filing, in its tag's unit."""

    start: date | None
    end: date
    value: float
    filed: date
    form: str
    filing: str  # accession number

    @property
    def period(self) -> Period:
        """What the figure is about."""
        return self.start, self.end

    @property
    def precedence(self) -> tuple[date, bool, str]:
        """Of two facts about one period the greater holds."""
        return self.filed, self.form.endswith("/A"), self.filing


@dataclass(frozen=True, slots=True, kw_only=True)
class CompanyFacts:
    """The facts of a company under the tags that were asked for, by unit; a tag it never used is not in there."""

    symbol: str
    taxonomies: tuple[str, ...]
    units: Mapping[Tag, Mapping[str, tuple[Fact, ...]]]

    def facts(self, tag: Tag, unit: str) -> tuple[Fact, ...]:
        """Return the facts of a tag in a unit, none where there are none."""
        return self.units.get(tag, {}).get(unit, ())


def as_known(facts: Iterable[Fact], day: date) -> dict[Period, float]:
    """Return the figures by period as they were known on a day: of repeated ones the last filed."""
    ordered = sorted((fact for fact in facts if fact.filed <= day), key=lambda fact: fact.precedence)
    return {fact.period: fact.value for fact in ordered}


def read_company(path: Path, symbol: str, tags: Iterable[Tag]) -> CompanyFacts:
    """Return what a file says under some tags.

    Args:
        path: The company's companyfacts file.
        symbol: Under which the bot knows the company; the file has the SEC's number and a name only.
        tags: The tags to read.

    Raises:
        ConfigError: The file cannot be read, is no JSON of this form, or a fact under these tags is malformed.
    """
    source = _Source(path=path)
    taxonomies = source.table(source.table(_parsed(path), "the file").get("facts"), "facts")
    units = {}
    for taxonomy, name in tags:
        concept = source.table(taxonomies.get(taxonomy, {}), taxonomy).get(name)
        if concept is None:
            continue
        by_unit = source.table(source.table(concept, name).get("units"), f"{name}.units")
        read = {unit: tuple(_facts_of(source, name, rows)) for unit, rows in by_unit.items()}
        units[taxonomy, name] = {unit: facts for unit, facts in read.items() if facts}
    return CompanyFacts(symbol=symbol, taxonomies=tuple(taxonomies), units=units)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Source:
    """The file under reading, for messages."""

    path: Path

    def table(self, found: object, where: str) -> dict[str, object]:
        """Return a JSON object."""
        if not isinstance(found, dict):
            self.wrong(where, found, "an object as in the SEC's companyfacts")
        return found

    def day(self, fact: Mapping[str, object], key: str, where: str) -> date:
        """Return a date written as yyyy-mm-dd."""
        try:
            return date.fromisoformat(str(fact.get(key)))
        except ValueError:
            self.wrong(f"{where}.{key}", fact.get(key), "a date as yyyy-mm-dd")

    def text(self, fact: Mapping[str, object], key: str, where: str) -> str:
        """Return a text that is not empty."""
        found = fact.get(key)
        if not isinstance(found, str) or not found:
            self.wrong(f"{where}.{key}", found, "a text")
        return found

    def wrong(self, where: str, found: object, expected: str) -> NoReturn:
        """Raise the one line."""
        shown = "nothing" if found is None else repr(found)[:60]
        raise ConfigError(f"{self.path}: {where}: found {shown}, expected {expected}; {DOWNLOAD}")


def _parsed(path: Path) -> object:
    try:
        return json.loads(path.read_bytes(), parse_constant=_refuse_constant)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}); check path and permissions") from error
    except (ValueError, RecursionError) as error:  # UnicodeDecodeError and JSONDecodeError are ValueErrors
        raise ConfigError(f"{path}: is no JSON ({error}), expected the SEC's companyfacts; {DOWNLOAD}") from error


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


def _facts_of(source: _Source, tag: str, rows: object) -> Iterator[Fact]:
    if not isinstance(rows, list):
        source.wrong(tag, rows, "a list of facts for each unit")
    for number, row in enumerate(rows):
        fact = _fact_of(source, source.table(row, f"{tag}[{number}]"), f"{tag}[{number}]")
        if fact.form.startswith(REPORTS) and fact.filed >= fact.end:
            yield fact


def _fact_of(source: _Source, row: Mapping[str, object], where: str) -> Fact:
    value = row.get("val")
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        source.wrong(f"{where}.val", value, "a finite number")
    start = source.day(row, "start", where) if "start" in row else None
    end = source.day(row, "end", where)
    if start is not None and start > end:
        source.wrong(f"{where}.start", start.isoformat(), f"a day not after the end {end}")
    return Fact(
        start=start,
        end=end,
        value=float(value),
        filed=source.day(row, "filed", where),
        form=source.text(row, "form", where),
        filing=source.text(row, "accn", where),
    )
