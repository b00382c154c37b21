"""What a client's bytes go through between its session and its socket; pure, moved by the moments it is given.

A passage collects what a session writes, changes frames, holds bytes back, and gives out pieces when their moment
comes. What always holds: bytes leave in their order, and none is lost but to a connection that is dead.
"""

from collections import deque
from collections.abc import Sequence
from typing import Final

from simulator.troubles.frames import rewritten
from simulator.troubles.kinds import Trouble

LASTING: Final = frozenset({"half_open", "delay", "drip", "split", "login_needed"})
REWRITING: Final = frozenset({"account_not_ready", "id_rollback", "delayed"})


class Passage:
    """One connection's way out."""

    def __init__(self) -> None:
        """Begin clear."""
        self._waiting: deque[tuple[float, bytes]] = deque()
        self._free_at = 0.0

    def __repr__(self) -> str:
        """How much waits, for failing tests."""
        return f"Passage({sum(len(data) for _, data in self._waiting)} bytes in {len(self._waiting)} pieces)"

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits: then a write without troubles may pass by."""
        return not self._waiting

    @property
    def next_at(self) -> float | None:
        """The moment of the next piece, or None."""
        return self._waiting[0][0] if self._waiting else None

    @property
    def waiting_bytes(self) -> int:
        """How many bytes wait."""
        return sum(len(data) for _, data in self._waiting)

    def push(self, data: bytes, now: float, troubles: Sequence[Trouble]) -> None:
        """Take one write.

        Args:
            data: Whole frames.
            now: The present moment, in seconds of any clock that does not run back.
            troubles: Those of the link that concern this client, in the order in which they were asked for.
        """
        at, gap, size = now, 0.0, len(data)
        for trouble in troubles:
            match trouble.kind.name:
                case "half_open" | "login_needed":
                    return
                case "delay":
                    at += trouble.number("seconds")
                case "drip":
                    size, gap = trouble.whole("bytes"), trouble.number("seconds")
                case "split":
                    size = trouble.whole("bytes")
                    at += trouble.number("seconds")
                case name if name in REWRITING:
                    data = rewritten(data, trouble)
        at = max(at, self._free_at)
        for start in range(0, len(data), max(1, size)):
            self._waiting.append((at, data[start : start + size]))
            at += gap
        self._free_at = at

    def due(self, now: float) -> list[bytes]:
        """Return and forget the pieces whose moment has come, each for a write of its own."""
        pieces = []
        while self._waiting and self._waiting[0][0] <= now:
            pieces.append(self._waiting.popleft()[1])
        return pieces

    def clear(self) -> None:
        """Forget what waits: the connection is gone."""
        self._waiting.clear()
