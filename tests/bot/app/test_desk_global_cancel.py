"""GLOBAL_CANCEL at the desk: off unless allowed, asked for twice, in a halt, and never anything but cancels."""

import pytest

from bot.domain.command import AckStage, CommandName
from tests.bot.app.app_parts import Bot, a_halted_bot, played

SWEEP = CommandName.GLOBAL_CANCEL


def word_of(bot: Bot, command_id: str) -> str:
    """The word that the first command was answered with."""
    return next(str(ack.detail["confirm"]) for ack in bot.link.acks if ack.command_id == command_id)


@pytest.mark.control("C3")
def test_the_second_command_with_the_word_cancels_everything() -> None:
    """The first sends nothing; the second sends one frame; the word is used up."""

    async def story() -> None:
        bot = await a_halted_bot()
        bot.desk.receive(bot.command(SWEEP, "g-1"))
        await bot.pass_s(1)
        assert (bot.broker.swept, bot.link.stages("g-1")) == (0, [AckStage.ACCEPTED])
        confirm = {"confirm": word_of(bot, "g-1")}
        bot.desk.receive(bot.command(SWEEP, "g-2", args=confirm))
        await bot.pass_s(2)
        assert (bot.broker.swept, bot.link.stages("g-2")) == (1, [AckStage.DONE])
        bot.desk.receive(bot.command(SWEEP, "g-3", args=confirm))
        await bot.pass_s(1)
        assert (bot.broker.swept, bot.link.stages("g-3")) == (1, [AckStage.ACCEPTED])
        assert [row.payload["sent"] for row in bot.journal.rows if row.kind == "global_cancel_sent"] == [True]
        await bot.end()

    played(story())


@pytest.mark.control("C3")
def test_the_word_lives_a_minute_and_one_halt() -> None:
    """After its time, or after another kill, the second command is a first one again."""

    async def story() -> None:
        bot = await a_halted_bot()
        bot.desk.receive(bot.command(SWEEP, "g-1"))
        await bot.pass_s(61)
        bot.desk.receive(bot.command(SWEEP, "g-2", args={"confirm": word_of(bot, "g-1")}))
        await bot.pass_s(1)
        bot.desk.receive(bot.command(CommandName.KILL, "k-1"))
        await bot.pass_s(1)
        bot.desk.receive(bot.command(SWEEP, "g-3", args={"confirm": word_of(bot, "g-2")}))
        await bot.pass_s(1)
        assert bot.broker.swept == 0
        assert bot.link.stages("g-3") == [AckStage.ACCEPTED]
        await bot.end()

    played(story())


def test_without_leave_it_is_refused() -> None:
    """What the configuration does not allow is refused as switched off."""

    async def story() -> None:
        bot = await a_halted_bot()
        bot.sweeper.allowed = False
        bot.desk.receive(bot.command(SWEEP, "g-1"))
        await bot.pass_s(1)
        assert [ack.code for ack in bot.link.acks if ack.command_id == "g-1"] == ["switched_off"]
        assert bot.broker.swept == 0
        await bot.end()

    played(story())


def test_without_a_link_the_answer_says_so() -> None:
    """No frame leaves a closed transport: escalated, not done."""

    async def story() -> None:
        bot = await a_halted_bot()
        bot.desk.receive(bot.command(SWEEP, "g-1"))
        await bot.pass_s(1)
        bot.broker.up = False
        bot.desk.receive(bot.command(SWEEP, "g-2", args={"confirm": word_of(bot, "g-1")}))
        await bot.pass_s(1)
        (ack,) = [one for one in bot.link.acks if one.command_id == "g-2"]
        assert (ack.stage, ack.detail["left"]) == (
            AckStage.ESCALATED,
            ["no frame left: the link to the gateway is closed"],
        )
        await bot.end()

    played(story())
