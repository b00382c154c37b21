"""Writes a recording while it happens: batch by batch into unfinished parts, which become Parquet files.

How it works. Rows wait in memory for at most five seconds of recorded time and are then written as one batch to each
table. At the first moment of another day in New York the parts are finished and new ones begun; a thread turns the
finished ones into Parquet, so that who records does not wait for it. What always holds: rows reach the files in the
order in which they were told, quotes before the moment that completes them.
"""

import contextlib
import fcntl
import math
import threading
from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import date, datetime
from operator import attrgetter
from pathlib import Path
from typing import Any, Final, TextIO
from zoneinfo import ZoneInfo

from adapters.recordings.layout import LOCK_FILE, UNFINISHED, WHOLE, Part, TableName, parts_of, path_of, schema_of
from adapters.recordings.library import Arrow, arrow
from adapters.recordings.reader import batches_of, open_recording
from bot.domain.errors import ConfigError, RefusedStartError
from bot.domain.recording import (
    RECORDED_INDICES,
    Door,
    RecordedDay,
    RecordedQuote,
    RecordingHead,
    microseconds,
)

FLUSH_EVERY_US: Final = 5_000_000
"""A crash loses at most so much recorded time."""
_MOST_WAITING: Final = 4_096  # rows of quotes in memory
_ROW_GROUP: Final = 65_536  # rows
_NEW_YORK: Final = ZoneInfo("America/New_York")
_DAY: Final = attrgetter(*(each.name for each in fields(RecordedDay)))
_QUOTE: Final = attrgetter(*(each.name for each in fields(RecordedQuote)))


class RecordingWriter:
    """An open recording; `close` finishes its files. What is not closed stays readable up to the last batch."""

    def __init__(
        self, folder: Path, head: RecordingHead, lock: TextIO, arrow: Arrow, *, part: int, moments: int
    ) -> None:
        """Take a prepared folder; `begin_recording` is how to get one."""
        self._folder = folder
        self._lock = lock
        self._arrow = arrow
        self._head = head
        self._schemas = {table: schema_of(table, head, arrow) for table in TableName}
        self._part = part
        self._moments = moments
        self._rows: dict[TableName, list[tuple[object, ...]]] = {table: [] for table in TableName}
        self._streams: dict[TableName, Any] = {}
        self._finishing: list[threading.Thread] = []
        self._flushed_us = microseconds(head.began_at)
        self._day: date | None = None

    def __repr__(self) -> str:
        """Folder, part and moments, for failing tests."""
        return f"RecordingWriter({self._folder}, part {self._part}, {self._moments} moments)"

    @property
    def moments(self) -> int:
        """How many moments are complete; the number of the next one."""
        return self._moments

    def day(self, row: RecordedDay) -> None:
        """Write a finished session before the recording."""
        self._rows[TableName.DAYS].append(_DAY(row))

    def quote(self, row: RecordedQuote) -> None:
        """Write a quote of the present moment or of the last one."""
        self._rows[TableName.QUOTES].append(_QUOTE(row))

    def moment(self, at: datetime, levels: Mapping[str, float], *, is_halted: bool = False) -> None:
        """Complete a moment; ``levels`` by the names of `RECORDED_INDICES`, those that are missing are not known.

        Raises:
            OSError: The files cannot be written.
        """
        day = at.astimezone(_NEW_YORK).date()
        if self._day is not None and day != self._day:
            self._turn_the_page()
        self._day = day
        known = [levels.get(name) for name in RECORDED_INDICES]
        told = [None if level is None or math.isnan(level) else level for level in known]
        self._rows[TableName.MOMENTS].append((self._moments, at, *told, is_halted))
        self._moments += 1
        at_us = microseconds(at)
        if at_us - self._flushed_us >= FLUSH_EVERY_US or len(self._rows[TableName.QUOTES]) >= _MOST_WAITING:
            self._flushed_us = at_us
            self.flush()

    def flush(self) -> None:
        """Write what waits in memory, quotes before moments.

        Raises:
            OSError: The files cannot be written.
        """
        for table in (TableName.DAYS, TableName.QUOTES, TableName.MOMENTS):
            rows, self._rows[table] = self._rows[table], []
            stream = self._stream(table)
            if rows:
                stream.write_batch(self._batch(table, rows))

    def close(self) -> None:
        """Write what is left and finish every file.

        Raises:
            OSError: The files cannot be written.
        """
        try:
            self.flush()
            self._close_streams()
            _finish_all(self._unfinished(), self._head, self._arrow)
        finally:
            for thread in self._finishing:
                thread.join()
            self._lock.close()

    def _turn_the_page(self) -> None:
        self.flush()
        self._close_streams()
        self._finishing = [thread for thread in self._finishing if thread.is_alive()]
        thread = threading.Thread(target=_finish_all, args=(self._unfinished(), self._head, self._arrow))
        thread.start()
        self._finishing.append(thread)
        self._part += 1

    def _unfinished(self) -> list[Part]:
        return [
            Part(table=table, number=self._part, path=path_of(self._folder, table, self._part, UNFINISHED))
            for table in TableName
        ]

    def _close_streams(self) -> None:
        for stream, file in self._streams.values():
            stream.close()
            file.close()
        self._streams.clear()

    def _stream(self, table: TableName) -> Any:
        if table not in self._streams:
            path = path_of(self._folder, table, self._part, UNFINISHED)
            file = self._arrow.core.OSFile(str(path), "wb")
            self._streams[table] = (self._arrow.ipc.new_stream(file, self._schemas[table]), file)
        return self._streams[table][0]

    def _batch(self, table: TableName, rows: Sequence[tuple[object, ...]]) -> Any:
        schema, core = self._schemas[table], self._arrow.core
        columns = zip(zip(*rows, strict=True), schema.types, strict=True)
        return core.record_batch([core.array(column, kind) for column, kind in columns], schema=schema)


def begin_recording(folder: Path, head: RecordingHead) -> RecordingWriter:
    """Return a recording in a folder, which is made where it is missing.

    An empty folder begins a recording. One at the port goes on where an earlier one at the port ended; parts that it
    left unfinished are finished first.

    Raises:
        ConfigError: The folder holds something else, or a recording that this one cannot go on with.
        RefusedStartError: pyarrow is missing, or the folder cannot be written or is being written by another process.
    """
    library = arrow()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / LOCK_FILE).open("w")
    except OSError as error:
        raise RefusedStartError(
            f"{folder}: not writable ({error.strerror}); name another folder with --record"
        ) from error
    with contextlib.ExitStack() as unless_begun:
        unless_begun.callback(lock.close)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise RefusedStartError(f"{folder}: another process records into it; name another folder") from error
        part, moments = _continued(folder, head, library)
        unless_begun.pop_all()
    return RecordingWriter(folder, head, lock, library, part=part, moments=moments)


def finish(part: Part, head: RecordingHead, library: Arrow, *, before: int | None = None) -> None:
    """Turn a part into a Parquet file, in one step; what is torn of an unfinished one is left out.

    Args:
        part: Finished or not.
        head: Of its recording.
        library: pyarrow.
        before: Of quotes, only those of moments with lower numbers are kept.

    Raises:
        OSError: The file cannot be written; what was there still stands.
    """
    whole = part.path.with_suffix(WHOLE)
    aside = whole.with_name(f".{whole.name}.new")
    schema = schema_of(part.table, head, library)
    try:
        _, batches = batches_of(part, library)
    except library.broken:  # it ended before its first batch
        batches = iter(())
    with library.parquet.ParquetWriter(aside, schema, compression="zstd") as writer:
        waiting: list[Any] = []
        for batch in batches:
            waiting.append(batch if before is None else batch.filter(library.compute.field("moment") < before))
            if sum(each.num_rows for each in waiting) >= _ROW_GROUP:
                writer.write_table(library.core.Table.from_batches(waiting, schema))
                waiting = []
        writer.write_table(library.core.Table.from_batches(waiting, schema))
    aside.replace(whole)
    if not part.is_whole:
        part.path.unlink()


def _finish_all(parts: Sequence[Part], head: RecordingHead, library: Arrow) -> None:
    """Finish parts; one that fails for want of room stays readable as it is."""
    for part in parts:
        with contextlib.suppress(*library.broken):
            finish(part, head, library)


def _continued(folder: Path, head: RecordingHead, library: Arrow) -> tuple[int, int]:
    """Return the number of the next part and of the next moment."""
    parts = [part for table in parts_of(folder).values() for part in table]
    if not parts:
        strangers = sorted(path.name for path in folder.iterdir() if path.name != LOCK_FILE)
        if strangers:
            raise ConfigError(f"{folder}: holds other files ({strangers[0]}); name an empty folder with --record")
        return 1, 0
    earlier = open_recording(folder)
    if head.door is not Door.PORT or earlier.head.door is not Door.PORT:
        raise ConfigError(f"{folder}: holds a recording already, and a simulated one is never continued; name another")
    if len(earlier.moments) and earlier.moments.at(len(earlier.moments) - 1) >= head.began_at:
        ended = earlier.moments.at(len(earlier.moments) - 1)
        raise ConfigError(
            f"{folder}: holds a recording that goes to {ended:%Y-%m-%d %H:%M:%S}, "
            f"after the beginning of this one ({head.began_at:%Y-%m-%d %H:%M:%S}); name another folder"
        )
    last, count = parts_of(folder)[TableName.MOMENTS][-1].number, len(earlier.moments)
    for part in parts:
        if part.number > last:
            part.path.unlink()  # begun, and ended before its first moment
        elif part.table is TableName.QUOTES and part.number == last:
            finish(
                part, earlier.head, library, before=count
            )  # those of a moment that was never complete would join ours
        elif not part.is_whole:
            finish(part, earlier.head, library)
    return last + 1, count
