"""The broker's books: complete or an error, and every part of them named."""

import asyncio
from decimal import Decimal

import pytest
from ibkr_harness import ACCOUNT, CLIENT, Bench, a_call, a_vxm, an_intent, an_order, bought, on_bench, sold

from bot.domain.corrections import ExecutionSet
from bot.domain.errors import BrokerProtocolError, ConnectivityError
from bot.domain.events import AccountReported, CommissionReported, FillReported, LinkLost, LinkRestored
from bot.domain.instrument import Kind
from bot.domain.orders import BrokerStatus, FillPart
from simulator.troubles.kinds import trouble

STOCK = ("61", "3", ACCOUNT, "756733", "SPY", "STK", "", "0.0", "", "", "", "USD", "SPY", "SPY", "10.5", "500.0")


def test_positions_are_the_accounts_own_with_settlements_from_details() -> None:
    """The condors that the run opens with are there, by instrument, signed, with the broker's average cost."""

    async def play(bench: Bench) -> None:
        books = await bench.broker.books()
        held = {position.instrument.key: position.quantity for position in books.positions}
        assert held == {each.instrument.key: each.quantity for each in bench.floor.positions()}
        assert all(position.average_cost_usd is not None for position in books.positions)
        assert books.account.account == ACCOUNT
        assert books.account.ready

    on_bench(play)


def test_the_books_of_a_day_hold_what_was_told_live() -> None:
    """Fills, fees, completed and open orders: the same as in the events, so that a reconciliation finds nothing."""

    async def play(bench: Bench) -> None:
        await bench.market_open()
        await bench.send(an_intent((bought(a_vxm()),), "24", intent_id="single"))
        await bench.send(an_intent((bought(a_call("20")), sold(a_call("25"))), "4", intent_id="combo"))
        await bench.send(an_intent((bought(a_vxm()),), "5", intent_id="resting"))
        cancelled = an_intent((bought(a_vxm()),), "5", intent_id="cancelled")
        await bench.send(cancelled)
        await asyncio.sleep(2)
        bench.broker.cancel(an_order(cancelled, bench.clock.now()))
        await asyncio.sleep(2)
        books = await bench.broker.books()
        assert set(books.fills) == {event.fill for event in bench.of(FillReported)}
        told = {event.exec_id: event.commission_usd for event in bench.of(CommissionReported)}
        assert {exec_id: Decimal(text) for exec_id, text in books.commissions_usd.items()} == told
        assert {row.order_ref: row.status for row in books.completed_orders} == {
            "single": BrokerStatus.FILLED,
            "combo": BrokerStatus.FILLED,
            "cancelled": BrokerStatus.CANCELLED,
        }
        assert [(row.order_ref, row.remaining) for row in books.open_orders] == [("resting", 1)]

    on_bench(play)


def test_a_fresh_adapter_reads_the_same_books() -> None:
    """After a restart the parts of a combo are told apart again, and times and fees are the same."""

    async def play(bench: Bench) -> None:
        await bench.market_open()
        await bench.send(an_intent((bought(a_call("20")), sold(a_call("25"))), "4"))
        await bench.until(lambda: len(bench.of(CommissionReported)) >= 3)
        before = await bench.broker.books()
        bench.broker.disconnect()
        await asyncio.sleep(1)
        bench.broker = bench.adapter()
        await bench.broker.connect()
        after = await bench.broker.books()
        assert after.fills == before.fills
        assert [fill.part for fill in after.fills] == [FillPart.COMBO, FillPart.LEG, FillPart.LEG]
        assert after.commissions_usd == before.commissions_usd
        assert after.completed_orders == before.completed_orders

    on_bench(play)


def test_replayed_executions_are_not_told_as_news() -> None:
    """The executions of the day come again with every look at the books; events are for live ones."""

    async def play(bench: Bench) -> None:
        await bench.market_open()
        await bench.send(an_intent((bought(a_vxm()),), "24"))
        await bench.until(lambda: bench.of(CommissionReported))
        told = (len(bench.of(FillReported)), len(bench.of(CommissionReported)))
        for _ in range(3):
            await bench.broker.books()
        assert (len(bench.of(FillReported)), len(bench.of(CommissionReported))) == told

    on_bench(play)


@pytest.mark.parametrize("lost", ["53", "102", "55", "62", "54"])
def test_a_part_that_does_not_come_is_an_error_never_a_smaller_answer(lost: str) -> None:
    """Each end marker is needed; without it the deadline ends the question, and the next look works again."""

    async def play(bench: Bench) -> None:
        bench.wire.alter = lambda fields: [] if fields[0] == lost else [fields]
        with pytest.raises(ConnectivityError, match="no answer within"):
            await bench.broker.books()
        bench.wire.alter = lambda fields: [fields]
        assert (await bench.broker.books()).positions

    on_bench(play)


@pytest.mark.parametrize("message", ["5", "11", "61", "101"])
def test_a_row_that_cannot_be_read_is_an_error(message: str) -> None:
    """The library would log the row and give the rest; half of the books is none."""

    async def play(bench: Bench) -> None:
        await bench.market_open()
        await bench.send(an_intent((bought(a_vxm()),), "24"))
        await bench.send(an_intent((bought(a_vxm()),), "5", intent_id="resting"))
        await asyncio.sleep(5)
        bench.wire.alter = lambda fields: [fields[:6] if fields[0] == message else fields]
        with pytest.raises(ConnectivityError, match="could not be read"):
            await bench.broker.books()

    on_bench(play)


def test_account_values_that_are_not_told_are_an_error() -> None:
    """An end marker without the values is no answer, and values from before are none either."""

    async def play(bench: Bench) -> None:
        bench.wire.alter = lambda fields: [] if fields[0] == "6" else [fields]
        with pytest.raises(ConnectivityError, match="net liquidation and cash were not told"):
            await bench.broker.books()

    on_bench(play)


def test_a_cut_connection_ends_the_question_at_once() -> None:
    """No waiting for a deadline when nobody is left to answer."""

    async def play(bench: Bench) -> None:
        bench.wire.alter = lambda fields: [] if fields[0] == "62" else [fields]
        asking = asyncio.create_task(bench.broker.books())
        await asyncio.sleep(1)
        began = bench.loop.time()
        bench.server.inject(trouble("disconnect", client=CLIENT))
        with pytest.raises(ConnectivityError, match="the connection broke"):
            await asking
        assert bench.loop.time() - began < 0.5

    on_bench(play)


def test_two_askers_get_whole_answers_one_after_the_other() -> None:
    """Answers without a request id would otherwise be mixed up."""

    async def play(bench: Bench) -> None:
        first, second = await asyncio.gather(bench.broker.books(), bench.broker.books())
        assert first.positions == second.positions
        assert len({position.instrument.key for position in first.positions}) == len(first.positions)

    on_bench(play)


def test_an_execution_between_executions_and_positions_makes_both_be_asked_again() -> None:
    """Positions that hold a fill which the executions lack would look like an unexplained difference."""

    async def play(bench: Bench) -> None:
        await bench.market_open()
        await bench.send(an_intent((bought(a_vxm()),), "24"))
        await bench.until(lambda: bench.of(CommissionReported))
        seen: list[list[str]] = []

        def one_in_between(fields: list[str]) -> list[list[str]]:
            if fields[0] == "11":
                seen.append(fields)
            if fields[0] == "62" and len(seen) == 1:
                return [["11", "-1", *seen[0][2:]], fields]
            return [fields]

        bench.wire.alter = one_in_between
        asked = len(bench.wire.frames(7))
        await bench.broker.books()
        assert len(bench.wire.frames(7)) == asked + 2

    on_bench(play)


def test_a_share_is_a_position_of_its_own_kind() -> None:
    """Whatever the account holds comes back; part of a share counts as a whole one, never as none."""

    async def play(bench: Bench) -> None:
        bench.wire.alter = lambda fields: [list(STOCK), fields] if fields[0] == "62" else [fields]
        books = await bench.broker.books()
        held = {position.instrument.key: position for position in books.positions}
        assert (held["STK:SPY"].quantity, held["STK:SPY"].instrument.kind) == (11, Kind.STOCK)

    on_bench(play)


def test_positions_of_another_account_and_closed_ones_are_left_out() -> None:
    """The books are those of one account; a row of zero contracts is no position."""

    async def play(bench: Bench) -> None:
        foreign = [*STOCK[:2], "DU9999999", "265598", "AAPL", *STOCK[5:12], "AAPL", "AAPL", *STOCK[14:]]
        closed = [*STOCK[:14], "0", "0.0"]
        bench.wire.alter = lambda fields: [list(foreign), list(closed), fields] if fields[0] == "62" else [fields]
        books = await bench.broker.books()
        assert {position.instrument.kind for position in books.positions} == {Kind.OPTION}

    on_bench(play)


def test_account_values_are_told_when_they_change_and_carry_readiness() -> None:
    """A server that says its values are not ready is believed; the same values again are no news."""

    async def play(bench: Bench) -> None:
        told = len(bench.of(AccountReported))
        bench.wire.say(6, 2, "AccountReady", "false", "", ACCOUNT)
        await asyncio.sleep(0.1)
        assert [event.values.ready for event in bench.of(AccountReported)[told:]] == [False]
        bench.wire.say(6, 2, "AccountReady", "false", "", ACCOUNT)
        bench.wire.say(6, 2, "NetLiquidation", "1.00", "USD", "DU9999999")
        await asyncio.sleep(0.1)
        assert len(bench.of(AccountReported)) == told + 1
        bench.wire.say(6, 2, "NetLiquidation", "1999.50", "USD", ACCOUNT)
        await asyncio.sleep(0.1)
        assert bench.of(AccountReported)[-1].values.net_liquidation_usd == Decimal("1999.50")

    on_bench(play)


def test_margin_and_gross_value_are_what_the_server_tells() -> None:
    """Each of the four figures arrives under its own tag; one that changes alone is news."""

    async def play(bench: Bench) -> None:
        figures = {
            "InitMarginReq": "11.5",
            "MaintMarginReq": "10.25",
            "ExcessLiquidity": "-3",
            "GrossPositionValue": "7",
        }
        for tag, value in figures.items():
            told = len(bench.of(AccountReported))
            bench.wire.say(6, 2, tag, value, "USD", ACCOUNT)
            await asyncio.sleep(0.1)
            assert len(bench.of(AccountReported)) == told + 1
        values = bench.of(AccountReported)[-1].values
        assert (values.initial_margin_usd, values.maintenance_margin_usd) == (Decimal("11.5"), Decimal("10.25"))
        assert (values.excess_liquidity_usd, values.gross_position_usd) == (Decimal(-3), Decimal(7))

    on_bench(play)


def test_a_server_that_tells_no_margin_leaves_it_unknown() -> None:
    """Net liquidation and cash make a picture by themselves; what was not told is None, never nothing."""

    async def play(bench: Bench) -> None:
        silent = {"InitMarginReq", "MaintMarginReq", "ExcessLiquidity", "GrossPositionValue"}
        bench.wire.alter = lambda fields: [] if fields[0] == "6" and fields[2] in silent else [fields]
        account = (await bench.broker.books()).account
        assert account.net_liquidation_usd > 0
        assert (account.initial_margin_usd, account.maintenance_margin_usd) == (None, None)
        assert (account.excess_liquidity_usd, account.gross_position_usd) == (None, None)

    on_bench(play)


@pytest.mark.parametrize("value", ["nan", "", "abc", "Infinity"])
def test_an_account_value_that_is_no_number_is_passed_over(value: str) -> None:
    """The last good value stands; nothing that is not finite reaches a limit."""

    async def play(bench: Bench) -> None:
        told = len(bench.of(AccountReported))
        bench.wire.say(6, 2, "NetLiquidation", value, "USD", ACCOUNT)
        await asyncio.sleep(0.1)
        assert len(bench.of(AccountReported)) == told

    on_bench(play)


def test_an_account_in_another_currency_is_refused_with_its_cure() -> None:
    """Amounts in EUR are no USD; the books say so instead of waiting for ever."""

    async def play(bench: Bench) -> None:
        def in_euro(fields: list[str]) -> list[list[str]]:
            return [["EUR" if fields[0] == "6" and each == "USD" else each for each in fields]]

        bench.wire.alter = in_euro
        with pytest.raises(BrokerProtocolError, match="kept in EUR, expected USD"):
            await bench.broker.books()

    on_bench(play)


@pytest.mark.parametrize("amount", ["1.7976931348623157E308", "nan", "inf"])
def test_an_unset_commission_leaves_the_fee_schedule_in_force(amount: str) -> None:
    """An unset number is not a fee, and neither is one in another currency."""

    async def play(bench: Bench) -> None:
        bench.wire.say(59, 1, "some.exec.01.01", amount, "USD", "", "", "")
        bench.wire.say(59, 1, "some.exec.01.01", "1.25", "EUR", "", "", "")
        await asyncio.sleep(0.1)
        assert not bench.of(CommissionReported)

    on_bench(play)


def test_a_correction_comes_with_what_it_needs_to_be_known() -> None:
    """The correction comes under its own id with the new price: the ledger puts it in the place of the first."""

    async def play(bench: Bench) -> None:
        await bench.market_open()
        live: list[list[str]] = []

        def keep(fields: list[str]) -> list[list[str]]:
            if fields[0] == "11" and fields[1] == "-1":
                live.append(fields)
            return [fields]

        bench.wire.alter = keep
        await bench.send(an_intent((bought(a_vxm()),), "24"))
        await bench.until(lambda: bench.of(CommissionReported))
        first = bench.of(FillReported)[0].fill
        corrected = list(live[0])
        corrected[14] = f"{first.exec_id[:-2]}02"
        corrected[20] = "17.77"
        bench.wire.say(*corrected)
        await asyncio.sleep(0.1)
        again = bench.of(FillReported)[-1].fill
        assert (again.exec_id, again.price) == (f"{first.exec_id[:-2]}02", Decimal("17.77"))
        assert list(ExecutionSet([again, first]).counting.values()) == [again]

    on_bench(play)


def test_a_time_without_a_zone_is_the_gateways_own() -> None:
    """A naive time is read in the zone of the settings, never in that of this machine."""

    async def play(bench: Bench) -> None:
        await bench.market_open()
        bench.wire.alter = lambda fields: [[each.removesuffix(" US/Eastern") for each in fields]]
        await bench.send(an_intent((bought(a_vxm()),), "24"))
        await bench.until(lambda: bench.of(FillReported))
        assert abs((bench.of(FillReported)[0].fill.at - bench.clock.now()).total_seconds()) < 60

    on_bench(play, gateway_zone="America/New_York")


def test_an_execution_whose_contract_cannot_be_looked_up_asks_for_the_books() -> None:
    """A fill is never dropped in silence: the link is told as lost and back, so that everything is compared."""

    async def play(bench: Bench) -> None:
        await bench.market_open()
        bench.wire.alter = lambda fields: [] if fields[0] in {"10", "52", "4"} else [fields]
        row = [11, -1, 0, 4711, "VIX", "OPT", "20261117", 30.0, "C", 100, "CBOE", "USD", "", "VIX", "a.b.01.01"]
        row += ["20261020 09:31:00 US/Eastern", ACCOUNT, "CBOE", "SLD", 4.0, 0.25, 99, 0, 0, 4.0, 0.25, ""]
        bench.wire.say(*row, "", 0.0, "", 1)
        await asyncio.sleep(15)
        assert not bench.of(FillReported)
        assert [type(event) for event in bench.events[-2:]] == [LinkLost, LinkRestored]
        assert "a.b.01.01" in bench.of(LinkLost)[0].why

    on_bench(play)


def test_a_position_in_a_contract_in_doubt_locks_itself_and_not_the_books() -> None:
    """Its details contradict the calendar: it is held under the broker's name, the rest stays as it is."""

    async def play(bench: Bench) -> None:
        row = [
            "61",
            "3",
            ACCOUNT,
            "4711",
            "VIX",
            "OPT",
            "20261118",
            "30.0",
            "C",
            "100",
            "",
            "USD",
            "X",
            "VIX",
            "2",
            "9",
        ]
        bench.wire.alter = lambda fields: [list(row), fields] if fields[0] == "62" else [fields]
        held = {position.instrument.key: position.quantity for position in (await bench.broker.books()).positions}
        assert held["STK:REFUSED-X"] == 2
        assert len(held) == len(bench.floor.positions()) + 1

    on_bench(play)
