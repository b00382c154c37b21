"""The conversation about present prices: streams and snapshots of contracts and combos.

Everything here is live: a client that asks for delayed prices is told live ones with 58 saying so, as the broker does
for who is subscribed; one that asks for frozen prices is told 2 while nothing trades.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any, Final

from bot.domain.instrument import AD_NYSE, Instrument, Kind
from simulator.tws.answers.prices import MarketDataType, SnapshotEnd, TickParameters, TickPrice, TickSize
from simulator.tws.combos import combo_quote
from simulator.tws.desk import Desk, QuoteListener
from simulator.tws.layout import encode
from simulator.tws.line import Line
from simulator.tws.requests.contract import contract_of
from simulator.tws.requests.prices import CancelMarketData, ReqMarketData, ReqMarketDataType
from simulator.tws.resolved import NotPlaced, legs_of
from simulator.tws.ticks import AVERAGE_VOLUME, HIGH_13, HIGH_26, HIGH_52, LOW_13, LOW_26, LOW_52, Subscription
from simulator.tws.ticks import generic_ticks as generic_ticks_of
from simulator.venue import Bar, BarRequest, Phase, PriceKind, Span, SpanUnit, VenueLeg, VenueQuote

_LIVE: Final = 1
_FROZEN: Final = 2
_FROZEN_WANTED: Final = frozenset({2, 4})
_NO_SHARES: Final = 3  # snapshot permissions: both ways
_YEARLY: Final = "165"
_WEEKS: Final = ((13, LOW_13, HIGH_13), (26, LOW_26, HIGH_26), (52, LOW_52, HIGH_52))
_AVERAGED_SESSIONS: Final = 90


@dataclass(frozen=True, slots=True)
class _Stream:
    """One request's stream: what it is of, what it was told, and how it hears."""

    legs: tuple[VenueLeg, ...]
    subscription: Subscription
    hear: QuoteListener


class QuoteDesk:
    """One client's streams."""

    def __init__(self, line: Line, desk: Desk) -> None:
        """Begin without streams."""
        self._line = line
        self._desk = desk
        self._wanted = _LIVE
        self._streams: dict[int, _Stream] = {}

    # Requests

    def data_type(self, request: ReqMarketDataType) -> None:
        """Take what the client wants from now on; each request for data is told what it gets."""
        if request.data_type not in {1, 2, 3, 4}:
            self._line.error(-1, 321, f"Error validating request: market data type {request.data_type} is not 1 to 4")
            return
        self._wanted = request.data_type

    def market_data(self, request: ReqMarketData) -> None:
        """Begin a stream, or answer a snapshot."""
        legs = legs_of(contract_of(request.contract, request.legs), self._desk.floor)
        if isinstance(legs, NotPlaced):
            self._line.error(request.req_id, legs.code, legs.text)
            return
        if request.req_id in self._streams:
            self._line.error(request.req_id, 322, "Error processing request: duplicate ticker id")
            return
        subscription = self._subscription(request, legs)
        head = self._head(request, legs)
        if request.snapshot or request.regulatory:
            end = encode(SnapshotEnd(req_id=request.req_id), self._line.version)
            self._line.send(head, subscription.frames(self._present(legs)), end)
            return
        stream = _Stream(legs, subscription, partial(self._quoted, request.req_id))
        self._streams[request.req_id] = stream
        for leg in legs:
            self._desk.follow(leg.instrument, stream.hear)
        self._line.send(head, subscription.frames(self._present(legs)))

    def cancel_market_data(self, request: CancelMarketData) -> None:
        """End a stream; an unknown id is error 300."""
        found = self._streams.pop(request.req_id, None)
        if found is None:
            self._line.error(request.req_id, 300, f"Can't find EId with tickerId:{request.req_id}")
            return
        self._end(found)

    # What happens

    def _quoted(self, req_id: int, quote: VenueQuote) -> None:
        """Tell a stream what changed, in one write."""
        stream = self._streams[req_id]
        present = quote if len(stream.legs) == 1 else self._present(stream.legs, quote)
        frames = stream.subscription.frames(present)
        if frames:
            self._line.send(frames)

    def streams(self) -> dict[int, Instrument]:
        """Return the streams that go on, by request; a combo by its first leg."""
        return {req_id: stream.legs[0].instrument for req_id, stream in self._streams.items()}

    def end_all(self) -> None:
        """End all streams: the client is gone, or its data line is lost."""
        for stream in self._streams.values():
            self._end(stream)
        self._streams.clear()

    # Parts

    def _end(self, stream: _Stream) -> None:
        for leg in stream.legs:
            self._desk.unfollow(leg.instrument, stream.hear)

    def _subscription(self, request: ReqMarketData, legs: Sequence[VenueLeg]) -> Subscription:
        is_option = len(legs) == 1 and legs[0].instrument.kind is Kind.OPTION
        return Subscription(
            request.req_id,
            has_sides=len(legs) > 1 or _has_sides(legs[0].instrument),
            generic=generic_ticks_of(request.generic_ticks),
            greeks=self._desk.greeks if is_option else None,
            greeks_second=self._desk.listing(legs[0].instrument).con_id,
        )

    def _head(self, request: ReqMarketData, legs: Sequence[VenueLeg]) -> bytes:
        """Return what stands before the ticks: type, increment, and the year's range where it was asked for."""
        min_tick = max(self._desk.listing(leg.instrument).min_tick for leg in legs)
        messages: list[Any] = [
            MarketDataType(req_id=request.req_id, kind=self._kind(legs)),
            TickParameters(req_id=request.req_id, min_tick=min_tick, bbo_exchange="", permissions=_NO_SHARES),
        ]
        if _YEARLY in generic_ticks_of(request.generic_ticks) and len(legs) == 1:
            messages += self._yearly(request.req_id, legs[0].instrument)
        return b"".join(encode(message, self._line.version) for message in messages)

    def _kind(self, legs: Sequence[VenueLeg]) -> int:
        is_closed = any(self._desk.floor.phase(leg.instrument) is Phase.CLOSED for leg in legs)
        return _FROZEN if is_closed and self._wanted in _FROZEN_WANTED else _LIVE

    def _present(self, legs: Sequence[VenueLeg], newest: VenueQuote | None = None) -> VenueQuote:
        """Return the present quote of a contract or a combo; ``newest`` is one leg's."""
        floor = self._desk.floor
        if len(legs) == 1:
            return floor.quote(legs[0].instrument)
        quotes = {leg.instrument.key: floor.quote(leg.instrument) for leg in legs}
        if newest is not None:
            quotes[newest.instrument.key] = newest
        return combo_quote(legs, quotes)

    def _yearly(self, req_id: int, instrument: Instrument) -> list[TickPrice | TickSize]:
        """Return the ranges of 13, 26 and 52 weeks and the average volume of 90 sessions."""
        floor = self._desk.floor
        request = BarRequest(
            what=PriceKind.TRADES,
            width=Span(count=1, unit=SpanUnit.DAY),
            reach=Span(count=52, unit=SpanUnit.WEEK),
            end=floor.now(),
        )
        bars = floor.bars(instrument, request)
        told: list[TickPrice | TickSize] = []
        for weeks, low, high in _WEEKS:
            within = [bar for bar in bars if bar.at >= floor.now() - timedelta(weeks=weeks)]
            if within:
                told.append(_range(req_id, low, min(bar.low for bar in within)))
                told.append(_range(req_id, high, max(bar.high for bar in within)))
        if bars:
            told.append(TickSize(req_id=req_id, kind=AVERAGE_VOLUME, size=_average_volume(bars)))
        return told


def _range(req_id: int, kind: int, price: float) -> TickPrice:
    return TickPrice(req_id=req_id, kind=kind, price=price, size=0)


def _average_volume(bars: Sequence[Bar]) -> int:
    last = bars[-_AVERAGED_SESSIONS:]
    return round(sum(bar.volume for bar in last) / len(last))


def _has_sides(instrument: Instrument) -> bool:
    """An index has only its level, but breadth has its counts on its sides."""
    return instrument.kind is not Kind.INDEX or instrument.symbol == AD_NYSE.symbol
