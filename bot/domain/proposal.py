"""What the bot would do but a person decides: proposals, their answers, and how long they stand (M14)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from bot.domain.checks import require_aware, require_positive, require_text
from bot.domain.errors import InvalidValueError
from bot.domain.orders import DecisionId, Leg, OrderIntent, Purpose


class ProposalState(StrEnum):
    """Where a proposal stands; what nobody answered in time has expired, and nothing is done."""

    OPEN = "open"
    APPROVED = "approved"
    VETOED = "vetoed"
    USED = "used"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One order of a proposal without its price: what for, which contracts with their signed ratios, at most how many.

    The price is not part of it: an approval is for a trade, and its limit is the market's when the trade is made,
    inside the collar and the cost cap as every order's.
    """

    purpose: str
    legs: tuple[tuple[str, int], ...]
    quantity: int

    def __post_init__(self) -> None:
        """Reject an order for nothing."""
        require_positive(quantity=self.quantity)

    def covers(self, other: "Asked") -> bool:
        """Return whether leave for this order is leave for the other: the same contracts, and no more of them."""
        return (self.purpose, self.legs) == (other.purpose, other.legs) and other.quantity <= self.quantity


def asked(intent: OrderIntent) -> Asked:
    """Return what a proposal says of an order."""
    return Asked(purpose=intent.purpose.value, legs=_signed(intent.legs), quantity=intent.quantity)


def _signed(legs: Sequence[Leg]) -> tuple[tuple[str, int], ...]:
    """Contracts with their signed ratios, in one order whatever the legs'."""
    return tuple(sorted((str(leg.instrument.key), leg.signed_ratio) for leg in legs))


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """Orders that wait for a person; the id is that of the decision which asked, ``because`` says why it asked."""

    proposal_id: DecisionId
    orders: tuple[Asked, ...]
    because: str
    made_at: datetime
    expires_at: datetime
    state: ProposalState = ProposalState.OPEN

    def __post_init__(self) -> None:
        """Reject a proposal of nothing, or one that expires before it is made."""
        require_text(proposal_id=self.proposal_id, because=self.because)
        require_aware(made_at=self.made_at, expires_at=self.expires_at)
        if not self.orders:
            raise InvalidValueError("a proposal asks for at least one order")
        if self.expires_at <= self.made_at:
            raise InvalidValueError(f"a proposal of {self.made_at} expires after it is made, was {self.expires_at}")

    def is_open(self, now: datetime) -> bool:
        """Return whether it still waits for an answer."""
        return self.state is ProposalState.OPEN and now < self.expires_at

    def is_standing(self, now: datetime) -> bool:
        """Return whether it was approved and its time is not over."""
        return self.state is ProposalState.APPROVED and now < self.expires_at

    def most_of(self, purpose: Purpose, legs: Sequence[Leg]) -> int:
        """Return how many units of these contracts it asked for, 0 where it asked for others."""
        wanted = _signed(legs)
        return max(
            (one.quantity for one in self.orders if (one.purpose, one.legs) == (purpose.value, wanted)), default=0
        )

    def allows(self, intents: tuple[OrderIntent, ...], now: datetime) -> bool:
        """Return whether it was approved, stands, and covers every one of these orders."""
        if not self.is_standing(now):
            return False
        return all(any(mine.covers(asked(intent)) for mine in self.orders) for intent in intents)

    def is_about(self, intents: tuple[OrderIntent, ...]) -> bool:
        """Return whether these orders have the purpose that it asked for, in whatever contracts and size.

        Strikes change with the market: a no to an increase is no invitation to ask for the next strike.
        """
        return {intent.purpose.value for intent in intents} <= {mine.purpose for mine in self.orders}

    def shares_matter(self, other: "Proposal") -> bool:
        """Return whether both ask for orders of some same purpose."""
        return not {mine.purpose for mine in self.orders}.isdisjoint(theirs.purpose for theirs in other.orders)

    def answered(self, state: ProposalState) -> "Proposal":
        """Return the proposal with its answer."""
        return replace(self, state=state)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposals:
    """The last proposal about each matter with what became of it, oldest first; at most one of them waits."""

    last: tuple[Proposal, ...] = ()

    def making(self, new: Proposal) -> "Proposals":
        """Return them with a new one: it replaces what was about its matter, and what still waits makes way for it."""
        kept = (one for one in self.last if not one.shares_matter(new) and not one.is_open(new.made_at))
        return Proposals(last=(*kept, new))

    def about(self, intents: tuple[OrderIntent, ...]) -> Proposal | None:
        """Return the last one about such orders, None where nobody was ever asked."""
        return next((one for one in self.last if one.is_about(intents)), None)

    def waiting(self, now: datetime) -> Proposal | None:
        """Return the one that waits for an answer."""
        return next((one for one in self.last if one.is_open(now)), None)

    def most_of(self, purpose: Purpose, legs: Sequence[Leg], now: datetime) -> int:
        """Return how many units of these contracts a standing approval covers, 0 where none does."""
        return max((one.most_of(purpose, legs) for one in self.last if one.is_standing(now)), default=0)

    def answered(self, proposal_id: DecisionId, state: ProposalState) -> "Proposals":
        """Return them with the answer to one of them."""
        return Proposals(
            last=tuple(one.answered(state) if one.proposal_id == proposal_id else one for one in self.last)
        )

    def named(self, proposal_id: DecisionId) -> Proposal | None:
        """Return the one of an id; None where it is not among the last ones."""
        return next((one for one in self.last if one.proposal_id == proposal_id), None)

    def used_by(self, intents: tuple[OrderIntent, ...], at: datetime) -> "Proposals":
        """Return them with the approval used up that allowed these orders, if one did."""
        used = self.about(intents)
        if used is None or not used.allows(intents, at):
            return self
        return self.answered(used.proposal_id, ProposalState.USED)
