"""``alvh`` with a bad end built in: the process kills itself right before or after a journal row of some kind.

Usage: python -m tests.crashing_bot KIND before|after ARGUMENTS_OF_ALVH...
"""

import os
import signal
import sys
from collections.abc import Sequence

from adapters.journal.store import SqliteJournal
from bot.__main__ import main
from bot.ports import JournalRow


def crash_at(kind: str, when: str) -> None:
    """Let the next commit that holds a row of this kind be the process's last act, or the first it fails to do."""
    write = SqliteJournal.write

    def fatal(journal: SqliteJournal, rows: Sequence[JournalRow]) -> None:
        hit = any(row.kind == kind for row in rows)
        if hit and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        write(journal, rows)
        if hit:
            os.kill(os.getpid(), signal.SIGKILL)

    SqliteJournal.write = fatal  # type: ignore[method-assign]  # a test program about its own death


if __name__ == "__main__":
    crash_at(sys.argv[1], sys.argv[2])
    sys.argv = ["alvh", *sys.argv[3:]]
    main()
