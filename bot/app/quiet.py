"""Asks anew for quotes that have stood still: a quiet option is published on change only and would count as stale.

How it works: now and then the held contracts and the candidates whose last quote is older than a third of what is
allowed are asked for by snapshot. The answer is the market's own word that the quote still stands, at a new moment;
what gets none grows stale as before.
"""

from bot.app.link import LinkKeeper
from bot.app.shell import Shell
from bot.app.snapshots import BATCH, quotes_of
from bot.domain.errors import BrokerRejectedError, ConnectivityError
from bot.domain.instrument import Instrument
from bot.domain.snapshot import Snapshot
from bot.ports import MarketData
from bot.valuation import has_model, quote_age_s


class QuietKeeper:
    """One task; asks for nothing while quotes move, no session is open or no link is up."""

    def __init__(self, *, shell: Shell, data: MarketData, link: LinkKeeper) -> None:
        """Take the parts; `run` does the work."""
        self._shell = shell
        self._clock = shell.clock
        self._data = data
        self._link = link

    async def run(self) -> None:
        """Look once in a while, for ever."""
        while True:
            await self._clock.sleep(self._shell.settings.quiet_every_s)
            snapshot = self._shell.engine.state.snapshot(self._clock.now())
            if snapshot.session is None or not self._link.ready.is_set():
                continue
            quiet = quiet_contracts(snapshot, self._shell.settings.quiet_after_s)[:BATCH]
            if quiet:
                await self._ask(quiet)

    async def _ask(self, quiet: list[Instrument]) -> None:
        try:
            quotes = await quotes_of(self._data, quiet)
        except (ConnectivityError, BrokerRejectedError) as error:
            self._shell.complain("quotes_stay_quiet", {"contracts": len(quiet), "why": str(error)})
            return
        for quote in quotes.values():
            self._shell.pump(quote)


def quiet_contracts(snapshot: Snapshot, after_s: float) -> list[Instrument]:
    """Return the contracts that are valued and whose last quote is older than so many seconds, the oldest first.

    Those that have had no quote at all are left out: nothing says that anybody quotes them.
    """
    held = (position.instrument for position in snapshot.book.positions.values())
    watched = {one.key: one for one in (*held, *snapshot.universe.values()) if has_model(one)}
    ages = {key: quote_age_s(snapshot.quotes[key], snapshot.now) for key in watched if key in snapshot.quotes}
    return [watched[key] for key in sorted(ages, key=lambda key: (-ages[key], key)) if ages[key] > after_s]
