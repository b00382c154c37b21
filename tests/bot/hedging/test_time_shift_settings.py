"""Settings of the choice that contradict themselves are refused."""

import pytest

from bot.domain.errors import InvalidValueError
from bot.hedging.shifting.settings import TimeShiftSettings


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"ideal_days": 0}, "ideal_days"),
        ({"ideal_days": 20}, "ideal_days must lie in days_range 21..45, was 20"),
        ({"ideal_days": 46}, "ideal_days must lie in"),
        ({"days_range": (45, 21)}, "days_range and later_days_range ascend"),
        ({"days_range": (0, 45)}, "days_range and later_days_range ascend"),
        ({"days_range": (21, 46)}, "days_range and later_days_range ascend"),
        ({"later_days_range": (60, 46)}, "days_range and later_days_range ascend"),
        ({"event_window_days": 0}, "event_window_days"),
        ({"half_life_sessions": 2}, "half_life_sessions must be at least 3, was 2"),
        ({"days_per_session": 0.0}, "days_per_session"),
        ({"max_half_life_frac": 1.0}, "max_half_life_frac must lie between 0 and 1"),
        ({"max_half_life_frac": float("nan")}, "max_half_life_frac"),
        ({"off_peak_frac": 0.0}, "off_peak_frac must lie between 0 and 1"),
        ({"off_peak_frac": 1.0}, "off_peak_frac must lie between 0 and 1"),
    ],
)
def test_settings_that_contradict_themselves_are_refused(changes: dict[str, object], words: str) -> None:
    """A setting outside its range is refused with its name."""
    with pytest.raises(InvalidValueError, match=words):
        TimeShiftSettings(**changes)  # type: ignore[arg-type]  # wrong values on purpose


def test_the_edges_of_a_range_belong_to_it() -> None:
    """Three sessions are the fewest that have a half-life, and the ideal may be the first day or the last."""
    assert TimeShiftSettings(half_life_sessions=3).half_life_sessions == 3
    assert [TimeShiftSettings(ideal_days=days).ideal_days for days in (21, 45)] == [21, 45]
