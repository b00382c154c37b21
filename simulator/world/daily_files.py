"""Reads what the estimates look at: a folder of daily files, and one of VX futures, one file a contract."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Final

import pandas as pd

from bot.domain.errors import HistoryError
from simulator.world.levels import DailyLevel

FUTURES_PREFIX: Final = "VX_"


def daily_levels(folder: Path, symbol: str) -> tuple[DailyLevel, ...]:
    """Return the days of a symbol, ascending, from ``SYMBOL.csv`` or ``SYMBOL_History.csv``; none without a file.

    The first column is the date (mm/dd/yyyy or yyyy-mm-dd); close is the column of that name or the only other one.
    Days without a number are left out.

    Raises:
        HistoryError: The file is no table of daily levels.
    """
    path = next((each for each in (folder / f"{symbol}.csv", folder / f"{symbol}_History.csv") if each.is_file()), None)
    if path is None:
        return ()
    try:
        frame = pd.read_csv(path)
        frame.columns = [str(name).strip().lower() for name in frame.columns]
        close = "close" if "close" in frame.columns else frame.columns[1]
        columns = [close, *(["open"] if "open" in frame.columns else [])]
        days = pd.to_datetime(frame.iloc[:, 0]).dt.date
        values = frame[columns].apply(pd.to_numeric, errors="coerce")
    except (OSError, ValueError, IndexError) as error:
        raise HistoryError(f"{path}: no table of daily levels ({error}); take the publisher's file as it is") from error
    known = values[close].gt(0)
    opens = values["open"] if "open" in values.columns else [None] * len(values)
    rows = zip(days, values[close], opens, known, strict=True)
    return tuple(
        DailyLevel(day=day, close=float(level), open=float(opened) if opened and opened > 0 else None)
        for day, level, opened, is_known in rows
        if is_known
    )


def settlements(folder: Path) -> Mapping[date, tuple[tuple[date, float], ...]]:
    """Return the settlement prices of VX contracts by their settlement day: (trade date, points), ascending.

    Files are named ``VX_YYYY-MM-DD.csv`` with columns Trade Date and Settle; a price of zero is none.

    Raises:
        HistoryError: A file is no table of settlement prices.
    """
    found = {}
    for path in sorted(folder.glob(f"{FUTURES_PREFIX}*.csv")):
        try:
            settles_on = date.fromisoformat(path.stem.removeprefix(FUTURES_PREFIX))
            frame = pd.read_csv(path, usecols=["Trade Date", "Settle"])
            days = pd.to_datetime(frame["Trade Date"]).dt.date
        except (OSError, ValueError) as error:
            raise HistoryError(f"{path}: no settlement prices ({error}); take the exchange's file as it is") from error
        rows = zip(days, frame["Settle"], strict=True)
        found[settles_on] = tuple((day, float(price)) for day, price in rows if price > 0)
    return found
