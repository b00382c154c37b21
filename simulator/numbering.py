"""Contract numbers and local symbols: stable, free of collisions, and readable backwards without a table.

A number holds class, settlement, strike and right in its bits, so that the same contract has the same number in every
run and every window, and two contracts never share one. Indices carry fixed numbers below all of these.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from bot.domain.errors import InvalidValueError
from bot.domain.instrument import Instrument, Kind, Right

INDEX_NUMBERS: Final = {"SPX": 416904, "VIX": 13455763, "RUT": 416888, "RVX": 26718743}
"""SPX and VIX as the broker numbers them (docs/ib/wire.md, section 7); the others are the simulator's own."""

_CLASS_CODES: Final = {"VX": 1, "VXM": 2, "VIX": 3, "SPX": 4, "SPXW": 5}
_CLASSES: Final = {code: name for name, code in _CLASS_CODES.items()}
_EPOCH: Final = date(2000, 1, 1)
_STRIKE_STEP: Final = {"VIX": Decimal("0.5"), "SPX": Decimal(5), "SPXW": Decimal(5)}
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


def number_of(instrument: Instrument) -> int:
    """Return a contract's number, positive and below 2^31.

    Raises:
        InvalidValueError: A class that is not numbered here, or a strike off its class's grid.
    """
    if instrument.kind is Kind.INDEX and instrument.symbol in INDEX_NUMBERS:
        return INDEX_NUMBERS[instrument.symbol]
    code = _CLASS_CODES.get(instrument.trading_class)
    if code is None or instrument.settlement is None:
        raise InvalidValueError(f"{instrument.key}: no number, numbered classes are {', '.join(_CLASS_CODES)}")
    days = (instrument.settlement - _EPOCH).days
    strike = 0
    if instrument.strike is not None:
        steps, rest = divmod(instrument.strike, _STRIKE_STEP[instrument.trading_class])
        if rest or not 0 < steps < 1 << _STRIKE_BITS:
            raise InvalidValueError(f"{instrument.key}: strike off the grid of its class")
        strike = int(steps)
    put = int(instrument.right is Right.PUT)
    return ((code << _DAY_BITS | days) << _STRIKE_BITS | strike) << _RIGHT_BITS | put


def name_of(number: int) -> ContractName | None:
    """Return what a number says, or None for one that `number_of` cannot have made; listed or not is not checked."""
    rest, put = number >> _RIGHT_BITS, number & 1
    rest, steps = rest >> _STRIKE_BITS, rest & ((1 << _STRIKE_BITS) - 1)
    code, days = rest >> _DAY_BITS, rest & ((1 << _DAY_BITS) - 1)
    trading_class = _CLASSES.get(code)
    if trading_class is None:
        return None
    step = _STRIKE_STEP.get(trading_class)
    if (step is None) != (steps == 0):
        return None
    return ContractName(
        trading_class=trading_class,
        settlement=_EPOCH + timedelta(days=days),
        strike=None if step is None else steps * step,
        right=None if step is None else (Right.PUT if put else Right.CALL),
    )


def local_symbol_of(instrument: Instrument) -> str:
    """Return the exchange's own name: ``VIX   261118C00020000`` for an option, ``VXX6`` for a future.

    The date is the settlement; the future's letter and digit are those of its settlement month (January F to
    December Z) and year.
    """
    settlement = instrument.settlement
    if settlement is None:
        return instrument.symbol
    if instrument.strike is None or instrument.right is None:
        return f"{instrument.trading_class}{_MONTH_CODES[settlement.month - 1]}{settlement.year % 10}"
    strike = int(instrument.strike * 1000)
    return f"{instrument.trading_class:<6}{settlement:%y%m%d}{instrument.right.value}{strike:08d}"
