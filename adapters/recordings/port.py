"""Records what reaches the bot through its market data port: ticks, quotes, open interest, snapshots, daily closes.

How it works. `PortRecorder` stands twice on the way: before the sink, where streamed ticks and quotes pass, and before
the market data, where the bot asks. Everything that arrives in one microsecond is one moment; a moment is complete when
a later one begins. What always holds: whatever passes is handed on unchanged, and delayed or frozen data, which is not
of the moment at which it arrives, is not written, nor is a level that no index could have.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Final

from adapters.recordings.tape import Tape
from bot.domain.events import Event, OpenInterestTold
from bot.domain.instrument import Instrument, InstrumentKey, Kind
from bot.domain.market import DataType, ModelGreeks, Quote, Tick
from bot.domain.recording import RECORDED_INDICES, RecordedDay, RecordedQuote, Told, moment_of
from bot.domain.terms import ContractTerms
from bot.ports import Clock, DailyClose, MarketData, Sink

_INDICES: Final = {InstrumentKey(f"{Kind.INDEX}:{name}"): name for name in RECORDED_INDICES}
_NS_PER_US: Final = 1_000


class PortRecorder:
    """Writes what passes to a tape; `close` completes the last moment and the tape."""

    def __init__(self, tape: Tape, clock: Clock) -> None:
        """Write to a tape; the clock dates what has no time of its own."""
        self._tape = tape
        self._clock = clock
        self._at_us: int | None = None  # of the moment under way
        self._levels: dict[str, float] = {}
        self._streamed: dict[InstrumentKey, RecordedQuote] = {}
        self._interest: dict[InstrumentKey, int] = {}
        self._days: set[tuple[str, date]] = set()

    def sink(self, onward: Sink) -> Sink:
        """Return a sink that writes ticks and quotes down and hands every event on."""

        def hear(event: Event) -> None:
            if isinstance(event, (Tick, Quote)):
                self._heard(event)
            elif isinstance(event, OpenInterestTold):
                self._interest[event.key] = event.contracts  # stands in the rows of the contract from now on
            onward(event)

        return hear

    def before(self, inner: MarketData) -> MarketData:
        """Return market data that is written down on its way."""
        return _RecordedMarketData(inner, self)

    def close(self) -> None:
        """Complete what is under way."""
        self._complete()
        self._tape.close()

    # What is written

    def asked(self, quotes: Mapping[InstrumentKey, Quote]) -> None:
        """Write the quotes of a snapshot, which hold for their moment."""
        for quote in quotes.values():
            if quote.data_type is DataType.LIVE:
                self._write(self._row(quote, Told.ONCE), quote.at_ns)

    def watches(self, keys: frozenset[InstrumentKey]) -> None:
        """Write the last quotes of what is no longer among those that are watched."""
        for key in [key for key in self._streamed if key not in keys]:
            self._write(replace(self._streamed.pop(key), told=Told.ONCE), self._clock.now_ns())

    def closes(self, instrument: Instrument, rows: Sequence[DailyClose]) -> None:
        """Write the closes that were not written yet."""
        for row in rows:
            if (instrument.symbol, row.day) not in self._days:
                self._days.add((instrument.symbol, row.day))
                self._tape.day(RecordedDay(symbol=instrument.symbol, day=row.day, close=row.close))

    def _heard(self, event: Tick | Quote) -> None:
        if event.data_type is not DataType.LIVE or (isinstance(event, Tick) and not 0.0 < event.level < math.inf):
            return
        row = self._row(event, Told.STREAMED)
        self._streamed[event.key] = self._write(row, event.at_ns)
        if isinstance(event, Tick) and event.key in _INDICES:
            self._levels[_INDICES[event.key]] = event.level

    def _row(self, event: Tick | Quote, told: Told) -> RecordedQuote:
        """Return a tick or quote as a row; its moment and time are set when it is written."""
        if isinstance(event, Tick):
            return RecordedQuote(moment=0, told=told, key=event.key, at=moment_of(0), last=event.level)
        return RecordedQuote(
            moment=0,
            told=told,
            key=event.key,
            at=moment_of(0),
            bid=event.bid,
            ask=event.ask,
            bid_size=event.bid_size,
            ask_size=event.ask_size,
            open_interest=self._interest.get(event.key),
        )

    def _write(self, row: RecordedQuote, at_ns: int) -> RecordedQuote:
        """Write a row at its time, or at the moment under way where that is later."""
        at_us = at_ns // _NS_PER_US
        if self._at_us is not None and at_us > self._at_us:
            self._complete()
        if self._at_us is None or at_us > self._at_us:
            self._at_us = at_us
        row = replace(row, moment=self._tape.moments, at=moment_of(self._at_us))
        self._tape.quote(row)
        return row

    def _complete(self) -> None:
        if self._at_us is not None:
            self._tape.moment(moment_of(self._at_us), self._levels)


class _RecordedMarketData:
    """A `MarketData` before another one."""

    def __init__(self, inner: MarketData, recorder: PortRecorder) -> None:
        self._inner = inner
        self._recorder = recorder

    def watch(self, instruments: Sequence[Instrument]) -> None:
        """As the port says."""
        self._recorder.watches(frozenset(instrument.key for instrument in instruments))
        self._inner.watch(instruments)

    async def daily_closes(self, instrument: Instrument, sessions: int) -> tuple[DailyClose, ...]:
        """As the port says."""
        rows = await self._inner.daily_closes(instrument, sessions)
        self._recorder.closes(instrument, rows)
        return rows

    async def option_chain(self, symbol: str, settlement_from: date, settlement_to: date) -> tuple[Instrument, ...]:
        """As the port says."""
        return await self._inner.option_chain(symbol, settlement_from, settlement_to)

    async def futures(self, symbol: str, settlement_from: date, settlement_to: date) -> tuple[Instrument, ...]:
        """As the port says."""
        return await self._inner.futures(symbol, settlement_from, settlement_to)

    async def terms(self, instruments: Sequence[Instrument]) -> Mapping[InstrumentKey, ContractTerms]:
        """As the port says."""
        return await self._inner.terms(instruments)

    async def model_greeks(self, instruments: Sequence[Instrument]) -> Mapping[InstrumentKey, ModelGreeks]:
        """As the port says."""
        return await self._inner.model_greeks(instruments)

    async def snapshot(self, instruments: Sequence[Instrument]) -> Mapping[InstrumentKey, Quote]:
        """As the port says."""
        quotes = await self._inner.snapshot(instruments)
        self._recorder.asked(quotes)
        return quotes
