"""Cash, positions, margin and fees: the arithmetic behind the exchange."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from floors import a_call, a_floor, a_future
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.errors import InvalidValueError
from bot.domain.instrument import Instrument, Kind, Right
from bot.pricing import black76_price
from simulator.account import Account
from simulator.fees import Earlier, FeeTables, NoFees, VenueFees
from simulator.margin import NONE, OptionRisk, margin_of

_OPENED = a_floor()
CALL = a_call(_OPENED)
FUTURE = a_future(_OPENED, "VX")
ZERO = Decimal(0)


def an_spx(strike: int, right: Right, trading_class: str = "SPXW") -> Instrument:
    """Return an SPX option of early December."""
    return Instrument(
        kind=Kind.OPTION,
        symbol="SPX",
        trading_class=trading_class,
        exchange="CBOE",
        multiplier=100,
        settlement=date(2026, 12, 4),
        last_trade=date(2026, 12, 4) if trading_class == "SPXW" else date(2026, 12, 3),
        strike=Decimal(strike),
        right=right,
    )


@pytest.mark.parametrize(
    ("trades", "realized", "quantity", "average"),
    [
        ([(2, "1.00", "2")], [None], 2, "101"),
        ([(2, "1.00", "2"), (2, "2.00", "2")], [None, None], 4, "151"),
        ([(2, "1.00", "2"), (-1, "1.50", "1")], [None, "48.00"], 1, "101"),
        ([(-2, "1.00", "2"), (2, "0.50", "2")], [None, "96.00"], 0, "0"),
        ([(2, "1.00", "0"), (-3, "1.50", "3")], [None, "98.00"], -1, "149"),
    ],
)
def test_a_position_keeps_its_average_cost(
    trades: list[tuple[int, str, str]], realized: list[str | None], quantity: int, average: str
) -> None:
    """Buying more averages, closing realises against the average, and crossing zero starts anew."""
    account = Account("DU1", Decimal(10_000))

    found = [account.trade(CALL, change, Decimal(price), Decimal(fee)) for change, price, fee in trades]

    assert found == [None if each is None else Decimal(each) for each in realized]
    position = account.position(CALL)
    assert (position.quantity, position.average_cost_usd) == (quantity, Decimal(average))


def test_an_option_costs_cash_and_a_future_costs_none() -> None:
    """Opening a future moves no cash but its fee; its gain is settled when it is closed."""
    account = Account("DU1", Decimal(10_000))

    account.trade(CALL, 1, Decimal("1.50"), ZERO)
    after_option = account.cash_usd
    account.trade(FUTURE, 1, Decimal("19.50"), Decimal("2.45"))
    after_future = account.cash_usd
    account.trade(FUTURE, -1, Decimal("20.00"), Decimal("2.45"))

    assert after_option == Decimal(9_850)
    assert after_future == Decimal("9847.55")
    assert account.cash_usd == Decimal("9847.55") + 500 - Decimal("2.45")


def test_an_opening_future_is_worth_its_move_alone() -> None:
    """A future in the opening book adds nothing at its entry price and its gain above it."""
    account = Account("DU1", Decimal(10_000), [(FUTURE, 2, Decimal(19))])

    assert account.state({FUTURE: Decimal(19)}, NONE).net_liquidation_usd == Decimal(10_000)
    assert account.state({FUTURE: Decimal(20)}, NONE).net_liquidation_usd == Decimal(12_000)
    assert account.cash_usd == Decimal(10_000)


def test_the_gross_value_counts_sizes_and_leaves_futures_out() -> None:
    """Options held and sold count alike at their marks; a future is worth its gain alone, and that is cash."""
    put = replace(CALL, strike=Decimal(15))
    account = Account("DU1", ZERO, [(CALL, 3, ZERO), (put, -2, ZERO), (FUTURE, 5, Decimal(19))])

    state = account.state({CALL: Decimal("1.50"), put: Decimal("0.25"), FUTURE: Decimal(20)}, NONE)

    assert state.gross_position_usd == Decimal(450 + 50)


@pytest.mark.parametrize("positions", [[(CALL, 0, ZERO)], [(CALL, 1, ZERO), (CALL, 2, ZERO)]])
def test_an_opening_book_holds_each_contract_once(positions: list[tuple[Instrument, int, Decimal]]) -> None:
    """Flat and repeated positions are mistakes."""
    with pytest.raises(InvalidValueError, match="held once"):
        Account("DU1", ZERO, positions)


TRADES = st.lists(
    st.tuples(
        st.sampled_from([CALL, FUTURE]),
        st.integers(-5, 5).filter(bool),
        st.integers(1, 4000).map(lambda cents: Decimal(cents) / 100),
        st.integers(0, 500).map(lambda cents: Decimal(cents) / 100),
    ),
    max_size=12,
)


@given(TRADES, st.integers(1, 4000))
def test_net_liquidation_is_cash_less_everything_paid_plus_what_is_held(
    trades: list[tuple[Instrument, int, Decimal, Decimal]], mark_cents: int
) -> None:
    """Whatever the order of trades, the account is worth what was put in, less costs, plus positions at their mark."""
    account = Account("DU1", Decimal(1_000_000))
    marks = {CALL: Decimal(mark_cents) / 100, FUTURE: Decimal(mark_cents) / 100}
    expected, held = Decimal(1_000_000), {CALL: 0, FUTURE: 0}

    for instrument, change, price, fee in trades:
        account.trade(instrument, change, price, fee)
        expected -= change * price * instrument.multiplier + fee
        held[instrument] += change

    worth = sum((quantity * key.multiplier * marks[key] for key, quantity in held.items()), ZERO)
    assert account.state(marks, NONE).net_liquidation_usd == pytest.approx(expected + worth, abs=Decimal("0.01"))
    assert {each.instrument: each.quantity for each in account.positions()} == {k: q for k, q in held.items() if q}


@given(TRADES)
def test_realised_profit_adds_up_to_the_change_of_cash_when_flat(
    trades: list[tuple[Instrument, int, Decimal, Decimal]],
) -> None:
    """After everything is closed the realised sums are the whole change of cash, to the cents of rounding."""
    account = Account("DU1", Decimal(1_000_000))
    realized = ZERO
    for instrument, change, price, fee in trades:
        realized += account.trade(instrument, change, price, fee) or ZERO
    for position in account.positions():
        realized += account.trade(position.instrument, -position.quantity, Decimal(1), ZERO) or ZERO

    assert account.positions() == ()
    assert realized == pytest.approx(account.cash_usd - 1_000_000, abs=Decimal("0.01") * (len(trades) + 2))


# Margin


def condor(count: int) -> list[tuple[Instrument, int]]:
    """Return iron condors of 25 points."""
    legs = [(6400, Right.PUT, 1), (6425, Right.PUT, -1), (7000, Right.CALL, -1), (7025, Right.CALL, 1)]
    return [(an_spx(strike, right), sign * count) for strike, right, sign in legs]


def spx_risk(_instrument: Instrument) -> OptionRisk:
    """Return SPX at 6700 and 18 % on all options, on 19 October."""
    return OptionRisk(underlying=6700.0, vol=0.18, at=datetime(2026, 10, 19, 14, 0, tzinfo=UTC))


def no_model(_instrument: Instrument) -> None:
    """Return None: the market shows no model."""
    return


@pytest.mark.parametrize(
    ("positions", "initial"),
    [
        ([], "0"),
        (condor(1), "2500"),
        (condor(40), "100000"),
        ([(an_spx(7000, Right.CALL), 1)], "0"),
        ([(an_spx(7000, Right.CALL), -1)], "700000"),
        ([(an_spx(6400, Right.PUT), -1)], "640000"),
        ([(an_spx(7000, Right.CALL), -1), (an_spx(7025, Right.CALL), 1)], "2500"),
    ],
)
def test_without_models_an_option_book_needs_its_worst_pay_off(
    positions: list[tuple[Instrument, int]], initial: str
) -> None:
    """A condor needs its wing, a long option nothing, a naked call its strike once more."""
    assert margin_of(positions, {}, no_model).maintenance_usd == Decimal(initial)


def test_a_condor_needs_less_than_its_wing_on_the_grid_and_a_naked_call_much_more() -> None:
    """The grid moves SPX from -8 to +6 % and asks for what is lost there, initially a tenth more."""
    one = margin_of(condor(1), {}, spx_risk)
    naked = margin_of([(an_spx(7000, Right.CALL), -1)], {}, spx_risk)

    assert Decimal(500) < one.maintenance_usd < Decimal(2500)
    assert one.initial_usd == Decimal("1.10") * one.maintenance_usd
    assert naked.maintenance_usd > 10 * one.maintenance_usd


def test_a_hedged_short_call_needs_less_whatever_its_class() -> None:
    """All options of one symbol are one group: an SPX call covers an SPXW call."""
    naked = [(an_spx(7000, Right.CALL), -1)]

    covered = [*naked, (an_spx(7025, Right.CALL, "SPX"), 1)]

    assert margin_of(covered, {}, spx_risk).maintenance_usd < margin_of(naked, {}, spx_risk).maintenance_usd / 3


def test_a_worthless_short_option_needs_the_least_amount() -> None:
    """0.375 points for every contract sold, however far away."""
    assert margin_of([(an_spx(20000, Right.CALL), -2)], {}, spx_risk).maintenance_usd == Decimal("75.000")


@given(st.integers(1, 50), st.integers(6000, 7400), st.sampled_from(Right))
def test_a_long_option_never_needs_more_than_it_is_worth(quantity: int, strike: int, right: Right) -> None:
    """The grid takes at most the premium."""
    option = an_spx(strike, right)
    value = black76_price(forward=6700, strike=strike, years=47 / 365, vol=0.18, rate=0.0, right=right)

    needed = margin_of([(option, quantity)], {}, spx_risk).maintenance_usd

    assert 0 <= needed <= Decimal(str(value * 1.05 + 1)) * 100 * quantity


def test_shares_need_half_their_value_and_currencies_a_little() -> None:
    """Regulation T: 50 % to open, 25 % to keep, 30 % when sold; a currency 2.5 %."""
    share = Instrument(kind=Kind.STOCK, symbol="SPY", trading_class="SPY", exchange="ARCA")
    pair = Instrument(kind=Kind.CASH, symbol="EUR", trading_class="EUR.USD", exchange="IDEALPRO")
    marks = {share: Decimal(600), pair: Decimal("1.10")}

    found = [margin_of([held], marks, no_model) for held in ((share, 100), (share, -100), (pair, 1000))]

    assert [each.initial_usd for each in found] == [30_000, 30_000, Decimal("27.5")]
    assert [each.maintenance_usd for each in found] == [15_000, 18_000, Decimal("27.5")]


def test_futures_need_a_share_of_their_value_on_either_side() -> None:
    """40 % of 2 x 20 x 1000 initially, 32 % in maintenance, long or short."""
    marks = {FUTURE: Decimal(20)}

    for quantity in (2, -2):
        margin = margin_of([(FUTURE, quantity)], marks, no_model)
        assert (margin.initial_usd, margin.maintenance_usd) == (Decimal("16000.00"), Decimal("12800.00"))


# Fees


def a_vix_option() -> Instrument:
    """Return a VIX call."""
    return CALL


@pytest.mark.parametrize(
    ("make", "price", "in_combo", "fee"),
    [
        (a_vix_option, "0.05", False, "0.68"),  # 0.50 + 0.10 + 0.055 + 0.02
        (a_vix_option, "0.10", False, "0.88"),  # 0.70 + 0.10 + 0.055 + 0.02, rounded half up
        (a_vix_option, "0.11", False, "1.03"),
        (a_vix_option, "1.70", False, "1.23"),
        (a_vix_option, "2.00", False, "1.28"),
        (a_vix_option, "1.70", True, "1.13"),
        (a_vix_option, "0.05", True, "0.63"),
        (lambda: FUTURE, "19.50", False, "2.45"),
        (lambda: a_future(_OPENED, "VXM"), "19.50", False, "1.15"),
        (lambda: an_spx(7000, Right.CALL), "5.00", True, "1.36"),
        (lambda: an_spx(7000, Right.CALL, "SPX"), "0.90", True, "1.18"),
    ],
)
def test_one_contract_costs_what_the_schedule_says(
    make: Callable[[], Instrument],
    price: str,
    in_combo: bool,  # noqa: FBT001 - a table
    fee: str,
) -> None:
    """Commission by premium, exchange fee by band, clearing and regulatory fees, to the cent."""
    assert VenueFees().charge(make(), 1, Decimal(price), in_combo=in_combo) == Decimal(fee)


@given(st.integers(1, 500), st.integers(1, 500), st.booleans())
def test_fees_grow_with_size_and_are_never_negative(quantity: int, cents: int, in_combo: bool) -> None:  # noqa: FBT001 - drawn
    """One more contract costs more, and rounding moves a charge by at most half a cent from its exact sum."""
    price = Decimal(cents) / 100
    one_less = VenueFees().charge(CALL, quantity, price, in_combo=in_combo)
    fee = VenueFees().charge(CALL, quantity + 1, price, in_combo=in_combo)

    assert 0 < one_less < fee
    assert NoFees().charge(CALL, quantity, price, in_combo=in_combo) == 0


def test_an_orders_minimum_is_charged_once() -> None:
    """1.00 for the first single option, and later executions of the order use it up before they cost more."""
    fees = VenueFees(option_order_least_usd=Decimal(1))
    per_contract = VenueFees().charge(CALL, 1, Decimal("1.70"), in_combo=False)

    first = fees.charge(CALL, 1, Decimal("1.70"), in_combo=False)
    second = fees.charge(CALL, 1, Decimal("1.70"), in_combo=False, earlier=Earlier(quantity=1))
    in_combo = fees.charge(CALL, 1, Decimal("1.70"), in_combo=True)

    assert first - per_contract == Decimal("0.30")
    assert first + second == 2 * per_contract
    assert in_combo == VenueFees().charge(CALL, 1, Decimal("1.70"), in_combo=True)


@pytest.mark.parametrize(
    ("kind", "quantity", "price", "earlier", "fee"),
    [
        (Kind.STOCK, 1000, "600", Earlier(), "5.00"),
        (Kind.STOCK, 10, "600", Earlier(), "1.00"),
        (Kind.STOCK, 10, "2.00", Earlier(), "0.20"),
        (Kind.STOCK, 190, "600", Earlier(quantity=10, value_usd=Decimal(6000)), "0.00"),
        (Kind.STOCK, 390, "600", Earlier(quantity=10, value_usd=Decimal(6000)), "1.00"),
        (Kind.CASH, 20_000, "1.10", Earlier(), "2.00"),
        (Kind.CASH, 1_000_000, "1.10", Earlier(), "22.00"),
    ],
)
def test_shares_and_currencies_cost_a_rate_with_a_minimum_per_order(
    kind: Kind, quantity: int, price: str, earlier: Earlier, fee: str
) -> None:
    """Shares 0.005 each, at least 1.00, at most 1 % of the value; currencies 0.2 basis points, at least 2.00."""
    instrument = Instrument(kind=kind, symbol="X", trading_class="X", exchange="SMART")

    assert VenueFees().charge(instrument, quantity, Decimal(price), in_combo=False, earlier=earlier) == Decimal(fee)


@pytest.mark.parametrize(("trading_class", "fee"), [("ES", "2.25"), ("MES", "0.62"), ("unknown", "2.45")])
def test_futures_cost_by_class_and_an_unknown_one_the_most(trading_class: str, fee: str) -> None:
    """Broker, exchange and regulator together."""
    future = replace(FUTURE, trading_class=trading_class)

    assert VenueFees().charge(future, 1, Decimal(6000), in_combo=False) == Decimal(fee)


def test_other_tables_cost_otherwise() -> None:
    """A schedule is what its tables say, and one without any future is refused."""
    dear = VenueFees(tables=FeeTables(futures={"VX": Decimal(9)}))

    assert dear.charge(FUTURE, 2, Decimal(20), in_combo=False) == Decimal(18)
    with pytest.raises(InvalidValueError, match="at least one class"):
        FeeTables(futures={})
