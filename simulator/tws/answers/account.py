"""What the gateway tells about the account; money is USD.

Source: docs/ib/wire.md, section 4.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

from simulator.tws.answers.contract import ContractText
from simulator.tws.layout import Head, Size


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountValue:
    """6: one value of the account."""

    HEAD: ClassVar = Head(6, 2)
    key: str
    value: str
    currency: str
    account: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountTime:
    """8: when the values were told, HH:MM."""

    HEAD: ClassVar = Head(8, 1)
    at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountDownloadEnd:
    """54: the account is complete."""

    HEAD: ClassVar = Head(54, 1)
    account: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SummaryValue:
    """63: one value of a summary."""

    HEAD: ClassVar = Head(63, 1)
    req_id: int
    account: str
    tag: str
    value: str
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountSummaryEnd:
    """64: no more values."""

    HEAD: ClassVar = Head(64, 1)
    req_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MultiValue:
    """73: one value of the account under a request id."""

    HEAD: ClassVar = Head(73, 1)
    req_id: int
    account: str
    model: str
    key: str
    value: str
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountUpdatesMultiEnd:
    """74: no more values."""

    HEAD: ClassVar = Head(74, 1)
    req_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Portfolio:
    """7: a position and its worth."""

    HEAD: ClassVar = Head(7, 8)
    con_id: int
    symbol: str
    sec_type: str
    expiry: str
    strike: float
    right: str
    multiplier: str
    primary_exchange: str
    currency: str
    local_symbol: str
    trading_class: str
    quantity: float
    price: Decimal
    worth: Decimal
    average_cost: Decimal
    unrealized: Decimal
    realized: Decimal
    account: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """61: a position; its exchange stays empty."""

    HEAD: ClassVar = Head(61, 3)
    account: str
    contract: ContractText
    quantity: float
    average_cost: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionsEnd:
    """62: no more positions."""

    HEAD: ClassVar = Head(62, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionMulti:
    """71: a position under a request id."""

    HEAD: ClassVar = Head(71, 1)
    req_id: int
    account: str
    contract: ContractText
    quantity: float
    average_cost: Decimal
    model: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionsMultiEnd:
    """72: no more positions."""

    HEAD: ClassVar = Head(72, 1)
    req_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Profit:
    """94: the account's profit: of the day, open, realised today."""

    HEAD: ClassVar = Head(94)
    req_id: int
    daily: Decimal
    unrealized: Decimal
    realized: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionProfit:
    """95: a position's size, profit and worth."""

    HEAD: ClassVar = Head(95)
    req_id: int
    quantity: Size
    daily: Decimal
    unrealized: Decimal
    realized: Decimal
    worth: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class FamilyRow:
    """One account."""

    account: str
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FamilyCodes:
    """78: accounts and their family."""

    HEAD: ClassVar = Head(78)
    rows: tuple[FamilyRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TierRow:
    """One tier."""

    name: str
    value: str
    display_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SoftDollarTiers:
    """77: soft dollar tiers."""

    HEAD: ClassVar = Head(77)
    req_id: int
    rows: tuple[TierRow, ...]
