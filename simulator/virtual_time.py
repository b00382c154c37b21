"""An asyncio event loop whose clock jumps: when nothing is ready it moves to the next timer instead of waiting.

It owns no descriptor and no thread; connections live in memory (``virtual_network``). The same program, start and seed
give the same run. Without a seed callbacks run in the order in which they became ready. With one, the order inside a
pass is drawn, but never between two callbacks of one task, of one transport, or queued by the same callback. What
would reach the real machine raises ``FencedError``; a loop with nothing left to do raises ``Deadlock``.
"""

# ruff: noqa: SLF001 - a loop runs the handles of asyncio, whose callback and flags have no public names

import asyncio
import gc
import heapq
import random
import signal
import socket
import threading
from asyncio import base_events, events
from collections import deque
from collections.abc import Callable, Coroutine, Iterable, Sequence
from contextvars import Context
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from bot.domain.checks import require_aware
from simulator.virtual_network import (
    FencedError,
    ProtocolFactory,
    VirtualNetwork,
    VirtualServer,
    VirtualTransport,
    resolve,
)

T = TypeVar("T")

NS_PER_S = 1_000_000_000
CANCELLED_TIMERS_WORTH_A_SWEEP = 100
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Deadlock(RuntimeError):  # noqa: N818 - the word for the state itself; nobody raises a "deadlock error"
    """Nothing is ready and nothing is scheduled, yet somebody still waits; the message names the waiting tasks."""


class RunLimitError(RuntimeError):
    """The run used up its virtual time or its steps, or spins without the clock moving."""


class UnhandledFailureError(RuntimeError):
    """A callback raised, or a future's exception was never looked at; the message lists all such failures."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunLimits:
    """When a run is given up; None means never."""

    max_virtual_s: float | None = None
    max_steps: int | None = None
    max_steps_per_instant: int = 1_000_000  # callbacks without the clock moving: a cycle of zero delays


class _TracedHandle(events.Handle):
    """A handle that remembers which step queued it."""

    __slots__ = ("queued_by",)
    queued_by: int


class VirtualLoop(base_events.BaseEventLoop):
    """The event loop on virtual time; ``time()`` starts at 0, ``wall_ns()`` at ``start``."""

    _ready: deque[events.Handle]
    _scheduled: list[events.TimerHandle]
    _timer_cancelled_count: int
    _stopping: bool
    _thread_id: int | None
    _exception_handler: Callable[[Any, dict[str, Any]], object] | None

    def __init__(
        self, *, start: datetime, seed: int | None = None, latency_s: float = 0.0, limits: RunLimits | None = None
    ) -> None:
        super().__init__()
        try:
            self._start_ns = _ns_since_1970(start)
            self._network = VirtualNetwork(self, latency_s)
        except ValueError:
            self.close()  # a loop that was never usable leaves no warning behind
            raise
        self._now_ns = 0
        self._now_s = 0.0
        self._limits = limits or RunLimits()
        self._steps = 0
        self._steps_now = 0
        self._step = 0  # the number of the callback under way, kept in a drawn order only
        self._shuffler = None if seed is None else random.Random(seed)  # noqa: S311 - a replayable order, no secret
        self._signal_handlers: dict[int, tuple[Callable[..., object], tuple[Any, ...]]] = {}
        self.failures: list[dict[str, Any]] = []

    # The clock

    def time(self) -> float:
        """Return seconds since the start of the run."""
        return self._now_s

    def wall_ns(self) -> int:
        """Return the virtual wall clock in nanoseconds since 1970, UTC."""
        return self._start_ns + self._now_ns

    @property
    def steps(self) -> int:
        """The callbacks run so far."""
        return self._steps

    # One pass

    def _run_once(self) -> None:
        if not self._ready and not self._stopping:
            self._advance()
        scheduled = self._scheduled
        while scheduled and scheduled[0].when() <= self._now_s:
            self._ready.append(self._pop_timer())
        ready = self._ready
        count = len(ready)
        self._count(count)
        if self._shuffler is not None:
            self._run_shuffled(self._shuffler)
            return
        for _ in range(count):
            handle = ready.popleft()
            if not handle._cancelled:
                handle._run()

    def _advance(self) -> None:
        """Move the clock to the next live timer."""
        if self._timer_cancelled_count > max(CANCELLED_TIMERS_WORTH_A_SWEEP, len(self._scheduled) // 2):
            self._sweep_timers()
        while self._scheduled and self._scheduled[0].cancelled():
            self._pop_timer()
        if not self._scheduled:
            raise Deadlock(self._describe_deadlock())
        when = self._scheduled[0].when()
        due_ns = round(when * NS_PER_S)
        if due_ns / NS_PER_S < when:
            due_ns += 1  # the first nanosecond that is not before the timer, so that it is due once it is reached
        if due_ns > self._now_ns:
            limit = self._limits.max_virtual_s
            if limit is not None and due_ns > limit * NS_PER_S:
                raise RunLimitError(f"virtual time must end within {limit} s, next timer is at {when} s")
            self._now_ns = due_ns
            self._now_s = due_ns / NS_PER_S
            self._steps_now = 0

    def _pop_timer(self) -> events.TimerHandle:
        timer = heapq.heappop(self._scheduled)
        timer._scheduled = False  # type: ignore[attr-defined]  # a slot that the stub leaves out
        if timer.cancelled():
            self._timer_cancelled_count -= 1
        return timer

    def _sweep_timers(self) -> None:
        kept = []
        for timer in self._scheduled:
            if timer.cancelled():
                timer._scheduled = False  # type: ignore[attr-defined]  # likewise
            else:
                kept.append(timer)
        heapq.heapify(kept)
        self._scheduled = kept
        self._timer_cancelled_count = 0

    def _count(self, count: int) -> None:
        self._steps += count
        self._steps_now += count
        limits = self._limits
        if self._steps_now > limits.max_steps_per_instant:
            raise RunLimitError(f"{self._steps_now} callbacks ran at {self._now_s} s without the clock moving")
        if limits.max_steps is not None and self._steps > limits.max_steps:
            raise RunLimitError(f"the run must end within {limits.max_steps} callbacks, {self._steps} ran")

    def _describe_deadlock(self) -> str:
        waiting = sorted(_where_it_waits(task) for task in asyncio.all_tasks(self))
        return (
            f"nothing is ready and nothing is scheduled at {self._now_s} s; waiting: {', '.join(waiting) or 'nobody'}"
        )

    # The drawn order

    def _call_soon(
        self, callback: Callable[..., object], args: Iterable[Any], context: Context | None = None
    ) -> events.Handle:
        if self._shuffler is None:
            handle = events.Handle(callback, args, self, context)  # type: ignore[arg-type]  # stub asks for Sequence
        else:
            handle = _TracedHandle(callback, args, self, context)  # type: ignore[arg-type]  # likewise
            handle.queued_by = self._step
        self._ready.append(handle)
        return handle

    def _run_shuffled(self, shuffler: random.Random) -> None:
        batch = list(self._ready)
        self._ready.clear()
        for position in _drawn_order(batch, shuffler):
            self._step += 1
            handle = batch[position]
            if not handle._cancelled:
                handle._run()

    # Connections

    async def create_connection(  # type: ignore[override]  # the overloads of the stub reduce to this one
        self, protocol_factory: ProtocolFactory, host: str | None = None, port: int | None = None, **options: Any
    ) -> tuple[VirtualTransport, asyncio.BaseProtocol]:
        """Connect in memory; only plain connections to an address or to localhost."""
        _refuse_real(options)
        return await self._network.connect(protocol_factory, resolve(host, port))

    async def create_server(  # type: ignore[override]  # likewise
        self,
        protocol_factory: ProtocolFactory,
        host: str | Sequence[str] | None = None,
        port: int | None = None,
        *,
        start_serving: bool = True,
        **options: Any,
    ) -> VirtualServer:
        """Listen in memory on one or several hosts."""
        _refuse_real(options)
        hosts = (host,) if host is None or isinstance(host, str) else tuple(host)
        server = self._network.listen(protocol_factory, hosts, port)
        if start_serving:
            await server.start_serving()
        return server

    async def getaddrinfo(  # type: ignore[override]  # the hints cannot change an answer here
        self, host: bytes | str | None, port: bytes | str | int | None, **_hints: Any
    ) -> list[tuple[socket.AddressFamily, socket.SocketKind, int, str, tuple[str, int]]]:
        """Resolve literals and localhost; a real name raises FencedError."""
        name = host.decode() if isinstance(host, bytes) else host
        number = port.decode() if isinstance(port, bytes) else port
        return [(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", resolve(name, number))]

    # The fence

    def run_in_executor(  # type: ignore[override]  # the stub's variadic types add nothing here
        self, _executor: object, func: Callable[..., T], *args: Any
    ) -> asyncio.Future[T]:
        """Run the function at once, in this thread; the future is done when it is returned."""
        future: asyncio.Future[T] = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:  # noqa: BLE001 - belongs to the one who awaits the future
            future.set_exception(error)
        return future

    def add_signal_handler(  # type: ignore[override]  # as run_in_executor
        self, sig: int, callback: Callable[..., object], *args: Any
    ) -> None:
        """Keep a handler; only ``fire_signal`` calls it."""
        self._signal_handlers[sig] = (callback, args)

    def remove_signal_handler(self, sig: int) -> bool:
        """Forget a handler; whether there was one."""
        return self._signal_handlers.pop(sig, None) is not None

    def fire_signal(self, sig: signal.Signals) -> bool:
        """Queue the handler of a signal, as if it had arrived; whether there was one."""
        if sig not in self._signal_handlers:
            return False
        callback, args = self._signal_handlers[sig]
        self.call_soon(callback, *args)
        return True

    def _write_to_self(self) -> None:
        """Refuse another thread: its timing would not be part of the replay."""
        if self._thread_id is not None and threading.get_ident() != self._thread_id:
            raise FencedError("another thread called into the virtual loop: use run_in_executor, which runs inline")

    def _fenced(self, *_args: Any, **_options: Any) -> Any:
        raise FencedError("real descriptors, pipes, datagrams, TLS and processes do not exist in virtual time")

    async def _fenced_async(self, *_args: Any, **_options: Any) -> Any:
        self._fenced()

    add_reader = add_writer = remove_reader = remove_writer = _fenced  # type: ignore[assignment]  # refuses every call
    sock_recv = sock_recv_into = sock_sendall = sock_connect = sock_accept = sock_sendfile = _fenced_async
    subprocess_exec = subprocess_shell = connect_read_pipe = connect_write_pipe = _fenced_async
    create_datagram_endpoint = create_unix_connection = create_unix_server = _fenced_async
    connect_accepted_socket = start_tls = sendfile = getnameinfo = _fenced_async

    # Failures

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Keep what nobody handled, for the end of the run; a handler that was set is called as well."""
        self.failures.append(dict(context))
        if self._exception_handler is not None:
            super().call_exception_handler(context)

    def settle(self) -> None:
        """Cancel what is left, wait for it and close the asynchronous generators."""
        self._limits = RunLimits(max_steps_per_instant=self._limits.max_steps_per_instant)
        self._steps_now = 0
        leftovers = sorted(asyncio.all_tasks(self), key=lambda task: task.get_name())
        for task in leftovers:
            task.cancel()
        if leftovers:
            self.run_until_complete(asyncio.gather(*leftovers, return_exceptions=True))
        for task in leftovers:
            if not task.cancelled() and (error := task.exception()) is not None:
                self.call_exception_handler(
                    {"message": f"task {task.get_name()} failed at the end", "exception": error}
                )
        self.run_until_complete(self.shutdown_asyncgens())


class _SoleLoopPolicy(asyncio.DefaultEventLoopPolicy):
    """Knows one loop and makes no other: libraries that ask the policy would otherwise get a real one, silently."""

    def new_event_loop(self) -> asyncio.AbstractEventLoop:
        """Refuse."""
        raise FencedError("a second event loop was asked for inside a run on virtual time")


def run_virtual(
    main: Coroutine[Any, Any, T],
    *,
    start: datetime,
    seed: int | None = None,
    latency_s: float = 0.0,
    limits: RunLimits | None = None,
) -> T:
    """Run a coroutine on a fresh virtual loop, cancel what it leaves behind, and return its result.

    Args:
        main: What to run.
        start: The virtual wall clock at the beginning, with a time zone.
        seed: Draws the order of ready callbacks; None keeps them first in, first out.
        latency_s: Delay of every chunk of an in-memory connection, one way, in seconds.
        limits: When to give up.

    Raises:
        Deadlock: Everybody waits for somebody.
        RunLimitError: A limit was reached.
        UnhandledFailureError: The coroutine ended well, but a callback, task or future failed unseen.
    """
    loop = VirtualLoop(start=start, seed=seed, latency_s=latency_s, limits=limits)
    before = asyncio.get_event_loop_policy()
    asyncio.set_event_loop_policy(_SoleLoopPolicy())
    gc.freeze()  # the collection below then looks at what this run has made, not at all that was there before
    try:
        asyncio.set_event_loop(loop)
        result = _run_and_settle(loop, main)
    except BaseException as error:
        for failure in loop.failures:
            error.add_note(f"also unhandled: {_describe_failure(failure)}")
        raise
    finally:
        loop.close()
        asyncio.set_event_loop_policy(before)
        gc.collect()  # a future that nobody looked at tells so when it is collected
        gc.unfreeze()
    _raise_failures(loop.failures)
    return result


def _run_and_settle(loop: VirtualLoop, main: Coroutine[Any, Any, T]) -> T:
    try:
        result = loop.run_until_complete(main)
    except BaseException as error:
        try:
            loop.settle()
        except (Deadlock, RunLimitError) as second:
            error.add_note(f"and the rest could not be cancelled: {second}")
        raise
    loop.settle()
    return result


def _raise_failures(failures: list[dict[str, Any]]) -> None:
    if not failures:
        return
    lines = "; ".join(_describe_failure(failure) for failure in failures)
    raise UnhandledFailureError(f"{len(failures)} failure(s) nobody handled: {lines}") from failures[0].get("exception")


def _describe_failure(failure: dict[str, Any]) -> str:
    what = failure.get("exception") or failure.get("task") or failure.get("future") or failure.get("handle")
    return f"{failure.get('message')} {what!r}"


def _ns_since_1970(moment: datetime) -> int:
    require_aware(start=moment)
    since = moment - EPOCH
    return (since.days * 86_400 + since.seconds) * NS_PER_S + since.microseconds * 1_000


def _where_it_waits(task: asyncio.Task[Any]) -> str:
    frames = task.get_stack(limit=1)
    place = f" at {frames[0].f_code.co_filename}:{frames[0].f_lineno}" if frames else ""
    return f"{task.get_name()}{place}"


def _refuse_real(options: dict[str, Any]) -> None:
    for name in ("ssl", "sock", "server_hostname"):
        if options.get(name) is not None:
            raise FencedError(f"{name} needs a real connection, virtual time has plain in-memory ones only")


def _owner(handle: events.Handle) -> int | None:
    """Return the identity of the task or transport that a callback belongs to, None for any other."""
    owner = getattr(handle._callback, "__self__", None)  # type: ignore[attr-defined]  # likewise
    return id(owner) if isinstance(owner, (asyncio.Future, VirtualTransport)) else None


def _drawn_order(batch: list[events.Handle], shuffler: random.Random) -> Iterable[int]:
    """Yield the positions of a pass in a drawn order that keeps each owner's and each step's callbacks in sequence."""
    followers: list[list[int]] = [[] for _ in batch]
    blockers = [0] * len(batch)
    latest: dict[tuple[str, int], int] = {}
    for position, handle in enumerate(batch):
        owner, origin = _owner(handle), getattr(handle, "queued_by", None)
        for key in (("owner", owner), ("queued by", origin)):
            if key[1] is None:
                continue
            if (earlier := latest.get((key[0], key[1]))) is not None:
                followers[earlier].append(position)
                blockers[position] += 1
            latest[key[0], key[1]] = position
    free = [position for position, count in enumerate(blockers) if count == 0]
    while free:
        position = free.pop(shuffler.randrange(len(free)))
        yield position
        for follower in followers[position]:
            blockers[follower] -= 1
            if blockers[follower] == 0:
                free.append(follower)
