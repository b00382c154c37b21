"""The broker's own word on what an order would bind: figures of one question, and the latest of each kind of order.

How it works: an order is asked about once, with its contracts, sides and size; the answer is kept by what is traded,
so that the same wish, planned anew under another id, finds it. What always holds: a figure that no account could have
is no preview; one is as old as its answer, and speaks of the book for which it was asked.

Source: docs/methodology.md, M11.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from bot.domain.checks import require_aware, require_finite, require_not_negative, require_positive
from bot.domain.decision import Refused, Verdict
from bot.domain.errors import InvalidValueError
from bot.domain.fees import up_to_cent
from bot.domain.instrument import InstrumentKey
from bot.domain.orders import Leg, OrderIntent
from bot.domain.worth import LARGEST_ACCOUNT_USD

NOTHING: Final = Decimal(0)
MOST_KEPT: Final = 32
"""Kinds of order; far more than a plan wants within the life of a preview."""

Shape = tuple[tuple[InstrumentKey, int], ...]
"""What one unit of an order trades: contract and signed ratio of each leg, in the order of the contracts."""


def shape_of(legs: Sequence[Leg]) -> Shape:
    """Return what one unit trades: equal for equal contracts, sides and ratios, whatever size, price or id."""
    return tuple(sorted((leg.instrument.key, leg.signed_ratio) for leg in legs))


@dataclass(frozen=True, slots=True, kw_only=True)
class MarginFigures:
    """By how much an order would change the margin of the account, USD; below zero it frees some.

    Commissions are what the broker expects at least and at most, None where it does not say.
    """

    initial_change_usd: Decimal
    maintenance_change_usd: Decimal
    least_commission_usd: Decimal | None = None
    most_commission_usd: Decimal | None = None

    def __post_init__(self) -> None:
        """Reject what no account could bind: such a figure is no answer."""
        changes = {
            "initial_change_usd": self.initial_change_usd,
            "maintenance_change_usd": self.maintenance_change_usd,
        }
        require_finite(**changes)
        for name, amount in changes.items():
            if abs(amount) > LARGEST_ACCOUNT_USD:
                raise InvalidValueError(f"{name} must not be beyond {LARGEST_ACCOUNT_USD}, was {amount}")
        if self.least_commission_usd is not None:
            require_finite(least_commission_usd=self.least_commission_usd)
        if self.most_commission_usd is not None:
            require_finite(most_commission_usd=self.most_commission_usd)

    @property
    def bound_usd(self) -> Decimal:
        """The larger of the two changes; what an order frees counts as nothing."""
        return max(NOTHING, self.initial_change_usd, self.maintenance_change_usd)


@dataclass(frozen=True, slots=True, kw_only=True)
class MarginPreview:
    """What the broker said of ``quantity`` units of a kind of order, for the book of one version."""

    at: datetime
    shape: Shape
    quantity: int
    book_version: int
    figures: MarginFigures

    def __post_init__(self) -> None:
        """Reject a preview of nothing."""
        require_aware(at=self.at)
        require_positive(quantity=self.quantity)
        require_not_negative(book_version=self.book_version)
        if not self.shape:
            raise InvalidValueError("shape must not be empty")

    def fault(self, quantity: int, *, now: datetime, book_version: int, life_s: float) -> str:
        """Return why it does not speak of so many units now, empty where it does."""
        if self.book_version != book_version:
            return "what the broker said was of another book"
        age = now - self.at
        if not timedelta() <= age <= timedelta(seconds=life_s):
            return f"what the broker said is {age.total_seconds():.0f} s old, {life_s:.0f} s is the most"
        return f"the broker was asked of {self.quantity}, not of {quantity}" if quantity > self.quantity else ""

    def bound_usd(self, quantity: int) -> Decimal:
        """Return what so many units bind, USD, rounded up, never below zero.

        A requirement that is the worst of several scenarios is convex in the size and nothing for none: the share of a
        smaller size is at most what it binds by its part, so that scaling down never understates. A larger size may
        bind more than its part; nothing is said of it.

        Raises:
            InvalidValueError: More units than were asked about.
        """
        if quantity > self.quantity:
            raise InvalidValueError(f"quantity must not be above the {self.quantity} asked about, was {quantity}")
        return up_to_cent(self.figures.bound_usd * quantity / self.quantity)


@dataclass(frozen=True, slots=True, kw_only=True)
class MarginPreviews:
    """The latest preview of each kind of order; each answer makes the next value."""

    latest: Mapping[Shape, MarginPreview] = field(default_factory=dict)

    def after(self, preview: MarginPreview) -> "MarginPreviews":
        """Return what is known with one more answer; the oldest are forgotten first."""
        others = [one for shape, one in self.latest.items() if shape != preview.shape]
        kept = [*others, preview][-MOST_KEPT:]
        return MarginPreviews(latest={one.shape: one for one in kept})

    def of(self, intent: OrderIntent) -> MarginPreview | None:
        """Return the latest answer about this kind of order, None where there was none."""
        return self.latest.get(shape_of(intent.legs))


def unasked_in(verdicts: Iterable[Verdict]) -> OrderIntent | None:
    """Return the first order that the broker must be asked about, in the size to ask; None where there is none."""
    questions = (verdict.question for verdict in verdicts if isinstance(verdict, Refused))
    return next((question for question in questions if question is not None), None)
