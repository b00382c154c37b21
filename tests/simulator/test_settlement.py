"""Settlement in cash at both ends of a day, and trading halts."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from floors import CALENDAR, SPY, a_floor, an_order, in_new_york, listened

from bot.domain.instrument import SPX, VIX, Instrument, Kind, Right
from simulator.books import BookPlan, StatedPosition
from simulator.expiry import is_due
from simulator.listing import ContractQuery
from simulator.opening import OpenedFloor, open_floor
from simulator.settings import SimulatorSettings
from simulator.venue import (
    BarRequest,
    Executed,
    OrderChanged,
    Phase,
    PositionChanged,
    PriceKind,
    Span,
    SpanUnit,
    Tif,
    VenueQuote,
    VenueStatus,
)
from simulator.world.market import WorldModel

FRIDAY = date(2026, 11, 20)
WEDNESDAY = date(2026, 11, 18)
SPXW_FRIDAY = a_floor().universe.option("SPXW", FRIDAY, Decimal(6800), Right.CALL)


def holding(*stated: StatedPosition, scenario: str, sessions: int = 5, nights: bool = False) -> OpenedFloor:
    """Return a floor from 16 November on, whose account holds some positions."""
    settings = SimulatorSettings(
        scenario=scenario,
        start=date(2026, 11, 16),
        sessions=sessions,
        tick_s=60,
        seed=3,
        book=BookPlan(condors=0, stated=stated),
        model=WorldModel(night_step_s=60 if nights else None),
    )
    return open_floor(settings, CALENDAR)


def an_option(trading_class: str, settlement: date, strike: int, right: Right, quantity: int = -2) -> StatedPosition:
    """Return a stated option position."""
    symbol = {"SPXW": "SPX", "RUTW": "RUT", "VIXW": "VIX"}.get(trading_class, trading_class)
    return StatedPosition(
        kind=Kind.OPTION,
        symbol=symbol,
        trading_class=trading_class,
        quantity=quantity,
        settlement=settlement,
        strike=Decimal(strike),
        right=right,
    )


def open_of(opened: OpenedFloor, day: date) -> int:
    """Return the number of a day among the sessions of a run."""
    return [session.day for session in opened.source.sessions].index(day)


def test_orders_in_what_has_settled_end() -> None:
    """A resting order of an expired contract is cancelled at its settlement, not before."""
    opened = holding(scenario="vix_expiry_week", sessions=3)
    session = opened.source.sessions[open_of(opened, WEDNESDAY)]
    call = opened.universe.option("VIX", WEDNESDAY, Decimal(12), Right.CALL)  # far in the money: 0.01 never trades
    opened.floor.advance(opened.source.sessions[0].opens_at)
    opened.floor.place(an_order(call, limit="0.01", tif=Tif.GTC))
    heard = listened(opened)

    opened.floor.advance(session.opens_at - timedelta(minutes=1))
    resting = opened.floor.open_orders()
    opened.floor.advance(session.opens_at)

    assert len(resting) == 1
    assert opened.floor.open_orders() == ()
    assert [each.status for each in heard.of(OrderChanged)][-1] is VenueStatus.CANCELLED


WEEKLY_FUTURE = date(2026, 11, 25)


@pytest.mark.parametrize("nights", [False, True], ids=["days", "nights"])
@pytest.mark.parametrize("quantity", [3, -2])
@pytest.mark.parametrize(
    ("trading_class", "settlement", "strike", "right", "afternoon"),
    [
        ("SPX", FRIDAY, 6500, Right.CALL, False),
        ("SPX", FRIDAY, 7100, Right.PUT, False),
        ("SPXW", FRIDAY, 6500, Right.CALL, True),
        ("SPXW", date(2026, 11, 18), 7100, Right.PUT, True),
        ("RUT", FRIDAY, 2300, Right.CALL, False),
        ("RUTW", FRIDAY, 2800, Right.PUT, True),
        ("VIX", WEDNESDAY, 12, Right.CALL, False),
        ("VIX", WEDNESDAY, 30, Right.PUT, False),
        ("VIXW", WEEKLY_FUTURE, 12, Right.CALL, False),
    ],
)
def test_an_option_settles_in_cash_at_the_end_of_its_day_that_its_class_has(
    trading_class: str, settlement: date, strike: int, right: Right, quantity: int, *, afternoon: bool, nights: bool
) -> None:
    """Cash moves by quantity x 100 x pay-off at the opening or at 16:00, no fee; position and orders are gone."""
    stated = an_option(trading_class, settlement, strike, right, quantity)
    opened = holding(stated, scenario="opex_week", sessions=8, nights=nights)
    floor, number = opened.floor, open_of(opened, settlement)
    path = opened.source.path(number)
    at = path.session.closes_at - timedelta(minutes=15) if afternoon else path.session.opens_at
    floor.advance(path.session.opens_at - timedelta(minutes=5))
    option = floor.positions()[0].instrument
    floor.place(an_order(option, limit="0.05" if trading_class != "VIXW" else "0.01", tif=Tif.GTC))
    floor.advance(at - timedelta(minutes=1))
    cash, held, resting = floor.account_state().cash_usd, floor.positions(), floor.open_orders()
    heard = listened(opened)

    floor.advance(at)

    level = Decimal(str(path.of(int((at - path.session.opens_at).total_seconds()) // path.step_s).of(stated.symbol)))
    payoff = max(Decimal(0), level - strike if right is Right.CALL else strike - level)
    assert [each.quantity for each in held] == [quantity]
    assert floor.positions() == ()
    assert floor.account_state().cash_usd - cash == quantity * 100 * payoff
    assert [each.quantity for each in heard.of(PositionChanged)] == [0]
    assert floor.open_orders() == ()
    assert [each.status for each in heard.of(OrderChanged)] == [VenueStatus.CANCELLED] * len(resting)


@pytest.mark.parametrize("trading_class", ["VX", "VXM"])
@pytest.mark.parametrize("quantity", [2, -1])
def test_a_future_settles_its_change_against_the_entry_at_the_opening(trading_class: str, quantity: int) -> None:
    """Cash moves by quantity x multiplier x (VIX at the opening - entry); until then it is open profit."""
    stated = StatedPosition(
        kind=Kind.FUTURE,
        symbol="VIX",
        trading_class=trading_class,
        quantity=quantity,
        settlement=WEDNESDAY,
        price=Decimal("21.35"),
    )
    opened = holding(stated, scenario="vix_expiry_week", sessions=3)
    session = opened.source.sessions[open_of(opened, WEDNESDAY)]
    opened.floor.advance(session.opens_at - timedelta(minutes=1))
    before = opened.floor.account_state()

    opened.floor.advance(session.opens_at)

    vix = Decimal(str(opened.source.path(open_of(opened, WEDNESDAY)).levels["VIX"][0]))
    after = opened.floor.account_state()
    multiplier = 1000 if trading_class == "VX" else 100
    assert after.cash_usd - before.cash_usd == quantity * multiplier * (vix - Decimal("21.35"))
    assert after.net_liquidation_usd == after.cash_usd
    assert opened.floor.positions() == ()


def test_a_contract_that_settled_over_a_gap_in_the_run_is_not_kept() -> None:
    """What was due on a day before the present one settles at the next opening, whatever its class."""
    assert is_due(SPXW_FRIDAY, FRIDAY + timedelta(days=3), afternoon=False)
    assert is_due(SPXW_FRIDAY, FRIDAY, afternoon=True)
    assert not is_due(SPXW_FRIDAY, FRIDAY, afternoon=False)
    assert not is_due(SPXW_FRIDAY, FRIDAY - timedelta(days=1), afternoon=True)


def test_an_expired_contract_is_no_longer_listed() -> None:
    """On the day after its last trading day it is not found, and an order for it is refused."""
    opened = holding(scenario="vix_expiry_week", sessions=4)
    call = opened.universe.option("VIX", WEDNESDAY, Decimal(20), Right.CALL)
    query = ContractQuery(symbol="VIX", sec_type="OPT", expiry="20261117", strike=20.0, right="C", trading_class="VIX")
    opened.floor.advance(opened.source.sessions[1].opens_at)
    tuesday = opened.floor.matching(query)
    opened.floor.advance(opened.source.sessions[2].opens_at)
    heard = listened(opened)
    opened.floor.place(an_order(call, limit="1.00"))

    assert len(tuesday) == 1
    assert opened.floor.matching(query) == ()
    assert heard.of(OrderChanged)[0].status is VenueStatus.REJECTED


def _in_the_halt() -> tuple[OpenedFloor, Instrument]:
    opened = a_floor(scenario="halt", sessions=2, tick_s=60)
    call = opened.universe.option("VIX", WEDNESDAY, Decimal(30), Right.CALL)
    for instrument in (call, VIX, SPY):
        opened.floor.watch(instrument)
    opened.floor.advance(opened.source.sessions[1].opens_at + timedelta(minutes=155))
    return opened, call


def test_a_halt_takes_all_sides_away_and_gives_them_back() -> None:
    """For fifteen minutes everything is halted and stands still, then trading goes on at another level."""
    opened, call = _in_the_halt()
    floor, session = opened.floor, opened.source.sessions[1]
    quote, level = floor.quote(call), floor.quote(SPX).last

    assert floor.phase(call) is floor.phase(SPY) is Phase.HALTED
    assert (quote.is_halted, quote.bid, quote.ask) == (True, None, None)
    floor.advance(session.opens_at + timedelta(minutes=164))
    assert floor.quote(SPX).last == level
    floor.advance(session.opens_at + timedelta(minutes=165))

    assert floor.phase(call) is Phase.REGULAR
    assert floor.quote(call).bid is not None
    assert floor.quote(SPX).last != level


def test_nothing_fills_during_a_halt() -> None:
    """An order far through the market rests until trading goes on, and fills then."""
    opened, call = _in_the_halt()
    heard = listened(opened)
    opened.floor.place(an_order(call, limit="20.00"))
    opened.floor.advance(opened.source.sessions[1].opens_at + timedelta(minutes=164))
    during = [each.filled for each in heard.of(OrderChanged)]

    opened.floor.advance(opened.source.sessions[1].opens_at + timedelta(minutes=170))

    assert set(during) <= {0}
    assert heard.of(OrderChanged)[-1].status is VenueStatus.FILLED
    assert not [each for each in heard.of(VenueQuote) if each.is_halted and each.bid is not None]


@pytest.mark.parametrize(
    ("name", "day"),
    [("early_close", date(2026, 11, 25)), ("vix_expiry_week", date(2026, 11, 16)), ("opex_week", date(2026, 11, 16))],
)
def test_a_story_about_the_calendar_begins_where_the_calendar_has_it(name: str, day: date) -> None:
    """The half day is the second session; settlement weeks begin on their Monday."""
    settings = SimulatorSettings(scenario=name, start=date(2026, 10, 26), sessions=3, tick_s=900)

    assert open_floor(settings, CALENDAR).source.sessions[0].day == day


def test_orders_of_a_half_day_end_with_its_early_close() -> None:
    """On the day after Thanksgiving shares end at 13:00, index options at 13:15, and so do the orders for the day."""
    opened = a_floor(scenario="early_close", sessions=3, tick_s=60)
    half = opened.source.sessions[1]
    call = opened.universe.option("VIX", date(2026, 12, 16), Decimal(12), Right.CALL)
    opened.floor.advance(half.opens_at)
    opened.floor.place(an_order(call, limit="0.01", order_id=1))
    opened.floor.place(an_order(SPY, limit="1.00", order_id=2))
    opened.floor.place(an_order(SPY, limit="1.00", order_id=3, tif=Tif.GTC))

    def working() -> list[int]:
        return [each.order.order_id for each in opened.floor.open_orders()]

    seen = []
    for text in ("12:59", "13:00", "13:14", "13:15"):
        opened.floor.advance(in_new_york(half.day, text))
        seen.append(working())

    assert half.day == date(2026, 11, 27)
    assert seen == [[1, 2, 3], [1, 3], [1, 3], [3]]
    assert opened.floor.phase(call) is Phase.CLOSED


def test_an_afternoon_class_settles_at_the_early_close_of_shares() -> None:
    """On a half day SPXW settles to the index at 13:00."""
    friday = date(2026, 11, 27)
    settings = SimulatorSettings(
        scenario="early_close",
        start=date(2026, 10, 26),
        sessions=3,
        tick_s=60,
        book=BookPlan(condors=0, stated=(an_option("SPXW", friday, 6500, Right.CALL, 1),)),
    )
    opened = open_floor(settings, CALENDAR)
    opened.floor.advance(in_new_york(friday, "12:59"))
    held = len(opened.floor.positions())
    opened.floor.advance(in_new_york(friday, "13:00"))

    assert (held, opened.floor.positions()) == (1, ())


def test_a_market_order_waits_out_a_halt_and_trades_first_after_it() -> None:
    """Placed at 12:05 in the halt it is filled at 12:15, at the ask of that very step; bids and stops wait as well."""
    opened, call = _in_the_halt()
    end = opened.source.sessions[1].opens_at + timedelta(minutes=165)
    heard = listened(opened)
    opened.floor.place(an_order(call))
    opened.floor.advance(end - timedelta(minutes=1))
    during = heard.of(Executed)

    opened.floor.advance(end)

    [fill] = heard.of(Executed)
    assert during == []
    assert (fill.at, fill.price) == (end, opened.floor.quote(call).ask)


def test_a_halt_leaves_no_ticks_and_bars_go_on_after_it() -> None:
    """Index levels stand still through the halt: each minute has one level."""
    opened, _ = _in_the_halt()
    opened.floor.advance(opened.source.sessions[1].opens_at + timedelta(minutes=170))
    begins = opened.source.sessions[1].opens_at + timedelta(minutes=150)
    minute, reach = Span(count=60, unit=SpanUnit.SECOND), Span(count=3600, unit=SpanUnit.SECOND)
    request = BarRequest(what=PriceKind.TRADES, width=minute, reach=reach, end=opened.floor.now())
    bars = [bar for bar in opened.floor.bars(SPX, request) if begins <= bar.at < begins + timedelta(minutes=15)]

    assert len(bars) == 15
    assert len({bar.close for bar in bars}) == 1
