"""When an order may trade and when its time is over.

An order trades in its contracts' regular hours, with ``outside_rth`` in their extended hours as well, never in a halt.
A DAY order for regular hours ends with the first regular hours that it lived through; one for all hours ends with the
trading day. What was placed while its contracts were closed waits for the next hours.
"""

from simulator.orders.prices import ON_CLOSE
from simulator.orders.view import Venue
from simulator.orders.working import Working
from simulator.venue import Phase, Tif, VenueOrder

SESSION_IS_OVER = "The order's session has ended"


def may_trade(order: VenueOrder, phase: Phase) -> bool:
    """Return whether an order may trade continuously in a phase."""
    return phase is Phase.REGULAR or (order.outside_rth and phase is Phase.EXTENDED)


def why_over(working: Working, venue: Venue) -> str:
    """Return why an order's time is over, in words, empty while it is not."""
    order, phase = working.order, venue.phase(working.order)
    if order.good_till is not None and order.tif is Tif.GTD and venue.at >= order.good_till:
        return "The order's good-till date has passed"
    lived = working.was_open and phase in {Phase.CLOSED, Phase.EXTENDED}
    if order.order_type in ON_CLOSE:
        return "The closing auction is over" if lived and working.regular is not None else ""
    if order.tif is Tif.DAY and lived and not order.outside_rth:
        return SESSION_IS_OVER
    return ""


def is_over_with_the_day(working: Working, venue: Venue) -> bool:
    """Return whether the end of the trading day ends an order that has lived through trading hours."""
    return working.order.tif is Tif.DAY and working.was_open and venue.phase(working.order) is Phase.CLOSED


def is_before_its_time(order: VenueOrder, venue: Venue) -> bool:
    """Return whether an order's good-after time is still to come."""
    return order.good_after is not None and venue.at < order.good_after
