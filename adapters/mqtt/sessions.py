"""MQTT 5 clients as the project wants them: TLS, password, name as client id, clean start, no delay, small packets."""

import asyncio
import socket
import ssl
from collections import Counter
from functools import partial
from pathlib import Path
from typing import cast

from aiomqtt import Client, Message, ProtocolVersion, Will
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from adapters.control.files import read_secret
from adapters.mqtt.commands import CommandQueue
from adapters.mqtt.settings import MqttSettings
from adapters.mqtt.topics import Topics
from bot.domain.errors import RefusedStartError

LARGEST_PACKET = 4096
"""docs/risk-controls.md, Q8: the broker drops anything larger on its way to us."""

NO_DELAY = (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
TIMEOUT_S = 5.0
OFFLINE = b"offline"


async def bot_client(settings: MqttSettings, topics: Topics, dropped: Counter[str]) -> Client:
    """Return the bot's own client, not connected yet; password and authorities are read anew each time."""
    queue = cast("type[asyncio.Queue[Message]]", partial(CommandQueue, topics=topics, dropped=dropped))
    return await _client(
        settings,
        settings.username,
        settings.password_file,
        queue=queue,
        will=Will(topics.availability, OFFLINE, qos=1, retain=True),
    )


async def probe_client(settings: MqttSettings) -> Client | None:
    """Return the probe's client; None where none is configured."""
    if settings.probe_password_file is None:
        return None
    return await _client(settings, settings.probe_username, settings.probe_password_file)


async def operator_client(settings: MqttSettings, username: str, password_file: Path | None) -> Client:
    """Return the client of an operator's tool."""
    return await _client(settings, username, password_file, largest_packet=None)


async def _client(
    settings: MqttSettings,
    username: str,
    password_file: Path | None,
    *,
    queue: type[asyncio.Queue[Message]] | None = None,
    will: Will | None = None,
    largest_packet: int | None = LARGEST_PACKET,
) -> Client:
    loop = asyncio.get_running_loop()
    password = None if password_file is None else await loop.run_in_executor(None, read_secret, password_file)
    context = await loop.run_in_executor(None, _tls, settings) if settings.tls else None
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # carries no types
    properties.SessionExpiryInterval = 0
    if largest_packet is not None:
        properties.MaximumPacketSize = largest_packet
    return Client(
        settings.host,
        settings.port,
        username=username,
        password=password,
        identifier=username,
        protocol=ProtocolVersion.V5,
        clean_start=True,
        keepalive=settings.keepalive_s,
        properties=properties,
        tls_context=context,
        socket_options=(NO_DELAY,),
        queue_type=queue,
        will=will,
        timeout=TIMEOUT_S,
    )


def _tls(settings: MqttSettings) -> ssl.SSLContext:
    """Return a context that checks the broker's certificate and name; TLS 1.2 at least."""
    try:
        context = ssl.create_default_context(cafile=None if settings.ca_file is None else str(settings.ca_file))
    except OSError as error:
        raise RefusedStartError(f"{settings.ca_file}: no readable certificate authority ({error})") from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
