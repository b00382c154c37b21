"""The option calculators: a price at a volatility, a volatility at a price; told at once by tick 53 of message 21."""

from typing import Final

from bot.domain.instrument import Instrument, Kind
from simulator.listing import ContractQuery
from simulator.tws.desk import Desk
from simulator.tws.greeks import greeks_frame
from simulator.tws.line import Line
from simulator.tws.requests.prices import CalcImpliedVol, CalcOptionPrice, CancelCalcImpliedVol, CancelCalcOptionPrice
from simulator.tws.resolved import NotPlaced, Resolved, resolve
from simulator.venue import VenueQuote

CUSTOM: Final = 53
_NO_ANSWER: Final = 10090


class CalculatorDesk:
    """Answers single calculations; keeps nothing."""

    def __init__(self, line: Line, desk: Desk) -> None:
        """Answer on ``line``."""
        self._line = line
        self._desk = desk

    def implied_vol(self, request: CalcImpliedVol) -> None:
        """Tell the volatility and greeks at which an option costs a price, the underlying being at a level."""
        option = self._option(request.req_id, request.contract)
        if option is not None and self._are_positive(request.req_id, request.price, request.underlying):
            found = self._desk.floor.option_vol(option, request.price, request.underlying)
            self._answer(request.req_id, found)

    def option_price(self, request: CalcOptionPrice) -> None:
        """Tell an option's price and greeks at a volatility (a fraction per year), the underlying being at a level."""
        option = self._option(request.req_id, request.contract)
        if option is not None and self._are_positive(request.req_id, request.volatility, request.underlying):
            found = self._desk.floor.option_price(option, request.volatility, request.underlying)
            self._answer(request.req_id, found)

    def cancel(self, _request: CancelCalcImpliedVol | CancelCalcOptionPrice) -> None:
        """The answer has been given."""

    def _answer(self, req_id: int, found: VenueQuote | None) -> None:
        if found is None:
            self._line.error(req_id, _NO_ANSWER, "The calculation has no result")
        else:
            self._line.send(greeks_frame(req_id, CUSTOM, found))

    def _option(self, req_id: int, query: ContractQuery) -> Instrument | None:
        found: Resolved | NotPlaced = resolve(query, self._desk.floor)
        if isinstance(found, NotPlaced):
            self._line.error(req_id, found.code, found.text)
            return None
        if found.listing is None or found.listing.instrument.kind is not Kind.OPTION:
            self._line.error(req_id, 321, "Error validating request: only options are calculated")
            return None
        return found.listing.instrument

    def _are_positive(self, req_id: int, number: float, underlying: float) -> bool:
        if number > 0.0 and underlying > 0.0:
            return True
        text = f"the numbers of a calculation must be above zero, were {number:g} and {underlying:g}"
        self._line.error(req_id, 321, f"Error validating request: {text}")
        return False
