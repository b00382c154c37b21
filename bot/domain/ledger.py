"""The ledger as a pure function of the set of executions: order, duplicates and replays cannot change it."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from bot.domain.fees import FeeSchedule
from bot.domain.instrument import InstrumentKey
from bot.domain.orders import Fill, FillPart, IntentId, Leg, Order, OrderIntent
from bot.domain.portfolio import Lot, Position

NEW_YORK = ZoneInfo("America/New_York")


def trade_date(moment: datetime) -> date:
    """Return the New York date of a moment: the day to which a trade belongs."""
    return moment.astimezone(NEW_YORK).date()


def positions_after(start: Iterable[Position], fills: Iterable[Fill]) -> dict[InstrumentKey, Position]:
    """Return the positions after all fills, flat ones left out; the net fill of a combo moves none."""
    quantities: dict[InstrumentKey, int] = {}
    instruments = {}
    costs: dict[InstrumentKey, Decimal | None] = {}
    for position in start:
        instruments[position.instrument.key] = position.instrument
        costs[position.instrument.key] = position.average_cost_usd
        quantities[position.instrument.key] = quantities.get(position.instrument.key, 0) + position.quantity
    for fill in fills:
        if fill.instrument is None:
            continue
        instruments.setdefault(fill.instrument.key, fill.instrument)
        quantities[fill.instrument.key] = quantities.get(fill.instrument.key, 0) + fill.signed_quantity
    return {
        key: Position(instrument=instruments[key], quantity=quantity, average_cost_usd=costs.get(key))
        for key, quantity in quantities.items()
        if quantity
    }


def positions_before(end: Iterable[Position], fills: Iterable[Fill]) -> tuple[Position, ...]:
    """Return the positions from which the fills lead to ``end``: what is held beside what was booked."""
    undone = (replace(fill, side=fill.side.opposite) for fill in fills)
    return tuple(positions_after(end, undone).values())


def first_seen(known: Mapping[InstrumentKey, date], held: Iterable[Position], today: date) -> dict[InstrumentKey, date]:
    """Return when each position held beside our own fills was first seen: as known, else today."""
    return {position.instrument.key: known.get(position.instrument.key, today) for position in held}


def units_filled(intent_id: IntentId, fills: Iterable[Fill]) -> int:
    """Return how many units of one order the executions show."""
    return sum(fill.quantity for fill in fills if fill.order_ref == intent_id and fill.part is not FillPart.LEG)


def legs_owed(intent: OrderIntent, fills: Iterable[Fill]) -> tuple[Fill, ...]:
    """Return the executions of legs that a guaranteed combo still owes: told of its net, or of one leg, before others.

    They are made up at the order's limit, so that what has not been told yet never looks cheaper than it may be.

    Args:
        intent: The combo.
        fills: Its executions as far as they were told.

    Source: docs/ib/hazards.md, section 6: a combo is told once as a whole and once for each leg.
    """
    told = list(fills)
    by_leg = {
        leg.instrument.key: [one for one in told if one.part is FillPart.LEG and one.key == leg.instrument.key]
        for leg in intent.legs
    }
    counts = {key: sum(fill.quantity for fill in found) for key, found in by_leg.items()}
    whole = sum(fill.quantity for fill in told if fill.part is not FillPart.LEG)
    units = max([whole, *(-(-counts[leg.instrument.key] // leg.ratio) for leg in intent.legs)])
    paid = sum((fill.signed_quantity * fill.price for found in by_leg.values() for fill in found), Decimal(0))
    owed = []
    for leg in sorted(intent.legs, key=lambda one: one.signed_ratio):  # what is bought last takes the rest of the price
        missing = units * leg.ratio - counts[leg.instrument.key]
        if missing <= 0:
            continue
        rest = max(Decimal(0), (intent.limit * units - paid) * leg.side.sign / missing)
        paid += leg.side.sign * missing * rest
        owed.append(_owed(intent, leg, missing, rest, told[0]))
    return tuple(owed)


def _owed(intent: OrderIntent, leg: Leg, quantity: int, price: Decimal, told: Fill) -> Fill:
    return Fill(
        exec_id=f"owed-{intent.intent_id}-{leg.instrument.key}",
        order_ref=intent.intent_id,
        perm_id=told.perm_id,
        account=told.account,
        part=FillPart.LEG,
        instrument=leg.instrument,
        side=leg.side,
        quantity=quantity,
        price=price,
        at=told.at,
    )


def lots_of(
    orders: Iterable[Order],
    fills: Iterable[Fill],
    commissions_usd: Mapping[str, Decimal],
    fees: FeeSchedule,
    found: Iterable[Lot] = (),
) -> tuple[Lot, ...]:
    """Return all hedge lots with what sales recovered: those that were found, then those that our own orders made.

    A sale is booked against the lots of its layer with the same contracts, oldest first, found ones among them. A
    fee is the broker's where it is known and the schedule's until then.
    """
    by_order = fills_by_order(fills)
    known = {order.intent.intent_id: order for order in orders}
    lots: list[Lot] = list(found)
    for intent_id in sorted(by_order, key=lambda ref: (by_order[ref][0].at, ref)):
        order = known.get(IntentId(intent_id))
        if order is None:
            continue
        if order.intent.purpose.buys_hedge:
            lots += _lot_bought(order, by_order[intent_id], commissions_usd, fees)
        elif order.intent.purpose.sells_hedge:
            lots = _sold_from(lots, order, by_order[intent_id], commissions_usd, fees)
    return tuple(lots)


def fills_by_order(fills: Iterable[Fill]) -> dict[str, list[Fill]]:
    """Return the executions of each order by its reference, oldest first."""
    grouped: dict[str, list[Fill]] = {}
    for fill in sorted(fills, key=lambda one: (one.at, one.exec_id)):
        grouped.setdefault(fill.order_ref, []).append(fill)
    return grouped


def fee_usd(order: Order, fills: list[Fill], commissions_usd: Mapping[str, Decimal], fees: FeeSchedule) -> Decimal:
    """Return the fees of an order's executions, USD; those of a combo are charged on its legs.

    A fee is the broker's where it is known and the schedule's until then; shares cost their least fee at least.
    """
    total = Decimal(0)
    for fill in fills:
        known = commissions_usd.get(fill.exec_id)
        if known is not None:
            total += known
        elif fill.instrument is not None:
            total += fees.of_contract(fill.instrument.trading_class, fill.instrument.kind) * fill.quantity
    if order.intent.is_share and any(fill.exec_id not in commissions_usd for fill in fills):
        total = max(total, fees.least_share_order_usd)  # the least is charged once for the whole order
    if order.intent.is_combo and not any(fill.part is FillPart.LEG for fill in fills):
        total += fees.of_intent(order.intent, sum(fill.quantity for fill in fills))  # the legs are still under way
    return total


def _lot_bought(
    order: Order, fills: list[Fill], commissions_usd: Mapping[str, Decimal], fees: FeeSchedule
) -> list[Lot]:
    whole = [fill for fill in fills if fill.part is not FillPart.LEG]
    units = sum(fill.quantity for fill in whole)
    if units == 0:
        return []
    intent = order.intent
    value = sum((fill.side.sign * fill.price * fill.quantity for fill in whole), Decimal(0))
    fee = fee_usd(order, fills, commissions_usd, fees)
    premium = Decimal(0) if intent.carries_reserve else value * intent.multiplier
    settlements = [leg.instrument.settlement for leg in intent.legs if leg.instrument.settlement is not None]
    return [
        Lot(
            lot_id=intent.intent_id,
            layer=intent.layer,
            legs=intent.legs,
            units_bought=units,
            units_open=units,
            cost_usd=premium + fee,
            recovered_usd=Decimal(0),
            bought_on=trade_date(whole[0].at),
            expires_on=max(settlements, default=None),
            entry_price=value / units,
            exposure_usd_per_point=intent.exposure_usd_per_point,
        )
    ]


def _sold_from(
    lots: list[Lot], order: Order, fills: list[Fill], commissions_usd: Mapping[str, Decimal], fees: FeeSchedule
) -> list[Lot]:
    """Book one selling order against the lots with the mirrored legs, oldest first."""
    whole = [fill for fill in fills if fill.part is not FillPart.LEG]
    units = sum(fill.quantity for fill in whole)
    if units == 0:
        return lots
    received = sum((-fill.side.sign * fill.price * fill.quantity for fill in whole), Decimal(0)) / units
    fee, sold = fee_usd(order, fills, commissions_usd, fees), units
    sold_on = trade_date(whole[-1].at)
    mirrored = {(leg.instrument.key, -leg.signed_ratio) for leg in order.intent.legs}
    booked: list[Lot] = []
    for lot in lots:
        is_its_layer = lot.layer is order.intent.layer
        matches = is_its_layer and {(leg.instrument.key, leg.signed_ratio) for leg in lot.legs} == mirrored
        take = min(units, lot.units_open) if matches else 0
        units -= take
        booked.append(lot if take == 0 else _reduced(lot, take, received, fee * take / sold, sold_on))
    return booked


def _reduced(lot: Lot, units: int, received_points: Decimal, fee_usd: Decimal, sold_on: date) -> Lot:
    """One lot after a sale; a future or a share recovers its price change, an option what it was sold for."""
    multiplier = lot.legs[0].instrument.multiplier
    points = received_points - lot.entry_price if lot.carries_reserve else received_points
    return replace(
        lot,
        units_open=lot.units_open - units,
        recovered_usd=lot.recovered_usd + points * multiplier * units - fee_usd,
        last_sold_on=sold_on,
    )
