"""When contracts settle: days and hours."""

from datetime import date, datetime, time, timedelta
from pathlib import Path

import pytest

from bot.domain.errors import InvalidValueError
from bot.domain.expiries import has_settled, settles_at, third_friday, vix_monthlies, vix_settlement
from bot.domain.instrument import SPY, VIX, Instrument
from bot.domain.schedule import NEW_YORK, SessionCalendar
from tests.builders import a_future, an_option, vix_call

CALENDAR = SessionCalendar()
CONTRACTS = Path(__file__).parents[3] / ".." / "shared" / "data" / "vx_futures"

OF_2027 = [
    date(2026, 12, 16),
    date(2027, 1, 20),
    date(2027, 2, 17),
    date(2027, 3, 17),
    date(2027, 4, 21),
    date(2027, 5, 18),  # a Tuesday: 18 June 2027 is the observed Juneteenth holiday
    date(2027, 6, 16),
    date(2027, 7, 21),
    date(2027, 8, 18),
    date(2027, 9, 15),
    date(2027, 10, 20),
    date(2027, 11, 17),
    date(2027, 12, 22),
]
"""Monthly settlements by docs/contracts.md, section 3."""


def test_the_settlements_of_2027_are_those_of_the_table() -> None:
    """Thirteen months, one of them with a holiday in its rule."""
    assert list(vix_monthlies(date(2026, 12, 1), date(2027, 12, 31), CALENDAR)) == OF_2027


@pytest.mark.parametrize("settlement", OF_2027)
def test_the_settlement_of_a_month_is_found_by_its_month(settlement: date) -> None:
    """Year and month name the contract."""
    assert vix_settlement(settlement.year, settlement.month, CALENDAR) == settlement


def test_both_ends_of_a_range_belong_to_it() -> None:
    """A settlement on the first or last day is given, one outside is not."""
    assert list(vix_monthlies(date(2027, 1, 20), date(2027, 3, 17), CALENDAR)) == OF_2027[1:4]
    assert list(vix_monthlies(date(2027, 1, 21), date(2027, 3, 16), CALENDAR)) == OF_2027[2:3]
    assert list(vix_monthlies(date(2027, 1, 21), date(2027, 1, 31), CALENDAR)) == []


@pytest.mark.parametrize(
    ("month", "expected"),
    [((2014, 3), date(2014, 3, 18)), ((2019, 3), date(2019, 3, 19)), ((2025, 3), date(2025, 3, 18))],
)
def test_a_good_friday_moves_the_settlement_to_tuesday(month: tuple[int, int], expected: date) -> None:
    """The SPX expiry it refers to is then a Thursday, and the thirty days count from there."""
    assert vix_settlement(*month, CALENDAR) == expected


@pytest.mark.skipif(not CONTRACTS.is_dir(), reason="the shared real contracts are not on this machine")
def test_every_real_contract_settled_by_the_rule() -> None:
    """All 149 monthly contracts of 2013 to 2026 for which there is a file."""
    real = [date.fromisoformat(path.stem.removeprefix("VX_")) for path in CONTRACTS.glob("VX_*.csv")]
    assert len(real) == 149
    assert [day for day in real if vix_settlement(day.year, day.month, CALENDAR) != day] == []


def test_the_third_friday_lies_in_the_third_week() -> None:
    """The 15th at the earliest, the 21st at the latest."""
    fridays = [third_friday(year, month) for year in range(2004, 2028) for month in range(1, 13)]
    assert {day.weekday() for day in fridays} == {4}
    assert {day.day for day in fridays} == set(range(15, 22))


@pytest.mark.parametrize(
    ("contract", "hour"),
    [(vix_call(20), time(9, 30)), (a_future("VX"), time(9, 30)), (an_option(6500, trading_class="SPXW"), time(16))],
)
def test_a_contract_is_no_more_from_its_settlement_on(contract: Instrument, hour: time) -> None:
    """VIX and its futures at the open, SPX weeklies at the close; a moment before that they live."""
    assert contract.settlement is not None
    moment = datetime.combine(contract.settlement, hour, tzinfo=NEW_YORK)
    assert settles_at(contract) == moment
    assert has_settled(contract, moment)
    assert not has_settled(contract, moment - timedelta(seconds=1))


def test_a_share_and_an_index_never_settle() -> None:
    """They have no settlement, and asking for it is an error."""
    assert not has_settled(SPY, datetime(2100, 1, 1, tzinfo=NEW_YORK))
    with pytest.raises(InvalidValueError, match="does not settle"):
        settles_at(VIX)
