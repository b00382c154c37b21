"""Timing for the benchmarks, and the table they print."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

now_ns = time.perf_counter_ns


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One line of the table; ``ratio`` of the measured over the floor, and the aim for it."""

    name: str
    measured: str
    floor: str
    ratio: float
    aim: str


def timed(work: Callable[[], object]) -> float:
    """Return the seconds that a piece of work takes."""
    began = now_ns()
    work()
    return (now_ns() - began) / 1e9


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which a share of all lies (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def table(figures: Sequence[Figure]) -> str:
    """Return the figures as a Markdown table."""
    lines = ["| what | measured | floor in the same run | ratio | aim |", "|---|---|---|---|---|"]
    lines += [f"| {one.name} | {one.measured} | {one.floor} | {one.ratio:.2f} | {one.aim} |" for one in figures]
    return "\n".join(lines)
