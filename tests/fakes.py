"""Small fakes of the ports: each does what its port promises, and fails or waits when a test says so."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import date, datetime, timedelta
from itertools import count
from typing import Any

from bot.domain.command import Ack, AckStage
from bot.domain.decision import Approved
from bot.domain.errors import BrokerRejectedError, ConnectivityError, LatchError
from bot.domain.events import Event, LinkLost, LinkRestored
from bot.domain.instrument import Instrument, InstrumentKey
from bot.domain.market import ModelGreeks, Quote
from bot.domain.mode import TradingMode
from bot.domain.orders import BrokerOrder, BrokerStatus, Fill, Order, OrderIntent
from bot.domain.portfolio import Position
from bot.domain.previews import MarginFigures
from bot.domain.terms import ContractTerms
from bot.ports import BrokerBooks, DailyClose, JournalRow, Sink
from tests.builders import ACCOUNT, NOON, TODAY, an_account, ns
from tests.told import terms_at


class FakeClock:
    """A clock that moves when it is told to; who sleeps on it only lets others run."""

    def __init__(self, at: datetime = NOON) -> None:
        """Stand at a moment."""
        self.at = at

    def now(self) -> datetime:
        """The moment."""
        return self.at

    def now_ns(self) -> int:
        """The moment in nanoseconds since 1970."""
        return ns(self.at)

    def host_now(self) -> datetime:
        """The same moment."""
        return self.at

    def stepped_s(self) -> float:
        """It never steps by itself."""
        return 0.0

    def pass_s(self, seconds: float) -> datetime:
        """Move on."""
        self.at += timedelta(seconds=seconds)
        return self.at

    async def sleep(self, seconds: float) -> None:
        """Move on and let others run."""
        self.pass_s(seconds)
        await asyncio.sleep(0)


class FakeIds:
    """Ids that count."""

    def __init__(self) -> None:
        """Begin at one."""
        self._numbers: Iterator[int] = count(1)

    def new_id(self) -> str:
        """The next id."""
        return f"id-{next(self._numbers)}"


class FakeRng:
    """Chance that counts."""

    def __init__(self) -> None:
        """Begin at one."""
        self._numbers: Iterator[int] = count(1)

    def token(self, n_bytes: int) -> bytes:
        """The next number as bytes."""
        return next(self._numbers).to_bytes(n_bytes, "big")

    def uniform(self) -> float:
        """The middle: no jitter."""
        return 0.5


class ListJournal:
    """A journal in memory; a commit can be held, and can fail."""

    def __init__(self) -> None:
        """Begin empty and willing."""
        self.rows: list[JournalRow] = []
        self.failure: Exception | None = None
        self.commits = 0
        self._gate: asyncio.Event | None = None
        self.waiting = asyncio.Event()

    def hold(self) -> None:
        """Let every commit wait from now on."""
        self._gate = asyncio.Event()
        self.waiting.clear()

    def let_go(self) -> None:
        """Let held commits return."""
        if self._gate is not None:
            self._gate.set()
        self._gate = None

    async def commit(self, rows: Sequence[JournalRow]) -> None:
        """Keep the rows, late where held, or raise what was scripted."""
        if self._gate is not None:
            self.waiting.set()
            await self._gate.wait()
        if self.failure is not None:
            raise self.failure
        self.commits += 1
        self.rows += rows

    def kinds(self) -> list[str]:
        """The kinds of all rows, in order."""
        return [row.kind for row in self.rows]

    def of_kind(self, kind: str) -> list[dict[str, Any]]:
        """The facts of all rows of a kind, in order."""
        return [dict(row.payload) for row in self.rows if row.kind == kind]


class FakeLatch:
    """A latch in memory; its disk can be slow or broken."""

    def __init__(self, mode: TradingMode = TradingMode.NORMAL, epoch: int = 0) -> None:
        """Stand in a mode."""
        self.mode, self.epoch, self.cause = mode, epoch, "test"
        self.broken = False
        self.on_disk = mode
        self.disk: asyncio.Event | None = None  # a write waits for it

    @property
    def lock(self) -> AbstractContextManager[object]:
        """No thread, no lock."""
        return nullcontext()

    def tighten(self, mode: TradingMode, cause: str) -> int:
        """Set the flag, never looser."""
        self.mode, self.cause = max(self.mode, mode), cause
        self.epoch += mode is TradingMode.HALT
        return self.epoch

    def loosen(self, mode: TradingMode, cause: str, *, epoch: int) -> bool:
        """Lower the flag where no kill came first."""
        if epoch != self.epoch:
            return False
        self.mode, self.cause = mode, cause
        return True

    async def persist(self) -> None:
        """Write, or raise."""
        if self.disk is not None:
            await self.disk.wait()
        await asyncio.sleep(0)
        if self.broken:
            raise LatchError("latch.json: the latch cannot be written (scripted); free the disk")
        self.on_disk = self.mode


class FakeLink:
    """A command link that keeps what leaves."""

    def __init__(self) -> None:
        """Nothing has left."""
        self.acks: list[Ack] = []
        self.published: list[tuple[str, Mapping[str, object]]] = []

    def acknowledge(self, ack: Ack) -> None:
        """Keep an ack."""
        self.acks.append(ack)

    def publish(self, topic: str, payload: Mapping[str, object], *, retain: bool = False) -> None:  # noqa: ARG002 - port
        """Keep a message."""
        self.published.append((topic, payload))

    def stages(self, command_id: str) -> list[AckStage]:
        """How far a command has come."""
        return [ack.stage for ack in self.acks if ack.command_id == command_id]

    def last(self, topic: str) -> Mapping[str, object]:
        """The newest message on a topic."""
        return next(payload for name, payload in reversed(self.published) if name == topic)


class FakeBroker:
    """A broker and its connection: keeps frames, answers with scripted books, breaks and returns on demand."""

    def __init__(self, clock: Any, *, is_up: bool = True) -> None:
        """Begin with empty books; events go to `sink` once it is set."""
        self._clock = clock
        self.up = is_up
        self.sink: Sink = lambda _event: None
        self.submitted: list[Approved] = []
        self.cancelled: list[str] = []
        self.swept = 0
        self.questions: list[OrderIntent] = []
        self.figures: list[MarginFigures | Exception] = []  # answers to questions, one after the other
        self.refusal: ConnectivityError | None = None  # what submit raises
        self.connect_errors: list[Exception] = []  # raised one after the other by connect
        self.connects = 0
        self.rows: dict[str, BrokerOrder] = {}
        self.completed: dict[str, BrokerOrder] = {}
        self.fills: list[Fill] = []
        self.positions: tuple[Position, ...] = ()
        self.books_errors: list[Exception] = []
        self.asked = 0
        self.during_books: list[Callable[[], None]] = []  # one is called while each answer is under way
        self.on_submit: Callable[[Approved], None] = lambda _approved: None
        self.on_cancel: Callable[[Order], None] = lambda _order: None

    # Broker

    def submit(self, approved: Approved) -> None:
        """Keep a frame."""
        if self.refusal is not None:
            raise self.refusal
        self.submitted.append(approved)
        self.on_submit(approved)

    def preview(self, intent: OrderIntent) -> Awaitable[MarginFigures]:
        """Keep a question; the next scripted answer comes after a moment, where there is none no figures do."""
        if self.refusal is not None:
            raise self.refusal
        self.questions.append(intent)
        return self._answered()

    async def _answered(self) -> MarginFigures:
        await self._clock.sleep(0.1)
        answer = self.figures.pop(0) if self.figures else ConnectivityError("no figures in time")
        if isinstance(answer, Exception):
            raise answer
        return answer

    def cancel(self, order: Order) -> None:
        """Keep a cancel."""
        if order.broker_order_id <= 0:
            raise ConnectivityError(f"cancel of {order.intent.intent_id}: the broker's order id is not known")
        self.cancelled.append(order.intent.intent_id)
        self.on_cancel(order)

    def cancel_everything(self) -> None:
        """Count it."""
        self.swept += 1

    def is_open(self) -> bool:
        """Whether it is connected."""
        return self.up

    async def books(self) -> BrokerBooks:
        """Answer after a moment, as of the question."""
        self.asked += 1
        answer = BrokerBooks(
            open_orders=tuple(self.rows.values()),
            completed_orders=tuple(self.completed.values()),
            fills=tuple(self.fills),
            positions=self.positions,
            account=an_account(),
            commissions_usd={},
        )
        await self._clock.sleep(0.1)
        if self.during_books:
            self.during_books.pop(0)()
            await self._clock.sleep(0.1)
        if self.books_errors:
            raise self.books_errors.pop(0)
        return answer

    # Connection

    async def connect(self) -> None:
        """Come up, or raise what was scripted."""
        self.connects += 1
        await self._clock.sleep(0.01)
        if self.connect_errors:
            raise self.connect_errors.pop(0)
        self.up = True
        self.sink(LinkRestored(at=self._clock.now(), why="connected"))

    def disconnect(self) -> None:
        """Go down."""
        self.break_link("disconnected")

    # what tests do with it

    def break_link(self, why: str = "cut") -> None:
        """The socket dies."""
        if self.up:
            self.up = False
            self.sink(LinkLost(at=self._clock.now(), why=why))

    def tell(self, event: Event) -> None:
        """Report something."""
        self.sink(event)

    def hold_order(self, ref: str, status: BrokerStatus = BrokerStatus.WORKING, *, filled: int = 0) -> BrokerOrder:
        """Have an order in the books."""
        row = a_row(ref, status, filled=filled)
        self.rows.pop(ref, None)
        self.completed.pop(ref, None)
        (self.rows if status is BrokerStatus.WORKING else self.completed)[ref] = row
        return row


def a_row(
    ref: str, status: BrokerStatus = BrokerStatus.WORKING, *, filled: int = 0, remaining: int = 0, order_id: int = 7
) -> BrokerOrder:
    """The broker's row about one order."""
    return BrokerOrder(
        order_ref=ref,
        perm_id=9000 + order_id,
        order_id=order_id,
        client_id=1,
        status=status,
        filled=filled,
        remaining=remaining,
        account=ACCOUNT,
        text="",
    )


class FakeMarketData:
    """Histories and chains as scripted; keeps what is watched."""

    def __init__(self, closes: Mapping[InstrumentKey, Sequence[DailyClose]]) -> None:
        """Answer with these closes."""
        self.closes = closes
        self.watched: list[tuple[Instrument, ...]] = []
        self.errors: list[Exception] = []
        self.listings = 0
        self.chain: tuple[Instrument, ...] = ()
        self.shown: list[Mapping[InstrumentKey, Quote] | Exception] = []  # answers to snapshots, the last one for good
        self.snapshots = 0
        self.terms_told: dict[InstrumentKey, ContractTerms] = {}  # instead of those of the simulated exchange
        self.terms_asked: list[tuple[Instrument, ...]] = []
        self.day = TODAY

    def watch(self, instruments: Sequence[Instrument]) -> None:
        """Keep the wish."""
        self.watched.append(tuple(instruments))

    async def daily_closes(self, instrument: Instrument, sessions: int) -> tuple[DailyClose, ...]:
        """Answer, or raise what was scripted."""
        self._raise_next()
        if instrument.key not in self.closes:
            raise BrokerRejectedError(f"{instrument.key}: no history")
        return tuple(self.closes[instrument.key])[-sessions:]

    async def option_chain(self, symbol: str, settlement_from: date, settlement_to: date) -> tuple[Instrument, ...]:  # noqa: ARG002 - port
        """Answer, or raise what was scripted."""
        self._raise_next()
        self.listings += 1
        return self.chain

    async def futures(self, symbol: str, settlement_from: date, settlement_to: date) -> tuple[Instrument, ...]:  # noqa: ARG002 - port
        """There are none."""
        return ()

    async def terms(self, instruments: Sequence[Instrument]) -> Mapping[InstrumentKey, ContractTerms]:
        """The hours and ticks that the simulated exchange tells of these."""
        self.terms_asked.append(tuple(instruments))
        return {one.key: self.terms_told.get(one.key, terms_at(one, self.day)) for one in instruments}

    async def model_greeks(self, instruments: Sequence[Instrument]) -> Mapping[InstrumentKey, ModelGreeks]:  # noqa: ARG002 - port
        """There are none."""
        return {}

    async def snapshot(self, instruments: Sequence[Instrument]) -> Mapping[InstrumentKey, Quote]:
        """The next scripted answer, or no quotes."""
        self.snapshots += 1
        answer = {} if not self.shown else self.shown.pop(0) if len(self.shown) > 1 else self.shown[0]
        if isinstance(answer, Exception):
            raise answer
        return {one.key: answer[one.key] for one in instruments if one.key in answer}

    def _raise_next(self) -> None:
        if self.errors:
            raise self.errors.pop(0)
