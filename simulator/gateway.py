"""The gateway: a floor, a server and the passing of time, joined; what a real one is to its clients.

In virtual time the loop jumps from step to step and the floor's clock is the loop's. In real time the floor is moved
so that one second of the loop is ``speed`` seconds of the floor. When the source is played out, the gateway goes on
answering with the market closed.
"""

import asyncio
import contextlib
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from bot.domain.checks import require_positive
from bot.domain.errors import InvalidValueError
from simulator.floor import Floor
from simulator.ports import Listener, TradingFloor
from simulator.troubles.floor import TroubledFloor
from simulator.troubles.kinds import Trouble
from simulator.troubles.link import Link
from simulator.troubles.schedule import Schedule
from simulator.troubles.script import Script
from simulator.tws.desk import Desk, DoorRules, LedgerRow
from simulator.tws.server import Server

DEFAULT_PORT: Final = 4002
MOST_JUMP_S: Final = 366 * 86_400.0
"""No run lasts longer than a year."""
_LONGEST_WAIT_S: Final = 3600.0
"""Between two looks at the floor when nothing is due, in seconds of the loop."""
_PRICED_AT_ONCE: Final = 20
"""Contracts; they keep clients waiting for about half a millisecond."""
_SPARED_S: Final = 0.005
"""This long before a step is due, in seconds of the loop, nothing is begun any more."""


class FloorTime:
    """The floor's time on a loop: ``start`` when it begins, ``speed`` floor seconds in a second of the loop."""

    def __init__(self, loop_time: Callable[[], float], start: datetime, speed: float = 1.0) -> None:
        """Begin at ``start`` (aware) now."""
        require_positive(speed=speed)
        self._loop_time = loop_time
        self._began = loop_time()
        self._start = start
        self._speed = speed

    def __repr__(self) -> str:
        """The moment and the speed, for logs."""
        return f"{self.now():%Y-%m-%d %H:%M:%S %Z} at speed {self._speed:g}"

    def now(self) -> datetime:
        """Return the floor's present time."""
        return self._start + timedelta(seconds=(self._loop_time() - self._began) * self._speed)

    def until(self, moment: datetime) -> float:
        """Return the seconds of the loop until a moment, not below zero."""
        return max(0.0, (moment - self.now()).total_seconds() / self._speed)

    def jump(self, seconds: float) -> None:
        """Let so many seconds of the floor pass at once.

        Raises:
            InvalidValueError: They are not above zero, or more than `MOST_JUMP_S`.
        """
        require_positive(seconds=seconds)
        if seconds > MOST_JUMP_S:
            raise InvalidValueError(f"time jumps by at most {MOST_JUMP_S:.0f} seconds, not by {seconds:.0f}")
        self._start += timedelta(seconds=seconds)


class Gateway:
    """Serves one floor to any number of clients."""

    def __init__(
        self,
        floor: Floor,
        host: str = "127.0.0.1",
        port: int = DEFAULT_PORT,
        *,
        time: FloorTime | None = None,
        shown: TradingFloor | None = None,
        rules: DoorRules | None = None,
    ) -> None:
        """Join the parts; nothing listens yet.

        Args:
            floor: Not moved by anybody else; its ``clock`` should be ``time.now``.
            host: Where to listen; clients are not authenticated, so keep it on this machine.
            port: 0 takes any free one.
            time: The floor's time; one second for one second from the floor's present time on unless stated.
            shown: What stands before the floor for those who look at it, for example a recorder; nothing unless stated.
            rules: What differs between gateways.
        """
        self._floor = floor
        self._host = host
        self.port = port
        self._time = time
        self._troubled = TroubledFloor(floor if shown is None else shown)
        self._troubled.agenda.noted = self._wake
        self._schedule: Schedule | None = None
        self._desk = Desk(self._troubled, self._joined, rules=rules)
        self._link = Link(self._desk, self._troubled)
        self._server = Server(self._desk, link=self._link)
        self._something_is_due = asyncio.Event()

    def __repr__(self) -> str:
        """Where it listens and what is behind it, for logs and failing tests."""
        return f"Gateway({self._host}:{self.port}, {self._server!r}, {self._floor!r})"

    async def start(self) -> None:
        """Listen for clients."""
        self._floor_time()
        self.port = await self._server.start(self._host, self.port)

    async def stop(self) -> None:
        """Close every connection; the floor stands still."""
        await self._server.stop()
        self._desk.close()

    async def run(self, *, until: datetime | None = None) -> None:
        """Move the floor along, for ever or up to a moment of the floor's time (aware)."""
        time = self._floor_time()
        while until is None or time.now() < until:
            self.advance(time.now())
            await self._prepare(time)
            due = self._floor.next_step_at()
            moments = [moment for moment in (due, self._troubled.agenda.next_at, until) if moment is not None]
            await self._wait(min([*map(time.until, moments), _LONGEST_WAIT_S]))
        self.advance(until)

    async def _prepare(self, time: FloorTime) -> None:
        """Price the next step bit by bit while there is nothing else to do: what is left for it is clients' lag."""
        due = self._floor.next_step_at()
        while (  # noqa: ASYNC110 - gives way, and waits for nothing
            due is not None and time.until(due) > _SPARED_S and self._floor.prepare(_PRICED_AT_ONCE)
        ):
            await asyncio.sleep(0)

    async def _wait(self, seconds: float) -> None:
        """Wait, or less when something was noted for a nearer moment or time has jumped."""
        self._something_is_due.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._something_is_due.wait()

    def _wake(self) -> None:
        self._something_is_due.set()

    def advance(self, to: datetime) -> None:
        """Play the floor up to a moment and tell the clients."""
        self._floor.advance(to)
        self._troubled.carry_out()
        self._server.flush()

    def jump(self, seconds: float) -> None:
        """Let so many seconds of the floor's time pass at once; every step in them is played."""
        time = self._floor_time()
        time.jump(seconds)
        self.advance(time.now())
        self._wake()

    def _floor_time(self) -> FloorTime:
        """Return the floor's time, which begins at the first look unless it was given."""
        if self._time is None:
            self._time = FloorTime(asyncio.get_running_loop().time, self._floor.now())
        return self._time

    def inject(self, trouble: Trouble) -> None:
        """Let a trouble happen now, or wait for what it is about."""
        self._link.inject(trouble)

    def play(self, script: Script) -> None:
        """Let go wrong what a script says, from the floor's present time on."""
        self._schedule = Schedule(script, self._troubled.agenda, self.inject, self._floor.now())
        self._troubled.listen(self._schedule.hear)

    def listen(self, listener: Listener) -> None:
        """Tell what happens at the exchange itself, whatever the clients hear of it."""
        self._floor.listen(listener)

    def _joined(self, client_id: int) -> None:
        self._troubled.client_came_back(client_id)
        if self._schedule is not None:
            self._schedule.joined(client_id)

    def clear_troubles(self) -> None:
        """End every trouble that lasts or waits."""
        self._link.clear()

    @property
    def troubles(self) -> tuple[Trouble, ...]:
        """What lasts or waits."""
        return self._link.active

    def now(self) -> datetime:
        """The floor's present time, aware."""
        return self._floor.now()

    def clients(self) -> tuple[int, ...]:
        """The ids of the connected clients, ascending."""
        return tuple(sorted(connection.session.client_id for connection in self._server.connections()))

    def ledger(self) -> tuple[LedgerRow, ...]:
        """Return everything that clients told about orders, in the order of arrival, whatever became of it."""
        return self._desk.ledger
