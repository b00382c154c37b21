"""Writing contracts: the eleven fields of orders and executions, details, positions, option chains."""

from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from bot.domain.instrument import Instrument, Kind
from simulator.listing import Listing
from simulator.ports import OptionParameters
from simulator.tws.framing import Value, frame, frame_of, text_of
from simulator.tws.resolved import Resolved
from simulator.venue import Charged, Executed, PositionChanged

_ORDER_TYPES: Final = "LMT,MKT,DAY,GTC,WHATIF,"
_NEW_YORK: Final = ZoneInfo("US/Eastern")


def contract_fields(resolved: Resolved) -> tuple[str, ...]:
    """Return conId to tradingClass, eleven texts, without a primary exchange; ``?`` where there is no right."""
    if resolved.listing is None:
        return (
            str(resolved.con_id),
            resolved.symbol,
            resolved.sec_type,
            "",
            "0.0",
            "?",
            "",
            resolved.exchange,
            resolved.currency,
            resolved.symbol,
            "COMB",
        )
    listing, instrument = resolved.listing, resolved.listing.instrument
    return (
        str(listing.con_id),
        instrument.symbol,
        instrument.kind.value,
        last_trade_day(instrument),
        strike_text(instrument),
        right_text(instrument, none="?"),
        multiplier_text(instrument),
        resolved.exchange,
        instrument.currency,
        listing.local_symbol,
        instrument.trading_class,
    )


def last_trade_day(instrument: Instrument) -> str:
    """Return YYYYMMDD of the last trading day, empty where there is none."""
    return "" if instrument.last_trade is None else f"{instrument.last_trade:%Y%m%d}"


def strike_text(instrument: Instrument) -> str:
    """Return the strike as a float, 0.0 where there is none."""
    return text_of(instrument.strike if instrument.strike is not None else 0.0)


def right_text(instrument: Instrument, *, none: str = "") -> str:
    """Return C or P, ``none`` where there is no right."""
    return none if instrument.right is None else instrument.right.value


def multiplier_text(instrument: Instrument) -> str:
    """Return the multiplier, empty for an index."""
    return "" if instrument.kind is Kind.INDEX else str(instrument.multiplier)


def contract_details(req_id: int, listing: Listing, exchange: str) -> bytes:
    """Return one row (10) in the layout of 176: 42 fields with one secId, two more for each further one.

    ``exchange`` is the one that was asked with, the contract's own when empty.
    """
    instrument = listing.instrument
    return frame(
        10,
        req_id,
        instrument.symbol,
        instrument.kind.value,
        listing.last_trade_text,
        strike_text(instrument),
        right_text(instrument),
        exchange or instrument.exchange,
        instrument.currency,
        listing.local_symbol,
        listing.market_name,
        instrument.trading_class,
        listing.con_id,
        listing.min_tick,
        multiplier_text(instrument),
        *_description(listing),
        len(listing.sec_ids),
        *(text for pair in listing.sec_ids for text in pair),
        1,  # aggGroup
        listing.under_symbol,
        listing.under_sec_type,
        ",".join(map(str, listing.market_rule_ids)),
        listing.real_expiration,
        "",  # stockType
        *(1.0, 1.0, 1.0),  # minSize, sizeIncrement, suggestedSizeIncrement
    )


def _description(listing: Listing) -> tuple[Value, ...]:
    """Return orderTypes to evMultiplier, fifteen fields."""
    return (
        _ORDER_TYPES,
        ",".join(listing.valid_exchanges),
        1,  # priceMagnifier
        listing.under_con_id,
        listing.long_name,
        listing.primary_exchange,
        listing.real_expiration[:6],  # contractMonth
        *("", "", ""),  # industry, category, subcategory
        listing.time_zone,
        listing.trading_hours,
        listing.liquid_hours,
        "",  # evRule
        0,  # evMultiplier
    )


def contract_details_end(req_id: int) -> bytes:
    """Return 52."""
    return frame(52, 1, req_id)


def option_parameters(req_id: int, row: OptionParameters) -> bytes:
    """Return 75."""
    return frame(
        75,
        req_id,
        row.exchange,
        row.underlying_con_id,
        row.trading_class,
        row.multiplier,
        len(row.expirations),
        *row.expirations,
        len(row.strikes),
        *row.strikes,
    )


def execution(req_id: int, executed: Executed, resolved: Resolved) -> bytes:
    """Return execDetails (11): 31 fields; ``req_id`` is -1 for what happens now."""
    order = executed.order
    return frame_of(
        (
            "11",
            str(req_id),
            str(order.order_id),
            *contract_fields(resolved),
            executed.exec_id,
            f"{executed.at.astimezone(_NEW_YORK):%Y%m%d %H:%M:%S} US/Eastern",
            order.account,
            resolved.exchange,
            "BOT" if executed.side.sign > 0 else "SLD",
            text_of(float(executed.quantity)),
            text_of(executed.price),
            str(executed.perm_id),
            str(order.client_id),
            "0",  # liquidation
            text_of(float(executed.cumulative)),
            text_of(executed.average_price),
            text_of(order.order_ref),
            "",  # evRule
            "",  # evMultiplier
            "",  # modelCode
            "2",  # lastLiquidity: removed liquidity
        )
    )


def commission(charged: Charged) -> bytes:
    """Return 59; the realised profit is unset where nothing was closed."""
    realized = "1.7976931348623157E308" if charged.realized_usd is None else text_of(charged.realized_usd)
    return frame(59, 1, charged.exec_id, charged.commission_usd, "USD", realized, "", "")


def position_fields(position: PositionChanged, listing: Listing) -> tuple[str, ...]:
    """Return conId to average cost of a position, twelve texts, exchange empty."""
    instrument = position.instrument
    return (
        str(listing.con_id),
        instrument.symbol,
        instrument.kind.value,
        last_trade_day(instrument),
        strike_text(instrument),
        right_text(instrument),
        multiplier_text(instrument),
        "",
        instrument.currency,
        listing.local_symbol,
        instrument.trading_class,
        text_of(float(position.quantity)),
        text_of(position.average_cost_usd),
    )


def position_row(position: PositionChanged, listing: Listing) -> bytes:
    """Return 61."""
    return frame(61, 3, position.account, *position_fields(position, listing))


def portfolio_row(position: PositionChanged, listing: Listing, price: Decimal, account: str) -> bytes:
    """Return 7 with the position's worth at a price in points; open profit is worth less cost."""
    instrument = position.instrument
    worth = position.quantity * instrument.multiplier * price
    return frame(
        7,
        8,
        listing.con_id,
        instrument.symbol,
        instrument.kind.value,
        last_trade_day(instrument),
        strike_text(instrument),
        right_text(instrument, none="0"),
        multiplier_text(instrument),
        listing.primary_exchange,
        instrument.currency,
        listing.local_symbol,
        instrument.trading_class,
        float(position.quantity),
        price,
        worth,
        position.average_cost_usd,
        worth - position.quantity * position.average_cost_usd,
        0.0,
        account,
    )
