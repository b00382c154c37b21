"""What can befall an order: the plain fate, and what every fate can reach.

A fate decides what reaches the exchange (`place`, `change`, `cancel`), and what its client hears of it (`heard`) and
sees when it asks (`shown`, `shown_execution`). The plain `Fate` changes nothing; every other one overrides what it is
about.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from simulator.ports import TradingFloor
from simulator.troubles.agenda import Agenda
from simulator.troubles.kinds import Trouble
from simulator.venue import Charged, Executed, OrderChanged, VenueOrder, VenueStatus

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


def is_done(standing: OrderChanged) -> bool:
    """Whether an order can do no more; Inactive without a reason can."""
    return standing.status not in WORKING and not (standing.status is VenueStatus.REJECTED and not standing.code)


def is_same(first: VenueOrder, second: VenueOrder) -> bool:
    """Whether both stand under one client id and order id."""
    return (first.client_id, first.order_id) == (second.client_id, second.order_id)
