"""The broker's words for bar sizes, durations and kinds of price. Source: docs/ib/wire.md, section 5.7."""

from typing import Final

from simulator.venue import PriceKind, Span, SpanUnit

_SECONDS: Final = {
    "1 secs": 1,
    "5 secs": 5,
    "10 secs": 10,
    "15 secs": 15,
    "30 secs": 30,
    "1 min": 60,
    "2 mins": 120,
    "3 mins": 180,
    "5 mins": 300,
    "10 mins": 600,
    "15 mins": 900,
    "20 mins": 1200,
    "30 mins": 1800,
    "1 hour": 3600,
    "2 hours": 7200,
    "3 hours": 10800,
    "4 hours": 14400,
    "8 hours": 28800,
}
_LONG: Final = {
    **dict.fromkeys(("1 day", "1 D", "1D", "1d"), SpanUnit.DAY),
    **dict.fromkeys(("1 week", "1 W", "1W", "1w"), SpanUnit.WEEK),
    **dict.fromkeys(("1 month", "1 M", "1M", "1m"), SpanUnit.MONTH),
}
BAR_SIZES: Final = {
    **{text: Span(count=seconds, unit=SpanUnit.SECOND) for text, seconds in _SECONDS.items()},
    "1 sec": Span(count=1, unit=SpanUnit.SECOND),
    **{text: Span(count=1, unit=unit) for text, unit in _LONG.items()},
}
"""Bar widths by the broker's words; both the singular and the plural of one second are taken."""
KINDS: Final = {kind.value: kind for kind in PriceKind}
SCHEDULE: Final = "SCHEDULE"
_MOST: Final = {
    SpanUnit.SECOND: 86_400 * 2,
    SpanUnit.DAY: 365 * 3,
    SpanUnit.WEEK: 52 * 10,
    SpanUnit.MONTH: 12 * 30,
    SpanUnit.YEAR: 68,
}
_MOST_BARS: Final = 100_000
_LENGTH_S: Final = {
    SpanUnit.SECOND: 1,
    SpanUnit.DAY: 86_400,
    SpanUnit.WEEK: 604_800,
    SpanUnit.MONTH: 2_678_400,
    SpanUnit.YEAR: 31_622_400,
}


def duration_of(text: str) -> Span | None:
    """Return a duration, None for what is none or longer than the broker keeps.

    >>> duration_of("2 W"), duration_of("0 D"), duration_of("5 X")
    (Span(count=2, unit=<SpanUnit.WEEK: 'W'>), None, None)
    """
    number, _, unit = text.strip().partition(" ")
    if (
        not (number.isdecimal() and number.isascii())
        or len(number) > 6
        or unit not in {each.value for each in SpanUnit}
    ):
        return None
    span = Span(count=int(number), unit=SpanUnit(unit))
    return span if 0 < span.count <= _MOST[span.unit] else None


def length_s(span: Span) -> int:
    """Return a span's longest length in seconds of the calendar."""
    return span.count * _LENGTH_S[span.unit]


def is_too_long(reach: Span, width: Span) -> bool:
    """Return whether a request asks for more bars than are told at once."""
    return length_s(reach) / length_s(width) > _MOST_BARS


def is_intraday(width: Span) -> bool:
    """Return whether bars carry a moment and not a day."""
    return width.unit is SpanUnit.SECOND
