"""Hours, market rules and open interest over the wire: the same words as behind the other door, in either library."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from ibkr_harness import CALENDAR, FIRST_DAY, Bench, a_call, a_vxm, on_bench

from adapters.ibkr.contract_terms import rule_rows, told_from
from adapters.ibkr.contracts import Listed
from adapters.ibkr.library import UNSET_DOUBLE, Contract, ContractDetails
from adapters.ibkr.quotes import Line
from bot.domain.errors import ConnectivityError
from bot.domain.events import OpenInterestTold
from bot.domain.hours import hours_told
from bot.domain.instrument import VIX, VXX, Instrument, Kind, Right, vix_future
from bot.domain.market import Quote
from simulator.broker import InProcessMarketData

DETAILS, MARKET_RULE, RULE_TOLD = 9, 91, "93"
VX = vix_future("VX", date(2026, 11, 18))


def a_wing(bench: Bench) -> Instrument:
    """A leg of the condors that the account holds."""
    return next(one.instrument for one in bench.floor.positions() if one.instrument.right is Right.PUT)


@pytest.mark.parametrize("exchange", ["SMART", "CBOE"])
def test_both_doors_tell_the_same_terms(exchange: str) -> None:
    """Hours, last trade and increments of options, futures and shares: equal to the last one of them."""

    async def play(bench: Bench) -> None:
        wanted = [a_call("20"), a_vxm(), VX, a_wing(bench), VXX]
        wire = await bench.broker.terms(wanted)
        process = await InProcessMarketData(bench.floor, bench.events.append).terms(wanted)
        assert wire == process
        assert all(one.liquid is not None and one.trading is not None and one.ticks for one in wire.values())
        session = CALENDAR.session(FIRST_DAY)
        assert session is not None
        call = wire[a_call("20").key]
        assert call.liquid is not None
        (span,) = call.liquid.on(FIRST_DAY) or ()
        assert (span.opens_at, span.closes_at) == (session.opens_at, session.closes_at)
        assert call.ticks == ((Decimal(0), Decimal("0.01")), (Decimal(3), Decimal("0.05")))
        assert (call.last_trade_day, wire[VXX.key].last_trade_day) == (date(2026, 11, 17), None)
        assert wire[VX.key].last_trade_at == datetime(2026, 11, 18, 14, tzinfo=UTC)

    on_bench(play, option_exchange=exchange)


def test_terms_are_asked_for_once_a_day() -> None:
    """The second question costs no frame; the day after, details and rules are asked for anew, by number."""

    async def play(bench: Bench) -> None:
        await bench.broker.terms([a_call("20"), a_call("21")])
        details, rules = len(bench.wire.frames(DETAILS)), len(bench.wire.frames(MARKET_RULE))
        assert rules == 1
        first = await bench.broker.terms([a_call("20"), a_call("21")])
        assert (len(bench.wire.frames(DETAILS)), len(bench.wire.frames(MARKET_RULE))) == (details, rules)
        await asyncio.sleep(86_400)
        second = await bench.broker.terms([a_call("20")])
        assert (len(bench.wire.frames(DETAILS)), len(bench.wire.frames(MARKET_RULE))) == (details + 1, rules + 1)
        days = [told[a_call("20").key].told_on for told in (first, second)]
        assert days == [FIRST_DAY, FIRST_DAY + timedelta(days=1)]

    on_bench(play)


def test_what_a_chain_told_is_not_asked_for_again() -> None:
    """Listing the chain reads the details of all of it: its terms cost the frame of one market rule."""

    async def play(bench: Bench) -> None:
        chain = await bench.broker.option_chain("VIX", date(2026, 11, 18), date(2026, 11, 18))
        before = len(bench.wire.frames(DETAILS))
        told = await bench.broker.terms(chain)
        assert told.keys() == {one.key for one in chain}
        assert len(bench.wire.frames(DETAILS)) == before

    on_bench(play)


def test_a_contract_that_is_not_listed_has_no_terms() -> None:
    """It is left out; the others are told."""

    async def play(bench: Bench) -> None:
        told = await bench.broker.terms([a_call("20"), a_call("20.3")])
        assert told.keys() == {a_call("20").key}

    on_bench(play)


def test_a_market_rule_without_an_answer_is_unknown() -> None:
    """Hours are told all the same, and the rule is not waited for again that day."""

    async def play(bench: Bench) -> None:
        bench.wire.alter = lambda fields: [] if fields[0] == RULE_TOLD else [fields]
        told = await bench.broker.terms([a_call("20")])
        assert told[a_call("20").key].ticks == ()
        assert told[a_call("20").key].liquid is not None
        asked = bench.clock.now()
        await bench.broker.terms([a_call("21")])
        assert bench.clock.now() - asked < timedelta(seconds=5)

    on_bench(play)


def test_without_a_link_nothing_is_told() -> None:
    """Neither before nor during the question."""

    async def play(bench: Bench) -> None:
        bench.wire.alter = lambda fields: [] if fields[0] == RULE_TOLD else [fields]
        asking = asyncio.create_task(bench.broker.terms([a_call("20")]))
        await asyncio.sleep(1)
        bench.broker.disconnect()
        with pytest.raises(ConnectivityError):
            await asking
        with pytest.raises(ConnectivityError):
            await bench.broker.terms([a_call("21")])

    on_bench(play)


# the details, without a wire -----------------------------------------------------------------------------------


def details(**changes: str) -> ContractDetails:
    """The details of a VIX call as the library decodes them."""
    contract = Contract(conId=1, lastTradeDateOrContractMonth="20261117")
    told = {
        "timeZoneId": "US/Central",
        "tradingHours": "20261020:1915-20261020:2015;20261021:CLOSED",
        "liquidHours": "20261020:0830-20261020:1515;20261021:CLOSED",
        "lastTradeTime": "15:15",
        "validExchanges": "SMART,CBOE",
        "marketRuleIds": "32,109",
    }
    return ContractDetails(contract=contract, **(told | changes))


def listed(exchange: str = "CBOE", instrument: Instrument | None = None) -> Listed:
    """Where it is routed."""
    return Listed(con_id=1, instrument=instrument or a_call("20"), exchange=exchange)


@pytest.mark.parametrize(
    ("exchange", "changes", "rule"),
    [
        ("CBOE", {}, 109),
        ("SMART", {}, 32),
        ("BOX", {}, None),
        ("CBOE", {"marketRuleIds": "32"}, None),
        ("CBOE", {"marketRuleIds": "32,"}, None),
        ("CBOE", {"marketRuleIds": "32,?"}, None),
        ("CBOE", {"marketRuleIds": "", "validExchanges": ""}, None),
    ],
)
def test_the_rule_is_that_of_the_routed_exchange(exchange: str, changes: dict[str, str], rule: int | None) -> None:
    """The number at the exchange's place; lists of different length name none."""
    assert told_from(details(**changes), listed(exchange), FIRST_DAY).rule == rule


def test_details_without_words_are_unknown() -> None:
    """No zone, no hours, no hour of the last trade: each of them None, and the day of the last trade stays."""
    told = told_from(details(timeZoneId="", lastTradeTime=""), listed(), FIRST_DAY)
    assert (told.liquid, told.trading, told.last_trade_at) == (None, None, None)
    assert told.last_trade_day == date(2026, 11, 17)
    told = told_from(details(), listed(), FIRST_DAY)
    assert told.liquid == hours_told("20261020:0830-20261020:1515;20261021:CLOSED", "America/Chicago")
    assert told.last_trade_at == datetime(2026, 11, 17, 21, 15, tzinfo=UTC)
    assert told_from(details(), listed(instrument=VXX), FIRST_DAY).last_trade_day is None


@dataclass
class Row:
    """One row of a market rule as either library decodes it."""

    lowEdge: float  # noqa: N815 - the library's name
    increment: float


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([Row(0.0, 0.01), Row(3.0, 0.05)], ((Decimal("0.0"), Decimal("0.01")), (Decimal("3.0"), Decimal("0.05")))),
        ([Row(3.0, 0.05), Row(0.0, 0.01)], ((Decimal("0.0"), Decimal("0.01")), (Decimal("3.0"), Decimal("0.05")))),
        ([], ()),
        ([Row(1.0, 0.01)], ()),
        ([Row(0.0, 0.0)], ()),
        ([Row(0.0, -0.01)], ()),
        ([Row(0.0, float("nan"))], ()),
        ([Row(float("nan"), 0.01)], ()),
        ([Row(0.0, 0.01), Row(float("inf"), 0.05)], ()),
    ],
)
def test_a_rule_is_whole_or_unknown(rows: Sequence[Row], told: tuple[tuple[Decimal, Decimal], ...]) -> None:
    """Ascending from 0, every increment above 0: else it tells nothing."""
    assert rule_rows(rows) == told


# open interest --------------------------------------------------------------------------------------------------


def test_open_interest_comes_on_the_lines_that_are_open() -> None:
    """Asked for with the stream and on no line of its own: the exchange's figure of call, put and future, once."""

    async def play(bench: Bench) -> None:
        await bench.market_open()
        put = a_wing(bench)
        bench.broker.watch([VIX, a_call("20"), put, a_vxm(), VXX])
        await bench.until(lambda: len(bench.of(OpenInterestTold)) >= 3)
        await asyncio.sleep(120)
        told = {event.key: event.contracts for event in bench.of(OpenInterestTold)}
        wanted = {one.key: bench.floor.quote(one).open_interest for one in (a_call("20"), put, a_vxm())}
        assert told == wanted
        assert len(bench.of(OpenInterestTold)) == 3
        asked = [next((field for field in frame[10:] if field in {"101", "588"}), "") for frame in bench.wire.frames(1)]
        assert sorted(asked) == ["", "", "101", "101", "588"]

    on_bench(play)


def test_both_doors_tell_the_same_open_interest() -> None:
    """The figure through the process is the one over the wire."""

    async def play(bench: Bench) -> None:
        await bench.market_open()
        bench.broker.watch([a_call("20"), a_vxm()])
        await bench.until(lambda: len(bench.of(OpenInterestTold)) >= 2)
        wire = {event.key: event.contracts for event in bench.of(OpenInterestTold)}
        bench.events.clear()
        InProcessMarketData(bench.floor, bench.events.append).watch([a_call("20"), a_vxm(), VXX])
        assert {event.key: event.contracts for event in bench.of(OpenInterestTold)} == wire

    on_bench(play)


def test_a_line_that_may_not_ask_for_it_is_opened_for_its_prices() -> None:
    """Where the broker refuses the generic tick, prices come all the same, and nothing tells an open interest."""

    async def play(bench: Bench) -> None:
        bench.broker.watch([a_vxm()])
        await asyncio.sleep(2)
        bench.complain(int(bench.wire.frames(1)[-1][2]), 321, "Error validating request: Incorrect generic tick list")
        await asyncio.sleep(2)
        first, second = bench.wire.frames(1)
        assert ("588" in first, "588" in second) == (True, False)
        bench.events.clear()
        await bench.market_open()
        await bench.until(lambda: bench.of(Quote))
        assert bench.of(OpenInterestTold) == []
        bench.complain(int(second[2]), 321, "Error validating request: Incorrect generic tick list")
        await asyncio.sleep(2)
        assert len(bench.wire.frames(1)) == 2

    on_bench(play)


NOON = datetime(2026, 10, 20, 16, tzinfo=UTC)


def test_a_line_tells_its_open_interest_on_change_and_once_a_day() -> None:
    """The broker repeats nothing that stands: the line does, on New York's next day."""
    line = Line(a_call("20"))
    assert line.news_of_interest(NOON) is None
    line.size(27, 1200.0)
    told = line.news_of_interest(NOON)
    assert told == OpenInterestTold(at=NOON, key=a_call("20").key, contracts=1200)
    assert line.news_of_interest(NOON + timedelta(hours=11, minutes=59)) is None
    later = line.news_of_interest(NOON + timedelta(hours=12))
    assert later is not None
    assert (later.at.day, later.contracts) == (21, 1200)
    line.size(27, 0.0)
    changed = line.news_of_interest(NOON + timedelta(hours=12))
    assert changed is not None
    assert changed.contracts == 0


@pytest.mark.parametrize("size", [float("nan"), -1.0, float(2**31 - 1), UNSET_DOUBLE])
def test_impossible_open_interest_is_none(size: float) -> None:
    """What is no count, or the broker's word for none, leaves the figure unknown."""
    line = Line(a_call("20"))
    line.size(27, size)
    assert line.news_of_interest(NOON) is None


def a_line(kind: Kind, right: Right | None) -> Line:
    """A line of a call, a put, a future or a share."""
    if kind is Kind.FUTURE:
        return Line(a_vxm())
    call = a_call("20")
    if right is None:
        return Line(VXX)
    return Line(
        Instrument(
            **{name: getattr(call, name) for name in Instrument.__dataclass_fields__ if name not in {"key", "right"}},
            right=right,
        )
    )


@pytest.mark.parametrize(
    ("kind", "right", "ticks"),
    [
        (Kind.OPTION, Right.CALL, {27}),
        (Kind.OPTION, Right.PUT, {28}),
        (Kind.FUTURE, None, {86}),
        (Kind.STOCK, None, set()),
    ],
)
def test_each_contract_has_its_own_tick(kind: Kind, right: Right | None, ticks: set[int]) -> None:
    """The other side of an option comes as zero, and the old tick of futures beside the new one: neither counts."""
    heard = set()
    for tick in (22, 27, 28, 86):
        line = a_line(kind, right)
        line.size(tick, 500.0)
        if line.news_of_interest(NOON) is not None:
            heard.add(tick)
    assert heard == ticks
