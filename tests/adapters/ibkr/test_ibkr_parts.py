"""The small parts without a wire: message budget, code table, lines, executions, settings, history."""

import math
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ibkr_harness import ACCOUNT, CALENDAR, a_call, a_vxm, an_intent, bought

from adapters.ibkr import library
from adapters.ibkr.errors import CODES, UNKNOWN_CODE, LinkMeaning, OrderMeaning, meaning_of, request_error
from adapters.ibkr.executions import Report, fill_from
from adapters.ibkr.history import duration_for, finished_closes
from adapters.ibkr.library import BarData, Contract, Execution
from adapters.ibkr.order_table import OrderTable, units_of
from adapters.ibkr.orders import order_from
from adapters.ibkr.pacing import TOTAL_PER_S, FrameBudget, Share
from adapters.ibkr.quotes import Line, side_of
from adapters.ibkr.settings import BrokerSettings
from bot.domain.errors import BrokerProtocolError, InvalidValueError
from bot.domain.instrument import VIX, Side
from bot.domain.orders import BrokerStatus, FillPart

# library and settings ---------------------------------------------------------------------------------------------


def test_exactly_one_library_is_behind_the_import_point() -> None:
    """The name says which, and both give the same unset numbers."""
    assert library.NAME in {"ib_async", "ib_insync"}
    assert library.IB.__module__.startswith(library.NAME)
    assert (library.UNSET_DOUBLE, library.UNSET_INTEGER) == (1.7976931348623157e308, 2147483647)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"client_id": 0}, "id 0 binds and resubmits manual orders"),
        ({"client_id": -1}, "client_id must be above 0"),
        ({"account": ""}, "account must not be empty"),
        ({"port": 0}, r"port must be 1\.\.65535, was 0"),
        ({"port": 70000}, r"port must be 1\.\.65535"),
        ({"connect_timeout_s": 0.0}, "connect_timeout_s must be positive"),
        ({"request_timeout_s": math.nan}, "request_timeout_s must be finite"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(wrong: dict[str, Any], message: str) -> None:
    """The message names the key, what was found and why."""
    with pytest.raises(InvalidValueError, match=message):
        BrokerSettings(**{"account": ACCOUNT} | wrong)


# message budget ---------------------------------------------------------------------------------------------------


@given(st.lists(st.tuples(st.sampled_from(["lookup", "order", "wait"]), st.floats(0, 0.3)), max_size=200))
def test_no_share_is_exceeded_and_twenty_cancels_always_fit(steps: list[tuple[str, float]]) -> None:
    """Whatever look-ups and orders do, 20 more frames stay within 45 of any second, and a wait told is long enough."""
    now = 0.0
    budget = FrameBudget(lambda: now)
    sent: list[float] = []
    for kind, step in steps:
        now += step
        share = Share.ORDER if kind == "order" else Share.LOOKUP
        if kind == "wait":
            now += budget.wait_s(share) + 1e-9
            assert budget.wait_s(share) == 0
        if budget.wait_s(share) == 0:
            budget.note()
            sent.append(now)
        recent = [at for at in sent if now - at < 1]
        assert len(recent) + 20 <= TOTAL_PER_S


def test_orders_may_leave_when_look_ups_must_wait() -> None:
    """Five frames are kept for orders, and nothing of theirs for look-ups."""
    budget = FrameBudget(lambda: 5.0)
    for _ in range(20):
        budget.note()
    assert budget.wait_s(Share.LOOKUP) == 1
    assert budget.wait_s(Share.ORDER) == 0
    for _ in range(5):
        budget.note()
    assert budget.wait_s(Share.ORDER) == 1


def test_after_a_complaint_everything_but_cancels_rests() -> None:
    """Code 100 is answered with silence for two seconds."""
    now = 0.0
    budget = FrameBudget(lambda: now)
    budget.penalise()
    assert budget.wait_s(Share.ORDER) == 2
    now = 2.0
    assert budget.wait_s(Share.LOOKUP) == 0


# code table -------------------------------------------------------------------------------------------------------


def test_no_row_of_the_table_can_cancel_an_order() -> None:
    """There is no such meaning; and a refusal of an acknowledged order is a doubt at most."""
    assert {meaning.value for meaning in OrderMeaning} == {"notice", "rejected", "doubt"}
    assert all(row.working is not OrderMeaning.REJECTED for row in CODES.values())


@pytest.mark.parametrize("code", [0, 1, 99999, 2199, -5])
def test_an_unlisted_code_doubts_and_alerts(code: int) -> None:
    """The default is UNKNOWN, never a guess."""
    assert meaning_of(code) is UNKNOWN_CODE
    assert (UNKNOWN_CODE.new, UNKNOWN_CODE.working, UNKNOWN_CODE.alert) == (
        OrderMeaning.DOUBT,
        OrderMeaning.DOUBT,
        True,
    )


def test_the_link_is_lost_and_restored_by_these_codes_alone() -> None:
    """Farm trouble is not loss of the link."""
    lost = {code for code, row in CODES.items() if row.link is LinkMeaning.LOST}
    back = {code for code, row in CODES.items() if row.link in {LinkMeaning.RESTORED, LinkMeaning.RESTORED_EMPTY}}
    assert (lost, back) == ({1100, 1300, 2110}, {1101, 1102})


@given(st.integers(2100, 2199))
def test_a_remark_never_ends_a_question(code: int) -> None:
    """The range is a warning range in both libraries, listed or not."""
    assert request_error("a question", code, "text") is None


# lines ------------------------------------------------------------------------------------------------------------

ANY_NUMBER = st.floats(allow_nan=True, allow_infinity=True)
TICKS = st.lists(
    st.one_of(
        st.tuples(st.just("price"), st.sampled_from([1, 2, 4, 9, 66, 67, 68]), ANY_NUMBER, ANY_NUMBER),
        st.tuples(st.just("size"), st.sampled_from([0, 3, 5, 69, 70]), ANY_NUMBER, ANY_NUMBER),
    ),
    max_size=30,
)


@given(TICKS)
def test_a_quote_never_shows_a_number_that_is_none(ticks: list[tuple[str, int, float, float]]) -> None:
    """Whatever arrives, a side is finite, not negative and has a size, or it is missing."""
    line = Line(a_vxm())
    for kind, tick_type, number, size in ticks:
        if kind == "price":
            assert line.price(tick_type, number, size, 1) is None
        else:
            line.size(tick_type, size)
        quote = line.changed_quote(1)
        if quote is None:
            continue
        for price, contracts in ((quote.bid, quote.bid_size), (quote.ask, quote.ask_size)):
            assert (price is None) == (contracts == 0)
            assert price is None or (math.isfinite(price) and 0 <= price < library.UNSET_DOUBLE)
            assert 0 <= contracts < library.UNSET_INTEGER


@given(TICKS)
def test_a_level_is_finite_and_above_zero(ticks: list[tuple[str, int, float, float]]) -> None:
    """Only last prices of an index are levels."""
    line = Line(VIX)
    for kind, tick_type, number, size in ticks:
        tick = line.price(tick_type, number, size, 7) if kind == "price" else None
        if tick is not None:
            assert tick_type in {4, 68}
            assert math.isfinite(tick.level)
            assert 0 < tick.level < library.UNSET_DOUBLE


def test_a_side_comes_back_with_its_size() -> None:
    """A size of nothing hides the price, a later size shows it again."""
    line = Line(a_vxm())
    line.price(1, 18.5, 3, 1)
    line.size(0, 0)
    assert line.changed_quote(1) is None
    line.size(0, 2)
    quote = line.changed_quote(1)
    assert quote is not None
    assert (quote.bid, quote.bid_size) == (18.5, 2)


def test_a_real_quote_of_zero_is_kept() -> None:
    """Zero with a size is a price."""
    assert side_of(0.0, 5) == (0.0, 5)
    assert side_of(0.0, 0) == (None, 0)


# executions -------------------------------------------------------------------------------------------------------


def report(exec_id: str, **fields: Any) -> Report:
    """One execution: bought 2 of a contract for the first time, unless stated."""
    con_id, sec_type = fields.pop("con_id", 1), fields.pop("sec_type", "FUT")
    told = {"side": "BOT", "shares": 2.0, "cumQty": 2.0, "permId": 9, "price": 18.0, "acctNumber": ACCOUNT}
    execution = Execution(execId=exec_id, time=datetime(2026, 10, 20, 14, tzinfo=UTC), **told | fields)
    return Report(contract=Contract(conId=con_id, secType=sec_type), execution=execution)


@pytest.mark.parametrize(("told", "before"), [((2.0, 2.0), 0), ((2.0, 5.0), 3), ((2.0, 1.0), None), ((2.5, 4.0), None)])
def test_a_fill_says_what_had_filled_before_it(told: tuple[float, float], before: int | None) -> None:
    """The broker's running total less the execution itself; a total that does not add up says nothing."""
    shares, total = told
    fill = fill_from(report("a.b.01.02", shares=shares, cumQty=total), a_vxm(), FillPart.WHOLE)
    assert (fill.exec_id, fill.filled_before) == ("a.b.01.02", before)


@pytest.mark.parametrize("wrong", [{"side": "BUY"}, {"shares": 0.0}, {"shares": -1.0}, {"shares": 2147483647.0}])
def test_an_execution_that_cannot_be_is_a_protocol_error(wrong: dict[str, Any]) -> None:
    """A side or quantity that no execution has is not guessed at."""
    with pytest.raises(BrokerProtocolError, match="BOT or SLD and a quantity expected"):
        fill_from(report("a.b.01.01", **wrong), a_vxm(), FillPart.WHOLE)


def test_an_executions_time_is_told_in_utc() -> None:
    """The exchange's time in whatever zone it came."""
    ours = report("a.b.01.01")
    ours.execution.time = datetime.fromisoformat("2026-10-20T09:31:00-04:00")
    fill = fill_from(ours, a_vxm(), FillPart.WHOLE)
    assert fill.at == datetime(2026, 10, 20, 13, 31, tzinfo=UTC)
    assert fill.at.utcoffset() == timedelta(0)
    assert (fill.side, fill.price) == (Side.BUY, Decimal("18.0"))


# order table ------------------------------------------------------------------------------------------------------


def a_table() -> OrderTable:
    """One order of ours, written and not answered."""
    table = OrderTable()
    table.written(client_id=17, order_id=5, order_ref="ref", account=ACCOUNT, is_combo=False, quantity=3)
    return table


STATUS_TEXTS = st.sampled_from(
    ["PendingSubmit", "PreSubmitted", "Submitted", "Filled", "Cancelled", "ApiCancelled", "Inactive", "PendingCancel"]
)
STEPS = st.lists(st.one_of(STATUS_TEXTS, st.sampled_from([*CODES, 99999])), max_size=25)


@given(STEPS)
def test_cancelled_is_said_by_the_broker_or_by_nobody(steps: list[str | int]) -> None:
    """Under any mixture of codes and statuses, CANCELLED needs a cancelled status, REJECTED a refusing code."""
    table = a_table()
    row = table.own(17, 5)
    assert row is not None
    texts: list[str] = []
    refused = False
    for step in steps:
        if isinstance(step, str):
            texts.append(step)
            filled = 3.0 if step == "Filled" else 0.0
            table.status_told(client_id=17, order_id=5, perm_id=9, status=step, filled=filled, remaining=3.0 - filled)
        else:
            table.judged(row, step, "text")
            refused = refused or meaning_of(step).new is OrderMeaning.REJECTED
        assert row.status is not BrokerStatus.CANCELLED or {"Cancelled", "ApiCancelled"} & set(texts)
        assert row.status is not BrokerStatus.REJECTED or refused
        assert row.status is not BrokerStatus.FILLED or "Filled" in texts


def test_a_late_status_does_not_bring_an_ended_order_back() -> None:
    """Submitted after Cancelled is an old message; Filled after Cancelled is a late fill."""
    table = a_table()
    for status, expected in (
        ("Cancelled", BrokerStatus.CANCELLED),
        ("Submitted", BrokerStatus.CANCELLED),
        ("Filled", BrokerStatus.FILLED),
        ("Cancelled", BrokerStatus.FILLED),
    ):
        row = table.status_told(client_id=17, order_id=5, perm_id=9, status=status, filled=3.0, remaining=0.0)
        assert row.status is expected


def test_manual_orders_are_told_apart_by_their_permanent_id() -> None:
    """Orders placed by hand carry order id 0 or below."""
    table = OrderTable()
    first = table.status_told(client_id=0, order_id=0, perm_id=1, status="Submitted", filled=0.0, remaining=1.0)
    second = table.status_told(client_id=0, order_id=0, perm_id=2, status="Submitted", filled=0.0, remaining=1.0)
    assert first is not second
    assert (first.order_id, second.order_id) == (0, 0)
    assert table.of_perm_id(2) is second


def test_ended_rows_are_forgotten_and_live_ones_kept() -> None:
    """The table holds what may still change."""
    table = a_table()
    table.status_told(client_id=17, order_id=6, perm_id=9, status="Cancelled", filled=0.0, remaining=0.0)
    table.forget_ended()
    assert table.own(17, 6) is None
    assert table.own(17, 5) is not None


@pytest.mark.parametrize(
    ("told", "units"),
    [(3.0, 3), (0, 0), (-1.0, 0), (library.UNSET_DOUBLE, 0), (library.UNSET_INTEGER, 0), (math.nan, 0), ("", 0)],
)
def test_an_unset_quantity_counts_as_nothing(told: object, units: int) -> None:
    """No sentinel becomes a number of units."""
    assert units_of(told) == units


# history ----------------------------------------------------------------------------------------------------------


@given(st.integers(1, 2000))
def test_the_duration_asked_for_holds_enough_sessions(sessions: int) -> None:
    """Counted back over the real calendar from a day after many holidays."""
    number, unit = duration_for(sessions).split()
    days = int(number) * (365 if unit == "Y" else 1)
    end = date(2027, 1, 4)
    assert sum(1 for _ in CALENDAR.sessions(end - timedelta(days=days), end - timedelta(days=1))) >= sessions


def test_only_finished_sessions_with_a_real_close_are_kept() -> None:
    """A weekend, the session under way, and closes that are no numbers are left out; the rest ascends."""
    bars = [
        BarData(date=date(2026, 10, 20), close=18.0),
        BarData(date=date(2026, 10, 19), close=17.0),
        BarData(date=date(2026, 10, 18), close=16.0),
        BarData(date=date(2026, 10, 16), close=math.nan),
        BarData(date=date(2026, 10, 15), close=-1.0),
        BarData(date=datetime(2026, 10, 14, 4, tzinfo=UTC), close=15.0),
    ]
    noon = datetime(2026, 10, 20, 16, tzinfo=UTC)
    assert [(each.day.day, each.close) for each in finished_closes(bars, noon, CALENDAR)] == [(14, 15.0), (19, 17.0)]
    night = datetime(2026, 10, 20, 20, 15, tzinfo=UTC)
    assert finished_closes(bars, night, CALENDAR)[-1].day == date(2026, 10, 20)


# orders -----------------------------------------------------------------------------------------------------------


def test_an_order_names_its_account_and_its_reference() -> None:
    """Attribution is on every order; the call is the only leg and its price is what is paid."""
    order = order_from(an_intent((bought(a_call("20")),), "1.05", quantity=4), account=ACCOUNT)
    assert (order.account, order.orderRef, order.tif, order.orderType) == (ACCOUNT, "intent-1", "DAY", "LMT")
    assert (order.action, order.totalQuantity, order.lmtPrice) == ("BUY", 4, 1.05)
    assert (order.transmit, order.outsideRth, order.whatIf) == (True, False, False)
