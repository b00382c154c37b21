"""The whole loop as a test: a blown-out spread becomes an order at the exchange, written down before it leaves."""

import json
from pathlib import Path

import pytest

from adapters.journal.store import first_fault
from tests.runs import Played, play


def test_a_blowout_becomes_a_bought_overlay(played: Played) -> None:
    """The second session's blowout is planned, approved, sent, filled, and leaves the overlay at its target."""
    actions = [facts["action"] for facts in played.of_kind("hedge_planned")]
    assert "increase" in actions
    first = played.kinds().index("order_prepared")
    story = [kind for kind in played.kinds()[first:] if kind.startswith("order_")][:4]
    assert story[:2] == ["order_prepared", "order_sent"]
    assert "order_completed" in played.kinds()
    last = played.of_kind("sample_taken")[-1]
    assert 0 < last["overlay_usd_per_point"] <= 0.20 * last["base_usd_per_point"] * 1.001


@pytest.mark.control("C2")
def test_every_order_at_the_exchange_has_an_earlier_verdict(played: Played) -> None:
    """What the gateway was told about orders is exactly what the gate had approved and the journal had prepared."""
    prepared = {facts["intent"]["intent_id"]: facts for facts in played.of_kind("order_prepared")}
    written_at = {
        json.loads(row.payload)["intent"]["intent_id"]: row.at for row in played.rows if row.kind == "order_prepared"
    }
    placed = [row for row in played.ledger if row.order is not None]
    assert placed
    for row in placed:
        facts = prepared[row.order_ref]
        assert all(check["passed"] for check in facts["checks"])
        assert written_at[row.order_ref] <= row.at
        assert row.order is not None
        assert row.order.quantity == facts["intent"]["quantity"]
        assert len(row.order.legs) == len(facts["intent"]["legs"])
        assert str(row.order.limit) == facts["intent"]["limit"]


def test_no_order_reference_is_used_twice(played: Played) -> None:
    """One intent is one order at the exchange."""
    refs = [row.order_ref for row in played.ledger if row.order is not None]
    assert len(refs) == len(set(refs))


def test_one_decision_id_runs_from_tick_to_fill(played: Played) -> None:
    """Plan, verdict, sending, fill and completion of one order carry the same decision id."""
    chain = ("hedge_planned", "order_prepared", "order_sent", "order_filled", "order_completed")
    decision = next(row.decision_id for row in played.rows if row.kind == "order_prepared")
    kinds = {row.kind for row in played.rows if row.decision_id == decision}
    assert set(chain) <= kinds


def test_the_cost_stays_below_the_cap(played: Played) -> None:
    """In every sample the hedge costs at most 40 % of the condor credit."""
    samples = played.of_kind("sample_taken")
    assert all(float(facts["cost_usd"]) <= 0.40 * float(facts["credit_usd"]) for facts in samples)


def test_the_journal_is_whole_and_the_report_is_written(played: Played) -> None:
    """The hash chain holds, the run ends with code 0, and the page holds its five pictures."""
    report = played.outcome.report
    assert played.outcome.exit_code == 0
    assert report is not None
    assert first_fault(report.parent / "state" / "journal.db") is None
    assert report.read_text().count("<svg") == 5


def test_the_log_has_one_json_line_per_row(played: Played) -> None:
    """Every committed row is one JSON line, account numbers are masked, and neither library nor adapter complains."""
    report = played.outcome.report
    assert report is not None
    lines = [json.loads(line) for line in (report.parent / "log.jsonl").read_text().splitlines()]
    events = [line["event"] for line in lines]
    assert [event for event in events if event not in {"library_logged", "alert_raised"}] == played.kinds()
    assert "DU1234567" not in (report.parent / "log.jsonl").read_text()
    assert [line for line in lines if line["event"] == "library_logged"] == []


def test_a_dry_run_writes_nothing_to_the_gateway(tmp_path: Path) -> None:
    """Decisions are made and recorded, and the exchange's ledger stays empty."""
    dry = play(tmp_path, dry_run=True, door="process")
    assert dry.ledger == ()
    assert "increase" in [facts["action"] for facts in dry.of_kind("hedge_planned")]
    assert "dry run" in {facts["why"].removeprefix("not sent: ") for facts in dry.of_kind("order_cancelled")}
