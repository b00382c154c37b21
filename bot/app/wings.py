"""Sees to the strikes outside the condors' wings when the sleeve has carried the book out of its band (M8).

How it works: now and then the book's delta is measured. Where it stands beyond its band on the short side, and would
not without the sleeve, the strikes outside the wings are looked up by snapshot. Where a roll would help, it is either
written down as advice, or its strikes are watched from then on, so that the planner finds their quotes and a person or
the gate decides. Where none helps any more, they are watched no longer.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from bot.app.link import LinkKeeper
from bot.app.shell import Shell
from bot.app.snapshots import quotes_of
from bot.domain.errors import BrokerRejectedError, ConnectivityError
from bot.domain.events import WingStrikesListed
from bot.domain.fees import FeeSchedule
from bot.domain.instrument import SPX, Instrument, InstrumentKey, Right
from bot.domain.portfolio import Condor
from bot.hedging.condor.lean import lean_of
from bot.hedging.condor.settings import WingMode
from bot.hedging.condor.widening import widening_now
from bot.hedging.condor.wings import NoWidening, Widening, WingBounds
from bot.hedging.settings import HedgeSettings
from bot.ports import MarketData
from bot.valuation import Unvalued, Valuer


class WingKeeper:
    """One task; asks for nothing while the book stands inside its band."""

    def __init__(
        self,
        *,
        shell: Shell,
        data: MarketData,
        link: LinkKeeper,
        mode: WingMode,
        bounds: Callable[[], WingBounds],
        hedge: HedgeSettings,
        fees: FeeSchedule,
    ) -> None:
        """Take the parts; ``bounds`` tells how far wings may go now; `run` does the work."""
        self._shell = shell
        self._clock = shell.clock
        self._data = data
        self._link = link
        self._mode = mode
        self._bounds = bounds
        self._hedge = hedge
        self._fees = fees

    async def run(self) -> None:
        """Measure once in a while, for ever."""
        while True:
            await self._clock.sleep(self._shell.settings.wings_every_s)
            snapshot = self._shell.engine.state.snapshot(self._clock.now())
            if snapshot.session is None or not self._link.ready.is_set():
                continue
            lean = lean_of(Valuer(snapshot, self._hedge.valuation), self._bounds().band_frac)
            if isinstance(lean, Unvalued):
                continue
            if lean.missing > 0.0:
                await self._look(snapshot.book.condors)
            else:
                self._watch(())

    async def _look(self, condors: Sequence[Condor]) -> None:
        try:
            listed = await self._beyond_the_wings(condors)
            quotes = await quotes_of(self._data, listed)
        except (ConnectivityError, BrokerRejectedError) as error:
            self._shell.complain("wings_unknown", {"why": str(error)})
            return
        now = self._shell.engine.state.snapshot(self._clock.now())
        strikes = {one.key: one for one in listed}
        moment = replace(now, quotes={**now.quotes, **quotes}, wing_strikes=strikes)
        found = widening_now(Valuer(moment, self._hedge.valuation), self._bounds(), self._hedge, self._fees)
        if isinstance(found, NoWidening):
            self._shell.complain("wings_stay", {"why": found.why})
            self._watch(())
        elif self._mode is WingMode.ADVISE:
            self._advise(found)
        else:
            self._watch(listed)

    def _advise(self, found: Widening) -> None:
        considered = [f"{roll.name}: {roll.rejected or 'passes'}" for roll in found.considered]
        self._shell.complain("wings_advised", {"words": found.words, "considered": considered})

    def _watch(self, strikes: Sequence[Instrument]) -> None:
        """Have these strikes watched from now on, and no others."""
        known = self._shell.engine.state.snapshot(self._clock.now()).wing_strikes
        if {one.key for one in strikes} != known.keys():
            self._shell.pump(WingStrikesListed(at=self._clock.now(), instruments=tuple(strikes)))

    async def _beyond_the_wings(self, condors: Sequence[Condor]) -> list[Instrument]:
        """The nearest listed strikes outside each long leg.

        Raises:
            ConnectivityError: No answer.
            BrokerRejectedError: Nothing is listed.
        """
        wanted: dict[InstrumentKey, Instrument] = {}
        for day in sorted({condor.settlement for condor in condors}):
            chain = await self._data.option_chain(SPX.symbol, day, day)
            own = [condor for condor in condors if condor.settlement == day]
            for wing in {leg.key: leg for condor in own for leg in (condor.long_put, condor.long_call)}.values():
                wanted |= {one.key: one for one in _outside(wing, chain)[: self._bounds().most_strikes_out]}
        return list(wanted.values())


def _outside(wing: Instrument, chain: Sequence[Instrument]) -> list[Instrument]:
    """The options of a wing's class and right that lie further out, nearest first."""
    outward = -1 if wing.right is Right.PUT else 1
    same = (one for one in chain if (one.trading_class, one.right) == (wing.trading_class, wing.right))
    further = [one for one in same if outward * ((one.strike or 0) - (wing.strike or 0)) > 0]
    return sorted(further, key=lambda one: outward * (one.strike or 0))
