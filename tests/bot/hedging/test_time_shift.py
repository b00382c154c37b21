"""Which settlement a purchase goes to: the base choice, the one step around releases, and what is never done (M6)."""

import json
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields
from datetime import UTC, date, datetime, time, timedelta
from itertools import chain
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.calendar.toml_events import read_events
from bot.domain.errors import InvalidValueError
from bot.domain.expiries import vix_monthlies, vix_settlement
from bot.domain.releases import Confidence, Coverage, Release, ReleaseKind, ReleaseTable
from bot.domain.schedule import NEW_YORK, SessionCalendar
from bot.domain.shifts import Direction, Offered, Shift, ShiftInputs
from bot.hedging.shifting.choice import choose_settlement, settles_at
from bot.hedging.shifting.settings import TimeShiftSettings

FOMC, CPI, PPI = ReleaseKind
CALENDAR = SessionCalendar()
SETTINGS = TimeShiftSettings()
TODAY = date(2026, 10, 20)
DAY = timedelta(days=1)
VECTORS = Path(__file__).parents[3] / ".." / "shared" / "data" / "vectors.json"
DELIVERED = read_events(Path(__file__).parents[3] / "config" / "events.toml")
HOURS = {FOMC: time(14), CPI: time(8, 30), PPI: time(8, 30)}


def noon(day: date) -> datetime:
    """The middle of a New York day."""
    return datetime.combine(day, time(12), tzinfo=NEW_YORK)


def monthly(days: int) -> Offered:
    """A monthly that settles so many days after TODAY."""
    return Offered(day=TODAY + days * DAY, is_monthly=True)


def weekly(days: int) -> Offered:
    """A weekly that settles so many days after TODAY."""
    return Offered(day=TODAY + days * DAY, is_monthly=False)


def a_release(kind: ReleaseKind, days: int, at: time | None = None) -> Release:
    """A release so many days after TODAY, at the hour of its kind."""
    moment = datetime.combine(TODAY + days * DAY, at or HOURS[kind], tzinfo=NEW_YORK)
    return Release(kind=kind, at=moment, source="a list", confidence=Confidence.COPIED)


def knowing(*releases: Release, kinds: Iterable[ReleaseKind] = ReleaseKind, last: int = 100) -> ReleaseTable:
    """A table that covers some kinds from TODAY on."""
    coverage = [Coverage(kind=kind, covered_from=TODAY, covered_to=TODAY + last * DAY) for kind in kinds]
    return ReleaseTable.of(releases, coverage)


def a_decay(half_life: float, sessions: int = 90) -> tuple[float, ...]:
    """Closing spreads whose deviation halves every so many sessions."""
    return tuple(3.0 + 6.0 * 0.5 ** (session / half_life) for session in range(sessions))


HOME_SOON = ShiftInputs(spread=6.0, peak_spread=10.0, closing_spreads=a_decay(3.0))
"""40 % below its peak, half of a deviation gone after 4.2 days."""


def choice(
    *offered: Offered,
    table: ReleaseTable | None = None,
    inputs: ShiftInputs | None = None,
    today: date = TODAY,
    joined: date | None = None,
) -> Shift:
    """The choice at noon, with nothing released and nothing known of the spread where a test does not say."""
    return choose_settlement(
        offered, noon(today), knowing() if table is None else table, inputs or ShiftInputs(), SETTINGS, joined=joined
    )


def days_of(shift: Shift) -> tuple[int | None, int | None]:
    """Base and settlement as days after TODAY."""
    return (
        None if shift.base is None else (shift.base - TODAY).days,
        None if shift.settlement is None else (shift.settlement - TODAY).days,
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


def changed(**changes: object) -> ShiftInputs:
    """A spread that is on its way home, but for something."""
    named = {field.name: getattr(HOME_SOON, field.name) for field in fields(HOME_SOON)}
    return ShiftInputs(**{**named, **changes})  # type: ignore[arg-type]  # values of any field


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


# known days, with the delivered table ---------------------------------------------------------------------------


def listed(*, with_weeklies: bool) -> tuple[Offered, ...]:
    """Settlements of 2025 to 2028: the monthlies, and a Wednesday (or the session before it) in every other week."""
    first, last = date(2025, 1, 1), date(2028, 3, 31)
    months = list(vix_monthlies(first, last, CALENDAR))
    taken = {day.isocalendar()[:2] for day in months}
    weeks = []
    for ordinal in range(first.toordinal(), last.toordinal()):
        day = date.fromordinal(ordinal)
        if with_weeklies and day.weekday() == 2 and day.isocalendar()[:2] not in taken:
            weeks.append(day if CALENDAR.session(day) else CALENDAR.previous_session(day).day)
    rows = chain(((day, True) for day in months), ((day, False) for day in weeks))
    return tuple(Offered(day=day, is_monthly=is_monthly) for day, is_monthly in sorted(rows))


MONTHLIES, WITH_WEEKLIES = listed(with_weeklies=False), listed(with_weeklies=True)


def on(day: date, offered: Sequence[Offered] = MONTHLIES, table: ReleaseTable = DELIVERED) -> Shift:
    """The choice of one day at noon."""
    return choose_settlement(offered, noon(day), table, ShiftInputs(), SETTINGS)


@pytest.mark.parametrize("decision", [date(2027, 3, 17), date(2027, 9, 15)])
@pytest.mark.parametrize(("ahead", "offered"), [(25, MONTHLIES), (30, WITH_WEEKLIES)])
def test_an_expiry_on_the_day_of_a_decision_does_not_cover_it(
    decision: date, ahead: int, offered: Sequence[Offered]
) -> None:
    """VIX settles at 09:30, the committee decides at 14:00: the purchase goes to an expiry after the decision."""
    found = on(decision - ahead * DAY, offered)
    assert found.base == decision
    assert found.direction is Direction.FORWARD
    assert found.release is not None
    assert (found.release.kind, found.release.day) == (FOMC, decision)
    assert found.settlement is not None
    assert found.settlement > decision


def test_cpi_of_2027_is_unknown() -> None:
    """No shift comes from it, and the kind is named; the FOMC of the same days is known."""
    found = on(date(2027, 1, 19))
    assert found.base == found.settlement == date(2027, 2, 17)
    assert found.uncovered == (CPI,)
    assert found.because == (
        "2027-02-17 settles in 29 days, and no known FOMC decision or CPI release comes in the 7 days after it; "
        "coverage unknown: CPI"
    )


@pytest.mark.parametrize(
    ("day", "offered", "base", "settlement", "kind"),
    [
        (date(2026, 11, 9), MONTHLIES, date(2026, 12, 16), date(2026, 12, 16), None),
        (date(2026, 11, 9), WITH_WEEKLIES, date(2026, 12, 9), date(2026, 12, 16), CPI),
        (date(2026, 9, 21), MONTHLIES, date(2026, 10, 21), date(2026, 11, 18), FOMC),
        (date(2026, 9, 21), WITH_WEEKLIES, date(2026, 10, 21), date(2026, 11, 4), FOMC),
        (date(2027, 4, 19), MONTHLIES, date(2027, 5, 18), date(2027, 5, 18), None),
    ],
)
def test_known_days(
    day: date, offered: Sequence[Offered], base: date, settlement: date, kind: ReleaseKind | None
) -> None:
    """In December 2026 the FOMC decides on a weekly's own day and CPI comes a day later; in October it is a week."""
    found = on(day, offered)
    assert (found.base, found.settlement) == (base, settlement)
    assert (found.release.kind if found.release else None) == kind


@pytest.mark.skipif(not VECTORS.is_file(), reason="the shared vectors are not on this machine")
def test_the_settlements_are_those_of_the_vectors() -> None:
    """Those confirmed by a contract, those without a file, and the coming ones."""
    lists = json.loads(VECTORS.read_text(encoding="utf-8"))["vix_settlement_dates"]
    names = ("confirmed_by_contract_file", "computed_no_file", "upcoming_computed")
    days = [date.fromisoformat(text) for name in names for text in lists[name]]
    assert len(days) == 149 + 16 + 13
    assert [day for day in days if vix_settlement(day.year, day.month, CALENDAR) != day] == []


# every day of two years -----------------------------------------------------------------------------------------


def weekdays(*years: int) -> Iterator[date]:
    """Monday to Friday, holidays included."""
    for year in years:
        for number in range(366):
            day = date(year, 1, 1) + number * DAY
            if day.year == year and day.weekday() < 5:
                yield day


def expected(day: date, offered: Sequence[Offered]) -> date:
    """The rule once more, written as a search: the answer without a spread, from the delivered table."""
    reach = [one.day for one in offered if 21 <= (one.day - day).days <= 60]
    near = [one for one in reach if (one - day).days <= 45] or reach
    base = min(near, key=lambda one: (abs((one - day).days - 30), one not in {o.day for o in MONTHLIES}, one))
    opens = datetime.combine(base, time(9, 30), tzinfo=NEW_YORK)
    week = [
        release.day
        for release in DELIVERED.releases
        if release.kind in {FOMC, CPI} and release.at > opens and (release.day - base).days <= 7
    ]
    for event in reversed(week):
        later = [one for one in reach if one > event]  # the calendar below has no expiry on the day after a release
        if later:
            return later[0]
    return base


@pytest.mark.parametrize("offered", [MONTHLIES, WITH_WEEKLIES], ids=["monthlies", "with weeklies"])
def test_every_weekday_has_an_expiry_and_none_is_beyond_sixty_days(offered: Sequence[Offered]) -> None:
    """On each of the 522 weekdays of 2025 and 2026; and the choice is the one that a plain search finds."""
    days = list(weekdays(2025, 2026))
    found = [on(day, offered) for day in days]
    assert len(days) == 522
    ahead = [(one.settlement - day).days for one, day in zip(found, days, strict=True) if one.settlement is not None]
    assert len(ahead) == len(days)
    assert min(ahead) >= 21
    assert max(ahead) <= 60
    assert [one.settlement for one in found] == [expected(day, offered) for day in days]


def test_with_weeklies_no_release_of_the_week_after_is_left_uncovered() -> None:
    """Where the schedule is known, every FOMC decision and CPI release that follows a base choice is outlived."""
    shifted = 0
    for day in weekdays(2025, 2026):
        found = on(day, WITH_WEEKLIES)
        assert found.base is not None
        assert found.settlement is not None
        week = DELIVERED.between((FOMC, CPI), settles_at(found.base), noon(found.base + 7 * DAY) + timedelta(hours=11))
        assert [release for release in week if release.day >= found.settlement] == []
        shifted += found.direction is Direction.FORWARD
    assert shifted > 200


# always ---------------------------------------------------------------------------------------------------------


def test_the_choice_keeps_no_state() -> None:
    """Asked again it answers the same; what was answered before, and for other days, does not matter.

    Nothing of a purchase goes in but what is offered, the table and the spread: there is nothing to ask between a
    purchase and its roll.
    """
    days = list(weekdays(2026))
    first = [on(day, WITH_WEEKLIES) for day in days]
    random.Random(7).shuffle(days)
    again = {day: on(day, WITH_WEEKLIES) for day in days}
    assert [again[day] for day in sorted(days)] == first


@pytest.mark.parametrize("hour", [0, 9, 12, 23])
def test_the_hour_of_the_purchase_does_not_matter(hour: int) -> None:
    """Days count from the New York date, whatever the zone of the clock."""
    moment = datetime.combine(date(2026, 11, 9), time(hour, 59), tzinfo=NEW_YORK)
    found = choose_settlement(WITH_WEEKLIES, moment, DELIVERED, ShiftInputs(), SETTINGS)
    assert found == on(date(2026, 11, 9), WITH_WEEKLIES)
    assert choose_settlement(WITH_WEEKLIES, moment.astimezone(UTC), DELIVERED, ShiftInputs(), SETTINGS) == found
    with pytest.raises(InvalidValueError, match="now must carry a time zone"):
        choose_settlement(WITH_WEEKLIES, moment.replace(tzinfo=None), DELIVERED, ShiftInputs(), SETTINGS)


offers = st.lists(
    st.builds(Offered, day=st.integers(1, 80).map(lambda days: TODAY + days * DAY), is_monthly=st.booleans()),
    max_size=12,
)
scheduled = st.lists(st.tuples(st.sampled_from(list(ReleaseKind)), st.integers(0, 70)), max_size=8, unique=True).map(
    lambda rows: [a_release(kind, days) for kind, days in rows]
)
moods = st.sampled_from([ShiftInputs(), HOME_SOON, changed(spread=9.9)])


@given(offered=offers, releases=scheduled, inputs=moods, seed=st.integers(0, 999))
def test_order_and_repetition_do_not_matter(
    offered: list[Offered], releases: list[Release], inputs: ShiftInputs, seed: int
) -> None:
    """The same settlements and releases in any order, some of them twice, give the same choice."""
    found = choice(*offered, table=knowing(*releases), inputs=inputs)
    mixed, mixed_releases = [*offered, *offered[:3]], list(releases)
    random.Random(seed).shuffle(mixed)
    random.Random(seed).shuffle(mixed_releases)
    assert choice(*mixed, table=knowing(*mixed_releases), inputs=inputs) == found


@given(
    offered=offers, releases=scheduled, inputs=moods, far=st.integers(71, 95), kind=st.sampled_from(list(ReleaseKind))
)
def test_a_release_far_away_changes_nothing(
    offered: list[Offered], releases: list[Release], inputs: ShiftInputs, far: int, kind: ReleaseKind
) -> None:
    """No base choice is farther than 60 days, and none looks more than 7 days beyond itself."""
    without = choice(*offered, table=knowing(*releases), inputs=inputs)
    assert choice(*offered, table=knowing(*releases, a_release(kind, far)), inputs=inputs) == without


@given(offered=offers, releases=scheduled, inputs=moods, last=st.integers(0, 90))
def test_every_choice_is_one_of_those_offered(
    offered: list[Offered], releases: list[Release], inputs: ShiftInputs, last: int
) -> None:
    """Within 21 to 60 days, one step at most, forward only past its release, and never without coverage."""
    table = knowing(*(one for one in releases if one.day <= TODAY + last * DAY), last=last)
    found = choice(*offered, table=table, inputs=inputs)
    base, settlement = days_of(found)
    days = {(one.day - TODAY).days for one in offered}
    assert (base is None) == (not any(21 <= one <= 60 for one in days))
    if base is None or settlement is None:
        return
    assert {base, settlement} <= days
    assert 21 <= settlement <= 60
    if found.direction is Direction.FORWARD:
        assert found.release is not None
        assert found.release in table.releases
        assert TODAY + base * DAY <= found.release.day < TODAY + settlement * DAY
    if found.direction is Direction.BACKWARD:
        assert not any(settlement < one < base for one in days)
        assert not {FOMC, CPI} & set(found.uncovered)


# the values -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"because": ""}, "because"),
        ({"settlement": None}, "exist together"),
        ({"base": None}, "exist together"),
        ({"direction": Direction.FORWARD}, "the direction is none, was forward"),
        ({"settlement": TODAY + DAY}, "the direction is forward, was none"),
        ({"settlement": TODAY - DAY}, "the direction is backward, was none"),
        ({"settlement": TODAY + DAY, "direction": Direction.FORWARD}, "names the release"),
        ({"settlement": None, "base": None, "direction": Direction.BACKWARD}, "the direction is none"),
    ],
)
def test_a_shift_that_contradicts_itself_is_refused(changes: dict[str, object], words: str) -> None:
    """Direction, dates and reason belong together."""
    whole = {"base": TODAY, "settlement": TODAY, "direction": Direction.NONE, "because": "it is so"}
    assert Shift(**whole)  # type: ignore[arg-type]  # values of any field
    with pytest.raises(InvalidValueError, match=words):
        Shift(**{**whole, **changes})  # type: ignore[arg-type]  # wrong values on purpose


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"spread": float("nan")}, "spread"),
        ({"peak_spread": 0.0}, "peak_spread must be positive"),
        ({"peak_spread": float("inf")}, "peak_spread"),
        ({"closing_spreads": (1.0, float("nan"))}, "closing spread 1"),
    ],
)
def test_a_spread_that_is_no_number_is_refused(changes: dict[str, object], words: str) -> None:
    """Unknown is None, never NaN."""
    with pytest.raises(InvalidValueError, match=words):
        changed(**changes)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"ideal_days": 0}, "ideal_days"),
        ({"ideal_days": 20}, "ideal_days must lie in days_range 21..45, was 20"),
        ({"ideal_days": 46}, "ideal_days must lie in"),
        ({"days_range": (45, 21)}, "days_range and later_days_range ascend"),
        ({"days_range": (0, 45)}, "days_range and later_days_range ascend"),
        ({"days_range": (21, 46)}, "days_range and later_days_range ascend"),
        ({"later_days_range": (60, 46)}, "days_range and later_days_range ascend"),
        ({"event_window_days": 0}, "event_window_days"),
        ({"half_life_sessions": 2}, "half_life_sessions must be at least 3, was 2"),
        ({"days_per_session": 0.0}, "days_per_session"),
        ({"max_half_life_frac": 1.0}, "max_half_life_frac must lie between 0 and 1"),
        ({"max_half_life_frac": float("nan")}, "max_half_life_frac"),
        ({"off_peak_frac": 0.0}, "off_peak_frac must lie between 0 and 1"),
        ({"off_peak_frac": 1.0}, "off_peak_frac must lie between 0 and 1"),
    ],
)
def test_settings_that_contradict_themselves_are_refused(changes: dict[str, object], words: str) -> None:
    """A setting outside its range is refused with its name."""
    with pytest.raises(InvalidValueError, match=words):
        TimeShiftSettings(**changes)  # type: ignore[arg-type]  # wrong values on purpose
