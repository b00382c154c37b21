"""The asyncio shell around the sessions: connections in, effects out; nothing is decided here.

A client that does not read is dropped once `MOST_WAITING_BYTES` wait for it: a full buffer would only make its data
older. Works on the virtual loop and on a real one. Where the link's troubles say so, bytes go through a passage that
delays or cuts them, frames are changed or lost, and the port is closed for a while (`simulator.troubles`).

On a real socket what one turn of the loop has for a client leaves in one write: each write wakes its reader and costs
more than the ticks in it, and the kernel may join them anyway. In memory, on the virtual loop, each piece stays one of
its own, so that a replay's client sees every event by itself.
"""

import asyncio
import logging
import socket
import struct
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from typing import Final, cast

from simulator.ports import Heard
from simulator.troubles.link import Link
from simulator.troubles.passage import Passage
from simulator.tws.desk import Desk
from simulator.tws.framing import fields_of, frame_of
from simulator.tws.line import Close, Effect, Note, Write
from simulator.tws.session import Session, Step

MOST_WAITING_BYTES: Final = 8 * 1024 * 1024
"""About twenty seconds of a flood of ticks; a client that far behind is lost."""
STOP_GRACE_S: Final = 2.0
"""Seconds of the loop in which clients may read what was written before the stop."""
_MOST_NOTE: Final = 300
_HALF_A_FRAME: Final = b"\0\0\0\x404\0"
_RESET_AT_ONCE: Final = struct.pack("ii", 1, 0)

_log = logging.getLogger(__name__)


class Server:
    """Accepts clients and carries bytes between them and their sessions."""

    def __init__(self, desk: Desk, *, link: Link | None = None, most_waiting_bytes: int = MOST_WAITING_BYTES) -> None:
        """Serve the clients of a desk, over a link that may have troubles."""
        self._desk = desk
        self.link = link
        if link is not None:
            link.serve(self)
        self._most_waiting = most_waiting_bytes
        self._connections: set[_Connection] = set()
        self._server: asyncio.Server | None = None
        self._address = ("", 0)
        self._opening: asyncio.Task[None] | None = None
        self._stop_listening: Callable[[], None] | None = None
        self._flush_is_due = False
        self._nobody = asyncio.Event()  # set while nobody is connected
        self._nobody.set()

    def __repr__(self) -> str:
        """How many are connected, for failing tests."""
        return f"Server({len(self._connections)} connections)"

    async def start(self, host: str, port: int) -> int:
        """Listen; returns the port, which matters when 0 was asked for."""
        self._server = await self._listening(host, port)
        self._stop_listening = self._desk.floor.listen(self._hear)
        self._address = host, int(self._server.sockets[0].getsockname()[1])
        return self._address[1]

    async def _listening(self, host: str, port: int) -> asyncio.Server:
        loop = asyncio.get_running_loop()
        return await loop.create_server(lambda: _Connection(self, Session(self._desk)), host, port)

    async def stop(self) -> None:
        """Close every connection and stop listening; who does not read his last bytes in time is cut off."""
        if self._server is None:
            return
        if self._opening is not None:
            await self._opening
        self._server.close()
        for connection in tuple(self._connections):
            connection.session.close("server stops")
            connection.flush()
        try:
            async with asyncio.timeout(STOP_GRACE_S):
                await self._nobody.wait()
        except TimeoutError:
            for connection in tuple(self._connections):
                connection.abort()
            await self._nobody.wait()
        await self._server.wait_closed()
        self._server = None
        if self._stop_listening is not None:
            self._stop_listening()
            self._stop_listening = None

    def connections(self) -> Iterable["_Connection"]:
        """Return everybody who is connected now."""
        return tuple(self._connections)

    def close_port(self) -> None:
        """Refuse connections; who is connected stays."""
        if self._server is not None:
            self._server.close()

    def open_port(self) -> None:
        """Take connections again on the port that was closed."""
        if self._server is not None and not self._server.is_serving() and self._opening is None:
            self._opening = asyncio.get_running_loop().create_task(self._reopen())

    async def _reopen(self) -> None:
        try:
            self._server = await self._listening(*self._address)
        finally:
            self._opening = None

    def flush(self) -> None:
        """Write everything that the sessions have to say."""
        self._flush_is_due = False
        for connection in tuple(self._connections):
            if connection.session.is_waiting:
                connection.flush()

    def attach(self, connection: "_Connection") -> int:
        """Count a connection in and return how much may wait for it, in bytes."""
        self._connections.add(connection)
        self._nobody.clear()
        return self._most_waiting

    def detach(self, connection: "_Connection") -> None:
        """Count a connection out."""
        self._connections.discard(connection)
        if not self._connections:
            self._nobody.set()

    def _hear(self, _event: Heard) -> None:
        """Something happened on the floor: write what the sessions made of it at the end of this callback."""
        if not self._flush_is_due:
            self._flush_is_due = True
            asyncio.get_running_loop().call_soon(self.flush)


class _Connection(asyncio.Protocol):
    """One client's socket."""

    def __init__(self, server: Server, session: Session) -> None:
        self.session = session
        self._server = server
        self._transport: asyncio.Transport | None = None
        self._most_waiting = 0
        self._passage = Passage()
        self._timer: asyncio.TimerHandle | None = None
        self._has_greeted = False
        self._joins = False
        self._known_as = -1  # the client's id once it is known
        self._ends_when_empty = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin; small frames leave at once."""
        self._transport = cast("asyncio.Transport", transport)
        self._most_waiting = self._server.attach(self)
        connected = transport.get_extra_info("socket")
        if connected is not None:
            self._joins = connected.fileno() >= 0  # in memory there is no descriptor
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def data_received(self, data: bytes) -> None:
        """Hand bytes to the session, and write what it and others have to say."""
        link = self._server.link
        if link is None or not link.lasting or not link.is_deaf(self._owned_id()):
            self.session.receive(data)
        if self._known_as < 0 <= self._owned_id():
            self._known_as = self._owned_id()
            _log.info("client %d connected", self._known_as)
        self._server.flush()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """Free the client's id at once."""
        self._server.detach(self)
        if self._known_as >= 0:
            _log.info("client %d is gone", self._known_as)
        self._transport = None
        if self._timer is not None:
            self._timer.cancel()
        self._passage.clear()
        self.session.close("connection lost")
        self._carry_out()

    def abort(self) -> None:
        """Cut the connection; what was not read is lost."""
        if self._transport is not None:
            self._transport.abort()

    def reset(self) -> None:
        """Cut the connection in the middle of a frame, with a reset where there is a real socket."""
        if self._transport is None:
            return
        self._transport.write(_HALF_A_FRAME)
        connected = self._transport.get_extra_info("socket")
        if connected is not None:
            connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_AT_ONCE)
        self._transport.abort()

    def flush(self) -> None:
        """Carry out the session's effects, then drop a client that does not read."""
        self._carry_out()
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        waiting = transport.get_write_buffer_size() + self._passage.waiting_bytes
        if waiting > self._most_waiting:
            _log.warning("client %d does not read, %d bytes wait: dropped", self.session.client_id, waiting)
            self.session.close("too slow")
            self.session.take()
            transport.abort()

    def _carry_out(self) -> None:
        transport, effects = self._transport, self.session.take()
        for effect in _joined(effects) if self._joins and self._has_greeted else effects:
            match effect:
                case Note():
                    _log.warning("%r", effect.text[:_MOST_NOTE])
                case Write() if transport is not None:
                    self._write(transport, effect.data)
                case Close() if transport is not None:
                    self._close(transport)
                case _:
                    pass  # the other side is gone

    def _write(self, transport: asyncio.Transport, data: bytes) -> None:
        """Write at once, or by way of the passage where the link has troubles for this client."""
        link = self._server.link
        if not self._has_greeted:
            self._has_greeted = True
            data = _greeting(data, None if link is None else link.take_version())
        troubles = link.concerning(self._owned_id()) if link is not None and link.lasting else ()
        if not troubles and self._passage.is_empty:
            transport.write(data)
            return
        self._passage.push(data, asyncio.get_running_loop().time(), troubles)
        if self._timer is None:
            self._let_pass()

    def _owned_id(self) -> int:
        """Return the client's id once it is this session's, -1 before: a twin that is refused has none."""
        return self.session.client_id if self.session.step is Step.READY else -1

    def _let_pass(self) -> None:
        """Write what is due, and come again for the rest."""
        loop = asyncio.get_running_loop()
        self._timer = None
        transport = self._transport
        if transport is None:
            return
        for piece in self._passage.due(loop.time()):
            transport.write(piece)
        next_at = self._passage.next_at
        if next_at is not None:
            self._timer = loop.call_at(next_at, self._let_pass)
        elif self._ends_when_empty:
            transport.close()

    def _close(self, transport: asyncio.Transport) -> None:
        """End the connection after what waits."""
        if self._passage.is_empty:
            transport.close()
        else:
            self._ends_when_empty = True


def _joined(effects: Iterable[Effect]) -> Iterator[Effect]:
    """Yield effects in their order, neighbouring writes as one."""
    for is_write, group in groupby(effects, lambda effect: isinstance(effect, Write)):
        if is_write:
            yield Write(b"".join(effect.data for effect in group if isinstance(effect, Write)))
        else:
            yield from group


def _greeting(data: bytes, version: str | None) -> bytes:
    """Return the handshake's answer, with a wrong version where one is asked for."""
    if version is None:
        return data
    return frame_of([version, *fields_of(data[4:])[1:]])
