"""What a client asks about the session itself.

Source: docs/ib/wire.md, section 3.
"""

from dataclasses import dataclass
from typing import ClassVar

from simulator.tws.layout import Head


@dataclass(frozen=True, slots=True, kw_only=True)
class StartApi:
    """71: the client names itself."""

    HEAD: ClassVar = Head(71, 2)
    client_id: int
    capabilities: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqCurrentTime:
    """49: the time."""

    HEAD: ClassVar = Head(49, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqManagedAccounts:
    """17: the accounts."""

    HEAD: ClassVar = Head(17, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class SetServerLogLevel:
    """14: without effect."""

    HEAD: ClassVar = Head(14, 1)
    level: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqUserInfo:
    """104: the user's branding."""

    HEAD: ClassVar = Head(104)
    req_id: int
