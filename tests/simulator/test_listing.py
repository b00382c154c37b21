"""Numbers, names, details and look-ups of what is listed."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from floors import CALENDAR, DAY, NOVEMBER, a_call, a_floor, a_future
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.errors import InvalidValueError
from bot.domain.instrument import RUT, VIX, Instrument, Kind, Right
from simulator.catalogue import BY_NUMBER, NAMED, OPTION_CLASSES
from simulator.details import market_rule
from simulator.hours import hours_text
from simulator.listing import ContractQuery
from simulator.numbering import local_symbol_of, name_of, number_of

_OPENED = a_floor()
UNIVERSE = _OPENED.universe


def every_contract() -> list[Instrument]:
    """Return what a run lists, of options every seventh settlement."""
    options = [
        option
        for name in OPTION_CLASSES
        for settlement in UNIVERSE.settlements(name)[::7]
        for option in UNIVERSE.options(name, settlement)
    ]
    return [*(each.instrument for each in NAMED), *UNIVERSE.futures, *options]


def test_no_two_contracts_share_a_number_and_each_is_found_by_it() -> None:
    """Numbers are positive 31-bit integers, all different, and lead back to their contract."""
    contracts = every_contract()
    numbers = [number_of(each) for each in contracts]

    assert len(set(numbers)) == len(contracts) > 5_000
    assert all(0 < number < 2**31 for number in numbers)
    assert [UNIVERSE.instrument(number) for number in numbers] == contracts


def test_local_symbols_are_unique_and_have_the_exchanges_form() -> None:
    """Options carry class, settlement, right and strike in 21 characters, futures month and year."""
    symbols = [local_symbol_of(each) for each in every_contract()]

    assert len(set(symbols)) == len(symbols)
    assert local_symbol_of(a_call(_OPENED)) == "VIX   261118C00020000"
    assert local_symbol_of(a_future(_OPENED, "VX")) == "VXX6"


@given(st.integers(-(2**40), 2**40))
def test_a_number_that_was_never_given_names_nothing_or_reads_back(number: int) -> None:
    """No number makes the reading fail; what it names has that number again where it can be listed."""
    name = name_of(number)
    found = UNIVERSE.instrument(number)

    assert found is None or number_of(found) == number
    assert name is not None or found is None or number in BY_NUMBER


def test_a_strike_off_the_grid_has_no_number() -> None:
    """VIX strikes lie on halves: 20.25 cannot be numbered."""
    call = a_call(_OPENED)
    odd = Instrument(
        kind=Kind.OPTION,
        symbol="VIX",
        trading_class="VIX",
        exchange="CBOE",
        multiplier=100,
        settlement=call.settlement,
        last_trade=call.last_trade,
        strike=Decimal("20.25"),
        right=Right.CALL,
    )

    with pytest.raises(InvalidValueError, match="off the grid"):
        number_of(odd)


@pytest.mark.parametrize(
    ("trading_class", "last_trade"),
    [("VIX", date(2026, 11, 17)), ("SPX", date(2026, 11, 19)), ("SPXW", date(2026, 11, 20))],
)
def test_morning_classes_stop_trading_the_session_before_they_settle(trading_class: str, last_trade: date) -> None:
    """VIX and SPX settle in the morning, SPXW in the afternoon of its last day."""
    settlement = NOVEMBER if trading_class == "VIX" else date(2026, 11, 20)

    [first, *_] = UNIVERSE.options(trading_class, settlement)

    assert first.last_trade == last_trade


def test_a_future_trades_into_the_morning_of_its_settlement() -> None:
    """Its listing says 08:00 in Chicago, its hours are those of Chicago."""
    listing = UNIVERSE.listing(a_future(_OPENED), DAY)

    assert listing.last_trade_text == "20261118 08:00 US/Central"
    assert (listing.time_zone, listing.real_expiration) == ("US/Central", "20261118")
    assert listing.trading_hours.startswith("20261018:1700-20261019:1600;")
    assert listing.liquid_hours.startswith("20261019:0830-20261019:1500;")


def test_an_option_is_routed_to_two_exchanges_with_one_rule_each() -> None:
    """Valid exchanges and rule numbers stand in the same order."""
    listing = UNIVERSE.listing(a_call(_OPENED), DAY)

    assert listing.valid_exchanges == ("SMART", "CBOE")
    assert listing.market_rule_ids == (501, 501)
    assert (listing.under_symbol, listing.under_con_id) == ("VIX", 13455763)
    assert market_rule(501) == ((Decimal(0), Decimal("0.01")), (Decimal(3), Decimal("0.05")))
    assert market_rule(1) == ()


def test_the_week_ahead_names_closed_days_and_early_closes() -> None:
    """Thanksgiving is closed, the day after it ends at 13:00, the weekend is closed."""
    days = hours_text(RUT, date(2026, 11, 25), 7, "US/Eastern", CALENDAR, regular_only=True).split(";")

    assert days[:4] == [
        "20261125:0930-20261125:1600", "20261126:CLOSED", "20261127:0930-20261127:1300", "20261128:CLOSED",
    ]  # fmt: skip
    assert len(days) == 7


@pytest.mark.parametrize(
    ("query", "count"),
    [
        (ContractQuery(con_id=number_of(VIX)), 1),
        (ContractQuery(con_id=12345), 0),
        (ContractQuery(), 0),
        (ContractQuery(symbol="VIX", sec_type="BAG"), 0),
        (ContractQuery(symbol="VIX", sec_type="IND"), 1),
        (ContractQuery(symbol="VIX", sec_type="FUT", expiry="202611"), 5),
        (ContractQuery(symbol="VIX", sec_type="FUT", expiry="202611", trading_class="VX"), 1),
        (ContractQuery(symbol="VIX", sec_type="CONTFUT", exchange="CFE", multiplier="1000"), 1),
        (ContractQuery(symbol="ES", sec_type="CONTFUT", exchange="CME"), 1),
        (ContractQuery(sec_type="STK", local_symbol="AAPL", exchange="SMART", primary_exchange="NASDAQ"), 1),
        (ContractQuery(sec_type="STK", local_symbol="SPY", exchange="NASDAQ"), 0),
        (ContractQuery(sec_id_type="ISIN", sec_id="US78462F1030"), 1),
        (ContractQuery(sec_id_type="CUSIP", sec_id="US78462F1030"), 0),
        (ContractQuery(sec_type="CASH", symbol="EUR", currency="USD", exchange="IDEALPRO"), 1),
        (ContractQuery(sec_type="CASH", local_symbol="EUR.USD", exchange="IDEALPRO"), 1),
        (ContractQuery(sec_type="FUT", local_symbol="ESZ6", exchange="CME"), 1),
        (ContractQuery(sec_type="IND", symbol="AD-NYSE", exchange="NYSE"), 1),
        (ContractQuery(symbol="VIX", sec_type="FUT", expiry="20261118", multiplier="100"), 1),
        (ContractQuery(symbol="VIX", sec_type="OPT", expiry="20261117", strike=20.0), 2),
        (ContractQuery(symbol="VIX", sec_type="OPT", expiry="20261110", strike=20.0, trading_class="VIXW"), 2),
        (ContractQuery(symbol="VIX", sec_type="OPT", expiry="20261118"), 0),
        (ContractQuery(symbol="VIX", sec_type="OPT", expiry="20261117", strike=20.0, right="CALL"), 1),
        (ContractQuery(symbol="VIX", sec_type="OPT", strike=20.0, expiry="20261117", currency="EUR"), 0),
        (
            ContractQuery(
                symbol="SPX", sec_type="OPT", trading_class="SPXW", expiry="20261204", strike=6500.0, right="P"
            ),
            1,
        ),
        (ContractQuery(local_symbol="VXX6"), 1),
        (ContractQuery(local_symbol="VIX   261118C00020000", sec_type="OPT"), 1),
        (ContractQuery(symbol="RUT", sec_type="IND", exchange="RUSSELL"), 1),
        (ContractQuery(symbol="RUT", sec_type="IND", exchange="NYSE"), 0),
    ],
)
def test_a_query_names_what_agrees_with_all_of_it(query: ContractQuery, count: int) -> None:
    """Each stated field narrows; nothing stated matches nothing."""
    assert len(UNIVERSE.matching(query, DAY)) == count


def test_what_has_expired_is_found_on_request_only() -> None:
    """The day after the last trade the contract is gone unless expired ones are asked for, and cannot be ordered."""
    call = a_call(_OPENED)
    query = ContractQuery(con_id=number_of(call))
    after = NOVEMBER + timedelta(days=1)

    assert len(UNIVERSE.matching(query, NOVEMBER - timedelta(days=1))) == 1
    assert UNIVERSE.matching(query, after) == ()
    assert len(UNIVERSE.matching(query.expired_too(), after)) == 1
    assert (UNIVERSE.is_listed(call, NOVEMBER - timedelta(days=1)), UNIVERSE.is_listed(call, after)) == (True, False)


def test_a_chain_names_last_trading_days_and_strikes() -> None:
    """One row per exchange and class; what has stopped trading is gone from it."""
    rows = UNIVERSE.option_parameters("SPX", "IND", 416904, DAY)

    assert {(row.exchange, row.trading_class) for row in rows} == {
        (exchange, name) for exchange in ("SMART", "CBOE") for name in ("SPX", "SPXW")
    }
    vix = UNIVERSE.option_parameters("VIX", "IND", 0, NOVEMBER)[0]
    assert "20261117" not in vix.expirations
    assert list(vix.strikes) == sorted(vix.strikes)
    assert UNIVERSE.option_parameters("VIX", "IND", 1, DAY) == ()
    assert UNIVERSE.option_parameters("VIX", "FUT", 0, DAY) == ()


def test_an_option_that_is_not_listed_is_refused_with_what_is() -> None:
    """The error names the settlements there are."""
    with pytest.raises(InvalidValueError, match="2026-11-18"):
        UNIVERSE.option("VIX", date(2026, 11, 19), Decimal(20), Right.CALL)


def test_indices_cannot_be_ordered() -> None:
    """There is no order for a level."""
    assert not UNIVERSE.is_listed(VIX, DAY)
