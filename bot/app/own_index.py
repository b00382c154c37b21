"""Fills in for a volatility index that is missing: reads its option chain now and then and hands the own index in.

How it works: while SPX ticks and RVX or VIX has stood still for too long, or has not come at all, the two option
settlements around thirty days are asked for by snapshot, a batch at a time because market data lines are scarce, and
the index of that board goes to the engine as a level of our own. As soon as the published index moves again nothing is
read any more.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Final

from bot.app.link import LinkKeeper
from bot.app.shell import Shell
from bot.app.snapshots import quotes_of
from bot.domain.errors import BrokerRejectedError, ConnectivityError
from bot.domain.events import OwnIndexRead
from bot.domain.instrument import RUT, RVX, SPX, VIX, Instrument, InstrumentKey, Right
from bot.domain.ledger import trade_date
from bot.domain.market import Quote
from bot.domain.schedule import SessionCalendar
from bot.ports import MarketData
from bot.signals.own.index import ChosenTerm, NoIndex, OwnIndex, chosen_terms, own_index
from bot.signals.own.settings import OwnIndexSettings

UNDERLYING: Final[Mapping[InstrumentKey, Instrument]] = {VIX.key: SPX, RVX.key: RUT}
SYMBOLS: Final[Mapping[InstrumentKey, str]] = {VIX.key: "VIX", RVX.key: "RVX"}
BOTH_WITHIN_FRAC: Final = 0.05
"""Of spot: so near the money puts and calls are both asked for; the forward of a month lies within a percent of it."""
SPARE_DAYS: Final = timedelta(days=1)


@dataclass(slots=True)
class _Chain:
    """The chain of one underlying as it was listed on a day."""

    day: date
    options: tuple[Instrument, ...] = field(default=())


class OwnIndexKeeper:
    """One task; does nothing while both indices move."""

    def __init__(
        self, *, shell: Shell, data: MarketData, link: LinkKeeper, calendar: SessionCalendar, settings: OwnIndexSettings
    ) -> None:
        """Take the parts; `run` does the work."""
        self._shell = shell
        self._clock = shell.clock
        self._data = data
        self._link = link
        self._calendar = calendar
        self._settings = settings
        self._chains: dict[InstrumentKey, _Chain] = {}

    async def run(self) -> None:
        """Look now and then whether an index is missing, for ever."""
        every_s, spent_s = self._shell.settings.own_index_every_s, 0.0
        while True:
            await self._clock.sleep(max(1.0, every_s - spent_s))  # from beginning to beginning: reading takes its time
            began = self._clock.now()
            for key in self._shell.engine.state.missing_indices(began):
                if self._link.ready.is_set():
                    await self._fill_in(key)
            spent_s = (self._clock.now() - began).total_seconds()

    async def _fill_in(self, key: InstrumentKey) -> None:
        try:
            found = await self._read(key)
        except (ConnectivityError, BrokerRejectedError) as error:
            found = NoIndex(symbol=SYMBOLS[key], why=str(error))
        if isinstance(found, NoIndex):
            self._shell.complain("own_index_missing", {"symbol": found.symbol, "why": found.why})
            return
        self._shell.pump(OwnIndexRead(at=self._clock.now(), key=key, level=round(found.level, 2), words=found.words))

    async def _read(self, key: InstrumentKey) -> OwnIndex | NoIndex:
        """Ask for the quotes of both settlements and work the index out.

        Raises:
            ConnectivityError: No answer.
            BrokerRejectedError: The broker has no such chain.
        """
        chain, spot = await self._chain(key), UNDERLYING[key]
        chosen = chosen_terms(SYMBOLS[key], chain, self._clock.now(), calendar=self._calendar, settings=self._settings)
        if isinstance(chosen, NoIndex):
            return chosen
        quotes = await self._quotes(chosen, self._shell.engine.state.snapshot(self._clock.now()).levels.get(spot.key))
        now = self._clock.now()
        moment = replace(self._shell.engine.state.snapshot(now), quotes=quotes)
        return own_index(SYMBOLS[key], moment, chain, calendar=self._calendar, settings=self._settings)

    async def _quotes(self, terms: Sequence[ChosenTerm], spot: float | None) -> dict[InstrumentKey, Quote]:
        """Ask for what an index is made of: options out of the money, and both rights around it."""
        wanted = [option for term in terms for option in term.options if _counts(option, spot)]
        return await quotes_of(self._data, wanted)

    async def _chain(self, key: InstrumentKey) -> tuple[Instrument, ...]:
        """The listed options around thirty days; looked up once a day."""
        today = trade_date(self._clock.now())
        known = self._chains.get(key)
        if known is None or known.day != today:
            first = today + timedelta(days=self._settings.least_days) - SPARE_DAYS
            last = today + timedelta(days=self._settings.most_days) + SPARE_DAYS
            options = await self._data.option_chain(UNDERLYING[key].symbol, first, last)
            known = self._chains[key] = _Chain(day=today, options=options)
        return known.options


def _counts(option: Instrument, spot: float | None) -> bool:
    """Whether an index needs an option's quote: all of them where the level of the underlying is not known."""
    if spot is None or option.strike is None:
        return True
    away = float(option.strike) / spot - 1.0
    return away >= -BOTH_WITHIN_FRAC if option.right is Right.CALL else away <= BOTH_WITHIN_FRAC
