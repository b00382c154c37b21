"""The gate: what every check found, against which limit, with which headroom; what failed stands first."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from bot.domain.decision import Rule
from bot.report.explaining.figures import (
    MISSING,
    day_and_clock,
    listed,
    moment_of,
    named,
    number_of,
    plain,
    sentence,
    text_of,
)
from bot.report.explaining.parts import Grid, Part
from bot.report.explaining.trades import order_words
from bot.report.explaining.trail import Facts, OrderTrail, Trail
from bot.report.story import Told

COLUMNS: Final = ("check", "result", "found", "limit", "headroom", "note")
USD_EXACT, USD_MODEL, POINTS, COUNT, PLAIN = "USD exact", "USD model", "points", "count", "plain"
UNITS: Final[Mapping[str, str]] = {
    Rule.PRICE_COLLAR: POINTS,
    Rule.DAY_SLIPPAGE: USD_EXACT,
    Rule.SHORT_CALLS: COUNT,
    Rule.NEUTRALITY: USD_MODEL,
    Rule.MEAN_REVERSION_LOSS: USD_MODEL,
    Rule.WORST_LOSS: USD_MODEL,
    Rule.MARGIN_USE: USD_EXACT,
    Rule.GROSS_LEVERAGE: USD_EXACT,
    Rule.VEGA: USD_MODEL,
    Rule.VIX_DELTA: USD_MODEL,
    Rule.DAY_LOSS: USD_EXACT,
    Rule.WEEK_LOSS: USD_EXACT,
    Rule.DRAWDOWN: USD_EXACT,
    Rule.HEDGE_COST_CAP_COHORT: USD_EXACT,
    Rule.HEDGE_COST_CAP_BOOK: USD_EXACT,
    Rule.REPEATS: COUNT,
    Rule.DAILY_ORDERS: COUNT,
    Rule.WORKING_ORDERS: COUNT,
}
"""What a check's figures are; the others say it in their note or have none."""
SUFFIX: Final[Mapping[str, str]] = {
    Rule.NEUTRALITY: "USD per +1 % SPX",
    Rule.MEAN_REVERSION_LOSS: "USD",
    Rule.WORST_LOSS: "USD",
    Rule.MARGIN_USE: "USD",
    Rule.GROSS_LEVERAGE: "USD",
    Rule.VEGA: "USD per volatility point",
    Rule.VIX_DELTA: "USD per point of VIX",
    Rule.DAY_LOSS: "USD",
    Rule.WEEK_LOSS: "USD",
    Rule.DRAWDOWN: "USD",
    Rule.DAY_SLIPPAGE: "USD",
    Rule.HEDGE_COST_CAP_COHORT: "USD",
    Rule.HEDGE_COST_CAP_BOOK: "USD",
    Rule.PRICE_COLLAR: "points",
    Rule.SHORT_CALLS: "options",
    Rule.REPEATS: "executions",
    Rule.DAILY_ORDERS: "orders",
    Rule.WORKING_ORDERS: "orders",
}


def gate_part(trail: Trail) -> Part:
    """Return the verdict on every order, with all its checks."""
    if not trail.orders:
        return Part(name="gate", title="Gate", words=("The gate was not asked: there was no order to judge.",))
    orders = tuple(trail.orders.values())
    words = (*(_verdict_words(order) for order in orders), *(_override_words(row) for row in trail.overrides))
    grids = tuple(_grid(order) for order in orders if order.verdict.facts.get("checks"))
    figures = {
        "approved": sum(order.is_approved for order in orders),
        "refused": sum(not order.is_approved for order in orders),
        "overridden": [check["rule"] for order in orders for check in _overridden_of(order)],
        "largest_quantities": [order.verdict.facts.get("largest_quantity") for order in orders],
    }
    return Part(name="gate", title="Gate", words=words, grids=grids, figures=figures)


def failed_of(order: OrderTrail) -> tuple[Facts, ...]:
    """Return the checks that an order failed."""
    checks = order.verdict.facts.get("checks") or ()
    return tuple(check for check in checks if not check.get("passed") and not check.get("overridden"))


def _overridden_of(order: OrderTrail) -> tuple[Facts, ...]:
    return tuple(check for check in order.verdict.facts.get("checks") or () if check.get("overridden"))


def failure_words(check: Facts) -> str:
    """Return one failed check with its figures.

    >>> failure_words({"rule": "daily_orders", "found": "41", "limit": "40", "headroom": "-1", "note": ""})
    'daily orders: found 41, limit 40, headroom -1 orders'
    """
    rule, note = named(check.get("rule")), text_of(check.get("note"))
    found, limit = _cell(check, "found"), _cell(check, "limit")
    if not found and not limit:
        return f"{rule}: {note or MISSING}"
    unit = SUFFIX.get(text_of(check.get("rule")))
    left = f", headroom {headroom}" if (headroom := _cell(check, "headroom")) else ""
    figures = f"found {found or MISSING}, limit {limit or MISSING}{left}{f' {unit}' if unit else ''}"
    return f"{rule}: {figures}{f' ({note})' if note not in ('', found, unit) else ''}"


def _verdict_words(order: OrderTrail) -> str:
    checks, what = order.verdict.facts.get("checks") or (), order_words(order.intent)
    if order.is_approved:
        over = _overridden_of(order)
        if not over:
            return f"Approved: {what}. All {len(checks)} checks passed."
        told = listed(tuple(failure_words(check) for check in over))
        return f"Approved by override: {what}. {len(checks) - len(over)} checks passed; failed and overridden: {told}."
    failed = tuple(failure_words(check) for check in failed_of(order))
    largest = number_of(order.verdict.facts.get("largest_quantity"))
    if largest is None:
        size = f"The largest size that would pass is {MISSING}."
    elif largest > 0:
        size = f"The largest size that would pass is {plain(largest, 0)}."
    else:
        size = "No smaller size would pass."
    return f"Refused: {what}. Failed: {listed(failed) or MISSING}. {size}"


def _override_words(row: Told) -> str:
    """What a person signed for an order of this decision, or what became of it."""
    facts = row.facts
    rules = listed(tuple(named(rule) for rule in facts.get("rules") or ())) or MISSING
    who = f"{text_of(facts.get('key_id')) or MISSING} ({text_of(facts.get('reason')) or MISSING})"
    of = f"the override of {rules} for order {text_of(facts.get('intent_id'))[:8]} by {who}"
    at = day_and_clock(row.at)
    if row.kind == "override_granted":
        until = moment_of(facts.get("until"))
        return sentence(
            f"at {at} {who} overrode {rules} for order {text_of(facts.get('intent_id'))[:8]}, until "
            + (MISSING if until is None else day_and_clock(until))
        )
    if row.kind == "override_expired":
        return sentence(f"at {at} {of} ended unused: {text_of(facts.get('why')) or MISSING}")
    outcome = "let through" if facts.get("approved") else "refused all the same"
    return sentence(f"judged under {of}, which this used up: {outcome}")


def _grid(order: OrderTrail) -> Grid:
    checks = sorted(order.verdict.facts["checks"], key=lambda check: bool(check.get("passed")))
    return Grid(
        title=order_words(order.intent),
        columns=COLUMNS,
        rows=tuple(_row(check) for check in checks),
        numeric=frozenset({"found", "limit", "headroom"}),
    )


def _row(check: Facts) -> tuple[str, ...]:
    rule, note = text_of(check.get("rule")), text_of(check.get("note"))
    unit = SUFFIX.get(rule, "") if number_of(check.get("found")) is not None else ""
    limit = check.get("limit")
    is_text = isinstance(limit, str) and number_of(limit) is None
    expected = f"expected: {text_of(limit)}" if is_text and limit != check.get("found") else ""
    return (
        named(rule),
        "passed" if check.get("passed") else "OVERRIDDEN" if check.get("overridden") else "FAILED",
        _cell(check, "found"),
        "" if is_text else _cell(check, "limit"),
        _cell(check, "headroom"),
        "; ".join(part for part in (unit, expected, note) if part),
    )


def _cell(check: Facts, name: str) -> str:
    """A figure in the digits that its rule deserves, a text as it stands, nothing where there is none."""
    value = check.get(name)
    number = number_of(value)
    if number is None:
        return text_of(value)
    match UNITS.get(text_of(check.get("rule")), PLAIN):
        case "USD exact":
            return plain(number)
        case "USD model":
            return plain(number, 2 if _is_close(check) else 0)
        case "points":
            return plain(number, 3)  # half ticks of a spread
        case "count":
            return plain(number, 0)
    return plain(number, 0 if number == number.to_integral_value() else 2)


def _is_close(check: Facts) -> bool:
    """Whole dollars would hide on which side of the limit a figure stands."""
    headroom = number_of(check.get("headroom"))
    return headroom is not None and abs(headroom) < Decimal(1)
