"""The operator's end of the command channel: publishes signed commands, hears acks, state and challenge."""

import asyncio
import json
from collections import deque
from collections.abc import Mapping
from pathlib import Path

from aiomqtt import Client, Message, MqttError
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from adapters.control.operator_line import Sending
from adapters.mqtt.sessions import operator_client
from adapters.mqtt.settings import MqttSettings
from adapters.mqtt.topics import Topics
from bot.domain.command import CommandName
from bot.domain.errors import ConnectivityError
from bot.tasks import end_all

COMMAND_LASTS_S = 30
"""docs/risk-controls.md, Q6: every command but a kill expires at the broker."""

ACKS_KEPT = 256
RETAINED_WITHIN_S = 1.0


class MqttLine:
    """An `OperatorLine` over a broker of messages; one connection, one reading task."""

    def __init__(self, client: Client, topics: Topics) -> None:
        """Use `open_mqtt_line`."""
        self._client = client
        self._topics = topics
        self._acks: deque[bytes] = deque(maxlen=ACKS_KEPT)
        self._told: dict[str, bytes] = {}
        self._news = asyncio.Condition()
        self._broken: str | None = None
        self._reading = asyncio.create_task(self._read())

    async def subscribe(self) -> None:
        """Hear what the bot says; a broker that refuses shows when no ack comes."""
        for topic in (self._topics.acks, self._topics.below("state"), self._topics.below("challenge")):
            await self._client.subscribe(topic, qos=1)

    async def send(self, sending: Sending) -> None:
        """Publish a command; all but a kill expire at the broker."""
        properties = None if sending.name is CommandName.KILL else _lasting(COMMAND_LASTS_S)
        try:
            await self._client.publish(
                self._topics.command(sending.name.value), sending.payload, qos=1, properties=properties
            )
        except MqttError as error:
            raise ConnectivityError(f"the broker is lost: {error}") from error

    async def next_ack(self) -> bytes:
        """Return the next message below ``ack/``."""
        async with self._news:
            await self._news.wait_for(lambda: self._acks or self._broken is not None)
            if self._acks:
                return self._acks.popleft()
        raise ConnectivityError(f"the broker is lost: {self._broken}")

    async def challenge(self) -> Mapping[str, object] | None:
        """Return the retained challenge."""
        return await self._retained(self._topics.below("challenge"))

    async def clear_retained_kill(self) -> bool:
        """Clear a retained kill and look whether one is still kept."""
        topic = self._topics.command(CommandName.KILL.value)
        await self._client.publish(topic, b"", qos=1, retain=True)
        self._told.pop(topic, None)
        await self._client.subscribe(topic, qos=1)
        kept = await self._wait_for_retained(topic)
        await self._client.unsubscribe(topic)
        return kept is None

    async def close(self) -> None:
        """Hang up."""
        await end_all((self._reading,))
        await self._client.__aexit__(None, None, None)

    async def _retained(self, topic: str) -> Mapping[str, object] | None:
        payload = await self._wait_for_retained(topic)
        try:
            facts = json.loads(payload or b"")
        except ValueError:
            return None
        return facts if isinstance(facts, dict) else None

    async def _wait_for_retained(self, topic: str) -> bytes | None:
        try:
            async with asyncio.timeout(RETAINED_WITHIN_S), self._news:
                await self._news.wait_for(lambda: bool(self._told.get(topic)))
        except TimeoutError:
            return None
        return self._told[topic]

    async def _read(self) -> None:
        try:
            async for message in self._client.messages:
                await self._take(message)
        except MqttError as error:
            self._broken = str(error)
            async with self._news:
                self._news.notify_all()

    async def _take(self, message: Message) -> None:
        topic, payload = str(message.topic), bytes(message.payload)
        async with self._news:
            if topic.startswith(self._topics.below("ack/")):
                self._acks.append(payload)
            else:
                self._told[topic] = payload
            self._news.notify_all()


async def open_mqtt_line(settings: MqttSettings, bot: str, username: str, password_file: Path | None) -> MqttLine:
    """Connect as an operator.

    Raises:
        ConnectivityError: The broker is away or refuses.
        RefusedStartError: The password file cannot be used.
    """
    client = await operator_client(settings, username, password_file)
    try:
        await client.__aenter__()
    except MqttError as error:
        raise ConnectivityError(f"{settings.host}:{settings.port}: the broker is away or refuses: {error}") from error
    line = MqttLine(client, Topics(bot=bot))
    try:
        await line.subscribe()
    except MqttError as error:
        await line.close()
        raise ConnectivityError(f"{settings.host}:{settings.port}: subscription failed: {error}") from error
    return line


def _lasting(seconds: int) -> Properties:
    properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]  # carries no types
    properties.MessageExpiryInterval = seconds
    return properties
