"""Tick by tick, real-time bars, the book, profit and the calculators as raw frames."""

from datetime import timedelta
from itertools import pairwise

import pytest
from floors import a_call, a_floor, a_future, an_open_floor
from pretend_client import PretendClient, a_client, bag, contract, place_order

from bot.domain.instrument import VIX
from simulator.opening import OpenedFloor
from simulator.tws.desk import Desk

Frames = list[list[str]]


def seated(opened: OpenedFloor) -> PretendClient:
    """Return a connected client of a floor."""
    return a_client(Desk(opened.floor))


def later(client: PretendClient, opened: OpenedFloor, minutes: float = 5) -> Frames:
    """Let time pass and return what was told."""
    client.writes.clear()
    opened.floor.advance(opened.floor.now() + timedelta(minutes=minutes))
    return client.heard()


@pytest.mark.parametrize(
    ("kind", "number", "length", "past"),
    [("Last", "1", 9, "98"), ("AllLast", "2", 9, "98"), ("BidAsk", "3", 9, "97"), ("MidPoint", "4", 5, "96")],
)
def test_every_tick_of_a_kind_is_told(kind: str, number: str, length: int, past: str) -> None:
    """Past ticks first when they are asked for, then each tick as it comes, with the fields of its kind."""
    opened = an_open_floor()
    client = seated(opened)

    first = client.ask(97, 5, *contract(opened, a_call(opened)), kind, 10, 0)
    told = later(client, opened, 60)

    assert first[0][0] == past
    assert {(frame[0], frame[1], frame[2], len(frame)) for frame in told} == {("99", "5", number, length)}
    assert client.ask(98, 5) == []
    assert later(client, opened) == []


def test_sizes_alone_make_no_tick_when_they_are_ignored() -> None:
    """With ignoreSize two ticks in a row differ in a price."""
    opened = an_open_floor()
    client = seated(opened)
    client.ask(97, 5, *contract(opened, a_call(opened)), "BidAsk", 0, 1)

    sides = [tuple(frame[4:6]) for frame in later(client, opened, 30)]

    assert len(sides) > 3
    assert all(one != other for one, other in pairwise(sides))


def test_a_bar_comes_every_five_seconds() -> None:
    """Times follow each other by five seconds, each bar once, none before it is complete."""
    opened = an_open_floor()
    client = seated(opened)

    assert client.ask(50, 3, 5, *contract(opened, a_future(opened)), 5, "MIDPOINT", 1, "") == []
    told = later(client, opened, 5)

    assert {(frame[0], len(frame)) for frame in told} == {("50", 11)}
    times = [int(frame[3]) for frame in told]
    assert all(time % 5 == 0 for time in times)
    assert times == sorted(set(times))
    assert times[-1] + 5 <= opened.floor.now().timestamp()
    assert len(times) >= 15
    assert client.ask(51, 1, 5) == []
    assert later(client, opened) == []


@pytest.mark.parametrize(("smart", "message", "length"), [(0, "12", 8), (1, "13", 10)])
def test_a_book_is_told_and_follows_the_market(smart: int, message: str, length: int) -> None:
    """What the rows add up to is the floor's book, now and after an hour; the cancel ends it."""
    opened = an_open_floor()
    client = seated(opened)
    call = a_call(opened)

    frames = client.ask(10, 5, 5, *contract(opened, call), 5, smart, "")
    frames += later(client, opened, 60)

    assert {(frame[0], len(frame)) for frame in frames} == {(message, length)}
    shift = smart  # a smart row names its maker before the operation
    sides: dict[str, list[str]] = {"0": [], "1": []}
    for frame in frames:
        rows, position = sides[frame[5 + shift]], int(frame[3])
        match frame[4 + shift]:
            case "0":
                rows.insert(position, frame[6 + shift])
            case "1":
                rows[position] = frame[6 + shift]
            case "2":
                del rows[position]
    depth = opened.floor.depth(call, 5)
    assert [float(price) for price in sides["1"]] == [row.price for row in depth.bids]
    assert [float(price) for price in sides["0"]] == [row.price for row in depth.asks]
    assert client.ask(11, 1, 5, smart) == []
    assert later(client, opened, 60) == []


@pytest.mark.parametrize(
    ("message", "answer"),
    [
        ((97, 5, *bag(), "Last", 0, 0), ["5", "321"]),
        ((97, 5, 0, "VIX", "IND", *[""] * 4, "CBOE", "", "USD", "", "", "Gossip", 0, 0), ["5", "321"]),
        ((97, 5, 99, *[""] * 11, "Last", 0, 0), ["5", "200"]),
        ((98, 5), ["5", "300"]),
        ((50, 3, 5, 0, "VIX", "IND", *[""] * 4, "CBOE", "", "USD", "", "", 30, "TRADES", 1, ""), ["5", "321"]),
        ((51, 1, 5), ["5", "300"]),
        ((10, 5, 5, 0, "VIX", "IND", *[""] * 4, "CBOE", "", "USD", "", "", 0, 0, ""), ["5", "321"]),
        ((11, 1, 5, 0), ["5", "310"]),
        ((93, 5), ["5", "10185"]),
        ((94, 5, "DU1234567", "", 99), ["5", "200"]),
        ((92, 5, "DU999", ""), ["5", "321"]),
        ((54, 3, 5, 0, "VIX", "IND", *[""] * 4, "CBOE", "", "USD", "", "", 1.0, 20.0), ["5", "321"]),
        ((74, 1, 5, "DU999", ""), ["5", "321"]),
    ],
)
def test_what_cannot_be_streamed_says_so(message: tuple[object, ...], answer: list[str]) -> None:
    """Combos, unknown kinds, contracts and ids each end with their own error."""
    assert [frame[2:4] for frame in seated(a_floor()).ask(*message)] == [answer]


def test_streams_end_with_the_client() -> None:
    """Nothing of a client that is gone is watched any more."""
    opened = an_open_floor()
    client = seated(opened)
    future = contract(opened, a_future(opened))
    client.ask(97, 5, *future, "BidAsk", 0, 0)
    client.ask(50, 3, 6, *future, 5, "TRADES", 1, "")
    client.ask(10, 5, 7, *future, 5, 0, "")

    client.session.close("gone")

    assert opened.floor.watched == frozenset()


def test_profit_is_told_now_and_as_it_moves() -> None:
    """The account's three numbers and a position's five, as the floor has them; the cancel ends it."""
    opened = an_open_floor()
    client = seated(opened)
    client.ask(*place_order(1, contract(opened, a_future(opened)), limit="30.0"))
    number = opened.floor.listing(a_future(opened)).con_id

    [account] = client.ask(92, 5, "DU1234567", "")
    [position] = client.ask(94, 6, "DU1234567", "", number)
    moved = later(client, opened)

    profit = opened.floor.profit()
    assert (account[:2], len(account)) == (["94", "5"], 5)
    assert (position[:3], len(position)) == (["95", "6", "1"], 7)
    last = [frame for frame in moved if frame[0] == "94"][-1]
    assert [float(text) for text in last[2:]] == pytest.approx(
        [float(each) for each in (profit.daily_usd, profit.unrealized_usd, profit.realized_usd)]
    )
    assert client.ask(93, 5) == client.ask(95, 6) == []
    assert later(client, opened) == []


def test_positions_of_a_request_are_told_until_cancelled() -> None:
    """Eighteen fields under the request's id, the end, then changes."""
    opened = an_open_floor()
    client = seated(opened)

    frames = client.ask(74, 1, 31, "DU1234567", "")
    moved = client.ask(*place_order(1, contract(opened, a_future(opened)), limit="30.0"))
    client.ask(75, 1, 31)
    silent = client.ask(*place_order(2, contract(opened, a_future(opened)), limit="30.0"))

    assert {(frame[0], frame[2], len(frame)) for frame in frames[:-1]} == {("71", "31", 18)}
    assert frames[-1] == ["72", "1", "31"]
    assert "71" in {frame[0] for frame in moved}
    assert "71" not in {frame[0] for frame in silent}


def test_the_calculators_answer_each_other() -> None:
    """The price at a volatility has that volatility; both answers are tick 53 of twelve fields."""
    opened = an_open_floor()
    client = seated(opened)
    call = contract(opened, a_call(opened))

    [priced] = client.ask(55, 3, 5, *call, 0.9, 18.5, 0, "")
    [implied] = client.ask(54, 3, 6, *call, priced[6], 18.5)

    assert [(frame[0], frame[2], len(frame)) for frame in (priced, implied)] == [("21", "53", 12)] * 2
    assert float(implied[4]) == pytest.approx(0.9, abs=1e-4)
    assert client.ask(56, 1, 6) == client.ask(57, 1, 5) == []


def test_a_search_finds_contracts_by_symbol_or_name() -> None:
    """Rows carry what is listed on each; nothing is found for an empty pattern."""
    opened = a_floor()
    client = seated(opened)

    [found] = client.ask(81, 5, "VIX")

    assert found[:2] == ["79", "5"]
    assert str(opened.floor.listing(VIX).con_id) in found
    assert client.ask(81, 6, " ") == [["79", "6", "0"]]


@pytest.mark.parametrize(
    ("message", "answer"),
    [
        ((80,), ["78", "1", "DU1234567", ""]),
        ((85,), ["85", "0"]),
        ((79, 5), ["77", "5", "0"]),
        ((104, 5), ["107", "5", ""]),
        ((14, 1, 5), None),
    ],
)
def test_short_lists_are_answered(message: tuple[object, ...], answer: list[str] | None) -> None:
    """Family, news, tiers and branding are there, empty where there is nothing to tell."""
    assert seated(a_floor()).ask(*message) == ([] if answer is None else [answer])


def test_the_exchanges_with_a_book_are_listed() -> None:
    """Five fields for each."""
    [frame] = seated(a_floor()).ask(82)

    assert frame[0] == "80"
    assert len(frame) == 2 + 5 * int(frame[1])


def test_scanners_are_refused_politely() -> None:
    """The parameters are an empty document; a subscription is told 162 under its own id, and the session goes on."""
    client = seated(a_floor())

    [parameters] = client.ask(24, 1)

    assert parameters[0] == "19"
    assert parameters[2].startswith("<?xml")
    assert [frame[2:4] for frame in client.ask(22, 7, "x")] == [["7", "162"]]
    assert [frame[2:4] for frame in client.ask(52, 2, 8)] == [["8", "430"]]
    assert client.ask(49, 1)[0][0] == "49"
