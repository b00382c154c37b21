"""Reads one interest rate or spread from a CSV file of FRED, the St. Louis Fed's database.

The file is what `https://fred.stlouisfed.org/graph/fredgraph.csv?id=DGS10` gives: a column of dates, named
``observation_date`` (before 2024 ``DATE``), and one column per series. A day without a value holds a dot or nothing.
For the cost of capital DGS10 (ten-year Treasury yield) and BAMLH0A0HYM2 (high-yield spread) or BAA10Y serve, all in
percent and published one business day late.
"""

from datetime import date
from pathlib import Path
from typing import Final

from adapters.history.csv_table import CsvTable, read_table
from bot.domain.errors import HistoryError
from bot.domain.evidence import RateSeries

DATE_COLUMNS: Final = ("observation_date", "DATE")
MISSING: Final = (".", "")


def read_fred(path: Path, series: str) -> RateSeries:
    """Return the values of a series in percent, ascending by day, without the days that have none.

    Args:
        path: The downloaded file; it may hold other series beside this one.
        series: FRED's id, such as DGS10.

    Raises:
        HistoryError: The file is none of FRED's or lacks the series, or a row is wrong; the one line says where, what
            was found and what to do.
    """
    table = read_table(path)
    days = _date_column(table, series)
    values: list[tuple[date, float]] = []
    before: date | None = None
    for row in table.rows:
        day = row.day(days)
        if before is not None and day <= before:
            raise row.wrong(days, f"a date after {before}", "sort the rows by date, oldest first, each date once")
        before = day
        if row.cells[series] not in MISSING:
            values.append((day, row.number_of(series)))
    if not values:
        raise HistoryError(f"{path}: found no value of {series}, expected one a business day; download the file again")
    return RateSeries(name=series, rows=tuple(values))


def _date_column(table: CsvTable, series: str) -> str:
    first = table.header[0]
    if first not in DATE_COLUMNS or series not in table.header[1:]:
        raise table.wrong_header(f"{' or '.join(DATE_COLUMNS)}, then {series}, as FRED writes them")
    return first
