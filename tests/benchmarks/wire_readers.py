"""Clients that only read, in a process of their own: their work is not done on the gateway's core."""

import asyncio
import multiprocessing
import selectors
import socket
import struct
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from tests.benchmarks.measure import now_ns

_SPAWN = multiprocessing.get_context("spawn")
_PIECE = 1 << 20
_QUIET_S = 0.5  # nothing more is under way on loopback after this long
_LENGTH = struct.Struct(">I")


@dataclass(frozen=True, slots=True, kw_only=True)
class Flood:
    """What one client read: frames by message id, and when the last byte came, in nanoseconds of `now_ns`."""

    frames: dict[bytes, int]
    last_at: int


Receipts = list[tuple[int, int]]
"""When bytes came, in nanoseconds of `now_ns`, and to which client."""


class Readers:
    """A process that reads until it is asked what it has read; the clock is the machine's, the same in both."""

    def __init__(self, read: Callable[..., None], *given: object) -> None:
        self._pipe, theirs = _SPAWN.Pipe()
        self._process = _SPAWN.Process(target=read, args=(*given, theirs), daemon=True)
        self._process.start()

    async def ready(self) -> None:
        """Wait until all have dialled and asked."""
        await asyncio.to_thread(self._pipe.recv)

    async def result(self) -> Any:
        """Let it read what is still under way and return what it read."""
        self._pipe.send(None)
        found = await asyncio.to_thread(self._pipe.recv)
        self._process.join()
        return found


def read_flood(port: int, opening: bytes, pipe: Connection) -> None:
    """Read with one client; frames are counted afterwards, so that reading is never what is slow."""
    link = socket.create_connection(("127.0.0.1", port))
    link.sendall(opening)
    link.settimeout(_QUIET_S)
    pipe.send("ready")
    pieces, last_at = [], 0
    while True:
        try:
            piece = link.recv(_PIECE)
        except TimeoutError:
            if pipe.poll():
                break
            continue
        if not piece:
            break
        last_at = now_ns()
        pieces.append(piece)
    link.close()
    pipe.send(Flood(frames=_counted(b"".join(pieces)), last_at=last_at))


def read_steps(port: int, openings: Sequence[bytes], pipe: Connection) -> None:
    """Read with many clients and note when bytes came to which."""
    chosen = selectors.DefaultSelector()
    for number, opening in enumerate(openings):
        link = socket.create_connection(("127.0.0.1", port))
        link.sendall(opening)
        link.setblocking(False)
        chosen.register(link, selectors.EVENT_READ, number)
    pipe.send("ready")
    receipts: Receipts = []
    until = float("inf")
    while time.monotonic() < until:
        for key, _ in chosen.select(timeout=0.1):
            key.fileobj.recv(_PIECE)  # type: ignore[union-attr]  # a socket was registered
            receipts.append((now_ns(), key.data))
        if until == float("inf") and pipe.poll():
            until = time.monotonic() + _QUIET_S
    for key in tuple(chosen.get_map().values()):
        key.fileobj.close()  # type: ignore[union-attr]  # as above
    pipe.send(receipts)


def _counted(data: bytes) -> dict[bytes, int]:
    counts: dict[bytes, int] = {}
    position = 0
    while position + 4 <= len(data):
        (size,) = _LENGTH.unpack_from(data, position)
        number = data[position + 4 : data.index(b"\0", position + 4)]
        counts[number] = counts.get(number, 0) + 1
        position += 4 + size
    return counts
