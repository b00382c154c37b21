"""Time, ids and chance of a run on virtual time: the loop's clock and sub-seeded streams, repeatable from one seed."""

import asyncio
import hashlib
import uuid
from datetime import UTC, datetime, timedelta

import numpy as np

from simulator.virtual_time import VirtualLoop

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class VirtualClock:
    """The clock of a virtual loop; the machine's own time does not exist in there, so `host_now` is the same."""

    def __init__(self, loop: VirtualLoop) -> None:
        """Read the given loop."""
        self._loop = loop

    def now_ns(self) -> int:
        """Virtual nanoseconds since 1970."""
        return self._loop.wall_ns()

    def now(self) -> datetime:
        """Aware UTC."""
        return _EPOCH + timedelta(microseconds=self._loop.wall_ns() // 1000)

    def host_now(self) -> datetime:
        """Aware UTC, the same as `now`."""
        return self.now()

    def stepped_s(self) -> float:
        """Zero: there is one time only."""
        return 0.0

    async def sleep(self, seconds: float) -> None:
        """Wait on the loop's time."""
        await asyncio.sleep(max(0.0, seconds))


class SeededIds:
    """UUIDs drawn from a seed and an actor's name: adding an actor does not move the others."""

    def __init__(self, seed: int, actor: str) -> None:
        """Open the actor's stream."""
        self._stream = _stream(seed, actor)

    def new_id(self) -> str:
        """Return the next UUID of the stream."""
        return str(uuid.UUID(bytes=self._stream.bytes(16), version=4))


class SeededRng:
    """Bytes and numbers drawn from a seed and an actor's name; never for secrets outside a simulation."""

    def __init__(self, seed: int, actor: str) -> None:
        """Open the actor's stream."""
        self._stream = _stream(seed, actor)

    def token(self, n_bytes: int) -> bytes:
        """Return the next bytes of the stream."""
        return self._stream.bytes(n_bytes)

    def uniform(self) -> float:
        """Return the next number in [0, 1)."""
        return float(self._stream.random())


def _stream(seed: int, actor: str) -> np.random.Generator:
    digest = hashlib.sha256(f"{seed}/{actor}".encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:16], "big"))
