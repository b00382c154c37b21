"""The way back to base (M17): half of the overlay, rounded up, then the rest, the profitable first."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.orders import Purpose
from bot.domain.portfolio import Change, Lot
from bot.hedging.unwinding import Quota, portions, unwind_quota
from tests.builders import NOON, a_change, a_lot, a_sale, a_session, spread_legs

SESSION = a_session()
YESTERDAY = NOON - timedelta(days=1)
HOUR = 60.0


def _lots(*units: int) -> list[Lot]:
    return [a_lot(spread_legs(21, 26), units=each, lot_id=f"o-{place}") for place, each in enumerate(units)]


def _quota(units: int, changes: Sequence[Change] = (), now: datetime = NOON) -> Quota:
    return unwind_quota(_lots(units), changes, SESSION, now, HOUR)


@pytest.mark.parametrize(("held", "goes"), [(1, 1), (2, 1), (3, 2), (5, 3), (8, 4)])
def test_the_first_half_is_rounded_up(held: int, goes: int) -> None:
    """Of one unit all of it goes, of five units three."""
    assert _quota(held).units == goes


def test_what_has_gone_today_counts_for_the_half() -> None:
    """Three of five have been sold in this session: nothing more goes; one of three on its way: one more."""
    assert _quota(2, [a_sale(units=3)]).units == 0
    assert _quota(2, [a_sale(units=3)]).why == "calm: half of the overlay has gone, the rest goes in the next session"
    on_the_way = a_change(purpose=Purpose.OVERLAY_UNWIND, ordered=2, filled=0, is_live=True)
    assert _quota(5, [on_the_way]).units == 1


def test_the_rest_goes_in_the_session_after() -> None:
    """Once something was sold in an earlier session, all that is left may go, at any hour."""
    assert _quota(2, [a_sale(YESTERDAY, units=3)]).units == 2
    assert _quota(2, [a_sale(YESTERDAY, units=3)], SESSION.closes_at - timedelta(minutes=1)).units == 2


def test_a_sale_that_died_unfilled_begins_nothing() -> None:
    """An order of yesterday of which nothing filled is no first half."""
    dead = a_change(YESTERDAY, Purpose.OVERLAY_UNWIND, ordered=3, filled=0)
    assert _quota(5, [dead]).units == 3


def test_a_new_increase_begins_the_way_back_anew() -> None:
    """Sold yesterday, built again today: the half counts from the new whole."""
    assert _quota(4, [a_sale(YESTERDAY, units=3), a_change(NOON - timedelta(hours=2))]).units == 2


@pytest.mark.parametrize(("left", "units"), [(60, 2), (59, 0)])
def test_the_way_back_begins_only_with_an_hour_left(left: int, units: int) -> None:
    """At exactly an hour before the close it begins, a minute later it waits for the next session."""
    assert _quota(4, now=SESSION.closes_at - timedelta(minutes=left)).units == units


def test_outside_a_session_nothing_begins() -> None:
    """Without an open session the first half waits."""
    assert unwind_quota(_lots(4), (), None, NOON, HOUR).units == 0


def test_an_exit_is_no_step_of_the_way_back() -> None:
    """What was sold yesterday because its end was near does not count as the first half."""
    assert _quota(4, [a_change(YESTERDAY, Purpose.OVERLAY_EXIT)]).units == 2


def test_the_most_profitable_go_first() -> None:
    """Units are taken from the lot that has earned most, what cannot be valued last."""
    lots = _lots(2, 3, 4)
    shared = portions([(lots[0], -5.0), (lots[1], 40.0), (lots[2], float("-inf"))], 6)
    assert [(portion.lot.lot_id, portion.units) for portion in shared] == [("o-1", 3), ("o-0", 2), ("o-2", 1)]


@given(st.lists(st.integers(1, 9), min_size=1, max_size=5), st.integers(0, 60), st.data())
def test_portions_never_exceed_what_is_there(units: list[int], wanted: int, data: st.DataObject) -> None:
    """Exactly as much as wanted or all there is; never more of a lot than it holds."""
    lots = [(lot, data.draw(st.floats(-100, 100))) for lot in _lots(*units)]
    shared = portions(lots, wanted)
    assert sum(portion.units for portion in shared) == min(wanted, sum(units))
    assert all(0 < portion.units <= portion.lot.units_open for portion in shared)


@given(st.integers(1, 50))
def test_two_sessions_sell_everything(held: int) -> None:
    """Whatever is held, the first session's part and the second's are the whole."""
    first = _quota(held).units
    rest = held - first
    second = _quota(rest, [a_sale(YESTERDAY, units=first)]).units if rest else 0
    assert first > 0
    assert first + second == held
