"""The probe on a real Mosquitto: an access list that filters without a word counts as a lost link."""

from dataclasses import replace
from pathlib import Path

import pytest

from bot.compose.lines import open_lines
from bot.domain.errors import RefusedStartError
from bot.domain.mode import DemandSource, TradingMode
from config.loader import Loaded
from tests.adapters.mqtt.bench_bot import BenchBot, until
from tests.adapters.mqtt.mosquitto_broker import Mosquitto

pytestmark = pytest.mark.mosquitto

LOST_S = 1.0
"""What the settings call `command_loss_reduce_s`: a minute in earnest."""
BLINDING = "topic read alvh/main/cmd/#"


def an_impatient_bot(folder: Path, broker: Mosquitto) -> BenchBot:
    """A bot whose timers run out sixty times as soon."""
    bot = BenchBot(folder, broker.settings(probe_every_s=0.1, probe_within_s=0.3))
    settings = bot.loaded.settings
    app = replace(settings.app, command_loss_reduce_s=LOST_S, heartbeat_s=0.05)
    bot.loaded = Loaded(settings=replace(settings, app=app), config_hash=bot.loaded.config_hash)
    return bot


@pytest.mark.control("Q7")
async def test_a_subscription_that_is_filtered_in_the_run_tightens(broker: Mosquitto, tmp_path: Path) -> None:
    """The broker keeps the session and drops the commands: the probe fails, the link counts as lost, REDUCE_ONLY."""
    async with an_impatient_bot(tmp_path / "state", broker).living() as bot:
        mqtt = bot.lines.mqtt
        assert mqtt is not None
        await until(lambda: mqtt.up.is_set() and bot.rows("books_reconciled") != [])
        state = bot.bot.shell.engine.state
        assert state.demand(DemandSource.COMMAND_LINK) is TradingMode.NORMAL
        broker.deny(BLINDING)
        broker.reload()
        await until(lambda: not mqtt.up.is_set())
        assert "did not arrive" in mqtt.why_down
        await until(lambda: state.demand(DemandSource.COMMAND_LINK) is TradingMode.REDUCE_ONLY)
        await until(lambda: any(row["source"] == "command_link" for row in bot.rows("mode_demanded")))
        rows = [row for row in bot.rows("mode_demanded") if row["source"] == "command_link"]
        assert [(row["mode"], row["cause"]) for row in rows] == [("REDUCE_ONLY", "command link lost")]
        assert bot.rows("command_link_changed") == [{"up": True}, {"up": False}]


@pytest.mark.control("Q7")
async def test_a_required_line_without_a_probe_refuses_to_start(broker: Mosquitto, tmp_path: Path) -> None:
    """What nobody proves cannot count as up; the message names the key."""
    async with an_impatient_bot(tmp_path / "state", broker).living() as bot:
        settings = replace(bot.loaded.settings, mqtt=broker.settings(probe_password_file=None))
        with pytest.raises(RefusedStartError, match="probe_password_file: none"):
            open_lines(bot.folder, settings, bot.standing)
