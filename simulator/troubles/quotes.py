"""Bad market data: each kind is a pure change of one quote; which quotes it meets and how long is kept beside it."""

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Final

from bot.domain.instrument import InstrumentKey, Kind
from simulator.troubles.kinds import Trouble
from simulator.venue import Phase, VenueQuote

NAN: Final = Decimal("NaN")
SILENT: Final = frozenset({"stale", "frozen", "competing"})
"""These end ticks; who asks gets the last quote from before."""
CON_ID_MASK: Final = 1 << 30
"""Turns a contract's number into another one below 2^31, and that one back."""
_TICK: Final = Decimal("0.01")


def _nan(quote: VenueQuote, trouble: Trouble) -> VenueQuote:
    field = trouble.text("field")
    if field == "greek":
        return replace(quote, model_iv=math.nan, model_delta=math.nan, model_price=math.nan)
    if field == "size":  # a size is a count: what is undefined there is the largest one that the wire can say
        return replace(quote, bid_size=2**31 - 1, ask_size=2**31 - 1)
    if quote.instrument.kind is Kind.INDEX:
        return replace(quote, last=math.nan)
    return replace(quote, bid=NAN, ask=NAN)


def _sides(quote: VenueQuote, price: Decimal, size: int) -> VenueQuote:
    if quote.instrument.kind is Kind.INDEX:
        return replace(quote, last=float(price), last_size=size)
    return replace(quote, bid=price, ask=price, bid_size=size, ask_size=size)


def _crossed(quote: VenueQuote, trouble: Trouble) -> VenueQuote:
    if quote.bid is None or quote.ask is None:
        return quote
    return replace(quote, bid=quote.ask + _points(trouble, "points"), ask=quote.ask)


def _outlier(quote: VenueQuote, trouble: Trouble) -> VenueQuote:
    factor = trouble.number("factor")
    times = Decimal(str(factor))
    return replace(
        quote,
        bid=None if quote.bid is None else (quote.bid * times).quantize(_TICK),
        ask=None if quote.ask is None else (quote.ask * times).quantize(_TICK),
        last=None if quote.last is None else quote.last * factor,
    )


def _without_greeks(quote: VenueQuote, _trouble: Trouble) -> VenueQuote:
    return replace(
        quote,
        model_iv=None,
        model_delta=None,
        model_gamma=None,
        model_vega=None,
        model_theta=None,
        model_price=None,
        underlying_price=None,
    )


def _priced(quote: VenueQuote, trouble: Trouble) -> VenueQuote:
    """Move the middle of the sides to the level, or the level itself."""
    level = trouble.number("level")
    if quote.bid is None or quote.ask is None:
        return replace(quote, last=level)
    by = (_points(trouble, "level") - (quote.bid + quote.ask) / 2).quantize(_TICK)
    return replace(quote, bid=quote.bid + by, ask=quote.ask + by, last=None if quote.last is None else level)


def _points(trouble: Trouble, name: str) -> Decimal:
    return Decimal(str(trouble.number(name)))


BENDS: Final[Mapping[str, Callable[[VenueQuote, Trouble], VenueQuote]]] = {
    "nan": _nan,
    "minus_one": lambda quote, _trouble: _sides(quote, Decimal(-1), 0),
    "zero": lambda quote, trouble: _sides(quote, Decimal(0), trouble.whole("size")),
    "crossed": _crossed,
    "halt": lambda quote, _trouble: replace(quote, is_halted=True),
    "outlier": _outlier,
    "no_greeks": _without_greeks,
    "price": _priced,
}


class DataTroubles:
    """The troubles that quotes meet now."""

    def __init__(self) -> None:
        """Begin without any."""
        self._active: list[Trouble] = []
        self._kept: dict[InstrumentKey, VenueQuote] = {}

    def __repr__(self) -> str:
        """What is active, for failing tests."""
        return f"DataTroubles({', '.join(map(str, self._active))})"

    @property
    def active(self) -> tuple[Trouble, ...]:
        """What is active, in the order of its beginning."""
        return tuple(self._active)

    def begin(self, trouble: Trouble) -> None:
        """Let it act on every quote from now on."""
        self._active.append(trouble)

    def end(self, trouble: Trouble) -> None:
        """End it; nothing happens when it has ended before."""
        if trouble in self._active:
            self._active.remove(trouble)
        if not any(each.kind.name in SILENT for each in self._active):
            self._kept.clear()

    def is_silent(self, symbol: str) -> bool:
        """Whether no tick of a symbol is told."""
        return any(each.kind.name in SILENT and _meets(each, symbol) for each in self._active)

    def bent(self, quote: VenueQuote) -> VenueQuote:
        """Return a quote as it is told; where ticks have stopped, the last one from before."""
        symbol = quote.instrument.symbol
        if self.is_silent(symbol):
            return self._kept.setdefault(quote.instrument.key, quote)
        for trouble in tuple(self._active):
            bend = BENDS.get(trouble.kind.name)
            if bend is None or not _meets(trouble, symbol):
                continue
            quote = bend(quote, trouble)
            if trouble.kind.name == "outlier":
                self._active.remove(trouble)
        return quote

    def phase(self, phase: Phase, symbol: str) -> Phase:
        """Return the phase of a contract: halted where a halt says so."""
        return Phase.HALTED if self.halts(symbol) and phase is not Phase.CLOSED else phase

    def halts(self, symbol: str) -> bool:
        """Whether a symbol is halted by a trouble."""
        return any(each.kind.name == "halt" and _meets(each, symbol) for each in self._active)

    def con_id(self, con_id: int, symbol: str) -> int:
        """Return the number under which a contract is listed."""
        changed = any(each.kind.name == "new_con_id" and _meets(each, symbol) for each in self._active)
        return con_id ^ CON_ID_MASK if changed else con_id


def _meets(trouble: Trouble, symbol: str) -> bool:
    wanted = str(dict(trouble.settings).get("symbol", ""))
    return wanted in {"", symbol}
