"""What an order may pay or must get right now: one small rule for each order type, its formula beside it.

Every rule answers with a limit in points, with `ANY_PRICE` for what takes the market as it is, or with None when the
order has no price now and waits (a pegged order against a missing side).
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final

from bot.domain.instrument import Side
from simulator.orders.view import Sides, better_of, on_grid
from simulator.venue import OrderType, VenueOrder


class AnyPrice:
    """The price of an order that takes what the market offers."""

    def __repr__(self) -> str:
        """For failing tests."""
        return "ANY_PRICE"


ANY_PRICE: Final = AnyPrice()
Price = Decimal | AnyPrice | None

STOPS: Final = frozenset({OrderType.STOP, OrderType.STOP_LIMIT, OrderType.TRAIL, OrderType.TRAIL_LIMIT})
TRAILING: Final = frozenset({OrderType.TRAIL, OrderType.TRAIL_LIMIT})
ON_CLOSE: Final = frozenset({OrderType.LIMIT_ON_CLOSE, OrderType.MARKET_ON_CLOSE})
PEGGED: Final = frozenset({OrderType.MIDPRICE, OrderType.RELATIVE, OrderType.PEG_MID})
LIMITED: Final = frozenset({OrderType.LIMIT, OrderType.STOP_LIMIT, OrderType.LIMIT_ON_CLOSE})
"""What needs a limit price from its owner."""


def price_now(order: VenueOrder, sides: Sides, stop: Decimal | None) -> Price:
    """Return what an active order may pay (BUY) or must get (SELL) now, in points.

    Args:
        order: As placed; a stop order must have been triggered.
        sides: The present market of its unit.
        stop: Its stop price as it stands.
    """
    rule = _RULES.get(order.order_type)
    if rule is not None:
        return rule(order, sides)
    if order.order_type is OrderType.TRAIL_LIMIT:
        return trail_limit_price(order, stop)
    return ANY_PRICE


def limit_price(order: VenueOrder, _sides: Sides) -> Price:
    """LMT, STP LMT, LOC: the limit as stated."""
    return order.limit


def midprice(order: VenueOrder, sides: Sides) -> Price:
    """MIDPRICE: (bid + ask) / 2 on the grid, never worse than the cap."""
    return _capped(order, sides.mid)


def relative_price(order: VenueOrder, sides: Sides) -> Price:
    """REL: the best price on its own side plus (purchase) or less (sale) the offset, never worse than the cap."""
    own = sides.joined_by(order.side)
    return _capped(order, None if own is None else own + order.side.sign * (order.auxiliary or Decimal(0)))


def pegged_to_mid(order: VenueOrder, sides: Sides) -> Price:
    """PEG MID: the middle less (purchase) or plus (sale) the offset, never worse than the cap."""
    mid = sides.mid
    return _capped(order, None if mid is None else mid - order.side.sign * (order.auxiliary or Decimal(0)))


def trail_limit_price(order: VenueOrder, stop: Decimal | None) -> Price:
    """TRAIL LIMIT: the stop plus (purchase) or less (sale) the limit offset."""
    return None if stop is None else stop + order.side.sign * (order.limit_offset or Decimal(0))


def trailing_amount(order: VenueOrder, price: Decimal) -> Decimal:
    """Return how far a trailing stop follows a price, in points: the amount, or the percentage of the price."""
    if order.trail_pct is not None:
        return abs(price) * order.trail_pct / 100
    return order.auxiliary or Decimal(0)


def trailed_stop(order: VenueOrder, stop: Decimal | None, price: Decimal) -> Decimal:
    """TRAIL: a sale's stop is max(stop, price - amount), a purchase's min(stop, price + amount), on the grid."""
    followed = on_grid(order, price + order.side.sign * trailing_amount(order, price))
    return better_of(order.side, followed, stop)


def reference_price(order: VenueOrder, sides: Sides, last: float | None) -> Decimal | None:
    """Return the price that triggers stops: the last trade where one is known, else the side the order would hit."""
    return sides.taken_by(order.side) if last is None else Decimal(str(last))


def is_triggered(side: Side, stop: Decimal, price: Decimal) -> bool:
    """STP: a purchase is triggered at or above its stop, a sale at or below."""
    return price >= stop if side is Side.BUY else price <= stop


def _capped(order: VenueOrder, price: Decimal | None) -> Price:
    if price is None:
        return None
    cap = order.limit if order.cap is None else order.cap
    return better_of(order.side, on_grid(order, price), cap)


_RULES: Final[Mapping[OrderType, Callable[[VenueOrder, Sides], Price]]] = {
    OrderType.LIMIT: limit_price,
    OrderType.STOP_LIMIT: limit_price,
    OrderType.LIMIT_ON_CLOSE: limit_price,
    OrderType.MIDPRICE: midprice,
    OrderType.RELATIVE: relative_price,
    OrderType.PEG_MID: pegged_to_mid,
}
