"""Every key of the settings with its default, read from the section classes; the documentation is held against it."""

import collections.abc
import dataclasses
from collections.abc import Iterator
from enum import Enum
from typing import Any, get_args, get_origin, get_type_hints


def keys_of(section: type, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield (dotted key, default as the documentation writes it); `[]` repeats, `*` is a name."""
    hints = get_type_hints(section)
    for field in dataclasses.fields(section):
        if not field.init:
            continue
        key = f"{path}.{field.name}" if path else field.name
        hint = hints[field.name]
        if dataclasses.is_dataclass(hint):
            yield from keys_of(hint, key)  # type: ignore[arg-type]  # a class, not a value
            continue
        inner = [part for part in get_args(hint) if dataclasses.is_dataclass(part)]
        if inner:
            mark = ".*" if get_origin(hint) is collections.abc.Mapping else "[]"
            yield from keys_of(inner[0], key + mark)  # type: ignore[arg-type]  # likewise
        else:
            yield key, shown(field)


def shown(field: dataclasses.Field[Any]) -> str:
    """The default of a field in the documentation's words."""
    if field.default_factory is not dataclasses.MISSING:
        return "the table of the exchange" if field.default_factory() else "empty"
    value = field.default
    if value is dataclasses.MISSING:
        return "required"
    if value is None:
        return "none"
    if value == "":
        return "empty"
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, (frozenset, tuple)):
        return f"`[{', '.join(map(str, sorted(value)))}]`"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{value}`"
