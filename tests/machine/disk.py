"""The disk of the state machine: the real journal on a file in memory, and the judge of I18, that it only grows.

How it works: rows are written by the real journal and read back as they stand. After each step the judge looks at the
rows that are new, at the last one that it knew before, and at their count; after a restart and at the end of a world at
all of them. The hashes are worked out here a second time, by the words of docs/design.md.
"""

import hashlib
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from adapters.journal import store
from adapters.journal.store import Owner, SqliteJournal, WrittenRow
from bot.ports import JournalRow
from tests.builders import ACCOUNT
from tests.machine.venue import BrokenLedgerError

FIRST = "0" * 64
"""The hash before the first row."""
_ROWS = "SELECT seq, at, kind, decision_id, payload, hash FROM rows WHERE seq >= ? ORDER BY seq"

Stored = tuple[int, str, str, str, str, str]


class Disk:
    """The journal as a process writes it; something may happen while it writes."""

    def __init__(self) -> None:
        """Begin with an empty journal."""
        self._file = sqlite3.connect(":memory:")
        store._create(self._file, Owner(bot="main", profile="paper", account=ACCOUNT))
        self._known: list[Stored] = []
        self.rows: list[WrittenRow] = []
        self.prepared: set[str] = set()
        self.meanwhile: list[Callable[[], None]] = []
        self.open()

    def open(self) -> None:
        """A new process opens it; the whole of it must be what was written."""
        self._journal = SqliteJournal(self._file, ThreadPoolExecutor(max_workers=1))
        self.verify_all()

    async def commit(self, rows: Sequence[JournalRow]) -> None:
        """Write, then let happen what was planned for this moment."""
        self._journal.write(rows)
        self.verify()
        for row in rows:
            if row.kind == "order_prepared":
                self.prepared.add(dict(row.payload)["intent"].intent_id)  # type: ignore[attr-defined]  # an intent
        while self.meanwhile:
            self.meanwhile.pop(0)()

    def verify(self) -> None:
        """I18 for what is new: the last known row stands as it stood, and the new ones follow it without a gap."""
        last = len(self._known)
        found: list[Stored] = self._file.execute(_ROWS, (last,)).fetchall()
        if last:
            _require(found[:1] == self._known[-1:], f"row {last} is not what it was")
            found = found[1:]
        before = self._known[-1][-1] if last else FIRST
        for number, row in enumerate(found, start=last + 1):
            _require(row[0] == number, f"row {number} is missing, found {row[0]}")
            before = _digest(before, row)
            _require(row[-1] == before, f"row {number} does not follow the one before")
            self._known.append(row)
            self.rows.append(_written(row))
        ends = self._file.execute("SELECT MIN(seq), MAX(seq) FROM rows").fetchone()
        whole = (1, len(self._known)) if self._known else (None, None)
        _require(ends == whole, f"rows from {ends[0]} to {ends[1]} stand where {len(self._known)} were written")

    def verify_all(self) -> None:
        """I18 for everything: all rows stand as they stood."""
        found = self._file.execute(_ROWS, (0,)).fetchall()
        _require(found[: len(self._known)] == self._known, "rows that were written are not what they were")
        self.verify()


def _digest(before: str, row: Stored) -> str:
    """SHA-256 over the hash before, the number and all fields, each on a line of its own."""
    lines = (before, *(str(field) for field in row[:-1]))
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _written(row: Stored) -> WrittenRow:
    seq, at, kind, decision_id, payload, digest = row
    moment = datetime.fromisoformat(at)
    return WrittenRow(seq=seq, at=moment, kind=kind, decision_id=decision_id, payload=payload, hash=digest)


def _require(holds: bool, what: str) -> None:  # noqa: FBT001 - the claim itself
    if not holds:
        raise BrokenLedgerError(f"I18: {what}")
