"""What befalls orders, seen at the port: told live, and shown to who asks."""

from dataclasses import replace
from decimal import Decimal

import pytest
from floors import an_order
from scenes import Scene

from bot.domain.instrument import Side
from simulator.admission import DUPLICATE_ID
from simulator.troubles.kinds import trouble
from simulator.venue import CancelRefused, Executed, OrderChanged, VenueStatus

SUBMITTED, FILLED, CANCELLED = VenueStatus.SUBMITTED, VenueStatus.FILLED, VenueStatus.CANCELLED
INACTIVE, PRE = VenueStatus.REJECTED, VenueStatus.PRE_SUBMITTED


def test_without_troubles_everything_passes() -> None:
    """A floor with nothing wrong tells the same as the one behind it."""
    scene = Scene()
    plain: list[object] = []
    scene.opened.floor.listen(plain.append)

    scene.buy()
    scene.wait(60)

    assert list(scene.heard) == plain
    assert scene.floor.executions() == scene.opened.floor.executions()
    assert scene.floor.open_orders() == scene.opened.floor.open_orders()


def test_a_rejection_keeps_the_order_from_the_exchange_and_hits_once() -> None:
    """The code and the words are told, and the next order is served."""
    scene = Scene("reject", code=203, text="not allowed")

    scene.buy()
    [told] = scene.heard.of(OrderChanged)
    scene.buy(order_id=2)

    assert (told.status, told.code, told.reason) == (INACTIVE, 203, "not allowed")
    assert scene.statuses()[-1] is FILLED
    assert len(scene.opened.floor.completed_orders()) == 1


def test_a_trouble_of_one_client_leaves_the_others_alone() -> None:
    """It waits for the client that it names."""
    scene = Scene("reject", client=3)

    scene.buy()
    scene.floor.place(an_order(scene.future, client_id=3, order_id=9))

    assert FILLED in scene.statuses()
    assert scene.statuses()[-1] is INACTIVE


def test_lost_answers_leave_the_order_alive_until_the_client_returns() -> None:
    """F19: nothing is heard, who asks sees it, and after the reconnect it is heard again."""
    scene = Scene("lose_answers")

    scene.buy("10")
    silent = scene.kinds()
    scene.floor.client_came_back(1)
    scene.floor.cancel(1, 1)

    assert silent == []
    assert scene.statuses() == [CANCELLED]


def test_late_answers_come_after_their_time() -> None:
    """F20: the order is at the exchange at once, and heard of 30 seconds later."""
    scene = Scene("late_answers", seconds="30s")

    scene.buy("10")
    before = (scene.kinds(), scene.shown()["open"])
    scene.wait(31)

    assert before == ([], [SUBMITTED])
    assert scene.statuses() == [SUBMITTED]


def test_a_dropped_order_is_nowhere() -> None:
    """F21: no answer, nothing at the exchange, and a cancel meets an unknown id."""
    scene = Scene("drop")

    scene.buy("10")
    scene.floor.cancel(1, 1)

    assert scene.shown() == {"open": [], "completed": []}
    assert [event.code for event in scene.heard.of(CancelRefused)] == [135]


def test_a_rejection_after_the_acknowledgement() -> None:
    """F22: Submitted, then 201."""
    scene = Scene("reject_after_ack")

    scene.buy()

    assert [(event.status, event.code) for event in scene.heard.of(OrderChanged)] == [(SUBMITTED, 0), (INACTIVE, 201)]
    assert scene.shown() == {"open": [], "completed": [INACTIVE]}


def test_a_note_leaves_the_order_alive() -> None:
    """F23: the notice comes beside a working standing, and the order works on."""
    scene = Scene("note", code=10349, text="TIF was set")

    scene.buy("10")

    assert [event.warning for event in scene.heard.of(OrderChanged)] == [None, (10349, "TIF was set")]
    assert scene.shown()["open"] == [SUBMITTED]


def test_a_fill_after_the_confirmed_cancellation() -> None:
    """F24: cancelled is told, and a second later the execution."""
    scene = Scene("fill_after_202", seconds=1)

    scene.buy("10")
    scene.floor.cancel(1, 1)
    at_once = scene.kinds()
    scene.wait(2)

    assert scene.statuses() == [SUBMITTED, CANCELLED, FILLED]
    assert at_once == ["OrderChanged", "OrderChanged"]
    assert len(scene.heard.of(Executed)) == 1
    assert scene.heard.of(OrderChanged)[-1].order.limit == Decimal(10)


def test_a_fill_before_the_acknowledgement() -> None:
    """F25: the execution is heard first; without one the acknowledgement comes five seconds late."""
    scene = Scene("fill_before_ack")
    scene.buy()
    resting = Scene("fill_before_ack")
    resting.buy("10")
    before = resting.kinds()
    resting.wait(6)

    assert scene.kinds()[:2] == ["Executed", "OrderChanged"]
    assert FILLED in scene.statuses()
    assert (before, resting.statuses()) == ([], [SUBMITTED])


def test_a_cancel_that_comes_too_late() -> None:
    """F26: the answer to the cancel is the fill and a refusal."""
    scene = Scene("fill_after_cancel")

    scene.buy("10")
    scene.floor.cancel(1, 1)

    assert scene.statuses() == [SUBMITTED, FILLED]
    assert [event.code for event in scene.heard.of(CancelRefused)] == [161]


def test_a_refused_change_leaves_the_order_as_it_was() -> None:
    """F27: the change is told as refused with its code, the old terms work on, and the next change is taken."""
    scene = Scene()
    order = scene.buy("10")
    scene.floor.inject(trouble("reject_change", code=110))

    scene.floor.place(replace(order, limit=Decimal(11)))
    [standing] = scene.floor.open_orders()
    scene.floor.place(replace(order, limit=Decimal(12)))

    assert [event.code for event in scene.heard.of(OrderChanged)] == [0, 110, 0]
    assert standing.order.limit == Decimal(10)
    assert scene.floor.open_orders()[0].order.limit == Decimal(12)


def test_a_duplicate_id_is_refused_before_the_exchange() -> None:
    """F29: 103, and nothing stands."""
    scene = Scene("duplicate_id")

    scene.buy()

    assert [event.code for event in scene.heard.of(OrderChanged)] == [DUPLICATE_ID]
    assert scene.shown() == {"open": [], "completed": []}


def test_a_capped_order_is_told_its_cap() -> None:
    """F30: the exchange works the worse price, the client sees its own and the cap."""
    scene = Scene("capped", points=0.5)

    scene.buy("10")
    [standing] = scene.floor.open_orders()

    assert (standing.order.limit, standing.cap_price) == (Decimal(10), Decimal("9.5"))
    assert scene.opened.floor.open_orders()[0].order.limit == Decimal("9.5")


def test_a_parked_order_is_inactive_without_a_reason() -> None:
    """F31: it is open, can be cancelled, and one with a time goes to the exchange."""
    scene = Scene("inactive")
    scene.buy()
    shown = scene.shown()
    scene.floor.cancel(1, 1)
    released = Scene("inactive", seconds=5)
    released.buy()
    released.wait(6)

    assert shown == {"open": [INACTIVE], "completed": []}
    assert [(event.status, event.code, event.reason) for event in scene.heard.of(OrderChanged)] == [
        (INACTIVE, 0, ""),
        (CANCELLED, 0, ""),
    ]
    assert released.statuses()[0] is INACTIVE
    assert released.statuses()[-1] is FILLED


def test_a_partial_fill_stops_and_the_rest_can_be_cancelled() -> None:
    """F32: two of five trade, the order stays open with five, and the cancel ends it with two."""
    scene = Scene("partial", quantity=2)

    scene.buy(quantity=5)
    [standing] = scene.floor.open_orders()
    scene.wait(120)
    scene.floor.cancel(1, 1)
    [done] = scene.floor.completed_orders()

    assert (standing.order.quantity, standing.filled, standing.status) == (5, 2, SUBMITTED)
    assert (done.filled, done.status) == (2, CANCELLED)
    assert sum(each.quantity for each, _ in scene.floor.executions()) == 2


def test_one_leg_of_a_combo_trades_alone() -> None:
    """F33: the second leg is sold, no unit of the combo is filled, and the order works on."""
    scene = Scene("one_leg", leg=2)
    before = {each.instrument: each.quantity for each in scene.floor.positions()}

    legs = scene.buy_spread(quantity=3)
    [standing] = scene.floor.open_orders()
    after = {each.instrument: each.quantity for each in scene.floor.positions()}
    [(executed, _)] = scene.floor.executions()

    assert (standing.filled, standing.status) == (0, SUBMITTED)
    assert (executed.is_leg, executed.side, executed.quantity) == (True, Side.SELL, 3)
    assert after.get(legs[1].instrument, 0) - before.get(legs[1].instrument, 0) == -3
    assert after.get(legs[0].instrument, 0) == before.get(legs[0].instrument, 0)


def test_legs_that_fill_unequally() -> None:
    """F34: three of the first leg against two of the second; the order has two units."""
    scene = Scene("leg_imbalance", leg=1)

    legs = scene.buy_spread(quantity=3)
    [standing] = scene.floor.open_orders()
    bought = sum(e.quantity for e, _ in scene.floor.executions() if e.instrument == legs[0].instrument)
    sold = sum(e.quantity for e, _ in scene.floor.executions() if e.instrument == legs[1].instrument)

    assert (bought, sold) == (3, 2)
    assert standing.filled == 2
    assert {each.order.order_id for each, _ in scene.floor.executions()} == {1}
    assert {event.order.client_id for event in scene.heard.of(Executed)} == {1}


def test_the_permanent_id_comes_late() -> None:
    """F35: 0 at first, for who asks too, then the true one in a standing of its own."""
    scene = Scene("no_perm_id", seconds=10)

    scene.buy("10")
    first = scene.floor.open_orders()[0].perm_id
    scene.wait(11)

    ids = [event.perm_id for event in scene.heard.of(OrderChanged)]
    assert (first, ids[0]) == (0, 0)
    assert ids[-1] == scene.floor.open_orders()[0].perm_id > 0


def test_orders_for_a_halted_contract_wait_for_its_end() -> None:
    """F50: accepted as PreSubmitted, filled when the halt is over."""
    scene = Scene("halt", symbol="VIX", seconds=60)

    scene.buy()
    during = scene.shown()["open"]
    scene.wait(61)

    assert during == [PRE]
    assert scene.statuses()[-1] is FILLED


@pytest.mark.parametrize("name", ["reject", "drop", "inactive"])
def test_clearing_lets_the_next_order_pass(name: str) -> None:
    """A trouble that has met nobody is forgotten."""
    scene = Scene(name)

    scene.floor.clear()
    scene.buy()

    assert scene.floor.active == ()
    assert scene.statuses()[-1] is FILLED
