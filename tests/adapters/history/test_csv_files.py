"""Daily histories from CSV files: every published form is read, every wrong input is one clear line."""

import re
from datetime import date
from pathlib import Path

import pytest

from adapters.history.csv_files import load_symbol
from adapters.history.daily_row import DailyRow
from adapters.history.gaps import gaps_of
from bot.domain.errors import ConfigError, HistoryError
from bot.domain.schedule import SessionCalendar

HISTORY = Path(__file__).parents[3] / ".." / "shared" / "data" / "history"
CALENDAR = SessionCalendar()
CBOE = "DATE,OPEN,HIGH,LOW,CLOSE\n"
ONE_DAY = date(2024, 2, 26)

needs_history = pytest.mark.skipif(not HISTORY.is_dir(), reason="the shared real history is not on this machine")


def a_folder(tmp_path: Path, text: str, name: str = "RVX.csv") -> Path:
    """Write one file into a history folder."""
    (tmp_path / name).write_bytes(text.encode())
    return tmp_path


def refusal(folder: Path, symbol: str = "RVX") -> str:
    """Return the one line with which a history is refused."""
    with pytest.raises(HistoryError) as caught:
        load_symbol(folder, symbol)
    message = str(caught.value)
    assert isinstance(caught.value, ConfigError)
    assert "\n" not in message
    return message


@pytest.mark.parametrize(
    ("symbol", "text", "has_range"),
    [
        ("RVX", CBOE + "02/26/2024,22.0,24.0,21.5,23.54\n", True),
        ("RVX", CBOE + "2024-02-26,22.0,24.0,21.5,23.54\r\n", True),
        ("RVX", "\ufeff" + CBOE + "2/26/2024,22.0,24.0,21.5,23.54", True),
        ("RVX", "Date,Close,High,Low,Open,Volume\n2024-02-26,23.54,24.0,21.5,22.0,0\n\n", True),
        ("RVX", "DATE,RVX\n02/26/2024,23.540000\n", False),
        ("RVX", "DATE,RVXCLS\n2024-02-19,.\n2024-02-26,23.54\n", False),
        ("RVX", "observation_date,RVXCLS\n2024-02-19,\n2024-02-26,23.54\n", False),
        ("RVX", "Date,^RVX\n2024-02-26,23.54\n", False),
        ("SPX", "Date,^GSPC\n2024-02-26,23.54\n", False),
        ("SPX", "observation_date,SP500\n2024-02-26,23.54\n", False),
        ("VIX3M", "DATE,VXVCLS\n2024-02-26,23.54\n", False),
    ],
)
def test_every_published_form_is_read(tmp_path: Path, symbol: str, text: str, has_range: bool) -> None:  # noqa: FBT001 - a table
    """Cboe, FRED and Yahoo, told apart by their headers, give the same row."""
    rows = load_symbol(a_folder(tmp_path, text, f"{symbol}.csv"), symbol)
    expected = DailyRow(day=ONE_DAY, close=23.54)
    if has_range:
        expected = DailyRow(day=ONE_DAY, close=23.54, open=22.0, high=24.0, low=21.5)
    assert rows == (expected,)


def test_the_name_that_cboe_gives_is_read_as_well(tmp_path: Path) -> None:
    """A file as downloaded needs no renaming."""
    folder = a_folder(tmp_path, CBOE + "02/26/2024,22,24,21,23.54\n", "RVX_History.csv")
    assert load_symbol(folder, "RVX")[0].close == 23.54


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", "row 1: found '', expected one of DATE,OPEN,HIGH,LOW,CLOSE or DATE,RVX (Cboe), DATE or observation_date"),
        (CBOE, "found no row with a level, expected one row a day"),
        ("DATE,RVXCLS\n2024-02-19,.\n", "found no row with a level"),
        ("DATE,OPEN,LOW,HIGH,CLOSE\n", "row 1: found 'DATE,OPEN,LOW,HIGH,CLOSE', expected one of"),
        ("DATE,VIX\n2024-02-26,13.7\n", "row 1: found 'DATE,VIX', expected one of"),
        ("Date,^VIX\n2024-02-26,13.7\n", "row 1: found 'Date,^VIX', expected one of"),
        ("DATE,VIXCLS\n2024-02-26,13.7\n", "row 1: found 'DATE,VIXCLS', expected one of"),
        ("DATE;OPEN;HIGH;LOW;CLOSE\n", "expected columns separated by commas; export again with commas and decimal"),
        (CBOE + "2024-02-26,22,24,21,x\n", "row 2: found 'x', expected a finite level above 0; correct the level"),
        (CBOE + "2024-02-26,22,24,21,nan\n", "row 2: found 'nan', expected a finite level above 0"),
        (CBOE + "2024-02-26,22,24,21,inf\n", "row 2: found 'inf', expected a finite level above 0"),
        (CBOE + "2024-02-26,22,24,21,1e999\n", "row 2: found '1e999', expected a finite level above 0"),
        (CBOE + "2024-02-26,22,24,21,0\n", "row 2: found '0', expected a finite level above 0"),
        (CBOE + "2024-02-26,-22,24,21,22\n", "row 2: found '-22', expected a finite level above 0"),
        (CBOE + "2024-02-26,22,24,21,.\n", "row 2: found '.', expected a finite level above 0"),
        (CBOE + "2024-02-26,22,24,21,1_0\n", "row 2: found '1_0', expected a finite level above 0"),
        (
            CBOE + "2024-02-26,21,24,22,23\n2024-02-27,22,21,24,23\n",
            "row 3: found 'high 21, low 24, close 23', expected",
        ),
        (CBOE + "2024-02-26,22,23,21,24\n", "expected low <= close <= high; put the columns in order"),
        (
            'DATE,RVX\n2024-02-26,"23,54"\n',
            "row 2: found '23,54', expected a finite level above 0; write decimal points",
        ),
        (
            "DATE,RVX\n2024-02-26,23,54\n",
            "row 2: found '2024-02-26,23,54', expected 2 cells in the Cboe closes form, not 3; write decimal points",
        ),
        (CBOE + "2024-02-26,22\n", "expected 5 cells in the Cboe form, not 2; complete the row or remove it"),
        ("DATE,RVX\n26.02.2024,23\n", "row 2: found '26.02.2024', expected a date as yyyy-mm-dd; write all dates"),
        ("DATE,RVX\n26/02/2024,23\n", "row 2: found '26/02/2024', expected a date as mm/dd/yyyy"),
        ("DATE,RVX\n2024-02-30,23\n", "row 2: found '2024-02-30', expected a date as yyyy-mm-dd"),
        ("DATE,RVX\n2024-02-26,23\n02/27/2024,23\n", "row 3: found '02/27/2024', expected a date as yyyy-mm-dd"),
        ("DATE,RVX\n2024-02-26,23\n2024-02-26,24\n", "row 3: found '2024-02-26', expected each date once; remove the"),
        (
            "DATE,RVX\n2024-02-27,23\n2024-02-26,24\n",
            "row 3: found '2024-02-26', expected a date after 2024-02-27; sort",
        ),
        ('DATE,RVX\n2024-02-26,"23\n', "expected plain comma-separated cells; download it again"),
        (f"DATE,RVX\n{'9' * 200},23\n", f"row 2: found '{'9' * 60}...', expected a date"),
    ],
)
def test_wrong_input_is_one_line(tmp_path: Path, text: str, line: str) -> None:
    """The line names file, row, what was found, what was expected, and the cure."""
    message = refusal(a_folder(tmp_path, text))
    assert message.startswith(str(tmp_path / "RVX.csv"))
    assert re.search(re.escape(line), message), message


def test_two_files_for_one_symbol_are_refused(tmp_path: Path) -> None:
    """Nobody knows which of the two is meant."""
    folder = a_folder(a_folder(tmp_path, CBOE), CBOE, "RVX_History.csv")
    assert refusal(folder) == f"{folder}: found both RVX.csv and RVX_History.csv, expected one; remove the other"


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """Both names that would do are told."""
    assert refusal(tmp_path) == f"{tmp_path}: found neither RVX.csv nor RVX_History.csv; put one of them there"


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    """A wrong path is not a missing file."""
    assert "nowhere: no such folder, expected one with RVX.csv; correct the path" in refusal(tmp_path / "nowhere")


@pytest.mark.parametrize("symbol", ["", "rvx", "../RVX", "RVX/x"])
def test_a_symbol_is_a_name_and_no_path(tmp_path: Path, symbol: str) -> None:
    """A symbol cannot lead out of the folder."""
    assert f"{symbol!r} is no symbol" in refusal(tmp_path, symbol)


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    """A spreadsheet under the name of a CSV file is told from one."""
    (tmp_path / "RVX.csv").write_bytes(b"PK\x03\x04\xff\xfe")
    assert "RVX.csv: byte 4 is no UTF-8 text, expected a CSV file in UTF-8" in refusal(tmp_path)


def test_a_file_that_vanishes_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the operating system says is passed on as part of the line."""
    folder = a_folder(tmp_path, CBOE)

    def vanish(*_: object, **__: object) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", vanish)
    assert "RVX.csv: cannot be read (Permission denied); check path and permissions" in refusal(folder)


def test_gaps_are_sessions_between_the_ends_that_have_no_row() -> None:
    """Weekends and holidays are no gaps, nor is what lies before the first or after the last row."""
    days = (date(2022, 7, 1), date(2022, 7, 5), date(2022, 7, 8))
    rows = [DailyRow(day=day, close=20.0) for day in days]
    assert gaps_of(rows, CALENDAR) == (date(2022, 7, 6), date(2022, 7, 7))
    assert gaps_of((), CALENDAR) == ()


def test_years_without_a_calendar_have_no_gaps() -> None:
    """Rows of 1990 are no reason to refuse the rest."""
    rows = [DailyRow(day=date(1990, 1, 2), close=17.24), DailyRow(day=date(1998, 1, 5), close=20.0)]
    assert gaps_of(rows, CALENDAR) == (date(1998, 1, 2),)


@needs_history
@pytest.mark.parametrize(
    ("symbol", "count", "last"),
    [
        ("RVX", 3949, date(2025, 6, 4)),
        ("VIX", 9235, date(2026, 7, 23)),
        ("VIX9D", 3609, date(2025, 5, 9)),
        ("VIX3M", 3951, date(2025, 6, 3)),
        ("VVIX", 4766, date(2025, 5, 9)),
        ("SPX", 6723, date(2025, 9, 24)),
        ("RUT", 6723, date(2025, 9, 24)),
        ("SPY", 8448, date(2026, 8, 21)),
        ("IWM", 6598, date(2026, 8, 21)),
    ],
)
def test_the_real_files_are_read(symbol: str, count: int, last: date) -> None:
    """Every file of the shared history, in the form in which it was published."""
    rows = load_symbol(HISTORY, symbol)
    assert (len(rows), rows[-1].day) == (count, last)


@needs_history
def test_rvx_really_lacks_five_sessions() -> None:
    """They are told and not filled."""
    expected = [date(2018, 5, 1), date(2018, 12, 3), date(2019, 2, 20), date(2019, 7, 5), date(2020, 10, 16)]
    assert list(gaps_of(load_symbol(HISTORY, "RVX"), CALENDAR)) == expected
