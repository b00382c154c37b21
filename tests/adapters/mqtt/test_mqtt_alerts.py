"""Alerts over a real Mosquitto: a monitor hears them at QoS 1."""

import asyncio
import json

import pytest

from bot.domain.command import CommandName
from tests.adapters.mqtt.bench_bot import envelope_for, signed_by
from tests.adapters.mqtt.mosquitto_broker import Mosquitto
from tests.adapters.mqtt.raw_operator import Hand, connected

pytestmark = pytest.mark.mosquitto


@pytest.mark.control("C26")
async def test_a_kill_is_an_alert_that_a_monitor_hears(hand: Hand, broker: Mosquitto) -> None:
    """The shipped access list lets alerts out and a monitor read them; they come at QoS 1 with words for a person."""
    async with connected(broker, "monitor") as client:
        await client.subscribe("alvh/main/alert/#", qos=1)
        kill = envelope_for(hand.bot, hand.operator, CommandName.KILL)
        await hand.send("kill", signed_by(kill, hand.operator.private))
        async with asyncio.timeout(10):
            async for message in client.messages:
                if str(message.topic) == "alvh/main/alert/kill_latched":
                    break
    told = json.loads(bytes(message.payload))
    assert (message.qos, told["severity"], told["held_back"]) == (1, "CRITICAL", 0)
    assert told["words"]
