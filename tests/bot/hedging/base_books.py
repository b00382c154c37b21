"""Base layers for tests: lots and orders of one, and the plans for it in a moment."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from bot.domain.instrument import Instrument
from bot.domain.layer import Layer
from bot.domain.orders import DecisionId, Leg, Order, Purpose
from bot.domain.plan import HedgePlan
from bot.domain.portfolio import Book, Lot
from bot.domain.readings import Signal, SignalState
from bot.domain.schedule import NEW_YORK
from bot.domain.snapshot import Snapshot
from bot.hedging.base.settings import BaseSettings, MaintainBase
from bot.hedging.planning import Planner
from bot.hedging.settings import HedgeSettings
from tests.bot.hedging.planned import CALM
from tests.builders import (
    FEES,
    NOON,
    NOVEMBER,
    TODAY,
    Scenery,
    a_lot,
    a_reading,
    a_session,
    an_intent,
    an_order,
    buys,
    new_ids,
    sells,
    vix_call,
)

AUTO = HedgeSettings(base=BaseSettings(maintain_base=MaintainBase.AUTO))
ROLL_DAY = date(2026, 11, 6)
"""A Friday: the tenth day before the settlement of November is the Sunday after it."""
STOP_DAY = date(2026, 11, 13)
DECEMBER = date(2026, 12, 16)


def base_lot(
    units: int = 4,
    layer: Layer = Layer.SHORT,
    settlement: date = NOVEMBER,
    *,
    lot_id: str = "b-1",
    bought_on: date = TODAY,
    strike: float = 19,
    legs: Sequence[Leg] | None = None,
) -> Lot:
    """Calls of a base layer, bought for about a hundred USD each."""
    return a_lot(
        legs or (buys(vix_call(strike, settlement)),),
        units=units,
        cost=150 * units,
        layer=layer,
        bought_on=bought_on,
        expires_on=settlement,
        lot_id=lot_id,
        entry_price="1.50",
        exposure=26.0,
    )


def base_order(
    quantity: int = 4,
    layer: Layer = Layer.SHORT,
    *,
    purpose: Purpose = Purpose.BASE_BUILD,
    strike: float = 19,
    filled: int = 0,
    settlement: date = DECEMBER,
) -> Order:
    """A working order for a base layer."""
    call = vix_call(strike, settlement)
    legs = (buys(call) if purpose.buys_hedge else sells(call),)
    limit = "1.60" if purpose.buys_hedge else "-1.40"
    intent = an_intent(legs, quantity=quantity, limit=limit, purpose=purpose, intent_id="b-order")
    return an_order(replace(intent, layer=layer), filled=filled)


def on_day(day: date = TODAY, condors: int = 10) -> Scenery:
    """The market at noon of a day."""
    return Scenery(condors=condors, at=datetime.combine(day, NOON.timetz(), tzinfo=NEW_YORK))


def with_lots(scenery: Scenery, *lots: Lot, orders: Sequence[Order] = (), **changes: object) -> Book:
    """The scenery's condors with these hedge lots alone."""
    book = scenery.book(orders=orders, **changes)
    hedge = {leg.instrument.key for lot in scenery.base_lots() for leg in lot.legs}
    positions = {key: one for key, one in book.positions.items() if key not in hedge}
    extra = scenery.book(lots=lots).positions
    held = {leg.instrument.key for lot in lots for leg in lot.legs}
    return replace(book, lots=lots, positions={**positions, **{key: extra[key] for key in held if key in extra}})


def moment_of(
    scenery: Scenery, book: Book, *, listed: Sequence[date] = (NOVEMBER, DECEMBER), **changes: object
) -> Snapshot:
    """A calm moment in which all monthly calls of some settlements are watched, with their futures."""
    day = scenery.at.date()
    options = [one for one in scenery.listed().options if one.trading_class == "VIX" and one.settlement in listed]
    futures = [one for one in scenery.listed().futures if one.trading_class == "VX"]
    watched: dict[object, Instrument] = {one.key: one for one in (*options, *futures)}
    held = [position.instrument for position in book.positions.values()]
    quotes = {one.key: scenery.quote(one) for one in (*watched.values(), *held)}
    told = {"session": a_session(day), "universe": watched, "dispersion": a_reading(SignalState.CALM), **changes}
    snapshot = scenery.snapshot(book=book, **told)  # type: ignore[arg-type]  # test shorthand
    return replace(snapshot, quotes={**quotes, **snapshot.quotes})


def base_wishes(snapshot: Snapshot, signal: Signal = CALM, settings: HedgeSettings = AUTO) -> list[HedgePlan]:
    """What the planner wishes for the base, the most urgent first."""
    plans = Planner(settings, FEES).plans(snapshot, signal, DecisionId("d-1"), new_ids().__next__)
    next(plans)
    return list(plans)


def days_after(days: int) -> date:
    """So many days after TODAY."""
    return TODAY + timedelta(days=days)
