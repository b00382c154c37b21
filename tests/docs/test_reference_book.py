"""The reference book and the stress table of docs/methodology.md are what the simulator's market and the code give."""

from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from itertools import count
from pathlib import Path
from typing import Final

import pytest

from bot.domain.orders import DecisionId, OrderIntent
from bot.hedging.planning import Planner
from bot.hedging.settings import HedgeSettings
from bot.hedging.sleeve import read_sleeve
from bot.hedging.temporal.budget import ThetaBudget, theta_budget
from bot.hedging.temporal.settings import TemporalSettings
from bot.valuation import ValuationSettings, Valued, Valuer
from risk.limits import RiskLimits
from risk.stress import GRID, Scenario, StressReport, StressSettings, book_stress
from tests.builders import CALENDAR, FEES, TODAY, Scenery, a_future, a_signal

PAGE: Final = Path(__file__).parents[2] / "docs" / "methodology.md"
TOLERANCE: Final = 0.15
Span = tuple[float, float]
RULE: Final[Mapping[str, Span]] = {
    "condor credit, USD": (6_800, 6_800),
    "cap of the hedge (M9), USD": (2_720, 2_720),
    "maximum loss, USD": (18_200, 18_200),
    "condor theta, USD a day": (132, 132),
    "base calls paid, USD": (2_360, 2_360),
    "base theta, USD a day": (-21, -21),
    "base exposure, USD per point": (170, 170),
    "spreads at an excess of 0.25": (1, 2),
    "one spread, USD per point": (13, 13),
    "one spread, USD without fees": (80, 90),
    "one VXM, USD per point": (57, 57),
}
"""What the rule was written with, lowest and highest figure; the table of the page has these words and this order."""


@cache
def scenery(condors: int) -> Scenery:
    """The reference market with so many condors in it."""
    return Scenery(condors=condors)


@cache
def stress() -> StressReport:
    """The default simulated book of 40 condors under every scenario."""
    snapshot = scenery(40).snapshot()
    report = book_stress(snapshot.book.positions, Valuer(snapshot, ValuationSettings()), StressSettings())
    assert isinstance(report, StressReport)
    return report


def overlay_order(scene: Scenery) -> OrderIntent:
    """The order that the planner asks for at the threshold of a supported blowout."""
    ids = (f"new-{number}" for number in count(1))
    planner = Planner(HedgeSettings(), FEES)
    (order,) = next(
        planner.plans(scene.snapshot(), a_signal(peak_excess=0.25), DecisionId("d-1"), lambda: next(ids))
    ).intents
    return order


@cache
def model() -> Mapping[str, float]:
    """Every figure of the reference book, by the words of the page."""
    scene = scenery(10)
    book, valuer, order = scene.book(), Valuer(scene.snapshot(), ValuationSettings()), overlay_order(scene)
    (cohort,) = book.cohorts
    budget, mini = theta_budget(book, valuer, TemporalSettings(), TODAY), valuer.value(a_future("VXM"))
    assert isinstance(budget, ThetaBudget)
    assert isinstance(mini, Valued)
    figures = (
        cohort.credit_usd,
        RiskLimits().max_hedge_cost_frac * cohort.credit_usd,
        cohort.maximum_loss_usd,
        budget.condor_theta_usd_per_day,
        sum((held.cost_usd for held in scene.opening.base), Decimal(0)),
        -budget.decay_usd_per_day,
        read_sleeve(scene.snapshot(), valuer, TemporalSettings(), CALENDAR).known_base,
        order.quantity,
        order.exposure_usd_per_point,
        order.limit * order.legs[0].instrument.multiplier,
        mini.exposure_usd_per_point,
    )
    return {name: float(figure) for name, figure in zip(RULE, figures, strict=True)}


def difference(name: str) -> float:
    """By which fraction the model lies off the nearer end of what the rule was written with."""
    low, high = RULE[name]
    found = model()[name]
    nearest = min(max(found, low), high)
    return found / nearest - 1.0


def reference_rows() -> list[list[str]]:
    """The cells of the page's table of the reference book."""
    rows = []
    for name, (low, high) in RULE.items():
        rule = _told(low) if low == high else f"{_told(low)} to {_told(high)}"
        off = difference(name)
        mark = ", outside" if abs(off) > TOLERANCE else ""
        rows.append([name, rule, _told(model()[name]), f"{100 * off:+.0f} %{mark}"])
    return rows


def stress_rows() -> list[list[str]]:
    """The cells of the page's table of the grid."""
    return [
        [
            outcome.scenario.name,
            _spx_words(outcome.scenario),
            _vix_words(outcome.scenario),
            f"x {outcome.scenario.vol_factor:g}",
            *(f"{usd:,.0f}" for usd in (outcome.condors_usd, outcome.sleeve_usd, outcome.book_usd)),
        ]
        for outcome in stress().outcomes
    ]


def _told(figure: float) -> str:
    """Whole figures as they are, others with as many digits as a trader would say."""
    return f"{figure:,.0f}" if abs(figure) >= 100 or figure == round(figure) else f"{figure:.1f}"


def _spx_words(scenario: Scenario) -> str:
    return f"{100 * scenario.spx_frac:+g} %" if scenario.spx_frac else "unmoved"


def _vix_words(scenario: Scenario) -> str:
    if scenario.vix_frac:
        return f"{100 * scenario.vix_frac:+g} %"
    return f"{scenario.vix_points:+g} points" if scenario.vix_points else "unmoved"


def printed_rows(first_head: str) -> list[list[str]]:
    """The cells below the head of the page's table whose first column has this head."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    start = next(place for place, line in enumerate(lines) if line.startswith(f"| {first_head} |")) + 2
    end = next(place for place in range(start, len(lines)) if not lines[place].startswith("|"))
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[start:end]]


def test_the_reference_book_of_the_page_is_the_models() -> None:
    """Every figure, its difference from the rule, and which of them lie outside the tolerance."""
    assert printed_rows("reference book") == reference_rows()


def test_the_stress_table_of_the_page_is_the_codes() -> None:
    """Every scenario of the grid in its order, with what condors, sleeve and book gain or lose."""
    assert printed_rows("scenario") == stress_rows()
    assert len(stress_rows()) == len(GRID)


@pytest.mark.parametrize("name", RULE)
def test_a_figure_stays_within_the_tolerance_unless_the_page_names_it(name: str) -> None:
    """Three figures are known to lie outside; another one, or one of them farther out, is news."""
    known = {"condor theta, USD a day": 0.20, "one spread, USD per point": 0.30, "one spread, USD without fees": 0.30}
    assert abs(difference(name)) <= known.get(name, TOLERANCE)


def test_the_two_columns_of_a_scenario_are_its_book() -> None:
    """Condors and sleeve add up, so that the page can be checked by hand to the rounding."""
    for _, _, _, _, condors, sleeve, book in printed_rows("scenario"):
        parts = (int(cell.replace(",", "")) for cell in (condors, sleeve, book))
        one, two, both = parts
        assert abs(one + two - both) <= 1
