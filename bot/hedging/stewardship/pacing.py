"""May the overlay grow now? One increase a session, two a week, an hour after any change, not at a session's ends."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal

from bot.domain.ledger import trade_date
from bot.domain.orders import Purpose
from bot.domain.portfolio import Book, Change
from bot.domain.schedule import Session
from bot.hedging.stewardship.settings import StewardSettings


def pacing_obstacle(
    changes: Sequence[Change], session: Session | None, now: datetime, settings: StewardSettings
) -> str:
    """Return what pacing holds against an increase now, empty when nothing.

    An increase whose order died before it had filled whole is not over: the rest may be tried again at once. What is
    built right after a roll or a harvest takes the place of what was sold: it is no increase and waits for nothing but
    the quiet minutes. An exit of which nothing was sold makes no room.

    Args:
        changes: Of the overlay, any order.
        session: The one that is open; None outside one.
        now: Aware.
        settings: The numbers.

    Source: docs/methodology.md, M14.
    """
    quiet = quiet_obstacle(session, now, settings)
    if quiet:
        return quiet
    today = trade_date(now)
    made = (change for change in changes if change.filled or change.purpose is not Purpose.OVERLAY_EXIT)
    ordered = sorted(made, key=lambda change: change.at)
    if ordered and ordered[-1].purpose is Purpose.OVERLAY_BUILD and ordered[-1].is_unfinished:
        ordered.pop()  # what is under judgement now is its rest
    if ordered and ordered[-1].purpose is Purpose.OVERLAY_EXIT:
        return ""  # what is under judgement now takes the place of what was rolled or harvested
    increases = [
        trade_date(change.at)
        for before, change in zip((None, *ordered), ordered, strict=False)
        if change.purpose is Purpose.OVERLAY_BUILD and (before is None or before.purpose is not Purpose.OVERLAY_EXIT)
    ]
    if sum(day == today for day in increases) >= settings.increases_per_session:
        return "paced: this session has had its increase"
    if sum(_week(day) == _week(today) for day in increases) >= settings.increases_per_week:
        return "paced: this week has had its increases"
    if ordered and now - ordered[-1].at < timedelta(minutes=settings.least_minutes_between):
        return f"paced: the overlay changed less than {settings.least_minutes_between:g} minutes ago"
    return ""


def quiet_obstacle(session: Session | None, now: datetime, settings: StewardSettings) -> str:
    """Return why nothing is bought at this time of the day, empty when something may be.

    Source: docs/methodology.md, M14.
    """
    if session is None:
        return "no session is open"
    quiet = timedelta(minutes=settings.quiet_minutes_at_ends)
    if session.opens_at + quiet <= now < session.closes_at - quiet:
        return ""
    return f"paced: no increase in the first and last {settings.quiet_minutes_at_ends:g} minutes of a session"


def churn_obstacle(book: Book, added_usd: Decimal, settings: StewardSettings) -> str:
    """Return why trading has cost enough in this cycle, empty when it has not.

    The cycle began with the first condor that is still held; counted are fees and half-widths of all changes since.

    Args:
        book: Changes and cohorts.
        added_usd: What the increase under judgement would add, USD.
        settings: The share of the credit that may be spent so.

    Source: docs/methodology.md, M16.
    """
    credit = sum((cohort.credit_usd for cohort in book.cohorts), Decimal(0))
    began = min((cohort.opened_on for cohort in book.cohorts), default=None)
    if began is None:
        return ""  # without condors the cost cap allows nothing anyway
    spent = sum((change.churn_usd for change in book.changes if trade_date(change.at) >= began), Decimal(0))
    if spent + added_usd > Decimal(repr(settings.max_churn_frac)) * credit:
        return "the churn budget of this cycle is spent"
    return ""


def _week(day: date) -> tuple[int, int]:
    """Return year and number of a day's week, Monday to Sunday."""
    week = day.isocalendar()
    return week.year, week.week
