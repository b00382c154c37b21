"""The half-life of a spread's deviation: known decays, what cannot be measured, a foreign estimator, real spreads."""

import math
import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.history.csv_files import load_symbol
from bot.domain.errors import InvalidValueError
from bot.domain.schedule import SessionCalendar
from bot.hedging.shifting.half_life import half_life_sessions
from bot.signals.daily import common_sessions

HISTORY = Path(__file__).parents[3] / ".." / "shared" / "data" / "history"
levels = st.floats(-200.0, 200.0).map(lambda level: round(level, 2))


@pytest.mark.parametrize("half_life", [0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 60.0])
@pytest.mark.parametrize("mean", [0.0, 5.0, -3.0])
def test_a_pure_decay_gives_its_half_life_back(half_life: float, mean: float) -> None:
    """A deviation that halves every h sessions has the half-life h, whatever it decays to."""
    spreads = [mean + 4.0 * 0.5 ** (session / half_life) for session in range(90)]
    assert half_life_sessions(spreads) == pytest.approx(half_life, rel=1e-6)


@pytest.mark.parametrize(
    "spreads",
    [
        (),
        (5.0,),
        (5.0, 4.0),
        (5.0,) * 90,
        (0.1,) * 90,
        (0.21,) * 89 + (0.1,),
        tuple(range(90)),
        tuple(1.1**session for session in range(90)),
        (1.0, 2.0) * 45,
        (1.0, 0.0, 0.0, 1.0),
        (0.0, 1e-200, 0.0),
        (1.62, 1.62, 7.0, 7.0, 1.62),
    ],
    ids=[
        "none",
        "one",
        "two",
        "constant",
        "constant in binary",
        "one move",
        "line",
        "growth",
        "zigzag",
        "b < 0",
        "tiny",
        "b of rounding alone",
    ],
)
def test_where_nothing_returns_there_is_no_half_life(spreads: tuple[float, ...]) -> None:
    """Too few spreads, no deviation, one that stays, grows, or changes its side every session."""
    assert half_life_sessions(spreads) is None


def test_three_spreads_are_enough() -> None:
    """Two pairs make a line: from 4 to 2 and from 2 to 1 it halves."""
    assert half_life_sessions((4.0, 2.0, 1.0)) == pytest.approx(1.0)


@pytest.mark.parametrize("wrong", [math.nan, math.inf, -math.inf])
def test_a_spread_that_is_no_number_is_refused(wrong: float) -> None:
    """The message says which one."""
    with pytest.raises(InvalidValueError, match="spread 2 must be finite"):
        half_life_sessions([5.0, 4.0, wrong, 3.0])


@given(seed=st.integers(0, 10**6), slope=st.floats(0.2, 0.97), size=st.integers(20, 120))
def test_the_slope_is_the_one_of_least_squares(seed: int, slope: float, size: int) -> None:
    """Noisy series agree with numpy's line through the same pairs."""
    chance = random.Random(seed)
    spreads = [chance.gauss(0.0, 1.0)]
    for _ in range(size):
        spreads.append(slope * spreads[-1] + chance.gauss(0.0, 1.0))
    b = float(np.polyfit(spreads[:-1], spreads[1:], 1)[0])
    found = half_life_sessions(spreads)
    if 1e-6 < b < 1.0 - 1e-6:
        assert found == pytest.approx(math.log(0.5) / math.log(b), rel=1e-6)
    elif not -1e-6 < b < 1.0 + 1e-6:
        assert found is None


@given(
    spreads=st.lists(levels, min_size=4, max_size=90),
    shift=st.integers(-50, 50),
    scale=st.sampled_from([0.25, 0.5, 2.0, 8.0]),
)
def test_neither_the_mean_nor_the_unit_matters(spreads: list[float], shift: int, scale: float) -> None:
    """The same spread in other units around another mean returns as fast."""
    found = half_life_sessions(spreads)
    other = half_life_sessions([scale * (spread + shift) for spread in spreads])
    if found is not None and 0.01 < found < 1000.0:
        assert other == pytest.approx(found, rel=1e-4)


@given(spreads=st.lists(levels, max_size=90))
def test_a_half_life_is_a_positive_number_or_nothing(spreads: list[float]) -> None:
    """Never zero, negative, infinite or NaN."""
    found = half_life_sessions(spreads)
    assert found is None or 0.0 < found < math.inf


@pytest.mark.skipif(not HISTORY.is_dir(), reason="the shared real history is not on this machine")
def test_real_spreads_return_within_days() -> None:
    """Over 90 sessions RVX minus VIX nearly always has a half-life; in the middle it is four sessions."""
    rvx, vix = load_symbol(HISTORY, "RVX"), load_symbol(HISTORY, "VIX")
    spreads = [small - large for _, small, large in common_sessions(rvx, vix, SessionCalendar())]
    windows = [spreads[end - 90 : end] for end in range(90, len(spreads) + 1)]
    found = sorted(half_life for one in windows if (half_life := half_life_sessions(one)) is not None)
    assert (len(windows), len(windows) - len(found)) == (3860, 5)
    assert found[len(found) // 2] == pytest.approx(4.0, abs=0.1)
