"""Properties of every named scenario, played over a floor."""

from bisect import bisect_left
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from floors import CALENDAR, DAY, SPY, a_call, a_floor, a_future

from bot.compose.serving import GatewayOptions
from bot.compose.worlds import world_of
from bot.domain.instrument import RVX, VIX, Instrument, Right
from simulator.gateway import FloorTime
from simulator.opening import OpenedFloor
from simulator.venue import Phase
from simulator.world.levels import SYMBOLS
from simulator.world.quotes import rule_of
from simulator.world.scripts import SCENARIOS

_LOOKS = 9
"""Moments of a session at which quotes are looked at, both ends left out."""


def some_contracts(opened: OpenedFloor) -> tuple[Instrument, ...]:
    """Return contracts near and far from the money, of every class with a rule of its own."""
    universe, spx = opened.universe, opened.source.path(0).of(0).spx
    friday = universe.spxw_fridays[-4]
    strikes = universe.strikes("SPXW")
    equity = tuple(
        universe.option("SPXW", friday, strikes[bisect_left(strikes, Decimal(spx * part))], right)
        for part, right in ((0.7, Right.PUT), (0.95, Right.PUT), (1.0, Right.CALL), (1.1, Right.CALL))
    )
    later = universe.vix_settlements[-3]
    calls = tuple(universe.option("VIX", later, strike, Right.CALL) for strike in universe.strikes("VIX")[::12])
    futures = tuple(each for each in universe.futures if each.settlement == later)
    return (SPY, *equity, *calls, *futures)


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_level_is_positive_and_published_to_the_hundredth(name: str) -> None:
    """SPX, RUT and VIX on every step; RVX where it is published, and what stands behind it where it is not."""
    source = a_floor(scenario=name, sessions=5, tick_s=60).source
    for number in range(len(source.sessions)):
        path = source.path(number)
        for symbol in SYMBOLS:
            series = path.levels[symbol]
            assert path.is_silent(symbol) or all(level > 0 and round(level, 2) == level for level in series)
        assert all(path.of(step).small_cap_vol > 0 for step in range(path.steps))


@pytest.mark.parametrize("name", SCENARIOS)
def test_quotes_stand_on_their_grid_uncrossed_and_within_bounds(name: str) -> None:
    """At nine moments of each session: bid below ask, both on the tick, as wide as the rule says and two ticks more."""
    opened = a_floor(scenario=name, sessions=4, tick_s=60)
    contracts = some_contracts(opened)
    looked = 0
    for session in opened.source.sessions:
        for part in range(1, _LOOKS + 1):
            opened.floor.advance(session.opens_at + (session.closes_at - session.opens_at) * part / (_LOOKS + 1))
            for each in contracts:
                looked += _is_sound(opened, each)

    assert looked > len(contracts) * _LOOKS


def _is_sound(opened: OpenedFloor, contract: Instrument) -> bool:
    """Check one quote; return whether there was one."""
    quote, phase, rule = opened.floor.quote(contract), opened.floor.phase(contract), rule_of(contract)
    if phase not in {Phase.REGULAR, Phase.EXTENDED}:
        assert (quote.bid, quote.ask) == (None, None)
        return False
    assert quote.ask is not None
    bid, tick = quote.bid or 0, rule.tick_at(quote.ask)
    fair = opened.floor.market.fair(contract).price
    half = max(rule.least_half_spread, rule.half_spread_frac * fair) * (2.0 if phase is Phase.EXTENDED else 1.0)
    assert bid < quote.ask
    assert quote.ask % tick == 0
    assert bid % rule.tick_at(bid or tick) == 0
    assert float(bid) - 1e-6 <= fair <= float(quote.ask) + 1e-6
    assert float(quote.ask - bid) <= 2.0 * half + 2.0 * float(tick) + 1e-6
    assert quote.ask_size > 0
    assert (quote.bid_size > 0) == (quote.bid is not None)
    return True


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_curve_of_vix_futures_leans_to_its_long_run(name: str) -> None:
    """In contango while VIX is below 20 points, inverted above: each later future lies nearer to 20."""
    opened = a_floor(scenario=name, sessions=4, tick_s=60)
    for session in opened.source.sessions:
        opened.floor.advance(session.opens_at + timedelta(hours=3))
        market = opened.floor.market
        curve = (each for each in opened.universe.futures if each.trading_class == "VX")
        futures = [each for each in curve if each.last_trade is not None and each.last_trade > session.day]
        distances = [abs(market.fair(each).price - 20.0) for each in futures]

        assert distances == sorted(distances, reverse=True)
        assert distances[0] <= abs(market.levels.vix - 20.0) + 1e-9


def test_without_rvx_its_index_is_silent_and_rut_options_are_priced_all_the_same() -> None:
    """From the second day on RVX has no level, no bar and no close of its own; RUT options keep their volatility."""
    opened = a_floor(scenario="vix_without_rvx", sessions=3, tick_s=60)
    floor = opened.floor
    floor.advance(opened.source.sessions[0].opens_at + timedelta(hours=1))
    published = floor.quote(RVX).last
    floor.advance(opened.source.sessions[2].opens_at + timedelta(hours=1))
    put = opened.universe.options("RUTW", opened.universe.spxw_fridays[4])[201]
    quote = floor.quote(put)

    assert published is not None
    assert floor.quote(RVX).last is None
    assert floor.quote(VIX).last is not None
    assert quote.ask is not None
    assert quote.model_iv is not None
    assert floor.market.levels.small_cap_vol > floor.market.levels.vix


def test_a_crash_takes_vix_to_sixty_and_the_curve_with_it() -> None:
    """On the third day VIX passes 60, the front future stands far above its long run, and quotes are wider."""
    opened = a_floor(scenario="crash", sessions=3, tick_s=60)
    floor, future, call = opened.floor, a_future(opened, "VX"), a_call(opened)
    floor.advance(opened.source.sessions[0].opens_at + timedelta(hours=1))
    calm = floor.quote(call)
    floor.advance(opened.source.sessions[2].opens_at + timedelta(hours=4))
    stressed = floor.quote(call)

    assert floor.market.levels.vix > 60
    assert floor.quote(future).bid > 40
    assert stressed.ask - stressed.bid > calm.ask - calm.bid


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_worlds_sessions_are_those_that_are_played(name: str) -> None:
    """A clock that begins with a world begins with its story, also where the story waits for its week."""
    options = GatewayOptions(scenario=name, start=DAY, sessions=3, tick_s=900).world
    world = world_of(options)
    first: datetime = world.sessions()[0].opens_at

    assert world.open(FloorTime(lambda: 0.0, first)).source.sessions == world.sessions()
    assert CALENDAR.session(world.sessions()[0].day) is not None
