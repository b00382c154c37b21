"""Journal figures as words: USD, points, percent and moments, never more digits than mean something.

What always holds: what is missing is told as missing and never as zero, and text that came from outside cannot steer a
terminal.
"""

from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Final

from bot.domain.schedule import NEW_YORK

MISSING: Final = "not in the journal"
LONGEST_TEXT: Final = 400
"""Characters of one text; a broker's message may be of any length."""


def number_of(value: object) -> Decimal | None:
    """Return a figure as the journal wrote it (number or text), None where it is none or not finite.

    >>> number_of("0.59"), number_of(1.5), number_of("none"), number_of(None), number_of(True)
    (Decimal('0.59'), Decimal('1.5'), None, None, None)
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def plain(value: object, digits: int = 2) -> str:
    """Return a figure with thousands separators and so many digits, or that it is missing.

    >>> plain("10480.0000"), plain(-0.001), plain(None)
    ('10,480.00', '0.00', 'not in the journal')
    """
    number = number_of(value)
    if number is None:
        return MISSING
    text = f"{number:,.{digits}f}"
    return text.removeprefix("-") if not text.strip("-0.,") else text  # no minus before nothing


def usd(value: object, digits: int = 2) -> str:
    """Return an amount in USD; two digits where it is exact, none where a model made it."""
    return _with_unit(value, digits, "USD")


def points(value: object) -> str:
    """Return volatility or price points, two digits."""
    return _with_unit(value, 2, "points")


def per_point(value: object) -> str:
    """Return an exposure, USD per +1.00 point of spot VIX; a model's figure, one digit."""
    return _with_unit(value, 1, "USD per point")


def percent(frac: object) -> str:
    """Return a fraction in percent, one digit.

    >>> percent(0.3204), percent(None)
    ('32.0 %', 'not in the journal')
    """
    number = number_of(frac)
    return MISSING if number is None else f"{plain(number * 100, 1)} %"


def signed_percent(frac: object) -> str:
    """Return a fraction in percent with its sign.

    >>> signed_percent(0.029), signed_percent(-0.1)
    ('+2.9 %', '-10.0 %')
    """
    text = percent(frac)
    return text if text == MISSING or text.startswith("-") else f"+{text}"


def in_both_times(at: datetime) -> str:
    """Return a moment with its day in New York's time, and in UTC.

    >>> in_both_times(datetime.fromisoformat("2026-10-20T15:50:00+00:00"))
    '2026-10-20 11:50:00 New York (15:50:00 UTC)'
    """
    return f"{at.astimezone(NEW_YORK):%Y-%m-%d %H:%M:%S} New York ({at.astimezone(UTC):%H:%M:%S} UTC)"


def clock(at: datetime) -> str:
    """Return the time of the day in New York."""
    return f"{at.astimezone(NEW_YORK):%H:%M:%S}"


def day_and_clock(at: datetime) -> str:
    """Return day and time in New York."""
    return f"{at.astimezone(NEW_YORK):%Y-%m-%d %H:%M:%S}"


def moment_of(value: object) -> datetime | None:
    """Return a moment that a payload holds as text, None where it holds none."""
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return None if moment.tzinfo is None else moment


def text_of(value: object) -> str:
    r"""Return a text on one line: whatever could steer a terminal stands as its escape, what is very long is cut.

    >>> text_of("no \x1b[31m funds"), text_of(None)
    ('no \\x1b[31m funds', '')
    """
    text = "" if value is None else str(value)
    safe = "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)
    return safe if len(safe) <= LONGEST_TEXT else f"{safe[:LONGEST_TEXT]}..."


def named(value: object) -> str:
    """Return a snake_case name in words: relative_strength is relative strength."""
    return text_of(value).replace("_", " ")


def sentence(text: str) -> str:
    """Return a text with a capital and a full stop."""
    return "" if not text else f"{text[0].upper()}{text[1:]}{'' if text.endswith(('.', '?', '!')) else '.'}"


def listed(texts: tuple[str, ...]) -> str:
    """Return texts as a list in words.

    >>> listed(("a",)), listed(("a", "b", "c"))
    ('a', 'a, b and c')
    """
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} and {texts[-1]}" if texts else ""


def _with_unit(value: object, digits: int, unit: str) -> str:
    text = plain(value, digits)
    return text if text == MISSING else f"{text} {unit}"
