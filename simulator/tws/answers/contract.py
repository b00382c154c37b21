"""The contract fields of orders, executions and positions.

Source: docs/ib/wire.md, section 4.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractText:
    """The eleven contract fields of orders, executions and positions, without a primary exchange."""

    con_id: int
    symbol: str
    sec_type: str
    expiry: str = ""
    strike: float = 0.0
    right: str = "?"
    multiplier: str = ""
    exchange: str = ""
    currency: str = ""
    local_symbol: str = ""
    trading_class: str = ""
