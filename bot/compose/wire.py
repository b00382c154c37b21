"""The broker's wire with the real client library, as three ports."""

from adapters.ibkr.gateway import IbkrGateway
from adapters.ibkr.settings import BrokerSettings
from bot.ports import Broker, Clock, Connection, MarketData, Sink

Doors = tuple[Broker, MarketData, Connection]


def wired(settings: BrokerSettings, clock: Clock, sink: Sink) -> Doors:
    """Return broker, market data and connection over one socket."""
    gateway = IbkrGateway(settings=settings, clock=clock, sink=sink)
    return gateway, gateway, gateway
