"""Our own books: orders, executions, positions, locks and the account, as executions and the broker's reports tell.

How it works: every method takes one event and changes the books; `frozen` gives their picture. What always holds: an
execution is counted once, a correction in the place of what it corrects; a terminal order stays terminal except by a
late fill or a correction, and every order that may still fill stays in the book at its worst case.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from types import MappingProxyType

from bot.domain.changes import changes_of
from bot.domain.cohorts import cohorts_of, past_cohorts_of
from bot.domain.condor_fills import Executions
from bot.domain.condors import CONDOR_CLASSES, recognise_condors
from bot.domain.corrections import ExecutionSet, Taken
from bot.domain.errors import InvariantError
from bot.domain.events import (
    BooksReconciled,
    CommissionReported,
    FillReported,
    OrderDoubted,
    OrderReported,
    Restored,
    TwinsFound,
)
from bot.domain.executed import Counted, executed_on
from bot.domain.expiries import has_settled
from bot.domain.fees import FeeSchedule
from bot.domain.found import FoundSleeve
from bot.domain.imbalance import Imbalance, LegsImbalanced, imbalances
from bot.domain.instrument import InstrumentKey
from bot.domain.ledger import (
    fills_by_order,
    first_seen,
    legs_owed,
    lots_of,
    positions_after,
    positions_before,
    trade_date,
    units_filled,
)
from bot.domain.locks import ACCOUNT_LOCK, Locks
from bot.domain.orders import (
    BrokerOrder,
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
    Purpose,
    Rejected,
    Unknown,
    Working,
)
from bot.domain.portfolio import AccountValues, Book, Position, StatedCredit


def _is_of_another(report: BrokerOrder, order: Order) -> bool:
    """A report under another permanent id than our order's is about another order, whatever its reference says."""
    return report.perm_id not in {0, order.perm_id} and order.perm_id != 0


class Books:
    """Orders, executions and positions of one account; ``version`` moves with whatever verdicts depend on."""

    def __init__(
        self, *, sleeve: FoundSleeve | None, stated_credits: Sequence[StatedCredit], fees: FeeSchedule, account: str
    ) -> None:
        """Start empty.

        Args:
            sleeve: How hedge positions are recognised that our own executions do not explain; None takes none.
            stated_credits: What the operator states of the condors.
            fees: What contracts cost to trade where the broker has not said yet.
            account: Our own; whatever is told of another one locks. Empty: nobody has said which is ours.
        """
        self._own_account = account
        self._sleeve = sleeve
        self._stated_credits = tuple(stated_credits)
        self._fees = fees
        self._start: tuple[Position, ...] = ()
        self._found_on: Mapping[InstrumentKey, date] = {}
        self._executions = ExecutionSet()
        self._commissions: dict[str, Decimal] = {}
        self._orders: dict[IntentId, Order] = {}
        self._account: AccountValues | None = None
        self._counted = Counted()
        self._locks = Locks()
        self._adopted = False  # positions were taken over, now or in an earlier run
        self._frozen: Book | None = None
        self._frozen_for: tuple[date, float | None, int] | None = None
        self._held: dict[InstrumentKey, Position] | None = None
        self.version = 0

    # what they say

    def order(self, intent_id: str) -> Order | None:
        """One of our own orders, live or ended."""
        return self._orders.get(IntentId(intent_id))

    def is_booked(self, event: object) -> bool:
        """The event repeats what is booked already, as after every reconnect, or tells of an unknown account."""
        match event:
            case FillReported():
                is_told = event.fill.exec_id in self._executions.told
                return is_told or self._is_unknown_account(event.fill.account)
            case CommissionReported():
                return self._commissions.get(event.exec_id) == event.commission_usd
        return False

    def live_orders(self) -> tuple[Order, ...]:
        """Every own order that may still fill, oldest first."""
        return tuple(order for order in self._orders.values() if order.may_fill)

    def fills(self) -> tuple[Fill, ...]:
        """Every execution told so far, corrected ones among them."""
        return tuple(self._executions.told.values())

    @property
    def commissions(self) -> Mapping[str, Decimal]:
        """USD by execution id, as far as the broker has said."""
        return MappingProxyType(self._commissions)

    @property
    def locks(self) -> Locks:
        """Of contracts, or of the account."""
        return self._locks

    def frozen(self, now: datetime, base_usd_per_point: float | None) -> Book:
        """Return the frozen book of a moment; rebuilt only when something in it changed, settled, or the day did.

        Args:
            now: Aware; it decides what is open and what has settled.
            base_usd_per_point: The base that an episode has frozen (M2), None outside one.
        """
        live = self._live_at(now)
        wanted = (trade_date(now), base_usd_per_point, len(live))
        if self._frozen is None or self._frozen_for != wanted:
            self._frozen, self._frozen_for = self._built(now, base_usd_per_point, live), wanted
        return self._frozen

    # our own orders

    def prepare(self, order: Order) -> None:
        """Take a new order in: from now on it counts at its worst case."""
        self._store(order)

    def sent(self, intent_id: IntentId, at: datetime) -> None:
        """The frame of a prepared order was written."""
        order = self._orders[intent_id]
        if isinstance(order.state, Prepared):
            self._store(order.with_sent_at(at))

    def drop(self, intent_id: IntentId, why: str) -> None:
        """A prepared order never leaves."""
        self._store(self._orders[intent_id].moved(Cancelled(reason=f"not sent: {why}")))

    def cancel_sent(self, intent_id: IntentId, at: datetime) -> None:
        """A cancel frame was written."""
        self._store(self._orders[intent_id].with_cancel_requested(at))

    def doubt_all(self, why: str) -> None:
        """Nothing is known any more of what may be live."""
        for order in self.live_orders():
            self._store(order.moved(Unknown(why=why)))

    def _changed(self, *, book: bool) -> None:
        """Forget the cached book; a change that verdicts depend on moves its version as well."""
        self._frozen = None
        self._held = None
        if book:
            self.version += 1

    def _store(self, order: Order) -> None:
        self._orders[order.intent.intent_id] = order
        self._changed(book=False)

    def report(self, event: OrderReported) -> bool:
        """The broker said something of an order; True when one of ours moved."""
        report = event.report
        order = self.order(report.order_ref)
        if order is not None and self._is_unknown_account(report.account):
            self._latch((ACCOUNT_LOCK,), f"our order {report.order_ref} in account {report.account}", event.at)
        if order is None or order.is_terminal or _is_of_another(report, order):
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

    def doubt(self, event: OrderDoubted) -> bool:
        """Something unknown was said of an order; True when it is ours and may be live."""
        order = self.order(event.order_ref)
        if order is None or order.is_terminal:
            return False
        self._store(order.moved(Unknown(why=f"code {event.code}: {event.text}")))
        return True

    def fill(self, event: FillReported) -> bool:
        """The broker reported an execution; False when it is booked already."""
        fill = event.fill
        if self._is_unknown_account(fill.account):
            self._latch((ACCOUNT_LOCK,), f"execution {fill.exec_id} in account {fill.account}", event.at)
            return True
        taken = self._executions.take(fill)
        if taken is None or not taken.counts:
            return False
        self._changed(book=True)
        order = self.order(fill.order_ref)
        if order is None:
            self._lock_foreign(fill, event.at)
        elif fill.part is not FillPart.LEG:
            self._fill_order(order, taken)
        return True

    def _fill_order(self, order: Order, taken: Taken) -> None:
        filled = units_filled(order.intent.intent_id, self._executions.counting.values())
        if filled > order.intent.quantity:
            raise InvariantError(f"order {order.intent.intent_id}: {filled} filled of {order.intent.quantity} ordered")
        if taken.instead_of is not None:
            if filled != order.filled:
                self._store(order.corrected(filled))
            return
        state: OrderState = Filled() if filled == order.intent.quantity else Partial()
        if isinstance(order.state, Cancelled) and not isinstance(state, Filled):
            state = Cancelled(reason=order.state.reason)  # a late part of a cancelled order: booked, still dead
        self._store(order.moved(state, filled=filled))

    def unlock(self, lock: str) -> bool:
        """Take one lock away; True when there was one: a plan is due."""
        before, self._locks = self._locks, self._locks.lifted(lock)
        return before.of(lock) is not None

    def judge_anew(self) -> bool:
        """What verdicts are given by is another: those given before count no more; a plan is due."""
        self._changed(book=True)
        return True

    def escalate(self, lock: str, why: str, at: datetime) -> bool:
        """Latch a lock that did not end by itself; True when it is there."""
        if self._locks.of(lock) is None:
            return False
        self._latch((lock,), why, at)
        return True

    def twins_in(self, event: OrderReported) -> TwinsFound | None:
        """Return what a report shows of a second live order of one intent: another permanent id than ours has."""
        report = event.report
        order = self.order(report.order_ref)
        if order is None or order.is_terminal or not _is_of_another(report, order) or not report.may_fill:
            return None
        ids = (order.broker_order_id, report.order_id)
        return TwinsFound(
            at=event.at, intent_id=order.intent.intent_id, perm_ids=(order.perm_id, report.perm_id), order_ids=ids
        )

    def lock_twins(self, event: TwinsFound) -> bool:
        """One intent lives twice at the broker: nothing more in its contracts; True when it is ours."""
        order = self._orders.get(event.intent_id)
        if order is None:
            return False
        keys = [leg.instrument.key for leg in order.intent.legs]
        self._latch(keys, f"two live orders of {event.intent_id}: permanent ids {event.words}", event.at)
        return True

    def imbalances(self, now: datetime) -> tuple[Imbalance, ...]:
        """Return the combos of the last hour whose legs do not match."""
        return imbalances(self._orders.values(), self._executions.newest_first(), now)

    def lock_imbalance(self, event: LegsImbalanced) -> bool:
        """A leg is missing: nothing more in the contracts of its order; True when it is ours."""
        order = self._orders.get(event.imbalance.intent_id)
        if order is None:
            return False
        keys = [leg.instrument.key for leg in order.intent.legs]
        why = f"legs of {event.imbalance.intent_id} do not match: missing {event.imbalance.words}"
        self._latch(keys, why, event.at)
        return True

    def _latch(self, names: Sequence[str], why: str, at: datetime) -> None:
        self._locks = self._locks.latched(names, why, at)
        self._changed(book=False)

    def _is_unknown_account(self, account: str) -> bool:
        """The broker names another account than ours; no name is no other."""
        return bool(account) and bool(self._own_account) and account != self._own_account

    def _lock_foreign(self, fill: Fill, at: datetime) -> None:
        """A fill that is not ours: the operator's condors are booked, a sleeve contract is locked."""
        if fill.instrument is not None and fill.instrument.trading_class not in CONDOR_CLASSES:
            self._latch((fill.instrument.key,), f"foreign fill {fill.exec_id}", at)

    def commission(self, event: CommissionReported) -> None:
        """The broker reported what an execution cost."""
        if self._commissions.get(event.exec_id) == event.commission_usd:
            return
        self._commissions[event.exec_id] = event.commission_usd
        self._changed(book=True)

    def count_from(self, counted: Counted) -> None:
        """Have the day's executions counted from these moments on."""
        self._counted = counted
        self._changed(book=False)

    def take_account(self, values: AccountValues) -> None:
        """The broker reported the account's values."""
        self._account = values
        self._changed(book=False)

    # the broker's books

    def reconcile(self, event: BooksReconciled) -> None:
        """Take over what a comparison with the broker's books has found and settled."""
        for fill in event.fills:
            self._book_missed(fill, event.at)
        self._commissions.update(event.commissions)
        for order in event.orders:
            self._orders[order.intent.intent_id] = order
        self._start = positions_before(self._agreed(event), self._executions.counting.values())
        self._found_on = first_seen(self._found_on, self._start, trade_date(event.at))
        self._account = event.account
        self._locks = self._locks.compared(event.differences, event.at)
        self._adopted = True
        self._changed(book=True)

    def restore(self, event: Restored) -> None:
        """Begin with what the journal remembers."""
        self._start, self._found_on = event.positions or (), event.found_on
        self._adopted = event.positions is not None
        self._executions = ExecutionSet(event.fills)
        self._commissions = dict(event.commissions)
        self._orders = {order.intent.intent_id: order for order in event.orders}
        self._locks = event.locks
        self._changed(book=True)

    def _book_missed(self, fill: Fill, at: datetime) -> None:
        """An execution that only the broker's books showed; it may be the late fill of an order that had ended."""
        taken = self._executions.take(fill)
        if taken is None or not taken.counts:
            return
        order = self.order(fill.order_ref)
        if order is None and self._adopted:
            self._lock_foreign(fill, at)  # what was traded before the first comparison is adopted with the positions
        elif order is not None and fill.part is not FillPart.LEG:
            self._fill_order(order, taken)

    def _agreed(self, event: BooksReconciled) -> tuple[Position, ...]:
        """The broker's positions, but ours where they differ unexplained: such a lock ends when the books agree."""
        agreed = [position for position in event.positions if position.instrument.key not in event.differences]
        ours = positions_after(self._start, self._executions.counting.values())
        return (*agreed, *(ours[InstrumentKey(key)] for key in event.differences if key in ours))

    def _rolls(self) -> Iterator[Order]:
        return (order for order in self._orders.values() if order.intent.purpose is Purpose.WING_ROLL)

    def _condor_executions(self) -> Executions:
        """Ours and others', with the legs that our wing rolls are still owed: a roll never looks half done."""
        by_order = fills_by_order(self._executions.counting.values())
        owed = [
            fill
            for order in self._rolls()
            if order.intent.intent_id in by_order
            for fill in legs_owed(order.intent, by_order[order.intent.intent_id])
        ]
        return Executions(
            fills=(*self._executions.counting.values(), *owed),
            commissions_usd=self._commissions,
            fees=self._fees,
            before=self._start,
        )

    def _live_at(self, now: datetime) -> dict[InstrumentKey, Position]:
        """What is held and has not settled: cash is all that is left of the rest, and the account shows it."""
        if self._held is None:
            self._held = positions_after(self._start, self._executions.counting.values())
        return {key: held for key, held in self._held.items() if not has_settled(held.instrument, now)}

    def _built(self, now: datetime, base_usd_per_point: float | None, positions: dict[InstrumentKey, Position]) -> Book:
        today, fills = trade_date(now), self._executions.counting.values()
        executions = self._condor_executions()
        whole = positions_after(self._start, executions.fills).values()
        condors = recognise_condors(one for one in whole if not has_settled(one.instrument, now))
        cohorts = cohorts_of(condors.condors, self._stated_credits, executions, today)
        found = () if self._sleeve is None else self._sleeve.lots(self._start, cohorts, today, self._found_on)
        lots = lots_of(self._orders.values(), fills, self._commissions, self._fees, found)
        return Book(
            version=self.version,
            positions=MappingProxyType(positions),
            condors=condors.condors,
            cohorts=cohorts,
            past_cohorts=past_cohorts_of(self._stated_credits, now),
            unmatched=condors.unmatched,
            lots=lots,
            orders=MappingProxyType({key: order for key, order in self._orders.items() if order.may_fill}),
            orders_sent_today=sum(
                1 for o in self._orders.values() if o.sent_at is not None and trade_date(o.sent_at) == today
            ),
            account=self._account,
            locks=self._locks.words,
            frozen_base_usd_per_point=base_usd_per_point,
            changes=changes_of(self._orders.values(), fills, self._commissions, self._fees),
            executed=executed_on(today, self._orders.values(), fills, self._counted),
            last_roll_at=max((order.prepared_at for order in self._rolls()), default=None),
        )
