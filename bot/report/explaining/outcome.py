"""What became of each order: every step, its executions with price and slippage, its fees, and later corrections."""

from decimal import Decimal
from typing import Any, Final

from bot.domain.corrections import number_of as version_number
from bot.domain.corrections import root_of
from bot.domain.orders import FillPart
from bot.report.explaining.figures import (
    MISSING,
    day_and_clock,
    number_of,
    plain,
    points,
    sentence,
    text_of,
    usd,
)
from bot.report.explaining.parts import Grid, Part
from bot.report.explaining.trades import contract_name, key_of, legs_of, order_words, paid_points
from bot.report.explaining.trail import Facts, OrderTrail, Trail
from bot.report.story import Told

COLUMNS: Final = ("time (New York)", "step", "detail")
STEP_NAMES: Final = {
    "order_sent": "sent",
    "order_acknowledged": "acknowledged",
    "order_partly_filled": "partly filled",
    "order_completed": "filled whole",
    "order_cancelled": "cancelled",
    "order_rejected": "rejected",
    "order_doubted": "in doubt",
    "cancel_sent": "cancel sent",
}
ENDS: Final = frozenset({"order_completed", "order_cancelled", "order_rejected"})


def outcome_part(trail: Trail) -> Part:
    """Return the life of every order that was let through.

    Slippage is told against the limit, in points and USD: what was paid above it or below it, or received.
    """
    approved = tuple(order for order in trail.orders.values() if order.is_approved)
    if not approved:
        return Part(name="outcome", title="What became of it", words=(_nothing_sent(trail),), figures={"orders": []})
    words = [word for order in approved for word in _order_words(order, trail)]
    grids = tuple(_grid(order) for order in approved)
    figures = {"orders": [_figures(order) for order in approved]}
    return Part(name="outcome", title="What became of it", words=tuple(words), grids=grids, figures=figures)


def _nothing_sent(trail: Trail) -> str:
    if trail.orders:
        return "Nothing was sent: the gate refused."
    following = trail.following
    if following is None:
        return "Nothing was sent. It is the last decision in the journal."
    return f"Nothing was sent. The next decision was {following.decision_id[:8]} at {day_and_clock(following.at)}."


def _order_words(order: OrderTrail, trail: Trail) -> list[str]:
    words = [sentence(f"{order_words(order.intent)}: {_ending(order)}")]
    words += [_price_words(order)] if whole_fills(order) else []
    words += [_fee_words(order)] if _executions(order) else []
    words += [
        *_twins(order),
        *_late_steps(order),
        *_changed_commissions(order),
        *_changed_fills(order),
        *_differences(order, trail),
    ]
    return words


def whole_fills(order: OrderTrail) -> list[Facts]:
    """Return the executions that move the order, each once; those of legs move positions only."""
    found: dict[str, Facts] = {}
    for fill in _executions(order):
        known = found.setdefault(_version_of(fill), fill) if fill.get("part") != FillPart.LEG else fill
        if _number_of(fill) > _number_of(known):
            found[_version_of(fill)] = fill
    return list(found.values())


def _version_of(fill: Facts) -> str:
    """What all versions of an execution share, so that a correction counts in the place of what it corrects."""
    exec_id = text_of(fill.get("exec_id"))
    return root_of(exec_id) or exec_id


def _executions(order: OrderTrail) -> list[Facts]:
    return [step.facts.get("fill") or {} for step in order.steps if step.kind == "order_filled"]


def _ending(order: OrderTrail) -> str:
    states = [step for step in order.steps if step.kind in STEP_NAMES and step.kind != "cancel_sent"]
    if not states:
        return "written down, and the journal does not say whether it was sent"
    last = states[-1]
    why = text_of(last.facts.get("why"))
    filled, wanted = _filled(order), plain(order.intent.get("quantity"), 0)
    told = f"{STEP_NAMES[last.kind]}, {filled} of {wanted} filled"
    if last.kind == "order_cancelled" and not any(step.kind == "order_sent" for step in states):
        told = "dropped before it was sent"
    if last.kind not in ENDS:
        told = f"{told}; the journal does not say how it ended"
    return f"{told} ({why})" if why else told


def _filled(order: OrderTrail) -> str:
    counted = sum((number_of(fill.get("quantity")) or Decimal(0) for fill in whole_fills(order)), Decimal(0))
    said = (number_of(step.facts.get("filled")) or Decimal(0) for step in order.steps if step.kind in STEP_NAMES)
    return plain(max([counted, *said]), 0)


def _figures(order: OrderTrail) -> dict[str, Any]:
    better, fees = _better_usd(order), _fees(order)
    return {
        "intent_id": order.intent.get("intent_id"),
        "ending": _ending(order),
        "filled": int(_filled(order).replace(",", "")),
        "average_price_points": _plain_or_none(_average(order)),
        "better_than_limit_usd": _plain_or_none(better),
        "fees_usd": _plain_or_none(fees),
    }


def _plain_or_none(number: Decimal | None) -> str | None:
    return None if number is None else f"{number:f}"


def _average(order: OrderTrail) -> Decimal | None:
    """What one unit cost on average, in points: positive paid, negative received."""
    paid = [(paid_points(fill.get("side"), fill.get("price")), fill) for fill in whole_fills(order)]
    known = [(price, number_of(fill.get("quantity")) or Decimal(0)) for price, fill in paid if price is not None]
    units = sum((quantity for _, quantity in known), Decimal(0))
    if len(known) != len(paid) or units <= 0:
        return None
    return sum((price * quantity for price, quantity in known), Decimal(0)) / units


def _better_usd(order: OrderTrail) -> Decimal | None:
    average, limit = _average(order), number_of(order.intent.get("limit"))
    multiplier = _multiplier(order)
    units = sum((number_of(fill.get("quantity")) or Decimal(0) for fill in whole_fills(order)), Decimal(0))
    if average is None or limit is None or multiplier is None:
        return None
    return (limit - average) * units * multiplier


def _multiplier(order: OrderTrail) -> Decimal | None:
    legs = legs_of(order.intent)
    return number_of((legs[0].get("instrument") or {}).get("multiplier")) if legs else None


def _price_words(order: OrderTrail) -> str:
    average, limit, better = _average(order), number_of(order.intent.get("limit")), _better_usd(order)
    if average is None or limit is None or better is None:
        return "Its price cannot be compared with the limit: a figure is not in the journal."
    verb = "Paid" if average > 0 else "Received"
    told = f"{verb} {points(abs(average))} a unit on average, "
    if better == 0:
        return f"{told}exactly the limit."
    side = "better" if better > 0 else "worse"
    return f"{told}{points(abs(limit - average))} ({usd(abs(better))} in all) {side} than the limit."


def _fees(order: OrderTrail) -> Decimal | None:
    """The last word on each execution's commission, added up; None while one is unknown."""
    total = Decimal(0)
    for exec_id in {text_of(fill.get("exec_id")) for fill in _executions(order)}:
        told = order.commissions.get(exec_id)
        amount = number_of(told[-1].facts.get("commission_usd")) if told else None
        if amount is None:
            return None
        total += amount
    return total


def _fee_words(order: OrderTrail) -> str:
    fees = _fees(order)
    return "Fees: not all executions have their commission in the journal." if fees is None else f"Fees: {usd(fees)}."


def _grid(order: OrderTrail) -> Grid:
    rows = [(order.verdict.at, "prepared", "written down before anything was sent")]
    rows += [_step_row(step, order) for step in order.steps]
    cells = tuple((day_and_clock(at), step, detail) for at, step, detail in rows)
    return Grid(title=order_words(order.intent), columns=COLUMNS, rows=cells)


def _step_row(step: Told, order: OrderTrail) -> tuple[Any, str, str]:
    if step.kind == "order_filled":
        return step.at, "execution", _fill_words(step.facts.get("fill") or {}, order)
    facts = step.facts
    perm_id = number_of(facts.get("perm_id"))
    is_new = step.kind in {"order_sent", "order_acknowledged"}
    parts = [
        text_of(facts.get("why")),
        "" if is_new else f"{plain(facts.get('filled'), 0)} filled, {plain(facts.get('remaining'), 0)} to go",
        f"permanent id {perm_id}" if perm_id and step.kind == "order_acknowledged" else "",
    ]
    return step.at, STEP_NAMES[step.kind], "; ".join(part for part in parts if part)


def _fill_words(fill: Facts, order: OrderTrail) -> str:
    units = plain(fill.get("quantity"), 0)
    if fill.get("part") == FillPart.LEG:
        leg = contract_name(fill.get("instrument") or {})
        return f"leg: {text_of(fill.get('side'))} {units} x {leg} at {plain(fill.get('price'))}"
    paid, limit = paid_points(fill.get("side"), fill.get("price")), number_of(order.intent.get("limit"))
    if paid is None or limit is None:
        return f"{units} at {plain(fill.get('price'))}; slippage {MISSING}"
    verb = "paid" if paid > 0 else "received"
    slip = "at the limit" if paid == limit else f"{points(abs(limit - paid))} {'better' if paid < limit else 'worse'}"
    return f"{units} {verb} at {plain(abs(paid))}, {slip}"


# later corrections ------------------------------------------------------------------------------------------------


def _late_steps(order: OrderTrail) -> list[str]:
    """Whatever was said of an order after it had ended."""
    ended: Told | None = None
    words = []
    for step in order.steps:
        is_leg = step.kind == "order_filled" and (step.facts.get("fill") or {}).get("part") == FillPart.LEG
        if ended is not None and not is_leg and ended.kind not in {step.kind, "order_completed"}:
            told = STEP_NAMES.get(step.kind, "an execution")
            words.append(f"Corrected at {day_and_clock(step.at)}: {told} after it was {STEP_NAMES[ended.kind]}.")
        ended = step if step.kind in ENDS else ended
    return words


def _changed_commissions(order: OrderTrail) -> list[str]:
    words = []
    for exec_id, told in order.commissions.items():
        amounts = [number_of(row.facts.get("commission_usd")) for row in told]
        for before, after, row in zip(amounts, amounts[1:], told[1:], strict=False):
            if before != after:
                words.append(
                    f"Corrected at {day_and_clock(row.at)}: the commission of execution {text_of(exec_id)} is "
                    f"{usd(after)}, was {usd(before)}."
                )
    return words


def _changed_fills(order: OrderTrail) -> list[str]:
    known: dict[str, Facts] = {}
    words = []
    for step in order.steps:
        if step.kind != "order_filled":
            continue
        fill = step.facts.get("fill") or {}
        key = text_of(fill.get("exec_id")) if fill.get("part") == FillPart.LEG else _version_of(fill)
        before = known.setdefault(key, fill)
        if _number_of(fill) > _number_of(before):
            known[key] = fill
            words.append(f"Corrected at {day_and_clock(step.at)}: {_other_figures(before, fill)}.")
        elif before != fill and _number_of(fill) == _number_of(before):
            told = f"Reported again at {day_and_clock(step.at)} with other figures"
            words.append(f"{told}: {_other_figures(before, fill)}; the first counts.")
    return words


def _number_of(fill: Facts) -> int:
    return version_number(text_of(fill.get("exec_id")))


def _other_figures(before: Facts, fill: Facts) -> str:
    now, was = (f"{plain(one.get('quantity'), 0)} at {plain(one.get('price'))}" for one in (fill, before))
    return f"execution {text_of(before.get('exec_id'))} is {now}, was {was}"


def _twins(order: OrderTrail) -> list[str]:
    """Two live orders of one intent, which must never be."""
    return [
        f"Found twice at the broker at {day_and_clock(row.at)}, under the permanent ids "
        f"{' and '.join(text_of(perm_id) for perm_id in row.facts.get('perm_ids') or ())}: both were cancelled and its "
        "contracts locked."
        for row in order.twins
    ]


def _differences(order: OrderTrail, trail: Trail) -> list[str]:
    """What comparisons of the books could not explain in this order's contracts, once each."""
    keys = {key_of(leg.get("instrument") or {}) for leg in legs_of(order.intent)}
    words: list[str] = []
    for row in trail.reconciled:
        for key, why in (row.facts.get("differences") or {}).items():
            if key in keys and text_of(why) not in " ".join(words):
                words.append(f"Books compared at {day_and_clock(row.at)}: {text_of(key)} differs: {text_of(why)}.")
    return words
