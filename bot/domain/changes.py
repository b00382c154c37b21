"""What was done to the overlay, as pacing (M14) and the churn budget (M16) count it: a function of our own orders."""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from bot.domain.fees import FeeSchedule
from bot.domain.ledger import fee_usd, fills_by_order
from bot.domain.orders import Fill, Order
from bot.domain.portfolio import Change


def changes_of(
    orders: Iterable[Order], fills: Iterable[Fill], commissions_usd: Mapping[str, Decimal], fees: FeeSchedule
) -> tuple[Change, ...]:
    """Return the overlay's changes by our own orders, oldest first; what neither filled nor can fill is none."""
    by_order = fills_by_order(fills)
    counted = [order for order in orders if order.intent.purpose.changes_overlay and (order.may_fill or order.filled)]
    return tuple(
        _change(order, by_order.get(order.intent.intent_id, []), commissions_usd, fees)
        for order in sorted(counted, key=lambda one: (one.prepared_at, one.intent.intent_id))
    )


def _change(order: Order, fills: list[Fill], commissions_usd: Mapping[str, Decimal], fees: FeeSchedule) -> Change:
    intent = order.intent
    spread_usd = intent.half_width_points * intent.multiplier * order.filled
    fee = fee_usd(order, fills, commissions_usd, fees) if order.filled else Decimal(0)
    return Change(
        at=order.prepared_at,
        purpose=intent.purpose,
        ordered=intent.quantity,
        filled=order.filled,
        is_live=order.may_fill,
        churn_usd=max(Decimal(0), fee) + spread_usd,
    )
