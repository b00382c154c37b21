"""Advancing and declining issues out of what the broker shows of breadth, or why it shows none."""

import math
from dataclasses import dataclass

from bot.domain.checks import require_positive
from bot.domain.market import DataType, Quote


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Issues of the New York exchange above and below their last close."""

    advances: int
    declines: int

    def __post_init__(self) -> None:
        """Reject counts that no session has."""
        require_positive(advances=self.advances, declines=self.declines)


@dataclass(frozen=True, slots=True, kw_only=True)
class NoCounts:
    """There are no counts, and why."""

    why: str


def counts_of(quote: Quote | None) -> Counts | NoCounts:
    """Return the counts of a quote of AD-NYSE: advances are its bid, declines its ask.

    None of thousands of issues up, or none down, is the broker's way to say that there is no number.

    Source: docs/contracts.md, section 6; docs/methodology.md, M3.
    """
    if quote is None:
        return NoCounts(why="the broker shows no counts: not subscribed, not published now, or unknown to it")
    if quote.data_type is not DataType.LIVE:
        return NoCounts(why=f"the counts are {quote.data_type.name.lower()} and not live")
    for name, count in (("advances", quote.bid), ("declines", quote.ask)):
        if count is None:
            return NoCounts(why=f"{name} are not shown")
        if not math.isfinite(count) or count <= 0 or count != int(count):
            return NoCounts(why=f"{name} must be a whole number above 0, were {count}")
    return Counts(advances=int(quote.bid or 0), declines=int(quote.ask or 0))
