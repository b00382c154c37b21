"""Price increments: which prices an exchange takes, by class and price, for single contracts and for combos."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from bot.domain.checks import require_not_negative, require_positive
from bot.domain.errors import InvalidValueError
from bot.domain.instrument import Instrument
from bot.domain.orders import Leg

Rows = tuple[tuple[Decimal, Decimal], ...]
"""Rows (price from which it holds, increment), in points, ascending from 0."""


def _rows(*rows: tuple[str, str]) -> Rows:
    return tuple((Decimal(edge), Decimal(increment)) for edge, increment in rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class TickTable:
    """Increments by trading class; a class that is not listed has no known increment and cannot be priced.

    Source: docs/contracts.md, section 4; expectations, to be compared with the broker's market rules at start.
    """

    outright: Mapping[str, Rows] = field(
        default_factory=lambda: {
            "VIX": _rows(("0", "0.01"), ("3", "0.05")),
            "VIXW": _rows(("0", "0.01")),
            "VX": _rows(("0", "0.05")),
            "VXM": _rows(("0", "0.01")),
            "SPX": _rows(("0", "0.05"), ("3", "0.10")),
            "SPXW": _rows(("0", "0.05"), ("3", "0.10")),
            "VXX": _rows(("0", "0.01")),
            "UVXY": _rows(("0", "0.01")),
            "SVXY": _rows(("0", "0.01")),
        }
    )
    combo: Mapping[str, Decimal] = field(
        default_factory=lambda: {
            "VIX": Decimal("0.01"),
            "VIXW": Decimal("0.01"),
            "SPX": Decimal("0.05"),
            "SPXW": Decimal("0.05"),
        }
    )

    def __post_init__(self) -> None:
        """Reject tables with holes and increments that are none."""
        for trading_class, rows in self.outright.items():
            if not rows or rows[0][0] != 0 or list(rows) != sorted(rows):
                raise InvalidValueError(f"ticks of {trading_class}: rows ascend from price 0, were {rows}")
            for edge, increment in rows:
                require_not_negative(**{f"price edge of {trading_class}": edge})
                require_positive(**{f"increment of {trading_class}": increment})
        for trading_class, increment in self.combo.items():
            require_positive(**{f"combo increment of {trading_class}": increment})

    def increment(self, trading_class: str, price: Decimal) -> Decimal:
        """Return the increment of a single contract at a price, in points; a negative price has that of its size.

        >>> TickTable().increment("VIX", Decimal("3.00"))
        Decimal('0.05')

        Raises:
            InvalidValueError: The class is not in the table.
        """
        rows = self.outright.get(trading_class)
        if rows is None:
            raise InvalidValueError(f"no tick known for class {trading_class}, expected one of {sorted(self.outright)}")
        size = abs(price)
        return next(increment for edge, increment in reversed(rows) if size >= edge)

    def increment_of(self, legs: Sequence[Leg], price: Decimal) -> Decimal:
        """Return the increment of an order's net price; the coarsest where the legs of a combo differ in class.

        Raises:
            InvalidValueError: A class is not in the table.
        """
        if len(legs) == 1:
            return self.increment(legs[0].instrument.trading_class, price)
        found = [self.combo.get(leg.instrument.trading_class) for leg in legs]
        known = [increment for increment in found if increment is not None]
        if len(known) != len(found) or not known:
            classes = sorted({leg.instrument.trading_class for leg in legs})
            raise InvalidValueError(f"no combo tick known for {classes}, expected some of {sorted(self.combo)}")
        return max(known)

    def is_on_tick(self, legs: Sequence[Leg], price: Decimal) -> bool:
        """Return whether the exchange takes this net price.

        Raises:
            InvalidValueError: As `increment_of`.
        """
        return price % self.increment_of(legs, price) == 0

    def rounded_up(self, legs: Sequence[Leg], price: Decimal) -> Decimal:
        """Return the next price on the grid that pays at least as much, or receives no more.

        >>> from bot.domain.instrument import Instrument, Kind, Side
        >>> from datetime import date
        >>> settlement = date(2026, 11, 18)
        >>> vx = Instrument(kind=Kind.FUTURE, symbol="VIX", trading_class="VX", exchange="CFE", multiplier=1000,
        ...     settlement=settlement, last_trade=settlement)
        >>> TickTable().rounded_up((Leg(instrument=vx, side=Side.BUY),), Decimal("19.02"))
        Decimal('19.05')

        Raises:
            InvalidValueError: As `increment_of`.
        """
        increment = self.increment_of(legs, price)
        return (price / increment).to_integral_value(ROUND_CEILING) * increment

    def rounded_down(self, legs: Sequence[Leg], price: Decimal) -> Decimal:
        """Return the next price on the grid that pays at most as much, or receives no less.

        Raises:
            InvalidValueError: As `increment_of`.
        """
        increment = self.increment_of(legs, price)
        return (price / increment).to_integral_value(ROUND_FLOOR) * increment


def increment_told(rows: Rows, price: Decimal) -> Decimal | None:
    """Return the increment of a market rule at a price, in points; None where the rule does not reach down to it.

    >>> increment_told(_rows(("0", "0.01"), ("3", "0.05")), Decimal("-3.00"))
    Decimal('0.05')
    """
    size = abs(price)
    return next((increment for edge, increment in reversed(rows) if size >= edge), None)


def ticks_dispute(table: TickTable, instrument: Instrument, rows: Rows) -> str:
    """Return in words where a market rule differs from our own table; empty where it does not, or none was told.

    Both are compared at every edge of either, which is where increments change.
    """
    own = table.outright.get(instrument.trading_class)
    if not rows or own is None:
        return ""
    for edge in sorted({edge for edge, _ in (*own, *rows)}):
        ours, told = table.increment(instrument.trading_class, edge), increment_told(rows, edge)
        if ours != told:
            return f"from {edge} on the broker's increment is {told or 'none'}, ours {ours}"
    return ""
