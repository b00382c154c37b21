"""The bot's own daily store: what is written comes back, once, in order, and a power cut leaves whole files."""

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.history.csv_files import load_symbol
from adapters.history.daily_store import CLOSE_SYMBOLS, DailyStore, continued, read_breadth
from bot.domain.errors import HistoryError, InvalidValueError
from bot.domain.evidence import BreadthSeries, DailySeries

MONDAY, TUESDAY, WEDNESDAY = date(2026, 11, 23), date(2026, 11, 24), date(2026, 11, 25)
HEADER = "DATE,ADVANCES,DECLINES\n"


def test_closes_come_back_as_a_series(tmp_path: Path) -> None:
    """One file a symbol, in a folder that the first row makes."""
    store = DailyStore(tmp_path / "own")
    assert store.closes("SPX") is None
    assert [store.record_close("SPX", day, close) for day, close in [(MONDAY, 6800.25), (TUESDAY, 6790)]] == [
        True,
        True,
    ]
    assert store.closes("SPX") == DailySeries(symbol="SPX", rows=((MONDAY, 6800.25), (TUESDAY, 6790.0)))
    assert store.closes("RUT") is None
    assert sorted(path.name for path in store.folder.iterdir()) == ["SPX.csv"]


def test_breadth_comes_back_as_a_series(tmp_path: Path) -> None:
    """Advances and declines of each session, whole numbers."""
    store = DailyStore(tmp_path)
    assert store.breadth() is None
    assert store.record_breadth(MONDAY, 1523, 1204)
    assert store.record_breadth(TUESDAY, 0, 2800)
    assert store.breadth() == BreadthSeries(symbol="AD-NYSE", rows=((MONDAY, 1523, 1204), (TUESDAY, 0, 2800)))
    assert (tmp_path / "AD-NYSE.csv").read_text() == HEADER + "2026-11-23,1523,1204\n2026-11-24,0,2800\n"


@pytest.mark.parametrize("symbol", CLOSE_SYMBOLS)
def test_the_files_of_the_store_are_a_history_folder(tmp_path: Path, symbol: str) -> None:
    """The importer of daily histories reads them as they are."""
    DailyStore(tmp_path).record_close(symbol, MONDAY, 244.07)
    assert [(row.day, row.close) for row in load_symbol(tmp_path, symbol)] == [(MONDAY, 244.07)]


def test_writing_a_row_again_changes_nothing(tmp_path: Path) -> None:
    """After a restart the session may close twice; an older row may be repeated as well."""
    store = DailyStore(tmp_path)
    for day in (MONDAY, TUESDAY):
        store.record_close("SPX", day, 6800.0)
        store.record_breadth(day, 1500, 1300)
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in tmp_path.iterdir()}
    for day in (TUESDAY, MONDAY):
        assert not store.record_close("SPX", day, 6800)
        assert not store.record_breadth(day, 1500, 1300)
    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize(
    ("record", "told"),
    [
        (lambda store: store.record_close("SPX", TUESDAY, 6800.01), "holds 6800.0 for 2026-11-24, was given 6800.01"),
        (lambda store: store.record_close("SPX", MONDAY, 6800.0), "ends on 2026-11-24, was given 2026-11-23"),
        (
            lambda store: store.record_breadth(TUESDAY, 1501, 1300),
            "holds 1500,1300 for 2026-11-24, was given 1501,1300",
        ),
        (lambda store: store.record_breadth(MONDAY, 1500, 1300), "ends on 2026-11-24, was given 2026-11-23"),
    ],
)
def test_a_row_never_changes_and_days_never_go_back(
    tmp_path: Path, record: Callable[[DailyStore], bool], told: str
) -> None:
    """A contradiction is refused with both figures, and the file stays as it was."""
    store = DailyStore(tmp_path)
    store.record_close("SPX", TUESDAY, 6800.0)
    store.record_breadth(TUESDAY, 1500, 1300)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(HistoryError, match=told):
        record(store)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize(
    ("record", "told"),
    [
        (lambda store: store.record_close("VIX", MONDAY, 18.0), "symbol must be one of SPX, RUT, SPY, IWM, was 'VIX'"),
        (lambda store: store.record_close("../SPX", MONDAY, 18.0), "symbol must be one of"),
        (lambda store: store.record_close("SPX", MONDAY, 0.0), "close must be positive"),
        (lambda store: store.record_close("SPX", MONDAY, float("nan")), "close must be finite"),
        (lambda store: store.record_breadth(MONDAY, -1, 1300), "advances of 2026-11-23 must not be negative"),
        (lambda store: store.record_breadth(MONDAY, 0, 0), "neither advances nor declines"),
    ],
)
def test_what_no_session_has_is_not_written(tmp_path: Path, record: Callable[[DailyStore], bool], told: str) -> None:
    """The caller is told, and no file appears."""
    with pytest.raises(InvalidValueError, match=told):
        record(DailyStore(tmp_path / "own"))
    assert not (tmp_path / "own").exists()


def test_a_half_written_file_beside_the_real_one_is_no_harm(tmp_path: Path) -> None:
    """What a power cut leaves aside is not read, and the next row replaces it."""
    store = DailyStore(tmp_path)
    store.record_close("SPX", MONDAY, 6800.0)
    (tmp_path / ".SPX.csv.new").write_text("DATE,SP")
    assert store.closes("SPX") == DailySeries(symbol="SPX", rows=((MONDAY, 6800.0),))
    store.record_close("SPX", TUESDAY, 6790.0)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["SPX.csv"]


def test_a_spoiled_file_is_refused_and_kept(tmp_path: Path) -> None:
    """Nothing is appended to a file that cannot be understood."""
    path = tmp_path / "SPX.csv"
    path.write_text("DATE,SPX\n2026-11-23,six thousand\n")
    with pytest.raises(HistoryError, match=r"SPX\.csv row 2: found 'six thousand'"):
        DailyStore(tmp_path).record_close("SPX", TUESDAY, 6790.0)
    assert path.read_text() == "DATE,SPX\n2026-11-23,six thousand\n"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("DATE,CLOSE\n", "row 1: found 'DATE,CLOSE', expected DATE,ADVANCES,DECLINES or date,advances,declines"),
        (HEADER, "found no row below the header"),
        (HEADER + "11/23/2026,1500,1300\n", "row 2: DATE: found '11/23/2026', expected a date as yyyy-mm-dd"),
        (HEADER + "2026-11-23,1500.5,1300\n", "row 2: ADVANCES: found '1500.5', expected a whole number of 0 or more"),
        (HEADER + "2026-11-23,1500,-1\n", "row 2: DECLINES: found '-1'"),
        (HEADER + "2026-11-23,0,0\n", "row 2: neither advances nor declines"),
        (HEADER + "2026-11-24,1,1\n2026-11-23,1,1\n", "row 3: DATE: found '2026-11-23', expected a date after"),
        (HEADER + "2026-11-23,1,1\n2026-11-23,1,1\n", "sort the rows by date, oldest first, each date once"),
        (HEADER + "2026-11-23,1500\n", "row 2: found 2 cells, expected 3"),
    ],
)
def test_a_wrong_file_of_breadth_is_one_clear_line(tmp_path: Path, text: str, told: str) -> None:
    """With file, row, what was found, what was expected and what to do."""
    path = tmp_path / "AD-NYSE.csv"
    path.write_text(text)
    with pytest.raises(HistoryError) as caught:
        read_breadth(path)
    assert told in str(caught.value)
    assert str(path) in str(caught.value)


def test_breadth_is_imported_from_a_file_of_the_operator(tmp_path: Path) -> None:
    """Small letters in the header are as good."""
    path = tmp_path / "imported.csv"
    path.write_text("date,advances,declines\n2026-11-23,1523,1204\n")
    assert read_breadth(path).rows == ((MONDAY, 1523, 1204),)


def test_the_own_store_continues_an_imported_history() -> None:
    """Where both have a day the imported close holds, and the own rows before its end count for nothing."""
    imported = DailySeries(symbol="SPX", rows=((MONDAY, 6800.0), (TUESDAY, 6790.0)))
    own = DailySeries(symbol="SPX", rows=((TUESDAY, 6790.5), (WEDNESDAY, 6810.0)))
    assert continued(imported, own).rows == ((MONDAY, 6800.0), (TUESDAY, 6790.0), (WEDNESDAY, 6810.0))
    assert continued(DailySeries(symbol="SPX", rows=()), own) == own
    with pytest.raises(InvalidValueError, match="were RUT and SPX"):
        continued(DailySeries(symbol="RUT", rows=()), own)


@settings(deadline=None)  # a row is flushed to the disk
@given(closes=st.lists(st.floats(1e-3, 1e9), min_size=1, max_size=15))
def test_every_close_comes_back_exactly(tmp_path_factory: pytest.TempPathFactory, closes: list[float]) -> None:
    """Whatever its digits: what is read is what was written, to the last bit."""
    store = DailyStore(tmp_path_factory.mktemp("store"))
    rows = tuple((MONDAY + timedelta(days=at), close) for at, close in enumerate(closes))
    for day, close in rows:
        assert store.record_close("IWM", day, close)
    assert store.closes("IWM") == DailySeries(symbol="IWM", rows=rows)
    assert not any(store.record_close("IWM", day, close) for day, close in rows)
