"""What an expiry choice is made from and what comes out of it."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from bot.domain.checks import require_finite, require_positive, require_text
from bot.domain.errors import InvalidValueError
from bot.domain.releases import Release, ReleaseKind


class Direction(StrEnum):
    """Whether the choice differs from the base choice."""

    NONE = "none"
    FORWARD = "forward"
    """One step later, to outlive a release."""
    BACKWARD = "backward"
    """One step earlier, because the spread is expected back before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """A settlement that can be bought: listed and, for a weekly, liquid enough (M5)."""

    day: date
    is_monthly: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ShiftInputs:
    """What the backward rule reads of the dispersion, in volatility points.

    Attributes:
        spread: The spread now, None where it is unknown.
        peak_spread: The widest spread of the episode under way, None outside one; it is
            ``baseline * (1 + peak_excess)``.
        closing_spreads: Of the common sessions before today, oldest first.
    """

    spread: float | None = None
    peak_spread: float | None = None
    closing_spreads: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        """Reject what is not finite, and a peak that no blowout could have."""
        if self.spread is not None:
            require_finite(spread=self.spread)
        if self.peak_spread is not None:
            require_positive(peak_spread=self.peak_spread)
        require_finite(**{f"closing spread {number}": one for number, one in enumerate(self.closing_spreads)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """Where a purchase goes, decided once, when it is made.

    Attributes:
        base: The base choice; None where no settlement within reach is offered.
        settlement: The choice after at most one step; None with ``base``.
        direction: Of that step.
        because: The reason in words, with figures.
        uncovered: Kinds whose schedule is not known for the days in question: "coverage unknown".
        release: The release that caused a forward step, or that would have if an expiry were offered in time.
    """

    base: date | None
    settlement: date | None
    direction: Direction
    because: str
    uncovered: tuple[ReleaseKind, ...] = ()
    release: Release | None = None

    def __post_init__(self) -> None:
        """Reject a step that contradicts its direction, and one without a reason."""
        require_text(because=self.because)
        if (self.base is None) != (self.settlement is None):
            raise InvalidValueError(f"base and settlement exist together, were {self.base} and {self.settlement}")
        if self.base is None or self.settlement is None:
            expected = Direction.NONE
        else:
            later, earlier = self.settlement > self.base, self.settlement < self.base
            expected = Direction.FORWARD if later else Direction.BACKWARD if earlier else Direction.NONE
        if self.direction is not expected:
            raise InvalidValueError(
                f"from {self.base} to {self.settlement} the direction is {expected}, was {self.direction}"
            )
        if self.direction is Direction.FORWARD and self.release is None:
            raise InvalidValueError("a forward step names the release that caused it")
