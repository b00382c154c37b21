"""What the gateway tells about past prices.

Source: docs/ib/wire.md, section 4.
"""

from dataclasses import dataclass
from typing import ClassVar

from simulator.tws.layout import Head, Size


@dataclass(frozen=True, slots=True, kw_only=True)
class BarRow:
    """One bar; its date in the form that was asked for."""

    at: str
    open: float
    high: float
    low: float
    close: float
    volume: Size
    average: float
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoricalBars:
    """17: all bars of a request."""

    HEAD: ClassVar = Head(17)
    req_id: int
    start: str
    end: str
    bars: tuple[BarRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoricalBarUpdate:
    """90: the newest bar as it stands now."""

    HEAD: ClassVar = Head(90)
    req_id: int
    count: int
    at: str
    open: float
    close: float
    high: float
    low: float
    average: float
    volume: Size


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleRow:
    """One session."""

    start: str
    end: str
    day: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """106: the sessions of a contract in a zone's time."""

    HEAD: ClassVar = Head(106)
    req_id: int
    start: str
    end: str
    zone: str
    sessions: tuple[ScheduleRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadTimestamp:
    """88: when the oldest bar begins."""

    HEAD: ClassVar = Head(88)
    req_id: int
    at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PastMidpoint:
    """One midpoint, in seconds since the epoch."""

    at: int
    unused: int = 0
    price: float
    size: Size = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PastMidpoints:
    """96: past midpoints."""

    HEAD: ClassVar = Head(96)
    req_id: int
    ticks: tuple[PastMidpoint, ...]
    done: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PastSide:
    """One quote; mask bit 1: ask above the high, bit 2: bid below the low."""

    at: int
    mask: int = 0
    bid: float
    ask: float
    bid_size: Size
    ask_size: Size


@dataclass(frozen=True, slots=True, kw_only=True)
class PastSides:
    """97: past quotes."""

    HEAD: ClassVar = Head(97)
    req_id: int
    ticks: tuple[PastSide, ...]
    done: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PastTrade:
    """One trade."""

    at: int
    mask: int = 0
    price: float
    size: Size
    exchange: str
    conditions: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PastTrades:
    """98: past trades."""

    HEAD: ClassVar = Head(98)
    req_id: int
    ticks: tuple[PastTrade, ...]
    done: bool
