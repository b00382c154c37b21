"""What lots hold, as orders that sell it: back to base in two steps, or out because their end is near."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from bot.domain.fees import up_to_cent
from bot.domain.instrument import InstrumentKey
from bot.domain.orders import IntentId, OrderIntent, Purpose
from bot.domain.plan import HedgePlan, PlanAction
from bot.domain.portfolio import Lot
from bot.hedging.construction import order_price
from bot.hedging.moment import Moment
from bot.hedging.sleeve import open_overlay
from bot.hedging.temporal.rolling import Due, DueKind, harvest_due, roll_due, stop_due
from bot.hedging.unwinding import Portion, portions, unwind_quota
from bot.valuation import Unvalued

NOTHING = Decimal(0)
_UNKNOWN_PROFIT = float("-inf")
REASONS = {
    DueKind.STOP: "the overlay nears its last trading day",
    DueKind.ROLL: "the overlay is rolled: it nears its settlement",
    DueKind.HARVEST: "the overlay is harvested: it is worth most of its width",
}
"""Stable words for plans; the figures are in the notes."""
ORDER_REASONS = {
    Purpose.OVERLAY_UNWIND: "the overlay returns to base",
    Purpose.OVERLAY_EXIT: "the overlay nears its end",
    Purpose.BASE_EXIT: "the base is rolled or nears its end",
    Purpose.FLATTEN: "a person has signed the plan to flatten",
}


def back_to_base(moment: Moment) -> HedgePlan:
    """CALM: half of what the overlay holds goes in the first session with time left, the rest in the next.

    Source: docs/methodology.md, M17.
    """
    book = moment.snapshot.book
    lots = open_overlay(book.lots, moment.today)
    if not lots:
        return moment.hold("calm: the sleeve stands at its base")
    quota = unwind_quota(
        lots, book.changes, moment.snapshot.session, moment.snapshot.now, moment.settings.unwind_least_minutes
    )
    if not quota.units:
        return moment.hold(quota.why)
    chosen = portions([(lot, _profit_usd(lot, moment)) for lot in lots], quota.units)
    return sold(moment, chosen, Purpose.OVERLAY_UNWIND, quota.why, "calm, but the overlay stays for now")


def leave(moment: Moment) -> HedgePlan | None:
    """Sell overlay whose time has come, whatever the signal says; None without any.

    That is a lot near its last trading day, a lot at the layer's days to settlement, and a spread that has earned most
    of what it can. Where the blowout goes on, the plans that follow build anew, nearer to the money and farther out.

    Source: docs/methodology.md, M7.
    """
    due = [(lot, why) for lot in open_overlay(moment.snapshot.book.lots, moment.today) if (why := _due(lot, moment))]
    if not due:
        return None
    chosen = tuple(Portion(lot=lot, units=lot.units_open) for lot, _ in due)
    kind = due[0][1].kind
    plan = sold(moment, chosen, Purpose.OVERLAY_EXIT, REASONS[kind], f"{REASONS[kind]}, but it stays for now")
    return replace(plan, notes=tuple(f"{lot.lot_id}: {why.words}" for lot, why in due))


def _due(lot: Lot, moment: Moment) -> Due | None:
    """Why a lot must go now; a spread that cannot be valued is not harvested."""
    settings = moment.settings.temporal
    stop = stop_due(lot, moment.today, settings, moment.calendar)
    roll = stop or roll_due(lot, moment.today, settings, moment.calendar)
    harvest = roll or harvest_due(lot, moment.valuer, settings, moment.today)
    return None if isinstance(harvest, Unvalued) else harvest


def sold(moment: Moment, chosen: Sequence[Portion], purpose: Purpose, why: str, why_not: str) -> HedgePlan:
    """Return the plan that sells what can be sold now of some portions of one layer, or holds and says why it cannot.

    Nothing is sold beside an order in the same contracts.

    Args:
        moment: What is read.
        chosen: Lots of one layer, the overlay or one of the base, with the units that go.
        purpose: Of the orders: back to base, or out.
        why: The plan's reason where it sells.
        why_not: The beginning of its reason where it cannot.
    """
    busy = moment.snapshot.book.keys_at_work()
    intents: list[OrderIntent] = []
    obstacles: list[str] = []
    for group in by_legs(chosen):
        keys = {leg.instrument.key for leg in group[0].lot.legs}
        found = "an order in the same contracts is still working" if keys & busy else sale(moment, group, purpose)
        if isinstance(found, str):
            obstacles.append(found)
            continue
        intents.append(found)
        busy |= keys
    if not intents:
        return moment.hold(f"{why_not}: {obstacles[0]}")
    action = PlanAction.UNWIND if purpose is Purpose.OVERLAY_UNWIND else PlanAction.EXIT
    return replace(moment.hold(why), action=action, intents=tuple(intents))


def _profit_usd(lot: Lot, moment: Moment) -> float:
    """Return what one unit would bring above what it has cost; minus infinity where it cannot be valued."""
    unit = moment.valuer.unit(lot.legs)
    if isinstance(unit, Unvalued):
        return _UNKNOWN_PROFIT
    return (unit.price - float(lot.entry_price)) * lot.legs[0].instrument.multiplier


def sale(moment: Moment, group: Sequence[Portion], purpose: Purpose) -> OrderIntent | str:
    """Return the order that sells portions of lots with the same legs, or what stands against it."""
    first = group[0].lot
    legs = tuple(replace(leg, side=leg.side.opposite) for leg in first.legs)
    priced = order_price(legs, moment.valuer, moment.settings, closing=True)
    if isinstance(priced, Unvalued):
        return priced.reason
    if priced.limit >= 0:
        return "nobody bids for it"
    quantity = sum(portion.units for portion in group)
    proceeds = NOTHING if first.carries_reserve else -priced.limit * legs[0].instrument.multiplier
    net_cost = max(NOTHING, moment.fees.of_order(legs, quantity) - proceeds * quantity)
    return OrderIntent(
        intent_id=IntentId(moment.new_id()),
        decision_id=moment.decision_id,
        legs=legs,
        quantity=quantity,
        limit=priced.limit,
        worst_cost_usd=up_to_cent(net_cost),
        purpose=purpose,
        reason=ORDER_REASONS[purpose],
        exposure_usd_per_point=-first.exposure_usd_per_point,
        half_width_points=priced.width / 2,
        middle_points=priced.mid,
        layer=first.layer,
    )


def by_legs(chosen: Sequence[Portion]) -> tuple[tuple[Portion, ...], ...]:
    """Group portions of lots that hold the same contracts in the same ratios, in the order of the first of each."""
    groups: dict[frozenset[tuple[InstrumentKey, int]], list[Portion]] = {}
    for portion in chosen:
        held = frozenset((leg.instrument.key, leg.signed_ratio) for leg in portion.lot.legs)
        groups.setdefault(held, []).append(portion)
    return tuple(map(tuple, groups.values()))
