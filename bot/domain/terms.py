"""A contract's terms as the broker tells them at run time, and where they contradict our own tables and calendar.

What always holds: our own calendar is the expectation, the broker the authority; where the two differ nothing is
guessed, an order is refused and a person is told.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from bot.domain.checks import require_aware, require_not_negative
from bot.domain.hours import Hours, Span
from bot.domain.instrument import Instrument, Kind
from bot.domain.schedule import NEW_YORK, Session, SessionCalendar
from bot.domain.ticks import Rows

FUTURE_LAST_TRADE: Final = time(9, 0)
"""New York: an expiring VX or VXM trades until 08:00 Chicago on its settlement day (docs/contracts.md, section 5)."""
FUTURES_CLOSE: Final = time(16, 0)
"""New York: end of the regular hours of VX and VXM; on early closes that of options (docs/contracts.md, section 5)."""
HOURS_TOLERANCE: Final = timedelta(minutes=15)
"""Sources differ by a quarter of an hour at the close of one class; a wrong calendar is off by hours, or a day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractTerms:
    """What contract details and market rule said of one contract; what was not told, or not readable, is None."""

    told_on: date  # New York's day
    liquid: Hours | None  # the regular hours
    trading: Hours | None  # with the hours before and after them
    last_trade_day: date | None = None
    last_trade_at: datetime | None = None  # where an hour was told as well
    ticks: Rows = ()  # of the market rule where it is routed

    def __post_init__(self) -> None:
        """Reject naive times."""
        if self.last_trade_at is not None:
            require_aware(last_trade_at=self.last_trade_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenInterest:
    """Contracts that are open in all, as the broker told last; ``told_on`` is New York's day."""

    contracts: int
    told_on: date

    def __post_init__(self) -> None:
        """Reject a count that is none."""
        require_not_negative(contracts=self.contracts)


@dataclass(frozen=True, slots=True, kw_only=True)
class HoursDispute:
    """A day of which calendar and broker say something different; the words are those of New York's clock."""

    day: date
    own: str
    told: str


def own_span(instrument: Instrument, session: Session) -> Span | None:
    """Return the regular hours of a contract on a session's day by our own calendar; None where it has none.

    An expiring VX or VXM ends before they begin, and nothing trades after its last trading day.

    Source: docs/contracts.md, section 5.
    """
    last = instrument.last_trade
    is_future = instrument.kind is Kind.FUTURE
    if last is not None and (session.day > last or (is_future and session.day == last)):
        return None
    closes_at = session.closes_at
    if is_future:
        closes_at = min(closes_at, datetime.combine(session.day, FUTURES_CLOSE, tzinfo=NEW_YORK))
    elif instrument.kind is Kind.STOCK:
        closes_at = session.shares_close_at
    return Span(opens_at=session.opens_at, closes_at=closes_at)


def own_last_trade(instrument: Instrument, last: date, calendar: SessionCalendar) -> datetime:
    """Return the moment of a contract's last trade by our own calendar, in UTC."""
    if instrument.kind is Kind.FUTURE:
        return datetime.combine(last, FUTURE_LAST_TRADE, tzinfo=NEW_YORK).astimezone(UTC)
    session = calendar.session(last) or calendar.previous_session(last)
    return session.closes_at


def hours_disputes(instrument: Instrument, liquid: Hours, since: date, calendar: SessionCalendar) -> list[HoursDispute]:
    """Return the days from ``since`` on of which the broker's regular hours and our own calendar differ, ascending.

    They differ where one knows a session and the other none, or where an end of it lies further apart than
    `HOURS_TOLERANCE`.
    """
    found = []
    for day, told in liquid.days:
        session = calendar.session(day) if day >= since else None
        own = None if session is None else own_span(instrument, session)
        if day >= since and not _agree(own, told):
            found.append(HoursDispute(day=day, own=_words(() if own is None else (own,)), told=_words(told)))
    return found


def last_trade_dispute(instrument: Instrument, terms: ContractTerms, calendar: SessionCalendar) -> HoursDispute | None:
    """Return how the broker's last trade differs from ours: another day, or further apart than `HOURS_TOLERANCE`."""
    last = instrument.last_trade
    if last is None:
        return None
    ours, theirs = own_last_trade(instrument, last, calendar), terms.last_trade_at
    is_off = theirs is not None and abs(ours - theirs) > HOURS_TOLERANCE
    if terms.last_trade_day == last and not is_off:
        return None
    told = terms.last_trade_day or "no day" if theirs is None else f"{theirs.astimezone(NEW_YORK):%Y-%m-%d %H:%M}"
    return HoursDispute(
        day=last, own=f"last trade {ours.astimezone(NEW_YORK):%Y-%m-%d %H:%M}", told=f"last trade {told}"
    )


def _agree(own: Span | None, told: tuple[Span, ...]) -> bool:
    if own is None or not told:
        return own is None and not told
    ends = ((own.opens_at, told[0].opens_at), (own.closes_at, told[-1].closes_at))
    return all(abs(ours - theirs) <= HOURS_TOLERANCE for ours, theirs in ends)


def _words(spans: tuple[Span, ...]) -> str:
    return ", ".join(_clocks(spans)) or "closed"


def _clocks(spans: tuple[Span, ...]) -> Iterator[str]:
    for span in spans:
        opens, closes = span.opens_at.astimezone(NEW_YORK), span.closes_at.astimezone(NEW_YORK)
        yield f"{opens:%H:%M} to {closes:%H:%M}"
