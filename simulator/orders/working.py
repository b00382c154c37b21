"""An order that may still fill, with everything the exchange keeps about it."""

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from simulator.fills import Queue
from simulator.orders.lots import Lots
from simulator.venue import OrderChanged, OrderType, VenueOrder, VenueStatus

OrderKey = tuple[int, int]
"""Client id and order id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Working:
    """An order at the exchange; ``paid`` is the sum of net price times units, ``lots`` the legs' own trades."""

    order: VenueOrder
    perm_id: int
    since: datetime  # placed, or changed last: an order acts from then on
    lots: tuple[Lots, ...]  # one for each leg
    filled: int = 0
    paid: Decimal = Decimal(0)
    last: Decimal = Decimal(0)
    is_untransmitted: bool = False
    awaits_parent: bool = False
    is_released: bool = False  # its conditions have come true
    is_triggered: bool = False  # its stop has been touched
    stop: Decimal | None = None  # as it stands now
    active_since: datetime | None = None  # when it first could trade
    was_open: bool = False  # its contracts have traded in hours in which it may trade
    was_shut: bool = False  # its contracts have been outside regular hours
    regular: tuple[Decimal, ...] | None = None  # each leg's last price in regular hours, for the closing auction
    cap: Decimal | None = None  # held at this price, which is nearer than its limit
    capped_at: datetime | None = None
    queue: Queue | None = None
    status: VenueStatus = VenueStatus.PRE_SUBMITTED
    why_held: str = ""

    @property
    def key(self) -> OrderKey:
        """Client id and order id."""
        return self.order.client_id, self.order.order_id

    @property
    def open_units(self) -> int:
        """Units that have not traded."""
        return self.order.quantity - self.filled

    def standing(
        self,
        status: VenueStatus | None = None,
        reason: str = "",
        code: int = 0,
        warning: tuple[int, str] | None = None,
    ) -> OrderChanged:
        """Return the order as it stands, in its own status unless another one is stated."""
        return OrderChanged(
            order=self._as_it_stands(),
            perm_id=self.perm_id,
            status=status or self.status,
            filled=self.filled,
            average_price=self.paid / self.filled if self.filled else Decimal(0),
            last_price=self.last,
            reason=reason,
            code=code,
            why_held=self.why_held if status in {None, VenueStatus.PRE_SUBMITTED} else "",
            cap_price=self.cap,
            warning=warning,
        )

    def looks_like(self, other: "Working") -> bool:
        """Return whether an owner would see no difference."""
        return (self.status, self.why_held, self.stop, self.cap, self.order) == (
            other.status, other.why_held, other.stop, other.cap, other.order,
        )  # fmt: skip

    def _as_it_stands(self) -> VenueOrder:
        """Return the order with a trailing stop where the exchange has moved it."""
        if self.order.order_type in {OrderType.TRAIL, OrderType.TRAIL_LIMIT} and self.stop is not None:
            return replace(self.order, trail_stop=self.stop)
        return self.order
