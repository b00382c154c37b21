"""Reads the settlement prices of VX contracts from a folder of the exchange's own files, one CSV a contract.

How it works: the name ``VX_YYYY-MM-DD.csv`` gives the day on which the contract settles, the columns Trade Date and
Settle the price of each session. What always holds: rows ascend by date without repeats and none lies after the
settlement. A price of 0 is how the exchange writes that there was none; such rows, and only they, are left out.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from adapters.history.csv_table import CsvRow, day_of, read_table
from bot.domain.errors import HistoryError

PATTERN: Final = "VX_*.csv"
DATE_COLUMN: Final = "Trade Date"
PRICE_COLUMN: Final = "Settle"


@dataclass(frozen=True, slots=True, kw_only=True)
class VxSettlement:
    """The settlement price of one contract on one session, in points; made by the reader, which refuses others."""

    day: date
    price: float


def load_vx_settlements(folder: Path) -> Mapping[date, tuple[VxSettlement, ...]]:
    """Return the settlements of every contract of a folder by its settlement day, both ascending.

    Args:
        folder: Holds ``VX_YYYY-MM-DD.csv`` files; others are not looked at.

    Raises:
        HistoryError: No such folder, none of its files is one, or a row is wrong; the one line names file, row, what
            was found, what was expected, and the cure.
    """
    if not folder.is_dir():
        raise HistoryError(f"{folder}: no such folder, expected one with VX_YYYY-MM-DD.csv files; correct the path")
    found = {_settles_on(path): path for path in sorted(folder.glob(PATTERN))}
    if not found:
        raise HistoryError(f"{folder}: found no VX_YYYY-MM-DD.csv, expected one file a contract; put them there")
    return {settles_on: tuple(_settlements_of(path, settles_on)) for settles_on, path in sorted(found.items())}


def _settles_on(path: Path) -> date:
    text = path.stem.removeprefix("VX_")
    day = day_of(text)
    if day is None:
        raise HistoryError(f"{path}: found {text!r} in its name, expected the settlement day as yyyy-mm-dd; rename it")
    return day


def _settlements_of(path: Path, settles_on: date) -> Iterator[VxSettlement]:
    before = date.min
    for row in read_table(path, columns=(DATE_COLUMN, PRICE_COLUMN)).rows:
        before = _trade_date_of(row, before, settles_on)
        price = row.number_of(PRICE_COLUMN)
        if price < 0.0:
            raise row.wrong(PRICE_COLUMN, "a price in points, 0 where there was none", "correct it or remove the row")
        if price > 0.0:
            yield VxSettlement(day=before, price=price)


def _trade_date_of(row: CsvRow, before: date, settles_on: date) -> date:
    day = row.day(DATE_COLUMN)
    if day <= before:
        raise row.wrong(DATE_COLUMN, f"a date after {before}", "sort the rows by date, each once, oldest first")
    if day > settles_on:
        raise row.wrong(DATE_COLUMN, f"no date after the settlement on {settles_on}", "correct the file's name")
    return day
