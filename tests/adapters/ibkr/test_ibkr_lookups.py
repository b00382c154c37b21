"""Chains and histories over the wire, and how a question ends."""

import asyncio
from datetime import date, timedelta

import pytest
from ibkr_harness import NOVEMBER, Bench, a_call, a_vxm, on_bench

from bot.domain.errors import BrokerRejectedError, ConnectivityError
from bot.domain.instrument import RUT, RVX, SPX, VIX, Kind


def test_the_option_chain_names_class_settlement_and_last_trading_day() -> None:
    """VIX options settle on the Wednesday after their last trading day, weeklies as well; one look-up per expiry."""

    async def play(bench: Bench) -> None:
        before = len(bench.wire.frames(9))
        chain = await bench.broker.option_chain("VIX", date(2026, 11, 1), date(2026, 11, 30))
        days = {(option.trading_class, option.settlement) for option in chain}
        assert days == {("VIX", NOVEMBER), *(("VIXW", date(2026, 11, day)) for day in (4, 11, 25))}
        assert {option.settlement - option.last_trade for option in chain} == {timedelta(days=1)}
        assert a_call("20") in chain
        assert len(chain) == len({option.key for option in chain})
        assert len(bench.wire.frames(78)) == 1
        assert len(bench.wire.frames(9)) == before + 5  # the index and four expiries
        assert not bench.broker.refused_contracts

    on_bench(play)


def test_spx_and_spxw_are_told_apart() -> None:
    """Both carry the symbol SPX; the morning class settles a session after its last trading day."""

    async def play(bench: Bench) -> None:
        chain = await bench.broker.option_chain("SPX", date(2026, 11, 20), date(2026, 11, 20))
        days = {(option.trading_class, option.last_trade) for option in chain}
        assert days == {("SPX", date(2026, 11, 19)), ("SPXW", date(2026, 11, 20))}

    on_bench(play)


def test_futures_are_listed_by_class_and_settlement() -> None:
    """VX and VXM share the symbol VIX; nothing outside the range."""

    async def play(bench: Bench) -> None:
        found = await bench.broker.futures("VIX", date(2026, 11, 1), date(2026, 12, 31))
        assert [future.key for future in found] == [
            "FUT:VX:2026-11-18",
            "FUT:VX:2026-12-16",
            "FUT:VXM:2026-11-18",
            "FUT:VXM:2026-12-16",
        ]
        assert {future.trading_class: future.multiplier for future in found} == {"VX": 1000, "VXM": 100}
        assert all(future.kind is Kind.FUTURE for future in found)

    on_bench(play)


def test_a_contract_whose_dates_disagree_is_refused_with_a_reason() -> None:
    """A settlement that is not the calendar's locks the contract out of chain and futures; it is never guessed."""

    async def play(bench: Bench) -> None:
        def moved(fields: list[str]) -> list[list[str]]:
            return [["20261119" if fields[0] == "10" and each == "20261118" else each for each in fields]]

        bench.wire.alter = moved
        chain = await bench.broker.option_chain("VIX", date(2026, 11, 12), date(2026, 11, 24))
        futures = await bench.broker.futures("VIX", date(2026, 11, 1), date(2026, 12, 31))
        assert chain == ()
        assert {future.settlement for future in futures} == {date(2026, 12, 16)}
        reasons = [refused.reason for refused in bench.broker.refused_contracts]
        assert reasons
        assert all("2026-11-19" in reason for reason in reasons)

    on_bench(play)


@pytest.mark.parametrize("instrument", [VIX, RVX, SPX, RUT])
def test_daily_closes_are_finished_sessions_oldest_first(instrument: object) -> None:
    """Before the open the last finished session is yesterday's; as many as asked for."""

    async def play(bench: Bench) -> None:
        closes = await bench.broker.daily_closes(instrument, 90)
        days = [close.day for close in closes]
        assert len(days) == 90
        assert days == sorted(set(days))
        assert days[-1] == date(2026, 10, 19)
        assert all(close.close > 0 for close in closes)

    on_bench(play)


def test_the_session_under_way_is_not_a_daily_close() -> None:
    """A bar of today is left out until the session has closed."""

    async def play(bench: Bench) -> None:
        await bench.market_open()
        closes = await bench.broker.daily_closes(VIX, 5)
        assert closes[-1].day == date(2026, 10, 19)
        await asyncio.sleep(7 * 3600)
        assert (await bench.broker.daily_closes(VIX, 5))[-1].day == date(2026, 10, 20)

    on_bench(play)


def test_the_same_history_within_fifteen_seconds_is_not_asked_again() -> None:
    """The broker's pacing counts identical requests; the answer is the same anyway."""

    async def play(bench: Bench) -> None:
        first = await bench.broker.daily_closes(VIX, 5)
        assert await bench.broker.daily_closes(VIX, 5) == first
        assert len(bench.wire.frames(20)) == 1
        await asyncio.sleep(16)
        await bench.broker.daily_closes(VIX, 5)
        assert len(bench.wire.frames(20)) == 2

    on_bench(play)


@pytest.mark.parametrize(
    ("code", "text", "error"),
    [
        (162, "HMDS query returned no data: VIX", BrokerRejectedError),
        (162, "pacing violation", ConnectivityError),
        (200, "no security definition", BrokerRejectedError),
        (321, "validation failed", BrokerRejectedError),
        (322, "processing failed", BrokerRejectedError),
        (504, "not connected", ConnectivityError),
        (99999, "new", BrokerRejectedError),
    ],
)
def test_a_code_ends_a_question_at_once(code: int, text: str, error: type[Exception]) -> None:
    """Also 321, after which one of the client libraries would wait for ever."""

    async def play(bench: Bench) -> None:
        bench.wire.alter = lambda fields: (
            [["4", "2", fields[1], str(code), text, ""]] if fields[0] == "17" else [fields]
        )
        began = bench.loop.time()
        with pytest.raises(error, match=f"daily closes of IND:VIX: the broker says {code}"):
            await bench.broker.daily_closes(VIX, 5)
        assert bench.loop.time() - began < 1

    on_bench(play)


def test_a_question_without_an_answer_ends_by_its_deadline_and_its_late_answer_is_harmless() -> None:
    """ConnectivityError after the deadline, and nothing is upset when the answer comes after all."""

    async def play(bench: Bench) -> None:
        held: list[list[str]] = []

        def hold(fields: list[str]) -> list[list[str]]:
            if fields[0] in {"17", "10", "52"}:
                held.append(fields)
                return []
            return [fields]

        bench.wire.alter = hold
        with pytest.raises(ConnectivityError, match=r"no answer within 10\.0 s"):
            await bench.broker.daily_closes(VIX, 5)
        for fields in held:
            bench.wire.say(*fields)
        await asyncio.sleep(1)
        assert bench.broker.counters["undecoded"] == 0

    on_bench(play)


def test_a_notice_on_a_question_does_not_end_it() -> None:
    """Codes 2100 to 2199 are remarks; the answer still comes."""

    async def play(bench: Bench) -> None:
        bench.wire.alter = lambda fields: (
            [["4", "2", fields[1], "2174", "time zone", ""], fields] if fields[0] == "17" else [fields]
        )
        assert len(await bench.broker.daily_closes(VIX, 5)) == 5

    on_bench(play)


def test_a_refused_look_up_is_asked_once_more() -> None:
    """After the nightly reset 200 may be transient; a second refusal stands."""

    async def play(bench: Bench) -> None:
        refused: list[str] = []

        def refuse_first(fields: list[str]) -> list[list[str]]:
            if fields[0] == "10" and not refused:
                refused.append(fields[1])
                return [["4", "2", fields[1], "200", "no definition", ""]]
            return [] if fields[0] == "52" and fields[2] in refused else [fields]

        await bench.market_open()
        bench.wire.alter = refuse_first
        assert set(await bench.broker.snapshot([a_vxm()])) == {a_vxm().key}
        assert refused

    on_bench(play)
