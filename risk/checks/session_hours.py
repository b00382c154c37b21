"""Trading hours and the end of a contract's life (C24)."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from bot.domain.decision import Checked, Rule
from bot.domain.instrument import Instrument, Kind
from bot.domain.orders import OrderIntent
from bot.domain.schedule import NEW_YORK, SessionCalendar
from risk.scene import Scene

FUTURE_LAST_TRADE: Final = time(9, 0)
"""New York: an expiring VX or VXM trades until 08:00 Chicago on its settlement day (docs/contracts.md, section 5)."""


@dataclass(frozen=True, slots=True)
class SessionHours:
    """C24: fails outside the session, near its ends, and near the end of a contract's life.

    Shares have no such end, but their session ends a quarter of an hour before that of index options. Nothing is bought
    from ``expiry_guard_sessions`` sessions before the last trading day on; what closes may go until
    ``last_trade_cutoff_minutes`` before the last trade.

    Control: C24.
    Standard: house rule; RTS 6 8.
    Unit: minutes, sessions.
    Limits: session_edge_minutes, last_trade_cutoff_minutes, expiry_guard_sessions.
    """

    rule: Rule = Rule.SESSION_HOURS

    def check(self, intent: OrderIntent, scene: Scene) -> Checked:
        """Judge the moment."""
        fault = _session_fault(intent, scene) or _expiry_fault(intent, scene)
        return Checked.holds(
            rule=self.rule, passed=not fault, found=fault or "open", limit="inside the session", note=fault
        )


def _session_fault(intent: OrderIntent, scene: Scene) -> str:
    now, window = scene.snapshot.now, order_window(scene, is_share=intent.is_share)
    if window is None:
        return "no session is open"
    first, last = window
    if now < first:
        return "too soon after the open"
    return "too near to the close" if now >= last else ""


def order_window(scene: Scene, *, is_share: bool) -> tuple[datetime, datetime] | None:
    """Return from when until when (this moment not included) orders may leave in the session that is open."""
    session = scene.snapshot.session
    if session is None:
        return None
    edge = timedelta(minutes=scene.limits.session_edge_minutes)
    return session.opens_at + edge, (session.shares_close_at if is_share else session.closes_at) - edge


def _expiry_fault(intent: OrderIntent, scene: Scene) -> str:
    if intent.is_share:
        return ""
    cutoff = timedelta(minutes=scene.limits.last_trade_cutoff_minutes)
    closes_only = scene.closes_only(intent)
    for leg in intent.legs:
        last = leg.instrument.last_trade
        if last is None:
            return "a contract without a last trading day"
        if scene.snapshot.now >= last_trade_at(leg.instrument, last, scene) - cutoff:
            return "past the cut-off before the last trade"
        if not closes_only and scene.today >= guard_day(last, scene):
            return "too few sessions before the last trading day"
    return ""


def last_trade_at(instrument: Instrument, last: date, scene: Scene) -> datetime:
    """Return the moment after which a contract does not trade any more."""
    is_future = instrument.kind is Kind.FUTURE
    return scene.once(("last trade", is_future, last), lambda: _ends_at(last, scene.calendar, is_future=is_future))


def _ends_at(last: date, calendar: SessionCalendar, *, is_future: bool) -> datetime:
    if is_future:
        return datetime.combine(last, FUTURE_LAST_TRADE, tzinfo=NEW_YORK).astimezone(UTC)
    session = calendar.session(last) or calendar.previous_session(last)
    return session.closes_at


def guard_day(last: date, scene: Scene) -> date:
    """Return the first day on which nothing of a contract is bought any more."""
    return scene.once(("guard", last, scene.limits.expiry_guard_sessions), lambda: _guarded_from(last, scene))


def _guarded_from(last: date, scene: Scene) -> date:
    day = last
    for _ in range(scene.limits.expiry_guard_sessions):
        day = scene.calendar.previous_session(day).day
    return day
