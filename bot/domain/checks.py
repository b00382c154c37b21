"""Validation shared by the value types: a wrong value is refused when it is made, never later."""

import math
from datetime import datetime
from decimal import Decimal

from bot.domain.errors import InvalidValueError


def require_aware(**moments: datetime) -> None:
    """Raise InvalidValueError unless every moment carries a time zone."""
    for name, moment in moments.items():
        if moment.tzinfo is None or moment.utcoffset() is None:
            raise InvalidValueError(f"{name} must carry a time zone, was {moment.isoformat()}")


def require_finite(**numbers: float | Decimal) -> None:
    """Raise InvalidValueError unless every number is finite, and an integer no larger than a float can be."""
    for name, number in numbers.items():
        try:
            is_finite = math.isfinite(number)
        except OverflowError as error:  # an integer; its digits would fill the message
            raise InvalidValueError(f"{name} must be a number that a float can hold, was larger") from error
        if not is_finite:
            raise InvalidValueError(f"{name} must be finite, was {number}")


def require_positive(**numbers: float | Decimal) -> None:
    """Raise InvalidValueError unless every number is finite and above zero."""
    require_finite(**numbers)
    for name, number in numbers.items():
        if number <= 0:
            raise InvalidValueError(f"{name} must be positive, was {number}")


def require_not_negative(**numbers: float | Decimal) -> None:
    """Raise InvalidValueError unless every number is finite and not below zero."""
    require_finite(**numbers)
    for name, number in numbers.items():
        if number < 0:
            raise InvalidValueError(f"{name} must not be negative, was {number}")


def require_frac(**fractions: float) -> None:
    """Raise InvalidValueError unless every number lies between 0 and 1, the ends included."""
    require_finite(**fractions)
    for name, fraction in fractions.items():
        if not 0.0 <= fraction <= 1.0:
            raise InvalidValueError(f"{name} must lie between 0 and 1, was {fraction}")


def require_text(**texts: str) -> None:
    """Raise InvalidValueError for an empty text."""
    for name, text in texts.items():
        if not text:
            raise InvalidValueError(f"{name} must not be empty")
