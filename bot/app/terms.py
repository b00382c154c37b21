"""Reads contracts' terms from the broker once a day, and tells a person where they contradict our own tables.

How it works: candidates are asked for before they are listed, so that nothing is ordered on hours that nobody has told;
what is held or watched besides is asked for after each open, comparison of books and fill. A contradiction is told once
for each class and day; that an order is refused meanwhile is the gate's matter.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from bot.app.link import LinkKeeper
from bot.app.shell import Shell
from bot.domain.errors import BrokerRejectedError, ConnectivityError
from bot.domain.events import BooksReconciled, FillReported, SessionOpened, TermsRead, WingStrikesListed
from bot.domain.instrument import Instrument, InstrumentKey, Kind
from bot.domain.ledger import trade_date
from bot.domain.products import is_volatility_product
from bot.domain.schedule import SessionCalendar
from bot.domain.terms import ContractTerms, hours_disputes, last_trade_dispute
from bot.domain.ticks import TickTable, ticks_dispute
from bot.ports import MarketData


class TermsKeeper:
    """One task, and a question for whoever is about to list contracts."""

    def __init__(
        self, *, shell: Shell, data: MarketData, link: LinkKeeper, calendar: SessionCalendar, ticks: TickTable
    ) -> None:
        """Take the parts and our own tables; `run` does the work."""
        self._shell = shell
        self._clock = shell.clock
        self._data = data
        self._link = link
        self._calendar = calendar
        self._ticks = ticks
        self._due = asyncio.Event()
        self._told: set[tuple[str, str, date]] = set()  # kind, class and day of what was told
        for kind in (SessionOpened, BooksReconciled, FillReported, WingStrikesListed):
            shell.pump.hear(kind, lambda _event: self._due.set())

    async def run(self) -> None:
        """Read what is held or watched and was not told today, for ever."""
        while True:
            await self._due.wait()
            self._due.clear()
            await self._link.ready.wait()
            if not await self.learn(self._wanted()):
                await self._clock.sleep(self._shell.settings.plan_every_s)

    async def learn(self, instruments: Iterable[Instrument]) -> bool:
        """Read the terms of those that were not told today; False when the broker gave no answer."""
        lacking = self._lacking(instruments)
        if not lacking:
            return True
        try:
            terms = await self._data.terms(lacking)
        except (ConnectivityError, BrokerRejectedError) as error:
            self._shell.complain("terms_missing", {"why": str(error)})
            self._due.set()
            return False
        self._shell.pump(TermsRead(at=self._clock.now(), terms=terms))
        self._compare(lacking, terms)
        return True

    def _wanted(self) -> list[Instrument]:
        """What may be ordered: held, a candidate, or a strike outside a wing."""
        snapshot = self._shell.engine.state.snapshot(self._clock.now())
        if snapshot.session is None:
            return []
        held = (position.instrument for position in snapshot.book.positions.values())
        return [*held, *snapshot.universe.values(), *snapshot.wing_strikes.values()]

    def _lacking(self, instruments: Iterable[Instrument]) -> list[Instrument]:
        now = self._clock.now()
        known, today = self._shell.engine.state.snapshot(now).terms, trade_date(now)
        wanted = {one.key: one for one in instruments if _is_traded(one, today)}
        return [one for key, one in wanted.items() if key not in known or known[key].told_on != today]

    def _compare(self, asked: Sequence[Instrument], terms: Mapping[InstrumentKey, ContractTerms]) -> None:
        """Tell what contradicts our own calendar and grid, or was not told at all: one row for each class and day."""
        today = trade_date(self._clock.now())
        for one in asked:
            told = terms.get(one.key)
            named = {"trading_class": one.trading_class, "contract": one.key}
            if told is None or told.liquid is None:
                if self._is_first("hours unknown", one, today):
                    self._shell.tell("terms_missing", {**named, "why": "its hours cannot be read"})
                continue
            last_trade = last_trade_dispute(one, told, self._calendar)
            disputes = hours_disputes(one, told.liquid, today, self._calendar)
            for dispute in (*disputes, *(() if last_trade is None else (last_trade,))):
                if self._is_first("last trade" if dispute is last_trade else "hours", one, dispute.day):
                    facts = {**named, "day": dispute.day, "own": dispute.own, "told": dispute.told}
                    self._shell.tell("hours_disagreed", facts)
            words = ticks_dispute(self._ticks, one, told.ticks)
            if words and self._is_first("ticks", one, today):
                self._shell.tell("ticks_disagreed", {**named, "words": words})

    def _is_first(self, what: str, one: Instrument, day: date) -> bool:
        """Whether this was not told of the class and day yet, in any of its contracts; a yes counts as told."""
        row, today = (what, one.trading_class, day), trade_date(self._clock.now())
        if row in self._told:
            return False
        self._told = {told for told in self._told if told[2] >= today} | {row}
        return True


def _is_traded(instrument: Instrument, today: date) -> bool:
    """Indices are not traded, nor what is past its last day; of shares only the volatility products."""
    if instrument.kind is Kind.STOCK:
        return is_volatility_product(instrument)
    return instrument.last_trade is not None and instrument.last_trade >= today
