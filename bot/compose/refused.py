"""A refused order as the log tells it: the order in words, and every rule that refused it with figures and unit."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from adapters.journal.codec import plain
from bot.domain.decision import Checked
from bot.domain.overrides import can_be_waived
from bot.ports import JournalRow
from bot.report.explaining.gate import SUFFIX, failure_words
from bot.report.explaining.trades import order_words

REFUSED, GRANTED = "order_refused", "override_granted"


def in_full(row: JournalRow) -> JournalRow:
    """Return the row for a file: a refusal with the order in words and its reasons beside everything it holds."""
    if row.kind != REFUSED:
        return row
    return replace(row, payload={**_words(row), "reasons": _reasons(row), **row.payload})


def in_short(row: JournalRow) -> JournalRow:
    """Return the row for a terminal: of a refusal the words alone, and the id by which an override names it."""
    if row.kind == GRANTED:
        told = {name: held for name, held in row.payload.items() if name not in ("intent", "digest", "refused_because")}
        return replace(row, payload={"order": order_words(_facts(row).get("intent") or {}), **told})
    if row.kind != REFUSED:
        return row
    facts = _facts(row)
    largest = facts.get("largest_quantity")
    size = f"the largest size that would pass is {largest}" if largest else "no smaller size would pass"
    return replace(row, payload={**_words(row), "size": size, "intent_id": facts["intent"]["intent_id"]})


def _facts(row: JournalRow) -> Mapping[str, Any]:
    written = plain(dict(row.payload), null_if_not_finite=True)
    return written if isinstance(written, dict) else {}


def _failed(row: JournalRow) -> list[Mapping[str, Any]]:
    checks = _facts(row).get("checks") or []
    return [check for check in checks if not check.get("passed") and not check.get("overridden")]


def _words(row: JournalRow) -> Mapping[str, object]:
    because = "; ".join(failure_words(check) for check in _failed(row))
    return {"order": order_words(_facts(row).get("intent") or {}), "because": because}


def _reasons(row: JournalRow) -> list[Mapping[str, object]]:
    checks = row.payload.get("checks")
    found = checks if isinstance(checks, list) else []
    waivable = {one.rule.value for one in found if isinstance(one, Checked) and can_be_waived(one)}
    return [
        {
            "rule": check["rule"],
            "found": check.get("found"),
            "limit": check.get("limit"),
            "headroom": check.get("headroom"),
            "unit": SUFFIX.get(check["rule"], ""),
            "note": check.get("note"),
            "overridable": check["rule"] in waivable,
        }
        for check in _failed(row)
    ]
