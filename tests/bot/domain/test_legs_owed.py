"""A guaranteed combo of which only a part was told: its other legs count as executed, at the order's limit."""

from decimal import Decimal
from itertools import permutations

import pytest

from bot.domain.instrument import Right, Side
from bot.domain.ledger import legs_owed, lots_of, positions_after
from bot.domain.orders import Fill, FillPart, OrderIntent, Purpose
from tests.builders import ACCOUNT, FEES, NOON, NOVEMBER, an_intent, an_option, an_order, buys, sells

OLD = an_option(6375, NOVEMBER, trading_class="SPXW", right=Right.PUT)
NEW = an_option(6370, NOVEMBER, trading_class="SPXW", right=Right.PUT)
UNITS = 4


def _roll(limit: str = "-0.35") -> OrderIntent:
    """Four long puts moved out by five points."""
    legs = (sells(OLD), buys(NEW))
    return an_intent(legs, quantity=UNITS, limit=limit, purpose=Purpose.WING_ROLL, intent_id="roll")


def _told(part: FillPart, side: Side, price: str, *, quantity: int = UNITS) -> Fill:
    instrument = None if part is FillPart.COMBO else OLD if side is Side.SELL else NEW
    return Fill(
        exec_id=f"{part}-{side}-{quantity}",
        order_ref="roll",
        perm_id=7,
        account=ACCOUNT,
        part=part,
        instrument=instrument,
        side=side,
        quantity=quantity,
        price=Decimal(price),
        at=NOON,
    )


WHOLE = _told(FillPart.COMBO, Side.BUY, "-0.40")
SOLD = _told(FillPart.LEG, Side.SELL, "20.00")
BOUGHT = _told(FillPart.LEG, Side.BUY, "19.60")


def test_whatever_is_told_first_both_wings_have_moved() -> None:
    """After each of the three executions, in any order, four old wings are gone and four new ones there."""
    for order in permutations((WHOLE, SOLD, BOUGHT)):
        for count in (1, 2, 3):
            told = order[:count]
            moved = positions_after((), (*told, *legs_owed(_roll(), told)))
            assert {key: one.quantity for key, one in moved.items()} == {OLD.key: -UNITS, NEW.key: UNITS}


@pytest.mark.parametrize("told", [(WHOLE,), (SOLD,), (BOUGHT,), (WHOLE, SOLD), (WHOLE, BOUGHT)])
@pytest.mark.parametrize("limit", ["-0.35", "0.10"])
def test_what_is_owed_costs_the_orders_limit(told: tuple[Fill, ...], limit: str) -> None:
    """Told and owed legs together pay the limit, no less: what is not known yet never looks cheaper."""
    legs = [fill for fill in (*told, *legs_owed(_roll(limit), told)) if fill.part is FillPart.LEG]
    assert sum(fill.signed_quantity * fill.price for fill in legs) == Decimal(limit) * UNITS


def test_a_combo_that_was_told_whole_owes_nothing() -> None:
    """All legs are there, in as many contracts as the net says."""
    assert legs_owed(_roll(), (WHOLE, SOLD, BOUGHT)) == ()


def test_a_combo_that_filled_in_part_owes_that_part() -> None:
    """One of four units: one old wing and one new one."""
    part = _told(FillPart.COMBO, Side.BUY, "-0.40", quantity=1)
    assert [(fill.side, fill.quantity) for fill in legs_owed(_roll(), (part,))] == [(Side.SELL, 1), (Side.BUY, 1)]


def test_a_wing_makes_no_hedge_lot() -> None:
    """What a roll buys and sells belongs to the condors: no lot, and none sold."""
    order = an_order(_roll(), filled=UNITS)
    assert lots_of([order], (WHOLE, SOLD, BOUGHT), {}, FEES) == ()
