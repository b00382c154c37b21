"""How much to add: the increment and whole contracts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.hedging.settings import HedgeSettings
from bot.hedging.sizing import contracts_for, increment_frac, is_within_band

SETTINGS = HedgeSettings()


@pytest.mark.parametrize(
    ("excess", "frac"), [(0.0, 0.10), (0.25, 0.10), (0.26, 0.102), (0.5, 0.15), (0.75, 0.20), (0.76, 0.20), (9.0, 0.20)]
)
def test_the_increment_rises_with_the_excess(excess: float, frac: float) -> None:
    """10 % at an excess of 0.25, 20 % at 0.75, a straight line between, flat outside (M2)."""
    assert increment_frac(excess, SETTINGS) == pytest.approx(frac)


@given(low=st.floats(0, 5), high=st.floats(0, 5))
def test_a_wider_peak_never_asks_for_less(low: float, high: float) -> None:
    """The increment is monotone, so that it ratchets with the peak."""
    low, high = sorted((low, high))
    assert increment_frac(low, SETTINGS) <= increment_frac(high, SETTINGS) <= SETTINGS.most_increment_frac


@pytest.mark.parametrize(
    ("gap", "room", "each", "count"),
    [
        (26.0, 34.0, 13.0, 2),
        (6.4, 34.0, 13.0, 0),
        (6.5, 34.0, 13.0, 1),
        (19.4, 34.0, 13.0, 1),
        (19.6, 34.0, 13.0, 2),
        (39.0, 26.0, 13.0, 2),
        (39.0, 25.9, 13.0, 1),
        (13.0, 12.9, 13.0, 0),
        (0.0, 34.0, 13.0, 0),
        (-5.0, 34.0, 13.0, 0),
        (13.0, 0.0, 13.0, 0),
        (13.0, 34.0, 0.0, 0),
        (13.0, 34.0, -1.0, 0),
        (float("nan"), 34.0, 13.0, 0),
        (13.0, float("nan"), 13.0, 0),
        (13.0, 34.0, float("nan"), 0),
    ],
)
def test_contracts_are_the_nearest_that_fit(gap: float, room: float, each: float, count: int) -> None:
    """Nearest whole number, less than half is none, never more than the room holds; no number gives none."""
    assert contracts_for(gap=gap, room=room, each=each) == count


@given(gap=st.floats(0.1, 1e5), room=st.floats(0.1, 1e5), each=st.floats(0.1, 1e3))
def test_contracts_never_exceed_the_room(gap: float, room: float, each: float) -> None:
    """What is bought fits, up to rounding, and reaches the gap within half a contract where there is room."""
    count = contracts_for(gap=gap, room=room, each=each)
    assert count * each <= room * (1 + 1e-6) + 1e-6 * each
    if room >= gap + each:
        assert abs(count * each - gap) <= each * (0.5 + 1e-9)


@pytest.mark.parametrize(("gap", "within"), [(3.4, True), (3.41, False), (-1.0, True)])
def test_two_percent_of_the_base_is_not_traded(gap: float, within: bool) -> None:  # noqa: FBT001 - a table
    """A gap of 3.4 on a base of 170 is inside the no-trade band."""
    assert is_within_band(gap=gap, base=170.0, settings=SETTINGS) is within
