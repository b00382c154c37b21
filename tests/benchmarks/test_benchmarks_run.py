"""The benchmarks that start processes still run; what they measure is nobody's business here."""

import asyncio

from tests.benchmarks.gateway_memory import Week, gateway_memory
from tests.benchmarks.measure import Figure, table


def test_the_memory_benchmark_runs() -> None:
    """Two days of two minutes each: a process, its client, lookups, a trade a day."""
    found = asyncio.run(gateway_memory(Week(days=2, minutes=2)))

    assert (len(found.after_days), found.filled) == (2, 2)
    assert all(each > 0 for each in found.after_days)


def test_figures_make_a_table() -> None:
    """One line each under a head that says what the columns are."""
    figure = Figure(name="ticks", measured="3 ms", floor="2 ms, a bare loop", ratio=1.5, aim="<= 2")

    assert table([figure]).splitlines()[-1] == "| ticks | 3 ms | 2 ms, a bare loop | 1.50 | <= 2 |"
