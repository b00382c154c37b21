"""From VX settlements and closes to beta(T), g(T) and the present scale of VIX against SPX.

How it works: every contract gives one move a session, beside the moves of VIX and SPX over the same session. Within a
range of days to settlement beta is the least-squares slope of the forward's moves on those of VIX, g the one on those
of SPX in percent. Slopes that would rise with time are pooled with their neighbours (pool adjacent violators), weighted
by the squares that each slope rests on, so that the pooled slope is the least-squares one under that order.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from bot.domain.errors import InvalidValueError
from bot.hedging.sensitivities.settings import SensitivitySettings
from bot.pricing import Curve

Numbers = NDArray[np.float64]
Settlements = Mapping[date, Sequence[tuple[date, float]]]
"""Settlement prices in points by the day on which the contract settles: (trade date, price), ascending."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ForwardMoves:
    """One-session moves of VX contracts; four arrays of one length.

    Attributes:
        days: Calendar days to settlement on the later of the two sessions.
        forward: Change of the settlement price, points.
        vix: Change of VIX over the same session, points.
        spx_pct: Move of SPX over the same session, percent.
    """

    days: Numbers
    forward: Numbers
    vix: Numbers
    spx_pct: Numbers

    def __post_init__(self) -> None:
        """Reject arrays of different lengths and numbers that are none."""
        columns = (self.days, self.forward, self.vix, self.spx_pct)
        if any(column.ndim != 1 or len(column) != len(self.days) for column in columns):
            raise InvalidValueError(f"moves must be columns of one length, were {[column.shape for column in columns]}")
        if not all(np.isfinite(column).all() for column in columns):
            raise InvalidValueError("moves must be finite, found NaN or infinity; leave such sessions out")


@dataclass(frozen=True, slots=True, kw_only=True)
class BucketEstimate:
    """One range of days: slopes as measured and as they stand in the monotone curve.

    ``beta`` in points per point of VIX, ``spx_move`` in points per +1 % of SPX.
    """

    first_day: int
    last_day: int
    moves: int
    beta: float
    beta_monotone: float
    spx_move: float
    spx_move_monotone: float

    @property
    def middle(self) -> float:
        """The day at which the range stands in a curve."""
        return (self.first_day + self.last_day) / 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CurveEstimate:
    """All ranges that could be estimated, ascending, and those that could not, each with its reason."""

    buckets: tuple[BucketEstimate, ...]
    left_out: tuple[str, ...]

    def beta_curve(self) -> Curve:
        """Return beta(T) as `bot.pricing` interpolates it."""
        return tuple((bucket.middle, bucket.beta_monotone) for bucket in self.buckets)

    def spx_move_curve(self) -> Curve:
        """Return g(T) as `bot.pricing` interpolates it."""
        return tuple((bucket.middle, bucket.spx_move_monotone) for bucket in self.buckets)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """Present over long-run sensitivity of VIX to SPX; ``slope`` in points per +1 %, before clipping."""

    value: float
    slope: float
    sessions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NoScale:
    """There is no scale, and why."""

    why: str


def forward_moves(settlements: Settlements, vix: Mapping[date, float], spx: Mapping[date, float]) -> ForwardMoves:
    """Return the moves of all contracts over single sessions.

    Args:
        settlements: Prices by settlement day.
        vix: Closes by day, points.
        spx: Closes of SPX, or of a fund on it, by day. A session is a day that it has; a contract that skips one
            gives no move across the gap.

    Source: docs/methodology.md, M10.
    """
    next_session = dict(pairwise(sorted(spx)))
    rows = [
        ((settles_on - day).days, price - before, vix[day] - vix[earlier], 100.0 * (spx[day] / spx[earlier] - 1.0))
        for settles_on, prices in sorted(settlements.items())
        for (earlier, before), (day, price) in pairwise(prices)
        if next_session.get(earlier) == day and earlier in vix and day in vix
    ]
    columns = np.array(rows, dtype=np.float64).reshape(len(rows), 4).T
    return ForwardMoves(days=columns[0], forward=columns[1], vix=columns[2], spx_pct=columns[3])


def estimate_curves(moves: ForwardMoves, settings: SensitivitySettings) -> CurveEstimate:
    """Return beta(T) and g(T) per range of days, monotone and bounded.

    Source: docs/methodology.md, M10.
    """
    kept, betas, spx_moves, left_out = [], [], [], []
    for first, last in settings.buckets:
        within = (moves.days >= first) & (moves.days <= last)
        count = int(within.sum())
        beta = least_squares(moves.vix[within], moves.forward[within])
        spx_move = least_squares(moves.spx_pct[within], moves.forward[within])
        if count < settings.least_moves or beta is None or spx_move is None:
            cure = "VIX or SPX stood still" if count >= settings.least_moves else f"{settings.least_moves} are needed"
            left_out.append(f"{first}-{last} days: {count} moves, {cure}")
            continue
        kept.append((first, last, count))
        betas.append(beta)
        spx_moves.append(spx_move)
    smooth_betas = _monotone(betas, settings.beta_bounds, falling=True)
    smooth_moves = _monotone(spx_moves, settings.spx_move_bounds, falling=False)
    buckets = tuple(
        BucketEstimate(
            first_day=first,
            last_day=last,
            moves=count,
            beta=betas[number][0],
            beta_monotone=smooth_betas[number],
            spx_move=spx_moves[number][0],
            spx_move_monotone=smooth_moves[number],
        )
        for number, (first, last, count) in enumerate(kept)
    )
    return CurveEstimate(buckets=buckets, left_out=tuple(left_out))


def pooled(values: Sequence[float], weights: Sequence[float]) -> tuple[float, ...]:
    """Return the falling sequence nearest to ``values`` in weighted least squares, by pooling adjacent violators.

    >>> pooled((0.69, 0.55, 0.57, 0.46), (1.0, 1.0, 1.0, 1.0))
    (0.69, 0.56, 0.56, 0.46)

    Raises:
        InvalidValueError: Lengths differ, or a weight is not positive.

    Source: Barlow, Bartholomew, Bremner and Brunk (1972), Statistical Inference under Order Restrictions, chapter 1.
    """
    if len(values) != len(weights) or not all(weight > 0.0 for weight in weights):
        raise InvalidValueError(f"pooling needs one positive weight a value, found {list(values)} and {list(weights)}")
    blocks: list[tuple[float, float, int]] = []  # mean, weight, how many values
    for value, weight in zip(values, weights, strict=True):
        mean, total, count = value, weight, 1
        while blocks and blocks[-1][0] < mean:
            earlier, its_total, its_count = blocks.pop()
            mean = (earlier * its_total + mean * total) / (its_total + total)
            total, count = its_total + total, its_count + count
        blocks.append((mean, total, count))
    return tuple(mean for mean, _, count in blocks for _ in range(count))


def rolling_scale(vix: Numbers, spx: Numbers, settings: SensitivitySettings) -> Scale | NoScale:
    """Return the scale of the last sessions: the slope of VIX on SPX over its long-run value, clipped.

    Args:
        vix: Closes of common sessions, points, oldest first.
        spx: Closes of the same sessions.
        settings: How many sessions count, the long-run slope, and the bounds.

    Raises:
        InvalidValueError: Lengths differ, or a close is not positive and finite.

    Source: docs/methodology.md, M10.
    """
    if vix.ndim != 1 or vix.shape != spx.shape:
        raise InvalidValueError(f"closes of VIX and SPX must be of one length, were {vix.shape} and {spx.shape}")
    if not all((np.isfinite(closes) & (closes > 0.0)).all() for closes in (vix, spx)):
        raise InvalidValueError("closes must be finite and positive, found others; leave such sessions out")
    wanted = settings.scale_sessions
    if len(vix) <= wanted:
        return NoScale(why=f"the scale needs {wanted} moves of common sessions, has {max(len(vix) - 1, 0)}")
    last_vix, last_spx = vix[-wanted - 1 :], spx[-wanted - 1 :]
    found = least_squares(100.0 * (last_spx[1:] / last_spx[:-1] - 1.0), np.diff(last_vix))
    if found is None:
        return NoScale(why=f"SPX did not move over the last {wanted} sessions")
    slope, low, high = found[0], *settings.scale_bounds
    return Scale(value=min(high, max(low, slope / settings.long_run_vix_per_percent)), slope=slope, sessions=wanted)


def least_squares(x: Numbers, y: Numbers) -> tuple[float, float] | None:
    """Return the least-squares slope of y on x and the squares that it rests on; None where x does not vary."""
    if len(x) < 2:
        return None
    aside = x - x.mean()
    squares = float(aside @ aside)
    return (float(aside @ y) / squares, squares) if squares > 0.0 else None


def _monotone(slopes: Sequence[tuple[float, float]], bounds: tuple[float, float], *, falling: bool) -> list[float]:
    """Return slopes as a sequence that falls (or rises) towards far settlements, within bounds."""
    sign = 1.0 if falling else -1.0
    ordered = pooled([sign * slope for slope, _ in slopes], [squares for _, squares in slopes])
    low, high = bounds
    return [min(high, max(low, sign * value)) for value in ordered]
