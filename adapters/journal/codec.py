"""Domain values to JSON text and back: what was written down can be read as the same values."""

import dataclasses
import json
import math
from collections.abc import Hashable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from functools import cache
from typing import Any, TypeVar, cast

from pydantic import TypeAdapter, ValidationError

from bot.domain.errors import JournalError

T = TypeVar("T")

Plain = str | int | float | bool | None | list["Plain"] | dict[str, "Plain"]


def plain(value: object) -> Plain:
    """Return a value as JSON can hold it.

    Decimals and moments become text, moments in UTC; frozen values become objects of their fields.

    Raises:
        JournalError: Something that has no written form, or a number that is not finite.
    """
    match value:
        case Enum():
            return plain(value.value)
        case None | bool() | str() | int():
            return value
        case float():
            if not math.isfinite(value):
                raise JournalError(f"the journal holds finite numbers only, was given {value}")
            return value
        case Decimal():
            return f"{value:f}"
        case datetime():
            return value.astimezone(UTC).isoformat()
        case date():
            return value.isoformat()
        case Mapping():
            return {str(key.value if isinstance(key, Enum) else key): plain(held) for key, held in value.items()}
        case Sequence() | frozenset():
            return [plain(held) for held in value]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value) if field.init}
    raise JournalError(f"the journal cannot write a {type(value).__name__}")


def text_of(payload: Mapping[str, object]) -> str:
    """Return a payload as canonical JSON: sorted keys, no blanks."""
    return json.dumps(plain(payload), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def value_of(kind: type[T], written: object) -> T:
    """Return a written object as the frozen value it was.

    Raises:
        JournalError: It does not describe such a value.
    """
    try:
        value: T = _adapter(cast("Hashable", kind)).validate_python(written)
    except ValidationError as error:
        raise JournalError(f"the journal holds no readable {kind.__name__}: {error.errors()[0]['msg']}") from error
    return value


@cache
def _adapter(kind: Hashable) -> TypeAdapter[Any]:
    return TypeAdapter(cast("Any", kind))
