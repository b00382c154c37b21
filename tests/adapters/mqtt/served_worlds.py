"""A simulated gateway in this process, in the middle of a session of a rehearsed world, for bots in other processes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from bot.compose.worlds import WorldOptions, world_of
from simulator.gateway import FloorTime, Gateway

SPEED = 10
"""Seconds of the world's clock for each real one."""


@asynccontextmanager
async def served(scenario: str, hours_in: float) -> AsyncIterator[Gateway]:
    """Serve a world from so many hours into its second session on, until the block ends."""
    options = WorldOptions(
        scenario=scenario, history=None, start=None, end=None, sessions=5, seed=7, tick_s=15, account="DU1234567"
    )
    world = world_of(options)
    begins = world.sessions()[1].opens_at + timedelta(hours=hours_in)
    time = FloorTime(asyncio.get_running_loop().time, begins, SPEED)
    gateway = Gateway(world.open(time).floor, "127.0.0.1", 0, time=time)
    gateway.advance(begins)
    await gateway.start()
    serving = asyncio.ensure_future(gateway.run())
    try:
        yield gateway
    finally:
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
        await gateway.stop()
