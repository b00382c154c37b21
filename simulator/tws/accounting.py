"""The conversation about the account: values, positions, summaries; subscriptions and what changes."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from bot.domain.instrument import Kind
from simulator.tws.contract_out import portfolio_row, position_row
from simulator.tws.desk import Desk
from simulator.tws.framing import frame, text_of
from simulator.tws.line import Line
from simulator.tws.requests import (
    CancelAccountSummary,
    CancelAccountUpdatesMulti,
    CancelPositions,
    ReqAccountSummary,
    ReqAccountUpdates,
    ReqAccountUpdatesMulti,
    ReqManagedAccounts,
    ReqPositions,
)
from simulator.venue import AccountChanged, PositionChanged, VenueQuote

_NO_CURRENCY: Final = ""
_BASE: Final = "BASE"

ValueRow = tuple[str, str, str]
"""Key, value, currency."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Worth:
    """What is held at present marks, in USD: the sum of sizes, the open profit, and today's realised profit."""

    gross_usd: Decimal
    unrealized_usd: Decimal
    realized_usd: Decimal


def account_rows(state: AccountChanged, worth: Worth) -> tuple[ValueRow, ...]:
    """Return the account's values as the broker names them; available is what margin leaves of net liquidation."""
    net, init, maint = state.net_liquidation_usd, state.init_margin_usd, state.maint_margin_usd
    gross = worth.gross_usd
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
        "ExcessLiquidity": net - maint,
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
        "Leverage": text_of(round(float(gross / net), 2) if net > 0 else 0.0),
    }
    return (
        *((key, value, _NO_CURRENCY) for key, value in plain.items()),
        *((key, _money(value), "USD") for key, value in usd.items()),
        *(row for currency in (_BASE, "USD") for row in _ledger_rows(state, worth, currency)),
    )


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
        self._summaries: dict[int, frozenset[str]] = {}
        self._told: dict[object, tuple[ValueRow, ...]] = {}

    # Requests

    def managed_accounts(self, _request: ReqManagedAccounts | None = None) -> None:
        """Tell the account's name."""
        self._line.send(frame(15, 1, self._desk.floor.account))

    def positions(self, _request: ReqPositions) -> None:
        """Tell all positions now and each change later."""
        self._positions = True
        self._line.send(*map(self._position_frame, self._desk.floor.positions()), frame(62, 1))

    def cancel_positions(self, _request: CancelPositions) -> None:
        """No more changes of positions."""
        self._positions = False

    def updates(self, request: ReqAccountUpdates) -> None:
        """Switch account updates on, with all values at once, or off."""
        if not self._is_here(request.account, -1):
            return
        self._updates = request.subscribe
        if request.subscribe:
            self._line.send(*self._update_frames("updates", all_rows=True), frame(54, 1, self._desk.floor.account))

    def updates_multi(self, request: ReqAccountUpdatesMulti) -> None:
        """Tell all values now and changes later, under a request id."""
        if not self._is_here(request.account, request.req_id):
            return
        self._multi[request.req_id] = request.model
        self._line.send(*self._multi_frames(request.req_id, all_rows=True), frame(74, 1, request.req_id))

    def cancel_updates_multi(self, request: CancelAccountUpdatesMulti) -> None:
        """No more changes under this id."""
        self._multi.pop(request.req_id, None)

    def summary(self, request: ReqAccountSummary) -> None:
        """Tell the chosen values now and changes later."""
        self._summaries[request.req_id] = frozenset(request.tags.split(","))
        self._line.send(*self._summary_frames(request.req_id, all_rows=True), frame(64, 1, request.req_id))

    def cancel_summary(self, request: CancelAccountSummary) -> None:
        """No more changes under this id."""
        self._summaries.pop(request.req_id, None)

    # What happens

    def position_changed(self, event: PositionChanged) -> None:
        """Tell a position that moved."""
        if self._positions:
            self._line.send(self._position_frame(event))
        if self._updates:
            self._line.send(self._portfolio_frame(event))

    def account_changed(self, _event: AccountChanged) -> None:
        """Tell the values that moved, then that the account is complete."""
        if self._updates:
            self._line.send(*self._update_frames("updates", all_rows=False), frame(54, 1, self._desk.floor.account))
        for req_id in self._multi:
            self._send_some(self._multi_frames(req_id, all_rows=False))
        for req_id in self._summaries:
            self._send_some(self._summary_frames(req_id, all_rows=False))

    # Parts

    def _is_here(self, account: str, req_id: int) -> bool:
        """Return whether an account is this gateway's; answer error 321 when it is not."""
        if account in {"", self._desk.floor.account}:
            return True
        self._line.error(req_id, 321, f"Error validating request: invalid account code {account!r}")
        return False

    def _send_some(self, frames: list[bytes]) -> None:
        if frames:
            self._line.send(*frames)

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
            gross_usd=sum((abs(worth) for _, worth in held), Decimal(0)),
            unrealized_usd=sum((worth - each.quantity * each.average_cost_usd for each, worth in held), Decimal(0)),
            realized_usd=sum(realized, Decimal(0)),
        )

    def _update_frames(self, reader: object, *, all_rows: bool) -> list[bytes]:
        floor = self._desk.floor
        values = [frame(6, 2, *row, floor.account) for row in self._rows(reader, all_rows=all_rows)]
        holdings = [self._portfolio_frame(each) for each in floor.positions()]
        return [*values, *holdings, frame(8, 1, f"{floor.now():%H:%M}")]

    def _multi_frames(self, req_id: int, *, all_rows: bool) -> list[bytes]:
        account, model = self._desk.floor.account, self._multi[req_id]
        rows = self._rows(req_id, all_rows=all_rows)
        return [frame(73, 1, req_id, account, model, *row) for row in rows]

    def _summary_frames(self, req_id: int, *, all_rows: bool) -> list[bytes]:
        account, tags = self._desk.floor.account, self._summaries[req_id]
        rows = self._rows(req_id, all_rows=all_rows)
        return [frame(63, 1, req_id, account, *row) for row in rows if _is_chosen(row, tags)]

    def _position_frame(self, event: PositionChanged) -> bytes:
        return position_row(event, self._desk.listing(event.instrument))

    def _portfolio_frame(self, event: PositionChanged) -> bytes:
        quote = self._desk.floor.quote(event.instrument)
        return portfolio_row(event, self._desk.listing(event.instrument), mark_of(quote, event), event.account)


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
    """Return whether a summary asked for a value; ``$LEDGER`` stands for the rows by currency."""
    key, _, currency = row
    if currency == _BASE:
        return bool(tags & {"$LEDGER", "$LEDGER:ALL", "$LEDGER:BASE"})
    return key in tags or (currency == "USD" and bool(tags & {"$LEDGER:USD", "$LEDGER:ALL"}) and key == "Currency")


def _money(amount: Decimal) -> str:
    return f"{amount:.2f}"
