"""Scheduled releases that move volatility, and the days for which their schedule is known.

How it works: a table holds dated releases and, kind by kind, the stretches of days in which every release of that kind
is listed. What always holds: a release lies inside a stretch of its kind, a day has at most one release of a kind, and
whoever asks about a day outside the stretches learns that it is unknown, never that nothing happens on it.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import Final

from bot.domain.checks import require_aware, require_text
from bot.domain.errors import InvalidValueError
from bot.domain.schedule import NEW_YORK

RENEWAL_NOTICE_DAYS: Final = 60
"""No settlement farther away than this is ever chosen (M6): a table that reaches less far leaves choices undecided."""
_ONE_DAY: Final = timedelta(days=1)


class ReleaseKind(StrEnum):
    """What is released."""

    FOMC = "FOMC"
    """The decision of the Federal Open Market Committee, at the end of its meeting."""
    CPI = "CPI"
    """The Consumer Price Index of a month."""
    PPI = "PPI"
    """The Producer Price Index of a month."""


class Confidence(StrEnum):
    """How far the source of a date can be trusted; no rule weighs it, records show it."""

    QUOTED = "official-quoted"
    """A publisher's announcement, as quoted elsewhere."""
    COPIED = "official-copied"
    """A publisher's calendar file, as copied elsewhere."""
    OPERATOR = "operator-file"
    """A calendar file that the operator supplied."""
    TWO_LISTS = "secondary-2"
    """Two public lists that agree; not the publisher."""
    ONE_LIST = "secondary-1"
    """One public list; not the publisher."""
    MEMORY = "memory"
    """Written down from memory, not verified."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """One release at one moment; ``source`` says in a few words where the date comes from."""

    kind: ReleaseKind
    at: datetime
    source: str
    confidence: Confidence

    def __post_init__(self) -> None:
        """Reject a naive time and a date from nowhere."""
        require_aware(at=self.at)
        require_text(source=self.source)

    @property
    def day(self) -> date:
        """The New York date on which it is released."""
        return self.at.astimezone(NEW_YORK).date()

    def __str__(self) -> str:
        return f"{self.kind} of {self.at.astimezone(NEW_YORK):%Y-%m-%d %H:%M} New York"


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """A stretch of New York dates, both ends included, in which every release of a kind is listed."""

    kind: ReleaseKind
    covered_from: date
    covered_to: date

    def __post_init__(self) -> None:
        """Reject a stretch that ends before it begins."""
        if self.covered_to < self.covered_from:
            raise InvalidValueError(
                f"coverage of {self.kind} ends on {self.covered_to}, before it begins on {self.covered_from}: "
                "correct covered_from or covered_to"
            )

    def spans(self, first: date, last: date) -> bool:
        """Return whether both days, and so all between, lie in the stretch."""
        return self.covered_from <= first and last <= self.covered_to


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseTable:
    """Releases in the order of time, and what is known of each kind; an empty table knows nothing.

    `ReleaseTable.of` sorts and joins what comes in any order.
    """

    releases: tuple[Release, ...] = ()
    coverage: tuple[Coverage, ...] = ()

    def __post_init__(self) -> None:
        """Reject disorder, repetition, and a release that its coverage does not know."""
        if list(self.releases) != _in_order(self.releases):
            raise InvalidValueError("the releases of a table ascend by time: make it with ReleaseTable.of")
        for kind in ReleaseKind:
            self._require_apart(kind)
        for release in self.releases:
            if not self.covers(release.kind, release.day):
                raise InvalidValueError(
                    f"{release} lies outside the coverage of {release.kind}, {self._known(release.kind)}: correct the "
                    "date, or covered_from and covered_to"
                )

    def _require_apart(self, kind: ReleaseKind) -> None:
        days = [release.day for release in self.releases if release.kind is kind]
        twice = next((b for a, b in pairwise(days) if a == b), None)
        if twice is not None:
            raise InvalidValueError(f"{kind} is listed twice on {twice}, expected once a day: remove one row")
        for before, after in pairwise(self._stretches(kind)):
            if after.covered_from <= before.covered_to:
                raise InvalidValueError(
                    f"coverage of {kind} from {after.covered_from} overlaps the one to {before.covered_to}: join them"
                )

    @classmethod
    def of(cls, releases: Iterable[Release], coverage: Iterable[Coverage]) -> "ReleaseTable":
        """Return a table of rows in any order; stretches of a kind that touch or overlap become one.

        Raises:
            InvalidValueError: A kind twice on a day, or a release outside the coverage of its kind.
        """
        return cls(releases=tuple(_in_order(releases)), coverage=_joined(coverage))

    def between(self, kinds: Collection[ReleaseKind], after: datetime, until: datetime) -> tuple[Release, ...]:
        """Return the releases of some kinds later than ``after`` and not later than ``until``, in the order of time.

        None found means nothing where the span is not covered: ask `covers` as well.

        Raises:
            InvalidValueError: A time without a zone.
        """
        require_aware(after=after, until=until)
        return tuple(one for one in self.releases if one.kind in kinds and after < one.at <= until)

    def covers(self, kind: ReleaseKind, day: date, until: date | None = None) -> bool:
        """Return whether every release of a kind is known on a New York date, or from it to ``until`` inclusive."""
        return any(one.spans(day, until or day) for one in self._stretches(kind))

    def merged(self, imported: "ReleaseTable") -> "ReleaseTable":
        """Return this table renewed by an imported one.

        In a calendar month (New York) for which the import lists releases of a kind, they replace all of that kind
        here: a release moved within its month leaves no second row behind. Months without an import stay as they are,
        so that a short list deletes nothing; the old row of a release that was moved to **another** month has to be
        removed from the table by hand. Coverage is what either knows.
        """
        renewed = {_month(release) for release in imported.releases}
        kept = (release for release in self.releases if _month(release) not in renewed)
        return ReleaseTable.of((*kept, *imported.releases), (*self.coverage, *imported.coverage))

    def without(self, cancelled: Iterable[Release]) -> "ReleaseTable":
        """Return this table without some releases, told by kind and New York date; what is not in it is no matter."""
        gone = {(release.kind, release.day) for release in cancelled}
        kept = tuple(release for release in self.releases if (release.kind, release.day) not in gone)
        return ReleaseTable(releases=kept, coverage=self.coverage)

    def _stretches(self, kind: ReleaseKind) -> list[Coverage]:
        return sorted((one for one in self.coverage if one.kind is kind), key=lambda one: one.covered_from)

    def _known(self, kind: ReleaseKind) -> str:
        found = ", ".join(f"{one.covered_from} to {one.covered_to}" for one in self._stretches(kind))
        return found or "which has none"

    def renewal_of(self, kind: ReleaseKind, today: date) -> str:
        """Say what is wrong with the coverage of a kind from today on; empty when it reaches far enough."""
        if self.covers(kind, today, today + RENEWAL_NOTICE_DAYS * _ONE_DAY):
            return ""
        stretches = self._stretches(kind)
        if not stretches:
            return f"{kind} is not covered at all"
        held = next((one for one in stretches if one.spans(today, today)), None)
        if held is not None:
            return f"{kind} is covered to {held.covered_to} only"
        return f"{kind} is not covered today, only {self._known(kind)}"


def renewal_warning(table: ReleaseTable, today: date) -> str | None:
    """Return one line that says why a table must be renewed, None while it reaches 60 days ahead for every kind.

    Args:
        table: The releases and their coverage.
        today: New York date.

    Source: docs/methodology.md, M6.
    """
    faults = [fault for kind in ReleaseKind if (fault := table.renewal_of(kind, today))]
    if all(release.day < today for release in table.releases):
        faults.append("no release lies ahead")
    if not faults:
        return None
    return (
        f"the table of releases needs renewal: {'; '.join(faults)} (today is {today}, {RENEWAL_NOTICE_DAYS} days ahead "
        "are needed); outside its coverage no expiry is shifted: add the published dates or import a calendar file"
    )


def _in_order(releases: Iterable[Release]) -> list[Release]:
    return sorted(releases, key=lambda one: (one.at, one.kind))


def _month(release: Release) -> tuple[ReleaseKind, int, int]:
    return release.kind, release.day.year, release.day.month


def _joined(coverage: Iterable[Coverage]) -> tuple[Coverage, ...]:
    """Stretches by kind and day, those without a day between them made one."""
    joined: list[Coverage] = []
    for one in sorted(coverage, key=lambda one: (one.kind, one.covered_from)):
        last = joined[-1] if joined else None
        if last is None or last.kind is not one.kind or one.covered_from > last.covered_to + _ONE_DAY:
            joined.append(one)
            continue
        joined[-1] = Coverage(
            kind=one.kind,
            covered_from=last.covered_from,
            covered_to=max(last.covered_to, one.covered_to),
        )
    return tuple(joined)
