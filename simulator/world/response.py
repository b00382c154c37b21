"""How the indices answer each other, as the scenarios and the nights play them.

`simulator.world.estimate` prints what a daily history says of the same numbers.
"""

from typing import Final

VIX_PER_SPX_PERCENT: Final = -1.38
"""Points of VIX per +1 % of SPX; docs/methodology.md, M10."""
RUT_CORRELATION: Final = 0.85
"""Of the moves of RUT with those of SPX."""
RUT_NOISE_RATIO: Final = 1.3
"""The deviation of RUT's moves over that of SPX's."""
SPX_VIX_CORRELATION: Final = -0.80
"""Of the moves of SPX with those of VIX."""
VOLATILITY_CORRELATION: Final = 0.99
"""Of the noise of RVX within a day with that of VIX, so that their spread carries little noise of its own; from day to
day the two are correlated by 0.93, the rest being the spread's own way from close to close."""
VOL_OF_VIX: Final = 0.9
"""Per year, of VIX on an ordinary day."""
NIGHT_DEVIATION: Final = 0.5
"""A night's deviation over a whole day's: a quarter of a day's variance falls into the night."""
