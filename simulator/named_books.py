"""Opening books by name or from a file: cash alone, condors with their sleeve, shares beside them, or stated ones."""

import tomllib
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Final, TypeVar

from bot.domain.errors import ConfigError
from bot.domain.instrument import Kind, Right
from simulator.books import BookPlan, StatedPosition

_MIXED_SHARES: Final = StatedPosition(kind=Kind.STOCK, symbol="SPY", trading_class="SPY", quantity=200)
BOOKS: Final[Mapping[str, BookPlan]] = {
    "flat": BookPlan(condors=0),
    "condor": BookPlan(),
    "mixed": replace(BookPlan(), stated=(_MIXED_SHARES,)),
}
"""By name; ``mixed`` holds 200 SPY beside the condor book."""

_Meaning = TypeVar("_Meaning")
_POSITION_KEYS: Final = frozenset({"kind", "symbol", "class", "expiry", "strike", "right", "quantity", "price"})
_BOOK_KEYS: Final = frozenset({"cash_usd", "position"})


def book_named(text: str) -> BookPlan:
    """Return the plan of a name, or of a TOML file by its path.

    A file has ``cash_usd`` and any number of ``[[position]]`` tables: kind (STK, OPT, FUT), symbol, class (the symbol
    unless stated), expiry (settlement, YYYY-MM-DD), strike, right (C or P), quantity (signed), and price in points
    (the opening middle unless stated).

    Raises:
        ConfigError: No such name or file, or what is in the file makes no book; says where, what was expected and how
            to mend it.
    """
    if text in BOOKS:
        return BOOKS[text]
    path = Path(text)
    if path.suffix != ".toml":
        raise ConfigError(f"book {text!r}: expected one of {', '.join(BOOKS)} or a file whose name ends in .toml")
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"book {text}: cannot be read ({error.strerror}); check the path") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"book {text}: is not TOML ({error}); mend the file") from error
    return _plan_of(content, text)


def _plan_of(content: Mapping[str, object], where: str) -> BookPlan:
    _require_known(content, _BOOK_KEYS, where)
    if "cash_usd" not in content:
        raise ConfigError(f"{where}: cash_usd is missing; add for example cash_usd = 100000")
    cash = _decimal(content["cash_usd"], f"{where}: cash_usd")
    rows = content.get("position", [])
    if not isinstance(rows, list):
        raise ConfigError(f"{where}: position must be tables written as [[position]], found {type(rows).__name__}")
    stated = tuple(_position(row, f"{where}: position {number}") for number, row in enumerate(rows, start=1))
    return BookPlan(condors=0, cash_usd=cash, stated=stated)


def _position(row: object, where: str) -> StatedPosition:
    if not isinstance(row, Mapping):
        raise ConfigError(f"{where}: expected a table, found {row!r}")
    _require_known(row, _POSITION_KEYS, where)
    symbol = _text(row, "symbol", where)
    return StatedPosition(
        kind=_one_of({each.value: each for each in (Kind.STOCK, Kind.OPTION, Kind.FUTURE)}, row, "kind", where),
        symbol=symbol,
        trading_class=_text(row, "class", where) if "class" in row else symbol,
        settlement=_day(row["expiry"], f"{where}: expiry") if "expiry" in row else None,
        strike=_decimal(row["strike"], f"{where}: strike") if "strike" in row else None,
        right=_one_of({each.value: each for each in Right}, row, "right", where) if "right" in row else None,
        quantity=_quantity(row, where),
        price=_decimal(row["price"], f"{where}: price") if "price" in row else None,
    )


def _require_known(table: Mapping[str, object], known: frozenset[str], where: str) -> None:
    unknown = sorted(set(table) - known)
    if unknown:
        raise ConfigError(f"{where}: unknown key {unknown[0]!r}, expected one of {', '.join(sorted(known))}")


def _text(row: Mapping[str, object], key: str, where: str) -> str:
    value = row.get(key)
    if not isinstance(value, str) or not value:
        raise ConfigError(f"{where}: {key} must be text, found {value!r}")
    return value


def _quantity(row: Mapping[str, object], where: str) -> int:
    value = row.get("quantity")
    if not isinstance(value, int) or isinstance(value, bool) or value == 0:
        raise ConfigError(f"{where}: quantity must be a whole number other than zero, found {value!r}")
    return value


def _decimal(value: object, where: str) -> Decimal:
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        number = Decimal("NaN")
    if isinstance(value, bool) or not number.is_finite() or number < 0:
        raise ConfigError(f"{where} must be a number that is not negative, found {value!r}")
    return number


def _day(value: object, where: str) -> date:
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError as error:
        raise ConfigError(f"{where} must be a day as YYYY-MM-DD, found {value!r}") from error


def _one_of(known: Mapping[str, _Meaning], row: Mapping[str, object], key: str, where: str) -> _Meaning:
    value = row.get(key)
    if not isinstance(value, str) or value not in known:
        raise ConfigError(f"{where}: {key} must be one of {', '.join(known)}, found {value!r}")
    return known[value]
