"""The same adapter on a real event loop and real sockets of this machine: what virtual time cannot show."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from ibkr_harness import ACCOUNT, CALENDAR, FIRST_DAY, a_vxm, an_intent, approved, bought

from adapters.clock import SystemClock
from adapters.ibkr.gateway import IbkrGateway
from adapters.ibkr.settings import BrokerSettings
from bot.domain.events import Event, FillReported, LinkLost, OrderReported
from bot.domain.orders import BrokerStatus
from simulator.gateway import FloorTime, Gateway
from simulator.opening import open_floor
from simulator.settings import SimulatorSettings
from simulator.tws.desk import Told


@asynccontextmanager
async def served() -> AsyncIterator[Gateway]:
    """A gateway a minute after the first session's open, until the block ends."""
    opens_at = CALENDAR.next_session(FIRST_DAY - timedelta(days=1)).opens_at
    time = FloorTime(asyncio.get_running_loop().time, opens_at + timedelta(minutes=1))
    settings = SimulatorSettings(start=FIRST_DAY, account=ACCOUNT)
    server = Gateway(open_floor(settings, CALENDAR, clock=time.now).floor, port=0, time=time)
    await server.start()
    running = asyncio.create_task(server.run())
    try:
        yield server
    finally:
        running.cancel()
        await server.stop()


async def test_an_order_fills_over_a_real_socket_and_a_reconnect_finds_it_in_the_books() -> None:
    """Connect, buy one mini future, lose the link on purpose, connect again at once, and compare."""
    events: list[Event] = []
    filled = asyncio.Event()

    def sink(event: Event) -> None:
        events.append(event)
        if isinstance(event, FillReported):
            filled.set()

    clock = SystemClock()
    async with served() as server:
        broker = IbkrGateway(settings=BrokerSettings(account=ACCOUNT, port=server.port), clock=clock, sink=sink)
        try:
            await broker.connect()
            assert a_vxm() in await broker.futures("VIX", FIRST_DAY, FIRST_DAY + timedelta(days=40))
            broker.submit(approved(an_intent((bought(a_vxm()),), "24"), clock.now()))
            await asyncio.wait_for(filled.wait(), 10)
            broker.disconnect()
            await broker.connect()
            books = await broker.books()
            assert [fill.order_ref for fill in books.fills] == ["intent-1"]
            assert sum(isinstance(event, LinkLost) for event in events) == 1
        finally:
            broker.disconnect()


async def test_a_global_cancel_ends_the_orders_of_other_clients_too() -> None:
    """Somebody else's resting order is dead after the one frame, and the gateway's ledger holds it once."""
    clock, ended = SystemClock(), asyncio.Event()

    def hear(event: Event) -> None:
        if isinstance(event, OrderReported) and event.report.status is BrokerStatus.CANCELLED:
            ended.set()

    async with served() as server:
        other, mine = (
            IbkrGateway(
                settings=BrokerSettings(account=ACCOUNT, port=server.port, client_id=client_id), clock=clock, sink=sink
            )
            for client_id, sink in ((21, hear), (17, lambda _event: None))
        )
        try:
            await other.connect()
            await mine.connect()
            assert a_vxm() in await other.futures("VIX", FIRST_DAY, FIRST_DAY + timedelta(days=40))
            other.submit(approved(an_intent((bought(a_vxm()),), "10"), clock.now()))
            assert len((await mine.books()).open_orders) == 1
            mine.cancel_everything()
            await asyncio.wait_for(ended.wait(), 10)
            assert [row.told for row in server.ledger()].count(Told.GLOBAL_CANCEL) == 1
        finally:
            other.disconnect()
            mine.disconnect()
