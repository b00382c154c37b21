"""The asyncio shell around the sessions: connections in, effects out; nothing is decided here.

A client that does not read is dropped once `MOST_WAITING_BYTES` wait for it: a full buffer would only make its data
older. Works on the virtual loop and on a real one.
"""

import asyncio
import logging
import socket
from collections.abc import Callable
from typing import Final, cast

from simulator.faults import Broadcast, Disconnect, Fault, NextOrder, ReleaseId
from simulator.tws.desk import Desk
from simulator.tws.line import Close, Note, Write
from simulator.tws.session import Session
from simulator.venue import VenueEvent, VenueQuote

MOST_WAITING_BYTES: Final = 8 * 1024 * 1024
"""About twenty seconds of a flood of ticks; a client that far behind is lost."""
STOP_GRACE_S: Final = 2.0
"""Seconds of the loop in which clients may read what was written before the stop."""
_MOST_NOTE: Final = 300

_log = logging.getLogger(__name__)


class Server:
    """Accepts clients and carries bytes between them and their sessions."""

    def __init__(self, desk: Desk, *, most_waiting_bytes: int = MOST_WAITING_BYTES) -> None:
        """Serve the clients of a desk."""
        self._desk = desk
        self._most_waiting = most_waiting_bytes
        self._connections: set[_Connection] = set()
        self._server: asyncio.Server | None = None
        self._stop_listening: Callable[[], None] | None = None
        self._flush_is_due = False
        self._nobody = asyncio.Event()  # set while nobody is connected
        self._nobody.set()

    def __repr__(self) -> str:
        """How many are connected, for failing tests."""
        return f"Server({len(self._connections)} connections)"

    async def start(self, host: str, port: int) -> int:
        """Listen; returns the port, which matters when 0 was asked for."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Connection(self, Session(self._desk)), host, port)
        self._stop_listening = self._desk.floor.listen(self._hear)
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Close every connection and stop listening; who does not read his last bytes in time is cut off."""
        if self._server is None:
            return
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

    def inject(self, fault: Fault) -> None:
        """Let a fault happen, or wait for the next order."""
        match fault:
            case NextOrder():
                self._desk.faults.add(fault)
            case ReleaseId():
                self._desk.faults.held_ids.discard(fault.client_id)
            case Disconnect():
                self._disconnect(fault)
            case Broadcast():
                for connection in tuple(self._connections):
                    connection.session.notify_link(fault.notice)
        self.flush()

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

    def _disconnect(self, fault: Disconnect) -> None:
        session = self._desk.client(fault.client_id)
        if isinstance(session, Session):
            session.close("disconnected by a fault", keep_id=fault.hold_id)
        elif fault.hold_id:
            self._desk.faults.held_ids.add(fault.client_id)

    def _hear(self, _event: VenueEvent | VenueQuote) -> None:
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

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin; small frames leave at once."""
        self._transport = cast("asyncio.Transport", transport)
        self._most_waiting = self._server.attach(self)
        connected = transport.get_extra_info("socket")
        if connected is not None:
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def data_received(self, data: bytes) -> None:
        """Hand bytes to the session, and write what it and others have to say."""
        self.session.receive(data)
        self._server.flush()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """Free the client's id at once."""
        self._server.detach(self)
        self._transport = None
        self.session.close("connection lost")
        self._carry_out()

    def abort(self) -> None:
        """Cut the connection; what was not read is lost."""
        if self._transport is not None:
            self._transport.abort()

    def flush(self) -> None:
        """Carry out the session's effects, then drop a client that does not read."""
        self._carry_out()
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        waiting = transport.get_write_buffer_size()
        if waiting > self._most_waiting:
            _log.warning("client %d does not read, %d bytes wait: dropped", self.session.client_id, waiting)
            self.session.close("too slow")
            self.session.take()
            transport.abort()

    def _carry_out(self) -> None:
        transport = self._transport
        for effect in self.session.take():
            match effect:
                case Note():
                    _log.warning("%r", effect.text[:_MOST_NOTE])
                case Write() if transport is not None:
                    transport.write(effect.data)
                case Close() if transport is not None:
                    transport.close()
                case _:
                    pass  # the other side is gone
