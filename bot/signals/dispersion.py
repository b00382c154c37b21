"""The live rule on ticks: spread, smoothing, freshness, dwell and hysteresis, O(1) per tick.

How it works. A tick is judged by its lane. Time then passes up to the tick: the smoothed spread moves towards the
spread that was held, and fresh time in which a threshold stays crossed is credited to the dwell. Only then does the
tick's level count. Between ticks the smoothed spread moves in one direction towards the spread held, so while both
lie between the same two thresholds nothing can happen: until `_quiet_until` such a tick only leaves its numbers.

What always holds: time never runs backward and comes from ticks and from `reading` alone; an invalid tick changes
nothing; while the indices are stale or the baseline is undefined no episode begins or ends.

Source: docs/methodology.md, M1.
"""

import math
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Final

from bot.domain.instrument import RUT, RVX, SPX, VIX, InstrumentKey
from bot.domain.market import DataType
from bot.domain.readings import DispersionReading, Episode, SignalState
from bot.domain.schedule import Session
from bot.signals.baseline import BaselineRow, thresholds_of
from bot.signals.lane import NEVER, IndexLane, Judgement
from bot.signals.settings import DispersionSettings

NS_PER_S: Final = 1_000_000_000
PEAK_STEP: Final = 0.05
"""Planning is due again when the peak excess rose by this: one hundredth of the base more (M2)."""

_LIVE: Final = DataType.LIVE
_exp2: Final = math.exp2  # looked up once, not at every tick
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def nanoseconds_of(moment: datetime) -> int:
    """Return an aware moment as nanoseconds since 1970 UTC, exactly."""
    return (moment - _EPOCH) // timedelta(microseconds=1) * 1000


class DispersionTracker:
    """Follows RVX minus VIX through a session and says in which state the live rule is."""

    __slots__ = (
        *("_at", "_began_on", "_closes_ns", "_feed_ns", "_fresh", "_held_ns", "_high", "_holding", "_lanes"),
        *("_last_change_ns", "_low", "_peak", "_peak_step", "_quiet_until", "_rate", "_rvx", "_seeded", "_session"),
        *("_settings", "_smoothed", "_smoothed_at", "_spread", "_spx", "_stale_since", "_start_ns", "_state"),
        *("_own", "_thresholds", "_vix"),
    )

    _at: int
    _held_ns: int
    _quiet_until: int
    _seeded: bool
    _smoothed: float
    _smoothed_at: int
    _spread: float

    def __init__(self, settings: DispersionSettings) -> None:
        """Start between sessions, without an episode."""
        limits = {"jump_frac": settings.jump_frac, "confirm_frac": settings.confirm_frac}
        self._settings = settings
        self._spx = IndexLane(**limits, max_level=None)
        self._vix = IndexLane(**limits, max_level=settings.max_level)
        self._rvx = IndexLane(**limits, max_level=settings.max_level)
        rut = IndexLane(**limits, max_level=None)
        self._lanes = {SPX.key: self._spx, RUT.key: rut, VIX.key: self._vix, RVX.key: self._rvx}
        self._rate = -1.0 / (settings.half_life_s * NS_PER_S)
        self._feed_ns = round(settings.feed_alive_s * NS_PER_S)
        self._last_change_ns = round(settings.last_change_s * NS_PER_S)
        self._own: dict[InstrumentKey, int] = {}  # when a level of our own was taken
        self._began_on: date | None = None
        self._peak = 0.0
        self._peak_step = 0
        self._session: Session | None = None
        self._thresholds = thresholds_of((), date.min, settings)
        self._forget()
        self._closes_ns = NEVER

    # what the state calls ---------------------------------------------------------------------------------------

    def on_tick(self, key: InstrumentKey, level: float, at_ns: int, data_type: DataType) -> bool:
        """Take one tick.

        Args:
            key: The index; others than SPX, RUT, VIX and RVX are ignored.
            level: In index points.
            at_ns: Nanoseconds since 1970 UTC; a tick older than the one before it is ignored.
            data_type: Anything but LIVE is ignored.

        Returns:
            True when the state is another one than after the tick before, or the peak excess of a blowout rose to a
            new step of `PEAK_STEP`.
        """
        lane = self._lanes.get(key)
        if lane is None or data_type is not _LIVE:
            return False
        is_quiet = self._at <= at_ns <= self._quiet_until and lane.low <= level <= lane.high
        if not is_quiet and not self._is_quiet_again(lane, level, at_ns):
            return self._weigh(lane, level, at_ns)
        self._at = lane.at = at_ns
        if level != lane.level:
            lane.level = level
            if lane.feeds_spread:
                lane.changed_at = at_ns
                held = self._spread
                self._smoothed = held + (self._smoothed - held) * _exp2(self._rate * (at_ns - self._smoothed_at))
                self._smoothed_at = at_ns
                self._spread = spread = self._rvx.level - self._vix.level
                if not self._low <= spread <= self._high:
                    self._quiet_until = NEVER  # something may happen from the next tick on
        return False

    def on_own_level(self, key: InstrumentKey, level: float, at_ns: int) -> bool:
        """Take a level of our own for an index that is missing; as `on_tick`, and it is told that it is our own."""
        self._own[key] = at_ns
        return self.on_tick(key, level, at_ns, _LIVE)

    def missing(self, now_ns: int) -> tuple[InstrumentKey, ...]:
        """Return which of RVX and VIX the market does not publish: silent or unmoved for too long while SPX ticks.

        One that stands on a level of our own is among them until a published tick comes.
        """
        if self._session is None or not self._start_ns <= now_ns <= self._closes_ns:
            return ()
        if now_ns - self._spx.at > self._feed_ns:
            return ()
        silent = []
        for key in (RVX.key, VIX.key):
            since = max(self._lanes[key].changed_at, self._start_ns)
            if self._is_own(key) or now_ns - since > self._last_change_ns:
                silent.append(key)
        return tuple(silent)

    def stale(self, now_ns: int) -> str:
        """Return which input of the spread is missing or old, in words; empty while none is, or none is required yet.

        An index of our own in the place of one that is not published is no missing input, and SPX is not published
        longer than its shares trade.
        """
        session = self._session
        if session is None or not self._start_ns <= now_ns <= nanoseconds_of(session.shares_close_at):
            return ""
        return self._why_stale(now_ns)

    def _is_own(self, key: InstrumentKey) -> bool:
        return key in self._own and self._lanes[key].at == self._own[key]

    def open_session(self, session: Session, baseline: Iterable[BaselineRow]) -> None:
        """Begin a session: levels and smoothing anew, the episode goes on.

        Args:
            session: Ticks outside it do not count.
            baseline: (day as ordinal, RVX close, VIX close) of common sessions, oldest first.
        """
        self._forget()
        self._session = session
        self._thresholds = thresholds_of(baseline, session.day, self._settings)
        self._at = nanoseconds_of(session.opens_at)
        self._start_ns = self._at + round(self._settings.start_delay_s * NS_PER_S)
        self._closes_ns = nanoseconds_of(session.closes_at)
        self._set_bounds()

    def close_session(self, session: Session) -> None:
        """End a session: the state is UNDEFINED, levels and episode stay; one that is not open changes nothing."""
        if self._session is not None and self._session.day == session.day:
            self._session = None
            self._closes_ns = NEVER
            self._quiet_until = NEVER
            self._fresh = False
            self._state = SignalState.UNDEFINED

    def restore(self, episode: Episode | None) -> None:
        """Take the episode that was under way when the bot stopped; None: there was none."""
        self._began_on = None if episode is None else episode.began_on
        self._set_peak(0.0 if episode is None else episode.peak_excess)
        self._holding = False
        self._quiet_until = NEVER
        self._set_bounds()

    def levels(self) -> Mapping[InstrumentKey, float]:
        """The last good levels of this session, by index; one without a good tick is left out."""
        return {key: lane.level for key, lane in self._lanes.items() if not math.isnan(lane.level)}

    @property
    def state(self) -> SignalState:
        """The state as of the last tick that counted; `reading` also knows what the time since then changed."""
        return self._state

    @property
    def episode(self) -> Episode | None:
        """The blowout under way, also while UNDEFINED interrupts it."""
        return None if self._began_on is None else Episode(began_on=self._began_on, peak_excess=self._peak)

    def reading(self, now_ns: int) -> DispersionReading:
        """Return the dispersion at one moment, nanoseconds since 1970 UTC; changes nothing."""
        now_ns = max(now_ns, self._at)
        why = self._why_undefined(now_ns)
        spread = self._smoothed_by(now_ns) if self._seeded else None
        baseline = self._thresholds.baseline
        has_excess = spread is not None and baseline is not None and not self._thresholds.why
        calm_or_not = SignalState.CALM if self._began_on is None else SignalState.BLOWOUT
        return DispersionReading(
            state=SignalState.UNDEFINED if why else calm_or_not,
            why=why,
            rvx=None if math.isnan(self._rvx.level) else self._rvx.level,
            vix=None if math.isnan(self._vix.level) else self._vix.level,
            spread=spread,
            baseline=baseline,
            excess=spread / baseline - 1.0 if has_excess and spread is not None and baseline is not None else None,
            baseline_sessions=self._thresholds.sessions,
            episode=self.episode,
            own=tuple(name for name, key in (("RVX", RVX.key), ("VIX", VIX.key)) if self._is_own(key)),
        )

    # one tick in full -------------------------------------------------------------------------------------------

    def _weigh(self, lane: IndexLane, level: float, at_ns: int) -> bool:
        """Judge a tick, let time pass up to it, take its level, decide."""
        if not self._at <= at_ns <= self._closes_ns:
            return False
        judgement = lane.judge(level)
        if judgement is Judgement.INVALID:
            return False
        fresh_until = self._fresh_until()
        passed_ns = min(at_ns, fresh_until) - self._at
        if self._fresh and at_ns > fresh_until:
            self._stale_since = fresh_until
        if self._seeded:
            self._smoothed = self._smoothed_by(at_ns)
            self._smoothed_at = at_ns
        self._at = lane.at = at_ns
        if judgement is Judgement.GOOD:
            lane.accept(level, at_ns)
            self._respread(lane, at_ns)
        due = self._decide(at_ns, passed_ns)
        self._look_ahead()
        return due

    def _respread(self, lane: IndexLane, at_ns: int) -> None:
        """Hold the new spread; seed the smoothing once both indices have ticked since it began."""
        if not lane.feeds_spread or at_ns < self._start_ns:
            return
        lane.is_fed = True
        if self._seeded or (self._rvx.is_fed and self._vix.is_fed):
            self._spread = self._rvx.level - self._vix.level
            if not self._seeded:
                self._seeded = True
                self._smoothed = self._spread
                self._smoothed_at = at_ns

    def _decide(self, at_ns: int, passed_ns: int) -> bool:
        """Move freshness, dwell and state to a tick; True when the state changed or the peak rose by a step.

        ``passed_ns`` is the time since the tick before in which the indices were fresh, if they were fresh then.
        """
        if self._thresholds.why:
            return False
        was_fresh = self._fresh
        self._fresh = fresh = self._seeded and at_ns <= self._fresh_until()
        if fresh and self._stale_since != NEVER:
            if at_ns - self._stale_since >= self._settings.stale_restart_s * NS_PER_S:
                self._holding = False
            self._stale_since = NEVER
        if fresh or was_fresh:
            self._dwell(passed_ns if was_fresh else 0, fresh=fresh)
        before = self._state
        if not fresh:
            self._state = SignalState.UNDEFINED
        else:
            self._state = SignalState.CALM if self._began_on is None else SignalState.BLOWOUT
        return self._rises_by_a_step() or self._state is not before

    def _dwell(self, passed_ns: int, *, fresh: bool) -> None:
        """Credit fresh time to a crossing that still holds; flip once it has held for long enough."""
        limits = self._thresholds
        crossed = self._smoothed > limits.enter_at if self._began_on is None else self._smoothed < limits.leave_at
        if not crossed:
            self._holding = False
            return
        if self._holding:
            self._held_ns += passed_ns
        elif fresh:
            self._holding = True
            self._held_ns = 0
        if fresh and self._held_ns >= self._settings.dwell_s * NS_PER_S:
            self._flip()

    def _flip(self) -> None:
        """Begin an episode or end it."""
        self._holding = False
        self._began_on = self._session.day if self._began_on is None and self._session is not None else None
        self._set_peak(0.0 if self._began_on is None else self._excess())
        self._set_bounds()

    def _rises_by_a_step(self) -> bool:
        """Raise the peak of a fresh blowout; True when it reached a new step."""
        if self._state is not SignalState.BLOWOUT:
            return False
        excess = self._excess()
        if excess <= self._peak:
            return False
        step = self._peak_step
        self._set_peak(excess)
        self._set_bounds()
        return self._peak_step > step

    def _is_quiet_again(self, lane: IndexLane, level: float, at_ns: int) -> bool:
        """Only the moment until which all was fresh had passed, and ticks since then have moved it on."""
        if self._quiet_until == NEVER or not self._quiet_until < at_ns:
            return False
        self._quiet_until = min(self._fresh_until(), self._closes_ns)
        return self._at <= at_ns <= self._quiet_until and lane.low <= level <= lane.high

    # parts ------------------------------------------------------------------------------------------------------

    def _excess(self) -> float:
        """The smoothed spread over the baseline, a fraction of it; only where the rule is defined."""
        baseline = self._thresholds.baseline
        return 0.0 if baseline is None else self._smoothed / baseline - 1.0

    def _set_peak(self, excess: float) -> None:
        self._peak = excess
        self._peak_step = math.floor(excess / PEAK_STEP)

    def _set_bounds(self) -> None:
        """Between these two spreads nothing can happen."""
        limits = self._thresholds
        if limits.why or limits.baseline is None:
            self._low, self._high = -math.inf, math.inf
        elif self._began_on is None:
            self._low, self._high = -math.inf, limits.enter_at
        else:
            self._low, self._high = limits.leave_at, limits.baseline * (1.0 + self._peak)

    def _look_ahead(self) -> None:
        """Find until when ticks within the bounds are quiet; judged anew on arrival where something is under way."""
        is_within = self._low <= self._smoothed <= self._high and self._low <= self._spread <= self._high
        if self._thresholds.why and self._seeded:
            self._quiet_until = self._closes_ns
        elif self._fresh and is_within:  # nor is a dwell running: a spread within is not beyond a threshold
            self._quiet_until = min(self._fresh_until(), self._closes_ns)
        else:
            self._quiet_until = NEVER

    def _fresh_until(self) -> int:
        """The last moment at which the levels count as fresh if no further tick comes."""
        oldest = min(self._rvx.changed_at, self._vix.changed_at)
        return min(self._spx.at + self._feed_ns, oldest + self._last_change_ns)

    def _smoothed_by(self, at_ns: int) -> float:
        """The smoothed spread at a moment not before its last one: s += (1 - 2^(-dt / half-life)) (x - s)."""
        left = _exp2(self._rate * (at_ns - self._smoothed_at))
        return self._spread + (self._smoothed - self._spread) * left

    def _forget(self) -> None:
        """Drop what belongs to one session."""
        self._own.clear()
        for lane in self._lanes.values():
            lane.clear()
        self._at = NEVER
        self._start_ns = NEVER
        self._seeded = False
        self._smoothed = math.nan
        self._spread = math.nan
        self._smoothed_at = NEVER
        self._fresh = False
        self._stale_since = NEVER
        self._holding = False
        self._held_ns = 0
        self._quiet_until = NEVER
        self._state = SignalState.UNDEFINED
        self._set_bounds()

    def _why_undefined(self, now_ns: int) -> str:
        """Say why there is no state at a moment; empty when there is one."""
        if self._session is None:
            return "no session is open"
        if self._thresholds.why:
            return self._thresholds.why
        if now_ns > self._closes_ns:
            return f"the session of {self._session.day} is over"
        return self._why_stale(now_ns)

    def _why_stale(self, now_ns: int) -> str:
        """Say which input of the spread is missing or old at a moment of the session; empty when none is."""
        if not self._seeded:
            missing = [name for name, lane in (("RVX", self._rvx), ("VIX", self._vix)) if not lane.is_fed]
            return f"no good tick of {' and '.join(missing)} since the smoothing of the session began"
        settings = self._settings
        if now_ns - self._spx.at > self._feed_ns:
            return f"no tick of SPX within {settings.feed_alive_s:g} s: the feed is not alive"
        for name, lane in (("RVX", self._rvx), ("VIX", self._vix)):
            if now_ns - lane.changed_at > self._last_change_ns:
                return f"{name} has not changed within {settings.last_change_s:g} s"
        return ""
