"""Settlement: when a contract settles and what one unit of it is worth then.

Morning classes (SPX, RUT and VIX options, VX, ES) settle to the special opening quotation: the index at the first step
of the settlement day. Afternoon classes settle to the index at the close of shares. Options on shares, which a broker
would exercise into shares, settle in cash here.
"""

from datetime import date
from decimal import Decimal
from typing import Final

from bot.domain.instrument import Instrument, Kind, Right
from simulator.hours import AFTERNOON_CLASSES
from simulator.world.market import Market

_CENT: Final = Decimal("0.01")


def settles_in_the_afternoon(instrument: Instrument) -> bool:
    """Return whether a contract settles at the close of its day, else at the open."""
    return instrument.trading_class in AFTERNOON_CLASSES


def is_due(instrument: Instrument, today: date, *, afternoon: bool) -> bool:
    """Return whether a contract settles now: at the open of a day, or at the close of shares."""
    if instrument.settlement is None or instrument.settlement > today:
        return False
    return instrument.settlement < today or settles_in_the_afternoon(instrument) is afternoon


def settlement_value(instrument: Instrument, market: Market) -> Decimal:
    """Return what one unit of the multiplier is worth at settlement, in points, zero or more, to the hundredth."""
    level = Decimal(market.underlying(instrument)).quantize(_CENT)
    if instrument.kind is not Kind.OPTION or instrument.strike is None:
        return level
    distance = level - instrument.strike if instrument.right is Right.CALL else instrument.strike - level
    return max(Decimal(0), distance)
