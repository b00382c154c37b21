"""In-memory connections and servers for the virtual-time loop: the transport surface of asyncio, without a socket.

Bytes written on one side are handed to the other side's protocol chunk by chunk, in order, each chunk in a callback of
its own, so that one write is one ``data_received``. What the other side has not read yet counts as the writer's buffer.
Bytes once written still arrive after ``close`` and ``abort``, as from a kernel; ``reset`` loses them on both sides.
"""

# ruff: noqa: SLF001 - the two ends of a connection are of one class and know each other

import asyncio
import errno
import ipaddress
import socket
import sys
from collections import deque
from collections.abc import Callable
from typing import Any, Self

Address = tuple[str, int]
ProtocolFactory = Callable[[], asyncio.BaseProtocol]

EVERY_HOST = "0.0.0.0"  # noqa: S104 - no interface is bound: the name only exists inside the process
LOOPBACK = "127.0.0.1"
FIRST_EPHEMERAL_PORT = 49152
HIGH_WATER = 64 * 1024


class FencedError(RuntimeError):
    """Something tried to leave the virtual world: a real socket, a name server, a thread, another process."""


def resolve(host: str | None, port: int | str | None) -> Address:
    """Return the canonical address of a literal or of ``localhost``; empty and None mean every interface.

    Raises:
        FencedError: A name that only a name server could resolve.
    """
    number = int(port or 0)
    if not host or host == "::":
        return EVERY_HOST, number
    if host in ("localhost", "::1"):
        return LOOPBACK, number
    try:
        return str(ipaddress.ip_address(host)), number
    except ValueError:
        raise FencedError(
            f"host {host!r} needs a name server, which virtual time does not have: use localhost or an address"
        ) from None


class VirtualSocket:
    """What ``get_extra_info("socket")`` and ``Server.sockets`` hand out: two addresses and no descriptor."""

    __slots__ = ("_local", "_remote")

    family = socket.AF_INET
    type = socket.SOCK_STREAM
    proto = socket.IPPROTO_TCP

    def __init__(self, local: Address, remote: Address | None) -> None:
        self._local = local
        self._remote = remote

    def getsockname(self) -> Address:
        """Return the own address."""
        return self._local

    def getpeername(self) -> Address:
        """Return the other side's address; OSError on a listening socket."""
        if self._remote is None:
            raise OSError(errno.ENOTCONN, "a listening socket has no peer")
        return self._remote

    def setsockopt(self, *_option: object) -> None:
        """Accept and ignore an option: there is no kernel to set it in."""

    def getsockopt(self, *_option: object) -> int:
        """Answer 0 for every option."""
        return 0

    def fileno(self) -> int:
        """Return -1, as a closed socket does: there is no descriptor to poll."""
        return -1


class VirtualTransport(asyncio.Transport):
    """One end of an in-memory connection; ``pair`` makes both."""

    _peer: "VirtualTransport"

    def __init__(self, loop: asyncio.AbstractEventLoop, local: Address, remote: Address, latency_s: float) -> None:
        super().__init__({"sockname": local, "peername": remote, "socket": VirtualSocket(local, remote)})
        self._loop = loop
        self._latency_s = latency_s
        self._arrives_at = 0.0
        self._protocol: Any = None  # a duck: data_received and get_buffer protocols have no common typed surface
        self._server: VirtualServer | None = None
        self._inbox: deque[bytes | None] = deque()  # None is the other side's end of file
        self._unread = 0
        self._held = 0  # deliveries that came due while reading was paused
        self._paused = self._closing = self._gone = False
        self._eof_sent = self._eof_received = False
        self._writer_paused = False
        self._high, self._low = HIGH_WATER, HIGH_WATER // 4

    @classmethod
    def pair(cls, loop: asyncio.AbstractEventLoop, near: Address, far: Address, latency_s: float) -> tuple[Self, Self]:
        """Return both ends of a new connection, not yet opened."""
        one, other = cls(loop, near, far, latency_s), cls(loop, far, near, latency_s)
        one._peer, other._peer = other, one
        return one, other

    def __repr__(self) -> str:
        state = "gone" if self._gone else "closing" if self._closing else "open"
        return f"<VirtualTransport {self.get_extra_info('sockname')} {state} unread={self._unread}>"

    def open(self, factory: ProtocolFactory, server: "VirtualServer | None", opened: asyncio.Future[None]) -> None:
        """Make the protocol, announce the connection to it and settle ``opened``."""
        if self._closing:
            return  # the one who asked for the connection gave up before it stood
        self._server = server
        try:
            self._protocol = factory()
            if server is not None:
                server.attach(self)
            self._protocol.connection_made(self)
        except Exception as error:  # noqa: BLE001 - a foreign callback: its failure belongs to the waiter
            self._shut(error, tell_peer=True)
            if not opened.done():
                opened.set_exception(error)
            return
        if not opened.done():
            opened.set_result(None)

    # Writing

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Hand bytes to the other side; dropped without a word once this side is closing, as asyncio does."""
        if not isinstance(data, (bytes, bytearray, memoryview)):
            raise TypeError(f"data must be bytes-like, was {type(data).__name__}")
        if self._eof_sent:
            raise RuntimeError("Cannot call write() after write_eof()")
        if self._closing or not data:
            return
        peer = self._peer
        if peer._closing:
            if self._eof_received:
                self._shut(ConnectionResetError(errno.ECONNRESET, "Connection reset by peer"), tell_peer=False)
            return
        peer._unread += len(data)
        peer._accept(bytes(data))
        self._pause_writer()

    def writelines(self, list_of_data: Any) -> None:
        """Write the pieces as one chunk."""
        self.write(b"".join(list_of_data))

    def can_write_eof(self) -> bool:
        """Half-closing is supported."""
        return True

    def write_eof(self) -> None:
        """Tell the other side that nothing more comes; reading goes on."""
        if self._closing or self._eof_sent:
            return
        self._eof_sent = True
        self._peer._accept(None)

    def get_write_buffer_size(self) -> int:
        """Return the bytes written and not yet read by the other side."""
        return self._peer._unread

    def get_write_buffer_limits(self) -> tuple[int, int]:
        """Return (low, high) water."""
        return self._low, self._high

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Set the marks at which the protocol is told to pause and to resume writing, in bytes."""
        if high is None:
            high = HIGH_WATER if low is None else 4 * low
        if low is None:
            low = high // 4
        if not high >= low >= 0:
            raise ValueError(f"high ({high!r}) must be >= low ({low!r}) must be >= 0")
        self._high, self._low = high, low
        self._pause_writer()

    def _pause_writer(self) -> None:
        if self._peer._unread > self._high and not self._writer_paused:
            self._writer_paused = True
            self._protocol.pause_writing()

    def _resume_writer(self) -> None:
        if self._writer_paused and self._peer._unread <= self._low:
            self._writer_paused = False
            if not self._gone:
                self._protocol.resume_writing()

    # Reading

    def is_reading(self) -> bool:
        """Whether data is being delivered to the protocol."""
        return not self._paused and not self._closing

    def pause_reading(self) -> None:
        """Hold back data until ``resume_reading``."""
        if not self._closing:
            self._paused = True

    def resume_reading(self) -> None:
        """Deliver what was held back, then go on."""
        if self._closing or not self._paused:
            return
        self._paused = False
        for _ in range(self._held):
            self._loop.call_soon(self._receive)
        self._held = 0

    def _accept(self, chunk: bytes | None) -> None:
        self._inbox.append(chunk)
        if self._latency_s > 0:
            self._arrives_at = max(self._arrives_at, self._loop.time() + self._latency_s)
            self._loop.call_at(self._arrives_at, self._receive)
        else:
            self._loop.call_soon(self._receive)

    def _receive(self) -> None:
        """Deliver the oldest chunk; the inbox keeps the order even when two deliveries come due at one instant."""
        if self._paused:
            self._held += 1
            return
        if not self._inbox:
            return
        chunk = self._inbox.popleft()
        try:
            if chunk is None:
                self._receive_eof()
                return
            self._unread -= len(chunk)
            if self._peer._writer_paused:
                self._peer._resume_writer()
            self._protocol.data_received(chunk)
        except Exception as error:  # noqa: BLE001 - as asyncio: a failing protocol loses its connection, loudly
            self._fail(error)

    def _receive_eof(self) -> None:
        self._eof_received = True
        if not self._protocol.eof_received():
            self.close()

    def _fail(self, error: Exception) -> None:
        self._loop.call_exception_handler(
            {
                "message": "Fatal error: a protocol failed on received data.",
                "exception": error,
                "transport": self,
                "protocol": self._protocol,
            }
        )
        self._shut(error, tell_peer=True)

    # Ending

    def is_closing(self) -> bool:
        """Whether the transport is closing or closed."""
        return self._closing

    def close(self) -> None:
        """End the connection; bytes already written still arrive, then the other side sees the end of file."""
        self._shut(None, tell_peer=True)

    def abort(self) -> None:
        """End the connection at once; like ``close``, because nothing waits in this side's own buffer."""
        self._shut(None, tell_peer=True)

    def reset(self) -> None:
        """Break the connection on both sides; what was not read yet is lost (a crash, a cut cable with a reset)."""
        self._peer._shut(ConnectionResetError(errno.ECONNRESET, "Connection reset by peer"), tell_peer=False)
        self._shut(None, tell_peer=False)

    def _shut(self, error: Exception | None, *, tell_peer: bool) -> None:
        if self._closing:
            return
        self._closing = True
        self._paused = False
        self._inbox.clear()
        self._unread = 0
        if tell_peer and not self._eof_sent and not self._peer._closing:
            self._peer._accept(None)
        self._peer._resume_writer()
        self._loop.call_soon(self._lose, error)

    def _lose(self, error: Exception | None) -> None:
        self._gone = True
        try:
            if self._protocol is not None:
                self._protocol.connection_lost(error)
        finally:
            if self._server is not None:
                self._server.detach(self)

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Put another protocol in place."""
        self._protocol = protocol

    def get_protocol(self) -> asyncio.BaseProtocol:
        """Return the protocol in place."""
        protocol: asyncio.BaseProtocol = self._protocol
        return protocol


class VirtualServer(asyncio.AbstractServer):
    """A listening address with its connections; behaves like the asyncio server of the running Python version."""

    def __init__(self, network: "VirtualNetwork", factory: ProtocolFactory, addresses: tuple[Address, ...]) -> None:
        self._network = network
        self._factory = factory
        self._addresses = addresses
        self._transports: dict[VirtualTransport, None] = {}  # ordered, so that closing them is deterministic
        self._waiters: list[asyncio.Future[None]] = []
        self._forever: asyncio.Future[None] | None = None
        self._serving = self._closed = False

    def __repr__(self) -> str:
        return f"<VirtualServer {self._addresses} serving={self._serving} connections={len(self._transports)}>"

    @property
    def factory(self) -> ProtocolFactory:
        """Make the protocol of a new connection."""
        return self._factory

    @property
    def sockets(self) -> tuple[VirtualSocket, ...]:
        """The listening sockets; empty once closed."""
        return () if self._closed else tuple(VirtualSocket(address, None) for address in self._addresses)

    def get_loop(self) -> asyncio.AbstractEventLoop:
        """Return the loop that serves."""
        return self._network.loop

    def is_serving(self) -> bool:
        """Whether new connections are accepted."""
        return self._serving

    async def start_serving(self) -> None:
        """Accept connections from now on."""
        if self._closed:
            raise RuntimeError(f"server {self!r} is closed")
        self._serving = True

    async def serve_forever(self) -> None:
        """Accept connections until cancelled, then close."""
        if self._forever is not None:
            raise RuntimeError(f"server {self!r} is already being awaited on serve_forever()")
        await self.start_serving()
        self._forever = self._network.loop.create_future()
        try:
            await self._forever
        finally:
            self._forever = None
            self.close()
            await self.wait_closed()

    def close(self) -> None:
        """Stop listening and free the address; existing connections stay."""
        if self._closed:
            return
        self._closed, self._serving = True, False
        self._network.forget(self._addresses)
        if self._forever is not None and not self._forever.done():
            self._forever.cancel()
        self._wake()

    async def wait_closed(self) -> None:
        """Wait until closed and without connections; on Python 3.11 a closed server does not wait, as there."""
        if self._closed and (sys.version_info < (3, 12) or not self._transports):
            return
        waiter: asyncio.Future[None] = self._network.loop.create_future()
        self._waiters.append(waiter)
        await waiter

    if sys.version_info >= (3, 13):

        def close_clients(self) -> None:
            """Close every connection."""
            for transport in tuple(self._transports):
                transport.close()

        def abort_clients(self) -> None:
            """Abort every connection."""
            for transport in tuple(self._transports):
                transport.abort()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        self.close()
        await self.wait_closed()

    def attach(self, transport: VirtualTransport) -> None:
        """Count a connection."""
        self._transports[transport] = None

    def detach(self, transport: VirtualTransport) -> None:
        """Count a connection less."""
        self._transports.pop(transport, None)
        self._wake()

    def _wake(self) -> None:
        if self._closed and not self._transports:
            for waiter in self._waiters:
                if not waiter.done():
                    waiter.set_result(None)
            self._waiters.clear()


class VirtualNetwork:
    """The servers of one loop by address; ``latency_s`` is the delay of every chunk, in each direction."""

    def __init__(self, loop: asyncio.AbstractEventLoop, latency_s: float = 0.0) -> None:
        if latency_s < 0:
            raise ValueError(f"latency_s must not be negative, was {latency_s}")
        self.loop = loop
        self.latency_s = latency_s
        self._servers: dict[Address, VirtualServer] = {}
        self._next_port = FIRST_EPHEMERAL_PORT

    def listen(self, factory: ProtocolFactory, hosts: tuple[str | None, ...], port: int | str | None) -> VirtualServer:
        """Bind a new server to a port of one or several hosts; 0 chooses a free one. OSError when it is taken."""
        number = int(port or 0) or self._ephemeral_port()
        addresses = tuple(dict.fromkeys(resolve(host, number) for host in hosts))
        for address in addresses:
            if self._server_at(address) is not None or (address[0] == EVERY_HOST and self._port_is_used(address[1])):
                raise OSError(
                    errno.EADDRINUSE, f"error while attempting to bind on address {address!r}: address already in use"
                )
        server = VirtualServer(self, factory, addresses)
        self._servers.update(dict.fromkeys(addresses, server))
        return server

    async def connect(
        self, factory: ProtocolFactory, address: Address
    ) -> tuple[VirtualTransport, asyncio.BaseProtocol]:
        """Connect to a listening address. ConnectionRefusedError when nobody serves there."""
        if address[0] == EVERY_HOST:
            address = (LOOPBACK, address[1])
        if self.latency_s > 0:
            await asyncio.sleep(self.latency_s)
        server = self._server_at(address)
        if server is None or not server.is_serving():
            raise ConnectionRefusedError(errno.ECONNREFUSED, f"Connect call failed {address!r}")
        near, far = VirtualTransport.pair(self.loop, (LOOPBACK, self._ephemeral_port()), address, self.latency_s)
        opened: asyncio.Future[None] = self.loop.create_future()
        accepted: asyncio.Future[None] = self.loop.create_future()
        accepted.add_done_callback(self._report_refused)
        self.loop.call_soon(far.open, server.factory, server, accepted)
        self.loop.call_soon(near.open, factory, None, opened)
        try:
            await opened
        except BaseException:
            near.close()
            raise
        return near, near.get_protocol()

    def forget(self, addresses: tuple[Address, ...]) -> None:
        """Free the addresses of a closed server."""
        for address in addresses:
            del self._servers[address]

    def _report_refused(self, accepted: asyncio.Future[None]) -> None:
        error = accepted.exception()
        if error is not None:
            self.loop.call_exception_handler({"message": "A server failed to take a connection.", "exception": error})

    def _server_at(self, address: Address) -> VirtualServer | None:
        return self._servers.get(address) or self._servers.get((EVERY_HOST, address[1]))

    def _port_is_used(self, port: int) -> bool:
        return any(used == port for _, used in self._servers)

    def _ephemeral_port(self) -> int:
        self._next_port += 1
        return self._next_port - 1
