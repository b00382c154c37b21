"""Freezes submission before the gateway's daily restart, and sees to the comparison that ends it."""

import asyncio
from datetime import datetime

from bot.app.link import LinkKeeper
from bot.app.shell import Shell
from bot.domain.events import SubmissionFrozen


class FreezeKeeper:
    """One task; has nothing to do where no restart is stated."""

    def __init__(self, *, shell: Shell, link: LinkKeeper) -> None:
        """Take the parts; `run` does the work."""
        self._shell = shell
        self._clock = shell.clock
        self._link = link
        self._restart = shell.settings.restart

    async def run(self) -> None:
        """Freeze before each restart, for ever; a bot that starts amid a freeze begins with it."""
        while self._restart is None:
            await asyncio.Event().wait()  # for ever
        while True:
            freeze = self._restart.freeze_at(self._clock.now())
            await self._sleep_until(freeze.begins_at)
            self._shell.pump(SubmissionFrozen(at=self._clock.now(), freeze=freeze))
            if self._clock.now() >= freeze.restarts_at:
                self._link.request()  # a link that came up since the restart was perhaps compared before this row
            await self._sleep_until(freeze.ends_at)
            while self._shell.engine.state.is_frozen:
                self._link.request()
                await self._clock.sleep(self._shell.settings.reconnect_most_s)

    async def _sleep_until(self, moment: datetime) -> None:
        await self._clock.sleep(max(0.0, (moment - self._clock.now()).total_seconds()))
