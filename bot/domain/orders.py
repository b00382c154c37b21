"""The order's life: wanted (`OrderIntent`), at the broker (`Order`), happened (`Fill`).

How it works: an order moves only along `TRANSITIONS`. PREPARED is written to the journal before a byte leaves; SENT
means that the frame was written; WORKING and PARTIAL are the broker's word. UNKNOWN means "may be live, may be
filled": after a restart, a reconnect, a time-out or an unknown code. Only reconciliation or a broker's report about
this very order leads out of UNKNOWN.

What always holds: an unlisted step raises and changes nothing; the filled quantity never falls and never exceeds the
ordered one; a terminal order stays terminal, except that a late fill may complete a cancelled one.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import NewType

from bot.domain.checks import require_aware, require_finite, require_not_negative, require_positive, require_text
from bot.domain.errors import IllegalTransitionError, InvalidValueError
from bot.domain.instrument import Instrument, InstrumentKey, Kind, Side
from bot.domain.layer import Layer

IntentId = NewType("IntentId", str)
"""Our own UUID; it travels as the broker's orderRef."""
DecisionId = NewType("DecisionId", str)
"""One id from the tick to the fill."""


class Purpose(StrEnum):
    """Why an order is wanted."""

    OVERLAY_BUILD = "overlay_build"
    OVERLAY_UNWIND = "overlay_unwind"  # back to base (M17)
    OVERLAY_EXIT = "overlay_exit"  # what the overlay holds nears its end, or has earned most of what it can (M7)
    BASE_BUILD = "base_build"  # a layer of the base grows to its target, or is bought anew before it is rolled (M4)
    BASE_EXIT = "base_exit"  # what a base layer holds was replaced, or nears its end (M4, M7)
    FLATTEN = "flatten"  # what a person has signed to sell, while the bot is halted (section 2.6 of the controls)
    WING_ROLL = "wing_roll"  # a wing of the condors goes farther out, which adds delta (M8)

    buys_hedge: bool
    """An order of this purpose makes a lot."""
    sells_hedge: bool
    """An order of this purpose sells what the lots of its layer hold."""
    changes_overlay: bool
    """An order of this purpose is one of those that pacing and the churn budget count."""

    def __init__(self, word: str) -> None:
        """Say once what it means: it is asked some twenty times for each order."""
        self.buys_hedge = word in {"overlay_build", "base_build"}
        self.sells_hedge = word in {"overlay_unwind", "overlay_exit", "base_exit", "flatten"}
        self.changes_overlay = word in {"overlay_build", "overlay_unwind", "overlay_exit"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """One contract of an order, ``ratio`` contracts per unit of the order."""

    instrument: Instrument
    side: Side
    ratio: int = 1
    signed_ratio: int = field(init=False, compare=False, repr=False)
    """Contracts gained per unit: positive bought, negative sold."""

    def __post_init__(self) -> None:
        """Reject an empty ratio and give it its sign."""
        require_positive(ratio=self.ratio)
        object.__setattr__(self, "signed_ratio", self.ratio * self.side.sign)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderIntent:
    """One limit order that the hedge plan wants, with its reason; nothing has been sent."""

    intent_id: IntentId
    decision_id: DecisionId
    legs: tuple[Leg, ...]
    quantity: int  # units of the whole order
    limit: Decimal  # points per unit: positive pays, negative receives
    worst_cost_usd: Decimal  # what the cap counts for the whole order at the limit, fees included; never below zero
    purpose: Purpose
    reason: str
    exposure_usd_per_point: float = 0.0  # of one unit when planned, per +1.00 point of spot VIX; 0 where not stated
    half_width_points: Decimal = Decimal(0)  # half the spread of the whole order's quotes when planned (M16)
    middle_points: Decimal | None = None  # net middle of its quotes when decided, signed as the limit; C7's slippage
    layer: Layer = Layer.OVERLAY  # whose lots a hedge order makes or sells; without meaning for a wing
    is_future: bool = field(init=False, compare=False, repr=False)
    """A future: its price is not a premium paid."""
    is_share: bool = field(init=False, compare=False, repr=False)
    """Shares: they have neither a settlement nor a last trading day."""

    def __post_init__(self) -> None:
        """Reject an order that could not be written down."""
        require_text(intent_id=self.intent_id, decision_id=self.decision_id, reason=self.reason)
        require_positive(quantity=self.quantity)
        require_finite(limit=self.limit, exposure_usd_per_point=self.exposure_usd_per_point)
        require_not_negative(worst_cost_usd=self.worst_cost_usd, half_width_points=self.half_width_points)
        if self.middle_points is not None:
            require_finite(middle_points=self.middle_points)
        if not self.legs:
            raise InvalidValueError("an order needs at least one leg")
        if len({leg.instrument.key for leg in self.legs}) != len(self.legs):
            raise InvalidValueError("an order names each contract once")
        if len({leg.instrument.multiplier for leg in self.legs}) != 1:
            raise InvalidValueError("the legs of one order share one multiplier")
        if len(self.legs) > 1 and any(leg.instrument.kind is not Kind.OPTION for leg in self.legs):
            raise InvalidValueError("a combo holds options only")
        object.__setattr__(self, "is_future", self.legs[0].instrument.kind is Kind.FUTURE)
        object.__setattr__(self, "is_share", self.legs[0].instrument.kind is Kind.STOCK)

    @property
    def multiplier(self) -> int:
        """USD per point of the net price, the same for all legs."""
        return self.legs[0].instrument.multiplier

    @property
    def is_combo(self) -> bool:
        """More than one leg: goes out as one BAG order."""
        return len(self.legs) > 1

    @property
    def carries_reserve(self) -> bool:
        """A future or shares: the cap counts what they may lose instead of what is paid for them (M9)."""
        return self.is_future or self.is_share

    def resized(self, quantity: int, worst_cost_usd: Decimal, intent_id: IntentId) -> "OrderIntent":
        """Return the same order in another size, as a new intent with its own id."""
        return replace(self, quantity=quantity, worst_cost_usd=worst_cost_usd, intent_id=intent_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """Committed to the journal; whether a frame left is not known until SENT is recorded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """The frame was written to a healthy transport; the broker has not answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Working:
    """The broker holds it, nothing filled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Partial:
    """The broker holds it, some of it filled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """All of it filled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancelled:
    """Confirmed dead by the broker, or dropped by us before it was sent."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """Refused by the broker."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """May be live, may be filled; counts at its worst case until the broker's books have settled it."""

    why: str


OrderState = Prepared | Sent | Working | Partial | Filled | Cancelled | Rejected | Unknown

TERMINAL = (Filled, Cancelled, Rejected)

TRANSITIONS: dict[type[OrderState], tuple[type[OrderState], ...]] = {
    Prepared: (Sent, Working, Partial, Filled, Cancelled, Rejected, Unknown),
    Sent: (Working, Partial, Filled, Cancelled, Rejected, Unknown),
    Working: (Working, Partial, Filled, Cancelled, Rejected, Unknown),
    Partial: (Partial, Filled, Cancelled, Rejected, Unknown),
    Unknown: (Working, Partial, Filled, Cancelled, Rejected, Unknown),
    Filled: (),
    Cancelled: (Partial, Filled, Cancelled),  # a late fill; the broker may confirm twice
    Rejected: (Partial, Filled, Rejected),  # a fill is a fact, whatever was said before
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One intent on its way; a new value per step, and the only way to a new value is `moved`."""

    intent: OrderIntent
    state: OrderState
    prepared_at: datetime
    sent_at: datetime | None = None
    filled: int = 0  # units
    perm_id: int = 0  # the broker's own id; 0 until known
    broker_order_id: int = 0  # never an identity; only to address a cancel
    cancel_requested_at: datetime | None = None

    def __post_init__(self) -> None:
        """Reject impossible quantities and naive times."""
        require_aware(prepared_at=self.prepared_at)
        if not 0 <= self.filled <= self.intent.quantity:
            raise InvalidValueError(f"filled must be 0..{self.intent.quantity}, was {self.filled}")

    @property
    def remaining(self) -> int:
        """Units that may still fill, whatever the state says."""
        return self.intent.quantity - self.filled

    @property
    def is_terminal(self) -> bool:
        """Filled, cancelled or rejected."""
        return isinstance(self.state, TERMINAL)

    @property
    def may_fill(self) -> bool:
        """Counts at its worst case in every limit."""
        return not self.is_terminal

    def moved(self, state: OrderState, *, filled: int | None = None, perm_id: int = 0, order_id: int = 0) -> "Order":
        """Return the order after one step of its life.

        Args:
            state: The new state; must be listed in `TRANSITIONS` for the present one.
            filled: The new filled quantity in units; never below the present one. None keeps it.
            perm_id: The broker's permanent id if it became known; 0 keeps the present one.
            order_id: The broker's order id if it became known; 0 keeps the present one.

        Raises:
            IllegalTransitionError: The step is not in the table, or the filled quantity would fall.
        """
        if type(state) not in TRANSITIONS[type(self.state)]:
            raise IllegalTransitionError(
                f"order {self.intent.intent_id}: no step {type(self.state).__name__} -> {type(state).__name__}"
            )
        new_filled = self.filled if filled is None else filled
        if new_filled < self.filled:
            raise IllegalTransitionError(
                f"order {self.intent.intent_id}: filled cannot fall from {self.filled} to {new_filled}"
            )
        return replace(
            self,
            state=state,
            filled=new_filled,
            perm_id=perm_id or self.perm_id,
            broker_order_id=order_id or self.broker_order_id,
        )

    def corrected(self, filled: int) -> "Order":
        """Return the order after an execution of it was corrected to another size: what the broker holds is unknown.

        It is the one way in which the filled quantity may fall and a terminal order lives again.
        """
        return replace(self, state=Unknown(why=f"an execution was corrected: {filled} filled"), filled=filled)

    def with_cancel_requested(self, at: datetime) -> "Order":
        """Return the order with the mark that a cancel frame was written."""
        return replace(self, cancel_requested_at=at)

    def with_sent_at(self, at: datetime) -> "Order":
        """Return the order as sent at this moment."""
        return replace(self.moved(Sent()), sent_at=at)


class FillPart(StrEnum):
    """What an execution report stands for."""

    WHOLE = "whole"  # a single-leg order: moves the order and the position
    COMBO = "combo"  # the net of a combo: moves the order, no position
    LEG = "leg"  # one leg of a combo: moves a position, not the order


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """One execution as the broker reported it.

    ``exec_id`` identifies it: the same id twice is one fill, and a correction comes under an id of its own
    (`bot.domain.corrections`). ``order_ref`` is our intent id, empty or foreign for
    other people's orders. ``price`` is in points; for a combo it is the net price, positive paid by a BUY.
    """

    exec_id: str
    order_ref: str
    perm_id: int
    account: str
    part: FillPart
    instrument: Instrument | None  # None exactly when part is COMBO
    side: Side
    quantity: int
    price: Decimal
    at: datetime
    filled_before: int | None = None  # units of its order that had filled before it; None where nobody says

    def __post_init__(self) -> None:
        """Reject an execution that could not have happened."""
        require_text(exec_id=self.exec_id)
        require_positive(quantity=self.quantity)
        require_finite(price=self.price)
        require_aware(at=self.at)
        if (self.instrument is None) != (self.part is FillPart.COMBO):
            raise InvalidValueError("a combo fill names no contract, every other fill names one")

    @property
    def key(self) -> InstrumentKey | None:
        """The contract's name, None for the net of a combo."""
        return None if self.instrument is None else self.instrument.key

    @property
    def signed_quantity(self) -> int:
        """Contracts gained: positive bought, negative sold."""
        return self.side.sign * self.quantity


class BrokerStatus(StrEnum):
    """What the broker itself says of an order, after the adapter's table; UNCLEAR leads to UNKNOWN and an alert."""

    WORKING = "working"
    FILLED = "filled"
    CANCELLED = "cancelled"
    REJECTED = "rejected"
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerOrder:
    """One row of the broker's books about one order, ours or foreign."""

    order_ref: str
    perm_id: int
    order_id: int
    client_id: int
    status: BrokerStatus
    filled: int
    remaining: int
    account: str
    text: str = ""  # the broker's words, data only

    @property
    def may_fill(self) -> bool:
        """Working, or nobody knows."""
        return self.status in {BrokerStatus.WORKING, BrokerStatus.UNCLEAR}
