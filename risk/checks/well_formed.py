"""The order has one of the shapes that this version knows, and a sale sells what its layer holds."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from bot.domain.decision import Checked, Rule
from bot.domain.instrument import Instrument, Kind, Right, Side
from bot.domain.orders import Leg, OrderIntent
from bot.domain.products import shares_in_lots
from risk.scene import Scene
from risk.wings import is_roll, roll_fault

MOST_DIGITS = 12
"""A price or size with more digits than this is an accident, not an order."""


@dataclass(frozen=True, slots=True)
class WellFormed:
    """C19: fails unless an order buys a call, debit call spread, future or shares, rolls a wing, or closes.

    A purchase pays. Shares are bought only where the account holds none but those of our own lots. A sale mirrors lots
    of its own layer, in no more units than they have left: calls of the base are never sold for the overlay by mistake.
    The only other closing order buys back contracts that are held short. The roll of a wing sells the long leg of
    condors, of no more than hold it, and buys one further out.

    Control: C19.
    Standard: RTS 6 15(1), house rule: fail closed.
    Unit: a shape.
    Limits: none.
    """

    rule: Rule = Rule.WELL_FORMED

    def check(self, intent: OrderIntent, scene: Scene) -> Checked:
        """Judge the shape alone."""
        fault = _number_fault(intent) or _shape_fault(intent, scene)
        return Checked.holds(
            rule=self.rule, passed=not fault, found=fault or intent.purpose, limit="a known shape", note=fault
        )


def _number_fault(intent: OrderIntent) -> str:
    if type(intent.quantity) is not int:
        return "the quantity is no whole number"
    for number in (Decimal(intent.quantity), intent.limit, intent.worst_cost_usd):
        if not number.is_finite() or number.adjusted() >= MOST_DIGITS:
            return "a number is not finite or absurdly large"
    return ""


def _shape_fault(intent: OrderIntent, scene: Scene) -> str:
    if is_roll(intent):
        return roll_fault(intent.legs) or _holding_fault(intent, scene)
    return _build_fault(intent, scene) if intent.purpose.buys_hedge else _unwind_fault(intent, scene)


def _holding_fault(intent: OrderIntent, scene: Scene) -> str:
    """Why the wing that a roll sells is not there to be sold."""
    (wing,) = (leg.instrument.key for leg in intent.legs if leg.side is Side.SELL)
    wings = ((condor, (condor.long_put.key, condor.long_call.key)) for condor in scene.snapshot.book.condors)
    held = sum(condor.count for condor, keys in wings if wing in keys)
    return "" if intent.quantity <= held else f"{held} condors hold the wing that is sold"


def _build_fault(intent: OrderIntent, scene: Scene) -> str:
    if intent.limit <= 0:
        return "a purchase pays"
    legs = intent.legs
    if [leg for leg in legs if leg.ratio != 1]:
        return "ratios other than one are not known"
    if len(legs) == 1:
        bought = legs[0].instrument
        fits = legs[0].side is Side.BUY and (bought.kind in (Kind.FUTURE, Kind.STOCK) or _is_call(bought))
        return _others_fault(bought, scene) if fits else "a single leg is a call, a future or shares, bought"
    return "" if _is_debit_call_spread(legs) else "a combo is a call spread whose long leg has the lower strike"


def _others_fault(bought: Instrument, scene: Scene) -> str:
    """Shares have no settlement to tell them apart by: what somebody else has bought cannot be told from our own."""
    book = scene.snapshot.book
    is_mixed = bought.kind is Kind.STOCK and book.quantity(bought.key) != shares_in_lots(book, bought.key)
    return "the account does not hold exactly the shares of our own lots" if is_mixed else ""


def _is_debit_call_spread(legs: Sequence[Leg]) -> bool:
    bought = [leg.instrument for leg in legs if leg.signed_ratio > 0]
    sold = [leg.instrument for leg in legs if leg.signed_ratio < 0]
    if len(bought) != 1 or len(sold) != 1:
        return False
    long, short = bought[0], sold[0]
    same = (long.trading_class, long.settlement) == (short.trading_class, short.settlement)
    if not same or not _is_call(long) or not _is_call(short) or long.strike is None or short.strike is None:
        return False
    return long.strike < short.strike


def _is_call(instrument: Instrument) -> bool:
    return instrument.right is Right.CALL  # which only an option has


def _unwind_fault(intent: OrderIntent, scene: Scene) -> str:
    if not scene.closes_only(intent):
        return "a sale is of what the lots of its layer hold, else it buys back what is held short"
    return "buying back pays" if scene.buys_back(intent) and intent.limit <= 0 else ""
