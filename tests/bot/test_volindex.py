"""The volatility index of an option board."""

import csv
import json
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.errors import InvalidValueError
from bot.domain.instrument import Right
from bot.pricing import black76_price
from bot.volindex import BoardRow, TermVariance, entering_options, term_variance, volatility_index

DATA = Path(__file__).parents[2] / ".." / "shared" / "data"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the published example is not part of the repository")


def a_board(vol: float, *, minutes: float, rate: float = 0.04, forward: float = 5000.0) -> list[BoardRow]:
    """Return the board of one volatility, without any spread, a strike every five points."""
    years = minutes / 525_600.0

    def price(strike: float, right: Right) -> float:
        return black76_price(forward=forward, strike=strike, years=years, vol=vol, rate=rate, right=right)

    rows = []
    for strike in range(1000, 15000, 5):
        call, put = price(strike, Right.CALL), price(strike, Right.PUT)
        rows.append(BoardRow(strike=strike, call_bid=call, call_ask=call, put_bid=put, put_ask=put))
    return rows


@needs_data
def test_the_published_example_comes_out_to_its_printed_digits() -> None:
    """Forward, contributions, variances and the index of the exchange's own worked example."""
    case = json.loads((DATA / "vectors.json").read_text())["vix_methodology_v6_example"]
    boards: dict[str, list[BoardRow]] = {}
    with (DATA / "vix_whitepaper" / "cboe_vix_v6_example_quotes.csv").open() as lines:
        for row in csv.DictReader(lines):
            prices = {name: float(row[name]) for name in ("strike", "call_bid", "call_ask", "put_bid", "put_ask")}
            boards.setdefault(row["term"], []).append(BoardRow(**prices))

    terms = [
        term_variance(board, minutes=minutes, rate=rate)
        for board, minutes, rate in zip(boards.values(), case["minutes"], case["R"], strict=True)
    ]

    assert [term.years for term in terms] == pytest.approx(case["T"], abs=1e-9)
    assert [term.forward for term in terms] == pytest.approx(case["F"], abs=1e-5)
    assert [term.at_the_money_strike for term in terms] == case["K0"]
    assert [term.contributions for term in terms] == pytest.approx(case["contribution_sums"], abs=1e-10)
    assert [term.variance for term in terms] == pytest.approx(case["sigma2"], abs=1e-8)
    assert volatility_index(*terms).points == pytest.approx(case["vix"], abs=1e-6)


@pytest.mark.parametrize("vol", [0.10, 0.18, 0.40, 0.80])
def test_a_board_of_one_volatility_has_that_index(vol: float) -> None:
    """Where every option is priced at one volatility, the index is that volatility."""
    terms = [term_variance(a_board(vol, minutes=days * 1440.0), minutes=days * 1440.0, rate=0.04) for days in (25, 32)]

    assert volatility_index(*terms).points == pytest.approx(100.0 * vol, abs=0.02)


def test_two_strikes_without_a_bid_end_a_wing_and_one_does_not() -> None:
    """What lies beyond two zero bids in a row is left out, however dear; beyond a single one it enters."""

    def board(*put_bids: float) -> list[BoardRow]:
        strikes = range(100 - 5 * len(put_bids), 100, 5)
        puts = [
            BoardRow(strike=strike, call_bid=20.0, call_ask=20.2, put_bid=bid, put_ask=bid + 0.2)
            for strike, bid in zip(strikes, put_bids, strict=True)
        ]
        money = BoardRow(strike=100, call_bid=3.0, call_ask=3.2, put_bid=3.0, put_ask=3.2)
        return [*puts, money, BoardRow(strike=105, call_bid=1.0, call_ask=1.2, put_bid=6.0, put_ask=6.2)]

    single, double = (
        term_variance(board(*bids), minutes=43_200, rate=0.0) for bids in ((0.5, 0.0, 1.0), (0.5, 0.0, 0.0, 1.0))
    )

    assert (single.strikes, double.strikes) == (4, 3)


@given(st.floats(23.0, 29.9), st.floats(30.1, 37.0), st.floats(0.01, 1.0))
def test_equal_variances_are_their_own_interpolation(near: float, far: float, variance: float) -> None:
    """Two terms of one variance give its root, wherever thirty days lie between them."""

    def term(days: float) -> TermVariance:
        return TermVariance(
            minutes=days * 1440.0,
            years=days / 365.0,
            forward=100.0,
            at_the_money_strike=100.0,
            contributions=0.0,
            variance=variance,
            strikes=2,
        )

    assert volatility_index(term(near), term(far)).points == pytest.approx(100.0 * math.sqrt(variance))


@given(st.floats(10.0, 40.0), st.floats(0.5, 20.0), st.floats(0.01, 1.0), st.floats(0.01, 1.0))
def test_the_weights_join_the_terms(near: float, apart: float, first: float, second: float) -> None:
    """They add up to one, and weigh the total variances to that of thirty days; beyond the terms one is negative."""

    def term(days: float, variance: float) -> TermVariance:
        return TermVariance(
            minutes=days * 1440.0,
            years=days / 365.0,
            forward=100.0,
            at_the_money_strike=100.0,
            contributions=0.0,
            variance=variance,
            strikes=2,
        )

    terms = term(near, first), term(near + apart, second)
    total = (near * first * (near + apart - 30.0) + (near + apart) * second * (30.0 - near)) / apart
    if total <= 0.0:
        with pytest.raises(InvalidValueError, match="variance must be positive"):
            volatility_index(*terms)
        return
    index = volatility_index(*terms)
    assert index.near_weight + index.far_weight == pytest.approx(1.0)
    assert (index.near_weight < 0.0) == (near + apart < 30.0)
    joined = index.near_weight * near * first + index.far_weight * (near + apart) * second
    assert index.points == pytest.approx(100.0 * math.sqrt(joined / 30.0))


@pytest.mark.parametrize(("rate", "centre"), [(0.04, 105.0), (3.0, 110.0)])
def test_what_enters_is_centred_at_the_forward_of_the_rate(rate: float, centre: float) -> None:
    """A gap of 4 points at 105 becomes more than 5 when it is compounded far enough, and the centre the next strike."""
    gaps = {95: 15.0, 100: 9.0, 105: 4.0, 110: -6.0, 115: -10.0}
    rows = [
        BoardRow(strike=strike, call_bid=20 + gap, call_ask=21 + gap, put_bid=20, put_ask=21)
        for strike, gap in gaps.items()
    ]
    prices = dict(entering_options(rows, minutes=43_200.0, rate=rate))
    assert prices[centre] == 20.5 + gaps[int(centre)] / 2
    assert term_variance(rows, minutes=43_200.0, rate=rate).at_the_money_strike == centre


def test_what_enters_a_variance_is_told() -> None:
    """Puts below the centre, calls above it, both at it, ascending; their sum is the term's."""
    board = a_board(0.2, minutes=43_200.0)
    term = term_variance(board, minutes=43_200.0, rate=0.04)

    entering = entering_options(reversed(board), minutes=43_200.0, rate=0.04)

    prices = {row.strike: (row.call_mid, row.put_mid) for row in board}
    assert len(entering) == term.strikes
    assert [strike for strike, _ in entering] == sorted(strike for strike, _ in entering)
    for strike, price in entering:
        call, put = prices[strike]
        expected = (call + put) / 2 if strike == 5000 else (put if strike < 5000 else call)
        assert price == expected


def test_a_board_without_an_index_is_refused_with_its_reason() -> None:
    """No bids, a strike twice, terms the wrong way round: each error says which."""
    row = BoardRow(strike=100, call_bid=3.0, call_ask=3.2, put_bid=3.0, put_ask=3.2)
    silent = BoardRow(strike=100, call_bid=0.0, call_ask=3.2, put_bid=3.0, put_ask=3.2)

    with pytest.raises(InvalidValueError, match="bid for both"):
        term_variance([silent], minutes=43_200, rate=0.0)
    with pytest.raises(InvalidValueError, match="each strike once"):
        term_variance([row, row], minutes=43_200, rate=0.0)
    with pytest.raises(InvalidValueError, match="at least two options"):
        term_variance([row], minutes=43_200, rate=0.0)
    board = a_board(0.2, minutes=43_200)
    term = term_variance(board, minutes=43_200, rate=0.04)
    with pytest.raises(InvalidValueError, match="must lie after"):
        volatility_index(term, term)


@pytest.mark.parametrize("changes", [{"strike": 0.0}, {"call_bid": -1.0}, {"put_ask": float("nan")}])
def test_a_row_that_no_board_has_is_refused(changes: dict[str, float]) -> None:
    """Strikes are positive, prices are not below zero."""
    row = {"strike": 100.0, "call_bid": 1.0, "call_ask": 1.1, "put_bid": 1.0, "put_ask": 1.1}

    with pytest.raises(InvalidValueError):
        BoardRow(**(row | changes))
