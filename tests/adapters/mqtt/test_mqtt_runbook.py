"""The commands of the runbook, one by one, against the simulator: all paths halt, flatten sells, restore works."""

import asyncio
import re
import shlex
from pathlib import Path

import click
import pytest

from adapters.control.guard import KILL_FILE, TAKEN_FILE
from bot.cli.root import alvh
from bot.compose.operating import REFUSED
from tests.adapters.mqtt.bench_bot import until
from tests.adapters.mqtt.mosquitto_broker import Mosquitto
from tests.adapters.mqtt.served_worlds import served
from tests.adapters.mqtt.test_mqtt_whole_bot import PATIENCE_S, Operated

pytestmark = [pytest.mark.mosquitto, pytest.mark.timeout(180)]

PAGE = Path(__file__).parents[3] / "docs" / "runbook.md"


def section(name: str) -> list[str]:
    """The commands of a section of the page, in their order."""
    text = PAGE.read_text(encoding="utf-8").split(f"\n## {name}\n", 1)[1].split("\n## ", 1)[0]
    return [line for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL) for line in block.splitlines() if line]


class Reader:
    """Somebody who follows the page."""

    def __init__(self, world: Operated, broker: Mosquitto) -> None:
        self.world = world
        self.life: asyncio.subprocess.Process | None = None
        config = world.folder / "bot.toml"
        password = broker.credentials.password_file("operator-anna")
        self._words = {
            "BOT": f"--profile sim --config {config}",
            "ANNA": f"--key {world.folder}/anna.key --password-file {password}",
            "STATE": str(world.state),
            "OUT": str(world.folder / "out"),
        }

    async def follow(self, line: str) -> None:
        """Carry out one line of the page; it must end well."""
        pid = "" if self.life is None else str(self.life.pid)
        filled = re.sub(r"\b(BOT|ANNA|STATE|OUT|PID)\b", lambda found: {**self._words, "PID": pid}[found[0]], line)
        words = shlex.split(filled)
        if words[:2] == ["alvh", "run"]:
            self.life = await self.world.live()
            return
        if words[0] == "alvh":
            assert await asyncio.to_thread(_said, words[1:]) == 0, line
            return
        process = await asyncio.create_subprocess_exec(*words)
        assert await asyncio.wait_for(process.wait(), PATIENCE_S) == 0, line
        await self._settled(words)

    async def _settled(self, words: list[str]) -> None:
        """Wait for what the page says happens next: the latch on disk, or the end of the process."""
        state, kills = self.world.state, len(self.world.rows("kill_latched"))
        if words[0] == "touch":
            await until(lambda: (state / TAKEN_FILE).exists() and not (state / KILL_FILE).exists(), PATIENCE_S)
        elif words[:2] == ["kill", "-USR1"]:
            await until(lambda: len(self.world.rows("kill_latched")) >= max(1, kills), PATIENCE_S)
        elif words[:2] == ["kill", "-TERM"]:
            assert self.life is not None
            await asyncio.wait_for(self.life.communicate(), PATIENCE_S)

    async def follow_all(self, name: str) -> None:
        """Carry out a section."""
        for line in section(name):
            await self.follow(line)

    async def end(self) -> None:
        """Stop the bot that runs."""
        if self.life is not None and self.life.returncode is None:
            self.life.terminate()
            await asyncio.wait_for(self.life.communicate(), PATIENCE_S)

    def latch(self) -> str:
        """The mode that a restart would find."""
        return re.findall(r'"mode": ?"(\w+)"', (self.world.state / "latch.json").read_text())[0]

    def killed_by(self) -> list[str]:
        """The channels on which kills came, in their order."""
        return [row["channel"] for row in self.world.rows("kill_latched") if row["command"] == "kill"]


def _said(words: list[str]) -> int:
    """Run a command as its program would; returns the exit code."""
    try:
        return int(alvh.main(words, standalone_mode=False) or 0)
    except click.ClickException as error:
        return error.exit_code


@pytest.mark.control("C4")
@pytest.mark.control("C5")
async def test_the_runbook_works_command_by_command(broker: Mosquitto, tmp_path: Path) -> None:
    """Halt by every path, go on, less than a halt, flatten, shut down, restore: each command ends as the page says."""
    async with served("calm", 2) as gateway:
        reader = Reader(Operated(tmp_path, broker, gateway), broker)
        try:
            await _followed(reader)
        finally:
            await reader.end()


async def _followed(reader: Reader) -> None:
    world = reader.world
    reader.life = await world.live()
    await until(lambda: world.rows("mode_resumed") != [], PATIENCE_S)  # the rehearsal's own operator has armed it
    await reader.follow(f"alvh keys new anna --roles kill,resume --out {world.folder}/anna.key BOT --state STATE")
    await reader.follow_all("Halt")
    await until(lambda: len(reader.killed_by()) == 4, PATIENCE_S)
    assert reader.killed_by() == ["mqtt", "local_socket", "kill_file", "signal"]
    await reader.follow_all("Go on")
    assert reader.latch() == "NORMAL"
    await reader.follow_all("Less than a halt")
    assert reader.latch() == "HALT"
    await reader.follow_all("Flatten")
    await until(lambda: world.rows("flatten_ended") != [], PATIENCE_S)  # the answer does not wait for its row
    (ended,) = world.rows("flatten_ended")
    assert ended["left"] == []
    held = world.rows("books_reconciled")[-1]["positions"]
    assert {one["instrument"]["symbol"] for one in held} == {"SPX"}
    await reader.follow_all("Shut down and restore")
    assert reader.latch() == "NORMAL"
    again = (
        f"alvh limit max_orders_per_day 10 --profile sim --config {world.folder}/bot.toml --local --state STATE --json"
    )
    assert await asyncio.to_thread(_said, shlex.split(again.replace("STATE", str(world.state)))[1:]) == REFUSED
    assert len(world.rows("limit_changed")) == 1  # the restart has kept it: once more it tightens nothing
    assert (Path(f"{world.state}.kept") / "journal.db").exists()


def test_every_command_of_the_page_is_followed() -> None:
    """The sections above are all that hold commands: none is left out of the test."""
    whole = re.findall(r"```sh\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    followed = ("Halt", "Go on", "Less than a halt", "Flatten", "Shut down and restore")
    assert [line for block in whole for line in block.splitlines() if line] == [
        line for name in followed for line in section(name)
    ]
