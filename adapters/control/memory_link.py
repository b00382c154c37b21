"""A command link inside the process: the same verifier and the same signed acks, without a broker of messages."""

from collections import deque
from collections.abc import Callable, Mapping

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from adapters.control.acks import signed_ack
from adapters.control.verifier import Verifier
from adapters.journal.codec import plain
from bot.domain.command import Ack, Channel, Command
from bot.ports import Clock

ACKS_KEPT = 1000


class MemoryLink:
    """A `bot.ports.CommandLink`; an operator in the same process delivers bytes and reads what was published."""

    def __init__(self, *, verifier: Verifier, bot_key: Ed25519PrivateKey, clock: Clock) -> None:
        """Nobody listens until `listen`."""
        self._verifier = verifier
        self._bot_key = bot_key
        self._clock = clock
        self._receive: Callable[[Command], None] | None = None
        self.retained: dict[str, Mapping[str, object]] = {}
        self.acks: deque[Ack] = deque(maxlen=ACKS_KEPT)

    def listen(self, receive: Callable[[Command], None]) -> None:
        """Hand verified commands to the desk from now on."""
        self._receive = receive

    def deliver(self, name: str, payload: bytes) -> None:
        """Bring one message to the bot, as if it had come on ``cmd/<name>``."""
        command = self._verifier.command_of(name, payload, Channel.IN_MEMORY)
        if command is not None and self._receive is not None:
            self._receive(command)

    def acknowledge(self, ack: Ack) -> None:
        """Keep an ack, signed and checked as it would be sent."""
        signed_ack(ack, self._bot_key, self._clock.host_now())
        self.acks.append(ack)

    def publish(self, topic: str, payload: Mapping[str, object], *, retain: bool = False) -> None:
        """Keep the last retained message of each topic."""
        if retain:
            written = plain(dict(payload))
            self.retained[topic] = written if isinstance(written, dict) else {}
