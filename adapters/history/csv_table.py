"""A small CSV table with a header, read strictly: whatever is wrong with a cell is one line with file, row and cure."""

import csv
import io
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from adapters.text_files import read_text, shortened
from bot.domain.errors import HistoryError

_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_NUMBER: Final = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_COUNT: Final = re.compile(r"\d+", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class CsvRow:
    """One line of a table; ``number`` counts lines of the file from 1, the header included."""

    path: Path
    number: int
    cells: Mapping[str, str]

    def text(self, column: str) -> str:
        """Return a cell that must not be empty."""
        if not self.cells[column]:
            raise self.wrong(column, "some text", "complete the row or remove it")
        return self.cells[column]

    def day(self, column: str) -> date:
        """Return a date written as yyyy-mm-dd."""
        day = day_of(self.cells[column])
        if day is None:
            raise self.wrong(column, "a date as yyyy-mm-dd", "write all dates of the file in this way")
        return day

    def number_of(self, column: str) -> float:
        """Return a finite number, written with a decimal point."""
        text = self.cells[column]
        number = float(text) if _NUMBER.fullmatch(text) else math.nan
        if not math.isfinite(number):
            raise self.wrong(column, "a finite number", "write it with a decimal point or remove the row")
        return number

    def count(self, column: str) -> int:
        """Return a whole number of 0 or more."""
        if not _COUNT.fullmatch(self.cells[column]):
            raise self.wrong(column, "a whole number of 0 or more", "correct it or remove the row")
        return int(self.cells[column])

    def wrong(self, column: str, expected: str, cure: str) -> HistoryError:
        """Return the one line about a cell."""
        found = shortened(self.cells[column])
        return HistoryError(f"{self.path} row {self.number}: {column}: found {found!r}, expected {expected}; {cure}")

    def wrong_row(self, what: str, cure: str) -> HistoryError:
        """Return the one line about a row."""
        return HistoryError(f"{self.path} row {self.number}: {what}; {cure}")


@dataclass(frozen=True, slots=True, kw_only=True)
class CsvTable:
    """Header and rows of a file."""

    path: Path
    header: tuple[str, ...]
    rows: tuple[CsvRow, ...]

    def require_columns(self, *forms: tuple[str, ...]) -> None:
        """Raise HistoryError unless the header is one of the forms."""
        if self.header not in forms:
            known = " or ".join(",".join(form) for form in forms)
            raise self.wrong_header(known)

    def wrong_header(self, expected: str) -> HistoryError:
        """Return the one line about a header."""
        found = shortened(",".join(self.header))
        return HistoryError(f"{self.path} row 1: found {found!r}, expected {expected}; correct the header or the path")


def read_table(path: Path, *, columns: tuple[str, ...] = ()) -> CsvTable:
    """Return a file's header and rows; spaces around cells and empty lines count for nothing.

    Args:
        path: Of the file.
        columns: Those that it must have, in any order and beside any others.

    Raises:
        HistoryError: The file cannot be read, is no UTF-8 text, has no header, a column is missing or stands twice, or
            a row has too many or too few cells.
    """
    text = read_text(path, what="a CSV file", cure="name or write the right one", raises=HistoryError)
    lines = _lines_of(path, text)
    _, header = next(lines, (1, ()))
    if not header or len(set(header)) < len(header) or not set(columns) <= set(header):
        expected = f"the columns {', '.join(columns)}, each once" if columns else "a header of different names"
        raise HistoryError(
            f"{path} row 1: found {shortened(','.join(header))!r}, expected {expected}; correct the header or the path"
        )
    return CsvTable(path=path, header=header, rows=tuple(_rows_of(path, header, lines)))


def day_of(text: str) -> date | None:
    """Return a day written as yyyy-mm-dd, None for any other way of writing one and for a day that never was."""
    try:
        return date.fromisoformat(text) if _DAY.fullmatch(text) else None
    except ValueError:
        return None


def _lines_of(path: Path, text: str) -> Iterator[tuple[int, tuple[str, ...]]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        for cells in reader:
            if cells:
                yield reader.line_num, tuple(cell.strip() for cell in cells)
    except csv.Error as error:
        raise HistoryError(
            f"{path} row {reader.line_num}: {error}, expected plain comma-separated cells; write the file again"
        ) from error


def _rows_of(path: Path, header: tuple[str, ...], lines: Iterator[tuple[int, tuple[str, ...]]]) -> Iterator[CsvRow]:
    for number, cells in lines:
        if len(cells) != len(header):
            raise HistoryError(
                f"{path} row {number}: found {len(cells)} cells, expected {len(header)} as in the header; "
                "complete the row or remove it"
            )
        yield CsvRow(path=path, number=number, cells=dict(zip(header, cells, strict=True)))
