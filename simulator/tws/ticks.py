"""Tick frames of one subscription: what changed since the last quote, from ready-made pieces.

A size that is missing or a side that is gone is told as price -1 with size 0. Greeks come with the subscription and
then once in `GREEKS_EVERY_S` of the floor's time, each contract at a second of its own, so that many contracts are not
all worked out in one step: the model's (13), and those of bid, ask and last (10 to 12) where the floor can say which
volatility their prices stand for. Generic ticks are told when they were asked for.
Source: docs/ib/wire.md, section 5.6.
"""

import struct
from decimal import Decimal
from typing import Final

from bot.domain.instrument import Kind, Right
from simulator.tws.greeks import GreekTicks
from simulator.venue import VenueQuote

GREEKS_EVERY_S: Final = 60
"""Greeks are told this often per contract: they are for orientation, the sides are what is traded."""

BID_SIZE, BID, ASK, ASK_SIZE, LAST, LAST_SIZE, HIGH, LOW, VOLUME, CLOSE = range(10)
OPEN: Final = 14
LOW_13, HIGH_13, LOW_26, HIGH_26, LOW_52, HIGH_52, AVERAGE_VOLUME, FUTURES_INTEREST_OLD = range(15, 23)
HISTORICAL_VOL, IMPLIED_VOL = 23, 24
CALL_INTEREST, PUT_INTEREST, CALL_VOLUME, PUT_VOLUME = range(27, 31)
MARK, LAST_AT, RT_VOLUME, HALTED, RT_TRADES, FUTURES_INTEREST = 37, 45, 48, 49, 77, 86

_NO_SIDE: Final = Decimal(-1)
_LENGTH: Final = struct.Struct(">I")
_PRICES: Final = (BID, ASK, LAST, HIGH, LOW, CLOSE, OPEN, MARK)
_SIZES: Final = (
    *(BID_SIZE, ASK_SIZE, LAST_SIZE, VOLUME, CALL_INTEREST, PUT_INTEREST, CALL_VOLUME, PUT_VOLUME),
    *(FUTURES_INTEREST_OLD, FUTURES_INTEREST),
)
_NUMBERS: Final = (HISTORICAL_VOL, IMPLIED_VOL, HALTED)
_TEXTS: Final = (LAST_AT, RT_VOLUME, RT_TRADES)


class Subscription:
    """What one request was told last, and the beginnings of its frames. Mutable: it is on the hot path."""

    __slots__ = ("_generic", "_greeks", "_greeks_due_s", "_greeks_second", "_heads", "_told", "has_sides", "req_id")

    def __init__(
        self,
        req_id: int,
        *,
        has_sides: bool,
        generic: frozenset[str] = frozenset(),
        greeks: GreekTicks | None = None,
        greeks_second: int = 0,
    ) -> None:
        """Begin with nothing told.

        Args:
            req_id: The request's number.
            has_sides: Whether there are bid and ask; an index has only its level.
            generic: The numbers of the generic ticks that were asked for.
            greeks: Where an option's come from; None for what has none.
            greeks_second: The second of `GREEKS_EVERY_S` from which on they are told anew; any number, taken modulo.
        """
        self.req_id = req_id
        self.has_sides = has_sides
        self._generic = generic
        self._greeks = greeks
        self._heads = _heads(req_id)
        self._told: dict[int, object] = {}
        self._greeks_second = greeks_second
        self._greeks_due_s = 0  # seconds since the epoch

    def frames(self, quote: VenueQuote) -> bytes:
        """Return the frames of what changed, joined; empty when nothing did."""
        if self.has_sides:
            parts = self._side(BID, BID_SIZE, quote.bid, quote.bid_size)
            parts += self._side(ASK, ASK_SIZE, quote.ask, quote.ask_size)
            if quote.last is not None:
                parts += self._trade(quote, quote.last)
        else:
            parts = self._level(LAST, quote.last)
        parts += self._session(quote)
        if self._generic:
            parts += self._generics(quote)
        if self._greeks is None or quote.model_iv is None:
            return parts
        return parts + self._computations(self._greeks, quote)

    def _session(self, quote: VenueQuote) -> bytes:
        """Tell the day's prices; a halt from the first one on."""
        parts = self._level(CLOSE, quote.close) + self._level(OPEN, quote.open)
        parts += self._level(HIGH, quote.high) + self._level(LOW, quote.low)
        if quote.is_halted or HALTED in self._told:
            parts += self._number(HALTED, float(quote.is_halted))
        return parts

    def _trade(self, quote: VenueQuote, last: float) -> bytes:
        """Tell a trade: its price with its size, when it was, the day's volume."""
        told = self._told
        parts = b""
        if (told.get(LAST), told.get(LAST_SIZE), told.get(VOLUME)) != (last, quote.last_size, quote.volume):
            if told.get(LAST) != last:
                told[LAST], told[LAST_SIZE] = last, quote.last_size
                parts = _framed(self._heads[LAST] + f"{last!r}\x00{quote.last_size}\x000\x00".encode())
            else:
                parts = self._size(LAST_SIZE, quote.last_size)
            parts += self._text(LAST_AT, str(int(quote.at.timestamp()))) + self._size(VOLUME, quote.volume)
            for generic, kind in (("233", RT_VOLUME), ("375", RT_TRADES)):
                if generic in self._generic:
                    parts += self._text(kind, _time_and_sale(quote, last))
        return parts

    def _level(self, kind: int, level: float | None) -> bytes:
        """A level carries no size."""
        if level is None or self._told.get(kind) == level:
            return b""
        self._told[kind] = level
        return _framed(self._heads[kind] + repr(float(level)).encode() + b"\x000\x000\x00")

    def _side(self, kind: int, size_kind: int, price: Decimal | None, size: int) -> bytes:
        """A new price carries its size; a new size alone is a frame of its own."""
        if price is None:
            price, size = _NO_SIDE, 0
        told = self._told
        if told.get(kind) != price:
            told[kind], told[size_kind] = price, size
            return _framed(self._heads[kind] + f"{price}\x00{size}\x000\x00".encode())
        if told.get(size_kind) != size:
            return self._size(size_kind, size)
        return b""

    def _size(self, kind: int, size: int | None) -> bytes:
        if size is None or self._told.get(kind) == size:
            return b""
        self._told[kind] = size
        return _framed(self._heads[kind] + f"{size}\x00".encode())

    def _number(self, kind: int, number: float | None) -> bytes:
        if number is None or self._told.get(kind) == number:
            return b""
        self._told[kind] = number
        return _framed(self._heads[kind] + f"{number!r}\x00".encode())

    def _text(self, kind: int, text: str) -> bytes:
        if self._told.get(kind) == text:
            return b""
        self._told[kind] = text
        return _framed(self._heads[kind] + f"{text}\x00".encode())

    def _generics(self, quote: VenueQuote) -> bytes:
        """Tell the generic ticks that a quote has values for."""
        wanted, kind = self._generic, quote.instrument.kind
        parts = b""
        if kind is Kind.OPTION and "101" in wanted:
            parts += self._of_right(quote, CALL_INTEREST, PUT_INTEREST, quote.open_interest)
        if kind is Kind.OPTION and "100" in wanted:
            parts += self._of_right(quote, CALL_VOLUME, PUT_VOLUME, quote.volume)
        if kind is Kind.FUTURE and "588" in wanted:
            parts += self._size(FUTURES_INTEREST, quote.open_interest)
        if "104" in wanted:
            parts += self._number(HISTORICAL_VOL, quote.historical_vol)
        if "106" in wanted:
            parts += self._number(IMPLIED_VOL, quote.implied_vol)
        if wanted & {"221", "232"}:
            parts += self._level(MARK, _mark(quote))
        return parts

    def _of_right(self, quote: VenueQuote, call: int, put: int, number: int | None) -> bytes:
        """Tell a number of one option as the broker does: its own side, and nothing on the other."""
        if number is None:
            return b""
        own, other = (call, put) if quote.instrument.right is Right.CALL else (put, call)
        return self._size(own, number) + self._size(other, 0)

    def _computations(self, greeks: GreekTicks, quote: VenueQuote) -> bytes:
        at_s = int(quote.at.timestamp())
        if at_s < self._greeks_due_s:
            return b""
        self._greeks_due_s = at_s + 1 + (self._greeks_second - at_s - 1) % GREEKS_EVERY_S
        head = f"21\x00{self.req_id}\x00"
        return b"".join(_framed(f"{head}{kind}\x00".encode() + tail) for kind, tail in greeks.tails(quote))


def generic_ticks(text: str) -> frozenset[str]:
    """Return the numbers of a list of generic ticks; what is no number is left out, as ``mdoff``."""
    return frozenset(part.strip() for part in text.split(",") if part.strip().isdecimal())


def _heads(req_id: int) -> dict[int, bytes]:
    return {
        **{kind: f"1\x006\x00{req_id}\x00{kind}\x00".encode() for kind in _PRICES},
        **{kind: f"2\x006\x00{req_id}\x00{kind}\x00".encode() for kind in _SIZES},
        **{kind: f"45\x006\x00{req_id}\x00{kind}\x00".encode() for kind in _NUMBERS},
        **{kind: f"46\x006\x00{req_id}\x00{kind}\x00".encode() for kind in _TEXTS},
    }


def _time_and_sale(quote: VenueQuote, last: float) -> str:
    """Return price;size;time in ms;total volume;average price;single trade."""
    return f"{last!r};{quote.last_size};{int(quote.at.timestamp() * 1000)};{quote.volume};{last!r};true"


def _mark(quote: VenueQuote) -> float | None:
    if quote.bid is not None and quote.ask is not None:
        return float(quote.bid + quote.ask) / 2.0
    return quote.last


def _framed(payload: bytes) -> bytes:
    return _LENGTH.pack(len(payload)) + payload
