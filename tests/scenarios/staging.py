"""Stages for scenario tests: the bot as it is assembled, at a simulated exchange in virtual time, for a few hours.

How it works: a `Scene` says which world is played, from when to when, with which settings and book, and what a person
does meanwhile. `staged` plays it and returns the journal as it would be read from disk. All of the bot is there; wire,
disk and command line are not, because other tests play whole runs over them (`tests.runs`).
"""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from adapters.history.daily_store import DailyStore
from adapters.journal.codec import text_of
from adapters.journal.reader import remembered
from adapters.journal.store import Owner, open_journal
from bot.compose.assembly import Assembled, Junction, Ports, Start, assemble
from bot.compose.books import lots_of_book
from bot.compose.worlds import World
from bot.domain.command import Channel, Command, CommandName, Proof, Role
from bot.domain.decision import Rule
from bot.domain.events import Restored
from bot.domain.instrument import Instrument, Kind, Right, Side
from bot.domain.orders import Fill, Filled, FillPart, Order
from bot.domain.readings import Episode
from bot.domain.schedule import NEW_YORK, Session
from bot.ports import Clock, JournalRow
from config.loader import load
from config.settings import Profile
from simulator.books import BookPlan, StatedPosition
from simulator.broker import InProcessLink, InProcessMarketData
from simulator.clock import SeededIds, SeededRng, VirtualClock
from simulator.gateway import FloorTime, Gateway
from simulator.opening import OpenedFloor
from simulator.settings import SimulatorSettings
from simulator.venue import OrderType, VenueLeg, VenueOrder
from simulator.venue_models import VenueModels
from simulator.virtual_time import RunLimits, VirtualLoop, run_virtual
from simulator.world.levels import DailyLevel
from tests.builders import ACCOUNT, CALENDAR, an_intent, an_order, buys, sells
from tests.fakes import FakeLatch, FakeLink, ListJournal

LIMITS = RunLimits(max_virtual_s=2_000_000, max_steps=20_000_000)
TICK_S = 60
BRISK: Mapping[str, str] = {
    "ALVH_APP__PLAN_EVERY_S": "300.0",
    "ALVH_APP__SAMPLE_EVERY_S": "1800.0",
    "ALVH_APP__HEARTBEAT_S": "300.0",
}
"""The bot looks less often than it usually does; it decides at once whenever the signal or the book changes."""
ROOMY_DELTA = 0.12
"""Of condors struck so far out that their break-evens have room for a hedge while SPX falls (M8)."""
STRANGER_ID = 99
"""The client id of a person at a terminal of the broker."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """What a person does so many minutes after the open of the first session that is staged."""

    minute: float
    doing: Callable[["Hands"], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bought:
    """VIX call spreads that an earlier run has bought: so many units, long and short call, points each, and when."""

    units: int
    long: Instrument
    short: Instrument
    price: Decimal
    at: datetime

    def order(self) -> Order:
        """The order, filled."""
        legs = (buys(self.long), sells(self.short))
        intent = an_intent(legs, quantity=self.units, limit=str(self.price), intent_id="earlier")
        return an_order(intent, filled=self.units, state=Filled(), at=self.at)

    def fills(self) -> tuple[Fill, ...]:
        """The combo's execution and those of its legs."""
        parts = (
            (FillPart.COMBO, None, Side.BUY, self.price),
            (FillPart.LEG, self.long, Side.BUY, self.price),
            (FillPart.LEG, self.short, Side.SELL, Decimal(0)),
        )
        return tuple(
            Fill(
                exec_id=f"earlier.{number}",
                order_ref="earlier",
                perm_id=1,
                account=ACCOUNT,
                part=part,
                instrument=instrument,
                side=side,
                quantity=self.units,
                price=price,
                at=self.at,
            )
            for number, (part, instrument, side, price) in enumerate(parts, start=1)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What is played.

    Attributes:
        scenario: A name of the simulator's scenarios; ``history`` instead plays daily rows of the four indices.
        sessions: So many are played, counted from the beginning of the world.
        first: The session, counted from zero, on which the bot starts; those before it are past.
        from_minute: When it starts, in minutes after that session's open; five minutes before it unless stated.
        until_minute: Minutes after the open of the last session at which it ends; None: a little after its close.
        settings: Environment variables of the bot.
        book: What the account holds; the reference book of 40 condors unless stated.
        bought: The overlay as the journal remembers it, bought by an earlier run; its legs must be in the book.
        episode: The blowout that was under way when that run ended; None: there was none.
        acts: What a person does.
        store: Folder of the bot's own daily figures; none are kept unless stated.
        venue: How orders fill; what rests waits for its price unless stated.
        restart_minute: When the bot stops and another goes on from its journal, minutes after its first open.
        ends_halted: A person has halted the bot by then.
        data: What the bot asks for quotes and contracts; the exchange itself unless stated.
    """

    scenario: str = "blowout"
    history: Mapping[str, Sequence[DailyLevel]] | None = None
    sessions: int = 2
    first: int = 1
    from_minute: float = -5.0
    until_minute: float | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    book: BookPlan = field(default_factory=BookPlan)
    bought: Callable[[OpenedFloor], "Bought"] | None = None
    episode: Episode | None = None
    acts: tuple[Act, ...] = ()
    store: Path | None = None
    venue: VenueModels = field(default_factory=VenueModels)
    restart_minute: float | None = None
    ends_halted: bool = False
    data: type[InProcessMarketData] = InProcessMarketData

    def world(self) -> World:
        """The world with its book."""
        settings = SimulatorSettings(
            scenario=self.scenario, sessions=self.sessions, tick_s=TICK_S, book=self.book, venue=self.venue
        )
        if self.history is None:
            return World(settings=settings, history=None, calendar=CALENDAR)
        days = [row.day for row in self.history["SPX"]][-self.sessions :]
        rows = {symbol: tuple(rows) for symbol, rows in self.history.items()}
        return World(settings=replace(settings, start=days[0], end=days[-1]), history=rows, calendar=CALENDAR)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of the journal as it is read from disk; ``at`` in New York."""

    at: datetime
    kind: str
    decision_id: str
    facts: dict[str, Any]

    @property
    def clock(self) -> str:
        """New York's time of day, HH:MM:SS."""
        return f"{self.at:%H:%M:%S}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Journal:
    """Everything that was written down."""

    rows: tuple[Row, ...]

    def of(self, *kinds: str) -> list[Row]:
        """The rows of some kinds, in order."""
        return [row for row in self.rows if row.kind in kinds]

    def facts(self, kind: str) -> list[dict[str, Any]]:
        """The facts of all rows of a kind, in order."""
        return [row.facts for row in self.of(kind)]

    def plans(self, action: str | None = None) -> list[Row]:
        """The plans that were written down, all or those of an action."""
        return [row for row in self.of("hedge_planned") if action in (None, row.facts["action"])]

    def reasons(self) -> list[str]:
        """The reasons of all plans, in order."""
        return [row.facts["reason"] for row in self.plans()]

    def units(self, kind: str, purpose: str | None = None) -> list[int]:
        """The quantities of the intents of some rows, of one purpose or of all."""
        intents = [facts["intent"] for facts in self.facts(kind)]
        return [intent["quantity"] for intent in intents if purpose in (None, intent["purpose"])]


class Hands:
    """What a person can reach while the bot runs: the command line, and a terminal of the broker's own."""

    def __init__(self, bot: Assembled, line: FakeLink, clock: Clock, opened: OpenedFloor, link: InProcessLink) -> None:
        """Take what is within reach."""
        self._bot = bot
        self._line = line
        self._clock = clock
        self._opened = opened
        self._link = link
        self._numbers = count(1)
        self._answered: list[object] = []

    def answer(self, name: CommandName) -> None:
        """Approve or veto the last proposal, with its challenge."""
        asked = next(facts for topic, facts in reversed(self._line.published) if topic.startswith("proposal/"))
        challenge = self._line.last("challenge")
        self._send(
            name,
            kill_epoch=int(str(challenge["epoch"])),
            challenge=str(challenge["challenge"]),
            args={"proposal": str(asked["proposal"])},
        )

    def answer_if_asked(self, name: CommandName) -> None:
        """Answer the last proposal where there is one and it has not been answered."""
        asked = [facts["proposal"] for topic, facts in self._line.published if topic.startswith("proposal/")]
        if asked and asked[-1] not in self._answered:
            self._answered.append(asked[-1])
            self.answer(name)

    def override(self, *rules: Rule) -> None:
        """Override the order that was refused last, with the challenge."""
        self._send(CommandName.STATUS)
        told = next(ack.detail["refused"] for ack in reversed(self._line.acks) if "refused" in ack.detail)
        row = told[0] if isinstance(told, list) else {}
        challenge = self._line.last("challenge")
        self._send(
            CommandName.OVERRIDE,
            kill_epoch=int(str(challenge["epoch"])),
            challenge=str(challenge["challenge"]),
            args={"intent": row["intent"], "digest": row["digest"], "rules": ",".join(rules)},  # type: ignore[index,call-overload]
        )

    def break_link(self) -> None:
        """Cut the line to the broker; the bot connects anew and compares the books."""
        self._link.disconnect()

    def tighten(self, name: CommandName) -> None:
        """Ask for a stricter mode, which needs no challenge."""
        self._send(name)

    def ask_for_the_plan(self) -> None:
        """Ask what a flatten would sell."""
        self._send(CommandName.FLATTEN_PLAN)

    def sign_the_plan(self, **changes: Any) -> None:
        """Sign the last plan to flatten with its challenge, or something that differs."""
        plan, challenge = self._line.last("flatten"), self._line.last("challenge")
        signed = {
            "kill_epoch": int(str(challenge["epoch"])),
            "challenge": str(challenge["challenge"]),
            "args": {"plan": str(plan["digest"])},
        }
        self._send(CommandName.FLATTEN, **{**signed, **changes})

    def codes(self) -> list[str]:
        """The codes of the acks so far that have one."""
        return [ack.code for ack in self._line.acks if ack.code]

    def _send(self, name: CommandName, **more: Any) -> None:
        now = self._clock.host_now()
        self._bot.desk.receive(
            Command(
                name=name,
                command_id=f"answer-{next(self._numbers)}",
                channel=Channel.IN_MEMORY,
                proof=Proof.SIGNED,
                received_at=now,
                reason="a person has read it",
                key_id="k",
                roles=frozenset(Role),
                seq_is_fresh=True,
                issued_at=now,
                expires_at=now + timedelta(seconds=30),
                **more,
            )
        )

    def buy_condors_back(self, units: int) -> None:
        """Close condors at a terminal of the broker; the bot learns of it when its link returns."""
        (condor,) = self._opened.book.condors
        sides = (Side.SELL, Side.BUY, Side.BUY, Side.SELL)
        legs = tuple(VenueLeg(instrument=one, side=side) for one, side in zip(condor.legs, sides, strict=True))
        self._opened.floor.place(
            VenueOrder(
                client_id=STRANGER_ID,
                order_id=self._opened.floor.next_order_id(STRANGER_ID),
                order_ref="",
                account=self._opened.floor.account,
                side=Side.BUY,
                legs=legs,
                quantity=units,
                order_type=OrderType.LIMIT,
                limit=Decimal(25),
            )
        )
        self._link.disconnect()


def staged(scene: Scene) -> Journal:
    """Play a scene and return its journal."""
    world = scene.world()
    start = world.sessions()[scene.first].opens_at + timedelta(minutes=scene.from_minute)
    return run_virtual(_played(scene, world), start=start, seed=7, limits=LIMITS)


async def _played(scene: Scene, world: World) -> Journal:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    clock = VirtualClock(loop)
    opened = world.open(FloorTime(loop.time, clock.now()))
    opened.floor.advance(clock.now())
    sessions = opened.source.sessions
    gateway = asyncio.ensure_future(Gateway(opened.floor).run())
    ends = [_end_of(scene, sessions[-1])]
    if scene.restart_minute is not None:
        ends.insert(0, sessions[scene.first].opens_at + timedelta(minutes=scene.restart_minute))
    rows: list[JournalRow] = []
    memory = _remembered(scene, opened, clock.now())
    for number, end in enumerate(ends):
        rows += await _one_run(scene, opened, clock, memory, end, name=f"bot{number or ''}")
        memory = read_back(rows, clock.now())
    gateway.cancel()
    for ended in await asyncio.gather(gateway, return_exceptions=True):
        if isinstance(ended, Exception):
            raise ended
    return Journal(rows=tuple(map(_read, rows)))


async def _one_run(
    scene: Scene, opened: OpenedFloor, clock: VirtualClock, memory: Restored, end: datetime, *, name: str
) -> list[JournalRow]:
    """The rows of one bot from its start to its end; what a person does meanwhile falls to the bot that runs then."""
    journal, line, junction = ListJournal(), FakeLink(), Junction()
    link = InProcessLink(opened.floor, junction, client_id=17)
    ports = Ports(
        clock=clock,
        ids=SeededIds(7, name),
        rng=SeededRng(7, name),
        broker=link,
        market_data=scene.data(opened.floor, junction),
        connection=link,
        command_link=line,
        journal=journal,
        latch=FakeLatch(),
        junction=junction,
    )
    sessions = opened.source.sessions
    lots = lots_of_book(opened.book, sessions[0].day)
    store = None if scene.store is None else DailyStore(scene.store)
    is_known = memory.positions is not None
    start = Start(calendar=CALENDAR, adopted=is_known, credits=opened.book.credits, lots=lots, store=store)
    bot = assemble(load(Profile.SIM, None, {**BRISK, **scene.settings}), ports, start)
    stop = asyncio.Event()
    hands, first = Hands(bot, line, clock, opened, link), sessions[scene.first].opens_at
    acts = [(first + timedelta(minutes=act.minute), act) for act in scene.acts]
    helpers = [
        asyncio.ensure_future(_stop_at(end, clock, stop)),
        *(asyncio.ensure_future(_act(act, at, clock, hands)) for at, act in acts if clock.now() <= at < end),
    ]
    ending = await bot.supervisor.run(memory, stop)
    for helper in helpers:
        helper.cancel()
    for ended in await asyncio.gather(*helpers, return_exceptions=True):
        if isinstance(ended, Exception):
            raise ended
    assert ending.exit_code == (4 if scene.ends_halted else 0), ending.why
    return journal.rows


def read_back(rows: Sequence[JournalRow], at: datetime) -> Restored:
    """What a bot that starts anew finds in a journal of these rows."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "journal.db"
        journal = open_journal(path, Owner(bot="main", profile="sim", account=ACCOUNT))
        journal.write(rows)
        journal.close()
        return remembered(path, at).restored


def _remembered(scene: Scene, opened: OpenedFloor, now: datetime) -> Restored:
    blank = Restored(at=now, orders=(), fills=(), positions=None, episode=scene.episode)
    if scene.bought is None:
        return blank
    bought = scene.bought(opened)
    return replace(blank, orders=(bought.order(),), fills=bought.fills())


def _end_of(scene: Scene, last: Session) -> datetime:
    if scene.until_minute is None:
        return last.closes_at + timedelta(minutes=2)
    return last.opens_at + timedelta(minutes=scene.until_minute)


async def _stop_at(moment: datetime, clock: Clock, stop: asyncio.Event) -> None:
    await clock.sleep((moment - clock.now()).total_seconds())
    stop.set()


async def _act(act: Act, moment: datetime, clock: Clock, hands: Hands) -> None:
    await clock.sleep((moment - clock.now()).total_seconds())
    act.doing(hands)


def _read(row: Any) -> Row:
    """A row with its facts as JSON holds them."""
    return Row(
        at=row.at.astimezone(NEW_YORK),
        kind=row.kind,
        decision_id=row.decision_id,
        facts=json.loads(text_of(row.payload)),
    )


# worlds of one's own ---------------------------------------------------------------------------------------------

QUIET_DAYS = 130
"""Sessions before the story, all with the usual spread."""
USUAL_SPREAD = 5.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """One session's VIX and spread at its open and its close, in points; in between both go a straight way."""

    vix: tuple[float, float] = (17.0, 17.0)
    spread: tuple[float, float] = (USUAL_SPREAD, USUAL_SPREAD)


def history_of(first: date, *days: Day) -> Mapping[str, tuple[DailyLevel, ...]]:
    """Daily rows of the four indices: a quiet half year, then these days, the first of them on or after ``first``."""
    session = CALENDAR.session(first) or CALENDAR.next_session(first)
    story = [session.day]
    while len(story) < len(days):
        story.append(CALENDAR.next_session(story[-1]).day)
    before = [CALENDAR.previous_session(story[0]).day]
    while len(before) < QUIET_DAYS:
        before.append(CALENDAR.previous_session(before[-1]).day)
    played = [(day, Day()) for day in reversed(before)] + list(zip(story, days, strict=True))
    return {
        "SPX": tuple(_level(day, 6800.0, 6800.0) for day, _ in played),
        "RUT": tuple(_level(day, 2500.0, 2500.0) for day, _ in played),
        "VIX": tuple(_level(day, *one.vix) for day, one in played),
        "RVX": tuple(_level(day, *(v + s for v, s in zip(one.vix, one.spread, strict=True))) for day, one in played),
    }


def _level(day: date, opened: float, close: float) -> DailyLevel:
    return DailyLevel(day=day, open=opened, close=close)


def wide_morning() -> Mapping[str, tuple[DailyLevel, ...]]:
    """A quiet Monday, 2026-10-19, and a Tuesday that is wide from its open on: the blowout is known at 09:47."""
    return history_of(date(2026, 10, 19), Day(), Day(spread=(9.0, 9.0)))


def holding_spreads(units: int, long: int, short: int, settlement: date) -> BookPlan:
    """The reference book with VIX call spreads in the account."""
    return BookPlan(
        stated=tuple(
            StatedPosition(
                kind=Kind.OPTION,
                symbol="VIX",
                trading_class="VIX",
                quantity=quantity,
                settlement=settlement,
                strike=Decimal(strike),
                right=Right.CALL,
            )
            for strike, quantity in ((long, units), (short, -units))
        )
    )
