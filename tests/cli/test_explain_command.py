"""``alvh explain`` tells one decision, and what it cannot tell in one clear line with the right exit code."""

import json
import os
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from adapters.journal.store import Owner, open_journal
from bot.domain.events import Decided
from bot.domain.orders import DecisionId
from bot.records import decided_rows
from tests.bot.report.explaining_rows import FIRST, SECOND, a_blowout, after, an_order_for, approved, plan_of
from tests.cli.conftest import Alvh, Ended

ORDER = an_order_for()
OWNER = Owner(bot="main", profile="sim", account="DU1234567")
NEAR = DecisionId("aaaa9999-0000")


def decisions(*ids: DecisionId) -> list[Decided]:
    """An increase for each id, a minute apart."""
    return [
        Decided(
            at=after(minute),
            decision_id=one,
            trigger="timer_elapsed",
            signal=a_blowout(),
            plan=plan_of(ORDER),
            verdicts=(approved(ORDER),),
        )
        for minute, one in enumerate(ids)
    ]


def journal_of(folder: Path, ids: Sequence[DecisionId] = (FIRST, SECOND, NEAR)) -> Path:
    """A journal as the bot writes it."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "journal.db"
    journal = open_journal(path, OWNER)
    for event in decisions(*ids):
        journal.write(decided_rows(event))
    journal.close()
    return path


def one_line(ended: Ended) -> str:
    """The only line on stderr; stdout stays empty."""
    assert ended.out == ""
    assert ended.err.count("\n") == 1
    assert ended.err.startswith("alvh: ")
    return ended.err


@pytest.mark.parametrize(("beginning", "decision"), [("bbbb2222", SECOND), ("aaaa1", FIRST), ("last", NEAR)])
def test_a_decision_is_told_in_words(alvh: Alvh, tmp_path: Path, beginning: str, decision: str) -> None:
    """By eight characters, by as many as are needed, or the last; within a hundred columns on stdout."""
    ended = alvh("explain", beginning, "--journal", journal_of(tmp_path))
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith(f"Decision {decision}\nOn 2026-10-20 ")
    assert "8. What became of it" in ended.out
    assert max(map(len, ended.out.splitlines())) <= 100


def test_json_is_one_object_on_stdout(alvh: Alvh, tmp_path: Path) -> None:
    """With the decision, its parts and its rows."""
    ended = alvh("explain", "b", "--json", "--journal", journal_of(tmp_path))
    facts = json.loads(ended.out)
    assert (ended.code, facts["decision_id"], facts["decided"]) == (0, SECOND, "increased")
    assert [row["kind"] for row in facts["rows"]] == ["hedge_planned", "order_prepared"]


@pytest.mark.parametrize(
    ("beginning", "claim"),
    [
        ("aaaa", "'aaaa' begins 2 decisions: aaaa1111-0000 (2026-10-20 12:00:00, increase), aaaa9999-0000"),
        ("zz", "no decision begins with 'zz'; the journal holds 3"),
        ("cccc", "an order does: it belongs to decision aaaa9999-0000"),
        ("", "no decision begins with ''"),
    ],
)
def test_no_one_decision_ends_with_2(alvh: Alvh, tmp_path: Path, beginning: str, claim: str) -> None:
    """Ambiguous ones are listed, unknown ones told what there is."""
    path = journal_of(tmp_path)
    ended = alvh("explain", beginning, "--journal", path)
    assert ended.code == 2
    assert claim in one_line(ended)
    assert str(path) in ended.err


def test_a_journal_without_decisions_ends_with_2(alvh: Alvh, tmp_path: Path) -> None:
    """A bot that has not come to one."""
    ended = alvh("explain", "last", "--journal", journal_of(tmp_path, ()))
    assert (ended.code, "holds no decision yet" in one_line(ended)) == (2, True)


def test_what_is_no_journal_ends_with_2(alvh: Alvh, tmp_path: Path) -> None:
    """Nothing there, garbage, and a database of somebody else."""
    garbage, other = tmp_path / "garbage.db", tmp_path / "other.db"
    garbage.write_bytes(b"garbage" * 999)
    with closing(sqlite3.connect(other)) as connection, connection:
        connection.execute("CREATE TABLE meta (key TEXT, value TEXT)")
    for path, claim in (
        (tmp_path / "none.db", "no journal there; name the journal.db of a run with --journal"),
        (garbage, "cannot be read as a journal"),
        (other, "is no journal of alvh (no schema number)"),
    ):
        ended = alvh("explain", "last", "--journal", path)
        assert (ended.code, claim in one_line(ended)) == (2, True), ended.err


def test_a_newer_journal_ends_with_3(alvh: Alvh, tmp_path: Path) -> None:
    """Its rows may mean what this version does not know."""
    path = journal_of(tmp_path)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE meta SET value = '99' WHERE key = 'schema'")
    ended = alvh("explain", "last", "--journal", path)
    assert ended.code == 3
    assert "written by a newer version (schema 99, this one knows 1); upgrade alvh" in one_line(ended)


def test_a_changed_journal_ends_with_3(alvh: Alvh, tmp_path: Path) -> None:
    """Nothing is explained from a row that somebody changed, even if the decision asked for is another one."""
    path = journal_of(tmp_path)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DROP TRIGGER rows_stay")
        connection.execute("UPDATE rows SET payload = replace(payload, '707.25', '999.99') WHERE seq = 1")
    ended = alvh("explain", "last", "--journal", path)
    assert ended.code == 3
    assert "row 1 ('hedge_planned' at " in one_line(ended)
    assert "was changed after it was written" in ended.err


def test_without_a_journal_the_newest_run_is_read_and_named(
    alvh: Alvh, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one written last, whatever its number; which one it was stands on stderr."""
    monkeypatch.chdir(tmp_path)
    for number, (run, decision) in enumerate((("run-002", FIRST), ("run-001", SECOND))):
        path = journal_of(tmp_path / "out" / run / "state", (decision,))
        for file in path.parent.glob("journal.db*"):
            os.utime(file, (1_800_000_000 + number, 1_800_000_000 + number))
    ended = alvh("explain", "last")
    assert (ended.code, ended.out.splitlines()[0]) == (0, f"Decision {SECOND}")
    assert ended.err == f"journal: {Path('out') / 'run-001' / 'state' / 'journal.db'}\n"


def test_without_any_run_it_ends_with_2(alvh: Alvh, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line names where it looked and the cure."""
    monkeypatch.chdir(tmp_path)
    ended = alvh("explain", "last")
    assert ended.code == 2
    assert "out: no run with a journal there; name the journal.db of a run with --journal" in one_line(ended)


def test_the_journal_is_only_read(alvh: Alvh, tmp_path: Path) -> None:
    """Not a byte of it changes."""
    path = journal_of(tmp_path)
    before = path.read_bytes()
    assert alvh("explain", "last", "--journal", path).code == 0
    assert path.read_bytes() == before
