"""From prices at moments to bars and ticks: which price a kind means, and how moments make a bar."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import groupby, pairwise
from typing import Final

from bot.domain.instrument import Instrument, Kind
from simulator.venue import Bar, PastQuote, PriceKind, Span, SpanUnit
from simulator.world import tape
from simulator.world.levels import SessionPath
from simulator.world.quotes import TwoSided

_SESSIONS_PER_YEAR: Final = 252
TRADED: Final = frozenset({PriceKind.TRADES, PriceKind.ADJUSTED_LAST})
VOLATILITIES: Final = frozenset({PriceKind.HISTORICAL_VOLATILITY, PriceKind.OPTION_IMPLIED_VOLATILITY})
_EXCHANGES: Final = {Kind.STOCK: "ARCA", Kind.CASH: "IDEALPRO"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """An instrument at a past moment: its value in points, its two sides where it has any, what traded up to it."""

    at: datetime
    step: int
    price: float
    sides: TwoSided | None
    volume: int = 0


def has_prices(instrument: Instrument, what: PriceKind) -> bool:
    """Return whether there is a past of this kind: indices have levels alone, currencies no trades."""
    if what in VOLATILITIES:
        return instrument.kind is Kind.STOCK or instrument.symbol in {"SPX", "RUT"}
    if instrument.symbol == "AD-NYSE":
        return False  # the broker keeps no history of breadth
    if instrument.kind is Kind.INDEX:
        return what in TRADED
    return instrument.kind is not Kind.CASH or what not in TRADED


def bar_of(moments: Sequence[Moment], what: PriceKind, at: datetime, day: date, volume: int) -> Bar:
    """Return the bar of some moments, at least one, in order of time."""
    if what is PriceKind.BID_ASK:
        return _bid_ask_bar(moments, at, day)
    prices = [price_of(moment, what) for moment in moments]
    traded = what in TRADED
    return Bar(
        at=at,
        day=f"{day:%Y%m%d}",
        open=prices[0],
        high=max(prices),
        low=min(prices),
        close=prices[-1],
        volume=volume if traded else 0,
        average=round(math.fsum(prices) / len(prices), 4),
        count=min(volume, 1 + volume // 3) if traded else 0,
    )


def level_bars(
    path: SessionPath, levels: Sequence[float], width: timedelta, window: tuple[datetime, datetime]
) -> Iterator[Bar]:
    """Yield the bars of a session's levels that begin before a window ends and end after it begins."""
    opens_at, instant = path.session.opens_at, timedelta(microseconds=1)
    number = max(0, (window[0] - opens_at) // width)
    while (at := opens_at + number * width) <= window[1]:
        steps = path.between(at, min(at + width - instant, window[1]))
        if steps and at + width > window[0]:
            told = levels[steps.start : steps.stop]
            average = round(math.fsum(told) / len(told), 4)
            yield Bar(
                at=at,
                day=f"{path.session.day:%Y%m%d}",
                open=told[0],
                high=max(told),
                low=min(told),
                close=told[-1],
                average=average,
            )
        number += 1


def flat_bar(level: float, at: datetime, day: date) -> Bar:
    """Return a bar of one level."""
    return Bar(at=at, day=f"{day:%Y%m%d}", open=level, high=level, low=level, close=level, average=level)


def price_of(moment: Moment, what: PriceKind) -> float:
    """Return the price that a kind means: a trade happens at the side that the tape chose, an index has its level."""
    sides = moment.sides
    if sides is None:
        return moment.price
    if what is PriceKind.BID:
        return float(sides.bid or 0)
    if what is PriceKind.ASK:
        return float(sides.ask)
    return float(sides.mid) if what is PriceKind.MIDPOINT else tape.print_price(sides, moment.step, seed=sides.bid_size)


def tick_of(
    instrument: Instrument, what: PriceKind, moment: Moment, steps: int, seed: int, *, pace: float = 1.0
) -> PastQuote | None:
    """Return the past tick of a moment, None where none of this kind fell on it; ``pace`` as in `tape.prints_at`."""
    sides = moment.sides
    if what is PriceKind.MIDPOINT or sides is None:
        return PastQuote(at=moment.at, last=price_of(moment, PriceKind.MIDPOINT))
    if what is PriceKind.BID_ASK:
        bid = None if sides.bid is None else float(sides.bid)
        return PastQuote(at=moment.at, bid=bid, ask=float(sides.ask), bid_size=sides.bid_size, ask_size=sides.ask_size)
    if not tape.prints_at(instrument, moment.step, steps, seed=seed, pace=pace):
        return None
    return PastQuote(
        at=moment.at,
        last=tape.print_price(sides, moment.step, seed=sides.bid_size),
        last_size=tape.print_size(sides, moment.step, seed=seed),
        exchange=_EXCHANGES.get(instrument.kind, instrument.exchange),
    )


def grouped(bars: Iterable[Bar], width: Span) -> tuple[Bar, ...]:
    """Return daily bars joined into bars of ``width``: sessions, calendar weeks, months or years."""
    told = list(bars)
    if width.unit is SpanUnit.DAY:
        chunks = [told[at : at + width.count] for at in range(0, len(told), max(1, width.count))]
        return tuple(joined(chunk) for chunk in chunks)
    return tuple(joined(list(same)) for _, same in groupby(told, key=lambda bar: _period(bar.day, width)))


def realised(closes: Sequence[float]) -> float:
    """Return the volatility of daily closes, a fraction per year: root mean square of log returns, 252 sessions.

    >>> round(realised([100.0, 101.0, 100.0, 101.0]), 4)
    0.158
    """
    returns = [math.log(after / before) for before, after in pairwise(closes)]
    return math.sqrt(math.fsum(move * move for move in returns) / len(returns) * _SESSIONS_PER_YEAR)


def _bid_ask_bar(moments: Sequence[Moment], at: datetime, day: date) -> Bar:
    bids, asks = ([price_of(each, what) for each in moments] for what in (PriceKind.BID, PriceKind.ASK))
    return Bar(
        at=at,
        day=f"{day:%Y%m%d}",
        open=math.fsum(bids) / len(bids),
        high=max(asks),
        low=min(bids),
        close=math.fsum(asks) / len(asks),
    )


def joined(bars: Sequence[Bar]) -> Bar:
    """Return one bar made of several, in order of time."""
    volume = sum(bar.volume for bar in bars)
    return replace(
        bars[0],
        high=max(bar.high for bar in bars),
        low=min(bar.low for bar in bars),
        close=bars[-1].close,
        volume=volume,
        average=math.fsum(bar.average for bar in bars) / len(bars),
        count=sum(bar.count for bar in bars),
    )


def _period(day: str, width: Span) -> tuple[int, int]:
    """Return the calendar period of a day: year with week or month, in groups of the width's count."""
    found = date.fromisoformat(day)
    if width.unit is SpanUnit.WEEK:
        return (0, (found.toordinal() - 1) // 7 // width.count)
    if width.unit is SpanUnit.MONTH:
        return (1, (found.year * 12 + found.month - 1) // width.count)
    return (2, found.year // width.count)
