"""Shows mutants to the tests, one forked process each: ``python -m tests.mutants.children``, in the mutated tree.

How it works: the mutants come as JSON on standard input. pytest collects the tests once and gives its loop to
`Children`. A first child runs every test and records which functions each of them reaches; a second runs them all
again, the fastest first, and says how long each takes. Then there is one child for each mutant: it switches it on,
runs the tests that reach it, and ends at the first that fails. Results are appended to a file as they come.

What always holds: the parent runs no test, and what tests and risk/ keep of earlier calls is forgotten before the first
fork and, while it is recorded what a test reaches, before each test; so nothing that an unchanged function once gave
back can hide a mutant. A child leaves nothing behind but what it writes into its pipe.
"""

import gc
import json
import os
import resource
import select
import signal
import sys
import threading
import time
import traceback
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from types import FrameType
from typing import Any, TextIO

import pytest
from mutmut.configuration import config
from mutmut.mutation import trampoline

from tests.mutants import switch
from tests.mutants.order import Order, Shown
from tests.mutants.results import Mutant, Outcome, Result

RESULTS = Path("results.jsonl")
SLOWER = 5
"""How many times longer than without a mutant a test may take before it counts as one that does not end."""
GRACE_S = 2.0
"""Time of the processor beside that for one test: most take milliseconds, where five times as long says nothing."""
WAIT_S = 10.0
"""Time on the clock beside that for one child: the machine may be busy with other things."""
CLEAN_S = 900.0
"""Time on the clock for all tests without a mutant; they take about twenty seconds, recorded a few minutes."""
MEMORY_BYTES = 4 << 30
"""Address space of a child: a mutant that fills a list for ever must not take the machine with it."""
ARGUMENTS = (
    "--rootdir=.",
    "--capture=no",
    "--tb=line",
    "-q",
    "-p",
    "no:cacheprovider",
    "-p",
    "no:xdist",
    "-o",
    "timeout=0",
)


@dataclass(frozen=True, slots=True)
class Told:
    """How a child ended, with the lines it wrote."""

    lines: list[Any]
    status: int  # as of os.waitstatus_to_exitcode
    was_killed: bool


def fork(work: Callable[[TextIO], None], limit_s: float) -> Told:
    """Let a child work and return what it wrote; it is killed when it takes longer than that."""
    reader, writer = os.pipe()
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        os.close(reader)
        _work(work, writer)
    os.close(writer)
    try:
        lines, was_killed = _listened(reader, time.monotonic() + limit_s)
    except BaseException:
        _end(child)
        raise
    finally:
        os.close(reader)
    if was_killed:
        _end(child)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    _end(child)  # whatever it has started goes with it
    return Told(lines, status, was_killed)


def _listened(reader: int, deadline: float) -> tuple[list[Any], bool]:
    """Return the lines that a child writes until it ends, and whether it went on beyond the deadline."""
    parts, is_late = list[bytes](), True
    while is_late and (left := deadline - time.monotonic()) > 0:
        if select.select([reader], [], [], left)[0]:
            part = os.read(reader, 1 << 16)
            parts.append(part)
            is_late = bool(part)
    whole = b"".join(parts).rpartition(b"\n")[0]  # a killed child may leave half a line
    return [json.loads(line) for line in whole.splitlines()], is_late


def _end(child: int) -> None:
    """End a child's group of processes."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child, signal.SIGKILL)


def _work(work: Callable[[TextIO], None], writer: int) -> None:
    """Work in the child, silently, and end it."""
    try:
        os.setpgid(0, 0)
        nothing = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(nothing, descriptor)
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        with os.fdopen(writer, "w", encoding="utf-8") as told:
            work(told)
    except BaseException:  # noqa: BLE001 - nothing of the child may run on in the parent's code
        os._exit(3)
    os._exit(0)


class Children:
    """The plugin that takes pytest's loop over."""

    def __init__(self, wanted: list[Mutant]) -> None:
        """Take the mutants that shall be shown."""
        self.wanted = wanted
        self.failure = ""
        self.items: list[pytest.Item] = []

    def pytest_sessionstart(self) -> None:
        """Let properties try the same examples in every child, and look for no smaller one that fails too."""
        from tests.mutants import properties  # noqa: PLC0415 - pytest wants to import hypothesis first

        properties.load_profile()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep that a test failed."""
        if report.failed:
            self.failure = self.failure or f"{report.nodeid}: {report.longreprtext}"

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Run the tests in children instead of here."""
        if session.testsfailed:
            raise session.Interrupted("the tests could not be collected")
        self.items = session.items
        from tests.mutants import properties  # noqa: PLC0415 - as above

        properties.warm_up()
        for memory in switch.memories():
            memory.cache_clear()
        gc.collect()
        gc.freeze()
        order = self.clean()
        began = time.monotonic()
        with RESULTS.open("a", encoding="utf-8") as file:
            for count, mutant in enumerate(self.wanted, 1):
                result = self.shown(mutant, order)
                file.write(result.line())
                file.flush()
                _tell(count, len(self.wanted), time.monotonic() - began, result)
        return True

    def passes(self, test: int, following: int | None) -> bool:
        """Run one test and return whether it passed."""
        self.failure = ""
        item, after = self.items[test], None if following is None else self.items[following]
        try:
            item.ihook.pytest_runtest_protocol(item=item, nextitem=after)
        except BaseException:  # noqa: BLE001 - a mutant may end the session or the process
            self.failure = self.failure or traceback.format_exc()
        return not self.failure

    def clean(self) -> Order:
        """Run all tests without a mutant, twice; return what they reach and how long each takes."""
        told = fork(self._record, CLEAN_S)
        self._must_be_green(told)
        reaching: dict[str, list[int]] = defaultdict(list)
        for row in told.lines:
            for function in row["reached"]:
                reaching[function].append(row["test"])
        order = sorted(range(len(self.items)), key=lambda test: told.lines[test]["seconds"])
        told = fork(lambda out: self._time(order, out), CLEAN_S)
        self._must_be_green(told)
        tests = {row["test"]: Shown(node=self.items[row["test"]].nodeid, seconds=row["seconds"]) for row in told.lines}
        return Order(tests, reaching)

    def _must_be_green(self, told: Told) -> None:
        failed = [row["failure"] for row in told.lines if row["failure"]]
        if failed or told.status or len(told.lines) != len(self.items):
            what = failed[0] if failed else f"ended with {told.status} after {len(told.lines)} of {len(self.items)}"
            raise pytest.UsageError(f"without any mutant the tests must pass: {what}")

    def _record(self, out: TextIO) -> None:
        """Run each test as if it were the first and write down which functions it reaches."""
        codes, memories, reached = switch.functions(), list(switch.memories()), set[str]()

        def seen(frame: FrameType, event: str, _: object) -> None:
            if event == "call" and frame.f_code in codes:
                reached.add(codes[frame.f_code])

        threading.setprofile(seen)
        for test in range(len(self.items)):
            for memory in memories:
                memory.cache_clear()
            reached.clear()
            began = time.process_time()
            sys.setprofile(seen)
            self.passes(test, None)  # no test follows: the next one's fixtures are made anew
            sys.setprofile(None)
            took = time.process_time() - began
            _write(out, test=test, seconds=took, reached=sorted(reached), failure=self.failure)

    def _time(self, order: list[int], out: TextIO) -> None:
        """Run the tests in an order and write down how long each takes."""
        for test, following in zip_longest(order, order[1:]):
            began = time.process_time()
            self.passes(test, following)
            _write(out, test=test, seconds=time.process_time() - began, failure=self.failure)

    def shown(self, mutant: Mutant, order: Order) -> Result:
        """Show a mutant to the tests that reach it, and return what became of it."""
        began, tests = time.monotonic(), order.of(mutant.function)
        if not tests:
            return Result(name=mutant.name, digest=mutant.digest, outcome=Outcome.UNREACHED)
        expected_s = sum(order.tests[test].seconds for test in tests)
        told = fork(lambda out: self._show(mutant, order, tests, out), SLOWER * expected_s + WAIT_S)
        outcome, last = _outcome(told)
        by = ""
        if outcome.is_noticed and last:
            order.noticed(mutant.function, last["test"])
            by = order.tests[last["test"]].node
        seconds, count = round(time.monotonic() - began, 3), tests.index(last["test"]) + 1 if last else 0
        return Result(name=mutant.name, digest=mutant.digest, outcome=outcome, by=by, shown=count, seconds=seconds)

    def _show(self, mutant: Mutant, order: Order, tests: list[int], out: TextIO) -> None:
        """Run tests with a mutant until one fails, and write down the last one."""
        switch.switch_on(mutant.name)
        running = tests[0]

        def too_long(*_: object) -> None:
            _write(out, test=running, outcome=Outcome.TIMEOUT)
            os._exit(0)

        signal.signal(signal.SIGPROF, too_long)
        for running, following in zip_longest(tests, tests[1:]):
            signal.setitimer(signal.ITIMER_PROF, SLOWER * order.tests[running].seconds + GRACE_S)
            if not self.passes(running, following):
                _write(out, test=running, outcome=Outcome.KILLED)
                os._exit(0)  # nothing is torn down: the process ends here
        _write(out, test=running, outcome=Outcome.SURVIVED)
        os._exit(0)


def _outcome(told: Told) -> tuple[Outcome, dict[str, Any] | None]:
    """What became of a mutant, and the last line its child wrote.

    Raises:
        RuntimeError: The child failed before any test ran.
    """
    if told.lines:
        return Outcome(told.lines[-1]["outcome"]), told.lines[-1]
    if told.was_killed:
        return Outcome.TIMEOUT, None
    if told.status == 3:
        raise RuntimeError("a child could not show its mutant to any test")
    return Outcome.CRASHED, None


def _write(out: TextIO, **row: object) -> None:
    out.write(json.dumps(row) + "\n")
    out.flush()


def _tell(count: int, every: int, seconds: float, result: Result) -> None:
    if not result.outcome.is_noticed or count % 50 == 0 or count == every:
        left_min = seconds / count * (every - count) / 60
        words = f"{count:5} of {every}, {seconds / count:.2f} s each, {left_min:.0f} min left"
        sys.stdout.write(f"{words}  {result.outcome.value:9} {result.name}\n")
        sys.stdout.flush()


def main() -> int:
    """Show the mutants that stand on standard input; return pytest's code."""
    wanted = [Mutant(**row) for row in json.load(sys.stdin)]
    trampoline.wrap_in_trampoline = switch.registered
    return int(pytest.main([*config().pytest_add_cli_args_test_selection, *ARGUMENTS], plugins=[Children(wanted)]))


if __name__ == "__main__":
    sys.exit(main())
