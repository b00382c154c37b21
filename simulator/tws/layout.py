r"""One description of a message for both directions: an ordered plan of fields, each with its kind and its versions.

How it works. A message is a frozen dataclass whose fields stand in the order of the wire and whose `Head` gives its
number; `plan_of` reads the plan off the class. `encode` and `decode` walk the same plan. A tuple is a count and that
many rows, a nested class stands in line, `Gate` limits a field to some versions, `When` to some values of the fields
before it. What always holds: what `encode` wrote at a version, `decode` reads back at that version with nothing left.
Source: docs/ib/wire.md, sections 1 and 2.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from decimal import Decimal
from functools import cache
from typing import Annotated, Any, ClassVar, Final, Protocol, TypeVar, get_args, get_origin, get_type_hints

from bot.domain.errors import InvalidValueError
from simulator.tws.fields import UNSET_TEXT, Cursor, decimal_of
from simulator.tws.framing import frame_of, text_of

FOR_EVER: Final = 1 << 30
FRACTIONAL_SIZES: Final = 163
"""From this version on market-data sizes may be fractional; below they are whole numbers."""
MOST_ROWS: Final = 10_000

Values = Mapping[str, Any]
Condition = Callable[[Values], bool]
T = TypeVar("T")


class Codec(Protocol):
    """How one value stands on the wire."""

    def read(self, cursor: Cursor, name: str, version: int) -> Any:
        """Return the value that the next fields hold; raises BadFieldError for what they cannot."""
        ...

    def write(self, value: Any, texts: list[str], version: int) -> None:
        """Append the value's fields."""
        ...


@dataclass(frozen=True, slots=True)
class Scalar:
    """One field: how it is read, and how it is written (`text_of` unless stated)."""

    reader: Callable[[Cursor, str], Any]
    writer: Callable[[Any], str] = text_of

    def read(self, cursor: Cursor, name: str, version: int) -> Any:  # noqa: ARG002 - the same in every version
        """Return the value of the next field."""
        return self.reader(cursor, name)

    def write(self, value: Any, texts: list[str], version: int) -> None:  # noqa: ARG002 - the same in every version
        """Append one field."""
        texts.append(self.writer(value))


@dataclass(frozen=True, slots=True)
class SizeScalar:
    """A market-data size: a whole number below `FRACTIONAL_SIZES`, else the shortest form."""

    def read(self, cursor: Cursor, name: str, version: int) -> float:
        """Return the size; a fraction in an old layout is no size."""
        return float(cursor.integer(name)) if version < FRACTIONAL_SIZES else cursor.real(name)

    def write(self, value: Any, texts: list[str], version: int) -> None:
        """Append one field."""
        texts.append(size_text(value, version))


def size_text(size: float, version: int) -> str:
    """Return a size in the form of a version: never a point for a whole number, none at all below 163."""
    return str(round(size)) if version < FRACTIONAL_SIZES or size == int(size) else repr(float(size))


def _optional_real(cursor: Cursor, name: str) -> float | None:
    text = cursor.number_text(name)
    return float(text) if text else None


def _decimal(cursor: Cursor, name: str) -> Decimal:
    return decimal_of(cursor.number_text(name), name) or Decimal(0)


def _optional_decimal(cursor: Cursor, name: str) -> Decimal | None:
    return decimal_of(cursor.number_text(name), name)


def _flag_text(cursor: Cursor, name: str) -> str:
    return "1" if cursor.flag(name) else "0"


def _real_text(value: float | Decimal | None) -> str:
    if value is None:
        return ""
    number = float(value)
    return repr(number) if number - number == 0.0 else ""  # as text_of, on the hot path


TEXT: Final = Scalar(Cursor.text)
INTEGER: Final = Scalar(Cursor.integer, lambda value: str(int(value)))
REAL: Final = Scalar(Cursor.real, _real_text)
FLAG: Final = Scalar(Cursor.flag, lambda value: "1" if value else "0")
DECIMAL: Final = Scalar(_decimal, _real_text)
OPTIONAL_REAL: Final = Scalar(_optional_real, _real_text)
OPTIONAL_DECIMAL: Final = Scalar(_optional_decimal, _real_text)
UNSET_DECIMAL: Final = Scalar(_optional_decimal, lambda value: UNSET_TEXT if value is None else text_of(value))
NUMBER_TEXT: Final = Scalar(Cursor.number_text)
FLAG_TEXT: Final = Scalar(_flag_text)
SIZE: Final = SizeScalar()

Size = Annotated[float, SIZE]
Unset = Annotated[Decimal | None, UNSET_DECIMAL]
"""A number whose absence is spelled out."""

_SCALARS: Final[Mapping[Any, Codec]] = {
    str: TEXT,
    int: INTEGER,
    float: REAL,
    bool: FLAG,
    Decimal: DECIMAL,
    float | None: OPTIONAL_REAL,
    Decimal | None: OPTIONAL_DECIMAL,
}


@dataclass(frozen=True, slots=True)
class Counted:
    """A count and that many rows."""

    row: Codec
    most: int = MOST_ROWS

    def read(self, cursor: Cursor, name: str, version: int) -> tuple[Any, ...]:
        """Return the rows."""
        count = cursor.count(f"number of {name}", most=self.most)
        return tuple(self.row.read(cursor, name, version) for _ in range(count))

    def write(self, value: Any, texts: list[str], version: int) -> None:
        """Append the count, then the rows."""
        texts.append(str(len(value)))
        for each in value:
            self.row.write(each, texts, version)


@dataclass(frozen=True, slots=True)
class Texts:
    """Some fields that are kept as they stand, as one tuple."""

    names: tuple[str, ...]

    def read(self, cursor: Cursor, name: str, version: int) -> tuple[str, ...]:  # noqa: ARG002 - the same in every version
        """Return the fields."""
        return tuple(cursor.text(f"{name} {each}") for each in self.names)

    def write(self, value: Any, texts: list[str], version: int) -> None:  # noqa: ARG002 - the same in every version
        """Append the fields."""
        texts += value


@dataclass(frozen=True, slots=True)
class Flagged:
    """A flag, and behind a set one a value; an empty tuple stands for none."""

    inner: Codec

    def read(self, cursor: Cursor, name: str, version: int) -> Any:
        """Return the value, or an empty tuple."""
        return self.inner.read(cursor, name, version) if cursor.flag(f"{name} flag") else ()

    def write(self, value: Any, texts: list[str], version: int) -> None:
        """Append the flag and what follows it."""
        texts.append("1" if value else "0")
        if value:
            self.inner.write(value, texts, version)


@dataclass(frozen=True, slots=True)
class Gate:
    """The versions that carry a field: ``since`` included, ``until`` not."""

    since: int = 0
    until: int = FOR_EVER

    def holds(self, version: int) -> bool:
        """Return whether a layout carries the field."""
        return self.since <= version < self.until


@dataclass(frozen=True, slots=True)
class When:
    """A field that is there only for some values of the fields before it."""

    applies: Condition


@dataclass(frozen=True, slots=True)
class Field:
    """One step of a plan; the last fields of a message may be absent where they and all behind them have defaults."""

    name: str
    codec: Codec
    gate: Gate = Gate()
    applies: Condition | None = None
    is_optional: bool = False

    def exists(self, values: Values, version: int) -> bool:
        """Return whether a message of a version, read or written so far, carries the field."""
        return self.gate.holds(version) and (self.applies is None or self.applies(values))


Plan = tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Head:
    """A message's number, and the version field behind it where it has one (``until`` not included)."""

    number: int
    version: int | None = None
    until: int = FOR_EVER

    def has_version_at(self, version: int) -> bool:
        """Return whether a layout carries the message's own version field."""
        return self.version is not None and version < self.until


class Message(Protocol):
    """A frozen dataclass with a head."""

    HEAD: ClassVar[Head]


@dataclass(frozen=True, slots=True)
class Record:
    """The fields of a class in line."""

    kind: Any

    def read(self, cursor: Cursor, name: str, version: int) -> Any:  # noqa: ARG002 - the fields have names
        """Return one object of the class."""
        return self.kind(**read_plan(plan_of(self.kind), cursor, version))

    def write(self, value: Any, texts: list[str], version: int) -> None:
        """Append the object's fields."""
        write_plan(plan_of(self.kind), _values_of(value), texts, version)


def plan_of(kind: Any) -> Plan:
    """Return the plan that a message class states.

    Raises:
        InvalidValueError: A field's type has no form on the wire.
    """
    return _plan_of(kind)


@cache
def _plan_of(kind: Any) -> Plan:
    hints, plan = get_type_hints(kind, include_extras=True), []
    is_tail = True
    for each in reversed(fields(kind)):
        is_tail = is_tail and each.default is not MISSING
        plan.append(_field_of(each.name, hints[each.name], is_optional=is_tail))
    return tuple(reversed(plan))


def encode(message: Any, version: int) -> bytes:
    """Return a message as one frame in the layout of a version."""
    return frame_of(texts_of(message, version))


def texts_of(message: Any, version: int) -> list[str]:
    """Return all fields of a message, its number first."""
    head: Head = message.HEAD
    texts = [str(head.number)]
    if head.has_version_at(version):
        texts.append(str(head.version))
    kind: Any = type(message)
    writers = _plain_writers(kind, version)
    if writers is None:
        write_plan(plan_of(kind), _values_of(message), texts, version)
    else:
        texts += [write(getattr(message, name)) for name, write in writers]
    return texts


@cache
def _plain_writers(kind: Any, version: int) -> tuple[tuple[str, Callable[[Any], str]], ...] | None:
    """Return the fields of a class with their writers; None where not all of them are single and unconditional."""
    plan = [each for each in plan_of(kind) if each.gate.holds(version)]
    if any(each.applies is not None or not isinstance(each.codec, Scalar) for each in plan):
        return None
    return tuple((each.name, each.codec.writer) for each in plan if isinstance(each.codec, Scalar))


def decode(kind: type[T], cursor: Cursor, version: int) -> T:
    """Return a message; the cursor stands behind the number, and what it has left is surplus.

    Raises:
        BadFieldError: A field is missing or unreadable.
    """
    head: Head = kind.HEAD  # type: ignore[attr-defined]  # every message class has one
    if head.has_version_at(version):
        cursor.text("version")
    return kind(**read_plan(plan_of(kind), cursor, version))


def read_plan(plan: Plan, cursor: Cursor, version: int) -> dict[str, Any]:
    """Return the values of a plan's fields.

    Raises:
        BadFieldError: A field is missing or unreadable.
    """
    values: dict[str, Any] = {}
    for field in plan:
        if not field.exists(values, version):
            continue
        if field.is_optional and cursor.left == 0:
            break
        values[field.name] = field.codec.read(cursor, field.name, version)
    return values


def write_plan(plan: Plan, values: Values, texts: list[str], version: int) -> None:
    """Append the fields of a plan; a value that is missing is written as nothing."""
    for field in plan:
        if field.exists(values, version):
            field.codec.write(values.get(field.name, ""), texts, version)


def block(text: str, *, when: Condition | None = None) -> Plan:
    """Return a plan of fields that are kept as texts.

    ``name:n`` is a number, ``name:b`` a flag, a bare name is text; ``name>=158`` is there from that version on,
    ``name<177`` below it.
    """
    return tuple(_text_field(each, when) for each in text.split())


_BLOCK_CODECS: Final = {"": TEXT, "n": NUMBER_TEXT, "b": FLAG_TEXT}


def _text_field(text: str, when: Condition | None) -> Field:
    name, _, since = text.partition(">=")
    name, _, until = name.partition("<")
    name, _, kind = name.partition(":")
    return Field(name, _BLOCK_CODECS[kind], Gate(int(since or 0), int(until or FOR_EVER)), when)


def _values_of(message: Any) -> dict[str, Any]:
    return {field.name: getattr(message, field.name) for field in plan_of(type(message))}


def _field_of(name: str, hint: Any, *, is_optional: bool) -> Field:
    hint, marks = _unwrapped(hint)
    gate = next((mark for mark in marks if isinstance(mark, Gate)), Gate())
    when = next((mark for mark in marks if isinstance(mark, When)), None)
    codec = _codec_of(hint, marks, name)
    return Field(name, codec, gate, None if when is None else when.applies, is_optional)


def _unwrapped(hint: Any) -> tuple[Any, tuple[Any, ...]]:
    if get_origin(hint) is Annotated:
        inner, *marks = get_args(hint)
        return inner, tuple(marks)
    return hint, ()


def _codec_of(hint: Any, marks: Iterable[Any], name: str) -> Codec:
    for mark in marks:
        if hasattr(mark, "read") and hasattr(mark, "write"):
            codec: Codec = mark
            return codec
    if get_origin(hint) is tuple:
        inner, inner_marks = _unwrapped(get_args(hint)[0])
        return Counted(_codec_of(inner, inner_marks, name))
    if is_dataclass(hint):
        return Record(hint)
    if hint in _SCALARS:
        return _SCALARS[hint]
    raise InvalidValueError(f"{name}: {hint!r} has no form on the wire")
