"""Settings of the hedge planner; every default is a number of docs/methodology.md, with its row beside it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from bot.domain.checks import require_finite, require_not_negative, require_positive
from bot.domain.errors import InvalidValueError
from bot.domain.layer import Layer
from bot.hedging.base.settings import BaseSettings
from bot.hedging.shifting.settings import TimeShiftSettings
from bot.hedging.temporal.settings import TemporalSettings
from bot.valuation import ValuationSettings

MAX_OVERLAY_FRAC = 0.20
"""M2: the overlay never exceeds a fifth of the base; configuration may lower it, never raise it."""


class Prefer(StrEnum):
    """Which construction is taken first; the others only where it offers nothing (M5)."""

    SPREADS = "spreads"
    FUTURES = "futures"
    BEST = "best"


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerSettings:
    """One layer of the base sleeve (M4).

    Attributes:
        days: Calendar days to settlement when it is bought.
        calls_per_ten_condors: VIX calls near ``forward_delta`` for every ten condors.
        longest_days: A position found in the account belongs here up to so many days to settlement.
        forward_delta: N(d1) of the calls.
        exposure_usd_per_point: USD per +1.00 point of spot VIX that the whole layer should have; where it is above 0
            it counts instead of ``calls_per_ten_condors``, whatever the number of condors.
    """

    days: int
    calls_per_ten_condors: int
    longest_days: int
    forward_delta: float = 0.50
    exposure_usd_per_point: float = 0.0

    def __post_init__(self) -> None:
        """Reject an empty layer, and a delta that no call has."""
        require_positive(days=self.days, calls_per_ten_condors=self.calls_per_ten_condors)
        require_positive(forward_delta=self.forward_delta, longest_days=self.longest_days)
        require_not_negative(exposure_usd_per_point=self.exposure_usd_per_point)
        if not self.forward_delta < 1.0:
            raise InvalidValueError(f"forward_delta lies between 0 and 1, was {self.forward_delta}")


@dataclass(frozen=True, slots=True, kw_only=True)
class HedgeSettings:
    """What the planner is told; fractions of the base exposure unless a name says otherwise."""

    valuation: ValuationSettings = field(default_factory=ValuationSettings)
    layers: Mapping[Layer, LayerSettings] = field(
        default_factory=lambda: {
            Layer.SHORT: LayerSettings(days=30, calls_per_ten_condors=4, longest_days=70),
            Layer.MEDIUM: LayerSettings(days=110, calls_per_ten_condors=4, longest_days=165),
            Layer.LONG: LayerSettings(days=220, calls_per_ten_condors=2, longest_days=1000),
        }
    )
    base: BaseSettings = field(default_factory=BaseSettings)
    least_increment_frac: float = 0.10  # M2, at least_excess
    most_increment_frac: float = 0.20  # M2, at most_excess and above
    least_excess: float = 0.25
    most_excess: float = 0.75
    max_overlay_frac: float = MAX_OVERLAY_FRAC
    no_trade_band_frac: float = 0.02  # M2, M16
    least_long_delta: float = 0.30  # M5, forward delta of a spread's long leg
    most_long_delta: float = 0.45
    widths_points: tuple[float, ...] = (2.5, 5.0, 10.0)  # M5
    max_width_points: float = 5.0  # M5: wider spreads only where config allows
    max_liquidity_width_frac: float = 0.25  # M5, of the middle of the whole order
    max_liquidity_width_ticks: int = 2
    stress_vix_rise_frac: float = 0.50  # M5
    stress_vol_factor: float = 1.15
    prefer: Prefer = Prefer.SPREADS  # a spread risks its premium alone, a future has no floor
    allow_vxx_shares: bool = False  # M5: its roll makes it a poor substitute; the gate must permit it as well
    shifting: TimeShiftSettings = field(default_factory=TimeShiftSettings)
    vix_ceiling: float = 40.0  # M17, points
    unwind_least_minutes: float = 60.0  # M17: the way back begins in a session that has so much left
    temporal: TemporalSettings = field(default_factory=TemporalSettings)
    collar_frac: float = 0.15  # C7: farther than this from the middle is no price to pay; the gate has its own
    future_collar_frac: float = 0.01  # 0.20 points at 20
    collar_ticks: int = 3
    max_watched: int = 40  # market data lines are scarce

    def __post_init__(self) -> None:
        """Reject settings that contradict each other or the methodology."""
        self._require_numbers()
        if not 0.0 < self.least_increment_frac <= self.most_increment_frac <= self.max_overlay_frac:
            raise InvalidValueError(
                f"increments rise within the overlay's share: 0 < least <= most <= {self.max_overlay_frac}, were "
                f"{self.least_increment_frac} and {self.most_increment_frac}"
            )
        if self.max_overlay_frac > MAX_OVERLAY_FRAC:
            raise InvalidValueError(f"max_overlay_frac may be lowered below {MAX_OVERLAY_FRAC}, never raised")
        if not 0.0 < self.least_excess < self.most_excess:
            raise InvalidValueError(f"excess must rise from least to most, was {self.least_excess}..{self.most_excess}")
        if not 0.0 < self.least_long_delta < self.most_long_delta < 1.0:
            raise InvalidValueError(
                f"long deltas rise within 0..1, were {self.least_long_delta}..{self.most_long_delta}"
            )
        for layer, one in self.layers.items():
            if one.days <= self.temporal.roll_days(layer):
                raise InvalidValueError(
                    f"days of the {layer} layer lie above its roll at {self.temporal.roll_days(layer)}, were {one.days}"
                )
        if not self.widths_points or min(self.widths_points) <= 0.0:
            raise InvalidValueError(f"spread widths must be positive, were {self.widths_points}")

    def _require_numbers(self) -> None:
        require_finite(
            least_increment_frac=self.least_increment_frac,
            most_increment_frac=self.most_increment_frac,
            max_overlay_frac=self.max_overlay_frac,
            least_excess=self.least_excess,
            most_excess=self.most_excess,
            least_long_delta=self.least_long_delta,
            most_long_delta=self.most_long_delta,
        )
        require_finite(**{f"width {width}": width for width in self.widths_points})
        require_positive(
            no_trade_band_frac=self.no_trade_band_frac,
            max_width_points=self.max_width_points,
            max_liquidity_width_frac=self.max_liquidity_width_frac,
            max_liquidity_width_ticks=self.max_liquidity_width_ticks,
            stress_vix_rise_frac=self.stress_vix_rise_frac,
            stress_vol_factor=self.stress_vol_factor,
            unwind_least_minutes=self.unwind_least_minutes,
            vix_ceiling=self.vix_ceiling,
            collar_frac=self.collar_frac,
            future_collar_frac=self.future_collar_frac,
            collar_ticks=self.collar_ticks,
            max_watched=self.max_watched,
        )
