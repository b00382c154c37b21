"""Widening a condor's wings when the sleeve has carried the book out of its band on the short side (M8).

How it works: rolling a long put further out sells index delta that is short, so the book leans less. Each roll of one
to three strikes is measured; among those within the limits of the cycle the one that adds the least loss and still
reaches the band is taken, else the one that comes nearest to it. A long call is tried on top where that is not enough.
What always holds: one BAG order, the short legs are never touched, and every way that fell out says why.

A long call rolled out gives up delta that is long: it takes a book that leans short further out, and so is refused by
the figures. It is measured all the same, because the record is where an operator looks for it.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import ROUND_FLOOR, Decimal
from typing import Final

from bot.domain.checks import require_finite, require_positive, require_text
from bot.domain.instrument import Instrument, Right, Side
from bot.domain.orders import Leg
from bot.domain.portfolio import Book, Cohort, Condor
from bot.hedging.condor.settings import CondorSettings, WingMode
from bot.hedging.construction import order_price
from bot.hedging.settings import HedgeSettings
from bot.valuation import Unvalued, Valuer

MULTIPLIER: Final = 100
"""USD per point of SPX options."""
NOTHING: Final = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lean:
    """Where the book leans, USD per +1 % SPX: all of it, the sleeve's part, and half the width of the band (M10)."""

    book: float
    sleeve: float
    half_width: float

    def __post_init__(self) -> None:
        """Reject figures that could not be compared."""
        require_finite(book=self.book, sleeve=self.sleeve)
        require_positive(half_width=self.half_width)

    @property
    def missing(self) -> float:
        """What would bring the book back to the edge of its band; zero or below where it stands inside."""
        return -self.half_width - self.book

    @property
    def is_the_sleeves_doing(self) -> bool:
        """Without the sleeve the book would not be beyond the band on the short side."""
        return self.sleeve < 0.0 and self.book - self.sleeve >= -self.half_width


@dataclass(frozen=True, slots=True, kw_only=True)
class CycleStart:
    """A cohort as it was opened: its widest put and call wing in points, and its maximum loss in USD.

    What was rolled since counts against these figures, so they must outlive a roll and a restart.
    """

    trading_class: str
    settlement: date
    put_wing_points: Decimal
    call_wing_points: Decimal
    maximum_loss_usd: Decimal

    def __post_init__(self) -> None:
        """Reject a cohort that risked nothing."""
        require_text(trading_class=self.trading_class)
        require_positive(
            put_wing_points=self.put_wing_points,
            call_wing_points=self.call_wing_points,
            maximum_loss_usd=self.maximum_loss_usd,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class WingRoll:
    """One way to widen, with its figures and, where it fell out, the reason.

    Attributes:
        condor: Before the roll.
        legs: Sold and bought, of one unit: one condor's wing.
        units: Condors whose wing is moved.
        gain_usd_per_spx_percent: Of all units; positive leans the book back.
        loss_rise_usd: By which the maximum loss of the cohort grows.
        limit: Points per unit, positive paid; 0 where it could not be priced.
        rejected: Why it fell out; empty when it passed.
    """

    condor: Condor
    legs: tuple[Leg, ...]
    units: int
    gain_usd_per_spx_percent: float
    loss_rise_usd: Decimal
    limit: Decimal = NOTHING
    rejected: str = ""

    @property
    def name(self) -> str:
        """Class, expiry and the strikes that are sold and bought."""
        moves = ", ".join(
            f"{leg.side} {leg.instrument.strike} {leg.instrument.right}" for leg in self.legs if leg.instrument.strike
        )
        return f"{self.condor.trading_class} {self.condor.settlement} {moves}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Widening:
    """A roll that helps, what is to become of it, and every way that was considered."""

    mode: WingMode
    roll: WingRoll
    considered: tuple[WingRoll, ...]
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NoWidening:
    """Nothing is widened, and why."""

    why: str
    considered: tuple[WingRoll, ...] = ()

    def __post_init__(self) -> None:
        """Reject an absence without a reason."""
        require_text(why=self.why)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wings:
    """What a widening is worked out with."""

    book: Book
    valuer: Valuer
    listed: tuple[Instrument, ...]  # index options that may be bought
    starts: tuple[CycleStart, ...]
    settings: CondorSettings
    pricing: HedgeSettings  # collar and ticks of the limit

    def widening(self, lean: Lean) -> Widening | NoWidening:
        """Return the roll that leans the book back into its band, or why none is made.

        Args:
            lean: Where the book stands; unknown deltas have no lean, and nothing is asked then.

        Source: docs/methodology.md, M8; margin and stress limits are the gate's.
        """
        obstacle = self._obstacle(lean)
        if obstacle:
            return NoWidening(why=obstacle)
        puts = tuple(roll for condor in self.book.condors for roll in self._put_rolls(condor, lean.missing))
        chosen = _best_of(puts, lean.missing)
        if chosen is None:
            why = puts[0].rejected if puts else "no strike is listed beyond the wings"
            return NoWidening(why=why, considered=puts)
        considered = puts
        if chosen.gain_usd_per_spx_percent < lean.missing:
            calls = tuple(self._call_rolls(chosen, lean.missing))
            considered = (*puts, *calls)
            chosen = _best_of((chosen, *calls), lean.missing) or chosen
        return Widening(mode=self.settings.wings, roll=chosen, considered=considered, words=_words(chosen, lean))

    def _obstacle(self, lean: Lean) -> str:
        if lean.missing <= 0.0:
            return "the book is inside its band, or leans long"
        if not lean.is_the_sleeves_doing:
            return "the condors alone lean short: that is no matter of their wings"
        if self.book.unmatched:
            return "SPX option positions fit no condor: nothing is widened until they do"
        return "" if self.book.condors else "no condors are held"

    def _put_rolls(self, condor: Condor, missing: float) -> Iterator[WingRoll]:
        """The long put of a condor one to three strikes lower, modest ones first."""
        for strike in self._beyond(condor.long_put, outward=-1):
            yield self._measured(condor, _moved(condor.long_put, strike), missing)

    def _call_rolls(self, put_roll: WingRoll, missing: float) -> Iterator[WingRoll]:
        """A put roll with the long call of the same condors one to three strikes higher on top."""
        condor = put_roll.condor
        for strike in self._beyond(condor.long_call, outward=1):
            moved = _moved(condor.long_call, strike)
            alone = self.valuer.unit(moved)
            gain = 0.0 if isinstance(alone, Unvalued) else alone.usd_per_spx_percent
            if gain > 0.0:
                yield self._measured(condor, (*put_roll.legs, *moved), missing)
                continue
            why = (
                alone.reason if isinstance(alone, Unvalued) else "a long call further out leans the book shorter still"
            )
            yield replace(put_roll, legs=(*put_roll.legs, *moved), gain_usd_per_spx_percent=gain, rejected=why)

    def _beyond(self, wing: Instrument, *, outward: int) -> list[Instrument]:
        """The next listed strikes outside a wing, nearest first."""
        same = [
            one
            for one in self.listed
            if (one.trading_class, one.settlement, one.right) == (wing.trading_class, wing.settlement, wing.right)
            and outward * (_strike(one) - _strike(wing)) > 0
        ]
        return sorted(same, key=lambda one: outward * _strike(one))[: self.settings.most_strikes_out]

    def _measured(self, condor: Condor, legs: tuple[Leg, ...], missing: float) -> WingRoll:
        """One way with its figures, in as many units as are needed and allowed."""
        roll = WingRoll(condor=condor, legs=legs, units=0, gain_usd_per_spx_percent=0.0, loss_rise_usd=NOTHING)
        start, cohort = self._start_of(condor), self._cohort_of(condor)
        if start is None or cohort is None:
            return replace(roll, rejected="how wide the condors were opened is not known")
        unit = self.valuer.unit(legs)
        priced = order_price(legs, self.valuer, self.pricing)
        if isinstance(unit, Unvalued) or isinstance(priced, Unvalued):
            return replace(roll, rejected=getattr(unit, "reason", "") or getattr(priced, "reason", ""))
        each = unit.usd_per_spx_percent
        after = _widened(condor, legs)
        fault = self._width_fault(after, legs, start) if each > 0.0 else "it leans the book no less"
        if fault:
            return replace(roll, rejected=fault)
        rise = (after.widest_wing_points - condor.widest_wing_points) * MULTIPLIER
        units = min(condor.count, math.ceil(missing / each), self._units_by_loss(condor, rise, cohort, start))
        return replace(
            roll,
            units=units,
            gain_usd_per_spx_percent=units * each,
            loss_rise_usd=units * rise,
            limit=priced.limit,
            rejected="" if units else "even one would take the maximum loss too far for this cycle",
        )

    def _width_fault(self, after: Condor, legs: Sequence[Leg], start: CycleStart) -> str:
        """Which wing that is moved would grow too wide; a wing that stays as it is never stands in the way."""
        most = 1 + Decimal(repr(self.settings.max_wing_rise_frac))
        moved = {leg.instrument.right for leg in legs}
        put_wing = _strike(after.short_put) - _strike(after.long_put)
        call_wing = _strike(after.long_call) - _strike(after.short_call)
        if Right.PUT in moved and put_wing > most * start.put_wing_points:
            return "the put wing would grow beyond its share of this cycle"
        if Right.CALL in moved and call_wing > most * start.call_wing_points:
            return "the call wing would grow beyond its share of this cycle"
        return ""

    def _units_by_loss(self, condor: Condor, rise_usd: Decimal, cohort: Cohort, start: CycleStart) -> int:
        """How many of the condors may lose so much more each; all of them where the other wing is the wider one."""
        if rise_usd <= 0:
            return condor.count
        most = (1 + Decimal(repr(self.settings.max_loss_rise_frac))) * start.maximum_loss_usd
        room = max(NOTHING, most - cohort.maximum_loss_usd)
        return int((room / rise_usd).to_integral_value(ROUND_FLOOR))

    def _start_of(self, condor: Condor) -> CycleStart | None:
        name = (condor.trading_class, condor.settlement)
        return next((one for one in self.starts if (one.trading_class, one.settlement) == name), None)

    def _cohort_of(self, condor: Condor) -> Cohort | None:
        name = (condor.trading_class, condor.settlement)
        return next((one for one in self.book.cohorts if (one.trading_class, one.settlement) == name), None)


def cycle_starts(condors: Iterable[Condor], cohorts: Iterable[Cohort]) -> tuple[CycleStart, ...]:
    """Return the cohorts as they stand, to be kept as the start of their cycles when they are first seen.

    Source: docs/methodology.md, M8.
    """
    held = tuple(condors)
    starts = []
    for cohort in cohorts:
        own = [one for one in held if (one.trading_class, one.settlement) == (cohort.trading_class, cohort.settlement)]
        if own and cohort.maximum_loss_usd > 0:
            starts.append(
                CycleStart(
                    trading_class=cohort.trading_class,
                    settlement=cohort.settlement,
                    put_wing_points=max(_strike(one.short_put) - _strike(one.long_put) for one in own),
                    call_wing_points=max(_strike(one.long_call) - _strike(one.short_call) for one in own),
                    maximum_loss_usd=cohort.maximum_loss_usd,
                )
            )
    return tuple(starts)


def _best_of(rolls: Sequence[WingRoll], missing: float) -> WingRoll | None:
    """The least rise in loss among those that reach the band, else the largest gain; ties go to the modest one."""
    passed = [roll for roll in rolls if not roll.rejected]
    reaching = [roll for roll in passed if roll.gain_usd_per_spx_percent >= missing]
    if reaching:
        return min(reaching, key=lambda roll: (roll.loss_rise_usd, len(roll.legs), roll.name))
    return max(passed, key=lambda roll: roll.gain_usd_per_spx_percent, default=None)


def _moved(wing: Instrument, further: Instrument) -> tuple[Leg, Leg]:
    return Leg(instrument=wing, side=Side.SELL), Leg(instrument=further, side=Side.BUY)


def _widened(condor: Condor, legs: Sequence[Leg]) -> Condor:
    """The condor after a roll."""
    bought = {leg.instrument.right: leg.instrument for leg in legs if leg.side is Side.BUY}
    return replace(
        condor,
        long_put=bought.get(Right.PUT, condor.long_put),
        long_call=bought.get(Right.CALL, condor.long_call),
    )


def _strike(option: Instrument) -> Decimal:
    return option.strike or NOTHING


def _words(roll: WingRoll, lean: Lean) -> str:
    after = lean.book + roll.gain_usd_per_spx_percent
    reached = "inside" if after >= -lean.half_width else "still outside"
    return (
        f"{roll.units} condors, {roll.name} at {roll.limit}: delta {lean.book:.0f} to {after:.0f} USD per +1 % SPX, "
        f"{reached} the band of {lean.half_width:.0f}; maximum loss rises by {roll.loss_rise_usd} USD"
    )
