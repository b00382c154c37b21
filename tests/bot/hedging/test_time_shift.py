"""Which settlement a purchase goes to: the base choice, the one step around releases, and what is never done (M6)."""

from collections.abc import Iterable
from datetime import date, datetime, time

import pytest

from bot.domain.releases import Confidence, Coverage, Release, ReleaseKind, ReleaseTable
from bot.domain.schedule import NEW_YORK
from bot.domain.shifts import Direction, Offered, ShiftInputs
from tests.bot.hedging.shift_cases import (
    CPI,
    DAY,
    FOMC,
    HOME_SOON,
    PPI,
    TODAY,
    a_decay,
    a_release,
    changed,
    choice,
    days_of,
    knowing,
    monthly,
    weekly,
)

# the base choice ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        ((monthly(29), monthly(57)), 29),
        ((monthly(15), monthly(43)), 43),
        ((monthly(20), monthly(21)), 21),
        ((monthly(45), monthly(46)), 45),
        ((monthly(20), monthly(46), monthly(60)), 46),
        ((weekly(20), monthly(55), weekly(50)), 50),
        ((monthly(20), monthly(61)), None),
        ((), None),
        ((monthly(21), weekly(28)), 28),
        ((monthly(33), weekly(27)), 33),
        ((weekly(33), monthly(27)), 27),
        ((weekly(33), weekly(27)), 27),
        ((monthly(33), monthly(27)), 27),
        ((monthly(33), weekly(33), weekly(27)), 33),
    ],
)
def test_the_base_choice_is_nearest_thirty_days(offered: tuple[Offered, ...], chosen: int | None) -> None:
    """Within 21 to 45 days, else within 46 to 60; of two as near the monthly, then the earlier."""
    assert days_of(choice(*offered)) == (chosen, chosen)
    assert days_of(choice(*reversed(offered))) == (chosen, chosen)


def test_no_settlement_within_reach_is_said() -> None:
    """The value says how many were offered and which days were wanted."""
    found = choice(monthly(20), monthly(61))
    assert found.because == "none of 2 offered settlements is 21 to 45 or 46 to 60 days away"
    assert (found.direction, found.uncovered, found.release) == (Direction.NONE, (), None)


@pytest.mark.parametrize(
    ("ppi_after", "kinds", "chosen", "uncovered"),
    [
        (28, ReleaseKind, 33, ()),
        (34, ReleaseKind, 27, ()),
        (27, ReleaseKind, 27, ()),
        (None, ReleaseKind, 27, ()),
        (None, (FOMC, CPI), 27, (PPI,)),
    ],
)
def test_ppi_breaks_a_tie(
    ppi_after: int | None, kinds: Iterable[ReleaseKind], chosen: int, uncovered: tuple[ReleaseKind, ...]
) -> None:
    """Of two as near, the one that PPI does not follow; an unknown PPI leaves it to the earlier and is named.

    On the morning of a settlement PPI comes an hour before it.
    """
    releases = () if ppi_after is None else (a_release(PPI, ppi_after),)
    found = choice(weekly(27), weekly(33), table=knowing(*releases, kinds=kinds))
    assert days_of(found) == (chosen, chosen)
    assert found.uncovered == uncovered


def test_ppi_shifts_nothing() -> None:
    """Neither a PPI after the base choice nor one between two settlements moves it, known or not."""
    after = choice(monthly(29), monthly(57), table=knowing(a_release(PPI, 30)))
    between = choice(weekly(22), monthly(29), table=knowing(a_release(PPI, 25)), inputs=HOME_SOON)
    unknown = choice(monthly(29), monthly(57), table=knowing(kinds=(FOMC, CPI)))
    assert days_of(after) == days_of(unknown) == (29, 29)
    assert days_of(between) == (29, 22)
    assert unknown.uncovered == ()


@pytest.mark.parametrize(("joined", "chosen"), [(57, 57), (21, 21), (60, 60), (22, 29), (20, 29), (61, 29), (None, 29)])
def test_the_overlay_joins_the_short_layer(joined: int | None, chosen: int) -> None:
    """Where that settlement is offered and within the two ranges; not where it is too near, too far or not on offer."""
    offered = [monthly(days) for days in (20, 21, 29, 57, 60, 61)]
    found = choice(*offered, joined=None if joined is None else TODAY + joined * DAY)
    assert days_of(found) == (chosen, chosen)


# forward --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("release", "settlement"),
    [
        (a_release(FOMC, 29), 36),
        (a_release(FOMC, 29, time(9, 30)), 29),
        (a_release(FOMC, 29, time(9, 31)), 36),
        (a_release(CPI, 29), 29),
        (a_release(CPI, 30), 36),
        (a_release(CPI, 34), 36),
        (a_release(CPI, 36), 43),
        (a_release(FOMC, 36), 43),
        (a_release(FOMC, 37), 29),
        (a_release(FOMC, 28), 29),
        (a_release(PPI, 30), 29),
    ],
)
def test_a_release_in_the_week_after_moves_the_choice_forward(release: Release, settlement: int) -> None:
    """After 09:30 of the settlement day and up to the seventh calendar day, to the first expiry a trading day later."""
    found = choice(weekly(22), monthly(29), weekly(36), weekly(43), monthly(57), table=knowing(release))
    assert days_of(found) == (29, settlement)
    assert found.direction is (Direction.FORWARD if settlement > 29 else Direction.NONE)
    assert found.release == (release if settlement > 29 else None)


def test_a_weekend_is_no_trading_day_after() -> None:
    """CPI on a Friday: the expiry of that Friday is too early, the one of the Monday after it is not."""
    friday = a_release(CPI, 31)
    assert friday.day.weekday() == 4
    found = choice(monthly(29), weekly(31), weekly(34), table=knowing(friday))
    assert days_of(found) == (29, 34)


def test_a_holiday_is_no_trading_day_after() -> None:
    """CPI on the Wednesday before Thanksgiving 2026: the Thursday does not count, the Friday does."""
    today = date(2026, 10, 26)
    eve, thursday, friday = date(2026, 11, 25), date(2026, 11, 26), date(2026, 11, 27)
    release = Release(
        kind=CPI, at=datetime.combine(eve, time(14), tzinfo=NEW_YORK), source="a test", confidence=Confidence.COPIED
    )
    offered = [Offered(day=day, is_monthly=False) for day in (eve, thursday, friday)]
    assert choice(*offered, table=knowing(release), today=today).settlement == friday


def test_the_choice_outlives_all_releases_of_the_week() -> None:
    """CPI the day after and the FOMC a week after the settlement: one step past both."""
    table = knowing(a_release(CPI, 30), a_release(FOMC, 36))
    found = choice(monthly(29), weekly(36), weekly(43), table=table)
    assert days_of(found) == (29, 43)
    assert found.release == a_release(FOMC, 36)


def test_where_not_all_can_be_outlived_the_earlier_ones_are() -> None:
    """No expiry after the FOMC within 60 days: the step past CPI is still taken."""
    table = knowing(a_release(CPI, 55), a_release(FOMC, 60))
    found = choice(monthly(54), weekly(60), weekly(67), table=table)
    assert days_of(found) == (54, 60)
    assert found.release == a_release(CPI, 55)


def test_one_step_is_one_step() -> None:
    """The expiry after the step is itself followed by a release, and stays the choice."""
    table = knowing(a_release(CPI, 30), a_release(FOMC, 38))
    assert days_of(choice(monthly(29), weekly(36), weekly(43), table=table)) == (29, 36)


@pytest.mark.parametrize(("next_days", "settlement"), [(60, 60), (61, 29), (None, 29)])
def test_beyond_sixty_days_nothing_is_shifted(next_days: int | None, settlement: int) -> None:
    """The choice stays, and the release that it does not cover is recorded."""
    later = () if next_days is None else (monthly(next_days),)
    found = choice(monthly(29), *later, table=knowing(a_release(FOMC, 29)), inputs=HOME_SOON)
    assert days_of(found) == (29, settlement)
    assert found.release == a_release(FOMC, 29)
    if settlement == 29:
        assert found.direction is Direction.NONE
        assert found.because == (
            "FOMC of 2026-11-18 14:00 New York comes hours after 2026-11-18 settles at the open, but no expiry within "
            "60 days settles a trading day after it: stays at 2026-11-18"
        )


# backward -------------------------------------------------------------------------------------------------------


def test_a_spread_on_its_way_home_moves_the_choice_back() -> None:
    """40 % below its peak and quick: the next earlier expiry, not the one before that."""
    found = choice(weekly(21), weekly(23), monthly(29), weekly(36), inputs=HOME_SOON)
    assert days_of(found) == (29, 23)
    assert found.direction is Direction.BACKWARD
    assert found.release is None
    assert found.because == (
        "no release lies between, the spread of 6.00 points stands 40.0% below its peak of 10.00 and half of its "
        "deviation is gone after 4.2 days: moved back from 2026-11-18 to 2026-11-12, 23 days away"
    )


@pytest.mark.parametrize(
    ("inputs", "settlement", "told"),
    [
        (changed(spread=7.5), 23, "25.0% below"),
        (changed(spread=7.51), 29, "the spread of 7.51 points stands 24.9% below its peak of 10.00, 25.0% are needed"),
        (changed(spread=-1.0), 23, "110.0% below"),
        (changed(spread=None), 29, "the spread is unknown"),
        (changed(peak_spread=None), 29, "there is no episode"),
        (changed(closing_spreads=a_decay(5.47)), 23, "gone after 7.7 days"),
        (changed(closing_spreads=a_decay(5.48)), 29, "gone after 7.7 days, at most 7.7 of its 23 days are allowed"),
        (changed(closing_spreads=a_decay(3.0, 89)), 29, "the half-life needs 90 closing spreads, there are 89"),
        (changed(closing_spreads=()), 29, "there are 0"),
        (changed(closing_spreads=(5.0,) * 90), 29, "the last 90 closing spreads show no return to their mean"),
        (changed(closing_spreads=(*range(500), *a_decay(3.0))), 23, "gone after 4.2 days"),
        (ShiftInputs(), 29, "the spread is unknown"),
    ],
)
def test_every_condition_of_the_step_back_is_needed(inputs: ShiftInputs, settlement: int, told: str) -> None:
    """A quarter below the peak, a half-life of at most a third of the days, measured over the last 90 sessions."""
    found = choice(weekly(23), monthly(29), inputs=inputs)
    assert days_of(found) == (29, settlement)
    assert told in found.because


@pytest.mark.parametrize(
    ("release", "settlement"),
    [
        (a_release(CPI, 23), 23),
        (a_release(FOMC, 23), 29),
        (a_release(CPI, 26), 29),
        (a_release(CPI, 29), 29),
        (a_release(CPI, 22), 23),
    ],
)
def test_a_release_between_the_two_forbids_the_step_back(release: Release, settlement: int) -> None:
    """Later than 09:30 of the earlier settlement, not later than 09:30 of the base choice."""
    found = choice(weekly(23), monthly(29), table=knowing(release), inputs=HOME_SOON)
    assert days_of(found) == (29, settlement)
    assert ("lies between the two" in found.because) is (settlement == 29)


@pytest.mark.parametrize("earlier", [(), (weekly(20),), (weekly(14), weekly(7))])
def test_no_expiry_nearer_than_21_days_is_taken(earlier: tuple[Offered, ...]) -> None:
    """However fast the spread returns."""
    assert days_of(choice(*earlier, monthly(29), inputs=HOME_SOON)) == (29, 29)


def test_a_release_ahead_forbids_the_step_back() -> None:
    """One step at most: the forward one is taken, or missed, and nothing goes back after it."""
    forward = choice(weekly(23), monthly(29), weekly(36), table=knowing(a_release(CPI, 30)), inputs=HOME_SOON)
    missed = choice(weekly(23), monthly(29), table=knowing(a_release(CPI, 30)), inputs=HOME_SOON)
    assert days_of(forward) == (29, 36)
    assert days_of(missed) == (29, 29)


# coverage -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("last", "uncovered"), [(36, ()), (35, (FOMC, CPI)), (29, (FOMC, CPI)), (28, (FOMC, CPI)), (0, (FOMC, CPI))]
)
def test_a_week_that_is_not_covered_is_named(last: int, uncovered: tuple[ReleaseKind, ...]) -> None:
    """All eight days from the settlement on must be known; otherwise nothing shifts and the kinds are listed."""
    found = choice(monthly(29), weekly(36), table=knowing(last=last))
    assert days_of(found) == (29, 29)
    assert found.uncovered == uncovered
    assert found.because.endswith("; coverage unknown: FOMC, CPI") is bool(uncovered)


def test_an_unknown_kind_does_not_hide_a_known_one() -> None:
    """CPI is not covered, the FOMC decision moves the choice all the same."""
    found = choice(monthly(29), weekly(36), table=knowing(a_release(FOMC, 29), kinds=(FOMC,)))
    assert days_of(found) == (29, 36)
    assert found.uncovered == (CPI,)
    assert found.because.endswith("36 days away; coverage unknown: CPI")


def test_what_is_not_known_between_two_settlements_forbids_the_step_back() -> None:
    """The week after the base choice is covered, the days before it are not."""
    span = [Coverage(kind=kind, covered_from=TODAY + 24 * DAY, covered_to=TODAY + 90 * DAY) for kind in (FOMC, CPI)]
    found = choice(weekly(23), monthly(29), table=ReleaseTable.of((), span), inputs=HOME_SOON)
    assert days_of(found) == (29, 29)
    assert found.uncovered == (FOMC, CPI)
    assert "not back to 2026-11-12: not every release to 2026-11-25 is known" in found.because


def test_what_is_not_known_after_the_base_choice_forbids_the_step_back() -> None:
    """The days between the two are covered, the week after the base choice is not: it might call for a step forward."""
    found = choice(weekly(23), monthly(29), table=knowing(last=35), inputs=HOME_SOON)
    assert days_of(found) == (29, 29)
    assert found.uncovered == (FOMC, CPI)


def test_an_empty_table_shifts_nothing() -> None:
    """It knows nothing, and the choice says so."""
    found = choice(weekly(23), monthly(29), weekly(36), table=ReleaseTable(), inputs=HOME_SOON)
    assert days_of(found) == (29, 29)
    assert found.uncovered == (FOMC, CPI)
