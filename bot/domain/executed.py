"""What a day's own executions add up to: how often each pattern executed, and what they paid beyond the middle.

A pattern is purpose, layer and legs, whatever size and price: an order that is planned again and again is one pattern.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from bot.domain.ledger import trade_date
from bot.domain.orders import Fill, FillPart, Order, OrderIntent, Purpose
from bot.domain.portfolio import Executed

NOTHING: Final = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """From when executions count: all of the day, unless a person has lifted a restraint since."""

    repeats_after: datetime | None = None
    slippage_after: datetime | None = None


def pattern_of(intent: OrderIntent) -> str:
    """Return the pattern of an order in words: the same for the same purpose, layer, contracts, sides and ratios."""
    legs = sorted([f"{leg.signed_ratio:+d} {leg.instrument.key}" for leg in intent.legs])
    return f"{intent.purpose} of {intent.layer}: {', '.join(legs)}"


def executed_on(day: date, orders: Iterable[Order], fills: Iterable[Fill], counted: Counted) -> Executed:
    """Return what our own orders executed on a New York day, whatever the order in which the executions came.

    An order counts once, however many parts it filled in; what a person has signed to sell repeats nothing. Slippage is
    what each part paid beyond the middle of the quotes at which its order was decided; a part that was cheaper takes
    nothing off. Where an order does not say its middle, half its spread stands for it.

    Source: docs/risk-controls.md, C7 and C12.
    """
    known: dict[str, OrderIntent] = {order.intent.intent_id: order.intent for order in orders}
    repeated: dict[str, set[str]] = {}
    slippage = NOTHING
    for fill in fills:
        intent = known.get(fill.order_ref)
        if intent is None or fill.part is FillPart.LEG or trade_date(fill.at) != day:
            continue
        is_own = intent.purpose is not Purpose.FLATTEN
        if is_own and (counted.repeats_after is None or fill.at > counted.repeats_after):
            repeated.setdefault(pattern_of(intent), set()).add(intent.intent_id)
        if counted.slippage_after is None or fill.at > counted.slippage_after:
            slippage += slippage_usd(intent, fill.side.sign * fill.price, fill.quantity)
    return Executed(times={name: len(ids) for name, ids in repeated.items()}, slippage_usd=slippage)


def slippage_usd(intent: OrderIntent, paid: Decimal, units: int) -> Decimal:
    """Return what some units pay beyond the middle at which their order was decided, USD, never below zero.

    Args:
        intent: The order.
        paid: Net points per unit: positive paid, negative received.
        units: How many.
    """
    beyond = intent.half_width_points if intent.middle_points is None else paid - intent.middle_points
    return max(NOTHING, beyond) * intent.multiplier * units
