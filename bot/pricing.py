"""Pure option and VIX-curve mathematics: Black-76, implied volatility, and how far VIX forwards follow VIX and SPX.

Everything is a plain float: prices in points of the underlying, volatilities and rates as fractions per year (0.18 is
18 %), times in years of 365 days, days in calendar days and fractions of them. Nothing here knows a clock.
"""

import math
from bisect import bisect_right
from dataclasses import dataclass
from typing import Final

from bot.domain.errors import InvalidValueError
from bot.domain.instrument import Right

DAYS_PER_YEAR: Final = 365.0
MEAN_REVERSION_FALL_FRAC: Final = 0.25
"""M11: in the mean-reversion scenario spot VIX falls by a quarter."""

_SQRT_HALF: Final = math.sqrt(0.5)
_INV_SQRT_TAU: Final = 1.0 / math.sqrt(2.0 * math.pi)
_MAX_VOL: Final = 20.0  # 2,000 % a year: far above anything quoted, keeps the root search bounded
_ROOT_STEPS: Final = 100
_USUAL_VOL: Final = 0.5  # where the search begins when nothing is known

Curve = tuple[tuple[float, float], ...]
"""Points (calendar days to settlement, value), days ascending."""

BETA_POINTS: Final[Curve] = (
    (4.0, 0.69),
    (11.0, 0.65),
    (18.0, 0.56),  # 15-21 days measured .55 and 22-30 days .57: pooled, so that beta never rises with time
    (26.0, 0.56),
    (38.0, 0.46),
    (53.0, 0.41),
    (68.0, 0.33),
    (83.0, 0.31),
    (105.5, 0.25),
    (135.5, 0.22),
    (165.5, 0.19),
    (200.5, 0.18),
    (240.5, 0.15),
)
"""M10, beta(T): midpoints of the day ranges of the table, points of VX forward per point of spot VIX."""

SPX_MOVE_POINTS: Final[Curve] = (
    (4.0, -1.10),
    (11.0, -0.90),
    (18.0, -0.81),
    (26.0, -0.72),
    (38.0, -0.71),
    (53.0, -0.58),
    (68.0, -0.54),
    (83.0, -0.43),
    (105.5, -0.41),
    (135.5, -0.35),
    (165.5, -0.31),
    (200.5, -0.28),
    (240.5, -0.24),
)
"""M10, g(T): points of VX forward per +1 % of SPX, as measured already monotone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionValue:
    """A European option's price and sensitivities, per unit of the underlying (multiply by the contract's multiplier).

    Attributes:
        price: Points, never negative.
        delta: Points per +1.00 point of the **forward**, discounted: ``e^{-rT} N(d1)`` for a call, negative for a put.
        gamma: Change of ``delta`` per +1.00 point of the forward.
        vega: Points per +1 volatility point (0.01 of ``vol``).
        theta: Points per calendar day that passes with forward and volatility unchanged; negative is decay.
    """

    price: float
    delta: float
    gamma: float
    vega: float
    theta: float


def normal_cdf(x: float) -> float:
    """Return the standard normal distribution function at ``x``, accurate in both tails.

    >>> normal_cdf(0.0)
    0.5
    """
    return 0.5 * math.erfc(-x * _SQRT_HALF)


def normal_pdf(x: float) -> float:
    """Return the standard normal density at ``x``."""
    return _INV_SQRT_TAU * math.exp(-0.5 * x * x)


def black76_price(*, forward: float, strike: float, years: float, vol: float, rate: float, right: Right) -> float:
    """Return the price alone, in points: the fast path of `black76`.

    At expiry or without volatility it is the discounted intrinsic value.

    >>> round(black76_price(forward=20, strike=22, years=30 / 365, vol=0.9, rate=0.04, right=Right.CALL), 5)
    1.29588

    Raises:
        InvalidValueError: Forward or strike not positive, time or volatility negative, or any of them not finite.

    Source: Black (1976), "The pricing of commodity contracts", equation 16.
    """
    _require_sane(forward, strike, years, vol, rate)
    sign = 1.0 if right is Right.CALL else -1.0
    deviation = vol * math.sqrt(years)
    discount = math.exp(-rate * years)
    if deviation <= 0.0:
        return discount * max(0.0, sign * (forward - strike))
    d1 = math.log(forward / strike) / deviation + 0.5 * deviation
    worth = forward * normal_cdf(sign * d1) - strike * normal_cdf(sign * (d1 - deviation))
    return discount * max(0.0, sign * worth)


def black76(*, forward: float, strike: float, years: float, vol: float, rate: float, right: Right) -> OptionValue:
    """Return price and sensitivities of a European option on a forward.

    Args:
        forward: Forward of the same settlement, points, positive.
        strike: Points, positive.
        years: Time to settlement in years of 365 days, zero at expiry.
        vol: Volatility of the forward, a fraction per year, zero or more.
        rate: Continuously compounded interest, a fraction per year.
        right: Call or put.

    Returns:
        See `OptionValue`; ``delta`` counts the forward, not spot, and is discounted.

    >>> call = black76(forward=20, strike=22, years=30 / 365, vol=0.9, rate=0.04, right=Right.CALL)
    >>> round(call.delta, 5), round(call.gamma, 5), round(call.vega, 5)
    (0.40369, 0.07486, 0.02215)

    Raises:
        InvalidValueError: As `black76_price`.

    Source: Black (1976); sensitivities by differentiation.
    """
    _require_sane(forward, strike, years, vol, rate)
    sign = 1.0 if right is Right.CALL else -1.0
    root = math.sqrt(years)
    discount, deviation = math.exp(-rate * years), vol * root
    if deviation <= 0.0:
        price = discount * max(0.0, sign * (forward - strike))
        delta = sign * discount * _step(sign * (forward - strike))
        return OptionValue(price=price, delta=delta, gamma=0.0, vega=0.0, theta=rate * price / DAYS_PER_YEAR)
    d1 = math.log(forward / strike) / deviation + 0.5 * deviation
    reached = normal_cdf(sign * d1)
    worth = forward * reached - strike * normal_cdf(sign * (d1 - deviation))
    price, density = discount * max(0.0, sign * worth), discount * normal_pdf(d1)
    decay = forward * density * vol / (2.0 * root)
    return OptionValue(
        price=price,
        delta=sign * discount * reached,
        gamma=density / (forward * deviation),
        vega=forward * density * root / 100.0,
        theta=(rate * price - decay) / DAYS_PER_YEAR,
    )


def forward_delta(*, forward: float, strike: float, years: float, vol: float, right: Right = Right.CALL) -> float:
    """Return N(d1) of a call, N(d1) - 1 of a put: the undiscounted delta in which strikes are named (M4: "0.50").

    >>> round(forward_delta(forward=18, strike=18, years=30 / 365, vol=0.8), 5)
    0.54565

    Raises:
        InvalidValueError: As `black76_price`.
    """
    _require_sane(forward, strike, years, vol, 0.0)
    sign = 1.0 if right is Right.CALL else -1.0
    deviation = vol * math.sqrt(years)
    if deviation <= 0.0:
        return sign * _step(sign * (forward - strike))
    return sign * normal_cdf(sign * (math.log(forward / strike) / deviation + 0.5 * deviation))


def forward_of_spot(*, spot: float, years: float, rate: float, dividend_yield: float = 0.0) -> float:
    """Return the forward of an asset that pays a continuous yield: ``S e^{(r - q) T}``.

    >>> round(forward_of_spot(spot=6800, years=0.5, rate=0.04, dividend_yield=0.012), 2)
    6895.87
    """
    return spot * math.exp((rate - dividend_yield) * years)


def black_scholes(
    *, spot: float, strike: float, years: float, vol: float, rate: float, right: Right, dividend_yield: float = 0.0
) -> OptionValue:
    """Return price and sensitivities of a European option on a spot asset, by way of its forward.

    ``delta`` and ``gamma`` count the **spot**: ``e^{-qT} N(d1)`` for a call; ``theta`` keeps the forward unchanged.

    >>> put = black_scholes(spot=100, strike=100, years=1, vol=0.2, rate=0.05, right=Right.PUT)
    >>> round(put.price, 4), round(put.delta, 4)
    (5.5735, -0.3632)

    Raises:
        InvalidValueError: As `black76_price`.

    Source: Black and Scholes (1973) with Merton's continuous dividend yield.
    """
    growth = forward_of_spot(spot=1.0, years=years, rate=rate, dividend_yield=dividend_yield)
    value = black76(forward=spot * growth, strike=strike, years=years, vol=vol, rate=rate, right=right)
    return OptionValue(
        price=value.price,
        delta=value.delta * growth,
        gamma=value.gamma * growth * growth,
        vega=value.vega,
        theta=value.theta,
    )


def implied_vol(
    *, price: float, forward: float, strike: float, years: float, rate: float, right: Right, near: float = _USUAL_VOL
) -> float | None:
    """Return the volatility at which `black76` gives ``price``, or None where no volatility does.

    No volatility does at expiry, at or below the discounted intrinsic value, and at or above the discounted forward
    (call) or strike (put). Found by Newton steps kept inside a shrinking bracket, from ``near`` on: a volatility close
    by, a fraction per year, saves steps.

    >>> implied_vol(price=1.2958812198134908, forward=20, strike=22, years=30/365, rate=0.04, right=Right.CALL)
    0.9

    Returns:
        A fraction per year, rounded to 1e-10; at most 20.

    Raises:
        InvalidValueError: As `black76_price`, or a price that is not finite.
    """
    if not math.isfinite(price):
        raise InvalidValueError(f"an implied volatility needs a finite price, was {price} at strike {strike}")
    low, high = 0.0, _MAX_VOL
    floor = black76_price(forward=forward, strike=strike, years=years, vol=low, rate=rate, right=right)
    ceiling = black76_price(forward=forward, strike=strike, years=years, vol=high, rate=rate, right=right)
    if years <= 0.0 or not floor < price < ceiling:
        return None
    vol = near if low < near < high else _USUAL_VOL
    for _ in range(_ROOT_STEPS):
        value = black76(forward=forward, strike=strike, years=years, vol=vol, rate=rate, right=right)
        miss = value.price - price
        low, high = (vol, high) if miss < 0.0 else (low, vol)
        if high - low < 1e-13 or miss == 0.0:
            break
        slope = value.vega * 100.0
        guess = vol - miss / slope if slope > 0.0 else low
        step = guess if low < guess < high else 0.5 * (low + high)
        if abs(step - vol) < 1e-14:
            break
        vol = step
    return round(vol, 10)


def interpolated(curve: Curve, days: float) -> float:
    """Return a curve's value at ``days``: linear between its points, flat beyond its ends.

    >>> interpolated(((10.0, 1.0), (20.0, 0.0)), 12.5)
    0.75
    """
    after = bisect_right(curve, (days, math.inf))
    if after == 0:
        return curve[0][1]
    if after == len(curve):
        return curve[-1][1]
    (left, low), (right, high) = curve[after - 1], curve[after]
    return low + (high - low) * (days - left) / (right - left)


def vix_beta(days: float) -> float:
    """Return beta(T): points that the VX forward of ``days`` to settlement moves per point of spot VIX.

    >>> vix_beta(1), vix_beta(22), vix_beta(400)
    (0.69, 0.56, 0.15)

    Source: docs/methodology.md, M10.
    """
    return interpolated(BETA_POINTS, days)


def move_per_spx_percent(days: float, scale: float = 1.0) -> float:
    """Return g(T): points that the VX forward of ``days`` to settlement moves per +1 % of SPX; negative.

    Args:
        days: Calendar days to settlement.
        scale: Present over long-run sensitivity of VIX to SPX, clipped to [0.6, 1.7] by whoever measures it.

    >>> move_per_spx_percent(26)
    -0.72

    Source: docs/methodology.md, M10.
    """
    return scale * interpolated(SPX_MOVE_POINTS, days)


def vix_exposure(*, quantity: int, multiplier: int, delta: float, days: float) -> float:
    """Return E of M2: USD gained per +1.00 point of **spot VIX**.

    Args:
        quantity: Contracts, negative when short.
        multiplier: USD per point: 100 for options and VXM, 1000 for VX.
        delta: 1 for a future, `OptionValue.delta` (``e^{-rT} N(d1)``) for an option on the VX forward.
        days: Calendar days to settlement.

    >>> round(vix_exposure(quantity=1, multiplier=100, delta=1.0, days=22), 2)
    56.0

    Source: docs/methodology.md, M2.
    """
    return quantity * multiplier * delta * vix_beta(days)


def sleeve_usd_per_spx_percent(*, quantity: int, multiplier: int, delta: float, days: float, scale: float) -> float:
    """Return a VIX position's USD per +1 % of SPX by way of its forward: ``E_F x g(T)``; negative for a long hedge.

    ``delta`` as in `vix_exposure`, ``scale`` as in `move_per_spx_percent`.

    Source: docs/methodology.md, M10.
    """
    return quantity * multiplier * delta * move_per_spx_percent(days, scale)


def index_option_usd_per_spx_percent(*, quantity: int, multiplier: int, delta: float, spot: float) -> float:
    """Return an SPX option position's USD per +1 % of SPX: ``q x multiplier x delta x S x 0.01``.

    >>> round(index_option_usd_per_spx_percent(quantity=-1, multiplier=100, delta=0.16, spot=6800), 6)
    -1088.0

    Source: docs/methodology.md, M10.
    """
    return quantity * multiplier * delta * spot * 0.01


def future_roll_down(*, forward: float, vix: float, days: float, days_at_roll: float, multiplier: int) -> float:
    """Return the USD that one long future is expected to lose by the time it is rolled, VIX unchanged.

    On the curve ``F(T) = L + (VIX - L) beta(T)`` the basis ``F - VIX`` shrinks with ``1 - beta(T)``, so that
    ``loss = multiplier (F - VIX) (1 - (1 - beta(T_roll)) / (1 - beta(T)))``.

    Args:
        forward: The future's price, points.
        vix: Spot VIX, points.
        days: Calendar days to settlement now.
        days_at_roll: Calendar days to settlement at the roll; not above ``days``.
        multiplier: USD per point.

    Returns:
        USD; positive in contango, negative (a gain) in backwardation, zero when it is rolled now.

    >>> round(future_roll_down(forward=19.0, vix=18.0, days=38, days_at_roll=11, multiplier=1000), 2)
    351.85

    Source: docs/methodology.md, M9 and M10.
    """
    kept = (1.0 - vix_beta(min(days_at_roll, days))) / (1.0 - vix_beta(days))
    return multiplier * (forward - vix) * (1.0 - kept)


def future_mean_reversion_loss(*, vix: float, days: float, multiplier: int) -> float:
    """Return the USD that one long future loses when spot VIX falls by a quarter: ``multiplier x VIX / 4 x beta(T)``.

    >>> round(future_mean_reversion_loss(vix=20.0, days=22, multiplier=100), 2)
    280.0

    Source: docs/methodology.md, M9 and the mean-reversion scenario of M11.
    """
    return multiplier * MEAN_REVERSION_FALL_FRAC * vix * vix_beta(days)


def _step(x: float) -> float:
    """Return 1 above zero, 0 below, one half at zero: the delta of an option without time or volatility."""
    return 0.5 if x == 0.0 else float(x > 0.0)


def _require_sane(forward: float, strike: float, years: float, vol: float, rate: float) -> None:
    """Raise InvalidValueError for inputs that make no option; the chain of comparisons also catches NaN."""
    if not (
        0.0 < forward < math.inf
        and 0.0 < strike < math.inf
        and 0.0 <= years < math.inf
        and 0.0 <= vol < math.inf
        and -math.inf < rate < math.inf
    ):
        raise InvalidValueError(
            f"an option needs positive forward and strike, time and volatility not negative, all finite; "
            f"were forward {forward}, strike {strike}, years {years}, vol {vol}, rate {rate}"
        )
