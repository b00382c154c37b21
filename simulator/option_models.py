"""The option calculators: price and greeks at a volatility, volatility and greeks at a price."""

import math

from bot.domain.instrument import Instrument, Kind
from bot.pricing import black76, implied_vol
from simulator.venue import VenueQuote
from simulator.world.market import Market, Term

_MOST_LEVEL = 1e9


def option_at_vol(instrument: Instrument, vol: float, underlying: float, market: Market) -> VenueQuote | None:
    """Return price and greeks of an option.

    Args:
        instrument: Anything but an option has no answer.
        vol: A fraction per year, zero or more.
        underlying: Level of the index or share, of the forward for VIX options; points, positive.
        market: Rate, yields and the present time.

    Returns:
        A quote with the model's numbers alone, or None where there is no answer.
    """
    term = market.term_of(instrument)
    if term is None or instrument.strike is None or instrument.right is None or not _is_level(underlying):
        return None
    if not (math.isfinite(vol) and 0.0 <= vol < _MOST_LEVEL):
        return None
    growth = term.forward / term.spot
    value = black76(
        forward=underlying * growth,
        strike=float(instrument.strike),
        years=term.years,
        vol=vol,
        rate=market.model.rate,
        right=instrument.right,
    )
    return VenueQuote(
        instrument=instrument,
        at=market.at,
        model_iv=vol,
        model_price=value.price,
        model_delta=value.delta * growth,
        model_gamma=value.gamma * growth * growth,
        model_vega=value.vega,
        model_theta=value.theta,
        underlying_price=underlying,
    )


def option_at_price(instrument: Instrument, price: float, underlying: float, market: Market) -> VenueQuote | None:
    """Return the volatility at which an option has a price in points, with the greeks there; None where none does."""
    term = market.term_of(instrument)
    if instrument.kind is not Kind.OPTION or term is None or not _is_level(underlying) or not math.isfinite(price):
        return None
    vol = _vol_of(instrument, term, price, underlying, market)
    return None if vol is None else option_at_vol(instrument, vol, underlying, market)


def _vol_of(instrument: Instrument, term: Term, price: float, underlying: float, market: Market) -> float | None:
    if instrument.strike is None or instrument.right is None:
        return None
    return implied_vol(
        price=price,
        forward=underlying * term.forward / term.spot,
        strike=float(instrument.strike),
        years=term.years,
        rate=market.model.rate,
        right=instrument.right,
        near=market.vol(instrument, term),
    )


def _is_level(underlying: float) -> bool:
    return math.isfinite(underlying) and 0.0 < underlying < _MOST_LEVEL
