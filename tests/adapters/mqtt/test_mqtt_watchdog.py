"""The watcher as a process beside a bot at a real Mosquitto, and at the bot's local socket."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.compose.watchdog import ALARMED, Watch, Watcher
from config.loader import Loaded, load
from config.settings import Profile
from tests.adapters.alerts.alert_receivers import WebServer, serving
from tests.adapters.mqtt.bench_bot import BenchBot, until
from tests.adapters.mqtt.mosquitto_broker import Mosquitto
from tests.adapters.mqtt.raw_operator import connected

pytestmark = pytest.mark.mosquitto

ROOT = Path(__file__).parents[3]
PATIENCE_S = 30.0


class Watching:
    """One watcher and what it has said."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.lines: list[dict[str, Any]] = []

    async def ended(self) -> int:
        """Return its exit code."""
        out, err = await asyncio.wait_for(self.process.communicate(), PATIENCE_S)
        self.lines = [json.loads(line) for line in out.splitlines()]
        assert b"Traceback" not in err, err.decode()
        return self.process.returncode or 0


def configuration(folder: Path, broker: Mosquitto, more: str) -> Path:
    """Write the watcher's settings."""
    settings = broker.settings()
    path = folder / "watch.toml"
    path.write_text(
        f'{more}\n[mqtt]\nport = {settings.port}\nca_file = "{settings.ca_file}"\nreconnect_first_s = 0.1\n'
    )
    return path


@asynccontextmanager
async def watching(config: Path, *more: str) -> AsyncIterator[Watching]:
    """Run `alvh watchdog` until the block ends."""
    process = await asyncio.create_subprocess_exec(
        *(
            sys.executable,
            "-m",
            "bot",
            "watchdog",
            "--profile",
            "sim",
            "--config",
            str(config),
            "--exit-on-alarm",
            *more,
        ),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield Watching(process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@pytest.mark.control("C25")
async def test_a_bot_that_falls_silent_is_called_out(broker: Mosquitto, tmp_path: Path) -> None:
    """Heartbeats stop, the watcher says so after the gap, posts it to its own webhook and ends with 13."""
    password = str(broker.credentials.password_file("monitor"))
    with serving(WebServer()) as web:
        config = configuration(tmp_path, broker, f'watchdog.gap_s = 1.0\nalerts.webhook_url = "{web.url}"')
        async with watching(config, "--password-file", password) as watcher, connected(broker, "bot") as bot:
            await bot.publish("alvh/main/heartbeat", b"{}", qos=0)
            assert await watcher.ended() == ALARMED
        (line,) = watcher.lines
        assert (line["danger"], line["over"]) == ("silent", False)
        assert "no sign of life" in json.loads(web.bodies[0])["text"]


async def seen(watch: Watch, broker: Mosquitto, folder: Path, **rules: Any) -> list[dict[str, Any]]:
    """Watch in this process until the first alarm; returns what was said."""
    lines: list[str] = []
    settings = load(Profile.SIM, None, {}).settings
    chosen = replace(settings, mqtt=broker.settings(), watchdog=replace(settings.watchdog, **rules))
    assert await asyncio.wait_for(Watcher(watch, chosen, folder, lines.append).run(), PATIENCE_S) == ALARMED
    return [json.loads(line) for line in lines]


@pytest.mark.control("C25")
@pytest.mark.parametrize(
    ("availability", "state", "danger"),
    [
        (b"offline", {"latch": "NORMAL", "cause": "armed"}, "gone"),
        (b"online", {"latch": "HALT", "cause": "command link lost for 900 s"}, "halted"),
    ],
)
async def test_a_last_will_and_a_halt_are_alarms(
    broker: Mosquitto, tmp_path: Path, availability: bytes, state: dict[str, str], danger: str
) -> None:
    """A bot that dies leaves its will; one that says HALT for a reason of its own is called out as well."""
    async with connected(broker, "bot") as bot:
        await bot.publish("alvh/main/availability", availability, qos=1, retain=True)
        await bot.publish("alvh/main/state", json.dumps(state).encode(), qos=1, retain=True)
    password = broker.credentials.password_file("monitor")
    said = await seen(Watch(password_file=password, exit_on_alarm=True), broker, tmp_path)
    assert [(line["danger"], line["over"]) for line in said] == [(danger, False)]


@pytest.mark.control("C25")
async def test_a_loop_that_stands_still_is_seen_at_the_local_socket(broker: Mosquitto, tmp_path: Path) -> None:
    """The guard thread still answers, but says how old the loop's last beat is: that is silence."""
    bot = BenchBot(tmp_path / "state", broker.settings())
    app = replace(bot.loaded.settings.app, heartbeat_s=3600.0)
    bot.loaded = Loaded(settings=replace(bot.loaded.settings, app=app), config_hash=bot.loaded.config_hash)
    async with bot.living() as living:
        await until(lambda: living.rows("mode_demanded") != [])
        watch = Watch(local=True, exit_on_alarm=True)
        (line,) = await seen(watch, broker, living.folder, gap_s=1.0, look_every_s=0.2)
    assert line["danger"] == "silent"
    assert "hears nothing" not in line["words"]
