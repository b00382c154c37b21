"""What a client asks about past prices.

Source: docs/ib/wire.md, section 3.
"""

from dataclasses import dataclass
from typing import ClassVar

from simulator.tws.layout import Head
from simulator.tws.requests.contract import Contract, ShortLegs


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqHistoricalData:
    """20: bars."""

    HEAD: ClassVar = Head(20)
    req_id: int
    contract: Contract
    include_expired: bool
    end: str
    bar_size: str
    duration: str
    regular_hours: bool
    what: str
    format_date: int
    legs: ShortLegs = ()
    keep_up_to_date: bool = False
    options: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelHistoricalData:
    """25: no more bars."""

    HEAD: ClassVar = Head(25, 1)
    req_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqHeadTimestamp:
    """87: when the oldest bar begins."""

    HEAD: ClassVar = Head(87)
    req_id: int
    contract: Contract
    include_expired: bool
    regular_hours: bool
    what: str
    format_date: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelHeadTimestamp:
    """90: no answer is wanted any more."""

    HEAD: ClassVar = Head(90)
    req_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqHistoricalTicks:
    """96: past ticks."""

    HEAD: ClassVar = Head(96)
    req_id: int
    contract: Contract
    include_expired: bool
    start: str
    end: str
    count: int
    what: str
    regular_hours: bool
    ignore_size: bool = False
    options: str = ""
