"""Shares of VXX through the whole bot: bought in a blowout, counted once, remembered, and sold when it is calm (M5)."""

from decimal import Decimal
from functools import cache

import pytest

from simulator.books import BookPlan
from tests.scenarios.staging import ROOMY_DELTA, Journal, Row, Scene, staged
from tests.scenarios.test_held_products import blown_out

SHARES = {
    "ALVH_HEDGE__ALLOW_VXX_SHARES": "true",
    "ALVH_RISK__PERMIT_VXX_SHARES": "true",
    "ALVH_HEDGE__PREFER": "best",
}
KEY = "STK:VXX"


@cache
def to_calm() -> Journal:
    """The last hour of the blowout's fourth session, a restart in it, and the morning of the fifth, which narrows."""
    scene = Scene(
        scenario="blowout",
        first=3,
        from_minute=340,
        sessions=5,
        until_minute=95,
        settings=SHARES,
        restart_minute=372,
    )
    return staged(scene)


def prepared(purpose: str) -> list[Row]:
    """The prepared orders of a purpose."""
    return [row for row in to_calm().of("order_prepared") if row.facts["intent"]["purpose"] == purpose]


def held_in(sample: Row, part: str) -> int:
    """Shares of VXX in a part of the book."""
    return int(sample.facts["holdings"][part].get(KEY, {"quantity": 0})["quantity"])


def test_what_may_be_bought_is_measured_before_it_is_held() -> None:
    """The first plan of the blowout knows how VXX answers."""
    first = to_calm().of("products_measured")[0]
    (build,) = prepared("overlay_build")
    assert first.at < build.at
    assert [one["symbol"] for one in first.facts["products"]] == ["VXX"]


def test_the_blowout_is_answered_with_shares() -> None:
    """One order in whole shares near the target; every other candidate stands beside it in the record."""
    (build,) = prepared("overlay_build")
    asking, plan = to_calm().plans("increase")
    assert asking.facts["candidates"] == plan.facts["candidates"]
    intent = build.facts["intent"]
    assert [leg["instrument"]["symbol"] for leg in intent["legs"]] == ["VXX"]
    missing = plan.facts["target_usd_per_point"] - intent["quantity"] * intent["exposure_usd_per_point"]
    assert abs(missing) <= intent["exposure_usd_per_point"] / 2
    names = [one["name"] for one in plan.facts["candidates"]]
    assert names[-1] == "VXX shares"
    assert any(name.endswith("call spread") for name in names)
    assert next(facts["fill"]["quantity"] for facts in to_calm().facts("order_filled")) == intent["quantity"]


@pytest.mark.control("C31")
def test_the_broker_is_asked_before_the_shares_leave() -> None:
    """Refused for want of its what-if alone, asked about once, approved at the next decision by the larger figure."""
    (refused,) = to_calm().of("order_refused")
    (told,) = to_calm().of("margin_previewed")
    (build,) = prepared("overlay_build")
    wish, intent = refused.facts["intent"], build.facts["intent"]
    assert [one["rule"] for one in refused.facts["checks"] if not one["passed"]] == ["margin_preview"]
    assert (wish["legs"], wish["quantity"]) == (intent["legs"], intent["quantity"])
    assert refused.at <= told.at <= build.at
    assert (told.facts["order"], told.facts["quantity"]) == (f"+1 {KEY}", intent["quantity"])
    bound = Decimal(told.facts["initial_change_usd"])
    assert bound > 0
    use = next(one for one in build.facts["checks"] if one["rule"] == "margin_use")
    assert f"the broker says {bound} USD of this order" in use["note"]


def test_shares_are_overlay_and_counted_once() -> None:
    """No part of the base nor of the products that others hold, before the restart and after it."""
    (build,) = prepared("overlay_build")
    shares = build.facts["intent"]["quantity"]
    restart = to_calm().of("bot_stopped")[0].at
    sale = prepared("overlay_unwind")[0].at
    held = [row for row in to_calm().of("sample_taken") if build.at < row.at < sale]
    assert {row.at < restart for row in held} == {True, False}
    for sample in held:
        assert (held_in(sample, "overlay"), held_in(sample, "base")) == (shares, 0)
        assert sample.facts["products_usd_per_point"] == 0.0


def test_the_way_back_begins_with_half_of_them() -> None:
    """Half of them, rounded up, go when the fifth session has turned calm; the other half is left in the overlay."""
    (build,) = prepared("overlay_build")
    (sale,) = prepared("overlay_unwind")
    shares, sold = build.facts["intent"]["quantity"], sale.facts["intent"]["quantity"]
    assert sold == -(-shares // 2)
    assert [facts["fill"]["side"] for facts in to_calm().facts("order_filled")] == ["BUY", "SELL"]
    assert [facts["fill"]["quantity"] for facts in to_calm().facts("order_filled")] == [shares, sold]
    assert held_in(to_calm().of("sample_taken")[-1], "overlay") == shares - sold
    reason = "calm: half of the overlay has gone, the rest goes in the next session"
    assert to_calm().plans()[-1].facts["reason"] == reason


def test_without_leave_the_same_market_is_answered_without_shares() -> None:
    """By default nobody measures VXX, no plan knows it, and the order is the spread that it always was."""
    journal = blown_out()
    assert journal.of("products_measured") == []
    assert not any("VXX" in one["name"] for row in journal.plans() for one in row.facts["candidates"])


def test_shares_wait_for_the_spreads_where_those_are_preferred() -> None:
    """With leave and the default preference a spread is bought; the shares stand in the record as passed."""
    leave = {name: SHARES[name] for name in SHARES if not name.endswith("PREFER")}
    book = BookPlan(short_delta=ROOMY_DELTA)
    journal = staged(Scene(from_minute=80, until_minute=155, book=book, settings=leave))
    (plan,) = journal.plans("increase")
    assert (plan.facts["candidates"][-1]["name"], plan.facts["candidates"][-1]["rejected"]) == ("VXX shares", "")
    assert journal.units("order_prepared") == blown_out().units("order_prepared")
