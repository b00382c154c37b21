"""The past of any instrument: daily and intraday bars and past ticks, worked out again from the paths of its indices.

How it works. The levels of every session are known by rule: sessions of the run come from its source, sessions before
it are bridged from their daily rows. A contract's past price is its model value on these levels, so that nothing but
the daily rows of four indices is kept, and the same question has the same answer.
"""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from itertools import groupby
from typing import Final
from zoneinfo import ZoneInfo

from bot.domain.instrument import Instrument, Kind
from bot.domain.schedule import Session
from simulator.bar_shapes import VOLATILITIES, Moment, bar_of, flat_bar, grouped, has_prices, joined, realised, tick_of
from simulator.board import EXTENDED_SPREAD
from simulator.hours import trading_hours
from simulator.moneyness import moneyness_of
from simulator.nights import Nights
from simulator.numbering import number_of
from simulator.records import Paths
from simulator.venue import Bar, BarRequest, PastQuote, Phase, PriceKind, Span, SpanUnit
from simulator.world import tape
from simulator.world.levels import SYMBOLS, DailyLevel, Levels, levels_of
from simulator.world.market import Market, WorldModel
from simulator.world.night import NightPath
from simulator.world.quotes import rule_of, two_sided

_NEW_YORK: Final = ZoneInfo("America/New_York")
_SAMPLES_PER_BAR: Final = 6
MOST_TICKS: Final = 1_000
"""Past ticks in one answer, as the broker limits them."""
_ONE_DAY: Final = timedelta(days=1)
_MOST_SESSIONS: Final = 3_000
_MOST_DAYS: Final = 7_000
_VOLATILITY_SESSIONS: Final = 30
_CALENDAR_DAYS: Final = {SpanUnit.WEEK: 7, SpanUnit.MONTH: 31, SpanUnit.YEAR: 366}


class Past:
    """What was: bars and ticks up to a moment."""

    def __init__(self, paths: Paths, model: WorldModel, nights: Nights | None = None) -> None:
        """Look at the paths and their record, which grows as sessions end, and at the nights where they are played."""
        self._paths = paths
        self._nights = nights
        self._record = paths.record
        self._model = model

    def bars(self, instrument: Instrument, request: BarRequest, now: datetime) -> tuple[Bar, ...]:
        """Return bars up to the request's end and not beyond now, oldest first; empty when there are none."""
        end = min(request.end, now)
        if not has_prices(instrument, request.what):
            return ()
        if request.width.unit is not SpanUnit.SECOND:
            return grouped(self._daily(instrument, request, end), request.width)
        if request.what in VOLATILITIES:
            return ()
        window = (self._start_of(request.reach, end), end)
        found: dict[datetime, Bar] = {}
        for moments, day in self._stretches(instrument, request, window):
            for bar in self._intraday(moments, request, day, window):
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
        window: tuple[datetime | None, datetime],
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
        found: list[PastQuote] = []
        is_forward = window[0] is not None
        nights = None if regular_only else self._nights
        for session in self._sessions(*window):
            parts = [self._ticks_of_night(instrument, what, nights, session, window)] if nights is not None else []
            parts.append(self._ticks_of(instrument, what, session, window))
            told = [tick for part in parts for tick in part]
            found = [*found, *told] if is_forward else [*told, *found]
            if len(found) >= most:
                break
        return tuple(found[:most] if is_forward else found[-most:])

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
        """Return the bar of an ended session from the daily rows; none where the index was not published."""
        session = self._record.session(day)
        if instrument.kind is Kind.INDEX and instrument.symbol in SYMBOLS:
            row = self._record.row(instrument.symbol, day)
            return [] if row is None else [_bar_of_row(row, session.opens_at)]
        if not _was_listed(instrument, day):
            return []
        told = [self._moment(instrument, levels, at, 0) for levels, at in self._corners(session)]
        return [bar_of(told, what, session.opens_at, day, self._volume(instrument, session))]

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
        length_s = int((session.closes_at - session.opens_at).total_seconds()) + 1
        told = list(self._moments(instrument, session, self._stride(session, length_s), None, end))
        return [bar_of(told, what, session.opens_at, session.day, _traded(told))] if told else []

    def _stretches(
        self, instrument: Instrument, request: BarRequest, window: tuple[datetime, datetime]
    ) -> Iterator[tuple[Iterator[Moment], Session]]:
        """Yield the moments of the sessions in a window, where all hours are asked for those of the nights as well."""
        calendar, (start, end), width_s = self._record.calendar, window, request.width.count
        nights, since = None if request.regular_only else self._nights, start - timedelta(seconds=width_s)
        for session in calendar.sessions(_day(start), _day(end + _ONE_DAY)):
            began = nights is not None and calendar.previous_session(session.day).closes_at < end
            night = nights.before(session.day) if nights is not None and began else None
            if nights is not None and night is not None:
                stride = max(1, width_s // (_SAMPLES_PER_BAR * nights.step_s))
                yield self._moments_of_night(instrument, night, stride, since, end), session
            if session.opens_at <= end:
                yield self._moments(instrument, session, self._stride(session, width_s), since, end), session

    def _intraday(
        self, moments: Iterator[Moment], request: BarRequest, session: Session, window: tuple[datetime, datetime]
    ) -> Iterator[Bar]:
        """Yield the bars of some moments that begin before the window ends and end after it begins.

        Bars are counted from the session's open, those before it backward.
        """
        width = timedelta(seconds=request.width.count)
        for number, same in groupby(moments, key=lambda moment: (moment.at - session.opens_at) // width):
            at = session.opens_at + number * width
            if at + width > window[0]:
                told = list(same)
                yield bar_of(told, request.what, at, session.day, _traded(told))

    def _stride(self, session: Session, width_s: int) -> int:
        """Return how many steps lie between two looks at a contract: at most six looks a bar."""
        path = self._paths.of(session.day)
        return 1 if path is None else max(1, width_s // (_SAMPLES_PER_BAR * path.step_s))

    def _moments(
        self, instrument: Instrument, session: Session, stride: int, since: datetime | None, until: datetime
    ) -> Iterator[Moment]:
        """Yield an instrument's moments of a session within its regular hours, every ``stride`` steps.

        An index is looked at on every step. The volume of a moment is what traded since the one before it.
        """
        path = self._paths.of(session.day)
        hours = trading_hours(instrument, session.day, 1, self._record.calendar, regular_only=True)
        if path is None or not hours or not _was_listed(instrument, session.day) or path.is_silent(instrument.symbol):
            return
        stride = 1 if instrument.kind is Kind.INDEX else stride
        total = self._volume(instrument, session)
        for step in range(0, path.steps, stride):
            at = path.at(step)
            if at > until:
                return
            if hours[0].opens_at <= at <= hours[0].closes_at and (since is None or at >= since):
                traded = tape.volume_between(total, (step - stride) / path.steps, step / path.steps)
                yield self._moment(instrument, path.of(step), at, step, volume=traded)

    def _moments_of_night(
        self, instrument: Instrument, path: NightPath, stride: int, since: datetime | None, until: datetime
    ) -> Iterator[Moment]:
        """Yield an instrument's moments of a night, within its hours; as `_moments`."""
        stride = 1 if instrument.kind is Kind.INDEX else stride
        total = round(self._volume(instrument, self._record.session(path.day)) * tape.NIGHT_PACE)
        for step in range(0, path.steps, stride):
            at, phase = path.at(step), path.phase(instrument, step)
            if at > until:
                return
            if phase is not Phase.CLOSED and (since is None or at >= since):
                traded = tape.volume_between(total, (step - stride) / path.steps, step / path.steps)
                widened = EXTENDED_SPREAD if phase is Phase.EXTENDED else 1.0
                yield self._moment(instrument, path.of(step), at, step, volume=traded, widened=widened)

    def _moment(
        self, instrument: Instrument, levels: Levels, at: datetime, step: int, *, volume: int = 0, widened: float = 1.0
    ) -> Moment:
        price = Market(at=at, levels=levels, model=self._model).fair(instrument).price
        if instrument.kind is Kind.INDEX:
            return Moment(at=at, step=step, price=round(price, 2), sides=None, volume=volume)
        sides = two_sided(rule_of(instrument), price, seed=number_of(instrument), step=step, widened=widened)
        return Moment(at=at, step=step, price=price, sides=sides, volume=volume)

    def _ticks_of(
        self, instrument: Instrument, what: PriceKind, session: Session, window: tuple[datetime | None, datetime]
    ) -> list[PastQuote]:
        path = self._paths.of(session.day)
        if path is None or session.opens_at > window[1]:
            return []
        moments, seed = self._moments(instrument, session, 1, *window), number_of(instrument)
        told = (tick_of(instrument, what, moment, path.steps, seed) for moment in moments)
        return [tick for tick in told if tick is not None]

    def _ticks_of_night(
        self,
        instrument: Instrument,
        what: PriceKind,
        nights: Nights,
        session: Session,
        window: tuple[datetime | None, datetime],
    ) -> list[PastQuote]:
        """Return the ticks of the night before a session, none where that night has not begun."""
        before = self._record.calendar.previous_session(session.day)
        path = nights.before(session.day) if before.closes_at < window[1] else None
        if path is None:
            return []
        moments, seed = self._moments_of_night(instrument, path, 1, *window), number_of(instrument)
        told = (tick_of(instrument, what, moment, path.steps, seed, pace=tape.NIGHT_PACE) for moment in moments)
        return [tick for tick in told if tick is not None]

    def _volume(self, instrument: Instrument, session: Session) -> int:
        closes = self._record.closes_before(session.day)
        closing = Market(at=session.opens_at, levels=closes, model=self._model)
        moneyness = moneyness_of(instrument, closing, session.day)
        return tape.day_volume(instrument, moneyness, session.day, seed=number_of(instrument))

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


def _traded(moments: Sequence[Moment]) -> int:
    return sum(moment.volume for moment in moments)


def _day(moment: datetime) -> date:
    return moment.astimezone(_NEW_YORK).date()


def _was_listed(instrument: Instrument, day: date) -> bool:
    return instrument.last_trade is None or day <= instrument.last_trade


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
