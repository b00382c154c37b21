"""The outstanding exposure of what is held, in the four measures that an operator asks for first (C30)."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal

from bot.valuation import Unvalued
from risk.checks.margin_use import bound_now
from risk.checks.neutrality import farthest_deltas
from risk.positions import sensitivity_reach
from risk.scene import Scene


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """One measure: ``amount`` is signed, None where it is unknown, and ``unknown`` then says why."""

    name: str
    unit: str
    amount: Decimal | None
    unknown: str = ""


def exposures(scene: Scene) -> tuple[Exposure, ...]:
    """Return delta, vega, USD per point of VIX and margin of what is held; orders on their way are left out.

    Raises for nothing: what cannot be worked out says why.

    Source: docs/risk-controls.md, C30.
    """
    book = replace(scene.snapshot.book, orders={})
    held = replace(scene, snapshot=replace(scene.snapshot, book=book), earlier=())
    return (
        _measured("SPX delta", "USD per +1 % SPX", lambda: _delta(held)),
        _measured("vega", "USD per volatility point", lambda: _sensitivity(held, 0)),
        _measured("VIX delta", "USD per point of VIX", lambda: _sensitivity(held, 1)),
        _measured("margin used", "USD", lambda: _margin(held)),
    )


def _measured(name: str, unit: str, measure: Callable[[], Decimal | str]) -> Exposure:
    try:
        amount = measure()
    except Exception as error:  # noqa: BLE001 - fail closed: a fault of a model is told, and is no exposure of zero
        amount = f"{type(error).__name__}: {error}"
    if isinstance(amount, str):
        return Exposure(name=name, unit=unit, amount=None, unknown=amount)
    return Exposure(name=name, unit=unit, amount=amount)


def _delta(held: Scene) -> Decimal | str:
    found = farthest_deltas(held)
    return found.reason if isinstance(found, Unvalued) else Decimal(repr(round(found[0], 2)))


def _sensitivity(held: Scene, which: int) -> Decimal | str:
    found = sensitivity_reach(None, held)
    return found.reason if isinstance(found, Unvalued) else found[which].long


def _margin(held: Scene) -> Decimal | str:
    found = bound_now(held.snapshot.book.account)
    return found if isinstance(found, str) else found[1]
