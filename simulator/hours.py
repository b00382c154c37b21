"""When a contract trades: regular and extended hours by class, in New York time, on sessions of the calendar.

How it works. Each class has one regular stretch and one or more whole stretches (extended hours included) per session.
A whole stretch may begin on the evening before the session's day. On a day that closes early the regular stretch ends
at the early close and nothing of the index options and futures trades after it. Days without a session are closed, for
futures too: their short holiday sessions are not played.

Source of the hours: docs/contracts.md, section 5.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import chain
from typing import Final
from zoneinfo import ZoneInfo

from bot.domain.instrument import Instrument, InstrumentKey, Kind
from bot.domain.schedule import Session, SessionCalendar
from simulator.venue import Phase, TradingHours

NEW_YORK: Final = ZoneInfo("America/New_York")
_NORMAL_CLOSE: Final = time(16, 15)
_AFTERNOON_EXPIRY: Final = time(16)
_MORNING_EXPIRY_OF_FUTURES: Final = time(9)


_BLOCK_S: Final = 300.0

_Ends = tuple[date, time] | None
"""A contract's last trading day and the hour at which it stops."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """From ``opens`` to ``closes`` on a session's day; ``evening_before``: it opens on the day before."""

    opens: time
    closes: time
    evening_before: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassHours:
    """The hours of a class; ``early_close`` replaces the regular close and ``early_end`` the last one on a half day."""

    regular: Stretch
    whole: tuple[Stretch, ...]
    early_close: time = time(13, 15)
    early_end: time = time(13, 15)


def _regular_only(closes: time, early_close: time) -> ClassHours:
    regular = Stretch(opens=time(9, 30), closes=closes)
    return ClassHours(regular=regular, whole=(regular,), early_close=early_close, early_end=early_close)


_SHARES: Final = ClassHours(
    regular=Stretch(opens=time(9, 30), closes=time(16)),
    whole=(Stretch(opens=time(4), closes=time(20)),),
    early_close=time(13),
    early_end=time(17),
)
_GLOBAL_OPTIONS: Final = ClassHours(
    regular=Stretch(opens=time(9, 30), closes=_NORMAL_CLOSE),
    whole=(
        Stretch(opens=time(20, 15), closes=time(9, 25), evening_before=True),
        Stretch(opens=time(9, 30), closes=time(17)),
    ),
)
_INDEX_OPTIONS: Final = _regular_only(_NORMAL_CLOSE, time(13, 15))
_SHARE_OPTIONS: Final = _regular_only(time(16), time(13))
_FUTURES: Final = ClassHours(
    regular=Stretch(opens=time(9, 30), closes=time(16)),
    whole=(Stretch(opens=time(18), closes=time(17), evening_before=True),),
    early_close=time(13, 15),
)
_SHARE_INDICES: Final = _regular_only(time(16), time(13))
_VIX_INDEX: Final = ClassHours(
    regular=Stretch(opens=time(9, 30), closes=_NORMAL_CLOSE),
    whole=(Stretch(opens=time(3, 15), closes=time(9, 25)), Stretch(opens=time(9, 30), closes=_NORMAL_CLOSE)),
)
_CURRENCIES: Final = ClassHours(
    regular=Stretch(opens=time(17, 15), closes=time(17), evening_before=True),
    whole=(Stretch(opens=time(17, 15), closes=time(17), evening_before=True),),
    early_close=time(17),
    early_end=time(17),
)

_GLOBAL_CLASSES: Final = frozenset({"SPX", "SPXW", "VIX", "VIXW"})
_VOLATILITY_INDICES: Final = frozenset({"RVX", "VVIX", "VIXMO"})
_WITH_NIGHTS: Final = (_SHARES, _GLOBAL_OPTIONS, _FUTURES, _CURRENCIES, _VIX_INDEX)
"""The hours of what trades or is published outside the regular session."""
AFTERNOON_CLASSES: Final = frozenset({"SPXW", "RUTW", "SPY", "QQQ", "AAPL"})
"""Option classes that settle at the close of their last day."""


def class_hours(instrument: Instrument) -> ClassHours:
    """Return the hours of an instrument's class."""
    if instrument.kind is Kind.STOCK:
        return _SHARES
    if instrument.kind is Kind.CASH:
        return _CURRENCIES
    if instrument.kind is Kind.FUTURE:
        return _FUTURES
    if instrument.kind is Kind.INDEX:
        return _index_hours(instrument.symbol)
    if instrument.trading_class in _GLOBAL_CLASSES:
        return _GLOBAL_OPTIONS
    return _INDEX_OPTIONS if instrument.symbol == "RUT" else _SHARE_OPTIONS


def _index_hours(symbol: str) -> ClassHours:
    if symbol == "VIX":
        return _VIX_INDEX
    return _INDEX_OPTIONS if symbol in _VOLATILITY_INDICES else _SHARE_INDICES


def trading_hours(
    instrument: Instrument, first: date, days: int, calendar: SessionCalendar, *, regular_only: bool
) -> tuple[TradingHours, ...]:
    """Return the stretches of trading that belong to ``days`` calendar days from ``first`` on, ascending.

    A contract's last day ends at its expiry: 16:00 New York for a class that settles at the close, 09:00 (08:00 in
    Chicago) for a VX future, 09:30 for a stock index future.
    """
    ends = None if instrument.last_trade is None else (instrument.last_trade, _last_hour(instrument))
    return _stretches(class_hours(instrument), first, days, calendar, ends, regular_only=regular_only)


def phase_at(instrument: Instrument, at: datetime, calendar: SessionCalendar) -> Phase:
    """Return whether a contract trades at a moment (aware): the opening belongs to a stretch, the closing does not.

    Halts are not known here.
    """
    today, hours, last = at.astimezone(NEW_YORK).date(), class_hours(instrument), instrument.last_trade
    ends = None if last is None or last > today + timedelta(days=1) else (last, _last_hour(instrument))
    for regular_only, phase in ((True, Phase.REGULAR), (False, Phase.EXTENDED)):
        for told in _around(hours, today, calendar, ends, regular_only=regular_only):
            if told.opens_at <= at < told.closes_at:
                return phase
    return Phase.CLOSED


class Phases:
    """Whether contracts trade, worked out once in five minutes: every opening and closing lies on one."""

    def __init__(self, calendar: SessionCalendar) -> None:
        """Look hours up in a calendar."""
        self._calendar = calendar
        self._block = 0
        self._found: dict[InstrumentKey, Phase] = {}

    def at(self, instrument: Instrument, at: datetime) -> Phase:
        """Return what `phase_at` does."""
        block = int(at.timestamp() // _BLOCK_S)
        if block != self._block:
            self._block = block
            self._found.clear()
        found = self._found.get(instrument.key)
        if found is None:
            found = self._found[instrument.key] = phase_at(instrument, at, self._calendar)
        return found


def moments_open(start: datetime, end: datetime, step_s: int, calendar: SessionCalendar) -> tuple[datetime, ...]:
    """Return the moments between two others, ``step_s`` seconds apart, at which any class trades or just has stopped.

    Aware UTC, ascending; counted from ``start``, which like every opening and closing lies on five minutes.
    """
    step, found = timedelta(seconds=step_s), set[datetime]()
    for told in _of_all_classes(start, end, calendar):
        ahead = max(0, math.ceil((told.opens_at - start) / step))
        at, until = start + ahead * step, min(told.closes_at, end)
        while at <= until:
            found.add(at)
            at += step
    return tuple(sorted(found - {start, end}))


def day_ends(start: datetime, end: datetime, calendar: SessionCalendar) -> frozenset[datetime]:
    """Return the moments between two others (the last one included) at which the trading day of some class is over."""
    last: dict[tuple[ClassHours, str], datetime] = {}
    for hours in _WITH_NIGHTS:
        for told in _between(hours, start, end, calendar):
            last[hours, told.day] = told.closes_at
    return frozenset(at for at in last.values() if start < at <= end)


def hours_text(
    instrument: Instrument, today: date, days: int, zone: str, calendar: SessionCalendar, *, regular_only: bool
) -> str:
    """Return hours in the wire's own form, one entry per stretch or closed day, in local time of ``zone``."""
    local, parts = ZoneInfo(zone), []
    for ahead in range(days):
        day = today + timedelta(days=ahead)
        told = trading_hours(instrument, day, 1, calendar, regular_only=regular_only)
        for each in told:
            opens, closes = each.opens_at.astimezone(local), each.closes_at.astimezone(local)
            parts.append(f"{opens:%Y%m%d:%H%M}-{closes:%Y%m%d:%H%M}")
        if not told:
            parts.append(f"{day:%Y%m%d}:CLOSED")
    return ";".join(parts)


@lru_cache(maxsize=1024)
def _around(
    hours: ClassHours, today: date, calendar: SessionCalendar, ends: _Ends, *, regular_only: bool
) -> tuple[TradingHours, ...]:
    return _stretches(hours, today, 2, calendar, ends, regular_only=regular_only)


def _of_all_classes(start: datetime, end: datetime, calendar: SessionCalendar) -> Iterator[TradingHours]:
    return chain.from_iterable(_between(hours, start, end, calendar) for hours in _WITH_NIGHTS)


def _between(hours: ClassHours, start: datetime, end: datetime, calendar: SessionCalendar) -> tuple[TradingHours, ...]:
    """Return the whole stretches of the sessions from the day of ``start`` to the day after ``end``."""
    first = start.astimezone(NEW_YORK).date()
    days = (end.astimezone(NEW_YORK).date() - first).days + 2
    return _stretches(hours, first, days, calendar, None, regular_only=False)


def _stretches(
    hours: ClassHours, first: date, days: int, calendar: SessionCalendar, ends: _Ends, *, regular_only: bool
) -> tuple[TradingHours, ...]:
    found = []
    for ahead in range(days):
        session = calendar.session(first + timedelta(days=ahead))
        if session is None or (ends is not None and session.day > ends[0]):
            continue
        for stretch in (hours.regular,) if regular_only else hours.whole:
            told = _on(session, stretch, hours, ends, regular_only=regular_only)
            if told is not None:
                found.append(told)
    return tuple(found)


def _on(
    session: Session, stretch: Stretch, hours: ClassHours, ends: _Ends, *, regular_only: bool
) -> TradingHours | None:
    """Return a stretch on a session's day, cut at an early close and at the contract's expiry; None: nothing left."""
    closes = stretch.closes
    if _closes_early(session):
        closes = min(closes, hours.early_close if regular_only else hours.early_end)
    if ends is not None and session.day == ends[0]:
        closes = min(closes, ends[1])
    opens_on = session.day - timedelta(days=1) if stretch.evening_before else session.day
    opens_at = datetime.combine(opens_on, stretch.opens, tzinfo=NEW_YORK).astimezone(UTC)
    closes_at = datetime.combine(session.day, closes, tzinfo=NEW_YORK).astimezone(UTC)
    if closes_at <= opens_at:
        return None
    return TradingHours(day=f"{session.day:%Y%m%d}", opens_at=opens_at, closes_at=closes_at)


def _closes_early(session: Session) -> bool:
    return session.closes_at.astimezone(NEW_YORK).time() < _NORMAL_CLOSE


def _last_hour(instrument: Instrument) -> time:
    """Return the New York time at which a contract stops on its last trading day."""
    if instrument.kind is Kind.FUTURE:
        return _MORNING_EXPIRY_OF_FUTURES if instrument.symbol == "VIX" else time(9, 30)
    return _AFTERNOON_EXPIRY if instrument.trading_class in AFTERNOON_CLASSES else time(17)
