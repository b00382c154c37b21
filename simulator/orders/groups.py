"""What orders do to each other: brackets, untransmitted families, one-cancels-all groups."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from simulator.orders.working import OrderKey, Working
from simulator.venue import OcaType, VenueOrder

Book = Mapping[OrderKey, Working]

_REDUCING: Final = frozenset({OcaType.REDUCE_WITH_BLOCK, OcaType.REDUCE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Oca:
    """A group and its rule: type 1 (or none stated) cancels the others, 2 and 3 take the filled share off them.

    Orders trade one after the other here, so that the overfill protection of types 1 and 2 holds by itself.
    """

    name: str
    reduces: bool


def oca_of(order: VenueOrder) -> Oca | None:
    """Return an order's group; the children of one parent are a group that reduces, without being told so."""
    if order.oca_group:
        return Oca(name=order.oca_group, reduces=order.oca_type in _REDUCING)
    if order.parent_id:
        return Oca(name=f"children of {order.client_id}/{order.parent_id}", reduces=True)
    return None


def others_in_group(book: Book, order: VenueOrder) -> tuple[OrderKey, ...]:
    """Return the other working orders of an order's group, oldest first."""
    group = oca_of(order)
    if group is None:
        return ()
    mine = (order.client_id, order.order_id)
    return tuple(key for key, each in book.items() if key != mine and _named(each) == group.name)


def reduced_quantity(other: Working, *, open_before: int, units: int) -> int:
    """Return a group member's new quantity after ``units`` of ``open_before`` open units of another one filled.

    filled + floor(open x (1 - units / open_before)); with nothing left open the member is to be cancelled.
    """
    left = Fraction(open_before - units, open_before)
    return other.filled + int(other.open_units * left)


def children_of(book: Book, parent: OrderKey) -> tuple[OrderKey, ...]:
    """Return the working orders attached to a parent, oldest first."""
    return tuple(key for key, each in book.items() if each.order.parent_id and _parent(each.order) == parent)


def released_by(book: Book, order: VenueOrder) -> tuple[OrderKey, ...]:
    """Return the untransmitted orders that a transmitted one sets free: its parent, brothers and children."""
    if not order.transmit:
        return ()
    head = _parent(order) if order.parent_id else (order.client_id, order.order_id)
    family: Iterable[OrderKey] = (head, *children_of(book, head))
    return tuple(key for key in family if key in book and book[key].is_untransmitted)


def _parent(order: VenueOrder) -> OrderKey:
    return order.client_id, order.parent_id


def _named(working: Working) -> str:
    group = oca_of(working.order)
    return "" if group is None else group.name
