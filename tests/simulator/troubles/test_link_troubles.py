"""The link's troubles as a client on the wire meets them, in virtual time."""

import asyncio
import struct
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from floors import OPENS_AT, a_future, an_open_floor
from pretend_client import contract, packed, place_order, unpacked

from simulator.gateway import FloorTime, Gateway
from simulator.troubles.kinds import trouble
from simulator.troubles.script import read_script
from simulator.virtual_time import run_virtual

PORT = 4002
START = OPENS_AT + timedelta(minutes=10)


class Wire(asyncio.Protocol):
    """One client: what arrived piece by piece, and whether it was cut off."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.pieces: list[tuple[float, bytes]] = []
        self.is_lost = False
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Keep a piece with its moment."""
        self.pieces.append((asyncio.get_running_loop().time(), data))

    def connection_lost(self, exc: Exception | None) -> None:
        """Remember the end."""
        del exc
        self.is_lost = True

    def ask(self, *fields: object) -> None:
        """Send one message."""
        assert self.transport is not None
        self.transport.write(packed(*fields))

    def frames(self) -> list[list[str]]:
        """Return what arrived since the last call; a frame that is cut short is left out."""
        data = b"".join(piece for _, piece in self.pieces)
        self.pieces.clear()
        whole = 0
        while len(data) - whole >= 4:
            (size,) = struct.unpack_from(">I", data, whole)
            if whole + 4 + size > len(data):
                break
            whole += 4 + size
        return unpacked(data[:whole])

    def codes(self) -> list[int]:
        """Return the codes that were told."""
        return [int(frame[3]) for frame in self.frames() if frame[0] == "4"]


class Scene:
    """A gateway at work."""

    def __init__(self, gateway: Gateway, future: list[object]) -> None:
        """Serve a floor with a future."""
        self.gateway = gateway
        self.future = future

    async def client(self, client_id: int = 1) -> Wire:
        """Return a client that has started and read its greeting."""
        wire = await self.dialled()
        wire.ask(71, 2, client_id, "")
        await asyncio.sleep(1)
        return wire

    async def dialled(self) -> Wire:
        """Return a client that has said hello."""
        _, wire = await asyncio.get_running_loop().create_connection(Wire, "127.0.0.1", PORT)
        assert wire.transport is not None
        wire.transport.write(b"API\0" + packed("v157..178"))
        await asyncio.sleep(0.5)
        return wire

    def inject(self, name: str, **settings: object) -> None:
        """Let a trouble happen."""
        self.gateway.inject(trouble(name, **settings))


def played(story: Callable[[Scene], Awaitable[Any]]) -> Any:
    """Play a story against a gateway in virtual time and return what it returns."""

    async def run() -> Any:
        opened = an_open_floor()
        time = FloorTime(asyncio.get_running_loop().time, START)
        opened.floor._clock = time.now
        gateway = Gateway(opened.floor, port=PORT, time=time)
        await gateway.start()
        running = asyncio.ensure_future(gateway.run())
        try:
            return await story(Scene(gateway, contract(opened, a_future(opened))))
        finally:
            running.cancel()
            await gateway.stop()

    return run_virtual(run(), start=START)


def test_a_closed_port_refuses_and_opens_again() -> None:
    """F01: who is connected is served, who comes is refused, and after the time comes in."""

    async def story(scene: Scene) -> tuple[bool, list[str], bool]:
        first = await scene.client()
        first.frames()
        scene.inject("refuse", seconds=10)
        try:
            await scene.client(2)
            refused = False
        except ConnectionRefusedError:
            refused = True
        first.ask(49, 1)
        await asyncio.sleep(11)
        answered = [frame[0] for frame in first.frames()]
        return refused, answered, bool((await scene.client(2)).frames())

    assert played(story) == (True, ["49"], True)


def test_a_reset_cuts_a_frame_in_two() -> None:
    """F02: the last bytes are the beginning of a frame, and the connection is gone; the id is free."""

    async def story(scene: Scene) -> tuple[bool, bool, bool]:
        wire = await scene.client()
        wire.frames()
        scene.inject("reset", client=1)
        await asyncio.sleep(1)
        rest = b"".join(piece for _, piece in wire.pieces)
        return wire.is_lost, wire.frames() == [] and len(rest) in {0, 6}, bool((await scene.client()).frames())

    assert played(story) == (True, True, True)


def test_a_disconnect_closes_in_order() -> None:
    """F03: the client is cut off and can return; others stay."""

    async def story(scene: Scene) -> tuple[bool, bool, bool]:
        wire, other = await scene.client(), await scene.client(2)
        scene.inject("disconnect", client=1)
        await asyncio.sleep(1)
        return wire.is_lost, other.is_lost, bool((await scene.client()).frames())

    assert played(story) == (True, False, True)


def test_a_half_open_connection_is_silent_and_keeps_its_id() -> None:
    """F04: nothing is answered, nothing closes, and the id meets 326; after the time it is served again."""

    async def story(scene: Scene) -> tuple[list[object], bool, list[int], list[str]]:
        wire = await scene.client()
        wire.frames()
        scene.inject("half_open", client=1, seconds=60)
        wire.ask(49, 1)
        await asyncio.sleep(5)
        silent = wire.frames()
        twin = await scene.client(1)
        codes, is_lost = twin.codes(), wire.is_lost
        await asyncio.sleep(60)
        wire.ask(49, 1)
        await asyncio.sleep(1)
        return silent, is_lost, codes, [frame[0] for frame in wire.frames()]

    assert played(story) == ([], False, [326], ["49"])


def test_a_delay_holds_every_answer_back() -> None:
    """F05: 200 ms later than without it."""

    async def story(scene: Scene) -> tuple[float, float]:
        wire = await scene.client()
        spans = []
        for name in ("", "delay"):
            if name:
                scene.inject(name, seconds="200ms")
            wire.frames()
            asked = asyncio.get_running_loop().time()
            wire.ask(49, 1)
            await asyncio.sleep(1)
            spans.append(wire.pieces[0][0] - asked)
        return spans[0], spans[1]

    before, after = played(story)
    assert after - before == pytest.approx(0.2, abs=0.01)


@pytest.mark.parametrize(("name", "size"), [("drip", 1), ("split", 7)])
def test_bytes_come_in_pieces_and_in_order(name: str, size: int) -> None:
    """F06 and F07: no piece is longer than asked for, and together they are the same frames."""

    async def story(scene: Scene) -> tuple[int, list[str]]:
        wire = await scene.client()
        wire.frames()
        scene.inject(name, bytes=size)
        wire.ask(49, 1)
        wire.ask(8, 1, 1)
        await asyncio.sleep(10)
        longest = max(len(piece) for _, piece in wire.pieces)
        return longest, [frame[0] for frame in wire.frames()]

    assert played(story) == (size, ["49", "9"])


def test_a_second_session_of_an_id_is_let_in_once() -> None:
    """F08: both hear the order; a third meets 326."""

    async def story(scene: Scene) -> tuple[set[str], set[str], list[int]]:
        first = await scene.client()
        scene.inject("second_session", client=1)
        second = await scene.client()
        third = await scene.client()
        codes = third.codes()
        first.frames(), second.frames()
        first.ask(*place_order(50, scene.future, limit="10.0"))
        await asyncio.sleep(1)
        return {frame[0] for frame in first.frames()}, {frame[0] for frame in second.frames()}, codes

    first, second, codes = played(story)
    assert {"5", "3"} <= first & second
    assert codes == [326]


def test_a_held_id_meets_326_until_released() -> None:
    """F09: cut off, kept out, and let in after the release."""

    async def story(scene: Scene) -> tuple[bool, list[int], bool]:
        wire = await scene.client()
        scene.inject("hold_id", client=1)
        await asyncio.sleep(1)
        codes = (await scene.client()).codes()
        scene.inject("release_id")
        return wire.is_lost, codes, 326 in (await scene.client()).codes()

    assert played(story) == (True, [326], False)


def test_a_handshake_names_a_wrong_version_once() -> None:
    """F10: the version is the one asked for; the next handshake is true."""

    async def story(scene: Scene) -> list[str]:
        scene.inject("wrong_version", version="9999")
        return [(await scene.dialled()).frames()[0][0], (await scene.dialled()).frames()[0][0]]

    assert played(story) == ["9999", "176"]


@pytest.mark.parametrize(("name", "code", "goes_on"), [("data_lost", 1101, False), ("data_kept", 1102, True)])
def test_an_outage_with_and_without_data(name: str, code: int, goes_on: bool) -> None:  # noqa: FBT001 - a row's value
    """F11 and F12: 1100, five seconds later the other code; streams end with 1101 alone."""

    async def story(scene: Scene) -> tuple[list[int], bool]:
        wire = await scene.client()
        wire.ask(1, 11, 5, *scene.future, 0, "", 0, 0, "")
        await asyncio.sleep(1)
        wire.frames()
        scene.inject(name, seconds=5)
        await asyncio.sleep(6)
        codes = wire.codes()
        await asyncio.sleep(1800)
        return codes, any(frame[0] == "1" for frame in wire.frames())

    assert played(story) == ([1100, code], goes_on)


def test_a_storm_of_notices_and_farms_that_go_and_come() -> None:
    """F13 and F14: as many notices as asked for, out of pairs; a farm's two codes."""

    async def story(scene: Scene) -> tuple[list[int], list[int], list[int]]:
        wire = await scene.client()
        wire.frames()
        scene.inject("storm", count=5)
        await asyncio.sleep(2)
        storm = wire.codes()
        scene.inject("farm_down", farm="history", seconds=10)
        await asyncio.sleep(11)
        farm = wire.codes()
        scene.inject("code", code=2110, text="soon back")
        await asyncio.sleep(1)
        return storm, farm, wire.codes()

    assert played(story) == ([1100, 1100, 1102, 1100, 1100], [2105, 2106], [2110])


def test_a_competing_session_stops_ticks_with_10197() -> None:
    """F15: each stream is told, nothing ticks meanwhile, and it ticks afterwards."""

    async def story(scene: Scene) -> tuple[list[tuple[str, str]], set[str], bool]:
        wire = await scene.client()
        wire.ask(1, 11, 5, *scene.future, 0, "", 0, 0, "")
        await asyncio.sleep(1)
        wire.frames()
        scene.inject("competing", seconds=600)
        await asyncio.sleep(1)
        told = [(frame[2], frame[3]) for frame in wire.frames()]
        await asyncio.sleep(590)
        silent = {frame[0] for frame in wire.frames()} & {"1", "2", "21"}
        await asyncio.sleep(600)
        return told, silent, any(frame[0] == "1" for frame in wire.frames())

    assert played(story) == ([("5", "10197")], set(), True)


def test_a_nightly_reset_cuts_off_and_brings_executions_late() -> None:
    """F16: 1100, cut off, refused; the fill meanwhile is there for who comes back."""

    async def story(scene: Scene) -> tuple[list[int], bool, bool, set[str]]:
        wire = await scene.client()
        wire.frames()
        scene.inject("nightly_reset", seconds=60)
        await asyncio.sleep(1)
        codes, lost = wire.codes(), wire.is_lost
        with pytest.raises(ConnectionRefusedError):
            await scene.client()
        await asyncio.sleep(60)
        back = await scene.client()
        back.frames()
        back.ask(*place_order(50, scene.future, limit="10.0"))
        await asyncio.sleep(1)
        return codes, lost, back.is_lost, {frame[0] for frame in back.frames()} & {"5", "3"}

    assert played(story) == ([1100], True, False, {"5", "3"})


def test_a_login_that_is_needed_answers_no_handshake() -> None:
    """F17: cut off, connected again without an answer, until somebody clears it."""

    async def story(scene: Scene) -> tuple[bool, list[list[str]], bool]:
        wire = await scene.client()
        scene.inject("login_needed")
        await asyncio.sleep(1)
        unanswered = (await scene.dialled()).frames()
        scene.gateway.clear_troubles()
        return wire.is_lost, unanswered, bool((await scene.client()).frames())

    assert played(story) == (True, [], True)


def test_an_account_that_is_not_ready() -> None:
    """F18: accountReady is false and the amounts are zero, and true again after the time."""

    async def story(scene: Scene) -> list[tuple[str, str]]:
        wire = await scene.client()
        scene.inject("account_not_ready", seconds=30)
        told = []
        for _ in range(2):
            wire.frames()
            wire.ask(6, 2, 1, "")
            await asyncio.sleep(1)
            values = {frame[2]: frame[3] for frame in wire.frames() if frame[0] == "6"}
            told.append((values["AccountReady"], values["NetLiquidation"]))
            wire.ask(6, 2, 0, "")
            await asyncio.sleep(31)
        return told

    first, second = played(story)
    assert first == ("false", "0.00")
    assert second[0] == "true"
    assert float(second[1]) > 0


def test_order_ids_roll_back() -> None:
    """F28: the next id told lies below the one that is due."""

    async def story(scene: Scene) -> list[int]:
        wire = await scene.client()
        wire.ask(*place_order(500, scene.future, limit="10.0"))
        await asyncio.sleep(1)
        scene.inject("id_rollback", by=100)
        wire.frames()
        wire.ask(8, 1, 1)
        await asyncio.sleep(1)
        return [int(frame[2]) for frame in wire.frames() if frame[0] == "9"]

    assert played(story) == [401]


def test_delayed_data_has_its_own_tick_types() -> None:
    """F46: streams are told 3, ticks come as 66 and the like, and 1 is told at the end."""

    async def story(scene: Scene) -> tuple[list[str], set[str], list[str]]:
        wire = await scene.client()
        wire.ask(1, 11, 5, *scene.future, 0, "", 0, 0, "")
        await asyncio.sleep(1)
        wire.frames()
        scene.inject("delayed", seconds=1800)
        await asyncio.sleep(1790)
        frames = wire.frames()
        await asyncio.sleep(20)
        ticks = {frame[3] for frame in frames if frame[0] == "1"}
        types = [frame[3] for frame in frames if frame[0] == "58"]
        return types, ticks & {"1", "2", "4", "66", "67"}, [f[3] for f in wire.frames() if f[0] == "58"]

    types, ticks, after = played(story)
    assert types == ["3"]
    assert ticks
    assert ticks <= {"66", "67"}
    assert after == ["1"]


def test_frozen_data_is_told_and_stops() -> None:
    """F47: streams are told 2, no tick follows."""

    async def story(scene: Scene) -> tuple[list[str], set[str]]:
        wire = await scene.client()
        wire.ask(1, 11, 5, *scene.future, 0, "", 0, 0, "")
        await asyncio.sleep(1)
        wire.frames()
        scene.inject("frozen", symbol="VIX")
        await asyncio.sleep(1800)
        frames = wire.frames()
        return [f[3] for f in frames if f[0] == "58"], {f[0] for f in frames} & {"1", "2"}

    assert played(story) == (["2"], set())


def test_a_script_plays_by_moment_occasion_and_chance() -> None:
    """A code after ten seconds, one at its time, a cut on the second order, and notices by chance, the same again."""
    script = read_script(
        {
            "seed": 7,
            "rates": {"storm": 3.0},
            "trouble": [
                {"kind": "code", "code": 2103, "after": "10s"},
                {"kind": "code", "code": 2104, "at": "09:41:00"},
                {"kind": "disconnect", "on": "order", "nth": 2},
            ],
        }
    )

    async def story(scene: Scene) -> tuple[list[int], bool, bool, int]:
        wire = await scene.client()
        scene.gateway.play(script)
        wire.frames()
        await asyncio.sleep(70)
        codes = [code for code in wire.codes() if code in {2103, 2104}]
        lost = []
        for order_id in (50, 51):
            wire.ask(*place_order(order_id, scene.future, limit="10.0"))
            await asyncio.sleep(1)
            lost.append(wire.is_lost)
        back = await scene.client()
        back.frames()
        await asyncio.sleep(3600)
        return codes, lost[0], lost[1], len(back.codes())

    first, second = played(story), played(story)
    assert first[:3] == ([2103, 2104], False, True)
    assert first[3] > 20
    assert first == second
