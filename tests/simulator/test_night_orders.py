"""Orders at night: what trades, what waits, when the day of each is over, and what expires."""

from datetime import date, datetime, timedelta

import pytest
from floors import (
    CALENDAR,
    CLOSES_AT,
    DAY,
    NOVEMBER,
    OPENS_AT,
    a_call,
    a_floor_with_nights,
    a_future,
    an_order,
    at_night,
    in_new_york,
    listened,
    some_of_all,
)

from bot.domain.instrument import Instrument
from simulator.floor import Floor
from simulator.opening import open_floor
from simulator.settings import SimulatorSettings
from simulator.venue import Executed, OrderChanged, OrderType, Phase, StepPlayed, Tif, VenueOrder, VenueStatus
from simulator.world.market import WorldModel

NEXT = date(2026, 10, 20)


def standing_of(floor: Floor, order_id: int) -> VenueStatus | None:
    """Return the status of a working order, None once it is done."""
    return next((each.status for each in floor.open_orders() if each.order.order_id == order_id), None)


def an_all_hours_order(instrument: Instrument, limit: str, **terms: object) -> VenueOrder:
    """Return an order that may trade outside regular hours."""
    return an_order(instrument, limit=limit, outside_rth=True, **terms)  # type: ignore[arg-type] - a test's own


def test_an_order_for_all_hours_trades_at_night_and_another_waits_for_the_open() -> None:
    """At 19:00 a VX order through the market fills with outsideRth and rests without it, until 09:30."""
    opened = at_night("19:00")
    future = a_future(opened, "VX")
    ask = opened.floor.quote(future).ask
    heard = listened(opened)

    opened.floor.place(an_all_hours_order(future, str(ask), order_id=1))
    opened.floor.place(an_order(future, limit=str(ask + 1), order_id=2))
    at_once = [each.order.order_id for each in heard.of(Executed)]
    opened.floor.advance(in_new_york(NEXT, "09:29"))
    before_open = [each.order.order_id for each in heard.of(Executed)]
    opened.floor.advance(in_new_york(NEXT, "09:30"))

    assert at_once == before_open == [1]
    assert [each.order.order_id for each in heard.of(Executed)] == [1, 2]
    assert heard.of(Executed)[0].price == ask


def test_a_market_order_in_vx_is_refused_at_night() -> None:
    """The exchange takes none outside regular hours."""
    opened = at_night("19:00")
    heard = listened(opened)
    opened.floor.place(an_order(a_future(opened, "VX"), order_type=OrderType.MARKET, outside_rth=True))

    [told] = heard.of(OrderChanged)
    assert told.status is VenueStatus.REJECTED


@pytest.mark.parametrize(
    ("name", "ends"),
    [("VIX call", "17:00"), ("SPXW", "17:00"), ("VX", "17:00"), ("SPY", "20:00")],
)
def test_an_order_for_the_day_ends_with_its_own_day(name: str, ends: str) -> None:
    """For regular hours it ends at the close of those, for all hours at the end of its contract's trading day."""
    opened = a_floor_with_nights()
    opened.floor.advance(OPENS_AT + timedelta(hours=1))
    contract = some_of_all(opened)[name]
    opened.floor.place(an_order(contract, limit="0.05", order_id=1))
    opened.floor.place(an_all_hours_order(contract, "0.05", order_id=2))
    opened.floor.place(an_all_hours_order(contract, "0.05", order_id=3, tif=Tif.GTC))
    end = in_new_york(DAY, ends)

    opened.floor.advance(CLOSES_AT)
    after_close = [standing_of(opened.floor, number) for number in (1, 2, 3)]
    opened.floor.advance(end - timedelta(minutes=1))
    before_end = standing_of(opened.floor, 2)
    opened.floor.advance(end)

    live = VenueStatus.SUBMITTED
    assert after_close == [None, live, live]
    assert before_end is live
    assert [standing_of(opened.floor, number) for number in (2, 3)] == [None, live]


def test_an_order_of_global_hours_lives_through_the_break_before_the_open() -> None:
    """Placed at 21:00, for the day and all hours: it works through 09:25 to 09:30 and ends at 17:00 of the session."""
    opened = at_night("21:00", sessions=3)
    opened.floor.place(an_all_hours_order(a_call(opened), "0.01"))

    standings = []
    for text in ("09:27", "09:31", "16:30", "16:59"):
        opened.floor.advance(in_new_york(NEXT, text))
        standings.append(standing_of(opened.floor, 1))
    opened.floor.advance(in_new_york(NEXT, "17:00"))

    assert standings == [VenueStatus.SUBMITTED] * 4
    assert standing_of(opened.floor, 1) is None


def test_the_lists_of_the_day_begin_at_midnight() -> None:
    """Executions of the evening are told until midnight in New York, those after it until the next one."""
    opened = at_night("19:00")
    floor, future = opened.floor, a_future(opened, "VX")
    floor.place(an_all_hours_order(future, str(floor.quote(future).ask), order_id=1))
    floor.advance(in_new_york(DAY, "23:59"))
    evening = len(floor.executions())
    floor.advance(in_new_york(NEXT, "00:00"))
    midnight = len(floor.executions())
    floor.place(an_all_hours_order(future, str(floor.quote(future).ask), order_id=2))
    floor.advance(in_new_york(NEXT, "10:00"))

    assert (evening, midnight) == (1, 0)
    assert [each.order.order_id for each, _ in floor.executions()] == [2]
    assert [each.order.order_id for each in floor.completed_orders()] == [2]


def test_a_leap_over_days_ends_orders_at_their_own_time() -> None:
    """Time jumps from noon to the day after next: what was good until the evening ends at that step and no earlier."""
    moments = [OPENS_AT + timedelta(hours=2)]
    settings = SimulatorSettings(scenario="calm", start=DAY, sessions=3, tick_s=60, model=WorldModel(night_step_s=60))
    opened = open_floor(settings, CALENDAR, clock=lambda: moments[0])
    opened.floor.advance(moments[0])
    until = in_new_york(DAY, "19:30")
    opened.floor.place(
        an_all_hours_order(a_future(opened, "VX"), "5.00", tif=Tif.GTD, good_till=until.astimezone(OPENS_AT.tzinfo))
    )
    heard = listened(opened)
    steps: list[tuple[datetime, int]] = []

    def note(event: object) -> None:
        if isinstance(event, StepPlayed):
            steps.append((event.at, len(opened.floor.open_orders())))

    opened.floor.listen(note)

    moments[0] += timedelta(days=2)
    opened.floor.advance(moments[0])

    assert [each.status for each in heard.of(OrderChanged)] == [VenueStatus.CANCELLED]
    assert next(at for at, working in steps if not working) == until


# Expiry


def test_an_expiring_series_does_not_trade_in_the_night_before_its_settlement() -> None:
    """VIX calls end on Tuesday at 17:00; a VX future trades until 09:00 on Wednesday; both settle at the opening."""
    tuesday = date(2026, 11, 17)
    opened = a_floor_with_nights(sessions=3, start=date(2026, 11, 16))
    floor, call, future = opened.floor, a_call(opened, settlement=NOVEMBER), a_future(opened, "VX")
    floor.advance(in_new_york(tuesday, "16:30"))
    curb = floor.phase(call)
    floor.place(an_all_hours_order(future, "5.00", tif=Tif.GTC))
    floor.advance(in_new_york(tuesday, "20:30"))
    evening = floor.phase(call), floor.phase(future)
    floor.advance(in_new_york(NOVEMBER, "09:00"))
    morning = floor.phase(future)
    resting = len(floor.open_orders())
    floor.advance(in_new_york(NOVEMBER, "09:30"))

    assert curb is Phase.EXTENDED
    assert evening == (Phase.CLOSED, Phase.EXTENDED)
    assert morning is Phase.CLOSED
    assert (resting, len(floor.open_orders())) == (1, 0)
