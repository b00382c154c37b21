"""FLATTEN and UNLOCK at the desk: a plan on demand, carried out once, answered at its beginning and its end."""

from decimal import Decimal
from typing import Any

import pytest

from bot.domain.command import AckStage, CommandName
from bot.domain.errors import ConnectivityError
from bot.domain.events import FillReported
from bot.domain.instrument import Side
from bot.domain.orders import Fill, FillPart
from tests.bot.app.app_parts import Bot, a_halted_bot, played
from tests.builders import ACCOUNT, vix_call

FLATTEN, PLAN, UNLOCK = CommandName.FLATTEN, CommandName.FLATTEN_PLAN, CommandName.UNLOCK


def codes(bot: Bot, command_id: str) -> list[str]:
    """The codes of a command's acks."""
    return [ack.code for ack in bot.link.acks if ack.command_id == command_id]


def kinds(bot: Bot) -> list[str]:
    """The journal's rows about flattening and locks."""
    return [row.kind for row in bot.journal.rows if row.kind.startswith(("flatten_", "lock_"))]


async def an_asked_bot() -> Bot:
    """A halted bot that has told its plan."""
    bot = await a_halted_bot()
    bot.desk.receive(bot.command(PLAN, "p-1"))
    await bot.pass_s(1)
    return bot


def sign(bot: Bot, command_id: str, **changes: Any) -> None:
    """Sign the plan that was told last."""
    args = {"plan": str(bot.link.last("flatten")["digest"])}
    bot.desk.receive(bot.command(FLATTEN, command_id, **{"args": args, **changes}))


@pytest.mark.control("C3")
def test_a_plan_is_told_and_carried_out_once() -> None:
    """Asked, told with its digest, signed, accepted, ended; signed again it is refused and nothing happens."""

    async def story() -> None:
        bot = await an_asked_bot()
        (told,) = [ack for ack in bot.link.acks if ack.command_id == "p-1"]
        assert (told.stage, told.detail["digest"]) == (AckStage.DONE, bot.link.last("flatten")["digest"])
        sign(bot, "f-1")
        await bot.pass_s(40)
        assert bot.link.stages("f-1") == [AckStage.ACCEPTED, AckStage.DONE]
        sign(bot, "f-2")
        await bot.pass_s(1)
        assert codes(bot, "f-2") == ["no_such_plan"]
        assert kinds(bot) == ["flatten_planned", "flatten_signed", "flatten_ended"]
        assert bot.desk.state_facts()["mode"] == "HALT"
        await bot.end()

    played(story())


@pytest.mark.control("C3")
def test_a_comparison_that_is_slow_still_ends_the_plan_well() -> None:
    """The broker's books answer only after a minute: the plan waits for them, and nothing is called left."""

    async def story() -> None:
        bot = await an_asked_bot()
        bot.broker.books_errors = [ConnectivityError("open orders: no answer within 10 s") for _ in range(20)]
        sign(bot, "f-1")
        await bot.pass_s(40)
        assert bot.link.stages("f-1") == [AckStage.ACCEPTED]
        await bot.pass_s(60)
        assert bot.link.stages("f-1") == [AckStage.ACCEPTED, AckStage.DONE]
        await bot.end()

    played(story())


@pytest.mark.control("C3")
def test_the_very_same_message_does_nothing_a_second_time() -> None:
    """A replay carries the challenge that its first life has used up."""

    async def story() -> None:
        bot = await an_asked_bot()
        challenge = bot.challenge()
        sign(bot, "f-1", challenge=challenge)
        await bot.pass_s(40)
        sign(bot, "f-1", challenge=challenge)
        await bot.pass_s(1)
        assert codes(bot, "f-1")[-1] == "challenge"
        assert kinds(bot).count("flatten_signed") == 1
        await bot.end()

    played(story())


@pytest.mark.control("C3")
def test_a_plan_of_another_halt_or_of_long_ago_cannot_be_signed() -> None:
    """A kill after the plan makes it worthless, and so do five minutes."""

    async def story() -> None:
        bot = await an_asked_bot()
        bot.desk.receive(bot.command(CommandName.KILL, "k-1"))
        await bot.pass_s(2)
        sign(bot, "f-1")
        await bot.pass_s(1)
        assert codes(bot, "f-1") == ["no_such_plan"]
        bot.desk.receive(bot.command(PLAN, "p-2"))
        await bot.pass_s(315)
        sign(bot, "f-2")
        await bot.pass_s(60)
        assert codes(bot, "f-2") == ["no_such_plan"]
        assert "flatten_signed" not in kinds(bot)
        await bot.end()

    played(story())


def test_a_bot_that_trades_makes_no_plan() -> None:
    """Asked without a halt it refuses, and says nothing on the plan's topic."""

    async def story() -> None:
        bot = Bot().with_order()
        bot.desk.open()
        bot.start()
        bot.desk.receive(bot.command(PLAN, "p-1"))
        await bot.pass_s(1)
        assert codes(bot, "p-1") == ["not_latched"]
        assert [topic for topic, _ in bot.link.published if topic == "flatten"] == []
        await bot.end()

    played(story())


@pytest.mark.control("C34")
def test_a_lock_goes_with_a_signed_unlock() -> None:
    """A foreign fill locks its contract; status names the lock; a signed unlock takes it away, another name none."""

    async def story() -> None:
        bot = await a_halted_bot()
        call = vix_call(20)
        fill = Fill(
            exec_id="stranger",
            order_ref="",
            perm_id=9,
            account=ACCOUNT,
            part=FillPart.WHOLE,
            instrument=call,
            side=Side.BUY,
            quantity=1,
            price=Decimal(1),
            at=bot.clock.now(),
        )
        bot.pump(FillReported(at=bot.clock.now(), fill=fill))
        await bot.pass_s(1)
        assert bot.desk.state_facts()["locks"] == [f"{call.key}: foreign fill stranger"]
        bot.desk.receive(bot.command(UNLOCK, "u-1", args={"lock": "another"}))
        bot.desk.receive(bot.command(UNLOCK, "u-2", args={"lock": call.key}))
        await bot.pass_s(1)
        assert (codes(bot, "u-1"), bot.link.stages("u-2")) == (["no_such_lock"], [AckStage.DONE])
        assert (bot.desk.state_facts()["locks"], kinds(bot)) == ([], ["lock_taken", "lock_lifted"])
        await bot.end()

    played(story())
