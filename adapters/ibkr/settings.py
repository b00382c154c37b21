"""Where the gateway is, who we are there, and how long we wait."""

from dataclasses import dataclass

from bot.domain.checks import require_positive, require_text
from bot.domain.errors import InvalidValueError
from bot.domain.market import DataType


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerSettings:
    """One account at one gateway; the section ``[broker]`` of a profile.

    ``client_id`` is fixed: only the same id may cancel an order again, and the broker numbers orders by it. Id 0 would
    bind manual orders, and binding cancels and resubmits them, so it is refused. When to connect again, and how long an
    order without a trace counts as under way, are the shell's settings.
    """

    host: str = "127.0.0.1"
    port: int = 4002
    client_id: int = 17
    account: str
    connect_timeout_s: float = 10.0
    request_timeout_s: float = 10.0
    snapshot_timeout_s: float = 12.0  # the broker ends a snapshot after 11 s at the latest
    id_in_use_alert_s: float = 120.0
    market_data_type: DataType = DataType.LIVE
    option_exchange: str = "SMART"  # where options and combos are routed
    gateway_zone: str = "America/New_York"  # in which the gateway means a time without a zone

    def __post_init__(self) -> None:
        """Reject an address, identity or deadline that cannot be meant."""
        require_text(host=self.host, account=self.account, option_exchange=self.option_exchange)
        require_text(gateway_zone=self.gateway_zone)
        require_positive(
            connect_timeout_s=self.connect_timeout_s,
            request_timeout_s=self.request_timeout_s,
            snapshot_timeout_s=self.snapshot_timeout_s,
            id_in_use_alert_s=self.id_in_use_alert_s,
        )
        if not 1 <= self.port <= 65535:
            raise InvalidValueError(f"broker port must be 1..65535, was {self.port}")
        if self.client_id <= 0:
            raise InvalidValueError(
                f"broker client_id must be above 0, was {self.client_id}: id 0 binds and resubmits manual orders"
            )
