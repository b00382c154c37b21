"""What shares of volatility products that the bot did not buy cost as a hedge (M9)."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Final

from bot.domain.portfolio import Position
from bot.reserves import shares_reserve_usd
from bot.valuation import Unvalued, Valuer

NOTHING: Final = Decimal(0)


def products_charge_usd(found: Iterable[Position], valuer: Valuer) -> Decimal | Unvalued:
    """Return what the cost cap counts for the volatility products found, USD, rounded up, never negative.

    Each that gains with VIX is charged as a future without an end: ``max(loss in mean reversion, unrealised loss)``
    against the broker's average cost. Its roll shows as unrealised loss, day by day. One that loses with VIX is no
    hedge and costs none. Gains of one never pay for another.

    Source: docs/methodology.md, M9.
    """
    total = NOTHING
    for position in found:
        charge = _charge_usd(position, valuer)
        if isinstance(charge, Unvalued):
            return charge
        total += charge
    return total


def _charge_usd(position: Position, valuer: Valuer) -> Decimal | Unvalued:
    product, quantity, cost = position.instrument, position.quantity, position.average_cost_usd
    valued = valuer.value(product)
    if isinstance(valued, Unvalued):
        return valued
    if quantity * valued.exposure_usd_per_point <= 0.0:
        return NOTHING
    if cost is None:
        return Unvalued(reason=f"{product.key}: the broker tells no average cost of these shares alone")
    return shares_reserve_usd(product, quantity, valuer, cost)
