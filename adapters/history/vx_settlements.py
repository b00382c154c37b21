"""Reads the settlement prices of VX contracts from a folder of the exchange's own files, one CSV a contract.

How it works: the name ``VX_YYYY-MM-DD.csv`` gives the day on which the contract settles, the columns Trade Date and
Settle the price of each session. What always holds: rows ascend by date without repeats and none lies after the
settlement. A price of 0 is how the exchange writes that there was none; such rows, and only they, are left out.
"""

import csv
import io
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from bot.domain.errors import HistoryError

PATTERN: Final = "VX_*.csv"
DATE_COLUMN: Final = "Trade Date"
PRICE_COLUMN: Final = "Settle"
_NUMBER: Final = re.compile(r"\d+(\.\d*)?|\.\d+", re.ASCII)
_LONGEST_QUOTE: Final = 60  # characters of a file that a message repeats


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
    day = _day_of(text)
    if day is None:
        raise HistoryError(f"{path}: found {text!r} in its name, expected the settlement day as yyyy-mm-dd; rename it")
    return day


def _settlements_of(path: Path, settles_on: date) -> Iterator[VxSettlement]:
    reader = csv.reader(io.StringIO(_text_of(path), newline=""), strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
        if header.count(DATE_COLUMN) != 1 or header.count(PRICE_COLUMN) != 1:
            expected = f"the columns {DATE_COLUMN} and {PRICE_COLUMN}"
            raise _wrong(path, 1, ",".join(header), expected, "take the exchange's file as it is")
        before = date.min
        for cells in reader:
            if not cells:
                continue  # an empty line, as editors leave one at the end
            row = reader.line_num
            if len(cells) != len(header):
                raise _wrong(path, row, ",".join(cells), f"{len(header)} cells", "complete the row or remove it")
            day = _trade_date_of(path, row, cells[header.index(DATE_COLUMN)].strip(), before, settles_on)
            before = day
            price = _price_of(path, row, cells[header.index(PRICE_COLUMN)].strip())
            if price > 0.0:
                yield VxSettlement(day=day, price=price)
    except csv.Error as error:
        raise HistoryError(
            f"{path} row {reader.line_num}: {error}, expected plain comma-separated cells; download it again"
        ) from error


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise HistoryError(f"{path}: cannot be read ({error.strerror}); check its permissions") from error
    except UnicodeDecodeError as error:
        raise HistoryError(f"{path}: byte {error.start} is no UTF-8 text; download it again") from error


def _trade_date_of(path: Path, row: int, text: str, before: date, settles_on: date) -> date:
    day = _day_of(text)
    if day is None:
        raise _wrong(path, row, text, "a date as yyyy-mm-dd", "write the date in this way")
    if day <= before:
        raise _wrong(path, row, text, f"a date after {before}", "sort the rows by date, each once, oldest first")
    if day > settles_on:
        raise _wrong(path, row, text, f"no date after the settlement on {settles_on}", "correct the file's name")
    return day


def _day_of(text: str) -> date | None:
    """Read yyyy-mm-dd and no other way of writing a day."""
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _price_of(path: Path, row: int, text: str) -> float:
    price = float(text) if _NUMBER.fullmatch(text) else math.nan
    if not math.isfinite(price):
        raise _wrong(path, row, text, "a price in points, 0 where there was none", "correct it or remove the row")
    return price


def _wrong(path: Path, row: int, found: str, expected: str, cure: str) -> HistoryError:
    quoted = found if len(found) <= _LONGEST_QUOTE else f"{found[:_LONGEST_QUOTE]}..."
    return HistoryError(f"{path} row {row}: found {quoted!r}, expected {expected}; {cure}")
