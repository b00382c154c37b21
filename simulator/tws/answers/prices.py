"""What the gateway tells about present prices.

Streams of ticks are written from prepared pieces, in `simulator.tws.ticks`.
Prices are points, sizes contracts or shares. Source: docs/ib/wire.md, section 4.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, ClassVar

from simulator.tws.layout import Head, Size, When


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketDataType:
    """58: 1 live, 2 frozen, 3 delayed, 4 delayed and frozen."""

    HEAD: ClassVar = Head(58, 1)
    req_id: int
    kind: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TickParameters:
    """81: the increment of a contract's price."""

    HEAD: ClassVar = Head(81)
    req_id: int
    min_tick: Decimal
    bbo_exchange: str
    permissions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TickPrice:
    """1: a price with its size."""

    HEAD: ClassVar = Head(1, 6)
    req_id: int
    kind: int
    price: float
    size: Size
    mask: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TickSize:
    """2: a size."""

    HEAD: ClassVar = Head(2, 6)
    req_id: int
    kind: int
    size: Size


@dataclass(frozen=True, slots=True, kw_only=True)
class TickGeneric:
    """45: a number."""

    HEAD: ClassVar = Head(45, 6)
    req_id: int
    kind: int
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TickString:
    """46: a text."""

    HEAD: ClassVar = Head(46, 6)
    req_id: int
    kind: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TickOption:
    """21: volatility, price and greeks; -1 and -2 stand for what is not computed."""

    HEAD: ClassVar = Head(21)
    req_id: int
    kind: int
    price_based: int
    vol: float
    delta: float
    price: float
    dividends: float
    gamma: float
    vega: float
    theta: float
    underlying: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotEnd:
    """57: the snapshot is complete."""

    HEAD: ClassVar = Head(57, 1)
    req_id: int


def _is_trade(values: Mapping[str, Any]) -> bool:
    return values["kind"] in {1, 2}


def _is_quote(values: Mapping[str, Any]) -> bool:
    return bool(values["kind"] == 3)


def _is_midpoint(values: Mapping[str, Any]) -> bool:
    return bool(values["kind"] == 4)


@dataclass(frozen=True, slots=True, kw_only=True)
class TickByTick:
    """99: one tick: 1 and 2 a trade, 3 the sides, 4 the midpoint; its time in seconds since the epoch."""

    HEAD: ClassVar = Head(99)
    req_id: int
    kind: int
    at: int
    price: Annotated[float, When(_is_trade)] = 0.0
    size: Annotated[Size, When(_is_trade)] = 0
    mask: Annotated[int, When(_is_trade)] = 0
    exchange: Annotated[str, When(_is_trade)] = ""
    conditions: Annotated[str, When(_is_trade)] = ""
    bid: Annotated[float, When(_is_quote)] = 0.0
    ask: Annotated[float, When(_is_quote)] = 0.0
    bid_size: Annotated[Size, When(_is_quote)] = 0
    ask_size: Annotated[Size, When(_is_quote)] = 0
    side_mask: Annotated[int, When(_is_quote)] = 0
    midpoint: Annotated[float, When(_is_midpoint)] = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RealTimeBar:
    """50: a bar of five seconds, its beginning in seconds since the epoch."""

    HEAD: ClassVar = Head(50, 3)
    req_id: int
    at: int
    open: float
    high: float
    low: float
    close: float
    volume: Size
    average: float
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BookRow:
    """12: a row of the book: operation 0 insert, 1 update, 2 delete; side 0 ask, 1 bid."""

    HEAD: ClassVar = Head(12, 1)
    req_id: int
    position: int
    operation: int
    side: int
    price: float
    size: Size


@dataclass(frozen=True, slots=True, kw_only=True)
class SmartBookRow:
    """13: a row of the book with who shows it."""

    HEAD: ClassVar = Head(13, 1)
    req_id: int
    position: int
    maker: str
    operation: int
    side: int
    price: float
    size: Size
    is_smart: bool
