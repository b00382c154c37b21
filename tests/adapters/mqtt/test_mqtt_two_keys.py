"""Two keys over a real Mosquitto: one person alone never lets the bot go, two do, and the tool says what it awaits."""

from dataclasses import replace
from pathlib import Path

import pytest

from bot.compose.operating import DONE, NOT_DONE
from bot.domain.command import CommandName
from bot.domain.mode import TradingMode
from risk.authority import AuthorityRules
from tests.adapters.mqtt.bench_bot import BenchBot, tool_of, until
from tests.adapters.mqtt.mosquitto_broker import Mosquitto

pytestmark = pytest.mark.mosquitto

NORMAL = {"mode": "NORMAL"}


@pytest.mark.control("C42")
async def test_two_people_arm_a_kill_ends_half_a_resume_and_two_resume(broker: Mosquitto, tmp_path: Path) -> None:
    """Each with the real tool, key and challenge of their own; both names stand in the row."""
    bench = BenchBot(tmp_path / "state", broker.settings())
    settings = replace(bench.loaded.settings, authority=AuthorityRules(keys_required=2))
    bench.loaded = replace(bench.loaded, settings=settings)
    async with bench.living() as bot:
        await until(lambda: bot.lines.mqtt is not None and bot.lines.mqtt.up.is_set())
        await until(lambda: bot.rows("books_reconciled") != [])
        line = await bot.operator_line(broker.credentials.password_file("operator-anna"))
        anna, ben = (tool_of(line, bot.new_operator(name)) for name in ("anna", "ben"))
        try:
            half = await anna.loosen(CommandName.ARM, NORMAL, lambda _facts: "first start")
            assert (half.exit_code, bot.mode) == (NOT_DONE, TradingMode.HALT)
            assert half.says.startswith("accepted, and NOT DONE: a second key must sign the same by ")
            whole = await ben.loosen(CommandName.ARM, NORMAL, lambda _facts: "looked as well")
            assert (whole.exit_code, bot.mode) == (DONE, TradingMode.NORMAL)
            assert (await anna.kill("a test")).exit_code == DONE
            await anna.loosen(CommandName.RESUME, NORMAL, lambda _facts: "going on")
            await ben.kill("not yet")
            late = await ben.loosen(CommandName.RESUME, NORMAL, lambda _facts: "now")
            assert (late.exit_code, bot.mode) == (NOT_DONE, TradingMode.HALT)
            again = await ben.loosen(CommandName.RESUME, NORMAL, lambda _facts: "now, I said")
            assert (again.exit_code, bot.mode) == (NOT_DONE, TradingMode.HALT)
            resumed = await anna.loosen(CommandName.RESUME, NORMAL, lambda _facts: "agreed")
            assert (resumed.exit_code, bot.latch_on_disk()["mode"]) == (DONE, "NORMAL")
        finally:
            await line.close()
        await until(lambda: len(bot.rows("mode_resumed")) == 2)  # the answer does not wait for its row
        assert [row["key_id"] for row in bot.rows("mode_resumed")] == ["anna and ben", "ben and anna"]
        assert [row["key_id"] for row in bot.rows("key_awaited")] == ["anna", "anna", "ben", "ben"]
