"""What the cost cap counts for a hedge that has no premium, beside its fees: a future or a volatility product (M9)."""

from decimal import Decimal

from bot.domain.fees import up_to_cent
from bot.domain.instrument import VIX, Instrument, Kind
from bot.pricing import MEAN_REVERSION_FALL_FRAC
from bot.valuation import Unvalued, Valuer, good_level


def reserve_usd(instrument: Instrument, valuer: Valuer, entry_price: Decimal | None = None) -> Decimal | Unvalued:
    """Return what one long future or share is charged beside its fees, USD, rounded up, never negative.

    Args:
        instrument: VX, VXM, or a share of a volatility product.
        valuer: Values it now.
        entry_price: Points paid for one that is held, USD for a share; None for one that is only wanted.

    Source: docs/methodology.md, M9.
    """
    if instrument.kind is Kind.STOCK:
        return shares_reserve_usd(instrument, 1, valuer, entry_price)
    return valuer.future_reserve_usd(instrument, entry_price)


def shares_reserve_usd(
    product: Instrument, quantity: int, valuer: Valuer, entry_price: Decimal | None
) -> Decimal | Unvalued:
    """Return ``max(loss in mean reversion, unrealised loss)`` of shares of a product, USD, rounded up, not negative.

    A product has no end, so no roll-down to it is charged: what its roll takes shows as unrealised loss, day by day.

    Args:
        product: VXX, UVXY or SVXY.
        quantity: Signed.
        valuer: Values it now.
        entry_price: USD paid for a share; None for shares that are only wanted.

    Source: docs/methodology.md, M9.
    """
    valued, vix = valuer.value(product), good_level(valuer.snapshot, VIX.key)
    if isinstance(valued, Unvalued):
        return valued
    if isinstance(vix, Unvalued):
        return vix
    exposure = quantity * valued.exposure_usd_per_point
    reversal = max(Decimal(0), Decimal(repr(MEAN_REVERSION_FALL_FRAC * vix * exposure)))
    unrealised = Decimal(0) if entry_price is None else quantity * (entry_price - Decimal(repr(valued.price)))
    return up_to_cent(max(reversal, unrealised))
