"""What an explanation says where a person was asked: answers, their use, and nobody who answers."""

from typing import Any

import pytest

from bot.domain.evidence import Stance
from bot.domain.plan import Withheld
from bot.report.explain import as_facts, explained
from bot.report.story import Told
from tests.bot.report.explained_texts import ORDER, later_order, text, trail
from tests.bot.report.explaining_rows import (
    FIRST,
    SECOND,
    a_blowout,
    a_row,
    an_order_for,
    answered,
    approved,
    asking,
    decided,
    plan_of,
)

# a person is asked -----------------------------------------------------------------------------------------------


def test_a_contradiction_asks_and_nobody_answers() -> None:
    """The question, its reason, its time, and that silence means hold."""
    rows = [*decided(asking(plan_of(ORDER)), signal=a_blowout(Stance.CONTRADICTS)), a_row("sample_taken", 16)]
    words = text(rows)
    assert "the bot asked a person whether to buy 9 x VIX 2026-11-18 22/27 call spread at 0.59 or better" in words
    assert "the confirmations contradict the blowout" in words
    assert "Asked: buy up to 9 x VIX 2026-11-18 22/27 call spread (overlay build)." in words
    assert (
        "Nobody answered, so it expired at 2026-10-20 12:15:00 New York (16:15:00 UTC) and nothing was done." in words
    )


def test_a_proposal_may_still_be_open_when_the_journal_ends() -> None:
    """Then nothing is said of its end."""
    rows = [*decided(asking(plan_of(ORDER))), a_row("sample_taken", 14)]
    assert "Nobody has answered; it was still open when the journal ends." in text(rows)


def test_an_approval_and_its_use_are_linked_both_ways() -> None:
    """The decision that asked names the one that acted, and the other way round; who said yes, and why."""
    rows = [*decided(asking(plan_of(ORDER))), *answered(yes=True), *later_order()]
    asked = text(rows)
    assert "Approved 2026-10-20 12:05:00 with key anna; reason: seen and agreed." in asked
    assert "The approval was used by decision bbbb2222 at 2026-10-20 12:06:00, whose order the gate approved" in asked
    used = text(rows, SECOND)
    assert "covered by the approval of the proposal of decision aaaa1111. Approved 2026-10-20 12:05:00" in used
    links = as_facts(explained(trail(rows)), trail(rows))["links"]
    assert links == {"approval_used_by": [SECOND], "uses_approval_of": None, "next_decision": SECOND}
    back: Any = as_facts(explained(trail(rows, SECOND)), trail(rows, SECOND))["links"]
    assert back["uses_approval_of"] == FIRST


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ([*answered(yes=True), *later_order(minutes=15)], "too late"),
        ([*answered(yes=True), *later_order(quantity=10)], "larger than what was asked for"),
        ([*answered(yes=True, minutes=15), *later_order(minutes=16)], "answered when it had expired"),
        (later_order(), "not answered"),
        ([*answered(yes=False), *later_order()], "vetoed"),
    ],
)
def test_an_order_that_no_approval_covers_is_linked_to_none(rows: list[Told], why: str) -> None:
    """Late, larger, unanswered or vetoed."""
    every = [*decided(asking(plan_of(ORDER))), *rows]
    assert trail(every, SECOND).uses is None, why
    assert "was used by" not in text(every)


def test_an_approval_that_nothing_used_says_so() -> None:
    """Yes was said, and no order followed."""
    assert "No order used the approval." in text([*decided(asking(plan_of(ORDER))), *answered(yes=True)])


def test_one_approval_is_used_once() -> None:
    """A second order like it is not covered any more."""
    again = an_order_for(SECOND, "ffff6666-0000")
    rows = [*decided(asking(plan_of(ORDER))), *answered(yes=True), *later_order()]
    rows += decided(plan_of(again), approved(again), decision=SECOND, minutes=7)
    asked = trail(rows).asked
    assert asked is not None
    assert len(asked.used_by) == 1


def test_a_veto_names_who_said_no() -> None:
    """Key and reason; an answer after it changes nothing."""
    words = text([*decided(asking(plan_of(ORDER))), *answered(yes=False), *answered(yes=True, minutes=6)])
    assert "Vetoed 2026-10-20 12:05:00 with key anna; reason: seen and agreed." in words
    assert "Approved 2026-10-20 12:06:00 with key anna; reason: seen and agreed. It came when" in words
    assert "changed nothing" in words


def test_an_answer_to_a_proposal_that_another_one_replaced_changes_nothing() -> None:
    """Only the last proposal can be answered."""
    again = asking(plan_of(an_order_for(SECOND, "eeee5555-0000")), minutes=1)
    rows = [*decided(asking(plan_of(ORDER))), *decided(again, decision=SECOND, minutes=1), *answered(yes=False)]
    asked = trail(rows).asked
    assert asked is not None
    assert (asked.answer.value, len(asked.late)) == ("waiting", 1)
    assert "Vetoed 2026-10-20 12:05:00 with key anna; reason: seen and agreed. It came when" in text(rows)


def test_a_decision_that_waits_names_the_proposal_it_waits_for() -> None:
    """The proposal is another decision's."""
    waiting = plan_of(ORDER).holding_back(Withheld.PROPOSAL, "proposed: waits for a person")
    rows = [*decided(asking(plan_of(ORDER))), *decided(waiting, decision=SECOND, minutes=1)]
    words = text(rows, SECOND)
    assert "The proposal in question is that of decision aaaa1111:" in words
    assert "Asked: buy up to 9 x VIX 2026-11-18 22/27 call spread" in words
