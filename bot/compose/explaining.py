"""``alvh explain``: from a journal file and the beginning of an id to one decision in words."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from adapters.journal.schema import require_known_schema
from adapters.journal.store import read_rows
from bot.compose.journals import verify_journal
from bot.compose.standing import JOURNAL_FILE
from bot.domain.errors import ConfigError, InvalidValueError, JournalError
from bot.report.explain import as_facts, decision_named, explained
from bot.report.explaining.parts import Explanation
from bot.report.explaining.terminal import as_text
from bot.report.explaining.trail import KINDS, PLANNED, VERDICTS, trail_of
from bot.report.story import Told

DEFAULT_OUT: Final = Path("out")
"""Where `alvh run` leaves its runs unless told otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One decision in words, the same as JSON values, and the journal that it was read from."""

    explanation: Explanation
    facts: Mapping[str, object]
    journal: Path

    def text(self, width: int) -> str:
        """Return the words for a terminal of so many columns."""
        return as_text(self.explanation, width)


def explain_decision(beginning: str, journal: Path | None) -> Answer:
    """Return the explanation of the decision that an id or its beginning names.

    Args:
        beginning: A full id, a beginning that only one decision has, or ``last``.
        journal: The file; None takes that of the newest run in the default output folder.

    Raises:
        ConfigError: There is no readable journal, or not exactly one such decision in it.
        RefusedStartError: A newer version wrote it, or a row is missing, was changed or added: nothing is explained
            from a journal that cannot be trusted.
    """
    path = journal or newest_journal(DEFAULT_OUT)
    try:
        require_known_schema(path)
        verify_journal(path)
        decision_id = decision_named(_told(path, (PLANNED, *VERDICTS)), beginning)
        trail = trail_of(_told(path, KINDS), decision_id)
        if trail is None:
            raise ConfigError(f"{path}: decision {decision_id} is gone; run alvh journal verify")
        explanation = explained(trail)
    except (JournalError, InvalidValueError) as error:
        raise ConfigError(_with_file(path, str(error))) from error
    return Answer(explanation=explanation, facts=as_facts(explanation, trail), journal=path)


def newest_journal(folder: Path) -> Path:
    """Return the journal below a folder of runs that was written last.

    Raises:
        ConfigError: There is none.
    """
    found = sorted(folder.glob(f"*/state/{JOURNAL_FILE}"), key=lambda path: (_written_at(path), path))
    if not found:
        raise ConfigError(f"{folder}: no run with a journal there; name the {JOURNAL_FILE} of a run with --journal")
    return found[-1]


def _written_at(journal: Path) -> int:
    """When the journal or the write-ahead file beside it was last written, nanoseconds."""
    return max(path.stat().st_mtime_ns for path in journal.parent.glob(f"{journal.name}*") if path.is_file())


def _with_file(path: Path, message: str) -> str:
    return message if message.startswith(str(path)) else f"{path}: {message}"


def _told(path: Path, kinds: Sequence[str]) -> Iterator[Told]:
    for row in read_rows(path, kinds):
        try:
            facts = json.loads(row.payload)
        except ValueError as error:
            raise JournalError(f"row {row.seq} ({row.kind}) holds no JSON; run alvh journal verify") from error
        yield Told(at=row.at, kind=row.kind, decision_id=row.decision_id, facts=facts)
