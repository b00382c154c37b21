"""Plans that sell: back to base at prices that fill, beside nothing that works, and out of what nears its end."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from bot.domain.decision import Approved, Checked, Refused, Rule
from bot.domain.instrument import VIX
from bot.domain.layer import Layer
from bot.domain.orders import Purpose
from bot.domain.plan import HedgePlan, PlanAction
from bot.domain.portfolio import Book, Lot
from bot.domain.readings import Signal, SignalState
from bot.domain.schedule import NEW_YORK
from bot.domain.snapshot import Snapshot
from bot.hedging.planning import Planner
from bot.hedging.settings import HedgeSettings
from risk.gate import Gate
from risk.limits import RiskLimits
from tests.bot.hedging.planned import CALM, FORTY, TEN, an_overlay, planned
from tests.builders import (
    ACCOUNT,
    FEES,
    NOON,
    TODAY,
    Scenery,
    a_future,
    a_lot,
    a_plan,
    a_quote,
    a_sale,
    a_session,
    a_signal,
    an_intent,
    an_order,
    buys,
    new_ids,
    sells,
    spread_legs,
    vix_call,
)


def _intents(plan: HedgePlan) -> list[tuple[int, Decimal, tuple[str, ...]]]:
    return [
        (intent.quantity, intent.limit, tuple(f"{leg.side} {leg.instrument.strike}" for leg in intent.legs))
        for intent in plan.intents
    ]


def test_calm_sells_what_it_may_at_the_price_that_fills() -> None:
    """Mirrored legs, units of lots with the same legs in one order, a limit that receives."""
    lots = (an_overlay(2, lot_id="o-1"), an_overlay(3, lot_id="o-2"))
    plan = planned(TEN.snapshot(book=_half_gone(*lots), state=SignalState.CALM), CALM)
    long, short = TEN.quote(vix_call(21)), TEN.quote(vix_call(26))
    receives = Decimal(repr(long.bid)) - Decimal(repr(short.ask))
    assert plan.action is PlanAction.UNWIND
    assert _intents(plan) == [(5, -receives, ("SELL 21", "BUY 26"))]
    assert plan.intents[0].worst_cost_usd == 0
    assert plan.intents[0].purpose is Purpose.OVERLAY_UNWIND


def _half_gone(*lots: Lot) -> Book:
    """The book a session after the first half of the overlay went: all that is left may go."""
    return TEN.book(lots=lots, changes=(a_sale(NOON - timedelta(days=1)),))


def test_lots_with_other_legs_are_sold_by_orders_of_their_own() -> None:
    """Two different spreads without a common contract: two orders, and the base stays."""
    lots = (an_overlay(2), an_overlay(1, legs=(22, 27), lot_id="o-2"))
    plan = planned(TEN.snapshot(book=_half_gone(*lots)), CALM)
    assert [row[2] for row in _intents(plan)] == [("SELL 21", "BUY 26"), ("SELL 22", "BUY 27")]


def test_lots_that_share_a_contract_are_sold_one_after_the_other() -> None:
    """No contract has two orders at once: the second lot waits for the next plan."""
    lots = (an_overlay(2), an_overlay(1, legs=(21, "23.5"), lot_id="o-2"))  # type: ignore[arg-type]  # a strike as text
    plan = planned(TEN.snapshot(book=_half_gone(*lots)), CALM)
    assert [row[2] for row in _intents(plan)] == [("SELL 21", "BUY 26")]


def test_nothing_is_sold_beside_a_working_order() -> None:
    """While an order in the same contracts may fill, the overlay stays."""
    order = an_order(an_intent(spread_legs(21, 26), intent_id="w"))
    plan = planned(TEN.snapshot(book=TEN.book(lots=(an_overlay(2),), orders=(order,))), CALM)
    assert plan.action is PlanAction.HOLD
    assert plan.reason == ("calm, but the overlay stays for now: an order in the same contracts is still working")


def _with_overlay(*quotes: tuple[float, float, float]) -> Snapshot:
    shown = {vix_call(strike).key: a_quote(vix_call(strike), bid, ask) for strike, bid, ask in quotes}
    return TEN.snapshot(book=_half_gone(an_overlay(2)), quotes=shown)


@pytest.mark.parametrize(
    ("quotes", "why"),
    [
        ([(21, 0.45, 0.47), (26, 0.44, 0.46)], "nobody bids for it"),
        ([(21, 0.10, 0.90), (26, 0.47, 0.48)], f"{vix_call(21).key}: too wide"),
    ],
)
def test_an_overlay_without_a_price_stays(quotes: Sequence[tuple[float, float, float]], why: str) -> None:
    """Without a bid for the whole, or with a leg that cannot be priced, the overlay stays and the plan says why."""
    plan = planned(_with_overlay(*quotes), CALM)
    assert (plan.action, plan.reason) == (PlanAction.HOLD, f"calm, but the overlay stays for now: {why}")


def test_in_a_wide_market_a_sale_waits_at_the_edge_of_the_collar() -> None:
    """Middle 0.70, natural price 0.55: the sale asks for 0.60, fifteen percent below the middle at the most."""
    plan = planned(_with_overlay((21, 1.10, 1.30), (26, 0.45, 0.55)), CALM)
    assert plan.intents[0].limit == Decimal("-0.60")


def test_a_spread_with_a_worthless_short_leg_is_sold() -> None:
    """Nobody bids for the short leg any more: it is bought back at its ask, and the rest of the price received."""
    snapshot = _with_overlay((21, 0.30, 0.32))
    unbid = a_quote(vix_call(26), None, 0.03)
    plan = planned(replace(snapshot, quotes={**snapshot.quotes, unbid.key: unbid}), CALM)
    assert plan.intents[0].limit == Decimal("-0.27")


def test_a_sale_that_brings_less_than_its_fees_costs_the_difference() -> None:
    """Two spreads at a cent each: fees of 5.20 less proceeds of 2.00."""
    quotes = {vix_call(21).key: a_quote(vix_call(21), 0.46, 0.46), vix_call(26).key: a_quote(vix_call(26), 0.45, 0.45)}
    plan = planned(TEN.snapshot(book=_half_gone(an_overlay(2)), quotes=quotes), CALM)
    assert (plan.intents[0].limit, plan.intents[0].worst_cost_usd) == (Decimal("-0.01"), Decimal("3.20"))


def test_a_future_is_sold_for_its_fee() -> None:
    """Closing a mini brings no premium back: its worst cost is the fee."""
    mini = a_future("VXM")
    lot = a_lot((buys(mini),), units=2, cost="2.40", exposure=53.6)
    plan = planned(FORTY.snapshot(book=FORTY.book(lots=(lot,), changes=(a_sale(NOON - timedelta(days=1)),))), CALM)
    (intent,) = plan.intents
    assert intent.legs == (sells(mini),)
    assert (intent.worst_cost_usd, intent.exposure_usd_per_point) == (Decimal("2.40"), -53.6)


def test_the_gate_approves_the_way_back() -> None:
    """The unwind of the reference book passes every rule."""
    snapshot = TEN.snapshot(book=TEN.book(lots=(an_overlay(2),)), state=SignalState.CALM)
    (verdict,) = Gate(RiskLimits(accounts=frozenset({ACCOUNT})), FEES).review(planned(snapshot, CALM), snapshot)
    assert isinstance(verdict, Approved)


@pytest.mark.parametrize("signal", [a_signal(), CALM, a_signal(SignalState.UNDEFINED)])
def test_an_overlay_near_its_end_is_sold_whatever_the_signal(signal: Signal) -> None:
    """Two sessions before the last trading day the overlay goes; a session earlier it stays (M7)."""

    def plan_on(day: int) -> HedgePlan:
        at = datetime(2026, 11, day, 12, 0, tzinfo=NEW_YORK)
        scenery = Scenery(condors=10, at=at)
        early = scenery.snapshot(book=scenery.book(lots=(an_overlay(2),)), session=a_session(at.date()))
        return planned(early, signal)

    assert plan_on(13).reason == "the overlay nears its last trading day"
    assert plan_on(13).action is PlanAction.EXIT
    assert [(one.purpose, one.quantity) for one in plan_on(13).intents] == [(Purpose.OVERLAY_EXIT, 2)]
    assert plan_on(12).reason != "the overlay nears its last trading day"


def test_a_lot_without_a_last_trading_day_ends_when_it_expires() -> None:
    """A lot whose legs do not say when they stop is measured by its own expiry."""
    lot = replace(an_overlay(1), legs=(buys(VIX),), layer=Layer.OVERLAY, expires_on=TODAY + timedelta(days=2))
    plan = planned(TEN.snapshot(book=replace(TEN.book(), lots=(*TEN.base_lots(), lot))), CALM)
    assert plan.reason == "the overlay nears its last trading day, but it stays for now: IND:VIX: no quote"


# sizing down ------------------------------------------------------------------------------------------------------


def test_a_refused_order_is_asked_for_in_the_size_that_passes() -> None:
    """The smaller order has its own id and its share of the cost, rounded up; others stay as they are."""
    big = an_intent(quantity=3, cost="100.00", intent_id="a")
    other = an_intent(quantity=2, cost="50.00", intent_id="b")
    failed = Checked.failed(rule=Rule.ORDER_SIZE, note="test")
    refused = Refused(intent=big, checks=(failed,), largest_quantity=2)
    plan = Planner(HedgeSettings(), FEES).resized(a_plan(big, other), [refused], new_ids().__next__)
    smaller, kept = plan.intents
    assert (smaller.intent_id, smaller.quantity, smaller.worst_cost_usd) == ("new-1", 2, Decimal("66.67"))
    assert kept == other
    assert plan.reason == "test; in the largest size that every limit allows"
