"""The gateway's wire: the ticks that one core writes to one client, and the way of a step to fifty clients."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import islice, pairwise

from bot.compose.serving import spare_collections
from bot.domain.instrument import Instrument, Right
from bot.domain.schedule import SessionCalendar
from simulator.gateway import FloorTime, Gateway
from simulator.listing import ContractQuery
from simulator.opening import OpenedFloor, open_floor
from simulator.settings import SimulatorSettings
from simulator.tws.desk import Desk
from simulator.tws.framing import frame
from simulator.tws.layout import encode
from simulator.tws.requests.login import StartApi
from simulator.tws.requests.prices import ReqMarketData
from simulator.tws.server import Server
from simulator.tws.ticks import Subscription
from simulator.venue import VenueQuote
from tests.benchmarks.measure import Figure, now_ns, percentile
from tests.benchmarks.wire_readers import Flood, Readers, Receipts, read_flood, read_steps

VERSION = 176
TICKERS = 20
ROUNDS = 5_000  # quotes of each ticker in a flood; each is two tick messages
RUNS = 3  # of each flood, of which the best counts: the machine is shared
TICK_IDS = (b"1", b"2")
CLIENTS = 50
STEPS = 65  # seconds: more than the minute in which each option's greeks are told once
SETTLING_S = 5.0
BARE_STEPS_S = 0.2
LAG_AIM_MS = 50
RATE_AIM = 100_000
CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """Tick messages for a second of the writer's processor time, the kernel's part included, and for a second."""

    per_core_s: float
    per_s: float


def gateway_wire_figures() -> list[Figure]:
    """Measure floods and steps, each beside a bare asyncio writer of the same bytes."""
    return [_flood_figure(), *(_lag_figure(distinct) for distinct in (TICKERS, 200, CLIENTS * TICKERS))]


# A flood


def _flood_figure() -> Figure:
    ours = max((asyncio.run(_gateway_flood()) for _ in range(RUNS)), key=lambda rate: rate.per_core_s)
    bare = max((asyncio.run(_bare_flood()) for _ in range(RUNS)), key=lambda rate: rate.per_core_s)
    return Figure(
        name=f"ticks encoded and sent to one client, {2 * TICKERS} in a step, best of {RUNS}",
        measured=f"{ours.per_core_s / 1e3:.0f} k/s of one core ({ours.per_s / 1e3:.0f} k/s by the clock)",
        floor=f"{bare.per_core_s / 1e3:.0f} k/s, asyncio with ready-made bytes",
        ratio=bare.per_core_s / ours.per_core_s,
        aim=f">= {RATE_AIM // 1000} k/s",
    )


async def _gateway_flood() -> Rate:
    """Publish quotes of which both sides moved, through desk, session and server, to a client in another process."""
    opened, _ = _opened_at_noon(None)
    server = Server(Desk(opened.floor))
    port = await server.start("127.0.0.1", 0)
    tickers = tuple(islice(_quoted_options(opened), TICKERS))
    reader = Readers(read_flood, port, _opening(opened, 1, tickers))
    await reader.ready()
    while len(opened.floor.watched) < TICKERS:
        await asyncio.sleep(0.01)
    rounds = _two_rounds(opened, tickers)
    cpu_began, began = time.process_time_ns(), now_ns()
    for number in range(ROUNDS):
        opened.floor._tell(rounds[number % 2])
        await asyncio.sleep(0)
    rate = _rate(await reader.result(), began, cpu_began)
    await server.stop()
    return rate


async def _bare_flood() -> Rate:
    """Write the same bytes in the same pieces without making them."""
    opened, _ = _opened_at_noon(None)
    tickers = tuple(islice(_quoted_options(opened), TICKERS))
    pieces = _pieces(_two_rounds(opened, tickers))
    bare = await BareWriter.listening()
    reader = Readers(read_flood, bare.port, b"hello")
    await reader.ready()
    await bare.joined(1)
    [transport] = bare.transports
    cpu_began, began = time.process_time_ns(), now_ns()
    for number in range(ROUNDS):
        transport.write(b"".join(pieces[number % 2]))
        await asyncio.sleep(0)
    rate = _rate(await reader.result(), began, cpu_began)
    await bare.close()
    return rate


def _rate(flood: Flood, began: int, cpu_began: int) -> Rate:
    count = 2 * TICKERS * ROUNDS
    arrived = sum(flood.frames.get(number, 0) for number in TICK_IDS)
    if arrived < count:
        raise RuntimeError(f"{arrived} of {count} tick messages arrived")
    cpu_s = (time.process_time_ns() - cpu_began) / 1e9
    return Rate(per_core_s=count / cpu_s, per_s=count / ((flood.last_at - began) / 1e9))


# Steps


def _lag_figure(distinct: int) -> Figure:
    """Measure a market of so many contracts, of which each client follows twenty."""
    lags, busy = asyncio.run(_gateway_steps(distinct))
    bare = asyncio.run(_bare_steps())
    p99, floor = percentile(lags, 0.99), percentile(bare, 0.99)
    rest = f"p50 {percentile(lags, 0.5):.0f}, max {max(lags):.0f}; {percentile(busy, 0.99):.0f} ms of processor time"
    return Figure(
        name=f"a step's way to the last of {CLIENTS} clients, {TICKERS} of {distinct} tickers each, p99 of {len(lags)}",
        measured=f"{p99:.0f} ms ({rest})",
        floor=f"{floor:.0f} ms, asyncio with ready-made bytes",
        ratio=p99 / floor,
        aim=f"<= {LAG_AIM_MS} ms",
    )


async def _gateway_steps(distinct: int) -> tuple[list[float], list[float]]:
    """Return, in ms, each step's lag from its due moment to the last client's bytes, and its processor time."""
    opened, clock = _opened_at_noon(asyncio.get_running_loop().time)
    gateway = Gateway(opened.floor, port=0, time=clock)
    await gateway.start()
    tickers = tuple(islice(_quoted_options(opened), distinct))
    spare_collections()  # as `alvh gateway` does
    openings = [
        _opening(opened, number + 1, [tickers[(number * TICKERS + each) % distinct] for each in range(TICKERS)])
        for number in range(CLIENTS)
    ]
    readers = Readers(read_steps, gateway.port, openings)
    await readers.ready()
    running = asyncio.create_task(gateway.run())
    await asyncio.sleep(SETTLING_S)
    watch = StopWatch(gateway, opened, clock)
    await asyncio.sleep(STEPS)
    watch.stop()
    receipts = await readers.result()
    running.cancel()
    await gateway.stop()
    return _lags(watch.due_at, receipts), watch.busy_ms


async def _bare_steps() -> list[float]:
    """Return, in ms, how long as many ready-made pieces take to as many clients."""
    opened, _ = _opened_at_noon(None)
    [pieces, _] = _pieces(_two_rounds(opened, tuple(islice(_quoted_options(opened), TICKERS))))
    bare = await BareWriter.listening()
    readers = Readers(read_steps, bare.port, [b"hello"] * CLIENTS)
    await readers.ready()
    await bare.joined(CLIENTS)
    began = []
    for _ in range(STEPS):
        began.append(now_ns())
        for transport in bare.transports:
            transport.write(b"".join(pieces))
        await asyncio.sleep(BARE_STEPS_S)
    receipts = await readers.result()
    await bare.close()
    return _lags(began, receipts)


def _lags(began: Sequence[int], receipts: Receipts) -> list[float]:
    """Return for each step but the last the ms until the last bytes came before the next one."""
    found = []
    for begin, end in pairwise(began):
        within = [at for at, _ in receipts if begin <= at < end]
        if within:
            found.append((max(within) - begin) / 1e6)
    return found


class StopWatch:
    """Notes when steps were due, and the processor time of pricing, telling and writing each of them."""

    def __init__(self, gateway: Gateway, opened: OpenedFloor, clock: FloorTime) -> None:
        self.due_at: list[int] = []
        self.busy_ms: list[float] = []
        self._gateway, self._floor, self._clock = gateway, opened.floor, clock
        self._advance = gateway.advance
        gateway.advance = self._timed  # type: ignore[method-assign]  # a stop watch at the gateway's door

    def stop(self) -> None:
        """Leave the door."""
        self._gateway.advance = self._advance  # type: ignore[method-assign]  # as above

    def _timed(self, to: datetime) -> None:
        due = self._floor.next_step_at()
        if due is None or due > to:
            self._advance(to)
            return
        late_us = int((self._clock.now() - due) / timedelta(microseconds=1))
        self.due_at.append(now_ns() - late_us * 1000)
        began = time.process_time_ns()
        self._advance(to)
        self.busy_ms.append((time.process_time_ns() - began) / 1e6)


# What both use


class BareWriter(asyncio.Protocol):
    """The floor of the figures: connections and nothing behind them."""

    transports: list[asyncio.Transport]
    port: int
    _server: asyncio.Server

    @classmethod
    async def listening(cls) -> "BareWriter":
        """Return one that listens on a free port."""
        bare = cls()
        bare.transports = []
        bare._server = await asyncio.get_running_loop().create_server(lambda: bare, "127.0.0.1", 0)
        bare.port = bare._server.sockets[0].getsockname()[1]
        return bare

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Count a client in."""
        assert isinstance(transport, asyncio.Transport)
        self.transports.append(transport)

    async def joined(self, count: int) -> None:
        """Wait for so many clients."""
        while len(self.transports) < count:
            await asyncio.sleep(0.01)

    async def close(self) -> None:
        """Close everything."""
        for transport in self.transports:
            transport.close()
        self._server.close()
        await self._server.wait_closed()


def _opened_at_noon(loop_time: object) -> tuple[OpenedFloor, FloorTime]:
    """Return a floor two hours into its first session, and the time on which it goes on."""
    calendar, settings = SessionCalendar(), replace(SimulatorSettings(), tick_s=1)
    session = calendar.session(settings.start) or calendar.next_session(settings.start)
    begins = session.opens_at + timedelta(hours=2)
    clock = FloorTime(loop_time if callable(loop_time) else float, begins)
    opened = open_floor(settings, calendar, clock=clock.now if callable(loop_time) else None)
    opened.floor.advance(begins)
    return opened, clock


def _quoted_options(opened: OpenedFloor) -> Iterator[Instrument]:
    """Yield options with a bid, of all settlements of VIX and SPXW."""
    universe = opened.universe
    for trading_class in ("VIX", "SPXW"):
        for settlement in universe.settlements(trading_class):
            for option in universe.options(trading_class, settlement):
                if option.right is Right.CALL and (opened.floor.quote(option).bid or 0) > CENT:
                    yield option


def _opening(opened: OpenedFloor, client_id: int, tickers: Sequence[Instrument]) -> bytes:
    """Return what a client says until it has its streams."""
    asked = [
        ReqMarketData(
            req_id=number,
            contract=ContractQuery(con_id=opened.floor.listing(each).con_id, sec_type="OPT", exchange="SMART"),
            generic_ticks="",
            snapshot=False,
        )
        for number, each in enumerate(tickers)
    ]
    hello = b"API\0" + frame(f"v157..{VERSION}")
    return hello + b"".join(encode(each, VERSION) for each in (StartApi(client_id=client_id), *asked))


def _two_rounds(opened: OpenedFloor, tickers: Sequence[Instrument]) -> tuple[list[VenueQuote], list[VenueQuote]]:
    """Return a quote of each ticker, and one with both sides a cent higher."""
    quotes = [opened.floor.quote(each) for each in tickers]
    return quotes, [_higher(quote) for quote in quotes]


def _higher(quote: VenueQuote) -> VenueQuote:
    if quote.bid is None or quote.ask is None:
        raise RuntimeError(f"{quote.instrument.key} has one side only")
    return replace(quote, bid=quote.bid + CENT, ask=quote.ask + CENT)


def _pieces(rounds: tuple[list[VenueQuote], list[VenueQuote]]) -> list[list[bytes]]:
    """Return what the gateway writes of either round after the other."""
    subscriptions = [Subscription(number, has_sides=True) for number in range(TICKERS)]
    for each, quote in zip(subscriptions, rounds[0], strict=True):
        each.frames(quote)
    return [
        [each.frames(quote) for each, quote in zip(subscriptions, quotes, strict=True)]
        for quotes in (rounds[1], rounds[0])
    ]
