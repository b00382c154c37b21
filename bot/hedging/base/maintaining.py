"""Keeps the base layers: sells what is at its end or replaced, buys what is missing, one order at a time.

How it works: a roll is a purchase followed by a sale. Lots that are due do not count as held, so that what is missing
is bought first; when the fresh calls stand for the due ones these are sold. At the hard stop a lot goes whatever was
bought. What always holds: nothing else ever sells a base lot; an order on its way counts as filled, so that nothing is
bought twice; while an episode lasts a due call is replaced and nothing is built up.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from bot.domain.layer import Layer
from bot.domain.orders import Purpose
from bot.domain.plan import Candidate, HedgePlan, PlanAction
from bot.domain.portfolio import Lot
from bot.hedging.base.settings import MaintainBase
from bot.hedging.base.standing import base_orders, is_call
from bot.hedging.base.targets import Need, base_is_frozen, needs_of
from bot.hedging.construction import WantedCalls, calls_for
from bot.hedging.moment import Moment
from bot.hedging.selling import by_legs, sold
from bot.hedging.unwinding import Portion
from bot.valuation import Unvalued

ASKS: Final = "every purchase for the base is put before a person"
BUSY: Final = "an order for the base is still working"


def base_plans(moment: Moment, frac: float) -> Iterator[HedgePlan]:
    """Yield what the base layers need now, the most urgent first; nothing where they stand as they should.

    First what must leave, then what was replaced, then what is missing, each by layer from the nearest on. A plan that
    holds says what is due and why it cannot be done.

    Args:
        moment: What is read.
        frac: The overlay's share of the base as its own plan has it, for the record.

    Source: docs/methodology.md, M4.
    """
    if moment.settings.base.maintain_base is MaintainBase.OFF:
        return
    keeping = _Keeping(moment, frac)
    needs = needs_of(
        moment.snapshot.book,
        moment.snapshot.offered,
        moment.today,
        moment.settings,
        moment.calendar,
        frozen=base_is_frozen(moment.signal.state, in_episode=moment.signal.episode_began_on is not None),
    )
    for need in needs:
        yield from keeping.stops(need)
    for need in needs:
        yield from keeping.completed_rolls(need)
    for need in needs:
        if need.missing:
            yield keeping.purchase(need)


@dataclass(frozen=True, slots=True)
class _Keeping:
    """The way from a layer's need to one order."""

    moment: Moment
    frac: float

    def stops(self, need: Need) -> Iterator[HedgePlan]:
        """What must leave now, one contract after the other."""
        why = f"the {need.layer} layer nears its last trading day"
        yield from self._exits(need, need.standing.stopping, why)

    def completed_rolls(self, need: Need) -> Iterator[HedgePlan]:
        """What is due and was replaced; futures and spreads are the operator's to roll."""
        stopping = {lot.lot_id for lot in need.standing.stopping}
        lots = [lot for lot in need.standing.due if lot.lot_id not in stopping and is_call(lot)]
        if not lots or not need.is_covered or need.standing.others:
            return
        why = f"the {need.layer} layer is rolled: what is due has been replaced"
        if base_orders(self.moment.snapshot.book.orders.values()):
            yield self._hold(f"{why}, but it stays for now: {BUSY}", need)
        else:
            yield from self._exits(need, lots, why)

    def purchase(self, need: Need) -> HedgePlan:
        """What is missing as one order, or why it is not bought."""
        reason = _purchase_reason(need)
        obstacle = self._obstacle(need)
        if obstacle or need.settlement is None:
            return self._hold(f"{reason}, but not now: {obstacle or 'no monthly settlement that fits is listed'}", need)
        moment, layer = self.moment, self.moment.settings.layers[need.layer]
        wanted = WantedCalls(
            calls=need.missing,
            settlement=need.settlement,
            forward_delta=layer.forward_delta,
            max_delta_gap=moment.settings.base.max_delta_gap,
        )
        candidates = calls_for(wanted, moment.snapshot, moment.valuer, moment.settings, moment.fees)
        chosen = moment.approved(candidates, Purpose.BASE_BUILD) or _first_passed(candidates)
        if chosen is None:
            why = (
                "no call of its settlement passes" if candidates else "the calls of its settlement are being looked up"
            )
            plan = self._hold(f"{reason}, but not now: {why}", need, candidates)
            return replace(plan, awaits=need.settlement)
        return self._bought(need, chosen, candidates, reason)

    def _bought(self, need: Need, chosen: Candidate, candidates: tuple[Candidate, ...], reason: str) -> HedgePlan:
        moment = self.moment
        plan = self._hold(reason, need, candidates)
        return replace(
            plan,
            action=PlanAction.MAINTAIN,
            intents=(moment.purchase(chosen, Purpose.BASE_BUILD, reason, need.layer),),
            notes=(*plan.notes, self._delta_words(need.layer, chosen)),
            asks=ASKS if moment.settings.base.maintain_base is MaintainBase.PROPOSE else "",
        )

    def _obstacle(self, need: Need) -> str:
        """What forbids a purchase now; empty when nothing does."""
        snapshot = self.moment.snapshot
        if snapshot.session is None:
            return "no session is open"
        if snapshot.book.unmatched:
            return "SPX option positions fit no condor: sizing is locked until they do"
        if need.standing.others:
            return "it holds futures or spreads, which no number of calls tells: it is the operator's to keep"
        if base_orders(snapshot.book.orders.values()):
            return BUSY
        return self.moment.obstacle_of_vix()

    def _exits(self, need: Need, lots: Sequence[Lot], why: str) -> Iterator[HedgePlan]:
        """One plan for each contract that goes, so that one which cannot be sold holds up no other."""
        portions = [Portion(lot=lot, units=lot.units_open) for lot in lots]
        for group in by_legs(portions):
            plan = sold(self.moment, group, Purpose.BASE_EXIT, why, f"{why}, but it stays for now")
            held = self._hold(plan.reason, need)
            yield replace(held, action=plan.action, intents=plan.intents)

    def _hold(self, reason: str, need: Need, candidates: tuple[Candidate, ...] = ()) -> HedgePlan:
        return replace(self.moment.hold(reason, frac=self.frac, candidates=candidates), notes=(need.words,))

    def _delta_words(self, layer: Layer, chosen: Candidate) -> str:
        wanted = self.moment.settings.layers[layer].forward_delta
        valued = self.moment.valuer.value(chosen.legs[0].instrument)
        found = "unknown" if isinstance(valued, Unvalued) else f"{valued.named_delta:.2f}"
        return f"{chosen.name}: forward delta {found}, the layer wants {wanted:.2f}"


def _purchase_reason(need: Need) -> str:
    """Stable words; the figures are in the notes."""
    if need.frozen:
        return f"the {need.layer} layer is rolled one for one while the episode lasts"
    if need.standing.due:
        return f"the {need.layer} layer is bought anew before it is rolled"
    return f"the {need.layer} layer grows to its target"


def _first_passed(candidates: Sequence[Candidate]) -> Candidate | None:
    """The nearest to the layer's delta; they stand in that order."""
    return next((candidate for candidate in candidates if not candidate.rejected), None)
