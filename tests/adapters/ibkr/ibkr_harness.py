"""The adapter against the project's own gateway in virtual time: the real client library on an in-memory transport."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

from adapters.ibkr.gateway import IbkrGateway
from adapters.ibkr.settings import BrokerSettings
from bot.domain.decision import Approved, Checked, Rule
from bot.domain.events import Event, OrderReported
from bot.domain.instrument import Instrument, Kind, Right, Side
from bot.domain.orders import (
    BrokerOrder,
    BrokerStatus,
    DecisionId,
    IntentId,
    Leg,
    Order,
    OrderIntent,
    Prepared,
    Purpose,
)
from bot.domain.schedule import SessionCalendar
from simulator.clock import VirtualClock
from simulator.gateway import Gateway
from simulator.opening import open_floor
from simulator.settings import SimulatorSettings
from simulator.virtual_time import VirtualLoop, run_virtual

T = TypeVar("T")

ACCOUNT = "DU1234567"
CLIENT = 17
GATEWAY_PORT = 4002
WIRE_PORT = 4003
CALENDAR = SessionCalendar()
FIRST_DAY = date(2026, 10, 20)
NOVEMBER = date(2026, 11, 18)


Fields = list[str]


class Wire:
    """Stands between adapter and gateway: keeps the client's frames, drops, changes or adds the gateway's."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Pass everything on."""
        self.loop = loop
        self._server: asyncio.AbstractServer | None = None
        self.near: asyncio.Transport | None = None
        self.sent: list[tuple[float, Fields]] = []
        self.alter: Callable[[Fields], list[Fields]] = lambda fields: [fields]

    async def start(self) -> None:
        """Listen."""
        self._server = await self.loop.create_server(lambda: _Near(self), "127.0.0.1", WIRE_PORT)

    def say(self, *fields: object) -> None:
        """Add one message of the gateway."""
        assert self.near is not None
        self.near.write(_framed([str(field) for field in fields]))

    def frames(self, message_id: int) -> list[Fields]:
        """The client's frames of one kind so far."""
        return [fields for _, fields in self.sent if fields[0] == str(message_id)]

    def stop(self) -> None:
        """Close."""
        if self._server is not None:
            self._server.close()


class _Near(asyncio.Protocol):
    """The client's side; what arrives before the gateway is reached waits."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.far: asyncio.Transport | None = None
        self._waiting = b""
        self._unread = b""
        self._greeted = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.wire.near = self.near = transport
        self._opening = self.wire.loop.create_task(self._open())

    def data_received(self, data: bytes) -> None:
        self._keep(data)
        if self.far is None:
            self._waiting += data
        else:
            self.far.write(data)

    def connection_lost(self, _exc: Exception | None) -> None:
        if self.far is not None:
            self.far.close()

    async def _open(self) -> None:
        transport, _ = await self.wire.loop.create_connection(lambda: _Far(self), "127.0.0.1", GATEWAY_PORT)
        self.far = transport
        transport.write(self._waiting)

    def _keep(self, data: bytes) -> None:
        self._unread += data
        if not self._greeted:
            self._greeted = True
            frames, self._unread = _frames(self._unread[4:])  # the greeting itself carries no length
            return
        frames, self._unread = _frames(self._unread)
        self.wire.sent += [(self.wire.loop.time(), fields) for fields in frames]


class _Far(asyncio.Protocol):
    """The gateway's side."""

    def __init__(self, near: _Near) -> None:
        self._near = near
        self._unread = b""

    def data_received(self, data: bytes) -> None:
        frames, self._unread = _frames(self._unread + data)
        said = b"".join(_framed(each) for fields in frames for each in self._near.wire.alter(fields))
        if said:
            self._near.near.write(said)

    def connection_lost(self, _exc: Exception | None) -> None:
        self._near.near.close()


def _frames(data: bytes) -> tuple[list[Fields], bytes]:
    """Return the complete frames in some bytes, and what is left."""
    frames = []
    while len(data) >= 4 and len(data) >= (end := 4 + int.from_bytes(data[:4], "big")):
        frames.append(data[4:end].decode().split("\0")[:-1])
        data = data[end:]
    return frames, data


def _framed(fields: Fields) -> bytes:
    frame = "".join(f"{field}\0" for field in fields).encode()
    return len(frame).to_bytes(4, "big") + frame


class Bench:
    """One gateway, a wire that can be tampered with, and one adapter."""

    def __init__(self, **settings: Any) -> None:
        """Open the floor of five sessions shortly before its first open; nothing listens yet."""
        self.loop = asyncio.get_running_loop()
        assert isinstance(self.loop, VirtualLoop)
        self.clock = VirtualClock(self.loop)
        opened = open_floor(SimulatorSettings(start=FIRST_DAY, account=ACCOUNT), CALENDAR, clock=self.clock.now)
        self.floor = opened.floor
        self.server = Gateway(self.floor, port=GATEWAY_PORT)
        self.wire = Wire(self.loop)
        self.events: list[Event] = []
        self.settings = BrokerSettings(**{"account": ACCOUNT, "client_id": CLIENT, "port": WIRE_PORT} | settings)
        self.broker = self.adapter()
        self._running: asyncio.Task[None] | None = None

    def adapter(self, **changed: Any) -> IbkrGateway:
        """A fresh adapter, as after a restart of the bot; its events come to the same list."""
        fields = {name: getattr(self.settings, name) for name in BrokerSettings.__dataclass_fields__} | changed
        return IbkrGateway(settings=BrokerSettings(**fields), clock=self.clock, sink=self.events.append)

    async def start(self) -> None:
        """Listen, move time along, connect."""
        await self.listen()
        await self.broker.connect()

    async def listen(self) -> None:
        """Listen and move time along."""
        await self.server.start()
        await self.wire.start()
        self._running = asyncio.create_task(self.server.run())

    async def stop(self) -> None:
        """Close both ends."""
        self.broker.disconnect()
        if self._running is not None:
            self._running.cancel()
        self.wire.stop()
        await self.server.stop()

    def of(self, kind: type[T]) -> list[T]:
        """The events of one kind so far."""
        return [event for event in self.events if isinstance(event, kind)]

    async def until(self, holds: Callable[[], object], within_s: float = 120.0) -> None:
        """Let virtual time pass until something holds."""
        deadline = self.loop.time() + within_s
        while not holds():
            assert self.loop.time() < deadline, f"not within {within_s} s; the last events: {self.events[-8:]}"
            await asyncio.sleep(0.25)

    def reports(self, order_ref: str = "intent-1") -> list[BrokerOrder]:
        """What the bot was told of one order so far."""
        return [event.report for event in self.of(OrderReported) if event.report.order_ref == order_ref]

    def statuses(self, order_ref: str = "intent-1") -> list[BrokerStatus]:
        """The statuses that the bot was told of one order so far."""
        return [report.status for report in self.reports(order_ref)]

    def complain(self, req_id: int, code: int, text: str = "a text") -> None:
        """Let the gateway send an error."""
        self.wire.say(4, 2, req_id, code, text, "")

    async def send(self, intent: OrderIntent) -> int:
        """Submit an intent once its contracts are known; return the order id on the wire."""
        await self.broker.snapshot([leg.instrument for leg in intent.legs])
        self.broker.submit(approved(intent, self.clock.now()))
        await asyncio.sleep(0.1)
        return int(self.wire.frames(3)[-1][1])

    async def market_open(self) -> None:
        """Let virtual time pass until the session is open and quotes stand."""
        session = CALENDAR.session(FIRST_DAY)
        assert session is not None
        wait = (session.opens_at + timedelta(minutes=1) - self.clock.now()).total_seconds()
        await asyncio.sleep(max(0.0, wait))


def on_bench(play: Callable[[Bench], Awaitable[T]], **settings: Any) -> T:
    """Run one story with a connected bench and close it."""

    async def run() -> T:
        bench = Bench(**settings)
        await bench.start()
        try:
            return await play(bench)
        finally:
            await bench.stop()

    return in_virtual_time(run)


def in_virtual_time(run: Callable[[], Any]) -> Any:
    """Run a coroutine function from one minute before the first open on."""
    return run_virtual(run(), start=datetime(2026, 10, 20, 13, 29, tzinfo=UTC))


def an_intent(legs: tuple[Leg, ...], limit: str, *, quantity: int = 1, intent_id: str = "intent-1") -> OrderIntent:
    """An intent with these legs and limit."""
    return OrderIntent(
        intent_id=IntentId(intent_id),
        decision_id=DecisionId("decision-1"),
        legs=legs,
        quantity=quantity,
        limit=Decimal(limit),
        worst_cost_usd=Decimal(1000),
        purpose=Purpose.OVERLAY_BUILD,
        reason="a test",
    )


def approved(intent: OrderIntent, now: datetime) -> Approved:
    """Leave to send it; the gate's own tests show who may give it."""
    check = Checked.holds(rule=Rule.WELL_FORMED, passed=True, found="legs", limit="legs")
    return Approved(
        intent=intent,
        checks=(check,),
        book_version=1,
        kill_epoch=0,
        given_at=now,
        valid_until=now + timedelta(seconds=10),
    )


def an_order(intent: OrderIntent, now: datetime, *, broker_order_id: int = 0) -> Order:
    """The bot's own order of an intent."""
    return Order(intent=intent, state=Prepared(), prepared_at=now, broker_order_id=broker_order_id)


def a_vxm(settlement: date = NOVEMBER) -> Instrument:
    """The mini future of one month."""
    return Instrument(
        kind=Kind.FUTURE,
        symbol="VIX",
        trading_class="VXM",
        exchange="CFE",
        multiplier=100,
        settlement=settlement,
        last_trade=settlement,
    )


def a_call(strike: str, settlement: date = NOVEMBER) -> Instrument:
    """A monthly VIX call."""
    return Instrument(
        kind=Kind.OPTION,
        symbol="VIX",
        trading_class="VIX",
        exchange="CBOE",
        multiplier=100,
        settlement=settlement,
        last_trade=CALENDAR.previous_session(settlement).day,
        strike=Decimal(strike),
        right=Right.CALL,
    )


def bought(instrument: Instrument) -> Leg:
    """One leg, bought."""
    return Leg(instrument=instrument, side=Side.BUY)


def sold(instrument: Instrument) -> Leg:
    """One leg, sold."""
    return Leg(instrument=instrument, side=Side.SELL)
