"""The cost cap while the overlay grows, and after the credit has fallen: what the bot adds stays within 0.40 (M9)."""

from decimal import Decimal
from functools import cache

from tests.scenarios.staging import Act, Journal, Scene, staged

UNPACED = {
    "ALVH_STEWARD__INCREASES_PER_SESSION": "9",
    "ALVH_STEWARD__INCREASES_PER_WEEK": "9",
    "ALVH_STEWARD__LEAST_MINUTES_BETWEEN": "0.0",
}
"""One session builds in several steps, so that the cap is met on the way."""
CAP_RULES = {"hedge_cost_cap_cohort", "hedge_cost_cap_book"}
HIGHEST_FRAC = Decimal("0.40")


@cache
def growing() -> Journal:
    """A blowout under a cap of 35.9 % with nothing spread over time: the base alone takes a third of the credit."""
    settings = {**UNPACED, "ALVH_RISK__AMORTISE": "none", "ALVH_RISK__MAX_HEDGE_COST_FRAC": "0.359"}
    return staged(Scene(from_minute=80, until_minute=250, settings=settings))


@cache
def falling() -> Journal:
    """Three fifths of the condors are bought back at a terminal after the first purchase; a narrowing follows."""
    acts = (Act(minute=150, doing=lambda hands: hands.buy_condors_back(24)),)
    return staged(Scene(scenario="two_blowouts", first=0, from_minute=80, until_minute=80, settings=UNPACED, acts=acts))


def test_a_cap_met_on_the_way_makes_the_order_smaller_and_then_stops_it() -> None:
    """First the whole order, then the largest part of one that fits, then none."""
    journal = growing()
    whole, smaller = journal.units("order_prepared")
    assert whole > smaller >= 1
    reasons = [row.facts["reason"] for row in journal.plans("increase")]
    assert reasons[0] == "the dispersion is blown out: the overlay grows to its target"
    assert reasons[1].endswith("in the largest size that every limit allows")
    refused = journal.facts("order_refused")
    assert refused
    assert all(facts["largest_quantity"] == 0 for facts in refused)


def test_what_the_cap_stops_is_told_with_its_figures() -> None:
    """The refusals come from the two rules of the cap alone, each with a cost above its limit."""
    for facts in growing().facts("order_refused"):
        failed = [check for check in facts["checks"] if not check["passed"]]
        assert {check["rule"] for check in failed} == CAP_RULES
        assert all(Decimal(check["found"]) > Decimal(check["limit"]) for check in failed)


def test_no_order_leaves_with_cost_above_the_cap() -> None:
    """Of every prepared order the journal holds the cost after it, by cohort and book, within 0.40 of the credit."""
    prepared = [facts for journal in (growing(), falling()) for facts in journal.facts("order_prepared")]
    builds = [facts for facts in prepared if facts["intent"]["purpose"] == "overlay_build"]
    assert len(builds) >= 3
    for facts in builds:
        figures = [check for check in facts["checks"] if check["rule"] in CAP_RULES]
        assert {check["rule"] for check in figures} == CAP_RULES
        for check in figures:
            credit = Decimal(check["note"].rpartition(" of credit ")[2])
            assert Decimal(check["found"]) <= Decimal(check["limit"]) <= HIGHEST_FRAC * credit


def test_a_credit_that_falls_is_told_as_a_breach() -> None:
    """With the condors gone their credit is gone: the cost stands above the cap, and it is told once."""
    (told,) = falling().facts("cap_breached")
    assert Decimal(told["cost_usd"]) > Decimal(told["cap_usd"])
    assert falling().of("cap_respected") == []


def test_a_breach_stops_every_increase() -> None:
    """The overlay still wants to grow; every order for it is refused by the cap, none is made smaller."""
    journal = falling()
    breached_at = journal.of("cap_breached")[0].at
    refused = [row.facts for row in journal.of("order_refused") if row.at > breached_at]
    builds = [facts for facts in refused if facts["intent"]["purpose"] == "overlay_build"]
    assert builds
    for facts in builds:
        assert {check["rule"] for check in facts["checks"] if not check["passed"]} >= CAP_RULES
        assert facts["largest_quantity"] == 0
    prepared = [row.facts["intent"]["purpose"] for row in journal.of("order_prepared") if row.at > breached_at]
    assert "overlay_build" not in prepared


def test_a_breach_neither_sells_protection_nor_forbids_to_sell_it() -> None:
    """A wide spread sells nothing; a narrow one sells half of the overlay, although the cap is broken."""
    journal = falling()
    breached_at = journal.of("cap_breached")[0].at
    sales = [row for row in journal.of("order_prepared") if row.facts["intent"]["purpose"] == "overlay_unwind"]
    calm_at = next(row.at for row in journal.plans() if row.at > breached_at and row.facts["signal"]["state"] == "calm")
    assert [row.at >= calm_at for row in sales] == [True]
    (bought,) = journal.units("order_prepared", "overlay_build")
    assert journal.units("order_prepared", "overlay_unwind") == [-(-bought // 2)]
    assert len(journal.of("order_completed")) == 2
