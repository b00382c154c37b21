"""Telling contracts: the eleven fields of orders and executions, details, positions, option chains."""

from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from bot.domain.instrument import Instrument, Kind
from simulator.listing import Listing
from simulator.ports import OptionParameters
from simulator.tws.answers.account import Portfolio, Position, PositionMulti
from simulator.tws.answers.contract import ContractText
from simulator.tws.answers.lookup import ContractDetails, OptionRow, Pair
from simulator.tws.answers.orders import Commission, Execution
from simulator.tws.layout import Record
from simulator.tws.resolved import Resolved
from simulator.venue import Charged, Executed, OrderType, PositionChanged

NEW_YORK: Final = ZoneInfo("US/Eastern")
_ORDER_TYPES: Final = (*(kind.value for kind in OrderType), "ALGO", "COND", "WHATIF")
_WITHOUT_MULTIPLIER: Final = frozenset({Kind.INDEX, Kind.STOCK, Kind.CASH})


def contract_text(resolved: Resolved) -> ContractText:
    """Return the contract of an order or an execution; right ``?`` where there is none."""
    if resolved.listing is None:
        return ContractText(
            con_id=resolved.con_id,
            symbol=resolved.symbol,
            sec_type=resolved.sec_type,
            exchange=resolved.exchange,
            currency=resolved.currency,
            local_symbol=resolved.symbol,
            trading_class="COMB",
        )
    return _listed(resolved.listing, exchange=resolved.exchange, no_right="?")


def contract_fields(resolved: Resolved) -> tuple[str, ...]:
    """Return conId to tradingClass, eleven texts."""
    texts: list[str] = []
    Record(ContractText).write(contract_text(resolved), texts, 0)
    return tuple(texts)


def last_trade_day(instrument: Instrument) -> str:
    """Return YYYYMMDD of the last trading day, empty where there is none."""
    return "" if instrument.last_trade is None else f"{instrument.last_trade:%Y%m%d}"


def right_text(instrument: Instrument, *, none: str = "") -> str:
    """Return C or P, ``none`` where there is no right."""
    return none if instrument.right is None else instrument.right.value


def multiplier_text(instrument: Instrument) -> str:
    """Return the multiplier, empty for an index, a share and a currency pair."""
    return "" if instrument.kind in _WITHOUT_MULTIPLIER else str(instrument.multiplier)


def strike_of(instrument: Instrument) -> float:
    """Return the strike, 0.0 where there is none."""
    return 0.0 if instrument.strike is None else float(instrument.strike)


def contract_details(req_id: int, listing: Listing, exchange: str) -> ContractDetails:
    """Return one row (10); ``exchange`` is the one that was asked with, the contract's own when empty."""
    instrument = listing.instrument
    return ContractDetails(
        req_id=req_id,
        symbol=instrument.symbol,
        sec_type=instrument.kind.value,
        last_trade=listing.last_trade_text,
        strike=strike_of(instrument),
        right=right_text(instrument),
        exchange=exchange or instrument.exchange,
        currency=instrument.currency,
        local_symbol=listing.local_symbol,
        market_name=listing.market_name,
        trading_class=instrument.trading_class,
        con_id=listing.con_id,
        min_tick=listing.min_tick,
        multiplier=multiplier_text(instrument),
        price_magnifier=1,
        ev_rule="",
        ev_multiplier=0,
        agg_group=1,
        **_description(listing),
        **_origin(listing),
        **_sizes(listing),
    )


def _description(listing: Listing) -> dict[str, Any]:
    """Return names, exchanges, hours and trade of a contract."""
    return {
        "order_types": ",".join(listing.order_types or _ORDER_TYPES),
        "valid_exchanges": ",".join(listing.valid_exchanges),
        "long_name": listing.long_name,
        "primary_exchange": listing.primary_exchange,
        "contract_month": listing.contract_month or listing.real_expiration[:6],
        "industry": listing.industry,
        "category": listing.category,
        "subcategory": listing.subcategory,
        "time_zone": listing.time_zone,
        "trading_hours": listing.trading_hours,
        "liquid_hours": listing.liquid_hours,
        "market_rule_ids": ",".join(map(str, listing.market_rule_ids)),
        "real_expiration": listing.real_expiration,
        "stock_type": listing.stock_type,
    }


def _origin(listing: Listing) -> dict[str, Any]:
    """Return what a contract derives from, and its security ids."""
    return {
        "under_con_id": listing.under_con_id,
        "under_symbol": listing.under_symbol,
        "under_sec_type": listing.under_sec_type,
        "sec_ids": tuple(Pair(tag=tag, value=value) for tag, value in listing.sec_ids),
    }


def _sizes(listing: Listing) -> dict[str, Any]:
    return {
        "size_at_163": listing.min_size,
        "min_size": listing.min_size,
        "size_increment": listing.size_increment,
        "suggested_size": listing.suggested_size_increment,
    }


def option_row(req_id: int, row: OptionParameters) -> OptionRow:
    """Return 75."""
    return OptionRow(
        req_id=req_id,
        exchange=row.exchange,
        con_id=row.underlying_con_id,
        trading_class=row.trading_class,
        multiplier=row.multiplier,
        expirations=row.expirations,
        strikes=row.strikes,
    )


def execution(req_id: int, executed: Executed, resolved: Resolved) -> Execution:
    """Return 11; ``req_id`` is -1 for what happens now."""
    order = executed.order
    return Execution(
        req_id=req_id,
        order_id=order.order_id,
        contract=contract_text(resolved),
        exec_id=executed.exec_id,
        at=f"{executed.at.astimezone(NEW_YORK):%Y%m%d %H:%M:%S} US/Eastern",
        account=order.account,
        exchange=resolved.exchange,
        side="BOT" if executed.side.sign > 0 else "SLD",
        quantity=executed.quantity,
        price=executed.price,
        perm_id=executed.perm_id,
        client_id=order.client_id,
        liquidation=0,
        cumulative=executed.cumulative,
        average_price=executed.average_price,
        order_ref=order.order_ref,
    )


def commission(charged: Charged) -> Commission:
    """Return 59; the realised profit is unset where nothing was closed."""
    return Commission(
        exec_id=charged.exec_id, commission=charged.commission_usd, currency="USD", realized=charged.realized_usd
    )


def position_row(position: PositionChanged, listing: Listing) -> Position:
    """Return 61."""
    return Position(
        account=position.account,
        contract=_listed(listing),
        quantity=position.quantity,
        average_cost=position.average_cost_usd,
    )


def position_multi_row(req_id: int, model: str, position: PositionChanged, listing: Listing) -> PositionMulti:
    """Return 71."""
    return PositionMulti(
        req_id=req_id,
        account=position.account,
        contract=_listed(listing),
        quantity=position.quantity,
        average_cost=position.average_cost_usd,
        model=model,
    )


def portfolio_row(position: PositionChanged, listing: Listing, price: Decimal, realized_usd: Decimal) -> Portfolio:
    """Return 7 with the position's worth at a price in points; open profit is worth less cost."""
    instrument = position.instrument
    worth = position.quantity * instrument.multiplier * price
    return Portfolio(
        con_id=listing.con_id,
        symbol=instrument.symbol,
        sec_type=instrument.kind.value,
        expiry=last_trade_day(instrument),
        strike=strike_of(instrument),
        right=right_text(instrument, none="0"),
        multiplier=multiplier_text(instrument),
        primary_exchange=listing.primary_exchange,
        currency=instrument.currency,
        local_symbol=listing.local_symbol,
        trading_class=instrument.trading_class,
        quantity=position.quantity,
        price=price,
        worth=worth,
        average_cost=position.average_cost_usd,
        unrealized=worth - position.quantity * position.average_cost_usd,
        realized=realized_usd,
        account=position.account,
    )


def _listed(listing: Listing, *, exchange: str = "", no_right: str = "") -> ContractText:
    instrument = listing.instrument
    return ContractText(
        con_id=listing.con_id,
        symbol=instrument.symbol,
        sec_type=instrument.kind.value,
        expiry=last_trade_day(instrument),
        strike=strike_of(instrument),
        right=right_text(instrument, none=no_right),
        multiplier=multiplier_text(instrument),
        exchange=exchange,
        currency=instrument.currency,
        local_symbol=listing.local_symbol,
        trading_class=instrument.trading_class,
    )
