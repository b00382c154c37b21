"""The own volatility index: 30-day model-free volatility of SPX or RUT options where VIX or RVX is missing.

How it works: of the Friday settlements the last before thirty days and the first from thirty days on are taken, on a
third Friday the morning class as the published method has it. Each gives a board, each board a variance, and the two
are interpolated to thirty days. What cannot be computed or believed is `NoIndex` with the reason, never a number.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final

from bot.domain.errors import InvalidValueError
from bot.domain.expiries import third_friday
from bot.domain.instrument import Instrument, Kind
from bot.domain.schedule import NEW_YORK, SessionCalendar
from bot.domain.snapshot import Snapshot
from bot.signals.own.board import NoBoard, read_board
from bot.signals.own.settings import OwnIndexSettings
from bot.volindex import MINUTES_OF_INDEX, TermVariance, term_variance, volatility_index

CLASSES: Final[Mapping[str, tuple[str, str]]] = {"VIX": ("SPX", "SPXW"), "RVX": ("RUT", "RUTW")}
"""Each index with its option classes: the one that settles in the morning of a third Friday, and the weekly one."""

_MORNING: Final = time(9, 30)
_AFTER_SHARES: Final = timedelta(minutes=15)  # index options trade so much longer than the shares they settle on
_MINUTES_PER_DAY: Final = 1440.0
_FRIDAY: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnTerm:
    """One of the two settlements: its class, its variance with every intermediate, and how complete its chain was."""

    trading_class: str
    settlement: date
    variance: TermVariance
    listed: int  # strikes
    oldest_age_s: float  # of the quotes in use


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnIndex:
    """An index of our own: ``symbol`` is VIX or RVX, ``level`` in volatility points, ``words`` tell the source."""

    symbol: str
    level: float
    at: datetime
    terms: tuple[OwnTerm, OwnTerm]
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NoIndex:
    """There is no own index now, and why."""

    symbol: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenTerm:
    """The options of one settlement that an index needs, with the minutes from now to it by the method's count."""

    trading_class: str
    settlement: date
    minutes: float
    options: tuple[Instrument, ...]


def own_index(
    symbol: str,
    snapshot: Snapshot,
    chain: Iterable[Instrument],
    *,
    calendar: SessionCalendar,
    settings: OwnIndexSettings,
) -> OwnIndex | NoIndex:
    """Return the index of a moment from the quotes of a chain, or why there is none.

    Args:
        symbol: VIX or RVX.
        snapshot: The moment with its quotes.
        chain: All listed options of the index's classes that settle in the coming weeks; others are left out.
        calendar: Sessions and holidays.
        settings: What counts, and how complete it must be.

    Raises:
        InvalidValueError: An index without option classes.

    Source: docs/methodology.md, M18.
    """
    if snapshot.session is None:
        return NoIndex(symbol=symbol, why="no session is open: the options have no quotes of the day")
    chosen = chosen_terms(symbol, chain, snapshot.now, calendar=calendar, settings=settings)
    if isinstance(chosen, NoIndex):
        return chosen
    terms = []
    for term in chosen:
        found = _term_of(term, snapshot, settings)
        if isinstance(found, NoBoard):
            return NoIndex(symbol=symbol, why=f"{term.trading_class} {term.settlement}: {found.why}")
        terms.append(found)
    return _joined(symbol, snapshot.now, (terms[0], terms[1]), settings)


def chosen_terms(
    symbol: str,
    chain: Iterable[Instrument],
    now: datetime,
    *,
    calendar: SessionCalendar,
    settings: OwnIndexSettings,
) -> tuple[ChosenTerm, ChosenTerm] | NoIndex:
    """Return the two settlements around thirty days whose options an index needs quotes of, or why there are not two.

    Raises:
        InvalidValueError: An index without option classes.

    Source: docs/methodology.md, M18.
    """
    if symbol not in CLASSES:
        raise InvalidValueError(f"own index: expected one of {', '.join(CLASSES)}, found {symbol!r}")
    terms = _terms_of(symbol, chain, now, calendar)
    least, most = settings.least_days * _MINUTES_PER_DAY, settings.most_days * _MINUTES_PER_DAY
    near = [term for term in terms if least <= term.minutes < MINUTES_OF_INDEX]
    far = [term for term in terms if MINUTES_OF_INDEX <= term.minutes <= most]
    if not near or not far:
        missing = f"{settings.least_days:g} to 30" if not near else f"30 to {settings.most_days:g}"
        return NoIndex(symbol=symbol, why=f"{'/'.join(CLASSES[symbol])}: no Friday settlement {missing} days away")
    return max(near, key=lambda term: term.minutes), min(far, key=lambda term: term.minutes)


def _terms_of(symbol: str, chain: Iterable[Instrument], now: datetime, calendar: SessionCalendar) -> list[ChosenTerm]:
    """Return the Friday settlements of a chain, of each one class."""
    morning, weekly = CLASSES[symbol]
    found: dict[tuple[date, str], list[Instrument]] = {}
    for one in chain:
        if one.kind is Kind.OPTION and one.trading_class in (morning, weekly) and one.settlement is not None:
            found.setdefault((one.settlement, one.trading_class), []).append(one)
    terms = []
    for (day, trading_class), options in sorted(found.items()):
        settles_at = _settles_at(day, calendar, in_the_morning=trading_class == morning)
        is_other_class = trading_class == weekly and (day, morning) in found and _is_third_friday(day, calendar)
        if settles_at is not None and _is_friday(day, calendar) and not is_other_class:
            minutes = (settles_at - now.astimezone(NEW_YORK).replace(tzinfo=None)) / timedelta(minutes=1)
            term = ChosenTerm(trading_class=trading_class, settlement=day, minutes=minutes, options=tuple(options))
            terms.append(term)
    return terms


def _settles_at(day: date, calendar: SessionCalendar, *, in_the_morning: bool) -> datetime | None:
    """Return the settlement in New York's own time, None on a day without a session.

    Clock times, because the method counts whole days of 1,440 minutes also where summer time begins or ends.
    """
    session = calendar.session(day)
    if session is None:
        return None
    if in_the_morning:
        return datetime.combine(day, _MORNING)
    return session.closes_at.astimezone(NEW_YORK).replace(tzinfo=None) - _AFTER_SHARES


def _is_friday(day: date, calendar: SessionCalendar) -> bool:
    """A Friday, or the last session before one that is a holiday."""
    return _stands_for(day + timedelta(days=(_FRIDAY - day.weekday()) % 7), day, calendar)


def _is_third_friday(day: date, calendar: SessionCalendar) -> bool:
    return _stands_for(third_friday(day.year, day.month), day, calendar)


def _stands_for(friday: date, day: date, calendar: SessionCalendar) -> bool:
    return day == friday or (calendar.session(friday) is None and calendar.previous_session(friday).day == day)


def _term_of(term: ChosenTerm, snapshot: Snapshot, settings: OwnIndexSettings) -> OwnTerm | NoBoard:
    board = read_board(term.options, snapshot.quotes, snapshot.now, minutes=term.minutes, settings=settings)
    if isinstance(board, NoBoard):
        return board
    return OwnTerm(
        trading_class=term.trading_class,
        settlement=term.settlement,
        variance=term_variance(board.rows, minutes=term.minutes, rate=settings.rate),
        listed=board.listed,
        oldest_age_s=board.oldest_age_s,
    )


def _joined(
    symbol: str, now: datetime, terms: tuple[OwnTerm, OwnTerm], settings: OwnIndexSettings
) -> OwnIndex | NoIndex:
    near, far = terms
    try:
        level = volatility_index(near.variance, far.variance).points
    except InvalidValueError as error:
        return NoIndex(symbol=symbol, why=f"{near.settlement} and {far.settlement} have no index: {error}")
    if level > settings.max_level:
        return NoIndex(symbol=symbol, why=f"{level:.2f} points are above {settings.max_level:g}, no believable level")
    told = " and ".join(f"{one.variance.strikes} options of {one.trading_class} {one.settlement}" for one in terms)
    return OwnIndex(symbol=symbol, level=level, at=now, terms=terms, words=f"{symbol} of our own, from {told}")
