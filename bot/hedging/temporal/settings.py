"""Settings of temporal theta; every default is a number of docs/methodology.md, M4 and M7."""

from dataclasses import dataclass
from typing import Final

from bot.domain.checks import require_not_negative, require_positive
from bot.domain.errors import InvalidValueError
from bot.domain.layer import Layer

HIGHEST_DECAY_FRAC: Final = 0.50
"""M7: the sleeve may decay at half of what the condors earn a day; configuration may lower it, never raise it."""
LEAST_HARVEST_FRAC: Final = 0.70
"""M7: a spread worth less than 70 % of its width has most of its protection still before it; never sold sooner."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TemporalSettings:
    """When time is the reason to act."""

    max_decay_frac: float = HIGHEST_DECAY_FRAC  # M7: of the larger of condor theta and credit per original day
    short_roll_days: int = 10  # M4: calendar days to settlement at which the short layer and the overlay are rolled
    medium_roll_days: int = 65  # M4: the medium layer
    long_roll_days: int = 165  # M4: the long layer
    stop_sessions: int = 2  # M7: nothing is held from so many sessions before its last trading day on
    harvest_frac: float = LEAST_HARVEST_FRAC  # M7: of a spread's width
    most_greeks_gap_frac: float = 0.20  # M7: the broker's delta or theta may lie so far from ours before it is told
    release_days: float = 7.0  # M7: with CPI or PPI so near ahead spreads are taken first; 0 leaves it to prefer

    def __post_init__(self) -> None:
        """Reject settings that contradict each other or the methodology."""
        require_positive(
            max_decay_frac=self.max_decay_frac,
            stop_sessions=self.stop_sessions,
            most_greeks_gap_frac=self.most_greeks_gap_frac,
        )
        require_not_negative(
            short_roll_days=self.short_roll_days, harvest_frac=self.harvest_frac, release_days=self.release_days
        )
        if self.max_decay_frac > HIGHEST_DECAY_FRAC:
            raise InvalidValueError(
                f"max_decay_frac may be lowered, never raised above {HIGHEST_DECAY_FRAC}, was {self.max_decay_frac}"
            )
        if not LEAST_HARVEST_FRAC <= self.harvest_frac < 1.0:
            raise InvalidValueError(
                f"harvest_frac lies from {LEAST_HARVEST_FRAC} to below 1, was {self.harvest_frac}: a spread is never "
                "worth its whole width before it settles"
            )
        if not self.short_roll_days < self.medium_roll_days < self.long_roll_days:
            raise InvalidValueError(
                f"short_roll_days < medium_roll_days < long_roll_days, were {self.short_roll_days}, "
                f"{self.medium_roll_days} and {self.long_roll_days}"
            )

    def roll_days(self, layer: Layer) -> int:
        """Return at how many calendar days to settlement a layer is rolled; the overlay sits in the short layer."""
        match layer:
            case Layer.MEDIUM:
                return self.medium_roll_days
            case Layer.LONG:
                return self.long_roll_days
            case Layer.SHORT | Layer.OVERLAY:
                return self.short_roll_days
