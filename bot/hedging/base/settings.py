"""How the base sleeve is kept; every default is a number of docs/methodology.md, M4, or says where it is from."""

from dataclasses import dataclass
from enum import StrEnum

from bot.domain.checks import require_positive
from bot.domain.errors import InvalidValueError


class MaintainBase(StrEnum):
    """Who keeps the base layers (M4)."""

    OFF = "off"  # the operator: the bot neither buys nor sells a base lot, not even near its end
    PROPOSE = "propose"  # the bot, and a person says yes to every purchase; what ends by itself is sold without asking
    AUTO = "auto"  # the bot, inside its limits


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseSettings:
    """How layers are bought and rolled; how many and where stands in the layers themselves."""

    maintain_base: MaintainBase = MaintainBase.PROPOSE
    """M4: a purchase for months is worth a question."""
    max_delta_gap: float = 0.10
    """Farther than this from a layer's delta a call is another hedge. Where strikes lie five points apart, above 50,
    the nearest one is still within 0.08."""
    strikes_watched: int = 8
    """Calls of one layer for which market data lines are used while it needs a purchase: half a point apart they
    reach two points to both sides of the strike that is expected."""

    def __post_init__(self) -> None:
        """Reject a base that could never be bought."""
        require_positive(max_delta_gap=self.max_delta_gap, strikes_watched=self.strikes_watched)
        if self.max_delta_gap >= 0.5:
            raise InvalidValueError(f"max_delta_gap lies below 0.5, where any call would do, was {self.max_delta_gap}")
