"""A window that is too long for its book still gets a book, and a run of it ends before anything expires."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from bot.compose.books import plan_for_window
from bot.domain.schedule import SessionCalendar

CALENDAR = SessionCalendar()


@given(st.dates(date(2010, 1, 4), date(2025, 1, 2)), st.integers(0, 400))
def test_each_layer_has_a_settlement_of_its_own(start: date, days: int) -> None:
    """Whatever the window, the three layers settle on three days, and all of them after it begins."""
    plan = plan_for_window(start, start + timedelta(days=days), CALENDAR)
    assert len(set(plan.vix_settlements)) == 3
    assert all(day >= start for day in plan.vix_settlements)
