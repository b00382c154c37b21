"""A signed plan to flatten in state and execution: when it begins, what ends it, and what may leave under it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.decision import Approved
from bot.domain.events import FlattenEnded, FlattenSigned, LockLifted, ModeDemanded, OrderDropped, OrderSent
from bot.domain.flattening import FlatPart, FlattenPlan, Mandate
from bot.domain.locks import Locks
from bot.domain.mode import DemandSource, TradingMode
from bot.domain.orders import Purpose
from bot.domain.snapshot import Standing
from risk.gate import Gate
from tests.bot.engine_parts import Rig
from tests.builders import FEES, NOON, a_plan
from tests.risk.scenes import LIMITS, an_unwind, holding

EPOCH = 3


def a_mandate(epoch: int = EPOCH) -> Mandate:
    """Two spreads of the overlay, signed."""
    sale = an_unwind(2)
    part = FlatPart(layer=sale.layer, legs=sale.legs, units=2, worst_limit=sale.limit, cost_usd=sale.worst_cost_usd)
    end = NOON + timedelta(minutes=30)
    plan = FlattenPlan(plan_id="p", epoch=epoch, made_at=NOON, expires_at=end, parts=(part,))
    return Mandate(plan=plan, key_id="anna", signed_at=NOON, until=end, most_tries=3)


def latched(mode: TradingMode, epoch: int, source: DemandSource = DemandSource.LATCH) -> ModeDemanded:
    """A source asks for a mode."""
    return ModeDemanded(at=NOON, source=source, mode=mode, cause="test", epoch=epoch)


def signed(epoch: int = EPOCH) -> FlattenSigned:
    """A person has signed."""
    return FlattenSigned(at=NOON, mandate=a_mandate(epoch), reason="test")


async def a_halted_rig() -> Rig:
    """An engine in HALT at the epoch of the plan."""
    rig = await Rig().ready()
    rig.engine.receive(latched(TradingMode.HALT, EPOCH))
    return rig


@pytest.mark.control("C3")
async def test_a_mandate_begins_in_its_own_halt_alone() -> None:
    """Not while nothing is halted, not for another epoch."""
    rig = await Rig().ready()
    rig.engine.receive(signed())
    assert rig.state.mandate is None
    rig = await a_halted_rig()
    rig.engine.receive(signed(EPOCH + 1))
    assert rig.state.mandate is None
    rig.engine.receive(signed())
    assert rig.state.mandate == a_mandate()
    assert rig.state.standing().mandate == rig.state.snapshot(NOON).mandate == a_mandate()


@pytest.mark.control("C3")
@pytest.mark.parametrize(
    ("event", "ends"),
    [
        (latched(TradingMode.HALT, EPOCH + 1), True),
        (latched(TradingMode.NORMAL, EPOCH), True),
        (latched(TradingMode.REDUCE_ONLY, EPOCH, DemandSource.MARKET_DATA), False),
        (FlattenEnded(at=NOON, digest=a_mandate().plan.digest, left=(), why="all sold"), True),
        (FlattenEnded(at=NOON, digest="another", left=(), why="all sold"), False),
    ],
)
async def test_a_kill_a_resume_and_its_own_end_end_it(event: ModeDemanded | FlattenEnded, *, ends: bool) -> None:
    """Whatever the latch says anew ends what was signed before; other guards and other plans do not."""
    rig = await a_halted_rig()
    rig.engine.receive(signed())
    rig.engine.receive(event)
    assert (rig.state.mandate is None) is ends


def an_approval(mandate: Mandate) -> Approved:
    """A verdict of a real gate on an order of the plan."""
    sale = replace(an_unwind(2), purpose=Purpose.FLATTEN)
    moment = replace(holding(2), mode=TradingMode.HALT, kill_epoch=EPOCH, mandate=mandate)
    (verdict,) = Gate(LIMITS, FEES).review(a_plan(sale), moment)
    assert isinstance(verdict, Approved)
    return verdict


@pytest.mark.control("C3")
@pytest.mark.parametrize(
    ("mandate", "epoch", "leaves"), [(a_mandate(), EPOCH, True), (None, EPOCH, False), (a_mandate(), EPOCH + 1, False)]
)
async def test_the_last_check_lets_out_what_is_signed_for_this_epoch(
    mandate: Mandate | None, epoch: int, *, leaves: bool
) -> None:
    """In HALT the order leaves under its mandate; ended or killed meanwhile it is dropped."""
    rig = await Rig().ready()
    approved = an_approval(a_mandate())
    rig.latch.mode, rig.latch.epoch = TradingMode.HALT, epoch
    standing = Standing(
        book_version=approved.book_version, mode=TradingMode.HALT, reconciling=False, locks={}, mandate=mandate
    )
    outcome = rig.execution.release(approved, standing)
    assert isinstance(outcome, OrderSent if leaves else OrderDropped)
    assert bool(rig.broker.submitted) is leaves


async def test_a_lock_that_is_lifted_is_gone_and_a_plan_is_due() -> None:
    """Only the named lock goes; one that does not stand changes nothing."""
    rig = await Rig().ready()
    rig.state._books._locks = Locks().latched(("A", "B"), "foreign fill", NOON)
    assert rig.state.apply(LockLifted(at=NOON, lock="A", key_id="k", reason="known")) is True
    assert dict(rig.state.standing().locks) == {"B": "foreign fill"}
    assert rig.state.apply(LockLifted(at=NOON, lock="A", key_id="k", reason="known")) is False
