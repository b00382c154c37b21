"""The one sentence that sums a decision up: when, what, and the main reason with its figures."""

from collections.abc import Mapping
from typing import Final

from bot.domain.plan import PlanAction, Withheld
from bot.report.explaining.figures import MISSING, in_both_times, listed, named, number_of, plain, text_of
from bot.report.explaining.gate import failed_of, failure_words
from bot.report.explaining.reading import against_baseline
from bot.report.explaining.size import wanted_orders
from bot.report.explaining.trades import is_of_the_base, order_words
from bot.report.explaining.trail import Trail

DEEDS: Final[Mapping[str, str]] = {
    PlanAction.INCREASE: "increase the overlay",
    PlanAction.UNWIND: "unwind the overlay towards its base",
    PlanAction.EXIT: "leave contracts of the overlay",
    PlanAction.MAINTAIN: "buy for the base sleeve",
    PlanAction.WIDEN: "move a wing of the condors further out",
    PlanAction.FLATTEN: "flatten the sleeve, as a person has signed",
}
LEAVES_BASE: Final = "leave contracts of the base sleeve"
"""An exit is of the overlay or of the base, never of both."""
DONE: Final[Mapping[str, str]] = {
    PlanAction.HOLD: "held",
    PlanAction.INCREASE: "increased",
    PlanAction.UNWIND: "unwound",
    PlanAction.EXIT: "left",
    PlanAction.MAINTAIN: "kept the base",
    PlanAction.WIDEN: "widened",
    PlanAction.FLATTEN: "flattened",
}


def opening(trail: Trail) -> str:
    """Return the sentence."""
    return f"On {in_both_times(trail.plan.at)} the bot {_what(trail)} - {_why(trail)}."


def decided_of(trail: Trail) -> str:
    """Return one word or two for what was decided, for lists and programs."""
    action, withheld = text_of(trail.facts.get("action")), trail.facts.get("withheld")
    if trail.asked is not None:
        return "asked a person"
    if withheld is not None:
        return "held back"
    if trail.orders and not any(order.is_approved for order in trail.orders.values()):
        return "refused"
    return DONE.get(action, named(action) or MISSING)


def _what(trail: Trail) -> str:
    orders = listed(tuple(order_words(intent) for intent in wanted_orders(trail)))
    match decided_of(trail):
        case "asked a person":
            return f"asked a person whether to {orders or 'trade'}"
        case "held back":
            return f"held back what it wanted to do ({orders or MISSING})"
        case "refused":
            return f"wanted to {_deed(trail)} ({orders}), which the gate refused"
        case "held":
            return "held: it changed nothing"
    return f"decided to {_deed(trail)} ({orders or MISSING})"


def _deed(trail: Trail) -> str:
    action = text_of(trail.facts.get("action"))
    if action == PlanAction.EXIT and any(is_of_the_base(order) for order in wanted_orders(trail)):
        return LEAVES_BASE
    return DEEDS.get(action, named(action) or MISSING)


def _why(trail: Trail) -> str:
    reasons = [text_of(trail.facts.get("reason")) or f"the reason is {MISSING}"]
    reasons += [text_of(trail.signal.get("why"))]
    reasons += [failure_words(check) for order in trail.orders.values() for check in failed_of(order)[:1]]
    if trail.facts.get("withheld") == Withheld.PROPOSAL and trail.asked is not None:
        reasons.append(_asks(trail))
    reasons.append(_figures(trail))
    return "; ".join(dict.fromkeys(reason for reason in reasons if reason))


def _asks(trail: Trail) -> str:
    """What a proposal adds to the plan's own reason."""
    because = text_of(trail.asked.facts.get("because")) if trail.asked is not None else ""
    return because.rpartition("; ")[2]


def _figures(trail: Trail) -> str:
    parts = [against_baseline(trail)]
    target, held = (number_of(trail.facts.get(f"{name}_usd_per_point")) for name in ("target", "held"))
    if target is not None and held is not None and (target or held):
        parts.append(f"overlay {plain(held, 1)} with a target of {plain(target, 1)} USD per point")
    return ", ".join(part for part in parts if part)
