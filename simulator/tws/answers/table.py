"""Which message id tells what."""

from collections.abc import Mapping
from typing import Any, Final

from simulator.tws.answers import account, history, login, lookup, orders, prices

ANSWERS: Final[Mapping[int, type[Any]]] = {
    each.HEAD.number: each
    for each in (
        prices.TickPrice,
        prices.TickSize,
        orders.OrderStatus,
        login.ErrorText,
        account.AccountValue,
        account.Portfolio,
        account.AccountTime,
        login.NextValidId,
        lookup.ContractDetails,
        orders.Execution,
        prices.BookRow,
        prices.SmartBookRow,
        login.ManagedAccounts,
        history.HistoricalBars,
        lookup.ScannerParameters,
        prices.TickOption,
        prices.TickGeneric,
        prices.TickString,
        login.CurrentTime,
        prices.RealTimeBar,
        lookup.ContractDetailsEnd,
        orders.OpenOrderEnd,
        account.AccountDownloadEnd,
        orders.ExecutionsEnd,
        prices.SnapshotEnd,
        prices.MarketDataType,
        orders.Commission,
        account.Position,
        account.PositionsEnd,
        account.SummaryValue,
        account.AccountSummaryEnd,
        account.PositionMulti,
        account.PositionsMultiEnd,
        account.MultiValue,
        account.AccountUpdatesMultiEnd,
        lookup.OptionRow,
        lookup.OptionParametersEnd,
        account.SoftDollarTiers,
        account.FamilyCodes,
        lookup.SymbolSamples,
        lookup.DepthExchanges,
        prices.TickParameters,
        lookup.NewsProviders,
        history.HeadTimestamp,
        history.HistoricalBarUpdate,
        lookup.MarketRule,
        account.Profit,
        account.PositionProfit,
        history.PastMidpoints,
        history.PastSides,
        history.PastTrades,
        prices.TickByTick,
        orders.OrderBound,
        orders.CompletedOrdersEnd,
        history.Schedule,
        login.UserInfo,
    )
}
"""By message id; `simulator.tws.order_out` writes 5 and 101."""
