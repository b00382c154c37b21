"""When and at what price a resting order fills; one small class per model.

An order meets the natural prices: it buys at asks and sells at bids, never better, never in between. A combo is worth
the sum of its legs at these prices, so that the prices of the legs add up to the net exactly.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Protocol

from bot.domain.instrument import Instrument, Side
from simulator.venue import OrderType, VenueLeg, VenueOrder, VenueQuote

Quotes = Callable[[Instrument], VenueQuote]
Taken = Mapping[tuple[Instrument, Side], int]
"""Contracts already taken from a side at this step; the key's side is the taker's."""

_NO_LIMIT: Final = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """What an order can trade now: units, the net per unit and each leg's own price, in points."""

    units: int
    net: Decimal
    prices: tuple[Decimal, ...]


class FillModel(Protocol):
    """How many units of an order trade at this step."""

    def match(self, order: VenueOrder, open_units: int, quotes: Quotes, taken: Taken) -> Match | None:
        """Return the trade for at most ``open_units`` units, or None when nothing trades now."""
        ...


@dataclass(frozen=True, slots=True)
class DisplayedSizeFills:
    """Fills at natural prices, up to the size displayed at this step; the rest waits for later steps.

    Size taken by one order is gone for the others until the next step; then the book is full again. A combo trades
    whole units only: the leg with the least size decides.
    """

    def match(self, order: VenueOrder, open_units: int, quotes: Quotes, taken: Taken) -> Match | None:
        """Return the trade, or None when a side is missing, the size is used up, or the limit is worse."""
        natural = _natural(order, quotes)
        if natural is None or not limit_allows(order, natural[0]):
            return None
        units = min(open_units, *(_units_shown(order, leg, quotes, taken) for leg in order.legs))
        return Match(units=units, net=natural[0], prices=natural[1]) if units > 0 else None


@dataclass(frozen=True, slots=True)
class UnlimitedFills:
    """The null model: natural prices for any size."""

    def match(self, order: VenueOrder, open_units: int, quotes: Quotes, taken: Taken) -> Match | None:  # noqa: ARG002 - the protocol's signature
        """Return the whole order, or None when a side is missing or the limit is worse."""
        natural = _natural(order, quotes)
        if natural is None or not limit_allows(order, natural[0]):
            return None
        return Match(units=min(open_units, _NO_LIMIT), net=natural[0], prices=natural[1])


def taking_side(order: VenueOrder, leg: VenueLeg) -> Side:
    """Return what the order does to a leg: selling a combo turns every leg around."""
    return leg.side if order.side is Side.BUY else leg.side.opposite


def limit_allows(order: VenueOrder, net: Decimal) -> bool:
    """Return whether a net price is no worse than the order's limit; a market order takes any."""
    if order.order_type is OrderType.MARKET or order.limit is None:
        return True
    return net <= order.limit if order.side is Side.BUY else net >= order.limit


def _natural(order: VenueOrder, quotes: Quotes) -> tuple[Decimal, tuple[Decimal, ...]] | None:
    """Return net and leg prices at the sides that the order would hit, or None where one is missing."""
    net, prices = Decimal(0), []
    for leg in order.legs:
        quote = quotes(leg.instrument)
        price = quote.ask if taking_side(order, leg) is Side.BUY else quote.bid
        if price is None:
            return None
        prices.append(price)
        net += price * leg.ratio * leg.side.sign
    return net, tuple(prices)


def _units_shown(order: VenueOrder, leg: VenueLeg, quotes: Quotes, taken: Taken) -> int:
    """Return how many whole units the displayed size of one leg allows."""
    quote, side = quotes(leg.instrument), taking_side(order, leg)
    shown = quote.ask_size if side is Side.BUY else quote.bid_size
    return (shown - taken.get((leg.instrument, side), 0)) // leg.ratio
