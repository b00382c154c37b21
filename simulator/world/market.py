"""The state of the market at one moment: four index levels, and from them the fair value of every contract."""

from dataclasses import dataclass, field
from datetime import date, datetime, time
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo

from bot.domain.checks import require_aware, require_finite, require_positive
from bot.domain.errors import InvalidValueError
from bot.domain.instrument import Instrument, Kind, Right
from bot.pricing import DAYS_PER_YEAR, black76, forward_of_spot
from simulator.hours import AFTERNOON_CLASSES
from simulator.world import related
from simulator.world.curve import LONG_RUN_VIX, vix_forward
from simulator.world.levels import SYMBOLS, Levels
from simulator.world.surface import (
    equity_at_the_money_vol,
    equity_option_vol,
    vix_at_the_money_vol,
    vix_option_vol,
)

NEW_YORK: Final = ZoneInfo("America/New_York")
MORNING: Final = time(9, 30)
AFTERNOON: Final = time(16, 0)
_SECONDS_PER_DAY: Final = 86_400.0
NIGHT_STEP_S: Final = 60
"""Seconds between two steps of a night that is played: quotes move seldom then, and a night has some 1,000 steps."""
_HOURS_LIE_ON_S: Final = 300
"""Every opening and closing outside the regular session lies on a multiple of so many seconds."""
_STOCK_INDEX_FUTURES: Final = frozenset({"ES", "MES"})
_FUTURES: Final = _STOCK_INDEX_FUTURES | {"VIX"}


@dataclass(frozen=True, slots=True, kw_only=True)
class WorldModel:
    """The constants behind the prices; rates and yields as fractions per year, continuously compounded."""

    rate: float = 0.04
    dividend_yield: float = 0.012
    long_run_vix: float = LONG_RUN_VIX
    long_run_rvx: float = LONG_RUN_VIX + 5.5
    noise_seed: int = 0  # of prices that have noise of their own
    night_step_s: int | None = None  # seconds between two steps from a close to the next open; None: no prices then

    def __post_init__(self) -> None:
        """Reject a world that cannot be priced."""
        require_finite(rate=self.rate, dividend_yield=self.dividend_yield)
        require_positive(long_run_vix=self.long_run_vix, long_run_rvx=self.long_run_rvx)
        if self.night_step_s is not None and (self.night_step_s <= 0 or _HOURS_LIE_ON_S % self.night_step_s):
            raise InvalidValueError(f"night_step_s must divide {_HOURS_LIE_ON_S}, was {self.night_step_s}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fair:
    """A contract's model value in points, with the numbers that a broker would show beside it.

    ``vol`` and ``delta`` are zero and one for what is no option; ``delta`` and ``gamma`` count the underlying (the VIX
    forward, or the index or share itself), ``underlying`` is its level; ``vega`` per volatility point, ``theta`` a day.
    """

    price: float
    vol: float
    delta: float
    underlying: float
    gamma: float = 0.0
    vega: float = 0.0
    theta: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """What all options of one settlement share: time left, forward, its spot, volatility at the money."""

    days: float
    years: float
    forward: float
    at_the_money: float
    spot: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """All prices at one moment; terms are worked out once per settlement and kept.

    ``closes`` are the levels of the session before, against which breadth counts.
    """

    at: datetime
    levels: Levels
    model: WorldModel
    closes: Levels | None = None
    _vix_terms: dict[date, Term] = field(default_factory=dict, repr=False, compare=False)
    _equity_terms: dict[tuple[str, date, time], Term] = field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Reject a moment without a time zone."""
        require_aware(at=self.at)

    def fair(self, instrument: Instrument) -> Fair:
        """Return the model value of a contract.

        Raises:
            InvalidValueError: The world has no model for this contract.
        """
        if instrument.kind is Kind.OPTION or instrument.kind is Kind.FUTURE:
            if instrument.kind is Kind.OPTION or instrument.symbol in _FUTURES:
                return self._dated(instrument)
            raise InvalidValueError(f"{instrument.key}: the simulated world has no price for it")
        level = self.spot(instrument.symbol if instrument.kind is not Kind.CASH else instrument.trading_class)
        return Fair(price=level, vol=0.0, delta=1.0, underlying=level)

    def spot(self, symbol: str) -> float:
        """Return the level of an index, the price of a share, or the rate of a currency pair.

        Raises:
            InvalidValueError: The world knows no such symbol.
        """
        if symbol in SYMBOLS:
            return self.levels.of(symbol)
        at_s, seed, levels = self.at.timestamp(), self.model.noise_seed, self.levels
        if symbol in related.SHARES:
            return related.share_price(symbol, levels, at_s=at_s, seed=seed, long_run=self.model.long_run_vix)
        if symbol == "VVIX":
            return related.vvix(levels, at_s=at_s, seed=seed)
        if symbol == "VIXMO":
            return related.vixmo(levels, long_run=self.model.long_run_vix)
        if symbol == "TICK-NYSE":
            return related.tick(levels, at_s=at_s, seed=seed)
        if symbol in related.CURRENCIES:
            return related.currency_rate(symbol, at_s=at_s, seed=seed)
        raise InvalidValueError(f"{symbol}: the simulated world has no price for it")

    def breadth(self) -> related.Breadth:
        """Return the advances and declines of the New York exchange since the last close."""
        closes = self.closes or self.levels
        return related.breadth(self.levels, closes, at_s=self.at.timestamp(), seed=self.model.noise_seed)

    def index_vol(self, symbol: str) -> float:
        """Return the 30-day volatility of an underlying's options, points."""
        if symbol in {"RUT", "IWM"}:
            return self.levels.small_cap_vol
        share = related.SHARES.get(symbol)
        if symbol == "VIX" or (share is not None and share.index == "VX"):
            return self.spot("VVIX")
        return self.levels.vix * (1.0 if share is None else share.vol)

    def vix_term(self, settlement: date) -> Term:
        """Return time, forward and volatility of a VIX settlement, which happens at the open."""
        term = self._vix_terms.get(settlement)
        if term is None:
            days = self._days_until(settlement, MORNING)
            forward = vix_forward(vix=self.levels.vix, days=days, long_run=self.model.long_run_vix)
            term = self._vix_terms[settlement] = Term(
                days=days,
                years=days / DAYS_PER_YEAR,
                forward=forward,
                at_the_money=vix_at_the_money_vol(days=days, vix=self.levels.vix),
                spot=forward,
            )
        return term

    def equity_term(self, symbol: str, settlement: date, trading_class: str) -> Term:
        """Return time, forward and volatility of an index or share settlement, in the morning or at the close."""
        hour = AFTERNOON if trading_class in AFTERNOON_CLASSES else MORNING
        term = self._equity_terms.get((symbol, settlement, hour))
        if term is None:
            days, spot, model = self._days_until(settlement, hour), self.spot(symbol), self.model
            years = days / DAYS_PER_YEAR
            forward = forward_of_spot(spot=spot, years=years, rate=model.rate, dividend_yield=model.dividend_yield)
            long_run = model.long_run_rvx if symbol == "RUT" else model.long_run_vix * self._share_vol(symbol)
            vol = equity_at_the_money_vol(days=days, index=self.index_vol(symbol), long_run=long_run)
            term = Term(days=days, years=years, forward=forward, at_the_money=vol, spot=spot)
            self._equity_terms[symbol, settlement, hour] = term
        return term

    def term_of(self, instrument: Instrument) -> Term | None:
        """Return the term of a dated contract, None for anything else."""
        if instrument.settlement is None:
            return None
        if instrument.symbol == "VIX":
            return self.vix_term(instrument.settlement)
        return self.equity_term(_underlying(instrument), instrument.settlement, instrument.trading_class)

    def underlying(self, instrument: Instrument) -> float:
        """Return the level of the index or share that a dated contract is on."""
        return self.spot(_underlying(instrument))

    def _share_vol(self, symbol: str) -> float:
        share = related.SHARES.get(symbol)
        return 1.0 if share is None else share.vol

    def vol(self, instrument: Instrument, term: Term) -> float:
        """Return the model's volatility of an option of a term, a fraction per year; 0 for what is no option."""
        if instrument.strike is None:
            return 0.0
        strike = float(instrument.strike)
        if instrument.symbol == "VIX":
            return vix_option_vol(strike=strike, forward=term.forward, at_the_money=term.at_the_money)
        return equity_option_vol(strike=strike, forward=term.forward, years=term.years, at_the_money=term.at_the_money)

    def _dated(self, instrument: Instrument) -> Fair:
        term = self.term_of(instrument)
        if term is None:
            raise InvalidValueError(f"{instrument.key}: the simulated world prices dated contracts only")
        if instrument.strike is None or instrument.right is None:
            return Fair(price=term.forward, vol=0.0, delta=1.0, underlying=term.spot)
        return self._option(term, float(instrument.strike), self.vol(instrument, term), instrument.right)

    def _option(self, term: Term, strike: float, vol: float, right: Right) -> Fair:
        value = black76(
            forward=term.forward, strike=strike, years=term.years, vol=vol, rate=self.model.rate, right=right
        )
        growth = term.forward / term.spot
        return Fair(
            price=value.price,
            vol=vol,
            delta=value.delta * growth,
            underlying=term.spot,
            gamma=value.gamma * growth * growth,
            vega=value.vega,
            theta=value.theta,
        )

    def _days_until(self, settlement: date, hour: time) -> float:
        return max(0.0, (_epoch_s(settlement, hour) - self.at.timestamp()) / _SECONDS_PER_DAY)


def _underlying(instrument: Instrument) -> str:
    return "SPX" if instrument.symbol in _STOCK_INDEX_FUTURES else instrument.symbol


@cache
def _epoch_s(day: date, hour: time) -> float:
    """Return a New York wall time in seconds since 1970."""
    return datetime.combine(day, hour, tzinfo=NEW_YORK).timestamp()
