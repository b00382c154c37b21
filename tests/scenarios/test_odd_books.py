"""A condor book with a leg that fits nowhere: sizing locks, and the reason is named (M8)."""

from datetime import date
from decimal import Decimal
from functools import cache

from bot.domain.instrument import Kind, Right
from simulator.books import BookPlan, StatedPosition
from tests.scenarios.staging import Journal, Scene, staged, wide_morning

STRAY = StatedPosition(
    kind=Kind.OPTION,
    symbol="SPX",
    trading_class="SPXW",
    quantity=1,
    settlement=date(2026, 12, 4),
    strike=Decimal(6900),
    right=Right.CALL,
)


@cache
def staged_with(*stray: StatedPosition) -> Journal:
    """A morning that is wide from the open on, with the condor book and perhaps a stray leg beside it."""
    return staged(Scene(history=wide_morning(), until_minute=30, book=BookPlan(stated=stray)))


def test_an_unmatched_leg_locks_the_sizing_and_is_named() -> None:
    """The blowout is seen, and every plan in it holds because SPX options fit no condor."""
    wide = [row.facts for row in staged_with(STRAY).plans() if row.facts["signal"]["state"] == "blowout"]
    assert {facts["action"] for facts in wide} == {"hold"}
    assert {facts["reason"] for facts in wide} == {"SPX option positions fit no condor: sizing is locked until they do"}


def test_an_unmatched_leg_sends_no_order_that_the_whole_book_would_send() -> None:
    """The same morning without the stray leg buys an overlay; with it nothing reaches the gate."""
    assert len(staged_with().of("order_prepared")) == 1
    assert staged_with(STRAY).of("order_prepared", "order_refused") == []
