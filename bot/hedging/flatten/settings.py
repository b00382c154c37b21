"""How far a flatten plan may go; the section ``[flatten]`` of a profile."""

from dataclasses import dataclass
from decimal import Decimal

from bot.domain.checks import require_positive
from bot.domain.errors import InvalidValueError


@dataclass(frozen=True, slots=True, kw_only=True)
class FlattenSettings:
    """Of the plan that a person signs, and of its carrying out."""

    option_worst_frac: Decimal = Decimal("0.30")  # of the middle when planned: a halt is no calm market
    future_worst_frac: Decimal = Decimal("0.05")  # of the middle, shares likewise: 1 point at 20
    most_tries: int = 6  # orders for one part, each a minute at the market's price: repriced five times
    plan_life_s: float = 300.0  # in which it must be signed: as long as a challenge
    within_s: float = 1800.0  # then what is left is escalated

    def __post_init__(self) -> None:
        """Reject prices at which things would be given away, and periods of zero."""
        require_positive(
            option_worst_frac=self.option_worst_frac,
            future_worst_frac=self.future_worst_frac,
            most_tries=self.most_tries,
            plan_life_s=self.plan_life_s,
            within_s=self.within_s,
        )
        for name, frac in (
            ("option_worst_frac", self.option_worst_frac),
            ("future_worst_frac", self.future_worst_frac),
        ):
            if frac >= 1:
                raise InvalidValueError(f"{name} must be below 1, was {frac}")
