"""The watcher halts a bot whose ledger is not the broker's: over Mosquitto, at its socket, or by the KILL file."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from adapters.journal.store import Owner, open_journal
from bot.compose.watchdog import Watch, Watcher
from bot.domain.command import CommandName
from bot.domain.errors import ConfigError
from bot.domain.instrument import Side
from bot.domain.mode import TradingMode
from bot.tasks import end_all
from config.settings import Settings
from tests.adapters.mqtt.bench_bot import BenchBot, tool_of, until
from tests.adapters.mqtt.mosquitto_broker import Mosquitto
from tests.adapters.watchdog.test_second_ledger import Scene, adopted, filled, gateway, names_in
from tests.builders import ACCOUNT, vix_call

pytestmark = pytest.mark.mosquitto

KEY, SWITCH = "switch", "operator-switch"
STRAY = filled("x", vix_call(20, date(2034, 3, 15)), Side.BUY, 7)


def with_key(scene: Scene, broker: Mosquitto, key: Path, **rules: Any) -> Settings:
    """The settings of a watcher that may kill; the gateway is the scene's."""
    watchdog = replace(
        scene.settings.watchdog,
        kill_key=key,
        kill_password_file=broker.credentials.password_file(SWITCH),
        **{"kill_within_s": 0.1, **rules},
    )
    return replace(scene.settings, mqtt=broker.settings(), watchdog=watchdog)


@asynccontextmanager
async def watching(settings: Settings, folder: Path, **options: Any) -> AsyncIterator[list[dict[str, Any]]]:
    """Watch until the block ends; yields what was said so far."""
    said: list[dict[str, Any]] = []
    watch = Watch(**{"ledger": True, "state": folder, "local": True, **options})
    running = asyncio.ensure_future(Watcher(watch, settings, folder, lambda line: said.append(json.loads(line))).run())
    try:
        yield said
    finally:
        await end_all((running,))


def about(said: list[dict[str, Any]], danger: str) -> list[str]:
    """The words said of one thing."""
    return [line["words"] for line in said if line["danger"] == danger]


@asynccontextmanager
async def armed(broker: Mosquitto, folder: Path) -> AsyncIterator[BenchBot]:
    """A bot that trades, with a key that may only kill it."""
    async with BenchBot(folder, broker.settings()).living() as bot:
        operator = bot.new_operator()
        bot.new_operator(KEY, "kill")
        await until(lambda: bot.lines.mqtt is not None and bot.lines.mqtt.up.is_set())
        line = await bot.operator_line(broker.credentials.password_file("operator-anna"))
        await tool_of(line, operator).loosen(CommandName.ARM, {"mode": "NORMAL"}, lambda _facts: "first start")
        await line.close()
        await until(lambda: bot.mode is TradingMode.NORMAL and bot.rows("books_reconciled") != [])
        yield bot


@pytest.mark.control("C25")
async def test_a_corrupted_ledger_halts_the_bot_over_mqtt_once(broker: Mosquitto, tmp_path: Path) -> None:
    """Equal ledgers do nothing; a row that nobody traded kills after two looks, with the watcher's key, and once."""
    async with gateway() as scene, armed(broker, tmp_path / "state") as bot:
        settings = with_key(scene, broker, tmp_path / f"{KEY}.key")
        async with watching(settings, bot.folder) as said:
            await asyncio.sleep(1.0)
            assert (said, bot.mode) == ([], TradingMode.NORMAL)
            await bot.standing.journal.commit([STRAY])
            await until(lambda: about(said, "kill") != [])
            await asyncio.sleep(0.5)  # some ten looks more at the same break
            killed = [(row["key_id"], row["channel"], row["mode"]) for row in bot.rows("kill_latched")]
        assert killed == [(KEY, "mqtt", "HALT")]
        assert bot.latch_on_disk()["mode"] == "HALT"
        assert about(said, "kill") == ["the bot is halted; it answered over MQTT"]
        assert "by the journal" in bot.latch_on_disk()["cause"]


@pytest.mark.control("C25")
async def test_without_the_broker_of_messages_the_bots_own_socket_takes_the_kill(
    broker: Mosquitto, tmp_path: Path
) -> None:
    """The watcher stands on the bot's host: the next way is tried at once."""
    async with gateway() as scene, armed(broker, tmp_path / "state") as bot:
        broker.stop()
        await bot.standing.journal.commit([STRAY])
        async with watching(with_key(scene, broker, tmp_path / f"{KEY}.key"), bot.folder) as said:
            await until(lambda: bot.mode is TradingMode.HALT)
            await until(lambda: "the bot is halted; it answered over its local socket" in about(said, "kill"))
            await until(lambda: bot.rows("kill_latched") != [])  # the latch stands first, the row is written after it
        assert [row["channel"] for row in bot.rows("kill_latched")] == ["local_socket"]


@pytest.mark.control("C25")
async def test_a_bot_that_does_not_answer_is_left_a_kill_file_and_cut_off(broker: Mosquitto, tmp_path: Path) -> None:
    """Nobody is there: the file halts it at its next start, and the command that cuts it off runs once, unshelled."""
    folder = tmp_path / "state"
    async with armed(broker, folder):
        pass
    folder.joinpath("KILL").unlink(missing_ok=True)
    command = f"{sys.executable} -c 'import sys,pathlib; open(sys.argv[1], \"a\").write(sys.argv[2])' {tmp_path}/cut"
    async with gateway() as scene:
        journal = open_journal(folder / "journal.db", Owner(bot="main", profile="paper", account=ACCOUNT))
        journal.write([STRAY])
        journal.close()
        settings = with_key(scene, broker, tmp_path / f"{KEY}.key")
        async with watching(settings, folder, cut=command) as said:
            await until(lambda: "cut" in names_in(tmp_path), within_s=30.0)
            await until(lambda: len(about(said, "command")) > 0)
    assert (tmp_path / "cut").read_text() == "ledger"
    assert "by the journal" in (folder / "KILL").read_text()


@pytest.mark.control("C42")
async def test_a_key_that_may_do_more_than_kill_is_refused(broker: Mosquitto, tmp_path: Path) -> None:
    """A watcher that could loosen would be a second operator; a key that the bot does not know stops nothing."""
    async with gateway() as scene, armed(broker, tmp_path / "state") as bot:
        stranger = replace(scene.settings, bot="other")
        for settings, name, words in (
            (scene.settings, "anna", "roles kill, resume, expected role kill alone"),
            (stranger, KEY, "is for bot 'main'"),
        ):
            rules = replace(settings.watchdog, kill_key=tmp_path / f"{name}.key")
            with pytest.raises(ConfigError, match=words):
                Watcher(Watch(ledger=True), replace(settings, watchdog=rules), bot.folder, print)
        bot.standing.ring.revoke(KEY)
        rules = replace(scene.settings.watchdog, kill_key=tmp_path / f"{KEY}.key")
        with pytest.raises(ConfigError, match="no valid key of this bot"):
            Watcher(Watch(ledger=True), replace(scene.settings, watchdog=rules), bot.folder, print)


async def test_a_watcher_without_a_key_says_that_it_only_calls(tmp_path: Path) -> None:
    """The alarm is as loud as ever."""
    journal = tmp_path / "journal.db"
    async with gateway() as scene:
        owner = Owner(bot="main", profile="sim", account=ACCOUNT)
        opened = open_journal(journal, owner)
        opened.write([adopted(scene.positions), STRAY])
        opened.close()
        async with watching(scene.settings, tmp_path, local=False) as said:
            await until(lambda: about(said, "kill") != [])
    assert about(said, "kill") == ["no key to halt the bot with: watchdog.kill_key names none"]
    assert "KILL" not in names_in(tmp_path)
