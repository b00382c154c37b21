"""Scripted misfortune for tests and drills: small values that a gateway takes, one at a time.

Faults about the next order wait in a queue until a client places one; the others act at once.
"""

from collections import deque
from dataclasses import dataclass
from enum import StrEnum


class OrderFault(StrEnum):
    """What befalls the next order that reaches the gateway."""

    REJECT = "reject"  # answered with 201, never at the exchange
    LOSE_ANSWERS = "lose_answers"  # the order lives, but this connection hears nothing of it unless it asks
    DROP = "drop"  # the frame vanishes: nothing is placed, nothing is answered


class LinkNotice(StrEnum):
    """A notice about the gateway's own line to the broker, with its code as value."""

    LOST = "1100"
    RESTORED_DATA_LOST = "1101"
    RESTORED_DATA_KEPT = "1102"


@dataclass(frozen=True, slots=True, kw_only=True)
class NextOrder:
    """The next order of a client (of any where ``client_id`` is None) meets a fault."""

    fault: OrderFault
    client_id: int | None = None
    text: str = "injected rejection"


@dataclass(frozen=True, slots=True, kw_only=True)
class Disconnect:
    """A client's connection is cut; with ``hold_id`` its id stays taken as by a half-open dead session."""

    client_id: int
    hold_id: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseId:
    """A held client id becomes free."""

    client_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Broadcast:
    """All clients are told about the line behind the gateway; 1101 ends every subscription."""

    notice: LinkNotice


Fault = NextOrder | Disconnect | ReleaseId | Broadcast


class Faults:
    """What still waits for an order, and which client ids are held."""

    def __init__(self) -> None:
        """Begin without misfortune."""
        self._waiting: deque[NextOrder] = deque()
        self.held_ids: set[int] = set()

    def __repr__(self) -> str:
        """What waits, for failing tests."""
        return f"Faults({list(self._waiting)}, held ids {sorted(self.held_ids)})"

    def add(self, fault: NextOrder) -> None:
        """Queue a fault."""
        self._waiting.append(fault)

    def take(self, client_id: int) -> NextOrder | None:
        """Return and remove the oldest fault that fits an order of this client."""
        for fault in self._waiting:
            if fault.client_id in {None, client_id}:
                self._waiting.remove(fault)
                return fault
        return None
