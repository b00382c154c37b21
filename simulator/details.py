"""Contract details: what a broker tells of a contract beside its name: rules, hours, last trade, underlying."""

from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from bot.domain.instrument import Instrument, Kind
from bot.domain.schedule import SessionCalendar
from simulator.catalogue import FUTURE_UNDERLYINGS, NAMED, Named, named
from simulator.hours import trading_hours
from simulator.listing import Listing
from simulator.numbering import local_symbol_of, number_of
from simulator.world.quotes import (
    CURRENCIES,
    RUT_OPTIONS,
    SHARE_OPTIONS,
    SHARES,
    SINGLE_SHARE_OPTIONS,
    SPX_OPTIONS,
    STOCK_INDEX_FUTURES,
    VIX_OPTIONS,
    VIX_WEEKLY_OPTIONS,
    VX_FUTURES,
    VX_WEEKLY_FUTURES,
    VXM_FUTURES,
    YEN_PAIRS,
    QuoteRule,
    rule_of,
)

_INDEX_RULE: Final = 500
_RULES: Final = (
    (501, VIX_OPTIONS),
    (502, SPX_OPTIONS),
    (503, VX_FUTURES),
    (504, VXM_FUTURES),
    (505, RUT_OPTIONS),
    (506, SHARE_OPTIONS),
    (507, SINGLE_SHARE_OPTIONS),
    (508, VIX_WEEKLY_OPTIONS),
    (509, STOCK_INDEX_FUTURES),
    (26, SHARES),
    (239, CURRENCIES),
    (512, VX_WEEKLY_FUTURES),
    (513, YEN_PAIRS),
)
_EASTERN: Final = "US/Eastern"
_CENTRAL: Final = "US/Central"
_CENT: Final = Decimal("0.01")
_FRACTION_OF_A_SHARE: Final = Decimal("0.0001")
_NO_SIZE: Final = Decimal(1)


def market_rule(rule_id: int) -> tuple[tuple[Decimal, Decimal], ...]:
    """Return rows (low edge, increment) of a market rule in points, ascending; empty when there is no such rule."""
    if rule_id == _INDEX_RULE:
        return ((Decimal(0), _CENT),)
    return next((rule.ticks for number, rule in _RULES if number == rule_id), ())


def zone_of(instrument: Instrument) -> str:
    """Return the zone in which a contract's hours are told."""
    return _CENTRAL if instrument.kind is Kind.FUTURE else _EASTERN


def listing_of(instrument: Instrument, hours: tuple[str, str], calendar: SessionCalendar) -> Listing:
    """Return the details of a contract; ``hours`` are all and the regular ones, as `hours_text` tells them."""
    known, under = named(instrument), _underlying(instrument)
    exchanges = _exchanges(instrument, known)
    rule = _INDEX_RULE if instrument.kind is Kind.INDEX else _number_of_rule(rule_of(instrument))
    zone, settlement = zone_of(instrument), instrument.settlement
    is_share = instrument.kind is Kind.STOCK
    return Listing(
        con_id=number_of(instrument),
        instrument=instrument,
        local_symbol=local_symbol_of(instrument),
        long_name=known.long_name if known is not None else under.long_name if under is not None else "",
        market_name=instrument.trading_class,
        valid_exchanges=exchanges,
        market_rule_ids=(rule,) * len(exchanges),
        min_tick=market_rule(rule)[0][1],
        time_zone=zone,
        trading_hours=hours[0],
        liquid_hours=hours[1],
        last_trade_text=_last_trade_text(instrument, zone, calendar),
        real_expiration="" if settlement is None else f"{settlement:%Y%m%d}",
        under_con_id=0 if under is None else under.con_id,
        under_symbol="" if under is None else under.instrument.symbol,
        under_sec_type="" if under is None else under.instrument.kind.value,
        primary_exchange=instrument.exchange if is_share else "",
        sec_ids=(("ISIN", known.isin),) if known is not None and known.isin else (),
        contract_month="" if settlement is None else f"{settlement:%Y%m}",
        industry="" if known is None else known.industry,
        stock_type="" if known is None else known.stock_type,
        min_size=_FRACTION_OF_A_SHARE if is_share else _NO_SIZE,
        size_increment=_FRACTION_OF_A_SHARE if is_share else _NO_SIZE,
        suggested_size_increment=Decimal(100) if is_share else _NO_SIZE,
    )


def _exchanges(instrument: Instrument, known: Named | None) -> tuple[str, ...]:
    if known is not None:
        return known.exchanges
    return ("SMART", instrument.exchange) if instrument.kind is Kind.OPTION else (instrument.exchange,)


def _number_of_rule(rule: QuoteRule) -> int:
    return next(number for number, each in _RULES if each is rule)


def _underlying(instrument: Instrument) -> Named | None:
    """Return what an option or future stands on; None for what stands on nothing."""
    if instrument.settlement is None:
        return None
    symbol = FUTURE_UNDERLYINGS.get(instrument.symbol, instrument.symbol)
    return next((each for each in NAMED if each.instrument.symbol == symbol), None)


def _last_trade_text(instrument: Instrument, zone: str, calendar: SessionCalendar) -> str:
    """Return day, hour and zone of the last trade, empty for what has no date."""
    last_trade = instrument.last_trade
    if last_trade is None:
        return ""
    told = trading_hours(instrument, last_trade, 1, calendar, regular_only=instrument.kind is Kind.OPTION)
    if not told:
        return f"{last_trade:%Y%m%d}"
    return f"{last_trade:%Y%m%d} {told[-1].closes_at.astimezone(ZoneInfo(zone)):%H:%M} {zone}"
