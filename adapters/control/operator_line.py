"""An operator's way to the bot, as the tool sees it: send a command, read signed acks, read what the bot has told."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from bot.domain.command import CommandName


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """One command to be sent; ``payload`` holds the signed envelope.

    ``by_key`` says whether it is signed by a person's key: else it is of use where the line itself is proof enough.
    """

    name: CommandName
    command_id: str
    reason: str
    payload: bytes
    by_key: bool = True
    args: Mapping[str, str | int] = field(default_factory=dict)


class OperatorLine(Protocol):
    """One open way to the bot."""

    async def send(self, sending: Sending) -> None:
        """Send a command; that it left means nothing, only the bot's ack does.

        Raises:
            ConnectivityError: The way is broken.
        """
        ...

    async def next_ack(self) -> bytes:
        """Wait for the next message that may be an ack.

        Raises:
            ConnectivityError: The way is broken.
        """
        ...

    async def challenge(self) -> Mapping[str, object] | None:
        """Return the bot's present challenge, None where there is none."""
        ...

    async def clear_retained_kill(self) -> bool:
        """Clear a kill that the broker keeps; True when none is left."""
        ...

    async def close(self) -> None:
        """Hang up."""
        ...
