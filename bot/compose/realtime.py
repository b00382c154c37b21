"""``alvh run`` in real time: a rehearsal against a simulated gateway, paper, or live; state survives restarts."""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from adapters.clock import SystemClock, SystemIds, SystemRng
from adapters.control.memory_link import MemoryLink
from adapters.history.daily_store import DailyStore
from adapters.ibkr.gateway import IbkrGateway
from bot.app.desk import Desk
from bot.compose.assembly import Assembled, Junction, Ports, Start, assemble
from bot.compose.books import lots_of_book, sessions_with_condors
from bot.compose.confirming import limits_at_start
from bot.compose.deploying import require_stated
from bot.compose.drill import KEY_ID, Operator
from bot.compose.guard import version
from bot.compose.lines import Lines, open_lines, watched
from bot.compose.options import Outcome, RunOptions
from bot.compose.outputs import Outputs
from bot.compose.recording import RecordedPort, recorded_port
from bot.compose.reporting import write_report
from bot.compose.serving import GatewayOptions, started_gateway
from bot.compose.standing import JOURNAL_FILE, Standing, open_standing
from bot.compose.state_folder import daily_folder, default_folder, opened_folder
from bot.compose.worlds import World, world_of_run
from bot.domain.command import Role
from bot.domain.errors import ConfigError
from bot.domain.mode import TradingMode
from bot.domain.portfolio import Lot, StatedCredit
from bot.domain.schedule import SessionCalendar
from bot.tasks import end_all
from config.loader import Loaded, load
from config.settings import Profile
from simulator.gateway import FloorTime

AFTER_CLOSE = timedelta(minutes=2)
BEFORE_OPEN = timedelta(minutes=30)
FIRST_BOOT = "first boot"
"""How the latch's cause begins where nothing was ever armed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RealtimeRun:
    """What a run was asked to be; ``world`` is there in profile sim only."""

    options: RunOptions
    loaded: Loaded
    state: Path
    outputs: Outputs
    world: World | None


def run_realtime(options: RunOptions, outputs: Outputs) -> Outcome:
    """Run until a signal, or in a rehearsal until its sessions are over.

    Raises:
        ConfigError: Settings are wrong; the message names the cure.
        RefusedStartError: It must not run here and now.
    """
    profile = Profile(options.profile)
    loaded = _at_gateway(load(profile, options.config, os.environ, method=options.method), options)
    require_stated(loaded)
    world = world_of_run(options, loaded.settings.broker.account) if profile is Profile.SIM else None
    folder = options.state or default_folder(profile.value, loaded.settings.bot)
    with opened_folder(folder) as state:
        run = RealtimeRun(options=options, loaded=loaded, state=state, outputs=outputs, world=world)
        ending = asyncio.run(_run(run))
        told = write_report(state / JOURNAL_FILE, outputs.folder / "report.html")
        return replace(ending, report=told.path, summary=told.summary, variants=told.variants)


def _at_gateway(loaded: Loaded, options: RunOptions) -> Loaded:
    if options.gateway is None:
        return loaded
    host, _, port = options.gateway.rpartition(":")
    if not host or not port.isdigit():
        raise ConfigError(f"--gateway {options.gateway}: expected HOST:PORT, for example 127.0.0.1:4002")
    broker = replace(loaded.settings.broker, host=host, port=int(port))
    return replace(loaded, settings=replace(loaded.settings, broker=broker))


async def _run(run: RealtimeRun) -> Outcome:
    clock = SystemClock(run.options.speed if run.world is not None else 1.0)
    standing = open_standing(run.state, run.loaded.settings, clock, clock.now())
    stop = asyncio.Event()
    try:
        found = limits_at_start(
            run.loaded.settings.risk,
            standing.memory.limits,
            standing.memory.configured,
            profile=run.loaded.settings.profile,
            confirmed=run.options.confirm_limits,
        )
        run = replace(run, loaded=found.of_run(run.loaded))
        lines = open_lines(run.state, run.loaded.settings, standing)
        with watched(lines.guard), recorded_port(run.options.record, _begins_at(run, clock), clock) as port:
            async with _gateway_beside(run):
                return await _Rehearsed(run, clock, standing, lines, stop, port).play(found.facts)
    finally:
        standing.journal.close()


def _begins_at(run: RealtimeRun, clock: SystemClock) -> datetime:
    """Return a moment before which nothing reaches the bot: of a rehearsal's world, or now."""
    return clock.now() if run.world is None else run.world.sessions()[0].opens_at - BEFORE_OPEN


@asynccontextmanager
async def _gateway_beside(run: RealtimeRun) -> AsyncIterator[None]:
    """Serve a gateway in this process where a rehearsal names none."""
    options, broker = run.options, run.loaded.settings.broker
    if run.world is None or options.gateway is not None:
        yield
        return
    served = GatewayOptions(
        host=broker.host,
        port=broker.port,
        scenario=options.scenario,
        history=options.history,
        play=options.play,
        start=options.start,
        end=options.end,
        sessions=options.sessions,
        seed=options.seed,
        speed=options.speed,
        tick_s=options.tick_s,
        account=broker.account,
    )
    async with started_gateway(served) as gateway:
        serving = asyncio.ensure_future(gateway.run())
        try:
            yield
        finally:
            await end_all((serving,))


class _Rehearsed:
    """The parts of one run in real time."""

    def __init__(
        self,
        run: RealtimeRun,
        clock: SystemClock,
        standing: Standing,
        lines: Lines,
        stop: asyncio.Event,
        port: RecordedPort,
    ) -> None:
        self._run = run
        self._clock = clock
        self._standing = standing
        self._stop = stop
        self._clock_is_set = asyncio.Event()
        self._lines = lines
        self._port = port

    async def play(self, limits: Mapping[str, object] | None) -> Outcome:
        """Run until the stop event; the limits are written down where they changed."""
        bot = self._bot()
        self._lines.connect(bot.desk)
        self._lines.complain_to(bot.shell)
        self._run.outputs.tell_faults_to(bot.alerting)
        self._obey_signals()
        bot.shell.tell("bot_started", self._run.outputs.started_facts(self._run.options, self._run.loaded, version()))
        if limits is not None:
            bot.shell.tell("limits_set", limits)
        helpers = [asyncio.ensure_future(job) for job in self._jobs()]
        helpers.append(_ending_the_bot(asyncio.create_task(self._lines.dispatcher.run()), bot.desk))
        if self._lines.mqtt is not None:
            helpers.append(_ending_the_bot(asyncio.create_task(self._lines.mqtt.run()), bot.desk))
        try:
            await self._lines.ready_or_halted()
            ending = await bot.supervisor.run(self._standing.memory.restored, self._stop)
            await self._lines.emptied()
        finally:
            await end_all(helpers)
        return Outcome(exit_code=ending.exit_code, why=ending.why)

    def _obey_signals(self) -> None:
        """SIGTERM and SIGINT stop in order; SIGUSR1 is a kill that the guard thread carries out."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        signal.signal(signal.SIGUSR1, lambda _number, _frame: self._lines.guard.interrupt())

    def _bot(self) -> Assembled:
        settings, junction = self._run.loaded.settings, Junction()
        gateway = IbkrGateway(settings=settings.broker, clock=self._clock, sink=self._port.sink(junction))
        stated, lots = self._stated()
        ports = Ports(
            clock=self._clock,
            ids=SystemIds(),
            rng=SystemRng(),
            broker=gateway,
            market_data=self._port.before(gateway),
            connection=gateway,
            command_link=self._lines.link,
            journal=self._standing.journal,
            latch=self._standing.latch,
            junction=junction,
        )
        start = Start(
            calendar=SessionCalendar(),
            adopted=self._standing.memory.restored.positions is not None,
            dry_run=self._run.options.dry_run,
            requires_link=settings.profile is Profile.LIVE,
            credits=stated,
            lots=lots,
            announcers=(*self._run.outputs.announcers(self._clock), *self._lines.announcers()),
            sounded=(self._run.outputs.alert, self._lines.dispatcher.take),
            account_hash=self._standing.account_hash,
            store=DailyStore(daily_folder(settings.sources, self._run.state)),
            connected=self._clock_of(gateway.gateway_time),
        )
        return assemble(self._run.loaded, ports, start)

    def _clock_of(self, gateway_time: Callable[[], Awaitable[datetime]]) -> Callable[[], Awaitable[None]] | None:
        """In a rehearsal the gateway's time is the bot's; on paper and live the machine's own is."""
        if self._run.world is None:
            return None

        async def shift() -> None:
            self._clock.shift_to(await gateway_time())
            self._clock_is_set.set()

        return shift

    def _stated(self) -> tuple[tuple[StatedCredit, ...], tuple[Lot, ...]]:
        """Credits and lots: of the simulated opening book, or as the operator states them."""
        settings, world = self._run.loaded.settings, self._run.world
        if world is None:
            return settings.condor.credit, settings.sleeve.lot
        first = world.sessions()[0]
        opened = world.open(FloorTime(asyncio.get_running_loop().time, first.opens_at - AFTER_CLOSE))
        return opened.book.credits, lots_of_book(opened.book, first.day)

    def _jobs(self) -> list[Awaitable[None]]:
        """What runs beside the bot: in a rehearsal its operator and its end."""
        if self._run.world is None:
            return []
        jobs: list[Awaitable[None]] = [self._stop_after(self._run.world)]
        latch, memory = self._standing.latch, self._lines.memory
        if memory is not None and latch.mode is TradingMode.HALT and latch.cause.startswith(FIRST_BOOT):
            jobs.append(self._arm(memory))
        return jobs

    async def _arm(self, memory: MemoryLink) -> None:
        """A rehearsal's built-in operator ends the halt of the first boot; later halts need a person."""
        ring = self._standing.ring
        key_id = f"{KEY_ID}-{len(ring.all())}"  # a first boot that was never armed has left a key behind
        operator = Operator(
            link=memory,
            key=ring.add(key_id, (Role.KILL, Role.RESUME)),
            key_id=key_id,
            clock=self._clock,
            ids=SystemIds(),
            bot=self._run.loaded.settings.bot,
            account_hash=self._standing.account_hash,
        )
        with contextlib.suppress(asyncio.CancelledError):
            await operator.arm()

    async def _stop_after(self, world: World) -> None:
        """End a rehearsal after its last session, or after that in which the last condors settle."""
        first = world.sessions()[0]
        opened = world.open(FloorTime(asyncio.get_running_loop().time, first.opens_at - AFTER_CLOSE))
        last = sessions_with_condors(opened.source.sessions, opened.book)[-1]
        while self._clock.now() < last.closes_at + AFTER_CLOSE or self._clock.now() > last.closes_at + timedelta(
            days=3
        ):
            await self._clock.sleep(5.0)
        self._stop.set()


def _ending_the_bot(task: asyncio.Task[None], desk: Desk) -> asyncio.Task[None]:
    """Have a helper that breaks end the bot halted, instead of leaving it without that helper."""

    def ended(done: asyncio.Task[None]) -> None:
        error = None if done.cancelled() else done.exception()
        if error is not None and not desk.failed.done():
            desk.failed.set_exception(error)

    task.add_done_callback(ended)
    return task
