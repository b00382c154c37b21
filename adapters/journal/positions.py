"""Positions by the journal's executions alone, in a few lines that share nothing with the bot's own book.

How it works: the first comparison with the broker is the beginning, every execution after it counts once. A contract's
name is built from the fields that both sides tell. What always holds: a row that does not say what an execution must
say is an error, never a smaller position.

Source: docs/risk-controls.md, C25.
"""

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from adapters.journal.store import read_rows
from bot.domain.errors import JournalError

SIGN = {"BUY": 1, "SELL": -1}
SEGMENTS = 4
"""Of an id whose last part counts corrections."""


def positions_told(path: Path, today: str) -> Mapping[str, int]:
    """Return contracts by name, those of zero and those whose last trading day is over left out.

    Args:
        path: The journal.
        today: The day in New York, YYYYMMDD.

    Raises:
        JournalError: No journal, or a row that cannot be counted.
    """
    held: Counter[str] = Counter()
    counted: set[str] = set()
    latest: dict[tuple[str, str], tuple[int, int]] = {}  # of what may be corrected: its number, what it moved
    begun = False
    for row in read_rows(path, ("books_reconciled", "order_filled")):
        try:
            facts = json.loads(row.payload)
            if row.kind == "books_reconciled" and not begun:
                begun = True
                held.update({name_of(one["instrument"]): int(one["quantity"]) for one in facts["positions"]})
            elif row.kind == "order_filled":
                fill = facts["fill"]
                if fill["exec_id"] not in counted and fill["part"] != "combo":
                    name, moved = name_of(fill["instrument"]), SIGN[fill["side"]] * int(fill["quantity"])
                    moved -= _taken_back(latest, str(fill["exec_id"]), name, moved)
                    held[name] += moved if begun else 0
                counted.add(fill["exec_id"])
        except (ValueError, KeyError, TypeError) as error:
            raise JournalError(f"{path}: row {row.seq} cannot be counted: {error!r}") from error
    return still_traded(held, today)


def _taken_back(latest: dict[tuple[str, str], tuple[int, int]], exec_id: str, name: str, moved: int) -> int:
    """Contracts to take back: what an execution corrects, or itself where a later version of it is counted already."""
    root, _, number = exec_id.rpartition(".")
    if root.count(".") != SEGMENTS - 2 or not number.isdecimal():
        return 0
    known = latest.get((root, name), (0, 0))
    if known[0] > int(number):
        return moved
    latest[root, name] = (int(number), moved)
    return known[1]


def name_of(instrument: Mapping[str, Any]) -> str:
    """Return a contract's name from its fields in the journal."""
    kind, day = str(instrument["kind"]), str(instrument.get("last_trade") or "").replace("-", "")
    if kind not in {"OPT", "FUT"}:
        return str(instrument["symbol"])
    strike = instrument.get("strike")
    return contract_name(
        kind, str(instrument["trading_class"]), day, float(strike or 0), str(instrument["right"] or "")
    )


def contract_name(kind: str, trading_class: str, last_trade: str, strike: float, right: str) -> str:
    """Return the name that journal and broker share; ``last_trade`` is YYYYMMDD.

    >>> contract_name("OPT", "VIX", "20261117", 20.0, "C"), contract_name("FUT", "VX", "20261117", 0.0, "")
    ('20261117 OPT VIX 20 C', '20261117 FUT VX')
    """
    return f"{last_trade} {kind} {trading_class}" + (f" {strike:g} {right}" if kind == "OPT" else "")


def still_traded(held: Mapping[str, int], today: str) -> Mapping[str, int]:
    """Return what is neither zero nor past its last trading day: settlement is no execution.

    >>> still_traded({"20261117 FUT VX": 1, "SPY": 3, "20261216 FUT VX": 0}, "20261118")
    {'SPY': 3}
    """
    return {name: count for name, count in held.items() if count and not (name[:8].isdigit() and name[:8] < today)}
