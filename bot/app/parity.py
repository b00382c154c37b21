"""Looks at put-call parity of the condors' expiries every other hour and writes down what it finds; never trades it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Final

from bot.app.link import LinkKeeper
from bot.app.shell import Shell
from bot.app.snapshots import quotes_of
from bot.domain.errors import BrokerRejectedError, ConnectivityError
from bot.domain.instrument import RUT, SPX, Instrument
from bot.hedging.parity.board import FUTURES_OF
from bot.hedging.parity.monitor import NoParity, watch_parity
from bot.hedging.parity.settings import ParitySettings
from bot.ports import MarketData

UNDERLYINGS: Final = (SPX, RUT)
"""Both have European options; on RUT a finding carries its warning about slippage."""
REACH_FRAC: Final = 0.01
"""Of spot on both sides: the strikes that are quoted tightest bound the forward best."""


class ParityKeeper:
    """One task; asks for nothing while no session is open, no link is up or no condor is held."""

    def __init__(self, *, shell: Shell, data: MarketData, link: LinkKeeper, settings: ParitySettings) -> None:
        """Take the parts; `run` does the work."""
        self._shell = shell
        self._clock = shell.clock
        self._data = data
        self._link = link
        self._settings = settings

    async def run(self) -> None:
        """Look once in a while, for ever."""
        while True:
            await self._clock.sleep(self._shell.settings.parity_every_s)
            snapshot = self._shell.engine.state.snapshot(self._clock.now())
            if snapshot.session is None or not self._link.ready.is_set():
                continue
            for day in sorted({condor.settlement for condor in snapshot.book.condors}):
                for underlying in UNDERLYINGS:
                    spot = snapshot.levels.get(underlying.key)
                    if spot is not None:
                        await self._look(underlying, day, spot)

    async def _look(self, underlying: Instrument, day: date, spot: float) -> None:
        try:
            contracts = await self._contracts(underlying.symbol, day, spot)
            quotes = await quotes_of(self._data, contracts)
        except (ConnectivityError, BrokerRejectedError) as error:
            self._shell.complain("parity_missing", {"settlement": day, "why": f"{underlying.symbol}: {error}"})
            return
        moment = replace(self._shell.engine.state.snapshot(self._clock.now()), quotes=quotes)
        for report in watch_parity(moment, contracts, self._settings):
            if isinstance(report, NoParity):
                facts = {"settlement": day, "why": f"{report.trading_class}: {report.why}"}
                self._shell.complain("parity_missing", facts)
                continue
            self._shell.tell("parity_checked", {"settlement": day, "words": report.words})
            for finding in report.findings:
                self._shell.tell("parity_found", {"finding": finding.kind, "words": finding.words})

    async def _contracts(self, symbol: str, day: date, spot: float) -> Sequence[Instrument]:
        """The options of a settlement near the money, and the futures that settle with them.

        Raises:
            ConnectivityError: No answer.
            BrokerRejectedError: Nothing is listed.
        """
        chain = await self._data.option_chain(symbol, day, day)
        near = [one for one in chain if abs(float(one.strike or 0) / spot - 1.0) <= REACH_FRAC]
        futures = [one for future in FUTURES_OF[symbol] for one in await self._futures(future, day)]
        return (*near, *futures)

    async def _futures(self, symbol: str, day: date) -> Sequence[Instrument]:
        """The futures of that day; a broker that lists none is no fault."""
        try:
            return await self._data.futures(symbol, day, day)
        except BrokerRejectedError:
            return ()
