"""What is listed: indices, VX and VXM futures, VIX, SPX and SPXW options, each with the details a broker tells.

Options and futures are those that settle from the first day of a run until some months after its last. Contracts are
made when somebody asks for them; the same question has the same answer at any time of a run, but for what has expired.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Final

from bot.domain.errors import InvalidValueError
from bot.domain.expiries import third_friday, vix_monthlies
from bot.domain.instrument import RUT, RVX, SPX, VIX, Instrument, Kind, Right
from bot.domain.schedule import SessionCalendar
from simulator.details import listing_of, zone_of
from simulator.hours import hours_text
from simulator.listing import ContractQuery, Listing
from simulator.numbering import INDEX_NUMBERS, local_symbol_of, name_of
from simulator.ports import OptionParameters

INDICES: Final = (SPX, RUT, VIX, RVX)
FUTURE_MULTIPLIERS: Final = {"VX": 1000, "VXM": 100}
UNDERLYINGS: Final = {"VIX": "VIX", "SPX": "SPX", "SPXW": "SPX"}
"""Option classes and their underlying."""

_VIX_REACH: Final = timedelta(days=280)
_SPX_REACH: Final = timedelta(days=200)
_SPXW_REACH: Final = timedelta(days=100)
_SPX_STRIKE_STEP: Final = 5
_SPX_STRIKE_REACH_FRAC: Final = 0.25  # strikes this far below the lowest and above the highest level of the run
_VIX_STRIKE_BANDS: Final = (("10", "25", "0.5"), ("25", "35", "1"), ("35", "50", "2.5"), ("50", "80.1", "5"))
_HOURS_AHEAD_DAYS: Final = 7
_MOST_HOURS_KEPT: Final = 4_096
_OPTION_EXCHANGES: Final = ("SMART", "CBOE")


@dataclass(frozen=True)  # no slots: cached properties need a dictionary
class Universe:
    """The contracts of a run from ``first`` to ``last`` with SPX between ``spx_bounds`` (index points)."""

    calendar: SessionCalendar
    first: date
    last: date
    spx_bounds: tuple[float, float]
    _options: dict[tuple[str, date], tuple[Instrument, ...]] = field(default_factory=dict, repr=False, compare=False)
    _hours: dict[tuple[date, str], tuple[str, str]] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def vix_settlements(self) -> tuple[date, ...]:
        """The settlement days of VIX options and of VX, ascending."""
        return tuple(vix_monthlies(self.first, self.last + _VIX_REACH, self.calendar))

    @cached_property
    def spxw_settlements(self) -> tuple[date, ...]:
        """Every Friday, or the session before it where the Friday is none."""
        return tuple(dict.fromkeys(self._fridays(self.first, self.last + _SPXW_REACH)))

    @cached_property
    def spx_settlements(self) -> tuple[date, ...]:
        """Every third Friday, in the morning, or the session before it."""
        fridays = self._fridays(self.first, self.last + _SPX_REACH)
        return tuple(day for day in fridays if day == self._on_session(third_friday(day.year, day.month)))

    @cached_property
    def futures(self) -> tuple[Instrument, ...]:
        """All VX and VXM contracts; the expiring one trades until the morning of its settlement day."""
        return tuple(
            Instrument(
                kind=Kind.FUTURE,
                symbol="VIX",
                trading_class=trading_class,
                exchange="CFE",
                multiplier=multiplier,
                settlement=settlement,
                last_trade=settlement,
            )
            for trading_class, multiplier in FUTURE_MULTIPLIERS.items()
            for settlement in self.vix_settlements
        )

    def settlements(self, trading_class: str) -> tuple[date, ...]:
        """Return the settlement days of an option class, ascending; none for an unknown class."""
        days = {"VIX": self.vix_settlements, "SPX": self.spx_settlements, "SPXW": self.spxw_settlements}
        return days.get(trading_class, ())

    @cached_property
    def vix_strikes(self) -> tuple[Decimal, ...]:
        """Strikes of VIX options, points: 10 to 80, wider apart the higher."""
        return tuple(_stepped(*_VIX_STRIKE_BANDS))

    @cached_property
    def spx_strikes(self) -> tuple[Decimal, ...]:
        """Strikes of SPX and SPXW options, points: every 5 around the levels of the run."""
        low, high = self.spx_bounds
        start = int(low * (1.0 - _SPX_STRIKE_REACH_FRAC)) // _SPX_STRIKE_STEP * _SPX_STRIKE_STEP
        stop = int(high * (1.0 + _SPX_STRIKE_REACH_FRAC)) + _SPX_STRIKE_STEP
        return tuple(Decimal(strike) for strike in range(start, stop, _SPX_STRIKE_STEP))

    def strikes(self, trading_class: str) -> tuple[Decimal, ...]:
        """Return the strikes of an option class, ascending."""
        return self.vix_strikes if trading_class == "VIX" else self.spx_strikes

    def options(self, trading_class: str, settlement: date) -> tuple[Instrument, ...]:
        """Return all options of a class and settlement, by strike, call before put; none where it is not listed."""
        found = self._options.get((trading_class, settlement))
        if found is None:
            found = tuple(
                self._option(trading_class, settlement, strike, right)
                for strike in self.strikes(trading_class)
                for right in Right
                if settlement in self.settlements(trading_class)
            )
            self._options[trading_class, settlement] = found
        return found

    def option(self, trading_class: str, settlement: date, strike: Decimal, right: Right) -> Instrument:
        """Return one option.

        Raises:
            InvalidValueError: It is not listed.
        """
        if settlement not in self.settlements(trading_class) or strike not in self.strikes(trading_class):
            raise InvalidValueError(
                f"no {trading_class} option of {settlement} at {strike}: "
                f"listed settlements are {', '.join(map(str, self.settlements(trading_class)))}"
            )
        return self._option(trading_class, settlement, strike, right)

    def is_listed(self, instrument: Instrument, today: date) -> bool:
        """Return whether a contract may be ordered today: listed, tradable, not past its last trading day."""
        if instrument.kind is Kind.INDEX or instrument.last_trade is None or instrument.last_trade < today:
            return False
        return instrument in self.futures or self._holds_option(instrument)

    def instrument(self, con_id: int) -> Instrument | None:
        """Return the contract of a number, or None when it is not listed."""
        for listed in INDICES:
            if INDEX_NUMBERS[listed.symbol] == con_id:
                return listed
        name = name_of(con_id)
        if name is None:
            return None
        if name.strike is None or name.right is None:
            dated = (future for future in self.futures if future.settlement == name.settlement)
            return next((future for future in dated if future.trading_class == name.trading_class), None)
        if name.settlement not in self.settlements(name.trading_class):
            return None
        option = self._option(name.trading_class, name.settlement, name.strike, name.right)
        return option if self._holds_option(option) else None

    def listing(self, instrument: Instrument, today: date) -> Listing:
        """Return the details of a contract as told on a day (its hours are those of the week ahead)."""
        return listing_of(instrument, self._hours_of(instrument, today), self.calendar)

    def _hours_of(self, instrument: Instrument, today: date) -> tuple[str, str]:
        """Return all and regular hours of the week ahead; worked out once a day for contracts that share them."""
        ends = instrument.last_trade
        near = ends is not None and ends < today + timedelta(days=_HOURS_AHEAD_DAYS)
        name = instrument.key if near else f"{instrument.kind}{instrument.symbol}"
        key = (today, name)
        found = self._hours.get(key)
        if found is None:
            zone, days = zone_of(instrument), _HOURS_AHEAD_DAYS
            whole, regular = (
                hours_text(instrument, today, days, zone, self.calendar, regular_only=only) for only in (False, True)
            )
            if len(self._hours) > _MOST_HOURS_KEPT:
                self._hours.clear()
            found = self._hours[key] = (whole, regular)
        return found

    def matching(self, query: ContractQuery, today: date) -> tuple[Listing, ...]:
        """Return all contracts that a query names: by number alone, by symbol and more, or by local symbol alone.

        Nothing named, a BAG, or an expired contract without ``include_expired``: no match.
        """
        if query.sec_type == "BAG":
            return ()
        if query.con_id:
            found = self.instrument(query.con_id)
            candidates = iter(() if found is None else (found,))
        elif query.symbol or query.local_symbol:
            candidates = (each for each in self._candidates(query) if _agrees(each, query))
        else:
            return ()
        return tuple(
            self.listing(each, today)
            for each in candidates
            if query.include_expired or each.last_trade is None or each.last_trade >= today
        )

    def option_parameters(self, symbol: str, sec_type: str, con_id: int, today: date) -> tuple[OptionParameters, ...]:
        """Return one row per exchange and class of an underlying; dates are last trading days not yet past."""
        if sec_type != Kind.INDEX.value or (con_id and INDEX_NUMBERS.get(symbol) != con_id):
            return ()
        classes = [name for name, underlying in UNDERLYINGS.items() if underlying == symbol]
        return tuple(
            OptionParameters(
                exchange=exchange,
                underlying_con_id=INDEX_NUMBERS[symbol],
                trading_class=name,
                multiplier="100",
                expirations=tuple(
                    f"{day:%Y%m%d}" for day in map(self._last_trade_of(name), self.settlements(name)) if day >= today
                ),
                strikes=tuple(float(strike) for strike in self.strikes(name)),
            )
            for exchange in _OPTION_EXCHANGES
            for name in classes
        )

    def search(self, pattern: str, today: date) -> tuple[Listing, ...]:
        """Return the contracts without a date whose symbol or name holds the pattern, symbols that begin with it first.

        Case does not matter; an empty pattern matches nothing.
        """
        wanted = pattern.strip().casefold()
        if not wanted:
            return ()
        found = [self.listing(each, today) for each in INDICES]
        hits = [each for each in found if wanted in f"{each.instrument.symbol} {each.long_name}".casefold()]
        return tuple(sorted(hits, key=lambda each: not each.instrument.symbol.casefold().startswith(wanted)))

    def derivative_kinds(self, instrument: Instrument) -> tuple[str, ...]:
        """Return the security types listed on an underlying: OPT and BAG where there are options, FUT."""
        kinds = ("OPT",) if instrument.symbol in UNDERLYINGS.values() else ()
        futures = ("FUT",) if any(each.symbol == instrument.symbol for each in self.futures) else ()
        return (*kinds, *futures, *(("BAG",) if kinds or futures else ()))

    def _candidates(self, query: ContractQuery) -> Iterator[Instrument]:
        """Yield what could match, narrowed by security type, class and date before options are made."""
        if query.sec_type in {"", Kind.INDEX.value}:
            yield from INDICES
        if query.sec_type in {"", Kind.FUTURE.value}:
            yield from self.futures
        if query.sec_type not in {"", Kind.OPTION.value}:
            return
        for name, symbol in UNDERLYINGS.items():
            if query.symbol not in {"", symbol} or query.trading_class not in {"", name}:
                continue
            if not query.symbol and query.local_symbol[:6].strip() != name:
                continue
            last_trade_of = self._last_trade_of(name)
            for settlement in self.settlements(name):
                if f"{last_trade_of(settlement):%Y%m%d}".startswith(query.expiry):
                    yield from self.options(name, settlement)

    def _last_trade_of(self, trading_class: str) -> "_LastTrade":
        return _LastTrade(calendar=self.calendar, morning=trading_class != "SPXW")

    def _option(self, trading_class: str, settlement: date, strike: Decimal, right: Right) -> Instrument:
        return Instrument(
            kind=Kind.OPTION,
            symbol=UNDERLYINGS[trading_class],
            trading_class=trading_class,
            exchange="CBOE",
            multiplier=100,
            settlement=settlement,
            last_trade=self._last_trade_of(trading_class)(settlement),
            strike=strike,
            right=right,
        )

    def _holds_option(self, instrument: Instrument) -> bool:
        if instrument.settlement is None or instrument.strike is None or instrument.right is None:
            return False
        if instrument.settlement not in self.settlements(instrument.trading_class):
            return False
        if instrument.strike not in self.strikes(instrument.trading_class):
            return False
        own = self._option(instrument.trading_class, instrument.settlement, instrument.strike, instrument.right)
        return own == instrument

    def _fridays(self, start: date, end: date) -> Iterator[date]:
        friday = start + timedelta(days=(4 - start.weekday()) % 7)
        while friday <= end:
            day = self._on_session(friday)
            if day >= start:
                yield day
            friday += timedelta(days=7)

    def _on_session(self, day: date) -> date:
        """Return the day itself, or the session before it."""
        return day if self.calendar.session(day) is not None else self.calendar.previous_session(day).day


@dataclass(frozen=True, slots=True, kw_only=True)
class _LastTrade:
    """From a settlement to the last trading day: the session before for classes that settle in the morning."""

    calendar: SessionCalendar
    morning: bool

    def __call__(self, settlement: date) -> date:
        return self.calendar.previous_session(settlement).day if self.morning else settlement


def _stepped(*bands: tuple[str, str, str]) -> Iterator[Decimal]:
    for start, stop, step in bands:
        strike = Decimal(start)
        while strike < Decimal(stop):
            yield strike
            strike += Decimal(step)


def _agrees(instrument: Instrument, query: ContractQuery) -> bool:
    """Return whether every stated field of a query fits a contract."""
    exchanges = {"", instrument.exchange}
    exchanges |= {"SMART"} if instrument.kind is Kind.OPTION else set()
    exchanges |= {"CBOE"} if instrument.kind is Kind.INDEX else set()
    strike = 0.0 if instrument.strike is None else float(instrument.strike)
    right = "" if instrument.right is None else instrument.right.value
    last_trade = "" if instrument.last_trade is None else f"{instrument.last_trade:%Y%m%d}"
    return (
        query.symbol in {"", instrument.symbol}
        and query.sec_type in {"", instrument.kind.value}
        and last_trade.startswith(query.expiry)
        and (not query.strike or query.strike == strike)
        and query.right[:1].upper() in {"", right}
        and query.multiplier in {"", str(instrument.multiplier)}
        and query.exchange in exchanges
        and query.currency in {"", instrument.currency}
        and query.trading_class in {"", instrument.trading_class}
        and query.local_symbol in {"", local_symbol_of(instrument)}
    )
