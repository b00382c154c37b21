"""Prices of a combo from those of its legs: what a BUY of one unit pays (ask) or a SELL receives (bid), in points."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from bot.domain.instrument import InstrumentKey, Side
from simulator.venue import Bar, VenueLeg, VenueQuote


def combo_quote(legs: Sequence[VenueLeg], quotes: Mapping[InstrumentKey, VenueQuote]) -> VenueQuote:
    """Return the sides of a combo under its first leg's name; a side with a missing part is missing.

    A bought leg's ask and a sold leg's bid make the ask, and the other way round; the size is what all legs allow.
    """
    found = [(leg, quotes[leg.instrument.key]) for leg in legs]
    bid, bid_size = _side(found, Side.SELL)
    ask, ask_size = _side(found, Side.BUY)
    first = found[0][1]
    return VenueQuote(
        instrument=first.instrument,
        at=max(quote.at for _, quote in found),
        bid=bid,
        ask=ask,
        bid_size=bid_size,
        ask_size=ask_size,
        is_halted=any(quote.is_halted for _, quote in found),
    )


def _side(found: Sequence[tuple[VenueLeg, VenueQuote]], taker: Side) -> tuple[Decimal | None, int]:
    """Return price and size at which a taker of the combo trades."""
    total, units = Decimal(0), []
    for leg, quote in found:
        buys = leg.side is taker
        price, size = (quote.ask, quote.ask_size) if buys else (quote.bid, quote.bid_size)
        if price is None:
            return None, 0
        total += leg.side.sign * leg.ratio * price
        units.append(size // leg.ratio if leg.ratio > 0 else 0)
    return total, min(units)


def combo_bars(legs: Sequence[VenueLeg], bars: Sequence[Sequence[Bar]]) -> tuple[Bar, ...]:
    """Return the bars of a combo where all legs have one.

    Open and close are exact; the extremes are those two, because the legs' own need not have come together.
    """
    by_time = [{bar.at: bar for bar in each} for each in bars]
    moments = sorted(set.intersection(*(set(each) for each in by_time))) if by_time else []
    return tuple(_joined(legs, [each[at] for each in by_time]) for at in moments)


def _joined(legs: Sequence[VenueLeg], bars: Sequence[Bar]) -> Bar:
    weights = [leg.side.sign * leg.ratio for leg in legs]
    opened = sum(weight * bar.open for weight, bar in zip(weights, bars, strict=True))
    closed = sum(weight * bar.close for weight, bar in zip(weights, bars, strict=True))
    return replace(
        bars[0],
        open=opened,
        close=closed,
        high=max(opened, closed),
        low=min(opened, closed),
        average=(opened + closed) / 2.0,
        volume=min(bar.volume for bar in bars),
        count=min(bar.count for bar in bars),
    )
