"""Troubles by script or by chance: which, when and on what, read from tables as a TOML file gives them.

```toml
seed = 7                      # of chance; needed with [rates]

[rates]                       # per hour of the floor's time
disconnect = 2.0

[[trouble]]
kind = "reject"               # at once, for it waits for an order by itself
client = 3

[[trouble]]
kind = "data_lost"
after = "5m"                  # of the floor's time, since the gateway began
seconds = "30s"

[[trouble]]
kind = "delay"
at = "10:05:30"               # New York time, of the day on which the gateway began
seconds = "200ms"

[[trouble]]
kind = "disconnect"
on = "fill"                   # or connect, order, cancel: when it happens for the ``nth`` time
nth = 2
```
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time
from enum import StrEnum

from bot.domain.errors import InvalidValueError
from simulator.troubles.kinds import Trouble, duration_s, trouble

_OWN_KEYS = ("kind", "after", "at", "on", "nth")
_MOST_RATE = 36_000.0
"""Ten in a second."""


class Occasion(StrEnum):
    """What a trouble of a script can wait for."""

    CONNECT = "connect"
    ORDER = "order"
    FILL = "fill"
    CANCEL = "cancel"


@dataclass(frozen=True, slots=True, kw_only=True)
class After:
    """So many seconds of the floor's time after the beginning."""

    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class At:
    """A time of the day in New York, on the day of the beginning."""

    time: time


@dataclass(frozen=True, slots=True, kw_only=True)
class On:
    """The ``nth`` time that something happens, from 1."""

    occasion: Occasion
    nth: int = 1


When = After | At | On


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One trouble of a script and when it happens."""

    trouble: Trouble
    when: When


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """Everything that is to go wrong; ``rates`` holds kinds with how often an hour they happen by chance."""

    entries: tuple[Entry, ...] = ()
    rates: tuple[tuple[Trouble, float], ...] = ()
    seed: int = 0


def read_script(tables: Mapping[str, object]) -> Script:
    """Return a script from the tables of a TOML file.

    Raises:
        InvalidValueError: A key, kind or value that is not known, with its place.
    """
    unknown = sorted(set(tables) - {"seed", "rates", "trouble"})
    if unknown:
        raise InvalidValueError(f"unknown {', '.join(unknown)}, expected seed, [rates] and [[trouble]]")
    rates = _rates(tables.get("rates", {}))
    seed = tables.get("seed")
    if rates and not (isinstance(seed, int) and not isinstance(seed, bool) and seed >= 0):
        raise InvalidValueError(f"[rates] needs a seed, a whole number from 0 on, found {seed!r}")
    rows = tables.get("trouble", [])
    if not isinstance(rows, list):
        raise InvalidValueError("trouble: expected [[trouble]] tables")
    entries = tuple(_entry(number, row) for number, row in enumerate(rows, 1))
    return Script(entries=entries, rates=rates, seed=seed if isinstance(seed, int) else 0)


def _entry(number: int, row: object) -> Entry:
    if not isinstance(row, dict) or not isinstance(row.get("kind"), str):
        raise InvalidValueError(f"trouble {number}: expected a table with a kind")
    try:
        settings = {str(key): value for key, value in row.items() if key not in _OWN_KEYS}
        return Entry(trouble=trouble(row["kind"], **settings), when=_when(row))
    except InvalidValueError as error:
        raise InvalidValueError(f"trouble {number}: {error}") from error


def _when(row: Mapping[str, object]) -> When:
    named = [key for key in ("after", "at", "on") if key in row]
    if len(named) > 1:
        raise InvalidValueError(f"expected one of after, at and on, found {' and '.join(named)}")
    if "nth" in row and named != ["on"]:
        raise InvalidValueError("nth belongs to on")
    if named == ["at"]:
        return At(time=_time(row["at"]))
    if named == ["on"]:
        return On(occasion=_occasion(row["on"]), nth=_nth(row.get("nth", 1)))
    return After(seconds=duration_s(str(row.get("after", "0"))))


def _time(given: object) -> time:
    if isinstance(given, time):
        return given
    try:
        return time.fromisoformat(str(given))
    except ValueError:
        raise InvalidValueError(f"at: expected a time such as 10:05 or 10:05:30, found {given!r}") from None


def _occasion(given: object) -> Occasion:
    try:
        return Occasion(str(given))
    except ValueError:
        raise InvalidValueError(f"on: expected one of {', '.join(Occasion)}, found {given!r}") from None


def _nth(given: object) -> int:
    if not isinstance(given, int) or isinstance(given, bool) or given < 1:
        raise InvalidValueError(f"nth: expected a whole number from 1 on, found {given!r}")
    return given


def _rates(given: object) -> tuple[tuple[Trouble, float], ...]:
    if not isinstance(given, Mapping):
        raise InvalidValueError("rates: expected a table of kinds")
    return tuple((trouble(str(name)), _rate(str(name), rate)) for name, rate in given.items())


def _rate(name: str, given: object) -> float:
    if isinstance(given, bool) or not isinstance(given, (int, float)) or not math.isfinite(given):
        raise InvalidValueError(f"rates: {name}: expected a number per hour, found {given!r}")
    if not 0 < given <= _MOST_RATE:
        raise InvalidValueError(f"rates: {name} must be above 0 and at most {_MOST_RATE:g} per hour, was {given}")
    return float(given)
