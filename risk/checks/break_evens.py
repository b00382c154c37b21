"""No order brings a break-even of the condors inside the move that is expected until they settle (M8)."""

import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from bot.break_evens import (
    NEVER,
    BreakEvens,
    ExpectedMove,
    NoBreakEvens,
    Payoff,
    brings_inside,
    expected_move,
    payoff_of,
)
from bot.domain.decision import Checked, Rule
from bot.domain.instrument import SPX
from bot.domain.orders import OrderIntent
from bot.domain.portfolio import Condor
from bot.valuation import Unvalued, good_level
from risk.checks.hedge_cost import cost_report, report_with
from risk.cost import CohortCost, CostReport
from risk.scene import CLOSES_ONLY, Scene
from risk.wings import Rolls, condors_after, is_roll

STAYS = "no break-even is brought inside"
KEPT: Final = Checked.holds(rule=Rule.BREAK_EVENS, passed=True, found=STAYS, limit=STAYS)


@dataclass(frozen=True, slots=True)
class BreakEvensKept:
    """Fails when a break-even that stands outside the expected move would stand inside it with this order.

    A break-even is net of what the hedge is charged to the cohort, so every order that costs brings it nearer, and the
    roll of a wing by what it takes from the credit. Without and with the order, what is on its way counts at its worst.
    One that is inside already never blocks a hedge; an order that only closes passes. The move is the straddle's where
    one is quoted, else VIX says it: only where SPX or VIX itself is missing is nothing known, and nothing is added.

    Source: docs/methodology.md, M8.

    Control: C31, M8.
    Standard: RTS 6 17(4); methodology M8.
    Unit: index points.
    Limits: break_even_moves, straddle_reach_frac.
    """

    rule: Rule = Rule.BREAK_EVENS

    def check(self, intent: OrderIntent, scene: Scene) -> Checked:
        """Judge every cohort."""
        if scene.closes_only(intent):
            return Checked.holds(rule=self.rule, passed=True, found=CLOSES_ONLY, limit=CLOSES_ONLY, note=CLOSES_ONLY)
        spot = good_level(scene.snapshot, SPX.key)
        if isinstance(spot, Unvalued):
            return Checked.failed(rule=self.rule, note=f"the expected move is unknown: {spot.reason}")
        rolls, report = _rolls(scene), report_with(intent, scene)
        is_quick = not rolls and not is_roll(intent)
        if is_quick and _is_harmless(report, scene.once(harmless_usd, spot)):
            return KEPT
        return self._judged(intent, scene, spot, rolls)

    def _judged(self, intent: OrderIntent, scene: Scene, spot: float, rolls: list[tuple[OrderIntent, int]]) -> Checked:
        """Look at every break-even without and with the order."""
        held = _held(rolls, scene)
        moved = _groups([*rolls, (intent, intent.quantity)], scene) if is_roll(intent) else held
        for was, after in zip(_standing(held, scene), report_with(intent, scene).cohorts, strict=True):
            if isinstance(was, NoBreakEvens):
                continue
            move = _move(held[after.cohort], scene)
            if isinstance(move, Unvalued):
                return Checked.failed(rule=self.rule, note=f"the expected move is unknown: {move.reason}")
            objection = brings_inside(was, _found(moved, after), spot, move, scene.limits.break_even_moves)
            if objection:
                note = f"{after.cohort}: {objection}"
                return Checked(rule=self.rule, passed=False, found=note, limit=STAYS, size_can_cure=True)
        return KEPT


def nearest_break_evens(scene: Scene) -> Mapping[str, tuple[float, str] | Unvalued]:
    """Return by cohort how many expected moves SPX is from its nearest break-even, with the words; or why not known.

    Everything on its way counts at its worst. A cohort that no side of can lose is infinitely far.

    Source: docs/methodology.md, M8.
    """
    spot, held = good_level(scene.snapshot, SPX.key), _held(_rolls(scene), scene)
    found: dict[str, tuple[float, str] | Unvalued] = {}
    for cost in cost_report(scene).cohorts:
        stands = _found(held, cost)
        if isinstance(stands, NoBreakEvens):
            found[cost.cohort] = Unvalued(reason=stands.why)
            continue
        move = _move(held[cost.cohort], scene)
        if isinstance(spot, Unvalued):
            found[cost.cohort] = spot
        elif isinstance(move, Unvalued):
            found[cost.cohort] = move
        elif not move.points > 0.0:
            found[cost.cohort] = Unvalued(reason="no move is expected any more")
        else:
            nearest = min(stands.rooms(spot).values()) / move.points
            found[cost.cohort] = (nearest, f"{stands.words}, expected move {move.points:.2f} points ({move.source})")
    return found


def harmless_usd(spot: float, scene: Scene) -> tuple[Decimal, ...]:
    """Return below which charge each cohort surely has no break-even brought inside, USD; below zero for none.

    It is of the moment, whatever is ordered: the condors are those that are held, so that it says nothing where a wing
    is on its way.
    """
    alone = scene.within(earlier=(), later=())
    held = alone.once(_groups_now)
    return tuple(_harmless_of(held.get(cost.cohort), cost, spot, alone) for cost in cost_report(alone).cohorts)


def _rolls(scene: Scene) -> list[tuple[OrderIntent, int]]:
    return [(one, units) for one, units in scene.pending() if is_roll(one)]


def _held(rolls: list[tuple[OrderIntent, int]], scene: Scene) -> "dict[str, _Group]":
    return _groups(rolls, scene) if rolls else scene.once(_groups_now)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Group:
    """The condors of one cohort: any of them, and how all of them lose."""

    condor: Condor
    payoff: Payoff


def _groups_now(scene: Scene) -> dict[str, _Group]:
    return _groups((), scene)


def _standing(held: Mapping[str, _Group], scene: Scene) -> tuple[BreakEvens | NoBreakEvens, ...]:
    """The break-evens of every cohort without the order under judgement."""
    return tuple(_found(held, cost) for cost in cost_report(scene).cohorts)


def _groups(rolls: Rolls, scene: Scene) -> dict[str, _Group]:
    """Each cohort's condors once some rolls have filled."""
    found: dict[str, list[Condor]] = {}
    for condor in condors_after(scene.snapshot.book, rolls).condors:
        found.setdefault(condor.cohort, []).append(condor)
    return {name: _Group(condor=own[0], payoff=payoff_of(own)) for name, own in found.items()}


def _found(groups: Mapping[str, _Group], cost: CohortCost) -> BreakEvens | NoBreakEvens:
    own = groups.get(cost.cohort)
    payoff = payoff_of(()) if own is None else own.payoff
    return payoff.break_evens(cost.credit_usd, cost.charge_usd)


def _harmless_of(group: "_Group | None", cost: CohortCost, spot: float, scene: Scene) -> Decimal:
    if group is None:
        return NEVER
    move = _move(group, scene)
    if isinstance(move, Unvalued):
        return NEVER
    return group.payoff.harmless_usd(
        cost.credit_usd, cost.charge_usd, spot, scene.limits.break_even_moves * move.points
    )


def _is_harmless(report: CostReport, harmless_usd: Sequence[Decimal]) -> bool:
    return not any(map(operator.ge, report.charges_usd, harmless_usd))


def _move(group: _Group, scene: Scene) -> ExpectedMove | Unvalued:
    reach = scene.limits.straddle_reach_frac
    return expected_move(group.condor, scene.valuer, reach)
