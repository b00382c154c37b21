"""A plan's digest is over all that it sells; a mandate never allows more than was signed."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.errors import InvalidValueError
from bot.domain.flattening import FlatPart, FlattenPlan, Mandate
from bot.domain.layer import Layer
from bot.domain.orders import Filled, OrderIntent, OrderState, Purpose, Working
from tests.builders import NOON, an_intent, an_order, mirrored, sells, spread_legs, vix_call

EPOCH = 4
LEGS = mirrored(spread_legs())


def a_part(**changes: Any) -> FlatPart:
    """Five call spreads of the overlay at 0.50 or better."""
    whole: dict[str, Any] = {
        "layer": Layer.OVERLAY,
        "legs": LEGS,
        "units": 5,
        "worst_limit": Decimal("-0.50"),
        "cost_usd": Decimal(60),
    }
    return FlatPart(**{**whole, **changes})


def a_plan(*parts: FlatPart, **changes: Any) -> FlattenPlan:
    """A plan of these parts, made at noon."""
    whole: dict[str, Any] = {
        "plan_id": "p",
        "epoch": EPOCH,
        "made_at": NOON,
        "expires_at": NOON + timedelta(minutes=5),
        "parts": parts or (a_part(),),
    }
    return FlattenPlan(**{**whole, **changes})


def a_mandate(**changes: Any) -> Mandate:
    """The plan, signed at noon for half an hour."""
    whole: dict[str, Any] = {
        "plan": a_plan(),
        "key_id": "anna",
        "signed_at": NOON,
        "until": NOON + timedelta(minutes=30),
        "most_tries": 3,
    }
    return Mandate(**{**whole, **changes})


def a_sale(quantity: int = 5, limit: str = "-0.55", intent_id: str = "f-1", **changes: Any) -> OrderIntent:
    """An order of the plan."""
    sale = an_intent(LEGS, quantity=quantity, limit=limit, purpose=Purpose.FLATTEN, intent_id=intent_id)
    return replace(sale, **changes)


def allowed(intent: OrderIntent, mandate: Mandate | None = None, *, epoch: int = EPOCH, minutes: float = 1) -> bool:
    """Whether an order may leave in the halt."""
    return (mandate or a_mandate()).allows(intent, epoch=epoch, now=NOON + timedelta(minutes=minutes))


def done(quantity: int, filled: int, intent_id: str, state: OrderState | None = None) -> Any:
    """An order of the plan with so much of it filled."""
    return an_order(a_sale(quantity, intent_id=intent_id), filled=filled, state=state or Filled())


@pytest.mark.control("C3")
@pytest.mark.parametrize(
    "intent",
    [
        a_sale(6),
        a_sale(limit="-0.49"),
        a_sale(limit="0.55"),
        a_sale(purpose=Purpose.OVERLAY_EXIT),
        a_sale(layer=Layer.LONG),
        a_sale(legs=mirrored(LEGS)),
        a_sale(legs=(sells(vix_call(20)),)),
    ],
)
def test_nothing_but_what_was_signed_is_allowed(intent: OrderIntent) -> None:
    """More units, a worse price, another purpose, layer, direction or contract: it does not leave."""
    assert allowed(a_sale())
    assert not allowed(intent)


@pytest.mark.control("C3")
def test_a_mandate_ends_with_its_time_and_with_a_kill() -> None:
    """At its last moment it still holds; after it, or in another epoch, nothing leaves."""
    assert allowed(a_sale(), minutes=30)
    assert not allowed(a_sale(), minutes=30.01)
    assert not allowed(a_sale(), epoch=EPOCH + 1)


def test_what_filled_counts_and_the_order_itself_does_not() -> None:
    """Three of five are sold: two may leave, and the two that are on their way are allowed at their release."""
    sold = a_mandate(orders=(done(5, 3, "f-1"),))
    assert (sold.left(a_part()), sold.works, sold.is_spent(a_part())) == (2, False, False)
    assert (allowed(a_sale(2, intent_id="f-2"), sold), allowed(a_sale(3, intent_id="f-2"), sold)) == (True, False)
    released = sold.with_orders([*sold.orders, an_order(a_sale(2, intent_id="f-2"), state=Working())])
    assert (allowed(a_sale(2, intent_id="f-2"), released), released.works) == (True, True)


def test_a_part_is_spent_when_sold_or_tried_often_enough() -> None:
    """All of it filled, or as many orders as are allowed; orders of another part do not count."""
    assert a_mandate(orders=(done(5, 5, "f-1"),)).is_spent(a_part())
    tries = tuple(done(5, 0, f"f-{number}") for number in range(3))
    assert a_mandate(orders=tries).is_spent(a_part())
    assert not a_mandate(orders=tries[:2]).is_spent(a_part())
    assert not a_mandate(orders=tries).is_spent(a_part(layer=Layer.LONG))


@given(
    filled=st.lists(st.integers(0, 5), max_size=4),
    quantity=st.integers(1, 9),
)
def test_no_sequence_of_fills_sells_more_than_was_signed(filled: list[int], quantity: int) -> None:
    """Whatever has filled, an order that is allowed never takes the sum beyond the signed units."""
    orders = tuple(done(5, units, f"f-{number}") for number, units in enumerate(filled))
    mandate = a_mandate(orders=orders)
    if allowed(a_sale(quantity, intent_id="new"), mandate):
        assert sum(filled) + quantity <= a_part().units


@pytest.mark.control("C3")
@pytest.mark.parametrize(
    "other",
    [
        a_plan(a_part(units=6)),
        a_plan(a_part(worst_limit=Decimal("-0.45"))),
        a_plan(a_part(layer=Layer.LONG)),
        a_plan(a_part(legs=mirrored(LEGS))),
        a_plan(a_part(), epoch=EPOCH + 1),
        a_plan(a_part(), plan_id="q"),
        a_plan(a_part(), made_at=NOON + timedelta(seconds=1)),
        a_plan(a_part(), a_part(layer=Layer.LONG)),
    ],
)
def test_the_digest_is_over_everything_that_is_sold(other: FlattenPlan) -> None:
    """One unit, tick, layer, leg, halt or plan more or less is another digest; the same plan has the same."""
    assert other.digest != a_plan().digest
    assert a_plan().digest == a_plan().digest


def test_the_cost_is_the_sum_of_the_parts() -> None:
    """In USD, fees included."""
    assert a_plan(a_part(), a_part(layer=Layer.LONG)).cost_usd == Decimal(120)


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (lambda: a_part(units=0), "units"),
        (lambda: a_part(legs=()), "needs a contract"),
        (lambda: a_part(worst_limit=Decimal("nan")), "worst_limit"),
        (lambda: a_part(cost_usd=Decimal(-1)), "cost_usd"),
        (lambda: a_plan(a_part(), a_part(units=1)), "once"),
        (lambda: a_plan(plan_id=""), "plan_id"),
        (lambda: a_mandate(key_id=""), "key_id"),
        (lambda: a_mandate(most_tries=0), "most_tries"),
    ],
)
def test_what_could_not_be_signed_is_refused(made: Any, words: str) -> None:
    """No units, no contracts, no price, twice the same lots, nobody who signed."""
    with pytest.raises(InvalidValueError, match=words):
        made()
