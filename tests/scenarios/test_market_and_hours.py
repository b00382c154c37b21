"""Spreads that are negative or unknown, and sessions that end early: nothing is added, nothing is hurried."""

from datetime import date, time
from functools import cache

from tests.scenarios.staging import Day, Journal, Scene, history_of, staged

HALF_DAY = date(2026, 11, 27)
"""The Friday after Thanksgiving: index options trade until 13:15."""


@cache
def turned_negative() -> Journal:
    """A blowout that has outgrown the overlay, and the morning after it, on which RVX opens below VIX."""
    story = (Day(), Day(spread=(8.0, 11.0)), Day(spread=(-2.0, -2.0)))
    return staged(Scene(history=history_of(date(2026, 10, 19), *story), sessions=3, first=1, until_minute=30))


@cache
def without_rvx() -> Journal:
    """The second session of the blowout with RVX not published, until the spread is wide."""
    return staged(Scene(scenario="vix_without_rvx", from_minute=80, until_minute=180))


@cache
def early_close() -> Journal:
    """The half day of the scenario `early_close`."""
    return staged(Scene(scenario="early_close", first=1, from_minute=120))


@cache
def narrowing_on_a_half_day() -> Journal:
    """A half day that begins wide and ends calm, and the next morning."""
    story = history_of(HALF_DAY, Day(spread=(9.0, 5.5)), Day())
    return staged(Scene(history=story, sessions=2, first=0, from_minute=60, until_minute=20))


def test_a_negative_spread_adds_nothing_while_the_episode_lasts() -> None:
    """Before ten minutes of a narrow spread have ended the episode, the overlay is below its target and stays there."""
    journal = turned_negative()
    held = [
        row for row in journal.plans() if row.facts["reason"] == "the spread is negative or unknown: nothing is added"
    ]
    assert {row.facts["signal"]["state"] for row in held} == {"blowout"}
    assert all(row.facts["signal"]["spread"] < 0 for row in held)
    morning = [row for row in journal.of("order_prepared") if row.at >= held[0].at]
    assert {row.facts["intent"]["purpose"] for row in morning} == {"overlay_unwind"}


def test_a_negative_spread_does_not_keep_the_overlay_from_leaving() -> None:
    """Once the state is calm, half of the overlay goes: selling it is no bet on the spread."""
    (bought,) = turned_negative().units("order_prepared", "overlay_build")
    assert turned_negative().units("order_prepared", "overlay_unwind") == [-(-bought // 2)]


def test_nothing_is_added_on_a_spread_that_nobody_has_told() -> None:
    """Where RVX is neither published nor computed the signal is undefined, says why, and every plan holds."""
    undefined = [row.facts for row in without_rvx().plans() if row.facts["signal"]["state"] == "undefined"]
    assert undefined
    assert {facts["action"] for facts in undefined} == {"hold"}
    assert {facts["reason"] for facts in undefined} == {"the signal is undefined: no increase, no unwind"}
    assert all(facts["signal"]["why"] for facts in undefined)


def test_what_is_added_without_rvx_stands_on_an_index_of_our_own_and_says_so() -> None:
    """The index of the options takes over (M18): it is on record before the purchase, whose signal names it."""
    journal = without_rvx()
    bought = journal.plans("increase")
    assert bought
    assert all(row.facts["signal"]["own"] == ["RVX"] for row in bought)
    read = [row for row in journal.of("own_index_read") if row.at <= bought[0].at]
    assert {row.facts["index"] for row in read} == {"IND:RVX"}


def test_an_early_close_ends_the_session_of_the_bot() -> None:
    """The session closes at 13:15, nothing is planned after it, and an ordinary half day sees no order."""
    journal = early_close()
    (closed,) = journal.of("session_closed")
    assert f"{closed.at:%Y-%m-%d %H:%M}" == "2026-11-27 13:15"
    assert all(row.at <= closed.at for row in journal.plans())
    assert journal.of("order_prepared", "order_refused") == []


def test_on_a_half_day_the_way_back_waits_for_a_session_with_time_left() -> None:
    """Calm comes before one o'clock, with less than an hour left: the overlay stays, and half goes the next morning."""
    journal = narrowing_on_a_half_day()
    waits = next(row for row in journal.plans() if "in a session with time left" in row.facts["reason"])
    assert (waits.at.date(), waits.facts["signal"]["state"]) == (HALF_DAY, "calm")
    assert time(12, 15) < waits.at.time() < time(13, 15)
    (sale,) = [row for row in journal.of("order_prepared") if row.facts["intent"]["purpose"] == "overlay_unwind"]
    assert f"{sale.at:%Y-%m-%d %H:%M}" == "2026-11-30 09:40"
    (bought,) = journal.units("order_prepared", "overlay_build")
    assert sale.facts["intent"]["quantity"] == -(-bought // 2)
