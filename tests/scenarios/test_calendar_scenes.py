"""Scheduled releases and the ends of contracts: where an increase goes, and when the overlay leaves (M6, M7)."""

from datetime import date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path

import pytest

from bot.domain.instrument import Right
from bot.domain.schedule import NEW_YORK
from simulator.opening import OpenedFloor
from tests.scenarios.staging import Bought, Journal, Scene, holding_spreads, staged, wide_morning

BASE_CHOICE, NEXT_EXPIRY = "2026-11-18", "2026-11-25"
"""The monthly settlement, and that of the weekly options after it."""
FOMC_ON_THE_SETTLEMENT = """
[FOMC]
covered_from = 2026-10-01
covered_to = 2027-03-31
releases = [{ day = 2026-11-18, time = 14:00:00, confidence = "memory", source = "a test" }]
[CPI]
covered_from = 2026-10-01
covered_to = 2027-03-31
releases = []
"""
ENDING = date(2026, 10, 21)
"""A Wednesday: the contracts trade for the last time on Tuesday, and the session two before that is Friday's."""


@pytest.fixture(scope="module")
def unknown(tmp_path_factory: pytest.TempPathFactory) -> Journal:
    """A blowout with a table of releases in which nothing stands."""
    return _with_table(tmp_path_factory.mktemp("unknown") / "events.toml", "")


@pytest.fixture(scope="module")
def fomc(tmp_path_factory: pytest.TempPathFactory) -> Journal:
    """A blowout whose base choice settles on the morning of an FOMC decision."""
    return _with_table(tmp_path_factory.mktemp("fomc") / "events.toml", FOMC_ON_THE_SETTLEMENT)


def _with_table(path: Path, text: str, **settings: str) -> Journal:
    path.write_text(text, encoding="utf-8")
    scene = Scene(history=wide_morning(), until_minute=40, settings={"ALVH_EVENTS__TABLE": str(path), **settings})
    return staged(scene)


def settlements(journal: Journal) -> set[str]:
    """Where the prepared orders go."""
    orders = [facts["intent"] for facts in journal.facts("order_prepared")]
    return {leg["instrument"]["settlement"] for order in orders for leg in order["legs"]}


def test_an_unknown_calendar_shifts_nothing_and_says_so(unknown: Journal) -> None:
    """The increase goes to the base choice, and its record names the kinds of which no schedule is known."""
    shift = unknown.plans("increase")[0].facts["shift"]
    assert (shift["direction"], shift["base"], shift["settlement"]) == ("none", BASE_CHOICE, BASE_CHOICE)
    assert shift["uncovered"] == ["FOMC", "CPI"]
    assert shift["because"].endswith("coverage unknown: FOMC, CPI")
    assert settlements(unknown) == {BASE_CHOICE}


def test_an_unknown_calendar_is_told_once_a_session(unknown: Journal) -> None:
    """At the open the operator hears that the table of releases has run out."""
    (told,) = unknown.facts("releases_run_out")
    assert "FOMC is not covered at all" in told["why"]


def test_a_decision_on_the_settlement_day_moves_the_purchase_one_expiry_on(fomc: Journal) -> None:
    """Contracts settle at 09:30, the decision comes at 14:00: the next expiry, a liquid weekly, outlives it."""
    shift = fomc.plans("increase")[0].facts["shift"]
    assert (shift["direction"], shift["base"], shift["settlement"]) == ("forward", BASE_CHOICE, NEXT_EXPIRY)
    assert shift["release"]["at"].startswith(BASE_CHOICE)
    assert settlements(fomc) == {NEXT_EXPIRY}
    assert len(fomc.of("order_completed")) == 1
    (order,) = [facts["intent"] for facts in fomc.facts("order_prepared")]
    assert {leg["instrument"]["trading_class"] for leg in order["legs"]} == {"VIXW"}


def test_a_weekly_that_was_bought_stays_valued(fomc: Journal) -> None:
    """No monthly future settles with it: pairs of its own options tell the forward."""
    bought_at = fomc.of("order_completed")[0].at
    (sample,) = [row.facts for row in fomc.of("sample_taken") if row.at > bought_at]
    assert sample["delta_usd_per_spx_percent"] is not None
    assert fomc.plans()[-1].facts["reason"] == "the overlay stands at its target, within the no-trade band"


def test_a_market_without_weeklies_moves_to_the_next_month(tmp_path: Path) -> None:
    """Where weeklies are switched off, the December monthly is the first expiry that outlives the decision."""
    journal = _with_table(tmp_path / "events.toml", FOMC_ON_THE_SETTLEMENT, ALVH_HEDGE__SHIFTING__MOST_WEEKLIES="0")
    assert settlements(journal) == {"2026-12-16"}


def test_a_known_calendar_is_not_called_unknown(fomc: Journal) -> None:
    """FOMC and CPI are covered in this table: the record claims no gap."""
    assert fomc.plans("increase")[0].facts["shift"]["uncovered"] == []


@cache
def expiry_week() -> Journal:
    """Monday of the week in which the overlay's contracts settle, and Tuesday morning, their last trading day."""
    return staged(
        Scene(
            scenario="vix_expiry_week",
            first=0,
            sessions=2,
            until_minute=60,
            book=holding_spreads(6, 17, 22, ENDING),
            bought=_bought_a_month_ago,
        )
    )


def _bought_a_month_ago(opened: OpenedFloor) -> Bought:
    long, short = (opened.universe.option("VIX", ENDING, Decimal(strike), Right.CALL) for strike in (17, 22))
    at = datetime(2026, 9, 22, 15, tzinfo=NEW_YORK)
    return Bought(units=6, long=long, short=short, price=Decimal("0.90"), at=at)


def test_overlay_leaves_before_its_last_trading_day() -> None:
    """All of it is sold on Monday, as soon as the gate lets orders out after the open."""
    (prepared,) = expiry_week().of("order_prepared")
    intent = prepared.facts["intent"]
    assert (intent["purpose"], intent["quantity"]) == ("overlay_exit", 6)
    assert f"{prepared.at:%a %H:%M}" == "Mon 09:40"
    assert [facts["filled"] for facts in expiry_week().facts("order_completed")] == [6]


def test_nothing_is_traded_once_the_overlay_has_left() -> None:
    """After the exit every plan of the week holds, and Tuesday, the last trading day, sees no order."""
    left_at = expiry_week().of("order_completed")[0].at
    later = [row for row in expiry_week().rows if row.at > left_at]
    assert {row.facts["action"] for row in later if row.kind == "hedge_planned"} == {"hold"}
    assert [row for row in later if row.kind in {"order_prepared", "order_refused"}] == []
    assert any(row.kind == "session_opened" for row in later)
