"""A kill from its bytes to the signed LATCHED ack, against the bare durable write that has to happen in between."""

import asyncio
import tempfile
from pathlib import Path

from adapters.clock import SystemClock, SystemIds, SystemRng
from adapters.control.envelope import Envelope, signed
from adapters.control.files import write_durably
from adapters.control.memory_link import MemoryLink
from bot.compose.assembly import Junction, Ports, Start, assemble
from bot.compose.standing import open_standing
from bot.domain.command import AckStage, CommandName, Role
from bot.domain.schedule import SessionCalendar
from config.loader import load
from config.settings import Profile
from simulator.broker import InProcessLink, InProcessMarketData
from simulator.opening import open_floor
from simulator.settings import SimulatorSettings
from tests.benchmarks.measure import Figure, now_ns, percentile

ROUNDS = 200
PAUSE_S = 0.05  # a kill is a rare thing: the echoes of the one before are over


def kill_figure() -> Figure:
    """Measure kills one after another on a running desk."""
    with tempfile.TemporaryDirectory() as folder:
        floors = [_bare_write(Path(folder)) for _ in range(ROUNDS)]
        latencies = asyncio.run(_kills(Path(folder)))
    p99, bare = percentile(latencies, 0.99), percentile(floors, 0.99)
    return Figure(
        name=f"kill received -> latch on disk -> signed ack, p99 of {ROUNDS}",
        measured=f"{p99 * 1e3:.1f} ms (p50 {percentile(latencies, 0.5) * 1e3:.1f} ms)",
        floor=f"{bare * 1e3:.1f} ms, one durable file write",
        ratio=p99 / bare,
        aim="p99 <= 100 ms",
    )


def _bare_write(folder: Path) -> float:
    began = now_ns()
    write_durably(folder / "floor", "x" * 120)
    return (now_ns() - began) / 1e9


async def _kills(folder: Path) -> list[float]:
    clock, ids = SystemClock(), SystemIds()
    loaded = load(Profile.SIM, None, {})
    standing = open_standing(folder, loaded.settings, clock, clock.now())
    key = standing.ring.add("operator", (Role.KILL,))
    link = MemoryLink(verifier=standing.verifier, bot_key=standing.bot_key, clock=clock)
    floor, junction = open_floor(SimulatorSettings(), SessionCalendar()).floor, Junction()
    broker = InProcessLink(floor, junction)
    ports = Ports(
        clock=clock,
        ids=ids,
        rng=SystemRng(),
        broker=broker,
        market_data=InProcessMarketData(floor, junction),
        connection=broker,
        command_link=link,
        journal=standing.journal,
        latch=standing.latch,
        junction=junction,
    )
    bot = assemble(loaded, ports, Start(calendar=SessionCalendar(), adopted=False))
    link.listen(bot.desk.receive)
    pump = asyncio.ensure_future(bot.shell.pump.run())
    await broker.connect()
    latencies = []
    for _ in range(ROUNDS):
        envelope = Envelope(
            bot=loaded.settings.bot,
            account_hash=standing.account_hash,
            cmd=CommandName.KILL.value,
            id=ids.new_id(),
            key_id="operator",
            reason="benchmark",
        )
        payload = signed(envelope.fields(), key)
        began = now_ns()
        link.deliver(CommandName.KILL.value, payload)
        while not _is_latched(link, envelope.id):
            await asyncio.sleep(0)
        latencies.append((now_ns() - began) / 1e9)
        await asyncio.sleep(PAUSE_S)
    pump.cancel()
    await asyncio.gather(pump, return_exceptions=True)
    standing.journal.close()
    return latencies


def _is_latched(link: MemoryLink, command_id: str) -> bool:
    return any(ack.command_id == command_id and ack.stage is AckStage.LATCHED for ack in link.acks)
