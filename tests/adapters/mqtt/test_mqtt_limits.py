"""Limits of a running bot over a real Mosquitto: by command tighter and looser, and what a replay cannot do."""

from pathlib import Path

import pytest

from bot.compose.operating import DONE, REFUSED
from bot.domain.command import AckStage, CommandName
from tests.adapters.mqtt.bench_bot import BenchBot, envelope_for, signed_by, tool_of, until
from tests.adapters.mqtt.mosquitto_broker import Mosquitto
from tests.adapters.mqtt.raw_operator import Hand

pytestmark = pytest.mark.mosquitto


@pytest.mark.control("C37")
async def test_an_operator_tightens_and_loosens_a_limit(broker: Mosquitto, bot: BenchBot) -> None:
    """A key with both roles; the answer is the bot's own, and a value that is none says what was expected."""
    line = await bot.operator_line(broker.credentials.password_file("operator-anna"))
    tool = tool_of(line, bot.new_operator("anna", "kill,risk"))
    try:
        tightened = await tool.limit("max_orders_per_day", "10", lambda _facts: "nervous")
        loosened = await tool.limit("max_orders_per_day", "30", lambda _facts: "calm again")
        wrong = await tool.limit("max_hedge_cost_frac", "0.5", lambda _facts: "more")
    finally:
        await line.close()
    assert [one.exit_code for one in (tightened, loosened, wrong)] == [DONE, DONE, REFUSED]
    assert "never raised above 0.40" in wrong.says
    assert [(row["after"], row["looser"]) for row in bot.rows("limit_changed")] == [("10", False), ("30", True)]
    assert bot.bot.shell.engine.limits.max_orders_per_day == 30


@pytest.mark.control("C37")
@pytest.mark.control("C41")
async def test_a_tightening_that_is_replayed_after_a_loosening_never_loosens(hand: Hand, bot: BenchBot) -> None:
    """The bytes of 20 are taken twice while they tighten; after 10 was set they are a loosening without proof."""
    args = {"limit": "max_orders_per_day", "value": "20"}
    old = signed_by(envelope_for(bot, hand.operator, CommandName.LIMIT, args=args), hand.operator.private)
    await hand.send("limit", old)
    await until(lambda: len(bot.rows("limit_changed")) == 1)
    tighter = envelope_for(bot, hand.operator, CommandName.LIMIT, args={**args, "value": "10"})
    await hand.send("limit", signed_by(tighter, hand.operator.private))
    assert (await hand.answer_to(tighter.id)).stage is AckStage.DONE
    await hand.send("limit", old)
    await hand.settled()
    assert bot.bot.shell.engine.limits.max_orders_per_day == 10
    assert bot.rows("command_refused")[-1]["code"] == "role_missing"


@pytest.mark.control("C37")
async def test_what_was_set_is_in_force_after_a_restart(broker: Mosquitto, tmp_path: Path) -> None:
    """A second life on the same folder begins with the tighter limit, without a person's word."""
    first = BenchBot(tmp_path / "state", broker.settings())
    async with first.living() as bot:
        await until(lambda: bot.lines.mqtt is not None and bot.lines.mqtt.up.is_set())
        line = await bot.operator_line(broker.credentials.password_file("operator-anna"))
        try:
            done = await tool_of(line, bot.new_operator()).limit("max_options", "7", lambda _facts: "nervous")
        finally:
            await line.close()
        assert done.exit_code == DONE
    async with BenchBot(tmp_path / "state", broker.settings()).living() as again:
        assert again.bot.shell.engine.limits.max_options == 7
