"""What each order type and each time in force needs to be taken."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from bot.domain.instrument import Kind
from simulator.orders.algos import KNOWN
from simulator.orders.prices import LIMITED, ON_CLOSE, PEGGED, TRAILING
from simulator.orders.rejection import OFF_TICK, UNKNOWN_ALGO, UNSUPPORTED_TYPE, Rejection
from simulator.orders.view import Venue, tick_of
from simulator.venue import OrderType, Phase, Tif, VenueOrder

HIGHEST_PRICE: Final = Decimal(1_000_000)
"""Points; no contract here is worth as much."""

_AUCTION_TYPES: Final = frozenset({OrderType.LIMIT, OrderType.MARKET})
_IMMEDIATE: Final = frozenset({Tif.IOC, Tif.FOK})
_ALGO_TYPES: Final = frozenset({OrderType.LIMIT, OrderType.MARKET})
_SHARE_TYPES: Final = frozenset({OrderType.MIDPRICE})


def refused_type(order: VenueOrder, venue: Venue) -> Rejection | None:
    """Return why an order's type, prices or time in force cannot be, or None."""
    return _missing(order) or _bad_tif(order, venue) or _bad_algo(order) or _unsupported(order, venue)


def off_tick(order: VenueOrder) -> Rejection | None:
    """Return why one of an order's stated prices cannot be: not positive, absurd, or between two ticks."""
    for name, price in _stated_prices(order):
        if abs(price) > HIGHEST_PRICE:
            return Rejection(text=f"{name} {price:.10g} is beyond {HIGHEST_PRICE}")
        if price <= 0 and not order.is_combo:
            return Rejection(text=f"{name} {price} must be above zero")
        tick = tick_of(order, price)
        if price % tick:
            return Rejection(
                code=OFF_TICK,
                text="The price does not conform to the minimum price variation for this contract: "
                f"{price}, tick {tick}",
            )
    return None


def _stated_prices(order: VenueOrder) -> Iterator[tuple[str, Decimal]]:
    """Yield what must lie on the grid; offsets and trailing amounts need not."""
    if order.order_type is not OrderType.MARKET and order.limit is not None:
        yield "Limit price", order.limit
    if order.order_type in {OrderType.STOP, OrderType.STOP_LIMIT} and order.auxiliary is not None:
        yield "Stop price", order.auxiliary
    if order.order_type in TRAILING and order.trail_stop is not None:
        yield "Stop price", order.trail_stop
    if order.order_type in PEGGED and order.cap is not None:
        yield "Price cap", order.cap


def _missing(order: VenueOrder) -> Rejection | None:
    """Return which price a type lacks."""
    if order.order_type in LIMITED and not _is_number(order.limit):
        return Rejection(text=f"An order of type {order.order_type.value} needs a limit price")
    if order.order_type in {OrderType.STOP, OrderType.STOP_LIMIT} and not _is_number(order.auxiliary):
        return Rejection(text=f"An order of type {order.order_type.value} needs a stop price")
    if order.order_type in TRAILING and not _is_positive(order.trail_pct or order.auxiliary):
        return Rejection(text=f"An order of type {order.order_type.value} needs a trailing amount or percentage")
    if order.order_type is OrderType.TRAIL_LIMIT and not _is_number(order.limit_offset):
        return Rejection(text="An order of type TRAIL LIMIT needs a limit offset")
    others = (order.limit, order.auxiliary, order.trail_stop, order.trail_pct, order.limit_offset, order.cap)
    if all(each is None or each.is_finite() for each in others):
        return None
    return Rejection(text="Every price of an order must be a number")


def _bad_tif(order: VenueOrder, venue: Venue) -> Rejection | None:
    if order.tif is Tif.GTD and order.good_till is None:
        return Rejection(text="Time in force GTD needs a good-till date")
    if order.good_till is not None and order.tif is Tif.GTD and order.good_till <= venue.at:
        return Rejection(text=f"The good-till date {order.good_till:%Y%m%d %H:%M:%S} UTC has passed")
    if order.tif is Tif.OPG and (order.order_type not in _AUCTION_TYPES or order.is_combo):
        return Rejection(text="Time in force OPG needs a limit or market order of one contract")
    if order.tif in _IMMEDIATE and order.order_type not in _AUCTION_TYPES:
        return Rejection(text=f"Time in force {order.tif.value} needs a limit or market order")
    return None


def _bad_algo(order: VenueOrder) -> Rejection | None:
    if not order.algo:
        return None
    if order.algo not in KNOWN:
        return Rejection(text=f"Algorithm definition not found: {order.algo}", code=UNKNOWN_ALGO)
    if order.order_type in _ALGO_TYPES and order.tif not in {Tif.OPG, *_IMMEDIATE}:
        return None
    return Rejection(text=f"{order.algo} needs a limit or market order that may wait", code=UNSUPPORTED_TYPE)


def _unsupported(order: VenueOrder, venue: Venue) -> Rejection | None:
    """No auctions of combos and currencies, no MIDPRICE of futures and currencies, no market orders at night on VX."""
    kinds = {leg.instrument.kind for leg in order.legs}
    if order.order_type in ON_CLOSE and (order.is_combo or Kind.CASH in kinds):
        return Rejection(text=f"Unsupported order type {order.order_type.value}", code=UNSUPPORTED_TYPE)
    if order.order_type in _SHARE_TYPES and kinds & {Kind.FUTURE, Kind.CASH}:
        return Rejection(text=f"Unsupported order type {order.order_type.value}", code=UNSUPPORTED_TYPE)
    is_vx = any(leg.instrument.trading_class in {"VX", "VXM"} for leg in order.legs)
    if is_vx and order.order_type is OrderType.MARKET and venue.phase(order) is Phase.EXTENDED:
        return Rejection(text="Market orders are not accepted outside regular trading hours")
    return None


def _is_number(price: Decimal | None) -> bool:
    return price is not None and price.is_finite()


def _is_positive(amount: Decimal | None) -> bool:
    return amount is not None and amount.is_finite() and amount > 0
