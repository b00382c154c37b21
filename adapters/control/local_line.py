"""The operator's end of the local socket; and the file KILL where no bot answers."""

import asyncio
import contextlib
import json
from collections.abc import Mapping
from pathlib import Path

from adapters.control.files import write_durably
from adapters.control.guard import KILL_FILE
from adapters.control.local_socket import LONGEST_LINE, SOCKET_FILE, Request
from adapters.control.operator_line import Sending
from bot.domain.command import CommandName
from bot.domain.errors import ConnectivityError

ANSWER_WITHIN_S = 2.0


class LocalLine:
    """An `OperatorLine` over the unix socket in a state folder."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Use `open_local_line`."""
        self._reader = reader
        self._writer = writer

    async def send(self, sending: Sending) -> None:
        """Send what only tightens or asks by its plain verb, everything else as it was signed."""
        await self._write(_request(sending))

    async def next_ack(self) -> bytes:
        """Return the next line of the bot."""
        try:
            line = await self._reader.readline()
        except (OSError, ValueError) as error:
            raise ConnectivityError(f"the local socket broke: {error}") from error
        if not line:
            raise ConnectivityError("the bot closed the local socket")
        return line.rstrip(b"\n")

    async def challenge(self) -> Mapping[str, object] | None:
        """Ask for the challenge; the answer is an ack whose details are the challenge's facts."""
        await self._write(Request(verb="challenge"))
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                facts = json.loads(await self.next_ack())
        except (TimeoutError, ValueError):
            return None
        detail = facts.get("detail") if isinstance(facts, dict) else None
        return detail if isinstance(detail, dict) and "challenge" in detail else None

    async def clear_retained_kill(self) -> bool:
        """Nothing is retained on a socket."""
        return True

    async def close(self) -> None:
        """Hang up."""
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()

    async def _write(self, request: Request) -> None:
        try:
            self._writer.write(request.line())
            await self._writer.drain()
        except OSError as error:
            raise ConnectivityError(f"the local socket broke: {error}") from error


def _request(sending: Sending) -> Request:
    if sending.name is CommandName.LIMIT and not sending.by_key:
        name, value = str(sending.args["limit"]), str(sending.args["value"])
        return Request(verb=sending.name, id=sending.command_id, reason=sending.reason, name=name, value=value)
    if sending.name.is_signed_always or sending.name is CommandName.LIMIT:
        return Request(verb="signed", name=sending.name.value, envelope=sending.payload.decode())
    return Request(verb=sending.name.value, id=sending.command_id, reason=sending.reason)


async def open_local_line(folder: Path) -> LocalLine:
    """Connect to the bot of a state folder.

    Raises:
        ConnectivityError: No bot answers there.
    """
    path = folder / SOCKET_FILE
    try:
        reader, writer = await asyncio.open_unix_connection(str(path), limit=LONGEST_LINE * 8)
    except OSError as error:
        raise ConnectivityError(f"{path}: no bot answers ({error.strerror or error})") from error
    return LocalLine(reader, writer)


def put_kill_file(folder: Path, reason: str) -> Path:
    """Leave the file KILL: the bot of this folder halts within a second, or at its next start.

    Raises:
        OSError: It cannot be written.
    """
    path = folder / KILL_FILE
    write_durably(path, reason + "\n")
    return path
