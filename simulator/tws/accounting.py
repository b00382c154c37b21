"""The conversation about the account: values, positions, summaries; subscriptions and what changes."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from bot.domain.instrument import Kind
from simulator.tws.answers.account import (
    AccountDownloadEnd,
    AccountSummaryEnd,
    AccountTime,
    AccountUpdatesMultiEnd,
    AccountValue,
    MultiValue,
    Portfolio,
    Position,
    PositionMulti,
    PositionsEnd,
    PositionsMultiEnd,
    SummaryValue,
)
from simulator.tws.answers.login import ManagedAccounts
from simulator.tws.contract_out import NEW_YORK, portfolio_row, position_multi_row, position_row
from simulator.tws.desk import Desk
from simulator.tws.framing import text_of
from simulator.tws.line import Line
from simulator.tws.requests.account import (
    CancelAccountSummary,
    CancelAccountUpdatesMulti,
    CancelPositions,
    CancelPositionsMulti,
    ReqAccountSummary,
    ReqAccountUpdates,
    ReqAccountUpdatesMulti,
    ReqPositions,
    ReqPositionsMulti,
)
from simulator.tws.requests.login import ReqManagedAccounts
from simulator.venue import AccountChanged, PositionChanged, VenueQuote

_NO_CURRENCY: Final = ""
_BASE: Final = "BASE"

ValueRow = tuple[str, str, str]
"""Key, value, currency."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Worth:
    """What has been gained on what is held, in USD: the open profit, and today's realised profit."""

    unrealized_usd: Decimal
    realized_usd: Decimal


def account_rows(state: AccountChanged, worth: Worth) -> tuple[ValueRow, ...]:
    """Return the account's values as the broker names them; available is what margin leaves of net liquidation."""
    net, init, maint = state.net_liquidation_usd, state.init_margin_usd, state.maint_margin_usd
    gross = state.gross_position_usd
    usd: Mapping[str, Decimal] = {
        "NetLiquidation": net,
        "TotalCashValue": state.cash_usd,
        "SettledCash": state.cash_usd,
        "AccruedCash": Decimal(0),
        "BuyingPower": max(Decimal(0), net - init),
        "EquityWithLoanValue": net,
        "GrossPositionValue": gross,
        "InitMarginReq": init,
        "MaintMarginReq": maint,
        "AvailableFunds": net - init,
        "ExcessLiquidity": state.excess_liquidity_usd,
        "FullInitMarginReq": init,
        "FullMaintMarginReq": maint,
        "FullAvailableFunds": net - init,
        "FullExcessLiquidity": net - maint,
        "LookAheadInitMarginReq": init,
        "LookAheadMaintMarginReq": maint,
        "LookAheadAvailableFunds": net - init,
        "LookAheadExcessLiquidity": net - maint,
    }
    cushion = (net - maint) / net if net > 0 else Decimal(0)
    plain: Mapping[str, str] = {
        "AccountCode": state.account,
        "AccountReady": "true",
        "AccountType": "INDIVIDUAL",
        "Cushion": text_of(round(float(cushion), 6)),
        "DayTradesRemaining": "-1",
        "LookAheadNextChange": "0",
        "Leverage": text_of(round(float(gross / net), 2) if net > 0 else 0.0),
    }
    return (
        *((key, value, _NO_CURRENCY) for key, value in plain.items()),
        *((key, _money(value), "USD") for key, value in usd.items()),
        *(row for currency in (_BASE, "USD") for row in _ledger_rows(state, worth, currency)),
    )


LEDGER_KEYS: Final = frozenset(
    {
        *("Currency", "CashBalance", "TotalCashBalance", "NetLiquidationByCurrency"),
        *("UnrealizedPnL", "RealizedPnL", "ExchangeRate"),
    }
)
"""The values that are told by currency."""


def _ledger_rows(state: AccountChanged, worth: Worth, currency: str) -> tuple[ValueRow, ...]:
    rows: Mapping[str, str] = {
        "Currency": currency,
        "CashBalance": _money(state.cash_usd),
        "TotalCashBalance": _money(state.cash_usd),
        "NetLiquidationByCurrency": _money(state.net_liquidation_usd),
        "UnrealizedPnL": _money(worth.unrealized_usd),
        "RealizedPnL": _money(worth.realized_usd),
        "ExchangeRate": "1.00",
    }
    return tuple((key, value, currency) for key, value in rows.items())


class AccountDesk:
    """One client's subscriptions to the account."""

    def __init__(self, line: Line, desk: Desk) -> None:
        """Begin without subscriptions."""
        self._line = line
        self._desk = desk
        self._positions = False
        self._updates = False
        self._multi: dict[int, str] = {}
        self._positions_multi: dict[int, str] = {}
        self._summaries: dict[int, frozenset[str]] = {}
        self._told: dict[object, tuple[ValueRow, ...]] = {}

    # Requests

    def managed_accounts(self, _request: ReqManagedAccounts | None = None) -> None:
        """Tell the account's name."""
        self._line.tell(ManagedAccounts(accounts=self._desk.floor.account))

    def positions(self, _request: ReqPositions) -> None:
        """Tell all positions now and each change later."""
        self._positions = True
        self._line.tell(*map(self._position, self._desk.floor.positions()), PositionsEnd())

    def cancel_positions(self, _request: CancelPositions) -> None:
        """No more changes of positions."""
        self._positions = False

    def positions_multi(self, request: ReqPositionsMulti) -> None:
        """Tell all positions now and changes later, under a request id."""
        if not self._is_here(request.account, request.req_id):
            return
        self._positions_multi[request.req_id] = request.model
        rows = (self._position_multi(request.req_id, each) for each in self._desk.floor.positions())
        self._line.tell(*rows, PositionsMultiEnd(req_id=request.req_id))

    def cancel_positions_multi(self, request: CancelPositionsMulti) -> None:
        """No more positions under this id."""
        self._positions_multi.pop(request.req_id, None)

    def updates(self, request: ReqAccountUpdates) -> None:
        """Switch account updates on, with all values at once, or off."""
        if not self._is_here(request.account, -1):
            return
        self._updates = request.subscribe
        if request.subscribe:
            self._tell_updates(all_rows=True)

    def updates_multi(self, request: ReqAccountUpdatesMulti) -> None:
        """Tell all values now and changes later, under a request id."""
        if not self._is_here(request.account, request.req_id):
            return
        self._multi[request.req_id] = request.model
        rows = self._multi_rows(request.req_id, all_rows=True)
        self._line.tell(*rows, AccountUpdatesMultiEnd(req_id=request.req_id))

    def cancel_updates_multi(self, request: CancelAccountUpdatesMulti) -> None:
        """No more changes under this id."""
        self._multi.pop(request.req_id, None)

    def summary(self, request: ReqAccountSummary) -> None:
        """Tell the chosen values now and changes later."""
        self._summaries[request.req_id] = frozenset(tag.strip() for tag in request.tags.split(","))
        rows = self._summary_rows(request.req_id, all_rows=True)
        self._line.tell(*rows, AccountSummaryEnd(req_id=request.req_id))

    def cancel_summary(self, request: CancelAccountSummary) -> None:
        """No more changes under this id."""
        self._summaries.pop(request.req_id, None)

    # What happens

    def position_changed(self, event: PositionChanged) -> None:
        """Tell a position that moved."""
        if self._positions:
            self._line.tell(self._position(event))
        for req_id in self._positions_multi:
            self._line.tell(self._position_multi(req_id, event))
        if self._updates:
            self._line.tell(self._portfolio(event))

    def account_changed(self, _event: AccountChanged) -> None:
        """Tell the values that moved, then that the account is complete."""
        if self._updates:
            self._tell_updates(all_rows=False)
        for req_id in self._multi:
            self._line.tell(*self._multi_rows(req_id, all_rows=False))
        for req_id in self._summaries:
            self._line.tell(*self._summary_rows(req_id, all_rows=False))

    # Parts

    def _is_here(self, account: str, req_id: int) -> bool:
        """Return whether an account is this gateway's; answer error 321 when it is not."""
        if account in {"", self._desk.floor.account}:
            return True
        self._line.error(req_id, 321, f"Error validating request: invalid account code {account!r}")
        return False

    def _rows(self, reader: object, *, all_rows: bool) -> tuple[ValueRow, ...]:
        """Return the account's values, only those that this reader has not been told unless all are wanted."""
        floor = self._desk.floor
        rows = account_rows(floor.account_state(), self._worth())
        before = () if all_rows else self._told.get(reader, ())
        self._told[reader] = rows
        known = set(before)
        return tuple(row for row in rows if row not in known)

    def _worth(self) -> Worth:
        floor = self._desk.floor
        held = [(each, _worth_usd(each, floor.quote(each.instrument))) for each in floor.positions()]
        realized = (charged.realized_usd for _, charged in floor.executions() if charged.realized_usd is not None)
        return Worth(
            unrealized_usd=sum((worth - each.quantity * each.average_cost_usd for each, worth in held), Decimal(0)),
            realized_usd=sum(realized, Decimal(0)),
        )

    def _tell_updates(self, *, all_rows: bool) -> None:
        floor = self._desk.floor
        self._line.tell(
            *(
                AccountValue(key=key, value=value, currency=currency, account=floor.account)
                for key, value, currency in self._rows("updates", all_rows=all_rows)
            ),
            *map(self._portfolio, floor.positions()),
            AccountTime(at=f"{floor.now().astimezone(NEW_YORK):%H:%M}"),
            AccountDownloadEnd(account=floor.account),
        )

    def _multi_rows(self, req_id: int, *, all_rows: bool) -> list[MultiValue]:
        account, model = self._desk.floor.account, self._multi[req_id]
        return [
            MultiValue(req_id=req_id, account=account, model=model, key=key, value=value, currency=currency)
            for key, value, currency in self._rows(("multi", req_id), all_rows=all_rows)
        ]

    def _summary_rows(self, req_id: int, *, all_rows: bool) -> list[SummaryValue]:
        account, tags = self._desk.floor.account, self._summaries[req_id]
        return [
            SummaryValue(req_id=req_id, account=account, tag=key, value=value, currency=currency)
            for key, value, currency in self._rows(("summary", req_id), all_rows=all_rows)
            if _is_chosen((key, value, currency), tags)
        ]

    def _position(self, event: PositionChanged) -> Position:
        return position_row(event, self._desk.listing(event.instrument))

    def _position_multi(self, req_id: int, event: PositionChanged) -> PositionMulti:
        return position_multi_row(req_id, self._positions_multi[req_id], event, self._desk.listing(event.instrument))

    def _portfolio(self, event: PositionChanged) -> Portfolio:
        quote = self._desk.floor.quote(event.instrument)
        return portfolio_row(event, self._desk.listing(event.instrument), mark_of(quote, event), Decimal(0))


def _worth_usd(position: PositionChanged, quote: VenueQuote) -> Decimal:
    return position.quantity * position.instrument.multiplier * mark_of(quote, position)


def mark_of(quote: VenueQuote, position: PositionChanged) -> Decimal:
    """Return the price at which a position is told, in points: mid, the one side there is, else what it cost."""
    if quote.bid is not None and quote.ask is not None:
        return (quote.bid + quote.ask) / 2
    one = quote.bid if quote.ask is None else quote.ask
    if one is not None:
        return one
    kind, instrument = position.instrument.kind, position.instrument
    return Decimal(0) if kind is Kind.INDEX else position.average_cost_usd / instrument.multiplier


def _is_chosen(row: ValueRow, tags: frozenset[str]) -> bool:
    """Return whether a summary asked for a value; ``$LEDGER`` is the ledger in the base currency."""
    key, _, currency = row
    if currency == _BASE:
        return bool(tags & {"$LEDGER", "$LEDGER:ALL", "$LEDGER:BASE"})
    if key in tags:
        return True
    return currency == "USD" and key in LEDGER_KEYS and bool(tags & {"$LEDGER:USD", "$LEDGER:ALL"})


def _money(amount: Decimal) -> str:
    return f"{amount:.2f}"
