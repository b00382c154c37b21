"""Legs of a combo that do not match: what is missing, since when, and how far back anybody looks."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.errors import InvalidValueError
from bot.domain.imbalance import Imbalance, imbalances
from bot.domain.instrument import Side
from bot.domain.orders import Fill, FillPart, IntentId, Order, Working
from tests.bot.engine_parts import a_fill, call_order
from tests.builders import NOON, an_intent, spread_legs

LEGS = spread_legs(21, 26)
LONG, SHORT = (leg.instrument for leg in LEGS)
MINUTE = timedelta(minutes=1)


def a_combo() -> Order:
    """A spread that works."""
    return Order(intent=an_intent(LEGS, quantity=3, intent_id="i-1"), state=Working(), prepared_at=NOON)


def whole(units: int) -> Fill:
    """The net of the combo."""
    return a_fill("e-1", part=FillPart.COMBO, quantity=units)


def leg(exec_id: str, *, long: bool, units: int) -> Fill:
    """One of its legs."""
    one, side = (LONG, Side.BUY) if long else (SHORT, Side.SELL)
    return a_fill(exec_id, instrument=one, side=side, part=FillPart.LEG, quantity=units)


@pytest.mark.control("C21")
def test_a_missing_leg_is_named_with_its_side_and_since_when() -> None:
    """Two units have filled and the short leg of one of them was never told."""
    fills = (leg("e-3", long=False, units=1), leg("e-2", long=True, units=2), whole(2))
    (found,) = imbalances([a_combo()], fills, NOON + MINUTE)
    assert (found.intent_id, found.missing, found.since) == ("i-1", ((SHORT.key, -1),), NOON)
    assert found.words == f"-1 {SHORT.key}"


@pytest.mark.control("C21")
def test_a_leg_is_missing_since_the_last_execution_of_its_order() -> None:
    """A combo fills twice, a minute apart: the patience begins anew with what was executed last."""
    fills = (replace(leg("e-2", long=True, units=2), at=NOON + MINUTE), whole(2))
    (found,) = imbalances([a_combo()], fills, NOON + 2 * MINUTE)
    assert found.since == NOON + MINUTE


def test_legs_that_match_and_single_contracts_are_none() -> None:
    """A whole combo, an order of one contract, and one that was never executed."""
    fills = (leg("e-3", long=False, units=2), leg("e-2", long=True, units=2), whole(2), a_fill("e-9", ref="i-2"))
    silent = replace(a_combo(), intent=an_intent(LEGS, intent_id="i-3"))
    assert imbalances([a_combo(), call_order(ref="i-2"), silent], fills, NOON) == ()


def test_what_is_older_than_an_hour_is_not_read() -> None:
    """It was locked long ago; fills are newest first, so that reading ends at the first old one."""
    old = whole(2)
    assert imbalances([a_combo()], (old,), NOON + 60 * MINUTE) != ()
    assert imbalances([a_combo()], (old,), NOON + 61 * MINUTE) == ()


def test_a_moment_without_a_zone_is_none() -> None:
    """Ages are counted from it."""
    with pytest.raises(InvalidValueError, match="since"):
        Imbalance(intent_id=IntentId("i-1"), missing=(), since=NOON.replace(tzinfo=None))
