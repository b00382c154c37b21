"""The numbers of the own volatility index, each with its unit and its reason."""

from dataclasses import dataclass

from bot.domain.checks import require_finite, require_positive
from bot.domain.errors import InvalidValueError


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnIndexSettings:
    """Which settlements and quotes make an index, and how complete a chain must be to be believed.

    Fractions ending in ``_frac`` are of the forward unless a comment says otherwise. Source: docs/methodology.md, M18.
    """

    rate: float = 0.04
    """Continuous interest to both settlements, a fraction per year; 1 % more adds 0.01 points to an index of 17."""
    least_days: float = 22.5
    """The method's 23 to 37 calendar days, half a day wider on each side: some settle at 09:30, some at 16:00, ..."""
    most_days: float = 37.5
    """... so that two Fridays around thirty days can be 22.7 and 30, or 30 and 37.3 days away by the minute."""
    max_quote_age_s: float = 300.0
    """A chain is read quote by quote within some minutes; the freshness of M1 for an index that does not change."""
    least_options: int = 20
    """Options that must enter each term: fewer are a handful of strikes around the money, not a chain."""
    least_counted_frac: float = 0.90
    """Of the listed strikes between the ends, those with a quote that counts: one in ten late moves VIX by 0.01."""
    pair_frac: float = 0.02
    """Within this distance of the forward both call and put must be quoted: forward and centre come from pairs."""
    core_frac: float = 0.10
    """Within this distance of the forward, about two deviations of a month at 20 %, lies most of the variance, ..."""
    max_core_gap_frac: float = 0.01
    """... and there strikes may lie this far apart at most: a wider gap is a hole, real chains have 0.1 to 0.4 %."""
    max_end_price_frac: float = 0.005
    """Of the dearest price: a wing may end at an option so cheap also without two strikes that nobody bids for. What is
    cut off is then less than 0.1 points of an index of 17 and 1 % of one of 66, measured on simulated chains."""
    max_level: float = 200.0
    """Highest index that is believed, volatility points: the limit of M1 for a published one."""

    def __post_init__(self) -> None:
        """Reject numbers under which every chain, or none, would be believed."""
        require_finite(rate=self.rate)
        require_positive(
            least_days=self.least_days,
            most_days=self.most_days,
            max_quote_age_s=self.max_quote_age_s,
            least_options=self.least_options,
            pair_frac=self.pair_frac,
            core_frac=self.core_frac,
            max_core_gap_frac=self.max_core_gap_frac,
            max_end_price_frac=self.max_end_price_frac,
            max_level=self.max_level,
        )
        if not self.least_days < 30.0 < self.most_days:
            raise InvalidValueError(f"the days must enclose thirty, were {self.least_days:g} to {self.most_days:g}")
        if not 0.0 < self.least_counted_frac <= 1.0:
            raise InvalidValueError(f"least_counted_frac must lie within 0 to 1, was {self.least_counted_frac}")
        if self.least_options < 2:
            raise InvalidValueError(f"least_options must be 2 or more, was {self.least_options}")
