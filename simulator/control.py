"""What can be told to a gateway while it runs: one line in, a few lines out, over a socket of this machine.

How it works. A line is a command with its words, for example ``reject next client=3`` or ``advance 1h``. The answer is
``ok`` or ``error`` with a text, perhaps further lines, then an empty line. A socket takes any number of lines. What
always holds: a line never ends the gateway, and nobody but this machine can write one.
"""

import asyncio
import contextlib
import errno
import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from bot.domain.errors import InvalidValueError
from simulator.gateway import Gateway
from simulator.troubles.kinds import KINDS, Form, Kind, duration_s, trouble

MOST_LINE_BYTES: Final = 4096
_FILLER: Final = frozenset({"next", "now"})
_SOCKET_MODE: Final = 0o600


class Control:
    """The commands of one gateway."""

    def __init__(self, gateway: Gateway) -> None:
        """Command a gateway."""
        self._gateway = gateway
        self._commands: Mapping[str, Callable[[list[str]], str]] = {
            "list": self._list,
            "status": self._status,
            "clear": self._clear,
            "advance": self._advance,
        }

    def answer(self, line: str) -> str:
        """Return the answer to one line, without the empty line at its end; never raises for what the line says."""
        words = line.split()
        if not words:
            return "error expected a command; `list` tells them"
        try:
            command = self._commands.get(words[0].lower())
            return "ok " + (self._trouble(words) if command is None else command(words[1:]))
        except InvalidValueError as error:
            return f"error {error}"

    def _trouble(self, words: list[str]) -> str:
        """Let a trouble happen; a number is a code, other words are taken in the order of the parameters."""
        if words[0].isdigit():
            words = ["code", *words]
        name = words[0].lower().replace("-", "_")
        kind = KINDS.get(name)
        if kind is None:
            known = ", ".join((*self._commands, *KINDS))
            raise InvalidValueError(f"{words[0]!r} is no command, expected a code or one of {known}")
        asked = trouble(name, **settings_of(kind, words[1:]))
        self._gateway.inject(asked)
        return str(asked)

    def _list(self, _words: list[str]) -> str:
        rows = [_usage(kind) for kind in KINDS.values()]
        return "\n".join(["list, status, clear, advance DURATION, a code, or one of:", *rows])

    def _status(self, _words: list[str]) -> str:
        gateway = self._gateway
        clients = ", ".join(map(str, gateway.clients())) or "nobody"
        active = [str(each) for each in gateway.troubles] or ["no trouble lasts or waits"]
        return "\n".join([f"{gateway.now():%Y-%m-%d %H:%M:%S} UTC, connected: {clients}", *active])

    def _clear(self, _words: list[str]) -> str:
        self._gateway.clear_troubles()
        return "no trouble lasts or waits"

    def _advance(self, words: list[str]) -> str:
        if len(words) != 1:
            raise InvalidValueError("advance takes one duration, for example 1h")
        seconds = duration_s(words[0])
        if seconds <= 0:
            raise InvalidValueError("advance: time does not stand still or run back")
        self._gateway.jump(seconds)
        return f"{self._gateway.now():%Y-%m-%d %H:%M:%S} UTC"


def settings_of(kind: Kind, words: list[str]) -> dict[str, object]:
    """Return what words say of a kind's parameters: ``name=value``, or values in their order.

    A word alone goes to the first parameter of its form that has no value yet; client ids and counts are named.

    Raises:
        InvalidValueError: A word that fits no parameter.
    """
    settings: dict[str, object] = {}
    for word in words:
        name, sign, value = word.partition("=")
        if sign:
            settings[name] = value
        elif word not in _FILLER:
            settings[_parameter_for(kind, word, settings)] = word
    return settings


def _parameter_for(kind: Kind, word: str, settings: Mapping[str, object]) -> str:
    """Return the first parameter without a value that takes a word; a text takes a number last."""
    open_ones = [each for each in kind.parameters if each.name not in {*settings, "client", "count"}]
    for parameter in sorted(open_ones, key=lambda each: each.form is Form.TEXT and word[:1].isdigit()):
        with contextlib.suppress(InvalidValueError):
            parameter.read(word)
            return parameter.name
    raise InvalidValueError(f"{kind.name}: {word!r} fits no parameter; usage: {_usage(kind)}")


def _usage(kind: Kind) -> str:
    parameters = " ".join(f"[{each.name}={each.default}]" for each in kind.parameters)
    return f"{kind.name} {parameters}".rstrip() + f" - {kind.effect}"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnixPlace:
    """A socket in the file system, for its owner alone."""

    path: Path

    def __str__(self) -> str:
        """The path."""
        return str(self.path)


@dataclass(frozen=True, slots=True, kw_only=True)
class TcpPlace:
    """A port of this machine."""

    host: str
    port: int

    def __str__(self) -> str:
        """Host and port."""
        return f"{self.host}:{self.port}"


Place = UnixPlace | TcpPlace


def place_of(text: str) -> Place:
    """Return where a control socket is: ``HOST:PORT`` of this machine, anything else is a path.

    Raises:
        InvalidValueError: A host that is not this machine: who can write a line can end every order.
    """
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdigit() or "/" in text:
        return UnixPlace(path=Path(text))
    host = host.strip("[]")
    if host != "localhost" and not _is_loopback(host):
        raise InvalidValueError(f"{text}: the control socket stays on this machine, use 127.0.0.1, ::1 or a path")
    if int(port) > 65535:
        raise InvalidValueError(f"{text}: a port is at most 65535")
    return TcpPlace(host=host, port=int(port))


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class Answering(Protocol):
    """What answers lines."""

    def answer(self, line: str) -> str:
        """Return the answer to one line."""
        ...


class ControlSocket:
    """Takes lines at a place and writes the answers."""

    def __init__(self, control: Answering, place: Place) -> None:
        """Answer lines of a place; nothing listens yet."""
        self._control = control
        self._place = place
        self._server: asyncio.Server | None = None
        self._talks: set[asyncio.Task[None]] = set()

    def __repr__(self) -> str:
        """Where it listens, for logs."""
        return f"ControlSocket({self._place})"

    async def start(self) -> None:
        """Listen.

        Raises:
            OSError: The place is taken or cannot be written.
        """
        if isinstance(self._place, TcpPlace):
            host, port = self._place.host, self._place.port
            self._server = await asyncio.start_server(self._talk, host, port, limit=MOST_LINE_BYTES)
            return
        path = self._place.path
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        await _refuse_if_taken(path)
        self._server = await asyncio.start_unix_server(self._talk, path, limit=MOST_LINE_BYTES)
        path.chmod(_SOCKET_MODE)

    @property
    def port(self) -> int:
        """The port that is listened on, 0 for a path."""
        if self._server is None or isinstance(self._place, UnixPlace):
            return 0
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Stop listening; talks that go on are ended."""
        if self._server is None:
            return
        self._server.close()
        for talk in tuple(self._talks):
            talk.cancel()
        await asyncio.gather(*self._talks, return_exceptions=True)
        self._server = None
        if isinstance(self._place, UnixPlace):
            self._place.path.unlink(missing_ok=True)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._talks.add(task)
            task.add_done_callback(self._talks.discard)
        with contextlib.suppress(ConnectionError, asyncio.CancelledError):
            await self._lines(reader, writer)
        writer.close()
        with contextlib.suppress(ConnectionError, asyncio.CancelledError):
            await writer.wait_closed()

    async def _lines(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            try:
                line = await reader.readline()
            except ValueError:  # asyncio's word for a line beyond the limit
                writer.write(f"error a line has at most {MOST_LINE_BYTES} bytes\n\n".encode())
                return
            if not line:
                return
            writer.write((self._control.answer(line.decode("utf-8", "replace")) + "\n\n").encode())
            await writer.drain()


async def _refuse_if_taken(path: Path) -> None:
    """Raise where another gateway answers at a path; a dead one's socket is replaced by the next listener."""
    try:
        _, writer = await asyncio.open_unix_connection(path)
    except OSError:
        return
    writer.close()
    await writer.wait_closed()
    raise OSError(errno.EADDRINUSE, "already in use")
