"""Rates from files of FRED: both headers, missing days, several series; every wrong file is one clear line."""

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.fundamentals.fred_csv import read_fred
from bot.domain.errors import ConfigError, HistoryError
from bot.domain.evidence import RateSeries

TREASURY = "observation_date,DGS10\n2026-11-19,4.11\n2026-11-20,4.07\n"


def a_file(folder: Path, text: str) -> Path:
    """Write a downloaded file."""
    path = folder / "DGS10.csv"
    path.write_bytes(text.encode())
    return path


def refusal(folder: Path, text: str) -> str:
    """Return the one line with which a file is refused."""
    with pytest.raises(HistoryError) as caught:
        read_fred(a_file(folder, text), "DGS10")
    message = str(caught.value)
    assert isinstance(caught.value, ConfigError)
    assert "\n" not in message
    return message


@pytest.mark.parametrize(
    "text",
    [
        TREASURY,
        "DATE,DGS10\n2026-11-19,4.11\n2026-11-20,4.07\n",
        "\ufeff" + TREASURY.replace("\n", "\r\n"),
        "observation_date,DGS10\n2026-11-18,\n2026-11-19,4.11\n2026-11-20,4.07\n\n",
        "DATE,DGS10\n2026-11-18,.\n2026-11-19,4.11\n2026-11-20,4.07\n2026-11-23,.\n",
        "observation_date,BAA10Y,DGS10\n2026-11-19,.,4.11\n2026-11-20,1.7,4.07\n",
    ],
)
def test_both_header_forms_and_missing_days_are_read(tmp_path: Path, text: str) -> None:
    """A dot or nothing is a day without a value; other series of the file are passed over."""
    expected = RateSeries(name="DGS10", rows=((date(2026, 11, 19), 4.11), (date(2026, 11, 20), 4.07)))
    assert read_fred(a_file(tmp_path, text), "DGS10") == expected


def test_rates_may_be_negative(tmp_path: Path) -> None:
    """Real yields were below zero for years."""
    assert read_fred(a_file(tmp_path, "DATE,DGS10\n2021-08-03,-1.19\n"), "DGS10").rows[0][1] == -1.19


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "row 1: found '', expected a header"),
        ("<!DOCTYPE html>\n", "row 1: found '<!DOCTYPE html>', expected observation_date or DATE, then DGS10"),
        ("observation_date,DGS2\n2026-11-19,4.0\n", "found 'observation_date,DGS2', expected"),
        ("day,DGS10\n2026-11-19,4.0\n", "found 'day,DGS10', expected observation_date or DATE"),
        ("DATE,DGS10\n", "found no value of DGS10"),
        ("DATE,DGS10\n2026-11-19,.\n", "found no value of DGS10"),
        ("DATE,DGS10\n11/19/2026,4.0\n", "row 2: DATE: found '11/19/2026', expected a date as yyyy-mm-dd"),
        ("DATE,DGS10\n2026-02-30,4.0\n", "row 2: DATE: found '2026-02-30', expected a date"),
        ("DATE,DGS10\n2026-11-19,4.0\n2026-11-19,4.1\n", "row 3: DATE: found '2026-11-19', expected a date after"),
        ("DATE,DGS10\n2026-11-19,4.0\n2026-11-18,.\n", "expected a date after 2026-11-19; sort the rows"),
        ("DATE,DGS10\n2026-11-19,nan\n", "row 2: DGS10: found 'nan', expected a finite number"),
        ("DATE,DGS10\n2026-11-19,1e999\n", "expected a finite number"),
        ('DATE,DGS10\n2026-11-19,"4,1"\n', "found '4,1', expected a finite number; write it with a decimal point"),
        ("DATE,DGS10\n2026-11-19\n", "row 2: found 1 cells, expected 2"),
        ('DATE,DGS10\n2026-11-19,"4.1\n', "expected plain comma-separated cells"),
        ("DATE,DGS10,DGS10\n2026-11-19,4.0,4.0\n", "expected a header of different names"),
    ],
)
def test_a_wrong_file_is_one_clear_line(tmp_path: Path, text: str, told: str) -> None:
    """With file, row, what was found, what was expected and what to do."""
    message = refusal(tmp_path, text)
    assert told in message
    assert "DGS10.csv" in message


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """Missing, or no text."""
    with pytest.raises(HistoryError, match=r"absent\.csv: cannot be read \(No such file"):
        read_fred(tmp_path / "absent.csv", "DGS10")
    (tmp_path / "bytes.csv").write_bytes(b"DATE,DGS10\n\xff")
    with pytest.raises(HistoryError, match="byte 11 is no UTF-8 text"):
        read_fred(tmp_path / "bytes.csv", "DGS10")


def test_a_long_cell_is_cut_in_the_message(tmp_path: Path) -> None:
    """A page of HTML in a cell does not fill the log."""
    assert len(refusal(tmp_path, "DATE,DGS10\n2026-11-19," + "x" * 5000 + "\n")) < 400


@settings(deadline=None)  # files are written
@given(percents=st.lists(st.one_of(st.none(), st.floats(-20, 20)), min_size=1, max_size=20))
def test_every_value_of_a_file_comes_back(
    tmp_path_factory: pytest.TempPathFactory, percents: list[float | None]
) -> None:
    """Exactly, in order, and nothing for the days without one."""
    days = [date(2026, 1, 1 + at) for at in range(len(percents))]
    lines = [f"{day},{'.' if one is None else repr(one)}" for day, one in zip(days, percents, strict=True)]
    path = a_file(tmp_path_factory.mktemp("fred"), "\n".join(["DATE,DGS10", *lines]))
    expected = tuple((day, one) for day, one in zip(days, percents, strict=True) if one is not None)
    if expected:
        assert read_fred(path, "DGS10").rows == expected
    else:
        with pytest.raises(HistoryError, match="found no value"):
            read_fred(path, "DGS10")
