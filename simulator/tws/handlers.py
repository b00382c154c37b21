"""Which desk answers which request: a table for each desk."""

from collections.abc import Callable, Mapping
from typing import Any

from simulator.tws.accounting import AccountDesk
from simulator.tws.calculators import CalculatorDesk
from simulator.tws.history import HistoryDesk
from simulator.tws.looking_up import ContractDesk
from simulator.tws.profit import ProfitDesk
from simulator.tws.requests import account, history, login, lookup, orders, prices
from simulator.tws.tape import TapeDesk
from simulator.tws.trading import OrderDesk
from simulator.tws.watching import QuoteDesk

Handlers = Mapping[type[Any], Callable[[Any], None]]


def order_handlers(desk: OrderDesk) -> Handlers:
    """Return who answers what is asked about orders."""
    return {
        orders.ReqIds: desk.next_id,
        orders.ReqOpenOrders: desk.own_open_orders,
        orders.ReqAllOpenOrders: desk.all_open_orders,
        orders.ReqAutoOpenOrders: desk.bind_manual_orders,
        orders.ReqCompletedOrders: desk.completed_orders,
        orders.ReqExecutions: desk.executions,
        orders.CancelOrder: desk.cancel,
        orders.GlobalCancel: desk.cancel_all,
    }


def account_handlers(desk: AccountDesk) -> Handlers:
    """Return who answers what is asked about the account."""
    return {
        login.ReqManagedAccounts: desk.managed_accounts,
        account.ReqPositions: desk.positions,
        account.CancelPositions: desk.cancel_positions,
        account.ReqPositionsMulti: desk.positions_multi,
        account.CancelPositionsMulti: desk.cancel_positions_multi,
        account.ReqAccountUpdates: desk.updates,
        account.ReqAccountUpdatesMulti: desk.updates_multi,
        account.CancelAccountUpdatesMulti: desk.cancel_updates_multi,
        account.ReqAccountSummary: desk.summary,
        account.CancelAccountSummary: desk.cancel_summary,
    }


def profit_handlers(desk: ProfitDesk) -> Handlers:
    """Return who answers what is asked about profit."""
    return {
        account.ReqProfit: desk.account,
        account.CancelProfit: desk.cancel_account,
        account.ReqPositionProfit: desk.position,
        account.CancelPositionProfit: desk.cancel_position,
    }


def contract_handlers(desk: ContractDesk) -> Handlers:
    """Return who answers what is asked about contracts and who offers what."""
    return {
        lookup.ReqContractDetails: desk.details,
        lookup.ReqOptionParameters: desk.option_parameters,
        lookup.ReqMatchingSymbols: desk.matching_symbols,
        lookup.ReqMarketRule: desk.market_rule,
        account.ReqFamilyCodes: desk.family_codes,
        lookup.ReqNewsProviders: desk.news_providers,
        lookup.ReqDepthExchanges: desk.depth_exchanges,
        account.ReqSoftDollarTiers: desk.soft_dollar_tiers,
        login.ReqUserInfo: desk.user_info,
        lookup.ReqScannerParameters: desk.scanner_parameters,
    }


def calculator_handlers(desk: CalculatorDesk) -> Handlers:
    """Return who answers what is asked about option models."""
    return {
        prices.CalcImpliedVol: desk.implied_vol,
        prices.CalcOptionPrice: desk.option_price,
        prices.CancelCalcImpliedVol: desk.cancel,
        prices.CancelCalcOptionPrice: desk.cancel,
    }


def quote_handlers(desk: QuoteDesk) -> Handlers:
    """Return who answers what is asked about quotes."""
    return {
        prices.ReqMarketDataType: desk.data_type,
        prices.ReqMarketData: desk.market_data,
        prices.CancelMarketData: desk.cancel_market_data,
    }


def tape_handlers(desk: TapeDesk) -> Handlers:
    """Return who answers what is asked about ticks, forming bars and the book."""
    return {
        prices.ReqTickByTick: desk.tick_by_tick,
        prices.CancelTickByTick: desk.cancel_tick_by_tick,
        prices.ReqRealTimeBars: desk.real_time_bars,
        prices.CancelRealTimeBars: desk.cancel_real_time_bars,
        prices.ReqDepth: desk.depth,
        prices.CancelDepth: desk.cancel_depth,
    }


def history_handlers(desk: HistoryDesk) -> Handlers:
    """Return who answers what is asked about past prices."""
    return {
        history.ReqHistoricalData: desk.bars,
        history.CancelHistoricalData: desk.cancel_bars,
        history.ReqHeadTimestamp: desk.head_timestamp,
        history.CancelHeadTimestamp: desk.cancel_head_timestamp,
        history.ReqHistoricalTicks: desk.ticks,
    }
