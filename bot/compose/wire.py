"""The broker's wire with the real client library, as three ports."""

from adapters.ibkr.gateway import IbkrGateway
from adapters.ibkr.settings import BrokerSettings
from bot.compose.assembly import Junction
from bot.ports import Broker, Clock, Connection, MarketData

Doors = tuple[Broker, MarketData, Connection]


def wired(settings: BrokerSettings, clock: Clock, junction: Junction) -> Doors:
    """Return broker, market data and connection over one socket."""
    gateway = IbkrGateway(settings=settings, clock=clock, sink=junction)
    return gateway, gateway, gateway
