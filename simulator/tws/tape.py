"""The conversation about every tick and every five seconds: tick by tick, real-time bars, the book."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from bot.domain.instrument import Instrument
from simulator.listing import ContractQuery
from simulator.tws.answers.prices import BookRow, RealTimeBar, SmartBookRow, TickByTick
from simulator.tws.desk import Desk, QuoteListener
from simulator.tws.line import Line
from simulator.tws.moments import epoch
from simulator.tws.past_ticks import past_ticks
from simulator.tws.requests.prices import (
    CancelDepth,
    CancelRealTimeBars,
    CancelTickByTick,
    ReqDepth,
    ReqRealTimeBars,
    ReqTickByTick,
)
from simulator.tws.resolved import NotPlaced, legs_of
from simulator.venue import Bar, BarRequest, DepthRow, PriceKind, Span, SpanUnit, StepPlayed, VenueQuote

BAR_S: Final = 5
"""The one width of real-time bars."""
MOST_DEPTH_ROWS: Final = 20
_MOST_HISTORY: Final = 1_000
_LAST, _ALL_LAST, _SIDES, _MIDPOINT = 1, 2, 3, 4
_KINDS: Final = {
    "Last": (_LAST, PriceKind.TRADES),
    "AllLast": (_ALL_LAST, PriceKind.TRADES),
    "BidAsk": (_SIDES, PriceKind.BID_ASK),
    "MidPoint": (_MIDPOINT, PriceKind.MIDPOINT),
}
_BAR_KINDS: Final = {kind.value: kind for kind in (PriceKind.TRADES, PriceKind.MIDPOINT, PriceKind.BID, PriceKind.ASK)}
_WIDTH: Final = Span(count=BAR_S, unit=SpanUnit.SECOND)
_LONGEST_GAP: Final = timedelta(minutes=5)
_INSERT, _UPDATE, _DELETE = 0, 1, 2
_ASKS, _BIDS = 0, 1


@dataclass(frozen=True, slots=True)
class _Ticks:
    """A stream of single ticks: its kind, how it hears, and what was told last."""

    instrument: Instrument
    kind: int
    ignore_size: bool
    hear: QuoteListener
    told: tuple[object, ...] = ()


@dataclass(frozen=True, slots=True)
class _Bars:
    """A stream of real-time bars, told up to a moment."""

    instrument: Instrument
    what: PriceKind
    regular_only: bool
    until: datetime


@dataclass(frozen=True, slots=True)
class _Book:
    """A stream of a book as it was told last."""

    instrument: Instrument
    rows: int
    is_smart: bool
    bids: tuple[DepthRow, ...] = ()
    asks: tuple[DepthRow, ...] = ()


class TapeDesk:
    """One client's finest streams."""

    def __init__(self, line: Line, desk: Desk) -> None:
        """Begin without streams."""
        self._line = line
        self._desk = desk
        self._ticks: dict[int, _Ticks] = {}
        self._bars: dict[int, _Bars] = {}
        self._books: dict[int, _Book] = {}

    # Requests

    def tick_by_tick(self, request: ReqTickByTick) -> None:
        """Begin a stream of single ticks, with some past ones first where they were asked for."""
        if request.kind not in _KINDS:
            self._refuse(request.req_id, f"{request.kind!r} is not one of {', '.join(_KINDS)}")
            return
        instrument = self._instrument(request.req_id, request.contract, self._ticks)
        if instrument is None:
            return
        kind, past = _KINDS[request.kind]
        if request.count > 0:
            now, count = self._desk.floor.now(), min(_MOST_HISTORY, request.count)
            found = self._desk.floor.past_quotes(instrument, past, start=None, end=now, count=count)
            self._line.tell(past_ticks(request.req_id, past, found, ignore_size=request.ignore_size))
        stream = _Ticks(instrument, kind, request.ignore_size, partial(self._tick, request.req_id))
        quote = self._desk.follow(instrument, stream.hear)
        self._ticks[request.req_id] = (
            replace(stream, told=_seen(stream, quote)) if kind in {_LAST, _ALL_LAST} else stream
        )
        self._tick(request.req_id, quote)

    def cancel_tick_by_tick(self, request: CancelTickByTick) -> None:
        """End a stream of single ticks."""
        found = self._ticks.pop(request.req_id, None)
        if found is None:
            self._line.error(request.req_id, 300, f"Can't find EId with tickerId:{request.req_id}")
            return
        self._desk.unfollow(found.instrument, found.hear)

    def real_time_bars(self, request: ReqRealTimeBars) -> None:
        """Begin a bar every five seconds; the first one is the next that is complete."""
        what = _BAR_KINDS.get(request.what)
        if what is None or request.width_s not in {0, BAR_S}:
            self._refuse(request.req_id, f"real-time bars of {request.width_s} s and {request.what!r} are not served")
            return
        instrument = self._instrument(request.req_id, request.contract, self._bars)
        if instrument is None:
            return
        self._desk.floor.watch(instrument)
        self._bars[request.req_id] = _Bars(instrument, what, request.regular_hours, self._desk.floor.now())

    def cancel_real_time_bars(self, request: CancelRealTimeBars) -> None:
        """End real-time bars."""
        found = self._bars.pop(request.req_id, None)
        if found is None:
            self._line.error(request.req_id, 300, f"Can't find EId with tickerId:{request.req_id}")
            return
        self._desk.floor.unwatch(found.instrument)

    def depth(self, request: ReqDepth) -> None:
        """Tell the book now, and every row of it that changes."""
        if request.rows <= 0:
            self._refuse(request.req_id, f"{request.rows} rows are no book")
            return
        instrument = self._instrument(request.req_id, request.contract, self._books)
        if instrument is None:
            return
        self._desk.floor.watch(instrument)
        self._books[request.req_id] = _Book(instrument, min(MOST_DEPTH_ROWS, request.rows), request.is_smart)
        self._tell_book(request.req_id)

    def cancel_depth(self, request: CancelDepth) -> None:
        """End the stream of a book."""
        found = self._books.pop(request.req_id, None)
        if found is None:
            self._line.error(
                request.req_id, 310, f"Can't find the subscribed market depth with tickerId:{request.req_id}"
            )
            return
        self._desk.floor.unwatch(found.instrument)

    # What happens

    def step_played(self, step: StepPlayed) -> None:
        """Tell the bars that are complete, and what changed in the books."""
        for req_id in self._bars:
            self._tell_bars(req_id, step.at)
        for req_id in self._books:
            self._tell_book(req_id)

    def end_all(self) -> None:
        """End all streams: the client is gone, or its data line is lost."""
        for ticks in self._ticks.values():
            self._desk.unfollow(ticks.instrument, ticks.hear)
        for bars in self._bars.values():
            self._desk.floor.unwatch(bars.instrument)
        for book in self._books.values():
            self._desk.floor.unwatch(book.instrument)
        for streams in (self._ticks, self._bars, self._books):
            streams.clear()

    # Parts

    def _instrument(
        self, req_id: int, query: ContractQuery, streams: dict[int, _Ticks] | dict[int, _Bars] | dict[int, _Book]
    ) -> Instrument | None:
        """Return the one contract that is meant, or answer 200, 321 or 322."""
        if query.sec_type == "BAG":
            self._refuse(req_id, "a combo has no such stream")
            return None
        legs = legs_of(query, self._desk.floor)
        if isinstance(legs, NotPlaced):
            self._line.error(req_id, legs.code, legs.text)
            return None
        if req_id in streams:
            self._line.error(req_id, 322, "Error processing request: duplicate ticker id")
            return None
        return legs[0].instrument

    def _refuse(self, req_id: int, text: str) -> None:
        self._line.error(req_id, 321, f"Error validating request: {text}")

    def _tick(self, req_id: int, quote: VenueQuote) -> None:
        stream = self._ticks[req_id]
        seen = _seen(stream, quote)
        if seen == stream.told or None in seen:
            return
        self._ticks[req_id] = replace(stream, told=seen)
        self._line.tell(_tick_of(req_id, stream, quote))

    def _tell_bars(self, req_id: int, at: datetime) -> None:
        """Tell the bars that ended since the last look."""
        stream = self._bars[req_id]
        until = max(stream.until, at - _LONGEST_GAP)
        reach = Span(count=int((at - until).total_seconds()) + 2 * BAR_S, unit=SpanUnit.SECOND)
        request = BarRequest(what=stream.what, width=_WIDTH, reach=reach, end=at, regular_only=stream.regular_only)
        for bar in self._desk.floor.bars(stream.instrument, request):
            ended = bar.at + timedelta(seconds=BAR_S)
            if until < ended <= at:
                self._line.tell(_bar_of(req_id, bar))
                until = ended
        self._bars[req_id] = replace(stream, until=until)

    def _tell_book(self, req_id: int) -> None:
        stream = self._books[req_id]
        depth = self._desk.floor.depth(stream.instrument, stream.rows)
        asks, bids = depth.asks[: stream.rows], depth.bids[: stream.rows]
        rows = [
            *_changes(req_id, stream, _ASKS, stream.asks, asks),
            *_changes(req_id, stream, _BIDS, stream.bids, bids),
        ]
        self._books[req_id] = replace(stream, bids=bids, asks=asks)
        self._line.tell(*rows)


def _bar_of(req_id: int, bar: Bar) -> RealTimeBar:
    return RealTimeBar(
        req_id=req_id,
        at=epoch(bar.at),
        open=bar.open,
        high=bar.high,
        low=bar.low,
        close=bar.close,
        volume=bar.volume,
        average=bar.average or bar.close,
        count=bar.count,
    )


def _seen(stream: _Ticks, quote: VenueQuote) -> tuple[object, ...]:
    """Return what makes a tick of a kind a new one; a part that is missing makes none."""
    if stream.kind == _SIDES:
        sides = (quote.bid, quote.ask)
        return sides if stream.ignore_size else (*sides, quote.bid_size, quote.ask_size)
    if stream.kind == _MIDPOINT:
        return (None if quote.bid is None or quote.ask is None else quote.bid + quote.ask,)
    return (quote.last, quote.last_size, quote.volume)


def _tick_of(req_id: int, stream: _Ticks, quote: VenueQuote) -> TickByTick:
    at, bid, ask = epoch(quote.at), float(quote.bid or 0), float(quote.ask or 0)
    if stream.kind == _SIDES:
        return TickByTick(
            req_id=req_id, kind=_SIDES, at=at, bid=bid, ask=ask, bid_size=quote.bid_size, ask_size=quote.ask_size
        )
    if stream.kind == _MIDPOINT:
        return TickByTick(req_id=req_id, kind=_MIDPOINT, at=at, midpoint=(bid + ask) / 2.0)
    return TickByTick(
        req_id=req_id,
        kind=stream.kind,
        at=at,
        price=quote.last or 0.0,
        size=quote.last_size,
        exchange=stream.instrument.exchange,
    )


def _changes(
    req_id: int, stream: _Book, side: int, before: tuple[DepthRow, ...], after: tuple[DepthRow, ...]
) -> list[BookRow | SmartBookRow]:
    """Return the rows that lead from one book to the next; rows that are gone leave from the end."""
    rows = [
        _book_row(req_id, stream, position, _INSERT if position >= len(before) else _UPDATE, side, row)
        for position, row in enumerate(after)
        if position >= len(before) or row != before[position]
    ]
    gone = range(len(before) - 1, len(after) - 1, -1)
    return rows + [_book_row(req_id, stream, position, _DELETE, side, before[position]) for position in gone]


def _book_row(
    req_id: int, stream: _Book, position: int, operation: int, side: int, row: DepthRow
) -> BookRow | SmartBookRow:
    if not stream.is_smart:
        return BookRow(req_id=req_id, position=position, operation=operation, side=side, price=row.price, size=row.size)
    return SmartBookRow(
        req_id=req_id,
        position=position,
        maker=row.maker,
        operation=operation,
        side=side,
        price=row.price,
        size=row.size,
        is_smart=True,
    )
