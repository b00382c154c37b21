"""Present prices as raw frames: which ticks, what changes, what ends."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from floors import CLOSES_AT, NOVEMBER, OPENS_AT, a_call, a_floor, a_future, an_open_floor
from hypothesis import given
from hypothesis import strategies as st
from pretend_client import PretendClient, a_client, bag, contract, unpacked

from bot.domain.instrument import AD_NYSE, RVX, VIX, Instrument, Right
from simulator.opening import OpenedFloor
from simulator.tws.answers.table import ANSWERS
from simulator.tws.desk import Desk
from simulator.tws.fields import Cursor
from simulator.tws.greeks import GreekTicks
from simulator.tws.layout import decode, texts_of
from simulator.tws.ticks import GREEKS_EVERY_S, Subscription

Frames = list[list[str]]


def seated(opened: OpenedFloor) -> PretendClient:
    """Return a connected client of a floor."""
    return a_client(Desk(opened.floor))


def watch(
    client: PretendClient,
    opened: OpenedFloor,
    instrument: Instrument,
    *,
    req_id: int = 5,
    snapshot: int = 0,
    regulatory: int = 0,
) -> Frames:
    """Ask for market data."""
    return client.ask(1, 11, req_id, *contract(opened, instrument), 0, "", snapshot, regulatory, "")


def kinds(frames: Frames) -> list[tuple[str, str]]:
    """Return message number and tick type of tick frames."""
    return [(frame[0], frame[3] if frame[0] in {"1", "2"} else frame[2]) for frame in frames]


def test_an_index_is_told_by_level_and_close() -> None:
    """58 and 81, then the levels without sizes; no bid, no ask, no greeks."""
    opened = an_open_floor()

    frames = watch(seated(opened), opened, VIX)

    assert kinds(frames) == [("58", "5"), ("81", "0.01"), *(("1", kind) for kind in ("4", "9", "14", "6", "7"))]
    assert [len(frame) for frame in frames] == [4, 5, 7, 7, 7, 7, 7]
    assert frames[3][4:] == ["17.0", "0", "0"]


def test_an_option_is_told_by_both_sides_and_the_model() -> None:
    """Bid and ask carry their sizes; greeks have twelve fields."""
    opened = an_open_floor()
    call = a_call(opened)
    quote = opened.floor.quote(call)

    frames = watch(seated(opened), opened, call)

    assert kinds(frames[2:4]) == [("1", "1"), ("1", "2")]
    assert frames[2][4:6] == [str(quote.bid), str(quote.bid_size)]
    greeks = {frame[2]: frame for frame in frames if frame[0] == "21"}
    assert set(greeks) == {"10", "11", "12", "13"}
    assert {len(frame) for frame in greeks.values()} == {12}
    assert float(greeks["13"][4]) == quote.model_iv
    assert [float(greeks["13"][at]) for at in (8, 9, 10)] == [quote.model_gamma, quote.model_vega, quote.model_theta]
    assert float(greeks["10"][6]) == pytest.approx(float(quote.bid or 0), abs=1e-6)


def test_only_what_changed_is_told_and_each_quote_is_a_write_of_its_own() -> None:
    """Of two hours of steps each write is one quote of one contract, and no value is told twice in a row."""
    opened = an_open_floor()
    client = seated(opened)
    call = a_call(opened)
    watch(client, opened, call)
    client.writes.clear()

    opened.floor.advance(OPENS_AT + timedelta(hours=2))
    client.take()
    writes = len(client.writes)
    frames = client.heard()

    assert 0 < writes < 480
    for kind in (("1", "1"), ("1", "2")):
        prices = [frame[4] for frame in frames if (frame[0], frame[3]) == kind]
        assert len(prices) > 1
        assert all(one != other for one, other in pairwise(prices))
    final = opened.floor.quote(call)
    assert [frame[4] for frame in frames if frame[:1] == ["1"] and frame[3] == "1"][-1] == str(final.bid)


def test_a_size_that_moves_alone_is_told_alone() -> None:
    """A new size at an old price is tickSize, not another price."""
    opened = an_open_floor()
    client = seated(opened)
    watch(client, opened, a_call(opened))
    client.writes.clear()

    opened.floor.advance(CLOSES_AT - timedelta(minutes=1))

    sizes = [frame for frame in client.heard() if frame[0] == "2"]
    assert sizes
    assert {"0", "3"} <= {frame[3] for frame in sizes}
    assert {len(frame) for frame in sizes} == {5}


def test_greeks_come_at_a_modest_rate() -> None:
    """In an hour of steps greeks are told at most once a minute of the floor's time."""
    opened = an_open_floor()
    client = seated(opened)
    watch(client, opened, a_call(opened))
    client.writes.clear()

    opened.floor.advance(opened.floor.now() + timedelta(hours=1))

    greeks = [frame for frame in client.heard() if frame[0] == "21" and frame[2] == "13"]
    assert 1 < len(greeks) <= 3600 // GREEKS_EVERY_S


def test_greeks_are_worked_out_once_for_all_clients(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two clients of a contract are told the same figures; a price's volatility is asked for once."""
    opened = an_open_floor()
    asked: list[float] = []
    option_vol = opened.floor.option_vol
    monkeypatch.setattr(
        opened.floor, "option_vol", lambda option, price, level: asked.append(price) or option_vol(option, price, level)
    )
    desk = Desk(opened.floor)
    clients = [a_client(desk, client_id=number) for number in (1, 2)]

    greeks = []
    for client in clients:
        watch(client, opened, a_call(opened))
        greeks.append([frame[2:] for frame in client.heard() if frame[0] == "21"])

    assert greeks[0] == greeks[1]
    assert len(greeks[0]) == 4
    assert len(asked) == 3


def test_each_contract_has_a_second_of_its_own_for_its_greeks() -> None:
    """After those at the beginning they come at the same second of each minute, so that they are spread over it."""
    subscription = Subscription(5, has_sides=True, greeks=GreekTicks(lambda *_: None), greeks_second=3 * 60 + 17)
    opened = an_open_floor()
    quote = opened.floor.quote(a_call(opened))

    told = [
        second
        for second in range(180)
        if any(
            frame[0] == "21"
            for frame in unpacked(
                subscription.frames(replace(quote, at=quote.at.replace(second=0) + timedelta(seconds=second)))
            )
        )
    ]

    assert told == [0, 17, 77, 137]


def test_no_tick_follows_a_cancel() -> None:
    """After cancelMktData nothing of that request is told, while another stream of the contract goes on."""
    opened = an_open_floor()
    client = seated(opened)
    for req_id in (5, 6):
        watch(client, opened, VIX, req_id=req_id)

    assert client.ask(2, 2, 5) == []
    client.writes.clear()
    opened.floor.advance(opened.floor.now() + timedelta(minutes=5))

    assert {frame[2] for frame in client.heard()} == {"6"}


def test_a_snapshot_ends_and_leaves_no_stream() -> None:
    """The present values, then 57, then silence."""
    opened = an_open_floor()
    client = seated(opened)

    frames = watch(client, opened, a_future(opened), snapshot=1)
    client.writes.clear()
    opened.floor.advance(opened.floor.now() + timedelta(minutes=5))

    assert kinds(frames)[:4] == [("58", "5"), ("81", "0.01"), ("1", "1"), ("1", "2")]
    assert kinds(frames)[-1] == ("57", "5")
    assert client.heard() == []


def test_a_regulatory_snapshot_is_one() -> None:
    """It ends like any other, also where it alone is asked for."""
    opened = an_open_floor()
    client = seated(opened)

    frames = watch(client, opened, a_future(opened), regulatory=1)

    assert kinds(frames)[-1] == ("57", "5")
    assert [frame[2:4] for frame in client.ask(2, 2, 5)] == [["5", "300"]]


def test_before_the_open_a_contract_has_no_sides() -> None:
    """Both sides are told as missing: price -1, size 0."""
    opened = a_floor()

    frames = watch(seated(opened), opened, a_call(opened))

    assert [frame[3:6] for frame in frames[2:4]] == [["1", "-1", "0"], ["2", "-1", "0"]]


@pytest.mark.parametrize(
    ("message", "answer"),
    [
        ((2, 2, 99), ["99", "300"]),
        ((25, 1, 99), ["99", "366"]),
        ((1, 11, 98, *bag(), 0, 0, "", 0, 0, ""), ["98", "321"]),
        ((1, 11, 98, 0, "VIX", "FUT", "", "", "", "", "CFE", "", "USD", "", "VXM", 0, "", 0, 0, ""), ["98", "200"]),
    ],
)
def test_requests_for_prices_that_fail_say_so(message: tuple[object, ...], answer: list[str]) -> None:
    """An unknown stream, a combo and an ambiguous contract each end with their own error."""
    assert [frame[2:4] for frame in seated(a_floor()).ask(*message)] == [answer]


def test_a_second_stream_under_one_id_is_refused() -> None:
    """The first stream goes on."""
    opened = an_open_floor()
    client = seated(opened)
    watch(client, opened, VIX)

    assert watch(client, opened, RVX)[0][2:4] == ["5", "322"]


def test_a_client_that_leaves_is_no_watcher_any_more() -> None:
    """Its streams end with it: the floor does not price for nobody."""
    opened = an_open_floor()
    client = seated(opened)
    watch(client, opened, a_call(opened))

    client.session.close("gone")

    assert opened.floor.watched == frozenset()


# Generic ticks, combos, data types


def asked(opened: OpenedFloor, instrument: Instrument, generic: str) -> dict[tuple[str, str], list[str]]:
    """Return the ticks of a request with generic ticks, by message and tick type."""
    frames = seated(opened).ask(1, 11, 5, *contract(opened, instrument), 0, generic, 0, 0, "")
    return {(frame[0], frame[3]): frame for frame in frames if frame[0] in {"1", "2", "45", "46"}}


def test_generic_ticks_are_told_only_when_they_were_asked_for() -> None:
    """An option's open interest and volume stand on its own side, nothing on the other; the year's range is there."""
    opened = an_open_floor()
    quote = opened.floor.quote(a_call(opened))

    plain, generic = asked(opened, a_call(opened), ""), asked(opened, a_call(opened), "mdoff,100,101,165,221,233,375")

    extra = {("2", kind) for kind in ("27", "28", "29", "30", "21")} | {("46", "48"), ("46", "77"), ("1", "37")}
    extra |= {("1", str(kind)) for kind in range(15, 21)}
    assert set(generic) - set(plain) == extra
    assert [generic["2", kind][4] for kind in ("27", "28", "29", "30")] == [
        *(str(quote.open_interest), "0", str(quote.volume), "0")
    ]
    assert float(generic["1", "19"][4]) <= float(generic["1", "17"][4]) <= float(generic["1", "15"][4])
    assert generic["46", "48"][4].split(";")[0] == repr(quote.last)


def test_a_put_tells_its_interest_on_the_other_side_and_a_future_its_own() -> None:
    """27 is the calls', 28 the puts', 86 the futures'."""
    opened = an_open_floor()
    put = opened.universe.option("VIX", NOVEMBER, Decimal(20), Right.PUT)
    future = a_future(opened)

    put_ticks, future_ticks = asked(opened, put, "101"), asked(opened, future, "588")

    assert (put_ticks["2", "27"][4], put_ticks["2", "28"][4]) == ("0", str(opened.floor.quote(put).open_interest))
    assert future_ticks["2", "86"][4] == str(opened.floor.quote(future).open_interest)


def test_a_halt_is_told_when_it_begins_and_when_it_ends() -> None:
    """Tick 49 is 1 while nothing trades and 0 afterwards; before the first halt it is silent."""
    quote = an_open_floor().floor.quote(VIX)
    subscription = Subscription(5, has_sides=False)

    told = [
        [frame for frame in unpacked(subscription.frames(replace(quote, is_halted=halted))) if frame[0] == "45"]
        for halted in (False, True, True, False)
    ]

    assert told == [[], [["45", "6", "5", "49", "1.0"]], [], [["45", "6", "5", "49", "0.0"]]]


def test_breadth_is_told_as_sides_of_an_index() -> None:
    """Advances are the bid with the unchanged as its size, declines the ask without any; there is no last."""
    opened = an_open_floor()
    quote = opened.floor.quote(AD_NYSE)

    prices = {frame[3]: frame[4:6] for frame in watch(seated(opened), opened, AD_NYSE) if frame[0] == "1"}

    assert prices["1"] == [str(quote.bid), str(quote.bid_size)]
    assert prices["2"] == [str(quote.ask), "0"]
    assert "4" not in prices


def test_a_combo_is_told_by_the_sides_of_its_legs() -> None:
    """The ask is what a buyer pays for all legs, and it moves when one leg moves; the cancel ends all of it."""
    opened = an_open_floor()
    client = seated(opened)
    calls = [a_call(opened, strike) for strike in (20, 25)]
    numbers = [opened.floor.listing(call).con_id for call in calls]
    legs = [2, numbers[0], 1, "BUY", "SMART", numbers[1], 2, "SELL", "SMART"]

    frames = client.ask(1, 11, 5, *bag(), *legs, 0, "", 0, 0, "")
    low, high = (opened.floor.quote(call) for call in calls)
    client.writes.clear()
    opened.floor.advance(opened.floor.now() + timedelta(minutes=5))
    moved = client.heard()
    client.ask(2, 2, 5)
    opened.floor.advance(opened.floor.now() + timedelta(minutes=5))

    assert None not in (low.bid, low.ask, high.bid, high.ask)
    prices = [frame[4] for frame in frames if frame[0] == "1"]
    assert prices == [str(low.bid - 2 * high.ask), str(low.ask - 2 * high.bid)]
    assert {frame[2] for frame in moved if frame[0] == "1"} == {"5"}
    assert client.heard() == []
    assert opened.floor.watched == frozenset()


@pytest.mark.parametrize(
    ("wanted", "in_session", "closed"), [(1, "1", "1"), (2, "1", "2"), (3, "1", "1"), (4, "1", "2")]
)
def test_the_type_of_the_data_is_told(wanted: int, in_session: str, closed: str) -> None:
    """Delayed data is live for who has the live data; frozen is told while nothing trades."""
    for opened, kind in ((an_open_floor(), in_session), (a_floor(), closed)):
        client = seated(opened)
        assert client.ask(59, 1, wanted) == []
        assert watch(client, opened, a_future(opened))[0] == ["58", "1", "5", kind]


def test_an_unknown_type_of_data_is_refused() -> None:
    """There are four."""
    assert seated(a_floor()).ask(59, 1, 5)[0][2:4] == ["-1", "321"]


@given(
    st.lists(st.tuples(st.integers(1, 400), st.integers(1, 400), st.integers(0, 50), st.integers(0, 50)), min_size=1)
)
def test_what_was_told_is_what_stands(quotes: list[tuple[int, int, int, int]]) -> None:
    """After any sequence of quotes the last value told of each side and size is the present one."""
    subscription, seen = Subscription(5, has_sides=True), {}
    for bid, ask, bid_size, ask_size in quotes:
        quote = replace(_FUTURE_QUOTE, bid=Decimal(bid), ask=Decimal(ask), bid_size=bid_size, ask_size=ask_size)
        for frame in unpacked(subscription.frames(quote)):
            if frame[0] == "1":
                seen[frame[3]] = frame[4]
                seen[{"1": "0", "2": "3", "4": "5"}.get(frame[3], "")] = frame[5]
            elif frame[0] == "2":
                seen[frame[3]] = frame[4]
        assert [seen[kind] for kind in ("1", "2", "0", "3")] == [str(each) for each in (bid, ask, bid_size, ask_size)]


PRICES = st.none() | st.decimals(Decimal("0.01"), 10_000, places=2)
LEVELS = st.none() | st.floats(0.01, 10_000)
SIZES = st.integers(0, 10**9)


@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "bid": PRICES,
                "ask": PRICES,
                "last": LEVELS,
                "open": LEVELS,
                "high": LEVELS,
                "low": LEVELS,
                "close": LEVELS,
                "historical_vol": LEVELS,
                "implied_vol": LEVELS,
                "is_halted": st.booleans(),
                "bid_size": SIZES,
                "ask_size": SIZES,
                "last_size": SIZES,
                "volume": SIZES,
                "open_interest": SIZES,
            }
        ),
        min_size=1,
        max_size=4,
    ),
    st.booleans(),
    st.sampled_from([157, 176]),
)
def test_prepared_pieces_are_the_messages_that_are_written_down(
    quotes: list[dict[str, Any]],
    is_option: bool,  # noqa: FBT001 - drawn
    version: int,
) -> None:
    """Every frame of a stream is read by the one description of its message, and as it would write it."""
    subscription = Subscription(
        5,
        has_sides=True,
        generic=frozenset({"100", "101", "104", "106", "221", "233", "375", "588"}),
        greeks=_OPENED_DESK.greeks if is_option else None,
    )
    for drawn in quotes:
        for frame in unpacked(subscription.frames(replace(_CALL_QUOTE if is_option else _FUTURE_QUOTE, **drawn))):
            cursor = Cursor(frame, 1)
            message = decode(ANSWERS[int(frame[0])], cursor, version)
            assert cursor.left == 0
            assert [_plain(text) for text in texts_of(message, version)] == [_plain(text) for text in frame]


def _plain(text: str) -> object:
    """Return a number by its value, for 1.60 and 1.6 are the same."""
    try:
        return float(text)
    except ValueError:
        return text


_OPENED = an_open_floor()
_OPENED_DESK = Desk(_OPENED.floor)
_CALL_QUOTE = _OPENED.floor.quote(a_call(_OPENED))
_FUTURE_QUOTE = _OPENED.floor.quote(a_future(_OPENED))
