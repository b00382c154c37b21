"""What held a decision back though no limit stood against it, and the proposal that it made, waited for, or used."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from bot.domain.plan import Withheld
from bot.report.explaining.figures import (
    MISSING,
    day_and_clock,
    in_both_times,
    named,
    plain,
    sentence,
    text_of,
)
from bot.report.explaining.parts import Part
from bot.report.explaining.trades import name_of, order_words, verb_of, with_legs
from bot.report.explaining.trail import Answer, Asking, Facts, Trail
from bot.report.story import Told

CAUSES: Final[Mapping[str, str]] = {
    Withheld.PACING: "pacing, by which the overlay grows only so often and never right after a change",
    Withheld.CHURN: "the churn budget, which fees and half-widths of this cycle have used up",
    Withheld.ADVICE: "advice only, by which the bot decides and sends nothing",
    Withheld.PROPOSAL: "a person, who is to decide",
    Withheld.VETO: "a person, who said no",
}
SHORT: Final = 8
"""Characters of an id, as logs and report show it."""


def restraint_part(trail: Trail) -> Part:
    """Return pacing, churn, advice, proposal and veto, and the proposal's own story.

    Source: docs/methodology.md, M14 and M16.
    """
    words = [*_withheld_words(trail), *_beside_words(trail), *_used_words(trail)]
    asking = trail.asked
    if asking is not None:
        words += _proposal_words(asking, trail.ends_at)
    elif trail.asked_before is not None and trail.facts.get("withheld") in {Withheld.PROPOSAL, Withheld.VETO}:
        words.append(f"The proposal in question is that of decision {_short(trail.asked_before.made)}:")
        words += _proposal_words(trail.asked_before, trail.ends_at)
    figures: dict[str, object] = {"withheld": trail.facts.get("withheld")}
    if asking is not None:
        figures |= {"answer": asking.answer.value, "used_by": [row.decision_id for row in asking.used_by]}
    if trail.uses is not None:
        figures["uses_approval_of"] = trail.uses.made.decision_id
    return Part(name="restraint", title="What held it back", words=tuple(words), figures=figures)


def answer_words(asking: Asking) -> tuple[str, ...]:
    """Return each answer that counted, by whom and why."""
    return tuple(_answer(row) for row in asking.answers)


def _withheld_words(trail: Trail) -> list[str]:
    if "withheld" not in trail.facts:
        return ["The journal does not hold whether anything held it back: it was written by an older version."]
    cause = trail.facts["withheld"]
    if cause is None:
        return ["Nothing: what was wanted went before the gate." if trail.orders else "Nothing: no order was wanted."]
    told = CAUSES.get(text_of(cause), named(cause))
    own = text_of(trail.facts.get("reason")).rpartition("; ")[2]
    words = [sentence(f"{told}; in its own words: {own or MISSING}")]
    words += [f"Held back: {order_words(intent)}." for intent in trail.facts.get("withheld_intents") or ()]
    return words


def _beside_words(trail: Trail) -> list[str]:
    """What the bot wished for besides, and why it held that too."""
    return [sentence(f"beside it: {text_of(reason)}") for reason in trail.facts.get("besides") or ()]


def _used_words(trail: Trail) -> list[str]:
    uses = trail.uses
    if uses is None:
        return []
    told = " ".join(answer_words(uses))
    return [f"Its order was covered by the approval of the proposal of decision {_short(uses.made)}. {told}"]


def _proposal_words(asking: Asking, ends_at: datetime | None) -> list[str]:
    facts = asking.facts
    words = [
        sentence(f"asked: {_asked_words(facts)}"),
        sentence(f"because: {text_of(facts.get('because')) or MISSING}"),
    ]
    if asking.expires_at is not None:
        words.append(f"Made {day_and_clock(asking.made.at)}, open until {in_both_times(asking.expires_at)}.")
    words += [*answer_words(asking), *(_late(row) for row in asking.late)]
    if asking.answer is Answer.WAITING:
        words.append(_unanswered(asking, ends_at))
    if asking.answer is Answer.APPROVED:
        words.append("No order used the approval.")
    words += [_use(row) for row in asking.used_by]
    return words


def _asked_words(facts: Facts) -> str:
    orders = []
    for order in facts.get("orders") or ():
        trade = with_legs(order)
        units = plain(order.get("quantity"), 0)
        orders.append(f"{verb_of(trade)} up to {units} x {name_of(trade)} ({named(order.get('purpose'))})")
    return "; ".join(orders) or f"orders {MISSING}"


def _answer(row: Told) -> str:
    verb = "Approved" if row.kind == "proposal_approved" else "Vetoed"
    who, reason = text_of(row.facts.get("key_id")) or MISSING, text_of(row.facts.get("reason")) or "none given"
    return f"{verb} {day_and_clock(row.at)} with key {who}; reason: {reason}."


def _late(row: Told) -> str:
    return f"{_answer(row)} It came when the proposal no longer waited, and changed nothing."


def _unanswered(asking: Asking, ends_at: datetime | None) -> str:
    expires = asking.expires_at
    if expires is None or ends_at is None or ends_at < expires:
        return "Nobody has answered; it was still open when the journal ends."
    return f"Nobody answered, so it expired at {in_both_times(expires)} and nothing was done."


def _use(row: Told) -> str:
    what = "the gate approved" if row.kind == "order_prepared" else "the gate refused"
    return (
        f"The approval was used by decision {_short(row)} at {day_and_clock(row.at)}, whose order {what}: "
        f"{order_words(row.facts.get('intent') or {})}."
    )


def _short(row: Told) -> str:
    return row.decision_id[:SHORT]
