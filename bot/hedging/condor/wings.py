"""Widening a condor's wings when the sleeve has carried the book out of its band on the short side (M8).

How it works: rolling a long put further out sells index delta that is short, so the book leans less. Each roll of one
to three strikes is measured; among those within the limits of the cycle the one that adds the least loss and still
reaches the band is taken, else the one that comes nearest to it. Long calls are taken only where no long put passes.
What always holds: a roll is one BAG order of two legs, short legs are never touched, and every way that fell out says
why.

A long call rolled out gives up delta that is long: it takes a book that leans short further out, and so is refused by
the figures. It is measured all the same, because the record is where an operator looks for it.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import ROUND_FLOOR, Decimal
from typing import Final

from bot.domain.checks import require_not_negative, require_positive, require_text
from bot.domain.condors import MULTIPLIER, largest_loss_usd
from bot.domain.fees import FeeSchedule
from bot.domain.instrument import Instrument, Right, Side
from bot.domain.orders import Leg, Purpose
from bot.domain.portfolio import Cohort, Condor
from bot.hedging.condor.lean import Lean
from bot.hedging.construction import order_price
from bot.hedging.settings import HedgeSettings
from bot.valuation import Unvalued, Valuer

NOTHING: Final = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class WingBounds:
    """How far wings may go: the gate's own fractions, so that no plan asks for what the gate refuses.

    Attributes:
        band_frac: Half the band of M10 over the condors' maximum loss at entry.
        width_rise_frac: Of a wing's width at entry.
        loss_rise_frac: Of the maximum loss at entry.
        most_strikes_out: Listed strikes.
        least_minutes_between: From one roll, filled or not, to the next.
        edge_minutes: At both ends of a session, in which the gate lets no order through.
    """

    band_frac: float
    width_rise_frac: float
    loss_rise_frac: float
    most_strikes_out: int
    least_minutes_between: float
    edge_minutes: float

    def __post_init__(self) -> None:
        """Reject bounds that are none."""
        require_positive(
            band_frac=self.band_frac,
            width_rise_frac=self.width_rise_frac,
            loss_rise_frac=self.loss_rise_frac,
            most_strikes_out=self.most_strikes_out,
        )
        require_not_negative(least_minutes_between=self.least_minutes_between, edge_minutes=self.edge_minutes)


@dataclass(frozen=True, slots=True, kw_only=True)
class WingRoll:
    """One way to widen, with its figures and, where it fell out, the reason.

    Attributes:
        condor: Before the roll.
        legs: Sold and bought, of one unit: one condor's wing.
        units: Condors whose wing is moved.
        gain_usd_per_spx_percent: Of all units; positive leans the book back.
        loss_rise_usd: By which the maximum loss of the cohort grows: the wider wings, the debit and the fees.
        cost_usd: By which the credit of the cohort falls: the debit, if there is one, and the fees.
        limit: Points per unit, positive paid; 0 where it could not be priced.
        half_width_points: Half the spread of the roll's quotes.
        middle_points: The net middle of those quotes, signed as the limit; None where it was not priced.
        rejected: Why it fell out; empty when it passed.
    """

    condor: Condor
    legs: tuple[Leg, ...]
    units: int = 0
    gain_usd_per_spx_percent: float = 0.0
    loss_rise_usd: Decimal = NOTHING
    cost_usd: Decimal = NOTHING
    limit: Decimal = NOTHING
    half_width_points: Decimal = NOTHING
    middle_points: Decimal | None = None
    rejected: str = ""

    @property
    def name(self) -> str:
        """Class, expiry and the strikes that are sold and bought."""
        moves = ", ".join(
            f"{leg.side} {leg.instrument.strike} {leg.instrument.right}" for leg in self.legs if leg.instrument.strike
        )
        return f"{self.condor.trading_class} {self.condor.settlement} {moves}"

    @property
    def words(self) -> str:
        """What it would do, for the record."""
        if self.rejected:
            return f"{self.name}: {self.rejected}"
        return (
            f"{self.name} at {self.limit}: {self.units} condors, delta {self.gain_usd_per_spx_percent:+.0f} USD per "
            f"+1 % SPX, maximum loss up by {self.loss_rise_usd} USD"
        )

    def cut_to(self, units: int) -> "WingRoll":
        """Return the same roll of fewer condors."""
        part = Decimal(units) / self.units
        return replace(
            self,
            units=units,
            gain_usd_per_spx_percent=self.gain_usd_per_spx_percent * float(part),
            loss_rise_usd=self.loss_rise_usd * part,
            cost_usd=self.cost_usd * part,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Widening:
    """A roll that helps, with every way that was considered."""

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

    valuer: Valuer
    listed: tuple[Instrument, ...]  # index options that may be bought
    bounds: WingBounds
    pricing: HedgeSettings  # collar and ticks of the limit
    fees: FeeSchedule

    def widening(self, lean: Lean) -> Widening | NoWidening:
        """Return the roll that leans the book back into its band, or why none is made.

        Where a person has approved a roll that still passes, it is that one, and no more of it than was approved.

        Args:
            lean: Where the book stands; unknown deltas have no lean, and nothing is asked then.

        Source: docs/methodology.md, M8; margin and stress limits are the gate's.
        """
        obstacle = self._obstacle(lean)
        if obstacle:
            return NoWidening(why=obstacle)
        condors = self.valuer.snapshot.book.condors
        puts = tuple(roll for condor in condors for roll in self._rolls(condor, condor.long_put, lean.missing))
        calls = tuple(roll for condor in condors for roll in self._rolls(condor, condor.long_call, lean.missing))
        considered = (*puts, *calls)
        chosen = self._approved(considered) or _best_of(puts, lean.missing) or _best_of(calls, lean.missing)
        if chosen is None:
            why = considered[0].rejected if considered else "no strike is listed beyond the wings"
            return NoWidening(why=why, considered=considered)
        return Widening(roll=chosen, considered=considered, words=_words(chosen, lean))

    def _obstacle(self, lean: Lean) -> str:
        book = self.valuer.snapshot.book
        if lean.missing <= 0.0:
            return "the book is inside its band, or leans long"
        if not lean.is_the_sleeves_doing:
            return "the condors alone lean short: that is no matter of their wings"
        if book.unmatched:
            return "SPX option positions fit no condor: nothing is widened until they do"
        if any(order.may_fill and order.intent.purpose is Purpose.WING_ROLL for order in book.orders.values()):
            return "the roll of a wing is still working"
        if self._is_at_an_end():
            return "the session begins or ends: no wing is moved"
        pause = timedelta(minutes=self.bounds.least_minutes_between)
        if book.last_roll_at is not None and self.valuer.snapshot.now - book.last_roll_at < pause:
            return f"a wing was rolled, or tried to be, less than {self.bounds.least_minutes_between:g} minutes ago"
        return "" if book.condors else "no condors are held"

    def _is_at_an_end(self) -> bool:
        session, now = self.valuer.snapshot.session, self.valuer.snapshot.now
        edge = timedelta(minutes=self.bounds.edge_minutes)
        return session is None or not session.opens_at + edge <= now < session.closes_at - edge

    def _approved(self, rolls: Sequence[WingRoll]) -> WingRoll | None:
        snapshot = self.valuer.snapshot
        for roll in rolls:
            most = snapshot.proposals.most_of(Purpose.WING_ROLL, roll.legs, snapshot.now)
            if most and not roll.rejected:
                return roll.cut_to(min(most, roll.units))
        return None

    def _rolls(self, condor: Condor, wing: Instrument, missing: float) -> Iterator[WingRoll]:
        """One wing of a condor one to three listed strikes further out, modest ones first."""
        outward = -1 if wing.right is Right.PUT else 1
        same = [
            one
            for one in self.listed
            if (one.trading_class, one.settlement, one.right) == (wing.trading_class, wing.settlement, wing.right)
            and outward * (_strike(one) - _strike(wing)) > 0
        ]
        same.sort(key=lambda one: outward * _strike(one))
        for further in same[: self.bounds.most_strikes_out]:
            legs = (Leg(instrument=wing, side=Side.SELL), Leg(instrument=further, side=Side.BUY))
            yield self._measured(condor, legs, missing)

    def _measured(self, condor: Condor, legs: tuple[Leg, ...], missing: float) -> WingRoll:
        """One way with its figures, in as many units as are needed and allowed."""
        roll = WingRoll(condor=condor, legs=legs)
        cohort = next((one for one in self.valuer.snapshot.book.cohorts if one.name == condor.cohort), None)
        if cohort is None or not cohort.put_wing_points or not cohort.call_wing_points:
            return replace(roll, rejected="how wide the condors were opened is not known")
        unit = self.valuer.unit(legs)
        priced = order_price(legs, self.valuer, self.pricing)
        if isinstance(unit, Unvalued) or isinstance(priced, Unvalued):
            return replace(roll, rejected=getattr(unit, "reason", "") or getattr(priced, "reason", ""))
        each, after = unit.usd_per_spx_percent, _widened(condor, legs)
        fault = self._width_fault(after, legs, cohort) if each > 0.0 else "it leans the book no less"
        if not fault and priced.limit * priced.mid <= 0:
            fault = "its quotes do not say whether it pays or brings money"
        if fault:
            return replace(roll, rejected=fault)
        cost = max(NOTHING, priced.limit * MULTIPLIER) + self.fees.of_legs(legs)
        rise = (after.widest_wing_points - condor.widest_wing_points) * MULTIPLIER + cost
        units = min(condor.count, math.ceil(missing / each), self._units_by_loss(rise, cohort))
        return replace(
            roll,
            units=units,
            gain_usd_per_spx_percent=units * each,
            loss_rise_usd=units * rise,
            cost_usd=units * cost,
            limit=priced.limit,
            half_width_points=priced.width / 2,
            middle_points=priced.mid,
            rejected="" if units else "even one would take the maximum loss too far for this cycle",
        )

    def _width_fault(self, after: Condor, legs: Sequence[Leg], cohort: Cohort) -> str:
        """Whether the wing that is moved would grow too wide; the other one never stands in the way."""
        most = 1 + Decimal(repr(self.bounds.width_rise_frac))
        is_put = legs[0].instrument.right is Right.PUT
        if is_put and after.put_wing_points > most * cohort.put_wing_points:
            return "the put wing would grow beyond its share of this cycle"
        if not is_put and after.call_wing_points > most * cohort.call_wing_points:
            return "the call wing would grow beyond its share of this cycle"
        return ""

    def _units_by_loss(self, rise_usd: Decimal, cohort: Cohort) -> int:
        """How many of the condors may lose so much more each."""
        condors = (one for one in self.valuer.snapshot.book.condors if one.cohort == cohort.name)
        most = (1 + Decimal(repr(self.bounds.loss_rise_frac))) * cohort.maximum_loss_usd
        room = max(NOTHING, most - largest_loss_usd(condors, cohort.credit_usd))
        return int((room / rise_usd).to_integral_value(ROUND_FLOOR))


def _best_of(rolls: Sequence[WingRoll], missing: float) -> WingRoll | None:
    """The least rise in loss among those that reach the band, else the largest gain; ties go to the modest one."""
    passed = [roll for roll in rolls if not roll.rejected]
    reaching = [roll for roll in passed if roll.gain_usd_per_spx_percent >= missing]
    if reaching:
        return min(reaching, key=lambda roll: (roll.loss_rise_usd, roll.name))
    return max(passed, key=lambda roll: roll.gain_usd_per_spx_percent, default=None)


def _widened(condor: Condor, legs: Sequence[Leg]) -> Condor:
    """The condor after a roll."""
    bought = next(leg.instrument for leg in legs if leg.side is Side.BUY)
    return replace(condor, long_put=bought) if bought.right is Right.PUT else replace(condor, long_call=bought)


def _strike(option: Instrument) -> Decimal:
    return option.strike or NOTHING


def _words(roll: WingRoll, lean: Lean) -> str:
    after = lean.book + roll.gain_usd_per_spx_percent
    reached = "inside" if after >= -lean.half_width else "still outside"
    return (
        f"{roll.units} condors, {roll.name} at {roll.limit}: delta {lean.book:.0f} to {after:.0f} USD per +1 % SPX, "
        f"{reached} the band of {lean.half_width:.0f}; maximum loss rises by {roll.loss_rise_usd} USD"
    )
