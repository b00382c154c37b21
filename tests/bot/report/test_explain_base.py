"""Decisions about the base sleeve in words: bought, proposed, refused, sold, and what holds beside the overlay (M4)."""

from dataclasses import replace

import pytest

from bot.domain.layer import Layer
from bot.domain.orders import OrderIntent, Purpose
from bot.domain.plan import HedgePlan, PlanAction
from bot.domain.readings import SignalState
from bot.report.explain import explained
from tests.bot.report.explained_texts import text, trail
from tests.bot.report.explaining_rows import (
    FIRST,
    a_blowout,
    a_candidate,
    an_order_for,
    approved,
    asking,
    calm,
    decided,
    plan_of,
    refused,
)
from tests.builders import buys, sells, vix_call


def base_order(purpose: Purpose = Purpose.BASE_BUILD) -> OrderIntent:
    """Sixteen calls at 1.54, bought or sold."""
    is_purchase = purpose is Purpose.BASE_BUILD
    order = an_order_for(quantity=16, limit="1.54" if is_purchase else "-1.54", exposure=26.0, purpose=purpose)
    legs = (buys(vix_call(20)) if is_purchase else sells(vix_call(20)),)
    return replace(order, legs=legs, layer=Layer.SHORT)


def base_plan(order: OrderIntent | None = None) -> HedgePlan:
    """A plan that buys for the short layer, or sells of it."""
    intent = order or base_order()
    is_purchase = intent.purpose is Purpose.BASE_BUILD
    chosen = replace(a_candidate(), legs=intent.legs, name="VIX 2026-11-18 20 call")
    return plan_of(
        intent,
        action=PlanAction.MAINTAIN if is_purchase else PlanAction.EXIT,
        reason="the short layer grows to its target" if is_purchase else "the short layer is rolled",
        candidates=(chosen, replace(chosen, rejected="too far")) if is_purchase else (),
        shift=None,
        notes=("the short layer holds 0 calls that stay and 0 that are due; its target is 16, 16 to be bought",),
    )


def test_a_purchase_for_the_base_is_told_as_such() -> None:
    """What was decided, for which layer, how the call was chosen and where it goes; the overlay stays as it was."""
    order = base_order()
    words = text(decided(base_plan(), approved(order), signal=calm()))
    assert "decided to buy for the base sleeve (buy 16 x VIX 2026-11-18 20 call at 1.54 or better)" in words
    assert "This decision was about the short layer of the base sleeve" in words
    assert "its target is 16, 16 to be bought" in words
    assert "Chosen: the call whose forward delta is nearest to the layer's" in words
    assert "A layer of the base goes to the monthly settlement nearest to its days" in words
    assert "+416.0 USD per point in all." in words
    assert "the overlay would be" not in words
    assert explained(trail(decided(base_plan(), approved(order), signal=calm()))).action == "kept the base"


def test_a_first_purchase_says_that_there_was_no_base_yet() -> None:
    """Without a base the overlay wants nothing; the sentence about nothing automatic would be wrong here."""
    plan = replace(base_plan(), base_usd_per_point=0.0)
    words = text(decided(plan, approved(base_order()), signal=calm()))
    assert "There was no base sleeve with a value yet" in words
    assert "nothing is done automatically" not in words


def test_a_blowout_says_that_its_conviction_changes_nothing_for_the_base() -> None:
    """A roll during an episode is no matter of confirmations."""
    words = text(decided(base_plan(), approved(base_order()), signal=a_blowout()))
    assert "It changed nothing here: the base is kept whatever it says." in words


def test_a_sale_of_the_base_is_no_sale_of_the_overlay() -> None:
    """The deed names the base sleeve."""
    order = base_order(Purpose.BASE_EXIT)
    words = text(decided(base_plan(order), approved(order), signal=calm()))
    assert "decided to leave contracts of the base sleeve (sell 16 x VIX 2026-11-18 20 call at 1.54 or better)" in words
    assert "contracts of the overlay" not in words


def test_a_question_about_the_base_names_its_trade() -> None:
    """A person is asked whether to buy, with the purpose in words."""
    words = text(decided(asking(base_plan()), signal=calm()))
    assert "asked a person whether to buy 16 x VIX 2026-11-18 20 call" in words
    assert "Asked: buy up to 16 x VIX 2026-11-18 20 call (base build)." in words


def test_a_refused_purchase_names_the_rule() -> None:
    """The gate's refusal stands in the first sentence."""
    words = text(decided(base_plan(), refused(base_order()), signal=calm()))
    assert "wanted to buy for the base sleeve" in words
    assert "which the gate refused" in words


@pytest.mark.parametrize("reason", ["the long layer grows to its target, but not now: no session is open"])
def test_what_holds_beside_the_overlay_is_told(reason: str) -> None:
    """Each further wish has its sentence; without one there is none."""
    holding = plan_of(action=PlanAction.HOLD, reason="calm: the sleeve stands at its base", besides=(reason,))
    signal = replace(calm(), state=SignalState.CALM)
    assert f"Beside it: {reason}." in text(decided(holding, signal=signal), FIRST)
    assert "Beside it" not in text(decided(replace(holding, besides=()), signal=signal), FIRST)
