"""The column forms in which daily histories are published, told apart by their headers alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class CsvForm:
    """Where the levels stand in a row; None where the form has closes only. The date always stands first."""

    name: str
    columns: int
    close: int
    open: int | None = None
    high: int | None = None
    low: int | None = None
    has_holidays: bool = False
    """FRED writes a row without a level, `.` or nothing, for a weekday without trading."""


CBOE_RANGES: Final = ("DATE", "OPEN", "HIGH", "LOW", "CLOSE")
YAHOO_RANGES: Final = ("Date", "Close", "High", "Low", "Open", "Volume")
_FRED_DATES: Final = ("DATE", "observation_date")

_OTHER_NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "SPX": ("GSPC", "SP500"),
    "VIX3M": ("VXVCLS",),
    "VVIX": (),
}
"""Names under which Yahoo and FRED publish an index, beside its own and its own with CLS."""


def form_of(symbol: str, header: Sequence[str]) -> CsvForm | None:
    """Return the form of a file of one symbol, None when its header is none of them.

    A header that names another index is none of them: a file under the wrong name must not be read.
    """
    names = {symbol, f"{symbol}CLS", *_OTHER_NAMES.get(symbol, ())}
    match tuple(header):
        case header if header == CBOE_RANGES:
            return CsvForm(name="Cboe", columns=5, open=1, high=2, low=3, close=4)
        case header if header == YAHOO_RANGES:
            return CsvForm(name="Yahoo", columns=6, close=1, high=2, low=3, open=4)
        case ("Date", name) if name.startswith("^") and name[1:] in names:
            return CsvForm(name="Yahoo closes", columns=2, close=1)
        case ("DATE", name) if name == symbol:
            return CsvForm(name="Cboe closes", columns=2, close=1)
        case (day, name) if day in _FRED_DATES and name in names:
            return CsvForm(name="FRED", columns=2, close=1, has_holidays=True)
    return None


def headers_known_for(symbol: str) -> str:
    """List the headers that `form_of` accepts, for a message."""
    return (
        f"{','.join(CBOE_RANGES)} or DATE,{symbol} (Cboe), DATE or observation_date,{symbol}CLS (FRED), "
        f"{','.join(YAHOO_RANGES)} or Date,^{symbol} (Yahoo)"
    )
