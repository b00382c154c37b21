"""Keeps the day's breadth and closes for later sessions, because no source sells the history of what AD-NYSE showed.

How it works: the counts are looked at shortly before the stock market closes, shortly after, and before the session
ends; the last good ones are the day's. After the close they are written to the bot's own daily store, and with them
the closes that the confirmations read. What is missing, and a disk that takes nothing, is told once and stops nothing.
"""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Final

from bot.app.link import LinkKeeper
from bot.app.shell import Shell
from bot.domain.errors import AlvhError, BrokerRejectedError, ConnectivityError
from bot.domain.events import SessionOpened
from bot.domain.instrument import AD_NYSE, IWM, RUT, SPX, SPY, Instrument
from bot.domain.schedule import Session
from bot.ports import DailyRecord, MarketData
from bot.signals.evidence.counts import Counts, NoCounts, counts_of

LOOKS_BEFORE_CLOSE_S: Final = (953.0, 713.0, 53.0)
"""Before the session's end, seven seconds after a whole minute, when what was published at it has arrived. Stocks close
900 s before the end: a minute before that the counts are surely published, three minutes after it the last prints are
in, and the third look is for a broker that was slow."""
CLOSED_AFTER_S: Final = 5.0
"""After the session's end: the daily bar of the session is finished by then."""
CATCH_UP_SESSIONS: Final = 5
"""Closes asked for: those of a week in which the bot stood still come along."""
KEPT: Final = (SPX, RUT, SPY, IWM)


class DailyKeeper:
    """One task that writes one row per session and symbol."""

    def __init__(self, *, shell: Shell, data: MarketData, link: LinkKeeper, record: DailyRecord) -> None:
        """Take the parts; `run` does the work."""
        self._shell = shell
        self._clock = shell.clock
        self._data = data
        self._link = link
        self._record = record
        self._opened = asyncio.Event()
        shell.pump.hear(SessionOpened, lambda _event: self._opened.set())

    async def run(self) -> None:
        """Attend one session after another, for ever."""
        while True:
            await self._opened.wait()
            self._opened.clear()
            session = self._shell.engine.state.session
            if session is not None:
                await self._attend(session)

    async def _attend(self, session: Session) -> None:
        counts = await self._last_good_counts(session)
        await self._sleep_until(session, -CLOSED_AFTER_S)
        is_new = isinstance(counts, Counts) and self._write_counts(session, counts)
        if isinstance(counts, NoCounts):
            self._miss(session, AD_NYSE.symbol, counts.why)
        closes = {one.symbol: close for one in KEPT if (close := await self._keep_closes(session, one)) is not None}
        if is_new or closes:
            counted = counts if isinstance(counts, Counts) and is_new else None
            facts = {
                "day": session.day,
                "advances": None if counted is None else counted.advances,
                "declines": None if counted is None else counted.declines,
                "closes": closes,
            }
            self._shell.tell("daily_recorded", facts)

    async def _last_good_counts(self, session: Session) -> Counts | NoCounts:
        last: Counts | NoCounts = NoCounts(why="the bot was not there to look at them before the close")
        for before_s in LOOKS_BEFORE_CLOSE_S:
            if self._clock.now() > session.closes_at - timedelta(seconds=before_s):
                continue  # it started too late for this look
            await self._sleep_until(session, before_s)
            found = await self._look()
            last = found if isinstance(found, Counts) or isinstance(last, NoCounts) else last
        return last

    async def _look(self) -> Counts | NoCounts:
        if not self._link.ready.is_set():
            return NoCounts(why="there was no link to the broker")
        try:
            shown = await self._data.snapshot((AD_NYSE,))
        except (ConnectivityError, BrokerRejectedError) as error:
            return NoCounts(why=str(error))
        return counts_of(shown.get(AD_NYSE.key))

    def _write_counts(self, session: Session, counts: Counts) -> bool:
        write = partial(self._record.record_breadth, session.day, counts.advances, counts.declines)
        return self._written(session, AD_NYSE.symbol, write)

    async def _keep_closes(self, session: Session, instrument: Instrument) -> float | None:
        """Write the last closes of one symbol; return that of this session where it is new."""
        try:
            closes = await self._data.daily_closes(instrument, CATCH_UP_SESSIONS)
        except (ConnectivityError, BrokerRejectedError) as error:
            self._miss(session, instrument.symbol, str(error))
            return None
        kept = None
        for close in closes:
            write = partial(self._record.record_close, instrument.symbol, close.day, close.close)
            if self._written(session, instrument.symbol, write) and close.day == session.day:
                kept = close.close
        return kept

    def _written(self, session: Session, what: str, write: Callable[[], bool]) -> bool:
        """Whether something new is in the store; what the store or the disk refuses is told."""
        try:
            return write()
        except (AlvhError, OSError) as error:
            self._miss(session, what, str(error))
            return False

    def _miss(self, session: Session, what: str, why: str) -> None:
        self._shell.complain("daily_missing", {"day": session.day, "what": what, "why": why})

    async def _sleep_until(self, session: Session, before_close_s: float) -> None:
        moment = session.closes_at - timedelta(seconds=before_close_s)
        await self._clock.sleep(max(0.0, (moment - self._clock.now()).total_seconds()))
