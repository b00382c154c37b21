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
from simulator.world.curve import LONG_RUN_VIX, vix_forward
from simulator.world.levels import Levels
from simulator.world.surface import spx_at_the_money_vol, spx_option_vol, vix_at_the_money_vol, vix_option_vol

NEW_YORK: Final = ZoneInfo("America/New_York")
MORNING: Final = time(9, 30)
AFTERNOON: Final = time(16, 0)
AFTERNOON_CLASSES: Final = frozenset({"SPXW"})
_SECONDS_PER_DAY: Final = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class WorldModel:
    """The constants behind the prices; rates and yields as fractions per year, continuously compounded."""

    rate: float = 0.04
    dividend_yield: float = 0.012
    long_run_vix: float = LONG_RUN_VIX

    def __post_init__(self) -> None:
        """Reject a world that cannot be priced."""
        require_finite(rate=self.rate, dividend_yield=self.dividend_yield)
        require_positive(long_run_vix=self.long_run_vix)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fair:
    """A contract's model value in points, with the numbers that a broker would show beside it.

    ``vol`` and ``delta`` are zero and one for what is no option; ``delta`` counts the underlying (the VIX forward, or
    SPX itself), ``underlying`` is its level.
    """

    price: float
    vol: float
    delta: float
    underlying: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """What all options of one settlement share: time left, forward, volatility at the money."""

    days: float
    years: float
    forward: float
    at_the_money: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """All prices at one moment; terms are worked out once per settlement and kept."""

    at: datetime
    levels: Levels
    model: WorldModel
    _vix_terms: dict[date, Term] = field(default_factory=dict, repr=False, compare=False)
    _spx_terms: dict[tuple[date, time], Term] = field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Reject a moment without a time zone."""
        require_aware(at=self.at)

    def fair(self, instrument: Instrument) -> Fair:
        """Return the model value of a contract.

        Raises:
            InvalidValueError: The world has no model for this contract.
        """
        if instrument.kind is Kind.INDEX:
            level = self.levels.of(instrument.symbol)
            return Fair(price=level, vol=0.0, delta=1.0, underlying=level)
        if instrument.settlement is not None and instrument.symbol == "VIX":
            return self._vix_contract(instrument, self.vix_term(instrument.settlement))
        if instrument.settlement is not None and instrument.symbol == "SPX":
            return self._spx_option(instrument, self.spx_term(instrument.settlement, instrument.trading_class))
        raise InvalidValueError(f"{instrument.key}: the simulated world has no price for it")

    def vix_term(self, settlement: date) -> Term:
        """Return time, forward and volatility of a VIX settlement, which happens at the open."""
        term = self._vix_terms.get(settlement)
        if term is None:
            days = self._days_until(settlement, MORNING)
            term = self._vix_terms[settlement] = Term(
                days=days,
                years=days / DAYS_PER_YEAR,
                forward=vix_forward(vix=self.levels.vix, days=days, long_run=self.model.long_run_vix),
                at_the_money=vix_at_the_money_vol(days=days, vix=self.levels.vix),
            )
        return term

    def spx_term(self, settlement: date, trading_class: str) -> Term:
        """Return time, forward and volatility of an SPX settlement: SPX in the morning, SPXW in the afternoon."""
        hour = AFTERNOON if trading_class in AFTERNOON_CLASSES else MORNING
        term = self._spx_terms.get((settlement, hour))
        if term is None:
            days = self._days_until(settlement, hour)
            years = days / DAYS_PER_YEAR
            model = self.model
            forward = forward_of_spot(
                spot=self.levels.spx, years=years, rate=model.rate, dividend_yield=model.dividend_yield
            )
            vol = spx_at_the_money_vol(days=days, vix=self.levels.vix, long_run=model.long_run_vix)
            term = Term(days=days, years=years, forward=forward, at_the_money=vol)
            self._spx_terms[settlement, hour] = term
        return term

    def _vix_contract(self, instrument: Instrument, term: Term) -> Fair:
        if instrument.strike is None or instrument.right is None:
            return Fair(price=term.forward, vol=0.0, delta=1.0, underlying=term.forward)
        strike = float(instrument.strike)
        vol = vix_option_vol(strike=strike, forward=term.forward, at_the_money=term.at_the_money)
        return self._option(term, strike, vol, instrument.right, underlying=term.forward)

    def _spx_option(self, instrument: Instrument, term: Term) -> Fair:
        if instrument.strike is None or instrument.right is None:
            raise InvalidValueError(f"{instrument.key}: the simulated world knows SPX options only")
        strike = float(instrument.strike)
        vol = spx_option_vol(strike=strike, forward=term.forward, years=term.years, at_the_money=term.at_the_money)
        return self._option(term, strike, vol, instrument.right, underlying=self.levels.spx)

    def _option(self, term: Term, strike: float, vol: float, right: Right, *, underlying: float) -> Fair:
        value = black76(
            forward=term.forward, strike=strike, years=term.years, vol=vol, rate=self.model.rate, right=right
        )
        delta = value.delta * term.forward / underlying
        return Fair(price=value.price, vol=vol, delta=delta, underlying=underlying)

    def _days_until(self, settlement: date, hour: time) -> float:
        return max(0.0, (_epoch_s(settlement, hour) - self.at.timestamp()) / _SECONDS_PER_DAY)


@cache
def _epoch_s(day: date, hour: time) -> float:
    """Return a New York wall time in seconds since 1970."""
    return datetime.combine(day, hour, tzinfo=NEW_YORK).timestamp()
