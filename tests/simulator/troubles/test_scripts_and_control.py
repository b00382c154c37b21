"""What a script and a command line may say, and what they are told when they say something else."""

import asyncio
from pathlib import Path

import pytest
from floors import an_open_floor

from bot.domain.errors import InvalidValueError
from simulator.control import Control, ControlSocket, TcpPlace, UnixPlace, place_of
from simulator.gateway import Gateway
from simulator.troubles.kinds import KINDS, Area, duration_s, trouble
from simulator.troubles.link import Link
from simulator.troubles.orders import FATES
from simulator.troubles.quotes import BENDS, SILENT
from simulator.troubles.script import read_script


def control() -> Control:
    """Return the commands of a gateway that nobody is connected to."""
    return Control(Gateway(an_open_floor().floor, port=0))


def test_every_kind_is_carried_out_somewhere() -> None:
    """No name stands in the table that no part acts on, and every number from F01 to F53 is there."""
    gateway = Gateway(an_open_floor().floor, port=0)
    link: Link = gateway._link
    known = {*link._acts, *FATES, *BENDS, *SILENT, "replay", "new_con_id"}

    assert set(KINDS) <= known
    assert {kind.number for kind in KINDS.values()} - {""} == {f"F{number:02d}" for number in range(1, 54)}
    assert {kind.area for kind in KINDS.values()} == set(Area)


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("reject next", "ok reject client=-1 count=1 code=201 text=injected rejection"),
        ("drop next client=3", "ok drop client=3 count=1"),
        ("delay 200ms", "ok delay seconds=0.2 client=-1"),
        ("price RVX 45", "ok price symbol=RVX level=45.0 seconds=0.0"),
        ("halt VIX 5m", "ok halt symbol=VIX seconds=300.0"),
        ("fill-after-202", "ok fill_after_202 client=-1 count=1 seconds=1.0"),
        ("disconnect", "ok disconnect client=-1"),
        ("1100", "ok code code=1100 text="),
        ("clear", "ok no trouble lasts or waits"),
        ("status", "ok 2026-10-19 13:40:00 UTC, connected: nobody\nno trouble lasts or waits"),
    ],
)
def test_a_line_is_understood(line: str, answer: str) -> None:
    """Words go to the parameters whose form they have, and the answer tells what was understood."""
    assert control().answer(line) == answer


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("", "expected a command"),
        ("explode", "'explode' is no command, expected a code or one of list, status"),
        ("delay soon", "delay: 'soon' fits no parameter; usage: delay [seconds=0.2] [client=-1]"),
        ("reject client=x", "client: expected a whole number, found 'x'"),
        ("reject colour=red", "reject has no colour, it takes client, count, code, text"),
        ("hold_id", "hold_id needs client=ID"),
        ("partial quantity=0", "partial: quantity must be at least 1, was 0"),
        ("farm_down farm=coffee", "farm: expected one of market, history, found 'coffee'"),
        ("price level=nan", "level: expected a number, found 'nan'"),
        ("advance", "advance takes one duration"),
        ("advance 0", "time does not stand still"),
        ("advance yesterday", "expected a duration such as 200ms"),
    ],
)
def test_a_line_that_says_nothing_is_told_why(line: str, words: str) -> None:
    """The answer is an error that says what was expected and found."""
    answer = control().answer(line)
    assert answer.startswith("error ")
    assert words in answer


def test_the_list_names_every_kind() -> None:
    """Each with its parameters and what happens."""
    told = control().answer("list")
    assert all(f"\n{name}" in told for name in KINDS)


async def test_an_hour_passes_at_once() -> None:
    """Advance plays every step of the hour before it answers."""
    gateway = Gateway(an_open_floor().floor, port=0)

    assert Control(gateway).answer("advance 1h").startswith("ok 2026-10-19 14:40:0")


@pytest.mark.parametrize(
    ("tables", "words"),
    [
        ({"colour": 1}, "unknown colour"),
        ({"rates": {"reset": 1.0}}, "needs a seed"),
        ({"seed": 1, "rates": {"reset": -1}}, "rates: reset must be above 0"),
        ({"seed": 1, "rates": {"nothing": 1}}, "no trouble is called 'nothing'"),
        ({"seed": 1, "rates": 3}, "rates: expected a table"),
        ({"seed": 1, "rates": {"reset": "often"}}, "expected a number per hour, found 'often'"),
        ({"trouble": {"kind": "reset"}}, "expected [[trouble]] tables"),
        ({"trouble": [{"client": 1}]}, "trouble 1: expected a table with a kind"),
        ({"trouble": [{"kind": "reset"}, {"kind": "x"}]}, "trouble 2: no trouble is called 'x'"),
        ({"trouble": [{"kind": "reset", "at": "noon"}]}, "at: expected a time"),
        ({"trouble": [{"kind": "reset", "at": "10:00", "after": "1s"}]}, "expected one of after, at and on"),
        ({"trouble": [{"kind": "reset", "on": "rain"}]}, "expected one of connect, order, fill, cancel"),
        ({"trouble": [{"kind": "reset", "on": "fill", "nth": 0}]}, "nth: expected a whole number"),
        ({"trouble": [{"kind": "reset", "nth": 2}]}, "nth belongs to on"),
        ({"trouble": [{"kind": "reset", "after": "later"}]}, "expected a duration"),
    ],
)
def test_a_script_that_says_something_else_is_refused(tables: dict[str, object], words: str) -> None:
    """The error names the place and what was expected."""
    with pytest.raises(InvalidValueError) as error:
        read_script(tables)
    assert words in str(error.value)


@pytest.mark.parametrize(
    ("text", "seconds"), [("200ms", 0.2), ("5", 5.0), ("1.5m", 90.0), ("1h", 3600.0), ("1d", 86400.0)]
)
def test_durations(text: str, seconds: float) -> None:
    """A number with a unit; seconds without one."""
    assert duration_s(text) == seconds


def test_a_trouble_is_told_as_it_would_be_typed() -> None:
    """Name and settings with their defaults."""
    assert str(trouble("one_leg", leg=2)) == "one_leg client=-1 count=1 leg=2"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("127.0.0.1:4100", TcpPlace(host="127.0.0.1", port=4100)),
        ("[::1]:4100", TcpPlace(host="::1", port=4100)),
        ("localhost:4100", TcpPlace(host="localhost", port=4100)),
        ("some/file", UnixPlace(path=Path("some/file"))),
        ("a/b:7", UnixPlace(path=Path("a/b:7"))),
    ],
)
def test_places_of_a_control_socket(text: str, place: object) -> None:
    """HOST:PORT of this machine, anything else is a path."""
    assert place_of(text) == place


@pytest.mark.parametrize("text", ["0.0.0.0:4100", "10.0.0.1:4100", "example.org:4100", "127.0.0.1:99999"])
def test_a_control_socket_stays_on_this_machine(text: str) -> None:
    """Other hosts, and ports that are none, are refused."""
    with pytest.raises(InvalidValueError):
        place_of(text)


class Echo:
    """Answers with what it was told."""

    def answer(self, line: str) -> str:
        """Return the line without its end."""
        return f"ok {line.strip()}"


async def told(path: Path, data: bytes) -> bytes:
    """Write bytes to a socket and return all that comes back."""
    reader, writer = await asyncio.open_unix_connection(path)
    writer.write(data)
    writer.write_eof()
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer


async def test_a_socket_answers_lines_for_its_owner_alone(tmp_path: Path) -> None:
    """Several lines on one connection, odd bytes included; the file is its owner's; it is gone after the stop."""
    path = tmp_path / "deep" / "control"
    socket = ControlSocket(Echo(), UnixPlace(path=path))
    await socket.start()

    assert await told(path, b"one\ntwo \xff\n") == "ok one\n\nok two �\n\n".encode()
    assert path.stat().st_mode & 0o777 == 0o600
    await socket.stop()
    assert not path.exists()


async def test_a_line_without_end_is_refused(tmp_path: Path) -> None:
    """More than 4096 bytes are no line; the next connection is served."""
    path = tmp_path / "control"
    socket = ControlSocket(Echo(), UnixPlace(path=path))
    await socket.start()

    assert b"at most 4096 bytes" in await told(path, b"x" * 10_000)
    assert await told(path, b"still here\n") == b"ok still here\n\n"
    await socket.stop()


async def test_two_gateways_do_not_share_a_socket(tmp_path: Path) -> None:
    """The second is refused while the first answers; a dead one's file is taken over."""
    path = tmp_path / "control"
    first, second = ControlSocket(Echo(), UnixPlace(path=path)), ControlSocket(Echo(), UnixPlace(path=path))
    await first.start()
    with pytest.raises(OSError, match="already in use"):
        await second.start()
    await first.stop()
    path.touch()
    path.unlink()
    await second.start()
    assert await told(path, b"here\n") == b"ok here\n\n"
    await second.stop()


async def test_a_socket_on_a_port() -> None:
    """Port 0 takes a free one, and a talk that goes on does not hold up the stop."""
    socket = ControlSocket(Echo(), TcpPlace(host="127.0.0.1", port=0))
    await socket.start()
    reader, writer = await asyncio.open_connection("127.0.0.1", socket.port)
    writer.write(b"hello\n")
    assert await reader.readuntil(b"\n\n") == b"ok hello\n\n"
    await asyncio.wait_for(socket.stop(), 5)
    writer.close()
    await writer.wait_closed()
