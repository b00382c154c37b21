"""What a user does wrong ends in one clear line and the right exit code: 2 for usage and settings, 3 for refusals."""

import fcntl
import os
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from datetime import date
from pathlib import Path

import click
import pytest

from adapters.journal.store import Owner, open_journal
from bot.cli.journal import journal
from bot.cli.root import alvh as group
from bot.compose.state_folder import opened_folder
from bot.domain.errors import RefusedStartError
from tests.cli.conftest import Alvh, Ended
from tests.cli.histories import history, sessions

ROOT = Path(__file__).parents[2]
WINDOW = ("--start", "2015-05-18", "--end", "2015-05-19")


def one_line(ended: Ended) -> str:
    """The last line on stderr, which names what is wrong; stdout stays empty."""
    assert ended.out == ""
    lines = ended.err.strip().splitlines()
    told = [line for line in lines if line.startswith(("alvh: ", "Error: "))]
    assert len(told) == 1, ended.err
    assert lines[-1] == told[0]
    return told[0]


def commands(found: click.Command, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Every command and group below one."""
    below = found.commands.items() if isinstance(found, click.Group) else ()
    return [path, *(one for name, command in below for one in commands(command, (*path, name)))]


@pytest.mark.parametrize("path", commands(group), ids=" ".join)
def test_every_command_explains_itself(alvh: Alvh, path: tuple[str, ...]) -> None:
    """--help ends with 0 and says what each option is."""
    ended = alvh(*path, "--help")
    assert ended.code == 0
    assert ended.out.startswith("Usage: ")
    assert "--help" in ended.out
    assert ended.err == ""


USAGE = [
    (("run", "--profile", "real"), "'real' is not one of 'sim', 'paper', 'live'"),
    (("run", "--method", "brave"), "'brave' is not one of 'conservative', 'balanced', 'literal'"),
    (("run", "--start", "2026-13-45"), "'2026-13-45' is no date, expected YYYY-MM-DD"),
    (("run", "--sessions", "0"), "0 is not in the range"),
    (("run", "--sessions", "many"), "'many' is not a valid integer"),
    (("run", "--seed", "-1"), "-1 is not in the range"),
    (("run", "--tick-s", "31"), "31 is not in the range"),
    (("run", "--speed", "nan"), "nan is not in the range"),
    (("run", "--speed", "inf"), "inf is not in the range"),
    (("run", "--spede", "2"), "No such option '--spede'"),
    (("rnu",), "No such command 'rnu'."),
    (("gateway", "--port", "70000"), "70000 is not in the range"),
    (("signal",), "Missing option '--history'"),
    (("signal", "--history", ".", "--rule", "best"), "'best' is not one of 'raw', 'live'"),
    (("report",), "Missing option '--journal'"),
    (("run", "--scenario", "boom"), "--scenario 'boom' is unknown, expected one of "),
    (("run", "--end", "2015-05-15"), "--end belongs to --history; a scenario takes --sessions"),
    (("run", "--history", "."), "--history needs --start and --end, for example"),
    (("run", "--history", ".", "--start", "2015-05-18", "--end", "2015-05-15"), "lies before --start 2015-05-18"),
    (("run", "--gateway", "127.0.0.1:4002"), "--gateway belongs to --realtime"),
    (("run", "--realtime", "--gateway", "nowhere"), "--gateway nowhere: expected HOST:PORT"),
    (("run", "--realtime", "--gateway", ":4002"), "expected HOST:PORT"),
    (("run", "--realtime", "--gateway", "host:port"), "expected HOST:PORT"),
    (("run", "--start", "1900-01-01"), "the session calendar knows 1998 to 2035"),
    (("run", "--start", "2035-12-20", "--sessions", "250"), "the session calendar knows 1998 to 2035"),
    (("run", "--config", "missing.toml"), "missing.toml: cannot be read"),
    (("run", "--profile", "paper"), "is the placeholder of the profile"),
    (("run", "--profile", "live"), "is the placeholder of the profile"),
    (("run", "--profile", "live", "--realtime"), "--history, --play and --realtime belong to profile sim"),
    (("gateway", "--scenario", "boom"), "--scenario 'boom' is unknown"),
    (("gateway", "--account", ""), "account must not be empty"),
    (("report", "--journal", "missing.db"), "missing.db: no journal there"),
]


@pytest.mark.parametrize(("arguments", "told"), USAGE, ids=[" ".join(arguments) for arguments, _ in USAGE])
def test_wrong_usage_ends_with_2(
    alvh: Alvh, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], told: str
) -> None:
    """One line says what was found and what was expected."""
    monkeypatch.chdir(tmp_path)
    ended = alvh(*arguments)
    assert ended.code == 2
    assert told in one_line(ended)


def repeat_a_row(files: dict[str, str]) -> None:
    """The last row of VIX stands there twice."""
    files["VIX"] += files["VIX"].splitlines()[-1] + "\n"


HISTORIES: list[tuple[Callable[[dict[str, str]], object], str]] = [
    (lambda files: files.pop("RUT"), "found neither RUT.csv nor RUT_History.csv"),
    (repeat_a_row, "expected each date once; remove the repeated row"),
    (lambda files: files.update(VIX="day,level\n2015-01-02,14\n"), "VIX.csv row 1: found 'day,level'"),
    (lambda files: files.update(VIX=files["VIX"].replace("14.00", "high")), "expected a finite level above 0"),
    (lambda files: files.update(VIX=files["VIX"].replace(",14.00", ",14,00")), "write decimal points"),
    (lambda files: files.update(RVX=files["RVX"].replace("DATE,RVX", "DATE,VIX")), "RVX.csv row 1"),
    (lambda files: files.update(SPX=""), "SPX.csv row 1"),
    (lambda files: files.update(SPX="DATE,SPX\n"), "found no row with a level"),
]


@pytest.mark.parametrize(("change", "told"), HISTORIES)
def test_a_wrong_history_ends_with_2(
    alvh: Alvh, tmp_path: Path, change: Callable[[dict[str, str]], object], told: str
) -> None:
    """File, row and cure, for the bot and for the gateway alike."""
    folder = history(tmp_path / "h", change)
    for command in (("run", "--out", tmp_path / "out"), ("gateway",)):
        ended = alvh(*command, "--history", folder, *WINDOW)
        assert ended.code == 2
        assert told in one_line(ended)


def test_a_missing_history_folder_ends_with_2(alvh: Alvh, tmp_path: Path) -> None:
    """Both commands that read one name the folder and the cure."""
    for command in (("run", *WINDOW), ("gateway", *WINDOW), ("signal",)):
        ended = alvh(*command, "--history", tmp_path / "none")
        assert ended.code == 2
        assert "no such folder" in one_line(ended)


def test_a_window_that_the_history_does_not_cover_ends_with_2(alvh: Alvh, tmp_path: Path) -> None:
    """No session in it, or sessions without rows."""
    folder = history(tmp_path / "h")
    weekend = alvh("run", "--history", folder, "--start", "2015-05-16", "--end", "2015-05-17")
    assert (weekend.code, "no session from 2015-05-16 to 2015-05-17" in one_line(weekend)) == (2, True)
    late = alvh("run", "--history", folder, "--start", "2017-05-16", "--end", "2017-05-17", "--out", tmp_path / "out")
    assert late.code == 2
    assert "SPX" in one_line(late)


def test_too_few_common_sessions_end_with_2(alvh: Alvh, tmp_path: Path) -> None:
    """The baseline needs ninety."""
    ended = alvh("signal", "--history", history(tmp_path / "h", count=60))
    assert ended.code == 2
    assert "found 60 common sessions" in one_line(ended)
    assert "expected at least 90" in one_line(ended)


def test_what_cannot_be_written_is_said(alvh: Alvh, tmp_path: Path) -> None:
    """A file where a folder belongs: --out, --csv, the report's page and the log."""
    blocker = tmp_path / "file"
    blocker.write_text("")
    folder = history(tmp_path / "h")
    run = alvh("run", "--out", blocker / "out", "--sessions", 1)
    assert (run.code, "not writable" in one_line(run)) == (3, True)
    apart = alvh("run", "--out", blocker / "out", "--state", tmp_path / "state", "--sessions", 1)
    assert (apart.code, "name another folder with --out" in one_line(apart)) == (3, True)
    csv = alvh("signal", "--history", folder, "--csv", blocker / "rows.csv")
    assert (csv.code, "name another file with --csv" in one_line(csv)) == (2, True)
    path = a_journal(tmp_path)
    page = alvh("report", "--journal", path, "--out", blocker / "page.html")
    assert (page.code, "cannot be written" in one_line(page)) == (2, True)
    over = alvh("report", "--journal", path, "--out", path)
    assert (over.code, "is the journal itself" in one_line(over)) == (2, True)
    exported = alvh("report", "--journal", tmp_path)
    assert exported.code == 2


def a_journal(folder: Path) -> Path:
    """An empty journal of the simulator's account."""
    folder.mkdir(exist_ok=True)
    path = folder / "journal.db"
    open_journal(path, Owner(bot="main", profile="sim", account="DU1234567")).close()
    return path


def test_a_state_folder_in_use_ends_with_3(alvh: Alvh, tmp_path: Path) -> None:
    """The lock of another process is respected."""
    state = tmp_path / "state"
    state.mkdir()
    with (state / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        ended = alvh("run", "--state", state, "--out", tmp_path / "out", "--sessions", 1)
    assert ended.code == 3
    assert "in use by another bot; stop it or name another --state" in one_line(ended)


def test_a_state_folder_that_is_odd_ends_with_3(tmp_path: Path) -> None:
    """A folder where the lock belongs, and one that is no folder at all."""
    (tmp_path / "lock").mkdir()
    (tmp_path / "file").write_text("")
    for folder in (tmp_path, tmp_path / "file"):
        with pytest.raises(RefusedStartError, match="not writable"), opened_folder(folder):
            pass


@pytest.mark.control(39)
def test_a_journal_that_cannot_be_trusted_ends_with_3(alvh: Alvh, tmp_path: Path) -> None:
    """Newer, another's, garbage or damaged: the bot does not start on it."""

    def started(state: Path) -> str:
        ended = alvh("run", "--state", state, "--out", tmp_path / "out", "--sessions", 1)
        assert ended.code == 3
        return one_line(ended)

    newer = a_journal(tmp_path / "newer")
    with closing(sqlite3.connect(newer)) as connection, connection:
        connection.execute("UPDATE meta SET value = '99' WHERE key = 'schema'")
    assert "written by a newer version (schema 99" in started(newer.parent)
    (tmp_path / "other").mkdir()
    open_journal(tmp_path / "other" / "journal.db", Owner(bot="b", profile="paper", account="DU1")).close()
    assert "belongs to b/paper/DU1" in started(tmp_path / "other")
    (tmp_path / "garbage").mkdir()
    (tmp_path / "garbage" / "journal.db").write_bytes(b"garbage" * 999)
    assert "file is not a database" in started(tmp_path / "garbage")


def test_the_journal_commands_judge_and_export(alvh: Alvh, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whole: 0 and the number of rows; touched: 3 and the row; the export has one line a row, for its owner only."""
    monkeypatch.setitem(group.commands, "journal", journal)
    path = a_journal(tmp_path)
    assert alvh("journal", "verify", "--journal", path).out.strip() == f"{path}: 0 rows, the chain is whole"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("INSERT INTO rows VALUES (1, '2026-10-20T14:00:00+00:00', 'forged', '', '{}', 'x')")
    ended = alvh("journal", "verify", "--journal", path)
    assert ended.code == 3
    assert "row 1 ('forged'" in one_line(ended)
    out = tmp_path / "rows.jsonl"
    assert alvh("journal", "export", "--journal", path, "--out", out).code == 0
    assert out.read_text().count("\n") == 1
    assert alvh("journal", "export", "--journal", path).out == out.read_text()
    assert out.stat().st_mode & 0o077 == 0
    over = alvh("journal", "export", "--journal", path, "--out", path)
    assert (over.code, "is the journal itself" in one_line(over)) == (2, True)
    for command in ("verify", "export"):
        assert alvh("journal", command, "--journal", tmp_path / "none.db").code == 2


def process(folder: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    """One real process."""
    return subprocess.run(
        [sys.executable, "-m", "bot", *map(str, arguments)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_taken_port_ends_the_process_with_3(tmp_path: Path) -> None:
    """`alvh gateway` says who has the port and how to name another."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = process(tmp_path, "gateway", "--port", port, "--sessions", 1)
    assert ended.returncode == 3
    assert "already in use; stop the other program or name another port with --port" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_wrong_setting_ends_the_process_with_2(tmp_path: Path) -> None:
    """The exit code is the process's own."""
    (tmp_path / "mine.toml").write_text("risk.max_hedge_cost_frac = 0.41\n")
    ended = process(tmp_path, "run", "--config", "mine.toml")
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert ended.stderr.startswith("alvh: mine.toml: risk.max_hedge_cost_frac: ")
    assert ended.stderr.count("\n") == 1


def test_the_small_history_has_what_its_window_needs() -> None:
    """More than ninety sessions before the window of these tests, and the window itself."""
    days = sessions(130)
    assert date(2015, 5, 19) in days
    assert days.index(date(2015, 5, 18)) > 100
