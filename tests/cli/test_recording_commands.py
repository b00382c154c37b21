"""``--record`` and ``--play``: what a user does wrong ends in one line that names the cure."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from adapters.recordings import library
from adapters.recordings.writer import begin_recording
from bot.compose.serving import GatewayOptions
from bot.compose.worlds import world_of
from bot.domain.recording import Door, RecordingHead
from tests.cli.conftest import Alvh
from tests.cli.test_refusals import ROOT, one_line

BEGAN_AT = datetime(2026, 10, 19, 14, tzinfo=UTC)


def nothing(_folder: Path) -> None:
    """Leave no folder."""


def a_letter(folder: Path) -> None:
    """Put something else into the folder."""
    folder.mkdir()
    (folder / "letter.txt").write_text("dear")


def of_vix_alone(folder: Path) -> None:
    """Record one moment of one index."""
    tape = begin_recording(folder, RecordingHead(began_at=BEGAN_AT, door=Door.PORT))
    tape.moment(BEGAN_AT, {"VIX": 17.0})
    tape.close()


def of_all_indices(folder: Path) -> None:
    """Record one moment of all four."""
    tape = begin_recording(folder, RecordingHead(began_at=BEGAN_AT, door=Door.PORT))
    tape.moment(BEGAN_AT, {"SPX": 6800.0, "RUT": 2500.0, "VIX": 17.0, "RVX": 22.5})
    tape.close()


WRONG: tuple[tuple[Callable[[Path], None], tuple[str, ...], str], ...] = (
    (nothing, ("gateway", "--play", "FOLDER"), "no such folder, expected a recording; correct the path"),
    (a_letter, ("gateway", "--play", "FOLDER"), "holds no recording, expected files like moments-0001.parquet"),
    (a_letter, ("gateway", "--record", "FOLDER"), "holds other files (letter.txt); name an empty folder"),
    (a_letter, ("run", "--record", "FOLDER"), "holds other files (letter.txt); name an empty folder"),
    (of_all_indices, ("gateway", "--record", "FOLDER"), "holds a recording already"),
    (of_all_indices, ("gateway", "--play", "FOLDER", "--record", "OTHER"), "there is nothing new to record"),
    (of_all_indices, ("gateway", "--play", "FOLDER", "--history", "OTHER"), "--play takes neither --history nor --end"),
    (of_all_indices, ("gateway", "--play", "FOLDER", "--start", "2026-10-20"), "--start 2026-10-20: the recording"),
    (of_all_indices, ("run", "--play", "FOLDER", "--start", "2026-10-20"), "--play takes no --start"),
    (of_all_indices, ("run", "--profile", "paper", "--play", "FOLDER"), "belong to profile sim, not to paper"),
    (of_vix_alone, ("gateway", "--play", "FOLDER"), "no level of SPX, RUT, RVX"),
    (of_vix_alone, ("run", "--play", "FOLDER"), "(alvh gateway --book flat)"),
    (nothing, ("gateway", "--book", "butterfly"), "expected one of flat, condor, mixed or a file"),
)


@pytest.mark.parametrize(("prepare", "words", "expected"), WRONG, ids=[" ".join(words) for _, words, _ in WRONG])
def test_a_wrong_recording_is_one_line(
    alvh: Alvh, tmp_path: Path, prepare: Callable[[Path], None], words: tuple[str, ...], expected: str
) -> None:
    """Exit code 2, and a line with what was found, what was expected and the cure."""
    folder = tmp_path / "recording"
    prepare(folder)
    paths = {"FOLDER": str(folder), "OTHER": str(tmp_path / "other")}
    out = ("--out", str(tmp_path / "out")) if words[0] == "run" else ("--port", "0")

    ended = alvh(*(paths.get(word, word) for word in words), *out)

    assert ended.code == 2
    assert expected in one_line(ended)


def test_a_recording_that_was_not_closed_is_played_with_a_word(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Who plays what a crash left is told how far it goes."""
    of_all_indices(tmp_path)
    whole = world_of(replace(GatewayOptions(), play=tmp_path).world)
    tape = begin_recording(tmp_path, RecordingHead(began_at=BEGAN_AT + timedelta(minutes=1), door=Door.PORT))
    tape.moment(BEGAN_AT + timedelta(minutes=2), {"VIX": 17.5})
    tape.flush()

    torn = world_of(replace(GatewayOptions(), play=tmp_path).world)
    tape.close()

    assert (len(whole.sessions()), len(torn.sessions())) == (1, 1)
    assert [record.getMessage() for record in caplog.records] == [
        f"{tmp_path}: was not closed, it is played up to 2026-10-19 14:02:00 UTC"
    ]


def test_commands_without_a_recording_do_not_load_pyarrow() -> None:
    """It is optional, and a kill does not wait for it."""
    script = "import sys, bot.__main__; sys.exit('pyarrow' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=False).returncode == 0


def test_without_pyarrow_the_line_says_what_to_install(
    alvh: Alvh, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 3: here and now it cannot be done."""

    def missing() -> None:
        raise ModuleNotFoundError("No module named 'pyarrow'", name="pyarrow")

    monkeypatch.setattr(library, "_imported", missing)

    ended = alvh("gateway", "--record", tmp_path / "new", "--port", "0")

    assert ended.code == 3
    assert "pip install 'alvh[recordings]'" in one_line(ended)


@pytest.mark.parametrize(("book", "condors", "stated"), [("flat", 0, 0), ("condor", 40, 0), ("mixed", 40, 1)])
def test_the_book_that_was_named_is_held(book: str, condors: int, stated: int) -> None:
    """--book reaches the world, whatever it plays."""
    plan = world_of(replace(GatewayOptions(), book=book).world).settings.book

    assert (plan.condors, len(plan.stated)) == (condors, stated)
