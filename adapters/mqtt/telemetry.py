"""Answers and telemetry out: a bounded outbox that never blocks, acks first, the latest of what is retained."""

import asyncio
import json
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass

from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from adapters.journal.codec import plain
from bot.ports import CommandLink, JournalRow

ACK_PLACES = 64
EVENT_PLACES = 256
LASTS_S = 60
"""Acks, heartbeats and events are of no use after this; the broker drops them then."""

TOLD_KINDS = frozenset(
    {
        *("order_sent", "order_filled", "order_completed", "order_cancelled", "order_rejected", "order_doubted"),
        *("order_refused", "order_escalated", "cap_breached", "cap_respected", "data_feed_changed", "hedge_planned"),
        *("stress_breached", "stress_respected", "releases_run_out", "own_index_read", "own_index_missing"),
        *("credit_changed", "wings_advised", "limit_breached", "restraints_lifted"),
        *("books_reconciled", "link_lost", "link_restored", "link_alerted"),
        *("kill_latched", "mode_latched", "mode_resumed", "mode_demanded", "command_refused", "command_unproved"),
        *("bot_started", "bot_stopped", "connect_failed", "client_id_in_use", "books_incomplete"),
    }
)
"""Journal rows that become ``event/<kind>``."""

LARGEST_EVENT_BYTES = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """One message to be sent; ``lasts_s`` None keeps it for ever."""

    topic: str
    payload: bytes
    qos: int
    retain: bool = False
    lasts_s: int | None = LASTS_S

    def properties(self) -> Properties:
        """Return what MQTT 5 is told beside topic and payload."""
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]  # carries no types
        if self.lasts_s is not None:
            properties.MessageExpiryInterval = self.lasts_s
        return properties


class Outbox:
    """What waits to be sent. Acks are kept over a loss of the link, of state only the latest, events are bounded."""

    def __init__(self) -> None:
        """Start empty."""
        self._acks: deque[Outgoing] = deque()
        self._latest: dict[str, Outgoing] = {}
        self._events: deque[Outgoing] = deque()
        self._filled = asyncio.Event()
        self.dropped: Counter[str] = Counter()

    def add_ack(self, message: Outgoing) -> None:
        """Add an ack; the oldest gives way."""
        self._add(self._acks, ACK_PLACES, message)

    def add_event(self, message: Outgoing) -> None:
        """Add an event; the oldest gives way."""
        self._add(self._events, EVENT_PLACES, message)

    def add_latest(self, message: Outgoing) -> None:
        """Replace what waits for the same topic."""
        self._latest[message.topic] = message
        self._filled.set()

    def _add(self, lane: deque[Outgoing], places: int, message: Outgoing) -> None:
        if len(lane) >= places:
            lane.popleft()
            self.dropped["outbox full"] += 1
        lane.append(message)
        self._filled.set()

    async def next(self) -> Outgoing:
        """Return what is most urgent; `done` takes it out."""
        while (first := self._first()) is None:
            self._filled.clear()
            await self._filled.wait()
        return first

    def _first(self) -> Outgoing | None:
        if self._acks:
            return self._acks[0]
        if self._latest:
            return next(iter(self._latest.values()))
        return self._events[0] if self._events else None

    def done(self, message: Outgoing) -> None:
        """Forget a message that was sent; one that was replaced meanwhile still waits."""
        if self._acks and self._acks[0] is message:
            self._acks.popleft()
        elif self._latest.get(message.topic) is message:
            del self._latest[message.topic]
        elif self._events and self._events[0] is message:
            self._events.popleft()

    def forget_stale(self) -> None:
        """The link was lost: heartbeats of before are worth nothing."""
        self._latest = {topic: held for topic, held in self._latest.items() if held.retain}


class EventTelemetry:
    """An announcer: tells the operator's line of journal rows that were committed."""

    def __init__(self, link: CommandLink) -> None:
        """Publish on a link."""
        self._link = link

    def __call__(self, row: JournalRow) -> None:
        """Publish one row if its kind is told; the whole row stands in the journal."""
        if row.kind in TOLD_KINDS:
            facts = {"at": row.at, "decision_id": row.decision_id, "facts": row.payload}
            self._link.publish(f"event/{row.kind}", facts)


def payload_of(facts: Mapping[str, object]) -> bytes:
    """Return facts as JSON; of a row that is too large the largest facts are left out by name: the journal has them."""
    payload = _json(facts)
    if len(payload) <= LARGEST_EVENT_BYTES:
        return payload
    inner = facts.get("facts")
    kept = dict(inner) if isinstance(inner, Mapping) else {}
    left_out: list[str] = []
    for name in sorted(kept, key=lambda name: (-len(_json({name: kept[name]})), name)):
        del kept[name]
        left_out.append(str(name))
        shorter = _json({**facts, "facts": kept, "left_out": left_out, "see": "journal"})
        if len(shorter) <= LARGEST_EVENT_BYTES:
            return shorter
    return _json({"too_large_bytes": len(payload), "see": "journal"})


def _json(facts: Mapping[str, object]) -> bytes:
    return json.dumps(plain(dict(facts)), ensure_ascii=True, separators=(",", ":")).encode()
