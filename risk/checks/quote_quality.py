"""Every leg has a live, fresh, two-sided, uncrossed, not too wide quote; the indices are possible (C22, C19)."""

from dataclasses import dataclass

from bot.domain.decision import Checked, Rule
from bot.domain.instrument import SPX, VIX
from bot.domain.orders import OrderIntent
from bot.valuation import Unvalued, good_level
from risk.scene import Scene


@dataclass(frozen=True, slots=True)
class QuoteQuality:
    """C22: fails unless each leg's quote is good, as `bot.valuation` defines it, and VIX and SPX have levels.

    An order that only closes needs no levels, and may buy back a leg that nobody bids for any more.

    Control: C22.
    Standard: house rule.
    Unit: good quotes.
    Limits: none.
    """

    rule: Rule = Rule.QUOTE_QUALITY

    def check(self, intent: OrderIntent, scene: Scene) -> Checked:
        """Judge the ground of the price."""
        found: list[object] = [*scene.quotes(intent)]
        if not scene.closes_only(intent):
            found += scene.once(_levels)
        faults = [one.reason for one in found if isinstance(one, Unvalued)]
        return Checked.holds(
            rule=self.rule,
            passed=not faults,
            found="; ".join(faults) if faults else f"{len(found)} good",
            limit="live, fresh, two-sided, uncrossed, not too wide",
        )


def _levels(scene: Scene) -> list[float | Unvalued]:
    return [good_level(scene.snapshot, index.key) for index in (VIX, SPX)]
