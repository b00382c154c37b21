"""An engine for tests: real state, gate and execution, a planner that wants what the test says."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from bot.app.announced import AnnouncedJournal
from bot.domain.decision import Checked, Rule
from bot.domain.events import BooksReconciled, FillReported, Restored
from bot.domain.instrument import Instrument, Side
from bot.domain.orders import DecisionId, Fill, FillPart, IntentId, Order, OrderIntent, OrderState, Unknown
from bot.domain.plan import HedgePlan, PlanAction
from bot.domain.portfolio import Position
from bot.domain.readings import Signal
from bot.domain.snapshot import Snapshot
from bot.engine import Engine, Policy
from bot.execution import Execution
from bot.hedging.planning import NewId, Planner
from bot.hedging.settings import HedgeSettings
from bot.hedging.stewardship.steward import Steward
from bot.signals.dispersion import DispersionTracker
from bot.signals.evidence.settings import EvidenceSettings
from bot.signals.settings import DispersionSettings
from bot.state import BotState
from risk.checks.standing import Locks, ModeAllows, Reconciled
from risk.gate import Gate
from risk.limits import RiskLimits
from risk.scene import Check, Scene
from tests.builders import ACCOUNT, FEES, NOON, a_plan, an_account, an_intent, vix_call
from tests.fakes import FakeBroker, FakeClock, FakeIds, FakeLatch, ListJournal

CALL = vix_call(20)


@dataclass(frozen=True)
class AtMost:
    """A rule that a smaller order can pass."""

    quantity: int
    rule: Rule = Rule.ORDER_SIZE

    def check(self, intent: OrderIntent, scene: Scene) -> Checked:  # noqa: ARG002 - every check has this signature
        """Compare the size alone."""
        return Checked.at_most(
            rule=self.rule, found=Decimal(intent.quantity), limit=Decimal(self.quantity), size_can_cure=True
        )


class ScriptedPlanner(Planner):
    """Wants a number of orders, until told otherwise; holds while one is under way, as the real one does."""

    def __init__(self) -> None:
        """Want nothing."""
        super().__init__(HedgeSettings(), FEES)
        self.wants = 0
        self.quantity = 1
        self.base = 100.0
        self.asked = 0
        self.wishes: tuple[HedgePlan, ...] = ()

    def plans(self, snapshot: Snapshot, signal: Signal, decision_id: DecisionId, new_id: NewId) -> Iterator[HedgePlan]:
        """Plan what the test wants, once, or yield its wishes, with fresh ids for their orders."""
        del signal
        self.asked += 1
        for wish in self.wishes:
            fresh = () if snapshot.book.orders else wish.intents
            orders = [replace(one, intent_id=IntentId(new_id()), decision_id=decision_id) for one in fresh]
            yield replace(wish, decision_id=decision_id, intents=tuple(orders))
        if self.wishes:
            return
        free = self.wants if not snapshot.book.orders else 0
        intents = [
            replace(an_intent(quantity=self.quantity, intent_id=new_id()), decision_id=decision_id) for _ in range(free)
        ]
        action = PlanAction.INCREASE if intents else PlanAction.HOLD
        yield replace(a_plan(*intents, action=action), decision_id=decision_id, base_usd_per_point=self.base)


class FreeHand(Steward):
    """Lets everything through: pacing and proposals have tests of their own."""

    def __init__(self) -> None:
        """Need nothing."""

    def permit(self, plan: HedgePlan, snapshot: Snapshot) -> HedgePlan:
        """Return the plan as it is."""
        del snapshot
        return plan


class Rig:
    """One engine with all its fakes in reach."""

    def __init__(
        self,
        *,
        dry_run: bool = False,
        clock: Any = None,
        checks: Sequence[Check] = (),
        steward: Steward | None = None,
    ) -> None:
        """Join the parts; nothing is reconciled yet."""
        self.clock = clock or FakeClock()
        self.broker = FakeBroker(self.clock)
        self.latch = FakeLatch()
        self.journal = ListJournal()
        self.announced = AnnouncedJournal(self.journal, ())
        self.planner = ScriptedPlanner()
        self.state = BotState(tracker=DispersionTracker(DispersionSettings()), account=ACCOUNT)
        gate = Gate(
            RiskLimits(accounts=frozenset({ACCOUNT})), FEES, checks=(*checks, Locks(), Reconciled(), ModeAllows())
        )
        self.execution = Execution(
            broker=self.broker,
            clock=self.clock,
            latch=self.latch,
            order_life_s=60,
            ack_timeout_s=10,
            dry_run=dry_run,
        )
        self.engine = Engine(
            state=self.state,
            policy=Policy(
                evidence=EvidenceSettings(),
                planner=self.planner,
                steward=FreeHand() if steward is None else steward,
                gate=gate,
            ),
            execution=self.execution,
            journal=self.announced,
            clock=self.clock,
            ids=FakeIds(),
        )
        self.broker.sink = self.engine.receive

    async def ready(self) -> "Rig":
        """Have the books agree and everything written."""
        self.engine.receive(books_agree())
        await self.engine.work()
        return self

    def sent(self) -> list[str]:
        """The ids of the orders whose frames left."""
        return [approved.intent.intent_id for approved in self.broker.submitted]


def books_agree(positions: Sequence[Position] = (), **changes: Any) -> BooksReconciled:
    """A comparison without a difference."""
    return BooksReconciled(
        **{"at": NOON, "positions": tuple(positions), "account": an_account(), "orders": (), **changes}
    )


def held(instrument: Instrument = CALL, quantity: int = 1) -> Position:
    """A position."""
    return Position(instrument=instrument, quantity=quantity)


def a_fill(
    exec_id: str = "e-1",
    ref: str = "i-1",
    *,
    instrument: Instrument | None = CALL,
    quantity: int = 1,
    side: Side = Side.BUY,
    part: FillPart = FillPart.WHOLE,
    at: datetime = NOON,
) -> Fill:
    """An execution of one call unless told otherwise."""
    return Fill(
        exec_id=exec_id,
        order_ref=ref,
        perm_id=1,
        account=ACCOUNT,
        part=part,
        instrument=None if part is FillPart.COMBO else instrument,
        side=side,
        quantity=quantity,
        price=Decimal("0.90"),
        at=at,
    )


def filled(fill: Fill) -> FillReported:
    """The report of an execution."""
    return FillReported(at=fill.at, fill=fill)


def a_state() -> BotState:
    """An empty state."""
    return BotState(tracker=DispersionTracker(DispersionSettings()), account=ACCOUNT)


def call_order(quantity: int = 3, state: OrderState | None = None, ref: str = "i-1", **changes: Any) -> Order:
    """An order for calls, in doubt unless told otherwise."""
    leg = an_intent((an_intent().legs[0],)).legs[0]
    intent = an_intent((replace(leg, instrument=CALL),), quantity=quantity, intent_id=ref)
    order = Order(intent=intent, state=state or Unknown(why="test"), prepared_at=NOON, broker_order_id=7)
    return replace(order, **changes)


def restored(*orders: Order, fills: Sequence[Fill] = (), positions: Sequence[Position] | None = ()) -> Restored:
    """What a journal remembers."""
    return Restored(
        at=NOON, orders=orders, fills=tuple(fills), positions=None if positions is None else tuple(positions)
    )


def with_orders(*orders: Order, positions: Sequence[Position] = ()) -> BotState:
    """A state with these orders, compared and at peace."""
    state = a_state()
    state.apply(restored(positions=positions))
    state.apply(books_agree(positions, orders=orders))
    return state


def order_in(state: BotState, ref: str = "i-1") -> Order:
    """One of our orders; it is there."""
    order = state.order(IntentId(ref))
    assert order is not None
    return order
