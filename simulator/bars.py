"""The past of any instrument: daily and intraday bars and past ticks, worked out again from the paths of its indices.

How it works. The levels of every session are known by rule: sessions of the run come from its source, sessions before
it are bridged from their daily rows. A contract's past price is its model value on these levels, so that nothing but
the daily rows of four indices is kept, and the same question has the same answer.
"""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from itertools import chain, groupby, islice
from typing import Final
from zoneinfo import ZoneInfo

from bot.domain.instrument import Instrument, InstrumentKey, Kind
from bot.domain.schedule import Session
from simulator.bar_shapes import (
    TRADED,
    VOLATILITIES,
    Moment,
    bar_of,
    flat_bar,
    grouped,
    has_prices,
    joined,
    level_bars,
    realised,
    tick_of,
)
from simulator.hours import trading_hours
from simulator.looks import Looks, Plan, Window, was_listed
from simulator.nights import Nights
from simulator.numbering import number_of
from simulator.records import Paths
from simulator.venue import Bar, BarRequest, PastQuote, PriceKind, Span, SpanUnit
from simulator.world import tape
from simulator.world.levels import SYMBOLS, DailyLevel, Levels, levels_of
from simulator.world.market import Market, WorldModel
from simulator.world.night import NightPath

_NEW_YORK: Final = ZoneInfo("America/New_York")
_SAMPLES_PER_BAR: Final = 6
MOST_TICKS: Final = 1_000
"""Past ticks in one answer, as the broker limits them."""
_MOST_SESSIONS: Final = 3_000
_MOST_DAYS: Final = 7_000
_VOLATILITY_SESSIONS: Final = 30
_BARS_KEPT: Final = 8_192  # of ended days: a year and a half of some fifteen contracts
_CALENDAR_DAYS: Final = {SpanUnit.WEEK: 7, SpanUnit.MONTH: 31, SpanUnit.YEAR: 366}


class Past:
    """What was: bars and ticks up to a moment."""

    def __init__(self, paths: Paths, model: WorldModel, nights: Nights | None = None) -> None:
        """Look at the paths and their record, which grows as sessions end, and at the nights where they are played."""
        self._paths = paths
        self._nights = nights
        self._record = paths.record
        self._model = model
        self._looks = Looks(paths, model)
        self._ended: dict[tuple[InstrumentKey, PriceKind, date], list[Bar]] = {}

    def bars(self, instrument: Instrument, request: BarRequest, now: datetime) -> tuple[Bar, ...]:
        """Return bars up to the request's end and not beyond now, oldest first; empty when there are none."""
        end = min(request.end, now)
        if not has_prices(instrument, request.what):
            return ()
        if request.width.unit is not SpanUnit.SECOND:
            return grouped(self._daily(instrument, request, end), request.width)
        if request.what in VOLATILITIES:
            return ()
        found: dict[datetime, Bar] = {}
        for bar in self._intraday(instrument, request, self._start_of(request.reach, end), end):
            before = found.get(bar.at)
            found[bar.at] = bar if before is None else joined((before, bar))
        return tuple(found.values())

    def first_bar_at(self, instrument: Instrument, what: PriceKind) -> datetime | None:
        """Return the open of the oldest session there is a price for, or None."""
        rows = self._record.rows(instrument.symbol if instrument.symbol in SYMBOLS else "SPX")
        if not rows or not has_prices(instrument, what):
            return None
        return self._record.session(rows[0].day).opens_at

    def ticks(
        self,
        instrument: Instrument,
        what: PriceKind,
        window: Window,
        count: int,
        *,
        regular_only: bool = True,
    ) -> tuple[PastQuote, ...]:
        """Return at most ``count`` past ticks and never more than `MOST_TICKS`, oldest first.

        The first ones from the beginning of the window on where there is one, else the last ones up to its end.
        """
        most = min(count, MOST_TICKS)
        if most <= 0 or not has_prices(instrument, what):
            return ()
        ticks = chain.from_iterable(
            self._ticks_of(instrument, what, session, window, nights=not regular_only)
            for session in self._sessions(*window)
        )
        found = tuple(islice(ticks, most))
        return found if window[0] is not None else found[::-1]

    # Days

    def _daily(self, instrument: Instrument, request: BarRequest, end: datetime) -> list[Bar]:
        """Return one bar a session, the present one unfinished where the request ends in it."""
        count = self._session_count(request.reach, end)
        days = self._record.finished(end, count + _VOLATILITY_SESSIONS + 1)
        if request.what in VOLATILITIES:
            return self._volatility_bars(instrument, request.what, days)[-count:]
        bars = [bar for day in days[-count:] for bar in self._finished_bar(instrument, request.what, day)]
        session = self._record.calendar.session(_day(end))
        if session is not None and session.opens_at <= end < session.closes_at:
            bars += self._present_bar(instrument, request.what, session, end)
        return bars[-count:]

    def _finished_bar(self, instrument: Instrument, what: PriceKind, day: date) -> list[Bar]:
        """Return the bar of an ended session, kept once it was worked out: an ended day changes no more."""
        key = (instrument.key, what, day)
        found = self._ended.get(key)
        if found is None:
            if len(self._ended) >= _BARS_KEPT:
                self._ended.clear()
            found = self._ended[key] = self._worked_out(instrument, what, day)
        return found

    def _worked_out(self, instrument: Instrument, what: PriceKind, day: date) -> list[Bar]:
        """Return the bar of an ended session from the daily rows; none where the index was not published."""
        session = self._record.session(day)
        if instrument.kind is Kind.INDEX and instrument.symbol in SYMBOLS:
            row = self._record.row(instrument.symbol, day)
            return [] if row is None else [_bar_of_row(row, session.opens_at)]
        if not was_listed(instrument, session):
            return []
        told = [self._looks.moment(instrument, levels, at, 0) for levels, at in self._corners(session)]
        return [bar_of(told, what, session.opens_at, day, self._looks.volume(instrument, session))]

    def _corners(self, session: Session) -> list[tuple[Levels, datetime]]:
        """Return open, the two extremes and close of a day: the indices fall together while volatilities rise."""
        rows = {symbol: self._record.row(symbol, session.day) for symbol in SYMBOLS}
        names = {"SPX": ("low", "high"), "RUT": ("low", "high"), "VIX": ("high", "low"), "RVX": ("high", "low")}
        length = session.closes_at - session.opens_at
        told = []
        for place, share in enumerate((0.0, 1 / 3, 2 / 3, 1.0)):
            fields = {symbol: ("open", *pair, "close")[place] for symbol, pair in names.items()}
            values = {s: _field(row, fields[s]) for s, row in rows.items() if row is not None}
            closes = self._record.closes_of(session.day)
            known = {symbol: values.get(symbol, closes.of(symbol)) for symbol in SYMBOLS}
            told.append((levels_of(known), session.opens_at + length * share))
        return told

    def _volatility_bars(self, instrument: Instrument, what: PriceKind, days: Sequence[date]) -> list[Bar]:
        """Return per day the 30-day implied volatility of an underlying, or that of its last 30 sessions."""
        closes = [bar.close for day in days for bar in self._finished_bar(instrument, PriceKind.TRADES, day)]
        bars = []
        for place in range(_VOLATILITY_SESSIONS, len(closes)):
            session = self._record.session(days[place])
            if what is PriceKind.HISTORICAL_VOLATILITY:
                level = realised(closes[place - _VOLATILITY_SESSIONS : place + 1])
            else:
                market = Market(at=session.closes_at, levels=self._record.closes_of(session.day), model=self._model)
                level = market.index_vol(instrument.symbol) / 100.0
            bars.append(flat_bar(round(level, 6), session.opens_at, session.day))
        return bars

    # Within a session

    def _present_bar(self, instrument: Instrument, what: PriceKind, session: Session, end: datetime) -> list[Bar]:
        """Return the bar of a session that is not over."""
        width = timedelta(seconds=int((session.closes_at - session.opens_at).total_seconds()) + 1)
        return list(self._bars_of_session(instrument, what, width, session, (session.opens_at, end)))

    def _intraday(self, instrument: Instrument, request: BarRequest, start: datetime, end: datetime) -> Iterator[Bar]:
        """Yield the bars that begin before an end and end after a start; of nights too where all hours are asked for.

        Bars are counted from the session's open, those before it backward.
        """
        calendar, what, width = self._record.calendar, request.what, timedelta(seconds=request.width.count)
        for session in calendar.sessions(_day(start), calendar.next_session(_day(end)).day):
            is_asked = not request.regular_only and start - width < session.opens_at
            night = self._night_before(session, end) if is_asked else None
            if night is not None and self._nights is not None:
                plan = Plan(stride=_stride(width, self._nights.step_s))
                moments = self._looks.night(instrument, night, (start - width, end), plan=plan)
                yield from _grouped(moments, what, width, session, start)
            if session.opens_at <= end:
                yield from self._bars_of_session(instrument, what, width, session, (start, end))

    def _bars_of_session(
        self,
        instrument: Instrument,
        what: PriceKind,
        width: timedelta,
        session: Session,
        window: tuple[datetime, datetime],
    ) -> Iterator[Bar]:
        """Yield the bars of a session: of the four indices from all their levels, of others from six looks a bar."""
        path = self._paths.of(session.day)
        if path is None or path.is_silent(instrument.symbol):
            return
        if instrument.kind is Kind.INDEX and instrument.symbol in SYMBOLS:
            [hours] = trading_hours(instrument, session.day, 1, self._record.calendar, regular_only=True)
            window = window[0], min(window[1], hours.closes_at)
            yield from level_bars(path, path.levels[instrument.symbol], width, window)
            return
        plan = Plan(stride=_stride(width, path.step_s))
        moments = self._looks.session(instrument, session, (window[0] - width, window[1]), plan=plan)
        yield from _grouped(moments, what, width, session, window[0])

    def _night_before(self, session: Session, end: datetime) -> NightPath | None:
        """Return the night before a session, None where none is played or it had not begun by ``end``."""
        before = self._record.calendar.previous_session(session.day)
        return None if self._nights is None or before.closes_at >= end else self._nights.before(session.day)

    def _ticks_of(
        self, instrument: Instrument, what: PriceKind, session: Session, window: Window, *, nights: bool
    ) -> Iterator[PastQuote]:
        """Yield the ticks of a session and of the night before it: forward from a start on, else backward."""
        seed, trades = number_of(instrument), what in TRADED and instrument.kind is not Kind.INDEX
        plan = Plan(backward=window[0] is None, prints_alone=trades)
        path, night = self._paths.of(session.day), self._night_before(session, window[1]) if nights else None

        def of_night() -> Iterator[PastQuote | None]:
            if night is not None:
                for moment in self._looks.night(instrument, night, window, plan=plan):
                    yield tick_of(instrument, what, moment, night.steps, seed, pace=tape.NIGHT_PACE)

        def of_session() -> Iterator[PastQuote | None]:
            if path is not None and session.opens_at <= window[1]:
                for moment in self._looks.session(instrument, session, window, plan=plan):
                    yield tick_of(instrument, what, moment, path.steps, seed)

        parts = (of_session(), of_night()) if plan.backward else (of_night(), of_session())
        return (tick for part in parts for tick in part if tick is not None)

    # Dates and counts

    def _start_of(self, reach: Span, end: datetime) -> datetime:
        """Return where a reach begins: seconds are counted, days are sessions, longer units follow the calendar."""
        if reach.unit is SpanUnit.SECOND:
            return end - timedelta(seconds=min(reach.count, _MOST_DAYS * 86_400))
        day = _day(end)
        if reach.unit is not SpanUnit.DAY:
            day -= timedelta(days=min(reach.count * _CALENDAR_DAYS[reach.unit], _MOST_DAYS))
        else:
            session = self._record.calendar.session(day)
            is_on = session is not None and session.opens_at <= end
            for _ in range(min(reach.count, _MOST_SESSIONS) - is_on):
                day = self._record.calendar.previous_session(day).day
        return datetime.combine(day, time(), tzinfo=_NEW_YORK)

    def _session_count(self, reach: Span, end: datetime) -> int:
        if reach.unit is SpanUnit.DAY:
            return max(1, min(reach.count, _MOST_SESSIONS))
        sessions = self._record.calendar.sessions(_day(self._start_of(reach, end)), _day(end))
        return max(1, sum(1 for _ in sessions))

    def _sessions(self, start: datetime | None, end: datetime) -> Iterator[Session]:
        """Yield sessions with known paths: forward from ``start``, else backward from the one after ``end``."""
        calendar = self._record.calendar
        after = calendar.next_session(_day(end))
        if start is not None:
            yield from calendar.sessions(_day(start), after.day)
            return
        if self._nights is not None:
            yield after
        session = self._record.session(_day(end))
        while self._paths.of(session.day) is not None:
            yield session
            session = calendar.previous_session(session.day)


def _grouped(
    moments: Iterator[Moment], what: PriceKind, width: timedelta, session: Session, start: datetime
) -> Iterator[Bar]:
    """Yield the bars of some moments that end after a start."""
    for number, same in groupby(moments, key=lambda moment: (moment.at - session.opens_at) // width):
        at, told = session.opens_at + number * width, list(same)
        if at + width > start:
            yield bar_of(told, what, at, session.day, _traded(told))


def _stride(width: timedelta, step_s: int) -> int:
    """Return how many steps lie between two looks at a contract: at most six looks a bar."""
    return max(1, int(width.total_seconds()) // (_SAMPLES_PER_BAR * step_s))


def _traded(moments: Sequence[Moment]) -> int:
    return sum(moment.volume for moment in moments)


def _day(moment: datetime) -> date:
    return moment.astimezone(_NEW_YORK).date()


def _field(row: DailyLevel, name: str) -> float:
    """Return open, high, low or close of a day; a day that knows its close alone has that for all."""
    value = getattr(row, name)
    return row.close if value is None else float(value)


def _bar_of_row(row: DailyLevel, at: datetime) -> Bar:
    return Bar(
        at=at,
        day=f"{row.day:%Y%m%d}",
        open=_field(row, "open"),
        high=_field(row, "high"),
        low=_field(row, "low"),
        close=row.close,
        average=row.close,
    )
