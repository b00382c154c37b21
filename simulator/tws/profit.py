"""The conversation about profit: the account's and single positions', told now and whenever they move."""

from bot.domain.instrument import Instrument
from simulator.tws.answers.account import PositionProfit, Profit
from simulator.tws.desk import Desk
from simulator.tws.line import Line
from simulator.tws.requests.account import CancelPositionProfit, CancelProfit, ReqPositionProfit, ReqProfit
from simulator.tws.resolved import instrument_of
from simulator.venue import ProfitAndLoss, StepPlayed

_NO_SUBSCRIPTION = 10185


class ProfitDesk:
    """One client's subscriptions to profit."""

    def __init__(self, line: Line, desk: Desk) -> None:
        """Begin without subscriptions."""
        self._line = line
        self._desk = desk
        self._accounts: dict[int, ProfitAndLoss | None] = {}
        self._positions: dict[int, tuple[Instrument, ProfitAndLoss | None]] = {}

    def account(self, request: ReqProfit) -> None:
        """Tell the account's profit now and whenever it moves."""
        if not self._is_here(request.account, request.req_id):
            return
        self._accounts[request.req_id] = None
        self._tell_account(request.req_id)

    def cancel_account(self, request: CancelProfit) -> None:
        """No more profit under this id."""
        if request.req_id not in self._accounts:
            self._unknown(request.req_id)
        self._accounts.pop(request.req_id, None)

    def position(self, request: ReqPositionProfit) -> None:
        """Tell a position's profit now and whenever it moves; a contract that is not listed is error 200."""
        if not self._is_here(request.account, request.req_id):
            return
        instrument = instrument_of(request.con_id, self._desk.floor)
        if instrument is None:
            self._line.error(request.req_id, 200, "No security definition has been found for the request")
            return
        self._positions[request.req_id] = (instrument, None)
        self._tell_position(request.req_id)

    def cancel_position(self, request: CancelPositionProfit) -> None:
        """No more profit of a position under this id."""
        if request.req_id not in self._positions:
            self._unknown(request.req_id)
        self._positions.pop(request.req_id, None)

    def step_played(self, _step: StepPlayed) -> None:
        """Tell what moved in a step."""
        for req_id in self._accounts:
            self._tell_account(req_id)
        for req_id in self._positions:
            self._tell_position(req_id)

    def _tell_account(self, req_id: int) -> None:
        profit = self._desk.floor.profit()
        if profit == self._accounts[req_id]:
            return
        self._accounts[req_id] = profit
        self._line.tell(
            Profit(
                req_id=req_id,
                daily=profit.daily_usd,
                unrealized=profit.unrealized_usd,
                realized=profit.realized_usd,
            )
        )

    def _tell_position(self, req_id: int) -> None:
        instrument, told = self._positions[req_id]
        profit = self._desk.floor.profit_of(instrument)
        if profit is None or profit == told:
            return
        self._positions[req_id] = (instrument, profit)
        self._line.tell(
            PositionProfit(
                req_id=req_id,
                quantity=profit.quantity,
                daily=profit.daily_usd,
                unrealized=profit.unrealized_usd,
                realized=profit.realized_usd,
                worth=profit.worth_usd,
            )
        )

    def _is_here(self, account: str, req_id: int) -> bool:
        if account in {"", self._desk.floor.account}:
            return True
        self._line.error(req_id, 321, f"Error validating request: invalid account code {account!r}")
        return False

    def _unknown(self, req_id: int) -> None:
        self._line.error(req_id, _NO_SUBSCRIPTION, "Failed to cancel PNL (not subscribed)")
