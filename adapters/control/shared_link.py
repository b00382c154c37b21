"""Several lines to the operator as one: what the bot says goes out on each of them."""

from collections.abc import Mapping, Sequence

from bot.domain.command import Ack
from bot.ports import CommandLink


class SharedLink:
    """A `bot.ports.CommandLink` that repeats everything on the links behind it."""

    def __init__(self, links: Sequence[CommandLink]) -> None:
        """Speak on these."""
        self._links = tuple(links)

    def acknowledge(self, ack: Ack) -> None:
        """Send a signed ack on each link."""
        for link in self._links:
            link.acknowledge(ack)

    def publish(self, topic: str, payload: Mapping[str, object], *, retain: bool = False) -> None:
        """Send telemetry on each link."""
        for link in self._links:
            link.publish(topic, payload, retain=retain)
