"""From snapshot and signal to a hedge plan: hold, add to the overlay, or return it to base.

How it works: overlay that nears its last trading day is sold first, whatever the signal says. Else CALM asks for the
way back, BLOWOUT for a target, UNDEFINED for nothing. A plan's ``reason`` is a stable text without figures, because a
plan that holds for the same reason is not written down twice; the figures are fields.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from bot.domain.decision import Refused
from bot.domain.fees import FeeSchedule, up_to_cent
from bot.domain.instrument import VIX, InstrumentKey, Kind
from bot.domain.ledger import trade_date
from bot.domain.orders import DecisionId, IntentId, OrderIntent, Purpose
from bot.domain.plan import Candidate, HedgePlan, PlanAction
from bot.domain.portfolio import Lot
from bot.domain.readings import Signal, SignalState
from bot.domain.schedule import SessionCalendar
from bot.domain.snapshot import Snapshot
from bot.hedging.construction import Wanted, best_of, candidates_for, order_price
from bot.hedging.settings import HedgeSettings
from bot.hedging.sizing import increment_frac, is_within_band
from bot.hedging.sleeve import Sleeve, open_overlay, overlay_builds, overlay_settlement, read_sleeve
from bot.valuation import Unvalued, Valuer, good_level

NewId = Callable[[], str]

MONTHLY_CLASS = "VIX"
"""Weeklies have a class of their own, VIXW."""
NOTHING = Decimal(0)


class Planner:
    """Plans the dispersion overlay; keeps nothing from one plan to the next."""

    def __init__(self, settings: HedgeSettings, fees: FeeSchedule, calendar: SessionCalendar | None = None) -> None:
        """Take what is configured, and the sessions by which the end of a contract is counted."""
        self._settings = settings
        self._fees = fees
        self._calendar = calendar or SessionCalendar()

    def plan(self, snapshot: Snapshot, signal: Signal, decision_id: DecisionId, new_id: NewId) -> HedgePlan:
        """Return what the sleeve should do now; always a plan, with its reason in words.

        Args:
            snapshot: The moment.
            signal: What the dispersion says.
            decision_id: The decision that this plan belongs to.
            new_id: Gives each order its own identity.

        Source: docs/methodology.md, M2, M5, M16, M17.
        """
        valuer = Valuer(snapshot, self._settings.valuation)
        moment = _Moment(
            snapshot=snapshot,
            signal=signal,
            valuer=valuer,
            sleeve=read_sleeve(snapshot, valuer),
            settings=self._settings,
            fees=self._fees,
            calendar=self._calendar,
            decision_id=decision_id,
            new_id=new_id,
        )
        expiring = moment.expiring()
        if expiring:
            return moment.sell(
                expiring, "the overlay nears its last trading day", "the overlay nears its end, but stays"
            )
        match signal.state:
            case SignalState.UNDEFINED:
                return moment.paused()
            case SignalState.CALM:
                return moment.back_to_base()
            case SignalState.BLOWOUT:
                return moment.towards_target()

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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Moment:
    """One planning step with all that it reads."""

    snapshot: Snapshot
    signal: Signal
    valuer: Valuer
    sleeve: Sleeve
    settings: HedgeSettings
    fees: FeeSchedule
    calendar: SessionCalendar
    decision_id: DecisionId
    new_id: NewId

    def hold(self, reason: str, *, frac: float = 0.0, candidates: tuple[Candidate, ...] = ()) -> HedgePlan:
        """Do nothing, and say why."""
        return HedgePlan(
            decision_id=self.decision_id,
            action=PlanAction.HOLD,
            reason=reason,
            increment_frac=frac,
            base_usd_per_point=self.sleeve.known_base,
            target_usd_per_point=frac * self.sleeve.known_base,
            held_usd_per_point=self.sleeve.held_nominal,
            working_usd_per_point=self.sleeve.working,
            candidates=candidates,
        )

    def paused(self) -> HedgePlan:
        """UNDEFINED: neither grow nor shrink; an episode under way keeps its target for the records."""
        under_way = self.signal.episode_began_on is not None
        frac = increment_frac(self.signal.peak_excess, self.settings) if under_way else 0.0
        return self.hold("the signal is undefined: no increase, no unwind", frac=frac)

    # adding ---------------------------------------------------------------------------------------------------

    def towards_target(self) -> HedgePlan:
        """BLOWOUT: add what is missing to the target, or say what forbids it."""
        frac = increment_frac(self.signal.peak_excess, self.settings)
        obstacle = self._obstacle()
        if obstacle:
            return self.hold(obstacle, frac=frac)
        base, held = self.sleeve.known_base, self.sleeve.held_nominal
        gap = frac * base - held  # nothing is on its way: `_obstacle` has seen to that
        if is_within_band(gap=gap, base=base, settings=self.settings):
            return self.hold("the overlay stands at its target, within the no-trade band", frac=frac)
        settlement = self._settlement()
        if settlement is None:
            return self.hold("no settlement within the allowed days is listed", frac=frac)
        room = self.settings.max_overlay_frac * base - max(held, self.sleeve.held_now or 0.0)
        wanted = Wanted(gap=gap, room=room, settlement=settlement)
        candidates = candidates_for(wanted, self.snapshot, self.valuer, self.settings, self.fees)
        chosen = best_of(candidates, self.settings.prefer)
        if chosen is None:
            return self.hold(self._why_none(candidates), frac=frac, candidates=candidates)
        plan = self.hold("the dispersion is blown out: the overlay grows to its target", frac=frac)
        intent = self._build(chosen)
        return replace(plan, action=PlanAction.INCREASE, candidates=candidates, intents=(intent,))

    def _obstacle(self) -> str:
        """What forbids any increase now; empty when nothing does."""
        sleeve, book = self.sleeve, self.snapshot.book
        if book.unmatched:
            return "SPX option positions fit no condor: sizing is locked until they do"
        if sleeve.base is None or sleeve.held_now is None:
            return f"the sleeve cannot be valued: {sleeve.why_unknown}"
        if not sleeve.base > 0.0:
            return "no base sleeve: nothing is done automatically"
        if overlay_builds(book.orders.values()):
            return "an order for the overlay is still working"
        return self._market_obstacle()

    def _market_obstacle(self) -> str:
        ceiling = self.settings.vix_ceiling
        vix = good_level(self.snapshot, VIX.key)
        if isinstance(vix, Unvalued):
            return vix.reason
        if vix > ceiling:
            return "VIX stands above the ceiling: nothing is added"
        before = self.snapshot.previous_closes.get(VIX.key)
        if before is None:
            return "the previous close of VIX is unknown"
        if not before <= ceiling:
            return "VIX closed above the ceiling: nothing is added"
        spread = self.signal.spread
        if spread is None or not spread >= 0.0:
            return "the spread is negative or unknown: nothing is added"
        return ""

    def _settlement(self) -> date | None:
        offered = {
            one.settlement
            for one in self.snapshot.universe.values()
            if one.trading_class == MONTHLY_CLASS and one.kind is Kind.OPTION and one.settlement is not None
        }
        return overlay_settlement(offered, self.snapshot.book.lots, self._today, self.settings)

    def _why_none(self, candidates: Sequence[Candidate]) -> str:
        """Say why no candidate is left; "book too small" where size is the only thing wrong with one."""
        if not candidates:
            return "no contract of the settlement is listed with a fitting delta"
        too_large = any(c.quantity == 0 and c.rejected.startswith("one contract is too large") for c in candidates)
        if too_large and self.sleeve.held_nominal <= 0.0:
            return "book too small: the target is less than half a contract"
        return "no candidate is left" if not too_large else "less than half a contract is missing"

    def _build(self, chosen: Candidate) -> OrderIntent:
        return OrderIntent(
            intent_id=IntentId(self.new_id()),
            decision_id=self.decision_id,
            legs=chosen.legs,
            quantity=chosen.quantity,
            limit=chosen.limit,
            worst_cost_usd=chosen.cost_usd * chosen.quantity,
            purpose=Purpose.OVERLAY_BUILD,
            reason="the overlay grows to its target",
            exposure_usd_per_point=chosen.exposure_usd_per_point,
        )

    # unwinding ------------------------------------------------------------------------------------------------

    def back_to_base(self) -> HedgePlan:
        """CALM: everything that the overlay holds is sold."""
        lots = open_overlay(self.snapshot.book.lots, self._today)
        if not lots:
            return self.hold("calm: the sleeve stands at its base")
        return self.sell(lots, "calm: the overlay returns to base", "calm, but the overlay stays for now")

    def expiring(self) -> tuple[Lot, ...]:
        """Overlay lots that are so near to their last trading day that they are sold whatever the signal says (M7)."""
        lots = open_overlay(self.snapshot.book.lots, self._today)
        return tuple(lot for lot in lots if self._today >= self._stop_day(lot))

    def sell(self, lots: Sequence[Lot], why: str, why_not: str) -> HedgePlan:
        """Sell every lot that can be sold now; never beside an order in the same contracts."""
        busy = {leg.instrument.key for order in self.snapshot.book.orders.values() for leg in order.intent.legs}
        intents: list[OrderIntent] = []
        obstacles: list[str] = []
        for group in _by_legs(lots):
            keys = {leg.instrument.key for leg in group[0].legs}
            found = "an order in the same contracts is still working" if keys & busy else self._sale(group)
            if isinstance(found, str):
                obstacles.append(found)
                continue
            intents.append(found)
            busy |= keys
        if not intents:
            return self.hold(f"{why_not}: {obstacles[0]}")
        return replace(self.hold(why), action=PlanAction.UNWIND, intents=tuple(intents))

    @property
    def _today(self) -> date:
        return trade_date(self.snapshot.now)

    def _stop_day(self, lot: Lot) -> date:
        """The session that lies ``expiry_stop_sessions`` before the last trading day of a lot's earliest leg."""
        day = min((leg.instrument.last_trade for leg in lot.legs if leg.instrument.last_trade), default=lot.expires_on)
        for _ in range(self.settings.expiry_stop_sessions):
            day = self.calendar.previous_session(day).day
        return day

    def _sale(self, lots: Sequence[Lot]) -> OrderIntent | str:
        """The order that sells all lots with the same legs, or what stands against it."""
        legs = tuple(replace(leg, side=leg.side.opposite) for leg in lots[0].legs)
        priced = order_price(legs, self.valuer, self.settings, closing=True)
        if isinstance(priced, Unvalued):
            return priced.reason
        if priced.limit >= 0:
            return "nobody bids for it"
        quantity = sum(lot.units_open for lot in lots)
        proceeds = NOTHING if lots[0].is_future else -priced.limit * legs[0].instrument.multiplier
        net_cost = max(NOTHING, self.fees.of_legs(legs) - proceeds)
        return OrderIntent(
            intent_id=IntentId(self.new_id()),
            decision_id=self.decision_id,
            legs=legs,
            quantity=quantity,
            limit=priced.limit,
            worst_cost_usd=up_to_cent(net_cost * quantity),
            purpose=Purpose.OVERLAY_UNWIND,
            reason="the overlay returns to base",
            exposure_usd_per_point=-lots[0].exposure_usd_per_point,
        )


def _by_legs(lots: Sequence[Lot]) -> tuple[tuple[Lot, ...], ...]:
    """Group lots that hold the same contracts in the same ratios, in the order of the first of each."""
    groups: dict[frozenset[tuple[InstrumentKey, int]], list[Lot]] = {}
    for lot in lots:
        groups.setdefault(frozenset((leg.instrument.key, leg.signed_ratio) for leg in lot.legs), []).append(lot)
    return tuple(map(tuple, groups.values()))
