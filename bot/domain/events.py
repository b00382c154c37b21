"""All that the engine may receive, in the past tense; nothing else changes the state."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from bot.domain.checks import require_not_negative, require_positive
from bot.domain.decision import Verdict
from bot.domain.evidence import Conviction, EvidenceInputs
from bot.domain.flattening import Mandate
from bot.domain.freeze import Freeze
from bot.domain.imbalance import LegsImbalanced
from bot.domain.instrument import Instrument, InstrumentKey
from bot.domain.locks import Locks
from bot.domain.market import Quote, Tick
from bot.domain.mode import DemandSource, TradingMode
from bot.domain.orders import BrokerOrder, DecisionId, Fill, IntentId, Order
from bot.domain.overrides import Override
from bot.domain.plan import HedgePlan
from bot.domain.portfolio import AccountValues, Position
from bot.domain.previews import MarginPreview
from bot.domain.products import ProductReading
from bot.domain.proposal import Proposals
from bot.domain.readings import Episode, Signal
from bot.domain.restraints import Restraints
from bot.domain.schedule import Session
from bot.domain.shifts import Offered
from bot.domain.terms import ContractTerms
from bot.domain.worth import Worth


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionOpened:
    """A trading session begins; ``baseline`` holds the closes of common sessions before it, oldest first.

    Each row of ``baseline`` is (day as ordinal, RVX close, VIX close), in volatility points.
    """

    at: datetime
    session: Session
    baseline: tuple[tuple[int, float, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionClosed:
    """A trading session ended; the last good levels become its closes."""

    at: datetime
    session: Session


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceDelivered:
    """What the confirmations read was gathered for a session; ``missing`` says what could not be had, and why."""

    at: datetime
    inputs: EvidenceInputs
    missing: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class SensitivityMeasured:
    """How strongly VIX has lately answered SPX, over what it did in the long run (M10); ``words`` tell the slope."""

    at: datetime
    scale: float
    words: str

    def __post_init__(self) -> None:
        """Reject an answer that is none."""
        require_positive(scale=self.scale)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductsMeasured:
    """How the volatility products that are held answer VIX and SPX (M4); they replace those measured before."""

    at: datetime
    readings: tuple[ProductReading, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnIndexRead:
    """An index of our own was worked out where the published one is missing; ``level`` in points, ``words`` how."""

    at: datetime
    key: InstrumentKey
    level: float
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidatesListed:
    """The contracts that the sleeve may use were looked up; they replace those listed before.

    ``offered`` are the settlements to choose from, of which ``instruments`` may hold the contracts of some.
    """

    at: datetime
    instruments: tuple[Instrument, ...]
    offered: tuple[Offered, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WingStrikesListed:
    """The strikes outside the condors' wings to which one may be rolled; they replace those listed before (M8).

    None of them: the book does not lean, and they need not be watched.
    """

    at: datetime
    instruments: tuple[Instrument, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TermsRead:
    """Hours, last trades and ticks of contracts were read from the broker; they join those read before."""

    at: datetime
    terms: Mapping[InstrumentKey, ContractTerms]


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenInterestTold:
    """How many contracts of one option or future are open in all; told once a day, and when it changes."""

    at: datetime
    key: InstrumentKey
    contracts: int

    def __post_init__(self) -> None:
        """Reject a count that is none."""
        require_not_negative(contracts=self.contracts)


@dataclass(frozen=True, slots=True, kw_only=True)
class MarginPreviewed:
    """The broker was asked what an order would bind and has answered; nothing was placed (M11)."""

    at: datetime
    preview: MarginPreview


@dataclass(frozen=True, slots=True, kw_only=True)
class TimerElapsed:
    """The slow planning timer: plan even if nothing else happened."""

    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderReported:
    """The broker said something about an order, ours or foreign."""

    at: datetime
    report: BrokerOrder


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderDoubted:
    """Something was said of one of our orders that the code table does not know: the order becomes UNKNOWN."""

    at: datetime
    order_ref: str
    code: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FillReported:
    """The broker reported an execution; the same id may come twice."""

    at: datetime
    fill: Fill


@dataclass(frozen=True, slots=True, kw_only=True)
class CommissionReported:
    """The broker reported what an execution cost."""

    at: datetime
    exec_id: str
    commission_usd: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountReported:
    """The broker reported the account's values."""

    at: datetime
    values: AccountValues


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkLost:
    """The way to the broker broke: RECONCILING from now on, orders in flight become UNKNOWN."""

    at: datetime
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkRestored:
    """The way to the broker is back (first connect, reconnect, 1101 and 1102 alike): reconcile, then trade."""

    at: datetime
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmissionFrozen:
    """The gateway restarts soon: RECONCILING from now on, until a comparison after it."""

    at: datetime
    freeze: Freeze


@dataclass(frozen=True, slots=True, kw_only=True)
class BooksReconciled:
    """The broker's books and ours were compared and settled.

    ``positions`` and ``account`` are the broker's; ``orders`` our orders after settling; ``fills`` those of today that
    we had not booked; ``differences`` what stays unexplained, by instrument key, and locks it.
    """

    at: datetime
    positions: tuple[Position, ...]
    account: AccountValues
    orders: tuple[Order, ...]
    fills: tuple[Fill, ...] = ()
    commissions: Mapping[str, Decimal] = field(default_factory=dict)
    differences: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class BooksAgreed:
    """A comparison beside the others found nothing at all: no difference, no fill, no order that had moved."""

    at: datetime
    account: AccountValues


@dataclass(frozen=True, slots=True, kw_only=True)
class TwinsFound:
    """Two live orders of one intent stand at the broker, under these permanent ids and order ids."""

    at: datetime
    intent_id: IntentId
    perm_ids: tuple[int, ...]
    order_ids: tuple[int, ...]

    @property
    def words(self) -> str:
        """Return the permanent ids as text."""
        return " and ".join(str(perm_id) for perm_id in self.perm_ids)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountMismatched:
    """The gateway no longer manages the bot's account: it was logged in as somebody else."""

    at: datetime
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What the journal remembers at start; the ledger is built from it as from live events.

    ``orders`` holds every order of ours, those that may be live as UNKNOWN; ``positions`` what was held when the
    fills began to be counted, None when the journal is new.
    """

    at: datetime
    orders: tuple[Order, ...]
    fills: tuple[Fill, ...]
    commissions: Mapping[str, Decimal] = field(default_factory=dict)
    positions: tuple[Position, ...] | None = None
    found_on: Mapping[InstrumentKey, date] = field(default_factory=dict)  # when each of them was first seen
    frozen_base_usd_per_point: float | None = None
    episode: Episode | None = None  # the blowout that was under way
    proposals: Proposals = field(default_factory=Proposals)  # what a person was asked about last, by matter
    conviction: Conviction | None = None  # as last read in that episode
    worth: Worth | None = None  # what losses are measured from (C31)
    restraints: Restraints = field(default_factory=Restraints)  # what the bot has asked of itself (C12, C31)
    credits: Mapping[str, str] = field(default_factory=dict)  # what was last told of each cohort's credit, by its name
    locks: Locks = field(default_factory=Locks)  # those that nobody has lifted and that have not ended


@dataclass(frozen=True, slots=True, kw_only=True)
class ModeDemanded:
    """A source asks for a mode; the strictest demand holds."""

    at: datetime
    source: DemandSource
    mode: TradingMode
    cause: str
    epoch: int = 0  # the kill epoch that goes with it


@dataclass(frozen=True, slots=True, kw_only=True)
class RestraintsLifted:
    """A person resumed what the bot had asked of itself: losses are measured anew, executions counted anew.

    ``sources`` are those that were lifted.
    """

    at: datetime
    sources: tuple[DemandSource, ...]
    key_id: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DataFeedChanged:
    """Market data as a whole became unusable or usable again (farm down, competing session, entitlement)."""

    at: datetime
    usable: bool
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelSent:
    """A cancel frame for one of our orders was written."""

    at: datetime
    intent_id: IntentId


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderSent:
    """An order frame was written to a healthy transport."""

    at: datetime
    intent_id: IntentId


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderDropped:
    """An approved order was not sent: something changed between verdict and release.

    ``plan_again`` is false where planning at once would end the same way: the next event or the timer plans again.
    """

    at: datetime
    intent_id: IntentId
    why: str
    plan_again: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposalAnswered:
    """A person approved or vetoed a proposal; an answer to one that no longer waits changes nothing."""

    at: datetime
    proposal_id: DecisionId
    approved: bool
    key_id: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LockLifted:
    """A person has taken a lock away; what still differs is locked again by the next comparison."""

    at: datetime
    lock: str
    key_id: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitChanged:
    """A command has changed one limit of the gate; verdicts given before count no more.

    Attributes:
        at: Aware.
        name: Of the limit.
        before: What it was, as text.
        after: What it is.
        is_looser: By the direction of the limit.
        key_id: Whose command; the local way in where no key signed it.
        reason: In the operator's words.
        hash: Of the whole set that is in force now.
    """

    at: datetime
    name: str
    before: str
    after: str
    is_looser: bool
    key_id: str
    reason: str
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OverrideGranted:
    """A person has signed that one refused order may pass limits that it exceeds; the next decision judges it."""

    at: datetime
    override: Override


@dataclass(frozen=True, slots=True, kw_only=True)
class LockEscalated:
    """A lock that was to end by itself has not ended in time: from now on a person must lift it."""

    at: datetime
    lock: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FlattenSigned:
    """A person has signed a plan to flatten; it counts in the halt for which it was made, and in no other."""

    at: datetime
    mandate: Mandate
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FlattenEnded:
    """A signed plan is carried out, or nothing more can be done for it; ``left`` says what is still held."""

    at: datetime
    digest: str
    left: tuple[str, ...]
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """One decision: signal, plan and verdicts; applying it reserves what was approved."""

    at: datetime
    decision_id: DecisionId
    trigger: str
    signal: Signal
    plan: HedgePlan
    verdicts: tuple[Verdict, ...]
    override: Override | None = None  # under which they were given; this judgement has used it up


@dataclass(frozen=True, slots=True, kw_only=True)
class Released:
    """The decision is carried out; what waited meanwhile is planned next."""

    at: datetime
    decision_id: DecisionId


Event = (
    Tick
    | Quote
    | SessionOpened
    | SessionClosed
    | EvidenceDelivered
    | OwnIndexRead
    | SensitivityMeasured
    | ProductsMeasured
    | CandidatesListed
    | WingStrikesListed
    | TermsRead
    | OpenInterestTold
    | MarginPreviewed
    | TimerElapsed
    | OrderReported
    | OrderDoubted
    | FillReported
    | CommissionReported
    | AccountReported
    | LinkLost
    | LinkRestored
    | SubmissionFrozen
    | BooksReconciled
    | BooksAgreed
    | TwinsFound
    | AccountMismatched
    | Restored
    | ModeDemanded
    | RestraintsLifted
    | DataFeedChanged
    | CancelSent
    | OrderSent
    | OrderDropped
    | ProposalAnswered
    | LockLifted
    | LimitChanged
    | OverrideGranted
    | LegsImbalanced
    | LockEscalated
    | FlattenSigned
    | FlattenEnded
    | Decided
    | Released
)
