"""Commands over a real Mosquitto: what an operator can do, what nobody can, and what the bot answers."""

from pathlib import Path

import pytest

from bot.compose.operating import DONE
from bot.domain.command import CommandName
from bot.domain.mode import TradingMode
from tests.adapters.mqtt.bench_bot import BenchBot, tool_of, until
from tests.adapters.mqtt.mosquitto_broker import Mosquitto

pytestmark = pytest.mark.mosquitto


@pytest.mark.control("Q1")
@pytest.mark.control("Q4")
@pytest.mark.control("Q5")
async def test_an_operator_arms_kills_and_resumes(broker: Mosquitto, tmp_path: Path) -> None:
    """Arm, kill and resume over TLS, each confirmed by the bot's own signed ack; the latch on disk follows."""
    async with BenchBot(tmp_path / "state", broker.settings()).living() as bot:
        operator = bot.new_operator()
        await until(lambda: bot.lines.mqtt is not None and bot.lines.mqtt.up.is_set())
        line = await bot.operator_line(broker.credentials.password_file("operator-anna"))
        tool = tool_of(line, operator)
        try:
            armed = await tool.loosen(CommandName.ARM, {"mode": "NORMAL"}, lambda _facts: "first start")
            assert (armed.exit_code, bot.mode) == (DONE, TradingMode.NORMAL)
            killed = await tool.kill("a test")
            assert (killed.exit_code, bot.latch_on_disk()["mode"]) == (DONE, "HALT")
            resumed = await tool.loosen(CommandName.RESUME, {"mode": "NORMAL"}, lambda _facts: "going on")
            assert (resumed.exit_code, bot.latch_on_disk()["mode"]) == (DONE, "NORMAL")
        finally:
            await line.close()
