"""BLOWOUT: what is missing to the overlay's target as one order, or what forbids it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from bot.domain.evidence import WeakConviction
from bot.domain.orders import Purpose
from bot.domain.plan import Candidate, HedgePlan, PlanAction, Sizing
from bot.domain.releases import ReleaseKind
from bot.domain.shifts import Shift
from bot.hedging.construction import Wanted, best_of, candidates_for
from bot.hedging.moment import Moment
from bot.hedging.settings import Prefer
from bot.hedging.settlement import overlay_shift
from bot.hedging.sizing import is_within_band, wish_of
from bot.hedging.sleeve import overlay_builds
from bot.hedging.temporal.budget import theta_budget
from bot.valuation import Unvalued


def towards_target(moment: Moment, weak: WeakConviction) -> HedgePlan:
    """Return the plan that adds what is missing to the target, or holds and says what forbids it.

    Args:
        moment: What is read.
        weak: What is done while the conviction is weak or unknown.

    Source: docs/methodology.md, M2, M3, M5 and M17.
    """
    wish = wish_of(moment.signal, weak, moment.settings)
    plan = _Adding(moment, wish.frac).plan()
    return replace(plan, asks=wish.asks) if plan.intents else plan


@dataclass(frozen=True, slots=True)
class _Adding:
    """The way from the target to one order."""

    moment: Moment
    frac: float

    def plan(self) -> HedgePlan:
        """Size, place and choose."""
        moment, sleeve, settings = self.moment, self.moment.sleeve, self.moment.settings
        frac = self.frac
        obstacle = self._obstacle()
        if obstacle:
            return moment.hold(obstacle, frac=frac)
        base, held = sleeve.known_base, sleeve.held_nominal
        gap = frac * base - held  # nothing is on its way: `_obstacle` has seen to that
        ceiling = settings.max_overlay_frac * base
        sizing = Sizing(
            band_usd_per_point=settings.no_trade_band_frac * base,
            ceiling_usd_per_point=ceiling,
            room_usd_per_point=max(0.0, ceiling - max(held, sleeve.held_now or 0.0)),
            prefer=self._prefer().value,
        )
        if is_within_band(gap=gap, base=base, settings=settings):
            plan = moment.hold("the overlay stands at its target, within the no-trade band", frac=frac)
            return replace(plan, sizing=sizing)
        shift = overlay_shift(moment.snapshot, moment.releases, settings.shifting, moment.calendar)
        plan = self._placed(shift, gap=gap, room=sizing.room_usd_per_point)
        return replace(plan, shift=shift, sizing=sizing, notes=(*plan.notes, *self._product_notes()))

    def _placed(self, shift: Shift, *, gap: float, room: float) -> HedgePlan:
        """Choose contracts of the settlement, if there are any."""
        moment, settings, frac = self.moment, self.moment.settings, self.frac
        settlement = shift.settlement
        if settlement is None:
            return moment.hold("no settlement within the allowed days is listed", frac=frac)
        if not any(one.settlement == settlement for one in moment.snapshot.universe.values()):
            plan = moment.hold("the contracts of the chosen settlement are being looked up", frac=frac)
            return replace(plan, awaits=settlement)
        wanted = Wanted(gap=gap, room=room, settlement=settlement)
        candidates = candidates_for(wanted, moment.snapshot, moment.valuer, settings, moment.fees)
        chosen = moment.approved(candidates, Purpose.OVERLAY_BUILD) or best_of(candidates, self._prefer())
        if chosen is None:
            return moment.hold(self._why_none(candidates), frac=frac, candidates=candidates)
        return self._within_theta(chosen, candidates)

    def _prefer(self) -> Prefer:
        """Which kind comes first: around CPI or PPI the short leg's decay is to pay for the long leg (M7)."""
        moment, settings = self.moment, self.moment.settings
        until = moment.snapshot.now + timedelta(days=settings.temporal.release_days)
        near = moment.releases.between((ReleaseKind.CPI, ReleaseKind.PPI), moment.snapshot.now, until)
        return Prefer.SPREADS if near else settings.prefer

    def _within_theta(self, chosen: Candidate, candidates: tuple[Candidate, ...]) -> HedgePlan:
        """Ask for as many as the sleeve's decay leaves room for (M7)."""
        moment, frac = self.moment, self.frac
        budget = theta_budget(moment.snapshot.book, moment.valuer, moment.settings.temporal, moment.today)
        unit = moment.valuer.unit(chosen.legs)
        if isinstance(budget, Unvalued) or isinstance(unit, Unvalued):
            why = getattr(budget, "reason", "") or getattr(unit, "reason", "")
            return moment.hold(f"the theta budget is unknown: {why}", frac=frac, candidates=candidates)
        quantity = budget.most_units(chosen.quantity, -unit.theta_usd_per_day)
        notes = (budget.words(-unit.theta_usd_per_day * (quantity or chosen.quantity)),)
        if not quantity:
            plan = moment.hold("the theta budget leaves no room", frac=frac, candidates=candidates)
            return replace(plan, notes=notes)
        why = "the dispersion is blown out: the overlay grows to its target"
        if quantity < chosen.quantity:
            why += ", as far as the theta budget allows"
        plan = moment.hold(why, frac=frac, candidates=candidates)
        bought = replace(chosen, quantity=quantity)
        intent = moment.purchase(bought, Purpose.OVERLAY_BUILD, "the overlay grows to its target")
        return replace(plan, action=PlanAction.INCREASE, intents=(intent,), notes=notes)

    def _product_notes(self) -> tuple[str, ...]:
        """What shares of volatility products do to the base (M4): said wherever they are held."""
        products = self.moment.sleeve.products
        if not products:
            return ()
        what = "taken off the base" if products < 0.0 else "no part of the base"
        return (f"the volatility products held move by {products:+.2f} USD per point of VIX: {what}",)

    def _obstacle(self) -> str:
        """What forbids any increase now; empty when nothing does."""
        sleeve, book = self.moment.sleeve, self.moment.snapshot.book
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
        spread = self.moment.signal.spread
        if obstacle := self.moment.obstacle_of_vix():
            return obstacle
        return "" if spread is not None and spread >= 0.0 else "the spread is negative or unknown: nothing is added"

    def _why_none(self, candidates: Sequence[Candidate]) -> str:
        """Say why no candidate is left; "book too small" where size is the only thing wrong with one."""
        if not candidates:
            return "no contract of the settlement is listed with a fitting delta"
        too_large = any(c.quantity == 0 and c.rejected.startswith("one contract is too large") for c in candidates)
        if too_large and self.moment.sleeve.held_nominal <= 0.0:
            return "book too small: the target is less than half a contract"
        return "no candidate is left" if not too_large else "less than half a contract is missing"
