"""The margin that the held book requires, worked out when the book changes and now and then."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from bot.domain.instrument import Instrument
from simulator.margin import NONE, Margin, OptionRisk, RiskOf, margin_of
from simulator.orders.view import Quotes, Venue

REFRESHED_AFTER: Final = timedelta(minutes=15)
"""The grid costs some hundred option prices; between two changes of the book it is worked out this often."""

Holdings = tuple[tuple[Instrument, int], ...]


class Requirement:
    """The last worked out margin and what it was worked out for."""

    def __init__(self) -> None:
        """Begin with an empty book."""
        self._holdings: Holdings = ()
        self._at: datetime | None = None
        self._margin = NONE

    def __repr__(self) -> str:
        """The margin and its moment, for failing tests."""
        return f"Requirement({self._margin} of {len(self._holdings)} positions at {self._at})"

    def of(self, holdings: Holdings, marks: Mapping[Instrument, Decimal], venue: Venue | None) -> Margin:
        """Return the requirement of what is held; between sessions that of the last look at its models."""
        if holdings == self._holdings and not self._is_due(venue):
            return self._margin
        risk = no_risk if venue is None else risk_from(venue.quotes)
        if holdings == self._holdings and not _has_models(holdings, risk):
            return self._margin
        self._holdings, self._at = holdings, None if venue is None else venue.at
        self._margin = margin_of(holdings, marks, risk)
        return self._margin

    def _is_due(self, venue: Venue | None) -> bool:
        return venue is not None and (self._at is None or venue.at - self._at >= REFRESHED_AFTER)


def risk_from(quotes: Quotes) -> RiskOf:
    """Return each option's risk as its quote states it."""

    def risk_of(instrument: Instrument) -> OptionRisk | None:
        quote = quotes(instrument)
        if not quote.model_iv or not quote.underlying_price:
            return None
        return OptionRisk(underlying=quote.underlying_price, vol=quote.model_iv, at=quote.at)

    return risk_of


def no_risk(_instrument: Instrument) -> OptionRisk | None:
    """Return None: nothing has been quoted yet."""
    return None


def _has_models(holdings: Holdings, risk_of: RiskOf) -> bool:
    return all(instrument.strike is None or risk_of(instrument) is not None for instrument, _ in holdings)
