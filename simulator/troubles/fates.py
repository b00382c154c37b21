"""What befalls one order: each kind is a small class that stands between its client and the exchange.

A fate decides what reaches the exchange (`place`, `change`, `cancel`), and what its client hears of it (`heard`) and
sees when it asks (`shown`, `shown_execution`). The plain `Fate` changes nothing; every other one overrides what it is
about.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from bot.domain.instrument import Side
from simulator.admission import DUPLICATE_ID
from simulator.ports import TradingFloor
from simulator.troubles.agenda import Agenda
from simulator.troubles.kinds import Trouble
from simulator.venue import (
    Charged,
    Executed,
    OrderChanged,
    OrderType,
    VenueLeg,
    VenueOrder,
    VenueStatus,
)

OrderEvent = OrderChanged | Executed | Charged
Told = Iterable[tuple[OrderEvent, float]]
"""Events with the delay in seconds after which each is told."""
WORKING: Final = frozenset({VenueStatus.PRE_SUBMITTED, VenueStatus.SUBMITTED})
REJECTED: Final = 201
NOT_CANCELLABLE: Final = 161


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a fate can reach: the exchange, the later, its own pipeline to the client, and numbers for what it makes."""

    floor: TradingFloor
    agenda: Agenda
    tell: Callable[[OrderEvent], None]
    adopt: Callable[[VenueOrder, "Fate"], VenueOrder]  # an order of its own at the exchange, under a number of its own
    next_perm_id: Callable[[], int]
    refuse_cancel: Callable[[VenueOrder, int, str], None]
    take_back: Callable[[Executed], None]  # withdraw an execution


class Fate:
    """Nothing befalls the order."""

    def __init__(self, trouble: Trouble, order: VenueOrder, around: Surroundings) -> None:
        """Stand beside a new order."""
        self.trouble = trouble
        self.order = order
        self.around = around

    def place(self) -> bool:
        """Place the order in another way; False leaves it to the exchange as it is."""
        return False

    def change(self, order: VenueOrder) -> bool:
        """Change the order in another way; False leaves it to the exchange."""
        self.order = order
        return False

    def cancel(self) -> bool:
        """Cancel the order in another way; False leaves it to the exchange."""
        return False

    def heard(self, event: OrderEvent) -> Told:
        """Return what is told in an event's place, each with its delay."""
        yield event, 0.0

    def heard_own(self, event: OrderEvent) -> Told:
        """Return what is told of an order that this fate placed under a number of its own."""
        yield event, 0.0

    def shown(self, standing: OrderChanged) -> OrderChanged:
        """Return a standing as it is told to who asks."""
        return standing

    def standing(self) -> OrderChanged | None:
        """Return the standing of an order that the exchange does not know, or None."""
        return None

    def shown_execution(self, executed: Executed) -> Executed | None:
        """Return an execution as it is told to who asks, or None to hide it."""
        return executed

    def reconnected(self) -> None:
        """Its client has come back."""


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


class Synthetic(Fate):
    """An order that the exchange never sees: its standing is made up here."""

    def __init__(self, trouble: Trouble, order: VenueOrder, around: Surroundings) -> None:
        """Give it a permanent id."""
        super().__init__(trouble, order, around)
        self._perm_id = around.next_perm_id()
        self._standing: OrderChanged | None = None

    def standing(self) -> OrderChanged | None:
        """Return the made-up standing."""
        return self._standing

    def set(self, status: VenueStatus, *, code: int = 0, reason: str = "") -> None:
        """Move the standing and tell it."""
        self._standing = OrderChanged(
            order=self.order,
            perm_id=self._perm_id,
            status=status,
            filled=0,
            average_price=Decimal(0),
            last_price=Decimal(0),
            code=code,
            reason=reason,
        )
        self.around.tell(self._standing)

    def cancel(self) -> bool:
        """Cancel it here, or say that it is done."""
        if self._standing is None or is_done(self._standing):
            self.around.refuse_cancel(self.order, NOT_CANCELLABLE, "Cancel attempted when order is not in a state.")
        else:
            self.set(VenueStatus.CANCELLED)
        return True

    def change(self, order: VenueOrder) -> bool:
        """Take the new terms; it stands as it stood."""
        if self._standing is None or is_done(self._standing):
            return False
        self.order = order
        self.set(self._standing.status)
        return True


class Rejected(Synthetic):
    """Answered with a rejection."""

    def place(self) -> bool:
        """Reject it."""
        self.set(VenueStatus.REJECTED, code=self.trouble.whole("code"), reason=self.trouble.text("text"))
        return True


class DuplicateId(Synthetic):
    """F29: answered as if the id had been used."""

    def place(self) -> bool:
        """Refuse it; nothing stands, for the id is said to belong to another order."""
        self.set(VenueStatus.REJECTED, code=DUPLICATE_ID, reason="Duplicate order id")
        self._standing = None
        return True


class Dropped(Synthetic):
    """F21: nothing becomes of it."""

    def place(self) -> bool:
        """Do nothing."""
        return True

    def cancel(self) -> bool:
        """Leave it to the exchange, which does not know the order."""
        return False


class RejectedAfterAck(Synthetic):
    """F22: acknowledged and then rejected."""

    def place(self) -> bool:
        """Tell both."""
        self.set(VenueStatus.SUBMITTED)
        self.set(VenueStatus.REJECTED, code=REJECTED, reason=self.trouble.text("text"))
        return True


class Inactive(Synthetic):
    """F31: parked without a reason, until cancelled or released."""

    def place(self) -> bool:
        """Park it, and release it after its time."""
        self.set(VenueStatus.REJECTED)
        seconds = self.trouble.number("seconds")
        if seconds > 0:
            self.around.agenda.after(seconds, self.release)
        return True

    def release(self) -> None:
        """Let it go to the exchange unless it was cancelled."""
        if self._standing is not None and not is_done(self._standing):
            self._standing = None
            self.around.floor.place(self.order)

    def change(self, order: VenueOrder) -> bool:
        """Take the new terms while it is parked."""
        return self._standing is not None and super().change(order)

    def cancel(self) -> bool:
        """Cancel it while it is parked."""
        return self._standing is not None and super().cancel()


class Halted(Inactive):
    """An order for a halted contract waits as PreSubmitted; the end of the halt releases it."""

    def place(self) -> bool:
        """Hold it."""
        self.set(VenueStatus.PRE_SUBMITTED)
        return True


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
        standing = next((each for each in self.around.floor.open_orders() if _same(each.order, self.order)), None)
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
        if any(_same(each.order, self.order) for each in self.around.floor.open_orders()):
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
        standing = next((each for each in self.around.floor.open_orders() if _same(each.order, order)), None)
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


def is_done(standing: OrderChanged) -> bool:
    """Whether an order can do no more; Inactive without a reason can."""
    return standing.status not in WORKING and not (standing.status is VenueStatus.REJECTED and not standing.code)


def _same(first: VenueOrder, second: VenueOrder) -> bool:
    return (first.client_id, first.order_id) == (second.client_id, second.order_id)
