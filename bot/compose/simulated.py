"""``alvh run`` in profile sim: the whole bot against a simulated gateway, in virtual time, over the real wire."""

import asyncio
import os
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from adapters.control.keys import account_hash, open_bot_key, open_ring
from adapters.control.latch import open_latch
from adapters.control.memory_link import MemoryLink
from adapters.control.verifier import Verifier
from adapters.history.csv_files import load_symbol
from adapters.journal.reader import remembered
from adapters.journal.store import Owner, open_journal
from bot.app.announced import Announcer
from bot.compose.assembly import Assembled, Junction, Ports, Start, assemble
from bot.compose.books import lots_of_book, plan_for_window, sessions_before_expiry
from bot.compose.drill import KEY_ID, Operator
from bot.compose.guard import version
from bot.compose.options import Outcome, RunOptions
from bot.compose.outputs import Outputs
from bot.compose.reporting import write_report
from bot.compose.state_folder import opened_folder
from bot.compose.wire import Doors, wired
from bot.domain.command import Role
from bot.domain.errors import ConfigError, InvalidValueError
from bot.domain.schedule import Session, SessionCalendar
from config.loader import Loaded, load
from config.settings import Profile
from simulator.broker import InProcessLink, InProcessMarketData
from simulator.clock import SeededIds, SeededRng, VirtualClock
from simulator.gateway import FloorTime, Gateway
from simulator.opening import OpenedFloor, open_floor
from simulator.settings import SimulatorSettings
from simulator.virtual_time import VirtualLoop, run_virtual
from simulator.world.levels import SYMBOLS, DailyLevel

BEFORE_OPEN = timedelta(minutes=30)
AFTER_CLOSE = timedelta(minutes=2)
DRILLED_SESSION = 3  # the fourth
JOURNAL_FILE = "journal.db"


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What a simulated run plays."""

    settings: SimulatorSettings
    history: dict[str, tuple[DailyLevel, ...]] | None
    calendar: SessionCalendar


def run_simulated(options: RunOptions, outputs: Outputs) -> Outcome:
    """Run the simulated sessions and write the report.

    Raises:
        ConfigError: Settings or history are wrong; the message names the cure.
        RefusedStartError: The state folder cannot be used.
    """
    loaded = load(Profile.SIM, options.config, os.environ)
    world = _world(options)
    with opened_folder(outputs.folder / "state") as state:
        journal_path = state / JOURNAL_FILE
        first = _sessions(world)[0]
        run = _Run(options=options, loaded=loaded, world=world, state=state, outputs=outputs)
        ending = run_virtual(_run(run), start=first.opens_at - BEFORE_OPEN, seed=options.seed)
        report, summary = write_report(journal_path, outputs.folder / "report.html")
        return replace(ending, report=report, summary=summary)


def _world(options: RunOptions) -> World:
    calendar = SessionCalendar()
    if options.history is None:
        if options.end is not None:
            raise ConfigError("--end belongs to --history; a scenario takes --sessions")
        settings = SimulatorSettings(
            scenario=options.scenario, sessions=options.sessions, seed=options.seed, tick_s=options.tick_s
        )
        if options.start is not None:
            settings = replace(settings, start=options.start)
        return World(settings=settings, history=None, calendar=calendar)
    if options.start is None or options.end is None:
        raise ConfigError("--history needs --start and --end, for example --start 2015-04-24 --end 2015-05-15")
    settings = SimulatorSettings(
        start=options.start,
        end=options.end,
        seed=options.seed,
        tick_s=options.tick_s,
        book=plan_for_window(options.start, options.end, calendar),
    )
    history = {symbol: _daily_levels(options.history, symbol) for symbol in SYMBOLS}
    return World(settings=settings, history=history, calendar=calendar)


def _daily_levels(folder: Path, symbol: str) -> tuple[DailyLevel, ...]:
    return tuple(
        DailyLevel(day=row.day, close=row.close, open=row.open, high=row.high, low=row.low)
        for row in load_symbol(folder, symbol)
    )


def _sessions(world: World) -> tuple[Session, ...]:
    settings, calendar = world.settings, world.calendar
    if world.history is None:
        found = [calendar.session(settings.start) or calendar.next_session(settings.start)]
        while len(found) < settings.sessions:
            found.append(calendar.next_session(found[-1].day))
        return tuple(found)
    sessions = tuple(calendar.sessions(settings.start, settings.end or settings.start))
    if not sessions:
        raise ConfigError(f"no session from {settings.start} to {settings.end}; choose a wider window")
    return sessions


def _opened(world: World, time: FloorTime) -> OpenedFloor:
    try:
        return open_floor(world.settings, world.calendar, history=world.history, clock=time.now)
    except InvalidValueError as error:
        raise ConfigError(str(error)) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """What a run was asked to be."""

    options: RunOptions
    loaded: Loaded
    world: World
    state: Path
    outputs: Outputs


async def _run(run: _Run) -> Outcome:
    """Everything that happens inside the virtual loop."""
    world = run.world
    loop = asyncio.get_running_loop()
    if not isinstance(loop, VirtualLoop):
        raise ConfigError("a simulated run needs the virtual loop")
    clock = VirtualClock(loop)
    opened = _opened(world, FloorTime(loop.time, clock.now()))
    sessions = sessions_before_expiry(opened.source.sessions, opened.book)
    if not sessions:
        raise ConfigError(f"nothing can run: something held expires on or soon after {world.settings.start}")
    return await _Simulated(run, clock, opened).play(sessions)


class _Simulated:
    """The parts of one simulated run, alive inside the virtual loop."""

    def __init__(self, run: _Run, clock: VirtualClock, opened: OpenedFloor) -> None:
        self._options = run.options
        self._loaded = run.loaded
        self._outputs = run.outputs
        self._world = run.world
        self._clock = clock
        self._opened = opened
        state, settings = run.state, run.loaded.settings
        owner = Owner(bot=settings.bot, profile=settings.profile.value, account=settings.broker.account)
        self._journal = open_journal(state / JOURNAL_FILE, owner)
        self._memory = remembered(state / JOURNAL_FILE, clock.now())
        self._latch = open_latch(state, f"{owner.bot}/{owner.profile}/{owner.account}", self._memory.latch_mode)
        self._ring = open_ring(state)
        self._operator_key = self._ring.add(KEY_ID, (Role.KILL, Role.RESUME))
        self._bot_key = open_bot_key(state)
        self._hash = account_hash(settings.broker.account, self._bot_key)
        verifier = Verifier(ring=self._ring, bot=settings.bot, account_hash=self._hash, clock=clock)
        self._link = MemoryLink(verifier=verifier, bot_key=self._bot_key, clock=clock)

    async def play(self, sessions: tuple[Session, ...]) -> Outcome:
        """Run the gateway, the bot and its operator until the last session is over."""
        settings = self._loaded.settings
        gateway = Gateway(self._opened.floor, settings.broker.host, settings.broker.port)
        await gateway.start()
        bot = self._bot()
        self._link.listen(bot.desk.receive)
        stop = asyncio.Event()
        bot.shell.tell("bot_started", self._outputs.started_facts(self._options, self._loaded, version()))
        helpers = [
            asyncio.ensure_future(gateway.run()),
            asyncio.ensure_future(self._operate(sessions)),
            asyncio.ensure_future(self._stop_after(sessions, bot, stop)),
        ]
        try:
            ending = await bot.supervisor.run(self._memory.restored, stop)
        finally:
            for helper in helpers:
                helper.cancel()
            await asyncio.gather(*helpers, return_exceptions=True)
            await gateway.stop()
            self._journal.close()
        return Outcome(exit_code=ending.exit_code, why=ending.why)

    def _bot(self) -> Assembled:
        junction = Junction()
        ports = self._ports(junction)
        start = Start(
            calendar=self._world.calendar,
            adopted=self._memory.restored.positions is not None,
            dry_run=self._options.dry_run,
            credits=self._opened.book.credits,
            lots=lots_of_book(self._opened.book, self._opened.source.sessions[0].day),
            announcers=self._announcers(),
        )
        return assemble(self._loaded, ports, start)

    def _ports(self, junction: Junction) -> Ports:
        seed, settings = self._options.seed, self._loaded.settings
        if self._options.door == "process":
            link = InProcessLink(self._opened.floor, junction, client_id=settings.broker.client_id)
            data = InProcessMarketData(self._opened.floor, junction)
            doors: Doors = (link, data, link)
        else:
            doors = wired(settings.broker, self._clock, junction)
        broker, market_data, connection = doors
        return Ports(
            clock=self._clock,
            ids=SeededIds(seed, "bot"),
            rng=SeededRng(seed, "bot"),
            broker=broker,
            market_data=market_data,
            connection=connection,
            command_link=self._link,
            journal=self._journal,
            latch=self._latch,
            junction=junction,
        )

    def _announcers(self) -> tuple[Announcer, ...]:
        return self._outputs.announcers(self._clock)

    async def _operate(self, sessions: tuple[Session, ...]) -> None:
        """Arm the bot; in a scenario with enough sessions also drill a kill."""
        operator = Operator(
            link=self._link,
            key=self._operator_key,
            clock=self._clock,
            ids=SeededIds(self._options.seed, "operator"),
            bot=self._loaded.settings.bot,
            account_hash=self._hash,
        )
        await operator.arm()
        if self._world.history is None and len(sessions) > DRILLED_SESSION:
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
                "why": "something held would expire or have to be rolled; settlement and rolls are not built yet",
            }
            bot.shell.tell("run_ended_early", facts)
        stop.set()
