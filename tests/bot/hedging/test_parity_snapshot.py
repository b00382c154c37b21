"""What of a snapshot becomes a board: pairs, sizes, times and futures."""

import math
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from bot.domain.instrument import Instrument, Kind, Right
from bot.domain.market import DataType, Quote
from bot.domain.schedule import NEW_YORK
from bot.domain.snapshot import Snapshot
from bot.hedging.parity.board import parity_boards
from bot.hedging.parity.monitor import (
    NoParity,
    ParityReport,
    watch_parity,
)
from tests.bot.hedging.parity_rows import SETTINGS, SETTLES, a_row, an_es
from tests.builders import NOON, Scenery, a_quote, an_option

# from a snapshot ------------------------------------------------------------------------------------------------

EMPTY = Scenery(condors=1).snapshot()


def pair(strike: int, *, trading_class: str = "SPX", settlement: date = SETTLES) -> tuple[Instrument, Instrument]:
    """Call and put of one strike."""
    call, put = (
        an_option(strike, settlement, trading_class=trading_class, right=right, symbol=trading_class[:3])
        for right in (Right.CALL, Right.PUT)
    )
    return call, put


def quoted(options: Iterable[Instrument], *, at: datetime = NOON) -> Snapshot:
    """A moment in which every option of a flat forward is a point wide."""
    quotes = []
    for option in options:
        row = a_row(float(option.strike or 0))
        bid, ask = (row.call_bid, row.call_ask) if option.right is Right.CALL else (row.put_bid, row.put_ask)
        quotes.append(a_quote(option, bid, ask, size=30, at=at))
    return replace(EMPTY, quotes={quote.key: quote for quote in quotes})


def a_stock_future(trading_class: str, multiplier: int, settlement: date = SETTLES) -> Instrument:
    """A future on a stock index."""
    return Instrument(
        kind=Kind.FUTURE,
        symbol=trading_class,
        trading_class=trading_class,
        exchange="CME",
        multiplier=multiplier,
        settlement=settlement,
        last_trade=settlement,
    )


def test_every_settlement_gets_its_own_report() -> None:
    """Classes and days are kept apart, the nearest first; VIX options, futures and what has settled are no boards."""
    later = date(2027, 1, 15)
    chains = [
        *pair(5000),
        *pair(5000, trading_class="SPXW"),
        *pair(5010, settlement=later),
        *pair(2500, trading_class="RUT", settlement=later),
        *pair(20, trading_class="VIX"),
        *pair(5000, settlement=date(2026, 10, 20)),  # settled this morning
    ]
    reports = watch_parity(quoted(chains), [*chains, a_stock_future("ES", 50)], SETTINGS)
    assert [(report.trading_class, report.settlement) for report in reports] == [
        ("SPX", SETTLES),
        ("SPXW", SETTLES),
        ("RUT", later),
        ("SPX", later),
    ]
    assert all(isinstance(report, ParityReport) and report.is_clean for report in reports)


def test_time_runs_to_the_open_or_to_the_close() -> None:
    """A morning class settles six and a half hours before an afternoon one."""
    chains = [*pair(5000), *pair(5000, trading_class="SPXW")]
    morning, afternoon = parity_boards(quoted(chains), chains, SETTINGS)
    opens = datetime(2026, 12, 18, 9, 30, tzinfo=NEW_YORK)
    assert morning.years == pytest.approx((opens.timestamp() - NOON.timestamp()) / (365 * 86_400))
    assert (afternoon.years - morning.years) * 365 * 24 == pytest.approx(6.5)


Change = Callable[[Quote], Quote]


@pytest.mark.parametrize(
    "change",
    [
        lambda quote: replace(quote, at_ns=quote.at_ns - 61_000_000_000),
        lambda quote: replace(quote, at_ns=quote.at_ns + 2_000_000_000),
        lambda quote: replace(quote, data_type=DataType.DELAYED),
        lambda quote: replace(quote, bid=None),
        lambda quote: replace(quote, ask=None),
        lambda quote: replace(quote, bid=0.0),
        lambda quote: replace(quote, bid=-1.0),
        lambda quote: replace(quote, bid=quote.ask, ask=quote.bid),
        lambda quote: replace(quote, ask=math.nan),
        lambda quote: replace(quote, ask=math.inf),
        lambda quote: replace(quote, bid_size=0),
        lambda quote: replace(quote, ask_size=0),
    ],
)
@pytest.mark.parametrize("side", [0, 1])
def test_a_pair_with_a_bad_quote_is_left_out_and_counted(change: Change, side: int) -> None:
    """Old, early, delayed, one-sided, impossible, crossed or empty: that strike bounds nothing."""
    chain = [*pair(4990), *pair(5000), *pair(5010)]
    snapshot, spoilt = quoted(chain), chain[2 + side].key
    snapshot = replace(snapshot, quotes={**snapshot.quotes, spoilt: change(snapshot.quotes[spoilt])})
    (board,) = parity_boards(snapshot, chain, SETTINGS)
    assert [row.strike for row in board.rows] == [4990, 5010]
    assert board.left_out == 1


def test_a_minute_old_quote_still_counts_and_a_missing_half_does_not() -> None:
    """The edge belongs to what is fresh; a call without its put is half a pair."""
    chain = [*pair(4990), *pair(5000)]
    snapshot = quoted(chain, at=NOON - timedelta(seconds=60))
    (board,) = parity_boards(snapshot, chain[:-1], SETTINGS)
    assert [row.strike for row in board.rows] == [4990]
    assert board.left_out == 1
    (nothing,) = watch_parity(replace(snapshot, quotes={}), chain, SETTINGS)
    assert isinstance(nothing, NoParity)


def test_sizes_are_those_of_the_side_that_would_be_traded() -> None:
    """The forward is bought at the call's ask and the put's bid, and sold at the other two."""
    chain = call, put = pair(5000)
    snapshot = quoted(chain)
    quotes = {
        call.key: replace(snapshot.quotes[call.key], bid_size=4, ask_size=11),
        put.key: replace(snapshot.quotes[put.key], bid_size=8, ask_size=3),
    }
    (board,) = parity_boards(replace(snapshot, quotes=quotes), chain, SETTINGS)
    assert (board.rows[0].long_size, board.rows[0].short_size) == (8, 3)


@pytest.mark.parametrize(
    ("trading_class", "futures", "found"),
    [
        ("SPX", (("ES", 50, SETTLES), ("MES", 5, SETTLES)), "ES"),
        ("SPX", (("MES", 5, SETTLES),), "MES"),
        ("RUT", (("M2K", 5, SETTLES),), "M2K"),
        ("RUT", (("M2K", 5, SETTLES), ("RTY", 50, SETTLES)), "RTY"),
        ("SPX", (("ES", 50, date(2027, 3, 19)),), None),
        ("SPXW", (("ES", 50, SETTLES),), None),
        ("SPX", (("M2K", 5, SETTLES),), None),
    ],
)
def test_a_future_belongs_to_the_same_settlement_and_index(
    trading_class: str, futures: tuple[tuple[str, int, date], ...], found: str | None
) -> None:
    """ES and MES beside SPX, RTY and M2K beside RUT, on the same morning; an afternoon class has none."""
    chain = [*pair(5000, trading_class=trading_class), *(a_stock_future(*future) for future in futures)]
    quotes = {one.key: a_quote(one, 4999.0, 5001.0) for one in chain}
    (board,) = parity_boards(replace(EMPTY, quotes=quotes), chain, SETTINGS)
    assert (board.future.trading_class if board.future else None) == found


def test_a_future_without_a_good_quote_gives_way_to_the_smaller_one() -> None:
    """A stale ES is passed over for MES, and without either there is none."""
    es, mes = a_stock_future("ES", 50), a_stock_future("MES", 5)
    chain = [*pair(5000), es, mes]
    quotes = {
        es.key: a_quote(es, 4999.0, 5001.0, at=NOON - timedelta(minutes=2)),
        mes.key: a_quote(mes, 4999.0, 5001.0),
    }
    (with_mes,) = parity_boards(replace(EMPTY, quotes=quotes), chain, SETTINGS)
    (without,) = parity_boards(replace(EMPTY, quotes={}), chain, SETTINGS)
    assert with_mes.future == an_es(4999.0, 5001.0, multiplier=5, trading_class="MES", size=100)
    assert without.future is None
