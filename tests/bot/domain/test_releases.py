"""Scheduled releases: what a table accepts, what it knows, how an import renews it and when it says that it is old."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.errors import InvalidValueError
from bot.domain.releases import (
    Confidence,
    Coverage,
    Release,
    ReleaseKind,
    ReleaseTable,
    renewal_warning,
)
from bot.domain.schedule import NEW_YORK

FOMC, CPI, PPI = ReleaseKind
TODAY = date(2026, 10, 20)
DAY = timedelta(days=1)


def a_release(day: date, kind: ReleaseKind = CPI, *, at: time = time(8, 30), source: str = "a list") -> Release:
    """A release on a New York day."""
    moment = datetime.combine(day, at, tzinfo=NEW_YORK)
    return Release(kind=kind, at=moment, source=source, confidence=Confidence.COPIED)


def covered(first: date, last: date, *kinds: ReleaseKind) -> tuple[Coverage, ...]:
    """The same stretch for some kinds, for CPI where none is named."""
    return tuple(Coverage(kind=kind, covered_from=first, covered_to=last) for kind in kinds or (CPI,))


def the_year(*releases: Release) -> ReleaseTable:
    """A table that knows CPI in 2026."""
    return ReleaseTable.of(releases, covered(date(2026, 1, 1), date(2026, 12, 31)))


# what is refused ------------------------------------------------------------------------------------------------


def test_a_time_without_a_zone_is_refused() -> None:
    """08:30 of nowhere is no moment."""
    with pytest.raises(InvalidValueError, match="at must carry a time zone"):
        Release(kind=CPI, at=datetime(2026, 12, 10, 8, 30), source="x", confidence=Confidence.MEMORY)  # noqa: DTZ001


def test_a_date_from_nowhere_is_refused() -> None:
    """Every row says where its date comes from."""
    with pytest.raises(InvalidValueError, match="source"):
        a_release(TODAY, source="")


def test_a_stretch_that_ends_before_it_begins_is_refused() -> None:
    """One day is a stretch, minus one day is none."""
    assert Coverage(kind=CPI, covered_from=TODAY, covered_to=TODAY).spans(TODAY, TODAY)
    with pytest.raises(InvalidValueError, match="coverage of CPI ends on 2026-10-19, before it begins on 2026-10-20"):
        Coverage(kind=CPI, covered_from=TODAY, covered_to=TODAY - DAY)


@pytest.mark.parametrize("day", [date(2025, 12, 31), date(2027, 1, 1)])
def test_a_release_outside_its_coverage_is_refused(day: date) -> None:
    """A row beyond covered_to is either a wrong date or a coverage that nobody renewed."""
    with pytest.raises(
        InvalidValueError, match=f"CPI of {day} 08:30 New York lies outside .* 2026-01-01 to 2026-12-31"
    ):
        the_year(a_release(day))


def test_a_release_of_a_kind_without_coverage_is_refused() -> None:
    """The coverage of CPI says nothing about PPI."""
    with pytest.raises(InvalidValueError, match="outside the coverage of PPI, which has none"):
        the_year(a_release(TODAY, PPI))


def test_a_kind_twice_on_a_day_is_refused() -> None:
    """Two times for one release contradict each other, and equal ones are one row too many."""
    with pytest.raises(InvalidValueError, match="CPI is listed twice on 2026-10-20"):
        the_year(a_release(TODAY), a_release(TODAY, at=time(14)))


def test_two_kinds_on_one_day_are_accepted() -> None:
    """On 2026-03-18 PPI came in the morning and the FOMC decided in the afternoon."""
    day = date(2026, 3, 18)
    rows = (a_release(day, FOMC, at=time(14)), a_release(day, PPI))
    table = ReleaseTable.of(rows, covered(day, day, FOMC, PPI))
    assert [release.kind for release in table.releases] == [PPI, FOMC]


def test_disorder_is_refused_by_the_table_and_mended_by_its_maker() -> None:
    """The constructor takes what is in order; `of` puts it in order."""
    late, early = a_release(TODAY), a_release(TODAY - DAY)
    with pytest.raises(InvalidValueError, match="ascend by time"):
        ReleaseTable(releases=(late, early), coverage=covered(early.day, late.day))
    assert the_year(late, early).releases == (early, late)


def test_overlapping_stretches_are_refused_by_the_table_and_joined_by_its_maker() -> None:
    """Two stretches of one kind with a day in common say the same thing twice; side by side they are one."""
    first, second = covered(TODAY, TODAY + 9 * DAY)[0], covered(TODAY + 9 * DAY, TODAY + 20 * DAY)[0]
    with pytest.raises(InvalidValueError, match="coverage of CPI from 2026-10-29 overlaps the one to 2026-10-29"):
        ReleaseTable(coverage=(first, second))
    assert ReleaseTable.of((), (second, first)).coverage == covered(TODAY, TODAY + 20 * DAY)
    beside = covered(TODAY + 10 * DAY, TODAY + 20 * DAY)[0]
    assert ReleaseTable.of((), (first, beside)).coverage == covered(TODAY, TODAY + 20 * DAY)
    within = covered(TODAY + DAY, TODAY + 2 * DAY)[0]
    assert ReleaseTable.of((), (first, within)).coverage == (first,)


# what is known --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("after_minute", "until_minute", "is_found"), [(-1, 0, True), (0, 1, False), (-2, -1, False), (-1, 1, True)]
)
def test_a_span_begins_after_its_start_and_includes_its_end(
    after_minute: int,
    until_minute: int,
    is_found: bool,  # noqa: FBT001 - a table
) -> None:
    """A release at the very start has happened, one at the very end belongs to the span."""
    release = a_release(TODAY)
    minute = timedelta(minutes=1)
    found = the_year(release).between((CPI,), release.at + after_minute * minute, release.at + until_minute * minute)
    assert found == ((release,) if is_found else ())


def test_a_span_holds_only_the_kinds_that_were_asked_for() -> None:
    """PPI is not found among CPI and FOMC, whatever the zone of the question."""
    release = a_release(TODAY)
    table = the_year(release)
    start, end = datetime(2026, 10, 20, tzinfo=UTC), datetime(2026, 10, 21, tzinfo=UTC)
    assert table.between((FOMC, CPI), start, end) == (release,)
    assert table.between((FOMC, PPI), start, end) == ()
    with pytest.raises(InvalidValueError, match="until must carry a time zone"):
        table.between((CPI,), start, datetime(2026, 10, 21))  # noqa: DTZ001


@pytest.mark.parametrize(
    ("first", "last", "is_known"),
    [
        (date(2026, 1, 1), None, True),
        (date(2026, 12, 31), None, True),
        (date(2025, 12, 31), None, False),
        (date(2027, 1, 1), None, False),
        (date(2026, 12, 30), date(2026, 12, 31), True),
        (date(2026, 12, 30), date(2027, 1, 1), False),
        (date(2025, 12, 31), date(2026, 1, 2), False),
    ],
)
def test_both_ends_of_a_stretch_are_covered(first: date, last: date | None, is_known: bool) -> None:  # noqa: FBT001 - a table
    """A span is known when all of its days are, and another kind's coverage does not help."""
    table = the_year()
    assert table.covers(CPI, first, last) is is_known
    assert table.covers(PPI, first, last) is False


def test_what_lies_between_two_stretches_is_unknown() -> None:
    """A span across the gap is not covered, though both its ends are."""
    table = ReleaseTable.of((), (*covered(TODAY, TODAY + DAY), *covered(TODAY + 3 * DAY, TODAY + 4 * DAY)))
    assert table.covers(CPI, TODAY + DAY)
    assert table.covers(CPI, TODAY + 3 * DAY)
    assert not table.covers(CPI, TODAY + 2 * DAY)
    assert not table.covers(CPI, TODAY + DAY, TODAY + 3 * DAY)


def test_the_day_of_a_release_is_the_one_in_new_york() -> None:
    """01:00 UTC is still the evening before."""
    late = Release(kind=FOMC, at=datetime(2026, 10, 21, 1, tzinfo=UTC), source="x", confidence=Confidence.MEMORY)
    assert late.day == TODAY
    assert str(late) == "FOMC of 2026-10-20 21:00 New York"


@given(order=st.permutations(range(8)))
def test_the_order_of_the_rows_does_not_matter(order: list[int]) -> None:
    """The same rows and stretches in any order are the same table."""
    rows = [a_release(TODAY + number * DAY) for number in range(8)]
    stretches = [covered(TODAY + number * DAY, TODAY + (number + 1) * DAY)[0] for number in range(8)]
    table = ReleaseTable.of((rows[number] for number in order), (stretches[number] for number in order))
    assert table == ReleaseTable.of(rows, stretches)


# renewal by import ----------------------------------------------------------------------------------------------


def test_an_imported_release_replaces_the_one_of_its_month() -> None:
    """CPI of October moves from the 14th to the 20th; November and PPI stay."""
    stays, moved = a_release(date(2026, 11, 10)), a_release(date(2026, 10, 14))
    other = a_release(date(2026, 10, 15), PPI)
    table = ReleaseTable.of((moved, stays, other), covered(date(2026, 1, 1), date(2026, 12, 31), CPI, PPI))
    imported = ReleaseTable.of([a_release(TODAY, source="an import")], covered(TODAY, TODAY))
    merged = table.merged(imported)
    assert merged.releases == (other, *imported.releases, stays)
    assert merged.coverage == table.coverage


def test_an_import_adds_what_it_knows_to_the_coverage() -> None:
    """A feed of 2026 and 2027 lengthens the coverage; one of 2027 alone leaves the gap before it unknown."""
    table = the_year(a_release(TODAY))
    january, december = a_release(date(2027, 1, 13)), a_release(date(2027, 12, 10))
    whole = table.merged(ReleaseTable.of([january, december], covered(date(2026, 6, 1), december.day)))
    alone = table.merged(ReleaseTable.of([january, december], covered(january.day, december.day)))
    assert whole.coverage == covered(date(2026, 1, 1), december.day)
    assert alone.covers(CPI, january.day)
    assert not alone.covers(CPI, date(2027, 1, 12))


@given(
    days=st.lists(st.integers(0, 400), unique=True, max_size=12), imported=st.lists(st.integers(0, 400), unique=True)
)
def test_merging_twice_is_merging_once(days: list[int], imported: list[int]) -> None:
    """All imported rows are in, own rows only from months without one, and a second import changes nothing."""
    span = covered(TODAY, TODAY + 400 * DAY)
    own = ReleaseTable.of((a_release(TODAY + number * DAY) for number in days), span)
    other = ReleaseTable.of((a_release(TODAY + n * DAY, source="import") for n in imported), span)
    merged = own.merged(other)
    months = {(one.day.year, one.day.month) for one in other.releases}
    kept = [one for one in own.releases if (one.day.year, one.day.month) not in months]
    assert [one for one in merged.releases if one.source == "import"] == list(other.releases)
    assert [one for one in merged.releases if one.source != "import"] == kept
    assert merged.merged(other) == merged


def test_a_cancelled_release_leaves_its_day_covered() -> None:
    """Kind and day tell it; another kind on that day stays, and one that was never there is no matter."""
    table = ReleaseTable.of(
        [a_release(TODAY), a_release(TODAY, PPI), a_release(TODAY + DAY)],
        covered(TODAY, TODAY + DAY, CPI, PPI),
    )
    left = table.without([a_release(TODAY, at=time(10)), a_release(TODAY + 9 * DAY)])
    assert [(one.kind, one.day) for one in left.releases] == [(PPI, TODAY), (CPI, TODAY + DAY)]
    assert left.coverage == table.coverage


# renewal by hand ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "last", "words"),
    [
        (TODAY, TODAY + 60 * DAY, None),
        (TODAY, TODAY + 59 * DAY, "CPI is covered to 2026-12-18 only"),
        (TODAY, TODAY, "CPI is covered to 2026-10-20 only"),
        (TODAY - 9 * DAY, TODAY - DAY, "CPI is not covered today, only 2026-10-11 to 2026-10-19"),
        (TODAY + DAY, TODAY + 90 * DAY, "CPI is not covered today, only 2026-10-21 to 2027-01-18"),
    ],
)
def test_a_coverage_that_ends_soon_or_has_ended_is_named(first: date, last: date, words: str | None) -> None:
    """Sixty days ahead are enough, fifty-nine are not; the line names the kind and its last day."""
    release = a_release(TODAY)
    span = (*covered(TODAY, TODAY + 90 * DAY, FOMC, PPI), *covered(first, last))
    rows = (a_release(TODAY + 5 * DAY, FOMC), *((release,) if first <= TODAY <= last else ()))
    warning = renewal_warning(ReleaseTable.of(rows, span), TODAY)
    if words is None:
        assert warning is None
    else:
        assert warning is not None
        assert words in warning
        assert "FOMC is" not in warning
        assert "\n" not in warning


def test_an_empty_table_is_a_value_that_asks_for_renewal() -> None:
    """It knows nothing and says so for every kind."""
    warning = renewal_warning(ReleaseTable(), TODAY)
    assert warning is not None
    assert "FOMC is not covered at all; CPI is not covered at all; PPI is not covered at all" in warning


def test_a_table_of_the_past_asks_for_renewal() -> None:
    """Coverage that reaches far ahead without a single release in it is a forgotten table."""
    span = covered(TODAY - 90 * DAY, TODAY + 90 * DAY, FOMC, CPI, PPI)
    past = ReleaseTable.of([a_release(TODAY - DAY)], span)
    present = ReleaseTable.of([a_release(TODAY)], span)
    warning = renewal_warning(past, TODAY)
    assert warning is not None
    assert "no release lies ahead" in warning
    assert renewal_warning(present, TODAY) is None
