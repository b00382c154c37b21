"""What is listed on a run: indices, shares, a currency, futures and options, each with the details a broker tells.

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
from bot.domain.instrument import Instrument, InstrumentKey, Kind, Right
from bot.domain.schedule import SessionCalendar
from simulator.catalogue import (
    BY_NUMBER,
    FUTURE_UNDERLYINGS,
    FUTURES,
    NAMED,
    OPTION_CLASSES,
    UNDERLYINGS,
    WEEKLY_VX,
    DatedClass,
    Settles,
    named,
)
from simulator.details import listing_of, zone_of
from simulator.hours import AFTERNOON_CLASSES, hours_text
from simulator.listing import ContractQuery, Listing
from simulator.numbering import local_symbol_of, name_of, weekly_class
from simulator.ports import OptionParameters
from simulator.terms import WEEKLY_REACH, equity_strikes, fridays, settlement_days, vix_strikes
from simulator.world.related import REFERENCE_RUT, REFERENCE_SPX, SHARES

CONTINUOUS: Final = "CONTFUT"
_HOURS_AHEAD_DAYS: Final = 7
_MOST_HOURS_KEPT: Final = 4_096
_OPTION_EXCHANGES: Final = ("SMART", "CBOE")


@dataclass(frozen=True)  # no slots: cached properties need a dictionary
class Universe:
    """The contracts of a run from ``first`` to ``last`` with SPX and RUT between their bounds (index points).

    Without bounds of its own RUT is taken to stand to SPX as at the reference levels. ``only`` narrows what is
    found and may be ordered down to some contracts.
    """

    calendar: SessionCalendar
    first: date
    last: date
    spx_bounds: tuple[float, float]
    rut_bounds: tuple[float, float] | None = None
    only: frozenset[InstrumentKey] | None = None
    _options: dict[tuple[str, date], tuple[Instrument, ...]] = field(default_factory=dict, repr=False, compare=False)
    _hours: dict[tuple[date, str], tuple[str, str]] = field(default_factory=dict, repr=False, compare=False)
    _days: dict[Settles, tuple[date, ...]] = field(default_factory=dict, repr=False, compare=False)
    _strikes: dict[str, tuple[Decimal, ...]] = field(default_factory=dict, repr=False, compare=False)
    _held: dict[str, tuple[frozenset[date], frozenset[Decimal]]] = field(
        default_factory=dict, repr=False, compare=False
    )

    @cached_property
    def vix_settlements(self) -> tuple[date, ...]:
        """The settlement days of monthly VIX options and of VX, ascending."""
        return self._settlements(Settles.VIX_MONTHLY)

    @cached_property
    def spxw_fridays(self) -> tuple[date, ...]:
        """Every Friday, or the session before it where the Friday is none."""
        return fridays(self.first, self.last + WEEKLY_REACH, self.calendar)

    @cached_property
    def futures(self) -> tuple[Instrument, ...]:
        """All futures; an expiring one trades until the morning of its settlement day."""
        return tuple(
            Instrument(
                kind=Kind.FUTURE,
                symbol=listed.symbol,
                trading_class=weekly_class(settlement) if listed.name == WEEKLY_VX else listed.name,
                exchange=listed.exchange,
                multiplier=listed.multiplier,
                settlement=settlement,
                last_trade=settlement,
            )
            for listed in FUTURES
            for settlement in self._settlements(listed.settles)
        )

    def settlements(self, trading_class: str) -> tuple[date, ...]:
        """Return the settlement days of an option class, ascending; none for an unknown class."""
        listed = OPTION_CLASSES.get(trading_class)
        return () if listed is None else self._settlements(listed.settles)

    def strikes(self, trading_class: str) -> tuple[Decimal, ...]:
        """Return the strikes of an option class, ascending; none for an unknown class."""
        found = self._strikes.get(trading_class)
        if found is None:
            listed = OPTION_CLASSES.get(trading_class)
            found = self._strikes[trading_class] = () if listed is None else self._fresh_strikes(listed)
        return found

    def options(self, trading_class: str, settlement: date) -> tuple[Instrument, ...]:
        """Return all options of a class and settlement, by strike, call before put; none where it is not listed."""
        found = self._options.get((trading_class, settlement))
        if found is None:
            found = tuple(
                self._option(trading_class, settlement, strike, right)
                for strike in (self.strikes(trading_class) if settlement in self.settlements(trading_class) else ())
                for right in Right
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
        if instrument.kind is Kind.INDEX or not self._is_offered(instrument):
            return False
        if instrument.last_trade is None:
            return named(instrument) is not None
        if instrument.last_trade < today:
            return False
        return instrument in self._future_set if instrument.kind is Kind.FUTURE else self._holds_option(instrument)

    def instrument(self, con_id: int) -> Instrument | None:
        """Return the contract of a number, or None when it is not listed."""
        fixed = BY_NUMBER.get(con_id)
        if fixed is not None:
            return fixed.instrument
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

    def matching(self, query: ContractQuery, today: date) -> tuple[Listing, ...]:
        """Return all contracts that a query names: by number alone, by symbol and more, local symbol or ISIN alone.

        CONTFUT names the future of a symbol that settles next. Nothing named, a BAG, or an expired contract without
        ``include_expired``: no match.
        """
        if query.sec_type == "BAG":
            return ()
        if query.con_id:
            found = self.instrument(query.con_id)
            candidates = iter(() if found is None else (found,))
        elif query.symbol or query.local_symbol or query.sec_id:
            candidates = (each for each in self._candidates(query) if _agrees(each, query))
        else:
            return ()
        live = [
            each
            for each in filter(self._is_offered, candidates)
            if query.include_expired or each.last_trade is None or each.last_trade >= today
        ]
        if query.sec_type == CONTINUOUS:
            live = _front(live)
        return tuple(self.listing(each, today) for each in live)

    def option_parameters(self, symbol: str, sec_type: str, con_id: int, today: date) -> tuple[OptionParameters, ...]:
        """Return one row per exchange and class of an underlying; dates are last trading days not yet past."""
        under = next(
            (each for each in NAMED if each.instrument.symbol == symbol and each.instrument.kind == sec_type), None
        )
        if under is None or (con_id and under.con_id != con_id):
            return ()
        return tuple(
            OptionParameters(
                exchange=exchange,
                underlying_con_id=under.con_id,
                trading_class=name,
                multiplier="100",
                expirations=tuple(
                    f"{day:%Y%m%d}" for day in map(self._last_trade_of(name), self.settlements(name)) if day >= today
                ),
                strikes=tuple(float(strike) for strike in self.strikes(name)),
            )
            for exchange in _OPTION_EXCHANGES
            for name, underlying in UNDERLYINGS.items()
            if underlying == symbol
        )

    def search(self, pattern: str, today: date) -> tuple[Listing, ...]:
        """Return the contracts without a date whose symbol or name holds the pattern, symbols that begin with it first.

        Case does not matter; an empty pattern matches nothing.
        """
        wanted = pattern.strip().casefold()
        if not wanted:
            return ()
        hits = [each for each in NAMED if wanted in f"{each.instrument.trading_class} {each.long_name}".casefold()]
        hits.sort(key=lambda each: not each.instrument.symbol.casefold().startswith(wanted))
        return tuple(self.listing(each.instrument, today) for each in hits)

    def derivative_kinds(self, instrument: Instrument) -> tuple[str, ...]:
        """Return the security types listed on an underlying: OPT, FUT, and BAG where there is either."""
        symbol = instrument.symbol
        kinds = ("OPT",) if symbol in UNDERLYINGS.values() else ()
        futures = ("FUT",) if instrument.kind is Kind.INDEX and symbol in FUTURE_UNDERLYINGS.values() else ()
        return (*kinds, *futures, *(("BAG",) if kinds or futures else ()))

    def _is_offered(self, instrument: Instrument) -> bool:
        return self.only is None or instrument.key in self.only

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

    @cached_property
    def _future_set(self) -> frozenset[Instrument]:
        return frozenset(self.futures)

    def _settlements(self, rule: Settles) -> tuple[date, ...]:
        found = self._days.get(rule)
        if found is None:
            found = self._days[rule] = settlement_days(rule, self.first, self.last, self.calendar)
        return found

    def _fresh_strikes(self, listed: DatedClass) -> tuple[Decimal, ...]:
        if listed.symbol == "VIX":
            return vix_strikes()
        low, high = self._bounds_of(listed.symbol)
        return equity_strikes(low, high, Decimal(listed.strike_step))

    def _bounds_of(self, symbol: str) -> tuple[float, float]:
        """Return the lowest and highest level of an underlying on this run, of a share with room for its own noise."""
        low, high = self.spx_bounds
        if symbol == "SPX":
            return low, high
        if symbol == "RUT":
            ratio = REFERENCE_RUT / REFERENCE_SPX
            return self.rut_bounds or (low * ratio, high * ratio)
        share = SHARES[symbol]
        near, far = sorted(share.price * (level / REFERENCE_SPX) ** share.beta for level in (low, high))
        return near * (1.0 - share.own), far * (1.0 + share.own)

    def _candidates(self, query: ContractQuery) -> Iterator[Instrument]:
        """Yield what could match, narrowed by security type, class and date before options are made."""
        yield from (each.instrument for each in NAMED)
        if query.sec_type in {"", Kind.FUTURE.value, CONTINUOUS}:
            yield from self.futures
        if query.sec_type not in {"", Kind.OPTION.value} or query.sec_id:
            return
        for name, symbol in UNDERLYINGS.items():
            if query.symbol not in {"", symbol} or query.trading_class not in {"", name}:
                continue
            if not query.symbol and query.local_symbol[:6].strip() != name:
                continue
            last_trade_of, dated = self._last_trade_of(name), query.local_symbol[6:12]
            for settlement in self.settlements(name):
                if dated in {"", f"{settlement:%y%m%d}"} and f"{last_trade_of(settlement):%Y%m%d}".startswith(
                    query.expiry
                ):
                    yield from self.options(name, settlement)

    def _last_trade_of(self, trading_class: str) -> "_LastTrade":
        return _LastTrade(calendar=self.calendar, morning=trading_class not in AFTERNOON_CLASSES)

    def _option(self, trading_class: str, settlement: date, strike: Decimal, right: Right) -> Instrument:
        listed = OPTION_CLASSES[trading_class]
        return Instrument(
            kind=Kind.OPTION,
            symbol=listed.symbol,
            trading_class=trading_class,
            exchange=listed.exchange,
            multiplier=listed.multiplier,
            settlement=settlement,
            last_trade=self._last_trade_of(trading_class)(settlement),
            strike=strike,
            right=right,
        )

    def _holds_option(self, instrument: Instrument) -> bool:
        name = instrument.trading_class
        if name not in OPTION_CLASSES or instrument.strike is None or instrument.right is None:
            return False
        held = self._held.get(name)
        if held is None:
            held = self._held[name] = (frozenset(self.settlements(name)), frozenset(self.strikes(name)))
        settlement = instrument.settlement
        if settlement is None or settlement not in held[0] or instrument.strike not in held[1]:
            return False
        return self._option(name, settlement, instrument.strike, instrument.right) == instrument


@dataclass(frozen=True, slots=True, kw_only=True)
class _LastTrade:
    """From a settlement to the last trading day: the session before for classes that settle in the morning."""

    calendar: SessionCalendar
    morning: bool

    def __call__(self, settlement: date) -> date:
        return self.calendar.previous_session(settlement).day if self.morning else settlement


def _front(live: list[Instrument]) -> list[Instrument]:
    """Return the future of each class but the weeklies that settles next."""
    found: dict[str, Instrument] = {}
    for each in sorted(live, key=lambda one: one.settlement or date.max):
        if each.trading_class in {"VX", "VXM", "ES", "MES"}:
            found.setdefault(each.trading_class, each)
    return list(found.values())


def _agrees(instrument: Instrument, query: ContractQuery) -> bool:
    """Return whether every stated field of a query fits a contract."""
    known = named(instrument)
    strike = 0.0 if instrument.strike is None else float(instrument.strike)
    right = "" if instrument.right is None else instrument.right.value
    last_trade = "" if instrument.last_trade is None else f"{instrument.last_trade:%Y%m%d}"
    kinds = {"", instrument.kind.value, *((CONTINUOUS,) if instrument.kind is Kind.FUTURE else ())}
    return (
        query.symbol in {"", instrument.symbol}
        and query.sec_type in kinds
        and last_trade.startswith(query.expiry)
        and (not query.strike or query.strike == strike)
        and query.right[:1].upper() in {"", right}
        and query.multiplier in {"", str(instrument.multiplier)}
        and query.exchange in _exchanges_of(instrument)
        and query.primary_exchange in _exchanges_of(instrument)
        and query.currency in {"", instrument.currency}
        and query.trading_class in {"", instrument.trading_class}
        and query.local_symbol in {"", local_symbol_of(instrument)}
        and (not query.sec_id or (known is not None and known.isin == query.sec_id and query.sec_id_type == "ISIN"))
    )


def _exchanges_of(instrument: Instrument) -> frozenset[str]:
    """Return the exchanges under which a contract is found, none stated included."""
    known = named(instrument)
    if known is not None:
        return frozenset({"", *known.exchanges})
    smart = {"SMART"} if instrument.kind is Kind.OPTION else set()
    return frozenset({"", instrument.exchange, *smart})
