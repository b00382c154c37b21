"""From a journal file to the report's page and the summary's rows."""

import json
from collections.abc import Iterator
from pathlib import Path

from adapters.journal.store import read_rows
from bot.domain.errors import ConfigError, JournalError
from bot.report.page import page_of, summary_of
from bot.report.story import Told, gather


def write_report(journal: Path, page: Path) -> tuple[Path, tuple[tuple[str, str], ...]]:
    """Write the HTML page of a journal; return its path and the summary.

    Raises:
        ConfigError: There is no readable journal, or the page cannot be written there.
    """
    require_another_file(page, journal)
    try:
        text, summary = story_page(journal)
    except JournalError as error:
        raise ConfigError(str(error)) from error
    try:
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{page}: cannot be written ({error.strerror}); name another file with --out") from error
    return page, summary


def story_page(journal: Path) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Return the page and the summary of a journal.

    Raises:
        JournalError: There is no readable journal.
    """
    story = gather(_told(journal))
    return page_of(story), tuple(summary_of(story))


def require_another_file(out: Path, journal: Path) -> None:
    """Raise ConfigError where an output would replace the journal that it is made from."""
    if out.exists() and journal.exists() and out.samefile(journal):
        raise ConfigError(f"{out}: is the journal itself; name another file with --out")


def _told(journal: Path) -> Iterator[Told]:
    for row in read_rows(journal):
        yield Told(at=row.at, kind=row.kind, decision_id=row.decision_id, facts=json.loads(row.payload))
