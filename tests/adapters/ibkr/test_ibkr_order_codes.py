"""The code table against orders in every state, through the real client library: no code ends a live order."""

import asyncio

import pytest
from ibkr_harness import Bench, a_vxm, an_intent, an_order, approved, bought, on_bench

from adapters.ibkr.errors import CODES, OrderMeaning, meaning_of
from bot.domain.errors import ConnectivityError
from bot.domain.events import FillReported, OrderDoubted
from bot.domain.orders import BrokerStatus
from simulator.troubles.kinds import trouble

UNLISTED = (99999, 10001, 2199, 450)
ALL_CODES = (*CODES, *UNLISTED)
REFUSALS = {200, 478, 110, 201, 203, 355, 387, 388, 434, 460, 10268}
NOTICES_ON_A_LIVE_ORDER = {
    *(2103, 2105, 2104, 2106, 2158, 2107, 2108, 10197, 10090, 10167, 165, 317, 10225),
    *(321, 322, 105, 110, 399, 404, 2109, 2137, 2161, 10349),
}
"""Written down a second time, from the reference and not from the table, so that a change of either is seen."""


def test_every_code_on_a_working_order_leaves_it_working_or_in_doubt() -> None:
    """All listed codes and some unlisted, one after the other on one live order: none cancels, none rejects."""

    async def play(bench: Bench) -> None:
        await bench.market_open()
        intent = an_intent((bought(a_vxm()),), "5")
        order_id = await bench.send(intent)
        await bench.until(bench.statuses)
        for code in ALL_CODES:
            doubted = len(bench.of(OrderDoubted))
            bench.complain(order_id, code)
            await asyncio.sleep(0.1)
            is_doubted = len(bench.of(OrderDoubted)) > doubted
            assert is_doubted == (code not in NOTICES_ON_A_LIVE_ORDER), f"code {code}"
        assert set(bench.statuses()) == {BrokerStatus.WORKING}
        books = await bench.broker.books()
        assert [row.status for row in books.open_orders] == [BrokerStatus.WORKING]
        bench.broker.cancel(an_order(intent, bench.clock.now()))
        await bench.until(lambda: bench.statuses()[-1] is BrokerStatus.CANCELLED)

    on_bench(play)


def test_a_code_on_an_unacknowledged_order_rejects_it_only_where_the_table_says_so() -> None:
    """Of all codes only the listed refusals reject; none cancels; every other but a notice doubts."""

    async def play(bench: Bench) -> None:
        await bench.broker.snapshot([a_vxm()])
        for code in ALL_CODES:
            bench.server.inject(trouble("drop"))
            ref = f"code-{code}"
            order_id = await bench.send(an_intent((bought(a_vxm()),), "5", intent_id=ref))
            bench.complain(order_id, code)
            await asyncio.sleep(2.5)  # code 100 makes everything but cancels rest
            doubted = any(event.order_ref == ref for event in bench.of(OrderDoubted))
            expected = [BrokerStatus.REJECTED] if code in REFUSALS else []
            assert bench.statuses(ref) == expected, f"code {code}"
            assert doubted == (meaning_of(code).new is OrderMeaning.DOUBT), f"code {code}"

    on_bench(play)


@pytest.mark.parametrize("code", [201, 202, 161, 10148, 135, 10147, 104, 99999])
def test_a_code_after_the_end_doubts_nothing(code: int) -> None:
    """What is said of a filled order, such as a cancel that came too late, leaves it filled."""

    async def play(bench: Bench) -> None:
        await bench.market_open()
        order_id = await bench.send(an_intent((bought(a_vxm()),), "24"))
        await bench.until(lambda: BrokerStatus.FILLED in bench.statuses())
        bench.complain(order_id, code)
        await asyncio.sleep(1)
        assert bench.statuses()[-1] is BrokerStatus.FILLED
        assert not bench.of(OrderDoubted)
        assert len(bench.of(FillReported)) == 1

    on_bench(play)


def test_a_broken_session_doubts_every_order_without_an_answer() -> None:
    """100 without an order id concerns whatever is in flight, and nothing that the broker acknowledged."""

    async def play(bench: Bench) -> None:
        await bench.market_open()
        await bench.send(an_intent((bought(a_vxm()),), "5", intent_id="answered"))
        bench.server.inject(trouble("drop"))
        await bench.send(an_intent((bought(a_vxm()),), "5", intent_id="in flight"))
        bench.complain(-1, 100, "max rate exceeded")
        await asyncio.sleep(0.1)
        assert [(event.order_ref, event.code) for event in bench.of(OrderDoubted)] == [("in flight", 100)]
        with pytest.raises(ConnectivityError, match="the message budget is used up"):
            bench.broker.submit(approved(an_intent((bought(a_vxm()),), "5"), bench.clock.now()))

    on_bench(play)


def test_a_duplicate_order_id_asks_for_ids_and_sends_nothing_again() -> None:
    """103 doubts the order and asks for the next valid id; a resend would be a second order."""

    async def play(bench: Bench) -> None:
        bench.server.inject(trouble("drop"))
        order_id = await bench.send(an_intent((bought(a_vxm()),), "5"))
        bench.complain(order_id, 103, "duplicate order id")
        await asyncio.sleep(1)
        assert [event.code for event in bench.of(OrderDoubted)] == [103]
        assert len(bench.wire.frames(8)) == 1
        assert len(bench.wire.frames(3)) == 1

    on_bench(play)


def test_an_unknown_code_doubts_the_order_and_is_counted() -> None:
    """Never a guess: UNKNOWN, an alert and a counter."""

    async def play(bench: Bench) -> None:
        await bench.market_open()
        order_id = await bench.send(an_intent((bought(a_vxm()),), "5"))
        await bench.until(bench.statuses)
        bench.complain(order_id, 99999, "x" * 5000)
        await asyncio.sleep(0.1)
        doubted = bench.of(OrderDoubted)[0]
        assert (doubted.order_ref, doubted.code, len(doubted.text)) == ("intent-1", 99999, 300)
        assert bench.broker.counters["unknown_codes"] == 1

    on_bench(play)
