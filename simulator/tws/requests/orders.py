"""What a client asks about orders; placeOrder has a plan of its own, in `simulator.tws.order_fields`.

Source: docs/ib/wire.md, section 3.
"""

from dataclasses import dataclass
from typing import Annotated, ClassVar

from simulator.tws.layout import Gate, Head


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqIds:
    """8: the next order id, please."""

    HEAD: ClassVar = Head(8, 1)
    count: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqOpenOrders:
    """5: the working orders of this client id."""

    HEAD: ClassVar = Head(5, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqAllOpenOrders:
    """16: the working orders of everybody."""

    HEAD: ClassVar = Head(16, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqAutoOpenOrders:
    """15: bind manual orders to this client."""

    HEAD: ClassVar = Head(15, 1)
    auto_bind: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqCompletedOrders:
    """99: today's orders that are done."""

    HEAD: ClassVar = Head(99)
    api_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqExecutions:
    """7: today's executions that fit the filter; empty fields and client 0 mean any."""

    HEAD: ClassVar = Head(7, 3)
    req_id: int
    client_id: int = 0
    account: str = ""
    time: str = ""
    symbol: str = ""
    sec_type: str = ""
    exchange: str = ""
    side: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelOrder:
    """4: cancel one order of this client."""

    HEAD: ClassVar = Head(4, 1)
    order_id: int
    manual_time: Annotated[str, Gate(since=169)] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GlobalCancel:
    """58: cancel everything, of all clients."""

    HEAD: ClassVar = Head(58, 1)
