"""The main flow: written before sent, one decision at a time, and every reason for which an order does not leave."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from bot.domain.decision import Approved, Checked, Rule
from bot.domain.errors import ConnectivityError, JournalError
from bot.domain.events import (
    CommissionReported,
    DataFeedChanged,
    FillReported,
    LinkLost,
    ModeDemanded,
    OrderDoubted,
    OrderDropped,
    OrderReported,
    SessionOpened,
    TimerElapsed,
)
from bot.domain.instrument import SPX
from bot.domain.market import Tick
from bot.domain.mode import DemandSource, TradingMode
from bot.domain.orders import BrokerStatus, Cancelled, OrderIntent, Prepared, Purpose, Sent, Unknown
from bot.domain.plan import HedgePlan
from bot.hedging.stewardship.settings import Autonomy, StewardSettings
from bot.hedging.stewardship.steward import Steward
from risk.scene import Scene
from tests.bot.engine_parts import CALL, AtMost, Rig, a_fill, books_agree, filled, order_in
from tests.builders import FEES, NOON, a_plan, a_session, an_intent, mirrored, ns, spread_legs
from tests.fakes import a_row

TIMER = TimerElapsed(at=NOON)
LEG = spread_legs()[0].instrument


async def waiting(rig: Rig) -> asyncio.Task[None]:
    """A decision for one order that waits for its commit."""
    await rig.ready()
    rig.planner.wants = 1
    rig.engine.receive(TIMER)
    rig.journal.hold()
    work = asyncio.ensure_future(rig.engine.work())
    await rig.journal.waiting.wait()
    return work


async def test_nothing_leaves_before_the_commit_returned() -> None:
    """The decision waits for the disk; then the frame leaves, and both are in the journal in that order."""
    rig = Rig()
    work = await waiting(rig)
    assert rig.sent() == []
    rig.journal.let_go()
    await work
    assert len(rig.sent()) == 1
    assert [kind for kind in rig.journal.kinds() if kind.startswith("order_")] == ["order_prepared", "order_sent"]
    assert order_in(rig.state, rig.sent()[0]).state == Sent()


async def test_a_failed_commit_sends_nothing_and_loses_no_row() -> None:
    """The journal cannot be written: the error ends the work; a later commit holds it first."""
    rig = await Rig().ready()
    rig.planner.wants = 1
    rig.engine.receive(TIMER)
    rig.journal.failure = JournalError("disk full")
    with pytest.raises(JournalError):
        await rig.engine.work()
    assert rig.sent() == []
    rig.journal.failure = None
    rig.engine.shut("stopping")
    await rig.engine.work()
    assert rig.journal.kinds()[-3:] == ["hedge_planned", "order_prepared", "order_cancelled"]
    assert rig.journal.rows[-1].payload["why"] == "not sent: stopping"


async def test_while_a_decision_waits_events_are_applied_and_no_second_one_starts() -> None:
    """The book moves at once; planning goes on afterwards; a second call of `work` returns at once."""
    rig = Rig()
    work = await waiting(rig)
    asked = rig.planner.asked
    rig.engine.receive(filled(a_fill("e-1", "manual", instrument=CALL)))
    await rig.engine.work()
    assert (rig.state.snapshot(NOON).book.quantity(CALL.key), rig.planner.asked) == (1, asked)
    rig.journal.let_go()
    await work
    assert rig.planner.asked > asked


def _kill(rig: Rig) -> None:
    epoch = rig.latch.tighten(TradingMode.HALT, "kill")
    event = ModeDemanded(at=NOON, source=DemandSource.LATCH, mode=TradingMode.HALT, cause="kill", epoch=epoch)
    rig.engine.receive(event)


def _lose_the_link(rig: Rig) -> None:
    rig.engine.receive(LinkLost(at=NOON, why="cut"))


def _reduce(rig: Rig) -> None:
    rig.engine.receive(ModeDemanded(at=NOON, source=DemandSource.JOURNAL, mode=TradingMode.HALT, cause="test", epoch=0))


@pytest.mark.parametrize(
    ("meanwhile", "why"),
    [
        (_kill, "killed meanwhile"),
        (_reduce, "mode HALT"),
        (_lose_the_link, "reconciling"),
        (lambda rig: setattr(rig.broker, "up", False), "transport closed"),
    ],
)
async def test_what_happens_during_the_commit_stops_the_order(meanwhile: Callable[[Rig], None], why: str) -> None:
    """The order is dropped with its reason, counts no longer, and its planning comes to rest."""
    rig = Rig()
    work = await waiting(rig)
    meanwhile(rig)
    rig.journal.let_go()
    await work
    assert rig.sent() == []
    assert rig.journal.of_kind("order_cancelled")[0]["why"] == f"not sent: {why}"
    assert rig.state.live_orders() == ()


async def test_a_kill_alone_at_the_latch_stops_the_order_and_its_planning_waits_for_the_event() -> None:
    """The guard thread has latched and the loop does not know yet: one drop, no spinning."""
    rig = Rig()
    work = await waiting(rig)
    rig.latch.tighten(TradingMode.HALT, "guard")
    rig.journal.let_go()
    await asyncio.wait_for(work, 5)
    assert (rig.sent(), len(rig.journal.of_kind("order_cancelled"))) == ([], 1)


def _fill_elsewhere(rig: Rig) -> None:
    rig.engine.receive(filled(a_fill("e-1", "manual", instrument=CALL)))


def _outlive_the_verdict(rig: Rig) -> None:
    rig.clock.pass_s(5.1)


@pytest.mark.parametrize(
    ("meanwhile", "why"), [(_fill_elsewhere, "book moved"), (_outlive_the_verdict, "verdict expired")]
)
async def test_a_stale_verdict_is_dropped_and_planned_again(meanwhile: Callable[[Rig], None], why: str) -> None:
    """The first order is dropped, a fresh one with another id leaves for the book as it is now."""
    rig = Rig()
    work = await waiting(rig)
    meanwhile(rig)
    rig.journal.let_go()
    await work
    (dropped,) = rig.journal.of_kind("order_cancelled")
    assert str(dropped["why"]).startswith(f"not sent: {why}")
    assert len(rig.sent()) == 1
    assert dropped["intent_id"] not in rig.sent()


async def test_a_locked_leg_is_refused_at_the_release() -> None:
    """A lock without another change of the book still stops the order."""
    rig = await Rig().ready()
    rig.planner.wants = 1
    rig.engine.receive(TIMER)
    await rig.engine.work()
    approved = rig.broker.submitted[0]
    rig.engine.receive(filled(a_fill("e-9", "manual", instrument=LEG)))
    standing = rig.state.standing()
    assert LEG.key in standing.locks
    released = rig.execution.release(approved, replace(standing, book_version=approved.book_version))
    assert isinstance(released, OrderDropped)
    assert released.why == "locked meanwhile"


async def test_a_dry_run_sends_nothing_and_comes_to_rest() -> None:
    """Its decision is written once, its repetition not at all."""
    rig = await Rig(dry_run=True).ready()
    rig.planner.wants = 1
    for _ in range(3):
        rig.engine.receive(TIMER)
        await asyncio.wait_for(rig.engine.work(), 5)
    assert (rig.sent(), rig.broker.cancelled) == ([], [])
    assert (rig.journal.kinds().count("order_prepared"), rig.journal.kinds().count("order_cancelled")) == (1, 1)


async def test_an_order_too_large_is_asked_again_in_the_largest_size() -> None:
    """The gate says how much would pass; that much leaves, as a new intent."""
    rig = await Rig(checks=[AtMost(2)]).ready()
    rig.planner.wants, rig.planner.quantity = 1, 5
    rig.engine.receive(TIMER)
    await rig.engine.work()
    assert [approved.intent.quantity for approved in rig.broker.submitted] == [2]


async def test_identical_holds_are_written_once() -> None:
    """A plan that holds for the same reason is no news; one with another action is."""
    rig = await Rig().ready()
    before = rig.journal.kinds().count("hedge_planned")
    for _ in range(4):
        rig.engine.receive(TIMER)
        await rig.engine.work()
    assert rig.journal.kinds().count("hedge_planned") == before
    rig.planner.wants = 1
    rig.engine.receive(TIMER)
    await rig.engine.work()
    assert rig.journal.kinds().count("hedge_planned") > before


@dataclass(frozen=True)
class NoBuilds:
    """A rule that refuses every purchase for the overlay."""

    rule: Rule = Rule.LOCKS

    def check(self, intent: OrderIntent, scene: Scene) -> Checked:  # noqa: ARG002 - every check has this signature
        """Judge the purpose alone."""
        return Checked.holds(rule=self.rule, passed=intent.purpose is not Purpose.OVERLAY_BUILD, found="", limit="")


def wish(reason: str, *intents: OrderIntent) -> HedgePlan:
    """A plan with a reason of its own."""
    return replace(a_plan(*intents), reason=reason)


async def test_a_question_that_is_asked_again_is_written_again() -> None:
    """Nobody answered yesterday and nothing was decided since: today's proposal is a row of its own, with its id."""
    rig = Rig(steward=Steward(StewardSettings(autonomy=Autonomy.APPROVE), FEES))
    rig.planner.wants = 1
    for _ in range(2):
        now = rig.clock.now()
        rig.engine.receive(SessionOpened(at=now, session=a_session(now.date()), baseline=()))
        rig.engine.receive(books_agree(at=now))
        await rig.engine.work()
        rig.clock.pass_s(86_400)
    asked = [row["proposal"].proposal_id for row in rig.journal.of_kind("proposal_made")]
    assert len(set(asked)) == 2
    assert asked[-1] == rig.state.proposals.last[-1].proposal_id


async def test_a_wish_that_the_gate_refuses_hides_no_later_one() -> None:
    """The first is refused, the second holds, the third goes out: its plan is the decision's."""
    rig = await Rig(checks=[NoBuilds()]).ready()
    leaving = an_intent(mirrored(spread_legs()), purpose=Purpose.BASE_EXIT)
    rig.planner.wishes = (wish("refused", an_intent()), wish("holds"), wish("leaves", leaving))
    rig.engine.receive(TIMER)
    await rig.engine.work()
    assert "leaves" in [row["reason"] for row in rig.journal.of_kind("hedge_planned")]
    assert [approved.intent.purpose for approved in rig.broker.submitted] == [Purpose.BASE_EXIT]


async def test_a_refused_wish_is_on_record_where_nothing_else_can_be_done() -> None:
    """Of two refused plans the first is written down, with its verdict."""
    rig = await Rig(checks=[NoBuilds()]).ready()
    rig.planner.wishes = (wish("first", an_intent()), wish("holds"), wish("second", an_intent()))
    rig.engine.receive(TIMER)
    await rig.engine.work()
    assert rig.journal.of_kind("hedge_planned")[-1]["reason"] == "first"
    assert (len(rig.journal.of_kind("order_refused")), rig.sent()) == (1, [])


async def test_what_holds_further_wishes_is_written_with_the_first_and_once() -> None:
    """The first plan's record names the reasons of the others; another reason is news, the same again is none."""
    rig = await Rig().ready()
    before = len(rig.journal.of_kind("hedge_planned"))
    for reason in ("no contract", "no contract", "no session"):
        rig.planner.wishes = (wish("calm"), wish(reason))
        rig.engine.receive(TIMER)
        await rig.engine.work()
    told = [(row["reason"], row["besides"]) for row in rig.journal.of_kind("hedge_planned")[before:]]
    assert told == [("calm", ("no contract",)), ("calm", ("no session",))]


async def test_a_quiet_tick_makes_no_row_and_no_plan() -> None:
    """Ticks that change nothing end in the tracker."""
    rig = await Rig().ready()
    asked, rows = rig.planner.asked, len(rig.journal.rows)
    assert not rig.engine.receive(Tick(SPX.key, 6800.0, ns(NOON)))
    await rig.engine.work()
    assert (rig.planner.asked, len(rig.journal.rows)) == (asked, rows)


async def test_replays_are_not_written_again() -> None:
    """After a reconnect the broker repeats executions, commissions and states: the journal holds each once."""
    rig = await Rig().ready()
    rig.planner.wants = 1
    rig.engine.receive(TIMER)
    await rig.engine.work()
    ref = rig.sent()[0]
    fill = FillReported(at=NOON, fill=a_fill("e-1", ref, instrument=LEG))
    fee = CommissionReported(at=NOON, exec_id="e-1", commission_usd=books_agree().account.cash_usd)
    doubt = OrderDoubted(at=NOON, order_ref=ref, code=10148, text="filled")
    report = OrderReported(at=NOON, report=a_row(ref, BrokerStatus.FILLED))
    rig.planner.wants = 0
    for _ in range(3):
        for event in (fill, fee, doubt, report):
            rig.engine.receive(event)
        await rig.engine.work()
    kinds = rig.journal.kinds()
    assert [
        kinds.count(kind) for kind in ("order_filled", "order_completed", "commission_booked", "order_doubted")
    ] == [
        1,
        1,
        1,
        0,
    ]


async def test_answers_within_the_call_are_applied_after_the_order_counts_as_sent() -> None:
    """A broker in the same process answers before `submit` returns: the journal still says sent first."""
    rig = await Rig().ready()
    rig.broker.on_submit = lambda approved: rig.broker.tell(
        OrderReported(at=NOON, report=a_row(approved.intent.intent_id))
    )
    rig.planner.wants = 1
    rig.engine.receive(TIMER)
    await rig.engine.work()
    orders = [kind for kind in rig.journal.kinds() if kind.startswith("order_")]
    assert orders == ["order_prepared", "order_sent", "order_acknowledged"]


async def test_a_broker_that_fails_inside_the_release_leaves_no_event_behind() -> None:
    """A surprise in `submit` ends the work; what arrives later is applied all the same."""
    rig = await Rig().ready()

    def explode(_approved: Approved) -> None:
        raise RuntimeError("surprise")

    rig.broker.on_submit = explode
    rig.planner.wants = 1
    rig.engine.receive(TIMER)
    with pytest.raises(RuntimeError):
        await rig.engine.work()
    rig.engine.receive(DataFeedChanged(at=NOON, usable=False, why="test"))
    assert rig.state.mode is TradingMode.REDUCE_ONLY


async def test_a_transport_that_breaks_in_the_write_leaves_doubt() -> None:
    """Nothing is known to have left, and nothing is known not to have: UNKNOWN, and no second order."""
    rig = await Rig().ready()
    rig.broker.refusal = ConnectivityError("closing")
    rig.planner.wants = 1
    rig.engine.receive(TIMER)
    await rig.engine.work()
    (order,) = rig.state.live_orders()
    assert order.state == Unknown(why="code 0: closing")
    assert rig.journal.kinds().count("order_prepared") == 1


async def test_a_shut_engine_writes_but_decides_and_sends_nothing() -> None:
    """What was prepared and has not left never does, also when its commit returns afterwards."""
    rig = Rig()
    work = await waiting(rig)
    (order,) = rig.state.live_orders()
    assert order.state == Prepared()
    rig.engine.shut("stopping")
    rig.engine.receive(TIMER)
    asked = rig.planner.asked
    rig.journal.let_go()
    await work
    assert (rig.sent(), rig.planner.asked) == ([], asked)
    assert order_in(rig.state, order.intent.intent_id).state == Cancelled(reason="not sent: stopping")
    assert "order_cancelled" in rig.journal.kinds()


async def test_cancels_name_every_live_order_whose_id_is_known_and_no_prepared_one() -> None:
    """A prepared order is stopped at its release; no frame is spent on it."""
    rig = Rig()
    work = await waiting(rig)
    assert rig.engine.cancel_own() == ()
    rig.journal.let_go()
    await work
    ref = rig.sent()[0]
    assert rig.engine.cancel_own() == ()  # its id is not known yet
    rig.engine.receive(OrderReported(at=NOON, report=a_row(ref)))
    assert rig.engine.cancel_own() == (ref,)
    assert rig.broker.cancelled == [ref]


async def test_overdue_orders_are_cancelled_and_unanswered_ones_doubted() -> None:
    """Ten seconds without an answer is a doubt; after a minute the order is cancelled, once in a minute."""
    rig = await Rig().ready()
    rig.planner.wants = 1
    rig.engine.receive(TIMER)
    await rig.engine.work()
    ref = rig.sent()[0]
    rig.clock.pass_s(9.9)
    assert rig.engine.tend_orders() == ()
    rig.clock.pass_s(0.1)
    (doubted,) = rig.engine.tend_orders()
    assert doubted.state == Unknown(why="code 0: no answer in time")
    rig.engine.receive(OrderReported(at=NOON, report=a_row(ref)))
    for passed, cancels in ((49.9, 0), (0.1, 1), (30, 1), (30, 2)):
        rig.clock.pass_s(passed)
        rig.engine.tend_orders()
        assert len(rig.broker.cancelled) == cancels
