"""Reads a recording back: its moments and days at once, its quotes batch by batch in the order of telling."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final

from adapters.recordings.layout import LOCK_FILE, WHOLE, Part, TableName, head_of, parts_of
from adapters.recordings.library import Arrow, arrow
from bot.domain.errors import ConfigError
from bot.domain.instrument import InstrumentKey
from bot.domain.recording import (
    RECORDED_INDICES,
    RecordedDay,
    RecordedMoments,
    RecordedQuote,
    RecordingHead,
    Told,
    moment_of,
)

_BATCH: Final = 8_192  # rows in memory at a time
_PLAIN: Final = tuple(each.name for each in fields(RecordedQuote) if each.name not in {"at", "told"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """A recording as it lies in its folder; ``is_unfinished`` says that its last part was never closed."""

    folder: Path
    head: RecordingHead
    moments: RecordedMoments
    days: tuple[RecordedDay, ...]
    keys: frozenset[InstrumentKey]  # of everything that is quoted in it
    is_unfinished: bool

    def quotes(self) -> Iterator[RecordedQuote]:
        """Yield all quotes, from the first one on; those after the last whole moment are left out.

        Raises:
            ConfigError: A file is damaged.
        """
        library, count = arrow(), len(self.moments)
        for part in parts_of(self.folder)[TableName.QUOTES]:
            for batch in _checked(part, library):
                yield from (row for row in _quotes(batch, library) if row.moment < count)


def open_recording(folder: Path) -> Recording:
    """Return the recording in a folder.

    Raises:
        ConfigError: There is none, it is of another version, a file is missing or damaged, or it holds no moment.
        RefusedStartError: pyarrow is not installed.
    """
    library = arrow()
    if not folder.is_dir():
        raise ConfigError(f"{folder}: no such folder, expected a recording; correct the path")
    parts = parts_of(folder)
    if not parts[TableName.MOMENTS]:
        found = sorted(path.name for path in folder.iterdir() if path.name != LOCK_FILE)
        raise ConfigError(
            f"{folder}: holds no recording, expected files like moments-0001.parquet, "
            f"found {found[0] if found else 'nothing'}; correct the path"
        )
    _require_all_parts(folder, parts)
    head = _head(parts[TableName.MOMENTS][0], library)
    moments = _moments(parts[TableName.MOMENTS], library)
    if not len(moments):
        raise ConfigError(f"{folder}: the recording holds no moment, expected at least one; record for longer")
    return Recording(
        folder=folder,
        head=head,
        moments=moments,
        days=tuple(_days(parts[TableName.DAYS], library)),
        keys=_keys(parts[TableName.QUOTES], library),
        is_unfinished=any(not part.is_whole for table in parts.values() for part in table),
    )


def batches_of(part: Part, library: Arrow) -> tuple[Any, Iterator[Any]]:
    """Return a part's schema and its batches; of an unfinished part those before the first torn one.

    Raises:
        OSError, pyarrow.ArrowException: The file cannot be read.
    """
    if part.is_whole or not part.path.exists():  # finished since it was listed
        file = library.parquet.ParquetFile(part.path.with_suffix(WHOLE))
        return file.schema_arrow, file.iter_batches(batch_size=_BATCH)
    stream = library.ipc.open_stream(library.core.OSFile(str(part.path), "rb"))
    return stream.schema, _whole_batches(stream, library)


def _whole_batches(stream: Any, library: Arrow) -> Iterator[Any]:
    ends: tuple[type[Exception], ...] = (StopIteration, *library.broken)  # the writer ended here, or was ended
    while True:
        try:
            batch = stream.read_next_batch()
        except ends:
            return
        yield batch


def _checked(part: Part, library: Arrow) -> Iterator[Any]:
    """Yield a part's batches; what is wrong with it is one line."""
    try:
        schema, batches = batches_of(part, library)
    except library.broken as error:
        if not part.is_whole:
            return  # ended before its first batch
        raise _damaged(part, error) from error
    head_of(schema, part.path, library)
    while True:
        try:
            batch = next(batches, None)
        except library.broken as error:
            raise _damaged(part, error) from error
        if batch is None:
            return
        yield batch


def _damaged(part: Part, error: Exception) -> ConfigError:
    why = " ".join(str(error).split())
    return ConfigError(f"{part.path}: damaged, expected a whole Parquet file ({why}); restore it or record again")


def _require_all_parts(folder: Path, parts: dict[TableName, tuple[Part, ...]]) -> None:
    """Raise ConfigError where a part that others go with is not there; moments are the last to be begun."""
    last = parts[TableName.MOMENTS][-1].number
    for table, found in parts.items():
        missing = set(range(1, last + 1)) - {part.number for part in found}
        if missing:
            raise ConfigError(f"{folder}: {table.value}-{min(missing):04d} is missing, expected {last}; restore it")


def _head(part: Part, library: Arrow) -> RecordingHead:
    try:
        schema, _ = batches_of(part, library)
    except library.broken as error:
        if not part.is_whole:
            raise ConfigError(f"{part.path}: ended before its first moment; record for longer") from error
        raise _damaged(part, error) from error
    return head_of(schema, part.path, library)


def _moments(parts: Iterable[Part], library: Arrow) -> RecordedMoments:
    found = RecordedMoments()
    for part in parts:
        for batch in _checked(part, library):
            expected = range(len(found), len(found) + batch.num_rows)
            if batch.column("number").to_pylist() != list(expected):
                raise _damaged(part, ValueError(f"its moments are not the {expected.start}th and those after it"))
            found.at_us.extend(batch.column("at").cast(library.core.int64()).to_pylist())
            found.is_halted.extend(map(int, batch.column("is_halted").to_pylist()))
            for name in RECORDED_INDICES:
                levels = batch.column(name.lower()).fill_null(float("nan"))
                found.levels[name].extend(levels.to_pylist())
    return found


def _quotes(batch: Any, library: Arrow) -> Iterator[RecordedQuote]:
    at = [moment_of(at_us) for at_us in batch.column("at").cast(library.core.int64()).to_pylist()]
    told = [Told(word) for word in batch.column("told").to_pylist()]
    columns = [batch.column(name).to_pylist() for name in _PLAIN]
    for row_at, row_told, *rest in zip(at, told, *columns, strict=True):
        yield RecordedQuote(at=row_at, told=row_told, **dict(zip(_PLAIN, rest, strict=True)))


def _days(parts: Iterable[Part], library: Arrow) -> Iterator[RecordedDay]:
    for part in parts:
        for batch in _checked(part, library):
            for row in batch.to_pylist():
                yield RecordedDay(**row)


def _keys(parts: Iterable[Part], library: Arrow) -> frozenset[InstrumentKey]:
    """Return what is quoted; every page of the files is read once, so that damage is found before the playback."""
    found: set[str] = set()
    for part in parts:
        for batch in _checked(part, library):
            found.update(batch.column("key").unique().to_pylist())
    return frozenset(map(InstrumentKey, found))
