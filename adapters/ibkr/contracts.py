"""Instruments to contracts and back, pure: dates are cross-checked against our own rules, never guessed.

The broker's date of an option is its last trading day, which for classes that settle in the morning is the day before
the settlement. Both come from contract details; what contradicts the class's rule or the monthly VIX calendar is
refused with a reason, and a refused contract is neither shown nor traded.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final

from adapters.ibkr.library import ComboLeg, Contract, ContractDetails
from bot.domain.errors import InvalidValueError
from bot.domain.expiries import vix_settlement
from bot.domain.instrument import Instrument, InstrumentKey, Kind, Right
from bot.domain.orders import Leg
from bot.domain.schedule import SessionCalendar

SMART: Final = "SMART"
BAG: Final = "BAG"
MORNING_CLASSES: Final = frozenset({"SPX", "VIX", "VIXW", "RUT"})
"""Option classes that settle on the session after their last trading day (docs/contracts.md, section 2)."""
VIX_MONTHLY_CLASSES: Final = frozenset({"VIX", "VX", "VXM"})
"""Classes whose settlement days follow the monthly rule (docs/contracts.md, section 3)."""
_OPTION_SYMBOL_LENGTH: Final = 21
"""``VIX   261118C00020000``: class in 6 places, date in 6, right, strike in 8 (docs/ib/wire.md, section 7)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One contract as the broker numbers it."""

    con_id: int
    instrument: Instrument
    exchange: str  # where it is routed


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedContract:
    """A contract whose own dates contradict each other or our calendar."""

    con_id: int
    name: str
    reason: str


def listed_from(details: ContractDetails, calendar: SessionCalendar, option_exchange: str) -> Listed | RefusedContract:
    """Return a contract from its details, or why it is refused."""
    contract = details.contract
    if contract is None:
        return RefusedContract(con_id=0, name="", reason="details without a contract")
    name = contract.localSymbol or contract.symbol
    try:
        instrument = _instrument(contract, calendar, details.realExpirationDate, details.validExchanges)
    except InvalidValueError as error:
        return RefusedContract(con_id=contract.conId, name=name, reason=str(error))
    exchange = _routed(instrument, option_exchange)
    return Listed(con_id=contract.conId, instrument=instrument, exchange=exchange)


def instrument_said(contract: Contract, calendar: SessionCalendar) -> Instrument:
    """Return the instrument from a contract alone, its settlement by rule: for one that has no details any more.

    Where the fields contradict each other or the calendar it comes back under the name that the broker gave it: it is
    seen in the books, and it is nothing that we know how to trade.
    """
    try:
        return _instrument(contract, calendar, "", "")
    except InvalidValueError:
        return _held_otherwise(contract, f"REFUSED-{contract.localSymbol or contract.conId}")


def _instrument(contract: Contract, calendar: SessionCalendar, expiration: str, exchanges: str) -> Instrument:
    match contract.secType:
        case "OPT":
            return _option(contract, calendar, expiration, exchanges)
        case "FUT":
            return _future(contract, calendar, expiration)
        case "IND":
            return Instrument(
                kind=Kind.INDEX,
                symbol=contract.symbol,
                trading_class=contract.symbol,
                exchange=contract.exchange or contract.primaryExchange or "CBOE",
            )
        case "STK":
            return _held_otherwise(contract, contract.symbol)
        case _:
            return _held_otherwise(contract, f"{contract.secType}-{contract.localSymbol or contract.conId}")


def _option(contract: Contract, calendar: SessionCalendar, expiration: str, exchanges: str) -> Instrument:
    last_trade = date_of(contract.lastTradeDateOrContractMonth)
    trading_class = contract.tradingClass or contract.symbol
    is_morning = trading_class in MORNING_CLASSES
    by_rule = calendar.next_session(last_trade).day if is_morning else last_trade
    settlement = date_of(expiration) if expiration else by_rule
    if settlement != by_rule:
        raise InvalidValueError(f"settles {settlement} by its details, {by_rule} by the rule of class {trading_class}")
    _require_monthly(trading_class, settlement, calendar)
    _require_local_date(contract.localSymbol, last_trade, settlement)
    native = next((name for name in exchanges.split(",") if name and name != SMART), "CBOE")
    return Instrument(
        kind=Kind.OPTION,
        symbol=contract.symbol,
        trading_class=trading_class,
        exchange=native,
        multiplier=_multiplier(contract),
        currency=contract.currency or "USD",
        settlement=settlement,
        last_trade=last_trade,
        strike=strike_of(contract.strike),
        right=_right(contract),
    )


def _future(contract: Contract, calendar: SessionCalendar, expiration: str) -> Instrument:
    last_trade = date_of(contract.lastTradeDateOrContractMonth)
    settlement = date_of(expiration) if expiration else last_trade
    if last_trade not in {settlement, calendar.previous_session(settlement).day}:
        raise InvalidValueError(f"settles {settlement}, but trades until {last_trade}")
    trading_class = contract.tradingClass or contract.symbol
    _require_monthly(trading_class, settlement, calendar)
    return Instrument(
        kind=Kind.FUTURE,
        symbol=contract.symbol,
        trading_class=trading_class,
        exchange=contract.exchange or "CFE",
        multiplier=_multiplier(contract),
        currency=contract.currency or "USD",
        settlement=settlement,
        last_trade=last_trade,
    )


def _held_otherwise(contract: Contract, trading_class: str) -> Instrument:
    """Return a share, or whatever else the account holds, under a name of its own: it is shown, never traded."""
    return Instrument(
        kind=Kind.STOCK,
        symbol=contract.symbol or trading_class,
        trading_class=trading_class,
        exchange=contract.exchange or contract.primaryExchange or SMART,
        multiplier=1,
        currency=contract.currency or "USD",
    )


def strike_of(told: float) -> Decimal:
    """Return a strike in points, whole ones without a fraction.

    >>> strike_of(20.0), strike_of(22.5)
    (Decimal('20'), Decimal('22.5'))
    """
    return Decimal(int(told)) if float(told).is_integer() else Decimal(str(told))


def _right(contract: Contract) -> Right:
    try:
        return Right(contract.right[:1].upper())
    except ValueError as error:
        raise InvalidValueError(f"right must be C or P, was {contract.right!r}") from error


def _multiplier(contract: Contract) -> int:
    try:
        return int(float(contract.multiplier))
    except ValueError as error:
        raise InvalidValueError(f"multiplier must be a number, was {contract.multiplier!r}") from error


def _require_monthly(trading_class: str, settlement: date, calendar: SessionCalendar) -> None:
    if trading_class in VIX_MONTHLY_CLASSES:
        by_rule = vix_settlement(settlement.year, settlement.month, calendar)
        if settlement != by_rule:
            raise InvalidValueError(f"class {trading_class} settles {settlement}, by the monthly rule {by_rule}")


def _require_local_date(local_symbol: str, last_trade: date, settlement: date) -> None:
    """Compare the date inside the exchange's own name, where it has the usual form."""
    if len(local_symbol) != _OPTION_SYMBOL_LENGTH or not local_symbol[6:12].isdigit():
        return
    named = date_of(f"20{local_symbol[6:12]}")
    if named not in {last_trade, settlement}:
        raise InvalidValueError(f"named {named} in {local_symbol!r}, but trades until {last_trade}")


def date_of(text: str) -> date:
    """Return the date at the start of a broker's date text: ``YYYYMMDD``, with or without time and zone.

    Raises:
        InvalidValueError: There is none.
    """
    try:
        return datetime.strptime(text[:8], "%Y%m%d").date()  # noqa: DTZ007 - a date has no zone
    except ValueError as error:
        raise InvalidValueError(f"a date YYYYMMDD was expected, found {text!r}") from error


def query_for(instrument: Instrument, option_exchange: str) -> Contract:
    """Return the contract fields that ask for one instrument, always with its trading class."""
    contract = Contract(
        secType=instrument.kind.value,
        symbol=instrument.symbol,
        exchange=_routed(instrument, option_exchange),
        currency=instrument.currency,
    )
    if instrument.kind is Kind.STOCK:
        contract.primaryExchange = instrument.exchange
    if instrument.last_trade is not None:
        contract.tradingClass = instrument.trading_class
        contract.lastTradeDateOrContractMonth = f"{instrument.last_trade:%Y%m%d}"
        contract.multiplier = str(instrument.multiplier)
    if instrument.strike is not None and instrument.right is not None:
        contract.strike = float(instrument.strike)
        contract.right = instrument.right.value
    return contract


def _routed(instrument: Instrument, option_exchange: str) -> str:
    """Return where data and orders of a contract go: shares are consolidated, whatever exchange lists them."""
    if instrument.kind is Kind.STOCK:
        return SMART
    return option_exchange if instrument.kind is Kind.OPTION else instrument.exchange


def traded(listed: Listed) -> Contract:
    """Return the contract for orders and data: number and exchange alone, since a changed date is refused (478)."""
    return Contract(conId=listed.con_id, exchange=listed.exchange)


def combo(legs: Sequence[Leg], listed: Mapping[InstrumentKey, Listed], exchange: str) -> Contract:
    """Return the BAG of the legs as bought; each leg by number, ratio, its own side and exchange."""
    first = legs[0].instrument
    bag = Contract(secType=BAG, symbol=first.symbol, exchange=exchange, currency=first.currency)
    bag.comboLegs = [
        ComboLeg(conId=listed[leg.instrument.key].con_id, ratio=leg.ratio, action=leg.side.value, exchange=exchange)
        for leg in legs
    ]
    return bag


def last_trades_to_ask(
    trading_class: str, expirations: Sequence[str], start: date, end: date, calendar: SessionCalendar
) -> tuple[date, ...]:
    """Return the last trading days of a class whose settlement lies from ``start`` to ``end``, ascending."""
    found = []
    for text in sorted(expirations):
        last_trade = date_of(text)
        if not start - timedelta(days=10) <= last_trade <= end:
            continue  # cheap first: no closure of the exchange lasts ten days
        is_morning = trading_class in MORNING_CLASSES
        settlement = calendar.next_session(last_trade).day if is_morning else last_trade
        if start <= settlement <= end:
            found.append(last_trade)
    return tuple(found)
