"""A flatten in words: what a person has signed, sold from every layer, whatever the signal says."""

from dataclasses import replace

from bot.domain.layer import Layer
from bot.domain.orders import Purpose
from bot.domain.plan import PlanAction
from bot.report.explain import explained
from tests.bot.report.explained_texts import text, trail
from tests.bot.report.explaining_rows import a_blowout, an_order_for, approved, decided, plan_of
from tests.builders import sells, vix_call


def test_a_flatten_is_told_as_signed() -> None:
    """The deed, the reason, the order; no confirmation and no choice of expiry had a part in it."""
    order = an_order_for(quantity=16, limit="-1.54", exposure=-26.0, purpose=Purpose.FLATTEN)
    order = replace(order, legs=(sells(vix_call(20)),), layer=Layer.SHORT)
    plan = plan_of(
        order, action=PlanAction.FLATTEN, reason="flatten: a signed plan is carried out", candidates=(), shift=None
    )
    rows = decided(plan, approved(order), signal=a_blowout())
    words = text(rows)
    assert "decided to flatten the sleeve, as a person has signed (sell 16 x VIX 2026-11-18 20 call" in words
    assert "flatten: a signed plan is carried out" in words
    assert "It changed nothing here: what a person has signed is sold whatever it says." in words
    assert "No expiry was chosen: what is sold is what is held." in words
    assert explained(trail(rows)).action == "flattened"
