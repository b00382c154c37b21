"""What the sleeve holds and may come to hold, whatever of the orders on their way fills: contracts, vega, VIX points.

How it works: every order on its way, and the one under judgement, may fill wholly or not at all, and each in its own
direction. So the most that may be held long is what is held with every purchase filled and no sale, and the most short
the other way round. Condors are not among it: their own limits bound them (M8, M11).
"""

from datetime import date
from decimal import Decimal
from typing import Final, NamedTuple

from bot.domain.expiries import has_settled
from bot.domain.instrument import Instrument, InstrumentKey, Kind
from bot.domain.orders import Leg, OrderIntent
from bot.domain.portfolio import Position
from bot.pricing import DAYS_PER_YEAR, black76
from bot.valuation import SPX_OPTION_CLASSES, VX_MULTIPLIERS, Unvalued, Valuer, has_model
from risk.scene import Scene

NOTHING: Final = Decimal(0)
ONE: Final = Decimal(1)


class Reach(NamedTuple):
    """The most that may be held long and short at once, both as positive sizes, in one unit."""

    long: Decimal
    short: Decimal

    @property
    def most(self) -> Decimal:
        """The larger of the two."""
        return max(self.long, self.short)


class Span(NamedTuple):
    """How far a signed sum of USD may get either way; its sizes are to the cent, as those of `Reach`."""

    highest: float
    lowest: float

    @property
    def long(self) -> Decimal:
        """The most that may be held long."""
        return _cents(self.highest)

    @property
    def short(self) -> Decimal:
        """The most that may be held short, as a positive size."""
        return _cents(-self.lowest)

    @property
    def most(self) -> Decimal:
        """The larger of the two."""
        return max(self.long, self.short)


class Sensitivity(NamedTuple):
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
        return ONE
    return Decimal(instrument.multiplier) / VX_MULTIPLIERS["VX"]


def sleeve_legs(intent: OrderIntent, scene: Scene) -> tuple[Leg, ...]:
    """Return the legs of an order that are of the sleeve."""
    return scene.kept(_sleeve_legs, intent.legs)


def _sleeve_legs(legs: tuple[Leg, ...], scene: Scene) -> tuple[Leg, ...]:  # noqa: ARG001 - as every figure's work
    return tuple([leg for leg in legs if is_of_sleeve(leg.instrument)])


def contracts_reach(intent: OrderIntent | None, scene: Scene, kind: Kind, settlement: date | None) -> Reach:
    """Return how many contracts of a kind may be held, of one settlement, or of all where none is named.

    Without an order it is what is held with all that is on its way.
    """
    held = scene.once(_held_reach, kind, settlement)
    long, short = held.long, held.short
    for instrument, longer, shorter in scene.kept(_reached, intent):
        if instrument.kind is kind and (settlement is None or settlement == instrument.settlement):
            long += longer
            short += shorter
    return Reach(long, short)


def _reached(intent: OrderIntent | None, scene: Scene) -> list[tuple[Instrument, Decimal, Decimal]]:
    """Each contract of the sleeve that is on its way or ordered, and how much more may be held long and short."""
    touched: dict[InstrumentKey, tuple[Instrument, int, int]] = {}
    for one, units in scene.pending_with(intent):
        for leg in sleeve_legs(one, scene):
            if has_settled(leg.instrument, scene.snapshot.now):
                continue
            _, bought, sold = touched.get(leg.instrument.key, (leg.instrument, 0, 0))
            moved = leg.signed_ratio * units
            bought, sold = (bought + moved, sold) if moved > 0 else (bought, sold - moved)
            touched[leg.instrument.key] = (leg.instrument, bought, sold)
    found = []
    for key, (instrument, bought, sold) in touched.items():
        each, held = contract_units(instrument), scene.snapshot.book.quantity(key)
        longer = bought if held >= 0 else max(0, held + bought)
        shorter = sold if held <= 0 else max(0, sold - held)
        found.append((instrument, each * longer, each * shorter))
    return found


def _held_reach(kind: Kind, settlement: date | None, scene: Scene) -> Reach:
    """What is held by itself, long and short."""
    long, short = NOTHING, NOTHING
    for position in held_of_sleeve(scene):
        instrument = position.instrument
        if instrument.kind is kind and settlement in (None, instrument.settlement):
            long += contract_units(instrument) * max(0, position.quantity)
            short += contract_units(instrument) * max(0, -position.quantity)
    return Reach(long, short)


def held_of_sleeve(scene: Scene) -> tuple[Position, ...]:
    """Return what is held of the sleeve and has not settled."""
    return scene.once(_held_of_sleeve)


def _held_of_sleeve(scene: Scene) -> tuple[Position, ...]:
    now, held = scene.snapshot.now, scene.snapshot.book.positions.values()
    return tuple(one for one in held if is_of_sleeve(one.instrument) and not has_settled(one.instrument, now))


def sensitivity_reach(intent: OrderIntent | None, scene: Scene) -> tuple[Span, Span] | Unvalued:
    """Return how much vega and how many USD per VIX point may be held, or why that is unknown.

    Without an order it is what is held with all that is on its way.
    """
    return scene.kept(_sensitivity_reach, intent)


def _sensitivity_reach(intent: OrderIntent | None, scene: Scene) -> tuple[Span, Span] | Unvalued:
    held = scene.once(_held_sensitivity)
    if isinstance(held, Unvalued):
        return held
    vega_up = vega_down = held.vega_usd
    delta_up = delta_down = held.delta_usd
    for one, units in scene.pending_with(intent):
        moved = order_sensitivity(one, scene)
        if isinstance(moved, Unvalued):
            return moved
        vega, delta = units * moved.vega_usd, units * moved.delta_usd
        if vega > 0.0:
            vega_up += vega
        else:
            vega_down += vega
        if delta > 0.0:
            delta_up += delta
        else:
            delta_down += delta
    return Span(vega_up, vega_down), Span(delta_up, delta_down)


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
    return scene.kept(_legs_sensitivity, intent.legs)


def _legs_sensitivity(legs: tuple[Leg, ...], scene: Scene) -> Sensitivity | Unvalued:
    vega = delta = 0.0
    for leg in scene.kept(_sleeve_legs, legs):
        each = sensitivity_of(leg.instrument, scene.valuer)
        if isinstance(each, Unvalued):
            return each
        vega += leg.signed_ratio * each.vega_usd
        delta += leg.signed_ratio * each.delta_usd
    return Sensitivity(vega_usd=vega, delta_usd=delta)


def sensitivity_of(instrument: Instrument, valuer: Valuer) -> Sensitivity | Unvalued:
    """Return vega and delta of one long contract in USD, its multiplier counted, or why they are unknown."""
    return valuer.once((_sensitivity_of, instrument.key), lambda: _sensitivity_of(instrument, valuer))


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


def _cents(amount_usd: float) -> Decimal:
    return Decimal(repr(round(amount_usd, 2)))
