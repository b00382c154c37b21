"""The bot's end of the command channel over MQTT 5: connects, proves that commands arrive, and reconnects for ever.

How it works: one session holds the bot's own connection and, where a probe is configured, the probe's. The channel
counts as up once a nonce that the probe wrote to ``cmd/probe`` has come back on the command subscription; without a
probe once the broker has confirmed the subscription, which proves less: a broker may grant what its list then filters.
What always holds: nothing here blocks the caller; whatever breaks ends the session, and the next begins after a pause.
"""

import asyncio
import contextlib
from collections import Counter, deque
from collections.abc import Callable, Coroutine, Mapping
from datetime import datetime, timedelta

from aiomqtt import Client, MqttCodeError, MqttError
from paho.mqtt.reasoncodes import ReasonCode

from adapters.control.acks import signed_ack
from adapters.control.envelope import PrivateKey
from adapters.control.verifier import Verifier
from adapters.mqtt.commands import Intake
from adapters.mqtt.sessions import bot_client, probe_client
from adapters.mqtt.settings import MqttSettings
from adapters.mqtt.telemetry import ALERT_LASTS_S, Outbox, Outgoing, payload_of
from adapters.mqtt.topics import PROBE, Topics
from bot.domain.command import Ack, Command
from bot.domain.errors import ConnectivityError, RefusedStartError
from bot.ports import Clock, Rng
from bot.tasks import end_all

ONLINE, OFFLINE = b"online", b"offline"
ALERT = "alert/"
NONCE_BYTES = 16
GOODBYE_S = 1.0
EMPTIED_LOOK_S = 0.02
SESSION_TAKEN_OVER = 142
MOST_TAKEOVERS = 3
TAKEOVER_WINDOW = timedelta(seconds=60)
"""docs/risk-controls.md, 2.4: more than three takeovers of the client id in a minute halt the bot."""


class MqttLink:
    """A `bot.ports.CommandLink` over a broker of messages."""

    def __init__(
        self, *, settings: MqttSettings, verifier: Verifier, bot_key: PrivateKey, clock: Clock, rng: Rng, bot: str
    ) -> None:
        """Take the parts; nothing is opened before `run`.

        Args:
            settings: Where the broker is and how the bot proves itself.
            verifier: Makes commands of messages.
            bot_key: Signs the acks.
            clock: The machine's own pace; never one that runs at a rehearsal's speed.
            rng: Nonces and jitter.
            bot: The bot's name, part of every topic.
        """
        self._settings = settings
        self._bot_key = bot_key
        self._clock = clock
        self._rng = rng
        self._topics = Topics(bot=bot)
        self._intake = Intake(topics=self._topics, verifier=verifier, clock=clock)
        self._outbox = Outbox()
        self._changed: Callable[[bool], None] = _nobody
        self._alarmed: Callable[[str], None] = _nobody
        self._takeovers: deque[datetime] = deque(maxlen=MOST_TAKEOVERS + 1)
        self.up = asyncio.Event()
        self.why_down = "not connected yet"

    def __repr__(self) -> str:
        """Tell where it leads and whether commands arrive."""
        state = "up" if self.up.is_set() else f"down: {self.why_down}"
        return f"<MqttLink {self._settings.host}:{self._settings.port} {state}>"

    @property
    def dropped(self) -> Counter[str]:
        """How many messages were dropped, by reason."""
        return self._intake.dropped + self._outbox.dropped

    def listen(
        self,
        receive: Callable[[Command], None],
        changed: Callable[[bool], None],
        alarmed: Callable[[str], None] | None = None,
    ) -> None:
        """Hand on verified commands, the channel's rise and fall, and alarms that must halt the bot."""
        self._intake.listen(receive)
        self._changed = changed
        self._alarmed = alarmed or _nobody

    def acknowledge(self, ack: Ack) -> None:
        """Send a signed ack as soon as the channel allows."""
        payload = signed_ack(ack, self._bot_key, self._clock.host_now())
        self._outbox.add_ack(Outgoing(topic=self._topics.ack(ack.command_id), payload=payload, qos=1))

    def publish(self, topic: str, payload: Mapping[str, object], *, retain: bool = False) -> None:
        """Send telemetry below the bot's prefix; of retained topics and heartbeats only the latest waits."""
        named, written = self._topics.below(topic), payload_of(payload)
        if retain:
            self._outbox.add_latest(Outgoing(topic=named, payload=written, qos=1, retain=True, lasts_s=None))
        elif topic.startswith(ALERT):
            self._outbox.add_alert(Outgoing(topic=named, payload=written, qos=1, lasts_s=ALERT_LASTS_S))
        elif topic == "heartbeat":
            self._outbox.add_latest(Outgoing(topic=named, payload=written, qos=0))
        else:
            self._outbox.add_event(Outgoing(topic=named, payload=written, qos=0))

    async def emptied(self, within_s: float) -> None:
        """Return when all that waits has left, or the time is over, or the channel is down: the bot ends."""
        deadline = self._clock.host_now() + timedelta(seconds=within_s)
        while self.up.is_set() and not self._outbox.is_empty() and self._clock.host_now() < deadline:
            await self._clock.sleep(EMPTIED_LOOK_S)

    async def run(self) -> None:
        """Hold the channel up, for ever; a broker that is away is tried again with growing pauses."""
        pause = self._settings.reconnect_first_s
        while True:
            try:
                await self._session()
            except (MqttError, ConnectivityError, RefusedStartError, OSError) as error:
                self._note_takeover(error)
                if self.up.is_set():
                    pause = self._settings.reconnect_first_s
                self._set_down(str(error))
            await self._clock.sleep(pause * (0.75 + 0.5 * self._rng.uniform()))
            pause = min(2 * pause, self._settings.reconnect_most_s)

    async def _session(self) -> None:
        """One connection from its first byte to its end; always ends by raising.

        Raises:
            MqttError: The broker is away, refuses, or was lost.
            ConnectivityError: Connected, but commands do not arrive.
        """
        client = await bot_client(self._settings, self._topics, self._intake.dropped)
        async with client:
            await self._subscribe(client)
            jobs = [self._read(client), self._send(client), self._prove()]
            try:
                await _first_end(jobs)
            finally:
                await self._say_goodbye(client)

    async def _subscribe(self, client: Client) -> None:
        granted = await client.subscribe(self._topics.commands, qos=1)
        refused = [code for code in granted if isinstance(code, ReasonCode) and code.is_failure]
        if refused:
            raise ConnectivityError(f"{self._topics.commands}: subscription refused: {refused[0]}")
        await client.publish(self._topics.availability, ONLINE, qos=1, retain=True)

    async def _read(self, client: Client) -> None:
        async for message in client.messages:
            self._intake.take(message)

    async def _send(self, client: Client) -> None:
        while True:
            message = await self._outbox.next()
            await client.publish(
                message.topic,
                message.payload,
                qos=message.qos,
                retain=message.retain,
                properties=message.properties(),
            )
            self._outbox.done(message)

    async def _prove(self) -> None:
        """Call the channel up once commands are known to arrive, and keep proving it."""
        probe = await probe_client(self._settings)
        if probe is None:
            self._set_up()
            await asyncio.Event().wait()
            return
        async with probe:
            while True:
                await self._probe_once(probe)
                self._set_up()
                await self._clock.sleep(self._settings.probe_every_s)

    async def _probe_once(self, probe: Client) -> None:
        nonce = self._rng.token(NONCE_BYTES).hex().encode()
        self._intake.expect(nonce)
        within = self._settings.probe_within_s
        try:
            async with asyncio.timeout(within):
                await probe.publish(self._topics.command(PROBE), nonce, qos=1)
                await self._intake.probed.wait()
        except TimeoutError as error:
            raise ConnectivityError(
                f"a probe written to {self._topics.command(PROBE)} did not arrive within {within:g} s; "
                "check the broker's access list"
            ) from error

    async def _say_goodbye(self, client: Client) -> None:
        """An orderly end; after a broken connection the last will says the same."""
        with contextlib.suppress(MqttError):
            await client.publish(self._topics.availability, OFFLINE, qos=1, retain=True, timeout=GOODBYE_S)

    def _set_up(self) -> None:
        if not self.up.is_set():
            self.up.set()
            self.why_down = ""
            self._changed(True)

    def _set_down(self, why: str) -> None:
        was_up = self.up.is_set()
        self.up.clear()
        self.why_down = why
        self._outbox.forget_stale()
        if was_up:
            self._changed(False)

    def _note_takeover(self, error: Exception) -> None:
        """Somebody connected with our identity; too often is an attack."""
        code = error.rc if isinstance(error, MqttCodeError) else None
        if not isinstance(code, ReasonCode) or code.value != SESSION_TAKEN_OVER:
            return
        now = self._clock.host_now()
        self._takeovers.append(now)
        if len(self._takeovers) > MOST_TAKEOVERS and now - self._takeovers[0] <= TAKEOVER_WINDOW:
            self._takeovers.clear()
            self._alarmed(f"the MQTT identity {self._settings.username} was taken over {MOST_TAKEOVERS + 1} times")


async def _first_end(jobs: list[Coroutine[None, None, None]]) -> None:
    """Run jobs until the first ends, end the others, and raise what it raised."""
    tasks = [asyncio.ensure_future(job) for job in jobs]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        await end_all(tasks)


def _nobody(_what: object) -> None:
    """Nobody listens yet."""
