"""A refusal in the log: on a terminal one readable line, in the file every reason with figures and unit (C15, S7)."""

import io
import json
from decimal import Decimal

from adapters.logs import Logs
from bot.compose.refused import in_full, in_short
from bot.domain.decision import Checked, Refused, Rule
from bot.domain.events import OverrideGranted
from bot.domain.overrides import Override, Refusal
from bot.ports import JournalRow
from bot.records import rows_of
from tests.builders import NOON, a_plan, an_intent, spread_legs

ORDER = an_intent(spread_legs(23, 28), quantity=14, limit="0.59")
CHECKS = (
    Checked.at_most(rule=Rule.VIX_DELTA, found=Decimal("875.30"), limit=Decimal("680.10"), note="USD per point of VIX"),
    Checked.at_most(rule=Rule.DAILY_ORDERS, found=Decimal(41), limit=Decimal(40)),
    Checked.failed(rule=Rule.MARGIN_USE, note="the margin is unknown: not reported"),
    Checked.at_most(rule=Rule.VEGA, found=Decimal(1), limit=Decimal(10)),
)
REFUSED = Refused(intent=ORDER, checks=CHECKS)
ROW = JournalRow(
    kind="order_refused",
    decision_id="d-1",
    at=NOON,
    payload={"intent": ORDER, "checks": list(CHECKS), "largest_quantity": 0},
)
BECAUSE = (
    "vix delta: found 875, limit 680, headroom -195 USD per point of VIX; "
    "daily orders: found 41, limit 40, headroom -1 orders; "
    "margin use: the margin is unknown: not reported"
)


def lines(row: JournalRow) -> tuple[dict[str, object], str]:
    """The row as file and terminal show it."""
    file, terminal = io.BytesIO(), io.StringIO()
    Logs(file, None, lambda: NOON).row(in_full(row))
    Logs(None, terminal, lambda: NOON).row(in_short(row))
    told: dict[str, object] = json.loads(file.getvalue())
    return told, terminal.getvalue()


def test_a_refusal_on_a_terminal_is_one_line_in_words() -> None:
    """The order, every reason with value, limit, headroom and unit, whether a smaller size would pass, and the id."""
    _, line = lines(ROW)
    assert "order=buy 14 x VIX 2026-11-18 23/28 call spread at 0.59 or better" in line
    assert f"because={BECAUSE}" in line
    assert "size=no smaller size would pass" in line
    assert "intent_id=i-1" in line
    assert "checks" not in line


def test_a_refusal_that_size_can_cure_says_which() -> None:
    """The largest size that would pass."""
    row = JournalRow(kind=ROW.kind, decision_id="d-1", at=NOON, payload={**ROW.payload, "largest_quantity": 3})
    assert "size=the largest size that would pass is 3" in lines(row)[1]


def test_a_refusal_in_the_file_has_every_reason_as_figures() -> None:
    """Rule, value, limit, headroom, unit, note, and whether an override can waive it; the checks stay whole."""
    told, _ = lines(ROW)
    assert told["because"] == BECAUSE
    reasons = told["reasons"]
    assert isinstance(reasons, list)
    assert reasons[0] == {
        "rule": "vix_delta",
        "found": "875.30",
        "limit": "680.10",
        "headroom": "-195.20",
        "unit": "USD per point of VIX",
        "note": "USD per point of VIX",
        "overridable": True,
    }
    assert [(one["rule"], one["overridable"]) for one in reasons[1:]] == [("daily_orders", True), ("margin_use", False)]
    assert len(told["checks"]) == len(CHECKS)  # type: ignore[arg-type]  # a list in the log


def test_an_override_on_a_terminal_names_the_order_in_words() -> None:
    """Who, which rules, until when; the whole order stands in file and journal."""
    refusal = Refusal(refused=REFUSED, plan=a_plan(ORDER), at=NOON)
    override = Override(
        refusal=refusal,
        rules=frozenset({Rule.VIX_DELTA}),
        key_id="anna",
        reason="I know",
        until=NOON,
        epoch=1,
        digest=refusal.digest,
    )
    (row,) = rows_of(OverrideGranted(at=NOON, override=override), None)
    told, line = lines(row)
    assert "order=buy 14 x VIX 2026-11-18 23/28 call spread at 0.59 or better" in line
    assert "key_id=anna" in line
    assert "digest" not in line
    assert told["digest"] == refusal.digest
    assert told["intent"]["intent_id"] == "i-1"  # type: ignore[index]  # an object in the log


def test_other_rows_are_left_as_they_are() -> None:
    """Nothing is added and nothing taken away."""
    row = JournalRow(kind="order_sent", decision_id="d-1", at=NOON, payload={"intent_id": "i-1"})
    assert in_full(row) is row
    assert in_short(row) is row
