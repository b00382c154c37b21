"""Contract details: what a broker tells of a contract beside its name: rules, hours, last trade, underlying."""

from datetime import timedelta
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from bot.domain.instrument import Instrument, Kind
from bot.domain.schedule import SessionCalendar
from simulator.listing import Listing
from simulator.numbering import INDEX_NUMBERS, local_symbol_of, number_of
from simulator.world.quotes import QUOTE_RULES

_LONG_NAMES: Final = {
    "SPX": "S&P 500 Stock Index",
    "RUT": "Russell 2000 Stock Index",
    "VIX": "CBOE Volatility Index",
    "RVX": "CBOE Russell 2000 Volatility Index",
}
_INDEX_RULE: Final = 500
_RULE_NUMBERS: Final = {"VIX": 501, "SPX": 502, "SPXW": 502, "VX": 503, "VXM": 504}
_EASTERN: Final = "US/Eastern"
_CENTRAL: Final = "US/Central"
_CENT: Final = Decimal("0.01")


def market_rule(rule_id: int) -> tuple[tuple[Decimal, Decimal], ...]:
    """Return rows (low edge, increment) of a market rule in points, ascending; empty when there is no such rule."""
    if rule_id == _INDEX_RULE:
        return ((Decimal(0), _CENT),)
    trading_class = next((name for name, number in _RULE_NUMBERS.items() if number == rule_id), None)
    return () if trading_class is None else QUOTE_RULES[trading_class].ticks


def zone_of(instrument: Instrument) -> str:
    """Return the zone in which a contract's hours are told."""
    return _CENTRAL if instrument.kind is Kind.FUTURE else _EASTERN


def listing_of(instrument: Instrument, hours: tuple[str, str], calendar: SessionCalendar) -> Listing:
    """Return the details of a contract; ``hours`` are all and the regular ones, as `hours_text` tells them."""
    is_index, is_option = instrument.kind is Kind.INDEX, instrument.kind is Kind.OPTION
    zone = zone_of(instrument)
    exchanges = ("SMART", instrument.exchange) if is_option else (instrument.exchange,)
    rule = _INDEX_RULE if is_index else _RULE_NUMBERS[instrument.trading_class]
    return Listing(
        con_id=number_of(instrument),
        instrument=instrument,
        local_symbol=local_symbol_of(instrument),
        long_name=_LONG_NAMES[instrument.symbol],
        market_name=instrument.trading_class,
        valid_exchanges=exchanges,
        market_rule_ids=(rule,) * len(exchanges),
        min_tick=market_rule(rule)[0][1],
        time_zone=zone,
        trading_hours=hours[0],
        liquid_hours=hours[1],
        last_trade_text=_last_trade_text(instrument, zone, calendar),
        real_expiration="" if instrument.settlement is None else f"{instrument.settlement:%Y%m%d}",
        under_con_id=0 if is_index else INDEX_NUMBERS[instrument.symbol],
        under_symbol="" if is_index else instrument.symbol,
        under_sec_type="" if is_index else Kind.INDEX.value,
    )


def _last_trade_text(instrument: Instrument, zone: str, calendar: SessionCalendar) -> str:
    """Return day, hour and zone of the last trade, empty for an index."""
    last_trade = instrument.last_trade
    if last_trade is None:
        return ""
    if instrument.kind is Kind.FUTURE:
        return f"{last_trade:%Y%m%d} 08:00 {zone}"
    session = calendar.session(last_trade)
    if session is None:
        return f"{last_trade:%Y%m%d}"
    closes = session.closes_at.astimezone(ZoneInfo("America/New_York"))
    if last_trade == instrument.settlement:  # an expiring afternoon class stops with the stock market
        closes -= timedelta(minutes=15)
    return f"{last_trade:%Y%m%d} {closes:%H:%M} {zone}"
