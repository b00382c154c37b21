"""Evidence for or against a blowout: the answers of the confirmations, the conviction, and what both are read from.

What always holds: a confirmation that cannot be read is an `Abstention` with its reason in words, never an evidence of
0, and every input carries the day that it belongs to.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from itertools import pairwise
from typing import Final

from bot.domain.checks import require_finite, require_not_negative, require_positive, require_text
from bot.domain.errors import InvalidValueError

DailyValue = tuple[date, float]
"""A day and the level or rate at its end."""


class ConfirmationName(StrEnum):
    """The six confirmations (M3, M12)."""

    RELATIVE_STRENGTH = "relative_strength"
    MOMENTUM_DIVERGENCE = "momentum_divergence"
    BREADTH_DIVERGENCE = "breadth_divergence"
    COST_OF_CAPITAL = "cost_of_capital"
    PRICE_TO_CASH_FLOW = "price_to_cash_flow"
    ACID_TEST = "acid_test"


PRICE_BASED: Final = frozenset(
    {
        ConfirmationName.RELATIVE_STRENGTH,
        ConfirmationName.MOMENTUM_DIVERGENCE,
        ConfirmationName.BREADTH_DIVERGENCE,
    }
)
"""They move with every session; the others are slow."""


class Stance(StrEnum):
    """What a conviction says of the episode."""

    SUPPORTS = "supports"
    WEAK = "weak"
    CONTRADICTS = "contradicts"
    UNKNOWN = "unknown"
    """Too few confirmations could be read."""


class WeakConviction(StrEnum):
    """What is done while a conviction is weak or unknown (M3)."""

    MINIMUM = "minimum"
    """The least increment."""
    PROPOSE = "propose"
    """Nothing without the operator: a proposal is published."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """One confirmation's answer: +1 says that small-cap stress is genuine, -1 that it is not.

    ``as_of`` is the day of the newest input that all parts of the formula have; ``words`` tells the figures.
    """

    name: ConfirmationName
    evidence: float
    as_of: date
    words: str

    def __post_init__(self) -> None:
        """Reject an evidence outside its range and an answer without words."""
        require_text(words=self.words)
        _require_unit_range(evidence=self.evidence)


@dataclass(frozen=True, slots=True, kw_only=True)
class Abstention:
    """A confirmation that could not be read, with the reason and what would cure it."""

    name: ConfirmationName
    why: str

    def __post_init__(self) -> None:
        """Reject silence."""
        require_text(why=self.why)


Reading = Confirmation | Abstention


@dataclass(frozen=True, slots=True, kw_only=True)
class Conviction:
    """The weighted mean of the confirmations that did not abstain, in [-1, 1]; None exactly where it is UNKNOWN."""

    read_on: date
    value: float | None
    stance: Stance
    readings: tuple[Reading, ...]
    words: str

    def __post_init__(self) -> None:
        """Reject a figure without a stance, a stance without a figure, and one confirmation heard twice."""
        require_text(words=self.words)
        if (self.value is None) != (self.stance is Stance.UNKNOWN):
            raise InvalidValueError(
                f"a conviction has no value exactly when it is unknown, was {self.value} with {self.stance}"
            )
        if self.value is not None:
            _require_unit_range(conviction=self.value)
        _require_once([reading.name for reading in self.readings], "readings")


@dataclass(frozen=True, slots=True, kw_only=True)
class DailySeries:
    """Closes of one symbol, ascending by day; index points or USD, positive."""

    symbol: str
    rows: tuple[DailyValue, ...]

    def __post_init__(self) -> None:
        """Reject a close that nothing could have, and days out of order."""
        require_text(symbol=self.symbol)
        _require_ascending([day for day, _ in self.rows], self.symbol)
        require_positive(**{f"{self.symbol} of {day}": close for day, close in self.rows})


@dataclass(frozen=True, slots=True, kw_only=True)
class RateSeries:
    """An interest rate or spread in percent (4.25 is 4.25 %), ascending by day; it may be zero or negative."""

    name: str
    rows: tuple[DailyValue, ...]

    def __post_init__(self) -> None:
        """Reject a rate that is no number, and days out of order."""
        require_text(name=self.name)
        _require_ascending([day for day, _ in self.rows], self.name)
        require_finite(**{f"{self.name} of {day}": percent for day, percent in self.rows})


@dataclass(frozen=True, slots=True, kw_only=True)
class BreadthSeries:
    """Advancing and declining issues of one exchange at each close, ascending by day: (day, advances, declines)."""

    symbol: str
    rows: tuple[tuple[date, int, int], ...]

    def __post_init__(self) -> None:
        """Reject counts below zero, a day on which nothing moved, and days out of order."""
        require_text(symbol=self.symbol)
        _require_ascending([day for day, _, _ in self.rows], self.symbol)
        for day, advances, declines in self.rows:
            require_not_negative(**{f"advances of {day}": advances, f"declines of {day}": declines})
            if advances + declines == 0:
                raise InvalidValueError(f"{self.symbol} of {day}: neither advances nor declines; leave the day out")


@dataclass(frozen=True, slots=True, kw_only=True)
class CapitalRates:
    """What capital costs, day by day; without a series of its own the equity risk premium is that of the settings."""

    risk_free: RateSeries
    credit_spread: RateSeries
    equity_risk_premium: RateSeries | None = None


class CashFlowMeasure(StrEnum):
    """Which cash a share is compared with."""

    OPERATING_CASH_FLOW = "operating_cash_flow"
    FUNDS_FROM_OPERATIONS = "funds_from_operations"
    """What REITs publish: net income without depreciation of property and gains on sales."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CashFlowPerShare:
    """Cash of the twelve months to ``period_end``, USD per share, as known from ``known_on`` on; negative is a loss."""

    symbol: str
    measure: CashFlowMeasure
    period_end: date
    known_on: date
    usd: float

    def __post_init__(self) -> None:
        """Reject a figure that is no number or was known before its period ended."""
        require_text(symbol=self.symbol)
        require_finite(usd=self.usd)
        _require_known_after(self.symbol, self.period_end, self.known_on)


class QuickRatioForm(StrEnum):
    """How the liquid part of the current assets is told."""

    LESS_INVENTORY = "less_inventory"
    """Current assets without inventory."""
    CASH_AND_RECEIVABLES = "cash_and_receivables"
    """Cash, short-term investments and receivables."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuickRatio:
    """Liquid assets over current liabilities at ``period_end``, as known from ``known_on`` on; 1.2 is 1.2 times."""

    symbol: str
    form: QuickRatioForm
    period_end: date
    known_on: date
    ratio: float

    def __post_init__(self) -> None:
        """Reject a ratio below zero or one that was known before its period ended."""
        require_text(symbol=self.symbol)
        require_not_negative(ratio=self.ratio)
        _require_known_after(self.symbol, self.period_end, self.known_on)


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingFigure:
    """A figure of a company that its source does not hold, with the reason."""

    symbol: str
    why: str

    def __post_init__(self) -> None:
        """Reject silence."""
        require_text(symbol=self.symbol, why=self.why)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fundamentals:
    """Figures of companies in any order; a restatement is a second figure of one period, known later."""

    cash_flows: tuple[CashFlowPerShare, ...] = ()
    quick_ratios: tuple[QuickRatio, ...] = ()
    missing: tuple[MissingFigure, ...] = ()

    def __post_init__(self) -> None:
        """Reject two figures for one period that were known on the same day: which of them holds?"""
        _require_once([(c.symbol, c.measure, c.period_end, c.known_on) for c in self.cash_flows], "cash flows")
        _require_once([(q.symbol, q.form, q.period_end, q.known_on) for q in self.quick_ratios], "quick ratios")

    def why_missing(self, symbol: str) -> str:
        """Return every reason told for a symbol, empty without one."""
        return "; ".join(sorted({one.why for one in self.missing if one.symbol == symbol}))


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceInputs:
    """All that the confirmations read, as the shell delivers it once a session; what it lacks makes them abstain.

    Attributes:
        histories: Closes by symbol: SPX, RUT, SPY, IWM and the configured names. They hold only what was known at
            delivery; rows after the day of a reading are not looked at.
        live: Last levels by symbol on ``live_on``, the close so far of that session. They come straight from the
            market and are not validated here: one that is no level makes its confirmation abstain.
        live_on: The session of ``live``; on any other day ``live`` counts for nothing.
        breadth: Advances and declines of NYSE issues.
        capital: Rates for the cost of capital.
        fundamentals: Figures of companies.
        satellite_names: Symbols of small-cap shares that the account holds.
    """

    histories: Mapping[str, DailySeries] = field(default_factory=dict)
    live: Mapping[str, float] = field(default_factory=dict)
    live_on: date | None = None
    breadth: BreadthSeries | None = None
    capital: CapitalRates | None = None
    fundamentals: Fundamentals = field(default_factory=Fundamentals)
    satellite_names: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        """Reject a history under another symbol's name, and live levels without their day."""
        for symbol, series in self.histories.items():
            if series.symbol != symbol:
                raise InvalidValueError(
                    f"histories[{symbol!r}] must hold its own closes, were those of {series.symbol}"
                )
        if self.live and self.live_on is None:
            raise InvalidValueError("live_on must name the session of the live levels, was None")


def _require_unit_range(**numbers: float) -> None:
    require_finite(**numbers)
    for name, number in numbers.items():
        if not -1.0 <= number <= 1.0:
            raise InvalidValueError(f"{name} must lie between -1 and 1, was {number}")


def _require_ascending(days: Sequence[date], name: str) -> None:
    for before, day in pairwise(days):
        if day <= before:
            raise InvalidValueError(f"{name}: rows must ascend by day, each day once; {day} follows {before}")


def _require_once(keys: Iterable[object], name: str) -> None:
    seen = set()
    for key in keys:
        if key in seen:
            raise InvalidValueError(f"{name} must not name one thing twice, found a second {key}")
        seen.add(key)


def _require_known_after(symbol: str, period_end: date, known_on: date) -> None:
    if known_on < period_end:
        raise InvalidValueError(f"{symbol}: known_on must not precede the period's end {period_end}, was {known_on}")
