"""The simulated world: levels, histories, scenarios, prices and quotes."""

import math
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from floors import CALENDAR, DAY, NOVEMBER, a_call, a_floor, a_future
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.domain.errors import InvalidValueError
from bot.domain.instrument import RVX, VIX, Instrument, Right
from bot.domain.schedule import Session
from bot.pricing import black76_price
from simulator.venue import VenueQuote
from simulator.world.curve import spot_weight, vix_forward
from simulator.world.history import HistorySource
from simulator.world.levels import SYMBOLS, DailyLevel, Levels, SessionPath, steps_of
from simulator.world.market import Market, WorldModel
from simulator.world.quotes import QUOTE_RULES, points, two_sided
from simulator.world.scenarios import BASELINE_SESSIONS, ScenarioSource
from simulator.world.scripts import SCENARIOS

_OPENED = a_floor()
LEVELS = Levels(spx=6800.0, rut=2500.0, vix=18.0, rvx=23.5)


def a_market(**changes: float) -> Market:
    """Return the market at the open of `DAY`."""
    levels = Levels(**({"spx": 6800.0, "rut": 2500.0, "vix": 18.0, "rvx": 23.5} | changes))
    return Market(at=_session(DAY).opens_at, levels=levels, model=WorldModel())


def _session(day: date) -> Session:
    session = CALENDAR.session(day)
    assert session is not None
    return session


# Levels


def test_a_whole_session_has_its_steps_and_ends_at_the_close() -> None:
    """1,621 moments at 15 s; the last is the close even where the step does not divide the day."""
    session = _session(DAY)
    steps = steps_of(session, 1000)
    path = SessionPath(session=session, step_s=1000, levels=dict.fromkeys(SYMBOLS, (1.0,) * steps))

    assert steps_of(session, 15) == 1621
    assert (path.at(0), path.at(steps - 1)) == (session.opens_at, session.closes_at)


@given(
    st.sampled_from([7, 15, 60, 1000]), st.integers(-4000, 30_000), st.integers(-4000, 30_000), st.sampled_from([0, 50])
)
@example(7, 24_301, 24_310, 0)  # after the close, which is no multiple of the step
def test_the_steps_between_two_moments_are_those_whose_moment_lies_there(
    step_s: int, start_s: int, end_s: int, stated: int
) -> None:
    """Both ends count, whatever the step, and where moments are stated one by one."""
    session = _session(DAY)
    moments = tuple(session.opens_at + timedelta(seconds=7 * step * step) for step in range(stated))
    steps = len(moments) or steps_of(session, step_s)
    path = SessionPath(session=session, step_s=step_s, levels=dict.fromkeys(SYMBOLS, (1.0,) * steps), moments=moments)
    start, end = (session.opens_at + timedelta(seconds=each) for each in (start_s, end_s))

    found = path.between(start, end)

    assert list(found) == [step for step in range(steps) if start <= path.at(step) <= end]


def test_a_path_must_fill_its_session() -> None:
    """A series that is too short is refused with both numbers."""
    with pytest.raises(InvalidValueError, match="expected 1621 steps, found 1"):
        SessionPath(session=_session(DAY), step_s=15, levels=dict.fromkeys(SYMBOLS, (1.0,)))


@pytest.mark.parametrize("level", [0.0, -1.0, float("nan"), float("inf")])
def test_levels_are_positive(level: float) -> None:
    """Only RVX may be missing."""
    with pytest.raises(InvalidValueError, match="vix"):
        Levels(spx=6800.0, rut=2500.0, vix=level, rvx=23.5)
    assert math.isnan(Levels(spx=6800.0, rut=2500.0, vix=18.0, rvx=float("nan")).of("RVX"))


# Scenarios


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_scenario_repeats_itself_from_its_seed(name: str) -> None:
    """The same seed gives the same levels, another seed others; all are positive and published to the hundredth."""
    one, same, other = (
        ScenarioSource(name=name, calendar=CALENDAR, start=DAY, count=2, seed=seed) for seed in (7, 7, 8)
    )

    assert one.path(1).levels == same.path(1).levels
    assert one.path(1).levels != other.path(1).levels
    for series in one.path(0).levels.values():
        assert all(level > 0 and round(level, 2) == level for level in series)


def test_sessions_follow_each_other_without_a_gap_in_the_levels() -> None:
    """SPX opens where it closed, and the closes before the first session end the day before."""
    source = ScenarioSource(name="blowout", calendar=CALENDAR, start=DAY, count=5, seed=7)

    assert [session.day for session in source.sessions] == [DAY + timedelta(days=days) for days in range(5)]
    assert source.prior["VIX"][-1].day == date(2026, 10, 16)
    for index in range(4):
        assert source.path(index + 1).levels["SPX"][0] == pytest.approx(source.path(index).levels["SPX"][-1], rel=0.005)


@pytest.mark.parametrize("seed", range(1, 8))
def test_the_blowout_widens_the_spread_over_its_mean_and_narrows_it_again(seed: int) -> None:
    """Against the 90 closes before each session the excess is small, then above 0.40, and small at the end."""
    source = ScenarioSource(name="blowout", calendar=CALENDAR, start=DAY, count=5, seed=seed)
    spreads = [rvx.close - vix.close for rvx, vix in zip(source.prior["RVX"], source.prior["VIX"], strict=True)]
    closing = []
    for index in range(5):
        levels = source.path(index).levels
        spread = levels["RVX"][-1] - levels["VIX"][-1]
        closing.append(spread / (sum(spreads[-BASELINE_SESSIONS:]) / BASELINE_SESSIONS) - 1.0)
        spreads.append(spread)

    assert abs(closing[0]) < 0.1
    assert min(closing[1:4]) > 0.40
    assert abs(closing[4]) < 0.1


def test_an_unknown_scenario_is_refused_with_the_known_ones() -> None:
    """The error helps whoever mistyped."""
    with pytest.raises(InvalidValueError, match="calm, blowout"):
        ScenarioSource(name="storm", calendar=CALENDAR, start=DAY, count=1, seed=7)


# Histories


def a_history(days: int = 8, **rows: dict[date, DailyLevel]) -> dict[str, tuple[DailyLevel, ...]]:
    """Return closes of the sessions before and from `DAY` on, with ranges for VIX and RVX; ``rows`` replace some."""
    sessions = [each.day for each in CALENDAR.sessions(DAY - timedelta(days=7), DAY + timedelta(days=days))]
    history: dict[str, tuple[DailyLevel, ...]] = {}
    for symbol, level in (("SPX", 6800.0), ("RUT", 2500.0), ("VIX", 18.0), ("RVX", 23.5)):
        wide = {"open": level * 1.01, "high": level * 1.05, "low": level * 0.96} if symbol in {"VIX", "RVX"} else {}
        plain = {
            day: DailyLevel(day=day, close=level + 0.25 * (number % 3), **wide) for number, day in enumerate(sessions)
        }
        history[symbol] = tuple((plain | rows.get(symbol, {})).values())
    return history


@pytest.mark.parametrize("seed", range(5))
def test_a_bridge_touches_open_high_low_and_close_and_stays_within(seed: int) -> None:
    """Where a day's range is known the path begins at the open, ends at the close, and its extremes are the day's."""
    history = a_history()
    source = HistorySource(history=history, calendar=CALENDAR, start=DAY, end=DAY, seed=seed)
    [day] = [row for row in history["VIX"] if row.day == DAY]

    series = source.path(0).levels["VIX"]

    assert (series[0], series[-1]) == (round(day.open or 0, 2), round(day.close, 2))
    assert (max(series), min(series)) == (round(day.high or 0, 2), round(day.low or 0, 2))


def test_a_history_of_closes_is_bridged_from_close_to_close() -> None:
    """SPX begins at the close before and stands at its own close for the last fifteen minutes."""
    history = a_history()
    source = HistorySource(history=history, calendar=CALENDAR, start=DAY, end=DAY, seed=1)
    closes = {row.day: row.close for row in history["SPX"]}

    series = source.path(0).levels["SPX"]

    assert series[0] == closes[date(2026, 10, 16)]
    assert set(series[-61:]) == {closes[DAY]}


def test_an_index_that_was_not_published_stays_away_for_the_day() -> None:
    """Without an RVX row there is no RVX that day, and the day leaves no RVX close."""
    history = a_history()
    history["RVX"] = tuple(row for row in history["RVX"] if row.day != DAY)
    source = HistorySource(history=history, calendar=CALENDAR, start=DAY, end=DAY, seed=1)

    path = source.path(0)

    assert all(math.isnan(level) for level in path.levels["RVX"])
    assert path.daily("RVX") is None
    assert path.daily("VIX") is not None


@pytest.mark.parametrize("symbol", ["SPX", "RUT", "VIX"])
def test_a_hole_in_a_history_is_refused_by_its_day(symbol: str) -> None:
    """The error names index and day."""
    history = a_history()
    history[symbol] = tuple(row for row in history[symbol] if row.day != DAY)

    with pytest.raises(InvalidValueError, match=f"{symbol}: no close for the session of 2026-10-19"):
        HistorySource(history=history, calendar=CALENDAR, start=DAY, end=DAY, seed=1)


def test_a_window_without_sessions_and_days_out_of_order_are_refused() -> None:
    """A weekend has no session; a day that follows itself is a mistake."""
    history = a_history()
    with pytest.raises(InvalidValueError, match="no session from"):
        HistorySource(history=history, calendar=CALENDAR, start=date(2026, 10, 17), end=date(2026, 10, 18), seed=1)
    history["VIX"] = (*history["VIX"], history["VIX"][-1])
    with pytest.raises(InvalidValueError, match="must ascend"):
        HistorySource(history=history, calendar=CALENDAR, start=DAY, end=DAY, seed=1)


# Prices


@given(st.floats(9.0, 80.0), st.floats(0.0, 400.0))
def test_a_forward_lies_between_spot_and_the_long_run(vix: float, days: float) -> None:
    """It leans from spot to 20 points, the more the later it settles."""
    forward = vix_forward(vix=vix, days=days)

    assert min(vix, 20.0) - 1e-9 <= forward <= max(vix, 20.0) + 1e-9
    assert 0.0 < spot_weight(days) <= 1.0
    assert spot_weight(days) >= spot_weight(days + 10.0)


@pytest.mark.parametrize("right", Right)
def test_an_option_is_worth_its_model_price_on_the_forward(right: Right) -> None:
    """The fair value of a VIX option is Black's on the VIX forward with the volatility told beside it."""
    market = a_market()
    option = _OPENED.universe.option("VIX", NOVEMBER, Decimal(22), right)
    term = market.vix_term(NOVEMBER)

    fair = market.fair(option)

    expected = black76_price(forward=term.forward, strike=22.0, years=term.years, vol=fair.vol, rate=0.04, right=right)
    assert fair.price == pytest.approx(expected)
    assert term.days == 30.0 + 1.0 / 24.0  # summer time ends in between


@settings(deadline=None)
@given(st.floats(10.0, 60.0), st.sampled_from([11, 15, 20, 30, 45]))
def test_calls_and_puts_keep_parity(vix: float, strike: int) -> None:
    """Call less put is the discounted forward less strike: both have one volatility."""
    market = a_market(vix=vix)
    term = market.vix_term(NOVEMBER)
    call, put = (market.fair(_OPENED.universe.option("VIX", NOVEMBER, Decimal(strike), right)).price for right in Right)

    assert call - put == pytest.approx(math.exp(-0.04 * term.years) * (term.forward - strike), abs=1e-9)


def test_calls_fall_with_their_strike() -> None:
    """The skew never makes a higher call dearer."""
    market = a_market()
    prices = [market.fair(each).price for each in _OPENED.universe.options("VIX", NOVEMBER) if each.right is Right.CALL]

    assert prices == sorted(prices, reverse=True)


def test_what_the_world_does_not_know_is_refused() -> None:
    """A contract without a model has no price."""
    future = a_future(_OPENED)
    foreign = Instrument(
        kind=future.kind,
        symbol="CL",
        trading_class="CL",
        exchange="NYMEX",
        settlement=future.settlement,
        last_trade=future.last_trade,
    )

    with pytest.raises(InvalidValueError, match="no price for it"):
        a_market().fair(foreign)


# Quotes


@given(st.sampled_from(sorted(QUOTE_RULES)), st.floats(0.0, 300.0), st.integers(0, 10**9), st.integers(0, 2000))
def test_a_quote_stands_on_the_grid_around_the_fair_value(name: str, price: float, seed: int, step: int) -> None:
    """The bid is at or below, the ask above; both lie on the tick of their price; sizes are within the rule."""
    rule = QUOTE_RULES[name]

    quote = two_sided(rule, price, seed=seed, step=step)

    bid, ask = points(quote.bid_cents), points(quote.ask_cents)
    assert float(bid) <= price + 1e-6
    assert float(ask) >= price - 1e-6
    assert 0 <= bid < ask
    assert bid % rule.tick_at(bid) == 0
    assert ask % rule.tick_at(ask) == 0
    assert rule.least_size <= quote.ask_size <= rule.most_size
    assert quote.bid_size == 0 if bid == 0 else rule.least_size <= quote.bid_size <= rule.most_size


def test_sizes_change_in_blocks_and_not_at_each_step() -> None:
    """A size stays for forty steps, then moves, and another contract's moves at another step."""
    rule = QUOTE_RULES["VIX"]

    def moves(seed: int) -> list[int]:
        sizes = [two_sided(rule, 1.5, seed=seed, step=step).ask_size for step in range(240)]
        return [step for step, (one, other) in enumerate(pairwise(sizes), start=1) if one != other]

    assert len(moves(3)) > 3
    assert all(step % 40 == moves(3)[0] % 40 for step in moves(3))
    assert not set(moves(3)) & set(moves(8))


def test_quotes_are_told_by_levels_for_indices_and_by_sides_for_contracts() -> None:
    """An index has a last and a close, a contract two sides and, for options, the model's numbers."""
    opened = a_floor()
    opened.floor.advance(_session(DAY).opens_at)
    index, call, future = (opened.floor.quote(each) for each in (RVX, a_call(opened), a_future(opened)))

    assert isinstance(index, VenueQuote)
    assert (index.bid, index.ask) == (None, None)
    assert (index.last, index.close) == (opened.floor.market.levels.rvx, opened.source.prior["RVX"][-1].close)
    assert call.model_iv is not None
    assert future.model_iv is None
    assert future.underlying_price == pytest.approx(float((future.bid or 0) + (future.ask or 0)) / 2, abs=0.05)
    assert opened.floor.quote(VIX).last == opened.floor.market.levels.vix
