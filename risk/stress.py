"""What condors and sleeve gain or lose, one day later, under the named scenarios of M11.

How it works: every contract is valued anew with a day less to live. SPX moves by a fraction, and the volatility of its
options follows VIX along the smile of their expiry (`risk/smile.py`). A VIX forward moves by beta(T) times the move of
spot VIX, and the volatility of VIX options by the scenario's factor. A share of VXX, UVXY or SVXY moves by its measured
answer to VIX. Gains are linear in contracts, so a contract is revalued once.

What always holds: figures are middles without fees, positive is gained; a contract that cannot be valued makes the
whole report unknown; one that has settled gains nothing.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from operator import add
from typing import Final, NamedTuple

from bot.deltas import Units
from bot.domain.checks import require_finite, require_positive, require_text
from bot.domain.errors import InvalidValueError
from bot.domain.expiries import has_settled
from bot.domain.instrument import VIX, Instrument, InstrumentKey, Kind
from bot.domain.portfolio import Position
from bot.pricing import DAYS_PER_YEAR, MEAN_REVERSION_FALL_FRAC, forward_of_spot, vix_beta
from bot.valuation import (
    SPX_OPTION_CLASSES,
    Unvalued,
    Valued,
    Valuer,
    good_level,
    has_model,
)
from risk.smile import Move, Smile, level_factor, smile_of

LEAST_PRODUCT_USD: Final = 0.01
"""A share is worth something: a fund that is short volatility may lose all but that."""

Gains = tuple[float, ...]
"""USD for each scenario of `GRID`, in its order, positive gained."""

Contracts = Iterable[tuple[Instrument, int]]
"""Contracts with their signed quantities."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One day's move: SPX by a fraction, VIX by points or by a fraction, the volatility of its options by a factor."""

    name: str
    spx_frac: float
    vix_points: float = 0.0
    vix_frac: float = 0.0
    vol_factor: float = 1.0

    def __post_init__(self) -> None:
        """Reject a move that no market could make, and one of VIX that is stated twice."""
        require_text(name=self.name)
        require_finite(vix_points=self.vix_points)
        require_positive(
            vol_factor=self.vol_factor,
            **{"1 + spx_frac": 1.0 + self.spx_frac, "1 + vix_frac": 1.0 + self.vix_frac},
        )
        if self.vix_points and self.vix_frac:
            raise InvalidValueError(
                f"scenario {self.name}: VIX moves by points or by a fraction, found {self.vix_points} points and "
                f"{self.vix_frac}; state one"
            )

    def vix_after(self, vix: float, floor: float) -> float:
        """Return spot VIX after the move, in points; a fall ends at the floor, or where VIX stands below it already.

        >>> GRID[0].vix_after(18.0, 5.0), MEAN_REVERSION.vix_after(18.0, 5.0), MEAN_REVERSION.vix_after(6.0, 5.0)
        (58.0, 13.5, 5.0)
        """
        return max(min(vix, floor), vix * (1.0 + self.vix_frac) + self.vix_points)


MEAN_REVERSION: Final = Scenario(
    name="mean reversion", spx_frac=0.025, vix_frac=-MEAN_REVERSION_FALL_FRAC, vol_factor=0.9
)
"""The scenario that limits the sleeve: a rally in which VIX gives back a quarter."""

GRID: Final[tuple[Scenario, ...]] = (
    Scenario(name="crash", spx_frac=-0.20, vix_points=40.0, vol_factor=1.3),
    Scenario(name="severe fall", spx_frac=-0.10, vix_points=20.0, vol_factor=1.25),
    Scenario(name="sharp fall", spx_frac=-0.05, vix_points=10.0, vol_factor=1.2),
    Scenario(name="fall", spx_frac=-0.03, vix_points=5.0, vol_factor=1.1),
    Scenario(name="crash, VIX unmoved", spx_frac=-0.20),
    Scenario(name="severe fall, VIX unmoved", spx_frac=-0.10),
    Scenario(name="sharp fall, VIX unmoved", spx_frac=-0.05),
    Scenario(name="fall, VIX sluggish", spx_frac=-0.07, vix_points=3.0),
    Scenario(name="crash, VIX down", spx_frac=-0.20, vix_frac=-0.25, vol_factor=0.9),
    Scenario(name="VIX down alone", spx_frac=0.0, vix_frac=-0.25, vol_factor=0.9),
    MEAN_REVERSION,
    Scenario(name="rally", spx_frac=0.05, vix_points=-4.0, vol_factor=0.9),
    Scenario(name="strong rally", spx_frac=0.10, vix_points=-5.0, vol_factor=0.9),
    Scenario(name="strong rally, VIX up", spx_frac=0.10, vix_points=5.0),
)
"""docs/methodology.md, M11: falls, falls in which VIX does not follow, reversals and rallies."""
MEAN_REVERSION_AT: Final = GRID.index(MEAN_REVERSION)
"""Its place in the grid."""
SCENARIOS: Final = len(GRID)
NOTHING_GAINED: Final[Gains] = (0.0,) * SCENARIOS
"""In no scenario."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StressSettings:
    """How a scenario is carried out.

    Attributes:
        horizon_days: Calendar days that pass.
        vix_floor_points: Neither VIX nor its forwards fall below it: far below the lowest close ever (9.14), so that it
            keeps prices positive and hides no loss that could be real.
        vix_tenor_days: The term of VIX itself, whose options follow it one to one.
    """

    horizon_days: float = 1.0
    vix_floor_points: float = 5.0
    vix_tenor_days: float = 30.0

    def __post_init__(self) -> None:
        """Reject settings under which nothing could be priced."""
        require_positive(
            horizon_days=self.horizon_days,
            vix_floor_points=self.vix_floor_points,
            vix_tenor_days=self.vix_tenor_days,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one scenario brings in USD, positive gained: SPX options and VIX contracts apart."""

    scenario: Scenario
    condors_usd: float
    sleeve_usd: float

    def __post_init__(self) -> None:
        """Reject a figure that no limit could be compared with."""
        require_finite(condors_usd=self.condors_usd, sleeve_usd=self.sleeve_usd)

    @property
    def book_usd(self) -> float:
        """Condors and sleeve together."""
        return self.condors_usd + self.sleeve_usd


@dataclass(frozen=True, slots=True, kw_only=True)
class StressReport:
    """What every scenario of `GRID` brings, in its order: USD, positive gained, condors and sleeve apart."""

    condors_usd: Gains
    sleeve_usd: Gains
    book_usd: Gains = field(init=False, compare=False)
    """Condors and sleeve together."""

    def __post_init__(self) -> None:
        """Reject a report of another grid, and a figure that no limit could be compared with."""
        if not len(self.condors_usd) == len(self.sleeve_usd) == SCENARIOS:
            raise InvalidValueError(f"a stress report holds {len(GRID)} scenarios for condors and for sleeve")
        book = self.sleeve_usd
        if self.condors_usd is not NOTHING_GAINED:
            book = tuple(map(add, self.condors_usd, self.sleeve_usd))
        object.__setattr__(self, "book_usd", book)
        if not math.isfinite(sum(book)):
            raise InvalidValueError("a stress report holds finite figures only")

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        """One outcome for each scenario, in its order."""
        figures = zip(GRID, self.condors_usd, self.sleeve_usd, strict=True)
        return tuple(Outcome(scenario=one, condors_usd=condors, sleeve_usd=sleeve) for one, condors, sleeve in figures)

    @property
    def worst(self) -> Outcome:
        """The scenario in which the book loses most; the first of equals."""
        return min(self.outcomes, key=lambda outcome: outcome.book_usd)

    @property
    def mean_reversion(self) -> Outcome:
        """The outcome of `MEAN_REVERSION`."""
        return self.outcomes[MEAN_REVERSION_AT]

    def plus(self, other: "StressReport") -> "StressReport":
        """Return the report of both together."""
        return StressReport(
            condors_usd=tuple(map(add, self.condors_usd, other.condors_usd)),
            sleeve_usd=tuple(map(add, self.sleeve_usd, other.sleeve_usd)),
        )

    def times(self, units: int) -> "StressReport":
        """Return the report of so many units of the same."""
        return StressReport(
            condors_usd=tuple(units * gain for gain in self.condors_usd),
            sleeve_usd=tuple(units * gain for gain in self.sleeve_usd),
        )

    def losses_alone(self) -> "StressReport":
        """Return the report with gains left out: what an order that may or may not fill does at worst."""
        return StressReport(
            condors_usd=tuple(min(0.0, gain) for gain in self.condors_usd),
            sleeve_usd=tuple(min(0.0, gain) for gain in self.sleeve_usd),
        )


NO_STRESS: Final = StressReport(condors_usd=NOTHING_GAINED, sleeve_usd=NOTHING_GAINED)
"""The report of nothing."""


class PlanStress(NamedTuple):
    """What an order is judged on: held and on its way at its worst, one unit of the order, the rest of its plan."""

    before: StressReport
    unit: StressReport
    rest: StressReport


def stress_of(contracts: Contracts, valuer: Valuer, settings: StressSettings) -> StressReport | Unvalued:
    """Return what some contracts gain under every scenario, or why that is unknown.

    Args:
        contracts: Signed quantities; what has settled, and a quantity of zero, counts nothing and needs no quote.
        valuer: Values them now.
        settings: Horizon and boundaries.

    Source: docs/methodology.md, M11.
    """
    return Revaluer(valuer, settings).report(contracts)


def book_stress(
    positions: Mapping[InstrumentKey, Position], valuer: Valuer, settings: StressSettings
) -> StressReport | Unvalued:
    """Return the report of condors and sleeve as they are held; what else the account holds is no part of it."""
    held = (position for position in positions.values() if has_model(position.instrument))
    return stress_of(((one.instrument, one.quantity) for one in held), valuer, settings)


def units_stress(units: Iterable[Units], valuer: Valuer, settings: StressSettings) -> StressReport | Unvalued:
    """Return the report of orders as if they were filled."""
    return Revaluer(valuer, settings).units_report(units)


class _Known:
    """What was worked out of a moment: gains by contract, smiles by class and expiry, moves by forward and term."""

    def __init__(self) -> None:
        self.gains: dict[InstrumentKey, Gains | Unvalued] = {}
        self.smiles: dict[tuple[str, date | None], Smile] = {}
        self.moves: dict[tuple[float, float], tuple[Move, ...]] = {}


class Revaluer:
    """Revalues contracts of one moment; a contract, and the smile of an expiry, is worked out once for all reports."""

    def __init__(self, valuer: Valuer, settings: StressSettings) -> None:
        """Take the moment; what others have worked out of it is used again."""
        self._valuer = valuer
        self._settings = settings
        known: _Known = valuer.once((_Known, settings), _Known)
        self._gains, self._smiles, self._moves = known.gains, known.smiles, known.moves

    def report(self, contracts: Contracts) -> StressReport | Unvalued:
        """Return what some contracts gain, as `stress_of`."""
        now, condors, sleeve = self._valuer.snapshot.now, NOTHING_GAINED, NOTHING_GAINED
        for instrument, quantity in contracts:
            if quantity == 0 or has_settled(instrument, now):
                continue
            gains = self.gains_usd(instrument)
            if isinstance(gains, Unvalued):
                return gains
            if instrument.trading_class in SPX_OPTION_CLASSES:
                condors = _added(condors, quantity, gains)
            else:
                sleeve = _added(sleeve, quantity, gains)
        return StressReport(condors_usd=condors, sleeve_usd=sleeve)

    def units_report(self, units: Iterable[Units]) -> StressReport | Unvalued:
        """Return what orders gain as if they were filled."""
        return self.report([(leg.instrument, leg.signed_ratio * quantity) for legs, quantity in units for leg in legs])

    def gains_usd(self, instrument: Instrument) -> Gains | Unvalued:
        """What one long contract gains under each scenario, USD."""
        found = self._gains.get(instrument.key)
        if found is None:
            found = self._gains[instrument.key] = self._worked_out(instrument)
        return found

    def _worked_out(self, instrument: Instrument) -> Gains | Unvalued:
        valued = self._valuer.value(instrument)
        vix = good_level(self._valuer.snapshot, VIX.key)
        if isinstance(valued, Unvalued):
            return valued
        if isinstance(vix, Unvalued):
            return vix
        if instrument.trading_class in SPX_OPTION_CLASSES:
            prices = self._spx(valued, vix)
        else:
            shocked = self._product if instrument.kind is Kind.STOCK else self._vix
            prices = [shocked(valued, scenario, vix) for scenario in GRID]
        return tuple((price - valued.price) * instrument.multiplier for price in prices)

    def _spx(self, valued: Valued, vix: float) -> list[float]:
        """Prices of an SPX option after each move, points."""
        moves = self._moves_of(valued, vix)
        factors = self._smile(valued.instrument).factors(
            strike=float(valued.instrument.strike or 0), forward=valued.forward, moves=moves
        )
        return [
            self._price(valued, forward, valued.vol * factor)
            for (forward, _), factor in zip(moves, factors, strict=True)
        ]

    def _moves_of(self, valued: Valued, vix: float) -> tuple[Move, ...]:
        """Each scenario's forward and level of the smile, the same for all options of an expiry."""
        key = (valued.forward, valued.days)
        if key not in self._moves:
            self._moves[key] = tuple(self._move(valued, scenario, vix) for scenario in GRID)
        return self._moves[key]

    def _move(self, valued: Valued, scenario: Scenario, vix: float) -> Move:
        settings, rates = self._settings, self._valuer.settings
        forward = forward_of_spot(
            spot=valued.forward * (1.0 + scenario.spx_frac),
            years=-self._passed(valued) / DAYS_PER_YEAR,  # the forward's own carry runs off as time passes
            rate=rates.rate,
            dividend_yield=rates.dividend_yield,
        )
        level = level_factor(
            vix_before=vix,
            vix_after=scenario.vix_after(vix, settings.vix_floor_points),
            days=valued.days,
            tenor_days=settings.vix_tenor_days,
        )
        return forward, level

    def _vix(self, valued: Valued, scenario: Scenario, vix: float) -> float:
        """Price of a VIX option or future after the move, points."""
        floor = self._settings.vix_floor_points
        move = scenario.vix_after(vix, floor) - vix
        forward = max(min(valued.forward, floor), valued.forward + vix_beta(valued.days) * move)
        return self._price(valued, forward, valued.vol * scenario.vol_factor)

    def _product(self, valued: Valued, scenario: Scenario, vix: float) -> float:
        """Price of a volatility product after the move, USD: its measured answer to VIX, and never below a cent."""
        move = scenario.vix_after(vix, self._settings.vix_floor_points) - vix
        return max(LEAST_PRODUCT_USD, valued.price + valued.exposure_usd_per_point * move)

    def _smile(self, instrument: Instrument) -> Smile:
        key = (instrument.trading_class, instrument.settlement)
        if key not in self._smiles:
            self._smiles[key] = smile_of(*key, self._valuer)
        return self._smiles[key]

    def _passed(self, valued: Valued) -> float:
        return min(self._settings.horizon_days, valued.days)

    def _price(self, valued: Valued, forward: float, vol: float) -> float:
        """Price with less time left, points."""
        days = valued.days - self._passed(valued)
        return self._valuer.price_if(valued.instrument, forward=forward, vol=vol, days=days)


def _added(totals: Gains, quantity: int, gains: Gains) -> Gains:
    return tuple([total + quantity * gain for total, gain in zip(totals, gains, strict=True)])
