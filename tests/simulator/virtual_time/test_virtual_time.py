"""The virtual clock, the ready order, the limits and the fence."""

import asyncio
import signal
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.virtual_network import FencedError
from simulator.virtual_time import (
    Deadlock,
    RunLimitError,
    RunLimits,
    UnhandledFailureError,
    VirtualLoop,
    run_virtual,
)

START = datetime(2026, 10, 19, 13, 30, tzinfo=UTC)
START_NS = 1_792_416_600_000_000_000


def the_loop() -> VirtualLoop:
    """Return the running loop under its own type."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    return loop


def test_a_long_sleep_takes_no_real_time_and_moves_both_clocks() -> None:
    """Thirty virtual days pass at once, and the wall clock moves with the loop's own."""

    async def main() -> tuple[float, int]:
        await asyncio.sleep(30 * 86_400)
        return the_loop().time(), the_loop().wall_ns()

    assert run_virtual(main(), start=START) == (2_592_000.0, START_NS + 2_592_000 * 10**9)


@given(st.lists(st.floats(min_value=0, max_value=1e6), min_size=1, max_size=20))
def test_timers_fire_in_order_and_never_early(delays: list[float]) -> None:
    """Whatever the delays, each callback sees a clock at or just after its deadline, and the clock never goes back."""

    async def main() -> list[tuple[float, float]]:
        loop = the_loop()
        seen: list[tuple[float, float]] = []
        for delay in delays:
            loop.call_at(delay, lambda delay=delay: seen.append((delay, loop.time())))
        await asyncio.sleep(max(delays) + 1)
        return seen

    seen = run_virtual(main(), start=START)
    assert [delay for delay, _ in seen] == sorted(delays)
    assert all(0 <= at - delay < 2e-9 for delay, at in seen)


def test_waiting_for_a_deadline_in_a_loop_ends() -> None:
    """A loop that sleeps what is left until a deadline reaches it instead of spinning on a rounding rest."""

    async def main() -> int:
        loop, rounds = the_loop(), 0
        deadline = 0.1 + 0.2
        while loop.time() < deadline:
            await asyncio.sleep(deadline - loop.time())
            rounds += 1
        return rounds

    assert run_virtual(main(), start=START) <= 2


def test_a_timeout_fires_on_virtual_time() -> None:
    """``asyncio.timeout`` ends a wait that nobody else ends."""

    async def main() -> float:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(5):
                await asyncio.Event().wait()
        return the_loop().time()

    assert run_virtual(main(), start=START) == 5.0


def test_a_deadlock_names_who_waits() -> None:
    """With nothing ready and nothing scheduled the run ends and says which task waits, and where."""

    async def main() -> None:
        await asyncio.create_task(asyncio.Event().wait(), name="waits-for-godot")

    with pytest.raises(Deadlock, match=r"nothing is scheduled at 0\.0 s; waiting: .*waits-for-godot"):
        run_virtual(main(), start=START)


def test_a_cycle_of_zero_delays_is_found() -> None:
    """A task that yields for ever without the clock moving is reported, not waited for."""

    async def main() -> None:
        while True:  # noqa: ASYNC110 - spinning is the point
            await asyncio.sleep(0)

    with pytest.raises(RunLimitError, match="without the clock moving"):
        run_virtual(main(), start=START, limits=RunLimits(max_steps_per_instant=1000))


@pytest.mark.parametrize(
    ("limits", "words"),
    [(RunLimits(max_virtual_s=10), "must end within 10 s"), (RunLimits(max_steps=50), "must end within 50 callbacks")],
)
def test_a_run_has_limits_of_time_and_of_steps(limits: RunLimits, words: str) -> None:
    """An endless run stops at the limit that was set for it."""

    async def main() -> None:
        while True:  # noqa: ASYNC110 - running on is the point
            await asyncio.sleep(1)

    with pytest.raises(RunLimitError, match=words):
        run_virtual(main(), start=START, limits=limits)


def test_cancelled_timers_neither_hold_nor_move_the_clock() -> None:
    """Thousands of cancelled deadlines leave no trace in the time of the run."""

    async def main() -> float:
        loop = the_loop()
        for _ in range(3000):
            loop.call_later(50, print).cancel()
        await asyncio.sleep(1)
        return loop.time()

    assert run_virtual(main(), start=START) == 1.0


def an_order_of_ten_tasks(seed: int | None) -> list[str]:
    """Return the order in which ten tasks, started by ten timers of one deadline, take two steps each."""

    async def main() -> list[str]:
        trace: list[str] = []

        async def two_steps(name: int) -> None:
            trace.append(f"{name}a")
            await asyncio.sleep(0)
            trace.append(f"{name}b")

        loop = the_loop()
        tasks: list[asyncio.Task[None]] = []
        for name in range(10):
            loop.call_at(1.0, lambda name=name: tasks.append(loop.create_task(two_steps(name))))
        await asyncio.sleep(2)
        return trace

    return run_virtual(main(), start=START, seed=seed)


def test_a_seed_gives_one_order_and_another_seed_another() -> None:
    """The same seed replays the same order; among a few seeds there are different ones."""
    assert an_order_of_ten_tasks(7) == an_order_of_ten_tasks(7)
    assert len({tuple(an_order_of_ten_tasks(seed)) for seed in range(8)}) > 4
    assert an_order_of_ten_tasks(None) == an_order_of_ten_tasks(None)


@given(st.integers(min_value=0, max_value=10_000))
def test_a_drawn_order_keeps_what_one_callback_queued_in_sequence(seed: int) -> None:
    """Callbacks that one callback queued keep their order, whatever happens between two such groups."""

    async def main() -> list[tuple[int, int]]:
        loop, trace = the_loop(), []

        def queue(group: int) -> None:
            for number in range(4):
                loop.call_soon(trace.append, (group, number))

        for group in range(4):
            loop.call_at(1.0, queue, group)
        await asyncio.sleep(2)
        return trace

    trace = run_virtual(main(), start=START, seed=seed)
    for group in range(4):
        assert [number for owner, number in trace if owner == group] == [0, 1, 2, 3]


def test_some_seed_interleaves_the_groups() -> None:
    """The draw is real: without a seed equal timers run as groups, with some seed they mix."""

    def orders(seed: int | None) -> list[int]:
        async def main() -> list[int]:
            loop, trace = the_loop(), []

            def queue(group: int) -> None:
                loop.call_soon(trace.append, group)
                loop.call_soon(trace.append, group)

            loop.call_at(1.0, queue, 0)
            loop.call_at(1.0, queue, 1)
            await asyncio.sleep(2)
            return trace

        return run_virtual(main(), start=START, seed=seed)

    assert orders(None) == [0, 0, 1, 1]
    assert {tuple(orders(seed)) for seed in range(30)} >= {(0, 1, 0, 1), (1, 0, 1, 0), (1, 1, 0, 0)}


def test_a_failing_callback_fails_the_run() -> None:
    """An exception in a plain callback is not lost in a log line."""

    async def main() -> None:
        the_loop().call_soon(lambda: 1 // 0)
        await asyncio.sleep(1)

    with pytest.raises(UnhandledFailureError, match="ZeroDivisionError"):
        run_virtual(main(), start=START)


def test_a_future_nobody_looked_at_fails_the_run() -> None:
    """An exception stored in a future that is thrown away is reported at the end."""

    async def main() -> None:
        the_loop().create_future().set_exception(LookupError("lost"))

    with pytest.raises(UnhandledFailureError, match="lost"):
        run_virtual(main(), start=START)


def test_the_coroutine_s_own_error_comes_first_and_carries_the_others() -> None:
    """When the run itself raises, unhandled failures are notes of its error."""

    async def main() -> None:
        the_loop().call_soon(lambda: 1 // 0)
        await asyncio.sleep(1)
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine") as caught:
        run_virtual(main(), start=START)
    assert "ZeroDivisionError" in caught.value.__notes__[0]


def test_leftover_tasks_are_cancelled_and_may_clean_up() -> None:
    """A task still running at the end is cancelled and its finally block runs to its end."""
    done: list[str] = []

    async def lingering() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(3)
            done.append("cleaned")

    async def main() -> None:
        task = asyncio.create_task(lingering())
        await asyncio.sleep(1)
        assert not task.done()

    run_virtual(main(), start=START)
    assert done == ["cleaned"]


def test_work_for_an_executor_runs_inline() -> None:
    """``to_thread`` gives the function's result or its error without a thread."""

    async def main() -> int:
        with pytest.raises(ValueError, match="no number"):
            await asyncio.to_thread(int_of_nothing)
        return await asyncio.to_thread(lambda: 42)

    def int_of_nothing() -> int:
        raise ValueError("no number")

    assert run_virtual(main(), start=START) == 42


def test_a_signal_handler_is_kept_and_fired_by_hand() -> None:
    """A handler runs when the script fires its signal; without one nothing happens."""

    async def main() -> list[object]:
        loop, heard = the_loop(), []
        assert not loop.fire_signal(signal.SIGTERM)
        loop.add_signal_handler(signal.SIGTERM, heard.append, "stop")
        assert loop.fire_signal(signal.SIGTERM)
        await asyncio.sleep(0)
        heard.append(loop.remove_signal_handler(signal.SIGTERM))
        heard.append(loop.remove_signal_handler(signal.SIGTERM))
        return heard

    assert run_virtual(main(), start=START) == ["stop", True, False]


@pytest.mark.parametrize(
    "leak",
    [
        lambda loop: loop.getaddrinfo("example.org", 80),
        lambda loop: loop.create_connection(asyncio.Protocol, "example.org", 80),
        lambda loop: loop.create_connection(asyncio.Protocol, "localhost", 80, ssl=True),
        lambda _loop: asyncio.create_subprocess_exec("true"),
        lambda loop: loop.create_datagram_endpoint(asyncio.DatagramProtocol, ("127.0.0.1", 9)),
        lambda loop: loop.create_unix_connection(asyncio.Protocol, "/run/nothing"),
        lambda loop: loop.sock_recv(None, 1),
    ],
)
def test_a_way_out_of_the_virtual_world_is_refused(leak: Callable[[asyncio.AbstractEventLoop], object]) -> None:
    """Names, TLS, processes, datagrams and real sockets raise instead of reaching the machine."""

    async def main() -> None:
        with pytest.raises(FencedError):
            await leak(asyncio.get_running_loop())  # type: ignore[misc]  # each entry is a coroutine

    run_virtual(main(), start=START)


def test_descriptors_are_refused() -> None:
    """Polling a descriptor is refused."""

    async def main() -> None:
        with pytest.raises(FencedError):
            asyncio.get_running_loop().add_reader(0, print)

    run_virtual(main(), start=START)


def test_only_one_loop_exists_during_a_run() -> None:
    """The policy knows the virtual loop, makes no second one, and is put back afterwards."""
    before = asyncio.get_event_loop_policy()

    async def main() -> None:
        assert asyncio.get_event_loop_policy().get_event_loop() is asyncio.get_running_loop()
        with pytest.raises(FencedError, match="second event loop"):
            asyncio.new_event_loop()

    run_virtual(main(), start=START)
    assert asyncio.get_event_loop_policy() is before


def test_a_start_without_a_zone_is_refused() -> None:
    """A naive start has no place on the wall clock."""
    with pytest.raises(ValueError, match="time zone"):
        VirtualLoop(start=datetime(2026, 10, 19))  # noqa: DTZ001 - the point of the test
