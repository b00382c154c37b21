"""The estimation script: constants of the world beside what daily files say of them."""

from datetime import date
from pathlib import Path

import numpy as np
import pytest
from floors import CALENDAR

from simulator.world.estimate import history_of, line_of, main
from simulator.world.figures import BUCKETS, Figure, History, figures
from simulator.world.levels import DailyLevel

SHARED = Path(__file__).parents[3] / ".." / "shared" / "data"
needs_data = pytest.mark.skipif(not SHARED.is_dir(), reason="the shared real history is not on this machine")


def by_name(history: History) -> dict[str, Figure]:
    """Return the figures of a history by their names."""
    return {figure.name: figure for figure in figures(history)}


def made_up(*, beta: float, correlation: float, days: int = 600) -> History:
    """Return a history in which VIX answers SPX with a beta, and RUT goes with SPX at a correlation."""
    rng = np.random.default_rng(5)
    sessions = [each.day for each in CALENDAR.sessions(date(2020, 1, 2), date(2024, 12, 31))][:days]
    move, own = rng.standard_normal(days), rng.standard_normal(days)
    spx, rut = move, correlation * move + np.sqrt(1.0 - correlation**2) * own
    series = {
        "SPX": 100.0 * np.cumprod(1.0 + spx / 100.0),
        "RUT": 100.0 * np.cumprod(1.0 + rut / 100.0),
        "VIX": 200.0 + beta * np.cumsum(spx),
        "RVX": 260.0 + beta * np.cumsum(spx),
    }
    return History(
        {
            symbol: tuple(DailyLevel(day=day, close=float(level)) for day, level in zip(sessions, levels, strict=True))
            for symbol, levels in series.items()
        }
    )


@pytest.mark.parametrize(("beta", "correlation"), [(-1.38, 0.85), (-0.5, 0.0), (2.0, 0.99)])
def test_what_was_put_in_is_found(beta: float, correlation: float) -> None:
    """Sensitivity, correlation and spread of a made-up history come out again."""
    found = by_name(made_up(beta=beta, correlation=correlation))

    assert found["VIX points per +1 % SPX"].estimate == pytest.approx(beta, abs=1e-6)
    assert found["correlation of RUT with SPX"].estimate == pytest.approx(correlation, abs=0.08)
    assert found["usual spread of RVX over VIX, points"].estimate == pytest.approx(60.0)
    assert found["correlation of RVX with VIX, within a day"].estimate == pytest.approx(1.0)


def test_without_files_every_constant_is_told_and_nothing_is_invented(tmp_path: Path) -> None:
    """An empty folder gives the constants with the word missing."""
    found = figures(history_of(tmp_path, tmp_path))

    assert {figure.verdict for figure in found} == {"missing"}
    assert all("-" in line_of(figure) for figure in found)


def test_a_constant_far_from_its_estimate_is_said_to_be_beyond() -> None:
    """The verdict compares the two with the stated tolerance; without one the estimate is only told."""
    figure = Figure(name="a", constant=1.0, estimate=1.2, tolerance=0.1, rule="")

    assert figure.verdict == "beyond"
    assert Figure(name="a", constant=1.0, estimate=1.2, tolerance=0.2 + 1e-9, rule="").verdict == "within"
    assert Figure(name="a", constant=1.0, estimate=1.2, tolerance=None, rule="").verdict == "told"


def test_the_curve_of_futures_is_measured_by_days_to_settlement(tmp_path: Path) -> None:
    """A future that moves half as much as VIX has a beta of one half in its bucket, and the long run that made it."""
    sessions = [each.day for each in CALENDAR.sessions(date(2024, 1, 2), date(2024, 12, 31))]
    vix = 18.0 + np.cumsum(np.random.default_rng(3).choice((-0.5, 0.5), len(sessions)))
    rows = [f"{day},{18.0 if level < 1 else level:.4f}" for day, level in zip(sessions, vix, strict=True)]
    (tmp_path / "VIX.csv").write_text("\n".join(("Date,Close", *rows)), encoding="utf-8")
    settles_on = sessions[-1]
    futures = [f"{day},x,{22.0 + (level - 22.0) * 0.5:.4f}" for day, level in zip(sessions, vix, strict=True)]
    (tmp_path / f"VX_{settles_on}.csv").write_text("\n".join(("Trade Date,Futures,Settle", *futures)), encoding="utf-8")

    history = history_of(tmp_path, tmp_path)
    fit = history.curve((1, 260))

    assert fit is not None
    assert fit == pytest.approx((0.5, 22.0), abs=0.01)
    assert history.curve((300, 400)) is None


def test_the_table_is_printed_and_a_bad_folder_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 0 with one line a constant; 2 with the usage, or with the file that is no table."""
    (tmp_path / "VIX.csv").write_text("Date,Close\n2024-01-02,13.2\n2024-01-03,14.0\n", encoding="utf-8")
    good = main([str(tmp_path)])
    printed = capsys.readouterr().out
    bad = main([str(tmp_path / "nowhere")]), main([])
    usage = capsys.readouterr().err
    (tmp_path / "RVX.csv").write_text("nothing\n", encoding="utf-8")
    broken = main([str(tmp_path)])

    assert (good, bad, broken) == (0, (2, 2), 2)
    assert printed.count("\n") > len(BUCKETS)
    assert "python -m simulator.world.estimate" in usage
    assert "RVX.csv" in capsys.readouterr().err


@needs_data
def test_every_constant_agrees_with_the_real_history() -> None:
    """Each lies within its stated tolerance of the estimate, and the spread statistics are those of the yardstick."""
    found = figures(history_of(SHARED / "history", SHARED / "vx_futures"))
    told = {figure.name: figure.estimate for figure in found}

    assert [figure.name for figure in found if figure.verdict not in {"within", "told"}] == []
    assert sum(figure.verdict == "within" for figure in found) >= 28
    assert told["sessions with a spread above 1.25 of its mean"] == 762
    assert told["runs of such sessions"] == 138
