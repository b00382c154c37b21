"""The operator's lines of a run in real time: MQTT where there is a broker, the guard's local paths always."""

import asyncio
import contextlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from adapters.alerts.channels import open_channels
from adapters.alerts.dispatch import Dispatcher
from adapters.clock import SystemClock, SystemIds, SystemRng
from adapters.control.files import read_secret
from adapters.control.guard import Guard
from adapters.control.memory_link import MemoryLink
from adapters.control.shared_link import SharedLink
from adapters.control.verifier import Verifier
from adapters.mqtt.connection import MqttLink
from adapters.mqtt.telemetry import EventTelemetry
from bot.app.announced import Announcer
from bot.app.desk import Desk
from bot.app.shell import Shell
from bot.compose.standing import Standing
from bot.domain.command import Channel, Command
from bot.domain.errors import RefusedStartError
from bot.domain.mode import TradingMode
from bot.ports import CommandLink
from config.settings import Profile, Settings

ABSENT_AFTER_S = 5.0
"""A required broker of messages that is not there this long after the start halts the bot until a signed resume."""


EMPTIED_WITHIN_S = 0.7
"""For each way out, once the bot has ended: the whole stop stays within ten seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """The lines of one bot. ``memory`` is the built-in operator's, in rehearsals only."""

    guard: Guard
    memory: MemoryLink | None
    mqtt: MqttLink | None
    required: bool  # losing MQTT tightens
    verifier: Verifier
    standing: Standing
    dispatcher: Dispatcher

    @property
    def link(self) -> CommandLink:
        """All lines as one."""
        found: list[CommandLink | None] = [self.mqtt, self.memory, self.guard]
        return SharedLink([line for line in found if line is not None])

    def announcers(self) -> Sequence[Announcer]:
        """Return what tells MQTT of committed rows."""
        return () if self.mqtt is None else (EventTelemetry(self.mqtt),)

    def connect(self, desk: Desk) -> None:
        """Lead every line to the desk; must be called in the loop's thread."""
        if self.memory is not None:
            self.memory.listen(desk.receive)
        self.guard.listen(_in_loop(desk.latched_elsewhere), _in_loop(self._signed_for(desk)), _in_loop(desk.receive))
        if self.mqtt is not None:
            self.mqtt.listen(desk.receive, self._changed_for(desk), desk.halt)

    def complain_to(self, shell: Shell) -> None:
        """Have a channel for alerts that fails written down; while MQTT is down every alert goes to all of them."""

        def complained(channel: str, why: str) -> None:
            shell.complain("alert_undelivered", {"channel": channel, "why": why})

        mqtt = self.mqtt
        self.dispatcher.listen(lambda: mqtt is None or mqtt.up.is_set(), complained)

    async def emptied(self) -> None:
        """Let what is still to be told leave; the bot has ended."""
        if self.mqtt is not None:
            await self.mqtt.emptied(EMPTIED_WITHIN_S)
        await self.dispatcher.emptied(EMPTIED_WITHIN_S)

    def _signed_for(self, desk: Desk) -> Callable[[str, bytes], None]:
        def judge(name: str, payload: bytes) -> None:
            command: Command | None = self.verifier.command_of(name, payload, Channel.LOCAL_SOCKET)
            if command is not None:
                desk.receive(command)

        return judge

    def _changed_for(self, desk: Desk) -> Callable[[bool], None]:
        def changed(up: bool) -> None:  # noqa: FBT001 - the link's own signature
            if up or self.required:
                desk.channel_changed(up=up)

        return changed

    async def ready_or_halted(self) -> None:
        """Wait for a required broker of messages; latch HALT where it does not come."""
        if self.mqtt is None or not self.required:
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(ABSENT_AFTER_S):
                await self.mqtt.up.wait()
                return
        latch = self.standing.latch
        if latch.mode is not TradingMode.HALT:
            latch.tighten(TradingMode.HALT, f"no command link over MQTT at start: {self.mqtt.why_down}")
            await latch.persist()


def open_lines(state: Path, settings: Settings, standing: Standing) -> Lines:
    """Return the lines of a run, none of them open yet.

    Raises:
        RefusedStartError: A password file is missing or readable by others, or nothing would prove a required line.
    """
    clock = SystemClock()  # the machine's own pace, also in a rehearsal at speed
    mqtt = settings.mqtt
    simulated, live = settings.profile is Profile.SIM, settings.profile is Profile.LIVE
    required = (mqtt.required and not simulated) or live
    link = None
    if required and mqtt.probe_password_file is None:
        raise RefusedStartError(
            "mqtt.probe_password_file: none, expected the password of the identity that proves every "
            f"{mqtt.probe_every_s:g} s that commands arrive (config/deploy/mosquitto/README.md); name it, or set "
            "mqtt.required = false on paper"
        )
    if required or mqtt.password_file is not None:
        for file in (mqtt.password_file, mqtt.probe_password_file):
            if file is not None:
                read_secret(file)
        link = MqttLink(
            settings=mqtt,
            verifier=standing.verifier,
            bot_key=standing.bot_key,
            clock=clock,
            rng=SystemRng(),
            bot=settings.bot,
        )
    guard = Guard(
        folder=state,
        latch=standing.latch,
        bot_key=standing.bot_key,
        clock=clock,
        ids=SystemIds(),
        poll_s=settings.control.kill_file_poll_s,
    )
    memory = MemoryLink(verifier=standing.verifier, bot_key=standing.bot_key, clock=clock) if simulated else None
    return Lines(
        guard=guard,
        memory=memory,
        mqtt=link,
        required=required,
        verifier=standing.verifier,
        standing=standing,
        dispatcher=Dispatcher(
            open_channels(settings.alerts), settings=settings.alerts, clock=clock, rng=SystemRng(), bot=settings.bot
        ),
    )


@contextmanager
def watched(guard: Guard) -> Iterator[None]:
    """Look for the file KILL, then run the guard thread.

    Raises:
        RefusedStartError: The local socket cannot be made.
    """
    guard.look()
    guard.start()
    try:
        yield
    finally:
        guard.stop()


def _in_loop(act: Callable[..., None]) -> Callable[..., None]:
    """Return what has the loop do something, called from another thread; nothing happens once the loop is closed."""
    loop = asyncio.get_running_loop()

    def hand_over(*what: object) -> None:
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(act, *what)

    return hand_over
