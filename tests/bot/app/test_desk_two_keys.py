"""Two keys at the desk: the first is told and waits, the second is carried out, and a kill in between ends it."""

from typing import Any

import pytest

from bot.domain.command import AckStage, CommandName
from bot.domain.mode import TradingMode
from risk.authority import AuthorityRules
from tests.bot.app.app_parts import Bot, a_halted_bot, played

RESUME, KILL, FLATTEN = CommandName.RESUME, CommandName.KILL, CommandName.FLATTEN
ACCEPTED, DONE, REFUSED = AckStage.ACCEPTED, AckStage.DONE, AckStage.REFUSED
TWO = AuthorityRules(keys_required=2)


async def a_guarded_bot() -> Bot:
    """A halted bot that two people must let go."""
    return await a_halted_bot(rules=TWO)


def signs(bot: Bot, key_id: str, name: CommandName = RESUME, command_id: str = "", **changes: Any) -> str:
    """A person sends a command with everything right; returns its id."""
    wanted = command_id or f"c-{key_id}"
    bot.desk.receive(bot.command(name, wanted, key_id=key_id, reason=f"{key_id} looked", **changes))
    return wanted


@pytest.mark.control("C42")
def test_the_second_key_resumes_and_the_rows_name_both() -> None:
    """The first is accepted and told to all; its challenge is spent; the second answers another one."""

    async def story() -> None:
        bot = await a_guarded_bot()
        spent = bot.challenge()
        first = signs(bot, "anna")
        await bot.pass_s(1)
        assert (bot.latch.mode, bot.link.stages(first)) == (TradingMode.HALT, [ACCEPTED])
        (told,) = bot.journal.of_kind("key_awaited")
        assert (told["asks"], told["key_id"], told["reason"]) == ("resume", "anna", "anna looked")
        assert bot.desk.state_facts()["awaits_key"] == "resume by anna: anna looked"
        assert bot.link.stages(signs(bot, "ben", challenge=spent)) == [REFUSED]
        assert bot.link.stages(signs(bot, "anna", command_id="c-again")) == [ACCEPTED]
        second = signs(bot, "ben", command_id="c-ben-2")
        await bot.pass_s(1)
        assert (bot.latch.mode, bot.link.stages(second)) == (TradingMode.NORMAL, [DONE])
        (row,) = bot.journal.of_kind("mode_resumed")
        assert (row["key_id"], row["reason"]) == ("anna and ben", "anna: anna looked; ben: ben looked")
        assert bot.desk.state_facts()["awaits_key"] == ""
        await bot.end()

    played(story())


@pytest.mark.control("C42")
@pytest.mark.parametrize("tighter", [KILL, CommandName.PAUSE, CommandName.REDUCE_ONLY])
def test_a_word_that_tightens_ends_what_one_key_has_signed(tighter: CommandName) -> None:
    """Also where the epoch stays: the second is then a first one."""

    async def story() -> None:
        bot = await a_guarded_bot()
        signs(bot, "anna")
        bot.desk.receive(bot.command(tighter, "k-1"))
        await bot.pass_s(1)
        assert bot.link.stages(signs(bot, "ben")) == [ACCEPTED]
        await bot.pass_s(1)
        assert bot.latch.mode is TradingMode.HALT
        await bot.end()

    played(story())


@pytest.mark.control("C42")
def test_a_first_signature_lives_five_minutes() -> None:
    """After that the second key is the first of another pair."""

    async def story() -> None:
        bot = await a_guarded_bot()
        signs(bot, "anna")
        await bot.pass_s(315)  # and the beat that draws a new challenge
        bot.with_books_compared()
        assert bot.desk.state_facts()["awaits_key"] == ""
        assert bot.link.stages(signs(bot, "ben")) == [ACCEPTED]
        await bot.pass_s(1)
        assert bot.latch.mode is TradingMode.HALT
        await bot.end()

    played(story())


@pytest.mark.control("C42")
def test_the_second_person_is_shown_the_plan_that_the_first_has_signed() -> None:
    """Asked for again, the plan to flatten is the same while a signature waits, and another one afterwards."""

    async def story() -> None:
        bot = await a_guarded_bot()

        def plan_of(command_id: str) -> str:
            bot.desk.receive(bot.command(CommandName.FLATTEN_PLAN, command_id))
            return str(bot.link.acks[-1].detail["digest"])

        shown = plan_of("p-1")
        assert plan_of("p-2") != shown
        signed = plan_of("p-3")
        signs(bot, "anna", FLATTEN, args={"plan": signed})
        assert plan_of("p-4") == signed
        signs(bot, "ben", FLATTEN, args={"plan": signed})
        await bot.pass_s(5)
        (row,) = bot.journal.of_kind("flatten_signed")
        assert (row["digest"], row["key_id"]) == (signed, "anna and ben")
        assert plan_of("p-5") != signed
        await bot.end()

    played(story())


def test_a_looser_limit_needs_two_and_a_tighter_one_needs_one() -> None:
    """And the row of the looser one names both."""

    async def story() -> None:
        bot = await a_guarded_bot()
        args = {"limit": "max_orders_per_day", "value": "30"}
        signs(bot, "anna", CommandName.LIMIT, args=args)
        assert bot.rig.engine.limits.max_orders_per_day == 30
        looser = {**args, "value": "35"}
        signs(bot, "anna", CommandName.LIMIT, "c-2", args=looser)
        assert bot.rig.engine.limits.max_orders_per_day == 30
        signs(bot, "ben", CommandName.LIMIT, "c-3", args=looser)
        assert bot.rig.engine.limits.max_orders_per_day == 35
        await bot.pass_s(1)
        assert [row["key_id"] for row in bot.journal.of_kind("limit_changed")] == ["anna", "anna and ben"]
        await bot.end()

    played(story())
