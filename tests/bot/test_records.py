"""Rows of the journal: one kind per thing that happened, bound to the decision that caused it."""

from decimal import Decimal

import pytest

from bot.domain.decision import Approved, Refused
from bot.domain.events import (
    AccountReported,
    BooksReconciled,
    CancelSent,
    DataFeedChanged,
    Decided,
    Event,
    LinkLost,
    LinkRestored,
    MarginPreviewed,
    ModeDemanded,
    OrderDropped,
    OrderReported,
    OrderSent,
    SessionClosed,
    SessionOpened,
    TimerElapsed,
)
from bot.domain.mode import DemandSource, TradingMode
from bot.domain.orders import Cancelled, DecisionId, Filled, FillPart, IntentId, OrderState, Sent, Unknown, Working
from bot.domain.previews import MarginFigures, MarginPreview
from bot.records import rows_of
from risk.gate import Gate
from risk.limits import RiskLimits
from tests.bot.engine_parts import AtMost, a_fill, books_agree, call_order, filled, restored
from tests.builders import FEES, NOON, a_plan, a_session, a_signal, an_account, an_intent
from tests.fakes import a_row
from tests.risk.scenes import calm_noon

REF = IntentId("i-1")
PREVIEW = MarginPreview(
    at=NOON,
    shape=(("FUT:VXM", 1),),
    quantity=2,
    book_version=1,
    figures=MarginFigures(initial_change_usd=Decimal(900), maintenance_change_usd=Decimal(800)),
)


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        (SessionOpened(at=NOON, session=a_session(), baseline=()), "session_opened"),
        (SessionClosed(at=NOON, session=a_session()), "session_closed"),
        (LinkLost(at=NOON, why="x"), "link_lost"),
        (LinkRestored(at=NOON, why="x"), "link_restored"),
        (DataFeedChanged(at=NOON, usable=False, why="x"), "data_feed_changed"),
        (restored(), "journal_restored"),
        (MarginPreviewed(at=NOON, preview=PREVIEW), "margin_previewed"),
        (books_agree(), "books_reconciled"),
        (
            ModeDemanded(at=NOON, source=DemandSource.LATCH, mode=TradingMode.HALT, cause="x", epoch=2),
            "mode_demanded",
        ),
    ],
)
def test_each_event_of_the_standing_is_one_row(event: Event, kind: str) -> None:
    """Its moment is the event's."""
    (row,) = rows_of(event, None)
    assert (row.kind, row.at, row.decision_id) == (kind, NOON, "")


@pytest.mark.parametrize("event", [TimerElapsed(at=NOON), AccountReported(at=NOON, values=an_account())])
def test_what_happens_all_the_time_leaves_no_row(event: Event) -> None:
    """Timers and account values would drown the rest."""
    assert rows_of(event, None) == ()


@pytest.mark.parametrize(
    ("event", "state", "kind", "why"),
    [
        (OrderSent(at=NOON, intent_id=REF), Sent(), "order_sent", ""),
        (
            OrderDropped(at=NOON, intent_id=REF, why="x"),
            Cancelled(reason="not sent: x"),
            "order_cancelled",
            "not sent: x",
        ),
        (CancelSent(at=NOON, intent_id=REF), Working(), "cancel_sent", ""),
        (CancelSent(at=NOON, intent_id=REF), Unknown(why="lost"), "cancel_sent", "lost"),
    ],
)
def test_an_orders_row_says_what_it_is_now(event: Event, state: OrderState, kind: str, why: str) -> None:
    """Kind and reason follow the state after the event; the decision is the order's."""
    (row,) = rows_of(event, call_order(3, state))
    assert (row.kind, row.payload["why"], row.decision_id) == (kind, why, "d-1")


def test_foreign_orders_leave_no_row_and_foreign_fills_do() -> None:
    """Their executions move our book, their reports do not."""
    from_afar = filled(a_fill("e-1", "manual"))
    assert [row.kind for row in rows_of(from_afar, None)] == ["order_filled"]
    assert rows_of(OrderSent(at=NOON, intent_id=REF), None) == ()


def test_a_fill_and_the_step_it_made_are_two_rows_and_a_leg_makes_no_step() -> None:
    """The execution first, then what became of the order."""
    order = call_order(1, Filled(), filled=1)
    assert [row.kind for row in rows_of(filled(a_fill()), order)] == ["order_filled", "order_completed"]
    assert [row.kind for row in rows_of(filled(a_fill(part=FillPart.LEG)), order)] == ["order_filled"]


def test_a_comparison_is_written_with_everything_that_it_settled() -> None:
    """One row for each missed fill and each order, then the outcome with its differences."""
    event: BooksReconciled = books_agree(
        orders=(call_order(1, Cancelled(reason="gone")),), fills=(a_fill(),), differences={"k": "v"}
    )
    rows = rows_of(event, None)
    assert [row.kind for row in rows] == ["order_filled", "order_cancelled", "books_reconciled"]
    assert (rows[1].payload["why"], rows[-1].payload["differences"]) == ("reconciled: gone", {"k": "v"})


def test_a_decision_is_one_row_and_each_verdict_another() -> None:
    """An approval is the PREPARED row; a refusal names the largest size that would have passed."""
    plan = a_plan(an_intent(quantity=1), an_intent(quantity=3, intent_id="i-2"))
    verdicts = Gate(RiskLimits(), FEES, checks=[AtMost(2)]).review(plan, calm_noon())
    assert [type(verdict) for verdict in verdicts] == [Approved, Refused]
    decided = Decided(
        at=NOON, decision_id=DecisionId("d-1"), trigger="t", signal=a_signal(), plan=plan, verdicts=verdicts
    )
    rows = rows_of(decided, None)
    assert [row.kind for row in rows] == ["hedge_planned", "order_prepared", "order_refused"]
    assert {row.decision_id for row in rows} == {"d-1"}
    assert rows[2].payload["largest_quantity"] == 2


def test_a_report_is_a_row_of_the_state_it_led_to() -> None:
    """WORKING is an acknowledgement."""
    from_broker = OrderReported(at=NOON, report=a_row("i-1"))
    assert [row.kind for row in rows_of(from_broker, call_order(1, Working()))] == ["order_acknowledged"]
