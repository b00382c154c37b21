"""Tells the operator how a condor's wings could be widened when the sleeve has carried the book out of its band (M8).

How it works: now and then the book's delta is measured. Where it stands beyond its band on the short side, and would
not without the sleeve, the strikes outside the long puts are looked up by snapshot, and the roll that helps most for
the least loss is written down with its figures. It is advice: the bot sends no order in SPX options.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from bot.app.link import LinkKeeper
from bot.app.shell import Shell
from bot.app.snapshots import quotes_of
from bot.domain.errors import BrokerRejectedError, ConnectivityError
from bot.domain.instrument import SPX, Instrument, InstrumentKey
from bot.domain.portfolio import Condor, Position
from bot.domain.products import is_volatility_product
from bot.domain.snapshot import Snapshot
from bot.hedging.condor.settings import CondorSettings
from bot.hedging.condor.wings import CycleStart, Lean, NoWidening, Wings, cycle_starts
from bot.hedging.settings import HedgeSettings
from bot.ports import MarketData
from bot.valuation import VIX_FUTURE_CLASSES, VIX_OPTION_CLASSES, Unvalued, Valuer
from risk.exposure import band_half_width_usd, book_delta
from risk.limits import RiskLimits

Group = tuple[str, str]


class WingAdviser:
    """One task; asks for nothing while the book stands inside its band."""

    def __init__(
        self,
        *,
        shell: Shell,
        data: MarketData,
        link: LinkKeeper,
        settings: CondorSettings,
        hedge: HedgeSettings,
        limits: RiskLimits,
    ) -> None:
        """Take the parts; `run` does the work."""
        self._shell = shell
        self._clock = shell.clock
        self._data = data
        self._link = link
        self._settings = settings
        self._hedge = hedge
        self._limits = limits
        self._starts: dict[Group, CycleStart] = {}

    async def run(self) -> None:
        """Measure once in a while, for ever."""
        while True:
            await self._clock.sleep(self._shell.settings.wings_every_s)
            snapshot = self._shell.engine.state.snapshot(self._clock.now())
            self._remember(snapshot)
            if snapshot.session is None or not self._link.ready.is_set():
                continue
            lean = self._lean(snapshot)
            if lean is not None and lean.missing > 0.0:
                await self._advise(lean)

    def _remember(self, snapshot: Snapshot) -> None:
        """Keep how wide the condors were when they were first seen: what is rolled later counts against that."""
        for start in cycle_starts(snapshot.book.condors, snapshot.book.cohorts):
            self._starts.setdefault((start.trading_class, start.settlement.isoformat()), start)

    def _lean(self, snapshot: Snapshot) -> Lean | None:
        """Where the book leans; None while that cannot be said."""
        valuer, positions = Valuer(snapshot, self._hedge.valuation), snapshot.book.positions
        half_width = band_half_width_usd(snapshot.book.cohorts, self._limits.neutrality_band_frac)
        book, sleeve = book_delta(positions, valuer), book_delta(_sleeve_of(positions), valuer)
        if isinstance(book, Unvalued) or isinstance(sleeve, Unvalued) or not half_width > 0.0:
            return None
        return Lean(book=book, sleeve=sleeve, half_width=half_width)

    async def _advise(self, lean: Lean) -> None:
        book = self._shell.engine.state.snapshot(self._clock.now()).book
        try:
            listed = await self._beyond_the_wings(book.condors)
            quotes = await quotes_of(self._data, listed)
        except (ConnectivityError, BrokerRejectedError) as error:
            self._shell.complain("wings_unknown", {"why": str(error)})
            return
        now = self._shell.engine.state.snapshot(self._clock.now())
        moment = replace(now, quotes={**now.quotes, **quotes})
        found = Wings(
            book=now.book,
            valuer=Valuer(moment, self._hedge.valuation),
            listed=tuple(listed),
            starts=tuple(self._starts.values()),
            settings=self._settings,
            pricing=self._hedge,
        ).widening(lean)
        if isinstance(found, NoWidening):
            self._shell.complain("wings_stay", {"why": found.why})
            return
        ways = [f"{roll.name}: {roll.rejected or 'passes'}" for roll in found.considered]
        self._shell.complain("wings_advised", {"words": found.words, "considered": ways})

    async def _beyond_the_wings(self, condors: Sequence[Condor]) -> list[Instrument]:
        """The nearest listed strikes outside each long put.

        Raises:
            ConnectivityError: No answer.
            BrokerRejectedError: Nothing is listed.
        """
        wanted: dict[InstrumentKey, Instrument] = {}
        for condor in condors:
            chain = await self._data.option_chain(SPX.symbol, condor.settlement, condor.settlement)
            wing = condor.long_put
            outside = [
                one
                for one in chain
                if (one.trading_class, one.right) == (wing.trading_class, wing.right)
                and (one.strike or 0) < (wing.strike or 0)
            ]
            outside.sort(key=lambda one: -(one.strike or 0))
            wanted |= {one.key: one for one in outside[: self._settings.most_strikes_out]}
        return list(wanted.values())


def _sleeve_of(positions: Mapping[InstrumentKey, Position]) -> dict[InstrumentKey, Position]:
    classes = VIX_OPTION_CLASSES | VIX_FUTURE_CLASSES
    return {
        key: one
        for key, one in positions.items()
        if one.instrument.trading_class in classes or is_volatility_product(one.instrument)
    }
