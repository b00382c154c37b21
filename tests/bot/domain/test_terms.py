"""Our own calendar and grid against what the broker tells: over ten years, at every edge, and where they differ."""

import warnings
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import exchange_calendars
import pytest

from bot.domain.errors import InvalidValueError
from bot.domain.events import OpenInterestTold, TermsRead
from bot.domain.hours import hours_told
from bot.domain.instrument import VXX, Instrument
from bot.domain.schedule import NEW_YORK, SessionCalendar
from bot.domain.terms import (
    ContractTerms,
    HoursDispute,
    OpenInterest,
    hours_disputes,
    last_trade_dispute,
    own_last_trade,
    own_span,
)
from bot.domain.ticks import Rows, TickTable, increment_told, ticks_dispute
from bot.domain.told import Told
from simulator.details import zone_of
from simulator.hours import hours_text
from tests.builders import NOON, TODAY, a_future, a_session, an_option, vix_call

CALENDAR = SessionCalendar()
FIRST, DAYS = date(2022, 1, 1), 3650
FAR = date(2033, 6, 15)
CALL, SPXW = vix_call(20), an_option(6800, trading_class="SPXW")
TABLE = TickTable()


@pytest.mark.control("C24")
@pytest.mark.parametrize(
    "instrument",
    [
        replace(CALL, settlement=FAR, last_trade=FAR),
        replace(SPXW, settlement=FAR, last_trade=FAR),
        replace(a_future("VX"), settlement=FAR, last_trade=FAR),
        replace(a_future("VXM"), settlement=FAR, last_trade=FAR),
        VXX,
    ],
    ids=lambda one: one.trading_class,
)
def test_ten_years_of_hours_agree(instrument: Instrument) -> None:
    """Every day of 2022 to 2031, holidays, half days and changes of the clocks among them, in the contract's zone."""
    text = hours_text(instrument, FIRST, DAYS, zone_of(instrument), CALENDAR, regular_only=True)
    told = hours_told(text, zone_of(instrument))
    assert told is not None
    assert len(told.days) == DAYS
    assert hours_disputes(instrument, told, FIRST, CALENDAR) == []
    for session in CALENDAR.sessions(FIRST, FIRST + timedelta(days=DAYS - 1)):
        (span,) = told.on(session.day) or ()
        assert span == own_span(instrument, session)


@pytest.mark.control("C24")
def test_ten_years_of_the_stock_exchange_agree() -> None:
    """Days and hours of another project's calendar, in the broker's form: no day of 2018 to 2027 differs."""
    first, last = date(2018, 1, 1), date(2027, 12, 31)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it uses parts of pandas that a later pandas will change
        other = exchange_calendars.get_calendar("XNYS", start=first, end=last)
    ends = {stamp.date(): (other.opens[stamp], close) for stamp, close in other.closes.items()}
    for instrument, longer in ((VXX, 0), (replace(CALL, settlement=FAR, last_trade=FAR), 15)):
        entries = []
        for ahead in range((last - first).days + 1):
            day = first + timedelta(days=ahead)
            if day in ends:
                opens, closes = (stamp.to_pydatetime().astimezone(NEW_YORK) for stamp in ends[day])
                entries.append(f"{opens:%Y%m%d:%H%M}-{closes + timedelta(minutes=longer):%Y%m%d:%H%M}")
            else:
                entries.append(f"{day:%Y%m%d}:CLOSED")
        told = hours_told(";".join(entries), "EST")
        assert told is not None
        assert hours_disputes(instrument, told, first, CALENDAR) == []


@pytest.mark.parametrize(
    ("instrument", "day", "told", "dispute"),
    [
        (CALL, "20261020", "20261020:0930-20261020:1615", ""),
        (CALL, "20261020", "20261020:0930-20261020:1600", ""),
        (CALL, "20261020", "20261020:0930-20261020:1559", "09:30 to 16:15 / 09:30 to 15:59"),
        (CALL, "20261020", "20261020:0946-20261020:1615", "09:30 to 16:15 / 09:46 to 16:15"),
        (CALL, "20261020", "20261020:0930-20261020:1315", "09:30 to 16:15 / 09:30 to 13:15"),
        (CALL, "20261020", "20261020:CLOSED", "09:30 to 16:15 / closed"),
        (CALL, "20261024", "20261024:0930-20261024:1615", "closed / 09:30 to 16:15"),
        (CALL, "20261024", "20261024:CLOSED", ""),
        (CALL, "20261019", "20261019:CLOSED", ""),  # yesterday is no matter any more
        (CALL, "20261118", "20261118:CLOSED", ""),  # after its last trading day
        (a_future("VX"), "20261118", "20261118:CLOSED", ""),  # ends in the morning of its settlement
        (a_future("VX"), "20261117", "20261117:0930-20261117:1600", ""),
        (VXX, "20261020", "20261020:0930-20261020:1600", ""),
    ],
)
def test_days_that_differ_are_named(instrument: Instrument, day: str, told: str, dispute: str) -> None:
    """A session on one side alone, or an end more than a quarter of an hour apart, in New York's words."""
    hours = hours_told(told, "US/Eastern")
    assert hours is not None
    found = hours_disputes(instrument, hours, TODAY, CALENDAR)
    own, _, theirs = dispute.partition(" / ")
    named = datetime.strptime(day, "%Y%m%d").replace(tzinfo=UTC).date()
    assert found == ([HoursDispute(day=named, own=own, told=theirs)] if dispute else [])


def test_last_trades_by_our_calendar() -> None:
    """A future at nine in New York, an option at the close; of a holiday, at the close before it."""
    last = date(2026, 11, 18)
    assert own_last_trade(a_future("VX"), last, CALENDAR) == datetime(2026, 11, 18, 9, tzinfo=NEW_YORK)
    assert own_last_trade(CALL, last, CALENDAR) == datetime(2026, 11, 18, 16, 15, tzinfo=NEW_YORK)
    assert own_last_trade(CALL, date(2026, 11, 26), CALENDAR) == datetime(2026, 11, 25, 16, 15, tzinfo=NEW_YORK)
    assert own_span(CALL, a_session(last)) is None


@pytest.mark.control("C24")
@pytest.mark.parametrize(
    ("instrument", "day", "clock", "told"),
    [
        (CALL, date(2026, 11, 17), "16:15", ""),
        (CALL, date(2026, 11, 17), "16:00", ""),
        (CALL, date(2026, 11, 17), "15:59", "last trade 2026-11-17 15:59"),
        (CALL, date(2026, 11, 17), "", ""),
        (CALL, date(2026, 11, 16), "", "last trade 2026-11-16"),
        (CALL, None, "", "last trade no day"),
        (a_future("VX"), date(2026, 11, 18), "09:00", ""),
        (a_future("VX"), date(2026, 11, 17), "16:00", "last trade 2026-11-17 16:00"),
        (VXX, None, "", ""),
    ],
)
def test_a_last_trade_that_differs_is_named(instrument: Instrument, day: date | None, clock: str, told: str) -> None:
    """Another day, or more than a quarter of an hour on the same one; a day without an hour is enough."""
    hour = None
    if clock and day is not None:
        hour = datetime(day.year, day.month, day.day, int(clock[:2]), int(clock[3:]), tzinfo=NEW_YORK)
    terms = ContractTerms(told_on=TODAY, liquid=None, trading=None, last_trade_day=day, last_trade_at=hour)
    found = last_trade_dispute(instrument, terms, CALENDAR)
    assert (found is None) == (not told)
    if found is not None:
        assert (found.day, found.told) == (instrument.last_trade, told)


def rows(*told: tuple[str, str]) -> Rows:
    """A market rule."""
    return tuple((Decimal(edge), Decimal(increment)) for edge, increment in told)


PENNIES = rows(("0", "0.01"), ("3", "0.05"))


@pytest.mark.control("C7")
@pytest.mark.parametrize(
    ("instrument", "told", "words"),
    [
        (CALL, PENNIES, ""),
        (CALL, (), ""),
        (CALL, rows(("0", "0.05"), ("3", "0.10")), "from 0 on the broker's increment is 0.05, ours 0.01"),
        (CALL, rows(("0", "0.01"), ("2", "0.05")), "from 2 on the broker's increment is 0.05, ours 0.01"),
        (CALL, rows(("0", "0.01"), ("4", "0.05")), "from 3 on the broker's increment is 0.01, ours 0.05"),
        (CALL, rows(("1", "0.01"), ("3", "0.05")), "from 0 on the broker's increment is none, ours 0.01"),
        (a_future("VX"), rows(("0", "0.05")), ""),
        (replace(CALL, trading_class="NEW"), PENNIES, ""),
    ],
)
def test_a_grid_that_differs_is_named_at_its_edge(instrument: Instrument, told: Rows, words: str) -> None:
    """Both tables are compared wherever either changes; a class without a table of ours cannot be priced anyway."""
    assert ticks_dispute(TABLE, instrument, told) == words


def test_an_increment_follows_the_size_of_a_price() -> None:
    """At 3.00 the coarse one begins, also for what is received; below a rule's first edge there is none."""
    found = [increment_told(PENNIES, Decimal(price)) for price in ("2.99", "3.00", "-2.99", "-3.00")]
    assert found == [Decimal("0.01"), Decimal("0.05"), Decimal("0.01"), Decimal("0.05")]
    assert increment_told(rows(("1", "0.01")), Decimal("0.99")) is None


def test_what_was_told_is_kept_by_contract_and_day() -> None:
    """Terms join those before, open interest carries New York's day; nothing of an earlier picture changes."""
    first, second = ContractTerms(told_on=TODAY, liquid=None, trading=None), vix_call(25)
    start = Told()
    told = start.after(TermsRead(at=NOON, terms={CALL.key: first}))
    told = told.after(TermsRead(at=NOON, terms={second.key: first}))
    told = told.after(OpenInterestTold(at=datetime(2026, 10, 21, 3, tzinfo=UTC), key=CALL.key, contracts=7))
    assert set(told.terms) == {CALL.key, second.key}
    assert told.open_interest == {CALL.key: OpenInterest(contracts=7, told_on=TODAY)}
    assert start == Told()


def test_impossible_words_are_refused() -> None:
    """Fewer than no contracts, and a last trade without a zone."""
    with pytest.raises(InvalidValueError):
        OpenInterestTold(at=NOON, key=CALL.key, contracts=-1)
    with pytest.raises(InvalidValueError):
        OpenInterest(contracts=-1, told_on=TODAY)
    naive = NOON.replace(tzinfo=None)
    with pytest.raises(InvalidValueError):
        ContractTerms(told_on=TODAY, liquid=None, trading=None, last_trade_at=naive)
    assert ContractTerms(told_on=TODAY, liquid=None, trading=None, last_trade_at=NOON).last_trade_at == NOON
