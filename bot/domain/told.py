"""What the broker has told of contracts on this day: their terms and how many of them are open."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from bot.domain.events import OpenInterestTold, TermsRead
from bot.domain.instrument import InstrumentKey
from bot.domain.schedule import NEW_YORK
from bot.domain.terms import ContractTerms, OpenInterest


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One frozen picture; each word of the broker makes the next one."""

    terms: Mapping[InstrumentKey, ContractTerms] = field(default_factory=dict)
    open_interest: Mapping[InstrumentKey, OpenInterest] = field(default_factory=dict)

    def after(self, event: TermsRead | OpenInterestTold) -> "Told":
        """Return the picture with terms that were read anew, or a contract's open interest as of today."""
        if isinstance(event, TermsRead):
            return replace(self, terms={**self.terms, **event.terms})
        told_on = event.at.astimezone(NEW_YORK).date()
        told = OpenInterest(contracts=event.contracts, told_on=told_on)
        return replace(self, open_interest={**self.open_interest, event.key: told})
