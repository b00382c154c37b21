"""Reading a client's fields: a cursor that goes through a frame and knows every spelling of a number."""

import math
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import Final

from bot.domain.errors import AlvhError

UNSET_DOUBLE: Final = 1.7976931348623157e308
UNSET_INTEGER: Final = 2147483647
UNSET_TEXT: Final = "1.7976931348623157E308"
INFINITY_TEXT: Final = "Infinity"
"""What every client can read; some of them write another spelling, and not all can read that."""
_INFINITIES: Final = frozenset({INFINITY_TEXT, "Infinite", "inf"})
_LARGEST_INTEGER: Final = 1 << 62
_NOTHING: Final = frozenset({"", "2147483647", "1.7976931348623157E308", "1.7976931348623157e+308"})


class BadFieldError(AlvhError):
    """A field that is missing or cannot be read: refuse this one request and go on."""


class Cursor:
    """The position in one frame's fields; every reading names the field for the error."""

    __slots__ = ("_fields", "_position")

    def __init__(self, fields: Sequence[str], position: int = 0) -> None:
        """Start reading at ``position``, the message id being field 0."""
        self._fields = fields
        self._position = position

    @property
    def left(self) -> int:
        """How many fields have not been read."""
        return len(self._fields) - self._position

    def text(self, name: str) -> str:
        """Return the next field as it stands.

        Raises:
            BadFieldError: The frame has ended.
        """
        if self._position >= len(self._fields):
            raise BadFieldError(f"{name}: the message ends after {len(self._fields)} fields")
        found = self._fields[self._position]
        self._position += 1
        return found

    def number_text(self, name: str) -> str:
        """Return a number as text: empty where any spelling of "unset" stands, one spelling of infinity.

        Raises:
            BadFieldError: Neither a number nor empty, or the frame has ended.
        """
        text = self.text(name).strip()
        if text in _NOTHING:
            return ""
        if text in _INFINITIES:
            return INFINITY_TEXT
        return "" if _as_float(text, name) == UNSET_DOUBLE else text

    def integer(self, name: str) -> int:
        """Return a whole number; ``12`` and ``12.0`` are the same, empty and unset are 0.

        Raises:
            BadFieldError: Not a whole number, beyond 62 bits, or the frame has ended.
        """
        text = self.number_text(name)
        if not text:
            return 0
        if len(text) < 19 and text.isdecimal() and text.isascii():
            return int(text)
        number = _as_float(text, name)
        if not number.is_integer() or abs(number) > _LARGEST_INTEGER:
            raise BadFieldError(f"{name}: expected a whole number, found {text[:40]!r}")
        return int(number)

    def real(self, name: str) -> float:
        """Return a finite number, 0.0 for empty and unset.

        Raises:
            BadFieldError: Not a finite number, or the frame has ended.
        """
        text = self.number_text(name)
        number = _as_float(text, name) if text else 0.0
        if not math.isfinite(number):
            raise BadFieldError(f"{name}: expected a finite number, found {text[:40]!r}")
        return number

    def flag(self, name: str) -> bool:
        """Return a boolean; empty is false.

        Raises:
            BadFieldError: None of the known spellings, or the frame has ended.
        """
        text = self.text(name).strip()
        if text in {"", "0", "false", "False"}:
            return False
        if text in {"1", "true", "True"}:
            return True
        raise BadFieldError(f"{name}: expected 0 or 1, found {text[:40]!r}")

    def count(self, name: str, *, most: int) -> int:
        """Return how many entries follow, 0 for empty.

        Raises:
            BadFieldError: Negative or above ``most``.
        """
        number = self.integer(name)
        if not 0 <= number <= most:
            raise BadFieldError(f"{name}: expected 0 to {most} entries, found {number}")
        return number


def decimal_of(text: str, name: str) -> Decimal | None:
    """Return a number text as a decimal, None for empty.

    Raises:
        BadFieldError: Not a finite number.
    """
    if not text:
        return None
    try:
        number = Decimal(text)
    except InvalidOperation as error:
        raise BadFieldError(f"{name}: expected a number, found {text[:40]!r}") from error
    if not number.is_finite():
        raise BadFieldError(f"{name}: expected a finite number, found {text[:40]!r}")
    return number


def _as_float(text: str, name: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise BadFieldError(f"{name}: expected a number, found {text[:40]!r}") from error
