"""Settings of the condor figures; every default is a number of docs/methodology.md, M8, or says where it is from."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from bot.domain.checks import require_positive
from bot.domain.errors import InvalidValueError

MOST_WING_FRAC: Final = 0.20
"""M8: a wing may grow by a fifth of its width per condor cycle; configuration may lower it, never raise it."""
MOST_LOSS_RISE_FRAC: Final = 0.20
"""M8: the maximum loss may grow by a fifth per condor cycle; likewise never raised."""


class WingMode(StrEnum):
    """What becomes of a widening that would help: written down, proposed to the operator, or sent."""

    ADVISE = "advise"
    PROPOSE = "propose"
    AUTO = "auto"


@dataclass(frozen=True, slots=True, kw_only=True)
class CondorSettings:
    """How the condor book is watched."""

    wings: WingMode = WingMode.ADVISE  # M8 has "propose"; nothing but advice is carried out so far
    break_even_moves: float = 1.0  # M8: no plan may bring a break-even inside so many expected moves to expiry
    straddle_reach_frac: float = 0.005  # of the forward: a straddle struck farther away prices more than the move
    most_strikes_out: int = 3  # M8: by so many listed strikes a wing is moved at most
    max_wing_rise_frac: float = MOST_WING_FRAC  # M8: of the wing's width at the start of the cycle
    max_loss_rise_frac: float = MOST_LOSS_RISE_FRAC  # M8: of the maximum loss at the start of the cycle

    def __post_init__(self) -> None:
        """Reject settings that would let more happen than the methodology allows."""
        require_positive(
            break_even_moves=self.break_even_moves,
            straddle_reach_frac=self.straddle_reach_frac,
            most_strikes_out=self.most_strikes_out,
            max_wing_rise_frac=self.max_wing_rise_frac,
            max_loss_rise_frac=self.max_loss_rise_frac,
        )
        for name, value, highest in (
            ("max_wing_rise_frac", self.max_wing_rise_frac, MOST_WING_FRAC),
            ("max_loss_rise_frac", self.max_loss_rise_frac, MOST_LOSS_RISE_FRAC),
            ("most_strikes_out", self.most_strikes_out, 3),
        ):
            if value > highest:
                raise InvalidValueError(f"{name} may be lowered, never raised above {highest}, was {value}")
