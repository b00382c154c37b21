"""How many different contracts the sleeve may consist of (C18)."""

from dataclasses import dataclass
from decimal import Decimal

from bot.domain.decision import Checked, Rule
from bot.domain.instrument import InstrumentKey
from bot.domain.orders import OrderIntent
from risk.positions import held_of_sleeve, sleeve_legs
from risk.scene import CLOSES_ONLY, Scene

ADDS_NONE = "no contract is added"


@dataclass(frozen=True, slots=True)
class Instruments:
    """C18: fails when an order adds a contract to the sleeve, and more are held or on their way then than are allowed.

    Counted once each, whatever the size and side: contracts of the sleeve that are held and have not settled, those of
    orders that may still fill, and those of this order. Exactly the limit passes. An order that adds none passes, and
    so does one that only closes; condors are not counted.

    Source: docs/risk-controls.md, C18.

    Control: C18.
    Standard: RTS 6 8(a).
    Unit: different contracts.
    Limits: max_instruments.
    """

    rule: Rule = Rule.INSTRUMENTS

    def check(self, intent: OrderIntent, scene: Scene) -> Checked:
        """Judge the contracts that the order brings."""
        if scene.closes_only(intent):
            return Checked.holds(rule=self.rule, passed=True, found=CLOSES_ONLY, limit=CLOSES_ONLY, note=CLOSES_ONLY)
        there = instruments_now(scene)
        brought = _of_sleeve(intent, scene) - there
        if not brought:
            return Checked.holds(rule=self.rule, passed=True, found=ADDS_NONE, limit=ADDS_NONE, note=ADDS_NONE)
        found, most = len(there) + len(brought), scene.limits.max_instruments
        return Checked.at_most(rule=self.rule, found=Decimal(found), limit=Decimal(most), note="contracts")


def instruments_now(scene: Scene) -> frozenset[InstrumentKey]:
    """Return the contracts of the sleeve that are held and of everything on its way."""
    held = scene.once(_sleeve_keys)
    pending = scene.pending()
    return held.union(*[_of_sleeve(one, scene) for one, _ in pending]) if pending else held


def _sleeve_keys(scene: Scene) -> frozenset[InstrumentKey]:
    return frozenset(one.instrument.key for one in held_of_sleeve(scene))


def _of_sleeve(intent: OrderIntent, scene: Scene) -> set[InstrumentKey]:
    return {leg.instrument.key for leg in sleeve_legs(intent, scene)}
