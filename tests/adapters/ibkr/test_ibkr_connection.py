"""Connecting, losing and regaining the link, against the project's own gateway."""

import asyncio
from datetime import UTC, datetime

import pytest
from ibkr_harness import ACCOUNT, CLIENT, Bench, a_vxm, an_intent, approved, bought, in_virtual_time, on_bench

from bot.domain.errors import ClientIdInUseError, ConnectivityError, RefusedStartError
from bot.domain.events import AccountMismatched, AccountReported, LinkLost, LinkRestored
from bot.domain.instrument import RVX, VIX
from bot.domain.market import Tick
from simulator.troubles.kinds import trouble


def test_a_connect_synchronises_and_then_says_that_the_link_is_there() -> None:
    """The account is known before the link counts as restored, and the fixed client id is what goes out."""

    async def play(bench: Bench) -> None:
        assert bench.broker.is_open()
        kinds = [type(event) for event in bench.events]
        assert kinds.index(AccountReported) < kinds.index(LinkRestored)
        assert kinds.count(LinkRestored) == 1
        assert bench.wire.frames(71)[0][2] == str(CLIENT)
        assert bench.wire.frames(59) == [["59", "1", "1"]]
        assert bench.broker.counters == {"undecoded": 0, "unknown_codes": 0}

    on_bench(play)


def test_an_account_that_the_gateway_does_not_manage_refuses_the_start() -> None:
    """The message names both accounts, nothing is sent for the wrong one, and the link is closed."""

    async def run() -> None:
        bench = Bench(account="DU7654321")
        await bench.listen()
        with pytest.raises(RefusedStartError, match=f"manages {ACCOUNT}, expected account DU7654321"):
            await bench.broker.connect()
        assert not bench.broker.is_open()
        assert [fields[0] for _, fields in bench.wire.sent] == ["71"]
        await bench.stop()

    in_virtual_time(run)


@pytest.mark.control("C23")
def test_a_gateway_that_is_logged_in_as_somebody_else_is_told_once_and_taken_back_later() -> None:
    """On an open connection, and at each reconnect that follows; the run goes on trying until ours is back."""

    async def play(bench: Bench) -> None:
        bench.wire.say(15, 1, "DU7654321,DU0000001")
        await asyncio.sleep(0.1)
        (event,) = bench.of(AccountMismatched)
        assert event.why.startswith(f"the gateway manages DU7654321, DU0000001, expected account {ACCOUNT}")
        bench.broker.disconnect()
        bench.wire.alter = lambda fields: [["15", "1", "DU7654321,DU0000001"]] if fields[0] == "15" else [fields]
        with pytest.raises(ConnectivityError, match=f"expected account {ACCOUNT}"):
            await bench.broker.connect()
        assert len(bench.of(AccountMismatched)) == 1
        bench.wire.alter = lambda fields: [fields]
        await bench.broker.connect()
        assert bench.broker.is_open()
        bench.wire.say(15, 1, "DU7654321,DU0000001")
        await asyncio.sleep(0.1)
        assert len(bench.of(AccountMismatched)) == 2

    on_bench(play)


def test_a_gateway_with_more_accounts_than_before_is_no_mismatch() -> None:
    """Ours is among them."""

    async def play(bench: Bench) -> None:
        bench.wire.say(15, 1, f"DU7654321,{ACCOUNT}")
        await asyncio.sleep(0.1)
        assert bench.of(AccountMismatched) == []

    on_bench(play)


def test_a_client_id_in_use_is_told_at_once_and_the_holder_stays_connected() -> None:
    """326 raises its own error well before the time-out; the session that holds the id is not disturbed."""

    async def play(bench: Bench) -> None:
        second = bench.adapter()
        began = bench.loop.time()
        with pytest.raises(ClientIdInUseError, match=f"client id {CLIENT} is in use"):
            await second.connect()
        assert bench.loop.time() - began < 1
        assert bench.broker.is_open()

    on_bench(play)


def test_a_dead_session_that_holds_the_id_is_outlasted_with_the_same_id(caplog: pytest.LogCaptureFixture) -> None:
    """While the id is held every try fails alike, after two minutes with an alert; freed, the same id connects."""

    async def play(bench: Bench) -> None:
        bench.server.inject(trouble("hold_id", client=CLIENT))
        await bench.until(lambda: bench.of(LinkLost))
        for _ in range(4):
            with pytest.raises(ClientIdInUseError):
                await bench.broker.connect()
            await asyncio.sleep(45)
        alerts = [record for record in caplog.records if "end the other session" in record.getMessage()]
        assert len(alerts) == 1
        bench.server.inject(trouble("release_id", client=CLIENT))
        await bench.broker.connect()
        assert {fields[2] for fields in bench.wire.frames(71)} == {str(CLIENT)}

    on_bench(play)


def test_nobody_listening_is_a_connectivity_error_that_names_the_address() -> None:
    """A refused connection raises the error after which the caller tries again."""

    async def run() -> None:
        bench = Bench()
        with pytest.raises(ConnectivityError, match=r"no connection to 127\.0\.0\.1:4003"):
            await bench.broker.connect()

    in_virtual_time(run)


def test_a_gateway_that_accepts_and_stays_silent_is_given_up_in_time() -> None:
    """The deadline of the connect holds although the transport is healthy."""

    async def run() -> None:
        bench = Bench(connect_timeout_s=7)
        await bench.listen()
        bench.wire.alter = lambda _fields: []
        began = bench.loop.time()
        with pytest.raises(ConnectivityError, match="TimeoutError"):
            await bench.broker.connect()
        assert 6 < bench.loop.time() - began < 8
        assert not bench.of(LinkRestored)
        await bench.stop()

    in_virtual_time(run)


@pytest.mark.parametrize(
    ("lost", "part"),
    [
        ("53", "own open orders"),
        ("102", "completed orders"),
        ("55", "executions"),
        ("62", "positions"),
        ("54", "account values"),
    ],
)
def test_a_missing_end_marker_at_start_is_a_failed_connect(lost: str, part: str) -> None:
    """No trading on an unsynchronised book: a part without its end closes the link and names the part."""

    async def run() -> None:
        bench = Bench()
        await bench.listen()
        bench.wire.alter = lambda fields: [] if fields[0] == lost else [fields]
        with pytest.raises(ConnectivityError, match=part):
            await bench.broker.connect()
        assert not bench.broker.is_open()
        assert not bench.of(LinkRestored)
        bench.wire.alter = lambda fields: [fields]
        await asyncio.sleep(1)
        await bench.broker.connect()
        assert len(bench.of(LinkRestored)) == 1
        await bench.stop()

    in_virtual_time(run)


def test_a_cut_connection_is_told_once_and_a_later_submit_raises() -> None:
    """The loss reaches the sink; an order then raises instead of vanishing."""

    async def play(bench: Bench) -> None:
        await bench.broker.snapshot([a_vxm()])
        bench.server.inject(trouble("disconnect", client=CLIENT))
        await bench.until(lambda: bench.of(LinkLost))
        assert len(bench.of(LinkLost)) == 1
        assert not bench.broker.is_open()
        with pytest.raises(ConnectivityError, match="was not written: the transport is closed"):
            bench.broker.submit(approved(an_intent((bought(a_vxm()),), "5"), bench.clock.now()))
        assert not bench.wire.frames(3)

    on_bench(play)


def test_a_reconnect_streams_again_what_was_watched() -> None:
    """After a cut, the same adapter connects anew and its lines are opened again."""

    async def play(bench: Bench) -> None:
        await bench.market_open()
        bench.broker.watch([VIX, RVX])
        await bench.until(lambda: len(bench.of(Tick)) >= 4)
        bench.server.inject(trouble("disconnect", client=CLIENT))
        await bench.until(lambda: bench.of(LinkLost))
        before = len(bench.of(Tick))
        await bench.broker.connect()
        await bench.until(lambda: len(bench.of(Tick)) >= before + 4)
        assert len(bench.of(LinkRestored)) == 2

    on_bench(play)


def test_1100_is_told_once_and_both_ways_back_are_told() -> None:
    """A row of 1100 is one loss; 1101 and 1102 alike restore, and 1101 opens the lines again."""

    async def play(bench: Bench) -> None:
        await bench.market_open()
        bench.broker.watch([VIX])
        await bench.until(lambda: bench.of(Tick))
        for _ in range(3):
            bench.server.inject(trouble("code", code=1100))
            await asyncio.sleep(1)
        assert len(bench.of(LinkLost)) == 1
        assert bench.broker.is_open()
        bench.server.inject(trouble("code", code=1102))
        await asyncio.sleep(1)
        assert len(bench.of(LinkRestored)) == 2
        assert len(bench.wire.frames(1)) == 1
        bench.server.inject(trouble("code", code=1101))
        await asyncio.sleep(1)
        assert len(bench.of(LinkRestored)) == 3
        assert len(bench.wire.frames(1)) == 2
        assert not bench.wire.frames(62)  # the library would ask for an account summary on 1102

    on_bench(play)


def test_a_message_that_cannot_be_read_asks_for_a_reconciliation() -> None:
    """A lost order message is told as loss and return of the link; a lost tick is only counted."""

    async def play(bench: Bench) -> None:
        bench.wire.say(11, -1, "not an execution")
        await asyncio.sleep(1)
        assert bench.broker.counters["undecoded"] == 1
        assert [type(event) for event in bench.events[-2:]] == [LinkLost, LinkRestored]
        told = len(bench.events)
        bench.wire.say(1, 6, "?", 4, 1.0, 1, 0)
        await asyncio.sleep(1)
        assert bench.broker.counters["undecoded"] == 2
        assert len(bench.events) == told

    on_bench(play)


def test_a_deliberate_disconnect_ends_questions_under_way() -> None:
    """A question that waits for its answer ends by an error when the link is closed, not by its deadline."""

    async def play(bench: Bench) -> None:
        bench.wire.alter = lambda fields: [] if fields[0] == "102" else [fields]
        asking = asyncio.create_task(bench.broker.books())
        await asyncio.sleep(1)
        began = bench.loop.time()
        bench.broker.disconnect()
        with pytest.raises(ConnectivityError, match="the connection broke"):
            await asking
        assert bench.loop.time() - began < 0.1
        assert bench.of(LinkLost)[-1].at >= datetime(2026, 10, 20, tzinfo=UTC)

    on_bench(play)


def test_a_gateway_that_answers_nothing_any_more_loses_its_connection() -> None:
    """A half-open socket looks healthy for ever; a vital question and the time unanswered close it."""

    async def play(bench: Bench) -> None:
        bench.wire.alter = lambda _fields: []
        with pytest.raises(ConnectivityError, match="open orders: no answer within"):
            await bench.broker.books()
        assert len(bench.of(LinkLost)) == 1
        assert not bench.broker.is_open()
        bench.wire.alter = lambda fields: [fields]
        await asyncio.sleep(1)
        await bench.broker.connect()
        assert bench.broker.is_open()

    on_bench(play)


def test_silence_is_normal_while_the_brokers_own_line_is_down() -> None:
    """After 1100 the socket is kept, whatever stays unanswered."""

    async def play(bench: Bench) -> None:
        bench.server.inject(trouble("code", code=1100))
        await asyncio.sleep(1)
        bench.wire.alter = lambda _fields: []
        with pytest.raises(ConnectivityError, match="no answer within"):
            await bench.broker.books()
        assert bench.broker.is_open()

    on_bench(play)


def test_an_order_is_written_before_submit_returns_and_never_to_a_closing_transport() -> None:
    """The library's own check stays true after a close, and its write then vanishes; ours raises."""

    async def play(bench: Bench) -> None:
        await bench.broker.snapshot([a_vxm()])
        connection = bench.broker._ib.client.conn
        before = connection.numMsgSent
        bench.broker.submit(approved(an_intent((bought(a_vxm()),), "5"), bench.clock.now()))
        assert connection.numMsgSent == before + 1
        connection.transport.close()
        assert not bench.broker.is_open()
        with pytest.raises(ConnectivityError, match="the transport is closed"):
            bench.broker.submit(approved(an_intent((bought(a_vxm()),), "5", intent_id="late"), bench.clock.now()))
        assert connection.numMsgSent == before + 1

    on_bench(play)


def test_a_watch_before_the_connect_is_streamed_after_it() -> None:
    """What is wanted is kept; each line is opened once."""

    async def run() -> None:
        bench = Bench()
        bench.broker.watch([VIX, RVX])
        await bench.start()
        await bench.market_open()
        await bench.until(lambda: len(bench.of(Tick)) >= 4)
        assert len(bench.wire.frames(1)) == 2
        await bench.stop()

    in_virtual_time(run)


def test_an_adapter_that_never_connected_is_closed_without_a_trace() -> None:
    """The constructor does no I/O, and what was never opened is closed in peace."""

    async def run() -> None:
        bench = Bench()
        assert repr(bench.broker) == "<IbkrGateway 127.0.0.1:4003 client 17 closed>"
        bench.broker.disconnect()
        assert bench.events == []

    in_virtual_time(run)


def test_a_connect_right_after_a_disconnect_is_not_mistaken_by_the_old_ones_end() -> None:
    """The end of the connection before arrives late; the new one stands at the first try."""

    async def play(bench: Bench) -> None:
        for _ in range(5):
            bench.broker.disconnect()
            await bench.broker.connect()
        assert bench.broker.is_open()
        assert len(bench.of(LinkRestored)) == 6
        assert len(bench.of(LinkLost)) == 5

    on_bench(play)


@pytest.mark.parametrize("moment", ["9", "15", "53", "61", "55"])
def test_a_cut_at_any_point_of_the_connect_is_a_failed_connect(moment: str) -> None:
    """Whatever was already synchronised, the connect raises its own error and a later one succeeds."""

    async def run() -> None:
        bench = Bench()
        await bench.listen()

        def cut(fields: list[str]) -> list[list[str]]:
            if fields[0] == moment and bench.wire.near is not None:
                bench.loop.call_soon(bench.wire.near.close)
            return [fields]

        bench.wire.alter = cut
        with pytest.raises(ConnectivityError):
            await bench.broker.connect()
        assert not bench.broker.is_open()
        assert not bench.of(LinkRestored)
        bench.wire.alter = lambda fields: [fields]
        await asyncio.sleep(1)
        await bench.broker.connect()
        await bench.stop()

    in_virtual_time(run)
