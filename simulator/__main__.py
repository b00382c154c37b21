"""Serves a built-in scenario to any client of the broker's wire: ``python -m simulator --help``.

The only wall clock of the simulator is read here, once, to place a run in time; from then on the floor follows the
loop's own clock.
"""

import argparse
import asyncio
import contextlib
import logging
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Final

from bot.domain.errors import AlvhError
from bot.domain.schedule import SessionCalendar
from simulator.gateway import DEFAULT_PORT, FloorTime, Gateway
from simulator.opening import open_floor
from simulator.settings import SimulatorSettings
from simulator.world.scenarios import SCENARIOS

EXIT_DONE: Final = 0
EXIT_BAD_USAGE: Final = 2
_LEAD: Final = timedelta(minutes=1)
"""The floor stands this long before its first open when the gateway begins to listen, in the floor's time."""

_log = logging.getLogger(__name__)


def main(arguments: Sequence[str], now: Callable[[], datetime]) -> int:
    """Serve until the sessions are played out with ``--end``, else until interrupted; returns the exit code.

    Args:
        arguments: The command line without the program's name.
        now: The wall clock, aware; gives the default day of the run.
    """
    options = _parser(now().date()).parse_args(arguments)
    try:
        settings = SimulatorSettings(
            scenario=options.scenario,
            start=options.start,
            sessions=options.sessions,
            seed=options.seed,
            account=options.account,
        )
    except AlvhError as error:
        _log.error("%s", error)
        return EXIT_BAD_USAGE
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(settings, options.host, options.port, speed=options.speed, ends=options.end))
    return EXIT_DONE


async def serve(settings: SimulatorSettings, host: str, port: int, *, speed: float, ends: bool) -> None:
    """Run a gateway: the floor begins shortly before its first open, whatever the hour of the day is outside."""
    calendar = SessionCalendar()
    first = calendar.session(settings.start) or calendar.next_session(settings.start)
    time = FloorTime(asyncio.get_running_loop().time, first.opens_at - _LEAD, speed)
    opened = open_floor(settings, calendar, clock=time.now)
    gateway = Gateway(opened.floor, host, port, time=time)
    await gateway.start()
    _log.info("listening on %s:%d, scenario %s, %s", host, gateway.port, settings.scenario, time)
    try:
        await gateway.run(until=opened.source.sessions[-1].closes_at if ends else None)
    finally:
        await gateway.stop()


def _parser(today: date) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m simulator", description="A simulated broker gateway.")
    parser.add_argument("--host", default="127.0.0.1", help="where to listen; clients are not authenticated")
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="0 takes any free one")
    parser.add_argument("--scenario", default="blowout", choices=sorted(SCENARIOS))
    parser.add_argument("--start", type=date.fromisoformat, default=today, help="first day of the run, YYYY-MM-DD")
    parser.add_argument("--sessions", type=int, default=5)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--account", default="DU1234567")
    parser.add_argument("--speed", type=float, default=1.0, help="simulated seconds in a real second")
    parser.add_argument("--end", action="store_true", help="stop after the last session instead of standing closed")
    return parser


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    sys.exit(main(sys.argv[1:], lambda: datetime.now(UTC)))
