"""Which days and strikes a class lists, by rules that depend on the run's window and levels alone."""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Final

from bot.domain.expiries import third_friday, vix_monthlies
from bot.domain.schedule import SessionCalendar
from simulator.catalogue import Settles

VIX_REACH: Final = timedelta(days=280)
"""How far beyond the run's last day each kind of settlement is listed."""
MONTHLY_REACH: Final = timedelta(days=200)
WEEKLY_REACH: Final = timedelta(days=100)
_VIX_WEEKLY_REACH: Final = timedelta(days=50)
_DAILY_REACH: Final = timedelta(days=24)
_QUARTERS_REACH: Final = timedelta(days=460)
_VIX_STRIKE_BANDS: Final = (("10", "25", "0.5"), ("25", "35", "1"), ("35", "50", "2.5"), ("50", "80.1", "5"))
_BANDS: Final = ((0.75, 1.25, 1), (0.50, 1.50, 5), (0.12, 1.95, 20))
"""Strikes from a fraction below the lowest to one above the highest level, in so many steps of the class."""


def settlement_days(rule: Settles, first: date, last: date, calendar: SessionCalendar) -> tuple[date, ...]:
    """Return the settlement days of a rule from ``first`` until some months after ``last``, ascending."""
    if rule is Settles.VIX_MONTHLY:
        return tuple(vix_monthlies(first, last + VIX_REACH, calendar))
    if rule is Settles.VIX_WEEKLY:
        return _vix_weeklies(first, last + _VIX_WEEKLY_REACH, calendar)
    if rule is Settles.THIRD_FRIDAY:
        return third_fridays(first, last + MONTHLY_REACH, calendar)
    if rule is Settles.QUARTERLY:
        return tuple(day for day in third_fridays(first, last + _QUARTERS_REACH, calendar) if day.month % 3 == 0)
    weekly = fridays(first, last + WEEKLY_REACH, calendar)
    if rule is Settles.FRIDAY:
        return tuple(sorted({*weekly, *third_fridays(first, last + MONTHLY_REACH, calendar)}))
    daily = (session.day for session in calendar.sessions(first, last + _DAILY_REACH))
    return tuple(sorted({*weekly, *daily, *_month_ends(first, last + MONTHLY_REACH, calendar)}))


def fridays(start: date, end: date, calendar: SessionCalendar) -> tuple[date, ...]:
    """Return every Friday, or the session before it where the Friday is none."""
    friday = start + timedelta(days=(4 - start.weekday()) % 7)
    found = []
    while friday <= end:
        found.append(on_session(friday, calendar))
        friday += timedelta(days=7)
    return tuple(dict.fromkeys(day for day in found if day >= start))


def third_fridays(start: date, end: date, calendar: SessionCalendar) -> tuple[date, ...]:
    """Return every third Friday, or the session before it."""
    days = fridays(start, end, calendar)
    return tuple(day for day in days if day == on_session(third_friday(day.year, day.month), calendar))


def on_session(day: date, calendar: SessionCalendar) -> date:
    """Return the day itself, or the session before it."""
    return day if calendar.session(day) is not None else calendar.previous_session(day).day


def vix_strikes() -> tuple[Decimal, ...]:
    """Return the strikes of VIX options, points: 10 to 80, wider apart the higher."""
    return tuple(strike for band in _VIX_STRIKE_BANDS for strike in _stepped(*map(Decimal, band)))


def equity_strikes(low: float, high: float, step: Decimal) -> tuple[Decimal, ...]:
    """Return strikes around the levels of a run, ascending: fine near them, coarse far away.

    They reach so far down that two strikes in a row have no bid even when volatility is extreme (M18).

    Args:
        low: The lowest level of the underlying, points.
        high: Its highest.
        step: The class's finest step.
    """
    found: set[Decimal] = set()
    for below, above, multiple in _BANDS:
        wide = step * multiple
        start = max(wide, Decimal(low * below) // wide * wide)
        found.update(_stepped(start, Decimal(high * above) + wide, wide))
    return tuple(sorted(found))


def _vix_weeklies(start: date, end: date, calendar: SessionCalendar) -> tuple[date, ...]:
    """Return the Wednesdays (or sessions before them) of the weeks in which no monthly settles."""
    monthlies = set(vix_monthlies(start - timedelta(days=7), end + timedelta(days=7), calendar))
    found, wednesday = [], start + timedelta(days=(2 - start.weekday()) % 7)
    while wednesday <= end:
        week = {wednesday + timedelta(days=offset) for offset in range(-2, 3)}
        day = on_session(wednesday, calendar)
        if not week & monthlies and day >= start:
            found.append(day)
        wednesday += timedelta(days=7)
    return tuple(found)


def _month_ends(start: date, end: date, calendar: SessionCalendar) -> Iterator[date]:
    sessions = [session.day for session in calendar.sessions(start, end + timedelta(days=7))]
    for day, after in pairwise(sessions):
        if day.month != after.month and day <= end:
            yield day


def _stepped(start: Decimal, stop: Decimal, step: Decimal) -> Iterator[Decimal]:
    while start < stop:
        yield start
        start += step
