"""Trading sessions by rule, cross-checked against another calendar."""

import warnings
from datetime import UTC, date, datetime, timedelta

import exchange_calendars
import pytest

from bot.domain.errors import InvalidValueError
from bot.domain.schedule import NEW_YORK, Session, SessionCalendar, easter_sunday, holidays

CALENDAR = SessionCalendar()
FIRST, LAST = date(2004, 1, 1), date(2027, 12, 31)


@pytest.fixture(scope="module")
def other() -> exchange_calendars.ExchangeCalendar:
    """The calendar of the New York Stock Exchange as another project knows it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it uses parts of pandas that a later pandas will change
        return exchange_calendars.get_calendar("XNYS", start=FIRST, end=LAST)


def test_sessions_are_those_of_the_stock_exchange(other: exchange_calendars.ExchangeCalendar) -> None:
    """Every holiday and closure from 2004 to 2027 agrees."""
    ours = {session.day for session in CALENDAR.sessions(FIRST, LAST)}
    theirs = {stamp.date() for stamp in other.sessions}
    assert sorted(ours ^ theirs) == []


def test_early_closes_are_those_of_the_stock_exchange(other: exchange_calendars.ExchangeCalendar) -> None:
    """Index options end a quarter of an hour after shares, on early closes as well."""
    early = {stamp.date() for stamp in other.early_closes}
    ours = {s.day for s in CALENDAR.sessions(FIRST, LAST) if s.closes_at.astimezone(NEW_YORK).hour == 13}
    assert sorted(ours ^ early) == []
    for stamp, close in other.closes.items():
        session = CALENDAR.session(stamp.date())
        assert session is not None
        assert session.closes_at - close.to_pydatetime() == timedelta(minutes=15)
        assert session.opens_at == other.opens[stamp].to_pydatetime()


@pytest.mark.parametrize(
    ("day", "opens", "closes"),
    [
        (date(2027, 1, 4), datetime(2027, 1, 4, 14, 30, tzinfo=UTC), datetime(2027, 1, 4, 21, 15, tzinfo=UTC)),
        (date(2027, 7, 6), datetime(2027, 7, 6, 13, 30, tzinfo=UTC), datetime(2027, 7, 6, 20, 15, tzinfo=UTC)),
        (date(2027, 11, 26), datetime(2027, 11, 26, 14, 30, tzinfo=UTC), datetime(2027, 11, 26, 18, 15, tzinfo=UTC)),
    ],
)
def test_a_session_is_given_in_utc(day: date, opens: datetime, closes: datetime) -> None:
    """Summer and winter time of New York are resolved."""
    assert CALENDAR.session(day) == Session(day=day, opens_at=opens, closes_at=closes)


@pytest.mark.parametrize(
    ("day", "why"),
    [
        (date(2027, 6, 18), "Juneteenth falls on a Saturday"),
        (date(2027, 7, 5), "4 July falls on a Sunday"),
        (date(2027, 12, 24), "Christmas falls on a Saturday"),
        (date(2027, 3, 26), "Good Friday"),
        (date(2026, 11, 22), "a Sunday"),
        (date(2025, 1, 9), "mourning"),
    ],
)
def test_there_is_no_session_on_a_closed_day(day: date, why: str) -> None:
    """Observed holidays, weekends and unscheduled closures have none."""
    assert CALENDAR.session(day) is None, why


def test_a_new_year_on_a_saturday_is_not_observed() -> None:
    """The Friday before closes the year's books, so it is a session."""
    assert CALENDAR.session(date(2021, 12, 31)) is not None
    assert date(2027, 1, 1) in holidays(2027)


def test_juneteenth_is_a_holiday_since_2022() -> None:
    """In 2021 it was a session still."""
    assert CALENDAR.session(date(2021, 6, 18)) is not None
    assert CALENDAR.session(date(2022, 6, 20)) is None


def test_neighbours_skip_closed_days() -> None:
    """From the Thursday before Good Friday the next session is Monday, and back."""
    assert CALENDAR.next_session(date(2027, 3, 25)).day == date(2027, 3, 29)
    assert CALENDAR.previous_session(date(2027, 3, 29)).day == date(2027, 3, 25)


@pytest.mark.parametrize("day", [date(1997, 12, 31), date(2036, 1, 2)])
def test_years_without_known_rules_are_refused(day: date) -> None:
    """A guess would look like knowledge."""
    with pytest.raises(InvalidValueError, match=f"knows 1998 to 2035, was asked for {day}"):
        CALENDAR.session(day)


def test_easter_is_where_almanacs_have_it() -> None:
    """Its earliest and latest dates of the time and two between."""
    found = [easter_sunday(year) for year in (2008, 2011, 2024, 2038)]
    assert found == [date(2008, 3, 23), date(2011, 4, 24), date(2024, 3, 31), date(2038, 4, 25)]


def test_a_session_that_ends_before_it_begins_is_refused() -> None:
    """Naive times and an empty session cannot be made."""
    opens = datetime(2027, 1, 4, 14, 30, tzinfo=UTC)
    with pytest.raises(InvalidValueError, match="not after"):
        Session(day=date(2027, 1, 4), opens_at=opens, closes_at=opens)
    with pytest.raises(InvalidValueError, match="opens_at must carry a time zone"):
        Session(day=date(2027, 1, 4), opens_at=opens.replace(tzinfo=None), closes_at=opens)
