"""The spring of 2020 on its real levels: VIX above 40 adds nothing, however wide the spread (M17)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Final

import pytest

from adapters.history.csv_files import load_symbol
from bot.compose.books import plan_for_window
from bot.domain.instrument import RVX, VIX
from bot.domain.orders import DecisionId
from bot.domain.plan import PlanAction
from bot.domain.readings import SignalState
from bot.hedging.planning import Planner
from bot.hedging.settings import HedgeSettings
from bot.signals.daily import DailyDispersion, DailyRule, evaluate_daily
from bot.signals.settings import DispersionSettings
from simulator.books import BookPlan, open_book
from simulator.universe import Universe
from simulator.world.levels import SYMBOLS, DailyLevel, Levels
from simulator.world.market import Market, WorldModel
from tests.builders import CALENDAR, FEES, TODAY, Scenery, a_signal, new_ids
from tests.scenarios.staging import Journal, Scene, staged

HISTORY = Path(__file__).parents[2] / ".." / "shared" / "data" / "history"
pytestmark = pytest.mark.skipif(not HISTORY.is_dir(), reason="the shared real history is not on this machine")

FIRST, LAST = date(2020, 2, 3), date(2020, 4, 30)
BLOWN_OUT = date(2020, 3, 18)
"""The first close of the spring at which the live rule sees a blowout; before it the spread fell with the market."""
BELOW_THE_CEILING = date(2020, 4, 14)
"""The first close of VIX that is not above 40; the close before it still was."""
TWO_BELOW: Final = date(2020, 4, 27)
"""The first close that follows another one not above 40, with none of both above it."""


@cache
def closes() -> tuple[DailyDispersion, ...]:
    """The daily signal of the whole history, by the live rule."""
    rvx, vix = (load_symbol(HISTORY, symbol) for symbol in ("RVX", "VIX"))
    return evaluate_daily(rvx, vix, DispersionSettings(), DailyRule.LIVE)


@cache
def spring() -> tuple[tuple[DailyDispersion, DailyDispersion], ...]:
    """Each session of the spring with the one before it."""
    rows = closes()
    return tuple((before, row) for before, row in pairwise(rows) if FIRST <= row.day <= LAST)


@dataclass(frozen=True, kw_only=True)
class NarrowScenery(Scenery):
    """The reference book with short strikes nearer to the money: at a VIX of 80 those of 16 delta are not listed."""

    def __post_init__(self) -> None:
        """Price the book anew."""
        levels = Levels(spx=self.spx, rut=2500.0, vix=self.vix, rvx=self.vix + self.spread)
        market = Market(at=self.at, levels=levels, model=WorldModel())
        universe = Universe(calendar=CALENDAR, first=TODAY, last=TODAY, spx_bounds=(self.spx, self.spx))
        object.__setattr__(self, "market", market)
        object.__setattr__(self, "universe", universe)
        object.__setattr__(self, "opening", open_book(BookPlan(condors=10, short_delta=0.35), market, universe))


@cache
def planned() -> Mapping[date, tuple[PlanAction, str]]:
    """What the planner would do at each close of the spring with the reference book, its base alone in the sleeve."""
    planner = Planner(HedgeSettings(), FEES)
    plans = {}
    for before, row in spring():
        excess = row.spread / row.baseline - 1.0 if row.baseline else 0.0
        snapshot = NarrowScenery(vix=row.vix, spread=row.spread).snapshot(
            state=row.state, previous_closes={VIX.key: before.vix, RVX.key: before.rvx}
        )
        signal = a_signal(row.state, peak_excess=excess, spread=row.spread)
        plan = next(planner.plans(snapshot, signal, DecisionId("d-1"), new_ids().__next__))
        plans[row.day] = plan.action, plan.reason
    return plans


def test_the_live_rule_is_calm_until_the_middle_of_march() -> None:
    """VIX rises faster than RVX in the crash itself: no blowout on closes before 2020-03-18, and none ends in April."""
    states = {row.day: row.state for _, row in spring()}
    assert {state for day, state in states.items() if day < BLOWN_OUT} == {SignalState.CALM}
    assert {state for day, state in states.items() if day >= BLOWN_OUT} == {SignalState.BLOWOUT}


def test_nothing_is_added_before_vix_has_closed_below_the_ceiling() -> None:
    """Every close before 2020-04-14 holds: first because it is calm, then because VIX stands above 40."""
    early = {day: plan for day, plan in planned().items() if day < BELOW_THE_CEILING}
    assert {action for action, _ in early.values()} == {PlanAction.HOLD}
    wide = {reason for day, (_, reason) in early.items() if day >= BLOWN_OUT}
    assert wide == {"VIX stands above the ceiling: nothing is added"}


def test_the_first_close_below_the_ceiling_still_adds_nothing() -> None:
    """On 2020-04-14 the previous close was above 40; the first close with two in a row is 2020-04-27, and it adds."""
    assert planned()[BELOW_THE_CEILING] == (PlanAction.HOLD, "VIX closed above the ceiling: nothing is added")
    adding = [day for day, (action, _) in planned().items() if action is PlanAction.INCREASE]
    assert min(adding) == TWO_BELOW


# whole runs over bridged days --------------------------------------------------------------------------------------


def real_days(first: date, last: date, until_minute: float) -> Journal:
    """The bot from the open of the first day up to a minute of the last, over ticks bridged between real levels."""
    history = {
        symbol: tuple(
            DailyLevel(day=row.day, close=row.close, open=row.open, high=row.high, low=row.low)
            for row in load_symbol(HISTORY, symbol)
            if row.day <= last
        )
        for symbol in SYMBOLS
    }
    count = len(list(CALENDAR.sessions(first, last)))
    book = plan_for_window(first, last, CALENDAR)
    return staged(Scene(history=history, first=0, sessions=count, until_minute=until_minute, book=book))


@pytest.mark.parametrize(
    ("day", "reason"),
    [
        (BLOWN_OUT, "VIX stands above the ceiling: nothing is added"),
        (BELOW_THE_CEILING, "VIX closed above the ceiling: nothing is added"),
    ],
)
def test_the_whole_bot_adds_nothing_on_a_real_day_above_the_ceiling(day: date, reason: str) -> None:
    """The blowout of that day is seen from ticks, and every plan in it holds because of VIX."""
    journal = real_days(day, day, until_minute=180)
    wide = {row.facts["reason"] for row in journal.plans() if row.facts["signal"]["state"] == "blowout"}
    assert reason in wide
    assert journal.of("order_prepared", "order_refused", "proposal_made") == []


@pytest.mark.slow
def test_the_whole_bot_adds_nothing_from_march_to_the_middle_of_april() -> None:
    """Three weeks in one run, from 2020-03-24 to the close of 2020-04-13: no order leaves."""
    journal = real_days(date(2020, 3, 24), date(2020, 4, 13), until_minute=400)
    assert "blowout" in {row.facts["signal"]["state"] for row in journal.plans()}
    assert journal.plans("increase") == []
    assert journal.of("order_prepared", "order_refused", "proposal_made") == []
