"""What the gateway tells about orders and executions.

openOrder and completedOrder have plans of their own, in `simulator.tws.order_fields`.
Prices are points, quantities contracts or shares, money USD. Source: docs/ib/wire.md, section 4.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, ClassVar

from simulator.tws.answers.contract import ContractText
from simulator.tws.layout import Gate, Head, Unset


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderStatus:
    """3: where an order stands."""

    HEAD: ClassVar = Head(3)
    order_id: int
    status: str
    filled: float
    remaining: float
    average_price: Decimal
    perm_id: int
    parent_id: int
    last_price: Decimal
    client_id: int
    why_held: str = ""
    cap_price: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenOrderEnd:
    """53: no more open orders."""

    HEAD: ClassVar = Head(53, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class CompletedOrdersEnd:
    """102: no more completed orders."""

    HEAD: ClassVar = Head(102)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderBound:
    """100: a manual order's new number."""

    HEAD: ClassVar = Head(100)
    perm_id: int
    client_id: int
    order_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """11: an execution; the request's id, -1 for what happens now; side BOT or SLD."""

    HEAD: ClassVar = Head(11)
    req_id: int
    order_id: int
    contract: ContractText
    exec_id: str
    at: str
    account: str
    exchange: str
    side: str
    quantity: float
    price: Decimal
    perm_id: int
    client_id: int
    liquidation: int
    cumulative: float
    average_price: Decimal
    order_ref: str
    ev_rule: str = ""
    ev_multiplier: Decimal | None = None
    model: str = ""
    liquidity: int = 2
    price_revision: Annotated[bool, Gate(since=178)] = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionsEnd:
    """55: no more executions and commissions."""

    HEAD: ClassVar = Head(55, 1)
    req_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Commission:
    """59: what an execution cost, and its realised profit, unset where nothing was closed."""

    HEAD: ClassVar = Head(59, 1)
    exec_id: str
    commission: Decimal
    currency: str
    realized: Unset
    bond_yield: Decimal | None = None
    yield_redemption: str = ""
