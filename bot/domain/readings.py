"""What the signal says: the dispersion of small-cap over large-cap implied volatility, and the episode it is in."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from bot.domain.checks import require_finite
from bot.domain.errors import InvalidValueError
from bot.domain.evidence import Conviction


class SignalState(StrEnum):
    """The live rule's answer (M1)."""

    CALM = "calm"
    BLOWOUT = "blowout"
    UNDEFINED = "undefined"
    """Too short a history, too low a baseline, or stale indices: hold; no increase, no unwind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """A blowout under way; ``peak_excess`` is the widest excess it has seen, a fraction of the baseline."""

    began_on: date
    peak_excess: float

    def __post_init__(self) -> None:
        """Reject a peak that no spread could have."""
        require_finite(peak_excess=self.peak_excess)


@dataclass(frozen=True, slots=True, kw_only=True)
class DispersionReading:
    """The dispersion at one moment; levels and spreads in volatility points, ``excess`` a fraction of the baseline.

    A figure is None where it does not exist: no tick yet, no baseline, a baseline below one point. ``why`` says in
    words why the state is UNDEFINED and is empty otherwise. ``spread`` is the smoothed spread that the rule compares.
    """

    state: SignalState
    why: str
    rvx: float | None
    vix: float | None
    spread: float | None
    baseline: float | None
    excess: float | None
    baseline_sessions: int
    episode: Episode | None  # also while UNDEFINED interrupts it
    own: tuple[str, ...] = ()  # indices whose present level is of our own, from their options (M18)

    def __post_init__(self) -> None:
        """Reject an undefined reading without a reason, and a reason without need."""
        if (self.state is SignalState.UNDEFINED) != bool(self.why):
            raise InvalidValueError(f"a reading says why exactly when it is undefined, was {self.state}: {self.why!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """What planning reads of a dispersion; ``peak_excess`` is 0 outside an episode."""

    state: SignalState
    why: str
    spread: float | None
    baseline: float | None
    excess: float | None
    peak_excess: float
    episode_began_on: date | None
    own: tuple[str, ...] = ()  # indices whose level was of our own; the baseline is of published closes all the same
    conviction: Conviction | None = None  # of the episode; None outside one, and where nothing was delivered to read
