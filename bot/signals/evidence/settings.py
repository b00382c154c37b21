"""The numbers of the confirmations and of the conviction, each with its unit and its reason."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from bot.domain.checks import require_finite, require_frac, require_not_negative, require_positive, require_text
from bot.domain.errors import InvalidValueError
from bot.domain.evidence import PRICE_BASED, ConfirmationName, WeakConviction

MAX_SLOW_SHARE: Final = 0.30
"""M3: the slow sources weigh at most so much together; configuration may lower it, never raise it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StrengthSettings:
    """Relative strength of SPX over RUT; windows in sessions.

    Source: docs/methodology.md, M3.
    """

    period: int = 14
    """Changes in Wilder's average: his own number."""
    mean_sessions: int = 252
    """A year: large caps have long stretches of being the stronger ones, and only what exceeds them is news."""
    full_scale_points: float = 15.0
    """RSI points that make an evidence of 1: about two deviations of the difference."""

    def __post_init__(self) -> None:
        """Reject windows and scales without a meaning."""
        require_positive(period=self.period, mean_sessions=self.mean_sessions, full_scale_points=self.full_scale_points)


@dataclass(frozen=True, slots=True, kw_only=True)
class MomentumSettings:
    """Momentum of SPY over IWM; spans and windows in sessions.

    Source: docs/methodology.md, M3.
    """

    fast_span: int = 12
    """Of the fast exponential average: the common 12, 26, 9 of MACD and PPO."""
    slow_span: int = 26
    signal_span: int = 9
    deviation_sessions: int = 90
    """The window of the dispersion signal (M1)."""
    full_scale_deviations: float = 2.0
    """Deviations that make an evidence of 1: one session in twenty."""

    def __post_init__(self) -> None:
        """Reject spans and windows without a meaning, alone or together."""
        require_positive(
            fast_span=self.fast_span,
            signal_span=self.signal_span,
            full_scale_deviations=self.full_scale_deviations,
        )
        if not self.fast_span < self.slow_span:
            raise InvalidValueError(f"slow_span must exceed fast_span {self.fast_span}, was {self.slow_span}")
        _require_deviation(self.deviation_sessions)


@dataclass(frozen=True, slots=True, kw_only=True)
class BreadthSettings:
    """SPX against the line of advances less declines; windows in sessions.

    Source: docs/methodology.md, M3.
    """

    change_sessions: int = 20
    """A month: what breadth loses in a day comes back the next."""
    deviation_sessions: int = 90
    """The window of the dispersion signal (M1)."""
    high_sessions: int = 20
    """A high of SPX over so many sessions that the line does not share is the classical divergence."""
    full_scale_deviations: float = 2.0
    """Difference of deviations that makes an evidence of 1."""

    def __post_init__(self) -> None:
        """Reject windows and scales without a meaning."""
        require_positive(
            change_sessions=self.change_sessions,
            high_sessions=self.high_sessions,
            full_scale_deviations=self.full_scale_deviations,
        )
        _require_deviation(self.deviation_sessions)


@dataclass(frozen=True, slots=True, kw_only=True)
class CapitalSettings:
    """The weighted cost of capital of a typical small company; rates in percent, weights as fractions.

    Source: docs/methodology.md, M3.
    """

    change_sessions: int = 20
    """A month: rates move slowly against prices."""
    full_scale_bp: float = 50.0
    """Rise in basis points that makes an evidence of 1: two steps of the Federal Reserve."""
    equity_weight: float = 0.65
    """E/V; the rest is debt: small caps carry more of it than large ones."""
    beta: float = 1.2
    """Of small caps to the market."""
    equity_risk_premium_pct: float = 5.0
    """Where no series is given; a constant moves nothing, only rates and spreads do."""
    tax_frac: float = 0.21
    """The United States' corporate rate since 2018."""
    max_age_days: int = 7
    """Calendar days: FRED publishes a day late, and bond holidays come on top."""

    def __post_init__(self) -> None:
        """Reject weights, rates and windows without a meaning."""
        require_positive(
            change_sessions=self.change_sessions, full_scale_bp=self.full_scale_bp, max_age_days=self.max_age_days
        )
        require_not_negative(beta=self.beta, equity_risk_premium_pct=self.equity_risk_premium_pct)
        require_frac(equity_weight=self.equity_weight, tax_frac=self.tax_frac)


@dataclass(frozen=True, slots=True, kw_only=True)
class CashFlowSettings:
    """Price to cash flow of the configured REITs and small-cap value names; ages in calendar days.

    Source: docs/methodology.md, M3.
    """

    names: tuple[str, ...] = ()
    """Symbols; without any this confirmation abstains."""
    least_names: int = 3
    """Fewer names make no median: one company's news would be the sector's."""
    change_days: int = 60
    """Most of a quarter, so that one report lies between."""
    full_scale_frac: float = 0.10
    """Fall of the median that makes an evidence of 1."""
    price_max_age_days: int = 7
    """Of a name's close before the day that it stands for: operators keep weekly closes."""
    figure_max_age_days: int = 200
    """Since the end of its period: the third quarter holds until the annual report of a small filer, 182 days on."""

    def __post_init__(self) -> None:
        """Reject names without letters, named twice, and numbers without a meaning."""
        for name in self.names:
            require_text(name=name)
        if len(set(self.names)) < len(self.names):
            raise InvalidValueError(f"names must each stand once, were {', '.join(self.names)}")
        require_positive(
            least_names=self.least_names,
            change_days=self.change_days,
            full_scale_frac=self.full_scale_frac,
            price_max_age_days=self.price_max_age_days,
            figure_max_age_days=self.figure_max_age_days,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AcidTestSettings:
    """Quick ratios of the small-cap shares that the account holds; ages in calendar days.

    Source: docs/methodology.md, M12.
    """

    full_scale_frac: float = 0.10
    """Median fall within a year that makes an evidence of 1."""
    least_covered_frac: float = 0.5
    """Share of the held names that must have figures: a minority does not speak for the rest."""
    figure_max_age_days: int = 200
    """Since the end of its period, as for cash flows."""
    year_days: int = 365
    """From one balance sheet to that of a year before."""
    year_tolerance_days: int = 20
    """Fiscal years of 52 or 53 weeks end a few days apart; a neighbouring quarter is farther away."""

    def __post_init__(self) -> None:
        """Reject numbers without a meaning."""
        require_positive(
            full_scale_frac=self.full_scale_frac,
            figure_max_age_days=self.figure_max_age_days,
            year_days=self.year_days,
        )
        require_not_negative(year_tolerance_days=self.year_tolerance_days)
        require_frac(least_covered_frac=self.least_covered_frac)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmationWeights:
    """What each confirmation weighs against the others.

    Prices weigh 1 each, as none is known to be better than the others; slow sources 0.3 each, so that three of them
    hardly meet their cap. One from prices cannot be weighed away, a slow one can.
    Source: docs/methodology.md, M3.
    """

    relative_strength: float = 1.0
    momentum_divergence: float = 1.0
    breadth_divergence: float = 1.0
    cost_of_capital: float = 0.3
    price_to_cash_flow: float = 0.3
    acid_test: float = 0.3

    def __post_init__(self) -> None:
        """Reject weights below zero, and none for prices."""
        require_positive(
            relative_strength=self.relative_strength,
            momentum_divergence=self.momentum_divergence,
            breadth_divergence=self.breadth_divergence,
        )
        require_not_negative(
            cost_of_capital=self.cost_of_capital,
            price_to_cash_flow=self.price_to_cash_flow,
            acid_test=self.acid_test,
        )

    def by_name(self) -> Mapping[ConfirmationName, float]:
        """Return the weight of every confirmation."""
        return {
            ConfirmationName.RELATIVE_STRENGTH: self.relative_strength,
            ConfirmationName.MOMENTUM_DIVERGENCE: self.momentum_divergence,
            ConfirmationName.BREADTH_DIVERGENCE: self.breadth_divergence,
            ConfirmationName.COST_OF_CAPITAL: self.cost_of_capital,
            ConfirmationName.PRICE_TO_CASH_FLOW: self.price_to_cash_flow,
            ConfirmationName.ACID_TEST: self.acid_test,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceSettings:
    """How the confirmations are read and what they weigh.

    Source: docs/methodology.md, M3 and M12.
    """

    strength: StrengthSettings = field(default_factory=StrengthSettings)
    momentum: MomentumSettings = field(default_factory=MomentumSettings)
    breadth: BreadthSettings = field(default_factory=BreadthSettings)
    capital: CapitalSettings = field(default_factory=CapitalSettings)
    cash_flow: CashFlowSettings = field(default_factory=CashFlowSettings)
    acid_test: AcidTestSettings = field(default_factory=AcidTestSettings)
    weights: ConfirmationWeights = field(default_factory=ConfirmationWeights)
    max_slow_share: float = MAX_SLOW_SHARE
    """Of the whole weight, for all slow sources that answered together."""
    least_price_based: int = 2
    """Confirmations from prices without which there is no conviction."""
    supports_at: float = 0.2
    """Conviction from here on lets the overlay have its full size."""
    contradicts_at: float = -0.2
    """Conviction down to here forbids an increase."""
    weak_conviction: WeakConviction = WeakConviction.MINIMUM
    """What is done in between, and when conviction is UNKNOWN."""
    warm_up_sessions: int = 100
    """Averages are seeded so many sessions before the first value that counts: less than a thousandth of the seed is
    left by then."""
    price_max_age_days: int = 4
    """Calendar days since the last common close: a weekend with a holiday beside it."""
    max_missing_sessions: int = 5
    """Sessions that a window may lack: RVX lacks five in fifteen years, a bot that was switched off lacks more."""

    def __post_init__(self) -> None:
        """Reject numbers without a meaning, alone or together."""
        require_positive(least_price_based=self.least_price_based, price_max_age_days=self.price_max_age_days)
        require_not_negative(warm_up_sessions=self.warm_up_sessions, max_missing_sessions=self.max_missing_sessions)
        require_frac(max_slow_share=self.max_slow_share)
        if self.max_slow_share > MAX_SLOW_SHARE:
            raise InvalidValueError(
                f"max_slow_share may be lowered below {MAX_SLOW_SHARE}, never raised, was {self.max_slow_share}"
            )
        require_finite(supports_at=self.supports_at, contradicts_at=self.contradicts_at)
        if not -1.0 <= self.contradicts_at < self.supports_at <= 1.0:
            raise InvalidValueError(
                f"contradicts_at must lie below supports_at within -1..1, were {self.contradicts_at} and "
                f"{self.supports_at}"
            )
        if self.least_price_based > len(PRICE_BASED):
            raise InvalidValueError(
                f"least_price_based must be at most {len(PRICE_BASED)}, was {self.least_price_based}"
            )


def _require_deviation(sessions: int) -> None:
    if sessions < 2:
        raise InvalidValueError(f"deviation_sessions must be at least 2 to deviate at all, was {sessions}")
