"""The internal rate of return of dated flows (XIRR): one yearly rate, or in words why there is not exactly one.

How it works: the present value of the flows is scanned over all rates from -99.99 % to some 100,000-fold a year. Where
it changes sign once there is one rate, which is then solved for. Where it changes sign never or more than once there
is none that could be told without a guess: flows that change direction several times can have several rates.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from bot.domain.checks import require_finite, require_positive
from bot.domain.errors import InvalidValueError

DAYS_PER_YEAR: Final = 365.0
_LOWEST: Final = math.log(0.0001)  # the logarithm of one plus the rate: -99.99 % a year
_HIGHEST: Final = math.log(100_000.0)
_STEPS: Final = 4_096  # of 0.5 % of one plus the rate: two rates nearer to each other than that are not told apart

_SMALLEST_STEP: Final = 1e-14  # of that logarithm


class CapitalBase(StrEnum):
    """What a return is measured on; a report states it beside the rate."""

    MARGIN = "margin"
    MAXIMUM_LOSS = "maximum loss"


@dataclass(frozen=True, slots=True, kw_only=True)
class DatedFlow:
    """Money on a day, USD: positive is received, negative is paid in."""

    day: date
    usd: Decimal

    def __post_init__(self) -> None:
        """Reject an amount that is no number."""
        require_finite(usd=self.usd)


@dataclass(frozen=True, slots=True, kw_only=True)
class Irr:
    """The one rate of some flows, a fraction per year of 365 days (0.37 is 37 %), and what it rests on in words."""

    rate: float
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NoIrr:
    """Some flows have no rate, or more than one, and why."""

    why: str


def xirr(flows: Iterable[DatedFlow]) -> Irr | NoIrr:
    """Return the rate at which the flows are worth nothing: ``sum CF / (1 + r)^(days / 365) = 0``.

    Args:
        flows: Any order; those of one day count together.

    Source: docs/methodology.md, M15; the definition of the spreadsheet function XIRR.
    """
    days, amounts = _by_day(flows)
    if not amounts:
        return NoIrr(why="no flow differs from zero: there is nothing to have a return")
    if min(amounts) >= 0.0 or max(amounts) <= 0.0:
        way = "received and nothing paid in" if amounts[0] > 0.0 else "paid in and nothing received"
        return NoIrr(why=f"money is only {way}: no rate makes that worth nothing")
    changes = sum((before > 0.0) != (after > 0.0) for before, after in pairwise(amounts))
    brackets = _brackets(days, amounts)
    often = "once" if changes == 1 else f"{changes} times"
    turns = f"{len(amounts)} flows from {days[0]} to {days[-1]}, which change direction {often}"
    if not brackets:
        return NoIrr(why=f"no rate from -99.99 % to 100,000-fold a year solves {turns}")
    if len(brackets) > 1:
        rates = ", ".join(f"{100.0 * _solved(days, amounts, bracket):.2f} %" for bracket in brackets)
        return NoIrr(why=f"{len(brackets)} rates solve {turns}: {rates}; none of them is the return")
    return Irr(rate=_solved(days, amounts, brackets[0]), words=turns)


def flows_on_capital(
    results: Iterable[DatedFlow], *, capital_usd: Decimal, base: CapitalBase, first: date, last: date
) -> tuple[tuple[DatedFlow, ...], str]:
    """Return results as flows on the capital that they needed, and a sentence that states this capital.

    The capital is paid in on the first day and comes back on the last one.

    Args:
        results: What was earned and spent, from ``first`` to ``last``.
        capital_usd: Positive.
        base: Whether that is margin or maximum loss.
        first: First day, before ``last``.
        last: Last day.

    Raises:
        InvalidValueError: No capital, no time, or a result outside of it.

    Source: docs/methodology.md, M15.
    """
    require_positive(capital_usd=capital_usd)
    earned = tuple(sorted(results, key=lambda flow: flow.day))
    if first >= last:
        raise InvalidValueError(f"a return needs time: first {first} must lie before last {last}")
    if earned and not first <= earned[0].day <= earned[-1].day <= last:
        found = f"{earned[0].day} to {earned[-1].day}"
        raise InvalidValueError(f"results must lie from {first} to {last}, were from {found}")
    paid_in, paid_back = DatedFlow(day=first, usd=-capital_usd), DatedFlow(day=last, usd=capital_usd)
    return (paid_in, *earned, paid_back), f"on {capital_usd:,.2f} USD of {base} from {first} to {last}"


def _by_day(flows: Iterable[DatedFlow]) -> tuple[list[date], list[float]]:
    """Return days and amounts, ascending, one amount a day and none of zero."""
    totals: dict[date, Decimal] = {}
    for flow in flows:
        totals[flow.day] = totals.get(flow.day, Decimal(0)) + flow.usd
    kept = sorted((day, total) for day, total in totals.items() if total)
    return [day for day, _ in kept], [float(total) for _, total in kept]


def _brackets(days: Sequence[date], amounts: Sequence[float]) -> list[tuple[float, float]]:
    """Return the neighbours between which the present value changes sign, as logarithms of one plus the rate."""
    logs = np.linspace(_LOWEST, _HIGHEST, _STEPS + 1)
    signs = _worth(logs, days, amounts) > 0.0
    places = np.flatnonzero(signs[1:] != signs[:-1])
    return [(float(logs[place]), float(logs[place + 1])) for place in places]


def _solved(days: Sequence[date], amounts: Sequence[float], bracket: tuple[float, float]) -> float:
    """Return the rate within a bracket, to the last digits whatever the size of the amounts."""

    def worth(log: float) -> float:
        return float(_worth(np.array([log]), days, amounts)[0])

    return math.expm1(float(brentq(worth, *bracket, xtol=_SMALLEST_STEP)))


def _worth(logs: NDArray[np.float64], days: Sequence[date], amounts: Sequence[float]) -> NDArray[np.float64]:
    """Return present values scaled by what is largest at each rate: sign and zero are right, nothing overflows."""
    years: NDArray[np.float64] = np.array([(day - days[0]).days for day in days]) / DAYS_PER_YEAR
    exponents = -np.outer(logs, years)
    worths: NDArray[np.float64] = np.exp(exponents - exponents.max(axis=1, keepdims=True)) @ np.array(amounts)
    return worths
