"""Proposals answered and not answered, with the real planner, steward and gate behind them (M14)."""

from datetime import datetime, timedelta
from functools import cache

from bot.domain.command import CommandName
from tests.scenarios.staging import Act, Journal, Scene, staged, wide_morning

ASKING = {"ALVH_STEWARD__AUTONOMY": "approve"}
LIFE = timedelta(minutes=15)
ASKED_MINUTE = 17
"""The blowout is known this long after the open; the answers below come three minutes later."""


@cache
def answered(name: CommandName, minute: float = ASKED_MINUTE + 3) -> Journal:
    """A wide morning on which a person answers the last proposal; ends a quarter of an hour after the first lapsed."""
    acts = (Act(minute=minute, doing=lambda hands: hands.answer(name)),)
    return staged(Scene(history=wide_morning(), until_minute=50, settings=ASKING, acts=acts))


@cache
def unanswered() -> Journal:
    """The same morning without anybody."""
    return staged(Scene(history=wide_morning(), until_minute=50, settings=ASKING))


def test_a_proposal_tells_the_trade_and_when_it_lapses() -> None:
    """What the plan wanted is asked for, contract by contract, and holds for a quarter of an hour."""
    journal = unanswered()
    row, planned = journal.of("proposal_made")[0], next(r for r in journal.plans() if r.facts["withheld"] == "proposal")
    asked, wanted = row.facts["proposal"], planned.facts["withheld_intents"]
    assert [order["quantity"] for order in asked["orders"]] == [intent["quantity"] for intent in wanted]
    assert len(asked["orders"][0]["legs"]) == len(wanted[0]["legs"])
    assert datetime.fromisoformat(asked["expires_at"]) - datetime.fromisoformat(asked["made_at"]) == LIFE


def test_an_approved_proposal_is_bought_no_larger_than_it_was_asked() -> None:
    """Question, answer, order, fill, in this order; the same contracts and no more of them."""
    journal = answered(CommandName.APPROVE)
    story = ("proposal_made", "proposal_approved", "order_prepared", "order_completed")
    assert [row.kind for row in journal.of(*story)] == list(story)
    (asked,) = journal.facts("proposal_made")[0]["proposal"]["orders"]
    intent = journal.facts("order_prepared")[0]["intent"]
    assert intent["quantity"] <= asked["quantity"]
    assert len(intent["legs"]) == len(asked["legs"])
    assert all(check["passed"] for check in journal.facts("order_prepared")[0]["checks"])


def test_a_vetoed_proposal_sends_nothing_and_is_not_made_again() -> None:
    """The no is on record, the plan after it holds because of it, no order leaves, and nobody is asked anew."""
    journal = answered(CommandName.VETO)
    (vetoed,) = journal.of("proposal_vetoed")
    after = next(row for row in journal.plans() if row.at >= vetoed.at)
    assert (after.facts["action"], after.facts["withheld"]) == ("hold", "veto")
    assert after.facts["reason"].endswith("vetoed by a person in this session")
    assert len(journal.of("proposal_made")) == 1
    assert journal.of("order_prepared", "order_refused") == []


def test_an_expired_proposal_does_nothing_and_is_not_made_again() -> None:
    """Nobody answers: no order leaves, and after the last moment every plan of the session holds because of it."""
    journal = unanswered()
    (made,) = journal.facts("proposal_made")
    lapsed_at = datetime.fromisoformat(made["proposal"]["expires_at"])
    late = [row.facts for row in journal.plans() if row.at >= lapsed_at]
    assert {facts["action"] for facts in late} == {"hold"}
    assert any(facts["reason"].endswith("its time is over, asked no more in this session") for facts in late)
    assert journal.of("proposal_approved", "proposal_vetoed", "order_prepared", "order_refused") == []


def test_a_yes_after_the_last_moment_buys_nothing() -> None:
    """The command is refused, and the order is not sent."""
    journal = answered(CommandName.APPROVE, minute=49)
    assert len(journal.of("command_refused")) == 1
    assert journal.of("proposal_approved", "order_prepared") == []
