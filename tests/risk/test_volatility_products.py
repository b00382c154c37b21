"""Shares of VXX, UVXY and SVXY in the book: value, delta, stress, cost, and what an unmeasured one forbids (M4)."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

import pytest

from bot.deltas import book_delta
from bot.domain.decision import Refused, Rule
from bot.domain.instrument import VIX, VXX, Instrument, share
from bot.domain.products import ProductBeta, ProductReading, UnmeasuredProduct, found_products
from bot.domain.snapshot import Snapshot
from bot.valuation import Unvalued, ValuationSettings, Valued, Valuer
from risk.checks.hedge_cost import cost_report
from risk.products import products_charge_usd
from risk.stress import GRID, StressSettings, book_stress, stress_of
from tests.builders import TODAY, a_quote
from tests.risk.scenes import a_build, an_unwind, calm_noon, checked_by, holding, rules_against, scene_of, verdict_on
from tests.risk.share_scenes import BETAS, COST, SVXY, with_shares

SETTINGS = StressSettings()


def valuer_of(snapshot: Snapshot) -> Valuer:
    """What the checks read."""
    return Valuer(snapshot, ValuationSettings())


# value ----------------------------------------------------------------------------------------------------------


def test_a_share_is_worth_its_middle_and_moves_by_its_measured_answers() -> None:
    """Of 30 USD, 4 % per point of VIX and -5 % per percent of SPX; time takes nothing of it."""
    valued = valuer_of(with_shares({VXX: 1})).value(VXX)
    assert isinstance(valued, Valued)
    assert (valued.price, valued.value_usd, valued.theta_usd_per_day) == (30.0, 30.0, 0.0)
    assert valued.exposure_usd_per_point == pytest.approx(1.20)
    assert valued.usd_per_spx_percent == pytest.approx(-1.50)


@pytest.mark.parametrize(
    ("betas", "why"),
    [
        ({}, "STK:VXX: its answer to VIX has not been measured"),
        ({"VXX": UnmeasuredProduct(symbol="VXX", why="too young")}, "STK:VXX: too young"),
    ],
)
def test_an_unmeasured_product_has_no_value(betas: Mapping[str, ProductReading], why: str) -> None:
    """Its price is known, its answer is not: no figure is guessed."""
    assert valuer_of(with_shares({VXX: 1}, betas=betas)).value(VXX) == Unvalued(reason=why)


def test_a_wide_market_in_a_share_is_no_price() -> None:
    """A share is judged as tightly as a future: three percent between the sides is too wide."""
    snapshot = with_shares({VXX: 1})
    snapshot = replace(snapshot, quotes={**snapshot.quotes, VXX.key: a_quote(VXX, 29.5, 30.5)})
    assert valuer_of(snapshot).value(VXX) == Unvalued(reason="STK:VXX: too wide")


# delta and stress -----------------------------------------------------------------------------------------------


def test_shares_are_part_of_the_book_that_is_kept_neutral() -> None:
    """A hundred VXX add -150 USD per percent of SPX, a hundred SVXY half as much the other way."""
    plain, long, short = (
        book_delta(snapshot.book.positions, valuer_of(snapshot))
        for snapshot in (calm_noon(), with_shares({VXX: 100}), with_shares({SVXY: 100}))
    )
    assert isinstance(plain, float)
    assert isinstance(long, float)
    assert isinstance(short, float)
    assert long - plain == pytest.approx(-150.0)
    assert short - plain == pytest.approx(75.0)


def test_shares_follow_vix_through_the_grid() -> None:
    """In each scenario a share moves by its answer times the move of VIX, and counts to the sleeve."""
    valuer = valuer_of(with_shares({VXX: 10}))
    report = stress_of([(VXX, 10)], valuer, SETTINGS)
    assert not isinstance(report, Unvalued)
    vix = valuer.snapshot.levels[VIX.key]
    for outcome in report.outcomes:
        move = outcome.scenario.vix_after(vix, SETTINGS.vix_floor_points) - vix
        assert outcome.sleeve_usd == pytest.approx(10 * max(-29.99, 1.20 * move))
        assert outcome.condors_usd == 0.0


def test_a_share_never_falls_below_a_cent() -> None:
    """A fund that loses 4 % a point cannot lose 160 % when VIX rises by 40 points."""
    steep = {"SVXY": ProductBeta(symbol="SVXY", per_vix_point=-0.04, per_spx_percent=0.05, moves=252, fit=0.8)}
    report = stress_of([(SVXY, 1)], valuer_of(with_shares({SVXY: 1}, betas=steep)), SETTINGS)
    assert not isinstance(report, Unvalued)
    assert GRID[0].vix_points == 40.0
    assert report.outcomes[0].sleeve_usd == pytest.approx(-29.99)


def test_shares_held_change_what_the_sleeve_may_lose() -> None:
    """Long shares lose in mean reversion with the calls and use up the limit; the rule counts both."""
    plain = checked_by(Rule.MEAN_REVERSION_LOSS, a_build())
    more = checked_by(Rule.MEAN_REVERSION_LOSS, a_build(), with_shares({VXX: 1000}))
    assert float(str(more.found)) - float(str(plain.found)) == pytest.approx(1000 * 1.20 * 4.5, abs=0.02)


def test_an_unmeasured_product_refuses_what_opens_and_not_what_closes() -> None:
    """Its effect on delta, losses and cost is unknown: no purchase passes, a sale of the hedge does."""
    verdict = verdict_on(a_build(), with_shares({VXX: 1}, betas={}))
    assert isinstance(verdict, Refused)
    assert rules_against(verdict) == {
        Rule.NEUTRALITY,
        Rule.MEAN_REVERSION_LOSS,
        Rule.WORST_LOSS,
        Rule.VEGA,
        Rule.VIX_DELTA,
        Rule.HEDGE_COST_CAP_COHORT,
        Rule.HEDGE_COST_CAP_BOOK,
        Rule.BREAK_EVENS,
    }
    assert rules_against(verdict_on(an_unwind(2), with_shares({VXX: 1}, betas={}, snapshot=holding(2)))) == set()


def test_other_shares_stay_outside() -> None:
    """SPY beside the book changes neither its delta nor its losses, and needs no model."""
    snapshot = with_shares({share("SPY", "ARCA"): 100})
    plain = calm_noon()
    assert book_delta(snapshot.book.positions, valuer_of(snapshot)) == book_delta(
        plain.book.positions, valuer_of(plain)
    )
    assert book_stress(snapshot.book.positions, valuer_of(snapshot), SETTINGS) == book_stress(
        plain.book.positions, valuer_of(plain), SETTINGS
    )


# cost -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shares", "cost", "charge"),
    [
        ({VXX: 100}, "33", "540.00"),  # a quarter of 18 points times 120 USD: more than the loss of 300
        ({VXX: 100}, "40", "1000.00"),  # the loss is more than that
        ({VXX: 100}, "20", "540.00"),  # a gain pays for nothing
        ({SVXY: 100}, "60", "0"),  # what loses with VIX is no hedge
        ({SVXY: -100}, "33", "270.00"),  # sold short, it is one: it gains at 30, VIX may still fall
        ({SVXY: -100}, "20", "1000.00"),  # and it has lost ten a share
        ({VXX: 100, SVXY: -100}, "33", "810.00"),
        ({}, "33", "0"),
    ],
)
def test_a_product_is_charged_as_a_future_without_an_end(
    shares: Mapping[Instrument, int], cost: str, charge: str
) -> None:
    """The larger of what mean reversion would take and what has been lost so far, each product by itself."""
    snapshot = with_shares(shares, cost=Decimal(cost))
    assert products_charge_usd(found_products(snapshot.book), valuer_of(snapshot)) == Decimal(charge)


@pytest.mark.parametrize(
    ("per_vix_point", "cost", "charge"),
    [
        (0.02, "30", "2.70"),  # a share that moves by 60 cents per point of VIX is a hedge as well
        (0.02, "33", "3.00"),
        (0.0, "33", "0"),  # one that does not answer to VIX is none, whatever it has lost
        (-0.0001, "33", "0"),
    ],
)
def test_the_smallest_answer_to_vix_makes_a_hedge(per_vix_point: float, cost: str, charge: str) -> None:
    """A single share is charged by the side on which it stands, not by how much it moves."""
    beta = ProductBeta(symbol="VXX", per_vix_point=per_vix_point, per_spx_percent=-0.05, moves=252, fit=0.8)
    snapshot = with_shares({VXX: 1}, betas={"VXX": beta}, cost=Decimal(cost))
    assert products_charge_usd(found_products(snapshot.book), valuer_of(snapshot)) == Decimal(charge)


def test_the_charge_counts_against_the_cap_whatever_is_spread() -> None:
    """The open condors bear all of it, in the bound figure and in the whole one; the cap stays as it was."""
    plain, held = (cost_report(scene_of(snapshot)) for snapshot in (calm_noon(), with_shares({VXX: 100})))
    assert held.book.charge_usd - plain.book.charge_usd == Decimal("540.00")
    assert held.book.whole_usd - plain.book.whole_usd == Decimal("540.00")
    assert held.book.cap_usd == plain.book.cap_usd


def test_without_condors_the_charge_stands_against_no_credit() -> None:
    """No cohort bears it: the book is charged today, and any cost is above a cap of nothing."""
    snapshot = with_shares({VXX: 100})
    report = cost_report(scene_of(replace(snapshot, book=replace(snapshot.book, cohorts=(), lots=()))))
    assert (report.book.charge_usd, report.is_breached) == (Decimal("540.00"), True)


def test_the_charge_lies_in_the_life_of_the_oldest_condors() -> None:
    """A cohort that settled bears none of it, one that opens later none before its day."""
    snapshot = with_shares({VXX: 100})
    (open_now,) = snapshot.book.cohorts
    older = replace(open_now, settlement=TODAY.replace(day=TODAY.day - 1), opened_on=TODAY.replace(month=1))
    report = cost_report(scene_of(replace(snapshot, book=replace(snapshot.book, cohorts=(older, open_now), lots=()))))
    assert [one.charge_usd for one in report.cohorts] == [Decimal("540.00")]


@pytest.mark.parametrize("missing", ["cost", "level", "answer"])
def test_a_cost_that_nobody_knows_refuses(missing: str) -> None:
    """Without the broker's average cost, a level of VIX or a measured answer the cap cannot be judged."""
    snapshot = with_shares(
        {VXX: 1}, cost=None if missing == "cost" else COST, betas={} if missing == "answer" else BETAS
    )
    if missing == "level":
        snapshot = replace(snapshot, levels={key: level for key, level in snapshot.levels.items() if key != VIX.key})
    verdict = verdict_on(a_build(), snapshot)
    assert {Rule.HEDGE_COST_CAP_COHORT, Rule.HEDGE_COST_CAP_BOOK} <= rules_against(verdict)
    words = {"cost": "no average cost", "level": "IND:VIX: no level", "answer": "has not been measured"}[missing]
    with pytest.raises(ValueError, match=f"the cost of a volatility product is unknown: .*{words}"):
        cost_report(scene_of(snapshot))
    assert isinstance(products_charge_usd(found_products(snapshot.book), valuer_of(snapshot)), Unvalued)
