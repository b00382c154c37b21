"""What a client asks about the account: values, positions, profit.

Source: docs/ib/wire.md, section 3.
"""

from dataclasses import dataclass
from typing import ClassVar

from simulator.tws.layout import Head


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqPositions:
    """61: all positions, and every change from now on."""

    HEAD: ClassVar = Head(61, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelPositions:
    """64: no more changes of positions."""

    HEAD: ClassVar = Head(64, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqPositionsMulti:
    """74: positions under a request id."""

    HEAD: ClassVar = Head(74, 1)
    req_id: int
    account: str = ""
    model: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelPositionsMulti:
    """75: no more positions under this id."""

    HEAD: ClassVar = Head(75, 1)
    req_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqAccountUpdates:
    """6: account values and positions with their worth, on or off."""

    HEAD: ClassVar = Head(6, 2)
    subscribe: bool
    account: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqAccountUpdatesMulti:
    """76: account values under a request id."""

    HEAD: ClassVar = Head(76, 1)
    req_id: int
    account: str = ""
    model: str = ""
    ledger_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelAccountUpdatesMulti:
    """77: no more values under this id."""

    HEAD: ClassVar = Head(77, 1)
    req_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqAccountSummary:
    """62: chosen values, by name."""

    HEAD: ClassVar = Head(62, 1)
    req_id: int
    group: str
    tags: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelAccountSummary:
    """63: no more values under this id."""

    HEAD: ClassVar = Head(63, 1)
    req_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqProfit:
    """92: the account's profit, until cancelled."""

    HEAD: ClassVar = Head(92)
    req_id: int
    account: str = ""
    model: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelProfit:
    """93: no more profit under this id."""

    HEAD: ClassVar = Head(93)
    req_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqPositionProfit:
    """94: one position's profit, until cancelled."""

    HEAD: ClassVar = Head(94)
    req_id: int
    account: str
    model: str
    con_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelPositionProfit:
    """95: no more profit of a position under this id."""

    HEAD: ClassVar = Head(95)
    req_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqFamilyCodes:
    """80: the account's family."""

    HEAD: ClassVar = Head(80)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqSoftDollarTiers:
    """79: the account's soft dollar tiers."""

    HEAD: ClassVar = Head(79)
    req_id: int
