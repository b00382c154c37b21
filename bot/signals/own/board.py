"""From the quotes of one settlement to a board that the index can be computed from, or why there is none.

How it works: a quote counts when it is live, fresh, offered and not crossed; without a bid it counts as a bid of zero,
as the method has it. A quote that does not count is missing, which is not the same: its strike is left out and can
end no wing. Below the forward only the put is needed and above it only the call, near the forward both.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import Final

from bot.domain.instrument import Instrument, InstrumentKey, Right
from bot.domain.market import DataType, Quote
from bot.signals.own.settings import OwnIndexSettings
from bot.volindex import MINUTES_PER_YEAR, BoardRow, entering_options

Sides = Mapping[float, Mapping[Right, tuple[float, float]]]
"""Bid and ask in points of the options whose quotes count, by strike and right."""

_CLOCK_SLACK_S: Final = 1.0  # a receive time this far ahead is rounding, not a wrong clock
_NS: Final = 1_000_000_000
_ROWS_THAT_END: Final = 2
_UNUSED: Final = (0.0, 0.0)  # the in-the-money option of a strike far from the forward: nothing reads its price


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """The rows of one settlement; ``listed`` counts its strikes, ``oldest_age_s`` is of the oldest quote in use."""

    rows: tuple[BoardRow, ...]
    listed: int
    oldest_age_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class NoBoard:
    """A settlement whose quotes make no index, and why."""

    why: str


def read_board(
    options: Iterable[Instrument],
    quotes: Mapping[InstrumentKey, Quote],
    now: datetime,
    *,
    minutes: float,
    settings: OwnIndexSettings,
) -> Board | NoBoard:
    """Return the board of one settlement, complete enough to be believed, or why it is not.

    Args:
        options: All listed options of one class and settlement.
        quotes: As last received; others may be among them.
        now: The moment, aware.
        minutes: From now to settlement, positive.
        settings: What counts, and how complete it must be.

    Source: docs/methodology.md, M18.
    """
    listed = tuple(options)
    strikes = sorted({float(option.strike or 0) for option in listed})
    sides = _sides_of(listed, quotes, now, settings)
    forward = _forward_of(sides, growth=math.exp(settings.rate * minutes / MINUTES_PER_YEAR))
    if forward is None:
        return NoBoard(why=f"none of {len(strikes)} strikes has a live and fresh bid for both call and put")
    rows = tuple(row for strike in strikes if (row := _row_of(strike, sides.get(strike, {}), forward, settings)))
    why = _why_incomplete(rows, strikes, forward, minutes, settings)
    if why:
        return NoBoard(why=why)
    ages = [
        _age_s(quote, now) for option in listed if (quote := quotes.get(option.key)) and _counts(quote, now, settings)
    ]
    return Board(rows=rows, listed=len(strikes), oldest_age_s=max(ages))


def _sides_of(
    options: Iterable[Instrument], quotes: Mapping[InstrumentKey, Quote], now: datetime, settings: OwnIndexSettings
) -> Sides:
    found: dict[float, dict[Right, tuple[float, float]]] = {}
    for option in options:
        quote = quotes.get(option.key)
        if quote is None or option.right is None or quote.ask is None or not _counts(quote, now, settings):
            continue
        found.setdefault(float(option.strike or 0), {})[option.right] = (quote.bid or 0.0, quote.ask)
    return found


def _counts(quote: Quote, now: datetime, settings: OwnIndexSettings) -> bool:
    """Live, fresh, offered at a finite price and not crossed; it need not be bid for."""
    is_live = quote.data_type is DataType.LIVE
    is_fresh = -_CLOCK_SLACK_S <= _age_s(quote, now) <= settings.max_quote_age_s
    bid, ask = quote.bid or 0.0, quote.ask
    return is_live and is_fresh and ask is not None and 0.0 <= bid <= ask and 0.0 < ask < math.inf


def _age_s(quote: Quote, now: datetime) -> float:
    return now.astimezone(UTC).timestamp() - quote.at_ns / _NS


def _forward_of(sides: Sides, *, growth: float) -> float | None:
    """Return the forward by the strike where call and put, both bid for, are nearest; None without such a strike."""
    pairs = [
        (strike, (call[0] + call[1] - put[0] - put[1]) / 2.0)
        for strike, both in sides.items()
        if (call := both.get(Right.CALL)) and (put := both.get(Right.PUT)) and call[0] > 0.0 and put[0] > 0.0
    ]
    if not pairs:
        return None
    strike, difference = min(pairs, key=lambda pair: (abs(pair[1]), pair[0]))
    return strike + growth * difference


def _row_of(
    strike: float, both: Mapping[Right, tuple[float, float]], forward: float, settings: OwnIndexSettings
) -> BoardRow | None:
    """Return a strike's row, None where an option that it needs has no quote that counts."""
    is_near = abs(strike - forward) <= settings.pair_frac * forward
    needed = set(Right) if is_near else {Right.PUT if strike < forward else Right.CALL}
    if not needed <= both.keys():
        return None
    call, put = both.get(Right.CALL, _UNUSED), both.get(Right.PUT, _UNUSED)
    return BoardRow(strike=strike, call_bid=call[0], call_ask=call[1], put_bid=put[0], put_ask=put[1])


def _why_incomplete(
    rows: tuple[BoardRow, ...], strikes: list[float], forward: float, minutes: float, settings: OwnIndexSettings
) -> str:
    """Return why the rows are too few to believe, empty when they suffice."""
    if not any(row.strike <= forward for row in rows):
        return f"no strike at or below the forward of {forward:.2f} is quoted"
    entering = entering_options(rows, minutes=minutes, rate=settings.rate)
    if len(entering) < settings.least_options:
        return f"{len(entering)} options enter, at least {settings.least_options} are needed"
    (first, first_price), (last, last_price) = entering[0], entering[-1]
    between = sum(first <= strike <= last for strike in strikes)
    counted = sum(first <= row.strike <= last for row in rows)
    if counted < settings.least_counted_frac * between:
        return f"{counted} of {between} listed strikes between {first:g} and {last:g} have a quote that counts"
    low_edge, high_edge = (forward * (1.0 + side * settings.core_frac) for side in (-1, 1))
    neighbours = pairwise(strike for strike, _ in entering)
    gaps = ((high - low, low) for low, high in neighbours if high > low_edge and low < high_edge)
    gap, place = max(gaps, default=(0.0, first))
    if gap > settings.max_core_gap_frac * forward:
        return f"near the forward of {forward:.2f} no option enters for {gap:g} points above {place:g}"
    return _why_cut_off(
        dearest=max(price for _, price in entering),
        puts=(first, first_price, sum(row.strike < first for row in rows)),
        calls=(last, last_price, sum(row.strike > last for row in rows)),
        settings=settings,
    )


def _why_cut_off(
    *,
    dearest: float,
    puts: tuple[float, float, int],
    calls: tuple[float, float, int],
    settings: OwnIndexSettings,
) -> str:
    """Return which wing stops before its options are worthless; each is given by last strike, price, rows beyond."""
    for name, (strike, price, beyond) in (("puts", puts), ("calls", calls)):
        if beyond < _ROWS_THAT_END and price > settings.max_end_price_frac * dearest:
            return f"the {name} end at {strike:g} where they still cost {price:.2f} points: the chain is cut off"
    return ""
