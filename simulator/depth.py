"""The book behind a quote: further prices on either side, a tick or two apart, the more size the farther out."""

from decimal import Decimal
from typing import Final

from bot.domain.instrument import Instrument, Kind
from simulator.numbering import number_of
from simulator.venue import Depth, DepthRow, VenueQuote
from simulator.world.noise_at import fraction
from simulator.world.quotes import QuoteRule, rule_of

MOST_ROWS: Final = 20
_MAKERS: Final = {
    Kind.STOCK: ("ARCA", "NASDAQ", "BATS", "EDGX", "NYSE"),
    Kind.OPTION: ("CBOE", "CBOE2", "ISE", "PHLX", "AMEX"),
    Kind.CASH: ("IDEALPRO",),
}


def depth_of(instrument: Instrument, quote: VenueQuote, rows: int) -> Depth:
    """Return at most ``rows`` prices a side, best first, the best ones being the quote; empty where there is none."""
    if instrument.kind is Kind.INDEX or rows <= 0:
        return Depth(bids=(), asks=())
    rule, count = rule_of(instrument), min(rows, MOST_ROWS)
    return Depth(
        bids=_side(instrument, rule, quote.bid, quote.bid_size, -1, count),
        asks=_side(instrument, rule, quote.ask, quote.ask_size, 1, count),
    )


def _side(
    instrument: Instrument, rule: QuoteRule, best: Decimal | None, size: int, sign: int, count: int
) -> tuple[DepthRow, ...]:
    if best is None:
        return ()
    makers, seed = _MAKERS.get(instrument.kind, (instrument.exchange,)), number_of(instrument)
    rows, price, block = [DepthRow(price=float(best), size=size, maker=makers[0])], best, int(best * 1000)
    for place in range(1, count):
        price += sign * rule.tick_at(price if sign > 0 else price - rule.ticks[0][1])
        if price <= 0:
            break
        more = 1.0 + place * 0.4 + fraction(seed, block, place, sign + 1)
        rows.append(DepthRow(price=float(price), size=int(size * more), maker=makers[place % len(makers)]))
    return tuple(rows)
