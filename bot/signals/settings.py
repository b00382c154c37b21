"""The numbers of the dispersion signal, each with its unit and its reason."""

from dataclasses import dataclass

from bot.domain.checks import require_finite, require_not_negative, require_positive
from bot.domain.errors import InvalidValueError


@dataclass(frozen=True, slots=True, kw_only=True)
class DispersionSettings:
    """How wide, for how long and on how fresh data the spread of RVX over VIX must stand to count.

    Fractions are of the baseline or of a level, points are volatility points, durations are seconds.
    Source: docs/methodology.md, M1.
    """

    baseline_sessions: int = 90
    """Common sessions in the baseline, today excluded: the "90-day average" of the source text."""
    enter_excess: float = 0.25
    """CALM ends above this fraction over the baseline: the "+25 %" of the source text."""
    enter_points: float = 1.0
    """... and at least this many points over it: a quarter of a small baseline is noise."""
    leave_excess: float = 0.10
    """BLOWOUT ends below this fraction; the gap to ``enter_excess`` is the hysteresis (M16)."""
    baseline_floor_points: float = 1.0
    """Below it the ratio means nothing (35 days of 2018): the signal is UNDEFINED."""
    half_life_s: float = 180.0
    """Of the exponential smoothing: twelve publications of an index disseminated every 15 s."""
    dwell_s: float = 600.0
    """Fresh time for which a crossing must hold: single prints and auctions are over by then."""
    stale_restart_s: float = 300.0
    """A pause of this length makes the dwell begin anew: what was seen before it is old news."""
    feed_alive_s: float = 40.0
    """Longest silence of SPX: two publications of 15 s and 10 s of jitter, so that one lost tick is no outage."""
    last_change_s: float = 300.0
    """Longest time without a change of RVX or VIX: twenty publications; unchanged values may not be resent."""
    jump_frac: float = 0.30
    """A move beyond this against the last good tick needs a second tick: VIX never did that between two prints."""
    confirm_frac: float = 0.10
    """How near the second tick must be to the one that it confirms."""
    max_level: float = 200.0
    """Highest level of RVX or VIX that is believed; the record close of VIX is 82.69."""
    start_delay_s: float = 60.0
    """Ticks feed the smoothing from 09:31 New York: the first minute holds half-opened option series."""

    def __post_init__(self) -> None:
        """Reject numbers without a meaning, alone or together."""
        require_positive(
            baseline_sessions=self.baseline_sessions,
            enter_excess=self.enter_excess,
            baseline_floor_points=self.baseline_floor_points,
            half_life_s=self.half_life_s,
            stale_restart_s=self.stale_restart_s,
            feed_alive_s=self.feed_alive_s,
            last_change_s=self.last_change_s,
            jump_frac=self.jump_frac,
            confirm_frac=self.confirm_frac,
            max_level=self.max_level,
        )
        require_not_negative(enter_points=self.enter_points, dwell_s=self.dwell_s, start_delay_s=self.start_delay_s)
        require_finite(leave_excess=self.leave_excess)
        self._require_order()

    def _require_order(self) -> None:
        """Compare the numbers that only make sense in one order."""
        if not -1.0 < self.leave_excess < self.enter_excess:
            raise InvalidValueError(
                f"leave_excess must lie above -1 and below enter_excess {self.enter_excess}, was {self.leave_excess}"
            )
        if not self.confirm_frac <= self.jump_frac < 1.0:
            raise InvalidValueError(
                f"jump_frac must lie between confirm_frac {self.confirm_frac} and 1, was {self.jump_frac}"
            )
        if self.feed_alive_s > self.last_change_s:
            raise InvalidValueError(
                f"feed_alive_s must not exceed last_change_s {self.last_change_s}, was {self.feed_alive_s}"
            )
