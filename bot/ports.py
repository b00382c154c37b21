"""The ports: everything the core knows of time, chance, storage, the broker and the operator. Few methods each."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from bot.domain.command import Ack
from bot.domain.decision import Approved
from bot.domain.events import Event
from bot.domain.instrument import Instrument, InstrumentKey
from bot.domain.market import ModelGreeks, Quote
from bot.domain.mode import TradingMode
from bot.domain.orders import BrokerOrder, Fill, IntentId, Order, OrderIntent
from bot.domain.portfolio import AccountValues, Position
from bot.domain.previews import MarginFigures
from bot.domain.terms import ContractTerms

Sink = Callable[[Event], None]
"""Where adapters deliver what happened; never blocks, never raises."""


class Clock(Protocol):
    """Time. ``now`` is the time that decisions use; ``host_now`` the machine's own, for command signatures."""

    def now(self) -> datetime:
        """Aware UTC; in a simulation the gateway's time."""
        ...

    def now_ns(self) -> int:
        """The same in nanoseconds since 1970-01-01 UTC."""
        ...

    def host_now(self) -> datetime:
        """Aware UTC of this machine, never shifted to the gateway's."""
        ...

    def stepped_s(self) -> float:
        """Seconds by which the machine's wall clock has moved against its monotonic one since the start.

        Above zero where it was set forward; zero in virtual time.
        """
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait on the loop's time."""
        ...


class Ids(Protocol):
    """Fresh identities."""

    def new_id(self) -> str:
        """Return a UUID as text."""
        ...


class Rng(Protocol):
    """Chance that an attacker cannot guess (real) or that a seed repeats (virtual)."""

    def token(self, n_bytes: int) -> bytes:
        """Return random bytes."""
        ...

    def uniform(self) -> float:
        """Return a number in [0, 1), for jitter."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalRow:
    """One thing to be written down for good: what kind, of which decision, when, and the facts."""

    kind: str  # snake_case, past tense
    decision_id: str
    at: datetime
    payload: Mapping[str, object]
    """Text, int, finite float, bool, None, Decimal, date, aware datetime, enums, frozen values of `bot.domain`, and
    sequences and mappings of these; the journal's codec writes them as JSON and reads them back."""


class Journal(Protocol):
    """The append-only record; a commit that returned is on disk."""

    async def commit(self, rows: Sequence[JournalRow]) -> None:
        """Write all rows in one transaction and flush it.

        Raises:
            JournalError: Nothing may be sent: the rows are not known to be on disk.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class DailyClose:
    """One finished session's close of an index, in index points."""

    day: date
    close: float


class MarketData(Protocol):
    """Quotes and histories; ticks and quotes arrive at the sink."""

    def watch(self, instruments: Sequence[Instrument]) -> None:
        """Stream these and no others any more; market data lines are scarce."""
        ...

    async def daily_closes(self, instrument: Instrument, sessions: int) -> tuple[DailyClose, ...]:
        """The last finished sessions, oldest first.

        Raises:
            ConnectivityError: No answer in time.
            BrokerRejectedError: The broker refuses or has none.
        """
        ...

    async def option_chain(self, symbol: str, settlement_from: date, settlement_to: date) -> tuple[Instrument, ...]:
        """All listed options of an underlying that settle in the range, with class, strike and right."""
        ...

    async def futures(self, symbol: str, settlement_from: date, settlement_to: date) -> tuple[Instrument, ...]:
        """All listed futures of a symbol that settle in the range."""
        ...

    async def snapshot(self, instruments: Sequence[Instrument]) -> Mapping[InstrumentKey, Quote]:
        """One quote each, where there is one, without keeping a line open; of breadth the counts are its sides."""
        ...

    async def terms(self, instruments: Sequence[Instrument]) -> Mapping[InstrumentKey, ContractTerms]:
        """Hours, last trade and ticks of each as the broker tells them today; what it does not know is left out.

        Raises:
            ConnectivityError: No answer in time.
        """
        ...

    async def model_greeks(self, instruments: Sequence[Instrument]) -> Mapping[InstrumentKey, ModelGreeks]:
        """What the broker's own model says of each option, where it says something, without keeping a line open."""
        ...


class DailyRecord(Protocol):
    """The bot's own figures of each session, kept from run to run; a row once written never changes."""

    def record_close(self, symbol: str, day: date, close: float) -> bool:
        """Write one close, index points or USD; return whether it is new.

        Raises:
            AlvhError: It contradicts what is written, or what is written cannot be read.
            OSError: It cannot be written.
        """
        ...

    def record_breadth(self, day: date, advances: int, declines: int) -> bool:
        """Write one session's advancing and declining issues; return whether they are new. Raises likewise."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerBooks:
    """The broker's truth at one moment; incomplete books are an error, never a smaller answer."""

    open_orders: tuple[BrokerOrder, ...]
    completed_orders: tuple[BrokerOrder, ...]
    fills: tuple[Fill, ...]
    positions: tuple[Position, ...]
    account: AccountValues
    commissions_usd: Mapping[str, str]  # exec id -> Decimal text, of the fills where known


class Broker(Protocol):
    """The one way to the market."""

    def submit(self, approved: Approved) -> None:
        """Write one order frame to the transport before returning.

        Raises:
            ConnectivityError: The transport is closing: nothing is known to have left.
        """
        ...

    def preview(self, intent: OrderIntent) -> Awaitable[MarginFigures]:
        """Write one what-if frame before returning, which places nothing; await what it returns for the answer.

        Only orders of one contract can be asked about.

        Raises:
            ConnectivityError: The question has not left; awaited: no answer in time, or none with figures.
            BrokerRejectedError: Awaited: the broker refuses to say, or the order itself.
        """
        ...

    def cancel(self, order: Order) -> None:
        """Write one cancel frame for an own order; cancelling twice is allowed."""
        ...

    def cancel_everything(self) -> None:
        """Write one frame that cancels the orders of everybody at this gateway.

        Raises:
            ConnectivityError: The transport is closing: nothing is known to have left.
        """
        ...

    def is_open(self) -> bool:
        """The transport takes bytes right now."""
        ...

    async def books(self) -> BrokerBooks:
        """Ask for all open and completed orders, executions, positions and account values.

        Raises:
            ConnectivityError: A part of the answer did not come in time.
        """
        ...


class Connection(Protocol):
    """The link to the broker; its loss and return arrive at the sink."""

    async def connect(self) -> None:
        """Connect with the fixed client id and synchronise.

        Raises:
            ClientIdInUseError: The broker says the id is taken.
            ConnectivityError: No connection, or an incomplete synchronisation.
        """
        ...

    def disconnect(self) -> None:
        """Close the link."""
        ...


class CommandLink(Protocol):
    """The operator's line: commands arrive at the sink, answers and telemetry leave here. Never blocks."""

    def acknowledge(self, ack: Ack) -> None:
        """Send a signed ack."""
        ...

    def publish(self, topic: str, payload: Mapping[str, object], *, retain: bool = False) -> None:
        """Send telemetry below the bot's prefix, for example ``event/order_filled``."""
        ...


class Latch(Protocol):
    """The durable kill latch; the flag is set before the disk is written, the ack comes after both.

    ``lock`` guards flag and epoch against the guard thread: `Execution.release` holds it from its last check to the
    end of the write.
    """

    @property
    def lock(self) -> AbstractContextManager[object]:
        """The lock that makes the last check and the write one step."""
        ...

    @property
    def epoch(self) -> int:
        """Plus one at each latch of HALT; never reset."""
        ...

    @property
    def mode(self) -> TradingMode:
        """The latched mode."""
        ...

    @property
    def cause(self) -> str:
        """Why it stands where it stands."""
        ...

    def tighten(self, mode: TradingMode, cause: str) -> int:
        """Set the flag at once, never looser than it is; HALT advances the epoch. Returns the epoch."""
        ...

    def loosen(self, mode: TradingMode, cause: str, *, epoch: int) -> bool:
        """Set a looser mode if the epoch is still this one; False when a kill came first."""
        ...

    async def persist(self) -> None:
        """Return when the present flag is on disk.

        Raises:
            LatchError: It cannot be written.
        """
        ...


WorkingOrders = Mapping[IntentId, Order]
