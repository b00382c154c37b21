"""Contracts, prices, bars and the account as raw frames: exact field counts, what changes, what ends."""

from datetime import timedelta
from itertools import pairwise

import pytest
from floors import CLOSES_AT, OPENS_AT, a_call, a_floor, a_future, an_open_floor
from pretend_client import PretendClient, a_client, bag, contract, place_order

from bot.domain.instrument import RVX, VIX, Instrument
from simulator.opening import OpenedFloor
from simulator.tws.desk import Desk
from simulator.tws.ticks import GREEKS_EVERY_S

Frames = list[list[str]]


def seated(opened: OpenedFloor) -> PretendClient:
    """Return a connected client of a floor."""
    return a_client(Desk(opened.floor))


def look_up(opened: OpenedFloor, *contract_fields: object) -> Frames:
    """Ask for contract details under id 7."""
    return seated(opened).ask(9, 8, 7, *contract_fields, 0, "", "", "")


def watch(
    client: PretendClient, opened: OpenedFloor, instrument: Instrument, *, req_id: int = 5, snapshot: int = 0
) -> Frames:
    """Ask for market data."""
    return client.ask(1, 11, req_id, *contract(opened, instrument), 0, "", snapshot, 0, "")


def kinds(frames: Frames) -> list[tuple[str, str]]:
    """Return message number and tick type of tick frames."""
    return [(frame[0], frame[3] if frame[0] in {"1", "2"} else frame[2]) for frame in frames]


# Contracts


def test_contract_details_have_their_exact_length() -> None:
    """40 fields without security ids, then the end."""
    opened = a_floor()

    frames = look_up(opened, *contract(opened, a_future(opened)))

    assert [(frame[0], len(frame)) for frame in frames] == [("10", 40), ("52", 3)]
    row = frames[0]
    assert row[2:5] == ["VIX", "FUT", "20261118 08:00 US/Central"]
    assert (row[11], row[13], row[14]) == ("VXM", "0.01", "100")
    assert (row[17], row[31]) == ("1", "1")  # priceMagnifier and aggGroup are whole numbers


@pytest.mark.parametrize(
    ("fields", "count"),
    [
        ((0, "VIX", "FUT", "", "", "", "", "CFE", "", "", "", "VXM"), 10),
        ((0, "VIX", "OPT", "20261117", "20.0", "C", "100", "SMART", "", "USD", "", "VIX"), 1),
        ((0, "VIX", "OPT", "20261117", "20.0", "", "100", "SMART", "", "USD", "", "VIX"), 2),
        ((0, "", "OPT", "", "", "?", "", "", "", "", "VIX   261118C00020000", ""), 1),
        ((0, "VIX", "IND", "", "0.0", "0", "", "CBOE", "", "USD", "", ""), 1),
    ],
)
def test_contracts_are_found_by_what_is_stated(fields: tuple[object, ...], count: int) -> None:
    """Symbol, date, strike, right, class and local symbol narrow the answer; an empty field means any."""
    frames = look_up(a_floor(), *fields)

    assert [frame[0] for frame in frames] == ["10"] * count + ["52"]


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ((0, "VIX", "OPT", "20261117", "20.25", "C", "", "", "", "", "", ""), "200"),
        ((0, "", "", "", "", "", "", "", "", "", "", ""), "200"),
        ((99, "", "", "", "", "", "", "", "", "", "", ""), "200"),
        (tuple(bag()), "321"),
    ],
)
def test_a_look_up_without_an_answer_is_an_error(fields: tuple[object, ...], code: str) -> None:
    """An unknown strike, nothing stated and an unknown number are 200; a combo has no details."""
    assert [frame[2:4] for frame in look_up(a_floor(), *fields)] == [["7", code]]


def test_an_option_chain_has_one_row_per_exchange_and_class() -> None:
    """VIX options are told for SMART and CBOE, counts before dates and strikes, then the end."""
    client = seated(a_floor())

    frames = client.ask(78, 9, "VIX", "", "IND", 13455763)

    assert [frame[:3] for frame in frames[:-1]] == [["75", "9", "SMART"], ["75", "9", "CBOE"]]
    row = frames[0]
    dates = int(row[6])
    assert len(row) == 8 + dates + int(row[7 + dates])
    assert frames[-1] == ["76", "9"]


def test_a_market_rule_tells_its_increments() -> None:
    """VIX options move by 0.01 below 3 points and by 0.05 from there on; an unknown rule is an error."""
    client = seated(a_floor())

    assert client.ask(91, 501) == [["93", "501", "2", "0.0", "0.01", "3.0", "0.05"]]
    assert client.ask(91, 9)[0][3] == "321"


# Prices


def test_an_index_is_told_by_level_and_close() -> None:
    """58 and 81, then last and close without sizes; no bid, no ask, no greeks."""
    opened = an_open_floor()

    frames = watch(seated(opened), opened, VIX)

    assert kinds(frames) == [("58", "5"), ("81", "0.01"), ("1", "4"), ("1", "9")]
    assert [len(frame) for frame in frames] == [4, 5, 7, 7]
    assert frames[3][4:] == ["17.0", "0", "0"]


def test_an_option_is_told_by_both_sides_and_the_model() -> None:
    """Bid and ask carry their sizes; greeks have twelve fields."""
    opened = an_open_floor()
    call = a_call(opened)
    quote = opened.floor.quote(call)

    frames = watch(seated(opened), opened, call)

    assert kinds(frames[2:]) == [("1", "1"), ("1", "2"), ("21", "13")]
    assert frames[2][4:6] == [str(quote.bid), str(quote.bid_size)]
    assert len(frames[4]) == 12
    assert float(frames[4][4]) == quote.model_iv


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
    assert {(frame[3], len(frame)) for frame in sizes} <= {("0", 5), ("3", 5)}


def test_greeks_come_at_a_modest_rate() -> None:
    """In an hour of steps greeks are told at most once a minute of the floor's time."""
    opened = an_open_floor()
    client = seated(opened)
    watch(client, opened, a_call(opened))
    client.writes.clear()

    opened.floor.advance(opened.floor.now() + timedelta(hours=1))

    greeks = [frame for frame in client.heard() if frame[0] == "21"]
    assert 1 < len(greeks) <= 3600 // GREEKS_EVERY_S


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

    assert kinds(frames) == [("58", "5"), ("81", "0.01"), ("1", "1"), ("1", "2"), ("57", "5")]
    assert client.heard() == []


def test_before_the_open_a_contract_has_no_sides() -> None:
    """Both sides are told as missing: price -1, size 0."""
    opened = a_floor()

    frames = watch(seated(opened), opened, a_call(opened))

    assert [frame[4:6] for frame in frames[2:]] == [["-1", "0"], ["-1", "0"]]


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


# Bars


def bars(
    client: PretendClient,
    opened: OpenedFloor,
    *,
    end: str = "",
    duration: str = "5 D",
    size: str = "1 day",
    what: str = "TRADES",
    instrument: Instrument = RVX,
) -> Frames:
    """Ask for bars under id 6."""
    return client.ask(20, 6, *contract(opened, instrument), 0, end, size, duration, 1, what, 1, 0, "")


def test_daily_bars_are_told_in_one_message() -> None:
    """Eight fields for each finished session, oldest first, the count before them."""
    opened = an_open_floor()

    [frame] = bars(seated(opened), opened)

    assert frame[:2] == ["17", "6"]
    assert int(frame[4]) == 5
    assert len(frame) == 5 + 5 * 8
    assert frame[5::8] == ["20261012", "20261013", "20261014", "20261015", "20261016"]


@pytest.mark.parametrize(
    ("end", "last"),
    [
        ("", "20261016"),
        ("20261015 23:59:59", "20261015"),
        ("20261014-21:00:00", "20261014"),
        ("20261014 12:00:00 US/Eastern", "20261013"),
    ],
)
def test_bars_end_with_the_last_session_that_is_over(end: str, last: str) -> None:
    """The end may be empty, in New York time, with a zone or in UTC."""
    opened = an_open_floor()

    [frame] = bars(seated(opened), opened, end=end)

    assert frame[-8] == last


@pytest.mark.parametrize(("duration", "count"), [("1 D", 1), ("2 W", 10), ("3600 S", 1), ("1 Y", 252), ("300 D", 300)])
def test_a_duration_is_counted_in_sessions(duration: str, count: int) -> None:
    """A week is five sessions, a year 252."""
    opened = an_open_floor()

    [frame] = bars(seated(opened), opened, duration=duration)

    assert int(frame[4]) == count


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"size": "1 min"}, "321"),
        ({"duration": "many D"}, "321"),
        ({"duration": "5 X"}, "321"),
        ({"end": "yesterday"}, "321"),
        ({"end": "20261014 12:00:00 Mars/Base"}, "321"),
        ({"what": "OPTION_IMPLIED_VOLATILITY"}, "321"),
    ],
)
def test_bars_that_are_not_kept_are_refused(change: dict[str, str], code: str) -> None:
    """Other sizes, durations, ends and kinds are answered, never ignored."""
    opened = an_open_floor()

    assert bars(seated(opened), opened, **change)[0][2:4] == ["6", code]


def test_a_contract_without_history_is_error_162() -> None:
    """No data is an error, not an empty message."""
    opened = an_open_floor()

    assert bars(seated(opened), opened, instrument=a_future(opened))[0][2:4] == ["6", "162"]


# The account


def test_account_updates_end_with_the_account() -> None:
    """Values, holdings of twenty fields, the time, then the end; AccountReady is among the values."""
    opened = an_open_floor()

    frames = seated(opened).ask(6, 2, 1, "DU1234567")

    numbers = [frame[0] for frame in frames]
    assert numbers == sorted(numbers, key=["6", "7", "8", "54"].index)
    assert {len(frame) for frame in frames if frame[0] == "7"} == {20}
    values = {(frame[2], frame[4]): frame[3] for frame in frames if frame[0] == "6"}
    assert values["AccountReady", ""] == "true"
    state = opened.floor.account_state()
    assert float(values["NetLiquidation", "USD"]) == float(state.net_liquidation_usd)
    assert float(values["FullInitMarginReq", "USD"]) == float(state.init_margin_usd)


def test_holdings_add_up_to_what_the_account_is_worth() -> None:
    """Cash plus the worth of all options told is net liquidation, to the cent."""
    opened = an_open_floor()

    frames = seated(opened).ask(6, 2, 1, "")

    worth = sum(float(frame[15]) for frame in frames if frame[0] == "7")
    values = {(frame[2], frame[4]): frame[3] for frame in frames if frame[0] == "6"}
    assert float(values["TotalCashValue", "USD"]) + worth == pytest.approx(
        float(values["NetLiquidation", "USD"]), abs=0.02
    )


def test_later_updates_tell_only_what_moved() -> None:
    """After a fill the account is told again, without the values that stayed."""
    opened = an_open_floor()
    client = seated(opened)
    client.ask(6, 2, 1, "")

    frames = client.ask(*place_order(1, contract(opened, a_future(opened)), limit="30.0"))

    keys = [frame[2] for frame in frames if frame[0] == "6"]
    assert "TotalCashValue" in keys
    assert "AccountCode" not in keys
    assert frames[-1][0] == "54"


def test_updates_stop_when_they_are_switched_off() -> None:
    """A fill tells no values any more."""
    opened = an_open_floor()
    client = seated(opened)
    client.ask(6, 2, 1, "")
    client.ask(6, 2, 0, "")

    frames = client.ask(*place_order(1, contract(opened, a_future(opened)), limit="30.0"))

    assert not {frame[0] for frame in frames} & {"6", "7", "8", "54"}


def test_the_updates_of_many_accounts_carry_their_request() -> None:
    """73 rows of eight fields, then 74; after the cancel nothing follows."""
    opened = an_open_floor()
    client = seated(opened)

    frames = client.ask(76, 1, 31, "DU1234567", "", 0)
    client.ask(77, 1, 31)

    assert {(frame[0], len(frame)) for frame in frames} == {("73", 8), ("74", 3)}
    assert frames[-1] == ["74", "1", "31"]
    later = client.ask(*place_order(1, contract(opened, a_future(opened)), limit="30.0"))
    assert "73" not in {frame[0] for frame in later}


def test_a_summary_tells_the_chosen_values() -> None:
    """Only the tags asked for, seven fields each, then 64; changes follow until cancelled."""
    opened = an_open_floor()
    client = seated(opened)

    frames = client.ask(62, 1, 33, "All", "NetLiquidation,BuyingPower")

    assert [(frame[4], len(frame)) for frame in frames[:-1]] == [("NetLiquidation", 7), ("BuyingPower", 7)]
    assert frames[-1] == ["64", "1", "33"]
    later = client.ask(*place_order(1, contract(opened, a_future(opened)), limit="30.0"))
    assert {frame[4] for frame in later if frame[0] == "63"} <= {"NetLiquidation", "BuyingPower"}


def test_positions_are_told_until_cancelled() -> None:
    """Sixteen fields with an empty exchange; after the cancel a fill tells none."""
    opened = an_open_floor()
    client = seated(opened)

    frames = client.ask(61, 1)
    client.ask(64, 1)

    assert len(frames) == len(opened.floor.positions()) + 1
    assert {(len(frame), frame[10]) for frame in frames[:-1]} == {(16, "")}
    later = client.ask(*place_order(1, contract(opened, a_future(opened)), limit="30.0"))
    assert "61" not in {frame[0] for frame in later}


@pytest.mark.parametrize(("message", "req_id"), [((6, 2, 1, "DU999"), "-1"), ((76, 1, 31, "DU999", "", 0), "31")])
def test_an_account_that_is_not_here_is_refused(message: tuple[object, ...], req_id: str) -> None:
    """Nothing is told of another account, now or after a fill."""
    opened = an_open_floor()
    client = seated(opened)

    assert [frame[2:4] for frame in client.ask(*message)] == [[req_id, "321"]]
    later = client.ask(*place_order(1, contract(opened, a_future(opened)), limit="30.0"))
    assert not {frame[0] for frame in later} & {"6", "73"}
