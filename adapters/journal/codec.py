"""Domain values to JSON text and back: what was written down can be read as the same values.

What always holds: a number is written with all its digits, a moment in UTC, a set in sorted order, so that the same
value has one text. A Decimal becomes text, which a field that may also hold text (`Checked.found`) reads back as text.
"""

import dataclasses
import json
import math
from collections.abc import Hashable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from functools import cache
from typing import Any, TypeVar, cast

from pydantic import TypeAdapter, ValidationError

from bot.domain.errors import JournalError

T = TypeVar("T")

Plain = str | int | float | bool | None | list["Plain"] | dict[str, "Plain"]


def plain(value: object, *, null_if_not_finite: bool = False) -> Plain:
    """Return a value as JSON can hold it.

    Decimals and moments become text, moments in UTC; frozen values become objects of their fields. Half a character
    (a lone surrogate, which no file can hold) is written as its escape.

    Args:
        value: What is to be written.
        null_if_not_finite: Logs only: NaN and infinities become null instead of an error.

    Raises:
        JournalError: Something that has no written form, a number that is not finite, or a moment without a zone.
    """

    def inner(held: object) -> Plain:
        return plain(held, null_if_not_finite=null_if_not_finite)

    match value:
        case Enum():
            return inner(value.value)
        case None | bool() | int():
            return value
        case str():
            return _whole(value)
        case float() | Decimal():
            return _number(value, null_if_not_finite=null_if_not_finite)
        case date():
            return _moment(value)
        case Mapping():
            return {_key(key): inner(held) for key, held in value.items()}
        case AbstractSet():
            return sorted((inner(held) for held in value), key=repr)
        case tuple() if hasattr(value, "_asdict"):
            return {name: inner(held) for name, held in value._asdict().items()}
        case Sequence() if not isinstance(value, (bytes, bytearray, memoryview)):
            return [inner(held) for held in value]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: inner(getattr(value, field.name)) for field in dataclasses.fields(value) if field.init}
    raise JournalError(f"the journal cannot write a {type(value).__name__}")


def _whole(text: str) -> str:
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def _number(value: float | Decimal, *, null_if_not_finite: bool) -> Plain:
    is_finite = value.is_finite() if isinstance(value, Decimal) else math.isfinite(value)  # the latter raises on sNaN
    if not is_finite:
        if null_if_not_finite:
            return None
        raise JournalError(f"the journal holds finite numbers only, was given {value}")
    return f"{value:f}" if isinstance(value, Decimal) else value


def _moment(value: date) -> str:
    if not isinstance(value, datetime):
        return value.isoformat()
    if value.utcoffset() is None:
        raise JournalError(f"the journal holds moments with a time zone only, was given {value.isoformat()}")
    return value.astimezone(UTC).isoformat()


def _key(key: object) -> str:
    return _whole(str(key.value if isinstance(key, Enum) else key))


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
