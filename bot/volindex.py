"""The 30-day volatility index of an option board by the exchange's published method, for days without the index.

How it works. For each of two terms the forward comes from put-call parity at the strike where call and put are nearest;
the variance is a sum over out-of-the-money options, from the strike at or below the forward outwards until two strikes
in a row have no bid. The two variances are interpolated to thirty days in minutes.

Source: Cboe Volatility Index Methodology, version 6.0; docs/methodology.md, M18.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from bot.domain.checks import require_finite, require_not_negative, require_positive
from bot.domain.errors import InvalidValueError

MINUTES_PER_YEAR: Final = 525_600.0
MINUTES_OF_INDEX: Final = 43_200.0
"""Thirty days."""
_ZERO_BIDS_THAT_END: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardRow:
    """Call and put of one strike, in points; a bid of zero is no bid."""

    strike: float
    call_bid: float
    call_ask: float
    put_bid: float
    put_ask: float

    def __post_init__(self) -> None:
        """Reject a strike that is not positive and prices below zero."""
        require_positive(strike=self.strike)
        require_not_negative(call_bid=self.call_bid, call_ask=self.call_ask, put_bid=self.put_bid, put_ask=self.put_ask)

    @property
    def call_mid(self) -> float:
        """The middle of the call, points."""
        return (self.call_bid + self.call_ask) / 2.0

    @property
    def put_mid(self) -> float:
        """The middle of the put, points."""
        return (self.put_bid + self.put_ask) / 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TermVariance:
    """One term of the index with what led to it: ``contributions`` is the sum before the factor 2 / T."""

    minutes: float
    years: float
    forward: float
    at_the_money_strike: float  # K0, the strike at or below the forward
    contributions: float
    variance: float  # a fraction per year
    strikes: int  # how many options entered


@dataclass(frozen=True, slots=True, kw_only=True)
class VolatilityIndex:
    """The index in points, with both of its terms."""

    points: float
    near: TermVariance
    far: TermVariance

    @property
    def near_weight(self) -> float:
        """The near term's share in the interpolation to thirty days; above 1 or below 0 where the terms miss them."""
        return _near_weight(self.near, self.far)

    @property
    def far_weight(self) -> float:
        """The far term's share: what the near one leaves."""
        return 1.0 - self.near_weight


def volatility_index(near: TermVariance, far: TermVariance) -> VolatilityIndex:
    """Return the index of two terms, interpolated to thirty days in total variance.

    Raises:
        InvalidValueError: The far term does not lie after the near one, or the interpolated variance is not positive.
    """
    if far.minutes <= near.minutes:
        raise InvalidValueError(f"the far term of {far.minutes} minutes must lie after the near one of {near.minutes}")
    share = _near_weight(near, far)
    total = near.years * near.variance * share + far.years * far.variance * (1.0 - share)
    variance = total * MINUTES_PER_YEAR / MINUTES_OF_INDEX
    require_positive(variance=variance)
    return VolatilityIndex(points=100.0 * math.sqrt(variance), near=near, far=far)


def term_variance(rows: Iterable[BoardRow], *, minutes: float, rate: float) -> TermVariance:
    """Return the variance of one term.

    Args:
        rows: The board, one row a strike, any order.
        minutes: To settlement, positive.
        rate: Continuously compounded interest to settlement, a fraction per year.

    Raises:
        InvalidValueError: Two rows of one strike, no strike where both options have a price, or no strike at or below
            the forward: such a board has no index.
    """
    require_positive(minutes=minutes)
    require_finite(rate=rate)
    board = _ascending(rows)
    years = minutes / MINUTES_PER_YEAR
    forward, centre = _centred(board, growth=math.exp(rate * years))
    chosen = _chosen(board, centre)
    contributions = math.exp(rate * years) * _contributions(chosen)
    base = board[centre].strike
    variance = 2.0 / years * contributions - (forward / base - 1.0) ** 2 / years
    return TermVariance(
        minutes=minutes,
        years=years,
        forward=forward,
        at_the_money_strike=base,
        contributions=contributions,
        variance=variance,
        strikes=len(chosen),
    )


def entering_options(rows: Iterable[BoardRow], *, minutes: float, rate: float) -> tuple[tuple[float, float], ...]:
    """Return strike and price, in points, of the options that enter the variance of one term, ascending by strike.

    Arguments and errors as of `term_variance`.
    """
    require_positive(minutes=minutes)
    require_finite(rate=rate)
    board = _ascending(rows)
    _, centre = _centred(board, growth=math.exp(rate * minutes / MINUTES_PER_YEAR))
    return tuple(_chosen(board, centre))


def _near_weight(near: TermVariance, far: TermVariance) -> float:
    return (far.minutes - MINUTES_OF_INDEX) / (far.minutes - near.minutes)


def _ascending(rows: Iterable[BoardRow]) -> list[BoardRow]:
    board = sorted(rows, key=lambda row: row.strike)
    if len({row.strike for row in board}) != len(board):
        raise InvalidValueError("a board must hold each strike once")
    return board


def _centred(board: Sequence[BoardRow], *, growth: float) -> tuple[float, int]:
    """Return the forward and the place of the strike at or below it."""
    forward = _forward(board, growth=growth)
    below = [place for place, row in enumerate(board) if row.strike <= forward]
    if not below:
        raise InvalidValueError(f"the board has no strike at or below its forward of {forward:.2f}")
    return forward, below[-1]


def _forward(board: Sequence[BoardRow], *, growth: float) -> float:
    """Return strike plus grown difference of call and put where the two are nearest; the lower strike of a tie."""
    priced = [row for row in board if row.call_bid > 0.0 and row.put_bid > 0.0]
    if not priced:
        raise InvalidValueError("the board has no strike with a bid for both call and put")
    nearest = min(priced, key=lambda row: (abs(row.call_mid - row.put_mid), row.strike))
    return nearest.strike + growth * (nearest.call_mid - nearest.put_mid)


def _chosen(board: Sequence[BoardRow], centre: int) -> list[tuple[float, float]]:
    """Return strike and price of what enters, ascending: puts below the centre, calls above it, both mids at it."""
    puts = _until_no_bids([(row.strike, row.put_bid, row.put_mid) for row in reversed(board[:centre])])
    calls = _until_no_bids([(row.strike, row.call_bid, row.call_mid) for row in board[centre + 1 :]])
    middle = board[centre]
    return [*reversed(puts), (middle.strike, (middle.call_mid + middle.put_mid) / 2.0), *calls]


def _until_no_bids(outwards: Iterable[tuple[float, float, float]]) -> list[tuple[float, float]]:
    """Return strike and mid of options with a bid, outwards until two strikes in a row have none."""
    found, missing = [], 0
    for strike, bid, mid in outwards:
        missing = missing + 1 if bid <= 0.0 else 0
        if missing == _ZERO_BIDS_THAT_END:
            break
        if bid > 0.0:
            found.append((strike, mid))
    return found


def _contributions(chosen: Sequence[tuple[float, float]]) -> float:
    """Return the sum of spacing / strike^2 x price; a spacing is half the distance between the neighbours."""
    if len(chosen) < 2:
        raise InvalidValueError(f"an index needs at least two options, found {len(chosen)}")
    strikes = [strike for strike, _ in chosen]
    padded = [2.0 * strikes[0] - strikes[1], *strikes, 2.0 * strikes[-1] - strikes[-2]]
    return math.fsum(
        (padded[place + 2] - padded[place]) / 2.0 / (strike * strike) * price
        for place, (strike, price) in enumerate(chosen)
    )
