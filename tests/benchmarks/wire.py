"""Tick on the wire to order on the wire over loopback sockets: the bot's way against a bare client-library callback.

Both place one VXM order for every VIX tick at the same gateway in the same process. The bot's way goes through adapter,
state, a plan, all checks of the gate, the journal's commit and the last check before the write.
"""

import asyncio
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from adapters.clock import SystemClock, SystemIds, SystemRng
from adapters.control.memory_link import MemoryLink
from adapters.ibkr.gateway import IbkrGateway
from adapters.ibkr.library import IB, Contract, Order
from bot.compose.assembly import Assembled, Junction, Ports, Start, assemble
from bot.compose.books import lots_of_book
from bot.compose.drill import KEY_ID, Operator
from bot.compose.standing import Standing, open_standing
from bot.domain.command import Role
from bot.domain.instrument import RVX, SPX, VIX, Instrument, Side
from bot.domain.mode import TradingMode
from bot.domain.orders import DecisionId, IntentId, Leg, OrderIntent, Purpose
from bot.domain.plan import HedgePlan, PlanAction
from bot.domain.readings import Signal
from bot.domain.schedule import SessionCalendar
from bot.domain.snapshot import Snapshot
from bot.ports import Journal, JournalRow
from config.loader import Loaded, load
from config.settings import Profile
from simulator.fills import UnlimitedFills
from simulator.gateway import FloorTime, Gateway
from simulator.numbering import number_of
from simulator.opening import OpenedFloor, open_floor
from simulator.settings import SimulatorSettings
from simulator.tws.session import Session
from simulator.venue import VenueQuote
from simulator.venue_models import VenueModels
from tests.benchmarks.measure import Figure, now_ns, percentile

ROUNDS = 100
NewId = Callable[[], str]
WARM_UP = 20
PLACE_ORDER = b"3\0"  # the message id of an order, after four bytes of length
PAUSE_S = 0.1  # the message budget allows 25 order frames a second, look-ups and cancels apart
PATIENCE = 200_000  # turns of the loop


class Forgetful:
    """A journal without a disk."""

    async def commit(self, rows: Sequence[JournalRow]) -> None:
        """Take the rows and forget them."""


@dataclass(slots=True)
class OneForEachTick:
    """Plans one VXM bought or sold in turn, whatever the signal says, once for every tick that asked for it."""

    future: Instrument
    wanted: bool = False
    buys: bool = True

    def plan(
        self, snapshot: Snapshot, _signal: Signal, decision_id: DecisionId, new_id: Callable[[], str]
    ) -> HedgePlan:
        intents = ()
        quote = snapshot.quotes.get(self.future.key)
        if self.wanted and quote is not None and quote.ask is not None and quote.bid is not None:
            self.wanted = False
            price = Decimal(str(quote.ask)) if self.buys else -Decimal(str(quote.bid))
            purpose = Purpose.OVERLAY_BUILD if self.buys else Purpose.OVERLAY_UNWIND
            side = Side.BUY if self.buys else Side.SELL
            self.buys = not self.buys
            intents = (
                OrderIntent(
                    intent_id=IntentId(new_id()),
                    decision_id=decision_id,
                    legs=(Leg(instrument=self.future, side=side),),
                    quantity=1,
                    limit=price,
                    worst_cost_usd=Decimal(300),
                    purpose=purpose,
                    reason="benchmark",
                ),
            )
        return HedgePlan(
            decision_id=decision_id,
            action=PlanAction.INCREASE,
            reason="benchmark",
            increment_frac=0.0,
            base_usd_per_point=0.0,
            target_usd_per_point=0.0,
            held_usd_per_point=0.0,
            working_usd_per_point=0.0,
            intents=intents,
        )

    def resized(self, plan: HedgePlan, _refused: object, _new_id: object) -> HedgePlan:
        return plan


class Floor:
    """A gateway in mid-session whose market stands still but for the VIX ticks that the benchmark publishes."""

    def __init__(self) -> None:
        self.calendar = SessionCalendar()
        settings = SimulatorSettings()
        first = self.calendar.session(settings.start) or self.calendar.next_session(settings.start)
        self.begins = first.opens_at + timedelta(hours=2)
        time = FloorTime(asyncio.get_running_loop().time, self.begins)
        self.opened: OpenedFloor = open_floor(
            replace(settings, venue=VenueModels(fills=UnlimitedFills())), self.calendar, clock=time.now
        )
        self.gateway = Gateway(self.opened.floor, "127.0.0.1", 0, time=time)
        self.gateway.advance(self.begins)
        settlement = self.opened.book.base[0].instrument.settlement  # the overlay goes where the short layer is
        self.future = next(
            one for one in self.opened.universe.futures if one.trading_class == "VXM" and one.settlement == settlement
        )
        self._ticks = 0
        self.arrivals: list[int] = []
        self._stamp_orders()

    def _stamp_orders(self) -> None:
        """Note when the bytes of an order reach the gateway, before it does anything with them."""
        receive = Session.receive

        def stamped(session: Session, data: bytes) -> None:
            if data[4:6] == PLACE_ORDER:
                self.arrivals.append(now_ns())
            receive(session, data)

        Session.receive = stamped  # type: ignore[method-assign]  # a stop watch at the gateway's door

    def publish(self) -> int:
        """Write one tick each of SPX, RVX and VIX to the clients; return when the last was, in nanoseconds."""
        self._ticks += 1
        floor, server = self.opened.floor, self.gateway._server
        turn = self._ticks
        levels = ((SPX, 6800.0 + turn % 9 / 10), (RVX, 22.0 + turn % 7 / 100), (VIX, 17.0 + turn % 7 / 100))
        for index, level in levels:
            began = now_ns()
            floor._tell((VenueQuote(instrument=index, at=floor.now(), last=level),))
        server.flush()
        return began

    async def order_after(self, began: int) -> float:
        """Return the seconds from a tick to the next order at the gateway."""
        for _ in range(PATIENCE):
            if self.arrivals and self.arrivals[-1] > began:
                return (self.arrivals[-1] - began) / 1e9
            await asyncio.sleep(0)
        raise RuntimeError("no order arrived")


async def _bare(floor: Floor) -> list[float]:
    """The floor of the figures: a tick callback of the client library that places an order."""
    ib = IB()
    ib.client.MaxRequests = 0
    await ib.connectAsync("127.0.0.1", floor.gateway.port, clientId=99)
    vxm = Contract(conId=number_of(floor.future), exchange="CFE", secType="FUT", symbol="VIX", currency="USD")
    (vix,) = await ib.qualifyContractsAsync(Contract(secType="IND", symbol="VIX", exchange="CBOE", currency="USD"))
    ticker = ib.reqMktData(vix)
    sides = ("BUY", "SELL")
    quote = floor.opened.floor.quote(floor.future)
    placed: list[int] = []

    def on_tick(_ticker: object) -> None:
        side = sides[len(placed) % 2]
        price = quote.ask if side == "BUY" else quote.bid
        placed.append(1)
        ib.placeOrder(vxm, Order(action=side, totalQuantity=1, orderType="LMT", lmtPrice=float(price or 0), tif="DAY"))

    await asyncio.sleep(0.5)
    ticker.updateEvent += on_tick
    latencies = [await _round(floor) for _ in range(WARM_UP + ROUNDS)]
    ib.disconnect()
    await asyncio.sleep(0.1)
    return latencies[WARM_UP:]


async def _round(floor: Floor) -> float:
    latency = await floor.order_after(floor.publish())
    for _ in range(200):
        await asyncio.sleep(0)  # fills and their echoes
    await asyncio.sleep(PAUSE_S)
    return latency


async def _through_the_bot(floor: Floor, folder: Path, *, durable: bool) -> list[float]:
    """The same through the whole bot."""
    clock = SystemClock()
    clock.shift_to(floor.begins)
    loaded = _loaded(floor.gateway.port)
    standing = open_standing(folder, loaded.settings, clock, clock.now())
    link = MemoryLink(verifier=standing.verifier, bot_key=standing.bot_key, clock=clock)
    bot = _assembled(floor, loaded, standing, link, clock, standing.journal if durable else Forgetful())
    link.listen(bot.desk.receive)
    planner = OneForEachTick(floor.future)
    bot.shell.engine._planner = planner  # type: ignore[assignment]  # the benchmark's own wish, everything else is real
    _ask_on_every_tick(bot, planner)
    stop = asyncio.Event()
    running = asyncio.ensure_future(bot.supervisor.run(standing.memory.restored, stop))
    await _armed(bot, standing, link, clock, loaded)
    latencies = []
    for _ in range(WARM_UP + ROUNDS):
        planner.wanted = True
        latencies.append(await _round(floor))
        while bot.shell.engine.state.live_orders():
            await asyncio.sleep(0)
    stop.set()
    await running
    standing.journal.close()
    return latencies[WARM_UP:]


def _ask_on_every_tick(bot: Assembled, planner: OneForEachTick) -> None:
    """Make each tick that finds the planner wanting a reason to plan, as a change of the signal is."""
    state = bot.shell.engine.state
    judged = state._market.tracker.on_tick
    state._on_tick = _Eager(state._market.tracker, judged, planner).on_tick  # type: ignore[method-assign]  # as above


class _Eager:
    """The tracker, but that a tick is due whenever an order is wanted."""

    def __init__(self, tracker: object, judged: Callable[..., bool], planner: OneForEachTick) -> None:
        self._tracker, self._judged, self._planner = tracker, judged, planner

    def on_tick(self, *tick: object) -> bool:
        return self._judged(*tick) or (self._planner.wanted and tick[0] == VIX.key)

    def __getattr__(self, name: str) -> object:
        return getattr(self._tracker, name)


def _loaded(port: int) -> Loaded:
    loaded = load(Profile.SIM, None, {})
    settings = loaded.settings
    return replace(
        loaded,
        settings=replace(
            settings,
            broker=replace(settings.broker, port=port),
            risk=replace(settings.risk, max_orders_per_day=100_000),
        ),
    )


def _assembled(
    floor: Floor, loaded: Loaded, standing: Standing, link: MemoryLink, clock: SystemClock, journal: Journal
) -> Assembled:
    junction = Junction()
    gateway = IbkrGateway(settings=loaded.settings.broker, clock=clock, sink=junction)
    ports = Ports(
        clock=clock,
        ids=SystemIds(),
        rng=SystemRng(),
        broker=gateway,
        market_data=gateway,
        connection=gateway,
        command_link=link,
        journal=journal,
        latch=standing.latch,
        junction=junction,
    )
    book = floor.opened.book
    start = Start(
        calendar=floor.calendar,
        adopted=False,
        credits=book.credits,
        lots=lots_of_book(book, floor.begins.date()),
    )
    return assemble(loaded, ports, start)


async def _armed(bot: Assembled, standing: Standing, link: MemoryLink, clock: SystemClock, loaded: Loaded) -> None:
    """Arm the bot and wait until it streams what it needs."""
    operator = Operator(
        link=link,
        key=standing.ring.add(KEY_ID, (Role.KILL, Role.RESUME)),
        clock=clock,
        ids=SystemIds(),
        bot=loaded.settings.bot,
        account_hash=standing.account_hash,
    )
    await operator.arm()
    state = bot.shell.engine.state
    while state.mode is not TradingMode.NORMAL or not state.snapshot(clock.now()).universe:
        await asyncio.sleep(0.05)
    await asyncio.sleep(3.0)


async def _measured() -> tuple[list[float], list[float], list[float]]:
    results = []
    for run in (_bare, None, None):
        floor = Floor()
        await floor.gateway.start()
        with tempfile.TemporaryDirectory() as folder:
            if run is not None:
                results.append(await run(floor))
            else:
                results.append(await _through_the_bot(floor, Path(folder), durable=len(results) == 2))
        await floor.gateway.stop()
    return results[0], results[1], results[2]


def wire_figures() -> list[Figure]:
    """Measure the bare callback, the bot without a disk, and the bot with its durable journal, in one process."""
    bare, quick, durable = asyncio.run(_measured())
    floor = percentile(bare, 0.5)
    rows = (("journal in memory", quick, "<= 1.5"), ("durable journal row", durable, "<= 3"))
    return [
        Figure(
            name=f"tick on the wire -> order on the wire, {name}, p50 of {ROUNDS}",
            measured=f"{percentile(found, 0.5) * 1e6:.0f} us (p99 {percentile(found, 0.99) * 1e6:.0f} us)",
            floor=f"{floor * 1e6:.0f} us, a bare client-library callback",
            ratio=percentile(found, 0.5) / floor,
            aim=aim,
        )
        for name, found, aim in rows
    ]
