"""From a journal file to the report's page and the summary's rows."""

import json
from collections.abc import Iterator
from pathlib import Path

from adapters.journal.store import read_rows
from bot.report.page import page_of, summary_of
from bot.report.story import Told, gather


def write_report(journal: Path, page: Path) -> tuple[Path, tuple[tuple[str, str], ...]]:
    """Write the HTML page of a journal; return its path and the summary.

    Raises:
        JournalError: There is no readable journal.
    """
    story = gather(_told(journal))
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(page_of(story), encoding="utf-8")
    return page, tuple(summary_of(story))


def _told(journal: Path) -> Iterator[Told]:
    for row in read_rows(journal):
        yield Told(at=row.at, kind=row.kind, decision_id=row.decision_id, facts=json.loads(row.payload))
