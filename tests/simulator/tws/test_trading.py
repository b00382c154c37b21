"""The conversation about orders as raw frames: order of messages, exact field counts, ids, faults, ledger."""

from datetime import date, timedelta

import pytest
from floors import CLOSES_AT, OPENS_AT, a_call, a_floor, a_future, an_open_floor, an_order
from pretend_client import UNSET, PretendClient, a_client, bag, contract, place_order

from simulator.opening import OpenedFloor
from simulator.tws.desk import Desk, Told

DECEMBER = date(2026, 12, 16)
"""A settlement of which the opening book holds nothing."""

Frames = list[list[str]]


class Table:
    """A floor, a desk and a client at work."""

    def __init__(self, opened: OpenedFloor | None = None) -> None:
        """Sit down ten minutes into a session."""
        self.opened = opened or an_open_floor()
        self.desk = Desk(self.opened.floor)
        self.client = a_client(self.desk)
        self.future = a_future(self.opened)
        self.contract = contract(self.opened, self.future)

    def ask_price(self) -> str:
        """Return the future's ask."""
        return str(self.opened.floor.quote(self.future).ask)

    def bid_price(self) -> str:
        """Return the future's bid."""
        return str(self.opened.floor.quote(self.future).bid)

    def spread(self) -> list[tuple[int, int, str]]:
        """Return the legs of a call spread."""
        calls = (a_call(self.opened, 20), a_call(self.opened, 25))
        low, high = (self.opened.floor.listing(call).con_id for call in calls)
        return [(low, 1, "BUY"), (high, 1, "SELL")]

    def buy(self, order_id: int = 1, **changes: object) -> Frames:
        """Send a limit order for one future and return the answer; it fills unless a lower limit is stated."""
        order = {"limit": self.ask_price(), **changes}
        return self.client.ask(*place_order(order_id, self.contract, **order))


def ids(frames: Frames) -> list[str]:
    """Return the message numbers."""
    return [frame[0] for frame in frames]


def test_a_plain_order_has_the_documented_length() -> None:
    """The builder of these tests writes 115 fields, as clients do at 176."""
    assert len(place_order(1, [""] * 12)) == 115


def test_an_order_that_rests_is_told_open_and_its_status() -> None:
    """Acceptance is openOrder with 136 fields, then orderStatus with 12."""
    frames = Table().buy(limit="10.0")

    assert [(frame[0], len(frame)) for frame in frames] == [("5", 136), ("3", 12)]
    assert frames[1][:5] == ["3", "1", "Submitted", "0.0", "1.0"]


def test_open_order_echoes_what_was_sent() -> None:
    """Reference, account, price, size and margin fields stand where clients read them."""
    table = Table()

    [opened, _] = table.buy(limit="10.0", ref="my-own ref")

    assert opened[2:13] == [
        str(table.contract[0]), "VIX", "FUT", "20261118", "0.0", "?", "100", "CFE", "USD", "VXMX6", "VXM",
    ]  # fmt: skip
    assert opened[13:21] == ["BUY", "1.0", "LMT", "10.0", "0.0", "DAY", "", "DU1234567"]
    assert opened[23:26] == ["my-own ref", "1", "1704000001"]
    assert opened[94:104] == ["Submitted", *[UNSET] * 9]
    assert opened[104:109] == ["", "", "", "", ""]


def test_a_fill_is_told_in_the_documented_order() -> None:
    """Acceptance (5, 3), then execution, openOrder, orderStatus, commission; positions only to who asked."""
    frames = Table().buy()

    assert ids(frames) == ["5", "3", "11", "5", "3", "59"]
    executed, status = frames[2], frames[4]
    assert len(executed) == 31
    assert (executed[1], executed[18], executed[19]) == ("-1", "BOT", "1.0")
    assert status[2:5] == ["Filled", "1.0", "0.0"]
    assert frames[5][2] == executed[14]


def test_positions_follow_a_fill_for_who_watches_them() -> None:
    """A client that asked for positions hears the new one, with an empty exchange, after the commission."""
    table = Table()
    table.client.ask(61, 1)

    frames = table.buy()

    assert ids(frames)[-1] == "61"
    position = frames[-1]
    assert len(position) == 16
    assert (position[10], position[14]) == ("", "1.0")


def test_a_combo_is_told_as_its_net_and_each_leg_once() -> None:
    """One execution for the combo and one for each leg, each with its own commission; leg prices add up to the net."""
    table = Table()

    frames = table.client.ask(*place_order(1, bag(), quantity=2, limit="3.0", legs=table.spread()))

    assert ids(frames) == ["5", "3", "11", "11", "11", "5", "3", "59", "59", "59"]
    net, bought, sold = frames[2:5]
    assert [row[5] for row in (net, bought, sold)] == ["BAG", "OPT", "OPT"]
    assert [row[18] for row in (net, bought, sold)] == ["BOT", "BOT", "SLD"]
    assert float(bought[20]) - float(sold[20]) == pytest.approx(float(net[20]), abs=1e-9)
    assert len({row[14] for row in (net, bought, sold)}) == 3
    assert [row[2] for row in frames[-3:]] == [net[14], bought[14], sold[14]]
    assert float(frames[-3][3]) == 0.0


def test_an_open_combo_echoes_its_legs() -> None:
    """Two legs of eight fields each lengthen openOrder by sixteen, and the description shows the sold leg negative."""
    table = Table()
    legs = table.spread()

    [opened, _] = table.client.ask(*place_order(1, bag(), limit="0.05", legs=legs))

    assert len(opened) == 136 + 16
    assert opened[2:5] == ["28812380", "VIX", "BAG"]
    assert opened[78] == f"{legs[0][0]}|1,{legs[1][0]}|-1"
    assert opened[79:83] == ["2", str(legs[0][0]), "1", "BUY"]


def test_a_cancel_is_told_by_status_and_code() -> None:
    """Status Cancelled, then 202 with the order's id."""
    table = Table()
    table.buy(limit="10.0")

    frames = table.client.ask(4, 1, 1, "")

    assert [frame[:4] for frame in frames] == [["3", "1", "Cancelled", "0.0"], ["4", "2", "1", "202"]]


@pytest.mark.parametrize(("order_id", "code"), [(99, "135"), (1, "161")])
def test_a_cancel_that_comes_to_nothing_says_why(order_id: int, code: str) -> None:
    """An id never used is 135, an order that is done is 161."""
    table = Table()
    table.buy()

    assert [frame[2:4] for frame in table.client.ask(4, 1, order_id, "")] == [[str(order_id), code]]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"limit": "18.003"}, "110"),
        ({"order_type": "STP"}, "201"),
        ({"quantity": "0"}, "201"),
        ({"quantity": "1.5"}, "201"),
        ({"action": "HOLD"}, "321"),
        ({"limit": "-1.0"}, "201"),
        ({"limit": "1e30"}, "201"),
        ({"quantity": "1e12"}, "201"),
        ({"quantity": "1e400"}, "201"),
    ],
)
def test_a_refused_order_carries_its_code_and_never_rests(changes: dict[str, object], code: str) -> None:
    """The error names the order; whatever follows is Inactive, and nothing works afterwards."""
    table = Table()

    frames = table.buy(**changes)

    assert frames[0][2:4] == ["1", code]
    assert {frame[2] for frame in frames[1:]} <= {"Inactive"}
    assert ids(table.client.ask(5, 1)) == ["53"]


def test_an_unknown_contract_is_error_200() -> None:
    """An order for a contract that is not listed ends with its own id."""
    table = Table()
    fields = [0, "VIX", "OPT", "20261117", "20.25", "C", "100", "SMART", "", "USD", "", "VIX"]

    assert [frame[2:4] for frame in table.client.ask(*place_order(7, fields))] == [["7", "200"]]


def test_a_used_id_is_error_103_and_the_first_order_stands() -> None:
    """The duplicate is answered by the code alone: a status would be taken for the first order's."""
    table = Table()
    table.buy()

    frames = table.buy()

    assert [frame[:4] for frame in frames] == [["4", "2", "1", "103"]]
    assert [frame[3] for frame in table.client.ask(99, 0)[:1]] == ["FUT"]


def test_a_change_keeps_id_and_permanent_id() -> None:
    """The same order id with another price changes the working order."""
    table = Table()
    [before, _] = table.buy(limit="10.0")

    [after, _] = table.buy(limit="11.0", quantity=2)

    assert (after[16], after[14], after[25]) == ("11.0", "2.0", before[25])
    assert [row.told for row in table.desk.ledger] == [Told.PLACE, Told.MODIFY]


def test_a_refused_change_leaves_the_order_as_it_was() -> None:
    """A price off the tick is refused by 110, and the order is told with its first price and reference."""
    table = Table()
    table.buy(limit="10.0", ref="first")

    frames = table.buy(limit="10.003", ref="second")

    assert [frame[2:4] for frame in frames] == [["1", "110"]]
    [opened, *_] = table.client.ask(5, 1)
    assert (opened[16], opened[23]) == ("10.0", "first")


def test_an_unset_price_is_never_echoed() -> None:
    """A client that spells "no number" as 1.8e308 has its own fields back empty or unset, never as a price."""
    table = Table()

    [opened, _] = table.client.ask(*place_order(1, table.contract, limit="10.0", unset="1.7976931348623157e+308"))

    assert (opened[16], opened[17]) == ("10.0", "0.0")
    assert opened[123] == ""  # cashQty
    assert not any("e+308" in field for field in opened)


def test_a_what_if_answers_margin_and_places_nothing() -> None:
    """One openOrder with numbers for margin and commission, no status, nothing at work, the id consumed."""
    table = Table()

    frames = table.buy(order_id=4, what_if=1)

    [opened] = frames
    assert (opened[0], opened[93], opened[94]) == ("5", "1", "PreSubmitted")
    before, change, after = (float(opened[position]) for position in (95, 98, 101))
    assert change > 0
    assert before + change == pytest.approx(after)
    assert float(opened[104]) == 1.15  # one VXM contract
    assert opened[107] == "USD"
    assert ids(table.client.ask(5, 1)) == ["53"]
    assert table.client.ask(8, 1, 1) == [["9", "1", "5"]]


def test_a_short_call_costs_margin_and_a_covered_one_frees_it() -> None:
    """The what-if of a sale beyond the book's calls asks for margin; buying calls afterwards gives some back."""
    table = Table()
    naked, cover = (contract(table.opened, a_call(table.opened, strike, DECEMBER)) for strike in (20, 21))

    [sale] = table.client.ask(*place_order(1, naked, action="SELL", limit="1.0", quantity="200", what_if=1))
    for order_id in range(2, 8):
        table.client.ask(*place_order(order_id, naked, action="SELL", limit="0.01", quantity="100"))
        table.opened.floor.advance(table.opened.floor.now() + timedelta(minutes=1))
    [cure] = table.client.ask(*place_order(8, cover, limit="5.0", quantity="50", what_if=1))[-1:]

    assert float(sale[98]) > 0 > float(cure[98])


def test_a_what_if_that_would_be_refused_says_so() -> None:
    """Margin of an impossible order is no number but an error."""
    assert [frame[2:4] for frame in Table().buy(what_if=1, limit="18.003")] == [["1", "110"]]


def test_own_and_all_open_orders_are_told_apart() -> None:
    """A client sees its own orders live and on request, all of them only when it asks for all."""
    table = Table()
    other = a_client(table.desk, client_id=2)

    table.buy(limit="10.0")

    assert other.heard() == []
    assert ids(other.ask(5, 1)) == ["53"]
    frames = other.ask(16, 1)
    assert ids(frames) == ["5", "3", "53"]
    assert frames[0][24] == "1"


def test_open_orders_come_back_after_a_reconnect_with_their_permanent_id() -> None:
    """The same client id finds its order, and the next id is above it."""
    table = Table()
    [before, _] = table.buy(order_id=41, limit="10.0")
    table.client.session.close("gone")

    again = PretendClient(table.desk)
    again.push(b"API\0\0\0\0\x0av157..178\0")
    greeting = again.ask(71, 2, 1, "")

    assert greeting[1] == ["9", "1", "42"]
    [opened, status, _] = again.ask(5, 1)
    assert (opened[25], status[6]) == (before[25], before[25])


def test_completed_orders_have_their_exact_length_and_no_order_id() -> None:
    """101 fields for a plain order; the reference and the permanent id are what joins it."""
    table = Table()
    table.buy(ref="done")

    [done, end] = table.client.ask(99, 0)

    assert (len(done), end) == (101, ["102"])
    assert (done[22], done[23]) == ("done", "1704000001")
    assert done[77] == "Filled"
    assert done[87] == "1.0"
    assert done[94].endswith(" US/Eastern")


def test_a_rejected_order_is_completed_as_cancelled_with_its_reason() -> None:
    """Not as Inactive, which one client library counts among the open ones whenever it connects."""
    table = Table()
    table.buy(limit="10.003")

    [done, _] = table.client.ask(99, 0)

    assert done[77] == "Cancelled"
    assert "minimum price variation" in done[95]


def test_executions_are_listed_before_their_commissions() -> None:
    """Every execution under the request's id, then the commissions, then the end."""
    table = Table()
    table.client.ask(*place_order(1, bag(), limit="3.0", legs=table.spread()))

    frames = table.client.ask(7, 3, 50, 0, "", "", "", "", "", "")

    assert ids(frames) == ["11", "11", "11", "59", "59", "59", "55"]
    assert {frame[1] for frame in frames[:3]} == {"50"}


@pytest.mark.parametrize(
    ("filters", "count"),
    [
        ((0, "", "", "", "", "", ""), 1),
        ((1, "DU1234567", "", "VIX", "FUT", "CFE", "BUY"), 1),
        ((2, "", "", "", "", "", ""), 0),
        ((0, "DU9", "", "", "", "", ""), 0),
        ((0, "", "", "SPX", "", "", ""), 0),
        ((0, "", "", "", "OPT", "", ""), 0),
        ((0, "", "", "", "", "CBOE", ""), 0),
        ((0, "", "", "", "", "", "SELL"), 0),
        ((0, "", "20261019 09:00:00", "", "", "", ""), 1),
        ((0, "", "20261019-12:00:00", "", "", "", ""), 0),
    ],
)
def test_executions_are_filtered(filters: tuple[object, ...], count: int) -> None:
    """Client, account, time, symbol, type, exchange and side each narrow the answer; empty means any."""
    table = Table()
    table.buy()

    assert ids(table.client.ask(7, 3, 50, *filters)).count("11") == count


def test_the_global_cancel_ends_everybodys_orders() -> None:
    """Orders of all clients are cancelled, and each owner is told."""
    table = Table()
    other = a_client(table.desk, client_id=2)
    table.buy(limit="10.0")
    other.ask(*place_order(1, table.contract, limit="11.0"))
    other.writes.clear()

    frames = table.client.ask(58, 1)

    assert ids(frames) == ["3", "4"]
    assert ids(other.heard()) == ["3", "4"]
    assert table.opened.floor.open_orders() == ()


def test_day_orders_end_with_the_session() -> None:
    """At the close an unfilled DAY order is told as cancelled; one that is good till cancelled stays."""
    table = Table()
    table.buy(limit="10.0")

    table.opened.floor.advance(CLOSES_AT)

    assert [frame[0] for frame in table.client.heard()][-2:] == ["3", "4"]


def test_an_order_of_the_other_door_is_told_by_its_plain_fields() -> None:
    """What did not come over the wire is shown with contract, side, size and reference."""
    table = Table()
    table.opened.floor.place(an_order(table.future, limit="10.00", client_id=9, order_ref="in process"))

    [opened, *_] = table.client.ask(16, 1)

    assert len(opened) == 136
    assert (opened[13], opened[16], opened[23], opened[24]) == ("BUY", "10.0", "in process", "9")


def test_the_ledger_keeps_every_message_about_orders_with_its_time() -> None:
    """Orders, changes, what-ifs and cancels stand in the order of arrival, each with the floor's time."""
    table = Table()
    table.buy(limit="10.0", ref="a")
    table.buy(order_id=2, what_if=1, ref="b")
    table.opened.floor.advance(OPENS_AT + timedelta(minutes=11))
    table.client.ask(4, 1, 1, "")

    rows = table.desk.ledger

    assert [(row.told, row.order_ref, row.order_id) for row in rows] == [
        (Told.PLACE, "a", 1),
        (Told.WHAT_IF, "b", 2),
        (Told.CANCEL, "", 1),
    ]
    assert [row.at for row in rows] == [OPENS_AT + timedelta(minutes=minute) for minute in (10, 10, 11)]


def test_market_orders_wait_for_no_session() -> None:
    """Before the open market and limit orders wait, with the notice 399."""
    table = Table(a_floor())

    for order_id, changes in ((1, {"order_type": "MKT", "limit": ""}), (2, {"limit": "10.0"})):
        frames = table.buy(order_id=order_id, **changes)
        assert sorted(ids(frames)) == ["3", "4", "5"]
        assert [frame[2:4] for frame in frames if frame[0] == "4"] == [[str(order_id), "399"]]
