"""Opening and closing auctions: OPG orders trade at the first regular price, MOC and LOC orders at the last one.

An auction trades any size at one price: the last trade where it lies within the present sides, else their middle on the
grid. What the limit keeps out is cancelled.
"""

from decimal import ROUND_HALF_EVEN, Decimal

from simulator.fills import Match
from simulator.orders.prices import ON_CLOSE
from simulator.orders.view import Venue, is_worse, sides_of, tick_of
from simulator.orders.working import Working
from simulator.venue import OrderType, Phase, Tif, VenueOrder


def is_for_an_auction(order: VenueOrder) -> bool:
    """Return whether an order trades in an auction only."""
    return order.order_type in ON_CLOSE or order.tif is Tif.OPG


def regular_prices(order: VenueOrder, venue: Venue, phase: Phase) -> tuple[Decimal, ...] | None:
    """Return the auction price of an order's one contract in regular hours, None for others and without sides."""
    if phase is not Phase.REGULAR or not is_for_an_auction(order):
        return None
    sides = sides_of(order, venue.quotes)
    last = venue.quotes(order.legs[0].instrument).last
    if sides.bid is not None and sides.ask is not None:
        traded = None if last is None else Decimal(str(last))
        return (traded if traded is not None and sides.bid <= traded <= sides.ask else _middle(order, sides.mid),)
    one_side = sides.bid if sides.ask is None else sides.ask
    return None if one_side is None else (one_side,)


def is_due(working: Working, phase: Phase) -> bool:
    """Return whether an order's auction takes place now: the first regular look after a break, or the first after."""
    if working.regular is None:
        return False
    if working.order.tif is Tif.OPG:
        return phase is Phase.REGULAR and working.was_shut
    return phase in {Phase.CLOSED, Phase.EXTENDED}


def auctioned(working: Working) -> Match | None:
    """Return the whole order's trade at the auction's price, or None when its limit is worse."""
    order = working.order
    if working.regular is None:
        return None
    [price] = working.regular
    limit = None if order.order_type in {OrderType.MARKET, OrderType.MARKET_ON_CLOSE} else order.limit
    if limit is not None and is_worse(order.side, price, limit):
        return None
    return Match(counts=(working.open_units,), prices=(price,), is_taking=False)


def _middle(order: VenueOrder, mid: Decimal | None) -> Decimal:
    price = mid or Decimal(0)
    tick = tick_of(order, price)
    return (price / tick).to_integral_value(ROUND_HALF_EVEN) * tick
