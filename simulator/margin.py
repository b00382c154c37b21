"""A stated estimate of margin: what a book loses at worst on a grid of moves, and fixed shares for stock.

How it works. Options are revalued, with Black-76 on the underlying that their quote names, at ten equidistant moves of
the underlying and at two volatilities; the worst loss of all options of one symbol is their maintenance margin, at
least a minimum for every contract sold. Groups do not offset each other, nor do options and futures, which are cleared
elsewhere. It is an estimate in the manner of a risk-based requirement, not the broker's model.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, time
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from bot.domain.instrument import Instrument, Kind, Right
from bot.pricing import DAYS_PER_YEAR, black76_price

_NEW_YORK: Final = ZoneInfo("America/New_York")
_SECONDS_PER_YEAR: Final = DAYS_PER_YEAR * 86_400.0
_GRID_POINTS: Final = 10
_LEAST_VOL: Final = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """How far an underlying is moved, as fractions of its level, and by which fraction its volatility."""

    down_frac: float
    up_frac: float
    vol_frac: float

    @property
    def moves(self) -> tuple[float, ...]:
        """Factors on the underlying: ten, equidistant, both ends included."""
        step = (self.down_frac + self.up_frac) / (_GRID_POINTS - 1)
        return tuple(1.0 - self.down_frac + step * row for row in range(_GRID_POINTS))


SCANS: Final[Mapping[str, Scan]] = {
    "SPX": Scan(down_frac=0.08, up_frac=0.06, vol_frac=0.30),
    "RUT": Scan(down_frac=0.10, up_frac=0.10, vol_frac=0.30),
    "VIX": Scan(down_frac=0.30, up_frac=0.60, vol_frac=0.30),
}
"""Options by symbol; the widths of broad indices are those of customer portfolio margin, VIX's is an estimate."""
OTHER_SCAN: Final = Scan(down_frac=0.15, up_frac=0.15, vol_frac=0.30)
SHORT_OPTION_LEAST: Final = Decimal("0.375")
"""Points for every option sold."""
OPTION_INITIAL: Final = Decimal("1.10")
"""Initial as a multiple of maintenance."""

FUTURE_FRACS: Final[Mapping[str, Decimal]] = {
    "VX": Decimal("0.32"),
    "VXM": Decimal("0.32"),
    "ES": Decimal("0.06"),
    "MES": Decimal("0.06"),
}
"""Maintenance of a future as a fraction of its value, longs and shorts alike."""
OTHER_FUTURE_FRAC: Final = Decimal("0.15")
FUTURE_INITIAL: Final = Decimal("1.25")
STOCK_INITIAL_FRAC: Final = Decimal("0.50")  # Regulation T
STOCK_MAINTENANCE_FRAC: Final = Decimal("0.25")
STOCK_SHORT_FRAC: Final = Decimal("0.30")
CURRENCY_FRAC: Final = Decimal("0.025")


@dataclass(frozen=True, slots=True, kw_only=True)
class Margin:
    """Initial and maintenance requirement in USD, never negative."""

    initial_usd: Decimal
    maintenance_usd: Decimal

    def __add__(self, other: "Margin") -> "Margin":
        """Return both requirements together."""
        return Margin(
            initial_usd=self.initial_usd + other.initial_usd,
            maintenance_usd=self.maintenance_usd + other.maintenance_usd,
        )


NONE: Final = Margin(initial_usd=Decimal(0), maintenance_usd=Decimal(0))


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionRisk:
    """What an option's quote says about its risk: level of the underlying in points, volatility a year, the moment."""

    underlying: float
    vol: float
    at: datetime


RiskOf = Callable[[Instrument], OptionRisk | None]
"""An option's risk, or None where its quote shows no model."""


def margin_of(
    positions: Iterable[tuple[Instrument, int]], marks: Mapping[Instrument, Decimal], risk_of: RiskOf
) -> Margin:
    """Return the requirement of a book.

    Options: the worst loss of each symbol on its grid, at least `SHORT_OPTION_LEAST` for each one sold; initially 1.10
    times that. Where one option of a symbol shows no model, the worst pay-off at expiry stands in for all of them.
    Futures: a share of the value, initially 1.25 times that. Stock: 50 % and 25 % of the value, sold 50 % and 30 %.

    Args:
        positions: Instruments with signed quantities.
        marks: Present prices in points, for everything but options.
        risk_of: Each option's underlying and volatility.
    """
    options: dict[str, list[tuple[Instrument, int]]] = {}
    total = NONE
    for instrument, quantity in positions:
        if instrument.kind is Kind.OPTION:
            options.setdefault(instrument.symbol, []).append((instrument, quantity))
        else:
            total += _of_one(instrument, quantity, marks[instrument])
    for symbol, group in options.items():
        maintenance = _options_usd(symbol, group, risk_of)
        total += Margin(initial_usd=OPTION_INITIAL * maintenance, maintenance_usd=maintenance)
    return total


def worst_loss_usd(symbol: str, group: Iterable[tuple[Instrument, int]], risk_of: RiskOf) -> float | None:
    """Return what options of one symbol lose at worst on the grid, not below zero; None without all their models."""
    scan = SCANS.get(symbol, OTHER_SCAN)
    vols = (1.0 - scan.vol_frac, 1.0 + scan.vol_frac)
    changes = [0.0] * (_GRID_POINTS * len(vols))
    for instrument, quantity in group:
        risk = risk_of(instrument)
        if risk is None or instrument.strike is None or instrument.right is None:
            return None
        size, years = quantity * instrument.multiplier, _years(instrument, risk.at)
        strike, right = float(instrument.strike), instrument.right
        before = _value(risk.underlying, strike, years, risk.vol, right)
        cells = ((move, vol) for vol in vols for move in scan.moves)
        for row, (move, vol) in enumerate(cells):
            changes[row] += size * (_value(risk.underlying * move, strike, years, risk.vol * vol, right) - before)
    return max(0.0, -min(changes))


def _options_usd(symbol: str, group: list[tuple[Instrument, int]], risk_of: RiskOf) -> Decimal:
    worst = worst_loss_usd(symbol, group, risk_of)
    least = sum((max(0, -quantity) * key.multiplier * SHORT_OPTION_LEAST for key, quantity in group), Decimal(0))
    return max(least, _at_expiry_usd(group) if worst is None else Decimal(str(round(worst, 2))))


def _of_one(instrument: Instrument, quantity: int, mark: Decimal) -> Margin:
    """Return the requirement of anything but an option."""
    worth = abs(quantity) * instrument.multiplier * mark
    match instrument.kind:
        case Kind.FUTURE:
            maintenance = FUTURE_FRACS.get(instrument.trading_class, OTHER_FUTURE_FRAC) * worth
            return Margin(initial_usd=FUTURE_INITIAL * maintenance, maintenance_usd=maintenance)
        case Kind.STOCK:
            kept = STOCK_MAINTENANCE_FRAC if quantity > 0 else STOCK_SHORT_FRAC
            return Margin(initial_usd=STOCK_INITIAL_FRAC * worth, maintenance_usd=kept * worth)
        case _:
            return Margin(initial_usd=CURRENCY_FRAC * worth, maintenance_usd=CURRENCY_FRAC * worth)


def _value(underlying: float, strike: float, years: float, vol: float, right: Right) -> float:
    """Return an option's value on the grid, undiscounted: a day's rate is nothing beside the moves."""
    if years <= 0.0:
        return max(0.0, underlying - strike if right is Right.CALL else strike - underlying)
    return black76_price(
        forward=underlying, strike=strike, years=years, vol=max(_LEAST_VOL, vol), rate=0.0, right=right
    )


def _years(instrument: Instrument, at: datetime) -> float:
    """Return the time to 16:00 New York of the settlement day, in years, not below zero."""
    if instrument.settlement is None:
        return 0.0
    end = datetime.combine(instrument.settlement, time(16), tzinfo=_NEW_YORK)
    return max(0.0, (end - at).total_seconds() / _SECONDS_PER_YEAR)


def _at_expiry_usd(group: list[tuple[Instrument, int]]) -> Decimal:
    """Return the worst pay-off of options at expiry as a positive number, calls without cover at twice the strike.

    Pay-offs bend at strikes only; different settlements are taken as one.
    """
    strikes = sorted({_strike(instrument) for instrument, _ in group})
    levels = [Decimal(0), *strikes, 2 * strikes[-1]]
    worst = min(sum((_payoff_usd(*held, at) for held in group), Decimal(0)) for at in levels)
    return max(Decimal(0), -worst)


def _payoff_usd(instrument: Instrument, quantity: int, at: Decimal) -> Decimal:
    """Return a position's pay-off in USD with the underlying at ``at``."""
    distance = at - _strike(instrument) if instrument.right is Right.CALL else _strike(instrument) - at
    return max(Decimal(0), distance) * quantity * instrument.multiplier


def _strike(instrument: Instrument) -> Decimal:
    return Decimal(0) if instrument.strike is None else instrument.strike
