"""The unix socket beside the bot's state: one JSON object a line in, signed acks a line each out.

A request is ``{"verb", "id", "reason"}`` with verb kill, pause, reduce-only, status or challenge; ``{"verb": "limit",
"id", "reason", "name", "value"}`` for a tighter limit; or ``{"verb": "signed", "name", "envelope"}`` for a command that
needs a signature. What always holds: nobody but the bot's
own user and root is served, no client can hold up another, and buffers are bounded.
"""

import json
import os
import socket
import stat
import struct
import sys
from dataclasses import dataclass, field
from pathlib import Path

from adapters.control.files import PRIVATE
from bot.domain.errors import InvalidValueError, RefusedStartError

SOCKET_FILE = "control.sock"
LONGEST_LINE = 16_384
MOST_CLIENTS = 16
BACKLOG = 128  # those who connect before the guard has looked are not refused but turned away
LARGEST_BACKLOG = 262_144
ROOT_UID = 0

_UCRED = struct.Struct("3i")  # pid, uid, gid, as Linux hands them out


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One line of a client; the verb ``signed`` has ``name`` and ``envelope``, ``limit`` has ``name`` and ``value``."""

    verb: str
    id: str = ""
    reason: str = ""
    name: str = ""
    envelope: str = ""
    value: str = ""

    @classmethod
    def of(cls, line: bytes) -> "Request":
        """Return the request in a line.

        Raises:
            InvalidValueError: Not an object of texts with these names.
        """
        try:
            facts = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise InvalidValueError(f"not JSON: {error}") from error
        known = {"verb", "id", "reason", "name", "envelope", "value"}
        if not isinstance(facts, dict) or not set(facts) <= known or "verb" not in facts:
            raise InvalidValueError(f"expected an object of {', '.join(sorted(known))} with a verb")
        if not all(isinstance(value, str) for value in facts.values()):
            raise InvalidValueError("every value must be text")
        return cls(**facts)

    def line(self) -> bytes:
        """Return the request as it travels."""
        facts = {name: getattr(self, name) for name in ("verb", "id", "reason", "name", "envelope", "value")}
        return json.dumps(facts).encode() + b"\n"


@dataclass(slots=True, eq=False)
class Client:
    """One connected client: what it sent of a line, what it still has to read, and the commands it waits for."""

    connection: socket.socket
    received: bytearray = field(default_factory=bytearray)
    unsent: bytearray = field(default_factory=bytearray)
    waits_for: set[str] = field(default_factory=set)

    def requests(self) -> list[Request] | None:
        """Read what there is; None when the client is gone or sends no requests."""
        try:
            chunk = self.connection.recv(LONGEST_LINE)
        except BlockingIOError:
            return []
        except OSError:
            return None
        self.received += chunk
        if not chunk or len(self.received) > LONGEST_LINE:
            return None
        *lines, rest = bytes(self.received).split(b"\n")
        self.received = bytearray(rest)
        try:
            return [Request.of(line) for line in lines if line.strip()]
        except InvalidValueError:
            return None

    def send(self, line: bytes) -> bool:
        """Send a line as far as the client reads; False when it is gone or does not read."""
        self.unsent += line + b"\n"
        return self.flush() and len(self.unsent) <= LARGEST_BACKLOG

    def flush(self) -> bool:
        """Send what is left over; False when the client is gone."""
        try:
            while self.unsent:
                del self.unsent[: self.connection.send(self.unsent)]
        except BlockingIOError:
            return True
        except OSError:
            return False
        return True


def listening(folder: Path) -> socket.socket:
    """Return the listening socket of a state folder, readable and writable by its owner only.

    Raises:
        RefusedStartError: It cannot be made there.
    """
    path = folder / SOCKET_FILE
    server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        _require_socket(path)
        path.unlink(missing_ok=True)  # the folder's lock is ours: whoever made it is dead
        server.bind(str(path))
        path.chmod(PRIVATE)
        server.listen(BACKLOG)
        server.setblocking(False)
    except OSError as error:
        server.close()
        raise RefusedStartError(f"{path}: no local socket ({error}); name a shorter or writable --state") from error
    except RefusedStartError:
        server.close()
        raise
    return server


def _require_socket(path: Path) -> None:
    if path.exists() and not stat.S_ISSOCK(path.lstat().st_mode):
        raise RefusedStartError(f"{path}: something else than a socket stands there; remove it")


def accepted(server: socket.socket) -> Client | None:
    """Return a client whose user may command this bot; None for others and for those that hung up."""
    try:
        connection, _ = server.accept()
    except OSError:
        return None
    connection.setblocking(False)
    if not is_allowed(connection):
        connection.close()
        return None
    return Client(connection=connection)


def is_allowed(connection: socket.socket) -> bool:
    """Return whether the other end runs as the bot's own user or root; beside Linux the file's mode alone decides."""
    if sys.platform != "linux":
        return True
    try:
        found = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size)
    except OSError:
        return False
    _, uid, _ = _UCRED.unpack(found)
    return uid in (os.geteuid(), ROOT_UID)
