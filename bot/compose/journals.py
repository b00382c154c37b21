"""``alvh journal``: judge the chain of a journal, or write it out as JSON lines."""

import json
from collections.abc import Iterator
from pathlib import Path

from adapters.journal.store import WrittenRow, first_fault, read_rows
from bot.compose.reporting import require_another_file
from bot.domain.errors import ConfigError, JournalError, RefusedStartError

EXPORT_MODE = 0o600
"""The rows name the account: an export is readable by its owner only, as the journal is."""


def verify_journal(journal: Path) -> str:
    """Return one line about a whole journal.

    Raises:
        ConfigError: There is no readable journal.
        RefusedStartError: A row is missing, was changed or added; the line names it. No bot starts on such a journal.
    """
    try:
        fault = first_fault(journal)
        rows = sum(1 for _ in read_rows(journal)) if fault is None else 0
    except JournalError as error:
        raise ConfigError(str(error)) from error
    if fault is not None:
        raise RefusedStartError(f"{journal}: {fault}; restore a backup, or move it away and reconcile by hand")
    return f"{journal}: {rows} rows, the chain is whole"


def exported_lines(journal: Path) -> Iterator[str]:
    """Yield every row as one line of JSON: seq, at, kind, decision_id, payload, hash; damaged journals too.

    Raises:
        ConfigError: There is no readable journal.
    """
    try:
        for row in read_rows(journal):
            yield _line(row)
    except JournalError as error:
        raise ConfigError(str(error)) from error


def export_to(journal: Path, out: Path) -> int:
    """Write the lines to a file of mode 0600 and return how many there were.

    Raises:
        ConfigError: There is no readable journal, or the file cannot be written.
    """
    require_another_file(out, journal)
    lines = list(exported_lines(journal))
    try:
        out.touch(mode=EXPORT_MODE)
        out.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{out}: cannot be written ({error.strerror}); name another file with --out") from error
    return len(lines)


def _line(row: WrittenRow) -> str:
    try:
        payload = json.loads(row.payload)
    except (TypeError, ValueError):
        payload = str(row.payload)  # damaged: shown as it stands
    facts = {"seq": row.seq, "at": row.at.isoformat(), "kind": row.kind, "decision_id": row.decision_id}
    return json.dumps({**facts, "payload": payload, "hash": row.hash}, default=str)
