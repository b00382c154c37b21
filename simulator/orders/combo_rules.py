"""What the broker asks of a combo; sources: docs/ib/hazards.md, sections 2.3 and 6."""

from collections import Counter
from decimal import Decimal
from typing import Final

from bot.domain.instrument import Kind
from simulator.orders.rejection import (
    COMBO_INVALID,
    NO_GOOD_AFTER_FOR_COMBOS,
    NO_LEAST_QUANTITY_FOR_COMBOS,
    NO_OCA_FOR_COMBOS,
    UNSUPPORTED_TYPE,
    Rejection,
)
from simulator.venue import OrderType, VenueOrder

COMBO_TYPES: Final = frozenset({OrderType.LIMIT, OrderType.MARKET, OrderType.STOP, OrderType.STOP_LIMIT})
_SMART: Final = "SMART"
_MOST_PRICED_LEGS: Final = 2


def refused_combo(order: VenueOrder) -> Rejection | None:
    """Return the first rule of combos that an order breaks, or None; a single contract breaks none."""
    if not order.is_combo:
        return None
    return _bad_legs(order) or _bad_type(order) or _bad_prices(order) or (_bad_on_smart(order))


def _bad_legs(order: VenueOrder) -> Rejection | None:
    """Each contract once; nothing of one clearing house beside another; futures and options not guaranteed."""
    contracts = Counter(leg.instrument for leg in order.legs)
    if max(contracts.values()) > 1:
        return Rejection(text="A combo may name each contract once only", code=COMBO_INVALID)
    kinds = {leg.instrument.kind for leg in order.legs}
    if not {Kind.FUTURE, Kind.OPTION} <= kinds:
        return None
    if "VIX" in {leg.instrument.symbol for leg in order.legs}:
        return Rejection(text="VIX futures and options cannot share a combo", code=COMBO_INVALID)
    if order.non_guaranteed:
        return None
    return Rejection(text="A guaranteed combo cannot hold options beside futures", code=COMBO_INVALID)


def _bad_type(order: VenueOrder) -> Rejection | None:
    if order.order_type in COMBO_TYPES and not order.algo:
        return None
    found = order.algo or order.order_type.value
    return Rejection(text=f"Unsupported order type {found} for a combo", code=UNSUPPORTED_TYPE)


def _bad_prices(order: VenueOrder) -> Rejection | None:
    """Prices for each leg: of two-legged non-guaranteed combos alone, and their sum is the limit."""
    if len(order.legs) > _MOST_PRICED_LEGS and order.non_guaranteed and order.exchange == _SMART:
        return Rejection(text=f"A combo of {len(order.legs)} legs must be guaranteed", code=COMBO_INVALID)
    if all(price is None for price in order.leg_prices):
        return None
    if len(order.legs) > _MOST_PRICED_LEGS or not order.non_guaranteed:
        return Rejection(text="Prices per leg need a non-guaranteed combo of two legs", code=COMBO_INVALID)
    if len(order.leg_prices) != len(order.legs):
        return Rejection(
            text=f"Expected {len(order.legs)} leg prices, found {len(order.leg_prices)}", code=COMBO_INVALID
        )
    rows = zip(order.legs, order.leg_prices, strict=True)
    total = sum(((price or Decimal(0)) * leg.ratio * leg.side.sign for leg, price in rows), Decimal(0))
    if order.limit is None or None in order.leg_prices or total == order.limit:
        return None
    return Rejection(text=f"The leg prices sum to {total}, not to the limit {order.limit}", code=COMBO_INVALID)


def _bad_on_smart(order: VenueOrder) -> Rejection | None:
    """Smart-routed combos know no good-after time, no least quantity and no one-cancels-all group."""
    if order.exchange != _SMART:
        return None
    if order.good_after is not None:
        return Rejection(text="Good-after time is not supported for smart combo orders", code=NO_GOOD_AFTER_FOR_COMBOS)
    if order.min_quantity:
        return Rejection(text="Smart combo orders have no minimum quantity", code=NO_LEAST_QUANTITY_FOR_COMBOS)
    if order.oca_group:
        return Rejection(text="Smart combo orders cannot be in an OCA group", code=NO_OCA_FOR_COMBOS)
    return None
