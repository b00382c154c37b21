"""Runs the tasks, halts when one of them dies, and stops in order."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from datetime import timedelta

from bot.app.alerting import Alerting
from bot.app.comparing import ComparisonKeeper
from bot.app.daily import DailyKeeper
from bot.app.desk import Desk
from bot.app.freezing import FreezeKeeper
from bot.app.greeks import GreeksKeeper
from bot.app.link import LinkKeeper
from bot.app.own_index import OwnIndexKeeper
from bot.app.parity import ParityKeeper
from bot.app.previews import PreviewKeeper
from bot.app.products import ProductKeeper
from bot.app.quiet import QuietKeeper
from bot.app.sampler import Sampler
from bot.app.sessions import SessionKeeper
from bot.app.shell import Shell
from bot.app.terms import TermsKeeper
from bot.app.wings import WingKeeper
from bot.domain.errors import InvariantError, JournalError, LatchError
from bot.domain.events import Restored
from bot.domain.mode import TradingMode
from bot.ports import Connection, Latch
from bot.tasks import end_all

DONE, ENDED_HALTED, INTERNAL_FAULT = 0, 4, 5
"""Exit codes of a run; docs/operations.md."""
FINITE = frozenset({"boot", "stop"})
"""Tasks that end when they have done their work; all others run for ever."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a run ended: exit code and one sentence."""

    exit_code: int
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The tasks and what stopping needs."""

    shell: Shell
    link: LinkKeeper
    sessions: SessionKeeper
    own_index: OwnIndexKeeper
    parity: ParityKeeper
    products: ProductKeeper
    quiet: QuietKeeper
    greeks: GreeksKeeper
    wings: WingKeeper
    terms: TermsKeeper
    freeze: FreezeKeeper
    previews: PreviewKeeper
    desk: Desk
    sampler: Sampler
    comparing: ComparisonKeeper
    latch: Latch
    connection: Connection
    alerting: Alerting
    daily: DailyKeeper | None = None  # where the day's figures are kept


class Supervisor:
    """One bot from its first task to its last row."""

    def __init__(self, parts: Parts) -> None:
        """Take the parts; nothing runs yet."""
        self._parts = parts
        self._shell = parts.shell

    async def run(self, restored: Restored, stop: asyncio.Event) -> Ending:
        """Run until ``stop`` is set or something breaks.

        Args:
            restored: What the journal remembers; applied before anything else.
            stop: Set by a signal, or by whoever knows that the run is over.
        """
        self._shell.pump(restored)
        self._parts.desk.open()
        work = [
            self._task("pump", self._shell.pump.run()),
            self._task("link", self._parts.link.run()),
            self._task("sessions", self._parts.sessions.run()),
            self._task("own index", self._parts.own_index.run()),
            self._task("parity", self._parts.parity.run()),
            self._task("products", self._parts.products.run()),
            self._task("quiet", self._parts.quiet.run()),
            self._task("greeks", self._parts.greeks.run()),
            self._task("wings", self._parts.wings.run()),
            self._task("terms", self._parts.terms.run()),
            self._task("freeze", self._parts.freeze.run()),
            self._task("previews", self._parts.previews.run()),
            self._task("desk", self._parts.desk.run()),
            self._task("tender", self._tend()),
            self._task("sampler", self._parts.sampler.run()),
            self._task("comparing", self._parts.comparing.run()),
            self._task("boot", self._cancel_if_latched()),
        ]
        if self._parts.daily is not None:
            work.append(self._task("daily", self._parts.daily.run()))
        stopping = self._task("stop", _until(stop))
        try:
            ending = await self._watch(work, stopping)
        finally:
            await end_all((*work, stopping))
        return await self._close(ending)

    @staticmethod
    def _task(name: str, job: Coroutine[None, None, None]) -> asyncio.Task[None]:
        return asyncio.get_running_loop().create_task(job, name=name)

    async def _watch(self, work: list[asyncio.Task[None]], stopping: asyncio.Task[None]) -> Ending:
        """Wait for the first thing that ends the run."""
        failed = self._parts.desk.failed
        pending: set[asyncio.Future[None]] = {*work, stopping, failed}
        while pending:
            done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            for future in done:
                error = self._why_over(future)
                if error is not None:
                    return self._halted(error)
            if stopping in done:
                return self._stopped()
        return self._stopped()

    @staticmethod
    def _why_over(future: asyncio.Future[None]) -> BaseException | None:
        """What ended a task; one that ends by itself although its work is never done has failed, too."""
        error = asyncio.CancelledError() if future.cancelled() else future.exception()
        if error is None and isinstance(future, asyncio.Task) and future.get_name() not in FINITE:
            return InvariantError(f"task {future.get_name()} ended by itself")
        return error

    def _stopped(self) -> Ending:
        if self._parts.latch.mode is TradingMode.HALT:
            return Ending(exit_code=ENDED_HALTED, why=f"stopped while halted: {self._parts.latch.cause}")
        return Ending(exit_code=DONE, why="stopped")

    def _halted(self, error: BaseException) -> Ending:
        """A task died: latch HALT, cancel our orders, and let the operator look."""
        why = f"{type(error).__name__}: {error}"
        self._parts.latch.tighten(TradingMode.HALT, f"internal fault: {why}")
        self._shell.engine.cancel_own()
        self._parts.alerting.broke(error)
        code = ENDED_HALTED if isinstance(error, (JournalError, LatchError)) else INTERNAL_FAULT
        return Ending(exit_code=code, why=why)

    async def _close(self, ending: Ending) -> Ending:
        """Cancel what still works, wait for the broker's word, write the last rows, close the link."""
        engine, clock = self._shell.engine, self._shell.clock
        engine.shut("stopping")
        engine.cancel_own()
        deadline = clock.now() + timedelta(seconds=self._shell.settings.stop_within_s)
        while engine.state.live_orders() and clock.now() < deadline:
            await clock.sleep(0.1)
            engine.cancel_rest()  # an order may only now have got the id that a cancel names
        left = [str(order.intent.intent_id) for order in engine.state.live_orders()]
        self._shell.tell("bot_stopped", {"exit_code": ending.exit_code, "why": ending.why, "orders_left": left})
        for last in (self._parts.latch.persist, engine.work) if ending.exit_code != DONE else (engine.work,):
            try:
                await last()
            except (JournalError, LatchError) as error:
                ending = Ending(exit_code=ENDED_HALTED, why=f"{ending.why}; {error}")
        self._parts.desk.close()
        self._parts.connection.disconnect()
        return ending

    async def _tend(self) -> None:
        """Look after working orders: overdue ones are cancelled, unanswered ones doubted, doubts reconciled."""
        while True:
            await self._shell.clock.sleep(self._shell.settings.tend_every_s)
            if not self._shell.engine.state.live_orders():
                continue
            if self._shell.engine.tend_orders() and self._parts.link.ready.is_set():
                self._parts.link.request()
            self._shell.pump.wake()

    async def _cancel_if_latched(self) -> None:
        """A bot that boots halted cancels what it left working, as soon as the books are known."""
        await self._parts.link.first_ready.wait()
        if self._parts.latch.mode is TradingMode.HALT:
            self._shell.engine.cancel_own()
            self._shell.pump.wake()


async def _until(stop: asyncio.Event) -> None:
    await stop.wait()
