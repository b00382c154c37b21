"""What an order sees of the world at one moment: the time, the quotes, which contracts trade, and its two sides."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from bot.domain.instrument import Instrument, Side
from simulator.venue import Phase, VenueLeg, VenueOrder, VenueQuote
from simulator.world.quotes import rule_of

Quotes = Callable[[Instrument], VenueQuote]


@dataclass(frozen=True, slots=True, kw_only=True)
class Venue:
    """What the exchange sees of the world at one moment: the time, the quotes and which contracts trade."""

    at: datetime
    quotes: Quotes
    phase_of: Callable[[Instrument], Phase]

    def phase(self, order: VenueOrder) -> Phase:
        """Return the phase of an order: for a combo the least open one of its legs."""
        return min((self.phase_of(leg.instrument) for leg in order.legs), key=_OPENNESS.index)


_OPENNESS = (Phase.CLOSED, Phase.HALTED, Phase.EXTENDED, Phase.REGULAR)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """At what net a unit can be sold (``bid``) and bought (``ask``) now, in points; None where a leg shows no side."""

    bid: Decimal | None
    ask: Decimal | None

    @property
    def mid(self) -> Decimal | None:
        """The middle, None when one-sided."""
        return None if self.bid is None or self.ask is None else (self.bid + self.ask) / 2

    def taken_by(self, side: Side) -> Decimal | None:
        """Return the price that an aggressive order of a side meets."""
        return self.ask if side is Side.BUY else self.bid

    def joined_by(self, side: Side) -> Decimal | None:
        """Return the best price on an order's own side."""
        return self.bid if side is Side.BUY else self.ask


def sides_of(order: VenueOrder, quotes: Quotes) -> Sides:
    """Return the two sides of an order's unit: a purchase pays asks for bought legs and gets bids for sold ones."""
    return Sides(bid=_net(order.legs, quotes, Side.SELL), ask=_net(order.legs, quotes, Side.BUY))


def taking_side(order: VenueOrder, leg: VenueLeg) -> Side:
    """Return what the order does to a leg: selling a combo turns every leg around."""
    return leg.side if order.side is Side.BUY else leg.side.opposite


def tick_of(order: VenueOrder, price: Decimal) -> Decimal:
    """Return the increment of an order's price: the class's own, for a combo the coarsest of its legs' net grids."""
    rules = [rule_of(leg.instrument) for leg in order.legs]
    return max(rule.combo_tick for rule in rules) if order.is_combo else rules[0].tick_at(price)


def on_grid(order: VenueOrder, price: Decimal) -> Decimal:
    """Return a price moved to the grid, away from the other side: purchases down, sales up."""
    tick = tick_of(order, price)
    rounding = ROUND_FLOOR if order.side is Side.BUY else ROUND_CEILING
    return (price / tick).to_integral_value(rounding) * tick


def is_worse(side: Side, price: Decimal, limit: Decimal) -> bool:
    """Return whether a price is worse than a limit for an order of that side."""
    return price > limit if side is Side.BUY else price < limit


def better_of(side: Side, one: Decimal, other: Decimal | None) -> Decimal:
    """Return the price that is better for the order's owner: the lower for a purchase."""
    if other is None:
        return one
    return min(one, other) if side is Side.BUY else max(one, other)


def _net(legs: tuple[VenueLeg, ...], quotes: Quotes, side: Side) -> Decimal | None:
    net = Decimal(0)
    for leg in legs:
        quote = quotes(leg.instrument)
        price = quote.ask if leg.side is side else quote.bid
        if price is None:
            return None
        net += price * leg.ratio * leg.side.sign
    return net
