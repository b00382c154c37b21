"""What a daily history says of the world's constants: each constant beside its estimate, with the rule that made it.

Rules are ordinary least squares, means, medians and correlations over common days. Medians stand where a constant
describes an ordinary day and the mean would be that of crashes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from simulator.world import related, response, scenarios
from simulator.world.curve import LONG_RUN_VIX, spot_weight
from simulator.world.levels import SMALL_CAP_VOL, DailyLevel
from simulator.world.market import WorldModel
from simulator.world.scripts import WIDENING
from simulator.world.surface import vix_at_the_money_vol

Numbers = NDArray[np.float64]
SYMBOLS: Final = ("SPX", "RUT", "VIX", "RVX", "VVIX", "SPY", "IWM")
_SESSIONS: Final = 252.0
_NORMAL: Final = 0.6745  # the median of the absolute value over the deviation, of a normal number
_VVIX_SINCE: Final = date(2012, 1, 1)
_REFERENCE_VIX: Final = 17.0
_BASELINE: Final = 90
_FLAG: Final = 1.25
_FAR_OUT: Final = 0.95
BUCKETS: Final = (
    *((1, 7), (8, 14), (15, 21), (22, 30), (31, 45), (46, 60), (61, 75)),
    *((76, 90), (91, 120), (121, 150), (151, 180), (181, 220), (221, 260)),
)
"""Days to settlement, as in docs/methodology.md, M10."""
_LONG_RUN_BUCKETS: Final = (151, 260)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One constant of the world beside its estimate.

    ``tolerance`` is how far the two may lie apart; None where the constant is a choice, or where there is none, and the
    estimate is told for comparison alone. ``estimate`` is None where the files are missing.
    """

    name: str
    constant: float | None
    estimate: float | None
    tolerance: float | None
    rule: str

    @property
    def verdict(self) -> str:
        """One word: within, beyond, told (nothing to hold it against) or missing (no data)."""
        if self.estimate is None:
            return "missing"
        if self.tolerance is None or self.constant is None:
            return "told"
        return "within" if abs(self.estimate - self.constant) <= self.tolerance else "beyond"


@dataclass(frozen=True)  # no slots: cached properties need a dictionary
class History:
    """Daily levels by symbol, and settlement prices of VX by settlement day."""

    levels: Mapping[str, Sequence[DailyLevel]]
    futures: Mapping[date, Sequence[tuple[date, float]]] = field(default_factory=dict)

    @cached_property
    def _closes(self) -> Mapping[str, Mapping[date, float]]:
        return {symbol: {row.day: row.close for row in rows} for symbol, rows in self.levels.items()}

    def common(self, *symbols: str, since: date = date.min) -> tuple[Numbers, ...]:
        """Return the closes of some symbols on their common days, oldest first; empty where one has no file."""
        by_day = [self._closes.get(symbol, {}) for symbol in symbols]
        days = sorted(day for day in set.intersection(*map(set, by_day)) if day >= since)
        return tuple(np.array([closes[day] for day in days]) for closes in by_day)

    @cached_property
    def night_share(self) -> float | None:
        """Median squared move from close to open over that from close to close, mean of SPY and IWM."""
        shares = []
        for symbol in ("SPY", "IWM"):
            rows = [row for row in self.levels.get(symbol, ()) if row.open is not None]
            if len(rows) > _BASELINE:
                opens, closes = (
                    np.array([getattr(row, name) for row in rows], dtype=float) for name in ("open", "close")
                )
                night, day = np.log(opens[1:] / closes[:-1]), np.diff(np.log(closes))
                shares.append(float(np.median(np.abs(night)) / np.median(np.abs(day))) ** 2)
        return float(np.mean(shares)) if shares else None

    def curve(self, days: tuple[int, int]) -> tuple[float, float] | None:
        """Return beta and long run of VX with so many days to settlement; None where nothing is known.

        beta: points of the future per point of VIX from day to day, least squares. The long run L solves the mean of
        ``F = L + (VIX - L) beta``.
        """
        vix, told = self._closes.get("VIX", {}), []
        for settles_on, rows in self.futures.items():
            for (before, first), (day, second) in pairwise(rows):
                if days[0] <= (settles_on - day).days <= days[1] and before in vix and day in vix:
                    told.append((vix[day] - vix[before], second - first, vix[day], second))
        if len(told) < _BASELINE:
            return None
        moves, answers, spots, prices = np.array(told).T
        beta = float(np.polyfit(moves, answers, 1)[0])
        return beta, float(np.mean(prices - beta * spots)) / (1.0 - beta)


def figures(history: History) -> tuple[Figure, ...]:
    """Return every constant that a daily history can speak of, beside its estimate."""
    return (*_responses(history), *_volatilities(history), *_spreads(history), *_curve(history), *_prices(history))


def _responses(history: History) -> tuple[Figure, ...]:
    spx, rut, vix, rvx = history.common("SPX", "RUT", "VIX", "RVX")
    share, small, points, small_points = _moves(spx), _moves(rut), np.diff(vix), np.diff(rvx)
    slope = _slope(share, points)
    rest = None if slope is None else float(np.std(points - slope * share))
    return (
        Figure(
            name="VIX points per +1 % SPX",
            constant=response.VIX_PER_SPX_PERCENT,
            estimate=slope,
            tolerance=0.1,
            rule="least squares of daily moves",
        ),
        Figure(
            name="correlation of RUT with SPX",
            constant=response.RUT_CORRELATION,
            estimate=_correlation(share, small),
            tolerance=0.06,
            rule="daily moves",
        ),
        Figure(
            name="deviation of RUT over SPX",
            constant=response.RUT_NOISE_RATIO,
            estimate=_ratio(small, share),
            tolerance=0.1,
            rule="daily moves",
        ),
        Figure(
            name="correlation of SPX with VIX",
            constant=response.SPX_VIX_CORRELATION,
            estimate=_correlation(share, points),
            tolerance=0.05,
            rule="daily moves",
        ),
        Figure(
            name="correlation of RVX with VIX, within a day",
            constant=response.VOLATILITY_CORRELATION,
            estimate=_correlation(points, small_points),
            tolerance=0.08,
            rule="daily moves; within a day nothing is known, closes carry the rest",
        ),
        Figure(
            name="own noise of VIX within a day, points",
            constant=scenarios.VIX_NOISE,
            estimate=rest,
            tolerance=None,
            rule="deviation of what the answer to SPX leaves; in a scenario its anchors carry most of it",
        ),
        Figure(
            name="night's deviation over a day's",
            constant=response.NIGHT_DEVIATION,
            estimate=None if history.night_share is None else history.night_share**0.5,
            tolerance=0.06,
            rule="medians of SPY and IWM, close to open over close to close",
        ),
    )


def _volatilities(history: History) -> tuple[Figure, ...]:
    vix, rvx = history.common("VIX", "RVX")
    spot, vvix = history.common("VIX", "VVIX", since=_VVIX_SINCE)
    line = np.polyfit(np.log(spot / _REFERENCE_VIX), np.log(vvix), 1) if len(spot) > _BASELINE else None
    daily = np.abs(np.diff(np.log(vix)))
    level = None if line is None else float(np.exp(line[1]))
    return (
        Figure(
            name="VIX at the start of a scenario",
            constant=scenarios.FIRST_VIX,
            estimate=_median(vix),
            tolerance=1.0,
            rule="median close",
        ),
        Figure(
            name="RVX over VIX",
            constant=SMALL_CAP_VOL,
            estimate=float(np.mean(rvx / vix)) if len(vix) else None,
            tolerance=0.03,
            rule="mean ratio of closes",
        ),
        Figure(
            name="volatility of VIX, per year",
            constant=response.VOL_OF_VIX,
            estimate=float(np.median(daily)) / _NORMAL * _SESSIONS**0.5 if len(daily) else None,
            tolerance=0.1,
            rule="median move, as a normal deviation",
        ),
        Figure(name="VVIX at a VIX of 17", constant=related.VVIX_AT_17, estimate=level, tolerance=2.0, rule=_VVIX_RULE),
        Figure(
            name="power of VVIX in VIX",
            constant=related.VVIX_POWER,
            estimate=None if line is None else float(line[0]),
            tolerance=0.03,
            rule=_VVIX_RULE,
        ),
        Figure(
            name="30-day volatility of VIX options, points",
            constant=100.0 * vix_at_the_money_vol(days=30.0, vix=_REFERENCE_VIX),
            estimate=level,
            tolerance=15.0,
            rule="VVIX at a VIX of 17, which counts the skew of calls as well",
        ),
    )


def _spreads(history: History) -> tuple[Figure, ...]:
    vix, rvx = history.common("VIX", "RVX")
    spread = rvx - vix
    means = np.array([spread[at - _BASELINE : at].mean() for at in range(_BASELINE, len(spread))])
    excess = spread[_BASELINE:] / means - 1.0 if len(means) else means
    flags = spread[_BASELINE:] > _FLAG * means
    begins = np.diff(flags.astype(np.int8), prepend=0) > 0
    return (
        Figure(
            name="usual spread of RVX over VIX, points",
            constant=scenarios.USUAL_SPREAD,
            estimate=float(spread.mean()) if len(spread) else None,
            tolerance=0.5,
            rule="mean of common closes",
        ),
        Figure(
            name="excess of a blowout",
            constant=max(excess for _, excess in WIDENING.excess),
            estimate=float(np.quantile(excess, _FAR_OUT)) if len(excess) else None,
            tolerance=0.2,
            rule="0.95 quantile of the spread over its 90-session mean, less one",
        ),
        Figure(
            name="sessions with a spread above 1.25 of its mean",
            constant=None,
            estimate=float(flags.sum()) if len(flags) else None,
            tolerance=None,
            rule=f"of {len(flags)} sessions with 90 before them",
        ),
        Figure(
            name="runs of such sessions",
            constant=None,
            estimate=float(begins.sum()) if len(flags) else None,
            tolerance=None,
            rule="episodes",
        ),
    )


def _curve(history: History) -> tuple[Figure, ...]:
    found = []
    for first, last in BUCKETS:
        fit = history.curve((first, last))
        found.append(
            Figure(
                name=f"VX, {first} to {last} days: points per point of VIX",
                constant=spot_weight((first + last) / 2.0),
                estimate=None if fit is None else fit[0],
                tolerance=0.02,
                rule="least squares of daily settlement prices",
            )
        )
    far = history.curve(_LONG_RUN_BUCKETS)
    usual = history.common("VIX", "RVX")
    spread = float(np.mean(usual[1] - usual[0])) if len(usual[0]) else None
    return (
        *found,
        Figure(
            name="long run of VIX forwards, points",
            constant=LONG_RUN_VIX,
            estimate=None if far is None else far[1],
            tolerance=2.0,
            rule="mean VX of 151 to 260 days, less beta times VIX, over 1 - beta",
        ),
        Figure(
            name="long run of RVX, points",
            constant=WorldModel().long_run_rvx,
            estimate=None if far is None or spread is None else far[1] + spread,
            tolerance=2.0,
            rule="the line above plus the mean spread",
        ),
    )


def _prices(history: History) -> tuple[Figure, ...]:
    found = []
    for fund, index, reference in (("SPY", "SPX", related.REFERENCE_SPX), ("IWM", "RUT", related.REFERENCE_RUT)):
        prices, levels = history.common(fund, index)
        found.append(
            Figure(
                name=f"{fund} over {index}",
                constant=related.SHARES[fund].price / reference,
                estimate=float(prices[-1] / levels[-1]) if len(prices) else None,
                tolerance=0.001,
                rule="last common close",
            )
        )
    return tuple(found)


_VVIX_RULE: Final = "line through logarithms since 2012"


def _moves(levels: Numbers) -> Numbers:
    """Return daily moves in percent."""
    moves: Numbers = 100.0 * np.diff(levels) / levels[:-1]
    return moves


def _slope(x: Numbers, y: Numbers) -> float | None:
    return float(np.polyfit(x, y, 1)[0]) if len(x) > 1 else None


def _correlation(x: Numbers, y: Numbers) -> float | None:
    return float(np.corrcoef(x, y)[0, 1]) if len(x) > 1 else None


def _ratio(x: Numbers, y: Numbers) -> float | None:
    return float(np.std(x) / np.std(y)) if len(x) > 1 else None


def _median(values: Numbers) -> float | None:
    return float(np.median(values)) if len(values) else None
