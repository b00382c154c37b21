"""What the sleeve holds and may come to hold, whatever of the orders on their way fills: contracts, vega, VIX points.

How it works: every order on its way, and the one under judgement, may fill wholly or not at all, and each in its own
direction. So the most that may be held long is what is held with every purchase filled and no sale, and the most short
the other way round. Condors are not among it: their own limits bound them (M8, M11).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from bot.domain.expiries import has_settled
from bot.domain.instrument import Instrument, InstrumentKey, Kind
from bot.domain.orders import OrderIntent
from bot.pricing import DAYS_PER_YEAR, black76
from bot.valuation import SPX_OPTION_CLASSES, VX_MULTIPLIERS, Unvalued, Valuer, has_model
from risk.scene import Scene

NOTHING: Final = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """The most that may be held long and short at once, both as positive sizes, in one unit."""

    long: Decimal
    short: Decimal

    @property
    def most(self) -> Decimal:
        """The larger of the two."""
        return max(self.long, self.short)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sensitivity:
    """One long contract of the sleeve: USD per volatility point of VIX options, USD per point of spot VIX."""

    vega_usd: float
    delta_usd: float


def is_of_sleeve(instrument: Instrument) -> bool:
    """Return whether a contract is the sleeve's: VIX options and futures, and shares of volatility products."""
    return has_model(instrument) and instrument.trading_class not in SPX_OPTION_CLASSES


def contract_units(instrument: Instrument) -> Decimal:
    """Return what one contract counts: an option 1, a future its multiplier over that of VX.

    >>> from datetime import date
    >>> from bot.domain.instrument import vix_future
    >>> [str(contract_units(vix_future(name, date(2026, 11, 18)))) for name in ("VX", "VXM")]
    ['1', '0.1']
    """
    if instrument.kind is not Kind.FUTURE:
        return Decimal(1)
    return Decimal(instrument.multiplier) / VX_MULTIPLIERS["VX"]


def contracts_reach(intent: OrderIntent, scene: Scene, kind: Kind, settlement: date | None) -> Reach:
    """Return how many contracts of a kind may be held, of one settlement, or of all where none is named."""
    bought: dict[InstrumentKey, int] = {}
    sold: dict[InstrumentKey, int] = {}
    instruments: dict[InstrumentKey, Instrument] = {}
    for instrument, quantity in _flows(intent, scene):
        wanted = instrument.kind is kind and settlement in (None, instrument.settlement)
        if not wanted or has_settled(instrument, scene.snapshot.now):
            continue
        side = bought if quantity > 0 else sold
        side[instrument.key] = side.get(instrument.key, 0) + quantity
        instruments[instrument.key] = instrument
    held = {key: scene.snapshot.book.quantity(key) for key in _held_keys(scene, kind, settlement)}
    instruments |= {key: scene.snapshot.book.positions[key].instrument for key in held}
    long, short = NOTHING, NOTHING
    for key, instrument in instruments.items():
        units = contract_units(instrument)
        long += units * max(0, held.get(key, 0) + bought.get(key, 0))
        short += units * max(0, -(held.get(key, 0) + sold.get(key, 0)))
    return Reach(long=long, short=short)


def sensitivity_reach(intent: OrderIntent, scene: Scene) -> tuple[Reach, Reach] | Unvalued:
    """Return how much vega and how many USD per VIX point may be held, or why that is unknown."""
    vega, delta = _Sum(), _Sum()
    for position in scene.snapshot.book.positions.values():
        if is_of_sleeve(position.instrument) and not has_settled(position.instrument, scene.snapshot.now):
            held = sensitivity_of(position.instrument, scene.valuer)
            if isinstance(held, Unvalued):
                return held
            vega.hold(position.quantity * held.vega_usd)
            delta.hold(position.quantity * held.delta_usd)
    for one, units in (*scene.pending(), (intent, intent.quantity)):
        moved = order_sensitivity(one, scene.valuer)
        if isinstance(moved, Unvalued):
            return moved
        vega.move(units * moved.vega_usd)
        delta.move(units * moved.delta_usd)
    return vega.reach(), delta.reach()


def order_sensitivity(intent: OrderIntent, valuer: Valuer) -> Sensitivity | Unvalued:
    """Return what one unit of an order adds, signed; nothing for a wing of the condors."""
    vega = delta = 0.0
    for leg in intent.legs:
        if is_of_sleeve(leg.instrument):
            each = sensitivity_of(leg.instrument, valuer)
            if isinstance(each, Unvalued):
                return each
            vega += leg.signed_ratio * each.vega_usd
            delta += leg.signed_ratio * each.delta_usd
    return Sensitivity(vega_usd=vega, delta_usd=delta)


def sensitivity_of(instrument: Instrument, valuer: Valuer) -> Sensitivity | Unvalued:
    """Return vega and delta of one long contract in USD, its multiplier counted, or why they are unknown."""
    valued = valuer.value(instrument)
    if isinstance(valued, Unvalued):
        return valued
    vega = 0.0
    if instrument.strike is not None and instrument.right is not None:
        greeks = black76(
            forward=valued.forward,
            strike=float(instrument.strike),
            years=valued.days / DAYS_PER_YEAR,
            vol=valued.vol,
            rate=valuer.settings.rate,
            right=instrument.right,
        )
        vega = greeks.vega * instrument.multiplier
    return Sensitivity(vega_usd=vega, delta_usd=valued.exposure_usd_per_point)


class _Sum:
    """Adds up what is held and what may move it either way."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._held = self._up = self._down = 0.0

    def hold(self, amount: float) -> None:
        """Count what is there for certain."""
        self._held += amount

    def move(self, amount: float) -> None:
        """Count what may come."""
        self._up += max(0.0, amount)
        self._down += min(0.0, amount)

    def reach(self) -> Reach:
        """Return the most either way, to the cent."""
        return Reach(long=_cents(self._held + self._up), short=_cents(-(self._held + self._down)))


def _flows(intent: OrderIntent, scene: Scene) -> Iterator[tuple[Instrument, int]]:
    orders: Iterable[tuple[OrderIntent, int]] = (*scene.pending(), (intent, intent.quantity))
    for one, units in orders:
        for leg in one.legs:
            if is_of_sleeve(leg.instrument):
                yield leg.instrument, leg.signed_ratio * units


def _held_keys(scene: Scene, kind: Kind, settlement: date | None) -> list[InstrumentKey]:
    return [
        key
        for key, position in scene.snapshot.book.positions.items()
        if is_of_sleeve(position.instrument)
        and position.instrument.kind is kind
        and settlement in (None, position.instrument.settlement)
        and not has_settled(position.instrument, scene.snapshot.now)
    ]


def _cents(amount_usd: float) -> Decimal:
    return Decimal(repr(round(amount_usd, 2)))
