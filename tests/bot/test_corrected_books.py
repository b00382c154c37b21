"""Books after a correction: price, size and position follow it, and a size that changed leaves the order in doubt."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from adapters.journal.codec import text_of
from adapters.journal.reader import remembered_of
from adapters.journal.store import WrittenRow
from bot.books import Books
from bot.domain.corrections import ExecutionSet
from bot.domain.errors import InvariantError
from bot.domain.events import BooksReconciled, FillReported
from bot.domain.orders import BrokerStatus, Fill, Filled, FillPart, Order, Partial, Unknown, Working
from bot.ports import BrokerBooks, JournalRow
from bot.reconcile import OwnBooks, reconcile
from bot.records import rows_of
from tests.bot.engine_parts import CALL, a_fill, books_agree, call_order, held
from tests.builders import ACCOUNT, FEES, NOON, an_account
from tests.fakes import a_row

FIRST = a_fill("a.b.01.01", quantity=2)
DEARER = replace(FIRST, exec_id="a.b.01.02", price=Decimal("1.10"))
SMALLER = replace(FIRST, exec_id="a.b.01.02", quantity=1)


def books_with(order: Order, *fills: Fill) -> Books:
    """Books that have heard of an order and some executions, one after the other."""
    books = Books(sleeve=None, stated_credits=(), fees=FEES, account=ACCOUNT)
    books.reconcile(books_agree())
    books.prepare(order)
    for fill in fills:
        books.fill(FillReported(at=NOON, fill=fill))
    return books


def lot_of(books: Books) -> tuple[int, Decimal]:
    """Units and cost of the one lot."""
    (lot,) = books.frozen(NOON, None).lots
    return lot.units_open, lot.cost_usd


def order_of(books: Books) -> Order:
    """The one order."""
    order = books.order("i-1")
    assert order is not None
    return order


@pytest.mark.control("C20")
def test_a_corrected_price_is_the_cost() -> None:
    """Two calls at 1.10 instead of 0.90: 40 USD more, the order as it was, and the book's version has moved."""
    books = books_with(call_order(state=Working()), FIRST)
    units, cost = lot_of(books)
    version, state = books.version, order_of(books).state
    assert books.fill(FillReported(at=NOON, fill=DEARER))
    assert lot_of(books) == (units, cost + 40)
    assert (books.version, order_of(books).state) == (version + 1, state)
    assert books.frozen(NOON, None).quantity(CALL.key) == 2


@pytest.mark.parametrize("ordered", [2, 3])
def test_a_corrected_size_leaves_the_order_in_doubt(ordered: int) -> None:
    """One call instead of two: what the broker still holds of it is not known, filled whole or not."""
    books = books_with(call_order(ordered, Working()), FIRST)
    assert isinstance(order_of(books).state, Filled if ordered == 2 else Partial)
    assert books.fill(FillReported(at=NOON, fill=SMALLER))
    order = order_of(books)
    assert (type(order.state), order.filled, order.remaining) == (Unknown, 1, ordered - 1)
    assert books.frozen(NOON, None).quantity(CALL.key) == 1


def test_a_correction_beyond_what_was_ordered_cannot_be() -> None:
    """More filled than ordered stops the bot, corrected or not."""
    books = books_with(call_order(2, Working()), FIRST)
    with pytest.raises(InvariantError, match="3 filled of 2 ordered"):
        books.fill(FillReported(at=NOON, fill=replace(SMALLER, quantity=3)))


def test_an_earlier_version_told_late_changes_nothing() -> None:
    """The correction came first: the version that it corrects is known from then on, and moves nothing."""
    books = books_with(call_order(2, Working()), DEARER)
    before = lot_of(books)
    event = FillReported(at=NOON, fill=FIRST)
    assert not books.is_booked(event)
    assert not books.fill(event)
    assert (lot_of(books), books.is_booked(event)) == (before, True)


def compared(order: Order, own: tuple[Fill, ...], theirs: tuple[Fill, ...], quantity: int) -> BooksReconciled:
    """A comparison in which the broker shows these executions and this position."""
    answer = BrokerBooks(
        open_orders=(),
        completed_orders=(a_row("i-1", BrokerStatus.FILLED, filled=quantity),),
        fills=theirs,
        positions=(held(quantity=quantity),),
        account=an_account(),
        commissions_usd={},
    )
    ours = sum(fill.signed_quantity for fill in ExecutionSet(own).counting.values())
    books = OwnBooks(orders=(order,), fills=own, positions=(held(quantity=ours),))
    outcome = reconcile(books, answer, now=NOON, settled_before=NOON + timedelta(seconds=10))
    return outcome.as_event(answer, NOON)


@pytest.mark.parametrize("shows_both", [True, False])
def test_a_correction_that_only_a_comparison_shows_explains_the_position(*, shows_both: bool) -> None:
    """After a restart the broker tells the correction, with or without the first version: no difference, no lock."""
    order = call_order(2, Partial(), filled=2)
    found = compared(order, (FIRST,), (FIRST, SMALLER) if shows_both else (SMALLER,), 1)
    assert (dict(found.differences), found.fills) == ({}, (SMALLER,))
    assert (type(found.orders[0].state), found.orders[0].filled) == (Unknown, 1)
    books = books_with(order, FIRST)
    books.reconcile(found)
    assert books.frozen(NOON, None).quantity(CALL.key) == 1


def test_a_price_that_was_corrected_leaves_its_order_alone() -> None:
    """The size is the same: the order is settled as if nothing had been said."""
    order = call_order(2, Partial(), filled=2)
    found = compared(order, (FIRST,), (DEARER,), 2)
    assert (dict(found.differences), type(found.orders[0].state)) == ({}, Filled)


def remembered(*rows: JournalRow) -> Books:
    """Books after a restart, from the rows of a journal."""
    written = [
        WrittenRow(seq=n, at=row.at, kind=row.kind, decision_id="", payload=text_of(row.payload), hash="")
        for n, row in enumerate(rows, start=1)
    ]
    books = Books(sleeve=None, stated_credits=(), fees=FEES, account=ACCOUNT)
    books.restore(remembered_of(written, NOON).restored)
    return books


@pytest.mark.parametrize("last", [DEARER, SMALLER])
def test_a_restart_remembers_corrections(last: Fill) -> None:
    """The journal says of a correction what it says of an execution, once more under a name that calls a person."""
    order = call_order(2, Working())
    living = books_with(order, FIRST, last)
    prepared = JournalRow(kind="order_prepared", decision_id="", at=NOON, payload={"intent": order.intent})
    rows = [row for fill in (FIRST, last) for row in rows_of(FillReported(at=NOON, fill=fill), None)]
    assert [row.kind for row in rows] == ["order_filled", "order_filled", "execution_corrected"]
    again = remembered(JournalRow(kind="books_reconciled", decision_id="", at=NOON, payload=NOTHING), prepared, *rows)
    assert lot_of(again) == lot_of(living)
    assert (type(order_of(again).state), order_of(again).filled) == (
        type(order_of(living).state),
        order_of(living).filled,
    )


NOTHING: dict[str, object] = {"positions": [], "differences": {}, "commissions": {}}


def test_a_leg_that_was_corrected_moves_its_position_and_not_its_order() -> None:
    """An order of legs fills as a whole: what one leg was corrected to is the position's matter."""
    leg = replace(FIRST, part=FillPart.LEG)
    books = books_with(call_order(state=Working()), leg, replace(leg, exec_id="a.b.01.02", quantity=1))
    assert (type(order_of(books).state), order_of(books).filled) == (Working, 0)
    assert books.frozen(NOON, None).quantity(CALL.key) == 1
