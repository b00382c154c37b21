"""What the gateway tells about the session itself: accounts, ids, errors and notices, its clock.

Source: docs/ib/wire.md, section 4.
"""

from dataclasses import dataclass
from typing import Annotated, ClassVar

from simulator.tws.layout import Gate, Head


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagedAccounts:
    """15: the accounts, comma separated."""

    HEAD: ClassVar = Head(15, 1)
    accounts: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NextValidId:
    """9: an order id above every used one."""

    HEAD: ClassVar = Head(9, 1)
    order_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorText:
    """4: an error or a notice; -1 for the connection, a request's or an order's own id otherwise."""

    HEAD: ClassVar = Head(4, 2)
    req_id: int
    code: int
    text: str
    advanced: Annotated[str, Gate(since=166)] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrentTime:
    """49: the floor's clock in seconds since the epoch."""

    HEAD: ClassVar = Head(49, 1)
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UserInfo:
    """107: the user's branding."""

    HEAD: ClassVar = Head(107)
    req_id: int
    branding: str
