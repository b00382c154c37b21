"""The append-only journal on SQLite: one writer, every commit flushed, every row chained to the one before by hash.

How it works: WAL mode with synchronous FULL, one transaction per commit. A row's hash covers the hash before it, its
number and all its fields, and the number and hash of the last row stand beside the rows, so that a changed, missing,
reordered or added row is found by `first_fault`. The writer runs on one thread of its own; on a virtual loop the same
call runs inline. Rows are never updated or deleted: triggers refuse it.
"""

import asyncio
import sqlite3
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from adapters.journal.chain import GENESIS, StoredRow, chained, fault_in, head_of
from adapters.journal.codec import plain, text_of
from bot.domain.errors import JournalError, RefusedStartError
from bot.ports import JournalRow

SCHEMA_VERSION = 1
HEAD = "head"
"""The key in `meta` under which the last committed row is written down."""

_SCHEMA = (
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    """CREATE TABLE rows (
        seq INTEGER PRIMARY KEY,
        at TEXT NOT NULL,
        kind TEXT NOT NULL,
        decision_id TEXT NOT NULL,
        payload TEXT NOT NULL,
        hash TEXT NOT NULL
    )""",
    "CREATE INDEX rows_by_kind ON rows (kind, seq)",
    "CREATE TRIGGER rows_stay BEFORE UPDATE ON rows BEGIN SELECT RAISE(ABORT, 'the journal only grows'); END",
    "CREATE TRIGGER rows_remain BEFORE DELETE ON rows BEGIN SELECT RAISE(ABORT, 'the journal only grows'); END",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """Whose journal it is; another bot's, profile's or account's is refused."""

    bot: str
    profile: str
    account: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenRow:
    """One row as it stands on disk; ``payload`` is its JSON text."""

    seq: int
    at: datetime
    kind: str
    decision_id: str
    payload: str
    hash: str


class SqliteJournal:
    """The writer; open one per state folder."""

    def __init__(self, connection: sqlite3.Connection, writer: ThreadPoolExecutor) -> None:
        """Use `open_journal`."""
        self._connection = connection
        self._writer = writer
        last = connection.execute("SELECT seq, hash FROM rows ORDER BY seq DESC LIMIT 1").fetchone()
        self._seq: int = last[0] if last else 0
        self._hash: str = last[1] if last else GENESIS

    async def commit(self, rows: Sequence[JournalRow]) -> None:
        """Write all rows in one flushed transaction.

        Raises:
            JournalError: The rows are not known to be on disk.
        """
        await asyncio.get_running_loop().run_in_executor(self._writer, self.write, tuple(rows))

    def write(self, rows: Sequence[JournalRow]) -> None:
        """Write all rows in the calling thread; as `commit`."""
        seq, last = self._seq, self._hash
        records = []
        for row in rows:
            seq += 1
            at, payload = str(plain(row.at)), text_of(row.payload)
            last = chained(last, seq=seq, at=at, kind=row.kind, decision_id=row.decision_id, payload=payload)
            records.append((seq, at, row.kind, row.decision_id, payload, last))
        try:
            with self._connection:
                self._connection.executemany("INSERT INTO rows VALUES (?, ?, ?, ?, ?, ?)", records)
                self._connection.execute("UPDATE meta SET value = ? WHERE key = ?", (head_of(seq, last), HEAD))
        except sqlite3.Error as error:
            raise JournalError(f"the journal could not be written: {error}; free disk space or repair it") from error
        self._seq, self._hash = seq, last

    def close(self) -> None:
        """Flush and close; nothing can be written afterwards."""
        self._writer.shutdown(wait=True)
        self._connection.close()


def open_journal(path: Path, owner: Owner) -> SqliteJournal:
    """Open the journal of a bot, a new one where there is none.

    Raises:
        RefusedStartError: It belongs to another bot, profile or account, was written by a newer version, or is damaged.
    """
    mend = "restore a backup, or move the file away and reconcile by hand"
    try:
        connection = _connect(path)
        try:
            _prepare(connection, path, owner)
            fault = first_fault(path)
        except BaseException:
            connection.close()
            raise
    except (sqlite3.Error, JournalError) as error:
        raise RefusedStartError(f"{path}: no usable journal ({error}); {mend}") from error
    if fault is not None:
        connection.close()
        raise RefusedStartError(f"{path}: {fault}; {mend}")
    return SqliteJournal(connection, ThreadPoolExecutor(max_workers=1, thread_name_prefix="journal"))


def _prepare(connection: sqlite3.Connection, path: Path, owner: Owner) -> None:
    """Make the tables where there are none, and refuse a journal that is not ours."""
    if connection.execute("SELECT name FROM sqlite_master WHERE name = 'meta'").fetchone() is None:
        _create(connection, owner)
    _check_owner(connection, path, owner)


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, check_same_thread=False, timeout=5.0)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _create(connection: sqlite3.Connection, owner: Owner) -> None:
    facts = {
        "schema": str(SCHEMA_VERSION),
        "bot": owner.bot,
        "profile": owner.profile,
        "account": owner.account,
        HEAD: head_of(0, GENESIS),
    }
    with connection:
        connection.execute("BEGIN IMMEDIATE")  # one step: a crash leaves no half-made journal behind
        for statement in _SCHEMA:
            connection.execute(statement)
        connection.executemany("INSERT INTO meta VALUES (?, ?)", facts.items())


def _check_owner(connection: sqlite3.Connection, path: Path, owner: Owner) -> None:
    meta = dict(connection.execute("SELECT key, value FROM meta"))
    written = meta.get("schema", "")
    if not written.isdigit():
        raise RefusedStartError(f"{path}: is no journal of alvh (no schema number); use another --state folder")
    schema = int(written)
    if schema > SCHEMA_VERSION:
        raise RefusedStartError(
            f"{path}: written by a newer version (schema {schema}, this one knows {SCHEMA_VERSION}); upgrade alvh"
        )
    found = Owner(bot=meta.get("bot", ""), profile=meta.get("profile", ""), account=meta.get("account", ""))
    if found != owner:
        raise RefusedStartError(
            f"{path}: belongs to {found.bot}/{found.profile}/{found.account}, "
            f"expected {owner.bot}/{owner.profile}/{owner.account}; use another --state folder"
        )


def read_rows(path: Path, kinds: Sequence[str] = ()) -> Iterator[WrittenRow]:
    """Yield rows in order of writing, of the given kinds or all; also while a bot is writing.

    Raises:
        JournalError: There is no readable journal at this path.
    """
    marks = ",".join("?" * len(kinds))
    where = f"WHERE kind IN ({marks})" if kinds else ""
    with _reading(path) as connection:
        query = f"SELECT seq, at, kind, decision_id, payload, hash FROM rows {where} ORDER BY seq"  # noqa: S608 - only question marks are put in
        for seq, at, kind, decision_id, payload, digest in connection.execute(query, tuple(kinds)):
            try:
                moment = datetime.fromisoformat(at)
            except (TypeError, ValueError) as error:
                raise JournalError(f"{path}: row {seq} has no readable moment; run alvh journal verify") from error
            yield WrittenRow(seq=seq, at=moment, kind=kind, decision_id=decision_id, payload=payload, hash=digest)


def first_fault(path: Path) -> str | None:
    """Return what is wrong with the first row that breaks the chain, None when it is whole.

    Raises:
        JournalError: There is no readable journal at this path.
    """
    with _reading(path) as connection:
        connection.execute("BEGIN")  # rows and head of one moment, also while a bot is writing
        rows: Iterator[StoredRow] = connection.execute(
            "SELECT seq, at, kind, decision_id, payload, hash FROM rows ORDER BY seq"
        )
        head = connection.execute("SELECT value FROM meta WHERE key = ?", (HEAD,)).fetchone()
        return fault_in(rows, head[0] if head else None)


@contextmanager
def _reading(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a journal for reading alone and translate what SQLite says of a broken one."""
    if not path.exists():
        raise JournalError(f"{path}: no journal there; name the journal.db of a run with --journal")
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=5.0)) as connection:
            yield connection
    except sqlite3.Error as error:
        raise JournalError(f"{path}: cannot be read as a journal ({error})") from error
