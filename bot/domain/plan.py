"""The hedge plan: what the sleeve should be, what it is, what was considered and what is wanted."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from enum import StrEnum

from bot.domain.checks import require_not_negative, require_text
from bot.domain.orders import DecisionId, Leg, OrderIntent
from bot.domain.proposal import Proposal
from bot.domain.shifts import Shift


class PlanAction(StrEnum):
    """What a plan does."""

    HOLD = "hold"
    INCREASE = "increase"
    UNWIND = "unwind"  # back to base (M17)
    EXIT = "exit"  # out of what nears its end (M7)
    MAINTAIN = "maintain"  # a layer of the base is built, or bought anew before it is rolled (M4)
    FLATTEN = "flatten"  # a signed plan to sell the sleeve is carried out in HALT
    WIDEN = "widen"  # a wing of the condors goes farther out (M8)


class Withheld(StrEnum):
    """Why orders that were wanted are not sent, though no limit stands against them."""

    PACING = "pacing"  # M14: one increase at a time
    CHURN = "churn"  # M16: trading has cost enough in this cycle
    ADVICE = "advice"  # M14: the bot only advises
    PROPOSAL = "proposal"  # M14: a person is asked, or was and has not answered
    VETO = "veto"  # M14: a person has said no


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One way to reach the target, with its figures and, where it fell out, the reason.

    ``exposure_usd_per_point`` is USD gained per +1.00 of spot VIX by one unit; ``cost_usd`` what the cap counts for
    one unit, fees included; ``stress_payoff_usd`` the gain of one unit when VIX rises by half (M5).
    """

    name: str
    legs: tuple[Leg, ...]
    limit: Decimal
    exposure_usd_per_point: float
    cost_usd: Decimal
    stress_payoff_usd: float
    quantity: int
    rejected: str = ""  # empty: it passed
    half_width_points: Decimal = Decimal(0)  # half the spread of the whole order's quotes
    middle_points: Decimal | None = None  # net middle of those quotes, signed as the limit; None: not priced

    @property
    def cost_per_payoff(self) -> float:
        """USD of cost per USD of stress payoff; infinite where there is no payoff."""
        return float(self.cost_usd) / self.stress_payoff_usd if self.stress_payoff_usd > 0 else float("inf")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizing:
    """The settings that bounded an increase, as figures of that moment; USD per +1.00 point of spot VIX.

    Attributes:
        band_usd_per_point: A gap up to this is not traded (M2, M16).
        ceiling_usd_per_point: The overlay never exceeds it when something is bought (M2).
        room_usd_per_point: What the ceiling leaves above the overlay, counted as bought or as it is worth now,
            whichever is more; never below zero.
        prefer: Which kind of contract is taken first (M5).
    """

    band_usd_per_point: float
    ceiling_usd_per_point: float
    room_usd_per_point: float
    prefer: str

    def __post_init__(self) -> None:
        """Reject bounds that bound nothing."""
        require_not_negative(
            band=self.band_usd_per_point, ceiling=self.ceiling_usd_per_point, room=self.room_usd_per_point
        )
        require_text(prefer=self.prefer)


@dataclass(frozen=True, slots=True, kw_only=True)
class HedgePlan:
    """One plan; exposures in USD per +1.00 point of spot VIX (M2)."""

    decision_id: DecisionId
    action: PlanAction
    reason: str
    increment_frac: float  # f of M2, 0 when nothing is added
    base_usd_per_point: float
    target_usd_per_point: float
    held_usd_per_point: float  # overlay only
    working_usd_per_point: float  # overlay orders that may still fill
    candidates: tuple[Candidate, ...] = ()
    intents: tuple[OrderIntent, ...] = ()
    notes: tuple[str, ...] = ()  # figures behind the reason, in words, for the record
    sizing: Sizing | None = None  # what bounded an increase; None where none was worked out
    shift: Shift | None = None  # where an increase goes or would go (M6)
    asks: str = ""  # why a person should decide this one, empty when nobody needs to
    withheld: Withheld | None = None
    withheld_intents: tuple[OrderIntent, ...] = ()  # what would have been asked of the gate
    proposal: Proposal | None = None  # a new one that this plan makes
    awaits: date | None = None  # a settlement whose contracts are wanted and have not been looked up
    besides: tuple[str, ...] = ()  # why further wishes hold as well, in stable words

    @property
    def asks_for_something(self) -> bool:
        """It has orders for the gate, or a question for a person."""
        return bool(self.intents) or self.proposal is not None

    def beside(self, other: "HedgePlan") -> "HedgePlan":
        """Return the same plan with the reason for which a further wish holds, and with what that one waits for."""
        return replace(self, besides=(*self.besides, other.reason), awaits=self.awaits or other.awaits)

    def with_intents(self, intents: Sequence[OrderIntent], reason: str) -> "HedgePlan":
        """Return the same plan asking for other orders, with the reason added."""
        return replace(self, intents=tuple(intents), reason=f"{self.reason}; {reason}")

    def holding_back(self, by: Withheld, reason: str, proposal: Proposal | None = None) -> "HedgePlan":
        """Return the plan without its orders, with what held them back."""
        return replace(
            self,
            action=PlanAction.HOLD,
            reason=f"{self.reason}; {reason}",
            intents=(),
            withheld=by,
            withheld_intents=self.intents,
            proposal=proposal,
        )
