"""The writing side of one client's session: what is to leave, in order, each piece in a write of its own."""

from dataclasses import dataclass

from simulator.tws.framing import Value, frame


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
        self.client_id = 0
        self.version = 0
        self.is_closed = False
        self._effects: list[Effect] = []

    @property
    def is_waiting(self) -> bool:
        """Whether something waits to be taken."""
        return bool(self._effects)

    def send(self, *frames: bytes) -> None:
        """Add frames that belong to one event as one write."""
        if not self.is_closed:
            self._effects.append(Write(b"".join(frames)))

    def error(self, req_id: int, code: int, text: str) -> None:
        """Add an error: -1 for the connection, a request's or an order's own id otherwise."""
        self.send(error_frame(req_id, code, text, self.version))

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


def error_frame(req_id: int, code: int, text: str, version: int) -> bytes:
    """Return 4; from 166 on with an empty field for the advanced rejection."""
    tail: tuple[Value, ...] = ("",) if version >= 166 else ()
    return frame(4, 2, req_id, code, text, *tail)
