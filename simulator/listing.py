"""A contract as the broker lists it: its number, its local name, its rules."""

from dataclasses import dataclass, field, replace
from decimal import Decimal

from bot.domain.instrument import Instrument


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What contract details tell about one instrument."""

    con_id: int
    instrument: Instrument
    local_symbol: str
    long_name: str
    market_name: str
    valid_exchanges: tuple[str, ...]
    market_rule_ids: tuple[int, ...]  # one per valid exchange
    min_tick: Decimal
    time_zone: str  # for example "US/Eastern"
    trading_hours: str  # the wire's own form, about a week ahead
    liquid_hours: str
    last_trade_text: str  # lastTradeDate field of the wire, for example "20150616 16:15 US/Eastern"
    real_expiration: str  # YYYYMMDD of settlement, empty for indices and shares
    under_con_id: int = 0
    under_symbol: str = ""
    under_sec_type: str = ""
    primary_exchange: str = ""
    sec_ids: tuple[tuple[str, str], ...] = field(default=())
    contract_month: str = ""  # YYYYMM of options and futures; the settlement's month when empty
    industry: str = ""
    category: str = ""
    subcategory: str = ""
    stock_type: str = ""  # COMMON, ETF, ETN; empty for anything but a share
    order_types: tuple[str, ...] = ()  # the broker's words; the door's own list when empty
    min_size: Decimal = Decimal(1)  # in contracts, shares or units of the base currency, as the two below
    size_increment: Decimal = Decimal(1)
    suggested_size_increment: Decimal = Decimal(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractQuery:
    """The contract fields of a request as sent; empty text or 0 means "any"."""

    con_id: int = 0
    symbol: str = ""
    sec_type: str = ""
    expiry: str = ""  # a prefix: YYYY, YYYYMM or YYYYMMDD of the last trading day
    strike: float = 0.0
    right: str = ""  # "", C or P
    multiplier: str = ""
    exchange: str = ""
    primary_exchange: str = ""
    currency: str = ""
    local_symbol: str = ""
    trading_class: str = ""
    include_expired: bool = False
    sec_id_type: str = ""  # ISIN, CUSIP, ...; with sec_id one of a listing's sec_ids
    sec_id: str = ""
    legs: tuple[tuple[int, int, str, str], ...] = ()  # BAG: con_id, ratio, action, exchange

    def expired_too(self) -> "ContractQuery":
        """Return the same query with expired contracts included."""
        return replace(self, include_expired=True)
