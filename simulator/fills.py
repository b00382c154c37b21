"""When and at what price an active order fills; one small class per model, composed in `VenueFills`.

An order that takes meets the natural prices: it buys at asks and sells at bids. A combo is worth the sum of its legs
at these prices, so that the prices of the legs add up to the net exactly. An order that rests may be filled at its own
limit by others, which `VenueFills` alone plays.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final, Protocol

from bot.domain.checks import require_not_negative
from bot.domain.errors import InvalidValueError
from bot.domain.instrument import Instrument, Side
from simulator.orders.view import Quotes, Sides, is_worse, sides_of, taking_side
from simulator.venue import VenueLeg, VenueOrder

Taken = Mapping[tuple[Instrument, Side], int]
"""Contracts already taken from a side at this step; the key's side is the taker's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """What an order can trade now: contracts of each leg and their prices in points.

    ``is_taking`` is false where others came to the order: nothing is taken from the displayed sizes.
    """

    counts: tuple[int, ...]
    prices: tuple[Decimal, ...]
    is_taking: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """Where a resting order stands at its price.

    ``flow`` contracts came to it at this look, after ``ahead`` contracts before it were served; ``against_frac`` is how
    far the middle has moved against it since the last look, in half spreads.
    """

    at: datetime
    price: Decimal
    ahead: int
    volume: int
    mid: Decimal
    flow: int = 0
    against_frac: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """An active order: its limit now (None takes any price), the units left, and since when it acts.

    ``number`` tells orders apart.
    """

    order: VenueOrder
    limit: Decimal | None
    open_units: int
    number: int
    since: datetime
    at: datetime
    queue: Queue | None = None


class FillModel(Protocol):
    """How many units of an order trade at this step."""

    def queued(self, pending: Pending, quotes: Quotes) -> Queue | None:
        """Return where the order stands at its price after this step; None for a model without queues."""
        ...

    def match(self, pending: Pending, quotes: Quotes, taken: Taken) -> Match | None:
        """Return the trade of at most ``open_units`` units, or None when nothing trades now."""
        ...


@dataclass(frozen=True, slots=True)
class DisplayedSizeFills:
    """Fills at natural prices, up to the size displayed at this step; the rest waits for later steps.

    Size taken by one order is gone for the others until the next step; then the book is full again. A combo trades
    whole units only: the leg with the least size decides.
    """

    def queued(self, pending: Pending, quotes: Quotes) -> Queue | None:  # noqa: ARG002 - the protocol's signature
        """Return None: what rests is filled by prices that come to it."""
        return None

    def match(self, pending: Pending, quotes: Quotes, taken: Taken) -> Match | None:
        """Return the trade, or None when a side is missing, the size is used up, or the limit is worse."""
        prices = natural_prices(pending, quotes)
        if prices is None:
            return None
        order = pending.order
        units = min(pending.open_units, *(shown(order, leg, quotes, taken) // leg.ratio for leg in order.legs))
        return _of_units(order, units, prices) if units > 0 else None


@dataclass(frozen=True, slots=True)
class UnlimitedFills:
    """The null model: natural prices for any size."""

    def queued(self, pending: Pending, quotes: Quotes) -> Queue | None:  # noqa: ARG002 - the protocol's signature
        """Return None: there is nobody to wait for."""
        return None

    def match(self, pending: Pending, quotes: Quotes, taken: Taken) -> Match | None:  # noqa: ARG002 - likewise
        """Return the whole order, or None when a side is missing or the limit is worse."""
        prices = natural_prices(pending, quotes)
        return None if prices is None else _of_units(pending.order, pending.open_units, prices)


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """An order acts at the first step that is ``ms`` or more after it was placed or changed; 0 acts at once."""

    ms: int = 0

    def __post_init__(self) -> None:
        """Reject an order that acts before it was placed."""
        require_not_negative(ms=self.ms)

    def has_passed(self, pending: Pending) -> bool:
        """Return whether the order acts by now."""
        return pending.at - pending.since >= timedelta(milliseconds=self.ms)


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuePosition:
    """A resting order is served after those who were there before it.

    On arrival at the best price ahead = displayed size; inside the spread ahead = 0; behind the best price the order
    waits to be reached. At each look came = touch_frac x (volume since the last look); where no volume is known, and
    inside the spread, where the volume of the sides says nothing, it is at least turnover_frac x displayed size, one
    contract or more. Ahead falls by what came, never stands above the displayed size, and what came beyond it (flow)
    reaches the order.
    """

    touch_frac: float = 0.5  # of the traded volume at one side's best price
    turnover_frac: float = 0.05  # of the displayed size, per look

    def __post_init__(self) -> None:
        """Reject more than everything."""
        for name, frac in (("touch_frac", self.touch_frac), ("turnover_frac", self.turnover_frac)):
            if not 0.0 <= frac <= 1.0:
                raise InvalidValueError(f"{name} must lie between 0 and 1, was {frac}")

    def advanced(self, pending: Pending, limit: Decimal, quotes: Quotes) -> Queue | None:
        """Return the order's place after this look; None while its price is not the best or a side is missing."""
        order, before = pending.order, pending.queue
        sides = sides_of(order, quotes)
        own, mid = sides.joined_by(order.side), sides.mid
        if own is None or mid is None or is_worse(order.side, own, limit):
            return None
        displayed, volume = _own_size(order, quotes), _volume(order, quotes)
        if before is None or before.price != limit:
            ahead = displayed if own == limit else 0
            return Queue(at=pending.at, price=limit, ahead=ahead, volume=volume, mid=mid)
        if before.at == pending.at:
            return replace(before, flow=0)
        since_last = max(0, volume - before.volume)
        came = int(self.touch_frac * since_last)
        if not volume or own != limit:
            came = max(came, 1, int(self.turnover_frac * displayed))
        waiting = min(before.ahead, displayed) if own == limit else 0
        return Queue(
            at=pending.at,
            price=limit,
            ahead=max(0, waiting - came),
            volume=volume,
            mid=mid,
            flow=max(0, came - waiting),
            against_frac=_against(order.side, before.mid, sides),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AdverseSelection:
    """Resting orders are filled rather by those who know more.

    p = base + inside x (place in the spread, 0 at the own side, 1 at the other) + adverse x (move of the middle against
    the order since the last look, in half spreads, not below zero), at most 1. The order fills when a number between 0
    and 1, made from the seed, the order's number and the moment, is below p.
    """

    base: float = 0.25
    inside: float = 0.50
    adverse: float = 0.50
    seed: int = 7

    def __post_init__(self) -> None:
        """Reject negative chances."""
        require_not_negative(base=self.base, inside=self.inside, adverse=self.adverse)

    def chance(self, pending: Pending, limit: Decimal, sides: Sides, against_frac: float) -> float:
        """Return p, 0 to 1."""
        if sides.bid is None or sides.ask is None or sides.bid >= sides.ask:
            return 0.0
        own = sides.bid if pending.order.side is Side.BUY else sides.ask
        place = min(1.0, abs(float((limit - own) / (sides.ask - sides.bid))))
        return min(1.0, self.base + self.inside * place + self.adverse * max(0.0, against_frac))

    def comes(self, pending: Pending, chance: float) -> bool:
        """Return whether somebody comes to the order at this step."""
        moment = int(pending.at.timestamp() * 1000)
        return even_number(self.seed, pending.number, moment) < chance


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueFills:
    """A market as it is: latency, displayed sizes for what takes, queue and selection for what rests.

    A combo has no queue: while its limit stands between its natural prices it is filled at the limit, with the chance
    of `AdverseSelection`, up to the least displayed size of its legs; what it saves against the natural net is taken
    off its first leg of ratio one that can give it.
    """

    latency: Latency = field(default_factory=Latency)
    queue: QueuePosition = field(default_factory=QueuePosition)
    selection: AdverseSelection = field(default_factory=AdverseSelection)

    def queued(self, pending: Pending, quotes: Quotes) -> Queue | None:
        """Return the order's place at its price; None for combos and for what takes any price."""
        if pending.limit is None or pending.order.is_combo or not self.latency.has_passed(pending):
            return None
        return self.queue.advanced(pending, pending.limit, quotes)

    def match(self, pending: Pending, quotes: Quotes, taken: Taken) -> Match | None:
        """Return what the order takes, else what comes to it, else None."""
        if not self.latency.has_passed(pending):
            return None
        taking = DisplayedSizeFills().match(pending, quotes, taken)
        if taking is not None or pending.limit is None or pending.at == pending.since:
            return taking
        sides = sides_of(pending.order, quotes)
        against = 0.0 if pending.queue is None else pending.queue.against_frac
        if not self.selection.comes(pending, self.selection.chance(pending, pending.limit, sides, against)):
            return None
        if pending.order.is_combo:
            return _inside_combo(pending, pending.limit, sides, quotes, taken)
        return _resting(pending, pending.limit)


def natural_prices(pending: Pending, quotes: Quotes) -> tuple[Decimal, ...] | None:
    """Return leg prices at the sides that the order would hit, or None where one is missing or the net is too dear."""
    prices = leg_prices(pending.order, quotes)
    if prices is None:
        return None
    net = net_of(pending.order, prices)
    too_dear = pending.limit is not None and is_worse(pending.order.side, net, pending.limit)
    return None if too_dear else prices


def leg_prices(order: VenueOrder, quotes: Quotes) -> tuple[Decimal, ...] | None:
    """Return what each leg trades at when the order takes, or None where a side is missing."""
    prices = []
    for leg in order.legs:
        quote = quotes(leg.instrument)
        price = quote.ask if taking_side(order, leg) is Side.BUY else quote.bid
        if price is None:
            return None
        prices.append(price)
    return tuple(prices)


def net_of(order: VenueOrder, prices: tuple[Decimal, ...]) -> Decimal:
    """Return the net of a unit at leg prices, in points."""
    rows = zip(prices, order.legs, strict=True)
    return sum((price * leg.ratio * leg.side.sign for price, leg in rows), Decimal(0))


def shown(order: VenueOrder, leg: VenueLeg, quotes: Quotes, taken: Taken) -> int:
    """Return how many contracts of a leg the displayed size leaves to this order."""
    quote, side = quotes(leg.instrument), taking_side(order, leg)
    size = quote.ask_size if side is Side.BUY else quote.bid_size
    return max(0, size - taken.get((leg.instrument, side), 0))


def even_number(seed: int, number: int, moment: int) -> float:
    """Return a number from 0 to below 1 that is spread evenly over its arguments; splitmix64's finisher.

    Source: G. Steele and others, Fast splittable pseudorandom number generators, OOPSLA 2014.
    """
    mixed = (seed * 0x9E3779B97F4A7C15 + number * 0xBF58476D1CE4E5B9 + moment * 0x94D049BB133111EB) & _MASK
    mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _MASK
    return ((mixed ^ (mixed >> 31)) >> 11) / 2.0**53


_MASK: Final = (1 << 64) - 1


def _of_units(order: VenueOrder, units: int, prices: tuple[Decimal, ...], *, is_taking: bool = True) -> Match:
    counts = tuple(units * leg.ratio for leg in order.legs)
    return Match(counts=counts, prices=prices, is_taking=is_taking)


def _resting(pending: Pending, limit: Decimal) -> Match | None:
    """Return what reached a single contract's order at its limit: the flow, at most what it displays."""
    flow = 0 if pending.queue is None else pending.queue.flow
    most = pending.order.display_quantity or pending.open_units
    units = min(pending.open_units, flow, most)
    return _of_units(pending.order, units, (limit,), is_taking=False) if units > 0 else None


def _inside_combo(pending: Pending, limit: Decimal, sides: Sides, quotes: Quotes, taken: Taken) -> Match | None:
    """Return a combo's trade at its limit between its natural prices, or None where it stands outside of them."""
    order = pending.order
    prices = leg_prices(order, quotes)
    if prices is None or sides.bid is None or sides.ask is None or not sides.bid < limit < sides.ask:
        return None
    saved = net_of(order, prices) - limit
    for position, (leg, price) in enumerate(zip(order.legs, prices, strict=True)):
        better = price - saved * leg.side.sign
        if leg.ratio == 1 and better > 0:
            units = min(pending.open_units, *(shown(order, each, quotes, taken) // each.ratio for each in order.legs))
            moved = (*prices[:position], better, *prices[position + 1 :])
            return _of_units(order, units, moved) if units > 0 else None
    return None


def _own_size(order: VenueOrder, quotes: Quotes) -> int:
    quote = quotes(order.legs[0].instrument)
    return quote.bid_size if order.side is Side.BUY else quote.ask_size


def _volume(order: VenueOrder, quotes: Quotes) -> int:
    return quotes(order.legs[0].instrument).volume


def _against(side: Side, before: Decimal, sides: Sides) -> float:
    """Return how far the middle moved against an order, in half spreads; negative when it moved in its favour."""
    if sides.mid is None or sides.bid is None or sides.ask is None or sides.ask <= sides.bid:
        return 0.0
    return float((before - sides.mid) * side.sign * 2 / (sides.ask - sides.bid))
