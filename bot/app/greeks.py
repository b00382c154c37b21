"""Compares our model's greeks of the options held with the broker's own, now and then; a large gap is written down."""

from bot.app.link import LinkKeeper
from bot.app.shell import Shell
from bot.app.snapshots import BATCH
from bot.domain.errors import BrokerRejectedError, ConnectivityError
from bot.domain.instrument import Instrument, Kind
from bot.domain.snapshot import Snapshot
from bot.hedging.settings import HedgeSettings
from bot.hedging.temporal.greeks import greeks_gaps
from bot.ports import MarketData
from bot.valuation import Valuer, has_model


class GreeksKeeper:
    """One task; asks for nothing while no session is open, no link is up or no option is held."""

    def __init__(self, *, shell: Shell, data: MarketData, link: LinkKeeper, hedge: HedgeSettings) -> None:
        """Take the parts; `run` does the work."""
        self._shell = shell
        self._clock = shell.clock
        self._data = data
        self._link = link
        self._hedge = hedge

    async def run(self) -> None:
        """Look once in a while, for ever."""
        while True:
            await self._clock.sleep(self._shell.settings.greeks_every_s)
            snapshot = self._shell.engine.state.snapshot(self._clock.now())
            held = _options_of(snapshot)
            if snapshot.session is not None and held and self._link.ready.is_set():
                await self._compare(held)

    async def _compare(self, held: list[Instrument]) -> None:
        try:
            told = await self._data.model_greeks(held)
        except (ConnectivityError, BrokerRejectedError) as error:
            self._shell.complain("greeks_unknown", {"why": str(error)})
            return
        valuer = Valuer(self._shell.engine.state.snapshot(self._clock.now()), self._hedge.valuation)
        gaps = list(greeks_gaps(held, told, valuer, self._hedge.temporal.most_greeks_gap_frac))
        if gaps:
            self._shell.tell("greeks_differ", {"compared": len(told), "gaps": gaps})


def _options_of(snapshot: Snapshot) -> list[Instrument]:
    """The options held, as many as one question takes."""
    held = (position.instrument for position in snapshot.book.positions.values())
    return [one for one in held if one.kind is Kind.OPTION and has_model(one)][:BATCH]
