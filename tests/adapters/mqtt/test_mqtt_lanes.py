"""Queue, outbox and topics without a broker."""

import asyncio
import json
from collections import Counter
from datetime import UTC, datetime

import pytest
from aiomqtt import Message
from hypothesis import given
from hypothesis import strategies as st

from adapters.mqtt.commands import KILL_PLACES, OTHER_PLACES, CommandQueue
from adapters.mqtt.telemetry import (
    ACK_PLACES,
    EVENT_PLACES,
    LARGEST_EVENT_BYTES,
    EventTelemetry,
    Outbox,
    Outgoing,
    payload_of,
)
from adapters.mqtt.topics import Topics
from bot.domain.errors import InvalidValueError
from bot.ports import JournalRow

TOPICS = Topics(bot="main")


def message(name: str, number: int) -> Message:
    """Return a message on a command's topic."""
    return Message(TOPICS.command(name), str(number).encode(), 1, False, number, None)


def outgoing(topic: str, payload: bytes = b"", *, retain: bool = False) -> Outgoing:
    """Return something to be sent."""
    return Outgoing(topic=topic, payload=payload, qos=1, retain=retain)


@pytest.mark.control("Q8")
@given(st.lists(st.sampled_from(["kill", "resume", "status", "pause", "rubbish"]), max_size=400))
def test_no_flood_displaces_a_kill(names: list[str]) -> None:
    """Whatever arrives, the first sixteen kills come out first and in order, and the queue stays bounded."""
    dropped: Counter[str] = Counter()
    queue = CommandQueue(topics=TOPICS, dropped=dropped)
    for number, name in enumerate(names):
        queue.put_nowait(message(name, number))
    found = [queue.get_nowait() for _ in range(queue.qsize())]
    kills = [number for number, name in enumerate(names) if name == "kill"]
    others = [number for number, name in enumerate(names) if name != "kill"]
    assert [item.mid for item in found] == kills[:KILL_PLACES] + others[:OTHER_PLACES]
    assert dropped["no place left"] == len(names) - len(found)
    assert queue.empty()


async def test_the_queue_wakes_who_waits() -> None:
    """A message put while somebody waits is handed over, as the library needs it."""
    queue = CommandQueue(topics=TOPICS, dropped=Counter())
    waiting = asyncio.ensure_future(queue.get())
    await asyncio.sleep(0)
    queue.put_nowait(message("kill", 1))
    assert (await waiting).mid == 1


async def test_the_outbox_sends_acks_first_and_only_the_latest_state() -> None:
    """Acks leave before state, state before events; of one topic only the last value is sent."""
    outbox = Outbox()
    outbox.add_event(outgoing("event"))
    outbox.add_latest(outgoing("state", b"old", retain=True))
    outbox.add_latest(outgoing("state", b"new", retain=True))
    outbox.add_ack(outgoing("ack"))
    order = []
    for _ in range(3):
        found = await outbox.next()
        order.append((found.topic, found.payload))
        outbox.done(found)
    assert order == [("ack", b""), ("state", b"new"), ("event", b"")]


async def test_what_was_replaced_while_it_was_sent_is_sent_again() -> None:
    """A state that changes during its publish is not forgotten with it."""
    outbox = Outbox()
    outbox.add_latest(outgoing("state", b"old", retain=True))
    under_way = await outbox.next()
    outbox.add_latest(outgoing("state", b"new", retain=True))
    outbox.done(under_way)
    assert (await outbox.next()).payload == b"new"


async def test_the_outbox_is_bounded_and_forgets_old_heartbeats() -> None:
    """Without a link acks and events are bounded, the newest stay; heartbeats of before are dropped."""
    outbox = Outbox()
    for number in range(1000):
        outbox.add_ack(outgoing("ack", str(number).encode()))
        outbox.add_event(outgoing("event"))
    outbox.add_latest(outgoing("heartbeat"))
    outbox.add_latest(outgoing("state", retain=True))
    outbox.forget_stale()
    assert outbox.dropped["outbox full"] == 2000 - ACK_PLACES - EVENT_PLACES
    assert (await outbox.next()).payload == str(1000 - ACK_PLACES).encode()
    assert set(outbox._latest) == {"state"}


@pytest.mark.parametrize("bot", ["", "a/b", "#", "a+b", "x" * 65])
def test_a_bots_name_is_part_of_no_other_topic(bot: str) -> None:
    """A name with separators or wildcards is refused."""
    with pytest.raises(InvalidValueError):
        Topics(bot=bot)


@pytest.mark.parametrize("command_id", ["", "#", "a/b", "+", "x" * 65, "ä"])
def test_a_strangers_id_becomes_no_topic(command_id: str) -> None:
    """An id that could mean another topic is answered below ``unnamed``."""
    assert TOPICS.ack(command_id) == "alvh/main/ack/unnamed"


def test_other_bots_commands_have_no_name() -> None:
    """A topic that is none of this bot's gives no command."""
    assert (TOPICS.name_of("alvh/other/cmd/kill"), TOPICS.name_of("alvh/main/cmd/kill")) == ("", "kill")


def test_a_row_too_large_is_told_without_its_largest_facts() -> None:
    """A plan with a long table of candidates keeps what it did and why, and names what was left out."""
    row = {"action": "hold", "reason": "at target", "notes": "z" * 90, "candidates": ["y" * 90] * 60}
    told = json.loads(payload_of({"at": "t", "decision_id": "d", "facts": row}))
    assert told["facts"] == {"action": "hold", "reason": "at target", "notes": "z" * 90}
    assert (told["left_out"], told["see"], told["decision_id"]) == (["candidates"], "journal", "d")


def test_of_a_huge_row_only_what_fits_is_left() -> None:
    """Facts go, the largest first, until the rest fits."""
    row = {"a": "x" * 3000, "b": "x" * 2900, "c": "x" * 2000, "d": 1}
    told = json.loads(payload_of({"facts": row}))
    assert (told["left_out"], sorted(told["facts"])) == (["a", "b"], ["c", "d"])


def test_a_fact_too_large_is_told_as_such() -> None:
    """A payload beyond the limit says how large it was."""
    assert b"too_large_bytes" in payload_of({"x": "y" * LARGEST_EVENT_BYTES})


@pytest.mark.control("C32")
def test_fills_are_told_and_samples_are_not() -> None:
    """A committed fill becomes an event below the bot's prefix; rows for reports stay in the journal."""
    told: list[str] = []

    class Link:
        def acknowledge(self, ack: object) -> None:
            """Nothing."""

        def publish(self, topic: str, payload: object, *, retain: bool = False) -> None:  # noqa: ARG002 - the port
            told.append(topic)

    tell = EventTelemetry(Link())
    for kind in ("order_filled", "sample_taken"):
        tell(JournalRow(kind=kind, decision_id="d", at=datetime(2026, 3, 2, tzinfo=UTC), payload={}))
    assert told == ["event/order_filled"]
