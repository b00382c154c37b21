"""Prints every figure: ``python -m tests.benchmarks``."""

from tests.benchmarks.gateway_memory import memory_figure
from tests.benchmarks.gateway_wire import gateway_wire_figures
from tests.benchmarks.gating import gate_figures
from tests.benchmarks.killing import kill_figure
from tests.benchmarks.measure import table
from tests.benchmarks.replaying import replay_figure
from tests.benchmarks.wire import wire_figures

if __name__ == "__main__":
    figures = [
        replay_figure(),
        *wire_figures(),
        kill_figure(),
        *gate_figures(),
        *gateway_wire_figures(),
        memory_figure(),
    ]
    print(table(figures))  # noqa: T201 - the table is the output
