"""FLATTEN through the whole engine: halted, planned, signed, sold, and halted still; a replay and a later kill."""

from functools import cache
from typing import Any

import pytest

from bot.domain.command import CommandName
from simulator.fills import DisplayedSizeFills
from tests.scenarios.staging import Act, Hands, Journal, Scene, staged

HALTED_AT, ASKED_AT, SIGNED_AT, REPLAYED_AT = 60.0, 61.1, 62.1, 64.1  # a few seconds after the minute's quotes
SPX_CLASSES = {"SPX", "SPXW"}


def _kill(hands: Hands) -> None:
    hands.tighten(CommandName.KILL)


def _sign(hands: Hands) -> None:
    hands.sign_the_plan()


def _ask(hands: Hands) -> None:
    hands.ask_for_the_plan()


@cache
def flattened() -> Journal:
    """A quiet session in which a person flattens the base sleeve an hour after the open, and signs once more later."""
    acts = (
        Act(minute=HALTED_AT, doing=_kill),
        Act(minute=ASKED_AT, doing=_ask),
        Act(minute=SIGNED_AT, doing=_sign),
        Act(minute=REPLAYED_AT, doing=_sign),
    )
    return staged(Scene(scenario="calm", until_minute=75, acts=acts, ends_halted=True))


def books(journal: Journal) -> list[dict[str, int]]:
    """The positions of each comparison, by contract."""
    found = []
    for facts in journal.facts("books_reconciled"):
        held = {}
        for one in facts["positions"]:
            terms = one["instrument"]
            held[f"{terms['trading_class']} {terms['settlement']} {terms['strike']} {terms['right']}"] = one["quantity"]
        found.append(held)
    return found


def of_class(held: dict[str, int], *, spx: bool) -> dict[str, int]:
    """The SPX options, or everything else."""
    return {name: count for name, count in held.items() if (name.split()[0] in SPX_CLASSES) is spx}


def flatten_orders(journal: Journal) -> list[dict[str, Any]]:
    """The intents that left under the signed plan."""
    return [facts["intent"] for facts in journal.facts("order_prepared") if facts["intent"]["purpose"] == "flatten"]


@pytest.mark.control("C3")
def test_the_sleeve_is_sold_and_the_condors_stay() -> None:
    """At the end the broker holds no VIX contract any more, the condors untouched, and the bot is halted."""
    journal = flattened()
    before, after = books(journal)[0], books(journal)[-1]
    assert of_class(before, spx=False)
    assert of_class(after, spx=False) == {}
    assert of_class(after, spx=True) == of_class(before, spx=True) != {}
    (ended,) = journal.facts("flatten_ended")
    assert (ended["left"], ended["why"]) == ([], "all sold")
    assert journal.facts("mode_demanded")[-1]["mode"] == "HALT"


@pytest.mark.control("C3")
def test_in_the_halt_nothing_left_but_what_was_signed() -> None:
    """Every order after the kill is of the plan: its contracts, no more of them, at no worse price, by all rules."""
    journal = flattened()
    (planned,) = journal.facts("flatten_planned")
    parts = {leg["instrument"]["strike"]: part for part in planned["plan"]["parts"] for leg in part["legs"]}
    halted = journal.of("kill_latched")[0].at
    after = [row.facts for row in journal.of("order_prepared") if row.at > halted]
    assert after
    assert [facts["intent"] for facts in after] == flatten_orders(journal)
    for facts in after:
        intent = facts["intent"]
        part = parts[intent["legs"][0]["instrument"]["strike"]]
        assert intent["quantity"] <= part["units"]
        assert float(intent["limit"]) <= float(part["worst_limit"])
        assert all(check["passed"] for check in facts["checks"])


@pytest.mark.control("C3")
def test_a_replay_and_a_plan_of_before_do_nothing() -> None:
    """The same plan signed again is refused: it can be signed once; nothing more leaves."""
    journal = flattened()
    assert [facts["code"] for facts in journal.facts("command_refused") if facts["command"] == "flatten"] == [
        "no_such_plan"
    ]
    assert len(journal.facts("flatten_signed")) == 1


def resting(monkeypatch: pytest.MonkeyPatch, *acts: Act, **settings: str) -> Journal:
    """The same, at an exchange where nothing fills."""
    monkeypatch.setattr(DisplayedSizeFills, "match", lambda *_what, **_how: None)
    first = (
        Act(minute=HALTED_AT, doing=_kill),
        Act(minute=ASKED_AT, doing=_ask),
        Act(minute=SIGNED_AT, doing=_sign),
    )
    return staged(Scene(scenario="calm", until_minute=75, acts=(*first, *acts), settings=settings, ends_halted=True))


@pytest.mark.control("C3")
def test_a_kill_beats_a_flatten(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second kill while the orders rest: they are cancelled, none follows, and what is left is named."""
    journal = resting(monkeypatch, Act(minute=SIGNED_AT + 0.5, doing=_kill))
    second = journal.of("kill_latched")[1].at
    orders = journal.of("order_prepared")
    assert orders
    assert [row for row in orders if row.at > second] == []
    assert len(journal.of("order_cancelled")) == len(orders)
    (ended,) = journal.facts("flatten_ended")
    assert ended["why"] == "a later command has ended it"
    assert len(ended["left"]) == len(journal.facts("flatten_planned")[0]["plan"]["parts"])


@pytest.mark.control("C3")
def test_what_cannot_be_sold_is_repriced_and_then_escalated(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each part is tried as often as allowed, one order at a time, and what is left stands in the last row."""
    journal = resting(monkeypatch, ALVH_FLATTEN__MOST_TRIES="2")
    (planned,) = journal.facts("flatten_planned")
    tried = [intent["legs"][0]["instrument"]["settlement"] for intent in flatten_orders(journal)]
    assert {name: tried.count(name) for name in tried} == {
        part["legs"][0]["instrument"]["settlement"]: 2 for part in planned["plan"]["parts"]
    }
    (ended,) = journal.facts("flatten_ended")
    assert len(ended["left"]) == len(planned["plan"]["parts"])
    assert of_class(books(journal)[-1], spx=False) == of_class(books(journal)[0], spx=False)
