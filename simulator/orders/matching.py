"""From an active order to what it trades now: its price, its slice, the fill model, and its owner's terms of size."""

from decimal import Decimal

from simulator.fills import FillModel, Match, Pending, Taken, leg_prices, shown
from simulator.orders.algos import ADAPTIVE, adaptive_price, units_due
from simulator.orders.caps import held_limit
from simulator.orders.lots import Lots
from simulator.orders.prices import AnyPrice, Price, price_now
from simulator.orders.view import Quotes, Venue, is_worse, sides_of, taking_side
from simulator.orders.working import Working
from simulator.venue import Tif, VenueLeg, VenueOrder


def limit_now(working: Working, venue: Venue) -> Price:
    """Return what an order may pay now: by its type, its algorithm and its cap."""
    order = working.order
    sides = sides_of(order, venue.quotes)
    price = price_now(order, sides, working.stop)
    if order.algo == ADAPTIVE:
        elapsed_s = (venue.at - (working.active_since or venue.at)).total_seconds()
        price = adaptive_price(order, sides, price, elapsed_s)
    return held_limit(order, working.cap, price) if isinstance(price, Decimal) else price


def pending_of(working: Working, venue: Venue, price: Decimal | AnyPrice) -> Pending:
    """Return an active order as a fill model sees it; of a sliced order no more than what is due."""
    due = units_due(working.order, working.active_since or venue.at, venue.at) - working.filled
    return Pending(
        order=working.order,
        limit=None if isinstance(price, AnyPrice) else price,
        open_units=max(0, min(working.open_units, due)),
        number=working.perm_id,
        since=working.since,
        at=venue.at,
        queue=working.queue,
    )


def match_of(working: Working, pending: Pending, model: FillModel, quotes: Quotes, taken: Taken) -> Match | None:
    """Return what an order trades now, or None."""
    if not pending.open_units:
        return None
    if working.order.is_combo and working.order.non_guaranteed:
        return leg_by_leg(working, pending.limit, quotes, taken)
    match = model.match(pending, quotes, taken)
    return match if match is not None and suits(working, match) else None


def suits(working: Working, match: Match) -> bool:
    """Return whether a trade keeps an order's terms: all or none (also FOK), and a least first quantity."""
    order = working.order
    units = min(count // leg.ratio for count, leg in zip(match.counts, order.legs, strict=True))
    if (order.all_or_none or order.tif is Tif.FOK) and units < working.open_units:
        return False
    return bool(working.filled) or units >= order.min_quantity


def leg_by_leg(working: Working, limit: Decimal | None, quotes: Quotes, taken: Taken) -> Match | None:
    """Return what the legs of a non-guaranteed combo trade, each by itself, at natural prices.

    Legs that lag behind trade first, up to the one that is ahead; with all of them level the whole rest is open. A leg
    trades up to its displayed size, so that legs can be left without each other. Nothing trades while a unit made of
    the legs' worst loose price and their present one would be worse than the limit, or a leg worse than its own price.
    """
    order = working.order
    prices = leg_prices(order, quotes)
    if prices is None or not _leg_prices_allow(order, prices):
        return None
    level = max(-(-lots.traded // leg.ratio) for lots, leg in zip(working.lots, order.legs, strict=True))
    if all(lots.traded == level * leg.ratio for lots, leg in zip(working.lots, order.legs, strict=True)):
        level = order.quantity
    counts = tuple(
        max(0, min(level * leg.ratio - lots.traded, shown(order, leg, quotes, taken)))
        for lots, leg in zip(working.lots, order.legs, strict=True)
    )
    rows = zip(order.legs, working.lots, prices, strict=True)
    worst = sum(
        (_worst(order, leg, lots, price, level) * leg.ratio * leg.side.sign for leg, lots, price in rows), Decimal(0)
    )
    if not any(counts) or (limit is not None and is_worse(order.side, worst, limit)):
        return None
    return Match(counts=counts, prices=prices)


def _worst(order: VenueOrder, leg: VenueLeg, lots: Lots, price: Decimal, level: int) -> Decimal:
    """Return the dearest price that a unit made now could have for a leg."""
    prices = [loose for _, loose in lots.loose]
    if lots.traded < level * leg.ratio:
        prices.append(price)
    return max(prices) if taking_side(order, leg).sign > 0 else min(prices)


def _leg_prices_allow(order: VenueOrder, prices: tuple[Decimal, ...]) -> bool:
    if all(limit is None for limit in order.leg_prices):
        return True
    rows = zip(order.legs, order.leg_prices, prices, strict=True)
    return not any(limit is not None and is_worse(taking_side(order, leg), price, limit) for leg, limit, price in rows)
