"""The named grid and what it does to contracts: known prices, boundaries, and what holds for every book."""

import math
from collections.abc import Mapping
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.errors import InvalidValueError
from bot.domain.instrument import SPX, VIX, Instrument, Kind, Right
from bot.domain.portfolio import Position
from bot.domain.snapshot import Snapshot
from bot.pricing import DAYS_PER_YEAR, black76_price, future_mean_reversion_loss, vix_beta
from bot.valuation import Unvalued, ValuationSettings, Valued, Valuer
from risk.stress import (
    GRID,
    MEAN_REVERSION,
    Outcome,
    Scenario,
    StressReport,
    StressSettings,
    book_stress,
    stress_of,
    units_stress,
)
from tests.builders import (
    DECEMBER,
    NOVEMBER,
    Scenery,
    a_book,
    a_future,
    a_quote,
    an_option,
    buys,
    sells,
    spread_legs,
    vix_call,
)
from tests.risk.scenes import calm_noon, scenery, with_book

SETTINGS = StressSettings()
BY_NAME = {scenario.name: place for place, scenario in enumerate(GRID)}
CALL = vix_call(21)
RATES = ValuationSettings()


def _valuer(snapshot: Snapshot | None = None) -> Valuer:
    return Valuer(calm_noon() if snapshot is None else snapshot, RATES)


def _valued(instrument: Instrument, snapshot: Snapshot | None = None) -> Valued:
    valued = _valuer(snapshot).value(instrument)
    assert isinstance(valued, Valued), valued
    return valued


def _stress(held: Mapping[Instrument, int], snapshot: Snapshot | None = None) -> StressReport:
    report = stress_of(held.items(), _valuer(snapshot), SETTINGS)
    assert isinstance(report, StressReport), report
    return report


def _outcome(name: str, held: Mapping[Instrument, int], snapshot: Snapshot | None = None) -> Outcome:
    return _stress(held, snapshot).outcomes[BY_NAME[name]]


def _reference() -> StressReport:
    report = book_stress(calm_noon().book.positions, _valuer(), SETTINGS)
    assert isinstance(report, StressReport)
    return report


# the grid ---------------------------------------------------------------------------------------------------------


def test_the_grid_is_the_methodologys() -> None:
    """Every move of M11 stands in the grid, once, and mean reversion is SPX +2.5 % with VIX down a quarter."""
    moves = [(one.spx_frac, one.vix_points, one.vix_frac, one.vol_factor) for one in GRID]
    assert moves == [
        (-0.20, 40.0, 0.0, 1.3),
        (-0.10, 20.0, 0.0, 1.25),
        (-0.05, 10.0, 0.0, 1.2),
        (-0.03, 5.0, 0.0, 1.1),
        (-0.20, 0.0, 0.0, 1.0),
        (-0.10, 0.0, 0.0, 1.0),
        (-0.05, 0.0, 0.0, 1.0),
        (-0.07, 3.0, 0.0, 1.0),
        (-0.20, 0.0, -0.25, 0.9),
        (0.0, 0.0, -0.25, 0.9),
        (0.025, 0.0, -0.25, 0.9),
        (0.05, -4.0, 0.0, 0.9),
        (0.10, -5.0, 0.0, 0.9),
        (0.10, 5.0, 0.0, 1.0),
    ]
    assert GRID.index(MEAN_REVERSION) == 10
    assert len(BY_NAME) == len(GRID)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"name": ""}, "name"),
        ({"spx_frac": -1.0}, r"^1 \+ spx_frac must be"),
        ({"spx_frac": math.nan}, r"^1 \+ spx_frac must be"),
        ({"vix_frac": -1.0}, r"^1 \+ vix_frac must be"),
        ({"vix_points": math.inf}, "vix_points"),
        ({"vol_factor": 0.0}, "vol_factor"),
        ({"vix_points": 3.0, "vix_frac": 0.1}, "state one"),
    ],
)
def test_a_move_that_no_market_makes_is_no_scenario(changes: dict[str, object], named: str) -> None:
    """Nothing falls by its whole value or more, and VIX moves in one way."""
    whole: dict[str, object] = {"name": "test", "spx_frac": 0.0, **changes}
    with pytest.raises(InvalidValueError, match=named):
        Scenario(**whole)  # type: ignore[arg-type]  # wrong values on purpose


def test_vix_may_move_by_points_or_by_a_fraction() -> None:
    """Either alone is a scenario."""
    by_points = Scenario(name="points", spx_frac=0.0, vix_points=3.0)
    by_fraction = Scenario(name="fraction", spx_frac=0.0, vix_frac=0.5)
    assert (by_points.vix_after(20.0, 5.0), by_fraction.vix_after(20.0, 5.0)) == (23.0, 30.0)


@pytest.mark.parametrize(
    ("vix", "name", "after"),
    [
        (18.0, "crash", 58.0),
        (18.0, "mean reversion", 13.5),
        (12.0, "strong rally", 7.0),
        (9.5, "strong rally", 5.0),
        (6.0, "mean reversion", 5.0),
        (4.0, "mean reversion", 4.0),
        (4.0, "crash", 44.0),
    ],
)
def test_vix_falls_to_its_floor_and_no_further(vix: float, name: str, after: float) -> None:
    """A fall ends at 5 points, or where VIX stands below them already; a rise knows no floor."""
    assert GRID[BY_NAME[name]].vix_after(vix, SETTINGS.vix_floor_points) == pytest.approx(after)


@pytest.mark.parametrize("name", ["horizon_days", "vix_floor_points", "vix_tenor_days"])
@pytest.mark.parametrize("value", [0.0, -1.0, math.nan, math.inf])
def test_settings_that_price_nothing_are_refused(name: str, value: float) -> None:
    """Horizon, floor and term are positive numbers."""
    with pytest.raises(InvalidValueError, match=name):
        StressSettings(**{name: value})


def test_an_outcome_is_a_number() -> None:
    """A gain that is no number is refused where it is made."""
    for name in ("condors_usd", "sleeve_usd"):
        figures = {"condors_usd": 0.0, "sleeve_usd": 0.0, name: math.nan}
        with pytest.raises(InvalidValueError, match=f"^{name} must be"):
            Outcome(scenario=MEAN_REVERSION, **figures)


# contracts --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scenario", GRID, ids=lambda scenario: scenario.name)
def test_a_future_moves_by_beta_times_the_move_of_vix(scenario: Scenario) -> None:
    """A long mini gains 100 USD times beta(T) times the points by which VIX moves, and nothing else."""
    mini = a_future("VXM")
    move = scenario.vix_after(18.0, SETTINGS.vix_floor_points) - 18.0
    outcome = _outcome(scenario.name, {mini: 1})
    assert outcome.sleeve_usd == pytest.approx(100 * vix_beta(_valued(mini).days) * move)
    assert outcome.condors_usd == 0.0


def test_a_futures_loss_in_mean_reversion_is_the_one_that_the_cost_cap_reserves() -> None:
    """M9 and M11 say the same of one future."""
    valued = _valued(a_future("VX"))
    loss = future_mean_reversion_loss(vix=18.0, days=valued.days, multiplier=1000)
    assert _outcome("mean reversion", {a_future("VX"): 1}).sleeve_usd == pytest.approx(-loss)


def test_a_vix_call_is_priced_anew_a_day_later() -> None:
    """In the crash a call is worth Black-76 at the moved forward, 1.3 times its volatility, and a day less."""
    valued = _valued(CALL)
    price = black76_price(
        forward=valued.forward + vix_beta(valued.days) * 40.0,
        strike=21.0,
        years=(valued.days - 1.0) / DAYS_PER_YEAR,
        vol=1.3 * valued.vol,
        rate=RATES.rate,
        right=Right.CALL,
    )
    assert _outcome("crash", {CALL: 2}).sleeve_usd == pytest.approx(200 * (price - valued.price))


def test_an_spx_put_is_priced_anew_a_day_later() -> None:
    """In the severe fall a lone short put is worth Black-76 at 90 % of SPX, its volatility moved with VIX."""
    put = scenery().opening.condors[0].short_put
    alone = replace(calm_noon(), book=a_book(positions={put: -1}), universe={})
    valued = _valued(put)
    years = (valued.days - 1.0) / DAYS_PER_YEAR
    price = black76_price(
        forward=0.9 * 6800.0 * math.exp((RATES.rate - RATES.dividend_yield) * years),
        strike=float(put.strike or 0),
        years=years,
        vol=valued.vol * (38.0 / 18.0) ** math.sqrt(30.0 / valued.days),
        rate=RATES.rate,
        right=Right.PUT,
    )
    outcome = _outcome("severe fall", {put: -1}, alone)
    assert outcome.condors_usd == pytest.approx(-100 * (price - valued.price))
    assert outcome.sleeve_usd == 0.0


@pytest.mark.parametrize("name", [one.name for one in GRID if "unmoved" in one.name])
def test_where_vix_stands_still_a_hedge_loses_a_day(name: str) -> None:
    """VIX unmoved and its volatility kept: a call loses its time value of one day alone."""
    assert _outcome(name, {CALL: 1}).sleeve_usd == pytest.approx(_valued(CALL).theta_usd_per_day, rel=0.05)


@pytest.mark.parametrize(("strike", "vix"), [(19, 20.0), (30, 20.0)])
def test_on_its_last_day_an_option_is_worth_what_it_pays(strike: float, vix: float) -> None:
    """With less than a day left the option settles within the horizon: its price after the move is intrinsic."""
    call, future = vix_call(strike, date(2026, 10, 21)), a_future("VX", date(2026, 10, 21))
    snapshot = replace(
        calm_noon(),
        levels={SPX.key: 6800.0, VIX.key: vix},
        quotes={
            call.key: a_quote(call, 0.90, 1.10) if strike == 19 else a_quote(call, 0.02, 0.03),
            future.key: a_quote(future, 19.5, 19.6),
        },
    )
    forward = _valued(future, snapshot).price + vix_beta(0.9) * 10.0
    gain = max(0.0, forward - strike) - _valued(call, snapshot).price
    assert _outcome("sharp fall", {call: 1}, snapshot).sleeve_usd == pytest.approx(100 * gain, rel=1e-3)


def test_what_has_settled_gains_nothing_and_needs_no_quote() -> None:
    """A contract past its settlement, and one of which none is meant, count nothing in every scenario."""
    gone, none = vix_call(20, calm_noon().now.date()), vix_call(99)
    assert {(one.condors_usd, one.sleeve_usd) for one in _stress({gone: 7, none: 0}).outcomes} == {(0.0, 0.0)}


def test_a_forward_falls_to_the_floor_and_no_further() -> None:
    """A forward so low that beta times the fall would take it below 5 points stops there."""
    future = a_future("VX")
    low = {future.key: a_quote(future, 5.50, 5.55)}
    snapshot = replace(calm_noon(), quotes={**calm_noon().quotes, **low})
    assert _outcome("mean reversion", {future: 1}, snapshot).sleeve_usd == pytest.approx(1000 * (5.0 - 5.525))


# what is unknown --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("index", [SPX, VIX])
def test_without_a_level_nothing_is_known_of_a_condor(index: Instrument) -> None:
    """An SPX option needs SPX for its forward and VIX for its volatility."""
    levels = {key: level for key, level in calm_noon().levels.items() if key != index.key}
    put = scenery().opening.condors[0].short_put
    report = stress_of([(put, -1)], _valuer(replace(calm_noon(), levels=levels)), SETTINGS)
    assert report == Unvalued(reason=f"{index.key}: no level")


def test_one_unknown_contract_makes_the_book_unknown() -> None:
    """A leg without a quote is never left out of the sum."""
    leg = calm_noon().book.condors[0].long_put
    quotes = {key: quote for key, quote in calm_noon().quotes.items() if key != leg.key}
    report = book_stress(calm_noon().book.positions, _valuer(replace(calm_noon(), quotes=quotes)), SETTINGS)
    assert report == Unvalued(reason=f"{leg.key}: no quote")


def test_what_else_the_account_holds_is_no_part_of_the_book() -> None:
    """Shares beside the condors change nothing."""
    shares = Instrument(kind=Kind.STOCK, symbol="SGOV", trading_class="SGOV", exchange="ARCA")
    more = {**calm_noon().book.positions, shares.key: Position(instrument=shares, quantity=900)}
    assert book_stress(more, _valuer(), SETTINGS) == _reference()


# the reference book -----------------------------------------------------------------------------------------------


def test_the_reference_book_shows_what_the_sleeve_is_for() -> None:
    """In the crash the sleeve pays for most of the condors; where VIX does not follow, they lose all they can."""
    report = _reference()
    crash, silent = report.outcomes[0], report.outcomes[BY_NAME["crash, VIX unmoved"]]
    most = float(calm_noon().book.cohorts[0].maximum_loss_usd)
    assert crash.sleeve_usd > 0.6 * -crash.condors_usd > 0
    assert 0.95 * most < -silent.condors_usd < 1.01 * most
    assert report.mean_reversion.sleeve_usd == pytest.approx(-920, rel=0.15)


def test_each_expiry_moves_by_its_own_forward_and_term() -> None:
    """Two puts of different months together lose what each of them loses by itself, whichever is asked for first."""
    months = [an_option(6500, day, trading_class="SPXW", right=Right.PUT) for day in (date(2026, 11, 20), DECEMBER)]
    snapshot = scenery().snapshot(book=a_book(positions=dict.fromkeys(months, -1)))
    near, far = (stress_of([(one, -1)], _valuer(snapshot), SETTINGS) for one in months)
    assert isinstance(near, StressReport)
    assert isinstance(far, StressReport)
    assert near.condors_usd != far.condors_usd
    for pair in (months, months[::-1]):
        both = stress_of([(one, -1) for one in pair], _valuer(snapshot), SETTINGS)
        assert isinstance(both, StressReport)
        assert both.condors_usd == pytest.approx(near.plus(far).condors_usd)


def test_the_worst_scenario_is_the_one_with_the_largest_loss() -> None:
    """It is the crash in which VIX falls, and no other outcome is below it."""
    report = _reference()
    assert report.worst.scenario.name == "crash, VIX down"
    assert all(report.worst.book_usd <= outcome.book_usd for outcome in report.outcomes)


@pytest.mark.parametrize(
    ("name", "vix", "spx_factor"),
    [("fall, VIX sluggish", 21.0, 0.93), ("sharp fall", 28.0, 0.95), ("crash", 58.0, 0.80), ("rally", 14.0, 1.05)],
)
def test_the_volatility_rule_agrees_with_the_simulated_market(name: str, vix: float, spx_factor: float) -> None:
    """A market repriced after the move, whose smile goes along with SPX, loses as much within a tenth."""
    before, after = Scenery(condors=10), Scenery(condors=10, vix=vix, spx=6800.0 * spx_factor)
    condor = before.opening.condors[0]
    quantities = dict(zip(condor.legs, (10, -10, -10, 10), strict=True))
    repriced = sum(
        quantity * 100 * (after.market.fair(leg).price - before.market.fair(leg).price)
        for leg, quantity in quantities.items()
    )
    assert _outcome(name, quantities).condors_usd == pytest.approx(repriced, rel=0.10)


# properties -------------------------------------------------------------------------------------------------------

CONTRACTS = st.sampled_from(
    [vix_call(18), CALL, vix_call(26), a_future("VX"), a_future("VXM"), *scenery().opening.condors[0].legs]
)
BOOKS = st.dictionaries(CONTRACTS, st.integers(-20, 20), max_size=6)


@pytest.mark.parametrize(
    ("sleeve", "why"),
    [
        ((0.0,) * 13, "14 scenarios for condors and for sleeve"),
        ((0.0,) * 13 + (math.inf,), "finite figures only"),
        ((0.0,) * 13 + (math.nan,), "finite figures only"),
    ],
)
def test_a_report_of_another_grid_or_without_figures_is_none(sleeve: tuple[float, ...], why: str) -> None:
    """Every scenario has a finite figure, else nothing could be compared with it."""
    with pytest.raises(InvalidValueError, match=f"^a stress report holds {why}$"):
        StressReport(condors_usd=(0.0,) * 14, sleeve_usd=sleeve)


def test_an_empty_book_loses_nothing() -> None:
    """Without a contract every scenario is zero."""
    assert {outcome.book_usd for outcome in _stress({}).outcomes} == {0.0}


@given(book=BOOKS, factor=st.integers(-50, 50))
@settings(deadline=None)
def test_a_book_times_k_gains_k_times_as_much(book: dict[Instrument, int], factor: int) -> None:
    """Gains are linear in contracts, in every scenario and for both parts of the book."""
    scaled = _stress({one: factor * quantity for one, quantity in book.items()})
    for once, many, times in zip(
        _stress(book).outcomes, scaled.outcomes, _stress(book).times(factor).outcomes, strict=True
    ):
        assert many.condors_usd == pytest.approx(factor * once.condors_usd, abs=1e-6)
        assert many.sleeve_usd == pytest.approx(factor * once.sleeve_usd, abs=1e-6)
        assert times.book_usd == pytest.approx(many.book_usd, abs=1e-6)


@given(one=BOOKS, other=BOOKS)
@settings(deadline=None)
def test_two_books_together_gain_the_sum(one: dict[Instrument, int], other: dict[Instrument, int]) -> None:
    """Adding reports and adding books is the same, and losses alone are never above either."""
    both = {key: one.get(key, 0) + other.get(key, 0) for key in one.keys() | other.keys()}
    summed = _stress(one).plus(_stress(other))
    for found, expected, worst in zip(
        summed.outcomes, _stress(both).outcomes, summed.losses_alone().outcomes, strict=True
    ):
        assert found.book_usd == pytest.approx(expected.book_usd, abs=1e-6)
        assert worst.condors_usd == min(0.0, found.condors_usd)
        assert worst.sleeve_usd == min(0.0, found.sleeve_usd)


def _board(vix: float, forward: float, prices: Mapping[Instrument, float], settlement: date) -> Snapshot:
    """A market in which a future and some calls of one settlement are quoted at these prices."""
    future = a_future("VX", settlement)
    shown = {future: forward, **prices}
    quotes = {one.key: a_quote(one, price * 0.999, price * 1.001) for one, price in shown.items()}
    return replace(calm_noon(), levels={**calm_noon().levels, VIX.key: vix}, quotes=quotes)


@given(
    vix=st.floats(10.0, 80.0),
    basis=st.floats(0.8, 1.2),
    moneyness=st.floats(0.7, 1.6),
    vol=st.floats(0.4, 1.6),
    settlement=st.sampled_from([NOVEMBER, DECEMBER, date(2027, 5, 18)]),
)
@settings(deadline=None)
def test_a_long_vix_call_never_gains_in_mean_reversion(
    vix: float, basis: float, moneyness: float, vol: float, settlement: date
) -> None:
    """Its forward falls, its volatility falls, a day passes: each of them takes from it, and never more than it is."""
    forward = vix * basis
    call = vix_call(max(1.0, round(forward * moneyness)), settlement)
    days = (settlement - calm_noon().now.date()).days
    price = black76_price(
        forward=forward,
        strike=float(call.strike or 0),
        years=days / DAYS_PER_YEAR,
        vol=vol,
        rate=RATES.rate,
        right=Right.CALL,
    )
    snapshot = _board(vix, forward, {call: price}, settlement)
    if isinstance(_valuer(snapshot).value(call), Unvalued):
        return
    gained = _outcome("mean reversion", {call: 1}, snapshot).sleeve_usd
    assert -100 * _valued(call, snapshot).price - 1e-9 <= gained < 0.0


@given(
    vix=st.floats(12.0, 45.0),
    basis=st.floats(0.85, 1.15),
    vol=st.floats(0.5, 1.3),
    width=st.sampled_from([2, 3, 5, 10]),
    out=st.floats(1.0, 1.35),
    settlement=st.sampled_from([NOVEMBER, DECEMBER]),
)
@settings(deadline=None)
def test_a_debit_spread_helps_in_the_crash_and_loses_at_most_its_premium(
    vix: float, basis: float, vol: float, width: int, out: float, settlement: date
) -> None:
    """A call spread at or above its forward gains in the crash; in mean reversion it loses no more than it is worth."""
    forward = vix * basis
    strike = math.ceil(forward * out)
    long, short = vix_call(strike, settlement), vix_call(strike + width, settlement)
    days = (settlement - calm_noon().now.date()).days
    prices = {
        one: black76_price(
            forward=forward,
            strike=float(one.strike or 0),
            years=days / DAYS_PER_YEAR,
            vol=vol,
            rate=RATES.rate,
            right=Right.CALL,
        )
        for one in (long, short)
    }
    snapshot = _board(vix, forward, prices, settlement)
    report = units_stress([((buys(long), sells(short)), 3)], _valuer(snapshot), SETTINGS)
    if isinstance(report, Unvalued):
        return
    premium = 300 * (_valued(long, snapshot).price - _valued(short, snapshot).price)
    assert report.outcomes[0].book_usd > 0.0
    assert -premium - 1e-6 <= report.mean_reversion.sleeve_usd <= 1e-6


def test_units_count_their_legs_by_side_and_ratio() -> None:
    """Two spreads are two long and two short calls."""
    legs = spread_legs(21, 26)
    by_units = units_stress([(legs, 2)], _valuer(), SETTINGS)
    assert by_units == _stress({vix_call(21): 2, vix_call(26): -2})


@pytest.mark.parametrize("condors", [10, 40])
def test_the_default_book_keeps_its_limits(condors: int) -> None:
    """50,000 USD of net liquidation per condor: the worst scenario takes less than 5 %, mean reversion below 2 %."""
    held = with_book(calm_noon(condors)).book.positions
    report = book_stress(held, _valuer(calm_noon(condors)), SETTINGS)
    assert isinstance(report, StressReport)
    assert -report.worst.book_usd < 0.05 * 50_000 * condors
    assert -report.mean_reversion.sleeve_usd < 0.02 * 50_000 * condors


def test_a_lone_option_of_spx_counts_as_well() -> None:
    """SPX options that fit no condor are part of the book: an index put gains in the fall."""
    put = an_option(6500, date(2026, 12, 4), trading_class="SPXW", right=Right.PUT)
    snapshot = replace(calm_noon(), quotes={put.key: a_quote(put, 62.0, 62.4)})
    positions = a_book(positions={put: 1}).positions
    report = book_stress(positions, _valuer(snapshot), SETTINGS)
    assert isinstance(report, StressReport)
    assert report.outcomes[BY_NAME["severe fall"]].condors_usd > 0
