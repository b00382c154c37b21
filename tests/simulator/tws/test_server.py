"""The asyncio shell: real sockets, slow readers, a clean stop."""

import asyncio
import logging
import socket
import struct
from datetime import timedelta

import pytest
from floors import OPENS_AT, a_call, a_floor, an_open_floor
from pretend_client import contract, packed, unpacked

from simulator.tws.desk import Desk
from simulator.tws.server import Server
from simulator.virtual_time import run_virtual

HELLO = b"API\0" + packed("v157..178")


async def read_frame(reader: asyncio.StreamReader) -> list[str]:
    """Return the next frame that a server writes."""
    head = await reader.readexactly(4)
    payload = await reader.readexactly(struct.unpack(">I", head)[0])
    return unpacked(head + payload)[0]


class Chunks(asyncio.Protocol):
    """Keeps what arrives, piece by piece."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.chunks: list[bytes] = []
        self.arrived = asyncio.Event()

    def data_received(self, data: bytes) -> None:
        """Keep one piece."""
        self.chunks.append(data)
        self.arrived.set()


async def connected(port: int, client_id: int) -> tuple[asyncio.Transport, Chunks]:
    """Return a connection that has started."""
    transport, chunks = await asyncio.get_running_loop().create_connection(Chunks, "127.0.0.1", port)
    transport.write(HELLO + packed(71, 2, client_id, ""))
    return transport, chunks


async def test_a_client_on_a_real_socket_is_served() -> None:
    """Handshake, start and an answer over loopback; small frames are not held back."""
    opened = an_open_floor()
    server = Server(Desk(opened.floor))
    port = await server.start("127.0.0.1", 0)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)

    writer.write(HELLO)
    version, _ = await read_frame(reader)
    writer.write(packed(71, 2, 3, ""))
    greeting = [(await read_frame(reader))[0] for _ in range(5)]
    [connection] = server._connections
    assert connection._transport is not None
    server_side = connection._transport.get_extra_info("socket")

    assert (version, greeting) == ("176", ["15", "9", "4", "4", "4"])
    assert server_side.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0
    await server.stop()
    assert await reader.read() == b""
    writer.close()
    await writer.wait_closed()


async def test_who_comes_and_goes_stands_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """A line when a client is known by its id and one when it is gone; a twin that is refused leaves none."""
    server = Server(Desk(an_open_floor().floor))
    with caplog.at_level(logging.INFO):
        port = await server.start("127.0.0.1", 0)
        first, chunks = await connected(port, 3)
        await chunks.arrived.wait()
        reader, twin = await asyncio.open_connection("127.0.0.1", port)
        twin.write(HELLO + packed(71, 2, 3, ""))
        await reader.read()
        await server.stop()
    twin.close()
    first.close()

    lines = [record.getMessage() for record in caplog.records if record.levelno == logging.INFO]
    assert lines == ["client 3 connected", "client 3 is gone"]


async def test_a_stopped_server_takes_no_connection_and_hears_no_floor() -> None:
    """After stop the port is closed and the floor tells the server nothing any more."""
    opened = an_open_floor()
    desk = Desk(opened.floor)
    server = Server(desk)
    port = await server.start("127.0.0.1", 0)

    await server.stop()
    await server.stop()
    desk.close()

    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", port)
    assert opened.floor._listeners == []


def test_a_client_that_does_not_read_is_dropped_with_one_line(caplog: pytest.LogCaptureFixture) -> None:
    """Once too much waits for it its connection is cut and its id is free; the others are served on."""
    opened = a_floor()
    desk = Desk(opened.floor)
    server = Server(desk, most_waiting_bytes=20_000)

    async def story() -> tuple[bool, bool]:
        port = await server.start("127.0.0.1", 0)
        slow, _ = await connected(port, client_id=0)
        await connected(port, client_id=1)
        for strike in range(11, 35):
            slow.write(packed(1, 11, strike, *contract(opened, a_call(opened, strike)), 0, "", 0, 0, ""))
        await asyncio.sleep(1)
        slow.pause_reading()
        for minute in range(60):
            opened.floor.advance(OPENS_AT + timedelta(minutes=minute))
            await asyncio.sleep(1)
        found = desk.client(0) is None, desk.client(1) is not None
        slow.resume_reading()
        await server.stop()
        return found

    with caplog.at_level(logging.WARNING):
        assert run_virtual(story(), start=OPENS_AT) == (True, True)
    assert [record.getMessage().partition(",")[0] for record in caplog.records] == ["client 0 does not read"]


async def test_a_stop_does_not_wait_for_a_client_that_does_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a real socket with a full buffer the stop cuts the client off after its grace and comes back."""
    monkeypatch.setattr("simulator.tws.server.STOP_GRACE_S", 0.05)
    server = Server(Desk(an_open_floor().floor))
    port = await server.start("127.0.0.1", 0)
    transport, chunks = await connected(port, client_id=1)
    await chunks.arrived.wait()
    transport.pause_reading()
    [connection] = server._connections
    assert connection._transport is not None
    connection._transport.write(b"\0" * 7_000_000)

    await asyncio.wait_for(server.stop(), 5)

    assert repr(server) == "Server(0 connections)"
    transport.abort()


async def test_a_step_leaves_in_one_write_on_a_real_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a step has for a client is one call of the kernel, every quote of it in its order."""
    opened = an_open_floor()
    server = Server(Desk(opened.floor))
    port = await server.start("127.0.0.1", 0)
    transport, chunks = await connected(port, client_id=1)
    for req_id, strike in enumerate(range(15, 25)):
        transport.write(packed(1, 11, req_id, *contract(opened, a_call(opened, strike)), 0, "", 0, 0, ""))
    while len(opened.floor.watched) < 10:
        await asyncio.wait_for(chunks.arrived.wait(), 5)
        chunks.arrived.clear()
    [connection] = server._connections
    assert connection._transport is not None
    writes: list[bytes] = []
    monkeypatch.setattr(connection._transport, "write", writes.append)

    opened.floor.advance(OPENS_AT + timedelta(hours=2))
    server.flush()

    [data] = writes
    assert {frame[2] for frame in unpacked(data) if frame[0] == "1"} == {str(number) for number in range(10)}
    monkeypatch.undo()
    await server.stop()
    transport.close()


def test_each_quote_reaches_the_client_as_a_chunk_of_its_own() -> None:
    """Two contracts that move in one step arrive in two pieces, so that a client sees each of them."""
    opened = an_open_floor()
    desk = Desk(opened.floor)
    server = Server(desk)

    async def story() -> list[set[str]]:
        port = await server.start("127.0.0.1", 0)
        transport, chunks = await connected(port, client_id=1)
        for req_id, strike in ((1, 18), (2, 19)):
            call = contract(opened, a_call(opened, strike))
            transport.write(packed(1, 11, req_id, *call, 0, "", 0, 0, ""))
        await asyncio.sleep(1)
        chunks.chunks.clear()
        opened.floor.advance(OPENS_AT + timedelta(hours=2))
        await asyncio.sleep(1)
        await server.stop()
        return [{frame[2] for frame in unpacked(chunk) if frame[0] in {"1", "2"}} for chunk in chunks.chunks]

    requests = run_virtual(story(), start=OPENS_AT)

    assert len(requests) > 10
    assert all(len(found) <= 1 for found in requests)
    assert set().union(*requests) == {"1", "2"}
