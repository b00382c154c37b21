"""What a book gains or loses in the scenarios of the stress grid, in arithmetic of its own: it judges REDUCE_ONLY.

How it works: every contract is priced by Black's formula from its quote, moved by the rules of the methodology (M11),
and priced again a day later. Nothing here uses `risk`, `bot.valuation` or `bot.pricing`; the numbers are those of the
page. A book is judged only where every quote that it stands on is as it should be: of the rest nothing is claimed.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, time
from itertools import pairwise
from statistics import NormalDist

from bot.domain.instrument import Instrument, Kind, Right
from bot.domain.market import Quote
from bot.domain.orders import OrderIntent
from bot.domain.schedule import NEW_YORK

RATE, YIELD, YEAR_DAYS = 0.04, 0.012, 365.0
FLOOR, TENOR_DAYS = 5.0, 30.0
MOVES = (
    # SPX as a fraction, VIX in points, VIX as a fraction, factor of the volatility of VIX options; falls come first
    (-0.20, 40.0, 0.0, 1.3),
    (-0.10, 20.0, 0.0, 1.25),
    (-0.05, 10.0, 0.0, 1.2),
    (-0.03, 5.0, 0.0, 1.1),
    (-0.07, 3.0, 0.0, 1.0),
    (-0.20, 0.0, 0.0, 1.0),
    (-0.10, 0.0, 0.0, 1.0),
    (-0.05, 0.0, 0.0, 1.0),
    (-0.20, 0.0, -0.25, 0.9),
    (0.0, 0.0, -0.25, 0.9),
    (0.025, 0.0, -0.25, 0.9),
    (0.05, -4.0, 0.0, 0.9),
    (0.10, -5.0, 0.0, 0.9),
    (0.10, 5.0, 0.0, 1.0),
)
FALLS = 5
"""The first five: SPX down by 3 % or more while VIX rises."""
BETAS = ((4, 0.69), (11, 0.65), (18, 0.56), (26, 0.56), (38, 0.46), (53, 0.41), (68, 0.33), (83, 0.31))
"""Points of VX forward per point of VIX by days, as far as the machine's contracts reach."""
SLACK_USD = 0.10
"""Closer than this nobody is right: the two arithmetics round differently."""
_N = NormalDist().cdf


@dataclass(frozen=True, slots=True)
class Contract:
    """One contract before the moves: its price and what stands behind it."""

    instrument: Instrument
    price: float
    forward: float
    vol: float
    days: float


class Falls:
    """Gains of single contracts by scenario, at one moment."""

    def __init__(self, quotes: Mapping[str, Quote], spx: float, vix: float, now: datetime) -> None:
        """Take the market; ``quotes`` are fair ones."""
        self._quotes, self._spx, self._vix, self._now = quotes, spx, vix, now
        self._gains: dict[str, tuple[float, ...]] = {}

    def of(self, holdings: Iterable[tuple[Instrument, int]], smiles: Iterable[Instrument]) -> list[float]:
        """Return what holdings gain in each scenario, USD; ``smiles`` are the options that show the smile."""
        total, known = [0.0] * len(MOVES), list(smiles)
        for instrument, quantity in holdings:
            if quantity:
                gains = self._gain(instrument, known)
                total = [sum_ + quantity * gain for sum_, gain in zip(total, gains, strict=True)]
        return total

    def _gain(self, instrument: Instrument, smiles: list[Instrument]) -> tuple[float, ...]:
        if instrument.key not in self._gains:
            before = self._contract(instrument)
            after = [self._moved(before, move, smiles) for move in MOVES]
            self._gains[instrument.key] = tuple((price - before.price) * instrument.multiplier for price in after)
        return self._gains[instrument.key]

    def _contract(self, instrument: Instrument) -> Contract:
        price, days = self._middle(instrument), self._days(instrument)
        if instrument.kind is Kind.FUTURE:
            return Contract(instrument, price, price, 0.0, days)
        forward = self._forward(instrument, days)
        return Contract(instrument, price, forward, self._vol(instrument, price, forward, days), days)

    def _forward(self, instrument: Instrument, days: float) -> float:
        if instrument.symbol == "SPX":
            return self._spx * math.exp((RATE - YIELD) * days / YEAR_DAYS)
        quote = next(one for key, one in self._quotes.items() if key == f"FUT:VX:{instrument.settlement}")
        return ((quote.bid or 0.0) + (quote.ask or 0.0)) / 2

    def _middle(self, instrument: Instrument) -> float:
        quote = self._quotes[instrument.key]
        return ((quote.bid or 0.0) + (quote.ask or 0.0)) / 2

    def _days(self, instrument: Instrument) -> float:
        at = time(16, 0) if instrument.trading_class == "SPXW" else time(9, 30)
        assert instrument.settlement is not None  # everything in the machine settles
        settles = datetime.combine(instrument.settlement, at, tzinfo=NEW_YORK)
        return (settles.timestamp() - self._now.timestamp()) / 86_400

    @staticmethod
    def _vol(instrument: Instrument, price: float, forward: float, days: float) -> float:
        low, high = 0.001, 5.0
        for _ in range(80):
            middle = (low + high) / 2
            low, high = (middle, high) if black(instrument, forward, middle, days) < price else (low, middle)
        return (low + high) / 2

    def _moved(self, one: Contract, move: tuple[float, float, float, float], smiles: list[Instrument]) -> float:
        spx, points, frac, factor = move
        vix_after = max(min(self._vix, FLOOR), self._vix * (1 + frac) + points)
        later = max(0.0, one.days - 1.0)
        if one.instrument.symbol != "SPX":
            step = interpolated(BETAS, one.days) * (vix_after - self._vix)
            forward = max(min(one.forward, FLOOR), one.forward + step)
            if one.instrument.kind is Kind.FUTURE:
                return forward
            return black(one.instrument, forward, one.vol * factor, later)
        forward = one.forward * (1 + spx) * math.exp(-(RATE - YIELD) / YEAR_DAYS)
        level = (vix_after / self._vix) ** min(1.0, math.sqrt(TENOR_DAYS / one.days))
        curve, strike = self._smile(one.instrument, smiles), float(one.instrument.strike or 0)
        shape = 1.0
        if len(curve) > 1:
            then = interpolated(curve, math.log(strike / forward) / level)
            shape = then / interpolated(curve, math.log(strike / one.forward))
        return black(one.instrument, forward, one.vol * level * shape, later)

    def _smile(self, option: Instrument, smiles: list[Instrument]) -> tuple[tuple[float, float], ...]:
        points = {}
        for one in smiles:
            if (one.trading_class, one.settlement) == (option.trading_class, option.settlement):
                found = self._contract(one)
                strike = float(one.strike or 0)
                if (strike >= found.forward) is (one.right is Right.CALL):
                    points[math.log(strike / found.forward)] = found.vol
        return tuple(sorted(points.items()))


def black(option: Instrument, forward: float, vol: float, days: float) -> float:
    """Return the price of an option on a forward, points."""
    strike, years = float(option.strike or 0), days / YEAR_DAYS
    sign, discount, deviation = (
        (1 if option.right is Right.CALL else -1),
        math.exp(-RATE * years),
        vol * math.sqrt(years),
    )
    if deviation <= 0:
        return discount * max(0.0, sign * (forward - strike))
    near = (math.log(forward / strike) + deviation**2 / 2) / deviation
    return discount * sign * (forward * _N(sign * near) - strike * _N(sign * (near - deviation)))


def interpolated(points: Iterable[tuple[float, float]], at: float) -> float:
    """Return the value of a curve, straight between its points and flat outside."""
    known = list(points)
    if at <= known[0][0]:
        return known[0][1]
    for (left, low), (right, high) in pairwise(known):
        if at <= right:
            return low + (high - low) * (at - left) / (right - left)
    return known[-1][1]


def reduces(before: list[float], change: list[float], paid: float) -> bool | None:
    """Return whether a change of the book reduces, by section 2.3; None where it is too close to say."""
    worst_before = max(-gain for gain in before[:FALLS])
    worst_after = max(-(gain + more) for gain, more in zip(before[:FALLS], change[:FALLS], strict=True))
    excess = max(worst_after - worst_before, *(-more - paid for more in change[FALLS:]))
    if abs(excess - 0.01) < SLACK_USD:
        return None
    return excess < 0.01


def paid_usd(intent: OrderIntent, middle: float, fee: float) -> float:
    """Return premium and fees of an order that pays one; a future and a wing pay no premium."""
    if intent.is_future or any(leg.instrument.symbol == "SPX" for leg in intent.legs):
        return fee
    return max(0.0, float(intent.limit), middle) * intent.multiplier * intent.quantity + fee
