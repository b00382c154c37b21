"""Reads one symbol's daily history from a folder of CSV files; whatever is wrong with it is one line.

How it works: the header tells the form, the first row tells how dates are written, and every row after that must be
like it. What always holds: rows ascend by date without repeats, levels are finite and positive, and nothing is
sorted, filled or guessed. A file in descending order is refused: none of the publishers writes one, so something
else has been at it.
"""

import csv
import io
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from adapters.history.csv_forms import CsvForm, form_of, headers_known_for
from adapters.history.daily_row import DailyRow
from adapters.text_files import read_text, shortened
from bot.domain.errors import HistoryError

_SYMBOL: Final = re.compile(r"[A-Z0-9][A-Z0-9._-]*")
_NUMBER: Final = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_HOLIDAY_MARKS: Final = (".", "")


def load_symbol(folder: Path, symbol: str) -> tuple[DailyRow, ...]:
    """Return the rows of one symbol, ascending by day.

    Args:
        folder: Holds `SYMBOL.csv` or Cboe's own `SYMBOL_History.csv`, not both.
        symbol: Such as RVX, in capitals.

    Raises:
        HistoryError: The folder or the file is missing, or a row is wrong; the one line names file, row, what was
            found, what was expected, and the cure.
    """
    path = symbol_path(folder, symbol)
    text = read_text(path, what="a CSV file", cure="download it again", raises=HistoryError)
    rows = tuple(_rows_of(_Source(path=path, symbol=symbol), text))
    if not rows:
        raise HistoryError(f"{path}: found no row with a level, expected one row a day; download the file again")
    return rows


def symbol_path(folder: Path, symbol: str) -> Path:
    """Return the one file of a symbol.

    Raises:
        HistoryError: No such folder, no file, two files, or a symbol that is no name.
    """
    if not _SYMBOL.fullmatch(symbol):
        raise HistoryError(f"{symbol!r} is no symbol: expected capitals and digits, such as VIX9D; correct the name")
    if not folder.is_dir():
        raise HistoryError(f"{folder}: no such folder, expected one with {symbol}.csv; correct the path")
    names = (f"{symbol}.csv", f"{symbol}_History.csv")
    found = [folder / name for name in names if (folder / name).is_file()]
    if not found:
        raise HistoryError(f"{folder}: found neither {names[0]} nor {names[1]}; put one of them there")
    if len(found) > 1:
        raise HistoryError(f"{folder}: found both {names[0]} and {names[1]}, expected one; remove the other")
    return found[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Source:
    """The file under reading, for messages."""

    path: Path
    symbol: str

    def wrong(self, row: int, found: str, expected: str, cure: str) -> HistoryError:
        """Return the one line; ``row`` counts lines of the file from 1, the header included."""
        return HistoryError(f"{self.path} row {row}: found {shortened(found)!r}, expected {expected}; {cure}")


def _rows_of(source: _Source, text: str) -> Iterator[DailyRow]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
        form = _require_form(source, header)
        is_american: bool | None = None
        before: date | None = None
        for cells in reader:
            if not cells:
                continue  # an empty line, as editors leave one at the end
            row = reader.line_num
            if is_american is None:
                is_american = "/" in cells[0]
            day = _day_of(source, row, cells[0].strip(), is_american=is_american)
            _require_after(source, row, day, before)
            before = day
            _require_width(source, row, cells, form)
            if not (form.has_holidays and cells[form.close].strip() in _HOLIDAY_MARKS):
                yield _row_of(source, row, day, cells, form)
    except csv.Error as error:
        raise HistoryError(
            f"{source.path} row {reader.line_num}: {error}, expected plain comma-separated cells; download it again"
        ) from error


def _require_form(source: _Source, header: Sequence[str]) -> CsvForm:
    form = form_of(source.symbol, header)
    if form is not None:
        return form
    found = ",".join(header)
    if ";" in found or "\t" in found:
        raise source.wrong(1, found, "columns separated by commas", "export again with commas and decimal points")
    raise source.wrong(
        1, found, f"one of {headers_known_for(source.symbol)}", "take the publisher's file as it is, under its own name"
    )


def _day_of(source: _Source, row: int, text: str, *, is_american: bool) -> date:
    """Read a date in the one way in which this file writes them."""
    pattern = r"(?P<m>\d{1,2})/(?P<d>\d{1,2})/(?P<y>\d{4})" if is_american else r"(?P<y>\d{4})-(?P<m>\d\d)-(?P<d>\d\d)"
    found = re.fullmatch(pattern, text, re.ASCII)
    try:
        if found is not None:
            return date(int(found["y"]), int(found["m"]), int(found["d"]))
    except ValueError:
        pass  # no such day: the same message
    expected = "a date as mm/dd/yyyy" if is_american else "a date as yyyy-mm-dd"
    raise source.wrong(row, text, expected, "write all dates of the file in this way")


def _require_after(source: _Source, row: int, day: date, before: date | None) -> None:
    if before is None or day > before:
        return
    if day == before:
        raise source.wrong(row, day.isoformat(), "each date once", "remove the repeated row")
    raise source.wrong(row, day.isoformat(), f"a date after {before}", "sort the rows by date, oldest first")


def _require_width(source: _Source, row: int, cells: Sequence[str], form: CsvForm) -> None:
    if len(cells) == form.columns:
        return
    cure = "write decimal points instead of commas" if len(cells) > form.columns else "complete the row or remove it"
    raise source.wrong(row, ",".join(cells), f"{form.columns} cells in the {form.name} form, not {len(cells)}", cure)


def _row_of(source: _Source, row: int, day: date, cells: Sequence[str], form: CsvForm) -> DailyRow:
    """Read the levels; the close must lie within the day's range, which tells swapped columns."""
    close = _level_of(source, row, cells[form.close])
    if form.open is None or form.high is None or form.low is None:
        return DailyRow(day=day, close=close)
    high, low = _level_of(source, row, cells[form.high]), _level_of(source, row, cells[form.low])
    if not low <= close <= high:
        raise source.wrong(
            row, f"high {high:g}, low {low:g}, close {close:g}", "low <= close <= high", "put the columns in order"
        )
    return DailyRow(day=day, open=_level_of(source, row, cells[form.open]), high=high, low=low, close=close)


def _level_of(source: _Source, row: int, cell: str) -> float:
    text = cell.strip()
    level = float(text) if _NUMBER.fullmatch(text) else math.nan
    if math.isfinite(level) and level > 0.0:
        return level
    cure = "write decimal points instead of commas" if "," in text else "correct the level or remove the row"
    raise source.wrong(row, text, "a finite level above 0", cure)
