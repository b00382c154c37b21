"""Contract numbers and local symbols: stable, free of collisions, and readable backwards without a table.

A number holds class, settlement, strike and right in its bits, so that the same contract has the same number in every
run and every window, and two contracts never share one. What has no date carries a fixed number, the broker's own
where it is known, which reads backwards as no dated contract.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Final

from bot.domain.errors import InvalidValueError
from bot.domain.instrument import Instrument, Kind, Right
from simulator.catalogue import BY_CODE, DATED, NAMED, WEEKLY_VX, class_of, named

INDEX_NUMBERS: Final = {each.instrument.symbol: each.con_id for each in NAMED if each.instrument.kind is Kind.INDEX}

_EPOCH: Final = date(2000, 1, 1)
_RIGHT_BITS: Final = 1
_STRIKE_BITS: Final = 12
_DAY_BITS: Final = 14
_MONTH_CODES: Final = "FGHJKMNQUVXZ"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractName:
    """What a number says of a dated contract; strike and right are None for a future."""

    trading_class: str
    settlement: date
    strike: Decimal | None
    right: Right | None


@lru_cache(maxsize=65_536)
def number_of(instrument: Instrument) -> int:
    """Return a contract's number, positive and below 2^31.

    Raises:
        InvalidValueError: A class that is not numbered here, or a strike off its class's grid.
    """
    known = named(instrument)
    if known is not None:
        return known.con_id
    listed = class_of(instrument)
    if listed is None or instrument.settlement is None:
        raise InvalidValueError(f"{instrument.key}: no number, numbered classes are {', '.join(DATED)}")
    days = (instrument.settlement - _EPOCH).days
    strike = 0
    if instrument.strike is not None and listed.grid:
        steps, rest = divmod(instrument.strike, Decimal(listed.grid))
        if rest or not 0 < steps < 1 << _STRIKE_BITS:
            raise InvalidValueError(f"{instrument.key}: strike off the grid of its class")
        strike = int(steps)
    put = int(instrument.right is Right.PUT)
    return ((listed.code << _DAY_BITS | days) << _STRIKE_BITS | strike) << _RIGHT_BITS | put


def name_of(number: int) -> ContractName | None:
    """Return what a number says, or None for one that `number_of` cannot have made; listed or not is not checked."""
    rest, put = number >> _RIGHT_BITS, number & 1
    rest, steps = rest >> _STRIKE_BITS, rest & ((1 << _STRIKE_BITS) - 1)
    code, days = rest >> _DAY_BITS, rest & ((1 << _DAY_BITS) - 1)
    listed = BY_CODE.get(code)
    if listed is None or listed.is_option == (steps == 0):
        return None
    settlement = _EPOCH + timedelta(days=days)
    return ContractName(
        trading_class=weekly_class(settlement) if listed.name == WEEKLY_VX else listed.name,
        settlement=settlement,
        strike=steps * Decimal(listed.grid) if listed.is_option else None,
        right=(Right.PUT if put else Right.CALL) if listed.is_option else None,
    )


def weekly_class(settlement: date) -> str:
    """Return the class of a weekly VX future, by the week of the year in which it settles: VX01 to VX53."""
    return f"VX{settlement.isocalendar().week:02d}"


def local_symbol_of(instrument: Instrument) -> str:
    """Return the exchange's own name: ``VIX   261118C00020000`` for an option, ``VXX6`` for a future.

    The date is the settlement; the future's letter and digit are those of its settlement month (January F to
    December Z) and year. Anything without a date goes by its class: ``SPY``, ``EUR.USD``.
    """
    settlement = instrument.settlement
    if settlement is None:
        return instrument.trading_class
    if instrument.strike is None or instrument.right is None:
        return f"{instrument.trading_class}{_MONTH_CODES[settlement.month - 1]}{settlement.year % 10}"
    strike = int(instrument.strike * 1000)
    return f"{instrument.trading_class:<6}{settlement:%y%m%d}{instrument.right.value}{strike:08d}"
