"""Whether an order's conditions are true: one small rule for each of the six kinds, joined by and and or."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from simulator.orders.view import Venue
from simulator.venue import (
    ChangeCondition,
    Condition,
    Executed,
    ExecutionCondition,
    MarginCondition,
    PriceCondition,
    TimeCondition,
    VenueQuote,
    VolumeCondition,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What conditions look at: the venue, the account's cushion as a fraction, and today's executions."""

    venue: Venue
    cushion_frac: Callable[[], Decimal]
    executions: Callable[[], Sequence[Executed]]


def are_true(conditions: Sequence[Condition], facts: Facts, since: datetime) -> bool:
    """Return whether conditions hold; each joins the one after it, and ``and`` binds tighter than ``or``.

    Args:
        conditions: As the client sent them; none at all are true.
        facts: The present.
        since: When the order was placed; executions before it do not count.
    """
    if not conditions:
        return True
    group, found = True, False
    for condition in conditions:
        group = group and is_true(condition, facts, since)
        if not condition.joins_by_and or condition is conditions[-1]:
            found, group = found or group, True
    return found


def is_true(condition: Condition, facts: Facts, since: datetime) -> bool:
    """Return whether one condition holds now; what is not known is not true."""
    match condition:
        case TimeCondition():
            return facts.venue.at >= condition.at if condition.is_more else facts.venue.at <= condition.at
        case MarginCondition():
            return _stands(facts.cushion_frac() * 100, Decimal(condition.percent), is_more=condition.is_more)
        case ExecutionCondition():
            return any(_is_of(each, condition) and each.at >= since for each in facts.executions())
        case _:
            return _is_reached(condition, facts.venue.quotes(condition.instrument))


def _is_reached(condition: PriceCondition | VolumeCondition | ChangeCondition, quote: VenueQuote) -> bool:
    """Price: the last price, or the middle without one. Volume: of the day. Change: from the previous close, in %."""
    if isinstance(condition, VolumeCondition):
        return _stands(Decimal(quote.volume), Decimal(condition.volume), is_more=condition.is_more)
    price = _price_of(quote)
    if price is None:
        return False
    if isinstance(condition, PriceCondition):
        return _stands(price, condition.price, is_more=condition.is_more)
    if not quote.close:
        return False
    change_pct = (price / Decimal(str(quote.close)) - 1) * 100
    return _stands(change_pct, condition.percent, is_more=condition.is_more)


def _is_of(executed: Executed, condition: ExecutionCondition) -> bool:
    instrument = executed.instrument
    if instrument is None:
        return condition.sec_type == "BAG" and executed.order.legs[0].instrument.symbol == condition.symbol
    return (instrument.symbol, instrument.kind.value) == (condition.symbol, condition.sec_type)


def _price_of(quote: VenueQuote) -> Decimal | None:
    if quote.last is not None:
        return Decimal(str(quote.last))
    return None if quote.bid is None or quote.ask is None else (quote.bid + quote.ask) / 2


def _stands(found: Decimal, level: Decimal, *, is_more: bool) -> bool:
    return found >= level if is_more else found <= level
