"""Which settings of the planner contradict themselves."""

import pytest

from bot.domain.errors import InvalidValueError
from bot.hedging.settings import HedgeSettings, LayerSettings


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"max_overlay_frac": 0.21, "most_increment_frac": 0.2}, "never raised"),
        ({"least_increment_frac": 0.3}, "increments rise"),
        ({"least_increment_frac": 0.0}, "increments rise"),
        ({"most_increment_frac": 0.25}, "increments rise"),
        ({"most_increment_frac": float("nan")}, "most_increment_frac"),
        ({"least_excess": 0.8}, "excess must rise"),
        ({"least_long_delta": 0.5}, "long deltas rise"),
        ({"most_long_delta": 1.0}, "long deltas rise"),
        ({"widths_points": ()}, "widths"),
        ({"widths_points": (5.0, -1.0)}, "widths"),
        ({"widths_points": (float("inf"),)}, "width inf"),
        ({"vix_ceiling": 0.0}, "vix_ceiling"),
        ({"max_watched": 0}, "max_watched"),
        ({"collar_frac": float("nan")}, "collar_frac"),
    ],
)
def test_contradictions_are_refused(changes: dict[str, object], words: str) -> None:
    """A setting outside its range is refused with its name."""
    with pytest.raises(InvalidValueError, match=words):
        HedgeSettings(**changes)  # type: ignore[arg-type]  # wrong values on purpose


def test_an_overlay_may_be_kept_smaller() -> None:
    """The ceiling can be lowered together with the increments."""
    settings = HedgeSettings(max_overlay_frac=0.1, least_increment_frac=0.05, most_increment_frac=0.1)
    assert settings.max_overlay_frac == 0.1


def test_an_empty_layer_is_refused() -> None:
    """A layer has days and calls."""
    with pytest.raises(InvalidValueError, match="calls_per_ten_condors"):
        LayerSettings(days=30, calls_per_ten_condors=0, longest_days=70)
