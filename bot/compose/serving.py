"""``alvh gateway``: the simulated gateway on a real port, in real time times a speed."""

import asyncio
import contextlib
import errno
import logging
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from rich.console import Console

from bot.compose.worlds import WorldOptions, world_of
from bot.domain.errors import RefusedStartError
from simulator.gateway import FloorTime, Gateway

LEAD = timedelta(minutes=1)
"""The gateway's clock begins this long before the first open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayOptions:
    """The options of ``alvh gateway``."""

    host: str = "127.0.0.1"
    port: int = 4002
    scenario: str = "blowout"
    history: Path | None = None
    start: date | None = None
    end: date | None = None
    sessions: int = 5
    seed: int = 7
    speed: float = 1.0
    tick_s: int = 15
    account: str = "DU1234567"

    @property
    def world(self) -> WorldOptions:
        """The part that chooses the world."""
        return WorldOptions(
            scenario=self.scenario,
            history=self.history,
            start=self.start,
            end=self.end,
            sessions=self.sessions,
            seed=self.seed,
            tick_s=self.tick_s,
            account=self.account,
        )


def serve_gateway(options: GatewayOptions, console: Console) -> None:
    """Serve until interrupted.

    Raises:
        ConfigError: No such world.
        RefusedStartError: The port is taken.
    """
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(options, console))


async def _serve(options: GatewayOptions, console: Console) -> None:
    gateway = await started_gateway(options)
    console.print(
        f"gateway listening on {options.host}:{gateway.port}, account {options.account}, "
        f"speed {options.speed:g}; clients are not authenticated",
        highlight=False,
    )
    try:
        await gateway.run()
    finally:
        await gateway.stop()


async def started_gateway(options: GatewayOptions) -> Gateway:
    """Return a gateway that listens; its time begins shortly before the first open.

    Raises:
        RefusedStartError: The port is taken.
    """
    world = world_of(options.world)
    begins = world.sessions()[0].opens_at - LEAD
    time = FloorTime(asyncio.get_running_loop().time, begins, options.speed)
    gateway = Gateway(world.open(time).floor, options.host, options.port, time=time)
    try:
        await gateway.start()
    except OSError as error:
        reason = "already in use" if error.errno == errno.EADDRINUSE else str(error.strerror)
        raise RefusedStartError(
            f"{options.host}:{options.port}: {reason}; stop the other program or name another port with --port"
        ) from error
    return gateway
