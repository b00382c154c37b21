"""What one layer of the base holds: calls to keep, calls that are due, what took their place, what is on its way."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from bot.domain.instrument import Kind, Right, Side
from bot.domain.layer import BASE_LAYERS, Layer
from bot.domain.orders import Order, Purpose
from bot.domain.portfolio import Book, Lot
from bot.domain.schedule import SessionCalendar
from bot.hedging.temporal.rolling import roll_due, stop_due
from bot.hedging.temporal.settings import TemporalSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerStanding:
    """One layer as it stands; everything but the lots in calls.

    Attributes:
        layer: Which.
        fresh: Calls that are not due.
        due: Lots at their roll or at their stop, oldest first as in the book.
        stopping: Those of them that must go now, whatever was bought for them.
        replaced: Fresh calls bought since the first of the due lots became due: they took the place of as many.
        working: Calls that orders may still buy.
        others: It holds futures or spreads, which no number of calls tells.
    """

    layer: Layer
    fresh: int = 0
    due: tuple[Lot, ...] = ()
    stopping: tuple[Lot, ...] = ()
    replaced: int = 0
    working: int = 0
    others: bool = False

    @property
    def due_calls(self) -> int:
        """Calls in the due lots."""
        return sum(lot.units_open for lot in self.due)

    def missing(self, target: int, *, frozen: bool) -> int:
        """Return how many calls are to be bought: up to the target, or while the base is frozen one for each due one.

        >>> standing = LayerStanding(layer=Layer.SHORT, fresh=5, replaced=1)
        >>> standing.missing(16, frozen=False), standing.missing(16, frozen=True)
        (11, 0)
        """
        have = (self.replaced if frozen else self.fresh) + self.working
        return max(0, (self.due_calls if frozen else target) - have)

    def is_covered(self, target: int, *, frozen: bool) -> bool:
        """Return whether the fresh calls stand for the due ones, so that these may go."""
        return self.replaced >= self.due_calls if frozen else self.fresh >= target


def standings_of(
    book: Book, today: date, settings: TemporalSettings, calendar: SessionCalendar
) -> tuple[LayerStanding, ...]:
    """Return the three layers as they stand, the nearest first.

    Args:
        book: Lots and orders.
        today: New York date.
        settings: Days of the rolls and of the stop.
        calendar: Sessions and holidays.

    Source: docs/methodology.md, M4 and M7.
    """
    return tuple(_standing(layer, book, today, settings, calendar) for layer in BASE_LAYERS)


def _standing(
    layer: Layer, book: Book, today: date, settings: TemporalSettings, calendar: SessionCalendar
) -> LayerStanding:
    lots = [lot for lot in book.lots if lot.layer is layer and lot.lives_on(today)]
    rolls = {lot.lot_id: roll_due(lot, today, settings, calendar) for lot in lots}
    stops = {lot.lot_id: stop_due(lot, today, settings, calendar) for lot in lots}
    since = [due.since for due in (*rolls.values(), *stops.values()) if due is not None]
    due = tuple(lot for lot in lots if rolls[lot.lot_id] or stops[lot.lot_id])
    fresh = [lot for lot in lots if lot not in due and is_call(lot)]
    return LayerStanding(
        layer=layer,
        fresh=_units(fresh),
        due=due,
        stopping=tuple(lot for lot in lots if stops[lot.lot_id]),
        replaced=_units(lot for lot in fresh if since and lot.bought_on >= min(since)),
        working=sum(order.remaining for order in base_orders(book.orders.values()) if _buys_for(order, layer)),
        others=any(not is_call(lot) for lot in lots),
    )


def counted(standings: Iterable[LayerStanding], lots: Iterable[Lot], today: date) -> Iterator[tuple[Lot, int]]:
    """Yield the base lots with the units that count: of due lots only what has not been replaced yet.

    A roll is a purchase followed by a sale; in between both are held, and the base is still no larger than before.

    Source: docs/methodology.md, M2 and M4.
    """
    replaced = {standing.layer: standing.replaced for standing in standings}
    due = {lot.lot_id for standing in standings for lot in standing.due}
    for lot in lots:
        if lot.layer not in BASE_LAYERS or not lot.lives_on(today):
            continue
        gone = min(lot.units_open, replaced[lot.layer]) if lot.lot_id in due else 0
        replaced[lot.layer] -= gone
        if lot.units_open > gone:
            yield lot, lot.units_open - gone


def base_orders(orders: Iterable[Order]) -> tuple[Order, ...]:
    """Return the orders for the base that may still fill."""
    of_the_base = (Purpose.BASE_BUILD, Purpose.BASE_EXIT)
    return tuple(order for order in orders if order.may_fill and order.intent.purpose in of_the_base)


def is_call(lot: Lot) -> bool:
    """Return whether a unit of a lot is one call."""
    if len(lot.legs) != 1:
        return False
    (leg,) = lot.legs
    is_option = leg.instrument.kind is Kind.OPTION and leg.instrument.right is Right.CALL
    return is_option and leg.side is Side.BUY and leg.ratio == 1


def _buys_for(order: Order, layer: Layer) -> bool:
    return order.intent.purpose is Purpose.BASE_BUILD and order.intent.layer is layer


def _units(lots: Iterable[Lot]) -> int:
    return sum(lot.units_open for lot in lots)
