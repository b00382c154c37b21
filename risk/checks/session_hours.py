"""Trading hours and the end of a contract's life (C24)."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from bot.domain.decision import Checked, Rule
from bot.domain.instrument import Instrument
from bot.domain.orders import OrderIntent
from bot.domain.schedule import Session
from bot.domain.terms import ContractTerms, own_last_trade, own_span
from risk.scene import Scene


@dataclass(frozen=True, slots=True)
class SessionHours:
    """C24: fails outside the session, near its ends, near the end of a contract's life, and against the broker's hours.

    Shares have no such end, but their session ends a quarter of an hour before that of index options. Nothing is bought
    from ``expiry_guard_sessions`` sessions before the last trading day on; what closes may go until
    ``last_trade_cutoff_minutes`` before the last trade, ours or the broker's, whichever comes first. Of every leg the
    broker must have told its hours today, the moment must lie in the regular ones, and both calendars must say so.

    Control: C24.
    Standard: house rule; RTS 6 8.
    Unit: minutes, sessions.
    Limits: session_edge_minutes, last_trade_cutoff_minutes, expiry_guard_sessions.
    """

    rule: Rule = Rule.SESSION_HOURS

    def check(self, intent: OrderIntent, scene: Scene) -> Checked:
        """Judge the moment."""
        fault = _session_fault(intent, scene) or _expiry_fault(intent, scene) or _broker_fault(intent, scene)
        return Checked.holds(
            rule=self.rule, passed=not fault, found=fault or "open", limit="inside the session", note=fault
        )


def _session_fault(intent: OrderIntent, scene: Scene) -> str:
    return scene.once(_window_fault, intent.is_share)


def _window_fault(is_share: bool, scene: Scene) -> str:  # noqa: FBT001 - what is asked of a figure stands by place
    now, window = scene.snapshot.now, order_window(scene, is_share=is_share)
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
    closes_only = scene.closes_only(intent)
    for leg in intent.legs:
        ended, guarded = scene.of_contract(_life_faults, leg.instrument)
        if ended or (guarded and not closes_only):
            return ended or guarded
    return ""


def _life_faults(instrument: Instrument, scene: Scene) -> tuple[str, str]:
    """What the end of a contract's life says against any order in it, and against one that does not only close."""
    last, cutoff = instrument.last_trade, timedelta(minutes=scene.limits.last_trade_cutoff_minutes)
    if last is None:
        return "a contract without a last trading day", ""
    if scene.snapshot.now >= last_trade_at(instrument, last, scene) - cutoff:
        return "past the cut-off before the last trade", ""
    return "", "too few sessions before the last trading day" if scene.today >= guard_day(last, scene) else ""


def last_trade_at(instrument: Instrument, last: date, scene: Scene) -> datetime:
    """Return the moment after which a contract does not trade any more."""
    return own_last_trade(instrument, last, scene.calendar)


def _broker_fault(intent: OrderIntent, scene: Scene) -> str:
    """What the broker's own word of any leg says against this moment; the session is open by our calendar."""
    for leg in intent.legs:
        fault = scene.of_contract(_leg_fault, leg.instrument)
        if fault:
            return fault
    return ""


def _leg_fault(instrument: Instrument, scene: Scene) -> str:
    session, terms = scene.snapshot.session, scene.snapshot.terms.get(instrument.key)
    if session is None or terms is None or terms.told_on != scene.today:
        return f"the broker has not told the hours of {instrument.key} today"
    return _hours_fault(instrument, session, terms, scene) or _told_end_fault(instrument, terms, scene)


def _hours_fault(instrument: Instrument, session: Session, terms: ContractTerms, scene: Scene) -> str:
    now, edge = scene.snapshot.now, timedelta(minutes=scene.limits.session_edge_minutes)
    liquid, trading = terms.liquid, terms.trading
    if liquid is None or trading is None or liquid.on(scene.today) is None or trading.on(scene.today) is None:
        return f"the broker's hours of {instrument.key} are unknown"
    own = own_span(instrument, session)
    if own is None or not own.opens_at <= now < own.closes_at:
        return f"outside the regular hours of {instrument.key}"
    told = liquid.at(now)
    if told is None or trading.at(now) is None:
        return f"{instrument.key} is closed by the broker's hours and open by our calendar: they disagree"
    if now < told.opens_at + edge or now >= min(told.closes_at, own.closes_at) - edge:
        return f"too near to the ends of the regular hours of {instrument.key}"
    return ""


def _told_end_fault(instrument: Instrument, terms: ContractTerms, scene: Scene) -> str:
    if terms.last_trade_day != instrument.last_trade:
        return f"the broker's last trading day of {instrument.key} is not ours: they disagree"
    cutoff = timedelta(minutes=scene.limits.last_trade_cutoff_minutes)
    if terms.last_trade_at is not None and scene.snapshot.now >= terms.last_trade_at - cutoff:
        return "past the cut-off before the last trade"
    return ""


def guard_day(last: date, scene: Scene) -> date:
    """Return the first day on which nothing of a contract is bought any more."""
    return scene.once(_guarded_from, last)


def _guarded_from(last: date, scene: Scene) -> date:
    day = last
    for _ in range(scene.limits.expiry_guard_sessions):
        day = scene.calendar.previous_session(day).day
    return day
