"""What the comparison of variants counts; no key of a configuration, so that one journal has one report."""

from dataclasses import dataclass

from bot.domain.checks import require_positive
from bot.domain.errors import InvalidValueError


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonSettings:
    """Thresholds of M15; the same for every variant and every run, else two reports could not be compared."""

    tail_move_frac: float = -0.02
    """Of SPX from one session's end to the next: so low or lower is a tail day. 137 of the 3,954 sessions from
    2009-09-16 to 2025-06-04 were, one in 29: days that condors are hedged against, and still some in each year."""
    least_sessions: int = 30
    """For a yearly rate: about the 45 days of one condor, whose decay is earned before its risk is over. What less time
    brought would be raised to the ninth power and more: 23 % in 25 calm sessions would read 990 % a year."""

    def __post_init__(self) -> None:
        """Reject a tail in which every day lies."""
        require_positive(least_sessions=self.least_sessions)
        if not -1.0 < self.tail_move_frac < 0.0:
            raise InvalidValueError(f"tail_move_frac must lie between -1 and 0, was {self.tail_move_frac}")
