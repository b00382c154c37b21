"""The journal on disk: what a commit leaves, what a fault is called, who may open it."""

import asyncio
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.journal.chain import GENESIS, StoredRow, chained, fault_in, head_of
from adapters.journal.store import Owner, SqliteJournal, first_fault, open_journal, read_rows
from bot.domain.errors import JournalError, RefusedStartError
from bot.ports import JournalRow

OWNER = Owner(bot="main", profile="sim", account="DU1234567")
AT = datetime(2026, 10, 20, 14, 0, tzinfo=UTC)


def row(number: int, **facts: object) -> JournalRow:
    """One row; its number makes it unlike the others."""
    at = AT + timedelta(seconds=number)
    return JournalRow(kind="mode_demanded", decision_id=f"d-{number}", at=at, payload={"number": number, **facts})


def written(path: Path, count: int = 5) -> Path:
    """A closed journal of some rows, each committed alone."""
    journal = open_journal(path, OWNER)
    for number in range(count):
        journal.write([row(number)])
    journal.close()
    return path


def tampered(path: Path, *statements: str) -> None:
    """Change a journal behind its back, triggers removed."""
    with closing(sqlite3.connect(path)) as connection, connection:
        for trigger in ("rows_stay", "rows_remain"):
            connection.execute(f"DROP TRIGGER {trigger}")
        for statement in statements:
            connection.execute(statement)


def refusal(path: Path, owner: Owner = OWNER) -> str:
    """The one line with which a journal is refused at start."""
    with pytest.raises(RefusedStartError) as caught:
        open_journal(path, owner)
    line = str(caught.value)
    assert str(path) in line
    assert "\n" not in line
    return line


def test_rows_come_back_as_they_were_committed(tmp_path: Path) -> None:
    """Kind, decision, moment and facts, in order, over a restart; the numbers go on."""
    path = written(tmp_path / "with % and # and ?.db", 2)
    journal = open_journal(path, OWNER)
    journal.write([row(2), row(3)])
    journal.close()
    rows = list(read_rows(path))
    assert [one.seq for one in rows] == [1, 2, 3, 4]
    assert [json.loads(one.payload)["number"] for one in rows] == [0, 1, 2, 3]
    assert [one.at for one in rows] == [AT + timedelta(seconds=number) for number in range(4)]
    assert first_fault(path) is None
    assert list(read_rows(path, ("other",))) == []


async def test_a_commit_returns_when_the_rows_can_be_read_by_another(tmp_path: Path) -> None:
    """The awaited commit is on disk for a second connection while the first is still open."""
    journal = open_journal(tmp_path / "journal.db", OWNER)
    await asyncio.gather(*(journal.commit([row(number), row(number)]) for number in range(5)))
    assert len(list(read_rows(tmp_path / "journal.db"))) == 10
    assert first_fault(tmp_path / "journal.db") is None
    journal.close()


def test_a_failed_commit_writes_nothing_and_the_next_one_goes_on(tmp_path: Path) -> None:
    """A disk that refuses raises JournalError; afterwards there is no gap and no half of it."""
    path = tmp_path / "journal.db"
    journal = open_journal(path, OWNER)
    journal.write([row(0)])
    journal._connection.execute("PRAGMA query_only = 1")
    with pytest.raises(JournalError, match=r"could not be written.*free disk space"):
        journal.write([row(1), row(2)])
    journal._connection.execute("PRAGMA query_only = 0")
    journal.write([row(3)])
    journal.close()
    assert [json.loads(one.payload)["number"] for one in read_rows(path)] == [0, 3]
    assert first_fault(path) is None


def test_a_full_disk_in_the_middle_of_a_commit_leaves_none_of_it(tmp_path: Path) -> None:
    """SQLite is given no page more: the large second row fails and takes the first one with it."""
    path = tmp_path / "journal.db"
    journal = open_journal(path, OWNER)
    pages = journal._connection.execute("PRAGMA page_count").fetchone()[0]
    journal._connection.execute(f"PRAGMA max_page_count = {pages + 2}")
    with pytest.raises(JournalError, match="full"):
        journal.write([row(0), row(1, text="x" * 100_000)])
    journal.close()
    assert list(read_rows(path)) == []
    assert first_fault(path) is None


async def test_a_closed_connection_is_a_journal_error(tmp_path: Path) -> None:
    """The engine sees the one class that halts it."""
    journal = open_journal(tmp_path / "journal.db", OWNER)
    journal._connection.close()
    with pytest.raises(JournalError):
        await journal.commit([row(0)])
    journal.close()


def test_a_second_writer_cannot_fork_the_chain(tmp_path: Path) -> None:
    """Two open journals: whoever comes second is refused its number and writes nothing."""
    path = tmp_path / "journal.db"
    first, second = open_journal(path, OWNER), open_journal(path, OWNER)
    first.write([row(0)])
    with pytest.raises(JournalError, match="UNIQUE"):
        second.write([row(1)])
    first.close()
    second.close()
    assert first_fault(path) is None


@pytest.mark.parametrize("facts", [{"x": float("nan")}, {"x": [1.0, float("inf")]}, {"x": object()}, {"x": b"bytes"}])
def test_a_row_that_cannot_be_written_is_refused_whole(tmp_path: Path, facts: dict[str, object]) -> None:
    """A number that is none stops the commit before a row of it is written."""
    journal = open_journal(tmp_path / "journal.db", OWNER)
    with pytest.raises(JournalError, match="the journal"):
        journal.write([row(0), row(1, **facts)])
    journal.close()
    assert list(read_rows(tmp_path / "journal.db")) == []


@pytest.mark.parametrize("statement", ["UPDATE rows SET kind = 'x' WHERE seq = 2", "DELETE FROM rows WHERE seq = 5"])
def test_the_journal_only_grows(tmp_path: Path, statement: str) -> None:
    """Updates and deletes are refused by the file itself."""
    path = written(tmp_path / "journal.db")
    with closing(sqlite3.connect(path)) as connection, pytest.raises(sqlite3.IntegrityError, match="only grows"):
        connection.execute(statement)
    assert first_fault(path) is None


TAMPERED = [
    ("UPDATE rows SET payload = replace(payload, '2', '7') WHERE seq = 3", r"row 3 \('mode_demanded'.*was changed"),
    ("UPDATE rows SET kind = 'mode_demandee' WHERE seq = 1", "row 1 .*was changed"),
    ("UPDATE rows SET decision_id = '' WHERE seq = 5", "row 5 .*was changed"),
    ("UPDATE rows SET at = replace(at, '+00:00', 'Z') WHERE seq = 2", "row 2 .*was changed"),
    ("UPDATE rows SET at = 'no moment' WHERE seq = 2", "row 2 .*was changed"),
    ("UPDATE rows SET payload = x'ff' WHERE seq = 4", "row 4 was changed"),
    ("UPDATE rows SET hash = upper(hash) WHERE seq = 4", "row 4 .*was changed"),
    ("DELETE FROM rows WHERE seq = 1", "row 1 is missing, found row 2"),
    ("DELETE FROM rows WHERE seq = 3", "row 3 is missing, found row 4"),
    ("DELETE FROM rows WHERE seq = 5", "row 5 is missing: 5 rows were committed, found 4"),
    ("DELETE FROM rows", "row 1 is missing: 5 rows were committed, found 0"),
    ("DELETE FROM meta WHERE key = 'head'", "record of the last row is missing"),
    ("UPDATE rows SET seq = CASE seq WHEN 2 THEN -3 WHEN 3 THEN -2 END WHERE seq IN (2, 3)", "row 1 is missing"),
]


@pytest.mark.control(43)
@pytest.mark.parametrize(("statement", "fault"), TAMPERED)
def test_a_row_touched_by_another_hand_is_named(tmp_path: Path, statement: str, fault: str) -> None:
    """C43: changed, missing and moved rows are found and named, and the bot refuses to start on them."""
    path = written(tmp_path / "journal.db")
    tampered(path, statement)
    with pytest.raises(RefusedStartError, match=fault):
        open_journal(path, OWNER)


@pytest.mark.control(43)
def test_a_row_added_by_another_hand_is_named_even_with_the_right_hash(tmp_path: Path) -> None:
    """The record of the last row tells it from a committed one."""
    path = written(tmp_path / "journal.db")
    last = list(read_rows(path))[-1]
    digest = chained(last.hash, seq=6, at="2026", kind="forged", decision_id="", payload="{}")
    tampered(path, f"INSERT INTO rows VALUES (6, '2026', 'forged', '', '{{}}', '{digest}')")  # noqa: S608 - a test's own text
    assert first_fault(path) == "row 6 was added by another hand: 5 rows were committed, found 6"


def chain(count: int) -> tuple[list[StoredRow], str]:
    """A whole chain and its head."""
    rows: list[StoredRow] = []
    before = GENESIS
    for seq in range(1, count + 1):
        before = chained(before, seq=seq, at="2026", kind="k", decision_id="d", payload=f'{{"n":{seq}}}')
        rows.append((seq, "2026", "k", "d", f'{{"n":{seq}}}', before))
    return rows, head_of(count, before)


@given(data=st.data(), count=st.integers(1, 12))
@pytest.mark.control("C43")
def test_any_single_change_is_found_at_its_row(data: st.DataObject, count: int) -> None:
    """A flipped character, a lost row or two swapped rows are reported at the first row concerned."""
    rows, head = chain(count)
    assert fault_in(rows, head) is None
    place = data.draw(st.integers(0, count - 1))
    match data.draw(st.sampled_from(["flip", "lose", "swap", "add"])):
        case "flip":
            field = data.draw(st.integers(1, 5))
            text = str(rows[place][field])
            spot = data.draw(st.integers(0, len(text) - 1))
            flipped = text[:spot] + chr(ord(text[spot]) ^ 1) + text[spot + 1 :]
            rows[place] = (*rows[place][:field], flipped, *rows[place][field + 1 :])
        case "lose":
            del rows[place]
        case "swap":
            other = data.draw(st.integers(0, count - 1).filter(lambda one: count == 1 or one != place))
            first, second = rows[place], rows[other]
            rows[place], rows[other] = (first[0], *second[1:]), (second[0], *first[1:])
            place = min(place, other)
            if count == 1:
                return
        case _:
            rows.insert(place + 1, (place + 2, "2026", "k", "d", "{}", "0" * 64))
            place += 1
    fault = fault_in(rows, head)
    assert fault is not None
    assert f"row {place + 1} " in fault


@pytest.mark.control("C39")
@pytest.mark.control("C43")
def test_a_flipped_byte_anywhere_in_the_file_never_goes_unseen(tmp_path: Path) -> None:
    """Opened all the same, the rows are exactly those committed; else it is refused in one line."""
    whole = written(tmp_path / "journal.db", 40).read_bytes()
    before = [(one.seq, one.payload, one.hash) for one in read_rows(tmp_path / "journal.db")]
    rng, path = Random(7), tmp_path / "flipped.db"
    refused = 0
    for _ in range(60):
        spot = rng.randrange(len(whole))
        path.write_bytes(whole[:spot] + bytes([whole[spot] ^ (1 << rng.randrange(8))]) + whole[spot + 1 :])
        for side in ("flipped.db-wal", "flipped.db-shm"):
            (tmp_path / side).unlink(missing_ok=True)
        try:
            open_journal(path, OWNER).close()
        except RefusedStartError as error:
            assert "\n" not in str(error)  # noqa: PT017 - either answer is right
            refused += 1
            continue
        assert [(one.seq, one.payload, one.hash) for one in read_rows(path)] == before
    assert refused > 5


@pytest.fixture
def torn(tmp_path: Path) -> Iterator[tuple[Path, bytes, bytes]]:
    """A journal whose rows still lie in the write-ahead log, as a crash leaves them."""
    path = tmp_path / "live.db"
    journal = open_journal(path, OWNER)
    for number in range(12):
        journal.write([row(number)])
    yield path, path.read_bytes(), path.with_name("live.db-wal").read_bytes()
    journal.close()


def test_a_torn_log_loses_the_end_alone(tmp_path: Path, torn: tuple[Path, bytes, bytes]) -> None:
    """However short the write-ahead log was cut, the rows are the first ones without a gap, and the chain is whole."""
    _, main, log = torn
    path = tmp_path / "torn.db"
    seen = set()
    for cut in [*range(0, len(log), 3001), len(log)]:
        path.write_bytes(main)
        path.with_name("torn.db-wal").write_bytes(log[:cut])
        path.with_name("torn.db-shm").unlink(missing_ok=True)
        try:
            open_journal(path, OWNER).close()
        except RefusedStartError as error:
            pytest.fail(f"cut at {cut}: {error}")
        numbers = [json.loads(one.payload)["number"] for one in read_rows(path)]
        assert numbers == list(range(len(numbers)))
        seen.add(len(numbers))
    assert max(seen) == 12
    assert len(seen) > 5


REFUSED = [
    (Owner(bot="second", profile="sim", account="DU1234567"), "belongs to main/sim/DU1234567, expected second/sim"),
    (Owner(bot="main", profile="paper", account="DU1234567"), "expected main/paper/DU1234567"),
    (Owner(bot="main", profile="sim", account="DU9999999"), "use another --state folder"),
]


@pytest.mark.parametrize(("owner", "line"), REFUSED)
def test_anothers_journal_is_refused(tmp_path: Path, owner: Owner, line: str) -> None:
    """Another bot, profile or account: refused with both names and the cure."""
    assert line in refusal(written(tmp_path / "journal.db"), owner)


def test_a_journal_from_a_newer_version_is_refused(tmp_path: Path) -> None:
    """The line says which schema was found and to upgrade."""
    path = written(tmp_path / "journal.db")
    tampered(path, "UPDATE meta SET value = '2' WHERE key = 'schema'")
    assert "written by a newer version (schema 2, this one knows 1); upgrade alvh" in refusal(path)


def test_what_is_no_journal_is_refused(tmp_path: Path) -> None:
    """Garbage, a folder, a foreign database and a cut-off file: one line with a cure each."""
    garbage = tmp_path / "garbage.db"
    garbage.write_bytes(b"no database at all" * 100)
    folder = tmp_path / "folder.db"
    folder.mkdir()
    foreign = tmp_path / "foreign.db"
    with closing(sqlite3.connect(foreign)) as connection, connection:
        connection.execute("CREATE TABLE meta (key TEXT, value TEXT)")
    half = written(tmp_path / "half.db", 40)
    half.write_bytes(half.read_bytes()[: half.stat().st_size // 2])
    without_rows = written(tmp_path / "rows.db")
    tampered(without_rows, "DROP TABLE rows")
    assert "file is not a database" in refusal(garbage)
    assert "unable to open" in refusal(folder)
    assert "is no journal of alvh" in refusal(foreign)
    assert "restore a backup" in refusal(half)
    assert "no such table: rows" in refusal(without_rows)


def test_reading_what_is_not_there_says_so(tmp_path: Path) -> None:
    """No journal, or none that can be read, is a JournalError with the path; nothing is made."""
    with pytest.raises(JournalError, match=r"no journal there; name the journal\.db"):
        list(read_rows(tmp_path / "none.db"))
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(JournalError, match="cannot be read as a journal"):
        first_fault(tmp_path)
    path = written(tmp_path / "journal.db")
    tampered(path, "UPDATE rows SET at = 'never' WHERE seq = 2")
    with pytest.raises(JournalError, match="row 2 has no readable moment"):
        list(read_rows(path))


def test_a_journal_is_opened_with_full_synchronisation(tmp_path: Path) -> None:
    """WAL and FULL: a commit that returned is on disk."""
    journal: SqliteJournal = open_journal(tmp_path / "journal.db", OWNER)
    modes = [journal._connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")]
    journal.close()
    assert modes == ["wal", 2]
