"""One day of a daily history."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True, kw_only=True)
class DailyRow:
    """What a file says of one day, in index points or USD; open, high and low are None where it has closes only.

    Rows are made by the reader of a file, which refuses a level that is not finite and positive with file and row.
    """

    day: date
    close: float
    open: float | None = None
    high: float | None = None
    low: float | None = None
