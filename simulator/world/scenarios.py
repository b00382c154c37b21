"""Named scenarios: scripted sessions with seeded noise, and the daily closes that came before them.

A script (`simulator.world.scripts`) gives anchors for each session. Noise is added around them: SPX draws a bridge, VIX
answers it with -1.38 points per +1 %, RUT follows. RVX is VIX plus the spread that the excess asks for, against the
mean of the very closes that the world has published.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bot.domain.checks import require_positive
from bot.domain.errors import InvalidValueError
from bot.domain.schedule import Session, SessionCalendar
from simulator.world.levels import (
    EQUITY_CLOSE_LEAD,
    SYMBOLS,
    UNPUBLISHED_RVX,
    DailyLevel,
    SessionPath,
    last_level,
    steps_of,
)
from simulator.world.noise import Series, blended, bridge, frozen_after, published
from simulator.world.response import RUT_CORRELATION, RUT_NOISE_RATIO, VIX_PER_SPX_PERCENT
from simulator.world.scripts import SCENARIOS, Anchors, Script

PRIOR_SESSIONS: Final = 300
"""Daily closes before the first session that lead up to it."""
OLDER_SESSIONS: Final = 160
"""Closes before those: a year's mean behind the hundred sessions in which averages settle asks for more than 300."""
BASELINE_SESSIONS: Final = 90
LAG_SESSIONS: Final = 20
"""A month in which small caps part from large ones before a story begins."""
FIRST_SPX: Final = 6800.0
FIRST_RUT: Final = 2500.0
FIRST_VIX: Final = 17.0
USUAL_SPREAD: Final = 5.5

_SPX_NOISE: Final = 0.004  # of the level; the bridge halves it at midday
VIX_NOISE: Final = 0.15  # points
_EXCESS_NOISE: Final = 0.03
_OLDER_STREAM: Final = 1_000_000  # beside those of the sessions, which are counted from 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioSource:
    """A scenario over ``count`` sessions from ``start`` on, in steps of ``tick_s`` seconds."""

    name: str
    calendar: SessionCalendar
    start: date
    count: int
    seed: int
    tick_s: int = 15
    sessions: tuple[Session, ...] = field(init=False)
    prior: Mapping[str, tuple[DailyLevel, ...]] = field(init=False, repr=False)
    _paths: tuple[SessionPath, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Play the whole script once: each session builds on the closes before it."""
        require_positive(count=self.count, tick_s=self.tick_s)
        if self.name not in SCENARIOS:
            raise InvalidValueError(f"no scenario named {self.name!r}, expected one of {', '.join(SCENARIOS)}")
        first = SCENARIOS[self.name].first_day(self.calendar, self.start)
        sessions = _sessions_from(self.calendar, first, self.count)
        story = _prior_days(self.calendar, sessions[0].day, self.seed, SCENARIOS[self.name].rut_lag_pct)
        prior = _with_older_days(self.calendar, story, self.seed)
        object.__setattr__(self, "sessions", sessions)
        object.__setattr__(self, "prior", prior)
        object.__setattr__(self, "_paths", tuple(self._play(sessions, prior)))

    @property
    def spx_bounds(self) -> tuple[float, float]:
        """The lowest and highest SPX level of the run."""
        return self._bounds("SPX")

    @property
    def rut_bounds(self) -> tuple[float, float]:
        """The same of RUT."""
        return self._bounds("RUT")

    def _bounds(self, symbol: str) -> tuple[float, float]:
        series = [path.levels[symbol] for path in self._paths]
        return min(map(min, series)), max(map(max, series))

    def path(self, index: int) -> SessionPath:
        """Return a session as played."""
        return self._paths[index]

    def _play(self, sessions: tuple[Session, ...], prior: Mapping[str, tuple[DailyLevel, ...]]) -> list[SessionPath]:
        spreads = [rvx.close - vix.close for rvx, vix in zip(prior["RVX"], prior["VIX"], strict=True)]
        spx, rut = last_level(prior["SPX"], "SPX"), last_level(prior["RUT"], "RUT")
        paths = []
        for index, session in enumerate(sessions):
            rng = np.random.default_rng([self.seed, index + 1])
            usual = float(np.mean(spreads[-BASELINE_SESSIONS:]))
            script = SCENARIOS[self.name].script(index)
            levels = _play_session(script, session, self.tick_s, rng, (spx, rut, usual))
            spx, rut = levels["SPX"][-1], levels["RUT"][-1]
            spreads.append(levels["RVX"][-1] - levels["VIX"][-1])
            if not script.publishes_rvx:
                levels[UNPUBLISHED_RVX], levels["RVX"] = levels["RVX"], (math.nan,) * len(levels["RVX"])
            halts = _halts(script, session)
            paths.append(SessionPath(session=session, step_s=self.tick_s, levels=levels, halts=halts))
        return paths


def _play_session(
    script: Script, session: Session, tick_s: int, rng: np.random.Generator, start: tuple[float, float, float]
) -> dict[str, tuple[float, ...]]:
    """Return the four series of one session; ``start`` is SPX and RUT at the open and the usual spread."""
    spx_open, rut_open, usual = start
    steps = steps_of(session, tick_s)
    minutes = np.minimum(np.arange(steps) * tick_s, (session.closes_at - session.opens_at).total_seconds()) / 60.0
    own, rut_own, vix_own, excess_own = (bridge(rng, steps) for _ in range(4))
    equity_stop = int(np.searchsorted(minutes, minutes[-1] - EQUITY_CLOSE_LEAD.total_seconds() / 60.0))
    spx_dev = _SPX_NOISE * own
    rut_dev = RUT_NOISE_RATIO * _SPX_NOISE * blended(own, rut_own, RUT_CORRELATION)
    spx = spx_open * (1.0 + _along(script.spx_pct, minutes) / 100.0 + spx_dev)
    spx = _kept_below(spx, spx_open, minutes <= script.spx_below_open_until_min)
    rut = rut_open * (1.0 + _along(script.rut_pct, minutes) / 100.0 + rut_dev)
    vix = _along(script.vix, minutes) + VIX_PER_SPX_PERCENT * 100.0 * spx_dev + VIX_NOISE * vix_own
    excess = _along(script.excess, minutes) + _EXCESS_NOISE * np.tanh(2.0 * excess_own)
    rvx = np.round(vix, 2) + usual * (1.0 + excess)
    series = {"SPX": frozen_after(spx, equity_stop), "RUT": frozen_after(rut, equity_stop), "VIX": vix, "RVX": rvx}
    held = _held(script, minutes)
    return {symbol: published(values[held]) for symbol, values in series.items()}


def _held(script: Script, minutes: Series) -> NDArray[np.intp]:
    """Return the step whose levels hold at each step: its own, during a halt the last one before it."""
    steps = np.arange(len(minutes))
    if script.halt_min is None:
        return steps
    start, end = script.halt_min
    return np.where((minutes >= start) & (minutes < end), max(0, int(np.searchsorted(minutes, start)) - 1), steps)


def _halts(script: Script, session: Session) -> tuple[tuple[datetime, datetime], ...]:
    if script.halt_min is None:
        return ()
    start, end = (session.opens_at + timedelta(minutes=minute) for minute in script.halt_min)
    return ((start, end),)


def _along(anchors: Anchors, minutes: Series) -> Series:
    return np.interp(minutes, [minute for minute, _ in anchors], [value for _, value in anchors])


def _kept_below(series: Series, ceiling: float, where: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> Series:
    """Return the series mirrored at ``ceiling`` where it must stay below."""
    return np.where(where, ceiling - np.abs(ceiling - series), series)


def _sessions_from(calendar: SessionCalendar, start: date, count: int) -> tuple[Session, ...]:
    """Return ``count`` sessions, the first on or after ``start``."""
    found: list[Session] = []
    session = calendar.session(start) or calendar.next_session(start)
    while len(found) < count:
        found.append(session)
        session = calendar.next_session(session.day)
    return tuple(found)


def _prior_days(
    calendar: SessionCalendar, first: date, seed: int, rut_lag_pct: float
) -> Mapping[str, tuple[DailyLevel, ...]]:
    """Return quiet daily closes up to the day before ``first``, ending at the scenario's opening levels.

    Over the last `LAG_SESSIONS` of them RUT loses ``rut_lag_pct`` percent against its usual way.
    """
    days = _days_before(calendar, first, PRIOR_SESSIONS)
    quiet = _quiet_days(days, np.random.default_rng([seed, 0]), (FIRST_SPX, FIRST_RUT))
    if not rut_lag_pct:
        return quiet
    left = np.clip(np.arange(len(days))[::-1] / LAG_SESSIONS, 0.0, 1.0)
    rut = published(np.array([level.close for level in quiet["RUT"]]) * (1.0 + rut_lag_pct / 100.0 * left))
    return {**quiet, "RUT": tuple(DailyLevel(day=day, close=close) for day, close in zip(days, rut, strict=True))}


def _with_older_days(
    calendar: SessionCalendar, prior: Mapping[str, tuple[DailyLevel, ...]], seed: int
) -> Mapping[str, tuple[DailyLevel, ...]]:
    """Return closes with `OLDER_SESSIONS` before them, which end where they begin."""
    first = prior["SPX"][0]
    days = _days_before(calendar, first.day, OLDER_SESSIONS)
    older = _quiet_days(days, np.random.default_rng([seed, _OLDER_STREAM]), (first.close, prior["RUT"][0].close))
    return {symbol: (*older[symbol], *prior[symbol]) for symbol in SYMBOLS}


def _days_before(calendar: SessionCalendar, first: date, count: int) -> list[date]:
    sessions = calendar.sessions(first - timedelta(days=count * 2), first - timedelta(days=1))
    return [session.day for session in sessions][-count:]


def _quiet_days(
    days: list[date], rng: np.random.Generator, end: tuple[float, float]
) -> Mapping[str, tuple[DailyLevel, ...]]:
    """Return quiet closes of some days; ``end`` is where SPX and RUT arrive, the volatilities arrive at their usual."""
    count = len(days)
    vix = FIRST_VIX + _mean_reverting(rng, count, sigma=0.5)
    spread = USUAL_SPREAD + _mean_reverting(rng, count, sigma=0.12)
    moves = np.diff(vix, append=FIRST_VIX) / VIX_PER_SPX_PERCENT / 100.0 + 0.0004
    spx = end[0] * np.exp(-np.cumsum(moves[::-1])[::-1] + moves[-1])
    rut_moves = 1.1 * moves + 0.003 * rng.standard_normal(count)
    rut = end[1] * np.exp(-np.cumsum(rut_moves[::-1])[::-1] + rut_moves[-1])
    rvx = np.round(vix, 2) + spread
    series = {"SPX": published(spx), "RUT": published(rut), "VIX": published(vix), "RVX": published(rvx)}
    return {
        symbol: tuple(DailyLevel(day=day, close=close) for day, close in zip(days, series[symbol], strict=True))
        for symbol in SYMBOLS
    }


def _mean_reverting(rng: np.random.Generator, count: int, *, sigma: float) -> Series:
    """Return an autoregressive wander (0.9 a day) that starts and ends at zero; ``sigma`` per day."""
    wander = np.zeros(count)
    for day, shock in enumerate(rng.standard_normal(count - 1), start=1):
        wander[day] = 0.9 * wander[day - 1] + sigma * shock
    tied: Series = wander - np.linspace(0.0, 1.0, count) * wander[-1]
    return tied
