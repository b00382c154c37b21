"""How an order moves on by itself: what it has lived through, what it waits for, its trigger, its standing.

How it works. `advanced` is called at every look at an order and returns it as it stands afterwards. An order waits
(PreSubmitted) while it is not transmitted, while its parent works, before its good-after time, until its conditions,
then its stop are touched, for its auction, and for its first trading hours. What has once been Submitted stays so
through the night. Triggers and releases are kept: an order that was set free is never held again.
"""

from dataclasses import replace
from datetime import datetime
from typing import Final

from simulator.orders.auctions import is_for_an_auction, regular_prices
from simulator.orders.caps import cap_of, is_due
from simulator.orders.conditions import Facts, are_true
from simulator.orders.prices import STOPS, TRAILING, is_triggered, reference_price, trailed_stop
from simulator.orders.times import is_before_its_time, may_trade
from simulator.orders.view import Venue, better_of, sides_of
from simulator.orders.working import Working
from simulator.venue import Phase, VenueStatus

CHILD: Final = "child"
TRIGGER: Final = "trigger"


def advanced(working: Working, facts: Facts) -> Working:
    """Return an order after one look at the present."""
    phase = facts.venue.phase(working.order)
    seen = _witnessed(working, facts.venue, phase)
    if is_held(seen, facts.venue):
        return replace(seen, status=VenueStatus.PRE_SUBMITTED, why_held=CHILD if seen.awaits_parent else "")
    released = _released(seen, facts, phase)
    if not released.is_released:
        return replace(released, status=VenueStatus.PRE_SUBMITTED, why_held="")
    return _standing(_capped(_triggered(released, facts.venue, phase), facts.venue), facts.venue.at, phase)


def is_held(working: Working, venue: Venue) -> bool:
    """Return whether an order waits for somebody or for its hour, whatever the market does."""
    return working.is_untransmitted or working.awaits_parent or is_before_its_time(working.order, venue)


def is_active(working: Working, phase: Phase) -> bool:
    """Return whether an order may trade continuously now."""
    return working.status is VenueStatus.SUBMITTED and may_trade(working.order, phase)


def is_cancelled_by_conditions(working: Working, facts: Facts) -> bool:
    """Return whether conditions that cancel have come true."""
    order = working.order
    return bool(order.conditions) and order.conditions_cancel and _conditions_hold(working, facts)


def _witnessed(working: Working, venue: Venue, phase: Phase) -> Working:
    """Return an order that remembers the hours it has seen and, for an auction, the last regular prices."""
    prices = regular_prices(working.order, venue, phase) or working.regular
    return replace(
        working,
        was_open=working.was_open or may_trade(working.order, phase),
        was_shut=working.was_shut or phase in {Phase.CLOSED, Phase.EXTENDED},
        regular=prices,
    )


def _released(working: Working, facts: Facts, phase: Phase) -> Working:
    """Return an order that is free once its conditions have come true; without conditions it always is."""
    order = working.order
    if working.is_released or not order.conditions or order.conditions_cancel:
        return replace(working, is_released=True)
    if phase is not Phase.REGULAR and not order.conditions_outside_rth:
        return working
    return replace(working, is_released=are_true(order.conditions, facts, working.since))


def _conditions_hold(working: Working, facts: Facts) -> bool:
    order = working.order
    counts = order.conditions_outside_rth or facts.venue.phase(order) is Phase.REGULAR
    return counts and are_true(order.conditions, facts, working.since)


def _triggered(working: Working, venue: Venue, phase: Phase) -> Working:
    """Return a stop order with its stop moved along and touched or not; others as they are."""
    order = working.order
    if order.order_type not in STOPS or working.is_triggered:
        return working
    stop = working.stop
    if stop is None:
        stop = order.trail_stop if order.order_type in TRAILING else order.auxiliary
    last = None if order.is_combo else venue.quotes(order.legs[0].instrument).last
    price = reference_price(order, sides_of(order, venue.quotes), last)
    if price is None or not may_trade(order, phase):
        return replace(working, stop=stop)
    if stop is not None and is_triggered(order.side, stop, price):
        return replace(working, stop=stop, is_triggered=True)
    return replace(working, stop=trailed_stop(order, stop, price) if order.order_type in TRAILING else stop)


def _capped(working: Working, venue: Venue) -> Working:
    """Return an order held at its cap, worked out at most once a minute and never nearer than before."""
    if not is_due(working.capped_at, venue.at):
        return working
    cap = cap_of(working.order, venue.quotes)
    if cap is None:
        return working if working.cap is None else replace(working, cap=None, capped_at=None)
    if working.cap is not None and better_of(working.order.side, cap, working.cap) == cap:
        return working
    return replace(working, cap=cap, capped_at=venue.at)


def _standing(working: Working, at: datetime, phase: Phase) -> Working:
    """Return an order with the status that its owner sees."""
    if working.order.order_type in STOPS and not working.is_triggered:
        return replace(working, status=VenueStatus.PRE_SUBMITTED, why_held=TRIGGER)
    is_live = working.active_since is not None or may_trade(working.order, phase)
    if is_for_an_auction(working.order) or not is_live:
        return replace(working, status=VenueStatus.PRE_SUBMITTED, why_held="")
    return replace(working, status=VenueStatus.SUBMITTED, why_held="", active_since=working.active_since or at)
