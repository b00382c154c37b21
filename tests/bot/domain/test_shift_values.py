"""Expiry choices and measured sensitivities: values that contradict themselves cannot be made."""

import math
from collections.abc import Mapping
from datetime import UTC, date, datetime, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.errors import InvalidValueError
from bot.domain.events import SensitivityMeasured
from bot.domain.releases import Confidence, Release, ReleaseKind
from bot.domain.schedule import NEW_YORK
from bot.domain.shifts import Direction, Shift, ShiftInputs

DAYS = st.dates(min_value=date(2025, 1, 1), max_value=date(2026, 12, 31))
RELEASE = Release(
    kind=ReleaseKind.FOMC,
    at=datetime.combine(date(2026, 10, 28), time(14), tzinfo=NEW_YORK),
    source="a list",
    confidence=Confidence.COPIED,
)


def direction_between(base: date, settlement: date) -> Direction:
    """The direction of a step from one day to another."""
    if settlement == base:
        return Direction.NONE
    return Direction.FORWARD if settlement > base else Direction.BACKWARD


@given(base=DAYS, settlement=DAYS, said=st.sampled_from(Direction))
def test_a_choice_exists_exactly_where_its_direction_is_that_of_its_step(
    base: date, settlement: date, said: Direction
) -> None:
    """Of all directions that could be said of a step, the true one is accepted and no other."""
    true = direction_between(base, settlement)
    if said is true:
        choice = Shift(base=base, settlement=settlement, direction=said, because="so it is", release=RELEASE)
        assert choice.settlement == settlement
        return
    with pytest.raises(InvalidValueError, match=f"the direction is {true}, was {said}"):
        Shift(base=base, settlement=settlement, direction=said, because="so it is", release=RELEASE)


def test_where_nothing_is_offered_there_is_no_step() -> None:
    """Without a base choice there is no settlement either, and the direction is none."""
    nothing = Shift(base=None, settlement=None, direction=Direction.NONE, because="nothing within 60 days")

    assert nothing.settlement is None
    with pytest.raises(InvalidValueError, match="the direction is none, was forward"):
        Shift(base=None, settlement=None, direction=Direction.FORWARD, because="nothing", release=RELEASE)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"base": None}, "base and settlement exist together"),
        ({"settlement": None}, "base and settlement exist together"),
        ({"because": ""}, "because"),
        ({"release": None}, "names the release that caused it"),
    ],
)
def test_a_choice_that_is_half_said_is_refused(said: Mapping[str, str | None], why: str) -> None:
    """Half a pair, no reason, or a step forward that no release caused: none of them is a choice."""
    whole: dict[str, object] = {
        "base": date(2026, 10, 28),
        "settlement": date(2026, 11, 18),
        "direction": Direction.FORWARD,
        "because": "the decision comes after the settlement",
        "release": RELEASE,
    }
    with pytest.raises(InvalidValueError, match=why):
        Shift(**(whole | dict(said)))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"spread": math.nan}, "spread"),
        ({"peak_spread": 0.0}, "peak_spread"),
        ({"peak_spread": math.inf}, "peak_spread"),
        ({"closing_spreads": (4.0, math.nan)}, "closing spread 1"),
    ],
)
def test_spreads_that_are_no_numbers_are_named(said: Mapping[str, object], why: str) -> None:
    """What the backward rule reads is finite, a peak is above zero; the refusal says which was not."""
    with pytest.raises(InvalidValueError, match=why):
        ShiftInputs(**said)  # type: ignore[arg-type]


def test_a_spread_may_be_negative_or_unknown() -> None:
    """RVX below VIX happens, and so does a missing reading."""
    assert ShiftInputs(spread=-1.5, closing_spreads=(-0.5, 0.0)).peak_spread is None
    assert ShiftInputs().spread is None


@pytest.mark.parametrize("scale", [0.0, -1.0, math.nan, math.inf])
def test_a_sensitivity_is_a_finite_number_above_zero(scale: float) -> None:
    """A scale of nothing would silence every stress test that it multiplies."""
    with pytest.raises(InvalidValueError, match="scale"):
        SensitivityMeasured(at=datetime(2026, 10, 1, tzinfo=UTC), scale=scale, words="of 250 days")
