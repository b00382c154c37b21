"""What the sleeve holds and may come to hold, whatever of the orders on their way fills: contracts, vega, VIX points.

How it works: every order on its way, and the one under judgement, may fill wholly or not at all, and each in its own
direction. So the most that may be held long is what is held with every purchase filled and no sale, and the most short
the other way round. Condors are not among it: their own limits bound them (M8, M11).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from bot.domain.expiries import has_settled
from bot.domain.instrument import Instrument, InstrumentKey, Kind
from bot.domain.orders import OrderIntent
from bot.domain.portfolio import Position
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


def contracts_reach(intent: OrderIntent | None, scene: Scene, kind: Kind, settlement: date | None) -> Reach:
    """Return how many contracts of a kind may be held, of one settlement, or of all where none is named.

    Without an order it is what is held with all that is on its way.
    """
    bought: dict[InstrumentKey, int] = {}
    sold: dict[InstrumentKey, int] = {}
    touched: dict[InstrumentKey, Instrument] = {}
    for instrument, quantity in scene.kept("flows", intent, lambda: _flows(intent, scene)):
        if instrument.kind is kind and settlement in (None, instrument.settlement):
            side = bought if quantity > 0 else sold
            side[instrument.key] = side.get(instrument.key, 0) + quantity
            touched[instrument.key] = instrument
    held = scene.once(("held", kind, settlement), lambda: _held_reach(scene, kind, settlement))
    long, short = held.long, held.short
    for key, instrument in touched.items():
        units, quantity = contract_units(instrument), scene.snapshot.book.quantity(key)
        long += units * (max(0, quantity + bought.get(key, 0)) - max(0, quantity))
        short += units * (max(0, -quantity - sold.get(key, 0)) - max(0, -quantity))
    return Reach(long=long, short=short)


def _held_reach(scene: Scene, kind: Kind, settlement: date | None) -> Reach:
    """What is held by itself, long and short."""
    long, short = NOTHING, NOTHING
    for position in held_of_sleeve(scene):
        instrument = position.instrument
        if instrument.kind is kind and settlement in (None, instrument.settlement):
            long += contract_units(instrument) * max(0, position.quantity)
            short += contract_units(instrument) * max(0, -position.quantity)
    return Reach(long=long, short=short)


def held_of_sleeve(scene: Scene) -> tuple[Position, ...]:
    """Return what is held of the sleeve and has not settled."""
    return scene.once("sleeve", lambda: tuple(_held_of_sleeve(scene)))


def _held_of_sleeve(scene: Scene) -> Iterator[Position]:
    for position in scene.snapshot.book.positions.values():
        if is_of_sleeve(position.instrument) and not has_settled(position.instrument, scene.snapshot.now):
            yield position


def sensitivity_reach(intent: OrderIntent | None, scene: Scene) -> tuple[Reach, Reach] | Unvalued:
    """Return how much vega and how many USD per VIX point may be held, or why that is unknown.

    Without an order it is what is held with all that is on its way.
    """
    return scene.kept("sensitivity reach", intent, lambda: _sensitivity_reach(intent, scene))


def _sensitivity_reach(intent: OrderIntent | None, scene: Scene) -> tuple[Reach, Reach] | Unvalued:
    vega, delta = _Sum(), _Sum()
    held = scene.once("sleeve sensitivity", lambda: _held_sensitivity(scene))
    if isinstance(held, Unvalued):
        return held
    vega.hold(held.vega_usd)
    delta.hold(held.delta_usd)
    for one, units in scene.pending_with(intent):
        moved = order_sensitivity(one, scene)
        if isinstance(moved, Unvalued):
            return moved
        vega.move(units * moved.vega_usd)
        delta.move(units * moved.delta_usd)
    return vega.reach(), delta.reach()


def _held_sensitivity(scene: Scene) -> Sensitivity | Unvalued:
    """All that is held of the sleeve, signed."""
    vega = delta = 0.0
    for position in held_of_sleeve(scene):
        each = sensitivity_of(position.instrument, scene.valuer)
        if isinstance(each, Unvalued):
            return each
        vega += position.quantity * each.vega_usd
        delta += position.quantity * each.delta_usd
    return Sensitivity(vega_usd=vega, delta_usd=delta)


def order_sensitivity(intent: OrderIntent, scene: Scene) -> Sensitivity | Unvalued:
    """Return what one unit of an order adds, signed; nothing for a wing of the condors."""
    return scene.kept("unit sensitivity", intent.legs, lambda: _order_sensitivity(intent, scene.valuer))


def _order_sensitivity(intent: OrderIntent, valuer: Valuer) -> Sensitivity | Unvalued:
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
    return valuer.once(("sensitivity", instrument.key), lambda: _sensitivity_of(instrument, valuer))


def _sensitivity_of(instrument: Instrument, valuer: Valuer) -> Sensitivity | Unvalued:
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


def _flows(intent: OrderIntent | None, scene: Scene) -> tuple[tuple[Instrument, int], ...]:
    """What everything on its way and the order may bring of the sleeve, signed."""
    return tuple(
        (leg.instrument, leg.signed_ratio * units)
        for one, units in scene.pending_with(intent)
        for leg in one.legs
        if is_of_sleeve(leg.instrument) and not has_settled(leg.instrument, scene.snapshot.now)
    )


def _cents(amount_usd: float) -> Decimal:
    return Decimal(repr(round(amount_usd, 2)))
