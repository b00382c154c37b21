"""``alvh run`` in profile sim: the whole bot against a simulated gateway, in virtual time, over the real wire."""

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from adapters.control.memory_link import MemoryLink
from adapters.history.daily_store import DailyStore
from bot.compose.assembly import Assembled, Junction, Ports, Start, assemble
from bot.compose.books import lots_of_book, sessions_with_condors
from bot.compose.confirming import limits_at_start
from bot.compose.drill import KEY_ID, Operator
from bot.compose.guard import version
from bot.compose.options import Outcome, RunOptions
from bot.compose.outputs import Outputs
from bot.compose.recording import RecordedPort, recorded_port
from bot.compose.reporting import write_report
from bot.compose.standing import JOURNAL_FILE, open_standing
from bot.compose.state_folder import daily_folder, opened_folder
from bot.compose.wire import Doors, wired
from bot.compose.worlds import World, world_of_run
from bot.domain.command import Role
from bot.domain.errors import ConfigError, InvariantError, RefusedStartError
from bot.domain.schedule import Session
from bot.tasks import end_all
from config.loader import Loaded, load
from config.settings import Profile
from simulator.broker import InProcessLink, InProcessMarketData
from simulator.clock import SeededIds, SeededRng, VirtualClock
from simulator.gateway import FloorTime, Gateway
from simulator.opening import OpenedFloor
from simulator.virtual_time import VirtualLoop, run_virtual

BEFORE_OPEN = timedelta(minutes=30)
AFTER_CLOSE = timedelta(minutes=2)
DRILLED_SESSION = 3  # the fourth


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedRun:
    """What a run was asked to be."""

    options: RunOptions
    loaded: Loaded
    world: World
    state: Path
    outputs: Outputs
    observe: Callable[[Gateway], None]


def run_simulated(
    options: RunOptions, outputs: Outputs, observe: Callable[[Gateway], None] = lambda _gateway: None
) -> Outcome:
    """Run the simulated sessions and write the report.

    Args:
        options: What is asked for.
        outputs: Where it is told.
        observe: Sees the gateway before the bot starts; its ledger is the judge of what was really sent.

    Raises:
        ConfigError: Settings or history are wrong; the message names the cure.
        RefusedStartError: The state folder cannot be used.
    """
    loaded = load(Profile.SIM, options.config, os.environ, method=options.method)
    world = world_of_run(options, loaded.settings.broker.account)
    with opened_folder(options.state or outputs.folder / "state") as state:
        run = SimulatedRun(options=options, loaded=loaded, world=world, state=state, outputs=outputs, observe=observe)
        start = world.sessions()[0].opens_at - BEFORE_OPEN
        ending = run_virtual(_played(run), start=start, seed=options.seed)
        told = write_report(state / JOURNAL_FILE, outputs.folder / "report.html")
        return replace(ending, report=told.path, summary=told.summary, variants=told.variants)


async def _played(run: SimulatedRun) -> Outcome:
    """Everything that happens inside the virtual loop."""
    loop = asyncio.get_running_loop()
    if not isinstance(loop, VirtualLoop):
        raise InvariantError("a simulated run plays on the virtual loop")
    clock = VirtualClock(loop)
    opened = run.world.open(FloorTime(loop.time, clock.now()))
    sessions = sessions_with_condors(opened.source.sessions, opened.book)
    if not sessions:
        raise ConfigError(f"nothing can run: the condors have settled by {run.world.settings.start}")
    with recorded_port(run.options.record, clock.now(), clock) as port:
        simulation = _Simulation(run, clock, opened, port)
        try:
            return await simulation.play(sessions)
        finally:
            simulation.close()


class _Simulation:
    """The parts of one simulated run, alive inside the virtual loop."""

    def __init__(self, run: SimulatedRun, clock: VirtualClock, opened: OpenedFloor, port: RecordedPort) -> None:
        self._port = port
        self._run = run
        self._clock = clock
        self._opened = opened
        settings = run.loaded.settings
        self._standing = open_standing(run.state, settings, clock, clock.now())
        try:
            self._operator_key = self._standing.ring.add(KEY_ID, (Role.KILL, Role.RESUME))
        except ConfigError as error:
            self._standing.journal.close()
            raise RefusedStartError(
                f"{run.state}: holds an earlier run; a virtual run begins in an empty folder, name another --state"
            ) from error
        self._link = MemoryLink(verifier=self._standing.verifier, bot_key=self._standing.bot_key, clock=clock)

    async def play(self, sessions: tuple[Session, ...]) -> Outcome:
        """Run the gateway, the bot and its operator until the last session is over."""
        broker = self._run.loaded.settings.broker
        gateway = Gateway(self._opened.floor, broker.host, broker.port)
        await gateway.start()
        self._run.observe(gateway)
        bot = self._bot()
        self._run.outputs.tell_faults_to(bot.alerting)
        self._link.listen(bot.desk.receive)
        stop = asyncio.Event()
        bot.shell.tell("bot_started", self._run.outputs.started_facts(self._run.options, self._run.loaded, version()))
        settings, memory = self._run.loaded.settings, self._standing.memory
        limits = limits_at_start(
            settings.risk,
            memory.limits,
            memory.configured,
            profile=settings.profile,
            confirmed=self._run.options.confirm_limits,
        )
        if limits.facts is not None:  # what commands had set is nothing here: the folder was empty
            bot.shell.tell("limits_set", limits.facts)
        helpers = [
            asyncio.ensure_future(gateway.run()),
            asyncio.ensure_future(self._operate(sessions)),
            asyncio.ensure_future(self._stop_after(sessions, bot, stop)),
        ]
        try:
            ending = await bot.supervisor.run(self._standing.memory.restored, stop)
        finally:
            await end_all(helpers)
            await gateway.stop()
        return Outcome(exit_code=ending.exit_code, why=ending.why)

    def close(self) -> None:
        """Close the journal, however far the run came."""
        self._standing.journal.close()

    def _bot(self) -> Assembled:
        start = Start(
            calendar=self._run.world.calendar,
            adopted=self._standing.memory.restored.positions is not None,
            dry_run=self._run.options.dry_run,
            credits=self._opened.book.credits,
            lots=lots_of_book(self._opened.book, self._opened.source.sessions[0].day),
            announcers=self._run.outputs.announcers(self._clock),
            sounded=(self._run.outputs.alert,),
            store=DailyStore(daily_folder(self._run.loaded.settings.sources, self._run.state)),
        )
        return assemble(self._run.loaded, self._ports(Junction()), start)

    def _ports(self, junction: Junction) -> Ports:
        seed = self._run.options.seed
        broker, market_data, connection = self._doors(junction)
        return Ports(
            clock=self._clock,
            ids=SeededIds(seed, "bot"),
            rng=SeededRng(seed, "bot"),
            broker=broker,
            market_data=market_data,
            connection=connection,
            command_link=self._link,
            journal=self._standing.journal,
            latch=self._standing.latch,
            junction=junction,
        )

    def _doors(self, junction: Junction) -> Doors:
        settings = self._run.loaded.settings.broker
        sink = self._port.sink(junction)
        if self._run.options.door == "wire":
            broker, market_data, connection = wired(settings, self._clock, sink)
            return broker, self._port.before(market_data), connection
        link = InProcessLink(self._opened.floor, sink, client_id=settings.client_id)
        return link, self._port.before(InProcessMarketData(self._opened.floor, sink)), link

    async def _operate(self, sessions: tuple[Session, ...]) -> None:
        """Arm the bot; in a scenario with enough sessions also drill a kill."""
        operator = Operator(
            link=self._link,
            key=self._operator_key,
            clock=self._clock,
            ids=SeededIds(self._run.options.seed, "operator"),
            bot=self._run.loaded.settings.bot,
            account_hash=self._standing.account_hash,
        )
        await operator.arm()
        if self._run.world.history is None and len(sessions) > DRILLED_SESSION:
            await operator.drill(sessions[DRILLED_SESSION])

    async def _stop_after(self, sessions: tuple[Session, ...], bot: Assembled, stop: asyncio.Event) -> None:
        """End the run after the last session; say so where that is earlier than what was asked for."""
        over = sessions[-1].closes_at + AFTER_CLOSE
        await self._clock.sleep(max(0.0, (over - self._clock.now()).total_seconds()))
        asked = self._opened.source.sessions
        if len(sessions) < len(asked):
            facts = {
                "asked_until": asked[-1].day,
                "ran_until": sessions[-1].day,
                "why": "the condors have settled: nothing is left to hedge",
            }
            bot.shell.tell("run_ended_early", facts)
        stop.set()
