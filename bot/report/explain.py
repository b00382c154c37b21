"""``alvh explain``: one decision told in words and figures from the journal's rows, as a person or a program reads it.

How it works: the rows of the decision are gathered (`trail_of`), each part says what it finds in them, and what is not
there is said to be missing. Nothing is worked out anew that the decision itself had worked out.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from bot.domain.errors import InvalidValueError
from bot.domain.schedule import NEW_YORK
from bot.report.explaining.candidates import candidates_part
from bot.report.explaining.confirmations import confirmations_part
from bot.report.explaining.figures import day_and_clock, text_of
from bot.report.explaining.gate import gate_part
from bot.report.explaining.opening import decided_of, opening
from bot.report.explaining.outcome import outcome_part
from bot.report.explaining.parts import Explanation, Grid, Part
from bot.report.explaining.place import place_part
from bot.report.explaining.reading import signal_part
from bot.report.explaining.restraint import restraint_part
from bot.report.explaining.size import size_part
from bot.report.explaining.trail import PLANNED, Trail
from bot.report.story import Told

LAST: Final = "last"
"""What names the last decision of a journal."""
SHOWN: Final = 8
"""So many candidates for an ambiguous beginning are named."""
PARTS: Final = (
    *(signal_part, confirmations_part, size_part, place_part, candidates_part),
    *(restraint_part, gate_part, outcome_part),
)
"""In the order in which they are read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One decision as a list of them shows it."""

    decision_id: str
    at: str
    action: str


def explained(trail: Trail) -> Explanation:
    """Return the explanation of one decision."""
    return Explanation(
        decision_id=trail.plan.decision_id,
        at=trail.plan.at,
        action=decided_of(trail),
        trigger=text_of(trail.facts.get("trigger")),
        summary=opening(trail),
        parts=tuple(part(trail) for part in PARTS),
    )


def decision_named(rows: Iterable[Told], beginning: str) -> str:
    """Return the full id of the decision that an id or its beginning names.

    Args:
        rows: The journal's, in the order of writing; of `trail.KINDS` at least.
        beginning: A full id, a beginning that only one decision has, or ``last``.

    Raises:
        InvalidValueError: None or several have it; the message lists them.
    """
    decisions, orders = _listed(rows)
    if not decisions:
        raise InvalidValueError("the journal holds no decision yet")
    if beginning == LAST:
        return decisions[-1].decision_id
    found = [one for one in decisions if beginning and one.decision_id.startswith(beginning.lower())]
    if len(found) > 1 and all(one.decision_id != beginning for one in found):
        raise InvalidValueError(f"{beginning!r} begins {len(found)} decisions: {_some(found)}; give more of the id")
    if not found:
        raise InvalidValueError(
            f"no decision begins with {text_of(beginning)!r}; {_hint(beginning, orders, decisions)}"
        )
    return beginning.lower() if len(found) > 1 else found[0].decision_id


def as_facts(explanation: Explanation, trail: Trail) -> Mapping[str, object]:
    """Return everything as one object of JSON values: words, tables, figures, links, and the rows themselves."""
    return {
        "decision_id": explanation.decision_id,
        "at": explanation.at.isoformat(),
        "at_new_york": explanation.at.astimezone(NEW_YORK).isoformat(),
        "decided": explanation.action,
        "trigger": explanation.trigger,
        "summary": explanation.summary,
        "parts": {part.name: _part_facts(part) for part in explanation.parts},
        "links": _links(trail),
        "rows": [_row_facts(row) for row in trail.rows()],
    }


def _links(trail: Trail) -> dict[str, object]:
    return {
        "approval_used_by": [] if trail.asked is None else [row.decision_id for row in trail.asked.used_by],
        "uses_approval_of": None if trail.uses is None else trail.uses.made.decision_id,
        "next_decision": None if trail.following is None else trail.following.decision_id,
    }


def _part_facts(part: Part) -> dict[str, object]:
    return {
        "title": part.title,
        "words": list(part.words),
        "tables": [_grid_facts(grid) for grid in part.grids],
        "figures": dict(part.figures),
    }


def _grid_facts(grid: Grid) -> dict[str, object]:
    return {"title": grid.title, "rows": [dict(zip(grid.columns, row, strict=True)) for row in grid.rows]}


def _row_facts(row: Told) -> dict[str, object]:
    return {"at": row.at.isoformat(), "kind": row.kind, "decision_id": row.decision_id, "facts": dict(row.facts)}


def _listed(rows: Iterable[Told]) -> tuple[list[Listed], dict[str, str]]:
    """Every decision once, in the order of writing, and the decision of every order."""
    decisions: dict[str, Listed] = {}
    orders: dict[str, str] = {}
    for row in rows:
        if row.kind == PLANNED:
            one = Listed(decision_id=row.decision_id, at=day_and_clock(row.at), action=text_of(row.facts.get("action")))
            decisions.setdefault(row.decision_id, one)
        intent = row.facts.get("intent")
        if intent:
            orders[text_of(intent.get("intent_id"))] = row.decision_id
    return list(decisions.values()), orders


def _some(found: Sequence[Listed]) -> str:
    shown = ", ".join(f"{one.decision_id} ({one.at}, {one.action})" for one in found[:SHOWN])
    more = len(found) - SHOWN
    return f"{shown} and {more} more" if more > 0 else shown


def _hint(beginning: str, orders: Mapping[str, str], decisions: Sequence[Listed]) -> str:
    of_order = {decision for order, decision in orders.items() if beginning and order.startswith(beginning.lower())}
    if len(of_order) == 1:
        return f"an order does: it belongs to decision {of_order.pop()}"
    last = decisions[-1]
    return f"the journal holds {len(decisions)}, the last is {last.decision_id} ({last.at}); `{LAST}` names it"
