"""``alvh volindex``: from the CSV file of an option board to its volatility index with every intermediate.

How it works: the header says where each column stands, every row after it must be whole, and the rows of each term
make one board. What always holds: nothing is sorted out, filled or guessed; whatever is wrong is one line.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from adapters.history.csv_table import CsvRow, read_table
from bot.domain.errors import ConfigError, InvalidValueError
from bot.volindex import MINUTES_OF_INDEX, BoardRow, TermVariance, VolatilityIndex, term_variance, volatility_index

PRICES: Final = ("strike", "call_bid", "call_ask", "put_bid", "put_ask")
COLUMNS: Final = ("term", *PRICES)
TERMS: Final = ("near", "next")
_HIGHEST_RATE: Final = 1.0
"""A rate beyond 100 % a year is a percentage where a fraction belongs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TermInput:
    """What a board's file does not say of one term: minutes to settlement, and a rate as a fraction per year."""

    minutes: float
    rate: float


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardIndex:
    """The index of a file and what led to it."""

    index: VolatilityIndex
    near: TermInput
    following: TermInput

    def facts(self) -> Mapping[str, object]:
        """Return every figure in full precision, for JSON."""
        return {
            "index": self.index.points,
            "near": _facts_of(self.index.near, self.near, self.index.near_weight),
            "next": _facts_of(self.index.far, self.following, self.index.far_weight),
        }

    def lines(self) -> Iterator[str]:
        """Yield a table of both terms, numbers with six decimals, and the index as the last line."""
        near = _facts_of(self.index.near, self.near, self.index.near_weight)
        following = _facts_of(self.index.far, self.following, self.index.far_weight)
        yield f"{'':<14}{TERMS[0]:>20}{TERMS[1]:>20}"
        for name in near:
            yield f"{name:<14}{_shown(near[name])}{_shown(following[name])}"
        yield f"{'index':<14}{self.index.points:>20.6f}"


def index_of_file(path: Path, near: TermInput, following: TermInput) -> BoardIndex:
    """Return the index of a board with the columns term, strike, call_bid, call_ask, put_bid, put_ask.

    ``term`` is near or next; a price of 0 is none; further columns are not read.

    Raises:
        ConfigError: The terms do not enclose thirty days, the file cannot be read, or the board has no index; the line
            names file and row where there is one, what was found, what was expected, and the cure.
    """
    _require_terms(near, following)
    boards = _boards_of(path)
    variances = []
    for name, told in zip(TERMS, (near, following), strict=True):
        if not boards[name]:
            raise ConfigError(f"{path}: found no row of the {name} term, expected both near and next; add its rows")
        try:
            variances.append(term_variance(boards[name], minutes=told.minutes, rate=told.rate))
        except InvalidValueError as error:
            raise ConfigError(f"{path}: {name} term: {error}; take a board with quotes around the money") from error
    try:
        index = volatility_index(*variances)
    except InvalidValueError as error:
        raise ConfigError(f"{path}: {error}; such prices have no index, check the board") from error
    return BoardIndex(index=index, near=near, following=following)


def _facts_of(term: TermVariance, told: TermInput, weight: float) -> Mapping[str, float | int]:
    return {
        "minutes": term.minutes,
        "rate": told.rate,
        "T": term.years,
        "F": term.forward,
        "K0": term.at_the_money_strike,
        "options": term.strikes,
        "contributions": term.contributions,
        "sigma2": term.variance,
        "weight": weight,
    }


def _shown(number: float) -> str:
    return f"{number:>20}" if isinstance(number, int) else f"{number:>20.6f}"


def _require_terms(near: TermInput, following: TermInput) -> None:
    for name, told in zip(TERMS, (near, following), strict=True):
        if not 0.0 < told.minutes < math.inf:
            raise ConfigError(f"--minutes-{name} {told.minutes:g}: expected minutes to settlement above 0")
        if not abs(told.rate) <= _HIGHEST_RATE:
            raise ConfigError(f"--rate-{name} {told.rate:g}: expected a fraction per year, for example 0.04 for 4 %")
    if not near.minutes <= MINUTES_OF_INDEX <= following.minutes or near.minutes == following.minutes:
        raise ConfigError(
            f"--minutes-near {near.minutes:g} and --minutes-next {following.minutes:g}: expected the terms to enclose "
            f"thirty days, near <= {MINUTES_OF_INDEX:g} <= next; take the settlements before and after them"
        )


def _boards_of(path: Path) -> Mapping[str, list[BoardRow]]:
    boards: dict[str, list[BoardRow]] = {name: [] for name in TERMS}
    seen: set[tuple[str, float]] = set()
    for row in read_table(path, columns=COLUMNS).rows:
        term = row.text("term")
        if term not in boards:
            raise row.wrong("term", "near or next", "name the two terms so")
        listed = _listed(row)
        if (term, listed.strike) in seen:
            raise row.wrong_row(f"found {term} {listed.strike:g} again, expected each strike once a term", "remove it")
        seen.add((term, listed.strike))
        boards[term].append(listed)
    return boards


def _listed(row: CsvRow) -> BoardRow:
    prices = {name: row.number_of(name) for name in PRICES}
    for name, price in prices.items():
        if price < 0.0:
            raise row.wrong(name, "a number of 0 or more", "write 0 where there is no price")
    if not prices["strike"] > 0.0:
        raise row.wrong("strike", "a strike above 0", "correct the strike")
    for side in ("call", "put"):
        bid, ask = prices[f"{side}_bid"], prices[f"{side}_ask"]
        if bid > ask:
            found = f"found {side} bid {bid:g}, ask {ask:g}, expected bid <= ask"
            raise row.wrong_row(found, "a crossed quote is no market, correct it or remove the row")
    return BoardRow(**prices)
