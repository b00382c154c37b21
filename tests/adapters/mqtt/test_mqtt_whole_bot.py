"""The whole bot as a process, commanded with the command line over a real Mosquitto and over its local paths."""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from adapters.journal.store import read_rows
from bot.domain.errors import JournalError
from simulator.fills import DisplayedSizeFills
from simulator.gateway import Gateway
from simulator.tws.desk import Told
from tests.adapters.mqtt.bench_bot import until
from tests.adapters.mqtt.mosquitto_broker import Mosquitto
from tests.adapters.mqtt.served_worlds import SPEED, served

pytestmark = pytest.mark.mosquitto

PATIENCE_S = 60.0
ROOT = Path(__file__).parents[3]


@asynccontextmanager
async def gateway_of_resting_orders(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Gateway]:
    """A gateway amid the blowout at whose exchange nothing fills: every order that is placed works until cancelled."""
    monkeypatch.setattr(DisplayedSizeFills, "match", lambda *_what, **_how: None)
    async with served("blowout", 3) as gateway:
        yield gateway


class Operated:
    """One bot's folders, its lives, and the command line beside it."""

    def __init__(self, folder: Path, broker: Mosquitto, gateway: Gateway) -> None:
        self.folder = folder
        self.state = folder / "state"
        self.gateway = gateway
        self._password = broker.credentials.password_file("operator-anna")
        settings = broker.settings()
        (folder / "bot.toml").write_text(
            "[signal]\ndwell_s = 30.0\nhalf_life_s = 20.0\n"
            f'[mqtt]\nport = {settings.port}\nca_file = "{settings.ca_file}"\n'
            f'password_file = "{settings.password_file}"\nprobe_password_file = "{settings.probe_password_file}"\n'
            "reconnect_first_s = 0.1\n"
        )

    async def alvh(self, *arguments: str) -> tuple[int, dict[str, Any]]:
        """Run one command to its end; returns exit code and JSON answer."""
        process = await self._started(*arguments)
        out, err = await asyncio.wait_for(process.communicate(), PATIENCE_S)
        if not out.startswith(b"{"):
            return process.returncode or 0, {"err": err.decode()}
        return process.returncode or 0, json.loads(out)

    async def operator(self, command: str, *more: str) -> tuple[int, dict[str, Any]]:
        """Run an operator's command over MQTT."""
        way = ("--key", str(self.folder / "anna.key"), "--password-file", str(self._password), "--json")
        return await self.alvh(command, "--profile", "sim", "--config", str(self.folder / "bot.toml"), *way, *more)

    async def local(self, command: str, *more: str) -> tuple[int, dict[str, Any]]:
        """Run an operator's command on the local socket."""
        return await self.alvh(command, "--profile", "sim", "--local", "--state", str(self.state), "--json", *more)

    async def live(self) -> asyncio.subprocess.Process:
        """Begin a life of the bot."""
        way = ("--gateway", f"127.0.0.1:{self.gateway.port}", "--speed", str(SPEED), "--state", str(self.state))
        life = await self._started(
            *("run", "--realtime", "--config", str(self.folder / "bot.toml"), *way),
            *("--out", str(self.folder / "out")),
        )
        known = len(self.rows("bot_started"))
        await until(lambda: len(self.rows("bot_started")) > known or life.returncode is not None, PATIENCE_S)
        assert life.returncode is None
        return life

    async def end(self, life: asyncio.subprocess.Process, code: int) -> None:
        """Stop a life in order and check how it ended."""
        life.send_signal(signal.SIGTERM)
        await asyncio.wait_for(life.communicate(), PATIENCE_S)
        assert life.returncode == code

    def rows(self, kind: str) -> list[dict[str, Any]]:
        """Return the facts of the journal's rows of a kind."""
        try:
            return [json.loads(row.payload) for row in read_rows(self.state / "journal.db", (kind,))]
        except JournalError:
            return []

    def told(self, what: Told) -> int:
        """Return how many messages of a kind the gateway was sent."""
        return sum(row.told is what for row in self.gateway.ledger())

    async def _started(self, *arguments: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bot", *arguments),
            cwd=ROOT,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )


@pytest.mark.control("C1")
@pytest.mark.control("C5")
async def test_a_kill_over_mqtt_holds_until_a_signed_resume(
    broker: Mosquitto, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It cancels what works, lets nothing new out, outlives a restart, and only the challenge's answer lifts it."""
    async with gateway_of_resting_orders(monkeypatch) as gateway:
        world = Operated(tmp_path, broker, gateway)
        life = await world.live()
        where = ("--profile", "sim", "--config", str(tmp_path / "bot.toml"), "--state", str(world.state))
        code, _ = await world.alvh(
            "keys", "new", "anna", "--roles", "kill,resume", "--out", f"{tmp_path}/anna.key", *where
        )
        assert code == 0
        await until(lambda: world.told(Told.PLACE) > 0, PATIENCE_S)
        code, killed = await world.operator("kill", "--reason", "a test")
        assert (code, killed["facts"]["left"]) == (0, [])
        assert world.told(Told.CANCEL) > 0
        placed = world.told(Told.PLACE)
        await world.end(life, 4)
        again = await world.live()
        code, status = await world.operator("status")
        assert (code, status["facts"]["mode"], status["facts"]["latch"]) == (0, "HALT", "HALT")
        code, refused = await world.operator("resume")
        assert code == 2, refused  # no terminal, nobody named
        assert world.told(Told.PLACE) == placed
        code, resumed = await world.operator("resume", "--i-am", "Anna", "--reason", "looked at it")
        assert (code, resumed["facts"].get("mode")) == (0, "NORMAL"), resumed
        await until(lambda: world.told(Told.PLACE) > placed, PATIENCE_S)
        broker.stop()
        code, _ = await world.local("kill", "--reason", "the broker is dead")
        assert code == 0
        await world.end(again, 4)
        code, nobody = await world.local("kill")
        assert (code, (world.state / "KILL").exists()) == (10, True), nobody
