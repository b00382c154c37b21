"""Which version of the journal's schema a file was written with, for those who only read it."""

import sqlite3
from contextlib import closing
from pathlib import Path

from adapters.journal.store import SCHEMA_VERSION
from bot.domain.errors import JournalError, RefusedStartError


def require_known_schema(path: Path) -> None:
    """Let a journal pass that this version can read; nothing is written.

    Raises:
        JournalError: There is no readable journal at this path.
        RefusedStartError: A newer version wrote it: its rows may mean what this one does not know.
    """
    if not path.exists():
        raise JournalError(f"{path}: no journal there; name the journal.db of a run with --journal")
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=5.0)) as connection:
            found = connection.execute("SELECT value FROM meta WHERE key = 'schema'").fetchone()
    except sqlite3.Error as error:
        raise JournalError(f"{path}: cannot be read as a journal ({error})") from error
    written = str(found[0]) if found else ""
    if not written.isdigit():
        raise JournalError(f"{path}: is no journal of alvh (no schema number); name the journal.db of a run")
    if int(written) > SCHEMA_VERSION:
        raise RefusedStartError(
            f"{path}: written by a newer version (schema {written}, this one knows {SCHEMA_VERSION}); upgrade alvh"
        )
