"""Ticks and quotes, and how far they can be believed."""

from dataclasses import dataclass
from enum import IntEnum

from bot.domain.checks import require_finite
from bot.domain.instrument import InstrumentKey


class DataType(IntEnum):
    """The broker's kind of market data; only LIVE may feed a decision."""

    LIVE = 1
    FROZEN = 2
    DELAYED = 3
    DELAYED_FROZEN = 4


class Tick:
    """One index level as it arrived.

    The only mutable value of the project: replay reuses one object for millions of ticks, and a frozen class halves
    its speed. Whoever receives a tick reads it during the call and keeps the numbers, never the object.

    Attributes:
        key: The index, for example ``IND:RVX``.
        level: In index points (volatility points for VIX and RVX).
        at_ns: Our own receive time, nanoseconds since 1970-01-01 UTC.
        data_type: LIVE unless the broker said otherwise.
    """

    __slots__ = ("at_ns", "data_type", "key", "level")

    def __init__(self, key: InstrumentKey, level: float, at_ns: int, data_type: DataType = DataType.LIVE) -> None:
        """Take the numbers as they came; `BotState.apply` judges them."""
        self.key = key
        self.level = level
        self.at_ns = at_ns
        self.data_type = data_type

    def __repr__(self) -> str:
        """Name, level and time, for logs and failing tests."""
        return f"Tick({self.key} {self.level} at {self.at_ns} {self.data_type.name})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """The two sides of one tradable contract as they arrived; a missing side is None, never 0, -1 or NaN.

    Prices in points, sizes in contracts; ``at_ns`` is our own receive time in nanoseconds since 1970 UTC.
    """

    key: InstrumentKey
    bid: float | None
    ask: float | None
    bid_size: int
    ask_size: int
    at_ns: int
    data_type: DataType = DataType.LIVE

    @property
    def is_two_sided(self) -> bool:
        """Both sides present, finite, ask above zero, and not crossed."""
        bid, ask = self.bid, self.ask
        return bid is not None and ask is not None and 0 <= bid <= ask < float("inf") and ask > 0

    @property
    def mid(self) -> float:
        """The middle of a two-sided quote, in points; callers check `is_two_sided` first."""
        if self.bid is None or self.ask is None:
            return float("nan")
        return (self.bid + self.ask) / 2.0

    @property
    def width(self) -> float:
        """Ask minus bid in points; callers check `is_two_sided` first."""
        if self.bid is None or self.ask is None:
            return float("nan")
        return self.ask - self.bid


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelGreeks:
    """What the broker's own model says of one option: points per +1.00 of its underlying, points per calendar day."""

    delta: float
    theta: float

    def __post_init__(self) -> None:
        """Reject figures that could not be compared."""
        require_finite(delta=self.delta, theta=self.theta)
