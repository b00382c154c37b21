"""How far a contract lies from the money: the level that its strike is compared with, and the days it has left."""

from bot.domain.instrument import Instrument
from simulator.world.market import Market
from simulator.world.tape import Moneyness


def moneyness_of(instrument: Instrument, market: Market) -> Moneyness:
    """Return level and days of a contract in a market; a contract without a date lies at the money."""
    term = market.term_of(instrument)
    return Moneyness(level=1.0, days=0.0) if term is None else Moneyness(level=term.forward, days=term.days)
