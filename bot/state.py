"""The one mutable state: `apply(event)` is the only way to change it, `snapshot(now)` the only way to read it.

How it works: a tick goes straight to the dispersion tracker and usually ends there. Everything else is dispatched by
its type. Positions, lots and the orders' filled quantities follow from executions alone; the broker's word on an
order moves its state. What always holds: an execution is counted once, a terminal order stays terminal except by a
late fill, and every order that may still fill stays in the book at its worst case.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from types import MappingProxyType

from bot.domain.condors import CONDOR_CLASSES, cohorts_of, past_cohorts_of, recognise_condors
from bot.domain.decision import Approved
from bot.domain.errors import InvariantError
from bot.domain.events import (
    AccountReported,
    BooksReconciled,
    CancelSent,
    CandidatesListed,
    CommissionReported,
    DataFeedChanged,
    Decided,
    Event,
    FillReported,
    LinkLost,
    LinkRestored,
    ModeDemanded,
    OrderDoubted,
    OrderDropped,
    OrderReported,
    OrderSent,
    Released,
    Restored,
    SessionClosed,
    SessionOpened,
    TimerElapsed,
)
from bot.domain.fees import FeeSchedule
from bot.domain.found import FoundSleeve
from bot.domain.instrument import RVX, VIX, Instrument, InstrumentKey
from bot.domain.ledger import lots_of, positions_after, positions_before, trade_date, units_filled
from bot.domain.market import Quote, Tick
from bot.domain.mode import DemandSource, TradingMode, strictest
from bot.domain.orders import (
    BrokerStatus,
    Cancelled,
    Fill,
    Filled,
    FillPart,
    IntentId,
    Order,
    OrderState,
    Partial,
    Prepared,
    Rejected,
    Unknown,
    Working,
)
from bot.domain.portfolio import AccountValues, Book, Position, StatedCredit
from bot.domain.readings import SignalState
from bot.domain.schedule import Session
from bot.domain.snapshot import Snapshot, Standing
from bot.signals.dispersion import DispersionTracker


@dataclass(slots=True)
class _Ledger:
    """What executions and reports have told so far; `Book` is its frozen picture."""

    start: tuple[Position, ...] = ()
    fills: dict[str, Fill] = field(default_factory=dict)
    commissions: dict[str, Decimal] = field(default_factory=dict)
    orders: dict[IntentId, Order] = field(default_factory=dict)
    account: AccountValues | None = None
    locks: dict[str, str] = field(default_factory=dict)
    version: int = 0
    adopted: bool = False  # positions were taken over, now or in an earlier run


class BotState:
    """Market, signal, book and standing of one account."""

    def __init__(
        self,
        *,
        tracker: DispersionTracker,
        sleeve: FoundSleeve | None = None,
        stated_credits: Sequence[StatedCredit] = (),
        fees: FeeSchedule | None = None,
    ) -> None:
        """Start empty: no positions, no link, nothing reconciled."""
        self._tracker = tracker
        self._on_tick = tracker.on_tick  # the hot path
        self._sleeve = sleeve
        self._stated_credits = tuple(stated_credits)
        self._fees = fees or FeeSchedule()
        self._quotes: dict[InstrumentKey, Quote] = {}
        self._universe: dict[InstrumentKey, Instrument] = {}
        self._previous_closes: dict[InstrumentKey, float] = {}
        self._session: Session | None = None
        self._ledger = _Ledger()
        self._demands: dict[DemandSource, TradingMode] = {}
        self._kill_epoch = 0
        self._reconciling = True
        self._deciding = False
        self._plan_due = False
        self._frozen_base: float | None = None
        self._book: Book | None = None
        self._book_day: date | None = None
        self._handlers: Mapping[type, Callable[..., bool]] = {
            Quote: self._on_quote,
            SessionOpened: self._on_session_opened,
            SessionClosed: self._on_session_closed,
            CandidatesListed: self._on_candidates,
            TimerElapsed: lambda _event: True,
            OrderReported: self._on_order_reported,
            OrderDoubted: self._on_order_doubted,
            FillReported: self._on_fill,
            CommissionReported: self._on_commission,
            AccountReported: self._on_account,
            LinkLost: self._on_link_lost,
            LinkRestored: self._on_link_restored,
            BooksReconciled: self._on_reconciled,
            Restored: self._on_restored,
            ModeDemanded: self._on_mode,
            DataFeedChanged: self._on_data_feed,
            CancelSent: self._on_cancel_sent,
            OrderSent: self._on_order_sent,
            OrderDropped: self._on_order_dropped,
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

    @property
    def session(self) -> Session | None:
        """The session that is open."""
        return self._session

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
        if self._handlers[event.__class__](event):
            self._plan_due = True
            return True
        return False

    def order(self, intent_id: str) -> Order | None:
        """One of our own orders, live or ended."""
        return self._ledger.orders.get(IntentId(intent_id))

    def is_booked(self, event: Event) -> bool:
        """The event repeats an execution or a commission that is booked already, as after every reconnect."""
        match event:
            case FillReported():
                return event.fill.exec_id in self._ledger.fills
            case CommissionReported():
                return self._ledger.commissions.get(event.exec_id) == event.commission_usd
        return False

    def live_orders(self) -> tuple[Order, ...]:
        """Every own order that may still fill, oldest first."""
        return tuple(order for order in self._ledger.orders.values() if order.may_fill)

    @property
    def book_version(self) -> int:
        """The version that verdicts are given for; moves with fills, positions, credit and foreign orders."""
        return self._ledger.version

    @property
    def reconciling(self) -> bool:
        """From the loss of the link, or the start, until the books agree."""
        return self._reconciling

    def fills(self) -> tuple[Fill, ...]:
        """Every execution booked so far."""
        return tuple(self._ledger.fills.values())

    def standing(self) -> Standing:
        """What a release compares with its verdict, without building a whole snapshot."""
        return Standing(
            book_version=self._ledger.version,
            mode=self.mode,
            reconciling=self._reconciling,
            locks=self._ledger.locks,
        )

    @property
    def mode(self) -> TradingMode:
        """The strictest demand."""
        return strictest(self._demands.values())

    def demand(self, source: DemandSource) -> TradingMode:
        """What one source asks for."""
        return self._demands.get(source, TradingMode.NORMAL)

    def snapshot(self, now: datetime) -> Snapshot:
        """Return the frozen picture that signal, plan and gate read."""
        now_ns = int(now.timestamp() * 1_000_000_000)
        session = self._session
        return Snapshot(
            now=now,
            session=session if session is not None and session.opens_at <= now < session.closes_at else None,
            levels=MappingProxyType(dict(self._tracker.levels())),
            quotes=MappingProxyType(dict(self._quotes)),
            universe=MappingProxyType(self._universe),
            dispersion=self._tracker.reading(now_ns),
            book=self._book_at(now),
            mode=self.mode,
            reconciling=self._reconciling,
            kill_epoch=self._kill_epoch,
            previous_closes=MappingProxyType(self._previous_closes),
        )

    # market ---------------------------------------------------------------------------------------------------

    def _on_quote(self, event: Quote) -> bool:
        self._quotes[event.key] = event
        return False

    def _on_session_opened(self, event: SessionOpened) -> bool:
        self._session = event.session
        self._tracker.open_session(event.session, event.baseline)
        if not self._previous_closes and event.baseline:
            _, rvx, vix = event.baseline[-1]
            self._previous_closes = {RVX.key: rvx, VIX.key: vix}
        return True

    def _on_session_closed(self, event: SessionClosed) -> bool:
        self._previous_closes = dict(self._tracker.levels())
        self._tracker.close_session(event.session)
        self._session = None
        self._quotes.clear()
        return False

    def _on_candidates(self, event: CandidatesListed) -> bool:
        self._universe = {instrument.key: instrument for instrument in event.instruments}
        return True

    # orders and executions --------------------------------------------------------------------------------------

    def _changed(self, *, book: bool) -> None:
        """Forget the cached book; a change that verdicts depend on moves its version as well."""
        self._book = None
        if book:
            self._ledger.version += 1

    def _store(self, order: Order) -> None:
        self._ledger.orders[order.intent.intent_id] = order
        self._changed(book=False)

    def _on_order_reported(self, event: OrderReported) -> bool:
        report = event.report
        order = self.order(report.order_ref)
        if order is None or order.is_terminal:
            return False
        state = self._state_after(order, event)
        if state is None:
            return False
        after = order.moved(state, perm_id=report.perm_id, order_id=report.order_id)
        self._store(after)
        return type(order.state) is not type(after.state) or order.perm_id != after.perm_id

    def _state_after(self, order: Order, event: OrderReported) -> OrderState | None:
        """The broker's word as our state; executions still missing keep the order alive as UNKNOWN."""
        report = event.report
        match report.status:
            case BrokerStatus.WORKING:
                return Partial() if order.filled else Working()
            case BrokerStatus.FILLED:
                return None  # the executions complete it
            case BrokerStatus.CANCELLED if report.filled > order.filled:
                return Unknown(why=f"cancelled with {report.filled} filled, executions show {order.filled}")
            case BrokerStatus.CANCELLED:
                return Cancelled(reason=report.text or "cancelled at the broker")
            case BrokerStatus.REJECTED:
                return Rejected(reason=report.text or "rejected by the broker")
            case BrokerStatus.UNCLEAR:
                return Unknown(why=report.text or "unclear report")

    def _on_order_doubted(self, event: OrderDoubted) -> bool:
        order = self.order(event.order_ref)
        if order is None or order.is_terminal:
            return False
        self._store(order.moved(Unknown(why=f"code {event.code}: {event.text}")))
        return True

    def _on_fill(self, event: FillReported) -> bool:
        fill = event.fill
        if fill.exec_id in self._ledger.fills:
            return False
        self._ledger.fills[fill.exec_id] = fill
        self._changed(book=True)
        order = self.order(fill.order_ref)
        if order is None:
            self._lock_foreign(fill)
        elif fill.part is not FillPart.LEG:
            self._fill_order(order)
        return True

    def _fill_order(self, order: Order) -> None:
        filled = units_filled(order.intent.intent_id, self._ledger.fills.values())
        if filled > order.intent.quantity:
            raise InvariantError(f"order {order.intent.intent_id}: {filled} filled of {order.intent.quantity} ordered")
        state: OrderState = Filled() if filled == order.intent.quantity else Partial()
        if isinstance(order.state, Cancelled) and not isinstance(state, Filled):
            state = Cancelled(reason=order.state.reason)  # a late part of a cancelled order: booked, still dead
        self._store(order.moved(state, filled=filled))

    def _lock_foreign(self, fill: Fill) -> None:
        """A fill that is not ours: the operator's condors are booked, a sleeve contract is locked."""
        if fill.instrument is not None and fill.instrument.trading_class not in CONDOR_CLASSES:
            self._ledger.locks[fill.instrument.key] = f"foreign fill {fill.exec_id}"

    def _on_commission(self, event: CommissionReported) -> bool:
        if self._ledger.commissions.get(event.exec_id) == event.commission_usd:
            return False
        self._ledger.commissions[event.exec_id] = event.commission_usd
        self._changed(book=True)
        return False

    def _on_account(self, event: AccountReported) -> bool:
        self._ledger.account = event.values
        self._changed(book=False)
        return False

    # link and books ------------------------------------------------------------------------------------------------

    def _on_link_lost(self, event: LinkLost) -> bool:
        self._reconciling = True
        for order in list(self._ledger.orders.values()):
            if order.may_fill:
                self._store(order.moved(Unknown(why=f"link lost: {event.why}")))
        return False

    def _on_link_restored(self, _event: LinkRestored) -> bool:
        self._reconciling = True
        return False

    def _on_reconciled(self, event: BooksReconciled) -> bool:
        ledger = self._ledger
        for fill in event.fills:
            self._book_missed(fill)
        ledger.commissions.update(event.commissions)
        for order in event.orders:
            ledger.orders[order.intent.intent_id] = order
        ledger.start = positions_before(self._adopted(event), ledger.fills.values())
        ledger.account = event.account
        ledger.locks = {key: why for key, why in ledger.locks.items() if why.startswith("foreign")}
        ledger.locks |= dict(event.differences)
        ledger.adopted = True
        self._reconciling = False
        self._changed(book=True)
        return True

    def _book_missed(self, fill: Fill) -> None:
        """An execution that only the broker's books showed; it may be the late fill of an order that had ended."""
        if fill.exec_id in self._ledger.fills:
            return
        self._ledger.fills[fill.exec_id] = fill
        order = self.order(fill.order_ref)
        if order is None and self._ledger.adopted:
            self._lock_foreign(fill)  # what was traded before the first comparison is adopted with the positions
        elif order is not None and fill.part is not FillPart.LEG:
            self._fill_order(order)

    def _adopted(self, event: BooksReconciled) -> tuple[Position, ...]:
        """The broker's positions, but ours where they differ unexplained: such a lock ends when the books agree."""
        agreed = [position for position in event.positions if position.instrument.key not in event.differences]
        ours = positions_after(self._ledger.start, self._ledger.fills.values())
        return (*agreed, *(ours[InstrumentKey(key)] for key in event.differences if key in ours))

    def _on_restored(self, event: Restored) -> bool:
        ledger = self._ledger
        ledger.start = event.positions or ()
        ledger.adopted = event.positions is not None
        ledger.fills = {fill.exec_id: fill for fill in event.fills}
        ledger.commissions = dict(event.commissions)
        ledger.orders = {order.intent.intent_id: order for order in event.orders}
        self._frozen_base = event.frozen_base_usd_per_point
        if event.episode is not None:
            self._tracker.restore(event.episode)
        self._changed(book=True)
        return False

    # standing -----------------------------------------------------------------------------------------------------

    def _on_mode(self, event: ModeDemanded) -> bool:
        self._demands[event.source] = event.mode
        self._kill_epoch = max(self._kill_epoch, event.epoch)
        return True

    def _on_data_feed(self, event: DataFeedChanged) -> bool:
        self._demands[DemandSource.MARKET_DATA] = TradingMode.NORMAL if event.usable else TradingMode.REDUCE_ONLY
        return True

    # decisions ----------------------------------------------------------------------------------------------------

    def _on_decided(self, event: Decided) -> bool:
        self._deciding = True
        self._plan_due = False
        for verdict in event.verdicts:
            if isinstance(verdict, Approved):
                self._store(Order(intent=verdict.intent, state=Prepared(), prepared_at=event.at))
        state = event.signal.state
        if state is SignalState.BLOWOUT and self._frozen_base is None and event.plan.base_usd_per_point > 0:
            self._frozen_base = event.plan.base_usd_per_point
            self._changed(book=False)
        elif state is SignalState.CALM and self._frozen_base is not None:
            self._frozen_base = None
            self._changed(book=False)
        return False

    def _on_released(self, _event: Released) -> bool:
        self._deciding = False
        return False

    def _on_order_sent(self, event: OrderSent) -> bool:
        order = self._ledger.orders[event.intent_id]
        if isinstance(order.state, Prepared):
            self._store(order.with_sent_at(event.at))
        return False

    def _on_order_dropped(self, event: OrderDropped) -> bool:
        order = self._ledger.orders[event.intent_id]
        self._store(order.moved(Cancelled(reason=f"not sent: {event.why}")))
        return event.plan_again

    def _on_cancel_sent(self, event: CancelSent) -> bool:
        self._store(self._ledger.orders[event.intent_id].with_cancel_requested(event.at))
        return False

    # the book -----------------------------------------------------------------------------------------------------

    def _book_at(self, now: datetime) -> Book:
        """The frozen book; rebuilt only when something in it changed, or the day did."""
        today = trade_date(now)
        if self._book is None or self._book_day != today:
            self._book = self._build_book(today)
            self._book_day = today
        return self._book

    def _build_book(self, today: date) -> Book:
        ledger = self._ledger
        positions = positions_after(ledger.start, ledger.fills.values())
        condors = recognise_condors(positions.values())
        own_lots = lots_of(ledger.orders.values(), ledger.fills.values(), ledger.commissions, self._fees)
        cohorts = cohorts_of(condors.condors, self._stated_credits, today)
        found = () if self._sleeve is None else self._sleeve.lots(ledger.start, cohorts, today)
        return Book(
            version=ledger.version,
            positions=MappingProxyType(positions),
            condors=condors.condors,
            cohorts=cohorts,
            past_cohorts=past_cohorts_of(self._stated_credits, today),
            unmatched=condors.unmatched,
            lots=found + own_lots,
            orders=MappingProxyType({key: order for key, order in ledger.orders.items() if order.may_fill}),
            orders_sent_today=sum(
                1 for o in ledger.orders.values() if o.sent_at is not None and trade_date(o.sent_at) == today
            ),
            account=ledger.account,
            locks=MappingProxyType(dict(ledger.locks)),
            frozen_base_usd_per_point=self._frozen_base,
        )
