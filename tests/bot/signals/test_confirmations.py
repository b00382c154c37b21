"""Each confirmation: its formula on numbers that can be followed, its sign, its scale, and when it abstains."""

import math
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from statistics import mean, stdev

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.errors import InvalidValueError
from bot.domain.evidence import (
    ConfirmationName,
    DailySeries,
    EvidenceInputs,
    Fundamentals,
    Reading,
)
from bot.signals.evidence.breadth import read_breadth
from bot.signals.evidence.conviction import READERS
from bot.signals.evidence.indicators import wilder_rsi
from bot.signals.evidence.momentum import read_momentum
from bot.signals.evidence.sessions import clipped
from bot.signals.evidence.settings import EvidenceSettings
from bot.signals.evidence.strength import read_strength
from tests.bot.signals.evidence_builders import (
    SESSIONS,
    SETTINGS,
    TODAY,
    a_breadth,
    a_delivery,
    a_market,
    a_series,
    a_walk,
    evidence_of,
    some_net,
    why_of,
    with_history,
    without_history,
)

Read = Callable[[EvidenceInputs, EvidenceSettings, date], Reading]
PAIRS = [(read_strength, "SPX", "RUT"), (read_momentum, "SPY", "IWM")]
SEEDS = st.integers(0, 10_000)
AFTER = TODAY + timedelta(days=4)  # the Tuesday after New Year's Day
EARLIER = SESSIONS[-2]


def with_flows(*flows: object) -> EvidenceInputs:
    """Return the delivery with other cash flows."""
    inputs = a_delivery()
    return replace(inputs, fundamentals=replace(inputs.fundamentals, cash_flows=tuple(flows)))


def with_ratios(*ratios: object, held: frozenset[str] = frozenset({"O"})) -> EvidenceInputs:
    """Return the delivery with other quick ratios, and one name held."""
    return replace(a_delivery(), fundamentals=Fundamentals(quick_ratios=tuple(ratios)), satellite_names=held)


# all of them ------------------------------------------------------------------------------------------------------


def test_from_a_whole_delivery_every_confirmation_is_read() -> None:
    """Six readings in six words, each as of its newest input."""
    found = [read(a_delivery(), SETTINGS, TODAY) for read in READERS]
    assert [one.name for one in found] == list(ConfirmationName)
    assert [evidence_of(one) for one in found[3:]] == [0.0, evidence_of(found[4]), 0.0]
    assert {one.as_of for one in found[:5]} == {TODAY}  # type: ignore[union-attr] - none abstained


@pytest.mark.parametrize("read", READERS)
def test_from_nothing_every_confirmation_abstains(read: Read) -> None:
    """With the reason in words; nothing gives a silent zero."""
    assert why_of(read(EvidenceInputs(), SETTINGS, TODAY))


@settings(max_examples=25, deadline=None)
@given(seed=SEEDS)
def test_evidence_always_lies_between_minus_one_and_one(seed: int) -> None:
    """Whatever the market does, a confirmation is clipped."""
    for read in READERS:
        assert -1.0 <= evidence_of(read(a_delivery(seed), SETTINGS, TODAY)) <= 1.0


@settings(max_examples=15, deadline=None)
@given(seed=SEEDS, scale=st.floats(0.01, 100.0))
def test_scaling_all_prices_changes_nothing(seed: int, scale: float) -> None:
    """A confirmation knows relations alone, so that cents and splits of the whole history do not matter."""
    plain = a_delivery(seed)
    scaled = with_history(
        plain,
        *(
            DailySeries(symbol=one.symbol, rows=tuple((day, close * scale) for day, close in one.rows))
            for one in plain.histories.values()
        ),
    )
    for read in READERS:
        expected = evidence_of(read(plain, SETTINGS, TODAY))
        assert evidence_of(read(scaled, SETTINGS, TODAY)) == pytest.approx(expected, abs=1e-6)


@settings(max_examples=15, deadline=None)
@given(seed=SEEDS)
def test_the_order_of_the_inputs_does_not_matter(seed: int) -> None:
    """Histories and figures may be delivered in any order."""
    plain = a_delivery(seed)
    figures = plain.fundamentals
    turned = replace(
        plain,
        histories=dict(reversed(plain.histories.items())),
        fundamentals=Fundamentals(cash_flows=figures.cash_flows[::-1], quick_ratios=figures.quick_ratios[::-1]),
    )
    for read in READERS:
        assert read(turned, SETTINGS, TODAY) == read(plain, SETTINGS, TODAY)


@settings(max_examples=15, deadline=None)
@given(seed=SEEDS, back=st.integers(0, 60))
def test_what_comes_after_the_day_of_a_reading_is_not_looked_at(seed: int, back: int) -> None:
    """A reading of an earlier day from the whole history is that from the history of that day."""
    day = SESSIONS[-1 - back]
    whole = EvidenceInputs(histories=a_market(seed), breadth=a_breadth(some_net(seed)))
    assert whole.breadth is not None
    known = EvidenceInputs(
        histories={
            name: DailySeries(symbol=name, rows=tuple(row for row in one.rows if row[0] <= day))
            for name, one in whole.histories.items()
        },
        breadth=replace(whole.breadth, rows=tuple(row for row in whole.breadth.rows if row[0] <= day)),
    )
    for read in (read_strength, read_momentum, read_breadth):
        assert read(whole, SETTINGS, day) == read(known, SETTINGS, day)


@settings(max_examples=15, deadline=None)
@given(seed=SEEDS, longer=st.integers(1, 134))
def test_rows_older_than_the_window_change_nothing(seed: int, longer: int) -> None:
    """Two bots with histories of different lengths agree, because the averages begin with the window."""
    long = a_market(seed, count=500)
    short = {name: DailySeries(symbol=name, rows=one.rows[longer:]) for name, one in long.items()}
    for read in (read_strength, read_momentum):
        found = [read(EvidenceInputs(histories=histories), SETTINGS, TODAY) for histories in (long, short)]
        assert found[0] == found[1]


@pytest.mark.parametrize(("raw", "evidence"), [(-7.0, -1.0), (-0.3, -0.3), (0.0, 0.0), (1.5, 1.0)])
def test_evidence_is_clipped(raw: float, evidence: float) -> None:
    """To the range in which confirmations are compared."""
    assert clipped(raw) == evidence


@pytest.mark.parametrize("raw", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_not_clipped_into_one(raw: float) -> None:
    """A formula that went wrong must not pass for the strongest evidence."""
    with pytest.raises(InvalidValueError, match="evidence must be finite"):
        clipped(raw)


# prices in pairs --------------------------------------------------------------------------------------------------


@settings(max_examples=15, deadline=None)
@given(seed=SEEDS)
def test_swapping_large_and_small_flips_the_sign(seed: int) -> None:
    """What speaks for stress of the one speaks against stress of the other."""
    market = a_market(seed)
    for read, large, small in PAIRS:
        rows = {large: market[small].rows, small: market[large].rows}
        swapped = {name: DailySeries(symbol=name, rows=one) for name, one in rows.items()}
        forward = evidence_of(read(EvidenceInputs(histories=market), SETTINGS, TODAY))
        assert evidence_of(read(EvidenceInputs(histories=swapped), SETTINGS, TODAY)) == pytest.approx(-forward)


@pytest.mark.parametrize(("read", "large", "small"), PAIRS)
@pytest.mark.parametrize(("slide", "sign"), [(0.97, 1.0), (1.03, -1.0)])
def test_a_slide_of_small_caps_alone_confirms(read: Read, large: str, small: str, slide: float, sign: float) -> None:
    """Five sessions of -3 % in the small caps make +1, of +3 % make -1."""
    market = a_market(seed=5)
    closes = [close for _, close in market[small].rows]
    moved = closes[:-5] + [closes[-6] * slide**day for day in range(1, 6)]
    inputs = EvidenceInputs(histories={large: market[large], small: a_series(small, moved)})
    assert evidence_of(read(inputs, SETTINGS, TODAY)) == sign


def test_relative_strength_is_the_difference_of_both_rsi_from_its_mean() -> None:
    """Recomputed from the 366 sessions of the window with the tested RSI."""
    market = a_market(seed=5)
    closes = [np.array([close for _, close in market[name].rows[-366:]]) for name in ("SPX", "RUT")]
    difference = (wilder_rsi(closes[0], 14) - wilder_rsi(closes[1], 14))[-252:]
    expected = (difference[-1] - sum(difference) / 252) / 15.0
    assert abs(expected) < 1.0
    assert evidence_of(read_strength(EvidenceInputs(histories=market), SETTINGS, TODAY)) == pytest.approx(expected)


def test_momentum_divergence_is_counted_in_deviations() -> None:
    """Recomputed with plain loops: EMAs from the first close of 190, deviation over the last 90, halved."""

    def ema(values: list[float], span: int) -> list[float]:
        found = values[:1]
        for value in values[1:]:
            found.append(found[-1] + 2.0 / (span + 1) * (value - found[-1]))
        return found

    def histogram(closes: list[float]) -> list[float]:
        line = [100.0 * (fast / slow - 1.0) for fast, slow in zip(ema(closes, 12), ema(closes, 26), strict=True)]
        return [one - signal for one, signal in zip(line, ema(line, 9), strict=True)]

    market = a_market(seed=3)
    spy, iwm = (histogram([close for _, close in market[name].rows[-190:]]) for name in ("SPY", "IWM"))
    difference = [one - other for one, other in zip(spy, iwm, strict=True)][-90:]
    expected = difference[-1] / stdev(difference) / 2.0
    assert abs(expected) < 1.0
    assert evidence_of(read_momentum(EvidenceInputs(histories=market), SETTINGS, TODAY)) == pytest.approx(expected)


@pytest.mark.parametrize(("read", "large", "small"), PAIRS)
def test_the_live_level_is_the_close_so_far(read: Read, large: str, small: str) -> None:
    """Before the close the day's level stands in for it; a close that is there already holds."""
    market = a_market(seed=9)
    before = {
        name: DailySeries(symbol=name, rows=tuple(row for row in market[name].rows if row[0] < TODAY))
        for name in (large, small)
    }
    live = {name: market[name].rows[-1][1] for name in (large, small)}
    expected = read(EvidenceInputs(histories=market), SETTINGS, TODAY)
    with_live = EvidenceInputs(histories=before, live=live, live_on=TODAY)
    assert read(with_live, SETTINGS, TODAY) == expected
    assert read(EvidenceInputs(histories=market, live=dict.fromkeys(live, 1.0), live_on=TODAY), SETTINGS, TODAY) == (
        expected
    )
    of_another_day = read(replace(with_live, live_on=EARLIER), SETTINGS, TODAY)
    assert of_another_day == read(EvidenceInputs(histories=before), SETTINGS, TODAY)
    assert of_another_day != expected


@pytest.mark.parametrize(("read", "large", "small"), PAIRS)
@pytest.mark.parametrize("level", [math.nan, math.inf, 0.0, -1.0])
def test_a_live_level_that_is_none_makes_it_abstain(read: Read, large: str, small: str, level: float) -> None:
    """A broken feed is told, not worked around."""
    inputs = EvidenceInputs(histories=a_market(), live={small: level, large: 100.0}, live_on=TODAY)
    assert f"the live level of {small} is {level}" in why_of(read(inputs, SETTINGS, TODAY))


@pytest.mark.parametrize(("read", "large", "small"), PAIRS)
def test_a_missing_history_is_named(read: Read, large: str, small: str) -> None:
    """Either side of the pair."""
    for absent in (large, small):
        inputs = without_history(EvidenceInputs(histories=a_market()), absent)
        assert f"no close of {absent}" in why_of(read(inputs, SETTINGS, TODAY))


@pytest.mark.parametrize(
    ("read", "symbols", "needed"), [(read_strength, ("SPX", "RUT"), 366), (read_momentum, ("SPY", "IWM"), 190)]
)
def test_one_session_too_few_abstains(read: Read, symbols: tuple[str, str], needed: int) -> None:
    """Warm-up and window must be there in full."""
    enough = EvidenceInputs(histories={name: a_series(name, a_walk(at, needed)) for at, name in enumerate(symbols)})
    short = with_history(enough, a_series(symbols[1], a_walk(1, needed)[1:]))
    evidence_of(read(enough, SETTINGS, TODAY))
    assert f"have {needed - 1} common sessions up to {TODAY}, expected {needed}" in why_of(read(short, SETTINGS, TODAY))


@pytest.mark.parametrize(("read", "small"), [(read, small) for read, _, small in PAIRS])
def test_an_old_close_abstains(read: Read, small: str) -> None:
    """Four days are a long weekend, five are a gap; the older of both counts."""
    inputs = EvidenceInputs(histories=a_market())
    evidence_of(read(inputs, SETTINGS, AFTER))
    assert "5 days before" in why_of(read(inputs, SETTINGS, AFTER + timedelta(days=1)))
    halted = with_history(inputs, a_series(small, a_walk(4), without=SESSIONS[-5:]))
    assert f"the last common row is of {SESSIONS[-6]}" in why_of(read(halted, SETTINGS, TODAY))


@pytest.mark.parametrize(("read", "large", "small"), PAIRS)
def test_two_fresh_histories_without_a_fresh_common_session_abstain(read: Read, large: str, small: str) -> None:
    """Each has a row of this week, neither has the other's: the last common one is what counts."""
    inputs = EvidenceInputs(
        histories={
            large: a_series(large, a_walk(1), without=SESSIONS[-1:]),
            small: a_series(small, a_walk(2), without=SESSIONS[-5:-1]),
        }
    )
    assert f"the last common row is of {SESSIONS[-6]}, 8 days before" in why_of(read(inputs, SETTINGS, TODAY))


@pytest.mark.parametrize(("read", "small"), [(read, small) for read, _, small in PAIRS])
def test_a_hole_in_a_history_abstains(read: Read, small: str) -> None:
    """Five missing sessions are the most that a window may lack; the pair is joined by date."""
    whole = EvidenceInputs(histories=a_market())
    for count, is_read in [(5, True), (6, False)]:
        holed = with_history(whole, a_series(small, a_walk(4), without=SESSIONS[-60 : -60 + count]))
        found = read(holed, SETTINGS, TODAY)
        if is_read:
            evidence_of(found)
        else:
            assert "lack 6 sessions between" in why_of(found)


@pytest.mark.parametrize("read", [read_strength, read_momentum])
def test_rows_of_days_without_a_session_count_for_nothing(read: Read) -> None:
    """A source that repeats Friday's level on Saturdays changes no window."""
    plain = a_market()
    doubled = {
        name: DailySeries(
            symbol=name,
            rows=tuple(
                sorted((*one.rows, *((day + timedelta(days=1), 1.0) for day, _ in one.rows if day.weekday() == 4)))
            ),
        )
        for name, one in plain.items()
    }
    for day in (TODAY, AFTER):
        expected = read(EvidenceInputs(histories=plain), SETTINGS, day)
        assert read(EvidenceInputs(histories=doubled), SETTINGS, day) == expected


def test_prices_that_never_move_say_nothing() -> None:
    """An RSI of nothing and a deviation of nothing are no zeros."""
    still = EvidenceInputs(histories={name: a_series(name, [100.0] * 400) for name in ("SPX", "RUT", "SPY", "IWM")})
    assert "did not move at all" in why_of(read_strength(still, SETTINGS, TODAY))
    assert "never differed" in why_of(read_momentum(still, SETTINGS, TODAY))


def test_two_funds_that_are_the_same_say_nothing() -> None:
    """Their momentum never differs, so that no deviation measures it; rounding is no difference."""
    closes = a_walk(2)
    same = {"SPY": a_series("SPY", closes), "IWM": a_series("IWM", [close * 1.1 for close in closes])}
    assert "never differed" in why_of(read_momentum(EvidenceInputs(histories=same), SETTINGS, TODAY))


# breadth ----------------------------------------------------------------------------------------------------------


def test_breadth_divergence_is_the_difference_of_two_deviations() -> None:
    """Recomputed with plain loops from 110 sessions; SPX stands at no high."""
    closes, net = a_walk(8, count=110), some_net(6, count=110)
    line = [sum(net[: at + 1]) for at in range(110)]
    moves = [closes[at] / closes[at - 20] - 1.0 for at in range(20, 110)]
    changes = [float(line[at] - line[at - 20]) for at in range(20, 110)]
    z_index, z_line = ((one[-1] - mean(one)) / stdev(one) for one in (moves, changes))
    expected = (z_index - z_line) / 2.0
    assert abs(expected) < 1.0
    assert closes[-1] < max(closes[-20:])
    inputs = EvidenceInputs(histories={"SPX": a_series("SPX", closes)}, breadth=a_breadth(net))
    assert evidence_of(read_breadth(inputs, SETTINGS, TODAY)) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("last_close", "last_net", "is_full"),
    [
        (1.05, -100, True),  # SPX at a high, the line below that of the day before
        (1.05, 1500, False),  # both at a high
        (0.95, -100, False),  # neither
    ],
)
def test_a_high_that_breadth_does_not_share_is_the_strongest_evidence(
    last_close: float,
    last_net: int,
    is_full: bool,  # noqa: FBT001 - a table
) -> None:
    """SPX at a 20-session high while the line is not makes +1 whatever the deviations say."""
    closes = [100.0 + math.sin(at) for at in range(109)] + [100.0 * last_close]
    net = [int(200 * math.cos(at / 3)) for at in range(109)] + [last_net]
    inputs = EvidenceInputs(histories={"SPX": a_series("SPX", closes)}, breadth=a_breadth(net))
    found = read_breadth(inputs, SETTINGS, TODAY)
    assert (evidence_of(found) == 1.0) is is_full
    assert ("high that the advance-decline line lacks" in repr(found)) is is_full


def test_breadth_needs_the_same_sessions_on_both_sides() -> None:
    """Joined by date: the day that the store lacks is left out of SPX as well; six are too many."""
    closes, net = a_walk(8, count=120), some_net(6, count=120)
    inputs = EvidenceInputs(histories={"SPX": a_series("SPX", closes)}, breadth=a_breadth(net))
    lacking = replace(inputs, breadth=a_breadth(net, without=SESSIONS[-50:-45]))
    both = with_history(lacking, a_series("SPX", closes, without=SESSIONS[-50:-45]))
    assert read_breadth(lacking, SETTINGS, TODAY) == read_breadth(both, SETTINGS, TODAY)
    assert read_breadth(lacking, SETTINGS, TODAY) != read_breadth(inputs, SETTINGS, TODAY)
    holed = replace(inputs, breadth=a_breadth(net, without=SESSIONS[-50:-44]))
    assert "lack 6 sessions" in why_of(read_breadth(holed, SETTINGS, TODAY))


def test_breadth_speaks_of_the_last_session_that_has_counts() -> None:
    """The live level of SPX has no partner until advances and declines of the day are stored."""
    closes, net = a_walk(8, count=120), some_net(6, count=120)
    full = EvidenceInputs(
        histories={"SPX": a_series("SPX", closes)}, breadth=a_breadth(net), live={"SPX": 90.0}, live_on=AFTER
    )
    found = read_breadth(full, SETTINGS, AFTER)
    assert found == read_breadth(replace(full, live={}), SETTINGS, TODAY)


@pytest.mark.parametrize(
    ("closes", "net", "told"),
    [
        (a_walk(1, 109), some_net(1, 200), "have 109 common sessions"),
        (a_walk(1, 200), some_net(1, 109), "have 109 common sessions"),
        (a_walk(1, 200), [5] * 200, "change of the advance-decline line never changed"),
        ([100.0] * 200, some_net(1, 200), "change of SPX never changed"),
    ],
)
def test_breadth_that_cannot_be_measured_abstains(closes: list[float], net: list[int], told: str) -> None:
    """Too short on either side, or without any deviation."""
    inputs = EvidenceInputs(histories={"SPX": a_series("SPX", closes)}, breadth=a_breadth(net))
    assert told in why_of(read_breadth(inputs, SETTINGS, TODAY))


def test_breadth_without_counts_or_index_abstains() -> None:
    """Which of them is missing is told; counts of the future are none."""
    inputs = replace(a_delivery(), breadth=None)
    assert "no advances and declines up to" in why_of(read_breadth(inputs, SETTINGS, TODAY))
    future = replace(a_delivery(), breadth=a_breadth([7]))
    assert "no advances and declines up to" in why_of(read_breadth(future, SETTINGS, EARLIER))
    assert "no close of SPX" in why_of(read_breadth(without_history(a_delivery(), "SPX"), SETTINGS, TODAY))
