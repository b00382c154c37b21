"""What the bot has asked of itself: kept over a restart, ended by the next session day or lifted by a signed resume."""

from dataclasses import dataclass, field, replace
from datetime import datetime

from bot.domain.checks import require_aware
from bot.domain.executed import Counted
from bot.domain.mode import DemandSource, TradingMode, strictest


@dataclass(frozen=True, slots=True, kw_only=True)
class Restraint:
    """One demand of the bot's own, since when and why."""

    source: DemandSource
    mode: TradingMode
    since: datetime
    cause: str

    def __post_init__(self) -> None:
        """Reject a naive time."""
        require_aware(since=self.since)


@dataclass(frozen=True, slots=True, kw_only=True)
class Restraints:
    """All that hold, at most one of a source, and from when the day's executions count."""

    held: tuple[Restraint, ...] = ()
    counted: Counted = field(default_factory=Counted)

    @property
    def mode(self) -> TradingMode:
        """The strictest; NORMAL where there are none."""
        return strictest(one.mode for one in self.held)

    def of(self, source: DemandSource) -> Restraint | None:
        """Return what a source holds."""
        return next((one for one in self.held if one.source is source), None)

    def asked(self, restraint: Restraint) -> "Restraints":
        """Return what holds after a source has asked; NORMAL ends what it held before."""
        others = tuple(one for one in self.held if one.source is not restraint.source)
        return replace(self, held=others if restraint.mode is TradingMode.NORMAL else (*others, restraint))

    def lifted(self, sources: tuple[DemandSource, ...], at: datetime) -> "Restraints":
        """Return what holds after a person has lifted some; what they counted counts anew from this moment on."""
        return Restraints(
            held=tuple(one for one in self.held if one.source not in sources),
            counted=Counted(
                repeats_after=at if DemandSource.REPEATS in sources else self.counted.repeats_after,
                slippage_after=at if DemandSource.SLIPPAGE in sources else self.counted.slippage_after,
            ),
        )

    def stricter_than(self, mode: TradingMode) -> tuple[DemandSource, ...]:
        """Return the sources that a resume to this mode lifts."""
        return tuple(one.source for one in self.held if one.mode > mode)
