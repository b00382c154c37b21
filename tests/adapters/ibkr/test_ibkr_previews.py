"""What-if questions over the wire: asked, answered, refused and unanswered, and never an order (C33, M11)."""

import asyncio
from decimal import Decimal
from typing import Any

import pytest
from ibkr_harness import Bench, Fields, a_call, a_vxm, an_intent, bought, on_bench, sold

from adapters.ibkr.library import UNSET_DOUBLE, OrderState
from adapters.ibkr.pacing import TOTAL_PER_S
from adapters.ibkr.previews import figures_of
from bot.domain.errors import BrokerRejectedError, ConnectivityError, InvariantError
from bot.domain.events import OrderDoubted, OrderReported
from bot.domain.orders import BrokerStatus, OrderIntent
from bot.domain.previews import MarginFigures

FUTURE = an_intent((bought(a_vxm()),), "5.05", quantity=2)
UNSET = "1.7976931348623157E308"
OPEN_ORDER, ORDER_STATUS, ERROR = "5", "3", "4"


async def asked(bench: Bench, intent: OrderIntent = FUTURE) -> MarginFigures:
    """Ask once the contract is known."""
    await bench.broker.snapshot([leg.instrument for leg in intent.legs])
    return await bench.broker.preview(intent)


def test_the_broker_says_what_a_future_and_a_call_would_bind() -> None:
    """The change of both margins and the commission, equal to what the exchange works out."""

    async def play(bench: Bench) -> None:
        await bench.market_open()
        for intent in (FUTURE, an_intent((bought(a_call("21")),), "0.90", quantity=3)):
            figures = await asked(bench, intent)
            assert figures.initial_change_usd >= figures.maintenance_change_usd >= 0
            assert figures.least_commission_usd == figures.most_commission_usd
            assert figures.most_commission_usd is not None
            assert figures.most_commission_usd > 0
        assert (await asked(bench)).bound_usd > 1000  # two mini futures near 19

    on_bench(play)


@pytest.mark.control("C33")
def test_a_question_is_no_order() -> None:
    """One frame with the flag; nothing rests, nothing is reported, and its number is never an order's."""

    async def play(bench: Bench) -> None:
        await bench.market_open()
        await asked(bench)
        (frame,) = bench.wire.frames(3)
        assert bench.of(OrderReported) == []
        assert bench.floor.open_orders() == ()
        order_id = await bench.send(an_intent((bought(a_vxm()),), "5.05", intent_id="intent-2"))
        assert order_id > int(frame[1])
        books = await bench.broker.books()
        assert [order.order_ref for order in books.open_orders] == ["intent-2"]
        different = [
            place for place, (one, other) in enumerate(zip(frame, bench.wire.frames(3)[1], strict=True)) if one != other
        ]
        assert [(frame[place], bench.wire.frames(3)[1][place]) for place in different if frame[place] in "01"] == [
            ("1", "0")
        ]

    on_bench(play)


@pytest.mark.control("C33")
def test_a_status_about_a_question_reaches_no_order() -> None:
    """Should the broker send one, it is dropped; a real order that appears under the number is told all the same."""

    async def play(bench: Bench) -> None:
        await bench.market_open()
        await asked(bench)
        (frame,) = bench.wire.frames(3)
        number = int(frame[1])
        bench.wire.say(ORDER_STATUS, number, "Submitted", 0, 2, 0, 991, 0, 0, bench.settings.client_id, "", 0)
        await asyncio.sleep(0.5)
        assert bench.of(OrderReported) == []
        bench.wire.say(ORDER_STATUS, number, "Submitted", 0, 2, 0, 992, 0, 0, bench.settings.client_id + 1, "", 0)
        await asyncio.sleep(0.5)
        assert [event.report.client_id for event in bench.of(OrderReported)] == [bench.settings.client_id + 1]

    on_bench(play)


def test_a_real_order_under_a_questions_number_is_seen() -> None:
    """A gateway that places what was only asked about: the order stands in the table, and is told."""

    async def play(bench: Bench) -> None:
        await bench.market_open()
        seen: list[Fields] = []

        def kept(fields: Fields) -> list[Fields]:
            if fields[0] != OPEN_ORDER:
                return [fields]
            seen.append(fields)
            return [fields]

        bench.wire.alter = kept
        await asked(bench)
        (told,) = seen
        flag = told.index("PreSubmitted") - 1
        assert told[flag] == "1"
        bench.wire.say(*told[:flag], "0", *told[flag + 1 :])
        await asyncio.sleep(0.5)
        assert bench.statuses() == [BrokerStatus.WORKING]

    on_bench(play)


@pytest.mark.parametrize(
    ("code", "error"),
    [(360, BrokerRejectedError), (201, BrokerRejectedError), (321, BrokerRejectedError), (100, ConnectivityError)],
)
def test_an_error_ends_the_question(code: int, error: type[Exception]) -> None:
    """A refusal, or a trouble after which asking again may help; no order is doubted for it."""

    async def play(bench: Bench) -> None:
        await bench.market_open()

        def refused(fields: Fields) -> list[Fields]:
            return [[ERROR, "2", _id_of(bench), str(code), "a text", ""]] if fields[0] == OPEN_ORDER else [fields]

        bench.wire.alter = refused
        with pytest.raises(error, match=str(code)):
            await asked(bench)
        assert bench.of(OrderDoubted) == []

    on_bench(play)


def test_a_notice_does_not_end_it() -> None:
    """The answer that follows is taken."""

    async def play(bench: Bench) -> None:
        await bench.market_open()

        def noticed(fields: Fields) -> list[Fields]:
            if fields[0] != OPEN_ORDER:
                return [fields]
            return [[ERROR, "2", _id_of(bench), "399", "held until the open", ""], fields]

        bench.wire.alter = noticed
        assert (await asked(bench)).bound_usd > 0

    on_bench(play)


@pytest.mark.parametrize("spelling", [UNSET, "1.7976931348623157e+308", "", "nan", "-inf"])
def test_an_answer_without_figures_is_none_and_the_deadline_ends_it(spelling: str) -> None:
    """Unset in either spelling, empty or no number: the question waits for figures, and not for ever."""

    async def play(bench: Bench) -> None:
        await bench.market_open()
        bench.wire.alter = lambda fields: [_without_margin(fields, spelling)]
        with pytest.raises(ConnectivityError, match="no figures within"):
            await asked(bench)

    on_bench(play, request_timeout_s=2.0)


def test_figures_that_follow_an_answer_without_them_are_taken() -> None:
    """The first open-order message may come before the margin is worked out."""

    async def play(bench: Bench) -> None:
        await bench.market_open()
        bench.wire.alter = lambda fields: (
            [_without_margin(fields, UNSET), fields] if fields[0] == OPEN_ORDER else [fields]
        )
        assert (await asked(bench)).bound_usd > 0

    on_bench(play)


def test_an_answer_that_comes_too_late_changes_nothing() -> None:
    """It is about a question that has ended; the next one has its own."""

    async def play(bench: Bench) -> None:
        await bench.market_open()
        kept: list[Fields] = []

        def held(fields: Fields) -> list[Fields]:
            if fields[0] == OPEN_ORDER:
                kept.append(fields)
                return []
            return [fields]

        bench.wire.alter = held
        with pytest.raises(ConnectivityError):
            await asked(bench)
        bench.wire.alter = lambda fields: [fields]
        bench.wire.say(*kept[0])
        bench.complain(int(bench.wire.frames(3)[0][1]), 201)
        assert (await asked(bench)).bound_usd > 0
        assert len(bench.wire.frames(3)) == 2  # never written again by itself

    on_bench(play, request_timeout_s=2.0)


def test_a_question_that_cannot_leave_says_so_at_once() -> None:
    """A combo, an unknown contract, a budget used up, a closed transport: no frame, and an error that says why."""

    async def play(bench: Bench) -> None:
        with pytest.raises(ConnectivityError, match="no contract number"):
            bench.broker.preview(FUTURE)
        spread = an_intent((bought(a_call("21")), sold(a_call("26"))), "0.60")
        with pytest.raises(InvariantError, match="a combo cannot be asked about"):
            bench.broker.preview(spread)
        await bench.broker.snapshot([a_vxm()])
        await asyncio.sleep(2)
        budget: Any = bench.broker._budget
        for _ in range(TOTAL_PER_S - 25):
            budget.note()
        with pytest.raises(ConnectivityError, match="the message budget is used up"):
            bench.broker.preview(FUTURE)
        await asyncio.sleep(2)
        bench.broker.disconnect()
        with pytest.raises(ConnectivityError, match="the transport is closed"):
            bench.broker.preview(FUTURE)
        assert bench.wire.frames(3) == []

    on_bench(play)


@pytest.mark.parametrize("told", [None, "", "nan", "inf", "-inf", UNSET, "1e300", UNSET_DOUBLE, float("nan"), "x"])
def test_a_margin_that_is_no_number_is_no_answer(told: object) -> None:
    """In either of the two margins, as text or as number."""
    for name in ("initMarginChange", "maintMarginChange"):
        state = OrderState(**{"initMarginChange": "900.00", "maintMarginChange": "800.00", name: told})  # type: ignore[arg-type]
        assert figures_of(state) is None


def test_figures_are_read_as_they_were_told() -> None:
    """Commissions as a range or as one amount, in USD alone; below zero and zero are figures of a margin."""
    state = OrderState(initMarginChange="-1.5", maintMarginChange="0", minCommission=1.0, maxCommission=2.5)
    assert figures_of(state) == MarginFigures(
        initial_change_usd=Decimal("-1.5"),
        maintenance_change_usd=Decimal(0),
        least_commission_usd=Decimal("1.0"),
        most_commission_usd=Decimal("2.5"),
    )
    one = OrderState(initMarginChange="9", maintMarginChange="8", commission=2.02, commissionCurrency="USD")
    figures = figures_of(one)
    assert figures is not None
    assert (figures.least_commission_usd, figures.most_commission_usd) == (Decimal("2.02"), Decimal("2.02"))
    figures = figures_of(
        OrderState(initMarginChange="9", maintMarginChange="8", commission=2.0, commissionCurrency="EUR")
    )
    assert figures is not None
    assert (figures.least_commission_usd, figures.most_commission_usd) == (None, None)


def _id_of(bench: Bench) -> str:
    return bench.wire.frames(3)[-1][1]


def _without_margin(fields: Fields, spelling: str) -> Fields:
    """The same message with other words for the nine margin figures, which follow the status."""
    if fields[0] != OPEN_ORDER:
        return fields
    place = fields.index("PreSubmitted") + 1
    return [*fields[:place], *([spelling] * 9), *fields[place + 9 :]]
