"""The bot's own daily store: one small file per symbol in a folder, one row per session, for what no source sells.

How it works: closes stand under ``DATE,SYMBOL`` in ``SYMBOL.csv``, a form that `load_symbol` reads as well, and the
breadth of the New York exchange under ``DATE,ADVANCES,DECLINES`` in ``AD-NYSE.csv``. A row is added by writing the file
anew beside the old one and renaming it, so that a power cut leaves the old or the new file, never half of one. What
always holds: days ascend, a row once written never changes, and writing it again changes nothing.
"""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from adapters.control.files import write_durably
from adapters.history.csv_files import load_symbol
from adapters.history.csv_table import CsvRow, read_table
from bot.domain.checks import require_positive
from bot.domain.errors import HistoryError, InvalidValueError
from bot.domain.evidence import BreadthSeries, DailySeries
from bot.domain.instrument import AD_NYSE

BREADTH_SYMBOL: Final = AD_NYSE.symbol
BREADTH_COLUMNS: Final = ("DATE", "ADVANCES", "DECLINES")
CLOSE_SYMBOLS: Final = ("SPX", "RUT", "SPY", "IWM")
"""The closes that the confirmations read."""

_WHICH_HOLDS: Final = "remove the file's row if it is the wrong one, or correct the source"


@dataclass(frozen=True, slots=True)
class DailyStore:
    """The files of one folder; every call reads or writes them afresh. One writer at a time."""

    folder: Path

    def record_close(self, symbol: str, day: date, close: float) -> bool:
        """Write one close, index points or USD; return whether it is new.

        Raises:
            InvalidValueError: The close is no level.
            HistoryError: The store has another close for the day, or is already past it, or cannot be read.
            OSError: The file cannot be written; the old one still stands.
        """
        if symbol not in CLOSE_SYMBOLS:
            raise InvalidValueError(f"symbol must be one of {', '.join(CLOSE_SYMBOLS)}, was {symbol!r}")
        require_positive(close=close)
        series = self.closes(symbol)
        rows = () if series is None else series.rows
        return self._append(
            symbol, ("DATE", symbol), [(on, _cells(level)) for on, level in rows], (day, _cells(float(close)))
        )

    def record_breadth(self, day: date, advances: int, declines: int) -> bool:
        """Write one session's advancing and declining issues; return whether they are new.

        Raises:
            InvalidValueError: Counts that no session has.
            HistoryError: The store has other counts for the day, or is already past it, or cannot be read.
            OSError: The file cannot be written; the old one still stands.
        """
        new = BreadthSeries(symbol=BREADTH_SYMBOL, rows=((day, advances, declines),))
        series = self.breadth()
        rows = () if series is None else series.rows
        return self._append(
            BREADTH_SYMBOL,
            BREADTH_COLUMNS,
            [(on, _cells(up, down)) for on, up, down in rows],
            (new.rows[0][0], _cells(*new.rows[0][1:])),
        )

    def closes(self, symbol: str) -> DailySeries | None:
        """Return the closes of a symbol, None while none is stored.

        Raises:
            HistoryError: The file is wrong; the one line says where and what to do.
        """
        if not self._path(symbol).exists():
            return None
        rows = load_symbol(self.folder, symbol)
        return DailySeries(symbol=symbol, rows=tuple((row.day, row.close) for row in rows))

    def breadth(self) -> BreadthSeries | None:
        """Return advances and declines, None while none are stored.

        Raises:
            HistoryError: The file is wrong; the one line says where and what to do.
        """
        path = self._path(BREADTH_SYMBOL)
        return read_breadth(path) if path.exists() else None

    def _path(self, symbol: str) -> Path:
        return self.folder / f"{symbol}.csv"

    def _append(
        self, symbol: str, header: tuple[str, ...], rows: list[tuple[date, str]], new: tuple[date, str]
    ) -> bool:
        path = self._path(symbol)
        day, cells = new
        stored = dict(rows)
        if day in stored:
            if stored[day] == cells:
                return False
            raise HistoryError(f"{path}: holds {stored[day]} for {day}, was given {cells}; {_WHICH_HOLDS}")
        if rows and day < rows[-1][0]:
            raise HistoryError(
                f"{path}: ends on {rows[-1][0]}, was given {day}, expected a later day; add earlier rows by hand"
            )
        self.folder.mkdir(parents=True, exist_ok=True)
        lines = [",".join(header), *(f"{on.isoformat()},{text}" for on, text in [*rows, new])]
        write_durably(path, "\n".join(lines) + "\n")
        return True


def read_breadth(path: Path) -> BreadthSeries:
    """Return advances and declines of a file with the columns ``DATE,ADVANCES,DECLINES``, or the same in small letters.

    Raises:
        HistoryError: The file cannot be read or one of its cells is wrong; the one line says where and what to do.
    """
    table = read_table(path)
    small = tuple(name.lower() for name in BREADTH_COLUMNS)
    table.require_columns(BREADTH_COLUMNS, small)
    rows: list[tuple[date, int, int]] = []
    for row in table.rows:
        rows.append(_breadth_row(row, table.header, rows[-1][0] if rows else None))
    if not rows:
        raise HistoryError(f"{path}: found no row below the header, expected one a session; remove the file or fill it")
    return BreadthSeries(symbol=BREADTH_SYMBOL, rows=tuple(rows))


def continued(imported: DailySeries, own: DailySeries) -> DailySeries:
    """Return an imported history with the rows of the own store that come after it.

    Where both have a day the imported close holds: it is the publisher's.

    Raises:
        InvalidValueError: They are of different symbols.
    """
    if imported.symbol != own.symbol:
        raise InvalidValueError(f"histories of one symbol continue each other, were {imported.symbol} and {own.symbol}")
    last = imported.rows[-1][0] if imported.rows else date.min
    return DailySeries(symbol=own.symbol, rows=(*imported.rows, *(row for row in own.rows if row[0] > last)))


def joined(stated: BreadthSeries, own: BreadthSeries) -> BreadthSeries:
    """Return the breadth of a file with the days of the own store that it lacks.

    On a day that both have the file's counts hold: they are a publisher's final ones, the own ones are those that were
    shown last.
    """
    days = {row[0]: row for row in (*own.rows, *stated.rows)}
    return BreadthSeries(symbol=own.symbol, rows=tuple(days[day] for day in sorted(days)))


def _breadth_row(row: CsvRow, columns: tuple[str, ...], before: date | None) -> tuple[date, int, int]:
    date_column, advances_column, declines_column = columns
    day = row.day(date_column)
    if before is not None and day <= before:
        raise row.wrong(date_column, f"a date after {before}", "sort the rows by date, oldest first, each date once")
    advances, declines = row.count(advances_column), row.count(declines_column)
    if advances + declines == 0:
        raise row.wrong_row("neither advances nor declines, expected some of them", "remove the row")
    return day, advances, declines


def _cells(*values: float) -> str:
    """Numbers in the shortest form that reads back the same."""
    return ",".join(repr(value) for value in values)
