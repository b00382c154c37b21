"""The writing side of one client's session: what is to leave, in order, each piece in a write of its own."""

from dataclasses import dataclass
from typing import Any

from simulator.tws.answers.login import ErrorText
from simulator.tws.layout import encode


@dataclass(frozen=True, slots=True)
class Write:
    """Bytes for one write to the client."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Close:
    """End the connection, after what was written before."""

    why: str


@dataclass(frozen=True, slots=True)
class Note:
    """A line for the log."""

    text: str


Effect = Write | Close | Note


class Line:
    """One client's outgoing effects; the conversations write to it, the session's owner takes from it."""

    def __init__(self) -> None:
        """Begin empty, with no client and no version agreed."""
        self.client_id = 0  # once it has named itself
        self.version = 0
        self.is_closed = False
        self.sent_bytes = 0
        self._effects: list[Effect] = []

    @property
    def is_waiting(self) -> bool:
        """Whether something waits to be taken."""
        return bool(self._effects)

    def send(self, *frames: bytes) -> None:
        """Add frames that belong to one event as one write."""
        if not self.is_closed:
            data = b"".join(frames)
            self.sent_bytes += len(data)
            self._effects.append(Write(data))

    def tell(self, *messages: Any) -> None:
        """Add messages that belong to one event as one write; none of them is no write."""
        if messages:
            self.send(*(encode(message, self.version) for message in messages))

    def error(self, req_id: int, code: int, text: str) -> None:
        """Add an error: -1 for the connection, a request's or an order's own id otherwise."""
        self.tell(ErrorText(req_id=req_id, code=code, text=text))

    def note(self, text: str) -> None:
        """Add a line for the log."""
        self._effects.append(Note(text))

    def close(self, why: str) -> None:
        """End the connection; nothing is written after it."""
        if not self.is_closed:
            self.is_closed = True
            self._effects.append(Close(why))

    def take(self) -> tuple[Effect, ...]:
        """Return and forget what waits."""
        effects = tuple(self._effects)
        self._effects.clear()
        return effects
