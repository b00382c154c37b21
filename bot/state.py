"""The one mutable state: `apply(event)` is the only way to change it, `snapshot(now)` the only way to read it.

How it works: a tick goes straight to the dispersion tracker and usually ends there. Everything else is dispatched by
its type. Positions, lots and the orders' filled quantities follow from executions alone; the broker's word on an
order moves its state. What always holds: an execution is counted once, a terminal order stays terminal except by a
late fill, and every order that may still fill stays in the book at its worst case.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from bot.books import Books
from bot.domain.decision import Approved
from bot.domain.events import (
    AccountMismatched,
    AccountReported,
    BooksAgreed,
    BooksReconciled,
    CancelSent,
    CandidatesListed,
    CommissionReported,
    DataFeedChanged,
    Decided,
    Event,
    EvidenceDelivered,
    FillReported,
    FlattenEnded,
    FlattenSigned,
    LimitChanged,
    LinkLost,
    LinkRestored,
    LockEscalated,
    LockLifted,
    MarginPreviewed,
    ModeDemanded,
    OpenInterestTold,
    OrderDoubted,
    OrderDropped,
    OrderReported,
    OrderSent,
    OverrideGranted,
    OwnIndexRead,
    ProductsMeasured,
    ProposalAnswered,
    Released,
    Restored,
    RestraintsLifted,
    SensitivityMeasured,
    SessionClosed,
    SessionOpened,
    SubmissionFrozen,
    TermsRead,
    TimerElapsed,
    TwinsFound,
    WingStrikesListed,
)
from bot.domain.evidence import Conviction
from bot.domain.fees import FeeSchedule
from bot.domain.flattening import Mandate
from bot.domain.found import FoundSleeve
from bot.domain.freeze import Agreement
from bot.domain.imbalance import Imbalance, LegsImbalanced
from bot.domain.instrument import VIX, InstrumentKey
from bot.domain.locks import Locks
from bot.domain.market import Quote, Tick
from bot.domain.mode import RESTRAINTS, DemandSource, TradingMode, strictest
from bot.domain.orders import (
    Fill,
    IntentId,
    Order,
    Prepared,
    Purpose,
)
from bot.domain.overrides import Ground, Waivers
from bot.domain.portfolio import AccountValues, StatedCredit
from bot.domain.previews import MarginPreviews
from bot.domain.proposal import Proposals, ProposalState
from bot.domain.readings import SignalState
from bot.domain.restraints import Restraint, Restraints
from bot.domain.schedule import Session
from bot.domain.snapshot import Snapshot, Standing
from bot.domain.worth import Transfer, Worth, moved
from bot.observed import Observed
from bot.signals.dispersion import DispersionTracker, nanoseconds_of


class BotState:
    """Market, signal, book and standing of one account."""

    def __init__(
        self,
        *,
        tracker: DispersionTracker,
        sleeve: FoundSleeve | None = None,
        stated_credits: Sequence[StatedCredit] = (),
        fees: FeeSchedule | None = None,
        transfers: Sequence[Transfer] = (),
        account: str = "",
    ) -> None:
        """Start empty: no positions, no link, nothing reconciled."""
        self._market = Observed(tracker)
        self._on_tick = tracker.on_tick  # the hot path
        self._books = Books(sleeve=sleeve, stated_credits=stated_credits, fees=fees or FeeSchedule(), account=account)
        self._demands: dict[DemandSource, TradingMode] = {}
        self._restraints = Restraints()
        self._transfers = tuple(transfers)
        self._worth: Worth | None = None
        self._kill_epoch = 0
        self._agreement = Agreement()
        self._deciding = False
        self._plan_due = False
        self._frozen_base: float | None = None
        self._proposals = Proposals()
        self._mandate: Mandate | None = None
        self._waivers = Waivers()
        self._flattening: tuple[IntentId, ...] = ()
        self._previews = MarginPreviews()
        self._conviction: Conviction | None = None
        self._handlers: Mapping[type, Callable[..., bool]] = {
            Quote: self._market.on_quote,
            SessionOpened: self._market.on_session_opened,
            SessionClosed: self._market.on_session_closed,
            EvidenceDelivered: self._market.on_evidence,
            OwnIndexRead: self._market.on_own_index,
            SensitivityMeasured: self._market.on_sensitivity,
            ProductsMeasured: self._market.on_products,
            CandidatesListed: self._market.on_candidates,
            WingStrikesListed: self._market.on_wing_strikes,
            TermsRead: self._market.on_told,
            OpenInterestTold: self._market.on_told,
            MarginPreviewed: self._on_previewed,
            TimerElapsed: lambda _event: True,
            OrderReported: self._books.report,
            OrderDoubted: self._books.doubt,
            FillReported: self._books.fill,
            CommissionReported: self._on_commission,
            AccountReported: self._on_account,
            LinkLost: self._on_link_lost,
            LinkRestored: self._on_link_restored,
            SubmissionFrozen: self._on_frozen,
            BooksReconciled: self._on_reconciled,
            BooksAgreed: self._on_agreed,
            TwinsFound: self._books.lock_twins,
            AccountMismatched: lambda _event: True,
            Restored: self._on_restored,
            ModeDemanded: self._on_mode,
            RestraintsLifted: self._on_lifted,
            DataFeedChanged: self._on_data_feed,
            CancelSent: self._on_cancel_sent,
            OrderSent: self._on_order_sent,
            OrderDropped: self._on_order_dropped,
            ProposalAnswered: self._on_answered,
            LockLifted: lambda event: self._books.unlock(event.lock),
            LimitChanged: lambda _event: self._books.judge_anew(),
            OverrideGranted: self._on_override_granted,
            LegsImbalanced: self._books.lock_imbalance,
            LockEscalated: lambda event: self._books.escalate(event.lock, event.why, event.at),
            FlattenSigned: self._on_flatten_signed,
            FlattenEnded: self._on_flatten_ended,
            Decided: self._on_decided,
            Released: self._on_released,
        }

    @property
    def deciding(self) -> bool:
        """A decision is under way: events are applied, no second decision starts."""
        return self._deciding

    @property
    def plan_is_due(self) -> bool:
        """Something changed since the last plan and no decision is under way."""
        return self._plan_due and not self._deciding

    def missing_indices(self, now: datetime) -> tuple[InstrumentKey, ...]:
        """RVX and VIX as far as the market does not publish them now."""
        return self._market.tracker.missing(nanoseconds_of(now))

    def stale_inputs(self, now: datetime) -> str:
        """Which input of the signal is missing or old in an open session, in words."""
        return self._market.tracker.stale(nanoseconds_of(now))

    @property
    def proposals(self) -> Proposals:
        """The trades that a person was asked about last, with what became of them."""
        return self._proposals

    @property
    def vix(self) -> float | None:
        """The last good level of VIX, points."""
        return self._market.tracker.levels().get(VIX.key)

    @property
    def session(self) -> Session | None:
        """The session that is open."""
        return self._market.session

    def apply(self, event: Event) -> bool:
        """Change the state by one event.

        Returns:
            True when a plan is due: the signal, the book, a limit or the standing changed, or the timer elapsed.

        Raises:
            InvariantError: The event contradicts what cannot be otherwise, such as more filled than ordered.
        """
        if event.__class__ is Tick:
            if self._on_tick(event.key, event.level, event.at_ns, event.data_type):
                self._plan_due = True
                return True
            return False
        due = self._handlers[event.__class__](event)
        if self._waivers.override is not None and not isinstance(event, Tick | Quote):
            self._waivers = self._waivers.standing(event.at, self.ground)
        self._plan_due = self._plan_due or due
        return due

    def order(self, intent_id: str) -> Order | None:
        """One of our own orders, live or ended."""
        return self._books.order(intent_id)

    def is_booked(self, event: Event) -> bool:
        """The event repeats an execution or a commission that is booked already, as after every reconnect."""
        return self._books.is_booked(event)

    def live_orders(self) -> tuple[Order, ...]:
        """Every own order that may still fill, oldest first."""
        return self._books.live_orders()

    @property
    def book_version(self) -> int:
        """The version that verdicts are given for; moves with fills, positions, credit and foreign orders."""
        return self._books.version

    @property
    def reconciling(self) -> bool:
        """From the loss of the link, a freeze or the start until the books agree."""
        return self._agreement.is_reconciling

    @property
    def is_frozen(self) -> bool:
        """The gateway is about to restart, or may have done so and was not compared since."""
        return self._agreement.freeze is not None

    @property
    def locks(self) -> Locks:
        """Of contracts, or of the account."""
        return self._books.locks

    def imbalances(self, now: datetime) -> tuple[Imbalance, ...]:
        """Combos of the last hour of which a leg is missing."""
        return self._books.imbalances(now)

    def twins_in(self, event: OrderReported) -> TwinsFound | None:
        """What a report shows of a second live order of one intent."""
        return self._books.twins_in(event)

    def fills(self) -> tuple[Fill, ...]:
        """Every execution booked so far."""
        return self._books.fills()

    def commissions(self) -> Mapping[str, Decimal]:
        """What the broker has said that executions cost, USD by execution id."""
        return self._books.commissions

    def standing(self) -> Standing:
        """What a release compares with its verdict, without building a whole snapshot."""
        return Standing(
            book_version=self._books.version,
            mode=self.mode,
            reconciling=self.reconciling,
            locks=self._books.locks.words,
            mandate=self.mandate,
        )

    @property
    def mode(self) -> TradingMode:
        """The strictest demand."""
        return strictest((*self._demands.values(), self._restraints.mode))

    @property
    def mandate(self) -> Mandate | None:
        """The signed plan to flatten that is being carried out, with its orders as they stand."""
        if self._mandate is None:
            return None
        found = (self._books.order(intent_id) for intent_id in self._flattening)
        return self._mandate.with_orders([order for order in found if order is not None])

    @property
    def waivers(self) -> Waivers:
        """The orders that were refused last, and what a person has signed for one of them."""
        return self._waivers

    @property
    def ground(self) -> Ground:
        """By what an override counts or not."""
        return Ground(mode=self.mode, epoch=self._kill_epoch, reconciling=self.reconciling)

    def demand(self, source: DemandSource) -> TradingMode:
        """What one source asks for."""
        return self._demands.get(source, TradingMode.NORMAL)

    @property
    def restraints(self) -> Restraints:
        """What the bot has asked of itself."""
        return self._restraints

    def snapshot(self, now: datetime) -> Snapshot:
        """Return the frozen picture that signal, plan and gate read."""
        return Snapshot(
            now=now,
            book=self._books.frozen(now, self._frozen_base),
            mode=self.mode,
            reconciling=self.reconciling,
            kill_epoch=self._kill_epoch,
            proposals=self._proposals,
            conviction=self._conviction,
            worth=None if self._worth is None else self._worth.after(self._worth.now_usd, now, self._transfers),
            is_frozen=self.is_frozen,
            previews=self._previews,
            **self._market.pictured(now),
            mandate=self.mandate,
            override=self._waivers.override,
        )

    # link and books -----------------------------------------------------------------------------------------------

    def _on_previewed(self, event: MarginPreviewed) -> bool:
        self._previews = self._previews.after(event.preview)
        return True

    def _on_commission(self, event: CommissionReported) -> bool:
        self._books.commission(event)
        return False

    def _on_account(self, event: AccountReported) -> bool:
        self._books.take_account(event.values)
        self._take_worth(event.values, event.at)
        return False

    def _take_worth(self, values: AccountValues, at: datetime) -> None:
        """A figure that the broker says is not ready yet is no result."""
        if values.ready:
            self._worth = moved(self._worth, values.net_liquidation_usd, at, self._transfers)

    def _on_link_lost(self, event: LinkLost) -> bool:
        self._agreement = self._agreement.lost()
        self._books.doubt_all(f"link lost: {event.why}")
        return False

    def _on_link_restored(self, event: LinkRestored) -> bool:
        self._agreement = self._agreement.restored(event.at)
        return False

    def _on_frozen(self, event: SubmissionFrozen) -> bool:
        self._agreement = self._agreement.frozen(event.freeze)
        return False

    def _on_reconciled(self, event: BooksReconciled) -> bool:
        self._books.reconcile(event)
        self._take_worth(event.account, event.at)
        self._agreement = self._agreement.compared(event.at, differs=bool(event.differences))
        return True

    def _on_agreed(self, event: BooksAgreed) -> bool:
        self._books.take_account(event.account)
        self._take_worth(event.account, event.at)
        return False

    def _on_restored(self, event: Restored) -> bool:
        self._books.restore(event)
        self._frozen_base = event.frozen_base_usd_per_point
        self._proposals = event.proposals
        self._conviction = event.conviction
        self._worth, self._restraints = event.worth, event.restraints
        self._books.count_from(event.restraints.counted)
        if event.episode is not None:
            self._market.tracker.restore(event.episode)
        return False

    # standing -----------------------------------------------------------------------------------------------------

    def _on_mode(self, event: ModeDemanded) -> bool:
        if event.source in RESTRAINTS:
            asked = Restraint(source=event.source, mode=event.mode, since=event.at, cause=event.cause)
            self._restraints = self._restraints.asked(asked)
        else:
            self._demands[event.source] = event.mode
        if event.source is DemandSource.LATCH:
            self._mandate = None  # a kill, a resume: whatever the latch says anew, what was signed before is over
        self._kill_epoch = max(self._kill_epoch, event.epoch)
        return True

    def _on_lifted(self, event: RestraintsLifted) -> bool:
        """A person has looked: what was counted and measured begins anew."""
        self._restraints = self._restraints.lifted(event.sources, event.at)
        self._books.count_from(self._restraints.counted)
        if DemandSource.LOSSES in event.sources and self._worth is not None:
            self._worth = self._worth.anew()
        return True

    def _on_data_feed(self, event: DataFeedChanged) -> bool:
        """What is not usable tightens at once; only the guard, which waits and compares, takes that back."""
        if not event.usable:
            self._demands[DemandSource.MARKET_DATA] = TradingMode.REDUCE_ONLY
        return True

    # decisions ----------------------------------------------------------------------------------------------------

    def _on_override_granted(self, event: OverrideGranted) -> bool:
        self._waivers = self._waivers.granted(event.override, event.at, self.ground)
        return self._waivers.override is event.override

    def _on_decided(self, event: Decided) -> bool:
        self._deciding = True
        self._plan_due = False
        used = event.override is not None
        self._waivers = self._waivers.decided(event.plan, event.verdicts, event.at, used=used)
        for verdict in event.verdicts:
            if isinstance(verdict, Approved):
                self._books.prepare(Order(intent=verdict.intent, state=Prepared(), prepared_at=event.at))
                if verdict.intent.purpose is Purpose.FLATTEN:
                    self._flattening = (*self._flattening, verdict.intent.intent_id)
        state = event.signal.state
        self._conviction = event.signal.conviction
        if state is SignalState.BLOWOUT and self._frozen_base is None and event.plan.base_usd_per_point > 0:
            self._frozen_base = event.plan.base_usd_per_point
        elif state is SignalState.CALM:
            self._frozen_base = None
        self._take_proposal(event)
        return False

    def _take_proposal(self, event: Decided) -> None:
        """A new proposal joins the last ones; one that was approved is used up by the orders that it allowed."""
        if event.plan.proposal is not None:
            self._proposals = self._proposals.making(event.plan.proposal)
        elif any(isinstance(verdict, Approved) for verdict in event.verdicts):
            self._proposals = self._proposals.used_by(tuple(verdict.intent for verdict in event.verdicts), event.at)

    def _on_answered(self, event: ProposalAnswered) -> bool:
        """A veto counts as long as the proposal is the last about its matter, an approval only while it waits."""
        proposal = self._proposals.named(event.proposal_id)
        if proposal is None or (event.approved and not proposal.is_open(event.at)):
            return False
        state = ProposalState.APPROVED if event.approved else ProposalState.VETOED
        self._proposals = self._proposals.answered(event.proposal_id, state)
        return True

    def _on_flatten_signed(self, event: FlattenSigned) -> bool:
        """A mandate begins in the halt for which its plan was made, and in no other."""
        halted = self.demand(DemandSource.LATCH) is TradingMode.HALT
        if not halted or event.mandate.plan.epoch != self._kill_epoch:
            return False
        self._mandate, self._flattening = event.mandate, ()
        return True

    def _on_flatten_ended(self, event: FlattenEnded) -> bool:
        if self._mandate is not None and self._mandate.plan.digest == event.digest:
            self._mandate = None
        return False

    def _on_released(self, _event: Released) -> bool:
        self._deciding = False
        return False

    def _on_order_sent(self, event: OrderSent) -> bool:
        self._books.sent(event.intent_id, event.at)
        return False

    def _on_order_dropped(self, event: OrderDropped) -> bool:
        self._books.drop(event.intent_id, event.why)
        return event.plan_again

    def _on_cancel_sent(self, event: CancelSent) -> bool:
        self._books.cancel_sent(event.intent_id, event.at)
        return False
