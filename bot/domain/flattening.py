"""FLATTEN as values: the plan that a person is shown and signs, and the mandate under which its orders leave in HALT.

How it works: a plan lists what is sold, in how many units, at which worst price; its digest is over every one of these,
so that a signature is for this plan and no other. A mandate is a signed plan with the orders that left under it. What
always holds: never more units than were signed, never a price worse than was signed, never past its time or a later
kill; what filled counts for good.

Source: docs/risk-controls.md, 2.6.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from bot.domain.checks import require_aware, require_finite, require_not_negative, require_positive, require_text
from bot.domain.errors import InvalidValueError
from bot.domain.instrument import InstrumentKey
from bot.domain.layer import Layer
from bot.domain.orders import Leg, Order, OrderIntent, Purpose

SignedLegs = frozenset[tuple[InstrumentKey, int]]
"""Contracts with their signed ratios, whatever their order."""


def signed_legs(legs: Sequence[Leg]) -> SignedLegs:
    """Return the contracts of an order with their signed ratios."""
    return frozenset((leg.instrument.key, leg.signed_ratio) for leg in legs)


@dataclass(frozen=True, slots=True, kw_only=True)
class FlatPart:
    """What is sold of the lots of one layer with the same contracts.

    Attributes:
        layer: Whose lots.
        legs: As they are traded: the long contracts sold, the short ones bought, in one order.
        units: At most so many units of it.
        worst_limit: Points per unit, negative receives; no order asks for a worse price.
        cost_usd: What all units give away at the worst price against the middle, fees included; zero or more.
    """

    layer: Layer
    legs: tuple[Leg, ...]
    units: int
    worst_limit: Decimal
    cost_usd: Decimal

    def __post_init__(self) -> None:
        """Reject a part that sells nothing, or at no price."""
        require_positive(units=self.units)
        require_finite(worst_limit=self.worst_limit)
        require_not_negative(cost_usd=self.cost_usd)
        if not self.legs:
            raise InvalidValueError("a part of a flatten plan needs a contract")

    @property
    def words(self) -> str:
        """The part in one line, also what the digest is made of."""
        legs = " ".join(f"{ratio:+d} {key}" for key, ratio in sorted(signed_legs(self.legs)))
        return f"{self.layer.value}: {self.units} x {legs} at {self.worst_limit} or better"

    def covers(self, intent: OrderIntent) -> bool:
        """Return whether an order is of this part: its layer, its contracts, no worse price, no more units."""
        same = (intent.layer, signed_legs(intent.legs)) == (self.layer, signed_legs(self.legs))
        return same and intent.quantity <= self.units and intent.limit <= self.worst_limit


@dataclass(frozen=True, slots=True, kw_only=True)
class FlattenPlan:
    """What a person signs. ``left_out`` says in words what the plan does not touch although it is held."""

    plan_id: str
    epoch: int  # of the halt in which it was made
    made_at: datetime
    expires_at: datetime
    parts: tuple[FlatPart, ...]
    left_out: tuple[str, ...] = ()
    loss_in_a_fall_usd: float | None = None  # R_down as the book is; None where it cannot be valued
    loss_after_usd: float | None = None  # the same without what the plan sells

    def __post_init__(self) -> None:
        """Reject a plan without a name or with two parts for the same lots."""
        require_text(plan_id=self.plan_id)
        require_aware(made_at=self.made_at, expires_at=self.expires_at)
        if len({(part.layer, signed_legs(part.legs)) for part in self.parts}) != len(self.parts):
            raise InvalidValueError("a flatten plan names the lots of a layer with the same contracts once")

    @property
    def cost_usd(self) -> Decimal:
        """What the plan gives away at its worst prices, fees included."""
        return sum((part.cost_usd for part in self.parts), Decimal(0))

    @property
    def digest(self) -> str:
        """SHA-256 over everything that is sold, at which price, in which halt; hexadecimal."""
        told = [self.plan_id, self.epoch, self.made_at.isoformat(), *(part.words for part in self.parts)]
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Mandate:
    """A signed plan under way; ``orders`` are those that were approved under it, as they stand."""

    plan: FlattenPlan
    key_id: str
    signed_at: datetime
    until: datetime
    most_tries: int  # orders for one part
    orders: tuple[Order, ...] = ()

    def __post_init__(self) -> None:
        """Reject a mandate of nobody."""
        require_text(key_id=self.key_id)
        require_aware(signed_at=self.signed_at, until=self.until)
        require_positive(most_tries=self.most_tries)

    def with_orders(self, orders: Sequence[Order]) -> "Mandate":
        """Return the same mandate with its orders as they stand now."""
        return replace(self, orders=tuple(orders))

    def of_part(self, part: FlatPart) -> tuple[Order, ...]:
        """Return the orders that left for a part."""
        mine = (part.layer, signed_legs(part.legs))
        return tuple(one for one in self.orders if (one.intent.layer, signed_legs(one.intent.legs)) == mine)

    def left(self, part: FlatPart) -> int:
        """Return how many units of a part have not filled."""
        return part.units - sum(order.filled for order in self.of_part(part))

    def is_spent(self, part: FlatPart) -> bool:
        """Return whether nothing more is tried for a part: all of it filled, or as many orders as are allowed left."""
        return self.left(part) <= 0 or len(self.of_part(part)) >= self.most_tries

    @property
    def works(self) -> bool:
        """An order of it may still fill."""
        return any(order.may_fill for order in self.orders)

    def allows(self, intent: OrderIntent, *, epoch: int, now: datetime) -> bool:
        """Return whether an order may leave although the bot is halted.

        Args:
            intent: The order.
            epoch: The kill epoch at this moment: a later kill ends the mandate.
            now: The moment.
        """
        if intent.purpose is not Purpose.FLATTEN or epoch != self.plan.epoch or now > self.until:
            return False
        others = tuple(order for order in self.orders if order.intent.intent_id != intent.intent_id)
        mine = replace(self, orders=others)
        return any(part.covers(intent) and intent.quantity <= mine.left(part) for part in self.plan.parts)
