"""Commands in: a bounded queue in which a kill always finds a place, and the way from a message to a command.

What always holds: no message makes the queue grow without bound, none displaces a waiting kill, and kills are served
first. What finds no place is counted and dropped: the sender's tool repeats until the bot itself has answered.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Callable
from datetime import datetime, timedelta

from aiomqtt import Message

from adapters.control.verifier import Verifier
from adapters.mqtt.topics import PROBE, Topics
from bot.domain.command import Channel, Command, CommandName
from bot.ports import Clock

KILL_PLACES = 16
OTHER_PLACES = 128
"""docs/risk-controls.md, Q8: with one queue for all, a flood of 150 messages left no kill."""

QUESTIONS_PER_S = 10
"""Answers to STATUS and PING; what a dashboard that asks too often gets beyond that is silence."""


class CommandQueue(asyncio.Queue[Message]):
    """The client library's queue with kills in a lane of their own."""

    def __init__(self, maxsize: int = 0, *, topics: Topics, dropped: Counter[str]) -> None:
        """Bound both lanes; ``maxsize`` of the library is not used."""
        self._topics = topics
        self._dropped = dropped
        self._kills: deque[Message] = deque()
        self._others: deque[Message] = deque()
        super().__init__(maxsize)

    def qsize(self) -> int:
        """Return how many messages wait."""
        return len(self._kills) + len(self._others)

    def empty(self) -> bool:
        """Return whether nothing waits."""
        return not self._kills and not self._others

    def full(self) -> bool:
        """Return False: what finds no place is dropped here, not by the caller."""
        return False

    def put_nowait(self, item: Message) -> None:
        """Take a message if its lane has a place."""
        lane, places = self._lane_of(item)
        if len(lane) >= places:
            self._dropped["no place left"] += 1
            return
        super().put_nowait(item)

    def _lane_of(self, item: Message) -> tuple[deque[Message], int]:
        if self._topics.name_of(str(item.topic)) == CommandName.KILL.value:
            return self._kills, KILL_PLACES
        return self._others, OTHER_PLACES

    def _put(self, item: Message) -> None:
        self._lane_of(item)[0].append(item)

    def _get(self) -> Message:
        return (self._kills or self._others).popleft()


class Intake:
    """From messages to verified commands; the probe's nonces end here."""

    def __init__(self, *, topics: Topics, verifier: Verifier, clock: Clock) -> None:
        """Hand commands to nobody until `listen`."""
        self._topics = topics
        self._verifier = verifier
        self._clock = clock
        self._receive: Callable[[Command], None] | None = None
        self._questions: deque[datetime] = deque(maxlen=QUESTIONS_PER_S)
        self._nonce = b""
        self.dropped: Counter[str] = Counter()
        self.probed = asyncio.Event()

    def listen(self, receive: Callable[[Command], None]) -> None:
        """Hand verified commands to the desk from now on."""
        self._receive = receive

    def expect(self, nonce: bytes) -> None:
        """Wait for a probe from now on; `probed` is set when it comes."""
        self._nonce = nonce
        self.probed.clear()

    def take(self, message: Message) -> None:
        """Judge one message; what is no command of a known form is dropped and counted by the verifier."""
        name = self._topics.name_of(str(message.topic))
        payload = message.payload
        if name == PROBE:
            if self._nonce and payload == self._nonce:
                self.probed.set()
            return
        command = self._verifier.command_of(name, payload, Channel.MQTT, retained=bool(message.retain))
        if command is None or self._receive is None:
            return
        asks = not command.name.only_tightens and not command.name.loosens
        if asks and self._asked_too_often():
            self.dropped["asked too often"] += 1
            return
        self._receive(command)

    def _asked_too_often(self) -> bool:
        now = self._clock.host_now()
        oldest = self._questions[0] if len(self._questions) == QUESTIONS_PER_S else None
        if oldest is not None and timedelta(0) <= now - oldest < timedelta(seconds=1):
            return True
        self._questions.append(now)
        return False
