"""Commands that end well: the signal's rows, one session of a small history, the opening book of a window."""

import json
from datetime import date, timedelta
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.compose.books import ROLL_DAYS, plan_for_window
from bot.domain.schedule import SessionCalendar
from simulator.books import BASE_LAYERS
from tests.cli.conftest import Alvh
from tests.cli.histories import history

SHARED = Path(__file__).parents[2] / ".." / "shared" / "data" / "history"
CALENDAR = SessionCalendar()


def test_the_signal_prints_rows_and_sums_them_up(alvh: Alvh, tmp_path: Path) -> None:
    """Header and rows on stdout or in a file, the summary on stderr."""
    folder = history(tmp_path / "h")
    shown = alvh("signal", "--history", folder)
    assert shown.code == 0
    lines = shown.out.splitlines()
    assert lines[0] == "date,rvx,vix,spread,baseline,threshold,flag,state"
    assert len(lines) == 1 + 130 - 90
    assert shown.err.startswith("40 sessions evaluated, ")
    flagged = [line for line in lines[1:] if line.split(",")[6] == "1"]
    assert len(flagged) == 12
    file = tmp_path / "rows.csv"
    written = alvh("signal", "--history", folder, "--csv", file)
    assert (written.code, written.out, file.read_text()) == (0, "", shown.out)


@pytest.mark.skipif(not SHARED.is_dir(), reason="the public daily histories are not beside the project")
def test_the_signal_on_the_public_history_gives_the_yardstick(alvh: Alvh) -> None:
    """The blowout of spring 2015 is flagged, under the raw rule exactly on flagged sessions."""
    ended = alvh("signal", "--history", SHARED.resolve())
    assert ended.code == 0
    rows = [line.split(",") for line in ended.out.splitlines()[1:]]
    assert all((row[6] == "1") == (row[7] == "blowout") for row in rows)
    assert any(row[0].startswith("2015-0") and row[6] == "1" for row in rows)
    flagged = sum(row[6] == "1" for row in rows)
    assert ended.err.startswith(f"{len(rows)} sessions evaluated, {flagged} flagged, ")


def test_a_run_over_a_small_history_prints_pure_json(alvh: Alvh, tmp_path: Path) -> None:
    """One session: JSON alone on stdout, exit 0, the report and a whole journal where it says."""
    folder = history(tmp_path / "h")
    ended = alvh(
        *("run", "--history", folder, "--start", "2015-05-18", "--end", "2015-05-18"),
        *("--tick-s", 30, "--out", tmp_path / "out", "--json"),
    )
    facts = json.loads(ended.out)
    assert (ended.code, facts["exit_code"], facts["why"]) == (0, 0, "stopped")
    assert facts["summary"]["sessions"] == "1"
    report = Path(facts["report"])
    assert report.read_text().count("<svg") == 5
    assert set(facts["variants"]["variants"]) == {"no_hedge", "base", "base_and_overlay"}
    asked = ("report", "--journal", report.parent / "state" / "journal.db", "--out", tmp_path / "again.html")
    again = alvh(*asked, "--json")
    assert again.code == 0
    assert json.loads(again.out) == {
        "report": str(tmp_path / "again.html"),
        "summary": facts["summary"],
        "variants": facts["variants"],
    }
    assert alvh(*asked).out.strip() == str(tmp_path / "again.html")
    assert (tmp_path / "again.html").read_text() == report.read_text()
    lines = [json.loads(line) for line in (report.parent / "log.jsonl").read_text().splitlines()]
    assert (lines[0]["event"], lines[-1]["event"]) == ("bot_started", "bot_stopped")


def test_the_book_of_the_yardstick_window() -> None:
    """The window of spring 2015 opens with these settlements."""
    plan = plan_for_window(date(2015, 4, 24), date(2015, 5, 15), CALENDAR)
    assert plan.condor_settlement == date(2015, 6, 12)
    assert plan.vix_settlements == (date(2015, 6, 17), date(2015, 8, 19), date(2015, 11, 18))


@given(
    start=st.dates(date(2009, 9, 16), date(2034, 12, 1)).map(lambda day: CALENDAR.next_session(day).day),
    length=st.integers(1, 20),
)
def test_nothing_rolls_or_expires_inside_a_window(start: date, length: int) -> None:
    """Up to twenty sessions: the condor settles after the window, and each layer needs no roll in it."""
    end = list(islice(CALENDAR.sessions(start, start + timedelta(days=2 * length + 15)), length))[-1].day
    plan = plan_for_window(start, end, CALENDAR)
    assert plan.condor_settlement is not None
    assert plan.condor_settlement > end
    assert CALENDAR.session(plan.condor_settlement) is not None
    assert len(plan.vix_settlements) == len(BASE_LAYERS)
    for size, settlement in zip(BASE_LAYERS, plan.vix_settlements, strict=True):
        assert settlement - timedelta(days=ROLL_DAYS[size.layer]) > end
    assert list(plan.vix_settlements) == sorted(plan.vix_settlements)
