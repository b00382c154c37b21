"""Bad input: frames that are mutated, torn, too many or too much are answered or dropped, and others are served on."""

import struct

import pytest
from floors import a_call, a_future, an_open_floor
from hypothesis import given, settings
from hypothesis import strategies as st
from pretend_client import a_client, bag, contract, packed, place_order, unpacked

from bot.domain.errors import InvalidValueError
from simulator.tws.desk import Desk, DoorRules
from simulator.tws.order_in import PLACE_ORDER_ID
from simulator.tws.requests.login import StartApi
from simulator.tws.requests.table import REQUESTS, UNSERVED, VALIDATION
from simulator.tws.session import Step

_OPENED = an_open_floor()
_CALL = contract(_OPENED, a_call(_OPENED))
_FUTURE = contract(_OPENED, a_future(_OPENED))
_LEGS = tuple(
    (_OPENED.floor.listing(a_call(_OPENED, strike)).con_id, 1, side) for strike, side in ((20, "BUY"), (25, "SELL"))
)
_SHORT_LEGS = [2, *(field for con_id, ratio, side in _LEGS for field in (con_id, ratio, side, "SMART"))]

CORPUS: list[list[object]] = [
    [1, 11, 5, *_CALL, 0, "100,101", 0, 0, ""],
    [1, 11, 6, *bag(), *_SHORT_LEGS, 0, "", 1, 0, ""],
    [2, 2, 5],
    [4, 1, 1, ""],
    [5, 1],
    [6, 2, 1, ""],
    [7, 3, 9, 0, "", "", "", "", "", ""],
    [8, 1, 1],
    [9, 8, 9, *_CALL, 0, "", "", ""],
    [10, 5, 7, *_CALL, 5, 1, ""],
    [11, 1, 7, 1],
    [14, 1, 2],
    [15, 1, 0],
    [16, 1],
    [17, 1],
    [20, 9, *_CALL, 0, "", "1 min", "600 S", 1, "TRADES", 1, 0, ""],
    [20, 9, *bag(), 0, "", "1 hour", "1 D", 1, "MIDPOINT", 2, *_SHORT_LEGS, 1, ""],
    [20, 9, *_CALL, 0, "20261019 09:35:00", "1 day", "2 D", 1, "SCHEDULE", 1, 0, ""],
    [24, 1],
    [25, 1, 9],
    [49, 1],
    [50, 3, 8, *_FUTURE, 5, "TRADES", 1, ""],
    [51, 1, 8],
    [54, 3, 9, *_CALL, 1.3, 18.4],
    [55, 3, 9, *_CALL, 0.9, 18.4, 0, ""],
    [56, 1, 9],
    [57, 1, 9],
    [58, 1],
    [59, 1, 3],
    [61, 1],
    [62, 1, 9, "All", "NetLiquidation,$LEDGER"],
    [63, 1, 9],
    [64, 1],
    [74, 1, 9, "", ""],
    [75, 1, 9],
    [76, 1, 9, "", "", 0],
    [77, 1, 9],
    [78, 9, "VIX", "", "IND", 13455763],
    [79, 9],
    [80],
    [81, 9, "VIX"],
    [82],
    [85],
    [87, 9, *_CALL, 0, 1, "TRADES", 1],
    [90, 9],
    [91, 501],
    [92, 9, "", ""],
    [93, 9],
    [94, 9, "", "", _CALL[0]],
    [95, 9],
    [96, 9, *_CALL, 0, "", "20261019 09:35:00", 10, "TRADES", 1, 0, ""],
    [97, 9, *_CALL, "BidAsk", 5, 0],
    [98, 9],
    [99, 0],
    [104, 9],
    place_order(1, _FUTURE, limit="10.0", what_if=1),
    place_order(2, bag(), limit="0.05", legs=_LEGS),
]
"""One good frame of each kind; mutations start here."""

ABSURD = st.sampled_from(
    [
        *("", "-1", "0", "1e400", "-1e400", "1e-400", "nan", "inf", "Infinite", "é", "\ud7ff", "999999999999999999999"),
        *("2147483647", "1.7976931348623157E308", "BAG", "None", "1e30", "1e9", "true", "0x10", " ", "a" * 500),
        *("20261019 09:35:00", "20269999 99:99:99", "1 D", "99999999 Y", "$LEDGER", "C", "?", "-0.0", "1_000"),
    ]
)


@st.composite
def mutated(draw: st.DrawFn) -> list[str]:
    """Return a good frame with up to four changes: a field absurd, gone, doubled, or everything behind it cut off."""
    fields = [str(field) for field in draw(st.sampled_from(CORPUS))]
    for _ in range(draw(st.integers(1, 4))):
        position = draw(st.integers(0, len(fields) - 1))
        match draw(st.sampled_from(["absurd", "absurd", "absurd", "gone", "doubled", "cut"])):
            case "absurd":
                fields[position] = draw(ABSURD)
            case "gone" if len(fields) > 1:
                del fields[position]
            case "doubled":
                fields.insert(position, fields[position])
            case "cut":
                del fields[position + 1 :]
    return fields


@settings(max_examples=600, deadline=None)
@given(st.lists(mutated(), min_size=1, max_size=3), st.sampled_from([157, 176]))
def test_no_mutated_frame_ends_a_session(frames: list[list[str]], version: int) -> None:
    """Each is answered or dropped with one line; whatever is written has frames of whole fields; the next is served."""
    client = a_client(Desk(_OPENED.floor), version=version)
    notes = len(client.notes)

    for fields in frames:
        client.push(packed(*fields))

    assert client.session.step is Step.READY
    assert len(client.notes) - notes <= len(frames)
    assert client.ask(49, 1)[-1][0] == "49"
    assert all(frame[0].isdecimal() for frame in unpacked(b"".join(client.writes)))
    client.session.close("done")


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_no_torn_stream_raises_or_hurts_another_client(data: st.DataObject) -> None:
    """Bytes changed, lost or added anywhere end this session at worst, and its neighbour's never."""
    desk = Desk(_OPENED.floor)
    broken, neighbour = a_client(desk), a_client(desk, client_id=2)
    stream = bytearray(b"".join(packed(*data.draw(st.sampled_from(CORPUS))) for _ in range(3)))
    for _ in range(data.draw(st.integers(1, 5))):
        position = data.draw(st.integers(0, len(stream) - 1))
        stream[position : position + data.draw(st.integers(0, 4))] = data.draw(st.binary(max_size=4))

    for piece in (stream[:50], stream[50:]):
        broken.push(bytes(piece))

    assert neighbour.ask(49, 1)[-1][0] == "49"
    for client in (broken, neighbour):
        client.session.close("done")


def test_every_good_frame_is_served_without_a_word_in_the_log() -> None:
    """The frames that mutations start from are good ones."""
    client = a_client(Desk(an_open_floor().floor))

    for fields in CORPUS:
        client.push(packed(*fields))

    assert client.notes == []
    refused = [frame for frame in unpacked(b"".join(client.writes)) if frame[0] == "4" and frame[3] in {"321", "505"}]
    assert refused == []


HUGE = str(10**30)
LONG = "x" * 100_000


@pytest.mark.parametrize(
    ("fields", "answers"),
    [
        ([1, 11, HUGE, *_CALL, 0, "", 0, 0, ""], [("4", "-1", "321")]),
        ([1, 11, 5, HUGE, *_CALL[1:], 0, "", 0, 0, ""], [("4", "5", "321")]),
        ([1, 11, 5, *_CALL[:2], "OPT\0OPT", *_CALL[3:], 0, "", 1, 0, ""], [("58", "5", None)]),
        ([2, 2, -5], [("4", "-5", "300")]),
        ([4, 1, -5, ""], [("4", "-5", "135")]),
        ([9, 8, -7, 0, "NONE", "STK", *_CALL[3:], 0, "", "", ""], [("4", "-7", "200")]),
        ([9, 8, 7, 0, LONG, "STK", *_CALL[3:], 0, "", "", ""], [("4", "7", "200")]),
        ([9, 8, 7, 0, "VIX", "OPT", "", "1e308", *_CALL[5:], 0, "", "", ""], [("4", "7", "200")]),
        ([9, 8, 7, 0, "VIX", "OPT", "", "nan", *_CALL[5:], 0, "", "", ""], [("4", "7", "321")]),
        ([10, 5, 7, *_CALL, HUGE, 1, ""], [("4", "7", "321")]),
        ([20, 9, *_CALL, 0, "", "1 min", f"{HUGE} S", 1, "TRADES", 1, 0, ""], [("4", "9", "321")]),
        ([20, 9, *_CALL, 0, LONG, "1 min", "60 S", 1, "TRADES", 1, 0, ""], [("4", "9", "321")]),
        ([54, 3, 9, *_CALL, "nan", 18.4], [("4", "9", "321")]),
        ([54, 3, 9, *_CALL, "1e308", 18.4], [("4", "9", "10090")]),
        ([62, 1, 9, "All", LONG], [("64", "9", None)]),
        ([81, 9, LONG], [("79", "9", None)]),
        ([91, "1e308"], [("4", "-1", "321")]),
        ([96, 9, *_CALL, 0, "", "20261019 09:35:00", -10, "TRADES", 1, 0, ""], [("4", "9", "321")]),
        ([94, 9, "", "", HUGE], [("4", "9", "321")]),
        (place_order(21, _FUTURE, limit="1e308"), [("4", "21", "201")]),
        (place_order(22, _FUTURE, limit="nan"), [("4", "22", "321")]),
        (place_order(23, _FUTURE, limit=HUGE), [("4", "23", "201")]),
        (place_order(24, _FUTURE, quantity=HUGE), [("4", "24", "201")]),
        (place_order(25, _FUTURE, quantity="nan"), [("4", "25", "321")]),
        (place_order(26, _FUTURE, quantity="-1e308"), [("4", "26", "201")]),
        (place_order(27, _FUTURE, ref=f"a\0b{LONG}"), [("4", "27", "321"), ("4", "27", "201")]),
    ],
    ids=str,
)
def test_absurd_fields_are_answered(fields: list[object], answers: list[tuple[str, str, str | None]]) -> None:
    """Numbers beyond all bounds, no numbers, texts of 100 kB, a zero byte in a text: the broker's code, at most a line.

    ``answers`` are the message ids, ids and codes of which one is to come.
    """
    client = a_client(Desk(_OPENED.floor))

    frames = client.ask(*fields)

    first = frames[0]
    place = 2 if first[0] in {"4", "58", "64"} else 1
    found = first[0], first[place], first[3] if first[0] == "4" else None
    assert found in answers
    assert len(client.notes) <= 1
    assert all(len(note) < 1_000 for note in client.notes)
    assert client.ask(49, 1)[-1][0] == "49"
    client.session.close("done")


@pytest.mark.parametrize("number", sorted(UNSERVED))
def test_what_is_known_and_not_served_is_refused_by_its_own_id(number: int) -> None:
    """A message with a request id is refused under it, by a code that ends it in every client; others under none."""
    client = a_client(Desk(_OPENED.floor))
    unserved = UNSERVED[number]

    [frame] = client.ask(number, *([7] if unserved.id_at == 1 else [1, 7]), "x")

    assert frame[2:4] == [str(7 if unserved.id_at else -1), str(unserved.code)]
    assert (unserved.code == VALIDATION) == (unserved.id_at is None)
    client.session.close("done")


def test_surplus_fields_are_served_and_noted() -> None:
    """A request with more fields than it has is answered, with one line in the log."""
    client = a_client(Desk(_OPENED.floor))

    [frame] = client.ask(49, 1, "surplus", "more")

    assert frame[0] == "49"
    assert [note.split(": ", 1)[1] for note in client.notes] == ["ReqCurrentTime: 2 fields left over"]
    client.session.close("done")


def test_a_flood_is_served_up_to_a_number_and_told_once() -> None:
    """Of 10,000 requests in one piece the first are answered and the others dropped under one error 100."""
    rules = DoorRules(most_requests_at_once=1_000)
    client = a_client(Desk(_OPENED.floor, rules=rules))

    client.push(packed(49, 1) * 10_000)

    frames = unpacked(b"".join(client.writes))
    assert [frame[0] for frame in frames].count("49") == 1_000
    assert [frame[2:4] for frame in frames if frame[0] == "4"] == [["-1", "100"]]
    assert len(client.notes) == 1
    assert client.ask(49, 1)[0][0] == "49"
    client.session.close("done")


def test_a_flood_that_comes_in_pieces_of_a_second_is_served() -> None:
    """Ten thousand requests are no flood when they come in pieces that the door takes."""
    client = a_client(Desk(_OPENED.floor))

    for _ in range(10):
        client.push(packed(49, 1) * 1_000)

    assert len(unpacked(b"".join(client.writes))) == 10_000
    client.session.close("done")


def test_an_order_that_is_dropped_in_a_flood_is_told_by_its_own_id() -> None:
    """Its owner must not take it for one that lives."""
    client = a_client(Desk(_OPENED.floor, rules=DoorRules(most_requests_at_once=1)))

    client.push(packed(49, 1) + packed(*place_order(77, _FUTURE)) + packed(4, 1, 78, ""))

    errors = [frame[2:4] for frame in unpacked(b"".join(client.writes)) if frame[0] == "4"]
    assert errors == [["-1", "100"], ["77", "100"], ["78", "100"]]
    assert 77 not in {each.order.order_id for each in _OPENED.floor.open_orders()}
    client.session.close("done")


def test_answers_to_one_piece_are_bounded_in_bytes() -> None:
    """A thousand chains asked for at once are not a gigabyte: after the bound the rest is refused."""
    desk = Desk(_OPENED.floor, rules=DoorRules(most_bytes_at_once=100_000))
    client = a_client(desk)

    client.push(packed(78, 9, "VIX", "", "IND", 13455763) * 1_000)

    data = b"".join(client.writes)
    assert len(data) < 200_000
    assert [frame[3] for frame in unpacked(data) if frame[0] == "4"] == ["100"]
    client.session.close("done")


def test_limits_that_let_nothing_through_are_refused() -> None:
    """A door serves at least one request."""
    with pytest.raises(InvalidValueError):
        DoorRules(most_requests_at_once=0)


@pytest.mark.parametrize("size", [0, 0x80000000, 0xFFFFFFFF, (1 << 20) + 1])
def test_a_wrong_length_ends_one_session_with_one_line(size: int) -> None:
    """Empty, negative and oversize frames cannot be read on; the neighbour is served."""
    desk = Desk(_OPENED.floor)
    broken, neighbour = a_client(desk), a_client(desk, client_id=2)

    broken.push(struct.pack(">I", size) + b"x" * 10)

    assert (broken.session.step, len(broken.notes)) == (Step.CLOSED, 1)
    assert neighbour.ask(49, 1)[0][0] == "49"
    neighbour.session.close("done")


def test_the_corpus_reaches_every_kind_of_answer() -> None:
    """Every request of the table but startApi has a good frame here, so that mutations reach its reader."""
    covered = {int(str(fields[0])) for fields in CORPUS}

    assert covered == {PLACE_ORDER_ID, *REQUESTS} - {StartApi.HEAD.number}


def test_an_old_client_gets_whole_sizes() -> None:
    """At 157 every size of ticks, bars and depth is text without a point."""
    client = a_client(Desk(_OPENED.floor), version=157)
    frames = client.ask(1, 11, 5, *_CALL, 0, "100,101,165", 0, 0, "")
    frames += client.ask(10, 5, 7, *_CALL, 5, 0, "")
    frames += client.ask(20, 9, *_CALL, 0, "", "1 min", "600 S", 1, "TRADES", 1, 0, "")
    frames += client.ask(94, 9, "", "", _CALL[0])

    sizes = [
        frame[{"1": 5, "2": 4, "12": 7, "95": 2}[frame[0]]] for frame in frames if frame[0] in {"1", "2", "12", "95"}
    ]
    sizes += [text for frame in frames if frame[0] == "17" for text in frame[10::8]]

    assert len(sizes) > 20
    assert all(size.lstrip("-").isdecimal() for size in sizes)
    client.session.close("done")
