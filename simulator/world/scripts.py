"""The scripts of the named scenarios: what the indices do in each of their sessions.

A script gives anchors of VIX, of the excess of the RVX-VIX spread over its own 90-session mean, and of SPX and RUT;
`simulator.world.scenarios` plays them with noise.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final

from bot.domain.expiries import third_friday, vix_settlement
from bot.domain.schedule import Session, SessionCalendar

Anchors = tuple[tuple[float, float], ...]
"""Points (minutes after the open, value), minutes ascending; flat before the first and after the last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """One session's course.

    ``excess`` is the spread over its mean, less one; ``vix`` in points; ``spx_pct`` and ``rut_pct`` in percent of the
    last close before the session. ``spx_below_open_until_min`` keeps SPX at or below that close up to a minute.
    ``halt_min`` is a trading halt, from and until minutes after the open: all levels stand still.
    """

    excess: Anchors
    vix: Anchors
    spx_pct: Anchors
    rut_pct: Anchors
    spx_below_open_until_min: float = 0.0
    halt_min: tuple[float, float] | None = None
    publishes_rvx: bool = True


QUIET: Final = Script(
    excess=((0, 0.0), (405, 0.01)),
    vix=((0, 17.0), (200, 16.8), (405, 17.1)),
    spx_pct=((0, 0.0), (200, 0.15), (405, -0.05)),
    rut_pct=((0, 0.0), (200, 0.2), (405, -0.1)),
)
LIVELY: Final = Script(
    excess=((0, 0.02), (150, -0.03), (405, 0.0)),
    vix=((0, 17.1), (150, 17.6), (405, 16.9)),
    spx_pct=((0, 0.0), (150, -0.3), (405, 0.25)),
    rut_pct=((0, 0.0), (150, -0.4), (405, 0.4)),
)
WIDENING: Final = Script(
    excess=((0, 0.01), (90, 0.03), (165, 0.55), (240, 0.57), (405, 0.56)),
    vix=((0, 17.1), (90, 17.4), (180, 18.8), (405, 19.6)),
    spx_pct=((0, 0.0), (60, -0.35), (180, -0.9), (360, -1.1), (405, -1.0)),
    rut_pct=((0, 0.0), (90, -0.6), (180, -2.2), (405, -2.8)),
    spx_below_open_until_min=360.0,
)
STRESSED: Final = Script(
    excess=((0, 0.56), (200, 0.58), (405, 0.54)),
    vix=((0, 19.7), (120, 20.4), (405, 19.3)),
    spx_pct=((0, 0.0), (120, -0.4), (405, 0.2)),
    rut_pct=((0, 0.0), (120, -0.9), (405, -0.2)),
)
STILL_WIDE: Final = Script(
    excess=((0, 0.54), (405, 0.50)),
    vix=((0, 19.3), (200, 19.0), (405, 18.8)),
    spx_pct=((0, 0.0), (200, 0.2), (405, 0.1)),
    rut_pct=((0, 0.0), (200, 0.1), (405, 0.3)),
)
NARROWING: Final = Script(
    excess=((0, 0.47), (15, 0.45), (75, 0.02), (405, 0.0)),
    vix=((0, 18.6), (75, 17.9), (405, 17.4)),
    spx_pct=((0, 0.0), (75, 0.4), (405, 0.8)),
    rut_pct=((0, 0.0), (75, 1.3), (405, 2.2)),
)
RELAPSE: Final = Script(
    excess=((0, 0.54), (15, 0.50), (60, 0.02), (150, 0.03), (210, 0.55), (405, 0.56)),
    vix=((0, 19.3), (60, 17.9), (150, 17.7), (210, 18.9), (405, 19.4)),
    spx_pct=((0, 0.0), (60, 0.5), (150, 0.5), (210, -0.4), (405, -0.7)),
    rut_pct=((0, 0.0), (60, 1.2), (150, 1.1), (210, -0.9), (405, -1.6)),
)

CALM_RALLY: Final = Script(
    excess=((0, 0.01), (90, 0.05), (165, 0.50), (240, 0.55), (405, 0.52)),
    vix=((0, 17.0), (120, 16.7), (405, 16.4)),
    spx_pct=((0, 0.0), (60, 0.15), (180, 0.2), (405, 0.3)),
    rut_pct=((0, 0.0), (60, 1.4), (180, 2.2), (405, 2.6)),
)
BREAK: Final = Script(
    excess=((0, 0.02), (120, 0.3), (405, 0.8)),
    vix=((0, 17.5), (60, 19.0), (240, 25.0), (405, 30.5)),
    spx_pct=((0, -0.4), (60, -1.0), (240, -2.8), (405, -4.1)),
    rut_pct=((0, -0.6), (60, -1.6), (240, -4.2), (405, -5.9)),
)
CRASH: Final = Script(
    excess=((0, 1.0), (180, 1.5), (405, 1.4)),
    vix=((0, 38.0), (90, 49.0), (240, 66.0), (330, 58.0), (405, 61.0)),
    spx_pct=((0, -3.0), (90, -5.0), (240, -8.4), (330, -7.2), (405, -8.0)),
    rut_pct=((0, -3.8), (90, -6.4), (240, -10.8), (330, -9.5), (405, -10.3)),
)
AFTERSHOCK: Final = Script(
    excess=((0, 1.3), (405, 1.1)),
    vix=((0, 57.0), (120, 62.0), (405, 51.0)),
    spx_pct=((0, 1.0), (120, -1.5), (405, 2.2)),
    rut_pct=((0, 0.8), (120, -2.2), (405, 2.0)),
)
RECOVERY: Final = Script(
    excess=((0, 0.9), (405, 0.6)),
    vix=((0, 47.0), (405, 39.0)),
    spx_pct=((0, 0.8), (405, 3.1)),
    rut_pct=((0, 0.9), (405, 3.6)),
)
SPIKE: Final = Script(
    excess=((0, 0.05), (200, 0.45), (405, 0.5)),
    vix=((0, 17.6), (200, 23.0), (405, 26.5)),
    spx_pct=((0, -0.3), (200, -1.6), (405, -2.4)),
    rut_pct=((0, -0.4), (200, -2.5), (405, -3.6)),
)
REVERSION: Final = Script(
    excess=((0, 0.4), (120, 0.15), (405, 0.05)),
    vix=((0, 25.0), (120, 21.5), (405, 19.8)),
    spx_pct=((0, 0.6), (120, 1.7), (405, 2.5)),
    rut_pct=((0, 0.7), (120, 2.4), (405, 3.5)),
)
SETTLING: Final = Script(
    excess=((0, 0.05), (405, 0.0)),
    vix=((0, 19.2), (405, 17.4)),
    spx_pct=((0, 0.2), (405, 0.6)),
    rut_pct=((0, 0.2), (405, 0.7)),
)
BREAKER: Final = Script(
    excess=((0, 0.2), (120, 0.9), (405, 0.9)),
    vix=((0, 20.0), (120, 33.0), (150, 37.0), (165, 41.0), (240, 38.0), (405, 36.0)),
    spx_pct=((0, -1.5), (120, -6.2), (150, -7.0), (165, -7.9), (240, -6.9), (405, -6.4)),
    rut_pct=((0, -1.8), (120, -7.6), (150, -8.6), (165, -9.9), (240, -8.8), (405, -8.0)),
    halt_min=(150.0, 165.0),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A story: its sessions in order, then quiet ones (or all over again), and where in the calendar it begins."""

    about: str
    scripts: tuple[Script, ...]
    repeats: bool = False
    rut_lag_pct: float = 0.0  # what RUT loses against its usual way in the month before the story; negative: it leads
    begins: Callable[[SessionCalendar, date], date] | None = None

    def script(self, number: int) -> Script:
        """Return the script of a session, counted from zero."""
        if self.repeats:
            return self.scripts[number % len(self.scripts)]
        return self.scripts[number] if number < len(self.scripts) else QUIET

    def first_day(self, calendar: SessionCalendar, start: date) -> date:
        """Return the day on or after which the story begins: ``start``, or where the calendar has what it is about."""
        return start if self.begins is None else self.begins(calendar, start)


def _before_a_half_day(calendar: SessionCalendar, start: date) -> date:
    """Return the session before the first half day that has one on or after ``start``."""
    session = calendar.next_session(_session(calendar, start).day)
    while not _is_half(session):
        session = calendar.next_session(session.day)
    return calendar.previous_session(session.day).day


def _week_of_vix_settlement(calendar: SessionCalendar, start: date) -> date:
    """Return the Monday of the first week, from ``start`` on, in which monthly VIX contracts settle."""
    return _monday(start, lambda year, month: vix_settlement(year, month, calendar))


def _week_of_third_friday(_calendar: SessionCalendar, start: date) -> date:
    """Return the Monday of the first week, from ``start`` on, that ends with a third Friday."""
    return _monday(start, third_friday)


def _monday(start: date, day_of: Callable[[int, int], date]) -> date:
    year, month = start.year, start.month
    while True:
        day = day_of(year, month)
        monday = day - timedelta(days=day.weekday())
        if monday >= start:
            return monday
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)


def _session(calendar: SessionCalendar, day: date) -> Session:
    return calendar.session(day) or calendar.next_session(day)


def _is_half(session: Session) -> bool:
    return session.closes_at - session.opens_at < timedelta(hours=6)


_BLOWOUT: Final = (QUIET, WIDENING, STRESSED, STILL_WIDE, NARROWING)
_LAG_PCT: Final = 6.0
"""A month of weak small caps: the confirmations of a blowout have seen it coming, or its opposite."""
_UNPUBLISHED: Final = tuple(replace(script, publishes_rvx=script is QUIET) for script in _BLOWOUT)

SCENARIOS: Final[Mapping[str, Scenario]] = {
    "calm": Scenario(
        about="quiet and lively sessions in turn, the spread at its mean", scripts=(QUIET, LIVELY), repeats=True
    ),
    "blowout": Scenario(
        about="the spread widens by half on the second day and narrows on the fifth, after a month of weak small caps",
        scripts=_BLOWOUT,
        rut_lag_pct=_LAG_PCT,
    ),
    "two_blowouts": Scenario(
        about="the spread widens by half on the first day, narrows on the second and widens again in the same session",
        scripts=(WIDENING, RELAPSE, STILL_WIDE, STILL_WIDE, NARROWING),
        rut_lag_pct=_LAG_PCT,
    ),
    "crash": Scenario(
        about="SPX loses 4 and 8 percent in two days, VIX goes to 66, then a slow recovery",
        scripts=(QUIET, BREAK, CRASH, AFTERSHOCK, RECOVERY),
    ),
    "mean_reversion": Scenario(
        about="a spike of VIX to 26, a quarter of which is gone the day after",
        scripts=(QUIET, SPIKE, REVERSION, SETTLING),
    ),
    "contradicted": Scenario(
        about="the spread widens while VIX falls and small caps rise most: nothing confirms it",
        scripts=(
            QUIET,
            CALM_RALLY,
            replace(CALM_RALLY, excess=STRESSED.excess),
            replace(QUIET, excess=NARROWING.excess),
        ),
        rut_lag_pct=-_LAG_PCT,
    ),
    "vix_without_rvx": Scenario(
        about="the blowout with RVX not published after the first day", scripts=_UNPUBLISHED, rut_lag_pct=_LAG_PCT
    ),
    "halt": Scenario(
        about="SPX falls by 7 percent on the second day and trading halts for 15 minutes at noon",
        scripts=(QUIET, BREAKER, replace(STRESSED, vix=((0, 33.0), (405, 29.0)))),
    ),
    "early_close": Scenario(
        about="the second session is a half day", scripts=(QUIET, LIVELY), repeats=True, begins=_before_a_half_day
    ),
    "vix_expiry_week": Scenario(
        about="the week in which monthly VIX options and futures settle",
        scripts=(QUIET, LIVELY),
        repeats=True,
        begins=_week_of_vix_settlement,
    ),
    "opex_week": Scenario(
        about="the week that ends with the monthly settlement of SPX and RUT options",
        scripts=(QUIET, LIVELY),
        repeats=True,
        begins=_week_of_third_friday,
    ),
}
"""By name."""
