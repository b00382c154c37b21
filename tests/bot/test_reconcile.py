"""The comparison of both books: a table of what settles an order, and what it may never conclude."""

from collections.abc import Sequence
from datetime import datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.instrument import Right
from bot.domain.orders import (
    BrokerOrder,
    BrokerStatus,
    Cancelled,
    Fill,
    Filled,
    FillPart,
    Order,
    OrderState,
    Partial,
    Prepared,
    Rejected,
    Sent,
    Unknown,
    Working,
)
from bot.domain.portfolio import Position
from bot.domain.schedule import NEW_YORK
from bot.ports import BrokerBooks
from bot.reconcile import OwnBooks, Reconciliation, reconcile
from tests.bot.engine_parts import CALL, a_fill, call_order, held
from tests.builders import NOON, NOVEMBER, an_account, an_option, vix_call
from tests.fakes import a_row

LATER = NOON + timedelta(seconds=10)


def compared(
    *orders: Order,
    rows: Sequence[BrokerOrder] = (),
    completed: Sequence[BrokerOrder] = (),
    own_fills: Sequence[Fill] = (),
    fills: Sequence[Fill] = (),
    positions: Sequence[Position] | None = None,
    theirs: Sequence[Position] = (),
    settled: bool = True,
) -> Reconciliation:
    """Compare; whatever is not stated is empty."""
    books = BrokerBooks(
        open_orders=tuple(rows),
        completed_orders=tuple(completed),
        fills=tuple(fills),
        positions=tuple(theirs),
        account=an_account(),
        commissions_usd={},
    )
    own = OwnBooks(orders=orders, fills=tuple(own_fills), positions=None if positions is None else tuple(positions))
    return reconcile(own, books, now=NOON, settled_before=LATER if settled else None)


WORKING, FILLED, CANCELLED = BrokerStatus.WORKING, BrokerStatus.FILLED, BrokerStatus.CANCELLED


@pytest.mark.parametrize("before", [Prepared(), Sent(), Working(), Unknown(why="x")])
@pytest.mark.parametrize(
    ("row", "fills", "settled", "expected"),
    [
        (a_row("i-1"), 0, False, Working()),
        (a_row("i-1", filled=1), 1, True, Partial()),
        (a_row("i-1"), 3, True, Filled()),
        (None, 3, False, Filled()),
        (a_row("i-1", FILLED, filled=3), 0, True, Unknown(why="filled at the broker, executions are missing")),
        (a_row("i-1", FILLED, filled=3), 3, True, Filled()),
        (a_row("i-1", CANCELLED), 0, True, Cancelled(reason="cancelled at the broker")),
        (a_row("i-1", CANCELLED, filled=2), 1, True, Unknown(why="cancelled with 2 filled, executions show 1")),
        (a_row("i-1", CANCELLED, filled=1), 1, True, Cancelled(reason="cancelled at the broker")),
        (a_row("i-1", BrokerStatus.REJECTED), 0, True, Rejected(reason="rejected by the broker")),
        (a_row("i-1", BrokerStatus.UNCLEAR), 0, True, Unknown(why="unclear at the broker")),
        (None, 0, False, Unknown(why="no trace at the broker yet")),
        (None, 1, False, Unknown(why="no trace at the broker yet")),
        (None, 0, True, Cancelled(reason="never reached the broker")),
        (None, 1, True, Cancelled(reason="no longer at the broker, partly filled")),
    ],
)
def test_the_table_of_settling(
    before: OrderState, row: BrokerOrder | None, fills: int, *, settled: bool, expected: OrderState
) -> None:
    """State before, the broker's row and the executions give one state; what is found counts, not what we thought."""
    shown = [a_fill(f"e-{number}") for number in range(fills)]
    outcome = compared(call_order(3, before), rows=[row] if row else (), fills=shown, settled=settled)
    (order,) = outcome.orders
    assert (order.state, order.filled) == (expected, fills)
    assert outcome.in_doubt == (outcome.orders if isinstance(expected, Unknown) else ())


def test_an_order_younger_than_the_settle_time_is_not_settled_by_silence() -> None:
    """The link may be up for hours: the frame of this order may still be under way."""
    young = call_order(3, Sent(), sent_at=LATER + timedelta(seconds=1))
    assert compared(young).orders[0].state == Unknown(why="no trace at the broker yet")


@given(
    row=st.sampled_from([None, *(a_row("i-1", status) for status in BrokerStatus)]),
    parts=st.lists(st.sampled_from([FillPart.WHOLE, FillPart.LEG]), max_size=2),
    perm_id=st.sampled_from([0, 9]),
    settled=st.booleans(),
    heard=st.booleans(),
)
def test_an_order_with_any_trace_is_never_said_not_to_have_arrived(
    row: BrokerOrder | None, parts: list[FillPart], perm_id: int, *, settled: bool, heard: bool
) -> None:
    """A row, an execution of any part or a permanent id is a trace; else silence after the settle time decides."""
    shown = [a_fill(f"e-{number}", part=part) for number, part in enumerate(parts)]
    order = call_order(3, perm_id=perm_id)
    outcome = compared(order, rows=[row] if row else (), fills=shown, own_fills=shown if heard else (), settled=settled)
    state = outcome.orders[0].state
    has_trace = row is not None or bool(shown) or perm_id != 0
    assert (state == Cancelled(reason="never reached the broker")) == (settled and not has_trace)


def test_legs_without_their_whole_keep_an_order_in_doubt() -> None:
    """Something traded: the order is neither dead nor filled until the execution of the whole is there."""
    outcome = compared(call_order(1), fills=[a_fill(part=FillPart.LEG)])
    assert [type(order.state) for order in outcome.in_doubt] == [Unknown]


@given(st.sets(st.integers(0, 9)), st.lists(st.integers(0, 9)))
def test_missed_fills_are_found_once_each(known: set[int], shown: list[int]) -> None:
    """What the broker shows and we have not booked is missed, however often it is shown."""
    outcome = compared(
        own_fills=[a_fill(f"e-{n}") for n in known], fills=[a_fill(f"e-{n}") for n in shown], positions=()
    )
    missed = [fill.exec_id for fill in outcome.missed_fills]
    assert sorted(missed) == sorted({f"e-{n}" for n in set(shown) - known})


def test_an_open_row_outweighs_a_completed_one() -> None:
    """A reference found twice is alive."""
    outcome = compared(call_order(3), rows=[a_row("i-1")], completed=[a_row("i-1", CANCELLED)])
    assert outcome.orders[0].state == Working()


def test_rows_give_the_ids_that_a_cancel_needs() -> None:
    """Permanent id and order id come back with the row."""
    order = compared(call_order(3, broker_order_id=0), rows=[a_row("i-1", order_id=12)]).orders[0]
    assert (order.perm_id, order.broker_order_id) == (9012, 12)


@given(st.integers(-5, 5), st.lists(st.integers(1, 3), max_size=4), st.integers(-3, 3))
def test_only_what_executions_do_not_explain_is_a_difference(start: int, traded: list[int], moved: int) -> None:
    """Held before plus missed fills must be what the broker holds; a shift beyond it is named, and only it."""
    fills = [a_fill(f"e-{n}", "manual", quantity=size) for n, size in enumerate(traded)]
    theirs = start + sum(traded) + moved
    outcome = compared(
        fills=fills,
        positions=[held(quantity=start)] if start else [],
        theirs=[held(quantity=theirs)] if theirs else [],
    )
    assert (CALL.key in outcome.differences) == (moved != 0)


def test_foreign_condor_fills_are_explained() -> None:
    """The operator traded by hand: the executions explain the new position."""
    leg = an_option(6500, trading_class="SPXW")
    outcome = compared(fills=[a_fill("e-1", "manual", instrument=leg)], positions=[], theirs=[held(leg)])
    assert (len(outcome.missed_fills), dict(outcome.differences)) == (1, {})


def test_a_difference_says_both_sides_and_a_first_comparison_has_none() -> None:
    """Both figures are named; where nothing was adopted yet, everything is taken as found."""
    other = vix_call(30)
    outcome = compared(positions=[held(quantity=2)], theirs=[held(other)])
    assert dict(outcome.differences) == {
        CALL.key: "books say 2, the broker says 0",
        other.key: "books say 0, the broker says 1",
    }
    assert dict(compared(theirs=[held(other)]).differences) == {}


@pytest.mark.parametrize(("hour", "differs"), [(15, True), (16, False)])
@pytest.mark.parametrize("side", ["ours", "theirs"])
def test_what_has_settled_is_compared_no_more(hour: int, differs: bool, side: str) -> None:  # noqa: FBT001
    """Until its settlement a contract that one side alone shows is a difference; after it nobody's word counts."""
    put = an_option(6500, trading_class="SPXW", right=Right.PUT)
    held = (Position(instrument=put, quantity=-2),)
    books = BrokerBooks(
        open_orders=(),
        completed_orders=(),
        fills=(),
        positions=held if side == "theirs" else (),
        account=an_account(),
        commissions_usd={},
    )
    own = OwnBooks(orders=(), fills=(), positions=held if side == "ours" else ())
    now = datetime.combine(NOVEMBER, time(hour), tzinfo=NEW_YORK)
    assert bool(reconcile(own, books, now=now, settled_before=None).differences) is differs
