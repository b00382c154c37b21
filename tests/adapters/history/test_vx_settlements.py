"""Settlement prices of VX contracts as the exchange publishes them, and one clear line for what is wrong."""

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.history.vx_settlements import VxSettlement, load_vx_settlements
from bot.domain.errors import HistoryError

DATA = Path(__file__).parents[3] / ".." / "shared" / "data" / "vx_futures"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the shared real contracts are not on this machine")
HEADER = "Trade Date,Futures,Open,High,Low,Close,Settle,Change,Total Volume,EFP,Open Interest"
SETTLES = date(2015, 6, 17)


def a_line(day: str, price: str) -> str:
    """One session as the exchange writes it."""
    return f"{day},M (Jun 2015),0.0000,18.0500,18.2000,0.0000,{price},0,0,0,0"


ROWS = (a_line("2014-09-22", "18.2000"), a_line("2014-09-23", "18.5500"))


def a_folder(folder: Path, *lines: str, name: str = "VX_2015-06-17.csv", header: str = HEADER) -> Path:
    """A folder of one contract."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text("\n".join((header, *lines)) + "\n", encoding="utf-8")
    return folder


def test_each_contract_is_found_by_its_settlement_day(tmp_path: Path) -> None:
    """Prices by session, contracts ascending whatever their files' order; other files are not looked at."""
    a_folder(tmp_path, a_line("2014-09-22", "19.0000"), name="VX_2015-07-22.csv")
    a_folder(tmp_path, *ROWS)
    (tmp_path / "notes.txt").write_text("nothing")
    (tmp_path / "VIX.csv").write_text("nothing")

    found = load_vx_settlements(tmp_path)

    assert list(found) == [SETTLES, date(2015, 7, 22)]
    assert found[SETTLES] == (
        VxSettlement(day=date(2014, 9, 22), price=18.2),
        VxSettlement(day=date(2014, 9, 23), price=18.55),
    )


@pytest.mark.parametrize("price", ["0", "0.0000", "0."])
def test_a_price_of_zero_is_no_settlement(tmp_path: Path, price: str) -> None:
    """The exchange writes 0 where there was none; the session is left out and its date still counts for the order."""
    folder = a_folder(tmp_path, a_line("2014-09-19", price), *ROWS)
    assert [row.day for row in load_vx_settlements(folder)[SETTLES]] == [date(2014, 9, 22), date(2014, 9, 23)]


def test_columns_are_found_by_name_and_small_oddities_are_read(tmp_path: Path) -> None:
    """Two columns suffice, in any order; a byte order mark, blanks and an empty last line are nothing."""
    folder = a_folder(tmp_path, " 18.2 , 2014-09-22", "", header="\ufeffSettle, Trade Date")
    assert load_vx_settlements(folder)[SETTLES] == (VxSettlement(day=date(2014, 9, 22), price=18.2),)


def test_a_contract_may_trade_on_the_morning_it_settles(tmp_path: Path) -> None:
    """The settlement day itself may have a row."""
    folder = a_folder(tmp_path, a_line("2015-06-17", "14.33"))
    assert load_vx_settlements(folder)[SETTLES][0].day == SETTLES


@given(st.lists(st.integers(1, 99_999), min_size=1, max_size=20))
def test_what_is_written_is_read(tmp_path_factory: pytest.TempPathFactory, prices: list[int]) -> None:
    """Every price comes back as it was written, in hundredths of a point."""
    lines = [
        a_line(date.fromordinal(735_500 + day).isoformat(), f"{price / 100:.4f}") for day, price in enumerate(prices)
    ]
    folder = a_folder(tmp_path_factory.mktemp("vx"), *lines)
    assert [round(row.price * 100) for row in load_vx_settlements(folder)[SETTLES]] == prices


WRONG: list[tuple[tuple[str, ...], str]] = [
    ((a_line("09/22/2014", "18.2"),), "row 2: Trade Date: found '09/22/2014', expected a date as yyyy-mm-dd"),
    ((a_line("2014-02-30", "18.2"),), "row 2: Trade Date: found '2014-02-30', expected a date as yyyy-mm-dd"),
    ((*ROWS, ROWS[1]), "row 4: Trade Date: found '2014-09-23', expected a date after 2014-09-23"),
    ((*reversed(ROWS),), "row 3: Trade Date: found '2014-09-22', expected a date after 2014-09-23"),
    ((a_line("2015-06-18", "18.2"),), "expected no date after the settlement on 2015-06-17"),
    ((a_line("2014-09-22", "high"),), "row 2: Settle: found 'high', expected a finite number"),
    ((a_line("2014-09-22", "nan"),), "row 2: Settle: found 'nan', expected a finite number"),
    (
        (a_line("2014-09-22", "-18.2"),),
        "row 2: Settle: found '-18.2', expected a price in points, 0 where there was none",
    ),
    ((a_line("2014-09-22", ""),), "row 2: Settle: found '', expected a finite number"),
    ((a_line("2014-09-22", "18,2"),), "row 2: found 12 cells, expected 11 as in the header"),
    ((ROWS[0], "2014-09-23,18.55"), "row 3: found 2 cells, expected 11 as in the header"),
    (('2014-09-22,"M (Jun 2015),1,1,1,1,1,1,1,1,1',), "expected plain comma-separated cells"),
]


@pytest.mark.parametrize(("lines", "told"), WRONG)
def test_a_wrong_row_is_one_line_with_file_row_and_cure(tmp_path: Path, lines: tuple[str, ...], told: str) -> None:
    """Nothing is skipped, sorted or guessed."""
    with pytest.raises(HistoryError) as refused:
        load_vx_settlements(a_folder(tmp_path, *lines))
    message = str(refused.value)
    assert "VX_2015-06-17.csv" in message
    assert told in message
    assert "\n" not in message


@pytest.mark.parametrize("header", ["Date,Settle", "Trade Date,Close", "Trade Date,Settle,Settle", ""])
def test_another_header_is_refused(tmp_path: Path, header: str) -> None:
    """Both columns must be there, each once."""
    with pytest.raises(HistoryError, match=r"row 1: found .* expected the columns Trade Date, Settle, each once"):
        load_vx_settlements(a_folder(tmp_path, header=header))


def test_a_name_without_a_day_is_refused(tmp_path: Path) -> None:
    """The settlement day is read from the name and from nowhere else."""
    with pytest.raises(HistoryError, match="found 'JUN2015' in its name, expected the settlement day as yyyy-mm-dd"):
        load_vx_settlements(a_folder(tmp_path, *ROWS, name="VX_JUN2015.csv"))


def test_a_folder_without_contracts_is_refused(tmp_path: Path) -> None:
    """Missing, empty, or a file that is no text."""
    with pytest.raises(HistoryError, match="no such folder"):
        load_vx_settlements(tmp_path / "none")
    with pytest.raises(HistoryError, match=r"found no VX_YYYY-MM-DD\.csv"):
        load_vx_settlements(tmp_path)
    (tmp_path / "VX_2015-06-17.csv").write_bytes(b"\xff\xfe")
    with pytest.raises(HistoryError, match="is no UTF-8 text"):
        load_vx_settlements(tmp_path)
    (tmp_path / "VX_2015-06-17.csv").unlink()
    (tmp_path / "VX_2015-06-17.csv").mkdir()
    with pytest.raises(HistoryError, match="is no file, expected a CSV file"):
        load_vx_settlements(tmp_path)


@needs_data
def test_the_real_contracts_are_read_whole() -> None:
    """149 contracts, 26,628 rows of which 706 of 2013 have no settlement, all prices such as VX ever had."""
    found = load_vx_settlements(DATA)
    rows = [row for settlements in found.values() for row in settlements]
    assert (len(found), min(found), max(found)) == (149, date(2013, 1, 16), date(2026, 9, 16))
    assert len(rows) == 26_628 - 706
    assert (min(row.day for row in rows), max(row.day for row in rows)) == (date(2013, 5, 20), date(2026, 1, 7))
    assert all(8.0 < row.price < 90.0 for row in rows)
