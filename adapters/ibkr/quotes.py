"""One market data line, pure: raw price and size ticks in, `Tick` and `Quote` out; what means "no data" ends here.

An index tick leaves at once, each of them, also when several arrive in one read. A quote leaves at the end of a read,
so that a bid and an ask that moved together are never seen crossed in between, and only when it changed.
"""

import math
from datetime import date, datetime
from typing import Final

from adapters.ibkr.library import UNSET_DOUBLE, UNSET_INTEGER
from bot.domain.events import OpenInterestTold
from bot.domain.instrument import Instrument, Kind, Right
from bot.domain.ledger import trade_date
from bot.domain.market import DataType, ModelGreeks, Quote, Tick

BID, ASK, LAST = (1, 66), (2, 67), (4, 68)
"""Price ticks, live and delayed (docs/ib/wire.md, section 5.6)."""
BID_SIZE, ASK_SIZE = (0, 69), (3, 70)
LIVE_PRICES, DELAYED_PRICES = frozenset({1, 2, 4}), frozenset({66, 67, 68})
"""The tick id itself tells delayed data, whatever the line's own kind says."""
NO_PRICE: Final = -1.0
"""The broker's own word for "no price"."""
MOST_THETA: Final = 1e6
"""Points a day: more is the broker's unset number."""
CALL_INTEREST, PUT_INTEREST, FUTURE_INTEREST = 27, 28, 86
"""Size ticks that tell how many contracts are open (docs/ib/wire.md, section 5.6)."""
GENERIC_TICKS: Final = {Kind.OPTION: "101", Kind.FUTURE: "588"}
"""What a stream asks for beside its prices: open interest comes on the line that is open anyway, and on no snapshot."""
_DELAYED: Final = {DataType.LIVE: DataType.DELAYED, DataType.FROZEN: DataType.DELAYED_FROZEN}


class Line:
    """What one subscription or snapshot has shown so far."""

    __slots__ = (
        *("_ask", "_ask_size", "_bid", "_bid_size", "_delayed", "_interest", "_interest_told", "_last_quote", "_type"),
        *("instrument", "model"),
    )

    def __init__(self, instrument: Instrument) -> None:
        """Start with nothing shown; live until the broker says otherwise."""
        self.instrument = instrument
        self._type = DataType.LIVE
        self._delayed = False
        self._bid = self._ask = NO_PRICE
        self._bid_size = 0
        self._ask_size = 0
        self._last_quote: Quote | None = None
        self._interest: int | None = None
        self._interest_told: tuple[int, date] | None = None
        self.model: ModelGreeks | None = None  # the broker's own, None until it said something possible

    def model_told(self, delta: float, theta: float) -> None:
        """Take the broker's greeks; a delta beyond one or a theta that is no number is its word for "none"."""
        if abs(delta) <= 1.0 and math.isfinite(theta) and abs(theta) < MOST_THETA:
            self.model = ModelGreeks(delta=delta, theta=theta)

    @property
    def data_type(self) -> DataType:
        """The kind of data: the broker's word, and delayed as soon as a delayed tick was seen."""
        return _DELAYED.get(self._type, self._type) if self._delayed else self._type

    @property
    def is_index(self) -> bool:
        """Shows a level instead of two sides."""
        return self.instrument.kind is Kind.INDEX

    def type_told(self, data_type: int) -> None:
        """Take the broker's word; a number that is not known counts as frozen and delayed, which feeds no decision."""
        known = data_type in DataType._value2member_map_
        self._type = DataType(data_type) if known else DataType.DELAYED_FROZEN
        self._delayed = False

    def price(self, tick_type: int, price: float, size: float, at_ns: int) -> Tick | None:
        """Take a price tick; return the level where it is one of an index."""
        if tick_type in DELAYED_PRICES:
            self._delayed = True
        elif tick_type in LIVE_PRICES:
            self._delayed = False
        if tick_type in BID:
            self._bid, self._bid_size = price, contracts_of(size)
        elif tick_type in ASK:
            self._ask, self._ask_size = price, contracts_of(size)
        elif tick_type in LAST and self.is_index and is_level(price):
            return Tick(self.instrument.key, price, at_ns, self.data_type)
        return None

    def size(self, tick_type: int, size: float) -> None:
        """Take a size tick; a side without a size is not shown until it has one again."""
        if tick_type in BID_SIZE:
            self._bid_size = contracts_of(size)
        elif tick_type in ASK_SIZE:
            self._ask_size = contracts_of(size)
        elif tick_type == _interest_kind(self.instrument) and 0 <= size < UNSET_INTEGER:
            self._interest = int(size)

    def news_of_interest(self, now: datetime) -> OpenInterestTold | None:
        """Return how many contracts are open when it is news, and once each day of New York while the line is open.

        A line that is open tells every change: what it said last holds on the day after.
        """
        if self._interest is None:
            return None
        told = (self._interest, trade_date(now))
        if told == self._interest_told:
            return None
        self._interest_told = told
        return OpenInterestTold(at=now, key=self.instrument.key, contracts=self._interest)

    def changed_quote(self, at_ns: int) -> Quote | None:
        """Return the quote when it differs from the last one returned."""
        before = self._last_quote
        bid, bid_size = self._side(self._bid, self._bid_size)
        ask, ask_size = self._side(self._ask, self._ask_size)
        quote = Quote(
            key=self.instrument.key,
            bid=bid,
            ask=ask,
            bid_size=bid_size,
            ask_size=ask_size,
            at_ns=at_ns,
            data_type=self.data_type,
        )
        if before is not None and _sides(before) == _sides(quote):
            return None
        if before is None and quote.bid is None and quote.ask is None:
            return None  # nothing was shown yet
        self._last_quote = quote
        return quote

    def _side(self, price: float, contracts: int) -> tuple[float | None, int]:
        """One side; what an index shows on its sides are counts of issues, the declining ones without any size."""
        if self.is_index:
            return (price if is_level(price) else None), contracts
        return side_of(price, contracts)


def _interest_kind(instrument: Instrument) -> int | None:
    """The tick that tells a contract's own open interest: the broker sends both of an option, one of them empty."""
    if instrument.kind is Kind.FUTURE:
        return FUTURE_INTEREST
    return {Right.CALL: CALL_INTEREST, Right.PUT: PUT_INTEREST}.get(instrument.right) if instrument.right else None


def side_of(price: float, contracts: int) -> tuple[float | None, int]:
    """Return price in points and size in contracts of one side, None and 0 when there is no data.

    -1, NaN, infinities, the unset number, a negative price, and any price without a size mean no data; a price of 0
    with a size is a real quote of 0 (docs/ib/hazards.md, section 8).
    """
    if not contracts or not math.isfinite(price) or not 0 <= price < UNSET_DOUBLE:
        return None, 0
    return price, contracts


def contracts_of(size: float) -> int:
    """Return a size in whole contracts, 0 for a negative, unset or undefined one."""
    if not math.isfinite(size) or size <= 0 or size >= UNSET_INTEGER:
        return 0
    return int(size)


def is_level(price: float) -> bool:
    """Return whether a number can be the level of an index: above zero, finite, not the unset number."""
    return math.isfinite(price) and 0 < price < UNSET_DOUBLE


def _sides(quote: Quote) -> tuple[object, ...]:
    return (quote.bid, quote.ask, quote.bid_size, quote.ask_size, quote.data_type)
