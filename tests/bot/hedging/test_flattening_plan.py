"""What FLATTEN would sell: every open lot, spreads first, with a worst price; and the orders of a signed plan."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from bot.domain.errors import InvalidValueError
from bot.domain.flattening import FlatPart, FlattenPlan, Mandate, signed_legs
from bot.domain.layer import Layer
from bot.domain.orders import Filled, Purpose, Working
from bot.domain.plan import HedgePlan, PlanAction
from bot.domain.portfolio import Lot
from bot.domain.snapshot import Snapshot
from bot.hedging.flatten.planning import FlatParts, flat_parts
from bot.hedging.flatten.settings import FlattenSettings
from bot.hedging.settings import HedgeSettings
from bot.valuation import Valuer
from tests.bot.hedging.planned import TEN, an_overlay, planned
from tests.builders import FEES, NOON, a_future, a_lot, an_intent, an_order, buys, mirrored, spread_legs

HEDGE = HedgeSettings()


def a_moment(*lots: Lot, **changes: object) -> Snapshot:
    """The reference book with further lots."""
    return TEN.snapshot(book=TEN.book(lots=lots), **changes)


def parts_of(snapshot: Snapshot) -> FlatParts:
    """What would be sold."""
    return flat_parts(snapshot, Valuer(snapshot, HEDGE.valuation), HEDGE, FlattenSettings(), FEES)


def under(mandate: Mandate, *lots: Lot) -> HedgePlan:
    """The plan of a moment in which a mandate holds."""
    return planned(a_moment(*lots, mandate=mandate))


def a_mandate(parts: tuple[FlatPart, ...], most_tries: int = 3) -> Mandate:
    """The parts, signed."""
    end = NOON + timedelta(minutes=30)
    plan = FlattenPlan(plan_id="p", epoch=0, made_at=NOON, expires_at=end, parts=parts)
    return Mandate(plan=plan, key_id="anna", signed_at=NOON, until=end, most_tries=most_tries)


def test_every_open_lot_is_a_part_and_spreads_go_first() -> None:
    """Overlay and all base layers, a spread as one order so that no short call loses its long one; no condor."""
    found = parts_of(a_moment(an_overlay(3), a_lot((buys(a_future("VXM")),), units=2, lot_id="f")))
    assert [len(part.legs) for part in found.parts] == sorted((len(part.legs) for part in found.parts), reverse=True)
    assert {part.layer for part in found.parts} == set(Layer)
    assert found.parts[0].legs == mirrored(spread_legs(21, 26))
    assert {leg.instrument.symbol for part in found.parts for leg in part.legs} == {"VIX"}
    assert found.left_out == ()


def test_lots_of_a_layer_with_the_same_contracts_are_one_part() -> None:
    """Two purchases of one spread are sold as one order, a spent lot not at all."""
    spent = a_lot(spread_legs(21, 26), units=4, open_units=0, lot_id="spent")
    (first, *_) = parts_of(a_moment(an_overlay(3), an_overlay(2, lot_id="o-2"), spent)).parts
    assert first.units == 5


def test_the_worst_price_is_a_share_of_the_middle_and_its_cost_is_counted() -> None:
    """No order asks for less than 70 % of the middle, or the collar's edge; what that gives away is the plan's cost."""
    snapshot = a_moment(an_overlay(3))
    valuer = Valuer(snapshot, HEDGE.valuation)
    for part in parts_of(snapshot).parts:
        unit = valuer.unit(part.legs)
        middle = Decimal(repr(unit.price))  # type: ignore[union-attr]  # everything is quoted here
        assert part.worst_limit < 0
        assert part.worst_limit >= middle * Decimal("1.05")
        given = (part.worst_limit - middle) * 100 * part.units
        assert part.cost_usd >= max(Decimal(0), given)


def test_what_settles_or_has_no_price_is_left_out_in_words() -> None:
    """A contract at its last trading day is not touched, nor one that nobody quotes."""
    overlay = an_overlay(2)
    long = overlay.legs[0].instrument
    today = replace(long, last_trade=NOON.date())
    settling = replace(overlay, legs=(buys(today),), lot_id="settling")
    found = parts_of(a_moment(settling))
    assert "last trading day" in found.left_out[0]
    quotes = {key: quote for key, quote in a_moment(overlay).quotes.items() if key != long.key}
    unquoted = parts_of(replace(a_moment(overlay), quotes=quotes))
    assert "no price now" in unquoted.left_out[0]
    assert Layer.OVERLAY not in {part.layer for part in unquoted.parts}


def test_a_signed_plan_asks_for_its_parts_and_for_nothing_else() -> None:
    """In a blowout that would buy, the orders are the plan's: purpose, layer, contracts and units."""
    overlay = an_overlay(3)
    parts = parts_of(a_moment(overlay)).parts
    plan = under(a_mandate(parts), overlay)
    assert plan.action is PlanAction.FLATTEN
    assert [(one.layer, signed_legs(one.legs), one.quantity) for one in plan.intents] == [
        (part.layer, signed_legs(part.legs), part.units) for part in parts
    ]
    assert {one.purpose for one in plan.intents} == {Purpose.FLATTEN}


@pytest.mark.control("C3")
def test_a_fill_meanwhile_shrinks_the_order() -> None:
    """Lots that are smaller than signed are sold as they are; lots that grew are sold as signed, never reversed."""
    (part, *_) = parts_of(a_moment(an_overlay(3))).parts
    assert [one.quantity for one in under(a_mandate((part,)), an_overlay(1)).intents] == [1]
    assert [one.quantity for one in under(a_mandate((part,)), an_overlay(9)).intents] == [3]
    gone = under(a_mandate((part,)))
    assert (gone.intents, gone.reason) == ((), "flatten: it is sold already")


def test_a_worse_market_than_signed_waits() -> None:
    """Nothing is asked for below the signed price."""
    (part, *_) = parts_of(a_moment(an_overlay(3))).parts
    dear = replace(part, worst_limit=part.worst_limit * 3)
    plan = under(a_mandate((dear,)), an_overlay(3))
    assert (plan.intents, plan.reason) == ((), "flatten: the market pays less than the worst price that was signed")


def test_a_part_that_works_or_is_spent_is_not_asked_for_again() -> None:
    """One order at a time in a contract, and no more orders than are allowed."""
    overlay = an_overlay(3)
    (part, *_) = parts_of(a_moment(overlay)).parts
    intent = an_intent(part.legs, quantity=3, limit="-0.5", purpose=Purpose.FLATTEN)
    dead = an_order(intent, filled=0, state=Filled())
    spent = a_mandate((part,), most_tries=1).with_orders([dead])
    assert under(spent, overlay).reason == "flatten: what was signed is under way or done"
    works = an_order(intent, state=Working())
    snapshot = TEN.snapshot(book=TEN.book(lots=(overlay,), orders=(works,)), mandate=a_mandate((part,)))
    assert planned(snapshot).intents == ()


@pytest.mark.parametrize(
    ("key", "value"), [("option_worst_frac", Decimal(1)), ("future_worst_frac", Decimal(0)), ("most_tries", 0)]
)
def test_a_plan_gives_nothing_away(key: str, value: object) -> None:
    """A worst price of nothing, or no try at all, is refused."""
    with pytest.raises(InvalidValueError, match=key):
        FlattenSettings(**{key: value})  # type: ignore[arg-type]  # one wrong value at a time
