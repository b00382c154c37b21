"""Asks for a comparison of the books while nothing is wrong: at a fixed period, after fills, and while a lock may end.

How it works: one task sleeps until the next comparison is due and is woken by a fill or by a lock. What always holds: a
comparison comes once a burst of fills has been quiet for a moment, once per burst, and none is asked for while the link
is down or the first comparison has not been made.
"""

import asyncio
from datetime import datetime, timedelta

from bot.app.link import LinkKeeper
from bot.app.shell import Shell
from bot.domain.events import BooksReconciled, Event, FillReported
from bot.tasks import end_all


class ComparisonKeeper:
    """One task; the link's keeper makes the comparisons."""

    def __init__(self, shell: Shell, keeper: LinkKeeper) -> None:
        """Listen to fills, and to comparisons that may have locked something."""
        self._shell = shell
        self._clock = shell.clock
        self._settings = shell.settings
        self._keeper = keeper
        self._asked_at = shell.clock.now()
        self._filled_at: datetime | None = None  # the last fill that no comparison has followed
        self._woken = asyncio.Event()
        shell.pump.hear(FillReported, self._on_fill)
        shell.pump.hear(BooksReconciled, lambda _event: self._woken.set())

    async def run(self) -> None:
        """Wait and ask, for ever."""
        while True:
            self._woken.clear()
            await self._sleep(self._due_at() - self._clock.now())
            if self._clock.now() < self._due_at():
                continue
            if self._keeper.ready.is_set():
                self._keeper.request_quietly()
            self._filled_at = None
            self._asked_at = self._clock.now()  # the link's keeper tries until it has an answer

    def _due_at(self) -> datetime:
        """The moment of the next comparison, as things stand."""
        passing = self._shell.engine.state.locks.passing
        every_s = self._settings.compare_locked_s if passing else self._settings.compare_every_s
        due = self._asked_at + timedelta(seconds=every_s)
        if self._filled_at is None:
            return due
        return self._filled_at + timedelta(seconds=self._settings.compare_after_fill_s)

    async def _sleep(self, wait: timedelta) -> None:
        """Wait for so long, or until something moved the moment."""
        sleeping = asyncio.ensure_future(self._clock.sleep(wait.total_seconds()))
        waiting = asyncio.ensure_future(self._woken.wait())
        try:
            await asyncio.wait({sleeping, waiting}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await end_all((sleeping, waiting))

    def _on_fill(self, event: Event) -> None:
        if isinstance(event, FillReported):
            self._filled_at = self._clock.now()
            self._woken.set()
