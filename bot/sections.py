"""A table of settings against the class that it is for: unknown keys, forms, validation, and who set what is wrong.

How it works: tables are laid over each other, checked key by key against the section class, and validated as JSON in
pydantic's strict mode, so that a text is no number and a number no truth value. What always holds: a value that was not
understood is an error that names where it stands, what was expected and what to do.
"""

import dataclasses
import difflib
import json
import math
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, time
from decimal import Decimal
from enum import Enum
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from pydantic import TypeAdapter, ValidationError

from bot.domain.errors import ConfigError

LONGEST_FOUND = 80
"""Characters of a wrong value that a message repeats."""
MOST_NAMES = 24
"""Of the keys that a message lists where one is unknown."""

Table = dict[str, Any]
_Section = TypeVar("_Section")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """The settings of one source, with the name that messages give it."""

    where: str
    table: Table


def toml_value(text: str) -> object:
    """Return what a text means as the value of a TOML key; one that is none stays a text."""
    try:
        read = tomllib.loads(f"value = {text}")
    except (ValueError, RecursionError):
        return text
    return read["value"] if len(read) == 1 else text


def laid_over(below: Table, above: Table) -> Table:
    """Return two tables as one: what the upper one sets counts, key by key, at any depth."""
    merged = dict(below)
    for key, value in above.items():
        held = merged.get(key)
        merged[key] = laid_over(held, value) if isinstance(held, dict) and isinstance(value, dict) else value
    return merged


def check_keys(table: Table, section: type, *, where: str, path: str = "") -> None:
    """Raise ConfigError for the first key that a section class does not have, at any depth."""
    hints = get_type_hints(section)
    known = [field.name for field in dataclasses.fields(section) if field.init]
    for key, value in table.items():
        name = f"{path}.{key}" if path else key
        if key not in known:
            raise _unknown(name, key, known, where)
        _check_form(value, hints[key], where=where, path=name)


def _check_form(value: object, hint: Any, *, where: str, path: str) -> None:
    """Judge what JSON could not tell apart any more, and the keys of whatever lies deeper."""
    inner = get_args(hint)
    if isinstance(hint, type) and dataclasses.is_dataclass(hint) and isinstance(value, dict):
        check_keys(value, hint, where=where, path=path)
    elif get_origin(hint) is Mapping and isinstance(value, dict):
        _check_names(value, inner[0], where=where, path=path)
        for key, part in value.items():
            _check_form(part, inner[1], where=where, path=f"{path}.{key}")
    elif isinstance(value, list):
        for number, part in enumerate(value):
            _check_form(part, inner[0] if inner else None, where=where, path=f"{path}[{number}]")
    elif isinstance(value, (date, time)) and date not in (hint, *inner):
        raise ConfigError(f"{where}: {path}: found the time {value}, expected another kind of value; quote text")
    elif isinstance(value, str) and Decimal in (hint, *inner):
        raise ConfigError(f"{where}: {path}: found the text {short(value)}, expected a number; remove the quotes")


def _check_names(value: Table, kind: Any, *, where: str, path: str) -> None:
    """The keys of a table whose names are a closed set."""
    known = [str(member.value) for member in kind] if isinstance(kind, type) and issubclass(kind, Enum) else [*value]
    for key in value:
        if key not in known:
            raise _unknown(f"{path}.{key}", key, known, where)


def _unknown(name: str, key: str, known: Sequence[str], where: str) -> ConfigError:
    near = difflib.get_close_matches(key, known, n=1)
    cure = f"did you mean {near[0]!r}?" if near else f"expected one of {_listed(known)}"
    return ConfigError(f"{where}: unknown key {short(name)}; {cure}")


def _listed(known: Sequence[str]) -> str:
    """The first names of many: a line that nobody reads to its end helps nobody."""
    rest = len(known) - MOST_NAMES
    return ", ".join(known) if rest <= 0 else f"{', '.join(known[:MOST_NAMES])} and {rest} more"


def short(value: object) -> str:
    """Return a value as a message repeats it."""
    text = repr(value)
    return text if len(text) <= LONGEST_FOUND else f"{text[:LONGEST_FOUND]}..."


def source_of(layers: Sequence[Layer], path: Sequence[object]) -> str:
    """Return the name of the last layer that sets a key, or else the section nearest above it."""
    for length in range(len(path), 0, -1):
        for layer in reversed(layers):
            if _reaches(layer.table, path[:length]):
                return layer.where
    return layers[0].where


def _reaches(place: object, path: Sequence[object]) -> bool:
    for part in path:
        if not isinstance(place, dict) or part not in place:
            return False
        place = place[part]
    return True


def parsed(raw: Table, layers: Sequence[Layer], section: type[_Section]) -> _Section:
    """Return the section that a whole table makes.

    Raises:
        ConfigError: A value is missing or not what the section expects; the layer that is wrong is named.
    """
    for path, value in _leaves(raw):
        if isinstance(value, float) and not math.isfinite(value):
            where = source_of(layers, path.partition("[")[0].split("."))
            raise ConfigError(f"{where}: {path}: found {value}, expected a finite number; correct it")
    try:
        return TypeAdapter(section).validate_json(json.dumps(raw, default=_dated), strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        message = first["msg"].removeprefix("Value error, ")
        keys = _path_of([str(part) for part in first["loc"] if isinstance(part, str)], message, layers)
        key = ".".join(keys) or "settings"
        if first["type"] == "missing":
            message = "is missing; add it"
        found = "" if isinstance(first["input"], dict) else f"; found {short(first['input'])}"
        raise ConfigError(f"{source_of(layers, keys)}: {key}: {message}{found}") from error


def _path_of(loc: Sequence[str], message: str, layers: Sequence[Layer]) -> list[str]:
    """The keys that lead to what is wrong; a section's own check names the key at fault in its message.

    Where it names several that contradict each other, the one that the last layer sets is at fault: the layers below
    agree with each other.
    """
    words = re.findall(r"[a-z_]+", message)
    for layer in reversed(layers):
        place: object = layer.table
        for part in loc:
            place = place.get(part) if isinstance(place, dict) else None
        named = [word for word in words if isinstance(place, dict) and word in place]
        if named:
            return [*loc, named[0]]
    return [*loc]


def _dated(value: object) -> str:
    if isinstance(value, (date, time)):
        return value.isoformat()
    raise ConfigError(f"a {type(value).__name__} is no setting")


def overlaid(value: _Section, layer: Layer) -> _Section:
    """Return a section with a layer laid over it key by key; the section itself stays as it is.

    Raises:
        ConfigError: A key is unknown, or a value is not what the section expects.
    """
    section = type(value)
    check_keys(layer.table, section, where=layer.where)
    below = TypeAdapter(section).dump_python(value, mode="json")
    return parsed(laid_over(below, layer.table), [layer], section)


def _leaves(table: object, path: str = "") -> Iterator[tuple[str, object]]:
    if isinstance(table, dict):
        for key, value in table.items():
            yield from _leaves(value, f"{path}.{key}" if path else str(key))
    elif isinstance(table, list):
        for number, value in enumerate(table):
            yield from _leaves(value, f"{path}[{number}]")
    else:
        yield path, table
