"""How the indices answer each other, as the scenarios and the nights play them.

Estimates of the same numbers from a daily history: `simulator.world.estimate`.
"""

from typing import Final

VIX_PER_SPX_PERCENT: Final = -1.38
"""Points of VIX per +1 % of SPX; docs/methodology.md, M10."""
RUT_CORRELATION: Final = 0.85
"""Of the moves of RUT with those of SPX."""
RUT_NOISE_RATIO: Final = 1.3
"""The deviation of RUT's moves over that of SPX's."""
