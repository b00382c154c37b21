"""Recordings on disk: what is written comes back, what is torn is told apart, and what is wrong is one line."""

import json
from collections.abc import Callable
from dataclasses import fields
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from adapters.recordings import library
from adapters.recordings.layout import HEAD_KEY
from adapters.recordings.reader import open_recording
from adapters.recordings.writer import RecordingWriter, begin_recording
from bot.domain.errors import ConfigError, InvalidValueError, RefusedStartError
from bot.domain.instrument import InstrumentKey
from bot.domain.recording import Door, RecordedDay, RecordedQuote, RecordedWorld, RecordingHead, Told
from simulator.recording import price_of
from simulator.venue import VenueQuote

BEGAN_AT = datetime(2026, 10, 19, 14, tzinfo=UTC)
CALL = InstrumentKey("OPT:VIX:2026-11-18:20:C")
AT_THE_PORT = RecordingHead(began_at=BEGAN_AT, door=Door.PORT)
AT_THE_FLOOR = RecordingHead(
    began_at=BEGAN_AT,
    door=Door.FLOOR,
    world=RecordedWorld(
        first=date(2026, 10, 19),
        last=date(2026, 10, 23),
        spx=(6700.25, 6900.5),
        rut=(2400.0, 2600.0),
        seed=7,
        step_s=1,
        night_step_s=60,
    ),
)


def a_quote(moment: int, *, bid: float | None = 1.65, at: datetime = BEGAN_AT, **other: object) -> RecordedQuote:
    """Return a streamed quote of one call."""
    return RecordedQuote(
        moment=moment, told=Told.STREAMED, key=CALL, at=at, bid=bid, ask=1.7, bid_size=40, ask_size=7, **other
    )


def second(number: int) -> datetime:
    """Return the moment so many seconds after the beginning."""
    return BEGAN_AT + timedelta(seconds=number)


def a_minute(tape: RecordingWriter, *, first: int = 0) -> list[RecordedQuote]:
    """Write sixty moments, a second apart, with a quote each; return the quotes."""
    told = []
    for number in range(first, first + 60):
        row = a_quote(tape.moments, bid=1.0 + number / 100, at=second(number))
        told.append(row)
        tape.quote(row)
        tape.moment(row.at, {"SPX": 6800.0 + number, "VIX": 17.25})
    return told


def a_recording(folder: Path, head: RecordingHead = AT_THE_PORT) -> list[RecordedQuote]:
    """Write a recording of a minute; return its quotes."""
    tape = begin_recording(folder, head)
    told = a_minute(tape)
    tape.close()
    return told


def end_without_a_word(tape: RecordingWriter) -> None:
    """Do what the death of a process does: let the lock go, finish nothing."""
    tape._lock.close()


@pytest.mark.parametrize("head", [AT_THE_PORT, AT_THE_FLOOR])
def test_what_is_written_comes_back(tmp_path: Path, head: RecordingHead) -> None:
    """Head, days, moments with their levels and quotes are those that were written."""
    day = RecordedDay(symbol="RVX", day=date(2026, 10, 16), close=22.5, low=22.0)
    tape = begin_recording(tmp_path / "new", head)
    tape.day(day)
    told = a_minute(tape)
    tape.close()

    found = open_recording(tmp_path / "new")

    assert (found.head, found.days, found.is_unfinished, found.keys) == (head, (day,), False, {CALL})
    assert list(found.quotes()) == told
    assert [found.moments.at(number) for number in (0, 59)] == [second(0), second(59)]
    assert list(found.moments.levels["SPX"]) == [6800.0 + number for number in range(60)]
    assert all(level != level for level in found.moments.levels["RVX"])  # noqa: PLR0124 - NaN: it was not known


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=25)
@given(
    numbers=st.lists(st.none() | st.floats(allow_nan=False, allow_infinity=False), min_size=13, max_size=13),
    sizes=st.lists(st.integers(0, 2**62), min_size=5, max_size=5),
    offset=st.timedeltas(timedelta(0), timedelta(days=3000)),
)
def test_every_field_of_a_quote_comes_back(
    tmp_path_factory: pytest.TempPathFactory, numbers: list[float | None], sizes: list[int], offset: timedelta
) -> None:
    """Any numbers, sizes and times are read as they were written, to the bit and the microsecond."""
    names = [each.name for each in fields(RecordedQuote) if each.type == float | None][:13]
    whole = [each.name for each in fields(RecordedQuote) if each.name.endswith(("size", "volume", "interest"))]
    told = dict(zip(names, numbers, strict=True)) | dict(zip(whole, sizes, strict=True))
    row = RecordedQuote(moment=0, told=Told.ONCE, key=CALL, at=BEGAN_AT + offset, is_halted=True, **told)
    folder = tmp_path_factory.mktemp("drawn")
    tape = begin_recording(folder, AT_THE_PORT)
    tape.quote(row)
    tape.moment(row.at, {})
    tape.close()

    assert list(open_recording(folder).quotes()) == [row]


def test_the_venues_quotes_lose_nothing() -> None:
    """Each field of the simulator's quotes has one of the same name in a recording."""
    recorded = {each.name for each in fields(RecordedQuote)} - {"moment", "told", "key"}

    assert recorded == {each.name for each in fields(VenueQuote)} - {"instrument"}


@pytest.mark.parametrize("text", ["1.65", "0.00", "2.50", "1.08455", "0.00005", "18234.75"])
def test_a_price_is_spelled_as_the_exchange_spells_it(text: str) -> None:
    """A price that went through a file has the digits that it had before."""
    assert str(price_of(float(text))) == text


def test_the_files_are_plain_parquet(tmp_path: Path) -> None:
    """Any reader of Parquet finds a table of quotes with time and key, and the version in the metadata."""
    a_recording(tmp_path)

    table = parquet.read_table(tmp_path / "quotes-0001.parquet")

    assert table.num_rows == 60
    assert table.column("key").to_pylist()[0] == CALL
    assert table.column("at").to_pylist()[59] == second(59)
    assert json.loads(table.schema.metadata[HEAD_KEY])["version"] == 1


def test_an_unfinished_recording_is_told_apart_and_read_to_its_last_batch(tmp_path: Path) -> None:
    """While it is written, or after its writer died, at most the last five seconds are missing."""
    tape = begin_recording(tmp_path, AT_THE_PORT)
    told = a_minute(tape)

    found = open_recording(tmp_path)

    assert found.is_unfinished
    assert not list(tmp_path.glob("*.parquet"))
    assert len(found.moments) >= 60 - 5
    assert list(found.quotes()) == told[: len(found.moments)]
    tape.close()


@pytest.mark.parametrize("table", ["moments", "quotes"])
@pytest.mark.parametrize("left_frac", [0.97, 0.5])
def test_a_torn_batch_ends_an_unfinished_recording(tmp_path: Path, table: str, left_frac: float) -> None:
    """What stands before a tear is read, and quotes beyond the last moment are left out."""
    tape = begin_recording(tmp_path, AT_THE_PORT)
    told = a_minute(tape)
    path = tmp_path / f"{table}-0001.unfinished"
    end_without_a_word(tape)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * left_frac)])

    found = open_recording(tmp_path)

    quotes = list(found.quotes())
    assert 0 < len(quotes) <= len(found.moments)
    assert quotes == told[: len(quotes)]


def test_each_day_is_a_part_of_its_own(tmp_path: Path) -> None:
    """At the first moment of another day in New York the files of the day before are finished."""
    tape = begin_recording(tmp_path, AT_THE_PORT)
    told = a_minute(tape) + a_minute(tape, first=86_400)
    tape.close()

    found = open_recording(tmp_path)

    assert sorted(path.name for path in tmp_path.glob("quotes*")) == ["quotes-0001.parquet", "quotes-0002.parquet"]
    assert list(found.quotes()) == told
    assert len(found.moments) == 120


def test_a_recording_at_the_port_goes_on_where_an_earlier_one_ended(tmp_path: Path) -> None:
    """A bot that starts again records into the same folder; what a crash left unfinished is finished first."""
    crashed = begin_recording(tmp_path, AT_THE_PORT)
    told = a_minute(crashed)
    crashed.quote(a_quote(crashed.moments, at=second(60)))  # of a moment that is never completed
    crashed.flush()
    end_without_a_word(crashed)

    tape = begin_recording(tmp_path, RecordingHead(began_at=second(3_600), door=Door.PORT))
    told += a_minute(tape, first=3_600)
    tape.close()

    found = open_recording(tmp_path)
    assert (found.is_unfinished, len(found.moments)) == (False, 120)
    assert list(found.quotes()) == told


def test_two_processes_do_not_write_one_recording(tmp_path: Path) -> None:
    """The second one is refused while the first has the folder."""
    tape = begin_recording(tmp_path, AT_THE_PORT)

    with pytest.raises(RefusedStartError, match="another process records into it"):
        begin_recording(tmp_path, AT_THE_PORT)

    tape.close()


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (AT_THE_FLOOR, "a simulated one is never continued"),
        (RecordingHead(began_at=second(30), door=Door.PORT), "goes to 2026-10-19 14:00:59, after the beginning"),
    ],
)
def test_a_recording_is_not_continued_by_another_story(tmp_path: Path, head: RecordingHead, expected: str) -> None:
    """Neither a simulated session nor one that begins earlier may follow; nothing changes."""
    told = a_recording(tmp_path)

    with pytest.raises(ConfigError, match=expected):
        begin_recording(tmp_path, head)

    assert list(open_recording(tmp_path).quotes()) == told


def test_a_folder_of_something_else_is_not_recorded_into(tmp_path: Path) -> None:
    """Files of others are never mixed with a recording."""
    (tmp_path / "letter.txt").write_text("dear")

    with pytest.raises(ConfigError, match=r"holds other files \(letter.txt\)"):
        begin_recording(tmp_path, AT_THE_PORT)


def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    """A file stands where the folder should be."""
    (tmp_path / "taken").write_text("")

    with pytest.raises(RefusedStartError, match="not writable"):
        begin_recording(tmp_path / "taken", AT_THE_PORT)


# Bad recordings


def _torn(folder: Path) -> None:
    path = folder / "quotes-0001.parquet"
    path.write_bytes(path.read_bytes()[:-20])


def _scratched(folder: Path) -> None:
    path = folder / "quotes-0001.parquet"
    content = bytearray(path.read_bytes())
    content[4:400] = bytes(396)
    path.write_bytes(content)


def _of_another_version(folder: Path) -> None:
    _rewrite(folder, lambda text: text.replace(b'"version": 1', b'"version": 2'))


def _with_another_head(folder: Path) -> None:
    _rewrite(folder, lambda _text: b"{}")


def _rewrite(folder: Path, change: Callable[[bytes], bytes]) -> None:
    path = folder / "moments-0001.parquet"
    table = parquet.read_table(path)
    parquet.write_table(table.replace_schema_metadata({HEAD_KEY: change(table.schema.metadata[HEAD_KEY])}), path)


def _of_others(folder: Path) -> None:
    parquet.write_table(pa.table({"number": [1]}), folder / "moments-0001.parquet")


def _with_other_columns(folder: Path) -> None:
    path = folder / "moments-0001.parquet"
    parquet.write_table(parquet.read_table(path).drop_columns(["vix"]), path)


def _with_a_gap(folder: Path) -> None:
    path = folder / "moments-0001.parquet"
    table = parquet.read_table(path)
    parquet.write_table(table.filter([number != 30 for number in range(60)]), path)


def _without_quotes(folder: Path) -> None:
    (folder / "quotes-0001.parquet").unlink()


def _without_anything(folder: Path) -> None:
    for path in folder.iterdir():
        path.unlink()


def _with_a_letter(folder: Path) -> None:
    _without_anything(folder)
    (folder / "letter.txt").write_text("dear")


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (_torn, r"quotes-0001.parquet: damaged, expected a whole Parquet file .* restore it or record again"),
        (_scratched, r"quotes-0001.parquet: damaged, expected a whole Parquet file"),
        (_of_another_version, "a recording of version 2, expected 1; play it with the release that wrote it"),
        (_with_another_head, "its head cannot be read"),
        (_of_others, "no part of a recording, expected a file written with --record"),
        (_with_other_columns, "other columns than those of version 1"),
        (_with_a_gap, "moments-0001.parquet: damaged, .*its moments are not the 0th and those after it"),
        (_without_quotes, "quotes-0001 is missing"),
        (_without_anything, "holds no recording, expected files like moments-0001.parquet, found nothing"),
        (_with_a_letter, "holds no recording, .* found letter.txt; correct the path"),
    ],
)
def test_what_is_wrong_with_a_recording_is_one_line(
    tmp_path: Path, spoil: Callable[[Path], None], expected: str
) -> None:
    """The message names the file, what was expected, what was found and the cure."""
    a_recording(tmp_path)
    spoil(tmp_path)

    with pytest.raises(ConfigError, match=expected) as caught:
        list(open_recording(tmp_path).quotes())

    assert "\n" not in str(caught.value)


def test_a_folder_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    """A wrong path is no empty recording."""
    with pytest.raises(ConfigError, match="no such folder, expected a recording"):
        open_recording(tmp_path / "gone")


def test_an_empty_recording_is_said_to_be_empty(tmp_path: Path) -> None:
    """A recorder that was ended before the first moment leaves nothing to play."""
    begin_recording(tmp_path, AT_THE_PORT).close()

    with pytest.raises(ConfigError, match="holds no moment, expected at least one; record for longer"):
        open_recording(tmp_path)


def test_a_recording_that_ended_in_its_first_seconds_is_said_to_be_empty(tmp_path: Path) -> None:
    """Its files were begun and hold nothing."""
    a_recording(tmp_path)
    for path in tmp_path.glob("*.parquet"):
        path.rename(path.with_suffix(".unfinished")).write_bytes(b"")

    with pytest.raises(ConfigError, match="ended before its first moment"):
        open_recording(tmp_path)


@pytest.mark.parametrize("work", [open_recording, lambda folder: begin_recording(folder, AT_THE_PORT)])
def test_without_pyarrow_the_cure_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, work: Callable[[Path], object]
) -> None:
    """Whoever records or plays is told what to install."""

    def missing() -> None:
        raise ModuleNotFoundError("No module named 'pyarrow'", name="pyarrow")

    monkeypatch.setattr(library, "_imported", missing)

    with pytest.raises(RefusedStartError, match=r"pip install 'alvh\[recordings\]'"):
        work(tmp_path)


def test_a_head_names_its_world_at_the_floor_alone() -> None:
    """A recording at the bot's port knows of no world, one at the floor does."""
    with pytest.raises(InvalidValueError, match="the floor has a world, the port has none"):
        RecordingHead(began_at=BEGAN_AT, door=Door.FLOOR)
