"""A hand at the broker without the tool's manners: sends any bytes to any topic under any identity."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiomqtt import Client

from adapters.control.acks import ack_of
from adapters.control.keys import public_key
from adapters.control.operator_key import OperatorIdentity
from adapters.mqtt.sessions import operator_client
from bot.domain.command import Ack, CommandName
from tests.adapters.mqtt.bench_bot import PATIENCE_S, BenchBot, envelope_for, signed_by, until
from tests.adapters.mqtt.mosquitto_broker import Mosquitto


@asynccontextmanager
async def connected(broker: Mosquitto, identity: str = "operator-anna") -> AsyncIterator[Client]:
    """Connect under an identity."""
    client = await operator_client(broker.settings(), identity, broker.credentials.password_file(identity))
    async with client:
        yield client


class Hand:
    """Sends envelopes that may be wrong, and waits until the bot has worked them off."""

    def __init__(self, client: Client, bot: BenchBot, operator: OperatorIdentity) -> None:
        self.client = client
        self.bot = bot
        self.operator = operator

    async def listen(self) -> None:
        """Hear the bot's acks."""
        await self.client.subscribe("alvh/main/ack/#", qos=1)

    async def send(self, name: str, payload: bytes, *, retain: bool = False) -> None:
        """Publish bytes as a command."""
        await self.client.publish(f"alvh/main/cmd/{name}", payload, qos=1, retain=retain)

    async def answer_to(self, command_id: str) -> Ack:
        """Return the first ack of a command, checked with the bot's key."""
        key = public_key(self.operator.bot_key)
        async with asyncio.timeout(PATIENCE_S):
            async for message in self.client.messages:
                ack = ack_of(bytes(message.payload), key)
                if ack is not None and ack.command_id == command_id:
                    return ack
        raise AssertionError

    async def settled(self) -> Ack:
        """Ask for the status; everything sent before has been judged by its answer, and is journalled by its row."""
        envelope = envelope_for(self.bot, self.operator, CommandName.STATUS)
        await self.send("status", signed_by(envelope, self.operator.private))
        answer = await self.answer_to(envelope.id)
        await until(lambda: any(row["command_id"] == envelope.id for row in self.bot.rows("command_acknowledged")))
        return answer
