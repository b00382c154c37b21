"""How much the sleeve may decay a day: at most half of what the condors earn, asked before anything new is bought (M7).

How it works: the sleeve's decay is the time decay of everything that it holds, by the model at the middle of the
quotes. It stands against the larger of the condors' own theta and their credit spread over their original days: the
theta of a condor turns negative when it is breached, just when the hedge is wanted. What always holds: figures are USD
per calendar day, decay and earnings both positive; what cannot be valued makes the budget unknown.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from bot.domain.checks import require_finite
from bot.domain.expiries import has_settled
from bot.domain.instrument import Instrument, Kind
from bot.domain.portfolio import Book, Cohort, Condor, Position
from bot.hedging.temporal.settings import TemporalSettings
from bot.valuation import VIX_OPTION_CLASSES, Unvalued, Valuer


@dataclass(frozen=True, slots=True, kw_only=True)
class ThetaBudget:
    """What the sleeve decays and what it may decay, USD per calendar day.

    Attributes:
        decay_usd_per_day: Of the sleeve as it is held; positive is lost.
        condor_theta_usd_per_day: Of the condors; positive is earned, negative when they are breached.
        credit_usd_per_day: Their credit over their original days.
        limit_usd_per_day: What the decay may not exceed.
    """

    decay_usd_per_day: float
    condor_theta_usd_per_day: float
    credit_usd_per_day: float
    limit_usd_per_day: float

    def __post_init__(self) -> None:
        """Reject figures that could not be compared."""
        require_finite(
            decay=self.decay_usd_per_day,
            condor_theta=self.condor_theta_usd_per_day,
            credit=self.credit_usd_per_day,
            limit=self.limit_usd_per_day,
        )

    @property
    def room_usd_per_day(self) -> float:
        """What may be added to the decay; negative where it is above its limit already."""
        return self.limit_usd_per_day - self.decay_usd_per_day

    def allows(self, added_usd_per_day: float) -> bool:
        """Return whether new overlay of this decay may be bought; exactly the limit passes, and so does no decay."""
        return added_usd_per_day <= 0.0 or added_usd_per_day <= self.room_usd_per_day

    def most_units(self, wanted: int, each_usd_per_day: float) -> int:
        """Return how many of the wanted units of new overlay fit, each of this decay; 0 where none does."""
        if self.allows(wanted * each_usd_per_day):
            return wanted
        fitting = max(0.0, self.room_usd_per_day) / each_usd_per_day  # infinite where one hardly decays
        return math.floor(min(float(wanted), fitting))

    def words(self, added_usd_per_day: float = 0.0) -> str:
        """Return the judgement in one sentence, with its figures."""
        decay = self.decay_usd_per_day + added_usd_per_day
        verdict = "within" if self.allows(added_usd_per_day) else "above"
        return (
            f"the sleeve decays {decay:.2f} USD a day, {verdict} the {self.limit_usd_per_day:.2f} allowed "
            f"(condor theta {self.condor_theta_usd_per_day:.2f}, credit per original day {self.credit_usd_per_day:.2f})"
        )


def theta_budget(book: Book, valuer: Valuer, settings: TemporalSettings, today: date) -> ThetaBudget | Unvalued:
    """Return the budget of a book: ``limit = max_decay_frac x max(condor theta, credit per original day)``.

    It gates new overlay alone. What is held above the limit stays: drift never forces a sale of protection.

    Args:
        book: Positions, condors and their cohorts.
        valuer: Values them at the middle of their quotes.
        settings: The fraction.
        today: New York date; a cohort that has settled earns nothing any more.

    Source: docs/methodology.md, M7.
    """
    decay = sleeve_decay_usd_per_day(book.positions.values(), valuer)
    theta = condor_theta_usd_per_day(book.condors, valuer)
    if isinstance(decay, Unvalued):
        return decay
    if isinstance(theta, Unvalued):
        return theta
    credit = float(credit_usd_per_day(book.cohorts, today))
    return ThetaBudget(
        decay_usd_per_day=decay,
        condor_theta_usd_per_day=theta,
        credit_usd_per_day=credit,
        limit_usd_per_day=settings.max_decay_frac * max(theta, credit),
    )


def sleeve_decay_usd_per_day(positions: Iterable[Position], valuer: Valuer) -> float | Unvalued:
    """Return what the VIX options among some positions lose a calendar day, USD; negative where time works for them.

    A future has no time value and adds nothing; what has settled decays no more.

    Source: docs/methodology.md, M7.
    """
    held = ((position.instrument, position.quantity) for position in positions)
    theta = _theta_usd(
        (
            (instrument, quantity)
            for instrument, quantity in held
            if instrument.kind is Kind.OPTION and instrument.trading_class in VIX_OPTION_CLASSES
        ),
        valuer,
    )
    return theta if isinstance(theta, Unvalued) else -theta


def condor_theta_usd_per_day(condors: Iterable[Condor], valuer: Valuer) -> float | Unvalued:
    """Return what the condors earn a calendar day with all else unchanged, USD; negative when they are breached.

    Source: docs/methodology.md, M7.
    """
    signs = (1, -1, -1, 1)
    contracts = ((leg, sign * condor.count) for condor in condors for leg, sign in zip(condor.legs, signs, strict=True))
    return _theta_usd(contracts, valuer)


def credit_usd_per_day(cohorts: Iterable[Cohort], today: date) -> Decimal:
    """Return the credit of the open cohorts over their original days, USD per calendar day; a day counts as one.

    Source: docs/methodology.md, M7.
    """
    return sum(
        (
            cohort.credit_usd / max(1, (cohort.settlement - cohort.opened_on).days)
            for cohort in cohorts
            if cohort.settlement >= today
        ),
        Decimal(0),
    )


def _theta_usd(contracts: Iterable[tuple[Instrument, int]], valuer: Valuer) -> float | Unvalued:
    total = 0.0
    for instrument, quantity in contracts:
        if has_settled(instrument, valuer.snapshot.now):
            continue
        valued = valuer.value(instrument)
        if isinstance(valued, Unvalued):
            return valued
        total += quantity * valued.theta_usd_per_day
    return total
