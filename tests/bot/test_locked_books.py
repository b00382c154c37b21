"""What locks a contract or the account: foreign fills, second live orders, unknown accounts; and what is told of it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.events import AccountReported, LockEscalated, LockLifted, OrderReported, TwinsFound
from bot.domain.orders import BrokerOrder, BrokerStatus, IntentId, Order, Working
from bot.ports import BrokerBooks
from bot.reconcile import OwnBooks, reconcile
from bot.records import lock_rows
from tests.bot.engine_parts import (
    CALL,
    Rig,
    a_fill,
    books_agree,
    call_order,
    filled,
    held,
    order_in,
    restored,
    with_orders,
)
from tests.builders import NOON, an_account
from tests.fakes import a_row

WORKING, CANCELLED = BrokerStatus.WORKING, BrokerStatus.CANCELLED


def a_twin(status: BrokerStatus = WORKING) -> BrokerOrder:
    """The row of a second order with our order's reference."""
    return replace(a_row("i-1", status, order_id=8), perm_id=9008)


def known(*, perm_id: int = 9007) -> Order:
    """Our order, working under its permanent id."""
    return call_order(1, Working(), perm_id=perm_id)


def a_rig(*orders: Order) -> Rig:
    """An engine at peace that has these orders."""
    rig = Rig()
    rig.engine.receive(restored())
    rig.engine.receive(books_agree(orders=orders))
    return rig


@pytest.mark.control("C28")
def test_a_report_of_a_second_live_order_locks_its_contract_and_cancels_both() -> None:
    """Neither was wanted twice: both cancels leave by their own ids, and the lock is a person's to lift."""
    rig = a_rig(known())
    rig.engine.receive(OrderReported(at=NOON, report=a_twin()))
    lock = rig.state.locks.of(CALL.key)
    assert lock is not None
    assert (lock.latched, lock.why) == (True, "two live orders of i-1: permanent ids 9007 and 9008")
    assert rig.broker.cancelled == ["i-1", "i-1"]
    assert order_in(rig.state).perm_id == 9007


@pytest.mark.parametrize(
    ("order", "report"),
    [
        (known(), a_row("i-1")),
        (known(perm_id=0), a_twin()),
        (known(), replace(a_twin(), perm_id=0)),
        (known(), a_twin(CANCELLED)),
        (known(), replace(a_twin(), order_ref="foreign")),
    ],
)
def test_what_is_no_second_live_order_locks_nothing(order: Order, report: BrokerOrder) -> None:
    """The same id, the first id, no id, one that is dead already, or somebody else's."""
    rig = a_rig(order)
    rig.engine.receive(OrderReported(at=NOON, report=report))
    assert (rig.state.locks.held, rig.broker.cancelled) == ((), [])


def test_the_end_of_a_second_order_is_not_the_end_of_ours() -> None:
    """A report under another permanent id says nothing of the order that we know."""
    rig = a_rig(known())
    rig.engine.receive(OrderReported(at=NOON, report=a_twin(CANCELLED)))
    assert order_in(rig.state).state == Working()


@pytest.mark.control("C28")
def test_a_comparison_finds_two_live_orders_of_one_intent() -> None:
    """Open, under permanent ids of their own; one that is repeated, has none yet, or has ended is no second one."""

    def twins(*rows: BrokerOrder) -> tuple[tuple[int, ...], ...]:
        books = BrokerBooks(
            open_orders=rows,
            completed_orders=(),
            fills=(),
            positions=(),
            account=an_account(),
            commissions_usd={},
        )
        own = OwnBooks(orders=(known(),), fills=(), positions=())
        return tuple(found.perm_ids for found in reconcile(own, books, now=NOON, settled_before=NOON).twins_found(NOON))

    ours = a_row("i-1")
    assert twins(ours, a_twin()) == ((9007, 9008),)
    for other in (ours, a_twin(CANCELLED), replace(a_twin(), perm_id=0), replace(a_twin(), order_ref="foreign")):
        assert twins(ours, other) == ()


def test_two_orders_of_an_intent_that_nobody_knows_are_not_ours() -> None:
    """Nothing to lock, nothing to cancel."""
    rig = a_rig()
    found = TwinsFound(at=NOON, intent_id=IntentId("stranger"), perm_ids=(1, 2), order_ids=(1, 2))
    rig.engine.receive(found)
    assert (rig.state.locks.held, rig.broker.cancelled) == ((), [])


@pytest.mark.control("C34")
def test_an_execution_in_an_unknown_account_locks_the_account_and_is_not_booked() -> None:
    """What is traded elsewhere is nobody's position here; the journal tells the lock, not a fill."""
    rig = a_rig(known())
    rig.engine.receive(filled(replace(a_fill(), account="U7654321")))
    lock = rig.state.locks.of("account")
    assert lock is not None
    assert (lock.latched, lock.why) == (True, "execution e-1 in account U7654321")
    assert (rig.state.fills(), order_in(rig.state).state) == ((), Working())
    rows = [row.kind for row in rig.engine._unwritten]
    assert ("order_filled" in rows, "lock_taken" in rows) == (False, True)


@pytest.mark.control("C34")
def test_an_order_of_ours_in_an_unknown_account_locks_the_account() -> None:
    """The broker's word on the order counts all the same."""
    state = with_orders(known())
    state.apply(OrderReported(at=NOON, report=replace(a_row("i-1"), account="U7654321")))
    assert state.standing().locks == {"account": "our order i-1 in account U7654321"}


def test_what_the_broker_reports_of_its_values_does_not_move_what_is_ours() -> None:
    """Values of another account make no execution of ours a stranger's, nor a stranger's ours."""
    rig = a_rig(known())
    rig.engine.receive(AccountReported(at=NOON, values=an_account(account="U7654321")))
    rig.engine.receive(filled(a_fill()))
    assert (rig.state.locks.of("account"), len(rig.state.fills())) == (None, 1)
    rig.engine.receive(filled(replace(a_fill("e-2"), account="U7654321")))
    assert (rig.state.locks.of("account") is None, len(rig.state.fills())) == (False, 1)


def test_a_lock_that_is_not_there_is_not_escalated() -> None:
    """It ended in the same moment."""
    state = with_orders()
    assert state.apply(LockEscalated(at=NOON, lock="gone", why="x")) is False
    state.apply(books_agree([held()], differences={CALL.key: "x"}))
    assert state.apply(LockEscalated(at=NOON, lock=CALL.key, why="x; not settled within 900 s")) is True
    assert state.locks.passing == ()


def test_each_step_of_a_lock_is_one_row() -> None:
    """Taken and cleared have rows, agreements none; what a person or the time does has a row of its own."""
    rig = a_rig()
    rig.engine._unwritten.clear()
    for seconds, differences in ((0, {CALL.key: "x"}), (5, {}), (15, {})):
        at = NOON + timedelta(seconds=seconds)
        rig.clock.at = at
        rig.engine.receive(books_agree(differences=differences, at=at))
    told = [(row.kind, row.at) for row in rig.engine._unwritten if row.kind.startswith("lock")]
    assert told == [("lock_taken", NOON), ("lock_cleared", NOON + timedelta(seconds=15))]
    locks = rig.state.locks.latched((CALL.key,), "y", NOON)
    lifted = LockLifted(at=NOON, lock=CALL.key, key_id="k", reason="r")
    assert lock_rows(locks, locks.lifted(CALL.key), lifted, NOON) == ()
