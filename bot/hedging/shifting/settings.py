"""The numbers of the expiry choice and of its shifts, each with its unit and its reason."""

from dataclasses import dataclass

from bot.domain.checks import require_finite, require_not_negative, require_positive
from bot.domain.errors import InvalidValueError
from bot.hedging.shifting.half_life import LEAST_SESSIONS


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeShiftSettings:
    """Where a purchase goes and when it moves one expiry forward or backward.

    Days are calendar days to the settlement, sessions are trading days, fractions are between 0 and 1.
    Source: docs/methodology.md, M6.
    """

    ideal_days: int = 30
    """The base choice is nearest to it: VIX itself looks thirty days ahead."""
    days_range: tuple[int, int] = (21, 45)
    """Base choices: nearer, the roll at 10 days (M4) comes soon; farther, a contract follows spot VIX less (M10)."""
    later_days_range: tuple[int, int] = (46, 60)
    """Only where nothing fits ``days_range``; its end is also the farthest day that a shift may reach."""
    event_window_days: int = 7
    """A release so many calendar days after the settlement, or fewer, is worth one more expiry: a week is the distance
    of two listed settlements, so what comes later is nearer to the next one."""
    most_weeklies: int = 6
    """Weekly settlements that are asked about, the nearest first: all there are from 21 to 60 days, and market data
    lines are scarce; 0 buys monthlies alone."""
    half_life_sessions: int = 90
    """Closing spreads from which the half-life is measured: the baseline of the signal (M1)."""
    days_per_session: float = 1.4
    """Calendar days of one session: seven days hold five."""
    max_half_life_frac: float = 1.0 / 3.0
    """Of the earlier expiry's days: after three half-lives an eighth of the deviation is left."""
    off_peak_frac: float = 0.25
    """The spread has fallen by this fraction of its episode's peak before the hedge is shortened."""

    def __post_init__(self) -> None:
        """Reject numbers without a meaning, alone or together."""
        require_positive(
            ideal_days=self.ideal_days,
            event_window_days=self.event_window_days,
            days_per_session=self.days_per_session,
        )
        require_not_negative(most_weeklies=self.most_weeklies)
        require_finite(max_half_life_frac=self.max_half_life_frac, off_peak_frac=self.off_peak_frac)
        (first, last), (later, latest) = self.days_range, self.later_days_range
        if not 0 < first <= last < later <= latest:
            raise InvalidValueError(
                "days_range and later_days_range ascend from 1 or more, one after the other, were "
                f"{first}..{last} and {later}..{latest}"
            )
        if not first <= self.ideal_days <= last:
            raise InvalidValueError(f"ideal_days must lie in days_range {first}..{last}, was {self.ideal_days}")
        if self.half_life_sessions < LEAST_SESSIONS:
            raise InvalidValueError(
                f"half_life_sessions must be at least {LEAST_SESSIONS}, was {self.half_life_sessions}"
            )
        for name, frac in (("max_half_life_frac", self.max_half_life_frac), ("off_peak_frac", self.off_peak_frac)):
            if not 0.0 < frac < 1.0:
                raise InvalidValueError(f"{name} must lie between 0 and 1, was {frac}")
