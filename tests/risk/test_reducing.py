"""What REDUCE_ONLY lets through: judged on the whole book, for every part of an order that may fill (I7)."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.decision import Checked, Rule
from bot.domain.orders import OrderIntent, Purpose
from bot.domain.snapshot import Snapshot
from bot.valuation import Unvalued
from risk.checks.stress_loss import LEAST_USD, SETTINGS, premium_usd
from risk.gate import Gate
from risk.reducing import is_fall_with_vix_up, past, reducing
from risk.scene import CLOSES_ONLY
from risk.stress import GRID, Scenario, book_stress, units_stress
from tests.builders import FEES, a_quote, an_intent, an_order, buys, sells, spread_legs, vix_call
from tests.risk.scenes import LIMITS, LONG, SHORT, a_build, a_mini, an_unwind, calm_noon, holding, scene_of, with_book


def _judged(intent: OrderIntent, snapshot: Snapshot | None = None) -> bool:
    return reducing(intent, scene_of(calm_noon() if snapshot is None else snapshot)).passed


def _back(quantity: int = 2) -> OrderIntent:
    """The short leg of the overlay, bought back."""
    return an_intent((buys(vix_call(SHORT)),), quantity=quantity, limit="0.50", purpose=Purpose.OVERLAY_UNWIND)


CASES = {
    "a call spread": (a_build(5), True),
    "a single call": (an_intent((buys(vix_call(LONG)),), quantity=2, limit="1.30"), True),
    "a short call bought back": (_back(), True),
    "a future": (a_mini(), False),
    "an unwind": (an_unwind(2), False),
    "a harvest": (replace(an_unwind(2), purpose=Purpose.OVERLAY_EXIT), False),
    "a short call": (an_intent((sells(vix_call(SHORT)),), quantity=1, limit="-0.50"), False),
    "a long leg sold alone": (an_intent((sells(vix_call(LONG)),), quantity=1, limit="-1.00"), False),
}


@pytest.mark.control("C3")
@pytest.mark.parametrize("name", CASES)
def test_what_reduces_passes_and_nothing_else(name: str) -> None:
    """Calls, call spreads and buying back reduce; futures, short calls and every sale of the hedge do not."""
    intent, passes = CASES[name]
    assert _judged(intent, holding(2)) is passes


@pytest.mark.control("C3")
def test_a_refusal_says_where_it_would_hurt() -> None:
    """A sale names the loss in a fall, a future the scenario that its premium does not pay for."""
    sale, future = (reducing(CASES[name][0], scene_of(holding(2))).why for name in ("an unwind", "a future"))
    assert "in a fall the book would lose" in sale
    assert "VIX down" in future


@settings(max_examples=60, deadline=None)
@given(
    quantity=st.integers(1, 12),
    long=st.sampled_from(["20", "21", "22"]),
    width=st.sampled_from([0, 1, 5]),
    sold=st.booleans(),
    short_first=st.booleans(),
)
def test_what_passes_whole_passes_in_every_part(
    quantity: int,
    long: str,
    width: int,
    sold: bool,  # noqa: FBT001
    short_first: bool,  # noqa: FBT001
) -> None:
    """Written out for each partial fill: no worse in a fall, elsewhere at most by premium and fees of that part."""
    legs = spread_legs(long, str(int(long) + width)) if width else (buys(vix_call(long)),)
    if sold:
        legs = tuple(replace(leg, side=leg.side.opposite) for leg in legs)
    legs = tuple(reversed(legs)) if short_first else legs
    scene = scene_of(holding(2))
    unit = scene.valuer.unit(legs)
    before = book_stress(scene.snapshot.book.positions, scene.valuer, SETTINGS)
    assert not isinstance(unit, Unvalued)
    assert not isinstance(before, Unvalued)
    intent = an_intent(legs, quantity=quantity, limit=f"{unit.price:.2f}")
    if not reducing(intent, scene).passed:
        return
    for filled in range(1, quantity + 1):
        part = replace(intent, quantity=filled)
        moved = units_stress(((legs, filled),), scene.valuer, SETTINGS)
        assert not isinstance(moved, Unvalued)
        paid = premium_usd(part, scene) + float(FEES.of_intent(part, filled)) + LEAST_USD
        falls = [[], []]
        for held, move in zip(before.outcomes, moved.outcomes, strict=True):
            if is_fall_with_vix_up(held.scenario):
                falls[0].append(-held.book_usd)
                falls[1].append(-held.book_usd - move.book_usd)
            else:
                assert -move.book_usd <= paid
        assert max(falls[1]) <= max(falls[0]) + LEAST_USD


def test_the_falls_are_those_in_which_vix_rises() -> None:
    """Five of the grid; where VIX stands still or falls the premium is the measure."""
    assert [one.name for one in GRID if is_fall_with_vix_up(one)] == [
        "crash",
        "severe fall",
        "sharp fall",
        "fall",
        "fall, VIX sluggish",
    ]


@pytest.mark.parametrize(
    ("scenario", "is_one"),
    [
        (Scenario(name="a", spx_frac=-0.03, vix_points=0.5), True),
        (Scenario(name="b", spx_frac=-0.03, vix_frac=0.5), True),
        (Scenario(name="c", spx_frac=-0.029, vix_points=5.0), False),
        (Scenario(name="d", spx_frac=0.02, vix_points=5.0), False),
        (Scenario(name="e", spx_frac=-0.20), False),
        (Scenario(name="f", spx_frac=-0.20, vix_frac=-0.1), False),
    ],
)
def test_a_fall_is_three_percent_or_more_with_any_rise_of_vix(scenario: Scenario, *, is_one: bool) -> None:
    """By points or by a fraction; the edge counts as a fall."""
    assert is_fall_with_vix_up(scenario) is is_one


def test_what_changes_nothing_is_no_worse() -> None:
    """Losses that differ by less than a cent are the same: what costs nothing and does nothing reduces."""
    scene = scene_of(calm_noon())
    settled = replace(vix_call(LONG), settlement=date(2026, 9, 16), last_trade=date(2026, 9, 15))
    assert reducing(an_intent((buys(settled),), limit="0.01"), scene).passed


def test_an_exception_needs_both_the_use_and_its_limit() -> None:
    """What closes passes and keeps the figure that is known; what reduces passes only where both are known."""
    scene, unwind, spread = scene_of(holding(2)), an_unwind(2), a_build()
    one, other = Checked.failed(rule=Rule.DAY_LOSS, note="unknown"), Decimal(7)
    for refused in (one._replace(found=other), one._replace(limit=other)):
        assert past(refused, spread, scene) is refused
        closed = past(refused, unwind, scene)
        assert closed.passed
        assert {closed.found, closed.limit} == {other, CLOSES_ONLY}
    assert past(one._replace(found=other, limit=other), spread, scene).passed


def test_with_condors_that_cannot_be_valued_only_buying_back_passes() -> None:
    """The sleeve alone is known: a purchase waits, a short call is bought back; with nothing known nothing passes."""
    snapshot = holding(2)
    wing = snapshot.book.condors[0].long_put
    blind = replace(snapshot, quotes={**snapshot.quotes, wing.key: a_quote(wing, None, None)})
    assert not _judged(a_build(), blind)
    assert _judged(_back(), blind)
    why = f"the book cannot be valued: {wing.key}: not two-sided"
    assert reducing(a_build(), scene_of(blind)).why == why
    also = "; but the sleeve can, and it only buys back what is held short"
    assert reducing(_back(), scene_of(blind)).why == why + also
    long = vix_call(LONG)
    blinder = replace(blind, quotes={**blind.quotes, long.key: a_quote(long, None, None)})
    assert not _judged(_back(), blinder)


@pytest.mark.control("C3")
def test_of_working_orders_those_that_add_are_named() -> None:
    """A future and a sale are to be cancelled, a spread may work on; what has filled to the last unit is nobody's."""
    spread, future, sale = a_build(2, intent_id="a"), replace(a_mini(), intent_id="b"), an_unwind(2, intent_id="c")
    orders = {one.intent_id: an_order(one) for one in (spread, future, sale)}
    done = an_order(replace(future, intent_id="d"), filled=future.quantity)
    snapshot = with_book(holding(2), orders={**orders, "d": done})
    assert Gate(LIMITS, FEES).adding(snapshot) == ("b", "c")


@pytest.mark.control("C3")
def test_a_working_order_is_judged_without_itself_and_in_what_is_left_of_it() -> None:
    """What buys back the rest of a short leg works on, also where no condor can be valued and a part has filled."""
    snapshot = holding(2)
    wing = snapshot.book.condors[0].long_put
    blind = replace(snapshot, quotes={**snapshot.quotes, wing.key: a_quote(wing, None, None)})
    working = an_order(replace(_back(3), intent_id="back"), filled=1)
    assert Gate(LIMITS, FEES).adding(with_book(blind, orders={"back": working})) == ()
    too_many = an_order(replace(_back(3), intent_id="back"))
    assert Gate(LIMITS, FEES).adding(with_book(blind, orders={"back": too_many})) == ("back",)
