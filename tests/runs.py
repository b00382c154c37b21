"""Simulated runs for tests: what the journal holds afterwards, and the gateway's own ledger beside it."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adapters.journal.store import WrittenRow, read_rows
from bot.compose.options import Outcome, RunOptions
from bot.compose.outputs import Outputs
from bot.compose.simulated import run_simulated
from simulator.gateway import Gateway
from simulator.tws.desk import LedgerRow

QUICK_TICK_S = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """One finished run."""

    outcome: Outcome
    rows: tuple[WrittenRow, ...]
    ledger: tuple[LedgerRow, ...]

    def of_kind(self, *kinds: str) -> list[dict[str, Any]]:
        """Return the facts of all rows of some kinds, in order."""
        return [json.loads(row.payload) for row in self.rows if row.kind in kinds]

    def kinds(self) -> list[str]:
        """Return the kinds of all rows, in order."""
        return [row.kind for row in self.rows]


def play(folder: Path, **options: Any) -> Played:
    """Run a simulated window quietly and read what it left."""
    seen: list[Gateway] = []
    chosen = RunOptions(**{"tick_s": QUICK_TICK_S, "sessions": 2, **options})
    outputs = Outputs(folder)
    try:
        outcome = run_simulated(chosen, outputs, seen.append)
    finally:
        outputs.close()
    rows = tuple(read_rows(folder / "state" / "journal.db"))
    return Played(outcome=outcome, rows=rows, ledger=seen[0].ledger())
