"""Which decision is meant, what is not in the journal, and how figures and names are written."""

import copy
import doctest
import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.errors import InvalidValueError
from bot.domain.instrument import VXX
from bot.domain.plan import HedgePlan
from bot.report.explain import as_facts, decision_named, explained
from bot.report.explaining import figures, gate
from bot.report.explaining.figures import clock, listed, moment_of, number_of, per_point, plain, sentence, text_of, usd
from bot.report.explaining.parts import Grid, Part
from bot.report.explaining.terminal import as_text
from bot.report.explaining.trades import name_of, order_words, verb_of
from bot.report.explaining.trail import trail_of
from bot.report.story import Told
from tests.bot.report.explained_texts import ORDER, SAMPLE, bought, later_order, sold, text, trail
from tests.bot.report.explaining_rows import (
    FIRST,
    SECOND,
    a_candidate,
    after,
    an_order_for,
    answered,
    approved,
    asking,
    decided,
    plan_of,
    refused,
)
from tests.builders import a_future, buys

# what is not there --------------------------------------------------------------------------------------------------


def test_an_older_journal_says_what_it_does_not_hold() -> None:
    """Rows without restraint, expiry and candidates."""
    plan, *rest = bought()[1:]
    facts = {key: held for key, held in plan.facts.items() if key not in {"withheld", "shift", "candidates"}}
    words = text([replace(plan, facts=facts), *rest])
    assert "The journal does not hold whether anything held it back" in words
    assert "The journal does not hold the choice of the expiry" in words
    assert "The journal holds no candidates." in words


def holes(draw: st.DrawFn, facts: Any) -> Any:
    """The same facts with some of them taken away or emptied."""
    if isinstance(facts, dict):
        kept = {key: holes(draw, held) for key, held in facts.items() if draw(st.integers(0, 9)) > 0}
        return {key: None if draw(st.integers(0, 9)) == 0 else held for key, held in kept.items()}
    return [holes(draw, one) for one in facts] if isinstance(facts, list) else facts


@st.composite
def with_holes(draw: st.DrawFn) -> list[Told]:
    """Rows of every kind of story, each with holes."""
    proposal = [*decided(asking(plan_of(ORDER))), *answered(yes=True), *later_order()]
    rows = draw(st.sampled_from([bought(), sold("-0.52"), proposal, decided(plan_of(ORDER), refused(ORDER, 2))]))
    return [replace(row, facts=holes(draw, copy.deepcopy(dict(row.facts)))) for row in rows]


@given(with_holes())
def test_whatever_is_missing_every_part_says_something(rows: list[Told]) -> None:
    """No fact is needed: a hole makes words, never a fault, and never a number that is none."""
    found = explained(trail(rows))
    assert len(found.parts) == 8
    shown = as_text(found, 100)
    assert "None" not in shown.replace("None were ", "")
    assert "nan" not in shown.lower().split()
    json.dumps(as_facts(found, trail(rows)), allow_nan=False)


@pytest.mark.parametrize("width", [60, 100])
def test_no_line_is_longer_than_the_terminal(width: int) -> None:
    """Tables wrap inside their columns, and no line ends with blanks."""
    lines = as_text(explained(trail(bought())), width).splitlines()
    assert max(map(len, lines)) <= width
    assert all(line == line.rstrip() for line in lines)


def test_the_same_as_json_values() -> None:
    """Words, tables by column, figures and the rows themselves."""
    facts: Any = json.loads(json.dumps(as_facts(explained(trail(bought())), trail(bought())), allow_nan=False))
    names = ["signal", "confirmations", "size", "place", "candidates", "restraint", "gate", "outcome"]
    assert list(facts["parts"]) == names
    assert (facts["decided"], facts["at_new_york"]) == ("increased", "2026-10-20T12:00:00-04:00")
    assert facts["parts"]["candidates"]["tables"][0]["rows"][0]["verdict"] == "chosen"
    assert facts["parts"]["outcome"]["figures"]["orders"][0]["fees_usd"] == "18.64"
    assert {row["kind"] for row in facts["rows"]} >= {"hedge_planned", "order_prepared", "order_filled"}
    assert [row["at"] for row in facts["rows"]] == sorted(row["at"] for row in facts["rows"])


# which decision ---------------------------------------------------------------------------------------------------


def listed_rows() -> list[Told]:
    """Three decisions, two of which begin alike, and an order of the first."""
    return [
        *decided(plan_of(ORDER), approved(ORDER)),
        *decided(plan_of(), decision=SECOND, minutes=1),
        *decided(plan_of(), decision=type(FIRST)("aaaa9999-0000"), minutes=2),
    ]


@pytest.mark.parametrize(
    ("beginning", "decision"),
    [
        (FIRST, FIRST),
        ("aaaa1111", FIRST),
        ("AAAA1", FIRST),
        ("b", SECOND),
        ("last", "aaaa9999-0000"),
    ],
)
def test_a_beginning_that_one_decision_has_names_it(beginning: str, decision: str) -> None:
    """The whole id, eight characters, one, or the last."""
    assert decision_named(listed_rows(), beginning) == decision


@pytest.mark.parametrize(
    ("beginning", "claim"),
    [
        ("aaaa", "'aaaa' begins 2 decisions: aaaa1111-0000 (2026-10-20 12:00:00, increase), aaaa9999-0000"),
        ("zz", "no decision begins with 'zz'; the journal holds 3, the last is aaaa9999-0000"),
        ("cccc", "no decision begins with 'cccc'; an order does: it belongs to decision aaaa1111-0000"),
        ("", "no decision begins with ''"),
        ("\x1b[2J", "no decision begins with '\\\\x1b[2J'"),
    ],
)
def test_anything_else_is_refused_with_what_there_is(beginning: str, claim: str) -> None:
    """Ambiguous ones are listed; an order's id says whose it is."""
    with pytest.raises(InvalidValueError) as refusal:
        decision_named(listed_rows(), beginning)
    assert claim in str(refusal.value)


def test_a_journal_without_decisions_says_so() -> None:
    """A bot that never came to one."""
    with pytest.raises(InvalidValueError, match="the journal holds no decision yet"):
        decision_named([SAMPLE], "last")


def test_a_long_list_is_cut() -> None:
    """Eight are named, the rest counted."""
    rows = [row for number in range(12) for row in decided(plan_of(), decision=type(FIRST)(f"ab{number:02d}"))]
    with pytest.raises(InvalidValueError, match=r"'ab' begins 12 decisions: .*ab07.* and 4 more"):
        decision_named(rows, "ab")


def test_an_id_that_begins_another_names_itself() -> None:
    """The whole id wins over what it begins."""
    rows = [*decided(plan_of(), decision=type(FIRST)("abc")), *decided(plan_of(), decision=type(FIRST)("abcd"))]
    assert decision_named(rows, "abc") == "abc"


def test_no_such_decision_has_no_trail() -> None:
    """None, and not an empty explanation."""
    assert trail_of(bought(), "nobody") is None


# figures and names ------------------------------------------------------------------------------------------------


@given(st.decimals(-(10**9), 10**9, places=4), st.integers(0, 3))
def test_a_figure_is_off_by_half_a_digit_at_most(number: Decimal, digits: int) -> None:
    """Thousands separators and rounding, and never minus nothing."""
    shown = plain(number, digits)
    assert abs(Decimal(shown.replace(",", "")) - number) <= Decimal(5) / 10 ** (digits + 1)
    assert not shown.startswith("-0") or Decimal(shown.replace(",", "")) != 0


@pytest.mark.parametrize("value", [None, "", "none", True, [], float("nan"), "inf"])
def test_what_is_no_figure_is_missing(value: object) -> None:
    """Never a zero."""
    assert (number_of(value), plain(value), usd(value)) == (None, "not in the journal", "not in the journal")
    assert per_point(value) == "not in the journal"


def test_the_worked_figures_hold() -> None:
    """Doctests of figures and checks."""
    assert [doctest.testmod(module).failed for module in (figures, gate)] == [0, 0]
    assert doctest.testmod(figures).attempted >= 7


def test_small_words() -> None:
    """Sentences, lists, moments, and a text that is cut."""
    assert (sentence("so it is"), sentence("is it?"), sentence("")) == ("So it is.", "Is it?", "")
    assert (listed(()), listed(("a", "b"))) == ("", "a and b")
    assert (moment_of("2026-10-20"), moment_of("soon"), moment_of(None)) == (None, None, None)
    assert clock(after(0)) == "12:00:00"
    assert text_of("x" * 500) == "x" * 400 + "..."


def test_orders_have_the_names_that_traders_use() -> None:
    """A future, an option, a spread bought and sold, and legs that are none of these."""
    future = an_order_for(limit="18.80").legs[0]
    facts: Any = {"side": "BUY", "ratio": 1, "instrument": json.loads(json.dumps(_instrument(a_future("VXM"))))}
    assert name_of({"legs": [facts]}) == "VXM 2026-11-18 future"
    call = {"side": "SELL", "ratio": 1, "instrument": _instrument(future.instrument)}
    assert (name_of({"legs": [call]}), verb_of({"legs": [call]})) == ("VIX 2026-11-18 22 call", "sell")
    share = {**facts, "instrument": {"kind": "STK", "trading_class": "VXX"}}
    assert (name_of({"legs": [share]}), verb_of({"legs": [share]})) == ("VXX shares", "buy")
    assert name_of({"legs": [facts, facts]}) == "BUY 1 VXM 2026-11-18 future / BUY 1 VXM 2026-11-18 future"
    later = {**call, "side": "BUY", "instrument": {**call["instrument"], "settlement": "2026-12-16"}}
    assert name_of({"legs": [later, call]}) == "BUY 1 VIX 2026-12-16 22 call / SELL 1 VIX 2026-11-18 22 call"
    assert (name_of({}), verb_of({})) == ("", "trade")
    assert order_words({}) == "trade not in the journal x  at not in the journal or better"


def _instrument(instrument: Any) -> dict[str, Any]:
    return {
        "kind": instrument.kind.value,
        "trading_class": instrument.trading_class,
        "settlement": str(instrument.settlement),
        "strike": None if instrument.strike is None else str(instrument.strike),
        "right": None if instrument.right is None else instrument.right.value,
    }


def test_a_part_that_says_nothing_is_refused() -> None:
    """And a table whose rows do not fit."""
    with pytest.raises(InvalidValueError, match="says nothing"):
        Part(name="x", title="X", words=())
    with pytest.raises(InvalidValueError, match="one cell for each"):
        Grid(columns=("a", "b"), rows=(("1",),))


def test_candidates_without_a_payoff_have_no_ratio() -> None:
    """A division by nothing is told in words; buys of a future are futures, of shares shares."""
    flat = replace(a_candidate(), stress_payoff_usd=0.0)
    for contract, kind in ((a_future("VXM"), "futures"), (VXX, "shares")):
        order = replace(an_order_for(limit="18.80"), legs=(buys(contract),))
        words = text(decided(plan_of(order, candidates=(flat,)), approved(order)))
        assert "no payoff" in words
        assert f"the least cost per payoff among the {kind} that passed" in words


def test_a_plan_of_two_orders_names_both() -> None:
    """Both in the sentence, each with its own verdict."""
    second = an_order_for(intent_id="eeee5555-0000", quantity=2)
    plan: HedgePlan = plan_of(ORDER, second)
    words = text(decided(plan, approved(ORDER), refused(second)))
    assert "buy 9 x VIX 2026-11-18 22/27 call spread at 0.59 or better and buy 2 x VIX" in words
    assert "Approved: buy 9 x" in words
    assert "Refused: buy 2 x" in words
