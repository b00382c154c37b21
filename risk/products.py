"""What shares of volatility products cost as a hedge: their loss so far, or what a fall of VIX would take (M9)."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Final

from bot.domain.fees import up_to_cent
from bot.domain.instrument import VIX
from bot.domain.portfolio import Position
from bot.domain.products import is_volatility_product
from bot.pricing import MEAN_REVERSION_FALL_FRAC
from bot.valuation import Unvalued, Valued, Valuer, good_level

NOTHING: Final = Decimal(0)


def products_charge_usd(positions: Iterable[Position], valuer: Valuer) -> Decimal | Unvalued:
    """Return what the cost cap counts for all volatility products held, USD, rounded up, never negative.

    Each that gains with VIX is charged as a future without an end: ``max(loss in mean reversion, unrealised loss)``
    against the broker's average cost. Its roll shows as unrealised loss, day by day. One that loses with VIX is no
    hedge and costs none. Gains of one never pay for another.

    Source: docs/methodology.md, M9.
    """
    total = NOTHING
    for position in positions:
        if is_volatility_product(position.instrument):
            charge = _charge_usd(position, valuer)
            if isinstance(charge, Unvalued):
                return charge
            total += charge
    return total


def _charge_usd(position: Position, valuer: Valuer) -> Decimal | Unvalued:
    valued, vix = valuer.value(position.instrument), good_level(valuer.snapshot, VIX.key)
    if isinstance(valued, Unvalued):
        return valued
    if isinstance(vix, Unvalued):
        return vix
    exposure = position.quantity * valued.exposure_usd_per_point
    if exposure <= 0.0:
        return NOTHING
    if position.average_cost_usd is None:
        return Unvalued(reason=f"{position.instrument.key}: the broker tells no average cost")
    reversal = Decimal(repr(MEAN_REVERSION_FALL_FRAC * vix * exposure))
    return up_to_cent(max(reversal, _unrealised_loss_usd(position.quantity, position.average_cost_usd, valued)))


def _unrealised_loss_usd(quantity: int, average_cost_usd: Decimal, valued: Valued) -> Decimal:
    """Positive is lost; a short position loses when the price rises."""
    return quantity * (average_cost_usd - Decimal(repr(valued.price)))
