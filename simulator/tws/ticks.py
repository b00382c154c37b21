"""Tick frames of one subscription: what changed since the last quote, from ready-made pieces.

A size that is missing or a side that is gone is told as price -1 with size 0. Model greeks (tick 13) come with the
subscription and then at most once in `GREEKS_EVERY_S` of the floor's time; gamma, vega and theta are told as not
computed.
"""

import struct
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from simulator.tws.framing import frame
from simulator.venue import VenueQuote

GREEKS_EVERY_S: Final = 60
"""Greeks are told this often per contract: they are for orientation, the sides are what is traded."""
_GREEKS_EVERY: Final = timedelta(seconds=GREEKS_EVERY_S)

BID: Final = 1
ASK: Final = 2
LAST: Final = 4
CLOSE: Final = 9
_BID_SIZE: Final = 0
_ASK_SIZE: Final = 3
_MODEL: Final = 13
_NOT_COMPUTED: Final = -1.0
_NO_GREEK: Final = -2.0
_PRICE_BASED: Final = 1
_LENGTH: Final = struct.Struct(">I")


class Subscription:
    """What one request was told last, and the beginnings of its frames. Mutable: it is on the hot path."""

    __slots__ = ("_greeks_at", "_price_heads", "_size_heads", "_told", "has_sides", "req_id")

    def __init__(self, req_id: int, *, has_sides: bool) -> None:
        """Begin with nothing told; an index has no sides, only its level."""
        self.req_id = req_id
        self.has_sides = has_sides
        self._price_heads = {kind: f"1\x006\x00{req_id}\x00{kind}\x00".encode() for kind in (BID, ASK, LAST, CLOSE)}
        self._size_heads = {kind: f"2\x006\x00{req_id}\x00{kind}\x00".encode() for kind in (_BID_SIZE, _ASK_SIZE)}
        self._told: dict[int, object] = {}
        self._greeks_at: datetime | None = None

    def frames(self, quote: VenueQuote) -> bytes:
        """Return the frames of what changed, joined; empty when nothing did."""
        if not self.has_sides:
            return self._level(LAST, quote.last) + self._level(CLOSE, quote.close)
        parts = self._side(BID, _BID_SIZE, quote.bid, quote.bid_size)
        parts += self._side(ASK, _ASK_SIZE, quote.ask, quote.ask_size)
        return parts + self._greeks(quote)

    def _level(self, kind: int, level: float | None) -> bytes:
        """An index's level carries no size."""
        if level is None or self._told.get(kind) == level:
            return b""
        self._told[kind] = level
        return _framed(self._price_heads[kind] + repr(float(level)).encode() + b"\x000\x000\x00")

    def _side(self, kind: int, size_kind: int, price: Decimal | None, size: int) -> bytes:
        """A new price carries its size; a new size alone is a frame of its own."""
        if price is None:
            price, size = Decimal(-1), 0
        told = self._told
        if told.get(kind) != price:
            told[kind], told[size_kind] = price, size
            return _framed(self._price_heads[kind] + f"{price}\x00{size}\x000\x00".encode())
        if told.get(size_kind) != size:
            told[size_kind] = size
            return _framed(self._size_heads[size_kind] + f"{size}\x00".encode())
        return b""

    def _greeks(self, quote: VenueQuote) -> bytes:
        if quote.model_iv is None or (self._greeks_at is not None and quote.at - self._greeks_at < _GREEKS_EVERY):
            return b""
        self._greeks_at = quote.at
        underlying = _NOT_COMPUTED if quote.underlying_price is None else quote.underlying_price
        return frame(
            21,
            self.req_id,
            _MODEL,
            _PRICE_BASED,
            quote.model_iv,
            _NO_GREEK if quote.model_delta is None else quote.model_delta,
            _NOT_COMPUTED if quote.model_price is None else quote.model_price,
            _NOT_COMPUTED,  # present value of dividends
            *(_NO_GREEK, _NO_GREEK, _NO_GREEK),  # gamma, vega, theta
            underlying,
        )


def _framed(payload: bytes) -> bytes:
    return _LENGTH.pack(len(payload)) + payload
