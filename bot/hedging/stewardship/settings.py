"""How freely and how often the bot may act; every default is a number of docs/methodology.md, M14 and M16."""

from dataclasses import dataclass
from enum import StrEnum

from bot.domain.checks import require_frac, require_not_negative, require_positive
from bot.domain.errors import InvalidValueError


class Autonomy(StrEnum):
    """Who decides (M14)."""

    ADVISE = "advise"  # decide, write down, send nothing
    APPROVE = "approve"  # ask a person; without an answer nothing is done
    AUTO = "auto"  # act within the limits; what lies outside them is asked


@dataclass(frozen=True, slots=True, kw_only=True)
class StewardSettings:
    """Autonomy, pacing and churn; a week is one of the calendar, from Monday on, as New York counts days."""

    autonomy: Autonomy = Autonomy.AUTO
    """Of everything that is no exit: an exit only ends what would soon end by itself."""
    proposal_life_s: float = 900.0
    """How long a proposal waits, and how long an approval holds: older prices are other trades."""
    increases_per_session: int = 1
    """A steward adds once and looks again tomorrow."""
    increases_per_week: int = 2
    """Two blowouts in one week are one event."""
    least_minutes_between: float = 60.0
    """Between any change of the overlay and the next increase: what was done must show in the book first."""
    quiet_minutes_at_ends: float = 10.0
    """No increase in the first and the last minutes of a session: quotes are wide and signals young."""
    max_churn_frac: float = 0.03
    """Fees and half-widths paid on the overlay over the condor credit of the present cycle (M16)."""

    def __post_init__(self) -> None:
        """Reject a steward who would never act, or whose numbers contradict each other."""
        require_positive(
            proposal_life_s=self.proposal_life_s,
            increases_per_session=self.increases_per_session,
            increases_per_week=self.increases_per_week,
        )
        require_not_negative(
            least_minutes_between=self.least_minutes_between, quiet_minutes_at_ends=self.quiet_minutes_at_ends
        )
        require_frac(max_churn_frac=self.max_churn_frac)
        if self.increases_per_week < self.increases_per_session:
            raise InvalidValueError(
                f"increases_per_week {self.increases_per_week} is below increases_per_session "
                f"{self.increases_per_session}: no session could use its own"
            )
