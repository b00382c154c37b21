"""Whether the exchange takes an order: one small rule per reason, each answering with the broker's kind of text."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from bot.domain.instrument import Instrument
from simulator.venue import OrderType, Tif, VenueLeg, VenueOrder
from simulator.world.quotes import rule_of

TIMES_IN_FORCE: Final = frozenset({Tif.DAY, Tif.GTC})

MOST_UNITS: Final = 1_000_000
"""No order here is larger; it keeps every amount within exact arithmetic."""
MOST_RATIO: Final = 1_000
HIGHEST_PRICE: Final = Decimal(1_000_000)
"""Points; no contract here is worth as much."""

NO_DEFINITION: Final = 200
REJECTED: Final = 201
DUPLICATE_ID: Final = 103
CHANGE_DOES_NOT_MATCH: Final = 105
OFF_TICK: Final = 110
"""The broker's codes, docs/ib/hazards.md, section 2."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """Why an order is not taken; ``code`` is the broker's number for it."""

    text: str
    code: int = REJECTED


def refusal_of(
    order: VenueOrder, *, account: str, is_listed: Callable[[Instrument], bool], is_open: bool
) -> Rejection | None:
    """Return the first reason against an order, or None when it is taken.

    Args:
        order: As placed or as changed.
        account: The account of this exchange.
        is_listed: Whether a contract is known and may be ordered.
        is_open: Whether the session is on; a limit order placed outside it rests.
    """
    return (
        _wrong_account(order, account)
        or _unknown_contract(order, is_listed)
        or _bad_size(order)
        or _bad_type(order, is_open=is_open)
        or _off_tick(order)
    )


def refusal_of_change(before: VenueOrder, after: VenueOrder, *, filled: int) -> Rejection | None:
    """Return why a working order may not be changed so: only price, type and size may change, not below the filled."""
    if (before.legs, before.side, before.account) != (after.legs, after.side, after.account):
        return Rejection(code=CHANGE_DOES_NOT_MATCH, text="Order being modified does not match original order")
    if 0 < after.quantity < filled:
        return Rejection(text=f"Order size {after.quantity} is below the filled quantity {filled}")
    return None


def tick_of(order: VenueOrder, price: Decimal) -> Decimal:
    """Return the increment of an order's price: the class's own, for a combo the coarsest of its legs' net grids."""
    rules = [rule_of(leg.instrument) for leg in order.legs]
    return max(rule.combo_tick for rule in rules) if order.is_combo else rules[0].tick_at(price)


def _wrong_account(order: VenueOrder, account: str) -> Rejection | None:
    if order.account in {account, ""}:
        return None
    return Rejection(text=f"The account code {order.account} is not valid here, expected {account}")


def _unknown_contract(order: VenueOrder, is_listed: Callable[[Instrument], bool]) -> Rejection | None:
    if not order.legs:
        return Rejection(code=NO_DEFINITION, text="No security definition has been found: an order without legs")
    for leg in order.legs:
        if not is_listed(leg.instrument):
            return Rejection(code=NO_DEFINITION, text=f"No security definition has been found for {leg.instrument.key}")
    return None


def _bad_size(order: VenueOrder) -> Rejection | None:
    if not 0 < order.quantity <= MOST_UNITS:
        return Rejection(text=f"Order size {order.quantity:.10g} must be above zero and at most {MOST_UNITS}")
    if not all(0 < leg.ratio <= MOST_RATIO for leg in order.legs):
        return Rejection(text=f"Every leg of a combo needs a ratio from 1 to {MOST_RATIO}")
    return _repeated_leg(order.legs)


def _repeated_leg(legs: tuple[VenueLeg, ...]) -> Rejection | None:
    if len({leg.instrument for leg in legs}) == len(legs):
        return None
    return Rejection(text="A combo may name each contract once only")


def _bad_type(order: VenueOrder, *, is_open: bool) -> Rejection | None:
    if order.tif not in TIMES_IN_FORCE:
        return Rejection(text=f"Time in force {order.tif.value!r} is not supported, expected DAY or GTC")
    if order.order_type is OrderType.MARKET and not is_open:
        return Rejection(text="Market orders are not accepted outside regular trading hours")
    if order.order_type is OrderType.LIMIT and (order.limit is None or not order.limit.is_finite()):
        return Rejection(text="A limit order needs a limit price")
    return None


def _off_tick(order: VenueOrder) -> Rejection | None:
    if order.order_type is OrderType.MARKET or order.limit is None:
        return None
    if abs(order.limit) > HIGHEST_PRICE:
        return Rejection(text=f"Limit price {order.limit:.10g} is beyond {HIGHEST_PRICE}")
    if order.limit <= 0 and not order.is_combo:
        return Rejection(text=f"Limit price {order.limit} must be above zero")
    tick = tick_of(order, order.limit)
    if order.limit % tick == 0:
        return None
    return Rejection(
        code=OFF_TICK,
        text=f"The price does not conform to the minimum price variation for this contract: {order.limit}, tick {tick}",
    )
