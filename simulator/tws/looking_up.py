"""The conversation about contracts: details, option chains, searches, market rules, and short lists beside them."""

from dataclasses import replace
from typing import Final

from simulator.listing import Listing
from simulator.tws.answers.account import FamilyCodes, FamilyRow, SoftDollarTiers
from simulator.tws.answers.login import UserInfo
from simulator.tws.answers.lookup import (
    ContractDetailsEnd,
    DepthExchange,
    DepthExchanges,
    MarketRule,
    NewsProviders,
    OptionParametersEnd,
    RuleRow,
    ScannerParameters,
    SymbolRow,
    SymbolSamples,
)
from simulator.tws.contract_out import contract_details, option_row
from simulator.tws.desk import Desk
from simulator.tws.line import Line
from simulator.tws.requests.account import ReqFamilyCodes, ReqSoftDollarTiers
from simulator.tws.requests.login import ReqUserInfo
from simulator.tws.requests.lookup import (
    ReqContractDetails,
    ReqDepthExchanges,
    ReqMarketRule,
    ReqMatchingSymbols,
    ReqNewsProviders,
    ReqOptionParameters,
    ReqScannerParameters,
)

MOST_SAMPLES: Final = 16
"""So many contracts answer a search."""
_NO_SCANNERS: Final = '<?xml version="1.0" encoding="UTF-8"?><ScanParameterResponse></ScanParameterResponse>'
_CONTINUOUS: Final = "CONTFUT"
_BOOKS: Final = (("SMART", "STK"), ("CBOE", "OPT"), ("CFE", "FUT"), ("CME", "FUT"), ("IDEALPRO", "CASH"))


class ContractDesk:
    """Answers what is listed; keeps nothing."""

    def __init__(self, line: Line, desk: Desk) -> None:
        """Answer on ``line``."""
        self._line = line
        self._desk = desk

    def details(self, request: ReqContractDetails) -> None:
        """Tell every contract that fits, or error 200; a combo has no details."""
        if request.contract.sec_type == "BAG":
            self._line.error(request.req_id, 321, "Error validating request: a combo has no contract details")
            return
        query = replace(request.contract, sec_id_type=request.sec_id_type, sec_id=request.sec_id)
        found = self._desk.floor.matching(query.expired_too() if request.include_expired else query)
        if not found:
            self._line.error(request.req_id, 200, "No security definition has been found for the request")
            return
        rows = [contract_details(request.req_id, listing, query.exchange) for listing in found]
        if query.sec_type == _CONTINUOUS:
            rows = [replace(row, sec_type=_CONTINUOUS) for row in rows]
        self._line.tell(*rows, ContractDetailsEnd(req_id=request.req_id))

    def option_parameters(self, request: ReqOptionParameters) -> None:
        """Tell the chain of an underlying, one row per exchange and class."""
        rows = self._desk.floor.option_parameters(request.symbol, request.sec_type, request.con_id)
        told = (option_row(request.req_id, row) for row in rows)
        self._line.tell(*told, OptionParametersEnd(req_id=request.req_id))

    def matching_symbols(self, request: ReqMatchingSymbols) -> None:
        """Tell contracts whose symbol or name holds the pattern."""
        found = self._desk.floor.search(request.pattern)[:MOST_SAMPLES] if request.pattern.strip() else ()
        self._line.tell(SymbolSamples(req_id=request.req_id, rows=tuple(map(self._sample, found))))

    def market_rule(self, request: ReqMarketRule) -> None:
        """Tell the increments of a rule; an unknown number is error 321."""
        rows = self._desk.floor.market_rule(request.rule_id)
        if not rows:
            self._line.error(-1, 321, f"Error validating request: no market rule {request.rule_id}")
            return
        told = tuple(RuleRow(low_edge=edge, increment=increment) for edge, increment in rows)
        self._line.tell(MarketRule(rule_id=request.rule_id, rows=told))

    def family_codes(self, _request: ReqFamilyCodes) -> None:
        """Tell that the account belongs to no family."""
        self._line.tell(FamilyCodes(rows=(FamilyRow(account=self._desk.floor.account, code=""),)))

    def news_providers(self, _request: ReqNewsProviders) -> None:
        """Tell that nobody sells news here."""
        self._line.tell(NewsProviders(rows=()))

    def depth_exchanges(self, _request: ReqDepthExchanges) -> None:
        """Tell who shows a book."""
        rows = tuple(
            DepthExchange(exchange=exchange, sec_type=sec_type, listing="", service="Deep2", group=1)
            for exchange, sec_type in _BOOKS
        )
        self._line.tell(DepthExchanges(rows=rows))

    def soft_dollar_tiers(self, request: ReqSoftDollarTiers) -> None:
        """Tell that there are none."""
        self._line.tell(SoftDollarTiers(req_id=request.req_id, rows=()))

    def user_info(self, request: ReqUserInfo) -> None:
        """Tell that the user has no branding."""
        self._line.tell(UserInfo(req_id=request.req_id, branding=""))

    def scanner_parameters(self, _request: ReqScannerParameters) -> None:
        """Tell that there is nothing to scan for."""
        self._line.tell(ScannerParameters(document=_NO_SCANNERS))

    def _sample(self, listing: Listing) -> SymbolRow:
        instrument = listing.instrument
        return SymbolRow(
            con_id=listing.con_id,
            symbol=instrument.symbol,
            sec_type=instrument.kind.value,
            primary_exchange=listing.primary_exchange or instrument.exchange,
            currency=instrument.currency,
            derivatives=self._desk.floor.derivative_kinds(instrument),
            description=listing.long_name,
        )
