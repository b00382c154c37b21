"""Orders over the wire: what is written, and what of the broker's words reaches the bot."""

import asyncio
from decimal import Decimal

import pytest
from ibkr_harness import (
    ACCOUNT,
    Bench,
    a_call,
    a_vxm,
    an_intent,
    an_order,
    approved,
    bought,
    on_bench,
    sold,
)

from bot.domain.errors import ConnectivityError, InvariantError
from bot.domain.events import CommissionReported, FillReported, OrderDoubted, OrderReported
from bot.domain.instrument import VXX
from bot.domain.orders import BrokerStatus, FillPart
from simulator.troubles.kinds import trouble

FAR_BELOW = "5"  # points: a purchase at this limit rests
AT_ANY_PRICE = "24"  # points: above the ask, and not so far that the broker refuses it


def test_a_future_is_bought_and_its_fill_and_fee_are_told() -> None:
    """WORKING, then the execution with the exchange's time in UTC, then FILLED, then the commission."""

    async def play(bench: Bench) -> None:
        await bench.market_open()
        await bench.send(an_intent((bought(a_vxm()),), AT_ANY_PRICE))
        await bench.until(lambda: bench.of(CommissionReported))
        fill = bench.of(FillReported)[0].fill
        assert (fill.part, fill.instrument, fill.quantity) == (FillPart.WHOLE, a_vxm(), 1)
        assert (fill.order_ref, fill.account) == ("intent-1", ACCOUNT)
        assert 10 < fill.price < 40
        assert fill.at.utcoffset() is not None
        assert abs((fill.at - bench.clock.now()).total_seconds()) < 120
        assert bench.statuses() == [BrokerStatus.WORKING, BrokerStatus.FILLED]
        assert bench.reports()[-1].perm_id == fill.perm_id
        assert [event.exec_id for event in bench.of(CommissionReported)] == [fill.exec_id]

    on_bench(play)


def test_the_frame_of_an_order_says_everything_on_purpose() -> None:
    """Number and exchange alone name the contract; reference, account and time in force are set."""

    async def play(bench: Bench) -> None:
        await bench.send(an_intent((bought(a_vxm()),), "5.05", quantity=3))
        fields = bench.wire.frames(3)[0]
        con_id, named, exchange = fields[2], fields[3:9], fields[9]
        assert int(con_id) > 0
        assert exchange == "CFE"
        assert set(named) <= {"", "0.0"}  # symbol, type, date, strike, right, multiplier
        assert fields[10:14] == ["", "", "", ""]
        assert fields[16:21] == ["BUY", "3", "LMT", "5.05", ""]
        assert (fields[21], fields[23]) == ("DAY", ACCOUNT)
        assert (fields[26], fields[27]) == ("intent-1", "1")

    on_bench(play)


@pytest.mark.parametrize(("limit", "on_the_wire"), [("-70.15", "70.15"), ("-0.05", "0.05")])
def test_a_single_sale_goes_out_as_a_sell_at_a_positive_price(limit: str, on_the_wire: str) -> None:
    """The intent's limit is what is paid, negative when received; the wire's price of a single leg is positive."""

    async def play(bench: Bench) -> None:
        await bench.send(an_intent((sold(a_vxm()),), limit))
        fields = bench.wire.frames(3)[0]
        assert (fields[16], fields[19]) == ("SELL", on_the_wire)

    on_bench(play)


def test_a_combo_goes_out_as_one_purchase_with_the_legs_own_sides() -> None:
    """One BAG, bought at the net limit; each leg by number, ratio, side and exchange; guaranteed."""

    async def play(bench: Bench) -> None:
        await bench.send(an_intent((sold(a_call("20")), bought(a_call("25"))), "-0.35", quantity=2))
        fields = bench.wire.frames(3)[0]
        assert (fields[2], fields[3], fields[4], fields[9]) == ("0", "VIX", "BAG", "SMART")
        assert (fields[16], fields[17], fields[19]) == ("BUY", "2", "-0.35")
        assert "NonGuaranteed" not in fields
        legs = fields[35:52]
        assert legs[0] == "2"
        assert (legs[2:5], legs[10:13]) == (["1", "SELL", "SMART"], ["1", "BUY", "SMART"])

    on_bench(play)


def test_a_combo_fills_as_its_net_and_its_legs() -> None:
    """The net moves the order, the legs move positions; signed leg prices add up to the net; fees per execution."""

    async def play(bench: Bench) -> None:
        await bench.market_open()
        await bench.send(an_intent((bought(a_call("20")), sold(a_call("25"))), "4", quantity=2))
        await bench.until(lambda: len(bench.of(CommissionReported)) >= 3)
        fills = [event.fill for event in bench.of(FillReported)]
        assert [fill.part for fill in fills] == [FillPart.COMBO, FillPart.LEG, FillPart.LEG]
        assert [fill.instrument for fill in fills] == [None, a_call("20"), a_call("25")]
        assert [fill.quantity for fill in fills] == [2, 2, 2]
        assert sum(fill.side.sign * fill.price for fill in fills[1:]) == fills[0].price
        assert {event.exec_id for event in bench.of(CommissionReported)} == {fill.exec_id for fill in fills}
        assert bench.statuses()[-1] is BrokerStatus.FILLED

    on_bench(play)


def test_shares_go_to_the_smart_route_by_number_and_fill() -> None:
    """VXX is one contract number at SMART; its one execution moves order and position, and the books show it."""

    async def play(bench: Bench) -> None:
        await bench.market_open()
        await bench.send(an_intent((bought(VXX),), "60", quantity=94))
        await bench.until(lambda: bench.of(CommissionReported))
        fields = bench.wire.frames(3)[0]
        books = await bench.broker.books()
        (fill,) = (event.fill for event in bench.of(FillReported))
        assert (int(fields[2]) > 0, fields[3], fields[4], fields[9]) == (True, "", "", "SMART")
        assert (fields[16], fields[17], fields[19]) == ("BUY", "94", "60.0")
        assert (fill.part, fill.key, fill.quantity) == (FillPart.WHOLE, VXX.key, 94)
        assert [one.quantity for one in books.positions if one.instrument.key == VXX.key] == [94]
        assert bench.statuses()[-1] is BrokerStatus.FILLED

    on_bench(play)


def test_a_refused_order_is_rejected_with_the_brokers_words() -> None:
    """201 on an order that the broker never acknowledged is a rejection, by its code, its status or both."""

    async def play(bench: Bench) -> None:
        bench.server.inject(trouble("reject", text="no margin"))
        await bench.send(an_intent((bought(a_vxm()),), FAR_BELOW))
        await asyncio.sleep(5)
        assert set(bench.statuses()) == {BrokerStatus.REJECTED}
        assert "no margin" in bench.reports()[0].text
        assert not bench.of(OrderDoubted)

    on_bench(play)


def test_a_cancel_is_confirmed_by_the_brokers_status() -> None:
    """The cancel names the order's own id; CANCELLED comes from orderStatus, the code 202 after it doubts nothing."""

    async def play(bench: Bench) -> None:
        await bench.market_open()
        intent = an_intent((bought(a_vxm()),), FAR_BELOW)
        order_id = await bench.send(intent)
        await bench.until(bench.statuses)
        order = an_order(intent, bench.clock.now())
        bench.broker.cancel(order)
        bench.broker.cancel(order)
        await asyncio.sleep(5)
        assert [fields[2] for fields in bench.wire.frames(4)] == [str(order_id)] * 2
        assert bench.statuses() == [BrokerStatus.WORKING, BrokerStatus.CANCELLED]
        assert not bench.of(OrderDoubted)

    on_bench(play)


def test_a_fill_after_the_cancel_is_told() -> None:
    """An execution is a fact, whatever was said of the order before."""

    async def play(bench: Bench) -> None:
        await bench.market_open()
        intent = an_intent((bought(a_vxm()),), AT_ANY_PRICE)
        held: list[list[str]] = []

        def cancel_first(fields: list[str]) -> list[list[str]]:
            if fields[0] == "11":
                held.append(fields)
                return []
            return [] if fields[0] in {"3", "5", "59"} else [fields]

        bench.wire.alter = cancel_first
        order_id = await bench.send(intent)
        await asyncio.sleep(1)
        bench.wire.say(3, order_id, "Cancelled", 0.0, 1.0, 0.0, held[0][21], 0, 0.0, 17, "", 0.0)
        await asyncio.sleep(1)
        assert bench.statuses() == [BrokerStatus.CANCELLED]
        bench.wire.say(*held[0])
        await asyncio.sleep(1)
        assert [event.fill.quantity for event in bench.of(FillReported)] == [1]

    on_bench(play)


def test_an_order_whose_answers_are_lost_is_found_in_the_books() -> None:
    """Nothing was told of it, yet the open orders name it by its reference: it is neither resent nor forgotten."""

    async def play(bench: Bench) -> None:
        await bench.market_open()
        bench.server.inject(trouble("lose_answers"))
        await bench.send(an_intent((bought(a_vxm()),), FAR_BELOW))
        await asyncio.sleep(10)
        assert not bench.reports()
        books = await bench.broker.books()
        assert [(row.order_ref, row.status) for row in books.open_orders] == [("intent-1", BrokerStatus.WORKING)]

    on_bench(play)


def test_an_order_that_never_arrived_is_in_no_part_of_the_books() -> None:
    """A vanished frame leaves no trace, which only the settle time can tell from one under way."""

    async def play(bench: Bench) -> None:
        bench.server.inject(trouble("drop"))
        await bench.send(an_intent((bought(a_vxm()),), FAR_BELOW))
        books = await bench.broker.books()
        assert (books.open_orders, books.completed_orders, books.fills) == ((), (), ())

    on_bench(play)


def test_after_a_restart_an_open_order_is_known_again_and_can_be_cancelled() -> None:
    """A fresh adapter under the same id finds the order by its reference and cancels it by its old number."""

    async def play(bench: Bench) -> None:
        await bench.market_open()
        intent = an_intent((bought(a_vxm()),), FAR_BELOW)
        order_id = await bench.send(intent)
        await bench.until(bench.statuses)
        bench.broker.disconnect()
        await asyncio.sleep(1)
        bench.events.clear()
        bench.broker = bench.adapter()
        await bench.broker.connect()
        assert bench.statuses() == [BrokerStatus.WORKING]
        bench.broker.cancel(an_order(intent, bench.clock.now()))
        await bench.until(lambda: BrokerStatus.CANCELLED in bench.statuses())
        assert bench.wire.frames(4)[-1][2] == str(order_id)
        later = an_intent((bought(a_vxm()),), FAR_BELOW, intent_id="intent-2")
        assert await bench.send(later) > order_id

    on_bench(play)


def test_order_ids_stay_above_those_of_the_journal_when_the_brokers_counter_falls_back() -> None:
    """The own high-water mark wins over a smaller next valid id."""

    async def play(bench: Bench) -> None:
        bench.broker.raise_order_ids_above(900)
        bench.wire.say(9, 1, 3)
        await asyncio.sleep(1)
        assert await bench.send(an_intent((bought(a_vxm()),), FAR_BELOW)) > 900

    on_bench(play)


def test_the_same_intent_is_written_once() -> None:
    """A second submit of one intent raises and writes nothing."""

    async def play(bench: Bench) -> None:
        intent = an_intent((bought(a_vxm()),), FAR_BELOW)
        await bench.send(intent)
        with pytest.raises(InvariantError, match="was written before"):
            bench.broker.submit(approved(intent, bench.clock.now()))
        assert len(bench.wire.frames(3)) == 1

    on_bench(play)


def test_an_order_in_a_contract_without_a_known_number_is_not_written() -> None:
    """There is no time for a look-up inside the write, so the contract must be known before."""

    async def play(bench: Bench) -> None:
        with pytest.raises(ConnectivityError, match="no contract number of FUT:VXM:2026-11-18"):
            bench.broker.submit(approved(an_intent((bought(a_vxm()),), FAR_BELOW), bench.clock.now()))
        assert not bench.wire.frames(3)

    on_bench(play)


def test_a_cancel_without_a_known_number_is_not_written() -> None:
    """The number comes from our own table or from the order; with neither, nothing may be addressed."""

    async def play(bench: Bench) -> None:
        order = an_order(an_intent((bought(a_vxm()),), FAR_BELOW), bench.clock.now())
        with pytest.raises(ConnectivityError, match="order id is not known"):
            bench.broker.cancel(order)
        bench.broker.cancel(an_order(order.intent, bench.clock.now(), broker_order_id=4711))
        await asyncio.sleep(0.1)
        assert [fields[2] for fields in bench.wire.frames(4)] == ["4711"]

    on_bench(play)


def test_of_two_live_orders_of_one_intent_each_is_cancelled_by_its_own_number() -> None:
    """The broker shows a second order under our reference; a cancel that names one of them reaches that one."""

    async def play(bench: Bench) -> None:
        await bench.market_open()
        intent = an_intent((bought(a_vxm()),), FAR_BELOW)
        first = await bench.send(intent)

        def twice(fields: list[str]) -> list[list[str]]:
            if fields[0] != "5" or fields[1] != str(first):
                return [fields]
            return [fields, ["5", str(first + 1), *fields[2:]]]

        bench.wire.alter = twice
        await bench.broker.books()
        for order_id in (first, first + 1):
            bench.broker.cancel(an_order(intent, bench.clock.now(), broker_order_id=order_id))
        await asyncio.sleep(0.1)
        assert [fields[2] for fields in bench.wire.frames(4)] == [str(first), str(first + 1)]

    on_bench(play)


def test_twenty_cancels_leave_at_once_after_a_burst_of_orders_and_look_ups() -> None:
    """Orders stop at their share of the budget, look-ups wait, cancels never do; never more than 45 in a second."""

    async def play(bench: Bench) -> None:
        await bench.broker.snapshot([a_vxm()])
        await asyncio.sleep(2)
        looking = asyncio.create_task(bench.broker.snapshot([a_call(str(strike)) for strike in range(15, 40)]))
        await asyncio.sleep(0.01)
        written = []
        for number in range(30):
            intent = an_intent((bought(a_vxm()),), FAR_BELOW, intent_id=f"burst-{number}")
            try:
                bench.broker.submit(approved(intent, bench.clock.now()))
            except ConnectivityError as error:
                assert "message budget" in str(error)  # noqa: PT017 - both outcomes are expected here
                continue
            written.append(intent)
        assert len(written) == 5
        for _ in range(4):
            for intent in written:
                bench.broker.cancel(an_order(intent, bench.clock.now()))
        now = bench.loop.time()
        await asyncio.sleep(0.01)
        assert [at for at, fields in bench.wire.sent if fields[0] == "4"] == [pytest.approx(now, abs=0.01)] * 20
        await looking
        times = [at for at, _ in bench.wire.sent]
        assert max(sum(begin <= at < begin + 1 for at in times) for begin in times) <= 45

    on_bench(play)


def test_cancels_are_written_before_they_return_however_many_there_are() -> None:
    """The library's own throttle would park the forty-sixth; a cancel is worth more than the message limit."""

    async def play(bench: Bench) -> None:
        intent = an_intent((bought(a_vxm()),), FAR_BELOW)
        await bench.send(intent)
        await asyncio.sleep(2)
        before = bench.broker._ib.client.conn.numMsgSent
        for _ in range(60):
            bench.broker.cancel(an_order(intent, bench.clock.now()))
        assert bench.broker._ib.client.conn.numMsgSent == before + 60

    on_bench(play)


def test_a_part_filled_order_is_told_with_its_quantities() -> None:
    """Filled and remaining come from orderStatus; the order goes on working."""

    async def play(bench: Bench) -> None:
        await bench.market_open()
        order_id = await bench.send(an_intent((bought(a_vxm()),), FAR_BELOW, quantity=5))
        await bench.until(bench.statuses)
        perm_id = bench.reports()[0].perm_id
        bench.wire.say(3, order_id, "Submitted", 2.0, 3.0, 5.0, perm_id, 0, 5.0, 17, "", 0.0)
        await asyncio.sleep(1)
        last = bench.reports()[-1]
        assert (last.status, last.filled, last.remaining) == (BrokerStatus.WORKING, 2, 3)

    on_bench(play)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("PendingSubmit", BrokerStatus.WORKING),
        ("PreSubmitted", BrokerStatus.WORKING),
        ("PendingCancel", BrokerStatus.WORKING),
        ("ApiCancelled", BrokerStatus.CANCELLED),
        ("Inactive", BrokerStatus.UNCLEAR),
        ("SomethingNew", BrokerStatus.UNCLEAR),
    ],
)
def test_each_status_text_has_one_meaning(status: str, expected: BrokerStatus) -> None:
    """What is not listed is unclear, and so is Inactive as long as no code refused the order."""

    async def play(bench: Bench) -> None:
        bench.server.inject(trouble("drop"))
        order_id = await bench.send(an_intent((bought(a_vxm()),), FAR_BELOW))
        bench.wire.say(3, order_id, status, 0.0, 1.0, 0.0, 77, 0, 0.0, 17, "", 0.0)
        await asyncio.sleep(1)
        assert bench.statuses() == [expected]

    on_bench(play)


@pytest.mark.parametrize("code_first", [True, False])
def test_inactive_and_a_refusing_code_together_are_a_rejection(code_first: bool) -> None:  # noqa: FBT001 - two orders
    """An acknowledged order that becomes inactive with 201 is rejected, whichever of the two came first."""

    async def play(bench: Bench) -> None:
        await bench.market_open()
        order_id = await bench.send(an_intent((bought(a_vxm()),), FAR_BELOW))
        await bench.until(bench.statuses)
        inactive = (3, order_id, "Inactive", 0.0, 1.0, 0.0, bench.reports()[0].perm_id, 0, 0.0, 17, "", 0.0)
        if not code_first:
            bench.wire.say(*inactive)
        bench.complain(order_id, 201, "margin")
        if code_first:
            bench.wire.say(*inactive)
        await asyncio.sleep(1)
        assert bench.statuses()[-1] is BrokerStatus.REJECTED

    on_bench(play)


def test_a_fill_of_an_unknown_contract_is_told_after_its_look_up() -> None:
    """The operator's own trade names its instrument with the settlement of the details, not a guess."""

    async def play(bench: Bench) -> None:
        await bench.market_open()
        await bench.send(an_intent((bought(a_vxm()),), AT_ANY_PRICE))
        await bench.until(lambda: bench.of(FillReported))
        other = bench.adapter(client_id=18)
        await other.connect()
        call = a_call("30")
        await other.snapshot([call])
        con_id = bench.wire.frames(1)[-1][3]
        bench.events.clear()
        row = [11, -1, 0, con_id, "VIX", "OPT", "20261117", 30.0, "C", 100, "CBOE", "USD", "", "VIX", "a.b.01.01"]
        row += ["20261020 09:31:00 US/Eastern", ACCOUNT, "CBOE", "SLD", 4.0, 0.25, 99, 0, 0, 4.0, 0.25, ""]
        bench.wire.say(*row, "", 0.0, "", 1)
        await bench.until(lambda: bench.of(FillReported))
        fill = bench.of(FillReported)[0].fill
        assert (fill.instrument, fill.signed_quantity, fill.order_ref) == (call, -4, "")
        assert fill.price == Decimal("0.25")
        assert (fill.at.hour, fill.at.minute) == (13, 31)
        other.disconnect()

    on_bench(play)


def test_foreign_orders_in_the_books_carry_their_references() -> None:
    """Another client's order is in our books, and what it says is told to nobody as ours."""

    async def play(bench: Bench) -> None:
        await bench.market_open()
        other = bench.adapter(client_id=18)
        await other.connect()
        await other.snapshot([a_vxm()])
        other.submit(approved(an_intent((bought(a_vxm()),), FAR_BELOW, intent_id="theirs"), bench.clock.now()))
        await asyncio.sleep(1)
        books = await bench.broker.books()
        assert [(row.order_ref, row.client_id) for row in books.open_orders] == [("theirs", 18)]
        assert bench.of(OrderReported)
        with pytest.raises(ConnectivityError, match="order id is not known"):
            bench.broker.cancel(an_order(an_intent((bought(a_vxm()),), "5", intent_id="theirs"), bench.clock.now()))
        other.disconnect()

    on_bench(play)
