"""The conversation about contracts: details, option chains, market rules."""

from simulator.tws.contract_out import contract_details, contract_details_end, option_parameters
from simulator.tws.desk import Desk
from simulator.tws.framing import frame
from simulator.tws.line import Line
from simulator.tws.requests import ReqContractDetails, ReqMarketRule, ReqOptionParameters


class ContractDesk:
    """Answers what is listed; keeps nothing."""

    def __init__(self, line: Line, desk: Desk) -> None:
        """Answer on ``line``."""
        self._line = line
        self._desk = desk

    def details(self, request: ReqContractDetails) -> None:
        """Tell every contract that fits, or error 200; a combo has no details."""
        query = request.contract
        if query.sec_type == "BAG":
            self._line.error(request.req_id, 321, "Error validating request: a combo has no contract details")
            return
        if request.include_expired and not query.include_expired:
            query = query.expired_too()
        found = self._desk.floor.matching(query)
        if not found:
            self._line.error(request.req_id, 200, "No security definition has been found for the request")
            return
        rows = (contract_details(request.req_id, listing, query.exchange) for listing in found)
        self._line.send(*rows, contract_details_end(request.req_id))

    def option_parameters(self, request: ReqOptionParameters) -> None:
        """Tell the chain of an underlying, one row per exchange and class."""
        rows = self._desk.floor.option_parameters(request.symbol, request.sec_type, request.con_id)
        frames = (option_parameters(request.req_id, row) for row in rows)
        self._line.send(*frames, frame(76, request.req_id))

    def market_rule(self, request: ReqMarketRule) -> None:
        """Tell the increments of a rule; an unknown number is error 321."""
        rows = self._desk.floor.market_rule(request.rule_id)
        if not rows:
            self._line.error(-1, 321, f"Error validating request: no market rule {request.rule_id}")
            return
        self._line.send(frame(93, request.rule_id, len(rows), *(value for row in rows for value in row)))
