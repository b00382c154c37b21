"""How the implied volatility of an SPX option moves when SPX and VIX move: it slides along the smile of its expiry.

How it works: VIX measures the smile around the present forward. So a stated VIX after a move says what the smile is
worth around the **new** forward, and a strike takes the volatility of the place to which it has come. The place counts
in standard deviations: where all volatility doubles, the smile is twice as wide.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from bot.domain.instrument import Instrument, Right
from bot.pricing import Curve, interpolated
from bot.valuation import Valued, Valuer

Move = tuple[float, float]
"""Of an expiry: its forward after a scenario, points, and the factor of its whole smile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Smile:
    """Volatility by log-moneyness ``ln(K / F)`` of one class and expiry, ascending; straight between known strikes.

    Beyond the outermost strikes it is flat. With fewer than two strikes nothing is known of its shape, and a strike
    keeps its own volatility.
    """

    curve: Curve

    def factor(self, *, strike: float, forward: float, forward_after: float, level: float) -> float:
        """Return the factor by which the volatility of a strike moves: one that comes to the money loses its skew.

        >>> steep = Smile(curve=((-0.10, 0.24), (0.0, 0.16)))
        >>> round(steep.factor(strike=90.4837418, forward=100.0, forward_after=90.4837418, level=1.5), 6)
        1.0

        Args:
            strike: Points, positive.
            forward: Before the move, points, positive.
            forward_after: After it.
            level: Factor of the whole smile, positive; see `level_factor`.

        Source: docs/methodology.md, M11; that a smile keeps its shape in standard deviations is the project's choice.
        """
        return self.factors(strike=strike, forward=forward, moves=((forward_after, level),))[0]

    def factors(self, *, strike: float, forward: float, moves: Sequence[Move]) -> list[float]:
        """Return the factor of each of several moves, as `factor` does for one."""
        if len(self.curve) < 2:
            return [level for _, level in moves]
        before = interpolated(self.curve, math.log(strike / forward))
        return [level * interpolated(self.curve, math.log(strike / after) / level) / before for after, level in moves]


def level_factor(*, vix_before: float, vix_after: float, days: float, tenor_days: float) -> float:
    """Return the factor of a whole smile when VIX moves: ``(after / before) ** a(T)``, always positive.

    ``a(T) = min(1, sqrt(tenor / days))``: options as long as VIX's own term follow it one to one, longer ones by the
    square-root rule, by which a shock of the variance ahead fades with the term. Measured on the daily closes from 2011
    to 2025, VIX3M follows VIX by 0.60 (the rule says 0.57 at 93 days) and VIX9D by 1.49, where the rule stops at 1.

    >>> round(level_factor(vix_before=20.0, vix_after=40.0, days=120.0, tenor_days=30.0), 6)
    1.414214

    Args:
        vix_before: Spot VIX, points, positive.
        vix_after: Spot VIX after the move, points, positive.
        days: Calendar days to settlement before the move, positive.
        tenor_days: Calendar days of VIX's own term.

    Source: docs/methodology.md, M11; the square-root rule is the project's own choice.
    """
    return math.pow(vix_after / vix_before, min(1.0, math.sqrt(tenor_days / days)))


def smile_of(trading_class: str, settlement: date | None, valuer: Valuer) -> Smile:
    """Return the smile of one class and expiry from the options that are held or listed and have a good quote.

    Out-of-the-money options alone: in the money the same volatility stands behind a worse quote.
    """
    held = (position.instrument for position in valuer.snapshot.book.positions.values())
    known = {one.key: one for one in (*held, *valuer.snapshot.universe.values())}
    points = {}
    for one in known.values():
        if (one.trading_class, one.settlement) != (trading_class, settlement) or one.strike is None:
            continue
        valued = valuer.value(one)
        if isinstance(valued, Valued) and _is_out_of_the_money(one, valued.forward):
            points[math.log(float(one.strike) / valued.forward)] = valued.vol
    return Smile(curve=tuple(sorted(points.items())))


def _is_out_of_the_money(option: Instrument, forward: float) -> bool:
    strike = float(option.strike or 0)
    return strike >= forward if option.right is Right.CALL else strike < forward
