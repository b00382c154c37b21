"""Builders of floors and orders: each test states the numbers that matter to it."""

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from bot.domain.instrument import Instrument, Kind, Right, Side
from bot.domain.schedule import Session, SessionCalendar
from simulator.catalogue import BY_CLASS
from simulator.opening import OpenedFloor, open_floor
from simulator.settings import SimulatorSettings
from simulator.venue import OrderType, Tif, VenueEvent, VenueLeg, VenueOrder, VenueQuote
from simulator.world.market import WorldModel

DAY = date(2026, 10, 19)
CALENDAR = SessionCalendar()
NOVEMBER = date(2026, 11, 18)
SPY, EURO = BY_CLASS[Kind.STOCK, "SPY"].instrument, BY_CLASS[Kind.CASH, "EUR.USD"].instrument
_NEW_YORK = ZoneInfo("America/New_York")


def first_session() -> Session:
    """Return the session of `DAY`."""
    session = CALENDAR.session(DAY)
    assert session is not None
    return session


OPENS_AT: datetime = first_session().opens_at
CLOSES_AT: datetime = first_session().closes_at


def a_floor(*, sessions: int = 1, scenario: str = "calm", seed: int = 7, tick_s: int = 15) -> OpenedFloor:
    """Return a floor that stands before its first session."""
    settings = SimulatorSettings(scenario=scenario, start=DAY, sessions=sessions, seed=seed, tick_s=tick_s)
    return open_floor(settings, CALENDAR)


def a_floor_with_nights(
    *, sessions: int = 2, scenario: str = "calm", start: date = DAY, tick_s: int = 60, night_step_s: int = 60
) -> OpenedFloor:
    """Return a floor that trades between its sessions too; it stands at the close before the first one."""
    settings = SimulatorSettings(
        scenario=scenario, start=start, sessions=sessions, tick_s=tick_s, model=WorldModel(night_step_s=night_step_s)
    )
    return open_floor(settings, CALENDAR)


def some_of_all(opened: OpenedFloor) -> dict[str, Instrument]:
    """Return one contract or index of each kind of hours."""
    weekly = date(2026, 11, 20)
    return {
        "SPY": SPY,
        "EUR": EURO,
        "VX": a_future(opened, "VX"),
        "VIX call": a_call(opened),
        "SPXW": opened.universe.option("SPXW", weekly, Decimal(6800), Right.CALL),
        "RUTW": opened.universe.option("RUTW", weekly, Decimal(2500), Right.CALL),
    }


def at_night(text: str, *, day: date = DAY, sessions: int = 2) -> OpenedFloor:
    """Return a floor at an hour of New York after its first session."""
    opened = a_floor_with_nights(sessions=sessions)
    opened.floor.advance(in_new_york(day, text))
    return opened


def in_new_york(day: date, text: str) -> datetime:
    """Return a moment of New York time, written as 15:30."""
    return datetime.combine(day, time.fromisoformat(text), tzinfo=_NEW_YORK)


def an_open_floor(*, minutes: float = 10, sessions: int = 1) -> OpenedFloor:
    """Return a floor some minutes into its first session."""
    opened = a_floor(sessions=sessions)
    opened.floor.advance(OPENS_AT + timedelta(minutes=minutes))
    return opened


def a_call(opened: OpenedFloor, strike: int = 20, settlement: date = NOVEMBER) -> Instrument:
    """Return a listed VIX call."""
    return opened.universe.option("VIX", settlement, Decimal(strike), Right.CALL)


def a_future(opened: OpenedFloor, trading_class: str = "VXM") -> Instrument:
    """Return the listed future that settles in November."""
    return next(
        each for each in opened.universe.futures if each.settlement == NOVEMBER and each.trading_class == trading_class
    )


def an_order(
    *legs: Instrument | VenueLeg,
    limit: str | None = None,
    side: Side = Side.BUY,
    quantity: int = 1,
    order_id: int = 1,
    client_id: int = 1,
    order_ref: str = "ref",
    tif: Tif = Tif.DAY,
    order_type: OrderType | None = None,
    **terms: object,
) -> VenueOrder:
    """Return an order; a limit order where a limit and no type is stated, else a market order.

    ``terms`` are the other fields of `VenueOrder`.
    """
    usual = OrderType.MARKET if limit is None else OrderType.LIMIT
    return VenueOrder(
        client_id=client_id,
        order_id=order_id,
        order_ref=order_ref,
        side=side,
        legs=tuple(each if isinstance(each, VenueLeg) else VenueLeg(instrument=each, side=Side.BUY) for each in legs),
        quantity=quantity,
        order_type=order_type or usual,
        limit=None if limit is None else Decimal(limit),
        tif=tif,
        **{"account": "", **terms},  # type: ignore[arg-type] - a test's own business
    )


def a_spread(bought: Instrument, sold: Instrument) -> tuple[VenueLeg, VenueLeg]:
    """Return the legs of a vertical."""
    return VenueLeg(instrument=bought, side=Side.BUY), VenueLeg(instrument=sold, side=Side.SELL)


class Heard(list[VenueEvent | VenueQuote]):
    """Everything that a floor told."""

    def of(self, kind: type) -> list:
        """Return what was told of one kind, in order."""
        return [event for event in self if isinstance(event, kind)]

    def kinds(self) -> list[str]:
        """Return the kinds in the order in which they were told."""
        return [type(event).__name__ for event in self]


def listened(opened: OpenedFloor, before: Iterable[VenueOrder] = ()) -> Heard:
    """Return the list into which a floor tells from now on; ``before`` is placed first."""
    for order in before:
        opened.floor.place(order)
    heard = Heard()
    opened.floor.listen(heard.append)
    return heard
