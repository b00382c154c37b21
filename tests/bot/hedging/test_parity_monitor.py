"""Put-call parity: bounds on the forward, what lies beyond them, and what is no finding."""

import csv
import json
import math
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.errors import InvalidValueError
from bot.domain.fees import FeeSchedule
from bot.hedging.parity.board import ParityFuture, ParityRow
from bot.hedging.parity.monitor import (
    SLIPPAGE_WARNING,
    NoParity,
    ParityKind,
    judge_parity,
)
from bot.hedging.parity.settings import ParitySettings
from tests.bot.hedging.parity_rows import (
    DATA,
    FORWARD,
    SETTINGS,
    SETTLES,
    YEARS,
    a_board,
    a_row,
    an_es,
    judged,
    needs_data,
    the_finding,
)

# bounds ---------------------------------------------------------------------------------------------------------


@needs_data
@pytest.mark.parametrize("term", ["near", "next"])
def test_the_published_board_is_clean_and_has_the_published_bounds(term: str) -> None:
    """Both terms of Cboe's board: bounds, their strikes and the strikes used agree with independent vectors."""
    case = json.loads((DATA / "vectors.json").read_text())["parity_forward_bounds"]
    rows = []
    with (DATA / "vix_whitepaper" / "cboe_vix_v6_example_quotes.csv").open() as lines:
        for row in csv.DictReader(lines):
            if row["term"] == term and float(row["call_bid"]) > 0 and float(row["put_bid"]) > 0:
                names = ("strike", "call_bid", "call_ask", "put_bid", "put_ask")
                rows.append(ParityRow(**{name: float(row[name]) for name in names}))  # type: ignore[arg-type] - by name
    board = replace(a_board(*rows), years=case["minutes"][term] / 525_600)

    report = judged(board, ParitySettings(rate=case["rates"][term]))

    expected = case[term]
    assert report.is_clean
    assert not expected["arbitrage"]
    assert report.lower.points == pytest.approx(expected["max_lower"], abs=case["tolerance"])
    assert report.upper.points == pytest.approx(expected["min_upper"], abs=case["tolerance"])
    assert report.lower.strike == expected["at_strike_lower"]
    assert report.upper.strike == expected["at_strike_upper"]
    assert report.strikes == expected["strikes_used"]
    assert report.words.endswith("strikes: clean")


CONSISTENT = st.lists(
    st.tuples(st.integers(3000, 8000), *(st.floats(0.0, 1.0) for _ in range(4))),
    min_size=1,
    max_size=12,
    unique_by=lambda drawn: drawn[0],
)
"""Strikes, and how far each of the four prices stands from the fair one."""


@given(CONSISTENT, st.floats(3000.0, 8000.0), st.floats(-0.02, 0.1), st.one_of(st.none(), st.floats(0.0, 3.0)))
def test_quotes_around_any_forward_are_never_a_finding(
    drawn: list[tuple[float, ...]], forward: float, rate: float, width: float | None
) -> None:
    """Bids below and asks above fair prices of one forward: its bounds enclose it, with or without a future."""
    rows = []
    for strike, *off in drawn:
        fair = a_row(strike, forward=forward, half=0.0, rate=rate)
        rows.append(
            replace(
                fair,
                call_bid=fair.call_bid - off[0],
                call_ask=fair.call_ask + off[1],
                put_bid=fair.put_bid - off[2],
                put_ask=fair.put_ask + off[3],
            )
        )
    future = None if width is None else an_es(forward - width, forward + width)

    report = judged(a_board(*rows, future=future), ParitySettings(rate=rate, margin_ticks=0, rate_doubt=0.0))

    assert report.is_clean
    assert report.lower.points <= forward + 1e-6
    assert report.upper.points >= forward - 1e-6


PRICES = st.floats(0.05, 300.0)
ROWS = st.lists(
    st.tuples(st.integers(4000, 6000), PRICES, st.floats(0.0, 5.0), PRICES, st.floats(0.0, 5.0)),
    min_size=2,
    max_size=10,
    unique_by=lambda drawn: drawn[0],
).map(
    lambda drawn: [
        ParityRow(strike=strike, call_bid=call, call_ask=call + wide, put_bid=put, put_ask=put + broad)
        for strike, call, wide, put, broad in drawn
    ]
)
"""Boards of any prices, most of them full of contradictions."""


@given(ROWS)
def test_one_more_strike_never_loosens_the_bounds(rows: list[ParityRow]) -> None:
    """With every strike the lower bound rises or stays, and the upper one falls or stays."""
    fewer, more = judged(a_board(*rows[:-1])), judged(a_board(*rows))
    assert more.lower.points >= fewer.lower.points
    assert more.upper.points <= fewer.upper.points


@given(ROWS, st.floats(0.1, 10.0))
def test_bounds_scale_with_prices_and_strikes(rows: list[ParityRow], factor: float) -> None:
    """Another unit of money gives the same bounds in that unit."""
    scaled = [
        replace(
            row,
            strike=row.strike * factor,
            call_bid=row.call_bid * factor,
            call_ask=row.call_ask * factor,
            put_bid=row.put_bid * factor,
            put_ask=row.put_ask * factor,
        )
        for row in rows
    ]
    one, other = judged(a_board(*rows)), judged(a_board(*scaled))
    assert other.lower.points == pytest.approx(one.lower.points * factor)
    assert other.upper.points == pytest.approx(one.upper.points * factor)


@given(ROWS)
def test_the_edge_of_a_box_is_what_its_legs_bring(rows: list[ParityRow]) -> None:
    """Cash of the four legs today, plus the certain payment at settlement discounted, minus four fees."""
    free = ParitySettings(margin_ticks=0, rate_doubt=0.0)
    report = judged(a_board(*rows), free)
    at = {row.strike: row for row in rows}
    sold, bought = at[int(report.lower.strike)], at[int(report.upper.strike)]
    cash = (sold.call_bid - sold.put_ask) - (bought.call_ask - bought.put_bid)
    certain = math.exp(-free.rate * YEARS) * (sold.strike - bought.strike)
    edge = cash + certain - 4 * 1.40 / 100
    boxes = [finding for finding in report.findings if finding.kind is ParityKind.BOX]
    assert bool(boxes) == (edge > 1e-9) or abs(edge) < 1e-9
    for box in boxes:
        assert box.edge_points == pytest.approx(edge, abs=1e-9)
        assert box.strikes == (sold.strike, bought.strike)


# findings -------------------------------------------------------------------------------------------------------


def test_a_constructed_box_is_found_with_its_edge() -> None:
    """One strike sells the forward 3 points above where another buys it: strikes, size, points and USD are told."""
    board = a_board(a_row(4900), a_row(5000), a_row(5100, forward=FORWARD + 5.0))

    finding = the_finding(board)

    gross = 5.0 * math.exp(-SETTINGS.rate * YEARS) - 2.0  # two pairs, each half a point away on both legs
    assert finding.kind is ParityKind.BOX
    assert finding.strikes == (5100, 4900)
    assert finding.size == 5
    assert finding.edge_points == pytest.approx(gross - 0.056, abs=1e-9)
    assert finding.edge_usd == pytest.approx(100 * finding.edge_points)
    assert finding.words == (
        "box of SPX 2026-12-18 at 5100 and 4900: 2.91 points (291 USD) a unit after fees, 5 in sight"
    )
    assert finding.words in judged(board).words


@pytest.mark.parametrize(
    ("bid", "ask", "kind", "edge"),
    [
        (4996.5, 4997.0, ParityKind.CONVERSION, 3.0),
        (5003.0, 5003.5, ParityKind.REVERSAL, 3.0),
        (4999.0, 5001.0, None, 0.0),
    ],
)
def test_the_future_of_the_same_settlement_is_compared(
    bid: float, ask: float, kind: ParityKind | None, edge: float
) -> None:
    """Far below, it is bought against the forward sold; far above, the other way round; between, nothing."""
    report = judged(a_board(a_row(5000), future=an_es(bid, ask)))
    if kind is None:
        assert report.is_clean
        return
    (finding,) = report.findings
    discount = math.exp(-SETTINGS.rate * YEARS)
    fees = (2 * 1.40 + 2 * 3.00) / 100  # two options and two ES
    assert (finding.kind, finding.strikes) == (kind, (5000,))
    assert finding.edge_points == pytest.approx(edge * discount - 1.0 - fees, abs=1e-9)
    assert finding.size == 4  # nine ES make four pairs of two


@pytest.mark.parametrize(
    ("future", "size"),
    [
        (an_es(4990, 4991, multiplier=50), 4),
        (an_es(4990, 4991, multiplier=5, trading_class="MES", size=19), None),
        (an_es(4990, 4991, multiplier=5, trading_class="MES", size=20), 1),
        (an_es(4990, 4991, multiplier=30), None),
        (an_es(4990, 4991, multiplier=250), None),
        (an_es(4990, 4991, size=0), None),
    ],
)
def test_whole_futures_must_match_one_option(future: ParityFuture, size: int | None) -> None:
    """Two ES or twenty MES make one option; too few in sight, or a multiplier that never matches: no finding."""
    findings = judged(a_board(a_row(5000), future=future)).findings
    assert [finding.size for finding in findings] == ([] if size is None else [size])


@pytest.mark.parametrize(("gap", "is_found"), [(0.24, False), (0.26, True), (-0.24, False), (-0.26, True)])
def test_only_what_exceeds_fees_and_two_ticks_is_told(gap: float, is_found: bool) -> None:  # noqa: FBT001 - a table
    """Four options cost 0.056 points and two ticks are 0.20: 0.256 is the edge of what is told."""
    settings = ParitySettings(rate=0.0, rate_doubt=0.0)
    board = a_board(a_row(4900, rate=0.0, half=0.0), a_row(5100, rate=0.0, half=0.0, forward=FORWARD + gap))
    report = judged(board, settings)
    assert report.is_clean is not is_found
    if not is_found:
        assert report.words.endswith("crossed by no more than fees, ticks and rate: clean")


@pytest.mark.parametrize(("gap", "is_found"), [(0.41, False), (0.42, True)])
def test_doubt_about_the_rate_grows_with_time_and_distance(gap: float, is_found: bool) -> None:  # noqa: FBT001 - a table
    """Half a percent over 0.16 years between strikes 200 apart is 0.16 points more to exceed."""
    board = a_board(a_row(4900, rate=0.0, half=0.0), a_row(5100, rate=0.0, half=0.0, forward=FORWARD + gap))
    assert judged(board, ParitySettings(rate=0.0)).is_clean is not is_found


@pytest.mark.parametrize(("below", "is_found"), [(0.58, False), (0.59, True)])
def test_the_tick_of_a_future_counts_too(below: float, is_found: bool) -> None:  # noqa: FBT001 - a table
    """Beside ES two ticks are 0.50, and two options with two futures cost 0.088."""
    board = a_board(a_row(5000, rate=0.0, half=0.0), future=an_es(4990.0, FORWARD - below))
    assert judged(board, ParitySettings(rate=0.0, rate_doubt=0.0)).is_clean is not is_found


def test_the_smaller_of_both_legs_is_the_size_and_the_lower_strike_wins_a_tie() -> None:
    """As much as is bid for where the forward is sold, and offered where it is bought."""
    seller = replace(a_row(5100, forward=FORWARD + 5.0), short_size=20, long_size=1)
    buyer = replace(a_row(4900, rate=0.0), call_bid=139.5, short_size=2, long_size=12)
    assert the_finding(a_board(seller, buyer)).size == 12
    assert the_finding(a_board(replace(seller, short_size=9), buyer)).size == 9
    equal = [a_row(strike, rate=0.0) for strike in (5100, 4900, 5000)]
    report = judged(a_board(*equal), ParitySettings(rate=0.0))
    assert (report.lower.strike, report.upper.strike) == (4900, 4900)


def test_cheap_options_have_finer_ticks_and_dearer_fees_need_more() -> None:
    """Two ticks of 0.05 suffice where all legs cost less than three points, and other fees move the edge."""

    def cheap(strike: float, gap: float) -> ParityRow:
        return ParityRow(
            strike=strike, call_bid=1.0 + gap, call_ask=1.0 + gap, put_bid=strike - 4999.0, put_ask=strike - 4999.0
        )

    settings = ParitySettings(rate=0.0, rate_doubt=0.0)
    board = a_board(cheap(5000, 0.16), cheap(5001, 0.0))
    dear = replace(settings, fees=FeeSchedule(per_contract_usd={"SPX": Decimal("1.60")}))
    assert the_finding(board, settings).edge_points == pytest.approx(0.16 - 0.056)
    assert judged(board, dear).is_clean


def test_a_wrong_rate_is_no_box() -> None:
    """Quotes of a market that lends at 4.4 % show no box between distant strikes to one that assumes 4 %."""
    rows = [a_row(strike, rate=0.044, half=0.0) for strike in (3500, 6500)]
    assert judged(a_board(*rows), ParitySettings(rate=0.04)).is_clean
    assert not judged(a_board(*rows), ParitySettings(rate=0.04, rate_doubt=0.0)).is_clean


def test_findings_on_rut_carry_the_warning() -> None:
    """What is found on RUT says that execution may eat it; on SPX it does not."""
    rows = (a_row(4900), a_row(5100, forward=FORWARD + 5.0))
    for trading_class, warned in (("RUT", True), ("RUTW", True), ("SPX", False), ("SPXW", False)):
        finding = the_finding(a_board(*rows, trading_class=trading_class))
        assert (SLIPPAGE_WARNING in finding.words) is warned
        assert finding.trading_class == trading_class


def test_a_board_without_pairs_says_why() -> None:
    """No bounds, no clean bill: the reason and how many strikes were looked at."""
    found = judge_parity(replace(a_board(), left_out=12), SETTINGS)
    assert found == NoParity(
        trading_class="SPX",
        settlement=SETTLES,
        why="none of 12 strikes has fresh, live quotes on both sides of call and put",
    )


# values ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: replace(a_row(5000), call_bid=0.0), "call_bid must be positive"),
        (lambda: replace(a_row(5000), put_bid=math.nan), "put_bid must be finite"),
        (lambda: replace(a_row(5000), call_ask=math.inf), "call_ask must be finite"),
        (lambda: replace(a_row(5000), put_ask=1.0), "crossed"),
        (lambda: replace(a_row(5000), long_size=-1), "long_size must not be negative"),
        (lambda: an_es(5001.0, 5000.0), "crossed"),
        (lambda: an_es(5000.0, 5001.0, multiplier=0), "multiplier must be positive"),
        (lambda: a_board(a_row(5000), a_row(5000)), "each strike once"),
        (lambda: replace(a_board(), years=0.0), "years must be positive"),
        (lambda: ParitySettings(rate=math.nan), "rate must be finite"),
        (lambda: ParitySettings(rate_doubt=-0.01), "rate_doubt must not be negative"),
        (lambda: ParitySettings(margin_ticks=-1), "margin_ticks must not be negative"),
        (lambda: ParitySettings(max_quote_age_s=0.0), "max_quote_age_s must be positive"),
    ],
)
def test_what_nobody_could_trade_is_refused(make: Callable[[], object], told: str) -> None:
    """Rows, futures, boards and settings say what they expected."""
    with pytest.raises(InvalidValueError, match=told):
        make()
