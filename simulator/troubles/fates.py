"""What befalls one order that lives at the exchange: each kind is a small class between its client and the exchange."""

from dataclasses import replace
from decimal import Decimal

from simulator.troubles.fate import NOT_CANCELLABLE, WORKING, Fate, OrderEvent, Surroundings, Told, is_same
from simulator.troubles.kinds import Trouble
from simulator.venue import Executed, OrderChanged, OrderType, VenueOrder, VenueStatus


class Silent(Fate):
    """F19: the order lives, and nothing is told of it until its client comes back."""

    _is_over = False

    def heard(self, event: OrderEvent) -> Told:
        """Return nothing before the reconnect."""
        if self._is_over:
            yield event, 0.0

    def reconnected(self) -> None:
        """Tell again from now on."""
        self._is_over = True


class Late(Fate):
    """F20: everything is told late."""

    def heard(self, event: OrderEvent) -> Told:
        """Return the event with the delay."""
        yield event, self.trouble.number("seconds")


class Noted(Fate):
    """F23: a notice beside the live order."""

    _is_told = False

    def heard(self, event: OrderEvent) -> Told:
        """Add the notice to the first working standing."""
        yield event, 0.0
        if isinstance(event, OrderChanged) and event.status in WORKING and not self._is_told:
            self._is_told = True
            yield replace(event, warning=(self.trouble.whole("code"), self.trouble.text("text"))), 0.0


class FilledAfterCancel(Fate):
    """F24 and F26: the cancel and the fill cross; F24 confirms the cancellation first, F26 refuses it."""

    _is_crossed = False

    def cancel(self) -> bool:
        """Tell the cancellation, or nothing, then fill the order at the market."""
        standing = next((each for each in self.around.floor.open_orders() if is_same(each.order, self.order)), None)
        if standing is None:
            return False
        self._is_crossed = True
        if self.trouble.kind.name == "fill_after_202":
            self.around.tell(replace(standing, status=VenueStatus.CANCELLED))
            self.around.agenda.after(self.trouble.number("seconds"), self._fill)
        else:
            self._fill()
            self.around.refuse_cancel(self.order, NOT_CANCELLABLE, "Cancel attempted when order is not in a state.")
        return True

    def _fill(self) -> None:
        """Make it a market order; where that does not fill it at once, it is cancelled in earnest."""
        self.around.floor.place(replace(self.order, order_type=OrderType.MARKET, limit=None))
        if any(is_same(each.order, self.order) for each in self.around.floor.open_orders()):
            self.around.floor.cancel(self.order.client_id, self.order.order_id)

    def heard(self, event: OrderEvent) -> Told:
        """Keep back what tells of the crossing, apart from executions and the fill."""
        if self._is_crossed and isinstance(event, OrderChanged) and event.status is not VenueStatus.FILLED:
            return
        if isinstance(event, OrderChanged):
            event = self.shown(event)
        yield event, 0.0

    def shown(self, standing: OrderChanged) -> OrderChanged:
        """Return it with the terms that the client gave."""
        return replace(standing, order=self.order)


class FilledBeforeAck(Fate):
    """F25: acknowledgements wait for the first execution, at most five seconds."""

    def __init__(self, trouble: Trouble, order: VenueOrder, around: Surroundings) -> None:
        """Wait."""
        super().__init__(trouble, order, around)
        self._kept: list[OrderChanged] | None = []

    def heard(self, event: OrderEvent) -> Told:
        """Keep standings back until an execution has been told."""
        if self._kept is None:
            yield event, 0.0
        elif isinstance(event, OrderChanged):
            if not self._kept:
                self.around.agenda.after(5.0, self._release)
            self._kept.append(event)
        else:
            kept, self._kept = self._kept, None
            yield event, 0.0
            for each in kept:
                yield each, 0.0

    def _release(self) -> None:
        kept, self._kept = self._kept, None
        for each in kept or ():
            self.around.tell(each)


class ChangeRejected(Fate):
    """F27: the next change is refused."""

    _is_over = False

    def change(self, order: VenueOrder) -> bool:
        """Refuse it once; the order goes on as it was."""
        standing = next((each for each in self.around.floor.open_orders() if is_same(each.order, order)), None)
        if self._is_over or standing is None:
            return False
        self._is_over = True
        code, reason = self.trouble.whole("code"), self.trouble.text("text")
        self.around.tell(replace(standing, code=code, reason=reason))
        return True


class Capped(Fate):
    """F30: the exchange works another price, told as the price at which it is held."""

    def place(self) -> bool:
        """Place it at the capped price; orders without a limit are left alone."""
        if self.order.limit is None:
            return False
        self.around.floor.place(replace(self.order, limit=self._cap(self.order.limit)))
        return True

    def change(self, order: VenueOrder) -> bool:
        """Cap the new terms as well."""
        self.order = order
        return self.place()

    def heard(self, event: OrderEvent) -> Told:
        """Return it with the client's price, and with the cap."""
        if isinstance(event, OrderChanged):
            event = self.shown(event)
        elif isinstance(event, Executed):
            event = replace(event, order=self.order)
        yield event, 0.0

    def shown(self, standing: OrderChanged) -> OrderChanged:
        """Return it with the client's price, and with the cap."""
        return replace(standing, order=self.order, cap_price=standing.order.limit)

    def shown_execution(self, executed: Executed) -> Executed | None:
        """Return it with the client's price."""
        return replace(executed, order=self.order)

    def _cap(self, limit: Decimal) -> Decimal:
        return limit - self.order.side.sign * Decimal(str(self.trouble.number("points")))


class WithoutPermId(Fate):
    """F35: the permanent id is 0 at first."""

    _is_over = False
    _last: OrderChanged | None = None

    def place(self) -> bool:
        """Note when the id arrives."""
        self.around.agenda.after(self.trouble.number("seconds"), self._arrive)
        return False

    def heard(self, event: OrderEvent) -> Told:
        """Return it without the id."""
        if isinstance(event, OrderChanged):
            self._last = event
            event = self.shown(event)
        elif isinstance(event, Executed) and not self._is_over:
            event = replace(event, perm_id=0)
        yield event, 0.0

    def shown(self, standing: OrderChanged) -> OrderChanged:
        """Return it without the id."""
        return standing if self._is_over else replace(standing, perm_id=0)

    def shown_execution(self, executed: Executed) -> Executed | None:
        """Return it without the id."""
        return executed if self._is_over else replace(executed, perm_id=0)

    def _arrive(self) -> None:
        self._is_over = True
        if self._last is not None:
            self.around.tell(self._last)
