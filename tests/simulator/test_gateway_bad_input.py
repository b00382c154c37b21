"""Bad input against `alvh gateway` as a process: answered, or dropped with one line, and another client goes on."""

import contextlib
import re
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HELLO = b"API\0"
TIMEOUT_S = 20.0
pytestmark = pytest.mark.timeout(110)


def packed(*fields: object) -> bytes:
    """Return one frame."""
    payload = "".join(f"{field}\0" for field in fields).encode()
    return struct.pack(">I", len(payload)) + payload


class Client:
    """A blocking socket that speaks frames."""

    def __init__(self, port: int) -> None:
        """Dial."""
        self.link = socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT_S)
        self._unread = b""

    def start(self, client_id: int) -> None:
        """Greet and read up to the last of the greeting's notices."""
        self.link.sendall(HELLO + packed("v157..178"))
        self.link.sendall(packed(71, 2, client_id, ""))
        while self.frame()[:4] != ["4", "2", "-1", "2158"]:
            pass

    def frame(self) -> list[str]:
        """Return the next frame; an ended connection is an EOFError."""
        size = struct.unpack(">I", self._take(4))[0]
        return self._take(size).decode().split("\0")[:-1]

    def answers(self) -> bool:
        """Whether the gateway tells this client the time."""
        self.link.sendall(packed(49, 1))
        while self.frame()[0] != "49":
            pass
        return True

    def is_closed(self) -> bool:
        """Whether the gateway ends the connection."""
        with contextlib.suppress(EOFError, ConnectionError):
            while True:
                self.frame()
        return True

    def _take(self, size: int) -> bytes:
        while len(self._unread) < size:
            piece = self.link.recv(1 << 16)
            if not piece:
                raise EOFError
            self._unread += piece
        taken, self._unread = self._unread[:size], self._unread[size:]
        return taken


class Gateway:
    """The process, its port and the lines that it wrote."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        """Read its lines in a thread, so that it never waits for us."""
        assert process.stderr is not None
        self.process = process
        self.lines: list[str] = []
        first = process.stderr.readline()
        found = re.search(r"127\.0\.0\.1:(\d+)", first)
        assert found is not None, first
        self.port = int(found[1])
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        self.lines.extend(self.process.stderr)

    def stop(self) -> list[str]:
        """End it in order and return its lines."""
        assert self.process.poll() is None, "the gateway ended by itself"
        self.process.terminate()
        assert self.process.wait(timeout=30) == 0
        self._reader.join(timeout=10)
        if self.process.stderr is not None:
            self.process.stderr.close()
        return self.lines


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """Serve all tests of this module with one process, which is to outlive them."""
    control = tmp_path_factory.mktemp("gateway") / "control"
    command = [sys.executable, "-m", "bot", "gateway", "--port", "0", "--control", str(control)]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    started = Gateway(process)
    yield started
    assert not [line for line in started.stop() if "Traceback" in line]


@pytest.fixture
def other(gateway: Gateway) -> Iterator[Client]:
    """Return another client, which is served before and after."""
    client = Client(gateway.port)
    client.start(900)
    assert client.answers()
    yield client
    assert client.answers()
    client.link.close()
    time.sleep(0.1)  # another process: its id is free when it has read the end


@pytest.mark.usefixtures("other")
@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        HELLO + struct.pack(">i", -1),
        HELLO + struct.pack(">I", 1 << 30),
        HELLO + struct.pack(">I", 0),
        HELLO + packed("v1..2"),
        HELLO + packed("v900..901"),
        HELLO + packed("nonsense"),
        HELLO + packed("v157..178") + packed(71, 2, "zero", ""),
        HELLO + packed("v157..178") + packed(71, 2, 77, "") + struct.pack(">i", -5),
    ],
)
def test_what_is_no_conversation_is_closed(gateway: Gateway, data: bytes) -> None:
    """No prefix, a length below zero, beyond all bounds or of nothing, no common version, no id: closed."""
    client = Client(gateway.port)
    client.link.sendall(data)
    assert client.is_closed()
    client.link.close()


@pytest.mark.usefixtures("other")
@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"AP",
        HELLO + b"\0\0",
        HELLO + struct.pack(">I", 100) + b"v157",
        HELLO + packed("v157..178") + packed(71, 2, 78, "") + packed(49, 1)[:-2],
    ],
)
def test_a_client_that_leaves_in_the_middle_leaves_nothing_behind(gateway: Gateway, data: bytes) -> None:
    """Whatever it had sent, the next one is served, with the same id too."""
    client = Client(gateway.port)
    client.link.sendall(data)
    client.link.close()
    time.sleep(0.2)  # another process has to read the end
    again = Client(gateway.port)
    again.start(78)
    assert again.answers()
    again.link.close()
    time.sleep(0.1)


@pytest.mark.usefixtures("other")
@pytest.mark.parametrize(
    ("message", "code"),
    [
        (packed(9999, 1), "505"),
        (packed("colour"), "505"),
        (packed(-3), "505"),
        (packed(1, 11, "x"), "321"),
        (packed(9, 8, 5), "321"),
        (packed(3, 7, "absurd"), "321"),
        (packed(20, 4, *["\u2603"] * 30), "321"),
        (struct.pack(">I", 6) + b"\xff\xfe\0\xff\0\0", "505"),
        (packed(2, 2, 123456), "300"),
        (packed(4, 1, 123456), "135"),
        (packed(91, 10**30), "321"),
        (packed(91, "nan"), "321"),
        (packed(91, "1e308"), "321"),
        (packed(2, 2, -123456), "300"),
        (packed(9, 8, 5, 0, "x" * 100_000, "STK", "", 0, "", "", "SMART", "", "USD", "", "", 0, "", "", ""), "200"),
        (packed(9, 8, 5, 0, "a\0b", "STK", "", 0, "", "", "SMART", "", "USD", "", "", 0, "", "", ""), "200"),
    ],
)
def test_a_message_that_cannot_be_served_is_answered(gateway: Gateway, message: bytes, code: str) -> None:
    """An unknown id, fields that are missing, unreadable or no text: the broker's code, and the session goes on."""
    client = Client(gateway.port)
    client.start(901)
    client.link.sendall(message)
    frame = client.frame()
    while frame[0] != "4":
        frame = client.frame()
    accepted = {code, "10147"} if code == "135" else {code}
    assert frame[3] in accepted
    assert client.answers()
    client.link.close()
    time.sleep(0.1)


def test_ten_thousand_requests_at_once(gateway: Gateway, other: Client) -> None:
    """Each is answered unless 100 was told; the other client is served meanwhile, and this one afterwards."""
    client = Client(gateway.port)
    client.start(902)
    writer = threading.Thread(target=client.link.sendall, args=(packed(49, 1) * 10_000,), daemon=True)
    writer.start()
    assert other.answers()
    writer.join(timeout=TIMEOUT_S)
    time.sleep(0.5)  # another process: a last request that arrives in a piece of its own
    client.link.sendall(packed(8, 1, 1))
    seen: list[str] = []
    while "9" not in seen:
        frame = client.frame()
        seen.append("100" if frame[0] == "4" and frame[3] == "100" else frame[0])
    assert seen.count("49") == 10_000 or "100" in seen
    assert client.answers()
    client.link.close()
    time.sleep(0.1)


def test_a_client_that_does_not_read_is_closed_with_one_line(gateway: Gateway, other: Client) -> None:
    """What waits for it is bounded: then it is cut off, one line says so, and its memory is free."""
    slow = Client(gateway.port)
    slow.start(903)
    before = len(gateway.lines)
    many = packed(9, 8, 1, 0, "SPX", "OPT", "", "0.0", "", "", "SMART", "", "USD", "", "", 0, "", "") * 40
    with contextlib.suppress(OSError):
        slow.link.settimeout(10.0)
        for _ in range(60):
            slow.link.sendall(many)
            if any("does not read" in line for line in gateway.lines[before:]):
                break
    for _ in range(100):
        if any("does not read" in line for line in gateway.lines[before:]):
            break
        assert other.answers()
        time.sleep(0.1)  # another process
    assert len([line for line in gateway.lines[before:] if "client 903 does not read" in line]) == 1
    slow.link.close()


def test_a_half_open_client_holds_up_nobody(gateway: Gateway, other: Client) -> None:
    """A client that never says anything, and one that stopped after its hello, wait without harm."""
    silent, greeted = Client(gateway.port), Client(gateway.port)
    greeted.link.sendall(HELLO + packed("v157..178"))
    assert greeted.frame()[0] == "176"
    for _ in range(5):
        assert other.answers()
    late = Client(gateway.port)
    late.start(904)
    assert late.answers()
    for client in (silent, greeted, late):
        client.link.close()
    time.sleep(0.1)
