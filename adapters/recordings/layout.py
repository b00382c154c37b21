"""How a recording lies in its folder: three tables, each in numbered parts, all with the same head.

How it works. A part is written as an Arrow stream named ``TABLE-NNNN.unfinished``, one batch at a time, and becomes
``TABLE-NNNN.parquet`` in one step when it is full or the recording ends. What always holds: a file named ``.parquet``
is whole; an unfinished one is readable up to its last whole batch. Where both exist the finished one counts.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from adapters.recordings.library import Arrow
from bot.domain.errors import ConfigError
from bot.domain.recording import Door, RecordedDay, RecordedQuote, RecordedWorld, RecordingHead

VERSION: Final = 1
HEAD_KEY: Final = b"alvh.recording"
LOCK_FILE: Final = "lock"
WHOLE: Final = ".parquet"
UNFINISHED: Final = ".unfinished"
_NAME: Final = re.compile(r"(moments|quotes|days)-(\d{4,})\.(parquet|unfinished)")
_KINDS: Final[Mapping[object, str]] = {
    int: "int64",
    float: "float64",
    float | None: "float64",
    int | None: "int64",
    bool: "bool",
    str: "string",
    date: "date32",
}
"""From the types of the recorded values' fields to those of the columns; times are named apart."""


class TableName(StrEnum):
    """The tables of a recording."""

    MOMENTS = "moments"
    QUOTES = "quotes"
    DAYS = "days"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part of one table, finished or not."""

    table: TableName
    number: int
    path: Path

    @property
    def is_whole(self) -> bool:
        """Whether it is a finished Parquet file."""
        return self.path.suffix == WHOLE


def path_of(folder: Path, table: TableName, number: int, suffix: str = WHOLE) -> Path:
    """Return where a part lies."""
    return folder / f"{table.value}-{number:04d}{suffix}"


def parts_of(folder: Path) -> dict[TableName, tuple[Part, ...]]:
    """Return the parts in a folder by table, ascending, the finished one of two; other files are passed over."""
    found: dict[tuple[TableName, int], Part] = {}
    for path in sorted(folder.iterdir()):  # .parquet sorts before .unfinished
        match = _NAME.fullmatch(path.name)
        if match is not None:
            table, number = TableName(match[1]), int(match[2])
            found.setdefault((table, number), Part(table=table, number=number, path=path))
    return {
        table: tuple(found[key] for key in sorted(found, key=lambda key: key[1]) if key[0] is table)
        for table in TableName
    }


def schema_of(table: TableName, head: RecordingHead, arrow: Arrow) -> Any:
    """Return a table's columns, with the head as metadata."""
    return arrow.core.schema(_columns(table, arrow), metadata={HEAD_KEY: _head_text(head).encode()})


def head_of(schema: Any, path: Path, arrow: Arrow) -> RecordingHead:
    """Return the head in a part's metadata, once its columns are known to be ours.

    Raises:
        ConfigError: It is no part of a recording, of another version, or with other columns.
    """
    text = (schema.metadata or {}).get(HEAD_KEY)
    if text is None:
        raise ConfigError(f"{path}: no part of a recording, expected a file written with --record; name another folder")
    try:
        told = json.loads(text)
        version = told["version"]
        if version != VERSION:
            raise ConfigError(
                f"{path}: a recording of version {version}, expected {VERSION}; "
                "play it with the release that wrote it, or record again"
            )
        head = _head(told)
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"{path}: its head cannot be read ({error!r}), expected {VERSION}; record again") from error
    table = TableName(path.name.split("-", 1)[0])
    if not schema.equals(schema_of(table, head, arrow)):
        raise ConfigError(f"{path}: other columns than those of version {VERSION}; record again")
    return head


def _columns(table: TableName, arrow: Arrow) -> list[tuple[str, Any]]:
    moment = arrow.core.timestamp("us", tz="UTC")
    if table is TableName.MOMENTS:
        levels = [(name, "float64") for name in ("spx", "rut", "vix", "rvx", "rut_vol")]
        return [("number", "int64"), ("at", moment), *levels, ("is_halted", "bool")]
    value = RecordedQuote if table is TableName.QUOTES else RecordedDay
    return [(each.name, moment if each.type is datetime else _KINDS.get(each.type, "string")) for each in fields(value)]


def _head_text(head: RecordingHead) -> str:
    world = head.world
    facts = {"version": VERSION, "began_at": head.began_at.isoformat(), "door": head.door.value}
    if world is None:
        return json.dumps(facts)
    told = {each.name: getattr(world, each.name) for each in fields(world)}
    return json.dumps({**facts, "world": {**told, "first": f"{world.first}", "last": f"{world.last}"}})


def _head(told: Mapping[str, Any]) -> RecordingHead:
    world = told.get("world")
    return RecordingHead(
        began_at=datetime.fromisoformat(told["began_at"]),
        door=Door(told["door"]),
        world=None if world is None else _world(world),
    )


def _world(told: Mapping[str, Any]) -> RecordedWorld:
    low_spx, high_spx = told["spx"]
    low_rut, high_rut = told["rut"]
    return RecordedWorld(
        first=date.fromisoformat(told["first"]),
        last=date.fromisoformat(told["last"]),
        spx=(float(low_spx), float(high_spx)),
        rut=(float(low_rut), float(high_rut)),
        seed=int(told["seed"]),
        step_s=int(told["step_s"]),
        night_step_s=told["night_step_s"],
    )
