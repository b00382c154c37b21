"""The book: positions, condors with their credit, hedge lots with their cost, and the account's values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from functools import cache
from itertools import pairwise

from bot.domain.checks import require_aware, require_finite, require_not_negative, require_positive, require_text
from bot.domain.errors import InvalidValueError
from bot.domain.instrument import Instrument, InstrumentKey, Kind
from bot.domain.layer import Layer
from bot.domain.orders import IntentId, Leg, Order, Purpose


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Contracts held in one instrument: positive long, negative short, never zero.

    ``average_cost_usd`` is the broker's figure per contract, multiplier and commission included, None where it said
    none; it is no price and no part of a position's identity.
    """

    instrument: Instrument
    quantity: int
    average_cost_usd: Decimal | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        """Reject an empty position."""
        if self.quantity == 0:
            raise InvalidValueError(f"{self.instrument.key}: a position of zero is no position")


class Provenance(StrEnum):
    """Where a credit or a cost comes from."""

    OWN_FILLS = "own_fills"
    OPERATOR = "operator"
    ESTIMATED = "estimated"  # from the broker's average cost; cannot raise the cap


@dataclass(frozen=True, slots=True, kw_only=True)
class Condor:
    """``count`` iron condors with the same four legs; strikes ascend from long put to long call."""

    long_put: Instrument
    short_put: Instrument
    short_call: Instrument
    long_call: Instrument
    count: int

    def __post_init__(self) -> None:
        """Reject legs that make no condor."""
        require_positive(count=self.count)
        strikes = [leg.strike for leg in self.legs if leg.strike is not None]
        if len(strikes) != 4 or any(low >= high for low, high in pairwise(strikes)):
            raise InvalidValueError(f"the strikes of a condor ascend, were {strikes}")

    @property
    def legs(self) -> tuple[Instrument, Instrument, Instrument, Instrument]:
        """Long put, short put, short call, long call."""
        return (self.long_put, self.short_put, self.short_call, self.long_call)

    @property
    def trading_class(self) -> str:
        """SPX (settles in the morning) or SPXW (in the afternoon); never mixed."""
        return self.short_put.trading_class

    @property
    def settlement(self) -> date:
        """The day on which all four legs settle."""
        if self.short_put.settlement is None:
            raise InvalidValueError("a condor leg without a settlement date")
        return self.short_put.settlement

    @property
    def cohort(self) -> str:
        """The name of the cohort that it belongs to."""
        return _cohort_name(self.trading_class, self.settlement)

    @property
    def put_wing_points(self) -> Decimal:
        """From long put to short put, in index points."""
        return (self.short_put.strike or Decimal(0)) - (self.long_put.strike or Decimal(0))

    @property
    def call_wing_points(self) -> Decimal:
        """From short call to long call, in index points."""
        return (self.long_call.strike or Decimal(0)) - (self.short_call.strike or Decimal(0))

    @property
    def widest_wing_points(self) -> Decimal:
        """The wider of the two wings, in index points."""
        return max(self.put_wing_points, self.call_wing_points)


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedCredit:
    """What the operator states of one cohort of condors: credit taken in, net of fees, in USD for all of them."""

    trading_class: str
    settlement: date
    strikes: tuple[Decimal, Decimal, Decimal, Decimal]  # long put, short put, short call, long call
    count: int
    credit_usd: Decimal
    opened_on: date

    def __post_init__(self) -> None:
        """Reject a credit that no condor could have brought."""
        require_text(trading_class=self.trading_class)
        require_positive(count=self.count)
        require_not_negative(credit_usd=self.credit_usd)
        if self.opened_on > self.settlement:
            raise InvalidValueError(f"condor credit: opened {self.opened_on} after settlement {self.settlement}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cohort:
    """The condors of one expiry and class, from first opening to settlement, with the credit that caps the hedge.

    Maximum loss and wings are those of the entry, for the condors that are still held: what is rolled later changes
    neither the band of M10 nor what the limits of a cycle (M8) are measured against.
    """

    trading_class: str
    settlement: date
    opened_on: date
    credit_usd: Decimal  # opening credits less closing debits, wing debits and fees; never below zero
    maximum_loss_usd: Decimal  # at entry; never below zero
    provenance: Provenance
    put_wing_points: Decimal = Decimal(0)  # the widest at entry; 0 where that is not known
    call_wing_points: Decimal = Decimal(0)
    words: str = ""  # how the credit was found

    def __post_init__(self) -> None:
        """Reject negative figures."""
        require_not_negative(
            credit_usd=self.credit_usd,
            maximum_loss_usd=self.maximum_loss_usd,
            put_wing_points=self.put_wing_points,
            call_wing_points=self.call_wing_points,
        )

    @property
    def name(self) -> str:
        """Class and settlement, for logs."""
        return _cohort_name(self.trading_class, self.settlement)


@cache
def _cohort_name(trading_class: str, settlement: date) -> str:
    return f"{trading_class}:{settlement.isoformat()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lot:
    """One hedge purchase and what became of it.

    ``units_bought`` units of ``legs`` were bought, ``units_open`` are left. ``cost_usd`` is premium plus fees paid,
    ``recovered_usd`` what sales brought net of fees. A future or a share has no premium: its cost holds fees and, once
    closed, the realised result as recovered or additional cost.
    """

    lot_id: IntentId
    layer: Layer
    legs: tuple[Leg, ...]
    units_bought: int
    units_open: int
    cost_usd: Decimal
    recovered_usd: Decimal
    bought_on: date
    expires_on: date | None  # None for shares alone: they have no end
    last_sold_on: date | None = None  # the last day on which a part of it was sold
    entry_price: Decimal = Decimal(0)  # net points per unit at purchase
    provenance: Provenance = Provenance.OWN_FILLS
    exposure_usd_per_point: float = 0.0  # of one unit at purchase (M2); 0 where nobody stated it

    def __post_init__(self) -> None:
        """Reject a lot that sold more than it bought."""
        require_positive(units_bought=self.units_bought)
        require_finite(cost_usd=self.cost_usd, recovered_usd=self.recovered_usd, exposure=self.exposure_usd_per_point)
        if not 0 <= self.units_open <= self.units_bought:
            raise InvalidValueError(f"lot {self.lot_id}: open units {self.units_open} of {self.units_bought}")
        if self.expires_on is None and any(leg.instrument.settlement is not None for leg in self.legs):
            raise InvalidValueError(f"lot {self.lot_id}: its contracts settle, so it expires; no day was stated")

    def lives_on(self, day: date) -> bool:
        """Return whether some of it is left; on the morning of its settlement a VIX contract is gone."""
        return self.units_open > 0 and (self.expires_on is None or self.expires_on > day)

    @property
    def closed_on(self) -> date | None:
        """The day of the last sale of a lot that is sold out; None while any of it is open."""
        return None if self.units_open else self.last_sold_on

    @property
    def carries_reserve(self) -> bool:
        """A future or shares: the cap counts what they may lose instead of what was paid for them (M9)."""
        return self.legs[0].instrument.kind in (Kind.FUTURE, Kind.STOCK)

    @property
    def net_cost_usd(self) -> Decimal:
        """Paid less recovered, never below zero: gains never enlarge the cap."""
        return max(Decimal(0), self.cost_usd - self.recovered_usd)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One order for the overlay of which something has filled or may fill.

    ``churn_usd`` is what trading it has cost beside the price: fees, and half the spread of the quotes at which it was
    planned, both for what has filled.
    """

    at: datetime  # when it was decided
    purpose: Purpose
    ordered: int  # units
    filled: int
    is_live: bool
    churn_usd: Decimal

    def __post_init__(self) -> None:
        """Reject naive times and a cost below zero."""
        require_aware(at=self.at)
        require_not_negative(churn_usd=self.churn_usd, ordered=self.ordered, filled=self.filled)

    @property
    def is_unfinished(self) -> bool:
        """It is dead and has not filled whole: the rest was never bought or sold."""
        return not self.is_live and self.filled < self.ordered


@dataclass(frozen=True, slots=True, kw_only=True)
class Executed:
    """What one New York day's own executions add up to (C7, C12).

    ``times`` says how many orders of a pattern executed; ``slippage_usd`` what executions paid beyond the middle, never
    below zero.
    """

    times: Mapping[str, int] = field(default_factory=dict)
    slippage_usd: Decimal = Decimal(0)

    def __post_init__(self) -> None:
        """Reject slippage below zero."""
        require_not_negative(slippage_usd=self.slippage_usd)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountValues:
    """The account as the broker reported it, in USD; ``ready`` is false while the broker says its values are not.

    Attributes:
        initial_margin_usd: What the broker asks for the positions when one is opened; None where it has not said.
        maintenance_margin_usd: What it asks for to keep them; likewise.
        excess_liquidity_usd: What is left above maintenance before it closes positions; below zero it does; likewise.
        gross_position_usd: Shares and options at market value, long and short alike as positive sizes, futures not
            among them; likewise.
    """

    account: str
    net_liquidation_usd: Decimal
    cash_usd: Decimal
    at: datetime
    ready: bool = True
    initial_margin_usd: Decimal | None = None
    maintenance_margin_usd: Decimal | None = None
    excess_liquidity_usd: Decimal | None = None
    gross_position_usd: Decimal | None = None

    def __post_init__(self) -> None:
        """Reject naive times and numbers that are not finite."""
        require_text(account=self.account)
        require_aware(at=self.at)
        require_finite(net_liquidation_usd=self.net_liquidation_usd, cash_usd=self.cash_usd)
        reported = {
            "initial_margin_usd": self.initial_margin_usd,
            "maintenance_margin_usd": self.maintenance_margin_usd,
            "excess_liquidity_usd": self.excess_liquidity_usd,
            "gross_position_usd": self.gross_position_usd,
        }
        require_finite(**{name: amount for name, amount in reported.items() if amount is not None})


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """Everything owned, owed and on its way, at one version.

    ``version`` moves with fills, positions, credit and foreign orders; a decision's own reservations and sends do not
    count. ``orders`` holds every order that may still fill; ``unmatched`` the SPX option positions that fit no condor.
    """

    version: int
    positions: Mapping[InstrumentKey, Position]
    condors: tuple[Condor, ...]
    cohorts: tuple[Cohort, ...]
    unmatched: tuple[Position, ...]
    lots: tuple[Lot, ...]
    orders: Mapping[IntentId, Order]
    orders_sent_today: int
    account: AccountValues | None
    locks: Mapping[str, str] = field(default_factory=dict)  # instrument key or "account" -> why
    past_cohorts: tuple[Cohort, ...] = ()  # settled ones: they bore their share of the hedge while they were open (M9)
    frozen_base_usd_per_point: float | None = None  # M2: the base is frozen while an episode lasts
    changes: tuple[Change, ...] = ()  # of the overlay, by our own orders, oldest first (M14, M16)
    executed: Executed = field(default_factory=Executed)  # today, by our own orders (C7, C12)
    last_roll_at: datetime | None = None  # when a wing was last rolled, or tried to be, by an order of our own (M8)

    def quantity(self, key: InstrumentKey) -> int:
        """Contracts held, signed; 0 when flat."""
        position = self.positions.get(key)
        return 0 if position is None else position.quantity

    def keys_at_work(self) -> set[InstrumentKey]:
        """The contracts in which an order may still fill; a new set each time."""
        return {leg.instrument.key for order in self.orders.values() for leg in order.intent.legs}
