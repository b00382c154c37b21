"""How far a contract lies from the money on a day: the level that its strike is compared with, and the days it has."""

from datetime import date

from bot.domain.instrument import Instrument
from simulator.world.market import Market
from simulator.world.tape import Moneyness


def moneyness_of(instrument: Instrument, closing: Market, day: date) -> Moneyness:
    """Return the last close of a contract's underlying, and the calendar days from a session to its settlement.

    A contract without a date lies at the money. The hour of ``closing`` does not matter.
    """
    if instrument.settlement is None:
        return Moneyness(level=1.0, days=0.0)
    days = float(max(0, (instrument.settlement - day).days))
    return Moneyness(level=closing.underlying(instrument), days=days)
