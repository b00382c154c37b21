"""Orders that wait, groups, notices, and who hears of whose orders, as raw frames."""

from dataclasses import replace
from decimal import Decimal

import pytest
from floors import a_call, a_floor, a_future, an_open_floor, an_order
from pretend_client import PretendClient, a_client, contract, place_order

from bot.domain.instrument import Side
from simulator.opening import OpenedFloor
from simulator.tws.desk import Desk, DoorRules
from simulator.tws.fields import Cursor
from simulator.tws.order_in import order_texts, read_order
from simulator.venue import OrderChanged, VenueOrder, VenueStatus

Frames = list[list[str]]
VERSION = 176


def seated(opened: OpenedFloor, client_id: int = 1, rules: DoorRules | None = None) -> PretendClient:
    """Return a connected client of a floor."""
    return a_client(Desk(opened.floor, rules=rules), client_id)


def an_order_with(
    opened: OpenedFloor, order_id: int, *, limit: object = "10.0", side: str = "BUY", **values: str
) -> list[str]:
    """Return a placed order for the future with some of its fields changed by name."""
    plain = place_order(order_id, contract(opened, a_future(opened)), limit=limit, action=side)
    sent = read_order(Cursor([str(field) for field in plain], 1), VERSION)
    return order_texts(replace(sent, values={**sent.values, **values}), VERSION)


def states(frames: Frames) -> list[tuple[str, str, str]]:
    """Return order id, status and why held of the orderStatus frames."""
    return [(frame[1], frame[2], frame[10]) for frame in frames if frame[0] == "3"]


def test_a_bracket_shows_nothing_until_it_is_transmitted() -> None:
    """Parent and first child are silent; the last child sets all free, the children waiting for their parent."""
    opened = an_open_floor()
    client = seated(opened)

    parent = client.ask(*an_order_with(opened, 1, transmit="0"))
    first = client.ask(*an_order_with(opened, 2, limit="30.0", side="SELL", transmit="0", parentId="1"))
    held = client.ask(5, 1)
    freed = client.ask(*an_order_with(opened, 3, side="SELL", orderType="STP", auxPrice="5.0", parentId="1"))

    assert (parent, first, [frame[0] for frame in held]) == ([], [], ["53"])
    assert {order_id: (status, why) for order_id, status, why in states(freed)} == {
        "1": ("Submitted", ""),
        "2": ("PreSubmitted", "child"),
        "3": ("PreSubmitted", "child"),
    }
    assert {frame[1]: frame[7] for frame in freed if frame[0] == "3"} == {"1": "0", "2": "1", "3": "1"}
    assert sorted(order_id for order_id, _, _ in states(client.ask(5, 1))) == ["1", "2", "3"]


def test_a_parent_that_fills_sets_its_children_to_work() -> None:
    """The limit child works, the stop child waits for its trigger."""
    opened = an_open_floor()
    client = seated(opened)

    client.ask(*an_order_with(opened, 1, limit="19.0", transmit="0"))
    client.ask(*an_order_with(opened, 2, limit="30.0", side="SELL", transmit="0", parentId="1"))
    told = client.ask(*an_order_with(opened, 3, side="SELL", orderType="STP", auxPrice="5.0", parentId="1"))

    last = {order_id: (status, why) for order_id, status, why in states(told)}
    assert last == {"1": ("Filled", ""), "2": ("Submitted", ""), "3": ("PreSubmitted", "trigger")}


def test_one_cancels_all() -> None:
    """When one order of a group fills the other is told as cancelled, with its code."""
    opened = an_open_floor()
    client = seated(opened)
    client.ask(*an_order_with(opened, 1, limit="10.0", ocaGroup="g", ocaType="1"))

    told = client.ask(*an_order_with(opened, 2, limit="19.0", ocaGroup="g", ocaType="1"))

    assert {order_id: status for order_id, status, _ in states(told)} == {"1": "Cancelled", "2": "Filled"}
    assert ["1", "202"] in [frame[2:4] for frame in told if frame[0] == "4"]


def test_a_trailing_stop_is_told_where_it_stands() -> None:
    """The stop that the exchange trails comes back in both of openOrder's fields."""
    opened = an_open_floor()
    client = seated(opened)

    told = client.ask(*an_order_with(opened, 1, side="SELL", orderType="TRAIL", auxPrice="0.5", limit=""))

    [frame] = [frame for frame in told if frame[0] == "5"][-1:]
    [standing] = opened.floor.open_orders()
    assert standing.order.trail_stop is not None
    assert {frame[74], frame[114]} == {repr(float(standing.order.trail_stop))}


def test_an_order_before_the_open_carries_a_notice() -> None:
    """A market order waits, and 399 says so under its own id; it stays alive."""
    opened = a_floor()
    client = seated(opened)

    told = client.ask(*an_order_with(opened, 1, orderType="MKT", limit=""))

    assert [status for _, status, _ in states(told)] == ["PreSubmitted"]
    assert [frame[2:4] for frame in told if frame[0] == "4"] == [["1", "399"]]
    assert len(opened.floor.open_orders()) == 1


def test_what_the_exchange_says_of_an_order_reaches_its_owner() -> None:
    """The price at which it is held, why it waits and the notice beside it stand in their fields."""
    opened = an_open_floor()
    desk = Desk(opened.floor)
    client = a_client(desk)
    client.ask(*an_order_with(opened, 1))
    [standing] = opened.floor.open_orders()

    client.session.tell(_held(standing))

    opened_frame, status, notice = client.heard()[-3:]
    assert (status[2], status[10], status[11]) == ("PreSubmitted", "locate", "18.25")
    assert notice[2:5] == ["1", "2161", "held at 18.25"]
    assert opened_frame[108] == "held at 18.25"


def _held(standing: OrderChanged) -> OrderChanged:
    return replace(
        standing,
        status=VenueStatus.PRE_SUBMITTED,
        why_held="locate",
        cap_price=Decimal("18.25"),
        warning=(2161, "held at 18.25"),
    )


def test_the_master_hears_of_everybody_and_others_of_their_own() -> None:
    """Status and executions of another client's order reach the master's id only."""
    opened = an_open_floor()
    desk = Desk(opened.floor, rules=DoorRules(master_id=9))
    owner, master, other = (a_client(desk, client_id) for client_id in (1, 9, 2))

    owner.ask(*an_order_with(opened, 1, limit="19.0"))

    heard = [frame[0] for frame in master.heard()]
    assert {"5", "3", "11", "59"} <= set(heard)
    assert other.heard() == []


def test_client_0_hears_of_manual_orders_once_it_has_asked() -> None:
    """An order with no positive id is a manual one; only client 0 may bind it."""
    opened = an_open_floor()
    desk = Desk(opened.floor)
    zero, one = a_client(desk, 0), a_client(desk, 1)
    opened.floor.place(_manual(opened, -1))
    before = zero.heard()
    zero.ask(15, 1, 1)

    opened.floor.place(_manual(opened, -2))

    assert before == []
    assert [frame[1] for frame in zero.heard() if frame[0] == "5"] == ["-2"]
    assert sorted(frame[1] for frame in zero.ask(5, 1) if frame[0] == "5") == ["-1", "-2"]
    assert one.heard() == []
    assert one.ask(15, 1, 1)[0][2:4] == ["-1", "321"]


def _manual(opened: OpenedFloor, order_id: int) -> VenueOrder:
    return an_order(a_future(opened), limit="10.00", side=Side.BUY, order_id=order_id, client_id=77)


@pytest.mark.parametrize(("is_old", "codes"), [(True, ["135", "161"]), (False, ["10147", "10148"])])
def test_a_cancel_that_comes_to_nothing_is_told_by_the_gateways_own_codes(is_old: bool, codes: list[str]) -> None:  # noqa: FBT001 - a table of expectations
    """An unknown id and an order that is done each have an old and a new number."""
    opened = an_open_floor()
    client = seated(opened, rules=DoorRules(old_cancel_codes=is_old))
    client.ask(*an_order_with(opened, 1, limit="19.0"))

    assert [client.ask(4, 1, order_id, "")[0][3] for order_id in (99, 1)] == codes


def test_an_order_comes_back_with_its_conditions_and_its_algorithm() -> None:
    """What the client attached stands in openOrder as it was sent."""
    opened = an_open_floor()
    client = seated(opened)
    number = str(opened.floor.listing(a_call(opened)).con_id)
    sent = read_order(Cursor([str(each) for each in place_order(1, contract(opened, a_future(opened)))], 1), VERSION)
    sent = replace(
        sent,
        values={**sent.values, "lmtPrice": "10.0", "algoStrategy": "Adaptive"},
        algo_params=(("adaptivePriority", "Normal"),),
        conditions=(("1", "a", "1", "99.0", number, "SMART", "0"),),
    )

    told = client.ask(*order_texts(sent, VERSION))

    frame = next(frame for frame in told if frame[0] == "5")
    assert [status for _, status, _ in states(told)] == ["PreSubmitted"]
    assert frame[91:95] == ["Adaptive", "1", "adaptivePriority", "Normal"]
    assert frame[114:124] == ["1", "1", "a", "1", "99.0", number, "SMART", "0", "0", "0"]
    assert len(frame) == 136 + 3 + 7 + 2
