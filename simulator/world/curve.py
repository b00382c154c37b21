"""The VIX forward curve: a forward leans from spot VIX towards a long-run level, the more the later it settles."""

from typing import Final

from bot.domain.checks import require_not_negative, require_positive
from bot.pricing import BETA_POINTS, vix_beta

_FIRST_DAYS, _FIRST_BETA = BETA_POINTS[0]
LONG_RUN_VIX: Final = 20.0
"""Points; with it the curve of a VIX of 18 gives the premiums of the reference book (docs/methodology.md, M2)."""


def spot_weight(days: float) -> float:
    """Return how much of spot VIX a forward holds: beta(T) of M10, and one at settlement, linear in between.

    >>> spot_weight(0), spot_weight(22), round(spot_weight(2), 3)
    (1.0, 0.56, 0.845)
    """
    if days >= _FIRST_DAYS:
        return vix_beta(days)
    return 1.0 - (1.0 - _FIRST_BETA) * max(0.0, days) / _FIRST_DAYS


def vix_forward(*, vix: float, days: float, long_run: float = LONG_RUN_VIX) -> float:
    """Return the VIX forward of a settlement ``days`` away, in points.

    ``F(T) = L + (VIX - L) w(T)``, so that a move of spot moves the forward by exactly the beta that the bot expects.

    Args:
        vix: Spot VIX, points, positive.
        days: Calendar days to settlement, fractions allowed, zero or more.
        long_run: The level that distant forwards lean to, points.

    >>> vix_forward(vix=18.0, days=22), vix_forward(vix=30.0, days=0)
    (18.88, 30.0)

    Source: docs/methodology.md, M10 (beta measured on settlements of VX futures).
    """
    require_positive(vix=vix, long_run=long_run)
    require_not_negative(days=days)
    return long_run + (vix - long_run) * spot_weight(days)
