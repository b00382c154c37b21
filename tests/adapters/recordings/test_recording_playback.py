"""A recorded floor played back: the same ticks, the same recording, and what is not recorded."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from recording_scenes import (
    CALENDAR,
    DAY,
    FLAT,
    OPENS_AT,
    Looker,
    a_played_floor,
    an_opened_floor,
    head_of,
    recorded,
    rows_of,
)

from adapters.recordings.reader import Recording, open_recording
from adapters.recordings.writer import begin_recording
from bot.domain.errors import InvalidValueError
from bot.domain.instrument import RUT, RVX, SPX, VIX, Right, Side
from bot.domain.recording import Door, RecordedQuote, RecordingHead, Told
from simulator.listing import ContractQuery
from simulator.opening import OpenedFloor
from simulator.venue import Executed, OrderType, VenueLeg, VenueOrder, VenueQuote


def contents(recording: Recording) -> tuple[object, ...]:
    """Return all that a recording holds, comparable (NaN included)."""
    return recording.head, repr(recording.moments), recording.days, rows_of(recording)


def looked_at(opened: OpenedFloor, folder: Path) -> Looker:
    """Record a floor while somebody looks at it in the usual way."""
    with recorded(opened, folder) as shown:
        looker = Looker(opened, shown)
        looker.look()
    return looker


@pytest.mark.parametrize(
    ("scenario", "night_step_s"),
    [("calm", 60), ("halt", None), ("vix_without_rvx", 300), ("early_close", None)],
)
def test_a_playback_tells_the_same_ticks_and_makes_the_same_recording(
    tmp_path: Path, scenario: str, night_step_s: int | None
) -> None:
    """Every streamed and every asked quote is equal, in order, over two sessions and a night; so is its recording."""
    opened = an_opened_floor(scenario, night_step_s=night_step_s)
    first = looked_at(opened, tmp_path / "first")

    played = a_played_floor(tmp_path / "first")
    second = looked_at(played, tmp_path / "second")

    assert len(first.told) > 2_000
    assert second.told == first.told
    assert second.asked == first.asked
    assert contents(open_recording(tmp_path / "second")) == contents(open_recording(tmp_path / "first"))
    assert played.floor.account_state() == opened.floor.account_state()


def test_a_recording_ended_in_mid_session_closes_with_it(tmp_path: Path) -> None:
    """The last levels stand until the close, and the day has its bar like any other."""
    opened = an_opened_floor(sessions=1)
    with recorded(opened, tmp_path):
        opened.floor.advance(OPENS_AT + timedelta(hours=2))

    played = a_played_floor(tmp_path)
    played.floor.advance(OPENS_AT + timedelta(hours=2))
    level = played.floor.quote(SPX).last
    played.floor.advance(OPENS_AT + timedelta(hours=8))

    assert (played.floor.is_open, played.floor.next_step_at()) == (False, None)
    assert played.floor.quote(SPX).last == level


def test_what_was_not_recorded_is_modelled_from_the_recorded_levels(tmp_path: Path) -> None:
    """At a moment at which nobody looked, a contract has the quote that it would have had."""
    opened = an_opened_floor(sessions=1)
    with recorded(opened, tmp_path):
        opened.floor.advance(OPENS_AT + timedelta(hours=1))
    option = opened.universe.option("VIX", opened.universe.vix_settlements[1], Decimal(25), Right.CALL)

    played = a_played_floor(tmp_path)
    played.floor.advance(OPENS_AT + timedelta(hours=1))

    assert played.floor.quote(option) == opened.floor.quote(option)


# Recordings at the bot's port


def a_port_recording(folder: Path, *, indices: tuple[str, ...] = ("SPX", "RUT", "VIX", "RVX")) -> RecordedQuote:
    """Write ten seconds of some indices and of one VXM, told twice; return its second quote."""
    levels = {"SPX": 6800.0, "RUT": 2500.0, "VIX": 17.0, "RVX": 22.5}
    known = {name: levels[name] for name in indices}
    began_at = OPENS_AT + timedelta(hours=1)
    tape = begin_recording(folder, RecordingHead(began_at=began_at, door=Door.PORT))
    future = next(each for each in an_opened_floor(sessions=1).universe.futures if each.trading_class == "VXM")
    row = RecordedQuote(moment=3, told=Told.STREAMED, key=future.key, at=began_at + timedelta(seconds=3))
    for number in range(10):
        at = began_at + timedelta(seconds=number)
        for name, level in known.items():
            tape.quote(replace(row, moment=number, key=f"IND:{name}", at=at, last=level + number / 10))  # type: ignore[arg-type]
        if number in {3, 6}:
            row = replace(row, moment=number, at=at, bid=19.0 + number / 10, ask=19.05 + number / 10)
            row = replace(row, bid_size=11, ask_size=12)
            tape.quote(row)
        tape.moment(at, {name: level + number / 10 for name, level in known.items()})
    tape.close()
    return row


def the_future(opened: OpenedFloor) -> VenueQuote:
    """Return the present quote of the recorded future."""
    future = next(each for each in opened.universe.futures if each.trading_class == "VXM")
    return opened.floor.quote(future)


def test_a_contract_of_the_port_has_no_sides_before_it_was_told(tmp_path: Path) -> None:
    """A model's price in the place of a real one would jump; what is not known has no sides, and then holds."""
    row = a_port_recording(tmp_path)
    opened = a_played_floor(tmp_path)
    began_at = OPENS_AT + timedelta(hours=1)

    found = []
    for seconds in (2, 3, 5, 6, 9):
        opened.floor.advance(began_at + timedelta(seconds=seconds))
        found.append(the_future(opened).bid)

    assert found == [None, Decimal("19.30"), Decimal("19.30"), Decimal("19.60"), Decimal("19.60")]
    assert (the_future(opened).bid_size, the_future(opened).at) == (11, row.at)


def test_recorded_ticks_come_at_the_recorded_moments(tmp_path: Path) -> None:
    """A watcher hears each of them once, when it was."""
    a_port_recording(tmp_path)
    opened = a_played_floor(tmp_path)
    heard: list[VenueQuote] = []
    opened.floor.listen(lambda event: heard.append(event) if isinstance(event, VenueQuote) else None)
    future = next(each for each in opened.universe.futures if each.trading_class == "VXM")
    opened.floor.watch(future)
    opened.floor.watch(VIX)

    opened.floor.advance(OPENS_AT + timedelta(hours=2))

    began_at = OPENS_AT + timedelta(hours=1)
    told = [(quote.at - began_at).total_seconds() for quote in heard if quote.instrument == future]
    assert told == [3.0, 6.0]
    assert [quote.last for quote in heard if quote.instrument == VIX] == [17.0 + number / 10 for number in range(10)]


def test_orders_fill_at_the_played_quotes(tmp_path: Path) -> None:
    """A purchase at the market pays the recorded ask, no more than the recorded size."""
    row = a_port_recording(tmp_path)
    opened = a_played_floor(tmp_path)
    opened.floor.advance(OPENS_AT + timedelta(hours=1, seconds=7))
    heard: list[Executed] = []
    opened.floor.listen(lambda event: heard.append(event) if isinstance(event, Executed) else None)
    future = next(each for each in opened.universe.futures if each.trading_class == "VXM")

    opened.floor.place(
        VenueOrder(
            client_id=1,
            order_id=1,
            order_ref="ref",
            account="",
            side=Side.BUY,
            legs=(VenueLeg(instrument=future, side=Side.BUY),),
            quantity=20,
            order_type=OrderType.LIMIT,
            limit=Decimal("19.70"),
        )
    )

    assert [(each.price, each.quantity) for each in heard] == [(Decimal(str(row.ask)), row.ask_size)]


def test_without_all_indices_only_what_was_recorded_is_listed(tmp_path: Path) -> None:
    """What has no price is refused like a contract that does not exist, and the recorded is told as it was."""
    a_port_recording(tmp_path, indices=("VIX", "RVX"))
    opened = a_played_floor(tmp_path, book=FLAT)
    opened.floor.advance(OPENS_AT + timedelta(hours=1, seconds=9))

    def found(symbol: str, sec_type: str) -> int:
        return len(opened.floor.matching(ContractQuery(symbol=symbol, sec_type=sec_type)))

    assert (found("VIX", "IND"), found("RVX", "IND"), found("SPX", "IND"), found("SPY", "STK")) == (1, 1, 0, 0)
    assert [
        each.instrument.trading_class for each in opened.floor.matching(ContractQuery(symbol="VIX", sec_type="FUT"))
    ] == ["VXM"]
    assert opened.floor.quote(RVX).last == pytest.approx(23.4)
    assert the_future(opened).bid == Decimal("19.60")
    opened.floor.advance(OPENS_AT + timedelta(hours=8))
    assert not opened.floor.is_open


def test_without_all_indices_an_account_must_be_flat(tmp_path: Path) -> None:
    """A book whose contracts have no price is refused with the cure."""
    a_port_recording(tmp_path, indices=("SPX", "VIX", "RVX"))

    with pytest.raises(InvalidValueError, match=r"no level of RUT.*alvh gateway --book flat"):
        a_played_floor(tmp_path)


def test_a_position_keeps_its_last_recorded_mark_after_the_close(tmp_path: Path) -> None:
    """Where nothing is modelled, profit does not jump when the quotes end."""
    a_port_recording(tmp_path, indices=("SPX", "VIX", "RVX"))
    opened = a_played_floor(tmp_path, book=FLAT)
    opened.floor.advance(OPENS_AT + timedelta(hours=1, seconds=7))
    future = next(each for each in opened.universe.futures if each.trading_class == "VXM")
    order = VenueOrder(
        client_id=1,
        order_id=1,
        order_ref="ref",
        account="",
        side=Side.BUY,
        legs=(VenueLeg(instrument=future, side=Side.BUY),),
        quantity=1,
        order_type=OrderType.LIMIT,
        limit=Decimal("19.70"),
    )
    opened.floor.place(order)
    before = opened.floor.account_state().net_liquidation_usd

    opened.floor.advance(OPENS_AT + timedelta(hours=8))

    assert opened.floor.account_state().net_liquidation_usd == before


def test_moments_outside_every_session_cannot_be_played(tmp_path: Path) -> None:
    """A recording of a Sunday is refused with its span."""
    sunday = OPENS_AT - timedelta(days=1)
    tape = begin_recording(tmp_path, RecordingHead(began_at=sunday, door=Door.PORT))
    tape.moment(sunday, {"SPX": 6800.0, "RUT": 2500.0, "VIX": 17.0, "RVX": 22.5})
    tape.close()

    with pytest.raises(InvalidValueError, match="in which there is no session; record while index options trade"):
        a_played_floor(tmp_path)


def test_moments_that_go_back_cannot_be_played(tmp_path: Path) -> None:
    """A recording whose time does not ascend is refused, never sorted."""
    tape = begin_recording(tmp_path, RecordingHead(began_at=OPENS_AT, door=Door.PORT))
    for seconds in (5, 4):
        tape.moment(OPENS_AT + timedelta(seconds=seconds), {"SPX": 6800.0, "RUT": 2500.0, "VIX": 17.0, "RVX": 22.5})
    tape.close()

    with pytest.raises(InvalidValueError, match="do not ascend"):
        a_played_floor(tmp_path)


def test_two_watchers_and_a_combo_are_written_once(tmp_path: Path) -> None:
    """What is told twice in one moment stands once in the recording, whoever else asks."""
    opened = an_opened_floor(sessions=1)
    with recorded(opened, tmp_path) as shown:
        opened.floor.advance(OPENS_AT)
        for _ in range(2):
            shown.watch(RUT)
            shown.quote(RUT)
        shown.unwatch(RUT)
        shown.unwatch(RUT)

    told = [row.told for row in rows_of(open_recording(tmp_path))]

    assert told == [Told.ASKED, Told.ONCE]
    assert head_of(opened).world is not None
    assert CALENDAR.session(DAY) is not None
