"""The main flow on one screen: an event changes the state; a change is planned, judged, written down, released.

What always holds: a decision is on disk before an order leaves; one decision at a time; while one is under way,
events are applied at once and what they ask for is planned next; a kill waits for nobody.
"""

from collections.abc import Awaitable, Iterable
from dataclasses import dataclass, replace

from bot.domain.decision import Approved, Refused, Verdict
from bot.domain.errors import InvariantError
from bot.domain.events import (
    DataFeedChanged,
    Decided,
    Event,
    ModeDemanded,
    OrderDoubted,
    OrderDropped,
    OrderReported,
    Released,
    TwinsFound,
)
from bot.domain.market import Quote, Tick
from bot.domain.mode import TradingMode
from bot.domain.orders import DecisionId, IntentId, Order, OrderIntent, Prepared
from bot.domain.overrides import Override
from bot.domain.plan import HedgePlan
from bot.domain.previews import MarginFigures, unasked_in
from bot.domain.readings import Signal
from bot.domain.snapshot import Snapshot
from bot.execution import Execution
from bot.hedging.planning import Planner
from bot.hedging.stewardship.steward import Steward
from bot.ports import Clock, Ids, Journal, JournalRow
from bot.records import expired_row, lock_rows, rows_of
from bot.signals.evidence.settings import EvidenceSettings
from bot.signals.reading import read_signal
from bot.state import BotState
from risk.gate import Gate
from risk.limits import RiskLimits
from risk.outstanding import Exposure
from risk.room import Room


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What turns a moment into verdicts, in this order: signal, wish, right to act, limits."""

    evidence: EvidenceSettings
    planner: Planner
    steward: Steward
    gate: Gate


class Engine:
    """Joins state, signal, plan, gate, journal and execution; knows no adapter and no simulator."""

    def __init__(
        self,
        *,
        state: BotState,
        policy: Policy,
        execution: Execution,
        journal: Journal,
        clock: Clock,
        ids: Ids,
    ) -> None:
        """Take the parts; nothing runs until an event arrives."""
        self.state = state
        self._apply = state.apply
        self._policy = policy
        self._execution = execution
        self._journal = journal
        self._clock = clock
        self._ids = ids
        self._unwritten: list[JournalRow] = []
        self._working = False
        self._shut = False
        self._held: list[Event] | None = None  # what arrives while an order is being written
        self._trigger = ""
        self._last_fingerprint: tuple[object, ...] = ()
        self.last_plan: HedgePlan | None = None
        self.unasked: OrderIntent | None = None  # by the last decision it lacks the broker's word on its margin alone

    def receive(self, event: Event) -> bool:
        """Apply one event at once; True when there is something to write or to decide: then `work` is due.

        Only what a broker in the same process answers before `submit` has returned waits until the orders are SENT.
        """
        if self._held is None:
            if event.__class__ is not Tick:  # ticks are the hot path: one call, and usually nothing more
                return self._take(event)
            if self._apply(event):
                self._trigger = "signal_changed"
                return True
            return False
        self._held.append(event)
        return False

    def _take(self, event: Event) -> bool:
        if isinstance(event, Tick | Quote):
            due = self.state.apply(event)
            if due:
                self._trigger = "signal_changed"
            return due
        if isinstance(event, OrderReported):
            event = self.state.twins_in(event) or event
        is_known, locks, override = self.state.is_booked(event), self.state.locks, self.state.waivers.override
        due = self.state.apply(event)
        if isinstance(event, ModeDemanded | DataFeedChanged):
            self._cancel_what_adds()
        elif isinstance(event, TwinsFound):
            self._cancel_twins(event)
        is_silent = is_known or (not due and isinstance(event, OrderReported | OrderDoubted))
        rows = () if is_silent else rows_of(event, self._order_of(event))
        if override is not None and self.state.waivers.override is None:
            rows = (*rows, expired_row(override, event.at, override.objection(event.at, self.state.ground)))
        if self.state.locks is not locks:
            rows += lock_rows(locks, self.state.locks, event, self._clock.now())
        self._unwritten += rows
        if due:
            self._trigger = rows[0].kind if rows else _snake(event)
        return due or bool(rows)

    async def work(self) -> None:
        """Write what happened and decide what is due, until nothing is left; a second call returns at once."""
        if self._working:
            return
        self._working = True
        try:
            while self._unwritten or self._must_decide:
                await self._write()
                if self._must_decide:
                    await self._decide(self._trigger)
        finally:
            self._working = False

    @property
    def _must_decide(self) -> bool:
        return self.state.plan_is_due and not self._shut

    def shut(self, why: str) -> None:
        """Decide and send nothing more, for good; events are applied and written, cancels leave as before.

        What was prepared and has not left never will.
        """
        self._shut = True
        for order in self.state.live_orders():
            if isinstance(order.state, Prepared):
                self._take(OrderDropped(at=self._clock.now(), intent_id=order.intent.intent_id, why=why))

    async def _decide(self, trigger: str) -> None:
        """Carry one change through the whole flow; the decision is written before anything leaves."""
        now = self._clock.now()
        decision_id = DecisionId(self._ids.new_id())
        self.unasked = None
        snapshot = self.state.snapshot(now)
        signal = read_signal(snapshot, self._policy.evidence)
        plan, verdicts = self._choose(snapshot, signal, decision_id)
        decided = Decided(
            at=now,
            decision_id=decision_id,
            trigger=trigger,
            signal=signal,
            plan=plan,
            verdicts=verdicts,
            override=self._used_override(snapshot),
        )
        self.state.apply(decided)  # reserves; deciding until Released
        self.last_plan = plan
        is_news = self._is_news(decided)
        if is_news:
            self._unwritten += rows_of(decided, None)
            await self._write()
        self._release(verdicts, written=is_news)
        self.state.apply(Released(at=now, decision_id=decision_id))  # what waited is planned next

    def _used_override(self, snapshot: Snapshot) -> Override | None:
        """The override that a decision used up; one whose order waits for the broker's what-if waits with it."""
        return snapshot.override if self.unasked is None else None

    def _choose(
        self, snapshot: Snapshot, signal: Signal, decision_id: DecisionId
    ) -> tuple[HedgePlan, tuple[Verdict, ...]]:
        """Return the first plan of which something may be done now, with what the gate says of it.

        Where none may, it is the first that the gate refused whole, else the overlay's with what holds each of them.
        An order that a person has signed for is judged instead, alone and in its size. While an order waits for the
        broker's what-if nobody is asked about another: a new proposal would take the place of the one that allowed it.
        """
        if snapshot.override is not None:
            again = snapshot.override.plan(decision_id)
            verdicts = self._policy.gate.review(again, snapshot)
            self.unasked = unasked_in(verdicts)
            return again, verdicts
        refused: tuple[HedgePlan, tuple[Verdict, ...]] | None = None
        holding: HedgePlan | None = None
        for wish in self._policy.planner.plans(snapshot, signal, decision_id, self._ids.new_id):
            permitted = self._policy.steward.permit(wish, snapshot)
            if not permitted.asks_for_something:
                holding = permitted if holding is None else holding.beside(permitted)
                continue
            plan, verdicts = self._judge(permitted, snapshot)
            may_ask = plan.proposal is not None and self.unasked is None
            if may_ask or any(isinstance(verdict, Approved) for verdict in verdicts):
                return plan, verdicts
            refused = refused or (plan, verdicts)
        if refused is not None:
            return refused
        if holding is None:
            raise InvariantError("the planner yielded no plan at all")
        return holding, ()

    def _release(self, verdicts: Iterable[Verdict], *, written: bool) -> None:
        """Send what was approved; the answers are applied after all of it counts as sent.

        Orders that were not written down, in a dry run that repeats itself, leave no rows either.
        """
        if self._shut:
            return
        answers: list[Event] = []
        self._held = answers
        try:
            for verdict in verdicts:
                if isinstance(verdict, Approved):
                    outcome = self._execution.release(verdict, self.state.standing())
                    if written:
                        self._take(outcome)
                    else:
                        self.state.apply(outcome)
        finally:
            self._held = None
        for event in answers:
            self.receive(event)

    def _judge(self, plan: HedgePlan, snapshot: Snapshot) -> tuple[HedgePlan, tuple[Verdict, ...]]:
        """Ask the gate; where only the size is wrong, ask once more with the largest size that passes."""
        verdicts = self._policy.gate.review(plan, snapshot)
        smaller = [v for v in verdicts if isinstance(v, Refused) and v.largest_quantity > 0]
        if smaller:
            plan = self._policy.planner.resized(plan, smaller, self._ids.new_id)
            verdicts = self._policy.gate.review(plan, snapshot)
        self.unasked = self.unasked or unasked_in(verdicts)
        return plan, verdicts

    def preview(self, intent: OrderIntent) -> Awaitable[MarginFigures] | None:
        """Ask the broker what an order would bind; see `Execution.preview`."""
        return self._execution.preview(intent, self.state.standing())

    def _is_news(self, decided: Decided) -> bool:
        """A plan that holds, or is refused just as the last one was, is not written again; a question always is."""
        approved = any(isinstance(verdict, Approved) for verdict in decided.verdicts)
        fingerprint = (
            decided.plan.action,
            decided.signal.state,
            None if decided.signal.conviction is None else decided.signal.conviction.stance,
            decided.plan.reason,
            decided.plan.besides,
            tuple(
                (
                    verdict.intent.purpose,
                    verdict.intent.quantity,
                    tuple(leg.instrument.key for leg in verdict.intent.legs),
                )
                for verdict in decided.verdicts
            ),
            tuple(c.rule for v in decided.verdicts if isinstance(v, Refused) for c in v.reasons),
        )
        is_singular = decided.override is not None or decided.plan.proposal is not None
        repeats = fingerprint == self._last_fingerprint and not is_singular
        known = repeats and (not approved or self._execution.dry_run)
        self._last_fingerprint = fingerprint
        return not known

    async def _write(self) -> None:
        """Commit what waits to be written, in the order in which it happened."""
        rows, self._unwritten = self._unwritten, []
        if not rows:
            return
        try:
            await self._journal.commit(rows)
        except BaseException:
            self._unwritten = rows + self._unwritten  # perhaps twice in the journal, never missing before later rows
            raise

    @property
    def limits(self) -> RiskLimits:
        """The limits in force: the gate's own, which everybody reads here."""
        return self._policy.gate.limits

    def take_limits(self, limits: RiskLimits) -> None:
        """Put limits in force; the event that tells of it follows at once, so that nothing leaves by the old ones."""
        self._policy.gate.take(limits)

    def rooms(self) -> tuple[tuple[Room, ...], tuple[Exposure, ...]]:
        """Return every limit of the gate with its use and headroom now, and the outstanding exposure."""
        return self._policy.gate.rooms(self.state.snapshot(self._clock.now()))

    def note(self, rows: Iterable[JournalRow]) -> None:
        """Add rows of the shell (start, commands, samples) to what is written next."""
        self._unwritten += rows

    # orders that need attention -------------------------------------------------------------------------------

    def tend_orders(self) -> tuple[Order, ...]:
        """Cancel overdue orders, doubt unanswered ones; return those that only a reconciliation can settle."""
        now = self._clock.now()
        live = self.state.live_orders()
        for order in self._execution.unanswered(live, now):
            doubt = OrderDoubted(at=now, order_ref=order.intent.intent_id, code=0, text="no answer in time")
            self.receive(doubt)
        for order in self._execution.overdue(live, now):
            self.cancel(order)
        self._cancel_what_adds()
        return self._execution.in_doubt(self.state.live_orders())

    def _cancel_what_adds(self) -> None:
        """REDUCE_ONLY: what works and would not be let through now is cancelled, once."""
        if self.state.mode is not TradingMode.REDUCE_ONLY:
            return
        for intent_id in self._policy.gate.adding(self.state.snapshot(self._clock.now())):
            order = self.state.order(intent_id)
            if order is not None and order.cancel_requested_at is None:
                self.cancel(order)

    def _cancel_twins(self, event: TwinsFound) -> None:
        """Of two live orders of one intent none was wanted twice: both are cancelled, each by its own id."""
        order = self.state.order(event.intent_id)
        if order is not None:
            for order_id in event.order_ids:
                self.cancel(replace(order, broker_order_id=order_id))

    def cancel(self, order: Order) -> bool:
        """Write a cancel for one own order; True when a frame left."""
        sent = self._execution.cancel(order)
        if sent is not None:
            self.receive(sent)
        return sent is not None

    def cancel_own(self) -> tuple[IntentId, ...]:
        """Cancel every own order that may fill, opening orders first; returns the ids whose cancel frame left."""
        live = sorted(self.state.live_orders(), key=lambda order: (order.intent.purpose, order.prepared_at))
        return tuple(order.intent.intent_id for order in live if self.cancel(order))

    def cancel_everything(self) -> bool:
        """Have the gateway cancel everybody's orders; True when the frame left. Only a person commands it."""
        return self._execution.cancel_everything()

    def cancel_rest(self) -> None:
        """Cancel every own order for which no cancel has left yet: its id was not known, or the link was down."""
        for order in self.state.live_orders():
            if order.cancel_requested_at is None:
                self.cancel(order)

    def _order_of(self, event: Event) -> Order | None:
        """Our order that an event names, if it names one."""
        match event:
            case _ if hasattr(event, "intent_id"):
                return self.state.order(event.intent_id)
            case OrderDoubted():
                return self.state.order(event.order_ref)
        report = getattr(event, "report", None) or getattr(event, "fill", None)
        return None if report is None else self.state.order(report.order_ref)


def _snake(event: Event) -> str:
    """The event's class as a past-tense name: TimerElapsed -> timer_elapsed."""
    name = type(event).__name__
    return "".join("_" + letter.lower() if letter.isupper() else letter for letter in name).lstrip("_")
