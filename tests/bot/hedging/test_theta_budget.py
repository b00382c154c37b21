"""How much the sleeve may decay a day: the reference book, the edges of the judgement, and what is unknown."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.errors import InvalidValueError
from bot.domain.layer import Layer
from bot.domain.portfolio import Book, Position
from bot.domain.snapshot import Snapshot
from bot.hedging.temporal.budget import (
    ThetaBudget,
    condor_theta_usd_per_day,
    credit_usd_per_day,
    sleeve_decay_usd_per_day,
    theta_budget,
)
from bot.hedging.temporal.settings import TemporalSettings
from bot.valuation import Unvalued, ValuationSettings, Valuer
from tests.builders import TODAY, Scenery, a_future, a_lot, spread_legs

SCENERY = Scenery(condors=10)
SETTINGS = TemporalSettings()


def _valuer(snapshot: Snapshot | None = None) -> Valuer:
    return Valuer(SCENERY.snapshot() if snapshot is None else snapshot, ValuationSettings())


def _budget(book: Book | None = None, settings: TemporalSettings = SETTINGS) -> ThetaBudget:
    budget = theta_budget(SCENERY.book() if book is None else book, _valuer(), settings, TODAY)
    assert isinstance(budget, ThetaBudget), budget
    return budget


def _with(decay: float, limit: float) -> ThetaBudget:
    return ThetaBudget(
        decay_usd_per_day=decay, condor_theta_usd_per_day=2 * limit, credit_usd_per_day=0.0, limit_usd_per_day=limit
    )


# the reference book -----------------------------------------------------------------------------------------------


def test_the_reference_book_decays_at_a_third_of_its_budget() -> None:
    """Ten condors earn about 132 USD a day and the base loses about 21; half of the earnings may be lost (M2, M7)."""
    budget = _budget()
    assert budget.decay_usd_per_day == pytest.approx(21, rel=0.2)
    assert budget.condor_theta_usd_per_day == pytest.approx(132, rel=0.2)
    assert budget.credit_usd_per_day == pytest.approx(float(SCENERY.opening.condor_credit_usd) / 45, rel=0.05)
    larger = max(budget.condor_theta_usd_per_day, budget.credit_usd_per_day)
    assert budget.limit_usd_per_day == pytest.approx(0.5 * larger)


def test_a_breached_condor_leaves_the_budget_its_credit() -> None:
    """Where the theta of the condors is negative, their credit over their original days is what the sleeve may use."""
    breached = Scenery(condors=10, spx=6300.0)
    snapshot = replace(
        SCENERY.snapshot(),
        levels=breached.snapshot().levels,
        quotes={
            **SCENERY.snapshot().quotes,
            **{leg.key: breached.quote(leg) for leg in SCENERY.opening.condors[0].legs},
        },
    )
    budget = theta_budget(SCENERY.book(), _valuer(snapshot), SETTINGS, TODAY)
    assert isinstance(budget, ThetaBudget)
    assert budget.condor_theta_usd_per_day < budget.credit_usd_per_day
    assert budget.limit_usd_per_day == pytest.approx(0.5 * budget.credit_usd_per_day)


def test_an_overlay_adds_its_own_decay() -> None:
    """Two spreads held decay on top of the base, a future does not."""
    base, spreads = _budget(), _budget(SCENERY.book(lots=(a_lot(spread_legs(), units=2),)))
    unit = _valuer().unit(spread_legs())
    assert not isinstance(unit, Unvalued)
    assert spreads.decay_usd_per_day == pytest.approx(base.decay_usd_per_day - 2 * unit.theta_usd_per_day)
    mini = a_future("VXM")
    with_future = [*SCENERY.book().positions.values(), Position(instrument=mini, quantity=3)]
    assert sleeve_decay_usd_per_day(with_future, _valuer()) == base.decay_usd_per_day


def test_a_lowered_fraction_lowers_the_limit() -> None:
    """A quarter instead of a half allows half as much."""
    quarter = _budget(settings=TemporalSettings(max_decay_frac=0.25))
    assert quarter.limit_usd_per_day == pytest.approx(0.5 * _budget().limit_usd_per_day)


def test_without_condors_nothing_may_decay() -> None:
    """No condors earn nothing: the limit is zero, and whatever decays is refused."""
    bare = replace(SCENERY.book(), condors=(), cohorts=())
    budget = _budget(bare)
    assert budget.limit_usd_per_day == 0.0
    assert not budget.allows(0.01)
    assert budget.allows(0.0)


@pytest.mark.parametrize(("settled", "days"), [(0, 46), (1, None)])
def test_only_open_cohorts_earn(settled: int, days: int | None) -> None:
    """On the day of its settlement a cohort still counts, the day after no more."""
    (cohort,) = SCENERY.book().cohorts
    today = cohort.settlement + timedelta(days=settled)
    found = credit_usd_per_day([cohort], today)
    original = (cohort.settlement - cohort.opened_on).days
    assert found == (cohort.credit_usd / original if days else Decimal(0))


def test_a_cohort_of_one_day_divides_by_one() -> None:
    """Opened on the day it settles, its whole credit is that day's."""
    (cohort,) = SCENERY.book().cohorts
    short = replace(cohort, opened_on=cohort.settlement, credit_usd=Decimal(500))
    assert credit_usd_per_day([short], cohort.settlement) == 500


# the judgement ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("decay", "added", "allowed"),
    [
        (20.0, 30.0, True),
        (20.0, 30.01, False),
        (60.0, 0.01, False),
        (60.0, 0.0, True),
        (60.0, -5.0, True),
        (-10.0, 60.0, True),
        (-10.0, 60.1, False),
    ],
)
def test_new_overlay_fits_up_to_the_limit(decay: float, added: float, allowed: bool) -> None:  # noqa: FBT001 - a table
    """Exactly the limit passes; above it only what does not decay, however far the sleeve itself has drifted."""
    assert _with(decay, 50.0).allows(added) is allowed


@pytest.mark.parametrize(
    ("wanted", "each", "most"),
    [(3, 10.0, 3), (4, 10.0, 3), (9, 31.0, 0), (5, -1.0, 5), (2, 0.0, 2), (40, 0.5, 40), (1, 5e-324, 1)],
)
def test_the_largest_size_that_fits_is_told(wanted: int, each: float, most: int) -> None:
    """With 30 USD of room three units of ten fit, and any number of what does not decay."""
    assert _with(20.0, 50.0).most_units(wanted, each) == most


def test_above_the_limit_not_even_the_least_decay_fits() -> None:
    """Without room nothing fits, however little it decays."""
    assert _with(1.0, 0.0).most_units(1, 5e-324) == 0


@given(decay=st.floats(-500, 500), limit=st.floats(0, 500), each=st.floats(-50, 50), wanted=st.integers(0, 200))
def test_the_largest_size_passes_and_one_more_does_not(decay: float, limit: float, each: float, wanted: int) -> None:
    """What is told fits; where fewer than wanted fit, one more would not."""
    budget = _with(decay, limit)
    most = budget.most_units(wanted, each)
    assert 0 <= most <= wanted
    assert most == 0 or most * each <= max(0.0, budget.room_usd_per_day) * (1 + 1e-9) or each <= 0.0
    if most < wanted:
        assert not budget.allows((most + 1) * each + 1e-6)


def test_the_judgement_has_words_with_its_figures() -> None:
    """The record says what decays, what may, and where the limit is from."""
    budget = _with(20.0, 50.0)
    assert budget.words(10.0) == (
        "the sleeve decays 30.00 USD a day, within the 50.00 allowed "
        "(condor theta 100.00, credit per original day 0.00)"
    )
    assert "above the 50.00 allowed" in budget.words(31.0)


# what is unknown --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("part", ["sleeve", "condor"])
def test_a_contract_without_a_quote_makes_the_budget_unknown(part: str) -> None:
    """Neither a base call nor a condor leg is left out of the sum."""
    base = next(held.instrument for held in SCENERY.opening.base if held.layer is Layer.MEDIUM)
    gone = base if part == "sleeve" else SCENERY.opening.condors[0].short_call
    snapshot = SCENERY.snapshot()
    quotes = {key: quote for key, quote in snapshot.quotes.items() if key != gone.key}
    found = theta_budget(SCENERY.book(), _valuer(replace(snapshot, quotes=quotes)), SETTINGS, TODAY)
    assert found == Unvalued(reason=f"{gone.key}: no quote")


def test_what_has_settled_decays_no_more() -> None:
    """A call past its settlement needs no quote and adds nothing, and neither does a condor's settled leg."""
    gone = replace(SCENERY.opening.base[0].instrument, settlement=date(2026, 10, 20), last_trade=date(2026, 10, 19))
    assert sleeve_decay_usd_per_day([Position(instrument=gone, quantity=4)], _valuer()) == 0.0
    assert condor_theta_usd_per_day((), _valuer()) == 0.0


# settings ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"max_decay_frac": 0.51}, "max_decay_frac may be lowered"),
        ({"max_decay_frac": 0.0}, "max_decay_frac"),
        ({"max_decay_frac": float("nan")}, "max_decay_frac"),
        ({"harvest_frac": 0.69}, "harvest_frac"),
        ({"harvest_frac": 1.0}, "harvest_frac"),
        ({"stop_sessions": 0}, "stop_sessions"),
        ({"short_roll_days": -1}, "short_roll_days"),
        ({"medium_roll_days": 10}, "medium_roll_days"),
        ({"long_roll_days": 65}, "long_roll_days"),
    ],
)
def test_settings_that_loosen_the_methodology_are_refused(changes: dict[str, object], named: str) -> None:
    """Half the earnings and 70 % of the width are limits; layers roll one after the other."""
    with pytest.raises(InvalidValueError, match=named):
        TemporalSettings(**changes)  # type: ignore[arg-type]  # wrong values on purpose


def test_a_budget_is_made_of_numbers() -> None:
    """A figure that is none is refused where the budget is made."""
    with pytest.raises(InvalidValueError, match="decay"):
        _with(float("nan"), 50.0)
