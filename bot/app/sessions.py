"""Follows the trading sessions: opens them with their baseline, watches what a plan needs, ticks the slow timer."""

import asyncio
import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from bot.app.link import LinkKeeper
from bot.app.shell import Shell
from bot.app.weeklies import WeeklyScout
from bot.domain.errors import BrokerRejectedError, ConnectivityError
from bot.domain.events import (
    BooksReconciled,
    CandidatesListed,
    EvidenceDelivered,
    FillReported,
    SensitivityMeasured,
    SessionClosed,
    SessionOpened,
    TimerElapsed,
    WingStrikesListed,
)
from bot.domain.evidence import DailySeries, EvidenceInputs
from bot.domain.instrument import IWM, RUT, RVX, SPX, SPY, VIX, Instrument, InstrumentKey, Kind
from bot.domain.products import PRODUCT_SYMBOLS
from bot.domain.schedule import Session, SessionCalendar
from bot.domain.snapshot import Snapshot
from bot.hedging.sensitivities.estimate import NoScale, rolling_scale
from bot.hedging.sensitivities.settings import SensitivitySettings
from bot.hedging.universe import Candidates, Listed
from bot.ports import MarketData
from bot.signals.daily import common_sessions

NEW_YORK = ZoneInfo("America/New_York")
INDICES = (SPX, RUT, VIX, RVX)
CONFIRMING = (SPX, RUT, SPY, IWM, VIX)
"""Whose closes the confirmations read (M3), and VIX, whose answer to SPX is measured (M10)."""
FUNDS = frozenset({"SPY", "IWM", "QQQ"}) | PRODUCT_SYMBOLS
"""Held, they are no small-cap companies whose balance sheet could be read."""
CHAIN_DAYS = 300
"""Chains and futures are asked for up to this many days ahead: the long layer settles in about 220."""

TIMER_PHASE_S = 5.0
"""Indices are published every 15 s from the open on; the timer beats five seconds after."""
CLOSING_GRACE_S = 2.0
"""The level published at the close belongs to the session and becomes its close."""

BaselineRow = tuple[int, float, float]


async def _nothing_to_learn(_instruments: Sequence[Instrument]) -> None:
    """Ask for nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """What the sleeve may be built from: VIX options and futures, and which of them are worth watching."""

    data: MarketData
    choose: Callable[[Listed, Snapshot], Candidates | None]
    """What is listed and the moment -> candidates and the futures that price them; None while VIX is unknown."""
    weeklies: WeeklyScout
    """Which weekly settlements are liquid enough to choose from."""
    sources: Callable[[], tuple[EvidenceInputs, Mapping[str, str]]] = lambda: (EvidenceInputs(), {})
    """What the operator's files say, and which of them could not be read, with the reason."""
    renewal: Callable[[date], str | None] = lambda _day: None
    """Why the schedule of releases needs to be renewed, as of a day; None while it does not."""
    learn: Callable[[Sequence[Instrument]], Awaitable[object]] = _nothing_to_learn
    """Awaited with contracts before they are listed: what the broker says of them is then known."""


class SessionKeeper:
    """One task that moves with the calendar."""

    def __init__(self, *, shell: Shell, market: Market, link: LinkKeeper, calendar: SessionCalendar) -> None:
        """Take the parts; `run` does the work."""
        self._shell = shell
        self._clock = shell.clock
        self._settings = shell.settings
        self._market = market
        self._link = link
        self._calendar = calendar
        self._relist = asyncio.Event()
        self._listed: Listed | None = None  # as last looked up
        self._watched: frozenset[InstrumentKey] = frozenset()
        shell.pump.hear(FillReported, lambda _event: self._rewatch())
        shell.pump.hear(WingStrikesListed, lambda _event: self._rewatch())
        shell.pump.hear(BooksReconciled, lambda _event: self._relist.set())

    async def run(self) -> None:
        """Open and close one session after another, for ever; the first link may still set the clock."""
        await self._link.first_ready.wait()
        while True:
            session = self._next_session()
            await self._sleep_until(session.opens_at)
            await self._link.ready.wait()
            baseline = await self._baseline(session)
            if baseline is None:
                continue  # the link or the history came too late: this session is over
            self._rewatch()
            self._shell.pump(SessionOpened(at=self._clock.now(), session=session, baseline=baseline))
            self._warn_of_releases(session.day)
            await self._gather_evidence(session)
            await self._during(session)
            await self._clock.sleep(CLOSING_GRACE_S)
            self._shell.pump(SessionClosed(at=self._clock.now(), session=session))

    def _next_session(self) -> Session:
        """The session that is open now, or the next one to open."""
        now = self._clock.now()
        today = self._calendar.session(now.astimezone(NEW_YORK).date())
        if today is not None and now < today.closes_at:
            return today
        return self._calendar.next_session(now.astimezone(NEW_YORK).date())

    async def _sleep_until(self, moment: datetime) -> None:
        await self._clock.sleep(max(0.0, (moment - self._clock.now()).total_seconds()))

    async def _during(self, session: Session) -> None:
        """List candidates, keep them fresh, and let the timer tick until the close."""
        self._relist.set()
        listed_at = self._clock.now() - timedelta(seconds=self._settings.relist_every_s)
        while (now := self._clock.now()) < session.closes_at:
            stale = now - listed_at >= timedelta(seconds=self._settings.relist_every_s)
            if self._link.ready.is_set() and (self._relist.is_set() or stale):
                self._relist.clear()
                if await self._look_up() and await self._list_candidates():
                    listed_at = now
            elif self._lacks_contracts():
                await self._list_candidates()
            self._shell.pump(TimerElapsed(at=self._clock.now()))
            await self._look_at_weeklies()
            await self._sleep_until(min(self._next_beat(session), session.closes_at))

    def _next_beat(self, session: Session) -> datetime:
        """The timer's next moment: on a beat of its own, so that it never falls together with published indices."""
        every = self._settings.plan_every_s
        passed = (self._clock.now() - session.opens_at).total_seconds() - TIMER_PHASE_S
        return session.opens_at + timedelta(seconds=TIMER_PHASE_S + (math.floor(passed / every) + 1) * every)

    async def _baseline(self, session: Session) -> tuple[BaselineRow, ...] | None:
        """The closes of common sessions before this one; asked for until there is an answer, None past its close."""
        while self._clock.now() < session.closes_at:
            try:
                rvx = await self._market.data.daily_closes(RVX, self._settings.baseline_closes)
                vix = await self._market.data.daily_closes(VIX, self._settings.baseline_closes)
            except (ConnectivityError, BrokerRejectedError) as error:
                self._shell.complain("baseline_missing", {"why": str(error)})
                await self._clock.sleep(self._settings.plan_every_s)
                continue
            joined = common_sessions(rvx, vix, self._calendar)
            return tuple((day.toordinal(), small, large) for day, small, large in joined if day < session.day)
        return None

    def _warn_of_releases(self, day: date) -> None:
        """Say once a session that the schedule runs out: without it nothing is shifted around releases (M6)."""
        why = self._market.renewal(day)
        if why is not None:
            self._shell.tell("releases_run_out", {"why": why})

    async def _gather_evidence(self, session: Session) -> None:
        """Deliver what the confirmations read; what could not be had makes them abstain, and is written down."""
        filed, unread = self._market.sources()
        histories, missing = dict(filed.histories), dict(unread)
        for instrument in CONFIRMING:
            try:
                closes = await self._market.data.daily_closes(instrument, self._settings.evidence_closes)
            except (ConnectivityError, BrokerRejectedError) as error:
                missing[instrument.symbol] = str(error)
                continue
            rows = tuple((close.day, close.close) for close in closes if close.day < session.day)
            histories[instrument.symbol] = DailySeries(symbol=instrument.symbol, rows=rows)
        held = self._shell.engine.state.snapshot(self._clock.now()).book.positions.values()
        shares = {one.instrument.symbol for one in held if one.instrument.kind is Kind.STOCK}
        inputs = replace(
            filed,
            histories={name: histories[name] for name in histories if name != VIX.symbol},
            satellite_names=frozenset(shares - FUNDS),
        )
        self._shell.pump(EvidenceDelivered(at=self._clock.now(), inputs=inputs, missing=missing))
        self._measure_sensitivity(histories)

    def _measure_sensitivity(self, histories: Mapping[str, DailySeries]) -> None:
        """Deliver how strongly VIX answers SPX these days; where that cannot be said, what is configured holds."""
        closes = {name: dict(series.rows) for name, series in histories.items()}
        spx, vix = closes.get(SPX.symbol, {}), closes.get(VIX.symbol, {})
        common = [day for day in sorted(spx) if day in vix]
        measured = rolling_scale(
            np.array([vix[day] for day in common]), np.array([spx[day] for day in common]), SensitivitySettings()
        )
        if isinstance(measured, NoScale):
            self._shell.complain("sensitivity_missing", {"why": measured.why})
            return
        words = (
            f"VIX moved by {measured.slope:+.2f} points per +1 % SPX over {measured.sessions} sessions, "
            f"{measured.value:.2f} times the long run"
        )
        self._shell.pump(SensitivityMeasured(at=self._clock.now(), scale=measured.value, words=words))

    def _lacks_contracts(self) -> bool:
        """The last plan waits for contracts that nobody watches yet."""
        plan = self._shell.engine.last_plan
        return plan is not None and plan.awaits is not None

    async def _look_up(self) -> bool:
        """Ask what the exchange lists for the sleeve; False when the broker gave no answer."""
        today = self._clock.now().astimezone(NEW_YORK).date()
        until = today + timedelta(days=CHAIN_DAYS)
        try:
            chain = await self._market.data.option_chain("VIX", today, until)
            futures = await self._market.data.futures("VIX", today, until)
        except (ConnectivityError, BrokerRejectedError) as error:
            self._shell.complain("candidates_missing", {"why": str(error)})
            return False
        self._listed = Listed(options=chain, futures=futures)
        return True

    async def _look_at_weeklies(self) -> None:
        """Find out what is liquid when it is time, after the timer's beat: asking takes a moment."""
        if self._listed is None or not self._link.ready.is_set() or not self._market.weeklies.is_due():
            return
        await self._market.weeklies.look(self._listed)
        await self._list_candidates()

    async def _list_candidates(self) -> bool:
        """Choose among what is listed and watch it; False while nothing says what is worth watching."""
        if self._listed is None:
            return False
        liquid = self._market.weeklies.liquid()
        snapshot = self._shell.engine.state.snapshot(self._clock.now())
        found = self._market.choose(replace(self._listed, liquid_weeklies=liquid), snapshot)
        if found is None:
            return False  # no level yet: the timer comes back
        await self._market.learn(found.instruments)
        self._shell.pump(CandidatesListed(at=self._clock.now(), instruments=found.instruments, offered=found.offered))
        self._rewatch()
        return True

    def _rewatch(self) -> None:
        """Stream the indices, what is held and the candidates; market data lines are scarce."""
        snapshot = self._shell.engine.state.snapshot(self._clock.now())
        held = tuple(position.instrument for position in snapshot.book.positions.values())
        wanted = {
            one.key: one for one in (*INDICES, *held, *snapshot.universe.values(), *snapshot.wing_strikes.values())
        }
        if wanted.keys() != self._watched:
            self._watched = frozenset(wanted)
            self._market.data.watch(tuple(wanted.values()))
