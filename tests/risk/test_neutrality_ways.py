"""How far what is on its way may take the delta, the end of a plan, and the figures that are written down (M10)."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain, combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.deltas import units_delta
from bot.domain.decision import Rule
from bot.domain.orders import IntentId, OrderIntent, Purpose
from bot.domain.snapshot import Snapshot
from risk.checks.neutrality import farthest_deltas
from tests.builders import an_intent, an_order, mirrored, spread_legs
from tests.risk.scenes import LIMITS, a_build, a_mini, an_unwind, calm_noon, checked_by, holding, scene_of, with_book

SMALL = spread_legs(30, 31)
"""Less than a USD per +1 % SPX."""
EMPTY = with_book(calm_noon(), positions={}, lots=())
"""A band and nothing in it."""

orders = st.one_of(
    st.builds(a_build, st.integers(1, 30)),
    st.builds(an_unwind, st.integers(1, 30)),
    st.builds(a_mini, st.integers(1, 3)),
    st.builds(
        an_intent,
        st.sampled_from((SMALL, mirrored(SMALL))),
        quantity=st.integers(1, 3),
        purpose=st.sampled_from((Purpose.OVERLAY_BUILD, Purpose.BASE_BUILD)),
    ),
)


def beside(snapshot: Snapshot, *intents: OrderIntent) -> Snapshot:
    """A moment with orders at work, each under an id of its own."""
    named = [replace(one, intent_id=IntentId(f"w-{number}")) for number, one in enumerate(intents)]
    return with_book(snapshot, orders={one.intent_id: an_order(one) for one in named})


def farthest(held: float, moves: Sequence[float]) -> float:
    """The largest distance from zero over every choice of what fills."""
    choices = chain.from_iterable(combinations(moves, count) for count in range(len(moves) + 1))
    return max(abs(held + sum(filled)) for filled in choices)


@given(working=st.lists(orders, max_size=5), snapshot=st.sampled_from((EMPTY, calm_noon(), holding(20))))
@pytest.mark.control("C31")
def test_no_choice_of_what_fills_takes_the_delta_farther(working: list[OrderIntent], snapshot: Snapshot) -> None:
    """Of the book and of the overlay alone, whichever orders of those on their way fill."""
    nothing, found = farthest_deltas(scene_of(snapshot)), farthest_deltas(scene_of(beside(snapshot, *working)))
    assert isinstance(nothing, tuple)
    assert isinstance(found, tuple)
    moves = [units_delta(((one.legs, one.quantity),), scene_of(snapshot).valuer) for one in working]
    known = [move for move in moves if isinstance(move, float)]
    own = [move for move, one in zip(known, working, strict=True) if one.purpose.changes_overlay]
    assert [abs(one) for one in found] == pytest.approx([farthest(nothing[0], known), farthest(nothing[1], own)])


@pytest.mark.control("C31")
def test_a_plan_has_no_grace_where_it_ends() -> None:
    """Half a band of grace is for a step on the way: a plan that ends there is refused with its first step."""
    halfway = a_build(40, intent_id="i-2")
    assert checked_by(Rule.NEUTRALITY, halfway, later=(an_unwind(30),)).note == "inside; on the way"
    checked = checked_by(Rule.NEUTRALITY, a_build(), later=(halfway,))
    assert (checked.passed, checked.size_can_cure) == (False, True)


def test_the_delta_that_is_written_down_is_the_farthest() -> None:
    """A sale on its way that would bring the book back does not hide how far it stands until then."""
    alone = checked_by(Rule.NEUTRALITY, a_build(2), holding(20))
    both = checked_by(Rule.NEUTRALITY, a_build(2), beside(holding(20), an_unwind(10)))
    assert (both.found, both.headroom) == (alone.found, alone.headroom)


def test_figures_are_written_down_to_the_cent() -> None:
    """Delta, band and the room between, also where all of them are small or no round number."""
    legs = units_delta(((SMALL, 1),), scene_of().valuer)
    assert isinstance(legs, float)
    assert -1 < legs < 0
    checked = checked_by(Rule.NEUTRALITY, an_intent(SMALL), EMPTY, limits=replace(LIMITS, neutrality_band_frac=0.1 / 3))
    assert (checked.found, checked.limit) == (round(legs, 2), 611.67)  # a thirtieth of 18,350
    assert checked.headroom == round(18_350 * 0.1 / 3 + legs, 2)


def test_a_refusal_says_outside_where_only_some_ways_are_inside() -> None:
    """Twelve spreads end inside if what is on its way does not fill, and outside the band if it does."""
    checked = checked_by(Rule.NEUTRALITY, a_build(12), beside(calm_noon(), a_build(10)))
    assert (checked.passed, checked.note) == (False, "outside the band")
