"""The numbers of the estimation, each with its unit and its reason."""

from dataclasses import dataclass

from bot.domain.checks import require_finite, require_frac, require_positive
from bot.domain.errors import InvalidValueError


@dataclass(frozen=True, slots=True, kw_only=True)
class SensitivitySettings:
    """Ranges of days, how much is needed to say anything, and the bounds of what is believed.

    Source: docs/methodology.md, M10.
    """

    buckets: tuple[tuple[int, int], ...] = (
        *((1, 7), (8, 14), (15, 21), (22, 30), (31, 45), (46, 60), (61, 75)),
        *((76, 90), (91, 120), (121, 150), (151, 180), (181, 220), (221, 260)),
    )
    """Calendar days to settlement, first and last of each range: narrow where the forward's answer changes fastest."""
    least_moves: int = 90
    """Daily moves that a range needs: a slope of fewer has an error of a tenth and more of itself."""
    beta_bounds: tuple[float, float] = (0.0, 1.0)
    """Points per point of VIX: a forward that reverts to its mean follows spot, and never beyond it."""
    spx_move_bounds: tuple[float, float] = (-3.0, 0.0)
    """Points per +1 % of SPX: spot VIX itself moved by -1.38; more than twice that is no forward."""
    scale_sessions: int = 252
    """Sessions of the present sensitivity of VIX to SPX: one year, long enough for a slope within a tenth."""
    long_run_vix_per_percent: float = -1.38
    """Points of VIX per +1 % of SPX over all years since 2009: what the curve g(T) was measured with."""
    scale_bounds: tuple[float, float] = (0.6, 1.7)
    """The scale is clipped to these: single years since 2010 gave 0.46 to 1.70, one odd year should move no book."""

    product_moves: int = 252
    """Sessions of a volatility product's answer to VIX (M4): one year, as for the scale."""
    least_product_moves: int = 90
    """Of them at least so many, as for a range of days: a slope of fewer has an error of a tenth and more of itself."""
    least_product_fit: float = 0.25
    """Share of its moves that VIX must explain; VXX, UVXY and SVXY show 0.6 to 0.8, a split that was not undone next
    to nothing."""

    def __post_init__(self) -> None:
        """Reject ranges that overlap and bounds the wrong way round."""
        require_positive(least_moves=self.least_moves, scale_sessions=self.scale_sessions)
        require_frac(least_product_fit=self.least_product_fit)
        if not 3 <= self.least_product_moves <= self.product_moves:
            raise InvalidValueError(
                f"least_product_moves must lie from 3 to product_moves, were {self.least_product_moves} and "
                f"{self.product_moves}"
            )
        require_finite(long_run_vix_per_percent=self.long_run_vix_per_percent)
        if self.long_run_vix_per_percent >= 0.0:
            found = self.long_run_vix_per_percent
            raise InvalidValueError(f"long_run_vix_per_percent must be negative: VIX falls when SPX rises, was {found}")
        edges = [day for bucket in self.buckets for day in bucket]
        if not edges or edges[0] < 1 or any(last < first for first, last in self.buckets):
            raise InvalidValueError(f"buckets must be ranges of days from 1 on, were {self.buckets}")
        if any(after <= before for before, after in zip(edges[1::2], edges[2::2], strict=False)):
            raise InvalidValueError(f"buckets must ascend without overlapping, were {self.buckets}")
        for name in ("beta_bounds", "spx_move_bounds", "scale_bounds"):
            low, high = getattr(self, name)
            require_finite(**{f"{name} low": low, f"{name} high": high})
            if low >= high:
                raise InvalidValueError(f"{name} must ascend, were {low:g} and {high:g}")
        if self.least_moves < 3 or self.scale_sessions < 3:
            raise InvalidValueError("least_moves and scale_sessions must be 3 or more: a slope needs as many points")
