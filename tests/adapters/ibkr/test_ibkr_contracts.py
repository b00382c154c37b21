"""Contracts to instruments and back, without a wire."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ibkr_harness import CALENDAR, a_call, a_vxm, bought, sold

from adapters.ibkr.contracts import (
    Listed,
    RefusedContract,
    combo,
    date_of,
    instrument_said,
    last_trades_to_ask,
    listed_from,
    query_for,
    traded,
)
from adapters.ibkr.library import Contract, ContractDetails
from bot.domain.expiries import vix_monthlies
from bot.domain.instrument import RUT, VIX, Kind, Right

MONTHLIES = tuple(vix_monthlies(date(2026, 1, 1), date(2028, 12, 31), CALENDAR))


def details(
    *, sec_type: str = "OPT", trading_class: str = "VIX", last_trade: str, settles: str, local: str = ""
) -> ContractDetails:
    """The details of one contract as the library decodes them."""
    contract = Contract(
        secType=sec_type,
        conId=4711,
        symbol="SPX" if trading_class.startswith("SPX") else "VIX",
        lastTradeDateOrContractMonth=last_trade,
        strike=20.0 if sec_type == "OPT" else 0.0,
        right="C" if sec_type == "OPT" else "",
        multiplier="100",
        exchange="SMART" if sec_type == "OPT" else "CFE",
        currency="USD",
        localSymbol=local,
        tradingClass=trading_class,
    )
    return ContractDetails(contract=contract, realExpirationDate=settles, validExchanges="SMART,CBOE")


def judged(told: ContractDetails) -> Listed | RefusedContract:
    """What becomes of them."""
    return listed_from(told, CALENDAR, "SMART")


@pytest.mark.parametrize(
    ("trading_class", "last_trade", "settles"),
    [
        ("VIX", "20261117", "20261118"),
        ("VIX", "20261117 15:15 US/Central", "20261118"),
        ("VIX", "20261117", ""),  # the broker tells no settlement: the rule gives it
        ("VIX", "20270517", "20270518"),  # a Tuesday, since 18 June 2027 is a holiday
        ("VIXW", "20261110", "20261112"[:6] + "11"),
        ("SPX", "20261119", "20261120"),
        ("SPXW", "20261120", "20261120"),
        ("SPX", "20261224", "20261228"),  # over Christmas and a weekend
    ],
)
def test_an_options_dates_agree_with_its_classs_rule(trading_class: str, last_trade: str, settles: str) -> None:
    """Morning classes settle on the session after their last trading day, afternoon classes on it."""
    found = judged(details(trading_class=trading_class, last_trade=last_trade, settles=settles))
    assert isinstance(found, Listed), found
    assert found.instrument.last_trade == date_of(last_trade)
    assert found.instrument.settlement == (date_of(settles) if settles else date(2026, 11, 18))
    assert (found.instrument.exchange, found.exchange) == ("CBOE", "SMART")


@pytest.mark.parametrize(
    ("trading_class", "last_trade", "settles", "reason"),
    [
        ("VIX", "20261117", "20261119", "settles 2026-11-19 by its details, 2026-11-18 by the rule"),
        ("VIX", "20261118", "20261118", "settles 2026-11-18 by its details, 2026-11-19 by the rule"),
        ("VIX", "20261110", "20261111", "by the monthly rule 2026-11-18"),  # a weekly under the monthly class
        ("SPX", "20261120", "20261120", "by the rule of class SPX"),
        ("SPXW", "20261119", "20261120", "by the rule of class SPXW"),
        ("VIX", "", "20261118", "a date YYYYMMDD was expected"),
        ("VIX", "20991117", "20991118", "knows 1998 to 2035"),
    ],
)
def test_an_option_whose_dates_disagree_is_refused(
    trading_class: str, last_trade: str, settles: str, reason: str
) -> None:
    """The refusal says what was told and what the rule says; nothing is corrected on the quiet."""
    found = judged(details(trading_class=trading_class, last_trade=last_trade, settles=settles))
    assert isinstance(found, RefusedContract)
    assert reason in found.reason


@pytest.mark.parametrize(
    ("local", "is_refused"),
    [
        ("VIX   261118C00020000", False),
        ("VIX   261117C00020000", False),
        ("VIX   261216C00020000", True),
        ("VIX   261332C00020000", True),
        ("something else", False),
    ],
)
def test_the_date_in_the_exchanges_own_name_must_be_one_of_both(local: str, *, is_refused: bool) -> None:
    """A local symbol of the usual form is a third witness."""
    found = judged(details(last_trade="20261117", settles="20261118", local=local))
    assert isinstance(found, RefusedContract) is is_refused


@pytest.mark.parametrize(
    ("trading_class", "last_trade", "settles", "is_refused"),
    [
        ("VX", "20261118", "20261118", False),
        ("VXM", "20261117", "20261118", False),  # if the broker names the day before the morning settlement
        ("VX", "20261118", "", False),
        ("VX", "20261117", "", True),
        ("VX", "20261111", "20261111", True),  # a weekly under the monthly class
        ("VX46", "20261111", "20261111", False),
        ("VX", "20261118", "20261125", True),
        ("VX46", "20261111", "20261125", True),  # two dates two weeks apart
    ],
)
def test_a_futures_dates_are_checked_as_well(
    trading_class: str, last_trade: str, settles: str, *, is_refused: bool
) -> None:
    """VX and VXM follow the monthly rule, numbered weeklies do not."""
    found = judged(details(sec_type="FUT", trading_class=trading_class, last_trade=last_trade, settles=settles))
    assert isinstance(found, RefusedContract) is is_refused, found


@given(st.sampled_from(MONTHLIES), st.integers(1, 160), st.sampled_from(Right))
def test_a_monthly_option_survives_the_way_out_and_back(settlement: date, half_points: int, right: Right) -> None:
    """What a query says and what details would answer to it is the same instrument."""
    option = a_call(str(half_points / 2), settlement)
    query = query_for(option, "SMART")
    query.conId, query.right = 1, right.value
    answer = ContractDetails(contract=query, realExpirationDate=f"{settlement:%Y%m%d}", validExchanges="SMART,CBOE")
    found = judged(answer)
    assert isinstance(found, Listed)
    assert found.instrument.right is right
    assert found.instrument.key[:-1] == option.key[:-1]


def test_a_query_names_the_class_and_an_index_only_its_symbol() -> None:
    """SPX and SPXW, VX and VXM share their symbols; an index has no class to name."""
    future = query_for(a_vxm(), "SMART")
    assert (future.secType, future.symbol, future.tradingClass, future.exchange) == ("FUT", "VIX", "VXM", "CFE")
    assert (future.lastTradeDateOrContractMonth, future.multiplier) == ("20261118", "100")
    option = query_for(a_call("20"), "SMART")
    assert (option.exchange, option.strike, option.right) == ("SMART", 20.0, "C")
    rut = query_for(RUT, "SMART")
    assert (rut.secType, rut.symbol, rut.exchange, rut.tradingClass) == ("IND", "RUT", "RUSSELL", "")


def test_an_order_names_number_and_exchange_alone() -> None:
    """A date beside the number may differ from the broker's and is refused with 478."""
    contract = traded(Listed(con_id=5, instrument=a_vxm(), exchange="CFE"))
    assert contract == Contract(conId=5, exchange="CFE")
    assert (contract.symbol, contract.secType, contract.lastTradeDateOrContractMonth) == ("", "", "")


def test_a_combo_holds_its_legs_in_order() -> None:
    """Number, ratio, side and exchange of each leg; the whole under the underlying's symbol."""
    first, second = a_call("20"), a_call("25")
    listed = {
        first.key: Listed(con_id=1, instrument=first, exchange="SMART"),
        second.key: Listed(con_id=2, instrument=second, exchange="SMART"),
    }
    bag = combo((sold(first), bought(second)), listed, "CBOE")
    assert (bag.secType, bag.symbol, bag.exchange, bag.currency, bag.conId) == ("BAG", "VIX", "CBOE", "USD", 0)
    legs = [(leg.conId, leg.ratio, leg.action, leg.exchange) for leg in bag.comboLegs]
    assert legs == [(1, 1, "SELL", "CBOE"), (2, 1, "BUY", "CBOE")]


def test_a_contract_without_details_is_named_by_the_rule() -> None:
    """An option that expired has no details any more; its name must still be the one under which it was held."""
    contract = Contract(
        secType="OPT",
        conId=3,
        symbol="VIX",
        lastTradeDateOrContractMonth="20261117",
        strike=20.0,
        right="C",
        multiplier="100",
        currency="USD",
        tradingClass="VIX",
    )
    assert instrument_said(contract, CALENDAR) == a_call("20")


@pytest.mark.parametrize(
    "wrong", [{"lastTradeDateOrContractMonth": ""}, {"right": "X"}, {"strike": 0.0}, {"multiplier": "many"}]
)
def test_a_contract_that_cannot_be_is_seen_under_a_name_that_is_not_traded(wrong: dict[str, object]) -> None:
    """The books stay complete, and only this holding is locked."""
    contract = query_for(a_call("20"), "SMART")
    contract.conId = 3
    for name, value in wrong.items():
        setattr(contract, name, value)
    held = instrument_said(contract, CALENDAR)
    assert (held.kind, held.key) == (Kind.STOCK, "STK:REFUSED-3")


@pytest.mark.parametrize(
    ("sec_type", "local", "key"), [("STK", "SPY", "STK:SPY"), ("CASH", "EUR.USD", "STK:CASH-EUR.USD")]
)
def test_other_holdings_have_a_name_of_their_own(sec_type: str, local: str, key: str) -> None:
    """Nothing that the account holds is dropped, and nothing is mistaken for a contract that we trade."""
    contract = Contract(secType=sec_type, conId=9, symbol=local[:3], localSymbol=local, currency="USD")
    held = instrument_said(contract, CALENDAR)
    assert (held.kind, held.key) == (Kind.STOCK, key)


def test_an_index_is_named_by_its_symbol() -> None:
    """Its exchange is the one that answered."""
    contract = Contract(secType="IND", conId=13455763, symbol="VIX", exchange="CBOE", currency="USD")
    assert instrument_said(contract, CALENDAR) == VIX


def test_only_expiries_that_settle_in_the_range_are_asked_for() -> None:
    """The dates of a chain are last trading days: a morning class settles one session later."""
    days = ("20261020", "20261117", "20261215")
    assert last_trades_to_ask("VIX", days, date(2026, 11, 18), date(2026, 12, 15), CALENDAR) == (date(2026, 11, 17),)
    assert last_trades_to_ask("SPXW", days, date(2026, 11, 18), date(2026, 12, 15), CALENDAR) == (date(2026, 12, 15),)
