"""The signal on daily closes, for evidence, replay and `alvh signal`: exact, because closes are whole hundredths.

Source: docs/methodology.md, M1.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Final, Protocol

from bot.domain.errors import HistoryError
from bot.domain.readings import SignalState
from bot.domain.schedule import SessionCalendar
from bot.signals.baseline import CENTS, in_hundredths
from bot.signals.settings import DispersionSettings

CSV_HEADER: Final = "date,rvx,vix,spread,baseline,threshold,flag,state"


class DailyRule(StrEnum):
    """Which rule gives the state."""

    RAW = "raw"
    """BLOWOUT exactly on flagged sessions: the yardstick."""
    LIVE = "live"
    """Enter, leave and floor of the live rule; on closes there is neither smoothing nor dwell."""


class Close(Protocol):
    """A close of one day, in index points: a row of a history file as well as a bar of the broker."""

    @property
    def day(self) -> date:
        """The trading day."""

    @property
    def close(self) -> float:
        """The level at its end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DailyDispersion:
    """One common session; levels in volatility points.

    ``flag`` is the raw comparison, ``spread`` strictly above ``threshold`` = 1.25 x ``baseline``, under either rule.
    Baseline and threshold are None, flag False and state UNDEFINED on the first sessions, which lack a baseline.
    """

    day: date
    rvx: float
    vix: float
    spread: float
    baseline: float | None
    threshold: float | None
    flag: bool
    state: SignalState


def common_sessions(
    rvx: Iterable[Close], vix: Iterable[Close], calendar: SessionCalendar
) -> tuple[tuple[date, float, float], ...]:
    """Join two histories by date, ascending: (day, RVX close, VIX close) of days that are sessions for both.

    VIX has rows on market holidays and RVX misses a few sessions: joined by position they would not belong together.

    Raises:
        InvalidValueError: A common day lies outside the years that the calendar knows.
    """
    vix_by_day = {row.day: row.close for row in vix}
    joined = ((row.day, row.close, vix_by_day[row.day]) for row in rvx if row.day in vix_by_day)
    return tuple(sorted(row for row in joined if calendar.session(row[0]) is not None))


def evaluate_daily(
    rvx: Iterable[Close],
    vix: Iterable[Close],
    settings: DispersionSettings,
    rule: DailyRule,
    calendar: SessionCalendar | None = None,
) -> tuple[DailyDispersion, ...]:
    """Return one row per common session, oldest first, the first ``baseline_sessions`` of them without a baseline.

    Closes are taken in whole hundredths of a point and compared as integers: 2024-02-26 is an exact tie and not
    flagged.

    Raises:
        HistoryError: Fewer common sessions than one baseline needs.
    """
    joined = common_sessions(rvx, vix, calendar or SessionCalendar())
    needed = settings.baseline_sessions
    if len(joined) < needed:
        span = f", {joined[0][0]} to {joined[-1][0]}" if joined else ""
        raise HistoryError(
            f"RVX and VIX: found {len(joined)} common sessions{span}, expected at least {needed} for the baseline; "
            "add earlier rows to both files or check that their dates overlap"
        )
    return tuple(_evaluated(joined, settings, rule))


def signal_rows_as_csv(rows: Iterable[DailyDispersion]) -> Iterator[str]:
    """Yield the lines of `alvh signal`, without line ends: the header, then one line per session.

    Levels have two decimals, baseline and threshold six and are empty where they do not exist; flag is 1 or 0.
    """
    yield CSV_HEADER
    for row in rows:
        levels = f"{row.rvx:.2f},{row.vix:.2f},{row.spread:.2f}"
        average = f"{_six(row.baseline)},{_six(row.threshold)}"
        yield f"{row.day.isoformat()},{levels},{average},{row.flag:d},{row.state.value}"


def episodes_of(rows: Sequence[DailyDispersion]) -> tuple[tuple[date, date], ...]:
    """Return first and last day of each maximal run of BLOWOUT; an UNDEFINED row within a run does not end it."""
    found: list[tuple[date, date]] = []
    is_open = False
    for row in rows:
        if row.state is SignalState.BLOWOUT:
            found[-1:] = [(found[-1][0], row.day)] if is_open else [*found[-1:], (row.day, row.day)]
        is_open = row.state is SignalState.BLOWOUT or (is_open and row.state is SignalState.UNDEFINED)
    return tuple(found)


def _evaluated(
    joined: Iterable[tuple[date, float, float]], settings: DispersionSettings, rule: DailyRule
) -> Iterator[DailyDispersion]:
    judge = _ExactRule(settings)
    before: deque[int] = deque(maxlen=settings.baseline_sessions)
    total = 0  # of `before`, in hundredths of a point
    state = SignalState.CALM  # of the episode, which UNDEFINED only interrupts
    for day, rvx, vix in joined:
        spread = in_hundredths(rvx) - in_hundredths(vix)
        is_full = len(before) == settings.baseline_sessions
        flag = is_full and judge.is_wide(spread, total)
        shown = SignalState.UNDEFINED
        if is_full and judge.is_defined(total, rule):
            state = judge.next_state(state, spread, total, flag=flag, rule=rule)
            shown = state
        baseline = total / (CENTS * len(before)) if is_full else None
        yield DailyDispersion(
            day=day,
            rvx=rvx,
            vix=vix,
            spread=spread / CENTS,
            baseline=baseline,
            threshold=None if baseline is None else baseline * (1.0 + settings.enter_excess),
            flag=flag,
            state=shown,
        )
        total += spread - (before[0] if is_full else 0)
        before.append(spread)


class _ExactRule:
    """The comparisons of the rule on a spread and the sum of the spreads before it, both in hundredths of a point."""

    def __init__(self, settings: DispersionSettings) -> None:
        self._sessions = settings.baseline_sessions
        self._enter = 1 + _exact(settings.enter_excess)
        self._leave = 1 + _exact(settings.leave_excess)
        self._points = _exact(settings.enter_points) * CENTS * self._sessions
        self._floor = _exact(settings.baseline_floor_points) * CENTS * self._sessions

    def is_wide(self, spread: int, total: int) -> bool:
        """Strictly above 1.25 times a positive baseline."""
        return total > 0 and spread * self._sessions > self._enter * total

    def is_defined(self, total: int, rule: DailyRule) -> bool:
        """The raw rule needs a positive baseline, the live rule one that is not below the floor."""
        return total > 0 if rule is DailyRule.RAW else total >= self._floor

    def next_state(self, state: SignalState, spread: int, total: int, *, flag: bool, rule: DailyRule) -> SignalState:
        """The state after one more close."""
        if rule is DailyRule.RAW:
            return SignalState.BLOWOUT if flag else SignalState.CALM
        scaled = spread * self._sessions
        if state is SignalState.CALM:
            return SignalState.BLOWOUT if flag and scaled - total >= self._points else SignalState.CALM
        return SignalState.CALM if scaled < self._leave * total else SignalState.BLOWOUT


def _exact(number: float) -> Fraction:
    """The number that was written in config, not the double nearest to it."""
    return Fraction(Decimal(str(number)))


def _six(number: float | None) -> str:
    return "" if number is None else f"{number:.6f}"
