"""Quotes of many contracts without keeping lines open: asked for in batches, because market data lines are scarce."""

from collections.abc import Sequence
from typing import Final

from bot.domain.instrument import Instrument, InstrumentKey
from bot.domain.market import Quote
from bot.ports import MarketData

BATCH: Final = 40
"""Snapshots at once: each takes a market data line until it is answered, and an account has a hundred."""


async def quotes_of(data: MarketData, instruments: Sequence[Instrument]) -> dict[InstrumentKey, Quote]:
    """Return one quote of each contract that has one.

    Raises:
        ConnectivityError: The link broke meanwhile.
    """
    quotes: dict[InstrumentKey, Quote] = {}
    for first in range(0, len(instruments), BATCH):
        quotes |= await data.snapshot(instruments[first : first + BATCH])
    return quotes
