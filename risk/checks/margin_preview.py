"""The broker has been asked what an order would bind before it leaves (C31, M11)."""

from dataclasses import dataclass

from bot.domain.decision import Checked, Rule
from bot.domain.orders import OrderIntent
from risk.previews import preview_fault, spared
from risk.scene import Scene

FRESH = "fresh"


@dataclass(frozen=True, slots=True)
class MarginPreviewed:
    """C31: fails when the broker has not said lately what an order of one contract that adds would bind.

    Its answer must be of the same contract and side, of at least the size, for the book as it stands, and no older than
    its life; exactly that age passes, and of a larger order the part that was asked about. A combo passes, because the
    broker answers no what-if for one, and so does an order that only closes. What the answer says is the matter of
    `margin_use`.

    Source: docs/methodology.md, M11.

    Control: C31, M11.
    Standard: RTS 6 15(4), 17(4); methodology M11.
    Unit: seconds.
    Limits: require_preview, preview_life_s.
    """

    rule: Rule = Rule.MARGIN_PREVIEW

    def check(self, intent: OrderIntent, scene: Scene) -> Checked:
        """Look for the broker's answer; what it says is judged elsewhere."""
        why = spared(intent, scene)
        if why:
            return scene.once(_spared, why)
        fault = preview_fault(intent, intent.quantity, scene)
        if fault:
            is_of_fewer = not preview_fault(intent, 1, scene)
            return Checked.failed(rule=self.rule, note=fault)._replace(size_can_cure=is_of_fewer)
        return Checked.holds(rule=self.rule, passed=True, found=FRESH, limit=FRESH, note="the broker has been asked")


def _spared(why: str, scene: Scene) -> Checked:  # noqa: ARG001 - as every figure's work
    return Checked.holds(rule=Rule.MARGIN_PREVIEW, passed=True, found=why, limit=why, note=why)
