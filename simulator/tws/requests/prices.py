"""What a client asks about present prices: streams, snapshots, ticks, bars as they form, the book, option models.

Source: docs/ib/wire.md, section 3.
"""

from dataclasses import dataclass
from typing import ClassVar

from simulator.tws.layout import Head
from simulator.tws.requests.contract import Contract, DeltaNeutral, ShortLegs


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqMarketDataType:
    """59: 1 live, 2 frozen, 3 delayed, 4 delayed and frozen."""

    HEAD: ClassVar = Head(59, 1)
    data_type: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqMarketData:
    """1: ticks of a contract until cancelled, or one snapshot."""

    HEAD: ClassVar = Head(1, 11)
    req_id: int
    contract: Contract
    legs: ShortLegs = ()
    delta_neutral: DeltaNeutral = ()
    generic_ticks: str
    snapshot: bool
    regulatory: bool = False
    options: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelMarketData:
    """2: no more ticks."""

    HEAD: ClassVar = Head(2, 2)
    req_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqTickByTick:
    """97: every tick of one kind."""

    HEAD: ClassVar = Head(97)
    req_id: int
    contract: Contract
    kind: str
    count: int = 0
    ignore_size: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelTickByTick:
    """98: no more ticks of one kind."""

    HEAD: ClassVar = Head(98)
    req_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqRealTimeBars:
    """50: a bar every five seconds."""

    HEAD: ClassVar = Head(50, 3)
    req_id: int
    contract: Contract
    width_s: int
    what: str
    regular_hours: bool = False
    options: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelRealTimeBars:
    """51: no more bars."""

    HEAD: ClassVar = Head(51, 1)
    req_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqDepth:
    """10: the book."""

    HEAD: ClassVar = Head(10, 5)
    req_id: int
    contract: Contract
    rows: int
    is_smart: bool = False
    options: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelDepth:
    """11: no more of the book."""

    HEAD: ClassVar = Head(11, 1)
    req_id: int
    is_smart: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CalcImpliedVol:
    """54: the volatility behind an option's price; some clients leave out the number of options."""

    HEAD: ClassVar = Head(54, 3)
    req_id: int
    contract: Contract
    price: float
    underlying: float
    option_count: str = ""
    options: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CalcOptionPrice:
    """55: an option's price at a volatility."""

    HEAD: ClassVar = Head(55, 3)
    req_id: int
    contract: Contract
    volatility: float
    underlying: float
    option_count: str = ""
    options: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelCalcImpliedVol:
    """56: no answer is wanted any more."""

    HEAD: ClassVar = Head(56, 1)
    req_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelCalcOptionPrice:
    """57: no answer is wanted any more."""

    HEAD: ClassVar = Head(57, 1)
    req_id: int
