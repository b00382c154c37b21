"""Recordings through the whole product: a gateway on the wire, and a bot at its market data port."""

import asyncio
import struct
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from pathlib import Path

import pytest
from recording_scenes import rows_of

from adapters.recordings.port import PortRecorder
from adapters.recordings.reader import Recording, open_recording
from adapters.recordings.tape import Tape
from adapters.recordings.writer import RecordingWriter, begin_recording
from bot.compose.serving import GatewayOptions, for_any_program, started_gateway
from bot.compose.worlds import world_of
from bot.domain.errors import ConfigError
from bot.domain.instrument import RVX, VIX, InstrumentKey
from bot.domain.market import DataType, Quote, Tick
from bot.domain.recording import Door, RecordedQuote, RecordingHead, Told
from bot.ports import DailyClose
from simulator.clock import VirtualClock
from simulator.virtual_time import run_virtual
from simulator.world.recorded import RecordedSource
from tests.runs import play

DAY = date(2026, 10, 19)
ON_THE_WIRE = for_any_program(GatewayOptions(scenario="blowout", sessions=2, tick_s=15))
LOOPS_START = datetime.fromisoformat("2026-10-19T13:00:00+00:00")


def frame(*fields: object) -> bytes:
    """Return one frame as a client writes it."""
    payload = "".join(f"{field}\0" for field in fields).encode()
    return struct.pack(">I", len(payload)) + payload


def wanted(request: int, symbol: str, sec_type: str, exchange: str, *terms: object) -> bytes:
    """Return a request for streamed data; ``terms`` are expiry, strike, right, multiplier and class."""
    expiry, strike, right, multiplier, trading_class = terms or ("", "0.0", "", "", "")
    contract = (0, symbol, sec_type, expiry, strike, right, multiplier, exchange, "", "USD", "", trading_class)
    return frame(1, 11, request, *contract, 0, "", 0, 0, "")


REQUESTS = (
    (60, wanted(1, "VIX", "IND", "CBOE")),
    (61, wanted(2, "RVX", "IND", "CBOE")),
    (62, wanted(3, "VIX", "OPT", "SMART", "20261117", "20.0", "C", "100", "VIX")),
    (600, wanted(4, "VIX", "FUT", "CFE", "20261118", "0.0", "", "100", "VXM")),
    (900, wanted(5, "SPY", "STK", "SMART")),
    (1200, frame(2, 1, 4)),  # the stream of the future ends
    (30_000, wanted(6, "VIX", "FUT", "CFE", "20261118", "0.0", "", "100", "VXM")),  # in the evening
)


async def conversation(options: GatewayOptions, requests: Sequence[tuple[float, bytes]], until_s: float) -> bytes:
    """Return all that a gateway writes to a client that asks at set seconds after the gateway's start."""
    heard = bytearray()
    async with started_gateway(options) as gateway:
        serving = asyncio.ensure_future(gateway.run())
        reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)

        async def listen() -> None:
            while chunk := await reader.read(65_536):
                heard.extend(chunk)

        listening = asyncio.ensure_future(listen())
        writer.write(b"API\0" + frame("v100..176"))
        await asyncio.sleep(1)
        writer.write(frame(71, 2, 1, ""))
        passed = 1.0
        for at_s, request in requests:
            await asyncio.sleep(at_s - passed)
            passed = at_s
            writer.write(request)
        await asyncio.sleep(until_s - passed)
        writer.close()
        await listening
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
    return bytes(heard)


def held(options: GatewayOptions, requests: Sequence[tuple[float, bytes]] = REQUESTS, until_s: float = 90_000) -> bytes:
    """Hold a conversation in virtual time; ninety thousand seconds reach into the second session."""
    return run_virtual(conversation(options, requests, until_s), start=LOOPS_START)


def contents(recording: Recording) -> tuple[object, ...]:
    """Return all that a recording holds, comparable (NaN included)."""
    return recording.head, repr(recording.moments), recording.days, rows_of(recording)


def test_a_gateway_that_plays_a_recording_writes_the_same_bytes(tmp_path: Path) -> None:
    """A client that asks in the same way hears the same, byte by byte, over a day, its night and the next morning."""
    first = held(replace(ON_THE_WIRE, record=tmp_path / "first"))
    plain = held(ON_THE_WIRE)

    second = held(replace(ON_THE_WIRE, scenario="calm", play=tmp_path / "first", record=tmp_path / "second"))

    assert len(first) > 500_000
    assert first == plain  # a recorder changes nothing
    assert second == first
    assert contents(open_recording(tmp_path / "second")) == contents(open_recording(tmp_path / "first"))
    assert len(rows_of(open_recording(tmp_path / "first"))) > 5_000


def test_what_cannot_be_priced_is_refused_on_the_wire(tmp_path: Path) -> None:
    """Without the indices behind it a share is a contract that does not exist, and the recorded index streams."""
    began_at = LOOPS_START + timedelta(hours=1)
    tape = begin_recording(tmp_path, RecordingHead(began_at=began_at, door=Door.PORT))
    for number in range(120):
        at = began_at + timedelta(seconds=number)
        row = RecordedQuote(moment=number, told=Told.STREAMED, key=VIX.key, at=at, last=17.0 + number / 100)
        tape.quote(row)
        tape.moment(at, {"VIX": 17.0 + number / 100})
    tape.close()
    asked = (wanted(1, "SPY", "STK", "SMART"), wanted(2, "VIX", "IND", "CBOE"))

    heard = held(replace(ON_THE_WIRE, play=tmp_path, book="flat"), [(60, each) for each in asked], 119)

    assert b"4\x002\x001\x00200\x00No security definition has been found for the request\x00" in heard
    assert all(f"1\x006\x002\x004\x00{17.0 + number / 100}\x00".encode() in heard for number in range(61, 119))


def test_a_recording_begins_where_its_recorder_did_or_where_it_is_told_to(tmp_path: Path) -> None:
    """Without --start the clock begins at the recorder's own, with it at that moment of a recorded day."""
    held(replace(ON_THE_WIRE, record=tmp_path, hour=time(11, 30)), (), 60)

    async def began(options: GatewayOptions) -> datetime:
        async with started_gateway(options) as gateway:
            return gateway.now()

    played = replace(ON_THE_WIRE, play=tmp_path)
    own, told = (
        run_virtual(began(options), start=LOOPS_START)
        for options in (played, replace(played, start=DAY, hour=time(14, 15)))
    )

    assert (own.isoformat(), told.isoformat()) == ("2026-10-19T15:30:00+00:00", "2026-10-19T18:15:00+00:00")
    with pytest.raises(ConfigError, match="--start 2026-10-21: the recording holds 2026-10-19 to 2026-10-19"):
        run_virtual(began(replace(played, start=date(2026, 10, 21))), start=LOOPS_START)


def test_a_recording_that_fails_leaves_the_gateway_running(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A full disk ends the recording with one line; clients hear what they would have heard."""
    plain = held(ON_THE_WIRE, REQUESTS[:2], 600)

    def full(_writer: RecordingWriter) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(RecordingWriter, "flush", full)
    heard = held(replace(ON_THE_WIRE, record=tmp_path), REQUESTS[:2], 600)

    assert heard == plain
    assert [
        record.message.startswith("recording ended at") for record in caplog.records if "recording" in record.message
    ] == [True]


@pytest.mark.timeout(300)  # seconds of a machine with other work
def test_what_a_bot_was_told_makes_it_decide_the_same_again(tmp_path: Path) -> None:
    """Played back, the ticks at the port are the same, in the same order, and so is every decision.

    The bot asks no single questions here: a recording has an answer at its own moment, and who asks again a second
    earlier finds none yet.
    """
    config = tmp_path / "streams.toml"
    questions = ("parity_every_s", "wings_every_s", "own_index_every_s", "quiet_every_s", "greeks_every_s")
    config.write_text("\n".join(["[app]", *(f"{name} = 1e6" for name in (*questions, "weeklies_from_s"))]))
    first = play(tmp_path / "run-1", record=tmp_path / "first", config=config)

    second = play(tmp_path / "run-2", play=tmp_path / "first", record=tmp_path / "second", config=config)

    one, two = (open_recording(tmp_path / name) for name in ("first", "second"))
    assert rows_of(two) == rows_of(one)
    assert len(rows_of(one)) > 20_000
    assert repr(two.moments) == repr(one.moments)
    assert [facts["action"] for facts in second.of_kind("hedge_planned")] == [
        facts["action"] for facts in first.of_kind("hedge_planned")
    ]
    sent = [[facts["intent"]["limit"] for facts in run.of_kind("order_prepared")] for run in (first, second)]
    assert sent[0]
    assert sent[0] == sent[1]


# At the port


class Prices:
    """Market data that has one answer for each question."""

    def watch(self, instruments: object) -> None:
        """Take any wish."""

    async def daily_closes(self, _instrument: object, _sessions: int) -> tuple[DailyClose, ...]:
        """Return two closes."""
        return (DailyClose(day=date(2026, 10, 15), close=22.5), DailyClose(day=date(2026, 10, 16), close=22.75))

    async def option_chain(self, _symbol: str, _first: date, _last: date) -> tuple[()]:
        """Return nothing."""
        return ()

    async def futures(self, _symbol: str, _first: date, _last: date) -> tuple[()]:
        """Return nothing."""
        return ()

    async def snapshot(self, _instruments: object) -> dict[InstrumentKey, Quote]:
        """Return one quote."""
        quote = a_quote(at_ns=NS + 3_000_000_000, bid=2.0)
        return {quote.key: quote}


CALL = InstrumentKey("OPT:VIX:2026-11-18:20:C")
NS = int(LOOPS_START.timestamp()) * 1_000_000_000


def a_quote(*, at_ns: int, bid: float, data_type: DataType = DataType.LIVE) -> Quote:
    """Return a quote of a call."""
    return Quote(key=CALL, bid=bid, ask=bid + 0.05, bid_size=5, ask_size=6, at_ns=at_ns, data_type=data_type)


def test_the_port_writes_ticks_quotes_snapshots_and_closes(tmp_path: Path) -> None:
    """One microsecond is one moment, levels hold on, delayed data and impossible levels are left out."""

    async def story() -> None:
        clock = VirtualClock(asyncio.get_running_loop())  # type: ignore[arg-type] - `run_virtual` runs on its own loop
        recorder = PortRecorder(
            Tape(begin_recording(tmp_path, RecordingHead(began_at=LOOPS_START, door=Door.PORT))), clock
        )
        passed: list[object] = []
        sink, prices = recorder.sink(passed.append), recorder.before(Prices())
        events = [
            Tick(VIX.key, 17.0, NS),
            a_quote(at_ns=NS + 500, bid=1.5),
            Tick(RVX.key, float("nan"), NS + 1_000_000_000),
            Tick(RVX.key, 22.0, NS + 2_000_000_000, DataType.DELAYED),
            a_quote(at_ns=NS + 2_000_000_000, bid=1.6, data_type=DataType.FROZEN),
            Tick(RVX.key, 23.0, NS + 2_000_000_000),
        ]
        for event in events:
            sink(event)
        assert passed == events
        assert len(await prices.daily_closes(RVX, 2)) == len(await prices.daily_closes(RVX, 2)) == 2
        await prices.snapshot(())
        prices.watch((VIX,))
        assert (await prices.option_chain("VIX", DAY, DAY), await prices.futures("VIX", DAY, DAY)) == ((), ())
        recorder.close()

    run_virtual(story(), start=LOOPS_START)

    found = open_recording(tmp_path)
    told = [(row.moment, row.told, row.key, row.last, row.bid) for row in rows_of(found)]
    assert told[:4] == [
        (0, Told.STREAMED, VIX.key, 17.0, None),
        (0, Told.STREAMED, CALL, None, 1.5),
        (1, Told.STREAMED, RVX.key, 23.0, None),
        (2, Told.ONCE, CALL, None, 2.0),
    ]
    assert sorted(told[4:]) == [(2, Told.ONCE, RVX.key, 23.0, None), (2, Told.ONCE, CALL, None, 1.5)]
    assert [found.moments.at(number) - LOOPS_START for number in range(3)] == [timedelta(seconds=s) for s in (0, 2, 3)]
    assert repr(list(found.moments.levels["RVX"])) == "[nan, 23.0, 23.0]"
    assert [(row.symbol, row.day.day, row.close) for row in found.days] == [("RVX", 15, 22.5), ("RVX", 16, 22.75)]


def test_an_index_that_came_late_stands_at_its_first_level_before(tmp_path: Path) -> None:
    """Prices that need all four indices do not wait for the last one; nothing is told of it before it came."""
    held(replace(ON_THE_WIRE, record=tmp_path, night_step_s=None), (), 60)
    moments = open_recording(tmp_path).moments
    moments.levels["RUT"][0] = float("nan")

    recording = replace(open_recording(tmp_path), moments=moments)
    path = RecordedSource(recording=recording, calendar=world_of(ON_THE_WIRE.world).calendar).path(0)

    assert path.levels["RUT"][0] == path.levels["RUT"][1] == moments.levels["RUT"][1]
