r"""Frames of the wire: a length of four bytes, then fields that each end with a zero byte; no I/O, no meaning.

How it works. `FrameReader` takes bytes as they come and gives whole frames; a client's first bytes are the prefix
``API\0`` without a length. What always holds: any division of the same bytes gives the same frames, and text that is
no UTF-8 is replaced, never an error. Source: docs/ib/wire.md, section 1.
"""

import struct
from collections.abc import Iterable
from decimal import Decimal
from typing import Final

from bot.domain.errors import AlvhError

PREFIX: Final = b"API\0"
MOST_FRAME_BYTES: Final = 1 << 20
"""The longest frame taken from a client; the longest legal one, an order with all its blocks, stays below 64 KiB."""
_LENGTH: Final = struct.Struct(">I")
_HEAD: Final = _LENGTH.size

Value = str | int | float | Decimal | bool | None


class FramingError(AlvhError):
    """The client's bytes are no frames: nothing after them can be read, close the connection."""


class FrameReader:
    """Collects a client's bytes and cuts them into frames."""

    def __init__(self, *, most_bytes: int = MOST_FRAME_BYTES) -> None:
        """Wait for the prefix; frames longer than ``most_bytes`` are refused."""
        self._most_bytes = most_bytes
        self._buffer = bytearray()
        self._begun = False

    def __repr__(self) -> str:
        """How much is waiting, for failing tests."""
        return f"FrameReader({'begun' if self._begun else 'before prefix'}, {len(self._buffer)} bytes waiting)"

    def feed(self, data: bytes) -> None:
        """Append bytes as they arrived."""
        self._buffer += data

    def take(self) -> tuple[str, ...] | None:
        """Return the fields of the next whole frame, or None until more bytes arrive.

        A last field without its zero byte counts as a field.

        Raises:
            FramingError: No prefix at the start, or a frame that is empty or too long.
        """
        if not self._begun and not self._take_prefix():
            return None
        buffer = self._buffer
        if len(buffer) < _HEAD:
            return None
        (size,) = _LENGTH.unpack_from(buffer)
        if not 0 < size <= self._most_bytes:
            raise FramingError(f"a frame of {size} bytes was announced, expected 1 to {self._most_bytes}")
        if len(buffer) < _HEAD + size:
            return None
        payload = bytes(buffer[_HEAD : _HEAD + size])
        del buffer[: _HEAD + size]
        return fields_of(payload)

    def _take_prefix(self) -> bool:
        start = bytes(self._buffer[: len(PREFIX)])
        if not PREFIX.startswith(start):
            raise FramingError(f"expected {PREFIX!r} first, found {start!r}")
        if len(start) < len(PREFIX):
            return False
        del self._buffer[: len(PREFIX)]
        self._begun = True
        return True


def fields_of(payload: bytes) -> tuple[str, ...]:
    """Return the fields of a frame's payload, decoded as UTF-8 with replacement."""
    fields = payload.decode("utf-8", "replace").split("\0")
    if fields[-1] == "":
        fields.pop()
    return tuple(fields)


def frame(*values: Value) -> bytes:
    """Return one frame with a field for each value, as `text_of` writes it."""
    return frame_of(map(text_of, values))


def frame_of(texts: Iterable[str]) -> bytes:
    """Return one frame of ready texts; what is not ASCII becomes an escape."""
    text = "\0".join(texts) + "\0"
    payload = text.encode("ascii") if text.isascii() else _escaped(text)
    return _LENGTH.pack(len(payload)) + payload


def raw_frame(payload: bytes) -> bytes:
    """Return a frame of a payload that is encoded already."""
    return _LENGTH.pack(len(payload)) + payload


def text_of(value: Value) -> str:
    """Return a value in the wire's form.

    Whole numbers never carry a point, booleans are 0 or 1, a missing or undefined number is empty, and a decimal is
    written as the shortest float. Zero bytes inside a text are dropped: they would end the field.

    >>> [text_of(value) for value in (True, 7, 0.5, Decimal("19.50"), None, float("nan"))]
    ['1', '7', '0.5', '19.5', '', '']
    """
    if value is None:
        return ""
    if isinstance(value, str):
        return value.replace("\0", "")
    if isinstance(value, int):
        return str(int(value))
    number = float(value)
    return repr(number) if number - number == 0.0 else ""


def _escaped(text: str) -> bytes:
    r"""Return ASCII bytes with ``\uXXXX`` for other characters, ``\UXXXXXXXX`` beyond the basic plane."""
    return "".join(character if character.isascii() else _escape(ord(character)) for character in text).encode("ascii")


def _escape(point: int) -> str:
    return f"\\u{point:04x}" if point <= 0xFFFF else f"\\U{point:08x}"
