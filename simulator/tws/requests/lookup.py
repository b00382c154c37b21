"""What a client asks about contracts, rules and who offers what.

Source: docs/ib/wire.md, section 3.
"""

from dataclasses import dataclass
from typing import Annotated, ClassVar

from simulator.tws.layout import Gate, Head
from simulator.tws.requests.contract import Contract


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqContractDetails:
    """9: everything about the contracts that fit."""

    HEAD: ClassVar = Head(9, 8)
    req_id: int
    contract: Contract
    include_expired: bool = False
    sec_id_type: str = ""
    sec_id: str = ""
    issuer_id: Annotated[str, Gate(since=176)] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqOptionParameters:
    """78: an underlying's option chain."""

    HEAD: ClassVar = Head(78)
    req_id: int
    symbol: str
    fut_fop_exchange: str
    sec_type: str
    con_id: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqMatchingSymbols:
    """81: contracts whose symbol or name holds a pattern."""

    HEAD: ClassVar = Head(81)
    req_id: int
    pattern: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqMarketRule:
    """91: the increments of a rule."""

    HEAD: ClassVar = Head(91)
    rule_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqDepthExchanges:
    """82: who shows a book."""

    HEAD: ClassVar = Head(82)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqNewsProviders:
    """85: who sells news."""

    HEAD: ClassVar = Head(85)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqScannerParameters:
    """24: what scanners could look for."""

    HEAD: ClassVar = Head(24, 1)
