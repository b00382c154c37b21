"""In-memory connections behave as asyncio's own, on the whole transport and server surface."""

import asyncio
import sys
from collections.abc import Coroutine
from datetime import UTC, datetime
from typing import Any, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.virtual_network import VirtualTransport
from simulator.virtual_time import run_virtual

START = datetime(2026, 10, 19, 13, 30, tzinfo=UTC)
T = TypeVar("T")


class Recorder(asyncio.Protocol):
    """Writes down what happens to a connection."""

    def __init__(self, *, half_open: bool = False) -> None:
        self.trace: list[str] = []
        self.half_open = half_open
        self.transport: VirtualTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        assert isinstance(transport, VirtualTransport)
        self.transport = transport
        self.trace.append("made")

    def data_received(self, data: bytes) -> None:
        """Write down the chunk."""
        self.trace.append(data.decode())

    def eof_received(self) -> bool:
        """Write down the end of file."""
        self.trace.append("eof")
        return self.half_open

    def pause_writing(self) -> None:
        """Write down back-pressure."""
        self.trace.append("pause")

    def resume_writing(self) -> None:
        """Write down its end."""
        self.trace.append("resume")

    def connection_lost(self, exc: Exception | None) -> None:
        """Write down the end with its reason."""
        self.trace.append(f"lost {type(exc).__name__}" if exc else "lost")


async def a_pair(*, half_open: bool = False, port: int = 7497) -> tuple[Recorder, Recorder, asyncio.AbstractServer]:
    """Return client, server side and server of one open connection."""
    loop = asyncio.get_running_loop()
    far = Recorder(half_open=half_open)
    server = await loop.create_server(lambda: far, "127.0.0.1", port)
    _, near = await loop.create_connection(lambda: Recorder(half_open=half_open), "localhost", port)
    await asyncio.sleep(0)
    assert isinstance(near, Recorder)
    return near, far, server


def run(main: Coroutine[Any, Any, T], seed: int | None = None, latency_s: float = 0.0) -> T:
    """Run on virtual time from a fixed start."""
    return run_virtual(main, start=START, seed=seed, latency_s=latency_s)


def test_each_write_is_one_chunk_in_order() -> None:
    """Two writes arrive as two chunks, so that a client sees two updates."""

    async def main() -> list[str]:
        near, far, _ = await a_pair()
        near.transport.write(b"one")
        near.transport.writelines([b"t", b"wo"])
        await asyncio.sleep(0)
        return far.trace

    assert run(main()) == ["made", "one", "two"]


@given(st.integers(0, 10_000), st.sampled_from([0.0, 0.003]))
def test_a_connection_keeps_its_order_under_every_seed_and_latency(seed: int, latency_s: float) -> None:
    """Made, data in order, end of file, lost: no drawn order and no latency changes that."""

    async def main() -> tuple[list[str], list[str]]:
        near, far, _ = await a_pair()
        for number in range(5):
            near.transport.write(str(number).encode())
        near.transport.close()
        await asyncio.sleep(1)
        return near.trace, far.trace

    near, far = run(main(), seed, latency_s)
    assert near == ["made", "lost"]
    assert far == ["made", "0", "1", "2", "3", "4", "eof", "lost"]


def test_latency_delays_each_direction() -> None:
    """With 2 s each way an echo takes four seconds after the connection stands."""

    async def main() -> float:
        async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(await reader.readline())
            writer.close()

        server = await asyncio.start_server(echo, "127.0.0.1", 4001)
        loop = asyncio.get_running_loop()
        reader, writer = await asyncio.open_connection("127.0.0.1", 4001)
        sent_at = loop.time()
        writer.write(b"hello\n")
        assert await reader.readline() == b"hello\n"
        took = loop.time() - sent_at
        writer.close()
        await writer.wait_closed()
        server.close()
        return took

    assert run(main(), latency_s=2.0) == 4.0


def test_half_closing_leaves_the_other_direction_open() -> None:
    """After ``write_eof`` the other side may still answer; a later write of ours raises."""

    async def main() -> list[str]:
        near, far, _ = await a_pair(half_open=True)
        near.transport.write_eof()
        near.transport.write_eof()
        await asyncio.sleep(0)
        far.transport.write(b"answer")
        await asyncio.sleep(0)
        with pytest.raises(RuntimeError, match="write_eof"):
            near.transport.write(b"late")
        assert near.transport.can_write_eof()
        return near.trace + far.trace

    assert run(main()) == ["made", "answer", "made", "eof"]


def test_ending_the_way_the_client_library_does_works() -> None:
    """``write_eof`` followed by ``close`` gives the server one end of file and both sides one loss."""

    async def main() -> list[str]:
        near, far, _ = await a_pair()
        near.transport.write_eof()
        near.transport.close()
        near.transport.close()
        await asyncio.sleep(1)
        return near.trace + far.trace

    assert run(main()) == ["made", "lost", "made", "eof", "lost"]


def test_writing_to_a_closed_transport_is_dropped_without_a_word() -> None:
    """As in asyncio, a write after abort vanishes: callers must look at ``is_closing``."""

    async def main() -> list[str]:
        near, far, _ = await a_pair()
        near.transport.abort()
        assert near.transport.is_closing()
        near.transport.write(b"lost")
        await asyncio.sleep(1)
        return far.trace

    assert run(main()) == ["made", "eof", "lost"]


def test_writing_to_a_peer_that_is_gone_breaks_the_connection() -> None:
    """A half-open side that writes after the other one closed loses its connection with a reset."""

    async def main() -> list[str]:
        near, far, _ = await a_pair(half_open=True)
        far.transport.close()
        await asyncio.sleep(1)
        near.transport.write(b"anyone?")
        await asyncio.sleep(1)
        return near.trace

    assert run(main()) == ["made", "eof", "lost ConnectionResetError"]


def test_a_reset_loses_what_was_not_read() -> None:
    """Bytes in flight are gone and the other side sees a reset, not an end of file."""

    async def main() -> list[str]:
        near, far, _ = await a_pair()
        near.transport.write(b"in flight")
        near.transport.reset()
        await asyncio.sleep(1)
        return far.trace + near.trace

    assert run(main()) == ["made", "lost ConnectionResetError", "made", "lost"]


def test_a_slow_reader_stops_the_writer() -> None:
    """Unread bytes are the writer's buffer: above the high mark it pauses, at the low mark it resumes."""

    async def main() -> list[str]:
        near, far, _ = await a_pair()
        far.transport.pause_reading()
        near.transport.set_write_buffer_limits(high=10, low=4)
        assert near.transport.get_write_buffer_limits() == (4, 10)
        near.transport.write(b"123456")
        near.transport.write(b"789abc")
        await asyncio.sleep(1)
        assert (near.transport.get_write_buffer_size(), far.transport.is_reading()) == (12, False)
        far.transport.resume_reading()
        await asyncio.sleep(1)
        assert near.transport.get_write_buffer_size() == 0
        return near.trace + far.trace

    assert run(main()) == ["made", "pause", "resume", "made", "123456", "789abc"]


def test_closing_while_the_writer_is_paused_lets_it_go() -> None:
    """A reader that closes instead of reading does not leave the writer waiting for ever."""

    async def main() -> list[str]:
        near, far, _ = await a_pair()
        far.transport.pause_reading()
        near.transport.set_write_buffer_limits(high=1)
        near.transport.write(b"123456")
        far.transport.close()
        await asyncio.sleep(1)
        return near.trace

    assert run(main()) == ["made", "pause", "resume", "eof", "lost"]


def test_wrong_water_marks_and_wrong_data_are_refused() -> None:
    """A low mark above the high one and text instead of bytes raise."""

    async def main() -> None:
        near, _, _ = await a_pair()
        with pytest.raises(ValueError, match="high"):
            near.transport.set_write_buffer_limits(high=1, low=2)
        with pytest.raises(TypeError, match="bytes-like"):
            near.transport.write("text")  # type: ignore[arg-type]  # the point of the test

    run(main())


def test_both_ends_know_their_addresses() -> None:
    """Peer and own name mirror each other, and the socket stub agrees."""

    async def main() -> None:
        near, far, server = await a_pair()
        assert near.transport.get_extra_info("peername") == ("127.0.0.1", 7497)
        assert near.transport.get_extra_info("sockname") == far.transport.get_extra_info("peername")
        stub = near.transport.get_extra_info("socket")
        stub.setsockopt(6, 1, 1)
        assert (stub.getpeername(), stub.fileno()) == (("127.0.0.1", 7497), -1)
        assert near.transport.get_extra_info("sslcontext") is None
        assert server.is_serving()

    run(main())


def test_nobody_listens_is_a_refused_connection() -> None:
    """Connecting to a port without a server raises ConnectionRefusedError with the address."""

    async def main() -> None:
        with pytest.raises(ConnectionRefusedError, match="4001"):
            await asyncio.open_connection("localhost", 4001)

    run(main())


def test_a_port_is_taken_until_its_server_closes() -> None:
    """A second server on the address raises; after a close the address is free, also for every interface."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        first = await loop.create_server(Recorder, "localhost", 7497)
        for host in ("127.0.0.1", None, "0.0.0.0"):  # noqa: S104 - in memory only
            with pytest.raises(OSError, match="already in use"):
                await loop.create_server(Recorder, host, 7497)
        first.close()
        second = await loop.create_server(Recorder, None, 7497)
        await loop.create_connection(Recorder, "localhost", 7497)
        second.close()

    run(main())


def test_port_zero_finds_a_free_port() -> None:
    """The chosen port is told by ``sockets`` and can be connected to."""

    async def main() -> None:
        server = await asyncio.start_server(lambda _r, w: w.close(), "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        assert await reader.read() == b""
        writer.close()
        server.close()
        assert not server.is_serving()
        assert server.sockets == ()

    run(main())


def test_a_server_that_is_not_serving_refuses() -> None:
    """``start_serving=False`` refuses until the server is started."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(Recorder, "localhost", 7497, start_serving=False)
        with pytest.raises(ConnectionRefusedError):
            await loop.create_connection(Recorder, "localhost", 7497)
        await server.start_serving()
        await loop.create_connection(Recorder, "localhost", 7497)

    run(main())


def test_serving_for_ever_ends_with_its_task() -> None:
    """Cancelling the task that serves closes the server."""

    async def main() -> bool:
        server = await asyncio.start_server(lambda _r, w: w.close(), "localhost", 7497)
        task = asyncio.create_task(server.serve_forever())
        await asyncio.sleep(1)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return server.is_serving()

    assert run(main()) is False


def test_waiting_for_a_closed_server_follows_the_python_version() -> None:
    """From 3.12 on ``wait_closed`` waits for the connections, before that it returns at once."""

    async def main() -> float:
        near, _, server = await a_pair()
        server.close()
        asyncio.get_running_loop().call_later(5, near.transport.close)
        await server.wait_closed()
        return asyncio.get_running_loop().time()

    assert run(main()) == (5.0 if sys.version_info >= (3, 12) else 0.0)


@pytest.mark.skipif(sys.version_info < (3, 13), reason="close_clients exists from Python 3.13 on")
def test_a_server_closes_its_clients() -> None:
    """``close_clients`` ends every connection."""

    async def main() -> list[str]:
        near, _, server = await a_pair()
        server.close_clients()
        await asyncio.sleep(1)
        return near.trace

    assert run(main()) == ["made", "eof", "lost"]


def test_a_protocol_that_fails_loses_its_connection_and_the_run() -> None:
    """An exception on received data ends that connection and is not swallowed."""

    class Broken(Recorder):
        def data_received(self, data: bytes) -> None:
            raise LookupError(f"cannot read {data!r}")

    async def main() -> None:
        loop = asyncio.get_running_loop()
        await loop.create_server(Broken, "localhost", 7497)
        transport, near = await loop.create_connection(Recorder, "localhost", 7497)
        transport.write(b"x")
        await asyncio.sleep(1)
        assert isinstance(near, Recorder)
        assert near.trace == ["made", "eof", "lost"]

    with pytest.raises(RuntimeError, match="cannot read b'x'"):
        run(main())
