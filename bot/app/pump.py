"""Where all events arrive: applied at once, heard by whoever waits for them, and worked off by one task."""

import asyncio
from collections.abc import Callable

from bot.domain.events import Event
from bot.engine import Engine


class Pump:
    """The sink of all adapters. It never raises into a library's callback: a failure ends `run` instead."""

    def __init__(self, engine: Engine) -> None:
        """Feed the given engine."""
        self._engine = engine
        self._wake = asyncio.Event()
        self._hearers: dict[type, list[Callable[[Event], None]]] = {}
        self._failure: Exception | None = None
        self._after_work: list[Callable[[], None]] = []

    def hear(self, kind: type, callback: Callable[[Event], None]) -> None:
        """Call back after each event of a kind was applied."""
        self._hearers.setdefault(kind, []).append(callback)

    def hear_work(self, callback: Callable[[], None]) -> None:
        """Call back each time that what was due has been written and decided."""
        self._after_work.append(callback)

    def __call__(self, event: Event) -> None:
        """Apply one event; after a failure still, so that fills and cancels of the bot's last seconds are booked."""
        try:
            due = self._engine.receive(event)
            for callback in self._hearers.get(event.__class__, ()):
                callback(event)
        except Exception as error:  # noqa: BLE001 - the supervisor halts; a library would only log it
            self._fail(error)
            return
        if due:
            self._wake.set()

    def _fail(self, error: Exception) -> None:
        """Keep the first failure, and let nothing leave any more: also not what waits for its commit right now."""
        if self._failure is None:
            self._failure = error
            self._engine.shut(f"internal fault: {error}")
        self._wake.set()

    def wake(self) -> None:
        """Something was noted that must be written."""
        self._wake.set()

    async def run(self) -> None:
        """Write and decide whatever is due, for ever.

        Raises:
            Exception: What applying an event raised: the supervisor halts.
        """
        while True:
            await self._wake.wait()
            self._wake.clear()
            if self._failure is not None:
                raise self._failure
            await self._engine.work()
            for callback in self._after_work:
                callback()
