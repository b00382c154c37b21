"""One night by itself: its moments, its levels and the hours within it."""

import math
from datetime import date, timedelta

import pytest
from floors import CALENDAR, EURO, SPY, a_call, a_floor, a_future
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.compose.serving import GatewayOptions, for_any_program
from bot.domain.errors import InvalidValueError
from bot.domain.instrument import RUT, RVX, SPX, VIX
from simulator.hours import day_ends, moments_open, phase_at
from simulator.world.levels import SYMBOLS, Levels
from simulator.world.market import NIGHT_STEP_S
from simulator.world.night import NightPath, night_path

_OPENED = a_floor()
INSTRUMENTS = (SPX, RUT, VIX, RVX, SPY, EURO, a_call(_OPENED), a_future(_OPENED, "VX"))
DAYS = (date(2026, 10, 20), date(2026, 10, 26), date(2026, 11, 18), date(2026, 11, 27), date(2026, 11, 30))
"""An ordinary night, a weekend, a settlement, the night of a holiday, the weekend after a half day."""
CLOSES = Levels(spx=6800.0, rut=2500.0, vix=17.0, rvx=22.5)
OPENING = Levels(spx=6600.0, rut=2400.0, vix=24.0, rvx=30.0)


def a_night(day: date = DAYS[0], *, closes: Levels = CLOSES, opening: Levels = OPENING, seed: int = 7) -> NightPath:
    """Return the night before a day in steps of a minute."""
    session = CALENDAR.session(day)
    assert session is not None
    moments = moments_open(CALENDAR.previous_session(day).closes_at, session.opens_at, 60, CALENDAR)
    return night_path(day=day, calendar=CALENDAR, moments=moments, closes=closes, opening=opening, seed=seed)


@pytest.mark.parametrize("day", DAYS)
def test_phases_of_a_night_are_those_of_the_hours(day: date) -> None:
    """Each step has the phase that the hours of its contract give to its moment."""
    night = a_night(day)
    for instrument in INSTRUMENTS:
        expected = tuple(phase_at(instrument, at, CALENDAR) for at in night.moments)
        assert night.phases(instrument) == expected


@pytest.mark.parametrize("day", DAYS)
def test_moments_ascend_by_a_step_and_lie_between_close_and_open(day: date) -> None:
    """Longer gaps are those in which nothing trades: a day ends before each of them."""
    session, before = CALENDAR.session(day), CALENDAR.previous_session(day)
    assert session is not None
    night = a_night(day)
    ends = day_ends(before.closes_at, session.opens_at, CALENDAR)
    for left, right in zip(night.moments, night.moments[1:], strict=False):
        assert right - left == timedelta(minutes=1) or left in ends

    assert before.closes_at < night.moments[0]
    assert night.moments[-1] < session.opens_at


@pytest.mark.parametrize("rvx_over_vix", [1.3, math.nan], ids=["with RVX", "without RVX"])
@settings(deadline=None, max_examples=20)
@given(st.floats(9.0, 80.0), st.floats(9.0, 80.0), st.floats(0.9, 1.1), st.integers(0, 1000))
def test_levels_of_a_night_are_positive_and_lead_from_end_to_end(
    rvx_over_vix: float, vix: float, later: float, gap: float, seed: int
) -> None:
    """Whatever gap is to be bridged, with RVX or without: all levels are positive, first and last near the ends."""
    closes = Levels(spx=6800.0, rut=2500.0, vix=vix, rvx=vix * rvx_over_vix)
    opening = Levels(spx=6800.0 * gap, rut=2500.0 * gap, vix=later, rvx=later * rvx_over_vix)
    night = a_night(closes=closes, opening=opening, seed=seed)
    first, last = night.of(0), night.of(night.steps - 1)

    for symbol in SYMBOLS[:3] if math.isnan(rvx_over_vix) else SYMBOLS:
        assert min(night.levels[symbol]) > 0
        assert first.of(symbol) == pytest.approx(closes.of(symbol), rel=0.06)
        assert last.of(symbol) == pytest.approx(opening.of(symbol), rel=0.06)
    assert all(night.of(step).small_cap_vol > 0 for step in range(0, night.steps, 50))


def test_the_same_seed_has_the_same_night_and_another_seed_another() -> None:
    """Levels depend on seed, day and ends alone."""
    assert a_night().levels == a_night().levels
    assert a_night().levels != a_night(seed=8).levels


def test_vix_answers_spx_at_night_too() -> None:
    """Around their lines SPX and VIX move against each other by about 1.4 points per percent."""
    still = Levels(spx=6800.0, rut=2500.0, vix=17.0, rvx=22.5)
    night = a_night(closes=still, opening=still)
    spx = [100.0 * (level / 6800.0 - 1.0) for level in night.levels["SPX"]]
    vix = [level - 17.0 for level in night.levels["VIX"]]
    slope = sum(x * y for x, y in zip(spx, vix, strict=True)) / sum(x * x for x in spx)

    assert slope == pytest.approx(-1.38, abs=0.1)


def test_a_path_that_does_not_fill_its_night_is_refused() -> None:
    """A series that is too short names its symbol."""
    night = a_night()
    with pytest.raises(InvalidValueError, match="SPX"):
        NightPath(
            day=night.day,
            calendar=CALENDAR,
            moments=night.moments,
            levels={**night.levels, "SPX": (1.0,)},
            vix=night.vix,
            closes=CLOSES,
        )


def test_the_gateway_for_any_program_plays_nights_and_a_bots_own_does_not() -> None:
    """Nights come with `alvh gateway`; without being asked for there are none."""
    assert for_any_program(GatewayOptions()).night_step_s == NIGHT_STEP_S
    assert GatewayOptions().night_step_s is None
