"""From a journal file to the report's page, the summary's rows, and the variants compared."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from adapters.journal.store import read_rows
from bot.domain.errors import ConfigError, JournalError
from bot.report.evidence.settings import ComparisonSettings
from bot.report.evidence.words import facts_of
from bot.report.page import page_of, summary_of
from bot.report.story import Told, gather


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """A report: where its page stands, the rows that a terminal shows, and the variants compared for programs."""

    path: Path
    summary: tuple[tuple[str, str], ...]
    variants: Mapping[str, object]


def write_report(journal: Path, page: Path) -> Reported:
    """Write the HTML page of a journal and return what it says.

    Raises:
        ConfigError: There is no readable journal, or the page cannot be written there.
    """
    require_another_file(page, journal)
    try:
        story = gather(_told(journal))
    except JournalError as error:
        raise ConfigError(str(error)) from error
    try:
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(page_of(story), encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{page}: cannot be written ({error.strerror}); name another file with --out") from error
    return Reported(
        path=page,
        summary=tuple(summary_of(story)),
        variants=facts_of(story.results, story.compared(), ComparisonSettings()),
    )


def require_another_file(out: Path, journal: Path) -> None:
    """Raise ConfigError where an output would replace the journal that it is made from."""
    if out.exists() and journal.exists() and out.samefile(journal):
        raise ConfigError(f"{out}: is the journal itself; name another file with --out")


def _told(journal: Path) -> Iterator[Told]:
    for row in read_rows(journal):
        yield Told(at=row.at, kind=row.kind, decision_id=row.decision_id, facts=json.loads(row.payload))
