"""How often one pattern may execute in a day (C12)."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from bot.domain.decision import Checked, Rule
from bot.domain.executed import pattern_of
from bot.domain.orders import OrderIntent
from risk.scene import Scene


@dataclass(frozen=True, slots=True)
class Repeats:
    """C12: fails when orders of one pattern (purpose, layer, legs) would execute more often in a New York day than may.

    What has executed today counts, and so does each order of the pattern on its way and this one, as one execution
    each, whatever its size. Exactly the limit passes: that execution is the last, and it disables the strategy until a
    person with role risk resumes. It holds for every order, also for one that closes: a loop may close as well.

    Source: docs/risk-controls.md, sections 1.2 and 2.4.

    Control: C12.
    Standard: RTS 6 15(3).
    Unit: executions of a pattern a day.
    Limits: max_repeats_per_day.
    """

    rule: Rule = Rule.REPEATS

    def check(self, intent: OrderIntent, scene: Scene) -> Checked:
        """Count this order as executed."""
        pattern = pattern_of(intent)
        return Checked.at_most(
            rule=self.rule,
            found=Decimal(repeats_now(scene).get(pattern, 0) + 1),
            limit=Decimal(scene.limits.max_repeats_per_day),
            note=pattern,
        )


def repeats_now(scene: Scene) -> Mapping[str, int]:
    """Return how often each pattern has executed today, its orders on their way counted as executed."""
    executed, pending = scene.snapshot.book.executed.times, scene.pending()
    return Counter(executed) + Counter(pattern_of(one) for one, _ in pending) if pending else executed
