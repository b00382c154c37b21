"""Telling past ticks: 96 midpoints, 97 quotes, 98 trades."""

from collections.abc import Sequence

from simulator.tws.answers.history import PastMidpoint, PastMidpoints, PastSide, PastSides, PastTrade, PastTrades
from simulator.tws.moments import epoch
from simulator.venue import PastQuote, PriceKind


def past_ticks(
    req_id: int, kind: PriceKind, found: Sequence[PastQuote], *, ignore_size: bool = False
) -> PastMidpoints | PastSides | PastTrades:
    """Return the message of a kind with all its ticks; ``ignore_size`` leaves out quotes of which only sizes moved."""
    if kind is PriceKind.BID_ASK:
        sides = [each for each in found if each.bid is not None and each.ask is not None]
        kept = _without_size_changes(sides) if ignore_size else sides
        return PastSides(req_id=req_id, ticks=tuple(map(_side, kept)), done=True)
    if kind is PriceKind.MIDPOINT:
        midpoints = tuple(PastMidpoint(at=epoch(each.at), price=each.last) for each in found if each.last is not None)
        return PastMidpoints(req_id=req_id, ticks=midpoints, done=True)
    trades = tuple(
        PastTrade(at=epoch(each.at), price=each.last, size=each.last_size, exchange=each.exchange)
        for each in found
        if each.last is not None
    )
    return PastTrades(req_id=req_id, ticks=trades, done=True)


def _side(tick: PastQuote) -> PastSide:
    return PastSide(
        at=epoch(tick.at), bid=tick.bid or 0.0, ask=tick.ask or 0.0, bid_size=tick.bid_size, ask_size=tick.ask_size
    )


def _without_size_changes(ticks: Sequence[PastQuote]) -> list[PastQuote]:
    kept: list[PastQuote] = []
    for tick in ticks:
        if not kept or (kept[-1].bid, kept[-1].ask) != (tick.bid, tick.ask):
            kept.append(tick)
    return kept
