"""A listener's end of the bot's telemetry: heartbeat, availability, state; reconnects for ever."""

from collections.abc import Callable
from pathlib import Path

from aiomqtt import MqttError

from adapters.mqtt.sessions import operator_client
from adapters.mqtt.settings import MqttSettings
from adapters.mqtt.topics import Topics
from bot.domain.errors import RefusedStartError
from bot.ports import Clock

WATCHED = ("heartbeat", "availability", "state")


class Monitor:
    """Hears what the bot tells of itself, under an identity that may write nothing."""

    def __init__(
        self, *, settings: MqttSettings, bot: str, username: str, password_file: Path | None, clock: Clock
    ) -> None:
        """Take the parts; nothing is opened before `run`."""
        self._settings = settings
        self._topics = Topics(bot=bot)
        self._username = username
        self._password_file = password_file
        self._clock = clock

    async def run(self, heard: Callable[[str, bytes], None], deaf: Callable[[str], None]) -> None:
        """Listen for ever.

        Args:
            heard: Told of each message: the topic below the bot's name, and its bytes.
            deaf: Told why nothing is heard; with an empty text once it listens.
        """
        pause = self._settings.reconnect_first_s
        while True:
            try:
                await self._listen(heard, deaf)
            except (MqttError, RefusedStartError, OSError) as error:
                deaf(f"{self._settings.host}:{self._settings.port}: {error}")
            await self._clock.sleep(pause)
            pause = min(2 * pause, self._settings.reconnect_most_s)

    async def _listen(self, heard: Callable[[str, bytes], None], deaf: Callable[[str], None]) -> None:
        client = await operator_client(self._settings, self._username, self._password_file)
        async with client:
            for name in WATCHED:
                await client.subscribe(self._topics.below(name), qos=1)
            deaf("")
            async for message in client.messages:
                payload = message.payload
                heard(str(message.topic).removeprefix(self._topics.below("")), bytes(payload or b""))
