"""What befalls the executions of one order, told and asked for alike."""

from dataclasses import replace
from decimal import Decimal
from typing import Final

from simulator.troubles.fate import Fate, OrderEvent, Surroundings, Told
from simulator.troubles.kinds import Trouble
from simulator.venue import Charged, Executed, VenueOrder

LARGEST: Final = Decimal("1.7976931348623157E308")
"""How the wire says that a number is not set."""


class DuplicateFills(Fate):
    """F36: each execution and each commission is told twice."""

    def heard(self, event: OrderEvent) -> Told:
        """Return executions twice."""
        yield event, 0.0
        if isinstance(event, (Executed, Charged)):
            yield event, 0.0


class ReorderedFills(Fate):
    """F37: executions and commissions are collected, then told backwards."""

    def __init__(self, trouble: Trouble, order: VenueOrder, around: Surroundings) -> None:
        """Collect nothing yet."""
        super().__init__(trouble, order, around)
        self._kept: list[OrderEvent] = []

    def heard(self, event: OrderEvent) -> Told:
        """Keep executions and commissions back."""
        if not isinstance(event, (Executed, Charged)):
            yield event, 0.0
            return
        if not self._kept:
            self.around.agenda.after(self.trouble.number("seconds"), self._release)
        self._kept.append(event)

    def _release(self) -> None:
        kept, self._kept = self._kept, []
        for each in reversed(kept):
            self.around.tell(each)


class CorrectedFill(Fate):
    """F38: the first execution is corrected to another price, under its id with a higher suffix."""

    def __init__(self, trouble: Trouble, order: VenueOrder, around: Surroundings) -> None:
        """Correct nothing yet."""
        super().__init__(trouble, order, around)
        self._first: str | None = None
        self._is_corrected = False

    def heard(self, event: OrderEvent) -> Told:
        """Return it; the correction of the first follows."""
        yield event, 0.0
        if isinstance(event, Executed) and self._first is None:
            self._first = event.exec_id
            self.around.agenda.after(self.trouble.number("seconds"), lambda: self._correct(event))

    def shown_execution(self, executed: Executed) -> Executed | None:
        """Return the correction in the place of what it corrects."""
        return self._corrected(executed) if self._is_corrected and executed.exec_id == self._first else executed

    def _correct(self, executed: Executed) -> None:
        self._is_corrected = True
        self.around.tell(self._corrected(executed))

    def _corrected(self, executed: Executed) -> Executed:
        price = executed.price + Decimal(str(self.trouble.number("points")))
        return replace(executed, exec_id=next_revision(executed.exec_id), price=price)


class FiveSegments(Fate):
    """F39: ids of five segments, the fourth telling fills inside one combo apart."""

    def heard(self, event: OrderEvent) -> Told:
        """Return it with the longer id."""
        if isinstance(event, (Executed, Charged)):
            event = replace(event, exec_id=five_segments(event.exec_id))
        yield event, 0.0

    def shown_execution(self, executed: Executed) -> Executed | None:
        """Return it with the longer id."""
        return replace(executed, exec_id=five_segments(executed.exec_id))


class Busted(Fate):
    """F40: the first execution is withdrawn after its time."""

    def __init__(self, trouble: Trouble, order: VenueOrder, around: Surroundings) -> None:
        """Withdraw nothing yet."""
        super().__init__(trouble, order, around)
        self._first: str | None = None
        self._is_withdrawn = False

    def heard(self, event: OrderEvent) -> Told:
        """Return it; the withdrawal of the first follows."""
        yield event, 0.0
        if isinstance(event, Executed) and self._first is None:
            self._first = event.exec_id
            self.around.agenda.after(self.trouble.number("seconds"), lambda: self._withdraw(event))

    def shown_execution(self, executed: Executed) -> Executed | None:
        """Hide what was withdrawn."""
        return None if self._is_withdrawn and executed.exec_id == self._first else executed

    def _withdraw(self, executed: Executed) -> None:
        self._is_withdrawn = True
        self.around.take_back(executed)


class LateCommission(Fate):
    """F42: commissions come late, or only to who asks."""

    def heard(self, event: OrderEvent) -> Told:
        """Delay commissions, or keep them back."""
        seconds = self.trouble.number("seconds")
        if not isinstance(event, Charged):
            yield event, 0.0
        elif seconds > 0:
            yield event, seconds


class UnsetCommission(Fate):
    """F42: commissions are told with numbers that are not set."""

    def heard(self, event: OrderEvent) -> Told:
        """Return commissions without their numbers."""
        if isinstance(event, Charged):
            event = replace(event, commission_usd=LARGEST, realized_usd=LARGEST)
        yield event, 0.0


def next_revision(exec_id: str) -> str:
    """Return an id with its last segment one higher.

    >>> next_revision("20261019.00000001.00.01")
    '20261019.00000001.00.02'
    """
    root, _, revision = exec_id.rpartition(".")
    return f"{root}.{int(revision) + 1:02d}"


def five_segments(exec_id: str) -> str:
    """Return an id with one more segment before the last.

    >>> five_segments("20261019.00000001.00.01")
    '20261019.00000001.00.01.01'
    """
    root, _, revision = exec_id.rpartition(".")
    return f"{root}.01.{revision}"
