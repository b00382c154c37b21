"""What the gateway tells about contracts, rules and who offers what.

Source: docs/ib/wire.md, section 4.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, ClassVar

from simulator.tws.layout import Gate, Head


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A tag and its value."""

    tag: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractDetails:
    """10: everything about a contract."""

    HEAD: ClassVar = Head(10, 8, until=164)
    req_id: int
    symbol: str
    sec_type: str
    last_trade: str
    strike: float
    right: str
    exchange: str
    currency: str
    local_symbol: str
    market_name: str
    trading_class: str
    con_id: int
    min_tick: Decimal
    lot: Annotated[int, Gate(until=164)] = 100
    multiplier: str
    order_types: str
    valid_exchanges: str
    price_magnifier: int
    under_con_id: int
    long_name: str
    primary_exchange: str
    contract_month: str
    industry: str
    category: str
    subcategory: str
    time_zone: str
    trading_hours: str
    liquid_hours: str
    ev_rule: str
    ev_multiplier: int
    sec_ids: tuple[Pair, ...]
    agg_group: int
    under_symbol: str
    under_sec_type: str
    market_rule_ids: str
    real_expiration: str
    stock_type: str
    size_at_163: Annotated[Decimal, Gate(since=163, until=164)] = Decimal(1)
    min_size: Annotated[Decimal, Gate(since=164)] = Decimal(1)
    size_increment: Annotated[Decimal, Gate(since=164)] = Decimal(1)
    suggested_size: Annotated[Decimal, Gate(since=164)] = Decimal(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractDetailsEnd:
    """52: no more contracts."""

    HEAD: ClassVar = Head(52, 1)
    req_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionRow:
    """75: a class of options on one exchange."""

    HEAD: ClassVar = Head(75)
    req_id: int
    exchange: str
    con_id: int
    trading_class: str
    multiplier: str
    expirations: tuple[str, ...]
    strikes: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionParametersEnd:
    """76: no more rows of the chain."""

    HEAD: ClassVar = Head(76)
    req_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SymbolRow:
    """One contract."""

    con_id: int
    symbol: str
    sec_type: str
    primary_exchange: str
    currency: str
    derivatives: tuple[str, ...]
    description: Annotated[str, Gate(since=176)] = ""
    issuer_id: Annotated[str, Gate(since=176)] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SymbolSamples:
    """79: contracts that a pattern names."""

    HEAD: ClassVar = Head(79)
    req_id: int
    rows: tuple[SymbolRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleRow:
    """From a price on, an increment."""

    low_edge: Decimal
    increment: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketRule:
    """93: increments by price."""

    HEAD: ClassVar = Head(93)
    rule_id: int
    rows: tuple[RuleRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DepthExchange:
    """One exchange."""

    exchange: str
    sec_type: str
    listing: str
    service: str
    group: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DepthExchanges:
    """80: who shows a book."""

    HEAD: ClassVar = Head(80)
    rows: tuple[DepthExchange, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderRow:
    """One provider."""

    code: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewsProviders:
    """85: who sells news."""

    HEAD: ClassVar = Head(85)
    rows: tuple[ProviderRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScannerParameters:
    """19: what scanners could look for, as a document."""

    HEAD: ClassVar = Head(19, 1)
    document: str
