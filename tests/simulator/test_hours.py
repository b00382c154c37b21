"""Trading hours: phases, stretches, half days, expiry, and their text."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from floors import CALENDAR, DAY, NOVEMBER, OPENS_AT, a_call, a_floor, a_future, an_open_floor
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.instrument import RUT, SPX, VIX, Instrument, Kind, Right
from simulator.catalogue import BY_CLASS
from simulator.hours import Phases, hours_text, phase_at, trading_hours
from simulator.venue import Phase

_OPENED = a_floor()
SPY, EURO = BY_CLASS[Kind.STOCK, "SPY"].instrument, BY_CLASS[Kind.CASH, "EUR.USD"].instrument
VX, CALL = a_future(_OPENED, "VX"), a_call(_OPENED)
SPXW = _OPENED.universe.option("SPXW", date(2026, 11, 20), Decimal(6800), Right.CALL)
RUTW = _OPENED.universe.option("RUTW", date(2026, 11, 20), Decimal(2500), Right.PUT)
SPY_OPTION = _OPENED.universe.option("SPY", date(2026, 11, 20), Decimal(680), Right.PUT)
EVERYTHING = (SPX, RUT, VIX, SPY, EURO, VX, CALL, SPXW, RUTW, SPY_OPTION)
NEW_YORK = ZoneInfo("America/New_York")


def at(day: date, text: str) -> datetime:
    """Return a New York time."""
    hour, minute = map(int, text.split(":"))
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=NEW_YORK)


@pytest.mark.parametrize(
    ("instrument", "text", "phase"),
    [
        (SPY, "03:59", Phase.CLOSED),
        (SPY, "04:00", Phase.EXTENDED),
        (SPY, "09:30", Phase.REGULAR),
        (SPY, "16:00", Phase.EXTENDED),
        (SPY, "20:00", Phase.CLOSED),
        (SPXW, "02:00", Phase.EXTENDED),
        (SPXW, "09:27", Phase.CLOSED),
        (SPXW, "16:10", Phase.REGULAR),
        (SPXW, "16:30", Phase.EXTENDED),
        (SPXW, "20:30", Phase.EXTENDED),  # of the next session
        (RUTW, "08:00", Phase.CLOSED),
        (RUTW, "16:14", Phase.REGULAR),
        (SPY_OPTION, "16:05", Phase.CLOSED),
        (VX, "05:00", Phase.EXTENDED),
        (VX, "12:00", Phase.REGULAR),
        (VX, "16:30", Phase.EXTENDED),
        (VX, "17:30", Phase.CLOSED),
        (VX, "18:00", Phase.EXTENDED),
        (VIX, "04:00", Phase.EXTENDED),
        (SPX, "04:00", Phase.CLOSED),
        (EURO, "17:05", Phase.CLOSED),
        (EURO, "03:00", Phase.REGULAR),
    ],
)
def test_a_contract_trades_by_the_hours_of_its_class(instrument: Instrument, text: str, phase: Phase) -> None:
    """Global hours of SPX options, the early and late market of shares, futures nearly around the clock."""
    assert phase_at(instrument, at(DAY, text), CALENDAR) is phase


def test_a_half_day_ends_early() -> None:
    """On the day after Thanksgiving shares close at 13:00, index options and futures at 13:15; nothing follows."""
    day = date(2026, 11, 27)
    far = _OPENED.universe.option("VIX", date(2026, 12, 16), Decimal(20), Right.CALL)

    assert phase_at(SPY, at(day, "12:59"), CALENDAR) is Phase.REGULAR
    assert phase_at(SPY, at(day, "13:00"), CALENDAR) is Phase.EXTENDED
    assert phase_at(far, at(day, "13:14"), CALENDAR) is Phase.REGULAR
    assert phase_at(far, at(day, "13:15"), CALENDAR) is Phase.CLOSED


def test_thanksgiving_is_closed_for_everything_but_the_evening() -> None:
    """The evening belongs to the next session."""
    holiday, far = date(2026, 11, 26), _OPENED.universe.option("VIX", date(2026, 12, 16), Decimal(20), Right.CALL)

    assert all(phase_at(each, at(holiday, "12:00"), CALENDAR) is Phase.CLOSED for each in (SPY, far, SPX))
    assert phase_at(far, at(holiday, "20:30"), CALENDAR) is Phase.EXTENDED


def test_a_contract_stops_at_its_expiry() -> None:
    """SPXW at 16:00 of its last day, a VX future at 09:00, a VIX option after the Tuesday before."""
    assert phase_at(SPXW, at(date(2026, 11, 20), "15:59"), CALENDAR) is Phase.REGULAR
    assert phase_at(SPXW, at(date(2026, 11, 20), "16:00"), CALENDAR) is Phase.CLOSED
    assert phase_at(VX, at(NOVEMBER, "08:59"), CALENDAR) is Phase.EXTENDED
    assert phase_at(VX, at(NOVEMBER, "09:00"), CALENDAR) is Phase.CLOSED
    assert phase_at(CALL, at(date(2026, 11, 17), "20:30"), CALENDAR) is Phase.CLOSED
    assert phase_at(CALL, at(NOVEMBER, "09:00"), CALENDAR) is Phase.CLOSED


@given(st.sampled_from(EVERYTHING), st.integers(0, 8 * 24 * 60))
def test_phases_and_hours_tell_the_same(instrument: Instrument, minutes: int) -> None:
    """At any minute of a week a contract trades exactly when a stretch of its hours holds that minute."""
    moment = datetime(2026, 11, 14, tzinfo=UTC) + timedelta(minutes=minutes)
    first = date(2026, 11, 13)

    def within(*, regular_only: bool) -> bool:
        told = trading_hours(instrument, first, 12, CALENDAR, regular_only=regular_only)
        return any(each.opens_at <= moment < each.closes_at for each in told)

    phase = phase_at(instrument, moment, CALENDAR)

    assert within(regular_only=True) == (phase is Phase.REGULAR)
    assert within(regular_only=False) == (phase is not Phase.CLOSED)


@given(st.lists(st.tuples(st.sampled_from(EVERYTHING), st.integers(0, 8 * 24 * 3600)), max_size=20))
def test_phases_that_are_kept_are_those_that_are_worked_out(looks: list[tuple[Instrument, int]]) -> None:
    """At any seconds of a week, in any order."""
    phases = Phases(CALENDAR)
    for instrument, seconds in looks:
        moment = datetime(2026, 11, 14, tzinfo=UTC) + timedelta(seconds=seconds)
        assert phases.at(instrument, moment) is phase_at(instrument, moment, CALENDAR)


@pytest.mark.parametrize("instrument", EVERYTHING, ids=lambda each: each.key)
def test_the_text_holds_one_entry_for_each_stretch_or_closed_day(instrument: Instrument) -> None:
    """A week of text: closed on the weekend, local time of the contract's zone."""
    parts = hours_text(instrument, DAY, 7, "US/Eastern", CALENDAR, regular_only=True).split(";")

    assert len(parts) == 7
    assert [part.endswith("CLOSED") for part in parts] == [False] * 5 + [True] * 2
    assert parts[5] == "20261024:CLOSED"


def test_the_floor_is_closed_between_its_sessions() -> None:
    """There are no prices then, whatever the hours say."""
    opened = an_open_floor(sessions=2)

    assert opened.floor.phase(VX) is Phase.REGULAR
    opened.floor.advance(opened.source.sessions[0].closes_at + timedelta(hours=3))

    assert opened.floor.phase(VX) is Phase.CLOSED
    assert opened.floor.hours(VX, DAY, 1, regular_only=False)[0].opens_at == OPENS_AT - timedelta(hours=15, minutes=30)
