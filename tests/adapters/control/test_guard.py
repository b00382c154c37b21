"""The guard thread: file, signal and socket stop the bot though its event loop stands still."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from adapters.clock import SystemClock, SystemIds
from adapters.control.acks import ack_of
from adapters.control.guard import KILL_FILE, NO_LOOP, TAKEN_FILE, Guard
from adapters.control.keys import open_bot_key
from adapters.control.latch import DiskLatch, Flag, open_latch
from adapters.control.local_line import open_local_line, put_kill_file
from adapters.control.local_socket import LONGEST_LINE, SOCKET_FILE, Request
from bot.domain.command import Ack, AckStage, Channel, Command, CommandName, Proof
from bot.domain.errors import ConnectivityError, InvalidValueError, RefusedStartError
from bot.domain.mode import TradingMode

WITHIN_S = 5.0


class Guarded:
    """A running guard with what it told the loop."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.key = open_bot_key(folder)
        self.latch = DiskLatch(folder / "latch.json", "o", Flag(mode=TradingMode.NORMAL, cause="armed", epoch=1))
        self.told: list[tuple[Command, int]] = []
        self.signed: list[tuple[str, bytes]] = []
        self.asked: list[Command] = []
        self.guard = Guard(
            folder=folder, latch=self.latch, bot_key=self.key, clock=SystemClock(), ids=SystemIds(), poll_s=0.05
        )
        self.guard.listen(
            lambda command, epoch: self.told.append((command, epoch)),
            lambda name, payload: self.signed.append((name, payload)),
            self.asked.append,
        )

    def ask(self, *requests: Request) -> socket.socket:
        """Connect and send requests; without any nothing is written, for the guard may have closed by then."""
        client = socket.socket(socket.AF_UNIX)
        client.settimeout(WITHIN_S)
        client.connect(str(self.folder / SOCKET_FILE))
        if requests:
            client.sendall(b"".join(request.line() for request in requests))
        return client

    def answers(self, client: socket.socket, count: int) -> list[Ack]:
        """Read a number of acks, checked with the bot's key."""
        found = []
        with client.makefile("rb") as lines:
            for _ in range(count):
                ack = ack_of(lines.readline().rstrip(b"\n"), self.key.public_key())
                assert ack is not None
                found.append(ack)
        return found


def wait(met: Callable[[], bool]) -> None:
    """Wait in this thread for a condition with a deadline: the loop, if there is one, stands still meanwhile."""
    deadline = time.monotonic() + WITHIN_S
    while not met():
        assert time.monotonic() < deadline
        time.sleep(0.002)


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Guarded]:
    """A guard on a fresh folder with a NORMAL latch."""
    found = Guarded(tmp_path)
    found.guard.start()
    yield found
    found.guard.stop()


@pytest.mark.control("C3")
async def test_a_stalled_loop_delays_no_kill(guarded: Guarded) -> None:
    """While this loop's only thread is blocked the kill is latched, on disk and answered."""
    with guarded.ask(Request(verb="kill", id="k1", reason="now")) as client:
        ack = guarded.answers(client, 1)[0]  # blocking: the event loop of this test stands still
    assert (ack.command_id, ack.stage, ack.detail["epoch"]) == ("k1", AckStage.LATCHED, 2)
    assert json.loads((guarded.folder / "latch.json").read_text())["mode"] == "HALT"
    assert [(command.channel, epoch) for command, epoch in guarded.told] == [(Channel.LOCAL_SOCKET, 2)]


@pytest.mark.control("C1")
def test_the_file_kills_and_is_taken(guarded: Guarded) -> None:
    """The file KILL halts within a poll, and its new name tells that the latch is on disk."""
    put_kill_file(guarded.folder, "stop")
    wait((guarded.folder / TAKEN_FILE).exists)
    assert not (guarded.folder / KILL_FILE).exists()
    assert json.loads((guarded.folder / "latch.json").read_text())["mode"] == "HALT"
    assert guarded.told[0][0].channel is Channel.KILL_FILE


@pytest.mark.control("C37")
def test_a_limit_of_this_host_is_handed_to_the_loop_as_it_was_asked(guarded: Guarded) -> None:
    """The guard judges nothing: name and value go on with the proof that this host gives, and the client waits."""
    with guarded.ask(Request(verb="limit", id="l1", reason="nervous", name="max_options", value="100")) as client:
        wait(lambda: guarded.asked != [])
        guarded.guard.acknowledge(Ack(command_id="l1", stage=AckStage.DONE))
        assert guarded.answers(client, 1)[0].stage is AckStage.DONE
    (asked,) = guarded.asked
    assert (asked.name, asked.proof, asked.channel) == (CommandName.LIMIT, Proof.LOCAL, Channel.LOCAL_SOCKET)
    assert (dict(asked.args), asked.reason) == ({"limit": "max_options", "value": "100"}, "nervous")


def test_the_file_kills_at_boot(tmp_path: Path) -> None:
    """A file that stands there before the start latches before anything else runs."""
    guarded = Guarded(tmp_path)
    put_kill_file(tmp_path, "stop")
    guarded.guard.look()
    guarded.guard.stop()
    assert (guarded.latch.mode, open_latch(tmp_path, "o", None).mode) == (TradingMode.HALT, TradingMode.HALT)
    assert (tmp_path / TAKEN_FILE).exists()


def test_a_file_that_cannot_be_taken_kills_again_after_a_resume(tmp_path: Path) -> None:
    """The file counts for as long as it stands there, but starts no new epoch while the bot is halted."""
    (tmp_path / TAKEN_FILE).mkdir()  # the rename fails
    (tmp_path / TAKEN_FILE / "x").touch()
    guarded = Guarded(tmp_path)
    put_kill_file(tmp_path, "stop")
    for _ in range(3):
        guarded.guard.look()
    assert guarded.latch.epoch == 2
    assert guarded.latch.loosen(TradingMode.NORMAL, "resumed", epoch=2)
    guarded.guard.look()
    guarded.guard.stop()
    assert (guarded.latch.mode, guarded.latch.epoch) == (TradingMode.HALT, 3)


@pytest.mark.control("C1")
def test_the_signal_kills(guarded: Guarded) -> None:
    """SIGUSR1 only sets a flag; the guard thread does the rest."""
    before = signal.signal(signal.SIGUSR1, lambda _number, _frame: guarded.guard.interrupt())
    try:
        os.kill(os.getpid(), signal.SIGUSR1)
        wait(lambda: guarded.latch.mode is TradingMode.HALT and bool(guarded.told))
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert guarded.told[0][0].channel is Channel.SIGNAL


def test_a_repeated_kill_is_answered_again_without_a_new_epoch(guarded: Guarded) -> None:
    """The same id twice is one kill; another id is another."""
    same = Request(verb="kill", id="k1")
    with guarded.ask(same, same, Request(verb="kill", id="k2")) as client:
        acks = guarded.answers(client, 3)
    assert [ack.detail["epoch"] for ack in acks] == [2, 2, 3]
    assert len(guarded.told) == 2


@pytest.mark.parametrize(
    ("verb", "mode", "epoch"),
    [("pause", TradingMode.HALT, 2), ("reduce-only", TradingMode.REDUCE_ONLY, 1)],
)
def test_the_milder_words_latch_too(guarded: Guarded, verb: str, mode: TradingMode, epoch: int) -> None:
    """Pause halts, reduce-only reduces; only a halt starts an epoch."""
    with guarded.ask(Request(verb=verb, id="p")) as client:
        assert guarded.answers(client, 1)[0].stage is AckStage.LATCHED
    assert (guarded.latch.mode, guarded.latch.epoch) == (mode, epoch)


@pytest.mark.control("C30")
def test_status_and_challenge_are_answered_without_the_loop(guarded: Guarded) -> None:
    """The last state told, with the latch's own mode and epoch; and the challenge."""
    guarded.guard.publish("state", {"mode": "NORMAL", "epoch": 0, "working_orders": 2}, retain=True)
    guarded.guard.publish("challenge", {"challenge": "c", "epoch": 1}, retain=True)
    with guarded.ask(Request(verb="status", id="s"), Request(verb="challenge", id="c")) as client:
        told = {ack.command_id: ack for ack in guarded.answers(client, 2)}
    status, challenge = told["s"], told["c"]
    assert (status.detail["working_orders"], status.detail["epoch"], status.detail["latch"]) == (2, 1, "NORMAL")
    assert challenge.detail == {"challenge": "c", "epoch": 1}


@pytest.mark.control("C30")
def test_the_loop_tells_the_status_and_the_guard_adds_what_it_knows_itself(guarded: Guarded) -> None:
    """The desk is asked with the client's own id; its answer comes once, with the latch's mode and the beat's age."""
    asked: list[Command] = []
    guarded.guard.listen(lambda *_: None, lambda *_: None, asked.append)
    with guarded.ask(Request(verb="status", id="s")) as client:
        wait(lambda: asked != [])
        (command,) = asked
        assert (command.name, command.channel, command.proof) == (
            CommandName.STATUS,
            Channel.LOCAL_SOCKET,
            Proof.LOCAL,
        )
        detail = {"mode": "NORMAL", "latch": "?", "limits": [{"limit": "max_options", "use": "3"}]}
        guarded.guard.acknowledge(Ack(command_id="s", stage=AckStage.DONE, detail=detail))
        found = guarded.answers(client, 1)[0].detail
        guarded.guard.acknowledge(Ack(command_id="s", stage=AckStage.DONE, detail=detail))
        client.settimeout(0.3)
        with pytest.raises(TimeoutError):
            client.recv(1)
    assert (found["latch"], found["epoch"], found["limits"]) == ("NORMAL", 1, detail["limits"])
    assert "heartbeat_age_s" in found


@pytest.mark.control("C30")
def test_a_loop_that_stands_still_delays_no_status(guarded: Guarded) -> None:
    """Nobody answers: soon the guard tells what was told last, and that the limits are not known."""
    guarded.guard.publish("state", {"mode": "NORMAL", "working_orders": 2}, retain=True)
    guarded.guard.listen(lambda *_: None, lambda *_: None, lambda *_: None)
    with guarded.ask(Request(verb="status", id="s")) as client:
        found = guarded.answers(client, 1)[0].detail
    assert (found["working_orders"], found["latch"]) == (2, "NORMAL")
    assert found["limits"] == [{"limit": "all", "use": NO_LOOP}]


def test_a_signed_command_goes_to_the_loop_and_its_answer_comes_back(guarded: Guarded) -> None:
    """The guard judges no signature; the ack of the desk reaches the client that waits for it, and no other."""
    with (
        guarded.ask(Request(verb="signed", name="resume", envelope='{"id":"r1"}')) as client,
        guarded.ask(Request(verb="status", id="s")) as other,
    ):
        wait(lambda: guarded.signed == [("resume", b'{"id":"r1"}')])
        guarded.answers(other, 1)
        guarded.guard.acknowledge(Ack(command_id="r1", stage=AckStage.REFUSED, code="epoch"))
        assert guarded.answers(client, 1)[0].code == "epoch"
        other.setblocking(False)
        with pytest.raises(BlockingIOError):
            other.recv(1)
    assert guarded.latch.mode is TradingMode.NORMAL


@pytest.mark.parametrize(
    "line",
    [b"\n\n{}\n", b"kill\n", b"\xff\n", b'{"verb":1}\n', b'{"verb":"kill","x":"y"}\n', b"x" * (LONGEST_LINE + 10)],
)
def test_a_client_that_sends_rubbish_is_cut_off(guarded: Guarded, line: bytes) -> None:
    """What is no request ends the connection, latches nothing, and the next client is served."""
    with guarded.ask() as client:
        client.sendall(line)
        with contextlib.suppress(ConnectionResetError):  # it had sent more than was read
            assert client.recv(1) == b""
    with guarded.ask(Request(verb="status", id="s")) as client:
        assert guarded.answers(client, 1)[0].stage is AckStage.DONE
    assert guarded.latch.mode is TradingMode.NORMAL


def test_the_socket_is_the_owners_alone(guarded: Guarded) -> None:
    """Mode 0600 on the socket."""
    assert stat.S_IMODE((guarded.folder / SOCKET_FILE).stat().st_mode) == 0o600


def test_another_user_is_not_served(guarded: Guarded, monkeypatch: pytest.MonkeyPatch) -> None:
    """Peer credentials of a user that is neither the bot's own nor root end the connection."""
    monkeypatch.setattr("adapters.control.local_socket.ROOT_UID", 98765)
    monkeypatch.setattr(os, "geteuid", lambda: 98765)
    with guarded.ask() as client:
        assert client.recv(1) == b""


def test_many_silent_clients_do_not_hinder_the_kill_file(guarded: Guarded) -> None:
    """Clients beyond the limit are turned away; the other paths go on."""
    clients = [guarded.ask() for _ in range(30)]
    put_kill_file(guarded.folder, "stop")
    wait((guarded.folder / TAKEN_FILE).exists)
    for client in clients:
        client.close()


def test_a_latch_that_cannot_be_written_is_not_answered(tmp_path: Path) -> None:
    """The flag is set and the loop told, but LATCHED never precedes the disk."""
    guarded = Guarded(tmp_path)
    guarded.latch._path = tmp_path / "gone" / "latch.json"
    guarded.guard.start()
    with guarded.ask(Request(verb="kill", id="k"), Request(verb="status", id="s")) as client:
        answers = guarded.answers(client, 1)
    guarded.guard.stop()
    assert [ack.command_id for ack in answers] == ["s"]
    assert (guarded.latch.mode, len(guarded.told)) == (TradingMode.HALT, 1)


async def test_nobody_answers_where_no_bot_runs(tmp_path: Path) -> None:
    """A missing socket is a connectivity error that names the path."""
    with pytest.raises(ConnectivityError, match=SOCKET_FILE):
        await open_local_line(tmp_path)


def test_a_path_too_long_for_a_socket_is_refused(tmp_path: Path) -> None:
    """The error says what to do."""
    folder = tmp_path / ("x" * 120)
    folder.mkdir()
    guarded = Guarded(folder)
    with pytest.raises(RefusedStartError, match="--state"):
        guarded.guard.start()
    guarded.guard.stop()


def test_a_request_survives_its_line() -> None:
    """What a client writes is what the guard reads."""
    request = Request(verb="signed", id="i", reason="r\n", name="resume", envelope='{"a":1}')
    assert Request.of(request.line()) == request
    with pytest.raises(InvalidValueError):
        Request.of(b"[]")


async def test_the_guard_stops_though_nobody_reads(tmp_path: Path) -> None:
    """Stopping ends the thread and closes the clients."""
    guarded = Guarded(tmp_path)
    guarded.guard.start()
    client = guarded.ask(Request(verb="status", id="s"))
    await asyncio.get_running_loop().run_in_executor(None, guarded.guard.stop)
    assert guarded.guard._thread.is_alive() is False
    client.close()
