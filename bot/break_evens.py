"""Where a cohort of condors breaks even at expiry, net of its hedge, and how far SPX is expected to move by then (M8).

How it works: a cohort's loss at expiry is a straight line between its strikes, so the level at which it has eaten the
credit is found exactly, also for condors with different strikes. What always holds: a plan is judged by what it
**brings**: a break-even that is inside the expected move already never blocks a hedge.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise
from typing import Final

from bot.domain.checks import require_finite, require_not_negative, require_text
from bot.domain.errors import InvalidValueError
from bot.domain.instrument import SPX, VIX, Instrument, Right
from bot.domain.portfolio import Condor
from bot.pricing import DAYS_PER_YEAR
from bot.valuation import Unvalued, Valued, Valuer, days_to_settlement, good_level

MULTIPLIER: Final = 100
"""USD per point of SPX options."""
NEVER: Final = Decimal(-1)
"""USD; no charge is below it."""
ROUNDING_USD: Final = Decimal(1)
"""Far more than what floats lose between a loss and the level at which it is reached."""
MEAN_MOVE: Final = math.sqrt(2.0 / math.pi)
"""Mean of |z| for a standard normal z: what a straddle at the money is worth, in standard deviations."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakEvens:
    """Levels of SPX at expiry between which a cohort gains, in index points; None where that side cannot lose it all.

    ``credit_usd`` is what they were worked out from: the cohort's credit less the cost of its hedge.
    """

    credit_usd: Decimal
    lower: float | None
    upper: float | None

    def __post_init__(self) -> None:
        """Reject break-evens that cross."""
        require_finite(credit_usd=self.credit_usd)
        if self.lower is not None and self.upper is not None and not self.lower < self.upper:
            raise InvalidValueError(f"break-evens ascend, were {self.lower} and {self.upper}")

    def rooms(self, spot: float) -> dict[str, float]:
        """Return how far SPX is from either, points, by side; infinite where a side has none, below zero beyond it."""
        return {
            "lower": math.inf if self.lower is None else spot - self.lower,
            "upper": math.inf if self.upper is None else self.upper - spot,
        }

    @property
    def words(self) -> str:
        """Both levels and the credit behind them."""
        lower = "none below" if self.lower is None else f"{self.lower:.2f}"
        upper = "none above" if self.upper is None else f"{self.upper:.2f}"
        return f"break-evens {lower} and {upper} with {self.credit_usd} USD of credit"


@dataclass(frozen=True, slots=True, kw_only=True)
class NoBreakEvens:
    """A cohort that gains nowhere, or none at all, and why."""

    why: str

    def __post_init__(self) -> None:
        """Reject an absence without a reason."""
        require_text(why=self.why)


class MoveSource(StrEnum):
    """What an expected move was read from."""

    STRADDLE = "straddle"
    VIX = "vix"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedMove:
    """By how many points SPX is expected to move until expiry, up or down."""

    points: float
    source: MoveSource

    def __post_init__(self) -> None:
        """Reject a move that is no distance."""
        require_not_negative(points=self.points)


def break_evens(
    condors: Sequence[Condor], credit_usd: Decimal, hedge_cost_usd: Decimal = Decimal(0)
) -> BreakEvens | NoBreakEvens:
    """Return the break-evens of one cohort: for equal condors ``short put - c`` and ``short call + c``.

    ``c`` is the net credit per condor in points: ``(credit - hedge cost) / (100 x count)``. Call it with a hedge cost
    of zero for the figures before the hedge.

    Args:
        condors: All condors of one class and expiry.
        credit_usd: The cohort's credit, for all of them.
        hedge_cost_usd: What of the hedge is charged to this cohort (M9); it lowers the credit.

    Raises:
        InvalidValueError: Condors of different cohorts.

    Source: docs/methodology.md, M8.
    """
    return payoff_of(condors).break_evens(credit_usd, hedge_cost_usd)


Slopes = tuple[tuple[float, float, float, float], ...]
"""Outward from the innermost short strike: (from, loss there in USD, USD per point, loss at the end in USD)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Payoff:
    """How one cohort loses at expiry, below and above, whatever credit stands against it; ``fault``: it gains nowhere.

    Strikes below count as negative, so that both sides ascend outward.
    """

    below: Slopes = ()
    above: Slopes = ()
    fault: str = ""

    def break_evens(self, credit_usd: Decimal, hedge_cost_usd: Decimal = Decimal(0)) -> BreakEvens | NoBreakEvens:
        """Return where the loss has eaten the credit; see the function of the same name."""
        if self.fault:
            return NoBreakEvens(why=self.fault)
        net = credit_usd - hedge_cost_usd
        if net <= 0:
            spent = f"the hedge costs {hedge_cost_usd} of {credit_usd} USD credit"
            return NoBreakEvens(why=f"{spent}: nothing is left to keep")
        lower, upper = _eaten(self.below, float(net)), _eaten(self.above, float(net))
        return BreakEvens(credit_usd=net, lower=None if lower is None else -lower, upper=upper)

    def harmless_usd(self, credit_usd: Decimal, charged_usd: Decimal, spot: float, reach: float) -> Decimal:
        """Return below which charge, all told, `brings_inside` surely has no objection, USD; below zero for none.

        A break-even stands ``reach`` points away where what is lost there is what is left of the credit. A side that
        is nearer already never blocks, and what is nearer to either than floats are exact is not said to be harmless.

        Args:
            credit_usd: The cohort's credit.
            charged_usd: What it is charged already; more only brings its break-evens nearer.
            spot: SPX, points.
            reach: How near a break-even may not be brought, points, not negative.
        """
        if self.fault:
            return NEVER
        left = float(credit_usd - charged_usd + ROUNDING_USD)
        lost = [one for one in (_lost(self.below, reach - spot), _lost(self.above, spot + reach)) if one <= left]
        return credit_usd - Decimal(repr(max(lost, default=0.0))) - ROUNDING_USD


def payoff_of(condors: Sequence[Condor]) -> Payoff:
    """Return how the condors of one cohort lose at expiry.

    Raises:
        InvalidValueError: Condors of different cohorts.
    """
    if len({(condor.trading_class, condor.settlement) for condor in condors}) > 1:
        raise InvalidValueError("break-evens are those of one cohort: expected condors of one class and expiry")
    if not condors:
        return Payoff(fault="the cohort holds no condor")
    highest_put = max(_strike(condor.short_put) for condor in condors)
    lowest_call = min(_strike(condor.short_call) for condor in condors)
    if highest_put >= lowest_call:
        return Payoff(fault=f"a put is short at {highest_put:g} and a call at {lowest_call:g}: the condors overlap")
    puts = [(-_strike(condor.short_put), -_strike(condor.long_put), condor.count) for condor in condors]
    calls = [(_strike(condor.short_call), _strike(condor.long_call), condor.count) for condor in condors]
    return Payoff(below=_slopes(puts), above=_slopes(calls))


def brings_inside(
    before: BreakEvens | NoBreakEvens,
    after: BreakEvens | NoBreakEvens,
    spot: float,
    move: ExpectedMove,
    moves: float,
) -> str:
    """Return which break-even a plan would bring inside the expected move, in words; empty when it brings none.

    Inside means nearer to spot than ``moves`` times the expected move, or beyond it. One that is inside
    before the plan never blocks, however far the plan takes it.

    Args:
        before: The cohort without the plan.
        after: The cohort with it: its cost charged, its wings as they would be.
        spot: SPX, points, positive.
        move: Expected until the cohort's expiry.
        moves: How many of them a break-even stays away.

    Source: docs/methodology.md, M8.
    """
    if isinstance(before, NoBreakEvens):
        return ""
    if isinstance(after, NoBreakEvens):
        return after.why
    reach = moves * move.points
    rooms_after = after.rooms(spot)
    for name, room_before in before.rooms(spot).items():
        room_after = rooms_after[name]
        if room_after < reach <= room_before:
            return (
                f"the {name} break-even would come within {room_after:.2f} points of SPX at {spot:.2f}, inside the "
                f"expected move of {reach:.2f} ({move.source})"
            )
    return ""


def expected_move(condor: Condor, valuer: Valuer, reach_frac: float) -> ExpectedMove | Unvalued:
    """Return the move of SPX that is expected until a condor settles.

    It is what the straddle of its class and expiry nearest the money costs, where one with two good quotes stands near
    enough; else the mean absolute move that VIX implies, ``SPX x VIX / 100 x sqrt(T) x sqrt(2 / pi)``: a straddle at
    the money prices just that.

    Args:
        condor: Any condor of the cohort.
        valuer: Values the options that are held or listed.
        reach_frac: Of the forward, how near the money a straddle must be struck: a farther one prices more than the
            move.

    Source: docs/methodology.md, M8.
    """
    spot = good_level(valuer.snapshot, SPX.key)
    if isinstance(spot, Unvalued):
        return spot
    straddle = _straddle_points(condor, valuer, reach_frac)
    if straddle is not None:
        return ExpectedMove(points=straddle, source=MoveSource.STRADDLE)
    vix = good_level(valuer.snapshot, VIX.key)
    if isinstance(vix, Unvalued):
        return vix
    years = days_to_settlement(condor.short_put, valuer.snapshot.now) / DAYS_PER_YEAR
    return ExpectedMove(points=spot * vix / 100.0 * math.sqrt(years) * MEAN_MOVE, source=MoveSource.VIX)


def _slopes(spreads: Sequence[tuple[float, float, int]]) -> Slopes:
    """The loss of some spreads (short strike, long strike, count), going outward from the innermost short strike."""
    edges = sorted({strike for short, long, _ in spreads for strike in (short, long)})
    loss, found = 0.0, []
    for near, far in pairwise(edges):
        slope = MULTIPLIER * sum(count for short, long, count in spreads if short <= near < long)
        end = loss + slope * (far - near)
        found.append((near, loss, slope, end))
        loss = end
    return tuple(found)


def _eaten(slopes: Slopes, credit: float) -> float | None:
    """The level, outward, at which the loss reaches a credit."""
    for near, loss, slope, end in slopes:
        if end >= credit:
            return near + (credit - loss) / slope
    return None


def _lost(slopes: Slopes, level: float) -> float:
    """The loss at a level, outward, USD."""
    lost = 0.0
    for near, loss, slope, end in slopes:
        if level > near:
            lost = min(end, loss + slope * (level - near))
    return lost


def _strike(option: Instrument) -> float:
    return float(option.strike or 0)


def _straddle_points(condor: Condor, valuer: Valuer, reach_frac: float) -> float | None:
    """Price of the straddle nearest the money, points; None where none stands within reach."""
    held = (position.instrument for position in valuer.snapshot.book.positions.values())
    known = {one.key: one for one in (*held, *valuer.snapshot.universe.values())}
    sides: dict[Right, dict[float, Valued]] = {Right.PUT: {}, Right.CALL: {}}
    for one in known.values():
        if (one.trading_class, one.settlement) != (condor.trading_class, condor.settlement) or one.right is None:
            continue
        valued = valuer.value(one)
        if isinstance(valued, Valued) and abs(_strike(one) - valued.forward) <= reach_frac * valued.forward:
            sides[one.right][_strike(one)] = valued
    puts, calls = sides[Right.PUT], sides[Right.CALL]
    strikes = sorted(puts.keys() & calls.keys(), key=lambda strike: (abs(strike - calls[strike].forward), strike))
    return puts[strikes[0]].price + calls[strikes[0]].price if strikes else None
