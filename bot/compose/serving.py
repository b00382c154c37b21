"""``alvh gateway``: the simulated gateway on a real port, in real time times a speed, with its control socket."""

import asyncio
import contextlib
import errno
import gc
import logging
import signal
import tomllib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from rich.console import Console

from bot.compose.recording import recorded_floor
from bot.compose.state_folder import default_folder
from bot.compose.worlds import World, WorldOptions, world_of
from bot.domain.errors import ConfigError, InvalidValueError, RefusedStartError
from config.loader import load_section
from simulator.control import Control, ControlSocket, Place, UnixPlace, place_of
from simulator.fees import FeeTables
from simulator.gateway import FloorTime, Gateway
from simulator.narration import line_of
from simulator.ports import Heard
from simulator.troubles.script import Script, read_script
from simulator.tws.desk import DoorRules
from simulator.venue_models import VenueModels, gateway_models
from simulator.world.market import NIGHT_STEP_S

LEAD = timedelta(minutes=1)
"""Without an hour the gateway's clock begins this long before the first open."""
TEN = time(10)
NEW_YORK = ZoneInfo("America/New_York")
CONTROL_FILE = "control"
COLLECTED_EVERY = (10_000, 20, 20)
"""New objects before the youngest are looked at, and passes of an age before the next one; usually 700, 10 and 10."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayOptions:
    """The options of ``alvh gateway``; ``hour`` is New York time on the first day, None just before its open."""

    host: str = "127.0.0.1"
    port: int = 4002
    scenario: str = "blowout"
    history: Path | None = None
    play: Path | None = None
    record: Path | None = None
    start: date | None = None
    end: date | None = None
    sessions: int = 5
    seed: int = 7
    speed: float = 1.0
    tick_s: int = 15
    account: str = "DU1234567"
    book: str | None = None
    hour: time | None = None
    faults: Path | None = None
    fees: Path | None = None
    control: str | None = None
    master: int | None = None  # the client id that hears of everybody's orders
    venue: VenueModels = field(default_factory=VenueModels)
    night_step_s: int | None = None  # seconds between two steps of a night; None: no nights are played

    @property
    def world(self) -> WorldOptions:
        """The part that chooses the world."""
        return WorldOptions(
            scenario=self.scenario,
            history=self.history,
            play=self.play,
            start=self.start,
            end=self.end,
            sessions=self.sessions,
            seed=self.seed,
            tick_s=self.tick_s,
            account=self.account,
            book=self.book,
            venue=self.venue,
        )


def for_any_program(options: GatewayOptions) -> GatewayOptions:
    """Return options with a clock that begins at ten, nights, and the fills and fees of a gateway for any program.

    Raises:
        ConfigError: The file of fees cannot be read, or says what is not known.
    """
    tables = FeeTables() if options.fees is None else load_section(options.fees, FeeTables)
    return replace(options, hour=TEN, night_step_s=NIGHT_STEP_S, venue=gateway_models(options.seed, tables))


def serve_gateway(options: GatewayOptions, console: Console) -> None:
    """Serve until interrupted.

    Raises:
        ConfigError: No such world, book or script; a control socket that would leave this machine.
        RefusedStartError: A port or the control socket is taken.
    """
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    script = None if options.faults is None else script_of(options.faults)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(options, script, console))


def script_of(path: Path) -> Script:
    """Return the script of troubles in a file.

    Raises:
        ConfigError: It cannot be read, or says what is not known.
    """
    try:
        return read_script(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}; name another file with --faults") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, InvalidValueError) as error:
        raise ConfigError(f"{path}: {error}") from error


async def _serve(options: GatewayOptions, script: Script | None, console: Console) -> None:
    async with started_gateway(options) as gateway, _controlled(gateway, options) as place:
        spare_collections()
        gateway.listen(lambda event: _narrate(gateway, event))
        if script is not None:
            gateway.play(script)
        console.print(
            f"gateway listening on {options.host}:{gateway.port}, account {options.account}, "
            f"{gateway.now().astimezone(NEW_YORK):%Y-%m-%d %H:%M} in New York at speed {options.speed:g}; "
            f"control at {place}; clients are not authenticated",
            highlight=False,
            soft_wrap=True,
        )
        await _until_stopped(gateway)


def spare_collections() -> None:
    """Leave what is loaded by now out of every later pass of the collector, and make the passes rarer.

    A whole pass over the listed contracts takes 20 to 50 ms, which every client would see as lag.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECTED_EVERY)


def _narrate(gateway: Gateway, event: Heard) -> None:
    """Log what happens to orders, with the gateway's own time in New York."""
    line = line_of(event)
    if line is not None:
        _log.info("%s %s", f"{gateway.now().astimezone(NEW_YORK):%Y-%m-%d %H:%M:%S}", line)


async def _until_stopped(gateway: Gateway) -> None:
    """Run until SIGTERM or SIGINT, both of which end it in order."""
    running = asyncio.ensure_future(gateway.run())
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, running.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await running


@asynccontextmanager
async def _controlled(gateway: Gateway, options: GatewayOptions) -> AsyncIterator[Place]:
    """Listen for commands while the gateway runs."""
    place = control_place(options.control, gateway.port)
    socket = ControlSocket(Control(gateway), place)
    try:
        await socket.start()
    except OSError as error:
        reason = _reason(error)
        raise RefusedStartError(f"control socket {place}: {reason}; name another place with --control") from error
    try:
        yield place
    finally:
        await socket.stop()


def control_place(stated: str | None, port: int) -> Place:
    """Return where a gateway's control socket is: as stated, else in the user's state folder by the gateway's port.

    Raises:
        ConfigError: A host that is not this machine.
    """
    if stated is None:
        return UnixPlace(path=default_folder("gateway", str(port)) / CONTROL_FILE)
    try:
        return place_of(stated)
    except InvalidValueError as error:
        raise ConfigError(f"--control {error}") from error


@asynccontextmanager
async def started_gateway(options: GatewayOptions) -> AsyncIterator[Gateway]:
    """Serve a gateway that has played everything up to its first moment, and stop it at the end.

    Raises:
        ConfigError: The world has no session, or a recording cannot be written where it should be or played.
        RefusedStartError: The port is taken, or recordings are not possible here.
    """
    world = _with_nights(world_of(options.world), options.night_step_s)
    begins = first_moment(world, options.start, options.hour)
    time = FloorTime(asyncio.get_running_loop().time, begins, options.speed)
    opened = world.open(time)
    with recorded_floor(options.record, opened, world.recording, begins) as shown:
        rules = DoorRules(master_id=options.master)
        gateway = Gateway(opened.floor, options.host, options.port, time=time, shown=shown, rules=rules)
        gateway.advance(begins)
        try:
            await gateway.start()
        except OSError as error:
            raise RefusedStartError(
                f"{options.host}:{options.port}: {_reason(error)}; stop the other program or name another port "
                "with --port"
            ) from error
        try:
            yield gateway
        finally:
            await gateway.stop()


def _with_nights(world: World, night_step_s: int | None) -> World:
    model = replace(world.settings.model, night_step_s=night_step_s)
    return replace(world, settings=replace(world.settings, model=model))


def first_moment(world: World, start: date | None, hour: time | None) -> datetime:
    """Return when a gateway's clock begins, aware.

    Without a recording it is ``hour`` (New York) of the first session, or just before its open. A recording begins
    where its recorder did, or at ``hour`` of ``start`` where that is stated.

    Raises:
        ConfigError: The recording has no session on that day.
    """
    sessions = world.sessions()
    first = sessions[0]
    if world.recording is None:
        return first.opens_at - LEAD if hour is None else datetime.combine(first.day, hour, NEW_YORK)
    if start is None or hour is None:
        return max(world.recording.head.began_at, first.opens_at - LEAD)
    if start not in {session.day for session in sessions}:
        raise ConfigError(f"--start {start}: the recording holds {first.day} to {sessions[-1].day}; choose a day of it")
    return datetime.combine(start, hour, NEW_YORK)


def _reason(error: OSError) -> str:
    return "already in use" if error.errno == errno.EADDRINUSE else str(error.strerror or error)
