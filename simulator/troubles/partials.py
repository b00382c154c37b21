"""Orders of which the exchange works a part: fewer units, or a combo by one of its legs."""

from dataclasses import replace
from decimal import Decimal

from bot.domain.instrument import Side
from simulator.troubles.fate import WORKING, Fate, OrderEvent, Told
from simulator.venue import Charged, Executed, OrderChanged, OrderType, VenueLeg, VenueOrder, VenueStatus


class Partial(Fate):
    """F32 to F34: a part trades, the rest never does; to the client the order goes on working until it cancels."""

    _is_cancelled = False
    _last: OrderChanged | None = None

    def place(self) -> bool:
        """Place the part that trades."""
        quantity = min(self.trouble.whole("quantity"), self.order.quantity)
        self.around.floor.place(replace(self.order, quantity=quantity))
        return True

    def change(self, order: VenueOrder) -> bool:
        """Take the new terms for what is told; the part stays as it is."""
        self.order = order
        if self._last is not None:
            self.around.tell(self.shown(self._last))
        return True

    def cancel(self) -> bool:
        """End the part where it still works, and tell the end of the whole."""
        if self._last is None or self._is_cancelled:
            return False
        self._is_cancelled = True
        if self._last.status in WORKING:
            self.around.floor.cancel(self.order.client_id, self.order.order_id)
        else:
            self.around.tell(self.shown(self._last))
        return True

    def heard(self, event: OrderEvent) -> Told:
        """Return it as one of the whole order."""
        if isinstance(event, OrderChanged):
            self._last = event
            event = self.shown(event)
        elif isinstance(event, Executed):
            event = replace(event, order=self.order)
        yield event, 0.0

    def shown(self, standing: OrderChanged) -> OrderChanged:
        """Return the whole order: it works on where its part is filled."""
        status = VenueStatus.SUBMITTED if standing.status is VenueStatus.FILLED else standing.status
        if self._is_cancelled:
            status = VenueStatus.CANCELLED
        return replace(standing, order=self.order, status=status)

    def shown_execution(self, executed: Executed) -> Executed | None:
        """Return it as one of the whole order."""
        return replace(executed, order=self.order)


class OneLeg(Partial):
    """F33: one leg of a combo trades alone, at the market."""

    def place(self) -> bool:
        """Place that leg; an order for one contract is left alone."""
        if not self.order.is_combo:
            return False
        self.around.floor.place(leg_order(self.order, self.trouble.whole("leg"), self.order.quantity))
        return True

    def heard(self, event: OrderEvent) -> Told:
        """Return executions as a leg's, and the order as not filled in any unit."""
        if isinstance(event, OrderChanged):
            self._last = event
            event = self.shown(event)
        elif isinstance(event, Executed):
            event = self._as_leg(event)
        yield event, 0.0

    def shown(self, standing: OrderChanged) -> OrderChanged:
        """Return the combo: no whole unit of it is filled."""
        return replace(super().shown(standing), filled=0, average_price=Decimal(0), last_price=Decimal(0))

    def shown_execution(self, executed: Executed) -> Executed | None:
        """Return it as a leg's."""
        return self._as_leg(executed)

    def _as_leg(self, executed: Executed) -> Executed:
        return replace(executed, order=self.order, is_leg=True)


class LegImbalance(Partial):
    """F34: all but one unit of the combo trade, and one leg trades that unit as well."""

    def place(self) -> bool:
        """Place both parts; with a single unit nothing but the leg's would be left, which is `one_leg`."""
        if not self.order.is_combo or self.order.quantity < 2:
            return False
        self.around.floor.place(replace(self.order, quantity=self.order.quantity - 1))
        surplus = leg_order(self.order, self.trouble.whole("leg"), 1)
        self.around.floor.place(self.around.adopt(surplus, self))
        return True

    def heard_own(self, event: OrderEvent) -> Told:
        """Return the surplus leg's executions; of its order nothing is told."""
        if isinstance(event, Executed):
            yield replace(event, order=self.order, is_leg=True), 0.0
        elif isinstance(event, Charged):
            yield event, 0.0

    def shown_execution(self, executed: Executed) -> Executed | None:
        """Return it as one of the combo."""
        is_leg = executed.is_leg or not executed.order.is_combo
        return replace(executed, order=self.order, is_leg=is_leg)


def leg_order(order: VenueOrder, number: int, units: int) -> VenueOrder:
    """Return one leg of a combo as a market order of its own for some units of the combo."""
    leg = order.legs[min(number, len(order.legs)) - 1]
    return replace(
        order,
        side=Side.BUY if leg.side is order.side else Side.SELL,
        legs=(VenueLeg(instrument=leg.instrument, side=Side.BUY),),
        quantity=units * leg.ratio,
        order_type=OrderType.MARKET,
        limit=None,
        leg_prices=(),
        non_guaranteed=False,
    )
