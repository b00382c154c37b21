"""The guard thread: every local way to stop the bot, served without the event loop.

How it works: one thread waits for the unix socket, for the flag that SIGUSR1 sets, and looks twice a second for the
file KILL. A local kill sets the latch's flag and tells the loop, which cancels our orders; meanwhile it is written,
flushed and answered here. Commands that need a signature go to the loop as they came. What always holds: a stalled loop
delays no latch and no first answer; no client and no file can end this thread.

The file KILL counts once more whenever the bot is not halted while it stands there. When the latch is on disk the file
is renamed to KILL.taken: the sign, for whoever put it there, that it worked. At start it is looked for before anything
else runs.
"""

import json
import selectors
import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from adapters.control.acks import signed_ack
from adapters.control.envelope import PrivateKey
from adapters.control.latch import DiskLatch
from adapters.control.local_socket import MOST_CLIENTS, Client, Request, accepted, listening
from adapters.journal.codec import Plain, plain
from bot.domain.command import Ack, AckDetail, AckStage, Channel, Command, CommandName, Proof
from bot.domain.errors import LatchError
from bot.domain.mode import TradingMode
from bot.ports import Clock, Ids

KILL_FILE = "KILL"
HEARTBEAT = "heartbeat"
ANSWER_WITHIN_S = 0.1
"""docs/risk-controls.md, C30: the status is there within 200 ms in every fault state, a stalled loop included."""
NO_LOOP = "unknown: the bot's loop stands still; this is what it told last"
BEAT_AGE = "heartbeat_age_s"
"""In the answer to ``status``: this thread answers while the loop stands still, so it says for how long that is."""
TAKEN_FILE = "KILL.taken"
LONGEST_REASON = 200
LONGEST_ID = 64
JOIN_S = 5.0

LATCHED_MODES: Mapping[str, tuple[CommandName, TradingMode]] = {
    "kill": (CommandName.KILL, TradingMode.HALT),
    "pause": (CommandName.PAUSE, TradingMode.HALT),
    "reduce-only": (CommandName.REDUCE_ONLY, TradingMode.REDUCE_ONLY),
}

Latched = Callable[[Command, int], None]
"""Told of a latch that the guard has set, with its epoch; called in the guard's thread."""

Signed = Callable[[str, bytes], None]
"""Given the name and bytes of a signed command; called in the guard's thread."""

Asked = Callable[[Command], None]
"""Given an unsigned command of this host; the loop answers by `Guard.acknowledge`. Called in the guard's thread."""


class Guard:
    """A `bot.ports.CommandLink` for the clients of the local socket, and the thread that serves them."""

    def __init__(
        self,
        *,
        folder: Path,
        latch: DiskLatch,
        bot_key: PrivateKey,
        clock: Clock,
        ids: Ids,
        poll_s: float,
    ) -> None:
        """Take the parts; nothing runs before `start`."""
        self._folder = folder
        self._latch = latch
        self._bot_key = bot_key
        self._clock = clock
        self._ids = ids
        self._poll_s = poll_s
        self._latched: Latched = _nobody
        self._signed: Signed = _nobody
        self._asked: Asked | None = None
        self._due: dict[str, datetime] = {}  # questions for the status that the loop has not answered
        self._selector = selectors.DefaultSelector()
        self._clients: list[Client] = []
        self._told: dict[str, Mapping[str, object]] = {}
        self._handled: dict[str, int] = {}
        self._taken: tuple[int, int] | None = None
        self._outgoing: list[Ack] = []
        self._mutex = threading.Lock()
        self._signalled = False
        self._stopping = False
        self._beat_at = clock.host_now()  # the loop's first beat is due from now on
        self._thread = threading.Thread(target=self._run, name="guard", daemon=True)
        self._here, self._there = socket.socketpair()

    # called by others -----------------------------------------------------------------------------------------

    def listen(self, latched: Latched, signed: Signed, asked: Asked | None = None) -> None:
        """Tell these of local latches, of signed and of other commands; all are called in the guard's thread.

        Without anybody to ask, and where the loop does not answer in time, the status is what was last told of it.
        """
        self._latched = latched
        self._signed = signed
        self._asked = asked

    def look(self) -> None:
        """Look for the file KILL in the calling thread: before anything else of the bot runs."""
        self._look_for_file()

    def start(self) -> None:
        """Open the socket and begin to watch.

        Raises:
            RefusedStartError: The socket cannot be made.
        """
        self._here.setblocking(False)
        self._there.setblocking(False)
        self._server = listening(self._folder)
        self._selector.register(self._server, selectors.EVENT_READ)
        self._selector.register(self._here, selectors.EVENT_READ)
        self._thread.start()

    def stop(self) -> None:
        """End the thread and close the socket; what waits is sent first as far as clients read."""
        self._stopping = True
        self._wake()
        if self._thread.ident is not None:
            self._thread.join(JOIN_S)
        for closed in (self._here, self._there):
            closed.close()
        self._selector.close()

    def interrupt(self) -> None:
        """A signal asks for a kill; safe inside a signal handler, which must do nothing but this."""
        self._signalled = True
        self._wake()

    def acknowledge(self, ack: Ack) -> None:
        """Answer whoever waits on the local socket for this command."""
        with self._mutex:
            self._outgoing.append(ack)
        self._wake()

    def publish(self, topic: str, payload: Mapping[str, object], *, retain: bool = False) -> None:
        """Keep the last state, challenge and moment of the last beat of the loop, for the verbs that ask."""
        if retain:
            self._told = {**self._told, topic: dict(payload)}
        if topic == HEARTBEAT:
            self._beat_at = self._clock.host_now()

    def told(self, topic: str) -> Mapping[str, object]:
        """Return what was last told on ``state`` or ``challenge``, empty before the first time."""
        return self._told.get(topic, {})

    # the thread -----------------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            while not self._stopping:
                for key, _ in self._selector.select(min(self._poll_s, ANSWER_WITHIN_S) if self._due else self._poll_s):
                    self._serve(key)
                if self._signalled:
                    self._signalled = False
                    self._tighten("kill", self._ids.new_id(), "SIGUSR1", Channel.SIGNAL)
                self._look_for_file()
                self._send_acks()
        finally:
            self._send_acks()
            for client in list(self._clients):
                self._drop(client)
            self._server.close()

    def _serve(self, key: selectors.SelectorKey) -> None:
        if key.fileobj is self._here:
            _drain(self._here)
        elif key.fileobj is self._server:
            client = accepted(self._server)
            if client is not None and len(self._clients) < MOST_CLIENTS:
                self._clients.append(client)
                self._selector.register(client.connection, selectors.EVENT_READ, client)
            elif client is not None:
                client.connection.close()
        elif isinstance(key.data, Client):
            self._serve_client(key.data)

    def _serve_client(self, client: Client) -> None:
        requests = client.requests()
        if requests is None:
            self._drop(client)
            return
        for request in requests:
            self._carry_out(client, request)

    def _carry_out(self, client: Client, request: Request) -> None:
        wanted = request.id[:LONGEST_ID] or self._ids.new_id()
        if request.verb in LATCHED_MODES:
            client.waits_for.add(wanted)
            self._tighten(request.verb, wanted, request.reason, Channel.LOCAL_SOCKET)
        elif request.verb == "signed":
            client.waits_for.add(_id_in(request.envelope))
            self._signed(request.name, request.envelope.encode(errors="replace"))
        elif request.verb == CommandName.LIMIT and self._asked is not None:
            client.waits_for.add(wanted)
            args = {"limit": request.name, "value": request.value}
            self._asked(self._command(CommandName.LIMIT, wanted, request.reason[:LONGEST_REASON], args=args))
        elif request.verb == "status":
            self._ask(client, wanted)
        elif request.verb == "challenge":
            self._answer(client, Ack(command_id=wanted, stage=AckStage.DONE, detail=self._last_told("challenge")))
        else:
            self._answer(client, Ack(command_id=wanted, stage=AckStage.REFUSED, code="unknown_verb"))

    def _ask(self, client: Client, command_id: str) -> None:
        """Have the loop tell the status; where it stands still the last one that it told answers, in time (C30)."""
        now = self._clock.host_now()
        self._due[command_id] = now + timedelta(seconds=ANSWER_WITHIN_S)
        if self._asked is None:
            told = Ack(command_id=command_id, stage=AckStage.DONE, detail=self._last_told("state"))
            self._answer(client, self._with_own(told))
            return
        client.waits_for.add(command_id)
        self._asked(self._command(CommandName.STATUS, command_id, ""))

    def _overdue(self) -> list[Ack]:
        """Answers in the place of a loop that has not given its own."""
        now = self._clock.host_now()
        late = [command_id for command_id, due in self._due.items() if now >= due]
        detail: AckDetail = {**self._last_told("state"), "limits": [{"limit": "all", "use": NO_LOOP}]}
        return [Ack(command_id=one, stage=AckStage.DONE, detail=detail) for one in late]

    def _with_own(self, ack: Ack) -> Ack:
        """An answer to a question for the status: mode and epoch are the latch's own, however stalled the loop is."""
        if self._due.pop(ack.command_id, None) is None:
            return ack
        own: AckDetail = {"latch": self._latch.mode.name, "epoch": self._latch.epoch, "cause": self._latch.cause}
        own[BEAT_AGE] = int((self._clock.host_now() - self._beat_at).total_seconds())
        return replace(ack, detail={**ack.detail, **own})

    def _last_told(self, topic: str) -> AckDetail:
        return {name: _signable(value) for name, value in self.told(topic).items()}

    def _tighten(self, verb: str, command_id: str, reason: str, channel: Channel) -> bool:
        """Flag, loop, disk, answer: in this order; asked again with the same id, only the answer is repeated.

        Returns whether the latch is on disk. Where it cannot be written the loop, told of the kill, fails likewise and
        ends the bot halted.
        """
        name, mode = LATCHED_MODES[verb]
        if self._handled.get(command_id) == self._latch.epoch and self._latch.mode >= mode:
            self._ack_latched(command_id, self._latch.epoch)
            return True
        why = reason[:LONGEST_REASON].strip() or "no reason given"
        epoch = self._latch.tighten(mode, f"{verb} by {channel.value}: {why}")
        self._latched(self._command(name, command_id, why, channel), epoch)
        try:
            self._latch.write()
        except LatchError:
            return False
        self._handled = {command_id: epoch}
        self._ack_latched(command_id, epoch)
        return True

    def _command(
        self,
        name: CommandName,
        command_id: str,
        reason: str,
        channel: Channel = Channel.LOCAL_SOCKET,
        args: Mapping[str, str] | None = None,
    ) -> Command:
        """A command of this host: the file permission, or the peer's credentials, are the proof."""
        return Command(
            name=name,
            command_id=command_id,
            channel=channel,
            proof=Proof.LOCAL,
            received_at=self._clock.host_now(),
            reason=reason,
            args=args or {},
        )

    def _ack_latched(self, command_id: str, epoch: int) -> None:
        detail: AckDetail = {"epoch": epoch, "mode": self._latch.mode.name}
        with self._mutex:
            self._outgoing.append(Ack(command_id=command_id, stage=AckStage.LATCHED, detail=detail))

    def _look_for_file(self) -> None:
        path = self._folder / KILL_FILE
        try:
            found = path.stat()
        except OSError:
            return
        stamp = (found.st_ino, found.st_mtime_ns)
        if stamp != self._taken or self._latch.mode is not TradingMode.HALT:
            if not self._tighten("kill", self._ids.new_id(), "file KILL", Channel.KILL_FILE):
                return
            self._taken = stamp
        try:
            path.replace(self._folder / TAKEN_FILE)
        except OSError:
            return  # it stays and goes on counting; the latch is on disk all the same

    def _send_acks(self) -> None:
        with self._mutex:
            acks, self._outgoing = self._outgoing, []
        for told in (*acks, *self._overdue()):
            is_status = told.command_id in self._due
            ack = self._with_own(told)
            for client in [client for client in self._clients if ack.command_id in client.waits_for]:
                self._answer(client, ack)
                if is_status:
                    client.waits_for.discard(ack.command_id)  # the loop may still answer: once is enough
        for client in [client for client in self._clients if client.unsent and not client.flush()]:
            self._drop(client)

    def _answer(self, client: Client, ack: Ack) -> None:
        if not client.send(signed_ack(ack, self._bot_key, self._clock.host_now())):
            self._drop(client)

    def _drop(self, client: Client) -> None:
        if client in self._clients:
            self._clients.remove(client)
            self._selector.unregister(client.connection)
            client.connection.close()

    def _wake(self) -> None:
        try:
            self._there.send(b".")
        except OSError:
            return  # the pipe is full: the thread is about to look anyway; or closed: it has ended


def _drain(pipe: socket.socket) -> None:
    try:
        while pipe.recv(4096):
            pass
    except OSError:
        return


def _id_in(envelope: str) -> str:
    """The command's id in an envelope that nobody has checked yet: only where the answer goes depends on it."""
    try:
        facts = json.loads(envelope)
    except (ValueError, RecursionError):
        return ""
    return str(facts.get("id", ""))[:LONGEST_ID] if isinstance(facts, dict) else ""


def _signable(value: object) -> str | int | bool | list[str]:
    written: Plain = plain(value)
    if isinstance(written, (str, int, bool)):
        return written
    return [str(held) for held in written] if isinstance(written, list) else str(written)


def _nobody(*_what: object) -> None:
    """Nobody listens yet."""
