"""Option computations: what a quote's prices and the model stand for, worked out and written once for all clients."""

from collections.abc import Callable
from typing import Final

from bot.domain.instrument import Instrument, InstrumentKey
from simulator.tws.answers.prices import TickOption
from simulator.tws.layout import encode, texts_of
from simulator.venue import VenueQuote

BID_GREEKS, ASK_GREEKS, LAST_GREEKS, MODEL_GREEKS = range(10, 14)
_NOT_COMPUTED: Final = -1.0
_NO_GREEK: Final = -2.0
_PRICE_BASED: Final = 1
_OWN_FIELDS: Final = 3
"""Message id, request id and tick id: what differs between clients."""

OptionVol = Callable[[Instrument, float, float], VenueQuote | None]
"""The volatility and greeks of an option at a price and a level of its underlying, where there are any."""
Tails = tuple[tuple[int, bytes], ...]
"""Tick ids, each with the fields behind it."""


class GreekTicks:
    """The greeks of the present step; mutable: each contract's are kept until `forget`."""

    def __init__(self, option_vol: OptionVol) -> None:
        """Work out what a price stands for by ``option_vol``."""
        self._option_vol = option_vol
        self._kept: dict[InstrumentKey, tuple[VenueQuote, Tails]] = {}

    def __repr__(self) -> str:
        """How many contracts' greeks are kept, for failing tests."""
        return f"GreekTicks({len(self._kept)} kept)"

    def tails(self, quote: VenueQuote) -> Tails:
        """Return those of bid, ask and last, where a volatility gives their prices, and the model's."""
        kept = self._kept.get(quote.instrument.key)
        if kept is None or kept[0] is not quote:
            kept = self._kept[quote.instrument.key] = quote, self._fresh(quote)
        return kept[1]

    def forget(self) -> None:
        """Begin a step."""
        self._kept.clear()

    def _fresh(self, quote: VenueQuote) -> Tails:
        sides = ((BID_GREEKS, quote.bid), (ASK_GREEKS, quote.ask), (LAST_GREEKS, quote.last))
        found = [(kind, self._implied(quote, float(price))) for kind, price in sides if price is not None]
        told = [(kind, implied) for kind, implied in found if implied is not None]
        return tuple((kind, _tail(each)) for kind, each in (*told, (MODEL_GREEKS, quote)))

    def _implied(self, quote: VenueQuote, price: float) -> VenueQuote | None:
        if quote.underlying_price is None:
            return None
        return self._option_vol(quote.instrument, price, quote.underlying_price)


def greeks_frame(req_id: int, kind: int, quote: VenueQuote) -> bytes:
    """Return 21 from the model values of a quote."""
    return encode(_tick(req_id, kind, quote), 0)


def _tail(quote: VenueQuote) -> bytes:
    return ("\0".join(texts_of(_tick(0, 0, quote), 0)[_OWN_FIELDS:]) + "\0").encode("ascii")


def _tick(req_id: int, kind: int, quote: VenueQuote) -> TickOption:
    return TickOption(
        req_id=req_id,
        kind=kind,
        price_based=_PRICE_BASED,
        vol=_or(quote.model_iv, _NOT_COMPUTED),
        delta=_or(quote.model_delta, _NO_GREEK),
        price=_or(quote.model_price, _NOT_COMPUTED),
        dividends=_NOT_COMPUTED,
        gamma=_or(quote.model_gamma, _NO_GREEK),
        vega=_or(quote.model_vega, _NO_GREEK),
        theta=_or(quote.model_theta, _NO_GREEK),
        underlying=_or(quote.underlying_price, _NOT_COMPUTED),
    )


def _or(value: float | None, missing: float) -> float:
    return missing if value is None else value
