"""Limits by command at the desk: in force in the same step, told, answered from disk, and never loosened unproved."""

from decimal import Decimal
from typing import Any

import pytest

from bot.app.restraint import RestraintKeeper
from bot.domain.command import AckStage, CommandName, Proof, Role
from bot.domain.events import AccountReported
from bot.domain.mode import DemandSource, TradingMode
from bot.domain.orders import Working
from risk.limit_changes import limits_hash
from tests.bot.app.app_parts import Bot, played
from tests.bot.engine_parts import call_order
from tests.builders import an_account

LIMIT = CommandName.LIMIT
OLD: dict[str, Any] = {"seq_is_fresh": False, "issued_at": None, "challenge": "", "kill_epoch": -1}


def a_bot() -> Bot:
    """A bot in NORMAL, its books compared, one order working."""
    bot = Bot().with_order(call_order(1, Working()))
    bot.broker.hold_order("i-1")
    bot.desk.open()
    return bot.start()


def set_limit(bot: Bot, name: str, value: str, command_id: str = "c-1", **changes: Any) -> None:
    """The operator sends one limit."""
    bot.desk.receive(bot.command(LIMIT, command_id, args={"limit": name, "value": value}, **changes))


@pytest.mark.control("C37")
def test_a_tighter_limit_is_in_force_when_the_command_returns_and_answered_from_disk() -> None:
    """No await in between; the ack waits for the row; the working order stays."""

    async def story() -> None:
        bot = a_bot()
        await bot.pass_s(1)
        bot.journal.hold()
        set_limit(bot, "max_orders_per_day", "10", **OLD)
        assert bot.rig.engine.limits.max_orders_per_day == 10
        await bot.pass_s(5)
        assert bot.link.stages("c-1") == []
        bot.journal.let_go()
        await bot.pass_s(1)
        assert bot.link.stages("c-1") == [AckStage.DONE]
        assert bot.journal.of_kind("limit_changed") == [
            {
                "name": "max_orders_per_day",
                "before": "40",
                "after": "10",
                "looser": False,
                "key_id": "k",
                "reason": "test",
                "hash": limits_hash(bot.rig.engine.limits),
            }
        ]
        assert bot.broker.cancelled == []
        await bot.end()

    played(story())


@pytest.mark.control("C37")
def test_what_was_approved_by_the_old_limits_and_has_not_left_is_judged_anew() -> None:
    """The limit changes while the decision is written: its order is dropped, and planned again."""

    async def story() -> None:
        bot = Bot(up=True).with_order()
        bot.desk.open()
        bot.start()
        await bot.pass_s(1)
        bot.rig.planner.wants = 1
        bot.journal.hold()
        bot.with_books_compared()
        await bot.journal.waiting.wait()  # the comparison's row
        bot.journal.let_go()
        bot.journal.hold()
        await bot.journal.waiting.wait()  # the decision's
        set_limit(bot, "max_orders_per_day", "10")
        bot.journal.let_go()
        await bot.pass_s(1)
        (dropped,) = [row for row in bot.journal.of_kind("order_cancelled") if "book moved" in row["why"]]
        assert dropped["intent_id"] not in bot.rig.sent()
        assert len(bot.rig.sent()) == 1
        await bot.end()

    played(story())


@pytest.mark.control("C37")
def test_a_looser_limit_uses_the_challenge_up_and_an_old_command_loosens_nothing() -> None:
    """Granted with the challenge of a bot in NORMAL; the same again, or with a spent challenge, is refused."""

    async def story() -> None:
        bot = a_bot()
        spent = bot.challenge()
        set_limit(bot, "max_orders_per_day", "45", roles=frozenset({Role.RISK}))
        await bot.pass_s(1)
        assert (bot.link.stages("c-1"), bot.rig.engine.limits.max_orders_per_day) == ([AckStage.DONE], 45)
        assert bot.challenge() != spent
        set_limit(bot, "max_orders_per_day", "50", "c-2", challenge=spent)
        set_limit(bot, "max_orders_per_day", "50", "c-3", proof=Proof.LOCAL)
        set_limit(bot, "max_orders_per_day", "10", "c-4", proof=Proof.UNPROVED)
        await bot.pass_s(1)
        refused = [(ack.command_id, ack.code) for ack in bot.link.acks if ack.stage is AckStage.REFUSED]
        assert refused == [("c-2", "challenge"), ("c-3", "not_proved"), ("c-4", "not_proved")]
        assert bot.rig.engine.limits.max_orders_per_day == 45
        await bot.end()

    played(story())


@pytest.mark.control("C37")
def test_a_command_of_this_host_tightens_and_its_row_says_where_it_came_from() -> None:
    """No key signed it: the way in stands in its place."""

    async def story() -> None:
        bot = a_bot()
        set_limit(bot, "max_options", "100", proof=Proof.LOCAL, roles=frozenset(), key_id="")
        await bot.pass_s(1)
        (row,) = bot.journal.of_kind("limit_changed")
        assert (row["after"], row["key_id"]) == ("100", "in_memory")
        await bot.end()

    played(story())


def test_a_refusal_says_what_was_expected() -> None:
    """In the ack and in the row."""

    async def story() -> None:
        bot = a_bot()
        set_limit(bot, "max_option", "100")
        await bot.pass_s(1)
        (ack,) = bot.link.acks
        assert (ack.code, ack.detail) == (
            "no_such_limit",
            {"why": "limit: unknown key 'max_option'; did you mean 'max_options'?"},
        )
        assert bot.journal.of_kind("command_refused")[-1]["why"] == ack.detail["why"]
        await bot.end()

    played(story())


@pytest.mark.control("C31")
def test_a_limit_that_is_passed_already_when_it_is_tightened_holds_the_bot_back_at_once() -> None:
    """8,000 of 500,000 USD are lost, 10,000 allowed: tightened to 1 % the bot asks for REDUCE_ONLY in the same step."""

    async def story() -> None:
        bot = a_bot()
        RestraintKeeper(bot.shell, bot.desk.halt)
        for worth in (500_000, 492_000):
            bot.pump(AccountReported(at=bot.clock.now(), values=an_account(worth)))
        assert bot.state.mode is TradingMode.NORMAL
        set_limit(bot, "max_day_loss_frac", "0.01")
        held = bot.state.restraints.of(DemandSource.LOSSES)
        assert (bot.state.mode, held is not None) == (TradingMode.REDUCE_ONLY, True)
        assert bot.rig.engine.limits.max_day_loss_frac == Decimal("0.01")
        await bot.end()

    played(story())
