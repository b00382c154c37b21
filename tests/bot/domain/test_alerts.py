"""Which rows call a person, and what tells one cause from another."""

from typing import Any

import pytest

from bot.domain.alerts import ALERTS, QUIET_RECORDS, TOLD_RECORDS, Alert, AlertClass, Fault, Severity, alert_of
from bot.domain.errors import InvalidValueError
from tests.builders import NOON


def called(kind: str, **facts: Any) -> Alert | None:
    """The alert that a row is."""
    return alert_of(kind, facts, at=NOON, decision_id="d-1")


@pytest.mark.parametrize(
    ("kind", "silent", "loud"),
    [
        ("bot_stopped", {"exit_code": 0}, {"exit_code": 4}),
        ("books_reconciled", {"differences": {}}, {"differences": {"VIX": "2 more"}}),
        ("limits_set", {"looser": []}, {"looser": ["max_orders_per_day"]}),
        ("data_feed_changed", {"usable": True}, {"usable": False}),
        ("command_link_changed", {"up": True}, {"up": False}),
        ("mode_demanded", {"mode": "NORMAL", "source": "command_link"}, {"mode": "HALT", "source": "command_link"}),
        ("mode_demanded", {"mode": "HALT", "source": "latch"}, {"mode": "REDUCE_ONLY", "source": "market_data"}),
    ],
)
def test_a_row_calls_where_it_tells_of_something_wrong(kind: str, silent: dict[str, Any], loud: dict[str, Any]) -> None:
    """The same kind of row is a record while all is well, and an alert where it is not."""
    assert called(kind, **silent) is None
    assert called(kind, **loud) is not None


@pytest.mark.parametrize("kind", sorted(set(ALERTS) - {"data_feed_changed", "command_link_changed"}))
def test_an_alert_says_what_happened(kind: str) -> None:
    """Every alert has words and keeps moment and decision."""
    alert = called(kind, exit_code=5, differences={"x": 1}, mode="HALT", source="journal", looser=["x"])
    assert alert is not None
    assert (alert.kind, alert.words, alert.at, alert.decision_id) == (kind, ALERTS[kind].words, NOON, "d-1")


@pytest.mark.parametrize("kind", sorted(TOLD_RECORDS | QUIET_RECORDS))
def test_a_record_calls_nobody(kind: str) -> None:
    """What a record says makes no difference."""
    assert called(kind, exit_code=5, mode="HALT") is None


def test_a_kind_that_nobody_listed_is_as_loud_as_can_be() -> None:
    """A row that no table knows is never silent."""
    alert = called("sky_fallen")
    assert alert is not None
    assert alert.severity is Severity.CRITICAL


def test_the_cause_is_what_the_class_names() -> None:
    """Two orders are two causes, two moments of one order are one; a fact that lacks is left empty."""
    first, later = (
        called("order_rejected", intent_id="i-1", filled=0),
        called("order_rejected", intent_id="i-1", filled=1),
    )
    other, asked = called("order_rejected", intent_id="i-2"), called("proposal_made")
    assert first is not None
    assert later is not None
    assert other is not None
    assert asked is not None
    assert (first.cause, later.cause, other.cause, asked.cause) == ("i-1", "i-1", "i-2", "d-1")
    bare = called("order_rejected")
    assert bare is not None
    assert bare.cause == ""


def test_a_fault_is_an_alert_whose_text_is_its_cause() -> None:
    """An error line keeps its class, severity and text."""
    alert = Fault(name="message_lost", severity=Severity.WARNING, words="lost", text="message 5").alert(NOON)
    assert (alert.kind, alert.severity, alert.cause) == ("message_lost", Severity.WARNING, "message 5")


def test_severities_are_in_order() -> None:
    """NOTICE is the mildest, CRITICAL the loudest."""
    assert [one.rank for one in (Severity.NOTICE, Severity.WARNING, Severity.CRITICAL)] == [0, 1, 2]


def test_an_alert_that_says_nothing_is_refused() -> None:
    """Neither a class without words, nor a fault without a kind, nor a count below zero."""
    with pytest.raises(InvalidValueError, match="words"):
        AlertClass(severity=Severity.NOTICE, words="")
    with pytest.raises(InvalidValueError, match="name"):
        Fault(name="", severity=Severity.NOTICE, words="w", text="t")
    with pytest.raises(InvalidValueError, match="held_back"):
        Alert(kind="k", severity=Severity.NOTICE, words="w", cause="", at=NOON, decision_id="", facts={}, held_back=-1)
