"""Settings of the condor book; every default is a number of docs/methodology.md, M8, or says where it is from."""

from dataclasses import dataclass
from enum import StrEnum

from bot.domain.checks import require_not_negative, require_positive
from bot.domain.errors import InvalidValueError

MOST_STRIKES_OUT = 3
"""M8: a wing is moved by one to three strikes; configuration may lower it, never raise it."""


class WingMode(StrEnum):
    """What becomes of a widening that would help: written down, proposed to the operator, or sent."""

    ADVISE = "advise"
    PROPOSE = "propose"
    AUTO = "auto"


@dataclass(frozen=True, slots=True, kw_only=True)
class CondorSettings:
    """How the condor book is watched; how far a wing may go stands with the limits of the gate."""

    wings: WingMode = WingMode.PROPOSE  # M8
    most_strikes_out: int = MOST_STRIKES_OUT  # M8: by so many listed strikes a wing is moved at most
    least_minutes_between: float = 30.0  # after one roll, filled or not: a price that nobody takes is asked for later
    calm_vix: float = 15.0  # M8, points: below it condors of all tiers are opened; information for the operator alone
    tense_vix: float = 20.0  # M8, points: above it no new condors are; likewise

    def __post_init__(self) -> None:
        """Reject settings that would let more happen than the methodology allows."""
        require_positive(most_strikes_out=self.most_strikes_out, calm_vix=self.calm_vix, tense_vix=self.tense_vix)
        require_not_negative(least_minutes_between=self.least_minutes_between)
        if self.most_strikes_out > MOST_STRIKES_OUT:
            raise InvalidValueError(
                f"most_strikes_out may be lowered, never raised above {MOST_STRIKES_OUT}, was {self.most_strikes_out}"
            )
        if not self.calm_vix < self.tense_vix:
            raise InvalidValueError(f"calm_vix {self.calm_vix} must lie below tense_vix {self.tense_vix}")
