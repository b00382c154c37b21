"""Streams and snapshots over the wire."""

import asyncio

import pytest
from ibkr_harness import CLIENT, Bench, a_call, a_vxm, on_bench

from adapters.ibkr.quotes import Line
from bot.domain.errors import ConnectivityError
from bot.domain.events import DataFeedChanged
from bot.domain.instrument import AD_NYSE, RVX, VIX, index
from bot.domain.market import DataType, ModelGreeks, Quote, Tick
from simulator.troubles.kinds import trouble

UNSET = "1.7976931348623157E308"


async def line_of(bench: Bench, instrument: object) -> int:
    """Watch one instrument while the market is closed and nothing ticks by itself; return its request id."""
    bench.broker.watch([instrument])
    await asyncio.sleep(2)
    return int(bench.wire.frames(1)[-1][2])


def levels(bench: Bench) -> list[float]:
    """The index levels told so far."""
    return [tick.level for tick in bench.of(Tick)]


def test_watched_indices_tick_and_watched_contracts_quote() -> None:
    """Each with our own receive time, live; nothing that is not watched is told."""

    async def play(bench: Bench) -> None:
        await bench.market_open()
        bench.broker.watch([VIX, RVX, a_vxm(), a_call("20")])
        await bench.until(lambda: len(bench.of(Tick)) >= 6 and len(bench.of(Quote)) >= 4)
        assert {tick.key for tick in bench.of(Tick)} == {VIX.key, RVX.key}
        assert {quote.key for quote in bench.of(Quote)} == {a_vxm().key, a_call("20").key}
        for quote in bench.of(Quote):
            assert quote.is_two_sided
            assert quote.data_type is DataType.LIVE
        assert abs(bench.of(Tick)[-1].at_ns - bench.clock.now_ns()) < 60e9

    on_bench(play)


def test_a_new_wish_closes_the_lines_that_are_not_in_it() -> None:
    """The old line is cancelled by its own id and falls silent, the kept one is not asked for again."""

    async def play(bench: Bench) -> None:
        await bench.market_open()
        bench.broker.watch([VIX, RVX])
        await bench.until(lambda: len(bench.of(Tick)) >= 4)
        bench.broker.watch([RVX, a_vxm()])
        await asyncio.sleep(1)
        assert len(bench.wire.frames(2)) == 1
        assert len(bench.wire.frames(1)) == 3
        bench.events.clear()
        await asyncio.sleep(60)
        assert {tick.key for tick in bench.of(Tick)} == {RVX.key}
        assert bench.of(Quote)

    on_bench(play)


def test_every_tick_of_one_read_is_told_and_the_quote_only_at_its_end() -> None:
    """Several levels in one packet are several ticks; a bid and an ask that move together are one quote."""

    async def play(bench: Bench) -> None:
        vix = await line_of(bench, VIX)
        bench.events.clear()
        for level in (17.1, 17.2, 17.15):
            bench.wire.say(1, 6, vix, 4, level, 0, 0)
        await asyncio.sleep(0.1)
        assert levels(bench) == [17.1, 17.2, 17.15]
        future = await line_of(bench, a_vxm())
        bench.events.clear()
        bench.wire.say(1, 6, future, 1, 18.50, 3, 0)
        bench.wire.say(1, 6, future, 2, 18.55, 4, 0)
        await asyncio.sleep(0.1)
        quotes = [(q.bid, q.ask, q.bid_size, q.ask_size) for q in bench.of(Quote)]
        assert quotes[-1] == (18.50, 18.55, 3, 4)
        assert all(quote.is_two_sided for quote in bench.of(Quote)[1:])
        count = len(bench.of(Quote))
        bench.wire.say(1, 6, future, 2, 18.55, 4, 0)
        await asyncio.sleep(0.1)
        assert len(bench.of(Quote)) == count  # the same again is no news

    on_bench(play)


@pytest.mark.parametrize(
    ("bid", "size", "shown"),
    [
        ("18.5", 3, 18.5),
        ("0", 7, 0.0),  # a real quote of 0
        ("-1", 0, None),
        ("-1", 5, None),
        ("0", 0, None),
        ("18.5", 0, None),
        ("nan", 3, None),
        ("inf", 3, None),
        (UNSET, 3, None),
        ("-0.5", 3, None),
        ("18.5", 2147483647, None),
        ("18.5", -3, None),
    ],
)
def test_what_means_no_data_is_a_missing_side(bid: str, size: int, shown: float | None) -> None:
    """Every way to say "nothing" on the wire ends as None with size 0, in both client libraries."""

    async def play(bench: Bench) -> None:
        future = await line_of(bench, a_vxm())
        bench.wire.say(1, 6, future, 1, 17.5, 9, 0)
        bench.wire.say(1, 6, future, 2, 18.55, 4, 0)
        await asyncio.sleep(0.1)
        bench.wire.say(1, 6, future, 1, bid, size, 0)
        await asyncio.sleep(0.1)
        last = bench.of(Quote)[-1]
        assert (last.bid, last.bid_size) == (shown, 0 if shown is None else size)
        assert last.ask == 18.55

    on_bench(play)


@pytest.mark.parametrize("level", ["-1", "0", "nan", UNSET, "inf", "-17"])
def test_a_level_that_no_index_can_have_is_not_a_tick(level: str) -> None:
    """Sentinels never reach the signal as numbers."""

    async def play(bench: Bench) -> None:
        vix = await line_of(bench, VIX)
        bench.events.clear()
        bench.wire.say(1, 6, vix, 4, level, 0, 0)
        bench.wire.say(1, 6, vix, 9, 16.0, 0, 0)  # a close is no level
        await asyncio.sleep(0.1)
        assert levels(bench) == []

    on_bench(play)


@pytest.mark.parametrize(
    ("told", "tick_type", "expected"),
    [
        (1, 4, DataType.LIVE),
        (2, 4, DataType.FROZEN),
        (3, 68, DataType.DELAYED),
        (1, 68, DataType.DELAYED),
        (4, 68, DataType.DELAYED_FROZEN),
        (9, 4, DataType.DELAYED_FROZEN),
    ],
)
def test_each_tick_carries_the_kind_of_data(told: int, tick_type: int, expected: DataType) -> None:
    """The broker's word counts, and a delayed tick id counts even when the word is missing or says live."""

    async def play(bench: Bench) -> None:
        vix = await line_of(bench, VIX)
        bench.events.clear()
        bench.wire.say(58, 1, vix, told)
        bench.wire.say(1, 6, vix, tick_type, 17.0, 0, 0)
        await asyncio.sleep(0.1)
        assert [tick.data_type for tick in bench.of(Tick)] == [expected]

    on_bench(play)


def test_late_ticks_of_a_closed_line_and_unknown_tick_ids_change_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """The library would log an error for the first and raise for the second; here both are passed over."""

    async def play(bench: Bench) -> None:
        vix = await line_of(bench, VIX)
        bench.broker.watch([])
        await asyncio.sleep(1)
        bench.events.clear()
        caplog.clear()
        bench.wire.say(1, 6, vix, 4, 17.0, 0, 0)
        bench.wire.say(2, 6, vix, 999, 5)
        bench.wire.say(45, 6, vix, 998, 1.0)
        bench.wire.say(46, 6, vix, 997, "text")
        await asyncio.sleep(0.1)
        assert bench.events == []
        assert bench.broker.counters["undecoded"] == 0
        assert not caplog.records

    on_bench(play)


def test_a_farm_that_broke_heals_with_the_next_live_tick_and_not_with_its_notice() -> None:
    """2103 makes data unusable, 2104 alone changes nothing, the tick after it does; the order link is untouched."""

    async def play(bench: Bench) -> None:
        vix = await line_of(bench, VIX)
        bench.complain(-1, 2103, "Market data farm connection is broken:usfarm")
        bench.wire.say(1, 6, vix, 4, 17.0, 0, 0)
        await asyncio.sleep(0.1)
        bench.complain(-1, 2104, "Market data farm connection is OK:usfarm")
        await asyncio.sleep(0.1)
        assert [event.usable for event in bench.of(DataFeedChanged)] == [False]
        bench.wire.say(1, 6, vix, 4, 17.1, 0, 0)
        await asyncio.sleep(0.1)
        assert [event.usable for event in bench.of(DataFeedChanged)] == [False, True]
        assert bench.broker.is_open()

    on_bench(play)


def test_a_competing_session_is_told_once_and_ends_with_the_next_live_tick() -> None:
    """10197 comes for every line; that is one loss of data."""

    async def play(bench: Bench) -> None:
        vix = await line_of(bench, VIX)
        for _ in range(5):
            bench.complain(vix, 10197, "No market data during competing live session")
        await asyncio.sleep(0.1)
        assert [event.usable for event in bench.of(DataFeedChanged)] == [False]
        bench.wire.say(1, 6, vix, 4, 17.1, 0, 0)
        await asyncio.sleep(0.1)
        assert [event.usable for event in bench.of(DataFeedChanged)] == [False, True]

    on_bench(play)


@pytest.mark.parametrize("told", [2, 3, 4])
def test_a_line_that_turns_delayed_or_frozen_makes_data_unusable_until_its_next_live_tick(told: int) -> None:
    """The broker's word alone does, before any tick; that it is live again is proved by a tick, not by the word."""

    async def play(bench: Bench) -> None:
        vix = await line_of(bench, VIX)
        bench.wire.say(58, 1, vix, told)
        await asyncio.sleep(0.1)
        assert [event.usable for event in bench.of(DataFeedChanged)] == [False]
        assert f"{VIX.key}: {DataType(told).name.lower().replace('_', ' ')} data" in bench.of(DataFeedChanged)[0].why
        bench.wire.say(58, 1, vix, 1)
        await asyncio.sleep(0.1)
        assert [event.usable for event in bench.of(DataFeedChanged)] == [False]
        bench.wire.say(1, 6, vix, 4, 17.1, 0, 0)
        await asyncio.sleep(0.1)
        assert [event.usable for event in bench.of(DataFeedChanged)] == [False, True]

    on_bench(play)


def test_a_delayed_tick_makes_data_unusable_though_the_broker_says_live() -> None:
    """The number of the tick tells what it is."""

    async def play(bench: Bench) -> None:
        vix = await line_of(bench, VIX)
        bench.wire.say(1, 6, vix, 68, 17.0, 0, 0)
        await asyncio.sleep(0.1)
        assert [event.usable for event in bench.of(DataFeedChanged)] == [False]

    on_bench(play)


@pytest.mark.parametrize("code", [354, 10089, 10090, 10167])
def test_missing_entitlement_makes_data_unusable(code: int) -> None:
    """No right to the data is not a quiet market; delayed ticks do not heal it."""

    async def play(bench: Bench) -> None:
        vix = await line_of(bench, VIX)
        bench.complain(vix, code, "not subscribed")
        bench.wire.say(58, 1, vix, 3)
        bench.wire.say(1, 6, vix, 68, 17.1, 0, 0)
        await asyncio.sleep(0.1)
        assert [event.usable for event in bench.of(DataFeedChanged)] == [False]
        assert VIX.key in bench.of(DataFeedChanged)[0].why

    on_bench(play)


def test_an_instrument_that_the_broker_does_not_list_costs_only_itself() -> None:
    """The other lines stream; the missing one makes data unusable, since somebody relies on it."""

    async def play(bench: Bench) -> None:
        await bench.market_open()
        bench.broker.watch([index("NOPE"), VIX])
        await bench.until(lambda: bench.of(Tick))
        assert [event.usable for event in bench.of(DataFeedChanged)] == [False]
        assert "IND:NOPE" in bench.of(DataFeedChanged)[0].why
        bench.broker.watch([VIX])
        assert [event.usable for event in bench.of(DataFeedChanged)] == [False, True]

    on_bench(play)


def test_snapshots_answer_for_each_contract_and_keep_no_line() -> None:
    """One quote each where there is one; a contract that is not listed is left out."""

    async def play(bench: Bench) -> None:
        await bench.market_open()
        shown = await bench.broker.snapshot([a_call("20"), a_vxm(), a_call("21.25")])
        assert set(shown) == {a_call("20").key, a_vxm().key}
        assert all(quote.is_two_sided for quote in shown.values())
        bench.events.clear()
        await asyncio.sleep(60)
        assert not bench.of(Quote)

    on_bench(play)


def test_a_snapshot_of_breadth_shows_its_counts_though_declines_have_no_size() -> None:
    """Advances as bid, declines as ask; what the broker means by "nothing" is a missing side here as well."""

    async def play(bench: Bench) -> None:
        await bench.market_open()
        shown = (await bench.broker.snapshot([AD_NYSE]))[AD_NYSE.key]
        assert shown.bid is not None
        assert shown.ask is not None
        assert shown.bid > 0 < shown.ask
        assert shown.ask_size == 0
        assert shown.data_type is DataType.LIVE
        for nothing in ("-1", "nan", "0", UNSET):
            bench.wire.alter = lambda fields, told=nothing: (
                [[*fields[:4], told, *fields[5:]]] if fields[0] == "1" and fields[3] == "2" else [fields]
            )
            shown = (await bench.broker.snapshot([AD_NYSE]))[AD_NYSE.key]
            assert shown.bid is not None
            assert shown.ask is None

    on_bench(play)


def test_a_question_without_a_right_to_its_answer_makes_no_feed_unusable() -> None:
    """354 on a snapshot is an answer that is missing; the streams, and with them the mode, stay as they are."""

    async def play(bench: Bench) -> None:
        await bench.market_open()
        bench.wire.alter = lambda fields: (
            [["4", "2", fields[2], "354", "not subscribed", ""]] if fields[0] == "58" else [fields]
        )
        assert await bench.broker.snapshot([AD_NYSE]) == {}
        assert not bench.of(DataFeedChanged)

    on_bench(play)


def test_a_snapshot_without_its_end_is_left_out_in_time() -> None:
    """What the broker did not finish is no quote, however much of it was seen."""

    async def play(bench: Bench) -> None:
        await bench.market_open()
        bench.wire.alter = lambda fields: [] if fields[0] == "57" else [fields]
        began = bench.loop.time()
        assert await bench.broker.snapshot([a_vxm()]) == {}
        assert bench.loop.time() - began < 13

    on_bench(play)


def test_a_snapshot_ends_with_the_connection() -> None:
    """A broken link is an error, not an empty answer."""

    async def play(bench: Bench) -> None:
        bench.wire.alter = lambda fields: [] if fields[0] == "57" else [fields]
        asking = asyncio.create_task(bench.broker.snapshot([a_vxm()]))
        await asyncio.sleep(1)
        bench.server.inject(trouble("disconnect", client=CLIENT))
        with pytest.raises(ConnectivityError, match="the connection broke"):
            await asking

    on_bench(play)


def test_the_brokers_own_greeks_come_with_a_snapshot() -> None:
    """Of an option the delta and theta of its model, of a future and an unknown contract nothing."""

    async def play(bench: Bench) -> None:
        await bench.market_open()
        call = a_call("20")
        told = await bench.broker.model_greeks([call, a_vxm(), a_call("21.37")])
        quote = bench.floor.quote(call)
        assert set(told) == {call.key}
        assert told[call.key].delta == pytest.approx(quote.model_delta, abs=0.02)
        assert told[call.key].theta == pytest.approx(quote.model_theta, rel=0.1)
        assert 0.0 < told[call.key].delta < 1.0
        assert told[call.key].theta < 0.0

    on_bench(play)


@pytest.mark.parametrize(("delta", "theta"), [(-2.0, -0.01), (float(UNSET), -0.01), (0.5, float(UNSET)), (0.5, -2e6)])
def test_what_the_broker_does_not_know_is_no_greek(delta: float, theta: float) -> None:
    """Its words for "none" leave what was known before."""
    line = Line(a_call("20"))
    line.model_told(0.4, -0.02)
    line.model_told(delta, theta)
    assert line.model == ModelGreeks(delta=0.4, theta=-0.02)
