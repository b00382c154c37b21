"""The broker's protection against dear limits: an order held at a cap, and one too far through the market refused.

Both look at how far a single contract's limit goes through the other side; resting limits are never touched. The widths
are this project's estimates; the broker publishes none.
"""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from bot.domain.instrument import Side
from simulator.orders.view import Quotes, better_of, is_worse, on_grid, sides_of, tick_of
from simulator.venue import OrderType, VenueOrder

CAPPED: Final = 2161
REEVALUATED_AFTER: Final = timedelta(minutes=1)
_CAP_FRAC: Final = Decimal("0.20")
_CAP_TICKS: Final = 20
_BAND_FRAC: Final = Decimal("1.00")
_BAND_TICKS: Final = 500


def cap_of(order: VenueOrder, quotes: Quotes) -> Decimal | None:
    """Return the price at which a limit order is held, or None while its limit is nearer than that.

    Cap = other side + (purchase) or - (sale) the larger of 20 % of it and 20 ticks, on the grid.
    """
    worst = _through(order, quotes, _CAP_FRAC, _CAP_TICKS)
    if worst is None or order.limit is None or not is_worse(order.side, order.limit, worst):
        return None
    return on_grid(order, worst)


def is_beyond_band(order: VenueOrder, quotes: Quotes) -> bool:
    """Return whether a limit lies beyond the other side by more than the larger of 100 % of it and 500 ticks."""
    worst = _through(order, quotes, _BAND_FRAC, _BAND_TICKS)
    return worst is not None and order.limit is not None and is_worse(order.side, order.limit, worst)


def held_limit(order: VenueOrder, cap: Decimal | None, limit: Decimal) -> Decimal:
    """Return the limit that counts: the better of the order's own and its cap."""
    return better_of(order.side, limit, cap)


def is_due(capped_at: datetime | None, at: datetime) -> bool:
    """Return whether a cap may be worked out anew: once a minute."""
    return capped_at is None or at - capped_at >= REEVALUATED_AFTER


def _through(order: VenueOrder, quotes: Quotes, frac: Decimal, ticks: int) -> Decimal | None:
    """Return the price that lies through the other side by a share of it or by ticks; None where there is no rule."""
    if order.is_combo or order.order_type is not OrderType.LIMIT:
        return None
    other = sides_of(order, quotes).taken_by(order.side)
    if other is None:
        return None
    distance = max(frac * other, ticks * tick_of(order, other))
    return other + distance if order.side is Side.BUY else max(Decimal(0), other - distance)
