"""What FLATTEN sells: the parts of a plan from the lots, and under a signed plan the orders of this moment.

How it works: lots of a layer with the same contracts are one part, spreads before single contracts, so that no short
call ever loses its long one. What always holds: the condors, other people's positions and what has no price are left
out with words; an order never asks for more than the lots hold now, nor for more than was signed.

Source: docs/risk-controls.md, 2.6.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from bot.domain.fees import FeeSchedule, up_to_cent
from bot.domain.flattening import FlatPart, Mandate, signed_legs
from bot.domain.instrument import Instrument, Kind
from bot.domain.layer import Layer
from bot.domain.ledger import trade_date
from bot.domain.orders import Leg, OrderIntent, Purpose
from bot.domain.plan import HedgePlan, PlanAction
from bot.domain.portfolio import Lot
from bot.domain.snapshot import Snapshot
from bot.hedging.construction import order_price
from bot.hedging.flatten.settings import FlattenSettings
from bot.hedging.moment import Moment
from bot.hedging.selling import by_legs, sale
from bot.hedging.settings import HedgeSettings
from bot.hedging.unwinding import Portion, portions
from bot.valuation import Unvalued, Valuer


@dataclass(frozen=True, slots=True, kw_only=True)
class FlatParts:
    """What would be sold, and in words what is held and would not be."""

    parts: tuple[FlatPart, ...]
    left_out: tuple[str, ...]


def flat_parts(
    snapshot: Snapshot, valuer: Valuer, hedge: HedgeSettings, settings: FlattenSettings, fees: FeeSchedule
) -> FlatParts:
    """Return the parts of a plan that sells every open lot, spreads first.

    Args:
        snapshot: The moment.
        valuer: Of the same moment.
        hedge: The numbers by which orders are priced.
        settings: How much worse than the middle a price may be.
        fees: What contracts cost to trade.
    """
    today, parts, left_out = trade_date(snapshot.now), [], []
    for group in _groups(snapshot.book.lots):
        found = _part(group, today, valuer, hedge, settings, fees)
        if isinstance(found, FlatPart):
            parts.append(found)
        else:
            left_out.append(f"{_named(group)}: {found}")
    parts.sort(key=lambda part: (-len(part.legs), part.words))
    return FlatParts(parts=tuple(parts), left_out=tuple(left_out))


def flatten(moment: Moment, mandate: Mandate) -> HedgePlan:
    """Return the orders that a signed plan still needs now, or why none can be sent."""
    busy = moment.snapshot.book.keys_at_work()
    intents: list[OrderIntent] = []
    obstacles: list[str] = []
    for part in mandate.plan.parts:
        keys = {leg.instrument.key for leg in part.legs}
        if mandate.is_spent(part) or keys & busy:
            continue
        found = _order(moment, part, mandate)
        if isinstance(found, str):
            obstacles.append(found)
            continue
        intents.append(found)
        busy |= keys
    if not intents:
        why = obstacles[0] if obstacles else "what was signed is under way or done"
        return moment.hold(f"flatten: {why}")
    plan = moment.hold("flatten: a signed plan is carried out")
    return replace(plan, action=PlanAction.FLATTEN, intents=tuple(intents))


def _groups(lots: Sequence[Lot]) -> list[tuple[Portion, ...]]:
    open_lots = [lot for lot in lots if lot.units_open]
    return [
        group
        for layer in Layer
        for group in by_legs([Portion(lot=lot, units=lot.units_open) for lot in open_lots if lot.layer is layer])
    ]


def _named(group: Sequence[Portion]) -> str:
    legs = " ".join(f"{ratio:+d} {key}" for key, ratio in sorted(signed_legs(group[0].lot.legs)))
    return f"{group[0].lot.layer.value}: {sum(one.units for one in group)} x {legs}"


def _part(
    group: Sequence[Portion],
    today: date,
    valuer: Valuer,
    hedge: HedgeSettings,
    settings: FlattenSettings,
    fees: FeeSchedule,
) -> FlatPart | str:
    """One part, or why it is left out."""
    lot, units = group[0].lot, sum(portion.units for portion in group)
    legs = _traded(lot)
    if any(_is_ending(leg.instrument, today) for leg in legs):
        return "it is at or past its last trading day: it settles"
    priced = order_price(legs, valuer, hedge, closing=True)
    if isinstance(priced, Unvalued):
        return f"it has no price now: {priced.reason}"
    is_option = legs[0].instrument.kind is Kind.OPTION
    frac = settings.option_worst_frac if is_option else settings.future_worst_frac
    worst = valuer.settings.ticks.rounded_down(legs, priced.mid * (1 - frac))
    worst = max(worst, priced.limit)  # what fills at once is asked for in any case, as far as the collar lets it
    if priced.mid >= 0 or worst >= 0:
        return "nobody bids for it"
    given = (worst - priced.mid) * legs[0].instrument.multiplier * units
    return FlatPart(
        layer=lot.layer,
        legs=legs,
        units=units,
        worst_limit=worst,
        cost_usd=up_to_cent(max(Decimal(0), given) + fees.of_order(legs, units)),
    )


def _is_ending(instrument: Instrument, today: date) -> bool:
    """Shares have no end; whatever else does not say when it ends is not touched."""
    last = instrument.last_trade
    return instrument.kind is not Kind.STOCK and (last is None or last <= today)


def _traded(lot: Lot) -> tuple[Leg, ...]:
    return tuple(replace(leg, side=leg.side.opposite) for leg in lot.legs)


def _order(moment: Moment, part: FlatPart, mandate: Mandate) -> OrderIntent | str:
    """The order for a part at the market's price, or what stands against it."""
    wanted = signed_legs(part.legs)
    lots = [
        lot
        for lot in moment.snapshot.book.lots
        if lot.units_open and lot.layer is part.layer and signed_legs(_traded(lot)) == wanted
    ]
    chosen = portions([(lot, 0.0) for lot in lots], mandate.left(part))
    if not chosen:
        return "it is sold already"
    found = sale(moment, chosen, Purpose.FLATTEN)
    if isinstance(found, OrderIntent) and found.limit > part.worst_limit:
        return "the market pays less than the worst price that was signed"
    return found
