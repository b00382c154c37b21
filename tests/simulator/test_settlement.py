"""Settlement in cash at both ends of a day, and trading halts."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from floors import CALENDAR, a_floor, an_order, listened

from bot.domain.instrument import SPX, VIX, Instrument, Kind, Right
from simulator.books import BookPlan, StatedPosition
from simulator.catalogue import BY_CLASS
from simulator.opening import OpenedFloor, open_floor
from simulator.settings import SimulatorSettings
from simulator.venue import OrderChanged, Phase, PositionChanged, Tif, VenueQuote, VenueStatus

FRIDAY = date(2026, 11, 20)
WEDNESDAY = date(2026, 11, 18)
SPY = BY_CLASS[Kind.STOCK, "SPY"].instrument


def holding(*stated: StatedPosition, scenario: str, sessions: int = 5) -> OpenedFloor:
    """Return a floor from 16 November on, whose account holds some positions."""
    book = BookPlan(condors=0, stated=stated)
    settings = SimulatorSettings(
        scenario=scenario, start=date(2026, 11, 16), sessions=sessions, tick_s=60, book=book, seed=3
    )
    return open_floor(settings, CALENDAR)


def an_option(trading_class: str, settlement: date, strike: int, right: Right, quantity: int = -2) -> StatedPosition:
    """Return a stated option position."""
    symbol = {"SPXW": "SPX", "VIXW": "VIX"}.get(trading_class, trading_class)
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


def test_an_afternoon_class_settles_to_the_close_of_shares() -> None:
    """A short SPXW call in the money is taken out at the level of 16:00 and the cash pays for it."""
    opened = holding(an_option("SPXW", FRIDAY, 6500, Right.CALL), scenario="opex_week")
    session = opened.source.sessions[open_of(opened, FRIDAY)]
    opened.floor.advance(session.closes_at - timedelta(minutes=16))
    before = opened.floor.account_state().cash_usd
    held = opened.floor.positions()
    heard = listened(opened)

    opened.floor.advance(session.closes_at)

    close = Decimal(str(opened.source.path(open_of(opened, FRIDAY)).levels["SPX"][-1]))
    assert [each.quantity for each in held] == [-2]
    assert opened.floor.positions() == ()
    assert [each.quantity for each in heard.of(PositionChanged)] == [0]
    assert opened.floor.account_state().cash_usd - before == -2 * 100 * (close - 6500)


def test_a_morning_class_settles_to_the_opening() -> None:
    """A long SPX put out of the money is worth nothing at the opening of the third Friday."""
    opened = holding(an_option("SPX", FRIDAY, 5000, Right.PUT, quantity=3), scenario="opex_week")
    session = opened.source.sessions[open_of(opened, FRIDAY)]
    opened.floor.advance(session.opens_at - timedelta(minutes=1))
    held, cash = opened.floor.positions(), opened.floor.account_state().cash_usd

    opened.floor.advance(session.opens_at)

    assert len(held) == 1
    assert (opened.floor.positions(), opened.floor.account_state().cash_usd) == ((), cash)


def test_volatility_contracts_settle_to_the_opening_of_their_wednesday() -> None:
    """A VIX call and a VX future end at the VIX of the opening: the call pays its excess, the future its change."""
    future = StatedPosition(
        kind=Kind.FUTURE, symbol="VIX", trading_class="VX", quantity=1, settlement=WEDNESDAY, price=Decimal(20)
    )
    opened = holding(
        an_option("VIX", WEDNESDAY, 15, Right.CALL, quantity=4), future, scenario="vix_expiry_week", sessions=3
    )
    session = opened.source.sessions[open_of(opened, WEDNESDAY)]
    opened.floor.advance(session.opens_at - timedelta(minutes=1))
    cash = opened.floor.account_state().cash_usd

    opened.floor.advance(session.opens_at)

    vix = Decimal(str(opened.source.path(open_of(opened, WEDNESDAY)).levels["VIX"][0]))
    assert opened.floor.positions() == ()
    assert opened.floor.account_state().cash_usd - cash == 4 * 100 * (vix - 15) + 1000 * (vix - 20)


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
