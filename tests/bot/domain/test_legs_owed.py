"""A guaranteed combo of which only a part was told: its other legs count as executed, at the order's limit."""

from decimal import Decimal
from itertools import permutations

import pytest

from bot.domain.instrument import Side
from bot.domain.ledger import legs_owed, lots_of, positions_after
from bot.domain.orders import Fill, FillPart
from tests.builders import FEES, an_order
from tests.wing_rolls import BOUGHT, NEW, OLD, SOLD, UNITS, WHOLE, a_roll, told_of


def test_whatever_is_told_first_both_wings_have_moved() -> None:
    """After each of the three executions, in any order, four old wings are gone and four new ones there."""
    for order in permutations((WHOLE, SOLD, BOUGHT)):
        for count in (1, 2, 3):
            told = order[:count]
            moved = positions_after((), (*told, *legs_owed(a_roll(), told)))
            assert {key: one.quantity for key, one in moved.items()} == {OLD.key: -UNITS, NEW.key: UNITS}


@pytest.mark.parametrize("told", [(WHOLE,), (SOLD,), (BOUGHT,), (WHOLE, SOLD), (WHOLE, BOUGHT)])
@pytest.mark.parametrize("limit", ["-0.35", "0.10"])
def test_what_is_owed_costs_the_orders_limit(told: tuple[Fill, ...], limit: str) -> None:
    """Told and owed legs together pay the limit, no less: what is not known yet never looks cheaper."""
    legs = [fill for fill in (*told, *legs_owed(a_roll(limit), told)) if fill.part is FillPart.LEG]
    assert sum(fill.signed_quantity * fill.price for fill in legs) == Decimal(limit) * UNITS


def test_a_combo_that_was_told_whole_owes_nothing() -> None:
    """All legs are there, in as many contracts as the net says."""
    assert legs_owed(a_roll(), (WHOLE, SOLD, BOUGHT)) == ()


def test_a_combo_that_filled_in_part_owes_that_part() -> None:
    """One of four units: one old wing and one new one."""
    part = told_of(FillPart.COMBO, Side.BUY, "-0.40", quantity=1)
    assert [(fill.side, fill.quantity) for fill in legs_owed(a_roll(), (part,))] == [(Side.SELL, 1), (Side.BUY, 1)]


def test_a_wing_makes_no_hedge_lot() -> None:
    """What a roll buys and sells belongs to the condors: no lot, and none sold."""
    order = an_order(a_roll(), filled=UNITS)
    assert lots_of([order], (WHOLE, SOLD, BOUGHT), {}, FEES) == ()
