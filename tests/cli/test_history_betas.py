"""`alvh history betas`: the curves that the user's own files give, beside the constants in use."""

import json
import random
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from bot.domain.expiries import vix_monthlies
from bot.domain.schedule import SessionCalendar
from bot.pricing import BETA_POINTS, SPX_MOVE_POINTS
from tests.cli.conftest import Alvh

DATA = Path(__file__).parents[2] / ".." / "shared" / "data"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the shared real history is not on this machine")
FIRST, LAST = date(2014, 1, 2), date(2015, 12, 31)
LIVES = timedelta(days=260)
SLOPE = -1.5
"""Points of VIX per +1 % of SPX in the small world of these tests; a forward of so many days keeps 20 / (20 + days)."""


def a_world(folder: Path) -> tuple[Path, Path]:
    """Two years of SPX, VIX and monthly VX contracts, exact to the cent."""
    calendar, chance = SessionCalendar(), random.Random(3)
    days = [session.day for session in calendar.sessions(FIRST, LAST)]
    spx, vix = {days[0]: 2000.0}, {days[0]: 100.0}
    for before, day in pairwise(days):
        percent = chance.gauss(0.0, 0.8)
        spx[day] = spx[before] * (1.0 + percent / 100.0)
        vix[day] = vix[before] + SLOPE * percent
    history, futures = folder / "history", folder / "vx"
    history.mkdir()
    futures.mkdir()
    for symbol, closes in (("SPX", spx), ("VIX", vix)):
        lines = [f"{day},{closes[day]:.6f}" for day in days]
        (history / f"{symbol}.csv").write_text("\n".join((f"DATE,{symbol}", *lines)) + "\n")
    for settles_on in vix_monthlies(FIRST + timedelta(days=30), LAST, calendar):
        price, lines = 100.0, []
        traded = [day for day in days if settles_on - LIVES <= day <= settles_on]
        for before, day in zip([traded[0], *traded], traded, strict=False):
            price += 20.0 / (20.0 + (settles_on - day).days) * (vix[day] - vix[before])
            lines.append(f"{day},{price:.6f}")
        (futures / f"VX_{settles_on}.csv").write_text("\n".join(("Trade Date,Settle", *lines)) + "\n")
    return futures, history


def test_the_curves_of_a_small_world_are_found_back(alvh: Alvh, tmp_path: Path) -> None:
    """Each range has the slope of its days, falling towards far settlements, and the scale is that of the world."""
    futures, history = a_world(tmp_path)

    facts = json.loads(alvh("history", "betas", "--vx", futures, "--history", history, "--json").out)

    assert (facts["index"], facts["first"], facts["last"]) == ("SPX", "2014-01-02", "2015-12-31")
    assert len(facts["buckets"]) == 13
    for bucket in facts["buckets"]:
        near, far = (20.0 / (20.0 + bucket[name]) for name in ("first_day", "last_day"))
        assert far <= bucket["beta"] <= near
        assert bucket["beta_monotone"] == pytest.approx(bucket["beta"])
        assert bucket["g"] == pytest.approx(SLOPE * bucket["beta"], abs=1e-3)
    assert facts["scale"] == {"value": pytest.approx(1.5 / 1.38), "slope": pytest.approx(SLOPE), "sessions": 252}
    assert [bucket["beta_in_use"] for bucket in facts["buckets"]] == [value for _, value in BETA_POINTS]
    assert [bucket["g_in_use"] for bucket in facts["buckets"]] == [value for _, value in SPX_MOVE_POINTS]


def test_the_table_shows_the_same_figures(alvh: Alvh, tmp_path: Path) -> None:
    """What the files hold, a line a range with the constant in use, and the scale as the configuration calls it."""
    futures, history = a_world(tmp_path)
    arguments = ("history", "betas", "--vx", futures, "--history", history)
    facts, shown = json.loads(alvh(*arguments, "--json").out), alvh(*arguments)

    head, columns, *rows, scale = shown.out.splitlines()

    assert (shown.code, shown.err) == (0, "")
    assert head == (
        f"{facts['moves']} one-session moves of {facts['contracts']} VX contracts, VIX and SPX "
        "from 2014-01-02 to 2015-12-31"
    )
    assert columns.split() == ["days", "moves", "beta", "monotone", "in", "use", "g", "monotone", "in", "use"]
    assert [row.split() for row in rows] == [
        [
            f"{bucket['first_day']}-{bucket['last_day']}",
            f"{bucket['moves']}",
            *(f"{bucket[name]:.3f}" for name in ("beta", "beta_monotone")),
            f"{bucket['beta_in_use']:.2f}",
            *(f"{bucket[name]:.3f}" for name in ("g", "g_monotone")),
            f"{bucket['g_in_use']:.2f}",
        ]
        for bucket in facts["buckets"]
    ]
    assert scale == ("spx_sensitivity_scale 1.087: VIX moved -1.500 points per +1 % over the last 252 sessions")


def test_too_little_history_is_said_range_by_range(alvh: Alvh, tmp_path: Path) -> None:
    """One contract fills few ranges, and less than a year has no scale; both end well, with the reasons."""
    futures, history = a_world(tmp_path)
    for path in sorted(futures.iterdir())[1:]:
        path.unlink()
    for symbol in ("SPX", "VIX"):
        lines = (history / f"{symbol}.csv").read_text().splitlines()
        (history / f"{symbol}.csv").write_text("\n".join(lines[:100]) + "\n")
    arguments = ("history", "betas", "--vx", futures, "--history", history)

    facts, shown = json.loads(alvh(*arguments, "--json").out), alvh(*arguments)

    assert (shown.code, facts["buckets"], len(facts["left_out"])) == (0, [], 13)
    assert facts["scale"] == {"why": "the scale needs 252 moves of common sessions, has 98"}
    assert "left out: 1-7 days: 4 moves, 90 are needed" in shown.out
    assert shown.out.splitlines()[-1] == "no scale: the scale needs 252 moves of common sessions, has 98"


@needs_data
@pytest.mark.parametrize("index", ["SPX", "SPY"])
def test_the_real_files_give_the_constants_in_use(alvh: Alvh, index: str) -> None:
    """Within 0.016 of every constant, with SPX, whose file ends earlier, or with its fund."""
    ended = alvh(
        *("history", "betas", "--vx", DATA / "vx_futures", "--history", DATA / "history"), "--index", index, "--json"
    )
    facts = json.loads(ended.out)
    assert (ended.code, facts["contracts"], facts["left_out"]) == (0, 149, [])
    for bucket in facts["buckets"]:
        assert bucket["beta_monotone"] == pytest.approx(bucket["beta_in_use"], abs=0.016)
        assert bucket["g_monotone"] == pytest.approx(bucket["g_in_use"], abs=0.016)
    assert 0.6 <= facts["scale"]["value"] <= 1.7


def test_wrong_files_end_with_2_and_one_line(alvh: Alvh, tmp_path: Path) -> None:
    """A missing folder, a folder without contracts, files of other years, an index that is not offered."""
    futures, history = a_world(tmp_path)
    (tmp_path / "empty").mkdir()

    def told(*arguments: object) -> str:
        ended = alvh("history", "betas", *arguments)
        assert (ended.code, ended.out) == (2, "")
        lines = [line for line in ended.err.splitlines() if line.startswith(("alvh: ", "Error: "))]
        assert len(lines) == 1
        return lines[0]

    assert "no such folder" in told("--vx", tmp_path / "none", "--history", history)
    assert "found no VX_YYYY-MM-DD.csv" in told("--vx", tmp_path / "empty", "--history", history)
    assert "found neither VIX.csv nor" in told("--vx", futures, "--history", tmp_path / "empty")
    assert "found neither SPY.csv nor" in told("--vx", futures, "--history", history, "--index", "SPY")
    assert "'RUT' is not one of 'SPX', 'SPY'" in told("--vx", futures, "--history", history, "--index", "RUT")
    assert "Missing option '--vx'" in told("--history", history)
    (history / "VIX.csv").write_text("DATE,VIX\n1999-01-04,20\n")
    assert "VIX and SPX have no day in common" in told("--vx", futures, "--history", history)
