"""What an explanation says of the gate and of what became of an order."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from bot.domain.decision import Checked, Rule
from bot.domain.orders import Cancelled, Filled, Rejected, Sent, Unknown
from bot.domain.plan import PlanAction
from bot.report.explaining.gate import failure_words
from bot.report.story import Told
from tests.bot.report.explained_texts import ORDER, SAMPLE, bought, part, text
from tests.bot.report.explaining_rows import (
    SECOND,
    a_row,
    an_order_for,
    approved,
    commission,
    decided,
    filled_at,
    plan_of,
    refused,
    step,
)
from tests.builders import NOVEMBER

# the gate and what became of the order ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("largest", "claim"), [(0, "No smaller size would pass."), (4, "The largest size that would pass is 4.")]
)
def test_a_refusal_shows_what_failed_first(largest: int, claim: str) -> None:
    """Found, limit and headroom to the cent where a cent decides; nothing was sent."""
    rows = decided(plan_of(ORDER), refused(ORDER, largest))
    words = text(rows)
    assert (
        "the bot wanted to increase the overlay (buy 9 x VIX 2026-11-18 22/27 call spread at 0.59 or better), " in words
    )
    assert "which the gate refused" in words
    assert "hedge cost cap cohort: found 10,480.01, limit 10,480.00, headroom -0.01 USD (SPXW)" in words
    assert claim in words
    assert "Nothing was sent: the gate refused." in words
    grid = part(rows, "gate").grids[0]
    assert grid.rows[0][:5] == ("hedge cost cap cohort", "FAILED", "10,480.01", "10,480.00", "-0.01")
    assert [row[1] for row in grid.rows[1:]] == ["passed"] * 3


@pytest.mark.parametrize(
    ("check", "claim"),
    [
        ({"rule": "quote_quality", "found": None, "limit": None, "note": "no quote"}, "quote quality: no quote"),
        ({"rule": "quote_quality", "found": None, "limit": None}, "quote quality: not in the journal"),
        (
            {"rule": "neutrality", "found": -4000.6, "limit": 3690.0, "headroom": -310.6},
            "neutrality: found -4,001, limit 3,690, headroom -311 USD per +1 % SPX",
        ),
        (
            {"rule": "neutrality", "found": -3690.4, "limit": 3690.0, "headroom": -0.4},
            "neutrality: found -3,690.40, limit 3,690.00, headroom -0.40 USD per +1 % SPX",
        ),
        (
            {"rule": "price_collar", "found": "0.035", "limit": "0.02", "note": ""},
            "price collar: found 0.035, limit 0.020 points",
        ),
        (
            {"rule": "price_collar", "found": "0.035", "limit": None},
            "price collar: found 0.035, limit not in the journal points",
        ),
        ({"rule": "a_rule_of_2031", "found": "1.5", "limit": 2}, "a rule of 2031: found 1.50, limit 2"),
    ],
)
def test_a_failed_check_has_the_digits_that_decide(check: dict[str, Any], claim: str) -> None:
    """Models in whole dollars unless a dollar decides; a rule that is not known keeps its own name."""
    assert failure_words(check) == claim


ENDINGS = [
    ([], "written down, and the journal does not say whether it was sent"),
    (step(ORDER, Sent()), "sent, 0 of 9 filled; the journal does not say how it ended"),
    (step(ORDER, Cancelled(reason="dry run")), "dropped before it was sent (dry run)"),
    (
        [*step(ORDER, Sent()), *step(ORDER, Unknown(why="no answer in time"), 1)],
        "in doubt, 0 of 9 filled; the journal does not say how it ended (no answer in time)",
    ),
    (
        [*step(ORDER, Sent()), *step(ORDER, Rejected(reason="no \x1b[31mmoney"), 1)],
        "rejected, 0 of 9 filled (no \\x1b[31mmoney)",
    ),
    (
        [*step(ORDER, Sent()), *filled_at("0.59", ORDER, units=4), *step(ORDER, Cancelled(reason="time is up"), 2)],
        "cancelled, 4 of 9 filled (time is up)",
    ),
]


@pytest.mark.parametrize(("rows", "claim"), ENDINGS)
def test_an_order_ends_as_the_last_row_says(rows: list[Told], claim: str) -> None:
    """Sent, dropped, doubted, rejected, cancelled with a part filled; a broker's words cannot steer the terminal."""
    assert claim in text([*decided(plan_of(ORDER), approved(ORDER)), *rows])


def test_the_permanent_id_stands_once_where_the_broker_first_said_it() -> None:
    """In the row of the acknowledgement; every later row is about quantities."""
    rows = part(bought(), "outcome").grids[0].rows
    assert [row[1] for row in rows if "permanent id 17" in row[2]] == ["acknowledged"]


def test_a_commission_that_is_missing_is_no_fee_of_zero() -> None:
    """Two executions, one commission."""
    rows = [row for row in bought() if row.kind != "commission_booked"]
    assert "Fees: not all executions have their commission in the journal." in text([*rows, *commission("10.13")])


def test_a_price_without_a_limit_to_compare_says_so() -> None:
    """Neither better nor worse."""
    plan, prepared, *rest = bought()[1:]
    intent = {name: held for name, held in prepared.facts["intent"].items() if name != "limit"}
    words = text([plan, replace(prepared, facts={**prepared.facts, "intent": intent}), *rest])
    assert "Its price cannot be compared with the limit: a figure is not in the journal." in words
    assert "6 at 0.58; slippage not in the journal" in words
    assert "at not in the journal or better" in words


@pytest.mark.parametrize(
    ("changes", "claim"),
    [
        ({"base_usd_per_point": 0.0}, "There was no base sleeve with a value"),
        ({"held_usd_per_point": 80.68}, "The overlay stood at its target."),
    ],
)
def test_a_size_without_a_gap_says_why(changes: dict[str, Any], claim: str) -> None:
    """No base, or nothing missing."""
    assert claim in text(decided(plan_of(action=PlanAction.HOLD, **changes)))


def test_corrections_are_told_after_the_fact() -> None:
    """A commission with another amount, an execution with another price, a fill after a cancel, books that differ."""
    key = f"OPT:VIX:{NOVEMBER}:22:C"
    rows = [
        *decided(plan_of(ORDER), approved(ORDER)),
        *step(ORDER, Sent()),
        *filled_at("0.59", ORDER, units=4),
        *commission("8.00"),
        *step(ORDER, Cancelled(reason="time is up"), 2, filled=4),
        *filled_at("0.58", ORDER, units=4, minutes=3),
        *step(ORDER, Filled(), 4, filled=9),
        a_row("books_reconciled", 5, commissions={"e-1": "8.20"}, differences={key: "held 4, booked 9"}),
    ]
    words = text(rows)
    assert "Corrected at 2026-10-20 12:05:00: the commission of execution e-1 is 8.20 USD, was 8.00 USD." in words
    assert "execution e-1 is 4 at 0.58, was 4 at 0.59; the first counts." in words
    assert "Corrected at 2026-10-20 12:04:00: filled whole after it was cancelled." in words
    assert f"Books compared at 2026-10-20 12:05:00: {key} differs: held 4, booked 9." in words
    assert "Fees: 8.20 USD." in words
    assert "Paid 0.59 points a unit on average, exactly the limit." in words


def test_a_corrected_execution_counts_in_the_place_of_the_first() -> None:
    """The average price is the corrected one, and the words say what it was."""
    rows = [
        *decided(plan_of(ORDER), approved(ORDER)),
        *step(ORDER, Sent()),
        *filled_at("0.59", ORDER, units=9, exec_id="a.b.01.01"),
        *step(ORDER, Filled(), 2, filled=9),
        *filled_at("0.57", ORDER, units=9, minutes=3, exec_id="a.b.01.02"),
        *filled_at("0.58", ORDER, units=9, minutes=4, exec_id="a.b.01.01"),
    ]
    words = text(rows)
    assert "execution a.b.01.01 is 9 at 0.57, was 9 at 0.59." in words
    assert "Paid 0.57 points a unit on average" in words
    assert "9 at 0.58, was" not in words


def test_an_order_that_lived_twice_is_told() -> None:
    """Which permanent ids, and what was done about it; a row that stands twice after a failed write is told once."""
    found = a_row("twins_found", 3, intent_id=ORDER.intent_id, perm_ids=[9007, 9008], order_ids=[7, 8])
    other = a_row("twins_found", 3, intent_id="another", perm_ids=[1, 2], order_ids=[1, 2])
    words = text([*decided(plan_of(ORDER), approved(ORDER)), *step(ORDER, Sent()), other, found, found])
    told = (
        "Found twice at the broker at 2026-10-20 12:03:00, under the permanent ids 9007 and 9008: both were cancelled"
    )
    assert (words.count(told), words.count("Found twice")) == (1, 1)


def test_the_legs_of_a_combo_are_listed_and_neither_counted_nor_called_a_correction() -> None:
    """The broker tells legs beside the combo, and later too; an execution of the combo after a cancel is news."""
    long, short = ORDER.legs
    legs = [
        *filled_at("0.98", ORDER, units=4, minutes=1, exec_id="l-1", leg=long),
        *filled_at("0.39", ORDER, units=4, minutes=3, exec_id="l-2", leg=short),
    ]
    rows = [
        *decided(plan_of(ORDER), approved(ORDER)),
        *step(ORDER, Sent()),
        *filled_at("0.59", ORDER, units=4, minutes=1),
        *step(ORDER, Cancelled(reason="time is up"), 2, filled=4),
    ]
    listed_legs = [row[2] for row in part([*rows, *legs], "outcome").grids[0].rows if row[2].startswith("leg: ")]
    assert listed_legs == [
        "leg: BUY 4 x VIX 2026-11-18 22 call at 0.98",
        "leg: SELL 4 x VIX 2026-11-18 27 call at 0.39",
    ]
    assert "4 of 9 filled" in text([*rows, *legs])
    assert "Corrected" not in text([*rows, *legs])
    late = filled_at("0.58", ORDER, units=5, minutes=4, exec_id="e-2")
    assert "an execution after it was cancelled" in text([*rows, *legs, *late])


def test_an_execution_found_by_a_reconciliation_counts() -> None:
    """Such rows carry no decision: the order's own reference binds them."""
    rows = [*decided(plan_of(ORDER), approved(ORDER)), *step(ORDER, Sent()), *filled_at("0.59", ORDER, minutes=9)]
    assert rows[-1].decision_id == ""
    assert "9 of 9 filled" in text(rows)


def test_rows_that_stand_twice_count_once() -> None:
    """A write that failed may be repeated: perhaps twice in the journal, never missing."""
    once, rows = bought(), bought()
    assert text([*rows, *rows[2:]]) == text(once)


def test_another_decision_changes_nothing() -> None:
    """Its rows may stand anywhere between."""
    other = an_order_for(SECOND, "eeee5555-0000", quantity=3)
    noise = [
        *decided(plan_of(other), approved(other), decision=SECOND, minutes=1),
        *step(other, Sent(), 1),
        *filled_at("0.10", other, exec_id="x-9"),
        *commission("99.00", "x-9"),
    ]
    mixed = [row for pair in zip(bought()[1:], noise, strict=False) for row in pair] + bought()[1 + len(noise) :]
    assert text([SAMPLE, *mixed]) == text(bought())


# overrides --------------------------------------------------------------------------------------------------------


def overriding(kind: str, decision: str, **facts: Any) -> Told:
    """A row of an override of the order for vega by anna."""
    whole = {"intent_id": ORDER.intent_id, "rules": ["vega"], "key_id": "anna", "reason": "looked at it", **facts}
    return a_row(kind, 1, decision, **whole)


@pytest.mark.control("C15")
def test_an_override_is_told_by_the_refusal_and_by_the_judgement() -> None:
    """Who overrode what until when; and in the decision that used it the failure stands beside what it allowed."""
    until = "2026-10-20T16:15:00+00:00"
    rows = [*decided(plan_of(ORDER), refused(ORDER)), overriding("override_granted", ORDER.decision_id, until=until)]
    words = text(rows)
    assert "anna (looked at it) overrode vega for order" in words
    assert "until 2026-10-20 12:15:00." in words
    over = Checked(rule=Rule.VEGA, passed=False, found=Decimal(12), limit=Decimal(10), overridden=True)
    let = replace(approved(ORDER), checks=(*approved(ORDER).checks, over))
    used = overriding("override_used", ORDER.decision_id, approved=True)
    judged = [*decided(plan_of(ORDER), let), used]
    words = " ".join(text(judged).split())
    assert "Approved by override: buy 9 x VIX 2026-11-18 22/27 call spread at 0.59 or better." in words
    assert "failed and overridden: vega: found 12, limit 10 USD per volatility point." in words
    assert "by anna (looked at it), which this used up: let through." in words
    gate = part(judged, "gate")
    assert gate.figures["overridden"] == ["vega"]
    assert [row[1] for row in gate.grids[0].rows if row[0] == "vega"] == ["OVERRIDDEN"]


@pytest.mark.control("C15")
@pytest.mark.parametrize(
    ("kind", "facts", "claim"),
    [
        ("override_used", {"approved": False}, "which this used up: refused all the same."),
        ("override_expired", {"why": "a kill came after it"}, "ended unused: a kill came after it."),
        ("override_granted", {"until": "nonsense"}, "until not in the journal."),
    ],
)
def test_the_other_ends_of_an_override_are_told(kind: str, facts: dict[str, Any], claim: str) -> None:
    """Used in vain, ended by a kill, or without a time in the journal; that of another decision is not told here."""
    rows = [*decided(plan_of(ORDER), refused(ORDER)), overriding(kind, ORDER.decision_id, **facts)]
    assert claim in " ".join(text(rows).split())
    elsewhere = [*decided(plan_of(ORDER), refused(ORDER)), overriding(kind, SECOND, **facts)]
    assert "anna" not in text(elsewhere)
