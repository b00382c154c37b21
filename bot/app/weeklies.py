"""Finds out now and then which weekly settlements are liquid, by snapshots of a few options each."""

from datetime import date, datetime, timedelta
from typing import TypeGuard

from bot.app.shell import Shell
from bot.app.snapshots import quotes_of
from bot.domain.errors import BrokerRejectedError, ConnectivityError
from bot.hedging.settings import HedgeSettings
from bot.hedging.universe import Listed
from bot.hedging.weeklies import weeklies_found, weekly_samples
from bot.ports import MarketData


class WeeklyScout:
    """Asks by snapshot, so that no market data line stays open; keeps the answer until the next look is due."""

    def __init__(self, *, shell: Shell, data: MarketData, settings: HedgeSettings) -> None:
        """Take the parts; nothing is known before the first look."""
        self._shell = shell
        self._data = data
        self._settings = settings
        self._liquid: frozenset[date] = frozenset()
        self._refused: frozenset[date] = frozenset()  # at the session's last look: told once, until it is liquid again
        self._looked_at: datetime | None = None

    def is_due(self) -> bool:
        """Return whether a look is due: none before the quotes of a session have settled, then one every so often."""
        session, settings, now = self._shell.engine.state.session, self._shell.settings, self._shell.clock.now()
        if session is None or now - session.opens_at < timedelta(seconds=settings.weeklies_from_s):
            return False
        last = self._looked_at
        return not self._is_todays(last) or now - last >= timedelta(seconds=settings.weeklies_every_s)

    def liquid(self) -> frozenset[date]:
        """Return the weekly settlements that can be bought, as of the session's last look; none before the first."""
        return self._liquid if self._is_todays(self._looked_at) else frozenset()

    async def look(self, listed: Listed) -> None:
        """Ask for the quotes of the weekly settlements within reach and judge them.

        What is not liquid is written down with the reason once a session, and so is a look without an answer.

        Source: docs/methodology.md, M6.
        """
        if not self._is_todays(self._looked_at):
            self._refused = frozenset()
        self._looked_at, self._liquid = self._shell.clock.now(), frozenset()
        self._liquid = await self._found(listed)

    def _is_todays(self, moment: datetime | None) -> TypeGuard[datetime]:
        session = self._shell.engine.state.session
        return session is not None and moment is not None and moment >= session.opens_at

    async def _found(self, listed: Listed) -> frozenset[date]:
        state, clock = self._shell.engine.state, self._shell.clock
        samples = weekly_samples(listed, state.snapshot(clock.now()), self._settings)
        try:
            quotes = await quotes_of(self._data, [option for sample in samples for option in sample.options])
        except (ConnectivityError, BrokerRejectedError) as error:
            self._shell.complain("weeklies_unknown", {"why": str(error)})
            return frozenset()
        found = weeklies_found(samples, quotes, state.snapshot(clock.now()), self._settings)
        for day, why in found.refused.items():
            if day not in self._refused:
                self._shell.tell("weekly_refused", {"settlement": day, "why": why})
        self._refused = frozenset(found.refused)
        return found.liquid
