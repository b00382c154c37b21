"""What is listed by name: indices, shares and funds, a currency pair, option classes and futures, with fixed facts.

Source: docs/ib/wire.md, section 7, and docs/contracts.md; numbers without a source there are the simulator's own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from bot.domain.instrument import RUT, RVX, SPX, VIX, Instrument, Kind, index


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A contract without a date: its number and name, for shares type and ISIN, and the exchanges it is found on."""

    instrument: Instrument
    con_id: int
    long_name: str
    stock_type: str = ""
    isin: str = ""
    industry: str = ""
    exchanges: tuple[str, ...] = ()


def _share(symbol: str, exchange: str, con_id: int, name: str, *, of: str, isin: str, industry: str = "") -> Named:
    return Named(
        instrument=Instrument(kind=Kind.STOCK, symbol=symbol, trading_class=symbol, exchange=exchange),
        con_id=con_id,
        long_name=name,
        stock_type=of,
        isin=isin,
        industry=industry,
        exchanges=("SMART", exchange, "NYSE" if exchange != "NYSE" else "ARCA"),
    )


def _index(instrument: Instrument, con_id: int, name: str, *, also: tuple[str, ...] = ()) -> Named:
    return Named(instrument=instrument, con_id=con_id, long_name=name, exchanges=(instrument.exchange, *also))


def _pair(base: str, quote: str, con_id: int, name: str) -> Named:
    pair, exchange = f"{base}.{quote}", "IDEALPRO"
    return Named(
        instrument=Instrument(kind=Kind.CASH, symbol=base, trading_class=pair, exchange=exchange, currency=quote),
        con_id=con_id,
        long_name=name,
        exchanges=(exchange,),
    )


NAMED: Final = (
    _index(SPX, 416904, "S&P 500 Stock Index"),
    _index(RUT, 416888, "Russell 2000 Stock Index", also=("CBOE",)),
    _index(VIX, 13455763, "CBOE Volatility Index"),
    _index(RVX, 26718743, "CBOE Russell 2000 Volatility Index"),
    _index(index("VVIX"), 26718744, "CBOE VIX Volatility Index"),
    _index(index("VIXMO"), 26718745, "CBOE Volatility Index from monthly options"),
    _index(index("AD-NYSE", "NYSE"), 26718746, "NYSE Advances and Declines"),
    _index(index("TICK-NYSE", "NYSE"), 26718747, "NYSE Cumulative Tick"),
    _share("SPY", "ARCA", 756733, "SPDR S&P 500 ETF Trust", of="ETF", isin="US78462F1030"),
    _share("IWM", "ARCA", 9579970, "iShares Russell 2000 ETF", of="ETF", isin="US4642876555"),
    _share("QQQ", "NASDAQ", 320227571, "Invesco QQQ Trust Series 1", of="ETF", isin="US46090E1038"),
    _share("AAPL", "NASDAQ", 265598, "Apple Inc", of="COMMON", isin="US0378331005", industry="Technology"),
    _share("AMZN", "NASDAQ", 3691937, "Amazon.com Inc", of="COMMON", isin="US0231351067", industry="Communications"),
    _share("TSLA", "NASDAQ", 76792991, "Tesla Inc", of="COMMON", isin="US88160R1014", industry="Consumer, Cyclical"),
    _share("SGOV", "ARCA", 26718748, "iShares 0-3 Month Treasury Bond ETF", of="ETF", isin="US46436E7186"),
    _share("VXX", "BATS", 26718749, "iPath Series B S&P 500 VIX Short-Term Futures ETN", of="ETN", isin="US06748M1962"),
    _share("UVXY", "BATS", 26718750, "ProShares Ultra VIX Short-Term Futures ETF", of="ETF", isin="US74347Y7554"),
    _share("SVXY", "BATS", 26718751, "ProShares Short VIX Short-Term Futures ETF", of="ETF", isin="US74347W1302"),
    _share("TLT", "NASDAQ", 15547841, "iShares 20+ Year Treasury Bond ETF", of="ETF", isin="US4642874329"),
    _share("AMD", "NASDAQ", 4391, "Advanced Micro Devices", of="COMMON", isin="US0079031078", industry="Technology"),
    _share("INTC", "NASDAQ", 270639, "Intel Corp", of="COMMON", isin="US4581401001", industry="Technology"),
    _share("MSFT", "NASDAQ", 272093, "Microsoft Corp", of="COMMON", isin="US5949181045", industry="Technology"),
    _share("NVDA", "NASDAQ", 4815747, "Nvidia Corp", of="COMMON", isin="US67066G1040", industry="Technology"),
    _share(
        "GOOG", "NASDAQ", 208813720, "Alphabet Inc-Cl C", of="COMMON", isin="US02079K1079", industry="Communications"
    ),
    _share(
        "META", "NASDAQ", 107113386, "Meta Platforms Inc", of="COMMON", isin="US30303M1027", industry="Communications"
    ),
    _share("ABNB", "NASDAQ", 459530964, "Airbnb Inc", of="COMMON", isin="US0090661010", industry="Communications"),
    _share(
        "IBKR", "NASDAQ", 43645865, "Interactive Brokers Group", of="COMMON", isin="US45841N1072", industry="Financial"
    ),
    _share("IBM", "NYSE", 8314, "Intl Business Machines Corp", of="COMMON", isin="US4592001014", industry="Technology"),
    _share("MCD", "NYSE", 9408, "McDonald's Corp", of="COMMON", isin="US5801351017", industry="Consumer, Cyclical"),
    _share(
        "BRK B", "NYSE", 72063691, "Berkshire Hathaway Inc-Cl B", of="COMMON", isin="US0846707026", industry="Financial"
    ),
    _pair("EUR", "USD", 12087792, "European Monetary Union Euro"),
    _pair("EUR", "GBP", 12087807, "European Monetary Union Euro"),
    _pair("EUR", "CHF", 12087817, "European Monetary Union Euro"),
    _pair("GBP", "USD", 12087797, "British pound"),
    _pair("AUD", "USD", 14433401, "Australian dollar"),
    _pair("NZD", "USD", 39453441, "New Zealand dollar"),
    _pair("USD", "JPY", 15016059, "United States dollar"),
    _pair("USD", "CHF", 12087820, "United States dollar"),
    _pair("USD", "CAD", 15016062, "United States dollar"),
)
BY_CLASS: Final[Mapping[tuple[Kind, str], Named]] = {
    (each.instrument.kind, each.instrument.trading_class): each for each in NAMED
}
BY_NUMBER: Final[Mapping[int, Named]] = {each.con_id: each for each in NAMED}
INDICES: Final = tuple(each.instrument for each in NAMED if each.instrument.kind is Kind.INDEX)


class Settles(Enum):
    """On which days a class settles."""

    VIX_MONTHLY = auto()  # the VIX settlement rule
    VIX_WEEKLY = auto()  # Wednesdays of weeks without a monthly, for some weeks ahead
    THIRD_FRIDAY = auto()
    DAILY = auto()  # every session for some weeks, then Fridays and month ends
    FRIDAY = auto()  # Fridays for two months, then third Fridays
    QUARTERLY = auto()  # third Fridays of March, June, September and December


@dataclass(frozen=True, slots=True, kw_only=True)
class DatedClass:
    """A class of options or futures: its underlying, when it settles, and the grid of its strikes in points."""

    name: str
    symbol: str
    exchange: str
    multiplier: int
    settles: Settles
    strike_step: str = ""  # options: the finest step, a multiple of the grid's
    code: int  # of its numbers, 1 to 15
    grid: str = ""  # options: no strike lies off this grid

    @property
    def is_option(self) -> bool:
        """Whether the class is one of options."""
        return bool(self.strike_step)


def _options(name: str, symbol: str, settles: Settles, code: int, step: str, grid: str = "") -> DatedClass:
    return DatedClass(
        name=name,
        symbol=symbol,
        exchange="CBOE",
        multiplier=100,
        settles=settles,
        strike_step=step,
        code=code,
        grid=grid or step,
    )


def _futures(name: str, symbol: str, exchange: str, multiplier: int, settles: Settles, code: int) -> DatedClass:
    return DatedClass(name=name, symbol=symbol, exchange=exchange, multiplier=multiplier, settles=settles, code=code)


WEEKLY_VX: Final = "VX#"
"""Stands for the weekly futures VX01 to VX53, named by the week of the year in which they settle."""

FUTURES: Final = (
    _futures("VX", "VIX", "CFE", 1000, Settles.VIX_MONTHLY, 1),
    _futures("VXM", "VIX", "CFE", 100, Settles.VIX_MONTHLY, 2),
    _futures(WEEKLY_VX, "VIX", "CFE", 1000, Settles.VIX_WEEKLY, 14),
    _futures("ES", "ES", "CME", 50, Settles.QUARTERLY, 12),
    _futures("MES", "MES", "CME", 5, Settles.QUARTERLY, 13),
)
OPTIONS: Final = (
    _options("VIX", "VIX", Settles.VIX_MONTHLY, 3, "0.5"),
    _options("SPX", "SPX", Settles.THIRD_FRIDAY, 4, "5"),
    _options("SPXW", "SPX", Settles.DAILY, 5, "5"),
    _options("RUT", "RUT", Settles.THIRD_FRIDAY, 6, "5"),
    _options("RUTW", "RUT", Settles.DAILY, 7, "5"),
    _options("VIXW", "VIX", Settles.VIX_WEEKLY, 8, "0.5"),
    _options("SPY", "SPY", Settles.DAILY, 9, "1"),
    _options("QQQ", "QQQ", Settles.DAILY, 10, "1"),
    _options("AAPL", "AAPL", Settles.FRIDAY, 11, "2.5", "0.5"),
)
OPTION_CLASSES: Final = {each.name: each for each in OPTIONS}
DATED: Final = {each.name: each for each in (*FUTURES, *OPTIONS)}
BY_CODE: Final = {each.code: each for each in DATED.values()}
UNDERLYINGS: Final = {each.name: each.symbol for each in OPTIONS}
"""Option classes and their underlying."""
FUTURE_UNDERLYINGS: Final = {"VIX": "VIX", "ES": "SPX", "MES": "SPX"}
"""Symbols of futures and the index behind them."""


def named(instrument: Instrument) -> Named | None:
    """Return the fixed facts of a contract without a date, None for any other."""
    found = BY_CLASS.get((instrument.kind, instrument.trading_class))
    return found if found is not None and found.instrument == instrument else None


def class_of(instrument: Instrument) -> DatedClass | None:
    """Return the class of an option or future, None where it is not listed."""
    name = instrument.trading_class
    if instrument.kind is Kind.FUTURE and name not in DATED and name.startswith("VX"):
        return DATED[WEEKLY_VX]
    return DATED.get(name)
