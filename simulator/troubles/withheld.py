"""Orders that the exchange never sees, or not yet: what is told of them is made up here."""

from decimal import Decimal

from simulator.admission import DUPLICATE_ID
from simulator.troubles.fate import NOT_CANCELLABLE, REJECTED, Fate, Surroundings, is_done
from simulator.troubles.kinds import Trouble
from simulator.venue import OrderChanged, VenueOrder, VenueStatus


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
