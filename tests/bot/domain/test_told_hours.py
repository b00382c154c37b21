"""The broker's text of trading hours: what is read from it, and what is too uncertain to be read."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.errors import InvalidValueError
from bot.domain.hours import Hours, Span, hours_told, moment_told, zone_named

MONDAY, TUESDAY = date(2026, 1, 5), date(2026, 1, 6)


def clocks(hours: Hours | None, day: date) -> list[str]:
    """The stretches of a day in UTC."""
    assert hours is not None
    return [f"{span.opens_at:%d:%H%M}-{span.closes_at:%d:%H%M}" for span in hours.on(day) or ()]


@pytest.mark.parametrize(
    ("text", "zone", "told"),
    [
        ("20260105:0930-20260105:1615;20260106:CLOSED", "US/Eastern", ["05:1430-05:2115"]),
        ("20260105:0830-20260105:1515;20260106:CLOSED", "US/Central", ["05:1430-05:2115"]),
        ("20260105:0830-20260105:1515;20260106:CLOSED;", "America/Chicago", ["05:1430-05:2115"]),
        ("20260105:0930-20260105:1615;20260106:CLOSED", "EST (Eastern Standard Time)", ["05:1430-05:2115"]),
        ("20260104:1700-20260105:1600;20260106:CLOSED", "US/Central", ["04:2300-05:2200"]),
        (
            "20260105:0930-20260105:1700,20260104:2015-20260105:0925;20260106:CLOSED",
            "US/Eastern",
            ["05:0115-05:1425", "05:1430-05:2200"],
        ),
        ("20260104:2015-20260105:0925;20260105:0930-20260105:1700;20260106:CLOSED", "US/Eastern", None),
        ("20260105:0930-1615;20260106:CLOSED", "US/Eastern", ["05:1430-05:2115"]),
        ("20260105:0930-1600,1630-1700;20260106:CLOSED", "US/Eastern", ["05:1430-05:2100", "05:2130-05:2200"]),
    ],
)
def test_the_brokers_text_is_read(text: str, zone: str, told: list[str] | None) -> None:
    """Both forms, several stretches a day in any order, evenings that belong to the next day, and closed days."""
    hours = hours_told(text, zone)
    assert clocks(hours, MONDAY) == (told or ["05:0115-05:1425", "05:1430-05:2200"])
    assert hours is not None
    assert (hours.on(TUESDAY), hours.on(date(2026, 1, 7))) == ((), None)


def test_short_names_of_zones_follow_summer_time() -> None:
    """EST in July is New York's time, not five hours behind UTC; CST is Chicago's."""
    for zone, clock in (("EST", "0930"), ("CST", "0830"), ("EST5EDT", "0930"), ("CST6CDT", "0830")):
        hours = hours_told(f"20260706:{clock}-20260706:1600", zone)
        assert hours is not None
        assert hours.days[0][1][0].opens_at == datetime(2026, 7, 6, 13, 30, tzinfo=UTC)


@pytest.mark.control("C19")
@pytest.mark.parametrize(
    ("text", "zone"),
    [
        ("", "US/Eastern"),
        (" ", "US/Eastern"),
        ("20260105:0930-20260105:1615", ""),
        ("20260105:0930-20260105:1615", "US/Nowhere"),
        ("20260105:0930-20260105:1615", "America"),
        ("20260105:0930-20260105:1615", "../secret"),
        ("CLOSED", "US/Eastern"),
        ("20260105", "US/Eastern"),
        ("20260105:0930", "US/Eastern"),
        ("20260105:0930-", "US/Eastern"),
        ("20260105:0930-20260105:2400", "US/Eastern"),
        ("20260132:0930-20260132:1615", "US/Eastern"),
        ("2026015:0930-2026015:1615", "US/Eastern"),
        ("20260105:930-20260105:1615", "US/Eastern"),
        ("20260105:١٢٣٤-20260105:1615", "US/Eastern"),
        ("20260105:1615-20260105:0930", "US/Eastern"),
        ("20260105:1700-1600", "US/Eastern"),  # the old form does not say on which of the two days it begins
        ("20260105:0930-20260105:1615;20260105:CLOSED", "US/Eastern"),
        ("20260105:0930-20260105:1615;20260106:UNKNOWN", "US/Eastern"),
    ],
)
def test_what_cannot_be_read_for_sure_is_unknown(text: str, zone: str) -> None:
    """One part that makes no sense, and nothing of the text counts."""
    assert hours_told(text, zone) is None


DAYS = st.integers(0, 3650).map(lambda ahead: date(2020, 1, 1) + timedelta(days=ahead))
PLACES = st.sampled_from(["US/Eastern", "US/Central", "America/New_York", "Europe/London", "Asia/Tokyo"])


@given(st.lists(st.tuples(DAYS, st.integers(180, 1000), st.integers(1, 400)), unique_by=lambda row: row[0]), PLACES)
def test_what_is_written_is_what_is_read(rows: list[tuple[date, int, int]], zone: str) -> None:
    """Whatever hours of the day, over changes of the clocks: the same moments come back, each on its day."""
    place = ZoneInfo(zone)
    entries, moments = [], {}
    for day, opens, length in rows:
        begin = datetime(day.year, day.month, day.day, opens // 60, opens % 60, tzinfo=place)
        end = begin + timedelta(minutes=length)
        entries.append(f"{begin:%Y%m%d:%H%M}-{end:%Y%m%d:%H%M}")
        moments[day] = (begin.astimezone(UTC), end.astimezone(UTC))
    hours = hours_told(";".join(entries), zone)
    assert (hours is None) == (not rows)
    for day, (begin, end) in moments.items():
        assert hours is not None
        (span,) = hours.on(day) or ()
        assert (span.opens_at, span.closes_at) == (begin, end)
        assert hours.at(begin) == span
        assert hours.at(end - timedelta(seconds=1)) == span
        assert hours.at(end) is None


@pytest.mark.parametrize(
    ("day", "clock", "zone", "told"),
    [
        ("20261117", "15:15", "US/Central", datetime(2026, 11, 17, 21, 15, tzinfo=UTC)),
        ("20261117", "15:15:00", "US/Central", datetime(2026, 11, 17, 21, 15, tzinfo=UTC)),
        ("20261117", "", "US/Central", None),
        ("20261117", "15:15", "nowhere", None),
        ("17.11.26", "15:15", "US/Central", None),
    ],
)
def test_a_last_trade_is_a_moment_or_unknown(day: str, clock: str, zone: str, told: datetime | None) -> None:
    """Day, hour and zone are all needed."""
    assert moment_told(day, clock, zone) == told


def test_a_stretch_runs_forward() -> None:
    """A stretch that ends as it begins is none, and a naive one is refused."""
    noon = datetime(2026, 1, 5, 12, tzinfo=UTC)
    with pytest.raises(InvalidValueError, match="not after"):
        Span(opens_at=noon, closes_at=noon)
    with pytest.raises(InvalidValueError, match="time zone"):
        Span(opens_at=noon.replace(tzinfo=None), closes_at=noon)
    assert zone_named("US/Central") == ZoneInfo("US/Central")
