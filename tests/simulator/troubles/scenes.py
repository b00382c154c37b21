"""A troubled floor at work, and what a client of it hears."""

from collections.abc import Iterable
from datetime import timedelta

from floors import OPENS_AT, Heard, a_call, a_future, a_spread, an_open_floor, an_order

from simulator.troubles.floor import TroubledFloor
from simulator.troubles.kinds import trouble
from simulator.venue import Charged, Executed, OrderChanged, VenueLeg, VenueOrder, VenueStatus


class Scene:
    """A floor ten minutes into a session with everything heard that it tells."""

    def __init__(self, name: str = "", **settings: object) -> None:
        """Ask for a trouble unless the name is empty."""
        self.opened = an_open_floor()
        self.floor = TroubledFloor(self.opened.floor)
        self.heard = Heard()
        self.floor.listen(self.heard.append)
        self.future = a_future(self.opened)
        self._minutes = 10.0
        if name:
            self.floor.inject(trouble(name, **settings))

    def buy(self, limit: str | None = None, *, quantity: int = 1, order_id: int = 1) -> VenueOrder:
        """Place an order for the future: without a limit it fills at once, at 10 it rests."""
        order = an_order(self.future, limit=limit, quantity=quantity, order_id=order_id)
        self.floor.place(order)
        return order

    def buy_spread(self, quantity: int = 1) -> tuple[VenueLeg, ...]:
        """Place an order for a call spread that fills at once."""
        legs = a_spread(a_call(self.opened, 20), a_call(self.opened, 25))
        self.floor.place(an_order(*legs, limit="9", quantity=quantity))
        return legs

    def wait(self, seconds: float) -> None:
        """Let time pass on the floor."""
        self._minutes += seconds / 60
        self.opened.floor.advance(OPENS_AT + timedelta(minutes=self._minutes))
        self.floor.carry_out()

    def statuses(self) -> list[VenueStatus]:
        """Return the standings that were told, in order."""
        return [event.status for event in self.heard.of(OrderChanged)]

    def kinds(self) -> list[str]:
        """Return which events about orders were told, in order."""
        return [type(event).__name__ for event in self.heard if isinstance(event, (OrderChanged, Executed, Charged))]

    def shown(self) -> dict[str, list[VenueStatus]]:
        """Return the standings that are told to who asks."""
        asked: dict[str, Iterable[OrderChanged]] = {
            "open": self.floor.open_orders(),
            "completed": self.floor.completed_orders(),
        }
        return {name: [each.status for each in orders] for name, orders in asked.items()}
