"""The last check, the write, the cancels and the deadlines of orders."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from bot.domain.decision import Approved
from bot.domain.errors import ConnectivityError, InvalidValueError
from bot.domain.events import CancelSent, OrderDoubted, OrderDropped, OrderSent, TimerElapsed
from bot.domain.mode import TradingMode
from bot.domain.orders import Cancelled, OrderState, Prepared, Sent, Unknown, Working
from bot.domain.previews import MarginFigures
from bot.domain.snapshot import Standing
from bot.execution import Execution
from tests.bot.engine_parts import Rig, call_order
from tests.builders import NOON, spread_legs

LEG = spread_legs()[0].instrument
FIGURES = MarginFigures(initial_change_usd=Decimal(900), maintenance_change_usd=Decimal(800))


async def an_approval() -> tuple[Rig, Approved]:
    """An approval by a real gate, and a fresh execution beside it."""
    rig = await Rig().ready()
    rig.planner.wants = 1
    rig.engine.receive(TimerElapsed(at=NOON))
    await rig.engine.work()
    approved = rig.broker.submitted.pop()
    return rig, approved


def at_peace(approved: Approved, **changes: Any) -> Standing:
    """The standing for which an approval was given."""
    standing = Standing(book_version=approved.book_version, mode=TradingMode.NORMAL, reconciling=False, locks={})
    return replace(standing, **changes)


@pytest.mark.parametrize(
    ("changes", "why", "plan_again"),
    [
        ({"mode": TradingMode.HALT}, "mode HALT", True),
        ({"reconciling": True}, "reconciling", True),
        ({"book_version": 99}, "book moved from 1 to 99", True),
        ({"locks": {"account": "x"}}, "locked meanwhile", True),
        ({"locks": {LEG.key: "x"}}, "locked meanwhile", True),
    ],
)
async def test_each_change_of_standing_is_an_objection(changes: dict[str, Any], why: str, *, plan_again: bool) -> None:
    """The order is dropped with its reason, and nothing is written."""
    rig, approved = await an_approval()
    outcome = rig.execution.release(approved, at_peace(approved, **changes))
    assert outcome == OrderDropped(at=NOON, intent_id=approved.intent.intent_id, why=why, plan_again=plan_again)
    assert rig.broker.submitted == []


async def test_a_lock_elsewhere_and_reduce_only_are_no_objection() -> None:
    """The gate has judged REDUCE_ONLY; a lock concerns its own contract."""
    rig, approved = await an_approval()
    standing = at_peace(approved, locks={"OPT:OTHER": "x"}, mode=TradingMode.REDUCE_ONLY)
    assert rig.execution.release(approved, standing) == OrderSent(at=NOON, intent_id=approved.intent.intent_id)


async def test_the_latch_outranks_what_the_engine_knows() -> None:
    """HALT at the latch and any newer epoch drop the order, whatever the engine's mode says."""
    for mode, epoch in ((TradingMode.HALT, 0), (TradingMode.NORMAL, 1)):
        rig, approved = await an_approval()
        rig.latch.mode, rig.latch.epoch = mode, epoch
        outcome = rig.execution.release(approved, at_peace(approved))
        assert isinstance(outcome, OrderDropped)
        assert (outcome.why, outcome.plan_again) == ("killed meanwhile", False)


async def test_a_verdict_is_valid_to_its_last_moment() -> None:
    """At ``valid_until`` it still holds, a microsecond later it does not."""
    rig, approved = await an_approval()
    rig.clock.at = approved.valid_until
    assert isinstance(rig.execution.release(approved, at_peace(approved)), OrderSent)
    rig.clock.pass_s(0.000001)
    outcome = rig.execution.release(approved, at_peace(approved))
    assert isinstance(outcome, OrderDropped)
    assert outcome.why.startswith("verdict expired")


async def test_a_closed_transport_drops_and_a_breaking_one_doubts() -> None:
    """Before the write nothing has left; during the write nobody knows."""
    rig, approved = await an_approval()
    rig.broker.up = False
    assert isinstance(rig.execution.release(approved, at_peace(approved)), OrderDropped)
    rig.broker.up, rig.broker.refusal = True, ConnectivityError("closing")
    outcome = rig.execution.release(approved, at_peace(approved))
    assert outcome == OrderDoubted(at=NOON, order_ref=approved.intent.intent_id, code=0, text="closing")


@pytest.mark.parametrize(
    ("state", "order_id", "is_up", "leaves"),
    [
        (Working(), 7, True, True),
        (Sent(), 7, True, True),
        (Unknown(why="x"), 7, True, True),
        (Working(), 0, True, False),  # its id is not known yet
        (Working(), 7, False, False),
        (Prepared(), 7, True, False),
        (Cancelled(reason="x"), 7, True, False),
    ],
)
def test_a_cancel_leaves_for_what_may_be_at_the_broker(
    state: OrderState, order_id: int, *, is_up: bool, leaves: bool
) -> None:
    """No frame for what never left, has ended, or cannot be addressed; the caller learns of it."""
    rig = Rig()
    rig.broker.up = is_up
    sent = rig.execution.cancel(call_order(1, state, broker_order_id=order_id))
    assert (sent is not None, rig.broker.cancelled) == (leaves, ["i-1"] if leaves else [])
    assert not leaves or sent == CancelSent(at=NOON, intent_id=call_order().intent.intent_id)


def test_a_dry_run_cancels_nothing() -> None:
    """It writes no frame at all."""
    assert Rig(dry_run=True).execution.cancel(call_order(1, Working())) is None


def test_an_order_whose_sending_was_never_confirmed_is_overdue_from_its_preparation() -> None:
    """After a crash between frame and row the order works on without `sent_at`: it is cancelled in time."""
    rig = Rig()
    order = call_order(1, Working())
    assert order.sent_at is None
    assert rig.execution.overdue([order], NOON) == ()
    assert rig.execution.overdue([order], rig.clock.pass_s(60)) == (order,)
    assert rig.execution.overdue([replace(order, state=Prepared())], rig.clock.pass_s(60)) == ()


def test_deadlines_of_zero_are_refused() -> None:
    """An order that is overdue at once makes no sense."""
    rig = Rig()
    with pytest.raises(InvalidValueError):
        Execution(broker=rig.broker, clock=rig.clock, latch=rig.latch, order_life_s=0, ack_timeout_s=1)


@pytest.mark.control("C33")
async def test_a_question_leaves_while_nothing_halts() -> None:
    """In NORMAL and in REDUCE_ONLY it is written in the step that looks at the latch."""
    rig, approved = await an_approval()
    for mode in (TradingMode.NORMAL, TradingMode.REDUCE_ONLY):
        rig.broker.figures = [FIGURES]
        asked = rig.execution.preview(approved.intent, at_peace(approved, mode=mode))
        assert rig.broker.questions.pop() is approved.intent
        assert asked is not None
        assert await asked == FIGURES


@pytest.mark.control("C33")
@pytest.mark.parametrize("why", ["latched", "demanded", "dry", "closed"])
async def test_no_question_is_written_in_halt_in_a_dry_run_or_without_a_transport(why: str) -> None:
    """A what-if is an order frame with one flag: what stops orders altogether stops it."""
    rig, approved = await an_approval()
    standing = at_peace(approved, mode=TradingMode.HALT if why == "demanded" else TradingMode.NORMAL)
    if why == "latched":
        rig.latch.tighten(TradingMode.HALT, "a kill")
    rig.execution.dry_run = why == "dry"
    rig.broker.up = why != "closed"
    assert rig.execution.preview(approved.intent, standing) is None
    assert rig.broker.questions == []
