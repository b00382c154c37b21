"""A floor that writes down what it tells, and the way between the venue's quotes and recorded ones."""

from collections.abc import Iterable, Mapping
from dataclasses import fields
from datetime import datetime
from decimal import Decimal
from operator import attrgetter
from typing import Final, Protocol

from bot.domain.instrument import Instrument, InstrumentKey
from bot.domain.recording import RecordedDay, RecordedQuote, Told
from simulator.floor import Floor
from simulator.ports import Heard
from simulator.troubles.passing import PassingFloor
from simulator.venue import StepPlayed, VenueQuote
from simulator.world.levels import SYMBOLS, UNPUBLISHED_RVX, DailyLevel, Levels

_SAME: Final = tuple(each.name for each in fields(VenueQuote) if each.name not in {"instrument", "at", "bid", "ask"})
"""The fields that a venue's quote and a recorded one share as they are."""
_same_of = attrgetter(*_SAME)


class Tape(Protocol):
    """Where a recording goes; moments are counted from zero."""

    @property
    def moments(self) -> int:
        """How many moments are complete."""
        ...

    def day(self, row: RecordedDay) -> None:
        """Write a finished session before the recording."""
        ...

    def quote(self, row: RecordedQuote) -> None:
        """Write a quote of the present moment or of the last one."""
        ...

    def moment(self, at: datetime, levels: Mapping[str, float], *, is_halted: bool = False) -> None:
        """Complete a moment."""
        ...


class RecordingFloor(PassingFloor):
    """A floor before another one: what that one tells of prices goes on to a tape as well.

    What is asked for or told while nothing moves (from a close to the step after it) is not written: no moment is on.
    """

    def __init__(self, floor: Floor, prior: Mapping[str, Iterable[DailyLevel]], tape: Tape) -> None:
        """Listen before anybody else; ``prior`` are the sessions before the run."""
        super().__init__(floor)
        self._floor = floor
        self._tape = tape
        self._watchers: dict[InstrumentKey, int] = {}
        self._told: dict[InstrumentKey, tuple[VenueQuote, Told]] = {}
        self._moment_at: datetime | None = None
        for symbol, rows in prior.items():
            for row in rows:
                tape.day(_recorded_day(symbol, row))
        floor.listen(self._hear)

    def watch(self, instrument: Instrument) -> VenueQuote:
        """As the port says; the quote holds from now on."""
        quote = self._inner.watch(instrument)
        self._watchers[instrument.key] = self._watchers.get(instrument.key, 0) + 1
        self._asked(quote, Told.ASKED)
        return quote

    def unwatch(self, instrument: Instrument) -> None:
        """As the port says; after the last watcher nobody knows the contract's quotes."""
        left = self._watchers.pop(instrument.key, 0) - 1
        if left > 0:
            self._watchers[instrument.key] = left
        elif left == 0:
            self._told.pop(instrument.key, None)
            self._asked(self._inner.quote(instrument), Told.ONCE)
        self._inner.unwatch(instrument)

    def quote(self, instrument: Instrument) -> VenueQuote:
        """As the port says; it holds for this moment, or as long as somebody watches."""
        quote = self._inner.quote(instrument)
        self._asked(quote, Told.ASKED if instrument.key in self._watchers else Told.ONCE)
        return quote

    def _asked(self, quote: VenueQuote, told: Told) -> None:
        key, number = quote.instrument.key, self._tape.moments
        if self._moment_at is None or quote.at <= self._moment_at:
            number -= 1  # of the moment that is complete, not of the step under way
            if number < 0 or not self._floor.shows_a_step:
                return
        before = self._told.get(key)
        if before is not None and before[0] is quote and (told is Told.ONCE or before[1] is not Told.ONCE):
            return
        self._told[key] = (quote, told)
        self._tape.quote(recorded_of(quote, number, told))

    def _hear(self, event: Heard) -> None:
        if isinstance(event, VenueQuote):
            if not self._floor.shows_a_step:
                return
            self._told[event.instrument.key] = (event, Told.STREAMED)
            self._tape.quote(recorded_of(event, self._tape.moments, Told.STREAMED))
        elif isinstance(event, StepPlayed):
            self._moment_at = event.at
            for key in self._told.keys() - self._watchers.keys():
                del self._told[key]  # nobody watches it: what it showed once is of no use to the next step
            self._tape.moment(event.at, series_of(event.levels), is_halted=event.is_halted)


def recorded_of(quote: VenueQuote, moment: int, told: Told) -> RecordedQuote:
    """Return a venue's quote as it is written down."""
    return RecordedQuote(
        moment=moment,
        told=told,
        key=quote.instrument.key,
        at=quote.at,
        bid=None if quote.bid is None else float(quote.bid),
        ask=None if quote.ask is None else float(quote.ask),
        **dict(zip(_SAME, _same_of(quote), strict=True)),
    )


def quote_of(row: RecordedQuote, instrument: Instrument) -> VenueQuote:
    """Return a recorded quote as the venue told it."""
    return VenueQuote(
        instrument=instrument,
        at=row.at,
        bid=price_of(row.bid),
        ask=price_of(row.ask),
        **dict(zip(_SAME, _same_of(row), strict=True)),
    )


def price_of(price: float | None) -> Decimal | None:
    """Return a recorded price as the exchange writes it, in hundredths where it lies on them.

    >>> price_of(1.5), price_of(0.00005)
    (Decimal('1.50'), Decimal('0.00005'))
    """
    if price is None:
        return None
    text = f"{price:.2f}"
    return Decimal(text) if float(text) == price else Decimal(f"{Decimal(repr(price)):f}")


def series_of(levels: Levels) -> dict[str, float]:
    """Return the levels of a step by the names of a recording's series."""
    return {**{symbol: levels.of(symbol) for symbol in SYMBOLS}, UNPUBLISHED_RVX: levels.rut_vol}


def _recorded_day(symbol: str, row: DailyLevel) -> RecordedDay:
    return RecordedDay(symbol=symbol, day=row.day, close=row.close, open=row.open, high=row.high, low=row.low)
