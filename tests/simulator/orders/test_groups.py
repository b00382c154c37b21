"""Brackets, untransmitted families, one-cancels-all groups, conditions, combos."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from floors import a_spread
from pits import AT, FUTURE, HIGH, LOW, Pit, executions, fills_of, standings, told_of

from bot.domain.instrument import Side
from simulator.venue import (
    ChangeCondition,
    Condition,
    ExecutionCondition,
    MarginCondition,
    OcaType,
    OrderChanged,
    OrderType,
    Phase,
    PositionChanged,
    PriceCondition,
    Tif,
    TimeCondition,
    VenueStatus,
    VolumeCondition,
)


def a_bracket(pit: Pit, limit: str = "1.20", quantity: int = 10) -> list[tuple[object, ...]]:
    """Place a purchase with a target at 1.60 and a stop at 1.00, transmitted by the last order."""
    return [
        pit.place(LOW, limit=limit, quantity=quantity, order_id=1, transmit=False),
        pit.place(
            LOW, side=Side.SELL, limit="1.60", quantity=quantity, order_id=2, parent_id=1, transmit=False, tif=Tif.GTC
        ),
        pit.place(
            LOW,
            side=Side.SELL,
            order_type=OrderType.STOP,
            auxiliary=Decimal("1.00"),
            quantity=quantity,
            order_id=3,
            parent_id=1,
            tif=Tif.GTC,
        ),
    ]


def test_an_untransmitted_family_is_set_free_by_its_last_order() -> None:
    """Marketable as it is, the parent rests until the last child transmits, then fills at once."""
    pit = Pit()

    parent, target, stop = a_bracket(pit, limit="1.35")

    assert standings(parent) == standings(target) == [(VenueStatus.PRE_SUBMITTED, 0)]
    assert fills_of(stop) == [(1, 10, "1.35")]
    assert told_of(stop, 2)[-1].status is VenueStatus.SUBMITTED
    assert told_of(stop, 3)[-1].why_held == "trigger"


def test_children_wait_for_their_parent() -> None:
    """They are PreSubmitted with the word child, even while the market would fill them."""
    pit = Pit()
    a_bracket(pit)
    pit.show(LOW, "1.60", "1.65")

    assert executions(pit.step()) == []
    assert [each.why_held for each in pit.exchange.open_orders()] == ["", "child", "child"]


def test_one_childs_fill_cancels_the_other() -> None:
    """The target is reached in two steps: the stop shrinks with it and goes with the last contract."""
    pit = Pit()
    a_bracket(pit, limit="1.35", quantity=10)
    pit.show(LOW, "1.60", "1.65", size=4)

    first, second, third = pit.step(), pit.step(), pit.step()

    assert [each.order.quantity for each in told_of(first, 3)] == [6]
    assert [each.order.quantity for each in told_of(second, 3)] == [2]
    assert told_of(third, 3)[-1].status is VenueStatus.CANCELLED
    assert pit.account.quantity(LOW) == 0


def test_cancelling_a_parent_cancels_its_children() -> None:
    """All three end, the parent first."""
    pit = Pit()
    a_bracket(pit)

    events = pit.exchange.cancel(1, 1)

    assert [event.order.order_id for event in events if isinstance(event, OrderChanged)] == [1, 2, 3]
    assert pit.exchange.open_orders() == ()


@pytest.mark.parametrize(
    ("oca_type", "left"),
    [(OcaType.CANCEL_WITH_BLOCK, None), (OcaType.REDUCE_WITH_BLOCK, 15), (OcaType.REDUCE, 15)],
)
def test_a_group_is_cancelled_or_reduced_by_what_fills(oca_type: OcaType, left: int | None) -> None:
    """Ten of twenty fill: type 1 ends the other order of thirty, types 2 and 3 take half of it away."""
    pit = Pit()
    terms = {"oca_group": "g", "oca_type": oca_type}
    pit.place(HIGH, limit="0.30", quantity=30, order_id=1, **terms)

    pit.place(LOW, limit="1.35", quantity=20, order_id=2, **terms)

    others = [each.order.quantity for each in pit.exchange.open_orders() if each.order.order_id == 1]
    assert others == ([] if left is None else [left])


def test_a_group_that_has_traded_takes_no_more_orders() -> None:
    """A newcomer to a spent group of type 1 is refused."""
    pit = Pit()
    terms = {"oca_group": "g", "oca_type": OcaType.CANCEL_WITH_BLOCK}
    pit.place(LOW, limit="1.35", order_id=1, **terms)

    assert standings(pit.place(LOW, limit="1.35", order_id=2, **terms)) == [(VenueStatus.REJECTED, 0)]


# Conditions


def conditions_of(pit: Pit, name: str) -> Condition:
    """Return a condition of each kind that is false at first."""
    return {
        "price": PriceCondition(instrument=FUTURE, is_more=True, price=Decimal(20)),
        "time": TimeCondition(is_more=True, at=pit.at + timedelta(minutes=5)),
        "margin": MarginCondition(is_more=False, percent=99),
        "execution": ExecutionCondition(symbol="VIX", sec_type="FUT"),
        "volume": VolumeCondition(instrument=FUTURE, is_more=True, volume=100),
        "change": ChangeCondition(instrument=FUTURE, is_more=True, percent=Decimal(5)),
    }[name]


def make_true(pit: Pit, name: str) -> None:
    """Bring about what a condition of `conditions_of` asks for."""
    match name:
        case "price":
            pit.show(FUTURE, "20.00", "20.05")
        case "time":
            pit.at += timedelta(minutes=5)
        case "margin":
            pit.account.trade(FUTURE, 40, Decimal("19.55"), Decimal(0))
        case "execution":
            pit.place(FUTURE, limit="19.55", order_id=9)
        case "volume":
            pit.show(FUTURE, "19.50", "19.55", volume=100)
        case "change":
            pit.show(FUTURE, "21.00", "21.05", close=20.0)


KINDS = ("price", "time", "margin", "execution", "volume", "change")


@pytest.mark.parametrize("name", KINDS)
def test_a_condition_holds_an_order_until_it_is_true(name: str) -> None:
    """PreSubmitted at first, filled when it has come true, for each of the six kinds."""
    pit = Pit()
    placed = pit.place(LOW, limit="1.35", conditions=(conditions_of(pit, name),))
    quiet = pit.step()

    make_true(pit, name)

    assert standings(placed) == [(VenueStatus.PRE_SUBMITTED, 0)]
    assert quiet == ()
    assert [order_id for order_id, _, _ in fills_of(pit.step())] == [1]


@pytest.mark.parametrize("name", KINDS)
def test_conditions_may_cancel_an_order_instead(name: str) -> None:
    """The order works until its condition comes true."""
    pit = Pit()
    placed = pit.place(LOW, limit="1.00", conditions=(conditions_of(pit, name),), conditions_cancel=True)

    make_true(pit, name)

    assert standings(placed) == [(VenueStatus.SUBMITTED, 0)]
    assert told_of(pit.step(), 1)[-1].status is VenueStatus.CANCELLED


@pytest.mark.parametrize(
    ("first", "second", "third", "fills"),
    [(True, False, True, True), (False, True, False, False), (True, True, False, True), (False, False, True, True)],
)
def test_and_binds_tighter_than_or(first: bool, second: bool, third: bool, fills: bool) -> None:  # noqa: FBT001 - a table
    """First and second or third, with moments that lie before or after now."""

    def known(truth: bool, joins_by_and: bool) -> TimeCondition:  # noqa: FBT001 - a builder
        return TimeCondition(is_more=truth, at=AT - timedelta(seconds=1), joins_by_and=joins_by_and)

    conditions = (known(first, True), known(second, False), known(third, True))

    assert bool(executions(Pit().place(LOW, limit="1.35", conditions=conditions))) is fills


def test_the_night_counts_only_when_it_is_asked_for() -> None:
    """A condition that is true before the open releases its order then only with conditions_outside_rth."""
    true = (TimeCondition(is_more=True, at=AT),)
    found = []
    for outside in (False, True):
        pit = Pit()
        pit.phase = Phase.EXTENDED
        pit.place(LOW, limit="1.35", conditions=true, conditions_outside_rth=outside, outside_rth=True)
        found.append(pit.account.quantity(LOW))

    assert found == [0, 1]


# Combos


def test_legs_of_a_non_guaranteed_combo_may_fill_without_each_other() -> None:
    """Ten of the long leg trade, four of the short one: four units are filled, six contracts stand alone."""
    pit = Pit()
    pit.show(HIGH, "0.50", "0.55", size=4)

    events = pit.place(*a_spread(LOW, HIGH), limit="0.85", quantity=10, non_guaranteed=True)

    assert standings(events)[-1] == (VenueStatus.SUBMITTED, 4)
    assert (pit.account.quantity(LOW), pit.account.quantity(HIGH)) == (10, -4)
    assert [event.quantity for event in executions(events)] == [4, 10, 4]


def test_a_lagging_leg_waits_rather_than_pay_more_than_the_limit() -> None:
    """The short leg falls to 0.40 before it is sold: the net would be 0.95, so the position stays one-legged."""
    pit = Pit()
    pit.show(HIGH, "0.50", "0.55", size=4)
    pit.place(*a_spread(LOW, HIGH), limit="0.85", quantity=10, non_guaranteed=True)
    pit.show(HIGH, "0.40", "0.45")
    waiting = pit.step()
    pit.show(HIGH, "0.52", "0.57")

    events = pit.step()

    assert executions(waiting) == []
    assert standings(events)[-1] == (VenueStatus.FILLED, 10)
    assert executions(events)[0].price == Decimal("0.83")


def test_leg_prices_hold_each_leg() -> None:
    """The net would do, but the long leg is dearer than its own price: nothing trades until it is not."""
    pit = Pit()
    terms = {"non_guaranteed": True, "leg_prices": (Decimal("1.34"), Decimal("0.49"))}
    first = pit.place(*a_spread(LOW, HIGH), limit="0.85", **terms)
    pit.show(LOW, "1.30", "1.34")

    assert executions(first) == []
    assert standings(pit.step())[-1] == (VenueStatus.FILLED, 1)


@pytest.mark.parametrize(
    ("terms", "code"),
    [
        ({"order_type": OrderType.MIDPRICE, "limit": None}, 387),
        ({"algo": "Adaptive"}, 387),
        ({"good_after": AT}, 349),
        ({"min_quantity": 1}, 350),
        ({"oca_group": "g"}, 356),
        ({"leg_prices": (Decimal("1.35"), Decimal("0.50"))}, 312),
        ({"leg_prices": (Decimal("1.35"), Decimal("0.40")), "non_guaranteed": True}, 312),
    ],
)
def test_combos_have_rules_of_their_own(terms: dict[str, object], code: int) -> None:
    """What the broker refuses of a smart-routed combo is refused here with its number."""
    [event] = Pit().place(*a_spread(LOW, HIGH), **{"limit": "0.85", **terms})

    assert isinstance(event, OrderChanged)
    assert (event.status, event.code) == (VenueStatus.REJECTED, code)


def test_futures_and_options_of_vix_share_no_combo() -> None:
    """They trade and clear at different places."""
    [event] = Pit().place(*a_spread(LOW, FUTURE), limit="1.00", non_guaranteed=True)

    assert isinstance(event, OrderChanged)
    assert event.code == 312


# Changes and settlement


@pytest.mark.parametrize(
    "change", [{"oca_group": "other"}, {"algo": "Adaptive"}, {"exchange": "CBOE"}, {"non_guaranteed": True}]
)
def test_groups_algorithms_and_routes_may_not_change(change: dict[str, object]) -> None:
    """Code 105, and the order goes on as it was."""
    pit = Pit()
    pit.place(LOW, limit="1.00")

    [event] = pit.place(LOW, limit="1.00", **change)

    assert isinstance(event, OrderChanged)
    assert (event.status, event.code) == (VenueStatus.SUBMITTED, 105)


def test_a_change_of_the_stop_moves_the_trigger() -> None:
    """From 1.40 up to 1.50: an ask of 1.45 does not touch it any more."""
    pit = Pit()
    pit.place(LOW, order_type=OrderType.STOP, auxiliary=Decimal("1.40"))
    pit.place(LOW, order_type=OrderType.STOP, auxiliary=Decimal("1.50"))
    pit.show(LOW, "1.40", "1.45")
    untouched = pit.step()
    pit.show(LOW, "1.45", "1.50")

    assert executions(untouched) == []
    assert len(executions(pit.step())) == 1


@pytest.mark.parametrize(("held", "value", "cash"), [(3, "5.00", 1500), (-2, "1.00", -200), (3, "0", 0)])
def test_a_contract_settles_in_cash(held: int, value: str, cash: int) -> None:
    """Its orders end, its position is closed at the value without a fee, and no execution is told."""
    pit = Pit()
    pit.account.trade(LOW, held, Decimal(0), Decimal(0))
    pit.place(LOW, limit="1.00", tif=Tif.GTC)
    before = pit.account.cash_usd

    events = pit.exchange.settle(LOW, Decimal(value), AT)

    assert [type(event).__name__ for event in events] == ["OrderChanged", "PositionChanged", "AccountChanged"]
    assert [event.quantity for event in events if isinstance(event, PositionChanged)] == [0]
    assert pit.account.cash_usd - before == cash
    assert (pit.account.positions(), pit.exchange.open_orders(), pit.exchange.executions()) == ((), (), ())


def test_settling_what_nobody_holds_moves_nothing() -> None:
    """No position, no order: nothing is told."""
    assert Pit().exchange.settle(LOW, Decimal(5), AT) == ()


def test_a_cancel_ends_a_group_member_alone() -> None:
    """The owner's cancel is no fill: the others of the group go on."""
    pit = Pit()
    terms = {"oca_group": "g", "oca_type": OcaType.CANCEL_WITH_BLOCK}
    pit.place(LOW, limit="1.00", order_id=1, **terms)
    pit.place(LOW, limit="1.00", order_id=2, **terms)

    pit.exchange.cancel(1, 1)

    assert [each.order.order_id for each in pit.exchange.open_orders()] == [2]


def test_a_ratio_above_one_counts_in_legs() -> None:
    """Two sold for each bought: five units need ten of the second leg, traded leg by leg."""
    pit = Pit()
    bought, sold = a_spread(LOW, HIGH)

    events = pit.place(bought, replace(sold, ratio=2), limit="0.35", quantity=5, non_guaranteed=True)

    assert standings(events)[-1] == (VenueStatus.FILLED, 5)
    assert (pit.account.quantity(LOW), pit.account.quantity(HIGH)) == (5, -10)
