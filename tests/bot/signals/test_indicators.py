"""RSI, exponential averages, MACD and PPO against worked numbers and the shared test vectors."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.history.csv_files import load_symbol
from bot.domain.errors import InvalidValueError
from bot.signals.evidence.indicators import (
    FloatArray,
    Seeding,
    Spans,
    exponential_average,
    macd,
    ppo,
    wilder_rsi,
)

SHARED = Path(__file__).parents[3] / ".." / "shared" / "data"
needs_vectors = pytest.mark.skipif(
    not (SHARED / "vectors.json").is_file(), reason="the shared test vectors are not on this machine"
)
LONG = st.lists(st.floats(1.0, 1e4), min_size=40, max_size=80)


def vectors(name: str) -> dict[str, Any]:
    """Return one chapter of the shared vectors."""
    found: dict[str, Any] = json.loads((SHARED / "vectors.json").read_text())[name]
    return found


def last_closes(symbol: str, count: int) -> FloatArray:
    """Return the last closes of the shared history."""
    return np.array([row.close for row in load_symbol(SHARED / "history", symbol)[-count:]])


@needs_vectors
def test_wilders_rsi_meets_the_printed_example() -> None:
    """Nineteen values of the widely printed QQQQ example, to half a hundredth."""
    chapter = vectors("rsi_wilder")
    found = wilder_rsi(np.array(chapter["prices"]), chapter["period"])
    assert found == pytest.approx(chapter["rsi14"], abs=chapter["tolerance"] + 1e-9)


@needs_vectors
@pytest.mark.parametrize("symbol", ["IWM", "SPY"])
def test_wilders_rsi_meets_the_real_closes(symbol: str) -> None:
    """The last value of two hundred real closes."""
    expected = vectors("rsi_wilder")["real_closes"][symbol]
    found = wilder_rsi(last_closes(symbol, 200), 14)[-1]
    assert found == pytest.approx(expected["rsi14_last"], abs=expected["tolerance"])


@needs_vectors
@pytest.mark.parametrize("symbol", ["IWM", "SPY"])
def test_macd_seeded_with_means_meets_the_real_closes(symbol: str) -> None:
    """Line, signal and histogram of two hundred real closes."""
    chapter = vectors("macd")
    expected = chapter["real_closes"][symbol]
    found = macd(last_closes(symbol, expected["n"]), Spans(fast=12, slow=26, signal=9), Seeding.SIMPLE_MEAN)
    last = (found.line[-1], found.signal[-1], found.histogram[-1])
    told = (expected["macd_last"], expected["signal_last"], expected["hist_last"])
    assert last == pytest.approx(told, abs=chapter["tolerance"])


@pytest.mark.parametrize(
    ("closes", "expected"),
    [
        ([10.0, 11.0, 12.0, 13.0], [100.0, 100.0]),  # gains alone
        ([13.0, 12.0, 11.0, 10.0], [0.0, 0.0]),  # losses alone
        ([10.0, 11.0, 10.0, 10.0], [50.0, 50.0]),  # as much up as down, then nothing: the averages shrink alike
        ([10.0, 12.0, 11.0, 12.0], [200.0 / 3.0, 80.0]),  # AG 1, AL 0.5; then AG 1, AL 0.25
    ],
)
def test_wilders_rsi_on_small_numbers(closes: list[float], expected: list[float]) -> None:
    """With a period of two every average can be followed by hand."""
    assert wilder_rsi(np.array(closes), 2) == pytest.approx(expected)


def test_an_rsi_of_prices_that_never_moved_is_no_number() -> None:
    """Neither gains nor losses: 50 would be a guess; the first move ends it."""
    found = wilder_rsi(np.array([5.0, 5.0, 5.0, 5.0, 6.0]), 2)
    assert np.isnan(found).tolist() == [True, True, False]
    assert found[-1] == 100.0


@pytest.mark.parametrize(
    ("seeding", "expected"),
    [(Seeding.FIRST_VALUE, [2.0, 3.0, 5.5, 4.75]), (Seeding.SIMPLE_MEAN, [14.0 / 3.0, 13.0 / 3.0])],
)
def test_an_exponential_average_starts_from_its_seed(seeding: Seeding, expected: list[float]) -> None:
    """Span 3 moves half of the way to each new value."""
    assert exponential_average(np.array([2.0, 4.0, 8.0, 4.0]), 3, seeding) == pytest.approx(expected)


def test_macd_on_small_numbers() -> None:
    """Fast span 1 is the close itself: 4 - 3, 8 - 5.5, 4 - 4.75; the signal of span 1 is the line."""
    found = macd(np.array([2.0, 4.0, 8.0, 4.0]), Spans(fast=1, slow=3, signal=1), Seeding.FIRST_VALUE)
    assert found.line == pytest.approx([0.0, 1.0, 2.5, -0.75])
    assert found.histogram == pytest.approx([0.0] * 4)


def test_ppo_is_macd_in_percent_of_the_slow_average() -> None:
    """1 / 3, 2.5 / 5.5 and -0.75 / 4.75 of the same numbers."""
    found = ppo(np.array([2.0, 4.0, 8.0, 4.0]), Spans(fast=1, slow=3, signal=3), Seeding.FIRST_VALUE)
    assert found.line == pytest.approx([0.0, 100.0 / 3.0, 250.0 / 5.5, -75.0 / 4.75])
    assert found.signal[:2] == pytest.approx([0.0, 50.0 / 3.0])
    assert found.histogram == pytest.approx(found.line - found.signal)


@pytest.mark.parametrize(
    ("seeding", "shape"),
    [(Seeding.FIRST_VALUE, 40), (Seeding.SIMPLE_MEAN, 40 - 25 - 8)],
)
def test_all_parts_of_a_divergence_end_with_the_last_close(seeding: Seeding, shape: int) -> None:
    """Means cost the first 25 closes and the first 8 values of the line."""
    found = ppo(np.linspace(10.0, 20.0, 40), Spans(), seeding)
    assert {found.line.shape, found.signal.shape, found.histogram.shape} == {(shape,)}


@pytest.mark.parametrize(
    ("count", "told"),
    [(14, "at least 15 values, was given 14"), (0, "at least 15 values, was given 0")],
)
def test_an_rsi_needs_one_close_more_than_changes(count: int, told: str) -> None:
    """Too few closes are an error, not a shorter average."""
    with pytest.raises(InvalidValueError, match=told):
        wilder_rsi(np.ones(count), 14)


def test_a_mean_seed_needs_a_whole_span() -> None:
    """A mean of fewer values would be another average."""
    with pytest.raises(InvalidValueError, match="at least 26 values, was given 25"):
        macd(np.ones(25), Spans(), Seeding.SIMPLE_MEAN)


@given(closes=LONG)
def test_an_rsi_lies_between_zero_and_a_hundred(closes: list[float]) -> None:
    """Or is no number, while nothing has moved."""
    found = wilder_rsi(np.array(closes), 14)
    assert ((found >= 0.0) & (found <= 100.0) | np.isnan(found)).all()


@given(closes=LONG)
def test_turning_prices_upside_down_mirrors_the_rsi(closes: list[float]) -> None:
    """Gains become losses: the two add up to a hundred."""
    up, down = wilder_rsi(np.array(closes), 14), wilder_rsi(-np.array(closes), 14)
    assert np.nan_to_num(up + down, nan=100.0) == pytest.approx([100.0] * len(up))


@given(closes=LONG, seeding=st.sampled_from(Seeding))
def test_an_exponential_average_stays_within_its_values(closes: list[float], seeding: Seeding) -> None:
    """It is a weighted mean with positive weights."""
    found = exponential_average(np.array(closes), 12, seeding)
    assert min(closes) * (1 - 1e-12) <= found.min() <= found.max() <= max(closes) * (1 + 1e-12)


@given(closes=LONG, scale=st.floats(0.01, 100.0))
def test_ppo_knows_no_scale(closes: list[float], scale: float) -> None:
    """Prices in cents have the same PPO as prices in USD."""
    plain = ppo(np.array(closes), Spans(), Seeding.FIRST_VALUE).histogram
    scaled = ppo(np.array(closes) * scale, Spans(), Seeding.FIRST_VALUE).histogram
    assert scaled == pytest.approx(plain, rel=1e-6, abs=1e-6)


def test_the_two_seedings_agree_in_the_end() -> None:
    """A hundred sessions on, less than a thousandth of the seed is left."""
    waves = 100.0 + 10.0 * np.sin(np.arange(200) / 7.0)
    first, mean = (exponential_average(waves, 26, seeding)[-1] for seeding in Seeding)
    assert first == pytest.approx(mean, abs=1e-3)
