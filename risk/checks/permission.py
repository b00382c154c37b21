"""Only permitted instruments (C14)."""

from dataclasses import dataclass

from bot.domain.decision import Checked, Rule
from bot.domain.instrument import Instrument, Kind, Right
from bot.domain.orders import OrderIntent
from bot.valuation import VIX_FUTURE_CLASSES, VIX_OPTION_CLASSES, VX_MULTIPLIERS
from risk.scene import Scene

OPTION_MULTIPLIER = 100


@dataclass(frozen=True, slots=True)
class Permission:
    """Fails unless every leg is a VIX call or a VIX future of a permitted class, in USD, with its known multiplier."""

    rule: Rule = Rule.PERMISSION

    def check(self, intent: OrderIntent, scene: Scene) -> Checked:
        """Judge what is traded."""
        permitted = scene.limits.permitted_classes
        denied = [leg.instrument.key for leg in intent.legs if not _is_permitted(leg.instrument, permitted)]
        return Checked.holds(
            rule=self.rule,
            passed=not denied,
            found=", ".join(denied) if denied else "permitted",
            limit=", ".join(sorted(permitted)),
        )


def _is_permitted(instrument: Instrument, classes: frozenset[str]) -> bool:
    if instrument.trading_class not in classes or instrument.currency != "USD" or instrument.symbol != "VIX":
        return False
    if instrument.kind is Kind.OPTION:
        is_call = instrument.right is Right.CALL
        known = instrument.trading_class in VIX_OPTION_CLASSES and instrument.multiplier == OPTION_MULTIPLIER
        return is_call and known
    if instrument.kind is Kind.FUTURE and instrument.trading_class in VIX_FUTURE_CLASSES:
        return instrument.multiplier == VX_MULTIPLIERS[instrument.trading_class]
    return False
