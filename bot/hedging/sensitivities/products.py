"""How VXX, UVXY and SVXY have answered VIX and SPX, from daily closes; too few or a poor fit is unknown (M4)."""

from collections.abc import Mapping
from datetime import date

import numpy as np

from bot.domain.products import ProductBeta, ProductReading, UnmeasuredProduct
from bot.hedging.sensitivities.estimate import Numbers, least_squares
from bot.hedging.sensitivities.settings import SensitivitySettings

Closes = Mapping[date, float]
"""By session, positive; points of an index, USD of a share."""


def measured_beta(
    symbol: str, closes: Closes, vix: Closes, spx: Closes, settings: SensitivitySettings
) -> ProductReading:
    """Return the slopes of a product's daily returns on the moves of VIX and of SPX over its last common sessions.

    There is no default: a product that is too young, or that VIX does not explain, stays unknown. Closes must be
    adjusted for splits, as the broker's are; one that is not shows as a fit of almost nothing.

    Args:
        symbol: VXX, UVXY or SVXY.
        closes: Its closes.
        vix: Closes of VIX.
        spx: Closes of SPX.
        settings: How many sessions count and are needed, and the least fit.

    Source: docs/methodology.md, M4.
    """
    days = [day for day in sorted(closes) if day in vix and day in spx][-settings.product_moves - 1 :]
    moves = len(days) - 1
    if moves < settings.least_product_moves:
        why = f"its answer to VIX needs {settings.least_product_moves} moves of common sessions, has {max(moves, 0)}"
        return UnmeasuredProduct(symbol=symbol, why=why)
    own, index = _returns(closes, days), _returns(spx, days)
    points = np.diff(np.array([vix[day] for day in days]))
    on_vix, on_spx = least_squares(points, own), least_squares(100.0 * index, own)
    if on_vix is None or on_spx is None:
        return UnmeasuredProduct(symbol=symbol, why="its answer to VIX is unknown: VIX or SPX stood still")
    fit = _explained(on_vix[0], points, own)
    if not fit >= settings.least_product_fit:
        why = f"VIX explains {fit:.0%} of its moves, less than {settings.least_product_fit:.0%}: no answer to count on"
        return UnmeasuredProduct(symbol=symbol, why=why)
    return ProductBeta(symbol=symbol, per_vix_point=on_vix[0], per_spx_percent=on_spx[0], moves=moves, fit=fit)


def _returns(closes: Closes, days: list[date]) -> Numbers:
    prices = np.array([closes[day] for day in days])
    returns: Numbers = prices[1:] / prices[:-1] - 1.0
    return returns


def _explained(slope: float, x: Numbers, y: Numbers) -> float:
    """Return the share of the variance of y that a slope on x explains; 0 where y does not vary."""
    aside_x, aside_y = x - x.mean(), y - y.mean()
    whole = float(aside_y @ aside_y)
    return min(1.0, slope * slope * float(aside_x @ aside_x) / whole) if whole > 0.0 else 0.0
