"""What an order may bind of the account before the broker has said so: margin at its worst, and gross value.

How it works: an order adds to what the broker has reported of the positions, and so does everything on its way. Its
premium counts as bound, because a broker that lends nothing on options takes it from what is free. A combo binds beside
it what its legs can lose at expiry by themselves: nothing for a debit call spread, the widening for a wing that is
moved out. A future binds a stated fraction of its value, shares all that is paid for them. What always holds: nothing
is netted against what is held, a credit frees nothing, fees are on top, and a loss without bound is unknown and never a
number.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Final

from bot.domain.fees import FeeSchedule, up_to_cent
from bot.domain.instrument import Instrument, Kind, Right
from bot.domain.market import Quote
from bot.domain.orders import Leg, OrderIntent
from bot.domain.portfolio import Position
from bot.valuation import VIX_FUTURE_CLASSES, Unvalued, Valuer
from risk.scene import Scene

NOTHING: Final = Decimal(0)


def bound_usd(intent: OrderIntent, quantity: int, fees: FeeSchedule, future_margin_frac: Decimal) -> Decimal | Unvalued:
    """Return the margin that some units of an order may bind at worst, USD, rounded up, never below zero.

    Args:
        intent: The order.
        quantity: Units, zero or more.
        fees: What contracts cost to trade.
        future_margin_frac: Of a future's value at the limit.

    Source: docs/methodology.md, M11.
    """
    fee = fees.of_intent(intent, quantity)
    contract = intent.legs[0].instrument
    value = contract.multiplier * quantity
    if contract.kind is Kind.FUTURE:
        return up_to_cent(future_margin_frac * abs(intent.limit) * value + fee)
    if contract.kind is Kind.STOCK:
        return up_to_cent(abs(intent.limit) * value + fee)
    loss = loss_at_expiry_points(intent.legs)
    if isinstance(loss, Unvalued):
        return loss
    return up_to_cent((max(NOTHING, intent.limit) + loss) * value + fee)


def adding(intent: OrderIntent | None, scene: Scene) -> list[tuple[OrderIntent, int]]:
    """Return what adds to the account, with its units: all that is on its way but sales of the hedge, then this order.

    A sale was let through because it only closes; the order under judgement counts whatever it calls itself.
    """
    return [(one, units) for one, units in scene.pending_with(intent) if one is intent or not one.purpose.sells_hedge]


def loss_at_expiry_points(legs: Sequence[Leg]) -> Decimal | Unvalued:
    """Return what option legs lose at expiry at worst, premium aside, points per unit, never below zero.

    Pay-offs bend at strikes alone, so that the worst lies at one of them or at zero, unless calls are sold that no leg
    of the order covers.

    Args:
        legs: Options of one settlement.
    """
    known = _call_spread_loss_points(*legs) if len(legs) == 2 else None
    if known is not None:
        return known
    if len({leg.instrument.settlement for leg in legs}) > 1:
        return Unvalued(reason="legs of different settlements have no loss at expiry")
    if sum(leg.signed_ratio for leg in legs if leg.instrument.right is Right.CALL) < 0:
        return Unvalued(reason="calls that the order does not cover have no worst loss")
    worst = NOTHING
    for level in (NOTHING, *(leg.instrument.strike or NOTHING for leg in legs)):
        gained = NOTHING
        for leg in legs:
            gained += _payoff_points(leg, level)
        worst = min(worst, gained)
    return -worst


def gross_added_usd(legs: Sequence[Leg], quantity: int, valuer: Valuer) -> Decimal | Unvalued:
    """Return the gross value that some units of an order add, USD: every leg at its ask, bought and sold alike.

    A future counts with its whole value: it costs nothing, and all of it moves.

    Source: docs/methodology.md, M11.
    """
    total = NOTHING
    for leg in legs:
        each = _gross_usd(leg.instrument, valuer)
        if isinstance(each, Unvalued):
            return each
        total += each * (leg.ratio * quantity)
    return up_to_cent(total)


def _gross_usd(instrument: Instrument, valuer: Valuer) -> Decimal | Unvalued:
    """One contract at its ask, USD: of the moment, whoever orders it."""
    return valuer.once((_gross_of, instrument.key), lambda: _gross_of(valuer.quote(instrument), instrument.multiplier))


def _gross_of(quote: Quote | Unvalued, multiplier: int) -> Decimal | Unvalued:
    return quote if isinstance(quote, Unvalued) else Decimal(repr(quote.ask)) * multiplier


def futures_held_usd(positions: Iterable[Position], valuer: Valuer) -> Decimal | Unvalued:
    """Return the whole value of the futures held, long and short alike, USD: the broker's gross value leaves them out.

    VX and VXM count at their middle. Any other future counts at the broker's average cost, which is its value when it
    was entered: no model here prices it.
    """
    total = NOTHING
    for position in positions:
        if position.instrument.kind is Kind.FUTURE:
            each = _future_usd(position.instrument, position.average_cost_usd, valuer)
            if isinstance(each, Unvalued):
                return each
            total += abs(position.quantity) * each
    return up_to_cent(total)


def _future_usd(future: Instrument, average_cost_usd: Decimal | None, valuer: Valuer) -> Decimal | Unvalued:
    if future.trading_class in VIX_FUTURE_CLASSES:
        valued = valuer.value(future)
        return valued if isinstance(valued, Unvalued) else Decimal(repr(valued.price)) * future.multiplier
    if average_cost_usd is None:
        return Unvalued(reason=f"{future.key}: the broker tells no average cost")
    return abs(average_cost_usd)


def _call_spread_loss_points(one: Leg, other: Leg) -> Decimal | None:
    """The same of covered calls of one settlement, as in most orders, None for others: most at the higher strike."""
    first, second, ratio = one.instrument, other.instrument, one.signed_ratio
    are_calls = first.right is Right.CALL and second.right is Right.CALL
    if not are_calls or first.settlement != second.settlement or ratio + other.signed_ratio < 0:
        return None
    wider = (second.strike or NOTHING) - (first.strike or NOTHING)
    return max(NOTHING, -ratio * wider if wider > NOTHING else other.signed_ratio * wider)


def _payoff_points(leg: Leg, level: Decimal) -> Decimal:
    strike = leg.instrument.strike or NOTHING
    distance = level - strike if leg.instrument.right is Right.CALL else strike - level
    return leg.signed_ratio * max(NOTHING, distance)
