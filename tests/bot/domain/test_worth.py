"""What losses are measured from: days, weeks, the highest, and money that was paid in or taken out."""

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.errors import InvalidValueError
from bot.domain.schedule import NEW_YORK
from bot.domain.worth import Transfer, Worth, moved

MONDAY = datetime(2026, 10, 19, 12, 0, tzinfo=NEW_YORK)
DAY = timedelta(days=1)


def usd(amount: int) -> Decimal:
    """Dollars."""
    return Decimal(amount)


def measures(worth: Worth) -> tuple[int, int, int, int]:
    """Now, day, week and highest, in whole dollars."""
    return int(worth.now_usd), int(worth.day_usd), int(worth.week_usd), int(worth.peak_usd)


def test_the_first_figure_begins_everything() -> None:
    """Nothing was lost before anything was known."""
    assert measures(Worth.begun(usd(100), MONDAY)) == (100, 100, 100, 100)


def test_a_day_and_a_week_begin_with_the_last_figure_before_them() -> None:
    """What is lost overnight or over a weekend is a loss of the day and of the week after it."""
    worth = Worth.begun(usd(100), MONDAY).after(usd(110), MONDAY + timedelta(hours=1))
    assert measures(worth) == (110, 100, 100, 110)
    tuesday = worth.after(usd(105), MONDAY + DAY)
    assert measures(tuesday) == (105, 110, 100, 110)
    next_monday = tuesday.after(usd(90), MONDAY + 7 * DAY)
    assert measures(next_monday) == (90, 105, 105, 110)


def test_the_week_is_the_iso_week_over_new_year() -> None:
    """The last days of December and the first of January are one week where the calendar says so."""
    wednesday = datetime(2026, 12, 30, 12, 0, tzinfo=NEW_YORK)
    worth = Worth.begun(usd(100), wednesday).after(usd(90), wednesday + 2 * DAY)  # 1 January is in the same week
    assert measures(worth) == (90, 100, 100, 100)
    a_year_on = Worth.begun(usd(100), wednesday).after(usd(90), wednesday + 371 * DAY)  # the week of the same number
    assert measures(a_year_on)[2] == 100


def test_an_older_figure_changes_nothing() -> None:
    """Figures that arrive late do not turn the day back."""
    worth = Worth.begun(usd(100), MONDAY)
    assert worth.after(usd(50), MONDAY - timedelta(seconds=1)) == worth


def test_a_withdrawal_is_no_loss() -> None:
    """Every measure moves by it on its day, once, and the highest stays while the money is still there."""
    taken = (Transfer(on=MONDAY.date() + DAY, amount_usd=usd(-40)),)
    worth = Worth.begun(usd(100), MONDAY)
    early = worth.after(usd(100), MONDAY + DAY - timedelta(hours=3), taken)
    assert measures(early) == (100, 60, 60, 60)
    later = early.after(usd(60), MONDAY + DAY, taken)
    assert measures(later) == (60, 60, 60, 60)
    assert measures(later.after(usd(61), MONDAY + 2 * DAY, taken)) == (61, 60, 60, 61)


def test_a_deposit_hides_no_loss() -> None:
    """After a deposit of 50 an account that shows 140 instead of 150 has lost 10."""
    paid = (Transfer(on=MONDAY.date() + DAY, amount_usd=usd(50)),)
    worth = Worth.begun(usd(100), MONDAY).after(usd(140), MONDAY + DAY, paid)
    assert measures(worth) == (140, 150, 150, 150)


def test_transfers_of_days_without_a_figure_count_with_the_next_one() -> None:
    """A transfer on a Saturday moves what Monday is measured from."""
    friday = MONDAY + 4 * DAY
    paid = (Transfer(on=friday.date() + DAY, amount_usd=usd(-10)),)
    worth = Worth.begun(usd(100), friday).after(usd(90), friday + 3 * DAY, paid)
    assert measures(worth) == (90, 90, 90, 90)


def test_what_a_person_has_looked_at_is_measured_anew() -> None:
    """All measures begin with the last figure."""
    worth = Worth.begun(usd(100), MONDAY).after(usd(80), MONDAY + DAY)
    assert measures(worth.anew()) == (80, 80, 80, 80)


@pytest.mark.parametrize("figure", ["NaN", "Infinity", "-Infinity", "0", "-1", "1.797e308", "1000000000000.01"])
def test_an_impossible_figure_changes_nothing(figure: str) -> None:
    """A broker that is not ready says 0, which is no loss of everything."""
    worth = Worth.begun(usd(100), MONDAY)
    assert moved(worth, Decimal(figure), MONDAY + DAY) == worth
    assert moved(None, Decimal(figure), MONDAY) is None


def test_a_figure_that_can_be_believed_moves_the_measures() -> None:
    """The largest account is one, and the first figure begins them."""
    begun = moved(None, Decimal(10) ** 12, MONDAY)
    assert begun is not None
    after = moved(begun, usd(5), MONDAY + DAY)
    assert after is not None
    assert after.now_usd == 5


@given(st.lists(st.tuples(st.integers(1, 10**6), st.integers(0, 40)), min_size=1, max_size=20))
def test_the_highest_is_the_highest_and_nothing_is_lost_in_a_gap(steps: list[tuple[int, int]]) -> None:
    """Over any figures the highest is their maximum, and the losses of all days add up to the whole change."""
    at, worth = MONDAY, Worth.begun(usd(steps[0][0]), MONDAY)
    figures, by_days = [steps[0][0]], Decimal(0)
    for figure, hours in steps[1:]:
        at += timedelta(hours=hours)
        after = worth.after(usd(figure), at)
        if after.day_usd != worth.day_usd or after.at.date() != worth.at.date():
            by_days += worth.now_usd - worth.day_usd
        worth, figures = after, [*figures, figure]
    assert worth.peak_usd == max(figures)
    assert by_days + worth.now_usd - worth.day_usd == figures[-1] - figures[0]


def test_measures_and_transfers_that_are_none_are_refused() -> None:
    """No number that is not finite, no naive time, no transfer of nothing."""
    with pytest.raises(InvalidValueError, match="now_usd"):
        Worth.begun(Decimal("NaN"), MONDAY)
    with pytest.raises(InvalidValueError, match="at"):
        Worth.begun(usd(1), MONDAY.replace(tzinfo=None))
    with pytest.raises(InvalidValueError, match="must not be 0"):
        Transfer(on=date(2026, 10, 19), amount_usd=usd(0))
    with pytest.raises(InvalidValueError, match="amount_usd"):
        Transfer(on=date(2026, 10, 19), amount_usd=Decimal("Infinity"))
