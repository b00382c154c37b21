"""The exchange alone: orders against quotes made by hand."""

from dataclasses import replace
from decimal import Decimal

import pytest
from floors import a_spread, an_order
from hypothesis import given
from hypothesis import strategies as st
from pits import FUTURE, HIGH, LOW, Pit, a_call, executions, standings

from bot.domain.instrument import Instrument, Side
from simulator.admission import DUPLICATE_ID
from simulator.fees import VenueFees
from simulator.fills import DisplayedSizeFills, UnlimitedFills
from simulator.orders.rejection import OFF_TICK
from simulator.orders.view import tick_of
from simulator.venue import CancelRefused, Charged, OrderChanged, Phase, PositionChanged, Tif, VenueStatus


@pytest.mark.parametrize(
    ("side", "limit", "price"),
    [
        (Side.BUY, "1.35", "1.35"),
        (Side.BUY, "1.40", "1.35"),
        (Side.BUY, None, "1.35"),
        (Side.SELL, "1.30", "1.30"),
        (Side.SELL, "1.00", "1.30"),
        (Side.SELL, None, "1.30"),
        (Side.BUY, "1.34", None),
        (Side.SELL, "1.31", None),
    ],
)
def test_an_order_trades_at_the_natural_price_or_not_at_all(side: Side, limit: str | None, price: str | None) -> None:
    """It buys at the ask and sells at the bid, never better and never worse than its limit."""
    events = Pit().place(LOW, side=side, limit=limit)

    assert [str(each.price) for each in executions(events)] == ([] if price is None else [price])


def test_a_fill_is_told_in_the_brokers_order() -> None:
    """Standing, execution, standing, commission, position, account."""
    events = Pit().place(LOW, limit="1.35")

    assert [type(event).__name__ for event in events] == [
        "OrderChanged", "Executed", "OrderChanged", "Charged", "PositionChanged", "AccountChanged",
    ]  # fmt: skip


def test_an_order_larger_than_the_displayed_size_fills_in_steps() -> None:
    """Ten are shown: 25 units need three steps, and the quantities add up."""
    pit = Pit()

    first, second, third = pit.place(LOW, limit="1.35", quantity=25), pit.step(), pit.step()

    assert standings(first) == [(VenueStatus.SUBMITTED, 0), (VenueStatus.SUBMITTED, 10)]
    assert standings(second) == [(VenueStatus.SUBMITTED, 20)]
    assert standings(third) == [(VenueStatus.FILLED, 25)]
    assert pit.account.quantity(LOW) == 25


def test_size_that_one_order_took_is_gone_for_the_next_until_the_step_ends() -> None:
    """Two orders of eight against ten shown: the second gets two now and six later; the other side is untouched."""
    pit = Pit()

    pit.place(LOW, limit="1.35", quantity=8, order_id=1)
    second = pit.place(LOW, limit="1.35", quantity=8, order_id=2)
    sale = pit.place(LOW, side=Side.SELL, limit="1.30", quantity=8, order_id=3)

    assert standings(second)[-1] == (VenueStatus.SUBMITTED, 2)
    assert standings(sale)[-1] == (VenueStatus.FILLED, 8)
    assert standings(pit.step()) == [(VenueStatus.FILLED, 8)]


def test_resting_orders_are_tried_oldest_first() -> None:
    """When the price comes, the older order takes the size."""
    pit = Pit()
    pit.place(LOW, limit="1.20", quantity=10, order_id=1)
    pit.place(LOW, limit="1.20", quantity=10, order_id=2)
    pit.show(LOW, "1.15", "1.20")

    events = pit.step()

    assert [event.order.order_id for event in executions(events)] == [1]


@pytest.mark.parametrize(
    ("side", "net", "low", "high"), [(Side.BUY, "0.85", "1.35", "0.50"), (Side.SELL, "0.75", "1.30", "0.55")]
)
def test_a_combo_trades_at_the_sum_of_its_legs(side: Side, net: str, low: str, high: str) -> None:
    """Buying the spread pays ask less bid, selling it receives bid less ask; the legs add up exactly."""
    pit = Pit()

    events = pit.place(*a_spread(LOW, HIGH), side=side, limit=net)

    whole, first, second = executions(events)
    assert (str(whole.price), str(first.price), str(second.price)) == (net, low, high)
    assert (whole.instrument, whole.is_leg, first.is_leg) == (None, False, True)
    assert (first.side, second.side) == (side, side.opposite)
    assert (pit.account.quantity(LOW), pit.account.quantity(HIGH)) == (side.sign, -side.sign)
    assert first.price - second.price == whole.price


def test_a_combo_with_a_missing_side_waits() -> None:
    """One leg without a bid: nothing trades, not even the other leg."""
    pit = Pit()
    pit.show(HIGH, None, "0.05")

    assert executions(pit.place(*a_spread(LOW, HIGH), limit="3.00")) == []
    assert pit.account.positions() == ()


def test_the_leg_with_the_least_size_decides_how_many_units_trade() -> None:
    """Four sold calls shown allow two units of a spread with ratio two."""
    pit = Pit()
    pit.show(HIGH, "0.50", "0.55", size=5)
    bought, sold = a_spread(LOW, HIGH)

    events = pit.place(bought, replace(sold, ratio=2), limit="3.00", quantity=9)

    assert standings(events)[-1] == (VenueStatus.SUBMITTED, 2)
    assert [each.quantity for each in executions(events)] == [2, 2, 4]


def test_commissions_fall_on_legs_alone() -> None:
    """The net of a combo costs nothing; each leg pays its own fee, which the account pays once."""
    pit = Pit(fees=VenueFees())
    cash = pit.account.cash_usd

    events = pit.place(*a_spread(LOW, HIGH), limit="0.85", quantity=2)

    fees = [event.commission_usd for event in events if isinstance(event, Charged)]
    assert fees[0] == 0
    assert all(fee > 0 for fee in fees[1:])
    assert cash - pit.account.cash_usd == Decimal("0.85") * 2 * 100 + sum(fees)


def test_every_execution_has_an_id_of_its_own() -> None:
    """Ids have four parts and never repeat, and each is charged once."""
    pit = Pit()
    events = (*pit.place(*a_spread(LOW, HIGH), limit="0.85", quantity=15), *pit.step())

    ids = [event.exec_id for event in executions(events)]
    assert len(set(ids)) == len(ids) == 6
    assert all(len(each.split(".")) == 4 for each in ids)
    assert [event.exec_id for event in events if isinstance(event, Charged)] == ids


def test_permanent_ids_ascend_and_stay_with_their_order() -> None:
    """Two orders have two ids; a change keeps the order's."""
    pit = Pit()
    first = pit.place(LOW, limit="1.00", order_id=1)[0]
    second = pit.place(LOW, limit="1.00", order_id=2)[0]
    changed = pit.place(LOW, limit="1.05", order_id=1)[0]

    assert isinstance(first, OrderChanged)
    assert isinstance(second, OrderChanged)
    assert isinstance(changed, OrderChanged)
    assert second.perm_id == first.perm_id + 1
    assert changed.perm_id == first.perm_id


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"account": "DU2"}, "account code DU2"),
        ({"quantity": 0}, "size 0"),
        ({"quantity": 1_000_001}, "at most 1000000"),
        ({"tif": Tif.GTD}, "good-till date"),
        ({"limit": "1.333"}, "minimum price variation"),
        ({"limit": "-1.00"}, "above zero"),
        ({"limit": "0"}, "above zero"),
        ({"limit": "NaN"}, "needs a limit price"),
        ({"limit": "1E+30"}, "beyond"),
    ],
)
def test_an_order_that_cannot_be_is_rejected_with_its_reason(changes: dict[str, object], words: str) -> None:
    """It never works, moves nothing and uses its id up."""
    pit = Pit()

    [event] = pit.place(LOW, **{"limit": "1.35", **changes})

    assert isinstance(event, OrderChanged)
    assert event.status is VenueStatus.REJECTED
    assert words in event.reason
    assert event.code != 0
    assert pit.exchange.open_orders() == ()
    assert pit.account.positions() == ()
    assert pit.exchange.next_order_id(1) == 2


def test_what_is_not_listed_is_not_traded() -> None:
    """A contract that the exchange does not know, an order without legs, a leg named twice."""
    pit = Pit()

    unknown, empty, twice = (
        pit.place(a_call(99), limit="1.00"),
        pit.place(limit="1.00", order_id=2),
        pit.place(*a_spread(LOW, LOW), limit="1.00", order_id=3),
    )

    assert [event[0].status for event in (unknown, empty, twice)] == [VenueStatus.REJECTED] * 3


def test_a_used_id_is_refused_even_after_its_order_is_done() -> None:
    """The code says duplicate, and the first order stands in the books as it was."""
    pit = Pit()
    pit.place(LOW, limit="1.35")

    [event] = pit.place(LOW, limit="1.35")

    assert isinstance(event, OrderChanged)
    assert (event.status, event.code) == (VenueStatus.REJECTED, DUPLICATE_ID)
    assert [each.status for each in pit.exchange.completed_orders()] == [VenueStatus.FILLED]
    assert pit.account.quantity(LOW) == 1


def test_a_refused_change_leaves_the_order_at_work() -> None:
    """Off the tick: the answer carries the code, and the order has its first price."""
    pit = Pit()
    pit.place(LOW, limit="1.00")

    [event] = pit.place(LOW, limit="1.003")

    assert isinstance(event, OrderChanged)
    assert (event.status, event.code, event.order.limit) == (VenueStatus.SUBMITTED, OFF_TICK, Decimal("1.00"))


@pytest.mark.parametrize("change", [{"side": Side.SELL}, {"account": "DU1"}])
def test_only_price_and_size_may_change(change: dict[str, object]) -> None:
    """Another side or another account is another order."""
    pit = Pit()
    pit.place(LOW, limit="1.00")

    [event] = pit.place(LOW, **{"limit": "1.00", **change})

    assert isinstance(event, OrderChanged)
    assert "does not match" in event.reason


def test_a_change_to_the_filled_size_completes_an_order() -> None:
    """Ten of 25 have traded: cutting the size to ten ends it as filled, below that is refused."""
    pit = Pit()
    pit.place(LOW, limit="1.35", quantity=25)

    refused = pit.place(LOW, limit="1.35", quantity=9)
    done = pit.place(LOW, limit="1.35", quantity=10)

    assert "below the filled quantity" in refused[0].reason
    assert standings(done) == [(VenueStatus.FILLED, 10)]
    assert pit.exchange.open_orders() == ()


@pytest.mark.parametrize(("order_id", "code"), [(1, 161), (9, 135)])
def test_a_cancel_of_what_does_not_work_is_refused(order_id: int, code: int) -> None:
    """Done is 161, never seen is 135."""
    pit = Pit()
    pit.place(LOW, limit="1.35")

    [event] = pit.exchange.cancel(1, order_id)

    assert isinstance(event, CancelRefused)
    assert event.code == code


def test_a_client_cannot_cancel_anothers_order() -> None:
    """The id belongs to the client that used it."""
    pit = Pit()
    pit.place(LOW, limit="1.00", client_id=1)

    [event] = pit.exchange.cancel(2, 1)

    assert isinstance(event, CancelRefused)
    assert len(pit.exchange.open_orders()) == 1


def test_nothing_trades_while_the_session_is_off() -> None:
    """Limit and market orders wait with the notice 399, and the open brings their fills, older first."""
    pit = Pit()
    pit.phase = Phase.CLOSED

    limit, market = pit.place(LOW, limit="1.35"), pit.place(LOW, order_id=2)
    pit.phase = Phase.REGULAR

    assert standings(limit) == standings(market) == [(VenueStatus.PRE_SUBMITTED, 0)]
    assert isinstance(limit[0], OrderChanged)
    assert limit[0].warning is not None
    assert limit[0].warning[0] == 399
    events = pit.step()
    assert [(each.order.order_id, each.quantity) for each in executions(events)] == [(1, 1), (2, 1)]


def test_the_end_of_a_session_cancels_what_was_for_the_day() -> None:
    """A GTC order stays; the next session forgets what was done."""
    pit = Pit()
    pit.place(LOW, limit="1.00", order_id=1)
    pit.place(LOW, limit="1.00", order_id=2, tif=Tif.GTC)

    events = pit.close()
    completed = len(pit.exchange.completed_orders())
    pit.exchange.begin_session(pit.venue)

    assert standings(events) == [(VenueStatus.CANCELLED, 0)]
    assert [each.order.order_id for each in pit.exchange.open_orders()] == [2]
    assert (completed, pit.exchange.completed_orders(), pit.exchange.executions()) == (1, (), ())


def test_a_preview_changes_nothing() -> None:
    """Margin and commission of a short future are told; no order, no id, no position is left."""
    pit = Pit(fees=VenueFees())

    preview = pit.exchange.preview(
        an_order(FUTURE, side=Side.SELL, limit="19.50"), pit.venue, lambda _: Decimal("19.525")
    )

    assert preview.after.init_margin_usd == Decimal("7810.00")  # 40 % of 19.525 x 1000
    assert preview.commission_usd == Decimal("2.45")
    assert preview.after.net_liquidation_usd == preview.before.net_liquidation_usd - 25 - Decimal("2.45")
    assert (pit.exchange.open_orders(), pit.account.positions(), pit.exchange.next_order_id(1)) == ((), (), 1)


def test_a_combo_has_the_coarsest_grid_of_its_legs() -> None:
    """VIX spreads move by a cent; a single VIX option moves by five above three points."""
    assert tick_of(an_order(*a_spread(LOW, HIGH), limit="0.85"), Decimal("0.85")) == Decimal("0.01")
    assert tick_of(an_order(LOW, limit="3.05"), Decimal("3.05")) == Decimal("0.05")


ORDERS = st.lists(
    st.tuples(
        st.sampled_from(["low", "future", "spread"]),
        st.sampled_from([Side.BUY, Side.SELL]),
        st.integers(1, 30),
        st.booleans(),
    ),
    max_size=8,
)


@given(ORDERS, st.integers(0, 4))
def test_positions_and_cash_are_the_sum_of_the_executions(
    orders: list[tuple[str, Side, int, bool]], steps: int
) -> None:
    """Whatever is ordered, legs alone move the account, and no order fills beyond its size."""
    pit = Pit(fees=VenueFees(), fills=DisplayedSizeFills())
    legs = {"low": (LOW,), "future": (FUTURE,), "spread": a_spread(LOW, HIGH)}
    events: list[object] = []
    for order_id, (name, side, quantity, marketable) in enumerate(orders, start=1):
        limit = None if marketable else {"low": "1.30", "future": "19.50", "spread": "0.80"}[name]
        events += pit.place(*legs[name], side=side, quantity=quantity, limit=limit, order_id=order_id)
    for _ in range(steps):
        events += pit.step()

    moved: dict[Instrument, int] = {}
    cash = Decimal(1_000_000)
    for event in executions(tuple(events)):
        if event.instrument is not None:
            moved[event.instrument] = moved.get(event.instrument, 0) + event.side.sign * event.quantity
            cash -= event.side.sign * event.quantity * event.price * event.instrument.multiplier
    cash -= sum(event.commission_usd for event in events if isinstance(event, Charged))
    assert {each.instrument: each.quantity for each in pit.account.positions()} == {
        key: quantity for key, quantity in moved.items() if quantity
    }
    state = pit.exchange.account_state()
    worth = sum(quantity * key.multiplier * pit.marks()[key] for key, quantity in moved.items())
    assert state.net_liquidation_usd == pytest.approx(cash + worth, abs=Decimal("0.01"))
    assert all(event.filled <= event.order.quantity for event in events if isinstance(event, OrderChanged))
    assert all(isinstance(event.average_cost_usd, Decimal) for event in events if isinstance(event, PositionChanged))


def test_the_null_model_fills_any_size() -> None:
    """Unlimited fills ignore the displayed size but not the limit."""
    pit = Pit(fills=UnlimitedFills())

    assert standings(pit.place(LOW, limit="1.35", quantity=500))[-1] == (VenueStatus.FILLED, 500)
    assert standings(pit.place(LOW, limit="1.34", quantity=500, order_id=2)) == [(VenueStatus.SUBMITTED, 0)]
