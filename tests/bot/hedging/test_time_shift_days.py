"""The choice of a settlement on known days, on every day of two years, and what holds always."""

import json
import random
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.errors import InvalidValueError
from bot.domain.expiries import vix_monthlies, vix_settlement
from bot.domain.releases import Release, ReleaseKind, ReleaseTable
from bot.domain.schedule import NEW_YORK
from bot.domain.shifts import Direction, Offered, Shift, ShiftInputs
from bot.hedging.shifting.choice import choose_settlement, settles_at
from tests.bot.hedging.shift_cases import (
    CALENDAR,
    CPI,
    DAY,
    DELIVERED,
    FOMC,
    HOME_SOON,
    SETTINGS,
    TODAY,
    VECTORS,
    a_release,
    changed,
    choice,
    days_of,
    knowing,
    noon,
)

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
