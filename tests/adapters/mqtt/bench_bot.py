"""A real bot at a simulated exchange in the same process, with its real lines: what the operator's tests talk to."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from adapters.clock import SystemClock, SystemIds, SystemRng
from adapters.control.envelope import Envelope, PrivateKey, signed
from adapters.control.operator_key import OperatorIdentity, read_identity
from adapters.control.operator_line import OperatorLine
from adapters.journal.store import read_rows
from adapters.mqtt.operator_line import MqttLine, open_mqtt_line
from adapters.mqtt.settings import MqttSettings
from bot.compose.assembly import Junction, Ports, Start, assemble
from bot.compose.books import lots_of_book
from bot.compose.confirming import limits_at_start
from bot.compose.keeping import Keeper
from bot.compose.lines import Lines, open_lines, watched
from bot.compose.operating import OperatorTool, Patience
from bot.compose.standing import Standing, open_standing
from bot.compose.worlds import WorldOptions, world_of
from bot.domain.command import CommandName
from bot.domain.mode import TradingMode
from bot.tasks import end_all
from config.loader import Loaded, load
from config.settings import Profile
from simulator.broker import InProcessLink, InProcessMarketData
from simulator.gateway import FloorTime

ACCOUNT = "DU1234567"
PATIENCE_S = 10.0


async def until(met: Callable[[], bool], within_s: float = PATIENCE_S) -> None:
    """Wait for a condition with a deadline."""
    async with asyncio.timeout(within_s):
        while not met():  # noqa: ASYNC110 - what is waited for has no event: a file, a row, another process
            await asyncio.sleep(0.005)


class BenchBot:
    """One life of a bot; a second one on the same folder continues the first."""

    def __init__(self, folder: Path, mqtt: MqttSettings, profile: Profile = Profile.PAPER) -> None:
        self.folder = folder
        loaded = load(profile, None, {"ALVH_BROKER__ACCOUNT": f'"{ACCOUNT}"', "ALVH_RISK__ACCOUNTS": f'["{ACCOUNT}"]'})
        self.loaded = Loaded(settings=replace(loaded.settings, mqtt=mqtt), config_hash=loaded.config_hash)
        folder.mkdir(parents=True, exist_ok=True)
        self.lines: Lines
        self.standing: Standing

    @asynccontextmanager
    async def living(self) -> AsyncIterator["BenchBot"]:
        """Run the bot as `alvh run` does, until the block ends."""
        loop, clock = asyncio.get_running_loop(), SystemClock()
        world = world_of(
            WorldOptions(
                scenario="blowout",
                history=None,
                start=None,
                end=None,  # type: ignore[arg-type]
                sessions=2,
                seed=7,
                tick_s=15,
                account=ACCOUNT,  # type: ignore[arg-type]
            )
        )
        begins = world.sessions()[0].opens_at - timedelta(minutes=30)
        clock.shift_to(begins)
        opened = world.open(FloorTime(loop.time, begins))
        self.standing = open_standing(self.folder, self.loaded.settings, clock, clock.now())
        memory, settings = self.standing.memory, self.loaded.settings
        limits = limits_at_start(
            settings.risk, memory.limits, memory.configured, profile=settings.profile, confirmed=None
        )
        self.loaded = limits.of_run(self.loaded)
        self.lines = open_lines(self.folder, self.loaded.settings, self.standing)
        junction = Junction()
        door = InProcessLink(opened.floor, junction, client_id=17)
        ports = Ports(
            clock=clock,
            ids=SystemIds(),
            rng=SystemRng(),
            broker=door,
            market_data=InProcessMarketData(opened.floor, junction),
            connection=door,
            command_link=self.lines.link,
            journal=self.standing.journal,
            latch=self.standing.latch,
            junction=junction,
        )
        start = Start(
            calendar=world.calendar,
            adopted=self.standing.memory.restored.positions is not None,
            credits=opened.book.credits,
            lots=lots_of_book(opened.book, world.sessions()[0].day),
            account_hash=self.standing.account_hash,
            announcers=tuple(self.lines.announcers()),
        )
        stop = asyncio.Event()
        with watched(self.lines.guard):
            self.bot = assemble(self.loaded, ports, start)
            self.lines.connect(self.bot.desk)
            if limits.facts is not None:
                self.bot.shell.tell("limits_set", limits.facts)
            channel = None if self.lines.mqtt is None else asyncio.ensure_future(self.lines.mqtt.run())
            running = asyncio.ensure_future(self._run(stop))
            try:
                yield self
            finally:
                stop.set()
                await running
                if channel is not None:
                    await end_all((channel,))
        self.standing.journal.close()

    async def _run(self, stop: asyncio.Event) -> None:
        await self.lines.ready_or_halted()
        await self.bot.supervisor.run(self.standing.memory.restored, stop)

    @property
    def mode(self) -> TradingMode:
        """Return what the latch says."""
        return self.standing.latch.mode

    @property
    def epoch(self) -> int:
        """Return the kill epoch."""
        return self.standing.latch.epoch

    def latch_on_disk(self) -> dict[str, Any]:
        """Return what a restart would read."""
        found: dict[str, Any] = json.loads((self.folder / "latch.json").read_text())
        return found

    def rows(self, kind: str) -> list[dict[str, Any]]:
        """Return the facts of all journal rows of a kind."""
        return [json.loads(row.payload) for row in read_rows(self.folder / "journal.db", (kind,))]

    def new_operator(self, key_id: str = "anna", roles: str = "kill,resume") -> OperatorIdentity:
        """Make an operator's key with the tool's own code."""
        keeper = Keeper(folder=self.folder, settings=self.loaded.settings, ring=self.standing.ring)
        out = self.folder.parent / f"{key_id}.key"
        keeper.new(key_id, roles.split(","), out)
        return read_identity(out)

    async def operator_line(self, password_file: Path, username: str = "operator-anna") -> MqttLine:
        """Open an operator's way over MQTT."""
        return await open_mqtt_line(self.loaded.settings.mqtt, "main", username, password_file)


def tool_of(line: OperatorLine, identity: OperatorIdentity, patience: Patience | None = None) -> OperatorTool:
    """Return the operator's tool at an open line."""
    return OperatorTool(
        line=line,
        identity=identity,
        clock=SystemClock(),
        ids=SystemIds(),
        local_cure="alvh kill --local",
        patience=patience,
    )


def envelope_for(life: BenchBot, identity: OperatorIdentity, name: CommandName, /, **changes: Any) -> Envelope:
    """Return an envelope that the bot would accept now, but for the changes."""
    clock = SystemClock()
    now = int(clock.host_now().timestamp())
    whole: dict[str, Any] = {
        "bot": identity.bot,
        "account_hash": identity.account_hash,
        "cmd": name.value,
        "id": SystemIds().new_id(),
        "key_id": identity.key_id,
        "seq": clock.now_ns() // 1_000_000,
        "iat": now,
        "exp": now + 30,
        "kill_epoch": life.epoch,
        "challenge": "",
        "reason": "a test",
    }
    return Envelope(**{**whole, **changes})


def signed_by(envelope: Envelope, key: PrivateKey) -> bytes:
    """Return an envelope as it travels."""
    return signed(envelope.fields(), key)
