"""The session without I/O: handshake, client ids, and what wrong bytes do."""

import struct

import pytest
from floors import a_call, a_floor, a_future, an_open_floor
from hypothesis import given, settings
from hypothesis import strategies as st
from pretend_client import PretendClient, a_client, bag, contract, packed, place_order, unpacked

from simulator.tws.desk import Desk
from simulator.tws.session import Step


def a_desk() -> Desk:
    """Return a desk on a floor before its first session."""
    return Desk(a_floor().floor)


@pytest.mark.parametrize(
    ("offer", "answer"),
    [
        ("v157..178", "176"),
        ("v157..176", "176"),
        ("v100..225 +X", "176"),
        ("v176", "176"),
        ("v100..157", "157"),
        ("v100..165", "165"),
    ],
)
def test_the_highest_common_version_is_agreed(offer: str, answer: str) -> None:
    """The answer has two fields, and its version is the client's highest but not above ours."""
    client = PretendClient(a_desk())

    client.push(b"API\0" + packed(offer))

    [frame] = unpacked(b"".join(client.writes))
    assert len(frame) == 2
    assert frame[0] == answer


@pytest.mark.parametrize("lowest", [1, 100, 157])
def test_every_highest_version_is_answered_by_its_own_or_ours(lowest: int) -> None:
    """From 157 on the answer is the client's highest up to 176 and 176 above it, never beyond what it offered."""
    opened = a_floor()
    answers: dict[int, list[list[str]]] = {}
    for highest in range(100, 226):
        client = PretendClient(Desk(opened.floor))
        client.push(b"API\0" + packed(f"v{lowest}..{highest}"))
        answers[highest] = unpacked(b"".join(client.writes))
        client.session.close("done")

    assert all(answers[highest] == [] for highest in range(100, 157))
    assert {highest: int(frames[0][0]) for highest, frames in answers.items() if frames} == {
        highest: min(highest, 176) for highest in range(157, 226)
    }


@pytest.mark.parametrize("offer", ["v100..156", "v213..221", "v", "176", "v1..2..3", "vx..y"])
def test_a_client_without_a_common_version_is_closed_without_an_answer(offer: str) -> None:
    """Nothing is written to a client that would misread it, and the log says why."""
    client = PretendClient(a_desk())

    client.push(b"API\0" + packed(offer))

    assert (client.writes, client.session.step) == ([], Step.CLOSED)
    assert "refused" in client.notes[0]


def test_nothing_is_written_between_handshake_and_start() -> None:
    """Events on the floor and early requests are silent until the client has named itself."""
    opened = an_open_floor()
    client = PretendClient(Desk(opened.floor))
    client.push(b"API\0" + packed("v157..178"))
    client.writes.clear()

    client.push(packed(61, 1))
    client.session.tell(opened.floor.account_state())
    client.take()

    assert client.writes == []
    assert "before startApi" in client.notes[0]


def test_a_started_client_is_greeted() -> None:
    """Accounts and the next id have exactly three fields, then come the notices about the farms."""
    client = PretendClient(a_desk())
    client.push(b"API\0" + packed("v157..178"))
    client.writes.clear()

    frames = client.ask(71, 2, 5, "")

    assert frames[0] == ["15", "1", "DU1234567"]
    assert frames[1] == ["9", "1", "1"]
    assert [(frame[0], frame[2], frame[3], len(frame)) for frame in frames[2:]] == [
        ("4", "-1", code, 6) for code in ("2104", "2106", "2158")
    ]


def test_a_client_id_in_use_is_refused_and_the_first_session_stays() -> None:
    """The newcomer gets error 326 and is closed; the one who has the id hears nothing of it."""
    desk = a_desk()
    first, second = a_client(desk), PretendClient(desk)
    second.push(b"API\0" + packed("v157..178"))

    frames = second.ask(71, 2, 1, "")

    assert [frame[2:4] for frame in frames] == [["-1", "326"]]
    assert second.closed == ["client id in use"]
    assert first.ask(49, 1)[0][0] == "49"


def test_the_id_of_a_closed_session_is_free_at_once() -> None:
    """A client that returns finds its id free."""
    desk = a_desk()
    a_client(desk).session.close("gone")

    assert a_client(desk).session.step is Step.READY


def test_a_held_id_stays_taken_until_it_is_released() -> None:
    """A half-open dead session keeps its id; freeing it by hand lets the client in."""
    desk = a_desk()
    a_client(desk).session.close("cut")
    desk.held_ids.add(1)
    assert a_client(desk).session.step is Step.CLOSED

    desk.held_ids.discard(1)

    assert a_client(desk).session.step is Step.READY


def test_an_illegal_step_raises_and_changes_nothing() -> None:
    """A closed session stays closed: bytes and events are dropped, closing again does nothing."""
    client = a_client(a_desk())
    client.session.close("gone")
    client.take()
    client.writes.clear()

    client.push(packed(49, 1))
    client.session.close("again")
    client.take()

    assert (client.writes, client.closed) == ([], ["gone"])


def test_current_time_is_the_floors() -> None:
    """Message 49 tells the floor's clock in whole seconds."""
    opened = an_open_floor()

    assert a_client(Desk(opened.floor)).ask(49, 1) == [["49", "1", str(int(opened.floor.now().timestamp()))]]


@pytest.mark.parametrize("number", [0, 33, 203, 999999, -5, "hello", "", "1.5"])
def test_an_unknown_message_is_answered_and_the_session_goes_on(number: object) -> None:
    """Error 505 to no request, and the next message is served."""
    client = a_client(a_desk())

    frames = client.ask(number, 1, 2, 3)

    assert [frame[2:4] for frame in frames] == [["-1", "505"]]
    assert client.ask(49, 1)[0][0] == "49"


@pytest.mark.parametrize(
    ("message", "req_id"),
    [
        ((9, 8, 77, "x"), "77"),
        ((1, 11, 78), "78"),
        ((20, 79, 1, 2), "79"),
        ((62, 1), "-1"),
        ((3, 80, 1, "VIX"), "80"),
        ((4, 1, "abc"), "-1"),
        ((78, 81, "VIX"), "81"),
        ((7, 3, 82, "many"), "82"),
        ((58,), "-1"),
    ],
)
def test_a_message_that_cannot_be_read_is_refused_by_its_own_id(message: tuple[object, ...], req_id: str) -> None:
    """Missing and absurd fields give error 321 to the request, a line in the log, and the session goes on."""
    client = a_client(a_desk())

    frames = client.ask(*message)

    assert [frame[2:4] for frame in frames] == [[req_id, "321"]]
    assert len(client.notes) == 1
    assert client.ask(49, 1)[0][0] == "49"


def test_an_order_that_cannot_be_read_is_in_the_ledger() -> None:
    """A test that asks what a client wrote sees the broken order too."""
    desk = a_desk()

    a_client(desk).ask(3, 80, 1, "VIX")

    [row] = desk.ledger
    assert (row.order_id, row.order) == (80, None)
    assert "the message ends" in row.fate


def test_fields_left_over_behind_an_order_are_noted() -> None:
    """A surplus means that a block was misread: the log says so."""
    client = a_client(a_desk())

    client.ask(*place_order(1, bag()), "surplus")

    assert any("1 fields left over" in note for note in client.notes)


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF])
def test_bytes_that_are_no_frames_close_the_connection(size: int) -> None:
    """After a wrong length nothing can be read; the session ends and its id is free."""
    desk = a_desk()
    client = a_client(desk)

    client.push(struct.pack(">I", size) + b"x")

    assert client.session.step is Step.CLOSED
    assert a_client(desk).session.step is Step.READY


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.text(max_size=8),
            st.integers(-5, 10**12).map(str),
            st.sampled_from(["", "BAG", "VIX", "1.7976931348623157E308", "nan", "OPT", "C"]),
        ),
        max_size=140,
    ),
    st.sampled_from([1, 2, 3, 4, 6, 7, 8, 9, 20, 62, 76, 78, 91, 99]),
)
def test_no_content_of_a_known_message_ends_a_session(fields: list[str], number: int) -> None:
    """Whatever a frame says, the session answers it or is silent, and serves the next request."""
    client = a_client(Desk(_FLOOR.floor))

    client.push(packed(number, *(field.replace("\0", "") for field in fields)))

    assert client.session.step is Step.READY
    assert client.ask(49, 1)[-1][0] == "49"
    client.session.close("done")


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300))
def test_no_bytes_raise(data: bytes) -> None:
    """Random bytes close a session at worst."""
    client = a_client(Desk(_FLOOR.floor))

    client.push(data)

    client.session.close("done")


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_an_order_with_one_absurd_field_never_ends_a_session(data: st.DataObject) -> None:
    """Each of the 115 fields may hold anything; the order is refused or taken, and the session goes on."""
    client = a_client(Desk(_FLOOR.floor))
    [greeting] = client.ask(8, 1, 1)
    what, legs = data.draw(st.sampled_from([(contract(_FLOOR, a_future(_FLOOR)), ()), (bag(), _LEGS)]))
    fields = place_order(int(greeting[2]), what, limit="10.0", legs=legs, what_if=data.draw(st.integers(0, 1)))
    position = data.draw(st.integers(1, len(fields) - 1))
    fields[position] = data.draw(
        st.sampled_from(
            [
                "",
                "-1",
                "1e400",
                "1e-400",
                "nan",
                "inf",
                "é",
                "999999999999999999999",
                "BAG",
                "0",
                "None",
                "1e30",
                "-1e30",
                "1e-9",
                "1e9",
            ]
        )
    )

    client.push(packed(*fields))

    assert client.session.step is Step.READY
    assert client.ask(49, 1)[-1][0] == "49"
    client.session.close("done")


@pytest.mark.parametrize("code", [1100, 1101, 1102])
def test_notices_about_the_line_reach_ready_clients_only(code: int) -> None:
    """1100, 1101 and 1102 carry no request id; a client that has not started hears nothing."""
    desk = a_desk()
    ready, early = a_client(desk), PretendClient(desk)

    for client in (ready, early):
        client.session.tell_code(-1, code, "the line")

    assert [frame[2:4] for frame in ready.heard()] == [["-1", str(code)]]
    assert early.heard() == []


_FLOOR = an_open_floor()
_LEGS = tuple(
    (_FLOOR.floor.listing(a_call(_FLOOR, strike)).con_id, 1, side) for strike, side in ((20, "BUY"), (25, "SELL"))
)
