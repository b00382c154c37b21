"""From snapshot and signal to hedge plans: hold, add to the overlay, return it to base, keep the base.

How it works: under a signed plan to flatten nothing else is wished for. Else overlay whose time has come is sold first,
whatever the signal says; then CALM asks for the way back, BLOWOUT for a target, UNDEFINED for nothing. What the base
layers need comes after the overlay. This is the desire to act; the right to act is the steward's. A plan's ``reason``
is a stable text without figures, because a plan that holds for the same reason is not written down twice; the figures
are fields.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from bot.domain.decision import Refused
from bot.domain.evidence import WeakConviction
from bot.domain.fees import FeeSchedule, up_to_cent
from bot.domain.orders import DecisionId, IntentId
from bot.domain.plan import HedgePlan
from bot.domain.readings import Signal, SignalState
from bot.domain.releases import ReleaseTable
from bot.domain.schedule import SessionCalendar
from bot.domain.snapshot import Snapshot
from bot.hedging.adding import towards_target
from bot.hedging.base.maintaining import base_plans
from bot.hedging.condor.settings import WingMode
from bot.hedging.condor.widening import widen
from bot.hedging.condor.wings import WingBounds
from bot.hedging.flatten.planning import flatten
from bot.hedging.moment import Moment, NewId
from bot.hedging.selling import back_to_base, leave
from bot.hedging.settings import HedgeSettings
from bot.hedging.sizing import increment_frac
from bot.hedging.sleeve import read_sleeve
from bot.valuation import Valuer

NO_RELEASES: Final = ReleaseTable(releases=(), coverage=())
"""Nothing is known of any schedule: nothing is shifted, and every decision says so."""


class Planner:
    """Plans the dispersion overlay and the base; keeps nothing from one plan to the next."""

    def __init__(
        self,
        settings: HedgeSettings,
        fees: FeeSchedule,
        *,
        calendar: SessionCalendar | None = None,
        weak_conviction: WeakConviction = WeakConviction.MINIMUM,
        releases: ReleaseTable = NO_RELEASES,
        wings: WingMode = WingMode.ADVISE,
        bounds: Callable[[], WingBounds] | None = None,
    ) -> None:
        """Take what is configured.

        Args:
            settings: The numbers.
            fees: What contracts cost to trade.
            calendar: The sessions by which the end of a contract is counted.
            weak_conviction: What is done in a blowout that the confirmations neither support nor contradict.
            releases: The schedule around which expiries are shifted.
            wings: What becomes of a roll that would lean the book back.
            bounds: Tells how far wings may go now, as the gate allows it; None moves none.
        """
        self._settings = settings
        self._fees = fees
        self._calendar = calendar or SessionCalendar()
        self._weak_conviction = weak_conviction
        self._releases = releases
        self._wings = wings
        self._bounds = bounds

    def plans(self, snapshot: Snapshot, signal: Signal, decision_id: DecisionId, new_id: NewId) -> Iterator[HedgePlan]:
        """Yield what is wished for, the most urgent first: of the overlay, then what the rest of the book needs.

        Each says why it acts or holds, in words. The first is always there; a further one is worked out only when it
        is asked for, and only one of them is carried out in a decision.

        Args:
            snapshot: The moment.
            signal: What the dispersion says.
            decision_id: The decision that the plans belong to.
            new_id: Gives each order its own identity.

        Source: docs/methodology.md, M2, M4, M5, M8, M16, M17.
        """
        moment = self._moment(snapshot, signal, decision_id, new_id)
        if snapshot.mandate is not None:
            yield flatten(moment, snapshot.mandate)
            return
        overlay = self._overlay(moment)
        yield overlay
        yield from base_plans(moment, overlay.increment_frac)
        wider = None if self._bounds is None else widen(moment, self._wings, self._bounds())
        if wider is not None:
            yield wider

    def _moment(self, snapshot: Snapshot, signal: Signal, decision_id: DecisionId, new_id: NewId) -> Moment:
        valuer = Valuer(snapshot, self._settings.valuation)
        return Moment(
            snapshot=snapshot,
            signal=signal,
            valuer=valuer,
            sleeve=read_sleeve(snapshot, valuer, self._settings.temporal, self._calendar),
            settings=self._settings,
            fees=self._fees,
            calendar=self._calendar,
            releases=self._releases,
            decision_id=decision_id,
            new_id=new_id,
        )

    def _overlay(self, moment: Moment) -> HedgePlan:
        leaving = leave(moment)
        if leaving is not None:
            return leaving
        match moment.signal.state:
            case SignalState.UNDEFINED:
                return _paused(moment)
            case SignalState.CALM:
                return back_to_base(moment)
            case SignalState.BLOWOUT:
                return towards_target(moment, self._weak_conviction)

    def resized(self, plan: HedgePlan, refused: Sequence[Refused], new_id: NewId) -> HedgePlan:
        """Return the plan with the refused orders in the largest size that the gate would pass, as new intents."""
        sizes = {verdict.intent.intent_id: verdict.largest_quantity for verdict in refused}
        intents = []
        for intent in plan.intents:
            quantity = sizes.get(intent.intent_id, 0)
            if quantity == 0:
                intents.append(intent)
                continue
            cost = up_to_cent(intent.worst_cost_usd * quantity / intent.quantity)
            intents.append(intent.resized(quantity, cost, IntentId(new_id())))
        return plan.with_intents(intents, "in the largest size that every limit allows")


def _paused(moment: Moment) -> HedgePlan:
    """UNDEFINED: neither grow nor shrink; an episode under way keeps its target for the records."""
    under_way = moment.signal.episode_began_on is not None
    frac = increment_frac(moment.signal.peak_excess, moment.settings) if under_way else 0.0
    return moment.hold("the signal is undefined: no increase, no unwind", frac=frac)
