"""Bars, schedules and past ticks as raw frames: dates in every form, updates, and what is refused."""

from datetime import UTC, datetime, timedelta

import pytest
from floors import OPENS_AT, a_call, a_future, an_open_floor
from pretend_client import PretendClient, a_client, bag, contract

from bot.domain.instrument import RVX, VIX, Instrument
from simulator.opening import OpenedFloor
from simulator.tws.desk import Desk
from simulator.tws.moments import moment_of
from simulator.tws.spans import BAR_SIZES, KINDS

Frames = list[list[str]]


def seated(opened: OpenedFloor, version: int = 178) -> PretendClient:
    """Return a connected client of a floor."""
    return a_client(Desk(opened.floor), version=version)


def bars(  # noqa: PLR0913 - a request for bars has many parts, and each test states those that matter
    client: PretendClient,
    opened: OpenedFloor,
    *,
    end: str = "",
    duration: str = "5 D",
    size: str = "1 day",
    what: str = "TRADES",
    instrument: Instrument = RVX,
    form: int = 1,
    update: int = 0,
    regular: int = 1,
) -> Frames:
    """Ask for bars under id 6."""
    return client.ask(20, 6, *contract(opened, instrument), 0, end, size, duration, regular, what, form, update, "")


def dates(frame: list[str]) -> list[str]:
    """Return the dates of message 17."""
    return frame[5::8]


def test_daily_bars_are_told_in_one_message() -> None:
    """Eight fields for each session, oldest first, the count before them, today's unfinished bar last."""
    opened = an_open_floor()

    [frame] = bars(seated(opened), opened)

    assert frame[:2] == ["17", "6"]
    assert len(frame) == 5 + int(frame[4]) * 8
    assert dates(frame) == ["20261013", "20261014", "20261015", "20261016", "20261019"]
    assert set(frame[10::8]) == {"0"}  # an index has no volume


@pytest.mark.parametrize(
    ("end", "last"),
    [
        ("", "20261019"),
        ("20261015 23:59:59", "20261015"),
        ("20261014-21:00:00", "20261014"),
        ("20261014 16:30:00 US/Eastern", "20261014"),
    ],
)
def test_bars_end_where_they_were_asked_to_end(end: str, last: str) -> None:
    """The end may be empty, in New York time, with a zone or in UTC."""
    opened = an_open_floor()

    [frame] = bars(seated(opened), opened, end=end)

    assert frame[-8] == last


@pytest.mark.parametrize("size", sorted(BAR_SIZES))
def test_every_bar_size_of_the_broker_is_served(size: str) -> None:
    """Each width has bars, in order, and none stands twice."""
    opened = an_open_floor()
    duration = "1800 S" if "sec" in size else "1 D" if BAR_SIZES[size].unit == "S" else "3 M"

    [frame] = bars(seated(opened), opened, size=size, duration=duration, instrument=a_future(opened))

    assert int(frame[4]) > 0
    assert dates(frame) == sorted(set(dates(frame)))


@pytest.mark.parametrize("what", sorted(set(KINDS) - {"HISTORICAL_VOLATILITY", "OPTION_IMPLIED_VOLATILITY"}))
def test_every_kind_of_price_is_served(what: str) -> None:
    """Trades carry volume; bids and asks carry none."""
    opened = an_open_floor()

    [frame] = bars(seated(opened), opened, what=what, size="1 hour", duration="2 D", instrument=a_future(opened))

    has_volume = any(volume != "0" for volume in frame[10::8])
    assert has_volume == (what in {"TRADES", "ADJUSTED_LAST"})


def test_an_intraday_bar_carries_its_moment_in_the_form_that_was_asked_for() -> None:
    """Form 1 is the contract's local time with its zone, form 2 seconds; both name the same moment."""
    opened = an_open_floor()
    client = seated(opened)

    [local] = bars(client, opened, size="1 min", duration="600 S")
    [seconds] = bars(client, opened, size="1 min", duration="600 S", form=2)

    moments = [moment_of(text) for text in dates(local)]
    assert [datetime.fromtimestamp(int(text), UTC) for text in dates(seconds)] == moments
    assert dates(local)[0].endswith("US/Eastern")
    assert len(dates(local)[0].split(" ")) == 3


def test_a_combo_has_the_bars_of_its_legs() -> None:
    """Open and close are the sums of the legs' own, bought less sold."""
    opened = an_open_floor()
    client = seated(opened)
    calls = [a_call(opened, strike) for strike in (20, 25)]
    numbers = [opened.floor.listing(call).con_id for call in calls]
    legs = [2, numbers[0], 1, "BUY", "SMART", numbers[1], 1, "SELL", "SMART"]

    [combo] = client.ask(20, 7, *bag(), 0, "", "1 hour", "1 D", 1, "MIDPOINT", 1, *legs, 0, "")

    low, high = (
        bars(client, opened, size="1 hour", duration="1 D", what="MIDPOINT", instrument=call)[0] for call in calls
    )
    assert dates(combo) == dates(low)
    assert float(combo[9]) == pytest.approx(float(low[9]) - float(high[9]))


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"size": "7 mins"}, "321"),
        ({"duration": "many D"}, "321"),
        ({"duration": "5 X"}, "321"),
        ({"duration": "0 D"}, "321"),
        ({"duration": "99 Y"}, "321"),
        ({"duration": "20 Y", "size": "1 secs"}, "321"),
        ({"end": "yesterday"}, "321"),
        ({"end": "20261014 12:00:00 Mars/Base"}, "321"),
        ({"what": "GOSSIP"}, "321"),
        ({"update": 1, "end": "20261014 12:00:00"}, "321"),
        ({"end": "19990104 12:00:00"}, "162"),
    ],
)
def test_bars_that_cannot_be_are_refused(change: dict[str, object], code: str) -> None:
    """Wrong sizes, durations, ends and kinds are 321; no data is 162, not an empty message."""
    opened = an_open_floor()

    assert bars(seated(opened), opened, **change)[0][2:4] == ["6", code]


def test_bars_that_keep_up_to_date_follow_every_step() -> None:
    """The last bar is told again as it moves, new ones begin in order, and the cancel ends it."""
    opened = an_open_floor()
    client = seated(opened)
    [frame] = bars(client, opened, size="1 min", duration="600 S", update=1)
    client.writes.clear()

    opened.floor.advance(opened.floor.now() + timedelta(minutes=5))
    updates = client.heard()

    assert {(each[0], each[1], len(each)) for each in updates} == {("90", "6", 10)}
    moments = [each[3] for each in updates]
    assert moments == sorted(moments)
    assert moments[0] >= dates(frame)[-1]
    assert len(set(moments)) >= 5
    quote = opened.floor.quote(RVX)
    assert float(updates[-1][5]) == quote.last  # close stands before high and low
    assert float(updates[-1][7]) <= float(updates[-1][5]) <= float(updates[-1][6])
    assert client.ask(25, 1, 6) == []
    opened.floor.advance(opened.floor.now() + timedelta(minutes=5))
    assert client.heard() == []


def test_a_cancel_of_bars_that_are_told_finds_nothing() -> None:
    """One answer was all there was."""
    assert seated(an_open_floor()).ask(25, 1, 99)[0][2:4] == ["99", "366"]


def test_a_schedule_lists_sessions() -> None:
    """Three fields for each session, in the contract's zone; below version 165 the request is refused."""
    opened = an_open_floor()

    [frame] = bars(seated(opened), opened, duration="4 D", what="SCHEDULE")

    assert frame[0] == "106"
    assert frame[4] == "US/Eastern"
    assert len(frame) == 6 + 3 * int(frame[5])
    assert "20261019-09:30:00" in frame
    assert bars(seated(opened, version=157), opened, duration="4 D", what="SCHEDULE")[0][3] == "321"


def test_the_oldest_bar_is_told_in_both_forms() -> None:
    """UTC with a dash, or seconds; both name the same moment; an unknown kind is refused."""
    opened = an_open_floor()
    client = seated(opened)

    answers = [client.ask(87, 4, *contract(opened, VIX), 0, 1, "TRADES", form)[0] for form in (1, 2)]

    assert [answer[:2] for answer in answers] == [["88", "4"]] * 2
    assert moment_of(answers[0][2]) == datetime.fromtimestamp(int(answers[1][2]), UTC)
    assert client.ask(87, 4, *contract(opened, VIX), 0, 1, "GOSSIP", 1)[0][2:4] == ["4", "321"]
    assert client.ask(90, 4) == []


@pytest.mark.parametrize(
    ("what", "message", "width"), [("TRADES", "98", 6), ("BID_ASK", "97", 6), ("MIDPOINT", "96", 4)]
)
def test_past_ticks_come_in_one_message(what: str, message: str, width: int) -> None:
    """The count before the ticks, the end flag behind them, times ascending and not above the end."""
    opened = an_open_floor()
    end = OPENS_AT + timedelta(minutes=9)

    [frame] = seated(opened).ask(
        96, 4, *contract(opened, a_call(opened)), 0, "", f"{end:%Y%m%d-%H:%M:%S}", 20, what, 1, 0, ""
    )

    count = int(frame[2])
    assert frame[0] == message
    assert 0 < count <= 20
    assert len(frame) == 3 + count * width + 1
    assert frame[-1] == "1"
    times = [int(text) for text in frame[3:-1:width]]
    assert times == sorted(times)
    assert times[-1] <= int(end.timestamp())


@pytest.mark.parametrize(
    ("start", "end", "what"),
    [
        ("", "", "TRADES"),
        ("20261019 09:30:00", "20261019 09:35:00", "TRADES"),
        ("soon", "", "TRADES"),
        ("20261019 09:30:00", "", "ASK"),
    ],
)
def test_past_ticks_need_one_end_and_a_kind(start: str, end: str, what: str) -> None:
    """Neither or both ends, no moment, or another kind: refused by the request's id."""
    opened = an_open_floor()

    frames = seated(opened).ask(96, 4, *contract(opened, VIX), 0, start, end, 20, what, 1, 0, "")

    assert [frame[2:4] for frame in frames] == [["4", "321"]]
