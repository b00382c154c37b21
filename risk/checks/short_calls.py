"""No naked short calls, and no short leg of a condor without its wing, whatever fills (C21)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from bot.domain.decision import Checked, Rule
from bot.domain.instrument import Instrument, Right
from bot.domain.orders import Leg, OrderIntent
from bot.valuation import SPX_OPTION_CLASSES
from risk.scene import Scene

Group = tuple[str, date | None, Right]
"""Trading class, settlement and right: within it a long option may cover a short one."""
Ladder = dict[Decimal, int]
"""Signed options by strike, each strike with its sign so that a long option covers what stands at or above it."""


@dataclass(frozen=True, slots=True)
class ShortCalls:
    """C21: fails when, in a class and settlement that the order touches, a fill could leave a short option uncovered.

    Each short VIX call needs a long call of its class and settlement with the same or a **lower** strike; that holds
    short calls <= long calls as well. Each short leg of a condor, call or put, needs a long one **further out**: its
    wing bounds the loss, and is all that the condors hold. Orders on their way count at their worst for cover: each of
    them filled wherever that takes cover away, and not where it gives some. A combo counts as a whole, because it goes
    out as a guaranteed BAG order, whose legs cannot fill apart. An order that only closes may leave what is uncovered
    already, but not add to it; any other order must leave nothing uncovered, or less than before.

    Control: C21.
    Standard: house rule, I8.
    Unit: options without cover.
    Limits: none.
    """

    rule: Rule = Rule.SHORT_CALLS

    def check(self, intent: OrderIntent, scene: Scene) -> Checked:
        """Judge the end state and every state on the way."""
        groups: dict[Group, list[Leg]] = {}
        for leg in intent.legs:
            group = _group(leg.instrument)
            if group is not None:
                groups.setdefault(group, []).append(leg)
        before = sum([_uncovered_now(group, scene) for group in groups])
        after = sum([_uncovered(group, scene, legs, intent.quantity) for group, legs in groups.items()])
        allowed = before if scene.closes_only(intent) else max(0, before - 1)
        return Checked.at_most(
            rule=self.rule,
            found=Decimal(after),
            limit=Decimal(allowed if after else 0),
            note="short options without cover",
            size_can_cure=True,
        )


def _uncovered_now(group: Group, scene: Scene) -> int:
    """What is short of cover without the order under judgement."""
    if scene.pending():
        return _uncovered(group, scene, (), 0)
    return scene.once(_uncovered_alone, group)


def _uncovered_alone(group: Group, scene: Scene) -> int:
    return _uncovered(group, scene, (), 0)


def _uncovered(group: Group, scene: Scene, legs: Iterable[Leg], quantity: int) -> int:
    """Options short of cover in a group, 0 for none: the deepest shortfall over all strikes, at the worst of fills.

    The legs are those of the order in this group.
    """
    held = scene.once(_held, group).copy()
    for leg in legs:
        _add(held, leg.instrument, leg.signed_ratio * quantity)
    ways = [_ladder(pending.legs, units, group) for pending, units in scene.pending()]
    cover, covers, worst = 0, [0] * len(ways), 0
    for strike in sorted(set(held).union(*ways) if ways else held):
        cover += held.get(strike, 0)
        for place, ladder in enumerate(ways):
            covers[place] += ladder.get(strike, 0)
        worst = min(worst, cover + sum([min(0, one) for one in covers]) if ways else cover)
    return -worst


def _ladder(legs: Iterable[Leg], quantity: int, group: Group) -> Ladder:
    """What some units of an order bring of a group."""
    ladder: Ladder = {}
    for leg in legs:
        if _group(leg.instrument) == group:
            _add(ladder, leg.instrument, leg.signed_ratio * quantity)
    return ladder


def _held(group: Group, scene: Scene) -> Ladder:
    held: Ladder = {}
    for position in scene.snapshot.book.positions.values():
        if _group(position.instrument) == group:
            _add(held, position.instrument, position.quantity)
    return held


def _add(ladder: Ladder, option: Instrument, quantity: int) -> None:
    is_condors_call = option.trading_class in SPX_OPTION_CLASSES and option.right is Right.CALL
    strike = option.strike or Decimal(0)  # there is one: only options are in a group
    place = -strike if is_condors_call else strike
    ladder[place] = ladder.get(place, 0) + quantity


def _group(instrument: Instrument) -> Group | None:
    """The group in which an option must be covered; a put on VIX bounds its own loss, a future has no strike."""
    right, is_condors = instrument.right, instrument.trading_class in SPX_OPTION_CLASSES
    if right is None or (right is Right.PUT and not is_condors):
        return None
    return (instrument.trading_class, instrument.settlement, right)
