"""``alvh`` with a bad end built in: the process kills itself right before or after a journal row of some kind.

Usage: python -m tests.crashing_bot KIND[:MODE] before|after ARGUMENTS_OF_ALVH...
"""

import os
import signal
import sys
from collections.abc import Sequence

from adapters.journal.store import SqliteJournal
from bot.__main__ import main
from bot.compose.drill import Operator
from bot.domain.command import AckStage
from bot.ports import JournalRow

BEFORE_ARMING = ("books_reconciled", "session_opened")


def crash_at(kind: str, when: str) -> None:
    """Let the row of this kind be the last that reaches the journal, or the first that does not.

    Which rows share a commit depends on the machine's load. What came ahead of the row is written on its own, so that
    the journal ends at the same row on every machine.
    """
    name, _, mode = kind.partition(":")
    write = SqliteJournal.write

    def is_it(row: JournalRow) -> bool:
        return row.kind == name and mode in ("", row.payload.get("mode"))

    def fatal(journal: SqliteJournal, rows: Sequence[JournalRow]) -> None:
        hit = next((place for place, row in enumerate(rows) if is_it(row)), None)
        if hit is None:
            write(journal, rows)
            return
        if kept := rows[: hit if when == "before" else hit + 1]:
            write(journal, kept)
        os.kill(os.getpid(), signal.SIGKILL)

    async def not_yet(operator: Operator) -> AckStage:  # noqa: ARG001 - stands in for a method
        return AckStage.REFUSED

    SqliteJournal.write = fatal  # type: ignore[method-assign]  # a test program about its own death
    if name in BEFORE_ARMING:  # an arming that reaches the latch's file while the rows ahead wait is a halt, rightly
        Operator.arm = not_yet  # type: ignore[method-assign]


if __name__ == "__main__":
    crash_at(sys.argv[1], sys.argv[2])
    sys.argv = ["alvh", *sys.argv[3:]]
    main()
