"""The condors as they would be after the roll of a wing, with every roll on its way filled (M8)."""

from collections.abc import Iterable, Sequence
from decimal import Decimal

from bot.domain.condors import CondorBook, recognise_condors
from bot.domain.fees import FeeSchedule, up_to_cent
from bot.domain.instrument import Instrument, InstrumentKey, Right, Side
from bot.domain.orders import Leg, OrderIntent, Purpose
from bot.domain.portfolio import Book, Position

Rolls = Iterable[tuple[OrderIntent, int]]
"""Orders with the units of them that are meant."""


def is_roll(intent: OrderIntent) -> bool:
    """Return whether an order moves a wing of the condors."""
    return intent.purpose is Purpose.WING_ROLL


def group_of(intent: OrderIntent) -> str:
    """Return the name of the cohort that a roll belongs to: class and settlement of its first leg."""
    instrument = intent.legs[0].instrument
    return f"{instrument.trading_class}:{instrument.settlement}"


def roll_cost_usd(intent: OrderIntent, quantity: int, fees: FeeSchedule) -> Decimal:
    """Return by how much a roll lowers its cohort's credit at worst: its debit at the limit, and the fees; USD.

    What a roll brings counts for nothing, so that it never pays for the fees.

    Source: docs/methodology.md, M8 and M9.
    """
    debit = max(Decimal(0), intent.limit * intent.multiplier * quantity)
    stated = intent.worst_cost_usd * quantity / intent.quantity
    return up_to_cent(max(debit + fees.of_intent(intent, quantity), stated))


def condors_after(book: Book, rolls: Rolls) -> CondorBook:
    """Return the condors that are recognised once some rolls have filled, and what then fits none."""
    instruments: dict[InstrumentKey, Instrument] = {}
    held: dict[InstrumentKey, int] = {}
    for key, position in book.positions.items():
        instruments[key], held[key] = position.instrument, position.quantity
    for intent, units in rolls:
        for leg in intent.legs:
            key = leg.instrument.key
            instruments[key] = leg.instrument
            held[key] = held.get(key, 0) + leg.signed_ratio * units
    return recognise_condors(Position(instrument=instruments[key], quantity=held[key]) for key in held if held[key])


def roll_fault(legs: Sequence[Leg]) -> str:
    """Return why some legs are no roll of a wing, empty where they are: one long leg sold, one further out bought."""
    sold = [leg.instrument for leg in legs if leg.side is Side.SELL]
    bought = [leg.instrument for leg in legs if leg.side is Side.BUY]
    if len(sold) != 1 or len(bought) != 1 or any(leg.ratio != 1 for leg in legs):
        return "the roll of a wing sells one option and buys one"
    old, new = sold[0], bought[0]
    same = (old.trading_class, old.settlement, old.right) == (new.trading_class, new.settlement, new.right)
    if not same or old.strike is None or new.strike is None:
        return "the roll of a wing stays in its class, settlement and right"
    is_further = new.strike < old.strike if old.right is Right.PUT else new.strike > old.strike
    return "" if is_further else "a wing is rolled further out, never nearer"
