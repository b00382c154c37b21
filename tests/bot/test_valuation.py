"""What contracts are worth and how they move; what is unknown, and why."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.errors import InvalidValueError
from bot.domain.instrument import SPX, VIX, Instrument, Kind, Right
from bot.domain.market import DataType, Quote
from bot.domain.portfolio import Position
from bot.domain.readings import SignalState
from bot.domain.schedule import NEW_YORK
from bot.domain.snapshot import Snapshot
from bot.pricing import vix_beta
from bot.valuation import (
    UnitValue,
    Unvalued,
    ValuationSettings,
    Valued,
    Valuer,
    days_to_settlement,
    feed_is_alive,
    quote_fault,
)
from tests.builders import (
    NOON,
    NOVEMBER,
    Scenery,
    a_future,
    a_quote,
    a_reading,
    an_option,
    buys,
    sells,
    spread_legs,
    vix_call,
)

SCENERY = Scenery(condors=10)
SETTINGS = ValuationSettings()
TERM = SCENERY.market.vix_term(NOVEMBER)


def _valuer(snapshot: Snapshot | None = None) -> Valuer:
    return Valuer(SCENERY.snapshot() if snapshot is None else snapshot, SETTINGS)


def _value(instrument: Instrument, snapshot: Snapshot | None = None) -> Valued:
    valued = _valuer(snapshot).value(instrument)
    assert isinstance(valued, Valued), valued
    return valued


def _reason(instrument: Instrument, snapshot: Snapshot) -> str:
    valued = _valuer(snapshot).value(instrument)
    assert isinstance(valued, Unvalued), valued
    return valued.reason


def _without(snapshot: Snapshot, *instruments: Instrument) -> Snapshot:
    gone = {instrument.key for instrument in instruments}
    return replace(snapshot, quotes={key: quote for key, quote in snapshot.quotes.items() if key not in gone})


# what contracts are worth -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("strike", [18, 20, 21, 24])
def test_a_vix_call_is_valued_as_the_market_made_it(strike: int) -> None:
    """From the rounded quote alone, forward, volatility and delta of the model come back."""
    valued, fair = _value(vix_call(strike)), SCENERY.market.fair(vix_call(strike))
    assert valued.forward == pytest.approx(TERM.forward, abs=0.05)
    assert valued.vol == pytest.approx(fair.vol, rel=0.03)
    assert valued.delta == pytest.approx(fair.delta, abs=0.02)
    assert valued.value_usd == pytest.approx(100 * fair.price, rel=0.05)
    assert valued.theta_usd_per_day < 0


def test_a_vix_call_moves_with_spot_by_its_delta_and_beta() -> None:
    """Moving spot VIX by a point changes the model's price by the exposure over a hundred (M2)."""
    call = vix_call(20)
    up, down = Scenery(condors=10, vix=18.5), Scenery(condors=10, vix=17.5)
    # the simulated volatility rises with VIX; exposure keeps volatility: compare forwards, where nothing else moves
    moved = up.market.vix_term(NOVEMBER).forward - down.market.vix_term(NOVEMBER).forward
    valued = _value(call)
    assert valued.exposure_usd_per_point == pytest.approx(100 * valued.delta * moved, rel=0.01)


def test_a_future_moves_one_to_one_with_its_forward() -> None:
    """A mini is 100 USD per point of its forward, so 100 beta per point of spot, and has no value of its own."""
    mini = _value(a_future("VXM"))
    assert (mini.delta, mini.vol, mini.value_usd) == (1.0, 0.0, 0.0)
    assert mini.exposure_usd_per_point == pytest.approx(100 * 0.536, rel=0.02)
    assert mini.usd_per_spx_percent == pytest.approx(100 * -0.72, rel=0.05)
    assert _value(a_future("VX")).exposure_usd_per_point == pytest.approx(10 * mini.exposure_usd_per_point)


def test_the_scale_of_the_spx_sensitivity_is_applied() -> None:
    """A market in which VIX answers SPX twice as strongly moves a hedge more for the same percent."""
    strong = Valuer(SCENERY.snapshot(), ValuationSettings(spx_sensitivity_scale=1.5)).value(a_future("VXM"))
    measured = Valuer(SCENERY.snapshot(sensitivity_scale=1.5), ValuationSettings()).value(a_future("VXM"))
    assert measured == strong
    assert isinstance(strong, Valued)
    assert strong.usd_per_spx_percent == pytest.approx(1.5 * _value(a_future("VXM")).usd_per_spx_percent)


def test_an_spx_option_moves_with_spx() -> None:
    """A condor's short put gains about 100 x 0.16 x 68 USD on one percent of SPX, and nothing per point of VIX."""
    put = SCENERY.opening.condors[0].short_put
    valued = _value(put)
    assert valued.usd_per_spx_percent == pytest.approx(-100 * 0.16 * 68, rel=0.1)
    assert valued.exposure_usd_per_point == 0.0


def test_the_reference_book_has_the_methodologys_delta() -> None:
    """Condors about -389, base about -249 USD per +1 % SPX (M10)."""
    book, valuer = SCENERY.book(), _valuer()
    spx, vix = 0.0, 0.0
    for position in book.positions.values():
        valued = valuer.value(position.instrument)
        assert isinstance(valued, Valued)
        if position.instrument.symbol == "SPX":
            spx += position.quantity * valued.usd_per_spx_percent
        else:
            vix += position.quantity * valued.usd_per_spx_percent
    assert spx == pytest.approx(-389, rel=0.15)
    assert vix == pytest.approx(-249, rel=0.15)


def test_a_unit_is_the_sum_of_its_legs() -> None:
    """A spread is its long call less its short one, in every figure."""
    legs = spread_legs(21, 26)
    unit, long, short = _valuer().unit(legs), _value(vix_call(21)), _value(vix_call(26))
    assert isinstance(unit, UnitValue)
    assert unit.price == pytest.approx(long.price - short.price)
    assert unit.exposure_usd_per_point == pytest.approx(long.exposure_usd_per_point - short.exposure_usd_per_point)
    assert unit.theta_usd_per_day == pytest.approx(long.theta_usd_per_day - short.theta_usd_per_day)


def test_a_unit_with_an_unknown_leg_is_unknown() -> None:
    """The reason is that of the leg."""
    unit = _valuer(_without(SCENERY.snapshot(), vix_call(26))).unit((buys(vix_call(21)), sells(vix_call(26))))
    assert unit == Unvalued(reason=f"{vix_call(26).key}: no quote")


# forwards ---------------------------------------------------------------------------------------------------------


def _forward(snapshot: Snapshot) -> float | Unvalued:
    return _valuer(snapshot).vix_forward(NOVEMBER)


def test_the_forward_comes_from_vx_then_from_the_mini() -> None:
    """VX first; the mini where VX is not quoted well."""
    snapshot = SCENERY.snapshot()
    vx, mini = SCENERY.quote(a_future("VX")), SCENERY.quote(a_future("VXM"))
    assert _forward(snapshot) == vx.mid
    assert _forward(_without(snapshot, a_future("VX"))) == mini.mid
    wide = replace(vx, bid=15.0)
    assert _forward(replace(snapshot, quotes={**snapshot.quotes, vx.key: wide})) == mini.mid


def test_without_futures_parity_gives_the_forward() -> None:
    """The pair of call and put that lie nearest together says where the forward is."""
    pairs = [an_option(strike, right=right) for strike in (17, 19, 22) for right in Right]
    universe = {option.key: option for option in pairs}
    quotes = {option.key: SCENERY.quote(option) for option in pairs}
    snapshot = replace(SCENERY.snapshot(), quotes=quotes, universe=universe)
    assert _forward(snapshot) == pytest.approx(TERM.forward, abs=0.05)


def test_parity_also_reads_what_is_held() -> None:
    """A held put and a call on offer at the same strike make a pair."""
    call, put = an_option(19), an_option(19, right=Right.PUT)
    book = SCENERY.book()
    positions = {**book.positions, put.key: Position(instrument=put, quantity=1)}
    quotes = {option.key: SCENERY.quote(option) for option in (call, put)}
    snapshot = replace(
        SCENERY.snapshot(book=replace(book, positions=positions)), quotes=quotes, universe={call.key: call}
    )
    assert _forward(snapshot) == pytest.approx(TERM.forward, abs=0.05)


def test_without_future_and_pair_there_is_no_forward() -> None:
    """Then no option of that settlement can be valued, and the reason says so."""
    snapshot = _without(SCENERY.snapshot(), a_future("VX"), a_future("VXM"))
    words = "no VIX forward for 2026-11-18: neither future nor a pair of options is quoted"
    assert _forward(snapshot) == Unvalued(reason=words)
    assert _reason(vix_call(21), snapshot) == words


def test_a_parity_that_gives_no_forward_is_unknown() -> None:
    """Quotes that would put the forward at zero or below are no ground."""
    call, put = an_option("0.5"), an_option("0.5", right=Right.PUT)
    quotes = {call.key: a_quote(call, 0.01, 0.02), put.key: a_quote(put, 2.0, 2.02)}
    snapshot = replace(SCENERY.snapshot(), quotes=quotes, universe={call.key: call, put.key: put})
    assert _forward(snapshot) == Unvalued(reason="no VIX forward for 2026-11-18: parity gives none")


# reserves of futures ----------------------------------------------------------------------------------------------


def test_a_futures_reserve_is_roll_down_and_mean_reversion() -> None:
    """A mini at 18.95 with VIX at 18: 100 x 18/4 x beta, and what it slides down to its roll (M9)."""
    reserve = _valuer().future_reserve_usd(a_future("VXM"))
    reversal = 100 * 4.5 * 0.5359
    assert not isinstance(reserve, Unvalued)
    assert reversal < float(reserve) < reversal + 95
    assert reserve == round(reserve, 2)


def test_a_gain_on_the_way_to_the_roll_does_not_make_a_future_cheaper() -> None:
    """In backwardation a future is expected to gain by rolling down the curve; that gain is not counted."""
    scenery = Scenery(condors=10, vix=30.0)
    reserve = _valuer(scenery.snapshot()).future_reserve_usd(a_future("VXM"))
    assert not isinstance(reserve, Unvalued)
    assert float(reserve) == pytest.approx(100 * 30.0 / 4 * vix_beta(28.9375), abs=0.01)


def test_an_unrealised_loss_counts_where_it_is_larger() -> None:
    """A mini bought at 25 has lost 600 USD, more than a fall of VIX would take now; one bought low counts as new."""
    valuer = _valuer()
    new, high, low = (valuer.future_reserve_usd(a_future("VXM"), price) for price in (None, 25, 12))
    assert not isinstance(new, Unvalued)
    assert not isinstance(high, Unvalued)
    assert float(high) > 600
    assert low == new


def test_a_reserve_needs_quote_and_level() -> None:
    """Without either it is unknown, never nothing."""
    snapshot = SCENERY.snapshot()
    assert isinstance(_valuer(replace(snapshot, levels={})).future_reserve_usd(a_future("VX")), Unvalued)
    assert isinstance(_valuer(_without(snapshot, a_future("VX"))).future_reserve_usd(a_future("VX")), Unvalued)


# what is unknown --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "stranger",
    [
        replace(an_option(20), symbol="RUT", trading_class="RUT"),
        replace(a_future("VX"), trading_class="SPX", symbol="SPX"),
        Instrument(kind=Kind.STOCK, symbol="SPY", trading_class="SPY", exchange="ARCA"),
    ],
)
def test_a_contract_without_a_model_is_unknown(stranger: Instrument) -> None:
    """A quoted contract of another class has no value here, and no error is made of it."""
    quotes = {**SCENERY.snapshot().quotes, stranger.key: a_quote(stranger, 1.0, 1.02)}
    snapshot = replace(SCENERY.snapshot(), quotes=quotes)
    assert _reason(stranger, snapshot) == f"{stranger.key}: no model for this contract"


def test_a_class_without_a_tick_has_no_good_quote() -> None:
    """Without a grid the width in ticks has no meaning."""
    stranger = replace(an_option(20), symbol="RUT", trading_class="RUT")
    quote = a_quote(stranger, 1.0, 1.02)
    assert quote_fault(quote, stranger, NOON, SETTINGS) == "no tick is known for its class"


@pytest.mark.parametrize(("below", "above", "known"), [(0.15, 0.05, True), (0.15, -0.05, False), (0.0, 0.0, True)])
def test_an_option_whose_quotes_straddle_its_intrinsic_value_is_worth_it(
    below: float,
    above: float,
    known: bool,  # noqa: FBT001
) -> None:
    """Deep in the money the middle may lie below what a volatility explains: the option then moves as its forward."""
    call = vix_call(12)
    forward, days = _valuer().vix_forward(NOVEMBER), days_to_settlement(call, NOON)
    assert isinstance(forward, float)
    intrinsic = _valuer().price_if(call, forward=forward, vol=0.0, days=days)
    quote = a_quote(call, intrinsic - below, intrinsic + above)
    valued = _valuer(SCENERY.snapshot(quotes={call.key: quote})).value(call)
    assert isinstance(valued, Valued) == known
    if isinstance(valued, Valued):
        assert (valued.price, valued.named_delta) == (quote.mid, pytest.approx(1.0))


def test_an_option_below_its_intrinsic_value_has_no_volatility() -> None:
    """A price that no volatility explains leaves the option unknown."""
    call = vix_call(12)
    snapshot = SCENERY.snapshot(quotes={call.key: a_quote(call, 5.0, 5.05)})
    assert _reason(call, snapshot) == f"{call.key}: no volatility explains its price"


@pytest.mark.parametrize(("level", "words"), [(None, "no level"), (0.0, "impossible level"), (1e9, "impossible level")])
def test_an_spx_option_needs_the_index(level: float | None, words: str) -> None:
    """Without a possible level of SPX its options are unknown."""
    levels = {} if level is None else {SPX.key: level}
    snapshot = replace(SCENERY.snapshot(), levels=levels)
    assert _reason(SCENERY.opening.condors[0].short_put, snapshot) == f"{SPX.key}: {words}"


def test_values_are_worked_out_once() -> None:
    """The same question gives the same object."""
    valuer = _valuer()
    assert valuer.value(vix_call(21)) is valuer.value(vix_call(21))


# quotes -----------------------------------------------------------------------------------------------------------


def test_an_option_that_nobody_bids_for_is_worth_half_its_ask() -> None:
    """A wing offered at a dime and not bid for is valued at a nickel; offered higher it is unknown."""
    wing = SCENERY.opening.condors[0].long_put
    cheap = SCENERY.snapshot(quotes={wing.key: a_quote(wing, None, 0.10)})
    dear = SCENERY.snapshot(quotes={wing.key: a_quote(wing, None, 0.11)})
    assert _value(wing, cheap).price == 0.05
    assert _reason(wing, dear) == f"{wing.key}: not two-sided"
    assert isinstance(_valuer(cheap).quote(wing), Unvalued)


@pytest.mark.parametrize(
    "quote",
    [
        a_quote(vix_call(30), None, 0.05, at=NOON - timedelta(hours=1)),
        a_quote(vix_call(30), None, 0.05, data_type=DataType.FROZEN),
        a_quote(vix_call(30), None, None),
        a_quote(vix_call(30), None, float("nan")),
        a_quote(vix_call(30), 0.20, None),
    ],
)
def test_half_an_ask_must_be_fresh_and_live_as_any_price(quote: Quote) -> None:
    """Stale, frozen or missing asks stay unknown."""
    assert isinstance(_valuer(SCENERY.snapshot(quotes={quote.key: quote})).value(vix_call(30)), Unvalued)


@pytest.mark.parametrize(("bid", "ask", "counts"), [(0.01, 0.10, True), (0.01, 0.11, False), (0.05, 0.02, False)])
def test_a_width_of_cents_bars_nobody_from_closing(bid: float, ask: float, counts: bool) -> None:  # noqa: FBT001
    """Offered at ten cents or less an option may be bought back, however far apart its sides; crossed it may not."""
    call = vix_call(26)
    valuer = Valuer(SCENERY.snapshot(quotes={call.key: a_quote(call, bid, ask)}), SETTINGS)
    assert isinstance(valuer.quote(call), Unvalued)
    found = valuer.quote(call, may_be_unbid=True)
    assert isinstance(found, Quote) == counts
    assert not counts or (found.bid, found.ask) == (bid, ask)  # type: ignore[union-attr]


def test_a_future_without_a_bid_is_never_worthless() -> None:
    """Half an ask is a price for options alone."""
    mini = a_future("VXM")
    snapshot = SCENERY.snapshot(quotes={mini.key: a_quote(mini, None, 0.05)})
    assert _reason(mini, snapshot) == f"{mini.key}: not two-sided"


@given(bid=st.floats() | st.none(), ask=st.floats() | st.none())
def test_a_good_quote_has_two_finite_ordered_sides(bid: float | None, ask: float | None) -> None:
    """Whatever arrives, what counts as good is finite, above zero, and in order."""
    if quote_fault(a_quote(vix_call(20), bid, ask), vix_call(20), NOON, SETTINGS) == "":
        assert bid is not None
        assert ask is not None
        assert 0 < bid <= ask < 1e6


def _alive(state: SignalState, age_s: float) -> bool:
    quote = a_quote(vix_call(20), 1.0, 1.02, at=NOON - timedelta(seconds=age_s))
    snapshot = replace(SCENERY.snapshot(), dispersion=a_reading(state), quotes={quote.key: quote})
    return feed_is_alive(snapshot, SETTINGS)


@pytest.mark.parametrize(
    ("state", "age_s", "alive"),
    [
        (SignalState.CALM, 800, True),
        (SignalState.BLOWOUT, 800, True),
        (SignalState.UNDEFINED, 15, True),
        (SignalState.UNDEFINED, 15.1, False),
    ],
)
def test_a_feed_lives_by_its_indices_or_by_any_fresh_quote(state: SignalState, age_s: float, alive: bool) -> None:  # noqa: FBT001 - a table
    """A defined signal means fresh indices; without one, some quote must have come within fifteen seconds."""
    assert _alive(state, age_s) is alive


def test_a_silent_feed_leaves_everything_unknown() -> None:
    """Old quotes of a dead feed are no ground, however good they look; no quotes at all are a dead feed."""
    old = NOON - timedelta(seconds=60)
    snapshot = SCENERY.snapshot(state=SignalState.UNDEFINED)
    quotes = {key: replace(quote, at_ns=int(old.timestamp() * 1e9)) for key, quote in snapshot.quotes.items()}
    assert _reason(vix_call(21), replace(snapshot, quotes=quotes)) == (
        f"{vix_call(21).key}: the market data feed is silent"
    )
    assert not feed_is_alive(replace(snapshot, quotes={}), SETTINGS)


# time and settings ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("instrument", "days"),
    [
        (vix_call(20), 28.9375),
        (a_future("VX"), 28.9375),
        (an_option(6800, trading_class="SPX"), 28.9375),
        (an_option(6800, trading_class="SPXW"), 29.2083),
    ],
)
def test_time_runs_to_the_hour_of_settlement(instrument: Instrument, days: float) -> None:
    """From noon on 20 October (summer time) to the morning of 18 November, to the afternoon for SPXW."""
    assert days_to_settlement(instrument, NOON) == pytest.approx(days, abs=1e-3)
    assert days_to_settlement(instrument, datetime(2026, 12, 1, tzinfo=NEW_YORK)) == 0.0


def test_an_index_does_not_settle() -> None:
    """Asking for its settlement is an error."""
    with pytest.raises(InvalidValueError, match="does not settle"):
        days_to_settlement(VIX, NOON)


@pytest.mark.parametrize(
    "changes",
    [
        {"rate": float("nan")},
        {"max_quote_age_s": 0.0},
        {"max_feed_silence_s": -1.0},
        {"max_width_frac": 0.0},
        {"max_width_ticks": -1},
        {"max_worthless_ask": float("inf")},
        {"spx_sensitivity_scale": 0.5},
        {"spx_sensitivity_scale": float("nan")},
    ],
)
def test_settings_under_which_anything_goes_are_refused(changes: dict[str, float]) -> None:
    """Each number has its range."""
    with pytest.raises(InvalidValueError, match=next(iter(changes))):
        ValuationSettings(**changes)  # type: ignore[arg-type]  # wrong values on purpose
