"""The hedge costs at most 40 % of the condor credit, by cohort and by book (C20, M9)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal

from bot.domain.decision import Checked, Rule
from bot.domain.errors import InvalidValueError
from bot.domain.instrument import Instrument, InstrumentKey, Side
from bot.domain.orders import IntentId, OrderIntent
from bot.domain.products import found_products
from bot.reserves import reserve_usd
from bot.valuation import Unvalued
from risk.cost import Borne, Charged, CostModel, CostReport
from risk.products import products_charge_usd
from risk.scene import CLOSES_ONLY, Scene
from risk.wings import is_roll


@dataclass(frozen=True, slots=True)
class CohortCostCap:
    """Fails when some cohort's charge, this order at its worst included, is above the cap. Exactly the cap passes.

    Control: C20, M9.
    Standard: house rule, I3.
    Unit: USD.
    Limits: max_hedge_cost_frac, amortise.
    """

    rule: Rule = Rule.HEDGE_COST_CAP_COHORT

    def check(self, intent: OrderIntent, scene: Scene) -> Checked:
        """Judge the cohort with the least room."""
        if scene.closes_only(intent):
            return _closing(self.rule)
        return _judged(self.rule, report_with(intent, scene).charged_tightest)


@dataclass(frozen=True, slots=True)
class BookCostCap:
    """Fails when the charges of all cohorts together are above the cap of all credits together.

    Control: C20, M9.
    Standard: house rule, I3.
    Unit: USD.
    Limits: max_hedge_cost_frac, amortise.
    """

    rule: Rule = Rule.HEDGE_COST_CAP_BOOK

    def check(self, intent: OrderIntent, scene: Scene) -> Checked:
        """Judge the book as a whole."""
        if scene.closes_only(intent):
            return _closing(self.rule)
        return _judged(self.rule, report_with(intent, scene).charged_book)


def _closing(rule: Rule) -> Checked:
    """C20: closing stays allowed whatever the ratio; protection that costs is what the cap binds."""
    return Checked.holds(rule=rule, passed=True, found=CLOSES_ONLY, limit=CLOSES_ONLY, note=CLOSES_ONLY)


def _judged(rule: Rule, charged: Charged) -> Checked:
    cost, charge, whole = charged
    note = f"{cost.cohort}: whole figure {whole!s} of credit {cost.credit_usd!s}"
    return Checked.at_most(rule=rule, found=charge, limit=cost.cap_usd, note=note, size_can_cure=True)


def report_with(intent: OrderIntent, scene: Scene) -> CostReport:
    """Return the figures with one intent, worked out once for both rules."""
    return scene.kept(_report_with, intent)


def _report_with(intent: OrderIntent, scene: Scene) -> CostReport:
    return _cost_report((*scene.earlier, intent), scene)


def cost_report(scene: Scene, *intents: OrderIntent) -> CostReport:
    """Return the cost figures of a scene with further intents as if they were sent.

    Raises:
        InvalidValueError: A future or share that is held or wanted cannot be valued, so that its cost is unknown.
    """
    wanted = (*scene.earlier, *intents)
    return _cost_report(wanted, scene) if wanted else scene.once(_report_now)


def _report_now(scene: Scene) -> CostReport:
    return _cost_report((), scene)


def _cost_report(wanted: tuple[OrderIntent, ...], scene: Scene) -> CostReport:
    book = scene.snapshot.book
    model = scene.once(_cost_model)
    reserved = [one for one in wanted if one.carries_reserve]
    if reserved:
        model = replace(model, reserves={**model.reserves, **_reserves(scene, reserved)})
    if any(map(is_roll, wanted)):  # it lowers a credit, by which everything is shared
        return model.report(book, scene.today, wanted)
    return model.report_on(scene.once(_borne), wanted)


def _borne(scene: Scene) -> Borne:
    """What is charged before any order is wanted, whose own reserves play no part in it."""
    return scene.once(_cost_model).borne(scene.snapshot.book, scene.today)


def _cost_model(scene: Scene) -> CostModel:
    """The model of the moment; what a future or a share that is wanted would be charged comes on top."""
    working = [order.intent for order in scene.snapshot.book.orders.values() if order.may_fill]
    return CostModel(
        fees=scene.fees,
        max_cost_frac=scene.limits.max_hedge_cost_frac,
        amortise=scene.limits.amortise,
        held_reserves=dict(_held_reserves(scene)),
        products_usd=_products_usd(scene),
        reserves=_reserves(scene, working),
    )


def _reserves(scene: Scene, intents: Iterable[OrderIntent]) -> dict[InstrumentKey, Decimal]:
    """What the futures and shares that some orders buy are charged each."""
    firsts = [intent.legs[0] for intent in intents if intent.carries_reserve]
    return {leg.instrument.key: _reserve(scene, leg.instrument) for leg in firsts if leg.side is Side.BUY}


def _held_reserves(scene: Scene) -> Iterator[tuple[IntentId, Decimal]]:
    for lot in scene.snapshot.book.lots:
        if lot.carries_reserve and lot.units_open:
            yield lot.lot_id, _reserve(scene, lot.legs[0].instrument, lot.entry_price)


def _products_usd(scene: Scene) -> Decimal:
    """What the volatility products that the bot did not buy are charged together, USD.

    Raises:
        InvalidValueError: One has not been measured, or the broker tells no average cost of it.
    """
    charge = products_charge_usd(found_products(scene.snapshot.book), scene.valuer)
    if isinstance(charge, Unvalued):
        raise InvalidValueError(f"the cost of a volatility product is unknown: {charge.reason}")
    return charge


def _reserve(scene: Scene, instrument: Instrument, entry_price: Decimal | None = None) -> Decimal:
    reserve = reserve_usd(instrument, scene.valuer, entry_price)
    if isinstance(reserve, Unvalued):
        raise InvalidValueError(f"the reserve of a future or share is unknown: {reserve.reason}")
    return reserve
