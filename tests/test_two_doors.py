"""The slow door confirms the fast one: the same scenario through both leaves the same journal."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.runs import Played, play

UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


ANSWERS = frozenset({"evidence_delivered", "sensitivity_measured", "daily_recorded", "books_agreed"})


@pytest.mark.timeout(300)  # seconds of a machine with other work
def test_both_doors_leave_the_same_journal(played: Played, tmp_path: Path) -> None:
    """Decisions, verdicts, orders, fills and positions are equal to the cent and the second through either door."""
    wire = _story(played)
    process = _story(play(tmp_path / "process", door="process"))
    assert len(wire) > 40
    for one, other in zip(wire, process, strict=True):
        assert one == other


def _story(played: Played) -> list[tuple[str, str, Any]]:
    """Rows without what legitimately differs: drawn ids, how a link came up, when answers to questions came."""
    names: dict[str, str] = {}
    story = []
    for row in played.rows:
        if row.kind in {"link_restored", "order_acknowledged", "commission_booked", "parity_checked"}:
            continue
        text = UUID.sub(lambda found: names.setdefault(found[0], f"id-{len(names)}"), row.payload)
        facts = json.loads(text)
        for name in ("net_liquidation_usd", "trigger"):
            facts.pop(name, None)
        at = "" if row.kind in ANSWERS else row.at.isoformat()
        story.append((row.kind, at, facts))
    return story
